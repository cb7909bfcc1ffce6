"""
The nearest neighbours of vectors by the cosine: all of them compared, block by block, so that none is missed.

Maps of very many rows, whose errors of layout are larger than that of a missed neighbour, look in lists instead.

An inverted file: rows in lists of like ones, so that the neighbours of a row are looked for in few lists alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from meetup2025 import vectors
from meetup2025.analytics.lloyd import lloyd, nearest_centres
from meetup2025.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


_BLOCK = 1 << 24
"""Cosines that are in the memory at once: 64 MB of float32."""

_TALL = 1024
"""Rows that are compared at once: a product of this height is twice as fast as one of a hundred."""

_ROWS = 512
"""Vectors whose norms are computed at once."""

_TRIED = 500
"""Rows that are compared with all others, to learn how many lists hold their neighbours."""

_HELD = 0.99
"""Of these neighbours, the share that the lists must hold."""

_WORTH = 0.25
"""Share of all pairs above which lists cost more than they save: there each pair is compared twice."""


@dataclass(frozen=True)
class Neighbours:
    """
    The nearest rows of each row.

    Attributes:
        indices: Shape (n, k), the nearest first; of two at one distance, the lower index first.
        cosines: Shape (n, k), from -1 to 1, falling.
    """

    indices: NDArray[np.intp]
    cosines: NDArray[np.float32]

    @property
    def distances(self) -> NDArray[np.float32]:
        """Cosine distances, from 0 to 2."""
        return np.maximum(1 - self.cosines, 0)


def directions(rows: ArrayLike, dimension: int | None = None) -> NDArray[np.float32]:
    """
    Give the unit vectors of rows, for cosines by a product.

    Args:
        rows: Shape (n, d).
        dimension: The d that they must have; None allows any.

    Raises:
        DataError: The shape is another.
        InvalidVectorError: As `vectors.check`.
    """
    array = vectors.check(rows, dimension=dimension)
    if array.ndim != 2:
        raise DataError(f"Vectors to compare must have the shape (n, d). Got {array.shape}.")
    unit = np.empty(array.shape, np.float32)
    for start in range(0, len(array), _ROWS):  # in blocks, since the norms are computed in float64
        unit[start : start + _ROWS] = vectors.unit(array[start : start + _ROWS])
    return unit


def nearest(rows: ArrayLike, k: int) -> Neighbours:
    """
    Find the *k* nearest others of each row; a row is not its own neighbour, an equal one is.

    Args:
        rows: Shape (n, d), n above *k*.
        k: At least 1.

    Raises:
        DataError: There are not *k* others.
        InvalidVectorError: As `vectors.check`.
    """
    return nearest_others(directions(rows), k)


def nearest_others(unit: NDArray[np.float32], k: int) -> Neighbours:
    """
    Do what `nearest` does, with what `directions` gave.

    Args:
        unit: Shape (n, d), n above *k*.
        k: At least 1.

    Raises:
        DataError: As `nearest`.
    """
    _check_count(k, len(unit) - 1, "others")
    return _nearest(unit, unit, k, others=True)


def nearest_among(rows: ArrayLike, known: ArrayLike, k: int) -> Neighbours:
    """
    Find the *k* rows of *known* that are nearest to each row.

    Args:
        rows: Shape (n, d).
        known: Shape (m, d), m at least *k*.
        k: At least 1.

    Raises:
        DataError: There are not *k* known rows, or the lengths of the vectors differ.
        InvalidVectorError: As `vectors.check`.
    """
    return nearest_directions(directions(rows), directions(known), k)


def nearest_directions(unit: NDArray[np.float32], base: NDArray[np.float32], k: int) -> Neighbours:
    """
    Do what `nearest_among` does, with what `directions` gave.

    Args:
        unit: Shape (n, d).
        base: Shape (m, d).
        k: At least 1.

    Raises:
        DataError: As `nearest_among`.
    """
    _check_count(k, len(base), "known vectors")
    if unit.shape[1] != base.shape[1]:
        raise DataError(f"Vectors to compare must have one length. Got {unit.shape[1]} and {base.shape[1]}.")
    return _nearest(unit, base, k, others=False)


def compared(unit: NDArray[np.float32], base: NDArray[np.float32], found: Neighbours) -> Neighbours:
    """
    Compute the cosines of neighbours anew, row by row, and order these.

    A product of matrices rounds a row as its company has it; these cosines are the same for a row in any company.

    Args:
        unit: The rows, shape (n, d), of `directions`.
        base: What their neighbours are among, shape (m, d), of `directions`.
        found: The neighbours.
    """
    return _ordered(unit, base, found.indices, found.indices.shape[1])


def nearest_of_many(unit: NDArray[np.float32], k: int) -> Neighbours:
    """
    Find nearly all of the *k* nearest others of each row, for many rows in a fraction of the time of `nearest`.

    A row is compared with those of the lists around its own, as many lists as hold the neighbours of some rows that
    are compared with all. Where the rows are not in groups, so that these lists are many, all are compared.

    Args:
        unit: Shape (n, d), of `directions`; n above *k*.
        k: At least 1.

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
            _leave_out(block, start)  # its own list is the first
            found[rows] = near[_highest(block, k)]
    return _ordered(unit, unit, found, k)


def _lists(file: InvertedFile, unit: NDArray[np.float32], k: int) -> int:
    """Find how many lists around its own hold the nearest others of a row, by those of some rows."""
    rows = np.linspace(0, len(unit) - 1, min(len(unit), _TRIED)).astype(np.intp)
    near = nearest_directions(unit[rows], unit, k + 1).indices
    ranks = file.ranks[file.labels[rows][:, None], file.labels[near]]
    return int(np.quantile(ranks, _HELD, method="higher")) + 1


def _ordered(unit: NDArray[np.float32], base: NDArray[np.float32], candidates: NDArray[np.intp], k: int) -> Neighbours:
    """Give the *k* nearest of the candidates of each row."""
    indices = np.empty((len(unit), k), np.intp)
    cosines = np.empty((len(unit), k), np.float32)
    step = max(1, _BLOCK // (candidates.shape[1] * unit.shape[1]))
    for start in range(0, len(unit), step):
        rows = slice(start, start + step)
        exact = np.einsum("nd,nkd->nk", unit[rows], base[candidates[rows]])
        order = np.argsort(-exact, axis=1, kind="stable")[:, :k]
        indices[rows] = np.take_along_axis(candidates[rows], order, axis=1)
        cosines[rows] = np.take_along_axis(exact, order, axis=1)
    return Neighbours(indices, np.clip(cosines, -1, 1))


def _nearest(unit: NDArray[np.float32], base: NDArray[np.float32], k: int, *, others: bool) -> Neighbours:
    found = _Best(len(unit), k)
    step = max(1, min(_TALL, len(unit), _BLOCK))
    width = max(1, _BLOCK // step)
    for start in range(0, len(unit), step):
        rows = unit[start : start + step]
        for left in range(start if others else 0, len(base), width):
            block = rows @ base[left : left + width].T
            if others:  # each pair is compared once, and is news for both
                found.add_columns(block, start, left)
                _leave_out(block, start - left)
            found.add_rows(block, start, left)
    return Neighbours(found.indices, np.clip(found.cosines, -1, 1))


class _Best:
    """The *k* best of each row so far; of equal ones those that came first, which are those of lower places."""

    def __init__(self, n: int, k: int) -> None:
        self.indices = np.zeros((n, k), np.intp)
        self.cosines = np.full((n, k), -np.inf, np.float32)

    def add_rows(self, block: NDArray[np.float32], first: int, left: int) -> None:
        """Take a block of cosines of rows from *first* with others from *left*."""
        places = np.flatnonzero(block.max(axis=1) > self.cosines[first : first + len(block), -1])
        self._add(block[places], places + first, left)

    def add_columns(self, block: NDArray[np.float32], first: int, left: int) -> None:
        """Take the same block for its columns, but for those that are among its rows."""
        after = max(0, first + len(block) - left)
        highest = block[:, after:].max(axis=0, initial=-np.inf)
        places = after + np.flatnonzero(highest > self.cosines[left + after : left + block.shape[1], -1])
        self._add(block[:, places].T, places + left, first)

    def _add(self, block: NDArray[np.float32], rows: NDArray[np.intp], left: int) -> None:
        """Take cosines of some rows, those for which there is news, with others from *left*."""
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
    """Make sure that no row is its own neighbour; *first* is the column of the first row, which may lie outside."""
    places = np.arange(len(block))
    inside = places[(places + first >= 0) & (places + first < block.shape[1])]
    block[inside, inside + first] = -np.inf


def _highest(block: NDArray[np.float32], k: int) -> NDArray[np.intp]:
    """
    Give the places of the *k* highest of each row: by value, then by place.

    The columns are dealt into groups; the *k* highest are in the *k* groups whose own highest are the highest, which
    is ten times as fast as partitioning the row.
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
"""Lists for each of the square root of the rows: more than the kinds of most data, so that a list is of one kind."""

_LEARNT = 32
"""Rows for each list that its centre is learnt from."""

_STEPS = 5
"""Of K-means: lists need not be the best."""


@dataclass(frozen=True)
class InvertedFile:
    """
    Rows in lists.

    Attributes:
        labels: The list of each row, shape (n,).
        members: The rows of each list, in order.
        nearest: For each list all lists, the nearest first, which is itself; shape (c, c).
        ranks: For each list the place of every other in that order; shape (c, c).
    """

    labels: NDArray[np.intp]
    members: list[NDArray[np.intp]]
    nearest: NDArray[np.intp]
    ranks: NDArray[np.intp]

    @cached_property
    def sizes(self) -> NDArray[np.intp]:
        """How many rows each list has, shape (c,)."""
        return np.bincount(self.labels, minlength=len(self.members))

    def candidates(self, number: int, lists: int, least: int) -> NDArray[np.intp]:
        """Give the rows of the lists that are nearest to a list, its own first: at least *least* rows."""
        rows = np.cumsum(self.sizes[self.nearest[number]])
        enough = max(lists, int(np.searchsorted(rows, least)) + 1)
        return np.concatenate([self.members[each] for each in self.nearest[number, :enough]])

    def share(self, lists: int) -> float:
        """Give the share of all pairs of rows that are compared where each row is, with those of so many lists."""
        compared = self.sizes * self.sizes[self.nearest[:, :lists]].sum(axis=1)
        return float(compared.sum()) / len(self.labels) ** 2


def build(rows: NDArray[np.float32]) -> InvertedFile:
    """
    Put rows into lists by K-means on some of them.

    Args:
        rows: Shape (n, d), n at least 1.

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
    """Order the lists around each list, and give the places in that order."""
    squares = np.einsum("ij,ij->i", centres, centres)
    apart = squares[None] - 2 * centres @ centres.T
    np.fill_diagonal(apart, -np.inf)  # rounding, or equal centres, must not put another list before its own
    nearest = np.argsort(apart, axis=1, kind="stable")
    ranks = np.empty_like(nearest)
    np.put_along_axis(ranks, nearest, np.broadcast_to(np.arange(len(centres)), nearest.shape), axis=1)
    return nearest, ranks
