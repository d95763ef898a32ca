"""Mix a post-quantum pre-shared key in, before both ends prove who they are. RFC 8784, 3."""

from __future__ import annotations

from isthmus.engine.exchange import Draft, Inbound, Step
from isthmus.engine.ikev2 import ppk
from isthmus.engine.ikev2.handshake import Handshake
from isthmus.engine.ikev2.keys import ppk_mix
from isthmus.engine.refusal import Refusal, malformed
from isthmus.events.ike import FailureReason
from isthmus.model.plan import PostquantumKeys, PpkMode
from isthmus.wire.registry import NotifyType


class AnnouncePpk(Step[Handshake]):
    """N(USE_PPK): whether there are such keys at all."""

    def write(self, leg: int, draft: Draft) -> None:
        handshake = self.context
        known = (handshake.sa.peer,) if handshake.sa.peer is not None else handshake.candidates
        if any(peer.ppk is not None for peer in known) and (leg == 0 or handshake.peer_has_ppk):
            draft.notify(NotifyType.USE_PPK)

    def read(self, leg: int, message: Inbound) -> None:
        handshake = self.context
        handshake.peer_has_ppk = message.notify(NotifyType.USE_PPK) is not None
        handshake.ppk_answer = ("USE_PPK",) if handshake.peer_has_ppk else ("no USE_PPK",)
        ours = handshake.sa.peer.ppk if handshake.sa.peer is not None else None
        if leg == 1 and ours is not None and ours.mode is PpkMode.MANDATORY and not handshake.peer_has_ppk:
            raise _mismatch(handshake, ours, NotifyType.NO_PROPOSAL_CHOSEN)


class MixPpk(Step[Handshake]):
    """The initiator names a key; the responder says that it has it too, or both go on without, if both may."""

    def write(self, leg: int, draft: Draft) -> None:
        handshake, peer = self.context, self.context.sa.peer
        ours = peer.ppk if peer is not None else None
        if leg == 0 and peer is not None and ours is not None and handshake.peer_has_ppk:
            chosen = ppk.choose(handshake.sa.ledger, peer, ours)
            self._mix(chosen, ours)
            draft.notify(NotifyType.PPK_IDENTITY, ppk.payload(chosen))
        elif leg == 1 and handshake.ppk is not None:
            draft.notify(NotifyType.PPK_IDENTITY)

    def read(self, leg: int, message: Inbound) -> None:
        if leg == 0:
            self._find(message)
        else:
            self._confirm(message)

    def _find(self, message: Inbound) -> None:
        handshake = self.context
        ours = handshake.sa.peer.ppk if handshake.sa.peer is not None else None
        named = message.notify(NotifyType.PPK_IDENTITY)
        wanted = ppk.fixed_id(named.data) if named is not None else None
        if named is not None:
            handshake.ppk_answer = ppk.named((wanted if wanted is not None else named.data,))
        if ours is not None and wanted is not None and wanted in ours.keys:
            self._mix(wanted, ours)
        elif (ours is not None and ours.mode is PpkMode.MANDATORY) or (
            # The initiator insists: it has not said how to do without.
            named is not None and message.notify(NotifyType.NO_PPK_AUTH) is None
        ):
            raise _mismatch(handshake, ours, NotifyType.AUTHENTICATION_FAILED)

    def _confirm(self, message: Inbound) -> None:
        handshake = self.context
        peer, used = handshake.sa.peer, handshake.ppk
        if used is None or message.notify(NotifyType.PPK_IDENTITY) is not None:
            return
        handshake.ppk_answer = ("no PPK_IDENTITY: it does not have this key",)
        if peer is not None and peer.ppk is not None and peer.ppk.mode is PpkMode.MANDATORY:
            raise _mismatch(handshake, peer.ppk, NotifyType.AUTHENTICATION_FAILED)
        handshake.keys, handshake.ppk = used.bare, None

    def _mix(self, ppk_id: bytes, ours: PostquantumKeys) -> None:
        handshake, suite = self.context, self.context.sa.suite
        if handshake.keys is None or suite is None or suite.prf is None:
            raise malformed("authentication before keys")
        handshake.ppk = ppk.PpkInUse(ppk_id, handshake.keys)
        handshake.keys = ppk_mix(suite.prf, ours.keys[ppk_id], handshake.keys)


def _mismatch(handshake: Handshake, ours: PostquantumKeys | None, notify: NotifyType) -> Refusal:
    mine = (handshake.ppk.id,) if handshake.ppk is not None else (ours.keys if ours is not None else ())
    return Refusal(
        notify,
        reason=FailureReason.PPK_MISMATCH,
        they_said=handshake.ppk_answer,
        we_said=ppk.named(sorted(mine)) or ("no PPK",),
        detail="one end insists on a post-quantum pre-shared key that the other does not have",
    )
