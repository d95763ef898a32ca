from __future__ import annotations

import pytest

import isthmus
from isthmus.events.ike import FailureReason
from isthmus.model.sa_spec import SaCounters
from tests.api.asking import ask
from tests.api.facts import dropped, established, failed, installed
from tests.api.fakes import FakeDaemon, carrying, child_view, ike_view


def test_ike_sas_are_listed_with_the_fields_of_the_row() -> None:
    (row,) = ask(FakeDaemon(ike_view(child_view())), "/v1/ike-sa").json()
    assert (row["gateway"], row["initiator_spi"], row["children"]) == ("branch", "0x0102030405060708", ["branch:lan"])


def test_an_ike_sa_of_an_unknown_peer_is_listed_only_when_all_are() -> None:
    daemon = FakeDaemon(ike_view(state="connecting", peer=None))
    assert len(ask(daemon, "/v1/ike-sa").json()) == 1
    assert ask(daemon, "/v1/ike-sa?gateway=branch").json() == []


def test_child_sas_carry_the_counters_of_the_data_plane() -> None:
    child = child_view()
    daemon = FakeDaemon(ike_view(child))
    daemon.plane.seen = carrying(child, inbound=SaCounters(1, 100), outbound=SaCounters(2, 200))
    (row,) = ask(daemon, "/v1/ipsec-sa").json()
    assert (row["bytes_in"], row["bytes_out"]) == (100, 200)


def test_a_tunnel_or_one_of_its_proxy_ids_can_be_chosen() -> None:
    daemon = FakeDaemon(ike_view(child_view("branch:lan", 1), child_view("branch:web", 2)))
    assert len(ask(daemon, "/v1/ipsec-sa?tunnel=branch").json()) == 2
    (row,) = ask(daemon, "/v1/ipsec-sa?tunnel=branch:web").json()
    assert row["proxy_id"] == "web"
    assert [r["proxy_id"] for r in ask(daemon, "/v1/tunnels?tunnel=branch").json()] == ["lan", "web"]


def test_every_configured_tunnel_is_listed() -> None:
    rows = ask(FakeDaemon(ike_view(child_view())), "/v1/tunnels").json()
    assert [(row["tunnel"], row["state"]) for row in rows] == [("branch", "up"), ("branch", "down"), ("road", "down")]


def test_gateways_are_listed_and_chosen_by_name() -> None:
    daemon = FakeDaemon(ike_view())
    assert [row["state"] for row in ask(daemon, "/v1/gateways").json()] == ["established", "down"]
    assert [row["gateway"] for row in ask(daemon, "/v1/gateways?gateway=roamer").json()] == ["roamer"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/v1/ike-sa?gateway=brunch", "no gateway is named brunch; did you mean branch?"),
        ("/v1/gateways?gateway=zzz", "no gateway is named zzz"),
        ("/v1/tunnels?tunnel=raod", "no tunnel is named raod; did you mean road?"),
        ("/v1/ipsec-sa?tunnel=branch:lam", "no proxy ID is named lam; did you mean lan?"),
    ],
)
def test_an_unknown_name_is_not_found_and_near_ones_are_suggested(path: str, text: str) -> None:
    answer = ask(FakeDaemon(), path)
    assert (answer.status_code, answer.json()) == (404, {"code": "not-found", "text": text})


def test_the_overview_counts_what_is_up_and_shows_the_last_trouble() -> None:
    daemon = FakeDaemon(ike_view(child_view()))
    daemon.gateway.half_open = 1
    reasons = [reason for reason in FailureReason if reason is not FailureReason.NO_ANSWER][:6]
    for event in (*map(failed, reasons), established(), dropped(), failed(reasons[0]), failed(reasons[3])):
        daemon.happen(event)
    overview = ask(daemon, "/v1/status").json()
    assert overview["version"] == isthmus.__version__
    assert (overview["tunnels_up"], overview["tunnels_configured"]) == (1, 3)
    assert (overview["gateways_established"], overview["gateways_configured"]) == (1, 2)
    assert overview["half_open"] == 1
    # The first and the fourth were told again; numbers 7 and 8 are no trouble.
    assert [event["number"] for event in overview["trouble"]] == [3, 5, 6, 9, 10]


def test_events_are_rows_with_their_particulars() -> None:
    daemon = FakeDaemon()
    daemon.happen(installed("branch:lan"))
    (row,) = ask(daemon, "/v1/events").json()
    assert row["fields"].pop("suite") == "aes-256-gcm/group20"
    assert {key: row[key] for key in ("number", "at", "severity", "code", "gateway", "child")} == {
        "number": 1,
        "at": "2027-01-15T08:00:00.000Z",
        "severity": "notice",
        "code": "child.installed",
        "gateway": "branch",
        "child": "branch:lan",
    }


def test_events_can_be_chosen_and_read_on_from_a_number() -> None:
    daemon = FakeDaemon()
    for event in (established(), installed("branch:lan"), dropped(), failed(child="branch:web")):
        daemon.happen(event)

    def numbers(query: str) -> list[int]:
        return [row["number"] for row in ask(daemon, f"/v1/events?{query}").json()]

    assert numbers("") == [1, 2, 3, 4]
    assert numbers("after=2") == [3, 4]
    assert numbers("severity=notice") == [1, 2, 4]
    assert numbers("tunnel=branch:web") == [4]
    assert numbers("gateway=branch&code=child") == [2]
    assert numbers("limit=1") == [4]
    assert numbers("since=1800000001") == []


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=2001", "limit=many", "severity=loud", "after=-1", "since=nan", "since=1e9", "limit=1.5"]
)
def test_a_filter_that_makes_no_sense_is_a_bad_request(query: str) -> None:
    answer = ask(FakeDaemon(), f"/v1/events?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad-request")


def test_metrics_are_served_and_miss_no_event_since_the_application_was_made() -> None:
    answer = ask(FakeDaemon(ike_view(child_view())), "/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'isthmus_tunnel_up{gateway="branch",proxy_id="lan",tunnel="branch"} 1.0' in answer.text


def test_no_secret_is_in_any_answer() -> None:
    daemon = FakeDaemon(ike_view(child_view()))
    for path in ("/v1/status", "/v1/ike-sa", "/v1/ipsec-sa", "/v1/tunnels", "/v1/gateways", "/v1/events", "/metrics"):
        assert "not to be seen" not in ask(daemon, path).text
