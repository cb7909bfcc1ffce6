"""
The preparation of pictures by a model: measured with its own processor, or as its `preprocessor_config.json` states it.

Measuring is surer, because files and code of a model do not always agree. It needs the code.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from meetup2025.embedding.installing import probes
from meetup2025.embedding.models import ImageInfo
from meetup2025.embedding.onnx import pixels
from meetup2025.errors import NotSupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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


_RESAMPLES = {1: "lanczos", 2: "bilinear", 3: "bicubic"}
"""Numbers of Pillow for its filters, as configurations have them."""

_ALSO_CHANGES = ("crop_pct", "do_flip_channel_order", "do_patchify", "do_thumbnail", "size_divisor")
"""Fields that change pixels in ways that a model folder cannot describe."""


def stated(config: Mapping[str, Any], file: str) -> ImageInfo:
    """
    Return how pictures become numbers, as a `preprocessor_config.json` states it.

    Args:
        config: Content of the file.
        file: Name of the picture half.

    Raises:
        NotSupportedError: A model folder cannot describe it, or the file does not say it.
    """
    if odd := [name for name in _ALSO_CHANGES if config.get(name)]:
        raise _unclear(f"{odd[0]} {config[odd[0]]!r}")
    filter_name = _RESAMPLES.get(config.get("resample", 3))
    if filter_name is None:
        raise _unclear(f"resample {config['resample']!r}")
    if not config.get("do_rescale", True) or abs(config.get("rescale_factor", 1 / 255) - 1 / 255) > 1e-9:
        raise _unclear(f"rescale_factor {config.get('rescale_factor')!r}")
    means, stds = (_colour(config, name, default) for name, default in (("image_mean", 0.0), ("image_std", 1.0)))
    size, fit, resize = _shape(config)
    return ImageInfo(file, size, fit, (0, 0, 0), filter_name, means, stds, resize)


def _colour(config: Mapping[str, Any], name: str, default: float) -> tuple[float, float, float]:
    if not config.get("do_normalize", True):
        return default, default, default
    values = config.get(name)
    if not (isinstance(values, list) and len(values) == 3 and all(isinstance(each, (int, float)) for each in values)):
        raise _unclear(f"{name} {values!r}")
    return float(values[0]), float(values[1]), float(values[2])


def _shape(config: Mapping[str, Any]) -> tuple[int, str, int]:
    """Return the size, the way to make a picture square, and the side before the middle is cut out, or 0."""
    is_cut = bool(config.get("do_center_crop"))
    size = config.get("size")
    if isinstance(size, int):  # the older form
        size = {"shortest_edge": size} if is_cut else {"height": size, "width": size}
    if not (config.get("do_resize", True) and isinstance(size, dict)):
        raise _unclear(f"size {size!r}")
    short, long, side = size.get("shortest_edge"), size.get("longest_edge"), _square(size)
    cut = config.get("crop_size") if is_cut else None
    cut = cut if isinstance(cut, int) or cut is None else _square(cut)
    if is_cut and cut is None:
        raise _unclear(f"crop_size {config.get('crop_size')!r}")
    if long and not short and config.get("do_pad"):
        return long, "pad", 0
    base, fit = (short, "crop") if short and not long else (side, "squash")
    if base is None or (fit == "crop" and cut is None) or (cut is not None and cut > base):
        raise _unclear(f"size {size!r}, crop_size {cut!r}")
    return cut or base, fit, base if cut not in (None, base) else 0


def _square(size: Mapping[str, Any]) -> int | None:
    height, width = size.get("height"), size.get("width")
    return height if isinstance(height, int) and height == width else None


def _unclear(got: str) -> NotSupportedError:
    rule = "The preprocessor_config.json of a model must pad, crop or squash pictures to a square, and say how"
    return NotSupportedError(f"{rule}. Got {got}; take another model.")
