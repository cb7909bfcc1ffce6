"""
Maps of sources by UMAP, and the way from the map back to items and vectors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from meetup2025 import vectors
from meetup2025.analytics import gap
from meetup2025.analytics.faithfulness import faithfulness
from meetup2025.analytics.inverse import inverse, round_trip
from meetup2025.analytics.layout import Map
from meetup2025.analytics.spaces import check_metric
from meetup2025.errors import DataError, NotSupportedError
from meetup2025.runs.sources import BOTH, check_same_model, read_items
from meetup2025.runs.store import ITEM, Metric, Outcome, Request, Result, fitted_run, stored_model, stored_run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from meetup2025.engines import Connection
    from meetup2025.runs.sources import Items
    from meetup2025.runs.store import StoredRun

MAP, ROUND_TRIP = "Map", "RoundTrip"
"""Kinds of runs."""

_NEIGHBOURS, _NEIGHBOURS_OF_BOTH = 15, 30
_MIN_DIST, _MIN_DIST_OF_BOTH = 0.2, 0.3
"""Values of the workshop."""

_RETURNING = 100
"""Items that UMAP's own inverse brings back: it takes 0.06 seconds for one item."""


def fit_map(  # noqa: PLR0913, PLR0917 - one for each argument of SQL
    connection: Connection,
    source: str,
    dimensions: int = 3,
    neighbours: int = 0,
    mindist: float = -1,
    seed: int = 5,
    supervised: int = 0,
    withoutgap: int = 0,
    metric: str = "cosine",
) -> int:
    """
    Lay out the vectors of a source on a map by UMAP: `MeetUp2025.FitMap`.

    Args:
        connection: An open connection.
        source: Name of the source.
        dimensions: 2 or 3.
        neighbours: Size of a neighbourhood, at least 2. 0 means 15, or 30 for Both.
        mindist: Least distance of items on the map, from 0 to 1. Below 0 means 0.2, or 0.3 for Both.
        seed: Seed of the random numbers.
        supervised: 1 pulls items of one label together.
        withoutgap: 1 moves names and photos onto one middle. Only for Both.
        metric: `cosine` compares directions, `euclidean` the vectors as they are.

    Returns:
        Number of the run.

    Raises:
        DataError: An argument is out of range, there are too few vectors, or there are no labels to supervise by.
    """
    items = read_items(connection, source)
    is_both = items.source == BOTH
    parameters = {
        "dimensions": dimensions,
        "neighbours": neighbours or (_NEIGHBOURS_OF_BOTH if is_both else _NEIGHBOURS),
        "mindist": mindist if mindist >= 0 else (_MIN_DIST_OF_BOTH if is_both else _MIN_DIST),
        "supervised": supervised,
        "withoutgap": withoutgap,
        "metric": metric.strip().lower(),
    }
    _check(items, parameters)
    return fitted_run(connection, Request(MAP, items.basis, parameters, seed), lambda: _mapped(items, parameters, seed))


def fit_placement(connection: Connection, run: int, source: str) -> int:
    """
    Place the vectors of a source on the map of an earlier run: `MeetUp2025.FitPlacement`.

    Raises:
        DataError: The run does not exist or is of another kind, or the vectors have another length.
        ModelMismatchError: The vectors are of another model.
        NotSupportedError: The map is without gap.
    """
    from meetup2025.analytics.placing import place

    known = stored_run(connection, run, MAP)
    items = read_items(connection, source)
    check_same_model(items, known)
    _check_has_gap(known)
    parameters = {"of": run, **{name: known.parameters[name] for name in ("dimensions", "withoutgap")}}

    def fit() -> Outcome:
        fitted = stored_model(connection, run, Map)
        return Outcome([_points(items, place(fitted, items.vectors))], (), fitted)

    return fitted_run(connection, Request(MAP, items.basis, parameters), fit)


def place_of(connection: Connection, run: int, vector: str) -> str:
    """
    Return the place of a vector on a map, as comma-separated text: `MeetUp2025.PlaceOf`.

    Raises:
        DataError: The run does not exist or is of another kind.
        InvalidVectorError: The text is no vector of the map's length.
        NotSupportedError: The map is without gap.
    """
    from meetup2025.analytics.placing import place

    _check_has_gap(stored_run(connection, run, MAP))
    fitted = stored_model(connection, run, Map)
    row = vectors.from_text(vector, dimension=fitted.directions.shape[1])
    return ",".join(str(number) for number in place(fitted, row[None])[0])


def vector_at(connection: Connection, run: int, at: tuple[float, float, float], method: str = "neighbours") -> str:
    """
    Return the vector that would lie at a place on a map, as comma-separated text: `MeetUp2025.VectorAt`.

    Args:
        connection: An open connection.
        run: Number of a run of Map.
        at: Coordinates. The third counts only on a map of three dimensions.
        method: `neighbours` or `inverse_transform`.

    Raises:
        DataError: The run does not exist or is of another kind, or the method does not exist.
    """
    stored_run(connection, run, MAP)
    fitted = stored_model(connection, run, Map)
    if at[2] and fitted.dimensions == 2:
        raise DataError(f"A place on a map of two dimensions must have z = 0. Got {at[2]} for run {run}.")
    chosen: Any = method
    return vectors.to_text(inverse(fitted, [at[: fitted.dimensions]], method=chosen)[0].astype(np.float32))


def fit_round_trip(connection: Connection, run: int) -> int:
    """
    Compare two ways back from a map to vectors: `MeetUp2025.FitRoundTrip`.

    Raises:
        DataError: The run does not exist or is of another kind.
    """
    known = stored_run(connection, run, MAP)
    request = Request(ROUND_TRIP, known.basis, {"of": run}, known.seed)
    return fitted_run(connection, request, lambda: _returned(stored_model(connection, run, Map)))


def _check(items: Items, parameters: Mapping[str, Any]) -> None:
    if parameters["dimensions"] not in {2, 3}:
        raise DataError(f"A map must have 2 or 3 dimensions. Got {parameters['dimensions']}.")
    check_metric(parameters["metric"])
    for name in ("supervised", "withoutgap"):
        if parameters[name] not in {0, 1}:
            raise DataError(f"{name} must be 0 or 1. Got {parameters[name]}.")
    if parameters["withoutgap"] and items.source != BOTH:
        raise DataError(f"A map without gap must be of {BOTH}: names and photos. Got {items.source}.")
    if parameters["supervised"] and not any(items.labels):
        raise DataError(f"For a supervised map {items.source} must have labels. Got none.")


def _mapped(items: Items, parameters: Mapping[str, Any], seed: int) -> Outcome:
    from meetup2025.analytics.maps import fit_map as fit

    rows, measures = _rows(items, without_gap=bool(parameters["withoutgap"]))
    wanted = {name: parameters[name] for name in ("dimensions", "neighbours", "metric")}
    labels = list(items.labels) if parameters["supervised"] else None
    fitted = fit(rows, min_dist=parameters["mindist"], seed=seed, labels=labels, progress=True, **wanted)
    metrics = [*_faithful(rows, fitted), *measures]
    return Outcome([_points(items, fitted.embedding)], metrics, fitted)


def _rows(items: Items, *, without_gap: bool) -> tuple[NDArray[Any], list[Metric]]:
    """Return the vectors to lay out. For names and photos together, measure the gap between them too."""
    if items.source != BOTH:
        return items.vectors, []
    names = items.tables.count("Fish")
    parts = items.vectors[:names], items.vectors[names:]
    if min(map(len, parts)) < 2:
        raise DataError(f"A map of Both must have 2 names and 2 photos. Got {len(parts[0])} and {len(parts[1])}.")
    measures = [("", gap.gap(*parts))]
    rows = items.vectors
    if without_gap:
        moved = gap.without_gap(*parts)
        measures.append(("_without", gap.gap(*moved)))
        rows = np.concatenate(moved).astype(np.float32)
    return rows, [
        Metric(f"gap_{name}{when}", getattr(found, name))
        for when, found in measures
        for name in ("distance", "cosine", "separability")
    ]


def _faithful(rows: NDArray[Any], fitted: Map) -> list[Metric]:
    """Measure how faithful a map is, where there are enough items."""
    k = min(_NEIGHBOURS, (len(rows) - 1) // 2)
    if k < 1:
        return []
    found = faithfulness(rows, fitted.embedding, k, metric=fitted.metric)
    return [Metric(name, getattr(found, name)) for name in ("trustworthiness", "continuity", "overlap")]


def _points(items: Items, places: NDArray[Any]) -> Result:
    axes = "XYZ"[: places.shape[1]]
    known = zip(items.rows(), items.labels, places.tolist(), strict=True)
    return Result("MapPoint", (*ITEM, "Label", *axes), [(*item, label, *place) for item, label, place in known])


def _check_has_gap(run: StoredRun) -> None:
    """Check that new vectors can be placed on a map."""
    if run.parameters["withoutgap"]:
        got = f"Run {run.run} is without"
        raise NotSupportedError(f"New vectors must be placed on a map with its gap. {got}; fit another.")


def _returned(fitted: Map) -> Outcome:

    count = min(_RETURNING, len(fitted.directions))
    drawn = np.random.default_rng(fitted.seed).choice(len(fitted.directions), count, replace=False)
    found = {
        "neighbours": round_trip(fitted),
        "inverse_transform": round_trip(fitted, fitted.directions[np.sort(drawn)], method="inverse_transform"),
    }
    metrics = [
        Metric(name, value, method)
        for method, each in found.items()
        for name, value in (("mean", each.mean), ("median", each.median), ("items", len(each.cosines)))
    ]
    return Outcome(metrics=metrics)
