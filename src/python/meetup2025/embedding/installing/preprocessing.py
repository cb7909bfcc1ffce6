"""
The preparation of pictures by a model, measured with its own processor: its files and its code do not always agree.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from meetup2025.embedding.installing import probes
from meetup2025.embedding.models import ImageInfo
from meetup2025.embedding.onnx import pixels
from meetup2025.errors import NotSupportedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

FILE = "image.onnx"

MOST_LEVELS = 0.5
"""Most mean difference, in levels from 0 to 255, between two equal ways of resizing. Other ways differ by more."""

_FITS, _FILTERS = ("pad", "crop", "squash"), ("bicubic", "bilinear", "lanczos")


def measured(processor: Callable[[Image.Image], NDArray[np.float32]]) -> ImageInfo:
    """
    Find how pictures become numbers.

    Args:
        processor: Returns an array of shape (1, 3, size, size) for a picture.

    Raises:
        NotSupportedError: A model folder cannot describe the preparation.
    """
    size = processor(Image.new("RGB", (64, 64))).shape[-1]
    mean, std = _colours(processor, size)
    info = ImageInfo(FILE, size, "pad", (0, 0, 0), "bicubic", mean, std)
    info = replace(info, background=_corner(processor, info))
    tried = [replace(info, fit=fit, interpolation=name) for fit, name in itertools.product(_FITS, _FILTERS)]
    shown = [picture.convert("RGB") for picture in probes.pictures()]
    wanted = [processor(picture) for picture in shown]
    levels = [_levels(each, shown, wanted) for each in tried]
    best = int(np.argmin(levels))
    if not levels[best] <= MOST_LEVELS:
        got = f"one whose pictures differ by {levels[best]:.1f} levels from the nearest, {tried[best].fit}"
        raise NotSupportedError(f"The processor of a model must pad, crop or squash pictures to a square. Got {got}.")
    return tried[best] if tried[best].fit == "pad" else replace(tried[best], background=(0, 0, 0))


def _colours(
    processor: Callable[[Image.Image], NDArray[np.float32]], size: int
) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """
    Find mean and deviation of each colour from a black and a white picture. A third picture tells the colours apart.
    """
    black, white, other = (
        processor(Image.new("RGB", (size, size), colour)).mean(axis=(0, 2, 3), dtype=np.float64)
        for colour in ("black", "white", (255, 102, 0))
    )
    std = 1 / (white - black)
    mean = -black * std
    if not np.allclose(other * std + mean, [1, 0.4, 0], atol=1e-3):
        raise NotSupportedError(f"The processor of a model must keep red, green, blue. Got {other * std + mean}.")
    numbers = np.round([mean, std], 7).tolist()
    return tuple(numbers[0]), tuple(numbers[1])


def _corner(processor: Callable[[Image.Image], NDArray[np.float32]], info: ImageInfo) -> tuple[int, int, int]:
    """Find the colour of the background of padded pictures: the colour in the corner of a wide picture."""
    corner = processor(Image.new("RGB", (4 * info.size, info.size), "red"))[0, :, 0, 0]
    red, green, blue = np.clip(np.round((corner * info.std + info.mean) * 255), 0, 255).astype(int).tolist()
    return red, green, blue


def _levels(info: ImageInfo, shown: list[Image.Image], wanted: list[NDArray[np.float32]]) -> float:
    """Return the mean difference, in levels, of the picture that differs most from the processor's."""
    scale = 255 * np.array(info.std)[:, None, None]
    pairs = zip(shown, wanted, strict=True)
    return max(float((np.abs(pixels([picture], info) - want) * scale).mean()) for picture, want in pairs)
