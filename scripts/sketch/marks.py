# ruff: noqa: ARG001, PLR0917 - every mark is called alike, with the rest of its row in kinds.py
"""
Marks on the skin of a fish: a mark returns a cover (size, size) in 0..1 and a colour.

Places are u along the body (0 head, 1 tail) and v down it (0 back, 1 belly).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .sprite import Array, Colour, Sprite, rgb

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True)
class Skin:
    """
    Where every pixel lies on the body, for the rows from `first` on of a sprite of `size` pixels.
    """

    u: Array
    v: Array
    inside: np.ndarray
    long: float
    deep: float
    size: int
    first: int


Mark = tuple[Array, Colour]


def step(x: Array, sharp: float = 8.0) -> Array:
    """
    Turn a signed distance into a soft cover.
    """
    return np.asarray(np.clip(x * sharp + 0.5, 0, 1))


def window(skin: Skin, u: tuple[float, float], v: tuple[float, float]) -> Array:
    """
    Return the cover of a rectangle on the body.
    """
    a = np.clip(np.minimum(skin.u - u[0], u[1] - skin.u) * 40 + 0.5, 0, 1)
    return np.asarray(a * np.clip(np.minimum(skin.v - v[0], v[1] - skin.v) * 12 + 0.5, 0, 1))


def waves(skin: Skin, sprite: Sprite, colour: str, down: float = 0.45, n: float = 15) -> Mark:
    """
    Wavy dark lines over the back, as of a mackerel.
    """
    phase = sprite.rng.uniform(0, 6)
    bend = np.sin(skin.v * 22 + skin.u * 9 + phase) * 1.1 + np.sin(skin.v * 9 + phase) * 0.8
    stripes = np.sin(skin.u * n * 6.28 + bend)
    return step(stripes - 0.15, 2.5) * window(skin, (0.2, 1.0), (-0.2, down)), rgb(colour)


def bars(
    skin: Skin,
    sprite: Sprite,
    colour: str,
    places: Sequence[float],
    width: float = 0.05,
    v: tuple[float, float] = (-0.2, 1.2),
    slope: float = 0.0,
    soft: float = 60,
) -> Mark:
    """
    Bars across the body at the given places.
    """
    u = skin.u + slope * (skin.v - 0.5) + 0.006 * np.sin(skin.v * 7)
    away = np.min(np.abs(u[None] - np.asarray(places, np.float32)[:, None, None]), axis=0)
    return np.clip((width / 2 - away) * soft + 0.5, 0, 1) * window(skin, (-0.1, 1.1), v), rgb(colour)


def lines(
    skin: Skin,
    sprite: Sprite,
    colour: str,
    places: Sequence[float],
    width: float = 0.06,
    u: tuple[float, float] = (0.05, 1.1),
    wiggle: float = 0.0,
) -> Mark:
    """
    Lines along the body.
    """
    v = skin.v + wiggle * np.sin(skin.u * 20)
    away = np.min(np.abs(v[None] - np.asarray(places, np.float32)[:, None, None]), axis=0)
    return np.clip((width / 2 - away) * 25 + 0.5, 0, 1) * window(skin, u, (-0.2, 1.2)), rgb(colour)


def dots(
    skin: Skin,
    sprite: Sprite,
    colour: str,
    n: int,
    r: float,
    u: tuple[float, float] = (0.05, 0.98),
    v: tuple[float, float] = (0.05, 0.9),
) -> Mark:
    """Scattered round spots. r is in body lengths."""
    spots = np.zeros(skin.v.shape, np.float32)
    side = max(1, int(np.sqrt(n * (u[1] - u[0]) / (v[1] - v[0]) / max(skin.deep, 0.05))))
    rows = max(1, round(n / side))
    for i in range(side * rows):
        a = u[0] + (u[1] - u[0]) * ((i % side) + sprite.rng.uniform(0.1, 0.9)) / side
        b = v[0] + (v[1] - v[0]) * ((i // side) + sprite.rng.uniform(0.1, 0.9)) / rows
        stamp(spots, skin, a, b, r * sprite.rng.uniform(0.75, 1.25))
    return spots, rgb(colour)


def stamp(cover: Array, skin: Skin, u: float, v: float, r: float, ratio: float = 1.0) -> None:
    """
    Add a round spot to a cover, looking only at the pixels near it.
    """
    column = int(np.argmin(np.abs(skin.u[0] - u)))
    row = int(np.argmin(np.abs(skin.v[:, column] - v)))
    reach = max(0.6, r * skin.long * skin.size)
    high = reach * ratio
    y0, y1 = max(0, int(row - high - 2)), min(cover.shape[0], int(row + high + 3))
    x0, x1 = max(0, int(column - reach - 2)), min(cover.shape[1], int(column + reach + 3))
    y, x = np.ogrid[y0:y1, x0:x1]
    away = np.sqrt(((x - column) / reach) ** 2 + ((y - row) / high) ** 2)
    cover[y0:y1, x0:x1] = np.maximum(cover[y0:y1, x0:x1], np.clip((1 - away) * reach + 0.5, 0, 1))


def row(
    skin: Skin,
    sprite: Sprite,
    colour: str,
    n: int,
    r: float,
    v: float = 0.45,
    u: tuple[float, float] = (0.28, 0.9),
    tall: float = 1.0,
) -> Mark:
    """A row of spots along the side. `tall` makes them ovals."""
    spots = np.zeros(skin.v.shape, np.float32)
    for a in np.linspace(u[0], u[1], n):
        stamp(spots, skin, float(a) + sprite.rng.uniform(-0.006, 0.006), v, r * sprite.rng.uniform(0.85, 1.15), tall)
    return spots, rgb(colour)


def blotch(skin: Skin, sprite: Sprite, colour: str, u: float, v: float, r: float, tall: float = 1.0) -> Mark:
    """
    One spot at a place.
    """
    spot = np.zeros(skin.v.shape, np.float32)
    stamp(spot, skin, u, v, r, tall)
    return spot, rgb(colour)


def net(skin: Skin, sprite: Sprite, colour: str, n: float = 22, strength: float = 0.6) -> Mark:
    """
    The net of large scales.
    """
    tall = n * max(skin.deep, 0.1) * 1.25
    a, b = skin.u * n, skin.v * tall
    wave = np.abs(np.sin(np.pi * (a + b))) * np.abs(np.sin(np.pi * (a - b)))
    return np.clip((0.30 - wave) * 4, 0, 1) * strength * window(skin, (0.24, 1.05), (-0.1, 1.1)), rgb(colour)


def marble(
    skin: Skin,
    sprite: Sprite,
    colour: str,
    cells: int = 9,
    above: float = 0.52,
    strength: float = 0.8,
    v: tuple[float, float] = (-0.2, 1.2),
) -> Mark:
    """
    Cloudy patches.
    """
    noise = sprite.noise(cells)[skin.first : skin.first + len(skin.v)]
    return np.clip((noise - above) * 7, 0, 1) * strength * window(skin, (-0.1, 1.1), v), rgb(colour)


def patch(
    skin: Skin, sprite: Sprite, colour: str, u: tuple[float, float], v: tuple[float, float], strength: float = 1.0
) -> Mark:
    """
    A patch of colour with soft edges.
    """
    return window(skin, u, v) * strength, rgb(colour)


def mail(skin: Skin, sprite: Sprite, colour: str, n: float = 8) -> Mark:
    """
    Polygonal plates: dark lines between cells.
    """
    rng = sprite.rng
    tall = max(3, int(n * max(skin.deep, 0.2)))
    best = np.full((2, *skin.v.shape), 9, np.float32)
    for i in range(int(n)):
        for j in range(tall):
            a = (i + 0.5 * (j % 2) + rng.uniform(0.25, 0.75)) / n
            b = (j + rng.uniform(0.25, 0.75)) / tall
            away = np.hypot((skin.u - a) * n, (skin.v - b) * tall).astype(np.float32)
            best[1] = np.minimum(best[1], np.maximum(best[0], away))
            best[0] = np.minimum(best[0], away)
    return np.clip((best[1] - best[0] - 0.22) * 6, 0, 1), rgb(colour)


def keel(skin: Skin, sprite: Sprite, colour: str) -> Mark:
    """
    The hard scutes of a horse mackerel along the curved lateral line.
    """
    line = 0.30 + 0.22 / (1 + np.exp(-(skin.u - 0.5) * 26))
    wide = np.where(skin.u > 0.5, 0.11, 0.05) * (0.75 + 0.35 * np.sign(np.sin(skin.u * 160)))
    return np.clip((wide / 2 - np.abs(skin.v - line)) * 30 + 0.4, 0, 1) * window(skin, (0.24, 1.1), (0, 1)), rgb(colour)


MARKS: dict[str, Callable[..., Mark]] = {
    f.__name__: f for f in (waves, bars, lines, dots, row, blotch, net, marble, patch, mail, keel)
}
