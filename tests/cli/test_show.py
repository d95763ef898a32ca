from __future__ import annotations

import json
from dataclasses import replace

import pytest

from isthmus.model.plan import Mode
from isthmus.model.proposal import Protocol
from tests.api.facts import dropped, established, failed, installed
from tests.api.fakes import FakeDaemon, child_view, ike_view
from tests.cli.conftest import Run
from tests.engine.test_manual import AH


@pytest.mark.parametrize(
    ("words", "key", "values"),
    [
        (("show", "ike-sa"), "gateway", ["branch"]),
        (("show", "ike-sa", "roamer"), "gateway", []),
        (("show", "ipsec-sa"), "spi_in", ["0xc94d2f01"]),
        (("show", "ipsec-sa", "branch:web"), "spi_in", []),
        (("show", "tunnels"), "state", ["up", "down", "down"]),
        (("show", "tunnels", "road"), "tunnel", ["road"]),
        (("show", "gateways"), "state", ["established", "down"]),
        (("show", "gateways", "branch"), "gateway", ["branch"]),
    ],
)
def test_json_is_what_the_api_answers(isthmus: Run, words: tuple[str, ...], key: str, values: list[str]) -> None:
    result = isthmus(*words, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert [row[key] for row in json.loads(result.stdout)] == values


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("show vpn ike-sa", "show ike-sa"),
        ("show vpn ike-sa gateway branch", "show ike-sa branch"),
        ("show vpn ike-sa detail gateway branch", "show ike-sa branch"),
        ("show vpn ipsec-sa", "show ipsec-sa"),
        ("show vpn ipsec-sa tunnel branch", "show ipsec-sa branch"),
        ("show vpn tunnel", "show tunnels"),
        ("show vpn tunnel name branch", "show tunnels branch"),
        ("show vpn flow", "show tunnels"),
        ("show vpn flow name branch:lan", "show tunnels branch:lan"),
        ("show vpn gateway", "show gateways"),
        ("show vpn gateway name roamer", "show gateways roamer"),
    ],
)
def test_the_spelling_of_the_reference_product_is_understood(isthmus: Run, theirs: str, ours: str) -> None:
    one, other = isthmus(*theirs.split(), "--json"), isthmus(*ours.split(), "--json")
    assert (one.exit_code, one.stdout) == (0, other.stdout)


def test_a_gateway_may_be_named_gateway() -> None:
    from isthmus.cli.words import named

    assert named(["gateway", "gateway"], "gateway") == "gateway"


def test_an_unknown_name_is_not_found(isthmus: Run) -> None:
    result = isthmus("show", "ike-sa", "brunch")
    assert (result.exit_code, result.stdout) == (4, "")
    assert "did you mean branch?" in result.stderr


def test_tables_name_every_configured_tunnel_and_its_reason(isthmus: Run, daemon: FakeDaemon) -> None:
    daemon.gateway.why["branch:web"] = "selectors-unacceptable: [we] said 10.9.0.0/24[tcp/443]"
    lines = isthmus("show", "tunnels").stdout.splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [["branch:lan", "up"], ["branch:web", "down"], ["road", "down"]]
    # Square brackets are text, not mark-up.
    assert "[we] said 10.9.0.0/24[tcp/443]" in lines[2]


def test_no_control_character_of_a_peer_reaches_the_terminal(isthmus: Run, daemon: FakeDaemon) -> None:
    daemon.happen(replace(failed(), they_said=("\x1b[2J\x07",)))
    daemon.gateway.ikes = (replace(ike_view(), remote_id="fqdn:\x1b[31mhq"),)
    for words in (("show", "events"), ("show", "ike-sa", "branch"), ("status",)):
        assert "\x1b" not in isthmus(*words).stdout


def test_details_of_one_peer_and_one_tunnel(isthmus: Run) -> None:
    ike = isthmus("show", "ike-sa", "branch").stdout
    assert "0x090a0b0c0d0e0f10" in ike
    assert "aes-128-cbc/sha1/sha256/group14" in ike
    esp = isthmus("show", "ipsec-sa", "branch").stdout
    assert "10.1.0.0/16 <-> 10.2.0.0/16, 10.9.0.0/24[tcp/443]" in esp


def test_nothing_to_show_is_said_and_is_no_error(isthmus: Run, daemon: FakeDaemon) -> None:
    daemon.gateway.ikes = ()
    result = isthmus("show", "ike-sa")
    assert (result.exit_code, result.stdout.strip()) == (0, "There is no IKE SA.")


def test_lines_are_not_broken_for_a_program(isthmus: Run, daemon: FakeDaemon) -> None:
    daemon.gateway.ikes = (ike_view(*(child_view(name) for name in ("branch:lan", "branch:web") * 5)),)
    assert len(isthmus("show", "ike-sa").stdout.splitlines()) == 2


def test_the_status_fits_on_a_screen_and_ends_with_the_trouble(isthmus: Run, daemon: FakeDaemon) -> None:
    daemon.happen(failed())
    lines = isthmus("status").stdout.splitlines()
    assert "1/3 tunnels up" in lines[0]
    assert "no-proposal-chosen" in lines[-1]


class TestEvents:
    @pytest.fixture(autouse=True)
    def happened(self, daemon: FakeDaemon) -> None:
        for event in (established(), dropped(), installed("branch:lan"), failed(child="branch:web")):
            daemon.happen(event)

    @pytest.mark.parametrize(
        ("options", "numbers"),
        [
            ("", [1, 3, 4]),
            ("--level debug", [1, 2, 3, 4]),
            ("--level warning", [4]),
            ("--gateway branch --limit 1", [4]),
            ("--tunnel branch:lan", [3]),
            ("--tunnel branch", [3, 4]),
            ("--code child.installed", [3]),
            ("--code child", [3]),
            ("--after 3", [4]),
        ],
    )
    def test_they_are_chosen_by_options(self, isthmus: Run, options: str, numbers: list[int]) -> None:
        result = isthmus("show", "events", "--json", *options.split())
        assert [row["number"] for row in json.loads(result.stdout)] == numbers

    def test_since_is_a_duration(self, isthmus: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("time.time", lambda: 1_800_000_100.0)
        assert len(json.loads(isthmus("show", "events", "--json", "--since", "2m").stdout)) == 3
        assert len(json.loads(isthmus("show", "events", "--json", "--since", "1m").stdout)) == 0

    def test_they_are_told_one_a_line(self, isthmus: Run) -> None:
        assert len(isthmus("show", "events").stdout.splitlines()) == 4


def test_what_is_not_esp_in_tunnel_mode_is_seen_in_the_table(isthmus: Run, daemon: FakeDaemon) -> None:
    by_hand = replace(child_view("legacy"), peer=None, protocol=Protocol.AH, mode=Mode.TRANSPORT)
    daemon.gateway.ikes = (ike_view(by_hand),)
    daemon.plan = daemon.gateway.plan = replace(daemon.plan, manual={"legacy": AH})
    assert "AH aes-256-gcm/group20 (transport)" in isthmus("show", "ipsec-sa").stdout
    assert "legacy, keys by hand" in isthmus("show", "ipsec-sa", "legacy").stdout
