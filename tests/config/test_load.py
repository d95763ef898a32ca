"""What `load` says of a whole configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from isthmus.config.load import load
from isthmus.config.problems import CODES, Severity
from tests.config.cases import CASES, Case
from tests.config.writing import ENVIRONMENT, PSK, SOUND, changed, codes_of, problems_of, read, unmarked

_ELSEWHERE = {
    "UNREADABLE": "test_sources.py",
    "READABLE-SECRET": "test_secrets.py",
    "WEAK-SECRET": "test_secrets.py",
    "NO-ADDRESS": "test_compile.py",
}


def test_a_sound_configuration_has_no_problem() -> None:
    assert problems_of(SOUND) == []
    assert read(SOUND).valid


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code}-{CASES.index(case)}")
def test_what_is_wrong_is_told_at_its_place(case: Case) -> None:
    text, (line, column) = unmarked(case.text)
    told = [p for p in read(text).problems if (p.place.line, p.place.column) == (line, column)]
    assert [problem.code.name for problem in told if problem.code.name == case.code], [
        str(problem) for problem in read(text).problems
    ]
    suggestion = next(problem.suggestion for problem in told if problem.code.name == case.code)
    assert suggestion == case.suggestion


@pytest.mark.parametrize("code", CODES, ids=str)
def test_every_code_comes_about(code: object) -> None:
    assert str(code) in {case.code for case in CASES} | set(_ELSEWHERE)


def test_warnings_leave_a_configuration_valid() -> None:
    warned = read(changed(("{env: PSK}", "short"), ("dh-group: group20", "dh-group: group2")))
    assert {problem.code.severity for problem in warned.problems} == {Severity.WARNING}
    assert warned.valid


def test_all_problems_come_at_once_in_the_order_of_their_places() -> None:
    wrong = changed(
        ("virtual-router: default, address", "virtual-ruoter: default, address"),
        ("[aes-256-gcm], hash: [sha384]", "[aes-256-gmc], hash: [sha385]"),
        ("ike-crypto-profile: strong", "ike-crypto-profile: strnog"),
        ("{env: PSK}", "{file: gone.psk}"),
        ("remote: 10.2.0.0/16}", "remote: 10.2.0.1/16}\n      [a]: {}"),
    )
    problems = problems_of(wrong)
    assert [problem.code.name for problem in problems] == [
        "UNKNOWN-KEY",
        "UNKNOWN-VALUE",
        "UNKNOWN-VALUE",
        "NO-SECRET",
        "UNKNOWN-NAME",
        "MALFORMED",
        "SYNTAX",
    ]
    assert sorted(problem.place for problem in problems) == [problem.place for problem in problems]


def test_an_entry_that_is_wrong_is_still_there_for_references() -> None:
    assert codes_of(changed(("hash: [sha384]", "hash: [sha999]"))) == ["UNKNOWN-VALUE"]


def test_a_name_that_may_be_in_an_unreadable_file_is_not_called_unknown(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(SOUND.replace("ike-gateway: branch", "ike-gateway: elsewhere"))
    (tmp_path / "b.yaml").write_text("ike-gateways: {elsewhere: [}")
    assert [p.code.name for p in load(tmp_path, ENVIRONMENT).problems] == ["ZONES-NOT-ENFORCED", "SYNTAX"]


def test_a_directory_is_one_configuration(tmp_path: Path) -> None:
    sections, _, tunnels = SOUND.partition("ipsec-tunnels:")
    (tmp_path / "10-peers.yaml").write_text(sections)
    (tmp_path / "20-tunnels.yaml").write_text(f"ipsec-tunnels:{tunnels}")
    document = load(tmp_path, ENVIRONMENT)
    assert document.valid
    assert list(document.configuration.ipsec_tunnels) == ["branch"]


def test_a_name_in_two_files_is_an_error_with_both_places(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("zones:\n  vpn: {}\n")
    (tmp_path / "b.yaml").write_text("zones:\n  dmz: {}\n  vpn: {}\n")
    problem = next(p for p in load(tmp_path, {}).problems if p.code.name == "DUPLICATE")
    assert str(problem.place) == f"{tmp_path / 'b.yaml'}:3:3"
    assert f"{tmp_path / 'a.yaml'}:2:3" in problem.text


def test_secrets_are_relative_to_the_file_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "isthmus.yaml").write_text(SOUND.replace("{env: PSK}", "{file: keys/branch.psk}"))
    (tmp_path / "site" / "keys").mkdir()
    (tmp_path / "site" / "keys" / "branch.psk").write_text(f"{PSK}\n")
    (tmp_path / "site" / "keys" / "branch.psk").chmod(0o600)
    document = load(tmp_path / "site" / "isthmus.yaml", {})
    path = ("ike-gateways", "branch", "authentication", "pre-shared-key")
    assert document.secrets[path].reveal() == PSK.encode()
    assert document.valid


def test_a_section_without_entries_is_empty() -> None:
    assert problems_of("zones:\nike-gateways: {}\nsettings:\nsecurity-policies: []\n") == []
    assert problems_of("") == []


def test_the_places_of_nouns_can_be_asked_for() -> None:
    places = read(SOUND).places
    assert str(places.of("ike-gateways", "branch", "peer-address")).endswith("isthmus.yaml:19:5")
    assert str(places.value("ike-gateways", "branch", "peer-address")).endswith("isthmus.yaml:19:19")
    # What is left to its default stands where its noun begins.
    assert places.of("ike-gateways", "branch", "passive") == places.of("ike-gateways", "branch")
    assert places.has("ipsec-tunnels", "branch", "proxy-ids", "lan")
    assert not places.has("ipsec-tunnels", "branch", "proxy-ids", "wan")
