from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address

from isthmus.model import algorithms
from isthmus.model.address import Endpoint
from isthmus.model.quantities import InboundSpi
from isthmus.model.sa_spec import Direction, InstallSa, RemoveSa, SaCounters, SaId, SaSpec, UpdateSa
from isthmus.model.secret import Secret
from isthmus.observe.traffic import TrafficTotals
from tests.api.fakes import FAR, HERE, LAN, THERE

KEY = Secret(bytes(36))


class Plane:
    """Counters that a test sets; gone when the SA is."""

    def __init__(self) -> None:
        self.seen: dict[SaId, SaCounters] = {}
        self.traffic = TrafficTotals(lambda sa: self.seen.get(sa, SaCounters()))

    def apply(self, op: InstallSa | RemoveSa | UpdateSa) -> None:
        self.traffic.before(op)
        match op:
            case InstallSa(spec):
                self.seen.setdefault(spec.id, SaCounters())
            case RemoveSa(sa):
                self.seen.pop(sa, None)
            case UpdateSa(sa, _, remote, _):
                self.seen[replace(sa, remote=str(remote.address))] = self.seen.pop(sa)
        self.traffic.after(op)

    def total(self, child: str, direction: Direction) -> tuple[int, int]:
        total = self.traffic.totals()[child, direction]
        return total.packets, total.octets


def sa_spec(spi: int, child: str = "branch:lan", direction: Direction = Direction.INBOUND) -> SaSpec:
    return SaSpec(
        direction,
        InboundSpi(spi),
        child,
        "tunnel.1",
        Endpoint(HERE, 4500),
        Endpoint(THERE, 4500),
        udp=True,
        local_selectors=(LAN,),
        remote_selectors=(FAR,),
        encryption=algorithms.ENCRYPTION_BY_NAME["aes-256-gcm"],
        encryption_key=KEY,
        integrity=None,
        integrity_key=Secret(b""),
    )


def test_a_total_goes_on_rising_through_a_rekey_to_the_last_packet_of_the_old_sa() -> None:
    plane, old, new = Plane(), sa_spec(0x1111), sa_spec(0x2222)
    plane.apply(InstallSa(old))
    plane.seen[old.id] = SaCounters(packets=10, octets=1000)
    assert plane.total("branch:lan", Direction.INBOUND) == (10, 1000)
    plane.apply(InstallSa(new))
    plane.seen[old.id] = SaCounters(packets=12, octets=1200)
    plane.seen[new.id] = SaCounters(packets=3, octets=300)
    plane.apply(RemoveSa(old.id))
    assert plane.total("branch:lan", Direction.INBOUND) == (15, 1500)


def test_removing_twice_counts_once() -> None:
    plane, sa = Plane(), sa_spec(0x1111)
    plane.apply(InstallSa(sa))
    plane.seen[sa.id] = SaCounters(packets=1, octets=100)
    plane.apply(RemoveSa(sa.id))
    plane.seen[sa.id] = SaCounters(packets=1, octets=100)
    plane.apply(RemoveSa(sa.id))
    assert plane.total("branch:lan", Direction.INBOUND) == (1, 100)


def test_an_sa_that_moves_to_another_address_goes_on_counting() -> None:
    plane, sa = Plane(), sa_spec(0x1111)
    plane.apply(InstallSa(sa))
    plane.seen[sa.id] = SaCounters(packets=1, octets=100)
    plane.apply(UpdateSa(sa.id, Endpoint(HERE, 4500), Endpoint(IPv4Address("203.0.113.9"), 4500), udp=True))
    assert plane.total("branch:lan", Direction.INBOUND) == (1, 100)
    plane.apply(RemoveSa(replace(sa.id, remote="203.0.113.9")))
    assert plane.total("branch:lan", Direction.INBOUND) == (1, 100)


def test_children_and_directions_have_totals_of_their_own() -> None:
    plane = Plane()
    for number, (child, direction) in enumerate(
        [("branch:lan", Direction.INBOUND), ("branch:lan", Direction.OUTBOUND), ("branch:web", Direction.INBOUND)], 1
    ):
        spec = sa_spec(0x1000 + number, child, direction)
        plane.apply(InstallSa(spec))
        plane.seen[spec.id] = SaCounters(packets=number, octets=100 * number)
    assert plane.total("branch:lan", Direction.INBOUND) == (1, 100)
    assert plane.total("branch:lan", Direction.OUTBOUND) == (2, 200)
    assert plane.total("branch:web", Direction.INBOUND) == (3, 300)
