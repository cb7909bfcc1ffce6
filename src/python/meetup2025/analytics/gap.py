"""
The gap between two kinds of vectors: names and photos of one model lie in two narrow cones.

Liang et al. 2022, "Mind the Gap: Understanding the Modality Gap in Multi-modal Contrastive Representation Learning",
arXiv 2203.02053.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from meetup2025 import vectors
from meetup2025.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_CANCELLED = 1e-6


@dataclass(frozen=True)
class Gap:
    """
    The distance between two sets of vectors.

    Attributes:
        distance: Distance between the centroids of their unit vectors, from 0 to 2, as Liang et al. measure it.
        cosine: Cosine between the centroids, from -1 to 1. It means nothing where the centroids are nearly 0, as after
            `without_gap`, and it is 0 where a centroid vanishes.
        separability: Area under the ROC curve of separating the sets along the difference of the centroids, from 0.5
            (not separable) to 1. Half of each set gives the direction and separates the other half, then the other way
            round. The value is the mean of both. Less than 0.5 counts as 0.5.
    """

    distance: float
    cosine: float
    separability: float


def gap(a: ArrayLike, b: ArrayLike) -> Gap:
    """
    Measure the gap between two sets of vectors.

    Args:
        a: First set of vectors, shape (n, d), n at least 2.
        b: Second set of vectors, shape (m, d), m at least 2.

    Raises:
        DataError: A set has fewer than 2 vectors, or their lengths differ.
        InvalidVectorError: As `vectors.check`.
    """
    first, second = _units(a, b)
    middles = first.mean(axis=0), second.mean(axis=0)
    norms = np.linalg.norm(middles, axis=1)
    cosine = float(middles[0] @ middles[1] / norms.prod()) if norms.min() > _CANCELLED else 0.0
    halves = [(first[::2], second[::2]), (first[1::2], second[1::2])]
    areas = [_area(*learnt, *told) for learnt, told in (halves, halves[::-1])]
    return Gap(float(np.linalg.norm(middles[0] - middles[1])), cosine, max(0.5, float(np.mean(areas))))


def without_gap(a: ArrayLike, b: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Move two sets of vectors onto each other, so that a map of both shows their subjects and not their kinds.

    The mean of a set is subtracted from the set, and the vectors are made unit again: GR-CLIP (Li et al. 2025, "Closing
    the Modality Gap for Mixed Modality Search", arXiv 2507.19054). This also removes the cone that all vectors share,
    so cosines are lower.

    Args:
        a: First set of vectors, shape (n, d), n at least 2.
        b: Second set of vectors, shape (m, d), m at least 2.

    Returns:
        Both sets, rows of length 1.

    Raises:
        DataError: As `gap`, or a vector vanishes.
        InvalidVectorError: As `vectors.check`.
    """
    first, second = (each - each.mean(axis=0) for each in _units(a, b))
    if min(np.linalg.norm(first, axis=1).min(), np.linalg.norm(second, axis=1).min()) < _CANCELLED:
        raise DataError("A vector must have a direction without the gap. Got one that vanishes; leave it out.")
    return vectors.unit(first), vectors.unit(second)


def _area(
    first: NDArray[np.float64], second: NDArray[np.float64], one: NDArray[np.float64], other: NDArray[np.float64]
) -> float:
    """Learn the direction between two sets, and separate two other sets along it."""
    from sklearn.metrics import roc_auc_score

    direction = first.mean(axis=0) - second.mean(axis=0)
    scores = np.concatenate([one, other]) @ direction
    return float(roc_auc_score(np.repeat([1, 0], [len(one), len(other)]), scores))


def _units(a: ArrayLike, b: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    first, second = vectors.check(a), vectors.check(b)
    if first.ndim != 2 or second.ndim != 2 or min(len(first), len(second)) < 2:
        raise DataError(f"A gap must be between sets of at least 2 vectors. Got {first.shape} and {second.shape}.")
    if first.shape[1] != second.shape[1]:
        raise DataError(f"Vectors to compare must have one length. Got {first.shape[1]} and {second.shape[1]}.")
    return vectors.unit(first), vectors.unit(second)
