"""The dialect of version 1 of one IKE SA: what the version-neutral shell asks of it, and who does it."""

from __future__ import annotations

from isthmus.engine import keep_alive
from isthmus.engine.child_sa import ChildSa
from isthmus.engine.deadlines import Deadline
from isthmus.engine.dialect import Progress
from isthmus.engine.ike_sa import IkeSa
from isthmus.engine.ikev1 import phase_one, phase_two
from isthmus.engine.ikev1.fragments import BadFragment
from isthmus.engine.ikev1.inform import Informed
from isthmus.engine.ikev1.kinship import bequeath
from isthmus.engine.ikev1.liveness import Liveness
from isthmus.engine.ikev1.party import Party
from isthmus.engine.ikev1.phase_two import AnswerQuick, CreateChild, RekeyChild
from isthmus.engine.ledger import Turn
from isthmus.engine.states import IkeLife
from isthmus.events.message import Trigger
from isthmus.model.address import Address, Datagram, Endpoint
from isthmus.model.plan import ChildPlan, PeerPlan, TunnelPlan, Version
from isthmus.model.proposal import Protocol
from isthmus.model.quantities import NO_SPI, Seconds
from isthmus.model.selectors import TrafficSelector
from isthmus.wire.errors import WireError
from isthmus.wire.ikev1.message import Message, decode
from isthmus.wire.ikev1.payloads import Delete, Fragment, Notify
from isthmus.wire.registry import ExchangeTypeV1

_PHASE_ONE = (ExchangeTypeV1.IDENTITY_PROTECTION, ExchangeTypeV1.AGGRESSIVE)


class Ikev1:
    def __init__(self, sa: IkeSa) -> None:
        self.party = Party(sa)
        self.liveness = Liveness(self.party)
        self.informed = Informed(self.party, self.liveness)
        self.set_up: phase_one.SetUp | None = None
        sa.version = Version.IKEV1
        sa.dialect = self

    @property
    def rekeying(self) -> bool:
        """Version 1 has no rekeying of an IKE SA: another one is set up beside it."""
        sa = self.party.sa
        return sa.peer is not None and any(
            o.life is IkeLife.CONNECTING and o.began_here for o in sa.ledger.with_peer(sa.peer.name)
        )

    @property
    def progress(self) -> Progress:
        conversation = self.party.phase_one
        if conversation is None or not conversation.answered:
            return Progress.UNANSWERED
        return Progress.COMMITTED if conversation.sealed else Progress.ANSWERED

    def ask_again(self) -> Seconds:
        self.liveness.ask()
        return Seconds(0.0)

    def establish(self, tunnel: TunnelPlan | None, child: ChildPlan | None) -> None:
        peer = self.party.sa.peer
        if peer is not None:
            first = (tunnel, child) if tunnel is not None and child is not None else None
            self.set_up = phase_one.begin(self.party, peer, first)

    def create_child(
        self, tunnel: TunnelPlan, child: ChildPlan, packet: tuple[TrafficSelector, TrafficSelector] | None = None
    ) -> None:
        # The packet changes nothing: a proxy ID is asked for exactly as it is configured.
        self.party.want(CreateChild(self.party, tunnel, child))

    def intends(self, child: ChildPlan) -> bool:
        party = self.party
        asking = [i.child for i in (*party.wanted(CreateChild), *party.wanted(RekeyChild))]
        first = self.set_up.first if self.set_up is not None and party.handshake is not None else None
        return child in asking or (first is not None and first[1] == child)

    def rekey_child(self, child: ChildSa) -> None:
        if not child.rekeying:
            child.rekeying = True
            self.party.want(RekeyChild(self.party, child))

    def delete_child(self, child: ChildSa, reason: str) -> None:
        phase_two.delete(self.party, child, reason)

    def rekey_ike(self) -> None:
        """Another IKE SA from nothing; once it stands it adopts the children."""
        sa = self.party.sa
        if sa.established:
            sa.ledger.tell(sa.peer, Turn.REAUTHENTICATION_DUE)

    def delete_ike(self, reason: str) -> None:
        sa = self.party.sa
        if sa.life is IkeLife.ESTABLISHED:
            bequeath(sa)
            for protocol in (Protocol.ESP, Protocol.AH):
                mine = [c for c in sa.children.values() if c.terms.suite.protocol == protocol]
                if mine:
                    self.party.insist(Delete(protocol, tuple(c.terms.spi_in.to_bytes(4, "big") for c in mine)))
            self.party.insist(Delete(Protocol.IKE, (sa.initiator_spi + sa.responder_spi,)))
        sa.delete_silently(reason)

    def relocate(self, local: Address) -> None:
        """Version 1 knows no way to move: another IKE SA is set up from there."""
        sa = self.party.sa
        sa.roam(Endpoint(local, sa.local.port), sa.remote)
        self.delete_ike("our address changed, and IKEv1 cannot follow")

    def receive(self, datagram: Datagram) -> None:
        try:
            message = decode(datagram.octets)
        except WireError as error:
            self._drop(datagram, Trigger.MALFORMED, f"{error.why} at {error.offset} in {error.field}")
            return
        first = message.chain.payloads[0] if message.chain.payloads else None
        if isinstance(first, Fragment):
            self._assemble(datagram, first)
        elif message.header.exchange in _PHASE_ONE:
            self._receive_phase_one(datagram, message)
        elif message.header.exchange == ExchangeTypeV1.INFORMATIONAL:
            self._receive_informational(datagram, message)
        elif message.header.exchange == ExchangeTypeV1.QUICK_MODE and self.party.sa.established:
            self._receive_quick(datagram, message)
        else:
            # New Group Mode and XAUTH's transactions are refused by silence, as is what comes too early.
            self._drop(datagram, Trigger.UNEXPECTED_EXCHANGE, message.header.exchange.name)

    def retire(self, *, wipe: bool) -> None:
        self.party.drop_queue()
        if wipe:
            self.party.wipe()

    def due(self, what: Deadline) -> None:
        sa = self.party.sa
        match what:
            case Deadline.HALF_OPEN_ENDS:
                sa.delete_silently("the peer did not go on")
            case Deadline.PROBE_PEER:
                self.liveness.ask_if_silent()
            case Deadline.KEEP_NAT_OPEN:
                keep_alive.send(sa)
            case Deadline.REKEY:
                self.rekey_ike()
            case Deadline.EXPIRE:
                self.delete_ike("its lifetime ended")
            case _:
                pass

    def _receive_phase_one(self, datagram: Datagram, message: Message) -> None:
        sa, conversation = self.party.sa, self.party.phase_one
        if conversation is None or message.header.exchange != conversation.run.exchange.exchange_type:
            self._drop(datagram, Trigger.UNEXPECTED_EXCHANGE, message.header.exchange.name)
        elif sa.their_spi != NO_SPI:
            conversation.receive(datagram, message)
        elif message.header.responder_spi in (NO_SPI, sa.our_spi):
            self._drop(datagram, Trigger.REFLECTED)
        else:
            # The responder's cookie counts once its message has been accepted.
            sa.their_spi = message.header.responder_spi
            conversation.receive(datagram, message)
            if not conversation.answered:
                sa.their_spi = NO_SPI

    def _receive_quick(self, datagram: Datagram, message: Message) -> None:
        party, number = self.party, message.header.message_id
        conversation = party.talks.under(number)
        if conversation is None:
            if not number or party.talks.crowded or not party.talks.use(number):
                self._drop(datagram, Trigger.OUTSIDE_WINDOW, f"message ID {number:08x}")
                return
            conversation = AnswerQuick(party, number).conversation
        before = party.sa.heard_at
        conversation.receive(datagram, message)
        party.unheard = party.unheard and not conversation.answered and before == party.sa.heard_at

    def _receive_informational(self, datagram: Datagram, message: Message) -> None:
        if self.party.sa.established:
            self.informed.receive(datagram, message)
            return
        self._drop(datagram, Trigger.UNPROTECTED_ERROR)
        if self.set_up is None or not self.party.sa.began_here or self.party.sa.life is not IkeLife.CONNECTING:
            return
        if message.header.encrypted:
            if self.party.phase_one is not None and self.party.phase_one.sealed:
                self.set_up.unreadable("it refuses our proof")
            return
        for payload in message.chain.payloads:
            if isinstance(payload, Notify) and payload.notify.error:
                self.set_up.doubted(payload)

    def _assemble(self, datagram: Datagram, fragment: Fragment) -> None:
        """Only from peers that announced fragments, as we did; what comes out is a datagram like any other."""
        party = self.party
        announced = party.peer_fragments or (party.handshake is not None and party.handshake.peer_fragments)
        if not announced or not self._takes_fragments():
            self._drop(datagram, Trigger.BAD_FRAGMENT, "not announced")
            return
        try:
            whole = party.channel.pieces.add(fragment)
        except BadFragment as bad:
            self._drop(datagram, Trigger.BAD_FRAGMENT, str(bad))
            return
        if whole is None:
            return
        try:
            inside = decode(whole)
        except WireError as error:
            self._drop(datagram, Trigger.MALFORMED, f"{error.why} at {error.offset} in {error.field}")
            return
        spis = inside.header.initiator_spi, inside.header.responder_spi
        nested = any(isinstance(payload, Fragment) for payload in inside.chain.payloads)
        if nested or spis != (self.party.sa.initiator_spi, self.party.sa.responder_spi):
            self._drop(datagram, Trigger.BAD_FRAGMENT, "of another message")
            return
        self.receive(Datagram(datagram.local, datagram.remote, whole))

    def _takes_fragments(self) -> bool:
        party = self.party
        peer = party.handshake.peer if party.handshake is not None else party.sa.peer
        return peer is not None and peer.fragmentation.enabled

    def _drop(self, datagram: Datagram, trigger: Trigger, detail: str = "") -> None:
        self.party.channel.drop(datagram, trigger, detail)


def begin_as_responder(sa: IkeSa, datagram: Datagram, message: Message, candidates: tuple[PeerPlan, ...]) -> None:
    """Answers the first message, which admission has let in."""
    sa.their_spi = message.header.initiator_spi
    dialect = Ikev1(sa)
    phase_one.answer(dialect.party, datagram, message, candidates)
