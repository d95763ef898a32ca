"""Informational messages of the peer: deletes, errors, and whether somebody lives. RFC 2408, 4.8; RFC 3706.

None of them is answered but R-U-THERE, and none is believed without its hash.
"""

from __future__ import annotations

from isthmus.crypto.compare import equal
from isthmus.engine import contact
from isthmus.engine.deadlines import Deadline
from isthmus.engine.ike_sa import IkeSa
from isthmus.engine.ikev1.channel import Unreadable
from isthmus.engine.ikev1.hashes import request_hash
from isthmus.engine.ikev1.kinship import bequeath, children_of, kin_of
from isthmus.engine.ikev1.liveness import Liveness
from isthmus.engine.ikev1.party import Party
from isthmus.events.ike import UnsupportedNotifyIgnored
from isthmus.events.message import Trigger
from isthmus.model.address import Datagram
from isthmus.model.proposal import Protocol
from isthmus.model.quantities import Instant, OutboundSpi
from isthmus.wire.errors import WireError
from isthmus.wire.ikev1.message import Chain, Message
from isthmus.wire.ikev1.offers import duration_of
from isthmus.wire.ikev1.payloads import Delete, Hash, Notify
from isthmus.wire.ikev1.registry import IpsecAttribute, NotifyType
from isthmus.wire.ikev1.security_association import read_attributes

_SPI_SIZE = 4


class Informed:
    """Takes in the peer's Informational messages."""

    def __init__(self, party: Party, liveness: Liveness) -> None:
        self.party = party
        self.liveness = liveness

    def receive(self, datagram: Datagram, message: Message) -> None:
        party, header = self.party, message.header
        chain = self._open(datagram, message)
        if chain is None:
            return
        if not party.talks.use(header.message_id):
            party.channel.drop(datagram, Trigger.OUTSIDE_WINDOW, f"message ID {header.message_id:08x} again")
            return
        party.unheard = False
        party.channel.proved(datagram)
        party.channel.note("<--", header, chain.payloads)
        for payload in chain.payloads:
            if isinstance(payload, Notify):
                self._heed(payload)
        for payload in chain.payloads:
            if isinstance(payload, Delete):
                self._carry_out(payload)

    def _open(self, datagram: Datagram, message: Message) -> Chain | None:
        channel, number = self.party.channel, message.header.message_id
        if not message.header.encrypted:
            channel.drop(datagram, Trigger.NOT_SEALED)
            return None
        try:
            chain, _ = channel.open(message, channel.iv_for(number))
        except Unreadable as why:
            channel.drop(datagram, Trigger.INTEGRITY_FAILED, str(why))
            return None
        proof = request_hash(channel.prf, channel.keys.a, number, chain.after_first)
        first = chain.payloads[0] if chain.payloads else None
        if not isinstance(first, Hash) or not equal(first.data, proof):
            channel.drop(datagram, Trigger.INTEGRITY_FAILED, "its hash is wrong")
            return None
        return chain

    def _heed(self, notify: Notify) -> None:
        party, sa = self.party, self.party.sa
        match notify.notify:
            case NotifyType.R_U_THERE:
                self.liveness.asked(notify)
            case NotifyType.R_U_THERE_ACK:
                self.liveness.answered(notify)
            case NotifyType.INITIAL_CONTACT:
                contact.honour_claim(sa)
            case NotifyType.RESPONDER_LIFETIME if notify.protocol == Protocol.IKE:
                self._shorten(notify)
            case NotifyType.CONNECTED | NotifyType.REPLAY_STATUS:
                pass  # RFC 2408, 3.1: what the commit bit asks for; our Quick Modes need not wait
            case kind if kind.error:
                asking = party.asking
                if asking is not None and not asking[1].ended:
                    asking[0].refused_by_peer(notify)
            case kind:
                sa.ledger.emit(UnsupportedNotifyIgnored(**sa.label(), notify=kind.name))

    def _shorten(self, notify: Notify) -> None:
        """The responder keeps the IKE SA less long than we offered."""
        try:
            attributes = read_attributes(notify.data)
        except WireError:
            return
        seconds = duration_of(attributes, IpsecAttribute.LIFE_TYPE, IpsecAttribute.LIFE_DURATION).seconds
        sa, agenda = self.party.sa, self.party.sa.ledger.agenda
        ends, soft = agenda.at(sa, Deadline.EXPIRE), agenda.at(sa, Deadline.REKEY)
        now = sa.ledger.now
        if seconds and ends is not None and now + seconds < ends:
            agenda.set(sa, Deadline.EXPIRE, Instant(now + seconds))
            if soft is not None:
                agenda.set(sa, Deadline.REKEY, Instant(now + (soft - now) * seconds / (ends - now)))

    def _carry_out(self, delete: Delete) -> None:
        """The SPIs are those that the peer receives on. Those of other peers are not believed."""
        party, sa = self.party, self.party.sa
        if delete.protocol == Protocol.IKE:
            for other in (*kin_of(sa), sa):
                if other.initiator_spi + other.responder_spi in delete.spis:
                    leave(other)
            return
        by_spi = {c.terms.spi_out: c for c in children_of(party.sa) if c.terms.suite.protocol == delete.protocol}
        for octets in delete.spis:
            spi = OutboundSpi(int.from_bytes(octets, "big"))
            child = by_spi.pop(spi, None) if len(octets) == _SPI_SIZE else None
            if child is not None:
                child.remove("deleted by the peer")


def leave(sa: IkeSa) -> None:
    """The peer has deleted it: its children stay with another IKE SA, if there is one."""
    bequeath(sa)
    sa.delete_silently("deleted by the peer")
