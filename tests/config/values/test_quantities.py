"""Numbers, durations, sizes, true and false."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from isthmus.config.tree import Quoted
from isthmus.config.values.kind import Context, Kind
from isthmus.config.values.quantities import Automatic, Boolean, Duration, Hexadecimal, Size, Whole, WholeOf

_TIME, _SIZE = Duration("10s", "365d"), Size("1KB", "65535TB")


def _read(kind: Kind, text: str) -> object:
    return kind.read_any(text, Context())


def _refused(kind: Kind, text: str) -> tuple[str, str | None]:
    with pytest.raises(PydanticCustomError) as caught:
        _read(kind, text)
    context = caught.value.context or {}
    return context["code"], context["suggestion"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10s", 10.0), ("90s", 90.0), ("45m", 2700.0), ("8h", 28800.0), ("7d", 604800.0), ("365d", 31536000.0)],
)
def test_durations(text: str, seconds: float) -> None:
    assert _read(_TIME, text) == seconds


@pytest.mark.parametrize(
    ("text", "code", "suggestion"),
    [
        ("30", "MALFORMED", "30s"),
        ("8H", "MALFORMED", "8h"),
        ("8 h", "MALFORMED", "8h"),
        ("1h30m", "MALFORMED", None),
        ("1.5h", "MALFORMED", None),
        ("-1h", "MALFORMED", None),
        ("", "MALFORMED", None),
        ("9s", "OUT-OF-RANGE", None),
        ("366d", "OUT-OF-RANGE", None),
        ("9999999999d", "OUT-OF-RANGE", None),
        ("9" * 10_000 + "s", "MALFORMED", None),
        ("٣s", "MALFORMED", None),
    ],
)
def test_what_is_no_duration(text: str, code: str, suggestion: str | None) -> None:
    assert _refused(_TIME, text) == (code, suggestion)


@pytest.mark.parametrize(
    ("text", "octets"), [("1KB", 1024), ("100MB", 100 * 1024**2), ("50GB", 50 * 1024**3), ("65535TB", 65535 * 1024**4)]
)
def test_sizes(text: str, octets: int) -> None:
    assert _read(_SIZE, text) == octets


@pytest.mark.parametrize(
    ("text", "code", "suggestion"),
    [
        ("50gb", "MALFORMED", "50GB"),
        ("50G", "MALFORMED", "50GB"),
        ("0KB", "OUT-OF-RANGE", None),
        ("1PB", "MALFORMED", None),
    ],
)
def test_what_is_no_size(text: str, code: str, suggestion: str | None) -> None:
    assert _refused(_SIZE, text) == (code, suggestion)


@given(st.integers(10, 365 * 86400))
def test_a_duration_that_is_written_reads_as_it_was(seconds: int) -> None:
    assert _read(_TIME, str(_TIME.write(seconds))) == seconds


@given(st.integers(1, 10**9).map(lambda kilobytes: kilobytes * 1024))
def test_a_size_that_is_written_reads_as_it_was(octets: int) -> None:
    assert _read(_SIZE, str(_SIZE.write(octets))) == octets


@pytest.mark.parametrize(("text", "value"), [("true", True), ("True", True), ("FALSE", False), ("false", False)])
def test_true_and_false(text: str, value: bool) -> None:
    assert _read(Boolean(), text) is value


@pytest.mark.parametrize(
    ("text", "meant"), [("yes", "true"), ("Off", "false"), ("n", "false"), ("1", None), (Quoted("true"), "true")]
)
def test_other_words_are_not_true_and_false(text: str, meant: str | None) -> None:
    assert _refused(Boolean(), text) == ("WRONG-TYPE", meant)


@pytest.mark.parametrize(
    ("text", "code", "suggestion"),
    [
        ("64", "OUT-OF-RANGE", None),
        ("0777", "MALFORMED", "777"),
        ("1e3", "WRONG-TYPE", None),
        ("100.0", "WRONG-TYPE", None),
        ("0x64", "WRONG-TYPE", None),
        ("1_00", "WRONG-TYPE", None),
        ("-5", "OUT-OF-RANGE", None),
        ("9" * 100_000, "WRONG-TYPE", None),
        (Quoted("100"), "WRONG-TYPE", "100"),
    ],
)
def test_what_is_no_whole_number_of_the_range(text: str, code: str, suggestion: str | None) -> None:
    assert _refused(Whole(100, 200), text) == (code, suggestion)


def test_the_ends_of_a_range_belong_to_it() -> None:
    assert (_read(Whole(0, 65535), "0"), _read(Whole(0, 65535), "65535")) == (0, 65535)


def test_one_of_a_few_numbers() -> None:
    assert _read(WholeOf(64, 128), "128") == 128
    assert _refused(WholeOf(64, 128), "100") == ("OUT-OF-RANGE", "128")


def test_automatic_is_none() -> None:
    assert _read(Automatic(576, 9216), "auto") is None
    assert _read(Automatic(576, 9216), "1400") == 1400


def test_hexadecimal_numbers() -> None:
    assert _read(Hexadecimal(0x1000, 0x1FFFFFFF), "0x10001000") == 0x10001000
    assert _refused(Hexadecimal(0x1000, 0x1FFFFFFF), "10001000") == ("MALFORMED", "0x10001000")
    assert _refused(Hexadecimal(0x1000, 0x1FFFFFFF), "0xfff") == ("OUT-OF-RANGE", None)
