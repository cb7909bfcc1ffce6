"""
A JPEG of twelve megapixels to its vector.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import Image

from benchmarks import pictures
from benchmarks.measure import OURS, Result, Way, by_turns
from meetup2025 import images
from meetup2025.embedding import encoder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FULL = "full decode"


def measure(folder: Path, photos: Path | None) -> Iterator[Result]:  # noqa: ARG001 - as the other subjects
    """A made picture; then photos of the user, where a folder of them is given."""
    yield from _one("12 megapixels, made", pictures.photograph(), runs=15, aim=0.06)
    for path in pictures.jpegs(photos) if photos else ():
        yield from _one(path.name, path.read_bytes(), runs=5)


def _one(name: str, data: bytes, *, runs: int, aim: float | None = None) -> Iterator[Result]:
    model = encoder()
    with Image.open(io.BytesIO(data)) as picture:
        note = f"{picture.size[0]} x {picture.size[1]}, {len(data) / 1e6:.1f} MB"

    def full() -> Image.Image:
        return Image.open(io.BytesIO(data)).convert("RGB")

    yield from by_turns(
        f"{name}: decode and embed",
        Way(OURS, lambda: model.images([images.open_picture(data, longest=model.picture_size)]), note=note),
        Way(FULL, lambda: model.images([full()])),
        runs=runs,
        aim=aim,
    )
    yield from by_turns(
        f"{name}: decode for a model of 224 pixels",
        Way(OURS, lambda: images.open_picture(data, longest=224)),
        Way(FULL, lambda: full().resize((224, 168), Image.Resampling.BICUBIC)),
        runs=runs,
    )
