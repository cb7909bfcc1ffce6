"""
What is wrong with a collection: doubtful labels and copies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meetup2025.analytics.quality import duplicates, suspect_labels
from meetup2025.engines import current
from meetup2025.runs.sources import check_compatible, read_items
from meetup2025.runs.store import ITEM, Metric, Outcome, Request, Result, fitted_run

if TYPE_CHECKING:
    from meetup2025.analytics.quality import Duplicates, Suspect
    from meetup2025.runs.sources import Items

SUSPECTS, DUPLICATES = "Suspects", "Duplicates"
"""Kinds of runs."""


def fit_suspects(source: str = "FishImage", neighbours: int = 5) -> int:
    """
    Find items whose label disagrees with that of their neighbours; `MeetUp2025.FitSuspects`.

    Photos are suspected only where the nearest name of the catalogue disagrees too.

    Args:
        source: Its name.
        neighbours: How many have a say, below the number of labelled items.

    Returns:
        Number of the run.

    Raises:
        DataError: There are too few labelled items.
    """
    connection = current()
    items, names = read_items(connection, source), None
    parameters: dict[str, Any] = {"neighbours": neighbours}
    if items.source == "FishImage":
        names = read_items(connection, "Fish")
        check_compatible(items, names)
        parameters |= {"names_hash": names.hash}
    more: dict[str, Any] = {"names": names.names, "name_rows": names.vectors} if names else {}
    request = Request(SUSPECTS, items.basis, parameters)
    return fitted_run(
        connection,
        request,
        lambda: _suspected(items, suspect_labels(items.vectors, items.labels, k=neighbours, **more)),
    )


def fit_duplicates(source: str = "FishImage", threshold: float = 0.98) -> int:
    """
    Find pairs of a source that are nearly the same; `MeetUp2025.FitDuplicates`.

    Args:
        source: Its name.
        threshold: Least cosine of a pair, above 0 and at most 1.

    Returns:
        Number of the run; it has the 10,000 most similar pairs, and the metric `pairs` tells how many there are.

    Raises:
        DataError: The threshold is out of range.
    """
    connection = current()
    items = read_items(connection, source)
    request = Request(DUPLICATES, items.basis, {"threshold": threshold})
    return fitted_run(connection, request, lambda: _paired(items, duplicates(items.vectors, threshold)))


def _suspected(items: Items, found: tuple[Suspect, ...]) -> Outcome:
    known = items.rows(each.row for each in found)
    rows = [(*row, each.label, each.suggested, each.score) for row, each in zip(known, found, strict=True)]
    labelled = sum(1 for label in items.labels if label)
    metrics = [Metric("suspects", len(rows)), Metric("labelled", labelled)]
    return Outcome([Result("Suspect", (*ITEM, "Label", "Suggested", "Score"), rows)], metrics)


def _paired(items: Items, found: Duplicates) -> Outcome:
    ones, others = (items.rows(found.pairs[:, side]) for side in (0, 1))
    rows = [(*one, *other, cosine) for one, other, cosine in zip(ones, others, found.cosines, strict=True)]
    columns = (*ITEM, *(f"Other{column}" for column in ITEM), "Score")
    return Outcome(
        [Result("SimilarPair", columns, rows)], [Metric("pairs", found.total), Metric("groups", len(found.groups))]
    )
