"""A Child SA in the data plane: its two IPsec SAs, asked for, moved and removed in step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isthmus.engine.retry import fraction
from isthmus.model.address import Endpoint
from isthmus.model.sa_spec import Direction, InstallSa, RemoveSa, SaId, SaLimits, SaSpec, UpdateSa

if TYPE_CHECKING:
    from isthmus.engine.child_sa import ChildSa

_LAST_PACKET = 2**32 - 1
"""Without ESN a sequence number must not come twice (RFC 4303, 3.3.3)."""


class Installation:
    """Knows what of a Child SA is in force; decides nothing."""

    def __init__(self, child: ChildSa) -> None:
        self.child = child
        self.remote = child.ike.remote
        """Where the data plane believes the peer to be."""
        self.sends = False
        """Whether the outbound SA is in force."""

    @property
    def inbound_id(self) -> SaId:
        terms = self.child.terms
        return SaId(Direction.INBOUND, terms.spi_in, str(self.remote.address), terms.suite.protocol)

    @property
    def outbound_id(self) -> SaId:
        terms = self.child.terms
        return SaId(Direction.OUTBOUND, terms.spi_out, str(self.remote.address), terms.suite.protocol)

    def receive(self) -> None:
        """Begins to receive."""
        self.child.ike.ledger.program(InstallSa(self._spec(Direction.INBOUND)), self.child)

    def send(self) -> None:
        """Begins to send: from now on it carries the child's traffic."""
        if not self.sends:
            self.sends = True
            self.child.ike.ledger.program(InstallSa(self._spec(Direction.OUTBOUND)), self.child)

    def stop_sending(self) -> None:
        if self.sends:
            self.sends = False
            self.child.ike.ledger.program(RemoveSa(self.outbound_id))

    def stop_receiving(self) -> None:
        self.child.ike.ledger.program(RemoveSa(self.inbound_id))

    def move(self, local: Endpoint, remote: Endpoint) -> None:
        """Follows the IKE SA to new endpoints; keys and counters stay."""
        ike = self.child.ike
        for sa in (self.inbound_id, *((self.outbound_id,) if self.sends else ())):
            ike.ledger.program(UpdateSa(sa, local, remote, self.child.udp))
        self.remote = remote

    def _spec(self, direction: Direction) -> SaSpec:
        terms, tunnel, ike = self.child.terms, self.child.tunnel, self.child.ike
        inbound = direction is Direction.INBOUND
        keys = terms.keys_in if inbound else terms.keys_out
        return SaSpec(
            direction=direction,
            spi=terms.spi_in if inbound else terms.spi_out,
            child=self.child.name,
            interface=tunnel.interface,
            local=ike.local,
            remote=ike.remote,
            udp=self.child.udp,
            local_selectors=terms.local_ts,
            remote_selectors=terms.remote_ts,
            encryption=terms.suite.encryption,
            encryption_key=keys.encryption,
            integrity=terms.suite.integrity,
            integrity_key=keys.integrity,
            esn=terms.suite.esn,
            replay_window=tunnel.anti_replay.window if tunnel.anti_replay.enabled else 0,
            limits=self._limits(),
            protocol=terms.suite.protocol,
            mode=tunnel.mode,
            copy_tos=tunnel.copy_tos,
        )

    def _limits(self) -> SaLimits:
        octets = self.child.lifetime.octets
        early = 0.8 + 0.1 * fraction(self.child.ike.ledger.entropy)
        return SaLimits(
            soft_octets=int(octets * early) if octets else None,
            hard_octets=octets,
            soft_packets=None if self.child.terms.suite.esn else int(_LAST_PACKET * early),
            hard_packets=None if self.child.terms.suite.esn else _LAST_PACKET,
        )
