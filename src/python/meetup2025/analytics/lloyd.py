"""
Lloyd's iterations of K-means on unit vectors: fast enough to run for many K.

The K-means of scikit-learn needs milliseconds to start. On several threads it adds up in no fixed order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BLOCK = 1 << 22
"""Products that are in memory at once: 16 MB of float32."""

_MOST = 300
"""Most iterations. Centres settle before."""

_SETTLED = 1000
"""Centres have settled when at most one row of this number changes its centre."""


def lloyd(
    rows: NDArray[Any], centres: NDArray[Any], enough: int = _MOST
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """
    Move centres to the means of their nearest rows, until (nearly) no row changes its centre.

    A centre without rows moves to a row that is far from its own centre.

    Args:
        rows: Unit vectors, shape (n, d), n at least 1.
        centres: Centres to start from, shape (k, d).
        enough: Most iterations.

    Returns:
        Labels of shape (n,), from 0, and centres of shape (k, d). Every label has a row, unless there are fewer
        different rows than centres.

    References:
        S. Lloyd, Least squares quantization in PCM, IEEE Transactions on Information Theory 28, 1982.
    """
    labels, nearness = nearest_centres(rows, centres)
    for step in range(1, _MOST + 1):
        moved, before = _means(rows, labels, nearness, len(centres)), labels
        labels, nearness = nearest_centres(rows, moved)
        changed = np.count_nonzero(labels != before)
        settled = changed <= len(rows) // _SETTLED or step >= enough
        if changed == 0 or (settled and np.bincount(labels, minlength=len(centres)).all()):
            break
    return labels, moved


def nearest_centres(rows: NDArray[Any], centres: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[Any]]:
    """
    Find the nearest centre of each row. Of two centres at the same distance, the first counts.

    Returns:
        Labels of shape (n,), and for each row its product with the centre minus half the square of the centre. Among
        rows of one length, a higher value means nearer.
    """
    centres = centres.astype(rows.dtype, copy=False)
    halves = np.einsum("ij,ij->i", centres, centres) / 2
    labels, nearness = np.empty(len(rows), np.intp), np.empty(len(rows), rows.dtype)
    step = max(1, _BLOCK // len(centres))
    for start in range(0, len(rows), step):
        block = rows[start : start + step] @ centres.T - halves
        part = slice(start, start + step)
        labels[part] = block.argmax(axis=1)
        nearness[part] = np.take_along_axis(block, labels[part, None], axis=1)[:, 0]
    return labels, nearness


def sums(rows: NDArray[Any], labels: NDArray[np.intp], k: int) -> NDArray[np.float64]:
    """Add up the rows of each label: shape (k, d)."""
    from scipy.sparse import csr_array

    total = np.zeros((k, rows.shape[1]))
    step = max(1, _BLOCK // rows.shape[1])
    for start in range(0, len(rows), step):  # in blocks, since scipy makes float64 of the rows
        part = labels[start : start + step]
        members = csr_array((np.ones(len(part)), part, np.arange(len(part) + 1)), shape=(len(part), k))
        total += members.T @ rows[start : start + step]
    return total


def _means(rows: NDArray[Any], labels: NDArray[np.intp], nearness: NDArray[Any], k: int) -> NDArray[np.float64]:
    """
    Return the mean of the rows of each label.

    A label without rows gets a row that is among the farthest from its centre.
    """
    sizes = np.bincount(labels, minlength=k)
    centres = sums(rows, labels, k) / np.maximum(sizes, 1)[:, None]
    empty = np.flatnonzero(sizes == 0)
    if len(empty):
        centres[empty] = rows[np.argsort(nearness, kind="stable")[np.arange(len(empty)) % len(rows)]]
    return centres
