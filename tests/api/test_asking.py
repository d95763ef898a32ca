from __future__ import annotations

from dataclasses import replace

import pytest

from isthmus.engine.commands import (
    Apply,
    InitiateChild,
    InitiateIke,
    Reauthenticate,
    RekeyChild,
    RekeyIke,
    TerminateChild,
    TerminateIke,
)
from isthmus.events.ike import FailureReason
from tests.api.asking import ask
from tests.api.facts import established, failed, installed, rekeyed
from tests.api.fakes import FakeDaemon, child_view, ike_view
from tests.engine.test_manual import AH


def test_an_ike_sa_that_comes_up_is_told_as_up() -> None:
    daemon = FakeDaemon()
    answer = ask(daemon, "/v1/test/ike-sa/branch", method="POST", meanwhile=lambda: daemon.happen(established()))
    assert daemon.commands == [InitiateIke("branch")]
    ((outcome),) = answer.json()
    assert (outcome["kind"], outcome["name"], outcome["result"], outcome["reason"]) == ("ike-sa", "branch", "up", None)


def test_an_ike_sa_that_is_up_is_left_alone() -> None:
    daemon = FakeDaemon(ike_view())
    (outcome,) = ask(daemon, "/v1/test/ike-sa/branch", method="POST").json()
    assert (outcome["result"], daemon.commands) == ("already-up", [])


def test_a_refusal_brings_both_sides() -> None:
    daemon = FakeDaemon()
    daemon.answers[InitiateIke("branch")] = (failed(),)
    (outcome,) = ask(daemon, "/v1/test/ike-sa/branch", method="POST").json()
    assert (outcome["result"], outcome["reason"]) == ("refused", "no-proposal-chosen")
    assert outcome["they_said"] == ["NO_PROPOSAL_CHOSEN"]
    assert outcome["we_said"] == ["aes-256-gcm/prf-sha384/group20"]


def test_all_proxy_ids_of_a_tunnel_are_tried_and_told_apart() -> None:
    daemon = FakeDaemon(ike_view(child_view("branch:lan")))
    daemon.answers[InitiateChild("branch:web")] = (failed(FailureReason.SELECTORS_UNACCEPTABLE, child="branch:web"),)
    outcomes = ask(daemon, "/v1/test/ipsec-sa/branch", method="POST").json()
    assert [(o["name"], o["result"]) for o in outcomes] == [("branch:lan", "already-up"), ("branch:web", "refused")]


def test_one_proxy_id_can_be_tried_alone() -> None:
    daemon = FakeDaemon()
    daemon.answers[InitiateChild("branch:web")] = (established(), installed("branch:web"))
    (outcome,) = ask(daemon, "/v1/test/ipsec-sa/branch:web", method="POST").json()
    assert (outcome["name"], outcome["result"]) == ("branch:web", "up")


def test_silence_is_told_as_timed_out_and_nobody_listens_afterwards() -> None:
    daemon = FakeDaemon()
    listeners = len(daemon.listeners)
    (outcome,) = ask(daemon, "/v1/test/ike-sa/branch?timeout=0.05", method="POST").json()
    assert outcome["result"] == "timed-out"
    assert len(daemon.listeners) == listeners + 1  # the metrics of the application


@pytest.mark.parametrize("timeout", ["0", "301", "soon", "-1", "nan"])
def test_a_client_waits_for_a_bounded_time(timeout: str) -> None:
    answer = ask(FakeDaemon(), f"/v1/test/ike-sa/branch?timeout={timeout}", method="POST")
    assert answer.status_code == 400


def test_a_rekey_waits_for_the_successor() -> None:
    daemon = FakeDaemon(ike_view(child_view("branch:lan")))
    daemon.answers[RekeyChild("branch:lan")] = (installed("branch:lan", replaces=0xC94D2F00),)
    (outcome,) = ask(daemon, "/v1/rekey/ipsec-sa/branch", method="POST").json()
    assert (outcome["name"], outcome["result"]) == ("branch:lan", "up")


def test_a_rekey_of_an_ike_sa_waits_for_the_new_one() -> None:
    daemon = FakeDaemon(ike_view())
    daemon.answers[RekeyIke("branch")] = (rekeyed(),)
    (outcome,) = ask(daemon, "/v1/rekey/ike-sa/branch", method="POST").json()
    assert (outcome["kind"], outcome["result"]) == ("ike-sa", "up")


def test_a_reauthentication_waits_for_an_ike_sa_that_grew_from_no_other() -> None:
    daemon = FakeDaemon(ike_view())
    daemon.answers[Reauthenticate("branch")] = (rekeyed(), established())
    (outcome,) = ask(daemon, "/v1/reauthenticate/branch", method="POST").json()
    assert (outcome["kind"], outcome["result"]) == ("ike-sa", "up")
    assert outcome["text"] == established().tell()


def test_a_reauthentication_that_is_the_peers_to_begin_is_told_so() -> None:
    daemon = FakeDaemon(ike_view())
    daemon.answers[Reauthenticate("branch")] = (failed(FailureReason.ONLY_RESPONDS),)
    (outcome,) = ask(daemon, "/v1/reauthenticate/branch", method="POST").json()
    assert (outcome["result"], outcome["reason"]) == ("failed", "only-responds")


@pytest.mark.parametrize("path", ["rekey/ipsec-sa", "rekey/ike-sa", "reauthenticate"])
def test_what_is_not_up_cannot_be_rekeyed(path: str) -> None:
    daemon = FakeDaemon(ike_view(state="connecting"))
    answer = ask(daemon, f"/v1/{path}/branch", method="POST")
    assert (answer.status_code, answer.json()["code"], daemon.commands) == (409, "not-up", [])


def test_a_tunnel_is_disabled_and_enabled_again_and_nothing_else_changes() -> None:
    daemon = FakeDaemon()
    before = daemon.plan
    off = ask(daemon, "/v1/disable/branch", method="POST").json()
    assert off == {"tunnel": "branch", "enabled": False, "changed": True}
    assert not daemon.plan.tunnels["branch"].enabled
    assert list(daemon.plan.tunnels) == list(before.tunnels)
    assert daemon.plan.tunnels["road"] == before.tunnels["road"]
    assert ask(daemon, "/v1/enable/branch", method="POST").json()["changed"]
    assert daemon.plan == before


def test_switching_to_what_it_is_changes_nothing() -> None:
    daemon = FakeDaemon()
    assert not ask(daemon, "/v1/enable/branch", method="POST").json()["changed"]
    assert daemon.commands == []


def test_a_disabled_tunnel_is_not_tried() -> None:
    daemon = FakeDaemon()
    ask(daemon, "/v1/disable/branch", method="POST")
    daemon.commands.clear()
    answer = ask(daemon, "/v1/test/ipsec-sa/branch", method="POST")
    assert (answer.status_code, answer.json()["code"], daemon.commands) == (409, "disabled", [])


def test_clearing_one_gateway_leaves_the_others() -> None:
    daemon = FakeDaemon(ike_view(), ike_view(), ike_view(peer="roamer"), ike_view(state="connecting", peer=None))
    cleared = ask(daemon, "/v1/clear/ike-sa/branch", method="POST").json()
    assert cleared == {"kind": "ike-sa", "names": ["branch"], "count": 2}
    assert daemon.commands == [TerminateIke("branch")]


def test_clearing_all_touches_what_has_an_sa_and_nothing_else() -> None:
    daemon = FakeDaemon(ike_view(child_view("branch:lan"), child_view("branch:lan", 2)))
    assert ask(daemon, "/v1/clear/ipsec-sa", method="POST").json() == {
        "kind": "ipsec-sa",
        "names": ["branch:lan"],
        "count": 2,
    }
    assert ask(daemon, "/v1/clear/ike-sa", method="POST").json()["names"] == ["branch"]
    assert daemon.commands == [TerminateChild("branch:lan"), TerminateIke("branch")]


def test_clearing_nothing_is_no_error() -> None:
    assert ask(FakeDaemon(), "/v1/clear/ipsec-sa/road", method="POST").json()["count"] == 0


@pytest.mark.parametrize(
    "path",
    [
        "/v1/test/ike-sa/brunch",
        "/v1/test/ipsec-sa/branch:wed",
        "/v1/clear/ike-sa/brunch",
        "/v1/clear/ipsec-sa/nowhere",
        "/v1/rekey/ipsec-sa/nowhere",
        "/v1/rekey/ike-sa/nowhere",
        "/v1/reauthenticate/nowhere",
        "/v1/enable/nowhere",
        "/v1/disable/branch:lan",
    ],
)
def test_an_order_for_an_unknown_name_does_nothing(path: str) -> None:
    daemon = FakeDaemon(ike_view(child_view()))
    answer = ask(daemon, path, method="POST")
    assert (answer.status_code, answer.json()["code"], daemon.commands) == (404, "not-found", [])


def test_an_order_is_a_post() -> None:
    daemon = FakeDaemon(ike_view())
    answer = ask(daemon, "/v1/clear/ike-sa/branch")
    assert (answer.status_code, answer.json()["code"], daemon.commands) == (405, "method-not-allowed", [])


def test_a_tunnel_with_keys_by_hand_is_switched_and_nothing_else() -> None:
    daemon = FakeDaemon()
    daemon.plan = daemon.gateway.plan = replace(daemon.plan, manual={"legacy": AH})
    refused = ask(daemon, "/v1/rekey/ipsec-sa/legacy", method="POST")
    assert (refused.status_code, refused.json()["code"]) == (409, "manual-key")
    answer = ask(daemon, "/v1/disable/legacy", method="POST").json()
    assert answer == {"tunnel": "legacy", "enabled": False, "changed": True}
    (order,) = daemon.commands
    assert isinstance(order, Apply)
    assert not order.plan.manual["legacy"].enabled
    assert ask(daemon, "/v1/disable/legacy", method="POST").json()["changed"] is False
