"""
The faithfulness of a map: are neighbours in the vectors also neighbours on the map, and the other way round?

Venna and Kaski 2001, "Neighborhood Preservation in Nonlinear Projection Methods", doi 10.1007/3-540-44668-0_68.
Trustworthiness is defined as in scikit-learn, with the metric of the map.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from meetup2025.analytics import spaces
from meetup2025.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    from meetup2025.analytics.spaces import Metric

_SAMPLE = 2000
_BLOCK = 1 << 22
"""Distances that are in memory at once."""


@dataclass(frozen=True)
class Faithfulness:
    """
    The faithfulness of a map. All measures are 1 for a perfect map.

    Attributes:
        trustworthiness: Are neighbours on the map neighbours in the vectors? A map by chance has about 0.5.
        continuity: Are neighbours in the vectors neighbours on the map? A map by chance has about 0.5.
        overlap: Share of the *k* neighbours that are the same. A map by chance has about k / n.
        k: Number of neighbours.
        sample: Number of items whose neighbours were compared.
    """

    trustworthiness: float
    continuity: float
    overlap: float
    k: int
    sample: int


def faithfulness(  # noqa: PLR0913 - all but two have a default
    rows: ArrayLike,
    embedding: ArrayLike,
    k: int = 15,
    *,
    metric: Metric = "cosine",
    sample: int = _SAMPLE,
    seed: int = 5,
) -> Faithfulness:
    """
    Measure how faithful a map is.

    Args:
        rows: Vectors, shape (n, d), n above 2 *k*.
        embedding: Their places on the map, shape (n, c).
        k: Number of neighbours, at least 1.
        metric: Metric of the vectors.
        sample: Number of items to look at, drawn at random where there are more. A drawn item is compared with all
            others.
        seed: Seed of the sample.

    Raises:
        DataError: The numbers of rows differ, a place is not finite, or an argument is out of its range.
        InvalidVectorError: As `vectors.check`.
    """
    given, places = spaces.members(rows, metric), np.asarray(embedding, np.float64)
    _check(given, places, k, sample)
    n = len(given)
    drawn = np.arange(n) if n <= sample else np.sort(np.random.default_rng(seed).choice(n, sample, replace=False))
    intruders = missing = same = 0.0
    for far, away in _distances(given, places, drawn, metric):
        near, nearby = _lowest(far, k), _lowest(away, k)
        intruders += _beyond(far, nearby, k)
        missing += _beyond(away, near, k)
        same += float((near[:, :, None] == nearby[:, None]).sum())
    most = len(drawn) * k * (2 * n - 3 * k - 1) / 2
    return Faithfulness(1 - intruders / most, 1 - missing / most, same / (len(drawn) * k), k, len(drawn))


def _distances(
    rows: NDArray[np.float32], places: NDArray[np.float64], drawn: NDArray[np.intp], metric: Metric
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float64]]]:
    """
    Return the distances of the drawn items to all items, in the vectors and on the map.

    The distance of an item to itself is infinite.
    """
    from scipy.spatial.distance import cdist

    step = max(1, _BLOCK // len(rows))
    for start in range(0, len(drawn), step):
        items = drawn[start : start + step]
        far, away = spaces.distances(rows[items], rows, metric), cdist(places[items], places)
        far[np.arange(len(items)), items] = away[np.arange(len(items)), items] = np.inf
        yield far, away


def _lowest(distances: NDArray[np.floating], k: int) -> NDArray[np.intp]:
    return np.argpartition(distances, k - 1, axis=1)[:, :k]


def _beyond(distances: NDArray[np.floating], neighbours: NDArray[np.intp], k: int) -> float:
    """Sum up how many ranks the neighbours of the other space lie beyond the *k* nearest of this space."""
    ranks = np.column_stack(
        [(distances < np.take_along_axis(distances, column[:, None], axis=1)).sum(axis=1) for column in neighbours.T]
    )
    return float(np.maximum(ranks + 1 - k, 0).sum())


def _check(unit: NDArray[np.float32], places: NDArray[np.float64], k: int, sample: int) -> None:
    if places.ndim != 2 or len(places) != len(unit):
        raise DataError(f"Each vector must have a place on the map. Got {len(unit)} and the shape {places.shape}.")
    if not np.isfinite(places).all():
        raise DataError("A place on the map must have finite coordinates. Got NaN or infinity; fit the map again.")
    if not 1 <= k < len(unit) / 2:
        raise DataError(f"The number of neighbours must be at least 1 and below n / 2, {len(unit) / 2:g}. Got {k}.")
    if sample < 1:
        raise DataError(f"A sample must have at least 1 item. Got {sample}.")
