"""Planted vectors like the vectors of a CLIP: in one cone, around some centres."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Blobs(NamedTuple):
    """
    Vectors and their centres.

    Attributes:
        rows: Vectors of length 1, shape (n, d), float32.
        groups: Number of the centre of each row, shape (n,).
        centres: Centres of length 1, shape (groups, d).
    """

    rows: np.ndarray
    groups: np.ndarray
    centres: np.ndarray


def blobs(n: int, groups: int, d: int = 64, *, noise: float = 0.3, seed: int = 5) -> Blobs:
    """Draw vectors around *groups* centres, in turn. Cosines within a group are about 1 / (1 + noise²)."""
    rng = np.random.default_rng(seed)
    cone, *centres = rng.normal(size=(groups + 1, d)) / np.sqrt(d)
    around = cone + np.array(centres)
    of = np.arange(n) % groups
    return Blobs(unit(around[of] + noise * rng.normal(size=(n, d)) / np.sqrt(d)), of, unit(around))


def unit(rows: np.ndarray) -> np.ndarray:
    """Return vectors of length 1."""
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
