"""How two groupings agree: scikit-learn's index, and where each item went."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from meetup2025.analytics.changes import agreement
from meetup2025.errors import DataError


def test_the_same_groups_under_other_labels() -> None:
    """Labels do not matter, only who is with whom."""
    found = agreement([0, 0, 1, 1, 2], ["c", "c", "a", "a", "b"])

    assert found.adjusted_rand == 1
    assert found.before.tolist() == [0, 1, 2]
    assert found.after.tolist() == ["a", "b", "c"]
    assert found.counts.tolist() == [[0, 0, 2], [2, 0, 0], [0, 1, 0]]


def test_index_is_that_of_scikit_learn() -> None:
    """For groups that share some items the index is scikit-learn's, and the counts add up."""
    rng = np.random.default_rng(5)
    one = rng.integers(0, 4, 300)
    other = np.where(rng.random(300) < 0.6, one, rng.integers(0, 7, 300))

    found = agreement(one, other)

    assert found.adjusted_rand == pytest.approx(adjusted_rand_score(one, other))
    assert found.counts.sum(axis=1).tolist() == np.bincount(one).tolist()
    assert found.counts.sum(axis=0).tolist() == np.bincount(other).tolist()
    assert found.counts[2, 5] == ((one == 2) & (other == 5)).sum()


def test_groups_by_chance() -> None:
    """Groups that have nothing to do with one another agree about 0."""
    one, other = np.random.default_rng(5).integers(0, 5, (2, 2000))

    assert agreement(one, other).adjusted_rand == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize(("one", "other"), [([7], ["x"]), ([1, 2], [2, 1]), ([3, 3], [4, 4])])
def test_smallest_groupings(one: list[int], other: list[int]) -> None:
    """One item agrees with itself, and so do two that are alone or together in both."""
    assert agreement(one, other).adjusted_rand == 1


@pytest.mark.parametrize(("one", "other"), [([], []), ([1], [1, 2]), ([[1]], [[1]])])
def test_groupings_of_other_items(one: list[int], other: list[int]) -> None:
    """No items, and groupings of two numbers of items, are refused."""
    with pytest.raises(DataError, match="the same items, at least 1"):
        agreement(one, other)
