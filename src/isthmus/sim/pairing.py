"""Which gateways of two configurations mean each other: by address, and by identity where an address says nothing."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address

from isthmus.model.address import Address
from isthmus.model.identity import Identity
from isthmus.model.plan import FixedPeer, PeerPlan, Plan
from isthmus.negotiate.match import expected_identity

_PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")))
"""RFC 1918 and RFC 6598: an address of these is seen as another one from outside."""

_SOMEWHERE: dict[tuple[str, int], Address] = {
    # RFC 5737 and RFC 3849: for ends whose address neither configuration tells.
    ("ours", 4): IPv4Address("192.0.2.201"),
    ("theirs", 4): IPv4Address("198.51.100.202"),
    ("ours", 6): IPv6Address("2001:db8:1::201"),
    ("theirs", 6): IPv6Address("2001:db8:2::202"),
}


class Side(StrEnum):
    """Whose configuration: the one that is checked, or the peer's."""

    OURS = "ours"
    THEIRS = "theirs"

    @property
    def other(self) -> Side:
        return Side.THEIRS if self is Side.OURS else Side.OURS


class Bearing(IntEnum):
    """How well a peer address fits the other end."""

    APART = 0
    TRANSLATED = 1
    """A public address for an end whose own is private: it may stand behind a NAT."""
    OPEN = 2
    """A name, `dynamic`, or an end that leaves its address to its host."""
    EXACT = 3


@dataclass(frozen=True, slots=True)
class Pair:
    """Two gateways that mean each other, their addresses settled."""

    ours: PeerPlan
    theirs: PeerPlan
    behind_nat: Side | None = None

    def of(self, side: Side) -> PeerPlan:
        return self.ours if side is Side.OURS else self.theirs

    def seen_address(self, side: Side) -> Address:
        """Where the other end finds this one."""
        believed = self.of(side.other).address
        if self.behind_nat is side and isinstance(believed, FixedPeer):
            return believed.address
        return self.of(side).local

    def expected(self, side: Side) -> Identity:
        """Whom this end demands to see."""
        return expected_identity(self.of(side), self.seen_address(side.other))

    @property
    def agreements(self) -> int:
        """How many of the two ends know the other by its name."""
        return sum(self.expected(side) == self.of(side.other).local_id for side in Side)


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A gateway that has no counterpart in the other configuration."""

    side: Side
    gateway: str
    why: str


@dataclass(frozen=True, slots=True)
class Candidate:
    pair: Pair
    agreements: int
    bearing: int


def pair_up(ours: Plan, theirs: Plan) -> tuple[tuple[Pair, ...], tuple[Unmatched, ...]]:
    """Each gateway with the one that fits it best; two may share a counterpart that knows both by one identity."""
    candidates = sorted(_candidates(ours, theirs), key=lambda c: (-c.agreements, -c.bearing))
    chosen: list[Pair] = []
    taken: set[tuple[Side, str]] = set()
    for shared in (False, True):
        for candidate in candidates:
            ends = {(side, candidate.pair.of(side).name) for side in Side}
            free = ends - taken
            if len(free) == 2 or (shared and free and candidate.agreements == 2):
                chosen.append(candidate.pair)
                taken |= ends
    unmatched = (
        Unmatched(side, peer.name, _why(peer, other))
        for side, plan, other in ((Side.OURS, ours, theirs), (Side.THEIRS, theirs, ours))
        for peer in plan.peers.values()
        if (side, peer.name) not in taken
    )
    return tuple(chosen), tuple(unmatched)


def _candidates(ours: Plan, theirs: Plan) -> Iterator[Candidate]:
    for one, other in itertools.product(ours.peers.values(), theirs.peers.values()):
        there, back = _bearing(one, other), _bearing(other, one)
        if Bearing.APART in (there, back) or (there is back is Bearing.TRANSLATED):
            continue
        pair = _settled(one, other, there, back)
        exact = Bearing.EXACT in (there, back) and Bearing.TRANSLATED not in (there, back)
        if exact or pair.agreements == 2:
            yield Candidate(pair, pair.agreements, there + back)


def _bearing(peer: PeerPlan, other: PeerPlan) -> Bearing:
    """How the peer address of one fits the other."""
    if not isinstance(peer.address, FixedPeer):
        return Bearing.OPEN
    believed = peer.address.address
    if believed == other.local:
        return Bearing.EXACT
    if other.local.is_unspecified:
        return Bearing.OPEN if believed.version == other.local.version else Bearing.APART
    return Bearing.TRANSLATED if _private(other.local) and not _private(believed) else Bearing.APART


def _settled(one: PeerPlan, other: PeerPlan, there: Bearing, back: Bearing) -> Pair:
    """Both with the addresses that they have, or that the other end gives them."""
    behind = {there: Side.THEIRS, back: Side.OURS}.get(Bearing.TRANSLATED)
    return Pair(_placed(one, other, Side.OURS), _placed(other, one, Side.THEIRS), behind)


def _placed(peer: PeerPlan, other: PeerPlan, side: Side) -> PeerPlan:
    if not peer.local.is_unspecified:
        return peer
    believed = other.address
    family = peer.local.version if other.local.is_unspecified else other.local.version
    address = believed.address if isinstance(believed, FixedPeer) else _SOMEWHERE[side.value, family]
    unnamed = peer.local_id == Identity.of_address(peer.local)
    return replace(peer, local=address, local_id=Identity.of_address(address) if unnamed else peer.local_id)


def _why(peer: PeerPlan, other: Plan) -> str:
    """What keeps a gateway without a counterpart."""
    if not other.peers:
        return "the other configuration has no gateway"
    if not isinstance(peer.address, FixedPeer):
        wanted = f"{peer.peer_id}" if peer.peer_id is not None else "an identity that is its address"
        return f"it looks for {wanted}, and no free gateway there has that name and looks for {peer.local_id}"
    believed = peer.address.address
    there = [p for p in other.peers.values() if p.local == believed]
    if there:
        beliefs = ", ".join(f"{p.name} at {_whereabouts(p)}" for p in there)
        return f"it is at {peer.local}, and who is at {believed} looks elsewhere or has another counterpart: {beliefs}"
    back = [p for p in other.peers.values() if p.address == FixedPeer(peer.local)]
    hint = "".join(f"; {p.name} looks for it, but is itself at {p.local}" for p in back)
    return f"no gateway there is at {believed}{hint}"


def _whereabouts(peer: PeerPlan) -> str:
    return str(peer.address.address) if isinstance(peer.address, FixedPeer) else "a name or any address"


def _private(address: Address) -> bool:
    return any(address in network for network in _PRIVATE)
