"""Phase 2 identities: whose traffic is protected, as one address, a subnet or a range. RFC 2407, 4.6.2."""

from __future__ import annotations

import ipaddress

from isthmus.engine.refusal import Refusal
from isthmus.model.identity import IdType
from isthmus.model.selectors import MAX_PORT, TrafficSelector
from isthmus.wire.ikev1.payloads import Identification
from isthmus.wire.registry import NotifyType

_SIZES = {
    IdType.IPV4_ADDR: 4,
    IdType.IPV4_ADDR_SUBNET: 8,
    IdType.IPV4_ADDR_RANGE: 8,
    IdType.IPV6_ADDR: 16,
    IdType.IPV6_ADDR_SUBNET: 32,
    IdType.IPV6_ADDR_RANGE: 32,
}
_SUBNETS = (IdType.IPV4_ADDR_SUBNET, IdType.IPV6_ADDR_SUBNET)
_TYPES = {
    4: (IdType.IPV4_ADDR, IdType.IPV4_ADDR_SUBNET, IdType.IPV4_ADDR_RANGE),
    6: (IdType.IPV6_ADDR, IdType.IPV6_ADDR_SUBNET, IdType.IPV6_ADDR_RANGE),
}


def identification(selector: TrafficSelector) -> Identification:
    """A selector as an ID payload. Raises `Refusal` for a range of ports: version 1 has one, or any."""
    host, subnet, span = _TYPES[selector.version]
    port = selector.start_port if selector.start_port == selector.end_port else 0
    if not port and not selector.any_port:
        raise _unusable("IKEv1 has no ranges of ports")
    first, last = selector.start.packed, selector.end.packed
    if selector.start == selector.end:
        return Identification(host, selector.protocol, port, first)
    differing = int(selector.start) ^ int(selector.end)
    if not differing & (differing + 1) and not int(selector.start) & differing:
        mask = (1 << selector.start.max_prefixlen) - 1 ^ differing
        return Identification(subnet, selector.protocol, port, first + mask.to_bytes(len(first), "big"))
    return Identification(span, selector.protocol, port, first + last)


def selector(claim: Identification) -> TrafficSelector:
    """An ID payload as a selector. Raises `Refusal` for what is no traffic."""
    if _SIZES.get(claim.kind) != len(claim.value):
        raise _unusable(f"{claim.kind.name} of {len(claim.value)} octets")
    size = len(claim.value) if claim.kind in (IdType.IPV4_ADDR, IdType.IPV6_ADDR) else len(claim.value) // 2
    first = ipaddress.ip_address(claim.value[:size])
    last = first
    if claim.kind in _SUBNETS:
        hosts = int.from_bytes(claim.value[size:], "big") ^ (1 << size * 8) - 1
        if hosts & (hosts + 1) or int(first) & hosts:
            raise _unusable("a netmask with holes, or an address beside its subnet")
        last = type(first)(int(first) | hosts)
    elif size != len(claim.value):
        last = ipaddress.ip_address(claim.value[size:])
        if int(last) < int(first):
            raise _unusable("a range that runs backwards")
    ports = (claim.port, claim.port) if claim.port else (0, MAX_PORT)
    return TrafficSelector(first, last, claim.protocol, *ports)


def _unusable(detail: str) -> Refusal:
    return Refusal(NotifyType.TS_UNACCEPTABLE, detail=detail)
