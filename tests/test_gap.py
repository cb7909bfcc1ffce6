"""The gap between two kinds of vectors is measured, and taken away."""

from __future__ import annotations

import numpy as np
import pytest
from blobs import blobs, unit

from meetup2025.analytics.gap import gap, without_gap
from meetup2025.errors import DataError, InvalidVectorError

SAME = blobs(200, 10, noise=0.6)


def kinds() -> tuple[np.ndarray, np.ndarray]:
    """Give two sets around the same centres, the second moved in one direction."""
    moved = np.zeros(64)
    moved[0] = 1.5
    return SAME.rows[:100], unit(SAME.rows[100:] + moved)


def test_no_gap() -> None:
    """Two sets of one kind have nearly one centroid, and cannot be told apart."""
    measured = gap(SAME.rows[:100], SAME.rows[100:])

    assert measured.distance < 0.1
    assert measured.cosine > 0.98
    assert 0.5 <= measured.separability < 0.6


def test_planted_gap() -> None:
    """Two kinds have centroids far apart, and are told apart without an error."""
    measured = gap(*kinds())

    assert measured.distance > 0.8
    assert measured.cosine < 0.5
    assert measured.separability == 1


def test_known_gap() -> None:
    """Two sets of one vector each are at its distance, whatever their lengths."""
    measured = gap([[1, 0], [3, 0]], [[0, 2], [0, 1]])

    assert measured.distance == pytest.approx(np.sqrt(2))
    assert (measured.cosine, measured.separability) == (0, 1)


def test_gap_has_no_order() -> None:
    """The gap from here to there is that from there to here."""
    one, other = gap(*kinds()), gap(*kinds()[::-1])

    assert vars(one) == pytest.approx(vars(other))


def test_few_vectors_are_not_told_apart_by_luck() -> None:
    """A few vectors of many numbers can be parted by some direction; one learnt on others does not part them."""
    areas = [gap(rows[:10], rows[10:]).separability for rows in np.random.default_rng(5).normal(size=(20, 20, 512))]

    assert np.mean(areas) < 0.62


def test_gap_taken_away() -> None:
    """Without the gap the kinds have one centroid and cannot be told apart; what they are of is found better."""
    first, second = kinds()

    one, other = without_gap(first, second)

    before, after = gap(first, second), gap(one, other)
    assert after.distance < 0.05 < before.distance
    assert after.separability < 0.6 < before.separability
    assert np.linalg.norm(np.vstack([one, other]), axis=1) == pytest.approx(1)
    assert of_one_group(one, other) > 0.95
    assert across(one, other) > 5 * across(first, second)


def of_one_group(first: np.ndarray, second: np.ndarray) -> float:
    """Share of the first set whose nearest of the second is around the same centre."""
    return float((SAME.groups[100:][(first @ second.T).argmax(axis=1)] == SAME.groups[:100]).mean())


def across(first: np.ndarray, second: np.ndarray) -> float:
    """Share of the first set, in both, whose nearest is of the second: on a map the kinds are mixed."""
    both = np.vstack([first, second])
    cosines = both @ both.T
    np.fill_diagonal(cosines, -1)
    return float((cosines[:100].argmax(axis=1) >= 100).mean()) + 0.01


def test_centroid_that_vanishes() -> None:
    """Opposite vectors have no centroid to compare; the cosine is 0 and not NaN."""
    measured = gap([[1, 0], [-1, 0]], [[0, 1], [0, 1]])

    assert (measured.cosine, measured.distance) == (0, 1)


@pytest.mark.parametrize("measure", [gap, without_gap])
@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (np.ones((1, 4)), np.ones((2, 4)), "at least 2 vectors"),
        (np.ones((2, 4)), np.ones((0, 4)), "at least 2 vectors"),
        (np.ones(4), np.ones((2, 4)), "at least 2 vectors"),
        (np.ones((2, 4)), np.ones((2, 3)), "must have one length. Got 4 and 3"),
    ],
)
def test_refused(measure: object, first: np.ndarray, second: np.ndarray, message: str) -> None:
    """Sets that have no gap are refused by one message."""
    assert callable(measure)
    with pytest.raises(DataError, match=message):
        measure(first, second)


def test_vector_that_vanishes() -> None:
    """A vector that has no direction without the gap is one clear error."""
    with pytest.raises(DataError, match="Got one that vanishes"):
        without_gap([[1, 0], [1, 0]], [[-1, 0], [-1, 0]])


def test_refused_vectors() -> None:
    """Rows that are no vectors are refused."""
    with pytest.raises(InvalidVectorError):
        gap(np.zeros((2, 4)), np.ones((2, 4)))
