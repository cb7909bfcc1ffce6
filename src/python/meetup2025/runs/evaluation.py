"""Quality of outlier detection: thresholds and measures by the marks of people."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from meetup2025.analytics.detector_tests import compare
from meetup2025.analytics.evaluation import evaluate, split
from meetup2025.analytics.thresholds import best_f1
from meetup2025.errors import DataError, listed, shown
from meetup2025.runs.outliers import OUTLIERS, derived, scored, stored_detector
from meetup2025.runs.sources import SHORT, has_changed, read_items
from meetup2025.runs.store import Metric, Outcome, Request, Result, fitted_run, metric_of, stored_run

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from meetup2025.analytics.detector_tests import Compared
    from meetup2025.analytics.evaluation import Evaluation
    from meetup2025.engines import Connection
    from meetup2025.runs.store import StoredRun

EVALUATION, COMPARISON = "Evaluation", "Comparison"
"""Kinds of runs."""

PARTS = ("validation", "test")

_SEED = 5
"""Seed of the choice of validation items, where nobody has chosen them."""

_MEASURES = ("f1", "precision", "recall", "roc_auc", "pr_auc")

_COUNTS = ("true_positives", "false_positives", "false_negatives", "true_negatives")


@dataclass(frozen=True)
class Marked:
    """
    Items that somebody has marked.

    Attributes:
        items: Table and key of each item, in upper case, ordered.
        odd: 1 where an item does not belong, shape (n,).
        parts: Use of each item: `validation`, `test` or empty.
        hash: First digits of the SHA-256 of items, marks and parts, in hexadecimal.
    """

    items: tuple[tuple[str, str], ...]
    odd: NDArray[Any]
    parts: tuple[str, ...]
    hash: str


def choose_threshold(connection: Connection, run: int, labels: str) -> int:
    """
    Choose the threshold with the highest F1 on validation items: `MeetUp2025.ChooseThreshold`.

    Args:
        connection: An open connection.
        run: Number of a run of Outliers.
        labels: Name of a set of `MeetUp2025.Mark`.

    Returns:
        Number of a new run with the same scores.

    Raises:
        DataError: The run or the labels do not exist, all validation items are of one kind, or the source of the run
            has changed since.
    """
    known, rows, marked = _judged(connection, run, labels)

    def fit() -> Outcome:
        import numpy as np

        scores, odd, (validation, _) = _aligned(rows, marked)
        threshold = best_f1(scores[validation], odd[validation])
        every = np.array([row[3] for row in rows])
        return scored([row[:3] for row in rows], every, threshold, stored_detector(connection, known))

    parameters = derived(known, labels=labels, labels_hash=marked.hash)
    return fitted_run(connection, Request(OUTLIERS, known.basis, parameters, _SEED), fit)


def fit_evaluation(connection: Connection, run: int, labels: str) -> int:
    """
    Measure the quality of a run of Outliers on test items: `MeetUp2025.FitEvaluation`.

    Raises:
        DataError: As `choose_threshold`, for test items.
    """
    known, rows, marked = _judged(connection, run, labels)
    threshold = metric_of(connection, run, "threshold")

    def fit() -> Outcome:
        scores, odd, (_, test) = _aligned(rows, marked)
        return _evaluated(evaluate(scores[test], odd[test], threshold, seed=_SEED))

    parameters = derived(known, labels=labels, labels_hash=marked.hash)
    return fitted_run(connection, Request(EVALUATION, known.basis, parameters, _SEED), fit)


def validation_pr_auc(connection: Connection, run: int, labels: str) -> float:
    """
    Return the average precision of a run of Outliers over the validation items.

    Raises:
        DataError: As `choose_threshold`.
    """
    known, rows, marked = _judged(connection, run, labels)
    scores, odd, (validation, _) = _aligned(rows, marked)
    threshold = metric_of(connection, known.run, "threshold")
    return evaluate(scores[validation], odd[validation], threshold, resamples=1).pr_auc.value


def fit_comparison(connection: Connection, source: str, labels: str, seed: int = _SEED) -> int:
    """
    Try every detector on a source: `MeetUp2025.FitComparison`.

    A detector is fitted to half of the items that are marked as normal. Some of the other items choose its threshold,
    and the rest measure it (`analytics.detector_tests.compare`). The parts of marks are not used here.

    Raises:
        DataError: The source or the labels do not exist, or too few items of a kind are marked.
    """
    items = read_items(connection, source)
    places = {(table.upper(), key.upper()): at for at, (table, key, _) in enumerate(items.rows())}
    marked = _marks(connection, labels, {table for table, _ in places})
    _check_known(marked, places, items.source)
    chosen = items.vectors[[places[each] for each in marked.items]]
    request = Request(COMPARISON, items.basis, {"labels": labels, "labels_hash": marked.hash}, seed)
    return fitted_run(connection, request, lambda: _compared(compare(chosen, marked.odd, seed=seed)))


def _judged(connection: Connection, run: int, labels: str) -> tuple[StoredRun, list[tuple[Any, ...]], Marked]:
    """Read a run of Outliers, its items with their scores, and a set of marks."""
    known = stored_run(connection, run, OUTLIERS)
    if has_changed(connection, known):
        raise DataError(f"{known.basis.source} must be as it was when run {run} was made. Got changes; fit it again.")
    with connection.cursor() as cursor:
        cursor.execute("SELECT Source, Item, Name, Score FROM MeetUp2025.OutlierItem WHERE Run = ? ORDER BY %ID", [run])
        rows = [(table, key, name or "", float(score)) for table, key, name, score in cursor.fetchall()]
    there = {(row[0].upper(), row[1].upper()) for row in rows}
    marked = _marks(connection, labels, {table for table, _ in there})
    _check_known(marked, there, f"run {run}")
    return known, rows, marked


def _marks(connection: Connection, labels: str, tables: set[str]) -> Marked:
    """Read the marks of a set for the items of some tables, in upper case."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT Source, Item, Odd, Part FROM MeetUp2025.Mark WHERE Labels = ?", [labels])
        every = [(str(row[0]).upper(), str(row[1]).upper(), int(row[2]), row[3] or "") for row in cursor.fetchall()]
    rows = sorted(row for row in every if row[0] in tables)
    if not rows:
        got = f"{shown(labels)}, which has no rows for {' or '.join(sorted(tables))}"
        raise DataError(f"Labels must be a set of MeetUp2025.Mark. Got {got}; INSERT some.")
    if strange := [row for row in rows if row[2] not in {0, 1}]:
        table, key, value, _ = strange[0]
        got = f"{value} for {table} {key} in {shown(labels)}"
        raise DataError(f"Odd of a mark must be 0 or 1. Got {got}; UPDATE that mark.")
    wrong = sorted({part for *_, part in rows if part and part.lower() not in PARTS})
    if wrong:
        raise DataError(f"The Part of a mark must be {' or '.join(PARTS)}, or empty. Got {listed(wrong)}.")
    digest = hashlib.sha256(repr(rows).encode()).hexdigest()[:SHORT]
    odd = np.array([row[2] for row in rows])
    return Marked(tuple(row[:2] for row in rows), odd, tuple(part.lower() for *_, part in rows), digest)


def _check_known(marked: Marked, known: Any, where: str) -> None:
    unknown = [f"{table} {key}" for table, key in marked.items if (table, key) not in known]
    if unknown:
        raise DataError(
            f"Marked items must be in {where}. Got {len(unknown)} that are not, as {unknown[0]}; mark those that are."
        )


def _aligned(rows: Sequence[tuple[Any, ...]], marked: Marked) -> tuple[NDArray[Any], NDArray[Any], tuple[Any, Any]]:
    """Return scores and marks of the marked items, and the indices of the validation and test items."""
    scores = {(row[0].upper(), row[1].upper()): row[3] for row in rows}
    found = np.array([scores[each] for each in marked.items])
    return found, marked.odd, _parts(marked)


def _parts(marked: Marked) -> tuple[NDArray[Any], NDArray[Any]]:
    """Divide the items without a part among validation and test."""
    given = np.array(marked.parts)
    free = np.flatnonzero(given == "")
    shared = split(marked.odd[free], seed=_SEED) if len(free) else None
    extra = (free[shared.validation], free[shared.test]) if shared else (free, free)
    validation, test = (
        np.sort(np.concatenate([np.flatnonzero(given == part), more])) for part, more in zip(PARTS, extra, strict=True)
    )
    return validation, test


def _evaluated(found: Evaluation) -> Outcome:
    rows = [("ROC", x, y) for x, y in found.roc] + [("PR", x, y) for x, y in found.pr]
    counts = [Metric(name, getattr(found, name)) for name in _COUNTS]
    metrics = [*_measures(found), Metric("threshold", found.threshold), *counts]
    return Outcome([Result("CurvePoint", ("Curve", "X", "Y"), rows)], metrics)


def _measures(found: Evaluation, subject: str = "") -> Iterable[Metric]:
    for name in _MEASURES:
        estimate = getattr(found, name)
        yield Metric(name, estimate.value, subject, estimate.low, estimate.high)


def _compared(found: Sequence[Compared]) -> Outcome:
    metrics: list[Metric] = []
    for each in found:
        metrics += [*_measures(each.evaluation, each.detector), Metric("trained", each.trained, each.detector)]
    return Outcome(metrics=metrics)
