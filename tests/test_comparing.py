"""Two maps of the same items differ by what moved, not by how they are turned."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ortho_group

from meetup2025.analytics.changes import compare
from meetup2025.errors import DataError

PLACES = np.random.default_rng(5).normal(size=(50, 3))


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
def test_refused(first: np.ndarray, second: np.ndarray, message: str) -> None:
    """Maps that cannot be compared are refused by one message."""
    with pytest.raises(DataError, match=message):
        compare(first, second)
