"""Agree on a Child SA: its suite, its selectors, and perhaps fresh keys. RFC 7296, 1.2, 1.3.1 and 2.9."""

from __future__ import annotations

from collections.abc import Iterable

from isthmus.crypto import kex
from isthmus.engine.exchange import Draft, Inbound, Step
from isthmus.engine.ikev2.child_setup import ChildSetup
from isthmus.engine.ikev2.steps.suite import (
    NONCE_SIZE,
    agree,
    answer_key_exchange,
    confirm_answer,
    fresh_nonce,
    no_proposal,
    numbered,
)
from isthmus.engine.passage import refuse_behind_nat
from isthmus.engine.refusal import Refusal, malformed
from isthmus.events.ike import FailureReason
from isthmus.model.plan import ChildPlan, Mode, TunnelPlan
from isthmus.model.proposal import Proposal
from isthmus.model.quantities import OutboundSpi
from isthmus.model.selectors import TrafficSelector
from isthmus.negotiate import select
from isthmus.negotiate.narrow import Narrowed, select_child, within
from isthmus.negotiate.reports import Mismatch, SelectorMismatch
from isthmus.wire.ikev2.payloads import KeyExchange, Nonce, SecurityAssociation, TsI, TsR
from isthmus.wire.registry import KeMethod, NotifyType

_SPI_SIZE = 4
_RESERVED_SPIS = 256


class AgreeOnChild(Step[ChildSetup]):
    def write(self, leg: int, draft: Draft) -> None:
        if leg == 0:
            self._offer(draft)
        else:
            self._answer(draft)

    def read(self, leg: int, message: Inbound) -> None:
        if leg == 0:
            self._choose(message)
        else:
            self._confirm(message)

    # -- as requester

    def _offer(self, draft: Draft) -> None:
        setup, entropy = self.context, self.context.sa.ledger.entropy
        tunnel, child = self._wanted()
        setup.offered = setup.offered or self._proposals(tunnel)
        setup.spi_in = setup.spi_in or setup.sa.ledger.fresh_child_spi()
        if tunnel.mode is Mode.TRANSPORT:
            draft.notify(NotifyType.USE_TRANSPORT_MODE)
        draft.add(SecurityAssociation(numbered(setup.offered, setup.spi_in.to_bytes(_SPI_SIZE, "big"))))
        if setup.fresh:
            setup.initiator_nonce = setup.initiator_nonce or entropy.octets(NONCE_SIZE)
            draft.add(Nonce(setup.initiator_nonce))
            method = setup.method or select.first_method(setup.offered)
            if method is not None:
                setup.share = setup.share or kex.offer(method, entropy.octets)
                draft.add(KeyExchange(KeMethod(method.ikev2), setup.share.public))
        local, remote = setup.packet if setup.packet else (None, None)
        draft.add(TsI(_with_packet(local, child.local)), TsR(_with_packet(remote, child.remote)))

    def _confirm(self, message: Inbound) -> None:
        setup = self.context
        setup.suite = confirm_answer(message, setup.offered)
        tunnel, child = self._wanted()
        if (tunnel.mode is Mode.TRANSPORT) != _asks_for_transport(message):
            raise _other_mode(tunnel.mode)
        setup.spi_out = peer_spi(message.need(SecurityAssociation).proposals[0])
        if setup.fresh:
            setup.responder_nonce = fresh_nonce(message)
        if setup.suite.ke is not None:
            setup.shared = agree(message, setup.suite, setup.share)
        local, remote = message.need(TsI).selectors, message.need(TsR).selectors
        if not within(local, child.local) or not within(remote, child.remote):
            raise unacceptable(SelectorMismatch(local, remote, ((child.name, child.local, child.remote),)))
        setup.local_ts, setup.remote_ts = local, remote

    # -- as replier

    def _choose(self, message: Inbound) -> None:
        setup = self.context
        found = self._find_child(message.need(TsI).selectors, message.need(TsR).selectors)
        setup.local_ts, setup.remote_ts = found.local, found.remote
        tunnel = self._tunnel_of(found.child)
        setup.tunnel, setup.child = tunnel, found.child
        refuse_behind_nat(setup.sa, tunnel)
        # RFC 7296, 1.3.1: who is asked for transport mode may answer with tunnel mode, but not the other way round.
        if tunnel.mode is Mode.TRANSPORT and not _asks_for_transport(message):
            raise _other_mode(tunnel.mode)
        chosen = select.choose(message.need(SecurityAssociation).proposals, self._proposals(tunnel))
        if isinstance(chosen, Mismatch):
            raise no_proposal(chosen)
        setup.suite, self._chosen = chosen.suite, chosen.proposal
        setup.spi_out = peer_spi(chosen.proposal)
        ledger = setup.sa.ledger
        if setup.fresh:
            setup.initiator_nonce = fresh_nonce(message)
            setup.responder_nonce = ledger.entropy.octets(NONCE_SIZE)
        if setup.suite.ke is not None:
            self._reply, setup.shared = answer_key_exchange(message, setup.suite, ledger.entropy.octets)
        setup.spi_in = ledger.fresh_child_spi()

    def _answer(self, draft: Draft) -> None:
        setup = self.context
        spi = setup.spi_in.to_bytes(_SPI_SIZE, "big")
        tunnel, _ = self._wanted()
        if tunnel.mode is Mode.TRANSPORT:
            draft.notify(NotifyType.USE_TRANSPORT_MODE)
        draft.add(SecurityAssociation((self._chosen.numbered(self._chosen.number, spi),)))
        if setup.fresh:
            draft.add(Nonce(setup.responder_nonce))
        if setup.suite is not None and setup.suite.ke is not None:
            draft.add(KeyExchange(KeMethod(setup.suite.ke.ikev2), self._reply))
        draft.add(TsI(setup.remote_ts), TsR(setup.local_ts))

    def _find_child(self, tsi: tuple[TrafficSelector, ...], tsr: tuple[TrafficSelector, ...]) -> Narrowed:
        setup = self.context
        if setup.replaces is not None:  # a successor serves the same configured child
            candidates: Iterable[ChildPlan] = (setup.replaces.plan,)
        else:
            candidates = [c for t in self._tunnels() if t.enabled for c in t.children]
        found = select_child(tsr, tsi, candidates)
        if isinstance(found, SelectorMismatch):
            raise unacceptable(found)
        return found

    def _tunnels(self) -> tuple[TunnelPlan, ...]:
        sa = self.context.sa
        return sa.ledger.plan.tunnels_of(sa.peer.name) if sa.peer is not None else ()

    def _tunnel_of(self, child: ChildPlan) -> TunnelPlan:
        return next(t for t in self._tunnels() if t.name == child.tunnel)

    def _wanted(self) -> tuple[TunnelPlan, ChildPlan]:
        if self.context.tunnel is None or self.context.child is None:
            raise malformed("no child is wanted")
        return self.context.tunnel, self.context.child

    def _proposals(self, tunnel: TunnelPlan) -> tuple[Proposal, ...]:
        proposals = tunnel.profile.proposals
        return proposals if self.context.fresh else select.without_key_exchange(proposals)


def _asks_for_transport(message: Inbound) -> bool:
    return message.notify(NotifyType.USE_TRANSPORT_MODE) is not None


def _other_mode(ours: Mode) -> Refusal:
    theirs = Mode.TUNNEL if ours is Mode.TRANSPORT else Mode.TRANSPORT
    return Refusal(
        NotifyType.NO_PROPOSAL_CHOSEN,
        reason=FailureReason.MODE_MISMATCH,
        they_said=(f"{theirs} mode",),
        we_said=(f"{ours} mode",),
    )


def peer_spi(proposal: Proposal) -> OutboundSpi:
    """The SPI that the peer receives on."""
    spi = int.from_bytes(proposal.spi, "big")
    if len(proposal.spi) != _SPI_SIZE or spi < _RESERVED_SPIS:
        raise malformed(f"an SPI of {len(proposal.spi)} octets, 0x{spi:x}")
    return OutboundSpi(spi)


def what_we_said(refused: NotifyType, setup: ChildSetup) -> tuple[str, ...]:
    """What of our request a bare refusal is about, for the journal."""
    match refused:
        case NotifyType.TS_UNACCEPTABLE if setup.child is not None:
            return (_pair(setup.child.local, setup.child.remote),)
        case NotifyType.NO_PROPOSAL_CHOSEN:
            return tuple(str(proposal) for proposal in setup.offered)
        case _:
            return ()


def unacceptable(mismatch: SelectorMismatch) -> Refusal:
    """TS_UNACCEPTABLE, with both lists for the journal, from our point of view."""
    return Refusal(
        NotifyType.TS_UNACCEPTABLE,
        they_said=(_pair(mismatch.offered_local, mismatch.offered_remote),),
        we_said=tuple(f"{name}: {_pair(local, remote)}" for name, local, remote in mismatch.accepted),
    )


def _pair(local: tuple[TrafficSelector, ...], remote: tuple[TrafficSelector, ...]) -> str:
    return f"{', '.join(map(str, local))} <-> {', '.join(map(str, remote))}"


def _with_packet(
    packet: TrafficSelector | None, configured: tuple[TrafficSelector, ...]
) -> tuple[TrafficSelector, ...]:
    """RFC 7296, 2.9: the selector of the packet that asks stands first."""
    return configured if packet is None or packet in configured else (packet, *configured)
