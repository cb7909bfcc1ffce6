"""
Groups of vectors: K-means on unit vectors, so that rows of one direction belong together whatever their length.
"""

from __future__ import annotations

import itertools
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from meetup2025.analytics.lloyd import lloyd, nearest_centres, sums
from meetup2025.analytics.neighbours import directions
from meetup2025.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

_SAMPLE = 20_000
"""Rows on which starts are tried. All rows only finish the best start."""

_PER_CLUSTER = 50
"""Rows in the sample for one cluster, at least."""

_FINISH = 10
"""Iterations on all rows. 20 more make the error smaller by 0.1 %."""

FEW = 1000
"""Rows up to which several starts are tried, as the workshop did."""

STARTS = 10

ABOVE = 6
"""Number of groups above k from which merging begins."""

_NOBODY = 1e-9
"""Weight of an empty group: its union with any other group costs nothing."""

_ROWS = 4096
"""Rows whose distances are computed at once."""

NOISE = -1
"""Label of a row that is of no group. K-means has none."""

_ROUNDING = 1e-6
"""Most that a cosine of equal directions lacks of 1 in float32."""


@dataclass(frozen=True)
class Clusters:
    """
    Groups of rows, the largest first.

    Attributes:
        centres: Means of the unit vectors of each group, shape (k, d). They are shorter than 1.
        labels: Group of each row, from 0 to k - 1, or -1 for noise, shape (n,).
        distances: Euclidean distance from the unit vector of each row to its centre, or from noise to the nearest one,
            from 0 to 2, shape (n,).
        sizes: Number of rows of each group, at least 1, shape (k,).
        sse: Sum of the squares of the distances within groups. K-means minimises it.
        seed: Seed of the random choices.
    """

    centres: NDArray[np.float32]
    labels: NDArray[np.intp]
    distances: NDArray[np.float64]
    sizes: NDArray[np.intp]
    sse: float
    seed: int

    @property
    def members(self) -> tuple[NDArray[np.intp], ...]:
        """Return the rows of each group, the most central first."""
        order = np.lexsort((self.distances, self.labels))[len(self.labels) - self.sizes.sum() :]
        return tuple(np.split(order, np.cumsum(self.sizes)[:-1]))

    @property
    def noise(self) -> NDArray[np.intp]:
        """Return the rows of no group, those nearest to a centre first."""
        rows = np.flatnonzero(self.labels == NOISE)
        nearest: NDArray[np.intp] = rows[np.argsort(self.distances[rows], kind="stable")]
        return nearest


def fit_clusters(rows: ArrayLike, k: int, *, seed: int = 5) -> Clusters:
    """
    Group rows by K-means.

    Up to 1,000 rows, the best of ten k-means++ starts is used. With more rows, the work begins with six groups too many
    and merges the groups whose union costs least. Measured: the error is within 0.4 % of ten starts, in an eighth of
    the time. Above 20,000 rows a sample does this and all rows only finish it, so the time grows with the number of
    rows.

    Args:
        rows: Vectors, shape (n, d), n at least *k*.
        k: Number of groups, from 1 to the number of different directions.
        seed: The same rows and seed give the same groups.

    Raises:
        DataError: There are fewer different directions than groups.
        InvalidVectorError: As `vectors.check`.

    References:
        D. Arthur and S. Vassilvitskii, k-means++: the advantages of careful seeding, SODA 2007.
    """
    unit = directions(rows)
    if not 1 <= k <= len(unit):
        raise _too_few(k, len(unit))
    labels, centres = lloyd(unit, _settled(_sampled(unit, k, seed), k, seed), _FINISH)
    if np.count_nonzero(np.bincount(labels)) < k:
        raise _too_few(k, apart(unit, k))
    return largest_first(unit, labels, centres, seed=seed)


def assign(clusters: Clusters, rows: ArrayLike) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """
    Assign each row to the group with the nearest centre.

    Args:
        clusters: From `fit_clusters`.
        rows: Vectors as long as the vectors of the groups, shape (m, d). m may be 0.

    Returns:
        Labels and Euclidean distances to the centres, both of shape (m,).

    Raises:
        InvalidVectorError: As `vectors.check`, or the vectors have another length.
    """
    unit = directions(rows, clusters.centres.shape[1])
    labels, _ = nearest_centres(unit, clusters.centres)
    return labels, distances(unit, clusters.centres, labels)


def distances(
    unit: NDArray[np.float32], centres: NDArray[np.floating], labels: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return the Euclidean distance of each unit vector to the centre of its label, shape (n,)."""
    found = np.empty(len(unit))
    for start in range(0, len(unit), _ROWS):  # by differences: of products, 7 digits would cancel out
        part = slice(start, start + _ROWS)
        found[part] = np.linalg.norm(unit[part] - centres[labels[part]].astype(np.float64), axis=1)
    return found


def next_distances(
    unit: NDArray[np.float32], centres: NDArray[np.float32], labels: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return the distance of each unit vector to the second nearest centre, shape (n,), or inf for k = 1."""
    if len(centres) < 2:
        return np.full(len(unit), np.inf)
    exact, nearest = centres.astype(np.float64), np.empty(len(unit), np.intp)
    halves = (exact**2).sum(axis=1) / 2
    for start in range(0, len(unit), _ROWS):
        part = slice(start, start + _ROWS)
        nearness = unit[part] @ exact.T - halves
        np.put_along_axis(nearness, labels[part, None], -np.inf, axis=1)
        nearest[part] = nearness.argmax(axis=1)
    return distances(unit, exact, nearest)


def different(unit: NDArray[np.floating], enough: int) -> int:
    """Count the different rows of shape (n, d). Counting may stop at *enough*."""
    few = len(np.unique(unit[: 4 * enough], axis=0))
    return few if few >= enough else len(np.unique(unit, axis=0))


def apart(unit: NDArray[np.floating], enough: int) -> int:
    """Count the unit vectors, shape (n, d), that differ by more than rounding. Counting stops at *enough*."""
    nearest, count = np.full(len(unit), -1.0), 0
    while count < enough and len(unit) and nearest.min() < 1 - _ROUNDING:
        nearest = np.maximum(nearest, unit @ unit[nearest.argmin()])
        count += 1
    return count


def cluster_names(clusters: Clusters, names: Sequence[str], count: int = 3) -> tuple[str, ...]:
    """
    Name each group by its most central members, as "マアジ, マサバ, ブリ".

    Args:
        clusters: From `fit_clusters`.
        names: One name for each row. Equal names in a group count once.
        count: Number of members in a name, at least 1.

    Raises:
        DataError: There are not as many names as rows.
    """
    if len(names) != len(clusters.labels):
        raise DataError(f"There must be one name for each of the {len(clusters.labels)} rows. Got {len(names)}.")
    each = (dict.fromkeys(names[row] for row in rows) for rows in clusters.members)
    return tuple(", ".join(itertools.islice(found, count)) for found in each)


def _sampled(unit: NDArray[np.float32], k: int, seed: int) -> NDArray[np.float32]:
    count = max(_SAMPLE, _PER_CLUSTER * k)
    if len(unit) <= count:
        return unit
    sample = unit[np.sort(np.random.default_rng(seed).choice(len(unit), count, replace=False))]
    return sample if different(sample, k) >= k else unit  # of a table of copies, the few others may be missing


def _settled(unit: NDArray[np.float32], k: int, seed: int) -> NDArray[np.float64]:
    """Return the centres of a good start."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # products this small take ten times as long on two threads of a busy machine
        if len(unit) <= FEW:
            return best_of_ten(unit.astype(np.float64), k, seed)[1]
        top = min(k + ABOVE, different(unit, k + ABOVE))
        return [*merging(unit, top, min(k, top), seed)][-1][1]


def best_of_ten(rows: NDArray[np.float64], k: int, seed: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Group rows as the loop of the workshop did. Return labels and centres, as `lloyd`."""
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of rows that differ too little: some groups stay empty
        found = KMeans(k, n_init=STARTS, random_state=seed).fit(rows)
    return found.labels_.astype(np.intp), found.cluster_centers_.astype(np.float64)


def merging(
    rows: NDArray[np.float32], top: int, k: int, seed: int
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float64]]]:
    """
    Group rows into *top* groups by one k-means++ start, then merge down to *k* groups.

    Yields:
        Labels and centres, as `lloyd`, for each number of groups.

    References:
        J. H. Ward, Hierarchical grouping to optimize an objective function, JASA 58, 1963.
    """
    from sklearn.cluster import kmeans_plusplus

    labels, centres = lloyd(rows, kmeans_plusplus(rows, top, random_state=seed)[0])
    yield labels, centres
    for count in range(top, k, -1):
        labels, centres = lloyd(rows, _merged(centres, np.bincount(labels, minlength=count)))
        yield labels, centres


def _merged(centres: NDArray[np.float64], counts: NDArray[np.intp]) -> NDArray[np.float64]:
    """Make one group of the two whose union costs least."""
    sizes = np.maximum(counts, _NOBODY)
    squares = (centres**2).sum(axis=1)
    apart = squares[:, None] + squares - 2 * centres @ centres.T
    cost = apart * sizes[:, None] * sizes / (sizes[:, None] + sizes)
    np.fill_diagonal(cost, np.inf)
    one, other = np.unravel_index(cost.argmin(), cost.shape)
    fewer = centres.copy()
    fewer[one] = np.average(centres[[one, other]], axis=0, weights=sizes[[one, other]])
    return np.delete(fewer, other, axis=0)


def largest_first(
    unit: NDArray[np.float32],
    labels: NDArray[np.intp],
    centres: NDArray[np.float64] | None = None,
    *,
    seed: int,
) -> Clusters:
    """
    Number groups by their size.

    Args:
        unit: Unit vectors, shape (n, d).
        labels: Group of each row, from 0, shape (n,). No group is empty.
        centres: Centre of each group, shape (k, d), or None for the means.
        seed: Seed to note.
    """
    _, first, sizes = np.unique(labels, return_index=True, return_counts=True)
    order = np.lexsort((first, -sizes))
    labels = np.argsort(order)[labels]
    means = sums(unit, labels, len(order)) / sizes[order, None] if centres is None else centres[order]
    found = distances(unit, means, labels)
    return Clusters(means.astype(np.float32), labels, found, sizes[order], float((found**2).sum()), seed)


def _too_few(k: int, most: int) -> DataError:
    return DataError(
        f"The number of groups must be from 1 to the number of different vectors, {most}. Got {k}; choose one of these."
    )
