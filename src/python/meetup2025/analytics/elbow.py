"""
How many groups there are: K-means for each K, and the K at the bend of its errors.
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
"""Rows that are looked at."""

_WHOLE, _LEADING = 200, 64
"""Directions that are all kept where there are not more, and how many are kept of more."""

_DIGITS = 9
"""Digits in which silhouettes must differ for a higher K to be the better."""


@dataclass(frozen=True)
class Sweep:
    """
    K-means for each K.

    Attributes:
        ks: Shape (m,); the numbers of groups that were tried, rising.
        sse: Shape (m,); sums of the squared distances of the *sampled* rows to their centres.
        silhouettes: Shape (m,); mean silhouettes by the cosine distance, from -1 to 1.
        elbow: The K at the bend of *sse*; None if it bends nowhere.
        roundest: The K of the highest silhouette; of equal ones, the lowest.
        sampled: Number of rows that were looked at: all, up to 10,000.
    """

    ks: NDArray[np.intp]
    sse: NDArray[np.float64]
    silhouettes: NDArray[np.float64]
    elbow: int | None
    roundest: int
    sampled: int

    @property
    def chosen(self) -> int:
        """The K to take: *elbow*, and *roundest* where there is no elbow."""
        return self.roundest if self.elbow is None else self.elbow


def elbow(rows: ArrayLike, first: int = 2, last: int = 29, *, seed: int = 5) -> Sweep:
    """
    Group rows by K-means for each K from *first* to *last*, and find the bend.

    Up to 1,000 rows each K has ten starts, as in the workshop's loop, `KMeans(k, n_init=10, random_state=5)`. More rows
    are grouped by one k-means++ start for a K a little above the highest; from there downwards the two groups whose
    union costs least are merged (Ward), and K-means settles the rest. Measured on planted groups, the errors are within
    0.3 % of those of ten starts, and mostly below. The steps run in the 64 leading directions of the rows; errors and
    silhouettes are of all directions.

    Args:
        rows: Shape (n, d), at least 3 rows, of 2 directions. Of more than 10,000, a sample is looked at.
        first: Lowest K, at least 2.
        last: Highest K, at most 200. It ends before where there are fewer different rows, or as many rows as that.
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
    return Sweep(np.array(ks), sse, silhouettes, bend(ks, sse), roundest, len(unit))


def bend(ks: Sequence[int], sse: NDArray[np.float64]) -> int | None:
    """
    Find where falling errors stop to fall steeply, as the workshop did; None if they do nowhere.

    Args:
        ks: Rising.
        sse: One error for each of *ks*.
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
    """Give the error and the mean silhouette."""
    _, labels, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    total = sums(unit, labels, len(sizes))
    sse = (unit**2).sum() - ((total**2).sum(axis=1) / sizes).sum()  # the squares of the rows, less those of the means
    return max(float(sse), 0.0), float(silhouette_values(unit, labels, total).mean())


def _groupings(unit: NDArray[np.float64], ks: range, top: int, seed: int) -> list[NDArray[np.intp]]:
    """Give the labels for each K; merging begins from *top* groups."""
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
