"""A detector as a classifier of scikit-learn: an item is odd, or it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from meetup2025.analytics import thresholds
from meetup2025.analytics.detectors import DETECTORS

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_LEAST = float(np.finfo(np.float64).tiny)
"""Least threshold, so that a score of 0 is never odd."""


class OddItems(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn publishes no types
    """
    Tell odd rows (1) from normal ones (0), by a detector that is fitted to the normal ones.

    The labels say which rows are normal, and set the threshold: where the F1 is best. A 1 is put to the end of each
    row, since detectors compare directions, and of columns of numbers the size counts too; AutoML has scaled them to
    about 1 before.

    Attributes:
        method: Name of a detector of `analytics.detectors.DETECTORS`.
        seed: What every random choice is made from.
        classes_: 0 and 1.
        detector_: The detector, fitted.
        threshold_: A row with a higher score is odd.
    """

    def __init__(self, method: str = "Neighbours", seed: int = 5) -> None:
        self.method = method
        self.seed = seed

    def fit(self, X: Any, y: ArrayLike) -> OddItems:
        """
        Learn from rows that are judged.

        Args:
            X: Shape (n, d), finite numbers; an array, a data frame or a sparse matrix.
            y: Shape (n,), 1 where a row is odd, else 0. Where none is odd, the threshold is the highest score.

        Raises:
            DataError: A label is neither 0 nor 1, or there are too few normal rows for the detector.
            ValueError: *X* has another shape, a number that is not finite, or not one label for each row.
        """
        checked, labels = validate_data(self, X, y, accept_sparse=True, dtype=np.float64)
        rows, odd = _rows(checked), thresholds.binary(labels)
        self.classes_ = np.array([0, 1])
        self.detector_ = DETECTORS[self.method].fit(rows[~odd], seed=self.seed)
        scores = np.empty(len(rows))
        scores[~odd], scores[odd] = self.detector_.own_scores, self.detector_.scores(rows[odd])
        best = thresholds.best_f1(scores, odd) if odd.any() else thresholds.from_quantile(scores, 1)
        self.threshold_ = max(best, _LEAST)
        return self

    def predict(self, X: Any) -> NDArray[np.intp]:
        """
        Give 1 for each row that is odd, else 0: shape (m,).

        Raises:
            NotFittedError: It is not fitted yet.
            ValueError: As `fit`; or the rows have another length than those that it was fitted to.
        """
        return thresholds.flags(self._scores(X), self.threshold_).astype(np.intp)

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """
        Give for each row what speaks for 0 and for 1: shape (m, 2), the sum of each row is 1.

        For 1 it is s / (s + t), with the score s and the threshold t: one half at the threshold. It is no frequency.

        Raises:
            NotFittedError: As `predict`.
            ValueError: As `predict`.
        """
        scores = self._scores(X)
        odd = scores / (scores + self.threshold_)
        return np.stack([1 - odd, odd], axis=1)

    def _scores(self, X: Any) -> NDArray[np.float64]:
        check_is_fitted(self)
        return self.detector_.scores(_rows(validate_data(self, X, accept_sparse=True, dtype=np.float64, reset=False)))


def _rows(checked: Any) -> NDArray[np.float64]:
    """Give rows as a dense array with a 1 at the end of each; AutoML hands over sparse matrices too."""
    dense = checked.toarray() if hasattr(checked, "toarray") else checked
    return np.append(dense, np.ones((len(dense), 1)), axis=1)
