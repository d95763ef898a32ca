"""How the children travel, decided when NAT detection has spoken, or is known not to. RFC 3947, 4."""

from __future__ import annotations

from isthmus.engine.ikev1.handshake import Handshake
from isthmus.engine.nat import USER_SPACE_UDP
from isthmus.events.ike import NatDetected
from isthmus.model.address import NAT_T_PORT
from isthmus.model.plan import Encapsulation


def settle_path(handshake: Handshake) -> None:
    """Decides on UDP encapsulation, and floats to port 4500 if it is needed."""
    if handshake.settled:
        return
    handshake.settled = True
    sa, peer = handshake.channel.sa, handshake.peer
    if sa.nat.found:
        sa.ledger.emit(NatDetected(**sa.label(), where=str(sa.nat)))
    can = handshake.peer_knows_nat and peer.nat_traversal.enabled
    match peer.encapsulation:
        case Encapsulation.AUTO:
            sa.udp = can and (sa.nat.found or USER_SPACE_UDP in handshake.vendors)
        case Encapsulation.UDP:
            sa.udp = can
        case Encapsulation.ESP:
            sa.udp = False
    if sa.began_here and (sa.udp or sa.nat.found) and sa.local.port != NAT_T_PORT:
        sa.move(sa.local.with_port(NAT_T_PORT), sa.remote.with_port(NAT_T_PORT))
