"""
Jellyfish, sea cucumbers, starfish and urchins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .sprite import around, dark, light, mix, rgb, smooth, tube

if TYPE_CHECKING:
    from PIL import Image

    from .sprite import Sprite


def jellyfish(sprite: Sprite) -> Image.Image:
    """
    Draw a moon jelly: a clear bell with four rings, a fringe and four frilled arms.
    """
    rng = sprite.rng
    tint = mix(rgb("dce8f8"), rgb("e8e0f4"), rng.uniform())
    for x in np.linspace(-0.10, 0.10, 4):
        sway = rng.uniform(-0.03, 0.03)
        ribbon = tube(
            [(x * 0.6, 0.0), (x + sway, 0.16), (x * 1.3 - sway, 0.29), (x * 1.4, 0.40)], [0.05, 0.062, 0.045, 0.012]
        )
        sprite.veil(ribbon, mix(tint, (255, 230, 245), 0.5), 150)
        sprite.line(ribbon[: len(ribbon) // 2], (255, 255, 255), 0.004)
    for x in np.linspace(-0.33, 0.33, 44):
        y = 0.055 - 0.25 * (x / 0.36) ** 2 * 0.12
        sprite.line([(float(x), y), (float(x) + rng.uniform(-0.012, 0.012), y + rng.uniform(0.06, 0.115))], tint, 0.003)
    bell = smooth(
        np.array(
            [
                (-0.36, 0.045),
                (-0.345, -0.08),
                (-0.25, -0.22),
                (-0.10, -0.30),
                (0.10, -0.30),
                (0.25, -0.22),
                (0.345, -0.08),
                (0.36, 0.045),
                (0.2, 0.085),
                (0.0, 0.095),
                (-0.2, 0.085),
            ]
        ),
        5,
    )
    for grow, alpha in ((1.0, 120), (0.9, 50), (0.72, 45)):
        sprite.veil(bell * grow, tint, alpha)
    sprite.line(np.vstack([bell, bell[:1]]), (255, 255, 255), 0.006)
    for angle in np.linspace(3.14, 6.28, 15):
        sprite.line(
            [(0.10 * np.cos(angle), -0.06 + 0.10 * np.sin(angle)), (0.34 * np.cos(angle), 0.03 + 0.30 * np.sin(angle))],
            mix(tint, (255, 255, 255), 0.4),
            0.003,
        )
    for x, y in ((-0.10, -0.10), (0.10, -0.10), (-0.065, -0.005), (0.065, -0.005)):
        ring = around(x, y, 0.068, 0.045)
        sprite.veil(ring, (214, 170, 226), 110)
        sprite.line(np.vstack([ring[-7:], ring[:20]]), rgb("b060c0"), 0.015)
    return sprite.image


def sea_cucumber(sprite: Sprite) -> Image.Image:
    """
    Draw a sea cucumber: a fat bent sausage with blunt warts.
    """
    rng = sprite.rng
    fill = [rgb("4a5030"), rgb("6e4a30"), rgb("3a3c34")][int(rng.integers(3))]
    bend = rng.uniform(-0.09, 0.09)
    curve = [(-0.38, bend), (-0.2, -bend * 0.4), (0.0, -bend), (0.2, -bend * 0.4), (0.38, bend)]
    outline = tube(curve, [0.09, 0.19, 0.215, 0.20, 0.175, 0.08])
    sprite.shape(smooth(outline[::3], 3), fill, dark(fill, 0.5), 0.006)
    sprite.mottle(outline, dark(fill, 0.4), 13, 0.5)
    line = smooth(np.array(curve), 6, closed=False)
    for y in (-0.075, -0.028, 0.028, 0.075):
        for point in line[2:-2:2]:
            x0, y0 = point[0] + rng.uniform(-0.01, 0.01), point[1] + y * rng.uniform(0.9, 1.1)
            size = rng.uniform(0.013, 0.019)
            sprite.disc(x0, y0, size, dark(fill, 0.35))
            sprite.disc(x0 - 0.002, y0 - 0.005, size * 0.72, light(fill, 0.28))
    for angle in np.linspace(2.2, 4.1, 8):
        x, y = -0.385, bend
        sprite.line([(x, y), (x + 0.06 * np.cos(angle), y + 0.055 * np.sin(angle))], light(fill, 0.3), 0.009)
    return sprite.relief()


def starfish(sprite: Sprite) -> Image.Image:
    """
    Draw a bat star: short arms with webs, dark blue with orange blotches.
    """
    rng = sprite.rng
    fill = mix(rgb("1f3c78"), rgb("25506e"), rng.uniform())
    start = rng.uniform(0, 6.28)
    points = []
    for i in range(5):
        for offset, reach in ((-0.08, 0.37), (0.08, 0.37), (0.628, 0.235)):
            angle = start + i * 2 * np.pi / 5 + offset
            points.append((np.cos(angle) * reach, np.sin(angle) * reach))
    outline = smooth(np.array(points), 5)
    sprite.shape(outline * 1.03, rgb("e07030"), rgb("903818"), 0.005)
    sprite.shape(outline * 0.97, fill)
    sprite.mottle(outline * 0.97, rgb("e8702c"), 14, 0.6)
    sprite.sprinkle(outline * 0.95, light(fill, 0.35), 200, 0.0045)
    for i in range(5):
        angle = start + i * 2 * np.pi / 5
        sprite.line([(0, 0), (np.cos(angle) * 0.33, np.sin(angle) * 0.33)], dark(fill, 0.35), 0.006)
    sprite.disc(0.03, -0.03, 0.014, rgb("f0d0a0"))
    return sprite.relief()


def urchin(sprite: Sprite) -> Image.Image:
    """
    Draw a purple sea urchin: long pointed spines all round.
    """
    rng = sprite.rng
    fill = mix(rgb("3c2244"), rgb("2c1c36"), rng.uniform())
    for layer, (n, reach) in enumerate(((80, 0.45), (70, 0.36), (60, 0.27))):
        tone = light(fill, 0.06 + 0.14 * layer)
        for i in range(n):
            angle = 2 * np.pi * (i + rng.uniform(0, 0.9)) / n
            long = reach * rng.uniform(0.86, 1.06)
            way, side = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)]) * 0.008
            root = way * 0.06 * layer * 0.6
            sprite.shape([root - side, way * long, root + side], tone, dark(fill, 0.4), 0.003)
        if layer == 0:
            sprite.disc(0, 0, 0.22, dark(fill, 0.2))
    for _ in range(26):
        angle, near = rng.uniform(0, 6.28), rng.uniform(0.02, 0.17)
        x, y = np.cos(angle) * near, np.sin(angle) * near
        sprite.shape(
            [(x - 0.006, y), (x * 1.5 + rng.uniform(-0.02, 0.02), y * 1.5 - 0.05), (x + 0.006, y)],
            light(fill, 0.4),
            dark(fill, 0.3),
            0.003,
        )
    return sprite.relief(0.6)
