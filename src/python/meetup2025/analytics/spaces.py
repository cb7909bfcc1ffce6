"""
The spaces of maps: what is near, by the cosine of directions or by the Euclidean distance of vectors as they are.

The cosine is searched by `neighbours`. Euclidean distances are searched by scikit-learn, which compares all rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from meetup2025 import vectors
from meetup2025.analytics import neighbours
from meetup2025.errors import DataError, shown

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Metric = Literal["cosine", "euclidean"]

METRICS: tuple[Metric, ...] = get_args(Metric)

_BLOCK = 1 << 22
"""Numbers of differences that are in memory at once."""


@dataclass(frozen=True)
class Near:
    """
    The nearest rows of each row.

    Attributes:
        indices: Indices of the neighbours, shape (n, k), the nearest first.
        distances: Their distances in the metric of the space, shape (n, k), rising.
    """

    indices: NDArray[np.intp]
    distances: NDArray[np.float32]


def check_metric(metric: str) -> None:
    """
    Check the name of a metric.

    Raises:
        DataError: There is no such metric.
    """
    if metric not in METRICS:
        raise DataError(f"The metric of a map must be {' or '.join(METRICS)}. Got {shown(metric)}.")


def members(rows: ArrayLike, metric: Metric) -> NDArray[np.float32]:
    """
    Return rows as a space keeps them: unit vectors for the cosine, otherwise the rows as they are.

    Args:
        rows: Vectors, shape (n, d).
        metric: Metric of the space.

    Raises:
        DataError: The array has another shape.
        InvalidVectorError: As `vectors.check`.
    """
    return neighbours.directions(rows) if metric == "cosine" else vectors.single(neighbours.checked(rows))


def others(rows: NDArray[np.float32], k: int, metric: Metric) -> Near:
    """
    Find the *k* nearest other rows of each row.

    Args:
        rows: Rows from `members`, shape (n, d), n above *k*.
        k: Number of neighbours, from 1.
        metric: Metric of the space.

    Raises:
        DataError: There are fewer than *k* other rows.
    """
    if metric == "cosine":
        found = neighbours.other_items(rows, k)
        return Near(found.indices, found.distances)
    return _exact(rows, rows, _euclidean(rows, k))


def among(rows: NDArray[np.float32], base: NDArray[np.float32], k: int, metric: Metric) -> Near:
    """
    Find the *k* rows of *base* that are nearest to each row. The result of a row does not depend on the other rows.

    Args:
        rows: Rows from `members`, shape (n, d).
        base: Rows from `members`, shape (m, d), m at least *k*.
        k: Number of neighbours, from 1.
        metric: Metric of the space.

    Raises:
        DataError: There are fewer than *k* rows in *base*, or the lengths of the vectors differ.
    """
    if metric == "cosine":
        found = neighbours.compared(rows, base, neighbours.nearest_directions(rows, base, k))
        return Near(found.indices, found.distances)
    if rows.shape[1] != base.shape[1]:
        raise DataError(f"Vectors to compare must have one length. Got {rows.shape[1]} and {base.shape[1]}.")
    if not len(rows):
        return Near(np.empty((0, k), np.intp), np.empty((0, k), np.float32))
    return _exact(rows, base, _euclidean(base, k, rows))


def distances(rows: NDArray[np.float32], base: NDArray[np.float32], metric: Metric) -> NDArray[np.float32]:
    """Return the distance of each row to each row of *base*, shape (n, m). Both are from `members`."""
    if metric == "cosine":
        cosine: NDArray[np.float32] = 1 - rows @ base.T
        return cosine
    from sklearn.metrics.pairwise import euclidean_distances

    found: NDArray[np.float32] = euclidean_distances(rows, base)
    return found


def _euclidean(base: NDArray[np.float32], k: int, rows: NDArray[np.float32] | None = None) -> NDArray[np.intp]:
    """Find the nearest rows of *base*: of each of *rows*, or of each row of *base* itself among the others."""
    from sklearn.neighbors import NearestNeighbors

    found: NDArray[np.intp] = (
        NearestNeighbors(n_neighbors=k, algorithm="brute").fit(base).kneighbors(rows, return_distance=False)
    )
    return found


def _exact(rows: NDArray[np.float32], base: NDArray[np.float32], candidates: NDArray[np.intp]) -> Near:
    """Order neighbours by their distances, row by row: in a product of matrices, rounding depends on other rows."""
    exact = np.empty(candidates.shape, np.float32)
    step = max(1, _BLOCK // (candidates.shape[1] * rows.shape[1]))
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        exact[part] = np.linalg.norm(rows[part, None] - base[candidates[part]], axis=2)
    order = np.lexsort((candidates, exact), axis=1)
    return Near(np.take_along_axis(candidates, order, axis=1), np.take_along_axis(exact, order, axis=1))
