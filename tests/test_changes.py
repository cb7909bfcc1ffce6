"""Two maps differ by what moved, not by how they are turned; two groupings agree by an index of scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ortho_group
from sklearn.metrics import adjusted_rand_score

from meetup2025.analytics.changes import agreement, compare
from meetup2025.errors import DataError

PLACES = np.random.default_rng(5).normal(size=(50, 3))

# --- maps


@pytest.mark.parametrize("seed", range(4))
def test_turned_map_is_the_same(seed: int) -> None:
    """A map that is turned, mirrored, shifted and scaled is the same, and is laid upon the first."""
    turned = 7 * PLACES @ ortho_group.rvs(3, random_state=seed) + [1, 2, 3]

    compared = compare(PLACES, turned)

    assert compared.disparity == pytest.approx(0, abs=1e-12)
    assert compared.moves == pytest.approx(0, abs=1e-6)
    assert compared.aligned == pytest.approx(PLACES)


def test_moved_item() -> None:
    """The item that was moved is the one that moved, by about as much as it was, in spreads of the map."""
    moved = PLACES.copy()
    moved[13] += [2, 0, 0]
    spread = np.sqrt(((PLACES - PLACES.mean(axis=0)) ** 2).sum(axis=1).mean())

    compared = compare(PLACES, moved @ ortho_group.rvs(3, random_state=1))

    assert compared.moves.argmax() == 13
    assert compared.moves[13] == pytest.approx(2 / spread, rel=0.1)
    assert np.delete(compared.moves, 13).max() < 0.2
    assert compared.disparity == pytest.approx((compared.moves**2).mean())


def test_unlike_maps() -> None:
    """Maps by chance have nearly nothing in common."""
    assert compare(PLACES, np.random.default_rng(6).normal(size=(50, 3))).disparity > 0.7


def test_two_items() -> None:
    """Two items can always be laid upon each other."""
    assert compare([[0, 0], [1, 0]], [[5, 5], [5, 9]]).moves == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (PLACES, PLACES[:49], "same items and dimensions"),
        (PLACES, PLACES[:, :2], "same items and dimensions"),
        (PLACES[:0], PLACES[:0], "at least 2 items"),
        (PLACES[:1], PLACES[:1], "at least 2 items"),
        (PLACES[0], PLACES[0], "at least 2 items"),
        (PLACES, PLACES * np.nan, "finite coordinates"),
        (PLACES, np.ones((50, 3)), "one place for all"),
    ],
)
def test_refused_maps(first: np.ndarray, second: np.ndarray, message: str) -> None:
    """Maps that cannot be compared are refused by one message."""
    with pytest.raises(DataError, match=message):
        compare(first, second)


# --- groupings


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
