"""
The nearest neighbours of vectors by the cosine: all of them compared, block by block.

Up to some 100,000 rows this is faster than building an index, and it misses none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from meetup2025 import vectors
from meetup2025.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_BLOCK = 1 << 24
"""Cosines that are in the memory at once: 64 MB of float32."""

_ROWS = 4096
"""Vectors whose norms are computed at once."""

_STRIP = 64
"""Numbers of which only the highest is compared first."""


@dataclass(frozen=True)
class Neighbours:
    """
    The nearest rows of each row.

    Attributes:
        indices: Shape (n, k), the nearest first; of two at one distance, the lower index first.
        cosines: Shape (n, k), from -1 to 1, falling.
    """

    indices: NDArray[np.intp]
    cosines: NDArray[np.float32]

    @property
    def distances(self) -> NDArray[np.float32]:
        """Cosine distances, from 0 to 2."""
        return np.maximum(1 - self.cosines, 0)


def directions(rows: ArrayLike, dimension: int | None = None) -> NDArray[np.float32]:
    """
    Give the unit vectors of rows, for cosines by a product.

    Args:
        rows: Shape (n, d).
        dimension: The d that they must have; None allows any.

    Raises:
        DataError: The shape is another.
        InvalidVectorError: As `vectors.check`.
    """
    array = vectors.check(rows, dimension=dimension)
    if array.ndim != 2:
        raise DataError(f"Vectors to compare must have the shape (n, d). Got {array.shape}.")
    unit = np.empty(array.shape, np.float32)
    for start in range(0, len(array), _ROWS):  # in blocks, since the norms are computed in float64
        unit[start : start + _ROWS] = vectors.unit(array[start : start + _ROWS])
    return unit


def nearest(rows: ArrayLike, k: int) -> Neighbours:
    """
    Find the *k* nearest others of each row; a row is not its own neighbour, an equal one is.

    Args:
        rows: Shape (n, d), n above *k*.
        k: At least 1.

    Raises:
        DataError: There are not *k* others.
        InvalidVectorError: As `vectors.check`.
    """
    unit = directions(rows)
    _check_count(k, len(unit) - 1, "others")
    return _nearest(unit, unit, k, others=True)


def nearest_among(rows: ArrayLike, known: ArrayLike, k: int) -> Neighbours:
    """
    Find the *k* rows of *known* that are nearest to each row.

    Args:
        rows: Shape (n, d).
        known: Shape (m, d), m at least *k*.
        k: At least 1.

    Raises:
        DataError: There are not *k* known rows, or the lengths of the vectors differ.
        InvalidVectorError: As `vectors.check`.
    """
    unit, base = directions(rows), directions(known)
    _check_count(k, len(base), "known vectors")
    if unit.shape[1] != base.shape[1]:
        raise DataError(f"Vectors to compare must have one length. Got {unit.shape[1]} and {base.shape[1]}.")
    return _nearest(unit, base, k, others=False)


def _nearest(unit: NDArray[np.float32], base: NDArray[np.float32], k: int, *, others: bool) -> Neighbours:
    indices = np.empty((len(unit), k), np.intp)
    cosines = np.empty((len(unit), k), np.float32)
    step = max(1, _BLOCK // len(base))
    for start in range(0, len(unit), step):
        block = unit[start : start + step] @ base.T
        if others:
            block[np.arange(len(block)), np.arange(start, start + len(block))] = -np.inf
        rows = slice(start, start + len(block))
        indices[rows] = _highest(block, k)
        cosines[rows] = np.take_along_axis(block, indices[rows], axis=1)
    return Neighbours(indices, np.clip(cosines, -1, 1))


def _highest(block: NDArray[np.float32], k: int) -> NDArray[np.intp]:
    """Give the places of the *k* highest of each row: by value, then by place."""
    few = np.sort(_candidates(block, k), axis=1)
    values = np.take_along_axis(block, few, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(few, order, axis=1)


def _candidates(block: NDArray[np.float32], k: int) -> NDArray[np.intp]:
    """
    Give places among which the *k* highest of each row are.

    Where rows are long they are cut into strips, and the highest numbers of the strips compared: the *k* highest
    numbers are in the *k* strips that have the highest. That reads a row once, at the speed of the memory.
    """
    width = block.shape[1] // _STRIP
    if width <= 4 * k:
        return np.argpartition(-block, k - 1, axis=1)[:, :k]
    whole = _STRIP * width
    tops = block[:, :whole].reshape(len(block), _STRIP, width).max(axis=1)
    best = np.argpartition(-tops, k - 1, axis=1)[:, :k]
    strips = (best[:, :, None] + np.arange(_STRIP) * width).reshape(len(block), -1)
    rest = np.broadcast_to(np.arange(whole, block.shape[1]), (len(block), block.shape[1] - whole))
    return np.concatenate([strips, rest], axis=1)


def _check_count(k: int, there: int, what: str) -> None:
    if not 1 <= k <= there:
        raise DataError(f"The number of neighbours must be from 1 to the number of {what}, {max(there, 0)}. Got {k}.")
