from __future__ import annotations

import asyncio
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path

import dns.message
import dns.rcode
import dns.rrset
from dns.asyncresolver import Resolver as DnsResolver

from isthmus.engine.commands import Resolved
from isthmus.events.event import Event
from isthmus.events.runtime import PeerResolved, PeerUnresolved
from isthmus.model.quantities import Seconds
from isthmus.runtime import clock
from isthmus.runtime.resolver import AFTER_A_FAILURE, LONGEST_LIFETIME, SHORTEST_LIFETIME, Resolver

Zone = dict[tuple[str, str], tuple[int, list[str]]]
NO_HOSTS = Path("/nonexistent")


class Server(asyncio.DatagramProtocol):
    """Answers from a zone over UDP: (name, type) -> (TTL, records)."""

    def __init__(self, zone: Zone) -> None:
        self.zone = zone
        self.questions: list[tuple[str, str]] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, octets: bytes, source: tuple[str, int]) -> None:
        query = dns.message.from_wire(octets)
        answer = dns.message.make_response(query)
        (question,) = query.question
        kind = dns.rdatatype.to_text(question.rdtype)
        name = question.name.to_text()
        self.questions.append((name, kind))
        while cname := self.zone.get((name, "CNAME")):
            answer.answer.append(dns.rrset.from_text(name, cname[0], "IN", "CNAME", *cname[1]))
            name = cname[1][0]
        if found := self.zone.get((name, kind)):
            answer.answer.append(dns.rrset.from_text(name, found[0], "IN", kind, *found[1]))
        elif not any(known == name for known, _ in self.zone):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif kind == "AAAA" and (name, "broken") in self.zone:
            answer.set_rcode(dns.rcode.SERVFAIL)
        self.transport.sendto(answer.to_wire(), source)  # type: ignore[attr-defined]


def resolved(
    zone: Zone, name: str = "branch.example.", hosts: Path = NO_HOSTS, ask: Callable[[Resolver], None] | None = None
) -> tuple[list[Resolved], list[Event], Server]:
    """What the engine and the log hear of a look-up, and what the server was asked."""

    async def run() -> tuple[list[Resolved], list[Event], Server]:
        loop = asyncio.get_running_loop()
        transport, server = await loop.create_datagram_endpoint(lambda: Server(zone), local_addr=("127.0.0.1", 0))

        def system() -> DnsResolver:
            resolver = DnsResolver(configure=False)
            resolver.nameservers = ["127.0.0.1"]
            resolver.port = transport.get_extra_info("sockname")[1]
            return resolver

        answers: list[Resolved] = []
        events: list[Event] = []
        subject = Resolver(answer=answers.append, record=events.append, clock=clock.now, dns=system, hosts=hosts)
        if ask:
            ask(subject)
        else:
            subject.look_up("branch", name)
        async with asyncio.timeout(10):
            while not answers:
                await asyncio.sleep(0.002)
        await subject.close()
        transport.close()
        return answers, events, server

    return asyncio.run(run())


def test_addresses_of_both_families_come_with_the_shorter_lifetime() -> None:
    (answer,), events, _ = resolved(
        {("branch.example.", "A"): (300, ["198.51.100.2"]), ("branch.example.", "AAAA"): (120, ["2001:db8::2"])}
    )
    assert answer == Resolved(
        "branch", "branch.example.", (ip_address("198.51.100.2"), ip_address("2001:db8::2")), Seconds(120.0)
    )
    assert [type(event) for event in events] == [PeerResolved]


def test_the_lifetime_has_a_floor_and_a_ceiling() -> None:
    for ttl, lifetime in ((0, SHORTEST_LIFETIME), (86400, LONGEST_LIFETIME)):
        (answer,), _, _ = resolved({("branch.example.", "A"): (ttl, ["198.51.100.2"])})
        assert answer.lifetime == lifetime


def test_an_alias_that_ages_sooner_limits_the_lifetime() -> None:
    zone: Zone = {
        ("branch.example.", "CNAME"): (60, ["dyn.example."]),
        ("dyn.example.", "A"): (3000, ["198.51.100.2"]),
    }
    (answer,), _, _ = resolved(zone)
    assert answer == Resolved("branch", "branch.example.", (ip_address("198.51.100.2"),), Seconds(60.0))


def test_a_name_that_does_not_exist_is_an_answer_without_addresses() -> None:
    (answer,), events, _ = resolved({})
    assert answer == Resolved("branch", "branch.example.", (), answer.lifetime)
    assert answer.lifetime == AFTER_A_FAILURE
    assert [type(event) for event in events] == [PeerUnresolved]


def test_a_server_that_fails_on_one_family_does_not_spoil_the_other() -> None:
    zone: Zone = {("branch.example.", "A"): (300, ["198.51.100.2"]), ("branch.example.", "broken"): (0, [])}
    (answer,), _, _ = resolved(zone)
    assert answer.addresses == (ip_address("198.51.100.2"),)


def test_the_hosts_file_goes_before_dns(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text(
        "# comment\n192.0.2.9 other Branch.Example  # ours\nfe80::x branch.example\n2001:db8::9 branch.example\n"
    )
    (answer,), _, server = resolved({}, hosts=hosts)
    assert answer.addresses == (ip_address("192.0.2.9"), ip_address("2001:db8::9"))
    assert server.questions == []


def test_a_name_is_asked_for_once_at_a_time() -> None:
    def ask(resolver: Resolver) -> None:
        for _ in range(5):
            resolver.look_up("branch", "branch.example.")

    answers, _, server = resolved({("branch.example.", "A"): (300, ["198.51.100.2"])}, ask=ask)
    assert len(answers) == 1
    assert sorted(server.questions) == [("branch.example.", "A"), ("branch.example.", "AAAA")]
