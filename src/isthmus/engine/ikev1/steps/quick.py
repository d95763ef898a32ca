"""Agree on a Child SA: its suite, its identities, and perhaps fresh keys. RFC 2409, 5.5."""

from __future__ import annotations

from collections.abc import Sequence

from isthmus.crypto import kex
from isthmus.engine.exchange import Draft, Inbound, Step
from isthmus.engine.ikev1 import client_ids
from isthmus.engine.ikev1.quick_setup import QuickSetup
from isthmus.engine.ikev1.steps.secrets import NONCE_SIZE, bad_public_value, fresh_nonce, require_method
from isthmus.engine.passage import refuse_behind_nat
from isthmus.engine.refusal import Refusal, malformed
from isthmus.events.ike import FailureReason
from isthmus.model.plan import ChildPlan, Encapsulation, TunnelPlan
from isthmus.model.quantities import OutboundSpi
from isthmus.model.selectors import TrafficSelector
from isthmus.negotiate import select
from isthmus.negotiate.reports import Mismatch
from isthmus.wire.errors import WireError
from isthmus.wire.ikev1.offers import Duration, Offer, duration_attributes, duration_of, phase2_offers, phase2_sa
from isthmus.wire.ikev1.payloads import Identification, KeyExchange, Nonce, Notify, SecurityAssociation
from isthmus.wire.ikev1.registry import EncapsulationMode, IpsecAttribute
from isthmus.wire.ikev1.registry import NotifyType as NotifyTypeV1
from isthmus.wire.ikev1.security_association import read_attributes, write_attributes
from isthmus.wire.registry import NotifyType

_SPI_SIZE = 4
_RESERVED_SPIS = 256
_KILOBYTE = 1024
_UDP = (EncapsulationMode.UDP_TUNNEL, EncapsulationMode.UDP_TUNNEL_DRAFT)


class AgreeOnQuick(Step[QuickSetup]):
    def write(self, leg: int, draft: Draft) -> None:
        if leg == 0:
            self._offer(draft)
        elif leg == 1:
            self._answer(draft)

    def read(self, leg: int, message: Inbound) -> None:
        if leg == 0:
            self._choose(message)
        elif leg == 1:
            self._confirm(message)

    # -- as initiator

    def _offer(self, draft: Draft) -> None:
        setup, ledger = self.context, self.context.channel.sa.ledger
        tunnel, child = self._wanted()
        setup.spi_in = ledger.fresh_child_spi()
        spi = setup.spi_in.to_bytes(_SPI_SIZE, "big")
        offer = phase2_sa(tunnel.profile.proposals, _duration(tunnel), setup.mode, spi)
        setup.offered = phase2_offers(offer)
        if not setup.offered:
            raise Refusal(NotifyType.NO_PROPOSAL_CHOSEN, detail="the profile has nothing that IKEv1 can express")
        setup.nonce_i = ledger.entropy.octets(NONCE_SIZE)
        draft.add(offer, Nonce(setup.nonce_i))
        setup.method = select.first_method([offered.proposal for offered in setup.offered])
        if setup.method is not None:
            setup.share = kex.offer(setup.method, ledger.entropy.octets)
            draft.add(KeyExchange(setup.share.public))
        draft.add(client_ids.identification(child.local[0]), client_ids.identification(child.remote[0]))

    def _confirm(self, message: Inbound) -> None:
        setup = self.context
        _, child = self._wanted()
        answers = phase2_offers(message.need(SecurityAssociation))
        if len(answers) != 1:
            raise malformed(f"{len(answers)} transforms in an answer")
        (answer,) = answers
        if not any(o.proposal.transforms == answer.proposal.transforms for o in setup.offered) or not self._fits(
            answer
        ):
            raise Refusal(
                NotifyType.NO_PROPOSAL_CHOSEN,
                they_said=(str(answer.proposal),),
                we_said=tuple(str(o.proposal) for o in setup.offered),
                detail="the peer chose what we had not offered",
            )
        setup.suite = select.suite_of(answer.proposal)
        setup.spi_out = _peer_spi(answer)
        setup.nonce_r = fresh_nonce(message)
        if setup.nonce_r == setup.nonce_i:
            raise malformed("the peer repeats our nonce")
        if setup.share is not None:
            try:
                setup.shared = setup.share.agree(message.need(KeyExchange).data)
            except kex.InvalidPublicValue as bad:
                raise bad_public_value(bad) from None
        ids = message.all(Identification)
        said = tuple(map(client_ids.selector, ids)) if ids else (child.local[0], child.remote[0])
        if said != (child.local[0], child.remote[0]):
            raise _unacceptable(said, (child,))
        setup.local_ts, setup.remote_ts = child.local, child.remote
        setup.settle_lifetime(answer.duration)
        for notify in message.all(Notify):
            if notify.notify == NotifyTypeV1.RESPONDER_LIFETIME:
                setup.settle_lifetime(_told(notify))

    # -- as responder

    def _choose(self, message: Inbound) -> None:
        setup, ledger = self.context, self.context.channel.sa.ledger
        tunnel, child = self._find(message.all(Identification))
        setup.tunnel, setup.child = tunnel, child
        refuse_behind_nat(setup.channel.sa, tunnel)
        offers = phase2_offers(message.need(SecurityAssociation))
        self._do_without_udp(offers)
        fitting = [o for o in offers if self._fits(o)]
        if offers and not fitting:
            modes = dict.fromkeys(EncapsulationMode.of(o.mode or 0).name for o in offers)
            raise Refusal(
                NotifyType.NO_PROPOSAL_CHOSEN,
                reason=FailureReason.MODE_MISMATCH,
                they_said=tuple(modes),
                we_said=(setup.mode.name,),
            )
        found = select.choose([o.proposal for o in fitting], tunnel.profile.proposals)
        if isinstance(found, Mismatch):
            raise Refusal(
                NotifyType.NO_PROPOSAL_CHOSEN,
                they_said=tuple(str(p) for p in found.offered),
                we_said=tuple(str(p) for p in found.accepted),
                detail="; ".join(str(obstacle) for obstacle in found.nearest),
            )
        setup.suite = found.suite
        chosen = next(
            o
            for o in fitting
            if o.proposal.number == found.proposal.number
            and o.proposal.spi == found.proposal.spi
            and set(found.proposal.transforms) <= set(o.proposal.transforms)
        )
        setup.chosen, setup.spi_out = chosen, _peer_spi(chosen)
        setup.nonce_i, setup.nonce_r = fresh_nonce(message), ledger.entropy.octets(NONCE_SIZE)
        if setup.suite.ke is not None:
            try:
                setup.reply, setup.shared = kex.answer(
                    require_method(setup.suite.ke), ledger.entropy.octets, message.need(KeyExchange).data
                )
            except kex.InvalidPublicValue as bad:
                raise bad_public_value(bad) from None
        setup.spi_in = ledger.fresh_child_spi()
        setup.settle_lifetime(chosen.duration)
        self._ids = message.all(Identification)

    def _answer(self, draft: Draft) -> None:
        setup = self.context
        tunnel, _ = self._wanted()
        if setup.chosen is None:
            raise malformed("nothing was chosen")
        spi = setup.spi_in.to_bytes(_SPI_SIZE, "big")
        draft.add(setup.chosen.answer(spi), Nonce(setup.nonce_r))
        if setup.reply:
            draft.add(KeyExchange(setup.reply))
        draft.add(*self._ids)
        ours, offered = _duration(tunnel), setup.chosen.duration
        shorter = Duration(
            ours.seconds if _less(ours.seconds, offered.seconds) else None,
            ours.kilobytes if _less(ours.kilobytes, offered.kilobytes) else None,
        )
        if shorter != Duration():
            attributes = write_attributes(duration_attributes(shorter))
            protocol = setup.chosen.proposal.protocol
            draft.add(Notify(NotifyTypeV1.RESPONDER_LIFETIME, attributes, protocol, spi))

    def _find(self, ids: Sequence[Identification]) -> tuple[TunnelPlan, ChildPlan]:
        """The configured child whose proxy ID is exactly what the peer claims, mirrored."""
        setup, sa = self.context, self.context.channel.sa
        tunnels = sa.ledger.plan.tunnels_of(sa.peer.name) if sa.peer is not None else ()
        if len(ids) == 2:
            remote, local = map(client_ids.selector, ids)
        elif ids:
            raise malformed(f"{len(ids)} identities")
        else:
            # RFC 2409, 5.5: without identities the SA is between the peers themselves.
            local = TrafficSelector.of_host(sa.local.address)
            remote = TrafficSelector.of_host(sa.remote.address)
        enabled = [(tunnel, child) for tunnel in tunnels if tunnel.enabled for child in tunnel.children]
        for tunnel, child in enabled:
            if (child.local, child.remote) == ((local,), (remote,)):
                setup.local_ts, setup.remote_ts = child.local, child.remote
                return tunnel, child
        raise _unacceptable((local, remote), tuple(child for _, child in enabled))

    def _do_without_udp(self, offers: tuple[Offer, ...]) -> None:
        """No NAT asks for it, and what else spoke for it in phase 1 had no proof: what the peer offers counts."""
        sa = self.context.channel.sa
        plain = all(o.mode == EncapsulationMode.TUNNEL for o in offers)
        if (
            offers
            and plain
            and self.context.in_udp
            and sa.peer is not None
            and sa.peer.encapsulation is Encapsulation.AUTO
            and not sa.nat.found
        ):
            sa.udp = sa.udp and bool(sa.children)

    def _fits(self, offer: Offer) -> bool:
        """Whether an offer is for our mode, encapsulated as our IKE SA's children are."""
        if self.context.mode == EncapsulationMode.TRANSPORT:
            return offer.mode == EncapsulationMode.TRANSPORT
        if self.context.in_udp:
            return offer.mode in _UDP
        return offer.mode in (EncapsulationMode.TUNNEL, None)

    def _wanted(self) -> tuple[TunnelPlan, ChildPlan]:
        if self.context.tunnel is None or self.context.child is None:
            raise malformed("no child is wanted")
        return self.context.tunnel, self.context.child


def _duration(tunnel: TunnelPlan) -> Duration:
    lifetime = tunnel.profile.lifetime
    return Duration(int(lifetime.time), lifetime.octets // _KILOBYTE if lifetime.octets else None)


def _told(notify: Notify) -> Duration:
    try:
        attributes = read_attributes(notify.data)
    except WireError as error:
        raise malformed(error.why) from None
    return duration_of(attributes, IpsecAttribute.LIFE_TYPE, IpsecAttribute.LIFE_DURATION)


def _less(ours: int | None, offered: int | None) -> bool:
    return ours is not None and (offered is None or ours < offered)


def _peer_spi(offer: Offer) -> OutboundSpi:
    spi = int.from_bytes(offer.proposal.spi, "big")
    if len(offer.proposal.spi) != _SPI_SIZE or spi < _RESERVED_SPIS:
        raise malformed(f"an SPI of {len(offer.proposal.spi)} octets, 0x{spi:x}")
    return OutboundSpi(spi)


def _unacceptable(said: tuple[TrafficSelector, ...], children: tuple[ChildPlan, ...]) -> Refusal:
    return Refusal(
        NotifyType.TS_UNACCEPTABLE,
        they_said=(" <-> ".join(map(str, said)),),
        we_said=tuple(
            f"{c.name}: {', '.join(map(str, c.local))} <-> {', '.join(map(str, c.remote))}" for c in children
        ),
        detail="IKEv1 takes each proxy ID exactly",
    )
