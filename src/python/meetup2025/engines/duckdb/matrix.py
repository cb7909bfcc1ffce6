"""
The vectors of one column as a matrix in memory, which chooses the rows that may be nearest to a vector.

The rows are unit vectors in float32. A score of the matrix is not the score of the database, but its error has a bound.
So the chosen rows surely hold the best rows, and the database computes their scores in double precision and orders
them.

The bound: a sum of d products in float32, in any order, has an error of at most d * 2**-24 / (1 - d * 2**-24) for unit
vectors (N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1). Two roundings to float32 come
before it.
"""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SMALL = 1000
"""Rows below which the scan of the database is as fast."""

_LENGTHS = (1e-70, 1e70)
"""Lengths of vectors whose squares and products stay within the range of a float64."""

_FEW = 0.25
"""Share of the rows up to which rows are scored, or chosen, one by one."""

_PART = 16384
"""Rows that a thread multiplies at once. To begin a thread takes as long as a tenth of them."""

_ROOM = 1.25
"""Growth of the arrays, so that most new rows need no copy of the others."""


def size(rows: int, dimension: int) -> int:
    """Return the bytes of a matrix."""
    return rows * (4 * dimension + 16)


class Matrix:
    """
    Unit vectors of a column, by the RowIDs of their rows.

    Args:
        dimension: Length of the vectors.
        rows: Number of rows that are expected.
    """

    def __init__(self, dimension: int, rows: int) -> None:
        self.dimension = dimension
        self._count = self._forgotten = 0
        self._ids = np.empty(rows, np.int64)
        self._units = np.empty((rows, dimension), np.float32)
        self._lengths = np.empty(rows)  # NaN without a vector, infinite where float32 cannot hold it

    def __len__(self) -> int:
        return self._count

    @property
    def bytes(self) -> int:
        """Memory in use."""
        return size(len(self._ids), self.dimension)

    @property
    def is_worn(self) -> bool:
        """Whether more rows have been forgotten than are left: a new matrix takes half the memory."""
        return self._forgotten > max(len(self) // 2, SMALL)

    def put(self, ids: NDArray[np.int64], vectors: NDArray[np.float64]) -> None:
        """
        Set or add rows.

        Args:
            ids: RowIDs, shape (n,), all different.
            vectors: Vectors, shape (n, dimension).
        """
        if (ids[1:] < ids[:-1]).any():
            order = np.argsort(ids)
            ids, vectors = ids[order], vectors[order]
        if not self._count or (len(ids) and ids[0] > self._ids[self._count - 1]):
            self._add(ids, vectors)
            return
        places = self._places(ids)
        known = places >= 0
        self._forgotten -= int(np.count_nonzero(np.isnan(self._lengths[places[known]])))
        self._write(places[known], vectors[known])
        self._add(ids[~known], vectors[~known])

    def forget(self, ids: NDArray[np.int64]) -> None:
        """Let rows be chosen no more: they are deleted, or their vector is NULL."""
        places = self._places(ids)
        places = places[places >= 0]
        self._forgotten += int(np.count_nonzero(~np.isnan(self._lengths[places])))
        self._lengths[places] = np.nan

    def nearest(  # noqa: PLR0913 - what a search asks for
        self,
        queries: Sequence[NDArray[np.float64]],
        k: int,
        *,
        cosine: bool,
        largest: bool,
        among: NDArray[np.int64] | None = None,
        without: NDArray[np.int64] | None = None,
    ) -> NDArray[np.int64] | None:
        """
        Choose the rows that may be among the best k.

        Args:
            queries: Vectors. The score of a row is its largest score with any of them.
            k: Number of wanted rows, at least 1.
            cosine: Whether a score is a cosine. Otherwise it is an inner product.
            largest: Whether the best scores are the largest. Otherwise they are the smallest.
            among: RowIDs of the rows that count. None means all.
            without: RowIDs of rows that do not count.

        Returns:
            RowIDs, or None where the matrix cannot tell, or would choose so many that a scan is as fast.
        """
        lengths = np.array([np.linalg.norm(query) for query in queries])
        if not all(_LENGTHS[0] < length < _LENGTHS[1] for length in lengths):
            return None
        places, odd = self._chosen(among, without)
        if not 0 < k < (self._count if places is None else len(places)):
            return None
        scores, errors = self._scores(queries, lengths, places, cosine=cosine)
        if not largest:
            scores = -scores
        least = np.partition(scores - errors, -k)[-k]
        best = np.flatnonzero(scores + errors >= least)
        best = np.concatenate([best if places is None else places[best], odd])
        return self._ids[best] if len(best) <= max(2 * k, _FEW * self._count) else None

    # --- rows

    def _places(self, ids: NDArray[np.int64]) -> NDArray[np.intp]:
        """Return the place of each RowID, or -1."""
        known = self._ids[: self._count]
        if not len(known):
            return np.full(len(ids), -1)
        places = np.minimum(np.searchsorted(known, ids), len(known) - 1)
        return np.where(known[places] == ids, places, -1)

    def _chosen(
        self, among: NDArray[np.int64] | None, without: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.intp] | None, NDArray[np.intp]]:
        """Return the places of the rows that count, or None for all, and of those that only the database can score."""
        nothing = np.empty(0, np.intp)
        if among is None and (without is None or not len(without)) and not self._unusual():
            return None, nothing
        counts = np.zeros(self._count + 1, bool)  # -1 is the last
        counts[slice(None) if among is None else self._places(among)] = True
        counts[self._places(without) if without is not None else -1] = False
        chosen = np.flatnonzero(counts[:-1])
        lengths = self._lengths[chosen]
        return chosen[np.isfinite(lengths)], chosen[np.isinf(lengths)]

    def _unusual(self) -> bool:
        return not bool(np.isfinite(self._lengths[: self._count].sum()))

    def _write(self, places: NDArray[np.intp] | slice, vectors: NDArray[np.float64]) -> None:
        with np.errstate(over="ignore", invalid="ignore"):  # such a row is left to the database
            lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
            lengths[~((lengths > _LENGTHS[0]) & (lengths < _LENGTHS[1]))] = np.inf
            if isinstance(places, slice):
                np.divide(vectors, lengths[:, None], out=self._units[places], casting="same_kind")
            else:
                self._units[places] = vectors / lengths[:, None]
        self._lengths[places] = lengths

    def _add(self, ids: NDArray[np.int64], vectors: NDArray[np.float64]) -> None:
        start, end = self._count, self._count + len(ids)
        self._reserve(end)
        self._ids[start:end] = ids
        self._write(slice(start, end), vectors)
        self._count = end
        if start and len(ids) and ids[0] < self._ids[start - 1]:  # rows of a transaction that was slower
            order = np.argsort(self._ids[:end], kind="stable")
            self._ids[:end] = self._ids[order]
            self._units[:end] = self._units[order]
            self._lengths[:end] = self._lengths[order]

    def _reserve(self, rows: int) -> None:
        if rows > len(self._ids):
            room = int(rows * _ROOM)
            for name in ("_ids", "_units", "_lengths"):
                old = getattr(self, name)
                new = np.empty((room, *old.shape[1:]), old.dtype)
                new[: self._count] = old[: self._count]
                setattr(self, name, new)

    # --- scores

    def _scores(
        self,
        queries: Sequence[NDArray[np.float64]],
        query_lengths: NDArray[np.float64],
        places: NDArray[np.intp] | None,
        *,
        cosine: bool,
    ) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        """Return the scores of some rows, and the bounds of their errors."""
        share = (self.dimension + 8) * 2.0**-24  # with the roundings of the rows, of the query and of the sums below
        bound = share / (1 - share)
        units = (np.stack(queries) / query_lengths[:, None]).astype(np.float32)
        cosines = self._cosines(units, places)
        if cosine:
            return cosines.max(axis=1), np.full(1, bound, np.float32)
        lengths = self._lengths[: self._count] if places is None else self._lengths[places]
        scores = (cosines * query_lengths).max(axis=1) * lengths
        return scores, bound * query_lengths.max() * lengths

    def _cosines(self, queries: NDArray[np.float32], places: NDArray[np.intp] | None) -> NDArray[np.float32]:
        """Return the cosines of some rows with vectors of length 1, shape (rows, queries)."""
        few = places is not None and len(places) <= _FEW * self._count
        rows = self._units[places] if few else self._units[: self._count]
        cosines = products(rows, queries)
        return cosines if few or places is None else cosines[places]


def products(rows: NDArray[np.float32], queries: NDArray[np.float32]) -> NDArray[np.float32]:
    """
    Return the inner products of vectors, shape (rows, queries).

    One vector at a time, and not by a library for matrices: its threads would wait for each other, and for the
    processors that DuckDB works on, longer than the products take.
    """
    found = np.empty((len(queries), len(rows)), np.float32)

    def multiply(start: int) -> None:
        part = slice(start, start + _PART)
        for query, out in zip(queries, found, strict=True):
            _dot(rows[part], query, out[part])

    starts = range(0, len(rows), _PART)
    if len(starts) > 1:
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            deque(threads.map(multiply, starts), 0)
    elif starts:
        multiply(0)
    transposed: NDArray[np.float32] = found.T
    return transposed


def _dot(rows: NDArray[np.float32], query: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    if hasattr(np, "vecdot"):  # from numpy 2.0 on, and faster
        np.vecdot(rows, query, out=out)
    else:
        np.einsum("ij,j->i", rows, query, out=out)
