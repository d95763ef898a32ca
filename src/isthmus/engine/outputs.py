"""What the engine asks of the world and tells it: effects and events, in causal order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from isthmus.events.event import Event
from isthmus.model.address import Endpoint
from isthmus.model.quantities import Ticket
from isthmus.model.sa_spec import DataPlaneOp


@dataclass(frozen=True, slots=True)
class SendDatagram:
    """One IKE message, without non-ESP marker: the transport adds it where `local` is the NAT-T port."""

    local: Endpoint
    remote: Endpoint
    octets: bytes


@dataclass(frozen=True, slots=True)
class SendKeepAlive:
    """RFC 3948, 4: one octet 0xFF, to keep a NAT's mapping."""

    local: Endpoint
    remote: Endpoint


@dataclass(frozen=True, slots=True)
class Program:
    """An operation for the data plane. A refusal comes back as `ProgramFailed` with the ticket; success is silent."""

    ticket: Ticket
    op: DataPlaneOp


@dataclass(frozen=True, slots=True)
class Resolve:
    """Look up a peer's name; the answer comes back as `Resolved` with the peer's name."""

    peer: str
    name: str


Effect: TypeAlias = SendDatagram | SendKeepAlive | Program | Resolve
Output: TypeAlias = Effect | Event
