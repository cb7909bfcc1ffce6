"""Maps keep neighbours together, are the same each time, and tell what is near a place."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pytest
from blobs import blobs

from meetup2025.analytics import maps, neighbours
from meetup2025.analytics.faithfulness import faithfulness
from meetup2025.errors import DataError, InvalidVectorError

if TYPE_CHECKING:
    from meetup2025.analytics.layout import Map


@pytest.fixture(scope="module")
def planted() -> Map:
    """Map of 120 vectors around 6 centres."""
    return maps.fit_map(blobs(120, 6).rows)


def purity(embedding: np.ndarray, groups: np.ndarray, k: int = 5) -> float:
    """Share of the *k* neighbours on the map that are of the own group."""
    distances = np.linalg.norm(embedding[:, None] - embedding, axis=2)
    np.fill_diagonal(distances, np.inf)
    return float((groups[np.argsort(distances)[:, :k]] == groups[:, None]).mean())


def test_groups_stay_together(planted: Map) -> None:
    """Vectors around one centre are neighbours on the map; by chance 19 of 119 would be."""
    assert purity(planted.embedding, blobs(120, 6).groups) == 1


def test_map_is_that_of_umap_learn(planted: Map) -> None:
    """The neighbourhoods are those that umap-learn finds, and the map is as faithful, though it starts elsewhere."""
    from umap import UMAP

    with pytest.warns(UserWarning, match="n_jobs"):
        theirs = UMAP(n_components=3, min_dist=0.2, metric="cosine", random_state=5).fit(blobs(120, 6).rows)

    assert planted.sigmas == pytest.approx(theirs._sigmas, abs=1e-5)
    assert planted.rhos == pytest.approx(theirs._rhos, abs=1e-5)
    assert (planted.a, planted.b) == (theirs._a, theirs._b)
    ours, other = (faithfulness(planted.directions, each) for each in (planted.embedding, theirs.embedding_))
    assert ours.trustworthiness > other.trustworthiness - 0.02
    assert ours.continuity > other.continuity - 0.02


def test_progress_is_for_a_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    """Where there is no terminal, the progress is not shown."""
    maps.fit_map(blobs(20, 2).rows, progress=True)

    assert capfd.readouterr() == ("", "")


def test_numbers_of_numpy(planted: Map) -> None:
    """Parameters may be numbers of numpy; what is kept are numbers of Python."""
    again = maps.fit_map(blobs(120, 6).rows, neighbours=np.int64(15), min_dist=np.float64(0.2), seed=np.int64(5))

    assert (again.embedding == planted.embedding).all()
    assert [type(each) for each in (again.neighbours, again.min_dist, again.seed)] == [int, float, int]


def test_same_seed_same_map(planted: Map) -> None:
    """The same rows, parameters and seed give the same map, another seed another."""
    again = maps.fit_map(blobs(120, 6).rows.copy())
    other = maps.fit_map(blobs(120, 6).rows, seed=6)

    assert (again.embedding == planted.embedding).all()
    assert not (other.embedding == planted.embedding).all()


def test_scale_does_not_count(planted: Map) -> None:
    """Only the directions of the vectors count, and their type does not."""
    scaled = maps.fit_map(blobs(120, 6).rows.astype(np.float64) * 4)

    assert (scaled.embedding == planted.embedding).all()


def test_nothing_but_plain_fields(planted: Map) -> None:
    """A map is arrays, numbers and a word, so that it can be stored without a pickle."""
    for value in vars(planted).values():
        assert type(value) in {int, float, str} or (isinstance(value, np.ndarray) and value.dtype == np.float32)
    assert dataclasses.replace(planted, seed=1).seed == 1


def test_labels_pull_together() -> None:
    """Labels part vectors that are alike; those without a label stay where they are like."""
    rows, of, _ = blobs(120, 1, noise=0.5)
    halves = np.arange(120) % 2
    labels = ["odd" if half else "even" for half in halves]

    by_labels = maps.fit_map(rows, labels=labels)
    some = maps.fit_map(rows, labels=[label if place < 60 else None for place, label in enumerate(labels)])

    assert (of == 0).all()
    assert purity(maps.fit_map(rows).embedding, halves) < 0.65
    assert purity(by_labels.embedding, halves) > 0.9
    assert purity(some.embedding[:60], halves[:60]) > 0.9


def test_no_labels_at_all() -> None:
    """Empty labels are none."""
    rows = blobs(60, 3).rows

    assert np.isfinite(maps.fit_map(rows, labels=[""] * 60).embedding).all()


def test_many_labels() -> None:
    """As many labels as pairs of vectors do not slow the map down."""
    rows, of, _ = blobs(1000, 500)

    fitted = maps.fit_map(rows, labels=[f"fish {group}" for group in of])

    assert purity(fitted.embedding, of, k=1) > 0.9


@pytest.mark.parametrize("dimensions", [1, 2, 3])
@pytest.mark.parametrize("n", [2, 3, 4, 9, 14, 15, 16])
def test_few_items(n: int, dimensions: int) -> None:
    """A map of fewer items than a neighbourhood has takes all of them, down to two."""
    fitted = maps.fit_map(blobs(n, 2).rows, dimensions=dimensions)

    assert fitted.embedding.shape == (n, dimensions)
    assert fitted.neighbours == min(n, 15)
    assert np.isfinite(fitted.embedding).all()


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_items(n: int) -> None:
    """Fewer than two items have no map."""
    with pytest.raises(DataError, match=f"at least 2 vectors. Got {n}"):
        maps.fit_map(np.ones((n, 4)))


@pytest.mark.parametrize("n", [2, 30])
def test_equal_items(n: int) -> None:
    """Items that are all the same get places, and none is NaN."""
    assert np.isfinite(maps.fit_map(np.ones((n, 4))).embedding).all()


def test_fewer_numbers_than_dimensions() -> None:
    """Vectors of two numbers can be laid out in three dimensions."""
    rows = np.random.default_rng(5).normal(size=(40, 2))

    assert np.isfinite(maps.fit_map(rows).embedding).all()


def test_map_of_many_keeps_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are so many items that not all are compared, groups stay together as well."""
    monkeypatch.setattr(neighbours, "ALL_COMPARED", 1)
    rows, of, _ = blobs(240, 6, d=200)

    assert purity(maps.fit_map(rows).embedding, of) == 1


def test_groups_that_hardly_touch() -> None:
    """Many small groups far apart, whose graph has no eigenvectors to start from, are laid out as others are."""
    rows, of, _ = blobs(600, 150, noise=0.05)

    assert purity(maps.fit_map(rows, neighbours=4).embedding, of, k=3) > 0.95


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dimensions": 0}, "from 1 to 50 dimensions. Got 0"),
        ({"dimensions": 51}, "from 1 to 50 dimensions. Got 51"),
        ({"neighbours": 1}, "at least 2 members. Got 1"),
        ({"min_dist": -0.1}, "from 0 to 1. Got -0.1"),
        ({"min_dist": float("nan")}, "from 0 to 1. Got nan"),
        ({"seed": -1}, "Got -1"),
        ({"labels": ["a"]}, "Got 1 labels for 20 vectors"),
    ],
)
def test_refused_arguments(arguments: dict, message: str) -> None:
    """Each argument that makes no map is refused by one message."""
    with pytest.raises(DataError, match=message):
        maps.fit_map(blobs(20, 2).rows, **arguments)


def test_refused_vectors() -> None:
    """Rows that are no vectors are refused."""
    with pytest.raises(InvalidVectorError):
        maps.fit_map(np.zeros((20, 4)))


def test_nearest_on_map(planted: Map) -> None:
    """The item under a click comes first, and those of its group follow."""
    found = maps.nearest_on_map(planted, planted.embedding[13] + 1e-4, 20)

    assert found.indices[0] == 13
    assert found.distances[0] < 1e-3
    assert (np.diff(found.distances) >= 0).all()
    assert (blobs(120, 6).groups[found.indices] == 13 % 6).all()


@pytest.mark.parametrize("k", [0, 121])
def test_nearest_on_map_of_no_number(planted: Map, k: int) -> None:
    """As many items as there are not are refused."""
    with pytest.raises(DataError, match=f"from 1 to 120. Got {k}"):
        maps.nearest_on_map(planted, [0, 0, 0], k)


@pytest.mark.parametrize(
    ("point", "message"),
    [
        ([0, 0], "must have 3 coordinates"),
        ([0, 0, 0, 0], "must have 3 coordinates"),
        ([[0, 0, 0]], "must have 3 coordinates"),
        (5, "must have 3 coordinates"),
        ([0, float("nan"), 0], "finite coordinates. Got nan"),
        ([0, float("inf"), 0], "finite coordinates. Got inf"),
        (["a", "b", "c"], "must be 3 numbers"),
        ([[0], [0, 1], 0], "must be 3 numbers"),
    ],
)
def test_no_point(planted: Map, point: object, message: str) -> None:
    """What is no place on the map is refused."""
    with pytest.raises(DataError, match=message):
        maps.nearest_on_map(planted, point, 1)
