"""
Things that are no animals but look or sound like fish.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .sprite import Sprite, around, dark, light, mix, rgb, smooth, tube

if TYPE_CHECKING:
    from PIL import Image


def wooden_gong(sprite: Sprite) -> Image.Image:
    """
    Draw a temple's wooden fish: a round red-brown bell with a slit, carved scales, a cushion and a mallet.
    """
    fill = mix(rgb("a8501e"), rgb("8c3c1c"), sprite.rng.uniform())
    cushion = smooth(
        np.array(
            [
                (-0.42, 0.33),
                (-0.36, 0.24),
                (0.0, 0.22),
                (0.36, 0.24),
                (0.42, 0.33),
                (0.36, 0.42),
                (0.0, 0.44),
                (-0.36, 0.42),
            ]
        ),
        5,
    )
    sprite.shape(cushion, rgb("6a2a80"), rgb("30103c"), 0.007)
    sprite.line([(-0.40, 0.33), (0.0, 0.36), (0.40, 0.33)], rgb("e0b840"), 0.014)
    for x in (-0.41, 0.41):
        sprite.shape([(x, 0.34), (x - 0.02, 0.42), (x + 0.02, 0.42)], rgb("e0b840"))
    body = smooth(
        np.array(
            [
                (-0.34, 0.08),
                (-0.30, -0.12),
                (-0.18, -0.26),
                (0.0, -0.31),
                (0.18, -0.27),
                (0.30, -0.13),
                (0.35, 0.07),
                (0.26, 0.24),
                (0.0, 0.29),
                (-0.26, 0.24),
            ]
        ),
        5,
    )
    handle = smooth(
        np.array(
            [
                (0.05, -0.29),
                (0.10, -0.40),
                (0.22, -0.40),
                (0.28, -0.28),
                (0.22, -0.20),
                (0.18, -0.25),
                (0.21, -0.30),
                (0.17, -0.34),
                (0.12, -0.32),
                (0.12, -0.25),
            ]
        ),
        4,
    )
    sprite.shape(handle, dark(fill, 0.1), dark(fill, 0.55), 0.006)
    sprite.shape(body, fill, dark(fill, 0.55), 0.008)
    for row, y in enumerate(np.linspace(-0.19, 0.01, 5)):
        for x in np.linspace(-0.20, 0.24, 8):
            x0 = x + 0.03 * (row % 2)
            if (x0 / 0.31) ** 2 + ((y - 0.0) / 0.27) ** 2 < 0.85:
                arc = [(x0 + 0.032 * np.cos(t), y + 0.030 * np.sin(t)) for t in np.linspace(0.2, 2.94, 7)]
                sprite.line(arc, dark(fill, 0.45), 0.007)
                sprite.line([(p[0], p[1] + 0.008) for p in arc], light(fill, 0.3), 0.004)
    sprite.tube([(-0.30, 0.14), (-0.1, 0.175), (0.1, 0.175), (0.30, 0.14)], [0.045, 0.05, 0.05, 0.045], rgb("1a0c08"))
    sprite.disc(-0.305, 0.14, 0.042, rgb("1a0c08"))
    sprite.disc(0.305, 0.14, 0.042, rgb("1a0c08"))
    sprite.eye(-0.19, -0.03, 0.046, rgb("e8c060"), 0.5)
    sprite.veil(
        smooth(np.array([(-0.2, -0.17), (-0.08, -0.25), (0.04, -0.26), (-0.08, -0.21)]), 5), (255, 240, 210), 120
    )
    lean = sprite.rng.uniform(-0.04, 0.04)
    sprite.tube(
        [(-0.40, -0.40), (-0.15 + lean, -0.36), (0.02, -0.345)], [0.024, 0.022, 0.022], rgb("d8b070"), rgb("6a4820")
    )
    sprite.disc(-0.40, -0.40, 0.056, rgb("c83838"), 0.050)
    sprite.line(list(around(-0.40, -0.40, 0.03, 0.045, 16)), rgb("701818"), 0.006)
    return sprite.relief()


def taiyaki(sprite: Sprite) -> Image.Image:
    """
    Draw a fish-shaped cake: toasted brown with a raised rim, pressed scales and a fluted tail.
    """
    fill = mix(rgb("d89848"), rgb("c07c34"), sprite.rng.uniform())
    outline = smooth(
        np.array(
            [
                (-0.37, 0.02),
                (-0.33, -0.09),
                (-0.20, -0.19),
                (-0.10, -0.245),
                (0.04, -0.235),
                (0.10, -0.17),
                (0.20, -0.09),
                (0.27, -0.10),
                (0.35, -0.19),
                (0.42, -0.17),
                (0.40, -0.04),
                (0.425, 0.10),
                (0.36, 0.15),
                (0.26, 0.08),
                (0.18, 0.09),
                (0.08, 0.17),
                (0.02, 0.22),
                (-0.06, 0.20),
                (-0.20, 0.18),
                (-0.32, 0.11),
            ]
        ),
        5,
    )
    sprite.shape(outline, light(fill, 0.35), dark(fill, 0.55), 0.009)
    centre = np.array([-0.03, 0.0])
    inner = centre + (outline - centre) * 0.92
    sprite.shape(inner, fill, dark(fill, 0.25), 0.006)
    sprite.mottle(inner, dark(fill, 0.38), 6, 0.5)
    for row, x in enumerate(np.linspace(-0.09, 0.15, 6)):
        tall = 0.135 - 0.75 * max(0.0, x - 0.02)
        for y in np.arange(-tall, tall + 0.01, 0.056):
            y0 = y + 0.028 * (row % 2)
            arc = [(x + 0.030 * np.cos(t), y0 + 0.029 * np.sin(t)) for t in np.linspace(-1.4, 1.4, 7)]
            sprite.line([(p[0] + 0.006, p[1]) for p in arc], light(fill, 0.45), 0.006)
            sprite.line(arc, dark(fill, 0.42), 0.008)
    gill = smooth(np.array([(-0.165, -0.155), (-0.125, -0.06), (-0.13, 0.05), (-0.175, 0.14)]), 5, closed=False)
    sprite.line(gill, dark(fill, 0.45), 0.013)
    for y in np.linspace(-0.11, 0.09, 5):
        sprite.line([(0.25, y * 0.45), (0.39, y * 1.15)], dark(fill, 0.42), 0.009)
    for x in np.linspace(-0.09, 0.06, 5):
        sprite.line([(x, -0.155), (x - 0.01, -0.215)], dark(fill, 0.42), 0.008)
        sprite.line([(x, 0.155), (x - 0.005, 0.192)], dark(fill, 0.42), 0.008)
    sprite.line(
        smooth(np.array([(-0.345, 0.05), (-0.29, 0.065), (-0.25, 0.05)]), 5, closed=False), dark(fill, 0.5), 0.010
    )
    for r, colour in ((0.042, dark(fill, 0.4)), (0.033, light(fill, 0.25)), (0.016, dark(fill, 0.55))):
        sprite.disc(-0.25, -0.045, r, colour)
    return sprite.relief(1.2)


def streamer(sprite: Sprite) -> Image.Image:
    """
    Draw a carp streamer: a cloth tube with a hoop mouth, a huge eye and rows of bright scales, tied to a pole.
    """
    rng = sprite.rng
    base, scale = [("23262e", "e8e8ea"), ("c8202c", "f8d0c8"), ("1c4fb0", "c8e0f8")][int(rng.integers(3))]
    fill, pale = rgb(base), rgb(scale)
    sway = rng.uniform(-0.05, 0.05)
    sprite.line([(-0.475, -0.45), (-0.475, 0.45)], rgb("b08850"), 0.022)
    sprite.disc(-0.475, -0.455, 0.032, rgb("e0b030"))
    for y in (-0.12, 0.0, 0.12):
        sprite.line([(-0.475, -0.06), (-0.36, y)], rgb("eeeeee"), 0.006)
    curve = [(-0.36, 0.0), (-0.15, sway), (0.08, -sway), (0.26, sway * 1.4)]
    tail = [
        (0.24, sway - 0.05),
        (0.34, -0.13 + sway * 2),
        (0.47, -0.20 + sway * 2),
        (0.40, 0.0 + sway * 2),
        (0.47, 0.19 + sway * 2),
        (0.34, 0.12 + sway * 2),
        (0.24, sway + 0.05),
    ]
    sprite.shape(tail, fill, dark(fill, 0.5), 0.007)
    for y in (-0.13, -0.06, 0.06, 0.12):
        sprite.line([(0.27, sway * 1.4 + y * 0.3), (0.43, y * 1.2 + sway * 2)], pale, 0.010)
    for points in (
        [(-0.04, -0.12), (0.03, -0.20), (0.14, -0.18), (0.10, -0.08)],
        [(-0.06, 0.12), (0.02, 0.21), (0.10, 0.17), (0.06, 0.08)],
    ):
        sprite.shape(points, pale, dark(fill, 0.4), 0.006)
    outline = tube(curve, [0.29, 0.28, 0.23, 0.11])
    sprite.shape(outline, fill, dark(fill, 0.5), 0.007)
    line = smooth(np.array(curve), 6, closed=False)
    for row, share in enumerate(np.linspace(0.40, 0.97, 8)):
        x, y = line[int(share * (len(line) - 1))]
        half = np.interp(share, [0, 0.34, 0.67, 1], [0.145, 0.14, 0.115, 0.055])
        for step in np.arange(-half + 0.025, half - 0.01, 0.05):
            y0 = y + step + 0.025 * (row % 2)
            arc = [(x + 0.034 * np.cos(t), y0 + 0.027 * np.sin(t)) for t in np.linspace(-1.5, 1.5, 8)]
            sprite.line(arc, pale, 0.011)
    sprite.shape(around(-0.355, 0.0, 0.035, 0.145), rgb("fdfdfd"), dark(fill, 0.5), 0.012)
    sprite.shape(around(-0.357, 0.0, 0.022, 0.115), rgb("40202a"))
    sprite.shape(
        smooth(
            np.array([(-0.19, -0.138), (-0.155, 0.0), (-0.19, 0.138), (-0.21, 0.138), (-0.18, 0.0), (-0.21, -0.138)]), 4
        ),
        rgb("f0c030"),
    )
    for r, colour in ((0.066, (255, 255, 255)), (0.050, rgb("f0c838")), (0.034, (14, 14, 18))):
        sprite.disc(-0.265, -0.045, r, colour)
    sprite.disc(-0.275, -0.057, 0.010, (255, 255, 255))
    return sprite.relief()


def fish_cake(sprite: Sprite) -> Image.Image:
    """
    Draw a fish cake: a white half-moon with a pink rind on a wooden board, with slices beside it.
    """
    rng = sprite.rng
    pink = mix(rgb("f08aa4"), rgb("ee6f90"), rng.uniform())
    wood = rgb("d8b078")
    long = rng.uniform(0.20, 0.28)
    sprite.shape(
        [(-0.36, 0.17), (0.12, 0.17), (0.12 + long, 0.05), (0.12 + long, 0.09), (0.12, 0.215), (-0.36, 0.215)],
        wood,
        dark(wood, 0.5),
        0.006,
    )
    t = np.linspace(np.pi, 2 * np.pi, 28)
    front = np.stack([-0.12 + 0.215 * np.cos(t), 0.17 + 0.28 * np.sin(t)], axis=1)
    rear = front * [0.92, 0.92] + [0.12 + long, -0.095]
    hull = np.vstack([front[:14], rear[10:], front[-1:]])
    sprite.shape(hull, pink, dark(pink, 0.4), 0.006)
    sprite.veil(np.vstack([front[8:13], rear[8:13][::-1]]), (255, 255, 255), 90)
    sprite.shape(front, pink, dark(pink, 0.4), 0.006)
    inner = np.stack([-0.12 + 0.185 * np.cos(t), 0.17 + 0.243 * np.sin(t)], axis=1)
    sprite.shape(inner, rgb("fbf8f2"), light(pink, 0.4), 0.004)
    for x, y in ((-0.27, 0.36), (0.02, 0.375)):
        if rng.uniform() < 0.8:
            slice_ = np.stack([x + 0.13 * np.cos(t), y + 0.15 * np.sin(t)], axis=1)
            sprite.shape(slice_, pink, dark(pink, 0.4), 0.006)
            sprite.shape(np.stack([x + 0.108 * np.cos(t), y + 0.126 * np.sin(t)], axis=1), rgb("fbf8f2"))
    return sprite.relief()
