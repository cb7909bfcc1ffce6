"""
Placing new vectors on a map that is there.

The steps are those of `UMAP.transform` (https://umap-learn.readthedocs.io/en/latest/transform.html), for each vector
alone: where it comes to lie does not depend on what else is placed with it. No fitted UMAP object is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meetup2025.analytics import compiled, neighbours as nearest

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from meetup2025.analytics.maps import Map
    from meetup2025.analytics.neighbours import Neighbours

_EPOCHS = 100
_SEED = 42
"""Those of umap-learn."""


def place(fitted: Map, rows: ArrayLike) -> NDArray[np.float32]:
    """
    Place vectors on a map.

    Args:
        fitted: The map.
        rows: Shape (n, d), n may be 0.

    Returns:
        Shape (n, dimensions).

    Raises:
        DataError: The vectors have another length than those of the map.
        InvalidVectorError: As `vectors.check`.
    """
    unit = nearest.directions(rows)
    return placed(fitted, nearest.nearest_directions(unit, fitted.directions, fitted.neighbours))


def placed(fitted: Map, found: Neighbours) -> NDArray[np.float32]:
    """
    Place vectors whose neighbours among the items of the map are known.

    Args:
        fitted: The map.
        found: Neighbours of each vector among the items.

    Returns:
        Shape (n, dimensions).
    """
    if not len(found.indices):
        return np.empty((0, fitted.dimensions), np.float32)
    with compiled.umap() as umap:
        weights = _weights(umap, found)
        start = _between(fitted, found, weights)
        return _improved(umap, fitted, found, weights, start)
