"""
The projection of longer vectors to the 512 numbers of the tables, and what it costs.

It keeps the directions in which the texts and pictures of the catalogue lie: the first right singular vectors of their
unit vectors (principal directions without centring, since cosines are measured from the origin). They are orthonormal,
so lengths and angles within them stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from meetup2025 import vectors
from meetup2025.embedding.models import COLUMN
from meetup2025.errors import BrokenModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_CORRELATION = 0.98
"""Median correlation of cosines before and after below which a projection is refused."""


@dataclass(frozen=True)
class Cost:
    """
    What a projection changes.

    Attributes:
        correlation: Median over the items of the correlation of their cosines to the others, before and after.
        same: Share of the items whose nearest other item stays the nearest.
    """

    correlation: float
    same: float


def directions(rows: NDArray[np.float32], size: int = COLUMN) -> NDArray[np.float32]:
    """
    Return the principal directions of vectors.

    Args:
        rows: Array of shape (n, d) of unit vectors.
        size: Number of directions, at most d. Directions beyond those of the rows are any that are orthogonal.

    Returns:
        Array of shape (d, size) with orthonormal columns, the strongest first.
    """
    _, found = np.linalg.eigh(rows.astype(np.float64).T @ rows.astype(np.float64))
    return np.ascontiguousarray(found[:, ::-1][:, :size].astype(np.float32))


def cost(rows: NDArray[np.float32], matrix: NDArray[np.float32]) -> Cost:
    """
    Return what a projection changes for some items, best for such that it was not made from.

    Args:
        rows: Array of shape (n, d) of unit vectors, n from 3.
        matrix: Array of shape (d, size).
    """
    before, after = rows @ rows.T, _cosines(rows @ matrix)
    others = ~np.eye(len(rows), dtype=bool)
    pairs = zip(before, after, others, strict=True)
    correlations = [float(np.corrcoef(one[seen], two[seen])[0, 1]) for one, two, seen in pairs]
    nearest = (np.where(others, each, -np.inf).argmax(axis=1) for each in (before, after))
    return Cost(float(np.median(correlations)), float(np.mean(np.equal(*nearest))))


def _cosines(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    unit: NDArray[np.float32] = vectors.unit(rows).astype(np.float32)
    cosines: NDArray[np.float32] = unit @ unit.T
    return cosines


def check(found: Cost) -> None:
    """
    Check what a projection costs.

    Raises:
        BrokenModelError: It changes too much.
    """
    if not found.correlation >= LEAST_CORRELATION:
        rule = f"A projection to {COLUMN} numbers must keep the cosines (median correlation {LEAST_CORRELATION})"
        raise BrokenModelError(f"{rule}. Got {found.correlation:.4f}; take a model of {COLUMN} numbers.")
