"""
Fish seen from above: flatfish, rays, a hammerhead, an anglerfish, a flathead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .sprite import dark, light, mix, rgb, smooth, tube

if TYPE_CHECKING:
    from PIL import Image

    from .sprite import Sprite


def flatfish(
    sprite: Sprite, *, skin: str, fin: str, deep: float, corner: float, jaw: float, right: bool, white: int, black: int
) -> Image.Image:
    """Draw a flatfish from above: head to the left, or to the right if `right`. `corner` makes it a rhomb."""
    side = -1.0 if right else 1.0
    deep *= sprite.rng.uniform(0.94, 1.06)
    top = [
        (-0.34, 0.0),
        (-0.29, -0.06 - 0.02 * deep),
        (-0.16, -deep * (0.40 + 0.04 * corner)),
        (0.0, -deep * (0.50 + 0.06 * corner)),
        (0.13, -deep * (0.42 - 0.08 * corner)),
        (0.24, -0.065),
        (0.28, -0.036),
    ]
    low = [(x, -y * 0.97) for x, y in top[::-1][:-1]]
    body = smooth(np.array(top + low), 4) * [side, 1]
    sprite_body = body * [side, 1]
    fill, edge = rgb(skin), rgb(fin)
    outer = sprite_body.copy()
    fringe_points = outer * [side, 1]
    grow = np.clip((outer[:, 0] + 0.27) * 9, 0, 1) * np.clip((0.25 - outer[:, 0]) * 9, 0, 1)
    fringe_points = fringe_points + np.stack([np.zeros(len(outer)), np.sign(outer[:, 1]) * 0.062 * grow], axis=1)
    sprite.shape(fringe_points, edge, dark(edge, 0.4), 0.004)
    for a, b in list(zip(body, fringe_points, strict=True))[::2]:
        sprite.line([a, b], dark(edge, 0.35), 0.004)
    if corner > 0.5:
        for a, b in list(zip(body, fringe_points, strict=True))[4::6]:
            sprite.line([a, b], (40, 34, 26), 0.016)
    fan = np.array(
        [(0.27, -0.035), (0.33, -0.075), (0.41, -0.09), (0.425, 0.0), (0.41, 0.09), (0.33, 0.075), (0.27, 0.035)]
    )
    sprite.shape(fan * [side, 1], edge, dark(edge, 0.4), 0.005)
    for y in np.linspace(-0.07, 0.07, 7):
        sprite.line(np.array([(0.27, y * 0.4), (0.415, y)]) * [side, 1], dark(edge, 0.3), 0.004)
    sprite.shape(body, fill, dark(fill, 0.5), 0.006)
    sprite.mottle(body, dark(fill, 0.35), 10, 0.55)
    sprite.mottle(body, light(fill, 0.22), 16, 0.62)
    sprite.sprinkle(body, (236, 228, 205), white, 0.0075)
    sprite.sprinkle(body, dark(fill, 0.65), black, 0.013)
    lateral = smooth(
        np.array([(-0.2, -0.02), (-0.12, -0.06), (-0.05, -0.012), (0.1, 0.0), (0.28, 0.0)]), 5, closed=False
    )
    sprite.line(lateral * [side, 1], dark(fill, 0.45), 0.005)
    gill = smooth(np.array([(-0.19, -0.07), (-0.155, 0.0), (-0.18, 0.09), (-0.23, 0.12)]), 5, closed=False)
    sprite.line(gill * [side, 1], dark(fill, 0.55), 0.007)
    sprite.shape(
        np.array([(-0.15, 0.05), (-0.06, 0.035), (-0.05, 0.07), (-0.09, 0.085)]) * [side, 1],
        light(edge, 0.1),
        dark(edge, 0.5),
        0.004,
    )
    mouth = smooth(
        np.array([(-0.345, 0.0), (-0.335 + jaw * 0.5, 0.03), (-0.33 + jaw, 0.07 * (0.5 + jaw * 5))]), 5, closed=False
    )
    sprite.line(mouth * [side, 1], dark(fill, 0.75), 0.010 if jaw > 0.05 else 0.008)
    for y in (-0.05, 0.022):
        sprite.disc(-0.262 * side, y, 0.030, light(fill, 0.12))
        sprite.eye(-0.262 * side, y, 0.023, rgb("d8c060"), 0.55)
    return sprite.relief()


def sole(sprite: Sprite) -> Image.Image:
    """
    Draw a tongue sole from above.
    """
    fill = rgb("9a6848")
    outline = smooth(
        np.array(
            [
                (-0.44, -0.005),
                (-0.42, -0.07),
                (-0.33, -0.115),
                (-0.18, -0.125),
                (0.05, -0.105),
                (0.25, -0.06),
                (0.44, -0.004),
                (0.44, 0.004),
                (0.25, 0.06),
                (0.05, 0.10),
                (-0.18, 0.125),
                (-0.33, 0.12),
                (-0.415, 0.08),
            ]
        ),
        5,
    )
    fin = outline * [1.04, 1.34]
    sprite.shape(fin, rgb("b98a66"), rgb("6a4630"), 0.005)
    for a, b in list(zip(outline, fin, strict=True))[::2]:
        sprite.line([a, b], rgb("8a6040"), 0.004)
    sprite.shape(outline, fill, dark(fill, 0.5), 0.006)
    sprite.mottle(outline, dark(fill, 0.3), 14, 0.55)
    for y in (-0.055, 0.0, 0.055):
        sprite.line([(-0.30, y), (-0.1, y * 1.1), (0.2, y * 0.6), (0.38, y * 0.15)], dark(fill, 0.42), 0.005)
    sprite.line(
        smooth(np.array([(-0.41, 0.05), (-0.375, 0.045), (-0.36, 0.075)]), 5, closed=False), dark(fill, 0.7), 0.008
    )
    for x, y in ((-0.365, -0.018), (-0.340, 0.022)):
        sprite.eye(x, y, 0.012, rgb("d8c080"), 0.55)
    return sprite.relief()


def stingray(sprite: Sprite) -> Image.Image:
    """
    Draw a stingray from above: a rounded rhomb with a yellow edge and a whip tail with a spine.
    """
    fill = mix(rgb("6a5034"), rgb("7c5f3a"), sprite.rng.uniform())
    half = [(-0.36, 0.0), (-0.29, -0.07), (-0.14, -0.24), (-0.02, -0.31), (0.06, -0.25), (0.14, -0.10), (0.17, -0.04)]
    outline = smooth(np.array(half + [(x, -y) for x, y in half[::-1][:-1]]), 5)
    sway = sprite.rng.uniform(-0.10, 0.10)
    sprite.tube(
        [(0.13, 0.0), (0.25, sway * 0.3), (0.36, sway), (0.49, sway * 0.4)],
        [0.045, 0.02, 0.012, 0.004],
        dark(fill, 0.15),
        dark(fill, 0.5),
    )
    sprite.line([(0.23, sway * 0.2 - 0.006), (0.33, sway * 0.7 - 0.035)], light(fill, 0.45), 0.008)
    for y in (-1, 1):
        sprite.shape(
            [(0.12, y * 0.03), (0.15, y * 0.09), (0.20, y * 0.08), (0.18, y * 0.02)], dark(fill, 0.1), dark(fill, 0.5)
        )
    sprite.shape(outline, rgb("d8a030"), dark(fill, 0.4), 0.005)
    inner = outline * 0.94 - [0.004, 0.0]
    sprite.shape(inner, fill)
    sprite.mottle(inner, dark(fill, 0.25), 9, 0.55)
    sprite.shape(
        smooth(np.array([(-0.30, 0.0), (-0.15, -0.06), (0.05, -0.05), (0.15, 0.0), (0.05, 0.05), (-0.15, 0.06)]), 5),
        light(fill, 0.12),
    )
    for y in (-1, 1):
        sprite.eye(-0.21, y * 0.052, 0.017, rgb("e0b040"))
        sprite.disc(-0.175, y * 0.058, 0.015, dark(fill, 0.7), 0.009)
    for x in np.linspace(-0.05, 0.14, 6):
        sprite.disc(float(x), 0.0, 0.006, light(fill, 0.5))
    return sprite.relief()


def manta(sprite: Sprite) -> Image.Image:
    """
    Draw a devil ray from above: black wings, white shoulders, two head fins.
    """
    fill = rgb("22262e")
    half = [
        (-0.16, 0.0),
        (-0.17, -0.07),
        (-0.13, -0.15),
        (-0.05, -0.30),
        (0.06, -0.48),
        (0.09, -0.44),
        (0.06, -0.25),
        (0.10, -0.12),
        (0.17, -0.03),
    ]
    outline = smooth(np.array(half + [(x, -y) for x, y in half[::-1][:-1]]), 5)
    sway = sprite.rng.uniform(-0.06, 0.06)
    sprite.tube([(0.15, 0.0), (0.30, sway), (0.45, sway * 1.8)], [0.028, 0.012, 0.005], fill)
    for y in (-1, 1):
        sprite.tube(
            [(-0.14, y * 0.085), (-0.22, y * 0.105), (-0.28, y * 0.07)], [0.06, 0.045, 0.02], fill, light(fill, 0.25)
        )
    sprite.shape(outline, fill, light(fill, 0.2), 0.005)
    for y in (-1, 1):
        sprite.shape(
            smooth(
                np.array([(-0.10, y * 0.04), (-0.10, y * 0.12), (-0.03, y * 0.24), (0.0, y * 0.17), (-0.04, y * 0.05)]),
                5,
            ),
            rgb("dfe4e8"),
        )
        sprite.eye(-0.155, y * 0.115, 0.013, rgb("8a8a80"))
    sprite.shape([(-0.168, -0.06), (-0.168, 0.06), (-0.15, 0.055), (-0.15, -0.055)], rgb("454c58"))
    sprite.shape([(0.11, -0.02), (0.16, 0.0), (0.11, 0.02), (0.14, 0.0)], light(fill, 0.2))
    return sprite.relief()


def hammerhead(sprite: Sprite) -> Image.Image:
    """
    Draw a hammerhead shark from above.
    """
    fill = mix(rgb("7c8890"), rgb("8a8878"), sprite.rng.uniform())
    sway = sprite.rng.uniform(-0.05, 0.05)
    for y in (-1, 1):
        sprite.shape(
            [(-0.14, y * 0.05), (-0.05, y * 0.22), (0.0, y * 0.245), (-0.02, y * 0.05)], fill, dark(fill, 0.4), 0.005
        )
        sprite.shape(
            [(0.16, y * 0.03), (0.22, y * 0.09), (0.24, y * 0.09), (0.23, y * 0.02)], fill, dark(fill, 0.4), 0.005
        )
    sprite.shape(
        [(0.36, sway - 0.01), (0.50, sway - 0.13), (0.44, sway + 0.0), (0.48, sway + 0.06), (0.36, sway + 0.012)],
        dark(fill, 0.1),
        dark(fill, 0.4),
        0.005,
    )
    sprite.tube(
        [(-0.30, 0.0), (-0.14, 0.0), (0.05, 0.0), (0.22, sway * 0.4), (0.39, sway)],
        [0.09, 0.135, 0.12, 0.065, 0.024],
        fill,
        dark(fill, 0.4),
    )
    hammer = [
        (-0.40, 0.0),
        (-0.405, -0.07),
        (-0.375, -0.145),
        (-0.355, -0.19),
        (-0.315, -0.195),
        (-0.305, -0.12),
        (-0.28, -0.05),
        (-0.22, -0.05),
    ]
    sprite.shape(smooth(np.array(hammer + [(x, -y) for x, y in hammer[::-1][:-1]]), 4), fill, dark(fill, 0.4), 0.005)
    sprite.shape([(-0.06, -0.008), (0.03, -0.004), (0.09, 0.006), (0.0, 0.014)], dark(fill, 0.3))
    sprite.tube([(-0.36, 0.0), (-0.1, 0.0), (0.2, sway * 0.3)], [0.02, 0.035, 0.008], light(fill, 0.14))
    for y in (-1, 1):
        sprite.eye(-0.337, y * 0.192, 0.015, rgb("d0d0b8"))
        for x in (-0.19, -0.175, -0.16):
            sprite.line([(x, y * 0.040), (x + 0.008, y * 0.058)], dark(fill, 0.5), 0.004)
    return sprite.relief()


def angler(sprite: Sprite) -> Image.Image:
    """
    Draw an anglerfish from above: a broad head, a wide mouth full of teeth, a lure.
    """
    fill = mix(rgb("6e5136"), rgb("5c4a3c"), sprite.rng.uniform())
    half = [
        (-0.34, 0.0),
        (-0.33, -0.12),
        (-0.24, -0.22),
        (-0.08, -0.24),
        (0.04, -0.18),
        (0.12, -0.09),
        (0.26, -0.055),
        (0.34, -0.035),
    ]
    outline = smooth(np.array(half + [(x, -y) for x, y in half[::-1]]), 5)
    for y in (-1, 1):
        sprite.shape(
            smooth(
                np.array([(0.00, y * 0.17), (0.03, y * 0.30), (0.10, y * 0.33), (0.15, y * 0.25), (0.10, y * 0.13)]), 4
            ),
            dark(fill, 0.2),
            dark(fill, 0.55),
        )
    sprite.shape(
        [(0.33, -0.035), (0.45, -0.085), (0.47, 0.0), (0.45, 0.085), (0.33, 0.035)], dark(fill, 0.25), dark(fill, 0.55)
    )
    ragged = outline + sprite.rng.normal(0, 0.008, outline.shape)
    sprite.shape(ragged, dark(fill, 0.15), dark(fill, 0.5), 0.005)
    sprite.shape(outline * 0.96, fill)
    sprite.mottle(outline, dark(fill, 0.4), 11, 0.52)
    sprite.mottle(outline, light(fill, 0.25), 15, 0.66)
    gape = smooth(
        np.array(
            [
                (-0.335, 0.0),
                (-0.325, -0.11),
                (-0.25, -0.19),
                (-0.20, -0.16),
                (-0.245, -0.08),
                (-0.255, 0.0),
                (-0.245, 0.08),
                (-0.20, 0.16),
                (-0.25, 0.19),
                (-0.325, 0.11),
            ]
        ),
        4,
    )
    sprite.shape(gape, rgb("35181c"), light(fill, 0.2), 0.008)
    for angle in np.linspace(-0.85, 0.85, 15):
        x, y = -0.10 - 0.225 * np.cos(angle), 0.21 * np.sin(angle)
        sprite.shape([(x - 0.003, y - 0.007), (x + 0.030, y), (x - 0.003, y + 0.007)], (245, 240, 225))
    for y in (-1, 1):
        sprite.eye(-0.155, y * 0.085, 0.020, rgb("b8c080"))
    for x in np.linspace(0.08, 0.24, 4):
        sprite.line([(float(x), 0.0), (float(x) + 0.05, -0.02)], dark(fill, 0.5), 0.006)
    lure = smooth(np.array([(-0.19, 0.0), (-0.30, -0.03), (-0.40, 0.05), (-0.43, 0.02)]), 5, closed=False)
    sprite.line(lure, dark(fill, 0.5), 0.008)
    sprite.disc(-0.435, 0.02, 0.022, rgb("e8d8b0"))
    return sprite.relief()


def flathead(sprite: Sprite) -> Image.Image:
    """
    Draw a flathead from above: a flat arrow head, a body that tapers, a fan on each side.
    """
    fill = mix(rgb("8a7450"), rgb("766448"), sprite.rng.uniform())
    for y in (-1, 1):
        sprite.shape(
            smooth(
                np.array(
                    [(-0.17, y * 0.07), (-0.12, y * 0.17), (-0.06, y * 0.18), (-0.03, y * 0.12), (-0.08, y * 0.05)]
                ),
                4,
            ),
            light(fill, 0.15),
            dark(fill, 0.5),
        )
        sprite.shape([(-0.06, y * 0.06), (0.06, y * 0.13), (0.09, y * 0.05)], light(fill, 0.2), dark(fill, 0.5), 0.004)
    sprite.shape(
        [(0.37, -0.02), (0.48, -0.07), (0.49, 0.0), (0.48, 0.07), (0.37, 0.02)], rgb("e8dcc0"), dark(fill, 0.5), 0.004
    )
    for stripe in (-0.04, 0.0, 0.04):
        sprite.line([(0.41, stripe * 0.8), (0.48, stripe)], (30, 26, 20), 0.016)
    half = [
        (-0.43, 0.0),
        (-0.415, -0.05),
        (-0.34, -0.088),
        (-0.22, -0.108),
        (-0.17, -0.085),
        (-0.02, -0.062),
        (0.2, -0.035),
        (0.39, -0.018),
    ]
    outline = smooth(np.array(half + [(x, -y) for x, y in half[::-1]]), 5)
    sprite.shape(outline, fill, dark(fill, 0.5), 0.006)
    sprite.mottle(outline, dark(fill, 0.35), 13, 0.58)
    sprite.sprinkle(outline, dark(fill, 0.5), 120, 0.005)
    for x in (-0.06, 0.08, 0.22):
        sprite.veil(tube([(x, -0.06), (x + 0.02, 0.0), (x, 0.06)], [0.05, 0.06, 0.05]), dark(fill, 0.6), 70)
    sprite.line(
        smooth(np.array([(-0.425, 0.025), (-0.405, 0.0), (-0.425, -0.025)]), 4, closed=False), dark(fill, 0.6), 0.006
    )
    for y in (-1, 1):
        sprite.eye(-0.315, y * 0.032, 0.017, rgb("c8b070"))
        sprite.line([(-0.29, y * 0.065), (-0.2, y * 0.095), (-0.15, y * 0.105)], dark(fill, 0.5), 0.006)
    for x in np.linspace(-0.1, 0.3, 12):
        sprite.line([(float(x), 0.0), (float(x) + 0.035, -0.012)], light(fill, 0.4), 0.004)
    return sprite.relief()
