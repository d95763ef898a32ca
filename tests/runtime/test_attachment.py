from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from ipaddress import ip_address

from isthmus.engine.views import ChildView, IkeSaView
from isthmus.events.event import Event
from isthmus.events.network import MtuChosen, NetworkRefused
from isthmus.model import algorithms
from isthmus.model.address import Endpoint
from isthmus.model.plan import Mode, Plan, Version
from isthmus.model.proposal import Protocol, Suite
from isthmus.model.quantities import InboundSpi, Instant, OutboundSpi
from isthmus.model.sa_spec import Direction, SaId
from isthmus.runtime import clock
from isthmus.runtime.attachment import Attachment
from isthmus.runtime.transport import Transport
from tests.network.namespace import Namespace, namespace, needs_root, open_tun
from tests.network.plans import interface, plan, route
from tests.runtime.fakes import FakePlane

HERE, THERE = Endpoint(ip_address("127.0.0.1"), 4500), Endpoint(ip_address("198.51.100.2"), 4500)
GCM = algorithms.ENCRYPTION_BY_NAME["aes-256-gcm"]


class TunPlane(FakePlane):
    """Makes real devices, as the real one does, and nothing else."""

    def add_interface(self, name: str) -> None:
        super().add_interface(name)
        self.devices = {**getattr(self, "devices", {}), name: open_tun(name)}

    def remove_interface(self, name: str) -> None:
        super().remove_interface(name)
        os.close(self.devices.pop(name))


class Bench:
    def __init__(self) -> None:
        self.plane = TunPlane()
        self.events: list[Event] = []
        self.transport = Transport(self.plane, deliver=lambda _: None, record=self.events.append, clock=clock.now)
        self.attachment = Attachment(self.plane, self.transport, record=self.events.append, clock=clock.now)

    @property
    def refusals(self) -> list[str]:
        return [event.tell() for event in self.events if isinstance(event, NetworkRefused)]


def at_home(layout: Plan) -> Plan:
    """The plan, with its gateway on the loopback interface."""
    return replace(
        layout, peers={name: replace(p, local=HERE.address, interface="lo") for name, p in layout.peers.items()}
    )


def inside(test: Callable[[Bench, Namespace], Awaitable[None]]) -> None:
    """The loop runs in the namespace of one thread; the attachment's own thread begins there, too."""

    async def run(host: Namespace) -> None:
        bench = Bench()
        await test(bench, host)

    with namespace() as host:
        host.shell("ip link set lo up mtu 1500")
        host.run(lambda: asyncio.run(run(host)))


async def shell(command: str) -> str:
    process = await asyncio.create_subprocess_shell(command, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    return "\n".join(" ".join(line.split()) for line in output.decode().splitlines())


STATE = "ip -br link; ip -br addr; ip route; ip -6 route; nft list ruleset; ss -Hlun"


@needs_root
def test_all_that_was_attached_is_detached() -> None:
    async def test(bench: Bench, _: Namespace) -> None:
        before = await shell(STATE)
        await bench.attachment.clean(Plan())
        await bench.attachment.extend(at_home(plan(route("10.2.0.0/16"))))
        during = await shell(STATE)
        assert "10.2.0.0/16 dev tunnel.1 proto 73" in during
        assert "127.0.0.1:500" in during
        assert "table inet isthmus" in during
        assert bench.refusals == []
        await bench.attachment.detach()
        assert await shell(STATE) == before

    inside(test)


@needs_root
def test_a_new_plan_leaves_alone_what_it_does_not_change() -> None:
    both = (interface("tunnel.1", "10.255.0.1/30"), interface("tunnel.2", "10.255.0.5/30"))
    old = at_home(plan(route("10.2.0.0/16"), route("10.3.0.0/16", "tunnel.2"), interfaces=both))
    new = at_home(plan(route("10.2.0.0/16"), interfaces=both[:1]))

    async def test(bench: Bench, _: Namespace) -> None:
        await bench.attachment.extend(old)
        kept = await shell("ip -d addr show tunnel.1; ip route show dev tunnel.1")
        device = bench.plane.devices["tunnel.1"]
        await bench.attachment.extend(new)
        assert "tunnel.2" in await shell("ip -br link")
        await bench.attachment.trim(())
        assert "tunnel.2" not in await shell("ip -br link; ip route")
        assert "10.3.0.0/16" not in await shell("ip route")
        assert await shell("ip -d addr show tunnel.1; ip route show dev tunnel.1") == kept
        assert bench.plane.devices == {"tunnel.1": device}
        await bench.attachment.detach()

    inside(test)


@needs_root
def test_an_address_is_listened_at_until_the_last_ike_sa_has_left_it() -> None:
    async def test(bench: Bench, _: Namespace) -> None:
        await bench.attachment.extend(at_home(plan()))
        await bench.attachment.extend(Plan())
        await bench.attachment.trim({HERE.address})
        assert bench.plane.listening == {HERE.address}
        await bench.attachment.trim(())
        assert bench.plane.listening == set()
        await bench.attachment.detach()

    inside(test)


@needs_root
def test_an_interface_of_somebody_else_is_not_taken_over() -> None:
    async def test(bench: Bench, _: Namespace) -> None:
        await shell("ip tuntap add tunnel.1 mode tun")
        before = await shell("ip -d link show tunnel.1")
        await bench.attachment.extend(at_home(plan(route("10.2.0.0/16"))))
        await bench.attachment.repair()
        assert bench.plane.interfaces == set()
        assert await shell("ip -d link show tunnel.1") == before
        assert bench.refusals == [
            "Cannot make interface tunnel.1: an interface of that name exists already, and is not ours"
        ]
        # What the tunnel was to protect is refused, and goes nowhere else.
        assert await shell("ip route") == "unreachable 10.2.0.0/16 proto 73 metric 4294967295"
        await shell("ip tuntap del tunnel.1 mode tun")
        await bench.attachment.repair()
        assert "10.2.0.0/16 dev tunnel.1" in await shell("ip route")
        await bench.attachment.detach()

    inside(test)


@needs_root
def test_repairing_puts_back_what_was_taken_away() -> None:
    async def test(bench: Bench, _: Namespace) -> None:
        await bench.attachment.extend(at_home(plan(route("10.2.0.0/16"))))
        before = await shell(STATE)
        await shell("ip route flush proto 73; nft flush ruleset; ip link set tunnel.1 down")
        await bench.attachment.repair()
        assert await shell(STATE) == before
        await bench.attachment.detach()

    inside(test)


@needs_root
def test_the_mtu_fits_what_was_agreed_on_and_stays_when_the_tunnel_goes_down() -> None:
    async def test(bench: Bench, _: Namespace) -> None:
        await bench.attachment.extend(at_home(plan()))
        await bench.attachment.fit([ike_sa(udp=True)])
        assert mtus(bench) == [1438]
        await bench.attachment.fit([ike_sa(udp=False)])
        await bench.attachment.fit([])
        assert mtus(bench) == [1438, 1446]
        assert bench.attachment.links["tunnel.1"].mtu == 1446
        assert "mtu 1446" in await shell("ip link show tunnel.1")
        await bench.attachment.detach()

    def mtus(bench: Bench) -> list[int]:
        return [event.mtu for event in bench.events if isinstance(event, MtuChosen)]

    inside(test)


@needs_root
def test_a_plan_that_leaves_a_tunnel_as_it_is_leaves_its_mtu_too() -> None:
    async def test(bench: Bench, _: Namespace) -> None:
        await bench.attachment.extend(at_home(plan()))
        await bench.attachment.fit([ike_sa(udp=False)])
        await bench.attachment.extend(at_home(plan(route("10.2.0.0/16"))))
        assert bench.attachment.links["tunnel.1"].mtu == 1446
        before = at_home(plan())
        other = replace(before.tunnels["branch"], copy_tos=True)
        await bench.attachment.extend(replace(before, tunnels={"branch": other}))
        assert bench.attachment.links["tunnel.1"].mtu == 1438, "it may agree on something else"
        await bench.attachment.detach()

    inside(test)


@needs_root
def test_nothing_is_attached_after_the_end() -> None:
    async def test(bench: Bench, _: Namespace) -> None:
        await bench.attachment.extend(at_home(plan()))
        await bench.attachment.detach()
        before = await shell(STATE)
        await bench.attachment.extend(at_home(plan(route("10.2.0.0/16"))))
        await bench.attachment.repair()
        await bench.attachment.fit([ike_sa(udp=False)])
        assert await shell(STATE) == before

    inside(test)


def ike_sa(*, udp: bool) -> IkeSaView:
    """An established one with one child."""
    suite = Suite(Protocol.ESP, GCM, None, None, None)
    inbound, outbound = (SaId(direction, 1, str(THERE.address)) for direction in Direction)
    child = ChildView(
        name="branch",
        tunnel="branch",
        proxy_id=None,
        peer="branch",
        protocol=Protocol.ESP,
        mode=Mode.TUNNEL,
        udp=udp,
        state="installed",
        spi_in=InboundSpi(1),
        spi_out=OutboundSpi(1),
        inbound=inbound,
        outbound=outbound,
        sends=True,
        suite=suite,
        local_ts=(),
        remote_ts=(),
        replay_window=1024,
        established_at=Instant(0.0),
        rekey_at=None,
        expires_at=None,
    )
    return IkeSaView(
        peer="branch",
        version=Version.IKEV2,
        role="initiator",
        state="established",
        local=HERE,
        remote=THERE,
        local_id=None,
        remote_id=None,
        initiator_spi=bytes(8),
        responder_spi=bytes(8),
        suite=None,
        nat="none",
        established_at=None,
        rekey_at=None,
        reauth_at=None,
        children=(child,),
    )
