"""`isthmus check FILE --peer FILE`: the two negotiate offline; what comes up, and where not, which line to change."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path as FilePath

from rich.console import RenderableType
from rich.text import Text

from isthmus.cli.exit import ExitStatus
from isthmus.cli.screen import console, plain, state
from isthmus.config.compile import Compiled
from isthmus.config.compile import compile as compile_plan
from isthmus.config.load import Document
from isthmus.config.place import Place
from isthmus.config.tree import Places
from isthmus.events.ike import FailureReason
from isthmus.model.plan import Version
from isthmus.sim.attempt import Attempt
from isthmus.sim.obstacles import Obstacle, Path, Point, Position, Remedy
from isthmus.sim.pairing import Side, Unmatched
from isthmus.sim.rehearsal import Fate, Meeting, Rehearsal, Result, rehearse
from isthmus.status.rehearsal import (
    CallRow,
    ChildRow,
    MeetingRow,
    ObstacleRow,
    PointRow,
    PositionRow,
    ProblemRow,
    RehearsalRow,
    RemedyRow,
    UnmatchedRow,
)

_LABEL = 14
"""Columns of what stands before each line of a finding."""

_SCREENFUL = 16
"""Children that are listed one by one."""

_FEW = 6
"""Names in one line."""


def report(
    files: tuple[FilePath, FilePath],
    documents: tuple[Document, Document],
    problems: Sequence[ProblemRow],
    *,
    as_json: bool,
) -> ExitStatus:
    """Rehearses the two and prints what came of it."""
    row = rehearsed(files, documents, problems)
    if as_json:
        print(json.dumps(asdict(row), indent=2))
    else:
        screen = console()
        for line in _lines(row):
            screen.print(line)
    if not all(document.valid for document in documents):
        return ExitStatus.CONFIGURATION_INVALID
    return ExitStatus.DONE if row.comes_up else ExitStatus.FAILED


def rehearsed(
    files: tuple[FilePath, FilePath], documents: tuple[Document, Document], problems: Sequence[ProblemRow]
) -> RehearsalRow:
    """The rehearsal as rows, each option with its place; of an invalid configuration its problems and nothing else."""
    ours, theirs = (compile_plan(document) for document in documents)
    if ours.plan is None or theirs.plan is None:
        return RehearsalRow(str(files[0]), str(files[1]), False, list(problems), [], [])
    return _Surveyor(files, (ours, theirs)).row(rehearse(ours.plan, theirs.plan), problems)


class _Surveyor:
    """Turns paths into places."""

    def __init__(self, files: tuple[FilePath, FilePath], compiled: tuple[Compiled, Compiled]) -> None:
        self._files = files
        self._places = {side: one.places for side, one in zip(Side, compiled, strict=True)}

    def row(self, found: Rehearsal, problems: Sequence[ProblemRow]) -> RehearsalRow:
        return RehearsalRow(
            file=str(self._files[0]),
            peer=str(self._files[1]),
            comes_up=found.comes_up,
            problems=list(problems),
            meetings=[self._meeting(meeting) for meeting in found.meetings],
            unmatched=[self._unmatched(unmatched) for unmatched in found.unmatched],
        )

    def _meeting(self, meeting: Meeting) -> MeetingRow:
        return MeetingRow(
            gateway=meeting.pair.ours.name,
            peer_gateway=meeting.pair.theirs.name,
            comes_up=meeting.comes_up,
            calls=[_call(attempt) for attempt in meeting.attempts],
            children=[_child(fate) for fate in meeting.fates],
            obstacles=[self._obstacle(obstacle) for obstacle in meeting.obstacles],
        )

    def _obstacle(self, obstacle: Obstacle) -> ObstacleRow:
        return ObstacleRow(
            title=obstacle.title,
            act=str(obstacle.act),
            stage=obstacle.stage,
            reason=str(obstacle.reason),
            asker=str(obstacle.asker),
            begins=[str(side) for side in obstacle.begins],
            blocks_ours=[name for side, name in obstacle.blocks if side is Side.OURS],
            blocks_theirs=[name for side, name in obstacle.blocks if side is Side.THEIRS],
            points=[self._point(point) for point in obstacle.points],
            fits=list(obstacle.fits),
            remedies=[self._remedy(remedy) for remedy in obstacle.remedies],
        )

    def _point(self, point: Point) -> PointRow:
        return PointRow(point.option, self._position(Side.OURS, point.ours), self._position(Side.THEIRS, point.theirs))

    def _position(self, side: Side, position: Position) -> PositionRow:
        path, place = _written(self._places[side], position.paths)
        return PositionRow(place.file, place.line, ".".join(path), list(position.words))

    def _remedy(self, remedy: Remedy) -> RemedyRow:
        _, place = _written(self._places[remedy.side], remedy.paths)
        return RemedyRow(str(remedy.side), place.file, place.line, remedy.change)

    def _unmatched(self, unmatched: Unmatched) -> UnmatchedRow:
        place = self._places[unmatched.side].of("ike-gateways", unmatched.gateway)
        return UnmatchedRow(str(unmatched.side), unmatched.gateway, place.file, place.line, unmatched.why)


def _written(places: Places, paths: Sequence[Path]) -> tuple[Path, Place]:
    """The first of the paths that is written down."""
    path = next((path for path in paths if places.has(*path)), paths[-1])
    return path, places.of(*path)


def _call(attempt: Attempt) -> CallRow:
    result = "never" if attempt.never else "up" if attempt.up else "failed"
    return CallRow(
        begins=str(attempt.begins),
        result=result,
        text=attempt.never,
        version=attempt.version.value if attempt.version is not None else None,
        suite=attempt.suite,
        answered_by=attempt.answered_by,
        nat=attempt.nat,
        rekeyed=attempt.rekeyed,
        weak=list(attempt.weak),
    )


def _child(fate: Fate) -> ChildRow:
    stood = fate.standing
    local, remote = stood.selectors if stood else ((), ())
    encapsulation = {side: "udp" if udp else "none" for side, udp in stood.udp.items()} if stood else {}
    return ChildRow(
        ours=fate.ours,
        theirs=fate.theirs,
        result=str(fate.result),
        suite=stood.suite if stood else None,
        pfs=stood.pfs if stood else None,
        protocol=stood.protocol.name.lower() if stood else None,
        mode=stood.mode.value if stood else None,
        encapsulation=encapsulation.get(Side.OURS),
        encapsulation_theirs=encapsulation.get(Side.THEIRS),
        local_ts=[str(selector) for selector in local],
        remote_ts=[str(selector) for selector in remote],
        narrowed=stood.narrowed if stood else False,
        rekeyed=stood.rekeyed if stood else False,
    )


# -- for people


def _lines(row: RehearsalRow) -> Iterator[RenderableType]:
    yield plain(f"we: {row.file}; they: {row.peer}")
    for meeting in row.meetings:
        yield plain("")
        yield plain(f"gateway {meeting.gateway} <-> {meeting.peer_gateway}", "bold")
        for call in meeting.calls:
            yield Text.assemble(
                f"  {_begins(call.begins):<{_LABEL}}", state(call.result), plain(_called(call, meeting))
            )
        for child in _worst_first(meeting.children)[:_SCREENFUL]:
            name = " <-> ".join(name or "nothing" for name in (child.ours, child.theirs))
            yield Text.assemble(plain(f"  {name}  "), state(child.result), plain(_carried(child)))
        rest = Counter(child.result for child in _worst_first(meeting.children)[_SCREENFUL:])
        if rest:
            yield plain(f"  and {', '.join(f'{number} more {result}' for result, number in rest.items())}")
        for obstacle in meeting.obstacles:
            yield plain("")
            yield from _finding(obstacle)
    if row.unmatched:
        yield plain("")
    for alone in row.unmatched:
        owner = "our" if alone.side == Side.OURS else "their"
        yield plain(f"{alone.file}:{alone.line}: {owner} gateway {alone.gateway} is not rehearsed: {alone.why}")
    yield plain("")
    yield plain(_verdict(row), "bold")


def _worst_first(children: Sequence[ChildRow]) -> list[ChildRow]:
    """In their order, as long as all of them have room; else what is not up before what is."""
    if len(children) <= _SCREENFUL:
        return list(children)
    return sorted(children, key=lambda child: child.result in (Result.UP, Result.DISABLED))


def _called(call: CallRow, meeting: MeetingRow) -> str:
    if call.text is not None:
        return f"  {call.text}"
    if call.suite is None:
        return "  no IKE SA"
    nat = "" if call.nat == "none" else f", NAT: {call.nat}"
    meant = meeting.peer_gateway if call.begins == Side.OURS else meeting.gateway
    other = f", answered by {call.answered_by}" if call.answered_by not in (None, meant) else ""
    rekeyed = ", rekeyed from both ends" if call.rekeyed else ", not rekeyed"
    older = "IKEv1, " if call.version == Version.IKEV1 else ""
    return f"  {older}{call.suite}{nat}{other}{rekeyed}" + "".join(f"; weak: {what}" for what in call.weak)


def _carried(child: ChildRow) -> str:
    if child.suite is None:
        return ""
    selectors = f"{', '.join(child.local_ts)} <-> {', '.join(child.remote_ts)}"
    narrowed = " (narrowed)" if child.narrowed else ""
    ours, theirs = (
        "AH" if child.protocol == "ah" else "ESP in UDP" if way == "udp" else "plain ESP"
        for way in (child.encapsulation, child.encapsulation_theirs)
    )
    way = ours if ours == theirs else f"{ours} there, {theirs} back"
    if child.mode == "transport":
        way += " in transport mode"
    pfs = "no rekey" if not child.rekeyed else f"PFS {child.pfs}" if child.pfs else "no PFS"
    return f"  {child.suite}  {selectors}{narrowed}  {way}, {pfs}"


def _finding(obstacle: ObstacleRow) -> Iterator[RenderableType]:
    blocked = tuple(dict.fromkeys((*obstacle.blocks_ours, *obstacle.blocks_theirs)))
    more = f" and {len(blocked) - _FEW} more" if len(blocked) > _FEW else ""
    blocks = f"    blocks: {', '.join(blocked[:_FEW])}{more}" if blocked else ""
    yield Text.assemble(plain(obstacle.title, "bold"), plain(blocks))
    yield _line("stage", f"{obstacle.stage or 'none'}, {_met(obstacle)}")
    for point in obstacle.points:
        width = max(len(", ".join(position.values)) for position in (point.ours, point.theirs))
        for side, who, position in ((Side.OURS, "we", point.ours), (Side.THEIRS, "they", point.theirs)):
            verb = _verb(obstacle, side)
            place = f"{position.file}:{position.line}: {position.option}"
            yield _line(f"{who} {verb}", f"{', '.join(position.values):<{width}}  {place}")
    if obstacle.fits:
        yield _line("all else fits", ", ".join(obstacle.fits))
    for number, remedy in enumerate(obstacle.remedies):
        yield _line("or" if number else "remedy", f"{remedy.file}:{remedy.line}: {remedy.change}")


def _line(label: str, text: str) -> RenderableType:
    return plain(f"  {label:<{_LABEL}}{text}")


def _verb(obstacle: ObstacleRow, side: Side) -> str:
    if obstacle.reason != FailureReason.NO_PROPOSAL_CHOSEN:
        return "have"
    return "offer" if obstacle.asker == side else "accept"


def _met(obstacle: ObstacleRow) -> str:
    """Whose call it takes to meet it."""
    if len(obstacle.begins) == 1:
        return f"when {_begins(obstacle.begins[0])}"
    return "whoever begins" if obstacle.begins else "nobody begins"


def _begins(side: str) -> str:
    return "we begin" if side == Side.OURS else "they begin"


def _verdict(row: RehearsalRow) -> str:
    if not row.meetings:
        return "nothing comes up: no two gateways mean each other"
    children = [child for meeting in row.meetings for child in meeting.children if child.result != Result.DISABLED]
    up = sum(1 for child in children if child.result == Result.UP)
    if row.comes_up:
        return f"all comes up: {up} of {len(children)} tunnels, set up and rekeyed from both ends"
    return f"{up} of {len(children)} tunnels come up and stay up"
