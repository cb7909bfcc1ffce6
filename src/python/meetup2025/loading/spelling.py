"""The spelling of file names, and the check of texts for columns."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from meetup2025.embedding.texts import normal
from meetup2025.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["check_text", "composed", "folded", "is_invisible", "known_word", "normal"]

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories of Unicode: control, format, half of a character (surrogate), line and paragraph separators."""

_EMOJI = frozenset({"\u200d", *map(chr, range(0xE0020, 0xE0080))})
"""Format characters in emoji: the joiner, and the tags of flags."""


def composed(name: str) -> str:
    """Return the one spelling of a file name: NFC. It still finds the file. The spelling of `normal` may not."""
    return unicodedata.normalize("NFC", name)


def folded(name: str) -> str:
    """
    Return the form in which two names are the same if a database may take them for one.

    A database compares the small letters or the capitals. So each character becomes small and then a capital, which
    keeps the number of characters: `ß` stays, and `İ`, `ı`, `i` and `I` are the same.
    """
    return name.translate(_FOLDS)


def known_word(given: str, known: Iterable[str]) -> str:
    """Find a word among known words, in any case and without blanks around it. It is empty where there is none."""
    return next((word for word in known if word.upper() == given.strip().upper()), "")


class _Folds(dict[int, str]):
    """The folded character of each code, found at its first use."""

    def __missing__(self, code: int) -> str:
        small = chr(code).lower()[0]  # of İ alone there would be two
        capital = small.upper()
        self[code] = capital if len(capital) == 1 else small
        return self[code]


_FOLDS = _Folds()


def is_invisible(character: str) -> bool:
    """Check whether a character changes the text and cannot be seen. Blanks of any width can be seen."""
    return unicodedata.category(character) in _INVISIBLE and character not in _EMOJI


def check_text(what: str, text: str, longest: int) -> str:
    """
    Check that a column can hold a text, and that a reader can see all of it.

    Raises:
        DataError: The text is too long, or has control characters, invisible characters or broken ones.
    """
    if not text.isprintable() and any(map(is_invisible, text)):
        raise DataError(f"{what} must hold visible characters only. Got {text[:60]!a}.")
    if len(text) > longest:
        raise DataError(f"{what} must have at most {longest} characters. Got {len(text)}: {text[:20]}…")
    return text
