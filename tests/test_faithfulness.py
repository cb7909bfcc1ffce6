"""Faithfulness is 1 for a perfect map, about a half for one by chance, and that of scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from blobs import blobs
from sklearn.manifold import trustworthiness

from meetup2025.analytics import faithfulness as measures
from meetup2025.analytics.faithfulness import faithfulness
from meetup2025.errors import DataError, InvalidVectorError

ROWS = blobs(150, 5).rows


def on_a_circle(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Give vectors in a plane, and a map of them that is perfect: the vectors themselves."""
    angles = np.random.default_rng(5).uniform(0, 2 * np.pi, n)
    rows = np.column_stack([np.cos(angles), np.sin(angles)])
    return rows * 3, rows


def by_chance(n: int) -> np.ndarray:
    """Give places that have nothing to do with the vectors."""
    return np.random.default_rng(6).normal(size=(n, 2))


def test_perfect_map() -> None:
    """A map with the same neighbours has the best measures."""
    rows, places = on_a_circle(100)

    measured = faithfulness(rows, places, 7)

    assert (measured.trustworthiness, measured.continuity, measured.overlap) == (1, 1, 1)
    assert (measured.k, measured.sample) == (7, 100)


def test_map_by_chance() -> None:
    """A map by chance has neighbours from anywhere."""
    measured = faithfulness(ROWS, by_chance(150), 10)

    assert measured.trustworthiness == pytest.approx(0.5, abs=0.05)
    assert measured.continuity == pytest.approx(0.5, abs=0.05)
    assert measured.overlap == pytest.approx(10 / 149, abs=0.03)


@pytest.mark.parametrize("k", [1, 5, 15, 74])
def test_trustworthiness_is_that_of_scikit_learn(k: int) -> None:
    """Trustworthiness is that of scikit-learn; continuity is the same with the spaces exchanged."""
    places = ROWS[:, :3] + 0.01 * np.random.default_rng(5).normal(size=(150, 3))

    measured = faithfulness(ROWS, places, k)

    theirs = trustworthiness(ROWS, places, n_neighbors=k, metric="cosine")
    assert measured.trustworthiness == pytest.approx(theirs, abs=1e-5)  # float32 orders some pairs otherwise
    exchanged = faithfulness(ROWS, places / 1e3 + [[9, 0, 0]], k)
    assert exchanged.continuity == pytest.approx(measured.continuity)


def test_continuity_is_trustworthiness_the_other_way() -> None:
    """Where both spaces are on a circle, exchanging them exchanges the measures."""
    one, other = on_a_circle(90)[1], on_a_circle(90)[1][::-1]

    forth, back = faithfulness(one, other, 6), faithfulness(other, one, 6)

    assert forth.continuity == pytest.approx(back.trustworthiness)
    assert forth.continuity < 0.9


@pytest.mark.parametrize("block", [1, 1 << 22])
def test_sample(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    """A sample of the items is compared with all others, so it tells nearly what all tell, each time the same."""
    monkeypatch.setattr(measures, "_BLOCK", block)
    places = ROWS[:, :2]

    whole, part = faithfulness(ROWS, places, 10), faithfulness(ROWS, places, 10, sample=100)

    assert part.sample == 100
    assert part.trustworthiness == pytest.approx(whole.trustworthiness, abs=0.03)
    assert part.trustworthiness != whole.trustworthiness
    assert part == faithfulness(ROWS, places, 10, sample=100)


@pytest.mark.parametrize(
    ("rows", "places", "k", "sample", "message"),
    [
        (ROWS, by_chance(149), 5, 9, "must have a place on the map. Got 150"),
        (ROWS, by_chance(150)[:, 0], 5, 9, "must have a place on the map"),
        (ROWS, by_chance(150) * np.inf, 5, 9, "finite coordinates"),
        (ROWS, by_chance(150), 0, 9, "below n / 2, 75. Got 0"),
        (ROWS, by_chance(150), 75, 9, "below n / 2, 75. Got 75"),
        (ROWS[:2], by_chance(2), 1, 9, "below n / 2, 1. Got 1"),
        (ROWS[:0], by_chance(0), 1, 9, "below n / 2, 0. Got 1"),
        (ROWS, by_chance(150), 5, 0, "at least 1 item. Got 0"),
    ],
)
def test_refused(rows: np.ndarray, places: np.ndarray, k: int, sample: int, message: str) -> None:
    """What cannot be measured is refused by one message."""
    with pytest.raises(DataError, match=message):
        faithfulness(rows, places, k, sample=sample)


def test_three_items() -> None:
    """Three items are the fewest that have faithful neighbours."""
    assert faithfulness(ROWS[:3], by_chance(3), 1).sample == 3


def test_refused_vectors() -> None:
    """Rows that are no vectors are refused."""
    with pytest.raises(InvalidVectorError):
        faithfulness(np.zeros((9, 3)), by_chance(9), 2)
