"""Say who we are, and learn who the peer claims to be. RFC 7296, 2.15 and 3.5."""

from __future__ import annotations

from isthmus.engine.exchange import Draft, Inbound, Step
from isthmus.engine.ikev2.handshake import Handshake
from isthmus.engine.ikev2.octets import identity_body, payload_body
from isthmus.engine.refusal import Refusal
from isthmus.events.ike import FailureReason
from isthmus.model.identity import Identity
from isthmus.model.plan import PeerPlan
from isthmus.negotiate import match
from isthmus.wire.ikev2.payloads import IdI, IdR
from isthmus.wire.registry import NotifyType, PayloadType


class Identify(Step[Handshake]):
    """The initiator names the responder that it wants as well, if one is configured."""

    def write(self, leg: int, draft: Draft) -> None:
        handshake, sa = self.context, self.context.sa
        peer = sa.peer or handshake.candidates[0]
        sa.local_id = peer.local_id
        handshake.own_id_body = identity_body(peer.local_id)
        draft.add(IdI(peer.local_id) if leg == 0 else IdR(peer.local_id))
        if leg == 0 and peer.peer_id is not None:
            draft.add(IdR(peer.peer_id))

    def read(self, leg: int, message: Inbound) -> None:
        handshake, sa = self.context, self.context.sa
        kind = PayloadType.IDI if leg == 0 else PayloadType.IDR
        handshake.peer_id_body = payload_body(message.first, message.octets, kind)
        sa.remote_id = message.need(IdI if leg == 0 else IdR).identity
        if leg == 0:
            wanted = message.one(IdR)
            sa.peer = self._recognise(sa.remote_id, wanted.identity if wanted else None)
        elif sa.peer is not None and match.expected_identity(sa.peer, sa.remote.address) != sa.remote_id:
            raise self._mismatch(sa.remote_id, (sa.peer,))

    def _recognise(self, claimed: Identity, wanted: Identity | None) -> PeerPlan:
        """Of several peers with one identity, the one whose own local identity was asked for."""
        candidates = self.context.candidates
        found = match.by_identity(candidates, claimed, self.context.sa.remote.address)
        if not found:
            raise self._mismatch(claimed, candidates)
        return next((peer for peer in found if peer.local_id == wanted), found[0])

    def _mismatch(self, claimed: Identity, candidates: tuple[PeerPlan, ...]) -> Refusal:
        remote = self.context.sa.remote.address
        return Refusal(
            NotifyType.AUTHENTICATION_FAILED,
            reason=FailureReason.IDENTITY_MISMATCH,
            they_said=(str(claimed),),
            we_said=tuple(str(match.expected_identity(peer, remote)) for peer in candidates),
        )
