"""
The threshold between normal and odd scores: from a share, a quantile, or items that a person has judged.

A row is odd when its score is above the threshold. A score equal to the threshold is not odd.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meetup2025.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def rounded(distances: ArrayLike) -> NDArray[np.float64]:
    """
    Round distances to six decimals: equal rows have equal scores, and copies have 0.

    The cosine of two float32 vectors is right to 4e-7, for 64 to 8,192 numbers alike. Without rounding, that error
    alone would make some of many equal rows odd.
    """
    return np.maximum(np.round(np.asarray(distances, np.float64), 6), 0)


def flags(scores: ArrayLike, threshold: float) -> NDArray[np.bool_]:
    """Return which scores are above the threshold, shape (n,)."""
    return finite(scores) > threshold


def from_contamination(scores: ArrayLike, contamination: float = 0.03) -> float:
    """
    Return the threshold above which a share of the rows lies, as scikit-learn's detectors do.

    Args:
        scores: Own scores of a detector, shape (n,), n at least 1.
        contamination: Share of rows that count as odd, above 0 and at most 0.5.

    Raises:
        DataError: There is no score, one is not finite, or the share is out of range.
    """
    if not 0 < contamination <= 0.5:
        raise DataError(
            f"The contamination must be above 0 and at most 0.5. Got {contamination}; it is the share of odd rows."
        )
    return from_quantile(scores, 1 - contamination)


def from_quantile(scores: ArrayLike, quantile: float) -> float:
    """
    Return a quantile of the scores as the threshold, between two scores where necessary.

    Args:
        scores: Scores, shape (n,), n at least 1.
        quantile: Share of the scores that are not above the threshold, from 0 to 1. At 1 no row is odd.

    Raises:
        DataError: There is no score, one is not finite, or the quantile is out of range.
    """
    if not 0 <= quantile <= 1:
        raise DataError(f"The quantile must be from 0 to 1. Got {quantile}; 0.97 leaves 3 % above.")
    array = finite(scores)
    if not len(array):
        raise DataError("A threshold needs at least 1 score. Got 0; fit a detector first.")
    return float(np.quantile(array, quantile))


def best_f1(scores: ArrayLike, labels: ArrayLike) -> float:
    """
    Return the threshold with the highest F1. Among equals, it has the fewest flags.

    The threshold lies halfway between two scores. Use items that do not take part in the evaluation: see
    `evaluation.split`.

    Args:
        scores: Scores, shape (n,), the higher, the odder.
        labels: Labels, shape (n,), 1 or True where an item is odd. Both kinds occur.

    Raises:
        DataError: All items are of one kind, the lengths differ, or a score is not finite.
    """
    array, odd = judged(scores, labels)
    order = np.argsort(-array, kind="stable")
    falling, hits = array[order], np.cumsum(odd[order])
    last = np.flatnonzero(np.append(np.diff(falling) != 0, True))  # equal scores are flagged together
    f1 = 2 * hits[last] / (odd.sum() + last + 1)
    place = int(last[f1.argmax()])
    above = falling[place]
    below = falling[place + 1] if place + 1 < len(falling) else np.nextafter(above, -np.inf)
    middle = below + (above - below) / 2
    return float(middle if middle < above else below)


def judged(scores: ArrayLike, labels: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """
    Check that scores and labels can be compared. Return both as arrays. A label is True where the item is odd.

    Raises:
        DataError: All items are of one kind, the lengths differ, a label is neither 0 nor 1, or a score is not finite.
    """
    array, odd = finite(scores), binary(labels)
    if array.shape != odd.shape:
        raise DataError(f"There must be one label for each of the {len(array)} scores. Got {len(odd)}.")
    if odd.all() or not odd.any():
        raise DataError(
            f"There must be odd and normal items. Got {odd.sum()} odd of {len(odd)}; label some of the other kind."
        )
    return array, odd


def finite(scores: ArrayLike) -> NDArray[np.float64]:
    """
    Return scores as an array of shape (n,).

    Raises:
        DataError: The scores have another shape, or one is not finite.
    """
    array = np.asarray(scores, np.float64)
    if array.ndim != 1:
        raise DataError(f"Scores must have the shape (n,). Got {array.shape}.")
    if not np.isfinite(array).all():
        place = int(np.argmin(np.isfinite(array)))
        raise DataError(f"Scores must be finite numbers. Got {array[place]} at {place + 1}; leave it out.")
    return array


def binary(labels: ArrayLike) -> NDArray[np.bool_]:
    """
    Return labels as an array of shape (n,), True where an item is odd.

    Raises:
        DataError: The labels have another shape, or one is neither 0 nor 1.
    """
    array = np.asarray(labels)
    if array.ndim != 1 or not np.isin(array, (0, 1)).all():
        raise DataError("Labels must be a row of 1 (odd) and 0 (normal). Got other values; convert them.")
    return array.astype(np.bool_)
