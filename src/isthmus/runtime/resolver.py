"""Names of peers, looked up in the hosts file and by DNS, with the lifetime that the answer has."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Final

from isthmus.engine.commands import Resolved
from isthmus.events.event import Event
from isthmus.events.runtime import PeerResolved, PeerUnresolved
from isthmus.model.address import Address
from isthmus.model.quantities import Instant, Seconds
from isthmus.runtime.faults import fault

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver as DnsResolver

SHORTEST_LIFETIME = 30.0
"""Seconds. Names that follow a moving address carry a TTL of a minute or less; asking more often helps nobody."""
LONGEST_LIFETIME = 3600.0
"""Seconds. A peer that moves is found within the hour, whatever its zone says."""
AFTER_A_FAILURE = 30.0
PATIENCE = 5.0
"""Seconds for one look-up, retries included."""
HOSTS = Path("/etc/hosts")


@dataclass(frozen=True, slots=True)
class Answer:
    addresses: tuple[Address, ...]
    lifetime: Seconds
    why: str = ""
    """Why there is none."""


class Resolver:
    """Looks names up, each at most once at a time."""

    def __init__(
        self,
        *,
        answer: Callable[[Resolved], None],
        record: Callable[[Event], None],
        clock: Callable[[], Instant],
        dns: Callable[[], DnsResolver] | None = None,
        hosts: Path = HOSTS,
    ) -> None:
        self._answer: Final = answer
        self._record: Final = record
        self._clock: Final = clock
        self._dns: Final = dns or _system_resolver
        self._hosts: Final = hosts
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}

    def look_up(self, peer: str, name: str) -> None:
        """Begins a look-up. The answer comes as `Resolved`, even when there is none."""
        question = (peer, name)
        if question in self._tasks:
            return
        task = asyncio.get_running_loop().create_task(self._ask(peer, name))
        self._tasks[question] = task
        task.add_done_callback(lambda _: self._tasks.pop(question, None))

    async def close(self) -> None:
        """Gives up what is still being asked."""
        asking = tuple(self._tasks.values())
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)

    async def _ask(self, peer: str, name: str) -> None:
        try:
            found = await self._find(name)
        except Exception as error:
            self._record(fault("resolving a name", error, self._clock()))
            found = Answer((), Seconds(AFTER_A_FAILURE), type(error).__name__)
        at = self._clock()
        if found.addresses:
            self._record(PeerResolved(at=at, peer=peer, name=name, addresses=found.addresses, lifetime=found.lifetime))
        else:
            self._record(PeerUnresolved(at=at, peer=peer, name=name, why=found.why))
        # A reload may have removed the peer meanwhile: the engine ignores an answer that it does not wait for.
        self._answer(Resolved(peer, name, found.addresses, found.lifetime))

    async def _find(self, name: str) -> Answer:
        if addresses := _from_hosts(self._hosts, name):
            return Answer(addresses, Seconds(SHORTEST_LIFETIME))
        return await self._from_dns(name)

    async def _from_dns(self, name: str) -> Answer:
        from dns.exception import DNSException  # a fifth of a second: paid only where a peer has a name

        try:
            resolver = self._dns()
        except DNSException as error:
            return Answer((), Seconds(AFTER_A_FAILURE), _why(error))
        # A host without IPv6 often has a resolver that fails on AAAA: one family's failure is not the other's.
        outcomes = await asyncio.gather(
            *(resolver.resolve(name, kind, lifetime=PATIENCE, raise_on_no_answer=False) for kind in ("A", "AAAA")),
            return_exceptions=True,
        )
        addresses: list[Address] = []
        lifetimes: list[float] = []
        failures: list[str] = []
        for outcome in outcomes:
            if isinstance(outcome, DNSException):
                failures.append(_why(outcome))
            elif isinstance(outcome, BaseException):
                raise outcome
            elif outcome.rrset is not None:
                addresses += [ip_address(record.address) for record in outcome.rrset]
                lifetimes.append(outcome.chaining_result.minimum_ttl)
        if not addresses:
            why = failures[0] if failures else "the name has no address"
            return Answer((), Seconds(AFTER_A_FAILURE), why)
        lifetime = min(max(min(lifetimes), SHORTEST_LIFETIME), LONGEST_LIFETIME)
        return Answer(tuple(addresses), Seconds(lifetime))


def _system_resolver() -> DnsResolver:
    """Reads resolv.conf anew: on a laptop or in a container it changes while we run."""
    from dns.asyncresolver import Resolver as DnsResolver

    return DnsResolver()


def _from_hosts(hosts: Path, name: str) -> tuple[Address, ...]:
    """Addresses that the hosts file gives a name; like every resolver, it goes before DNS."""
    with contextlib.suppress(OSError):
        return tuple(_matching(hosts.read_text(errors="replace").splitlines(), name.rstrip(".").lower()))
    return ()


def _matching(lines: Iterable[str], name: str) -> Iterable[Address]:
    for line in lines:
        words = line.partition("#")[0].split()
        if name in (word.lower() for word in words[1:]):
            with contextlib.suppress(ValueError):
                yield ip_address(words[0])


def _why(error: Exception) -> str:
    """dnspython's messages name every server that was asked; the first line is what an operator needs."""
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:200]
