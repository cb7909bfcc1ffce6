"""Maps by the Euclidean distance: what the lengths of vectors tell apart stays apart, forth and back."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import pytest
from blobs import blobs
from sklearn.manifold import trustworthiness

from meetup2025.analytics import fitted as models, inverse, maps, placing, spaces
from meetup2025.analytics.faithfulness import faithfulness
from meetup2025.analytics.layout import Map
from meetup2025.errors import DataError

PLANTED = blobs(150, 2)
LENGTHS = np.where(np.arange(150) % 4 < 2, 1.0, 8.0)[:, None]
"""Two lengths, which have nothing to do with the two directions."""

ROWS = (PLANTED.rows * LENGTHS).astype(np.float32)
GROUPS = PLANTED.groups + 2 * (LENGTHS[:, 0] > 1)


@pytest.fixture(scope="module")
def fitted() -> Map:
    """Euclidean map of the first 120 vectors."""
    return maps.fit_map(ROWS[:120], dimensions=2, neighbours=10, metric="euclidean")


def purity(places: np.ndarray) -> float:
    """Share of the nearest on the map that are of the own direction and length."""
    distances = np.linalg.norm(places[:, None] - places, axis=2)
    np.fill_diagonal(distances, np.inf)
    return float((GROUPS[distances.argmin(axis=1)] == GROUPS[: len(places)]).mean())


def test_lengths_count(fitted: Map) -> None:
    """A Euclidean map keeps vectors of one direction and two lengths apart. A map by the cosine mixes them."""
    by_cosine = maps.fit_map(ROWS[:120], dimensions=2, neighbours=10)

    assert purity(fitted.embedding) == 1
    assert purity(by_cosine.embedding) < 0.8


def test_map_is_that_of_umap_learn(fitted: Map) -> None:
    """Neighbourhoods, new places and the inverse transform are those of umap-learn with the Euclidean distance."""
    from umap import UMAP

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it has one job, since it has a seed
        theirs = UMAP(n_neighbors=10, min_dist=0.2, metric="euclidean", random_state=5).fit(ROWS[:120])
    assert fitted.sigmas == pytest.approx(theirs._sigmas, rel=1e-3, abs=1e-4)
    assert fitted.rhos == pytest.approx(theirs._rhos, rel=1e-4)
    theirs.embedding_, theirs._sigmas, theirs._rhos = fitted.embedding.copy(), fitted.sigmas, fitted.rhos

    places = placing.place(fitted, ROWS[120:126])
    expected = np.vstack([theirs.transform(row[None]) for row in ROWS[120:126]])
    assert np.median(np.linalg.norm(places - expected, axis=1)) < 0.1 * np.ptp(fitted.embedding, axis=0).max()

    at = fitted.embedding[:2] * 0.9 + fitted.embedding.mean(axis=0) * 0.1
    back = inverse.inverse(fitted, at, method="inverse_transform")
    assert back == pytest.approx(theirs.inverse_transform(at), abs=0.05)


def test_place_leads_back_to_direction_and_length(fitted: Map) -> None:
    """The vector at the place of an item is the item, with its length."""
    back = inverse.inverse(fitted, fitted.embedding[:4])

    assert back == pytest.approx(ROWS[:4], abs=1e-3)
    assert inverse.round_trip(fitted, ROWS[120:]).mean > 0.7


def test_new_vectors_land_in_their_group(fitted: Map) -> None:
    """The item nearest to a new vector on the map has its direction and its length. No vectors have no places."""
    places = placing.place(fitted, ROWS[120:])

    nearest = [maps.nearest_on_map(fitted, place, 1).indices[0] for place in places]
    assert (GROUPS[nearest] == GROUPS[120:]).all()
    assert placing.place(fitted, np.empty((0, 64))).shape == (0, 2)


def test_faithfulness_is_by_the_metric(fitted: Map) -> None:
    """Trustworthiness is that of scikit-learn with the Euclidean distance."""
    theirs = trustworthiness(ROWS[:120], fitted.embedding, n_neighbors=10, metric="euclidean")

    ours = faithfulness(ROWS[:120], fitted.embedding, 10, metric="euclidean")

    assert ours.trustworthiness == pytest.approx(theirs, abs=1e-4)


@pytest.mark.parametrize("n", [2, 3])
def test_few_and_equal_vectors(n: int) -> None:
    """Two vectors, and vectors that are all the same, have places that are numbers."""
    for rows in (ROWS[:n], ROWS[[0] * n]):
        assert np.isfinite(maps.fit_map(rows, metric="euclidean").embedding).all()


def test_map_of_an_older_version(fitted: Map) -> None:
    """The metric is stored with the map. A stored map without one is by the cosine."""
    known = {name: value for name, value in vars(fitted).items() if name != "metric"}
    older = dataclasses.make_dataclass("Map", known)(**known)

    assert models.unpack(models.pack(fitted), Map).metric == "euclidean"
    assert models.unpack(models.pack(older), Map).metric == "cosine"


def test_refused() -> None:
    """Another metric, and vectors of another length, are refused."""
    with pytest.raises(DataError, match=r"cosine or euclidean\. Got 'manhattan'"):
        spaces.check_metric("manhattan")
    with pytest.raises(DataError, match=r"one length\. Got 3 and 64"):
        spaces.among(np.ones((1, 3), np.float32), ROWS, 1, "euclidean")
