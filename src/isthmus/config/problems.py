"""What can be wrong with a configuration: the one table of codes, and the problems themselves."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from isthmus.config.place import Place


class Severity(StrEnum):
    ERROR = "error"
    """The configuration is not used."""
    WARNING = "warning"
    """It is used, and somebody should look."""


@dataclass(frozen=True, slots=True)
class Code:
    """A kind of problem. The name is stable: people search for it."""

    name: str
    severity: Severity
    title: str

    def __str__(self) -> str:
        return self.name


def _error(name: str, title: str) -> Code:
    return Code(name, Severity.ERROR, title)


def _warning(name: str, title: str) -> Code:
    return Code(name, Severity.WARNING, title)


UNREADABLE = _error("UNREADABLE", "A file or directory is missing, is not readable, or is not a regular file")
TOO_LARGE = _error("TOO-LARGE", "The configuration exceeds a limit of size, nesting or number")
SYNTAX = _error("SYNTAX", "The text is not one document of plain YAML 1.2 in UTF-8")
DUPLICATE = _error("DUPLICATE", "The same key, name, address or list item occurs twice")
UNKNOWN_KEY = _error("UNKNOWN-KEY", "There is no such option here")
MISSING = _error("MISSING", "A required option, or the value of an option, is missing")
WRONG_TYPE = _error("WRONG-TYPE", "Another kind of value is wanted: a mapping, a list, a number, true or false")
UNKNOWN_VALUE = _error("UNKNOWN-VALUE", "The option takes only certain words, and this is none of them")
MALFORMED = _error("MALFORMED", "The value is not written as its kind is: an address, a duration, a name")
OUT_OF_RANGE = _error("OUT-OF-RANGE", "The number, duration or size is outside its range")
UNKNOWN_NAME = _error("UNKNOWN-NAME", "A reference to something that is not defined")
CONFLICT = _error("CONFLICT", "Options that exclude each other, or one that needs another")
NOT_SUPPORTED = _error("NOT-SUPPORTED", "A valid option whose behaviour is not yet supported")
NO_SECRET = _error("NO-SECRET", "A secret cannot be read, is empty, or is malformed")
INTERFACE_KIND = _error("INTERFACE-KIND", "A tunnel interface where one of the host is wanted, or the other way round")
INTERFACE_UNPLACED = _error(
    "INTERFACE-UNPLACED", "An interface in use without the zone or virtual router that it needs"
)
ROUTER_MISMATCH = _error("ROUTER-MISMATCH", "Interfaces that must share a virtual router are in different ones")
COOKIE_THRESHOLD = _error("COOKIE-THRESHOLD", "The cookie threshold is not below the half-open maximum")
MONITOR_ADDRESS = _error("MONITOR-ADDRESS", "A monitored tunnel interface has no address to send probes from")
PEER_UNIDENTIFIED = _error("PEER-UNIDENTIFIED", "A peer with a dynamic address and without a peer-id")
FAMILY_MISMATCH = _error("FAMILY-MISMATCH", "IPv4 on one side and IPv6 on the other")
ALGORITHMS = _error("ALGORITHMS", "Algorithms that do not go together")
DUPLICATE_PROXY_ID = _error("DUPLICATE-PROXY-ID", "Two proxy IDs of one tunnel interface select the same traffic")
TOO_MANY_PROXY_IDS = _error("TOO-MANY-PROXY-IDS", "More than 250 proxy IDs on one tunnel interface")
NAME_TOO_LONG = _error("NAME-TOO-LONG", "A name, or tunnel:proxy-id together, is longer than 63 characters")
DUPLICATE_ROUTE = _error("DUPLICATE-ROUTE", "Two routes to one destination with the same metric")
NO_ADDRESS = _error("NO-ADDRESS", "The interface has no address on this host, and local-address is not given")
REFUSED_ALGORITHM = _error("REFUSED-ALGORITHM", "A weak algorithm or mode where settings.weak-algorithms is refuse")

WEAK_ALGORITHM = _warning("WEAK-ALGORITHM", "An algorithm that an RFC advises against")
AGGRESSIVE_MODE = _warning("AGGRESSIVE-MODE", "Aggressive mode shows anybody a hash of the pre-shared key")
MANUAL_KEY = _warning("MANUAL-KEY", "Keys by hand, which nobody renews")
PLAIN_SECRET = _warning("PLAIN-SECRET", "A secret stands in the configuration itself")
READABLE_SECRET = _warning("READABLE-SECRET", "Every user of the host can read the file of a secret")
WEAK_SECRET = _warning("WEAK-SECRET", "A pre-shared key that can be guessed")
UNUSED_ALGORITHM = _warning("UNUSED-ALGORITHM", "An algorithm that no suite of the profile can use")
ZONES_NOT_ENFORCED = _warning("ZONES-NOT-ENFORCED", "Zones are recorded and shown, but not enforced yet")
SHADOWED_PROXY_ID = _warning("SHADOWED-PROXY-ID", "An earlier proxy ID takes all the traffic of this one")
AMBIGUOUS_PEER = _warning("AMBIGUOUS-PEER", "Gateways that cannot be told apart when the peer begins")
ROUTE_WITHOUT_PROXY_ID = _warning("ROUTE-WITHOUT-PROXY-ID", "A route into a tunnel that no proxy ID admits")

CODES: tuple[Code, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Code))
CODE_BY_NAME = {code.name: code for code in CODES}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. Neither the text nor the suggestion ever holds a secret."""

    place: Place
    code: Code
    text: str
    suggestion: str | None = None
    """What was probably meant, in the spelling of the file."""

    def __str__(self) -> str:
        """`file:line:col: CODE: text`."""
        mark = "warning: " if self.code.severity is Severity.WARNING else ""
        hint = f"; did you mean {self.suggestion}?" if self.suggestion else ""
        return f"{self.place}: {self.code}: {mark}{self.text}{hint}"


class Problems:
    """Collects problems; bounded, so that a hostile file cannot make us write a book."""

    LIMIT = 1000

    def __init__(self) -> None:
        self._found: dict[tuple[Place, str, str], Problem] = {}

    def add(self, code: Code, place: Place, text: str, suggestion: str | None = None) -> None:
        if len(self._found) < self.LIMIT:
            self._found.setdefault((place, code.name, text), Problem(place, code, text, suggestion))

    @property
    def full(self) -> bool:
        return len(self._found) >= self.LIMIT

    def sorted(self) -> tuple[Problem, ...]:
        """All of them by place, errors before warnings where they meet."""
        found = sorted(self._found.values(), key=lambda p: (p.place, p.code.severity, p.code.name, p.text))
        if self.full:
            last = Place(found[-1].place.file, found[-1].place.line, found[-1].place.column)
            found.append(Problem(last, TOO_LARGE, f"more than {self.LIMIT} problems; the rest is not shown"))
        return tuple(found)


def nearest(word: str, among: Iterable[str]) -> str | None:
    """The word that was probably meant, if one is near enough."""
    if len(word) > 64:  # difflib is quadratic, and nobody misspells so long a word
        return None
    candidates = list(among)
    by_folded = {candidate.lower().replace("_", "-"): candidate for candidate in candidates}
    folded = word.lower().replace("_", "-").replace(" ", "-")
    if folded in by_folded:
        return by_folded[folded]
    matches = difflib.get_close_matches(folded, by_folded, n=1, cutoff=0.6)
    return by_folded[matches[0]] if matches else None
