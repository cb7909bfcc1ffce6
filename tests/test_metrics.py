"""What a server tells of itself: numbers and lines."""

from __future__ import annotations

import json

import pytest

from meetup2025.cli.metrics import Metrics
from meetup2025.embedding.server.log import Line, write


def numbers(metrics: Metrics) -> dict[str, float]:
    """Return the samples of a page by their names with labels."""
    lines = [line for line in metrics.page()[1].decode().splitlines() if not line.startswith("#")]
    return {name: float(number) for name, number in (line.rsplit(" ", 1) for line in lines)}


def test_counts() -> None:
    """Answers are counted by path, method and status; unknown paths and methods count together."""
    metrics = Metrics(["/a"])
    for path, method, status in (("/a", "GET", 200), ("/a", "GET", 200), ("/b", "GET", 404), ("/c", "ODD", 404)):
        metrics.count(path, method, status, 0.01)
    found = numbers(metrics)

    assert found['meetup2025_requests_total{method="GET",path="/a",status="200"}'] == 2
    assert found['meetup2025_requests_total{method="GET",path="other",status="404"}'] == 1
    assert found['meetup2025_requests_total{method="other",path="other",status="404"}'] == 1
    assert found['meetup2025_request_seconds_count{path="other"}'] == 2
    assert found['meetup2025_request_seconds_bucket{le="0.005",path="/a"}'] == 0
    assert found['meetup2025_request_seconds_bucket{le="0.02",path="/a"}'] == 2


def test_asked_for() -> None:
    """Gauges and rows are asked for at each look."""
    metrics, rows = Metrics([]), {"Fish": 1.0}
    metrics.gauge("waiting", "Items.", lambda: len(rows))
    metrics.gauge("model", "Model.", lambda: 1, model="sketch@1")
    metrics.rows(lambda: rows)
    rows["FishImage"] = 2.0

    assert numbers(metrics)["meetup2025_waiting"] == 2
    assert numbers(metrics)['meetup2025_model{model="sketch@1"}'] == 1
    assert numbers(metrics)['meetup2025_rows{table="FishImage"}'] == 2


@pytest.mark.parametrize("form", ["plain", "json"])
def test_lines(capsys: pytest.CaptureFixture[str], form: str) -> None:
    """A line is text for people, or JSON for programs, and cannot move the cursor of a terminal."""
    write(Line.of_request("GET", "/\x1b[2J", 503, 0.0123, ["it is down"]), form)
    write("stopped", form)
    request, stop = capsys.readouterr().err.splitlines()

    if form == "plain":
        assert request.endswith(" GET /?[2J 503 12.3 ms it is down")
        assert stop.endswith(" stopped")
    else:
        found = json.loads(request)
        assert [found[each] for each in ("method", "status", "ms", "notes")] == ["GET", 503, 12.3, "it is down"]
        assert json.loads(stop)["message"] == "stopped"
