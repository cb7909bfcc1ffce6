"""The help of the command line in the language of the user."""

from __future__ import annotations

import gettext
import inspect
import os
import unicodedata
from typing import TYPE_CHECKING

import click

from meetup2025 import locale

if TYPE_CHECKING:
    from collections.abc import Iterator

_FILLER = "\uffff"
"""Stands behind each Japanese character while lines are broken, since click counts characters and not columns."""

_FIELDS = ("help", "epilog", "short_help")


class Formatter(click.HelpFormatter):
    """Lays out help whose Japanese characters take two columns."""

    def getvalue(self) -> str:
        """Return the help as it is shown."""
        return super().getvalue().replace(_FILLER, "")


click.Context.formatter_class = Formatter


def speak(group: click.Group) -> None:
    """Put the help of all commands into the language of the user. The texts of click follow."""
    if locale.language() != "en":
        os.environ["LANGUAGE"] = locale.language()
    gettext.bindtextdomain(locale.DOMAIN, str(locale.FOLDER))
    gettext.textdomain(locale.DOMAIN)
    for _, owner in _walk(group):
        english = owner.__dict__.setdefault("english", {name: getattr(owner, name, None) for name in _FIELDS})
        for name, text in english.items():
            if text:
                setattr(owner, name, _in_language(text))


def texts(group: click.Group) -> Iterator[tuple[str, str]]:
    """Return the help texts of all commands in English, each with the name of its command."""
    for command, owner in _walk(group):
        english = owner.__dict__.get("english") or {name: getattr(owner, name, None) for name in _FIELDS}
        yield from ((command, text) for text in english.values() if text)


def parts(text: str) -> list[str]:
    r"""Return what is translated of a help text: its paragraphs, and the lines of those that begin with `\b`."""
    return [each for each in map(_one_line, _pieces(text)) if each and not each.startswith("meetup2025 ")]


def _walk(command: click.Command, name: str = "meetup2025") -> Iterator[tuple[str, click.Command | click.Parameter]]:
    yield name, command
    yield from ((name, parameter) for parameter in command.params)
    for inner in getattr(command, "commands", {}).values():
        yield from _walk(inner, f"{name} {inner.name}")


def _pieces(text: str) -> list[str]:
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return [piece for each in paragraphs for piece in (each.split("\n") if "\b" in each else [each])]


def _one_line(text: str) -> str:
    return " ".join(text.replace("\b", "").split())


def _in_language(text: str) -> str:
    return "\n\n".join(map(_paragraph, inspect.cleandoc(text).split("\n\n")))


def _paragraph(text: str) -> str:
    if "\b" not in text:
        return _widened(locale.translated(_one_line(text)))
    return "\n".join(line if _one_line(line) == "" else _line(line) for line in text.split("\n"))


def _line(line: str) -> str:
    indent = line[: len(line) - len(line.lstrip())]
    return indent + _widened(locale.translated(line.strip()))


def _widened(text: str) -> str:
    return "".join(each + _FILLER * (unicodedata.east_asian_width(each) in "WF") for each in text)
