"""
Compare two maps of the same items, and two groupings of the same items.

A map may be turned, mirrored, shifted and scaled without a change of meaning. So the comparison undoes this first
(orthogonal Procrustes analysis, Gower 1975, doi 10.1007/BF02291478).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from meetup2025.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Comparison:
    """
    The difference between two maps.

    Attributes:
        moves: Distance of each item from its place on the first map, shape (n,). The unit is the spread of that map:
            the root of the mean squared distance to its middle.
        aligned: The second map laid upon the first, in the units of the first, shape (n, c).
        disparity: Mean squared move, from 0 (the same map) to 1 (nothing in common).
    """

    moves: NDArray[np.float64]
    aligned: NDArray[np.float64]
    disparity: float


def compare(first: ArrayLike, second: ArrayLike) -> Comparison:
    """
    Lay a map upon another map and measure how far each item moved.

    Args:
        first: Places of the items, shape (n, c), n at least 2.
        second: Places of the same items in the same order, shape (n, c).

    Raises:
        DataError: The shapes differ, a place is not finite, or all items of a map are at one place.
    """
    from scipy.spatial import procrustes

    one, other = _places(first), _places(second)
    if one.shape != other.shape:
        raise DataError(f"Maps to compare must be of the same items and dimensions. Got {one.shape} and {other.shape}.")
    reference, laid, disparity = procrustes(one, other)
    middle = one.mean(axis=0)
    size = np.linalg.norm(one - middle)
    moves = np.linalg.norm(reference - laid, axis=1) * np.sqrt(len(one))
    return Comparison(moves, laid * size + middle, float(disparity))


def _places(embedding: ArrayLike) -> NDArray[np.float64]:
    places = np.asarray(embedding, np.float64)
    if places.ndim != 2 or len(places) < 2:
        raise DataError(f"A map to compare must have at least 2 items. Got the shape {places.shape}.")
    if not np.isfinite(places).all():
        raise DataError("A place on a map must have finite coordinates. Got NaN or infinity; fit the map again.")
    if (places == places[0]).all():
        raise DataError("Items of a map to compare must be at several places. Got one place for all.")
    return places


@dataclass(frozen=True)
class Agreement:
    """
    The agreement of two groupings.

    Attributes:
        adjusted_rand: 1 for the same groups under any labels, about 0 for groups by chance, at least -0.5.
        mutual_information: Normalized, from 0 for groups that tell nothing of each other to 1 for the same groups.
        before: Labels of the first grouping, sorted, shape (a,).
        after: Labels of the second grouping, sorted, shape (b,).
        counts: Number of items that have both labels, shape (a, b).
    """

    adjusted_rand: float
    mutual_information: float
    before: NDArray[np.generic]
    after: NDArray[np.generic]
    counts: NDArray[np.intp]

    def matched(self) -> dict[Any, Any]:
        """
        Return the group of the second grouping that continues each group of the first.

        The match is one to one and keeps most items.
        """
        from scipy.optimize import linear_sum_assignment

        rows, columns = linear_sum_assignment(-self.counts)
        return dict(zip(self.before[rows].tolist(), self.after[columns].tolist(), strict=True))


def agreement(before: ArrayLike, after: ArrayLike) -> Agreement:
    """
    Compare two groupings of the same items.

    Args:
        before: Labels of the first grouping, numbers or texts, shape (n,), n at least 1.
        after: Labels of the second grouping, shape (n,).

    Raises:
        DataError: There are no items, or the lengths differ.

    References:
        L. Hubert and P. Arabie, Comparing partitions, Journal of Classification 2, 1985.
    """
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    one, other = np.asarray(before), np.asarray(after)
    if one.ndim != 1 or one.shape != other.shape or not len(one):
        raise DataError(f"Both groupings must be of the same items, at least 1. Got {one.shape} and {other.shape}.")
    rows, row = np.unique(one, return_inverse=True)
    columns, column = np.unique(other, return_inverse=True)
    counts = np.bincount(row * len(columns) + column, minlength=len(rows) * len(columns))
    scores = float(adjusted_rand_score(row, column)), float(normalized_mutual_info_score(row, column))
    return Agreement(*scores, rows, columns, counts.reshape(len(rows), len(columns)))
