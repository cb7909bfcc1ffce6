"""
Loading of a folder of photos into the table `MeetUp2025.FishImage`: the work of `LoadImages`.

Its steps are public, because `loading.ray` runs the same steps on many machines.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import astuple, dataclass, field, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from meetup2025 import images
from meetup2025.errors import DataError, Error, shown
from meetup2025.files import open_below
from meetup2025.loading.folders import Skipped, photo_files
from meetup2025.loading.names import progress
from meetup2025.loading.records import LONGEST_FILE_NAME, LONGEST_LABEL
from meetup2025.loading.rows import StoredImage
from meetup2025.loading.spelling import check_text, composed, folded, normal
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
"""Photos that are open at once: the largest ones need a gigabyte."""

_INSERT = """
INSERT INTO MeetUp2025.FishImage (Name, Label, Source, Hash, Model, Features)
VALUES (?, ?, ?, ?, ?, TO_VECTOR(?, DOUBLE))"""
UPDATE_IMAGE = """
UPDATE MeetUp2025.FishImage SET Label = ?, Source = ?, Hash = ?, Model = ?, Features = TO_VECTOR(?, DOUBLE)
WHERE Name = ?"""
_UPDATE_WORDS = "UPDATE MeetUp2025.FishImage SET Label = ?, Source = ? WHERE Name = ?"
_DELETE_THUMBNAIL = "DELETE FROM MeetUp2025.Thumbnail WHERE Name = ?"
_INSERT_THUMBNAIL = "INSERT INTO MeetUp2025.Thumbnail (Name, Picture, Look) VALUES (?, ?, ?)"
_INSERT_SKIPPED = "INSERT INTO MeetUp2025.SkippedImage (Name, Reason) VALUES (?, ?)"


@dataclass(frozen=True)
class Photo:
    """A file of the folder, and the texts for its row."""

    path: Path
    name: str
    label: str
    source: str


@dataclass(frozen=True)
class Opened:
    """A new or changed photo: its new row, and the picture for its vector."""

    row: StoredImage
    picture: Image


@dataclass
class Changes:
    """The changes that a load will write."""

    skipped: list[Skipped]
    rows: list[tuple[Any, ...]] = field(default_factory=list)  # a row and its vector
    words: list[StoredImage] = field(default_factory=list)  # rows that keep their vectors
    thumbnails: dict[str, tuple[str, str]] = field(default_factory=dict)  # with hashes, by name of the row

    def add(self, results: Sequence[Opened | Skipped | StoredImage | None], encoder: Encoder) -> None:
        """Add the results of some photos, and make their vectors."""
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
    Load the photos of a folder: `MeetUp2025.LoadImages`.

    Args:
        connection: An open connection. The load is one transaction, which begins after all vectors are made.
        folder: The folder. Subfolders are read too. Links to folders and hidden files are skipped.
        encoder: Makes the vectors of new and changed photos.

    Returns:
        Number of rows added or changed. `MeetUp2025.SkippedImage` has the files that were left out, with the reasons.

    Raises:
        InvalidFileError: The file `labels.csv` of the folder breaks a rule.
        ModelMismatchError: Photos that the folder does not replace have vectors of another model, or a photo that it
            replaces has a vector that could not be made again.
    """
    stored = stored_images(connection)
    files, skipped = find_photos(folder, names_of_fish(connection))
    check_models("FishImage", encoder.model, models_left(stored, files))
    check_imported(encoder.model, stored, files)
    changes, context = Changes(skipped), copy_context()  # the allowed folders are a setting of the context

    def opened(file: Photo) -> Opened | Skipped | StoredImage | None:
        return context.copy().run(open_photo, file, stored.get(folded(file.name)), encoder)

    with ThreadPoolExecutor(_THREADS) as threads:
        for batch in progress(batches(files.values(), _BATCH), "photos", len(files)):
            changes.add(list(threads.map(opened, batch)), encoder)
    # Once more: a photo that is broken by now keeps its old vector.
    check_models("FishImage", encoder.model, models_left(stored, {folded(row[0]) for row in changes.rows}))
    with connection.transaction(), connection.cursor() as cursor:
        write_skipped(cursor, changes.skipped)
        write_rows(cursor, changes, stored)
    return len(changes.rows) + len(changes.words)


def add_image(connection: Connection, name: str, data: bytes, label: str, encoder: Encoder) -> int:
    """
    Load one photo: `MeetUp2025.AddImage`.

    Args:
        connection: An open connection. The change is one transaction.
        name: Name of the photo, the key of the table.
        data: Bytes of the file.
        label: Any name of the fish on the photo. Empty takes the fish in the name of the photo, or the present label.
        encoder: Makes the vector.

    Returns:
        1, or 0 where the row was right already.

    Raises:
        DataError: The table cannot hold the name.
        UnreadableImageError: The file is not a picture, or it is broken.
        ModelMismatchError: The other photos have vectors of another model.
    """
    name = composed(name.strip())
    check_text("The name of a photo", name, LONGEST_FILE_NAME)
    if not name:
        raise DataError("A photo must have a name, which is its key. Got an empty one.")
    with connection.cursor() as cursor:
        stored = rows_of_images(cursor, [name])
    before = stored.get(folded(name))
    _check_other_photos(connection, encoder.model, before)
    check_imported(encoder.model, stored, stored)
    found = _label(name, normal(label), names_of_fish(connection)) or (before.label if before else "")
    row = StoredImage(before.name if before else name, found, "", digest(data), encoder.model)
    if before and replace(before, source="") == row:
        return 0
    changes = Changes([])
    changes.add([Opened(row, images.open_picture(data, longest=encoder.picture_size))], encoder)
    with connection.transaction(), connection.cursor() as cursor:
        write_rows(cursor, changes, stored)
    return 1


def label_image(connection: Connection, name: str, label: str) -> int:
    """
    Change the label of a photo: `MeetUp2025.LabelImage`.

    Args:
        connection: An open connection.
        name: Key of the photo.
        label: Any name of the fish on the photo. Empty takes the label away.

    Returns:
        1, or 0 where the label was right already.

    Raises:
        DataError: There is no photo of this name, or the label is too long.
    """
    check_text("The label of a photo", label, LONGEST_LABEL)
    with connection.cursor() as cursor:
        stored = rows_of_images(cursor, [composed(name.strip())]).get(folded(composed(name.strip())))
        if stored is None:
            raise DataError(f"A photo must exist to get a label. Got {shown(name)}.")
        found = _label("", normal(label), names_of_fish(connection))
        if found == (stored.label or ""):
            return 0
        with connection.transaction():
            cursor.execute("UPDATE MeetUp2025.FishImage SET Label = ? WHERE Name = ?", [found or None, stored.name])
    return 1


def _check_other_photos(connection: Connection, model: str, replaced: StoredImage | None) -> None:
    """Check that all photos but one are of a model. Their counts suffice, because there may be millions of rows."""
    others = Counter(models_of(connection, "FishImage")) - Counter([replaced.model] if replaced else [])
    check_models("FishImage", model, others)


def check_imported(model: str, stored: Mapping[str, StoredImage], names: Iterable[str]) -> None:
    """Refuse to replace vectors of names, `folded`, that no picture made and that could not be made again."""
    imported = [stored[name].model for name in names if name in stored and not stored[name].hash]
    check_lost("FishImage", model, imported)


def write_rows(cursor: Cursor, changes: Changes, stored: Mapping[str, StoredImage]) -> None:
    """Write the rows of a load. *stored* are the rows of the table by name, `folded`."""
    insert_or_update(cursor, _INSERT, UPDATE_IMAGE, changes.rows, stored)
    run_many(cursor, _UPDATE_WORDS, [(each.label, each.source, each.name) for each in changes.words])
    names = [row[0] for row in changes.rows]
    run_many(cursor, _DELETE_THUMBNAIL, [(name,) for name in names])
    run_many(cursor, _INSERT_THUMBNAIL, [(name, *changes.thumbnails[name]) for name in names])


def write_skipped(cursor: Cursor, skipped: Sequence[Skipped]) -> None:
    """Replace the list of skipped files by the list of this load."""
    cursor.execute("DELETE FROM MeetUp2025.SkippedImage")
    run_many(cursor, _INSERT_SKIPPED, [(_text(each.name, 500), _text(each.reason, 1000)) for each in skipped])


def _text(text: str, longest: int) -> str:
    """Return a text that a column can hold: bytes of a file name that are not UTF-8 become escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")[:longest]


def find_photos(folder: Path, fish: Mapping[str, str]) -> tuple[dict[str, Photo], list[Skipped]]:
    """Find the photos by name, `folded`. Their labels are names of the catalogue."""
    found, skipped = photo_files(folder, open_below)
    source = _text(str(folder), 500)
    return {
        folded(each.name): Photo(each.path, each.name, _label(each.name, each.label, fish), source) for each in found
    }, skipped


def open_photo(file: Photo, before: StoredImage | None, encoder: Encoder) -> Opened | Skipped | StoredImage | None:
    """Open a photo. Return None where its row *before* is right, or the new row where only the vector is right."""
    try:
        check_text("The file name", file.name, LONGEST_FILE_NAME)
        data = images.read_picture(file.path)
        row = StoredImage(file.name, file.label, file.source, digest(data), encoder.model)
        if before is not None:
            # A label that somebody set stays where the file has no label.
            row = replace(row, name=before.name, label=row.label or before.label)
            if before.source != row.source and before.hash not in ("", row.hash):
                reason = f"Another photo of this name is there from {before.source}. Load a folder above both."
                return Skipped(file.name, reason)
            if (row.hash, row.model) == (before.hash, before.model):
                return None if row == before else row
        return Opened(row, images.open_picture(data, longest=encoder.picture_size))
    except (Error, OSError) as error:
        return Skipped(file.name, str(error))


def digest(data: bytes) -> str:
    """Return the hash of a file, as in the column Hash."""
    return hashlib.sha256(data).hexdigest()


def _label(name: str, given: str, fish: Mapping[str, str]) -> str:
    """
    Return the given label, or the species in the name of a file or folder.

    Such names are `マアジ_2.jpg`, `マアジ/1.jpg`, and `マアジ 一.jpg` with a blank of any width.
    """
    if given:
        return fish.get(folded(given), given)
    path = PurePosixPath(name)
    stem = normal(path.stem)
    first = re.split(r"[\s_(]", stem, maxsplit=1)[0]
    candidates = (stem, stem.strip("0123456789 _-()."), *map(normal, reversed(path.parent.parts)), first)
    return next((fish[folded(each)] for each in candidates if folded(each) in fish), "")
