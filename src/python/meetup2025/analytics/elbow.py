"""
The number of groups: K-means for each K, the K at the bend of its errors, and the K of the best silhouette.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from meetup2025.analytics.clusters import ABOVE, FEW, best_of_ten, different, merging
from meetup2025.analytics.lloyd import sums
from meetup2025.analytics.neighbours import directions
from meetup2025.analytics.silhouette import silhouette_values
from meetup2025.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

_MOST = 200
"""Highest K that can be tried."""

_SAMPLE = 10_000
"""Rows of a sample."""

_WHOLE, _LEADING = 200, 64
"""Directions that are kept: all where there are not more, or the second number of more."""

_DIGITS = 9
"""Digits in which silhouettes must differ for a higher K to be the better."""

_NEAR, _AS_HIGH = 1.5, 0.95
"""Most factor between the elbow and the K of the best silhouette, for the numbers and for the silhouettes."""

_STRUCTURE = 0.25
"""Silhouette up to which Kaufman and Rousseeuw find no substantial structure."""

_NO_GROUPS = 0.15
"""Silhouette up to which all rows are one group: one planted group had at most 0.14, photos of two species 0.18."""

_BEND = 2.0
"""A curve bends clearly at K if the errors fall this many times as much before K as after it."""


@dataclass(frozen=True)
class Sweep:
    """
    K-means for each K.

    Attributes:
        ks: Numbers of groups that were tried, rising, shape (m,).
        sse: Sums of the squared distances of the *sampled* rows to their centres, shape (m,).
        silhouettes: Mean silhouettes by the cosine distance, from -1 to 1, shape (m,).
        elbow: The K at the bend of *sse*, or None without a bend.
        roundest: The K of the highest silhouette. Of equal ones, the lowest counts.
        sampled: Number of rows in the sample: all rows, up to 10,000.
        single: Sum of the squared distances of the sampled rows to the centre of all rows: the error of one group.
    """

    ks: NDArray[np.intp]
    sse: NDArray[np.float64]
    silhouettes: NDArray[np.float64]
    elbow: int | None
    roundest: int
    sampled: int
    single: float

    @property
    def chosen(self) -> int:
        """The number of groups to take, as `choose` explains."""
        return choose(self).k


@dataclass(frozen=True)
class Choice:
    """
    The number of groups to take.

    Attributes:
        k: The number.
        elbow: The K at the bend of the curve of errors that begins with one group, or None without a bend.
        silhouette: The K of the highest silhouette.
        decided: The deciding rule and its reason, in at most 50 characters.
        clear: Whether the rows show a clear number of groups.
    """

    k: int
    elbow: int | None
    silhouette: int
    decided: str
    clear: bool


def choose(sweep: Sweep) -> Choice:
    """
    Choose a number of groups by both rules.

    The curve of errors begins with one group here: a bend at K needs a point before K. The elbow decides if it is
    near the K of the best silhouette. Otherwise the silhouette decides: on photos of two species the elbow lies between
    5 and 14. A best silhouette of at most 0.15 means one group.

    Args:
        sweep: Of K from 2.

    References:
        L. Kaufman and P. J. Rousseeuw, Finding Groups in Data, Wiley 1990, chapter 2: how to read a silhouette.
    """
    roundest, best = sweep.roundest, float(sweep.silhouettes.max())
    bent = bend([1, *sweep.ks.tolist()], np.array([sweep.single, *sweep.sse]))
    near = bent is not None and _is_near(sweep, bent)
    clear = best > _STRUCTURE and (near or _falls_less_after(sweep, roundest))
    if best <= _NO_GROUPS:
        return Choice(1, bent, roundest, f"silhouette: {best:.2f} at best, so one group", clear=False)
    if bent is None:
        return Choice(roundest, bent, roundest, "silhouette: the errors bend nowhere", clear)
    if not near:
        return Choice(roundest, bent, roundest, "silhouette: the elbow is far from it", clear)
    why = "both rules agree" if bent == roundest else "the silhouette is near it"
    return Choice(bent, bent, roundest, f"elbow: {why}", clear)


def _is_near(sweep: Sweep, bent: int) -> bool:
    """Return whether an elbow is near the K of the best silhouette, in number and in silhouette."""
    best = sweep.silhouettes.max()
    close = max(bent, sweep.roundest) <= _NEAR * min(bent, sweep.roundest)
    return bool(close and sweep.silhouettes[sweep.ks == bent].max(initial=-1.0) >= _AS_HIGH * best)


def _falls_less_after(sweep: Sweep, k: int) -> bool:
    """Return whether the errors fall much less after *k* groups than before."""
    errors = np.array([sweep.single, *sweep.sse])
    index = int(np.searchsorted(sweep.ks, k)) + 1
    before = errors[index - 1] - errors[index]
    after = errors[index] - errors[index + 1] if index + 1 < len(errors) else 0.0
    return bool(before >= _BEND * after)


def elbow(rows: ArrayLike, first: int = 2, last: int = 29, *, seed: int = 5) -> Sweep:
    """
    Group rows by K-means for each K from *first* to *last*, and find the bend.

    Up to 1,000 rows, each K has ten starts, as in the workshop's loop, `KMeans(k, n_init=10, random_state=5)`. More
    rows are grouped by one k-means++ start for a K a little above the highest. From there downwards, the two groups
    whose union costs least are merged (Ward), and K-means settles the rest. Measured on planted groups, the errors are
    within 0.3 % of ten starts, and mostly below. The steps run in the 64 leading directions of the rows. Errors and
    silhouettes use all directions.

    Args:
        rows: Vectors, shape (n, d): at least 3 rows of 2 directions. Of more than 10,000 rows, a sample is used.
        first: Lowest K, at least 2.
        last: Highest K, at most 200. It is lower where there are fewer different rows, or as many rows as *last*.
        seed: The same rows and seed give the same numbers.

    Raises:
        DataError: *first* or *last* is out of range, or there are too few different rows for *first*.
        InvalidVectorError: As `vectors.check`.

    References:
        V. Satopää et al., Finding a "kneedle" in a haystack, ICDCS Workshops 2011.
        M. B. Cohen et al., Dimensionality reduction for k-means clustering, STOC 2015.
    """
    from threadpoolctl import threadpool_limits

    if not 2 <= first <= last <= _MOST:
        raise DataError(f"The numbers of groups to try must rise from 2 to at most {_MOST}. Got {first} to {last}.")
    unit = _sampled(directions(rows), seed).astype(np.float64)
    there = different(unit, last + ABOVE)
    ks = range(first, min(last, there, len(unit) - 1) + 1)
    if not ks:
        raise DataError(
            f"To try {first} groups there must be {first + 1} vectors, {first} of them different. "
            f"Got {len(unit)}, {there} different; add some."
        )
    with threadpool_limits(1):  # products this small take ten times as long on two threads of a busy machine
        measured = [_measured(unit, labels) for labels in _groupings(unit, ks, min(ks[-1] + ABOVE, there), seed)]
    sse, silhouettes = (np.array(each) for each in zip(*measured, strict=True))
    roundest = ks[int(silhouettes.round(_DIGITS).argmax())]
    single = float(((unit - unit.mean(axis=0)) ** 2).sum())
    return Sweep(np.array(ks), sse, silhouettes, bend(ks, sse), roundest, len(unit), single)


def bend(ks: Sequence[int], sse: NDArray[np.float64]) -> int | None:
    """
    Find the K where falling errors stop to fall steeply, as the workshop did. Return None if there is none.

    Args:
        ks: Numbers of groups, rising.
        sse: Error of each of *ks*.
    """
    from kneed import KneeLocator

    if len(ks) < 3 or sse.max() <= sse.min():
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # kneed 0.8 warns where it finds none
        knee = KneeLocator(ks, sse, curve="convex", direction="decreasing").knee
    return None if knee is None else int(knee)


def _sampled(unit: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    if len(unit) <= _SAMPLE:
        return unit
    return unit[np.sort(np.random.default_rng(seed).choice(len(unit), _SAMPLE, replace=False))]


def _measured(unit: NDArray[np.float64], labels: NDArray[np.intp]) -> tuple[float, float]:
    """Return the error and the mean silhouette."""
    _, labels, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    total = sums(unit, labels, len(sizes))
    sse = (unit**2).sum() - ((total**2).sum(axis=1) / sizes).sum()  # squares of the rows, minus squares of the means
    return max(float(sse), 0.0), float(silhouette_values(unit, labels, total).mean())


def _groupings(unit: NDArray[np.float64], ks: range, top: int, seed: int) -> list[NDArray[np.intp]]:
    """Yield the labels for each K. Merging begins from *top* groups."""
    leading = _leading(unit)
    if len(unit) <= FEW:
        return [best_of_ten(leading, k, seed)[0] for k in ks]
    found = [labels for labels, _ in merging(leading.astype(np.float32), top, ks[0], seed)]
    return found[::-1][: len(ks)]


def _leading(unit: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn rows so that few numbers hold their distances, exactly where there are few rows or directions."""
    centred = unit - unit.mean(axis=0)
    if min(unit.shape) <= _WHOLE:
        left, lengths, _ = np.linalg.svd(centred, full_matrices=False)
        return np.asarray(left * lengths)
    _, axes = np.linalg.eigh(centred.T @ centred)
    return np.asarray(centred @ axes[:, -_LEADING:])
