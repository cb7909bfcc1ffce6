"""Comparison of two runs: the changes between two maps, or two groupings, of the same items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from meetup2025.analytics.changes import agreement, compare
from meetup2025.errors import DataError
from meetup2025.runs.clusters import CLUSTERS
from meetup2025.runs.maps import MAP
from meetup2025.runs.store import ITEM, Metric, Outcome, Request, Result, fitted_run, stored_run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meetup2025.engines import Connection
    from meetup2025.runs.store import StoredRun

CHANGES = "Changes"
"""Kind of the runs."""

_PLACES = "SELECT Source, Item, Name, X, Y, Z FROM MeetUp2025.MapPoint WHERE Run = ? ORDER BY %ID"
_GROUPS = "SELECT Source, Item, Name, Cluster FROM MeetUp2025.ClusterItem WHERE Run = ? ORDER BY %ID"


def fit_changes(connection: Connection, run: int, other: int) -> int:
    """
    Compare two runs of one kind, Map or Clusters: `MeetUp2025.FitChanges`.

    Args:
        connection: An open connection.
        run: Number of the first run.
        other: Number of the second run.

    Returns:
        Number of the run of Changes.

    Raises:
        DataError: A run does not exist or is of another kind, both numbers are the same, or the runs have no items in
            common.
    """
    first = stored_run(connection, run, MAP, CLUSTERS)
    second = stored_run(connection, other, first.kind)
    if run == other:
        raise DataError(f"Two runs must be compared. Got {run} twice.")
    compared = _moved if first.kind == MAP else _regrouped

    def fit() -> Outcome:
        return compared(connection, first, second)

    return fitted_run(connection, Request(CHANGES, first.basis, {"run": run, "other": other}), fit)


def _moved(connection: Connection, first: StoredRun, second: StoredRun) -> Outcome:

    before, after, common = _common(connection, _PLACES, first, second)
    places = [
        np.array([[value for value in each[item][1:] if value is not None] for item in common], float)
        for each in (before, after)
    ]
    if places[0].shape != places[1].shape:
        got = f"{places[0].shape[1]} and {places[1].shape[1]}"
        raise DataError(f"Maps to compare must have the same dimensions. Got {got}.")
    found = compare(*places)
    rows = [(*item, before[item][0], move) for item, move in zip(common, found.moves, strict=True)]
    metrics = [Metric("disparity", found.disparity), *_metrics(connection, first, second, len(common))]
    return Outcome([Result("MovedItem", (*ITEM, "Moved"), rows)], metrics)


def _regrouped(connection: Connection, first: StoredRun, second: StoredRun) -> Outcome:
    before, after, common = _common(connection, _GROUPS, first, second)
    clusters = [[int(each[item][1]) for item in common] for each in (before, after)]
    found = agreement(*clusters)
    goes_on = found.matched()
    left = [item for item in zip(common, *clusters, strict=True) if goes_on.get(item[1]) != item[2]]
    rows = [(*item, before[item][0], *both) for item, *both in left]
    measures = [Metric("adjusted_rand", found.adjusted_rand), Metric("left", len(left))]
    metrics = [*measures, *_metrics(connection, first, second, len(common))]
    return Outcome([Result("MovedItem", (*ITEM, "Cluster", "OtherCluster"), rows)], metrics)


def _common(
    connection: Connection, sql: str, first: StoredRun, second: StoredRun
) -> tuple[Mapping[tuple[str, str], Any], Mapping[tuple[str, str], Any], list[tuple[str, str]]]:
    """Read the items of two runs, and find the items of both."""
    before, after = _read(connection, sql, first.run), _read(connection, sql, second.run)
    common = [item for item in before if item in after]
    if not common:
        raise DataError(f"Runs to compare must have items in common. Got none in {first.run} and {second.run}.")
    return before, after, common


def _read(connection: Connection, sql: str, run: int) -> dict[tuple[str, str], tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, [run])
        return {(table, key): tuple(rest) for table, key, *rest in cursor.fetchall()}


def _metrics(connection: Connection, first: StoredRun, second: StoredRun, common: int) -> list[Metric]:
    """Return the parameters that are numbers, and the metrics, of both runs."""
    metrics = [Metric("items", common)]
    for each in (first, second):
        subject = f"run {each.run}"
        numbers = {name: value for name, value in each.parameters.items() if isinstance(value, (int, float))}
        metrics += [Metric(name, value, subject) for name, value in {**numbers, "seed": each.seed}.items()]
        with connection.cursor() as cursor:
            cursor.execute("SELECT Name, Value FROM MeetUp2025.Metric WHERE Run = ? ORDER BY %ID", [each.run])
            metrics += [Metric(name, value, subject) for name, value in cursor.fetchall()]
    return metrics
