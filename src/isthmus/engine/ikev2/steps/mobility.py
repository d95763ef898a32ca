"""MOBIKE: agree on it in IKE_AUTH, and tell of new addresses in INFORMATIONAL. RFC 4555, 3."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address

from isthmus.crypto.compare import equal
from isthmus.engine.exchange import Draft, Inbound, Step
from isthmus.engine.ikev2.handshake import Handshake
from isthmus.engine.ikev2.steps.inform import Notice
from isthmus.engine.nat import NatSituation, detection_hash
from isthmus.engine.refusal import Refusal
from isthmus.model.address import Address, Endpoint
from isthmus.model.plan import Encapsulation
from isthmus.wire.registry import NotifyType

_ADDITIONAL = {4: NotifyType.ADDITIONAL_IP4_ADDRESS, 6: NotifyType.ADDITIONAL_IP6_ADDRESS}


class OfferMobility(Step[Handshake]):
    """Only with a peer that knows NAT detection, which tells each end how the other sees it."""

    def write(self, leg: int, draft: Draft) -> None:
        if self.context.peer_knows_nat and (leg == 0 or self.context.sa.mobility.agreed):
            draft.notify(NotifyType.MOBIKE_SUPPORTED)

    def read(self, leg: int, message: Inbound) -> None:
        mobility = self.context.sa.mobility
        mobility.agreed = self.context.peer_knows_nat and message.notify(NotifyType.MOBIKE_SUPPORTED) is not None
        mobility.peer_addresses = addresses_in(message) or ()


class Roam(Step[Notice]):
    """Where each end is now, and the proof that it is there."""

    def write(self, leg: int, draft: Draft) -> None:
        notice = self.context
        if leg == 0 and notice.moves:
            draft.notify(NotifyType.UPDATE_SA_ADDRESSES)
        if notice.detects_nat:
            self._tell_of_nat(draft)
        if notice.cookie:
            draft.notify(NotifyType.COOKIE2, notice.cookie)
        if leg == 0 and notice.addresses is not None:
            for address in notice.addresses:
                draft.notify(_ADDITIONAL[address.version], address.packed)
            if not notice.addresses:
                draft.notify(NotifyType.NO_ADDITIONAL_ADDRESSES)

    def read(self, leg: int, message: Inbound) -> None:
        notice, sa = self.context, self.context.sa
        notice.path = message.path
        if not sa.mobility.agreed:
            return
        if leg == 0:
            self._refuse_nat_if_asked(message)
            # RFC 4555, 3.5: only the original initiator decides which addresses are used.
            notice.moves = not sa.began_here and message.notify(NotifyType.UPDATE_SA_ADDRESSES) is not None
            notice.addresses = addresses_in(message)
        self._learn_of_nat(message)
        brought = message.notify(NotifyType.COOKIE2)
        if leg == 0:
            notice.cookie = brought.data if brought is not None else b""
        else:
            notice.cookie_came_back = brought is not None and equal(brought.data, notice.cookie)

    def _tell_of_nat(self, draft: Draft) -> None:
        sa = self.context.sa
        local, remote = self.context.path or (sa.local, sa.remote)
        source = detection_hash(sa.initiator_spi, sa.responder_spi, local)
        if sa.peer is not None and sa.peer.encapsulation is Encapsulation.UDP:
            source = sa.ledger.entropy.octets(len(source))
        draft.notify(NotifyType.NAT_DETECTION_SOURCE_IP, source)
        draft.notify(
            NotifyType.NAT_DETECTION_DESTINATION_IP, detection_hash(sa.initiator_spi, sa.responder_spi, remote)
        )

    def _learn_of_nat(self, message: Inbound) -> None:
        notice, sa = self.context, self.context.sa
        sources = [n.data for n in message.notifies() if n.notify == NotifyType.NAT_DETECTION_SOURCE_IP]
        targets = [n.data for n in message.notifies() if n.notify == NotifyType.NAT_DETECTION_DESTINATION_IP]
        if notice.path is None or not sources or not targets:
            return
        local, remote = (detection_hash(sa.initiator_spi, sa.responder_spi, end) for end in notice.path)
        notice.detects_nat = True
        notice.nat = NatSituation(local=local not in targets, remote=remote not in sources)

    def _refuse_nat_if_asked(self, message: Inbound) -> None:
        """RFC 4555, 3.9: who forbids NAT says what it has sent: source, destination and their ports."""
        ban = message.notify(NotifyType.NO_NATS_ALLOWED)
        if ban is not None and message.path is not None:
            local, remote = message.path
            if ban.data != remote.address.packed + local.address.packed + _port(remote) + _port(local):
                raise Refusal(NotifyType.UNEXPECTED_NAT_DETECTED)


def addresses_in(message: Inbound) -> tuple[Address, ...] | None:
    """Where else the peer may be found; None if the message says nothing of it."""
    found = tuple(_addresses(message))
    return found if found or message.notify(NotifyType.NO_ADDITIONAL_ADDRESSES) is not None else None


def _addresses(message: Inbound) -> Iterable[Address]:
    return (ip_address(n.data) for n in message.notifies() if n.notify in _ADDITIONAL.values())


def _port(end: Endpoint) -> bytes:
    return end.port.to_bytes(2, "big")
