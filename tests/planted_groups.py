"""Vectors with known groups, like the vectors of a CLIP: one cone, centres, noise of few directions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def plant_groups(
    n: int, k: int, *, d: int = 64, spread: float = 0.5, seed: int = 5
) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Draw rows of several lengths in *k* groups of about one size. Return the rows and their groups."""
    rng = np.random.default_rng([seed, n, k])
    centres = rng.normal(size=d) + rng.normal(size=(k, d))
    groups = rng.permutation(np.arange(n) % k)
    few = rng.normal(size=(20, d)) / np.sqrt(20)
    rows = centres[groups] + spread * rng.normal(size=(n, 20)) @ few + 0.3 * rng.normal(size=(n, d))
    return (rows * rng.uniform(0.5, 2, size=(n, 1))).astype(np.float32), groups


def with_strangers(
    n: int, strangers: int, *, d: int = 64, seed: int = 5
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Draw rows of five groups, the last of them like none. Return the rows and which are strange."""
    rows, _ = plant_groups(n, 5, d=d, seed=seed)
    odd = np.arange(n) >= n - strangers
    rows[odd] = np.random.default_rng(seed).normal(size=(strangers, d)) * 2
    return rows, odd
