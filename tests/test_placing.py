"""New vectors come to lie on a map where umap-learn would place them, whatever else is placed."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from blobs import blobs

from meetup2025.analytics import maps, placing
from meetup2025.analytics.layout import Map
from meetup2025.errors import DataError, InvalidVectorError

PLANTED = blobs(240, 6)
"""Of these the first 180 are on the map, the others are new."""


@pytest.fixture(scope="module")
def fitted() -> Map:
    """Map of the first 180 vectors."""
    return maps.fit_map(PLANTED.rows[:180])


@pytest.fixture(scope="module")
def theirs(fitted: Map) -> Any:
    """A UMAP object of umap-learn with the places of our map."""
    from umap import UMAP

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it has one job, since it has a seed
        made = UMAP(n_components=3, min_dist=0.2, metric="cosine", random_state=5).fit(PLANTED.rows[:180])
    made.embedding_ = fitted.embedding.copy()
    return made


def test_new_vectors_land_in_their_group(fitted: Map) -> None:
    """The item that is nearest to a new vector on the map is of its group."""
    places = placing.place(fitted, PLANTED.rows[180:])

    nearest = [maps.nearest_on_map(fitted, place, 1).indices[0] for place in places]

    assert (PLANTED.groups[nearest] == PLANTED.groups[180:]).all()


def test_places_are_those_of_umap_learn(fitted: Map, theirs: Any) -> None:
    """New vectors lie where umap-learn's transform puts each alone, as near as its random numbers allow."""
    places = placing.place(fitted, PLANTED.rows[180:200])

    expected = np.vstack([theirs.transform(row[None]) for row in PLANTED.rows[180:200]])

    spread = np.linalg.norm(fitted.embedding - fitted.embedding.mean(axis=0), axis=1).mean()
    assert np.median(np.linalg.norm(places - expected, axis=1)) < 0.05 * spread


def test_company_does_not_matter(fitted: Map) -> None:
    """A vector comes to lie at the same place alone and among others."""
    together = placing.place(fitted, PLANTED.rows[180:200])

    assert (placing.place(fitted, PLANTED.rows[190:191]) == together[10]).all()


def test_known_vectors_stay_near(fitted: Map) -> None:
    """A vector that is on the map is placed nearer to its own place than to most others of its group."""
    places = placing.place(fitted, PLANTED.rows[:60])

    ranks = [list(maps.nearest_on_map(fitted, place, 180).indices).index(item) for item, place in enumerate(places)]

    assert np.median(ranks) <= 3


def test_the_map_does_not_change(fitted: Map) -> None:
    """Placing moves no item, also where the arrays cannot be written."""
    before = fitted.embedding.copy()
    read_only = Map(**{name: _frozen(value) for name, value in vars(fitted).items()})

    assert (placing.place(read_only, PLANTED.rows[180:]) == placing.place(fitted, PLANTED.rows[180:])).all()
    assert (fitted.embedding == before).all()


def _frozen(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        value = value.copy()
        value.setflags(write=False)
    return value


@pytest.mark.parametrize("n", [2, 3, 20])
def test_equal_items(n: int) -> None:
    """A vector that all items are equal to has a place, as has another."""
    fitted = maps.fit_map(np.ones((n, 4)))

    assert np.isfinite(placing.place(fitted, [[2, 2, 2, 2], [1, 0, 0, 0], [-1, -1, -1, -1]])).all()


def test_no_vectors(fitted: Map) -> None:
    """No vectors have no places."""
    assert placing.place(fitted, np.empty((0, 64))).shape == (0, 3)


def test_another_length(fitted: Map) -> None:
    """Vectors of another length are refused."""
    with pytest.raises(DataError, match=r"must have one length\. Got 8 and 64"):
        placing.place(fitted, np.ones((1, 8)))


def test_refused_vectors(fitted: Map) -> None:
    """Rows that are no vectors are refused."""
    with pytest.raises(InvalidVectorError):
        placing.place(fitted, np.full((1, 64), np.nan))
