"""
Fins that only some fish have: finlets, wings, fans, long rays, threads and crests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .body import draw_fin, paired_fin
from .sprite import dark, light, mix, rgb

if TYPE_CHECKING:
    from .body import Body
    from .sprite import Sprite


def finlets(sprite: Sprite, body: Body, colour: str = "") -> None:
    """
    Draw the row of small fins before the tail, above and below.
    """
    fill = rgb(colour or body.spec.fin)
    for u in np.linspace(0.74, 0.97, 7):
        for v, way in ((0.02, -1), (0.98, 1)):
            x, y = body.at(float(u), v)
            sprite.shape([(x - 0.008, y), (x + 0.006, y), (x + 0.017, y + way * 0.014)], fill, dark(fill, 0.4), 0.003)


def yellow_finlets(sprite: Sprite, body: Body) -> None:
    """
    Draw the yellow finlets of a tuna.
    """
    finlets(sprite, body, "f0c820")


def adipose(sprite: Sprite, body: Body) -> None:
    """
    Draw the small fat fin of salmon and their kin.
    """
    x, y = body.at(0.83, 0.02)
    fill = rgb(body.spec.fin)
    sprite.shape(
        [(x - 0.01, y + 0.01), (x + 0.01, y - 0.022), (x + 0.034, y - 0.024), (x + 0.018, y + 0.01)],
        fill,
        dark(fill, 0.4),
        0.004,
    )


def wings(sprite: Sprite, body: Body) -> None:
    """
    Draw the spread wings of a flying fish.
    """
    fill = rgb("8fb4d4")
    for u, v, length, angle in ((0.30, 0.30, 0.40, -0.85), (0.27, 0.55, 0.44, 0.80)):
        wing(sprite, body.at(u, v), length, angle, fill)


def wing(sprite: Sprite, root: tuple[float, float], length: float, angle: float, fill: tuple[int, int, int]) -> None:
    """
    Draw one long wing with rays.
    """
    t = np.linspace(-0.32, 0.32, 9)
    reach = length * (1 - 1.2 * t**2 - 0.25 * (t + 0.32))
    tips = np.stack([root[0] + np.cos(angle + t) * reach, root[1] + np.sin(angle + t) * reach], axis=1)
    sprite.shape(np.vstack([[root], tips]), fill, dark(fill, 0.4), 0.005)
    for tip in tips:
        sprite.line([root, tip], dark(fill, 0.35), 0.004)


def fans(sprite: Sprite, body: Body) -> None:
    """Draw the round fan fin of a gurnard, green with a blue edge and pale blue spots, and its walking rays."""
    for angle in (1.15, 1.45, 1.75):
        x, y = body.at(0.24, 0.85)
        sprite.line(
            [(x, y), (x + 0.03 * np.cos(angle), y + 0.08), (x + 0.13 * np.cos(angle), y + 0.13)], rgb("d86a50"), 0.010
        )
    root = body.at(0.26, 0.6)
    t = np.linspace(-0.25, 1.45, 15)
    for reach, colour in ((0.285, "2a70d8"), (0.25, "3f7a58")):
        arc = np.stack([root[0] + np.cos(t) * reach, root[1] + np.sin(t) * reach * 0.85], axis=1)
        sprite.shape(np.vstack([[root], arc]), rgb(colour), dark(rgb(colour), 0.4), 0.004)
    for angle in t:
        end = (root[0] + np.cos(angle) * 0.28, root[1] + np.sin(angle) * 0.28 * 0.85)
        sprite.line([root, end], rgb("27503c"), 0.004)
    for angle in t[1:-1:2]:
        for reach in (0.12, 0.18, 0.23):
            sprite.disc(root[0] + np.cos(angle) * reach, root[1] + np.sin(angle) * reach * 0.85, 0.008, rgb("7ad0f0"))


def lion(sprite: Sprite, body: Body) -> None:
    """
    Draw the long banded fin rays of a lionfish.
    """
    rng = sprite.rng
    for u in np.linspace(0.18, 0.62, 11):
        x, y = body.at(float(u), 0.05)
        ray(sprite, (x, y), -1.5 + (float(u) - 0.4) * 1.1 + rng.uniform(-0.06, 0.06), rng.uniform(0.19, 0.24))
    for angle in np.linspace(-0.35, 2.3, 13):
        ray(sprite, body.at(0.30, 0.6), float(angle), rng.uniform(0.24, 0.31))


def ray(sprite: Sprite, root: tuple[float, float], angle: float, length: float) -> None:
    """
    Draw one fin ray with red and white bands and a narrow skin.
    """
    way = np.array([np.cos(angle), np.sin(angle)])
    side = np.array([-way[1], way[0]]) * 0.016
    for i in range(8):
        a, b = np.array(root) + way * length * i / 8, np.array(root) + way * length * (i + 1) / 8
        sprite.shape(
            [
                a - side * (1 - i / 9),
                b - side * (1 - (i + 1) / 9),
                b + side * (1 - (i + 1) / 9),
                a + side * (1 - i / 9),
            ],
            rgb("a03020") if i % 2 else rgb("f4dcc8"),
        )


def threads(sprite: Sprite, body: Body) -> None:
    """
    Draw the long threads of the dorsal fin of a dory.
    """
    for u in np.linspace(0.28, 0.52, 8):
        x, y = body.at(float(u), 0.03)
        sprite.line(
            [(x, y), (x + 0.02, y - 0.09), (x + 0.12, y - 0.155 - 0.05 * (0.5 - float(u)))], rgb("8a7a50"), 0.007
        )


def tail_thread(sprite: Sprite, body: Body) -> None:
    """
    Draw the thread at the upper lobe of the tail.
    """
    x, y = body.at(1.0, 0.5)
    length, spread = body.spec.tail[1] * body.spec.long, body.spec.tail[2] * body.spec.long / 2
    sprite.line(
        [
            (x + length * 0.8, y - spread * 0.92),
            (x + length * 1.2, y - spread * 1.15),
            (x + length * 1.75, y - spread * 1.1),
        ],
        rgb("f0c040"),
        0.010,
    )


def crest(sprite: Sprite, body: Body) -> None:
    """
    Draw the red crest rays and the oars of an oarfish.
    """
    x, y = body.at(0.015, 0.1)
    for i, angle in enumerate(np.linspace(-2.25, -0.9, 6)):
        tip = (x + 0.15 * np.cos(angle), y + 0.17 * np.sin(angle))
        sprite.line([(x + i * 0.006, y), tip], rgb("e0303a"), 0.009)
        sprite.disc(*tip, 0.010, rgb("e0303a"))
    x, y = body.at(0.10, 0.95)
    for reach in (0.16, 0.19):
        sprite.line([(x, y), (x + 0.06, y + reach * 0.6), (x + 0.16, y + reach)], rgb("e0303a"), 0.008)
        sprite.disc(x + 0.16, y + reach, 0.014, rgb("e0303a"))


def flow(sprite: Sprite, body: Body) -> None:
    """
    Draw the flowing second tail of a goldfish.
    """
    x, y = body.at(0.97, 0.5)
    fill = light(rgb(body.spec.tail_colour or body.spec.fin), 0.2)
    for way in (-1, 1):
        points = [
            (x, y),
            (x + 0.10, y + way * 0.10),
            (x + 0.22, y + way * 0.24),
            (x + 0.26, y + way * 0.17),
            (x + 0.24, y + way * 0.08),
            (x + 0.14, y + way * 0.02),
        ]
        draw_fin(sprite, np.array(points), fill, rays=False)
        for point in points[2:5]:
            sprite.line([(x, y), point], dark(fill, 0.2), 0.003)


def side_fins(sprite: Sprite, body: Body) -> None:
    """
    Draw large wavy breast fins.
    """
    fill = mix(rgb(body.spec.fin), rgb(body.spec.side), 0.3)
    paired_fin(sprite, body.at(0.28, 0.7), 0.24, fill, "fan", 0.75)
