"""The one spelling of names and of file names, and what a column of text may hold."""

from __future__ import annotations

import unicodedata

from meetup2025.errors import DataError


def normal(text: str) -> str:
    """
    Give the one spelling of a name: NFKC (`ﾏｱｼﾞ` is `マアジ`), with single spaces between words and none around.

    Old terminals write half-width katakana, macOS composes nothing; all must find the same row.
    """
    return " ".join(unicodedata.normalize("NFKC", text).split())


def composed(name: str) -> str:
    """Give the one spelling of a file name: NFC. It still finds the file, which that of `normal` may not."""
    return unicodedata.normalize("NFC", name)


def check_text(what: str, text: str, longest: int) -> str:
    """
    Make sure that a column can hold a text, and a reader see it.

    Raises:
        DataError: Too long, or with control characters, invisible characters or broken ones.
    """
    if not text.isprintable():
        raise DataError(f"{what} must hold visible characters only. Got {text[:60]!a}.")
    if len(text) > longest:
        raise DataError(f"{what} must have at most {longest} characters. Got {len(text)}: {text[:20]}…")
    return text
