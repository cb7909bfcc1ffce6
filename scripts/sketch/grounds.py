"""Backgrounds of animals: water, paper, a tray of ice, sand, wood, or a plain one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from .sprite import Colour, dark, mix, rgb

if TYPE_CHECKING:
    from collections.abc import Callable

Canvas = tuple[int, int]


def wash(canvas: Canvas, top: Colour, bottom: Colour) -> Image.Image:
    """
    Return a gradient from top to bottom.
    """
    t = np.linspace(0, 1, canvas[1])[:, None, None]
    line = np.asarray(top) * (1 - t) + np.asarray(bottom) * t
    return Image.fromarray(np.broadcast_to(line, (canvas[1], canvas[0], 3)).astype(np.uint8), "RGB")


def cloud(canvas: Canvas, rng: np.random.Generator, cells: tuple[int, int]) -> np.ndarray:
    """
    Return smooth noise (h, w, 1) in -1..1.
    """
    small = rng.integers(0, 256, (cells[1], cells[0]), dtype=np.uint8)
    noise = Image.fromarray(small, "L").resize(canvas, Image.Resampling.BICUBIC)
    return np.asarray(noise, np.float32)[..., None] / 127.5 - 1


def grain(picture: Image.Image, amount: np.ndarray) -> Image.Image:
    """
    Brighten and darken a picture by an amount per pixel, in grey levels.
    """
    lit = np.clip(np.asarray(picture, np.float32) + amount, 0, 255)
    return Image.fromarray(lit.astype(np.uint8), "RGB")


def water(canvas: Canvas, rng: np.random.Generator, t: float, *, calm: bool) -> Image.Image:
    """
    Return water with light and bubbles, at night a quarter of the time unless it is to be calm.
    """
    deep, top = mix(rgb("0c3c66"), rgb("1c6a80"), t), mix(rgb("58b0d8"), rgb("88d0d8"), t)
    if rng.uniform() < 0.25 and not calm:
        top, deep = dark(top, 0.6), dark(deep, 0.6)
    return bubbles(grain(wash(canvas, top, deep), cloud(canvas, rng, (4, 9)) * 7), rng)


def bubbles(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """
    Add rays of light and a few bubbles to water.
    """
    wide, high = picture.size
    veil = Image.new("L", picture.size, 0)
    pen = ImageDraw.Draw(veil)
    for _ in range(int(rng.integers(0, 4))):
        x, w = rng.uniform(-0.1, 1.0) * wide, rng.uniform(0.04, 0.14) * wide
        beam = [(x, 0), (x + w, 0), (x + w * 2.2 + 0.2 * wide, high), (x + 0.2 * wide, high)]
        pen.polygon(beam, fill=int(rng.integers(10, 26)))
    for _ in range(int(rng.integers(0, 9))):
        x, y, r = rng.uniform(0, wide), rng.uniform(0, high), rng.uniform(0.004, 0.013) * wide
        pen.ellipse((x - r, y - r, x + r, y + r), outline=110, width=max(1, int(r / 4)))
    picture.paste((255, 255, 255), (0, 0), veil)
    return picture


def plain(canvas: Canvas, rng: np.random.Generator, _: float) -> Image.Image:
    """
    Return one pale or dark colour.
    """
    shade = rng.uniform(15, 250, 3) * 0.4 + rng.uniform(40, 235) * 0.6
    return Image.new("RGB", canvas, tuple(int(v) for v in np.clip(shade, 0, 255)))


def paper(canvas: Canvas, rng: np.random.Generator, t: float) -> Image.Image:
    """
    Return drawing paper.
    """
    sheet = Image.new("RGB", canvas, mix(rgb("fbf7ee"), rgb("e8e2d0"), t))
    return grain(sheet, cloud(canvas, rng, (40, 40)) * 5)


def tray(canvas: Canvas, rng: np.random.Generator, _: float) -> Image.Image:
    """
    Return crushed ice.
    """
    return grain(wash(canvas, rgb("eef4f8"), rgb("c4d2dc")), cloud(canvas, rng, (16, 14)) * 22)


def sand(canvas: Canvas, rng: np.random.Generator, t: float) -> Image.Image:
    """
    Return sand or mud.
    """
    floor = wash(canvas, mix(rgb("d8c8a0"), rgb("9aa890"), t), mix(rgb("c4ac7c"), rgb("8a7a58"), t))
    return grain(floor, cloud(canvas, rng, (70, 60)) * 20 + cloud(canvas, rng, (6, 5)) * 10)


def wood(canvas: Canvas, rng: np.random.Generator, t: float) -> Image.Image:
    """
    Return a board.
    """
    board = wash(canvas, mix(rgb("c89a60"), rgb("6a4428"), t), mix(rgb("b88a54"), rgb("5c3a22"), t))
    return grain(board, cloud(canvas, rng, (4, 46)) * 16)


def noise(canvas: Canvas, rng: np.random.Generator) -> Image.Image:
    """
    Return blurred colours.
    """
    top, bottom = (tuple(rng.integers(20, 235, 3)) for _ in range(2))
    return grain(wash(canvas, top, bottom), cloud(canvas, rng, (9, 9)) * 40)


FLOORS: dict[str, Callable[[Canvas, np.random.Generator, float], Image.Image]] = {
    "plain": plain,
    "paper": paper,
    "tray": tray,
    "sand": sand,
    "wood": wood,
}
PLACES = ("water", "water", "water", "plain", "plain", "paper", "tray", "sand", "wood", "noise")


def ground(animal: Image.Image, rng: np.random.Generator, calm: str = "") -> Image.Image:
    """Return the background of the animal, with its shadow: a random one, or the given calm one."""
    place = PLACES[int(rng.integers(len(PLACES)))]
    place, t = calm or place, rng.uniform()
    if place == "water":
        return water(animal.size, rng, t, calm=bool(calm))
    if place == "noise":
        return noise(animal.size, rng)
    return cast(FLOORS[place](animal.size, rng, t), animal, rng)


def cast(picture: Image.Image, animal: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Draw the soft shadow of the animal on its background."""
    wide = animal.size[0]
    shadow = animal.getchannel("A").filter(ImageFilter.BoxBlur(wide * 0.012)).point(lambda v: int(v * 0.4))
    where = int(wide * rng.uniform(0, 0.02)), int(wide * rng.uniform(0.008, 0.03))
    picture.paste((20, 20, 24), where, shadow)
    return picture
