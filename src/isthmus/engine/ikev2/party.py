"""One end of an IKEv2 IKE SA, as its intentions and answers see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from isthmus.engine import keep_alive, retry
from isthmus.engine.announcement import explain, report_child_failure, report_failure
from isthmus.engine.deadlines import Deadline
from isthmus.engine.ike_sa import IkeSa
from isthmus.engine.ikev2.channel import Channel
from isthmus.engine.ikev2.handshake import Handshake
from isthmus.engine.ikev2.replies import Replies
from isthmus.engine.ikev2.requests import Requests
from isthmus.engine.ikev2.sealing import FragmentLimit
from isthmus.engine.refusal import Report
from isthmus.engine.states import IkeLife
from isthmus.events.message import Trigger
from isthmus.model.address import Datagram
from isthmus.model.algorithms import Prf
from isthmus.model.plan import PeerPlan
from isthmus.model.quantities import Instant
from isthmus.wire.ikev2.message import Message

if TYPE_CHECKING:
    from isthmus.engine.child_sa import ChildSa
    from isthmus.engine.ikev2.follow_up import Unfinished


class Party:
    """What they share: the SA, its channel, the requests, and the state of a set-up or of a crossing."""

    def __init__(self, sa: IkeSa, channel: Channel, requests: Requests, spawn: Callable[[IkeSa], Party]) -> None:
        self.sa = sa
        self.spawn = spawn
        """Makes our end of another IKE SA: the successor of this one."""
        self.channel = channel
        self.requests = requests
        self.handshake: Handshake | None = None
        self.successor_of_peer: IkeSa | None = None
        """The IKE SA that the peer made to replace this one, while our own attempt is not decided."""
        self.unfinished: list[Unfinished] = []
        """What the peer asked for, and has yet to finish by further key exchanges."""
        self.lost_states = 0
        """How often in a row the peer said STATE_NOT_FOUND."""
        self.yields = 0
        """How often in a row the peer said TEMPORARY_FAILURE."""

    @property
    def prf(self) -> Prf:
        suite = self.sa.suite
        if suite is None or suite.prf is None:
            raise ValueError("no suite is agreed")
        return suite.prf

    @property
    def sk_d(self) -> bytes:
        if self.channel.keys is None:
            raise ValueError("no keys are agreed")
        return self.channel.keys.d.reveal()

    def receive(self, datagram: Datagram, message: Message, replies: Replies) -> None:
        """A datagram with our SPI: a response to our request, or a request of the peer."""
        header = message.header
        if header.initiator == self.sa.began_here:
            self.channel.drop(datagram, Trigger.REFLECTED if header.response else Trigger.WRONG_DIRECTION)
        elif header.response:
            self.requests.receive(datagram, message)
        else:
            replies.receive(datagram, message)
            self.requests.pump()

    def unfinished_for(self, replaced: ChildSa | IkeSa | None) -> Unfinished | None:
        """The peer's attempt to replace one of our SAs, as far as it has come."""
        return next((u for u in self.unfinished if replaced is not None and u.replaces is replaced), None)

    def forget_unfinished(self) -> None:
        """Nothing will come of them any more."""
        for unfinished in tuple(self.unfinished):
            unfinished.forget()

    def fail(self, stage: str, report: Report) -> None:
        """The IKE SA could not be set up: said with both sides of the disagreement, and gone."""
        self.report_failure(stage, report)
        if self.sa.life is not IkeLife.DELETED:
            self.sa.delete_silently(explain(report))

    def report_failure(self, stage: str, report: Report) -> None:
        report_failure(self.sa, stage, report)

    def fail_child(self, child: str | None, stage: str, role: str, report: Report) -> None:
        """A child could not be agreed; the IKE SA stands (RFC 7296, 1.3.1)."""
        report_child_failure(self.sa, child, stage, role, report)

    def lose_peer(self) -> None:
        """Nothing came back to any of our tries: RFC 7296, 2.4 lets us conclude that the peer is gone."""
        self.sa.delete_silently("the peer does not answer")

    def yield_to_peer(self) -> None:
        """RFC 7296, 2.25: the peer is busy with what our request collided with; later, then."""
        self.yields += 1
        self.requests.pause(retry.yield_for(self.yields, self.sa.ledger.entropy))

    def schedule(self) -> None:
        """Sets the deadlines of an established IKE SA."""
        sa, agenda, now = self.sa, self.sa.ledger.agenda, self.sa.ledger.now
        if sa.peer is None:
            return
        agenda.cancel(sa, Deadline.HALF_OPEN_ENDS)
        lifetime = sa.peer.profile.lifetime.time
        later = 0.0 if sa.began_here else 0.02 * lifetime  # so that the two ends seldom collide
        soft = retry.rekey_after(lifetime, sa.ledger.entropy) + later
        agenda.set(sa, Deadline.REKEY, Instant(now + soft))
        agenda.set(sa, Deadline.EXPIRE, Instant(now + lifetime))
        if sa.peer.liveness.enabled:
            agenda.set(sa, Deadline.PROBE_PEER, Instant(now + sa.peer.liveness.interval))
        keep_alive.schedule(sa)

    def allow_fragments(self, peer: PeerPlan) -> None:
        """Both ends take fragments: messages larger than the configured packet size are cut."""
        if peer.fragmentation.enabled:
            self.channel.fragment_limit = FragmentLimit(peer.fragmentation.size, self.sa.remote.address.version)
