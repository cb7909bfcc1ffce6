"""
Fish that have no ordinary shape: a sunfish, a boxfish, a seahorse, garden eels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .sprite import dark, light, mix, rgb, smooth, tube

if TYPE_CHECKING:
    from PIL import Image

    from .sprite import Sprite


def sunfish(sprite: Sprite) -> Image.Image:
    """
    Draw an ocean sunfish: a disc with two tall fins and no tail.
    """
    back, belly = rgb("6e7c88"), rgb("d0d6da")
    for y in (-1, 1):
        sprite.shape(
            smooth(
                np.array([(0.08, y * 0.20), (0.15, y * 0.36), (0.19, y * 0.47), (0.235, y * 0.42), (0.235, y * 0.17)]),
                4,
            ),
            dark(back, 0.2),
            dark(back, 0.5),
            0.005,
        )
    edge = (
        [(0.20, -0.20)]
        + [(0.255 + 0.02 * (i % 2), y) for i, y in enumerate(np.linspace(-0.16, 0.16, 9))]
        + [(0.20, 0.20)]
    )
    sprite.shape(edge, dark(back, 0.25), dark(back, 0.5), 0.005)
    outline = smooth(
        np.array(
            [
                (-0.32, 0.01),
                (-0.29, -0.09),
                (-0.18, -0.20),
                (-0.02, -0.25),
                (0.14, -0.235),
                (0.225, -0.17),
                (0.235, 0.0),
                (0.225, 0.17),
                (0.14, 0.235),
                (-0.02, 0.25),
                (-0.18, 0.19),
                (-0.28, 0.09),
            ]
        ),
        5,
    )
    _, down = sprite.grid()
    blend = np.clip((np.broadcast_to(down, (sprite.size, sprite.size)) + 0.2) / 0.4, 0, 1)[..., None]
    sprite.paint(
        np.asarray(back, np.float32) * (1 - blend) + np.asarray(belly, np.float32) * blend, sprite.mask(outline)
    )
    sprite.line(np.vstack([outline, outline[:1]]), dark(back, 0.4), 0.006)
    sprite.mottle(outline, light(back, 0.5), 10, 0.58)
    sprite.disc(-0.318, 0.012, 0.018, dark(back, 0.5), 0.024)
    sprite.eye(-0.215, -0.045, 0.024, rgb("e0e0d0"))
    sprite.shape(
        smooth(np.array([(-0.08, 0.02), (0.0, -0.055), (0.05, -0.02), (0.02, 0.05)]), 4),
        dark(back, 0.15),
        dark(back, 0.5),
    )
    sprite.line([(-0.105, -0.03), (-0.10, 0.03)], dark(back, 0.6), 0.010)
    return sprite.relief()


def boxfish(sprite: Sprite) -> Image.Image:
    """
    Draw a boxfish: a yellow box with dark spots, small fins and a pout.
    """
    fill = mix(rgb("f0c028"), rgb("e0b018"), sprite.rng.uniform())
    fin = rgb("f2d878")
    sprite.shape(
        [(0.22, -0.03), (0.33, -0.10), (0.41, -0.08), (0.42, 0.0), (0.41, 0.08), (0.33, 0.10), (0.22, 0.03)],
        fin,
        dark(fin, 0.4),
        0.005,
    )
    for y in (-1, 1):
        sprite.shape(
            smooth(np.array([(0.11, y * 0.16), (0.15, y * 0.25), (0.22, y * 0.23), (0.20, y * 0.13)]), 4),
            fin,
            dark(fin, 0.4),
            0.005,
        )
    sprite.shape([(0.14, -0.11), (0.27, -0.04), (0.27, 0.04), (0.14, 0.11)], dark(fill, 0.08), dark(fill, 0.5), 0.005)
    box = smooth(
        np.array(
            [
                (-0.315, 0.02),
                (-0.28, -0.045),
                (-0.21, -0.16),
                (-0.16, -0.195),
                (0.08, -0.195),
                (0.16, -0.15),
                (0.18, 0.0),
                (0.17, 0.16),
                (0.11, 0.20),
                (-0.18, 0.20),
                (-0.23, 0.17),
                (-0.28, 0.08),
            ]
        ),
        3,
    )
    sprite.shape(box, fill, dark(fill, 0.5), 0.007)
    sprite.veil([(-0.22, 0.10), (0.17, 0.10), (0.12, 0.195), (-0.18, 0.195)], (255, 250, 225), 120)
    sprite.sprinkle(box, rgb("28405c"), 46, 0.014)
    for edge in (-0.10, 0.10):
        sprite.line([(-0.2, edge), (0.16, edge)], dark(fill, 0.18), 0.006)
    sprite.disc(-0.318, 0.02, 0.020, rgb("e0a890"), 0.028)
    sprite.eye(-0.19, -0.075, 0.032, rgb("d8e0e8"))
    sprite.shape(smooth(np.array([(-0.08, 0.02), (-0.01, -0.045), (0.02, 0.02), (0.0, 0.06)]), 4), fin, dark(fin, 0.4))
    return sprite.relief()


def seahorse(sprite: Sprite) -> Image.Image:
    """
    Draw a seahorse, upright.
    """
    fill = mix(rgb("c89038"), rgb("a86c38"), sprite.rng.uniform())
    curve = [
        (0.02, -0.28),
        (0.08, -0.20),
        (0.09, -0.08),
        (0.05, 0.05),
        (0.02, 0.16),
        (0.04, 0.27),
        (0.0, 0.37),
        (-0.08, 0.39),
        (-0.13, 0.34),
        (-0.10, 0.29),
        (-0.06, 0.32),
    ]
    widths = [0.10, 0.14, 0.20, 0.16, 0.09, 0.062, 0.05, 0.042, 0.034, 0.026, 0.016]
    sprite.shape(
        smooth(np.array([(0.14, -0.10), (0.235, -0.13), (0.25, -0.05), (0.22, 0.02), (0.13, 0.03)]), 4),
        light(fill, 0.35),
        dark(fill, 0.4),
    )
    for y in np.linspace(-0.10, 0.0, 5):
        sprite.line([(0.15, y), (0.24, y - 0.02)], dark(fill, 0.2), 0.004)
    outline = tube(curve, widths)
    sprite.shape(outline, fill, dark(fill, 0.5), 0.006)
    half = len(outline) // 2
    for a, b in list(zip(outline[:half], outline[::-1][:half], strict=True))[4::3]:
        sprite.line([a, b], dark(fill, 0.3), 0.006)
        sprite.disc(float(a[0]), float(a[1]), 0.008, light(fill, 0.3))
        sprite.disc(float(b[0]), float(b[1]), 0.008, light(fill, 0.3))
    sprite.tube(
        [(0.05, -0.33), (-0.06, -0.335), (-0.13, -0.315), (-0.22, -0.29)],
        [0.14, 0.11, 0.05, 0.042],
        fill,
        dark(fill, 0.5),
    )
    sprite.disc(0.04, -0.325, 0.068, fill)
    sprite.disc(-0.222, -0.288, 0.026, fill)
    for x in (0.0, 0.035, 0.07):
        sprite.shape(
            [(x - 0.014, -0.375), (x + 0.012, -0.435), (x + 0.022, -0.37)], dark(fill, 0.15), dark(fill, 0.5), 0.004
        )
    sprite.eye(-0.01, -0.345, 0.026, rgb("f0e0b0"))
    return sprite.relief()


def garden_eel(sprite: Sprite) -> Image.Image:
    """
    Draw one or two garden eels that stand in the sand.
    """
    rng = sprite.rng
    sand = rgb("d9c79a")
    places = [(-0.10, 0.0), (0.14, 0.12)] if rng.uniform() < 0.7 else [(0.0, 0.0)]
    for x, low in places:
        lean = rng.uniform(-0.05, 0.05)
        curve = [
            (x, 0.40),
            (x + lean, 0.2),
            (x - lean, 0.0 + low),
            (x + lean * 0.5, -0.22 + low),
            (x - 0.045, -0.36 + low),
            (x - 0.115, -0.37 + low),
        ]
        outline = tube(curve, [0.062, 0.062, 0.064, 0.064, 0.068, 0.042])
        sprite.shape(outline, rgb("f2efe2"), rgb("8a8470"), 0.005)
        sprite.sprinkle(outline, rgb("282420"), 330, 0.0058)
        line = smooth(np.array(curve), 6, closed=False)
        for share in (0.52, 0.30):
            point = line[int(len(line) * share)]
            sprite.disc(float(point[0]), float(point[1]), 0.027, rgb("1c1a1a"))
        sprite.eye(x - 0.062, -0.375 + low, 0.019, rgb("f4f0d8"))
        sprite.line([(x - 0.125, -0.362 + low), (x - 0.09, -0.352 + low)], (60, 50, 44), 0.005)
    mound = smooth(np.array([(-0.34, 0.44), (-0.2, 0.375), (0.0, 0.36), (0.2, 0.375), (0.34, 0.44), (0.0, 0.47)]), 5)
    sprite.shape(mound, sand, dark(sand, 0.25))
    sprite.sprinkle(mound, dark(sand, 0.3), 90, 0.004)
    return sprite.relief()
