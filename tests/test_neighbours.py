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


@pytest.mark.parametrize("block", [700, 1 << 24])
def test_neighbours_of_many(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    """Of rows in groups few are compared, and nearly all neighbours are found; the cosines of those found are exact."""
    monkeypatch.setattr(neighbours, "_BLOCK", block)
    monkeypatch.setattr(neighbours, "nearest_others", None)
    unit = neighbours.directions(blobs(2000, 40).rows)
    exact = neighbours.nearest_among(unit, unit, 11).indices[:, 1:]

    found = neighbours.nearest_of_many(unit, 10)

    same = [len({*one} & {*other}) for one, other in zip(found.indices, exact, strict=True)]
    assert np.mean(same) > 9.8
    assert found.cosines == pytest.approx(np.einsum("nd,nkd->nk", unit, unit[found.indices]), abs=1e-6)
    assert (found.indices != np.arange(2000)[:, None]).all()
    assert (np.diff(found.cosines, axis=1) <= 0).all()


def test_rows_without_groups_are_all_compared() -> None:
    """Where the neighbours of a row are anywhere, all rows are compared, and none is missed."""
    unit = neighbours.directions(drawn(600, 64))

    assert (neighbours.nearest_of_many(unit, 10).indices == neighbours.nearest_others(unit, 10).indices).all()


@pytest.mark.parametrize("n", [2, 3, 11])
def test_few_of_many(n: int) -> None:
    """Few rows, fewer than lists could hold, have all others as neighbours; equal ones too."""
    unit = neighbours.directions(np.vstack([drawn(n - 1), drawn(1)]))
    equal = neighbours.directions(np.ones((n, 3)))

    for rows in (unit, equal):
        found = neighbours.nearest_of_many(rows, n - 1)
        assert [{*row} for row in found.indices.tolist()] == [{*range(n)} - {place} for place in range(n)]


def test_too_many_neighbours() -> None:
    """There must be as many others as neighbours are wanted."""
    with pytest.raises(DataError, match=r"from 1 to the number of others, 19\. Got 20"):
        neighbours.nearest_of_many(neighbours.directions(drawn(20)), 20)


# --- the lists of many ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 50, 2000])
def test_each_row_is_in_one_list(n: int) -> None:
    """The lists share out all rows, each in the list that its label says; each list is the nearest to itself."""
    file = neighbours.build(neighbours.directions(blobs(n, min(n, 40)).rows))

    assert np.sort(np.concatenate(file.members)).tolist() == list(range(n))
    assert all((file.labels[own] == number).all() for number, own in enumerate(file.members))
    assert (file.nearest[:, 0] == np.arange(len(file.members))).all()
    assert (np.take_along_axis(file.ranks, file.nearest, axis=1) == np.arange(len(file.members))).all()


def test_candidates_are_enough() -> None:
    """Candidates are the rows of as many lists as are wanted, and of more where these have too few rows."""
    file = neighbours.build(neighbours.directions(blobs(2000, 40).rows))
    own, two = file.candidates(3, 1, 1), file.candidates(3, 2, 1)

    assert own.tolist() == file.members[3].tolist()
    assert two.tolist() == [*own, *file.members[file.nearest[3, 1]]]
    assert len(file.candidates(3, 1, 1500)) >= 1500
    assert len(file.candidates(3, 1, 2000)) == 2000


def test_share_counts_pairs() -> None:
    """All lists are all pairs; one list is the pairs within the lists."""
    file = neighbours.build(neighbours.directions(blobs(2000, 40).rows))

    assert file.share(len(file.members)) == pytest.approx(1)
    assert file.share(1) == pytest.approx(sum(len(own) ** 2 for own in file.members) / 2000**2)


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
