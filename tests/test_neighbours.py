"""The nearest neighbours by the cosine: exact, without the row itself, in a fixed order."""

from __future__ import annotations

import numpy as np
import pytest
from blobs import blobs
from sklearn.neighbors import NearestNeighbors

from meetup2025.analytics import neighbours
from meetup2025.errors import DataError, InvalidVectorError


def drawn(n: int, d: int = 32, seed: int = 5) -> np.ndarray:
    """Draw vectors of several lengths."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) * rng.uniform(0.1, 10, size=(n, 1))


@pytest.mark.parametrize("block", [1, 1000, 1 << 24])
def test_neighbours_are_those_of_scikit_learn(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    """In one block or in many, the neighbours are those that scikit-learn finds by comparing all."""
    monkeypatch.setattr(neighbours, "_BLOCK", block)
    rows = drawn(150)
    distances, indices = NearestNeighbors(metric="cosine", algorithm="brute").fit(rows).kneighbors(n_neighbors=7)

    found = neighbours.nearest(rows, 7)

    assert (found.indices == indices).all()
    assert found.distances == pytest.approx(distances, abs=1e-6)


@pytest.mark.parametrize("known", [1500, 1563, 3000])
def test_neighbours_among_many(known: int) -> None:
    """Among many rows, too, the neighbours are those that scikit-learn finds, wherever they stand."""
    rows = drawn(known + 40)
    reference = NearestNeighbors(n_neighbors=5, metric="cosine", algorithm="brute").fit(rows[40:])

    found = neighbours.nearest_among(rows[:40], rows[40:], 5)

    assert (found.indices == reference.kneighbors(rows[:40])[1]).all()


def test_neighbours_among_others() -> None:
    """New vectors find their neighbours among known ones, each itself where it is known."""
    known = drawn(60)

    found = neighbours.nearest_among(known[10:13], known, 2)

    assert found.indices[:, 0].tolist() == [10, 11, 12]
    assert found.cosines[:, 0] == pytest.approx(1)


def test_neighbours_of_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Candidates in a few directions hold nearly all neighbours; the cosines of those found are exact."""
    monkeypatch.setattr(neighbours, "_PRINCIPAL", 40)
    monkeypatch.setattr(neighbours, "_BLOCK", 5000)
    unit = neighbours.directions(blobs(300, 3).rows)
    exact = neighbours.nearest_others(unit, 10)

    found = neighbours.nearest_of_many(unit, 10)

    same = [len({*one} & {*other}) for one, other in zip(found.indices, exact.indices, strict=True)]
    assert 9 < np.mean(same) < 10
    assert found.cosines == pytest.approx(np.einsum("nd,nkd->nk", unit, unit[found.indices]), abs=1e-6)
    assert (found.indices != np.arange(300)[:, None]).all()


def test_too_few_for_candidates() -> None:
    """Twice as many candidates as neighbours must be there."""
    with pytest.raises(DataError, match=r"from 1 to the number of others, 19\. Got 20"):
        neighbours.nearest_of_many(neighbours.directions(drawn(20)), 10)


def test_cosines_in_any_company() -> None:
    """Cosines that are compared anew are the same for a row alone and among others, to the last bit."""
    unit, base = neighbours.directions(drawn(40)), neighbours.directions(drawn(60, seed=6))
    found = neighbours.nearest_directions(unit, base, 5)

    together = neighbours.compared(unit, base, found)
    alone = neighbours.compared(unit[7:8], base, neighbours.nearest_directions(unit[7:8], base, 5))

    assert (together.cosines[7] == alone.cosines[0]).all()
    assert (together.indices[7] == alone.indices[0]).all()
    assert together.cosines == pytest.approx(found.cosines, abs=1e-6)


def test_equal_vectors_are_neighbours_in_their_order() -> None:
    """Of equal vectors each has the others as neighbours, the lower index first, and itself not."""
    found = neighbours.nearest(np.ones((4, 3)), 3)

    assert found.indices.tolist() == [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]]
    assert found.cosines == pytest.approx(1)


def test_two_rows_are_neighbours() -> None:
    """Two rows are each other's neighbour, also when they point away from each other."""
    found = neighbours.nearest([[1, 0], [-2, 0]], 1)

    assert found.indices.tolist() == [[1], [0]]
    assert found.distances.tolist() == [[2], [2]]


@pytest.mark.parametrize(("n", "k"), [(0, 1), (1, 1), (2, 2), (5, 0), (5, -1)])
def test_too_few_rows(n: int, k: int) -> None:
    """As many neighbours as there are not are refused."""
    with pytest.raises(DataError, match=f"from 1 to the number of others, {max(n - 1, 0)}. Got {k}"):
        neighbours.nearest(drawn(n), k)


def test_no_rows_have_no_neighbours() -> None:
    """Of no new vectors nothing is found."""
    assert neighbours.nearest_among(np.empty((0, 32)), drawn(3), 2).indices.shape == (0, 2)


def test_two_lengths() -> None:
    """Vectors of two lengths are refused."""
    with pytest.raises(DataError, match=r"must have one length\. Got 8 and 32"):
        neighbours.nearest_among(drawn(3, 8), drawn(3, 32), 1)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0])
def test_no_vectors(bad: float) -> None:
    """Rows that are no vectors are refused."""
    rows = drawn(5)
    rows[2] = bad

    with pytest.raises(InvalidVectorError):
        neighbours.nearest(rows, 2)
