"""What is asked of the engine, and how the outcomes of its effects come back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from isthmus.model.address import Address, Endpoint
from isthmus.model.plan import Plan
from isthmus.model.quantities import InboundSpi, Seconds, Ticket
from isthmus.model.sa_spec import SaId


@dataclass(frozen=True, slots=True)
class Apply:
    """Make this plan the running one: only what it changes is touched."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class InitiateIke:
    """Bring up the IKE SA with a peer now (`test ike-sa`)."""

    peer: str


@dataclass(frozen=True, slots=True)
class InitiateChild:
    """Bring up one configured child now, and the IKE SA below it (`test ipsec-sa`)."""

    child: str


@dataclass(frozen=True, slots=True)
class Acquire:
    """The data plane wants an SA for a packet; the selectors are the packet's."""

    child: str
    source: Address
    destination: Address
    protocol: int
    source_port: int
    destination_port: int


@dataclass(frozen=True, slots=True)
class TerminateIke:
    """Delete the IKE SAs with a peer, politely; a tunnel configured to be up comes up again by itself."""

    peer: str


@dataclass(frozen=True, slots=True)
class TerminateChild:
    """Delete the SA pairs of one configured child."""

    child: str


@dataclass(frozen=True, slots=True)
class RekeyIke:
    peer: str


@dataclass(frozen=True, slots=True)
class RekeyChild:
    child: str


@dataclass(frozen=True, slots=True)
class Reauthenticate:
    peer: str


@dataclass(frozen=True, slots=True)
class Shutdown:
    """Delete every SA politely and begin nothing more. Quiet when `Gateway.idle`."""


@dataclass(frozen=True, slots=True)
class SoftExpired:
    """Octets or packets of an SA passed the soft limit."""

    sa: SaId


@dataclass(frozen=True, slots=True)
class HardExpired:
    """An SA passed its hard limit and is dead."""

    sa: SaId


@dataclass(frozen=True, slots=True)
class FirstInbound:
    """The peer uses this inbound SA."""

    sa: SaId


@dataclass(frozen=True, slots=True)
class PeerMoved:
    """Authenticated ESP arrived from a new address or port."""

    sa: SaId
    remote: Endpoint


@dataclass(frozen=True, slots=True)
class Heard:
    """Inbound SAs that authenticated packets within the last second: their peers live."""

    spis: tuple[InboundSpi, ...]


@dataclass(frozen=True, slots=True)
class ProgramFailed:
    """The data plane refused an operation."""

    ticket: Ticket
    why: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """A name that a peer is called by stands for these addresses, for so long; none: it could not be resolved."""

    peer: str
    name: str
    addresses: tuple[Address, ...]
    lifetime: Seconds


Command: TypeAlias = (
    Apply
    | InitiateIke
    | InitiateChild
    | Acquire
    | TerminateIke
    | TerminateChild
    | RekeyIke
    | RekeyChild
    | Reauthenticate
    | Shutdown
    | SoftExpired
    | HardExpired
    | FirstInbound
    | PeerMoved
    | Heard
    | ProgramFailed
    | Resolved
)
