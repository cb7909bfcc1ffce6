"""
An inverted file: rows in lists of like ones, so that the neighbours of a row are looked for in few lists alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from meetup2025.analytics.lloyd import lloyd, nearest_centres

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
