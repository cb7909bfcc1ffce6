"""
The confidence of a naming, by the measured abilities of a model.

A model that was not measured is never called sure. With a measured model, the first name is sure when its cosine is
high enough, when it is far enough above the second, and when the picture itself is no reason for doubt. A grey picture
is a reason for doubt. So is a picture that fits another name as well once it is turned or negative.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from PIL.Image import Image

SURE, UNSURE, UNMEASURED = "sure", "unsure", "unmeasured"

Ranking: TypeAlias = "Sequence[tuple[str, float]]"
"""Names and their cosines, from -1 to 1, the best first."""


@dataclass(frozen=True)
class Bounds:
    """
    The bounds for a sure name. All bounds are inclusive.

    Attributes:
        score: Least cosine of the name.
        lead: Least difference between its cosine and the cosine of the second name.
        mirrored: Least cosine of the name to the mirror image of the picture.
        rival: Least difference between its cosine and the cosine of another name in any other view.
        colour: Least `spread` of the colours.
        never: Names that are never sure, because turned pictures are taken for them.
    """

    score: float
    lead: float
    mirrored: float
    rival: float
    colour: float
    never: frozenset[str]


# docs/web.md has the share of errors that pass the bounds.
MEASURED = {
    "sketch": Bounds(score=0.93, lead=0.15, mirrored=0.90, rival=0.02, colour=3, never=frozenset({"チンアナゴ"})),
}

LIKE_A_DRAWING = 0.90
"""
Cosine of the first name below which a picture is no drawing that `sketch` knows.

Measured by the names of the bundled catalogue: 2 % of 600 fresh drawings (`scripts/sketch`) are below it, and so are
all of 14 photographs, and 97 % of 168 parts of these.
"""

_SIDE, _LIGHTNESSES = 64, 64


def knows_only_drawings(model: str) -> bool:
    """Check whether a model was trained on drawings alone."""
    return model.partition("@")[0] == "sketch"


def confidence(
    ranking: Ranking, model: str, picture: Callable[[], Image], named: Callable[[Image], Ranking]
) -> str:
    """
    Judge a naming.

    Args:
        ranking: The best names. A sure name needs at least two.
        model: Model of the vectors, for example sketch@1.
        picture: Opens the picture, in RGB. It is called only where the ranking leaves no doubt.
        named: Returns the two best names of another picture. It is called for the views of the picture.

    Returns:
        `sure`, `unsure`, or `unmeasured` where nothing is known about the model.
    """
    bounds = MEASURED.get(model.partition("@")[0])
    if bounds is None:
        return UNMEASURED
    if len(ranking) < 2 or not _is_first(ranking, bounds):
        return UNSURE
    return SURE if _is_alone(ranking[0], bounds, picture(), named) else UNSURE


def spread(picture: Image) -> float:
    """
    Measure how much the colours of an RGB picture vary, apart from their lightness.

    Returns:
        Standard deviation of the differences of red and blue to green among pixels of one lightness, from 0 to some
        200. It is 0 for a grey picture and for a picture of one colour, and below 4 for nearly all pictures in sepia.
    """
    import numpy as np
    from PIL.Image import Resampling

    pixels = np.asarray(picture.resize((_SIDE, _SIDE), Resampling.BOX), float).reshape(-1, 3)
    order = np.argsort(pixels @ [0.299, 0.587, 0.114], kind="stable")
    colours = (pixels[:, [0, 2]] - pixels[:, [1]])[order]
    return float(np.sqrt(np.mean([part.var(axis=0).sum() for part in np.array_split(colours, _LIGHTNESSES)])))


def _is_first(ranking: Ranking, bounds: Bounds) -> bool:
    (name, score), (_, second) = ranking[:2]
    return name not in bounds.never and score >= bounds.score and score - second >= bounds.lead


def _is_alone(
    first: tuple[str, float], bounds: Bounds, picture: Image, named: Callable[[Image], Ranking]
) -> bool:
    """Check whether the picture is coloured, and no view of it is nearer to another name."""
    from PIL import ImageOps

    name, score = first
    if spread(picture) < bounds.colour:
        return False
    if dict(named(ImageOps.mirror(picture))[:1]).get(name, -1) < bounds.mirrored:
        return False
    found = (named(view) for view in _views(picture))
    return all(score - other >= bounds.rival for best in found for rival, other in best[:2] if rival != name)


def _views(picture: Image) -> Iterator[Image]:
    """Turn a picture by 90, 180 and 270 degrees, and make its negative."""
    from PIL import ImageOps
    from PIL.Image import Transpose

    for turn in (Transpose.ROTATE_90, Transpose.ROTATE_180, Transpose.ROTATE_270):
        yield picture.transpose(turn)
    yield ImageOps.invert(picture)
