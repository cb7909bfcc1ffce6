"""
Detectors of outliers, all of one form.

A detector is fitted to rows, scores other rows (the higher, the odder), and keeps honest scores of its own rows. A
fitted detector is a record of arrays and numbers. It is stored as it is, and reading it runs no code.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from meetup2025.analytics import clusters, neighbours
from meetup2025.analytics.forest import IsolationForest
from meetup2025.analytics.lloyd import nearest_centres
from meetup2025.analytics.reconstruction import Reconstruction
from meetup2025.analytics.thresholds import rounded
from meetup2025.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

_NEIGHBOURS = 5
"""Neighbours that are used where no number is given."""

_ODD = 0.02
"""Share of very many rows that are compared with all others: the rows that seem odd."""

_EXEMPLARS = 3
"""Exemplars that are drawn where none are given. The workshop had as many."""

_GROUPS = 30
"""Most groups that are made where no number is given."""


class Detector(Protocol):
    """A fitted detector."""

    @classmethod
    def fit(cls, rows: ArrayLike, *, seed: int = 5) -> Detector:
        """
        Fit the detector to normal rows of shape (n, d).

        Raises:
            DataError: There are too few rows.
            InvalidVectorError: As `vectors.check`.
        """

    @property
    def own_scores(self) -> NDArray[np.float64]:
        """
        Return the scores of the fitted rows, shape (n,).

        Where the method allows it, a row is left out for its own score.
        """

    def scores(self, rows: ArrayLike) -> NDArray[np.float64]:
        """
        Return the scores of new rows of shape (m, d): shape (m,), the higher, the odder.

        Raises:
            DataError: The vectors have another length than the fitted vectors.
            InvalidVectorError: As `vectors.check`.
        """


@dataclass(frozen=True)
class Neighbours:
    """
    Mean cosine distance to the nearest *k* rows, from 0 to 2.

    Attributes:
        k: Number of neighbours.
        known: Unit vectors of the fitted rows, shape (n, d).
        own_scores: Scores of the fitted rows, shape (n,). A row is not its own neighbour.

    References:
        F. Angiulli and C. Pizzuti, Fast outlier detection in high dimensional spaces, PKDD 2002.
    """

    k: int
    known: NDArray[np.float32]
    own_scores: NDArray[np.float64]

    @classmethod
    def fit(cls, rows: ArrayLike, *, seed: int = 5, k: int | None = None) -> Neighbours:  # noqa: ARG003 - nothing is drawn
        """
        Keep the rows: at least 2, and more than *k*. None takes 5 neighbours, or all other rows where there are fewer.
        """
        known = neighbours.directions(rows)
        _check_enough(known)
        k = min(_NEIGHBOURS, len(known) - 1) if k is None else k
        return cls(k, known, _own_scores(known, k))

    def scores(self, rows: ArrayLike) -> NDArray[np.float64]:
        """Score new rows. A known row finds itself as a neighbour, so use `own_scores` for known rows."""
        unit = neighbours.directions(rows, self.known.shape[1])
        return _mean(neighbours.nearest_directions(unit, self.known, self.k))


@dataclass(frozen=True)
class KMeansDistance:
    """
    Euclidean distance of the unit vector to the nearest centre of K-means, from 0 to 2.

    Attributes:
        centres: Centres of the groups, shape (k, d).
        own_scores: Distance of a row to the centre of its group without this row, shape (n,). For a row that is alone
            in its group, it is the distance to the next centre.
    """

    centres: NDArray[np.float32]
    own_scores: NDArray[np.float64]

    @classmethod
    def fit(cls, rows: ArrayLike, *, seed: int = 5, k: int | None = None) -> KMeansDistance:
        """Group the rows, at least 2. None makes as many groups as the square root of their number, at most 30."""
        unit = neighbours.directions(rows)
        _check_enough(unit)
        if k is None:
            most = min(_GROUPS, round(len(unit) ** 0.5))
            k = min(most, clusters.apart(unit, most))
        found = clusters.fit_clusters(unit, k, seed=seed)
        return cls(found.centres, _without_itself(unit, found))

    def scores(self, rows: ArrayLike) -> NDArray[np.float64]:
        """Score new rows."""
        unit = neighbours.directions(rows, self.centres.shape[1])
        labels, _ = nearest_centres(unit, self.centres)
        return rounded(clusters.distances(unit, self.centres, labels))


@dataclass(frozen=True)
class ByExemplar:
    """
    Cosine distance to the most similar normal exemplar, from 0 to 2, as in the SQL of the workshop.

    Attributes:
        exemplars: Unit vectors of the exemplars, shape (m, d).
        own_scores: Scores of the fitted rows, shape (n,). An exemplar among the rows is compared with the other
            exemplars.
    """

    exemplars: NDArray[np.float32]
    own_scores: NDArray[np.float64]

    @classmethod
    def fit(cls, rows: ArrayLike, *, seed: int = 5, exemplars: ArrayLike | None = None) -> ByExemplar:
        """Take the exemplars, shape (m, d). None draws three of the rows. There are at least 2 rows."""
        unit = neighbours.directions(rows)
        if exemplars is not None:
            given = neighbours.directions(exemplars)
            if not len(given):
                raise DataError("There must be at least 1 exemplar, of normal items. Got 0; name some.")
            return cls(given, _distance(neighbours.nearest_directions(unit, given, 1).cosines[:, 0]))
        _check_enough(unit)
        drawn = np.random.default_rng(seed).choice(len(unit), min(_EXEMPLARS, len(unit)), replace=False)
        cosines = unit @ unit[drawn].T
        cosines[drawn, np.arange(len(drawn))] = -np.inf
        return cls(unit[drawn], _distance(cosines.max(axis=1)))

    def scores(self, rows: ArrayLike) -> NDArray[np.float64]:
        """Score new rows."""
        unit = neighbours.directions(rows, self.exemplars.shape[1])
        return _distance(neighbours.nearest_directions(unit, self.exemplars, 1).cosines[:, 0])


DETECTORS: Mapping[str, type[Detector]] = {
    each.__name__: each for each in (Neighbours, KMeansDistance, IsolationForest, Reconstruction, ByExemplar)
}
"""All detectors by name. The first is the default."""


def _check_enough(unit: NDArray[np.float32]) -> None:
    if len(unit) < 2:
        raise DataError(f"A detector needs at least 2 vectors. Got {len(unit)}; add some.")


def _own_scores(known: NDArray[np.float32], k: int) -> NDArray[np.float64]:
    """
    Return the mean distance of each row to its neighbours.

    Of very many rows, nearly all neighbours are found. A missed neighbour makes a row odder. So the rows that seem odd
    are compared with all others.
    """
    found = neighbours.other_items(known, k)
    if len(known) > neighbours.ALL_COMPARED:
        odd = np.argsort(-found.distances.mean(axis=1))[: math.ceil(_ODD * len(known))]
        found = neighbours.compare_all(known, found, odd)
    return _mean(found)


def _mean(found: neighbours.NearestRows) -> NDArray[np.float64]:
    return rounded(found.distances.mean(axis=1, dtype=np.float64))


def _distance(cosines: NDArray[np.float32]) -> NDArray[np.float64]:
    return rounded(1 - cosines.astype(np.float64))


def _without_itself(unit: NDArray[np.float32], found: clusters.Clusters) -> NDArray[np.float64]:
    """
    Return the distance of each row to the nearest centre. The own centre is the mean of the other rows of the group.
    """
    sizes = found.sizes[found.labels]
    apart = np.full(len(unit), np.inf)
    np.divide(found.distances * sizes, sizes - 1, out=apart, where=sizes > 1)
    others = clusters.next_distances(unit, found.centres, found.labels)
    return rounded(np.minimum(apart, others))
