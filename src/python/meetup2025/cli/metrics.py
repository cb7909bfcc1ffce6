"""The numbers that a server tells of itself, in the form of Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

_SECONDS = (0.005, 0.02, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""Upper bounds of the classes of times, in seconds."""


class Metrics:
    """
    Counts and times of a server, of the requests that it had so far.

    Args:
        paths: Paths that are counted by their names. All others are counted together.
    """

    def __init__(self, paths: Collection[str]) -> None:
        from prometheus_client import CollectorRegistry, Counter, Histogram

        self._paths = frozenset(paths)
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "meetup2025_requests", "Requests by path, method and status.", ["path", "method", "status"],
            registry=self._registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "meetup2025_request_seconds", "Seconds for an answer.", ["path"], registry=self._registry, buckets=_SECONDS
        )

    def count(self, path: str, method: str, status: int, seconds: float) -> None:
        """Count an answer."""
        known = path if path in self._paths else "other"
        self._requests.labels(known, method if method in {"GET", "HEAD", "POST"} else "other", str(status)).inc()
        self._seconds.labels(known).observe(seconds)

    def gauge(self, name: str, help_: str, value: Callable[[], float], **labels: str) -> None:
        """Add a number that is asked for at each look."""
        from prometheus_client import Gauge

        gauge = Gauge(f"meetup2025_{name}", help_, [*labels], registry=self._registry)
        (gauge.labels(**labels) if labels else gauge).set_function(value)

    def rows(self, counts: Callable[[], dict[str, float]]) -> None:
        """Add the numbers of rows by table. They are asked for at each look, and left out where this fails."""
        self._registry.register(_Rows(counts))

    def page(self) -> tuple[str, bytes]:
        """Return the content type and the text of all numbers."""
        from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

        return CONTENT_TYPE_LATEST, generate_latest(self._registry)


class _Rows:
    def __init__(self, counts: Callable[[], dict[str, float]]) -> None:
        self._counts = counts

    def describe(self) -> list[Any]:
        return []

    def collect(self) -> list[Any]:
        from prometheus_client.core import GaugeMetricFamily

        family = GaugeMetricFamily("meetup2025_rows", "Rows of the tables.", labels=["table"])
        for table, count in self._counts().items():
            family.add_metric([table], count)
        return [family]
