"""Thresholds: the share that is asked for, the best F1 on judged items, and one rule for what is above."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from meetup2025.analytics.thresholds import best_f1, flags, from_contamination, from_quantile
from meetup2025.errors import DataError


@pytest.mark.parametrize(("n", "share", "expected"), [(1000, 0.03, 30), (100, 0.5, 50), (10, 0.03, 1), (2, 0.1, 1)])
def test_contamination_is_the_share_of_flags(n: int, share: float, expected: int) -> None:
    """As many rows are flagged as the share says, and of few rows at least one."""
    scores = np.random.default_rng(5).permutation(n).astype(float)

    assert flags(scores, from_contamination(scores, share)).sum() == expected


def test_equal_scores_are_not_above_themselves() -> None:
    """Where all scores are equal none is above the threshold, nor is one alone."""
    assert not flags([2.0, 2.0, 2.0], from_contamination([2.0, 2.0, 2.0])).any()
    assert not flags([2.0], from_contamination([2.0])).any()


def test_quantile() -> None:
    """The threshold is numpy's quantile; at 1 nothing is above."""
    assert from_quantile([1, 2, 3, 4, 5], 0.5) == 3
    assert not flags([1, 2, 3], from_quantile([1, 2, 3], 1)).any()


@pytest.mark.parametrize("seed", range(20))
def test_best_f1_is_the_best_of_all(seed: int) -> None:
    """No threshold has a higher F1, and none as high flags fewer; scores that are equal are flagged together."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation([1] * 7 + [0] * 23)
    scores = np.round(labels * 0.8 + rng.normal(size=30), 1)
    tried = [
        (f1_score(labels, scores > at), -int((scores > at).sum()))
        for at in [scores.min() - 1, *scores[scores < scores.max()]]
    ]

    threshold = best_f1(scores, labels)

    flagged = flags(scores, threshold)
    assert (pytest.approx(f1_score(labels, flagged)), -int(flagged.sum())) == max(tried)


def test_best_f1_lies_halfway() -> None:
    """Between the lowest flagged score and the next, the threshold is in the middle."""
    assert best_f1([0.1, 0.2, 0.6, 0.9], [0, 0, 1, 1]) == pytest.approx(0.4)


def test_best_f1_may_flag_all() -> None:
    """Where flagging everything is best, the threshold is below the lowest score."""
    scores = [0.5, 0.2, 0.2]

    assert flags(scores, best_f1(scores, [0, 1, 1])).all()


def test_best_f1_between_neighbouring_numbers() -> None:
    """Between two scores with no number between them the upper is flagged, the lower not."""
    scores = [1.0, np.nextafter(1.0, 2)]

    assert flags(scores, best_f1(scores, [0, 1])).tolist() == [False, True]


@pytest.mark.parametrize("share", [0, -0.1, 0.7, 1, np.nan])
def test_contamination_out_of_range(share: float) -> None:
    """A share of nothing, or of more than half, is refused."""
    with pytest.raises(DataError, match=r"above 0 and at most 0\.5\. Got"):
        from_contamination([1, 2, 3], share)


@pytest.mark.parametrize("quantile", [-0.1, 1.1, np.nan])
def test_quantile_out_of_range(quantile: float) -> None:
    """A quantile outside of 0 to 1 is refused."""
    with pytest.raises(DataError, match=r"from 0 to 1\. Got"):
        from_quantile([1, 2, 3], quantile)


@pytest.mark.parametrize(
    ("scores", "message"), [([], "at least 1 score"), ([1, np.nan], "nan at 2"), ([[1]], "the shape")]
)
def test_scores_that_are_none(scores: list[float], message: str) -> None:
    """No scores, scores that are not finite, and tables of them are refused."""
    with pytest.raises(DataError, match=message):
        from_contamination(scores)


@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        ([1, 2], [1, 1], "Got 2 odd of 2"),
        ([1, 2], [0, 0], "Got 0 odd of 2"),
        ([], [], "Got 0 odd of 0"),
        ([1, 2, 3], [0, 1], "one label for each of the 3 scores. Got 2"),
        ([1, 2], [1, 2], "1 .odd. and 0 .normal."),
        ([1, 2], ["マアジ", "犬"], "1 .odd. and 0 .normal."),
        ([1, np.inf], [0, 1], "inf at 2"),
    ],
)
def test_items_that_cannot_be_judged(scores: list[float], labels: list[int], message: str) -> None:
    """Items of one kind, labels of another number, and what is no label are refused."""
    with pytest.raises(DataError, match=message):
        best_f1(scores, labels)
