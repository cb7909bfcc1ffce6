"""
How two groupings of the same items agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from meetup2025.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Agreement:
    """
    Where the items of each group went.

    Attributes:
        adjusted_rand: 1 for the same groups under any labels, about 0 for groups by chance, at least -0.5.
        before: Shape (a,); the labels of the one grouping, sorted.
        after: Shape (b,); those of the other.
        counts: Shape (a, b); items that have both labels.
    """

    adjusted_rand: float
    before: NDArray[np.generic]
    after: NDArray[np.generic]
    counts: NDArray[np.intp]

    def matched(self) -> dict[Any, Any]:
        """Give the group of the other grouping that goes on for each: one for one, so that most items stay."""
        from scipy.optimize import linear_sum_assignment

        rows, columns = linear_sum_assignment(-self.counts)
        return dict(zip(self.before[rows].tolist(), self.after[columns].tolist(), strict=True))


def agreement(before: ArrayLike, after: ArrayLike) -> Agreement:
    """
    Compare two groupings of the same items.

    Args:
        before: Shape (n,), n at least 1; numbers or texts.
        after: Shape (n,).

    Raises:
        DataError: There are no items, or the lengths differ.

    References:
        L. Hubert and P. Arabie, Comparing partitions, Journal of Classification 2, 1985.
    """
    from sklearn.metrics import adjusted_rand_score

    one, other = np.asarray(before), np.asarray(after)
    if one.ndim != 1 or one.shape != other.shape or not len(one):
        raise DataError(f"Both groupings must be of the same items, at least 1. Got {one.shape} and {other.shape}.")
    rows, row = np.unique(one, return_inverse=True)
    columns, column = np.unique(other, return_inverse=True)
    counts = np.bincount(row * len(columns) + column, minlength=len(rows) * len(columns))
    return Agreement(float(adjusted_rand_score(row, column)), rows, columns, counts.reshape(len(rows), len(columns)))
