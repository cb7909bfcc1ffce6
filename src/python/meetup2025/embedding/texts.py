"""The one spelling of a text: as names are stored, and as a model is asked."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from meetup2025.errors import DataError, shown

if TYPE_CHECKING:
    from collections.abc import Sequence


def normal(text: str) -> str:
    """
    Return the one spelling of a text: NFKC (`ﾏｱｼﾞ` is `マアジ`), with single spaces between words and none around.

    A byte order mark counts as a space. All spellings must find the same row and have the same vector.
    """
    return " ".join(unicodedata.normalize("NFKC", text).replace("\ufeff", " ").split())


def to_embed(texts: Sequence[str]) -> list[str]:
    """
    Return texts in their one spelling, for a model.

    Raises:
        DataError: A text is empty, or has nothing but blanks.
    """
    spelled = []
    for place, text in enumerate(texts, start=1):
        spelled.append(normal(text))
        if not spelled[-1]:
            raise DataError(f"A text to embed must not be empty. Got {shown(text)}, text {place} of {len(texts)}.")
    return spelled
