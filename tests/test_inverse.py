"""The way back from a map gives vectors like those that lie there."""

from __future__ import annotations

import dataclasses
import warnings
from typing import TYPE_CHECKING

import numpy as np
import pytest
from blobs import blobs, unit

from meetup2025.analytics import inverse, maps, placing, umap_library
from meetup2025.errors import DataError, InvalidVectorError

if TYPE_CHECKING:
    from typing import NoReturn

    from meetup2025.analytics.layout import Map

PLANTED = blobs(240, 6)
"""Of these the first 180 are on the map, the others are new."""

METHODS = ("neighbours", "inverse_transform")


@pytest.fixture(scope="module")
def fitted() -> Map:
    """Map of the first 180 vectors."""
    return maps.fit_map(PLANTED.rows[:180])


def cosines(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Cosines of unit vectors, row by row."""
    return np.einsum("nd,nd->n", one, other)


@pytest.mark.parametrize("method", METHODS)
def test_image_is_of_the_group(fitted: Map, method: str) -> None:
    """The image of a place among a group is a unit vector, and most like the centre of that group."""
    middles = [fitted.embedding[PLANTED.groups[:180] == group].mean(axis=0) for group in range(6)]

    images = inverse.inverse(fitted, middles, method=method)

    assert np.linalg.norm(images, axis=1) == pytest.approx(1)
    assert (images @ PLANTED.centres.T).argmax(axis=1).tolist() == [0, 1, 2, 3, 4, 5]


def test_image_at_an_item(fitted: Map) -> None:
    """The image of the place of an item is its vector; of a place between two items, it is between theirs."""
    first, second = maps.nearest_on_map(fitted, fitted.embedding[0], 2).indices
    between = (fitted.embedding[first] + fitted.embedding[second]) / 2

    (at,) = inverse.inverse(fitted, fitted.embedding[:1])
    (half,) = inverse.inverse(fitted, [between], k=2)

    assert at == pytest.approx(fitted.directions[0], abs=1e-4)
    assert half == pytest.approx(unit((fitted.directions[[first, second]].sum(axis=0))[None])[0], abs=1e-4)


def test_neighbours_are_weighted_by_nearness(fitted: Map) -> None:
    """Of two items the one at a third of the distance counts three times."""
    two = dataclasses.replace(fitted, embedding=np.array([[0, 0, 0], [4, 0, 0]], np.float32), directions=np.eye(2))

    assert inverse.inverse(two, [[1, 0, 0]])[0] == pytest.approx(unit(np.array([[3, 1]]))[0])


def test_round_trip_of_new_vectors(fitted: Map) -> None:
    """New vectors come back more like themselves than their centre is, on average, and above 0.85."""
    new = PLANTED.rows[180:]

    trip = inverse.round_trip(fitted, new)

    assert trip.mean == pytest.approx(cosines(new, PLANTED.centres[PLANTED.groups[180:]]).mean(), abs=0.03)
    assert trip.mean > 0.85
    assert trip.median == np.median(trip.cosines)


def test_round_trip_of_the_items(fitted: Map) -> None:
    """An item does not explain itself: the round trip of the items is not better than that of new vectors."""
    items, new = inverse.round_trip(fitted), inverse.round_trip(fitted, PLANTED.rows[180:])

    assert items.mean == pytest.approx(new.mean, abs=0.02)
    assert len(items.cosines) == 180


def test_round_trip_by_inverse_transform(fitted: Map) -> None:
    """UMAP's inverse transform brings vectors less near to themselves than their neighbours on the map do."""
    theirs = inverse.round_trip(fitted, PLANTED.rows[180:186], method="inverse_transform")

    assert 0.4 < theirs.mean < inverse.round_trip(fitted, PLANTED.rows[180:186]).mean


def test_inverse_transform_is_that_of_umap_learn(fitted: Map) -> None:
    """The method of that name gives what a fitted UMAP object gives, though none was kept."""
    from umap import UMAP

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it has one job, since it has a seed
        theirs = UMAP(n_components=3, min_dist=0.2, metric="cosine", random_state=5).fit(PLANTED.rows[:180])
    # Its sums are rounded in another order, and a last digit changes what 100 epochs lead to.
    theirs.embedding_, theirs._sigmas, theirs._rhos = fitted.embedding, fitted.sigmas, fitted.rhos
    places = fitted.embedding[:2] * 0.9 + fitted.embedding.mean(axis=0) * 0.1

    expected = unit(theirs.inverse_transform(places))

    assert cosines(inverse.inverse(fitted, places, method="inverse_transform"), expected) == pytest.approx(1, abs=1e-5)


def test_place_outside_of_the_map(fitted: Map) -> None:
    """UMAP's inverse transform takes a place outside of all items for the item that is nearest to it."""
    far = fitted.embedding.max(axis=0) + 100
    nearest = maps.nearest_on_map(fitted, far, 1).indices[0]

    (image,) = inverse.inverse(fitted, [far], method="inverse_transform")

    assert (PLANTED.centres @ image).argmax() == PLANTED.groups[nearest]


def test_division_by_zero(fitted: Map, monkeypatch: pytest.MonkeyPatch) -> None:
    """That UMAP's inverse transform divides by zero, as it may, is one clear error."""

    def fail(*_: object) -> NoReturn:
        raise ZeroDivisionError("division by zero")

    with umap_library.umap() as umap:
        monkeypatch.setattr(umap, "optimize_layout_inverse", lambda *_, **__: fail())

    with pytest.raises(DataError, match="Got ZeroDivisionError: division by zero; take the method neighbours"):
        inverse.inverse(fitted, fitted.embedding[:1], method="inverse_transform")


@pytest.mark.parametrize("n", [2, 3])
def test_inverse_transform_of_few_items(n: int) -> None:
    """UMAP's inverse transform needs a simplex of items; fewer are one clear error."""
    few = maps.fit_map(blobs(n, 2).rows)

    with pytest.raises(DataError, match="take the method neighbours"):
        inverse.inverse(few, few.embedding, method="inverse_transform")


@pytest.mark.parametrize("n", [2, 3])
def test_few_items(n: int) -> None:
    """Where there are fewer neighbours than asked for, all of them are averaged."""
    few = maps.fit_map(blobs(n, 2).rows)

    assert np.isfinite(inverse.inverse(few, few.embedding)).all()
    assert inverse.round_trip(few).cosines.shape == (n,)


def test_vectors_that_cancel_out() -> None:
    """Half way between opposite vectors there is none."""
    opposite = maps.fit_map([[1, 0], [-1, 0]], dimensions=2)

    with pytest.raises(DataError, match="cancel out"):
        inverse.inverse(opposite, opposite.embedding.mean(axis=0, keepdims=True))


@pytest.mark.parametrize("method", METHODS)
def test_no_places(fitted: Map, method: str) -> None:
    """No places have no images."""
    assert inverse.inverse(fitted, np.empty((0, 3)), method=method).shape == (0, 64)


def test_no_round_trip(fitted: Map) -> None:
    """No vectors make no round trip."""
    with pytest.raises(DataError, match=r"at least 1 vector\. Got none"):
        inverse.round_trip(fitted, np.empty((0, 64)))


def test_many_places(fitted: Map, monkeypatch: pytest.MonkeyPatch) -> None:
    """Places are taken in blocks, and each block gives what it gives alone."""
    places = placing.place(fitted, PLANTED.rows[180:])
    together = inverse.inverse(fitted, places)
    monkeypatch.setattr(inverse, "_BLOCK", 1)

    assert inverse.inverse(fitted, places) == pytest.approx(together)


def test_many_places_by_inverse_transform(fitted: Map, monkeypatch: pytest.MonkeyPatch) -> None:
    """UMAP's inverse transform takes places in blocks, too, and gives each its image."""
    monkeypatch.setattr(inverse, "_PLACES", 2)

    images = inverse.inverse(fitted, fitted.embedding[:3], method="inverse_transform")

    assert (images @ PLANTED.centres.T).argmax(axis=1).tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"points": [[0, 0]]}, "must have 3 coordinates"),
        ({"points": [[0, 0, float("nan")]]}, "finite coordinates"),
        ({"method": "magic"}, "one of neighbours, inverse_transform. Got 'magic'"),
        ({"k": 0}, "at least 1. Got 0"),
    ],
)
def test_refused_arguments(fitted: Map, arguments: dict, message: str) -> None:
    """Each argument that has no image is refused by one message."""
    with pytest.raises(DataError, match=message):
        inverse.inverse(fitted, **{"points": [[0, 0, 0]], **arguments})


def test_refused_vectors(fitted: Map) -> None:
    """Rows that are no vectors make no round trip."""
    with pytest.raises(InvalidVectorError):
        inverse.round_trip(fitted, np.zeros((1, 64)))
