"""Faults of a collection: labels that its vectors contradict, copies, photos that no name fits, unused names."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from meetup2025 import vectors
from meetup2025.analytics import neighbours, recogniser
from meetup2025.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

_BLOCK = 1 << 22
"""Cosines that are in memory at once: few, because all of them may be of copies."""

_COMPARED = 2000
"""Labelled rows from which a threshold of copies is learnt."""

_RARE, _USUAL = 10_000, 0.98
"""
One of this many pairs of different labels is as similar as copies. The second number is the cosine with fewer pairs.
"""

_ROUNDING = 1e-6
"""Most that a cosine of equal directions lacks of 1 in float32."""


@dataclass(frozen=True)
class Suspect:
    """
    A label that is probably wrong.

    Attributes:
        row: Index of the item.
        label: Its present label.
        suggested: The label of the highest probability.
        own: Probability of its own label, by the other items.
        best: Probability of the suggested label.
    """

    row: int
    label: str
    suggested: str
    own: float
    best: float


@dataclass(frozen=True)
class Duplicates:
    """
    Pairs of rows that are nearly the same.

    Attributes:
        pairs: Indices of the rows, shape (m, 2), the lower first. The most similar pairs come first.
        cosines: Cosines of the pairs, shape (m,), falling.
        total: Number of all pairs. It is above m where not all are returned.
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
    Photos and names that fit, or fit nothing.

    Attributes:
        nearest: Index of the name nearest to each photo, shape (n,).
        cosines: Cosine of this name, shape (n,).
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
    threshold: float = 0.02,
    names: Sequence[str] = (),
    name_rows: ArrayLike | None = None,
) -> tuple[Suspect, ...]:
    """
    Find labels that have next to no probability by the other rows, and by names as far as names can help.

    Args:
        rows: Vectors, shape (n, d).
        labels: Label of each row. A row with None or an empty text is neither suspected nor asked.
        threshold: Probability below which a label is suspected, above 0 and at most 1. A label that fewer than two
            other rows have is never suspected: nobody can vouch for it.
        names: Names with vectors of their own.
        name_rows: Vectors of *names*, shape (m, d).

    Returns:
        The suspects, the surest first.

    Raises:
        DataError: The lengths differ, no row has a label, or *threshold* is out of range.
        InvalidVectorError: As `vectors.check`.

    References:
        C. Northcutt et al., Confident learning, Journal of Artificial Intelligence Research 70, 2021: labels that are
        unlikely by the other data.
    """
    if not 0 < threshold <= 1:
        raise DataError(f"The probability of a suspected label must be above 0 and at most 1. Got {threshold}.")
    array = vectors.check(rows)
    if len(labels) != len(array):
        raise DataError(f"There must be one label, or None, for each of the {len(array)} rows. Got {len(labels)}.")
    places = [row for row, label in enumerate(labels) if label]
    known = [labels[row] or "" for row in places]
    found = recogniser.fit(array[places], known, names=names, name_rows=name_rows, judged=len(places)).judgements
    counts = Counter(known)
    suspects = [
        Suspect(row, label, best, float(own), float(highest))
        for row, label, best, own, highest in zip(places, known, found.best, found.own, found.highest, strict=True)
        if counts[label] > 2 and own < threshold and best != label
    ]
    return tuple(sorted(suspects, key=lambda suspect: suspect.own))


def copy_threshold(rows: ArrayLike, labels: Sequence[str | None]) -> float:
    """
    Return the cosine above which two rows are nearly the same, by pairs of different labels, which are not the same.

    Args:
        rows: Vectors, shape (n, d).
        labels: Label of each row, or None or an empty text.

    Returns:
        The cosine that one of 10,000 pairs of different labels reaches, or 0.98 where there are fewer pairs.

    Raises:
        InvalidVectorError: As `vectors.check`.
    """
    places = [row for row, label in enumerate(labels) if label]
    chosen = [places[at] for at in np.unique(np.linspace(0, len(places) - 1, _COMPARED).astype(int))] if places else []
    own = np.unique([labels[row] or "" for row in chosen], return_inverse=True)[1]
    unit = neighbours.directions(np.asarray(rows)[chosen]) if chosen else np.empty((0, 1), np.float32)
    differ = np.triu(own[:, None] != own[None], k=1)
    if differ.sum() < _RARE:
        return _USUAL
    return float(np.quantile((unit @ unit.T)[differ], 1 - 1 / _RARE))


def similar_looks(looks: Sequence[str], most: int = 6) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """
    Find pairs of pictures that look the same, by their perceptual hashes.

    Args:
        looks: Hash of each picture as 16 hexadecimal digits, or an empty text.
        most: Most bits of 64 that differ.

    Returns:
        The pairs, shape (m, 2), the lower index first, and the numbers of different bits, shape (m,).
    """
    places = np.array([place for place, look in enumerate(looks) if look], np.intp)
    digits = np.array([int(looks[place], 16) for place in places], np.dtype(">u8"))
    bits = np.unpackbits(digits.view(np.uint8).reshape(-1, 8), axis=1).astype(np.float32) * 2 - 1
    pairs, apart = [np.empty((0, 2), np.intp)], [np.empty(0, np.intp)]
    step = max(1, _BLOCK // max(1, len(bits)))
    for start in range(0, len(bits), step):
        differ = (64 - bits[start : start + step] @ bits[start:].T) / 2
        row, column = np.nonzero(np.triu(differ <= most, k=1))
        pairs.append(places[np.stack([row, column], axis=1) + start])
        apart.append(differ[row, column].astype(np.intp))
    return np.concatenate(pairs), np.concatenate(apart)


def duplicates(rows: ArrayLike, threshold: float = 0.98, *, most: int = 10_000) -> Duplicates:
    """
    Find pairs of rows that are nearly the same. All rows are compared.

    Args:
        rows: Vectors, shape (n, d).
        threshold: Lowest cosine of a pair, above 0 and at most 1.
        most: Most pairs to return, at least 1. The most similar pairs are kept.

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
        rows: Vectors of photos, shape (n, d). n may be 0.
        name_rows: Vectors of names, shape (m, d), m at least 1.
        threshold: Cosine below which a name does not fit, from -1 to 1. The cosines of a photo and a text are lower
            than the cosines of two photos: look at some first.

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
