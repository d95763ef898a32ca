"""The measurements as bars in an SVG: one panel for each, one bar for each contender."""

from __future__ import annotations

from html import escape

from bench.stage import Figures

_COLOURS = ("#1b6ca8", "#d1495b", "#edae49", "#8d99ae", "#66a182")
_BAR, _GAP, _PANEL, _LEFT, _WIDTH = 14, 3, 26, 150, 720


def drawing(results: dict[str, list[Figures]], title: str) -> str:
    names = list(results)
    parts, top = [_text(10, 20, title, weight="bold")], 44
    for panel in zip(*results.values(), strict=True):
        parts.append(_text(10, top, f"{panel[0].name} ({panel[0].unit})", weight="bold"))
        largest = max(figures.rate for figures in panel) or 1.0
        top += 6
        for name, figures, colour in zip(names, panel, _COLOURS, strict=False):
            width = figures.rate / largest * (_WIDTH - _LEFT - 80)
            parts.append(_text(_LEFT - 6, top + _BAR - 3, name, anchor="end"))
            parts.append(f'<rect x="{_LEFT}" y="{top}" width="{width:.1f}" height="{_BAR}" fill="{colour}"/>')
            parts.append(_text(_LEFT + width + 5, top + _BAR - 3, f"{figures.rate:.2f}"))
            top += _BAR + _GAP
        top += _PANEL
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{top}" font-family="sans-serif">'
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>", ""])


def _text(x: float, y: float, text: str, *, anchor: str = "start", weight: str = "normal") -> str:
    look = f'font-size="12" text-anchor="{anchor}" font-weight="{weight}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {look}>{escape(text)}</text>'
