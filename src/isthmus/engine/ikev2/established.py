"""From what was agreed to an IKE SA that stands: keys, path, lifetimes, its first child. RFC 7296, 2.14 and 2.23."""

from __future__ import annotations

from isthmus.engine.announcement import announce, announce_ike
from isthmus.engine.child_sa import ChildSa
from isthmus.engine.deadlines import Deadline
from isthmus.engine.ike_sa import IkeSa
from isthmus.engine.ikev2 import ppk
from isthmus.engine.ikev2.child_setup import ChildSetup
from isthmus.engine.ikev2.farewell import DeleteUnborn
from isthmus.engine.ikev2.handshake import Handshake
from isthmus.engine.ikev2.keys import ike_keys, skeyseed
from isthmus.engine.ikev2.party import Party
from isthmus.engine.ledger import Turn
from isthmus.engine.states import IkeLife
from isthmus.engine.twins import settle_twin_children, settle_twins
from isthmus.events.ike import NatDetected, PpkNotUsed
from isthmus.model.address import NAT_T_PORT
from isthmus.model.plan import Encapsulation
from isthmus.model.quantities import Instant, Seconds

_OVERDUE = 1.1
"""Of the lifetime of an authentication: so long it may take until a new one succeeds."""

_OF_TOLD_LIFETIME = 0.9
_SHORTEST_AUTHENTICATION = 10.0
"""Seconds: a peer that wants it more often wants a storm."""

_FOLLOWS = Seconds(0.25)
"""How long a re-authenticated child waits for the peer to use it: our response arrives and is read meanwhile."""


def derive_keys(party: Party, handshake: Handshake) -> None:
    """SKEYSEED and what follows from it; from now on messages are sealed."""
    sa = party.sa
    if sa.suite is None or sa.suite.encryption is None:
        raise ValueError("no suite is agreed")
    sa.nonces = handshake.initiator_nonce, handshake.responder_nonce
    seed = skeyseed(party.prf, handshake.nonces, handshake.shared)
    spis = sa.initiator_spi + sa.responder_spi
    handshake.keys = ike_keys(party.prf, seed, handshake.nonces, spis, sa.suite.encryption, sa.suite.integrity)
    handshake.share, handshake.shared = None, b""
    party.channel.protect(handshake.keys)


def settle_path(party: Party, handshake: Handshake) -> None:
    """Decides on UDP encapsulation, and floats to port 4500 if it is needed (RFC 7296, 2.23)."""
    sa = party.sa
    peer = sa.peer or handshake.candidates[0]
    if sa.nat.found:
        sa.ledger.emit(NatDetected(**sa.label(), where=str(sa.nat)))
    match peer.encapsulation:
        case Encapsulation.AUTO:
            sa.udp = sa.nat.found or (handshake.peer_is_isthmus and handshake.peer_knows_nat)
        case Encapsulation.UDP:
            sa.udp = handshake.peer_knows_nat
        case Encapsulation.ESP:
            sa.udp = False
    # RFC 4555, 3.3: also without a NAT, as either end may come to be behind one.
    if sa.began_here and handshake.peer_knows_nat and sa.local.port != NAT_T_PORT:
        sa.move(sa.local.with_port(NAT_T_PORT), sa.remote.with_port(NAT_T_PORT))
    if handshake.peer_fragments:
        party.allow_fragments(peer)


def establish(party: Party, handshake: Handshake) -> None:
    """Both ends are authenticated."""
    sa = party.sa
    party.handshake = None
    if handshake.keys is not None:
        party.channel.settle(handshake.keys)
    stand(party)
    honour_lifetime(party, handshake.authenticated_for)
    announce_ike(sa, ppk=ppk.named((handshake.ppk.id,))[0] if handshake.ppk else None)
    _settle_ppk(sa, handshake)
    settle_twins(sa)
    sa.ledger.tell(sa.peer, Turn.IKE_UP)
    setup, refusal = handshake.child, handshake.child_refusal
    if refusal is not None:
        name = setup.child.name if setup is not None and setup.child is not None else None
        party.fail_child(name, "IKE_AUTH", sa.role, refusal.report)
        if setup is not None and handshake.refused_here:
            party.requests.want(DeleteUnborn(party, setup.protocol, setup.spi_in))
    elif setup is not None:
        install(first_child(party, setup))


def _settle_ppk(sa: IkeSa, handshake: Handshake) -> None:
    """The one that served is kept for this peer; that one is missing is not passed over in silence."""
    if sa.peer is None or sa.peer.ppk is None:
        return
    if handshake.ppk is None:
        ours = ppk.named(sorted(sa.peer.ppk.keys))
        sa.ledger.emit(PpkNotUsed(**sa.label(), they_said=handshake.ppk_answer, we_said=ours))
    elif sa.began_here:
        sa.ledger.ppks[sa.peer.name] = handshake.ppk.id


def stand(party: Party) -> None:
    """The IKE SA lives: its deadlines run from now."""
    sa = party.sa
    sa.become(IkeLife.ESTABLISHED)
    sa.established_at = sa.ledger.now
    party.schedule()
    lifetime = sa.peer.profile.authentication_lifetime if sa.peer else None
    if lifetime is not None:
        agenda, now = sa.ledger.agenda, sa.ledger.now
        agenda.set(sa, Deadline.REAUTHENTICATE, Instant(now + lifetime))
        agenda.set(sa, Deadline.AUTHENTICATION_ENDS, Instant(now + lifetime * _OVERDUE))


def honour_lifetime(party: Party, told: Seconds | None) -> None:
    """RFC 4478: the responder closes the IKE SA once this time is over; before that we authenticate again."""
    sa, agenda = party.sa, party.sa.ledger.agenda
    if told is None or not sa.began_here:
        return
    at = Instant(sa.ledger.now + max(told * _OF_TOLD_LIFETIME, _SHORTEST_AUTHENTICATION))
    planned = agenda.at(sa, Deadline.REAUTHENTICATE)
    agenda.set(sa, Deadline.REAUTHENTICATE, at if planned is None else min(at, planned))


def first_child(party: Party, setup: ChildSetup) -> ChildSa:
    """The child that IKE_AUTH agreed on: its nonces are those of IKE_SA_INIT (RFC 7296, 2.17)."""
    return setup.make(party.prf, party.sk_d, party.sa.nonces)


def install(child: ChildSa) -> None:
    """A child that succeeds nobody: it receives, then sends."""
    child.installation.receive()
    carrying = _carrying(child)
    if child.terms.began_here or carrying is None:
        child.installation.send()
    else:
        # The peer may not have our response yet, and would drop what came by the new SA.
        carrying.follower = child
        ledger = child.ike.ledger
        ledger.agenda.set(child, Deadline.BEGIN_TO_SEND, Instant(ledger.now + _FOLLOWS))
    child.schedule(requester=child.terms.began_here)
    announce(child)
    settle_twin_children(child)


def _carrying(child: ChildSa) -> ChildSa | None:
    """What carries the same traffic on another IKE SA with this peer: it is being re-authenticated."""
    ike = child.ike
    return next(
        (
            other
            for other in ike.ledger.children.named(child.name)
            if other.plan == child.plan
            and other.ike is not ike
            and other.ike.remote_id == ike.remote_id
            and other.usable
            and other.installation.sends
        ),
        None,
    )
