from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from isthmus.events.child import RekeyCollision
from isthmus.events.ike import CookieDemanded, FailureReason, IkeRekeyCollision
from isthmus.model.sa_spec import InstallSa, SaCounters
from isthmus.observe.metrics import Metrics
from tests.api.facts import THERE_500, dropped, established, failed, installed, rekeyed, repeated
from tests.api.fakes import NOW, FakeDaemon, child_view, ike_view, moment
from tests.observe.test_traffic import sa_spec

_LAN = {"tunnel": "branch", "proxy_id": "lan", "gateway": "branch"}
_WEB = {"tunnel": "branch", "proxy_id": "web", "gateway": "branch"}
_ROAD = {"tunnel": "road", "proxy_id": "", "gateway": "roamer"}


def metrics_of(daemon: FakeDaemon) -> Metrics:
    metrics = Metrics(daemon, daemon.plane.traffic, moment().wall_of)
    daemon.subscribe(metrics.record)
    return metrics


def samples(metrics: Metrics, name: str) -> list[tuple[dict[str, str], float]]:
    text, _ = metrics.exposition("text/plain")
    families = text_string_to_metric_families(text.decode())
    return [(s.labels, s.value) for family in families for s in family.samples if s.name == name]


def test_every_configured_tunnel_is_there_up_or_not() -> None:
    metrics = metrics_of(FakeDaemon(ike_view(child_view("branch:lan"))))
    assert samples(metrics, "isthmus_tunnel_configured") == [(_LAN, 1.0), (_WEB, 1.0), (_ROAD, 1.0)]
    assert samples(metrics, "isthmus_tunnel_up") == [(_LAN, 1.0), (_WEB, 0.0), (_ROAD, 0.0)]


def test_a_tunnel_that_is_down_says_why_and_one_that_is_up_does_not() -> None:
    daemon = FakeDaemon(ike_view(child_view("branch:lan")))
    metrics = metrics_of(daemon)
    daemon.happen(failed(FailureReason.SELECTORS_UNACCEPTABLE, child="branch:web"))
    daemon.happen(failed(FailureReason.AUTHENTICATION_FAILED, peer="roamer"))
    assert samples(metrics, "isthmus_tunnel_state_info") == [
        ({**_LAN, "state": "up", "reason": ""}, 1.0),
        ({**_WEB, "state": "down", "reason": "selectors-unacceptable"}, 1.0),
        ({**_ROAD, "state": "down", "reason": "authentication-failed"}, 1.0),
    ]


def test_a_child_that_came_up_and_went_down_again_does_not_show_the_old_reason() -> None:
    daemon = FakeDaemon()
    metrics = metrics_of(daemon)
    daemon.happen(failed(FailureReason.NO_ANSWER))
    daemon.happen(installed("branch:lan"))
    reasons = {labels["proxy_id"]: labels["reason"] for labels, _ in samples(metrics, "isthmus_tunnel_state_info")}
    assert (reasons["lan"], reasons["web"]) == ("", "no-answer")


def test_negotiations_are_counted_by_how_they_ended() -> None:
    daemon = FakeDaemon()
    metrics = metrics_of(daemon)
    for event in (established(), failed(), failed(), installed(), installed("branch:lan", replaces=0xC94D2F00)):
        daemon.happen(event)
    daemon.happen(failed(FailureReason.SELECTORS_UNACCEPTABLE, child="branch:web"))
    by_result = {
        (labels["result"], labels["reason"]): value
        for labels, value in samples(metrics, "isthmus_ike_negotiations_total")
    }
    assert by_result == {("established", ""): 1.0, ("failed", "no-proposal-chosen"): 2.0}
    children = {
        (labels["proxy_id"], labels["result"]): value
        for labels, value in samples(metrics, "isthmus_child_negotiations_total")
    }
    assert children == {("lan", "installed"): 1.0, ("web", "failed"): 1.0}


def test_rekeys_and_their_collisions_are_counted_by_kind() -> None:
    daemon = FakeDaemon()
    metrics = metrics_of(daemon)
    for event in (installed(replaces=1), installed(replaces=2), rekeyed()):
        daemon.happen(event)
    daemon.happen(RekeyCollision(at=NOW, peer="branch", child="branch:lan", winner="our"))
    daemon.happen(IkeRekeyCollision(at=NOW, peer="branch", winner="our"))
    by_kind = {labels["kind"]: value for labels, value in samples(metrics, "isthmus_ike_rekeys_total")}
    assert by_kind == {"child": 2.0, "ike": 1.0}
    collisions = {labels["kind"]: value for labels, value in samples(metrics, "isthmus_ike_rekey_collisions_total")}
    assert collisions == {"child": 1.0, "ike": 1.0}


def test_retransmissions_cookies_and_dropped_datagrams_are_counted() -> None:
    daemon = FakeDaemon()
    metrics = metrics_of(daemon)
    for event in (repeated(), repeated(3), dropped(), CookieDemanded(at=NOW, remote=THERE_500, half_open=600)):
        daemon.happen(event)
    assert samples(metrics, "isthmus_ike_retransmits_total") == [({"gateway": "branch"}, 2.0)]
    assert samples(metrics, "isthmus_ike_cookies_sent_total") == [({}, 1.0)]
    assert samples(metrics, "isthmus_ike_datagrams_dropped_total") == [({"trigger": "malformed"}, 1.0)]


def test_half_open_ike_sas_and_the_age_of_established_ones_are_gauges() -> None:
    daemon = FakeDaemon(ike_view(), ike_view(state="connecting"))
    daemon.gateway.half_open = 2
    metrics = metrics_of(daemon)
    assert samples(metrics, "isthmus_ike_half_open") == [({}, 2.0)]
    daemon.gateway.key_exchanges_answered = 7
    assert samples(metrics, "isthmus_ike_key_exchanges_answered_total") == [({}, 7.0)]
    assert samples(metrics, "isthmus_ike_sa_established_timestamp_seconds") == [
        ({"gateway": "branch"}, moment().wall - 60.0)
    ]


def test_traffic_is_told_by_child_and_direction_also_where_there_was_none() -> None:
    daemon = FakeDaemon()
    inbound = sa_spec(0x1111, "branch:lan")
    daemon.plane.traffic.after(InstallSa(inbound))
    daemon.plane.seen[inbound.id] = SaCounters(packets=7, octets=700)
    metrics = metrics_of(daemon)
    octets = {
        (labels["proxy_id"], labels["direction"]): value
        for labels, value in samples(metrics, "isthmus_esp_bytes_total")
        if labels["tunnel"] == "branch"
    }
    assert octets == {("lan", "in"): 700.0, ("lan", "out"): 0.0, ("web", "in"): 0.0, ("web", "out"): 0.0}


def test_drops_of_the_data_plane_are_told_apart_by_reason() -> None:
    daemon = FakeDaemon()
    daemon.plane.dropped = {"replayed": 3, "no-policy": 1}
    metrics = metrics_of(daemon)
    assert samples(metrics, "isthmus_esp_errors_total") == [
        ({"reason": "no-policy"}, 1.0),
        ({"reason": "replayed"}, 3.0),
    ]


def test_no_spi_address_or_selector_is_a_label() -> None:
    daemon = FakeDaemon(ike_view(child_view()))
    metrics = metrics_of(daemon)
    for event in (established(), installed(), dropped()):
        daemon.happen(event)
    text = metrics.exposition("text/plain")[0].decode()
    assert not any(word in text for word in ("c94d2f01", "198.51.100.2", "192.0.2.1", "10.1.0.0"))


def test_a_scraper_that_asks_for_openmetrics_gets_it() -> None:
    text, content_type = metrics_of(FakeDaemon()).exposition("application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    assert text.endswith(b"# EOF\n")
