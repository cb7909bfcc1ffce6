"""
Maps: vectors laid out in two or three dimensions so that neighbours stay neighbours, by UMAP.

McInnes, Healy and Melville 2018, "UMAP: Uniform Manifold Approximation and Projection for Dimension Reduction", arXiv
1802.03426. The steps come from umap-learn and call its documented functions
(https://umap-learn.readthedocs.io/en/latest/api.html#useful-functions). The neighbours are found exactly. The arrays
that place new points are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from meetup2025.analytics import placing, spaces, umap_library
from meetup2025.analytics.layout import Map
from meetup2025.errors import DataError
from meetup2025.iris_process import is_watched

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import ModuleType

    from numpy.typing import ArrayLike, NDArray

    from meetup2025.analytics.spaces import Metric, Near


@dataclass(frozen=True)
class NearbyItems:
    """
    The items near a place on a map.

    Attributes:
        indices: Indices of the items, shape (k,), the nearest first.
        distances: Euclidean distances on the map, shape (k,), rising.
    """

    indices: NDArray[np.intp]
    distances: NDArray[np.float64]


def compile_now() -> Path:
    """Compile the functions that maps need, unless they are compiled. See `umap_library.compile_now`."""
    return umap_library.compile_now(_compiled_parts)


def _compiled_parts() -> None:
    """Call all compiled functions that maps need, with the types of a real call."""
    rows = np.random.default_rng(5).normal(size=(40, 8))
    placing.place(fit_map(rows, labels=["a", None] * 20), rows[:2])


def fit_map(  # noqa: PLR0913 - they are what can be chosen
    rows: ArrayLike,
    *,
    dimensions: int = 3,
    neighbours: int = 15,
    min_dist: float = 0.2,
    seed: int = 5,
    labels: Sequence[str | None] | None = None,
    metric: Metric = "cosine",
    progress: bool = False,
) -> Map:
    """
    Lay out vectors so that vectors with a high cosine, or a small distance, are near each other.

    The same rows, parameters and seed give the same map on one machine, bit for bit.

    Args:
        rows: Vectors, shape (n, d), n at least 2.
        dimensions: Number of coordinates, from 1 to 50.
        neighbours: Size of a neighbourhood, the item itself included, at least 2, or all items where there are fewer.
        min_dist: Least distance of items on the map, from 0 to 1.
        seed: Seed of the random numbers, from 0 to 2**32 - 1.
        labels: Label of each row, shape (n,). Rows of the same label are pulled together. None and "" mean no label.
        metric: `cosine` compares directions. `euclidean` compares the vectors as they are.
        progress: Whether to show the epochs on a terminal.

    Raises:
        DataError: There are fewer than 2 rows, or an argument is out of its range.
        InvalidVectorError: As `vectors.check`.
    """
    spaces.check_metric(metric)
    directions = spaces.members(rows, metric)
    _check(dimensions, neighbours, min_dist, seed)
    _check_items(len(directions), labels)
    size = min(neighbours, len(directions))
    indices, distances = with_itself(spaces.others(directions, size - 1, metric))
    with umap_library.umap(_compiled_parts) as umap:
        a, b = umap.find_ab_params(1.0, min_dist)
        random = umap.check_random_state(seed)
        graph, sigmas, rhos = umap.fuzzy_simplicial_set(
            directions, size, random, metric, {}, indices, distances, return_dists=None
        )
        start = _start(directions if metric == "cosine" else _scaled(directions), dimensions, random)
        if labels is not None:
            graph = umap.discrete_metric_simplicial_set_intersection(graph, _codes(labels))
        bar = {"disable": not (progress and is_watched()), "leave": False}
        embedding = _laid_out(umap, graph, start, random=random, a=a, b=b, tqdm_kwds=bar)
    learnt = (embedding, directions, sigmas, rhos, int(size), float(min_dist), float(a), float(b), int(seed))
    return Map(*learnt, metric=metric)


def nearest_on_map(fitted: Map, point: ArrayLike, k: int) -> NearbyItems:
    """Find the items nearest to a place on a map, for example to a click."""
    (place,) = check_points(fitted, [point])
    if not 1 <= k <= len(fitted.embedding):
        raise DataError(f"The number of items must be from 1 to {len(fitted.embedding)}. Got {k}.")
    distances = np.linalg.norm(fitted.embedding - place, axis=1)
    order = np.argsort(distances, kind="stable")[:k]
    return NearbyItems(order, distances[order])


def check_points(fitted: Map, points: Any) -> NDArray[np.float64]:
    """
    Check that an array holds places on a map.

    Raises:
        DataError: The shape is not (n, dimensions), or a number is not finite.
    """
    try:
        array = np.asarray(points, np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"A place on the map must be {fitted.dimensions} numbers. Got: {error}.") from error
    if array.ndim != 2 or array.shape[1] != fitted.dimensions:
        raise DataError(
            f"A place on the map must have {fitted.dimensions} coordinates. Got the shape {array.shape[1:]}."
        )
    if not np.isfinite(array).all():
        raise DataError(f"A place on the map must have finite coordinates. Got {array[~np.isfinite(array)][0]}.")
    return array


def with_itself(found: Near) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Put each item before its neighbours, as umap-learn counts it. Return indices and distances, shape (n, k + 1)."""
    indices = np.column_stack([np.arange(len(found.indices)), found.indices]).astype(np.int64)
    distances = np.column_stack([np.zeros(len(indices), np.float32), found.distances])
    return indices, distances


def _scaled(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Move rows around zero, and scale them to the size of unit vectors. Their layout stays."""
    centred = rows - rows.mean(axis=0)
    longest = max(np.linalg.norm(centred, axis=1).max(), np.finfo(np.float32).tiny)
    scaled: NDArray[np.float32] = centred / np.float32(longest)
    return scaled


def _start(directions: NDArray[np.float32], dimensions: int, random: np.random.RandomState) -> NDArray[np.float32]:
    """
    Return the principal components. The layout starts from them.

    umap-learn starts from eigenvectors of the graph. Where many groups hardly touch, as photos of a thousand fish do,
    the search for these vectors takes minutes. The principal components take no time, and the maps are as good (Kobak
    and Linderman 2021, doi 10.1038/s41587-020-00809-z).
    """
    middle = directions.mean(axis=0)
    scatter = directions.T @ directions / np.float32(len(directions)) - np.outer(middle, middle)
    axes = np.linalg.eigh(scatter)[1][:, ::-1][:, :dimensions]
    places = random.normal(scale=1e-6, size=(len(directions), dimensions))  # no two start at the same place
    places[:, : axes.shape[1]] += directions @ axes - middle @ axes
    return places.astype(np.float32)


def _laid_out(
    umap: ModuleType, graph: Any, start: NDArray[np.float32], *, random: np.random.RandomState, **options: Any
) -> NDArray[np.float32]:
    embedding: NDArray[np.float32]
    embedding, _ = umap.simplicial_set_embedding(
        None,  # the start that umap-learn would choose
        graph,
        start.shape[1],
        initial_alpha=1.0,
        gamma=1.0,
        negative_sample_rate=5,
        n_epochs=None,
        init=start,
        random_state=random,
        metric="cosine",
        metric_kwds={},
        densmap=False,
        densmap_kwds={},
        output_dens=False,
        **options,
    )
    return embedding


def _codes(labels: Sequence[str | None]) -> NDArray[np.int64]:
    """Number the labels. -1 is umap-learn's number for no label."""
    known = {label: code for code, label in enumerate(sorted({label for label in labels if label}))}
    return np.array([known[label] if label else -1 for label in labels], np.int64)


def _check_items(n: int, labels: Sequence[str | None] | None) -> None:
    if n < 2:
        raise DataError(f"A map must have at least 2 vectors. Got {n}; load more.")
    if labels is not None and len(labels) != n:
        raise DataError(f"There must be a label for each vector. Got {len(labels)} labels for {n} vectors.")


def _check(dimensions: int, neighbours: int, min_dist: float, seed: int) -> None:
    if not 1 <= dimensions <= 50:
        raise DataError(f"A map must have from 1 to 50 dimensions. Got {dimensions}.")
    if neighbours < 2:
        raise DataError(f"A neighbourhood must have at least 2 members. Got {neighbours}.")
    if not 0 <= min_dist <= 1:
        raise DataError(f"The least distance on a map must be from 0 to 1. Got {min_dist}.")
    if not 0 <= seed < 1 << 32:
        raise DataError(f"A seed must be from 0 to 2**32 - 1. Got {seed}.")
