"""
The collection of photos: which row a file belongs to, and the name of a new row.

A photo is known by its content. So a folder, the folder above it, and the same folder again give one row for a photo,
and a file that was moved or renamed keeps its row. A file whose content is new belongs to the row of its path, where
the content of that row is gone. Otherwise it gets a row of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from meetup2025.errors import DataError
from meetup2025.loading.records import LONGEST_FILE_NAME
from meetup2025.loading.spelling import check_text, folded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from meetup2025.loading.rows import StoredImage


@dataclass(frozen=True)
class Placed:
    """A row that a file should have, and the row of the table that it changes, or None for a new row."""

    row: StoredImage
    before: StoredImage | None


class Collection:
    """
    The rows of `MeetUp2025.FishImage` without their vectors, as a load finds and changes them.

    Args:
        rows: The rows of the table by name, `folded`.
        prefix: First part of the names of new rows, or an empty text.
    """

    def __init__(self, rows: Mapping[str, StoredImage], prefix: str = "") -> None:
        self._prefix = prefix
        self._seen: set[str] = set()
        self._labelled: dict[str, str] = {}  # content -> the file that labels it
        self.reread(rows)

    def reread(self, rows: Mapping[str, StoredImage]) -> None:
        """Take the rows that the table has now, as after a change by another program."""
        self.names = dict(rows)
        self.contents: dict[str, StoredImage] = {}
        self._paths: dict[str, str] = {}
        for row in rows.values():
            self._keep(row)

    def covered(self, files: Iterable[StoredImage]) -> set[str]:
        """Return the names, `folded`, of the rows that files belong to by their names or paths."""
        found = (self._paths.get(_path(each, self._prefix), folded(each.name)) for each in files)
        return {name for name in found if name in self.names}

    def likely(self, file: StoredImage) -> StoredImage | None:
        """Return the row of the path or the name of a file, whose content is not known."""
        return self.names.get(self._paths.get(_path(file, self._prefix), folded(file.name)))

    def before(self, file: StoredImage) -> StoredImage | None:
        """Return the row with the content of a file, or None."""
        near = self.likely(file)
        return near if near and near.hash == file.hash else self.contents.get(file.hash)

    def place(self, file: StoredImage, *, last: bool = False) -> Placed | None:
        """
        Return the row that a file should have, and keep it.

        Args:
            file: A row of the name below the folder, and of the label, source and content of the file.
            last: Whether all other files of the load are placed.

        Returns:
            The row. None means to ask again at the end: the content at this path may have moved to a later file.

        Raises:
            DataError: No name is free that the table can hold.
        """
        self._seen.add(file.hash)
        before = self.before(file)
        if before:
            return Placed(self._keep(self._moved(file, before)), before)
        owner = self.names.get(self._paths.get(_path(file, self._prefix), "")) or self._without_picture(file)
        if owner and owner.hash and not last:
            return None
        if owner and owner.hash not in self._seen:
            self.contents.pop(owner.hash, None)
            row = replace(file, name=owner.name, label=self._label(file, owner))
            return Placed(self._keep(row), owner)
        self._label(file, file)
        return Placed(self._keep(replace(file, name=self._free(file))), None)

    def _moved(self, file: StoredImage, before: StoredImage) -> StoredImage:
        """Return the row of a known content. Its name stays, because results of analyses refer to it."""
        keeps_name = folded(file.name) == folded(before.name)
        source = file.source if keeps_name else before.source
        return replace(file, name=before.name, label=self._label(file, before), source=source)

    def _label(self, file: StoredImage, before: StoredImage) -> str:
        """Return the label of the first file of the load that has one. Without one, the present label stays."""
        if not file.label or self._labelled.setdefault(file.hash, file.name) != file.name:
            return before.label
        return file.label

    def _without_picture(self, file: StoredImage) -> StoredImage | None:
        """Return the row of this name whose vector came without a picture."""
        row = self.names.get(folded(file.name))
        return row if row and not row.hash else None

    def _free(self, file: StoredImage) -> str:
        """Return the name of a file, with as many folders before it as make it unique."""
        names = list(_longer_names(file, self._prefix))
        name = next((each for each in names if folded(each) not in self.names), "")
        if not name:
            raise DataError(f"A photo must have a name of its own. Got {names[-1]}, which is taken; give a prefix.")
        return check_text("The file name", name, LONGEST_FILE_NAME)

    def _keep(self, row: StoredImage) -> StoredImage:
        self.names[folded(row.name)] = row
        if row.hash:
            self.contents.setdefault(row.hash, row)
            if folded(self.contents[row.hash].name) == folded(row.name):
                self.contents[row.hash] = row
        for path in _paths(row, self._prefix):
            self._paths.setdefault(path, folded(row.name))
        return row


def _longer_names(file: StoredImage, prefix: str) -> Iterator[str]:
    yield file.name
    start = f"{prefix}/" if prefix else ""
    parts = PurePath(file.source).parts[1:]
    for count in range(1, len(parts) + 1):
        yield "/".join((f"{start}{'/'.join(parts[-count:])}", file.name.removeprefix(start)))


def _path(file: StoredImage, prefix: str) -> str:
    """Return the path of a file whose name is below its source, after a prefix."""
    return _joined(file.source, file.name.removeprefix(f"{prefix}/") if prefix else file.name)


def _paths(row: StoredImage, prefix: str) -> Iterator[str]:
    """Yield the paths that the file of a row may have: its name may begin with folders above it, or with a prefix."""
    if not row.source:
        return
    yield _joined(row.source, row.name)
    above, parts = PurePath(row.source).parts, row.name.split("/")
    for count in range(1, len(parts)):
        if above[-count:] == tuple(parts[:count]):
            yield _joined(row.source, "/".join(parts[count:]))
    if prefix and row.name.startswith(f"{prefix}/"):
        yield _path(row, prefix)


def _joined(folder: str, name: str) -> str:
    return folded(f"{PurePath(folder).as_posix()}/{name}")
