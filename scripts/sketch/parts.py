"""Parts that only some fish have, by name in `Fish.parts`: barbels, bills, teeth, spines, and the fins of fins.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import fins
from .sprite import dark, mix, rgb

if TYPE_CHECKING:
    from collections.abc import Callable

    from .body import Body
    from .sprite import Sprite


def barbels(sprite: Sprite, body: Body, n: int = 2, long: float = 0.05, colour: str = "5a4630") -> None:
    """
    Draw barbels that hang from the mouth.
    """
    x, y = body.at(0.015, 0.62)
    for i in range(n):
        reach = long * (0.7 + 0.3 * i)
        sprite.line(
            [
                (x + i * 0.012, y),
                (x - 0.2 * reach + i * 0.02, y + reach * 0.7),
                (x + 0.1 * reach + i * 0.022, y + reach),
            ],
            rgb(colour),
            0.008,
        )


def whiskers(sprite: Sprite, body: Body) -> None:
    """
    Draw the long barbels of a catfish.
    """
    x, y = body.at(0.02, 0.5)
    for dx, dy, bend in ((-0.10, -0.09, -0.05), (-0.11, 0.08, 0.03), (-0.02, 0.12, 0.06)):
        sprite.line([(x, y), (x + dx * 0.5, y + dy * 0.3 + bend * 0.4), (x + dx, y + dy)], (40, 36, 30), 0.009)


def loach(sprite: Sprite, body: Body) -> None:
    """
    Draw the many short barbels of a loach.
    """
    x, y = body.at(0.005, 0.55)
    for angle in (2.2, 2.6, 3.0, 3.5, 4.0):
        sprite.line([(x, y), (x + 0.05 * np.cos(angle), y - 0.045 * np.sin(angle))], (90, 70, 40), 0.006)


def chin(sprite: Sprite, body: Body) -> None:
    """
    Draw the single chin barbel of a cod.
    """
    x, y = body.at(0.055, 0.95)
    sprite.line([(x, y), (x - 0.004, y + 0.03), (x + 0.012, y + 0.05)], (100, 84, 60), 0.009)


def beak(sprite: Sprite, body: Body) -> None:
    """
    Draw the short pointed jaw of a saury, with its yellow tip.
    """
    x, y = body.at(0.02, 0.62)
    sprite.shape([(x + 0.02, y - 0.012), (x - 0.038, y + 0.001), (x + 0.02, y + 0.008)], rgb("506880"))
    sprite.shape([(x - 0.016, y - 0.004), (x - 0.044, y + 0.001), (x - 0.016, y + 0.006)], rgb("f0c030"))


def halfbeak(sprite: Sprite, body: Body) -> None:
    """
    Draw the long lower jaw of a halfbeak, with its red tip.
    """
    x, y = body.at(0.02, 0.70)
    sprite.shape([(x + 0.03, y - 0.010), (x - 0.15, y + 0.001), (x + 0.03, y + 0.006)], rgb("557a70"))
    sprite.shape([(x - 0.105, y - 0.004), (x - 0.155, y + 0.001), (x - 0.105, y + 0.005)], rgb("e03a28"))


def bill(sprite: Sprite, body: Body, long: float = 0.19, thick: float = 0.020) -> None:
    """
    Draw the spear of a billfish.
    """
    x, y = body.at(0.02, 0.45)
    fill = mix(rgb(body.spec.back), rgb(body.spec.side), 0.3)
    sprite.shape(
        [(x + 0.05, y - thick), (x - long, y - 0.002), (x - long, y + 0.003), (x + 0.05, y + thick)],
        fill,
        dark(fill, 0.4),
        0.004,
    )


def sword(sprite: Sprite, body: Body) -> None:
    """
    Draw the long flat sword of a swordfish.
    """
    bill(sprite, body, 0.29, 0.022)


def teeth(sprite: Sprite, body: Body) -> None:
    """
    Draw an open mouth with pointed teeth.
    """
    (x0, y0), (x1, y1) = body.at(0.012, 0.60), body.at(max(body.spec.mouth, 0.06), 0.80)
    sprite.line([(x0, y0), (x1, y1)], (50, 20, 24), 0.016)
    for t in np.linspace(0.1, 0.9, 7):
        x, y = x0 + (x1 - x0) * t, y0 + (y1 - y0) * t
        sprite.shape([(x - 0.005, y - 0.007), (x + 0.005, y - 0.007), (x, y + 0.010)], (250, 250, 245))


def slits(sprite: Sprite, body: Body) -> None:
    """
    Draw the five gill slits of a shark.
    """
    for u in np.linspace(0.215, 0.285, 5):
        (x, y0), (_, y1) = body.at(float(u), 0.36), body.at(float(u), 0.70)
        sprite.line([(x, y0), (x + 0.006, y1)], dark(rgb(body.spec.back), 0.5), 0.005)


def spines(sprite: Sprite, body: Body) -> None:
    """
    Draw spines all over, as of a porcupine fish.
    """
    rng = sprite.rng
    pale = (250, 240, 205)
    for u in np.linspace(0.12, 0.95, 17):
        for v in np.linspace(0.0, 1.0, 8):
            x, y = body.at(float(u) + rng.uniform(-0.02, 0.02), v)
            cx, cy = body.at(0.5, 0.5)
            away = np.array([x - cx, (y - cy) * 1.2])
            away = away / max(float(np.hypot(*away)), 1e-6) * (0.055 if v in (0.0, 1.0) else 0.034)
            sprite.line([(x, y), (x + away[0], y + away[1])], dark(pale, 0.45), 0.010)
            sprite.line([(x, y), (x + away[0], y + away[1])], pale, 0.006)


def horn(sprite: Sprite, body: Body) -> None:
    """
    Draw the upright first spine of a filefish.
    """
    x, y = body.at(0.27, 0.03)
    sprite.shape([(x - 0.009, y), (x + 0.004, y - 0.13), (x + 0.016, y)], (140, 120, 90), (60, 50, 40), 0.004)


def kype(sprite: Sprite, body: Body) -> None:
    """
    Draw the hooked jaws of a spawning salmon.
    """
    x, y = body.at(0.03, 0.4)
    fill = dark(rgb(body.spec.side), 0.3)
    sprite.shape(
        [(x + 0.05, y - 0.025), (x - 0.025, y), (x - 0.032, y + 0.038), (x - 0.016, y + 0.018), (x + 0.05, y + 0.02)],
        fill,
        dark(fill, 0.5),
        0.004,
    )
    sprite.shape(
        [
            (x + 0.06, y + 0.03),
            (x - 0.006, y + 0.042),
            (x - 0.016, y + 0.022),
            (x + 0.006, y + 0.062),
            (x + 0.06, y + 0.06),
        ],
        fill,
        dark(fill, 0.5),
        0.004,
    )


def warts(sprite: Sprite, body: Body) -> None:
    """
    Draw lumps and flaps of skin.
    """
    rng = sprite.rng
    for _ in range(34):
        x, y = body.at(rng.uniform(0.02, 0.9), rng.uniform(0.05, 0.95))
        tone = rng.uniform(0.1, 0.5)
        sprite.disc(x, y, rng.uniform(0.006, 0.014), dark(rgb(body.spec.side), tone))
    for u in np.linspace(0.01, 0.3, 7):
        x, y = body.at(float(u), 0.97)
        sprite.line([(x, y), (x + rng.uniform(-0.01, 0.01), y + 0.03)], dark(rgb(body.spec.side), 0.3), 0.009)


def armour(sprite: Sprite, body: Body) -> None:
    """
    Draw the head spines and the ridges of a rockfish.
    """
    for u in (0.10, 0.15, 0.20, 0.26):
        x, y = body.at(u, 0.05)
        sprite.shape(
            [(x - 0.012, y + 0.006), (x + 0.012, y - 0.022), (x + 0.010, y + 0.008)], dark(rgb(body.spec.back), 0.2)
        )
    for v in (0.55, 0.65, 0.75):
        x, y = body.at(0.235, v)
        sprite.shape([(x, y - 0.008), (x + 0.03, y), (x, y + 0.008)], dark(rgb(body.spec.side), 0.45))


BEFORE: dict[str, Callable[[Sprite, Body], None]] = {
    "finlets": fins.finlets,
    "yellow finlets": fins.yellow_finlets,
    "adipose": fins.adipose,
    "beak": beak,
    "halfbeak": halfbeak,
    "bill": bill,
    "sword": sword,
    "horn": horn,
    "threads": fins.threads,
    "tail thread": fins.tail_thread,
    "crest": fins.crest,
    "flow": fins.flow,
}
AFTER: dict[str, Callable[[Sprite, Body], None]] = {
    "barbels": barbels,
    "whiskers": whiskers,
    "loach": loach,
    "chin": chin,
    "teeth": teeth,
    "slits": slits,
    "spines": spines,
    "wings": fins.wings,
    "fans": fins.fans,
    "lion": fins.lion,
    "kype": kype,
    "warts": warts,
    "armour": armour,
    "side fins": fins.side_fins,
}
SHAPES = ("shark", "flying", "tailedge", "upmouth")  # these change how the tail or the mouth is drawn


def before(sprite: Sprite, body: Body) -> None:
    """
    Draw the parts that the body covers.
    """
    for part in body.spec.parts:
        if part in BEFORE:
            BEFORE[part](sprite, body)
        elif part not in AFTER and part not in SHAPES:
            raise KeyError(f"A part must be one of {[*BEFORE, *AFTER, *SHAPES]}. Got {part!r}.")


def after(sprite: Sprite, body: Body) -> None:
    """
    Draw the parts that lie over the body.
    """
    for part in body.spec.parts:
        if part in AFTER:
            AFTER[part](sprite, body)
