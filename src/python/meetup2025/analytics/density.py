"""
Groups of dense regions: HDBSCAN on a map of few dimensions. What lies between the regions is noise, and of no group.

Vectors of hundreds of numbers are all about equally far from each other, and no region is dense. UMAP to a few
dimensions brings the regions out: https://umap-learn.readthedocs.io/en/latest/clustering.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meetup2025.analytics.clusters import NOISE, Clusters, distances, largest_first
from meetup2025.analytics.lloyd import nearest_centres
from meetup2025.analytics.maps import fit_map
from meetup2025.analytics.neighbours import directions
from meetup2025.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

DIMENSIONS = 10
"""Dimensions of the map. Two or three, which eyes need, would press regions together."""


def fit_density(rows: ArrayLike, least: int = 5, *, seed: int = 5) -> Clusters:
    """
    Group rows by HDBSCAN.

    Args:
        rows: Vectors, shape (n, d), n at least *least*.
        least: Fewest members of a group, from 2.
        seed: Seed of the map.

    Returns:
        The groups, the largest first. A row of noise has the label -1, and the distance to the nearest centre.

    Raises:
        DataError: There are fewer rows than a group must have, or no group is found.
        InvalidVectorError: As `vectors.check`.

    References:
        R. J. G. B. Campello, D. Moulavi and J. Sander, Density-based clustering based on hierarchical density
        estimates, PAKDD 2013.
    """
    unit = directions(rows)
    if not 2 <= least <= len(unit):
        raise DataError(f"A group must have at least 2 to {len(unit)} members. Got {least}.")
    labels = _dense(unit, least, seed)
    grouped = labels != NOISE
    if not grouped.any():
        raise DataError(
            f"A group of at least {least} members must be found by HDBSCAN. Got noise alone; choose a smaller number."
        )
    return _with_noise(unit, labels, largest_first(unit[grouped], labels[grouped], seed=seed))


def _dense(unit: NDArray[np.float32], least: int, seed: int) -> NDArray[np.intp]:
    """Return the group of each row by HDBSCAN, in no order, or -1."""
    from sklearn.cluster import HDBSCAN

    places = fit_map(unit, dimensions=DIMENSIONS, min_dist=0.0, seed=seed).embedding
    labels: NDArray[np.intp] = HDBSCAN(min_cluster_size=least, copy=True).fit_predict(places).astype(np.intp)
    return labels


def _with_noise(unit: NDArray[np.float32], found: NDArray[np.intp], groups: Clusters) -> Clusters:
    """Return groups of some rows as groups of all rows, of which the others are noise."""
    labels = np.full(len(unit), NOISE, np.intp)
    labels[found != NOISE] = groups.labels
    nearest, _ = nearest_centres(unit, groups.centres)
    away = distances(unit, groups.centres, np.where(labels == NOISE, nearest, labels))
    return Clusters(groups.centres, labels, away, groups.sizes, groups.sse, groups.seed)
