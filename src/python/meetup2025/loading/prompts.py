"""
The prompts of a name: the texts from which its vector is made.

A template puts a name into a text, as `{}の写真` does. The vector of a fish is the mean of the vectors of its prompts.
The template `{}` alone is the bare name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meetup2025.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from meetup2025.loading.rows import StoredFish

MARK = "{}"
"""Place of the name in a template."""

COLUMNS = {
    "Name": "name", "Kanji": "kanji", "OtherNames": "other_names", "English": "english", "Scientific": "scientific",
}  # fmt: skip
"""Columns of `MeetUp2025.Fish` with names -> their names in Python."""

LONGEST = 100
"""Most characters of a template. With a name in it, it fits the column Text of `MeetUp2025.Prompt`."""

LONGEST_RECORD = 4000
"""Most characters of the templates of a row: the length of the column Prompts of `MeetUp2025.Fish`."""


@dataclass(frozen=True, order=True)
class Template:
    """A text with a place for a name, and the column of the name."""

    column: str
    text: str


BARE = frozenset({Template("Name", MARK)})
"""The template of the bare name."""

ENGLISH = frozenset({Template("English", f"a photo of a {MARK}")})
"""The template for a model that knows English alone."""


def fitting(languages: Collection[str]) -> frozenset[Template]:
    """Return the templates for a model of some languages, if none are chosen. No languages means unknown ones."""
    return ENGLISH if "en" in languages and "ja" not in languages else BARE


def refitted(text: str, languages: Collection[str]) -> str:
    """Return the text of `record` for another model: templates that were chosen stay, those that fitted change."""
    return record(fitting(languages)) if recorded(text) in (BARE, ENGLISH) else text


def record(templates: Iterable[Template]) -> str:
    """Write templates as in the column Prompts: in a fixed order, without repetition. The bare name is empty."""
    chosen = frozenset(templates)
    return "" if chosen == BARE else ";".join(f"{each.column} {each.text}" for each in sorted(chosen))


def recorded(text: str) -> frozenset[Template]:
    """Parse the text of `record`."""
    return frozenset(Template(*each.split(" ", 1)) for each in text.split(";")) if text else BARE


def prompts_of(fish: StoredFish) -> list[str]:
    """
    Return the prompts of a row, without repetition. Their order does not depend on the order of templates or names.
    """
    texts = {
        template.text.replace(MARK, name)
        for template in recorded(fish.prompts)
        for name in _names(template.column, getattr(fish, COLUMNS[template.column]))
    }
    return sorted(texts)


def check_prompts(rows: Iterable[StoredFish]) -> None:
    """
    Check that all rows have a prompt.

    Raises:
        DataError: The columns of the templates are empty in a row.
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
