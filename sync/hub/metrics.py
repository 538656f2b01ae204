"""The hub's figures as Prometheus text. No office, no device, no person: sums and rates only.

Counters live in the process; gauges are read from the database when they are asked for, at most once in ten seconds.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily

from sync.hub import reports

if TYPE_CHECKING:
    from sync.hub.centre import Centre

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_FRESH_S: Final = 10
_GAUGES: Final = {
    "offices": "Offices that this hub knows",
    "devices": "Laptops that are enrolled",
    "batches": "Batches in the log",
    "records": "Different ops stored",
    "quarantined": "Ops in quarantine",
    "pending": "Ops that wait for their parent or their enrolment",
    "effects": "Outside effects that wait for a person",
    "refused": "Uploads that were cut off or altered",
}


class Metrics:
    """The figures of one hub process."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre
        self._read_at, self._totals = -float(_FRESH_S), dict[str, Any]()
        self._registry = CollectorRegistry()
        self._registry.register(self)
        self.requests = Counter(
            "sala_requests", "Requests by call and status", ["call", "status"], registry=self._registry
        )
        self.seconds = Histogram(
            "sala_request_seconds", "Time to answer", ["call"], registry=self._registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
        )  # fmt: skip

    def seen(self, call: str, status: int, seconds: float) -> None:
        """One request was answered. ``call``: the name of the route, never its path."""
        self.requests.labels(call, str(status)).inc()
        self.seconds.labels(call).observe(seconds)

    def text(self) -> bytes:
        """Everything as Prometheus reads it."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges; called by the registry."""
        if time.monotonic() - self._read_at >= _FRESH_S:
            self._totals = self._centre.storage.read(reports.totals)
            self._read_at = time.monotonic()
        for name, words in _GAUGES.items():
            gauge = GaugeMetricFamily(f"sala_{name}", words)
            gauge.add_metric([], self._totals[name])
            yield gauge
        epoch = GaugeMetricFamily("sala_log_epoch", "Epoch of the log")
        epoch.add_metric([], self._centre.log.epoch)
        yield epoch
