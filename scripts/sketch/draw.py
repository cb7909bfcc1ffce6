"""
A picture of a kind from a seed: the animal in some pose, on some ground, in some light.
"""

from __future__ import annotations

import io
import zlib

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from .grounds import ground
from .kinds import KINDS, Kind
from .sprite import Sprite

SHAPES = ((4, 3), (4, 3), (3, 4), (16, 9), (1, 1), (1, 1), (3, 2))
SEEDS = {  # disjoint by construction: no picture that trains the model also judges it
    "train": range(1_000_000),
    "valid": range(1_000_000, 2_000_000),
    "test": range(2_000_000, 3_000_000),
    "sample": range(3_000_000, 4_000_000),
}


def generator(name: str, seed: int) -> np.random.Generator:
    """
    Return the chance of one picture, the same for a name and a seed for ever.
    """
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def draw(name: str, seed: int, size: int = 320, *, typical: bool = False) -> Image.Image:
    """
    Draw a kind.

    Args:
        name: A name of `kinds.KINDS`.
        seed: The same name and seed draw the same picture.
        size: Long side in pixels.
        typical: Draw a calm picture: small turn, plain light, nothing cut off.

    Returns:
        An RGB picture. Its proportions are part of the chance.
    """
    rng = generator(name, seed)
    kind = KINDS[name]
    wide, high = SHAPES[0] if typical else SHAPES[int(rng.integers(len(SHAPES)))]
    if kind.name in ("タツノオトシゴ", "チンアナゴ") and wide > high:
        wide, high = high, wide
    scale = size / max(wide, high)
    frame = round(wide * scale), round(high * scale)
    fine = 3.0 if typical else 2.0 if size <= 200 else 1.5
    canvas = round(frame[0] * fine), round(frame[1] * fine)
    animal = kind.draw(Sprite(round(max(canvas) * 1.05), rng))
    animal = pose(animal, kind, canvas, rng, typical=typical)
    calm = "wood" if kind.group.startswith("stray") else "water"
    picture = ground(animal, rng, calm if typical else "")
    picture = Image.composite(animal.convert("RGB"), picture, animal.getchannel("A"))
    picture = picture.resize(frame, Image.Resampling.BOX if fine == 2 else Image.Resampling.LANCZOS)
    return picture if typical else weather(picture, rng)


def pose(
    animal: Image.Image, kind: Kind, canvas: tuple[int, int], rng: np.random.Generator, *, typical: bool
) -> Image.Image:
    """
    Put the animal into the frame: turned, flipped, bent, squeezed, near or far, sometimes partly outside.
    """
    if kind.flip and rng.uniform() < 0.5 and not typical:
        animal = animal.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if kind.group == "fish":
        animal = bend(animal, rng.normal(0, 0.012))
    box = animal.getbbox()
    if box is None:
        raise ValueError(f"The drawing of {kind.name} must not be empty.")
    angle = np.radians(rng.uniform(-6, 6) if typical else rng.normal(0, 11))
    squeeze = 1.0 if typical else rng.uniform(0.88, 1.12)
    wide, high = box[2] - box[0], (box[3] - box[1]) * squeeze
    c, s = abs(np.cos(angle)), abs(np.sin(angle))
    fit = min(canvas[0] / (wide * c + high * s), canvas[1] / (wide * s + high * c))
    zoom = fit * (0.90 if typical else rng.uniform(0.70, 1.08))
    cx, cy = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    room = 0.01 if typical else 0.05
    tx = canvas[0] * (0.5 + rng.uniform(-room, room))
    ty = canvas[1] * (0.5 + rng.uniform(-room, room))
    a, b = np.cos(angle) / zoom, np.sin(angle) / zoom
    d, e = -np.sin(angle) / (zoom * squeeze), np.cos(angle) / (zoom * squeeze)
    back = (a, b, cx - a * tx - b * ty, d, e, cy - d * tx - e * ty)
    return animal.transform(canvas, Image.Transform.AFFINE, back, Image.Resampling.BILINEAR)


def bend(animal: Image.Image, amount: float) -> Image.Image:
    """
    Bend the animal a little, by moving its columns up and down.
    """
    shift = np.round(amount * animal.size[0] * 2 * (np.linspace(-1, 1, animal.size[0]) ** 2 - 0.3)).astype(int)
    room = int(np.abs(shift).max())
    pixels = np.asarray(animal.crop((0, -room, animal.size[0], animal.size[1] + room))).view(np.uint32)[..., 0]
    rows = (np.arange(pixels.shape[0])[:, None] + shift[None, :]) % pixels.shape[0]
    bent = pixels[rows, np.arange(pixels.shape[1])[None, :]]
    return Image.fromarray(np.ascontiguousarray(bent)[..., None].view(np.uint8), "RGBA")


def weather(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """
    Change light and quality as cameras do: brightness, contrast, colour, tint, uneven light, blur, noise, JPEG.
    """
    picture = ImageEnhance.Brightness(picture).enhance(rng.uniform(0.75, 1.22))
    picture = ImageEnhance.Contrast(picture).enhance(rng.uniform(0.78, 1.18))
    picture = ImageEnhance.Color(picture).enhance(rng.uniform(0.70, 1.25))
    wide, high = picture.size
    angle = rng.uniform(0, 6.28)
    x, y = np.linspace(-0.5, 0.5, wide)[None, :, None], np.linspace(-0.5, 0.5, high)[:, None, None]
    lamp = 1 + rng.uniform(0, 0.3) * (x * np.cos(angle) + y * np.sin(angle))
    pixels = np.asarray(picture, np.float32) * lamp * rng.uniform(0.94, 1.06, 3)
    if rng.uniform() < 0.4:
        pixels = pixels + rng.standard_normal((high, wide, 1), dtype=np.float32) * rng.uniform(1, 9)
    picture = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8), "RGB")
    if rng.uniform() < 0.25:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 0.7) * max(picture.size) / 130))
    if rng.uniform() < 0.3:
        held = io.BytesIO()
        picture.save(held, "JPEG", quality=int(rng.integers(45, 92)))
        picture = Image.open(held).convert("RGB")
    return picture
