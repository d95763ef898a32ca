"""Keys by hand, in every form that people have them."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

import pytest

from isthmus.config.compile import compile as compiled_from
from isthmus.config.load import Document, load
from isthmus.model.plan import ManualPlan, Mode
from isthmus.model.proposal import Protocol
from isthmus.model.selectors import ANY_IPV4, ANY_IPV6, TrafficSelector
from tests.config.writing import ENVIRONMENT, SOUND

KEY = bytes(range(7, 247, 12))
"""Twenty octets."""
_CIPHER = bytes.fromhex("9f0d3c5a7e11b8c264f0a1d2e3b49586")
_NUMBERS = """\
      interface: eth0
      local-address: 192.0.2.1
      peer-address: 203.0.113.7
      local-spi: 0x10001000
      remote-spi: 0x10001001
"""


def _load(tmp_path: Path, protection: str, *lines: str) -> Document:
    more = "".join(f"    {line}\n" for line in lines)
    text = f"{SOUND}  legacy:\n    tunnel-interface: tunnel.2\n{more}    manual-key:\n{_NUMBERS}      {protection}\n"
    (tmp_path / "gateway.yaml").write_text(text)
    return load(tmp_path / "gateway.yaml", ENVIRONMENT)


def _plan(document: Document) -> ManualPlan:
    compiled = compiled_from(document)
    assert compiled.plan is not None, [str(problem) for problem in compiled.problems]
    return compiled.plan.manual["legacy"]


def _ah(key: str) -> str:
    return f"ah: {{authentication: {{algorithm: sha1, key: {key}}}}}"


def _groups(octets: bytes) -> str:
    return octets.hex("-", -4)


@pytest.mark.parametrize("text", [KEY.hex(), f"0x{KEY.hex()}", _groups(KEY), _groups(KEY).upper()])
@pytest.mark.parametrize("form", ["{text}", "{{file: a.key}}"])
def test_a_key_is_hexadecimal_in_groups_or_not(tmp_path: Path, text: str, form: str) -> None:
    (tmp_path / "a.key").write_text(f"{text}\n")
    (tmp_path / "a.key").chmod(0o600)
    assert _plan(_load(tmp_path, _ah(form.format(text=text)))).integrity_key.reveal() == KEY


def test_a_file_may_hold_the_octets_themselves(tmp_path: Path) -> None:
    (tmp_path / "a.key").write_bytes(KEY)
    assert _plan(_load(tmp_path, _ah("{file: a.key}"))).integrity_key.reveal() == KEY


@pytest.mark.parametrize("text", [KEY.hex()[2:], KEY.hex() + "00", "0x00", "no-hexadecimal", f"{KEY.hex()[:-1]}z"])
def test_a_key_of_another_length_is_refused_and_not_repeated(tmp_path: Path, text: str) -> None:
    document = _load(tmp_path, _ah(f"'{text}'"))
    told = [problem for problem in document.problems if problem.code.name == "ALGORITHMS"]
    assert [problem.text for problem in told] == ["sha1 takes 20 octets: 40 hexadecimal digits, in groups or not"]
    assert not document.valid


def test_a_key_that_can_be_guessed_is_a_warning(tmp_path: Path) -> None:
    codes = {problem.code.name for problem in _load(tmp_path, _ah("00000000-" * 4 + "00000000")).problems}
    assert "WEAK-SECRET" in codes


def test_esp_has_a_key_for_each_purpose_and_spis_as_the_product_has_them(tmp_path: Path) -> None:
    esp = (
        f"esp: {{encryption: {{algorithm: aes-128-cbc, key: {_groups(_CIPHER)}}}, "
        f"authentication: {{algorithm: sha1, key: {_groups(KEY)}}}}}"
    )
    plan = _plan(_load(tmp_path, esp))
    assert (plan.encryption_key.reveal(), plan.integrity_key.reveal()) == (_CIPHER, KEY)
    assert (plan.spi_out, plan.spi_in) == (0x10001000, 0x10001001)
    assert (plan.local, plan.remote) == (ip_address("192.0.2.1"), ip_address("203.0.113.7"))
    assert (plan.suite.protocol, str(plan.suite)) == (Protocol.ESP, "aes-128-cbc/sha1")
    assert plan.selectors == ((ANY_IPV4, ANY_IPV6),) * 2


def test_replay_is_guarded_against_only_where_that_is_asked(tmp_path: Path) -> None:
    assert _plan(_load(tmp_path, _ah(_groups(KEY)))).replay_window == 0
    assert _plan(_load(tmp_path, _ah(_groups(KEY)), "anti-replay: {window: 128}")).replay_window == 128
    assert _plan(_load(tmp_path, _ah(_groups(KEY)), "anti-replay: {enabled: false}")).replay_window == 0


def test_transport_mode_is_between_the_two_addresses(tmp_path: Path) -> None:
    plan = _plan(_load(tmp_path, _ah(_groups(KEY)), "mode: transport"))
    hosts = tuple((TrafficSelector.of_host(address),) for address in (plan.local, plan.remote))
    assert (plan.mode, plan.selectors) == (Mode.TRANSPORT, hosts)


def test_a_secret_is_not_shown(tmp_path: Path) -> None:
    assert KEY.hex() not in repr(_plan(_load(tmp_path, _ah(_groups(KEY)))))
