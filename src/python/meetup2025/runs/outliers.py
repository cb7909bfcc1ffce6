"""Outliers: detectors fitted to a source, and their scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from meetup2025.analytics.detectors import DETECTORS
from meetup2025.analytics.thresholds import flags, from_contamination
from meetup2025.errors import DataError, UnknownNameError, listed, shown
from meetup2025.loading.spelling import known_word
from meetup2025.runs.sources import check_compatible, check_same_model, read_items
from meetup2025.runs.store import (
    ITEM,
    Metric,
    Outcome,
    Request,
    Result,
    fitted_run,
    metric_of,
    stored_model,
    stored_run,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from meetup2025.analytics.detectors import Detector
    from meetup2025.engines import Connection
    from meetup2025.runs.sources import Items
    from meetup2025.runs.store import StoredRun

OUTLIERS = "Outliers"
"""Kind of the runs."""

BY_EXEMPLAR = "ByExemplar"
"""The detector that needs examples of normal items."""


def fit_outliers(  # noqa: PLR0913, PLR0917 - one for each argument of SQL
    connection: Connection,
    source: str,
    method: str = "Neighbours",
    contamination: float = 0.03,
    normal: str = "",
    exemplars: str = "",
    seed: int = 5,
) -> int:
    """
    Find the outliers of a source: `MeetUp2025.FitOutliers`.

    Args:
        connection: An open connection.
        source: Name of the source.
        method: Name of a detector, in any case.
        contamination: Share of the items of *normal* that counts as odd, above 0 and at most 0.5.
        normal: Source of normal items. Empty compares *source* with itself.
        exemplars: Keys or names of items of *normal*, separated by commas. Only for ByExemplar.
        seed: Seed of the random choices of the detector.

    Returns:
        Number of the run.

    Raises:
        DataError: An argument is out of range, or there are too few vectors.
        UnknownNameError: An exemplar is not in the source.
        ModelMismatchError: Both sources have vectors of different models.
    """
    items = read_items(connection, source)
    known = read_items(connection, normal) if normal.strip() else items
    check_compatible(items, known)
    parameters = {"method": _detector_name(method), "contamination": contamination}
    parameters |= {"normal": known.source, "normal_hash": known.hash}
    if chosen := _exemplars(str(parameters["method"]), exemplars, known):
        parameters |= {"exemplars": [known.keys[place] for place in chosen]}
    request = Request(OUTLIERS, items.basis, parameters, seed)
    return fitted_run(connection, request, lambda: _fitted(request.parameters, seed, items, known, chosen))


def fit_scores(connection: Connection, run: int, source: str) -> int:
    """
    Score a source by the detector and the threshold of an earlier run: `MeetUp2025.FitScores`.

    Raises:
        DataError: The run does not exist or is of another kind, or the vectors have another length.
        ModelMismatchError: The vectors are of another model.
    """
    known = stored_run(connection, run, OUTLIERS)
    items = read_items(connection, source)
    check_same_model(items, known)
    threshold = metric_of(connection, run, "threshold")

    def fit() -> Outcome:
        detector = stored_detector(connection, known)
        scores = _scores(detector, items, known.parameters["normal_hash"])
        return scored(items.rows(), scores, threshold, detector)

    return fitted_run(connection, Request(OUTLIERS, items.basis, derived(known)), fit)


def derived(run: StoredRun, **more: Any) -> dict[str, Any]:
    """Return the parameters of a run that is made from another run: its detector, and the source of the detector."""
    kept = ("method", "normal", "normal_hash")
    return {"of": run.run, **{name: run.parameters[name] for name in kept}, **more}


def stored_detector(connection: Connection, run: StoredRun) -> Detector:
    """Read the detector of a run."""
    return stored_model(connection, run.run, DETECTORS[run.parameters["method"]])


def scored(known: Any, scores: NDArray[Any], threshold: float, detector: Detector) -> Outcome:
    """
    Rank items by their scores.

    Args:
        known: Table, key and name of each item.
        scores: Score of each item.
        threshold: Items with a higher score are odd.
        detector: The detector, which scores new vectors later.
    """
    odd = flags(scores, threshold)
    places = np.empty(len(scores), int)
    places[np.argsort(-scores, kind="stable")] = np.arange(1, len(scores) + 1)
    rows = [(*each, *rest) for each, *rest in zip(known, scores, places, odd.astype(int), strict=True)]
    metrics = [Metric("threshold", threshold), Metric("odd", int(odd.sum()))]
    return Outcome([Result("OutlierItem", (*ITEM, "Score", "Place", "Odd"), rows)], metrics, detector)


def _scores(detector: Detector, items: Items, normal_hash: str) -> NDArray[Any]:
    """Score items. Items that the detector was fitted to must not be their own neighbours."""
    return detector.own_scores if items.hash == normal_hash else detector.scores(items.vectors)


def _fitted(parameters: Mapping[str, Any], seed: int, items: Items, known: Items, chosen: list[int]) -> Outcome:
    more = {"exemplars": known.vectors[chosen]} if chosen else {}
    fit: Any = DETECTORS[parameters["method"]].fit
    detector = fit(known.vectors, seed=seed, **more)
    threshold = from_contamination(detector.own_scores, parameters["contamination"])
    return scored(items.rows(), _scores(detector, items, known.hash), threshold, detector)


def _detector_name(method: str) -> str:
    name = known_word(method, DETECTORS)
    if not name:
        raise DataError(f"A detector must be {', '.join(DETECTORS)}. Got {shown(method)}.")
    return name


def _exemplars(method: str, exemplars: str, known: Items) -> list[int]:
    """Find the indices of exemplars, by key or name, in any case."""
    wanted = [each.strip() for each in exemplars.split(",") if each.strip()]
    if bool(wanted) != (method == BY_EXEMPLAR):
        got = f"{len(wanted)} for {method}"
        raise DataError(f"Exemplars must be given for {BY_EXEMPLAR}, and for no other detector. Got {got}.")
    places = {word.upper(): place for words in (known.names, known.keys) for place, word in enumerate(words)}
    unknown = [each for each in wanted if each.upper() not in places]
    if unknown:
        raise UnknownNameError(f"Exemplars must be keys or names of {known.source}. Got {listed(unknown)}.")
    return [places[each.upper()] for each in wanted]
