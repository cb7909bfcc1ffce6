"""
A recogniser of the labels of photos, as a run: fitted to all photos, and updated by each later photo.

`recognition` names pictures with it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np

from meetup2025 import vectors
from meetup2025.analytics.recogniser import Recogniser, coverage, fit, reliability
from meetup2025.errors import DataError
from meetup2025.runs.sources import check_compatible, read_items
from meetup2025.runs.store import (
    Metric,
    Outcome,
    Request,
    Result,
    StoredRun,
    delete_run,
    fitted_run,
    kept_model,
    metric_of,
    newest_run,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from meetup2025.analytics.recogniser import Judgements, Learnt
    from meetup2025.engines import Connection
    from meetup2025.runs.sources import Items

RECOGNISER = "Recogniser"
"""Kind of the runs."""

PHOTOS = "FishImage"
"""Source whose newest recogniser names pictures."""

NONE = "none"
"""Default set of `MeetUp2025.Mark` with the photos that show none of the labels."""

PRECISION = 0.95
"""Default share of right answers among the sure ones."""

_CONFUSED, _SUBJECT = 30, 50
"""Most pairs of confused labels, and most characters of both labels in a metric."""

_ENOUGH = 10, 0.5
"""Photos that were added or removed since the fit, and their share, from which the recogniser is fitted again."""


@dataclass(frozen=True)
class Photo:
    """A photo for the recogniser: its label, or an empty label, and its vector as text."""

    label: str
    features: str


def fit_recogniser(
    connection: Connection, source: str = PHOTOS, precision: float = PRECISION, labels: str = NONE
) -> int:
    """
    Fit a recogniser to the labelled items of a source: `MeetUp2025.FitRecogniser`.

    Args:
        connection: An open connection.
        source: Name of the source.
        precision: Wanted share of right answers among the sure ones, above 0 and below 1.
        labels: Set of `MeetUp2025.Mark`. Items that it marks as odd show none of the labels.

    Returns:
        Number of the run.

    Raises:
        DataError: There is no labelled item, or *precision* is out of range.
        ModelMismatchError: Names and photos have vectors of different models.
    """
    return _fit(connection, source, precision, labels, {})


def newest(connection: Connection, model: str = "") -> StoredRun | None:
    """
    Find the recogniser that names pictures: the newest of the photos, or None.

    Args:
        connection: An open connection.
        model: Model of the vectors to compare. Empty allows any. A recogniser of another model does not count.
    """
    run = newest_run(connection, RECOGNISER, PHOTOS)
    is_other = run is not None and model and run.basis.model and run.basis.model != model
    return None if is_other else run


def recogniser_of(connection: Connection, run: int) -> Recogniser:
    """Read the recogniser of a run. Its prototypes are in their table."""
    return kept_model(connection, run, Recogniser)


def photo_of(connection: Connection, name: str) -> Photo | None:
    """Read a photo for the recogniser, or None if it does not exist."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT Label, Features FROM MeetUp2025.FishImage WHERE Name = ?", [name])
        rows = cursor.fetchall()
    return Photo(rows[0][0] or "", rows[0][1]) if rows and rows[0][1] else None


def learn(connection: Connection, before: Photo | None, after: Photo | None) -> None:
    """
    Update the recogniser after a photo is added, removed, or gets another label. Fit one if there is none.

    A prototype is a mean, so one photo changes one row. After many changes, the recogniser is fitted again.

    Args:
        connection: An open connection. The changes are part of its transaction.
        before: The photo before, or None for a new photo.
        after: The photo now, or None for a removed photo.
    """
    if before == after or not any(each and each.label for each in (before, after)):
        return
    run = newest(connection)
    if run is None:
        _fit(connection, PHOTOS, PRECISION, NONE, {"grown": True})
        return
    if before and before.label:
        _change(connection, run.run, before, -1)
    if after and after.label:
        _change(connection, run.run, after, 1)
    if not run.fingerprint.startswith(_GROWN):
        _rename(connection, run.run)
    if _is_much(connection, run.run):
        refit(connection, run)


def refit(connection: Connection, run: StoredRun, items: Items | None = None) -> int:
    """
    Fit a recogniser again to its present source. It replaces an earlier one that was made in the same way.

    Args:
        connection: An open connection.
        run: The recogniser.
        items: Items of the source, if they are read already.
    """
    given = run.parameters
    number = _fit(connection, items or run.basis.source, given["precision"], given["labels"], {"grown": True})
    if given.get("grown") and number != run.run:
        delete_run(connection, run.run)
    return number


def refresh(connection: Connection) -> None:
    """Fit the recogniser of the photos again after many of them have changed, if there is one."""
    run = newest(connection)
    if run is None:
        return
    items = read_items(connection, run.basis.source)
    if items.hash != run.basis.hash:
        refit(connection, run, items)


def _fit(
    connection: Connection, source: str | Items, precision: float, labels: str, more: dict[str, Any]
) -> int:
    items = read_items(connection, source) if isinstance(source, str) else source
    names = names_beside(connection, items)
    odd = _marked(connection, labels, items)
    parameters = {
        "precision": precision,
        "labels": labels,
        "names_hash": names.hash if names else "",
        "marks_hash": hashlib.sha256("\n".join(items.keys[place] for place in sorted(odd)).encode()).hexdigest()[:16],
        **more,
    }
    request = Request(RECOGNISER, items.basis, parameters)
    return fitted_run(connection, request, lambda: _learnt(items, names, odd, precision))


def names_beside(connection: Connection, items: Items) -> Items | None:
    """Read the names beside photos, if there are any."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT TOP 1 FishID FROM MeetUp2025.Fish WHERE Features IS NOT NULL")
        if items.source != PHOTOS or not cursor.fetchall():
            return None
    names = read_items(connection, "Fish")
    check_compatible(items, names)
    return names


def _marked(connection: Connection, labels: str, items: Items) -> set[int]:
    """Find the indices of items that are marked as none of the labels."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT Item FROM MeetUp2025.Mark WHERE Labels = ? AND UPPER(Source) = UPPER(?) AND Odd = 1",
            [labels, items.source],
        )
        marked = {str(row[0]).upper() for row in cursor.fetchall()}
    return {place for place, key in enumerate(items.keys) if key.upper() in marked}


def _learnt(items: Items, names: Items | None, odd: set[int], precision: float) -> Outcome:
    places = [place for place, label in enumerate(items.labels) if label and place not in odd]
    if not places:
        raise DataError(
            f"A recogniser must have labelled items to learn from. Got none in {items.source}; label some, for "
            "example by MeetUp2025.AddImage."
        )
    if items.vectors.shape[1] != DIMENSION:
        got = f"{items.vectors.shape[1]} in {items.source}"
        raise DataError(f"A recogniser must have vectors of {DIMENSION} numbers, as its table has. Got {got}.")
    known = {name.upper(): name for name in names.names} if names else {}
    labels = [known.setdefault(items.labels[place].upper(), items.labels[place]) for place in places]
    learnt = fit(
        items.vectors[places],
        labels,
        names=names.names if names else (),
        name_rows=names.vectors if names else None,
        negatives=items.vectors[sorted(odd)] if odd else None,
        precision=precision,
    )
    curves = Result("CurvePoint", ("Curve", "X", "Y"), _curves(learnt.judgements))
    prototypes = Result("Prototype", ("Label", "Photos", "Features"), _rows(learnt))
    metrics = [*_metrics(learnt, len(odd)), *_confusions(labels, learnt.judgements)]
    return Outcome([prototypes, curves], metrics, learnt.recogniser)


DIMENSION = 512
"""Numbers of a vector, as in the classes."""


def _rows(learnt: Learnt) -> list[tuple[str, int, str]]:
    known = learnt.prototypes
    return [
        (label, int(count), vectors.to_text(mean))
        for label, count, mean in zip(known.labels, known.counts, known.means, strict=True)
    ]


def _metrics(learnt: Learnt, negatives: int) -> list[Metric]:
    measured, found = learnt.metrics._asdict(), learnt.recogniser
    bounds = {"score_bound": found.score, "probability_bound": found.probability if found.trusted else None}
    sharpness = found.sharpness if found.trusted else None
    weights = {"photo_weight": found.photos, "name_weight": found.names, "sharpness": sharpness}
    return [Metric(name, value) for name, value in {**measured, **bounds, **weights, "negatives": negatives}.items()]


def _curves(found: Judgements) -> list[tuple[str, float, float]]:
    """Return the reliability of probabilities, and the share of right answers among the surest."""
    if not found.judged.any():
        return []
    chance, right = found.highest[found.judged], found.right[found.judged]
    curves = {"RELIABLE": reliability(chance, right), "COVERAGE": coverage(chance, right)}
    return [(name, float(x), float(y)) for name, points in curves.items() for x, y in points]


def _confusions(labels: Sequence[str], found: Judgements) -> list[Metric]:
    """Count the confused labels, the most frequent pairs first."""
    wrong = found.judged & ~found.right
    pairs = Counter((label, best) for label, best, is_wrong in zip(labels, found.best, wrong, strict=True) if is_wrong)
    subjects = ((f"{label} > {best}", count) for (label, best), count in pairs.most_common(_CONFUSED))
    return [Metric("confused", count, subject) for subject, count in subjects if len(subject) <= _SUBJECT]


def _change(connection: Connection, run: int, photo: Photo, photos: int) -> None:
    """Add a photo to the prototype of its label, or remove it."""
    with connection.cursor() as cursor:
        cursor.wants_arrays = True
        rows = cursor.execute(_SELECT, [run, photo.label]).fetchall()
        count = int(rows[0][0]) if rows else 0
        if count + photos < 1:
            cursor.execute("DELETE FROM MeetUp2025.Prototype WHERE Run = ? AND Label = ?", [run, photo.label])
            return
        vector = vectors.from_text(photo.features)
        mean: NDArray[Any] = vectors.of_database(rows[0][1]) if rows else np.zeros(len(vector))
        grown = recogniser_of(connection, run).grown(mean, count, vector, photos)
        cursor.execute(_UPDATE if rows else _INSERT, [count + photos, grown, run, photo.label])


_SELECT = "SELECT Photos, Features FROM MeetUp2025.Prototype WHERE Run = ? AND Label = ?"
_UPDATE = "UPDATE MeetUp2025.Prototype SET Photos = ?, Features = TO_VECTOR(?, DOUBLE) WHERE Run = ? AND Label = ?"
_INSERT = "INSERT INTO MeetUp2025.Prototype (Photos, Features, Run, Label) VALUES (?, TO_VECTOR(?, DOUBLE), ?, ?)"


def _rename(connection: Connection, run: int) -> None:
    """Set a fingerprint of its own for an updated run, which differs from a new fit to its source."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE MeetUp2025.Analysis SET Fingerprint = ? WHERE %ID = ?", [_GROWN + uuid4().hex, run])


_GROWN = "grown "
"""Beginning of the fingerprint of an updated run."""


_CHANGED = """
SELECT SUM(known.Photos), MAX(fitted.Value) FROM MeetUp2025.Prototype known, MeetUp2025.Metric fitted
WHERE known.Run = ? AND fitted.Run = ? AND fitted.Name = 'photos'"""


def _is_much(connection: Connection, run: int) -> bool:
    """
    Check whether enough photos were added or removed since the fit to fit again.

    Raises:
        DataError: The run has no metric `photos`.
    """
    least, share = _ENOUGH
    with connection.cursor() as cursor:
        [(now, then)] = cursor.execute(_CHANGED, [run, run]).fetchall()
    then = metric_of(connection, run, "photos") if then is None else float(then)
    return abs(int(now or 0) - then) >= max(least, share * then)
