

"""
Fish seen from the side, head to the left: a profile, fins, colours, marks and parts.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PIL import Image

from .body import Body, Fish, draw_fin, draw_tail, fin_points, paired_fin
from .marks import MARKS, Skin
from .parts import after, before
from .sprite import Sprite, dark, light, mix, rgb


def paint_skin(sprite: Sprite, spec: Fish, skin: Skin) -> None:
    """
    Paint back, side, belly and sheen, then the marks.
    """
    stops = [0.0, spec.edge[0], sum(spec.edge) / 2, spec.edge[1], 1.0]
    colours = [
        rgb(spec.back),
        mix(rgb(spec.back), rgb(spec.side), 0.35),
        rgb(spec.side),
        mix(rgb(spec.side), rgb(spec.belly), 0.6),
        rgb(spec.belly),
    ]
    line = np.linspace(0, 1, 256)
    ramp = np.stack([np.interp(line, stops, [c[i] for c in colours]) for i in range(3)], axis=1)
    glow = 1 + spec.sheen * (np.exp(-(((line - 0.36) / 0.14) ** 2)) * 0.6 - 0.45 * np.clip(line - 0.8, 0, 1) * 3 * 0.5)
    ramp = np.clip(ramp * glow[:, None], 0, 255).astype(np.float32)
    picture = ramp[np.clip(skin.v * 255, 0, 255).astype(np.uint8)]
    for name, *given in spec.marks:
        cover, colour = MARKS[str(name)](skin, sprite, *given)
        cover = np.clip(cover, 0, 1)[..., None]
        picture = picture * (1 - cover) + np.asarray(colour, np.float32) * cover
    painted = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8), "RGB").convert("RGBA")
    sprite.image.paste(painted, (0, skin.first), Image.fromarray(skin.inside.astype(np.uint8) * 255, "L"))


def outline(sprite: Sprite, body: Body) -> None:
    """
    Draw the edge of the body.
    """
    u = np.linspace(0, 1, 60)
    top, bottom = body.edges(u)
    x = body.x0 + u * body.spec.long
    edge = np.vstack([np.stack([x, top], 1), np.stack([x, bottom], 1)[::-1]])
    sprite.line(np.vstack([edge, edge[:1]]), dark(rgb(body.spec.back), 0.35), 0.005)


def head(sprite: Sprite, body: Body) -> None:
    """
    Draw the gill cover, the mouth and the eye.
    """
    spec = body.spec
    ink = dark(rgb(spec.side), 0.5)
    if spec.gill:
        v = np.linspace(0.22, 0.88, 9)
        arc = [
            (body.at(spec.gill, p)[0] + 0.03 * float(np.sin(np.pi * q)) * (0.5 + spec.deep), body.at(spec.gill, p)[1])
            for p, q in zip(v, np.linspace(0, 1, 9), strict=True)
        ]
        sprite.line(arc, ink, 0.005)
    if spec.mouth:
        tilt = 0.40 if "upmouth" in spec.parts else 0.62
        sprite.line([body.at(0.0, 0.5 if tilt > 0.5 else 0.3), body.at(spec.mouth, tilt)], dark(ink, 0.4), 0.006)
    place, high, size, iris = spec.eye
    sprite.eye(*body.at(place, 0.5 + high), size * spec.long / 0.66, rgb(iris))


def jitter(spec: Fish, rng: np.random.Generator) -> Fish:
    """
    Return an individual of the kind.
    """
    return replace(
        spec,
        deep=spec.deep * rng.uniform(0.93, 1.07),
        wave=spec.wave * rng.uniform(0.6, 1.2),
        pectoral=(spec.pectoral[0], spec.pectoral[1] * rng.uniform(0.9, 1.1), spec.pectoral[2]),
    )


def draw_fish(sprite: Sprite, spec: Fish) -> Image.Image:
    """
    Draw a fish from its specification.
    """
    spec = jitter(spec, sprite.rng)
    body = Body(spec, sprite)
    fin = rgb(spec.fin)
    tail_colour = rgb(spec.tail_colour or spec.fin)
    before(sprite, body)
    draw_tail(sprite, body, tail_colour)
    for each in spec.dorsal:
        draw_fin(sprite, fin_points(body, each, under=False), fin)
    for each in spec.anal:
        draw_fin(sprite, fin_points(body, each, under=True), fin)
    if spec.pelvic[1]:
        x, y = body.at(spec.pelvic[0], 0.96)
        paired_fin(sprite, (x, y), spec.pelvic[1] * spec.long, fin, "soft", 0.75)
    paint_skin(sprite, spec, body.skin(sprite))
    outline(sprite, body)
    head(sprite, body)
    after(sprite, body)
    if spec.pectoral[1]:
        pale = mix(fin, light(rgb(spec.side), 0.1), 0.35)
        angle = sprite.rng.uniform(0.05, 0.45)
        paired_fin(sprite, body.at(spec.pectoral[0], 0.62), spec.pectoral[1] * spec.long, pale, spec.pectoral[2], angle)
    return sprite.relief()
