"""
The recipes: models that `meetup2025 model install` knows by a short name (`recipes.json`).

A recipe pins what is known of the published files: the commit, and the size and SHA-256 of the large files. What is not
pinned is recorded when the model is installed.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = Path(__file__).with_name("recipes.json")

DEFAULT = "clip-multilingual"
"""The recipe for photographs and Japanese names, without torch."""


@dataclass(frozen=True)
class Pinned:
    """What a published file must be: its size in bytes if that is known, and its SHA-256 or the beginning of it."""

    bytes: int | None
    sha256: str


@dataclass(frozen=True)
class Source:
    """
    Where the files of one half of a model are published.

    Attributes:
        repository: Repository of the Hugging Face Hub, or a folder.
        revision: Commit, branch or tag. None means `main`.
        files: Path in the repository -> what the file must be.
        original: Repository of the model for transformers from which the files were made, if it is known.
    """

    repository: str
    revision: str | None = None
    files: Mapping[str, Pinned] = field(default_factory=dict)
    original: str = ""


@dataclass(frozen=True)
class Recipe:
    """
    A model that is known by a short name.

    Attributes:
        name: The short name, and the id of the model here.
        description: A sentence for people.
        licence: Licence of its files.
        languages: Languages of its texts, of those that a catalogue may have.
        numbers: Length of its vectors as published.
        bytes: Size of the download, if it is known.
        image: Where its picture half is, in ONNX.
        text: Where its text half is, in ONNX.
        published: Repository of a model that is exported with the extra `[clip]` instead, or empty.
    """

    name: str
    description: str
    licence: str
    languages: tuple[str, ...]
    numbers: int
    bytes: int | None
    image: Source | None = None
    text: Source | None = None
    published: str = ""

    @property
    def size(self) -> str:
        """Size of the download, for people."""
        return f"{self.bytes / 1e6:.0f} MB" if self.bytes else "unknown"


def read(file: Path = FILE) -> dict[str, Recipe]:
    """Return the recipes of a file, by name."""
    return {name: _recipe(name, data) for name, data in json.loads(file.read_text("utf-8")).items()}


@functools.cache
def known() -> dict[str, Recipe]:
    """Return the recipes of the package, by name."""
    return read()


def _recipe(name: str, data: Mapping[str, Any]) -> Recipe:
    halves = {half: _source(data[half]) for half in ("image", "text") if half in data}
    return Recipe(**{**data, **halves, "name": name, "languages": tuple(data["languages"])})


def _source(data: Mapping[str, Any]) -> Source:
    return Source(**{**data, "files": {path: Pinned(**each) for path, each in data["files"].items()}})
