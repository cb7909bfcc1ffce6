"""
The nearest neighbours of vectors by the cosine. All rows are compared, block by block, so no neighbour is missed.

Very many rows use lists instead: an inverted file puts similar rows into one list, and a row is compared with few lists
only. The errors of a map are larger than the error of a missed neighbour, and outliers are compared with all rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from meetup2025 import vectors
from meetup2025.analytics.lloyd import lloyd, nearest_centres
from meetup2025.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


_BLOCK = 1 << 24
"""Cosines that are in memory at once: 64 MB of float32."""

_TALL = 1024
"""Rows that are compared at once: a product of this height is twice as fast as one of a hundred."""

_ROWS = 512
"""Vectors whose norms are computed at once."""

ALL_COMPARED = 32_768
"""Rows up to which all are compared: 7 seconds for 512 dimensions. Lists take 5 seconds, if the rows are in groups."""

_TRIED = 500
"""Rows that are compared with all others, to learn how many lists hold their neighbours."""

_HELD = 0.99
"""Share of these neighbours that the lists must hold."""

_WORTH = 0.25
"""Share of all pairs above which lists cost more than they save: they compare a pair twice."""


@dataclass(frozen=True)
class NearestRows:
    """
    The nearest rows of each row.

    Attributes:
        indices: Indices of the neighbours, shape (n, k), the nearest first. At equal distances the lower index comes
            first.
        cosines: Cosines of the neighbours, shape (n, k), from -1 to 1, falling.
    """

    indices: NDArray[np.intp]
    cosines: NDArray[np.float32]

    @property
    def distances(self) -> NDArray[np.float32]:
        """Return the cosine distances, from 0 to 2."""
        return np.maximum(1 - self.cosines, 0)


def directions(rows: ArrayLike, dimension: int | None = None) -> NDArray[np.float32]:
    """
    Return the unit vectors of rows. Their products are cosines.

    Args:
        rows: Vectors, shape (n, d).
        dimension: Required length d of the vectors. None allows any.

    Raises:
        DataError: The array has another shape.
        InvalidVectorError: As `vectors.check`.
    """
    array = checked(rows, dimension)
    unit = np.empty(array.shape, np.float32)
    for start in range(0, len(array), _ROWS):  # in blocks, since the norms are computed in float64
        unit[start : start + _ROWS] = vectors.unit(array[start : start + _ROWS])
    return unit


def checked(rows: ArrayLike, dimension: int | None = None) -> NDArray[Any]:
    """Return rows as an array of the shape (n, d). Arguments and errors are those of `directions`."""
    array = vectors.check(rows, dimension=dimension)
    if array.ndim != 2:
        raise DataError(f"Vectors to compare must have the shape (n, d). Got {array.shape}.")
    return array


def nearest(rows: ArrayLike, k: int) -> NearestRows:
    """
    Find the *k* nearest other rows of each row. A row is not its own neighbour, but an equal row is.

    Args:
        rows: Vectors, shape (n, d), n above *k*.
        k: Number of neighbours, at least 1.

    Raises:
        DataError: There are fewer than *k* other rows.
        InvalidVectorError: As `vectors.check`.
    """
    return nearest_others(directions(rows), k)


def nearest_others(unit: NDArray[np.float32], k: int) -> NearestRows:
    """
    Find neighbours as `nearest` does, among unit vectors from `directions`.

    Args:
        unit: Unit vectors, shape (n, d), n above *k*.
        k: Number of neighbours, at least 1.

    Raises:
        DataError: As `nearest`.
    """
    _check_count(k, len(unit) - 1, "others")
    return _nearest(unit, unit, k, others=True)


def nearest_among(rows: ArrayLike, known: ArrayLike, k: int) -> NearestRows:
    """
    Find the *k* rows of *known* that are nearest to each row.

    Args:
        rows: Vectors, shape (n, d).
        known: Vectors to search in, shape (m, d), m at least *k*.
        k: Number of neighbours, at least 1.

    Raises:
        DataError: There are fewer than *k* known rows, or the lengths of the vectors differ.
        InvalidVectorError: As `vectors.check`.
    """
    return nearest_directions(directions(rows), directions(known), k)


def nearest_directions(unit: NDArray[np.float32], base: NDArray[np.float32], k: int) -> NearestRows:
    """
    Find neighbours as `nearest_among` does, among unit vectors from `directions`.

    Args:
        unit: Unit vectors, shape (n, d).
        base: Unit vectors to search in, shape (m, d).
        k: Number of neighbours, at least 1.

    Raises:
        DataError: As `nearest_among`.
    """
    _check_count(k, len(base), "known vectors")
    if unit.shape[1] != base.shape[1]:
        raise DataError(f"Vectors to compare must have one length. Got {unit.shape[1]} and {base.shape[1]}.")
    return _nearest(unit, base, k, others=False)


def compared(unit: NDArray[np.float32], base: NDArray[np.float32], found: NearestRows) -> NearestRows:
    """
    Compute the cosines of neighbours again, row by row, and order the neighbours by them.

    In a product of matrices, the rounding of a row depends on the other rows. The cosines of this function do not.

    Args:
        unit: Rows, shape (n, d), from `directions`.
        base: Rows to which the neighbours belong, shape (m, d), from `directions`.
        found: The neighbours.
    """
    return _ordered(unit, base, found.indices, found.indices.shape[1])


def nearest_of_many(unit: NDArray[np.float32], k: int) -> NearestRows:
    """
    Find nearly all of the *k* nearest others of each row, for many rows in a fraction of the time of `nearest`.

    A row is compared with the rows of the lists around its own list. Some rows that are compared with all rows show how
    many lists this takes. Where the rows are not in groups, it takes many lists. Then all rows are compared.

    Args:
        unit: Unit vectors, shape (n, d), n above *k*, from `directions`.
        k: Number of neighbours, at least 1.

    Raises:
        DataError: As `nearest`.
    """
    _check_count(k, len(unit) - 1, "others")
    file = build(unit)
    lists = _lists(file, unit, k)
    if file.share(lists) > _WORTH:
        return nearest_others(unit, k)
    found = np.empty((len(unit), k), np.intp)
    for number, own in enumerate(file.members):
        near = file.candidates(number, lists, k + 1)
        step = max(1, _BLOCK // len(near))
        for start in range(0, len(own), step):
            rows = own[start : start + step]
            block = unit[rows] @ unit[near].T
            _leave_out(block, start)  # the list of the row itself is the first
            found[rows] = near[_highest(block, k)]
    return _ordered(unit, unit, found, k)


def other_items(unit: NDArray[np.float32], k: int) -> NearestRows:
    """Find the *k* nearest others of each row: all of them, or nearly all where there are very many rows."""
    return nearest_others(unit, k) if len(unit) <= ALL_COMPARED else nearest_of_many(unit, k)


def compare_all(unit: NDArray[np.float32], found: NearestRows, rows: NDArray[np.intp]) -> NearestRows:
    """Compare some rows with all others, and return the neighbours *found* of all rows with these corrected."""
    k = found.indices.shape[1]
    near = nearest_directions(unit[rows], unit, k + 1)
    others = np.argsort(near.indices == rows[:, None], axis=1, kind="stable")[:, :k]  # the row itself goes last
    indices, cosines = found.indices.copy(), found.cosines.copy()
    indices[rows] = np.take_along_axis(near.indices, others, axis=1)
    cosines[rows] = np.take_along_axis(near.cosines, others, axis=1)
    return NearestRows(indices, cosines)


def _lists(file: InvertedFile, unit: NDArray[np.float32], k: int) -> int:
    """Use some rows to find how many lists around the list of a row hold its nearest neighbours."""
    rows = np.linspace(0, len(unit) - 1, min(len(unit), _TRIED)).astype(np.intp)
    near = nearest_directions(unit[rows], unit, k + 1).indices
    ranks = file.ranks[file.labels[rows][:, None], file.labels[near]]
    return int(np.quantile(ranks, _HELD, method="higher")) + 1


def _ordered(unit: NDArray[np.float32], base: NDArray[np.float32], candidates: NDArray[np.intp], k: int) -> NearestRows:
    """Return the *k* nearest of the candidates of each row."""
    indices = np.empty((len(unit), k), np.intp)
    cosines = np.empty((len(unit), k), np.float32)
    step = max(1, _BLOCK // (candidates.shape[1] * unit.shape[1]))
    for start in range(0, len(unit), step):
        rows = slice(start, start + step)
        exact = np.einsum("nd,nkd->nk", unit[rows], base[candidates[rows]])
        order = np.argsort(-exact, axis=1, kind="stable")[:, :k]
        indices[rows] = np.take_along_axis(candidates[rows], order, axis=1)
        cosines[rows] = np.take_along_axis(exact, order, axis=1)
    return NearestRows(indices, np.clip(cosines, -1, 1))


def _nearest(unit: NDArray[np.float32], base: NDArray[np.float32], k: int, *, others: bool) -> NearestRows:
    found = _Best(len(unit), k)
    step = max(1, min(_TALL, len(unit), _BLOCK))
    width = max(1, _BLOCK // step)
    for start in range(0, len(unit), step):
        rows = unit[start : start + step]
        for left in range(start if others else 0, len(base), width):
            block = rows @ base[left : left + width].T
            if others:  # a pair is compared once, and is news for both rows
                found.add_columns(block, start, left)
                _leave_out(block, start - left)
            found.add_rows(block, start, left)
    return NearestRows(found.indices, np.clip(found.cosines, -1, 1))


class _Best:
    """
    The *k* best neighbours of each row so far. Of equal ones, the first to come stay. They have the lower indices.
    """

    def __init__(self, n: int, k: int) -> None:
        self.indices = np.zeros((n, k), np.intp)
        self.cosines = np.full((n, k), -np.inf, np.float32)

    def add_rows(self, block: NDArray[np.float32], first: int, left: int) -> None:
        """Take a block of cosines of the rows from *first* with the rows from *left*."""
        places = np.flatnonzero(block.max(axis=1) > self.cosines[first : first + len(block), -1])
        self._add(block[places], places + first, left)

    def add_columns(self, block: NDArray[np.float32], first: int, left: int) -> None:
        """Take the same block for the rows of its columns. Skip columns that are among its own rows."""
        after = max(0, first + len(block) - left)
        highest = block[:, after:].max(axis=0, initial=-np.inf)
        places = after + np.flatnonzero(highest > self.cosines[left + after : left + block.shape[1], -1])
        self._add(block[:, places].T, places + left, first)

    def _add(self, block: NDArray[np.float32], rows: NDArray[np.intp], left: int) -> None:
        """Take cosines of the rows that have news, with the rows from *left*."""
        if not len(rows):
            return
        k = self.indices.shape[1]
        few = _highest(block, min(k, block.shape[1]))
        indices = np.hstack([self.indices[rows], few + left])
        cosines = np.hstack([self.cosines[rows], np.take_along_axis(block, few, axis=1)])
        order = np.argsort(-cosines, axis=1, kind="stable")[:, :k]
        self.indices[rows] = np.take_along_axis(indices, order, axis=1)
        self.cosines[rows] = np.take_along_axis(cosines, order, axis=1)


def _leave_out(block: NDArray[np.float32], first: int) -> None:
    """
    Exclude each row from its own neighbours. *first* is the column of the first row and may lie outside the block.
    """
    places = np.arange(len(block))
    inside = places[(places + first >= 0) & (places + first < block.shape[1])]
    block[inside, inside + first] = -np.inf


def _highest(block: NDArray[np.float32], k: int) -> NDArray[np.intp]:
    """
    Return the columns of the *k* highest values of each row: by value, then by column.

    The columns are dealt into groups. The *k* highest values are in the *k* groups with the highest maxima. This is ten
    times as fast as partitioning the row.
    """
    size = math.isqrt(block.shape[1] // k)
    if size < 4:
        return _highest_of(block, np.arange(block.shape[1])[None], k)
    groups = block.shape[1] // size
    dealt = block[:, : groups * size].reshape(len(block), size, groups).max(axis=1)
    best = np.argpartition(dealt, groups - k, axis=1)[:, groups - k :, None]
    members = (best + groups * np.arange(size)).reshape(len(block), -1)
    rest = np.broadcast_to(np.arange(groups * size, block.shape[1]), (len(block), block.shape[1] - groups * size))
    return _highest_of(block, np.hstack([members, rest]), k)


def _highest_of(block: NDArray[np.float32], places: NDArray[np.intp], k: int) -> NDArray[np.intp]:
    values = np.take_along_axis(block, places, axis=1)
    few = np.argpartition(values, values.shape[1] - k, axis=1)[:, values.shape[1] - k :]
    few = np.sort(np.take_along_axis(places, few, axis=1), axis=1)
    order = np.argsort(-np.take_along_axis(block, few, axis=1), axis=1, kind="stable")
    return np.take_along_axis(few, order, axis=1)


def _check_count(k: int, there: int, what: str) -> None:
    if not 1 <= k <= there:
        raise DataError(f"The number of neighbours must be from 1 to the number of {what}, {max(there, 0)}. Got {k}.")


_LISTS = 3
"""Lists for each square root of the number of rows: more than most data have kinds, so that a list has one kind."""

_LEARNT = 32
"""Rows from which the centre of a list is learnt."""

_STEPS = 5
"""Iterations of K-means. The lists need not be the best."""


@dataclass(frozen=True)
class InvertedFile:
    """
    Rows in lists.

    Attributes:
        labels: List of each row, shape (n,).
        members: Rows of each list, in order.
        nearest: All lists for each list, the nearest first, beginning with itself, shape (c, c).
        ranks: Rank of each list in that order, shape (c, c).
    """

    labels: NDArray[np.intp]
    members: list[NDArray[np.intp]]
    nearest: NDArray[np.intp]
    ranks: NDArray[np.intp]

    @cached_property
    def sizes(self) -> NDArray[np.intp]:
        """Return the number of rows of each list, shape (c,)."""
        return np.bincount(self.labels, minlength=len(self.members))

    def candidates(self, number: int, lists: int, least: int) -> NDArray[np.intp]:
        """Return the rows of the lists that are nearest to a list, its own list first: at least *least* rows."""
        rows = np.cumsum(self.sizes[self.nearest[number]])
        enough = max(lists, int(np.searchsorted(rows, least)) + 1)
        return np.concatenate([self.members[each] for each in self.nearest[number, :enough]])

    def share(self, lists: int) -> float:
        """Return the share of all pairs that are compared, if a row is compared with the rows of this many lists."""
        compared = self.sizes * self.sizes[self.nearest[:, :lists]].sum(axis=1)
        return float(compared.sum()) / len(self.labels) ** 2


def build(rows: NDArray[np.float32]) -> InvertedFile:
    """
    Put rows into lists by K-means on some of them.

    Args:
        rows: Unit vectors, shape (n, d), n at least 1.

    References:
        J. Sivic and A. Zisserman, Video Google, ICCV 2003, doi 10.1109/ICCV.2003.1238663.
    """
    count = min(len(rows), math.ceil(_LISTS * math.sqrt(len(rows))))
    learnt = rows[np.linspace(0, len(rows) - 1, min(len(rows), _LEARNT * count)).astype(np.intp)]
    start = learnt[np.linspace(0, len(learnt) - 1, count).astype(np.intp)]
    centres = lloyd(learnt, start, enough=_STEPS)[1].astype(np.float32)
    labels = nearest_centres(rows, centres)[0]
    ordered, ends = np.argsort(labels, kind="stable"), np.cumsum(np.bincount(labels, minlength=count))
    return InvertedFile(labels, np.split(ordered, ends[:-1]), *_order(centres))


def _order(centres: NDArray[np.float32]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Order the lists around each list, and return their ranks in that order."""
    squares = np.einsum("ij,ij->i", centres, centres)
    apart = squares[None] - 2 * centres @ centres.T
    np.fill_diagonal(apart, -np.inf)  # rounding, or equal centres, must not put another list before its own
    nearest = np.argsort(apart, axis=1, kind="stable")
    ranks = np.empty_like(nearest)
    np.put_along_axis(ranks, nearest, np.broadcast_to(np.arange(len(centres)), nearest.shape), axis=1)
    return nearest, ranks
