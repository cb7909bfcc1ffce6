"""
Placing new vectors on an existing map.

The steps come from `UMAP.transform` (https://umap-learn.readthedocs.io/en/latest/transform.html), for one vector at a
time. So the place of a vector does not depend on the other vectors. No fitted UMAP object is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meetup2025.analytics import spaces, umap_library

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import ArrayLike, NDArray

    from meetup2025.analytics.layout import Map
    from meetup2025.analytics.spaces import Near

_EPOCHS = 100
_SEED = 42
"""Values of umap-learn."""


def place(fitted: Map, rows: ArrayLike) -> NDArray[np.float32]:
    """
    Place vectors on a map.

    Args:
        fitted: The map.
        rows: Vectors, shape (n, d). n may be 0.

    Returns:
        Places on the map, shape (n, dimensions).

    Raises:
        DataError: The vectors have another length than the vectors of the map.
        InvalidVectorError: As `vectors.check`.
    """
    given = spaces.members(rows, fitted.metric)
    return placed(fitted, spaces.among(given, fitted.directions, fitted.neighbours, fitted.metric))


def placed(fitted: Map, found: Near) -> NDArray[np.float32]:
    """
    Place vectors whose neighbours among the items of the map are known.

    Args:
        fitted: The map.
        found: Neighbours of each vector among the items.

    Returns:
        Places on the map, shape (n, dimensions).
    """
    if not len(found.indices):
        return np.empty((0, fitted.dimensions), np.float32)
    with umap_library.umap() as umap:
        weights = _weights(umap, found)
        start = _between(fitted, found, weights)
        return _improved(umap, fitted, found, weights, start)


def _weights(umap: ModuleType, found: Near) -> NDArray[np.float32]:
    """Return the membership strengths of the neighbours, shape (n, k), falling."""
    # umap-learn reads past the end of a row of zeros. It uses the mean of all its rows, hence row by row.
    distances = np.maximum(found.distances, np.float32(1e-12))
    k = distances.shape[1]
    widths = [umap.smooth_knn_dist(row, float(k), local_connectivity=0.0) for row in distances[:, None]]
    sigmas, rhos = (np.concatenate(each) for each in zip(*widths, strict=True))
    indices = found.indices.astype(np.int64)
    _, _, weights, _ = umap.compute_membership_strengths(indices, distances, sigmas, rhos, bipartite=True)
    strengths: NDArray[np.float32] = weights.reshape(-1, k)
    return strengths


def _between(fitted: Map, found: Near, weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the weighted means of the places of the neighbours, or the place of an item that is the same vector."""
    same = (weights[:, :1] == 1) & (np.arange(weights.shape[1]) == 0)
    shares = np.where(weights[:, :1] == 1, same, weights / weights.sum(axis=1, keepdims=True))
    places: NDArray[np.float32] = (shares[:, None] @ fitted.embedding[found.indices])[:, 0].astype(np.float32)
    return places


def _improved(
    umap: ModuleType, fitted: Map, found: Near, weights: NDArray[np.float32], start: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Move the vectors down the gradient of UMAP's cross entropy. The items stay."""
    often = weights / weights.max(axis=1, keepdims=True)
    heads, places = np.nonzero(often >= 1 / _EPOCHS)
    tails = found.indices[heads, places].astype(np.int32)
    random = umap.check_random_state(_SEED).randint(umap.INT32_MIN, umap.INT32_MAX, 3).astype(np.int64)
    improved: NDArray[np.float32] = umap.optimize_layout_euclidean(
        start,
        fitted.embedding.copy(),  # compiled loops do not take arrays that cannot be written
        heads.astype(np.int32),
        tails,
        _EPOCHS,
        len(fitted.embedding),
        1 / often[heads, places].astype(np.float64),
        fitted.a,
        fitted.b,
        random,
        initial_alpha=0.25,
    )
    return improved
