"""The record of a map: the places of its items, and the arrays for new vectors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from meetup2025.analytics.spaces import Metric


@dataclass(frozen=True)
class Map:
    """
    A map, with the data that place a vector on it and find the way back.

    Attributes:
        embedding: Places of the items, shape (n, dimensions), float32.
        directions: Vectors of the items, shape (n, d), float32: of length 1 where the metric is the cosine.
        sigmas: Widths of the neighbourhoods in distances of the metric, shape (n,).
        rhos: Distance of each item to its nearest neighbour, shape (n,).
        neighbours: Size of a neighbourhood, the item itself included.
        min_dist: Least distance of items on the map.
        a: First parameter of the membership strength 1 / (1 + a x^(2 b)) of two places at a distance x.
        b: Second parameter.
        seed: Seed of the random numbers.
        metric: Metric of the vectors.
    """

    embedding: NDArray[np.float32]
    directions: NDArray[np.float32]
    sigmas: NDArray[np.float32]
    rhos: NDArray[np.float32]
    neighbours: int
    min_dist: float
    a: float
    b: float
    seed: int
    metric: Metric = field(default="cosine", kw_only=True)

    @property
    def dimensions(self) -> int:
        """Number of coordinates of a place."""
        return int(self.embedding.shape[1])
