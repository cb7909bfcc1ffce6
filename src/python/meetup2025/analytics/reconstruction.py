"""
Strangers by reconstruction: the way to a map of normal vectors and back changes a strange vector most.

The map is learnt on normal vectors alone. A vector is placed on it and mapped back. The less the result is like the
vector, the stranger the vector is. The 2025 workshop planned it with UMAP's inverse transform. Averaging the neighbours
on the map finds strangers better, in a hundredth of the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from meetup2025.analytics import inverse, maps, neighbours as nearest, placing, spaces
from meetup2025.analytics.layout import Map
from meetup2025.analytics.thresholds import rounded

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Self


@dataclass(frozen=True)
class Reconstruction(Map):
    """
    A map of normal vectors that detects strangers.

    Attributes:
        method: The way back, as in `inverse.inverse`.
        k: Number of neighbours on the map that are averaged.
        own_scores: Scores of the fitted vectors, shape (n,). A vector counts as new: its neighbours other than itself
            place it. `neighbours` leaves it out of the average too. `inverse_transform` cannot leave it out.
    """

    method: inverse.Method
    k: int
    own_scores: NDArray[np.float64]

    @classmethod
    def fit(  # noqa: PLR0913 - those of a map and of the way back
        cls,
        rows: ArrayLike,
        *,
        seed: int = 5,
        method: inverse.Method = "neighbours",
        k: int = inverse.NEAREST,
        dimensions: int = 3,
        neighbours: int = 15,
        min_dist: float = 0.2,
        progress: bool = False,
    ) -> Self:
        """
        Fit the map to normal vectors.

        Args:
            rows: Normal vectors, shape (n, d), n at least 3.
            seed: As in `maps.fit_map`.
            method: As in `inverse.inverse`. `inverse_transform` takes 6 to 80 ms a vector, also in the fit.
            k: As in `inverse.inverse`.
            dimensions: As in `maps.fit_map`.
            neighbours: As in `maps.fit_map`.
            min_dist: As in `maps.fit_map`.
            progress: As in `maps.fit_map`.

        Raises:
            DataError: As `maps.fit_map` and `inverse.inverse`.
            InvalidVectorError: As `vectors.check`.
        """
        inverse.check_method(method, k)
        fitted = maps.fit_map(
            rows, dimensions=dimensions, neighbours=neighbours, min_dist=min_dist, seed=seed, progress=progress
        )
        images = _own_images(fitted, method, k)
        return cls(**vars(fitted), method=method, k=k, own_scores=_differences(fitted.directions, images))

    def scores(self, rows: ArrayLike) -> NDArray[np.float64]:
        """
        Return how strange vectors are.

        Args:
            rows: Vectors, shape (n, d). n may be 0.

        Returns:
            1 minus the cosine of a vector and its image, shape (n,), from 0 to 2: the higher, the stranger.

        Raises:
            DataError: The vectors have another length than the fitted vectors, or `inverse_transform` fails.
            InvalidVectorError: As `vectors.check`.
        """
        unit = nearest.directions(rows)
        images = inverse.inverse(self, placing.place(self, unit), method=self.method, k=self.k)
        return _differences(unit, images)


def _own_images(fitted: Map, method: inverse.Method, k: int) -> NDArray[np.float64]:
    n = len(fitted.directions)
    others = spaces.others(fitted.directions, min(fitted.neighbours, n - 1), fitted.metric)
    places = placing.placed(fitted, others)
    if method == "neighbours":
        return inverse.averaged(fitted, places, k, without=np.arange(n))
    return inverse.inverse(fitted, places, method=method, k=k)


def _differences(unit: NDArray[np.float32], images: NDArray[np.float64]) -> NDArray[np.float64]:
    return rounded(1 - np.einsum("nd,nd->n", unit, images))
