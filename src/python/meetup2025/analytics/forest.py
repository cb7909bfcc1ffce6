"""
Isolation Forest as plain arrays: scikit-learn grows it, and this module stores it without scikit-learn.

Another version of scikit-learn may not read a pickle of this one. The nodes of the trees do not depend on a version.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from meetup2025.analytics.neighbours import directions
from meetup2025.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_ROWS = 1024
"""Rows that go down the trees at once."""


@dataclass(frozen=True)
class IsolationForest:
    """
    The ease with which random cuts isolate a row: from 0 to 1, about 0.5 for a row like all others.

    Attributes:
        roots: Node at the top of each tree, shape (trees,).
        children: Next node for rows up to the cut, and for rows above it, shape (nodes, 2). A leaf leads to itself.
        features: Index of the number that a node cuts, shape (nodes,).
        cuts: Cut of each node, shape (nodes,).
        lengths: Cuts down to a leaf, plus the cuts that its rows would still need on average, shape (nodes,).
        depth: Cuts down to the deepest leaf.
        usual: Cuts that a row needs on average.
        dimension: Length of the vectors.
        own_scores: Scores of the fitted rows, shape (n,). These rows grew the trees, as the method intends.

    References:
        F. T. Liu, K. M. Ting and Z.-H. Zhou, Isolation forest, ICDM 2008.
    """

    roots: NDArray[np.intp]
    children: NDArray[np.intp]
    features: NDArray[np.intp]
    cuts: NDArray[np.float64]
    lengths: NDArray[np.float64]
    depth: int
    usual: float
    dimension: int
    own_scores: NDArray[np.float64]

    @classmethod
    def fit(cls, rows: ArrayLike, *, seed: int = 5, trees: int = 100) -> IsolationForest:
        """
        Grow trees on the unit vectors of rows, at least 2. A tree sees at most 256 rows.

        The workshop used `IsolationForest(n_estimators=100, contamination=0.03, random_state=5)`. Its contamination is
        the threshold of `thresholds.from_contamination`.
        """
        from sklearn import ensemble

        unit = directions(rows)
        if len(unit) < 2 or trees < 1:
            raise DataError(f"A forest needs 2 vectors and 1 tree. Got {len(unit)} and {trees}.")
        grown = ensemble.IsolationForest(n_estimators=trees, random_state=seed).fit(unit)
        nodes = _nodes([each.tree_ for each in grown.estimators_])
        usual = float(_needed(np.array([grown.max_samples_]))[0])
        forest = cls(**nodes, usual=usual, dimension=unit.shape[1], own_scores=np.empty(0))
        return replace(forest, own_scores=forest.scores(unit))

    def scores(self, rows: ArrayLike) -> NDArray[np.float64]:
        """Score new rows."""
        unit = directions(rows, self.dimension)
        starts = range(0, len(unit), _ROWS)
        means = [self._lengths(unit[start : start + _ROWS]).mean(axis=1) for start in starts]
        return 2 ** (-np.concatenate([np.empty(0), *means]) / self.usual)

    def _lengths(self, unit: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the length of the path of each row down each tree, shape (n, trees)."""
        nodes = np.broadcast_to(self.roots, (len(unit), len(self.roots)))
        row = np.arange(len(unit))[:, None]
        for _ in range(self.depth):
            above = unit[row, self.features[nodes]] > self.cuts[nodes]
            nodes = self.children[nodes, above.astype(np.intp)]
        return self.lengths[nodes]


def _nodes(trees: list[Any]) -> dict[str, Any]:
    """Join the nodes of scikit-learn's trees."""
    counts = [tree.node_count for tree in trees]
    roots = np.cumsum([0, *counts[:-1]])
    sides = [np.stack([tree.children_left, tree.children_right], axis=1) for tree in trees]
    leaf = np.concatenate(sides)[:, 0] < 0
    children = np.concatenate([side + root for side, root in zip(sides, roots, strict=True)])
    children[leaf] = np.flatnonzero(leaf)[:, None]
    depths = _depths(children, roots, leaf)
    return {
        "roots": roots,
        "children": children,
        "features": np.where(leaf, 0, np.concatenate([tree.feature for tree in trees])),
        "cuts": np.where(leaf, np.inf, np.concatenate([tree.threshold for tree in trees])),
        "lengths": depths + _needed(np.concatenate([tree.n_node_samples for tree in trees])),
        "depth": int(depths.max()),
    }


def _depths(children: NDArray[np.intp], roots: NDArray[np.intp], leaf: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the number of cuts above each node, level by level."""
    depths, level = np.zeros(len(children), np.intp), roots
    while len(level):
        below = children[level[~leaf[level]]]
        depths[below] = depths[level[~leaf[level]], None] + 1
        level = below.ravel()
    return depths


def _needed(rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the average number of cuts that isolate one of *n* rows: a failed search in a binary tree."""
    many = np.maximum(rows, 3).astype(np.float64)
    return np.where(rows > 2, 2 * (np.log(many - 1) + np.euler_gamma) - 2 * (many - 1) / many, np.maximum(rows - 1, 0))
