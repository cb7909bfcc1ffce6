"""
The test of meaning: whether a model finds the words for drawn pictures, and the pictures for words.

It is for models whose original cannot be run here. Files that are whole may still be put together wrongly: halves of
two models, another pooling, colours in another order, a processor that cuts sums. Such a model gives vectors that look
right and mean nothing. It then finds the right one of two words by chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from meetup2025.errors import BrokenModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from meetup2025.embedding import Encoder

LEAST_COLOURS, LEAST = 0.8, 0.7
"""Least share of right choices of one of two: for colours, and for all. Chance gives 0.5."""

SIDE = 224

LANGUAGES = ("ja", "en")

_RED, _BLUE, _GREEN, _YELLOW, _BLACK = (220, 20, 30), (20, 60, 220), (30, 160, 40), (250, 220, 20), (20, 20, 20)


@dataclass(frozen=True)
class Drawn:
    """A drawn picture, with words for it in each of `LANGUAGES`."""

    group: str
    words: tuple[str, str]
    draw: Callable[[ImageDraw.ImageDraw], None]

    def picture(self) -> Image.Image:
        """Draw the picture."""
        picture = Image.new("RGB", (SIDE, SIDE), "white")
        self.draw(ImageDraw.Draw(picture))
        return picture


def _square(colour: tuple[int, int, int]) -> Callable[[ImageDraw.ImageDraw], None]:
    return lambda on: on.rectangle((52, 52, 172, 172), fill=colour)


def _triangle(on: ImageDraw.ImageDraw) -> None:
    on.polygon([(112, 44), (40, 172), (184, 172)], fill=_BLACK)


def _circles(*centres: tuple[int, int], radius: int) -> Callable[[ImageDraw.ImageDraw], None]:
    def draw(on: ImageDraw.ImageDraw) -> None:
        for x, y in centres:
            on.ellipse((x - radius, y - radius, x + radius, y + radius), fill=_BLACK)

    return draw


_MANY = [(x, y) for x in (40, 88, 136, 184) for y in (60, 112, 164)]

DRAWN = (
    Drawn("colours", ("赤い四角形", "a red square"), _square(_RED)),
    Drawn("colours", ("青い四角形", "a blue square"), _square(_BLUE)),
    Drawn("colours", ("緑色の四角形", "a green square"), _square(_GREEN)),
    Drawn("colours", ("黄色い四角形", "a yellow square"), _square(_YELLOW)),
    Drawn("shapes", ("黒い丸", "a black circle"), _circles((112, 112), radius=64)),
    Drawn("shapes", ("黒い四角形", "a black square"), _square(_BLACK)),
    Drawn("shapes", ("黒い三角形", "a black triangle"), _triangle),
    Drawn("counts", ("一つの点", "one dot"), _circles((112, 112), radius=16)),
    Drawn("counts", ("二つの点", "two dots"), _circles((72, 112), (152, 112), radius=16)),
    Drawn("counts", ("たくさんの点", "many dots"), _circles(*_MANY, radius=16)),
)
"""The pictures of the test. Words are compared within a group alone."""


@dataclass(frozen=True)
class Meaning:
    """
    What a model understands: shares of right choices of one of two, for texts of a language.

    Attributes:
        language: One of `LANGUAGES`.
        colours: The share for the colours alone.
        all: The share for all groups.
    """

    language: str
    colours: float
    all: float

    @property
    def is_enough(self) -> bool:
        """Whether the model knows the language."""
        return self.colours >= LEAST_COLOURS and self.all >= LEAST


def understood(model: Encoder) -> list[Meaning]:
    """Return what a model understands of the drawn pictures, in each language."""
    pictures = model.images([each.picture() for each in DRAWN])
    return [_meaning(language, pictures, _texts(model, language)) for language in LANGUAGES]


def check(model: Encoder, languages: Sequence[str] = ()) -> list[Meaning]:
    """
    Check that a model understands its languages, and that words for the same are near across them.

    Args:
        model: The model.
        languages: Languages that it must know. None given means one or more of `LANGUAGES`.

    Returns:
        What it understands, in each language that it knows.

    Raises:
        BrokenModelError: It does not.
    """
    found = understood(model)
    known = [each for each in found if each.is_enough and (not languages or each.language in languages)]
    if len(known) < max(1, len(languages)):
        rule = f"must find the words for drawn pictures (share {LEAST_COLOURS} for colours, {LEAST} for all)"
        got = ", ".join(f"{each.language} {each.colours:.2f} and {each.all:.2f}" for each in found)
        raise BrokenModelError(f"The model {model.model} {rule}. Got {got}; it is not installed.")
    if len(known) == len(LANGUAGES) and (near := between_languages(model)) < LEAST:
        rule = f"must give near vectors for the same words of two languages (share {LEAST})"
        raise BrokenModelError(f"The model {model.model} {rule}. Got {near:.2f}; it is not installed.")
    return known


def between_languages(model: Encoder) -> float:
    """Return how often a word is nearer to the same word of the other language than to another word of its group."""
    ours, theirs = (_texts(model, language) for language in LANGUAGES)
    return _mean([_right(ours[rows] @ theirs[rows].T) for rows in _groups().values()])


def _texts(model: Encoder, language: str) -> NDArray[np.float32]:
    return model.texts([each.words[LANGUAGES.index(language)] for each in DRAWN])


def _meaning(language: str, pictures: NDArray[np.float32], texts: NDArray[np.float32]) -> Meaning:
    shares = {group: _right(pictures[rows] @ texts[rows].T) for group, rows in _groups().items()}
    return Meaning(language, _mean([shares["colours"]]), _mean(list(shares.values())))


def _groups() -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for place, each in enumerate(DRAWN):
        groups.setdefault(each.group, []).append(place)
    return groups


def _right(cosines: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return, for each row and each column, whether its own cosine is above each other one."""
    own, others = np.diag(cosines), ~np.eye(len(cosines), dtype=bool)
    return np.concatenate([(own[:, None] > cosines)[others], (own[None] > cosines)[others]])


def _mean(choices: list[NDArray[np.bool_]]) -> float:
    return float(np.concatenate(choices).mean())
