"""How good an answer is: scikit-learn's numbers, with intervals that hold what they promise."""

from __future__ import annotations

import time

import numpy as np
import pytest
from sklearn import metrics

from meetup2025.analytics import evaluation
from meetup2025.analytics.evaluation import areas, evaluate, split
from meetup2025.errors import DataError

MEASURES = ("f1", "precision", "recall", "roc_auc", "pr_auc")


def drawn(n: int, odd: int, seed: int = 5, shift: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    """Draw scores with ties, and labels; the odd ones are higher."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) < odd)
    return np.round(rng.normal(size=n) + shift * labels, 2), labels


@pytest.mark.parametrize(("n", "odd"), [(2, 1), (10, 3), (500, 60)])
@pytest.mark.parametrize("threshold", [-10.0, 0.7, 10.0])
def test_measures_are_those_of_scikit_learn(n: int, odd: int, threshold: float) -> None:
    """Whether all, some or no items are flagged, the measures are those of scikit-learn."""
    scores, labels = drawn(n, odd)
    flagged = scores > threshold

    found = evaluate(scores, labels, threshold, resamples=20)

    assert found.f1.value == pytest.approx(metrics.f1_score(labels, flagged, zero_division=0))
    assert found.precision.value == pytest.approx(metrics.precision_score(labels, flagged, zero_division=0))
    assert found.recall.value == pytest.approx(metrics.recall_score(labels, flagged))
    assert found.roc_auc.value == pytest.approx(metrics.roc_auc_score(labels, scores))
    assert found.pr_auc.value == pytest.approx(metrics.average_precision_score(labels, scores))
    counts = [found.true_negatives, found.false_positives, found.false_negatives, found.true_positives]
    assert counts == metrics.confusion_matrix(labels, flagged, labels=[False, True]).ravel().tolist()


def test_areas_are_those_of_an_evaluation() -> None:
    """The areas alone are the same numbers."""
    found = evaluate(*drawn(200, 30), 0.5, resamples=1)

    assert areas(*drawn(200, 30)) == (found.roc_auc.value, found.pr_auc.value)


@pytest.mark.slow
def test_intervals_are_those_of_resamples_drawn_one_by_one() -> None:
    """The intervals are near those of resamples that are drawn, kind by kind, and measured by scikit-learn."""
    scores, labels = drawn(300, 40)
    rng, kinds = np.random.default_rng(8), (np.flatnonzero(labels), np.flatnonzero(~labels))
    resamples = [np.concatenate([rng.choice(kind, len(kind)) for kind in kinds]) for _ in range(500)]
    by_hand = {
        "f1": [metrics.f1_score(labels[at], scores[at] > 0.9) for at in resamples],
        "roc_auc": [metrics.roc_auc_score(labels[at], scores[at]) for at in resamples],
        "pr_auc": [metrics.average_precision_score(labels[at], scores[at]) for at in resamples],
    }

    found = evaluate(scores, labels, 0.9)

    for name, values in by_hand.items():
        estimate = getattr(found, name)
        assert (estimate.low, estimate.high) == pytest.approx(tuple(np.quantile(values, [0.025, 0.975])), abs=0.015)


def test_intervals_hold_the_truth() -> None:
    """Of 100 samples, at least 88 intervals hold the ROC AUC that the distribution has."""
    truth = 0.8556  # of two normal distributions that are 1.5 apart
    found = [evaluate(*drawn(200, 40, seed), 0.7, resamples=200).roc_auc for seed in range(100)]

    assert sum(each.low <= truth <= each.high for each in found) >= 88


def test_more_items_are_surer() -> None:
    """Each interval holds its value, and is narrower for more items."""
    few, many = evaluate(*drawn(60, 20), 0.7), evaluate(*drawn(6000, 2000), 0.7)

    for name in MEASURES:
        wide, narrow = getattr(few, name), getattr(many, name)
        assert narrow.low <= narrow.value <= narrow.high
        assert narrow.high - narrow.low < (wide.high - wide.low) / 2


def test_resamples_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn one by one, the resamples give about the same intervals."""
    whole = evaluate(*drawn(200, 30), 0.7)
    monkeypatch.setattr(evaluation, "_BLOCK", 1)

    found = evaluate(*drawn(200, 30), 0.7)

    assert found.roc_auc == pytest.approx(whole.roc_auc, abs=0.02)


def test_the_same_each_time() -> None:
    """The same items and seed give the same intervals, another seed others."""
    scores, labels = drawn(100, 20)

    assert evaluate(scores, labels, 0.7).f1 == evaluate(scores, labels, 0.7).f1
    assert evaluate(scores, labels, 0.7).f1 != evaluate(scores, labels, 0.7, seed=6).f1


def test_a_thousand_resamples_of_5000_items_are_fast() -> None:
    """They take less than three seconds of processor."""
    scores, labels = drawn(5000, 500)
    start = time.process_time()

    evaluate(scores, labels, 0.7)

    assert time.process_time() - start < 3


def test_curves_are_for_drawing() -> None:
    """The curves run from corner to corner, and their areas are those that are given."""
    found = evaluate(*drawn(400, 50), 0.7, resamples=1)

    assert found.roc[0].tolist() == [0, 0]
    assert found.roc[-1].tolist() == [1, 1]
    assert metrics.auc(*found.roc.T) == pytest.approx(found.roc_auc.value)
    assert (found.pr[0, 0], found.pr[-1].tolist()) == (1, [0, 1])
    assert -np.sum(np.diff(found.pr[:, 0]) * found.pr[:-1, 1]) == pytest.approx(found.pr_auc.value, abs=0.02)


@pytest.mark.parametrize(("n", "odd", "share"), [(4, 2, 0.5), (100, 9, 0.5), (100, 3, 0.01), (50, 48, 0.9)])
def test_split(n: int, odd: int, share: float) -> None:
    """Both parts have both kinds, each item is in one part, and the shares are as near as whole items can be."""
    labels = drawn(n, odd)[1]

    found = split(labels, share=share, seed=3)

    assert sorted([*found.validation, *found.test]) == list(range(n))
    for part in (found.validation, found.test):
        assert 0 < labels[part].sum() < len(part)
    assert abs(len(found.validation) - share * n) <= 1.5
    assert (split(labels, share=share, seed=3).test == found.test).all()


def test_split_by_another_seed() -> None:
    """Another seed splits otherwise."""
    labels = drawn(100, 9)[1]

    assert split(labels, seed=3).test.tolist() != split(labels, seed=4).test.tolist()


@pytest.mark.parametrize(("n", "odd"), [(0, 0), (2, 1), (9, 1), (9, 8), (9, 0)])
def test_split_of_too_few(n: int, odd: int) -> None:
    """One item of a kind cannot be in both parts."""
    with pytest.raises(DataError, match=rf"2 odd and 2 normal ones\. Got {odd} odd of {n}"):
        split(np.arange(n) < odd)


@pytest.mark.parametrize("share", [0, 1, -1, 2])
def test_split_out_of_range(share: float) -> None:
    """A part of nothing, or of all, is refused."""
    with pytest.raises(DataError, match="above 0 and below 1"):
        split([0, 0, 1, 1], share=share)


@pytest.mark.parametrize(
    ("scores", "labels", "resamples", "message"),
    [
        ([1, 2, 3], [1, 1, 1], 10, "Got 3 odd of 3"),
        ([1, 2, 3], [0, 0, 0], 10, "Got 0 odd of 3"),
        ([], [], 10, "Got 0 odd of 0"),
        ([1, 2], [0, 1, 1], 10, "2 scores. Got 3"),
        ([1, np.nan], [0, 1], 10, "nan at 2"),
        ([1, 2], [0, 1], 0, "resamples must be at least 1. Got 0"),
    ],
)
def test_what_cannot_be_measured(scores: list[float], labels: list[int], resamples: int, message: str) -> None:
    """Items of one kind, of two numbers or without a score, and no resamples, are refused."""
    with pytest.raises(DataError, match=message):
        evaluate(scores, labels, 0.5, resamples=resamples)
