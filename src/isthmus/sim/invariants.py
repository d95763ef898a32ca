"""What must hold after every step of every story, whatever the network does.

Each invariant is an object of its own; `Watch` shows it every frame that a site sends, every IKE message in one, every
site that something happened to, and every site whose data plane changed. Each has a mutant in the tests that shows it
can fail.
"""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol as Interface

from isthmus.dataplane.memory import EspPacket, Packet
from isthmus.engine.views import ChildView
from isthmus.events.ike import EngineFault
from isthmus.model.address import Endpoint
from isthmus.model.plan import Plan, PreSharedKey
from isthmus.model.proposal import Protocol
from isthmus.model.quantities import Instant, Seconds
from isthmus.model.sa_spec import Direction, SaId, SaSpec
from isthmus.sim.failure import Violation
from isthmus.sim.network import Frame
from isthmus.sim.reading import header_of
from isthmus.sim.site import Site
from isthmus.wire.ikev1 import header as header_v1
from isthmus.wire.ikev1 import message as message_v1
from isthmus.wire.ikev1 import payloads as payloads_v1
from isthmus.wire.ikev2 import message
from isthmus.wire.ikev2.header import Header
from isthmus.wire.ikev2.payloads import EncryptedFragment, Notify
from isthmus.wire.registry import ExchangeType, ExchangeTypeV1, PayloadType

SHORTEST_SECRET = 8
"""Octets: shorter ones occur by chance in a random string."""

_WORD = 4
"""Octets that messages are searched by; wherever a secret begins, it holds one of them whole."""

IKE_SAS_OF_A_PEER = 6
"""Two that crossed at set-up, each being rekeyed from both ends."""

LEAVING_IKE_SAS_OF_A_PEER = 30
"""Deletes that wait for an answer: the deepest storm of commands in any story, and a margin."""

SAS_OF_A_CHILD = 16
"""Two directions, of two crossed children, each rekeyed from both ends, old and new."""

LATE_PACKETS = Seconds(10.0)
"""How long an inbound SA may serve after it was replaced."""

PHASE_ONE = (ExchangeTypeV1.IDENTITY_PROTECTION, ExchangeTypeV1.AGGRESSIVE)
SEALED = (PayloadType.SK, PayloadType.SKF)
_Line = tuple[bytes, bytes, bool, bool]
"""One direction of one IKE SA: its SPIs, whether the original initiator speaks, and whether it answers."""

LIVE = ("installed", "rekeying")
"""States of a Child SA, on an IKE SA that is not being deleted, in which both its SAs must be in the data plane."""


class Invariant(Interface):
    """`story` is the sentence that is broken when a check fails."""

    story: str

    def sent(self, frame: Frame) -> None: ...

    def spoke(self, frame: Frame, octets: bytes, sites: Mapping[str, Site]) -> None: ...

    def stepped(self, site: Site, sites: Mapping[str, Site]) -> None: ...

    def programmed(self, site: Site, sites: Mapping[str, Site]) -> None: ...


class Quiet:
    """An invariant that looks at one of them only."""

    story: str

    def sent(self, frame: Frame) -> None: ...

    def spoke(self, frame: Frame, octets: bytes, sites: Mapping[str, Site]) -> None: ...

    def stepped(self, site: Site, sites: Mapping[str, Site]) -> None: ...

    def programmed(self, site: Site, sites: Mapping[str, Site]) -> None: ...

    def broken(self, why: str) -> Violation:
        return Violation(self.story, why)


class InboundSpisAreUnique(Quiet):
    story = "no two installed inbound SAs of a gateway share an SPI"

    def programmed(self, site: Site, sites: Mapping[str, Site]) -> None:
        counts = Counter((s.protocol, s.spi) for s in site.plane.installed if s.direction is Direction.INBOUND)
        for (_, spi), count in counts.items():
            if count > 1:
                raise self.broken(f"{site.name} has {count} inbound SAs 0x{spi:08x}")


class EndsAgree(Quiet):
    story = "what one end seals the other can open: keys, algorithms, selectors and mode agree crosswise"

    def __init__(self) -> None:
        self._held: dict[str, tuple[SaSpec, ...]] = {}
        """What each site's data plane held when its SAs were last taken in."""
        self._ends: dict[tuple[Protocol, int], list[tuple[Site, SaSpec]]] = {}
        """Both ends of an SA, by what stands on the wire."""

    def programmed(self, site: Site, sites: Mapping[str, Site]) -> None:
        # Those that will be looked at after this one may hold the other ends already.
        fresh = [end for other in sites.values() if other is site or other.touched for end in self._take_in(other)]
        while fresh:
            here, spec = fresh.pop()
            for there, _ in tuple(self._ends[spec.protocol, spec.spi]):
                fresh += self._take_in(there)
            for there, other in self._ends[spec.protocol, spec.spi]:
                if there is not here and other.direction is not spec.direction:
                    self._compare(*((here, spec), (there, other))[:: 1 if spec.direction is Direction.OUTBOUND else -1])

    def _take_in(self, site: Site) -> list[tuple[Site, SaSpec]]:
        """Those of its SAs that are new, or not as they were."""
        before, now = self._held.get(site.name, ()), site.plane.installed
        if now is before:
            return []
        self._held[site.name] = now
        old, new = {id(spec) for spec in before}, {id(spec) for spec in now}
        for spec in before:
            if id(spec) not in new:
                ends = self._ends[spec.protocol, spec.spi]
                ends[:] = [(there, other) for there, other in ends if other is not spec]
        fresh = [(site, spec) for spec in now if id(spec) not in old]
        for _, spec in fresh:
            self._ends.setdefault((spec.protocol, spec.spi), []).append((site, spec))
        return fresh

    def _compare(self, sender: tuple[Site, SaSpec], receiver: tuple[Site, SaSpec]) -> None:
        if what := _disagreement(sender[1], receiver[1]):
            raise self.broken(f"{what} of SA 0x{sender[1].spi:08x} from {sender[0].name} to {receiver[0].name}")


class KeysAreFresh(Quiet):
    story = "no two SAs of a gateway share a key"

    def programmed(self, site: Site, sites: Mapping[str, Site]) -> None:
        seen: dict[bytes, SaId] = {}
        for spec in site.plane.installed:
            key = spec.encryption_key.reveal() + spec.integrity_key.reveal()
            if len(key) < SHORTEST_SECRET or spec.child in site.plan.manual:
                continue  # keys by hand serve both directions
            if key in seen:
                raise self.broken(f"{site.name}: {spec.id} and {seen[key]}")
            seen[key] = spec.id


class NothingInTheClear(Quiet):
    story = "nothing protected leaves in the clear"

    def sent(self, frame: Frame) -> None:
        if isinstance(frame.body, Packet):
            raise self.broken(f"{frame.body.source} > {frame.body.destination} left as it was")

    def spoke(self, frame: Frame, octets: bytes, sites: Mapping[str, Site]) -> None:
        header = header_of(frame)
        if header is None:
            raise self.broken(f"what {frame.source} sent is no IKE message")
        if not _may_be_open(header, octets):
            raise self.broken(f"{header.exchange.name} {header.message_id} of {frame.source} is not sealed")


class SecretsStayHome(Quiet):
    """Once known as secret, always: keys whose SAs are gone are not sent either."""

    story = "no key and no pre-shared key is ever sent"

    def __init__(self) -> None:
        self._learnt: dict[str, tuple[Plan, tuple[SaSpec, ...]]] = {}
        """What each site's secrets were last read from."""
        self._owners: dict[bytes, str] = {}
        self._by_word: dict[int, set[bytes]] = {}
        """Secrets by each word of theirs that could be the first at a multiple of four octets of a message."""

    def programmed(self, site: Site, sites: Mapping[str, Site]) -> None:
        self._learn(site)

    def spoke(self, frame: Frame, octets: bytes, sites: Mapping[str, Site]) -> None:
        for site in sites.values():
            if site.touched:
                self._learn(site)
        words = memoryview(octets)[: len(octets) // _WORD * _WORD].cast("I")
        for word in self._by_word.keys() & set(words):
            for secret in self._by_word[word]:
                if secret in octets:
                    owner = self._owners[secret]
                    raise self.broken(f"{frame.source} sent a secret of {owner} in {len(octets)} octets")

    def _learn(self, site: Site) -> None:
        sources = site.plan, site.plane.installed
        learnt = self._learnt.get(site.name)
        if learnt is not None and learnt[0] is sources[0] and learnt[1] is sources[1]:
            return
        self._learnt[site.name] = sources
        for secret in _secrets(site):
            if len(secret) >= SHORTEST_SECRET and secret not in self._owners:
                self._owners[secret] = site.name
                for start in range(_WORD):
                    word = int.from_bytes(secret[start : start + _WORD], sys.byteorder)
                    self._by_word.setdefault(word, set()).add(secret)


class MessageIdsRise(Quiet):
    """RFC 7296, 2.1 and 2.2: a new request has the next ID; what is repeated is the same message."""

    story = "message IDs only rise, and a repeated message is the same to the last bit"

    def __init__(self) -> None:
        self._latest: dict[_Line, int] = {}
        self._said: dict[tuple[_Line, int, int, int], bytes] = {}

    def spoke(self, frame: Frame, octets: bytes, sites: Mapping[str, Site]) -> None:
        header = header_of(frame)
        # IKE_SA_INIT is said again with a cookie or another group under the same ID 0 (RFC 7296, 2.6 and 1.2).
        if header is None or header.exchange == ExchangeType.IKE_SA_INIT:
            return
        if header.next_payload not in SEALED:
            return
        line = (header.initiator_spi, header.responder_spi, header.initiator, header.response)
        self._rises(line, header, frame)
        # RFC 7383, 2.5.2: fragments may be cut anew and smaller; then their total grows.
        said = (line, int(header.message_id), *_fragment(octets, header))
        digest = hashlib.blake2b(octets, digest_size=8).digest()
        if self._said.setdefault(said, digest) != digest:
            raise self.broken(f"{_name(header)} of {frame.source} was repeated with other content")

    def _rises(self, line: _Line, header: Header, frame: Frame) -> None:
        number, latest = int(header.message_id), self._latest.get(line)
        if latest is None or number <= latest:
            # The first sealed request of an IKE SA is 1 after IKE_SA_INIT, 0 for the replier and after a rekey.
            known = latest is not None or number <= 1 or header.response
        else:
            known = number == latest + 1 or header.response
        if not known:
            raise self.broken(f"{_name(header)} of {frame.source} follows {latest}")
        self._latest[line] = max(number, latest or 0)


class NumbersOfVersionOneAreFresh(Quiet):
    """RFC 2409, 5.5 and appendix B: the IV of phase 2 comes from the message ID; of one message there may be copies."""

    story = "in version 1 a message ID is used for one exchange, and its IV for one message"

    def __init__(self) -> None:
        self._used: dict[tuple[bytes, bytes, int], bytes] = {}

    def spoke(self, frame: Frame, octets: bytes, sites: Mapping[str, Site]) -> None:
        header = header_of(frame)
        if header is None or header.major != header_v1.MAJOR_VERSION or header.message_id == 0:
            return
        # An exchange of several messages is known by its number alone: each takes its IV from the one before.
        informs = int(header.exchange) == ExchangeTypeV1.INFORMATIONAL
        use = hashlib.blake2b(octets, digest_size=8).digest() if informs else header.exchange.to_bytes(1)
        if self._used.setdefault((header.initiator_spi, header.responder_spi, header.message_id), use) != use:
            raise self.broken(f"{header.message_id:08x} of {frame.source} was used before")


class SequenceNumbersRise(Quiet):
    """RFC 4303, 3.3.3; and no nonce of a counter-mode cipher is used twice."""

    story = "the sequence numbers of an SA only rise"

    def __init__(self) -> None:
        self._latest: dict[tuple[int, Endpoint], int] = {}
        self._by_hand: set[int] = set()
        """SPIs whose keys outlive the memory of what was sent."""

    def programmed(self, site: Site, sites: Mapping[str, Site]) -> None:
        self._by_hand.update(manual.spi_out for manual in site.plan.manual.values())

    def sent(self, frame: Frame) -> None:
        esp = frame.body
        if isinstance(esp, EspPacket) and esp.spi not in self._by_hand:
            line = (esp.spi, frame.destination)
            if esp.sequence <= self._latest.get(line, 0):
                raise self.broken(f"{esp.sequence} again on 0x{esp.spi:08x} of {frame.source}")
            self._latest[line] = esp.sequence


class PlaneHoldsWhatTheGatewaySays(Quiet):
    """Two exceptions, both for the sake of no lost packet.

    An inbound SA that was replaced may receive late packets for a moment after its child is gone; and a successor
    that the peer made need not send before the peer is seen to use it, while its predecessor is still there.
    """

    story = "every SA in the data plane belongs to a child of the gateway, and every live child's SAs are there"

    def __init__(self) -> None:
        self._held: dict[str, dict[SaId, SaSpec]] = {}
        """What each site's data plane holds."""
        self._late: dict[tuple[str, SaId], Instant] = {}
        """Inbound SAs without a child, since when."""

    def programmed(self, site: Site, sites: Mapping[str, Site]) -> None:
        self._held[site.name] = {spec.id: spec for spec in site.plane.installed}

    def stepped(self, site: Site, sites: Mapping[str, Site]) -> None:
        held, children = self._held[site.name], site.child_sas
        self._nobody_owns(site, held, children)
        names = Counter(child.name for child in children)
        for child in live_children(site):
            if child.inbound not in held:
                raise self.broken(f"{site.name}: {child.name} is {child.state} without its {child.inbound}")
            if child.outbound not in held and names[child.name] == 1:
                raise self.broken(f"{site.name}: {child.name} is {child.state} without its {child.outbound}")

    def _nobody_owns(self, site: Site, held: Mapping[SaId, SaSpec], children: tuple[ChildView, ...]) -> None:
        owned = {sa for child in children for sa in (child.inbound, child.outbound)}
        heirs = {child.name for child in children}
        for sa, spec in held.items():
            if sa in owned:
                continue
            since = self._late.setdefault((site.name, sa), site.now)
            replaced = spec.direction is Direction.INBOUND and (spec.child in heirs or since < site.now)
            if not replaced or site.now - since > LATE_PACKETS:
                raise self.broken(f"{site.name}: nobody owns {sa} of {spec.child}")


class StateIsBounded(Quiet):
    story = "state is bounded, whatever is sent to us"

    def stepped(self, site: Site, sites: Mapping[str, Site]) -> None:
        if site.gateway is None:
            return
        plan, states = site.gateway.plan, [ike.state for ike in site.ike_sas]
        half_open, leaving = states.count("connecting"), states.count("deleting")
        peers, children = len(plan.peers), sum(len(tunnel.children) for tunnel in plan.tunnels.values())
        children += len(plan.manual)
        for what, count, limit in (
            ("half-open IKE SAs", half_open, plan.settings.maximum_half_opened_sa + peers),
            ("IKE SAs", len(states) - half_open - leaving, IKE_SAS_OF_A_PEER * peers),
            ("IKE SAs on their way out", leaving, LEAVING_IKE_SAS_OF_A_PEER * peers),
            ("IPsec SAs", len(site.plane.installed), SAS_OF_A_CHILD * children),
        ):
            if count > limit:
                raise self.broken(f"{site.name} holds {count} {what}, at most {limit} are explained")


class EffectsAreAnswered(Quiet):
    story = "every effect is applied or answered"

    def stepped(self, site: Site, sites: Mapping[str, Site]) -> None:
        if site.ledger.open:
            ticket, op = next(iter(site.ledger.open.items()))
            raise self.broken(f"{site.name}: {type(op).__name__} with ticket {ticket} had no outcome")


class NoFaults(Quiet):
    story = "no bug of ours ends an SA"

    def __init__(self) -> None:
        self._read: Counter[str] = Counter()

    def stepped(self, site: Site, sites: Mapping[str, Site]) -> None:
        for event in site.events[self._read[site.name] :]:
            if isinstance(event, EngineFault):
                raise self.broken(f"{site.name}: {event.tell()}")
        self._read[site.name] = len(site.events)


def all_invariants() -> tuple[Invariant, ...]:
    """Fresh ones, for one run."""
    return (
        InboundSpisAreUnique(),
        EndsAgree(),
        KeysAreFresh(),
        NothingInTheClear(),
        SecretsStayHome(),
        MessageIdsRise(),
        NumbersOfVersionOneAreFresh(),
        SequenceNumbersRise(),
        PlaneHoldsWhatTheGatewaySays(),
        StateIsBounded(),
        EffectsAreAnswered(),
        NoFaults(),
    )


def quiet(sites: Iterable[Site]) -> bool:
    """Nothing is being negotiated, rekeyed or deleted anywhere."""
    return all(
        ike.state == "established" and all(child.state == "installed" for child in ike.children)
        for site in sites
        for ike in site.ike_sas
    )


def duplicates(site: Site) -> Iterator[str]:
    """Configured children with more than one live Child SA for the same selectors; to be asked once all is quiet."""
    live = Counter(_selectors(child) for child in live_children(site))
    return (f"{count} Child SAs of {name} at {site.name}" for (name, *_), count in live.items() if count > 1)


def live_children(site: Site, name: str | None = None) -> tuple[ChildView, ...]:
    """The Child SAs in force, of one configured child or of all."""
    children = (child for ike in site.ike_sas if ike.state != "deleting" for child in ike.children)
    return tuple(child for child in children if child.state in LIVE and name in (None, child.name))


def _selectors(child: ChildView) -> tuple[str, frozenset[object], frozenset[object]]:
    return child.name, frozenset(child.local_ts), frozenset(child.remote_ts)


def _disagreement(out: SaSpec, into: SaSpec) -> str | None:
    pairs = {
        "encryption": (out.encryption, into.encryption),
        "encryption key": (out.encryption_key, into.encryption_key),
        "integrity": (out.integrity, into.integrity),
        "integrity key": (out.integrity_key, into.integrity_key),
        "ESN": (out.esn, into.esn),
        "mode": (out.mode, into.mode),
        "encapsulation": (out.udp, into.udp),
        "selectors of the sender": (set(out.local_selectors), set(into.remote_selectors)),
        "selectors of the receiver": (set(out.remote_selectors), set(into.local_selectors)),
    }
    return next((what for what, (one, other) in pairs.items() if one != other), None)


def _secrets(site: Site) -> Iterator[bytes]:
    for spec in site.plane.installed:
        yield spec.encryption_key.reveal()
        yield spec.integrity_key.reveal()
    for peer in site.plan.peers.values():
        if isinstance(peer.authentication, PreSharedKey):
            yield peer.authentication.secret.reveal()
        for key in peer.ppk.keys.values() if peer.ppk is not None else ():
            yield key.reveal()


def _may_be_open(header: Header, octets: bytes) -> bool:
    if header.major == header_v1.MAJOR_VERSION:
        return _may_be_open_in_version_one(octets)
    if header.exchange == ExchangeType.IKE_SA_INIT or header.next_payload in SEALED:
        return True
    # RFC 7296, 1.5 and 2.21: without an SA that both know, one error notification may answer.
    payloads = message.decode(octets).payloads
    return header.response and len(payloads) == 1 and isinstance(payloads[0], Notify)


def _may_be_open_in_version_one(octets: bytes) -> bool:
    read = message_v1.decode(octets)
    if read.header.encrypted or read.header.exchange in PHASE_ONE:
        return True
    # RFC 2408, 5: before there is an SA, one error notification may answer.
    return len(read.chain.payloads) == 1 and isinstance(read.chain.payloads[0], payloads_v1.Notify)


def _fragment(octets: bytes, header: Header) -> tuple[int, int]:
    if header.next_payload != PayloadType.SKF:
        return 0, 0
    last = message.decode(octets).payloads[-1]
    return (last.number, last.total) if isinstance(last, EncryptedFragment) else (0, 0)


def _name(header: Header) -> str:
    return f"{header.exchange.name} {'response' if header.response else 'request'} {header.message_id}"
