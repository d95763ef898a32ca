"""Facts about IKE SAs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from isthmus.events.event import Event, Severity
from isthmus.model.address import Endpoint


class FailureReason(StrEnum):
    """Why a negotiation came to nothing. Diagnosis, metrics and `test` read this, never a text."""

    NO_ANSWER = "no-answer"
    NO_PROPOSAL_CHOSEN = "no-proposal-chosen"
    INVALID_KEY_EXCHANGE = "invalid-key-exchange"
    AUTHENTICATION_FAILED = "authentication-failed"
    IDENTITY_MISMATCH = "identity-mismatch"
    PPK_MISMATCH = "ppk-mismatch"
    SELECTORS_UNACCEPTABLE = "selectors-unacceptable"
    NO_ADDITIONAL_SAS = "no-additional-sas"
    TEMPORARY_FAILURE = "temporary-failure"
    CHILD_SA_NOT_FOUND = "child-sa-not-found"
    UNSUPPORTED_CRITICAL_PAYLOAD = "unsupported-critical-payload"
    INVALID_SYNTAX = "invalid-syntax"
    INVALID_MAJOR_VERSION = "invalid-major-version"
    NOT_RESOLVED = "not-resolved"
    DATA_PLANE_REFUSED = "data-plane-refused"
    DELETED_BY_PEER = "deleted-by-peer"
    DELETED_HERE = "deleted-here"
    PEER_REFUSED = "peer-refused"
    ONLY_RESPONDS = "only-responds"
    BEHIND_NAT = "behind-nat"
    MODE_MISMATCH = "mode-mismatch"
    INTERNAL_ERROR = "internal-error"


@dataclass(frozen=True, slots=True, kw_only=True)
class IkeStarted(Event):
    code: ClassVar[str] = "ike.started"
    story: ClassVar[str] = "IKE SA with {peer} begun as {role}, {local} - {remote}"

    role: str
    local: Endpoint
    remote: Endpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class IkeEstablished(Event):
    code: ClassVar[str] = "ike.established"
    severity: ClassVar[Severity] = Severity.NOTICE
    story: ClassVar[str] = "IKE SA with {peer} established as {role}: {suite}, {local_id} - {remote_id}"

    role: str
    suite: str
    local_id: str
    remote_id: str
    local: Endpoint
    remote: Endpoint
    took: float
    """Seconds since the first message."""
    ppk: str | None = None
    """The post-quantum pre-shared key that was mixed in (RFC 8784)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IkeRekeyed(Event):
    code: ClassVar[str] = "ike.rekeyed"
    story: ClassVar[str] = "IKE SA with {peer} has new keys: {suite}"

    old: str
    """The IKE SA that it succeeds."""
    suite: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IkeRekeyCollision(Event):
    code: ClassVar[str] = "ike.rekey-collision"
    story: ClassVar[str] = "Both ends rekeyed the IKE SA with {peer} at once; {winner} successor stays"

    winner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FellBack(Event):
    code: ClassVar[str] = "ike.fell-back"
    severity: ClassVar[Severity] = Severity.NOTICE
    story: ClassVar[str] = "{peer} is called by IKEv1, as version: ikev2-preferred allows; by IKEv2: {why}"

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OlderVersionServes(Event):
    code: ClassVar[str] = "ike.older-version"
    severity: ClassVar[Severity] = Severity.WARNING
    story: ClassVar[str] = "{peer} speaks IKEv1 with us, which RFC 9395 deprecates, though IKEv2 is preferred"


@dataclass(frozen=True, slots=True, kw_only=True)
class TwinIkeSa(Event):
    code: ClassVar[str] = "ike.twin"
    severity: ClassVar[Severity] = Severity.NOTICE
    story: ClassVar[str] = "Two IKE SAs with {peer}: {decision}"

    decision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IkeDeleted(Event):
    code: ClassVar[str] = "ike.deleted"
    severity: ClassVar[Severity] = Severity.NOTICE
    story: ClassVar[str] = "IKE SA with {peer} deleted: {reason}"

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NegotiationFailed(Event):
    """An IKE SA, or a child (`child` is set), could not be set up. Carries both sides of the disagreement."""

    code: ClassVar[str] = "negotiation.failed"
    severity: ClassVar[Severity] = Severity.WARNING
    story: ClassVar[str] = (
        "{stage} with {peer} failed as {role}: {reason} {detail}. They said: {they_said}. We said: {we_said}"
    )

    stage: str
    """The exchange: IKE_SA_INIT, IKE_AUTH, CREATE_CHILD_SA, INFORMATIONAL."""
    role: str
    reason: FailureReason
    child: str | None = None
    they_said: tuple[str, ...] = ()
    we_said: tuple[str, ...] = ()
    detail: str = ""
    count: int = 1
    """How many alike are told by this one event: of those that strangers bring about one a second leaves the engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerSilent(Event):
    code: ClassVar[str] = "ike.peer-silent"
    severity: ClassVar[Severity] = Severity.WARNING
    story: ClassVar[str] = "{peer} did not answer {exchange} after {attempts} tries"

    exchange: str
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerRebooted(Event):
    code: ClassVar[str] = "ike.initial-contact"
    severity: ClassVar[Severity] = Severity.NOTICE
    story: ClassVar[str] = "{peer} says that it is new (INITIAL_CONTACT): {replaced} older IKE SAs removed"

    replaced: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryScheduled(Event):
    code: ClassVar[str] = "ike.retry-scheduled"
    story: ClassVar[str] = "Next attempt to reach {peer} in {wait:.1f} s"

    wait: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WeakAlgorithm(Event):
    code: ClassVar[str] = "ike.weak-algorithm"
    severity: ClassVar[Severity] = Severity.WARNING
    story: ClassVar[str] = "Agreed with {peer} on a weak algorithm, {algorithm}: {because}"

    algorithm: str
    because: str
    child: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PpkNotUsed(Event):
    """One is configured as preferred, and the peer does without."""

    code: ClassVar[str] = "ike.ppk-not-used"
    severity: ClassVar[Severity] = Severity.WARNING
    story: ClassVar[str] = (
        "IKE SA with {peer} stands without post-quantum pre-shared key. They said: {they_said}. We said: {we_said}"
    )

    they_said: tuple[str, ...] = ()
    we_said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CookieDemanded(Event):
    code: ClassVar[str] = "ike.cookie-demanded"
    severity: ClassVar[Severity] = Severity.DEBUG
    story: ClassVar[str] = "{remote} was asked for a cookie: {half_open} half-open IKE SAs, {count} times"

    remote: Endpoint
    half_open: int
    count: int = 1
    """How many demands are told by this one event: at most one a second leaves the engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NatDetected(Event):
    code: ClassVar[str] = "ike.nat-detected"
    story: ClassVar[str] = "NAT towards {peer}: {where}"

    where: str
    """local, remote or both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IkeRedirected(Event):
    """The peer names another gateway in its place (RFC 5685)."""

    code: ClassVar[str] = "ike.redirected"
    severity: ClassVar[Severity] = Severity.NOTICE
    story: ClassVar[str] = "{peer} sends us to {gateway}"

    gateway: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RedirectRefused(Event):
    code: ClassVar[str] = "ike.redirect-refused"
    severity: ClassVar[Severity] = Severity.WARNING
    story: ClassVar[str] = "{peer} sends us to {gateway}, where we do not go: {why}"

    gateway: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorsAnnounced(Event):
    code: ClassVar[str] = "ike.vendors"
    severity: ClassVar[Severity] = Severity.DEBUG
    story: ClassVar[str] = "{peer} announces {vendors}"

    vendors: tuple[str, ...]
    """By name where we know it, else in hex."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsupportedNotifyIgnored(Event):
    code: ClassVar[str] = "ike.notify-ignored"
    severity: ClassVar[Severity] = Severity.DEBUG
    story: ClassVar[str] = "Notify {notify} from {peer} ignored"

    notify: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IkeMoved(Event):
    """An end has a new address, and both know it (RFC 4555)."""

    code: ClassVar[str] = "ike.moved"
    severity: ClassVar[Severity] = Severity.NOTICE
    story: ClassVar[str] = "IKE SA with {peer} moved: {local} - {remote}, NAT: {nat}"

    local: Endpoint
    remote: Endpoint
    nat: str
    """none, local, remote, both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFault(Event):
    """A bug of ours ended one SA. `trace` holds file and line, and no data."""

    code: ClassVar[str] = "engine.fault"
    severity: ClassVar[Severity] = Severity.ERROR
    story: ClassVar[str] = "Internal fault, {error}, at {trace}"

    error: str
    trace: tuple[str, ...] = ()
