"""Where secrets come from, and that they stay out of every message."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.config.load import Document, load
from tests.config.writing import PSK, SOUND

_PATH = ("ike-gateways", "branch", "authentication", "pre-shared-key")


def _load(directory: Path, secret: str, environment: dict[str, str] | None = None) -> Document:
    file = directory / "isthmus.yaml"
    file.write_text(SOUND.replace("{env: PSK}", secret))
    return load(file, environment or {})


def _codes(document: Document) -> set[str]:
    return {problem.code.name for problem in document.problems} - {"ZONES-NOT-ENFORCED"}


def test_a_file_gives_its_octets_without_the_last_line_feed(tmp_path: Path) -> None:
    for octets, secret in (
        (b"k \n", b"k "),
        (b"k\r\n", b"k"),
        (b"k\n\n", b"k\n"),
        (b"k", b"k"),
        (b"\xff\x00\n", b"\xff\x00"),
    ):
        (tmp_path / "psk").write_bytes(octets)
        assert _load(tmp_path, "{file: psk}").secrets[_PATH].reveal() == secret


def test_a_file_by_its_absolute_path(tmp_path: Path) -> None:
    (tmp_path / "psk").write_text(PSK)
    (tmp_path / "psk").chmod(0o640)
    document = _load(tmp_path, f"{{file: {tmp_path / 'psk'}}}")
    assert document.secrets[_PATH].reveal() == PSK.encode()
    assert _codes(document) == set()


def test_a_file_that_everybody_can_read_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "psk").write_text(PSK)
    (tmp_path / "psk").chmod(0o644)
    document = _load(tmp_path, "{file: psk}")
    assert _codes(document) == {"READABLE-SECRET"}
    assert document.valid


def test_the_environment_and_systemd_credentials(tmp_path: Path) -> None:
    assert _load(tmp_path, "{env: KEY}", {"KEY": PSK}).secrets[_PATH].reveal() == PSK.encode()
    (tmp_path / "branch").write_text(PSK)
    credentials = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert _load(tmp_path, "{credential: branch}", credentials).secrets[_PATH].reveal() == PSK.encode()


def test_text_is_taken_with_a_warning(tmp_path: Path) -> None:
    document = _load(tmp_path, f'"{PSK}"')
    assert _codes(document) == {"PLAIN-SECRET"}
    assert document.secrets[_PATH].reveal() == PSK.encode()


@pytest.mark.parametrize(("text", "secret"), [("007", b"007"), ("1e5", b"1e5"), ("no", b"no"), ("0x00ff", b"\x00\xff")])
def test_text_is_taken_as_it_stands_and_hexadecimal_as_octets(tmp_path: Path, text: str, secret: bytes) -> None:
    assert _load(tmp_path, text).secrets[_PATH].reveal() == secret


@pytest.mark.parametrize("source", ["{env: KEY}", "{file: psk}"])
def test_hexadecimal_means_octets_wherever_it_stands(tmp_path: Path, source: str) -> None:
    (tmp_path / "psk").write_text("0x0aff\n")
    assert _load(tmp_path, source, {"KEY": "0x0aff"}).secrets[_PATH].reveal() == b"\x0a\xff"


@pytest.mark.parametrize(
    ("secret", "environment"),
    [
        ("{env: KEY}", {"KEY": ""}),
        ("{env: KEY}", {"KEY": "0x"}),
        ("{env: KEY}", {"KEY": "0xabc"}),
        ("{file: .}", {}),
        ("{file: /dev/zero}", {}),
        ("{credential: key}", {}),
        ("0xzz", {}),
    ],
)
def test_a_secret_that_cannot_be_had_is_an_error(tmp_path: Path, secret: str, environment: dict[str, str]) -> None:
    document = _load(tmp_path, secret, environment)
    assert "NO-SECRET" in _codes(document)
    assert not document.valid


@pytest.mark.parametrize("secret", ["{credential: ../../etc/shadow}", "{credential: ..}", "{env: 'A=B'}", "{file: ''}"])
def test_a_source_is_named_as_its_kind_is(tmp_path: Path, secret: str) -> None:
    assert _codes(_load(tmp_path, secret)) == {"MALFORMED"}


def test_a_huge_file_is_no_secret(tmp_path: Path) -> None:
    (tmp_path / "psk").write_bytes(b"k" * 5000)
    assert "NO-SECRET" in _codes(_load(tmp_path, "{file: psk}"))


@pytest.mark.parametrize(
    "weak", ["secret", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "123456789012345678901234567890", "Cisco123"]
)
def test_a_key_that_can_be_guessed_is_a_warning(tmp_path: Path, weak: str) -> None:
    document = _load(tmp_path, "{env: KEY}", {"KEY": weak})
    assert _codes(document) == {"WEAK-SECRET"}
    assert document.valid


_SHAPES = (
    "{}",
    "[{}]",
    "{{{}}}",
    "{{{}: x}}",
    "{{file: [{}]}}",
    "{{env: {}, file: x}}",
    "{{env: {{{}: 1}}}}",
    "{{{}: {}}}",
)


@pytest.mark.parametrize("shape", _SHAPES)
@given(secret=st.from_regex(r"[*&!%@|>0x]{0,2}SeCrEt[a-z:{} \[\]*&#]{0,5}", fullmatch=True))
@settings(max_examples=20, deadline=None)
def test_no_message_repeats_a_secret(shape: str, secret: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    document = _load(
        tmp_path_factory.mktemp("secret"), shape.replace("{}", secret).replace("{{", "{").replace("}}", "}")
    )
    said = " ".join(f"{problem} {problem.suggestion}" for problem in document.problems) + repr(document.secrets)
    # A colon ends the value and makes a key of an option out of what follows: that is no longer the secret.
    assert "SeCrEt" not in said
