"""
Classifiers of scikit-learn: whether an item is odd, and which group it belongs to.

The rest of the project compares directions. Here rows are columns of numbers whose size counts too. So every row gets a
1 at its end. Then rows of one direction and another size differ. AutoML has scaled the numbers to about 1 before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from meetup2025.analytics import thresholds
from meetup2025.analytics.detectors import DETECTORS
from meetup2025.analytics.lloyd import sums
from meetup2025.analytics.neighbours import directions

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_LEAST = float(np.finfo(np.float64).tiny)
"""Least threshold, so that a score of 0 is never odd."""


class _Classifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn publishes no types
    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


class OddItems(_Classifier):
    """
    A classifier of odd rows (1) and normal rows (0), by a detector that is fitted to the normal rows.

    The labels show which rows are normal, and set the threshold where the F1 is best.

    Attributes:
        method: Name of a detector of `analytics.detectors.DETECTORS`.
        seed: Seed of the random choices.
        classes_: 0 and 1.
        detector_: The fitted detector.
        threshold_: A row with a higher score is odd.
    """

    def __init__(self, method: str = "Neighbours", seed: int = 5) -> None:
        self.method = method
        self.seed = seed

    def fit(self, X: Any, y: ArrayLike) -> OddItems:
        """
        Fit the detector to judged rows.

        Args:
            X: Finite numbers, shape (n, d): an array, a data frame or a sparse matrix.
            y: Labels, shape (n,), 1 where a row is odd, otherwise 0. Where none is odd, the threshold is the highest
                score.

        Raises:
            DataError: A label is neither 0 nor 1, or there are too few normal rows for the detector.
            ValueError: *X* has another shape, a number that is not finite, or another number of rows than of labels.
        """
        checked, labels = validate_data(self, X, y, accept_sparse="csr", dtype=np.float64)
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
        Return 1 for each odd row, otherwise 0, shape (m,).

        Raises:
            NotFittedError: The classifier is not fitted yet.
            ValueError: As `fit`, or the rows have another length than the fitted rows.
        """
        return thresholds.flags(self._scores(X), self.threshold_).astype(np.intp)

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """
        Return the weights of 0 and of 1 for each row, shape (m, 2). The sum of a row is 1.

        The weight of 1 is s / (s + t), with the score s and the threshold t. It is one half at the threshold. It is no
        frequency.

        Raises:
            NotFittedError: As `predict`.
            ValueError: As `predict`.
        """
        scores = self._scores(X)
        odd = scores / (scores + self.threshold_)
        return np.stack([1 - odd, odd], axis=1)

    def _scores(self, X: Any) -> NDArray[np.float64]:
        rows = _new_rows(self, X)
        return self.detector_.scores(rows)


class NearestGroup(_Classifier):
    """
    A classifier by the nearest centre, as `analytics.clusters.assign`. The labels name the groups.

    Attributes:
        classes_: Labels of the groups, shape (k,), rising.
        centres_: Means of the unit vectors of each group, shape (k, d + 1).
    """

    def fit(self, X: Any, y: ArrayLike) -> NearestGroup:
        """
        Compute the centres of grouped rows.

        Args:
            X: Finite numbers, shape (n, d): an array, a data frame or a sparse matrix.
            y: Group of each row, shape (n,).

        Raises:
            ValueError: *X* has another shape, a number that is not finite, or another number of rows than of labels, or
                the labels are measures.
        """
        checked, labels = validate_data(self, X, y, accept_sparse="csr", dtype=np.float64)
        check_classification_targets(labels)
        self.classes_, groups = np.unique(labels, return_inverse=True)
        total = sums(directions(_rows(checked)), groups, len(self.classes_))
        self.centres_ = total / np.bincount(groups)[:, None]
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """
        Return the label of the nearest group of each row, shape (m,).

        Raises:
            NotFittedError: The classifier is not fitted yet.
            ValueError: As `fit`, or the rows have another length than the fitted rows.
        """
        nearest = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[nearest])

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """
        Return the weight of each group for each row, shape (m, k). The sum of a row is 1.

        The weight falls with the Euclidean distance to the centre, as exp(-distance). It is no frequency.

        Raises:
            NotFittedError: As `predict`.
            ValueError: As `predict`.
        """
        unit = directions(_new_rows(self, X))
        nearness = np.exp(-euclidean_distances(unit.astype(np.float64), self.centres_))
        return np.asarray(nearness / nearness.sum(axis=1, keepdims=True))


def _new_rows(fitted: _Classifier, X: Any) -> NDArray[np.float64]:
    check_is_fitted(fitted)
    return _rows(validate_data(fitted, X, accept_sparse="csr", dtype=np.float64, reset=False))


def _rows(checked: Any) -> NDArray[np.float64]:
    """Return rows as a dense array with a 1 at the end of each row. AutoML passes sparse matrices too."""
    dense = checked.toarray() if hasattr(checked, "toarray") else checked
    return np.append(dense, np.ones((len(dense), 1)), axis=1)
