"""Traffic selectors. RFC 7296, 3.13."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from struct import Struct
from typing import ClassVar, Self

from isthmus.model.selectors import TrafficSelector
from isthmus.wire.errors import WireError
from isthmus.wire.ikev2.payload import Payload
from isthmus.wire.reader import Reader
from isthmus.wire.registry import PayloadType, TsType

MAX_SELECTORS = 255
"""The count is one octet."""

_COUNT = Struct(">B3x")
_GENERIC = Struct(">BBH")
_PORTS = Struct(">HH")
_RANGES: dict[TsType, tuple[type[IPv4Address | IPv6Address], int]] = {
    TsType.IPV4_ADDR_RANGE: (IPv4Address, 4),
    TsType.IPV6_ADDR_RANGE: (IPv6Address, 16),
}


@dataclass(frozen=True, slots=True)
class UnknownSelector:
    """A selector of a type that we do not read: `data` is all that follows its length. Narrowing passes it over."""

    type: TsType
    protocol: int
    data: bytes


@dataclass(frozen=True, slots=True)
class _Selectors(Payload):
    selectors: tuple[TrafficSelector, ...]
    unknown: tuple[UnknownSelector, ...] = ()

    @classmethod
    def read(cls, reader: Reader, *, critical: bool) -> Self:
        (count,) = reader.unpack(_COUNT, "number of TSs")
        if not count:
            # RFC 7296, 3.13: one or more individual Traffic Selectors.
            raise WireError("no selector", reader.offset, "number of TSs")
        selectors: list[TrafficSelector] = []
        unknown: list[UnknownSelector] = []
        for _ in range(count):
            match _read_selector(reader):
                case TrafficSelector() as selector:
                    selectors.append(selector)
                case UnknownSelector() as other:
                    unknown.append(other)
        return cls(tuple(selectors), tuple(unknown), critical=critical)

    def write(self) -> bytes:
        parts = [_COUNT.pack(len(self.selectors) + len(self.unknown))]
        parts += map(_selector_octets, self.selectors)
        parts += map(_unknown_octets, self.unknown)
        return b"".join(parts)


@dataclass(frozen=True, slots=True)
class TsI(_Selectors):
    """What the initiator of the exchange sends from, and receives on."""

    type: ClassVar = PayloadType.TSI


@dataclass(frozen=True, slots=True)
class TsR(_Selectors):
    """What the responder of the exchange sends from, and receives on."""

    type: ClassVar = PayloadType.TSR


def _read_selector(reader: Reader) -> TrafficSelector | UnknownSelector:
    start = reader.offset
    number, protocol, length = reader.unpack(_GENERIC, "selector")
    part = reader.part(length - _GENERIC.size, "selector length")
    kind = TsType.of(number)
    if kind not in _RANGES:
        return UnknownSelector(kind, protocol, part.rest())
    family, size = _RANGES[kind]
    start_port, end_port = part.unpack(_PORTS, "ports")
    first, last = family(part.take(size, "starting address")), family(part.take(size, "ending address"))
    part.finish("selector length")
    selector = TrafficSelector(first, last, protocol, start_port, end_port)
    if int(first) > int(last):
        raise WireError("starting address is above the ending one", start, "selector")
    if start_port > end_port and not selector.opaque_ports:
        # RFC 7296, 3.13.1: only OPAQUE, 65535 to 0, runs backwards.
        raise WireError("start port is above the end port", start, "selector")
    return selector


def _selector_octets(selector: TrafficSelector) -> bytes:
    kind = TsType.IPV4_ADDR_RANGE if selector.version == 4 else TsType.IPV6_ADDR_RANGE
    data = _PORTS.pack(selector.start_port, selector.end_port) + selector.start.packed + selector.end.packed
    return _GENERIC.pack(kind, selector.protocol, _GENERIC.size + len(data)) + data


def _unknown_octets(selector: UnknownSelector) -> bytes:
    return _GENERIC.pack(selector.type, selector.protocol, _GENERIC.size + len(selector.data)) + selector.data
