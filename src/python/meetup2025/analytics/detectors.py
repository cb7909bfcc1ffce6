"""
What does not belong: detectors of one form.

Each is fitted to rows, gives other rows scores (the higher, the odder), and keeps honest scores of its own rows. A
fitted detector is a record of arrays and numbers, so that it can be stored as they are and read without running code.
"""

from __future__ import annotations

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
"""Neighbours that are asked where no number is given."""

_EXEMPLARS = 3
"""Exemplars that are drawn where none are given: as many as the workshop had."""

_GROUPS = 30
"""Most groups that are made where no number is given."""


class Detector(Protocol):
    """A detector, fitted."""

    @classmethod
    def fit(cls, rows: ArrayLike, *, seed: int = 5) -> Detector:
        """
        Learn what is normal from rows of shape (n, d).

        Raises:
            DataError: There are too few rows.
            InvalidVectorError: As `vectors.check`.
        """

    @property
    def own_scores(self) -> NDArray[np.float64]:
        """Scores of the rows it was fitted to, shape (n,), as if each had been left out where the method allows it."""

    def scores(self, rows: ArrayLike) -> NDArray[np.float64]:
        """
        Give the oddness of new rows of shape (m, d): shape (m,), the higher, the odder.

        Raises:
            DataError: The vectors have another length than those it was fitted to.
            InvalidVectorError: As `vectors.check`.
        """


@dataclass(frozen=True)
class Neighbours:
    """
    Mean cosine distance to the nearest *k* rows, from 0 to 2.

    Attributes:
        k: Number of neighbours.
        known: Shape (n, d), unit vectors.
        own_scores: Shape (n,); a row is not its own neighbour.

    References:
        F. Angiulli and C. Pizzuti, Fast outlier detection in high dimensional spaces, PKDD 2002.
    """

    k: int
    known: NDArray[np.float32]
    own_scores: NDArray[np.float64]

    @classmethod
    def fit(cls, rows: ArrayLike, *, seed: int = 5, k: int | None = None) -> Neighbours:  # noqa: ARG003 - nothing is drawn
        """Keep rows, at least 2 and more than *k*; None takes 5 neighbours, or all others where there are fewer."""
        known = neighbours.directions(rows)
        _check_enough(known)
        k = min(_NEIGHBOURS, len(known) - 1) if k is None else k
        return cls(k, known, _mean(neighbours.nearest_others(known, k)))

    def scores(self, rows: ArrayLike) -> NDArray[np.float64]:
        """Score new rows; one that is among the known has itself as a neighbour, so take `own_scores` for these."""
        unit = neighbours.directions(rows, self.known.shape[1])
        return _mean(neighbours.nearest_directions(unit, self.known, self.k))


@dataclass(frozen=True)
class KMeansDistance:
    """
    Euclidean distance of the unit vector to the nearest centre of K-means, from 0 to 2.

    Attributes:
        centres: Shape (k, d).
        own_scores: Shape (n,); the distance that a row has to its group without it. For a row alone in its group that
            is the distance to the next centre.
    """

    centres: NDArray[np.float32]
    own_scores: NDArray[np.float64]

    @classmethod
    def fit(cls, rows: ArrayLike, *, seed: int = 5, k: int | None = None) -> KMeansDistance:
        """Group rows, at least 2; None makes as many groups as the square root of their number, at most 30."""
        unit = neighbours.directions(rows)
        _check_enough(unit)
        if k is None:
            most = min(_GROUPS, round(len(unit) ** 0.5))
            k = min(most, clusters.different(unit, most))
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
    Cosine distance to the most similar exemplar of what is normal, from 0 to 2: the SQL of the workshop.

    Attributes:
        exemplars: Shape (m, d), unit vectors.
        own_scores: Shape (n,); an exemplar that was drawn from the rows is compared with the others.
    """

    exemplars: NDArray[np.float32]
    own_scores: NDArray[np.float64]

    @classmethod
    def fit(cls, rows: ArrayLike, *, seed: int = 5, exemplars: ArrayLike | None = None) -> ByExemplar:
        """Take the exemplars, shape (m, d); None draws three of the rows, which are at least 2."""
        unit = neighbours.directions(rows)
        if exemplars is not None:
            given = neighbours.directions(exemplars)
            if not len(given):
                raise DataError("There must be at least 1 exemplar of what is normal. Got 0; name some.")
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
"""All detectors by name; the first is the default."""


def _check_enough(unit: NDArray[np.float32]) -> None:
    if len(unit) < 2:
        raise DataError(f"To tell what is odd there must be at least 2 vectors. Got {len(unit)}; add some.")


def _mean(found: neighbours.Neighbours) -> NDArray[np.float64]:
    return rounded(found.distances.mean(axis=1, dtype=np.float64))


def _distance(cosines: NDArray[np.float32]) -> NDArray[np.float64]:
    return rounded(1 - cosines.astype(np.float64))


def _without_itself(unit: NDArray[np.float32], found: clusters.Clusters) -> NDArray[np.float64]:
    """Give the distance of each row to the nearest centre, its own being that of the others of its group."""
    sizes = found.sizes[found.labels]
    apart = np.full(len(unit), np.inf)
    np.divide(found.distances * sizes, sizes - 1, out=apart, where=sizes > 1)
    others = clusters.next_distances(unit, found.centres, found.labels)
    return rounded(np.minimum(apart, others))
