"""The vector of a JPEG of twelve megapixels, and of the photos of the user, where there is a folder of them."""

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
SIDE = 224
"""Pixels that the models of photos see. The bundled model sees fewer."""


def measure(folder: Path, photos: Path | None) -> Iterator[Result]:  # noqa: ARG001 - as the other subjects
    """Decode and embed one made picture, then all photos."""
    made = pictures.photograph()
    yield from _each("12 megapixels, made", [made], f"{len(made) / 1e6:.1f} MB", runs=15, aim=0.06)
    files = [path.read_bytes() for path in pictures.jpegs(photos)] if photos else []
    if files:
        note = f"{_megapixels(files):.1f} megapixels and {sum(map(len, files)) / len(files) / 1e6:.1f} MB on average"
        yield from _each(f"each of {len(files)} photos", files, note, runs=3)


def _each(name: str, files: list[bytes], note: str, *, runs: int, aim: float | None = None) -> Iterator[Result]:
    model, share = encoder(), 1 / len(files)
    embedding = (
        Way(OURS, lambda: [model.images([_draft(data, model.picture_size)]) for data in files], share, note),
        Way(FULL, lambda: [model.images([_full(data)]) for data in files], share),
    )
    yield from by_turns(f"{name}: decode and embed", *embedding, runs=runs, aim=aim)
    decoding = (
        Way(OURS, lambda: [_draft(data, SIDE) for data in files], share),
        Way(FULL, lambda: [_full(data).resize((SIDE, SIDE), Image.Resampling.BICUBIC) for data in files], share),
    )
    yield from by_turns(f"{name}: decode for {SIDE} pixels", *decoding, runs=runs)


def _draft(data: bytes, side: int) -> Image.Image:
    return images.open_picture(data, longest=side)


def _full(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def _megapixels(files: list[bytes]) -> float:
    sizes = [Image.open(io.BytesIO(data)).size for data in files]
    return sum(wide * high for wide, high in sizes) / len(sizes) / 1e6
