"""
The way back: from a place on a map to a vector.

`neighbours` averages the vectors of the neighbours on the map. `inverse_transform` is the method of umap-learn
(https://umap-learn.readthedocs.io/en/latest/inverse_transform.html). It is slower and less accurate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from meetup2025 import vectors
from meetup2025.analytics import spaces, umap_library
from meetup2025.analytics.maps import check_points
from meetup2025.analytics.placing import place
from meetup2025.errors import DataError, shown

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import ArrayLike, NDArray

    from meetup2025.analytics.layout import Map

Method = Literal["neighbours", "inverse_transform"]

NEAREST = 15
"""Neighbours that are averaged by default: of 3 to 30, the best on scikit-learn's digits."""

_BLOCK = 1 << 22
"""Distances that are in memory at once."""

_PLACES = 1000
"""Places that umap-learn goes back from at once. It makes a list of Python for every number of a vector."""

_NUDGE = 1e-3
"""Share of the way to the middle of the map that a place from outside moves inwards."""


@dataclass(frozen=True)
class RoundTrip:
    """
    The similarity of vectors to themselves after the way to the map and back.

    Attributes:
        cosines: Cosine of each vector and its image, shape (n,).
        mean: Mean of the cosines.
        median: Median of the cosines.
    """

    cosines: NDArray[np.float64]
    mean: float
    median: float


def inverse(fitted: Map, points: ArrayLike, *, method: Method = "neighbours", k: int = NEAREST) -> NDArray[np.float64]:
    """
    Return the vectors that would lie at places on a map.

    Args:
        fitted: The map.
        points: Places on the map, shape (m, dimensions).
        method: `neighbours` averages the vectors of the nearest items on the map, weighted by 1 / distance.
            `inverse_transform` is the method of umap-learn. It replaces a point outside of all items by the nearest
            item.
        k: Number of neighbours, at least 1, or all where there are fewer.

    Returns:
        Shape (m, d): rows of length 1 where the metric of the map is the cosine.

    Raises:
        DataError: The points are not of the map, an argument is out of its range, or the method finds no vector.
    """
    places = check_points(fitted, points)
    check_method(method, k)
    if method == "inverse_transform":
        return _transformed_back(fitted, places)
    return averaged(fitted, places, k)


def check_method(method: str, k: int) -> None:
    """
    Check the name of a way back.

    Raises:
        DataError: There is no such way.
    """
    if method not in get_args(Method):
        raise DataError(f"The method must be one of {', '.join(get_args(Method))}. Got {shown(method)}.")
    if k < 1:
        raise DataError(f"The number of neighbours must be at least 1. Got {k}.")


def averaged(
    fitted: Map, places: NDArray[np.floating], k: int, *, without: NDArray[np.intp] | None = None
) -> NDArray[np.float64]:
    """
    Average the vectors of the *k* items that are nearest to each place.

    Args:
        fitted: The map.
        places: Shape (m, dimensions).
        k: Number of items, or all where there are fewer.
        without: Item that does not count, one for each place, shape (m,).

    Returns:
        Shape (m, d): rows of length 1 where the metric of the map is the cosine.

    Raises:
        DataError: The vectors of the items cancel out.
    """
    k = min(k, len(fitted.embedding) - (without is not None))
    means = np.empty((len(places), fitted.directions.shape[1]))
    step = max(1, _BLOCK // len(fitted.embedding))
    for start in range(0, len(places), step):
        rows = slice(start, start + step)
        indices, distances = _items(fitted, places[rows], k, None if without is None else without[rows])
        # A place upon an item has the vector of that item.
        weights = 1 / np.maximum(distances, 1e-6)
        shares = weights / weights.sum(axis=1, keepdims=True)
        means[rows] = (shares[:, None] @ fitted.directions[indices])[:, 0]
    if fitted.metric != "cosine":
        return means
    if (np.linalg.norm(means, axis=1) < 1e-6).any():
        raise DataError(
            f"The vectors of {k} neighbours on the map must have a mean. Got some that cancel out; change k."
        )
    return vectors.unit(means)


def round_trip(
    fitted: Map, rows: ArrayLike | None = None, *, method: Method = "neighbours", k: int = NEAREST
) -> RoundTrip:
    """
    Measure how well a map keeps vectors.

    Args:
        fitted: The map.
        rows: Other vectors, shape (n, d), n at least 1. They are placed on the map first. None takes the items. Then
            `neighbours` averages an item from the other items.
        method: As in `inverse`.
        k: As in `inverse`.

    Raises:
        DataError: As `inverse`.
        InvalidVectorError: As `vectors.check`.
    """
    check_method(method, k)
    if rows is None and method == "neighbours":
        unit, images = (
            fitted.directions,
            averaged(fitted, fitted.embedding, k, without=np.arange(len(fitted.embedding))),
        )
    else:
        unit = fitted.directions if rows is None else spaces.members(rows, fitted.metric)
        places = fitted.embedding if rows is None else place(fitted, unit)
        images = inverse(fitted, places, method=method, k=k)
    if not len(unit):
        raise DataError("A round trip must be made by at least 1 vector. Got none.")
    if fitted.metric != "cosine":
        unit, images = spaces.members(unit, "cosine"), vectors.unit(images)
    cosines = np.clip(np.einsum("nd,nd->n", unit, images), -1, 1)
    return RoundTrip(cosines, float(cosines.mean()), float(np.median(cosines)))


def _items(
    fitted: Map, places: NDArray[np.floating], k: int, without: NDArray[np.intp] | None
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Find the items nearest to places on the map, and their distances."""
    from scipy.spatial.distance import cdist

    distances = cdist(places, fitted.embedding)
    if without is not None:
        distances[np.arange(len(places)), without] = np.inf
    indices = np.argpartition(distances, k - 1, axis=1)[:, :k]
    return indices, np.take_along_axis(distances, indices, axis=1)


def _transformed_back(fitted: Map, places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Call the inverse transform of umap-learn with the state that a fitted UMAP object would hold."""
    if not len(places):
        return np.empty((0, fitted.directions.shape[1]))
    with umap_library.umap() as umap:
        try:
            inside, revived = _inside(fitted, places), _revived(umap, fitted)
            parts = [inside[start : start + _PLACES] for start in range(0, len(inside), _PLACES)]
            found = np.vstack([revived.inverse_transform(part) for part in parts])
            return vectors.unit(found) if fitted.metric == "cosine" else found.astype(np.float64)
        # The warning about division by zero is issue 1228 of umap-learn. The others come from Qhull and
        # ragged neighbourhoods.
        except (ArithmeticError, ValueError, IndexError, RuntimeError) as error:
            told = f"UMAP's inverse transform must find a vector for each place. Got {type(error).__name__}: {error}"
            raise DataError(f"{told}; take the method neighbours.") from error


def _revived(umap: ModuleType, fitted: Map) -> Any:
    """Make the UMAP object whose transform is the map."""
    revived = umap.UMAP(fitted.neighbours, fitted.dimensions, metric=fitted.metric, min_dist=fitted.min_dist)
    learnt = {
        "_raw_data": fitted.directions,
        "embedding_": fitted.embedding,
        "_sigmas": fitted.sigmas,
        "_rhos": fitted.rhos,
    }
    # Copies, since compiled loops do not take arrays that cannot be written.
    vars(revived).update({name: array.copy() for name, array in learnt.items()})
    vars(revived).update(
        _a=fitted.a,
        _b=fitted.b,
        _initial_alpha=revived.learning_rate,
        _inverse_distance_func=umap.dist.named_distances_with_gradients[fitted.metric],
        _metric_kwds={},
        _output_metric_kwds={},
        _sparse_data=False,
    )
    return revived


def _inside(fitted: Map, places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Move places outside of all items next to the nearest item. umap-learn would take any item."""
    from scipy.spatial import Delaunay

    inside = Delaunay(fitted.embedding, qhull_options="QJ").find_simplex(places) >= 0
    if inside.all():
        return places
    indices, _ = _items(fitted, places, 1, None)
    items = fitted.embedding[indices[:, 0]]
    return np.where(inside[:, None], places, items + _NUDGE * (fitted.embedding.mean(axis=0) - items))
