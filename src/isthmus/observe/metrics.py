"""Metrics for Prometheus: events counted as they happen, state read when it is scraped.

A configured tunnel that is down is there, with its reason. SPIs, selectors and addresses are never labels:
the number of series depends on the configuration, not on what happens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

import isthmus
from isthmus.engine.views import TunnelView
from isthmus.events.child import ChildInstalled, RekeyCollision
from isthmus.events.event import Event
from isthmus.events.ike import CookieDemanded, IkeEstablished, IkeRekeyCollision, IkeRekeyed, NegotiationFailed
from isthmus.events.message import DatagramDropped, MessageExchanged, Retransmitted
from isthmus.model.quantities import Instant
from isthmus.model.sa_spec import Direction
from isthmus.observe.traffic import Total, TrafficTotals
from isthmus.observe.watched import Watched

_TUNNEL = ("tunnel", "proxy_id", "gateway")
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """All metrics of one gateway, in a registry of its own."""

    def __init__(self, watched: Watched, traffic: TrafficTotals, wall_of: Callable[[Instant], float]) -> None:
        self._watched: Final = watched
        self._reasons: Final[dict[str, str]] = {}
        self._ike = _Tally(
            "isthmus_ike_negotiations",
            "IKE SA negotiations that came to an end.",
            ("gateway", "role", "result", "reason"),
        )
        self._children = _Tally(
            "isthmus_child_negotiations",
            "Child SA negotiations that came to an end; successors count as rekeys.",
            ("tunnel", "proxy_id", "result", "reason"),
        )
        self._rekeys = _Tally("isthmus_ike_rekeys", "IKE SAs and Child SAs with new keys.", ("gateway", "kind"))
        self._collisions = _Tally(
            "isthmus_ike_rekey_collisions", "Rekeys that both ends began at once.", ("gateway", "kind")
        )
        self._retransmits = _Tally("isthmus_ike_retransmits", "IKE requests sent again.", ("gateway",))
        self._cookies = _Tally("isthmus_ike_cookies_sent", "Cookies demanded.")
        self._dropped = _Tally("isthmus_ike_datagrams_dropped", "IKE datagrams dropped.", ("trigger",))
        registry = self._registry = CollectorRegistry(auto_describe=False)
        for tally in (
            self._ike,
            self._children,
            self._rekeys,
            self._collisions,
            self._retransmits,
            self._cookies,
            self._dropped,
        ):
            registry.register(tally)
        self._took = Histogram(
            "isthmus_ike_negotiation_seconds",
            "From the first message of an IKE SA to its establishment.",
            ("role",),
            buckets=_SECONDS,
            registry=registry,
        )
        registry.register(_State(watched, traffic, self._reasons, wall_of))

    def record(self, event: Event) -> None:
        """Counts the event."""
        match event:
            case MessageExchanged():
                pass  # the most frequent of all, and nobody counts it
            case IkeEstablished():
                self._ike.add(event.peer or "", event.role, "established", "")
                self._took.labels(event.role).observe(event.took)
            case NegotiationFailed(child=None):
                self._ike.add(event.peer or "", event.role, "failed", event.reason.value, count=event.count)
                self._remember(event)
            case NegotiationFailed(child=str(child)):
                self._children.add(*_parts(child), "failed", event.reason.value)
                self._remember(event)
            case ChildInstalled():
                if event.replaces is None:
                    self._children.add(*_parts(event.child), "installed", "")
                else:
                    self._rekeys.add(event.peer or "", "child")
                self._reasons.pop(event.child, None)
            case IkeRekeyed():
                self._rekeys.add(event.peer or "", "ike")
            case RekeyCollision():
                self._collisions.add(event.peer or "", "child")
            case IkeRekeyCollision():
                self._collisions.add(event.peer or "", "ike")
            case Retransmitted():
                self._retransmits.add(event.peer or "")
            case CookieDemanded():
                self._cookies.add(count=event.count)
            case DatagramDropped():
                self._dropped.add(event.trigger.value, count=event.count)
            case _:
                pass

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """The text and its content type, in the format that the scraper asks for."""
        encoder, content_type = choose_encoder(accept)
        return encoder(self._registry), content_type

    def _remember(self, failure: NegotiationFailed) -> None:
        """A failed IKE SA is why none of its peer's children is up."""
        if failure.child is not None:
            self._reasons[failure.child] = failure.reason.value
        elif failure.peer is not None:
            for tunnel in self._watched.plan.tunnels_of(failure.peer):
                for child in tunnel.children:
                    self._reasons[child.name] = failure.reason.value


class _Tally(Collector):
    """A counter: one number for each set of labels, where the library keeps an object with a lock."""

    def __init__(self, name: str, help_: str, labels: tuple[str, ...] = ()) -> None:
        self._name = name
        self._help = help_
        self._labels = labels
        # Without labels it is there before anything was counted.
        self._counts: dict[tuple[str, ...], int] = {} if labels else {(): 0}

    def add(self, *values: str, count: int = 1) -> None:
        self._counts[values] = self._counts.get(values, 0) + count

    def collect(self) -> Iterator[Metric]:
        family = CounterMetricFamily(self._name, self._help, labels=self._labels)
        for values, count in self._counts.items():
            family.add_metric(values, count)
        yield family


class _State(Collector):
    """What is true at the moment of the scrape."""

    def __init__(
        self,
        watched: Watched,
        traffic: TrafficTotals,
        reasons: dict[str, str],
        wall_of: Callable[[Instant], float],
    ) -> None:
        self._watched = watched
        self._traffic = traffic
        self._reasons = reasons
        self._wall_of = wall_of

    def collect(self) -> Iterator[Metric]:
        tunnels = self._watched.gateway.tunnels()
        yield self._build()
        yield from self._tunnels(tunnels)
        yield from self._ike()
        yield from self._esp(tunnels)

    def _build(self) -> Metric:
        build = GaugeMetricFamily("isthmus_build_info", "The running version.", labels=("version",))
        build.add_metric((isthmus.__version__,), 1)
        return build

    def _tunnels(self, tunnels: tuple[TunnelView, ...]) -> Iterator[Metric]:
        configured = GaugeMetricFamily("isthmus_tunnel_configured", "1 for every configured child.", labels=_TUNNEL)
        up = GaugeMetricFamily("isthmus_tunnel_up", "1 where the child has a Child SA that carries.", labels=_TUNNEL)
        state = GaugeMetricFamily(
            "isthmus_tunnel_state_info",
            "The state of each configured child, and why it is not up.",
            labels=(*_TUNNEL, "state", "reason"),
        )
        for tunnel in tunnels:
            labels = (tunnel.tunnel, tunnel.proxy_id or "", tunnel.peer or "")
            reason = "" if tunnel.state == "up" else self._reasons.get(tunnel.child, "")
            configured.add_metric(labels, 1)
            up.add_metric(labels, 1 if tunnel.state == "up" else 0)
            state.add_metric((*labels, tunnel.state, reason), 1)
        yield from (configured, up, state)

    def _ike(self) -> Iterator[Metric]:
        half_open = GaugeMetricFamily(
            "isthmus_ike_half_open",
            "IKE SAs that somebody began with us and has not authenticated.",
            value=self._watched.gateway.half_open,
        )
        answered = CounterMetricFamily(
            "isthmus_ike_key_exchanges_answered",
            "Key exchanges computed for somebody who had not authenticated.",
            value=self._watched.gateway.key_exchanges_answered,
        )
        since = GaugeMetricFamily(
            "isthmus_ike_sa_established_timestamp_seconds",
            "When the newest IKE SA with each gateway was established.",
            labels=("gateway",),
        )
        newest: dict[str, Instant] = {}
        for ike in self._watched.gateway.ike_sas():
            if ike.peer is not None and ike.established_at is not None:
                newest[ike.peer] = max(ike.established_at, newest.get(ike.peer, ike.established_at))
        for peer, established_at in newest.items():
            since.add_metric((peer,), self._wall_of(established_at))
        yield from (half_open, answered, since)

    def _esp(self, tunnels: tuple[TunnelView, ...]) -> Iterator[Metric]:
        labels = ("tunnel", "proxy_id", "direction")
        octets = CounterMetricFamily("isthmus_esp_bytes", "Octets of inner packets protected or opened.", labels=labels)
        packets = CounterMetricFamily("isthmus_esp_packets", "Packets protected or opened.", labels=labels)
        totals = self._traffic.totals()
        for tunnel in tunnels:
            for direction in Direction:
                total = totals.get((tunnel.child, direction), Total())
                where = (tunnel.tunnel, tunnel.proxy_id or "", direction.value)
                octets.add_metric(where, total.octets)
                packets.add_metric(where, total.packets)
        errors = CounterMetricFamily("isthmus_esp_errors", "Packets dropped by the data plane.", labels=("reason",))
        for reason, count in sorted(self._watched.plane.drops().items()):
            errors.add_metric((reason,), count)
        yield from (octets, packets, errors)


def _parts(child: str) -> tuple[str, str]:
    tunnel, _, proxy_id = child.partition(":")
    return tunnel, proxy_id
