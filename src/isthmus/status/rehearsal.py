"""What `check --peer` found, field by field as `--json` has it. Names and types are a promise; fields may be added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated


@dataclass(frozen=True, slots=True)
class ProblemRow:
    """One problem of one configuration."""

    file: Annotated[str, "as it was named on the command line"]
    line: Annotated[int, "from 1"]
    column: Annotated[int, "from 1, in characters"]
    code: Annotated[str, "stable: `UNKNOWN-NAME`"]
    severity: Annotated[str, "`error` or `warning`"]
    text: Annotated[str, "what is wrong"]
    suggestion: Annotated[str | None, "what was probably meant"]


@dataclass(frozen=True, slots=True)
class PositionRow:
    """What one end has, and where it is written."""

    file: Annotated[str, "the file of the option, or of the nearest noun around it that is written"]
    line: Annotated[int, "its line"]
    option: Annotated[str, "its path: `ike-crypto-profiles.strong.dh-group`"]
    values: Annotated[list[str], "as the configuration spells them; never a secret"]


@dataclass(frozen=True, slots=True)
class PointRow:
    """One option on which the ends differ."""

    option: Annotated[str, "`dh-group`, `local and remote`"]
    ours: Annotated[PositionRow, "of FILE"]
    theirs: Annotated[PositionRow, "of the `--peer` file"]


@dataclass(frozen=True, slots=True)
class RemedyRow:
    """A change at one end that takes the obstacle away; any one of the list will do for its option."""

    side: Annotated[str, "`ours` or `theirs`"]
    file: Annotated[str, "the file to change"]
    line: Annotated[int, "its line"]
    change: Annotated[str, "what to write there"]


@dataclass(frozen=True, slots=True)
class ObstacleRow:
    """One cause why something does not come up, or does not stay up."""

    title: Annotated[str, "in one line"]
    act: Annotated[str, "what failed first: `ike-sa`, `child-sa`, `rekey-child-sa` or `rekey-ike-sa`"]
    stage: Annotated[
        str, "its exchange: `IKE_SA_INIT`, `IKE_AUTH`, `CREATE_CHILD_SA`; empty where nothing was answered"
    ]
    reason: Annotated[str, "machine-readable: as in the events, `no-proposal-chosen`; or `no-way-for-esp`"]
    asker: Annotated[str, "who asked: `ours` or `theirs`"]
    begins: Annotated[list[str], "whose calls met it: `ours`, `theirs` or both; empty where nobody calls"]
    blocks_ours: Annotated[list[str], "our tunnels and proxy IDs that suffer"]
    blocks_theirs: Annotated[list[str], "the other end's"]
    points: Annotated[list[PointRow], "where the ends differ"]
    fits: Annotated[list[str], "algorithms that both have for the other options"]
    remedies: Annotated[list[RemedyRow], "the change that weakens nothing first"]


@dataclass(frozen=True, slots=True)
class CallRow:
    """What comes of it when one end begins."""

    begins: Annotated[str, "`ours` or `theirs`"]
    result: Annotated[str, "of the IKE SA: `up`, `failed`, or `never`: this end does not begin"]
    text: Annotated[str | None, "why it never begins"]
    version: Annotated[str | None, "of the IKE SA: `ikev1` or `ikev2`; null where there was none"]
    suite: Annotated[str | None, "of the IKE SA; null where there was none"]
    answered_by: Annotated[str | None, "gateway of the other end that took the call"]
    nat: Annotated[str, "behind a NAT, as the caller sees it: `none`, `local`, `remote` or `both`"]
    rekeyed: Annotated[bool, "whether the IKE SA was rekeyed from both ends"]
    weak: Annotated[list[str], "weak algorithms that were agreed on, with the RFC that says so"]


@dataclass(frozen=True, slots=True)
class ChildRow:
    """A proxy ID of one end, and the one of the other end that answers it."""

    ours: Annotated[str | None, "`tunnel` or `tunnel:proxy-id`; null: none of ours answers"]
    theirs: Annotated[str | None, "the same at the other end"]
    result: Annotated[
        str,
        "`up`, `until-rekey` (it comes up and its first rekey fails), `no-traffic` (IKE agrees, and no packet would "
        "arrive), `failed` or `disabled`",
    ]
    suite: Annotated[str | None, "`aes-256-gcm`; null where it never stood"]
    pfs: Annotated[str | None, "key exchange of its own when it is rekeyed: `group20`; null: none"]
    protocol: Annotated[str | None, "`esp` or `ah`; null where it never stood"]
    mode: Annotated[str | None, "`tunnel` or `transport`; null where it never stood"]
    encapsulation: Annotated[str | None, "of what we send: `udp` or `none`; null where it never stood"]
    encapsulation_theirs: Annotated[str | None, "of what the other end sends"]
    local_ts: Annotated[list[str], "traffic selectors on our side"]
    remote_ts: Annotated[list[str], "traffic selectors on the other side"]
    narrowed: Annotated[bool, "whether that is less than one of the ends has configured"]
    rekeyed: Annotated[bool, "whether it was rekeyed from both ends"]


@dataclass(frozen=True, slots=True)
class MeetingRow:
    """Two gateways that mean each other."""

    gateway: Annotated[str, "name in `ike-gateways` of FILE"]
    peer_gateway: Annotated[str, "name in `ike-gateways` of the `--peer` file"]
    comes_up: Annotated[bool, "whether everything between them comes up, whoever begins, and stays up"]
    calls: Annotated[list[CallRow], "ours, then theirs"]
    children: Annotated[list[ChildRow], "every configured proxy ID of both"]
    obstacles: Annotated[list[ObstacleRow], "none where it comes up"]


@dataclass(frozen=True, slots=True)
class UnmatchedRow:
    """A gateway without a counterpart in the other configuration."""

    side: Annotated[str, "`ours` or `theirs`"]
    gateway: Annotated[str, "name in `ike-gateways`"]
    file: Annotated[str, "where it is written"]
    line: Annotated[int, "its line"]
    why: Annotated[str, "what keeps it alone"]


@dataclass(frozen=True, slots=True)
class RehearsalRow:
    """Two configurations, negotiated offline."""

    file: Annotated[str, "FILE: what `ours` means"]
    peer: Annotated[str, "the `--peer` file: what `theirs` means"]
    comes_up: Annotated[bool, "the exit status: true is 0, false is 1, or 5 where a configuration is invalid"]
    problems: Annotated[list[ProblemRow], "of both configurations, as `check --json` lists them"]
    meetings: Annotated[list[MeetingRow], "empty where a configuration is invalid, or no two gateways mean each other"]
    unmatched: Annotated[list[UnmatchedRow], "no failure as long as two others meet"]
