"""The one spelling of a text: as names are stored, and as a model is asked."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from meetup2025.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable


def normal(text: str) -> str:
    """
    Return the one spelling of a text: NFKC (`ﾏｱｼﾞ` is `マアジ`), with single spaces between words and none around.

    Old terminals write half-width katakana, macOS composes nothing, Windows begins a file with a byte order mark.
    All must find the same row, and give the same vector.
    """
    return " ".join(unicodedata.normalize("NFKC", text).replace("\ufeff", " ").split())


def to_embed(texts: Iterable[str]) -> list[str]:
    """
    Return texts in their one spelling, for a model.

    Raises:
        DataError: A text is empty, or has nothing but blanks.
    """
    spelled = []
    for place, text in enumerate(texts, start=1):
        spelled.append(normal(text))
        if not spelled[-1]:
            raise DataError(f"A text to embed must not be empty. Got {text!r}, text {place}.")
    return spelled
