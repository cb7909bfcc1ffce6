"""Rows of the two tables of the catalogue, without their vectors."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StoredFish:
    """A row of `MeetUp2025.Fish` without its vector. Empty strings stand for NULL."""

    fish_id: str
    name: str
    kanji: str = ""
    other_names: str = ""
    english: str = ""
    scientific: str = ""
    family: str = ""
    model: str = ""
    prompts: str = ""

    @property
    def key(self) -> str:
        """The key of the row, as the table has it."""
        return self.fish_id


@dataclass(frozen=True)
class StoredImage:
    """A row of `MeetUp2025.FishImage` without its vector. Empty strings stand for NULL."""

    name: str
    label: str
    source: str
    hash: str
    model: str

    @property
    def key(self) -> str:
        """The key of the row, as the table has it."""
        return self.name
