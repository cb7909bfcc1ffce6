"""
Trying a detector of strangers where the truth is known: one class is hidden from it, and is to be told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from meetup2025.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray


class Detector(Protocol):
    """What scores vectors, the stranger the higher."""

    def scores(self, rows: ArrayLike) -> NDArray[np.float64]:
        """Score vectors, shape (n, d)."""


@dataclass(frozen=True)
class Trial:
    """
    What a detector made of vectors it had not seen.

    Attributes:
        scores: Shape (m,), the stranger the higher.
        strange: Whether each is of the hidden class, shape (m,).
        roc_auc: Area under the ROC curve, from 0 to 1; 0.5 is chance.
    """

    scores: NDArray[np.float64]
    strange: NDArray[np.bool_]
    roc_auc: float


def hold_out(
    fit: Callable[[NDArray[Any]], Detector], rows: ArrayLike, labels: ArrayLike, label: Any, *, seed: int = 5
) -> Trial:
    """
    Hide a class, fit a detector on 70 % of the others, and score the rest of these and the whole hidden class.

    Args:
        fit: Makes a detector from vectors, shape (n, d).
        rows: Shape (n, d).
        labels: The class of each, shape (n,).
        label: The class to hide.
        seed: Seed of the split.

    Raises:
        DataError: No vector has the label, or fewer than 2 have another.
    """
    from sklearn.metrics import roc_auc_score

    array, hidden = np.asarray(rows), np.asarray(labels) == label
    others = np.random.default_rng(seed).permutation(np.flatnonzero(~hidden))
    if not hidden.any() or len(others) < 2:
        raise DataError(
            f"There must be vectors labelled {label!r}, and 2 others. Got {hidden.sum()} and {len(others)}."
        )
    seen = max(1, min(len(others) * 7 // 10, len(others) - 1))
    tried = np.concatenate([others[seen:], np.flatnonzero(hidden)])
    scores = fit(array[others[:seen]]).scores(array[tried])
    return Trial(scores, hidden[tried], float(roc_auc_score(hidden[tried], scores)))
