"""Read-only pictures of the engine's state, for status, tests and the simulation's invariants."""

from __future__ import annotations

from dataclasses import dataclass

from isthmus.model.address import Endpoint
from isthmus.model.plan import Mode, Version
from isthmus.model.proposal import Protocol, Suite
from isthmus.model.quantities import InboundSpi, Instant, OutboundSpi
from isthmus.model.sa_spec import SaId
from isthmus.model.selectors import TrafficSelector


@dataclass(frozen=True, slots=True)
class ChildView:
    """One Child SA."""

    name: str
    """`branch:lan`."""
    tunnel: str
    proxy_id: str | None
    peer: str | None
    """None: it has keys by hand."""
    protocol: Protocol
    mode: Mode
    udp: bool
    state: str
    """installing, installed, rekeying, rekeyed, deleting."""
    spi_in: InboundSpi
    spi_out: OutboundSpi
    inbound: SaId
    outbound: SaId
    suite: Suite
    local_ts: tuple[TrafficSelector, ...]
    remote_ts: tuple[TrafficSelector, ...]
    replay_window: int
    established_at: Instant
    rekey_at: Instant | None
    expires_at: Instant | None
    sends: bool = True
    """Whether the outbound SA is in force: a successor that the peer made waits until the peer uses it."""


@dataclass(frozen=True, slots=True)
class IkeSaView:
    """One IKE SA."""

    peer: str | None
    """None while a responder does not know yet who speaks."""
    version: Version
    role: str
    """initiator or responder, of the IKE SA."""
    state: str
    """connecting, established, rekeying, deleting."""
    local: Endpoint
    remote: Endpoint
    local_id: str | None
    remote_id: str | None
    initiator_spi: bytes
    responder_spi: bytes
    suite: Suite | None
    nat: str
    """none, local, remote, both."""
    established_at: Instant | None
    rekey_at: Instant | None
    reauth_at: Instant | None
    children: tuple[ChildView, ...]
    vendors: tuple[str, ...] = ()
    """What the peer announced by vendor IDs: by name where we know it, else in hex."""


@dataclass(frozen=True, slots=True)
class TunnelView:
    """One configured child, up or not."""

    child: str
    tunnel: str
    proxy_id: str | None
    interface: str
    peer: str | None
    """None: it has keys by hand."""
    state: str
    """up, negotiating, down, disabled."""
    reason: str | None
    """Why it is not up, in one line."""
