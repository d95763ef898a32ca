from __future__ import annotations

import json

from tests.api.fakes import FakeDaemon
from tests.cli.conftest import Run


def test_a_tunnel_is_disabled_and_enabled(isthmus: Run, daemon: FakeDaemon) -> None:
    assert isthmus("disable", "branch").stdout == "branch is disabled.\n"
    assert not daemon.plan.tunnels["branch"].enabled
    assert isthmus("disable", "tunnel", "branch").stdout == "branch is disabled already.\n"
    result = isthmus("enable", "branch", "--json")
    assert json.loads(result.stdout) == {"tunnel": "branch", "enabled": True, "changed": True}
    assert daemon.plan.tunnels["branch"].enabled


def test_an_unknown_tunnel_is_not_found(isthmus: Run) -> None:
    assert isthmus("disable", "brunch").exit_code == 4


def test_a_disabled_tunnel_cannot_be_tried(isthmus: Run) -> None:
    isthmus("disable", "branch")
    result = isthmus("test", "ipsec-sa", "branch")
    assert result.exit_code == 1
    assert "branch is disabled" in result.stderr
