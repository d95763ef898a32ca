"""Stacks as flames in an SVG: a function is as wide as its share of the time, and stands on its caller."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape

from bench.stacks import Frame, Kind, Stacks, shares

COLOURS = {
    Kind.OURS: "#f4a259",
    Kind.CIPHER: "#e76f6f",
    Kind.TUN: "#8cb369",
    Kind.SEND: "#6fa8dc",
    Kind.RECEIVE: "#76c7c0",
    Kind.STACKS: "#b4a7d6",
    Kind.SCHEDULER: "#f3dd7e",
    Kind.OTHER: "#c8ccd0",
}
WIDTH, MARGIN, ROW = 1200, 10, 16
THINNEST = 0.003
"""Of a flame's width; what is thinner is joined with its neighbours, or left out."""

_LETTER = 6.05
"""Width of one, in a font of ten pixels in which all have the same."""
_HEADING, _LEGEND = 24, 22


@dataclass(frozen=True, slots=True)
class Flame:
    title: str
    stacks: Stacks


@dataclass(slots=True)
class _Node:
    frame: Frame
    count: int = 0
    callees: dict[Frame, _Node] = field(default_factory=dict)

    @property
    def height(self) -> int:
        return 1 + max((callee.height for callee in self.callees.values()), default=0)


def drawing(title: str, notes: Sequence[str], flames: Sequence[Flame]) -> str:
    """One above the other, each with its shares as a legend."""
    parts = [_text(MARGIN, 22, title, "title")]
    top = 26
    for note in notes:
        top += 16
        parts.append(_text(MARGIN, top, note, "note"))
    top += 14
    for flame in flames:
        root = _tree(flame)
        bottom = top + _HEADING + _LEGEND + root.height * ROW
        parts.append(_text(MARGIN, top + 16, flame.title, "heading"))
        parts += _legend(flame, top + _HEADING)
        parts += _boxes(root, MARGIN, bottom, (WIDTH - 2 * MARGIN) / max(root.count, 1), root.count)
        top = bottom + 20
    return "\n".join([*_head(top), *parts, "</svg>", ""])


def _head(height: int) -> Iterator[str]:
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">'
    yield "<style>text{font:10px monospace;fill:#222}rect{stroke:#fff;stroke-width:.5}"
    yield ".title{font:bold 16px sans-serif}.heading{font:bold 13px sans-serif}"
    yield ".note{font:12px sans-serif}.legend{font-size:11px}"
    yield " ".join(f".{kind.name}{{fill:{colour}}}" for kind, colour in COLOURS.items())
    yield '</style><rect width="100%" height="100%" fill="#fff"/>'


def _legend(flame: Flame, top: int) -> Iterator[str]:
    left = float(MARGIN)
    for kind, share in shares(flame.stacks).items():
        words = f"{kind} {share:.1f} %"
        yield f'<rect class="{kind.name}" x="{left:.1f}" y="{top}" width="11" height="11"/>'
        yield _text(left + 15, top + 10, words, "legend")
        left += 23 + len(words) * _LETTER * 1.1


def _tree(flame: Flame) -> _Node:
    """All calls; what is too thin to be seen is cut off."""
    root = _Node(Frame("all threads", Kind.OTHER))
    for stack, count in flame.stacks.items():
        root.count += count
        node = root
        for frame in stack:
            node = node.callees.setdefault(frame, _Node(frame))
            node.count += count
    _prune(root, root.count * THINNEST)
    return root


def _prune(node: _Node, least: float) -> None:
    kept = {frame: callee for frame, callee in node.callees.items() if callee.count >= least}
    thin = [callee for frame, callee in node.callees.items() if frame not in kept]
    if thin and (count := sum(callee.count for callee in thin)) >= least:
        joined = Frame(f"({len(thin)} more)", max(thin, key=lambda callee: callee.count).frame.kind)
        kept[joined] = _Node(joined, count)
    node.callees = kept
    for callee in kept.values():
        _prune(callee, least)


def _boxes(node: _Node, left: float, bottom: float, scale: float, whole: int) -> Iterator[str]:
    width, top = node.count * scale, bottom - ROW
    name, label = node.frame.name, _label(node.frame.name, width)
    yield f"<g><title>{escape(name)}: {100 * node.count / max(whole, 1):.1f} %, {node.frame.kind}</title>"
    box = f'<rect class="{node.frame.kind.name}" x="{left:.1f}" y="{top:g}" width="{width:.1f}" height="{ROW}"/>'
    yield box + (_text(left + 3, top + 11.5, label) if label else "") + "</g>"
    for callee in sorted(node.callees.values(), key=lambda callee: callee.frame.name):
        yield from _boxes(callee, left, top, scale, whole)
        left += callee.count * scale


def _label(name: str, width: float) -> str:
    """As much of the name as there is room for; of a path rather its end."""
    room = int((width - 6) / _LETTER)
    parts = name.split("::")
    for first in range(len(parts)):
        if len(shorter := "::".join(parts[first:])) <= room:
            return shorter
    return f"{parts[-1][: room - 2]}.." if room >= 6 else ""


def _text(x: float, y: float, text: str, look: str = "") -> str:
    kind = f' class="{look}"' if look else ""
    return f'<text{kind} x="{x:.1f}" y="{y:.1f}">{escape(text, quote=False)}</text>'
