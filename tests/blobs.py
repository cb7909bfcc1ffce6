"""Planted vectors as a CLIP gives them: in one cone, around some centres."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Blobs(NamedTuple):
    """
    Vectors and what they are around.

    Attributes:
        rows: Shape (n, d), float32, of length 1.
        groups: Number of the centre of each, shape (n,).
        centres: Shape (groups, d), of length 1.
    """

    rows: np.ndarray
    groups: np.ndarray
    centres: np.ndarray


def blobs(n: int, groups: int, d: int = 64, *, noise: float = 0.3, seed: int = 5) -> Blobs:
    """Draw vectors around *groups* centres, in turn; cosines within a group are about 1 / (1 + noise²)."""
    rng = np.random.default_rng(seed)
    cone, *centres = rng.normal(size=(groups + 1, d)) / np.sqrt(d)
    around = cone + np.array(centres)
    of = np.arange(n) % groups
    return Blobs(unit(around[of] + noise * rng.normal(size=(n, d)) / np.sqrt(d)), of, unit(around))


def unit(rows: np.ndarray) -> np.ndarray:
    """Give vectors of length 1."""
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
