"""
A folder of photos into the table `MeetUp2025.FishImage`: what `LoadImages` does.

Its steps are public, because `distributed` takes the same ones on many machines.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import astuple, dataclass, field, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from meetup2025 import images
from meetup2025.errors import DataError, Error
from meetup2025.files import open_below
from meetup2025.loading.folders import Skipped, photo_files
from meetup2025.loading.names import progress
from meetup2025.loading.records import LONGEST_FILE_NAME
from meetup2025.loading.rows import StoredImage
from meetup2025.loading.spelling import check_text, composed, normal
from meetup2025.loading.tables import (
    batches,
    check_lost,
    check_models,
    insert_or_update,
    models_left,
    models_of,
    names_of_fish,
    rows_of_images,
    run_many,
    stored_images,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from PIL.Image import Image

    from meetup2025.embedding import Encoder
    from meetup2025.engines import Connection, Cursor

_BATCH = 32

_THREADS = 2
"""Photos opened at once: the worst ones need a gigabyte each."""

_INSERT = """
INSERT INTO MeetUp2025.FishImage (Name, Label, Source, Hash, Model, Features)
VALUES (?, ?, ?, ?, ?, TO_VECTOR(?, DOUBLE))"""
_UPDATE = """
UPDATE MeetUp2025.FishImage SET Label = ?, Source = ?, Hash = ?, Model = ?, Features = TO_VECTOR(?, DOUBLE)
WHERE Name = ?"""
_UPDATE_WORDS = "UPDATE MeetUp2025.FishImage SET Label = ?, Source = ? WHERE Name = ?"
_DELETE_THUMBNAIL = "DELETE FROM MeetUp2025.Thumbnail WHERE Name = ?"
_INSERT_THUMBNAIL = "INSERT INTO MeetUp2025.Thumbnail (Name, Picture, Look) VALUES (?, ?, ?)"
_INSERT_SKIPPED = "INSERT INTO MeetUp2025.SkippedImage (Name, Reason) VALUES (?, ?)"


@dataclass(frozen=True)
class Photo:
    """A file of the folder, and what its row should say of it."""

    path: Path
    name: str
    label: str
    source: str


@dataclass(frozen=True)
class Opened:
    """A new or changed photo: the row that it should have, and what the vector is to be made of."""

    row: StoredImage
    picture: Image


@dataclass
class Changes:
    """What a load will write."""

    skipped: list[Skipped]
    rows: list[tuple[Any, ...]] = field(default_factory=list)  # a row and its vector
    words: list[StoredImage] = field(default_factory=list)  # rows that keep their vectors
    thumbnails: dict[str, tuple[str, str]] = field(default_factory=dict)  # of the rows, with their looks, by name

    def add(self, results: Sequence[Opened | Skipped | StoredImage | None], encoder: Encoder) -> None:
        """Take over what became of some photos, and make the vectors that are needed."""
        self.skipped += [each for each in results if isinstance(each, Skipped)]
        self.words += [each for each in results if isinstance(each, StoredImage)]
        opened = [each for each in results if isinstance(each, Opened)]
        if opened:
            made = encoder.images([each.picture for each in opened])
            self.rows += [(*astuple(each.row), vector) for each, vector in zip(opened, made, strict=True)]
            self.thumbnails |= {
                each.row.name: (images.thumbnail(each.picture), images.look(each.picture)) for each in opened
            }


def load_images(connection: Connection, folder: Path, encoder: Encoder) -> int:
    """
    Load the photos of a folder; see `MeetUp2025.LoadImages`.

    Args:
        connection: An open connection; the load is one transaction of it, begun when all vectors are made.
        folder: The folder; subfolders are read too, but neither links to folders nor anything hidden.
        encoder: Makes the vectors of new and changed photos.

    Returns:
        Number of rows added or changed. The files left out, and why, are in `MeetUp2025.SkippedImage`.

    Raises:
        InvalidFileError: The file `labels.csv` of the folder breaks a rule.
        ModelMismatchError: Photos that the folder does not replace have vectors of another model; or those that it
            replaces have some that could not be made again.
    """
    stored = stored_images(connection)
    files, skipped = find_photos(folder, names_of_fish(connection))
    check_models("FishImage", encoder.model, models_left(stored, files))
    check_imported(encoder.model, stored, files)
    changes, context = Changes(skipped), copy_context()  # which folders may be read is a setting of the context

    def opened(file: Photo) -> Opened | Skipped | StoredImage | None:
        return context.copy().run(open_photo, file, stored.get(file.name.upper()), encoder)

    with ThreadPoolExecutor(_THREADS) as threads:
        for batch in progress(batches(files.values(), _BATCH), "photos", len(files)):
            changes.add(list(threads.map(opened, batch)), encoder)
    # Once more: a photo that is broken by now keeps its old vector.
    check_models("FishImage", encoder.model, models_left(stored, {row[0].upper() for row in changes.rows}))
    with connection.transaction(), connection.cursor() as cursor:
        write_skipped(cursor, changes.skipped)
        write_rows(cursor, changes, stored)
    return len(changes.rows) + len(changes.words)


def add_image(connection: Connection, name: str, data: bytes, label: str, encoder: Encoder) -> int:
    """
    Load one photo; see `MeetUp2025.AddImage`.

    Args:
        connection: An open connection; the change is one transaction of it.
        name: Name of the photo, the key of the table.
        data: Bytes of the file.
        label: Any name of the fish that it shows; empty for what the name of the photo says, or the label before.
        encoder: Makes the vector.

    Returns:
        1, or 0 when the row was as it should be.

    Raises:
        DataError: A name that the table cannot hold.
        UnreadableImageError: Not a picture, or a broken one.
        ModelMismatchError: The other photos have vectors of another model.
    """
    name = composed(name.strip())
    check_text("The name of a photo", name, LONGEST_FILE_NAME)
    if not name:
        raise DataError("A photo must have a name, which is its key. Got an empty one.")
    with connection.cursor() as cursor:
        stored = rows_of_images(cursor, [name])
    before = stored.get(name.upper())
    _check_other_photos(connection, encoder.model, before)
    check_imported(encoder.model, stored, stored)
    found = _label(name, normal(label), names_of_fish(connection)) or (before.label if before else "")
    row = StoredImage(before.name if before else name, found, "", _digest(data), encoder.model)
    if before and replace(before, source="") == row:
        return 0
    changes = Changes([])
    changes.add([Opened(row, images.open_picture(data, longest=encoder.picture_size))], encoder)
    with connection.transaction(), connection.cursor() as cursor:
        write_rows(cursor, changes, stored)
    return 1


def _check_other_photos(connection: Connection, model: str, replaced: StoredImage | None) -> None:
    """Hold all photos but one to a model, by their counts: the rows themselves may be millions."""
    others = Counter(models_of(connection, "FishImage")) - Counter([replaced.model] if replaced else [])
    check_models("FishImage", model, others)


def check_imported(model: str, stored: Mapping[str, StoredImage], names: Iterable[str]) -> None:
    """Refuse to replace vectors of some names, in upper case, that no picture made and that could not be made again."""
    imported = [stored[name].model for name in names if name in stored and not stored[name].hash]
    check_lost("FishImage", model, imported)


def write_rows(cursor: Cursor, changes: Changes, stored: Mapping[str, StoredImage]) -> None:
    """Write the rows of a load; *stored* are those of the table by name in upper case."""
    insert_or_update(cursor, _INSERT, _UPDATE, changes.rows, stored)
    run_many(cursor, _UPDATE_WORDS, [(each.label, each.source, each.name) for each in changes.words])
    names = [row[0] for row in changes.rows]
    run_many(cursor, _DELETE_THUMBNAIL, [(name,) for name in names])
    run_many(cursor, _INSERT_THUMBNAIL, [(name, *changes.thumbnails[name]) for name in names])


def write_skipped(cursor: Cursor, skipped: Sequence[Skipped]) -> None:
    """Make the list of a load the latest."""
    cursor.execute("DELETE FROM MeetUp2025.SkippedImage")
    run_many(cursor, _INSERT_SKIPPED, [(_text(each.name, 500), _text(each.reason, 1000)) for each in skipped])


def _text(text: str, longest: int) -> str:
    """Give a text that a column holds: bytes of a file name that are not UTF-8 become escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")[:longest]


def find_photos(folder: Path, fish: Mapping[str, str]) -> tuple[dict[str, Photo], list[Skipped]]:
    """Find the photos by name in upper case; a label is that of the catalogue."""
    found, skipped = photo_files(folder, open_below)
    source = _text(str(folder), 500)
    return {
        each.name.upper(): Photo(each.path, each.name, _label(each.name, each.label, fish), source) for each in found
    }, skipped


def open_photo(file: Photo, before: StoredImage | None, encoder: Encoder) -> Opened | Skipped | StoredImage | None:
    """Open a photo; None when its row *before* is as it should be, the row itself when only its vector is."""
    try:
        check_text("The file name", file.name, LONGEST_FILE_NAME)
        data = images.read_picture(file.path)
        row = StoredImage(file.name, file.label, file.source, _digest(data), encoder.model)
        if before is not None:
            # A label set by hand stays where the file says none.
            row = replace(row, name=before.name, label=row.label or before.label)
            if before.source != row.source and before.hash not in ("", row.hash):
                reason = f"Another photo of this name is there from {before.source}. Load a folder above both."
                return Skipped(file.name, reason)
            if (row.hash, row.model) == (before.hash, before.model):
                return None if row == before else row
        return Opened(row, images.open_picture(data, longest=encoder.picture_size))
    except (Error, OSError) as error:
        return Skipped(file.name, str(error))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _label(name: str, given: str, fish: Mapping[str, str]) -> str:
    """Take the label given, or the species that a file (`マアジ_2.jpg`) or its folder (`マアジ/1.jpg`) names."""
    if given:
        return fish.get(given.upper(), given)
    path = PurePosixPath(name)
    stem = normal(path.stem)
    candidates = (stem, stem.strip("0123456789 _-()."), *map(normal, reversed(path.parent.parts)))
    return next((fish[each.upper()] for each in candidates if each.upper() in fish), "")
