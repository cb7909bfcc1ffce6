"""
Quality of a model on the photos of a user: labels by names, by few photos, and by both.

Photos are drawn several times. Some photos of each label are known, and the others are asked. A photo that is asked
teaches nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meetup2025.analytics import recogniser
from meetup2025.analytics.neighbours import directions
from meetup2025.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

PHOTOS = (1, 2, 5, 10)
"""Known photos a label."""

PRECISION = 0.95
"""Wanted share of right answers among the sure ones."""

MOST_DRAWS = 100
"""Most draws: with more, the spread says no more, and all are in memory."""


class Measured(NamedTuple):
    """
    Quality of one way to find labels. Values are means over the draws.

    Attributes:
        way: `photos`, the kind of names, or both with a plus between.
        photos: Known photos a label, or 0 for names alone.
        labels: Number of labels.
        asked: Number of photos that are asked in a draw.
        top1: Share of right first answers.
        spread: Standard deviation of top1 over the draws.
        top3: Share of photos whose label is among the first three.
        macro: Mean of the shares of right first answers of each label.
        ece: Expected calibration error of the answers of all draws together, or None without probabilities. Few
            answers have a large error by chance alone.
        coverage: Share of photos whose answer is sure, or None where it is not known.
        sure_right: Share of right answers among the sure ones.
    """

    way: str
    photos: int
    labels: int
    asked: int
    top1: float
    spread: float
    top3: float
    macro: float
    ece: float | None
    coverage: float | None
    sure_right: float | None


@dataclass(frozen=True)
class _Draw:
    """Indices of the known photos, and of the photos that are asked."""

    known: NDArray[np.intp]
    asked: NDArray[np.intp]


def measure(
    vectors: ArrayLike,
    labels: Sequence[str],
    names: Mapping[str, Mapping[str, ArrayLike]],
    *,
    draws: int = 5,
    seed: int = 5,
) -> list[Measured]:
    """
    Try all ways: the kinds of names, several numbers of photos a label, and the first kind of names with these photos.

    Args:
        vectors: Vectors of photos, shape (n, d).
        labels: Label of each photo.
        names: Kind of names, such as `name` or `English` -> vector of each name. Names that are the label of no photo
            are wrong answers. Names alone are not asked for labels that are no name.
        draws: Number of draws, from 1 to `MOST_DRAWS`.
        seed: Seed of the draws.

    Raises:
        DataError: No label has two photos, or *draws* is out of its range.
    """
    unit, own = directions(vectors), np.asarray(labels)
    if not 1 <= draws <= MOST_DRAWS:
        raise DataError(f"draws must be from 1 to {MOST_DRAWS}. Got {draws}.")
    if len(own) != len(unit) or max(np.unique(own, return_counts=True)[1], default=0) < 2:
        raise DataError(
            f"To measure there must be a label with two photos, and a label for each. Got {len(unit)} photos."
        )
    rng = np.random.default_rng([seed, 0])
    shuffled = [rng.permutation(len(own)) for _ in range(draws)]
    found = [_of_names(kind, unit, own, known, shuffled) for kind, known in names.items()]
    ways: list[tuple[str, Mapping[str, ArrayLike]]] = [("photos", {})]
    ways += [(f"{kind} + photos", known) for kind, known in list(names.items())[:1]]
    for way, known in ways:
        for photos in PHOTOS:
            drawn = list(_drawn(own, photos, draws, seed))
            answer = partial(_by_photos, unit, own, known)
            found += [_mean(way, photos, own, drawn, answer)] if drawn else []
    return [each for each in found if each is not None]


def _drawn(own: NDArray[np.str_], photos: int, draws: int, seed: int) -> Iterator[_Draw]:
    """Draw known photos of the labels that have more."""
    rng = np.random.default_rng([seed, photos])
    places = [np.flatnonzero(own == label) for label in np.unique(own)]
    places = [each for each in places if len(each) > photos]
    for _ in range(draws if places else 0):
        shuffled = [rng.permutation(each) for each in places]
        known, asked = [each[:photos] for each in shuffled], [each[photos:] for each in shuffled]
        yield _Draw(np.concatenate(known), np.concatenate(asked))


class _Answers(NamedTuple):
    """
    Scores of all answers, their names and probabilities, and which first answers are sure. None is not known.
    """

    scores: NDArray[np.float64]
    names: NDArray[np.str_]
    chances: NDArray[np.float64] | None
    sure: NDArray[np.bool_] | None


def _of_names(
    kind: str,
    unit: NDArray[np.float32],
    own: NDArray[np.str_],
    known: Mapping[str, ArrayLike],
    shuffled: Sequence[NDArray[np.intp]],
) -> Measured | None:
    """Ask names alone. Half of the photos set the sharpness of the probabilities, the other half is asked."""
    named = [each[np.isin(own[each], list(known))] for each in shuffled]
    if len(named[0]) < 2:
        return None
    halves = [_Draw(each[: len(each) // 2], each[len(each) // 2 :]) for each in named]
    names = np.array(list(known))
    cosines = unit.astype(float) @ directions(np.array([np.asarray(known[name]) for name in names])).astype(float).T

    def answer(draw: _Draw) -> _Answers:
        sharpness = _sharpness(cosines[draw.known], (own[draw.known][:, None] == names).argmax(axis=1))
        bound = _bound(*_first(cosines[draw.known], names, own[draw.known], sharpness))
        chances = _softmax(cosines[draw.asked], sharpness)
        return _Answers(cosines[draw.asked], names, chances, chances.max(axis=1) >= bound)

    return _mean(kind, 0, own, halves, answer)


def _sharpness(cosines: NDArray[np.float64], right: NDArray[np.intp]) -> float:
    """Find the sharpness of the highest likelihood."""
    from scipy.optimize import minimize_scalar

    def surprise(power: float) -> float:
        return float(-np.log(np.maximum(_softmax(cosines, np.exp(power))[np.arange(len(right)), right], 1e-300)).mean())

    return float(np.exp(minimize_scalar(surprise, bounds=(-2, 7), method="bounded").x))


def _softmax(scores: NDArray[np.float64], sharpness: float) -> NDArray[np.float64]:
    raised = np.exp(sharpness * (scores - scores.max(axis=1, keepdims=True)))
    chances: NDArray[np.float64] = raised / raised.sum(axis=1, keepdims=True)
    return chances


def _first(
    scores: NDArray[np.float64], names: NDArray[np.str_], own: NDArray[np.str_], sharpness: float
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    return _softmax(scores, sharpness).max(axis=1), names[scores.argmax(axis=1)] == own


def _bound(chances: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """
    Find the lowest probability from which as many answers are right as wanted, or a value above 1 if there is none.
    """
    order = np.argsort(-chances, kind="stable")
    enough = np.flatnonzero(np.cumsum(right[order]) >= PRECISION * np.arange(1, len(order) + 1))
    return float(chances[order[enough[-1]]]) if len(enough) else 2.0


def _by_photos(
    unit: NDArray[np.float32], own: NDArray[np.str_], known: Mapping[str, ArrayLike], draw: _Draw
) -> _Answers:
    """Learn from the known photos, and name the others."""
    labels = list(own[draw.known])
    rows = np.array([np.asarray(each) for each in known.values()]) if known else None
    learnt = recogniser.fit(unit[draw.known], labels, names=list(known), name_rows=rows, precision=PRECISION)
    names = np.array([*learnt.prototypes.labels, *sorted(set(known) - set(labels))])
    likes = np.full((len(draw.asked), len(names)), np.nan)
    likes[:, : len(learnt.prototypes.labels)] = learnt.recogniser.likenesses(unit[draw.asked], learnt.prototypes)
    cosines = np.full(likes.shape, np.nan)
    for column, name in enumerate(names):
        if name in known:
            cosines[:, column] = unit[draw.asked] @ directions(np.atleast_2d(np.asarray(known[name])))[0]
    found = learnt.recogniser
    scores = found.scores(likes, cosines)
    if not found.trusted:
        return _Answers(scores, names, None, None)
    chances = found.probabilities(scores)
    sure = (scores.max(axis=1) >= found.score) & (chances.max(axis=1) >= found.probability)
    return _Answers(scores, names, chances, sure)


def _mean(
    way: str, photos: int, own: NDArray[np.str_], draws: Sequence[_Draw], answer: Callable[[_Draw], _Answers]
) -> Measured:
    """Measure each draw, and return the means."""
    every = [(answer(draw), own[draw.asked]) for draw in draws]
    rows = np.array([_measured(*each) for each in every], float)
    top1, top3, macro, coverage, sure_right = (_mean_of(column) for column in rows.T)
    ece = _calibration(every)
    labels, asked = len(np.unique(own[draws[0].asked])), len(draws[0].asked)
    shares = float(top1 or 0), float(rows[:, 0].std()), float(top3 or 0), float(macro or 0)
    return Measured(way, photos, labels, asked, *shares, ece, coverage, sure_right)


def _mean_of(column: NDArray[np.float64]) -> float | None:
    known = column[~np.isnan(column)]
    return float(known.mean()) if len(known) else None


def _measured(answers: _Answers, own: NDArray[np.str_]) -> tuple[float, ...]:
    """Return top 1, top 3, macro, coverage and the share of right sure answers, or NaN where there is none."""
    order = np.argsort(-answers.scores, axis=1, kind="stable")[:, :3]
    hits = answers.names[order] == own[:, None]
    right = hits[:, 0]
    macro = float(np.mean([right[own == label].mean() for label in np.unique(own)]))
    shares = float(right.mean()), float(hits.any(axis=1).mean()), macro
    if answers.sure is None:
        return (*shares, np.nan, np.nan)
    sure_right = float(right[answers.sure].mean()) if answers.sure.any() else np.nan
    return (*shares, float(answers.sure.mean()), sure_right)


def _calibration(every: Sequence[tuple[_Answers, NDArray[np.str_]]]) -> float | None:
    """Return the calibration error of all answers with probabilities."""
    chances, right = [], []
    for answers, own in every:
        if answers.chances is not None:
            chances.append(answers.chances.max(axis=1))
            right.append(answers.names[answers.scores.argmax(axis=1)] == own)
    return recogniser.calibration_error(np.concatenate(chances), np.concatenate(right)) if chances else None
