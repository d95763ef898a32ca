"""`isthmus check FILE --peer FILE`, as a shell sees it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from isthmus.cli.check import check
from isthmus.cli.exit import ExitStatus
from isthmus.cli.main import app
from tests.config.writing import PSK, SOUND

_app = typer.Typer()
_app.command()(check)

ENVIRONMENT = {"PSK": PSK, "OTHER": PSK[::-1]}

Write = Callable[..., Path]
Replacement = tuple[str, str]


@pytest.fixture
def at_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes hq.yaml, and works where it is, so that the places are short."""
    monkeypatch.chdir(tmp_path)

    def write(*replacements: Replacement) -> Path:
        return _write("hq.yaml", SOUND, replacements)

    return write


@pytest.fixture
def at_theirs() -> Write:
    """Writes branch.yaml, the mirror of it."""
    mirrored = _swapped(SOUND, ("192.0.2.1", "198.51.100.2"), ("10.1.0.0/16", "10.2.0.0/16"), ("branch", "hq"))

    def write(*replacements: Replacement) -> Path:
        return _write("branch.yaml", mirrored.replace("destination: 10.2", "destination: 10.1"), replacements)

    return write


def _swapped(text: str, *pairs: Replacement) -> str:
    for one, other in pairs:
        text = text.replace(one, "\0").replace(other, one).replace("\0", other)
    return text


def _write(name: str, text: str, replacements: tuple[Replacement, ...]) -> Path:
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new)
    Path(name).write_text(text)
    return Path(name)


def _run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(_app, [str(argument) for argument in arguments], env=ENVIRONMENT)
    return result.exit_code, result.stdout, result.stderr


def _json(*arguments: object) -> tuple[int, Any]:
    status, told, _ = _run("--json", *arguments)
    return status, json.loads(told)


def test_what_agrees_is_one_short_screen(at_ours: Write, at_theirs: Write) -> None:
    status, told, verdicts = _run(at_ours(), "--peer", at_theirs())
    assert status == 0
    assert told == (
        "we: hq.yaml; they: branch.yaml\n"
        "\n"
        "gateway branch <-> hq\n"
        "  we begin      up  aes-256-gcm/sha384/group31, rekeyed from both ends\n"
        "  they begin    up  aes-256-gcm/sha384/group31, rekeyed from both ends\n"
        "  branch:lan <-> hq:lan  up  aes-256-gcm  10.1.0.0/16 <-> 10.2.0.0/16  ESP in UDP, PFS group20\n"
        "\n"
        "all comes up: 1 of 1 tunnels, set up and rekeyed from both ends\n"
    )
    assert verdicts == "hq.yaml: valid, 1 warning\nbranch.yaml: valid, 1 warning\n"


def test_what_does_not_agree_is_told_with_the_lines_to_change(at_ours: Write, at_theirs: Write) -> None:
    status, told, _ = _run(at_ours(), "--peer", at_theirs(("dh-group: [group31]", "dh-group: [group14, group2]")))
    assert status == 1
    assert told.partition("\n\nNo common ")[2] == (
        "dh-group for the IKE SA    blocks: branch:lan, hq:lan\n"
        "  stage         IKE_SA_INIT, whoever begins\n"
        "  we offer      group31          hq.yaml:12: ike-crypto-profiles.strong.dh-group\n"
        "  they accept   group14, group2  branch.yaml:12: ike-crypto-profiles.strong.dh-group\n"
        "  all else fits aes-256-gcm, sha384\n"
        "  remedy        hq.yaml:12: add group14 to dh-group\n"
        "  or            branch.yaml:12: add group31 to dh-group\n"
        "\n"
        "0 of 1 tunnels come up and stay up\n"
    )


def test_a_profile_that_is_not_written_is_told_where_it_is_chosen(at_ours: Write, at_theirs: Write) -> None:
    theirs = at_theirs(("    ipsec-crypto-profile: strong\n", "    ipsec-crypto-profile: suite-b-gcm-128\n"))
    status, found = _json(at_ours(), "--peer", theirs)
    assert status == 1
    (obstacle,) = found["meetings"][0]["obstacles"]
    assert [point["theirs"] for point in obstacle["points"]] == [
        {
            "file": "branch.yaml",
            "line": 26,
            "option": "ipsec-tunnels.hq.ipsec-crypto-profile",
            "values": ["aes-128-gcm"],
        }
    ]


def test_a_pfs_mismatch_is_found_before_the_first_hour(at_ours: Write, at_theirs: Write) -> None:
    status, told, _ = _run(at_ours(), "--peer", at_theirs(("dh-group: group20", "dh-group: no-pfs")))
    assert status == 1
    assert "branch:lan <-> hq:lan  until-rekey" in told
    assert "the first rekey fails" in told


def test_keys_that_differ_are_never_shown(at_ours: Write, at_theirs: Write) -> None:
    files = (at_ours(), "--peer", at_theirs(("{env: PSK}", "{env: OTHER}")))
    for arguments in (files, ("--json", *files)):
        status, told, _ = _run(*arguments)
        assert status == 1
        assert "The pre-shared keys differ" in told
        assert not any(key in told for key in ENVIRONMENT.values())


def test_an_invalid_configuration_is_told_as_ever(at_ours: Write, at_theirs: Write) -> None:
    files = (at_ours(), "--peer", at_theirs(("ike-gateway: hq", "ike-gateway: hp")))
    status, told, verdicts = _run(*files)
    assert status == 5
    assert "branch.yaml:25:18: UNKNOWN-NAME" in told
    assert "branch.yaml: invalid, 1 error" in verdicts
    status, found = _json(*files)
    assert status == 5
    assert (found["comes_up"], found["meetings"]) == (False, [])
    assert [problem["code"] for problem in found["problems"] if problem["severity"] == "error"] == ["UNKNOWN-NAME"]


def test_the_json_names_both_ends_of_everything(at_ours: Write, at_theirs: Write) -> None:
    status, found = _json(at_ours(), "--peer", at_theirs())
    assert status == 0
    assert (found["file"], found["peer"], found["comes_up"]) == ("hq.yaml", "branch.yaml", True)
    (meeting,) = found["meetings"]
    assert (meeting["gateway"], meeting["peer_gateway"]) == ("branch", "hq")
    assert [call["begins"] for call in meeting["calls"]] == ["ours", "theirs"]
    assert meeting["children"] == [
        {
            "ours": "branch:lan",
            "theirs": "hq:lan",
            "result": "up",
            "suite": "aes-256-gcm",
            "pfs": "group20",
            "protocol": "esp",
            "mode": "tunnel",
            "encapsulation": "udp",
            "encapsulation_theirs": "udp",
            "local_ts": ["10.1.0.0/16"],
            "remote_ts": ["10.2.0.0/16"],
            "narrowed": False,
            "rekeyed": True,
        }
    ]


def test_gateways_that_do_not_meet_are_named_with_their_lines(at_ours: Write, at_theirs: Write) -> None:
    theirs = at_theirs(("local-address: 198.51.100.2", "local-address: 198.51.100.3"))
    status, told, _ = _run(at_ours(), "--peer", theirs)
    assert status == 1
    assert "hq.yaml:16: our gateway branch is not rehearsed: no gateway there is at 198.51.100.2; " in told
    assert told.endswith("nothing comes up: no two gateways mean each other\n")


def test_a_crowd_of_proxy_ids_stays_on_the_screen(at_ours: Write, at_theirs: Write) -> None:
    def crowd(mine: int, other: int, odd: str) -> str:
        lines = [f"      n{n}: {{local: 10.{mine}.{n}.0/24, remote: 10.{other}.{n}.0/24}}\n" for n in range(20)]
        return "".join(lines) + f"      odd: {{local: 10.{mine}.99.0/24, remote: {odd}}}\n"

    lan = "      lan: {local: 10.%d.0.0/16, remote: 10.%d.0.0/16}\n"
    ours = at_ours((lan % (1, 2), crowd(1, 2, "10.2.99.0/24")))
    theirs = at_theirs((lan % (2, 1), crowd(2, 1, "10.7.99.0/24")))
    status, told, _ = _run(ours, "--peer", theirs)
    assert status == 1
    assert told.count("  up  ") == 2 + 15  # two calls, and the rows that have room
    assert "branch:odd <-> hq:odd  failed" in told
    assert "  and 5 more up\n" in told
    assert told.endswith("20 of 21 tunnels come up and stay up\n")


def test_a_directory_is_a_configuration_too(at_ours: Write, at_theirs: Write) -> None:
    ours = at_ours()
    Path("site").mkdir()
    at_theirs().rename("site/one.yaml")
    assert _run(ours, "--peer", "site")[0] == 0


def test_one_peer_goes_with_one_file(at_ours: Write, at_theirs: Write) -> None:
    ours, theirs = at_ours(), at_theirs()
    result = CliRunner().invoke(app, ["check", str(ours), str(theirs), "--peer", str(theirs)], env=ENVIRONMENT)
    assert result.exit_code == ExitStatus.USAGE
    assert "--peer goes with one FILE" in result.stderr
