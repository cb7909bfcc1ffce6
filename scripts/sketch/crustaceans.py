# ruff: noqa: PLR0917 - strokes are calls with many numbers
"""
Shrimps, lobsters and mantis shrimps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .sprite import around, dark, light, mix, rgb, smooth, tube

if TYPE_CHECKING:
    from PIL import Image

    from .sprite import Colour, Sprite


def legs(
    sprite: Sprite,
    roots: list[tuple[float, float]],
    knees: list[tuple[float, float]],
    tips: list[tuple[float, float]],
    fill: Colour,
    wide: float,
) -> None:
    """
    Draw jointed legs, thinner to the tip.
    """
    for root, knee, tip in zip(roots, knees, tips, strict=True):
        for a, b, w0, w1 in ((root, knee, 1.0, 0.8), (knee, tip, 0.7, 0.15)):
            a_, b_ = np.array(a), np.array(b)
            side = np.array([-(b_ - a_)[1], (b_ - a_)[0]])
            side = side / max(float(np.hypot(*side)), 1e-6) * wide / 2
            sprite.shape(
                [a_ + side * w0, b_ + side * w1, b_ - side * w1, a_ - side * w0], fill, dark(fill, 0.45), 0.004
            )


def prawn(sprite: Sprite, *, colours: tuple[str, str], bands: str, spots: str, fan: str, stout: float) -> Image.Image:
    """
    Draw a prawn from the side: curved, with bands or spots, feelers, a beak and a tail fan.
    """
    rng = sprite.rng
    fill = mix(rgb(colours[0]), rgb(colours[1]), rng.uniform())
    drop = rng.uniform(0.8, 1.2)
    curve = np.array(
        [(-0.22, -0.03), (-0.06, -0.09), (0.08, -0.075), (0.20, 0.0), (0.27, 0.11 * drop), (0.275, 0.24 * drop)]
    )
    widths = [0.16 * stout, 0.165 * stout, 0.15 * stout, 0.12 * stout, 0.085 * stout, 0.055 * stout]
    for long, lift in ((0.40, -0.07), (0.52, 0.08)):
        line = smooth(
            np.array(
                [
                    (-0.25, -0.05),
                    (-0.36, -0.12 + lift * 0.4),
                    (-0.36 + long * 0.35, -0.33 + lift),
                    (-0.36 + long, -0.38 + lift * 0.9),
                ]
            ),
            8,
            closed=False,
        )
        sprite.line(line, light(fill, 0.05), 0.006)
    prawn_limbs(sprite, curve, fill, rgb(fan))
    outline = tube(curve, widths)
    sprite.shape(outline, fill, dark(fill, 0.5), 0.006)
    prawn_rings(sprite, outline, fill, bands, spots, stout)
    prawn_head(sprite, fill, bands, spots, stout)
    return sprite.relief()


def prawn_limbs(sprite: Sprite, curve: np.ndarray, fill: Colour, fan: Colour) -> None:
    """
    Draw the legs, the swimmerets and the tail fan of a prawn.
    """
    for i, x in enumerate(np.linspace(-0.20, -0.04, 5)):
        legs(sprite, [(x, 0.02)], [(x - 0.04, 0.12)], [(x - 0.11 + 0.01 * i, 0.19)], light(fill, 0.12), 0.018)
    line = smooth(curve, 8, closed=False)
    for share in np.linspace(0.42, 0.86, 5):
        x, y = line[int(share * (len(line) - 1))]
        sprite.shape(
            [(x - 0.03, y + 0.02), (x - 0.06, y + 0.105), (x - 0.02, y + 0.10), (x + 0.015, y + 0.03)],
            light(fill, 0.2),
            dark(fill, 0.35),
            0.004,
        )
    end = line[-1]
    for angle in (0.75, 1.15, 1.6, 2.0, 2.4):
        tip = end + 0.14 * np.array([np.cos(angle), np.sin(angle)])
        sprite.tube([end, (end + tip) / 2, tip], [0.03, 0.05, 0.02], fan, dark(fan, 0.45))


def prawn_rings(sprite: Sprite, outline: np.ndarray, fill: Colour, bands: str, spots: str, stout: float) -> None:
    """
    Draw the rings of the tail, with bands or spots.
    """
    half = len(outline) // 2
    for i, share in enumerate(np.linspace(0.36, 0.97, 8)):
        k = min(int(share * (half - 1)), half - 2)
        a, b = outline[k], outline[::-1][k]
        if bands:
            m = min(k + max(2, half // 24), half - 1)
            sprite.shape([a, outline[m], outline[::-1][m], b], rgb(bands))
        sprite.line([a, (a + b) / 2 + [0.012, 0], b], dark(fill, 0.4), 0.005)
        if spots and i < 7:
            for depth in (0.30, 0.66):
                x, y = a + (b - a) * depth
                sprite.disc(float(x) + 0.025, float(y) + 0.008, 0.017 * stout, rgb(spots), 0.013)


def prawn_head(sprite: Sprite, fill: Colour, bands: str, spots: str, stout: float) -> None:
    """
    Draw the shield, the beak and the eye of a prawn.
    """
    shell = smooth(
        np.array(
            [
                (-0.27, -0.02),
                (-0.23, -0.10),
                (-0.10, -0.175 * stout),
                (-0.02, -0.165 * stout),
                (-0.03, 0.0),
                (-0.06, 0.045),
                (-0.20, 0.06),
            ]
        ),
        5,
    )
    sprite.shape(shell, mix(fill, light(fill, 0.1), 0.5), dark(fill, 0.5), 0.006)
    if bands:
        for x in (-0.185, -0.09):
            sprite.veil([(x, -0.13), (x + 0.035, -0.13), (x + 0.06, 0.04), (x + 0.02, 0.045)], rgb(bands), 190)
    if spots:
        sprite.sprinkle(shell, rgb(spots), 7, 0.014)
    sprite.shape(
        [(-0.10, -0.155), (-0.24, -0.115), (-0.375, -0.145), (-0.25, -0.085)], dark(fill, 0.12), dark(fill, 0.5), 0.004
    )
    for x in np.linspace(-0.33, -0.18, 6):
        sprite.shape([(x, -0.128), (x + 0.012, -0.150), (x + 0.02, -0.124)], dark(fill, 0.3))
    sprite.disc(-0.255, -0.065, 0.026, (24, 18, 20))
    sprite.disc(-0.262, -0.073, 0.007, (255, 255, 255))


def lobster(sprite: Sprite) -> Image.Image:
    """
    Draw a spiny lobster from above: long thick feelers, spines, ten legs, a banded tail with a fan.
    """
    rng = sprite.rng
    fill = mix(rgb("8a2f22"), rgb("a03c24"), rng.uniform())
    for way in (-1, 1):
        for x in (-0.16, -0.11, -0.06, -0.01):
            legs(
                sprite,
                [(x, way * 0.05)],
                [(x - 0.05, way * 0.17)],
                [(x + 0.01, way * 0.27)],
                light(mix(fill, (220, 120, 60), 0.4), 0.05),
                0.024,
            )
        spread = rng.uniform(0.16, 0.34)
        line = smooth(
            np.array(
                [
                    (-0.24, way * 0.045),
                    (-0.33, way * 0.11),
                    (-0.38, way * (0.14 + spread * 0.4)),
                    (-0.18, way * (0.26 + spread * 0.5)),
                    (0.10, way * (0.29 + spread * 0.45)),
                ]
            ),
            8,
            closed=False,
        )
        sprite.shape(
            tube(line, [0.048, 0.034, 0.022, 0.014, 0.006]), mix(fill, (225, 120, 60), 0.3), dark(fill, 0.5), 0.004
        )
        sprite.line([(-0.26, way * 0.015), (-0.38, way * 0.04), (-0.47, way * 0.03)], light(fill, 0.25), 0.006)
    for angle in (-0.7, -0.35, 0.0, 0.35, 0.7):
        tip = (0.34 + 0.15 * np.cos(angle), 0.15 * np.sin(angle))
        sprite.tube(
            [(0.32, 0.03 * np.sin(angle)), ((0.32 + tip[0]) / 2, tip[1] * 0.55), tip],
            [0.04, 0.075, 0.06],
            mix(fill, (210, 130, 70), 0.25),
            dark(fill, 0.5),
        )
    for i, x in enumerate(np.linspace(0.30, 0.03, 6)):
        wide = 0.075 + 0.008 * i
        ring = smooth(
            np.array(
                [
                    (x - 0.035, -wide),
                    (x + 0.03, -wide * 0.95),
                    (x + 0.045, 0.0),
                    (x + 0.03, wide * 0.95),
                    (x - 0.035, wide),
                    (x - 0.025, 0.0),
                ]
            ),
            4,
        )
        sprite.shape(ring, fill, dark(fill, 0.55), 0.006)
        sprite.line([(x + 0.028, -wide * 0.8), (x + 0.038, 0), (x + 0.028, wide * 0.8)], rgb("e0a060"), 0.007)
    shell = smooth(
        np.array(
            [
                (-0.27, -0.05),
                (-0.20, -0.10),
                (-0.06, -0.125),
                (0.04, -0.115),
                (0.055, 0.0),
                (0.04, 0.115),
                (-0.06, 0.125),
                (-0.20, 0.10),
                (-0.27, 0.05),
                (-0.25, 0.0),
            ]
        ),
        4,
    )
    sprite.shape(shell, mix(fill, (70, 20, 30), 0.15), dark(fill, 0.55), 0.006)
    for x in np.linspace(-0.22, 0.02, 7):
        for y in (-0.075, -0.035, 0.0, 0.035, 0.075):
            sprite.shape(
                [(x, y - 0.008), (x - 0.026, y), (x, y + 0.008)], rgb("e09a58") if (y == 0) else light(fill, 0.3)
            )
    for way in (-1, 1):
        sprite.shape(
            [(-0.23, way * 0.035), (-0.30, way * 0.065), (-0.235, way * 0.07)], light(fill, 0.25), dark(fill, 0.5)
        )
        sprite.eye(-0.262, way * 0.032, 0.017, (60, 50, 50))
    return sprite.relief()


def mantis(sprite: Sprite) -> Image.Image:
    """
    Draw a mantis shrimp from above: flat and long, many rings, folded saw arms, a spiny tail plate.
    """
    fill = mix(rgb("b8a890"), rgb("a89c94"), sprite.rng.uniform())
    for way in (-1, 1):
        sprite.line(
            smooth(np.array([(-0.35, way * 0.02), (-0.43, way * 0.07), (-0.48, way * 0.06)]), 4, closed=False),
            dark(fill, 0.3),
            0.006,
        )
        sprite.shape(around(-0.36, way * 0.075, 0.050, 0.022), light(fill, 0.3), dark(fill, 0.4), 0.004)
        for x in (-0.12, -0.08, -0.04):
            legs(
                sprite, [(x, way * 0.05)], [(x - 0.01, way * 0.10)], [(x + 0.02, way * 0.15)], light(fill, 0.15), 0.014
            )
        sprite.tube(
            [(-0.20, way * 0.06), (-0.12, way * 0.15), (-0.16, way * 0.16)],
            [0.03, 0.04, 0.03],
            light(fill, 0.12),
            dark(fill, 0.5),
        )
        sprite.tube(
            [(-0.11, way * 0.155), (-0.24, way * 0.165), (-0.38, way * 0.12)],
            [0.04, 0.038, 0.01],
            light(fill, 0.2),
            dark(fill, 0.5),
        )
        for x in np.linspace(-0.35, -0.17, 7):
            sprite.shape(
                [(x, way * 0.135), (x - 0.006, way * 0.105), (x + 0.014, way * 0.14)],
                light(fill, 0.5),
                dark(fill, 0.5),
                0.003,
            )
        sprite.shape(
            smooth(np.array([(0.31, way * 0.06), (0.38, way * 0.13), (0.45, way * 0.125), (0.41, way * 0.05)]), 3),
            rgb("5c7f9c"),
            dark(fill, 0.5),
            0.004,
        )
    plate = [
        (0.29, -0.085),
        (0.38, -0.09),
        (0.44, -0.055),
        (0.425, -0.03),
        (0.455, -0.01),
        (0.455, 0.01),
        (0.425, 0.03),
        (0.44, 0.055),
        (0.38, 0.09),
        (0.29, 0.085),
    ]
    sprite.shape(plate, dark(fill, 0.12), dark(fill, 0.55), 0.006)
    for y in (-0.03, 0.03):
        sprite.disc(0.355, y, 0.013, rgb("8a2430"))
    for i, x in enumerate(np.linspace(0.27, -0.14, 10)):
        wide = 0.092 - 0.002 * i
        ring = [(x - 0.030, -wide), (x + 0.026, -wide * 1.03), (x + 0.026, wide * 1.03), (x - 0.030, wide)]
        sprite.shape(ring, fill, dark(fill, 0.5), 0.005)
        for y in (-0.055, -0.02, 0.02, 0.055):
            sprite.line([(x - 0.02, y), (x + 0.02, y)], dark(fill, 0.25), 0.005)
    sprite.shape(
        smooth(
            np.array([(-0.33, -0.03), (-0.28, -0.055), (-0.16, -0.07), (-0.15, 0.07), (-0.28, 0.055), (-0.33, 0.03)]), 3
        ),
        mix(fill, (180, 120, 110), 0.2),
        dark(fill, 0.5),
        0.005,
    )
    for way in (-1, 1):
        sprite.disc(-0.352, way * 0.026, 0.021, rgb("60c8a0"), 0.015)
        sprite.disc(-0.355, way * 0.026, 0.009, (20, 30, 30))
    return sprite.relief()
