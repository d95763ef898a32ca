"""The lab, told step by step: tunnels up, hosts talking, the wire seeing nothing of it."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.text import Text

from isthmus.lab.capture import Capture, Kind, Seen, judge, write_pcap
from isthmus.lab.gateways import GatewayFailed, RunningGateway
from isthmus.lab.namespaces import Playground
from isthmus.lab.stand import Stand, build
from isthmus.lab.topology import Flow, Topology
from isthmus.lab.traffic import lines, move, ping

_MARKER = "nobody on the wire may read this line"
_FILE_SIZE = 4 << 20
_PINGS = 5


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the operator asked for besides the story."""

    keep: bool = False
    """Stay after the story, until interrupted."""
    capture: Path | None = None
    """Where to write what crossed the wire."""
    patience: float = 60.0
    """Seconds that the tunnels may take to come up."""


def tell(topology: Topology, files: Mapping[str, Path], wishes: Wishes, console: Console) -> bool:
    """Builds it, runs it, removes it; whether all of it went as it should. `files` are the sites' configurations."""
    story = _Story(topology, console)
    with _ended_by_sigterm(), ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="isthmus-lab-")))
        playground = stack.enter_context(Playground())
        stand = build(topology, playground)
        story.introduce()
        capture = stack.enter_context(Capture(stand.middle))
        gateways = [
            stack.enter_context(
                RunningGateway(site.name, stand.gateways[site.name], files[site.name], home / site.name)
            )
            for site in topology.sites
        ]
        try:
            story.await_tunnels(gateways, wishes.patience)
            story.talk(stand)
            story.show(gateways)
            if wishes.keep:
                story.stay(stand, gateways)
            story.part(gateways)
        except GatewayFailed as failure:
            story.note(False, failure.why)
            story.explain(gateways)
        seen = capture.stop()
        if wishes.capture is not None:
            write_pcap(seen, wishes.capture)
        story.judge_wire(seen, capture.missed)
    story.note(True, "all namespaces are removed")
    return story.went_well


class _Story:
    def __init__(self, topology: Topology, console: Console) -> None:
        self._topology = topology
        self._console = console
        self.went_well = True

    def note(self, fine: bool, text: str) -> None:
        self.went_well &= fine
        mark = Text("ok   ", "green") if fine else Text("FAIL ", "bold red")
        self._console.print(mark + Text(text), soft_wrap=True)

    def introduce(self) -> None:
        for site in self._topology.sites:
            outer = ", ".join(str(address) for leg in site.legs for address in leg.addresses)
            inner = ", ".join(str(subnet.host) for lan in site.lans for subnet in lan.subnets) or "nobody"
            self._console.print(Text(f"{site.name}: gateway {outer}; behind it {inner}"), soft_wrap=True)

    def await_tunnels(self, gateways: list[RunningGateway], patience: float) -> None:
        for gateway in gateways:
            gateway.await_tunnels(patience)
        for gateway in gateways:
            gateway.await_single_sas(patience)
            self.note(True, f"{gateway.name}: every tunnel is up")

    def talk(self, stand: Stand) -> None:
        flows = self._topology.flows()
        if not flows:
            self.note(False, "the files give no two hosts that may talk")
        for flow in flows:
            if flow.echo:
                self._ping(stand, flow)
            if flow.port is not None:
                self._move(stand, flow, flow.port)

    def _ping(self, stand: Stand, flow: Flow) -> None:
        times = ping(stand.hosts[flow.source], flow.source, flow.destination, _PINGS)
        best = f", {min(times) * 1e3:.2f} ms at best" if times else ""
        self.note(
            len(times) == _PINGS,
            f"{flow.source} pings {flow.destination} ({flow.child}): {len(times)} of {_PINGS} answered{best}",
        )

    def _move(self, stand: Stand, flow: Flow, port: int) -> None:
        done = move(
            lines(_MARKER, _FILE_SIZE),
            here=stand.hosts[flow.source],
            source=flow.source,
            there=stand.hosts[flow.destination],
            destination=flow.destination,
            port=port,
        )
        outcome = "SHA-256 equal at both ends" if done.intact else "it did not arrive whole"
        self.note(
            done.intact,
            f"{flow.source} sends {flow.destination} a file of {done.octets / 1e6:.1f} MB "
            f"in {done.seconds:.2f} s: {outcome}",
        )

    def show(self, gateways: list[RunningGateway]) -> None:
        for gateway in gateways:
            self._ask(gateway, "show", "ike-sa")
            self._ask(gateway, "show", "ipsec-sa")
        self._console.print()

    def explain(self, gateways: list[RunningGateway]) -> None:
        """What the gateways themselves say of it; of one that is gone, the end of its log."""
        for gateway in gateways:
            if gateway.running:
                self._ask(gateway, "show", "tunnels")
                self._ask(gateway, "show", "events", "--level", "notice", "--limit", "10")
            else:
                self._console.print(Text(f"\n{gateway.name} said at last:\n{gateway.story(5)}"), soft_wrap=True)
        self._console.print()

    def _ask(self, gateway: RunningGateway, *words: str) -> None:
        answer = gateway.ask(*words)
        self._console.print(Text(f"\n{gateway.name}$ isthmus {' '.join(words)}", "bold"))
        self._console.print(Text(answer.text.rstrip() or answer.complaint.rstrip()), soft_wrap=True)

    def stay(self, stand: Stand, gateways: list[RunningGateway]) -> None:
        self._console.print("it stays until Ctrl-C; to look inside:")
        for gateway in gateways:
            namespace = stand.gateways[gateway.name].name
            self._console.print(f"  isthmus --socket {gateway.socket} show tunnels", soft_wrap=True)
            self._console.print(f"  ip netns exec {namespace} ip address   # its log: {gateway.log}", soft_wrap=True)
        for address, host in stand.hosts.items():
            self._console.print(f"  ip netns exec {host.name} bash   # the host {address}", soft_wrap=True)
        self._console.print(f"  ip netns exec {stand.middle.name} tcpdump -ni any   # the wire", soft_wrap=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            self._console.print()

    def part(self, gateways: list[RunningGateway]) -> None:
        """Each gateway ends, tells its peers and takes with it what it made."""
        for gateway in gateways:
            status = gateway.stop()
            remains = gateway.remains()
            left = "; left behind: " + ", ".join(remains) if remains else ", no link, route or rule of it is left"
            self.note(status == 0 and not remains, f"{gateway.name}: ended with {status}{left}")

    def judge_wire(self, seen: tuple[Seen, ...], missed: int) -> None:
        inner = self._topology.inner_addresses()
        verdict = judge(seen, inner, [_MARKER.encode()])
        sealed = verdict.kinds[Kind.ESP] + verdict.kinds[Kind.ESP_IN_UDP]
        kinds = ", ".join(f"{count} {kind}" for kind, count in verdict.kinds.most_common() if kind is not Kind.LINK)
        self.note(verdict.sealed and sealed > 0 and not missed, f"the wire saw {kinds or 'nothing'}")
        if missed:
            self.note(False, f"{missed} packets came too fast to be looked at")
        if verdict.exposed:
            self.note(False, f"readable on the wire: {', '.join(verdict.exposed)}")
        else:
            self.note(True, "no inner address and no line of the file was readable on it")


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """SIGTERM unwinds as an exit does, so that everything is removed then, too."""

    owner = os.getpid()

    def end(number: int, frame: FrameType | None) -> None:
        if os.getpid() != owner:  # netlink's short-lived children inherit this and own nothing
            os._exit(128 + number)
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
