"""The quality of a detector: F1, precision, recall, ROC and PR, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meetup2025.analytics.thresholds import binary, flags, judged
from meetup2025.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

_BLOCK = 1 << 22
"""Items of all resamples that are in memory at once."""

_INTERVAL = (0.025, 0.975)
"""Quantiles between which 95 % of the resamples lie."""


class Estimate(NamedTuple):
    """A measure from 0 to 1, and the ends of its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Evaluation:
    """
    The quality of a threshold and of a ranking on judged items.

    Attributes:
        threshold: Items with a higher score are flagged.
        f1: Harmonic mean of precision and recall.
        precision: Share of the flagged items that are odd. 0 where none is flagged.
        recall: Share of the odd items that are flagged.
        roc_auc: Chance that an odd item has a higher score than a normal one, where ties count half.
        pr_auc: Average precision over the odd items, best first.
        true_positives: Odd and flagged.
        false_positives: Normal and flagged.
        false_negatives: Odd and not flagged.
        true_negatives: Normal and not flagged.
        roc: False and true positive rates, rising from (0, 0) to (1, 1), shape (m, 2).
        pr: Recall, falling from 1 to 0, and precision, shape (p, 2).
    """

    threshold: float
    f1: Estimate
    precision: Estimate
    recall: Estimate
    roc_auc: Estimate
    pr_auc: Estimate
    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int
    roc: NDArray[np.float64]
    pr: NDArray[np.float64]


@dataclass(frozen=True)
class Split:
    """
    Two halves of the items. No item is in both.

    Attributes:
        validation: Indices of the items on which a threshold is chosen, rising.
        test: Indices of the items on which it is measured, rising.
    """

    validation: NDArray[np.intp]
    test: NDArray[np.intp]


def evaluate(
    scores: ArrayLike, labels: ArrayLike, threshold: float, *, resamples: int = 1000, seed: int = 5
) -> Evaluation:
    """
    Measure scores and a threshold against labels.

    The intervals are percentiles of a bootstrap. It draws odd and normal items apart, because with few odd items a
    common draw would sometimes have none. The intervals show how much the choice of items matters, not the choice of
    the fit.

    Args:
        scores: Scores, shape (n,), the higher, the odder.
        labels: Labels, shape (n,), 1 or True where an item is odd. Both kinds occur.
        threshold: A score that was chosen on other items.
        resamples: Number of resamples, at least 1.
        seed: Seed of the resamples.

    Raises:
        DataError: All items are of one kind, the lengths differ, or a score is not finite.

    References:
        J. Carpenter and J. Bithell, Bootstrap confidence intervals, Statistics in Medicine 19, 2000.
        X. Robin et al., pROC, BMC Bioinformatics 12, 2011: stratified resamples for ROC curves.
    """
    array, odd = judged(scores, labels)
    if resamples < 1:
        raise DataError(f"The number of resamples must be at least 1. Got {resamples}.")
    ranking = _Ranking.of(array, odd, threshold)
    (point,) = ranking.measures(np.ones((1, len(odd)), np.intp))
    drawn = np.concatenate([ranking.measures(counts) for counts in _resampled(ranking.odd, resamples, seed)])
    ends = np.quantile(drawn, _INTERVAL, axis=0)
    f1, precision, recall, roc_auc, pr_auc = (Estimate(*map(float, each)) for each in zip(point, *ends, strict=True))
    counts, curves = _counts(flags(array, threshold), odd), _curves(array, odd)
    return Evaluation(float(threshold), f1, precision, recall, roc_auc, pr_auc, *counts, *curves)


def areas(scores: ArrayLike, labels: ArrayLike) -> tuple[float, float]:
    """
    Return the area under the ROC curve and the average precision.

    Raises:
        DataError: As `evaluate`.
    """
    array, odd = judged(scores, labels)
    (point,) = _Ranking.of(array, odd, np.inf).measures(np.ones((1, len(odd)), np.intp))
    return float(point[3]), float(point[4])


def split(labels: ArrayLike, *, share: float = 0.5, seed: int = 5) -> Split:
    """
    Split judged items in two, with the same share of odd items in both, as far as whole items allow.

    Args:
        labels: Labels, shape (n,), 1 or True where an item is odd. Both kinds have at least 2 items.
        share: Share of the items for validation, above 0 and below 1. Both halves have at least 1 item of both kinds.
        seed: Seed of the draw.

    Raises:
        DataError: There are fewer than 2 of a kind, or the share is out of range.
    """
    odd = binary(labels)
    if not 0 < share < 1:
        raise DataError(f"The share for validation must be above 0 and below 1. Got {share}.")
    if min(odd.sum(), (~odd).sum()) < 2:
        raise DataError(
            f"To split items there must be 2 odd and 2 normal ones. Got {odd.sum()} odd of {len(odd)}; label more."
        )
    rng, validation = np.random.default_rng(seed), np.zeros(len(odd), np.bool_)
    for kind in (odd, ~odd):
        places = rng.permutation(np.flatnonzero(kind))
        validation[places[: min(max(round(share * len(places)), 1), len(places) - 1)]] = True
    return Split(np.flatnonzero(validation), np.flatnonzero(~validation))


@dataclass(frozen=True)
class _Ranking:
    """
    Items by falling score.

    Attributes:
        odd: Whether each item is odd, shape (n,).
        last: Last position of each score.
        flagged: Number of items above the threshold.
    """

    odd: NDArray[np.bool_]
    last: NDArray[np.intp]
    flagged: int

    @classmethod
    def of(cls, scores: NDArray[np.float64], odd: NDArray[np.bool_], threshold: float) -> _Ranking:
        order = np.argsort(-scores, kind="stable")
        last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
        return cls(odd[order], last, int(flags(scores, threshold).sum()))

    def measures(self, counts: NDArray[np.intp]) -> NDArray[np.float64]:
        """
        Compute F1, precision, recall, ROC AUC and PR AUC of resamples: shape (b, 5).

        Args:
            counts: How often a resample has an item, shape (b, n). A resample has as many odd and normal items as the
                data.
        """
        odd, normal = int(self.odd.sum()), int((~self.odd).sum())
        hits, misses = np.cumsum(counts * self.odd, axis=1), np.cumsum(counts * ~self.odd, axis=1)
        right = hits[:, self.flagged - 1] if self.flagged else np.zeros(len(counts))
        wrong = misses[:, self.flagged - 1] if self.flagged else np.zeros(len(counts))
        hits, misses = hits[:, self.last], misses[:, self.last]
        more = np.diff(hits, axis=1, prepend=0)
        precision = np.divide(hits, hits + misses, out=np.zeros(hits.shape), where=hits > 0)
        return np.stack(
            [
                2 * right / (odd + right + wrong),
                np.divide(right, right + wrong, out=np.zeros(len(counts)), where=right > 0),
                right / odd,
                1 - (more * (misses - np.diff(misses, axis=1, prepend=0) / 2)).sum(axis=1) / (odd * normal),
                (more * precision).sum(axis=1) / odd,
            ],
            axis=1,
        )


def _resampled(odd: NDArray[np.bool_], resamples: int, seed: int) -> Iterator[NDArray[np.intp]]:
    """Draw how often a resample has an item, in blocks of shape (b, n)."""
    rng, kinds = np.random.default_rng(seed), (np.flatnonzero(odd), np.flatnonzero(~odd))
    step = max(1, _BLOCK // len(odd))
    for start in range(0, resamples, step):
        counts = np.empty((min(step, resamples - start), len(odd)), np.intp)
        for places in kinds:
            drawn = rng.integers(len(places), size=(len(counts), len(places)))
            drawn += np.arange(len(counts))[:, None] * len(places)
            tally = np.bincount(drawn.ravel(), minlength=drawn.size)
            counts[:, places] = tally.reshape(drawn.shape)
        yield counts


def _counts(flagged: NDArray[np.bool_], odd: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    right, wrong = int((flagged & odd).sum()), int((flagged & ~odd).sum())
    return right, wrong, int(odd.sum()) - right, int((~odd).sum()) - wrong


def _curves(scores: NDArray[np.float64], odd: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the points that are needed to draw the curves."""
    from sklearn.metrics import precision_recall_curve, roc_curve

    false, true, _ = roc_curve(odd, scores)
    precision, recall, _ = precision_recall_curve(odd, scores, drop_intermediate=True)
    return np.stack([false, true], axis=1), np.stack([recall, precision], axis=1)
