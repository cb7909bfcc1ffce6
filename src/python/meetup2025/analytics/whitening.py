"""
Damping of the directions in which the photos of one label differ.

Photos of a label differ by scene, light and pose. Cosines become better judges of labels when these directions count
less. This is linear discriminant analysis with a covariance that is shrunk towards a multiple of the identity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

AXES = 32
"""Most damped directions. Those with less variance differ little from one another."""

FOLDS = 5
"""Parts of the photos. The photos of a part are judged with the directions of the other parts."""


@dataclass(frozen=True)
class Within:
    """
    The directions in which photos of a label differ most.

    Attributes:
        axes: Orthonormal directions, shape (r, d), float32. r may be 0.
        variances: Variance within labels along each, falling, shape (r,).
        mean: Mean variance within labels of all d directions, at least 0.
    """

    axes: Floats
    variances: NDArray[np.float64]
    mean: float

    def damping(self, shrinkage: float) -> Floats:
        """
        Return the share of each direction that is taken away, from 0 to 1, shape (r,).

        Args:
            shrinkage: Variance that is added to each direction, in mean variances, above 0. Infinity damps nothing.
        """
        relative = self.variances / max(self.mean, np.finfo(float).tiny) / shrinkage
        return (1 - 1 / np.sqrt(1 + relative)).astype(np.float32)


def within(unit: Floats, own: NDArray[np.intp]) -> Within:
    """
    Measure how photos differ within their labels.

    Args:
        unit: Unit vectors, shape (n, d), sorted by label.
        own: Index of the label of each row, rising, shape (n,).

    References:
        T. Hastie, R. Tibshirani, J. Friedman, The elements of statistical learning, 2009, section 4.3.1: regularised
        discriminant analysis.
    """
    from scipy.linalg import eigh

    starts = np.flatnonzero(np.diff(own, prepend=-1))
    counts = np.diff(np.append(starts, len(own)))
    freedom, dimension = len(own) - len(starts), unit.shape[1]
    if freedom < 1:
        return Within(np.empty((0, dimension), np.float32), np.empty(0), 0.0)
    apart = unit - np.repeat(np.add.reduceat(unit, starts, axis=0) / counts[:, None], counts, axis=0)
    few = len(apart) < dimension
    products = (apart @ apart.T if few else apart.T @ apart).astype(np.float64) / freedom
    size = len(products)
    values, found = eigh(products, subset_by_index=(max(0, size - min(AXES, freedom)), size - 1))
    variances, columns = np.maximum(values[::-1], 0), found[:, ::-1]
    axes = apart.T @ columns if few else columns
    lengths = np.maximum(np.linalg.norm(axes, axis=0), np.finfo(np.float32).tiny)
    return Within((axes / lengths).T.astype(np.float32), variances, float(np.trace(products)) / dimension)


def damped(rows: Floats, axes: Floats, damping: Floats) -> Floats:
    """
    Take a share of some directions away.

    Args:
        rows: Vectors, shape (n, d).
        axes: Orthonormal directions, shape (r, d).
        damping: Share of each, shape (r,).

    Returns:
        Vectors of shape (n, d). They are shorter than *rows*.
    """
    changed: Floats = rows - (rows @ axes.T * damping) @ axes
    return changed


def folds(own: NDArray[np.intp]) -> NDArray[np.intp]:
    """Share the photos of each label among `FOLDS` parts, and return the part of each. *own* is rising."""
    starts = np.flatnonzero(np.diff(own, prepend=-1))
    places: NDArray[np.intp] = np.arange(len(own)) - np.repeat(starts, np.diff(np.append(starts, len(own))))
    return places % FOLDS
