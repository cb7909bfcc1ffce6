"""A name is called sure where that was measured, and never of a picture that only looks like what the model knows."""

from __future__ import annotations

import csv
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from pictures import noise
from PIL import Image, ImageOps

ROOT = Path(__file__).parents[1]
if str(ROOT) not in sys.path:  # scripts/ is no part of the package
    sys.path.insert(0, str(ROOT))

from scripts.sketch.draw import SEEDS, draw  # noqa: E402 - only now can it be found

from meetup2025.embedding import encoder  # noqa: E402
from meetup2025.embedding.confidence import confidence, knows_only_drawings, spread  # noqa: E402
from meetup2025.files import PACKAGE  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

    from meetup2025.embedding.confidence import Ranking

SABA = Image.open(PACKAGE / "samples" / "saba.png").convert("RGB")
FIRST_SEED = 600_000
"""Among the test seeds; the bounds were chosen with those from 0."""


@cache
def catalogue() -> tuple[list[str], np.ndarray]:
    """Give the names of the catalogue and their vectors."""
    with (PACKAGE / "catalogue" / "fish.csv").open(encoding="utf-8", newline="") as file:
        names = [row["Name"] for row in csv.DictReader(file)]
    return names, encoder("sketch").texts(names)


def rankings(pictures: list[Image.Image]) -> list[Ranking]:
    """Name pictures by the bundled model."""
    names, rows = catalogue()
    found = encoder("sketch").images(pictures) @ rows.T
    return [[(names[place], float(each[place])) for place in np.argsort(-each)[:2]] for each in found]


def judged(pictures: list[Image.Image]) -> list[tuple[str, str]]:
    """Give the best name of each picture, and how sure it is."""
    every = rankings(pictures)
    return [
        (found[0][0], confidence(found, "sketch@1", lambda each=each: each, lambda view: rankings([view])[0]))
        for each, found in zip(pictures, every, strict=True)
    ]


# --- the rule


def named(*found: tuple[str, float]) -> Callable[[Image.Image], Ranking]:
    """Give the same names for every view."""
    return lambda _: found


@pytest.mark.parametrize(
    ("ranking", "model", "expected"),
    [
        ([("マサバ", 0.96), ("マアジ", 0.70)], "sketch@1", "sure"),
        ([("マサバ", 0.93), ("マアジ", 0.78)], "sketch@1", "sure"),
        ([("マサバ", 0.92), ("マアジ", 0.10)], "sketch@1", "unsure"),
        ([("マサバ", 0.96), ("マアジ", 0.82)], "sketch@1", "unsure"),
        ([("チンアナゴ", 0.99), ("マアジ", 0.10)], "sketch@1", "unsure"),
        ([("マサバ", 0.96)], "sketch@1", "unsure"),
        ([], "sketch@1", "unsure"),
        ([("マサバ", 0.96), ("マアジ", 0.10)], "line-corporation/clip-japanese-base@1", "unmeasured"),
        ([("マサバ", 0.96), ("マアジ", 0.10)], "", "unmeasured"),
    ],
)
def test_bounds(ranking, model, expected):
    """A name is sure by a measured rule: high enough, far enough above the second, and none of those that mislead."""
    assert confidence(ranking, model, lambda: SABA, named(("マサバ", 0.95), ("マアジ", 0.6))) == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([("マサバ", 0.90), ("マアジ", 0.94)], "sure"),
        ([("マサバ", 0.89), ("マアジ", 0.10)], "unsure"),
        ([("マサバ", 0.95), ("マアジ", 0.95)], "unsure"),
        ([("マアジ", 0.80), ("マサバ", 0.79)], "unsure"),
    ],
)
def test_views(found, expected):
    """A view of the picture that another name fits, or a mirror image that the name does not fit, is a doubt."""
    first = [("マサバ", 0.96), ("マアジ", 0.70)]
    assert confidence(first, "sketch@1", lambda: SABA, named(*found)) == expected


def test_picture_is_opened_for_a_high_ranking_alone():
    """Where the ranking gives a doubt, the picture is neither opened nor named again."""
    assert confidence([("マサバ", 0.5), ("マアジ", 0.1)], "sketch@1", pytest.fail, pytest.fail) == "unsure"


@pytest.mark.parametrize("picture", [ImageOps.grayscale(SABA).convert("RGB"), Image.new("RGB", (2000, 100), "navy")])
def test_colours_that_do_not_vary(picture):
    """A grey picture and one of one colour have no spread of colours, so that nothing in them is sure."""
    assert spread(picture) == 0
    first = [("マサバ", 0.99), ("マアジ", 0.10)]
    assert confidence(first, "sketch@1", lambda: picture, named(("マサバ", 0.99))) == "unsure"


def test_models_of_drawings():
    """The bundled model alone is known to know only drawings."""
    assert [each for each in ("sketch@1", "sketch", "a/sketch@1", "") if knows_only_drawings(each)] == [
        "sketch@1",
        "sketch",
    ]


# --- what the rule lets through


def sepia(picture: Image.Image) -> Image.Image:
    """Tone a picture brown, as old photographs are."""
    tones = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]])
    return Image.fromarray(np.clip(np.asarray(picture, float) @ tones.T, 0, 255).astype(np.uint8))


def banded(picture: Image.Image) -> Image.Image:
    """Lay a black band over the middle."""
    found = picture.copy()
    found.paste("black", (0, picture.height * 2 // 5, picture.width, picture.height * 3 // 5))
    return found


CHANGES = {
    "as it is": lambda picture: picture,
    "turned by 90": lambda picture: picture.transpose(Image.Transpose.ROTATE_90),
    "turned by 180": lambda picture: picture.transpose(Image.Transpose.ROTATE_180),
    "turned by 270": lambda picture: picture.transpose(Image.Transpose.ROTATE_270),
    "mirrored": ImageOps.mirror,
    "grey": lambda picture: ImageOps.grayscale(picture).convert("RGB"),
    "sepia": sepia,
    "negative": ImageOps.invert,
    "banded": banded,
}


@pytest.fixture(scope="module")
def drawings() -> list[tuple[str, Image.Image]]:
    """Draw each fish of the catalogue twice."""
    names, _ = catalogue()
    seeds = SEEDS["test"][FIRST_SEED : FIRST_SEED + 2]
    return [(name, draw(name, seed, 256).convert("RGB")) for name in names for seed in seeds]


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
def test_wrong_names_are_not_sure(drawings, change):
    """Of two drawings of each fish, changed as people change pictures, no wrong name is called sure."""
    found = judged([CHANGES[change](picture) for _, picture in drawings])
    assert [(right, name) for (right, _), (name, how) in zip(drawings, found, strict=True)
            if how == "sure" and name != right] == []  # fmt: skip


@pytest.mark.slow
def test_right_names_are_mostly_sure(drawings):
    """Of the drawings as they are, one of each fish, most are called sure."""
    found = judged([picture for _, picture in drawings[::2]])
    assert sum(how == "sure" for _, how in found) >= 0.6 * len(found)


@pytest.mark.parametrize("size", [(2000, 100), (100, 2000), (300, 300), (1, 1)])
def test_blank_pictures_are_not_sure(size):
    """A picture of one colour, or with a band of another, shows no fish for sure."""
    blank = [Image.new("RGB", size, colour) for colour in ("black", "white", "navy", "silver", "sandybrown", "red")]
    assert {how for _, how in judged([*blank, *map(banded, blank), noise(*size)])} == {"unsure"}
