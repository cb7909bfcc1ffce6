"""
What is wrong with a collection: labels that its vectors contradict, copies, photos that no name fits, unused names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from meetup2025.analytics import neighbours
from meetup2025.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

_BLOCK = 1 << 22
"""Cosines that are in the memory at once: few, since all of them may be of copies."""

_ROUNDING = 1e-6
"""What a cosine of equal directions may lack of 1 in float32."""


@dataclass(frozen=True)
class Suspect:
    """
    A label that is probably wrong.

    Attributes:
        row: Place of the item.
        label: What it is called.
        suggested: What most of its neighbours are called.
        score: Share of the neighbours with the suggested label, less that of those with its own; above 0, at most 1.
    """

    row: int
    label: str
    suggested: str
    score: float


@dataclass(frozen=True)
class Duplicates:
    """
    Pairs of rows that are nearly the same.

    Attributes:
        pairs: Shape (m, 2); the lower place first; the most similar pairs first.
        cosines: Shape (m,), falling.
        total: Number of pairs that there are; more than m where not all are given.
    """

    pairs: NDArray[np.intp]
    cosines: NDArray[np.float32]
    total: int

    @property
    def groups(self) -> tuple[NDArray[np.intp], ...]:
        """The rows that the pairs connect, each group rising, by its first row."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        places, ends = np.unique(self.pairs, return_inverse=True)
        left, right = ends.reshape(-1, 2).T
        graph = coo_array((np.ones(len(left)), (left, right)), shape=(len(places), len(places)))
        count, group = connected_components(graph, directed=False)
        return tuple(places[group == each] for each in range(count))


@dataclass(frozen=True)
class Coverage:
    """
    How photos and names meet.

    Attributes:
        nearest: Shape (n,); the place of the name nearest to each photo.
        cosines: Shape (n,); its cosine.
        unlike: Photos whose nearest name is below the threshold, the least like any first.
        unused: Names that are the nearest of no other photo, rising.
    """

    nearest: NDArray[np.intp]
    cosines: NDArray[np.float32]
    unlike: NDArray[np.intp]
    unused: NDArray[np.intp]


def suspect_labels(
    rows: ArrayLike,
    labels: Sequence[str | None],
    *,
    k: int = 5,
    names: Sequence[str] = (),
    name_rows: ArrayLike | None = None,
) -> tuple[Suspect, ...]:
    """
    Find labels that more than half of the nearest labelled rows contradict with one voice, and the nearest name too.

    Args:
        rows: Shape (n, d).
        labels: One for each row; None or an empty text where a row has none: it is neither suspected nor asked.
        k: Number of neighbours, below the number of labelled rows.
        names: Names with vectors of their own; without them, the neighbours decide alone.
        name_rows: Shape (m, d); the vectors of *names*.

    Returns:
        The suspects, the surest first.

    Raises:
        DataError: The lengths differ, or there are not *k* other labelled rows.
        InvalidVectorError: As `vectors.check`.

    References:
        D. L. Wilson, Asymptotic properties of nearest neighbor rules using edited data, IEEE Transactions on Systems,
        Man, and Cybernetics 2, 1972.
    """
    unit = neighbours.directions(rows)
    if len(labels) != len(unit):
        raise DataError(f"There must be one label, or None, for each of the {len(unit)} rows. Got {len(labels)}.")
    places = np.array([row for row, label in enumerate(labels) if label], np.intp)
    kinds, own = np.unique([labels[row] or "" for row in places], return_inverse=True)
    voices = own[neighbours.nearest_others(unit[places], k).indices]
    most = np.sort(voices, axis=1)[:, k // 2]  # whatever has more than half is in the middle
    votes, mine = (voices == most[:, None]).sum(axis=1), (voices == own[:, None]).sum(axis=1)
    wrong = (2 * votes > k) & (most != own)
    if name_rows is not None:
        wrong &= _nearest_names(unit[places], names, name_rows) != kinds[own]
    found = [
        Suspect(int(places[at]), str(kinds[own[at]]), str(kinds[most[at]]), float((votes[at] - mine[at]) / k))
        for at in np.flatnonzero(wrong)
    ]
    return tuple(sorted(found, key=lambda suspect: -suspect.score))


def duplicates(rows: ArrayLike, threshold: float = 0.98, *, most: int = 10_000) -> Duplicates:
    """
    Find pairs of rows that are nearly the same; all are compared.

    Args:
        rows: Shape (n, d).
        threshold: Lowest cosine of a pair, above 0 and at most 1.
        most: Number of pairs to give, at least 1; the most similar.

    Raises:
        DataError: *threshold* or *most* is out of range.
        InvalidVectorError: As `vectors.check`.
    """
    if not 0 < threshold <= 1 or most < 1:
        raise DataError(f"The threshold must be above 0 and at most 1, for at least 1 pair. Got {threshold}, {most}.")
    unit, total = neighbours.directions(rows), 0
    pairs, cosines = np.empty((0, 2), np.intp), np.empty(0, np.float32)
    step = max(1, _BLOCK // max(1, len(unit)))
    for start in range(0, len(unit), step):
        block = unit[start : start + step] @ unit[start:].T
        row, column = np.nonzero(np.triu(block >= threshold - _ROUNDING, k=1))
        total += len(row)
        pairs = np.concatenate([pairs, np.stack([row, column], axis=1) + start])
        cosines = np.concatenate([cosines, np.minimum(block[row, column], 1)])
        best = np.lexsort((*pairs.T[::-1], -cosines))[:most]
        pairs, cosines = pairs[best], cosines[best]
    return Duplicates(pairs, cosines, total)


def coverage(rows: ArrayLike, name_rows: ArrayLike, threshold: float) -> Coverage:
    """
    Find photos that no name fits, and names that no photo shows.

    Args:
        rows: Shape (n, d); vectors of photos; n may be 0.
        name_rows: Shape (m, d); vectors of names, at least 1.
        threshold: Cosine below which a name does not fit, from -1 to 1. The cosines of a photo and a text are lower
            than those of two photos: look at some first.

    Raises:
        DataError: There is no name, or *threshold* is out of range.
        InvalidVectorError: As `vectors.check`.
    """
    if not -1 <= threshold <= 1:
        raise DataError(f"The threshold must be from -1 to 1. Got {threshold}.")
    known = neighbours.directions(name_rows)
    if not len(known):
        raise DataError("There must be at least 1 name to compare photos with. Got 0; load the names first.")
    found = neighbours.nearest_directions(neighbours.directions(rows), known, 1)
    nearest, cosines = found.indices[:, 0], found.cosines[:, 0]
    order = np.argsort(cosines, kind="stable")
    unlike = order[cosines[order] < threshold]
    return Coverage(nearest, cosines, unlike, np.setdiff1d(np.arange(len(known)), np.delete(nearest, unlike)))


def _nearest_names(unit: NDArray[np.float32], names: Sequence[str], name_rows: ArrayLike) -> NDArray[np.str_]:
    known = neighbours.directions(name_rows)
    if len(names) != len(known):
        raise DataError(f"There must be one name for each of the {len(known)} vectors of names. Got {len(names)}.")
    return np.array(names)[neighbours.nearest_directions(unit, known, 1).indices[:, 0]]
