"""
The silhouette by the cosine distance: how well rows lie in their groups. It is exact.

A mean of cosine distances to a group is a distance to the sum of its vectors. So no two rows are compared, and the time
grows with the number of rows only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from meetup2025.analytics.lloyd import sums
from meetup2025.analytics.neighbours import directions
from meetup2025.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_BLOCK = 1 << 22
"""Distances that are in memory at once: 32 MB of float64."""

_SAME = 1e-12
"""Cosine distance below which two unit vectors of float32 differ only by rounding."""


@dataclass(frozen=True)
class Silhouette:
    """
    How much nearer a row is to its own group than to the next group.

    Attributes:
        values: Silhouette of each row, shape (n,), from -1 (in the wrong group) to 1 (far from all others). It is 0 for
            a row that is alone in its group.
        score: Mean of *values*.
    """

    values: NDArray[np.float64]
    score: float


def silhouette(rows: ArrayLike, labels: ArrayLike) -> Silhouette:
    """
    Compute the silhouettes as scikit-learn's `silhouette_samples` does with `metric="cosine"`.

    Args:
        rows: Vectors, shape (n, d).
        labels: Label of each row, shape (n,). There are from 2 to n - 1 different labels.

    Raises:
        DataError: There is one group only, or every row is a group of its own, or the lengths differ.
        InvalidVectorError: As `vectors.check`.

    References:
        P. J. Rousseeuw, Silhouettes: a graphical aid to the interpretation and validation of cluster analysis,
        Journal of Computational and Applied Mathematics 20, 1987.
    """
    unit = directions(rows)
    groups, numbers = np.unique(np.asarray(labels), return_inverse=True)
    if numbers.shape != (len(unit),):
        raise DataError(f"There must be one label for each of the {len(unit)} rows. Got the shape {numbers.shape}.")
    if not 2 <= len(groups) < len(unit):
        raise DataError(
            f"A silhouette needs from 2 groups to one fewer than the {len(unit)} rows. Got {len(groups)}; "
            "group the rows another way."
        )
    values = silhouette_values(unit, numbers, sums(unit, numbers, len(groups)))
    return Silhouette(values, float(values.mean()))


def silhouette_values(unit: NDArray[Any], labels: NDArray[np.intp], total: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Return the silhouette of each row.

    Args:
        unit: Rows of unit length, shape (n, d).
        labels: Label of each row, shape (n,), from 0 to k - 1. No label is missing.
        total: Sum of the rows of each label, shape (k, d), k at least 2.
    """
    sizes, squares = np.bincount(labels), np.einsum("ij,ij->i", unit, unit, dtype=np.float64)
    spread = np.bincount(labels, squares) / sizes
    values = np.empty(len(unit))
    step = max(1, _BLOCK // max(total.shape))
    for start in range(0, len(unit), step):
        part = slice(start, start + step)
        # Half the squared Euclidean distance is the cosine distance. It is 0 for equal rows, with rounding too.
        far = (squares[part, None] + spread) / 2 - (unit[part].astype(np.float64, copy=False) @ total.T) / sizes
        values[part] = _values(np.where(far < _SAME, 0, far), labels[part], sizes)
    return values


def _values(far: NDArray[np.float64], labels: NDArray[np.intp], sizes: NDArray[np.intp]) -> NDArray[np.float64]:
    """Compute silhouettes from mean distances to all groups, shape (n, k). The row itself counts in its own group."""
    own, count = np.take_along_axis(far, labels[:, None], axis=1)[:, 0], sizes[labels]
    np.put_along_axis(far, labels[:, None], np.inf, axis=1)
    within, other = own * count / np.maximum(count - 1, 1), far.min(axis=1)
    larger = np.maximum(within, other)
    lies = np.divide(other - within, larger, out=np.zeros_like(larger), where=larger > 0)
    return np.where(count > 1, lies, 0)
