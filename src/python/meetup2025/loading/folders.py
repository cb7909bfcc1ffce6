"""The photos of a folder: their files, their names, and their labels in `labels.csv`."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from meetup2025.loading.records import read_labels
from meetup2025.loading.spelling import composed, folded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

SUFFIXES = frozenset({".bmp", ".gif", ".heic", ".heif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
"""Endings of the files that count as photos."""

LABELS = "labels.csv"
"""File of the folder with the fish on each photo, for photos whose file names do not say it."""


@dataclass(frozen=True)
class PhotoFile:
    """A photo: its file, its name below the folder, and its label in `labels.csv`, or an empty label."""

    path: Path
    name: str
    label: str


@dataclass(frozen=True)
class Skipped:
    """A file that is left out, and the reason."""

    name: str
    reason: str


_SETTLED = 2.0
"""Seconds without a change after which a file is taken for written."""


def is_settled(path: Path) -> bool:
    """Check whether a file was last written some seconds ago. A time of the future is that of a clock set back."""
    try:
        age = time.time() - path.stat().st_mtime
    except OSError:
        return False
    return not 0 <= age < _SETTLED


def photo_files(
    folder: Path, open_file: Callable[[Path], AbstractContextManager[BinaryIO]]
) -> tuple[list[PhotoFile], list[Skipped]]:
    """
    Find the photos of a folder and its subfolders, in the order of their names, and the files that are left out.

    Args:
        folder: The folder. Links to folders and hidden files are skipped.
        open_file: Opens the file of the labels.

    Raises:
        InvalidFileError: The file `labels.csv` of the folder breaks a rule.
    """
    written = _labels(folder, open_file)
    labels = {folded(name): label for name, label in written.items()}
    paths, skipped = photo_paths(folder)
    files: dict[str, PhotoFile] = {}
    for path in sorted(paths, key=lambda path: (_name(path, folder), path)):
        name = _name(path, folder)
        file = PhotoFile(path, name, labels.get(folded(name), ""))
        first = files.setdefault(folded(name), file)
        if first is not file:
            skipped.append(Skipped(name, f"A file name must occur once. {first.name} differs only in case."))
    reason = f"{LABELS} names it, but the folder has no such photo. Correct the name, or remove the line."
    skipped += [Skipped(name, reason) for name in written if folded(name) not in files]
    if not paths and not skipped:
        skipped.append(Skipped(folder.name or str(folder), _NO_PHOTOS))
    return list(files.values()), skipped


_NO_PHOTOS = "A folder to load must have photos. Got none; check its path, and whether its drive is mounted."


def _labels(folder: Path, open_file: Callable[[Path], AbstractContextManager[BinaryIO]]) -> Mapping[str, str]:
    path = folder / LABELS
    if not path.is_file():
        return {}
    with open_file(path) as file:
        return read_labels(file, str(path))


def photo_paths(folder: Path) -> tuple[list[Path], list[Skipped]]:
    """Find the files that count as photos in a folder and its subfolders, and what is left out."""
    paths: list[Path] = []
    skipped: list[Skipped] = []

    def leave_out(error: OSError) -> None:
        skipped.append(Skipped(_name(Path(error.filename), folder), f"The folder cannot be read: {error.strerror}."))

    for parent, folders, names in os.walk(folder, onerror=leave_out):
        folders[:] = [name for name in folders if not name.startswith(".")]
        links = [path for name in folders if (path := Path(parent, name)).is_symlink()]
        reason = "A link to a folder is not followed. Load that folder by its own path."
        skipped += [Skipped(_name(path, folder), reason) for path in links]
        paths += [Path(parent, name) for name in names if is_photo(name)]
    return paths, skipped


def is_photo(name: str) -> bool:
    """Check whether a file counts as a photo by its name. Hidden files do not."""
    return not name.startswith(".") and PurePosixPath(name).suffix.lower() in SUFFIXES


def _name(path: Path, folder: Path) -> str:
    return composed(path.relative_to(folder).as_posix())
