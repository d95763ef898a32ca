from __future__ import annotations

import json

import pytest

from isthmus.engine.commands import TerminateChild, TerminateIke
from tests.api.fakes import FakeDaemon
from tests.cli.conftest import Run


@pytest.mark.parametrize("words", ["clear ike-sa branch", "clear vpn ike-sa gateway branch", "clear ike-sa"])
def test_ike_sas_are_cleared_by_gateway_or_all(isthmus: Run, daemon: FakeDaemon, words: str) -> None:
    result = isthmus(*words.split())
    assert (result.exit_code, daemon.commands) == (0, [TerminateIke("branch")])
    assert result.stdout == "Deleting 1 IKE SA: branch\n"


@pytest.mark.parametrize("words", ["clear ipsec-sa branch", "clear vpn ipsec-sa tunnel branch:lan", "clear ipsec-sa"])
def test_child_sas_are_cleared_by_tunnel_or_all(isthmus: Run, daemon: FakeDaemon, words: str) -> None:
    result = isthmus(*words.split(), "--json")
    assert daemon.commands == [TerminateChild("branch:lan")]
    assert json.loads(result.stdout) == {"kind": "ipsec-sa", "names": ["branch:lan"], "count": 1}


def test_nothing_to_clear_is_said_and_is_no_error(isthmus: Run, daemon: FakeDaemon) -> None:
    result = isthmus("clear", "ipsec-sa", "road")
    assert (result.exit_code, daemon.commands) == (0, [])
    assert result.stdout == "There is no Child SA to delete.\n"
