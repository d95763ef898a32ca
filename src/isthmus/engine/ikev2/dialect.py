"""The IKEv2 dialect of one IKE SA: what the version-neutral shell asks of it, and who does it."""

from __future__ import annotations

from isthmus.engine import keep_alive
from isthmus.engine.child_sa import ChildSa
from isthmus.engine.deadlines import Deadline
from isthmus.engine.dialect import Progress
from isthmus.engine.ike_sa import IkeSa
from isthmus.engine.ikev2.answers import answering
from isthmus.engine.ikev2.channel import Channel
from isthmus.engine.ikev2.children import CreateChild, DeleteChild, RekeyChild
from isthmus.engine.ikev2.farewell import DeleteIke, Probe
from isthmus.engine.ikev2.handshake import Handshake
from isthmus.engine.ikev2.intermediate import Intermediate
from isthmus.engine.ikev2.party import Party
from isthmus.engine.ikev2.replies import Replies
from isthmus.engine.ikev2.requests import Requests
from isthmus.engine.ikev2.roaming import UpdateAddresses, relocate
from isthmus.engine.ikev2.set_up import Authenticate, InitIke
from isthmus.engine.ikev2.successors import RekeyIke
from isthmus.engine.states import IkeLife
from isthmus.events.message import Trigger
from isthmus.model.address import Address, Datagram
from isthmus.model.plan import ChildPlan, PeerPlan, TunnelPlan
from isthmus.model.quantities import Instant, Seconds
from isthmus.model.selectors import TrafficSelector
from isthmus.wire.errors import WireError
from isthmus.wire.ikev2.message import Message, decode

_INSISTING = 2
"""Further tries at a peer that was silent, once it is known to be there."""


class Ikev2:
    """Owns the two halves of the window; everything it does is an intention or an answer."""

    def __init__(self, sa: IkeSa) -> None:
        channel = Channel(sa)
        self.party = Party(sa, channel, Requests(channel), lambda successor: Ikev2(successor).party)
        self.replies = Replies(channel, answering(self.party))
        sa.dialect = self

    @property
    def rekeying(self) -> bool:
        return bool(self.party.requests.wanted(RekeyIke))

    @property
    def progress(self) -> Progress:
        outstanding = self.party.requests.outstanding
        if outstanding is not None and isinstance(outstanding.intention, Authenticate):
            return Progress.COMMITTED
        return Progress.ANSWERED if self.party.requests.answered else Progress.UNANSWERED

    def ask_again(self) -> Seconds:
        self.party.requests.repeat_now(hurried=_INSISTING)
        return self.party.requests.pace.patience

    def establish(self, tunnel: TunnelPlan | None, child: ChildPlan | None) -> None:
        self.party.handshake = Handshake(self.party.sa)
        self.party.requests.want(InitIke(self.party, tunnel, child))

    def create_child(
        self, tunnel: TunnelPlan, child: ChildPlan, packet: tuple[TrafficSelector, TrafficSelector] | None = None
    ) -> None:
        self.party.requests.want(CreateChild(self.party, tunnel, child, packet))

    def intends(self, child: ChildPlan) -> bool:
        requests = self.party.requests
        asking = {i.child for i in requests.wanted(CreateChild)} | {i.child for i in requests.wanted(RekeyChild)}
        setting_up = {i.child for i in requests.wanted(InitIke)} | {i.child for i in requests.wanted(Authenticate)}
        return child in asking | setting_up | {i.child for i in requests.wanted(Intermediate)}

    def rekey_child(self, child: ChildSa) -> None:
        if not child.rekeying:
            child.rekeying = True
            self.party.requests.want(RekeyChild(self.party, child))

    def delete_child(self, child: ChildSa, reason: str) -> None:
        if not any(i.child is child for i in self.party.requests.wanted(DeleteChild)):
            self.party.requests.want(DeleteChild(self.party, child, reason))

    def rekey_ike(self) -> None:
        if not self.rekeying and self.party.sa.established:
            self.party.requests.want(RekeyIke(self.party))

    def delete_ike(self, reason: str) -> None:
        sa = self.party.sa
        if sa.life is IkeLife.CONNECTING:
            sa.delete_silently(reason)
        elif not self.party.requests.wanted(DeleteIke):
            self.party.requests.want(DeleteIke(self.party, reason), first=True)

    def relocate(self, local: Address) -> None:
        relocate(self.party, local)

    def receive(self, datagram: Datagram) -> None:
        try:
            message = decode(datagram.octets)
        except WireError as error:
            detail = f"{error.why} at {error.offset} in {error.field}"
            self.party.channel.drop(datagram, Trigger.MALFORMED, detail)
        else:
            self.party.receive(datagram, message, self.replies)

    def due(self, what: Deadline) -> None:
        sa = self.party.sa
        match what:
            case Deadline.REPEAT_REQUEST:
                self.party.requests.repeat()
                self.party.requests.pump()
            case Deadline.NEXT_INTENTION:
                self.party.requests.resume()
            case Deadline.HALF_OPEN_ENDS:
                sa.delete_silently("the peer did not go on")
            case Deadline.PROBE_PEER:
                self._probe_if_silent()
            case Deadline.KEEP_NAT_OPEN:
                keep_alive.send(sa)
            case Deadline.REKEY:
                self.rekey_ike()
            case Deadline.EXPIRE:
                self.delete_ike("its lifetime ended")
            case _:
                pass

    def retire(self, *, wipe: bool) -> None:
        party = self.party
        if wipe:
            party.channel.wipe()
            party.requests.reset()
            party.handshake = None
        party.requests.drop_queue()
        party.forget_unfinished()

    def _probe_if_silent(self) -> None:
        """RFC 7296, 2.4: only when the peer has been silent is it asked whether it lives."""
        sa = self.party.sa
        if sa.peer is None or not sa.established:
            return
        quiet_until = sa.heard_at + sa.peer.liveness.interval
        if quiet_until <= sa.ledger.now:
            # RFC 4555, 3.8: of two ends behind NATs neither follows the other's mapping; so it is told of.
            both_hidden = sa.mobility.agreed and sa.began_here and sa.nat.local and sa.nat.remote
            self.party.requests.ask(UpdateAddresses(self.party) if both_hidden else Probe(self.party))
            quiet_until = sa.ledger.now + sa.peer.liveness.interval
        sa.ledger.agenda.set(sa, Deadline.PROBE_PEER, Instant(quiet_until))


def begin_as_responder(sa: IkeSa, datagram: Datagram, message: Message, candidates: tuple[PeerPlan, ...]) -> None:
    """Answers the IKE_SA_INIT request that admission has let in."""
    dialect = Ikev2(sa)
    sa.their_spi = message.header.initiator_spi
    dialect.party.handshake = Handshake(sa, candidates=candidates, request=message.octets)
    dialect.replies.receive_first(datagram, message)
