"""
The messages of the program in the language of the user.

A message is written in English, where it is raised. `translated` looks it up by its text in a gettext catalogue, since
the error of a server arrives as a text. In a catalogue, {} stands for a value of the message. The script
`scripts/update_messages.py` finds all messages and makes the catalogues.
"""

from __future__ import annotations

import gettext
import math
import os
import re
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

DOMAIN = "meetup2025"

FOLDER = Path(__file__).parent
"""Folder of the catalogues, as gettext expects it: *language*/LC_MESSAGES."""

PLACED = "{} (line {}, column {})"
"""A message with its place in a text."""

AROUND = (PLACED, "{}: {}")
"""Messages that hold another message."""

OF_SYSTEM = (
    "Device or resource busy",
    "File exists",
    "File name too long",
    "Input/output error",
    "Is a directory",
    "No space left on device",
    "No such file or directory",
    "Not a directory",
    "Operation not permitted",
    "Permission denied",
    "Read-only file system",
    "Too many levels of symbolic links",
)
"""What the system says of a file."""

_ENGLISH = re.compile(r"(?<![\w/.-])[a-z]{2,} (?=[a-z]{2,}\b)")
"""Two words of a sentence that is not translated. A message is translated by the pattern that leaves the fewest."""

_VARIABLES = ("MEETUP2025_LANG", "LC_ALL", "LC_MESSAGES", "LANG")


def language() -> str:
    """Return the language of the user: `ja` or `en`. The variable MEETUP2025_LANG comes before the locale."""
    chosen = next(filter(None, map(os.environ.get, _VARIABLES)), "")
    return "ja" if chosen.lower().startswith("ja") else "en"


def translated(text: str, wanted: str = "") -> str:
    """
    Return a message in a language.

    Args:
        text: The message in English, with its values.
        wanted: `ja` or `en`. Empty takes the language of the user.

    Returns:
        The message in this language. A message that the catalogue does not have stays in English.
    """
    wanted = wanted or language()
    return text if wanted == "en" or not text else _catalogue(wanted).sentence(text)


def escaped(text: str) -> str:
    """Return a text as a message of the catalogue that has no value."""
    return text.replace("{", "{{").replace("}", "}}")


class _Catalogue(gettext.GNUTranslations):
    """A catalogue that also finds messages with values."""

    _catalog: dict[Any, str]

    def sentence(self, text: str) -> str:
        exact = self._catalog.get(escaped(text)) if text else ""  # the empty message is the head of the catalogue
        return exact.format() if exact else self._with_values(text)

    def _with_values(self, text: str) -> str:
        if " " not in text:
            return text
        best, least = text, math.inf
        for pattern, message in self._patterns():
            if found := pattern.fullmatch(text):
                told = message.format(*map(self.sentence, found.groups()))
                if (left := len(_ENGLISH.findall(told))) < least:
                    best, least = told, left
                if not left:
                    break
        return best if "\n" not in best or best != text else "\n".join(map(self.sentence, text.split("\n")))

    @cache  # noqa: B019 - a catalogue lives as long as the process
    def _patterns(self) -> list[tuple[re.Pattern[str], str]]:
        """Return the messages with values: the place in a text first, then those with the most words."""
        messages = {key: text for key, text in self._catalog.items() if isinstance(key, str) and _has_values(key)}
        ordered = sorted(messages, key=lambda key: (key != PLACED, -len(key.replace("{}", ""))))
        return [(_pattern(key), messages[key]) for key in ordered]


def _has_values(message: str) -> bool:
    """Check whether a message has {}. The messages of click name their values, and click fills them."""
    try:
        fields = [field for _, field, _, _ in Formatter().parse(message) if field is not None]
    except ValueError:
        return False
    return bool(fields) and not any(fields)


def _pattern(message: str) -> re.Pattern[str]:
    parts = (re.escape(literal) + "(.*?)" * (field is not None) for literal, field, _, _ in Formatter().parse(message))
    return re.compile("".join(parts))


@cache
def _catalogue(wanted: str) -> _Catalogue:
    with (FOLDER / wanted / "LC_MESSAGES" / f"{DOMAIN}.mo").open("rb") as file:
        return _Catalogue(file)
