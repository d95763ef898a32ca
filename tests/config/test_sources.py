"""Which files are read, and which are not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from isthmus.config.load import load
from isthmus.config.problems import Problems
from isthmus.config.sources import MAX_OCTETS, Unreadable, read_regular, read_sources


def _codes(path: Path) -> list[str]:
    return [problem.code.name for problem in load(path, {}).problems]


def test_a_file_that_is_not_there_is_told_by_its_name(tmp_path: Path) -> None:
    (problem,) = load(tmp_path / "gone.yaml", {}).problems
    assert str(problem) == f"{tmp_path / 'gone.yaml'}:1:1: UNREADABLE: no such file or directory"


def test_what_never_ends_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert _codes(tmp_path / "pipe") == ["UNREADABLE"]
    assert _codes(Path("/dev/zero")) == ["UNREADABLE"]
    with pytest.raises(Unreadable):
        read_regular(Path("/dev/urandom"), 10)


def test_what_is_too_large_is_not_parsed(tmp_path: Path) -> None:
    (tmp_path / "large.yaml").write_bytes(b"#" * (MAX_OCTETS + 1))
    assert _codes(tmp_path / "large.yaml") == ["TOO-LARGE"]


def test_the_limit_is_of_all_files_together(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_bytes(b"#" * (MAX_OCTETS // 2 + 1))
    problems = Problems()
    sources = read_sources(tmp_path, problems)
    assert [source.file for source in sources.files] == [str(tmp_path / "a.yaml")]
    assert not sources.complete
    assert [problem.code.name for problem in problems.sorted()] == ["TOO-LARGE"]


def test_a_directory_gives_its_yaml_files_in_order(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yaml", ".hidden.yaml", "c.yml", "notes.txt", "d.yaml~"):
        (tmp_path / name).write_text("zones: {}")
    sources = read_sources(tmp_path, Problems())
    assert [Path(source.file).name for source in sources.files] == ["a.yaml", "b.yaml"]


def test_a_directory_without_yaml_files_is_a_mistake(tmp_path: Path) -> None:
    assert _codes(tmp_path) == ["UNREADABLE"]


def test_one_unreadable_file_does_not_hide_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").symlink_to(tmp_path / "gone")
    (tmp_path / "b.yaml").write_text("zonse: {}")
    assert _codes(tmp_path) == ["UNREADABLE", "UNKNOWN-KEY"]
