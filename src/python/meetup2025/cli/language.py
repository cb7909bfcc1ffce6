"""The help of the command line in the language of the user."""

from __future__ import annotations

import gettext
import inspect
import os
import re
from typing import TYPE_CHECKING, Any

import click

from meetup2025 import locale

if TYPE_CHECKING:
    from collections.abc import Iterator

_WIDE = r"[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6]"
_NOT_FIRST, _NOT_LAST, _FIRM, _BLANK = "、。，．）」』】・ー…々", "（「『【", "\uffff", "\xa0"
"""Characters that begin or end no line. The firm filler takes a column and no line ends there. The blank is a space."""

_CELL = re.compile(r"(\x08?\n *| {2,})")
"""What stands between the cells of a paragraph that keeps its lines."""

_FIELDS = ("help", "epilog", "short_help")


class Formatter(click.HelpFormatter):
    """Lays out help whose Japanese characters take two columns."""

    def __init__(self, *args: Any, **extra: Any) -> None:
        super().__init__(*args, **extra)
        self._is_wide = locale.language() != "en"
        self.width -= 4 * self._is_wide  # click counts its own words by characters

    def getvalue(self) -> str:
        """Return the help as it is shown."""
        text = super().getvalue()
        return re.sub(f"(?<={_WIDE}) ", "", text).replace(_FIRM, "").replace(_BLANK, " ") if self._is_wide else text


click.Context.formatter_class = Formatter


def speak(group: click.Group) -> None:
    """Put the help of all commands into the language of the user. The texts of click follow."""
    is_english = locale.language() == "en"
    if not is_english:
        os.environ["LANGUAGE"] = locale.language()
    gettext.bindtextdomain(locale.DOMAIN, str(locale.FOLDER))
    gettext.textdomain(locale.DOMAIN)
    for _, owner in _walk(group):
        for name, text in _english(owner).items():
            setattr(owner, name, text if is_english or not text else _in_language(text))
        if isinstance(owner, click.Command):
            owner._help_option = None  # noqa: SLF001 - click keeps this option in the language of its first use
        if isinstance(owner, click.Command) and not is_english:
            owner.short_help = (owner.help or "").partition("\n\n")[0]  # click cuts a text that has no spaces


def texts(group: click.Group) -> Iterator[tuple[str, str]]:
    """Return the help texts of all commands in English, each with the name of its command."""
    for command, owner in _walk(group):
        yield from ((command, text) for text in _english(owner).values() if text)


def _english(owner: click.Command | click.Parameter) -> dict[str, str | None]:
    """Return the texts of a command or an option as they are written, also while others stand in their place."""
    written = {name: getattr(owner, name, None) for name in _FIELDS}
    found: dict[str, str | None] = vars(owner).setdefault("english", written)
    return found


def parts(text: str) -> list[str]:
    r"""Return what is translated of a help text: its paragraphs, and the cells of those that begin with `\b`."""
    return [each for each in map(_one_line, _pieces(text)) if _is_prose(each)]


def _walk(command: click.Command, name: str = "meetup2025") -> Iterator[tuple[str, click.Command | click.Parameter]]:
    yield name, command
    yield from ((name, parameter) for parameter in command.params)
    for inner in getattr(command, "commands", {}).values():
        yield from _walk(inner, f"{name} {inner.name}")


def _pieces(text: str) -> list[str]:
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return [piece for each in paragraphs for piece in (_CELL.split(each) if "\b" in each else [each])]


def _one_line(text: str) -> str:
    return " ".join(text.replace("\b", "").split())


def _is_prose(text: str) -> bool:
    return not re.match(r"(\S+=\S+ )?meetup2025 |\d*$", text)


def _in_language(text: str) -> str:
    return "\n\n".join(map(_paragraph, inspect.cleandoc(text).split("\n\n")))


def _paragraph(text: str) -> str:
    if "\b" not in text:
        return _broken(locale.translated(_one_line(text)))
    return "".join(_broken(locale.translated(cell)) if _is_prose(cell) else _kept(cell) for cell in _CELL.split(text))


def _kept(text: str) -> str:
    """Return a text whose spaces stay as they are."""
    return re.sub(f"({_WIDE}) ", rf"\1{_BLANK}", text)


def _broken(text: str) -> str:
    """
    Return a text whose lines may be broken after Japanese characters.

    A space behind such a character makes its two columns. `Formatter` takes it out again.
    """
    return re.sub(f"({_WIDE})(?=(.?))", _filled, _kept(text))


def _filled(found: re.Match[str]) -> str:
    character, following = found.groups()
    is_firm = character in _NOT_LAST or (following and following in _NOT_FIRST)
    return character + (_FIRM if is_firm else " ")
