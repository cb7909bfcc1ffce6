"""Faults of a collection: doubtful labels and copies."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

from meetup2025 import images
from meetup2025.analytics.neighbours import directions
from meetup2025.analytics.quality import Duplicates, copy_threshold, duplicates, similar_looks, suspect_labels
from meetup2025.runs.recogniser import names_beside
from meetup2025.runs.sources import SHORT, read_items
from meetup2025.runs.store import ITEM, Metric, Outcome, Request, Result, fitted_run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meetup2025.analytics.quality import Suspect
    from meetup2025.engines import Connection
    from meetup2025.runs.sources import Items

SUSPECTS, DUPLICATES = "Suspects", "Duplicates"
"""Kinds of runs."""


def fit_suspects(connection: Connection, source: str = "FishImage", threshold: float = 0.02) -> int:
    """
    Find items whose label has next to no probability by the other items: `MeetUp2025.FitSuspects`.

    Args:
        connection: An open connection.
        source: Name of the source.
        threshold: Probability below which a label is doubtful, above 0 and at most 1.

    Returns:
        Number of the run.

    Raises:
        DataError: No item has a label, or *threshold* is out of range.
    """
    items = read_items(connection, source)
    names = names_beside(connection, items)
    more: dict[str, Any] = {"names": names.names, "name_rows": names.vectors} if names else {}
    parameters = {"threshold": threshold, "names_hash": names.hash if names else ""}
    request = Request(SUSPECTS, items.basis, parameters)
    return fitted_run(
        connection,
        request,
        lambda: _suspected(items, suspect_labels(items.vectors, items.labels, threshold=threshold, **more)),
    )


def fit_duplicates(connection: Connection, source: str = "FishImage", threshold: float = 0) -> int:
    """
    Find pairs of a source that are nearly the same: `MeetUp2025.FitDuplicates`.

    Args:
        connection: An open connection.
        source: Name of the source.
        threshold: Least cosine of a pair, at most 1. 0 takes the cosine that pairs of different labels hardly reach.

    Returns:
        Number of the run. It has the 10,000 most similar pairs. The metric `pairs` is the number of all pairs.

    Raises:
        DataError: The threshold is out of range.
    """
    items = read_items(connection, source)
    looks = _looks(connection, items)
    digest = hashlib.sha256("\n".join(looks).encode()).hexdigest()[:SHORT]
    request = Request(DUPLICATES, items.basis, {"threshold": threshold, "looks_hash": digest})
    return fitted_run(connection, request, lambda: _paired(items, looks, threshold))


def _looks(connection: Connection, items: Items) -> list[str]:
    """Read the perceptual hash of each item, or an empty text for an item without a thumbnail."""
    if "FishImage" not in items.tables:
        return [""] * len(items)
    with connection.cursor() as cursor:
        cursor.execute("SELECT Name, Look, CASE WHEN Look IS NULL THEN Picture END FROM MeetUp2025.Thumbnail")
        rows = cursor.fetchall()
    found = {name.upper(): look or images.look(images.open_picture(picture)) for name, look, picture in rows}
    keys = zip(items.tables, items.keys, strict=True)
    return [found.get(key.upper(), "") if table == "FishImage" else "" for table, key in keys]


def _suspected(items: Items, found: tuple[Suspect, ...]) -> Outcome:
    known = items.rows(each.row for each in found)
    rows = [
        (*row, each.label, each.suggested, each.best - each.own, each.own, each.best)
        for row, each in zip(known, found, strict=True)
    ]
    labelled = sum(1 for label in items.labels if label)
    metrics = [Metric("suspects", len(rows)), Metric("labelled", labelled)]
    return Outcome([Result("Suspect", (*ITEM, "Label", "Suggested", "Score", "Own", "Best"), rows)], metrics)


def _paired(items: Items, looks: Sequence[str], threshold: float) -> Outcome:
    least = threshold or copy_threshold(items.vectors, items.labels)
    found = duplicates(items.vectors, least)
    alike, bits = similar_looks(looks)
    cosines = {tuple(pair): float(cosine) for pair, cosine in zip(found.pairs.tolist(), found.cosines, strict=True)}
    apart = {tuple(pair): int(count) for pair, count in zip(alike.tolist(), bits, strict=True)}
    unit = directions(items.vectors)
    for pair in (each for each in apart if each not in cosines):
        cosines[pair] = float(unit[pair[0]] @ unit[pair[1]])
    pairs = sorted(cosines, key=lambda pair: (-cosines[pair], pair))
    ones, others = (items.rows([pair[side] for pair in pairs]) for side in (0, 1))
    rows = [
        (*one, *other, cosines[pair], apart.get(pair)) for pair, one, other in zip(pairs, ones, others, strict=True)
    ]
    every = Duplicates(np.array(pairs, np.intp).reshape(-1, 2), np.array([cosines[pair] for pair in pairs]), len(pairs))
    total = found.total + len(pairs) - len(found.pairs)
    metrics = [Metric("pairs", total), Metric("groups", len(every.groups)), Metric("threshold", least)]
    columns = (*ITEM, *(f"Other{name}" for name in ITEM), "Score", "Bits")
    return Outcome([Result("SimilarPair", columns, rows)], [*metrics, Metric("same_look", len(apart))])
