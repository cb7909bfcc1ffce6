# ruff: noqa: PLR0917 - strokes are calls with many numbers
"""
Crabs from above.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .crustaceans import legs
from .sprite import around, dark, light, mix, rgb, smooth

if TYPE_CHECKING:
    from PIL import Image

    from .sprite import Colour, Sprite

# fmt: off
SHELLS = {  # outlines, clockwise from the front
    "snow": [(0.02, -0.145), (0.06, -0.13), (0.12, -0.06), (0.135, 0.04), (0.10, 0.13), (0.0, 0.15),
             (-0.10, 0.13), (-0.135, 0.04), (-0.12, -0.06), (-0.06, -0.13), (-0.02, -0.145)],
    "swimmer": [(0.0, -0.125), (0.10, -0.115), (0.20, -0.065), (0.31, -0.01), (0.17, 0.06), (0.09, 0.115),
                (-0.09, 0.115), (-0.17, 0.06), (-0.31, -0.01), (-0.20, -0.065), (-0.10, -0.115)],
    "hair": [(0.06, -0.15), (0.13, -0.08), (0.15, 0.02), (0.12, 0.12), (0.06, 0.16),
             (-0.06, 0.16), (-0.12, 0.12), (-0.15, 0.02), (-0.13, -0.08), (-0.06, -0.15)],
}
# fmt: on


def crab(sprite: Sprite, *, skin: str, body: str, reach: float, wide: float, claw: float) -> Image.Image:
    """Draw a crab. `body` is snow, swimmer or hair. `reach` and `wide` belong to the legs."""
    fill = mix(rgb(skin), light(rgb(skin), 0.12), sprite.rng.uniform())
    for way in (-1, 1):
        for i, angle in enumerate((-0.55, -0.12, 0.32, 0.78)):
            bend = angle + sprite.rng.uniform(-0.05, 0.05)
            root = np.array([way * 0.10, 0.035 * i - 0.03])
            if body == "swimmer" and i == 3:
                paddle(sprite, way, root, fill, wide)
            else:
                leg(sprite, way, root, bend, fill, reach, wide, hairy=body == "hair")
        arm(sprite, way, claw, fill, body)
    shell(sprite, fill, body)
    face(sprite, fill, -0.125 if body == "swimmer" else -0.145)
    return sprite.relief()


def leg(
    sprite: Sprite, way: int, root: np.ndarray, bend: float, fill: Colour, reach: float, wide: float, *, hairy: bool
) -> None:
    """
    Draw a walking leg to the left (way -1) or to the right.
    """
    knee = root + reach * 0.52 * np.array([way * np.cos(bend - 0.35), np.sin(bend - 0.35)])
    tip = knee + reach * 0.50 * np.array([way * np.cos(bend + 0.75), np.sin(bend + 0.75)])
    legs(sprite, [tuple(root)], [tuple(knee)], [tuple(tip)], light(fill, 0.10), wide)
    for t in np.linspace(0.1, 1.0, 9) if hairy else ():
        x, y = root + (knee - root) * t if t < 0.6 else knee + (tip - knee) * (t - 0.5)
        for dx, dy in ((-0.014, -0.022), (0.014, -0.02), (0.0, 0.026)):
            sprite.line([(x, y), (x + dx, y + dy)], dark(fill, 0.4), 0.004)


def paddle(sprite: Sprite, way: int, root: np.ndarray, fill: Colour, wide: float) -> None:
    """
    Draw the swimming leg of a swimming crab.
    """
    knee, (x, y) = root + np.array([way * 0.12, 0.11]), root + np.array([way * 0.17, 0.155])
    legs(sprite, [tuple(root)], [tuple(knee)], [(x, y)], light(fill, 0.10), wide)
    sprite.shape(around(x + way * 0.02, y + 0.035, 0.046, 0.062), rgb("5a7cae"), dark(fill, 0.5), 0.005)


def shell(sprite: Sprite, fill: Colour, body: str) -> None:
    """
    Draw the shell, with the spines, spots or hair of its kind.
    """
    outline = np.array(SHELLS[body]) if body == "swimmer" else smooth(np.array(SHELLS[body]), 4)
    for x in np.linspace(0.08, 0.25, 6) if body == "swimmer" else ():
        for way in (-1, 1):
            y = -0.11 + 0.30 * x
            spine = [(way * (x - 0.015), y), (way * (x + 0.012), y - 0.035), (way * (x + 0.018), y + 0.015)]
            sprite.shape(spine, dark(fill, 0.15), dark(fill, 0.5))
    sprite.shape(outline, fill, dark(fill, 0.5), 0.006)
    sprite.mottle(outline, dark(fill, 0.22), 10, 0.55)
    if body == "swimmer":
        sprite.sprinkle(outline, (226, 224, 200), 70, 0.008)
    elif body == "snow":
        sprite.sprinkle(outline, light(fill, 0.4), 40, 0.007)
        sprite.sprinkle(outline, (50, 36, 30), 6, 0.012)
    else:
        hair(sprite, fill)


def hair(sprite: Sprite, fill: Colour) -> None:
    """
    Draw short hair on a round shell.
    """
    rng = sprite.rng
    for x, y in rng.uniform((-0.15, -0.16), (0.15, 0.17), (170, 2)):
        if (x / 0.15) ** 2 + (y / 0.165) ** 2 < 1.05:
            tip = (x + rng.uniform(-0.014, 0.014), y - 0.022)
            sprite.line([(x, y), tip], dark(fill, 0.45) if rng.uniform() < 0.6 else light(fill, 0.4), 0.004)


def face(sprite: Sprite, fill: Colour, top: float) -> None:
    """
    Draw the groove of the shell and the eyes on their stalks.
    """
    groove = [(-0.05, -0.05), (-0.03, 0.03), (0.0, 0.05), (0.03, 0.03), (0.05, -0.05)]
    sprite.line(smooth(groove, 5, closed=False), dark(fill, 0.4), 0.006)
    for way in (-1, 1):
        sprite.line([(way * 0.03, top + 0.015), (way * 0.035, top - 0.025)], dark(fill, 0.3), 0.010)
        sprite.disc(way * 0.036, top - 0.03, 0.014, (20, 18, 20))


def arm(sprite: Sprite, way: int, claw: float, fill: Colour, body: str) -> None:
    """
    Draw one claw arm of a crab.
    """
    long = {"snow": 1.0, "swimmer": 1.35, "hair": 0.85}[body] * sprite.rng.uniform(0.94, 1.05)
    elbow = (way * (0.10 + 0.14 * long), -0.15)
    wrist = (way * (0.07 + 0.10 * long), -0.15 - 0.13 * long)
    sprite.tube([(way * 0.09, -0.07), elbow], [claw * 0.45, claw * 0.6], fill, dark(fill, 0.5))
    sprite.tube(
        [elbow, ((elbow[0] + wrist[0]) / 2 + way * 0.02, (elbow[1] + wrist[1]) / 2), wrist],
        [claw * 0.6, claw * 0.85, claw * 0.8],
        fill,
        dark(fill, 0.5),
    )
    x, y = wrist
    tip = light(fill, 0.35) if body != "swimmer" else rgb("8a5ca0")
    sprite.shape(
        [
            (x - way * claw * 0.5, y + 0.01),
            (x - way * (claw * 0.5 + 0.015), y - claw * 1.7),
            (x + way * claw * 0.05, y - claw * 0.45),
        ],
        tip,
        dark(fill, 0.5),
        0.005,
    )
    sprite.shape(
        [
            (x + way * claw * 0.45, y + 0.01),
            (x + way * claw * 0.25, y - claw * 1.55),
            (x - way * claw * 0.02, y - claw * 0.4),
        ],
        tip,
        dark(fill, 0.5),
        0.005,
    )
    sprite.disc(x, y - 0.005, claw * 0.5, fill)
