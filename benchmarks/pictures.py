"""
Pictures to measure with: drawn, or of twelve megapixels.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from scripts.sketch.draw import SEEDS, draw
from scripts.sketch.kinds import KINDS

if TYPE_CHECKING:
    from pathlib import Path

_QUALITIES = range(80, 90)


def drawings(folder: Path, count: int, size: int = 640) -> list[Path]:
    """
    Write drawings as JPEG files, all different.

    One in ten is drawn. The others are the same drawings in other qualities, which are as much work to read.
    """
    names = list(KINDS)
    paths: list[Path] = []
    for place in range(-(-count // len(_QUALITIES))):
        name = names[place % len(names)]
        picture = draw(name, SEEDS["sample"][place], size)
        for quality in _QUALITIES:
            paths.append(folder / f"{name}_{place}_{quality}.jpg")
            picture.save(paths[-1], quality=quality)
    for path in paths[count:]:
        path.unlink()
    return paths[:count]


def photograph(width: int = 4000, height: int = 3000) -> bytes:
    """Make a JPEG of twelve megapixels: slow gradients, shapes of all sizes and grain, about as large as a photo."""
    rng = np.random.default_rng(2025)
    layers = np.zeros((height, width, 3), np.float32)
    for cells, weight in ((4, 90), (16, 50), (64, 30), (256, 18), (1024, 10)):
        noise = rng.integers(0, 256, (cells * 3 // 4, cells, 3), dtype=np.uint8)
        layer = Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)
        layers += (np.asarray(layer, np.float32) / 255 - 0.5) * weight
    layers += 128 + rng.normal(0, 3, (height, width, 1)).astype(np.float32)
    stream = io.BytesIO()
    Image.fromarray(layers.clip(0, 255).astype(np.uint8)).save(stream, "JPEG", quality=88)
    return stream.getvalue()


def jpegs(folder: Path, most: int = 20) -> list[Path]:
    """Find JPEG files in a folder and below it."""
    found = (path for path in sorted(folder.rglob("*")) if path.suffix.lower() in {".jpg", ".jpeg"})
    return [path for path, _ in zip(found, range(most), strict=False)]
