# ruff: noqa: PLR0917 - strokes are calls with many numbers

"""The body of a fish seen from the side: its outline, its fins and its tail."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .marks import Skin
from .sprite import Array, Colour, Sprite, dark, smooth

Fin = tuple[float, float, float, str]  # from, to (along the body), height (in body lengths), shape


@dataclass(frozen=True)
class Fish:
    """The look of a kind of fish. Lengths are in body lengths, colours as `rrggbb`."""

    deep: float = 0.26  # greatest depth
    peak: float = 0.36  # where the body is deepest
    snout: float = 0.10  # depth at the tip of the snout, as a share of the greatest
    blunt: tuple[float, float] = (0.8, 0.8)  # roundness of the head above and below: 1 pointed, 0.4 blunt
    stalk: float = 0.20  # depth at the tail, as a share of the greatest
    up: float = 0.5  # share of the body above the axis
    wave: float = 0.0  # how much the axis winds
    long: float = 0.66  # length of the body on the sprite
    back: str = "5a7080"
    side: str = "b8c4cc"
    belly: str = "f2f2ee"
    edge: tuple[float, float] = (0.2, 0.62)  # where the back and the belly end
    fin: str = "8a9499"
    tail: tuple[str, float, float] = ("fork", 0.20, 0.30)  # shape, length, spread
    tail_colour: str = ""
    dorsal: tuple[Fin, ...] = ((0.32, 0.75, 0.10, "soft"),)
    anal: tuple[Fin, ...] = ((0.62, 0.78, 0.08, "soft"),)
    pelvic: tuple[float, float] = (0.36, 0.11)  # place, length, or 0 for none
    pectoral: tuple[float, float, str] = (0.27, 0.15, "soft")
    eye: tuple[float, float, float, str] = (0.11, -0.10, 0.026, "e8dfc0")  # u, v from axis in depths, radius, iris
    gill: float = 0.23
    marks: tuple[tuple[object, ...], ...] = ()
    parts: tuple[str, ...] = ()
    mouth: float = 0.07
    sheen: float = 0.25


def profile(spec: Fish, u: Array) -> Array:
    """
    Return the share of the greatest depth above and below the axis, (2, n), for places u in 0..1.
    """
    head = np.clip(u / spec.peak, 0, 1)
    rear = np.clip((u - spec.peak) / (1 - spec.peak), 0, 1)
    halves = []
    for blunt in spec.blunt:
        front = spec.snout + (1 - spec.snout) * (1 - (1 - head) ** 2) ** blunt
        back = spec.stalk + (1 - spec.stalk) * (0.5 + 0.5 * np.cos(np.pi * rear**1.15))
        halves.append(np.where(u < spec.peak, front, back))
    return np.stack(halves).astype(np.float32)


class Body:
    """
    The place of one fish on its sprite: from (u, v) on the body to (x, y).
    """

    def __init__(self, spec: Fish, sprite: Sprite) -> None:
        self.spec = spec
        self.x0 = -spec.long / 2 - (0.02 if spec.tail[0] != "none" else 0.0)
        self.phase = sprite.rng.uniform(0, 6.28)

    def axis(self, u: Array | float) -> Array:
        """
        Return the y of the axis.
        """
        u = np.asarray(u, np.float32)
        return np.asarray(self.spec.wave * np.sin(self.phase + u * 6.5) * np.clip(0.25 + u, 0, 1))

    def edges(self, u: Array | float) -> tuple[Array, Array]:
        """
        Return the y of the back and of the belly.
        """
        u = np.asarray(u, np.float32)
        above, below = profile(self.spec, u)
        depth = self.spec.deep * self.spec.long
        return self.axis(u) - above * depth * self.spec.up, self.axis(u) + below * depth * (1 - self.spec.up)

    def at(self, u: float, v: float) -> tuple[float, float]:
        """Return the position of (u, v). v is 0 at the back and 1 at the belly."""
        top, bottom = self.edges(u)
        return self.x0 + u * self.spec.long, float(top + (bottom - top) * v)

    def skin(self, sprite: Sprite) -> Skin:
        """
        Return (u, v) for every pixel of the rows that the body crosses.
        """
        x, y = sprite.grid()
        u = (x - self.x0) / self.spec.long
        top, bottom = self.edges(np.clip(u, 0, 1)[0])
        first, last = (
            int(np.clip((edge + 0.5) * sprite.size, 0, sprite.size))
            for edge in (top.min(), bottom.max() + 2 / sprite.size)
        )
        y = y[first:last]
        v = (y - top[None, :]) / np.maximum(bottom - top, 1e-3)[None, :]
        inside = (u >= 0) & (u <= 1) & (v >= 0) & (v <= 1)
        return Skin(
            np.broadcast_to(u, v.shape),
            v.astype(np.float32),
            inside,
            self.spec.long,
            self.spec.deep,
            sprite.size,
            first,
        )


def fin_points(body: Body, fin: Fin, *, under: bool) -> np.ndarray:
    """
    Return the outline of a fin on the back, or under the belly.
    """
    start, end, height, shape = fin
    n = max(6, int((end - start) * 34))
    t = np.linspace(0, 1, n)
    top, bottom = body.edges(start + (end - start) * t)
    x = body.x0 + (start + (end - start) * t) * body.spec.long
    lift = (
        height
        * body.spec.long
        * {
            "soft": np.sin(np.pi * t**0.6) ** 0.7,
            "low": np.minimum(1, np.minimum(t * 8, (1 - t) * 5 + 0.15)),
            "spiny": (1 - np.abs(2 * t - 0.7) ** 2 * 0.55)
            * (1 - 0.28 * (np.arange(n) % 2))
            * np.minimum(1, t * 12 + 0.2),
            "sail": np.sin(np.pi * np.clip(t * 0.93 + 0.05, 0, 1)) ** 0.45 * (1 - 0.05 * (np.arange(n) % 2)),
            "tri": np.minimum(t * 3.2, (1 - t) * 1.45),
            "sickle": np.where(t < 0.35, t / 0.35, 0.22 * (1 - t) / 0.65 + 0.78 * np.maximum(0, 1 - (t - 0.35) * 5)),
            "crest": np.where(t < 0.16, 1.0 - 0.5 * (np.arange(n) % 2), 0.25 * np.minimum(1, (1 - t) * 6)),
        }[shape]
    )
    lean = np.where(shape in ("sickle", "tri"), lift * 0.45, lift * 0.22)
    y = bottom + lift if under else top - lift
    outer = np.stack([x + lean, y], axis=1)
    inner = np.stack([x, (bottom - 0.012) if under else (top + 0.012)], axis=1)
    return np.vstack([outer, inner[::-1]])


def draw_fin(sprite: Sprite, points: np.ndarray, colour: Colour, *, rays: bool = True) -> None:
    """
    Draw a fin with its rays.
    """
    sprite.shape(points, colour, dark(colour, 0.35), 0.004)
    half = len(points) // 2
    if rays:
        for outer, inner in list(zip(points[:half], points[half:][::-1], strict=False))[1:-1]:
            sprite.line([outer, inner], dark(colour, 0.22), 0.003)


TAILS: dict[str, list[tuple[float, float]]] = {
    # along the tail (0..1) and across (-1..1), the upper half from the stalk outwards
    "fork": [(0.0, -0.16), (0.45, -0.55), (1.0, -1.0), (0.62, -0.42), (0.40, 0.0)],
    "lunate": [(0.0, -0.10), (0.35, -0.45), (1.0, -1.0), (0.50, -0.50), (0.30, 0.0)],
    "notch": [(0.0, -0.22), (0.5, -0.66), (1.0, -0.9), (0.86, -0.4), (0.80, 0.0)],
    "trunc": [(0.0, -0.25), (0.5, -0.7), (0.95, -0.85), (0.98, -0.4), (0.98, 0.0)],
    "round": [(0.0, -0.3), (0.4, -0.75), (0.78, -0.75), (0.95, -0.4), (1.0, 0.0)],
    "veil": [(0.0, -0.15), (0.4, -0.8), (1.1, -1.05), (0.95, -0.5), (0.72, 0.0)],
}


def tail_points(body: Body, upper: float = 1.0, lower: float = 1.0) -> np.ndarray:
    """Return the outline of the tail fin. `upper` and `lower` stretch its lobes."""
    shape, length, spread = body.spec.tail
    half = np.array(TAILS[shape])
    x, y = body.x0 + body.spec.long * 0.985, float(body.axis(1.0))
    size = np.array([length * body.spec.long, spread * body.spec.long / 2])
    up = half * size * [upper, upper]
    down = half[::-1][1:] * size * [lower, -lower]
    return np.asarray(np.vstack([up, down]) + np.array([x, y]))


def draw_tail(sprite: Sprite, body: Body, colour: Colour) -> None:
    """
    Draw the tail fin with its rays.
    """
    spec = body.spec
    if spec.tail[0] == "none":
        return
    upper = 1.55 if "shark" in spec.parts else 1.0
    lower = 0.75 if "shark" in spec.parts else 1.45 if "flying" in spec.parts else 1.0
    points = tail_points(body, upper, lower)
    sprite.shape(points, colour, dark(colour, 0.35), 0.004)
    root = (points[0] + points[-1]) / 2
    for tip in smooth(points[1:-1], 3, closed=False)[1::2]:
        sprite.line([root, root + (tip - root) * 0.92], dark(colour, 0.2), 0.003)
    if "tailedge" in spec.parts:
        sprite.line(points[2:-2], (60, 30, 30), 0.012)


def paired_fin(
    sprite: Sprite, root: tuple[float, float], length: float, colour: Colour, shape: str, angle: float
) -> None:
    """
    Draw a pectoral or pelvic fin that hangs back from its root.
    """
    way = np.array([np.cos(angle), np.sin(angle)])
    side = np.array([-way[1], way[0]])
    if shape == "fan":
        spread = angle + np.linspace(-0.82, 0.82, 13)
        arc = (
            np.asarray(root)
            + np.stack([np.cos(spread), np.sin(spread)], axis=1) * length * (0.95 + 0.05 * (np.arange(13) % 2))[:, None]
        )
    else:
        t = np.linspace(0, 1, 9)[:, None]
        wide = {"soft": 0.26, "long": 0.15, "round": 0.38}[shape] * length
        swell = np.sin(np.pi * np.clip(t, 0, 1) ** 0.8) ** 0.75 * wide
        upper, lower = (
            np.asarray(root) + way * length * t - side * swell * 0.6,
            np.asarray(root) + way * length * t + side * swell,
        )
        arc = np.vstack([upper, lower[::-1]])
    sprite.shape(np.vstack([[root], arc]), colour, dark(colour, 0.4), 0.004)
    for tip in arc[2:-2:2] if shape != "fan" else arc[1:-1]:
        sprite.line([root, tip], dark(colour, 0.2), 0.003)
