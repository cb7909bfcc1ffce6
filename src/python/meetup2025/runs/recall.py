"""
How many of the best rows a search finds, as a run: the search of SQL against a comparison with all vectors.

An index for nearest vectors is approximate, and a search with a condition may return fewer rows than it should.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from meetup2025 import vectors
from meetup2025.analytics.neighbours import nearest_among
from meetup2025.errors import DataError
from meetup2025.runs.nearest import near
from meetup2025.runs.sources import BOTH, read_items, searched
from meetup2025.runs.store import Metric, Outcome, Request, fitted_run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from meetup2025.engines import Connection

RECALL = "SearchRecall"
"""Kind of the runs."""

_SUBJECTS = ("", "with a label")

_EQUAL = 1e-6
"""Difference of cosines up to which two rows are as good: the vectors of a source are read in float32."""


@dataclass(frozen=True)
class _Search:
    """A search: the rows that it should return, that it returned, and that are among the best."""

    wanted: int
    found: int
    right: int


def fit_search_recall(connection: Connection, source: str, k: int = 10, sample: int = 100, seed: int = 5) -> int:
    """
    Search for some vectors of a source, and count the best rows that are found: `MeetUp2025.FitSearchRecall`.

    Args:
        connection: An open connection.
        source: Name of the source: one table.
        k: Number of rows of a search, at least 1.
        sample: Number of vectors to search for, at least 1.
        seed: The vectors are drawn from it.

    Returns:
        Number of the run. Where rows have labels, the metrics of the subject `with a label` are those of searches
        among the rows of one label.

    Raises:
        DataError: The source is not known or is Both, or a number is below 1.
    """
    if k < 1 or sample < 1:
        raise DataError(f"k and sample must be whole numbers from 1. Got {k} and {sample}.")
    items = read_items(connection, source)
    if items.source == BOTH:
        raise DataError("The source of a search must be one table. Got Both; take Fish or FishImage.")
    [table] = searched(connection, source)
    labels = np.array([each.upper() for each in items.labels])

    def searches(place: int) -> Iterator[tuple[str, _Search]]:
        vector, label = items.vectors[place], labels[place]
        rows = near(connection, table, vectors.to_text(vector), k)
        yield "", _compared(items.vectors, vector, rows, k)
        if label:
            rows = near(connection, table, vectors.to_text(vector), k, label)
            yield "with a label", _compared(items.vectors[labels == label], vector, rows, k)

    def fit() -> Outcome:
        places = np.random.default_rng(seed).permutation(len(items))[:sample]
        every = [each for place in places for each in searches(place)]
        return Outcome(metrics=[metric for subject in _SUBJECTS for metric in _metrics(every, subject)])

    return fitted_run(connection, Request(RECALL, items.basis, {"k": k, "sample": sample}, seed), fit)


def _compared(known: NDArray[np.float32], vector: NDArray[np.float32], rows: list[tuple[str, ...]], k: int) -> _Search:
    """Compare the rows of a search with the vectors that it searched."""
    wanted = min(k, len(known))
    least = nearest_among(vector[None], known, wanted).cosines[0, -1]
    right = sum(float(score) >= least - _EQUAL for *_, score in rows)
    return _Search(wanted, len(rows), min(right, wanted))


def _metrics(every: list[tuple[str, _Search]], subject: str) -> Iterator[Metric]:
    found = [each for of, each in every if of == subject]
    if found:
        shares = [each.right / each.wanted for each in found]
        yield Metric("recall", float(np.mean(shares)), subject, low=min(shares), high=max(shares))
        yield Metric("wanted", sum(each.wanted for each in found), subject)
        yield Metric("found", sum(each.found for each in found), subject)
