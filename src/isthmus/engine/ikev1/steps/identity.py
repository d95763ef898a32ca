"""Say who we are, and learn who the peer claims to be. RFC 2409, 5; RFC 2407, 4.6.2."""

from __future__ import annotations

from isthmus.engine.announcement import report_failure
from isthmus.engine.exchange import Draft, Inbound, Step
from isthmus.engine.ikev1.handshake import Handshake
from isthmus.engine.refusal import Refusal
from isthmus.events.ike import FailureReason
from isthmus.model.identity import Identity
from isthmus.model.plan import PeerPlan
from isthmus.model.secret import Secret
from isthmus.negotiate import match
from isthmus.wire.ikev1.payloads import Identification
from isthmus.wire.ikev1.registry import PayloadType
from isthmus.wire.registry import NotifyType

_DECOY = 32


class Recognise(Step[Handshake]):
    """Aggressive Mode as responder: the identity comes first of all, and decides which key and profile count.

    Whom nobody knows is answered like everybody else, under a key that nobody has: who asks learns no names.
    """

    def read(self, leg: int, message: Inbound) -> None:
        handshake, sa = self.context, self.context.channel.sa
        if leg != 0 or not handshake.says(leg, PayloadType.ID):
            return
        claimed = message.need(Identification).identity
        found = match.by_identity(handshake.candidates, claimed, sa.remote.address)
        if found:
            handshake.candidates = found
            return
        handshake.decoy = Secret(sa.ledger.entropy.octets(_DECOY))
        report_failure(sa, handshake.exchange.name, _mismatch(handshake, claimed, handshake.candidates).report)


class Identify(Step[Handshake]):
    """Whom a responder has recognised is still to prove it: the IKE SA is nobody's until then."""

    def write(self, leg: int, draft: Draft) -> None:
        handshake, sa = self.context, self.context.channel.sa
        if not handshake.says(leg, PayloadType.ID):
            return
        sa.local_id = handshake.peer.local_id
        payload = Identification(sa.local_id.type, 0, 0, sa.local_id.value)
        if sa.began_here:
            handshake.id_i = payload.write()
        else:
            handshake.id_r = payload.write()
        draft.add(payload)

    def read(self, leg: int, message: Inbound) -> None:
        handshake, sa = self.context, self.context.channel.sa
        if not handshake.says(leg, PayloadType.ID):
            return
        body = handshake.heard.body(PayloadType.ID)
        sa.remote_id = message.need(Identification).identity
        if sa.began_here:
            handshake.id_r = body
            if sa.peer is not None and match.expected_identity(sa.peer, sa.remote.address) != sa.remote_id:
                raise _mismatch(handshake, sa.remote_id, (sa.peer,))
        else:
            handshake.id_i = body
            if handshake.decoy is None:
                handshake.candidates = (self._recognise(sa.remote_id),)

    def _recognise(self, claimed: Identity) -> PeerPlan:
        handshake = self.context
        if handshake.channel.ready:
            handshake.candidates = handshake.with_right_key()
        found = match.by_identity(handshake.candidates, claimed, handshake.channel.sa.remote.address)
        if not found:
            raise _mismatch(handshake, claimed, handshake.candidates)
        return found[0]


def _mismatch(handshake: Handshake, claimed: Identity, candidates: tuple[PeerPlan, ...]) -> Refusal:
    remote = handshake.channel.sa.remote.address
    return Refusal(
        NotifyType.AUTHENTICATION_FAILED,
        reason=FailureReason.IDENTITY_MISMATCH,
        they_said=(str(claimed),),
        we_said=tuple(str(match.expected_identity(peer, remote)) for peer in candidates),
    )
