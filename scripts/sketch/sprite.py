"""
A square drawing surface with an alpha channel, in units of its own width.

Positions are (x, y) with the origin in the middle, x to the right and y down, both from -0.5 to 0.5.
A whole animal is drawn flat, and `relief` gives it volume at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Array = NDArray[np.floating[Any]]
Colour = tuple[int, int, int]
Points = Array | Sequence[Array | tuple[float, float]]


def rgb(code: str) -> Colour:
    """
    Read a colour such as `d04030`.
    """
    return int(code[0:2], 16), int(code[2:4], 16), int(code[4:6], 16)


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """
    Return the colour that lies `share` (0 to 1) of the way from `a` to `b`.
    """
    return tuple(round(p + (q - p) * share) for p, q in zip(a, b, strict=True))  # type: ignore[return-value]


def dark(colour: Colour, share: float = 0.4) -> Colour:
    """
    Return the colour mixed with black.
    """
    return mix(colour, (0, 0, 0), share)


def light(colour: Colour, share: float = 0.4) -> Colour:
    """
    Return the colour mixed with white.
    """
    return mix(colour, (255, 255, 255), share)


def smooth(points: Points, steps: int = 6, *, closed: bool = True) -> NDArray[np.float64]:
    """
    Run a Catmull-Rom curve through points (n, 2).
    """
    p = np.asarray(points, dtype=float)
    if len(p) < 3:
        return p
    padded = np.vstack([p[-1], p, p[0], p[1]]) if closed else np.vstack([p[0], p, p[-1]])
    t = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    a, b, c, d = (padded[i : len(padded) - 3 + i, None, :] for i in range(4))
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    curve = curve.reshape(-1, 2)
    return curve if closed else np.vstack([curve, p[-1]])


def around(cx: float, cy: float, rx: float, ry: float, n: int = 28) -> NDArray[np.float64]:
    """
    Return n points of an ellipse.
    """
    t = np.linspace(0, 2 * np.pi, n, endpoint=False)
    return np.stack([cx + rx * np.cos(t), cy + ry * np.sin(t)], axis=1)


class Sprite:
    """
    An RGBA picture of `size` x `size` pixels, and the chance that draws on it.
    """

    def __init__(self, size: int, rng: np.random.Generator) -> None:
        self.size = size
        self.rng = rng
        self.image = Image.new("RGBA", (size, size), (0, 0, 0, 0))
        self.pen = ImageDraw.Draw(self.image)

    def pixels(self, points: Points) -> list[tuple[float, float]]:
        """
        Turn positions into pixels.
        """
        return [(float(x), float(y)) for x, y in (np.asarray(points, dtype=float) + 0.5) * self.size]

    def width(self, width: float) -> int:
        """
        Turn a width into pixels, one at least.
        """
        return max(1, round(width * self.size))

    def shape(self, points: Points, fill: Colour, line: Colour | None = None, thick: float = 0.006) -> None:
        """
        Fill a polygon, with an outline if a line colour is given.
        """
        where = self.pixels(points)
        self.pen.polygon(where, fill=(*fill, 255))
        if line is not None:
            self.pen.line([*where, where[0]], fill=(*line, 255), width=self.width(thick), joint="curve")

    def line(self, points: Points, colour: Colour, thick: float = 0.006) -> None:
        """
        Draw an open line.
        """
        self.pen.line(self.pixels(points), fill=(*colour, 255), width=self.width(thick), joint="curve")

    def disc(self, x: float, y: float, rx: float, colour: Colour, ry: float | None = None) -> None:
        """
        Fill a circle, or an ellipse if `ry` is given.
        """
        ry = rx if ry is None else ry
        (x0, y0), (x1, y1) = self.pixels([(x - rx, y - ry), (x + rx, y + ry)])
        self.pen.ellipse((x0, y0, max(x1, x0 + 1), max(y1, y0 + 1)), fill=(*colour, 255))

    def eye(self, x: float, y: float, r: float, iris: Colour = (235, 225, 190), pupil: float = 0.6) -> None:
        """
        Draw an eye with a glint.
        """
        self.disc(x, y, r * 1.12, dark(iris, 0.55))
        self.disc(x, y, r, iris)
        self.disc(x, y, r * pupil, (15, 15, 20))
        self.disc(x - r * 0.22, y - r * 0.25, r * 0.2, (255, 255, 255))

    def tube(self, centre: Points, widths: Sequence[float], fill: Colour, line: Colour | None = None) -> None:
        """
        Fill a limb along a smooth centre line, with a width at each of its points.
        """
        self.shape(tube(centre, widths), fill, line)

    def mask(self, points: Points) -> Image.Image:
        """
        Return the inside of a polygon as a mask.
        """
        mask = Image.new("L", self.image.size, 0)
        ImageDraw.Draw(mask).polygon(self.pixels(points), fill=255)
        return mask

    def paint(self, colour: Array | Colour, mask: Image.Image | Array) -> None:
        """
        Lay a colour, or a picture of colours (size, size, 3), over the sprite where the mask is.
        """
        cover = mask if isinstance(mask, Image.Image) else Image.fromarray((mask * 255).astype(np.uint8), "L")
        if isinstance(colour, tuple):
            self.image.paste((*colour, 255), (0, 0), cover)
            return
        picture = Image.fromarray(np.clip(colour, 0, 255).astype(np.uint8), "RGB").convert("RGBA")
        self.image.paste(picture, (0, 0), cover)

    def veil(self, points: Points, colour: Colour, alpha: int) -> None:
        """Lay a see-through polygon over the drawing."""
        layer = Image.new("RGBA", self.image.size, (*colour, 0))
        ImageDraw.Draw(layer).polygon(self.pixels(points), fill=(*colour, alpha))
        self.image.alpha_composite(layer)

    def grid(self) -> tuple[Array, Array]:
        """
        Return the positions x (1, size) and y (size, 1) of the pixels.
        """
        line = ((np.arange(self.size) + 0.5) / self.size - 0.5).astype(np.float32)
        return line[None, :], line[:, None]

    def noise(self, cells: int, stretch: float = 1.0) -> Array:
        """
        Return smooth noise (size, size) in 0..1, about `cells` waves across, flattened by `stretch`.
        """
        small = self.rng.integers(0, 256, (max(2, int(cells * stretch)), cells), dtype=np.uint8)
        return (
            np.asarray(Image.fromarray(small, "L").resize(self.image.size, Image.Resampling.BICUBIC), np.float32) / 255
        )

    def mottle(self, points: Points, colour: Colour, cells: int = 12, above: float = 0.6) -> None:
        """
        Cover part of a polygon with cloudy spots.
        """
        inside = np.asarray(self.mask(points), np.float32) / 255
        self.paint(colour, inside * np.clip((self.noise(cells) - above) * 8, 0, 1) * 0.8)

    def sprinkle(self, points: Points, colour: Colour, n: int, r: float, jitter: float = 0.4) -> None:
        """
        Put about n discs inside a polygon.
        """
        p = np.asarray(points, dtype=float)
        low, high = p.min(axis=0), p.max(axis=0)
        spots = Image.new("L", self.image.size, 0)
        pen = ImageDraw.Draw(spots)
        for x, y in self.rng.uniform(low, high, (n, 2)):
            size = r * self.rng.uniform(1 - jitter, 1 + jitter)
            (x0, y0), (x1, y1) = self.pixels([(x - size, y - size), (x + size, y + size)])
            pen.ellipse((x0, y0, max(x1, x0 + 1), max(y1, y0 + 1)), fill=255)
        inside = np.asarray(self.mask(points), np.float32) / 255
        self.paint(colour, inside * np.asarray(spots, np.float32) / 255)

    def relief(self, strength: float = 1.0) -> Image.Image:
        """Return the drawing, cut to its extent, with edges darker than middles and light from above."""
        left, top, right, bottom = self.image.getbbox() or (0, 0, self.size, self.size)
        room = self.size // 20
        image = self.image.crop((left - room, top - room, right + room, bottom + room))
        pixels = np.array(image, np.float32)
        alpha = image.getchannel("A")
        height = np.asarray(alpha.filter(ImageFilter.BoxBlur(self.size * 0.022)), np.float32) / 255
        step = max(2, self.size // 60)
        slope = height - np.roll(height, step, axis=0)
        shade = 1 + strength * (np.clip(height - 0.95, -0.5, 0) * 0.5 + slope * 0.55)
        pixels[..., :3] = np.clip(pixels[..., :3] * shade[..., None], 0, 255)
        return Image.fromarray(pixels.astype(np.uint8), "RGBA")


def tube(centre: Points, widths: Sequence[float]) -> NDArray[np.float64]:
    """
    Return the outline of a limb along a smooth centre line.
    """
    line = smooth(centre, 6, closed=False)
    spread = np.interp(np.linspace(0, 1, len(line)), np.linspace(0, 1, len(widths)), widths)[:, None] / 2
    along = np.gradient(line, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    side = np.stack([-along[:, 1], along[:, 0]], axis=1) * spread
    return np.vstack([line + side, (line - side)[::-1]])
