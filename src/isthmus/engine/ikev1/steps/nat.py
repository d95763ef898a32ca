"""Detect NAT, once both ends have announced that they can. RFC 3947, 3.2."""

from __future__ import annotations

from isthmus.crypto.digest import digest
from isthmus.engine.exchange import Draft, Inbound, Step
from isthmus.engine.ikev1.handshake import Handshake
from isthmus.engine.ikev1.path import settle_path
from isthmus.model.address import Endpoint
from isthmus.model.plan import Encapsulation
from isthmus.wire.ikev1.payloads import NatD, NatDDraft
from isthmus.wire.ikev1.registry import PayloadType

_INITIATORS_LEG = 2
"""In either mode the first message after the responder's vendor IDs and choice of a hash."""


class DetectNat(Step[Handshake]):
    """Each end hashes the endpoints as it sees them, first the other's; where they differ, a NAT is between."""

    def write(self, leg: int, draft: Draft) -> None:
        handshake, sa = self.context, self.context.channel.sa
        due = leg == _INITIATORS_LEG if sa.began_here else handshake.says(leg, PayloadType.KE)
        if not due or not handshake.peer_knows_nat or not handshake.peer.nat_traversal.enabled:
            return
        own = self._hash(sa.local)
        if handshake.peer.encapsulation is Encapsulation.UDP:
            own = sa.ledger.entropy.octets(len(own))  # looks like a NAT to any peer, so that it encapsulates
        kind = NatDDraft if handshake.nat_by_draft else NatD
        draft.add(kind(self._hash(sa.remote)), kind(own))

    def read(self, leg: int, message: Inbound) -> None:
        handshake, sa = self.context, self.context.channel.sa
        seen = [payload.data for payload in message.all(NatD)]
        if not handshake.peer.nat_traversal.enabled or len(seen) < 2 or handshake.settled:
            return
        # In Aggressive Mode the initiator may have floated to port 4500 before it hashed, or after.
        local, remote = {sa.local}, {sa.remote}
        if handshake.arrived is not None:
            local.add(handshake.arrived.local)
            remote.add(handshake.arrived.remote)
        sa.nat.local = seen[0] not in map(self._hash, local)
        sa.nat.remote = not any(self._hash(endpoint) in seen[1:] for endpoint in remote)
        settle_path(handshake)

    def _hash(self, endpoint: Endpoint) -> bytes:
        sa = self.context.channel.sa
        seen = sa.initiator_spi + sa.responder_spi + endpoint.address.packed + endpoint.port.to_bytes(2, "big")
        return digest(self.context.channel.prf.digest, seen)
