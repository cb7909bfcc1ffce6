"""
What the model of a source is worth, as a run: how well its labels are told by names, by few items, and by both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meetup2025.analytics.label_tests import Measured, measure
from meetup2025.runs.recogniser import PHOTOS, names_beside
from meetup2025.runs.sources import read_items
from meetup2025.runs.store import Metric, Outcome, Request, fitted_run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meetup2025.engines import Connection
    from meetup2025.runs.sources import Items

BENCHMARK = "Benchmark"
"""Kind of the runs."""


def fit_benchmark(connection: Connection, source: str = PHOTOS, draws: int = 5, seed: int = 5) -> int:
    """
    Measure how well the labels of a source are told: `MeetUp2025.FitBenchmark`.

    Args:
        connection: An open connection.
        source: Name of the source.
        draws: Number of draws of the items that are known, from 1 to 100.
        seed: The items are drawn from it.

    Returns:
        Number of the run. The subject of its metrics is a way (names, photos, names + photos) and the items a label.

    Raises:
        DataError: No label has two items, or *draws* is out of its range.
    """
    items = read_items(connection, source)
    names = names_beside(connection, items)
    parameters = {"draws": draws, "names_hash": names.hash if names else ""}
    request = Request(BENCHMARK, items.basis, parameters, seed)
    return fitted_run(connection, request, lambda: Outcome(metrics=_metrics(_measured(items, names, draws, seed))))


def _measured(items: Items, names: Items | None, draws: int, seed: int) -> list[Measured]:
    known = {name.upper(): name for name in names.names} if names else {}
    places = [place for place, label in enumerate(items.labels) if label]
    labels = [known.get(items.labels[place].upper(), items.labels[place]) for place in places]
    kinds = {"names": dict(zip(names.names, names.vectors, strict=True))} if names else {}
    return measure(items.vectors[places], labels, kinds, draws=draws, seed=seed)


def _metrics(found: list[Measured]) -> list[Metric]:
    return [metric for each in found for metric in _of_way(each)]


def _of_way(found: Measured) -> Iterator[Metric]:
    values = found._asdict()
    subject = f"{values.pop('way')} {values.pop('photos')}"
    return (Metric(name, value, subject) for name, value in values.items())
