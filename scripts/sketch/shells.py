"""
Scallops, turban snails and abalones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .sprite import around, dark, light, mix, rgb, smooth

if TYPE_CHECKING:
    from PIL import Image

    from .sprite import Sprite


def scallop(sprite: Sprite) -> Image.Image:
    """
    Draw a scallop shell: a fan of ribs with two ears.
    """
    rng = sprite.rng
    fill = mix(rgb("d8a888"), rgb("c08a70"), rng.uniform())
    ears = [(-0.19, 0.20), (0.19, 0.20), (0.21, 0.335), (-0.21, 0.335)]
    sprite.shape(ears, dark(fill, 0.08), dark(fill, 0.5), 0.006)
    for x in np.linspace(-0.16, 0.16, 9):
        sprite.line([(x, 0.22), (x * 1.15, 0.33)], dark(fill, 0.3), 0.004)
    angles = np.linspace(np.pi * 0.86, np.pi * 2.14, 121)
    hinge = np.array([0.0, 0.31])
    reach = 0.365 + 0.011 * np.cos(np.arange(121) * np.pi / 3)
    edge = np.array([0.0, -0.03]) + np.stack([np.cos(angles) * reach * 1.05, np.sin(angles) * reach], axis=1)
    outline = np.vstack([[hinge - np.array([0.03, 0.0])], edge, [hinge + np.array([0.03, 0.0])]])
    sprite.shape(outline, light(fill, 0.25), dark(fill, 0.5), 0.007)
    for i in range(0, 121, 6):
        a, b = edge[max(0, i - 1)], edge[min(120, i + 2)]
        sprite.shape([hinge, a, b], dark(fill, 0.10), dark(fill, 0.35), 0.003)
    for ring in (0.45, 0.66, 0.84):
        sprite.line(hinge + (edge - hinge) * ring, dark(fill, 0.22), 0.008)
        sprite.line(hinge + (edge - hinge) * (ring - 0.05), light(fill, 0.5), 0.006)
    sprite.disc(0.0, 0.325, 0.028, dark(fill, 0.2))
    return sprite.relief()


def turban(sprite: Sprite) -> Image.Image:
    """
    Draw a horned turban: a heavy spiral with spines and a round lid.
    """
    rng = sprite.rng
    fill = mix(rgb("6e6a48"), rgb("5a5a46"), rng.uniform())
    whorls = [
        (0.0, 0.10, 0.33, 0.24),
        (0.03, -0.10, 0.235, 0.165),
        (0.055, -0.23, 0.155, 0.115),
        (0.075, -0.325, 0.09, 0.075),
        (0.085, -0.39, 0.045, 0.045),
    ]
    for i, (x, y, rx, ry) in enumerate(whorls):
        if i < 3:
            for t in np.linspace(-0.85, 0.85, 6 - i):
                bx, by = x + rx * t, y - ry * 0.25 * (1 - t * t) + 0.02
                tip = (bx + rx * 0.42 * t + 0.01, by - 0.05 - 0.055 * (1 - i * 0.25))
                sprite.shape(
                    [(bx - 0.035 * (1 - i * 0.2), by + 0.02), tip, (bx + 0.035 * (1 - i * 0.2), by + 0.02)],
                    light(fill, 0.15),
                    dark(fill, 0.5),
                    0.005,
                )
        ring = around(x, y, rx, ry)
        sprite.shape(ring, mix(fill, light(fill, 0.15), i / 5), dark(fill, 0.55), 0.006)
        for share in (0.25, 0.55, 0.82):
            arc = smooth(
                np.array(
                    [
                        (x - rx * 0.95, y + ry * (share - 0.55)),
                        (x, y + ry * (share - 0.1)),
                        (x + rx * 0.95, y + ry * (share - 0.55)),
                    ]
                ),
                6,
                closed=False,
            )
            sprite.line(arc, dark(fill, 0.35), 0.008)
        sprite.mottle(ring, light(fill, 0.3), 18, 0.62)
        if i in (0, 1):
            for t in np.linspace(-0.7, 0.75, 5 - i):
                bx, by = x + rx * t, y + ry * 0.02
                sprite.shape(
                    [(bx - 0.035, by + 0.03), (bx + 0.035 * t, by - 0.085), (bx + 0.035, by + 0.03)],
                    light(fill, 0.3),
                    dark(fill, 0.5),
                    0.005,
                )
    sprite.shape(around(-0.08, 0.20, 0.185, 0.15), rgb("f0ead8"), dark(fill, 0.5), 0.007)
    sprite.shape(around(-0.08, 0.205, 0.145, 0.115), rgb("b8c0a0"), dark(fill, 0.4), 0.006)
    t = np.linspace(0, 4 * np.pi, 50)
    spiral = np.stack([-0.08 + 0.115 * np.cos(t) * t / 12.6, 0.205 + 0.09 * np.sin(t) * t / 12.6], axis=1)
    sprite.line(spiral, rgb("6a7458"), 0.008)
    return sprite.relief()


def abalone(sprite: Sprite) -> Image.Image:
    """
    Draw an abalone: an ear-shaped dark shell, a flat spiral near one end, a row of holes.
    """
    rng = sprite.rng
    fill = mix(rgb("3c4a44"), rgb("4a4038"), rng.uniform())
    foot = smooth(
        np.array(
            [
                (-0.40, 0.03),
                (-0.33, -0.17),
                (-0.10, -0.27),
                (0.18, -0.25),
                (0.37, -0.12),
                (0.41, 0.06),
                (0.28, 0.22),
                (0.0, 0.275),
                (-0.28, 0.21),
            ]
        ),
        5,
    )
    sprite.shape(foot * 1.06, rgb("25221e"), (10, 10, 10), 0.006)
    sprite.shape(foot, fill, dark(fill, 0.5), 0.007)
    eye = np.array([0.21, 0.02])
    for i, share in enumerate(np.linspace(0.92, 0.14, 9)):
        ring = eye + (foot - eye) * share
        sprite.line(np.vstack([ring, ring[:1]]), dark(fill, 0.4) if i % 2 else light(fill, 0.18), 0.010)
    sprite.mottle(foot, rgb("7a5a48"), 9, 0.58)
    sprite.mottle(foot, rgb("5a8a7c"), 12, 0.66)
    t = np.linspace(0.5, 3 * np.pi, 40)
    sprite.line(
        np.stack([eye[0] + 0.085 * np.cos(t) * t / 9.4, eye[1] + 0.07 * np.sin(t) * t / 9.4], axis=1),
        light(fill, 0.4),
        0.010,
    )
    arc = smooth(
        np.array([(-0.34, -0.02), (-0.24, -0.145), (-0.06, -0.205), (0.12, -0.195), (0.25, -0.12)]), 6, closed=False
    )
    sprite.line(arc + np.array([0.0, 0.034]), dark(fill, 0.3), 0.010)
    for i, k in enumerate(np.linspace(1, len(arc) - 2, 9).astype(int)):
        x, y = arc[k]
        size = 0.021 * (1 - 0.05 * i)
        sprite.disc(float(x), float(y), size * 1.45, light(fill, 0.35))
        sprite.disc(float(x), float(y), size, (14, 14, 14) if i < 5 else dark(fill, 0.3))
    return sprite.relief()
