from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter

import pytest
from bench.flames import MARGIN, ROW, WIDTH, Flame, drawing
from bench.stacks import Frame, Kind, Stacks

_SVG = "{http://www.w3.org/2000/svg}"
_THREAD = Frame("esp-in-0", Kind.OTHER)
_SERVE = Frame("esp_io::worker::Worker::serve<&T>", Kind.OURS)


def _boxes(stacks: Stacks) -> dict[str, tuple[float, float, float]]:
    """Left edge, top and width of each, by its tooltip."""
    picture = ET.fromstring(drawing("a load", ["a note & more"], [Flame("a gateway", stacks)]))
    found = {}
    for group in picture.iter(f"{_SVG}g"):
        title, box = group.find(f"{_SVG}title"), group.find(f"{_SVG}rect")
        assert title is not None
        assert box is not None
        found[str(title.text)] = (float(box.attrib["x"]), float(box.attrib["y"]), float(box.attrib["width"]))
    return found


def test_callees_share_out_the_width_of_their_caller() -> None:
    seal, read = Frame("seal", Kind.CIPHER), Frame("read", Kind.TUN)
    boxes = _boxes(Counter({(_THREAD, _SERVE, seal): 60, (_THREAD, _SERVE, read): 30, (_THREAD, _SERVE): 10}))
    whole = WIDTH - 2 * MARGIN
    bottom = boxes["all threads: 100.0 %, other"][1]
    assert boxes == {
        "all threads: 100.0 %, other": (MARGIN, bottom, whole),
        "esp-in-0: 100.0 %, other": (MARGIN, bottom - ROW, whole),
        "esp_io::worker::Worker::serve<&T>: 100.0 %, our own code": (MARGIN, bottom - 2 * ROW, whole),
        "read: 30.0 %, tunnel interface": (MARGIN, bottom - 3 * ROW, whole * 0.3),
        "seal: 60.0 %, cipher": (pytest.approx(MARGIN + whole * 0.3), bottom - 3 * ROW, pytest.approx(whole * 0.6)),
    }


def test_what_is_too_thin_is_joined() -> None:
    thin: Stacks = Counter({(_THREAD, Frame(f"thin_{number}", Kind.SEND)): 1 for number in range(20)})
    boxes = _boxes(thin + Counter({(_THREAD, _SERVE): 980}))
    assert boxes["(20 more): 2.0 %, sending"][2] == pytest.approx((WIDTH - 2 * MARGIN) * 0.02)
    assert len(boxes) == 4


def test_what_is_too_thin_even_joined_is_left_out() -> None:
    boxes = _boxes(Counter({(_THREAD, _SERVE): 999, (_THREAD, Frame("thin", Kind.SEND)): 1}))
    assert not any("thin" in title or "more" in title for title in boxes)


def test_flames_stand_one_above_the_other() -> None:
    stacks: Stacks = Counter({(_THREAD, _SERVE): 1})
    picture = ET.fromstring(drawing("a load", [], [Flame("the first", stacks), Flame("the second", stacks)]))
    boxes = [box for group in picture.iter(f"{_SVG}g") for box in group.iter(f"{_SVG}rect")]
    tops = [float(box.attrib["y"]) for box in boxes]
    assert max(tops[:3]) + ROW < min(tops[3:])
    assert max(tops) + ROW < float(picture.attrib["height"])


def test_a_gateway_that_was_never_seen_is_drawn_as_well() -> None:
    assert list(_boxes(Counter())) == ["all threads: 0.0 %, other"]
