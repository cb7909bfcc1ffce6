"""
The pictures that train the model: drawn once by several processes, kept as arrays in a cache folder.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from .draw import SEEDS, draw
from .kinds import KINDS

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SIZE = 96
BACKGROUND = (128, 128, 128)


def fit(picture: Image.Image, size: int = SIZE) -> Image.Image:
    """
    Make a picture square as the runtime does: long side to `size`, the rest padded.
    """
    wide, high = (max(1, round(side * size / max(picture.size))) for side in picture.size)
    small = picture.resize((wide, high), Image.Resampling.BICUBIC)
    square = Image.new("RGB", (size, size), BACKGROUND)
    square.paste(small, ((size - wide) // 2, (size - high) // 2))
    return square


def pictures_of(name: str, seeds: range, size: int = 144) -> NDArray[np.uint8]:
    """Draw one kind for each seed, shape (n, 96, 96, 3)."""
    return np.stack([np.asarray(fit(draw(name, seed, size))) for seed in seeds])


def pictures(part: str, per_kind: int, cache: Path, workers: int = 2) -> NDArray[np.uint8]:
    """
    Return the pictures of a part of the seeds (train, valid), (kinds, per_kind, 96, 96, 3), drawn if not in the cache.
    """
    file = cache / f"{part}-{per_kind}.npy"
    if not file.exists():
        cache.mkdir(parents=True, exist_ok=True)
        seeds = SEEDS[part][:per_kind]
        with ProcessPoolExecutor(workers) as pool:
            drawn = list(pool.map(partial(pictures_of, seeds=seeds), KINDS))
        np.save(file, np.stack(drawn))
    return np.asarray(np.load(file, mmap_mode="r"))
