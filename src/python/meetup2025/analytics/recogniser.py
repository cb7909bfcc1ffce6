"""
A recogniser of labels. Labelled photos teach it the weights of photos and names, and when an answer is sure.

    photo = cosine to the prototype of a label, the mean of its photos, where directions in which the photos of a label
            differ count less (`whitening`)
    score = photos * photo + names * cosine to the name                    (`Recogniser.scores`)
    probability = softmax(sharpness * score)                               (`Recogniser.probabilities`)

Only the other photos judge a photo ("leave one out"). These judgements set the weights, by their likelihood, and the
two bounds above which answers are right as often as wanted.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meetup2025.analytics.neighbours import directions
from meetup2025.analytics.whitening import FOLDS, Within, damped, folds, within
from meetup2025.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float32]

ENOUGH = 3
"""Photos a label, on average, from which probabilities can be trusted."""

CANDIDATES = 64
"""Labels that are examined by their photos, and as many by their names. The others have next to no probability."""

JUDGED = 5_000
"""Photos that the others judge: enough for a few weights, so that many photos take no longer."""

SHRINKAGES = (np.inf, 10.0, 3.0, 1.0)
"""Shrinkages of the variance within labels that are tried (`Within.damping`). Infinity changes no cosine."""

_TRIED = 1_000
"""Photos by which a shrinkage is chosen."""

_BLOCK = 1 << 20
"""Cosines that are in memory at once."""

_PRIOR = 20.0
"""Width of the normal prior of a weight, in logits for a cosine of 1. It limits the effect of few photos."""

_NEAR = 0.1
"""Difference of a likeness to that of the same label, where there is one label."""

_LOST = (0.01, 0.2)
"""Shares of right answers between which the bound of the score is sought. Below it, an answer is none of the labels."""

_BINS = 15
"""Bins of the expected calibration error."""


@dataclass(frozen=True)
class Prototypes:
    """
    The prototypes of labels: the mean of their photos, in the space of a recogniser (`Recogniser.damped`).

    Attributes:
        labels: Labels, in rising order.
        counts: Number of photos of each label, at least 1, shape (m,).
        means: Means of the damped unit vectors of the photos, shape (m, d), float32. A mean is the shorter, the more
            the photos differ.
    """

    labels: tuple[str, ...]
    counts: NDArray[np.intp]
    means: Floats


@dataclass(frozen=True)
class Recogniser:
    """
    The weights of photos and names, and the bounds of sure answers.

    Attributes:
        photos: Weight of the likeness to photos. The sum with `names` is 1.
        names: Weight of the cosine to the name.
        sharpness: Logit of a score of 1, the inverse of a temperature.
        alone: Weight of the cosine to a name without photos.
        unseen: Additional score of such a name, which stands for the missing photos.
        middle: Cosine that counts where a label is no name: that of a photo to the nearest name that is not its own, on
            average.
        trusted: Whether there were enough photos for probabilities.
        score: Lowest score of an answer that is one of the labels.
        probability: Lowest probability of a sure answer. Above 1 no answer is ever sure.
        precision: Wanted share of right answers among the sure ones.
        name_score: Lowest score of an answer by a name without photos. It is above 1 where such answers cannot be
            trusted.
        alone_by_photos: Sharpness and the two bounds of `by_photos`. Empty where names have no weight anyway.
        axes: Directions in which the photos of a label differ, shape (r, d), float32. r may be 0.
        damping: Share of each direction that does not count, from 0 to 1, shape (r,), float32.
    """

    photos: float
    names: float
    sharpness: float
    alone: float
    unseen: float
    middle: float
    trusted: bool
    score: float
    probability: float
    precision: float
    name_score: float = 2.0
    alone_by_photos: tuple[float, ...] = ()
    axes: Floats = field(default_factory=lambda: np.empty((0, 0), np.float32))
    damping: Floats = field(default_factory=lambda: np.empty(0, np.float32))

    def damped(self, vectors: ArrayLike) -> Floats:
        """
        Bring vectors into the space of the prototypes.

        Args:
            vectors: Vectors, shape (n, d).

        Returns:
            The unit vectors without what does not count, shape (n, d). They are shorter than 1.

        Raises:
            InvalidVectorError: As `vectors.check`.
        """
        unit = directions(vectors)
        return damped(unit, self.axes, self.damping) if len(self.axes) else unit

    def likenesses(self, vectors: ArrayLike, prototypes: Prototypes) -> Floats:
        """
        Compare pictures with the photos of each label.

        Args:
            vectors: Vectors of the pictures, shape (p, d).
            prototypes: Prototypes of the labels, in the space of this recogniser.

        Returns:
            Cosines to the prototypes, shape (p, m).

        Raises:
            InvalidVectorError: As `vectors.check`.
        """
        found: Floats = directions(self.damped(vectors)) @ _scaled(prototypes.means)[0].T
        return found

    def grown(self, mean: ArrayLike, count: int, vector: ArrayLike, photos: int = 1) -> Floats:
        """
        Return the mean of a label after a photo is added or removed.

        Args:
            mean: Mean before, shape (d,), as in `Prototypes`.
            count: Photos of the label before, or 0 for a new label.
            vector: Vector of the photo, shape (d,).
            photos: 1 adds the photo, -1 removes it. *count* + *photos* must not be 0.
        """
        photo, before = self.damped(np.atleast_2d(vector))[0], np.asarray(mean, np.float32)
        changed: Floats = (before * count + np.float32(photos) * photo) / np.float32(count + photos)
        return changed

    def by_photos(self) -> Recogniser:
        """Return the recogniser without names: its scores are the likenesses to photos."""
        sharpness, score, chance = self.alone_by_photos or (self.sharpness, self.score, self.probability)
        return replace(self, photos=1.0, names=0.0, sharpness=sharpness, score=score, probability=chance)

    def scores(self, photo: ArrayLike, name: ArrayLike) -> NDArray[np.float64]:
        """
        Blend the scores by photos and by names.

        Args:
            photo: Likeness to the photos of each label, of any shape, NaN for a label without photos.
            name: Cosine to the name, of the same shape, NaN where a label is no name.

        Returns:
            Scores of the same shape, on the scale of cosines, minus infinity where both are missing.
        """
        seen, named = np.asarray(photo, float), np.asarray(name, float)
        blended = self.photos * seen + self.names * np.where(np.isnan(named), self.middle, named)
        found = np.where(np.isnan(seen), self.alone * named + self.unseen, blended)
        return np.where(np.isnan(found), -np.inf, found)

    def probabilities(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Return the probability of each label, along the last axis. One of the labels is assumed to be right."""
        logits = self.sharpness * np.asarray(scores, float)
        highest = logits.max(axis=-1, keepdims=True)
        raised = np.exp(logits - np.where(np.isneginf(highest), 0, highest))
        probabilities: NDArray[np.float64] = raised / np.maximum(raised.sum(axis=-1, keepdims=True), 1e-300)
        return probabilities

    def is_known(self, score: float, *, by_name: bool = False) -> bool:
        """Check whether the first answer is one of the labels at all. *by_name* marks an answer without photos."""
        return score >= (self.name_score if by_name else self.score)

    def is_sure(self, score: float, probability: float, *, by_name: bool = False) -> bool:
        """
        Check whether the first answer is one of the labels, and surely this one.

        *by_name* marks an answer without photos.
        """
        return self.trusted and self.is_known(score, by_name=by_name) and probability >= self.probability


class Metrics(NamedTuple):
    """
    The quality of a recogniser, by leaving one out. None stands for an unknown value.

    Attributes:
        accuracy: Share of right first answers.
        coverage: Share of photos whose answer is sure.
        sure_right: Share of right answers among the sure ones, with the photos that are none of the labels.
        ece: Expected calibration error: mean difference of probability and share of right answers.
        auc: Chance that a photo of a label has a higher score than a photo that is none of the labels.
        labels: Number of labels with photos.
        photos: Number of labelled photos.
        judged: Photos that could be judged, because their label has other photos.
    """

    accuracy: float | None
    coverage: float | None
    sure_right: float | None
    ece: float | None
    auc: float | None
    labels: int
    photos: int
    judged: int


@dataclass(frozen=True)
class Judgements:
    """
    The judgement of each photo by the others.

    Attributes:
        judged: Whether the photo was judged, shape (n,): its label has other photos, and it was chosen.
        own: Probability of its own label, shape (n,), NaN where it is not judged.
        best: Label of the highest probability, or empty where the photo was not chosen.
        highest: The highest probability, shape (n,).
        score: Score of the best label, shape (n,).
        right: Whether the best label is its own label, shape (n,).
    """

    judged: NDArray[np.bool_]
    own: NDArray[np.float64]
    best: tuple[str, ...]
    highest: NDArray[np.float64]
    score: NDArray[np.float64]
    right: NDArray[np.bool_]


@dataclass(frozen=True)
class Learnt:
    """A recogniser with its prototypes, its quality, and its judgement of each fitted photo."""

    recogniser: Recogniser
    prototypes: Prototypes
    metrics: Metrics
    judgements: Judgements


@dataclass(frozen=True)
class _Photos:
    """
    Labelled photos by label.

    Attributes:
        unit: Unit vectors, sorted by label, shape (n, d), float32.
        order: Index of each row among the given photos, shape (n,).
        own: Index of its label, shape (n,).
        starts: First row of each label, shape (m + 1,).
        means: Mean of the unit vectors of each label, shape (m, d), float32.
        labels: The labels, in rising order.
    """

    unit: Floats
    order: NDArray[np.intp]
    own: NDArray[np.intp]
    starts: NDArray[np.intp]
    means: Floats
    labels: tuple[str, ...]

    @property
    def counts(self) -> NDArray[np.intp]:
        """Number of photos of each label, shape (m,)."""
        return np.diff(self.starts)

    def prototypes(self, recogniser: Recogniser) -> Prototypes:
        """Return the prototypes in the space of a recogniser."""
        return Prototypes(self.labels, self.counts, damped(self.means, recogniser.axes, recogniser.damping))

    @classmethod
    def of(cls, vectors: ArrayLike, labels: Sequence[str]) -> _Photos:
        rows = np.asarray(vectors)
        if len(labels) != len(rows):
            raise DataError(f"There must be one label for each of the {len(rows)} photos. Got {len(labels)}.")
        if not len(rows) or not all(labels):
            raise DataError("A recogniser must have labelled photos. Got none, or empty labels; label some photos.")
        kinds, own = np.unique(np.asarray(labels, dtype=object).astype(str), return_inverse=True)
        order = np.argsort(own, kind="stable")
        unit, own = directions(rows[order]), own[order]
        starts = np.searchsorted(own, np.arange(len(kinds) + 1))
        means = (np.add.reduceat(unit, starts[:-1], axis=0) / np.diff(starts)[:, None]).astype(np.float32)
        return cls(unit, order, own, starts, means, tuple(map(str, kinds)))


def fit(  # noqa: PLR0913 - what photos, names and negatives are
    vectors: ArrayLike,
    labels: Sequence[str],
    *,
    names: Sequence[str] = (),
    name_rows: ArrayLike | None = None,
    negatives: ArrayLike | None = None,
    precision: float = 0.95,
    judged: int = JUDGED,
) -> Learnt:
    """
    Fit a recogniser to labelled photos.

    Args:
        vectors: Vectors of the photos, shape (n, d), n at least 1.
        labels: Label of each photo.
        names: Names with vectors of their own. Names that are no label are answers too.
        name_rows: Vectors of *names*, shape (m, d).
        negatives: Vectors of photos of none of the labels, shape (q, d). q may be 0.
        precision: Wanted share of right answers among the sure ones, above 0 and below 1.
        judged: Most photos that the others judge. Of more photos, a sample with the share of each label is judged.

    Raises:
        DataError: There is no photo, a label is empty, lengths differ, or *precision* is out of range.
        InvalidVectorError: As `vectors.check`.

    References:
        C. Guo et al., On calibration of modern neural networks, ICML 2017: temperature, expected calibration error.
        J. Snell et al., Prototypical networks for few-shot learning, NeurIPS 2017: the mean of the photos of a label.
        I. J. Good, The population frequencies of species, Biometrika 40, 1953: the share of labels without a photo.
    """
    if not 0 < precision < 1:
        raise DataError(f"The wanted precision must be above 0 and below 1. Got {precision}.")
    known = _Photos.of(vectors, labels)
    none = np.empty((0, known.unit.shape[1]), np.float32) if negatives is None else directions(negatives)
    named = _Names.of(known, names, name_rows)
    rows = np.unique(np.linspace(0, len(known.unit) - 1, max(1, judged)).astype(np.intp))
    spread = _Spread.of(known)
    shrinkage = _shrinkage(known, named, rows, spread)
    table = _judged(known, named, rows, spread, shrinkage)
    space = _space(spread.every, shrinkage)
    recogniser, found, of_none = _fitted(known, named, table, none, precision, space)
    if len(named.unit):
        nameless = _Names(named.candidates, named.unit[:0], np.full_like(named.rows, -1))
        without = replace(table, name=np.full_like(table.name, np.nan))
        alone = _fitted(known, nameless, without, none, precision, space)[0]
        recogniser = replace(recogniser, alone_by_photos=(alone.sharpness, alone.score, alone.probability))
    return Learnt(recogniser, known.prototypes(recogniser), _metrics(recogniser, found, of_none, known), found)


def _shrinkage(known: _Photos, named: _Names, rows: NDArray[np.intp], spread: _Spread) -> float:
    """Choose the shrinkage by which the own labels of photos are most likely."""
    some = rows[:: max(1, len(rows) // _TRIED)]
    tables = {each: _judged(known, named, some, spread, each) for each in SHRINKAGES}
    return min(SHRINKAGES, key=lambda each: _weights(tables[each], known.counts)[1])


def _space(spread: Within, shrinkage: float) -> tuple[Floats, Floats]:
    """Return the axes and the damping of a recogniser."""
    axes = spread.axes[:0] if np.isinf(shrinkage) else spread.axes
    return axes, spread.damping(shrinkage)[: len(axes)]


def _fitted(  # noqa: PLR0913, PLR0917 - what photos, names and negatives are
    known: _Photos,
    named: _Names,
    table: _Table,
    negatives: Floats,
    precision: float,
    space: tuple[Floats, Floats],
) -> tuple[Recogniser, Judgements, NDArray[np.float64]]:
    """
    Find weights and bounds.

    Return them with the judgements of the photos, and of the photos that are none of the labels.
    """
    weights, _ = _weights(table, known.counts)
    trusted = len(known.unit) >= ENOUGH * len(known.labels)
    blank = replace(_recogniser(weights, table.middle, trusted=trusted), axes=space[0], damping=space[1])
    found = _judgements(blank, table, known, named)
    none = _none(blank, known, named, negatives)
    bounded = _bounded(blank, found, none, precision)
    return replace(bounded, name_score=_name_bound(blank, table, none, precision)), found, none


@dataclass(frozen=True)
class _Names:
    """
    The possible answers: the labels of photos, then the names without photos.

    Attributes:
        candidates: All answers.
        unit: Unit vectors of the names, shape (m, d), float32.
        rows: Row of the name of each candidate, or -1, shape (c,).
    """

    candidates: tuple[str, ...]
    unit: Floats
    rows: NDArray[np.intp]

    @classmethod
    def of(cls, known: _Photos, names: Sequence[str], name_rows: ArrayLike | None) -> _Names:
        unit = np.empty((0, known.unit.shape[1]), np.float32) if name_rows is None else directions(name_rows)
        if len(names) != len(unit):
            raise DataError(f"There must be one name for each of the {len(unit)} vectors of names. Got {len(names)}.")
        if len(unit) and unit.shape[1] != known.unit.shape[1]:
            raise DataError(f"Names and photos must have vectors of one length. Got {unit.shape[1]} for names.")
        places = {name: row for row, name in enumerate(names)}
        labels = known.labels
        candidates = (*labels, *sorted(set(places).difference(labels)))
        return cls(candidates, unit, np.array([places.get(each, -1) for each in candidates], np.intp))

    def cosines(self, unit: Floats) -> Floats:
        """Return the cosine of rows to the name of each candidate, NaN for a candidate without a name."""
        found = np.full((len(unit), len(self.candidates)), np.nan, np.float32)
        named = self.rows >= 0
        found[:, named] = unit @ self.unit[self.rows[named]].T
        return found


@dataclass(frozen=True)
class _Table:
    """
    The comparison of photos with their candidates, by the other photos. The own label is the first candidate.

    Attributes:
        rows: Indices of the photos, shape (n,).
        candidates: Indices of the candidates, shape (n, c).
        photo: Likeness to the photos of a candidate, shape (n, c), NaN where none are left.
        name: Cosine to its name, shape (n, c), NaN for a candidate without a name.
        middle: Mean cosine of a photo to the nearest name that is not its own.
    """

    rows: NDArray[np.intp]
    candidates: NDArray[np.int32]
    photo: Floats
    name: Floats
    middle: float

    def blocks(self) -> Iterator[slice]:
        """Cut the rows into parts, so that their computations take little memory."""
        return _blocks(len(self.photo), 4 * self.photo.shape[1])


def _blocks(count: int, width: int) -> Iterator[slice]:
    step = max(1, _BLOCK // max(1, width))
    return (slice(start, min(start + step, count)) for start in range(0, count, step))


@dataclass(frozen=True)
class _Spread:
    """
    How photos differ within their labels.

    Attributes:
        every: By all photos.
        others: By the photos outside each part.
        part: Part of each photo, shape (n,).
    """

    every: Within
    others: tuple[Within, ...]
    part: NDArray[np.intp]

    @classmethod
    def of(cls, known: _Photos) -> _Spread:
        part = folds(known.own)
        others = (part != each for each in range(FOLDS))
        return cls(
            within(known.unit, known.own), tuple(within(known.unit[each], known.own[each]) for each in others), part
        )


def _scaled(means: Floats) -> tuple[Floats, Floats]:
    """Return the directions of means, and their lengths."""
    lengths = np.maximum(np.linalg.norm(means, axis=1), np.finfo(np.float32).tiny)
    return means / lengths[:, None], lengths


def _likenesses(known: _Photos, own: NDArray[np.intp], space: Within, shrinkage: float) -> Floats:
    """Compare photos, by their indices, with the other photos of each label, shape (n, m)."""
    damping = space.damping(shrinkage)
    rows, (means, lengths) = (
        damped(known.unit[own], space.axes, damping),
        _scaled(damped(known.means, space.axes, damping)),
    )
    unit, norms = _scaled(rows)
    found: Floats = unit @ means.T
    places, label = np.arange(len(own)), known.own[own]
    counts = known.counts[label]
    # The numerator has no bias, and the length is the length of the prototype that a picture will meet.
    left = (found[places, label] * lengths[label] * counts - norms) / np.maximum(counts - 1, 1) / lengths[label]
    found[places, label] = np.where(counts > 1, left, np.nan)
    return found


def _judged(known: _Photos, named: _Names, chosen: NDArray[np.intp], spread: _Spread, shrinkage: float) -> _Table:
    """Compare photos with all others and the names. The photos of a part are seen in the space of the other parts."""
    count, all_of_them = len(chosen), len(named.candidates)
    width = min(all_of_them, 2 * CANDIDATES)
    candidates = np.empty((count, width), np.int32)
    photo, name = np.empty((2, count, width), np.float32)
    for part, space in enumerate(spread.others):
        places = np.flatnonzero(spread.part[chosen] == part)
        for block in _blocks(len(places), 4 * all_of_them):
            rows = places[block]
            own = chosen[rows]
            full = np.full((len(own), all_of_them), np.nan, np.float32)
            full[:, : len(known.labels)] = _likenesses(known, own, space, shrinkage)
            of_names = named.cosines(known.unit[own])
            candidates[rows], dropped = _chosen(full, of_names, known.own[own], width)
            photo[rows] = np.where(dropped, np.nan, np.take_along_axis(full, candidates[rows], axis=1))
            name[rows] = np.where(dropped, np.nan, np.take_along_axis(of_names, candidates[rows], axis=1))
    wrong = np.where(np.isnan(name[:, 1:]), -np.inf, name[:, 1:]).max(axis=1, initial=-np.inf)
    middle = float(wrong[wrong > -np.inf].mean()) if (wrong > -np.inf).any() else 0.0
    return _Table(chosen, candidates, photo, name, middle)


def _chosen(
    photo: Floats, name: Floats, own: NDArray[np.intp], width: int
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Choose the candidates of rows, the own label first. Return which places are empty too."""
    by_photo = np.where(np.isnan(photo), -np.inf, photo)
    by_photo[np.arange(len(own)), own] = np.inf
    if width == photo.shape[1]:
        order = np.argsort(-by_photo, axis=1, kind="stable")
        return order, np.zeros(order.shape, np.bool_)
    first = np.argsort(-by_photo, axis=1, kind="stable")[:, :CANDIDATES]
    by_name = np.where(np.isnan(name), -np.inf, name)
    np.put_along_axis(by_name, first, -np.inf, axis=1)
    second = np.argpartition(-by_name, CANDIDATES, axis=1)[:, :CANDIDATES]
    dropped = np.isneginf(np.take_along_axis(by_name, second, axis=1))
    return np.hstack([first, second]), np.hstack([np.zeros(first.shape, np.bool_), dropped])


def _weights(table: _Table, counts: NDArray[np.intp]) -> tuple[NDArray[np.float64], float]:
    """
    Find the weights of photos and names, and of names alone with their offset, as logits of a cosine of 1.

    Return them with the loss, which is the lower, the more likely the own labels are.

    A photo whose label has other photos asks for both weights. Hiding the photos of the own label asks for a name
    alone. Together the hidden ones count as often as labels with one photo, which is the chance of meeting a label
    without any.
    """
    from scipy.optimize import minimize

    singles = int((counts == 1).sum())
    share = len(table.rows) / counts.sum()
    hidden = (singles * share + 1) / max(1, int((~np.isnan(table.name[:, 0])).sum()))
    least = minimize(
        _loss,
        np.array(_TYPICAL),
        args=(table, hidden),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0, None), (0, None), (0, None), (None, None)],
    )
    found = least.x
    if np.isnan(table.name[:, 0]).all():  # No label is a name: nothing tells what names are worth.
        found[2], found[3] = found[0], found[0] * _lead(table)
    elif np.isnan(table.photo[:, 0]).all():  # No label has two photos: names count as if they were alone.
        found[1] = found[2]
        found[3] = found[0] * _rival(table.photo) - np.log(_rivals(table, found[2]))  # together as the best label
    return found, float(least.fun)


def _lead(table: _Table) -> float:
    """
    Return what a name without photos is given, so that names answer unless a picture is like the photos of a label.

    The line is in the middle between the likeness to the own label, or 1, and to the best of the others.
    """
    own = table.photo[:, 0]
    own_label = float(np.nanmean(own)) if (~np.isnan(own)).any() else 1.0
    line = (own_label + (_rival(table.photo) or own_label - 2 * _NEAR)) / 2
    alone = np.where(~np.isnan(table.name) & np.isnan(table.photo), table.name, -np.inf).max(axis=1)
    return line - float(alone[alone > -np.inf].mean()) if (alone > -np.inf).any() else 0.0


def _rivals(table: _Table, weight: float) -> float:
    """
    Return how many names without photos a right name competes with, itself too: names that are as near count as one.

    A model that knows the names leaves about one. A model that does not know them leaves all.
    """
    alone = ~np.isnan(table.name) & np.isnan(table.photo)
    named = ~np.isnan(table.name[:, 0])
    if not named.any():
        return float(max(1, alone.sum(axis=1).max(initial=0)))
    nearer = np.where(alone, weight * (table.name - table.name[:, :1]), -np.inf)[named]
    return float(max(1.0, np.exp(np.minimum(nearer, 0)).sum(axis=1).mean()))


def _rival(photo: Floats) -> float:
    """Return the mean likeness of photos to the best of the other labels, or 0 without one."""
    best = np.where(np.isnan(photo[:, 1:]), -1, photo[:, 1:]).max(axis=1, initial=-1)
    return float(best[best > -1].mean()) if (best > -1).any() else 0.0


_TYPICAL = (20.0, 0.0, 0.0, 0.0)
"""Weights before any knowledge: photos alone, with the logit of few photos."""


def _loss(weights: NDArray[np.float64], table: _Table, hidden: float) -> tuple[float, NDArray[np.float64]]:
    """Return the negative log likelihood of the own labels with the prior, and its slope."""
    slope = (weights - _TYPICAL) / _PRIOR**2
    total = float((weights - _TYPICAL) @ slope) / 2
    for rows in table.blocks():
        photo, name = table.photo[rows], table.name[rows]
        known = ~np.isnan(photo[:, 0])
        more = [_surprise(weights, photo[known], name[known], table.middle, 1.0)]
        named = ~np.isnan(name[:, 0])
        photo = photo[named]
        photo[:, 0] = np.nan
        more.append(_surprise(weights, photo, name[named], table.middle, hidden))
        total += sum(each[0] for each in more)
        slope = slope + sum(each[1] for each in more)
    return total, slope


def _surprise(
    weights: NDArray[np.float64], photo: Floats, name: Floats, middle: float, times: float
) -> tuple[float, NDArray[np.float64]]:
    """Return the negative log likelihood of the first candidate of each row, and its slope."""
    seen, named = ~np.isnan(photo), ~np.isnan(name)
    alone = named & ~seen
    beside = np.where(named, name, np.float32(middle)) * seen
    photo, name = np.where(seen, photo, 0), np.where(alone, name, 0)
    logits = weights[0] * photo + weights[1] * beside + weights[2] * name + weights[3] * alone
    logits[~(seen | named)] = -np.inf
    logits -= logits.max(axis=1, keepdims=True)
    chances = np.exp(logits)
    sums = chances.sum(axis=1)
    total = float((np.log(sums) - logits[:, 0]).sum())
    chances /= sums[:, None]
    chances[:, 0] -= 1
    slope = np.array([(chances * each).sum() for each in (photo, beside, name, alone)])
    return times * total, times * slope


def _recogniser(weights: NDArray[np.float64], middle: float, *, trusted: bool) -> Recogniser:
    """Convert the scale of logits to the scale of cosines. The bounds are still open."""
    photos, names, alone, unseen = map(float, weights)
    sharpness = max(photos + names, 1.0)
    return Recogniser(
        photos=photos / sharpness,
        names=names / sharpness,
        sharpness=sharpness,
        alone=alone / sharpness,
        unseen=unseen / sharpness,
        middle=middle,
        trusted=trusted,
        score=-1.0,
        probability=2.0,
        precision=0.0,
    )


def _judgements(recogniser: Recogniser, table: _Table, known: _Photos, named: _Names) -> Judgements:
    """Return the judgement of each photo by the others, in the order of the given photos."""
    count, given = len(known.unit), known.order[table.rows]
    own, highest, score = np.full((3, count), np.nan)
    best, judged = np.full(count, -1), np.zeros(count, np.bool_)
    for rows in table.blocks():
        scores = recogniser.scores(table.photo[rows], table.name[rows])
        chances = recogniser.probabilities(scores)
        first, places, to = scores.argmax(axis=1), np.arange(len(scores)), given[rows]
        own[to], highest[to], score[to] = chances[:, 0], chances[places, first], scores[places, first]
        best[to] = table.candidates[rows][places, first]
    judged[given] = ~np.isnan(table.photo[:, 0])
    own[~judged] = np.nan
    right = judged.copy()
    right[known.order] &= best[known.order] == known.own
    names = tuple(named.candidates[each] if each >= 0 else "" for each in best)
    return Judgements(judged, own, names, highest, score, right)


def _none(recogniser: Recogniser, known: _Photos, named: _Names, unit: Floats) -> NDArray[np.float64]:
    """
    Return the judgements of photos that are none of the labels, shape (q, 3).

    The columns are score and probability of the first answer, and whether it has photos.
    """
    found = np.empty((len(unit), 3))
    prototypes = known.prototypes(recogniser)
    for rows in _blocks(len(unit), 4 * len(named.candidates)):
        full = np.full((rows.stop - rows.start, len(named.candidates)), np.nan, np.float32)
        full[:, : len(known.labels)] = recogniser.likenesses(unit[rows], prototypes)
        scores = recogniser.scores(full, named.cosines(unit[rows]))
        seen = ~np.isnan(full[np.arange(len(full)), scores.argmax(axis=1)])
        found[rows] = np.stack([scores.max(axis=1), recogniser.probabilities(scores).max(axis=1), seen], axis=1)
    return found


def _bounded(recogniser: Recogniser, found: Judgements, none: NDArray[np.float64], precision: float) -> Recogniser:
    """Choose the bounds of score and probability with most sure answers, of which as many are right as wanted."""
    own = found.judged
    score = np.concatenate([found.score[own], none[:, 0]]) if len(none) else found.score[own]
    chance = np.concatenate([found.highest[own], none[:, 1]]) if len(none) else found.highest[own]
    right = np.concatenate([found.right[own], np.zeros(len(none), np.bool_)])
    if not right.any():
        return replace(recogniser, precision=precision)
    tried = np.quantile(score[right], np.linspace(*_LOST, 20))
    most, low, high = max(
        (_most_sure(each, score, chance, right, precision) for each in tried), key=lambda each: each[0]
    )
    return replace(recogniser, score=low, probability=high if most else 2.0, precision=precision)


def _name_bound(recogniser: Recogniser, table: _Table, none: NDArray[np.float64], precision: float) -> float:
    """
    Find the score from which as many answers by names without photos are right as wanted.

    Such an answer is right where the photos of the own label are hidden, and wrong where they are not. Where names find
    fewer than half of the hidden labels, a few right answers are luck, and no such answer can be trusted.
    """
    named = int((~np.isnan(table.name[:, 0])).sum())
    score, right = [none[none[:, 2] == 0, 0]], [np.zeros(int((none[:, 2] == 0).sum()), np.bool_)]
    for rows in table.blocks():
        for photo in (table.photo[rows], np.where(np.arange(table.photo.shape[1]) == 0, np.nan, table.photo[rows])):
            scores = recogniser.scores(photo, table.name[rows])
            first, places = scores.argmax(axis=1), np.arange(len(scores))
            by_name = np.isnan(photo[places, first]) & np.isfinite(scores[places, first])
            score.append(scores[places, first][by_name])
            right.append((first == 0)[by_name])
    scores, hits = np.concatenate(score), np.concatenate(right)
    return _most_sure(-np.inf, scores, scores, hits, precision)[2] if 2 * hits.sum() >= max(1, named) else 2.0


def _most_sure(
    low: float, score: NDArray[np.float64], chance: NDArray[np.float64], right: NDArray[np.bool_], precision: float
) -> tuple[int, float, float]:
    """Return the number of right sure answers with a bound of the score, this bound, and a bound of the probability."""
    passed = np.flatnonzero(score >= low)
    order = passed[np.argsort(-chance[passed], kind="stable")]
    hits = np.cumsum(right[order])
    enough = np.flatnonzero(hits >= precision * np.arange(1, len(order) + 1))
    if not len(enough):
        return 0, float(low), 2.0
    return int(hits[enough[-1]]), float(low), float(chance[order[enough[-1]]])


def _metrics(recogniser: Recogniser, found: Judgements, none: NDArray[np.float64], known: _Photos) -> Metrics:
    from meetup2025.analytics.evaluation import areas

    own = found.judged
    counts = len(known.labels), len(known.unit), int(own.sum())
    score, chance, right = found.score[own], found.highest[own], found.right[own]
    auc = None
    if len(none) and len(score):
        auc = areas(np.concatenate([score, none[:, 0]]), np.repeat([1, 0], [len(score), len(none)]))[0]
    if not len(right):
        return Metrics(None, None, None, None, auc, *counts)
    sure = (score >= recogniser.score) & (chance >= recogniser.probability) & recogniser.trusted
    let_in = int(((none[:, 0] >= recogniser.score) & (none[:, 1] >= recogniser.probability)).sum()) if len(none) else 0
    sure_right = float(right[sure].sum() / (sure.sum() + let_in)) if sure.any() else None
    error = calibration_error(chance, right) if recogniser.trusted else None
    return Metrics(float(right.mean()), float(sure.mean()), sure_right, error, auc, *counts)


def calibration_error(probabilities: ArrayLike, right: ArrayLike) -> float:
    """
    Return the expected calibration error: the mean distance of probabilities from the share of right answers.

    Args:
        probabilities: Probabilities from 0 to 1, shape (n,), n at least 1.
        right: 1 or True where an answer is right, shape (n,).
    """
    counts, chance, hit = _binned(probabilities, right)
    return float(np.abs(chance - hit).sum() / counts.sum())


def reliability(probabilities: ArrayLike, right: ArrayLike) -> NDArray[np.float64]:
    """
    Return the mean probability and the share of right answers of each bin with answers, shape (m, 2), rising.

    Args:
        probabilities: Probabilities from 0 to 1, shape (n,), n at least 1.
        right: 1 or True where an answer is right, shape (n,).
    """
    counts, chance, hit = _binned(probabilities, right)
    return np.stack([chance, hit], axis=1)[counts > 0] / counts[counts > 0, None]


def coverage(probabilities: ArrayLike, right: ArrayLike, points: int = 100) -> NDArray[np.float64]:
    """
    Return the share of right answers among the answers of highest probability, shape (m, 2), rising in their share.

    Args:
        probabilities: Probabilities, shape (n,), n at least 1.
        right: 1 or True where an answer is right, shape (n,).
        points: Most points of the curve.
    """
    hit = np.asarray(right, float)[np.argsort(-np.asarray(probabilities, float), kind="stable")]
    places = np.unique(np.linspace(1, len(hit), min(points, len(hit))).round().astype(int))
    return np.stack([places / len(hit), np.cumsum(hit)[places - 1] / places], axis=1)


def _binned(probabilities: ArrayLike, right: ArrayLike) -> tuple[NDArray[np.float64], ...]:
    """Return for each bin the number of answers, the sum of their probabilities, and the number of right ones."""
    chance, hit = np.asarray(probabilities, float), np.asarray(right, float)
    bins = np.minimum((chance * _BINS).astype(int), _BINS - 1)
    sums = [np.bincount(bins, weights=each, minlength=_BINS) for each in (np.ones(len(bins)), chance, hit)]
    return tuple(each.astype(np.float64) for each in sums)
