# ruff: noqa: PLR0917 - strokes are calls with many numbers
"""
Octopuses, squids and cuttlefish.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .sprite import around, dark, light, mix, rgb, smooth

if TYPE_CHECKING:
    from PIL import Image

    from .sprite import Sprite


def arm(
    sprite: Sprite,
    root: tuple[float, float],
    angle: float,
    long: float,
    curl: float,
    wide: float,
    fill: tuple[int, int, int],
    suckers: str,
) -> None:
    """
    Draw one arm that leaves at an angle and curls, with suckers along one edge.
    """
    t = np.linspace(0, 1, 9)
    turn = angle + curl * t**1.5
    steps = np.stack([np.cos(turn), np.sin(turn)], axis=1) * long / 8
    line = np.array(root) + np.vstack([[0, 0], np.cumsum(steps, axis=0)[:-1]])
    sprite.tube(line, [wide, wide * 0.9, wide * 0.65, wide * 0.4, wide * 0.06], fill, dark(fill, 0.45))
    side = np.sign(curl) if curl else 1.0
    smooth_line = smooth(line, 3, closed=False)
    for i, point in enumerate(smooth_line[3:-2]):
        size = wide * 0.17 * (1 - i / len(smooth_line))
        way = np.array([-np.sin(angle + curl * (i / 24) ** 1.5), np.cos(angle + curl * (i / 24) ** 1.5)]) * side
        spot = point + way * wide * 0.24 * (1 - i / len(smooth_line))
        sprite.disc(float(spot[0]), float(spot[1]), max(size, 0.003), rgb(suckers))


def octopus(sprite: Sprite) -> Image.Image:
    """
    Draw a common octopus: a round head on eight curled arms, a net of dark lines, pale spots.
    """
    rng = sprite.rng
    fill = mix(rgb("b5583c"), rgb("96563f"), rng.uniform())
    for i, angle in enumerate(np.linspace(2.95, 0.19, 8)):
        curl = (1.9 if i >= 4 else -1.9) * rng.uniform(-1.15, -0.7)
        arm(
            sprite,
            (0.09 * np.cos(angle), 0.04 + 0.04 * np.sin(angle)),
            float(angle) + rng.uniform(-0.08, 0.08),
            rng.uniform(0.40, 0.48),
            curl,
            0.088,
            dark(fill, 0.1 * (i % 2)),
            "f0c8b4",
        )
    mantle = smooth(
        np.array(
            [
                (0.0, -0.42),
                (0.125, -0.37),
                (0.165, -0.25),
                (0.125, -0.11),
                (0.13, 0.0),
                (0.08, 0.09),
                (-0.08, 0.09),
                (-0.13, 0.0),
                (-0.125, -0.11),
                (-0.165, -0.25),
                (-0.125, -0.37),
            ]
        ),
        5,
    )
    sprite.shape(mantle, fill, dark(fill, 0.45), 0.006)
    sprite.mottle(mantle, dark(fill, 0.35), 22, 0.55)
    sprite.sprinkle(mantle, light(fill, 0.55), 34, 0.011)
    for x in (-1, 1):
        sprite.disc(x * 0.088, -0.055, 0.046, light(fill, 0.1))
        sprite.eye(x * 0.088, -0.06, 0.034, rgb("f4dc90"), 0.5)
    return sprite.relief()


def giant_octopus(sprite: Sprite) -> Image.Image:
    """
    Draw a giant octopus: a long drooping sack to the side, long thick arms with wide webs, folds and pale streaks.
    """
    rng = sprite.rng
    fill = mix(rgb("8c2418"), rgb("a03422"), rng.uniform())
    angles = np.linspace(-0.75, 2.75, 8)
    for i, angle in enumerate(angles):
        arm(
            sprite,
            (0.04 + 0.05 * np.cos(angle), 0.04 + 0.05 * np.sin(angle)),
            float(angle),
            rng.uniform(0.42, 0.50),
            rng.uniform(0.5, 0.9) * (1 if i % 2 else -1),
            0.105,
            dark(fill, 0.12 * (i % 2)),
            "f2d4c8",
        )
    web = np.array(
        [
            (0.04 + np.cos(a) * (0.20 if k % 2 else 0.25), 0.04 + np.sin(a) * (0.20 if k % 2 else 0.25))
            for k, a in enumerate(np.linspace(-0.9, 2.9, 15))
        ]
    )
    sprite.shape(smooth(np.vstack([[(-0.06, -0.03)], web]), 4), dark(fill, 0.18), dark(fill, 0.5), 0.005)
    sack = smooth(
        np.array(
            [
                (-0.43, -0.30),
                (-0.36, -0.41),
                (-0.20, -0.36),
                (-0.06, -0.21),
                (0.08, -0.10),
                (0.12, 0.03),
                (0.02, 0.10),
                (-0.10, 0.03),
                (-0.20, -0.09),
                (-0.36, -0.16),
            ]
        ),
        5,
    )
    sprite.shape(sack, fill, dark(fill, 0.5), 0.007)
    for shift in (-0.05, 0.0, 0.05):
        line = smooth(
            np.array(
                [
                    (-0.38 + shift * 0.4, -0.28 + shift),
                    (-0.24, -0.22 + shift),
                    (-0.10, -0.11 + shift),
                    (0.0, -0.01 + shift),
                ]
            ),
            5,
            closed=False,
        )
        sprite.line(line, dark(fill, 0.35), 0.009)
        sprite.line(line + np.array([0.006, 0.012]), light(fill, 0.35), 0.005)
    sprite.sprinkle(sack, light(fill, 0.65), 10, 0.010)
    for x, y in ((0.0, -0.095), (0.085, -0.005)):
        sprite.disc(x, y, 0.042, light(fill, 0.15))
        sprite.eye(x, y, 0.027, rgb("f0e0c0"), 0.5)
    return sprite.relief()


def arms(
    sprite: Sprite,
    x: float,
    fill: tuple[int, int, int],
    long: float,
    feelers: float,
    wide: float = 0.030,
    spread: float = 0.075,
) -> None:
    """
    Draw the eight arms and the two long feelers of a squid, towards the left.
    """
    rng = sprite.rng
    for way in (-1, 1):
        y = way * rng.uniform(0.02, 0.10)
        tip = (x - feelers, y * 1.3)
        sprite.tube(
            [(x, way * 0.015), (x - feelers * 0.45, y * 1.5), tip],
            [0.018, 0.013, 0.012],
            light(fill, 0.15),
            dark(fill, 0.4),
        )
        sprite.disc(tip[0] - 0.015, tip[1], 0.036, light(fill, 0.12), 0.018)
    for i, y in enumerate(np.linspace(-1, 1, 8)):
        bend = rng.uniform(-0.03, 0.03)
        sprite.tube(
            [
                (x + 0.02, y * spread * 0.55),
                (x - long * 0.5, y * spread + bend),
                (x - long * rng.uniform(0.85, 1.05), y * spread * 1.35 + bend),
            ],
            [wide, wide * 0.75, wide * 0.2],
            dark(fill, 0.08 * (i % 2)),
            dark(fill, 0.4),
        )


def squid_head(sprite: Sprite, x: float, fill: tuple[int, int, int], iris: str, wide: float) -> None:
    """
    Draw the head of a squid with an eye on each side.
    """
    sprite.shape(around(x, 0, 0.062, wide), fill, dark(fill, 0.4), 0.005)
    for way in (-1, 1):
        sprite.eye(x, way * wide * 0.82, 0.026, rgb(iris), 0.55)


def reef_squid(sprite: Sprite) -> Image.Image:
    """
    Draw a bigfin reef squid: fins along the whole mantle, pale cross streaks, green eyes.
    """
    fill = mix(rgb("c89a78"), rgb("b4937e"), sprite.rng.uniform())
    arms(sprite, -0.17, fill, 0.19, 0.29)
    half = [(-0.10, -0.09), (-0.03, -0.18), (0.12, -0.235), (0.27, -0.21), (0.38, -0.11), (0.42, 0.0)]
    fin = smooth(np.array(half + [(x, -y) for x, y in half[::-1][1:]]), 5)
    sprite.shape(fin, light(fill, 0.45), dark(fill, 0.25), 0.006)
    half = [(-0.12, -0.085), (0.0, -0.12), (0.15, -0.12), (0.30, -0.075), (0.40, 0.0)]
    mantle = smooth(np.array(half + [(x, -y) for x, y in half[::-1][1:]]), 5)
    sprite.shape(mantle, fill, dark(fill, 0.4), 0.006)
    sprite.sprinkle(mantle, dark(fill, 0.42), 200, 0.005)
    for x in np.linspace(-0.07, 0.30, 9):
        y = sprite.rng.uniform(-0.05, 0.05)
        sprite.line([(float(x), y - 0.036), (float(x), y + 0.036)], (250, 244, 232), 0.010)
    squid_head(sprite, -0.16, fill, "50b890", 0.068)
    return sprite.relief()


def flying_squid(sprite: Sprite) -> Image.Image:
    """
    Draw a Japanese flying squid: a long tube with an arrowhead fin, red-brown with a dark stripe.
    """
    fill = mix(rgb("a8503e"), rgb("94463c"), sprite.rng.uniform())
    arms(sprite, -0.19, fill, 0.15, 0.26, 0.026, 0.05)
    sprite.shape(
        [
            (0.22, 0.0),
            (0.24, -0.06),
            (0.30, -0.19),
            (0.34, -0.17),
            (0.47, 0.0),
            (0.34, 0.17),
            (0.30, 0.19),
            (0.24, 0.06),
        ],
        light(fill, 0.12),
        dark(fill, 0.45),
        0.006,
    )
    half = [(-0.16, -0.066), (-0.05, -0.076), (0.15, -0.072), (0.30, -0.05), (0.46, 0.0)]
    mantle = smooth(np.array(half + [(x, -y) for x, y in half[::-1][1:]]), 5)
    sprite.shape(mantle, fill, dark(fill, 0.45), 0.006)
    sprite.sprinkle(mantle, dark(fill, 0.4), 170, 0.0045)
    sprite.tube([(-0.15, 0.0), (0.15, 0.0), (0.42, 0.0)], [0.034, 0.036, 0.006], dark(fill, 0.55))
    squid_head(sprite, -0.19, fill, "e8e0d0", 0.050)
    return sprite.relief()


def firefly_squid(sprite: Sprite) -> Image.Image:
    """
    Draw a firefly squid: small and dark red, with blue lights.
    """
    rng = sprite.rng
    fill = mix(rgb("6c2c34"), rgb("54283c"), rng.uniform())
    arms(sprite, -0.15, fill, 0.19, 0.25, 0.034, 0.085)
    sprite.shape(
        smooth(
            np.array(
                [
                    (0.12, 0.0),
                    (0.17, -0.12),
                    (0.25, -0.17),
                    (0.31, -0.12),
                    (0.37, 0.0),
                    (0.31, 0.12),
                    (0.25, 0.17),
                    (0.17, 0.12),
                ]
            ),
            4,
        ),
        light(fill, 0.18),
        dark(fill, 0.4),
        0.006,
    )
    half = [(-0.11, -0.095), (0.0, -0.11), (0.15, -0.085), (0.28, -0.045), (0.37, 0.0)]
    mantle = smooth(np.array(half + [(x, -y) for x, y in half[::-1][1:]]), 5)
    sprite.shape(mantle, fill, dark(fill, 0.5), 0.006)
    for points in (mantle, around(-0.15, 0, 0.06, 0.075)):
        sprite.sprinkle(points, rgb("40a8ff"), 46 if points is mantle else 12, 0.0095)
        sprite.sprinkle(points, rgb("c8f4ff"), 40 if points is mantle else 10, 0.0052)
    for y in (-0.06, -0.02, 0.02, 0.06):
        sprite.disc(-0.345 + rng.uniform(-0.02, 0.02), y * 1.8, 0.014, rgb("58c8ff"))
        sprite.disc(-0.26, y * 1.4, 0.009, rgb("58c8ff"))
    for way in (-1, 1):
        sprite.eye(-0.145, way * 0.078, 0.030, rgb("70c8e8"), 0.6)
    return sprite.relief()


def cuttlefish(sprite: Sprite) -> Image.Image:
    """
    Draw a cuttlefish: a broad shield with a narrow fin edge, dark bars across, short arms.
    """
    fill = mix(rgb("b89a70"), rgb("a88a6c"), sprite.rng.uniform())
    arms(sprite, -0.22, fill, 0.15, 0.17, 0.042, 0.085)
    half = [(-0.16, -0.12), (-0.05, -0.185), (0.12, -0.20), (0.28, -0.15), (0.37, -0.05), (0.385, 0.0)]
    fin = smooth(np.array(half + [(x, -y) for x, y in half[::-1][1:]]), 5)
    sprite.shape(fin, rgb("e8e0ec"), dark(fill, 0.3), 0.006)
    mantle = fin * [0.93, 0.84]
    sprite.shape(mantle, fill, dark(fill, 0.45), 0.005)
    inside = np.asarray(sprite.mask(mantle), np.float32) / 255
    x, y = sprite.grid()
    zebra = np.sin((x + 0.25 * y * y * 4) * 95 + np.sin(y * 40 + sprite.rng.uniform(0, 6)) * 0.9)
    sprite.paint(rgb("4a3020"), inside * np.clip(zebra * 3, 0, 1) * 0.85)
    sprite.shape(
        smooth(np.array([(-0.19, -0.09), (-0.10, -0.125), (-0.06, 0.0), (-0.10, 0.125), (-0.19, 0.09)]), 4),
        dark(fill, 0.08),
    )
    squid_head(sprite, -0.195, dark(fill, 0.12), "e8d890", 0.090)
    for way in (-1, 1):
        sprite.line([(-0.215, way * 0.075), (-0.195, way * 0.086), (-0.175, way * 0.075)], (20, 16, 14), 0.008)
    return sprite.relief()
