"""
The texts that the vector of a name is made of: its prompts.

A template puts a name into a text, as `{}の写真` does; the vector of a fish is the mean of those of its prompts. One
template, `{}` for the name, leaves the bare name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meetup2025.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meetup2025.loading.rows import StoredFish

MARK = "{}"
"""Where the name goes."""

COLUMNS = {
    "Name": "name", "Kanji": "kanji", "OtherNames": "other_names", "English": "english", "Scientific": "scientific",
}  # fmt: skip
"""Columns of `MeetUp2025.Fish` that hold names, and what they are called in Python."""

LONGEST = 100
"""Characters of a template: with a name in it, the column Text of `MeetUp2025.Prompt` holds it."""

LONGEST_RECORD = 4000
"""Characters of templates in a row: the length of the column Prompts of `MeetUp2025.Fish`."""


@dataclass(frozen=True, order=True)
class Template:
    """A text with a place for a name, and the column that the name is from."""

    column: str
    text: str


BARE = frozenset({Template("Name", MARK)})
"""The name as it is."""


def record(templates: Iterable[Template]) -> str:
    """Write templates as the column Prompts has them: in one order, each once; the bare name is empty."""
    chosen = frozenset(templates)
    return "" if chosen == BARE else ";".join(f"{each.column} {each.text}" for each in sorted(chosen))


def recorded(text: str) -> frozenset[Template]:
    """Read what `record` wrote."""
    return frozenset(Template(*each.split(" ", 1)) for each in text.split(";")) if text else BARE


def prompts_of(fish: StoredFish) -> list[str]:
    """Give the prompts of a row, each once, in an order that does not depend on that of templates or names."""
    texts = {
        template.text.replace(MARK, name)
        for template in recorded(fish.prompts)
        for name in _names(template.column, getattr(fish, COLUMNS[template.column]))
    }
    return sorted(texts)


def check_prompts(rows: Iterable[StoredFish]) -> None:
    """
    Make sure that each row has a prompt.

    Raises:
        DataError: Its columns of the templates are empty.
    """
    for row in rows:
        if not prompts_of(row):
            raise DataError(
                f"Each name must have a prompt. {row.name} ({row.fish_id}) has none of {row.prompts[:200]}: add a "
                "template for Name, or fill the column."
            )


def _names(column: str, value: str) -> list[str]:
    names = value.split(";") if column == "OtherNames" else [value]
    return [name.strip() for name in names if name.strip()]
