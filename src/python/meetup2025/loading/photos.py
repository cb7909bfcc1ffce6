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
from dataclasses import astuple, dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from meetup2025 import images
from meetup2025.errors import DataError, Error, shown
from meetup2025.files import open_below
from meetup2025.loading.collection import Collection
from meetup2025.loading.folders import Skipped, photo_files
from meetup2025.loading.names import progress
from meetup2025.loading.records import LONGEST_FILE_NAME, LONGEST_LABEL
from meetup2025.loading.rows import StoredImage
from meetup2025.loading.spelling import check_text, composed, folded, normal
from meetup2025.loading.tables import (
    batches,
    check_lost,
    check_models,
    models_left,
    models_of,
    names_of_fish,
    rows_of_images,
    run_many,
    stored_images,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from PIL.Image import Image

    from meetup2025.embedding import Encoder
    from meetup2025.engines import Connection, Cursor

_BATCH = 32

_THREADS = 2
"""Photos that are open at once: the largest ones need a gigabyte."""

INSERT_IMAGE = """
INSERT INTO MeetUp2025.FishImage (Name, Label, Source, Hash, Model, Features)
VALUES (?, ?, ?, ?, ?, TO_VECTOR(?, DOUBLE))"""
UPDATE_IMAGE = """
UPDATE MeetUp2025.FishImage SET Label = ?, Source = ?, Hash = ?, Model = ?, Features = TO_VECTOR(?, DOUBLE)
WHERE Name = ?"""
UPDATE_LABEL = "UPDATE MeetUp2025.FishImage SET Label = ? WHERE Name = ?"
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

    def row(self, digest: str = "", model: str = "") -> StoredImage:
        """Return the row of the file, as if it were the only file of its name."""
        return StoredImage(self.name, self.label, self.source, digest, model)


@dataclass(frozen=True)
class Opened:
    """A new or changed photo: its new row, and the picture for its vector."""

    row: StoredImage
    picture: Image


@dataclass
class Changes:
    """The changes that some files make."""

    skipped: list[Skipped]
    rows: list[tuple[Any, ...]] = field(default_factory=list)  # a row and its vector
    words: list[StoredImage] = field(default_factory=list)  # rows that keep their vectors
    thumbnails: dict[str, tuple[str, str]] = field(default_factory=dict)  # with hashes, by the hash of the file
    replaced: list[tuple[Any, ...]] = field(default_factory=list)  # rows of the table that get another vector

    def add(self, results: Sequence[Opened | Skipped | StoredImage], encoder: Encoder) -> None:
        """Add the results of some photos, and make their vectors."""
        self.skipped += [each for each in results if isinstance(each, Skipped)]
        self.words += [each for each in results if isinstance(each, StoredImage)]
        opened = [each for each in results if isinstance(each, Opened)]
        pictures = {each.row.hash: each.picture for each in opened}
        if opened:
            made = dict(zip(pictures, encoder.images([*pictures.values()]), strict=True))
            self.rows += [(*astuple(each.row), made[each.row.hash]) for each in opened]
            self.thumbnails |= {
                key: (images.thumbnail(picture), images.look(picture)) for key, picture in pictures.items()
            }

    def __add__(self, other: Changes) -> Changes:
        """Return both changes."""
        return Changes(
            self.skipped + other.skipped,
            self.rows + other.rows,
            self.words + other.words,
            self.thumbnails | other.thumbnails,
            self.replaced + other.replaced,
        )

    @property
    def count(self) -> int:
        """Number of rows that change."""
        return len(self.rows) + len(self.words) + len(self.replaced)


class Placing:
    """
    The files of a load on their way to the rows of a collection.

    Args:
        collection: The rows of the table.
    """

    def __init__(self, collection: Collection) -> None:
        self.collection = collection
        self._waiting: dict[str, tuple[Any, ...]] = {}
        self._thumbnails: dict[str, tuple[str, str]] = {}

    def place(self, found: Changes, *, last: bool = False) -> Changes:
        """
        Return the changes of the table, from the changes that files make.

        A new content at the path of a known one waits for the *last* changes, because the known one may have moved.
        """
        changes = Changes(list(found.skipped), thumbnails=found.thumbnails)
        files = [(row, None) for row in found.words] + [(StoredImage(*row[:-1]), row[-1]) for row in found.rows]
        for file, vector in files:
            self._place(file, vector, changes, last=last)
        return changes

    def waiting(self) -> Changes:
        """Return the changes that wait for the end."""
        return Changes([], rows=[*self._waiting.values()], thumbnails=self._thumbnails)

    def _place(self, file: StoredImage, vector: Any, changes: Changes, *, last: bool) -> None:
        try:
            placed = self.collection.place(file, last=last)
        except DataError as error:
            changes.skipped.append(Skipped(file.name, str(error)))
            return
        if placed is None:
            self._waiting[file.name] = (*astuple(file), vector)
            self._thumbnails[file.hash] = changes.thumbnails[file.hash]
        elif placed.before is None:
            changes.rows.append((*astuple(placed.row), vector))
        elif (placed.before.hash, placed.before.model) != (placed.row.hash, placed.row.model):
            changes.replaced.append((*astuple(placed.row), vector))
        elif placed.row != placed.before:
            changes.words.append(placed.row)


def load_images(connection: Connection, folder: Path, encoder: Encoder, prefix: str = "") -> int:
    """
    Load the photos of a folder: `MeetUp2025.LoadImages`.

    Args:
        connection: An open connection. Every few photos are a transaction. Where vectors of another model are replaced,
            the whole load is one, because the table holds vectors of one model.
        folder: The folder. Subfolders are read too. Links to folders and hidden files are skipped.
        encoder: Makes the vectors of new and changed photos.
        prefix: First part of the names of new photos.

    Returns:
        Number of rows added or changed. `MeetUp2025.SkippedImage` has the files that were left out, with the reasons.

    Raises:
        DataError: The table cannot hold the prefix.
        InvalidFileError: The file `labels.csv` of the folder breaks a rule.
        ModelMismatchError: Photos that the folder does not replace have vectors of another model, or a photo that it
            replaces has a vector that could not be made again.
    """
    prefix = checked_prefix(prefix)
    placing = Placing(Collection(stored_images(connection), prefix))
    files, skipped = find_photos(folder, names_of_fish(connection), prefix)
    check_covered(encoder.model, placing.collection, files)
    models = {row.model for row in placing.collection.names.values()} - {"", encoder.model}
    write = _whole if models else _in_portions
    return write(connection, encoder, placing, skipped, _found(files, placing.collection, encoder))


def _found(files: Sequence[Photo], collection: Collection, encoder: Encoder) -> Iterator[Changes]:
    """Open and embed the files, a few at a time."""
    context = copy_context()  # the allowed folders are a setting of the context

    def opened(file: Photo) -> Opened | Skipped | StoredImage:
        return context.copy().run(open_photo, file, collection.contents, encoder)

    with ThreadPoolExecutor(_THREADS) as threads:
        for batch in progress(batches(files, _BATCH), "photos", len(files)):
            changes = Changes([])
            changes.add(list(threads.map(opened, batch)), encoder)
            yield changes


def _in_portions(
    connection: Connection, _: Encoder, placing: Placing, skipped: list[Skipped], found: Iterable[Changes]
) -> int:
    with connection.transaction(), connection.cursor() as cursor:
        forget_skipped(cursor)
        write_skipped(cursor, skipped)
    changed = sum(_written(connection, placing.place(changes)) for changes in found)
    return changed + _written(connection, placing.place(placing.waiting(), last=True))


def _written(connection: Connection, changes: Changes) -> int:
    with connection.transaction(), connection.cursor() as cursor:
        write_skipped(cursor, changes.skipped)
        write_rows(cursor, changes)
    return changes.count


def _whole(
    connection: Connection, encoder: Encoder, placing: Placing, skipped: list[Skipped], found: Iterable[Changes]
) -> int:
    changes = sum(map(placing.place, found), Changes(skipped)) + placing.place(placing.waiting(), last=True)
    # Once more: a photo that is broken by now keeps its old vector.
    check_models("FishImage", encoder.model, [row.model for row in placing.collection.names.values()])
    with connection.transaction():
        with connection.cursor() as cursor:
            forget_skipped(cursor)
        return _written(connection, changes)


def add_image(  # noqa: PLR0913, PLR0917 - one for each argument of SQL
    connection: Connection, name: str, data: bytes, label: str, encoder: Encoder, source: str = ""
) -> int:
    """
    Load one photo: `MeetUp2025.AddImage`.

    Args:
        connection: An open connection. The change is one transaction.
        name: Name of the photo, the key of the table.
        data: Bytes of the file.
        label: Any name of the fish on the photo. Empty takes the fish in the name of the photo, or the present label.
        encoder: Makes the vector.
        source: Folder from which the photo comes. Empty keeps the present one.

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
    _check_label(label)
    with connection.cursor() as cursor:
        stored = rows_of_images(cursor, [name])
    before = stored.get(folded(name))
    _check_other_photos(connection, encoder.model, before)
    check_imported(encoder.model, stored, stored)
    found = _label(name, normal(label), names_of_fish(connection)) or (before.label if before else "")
    source = _text(source, 500) or (before.source if before else "")
    row = StoredImage(before.name if before else name, found, source, digest(data), encoder.model)
    if before == row:
        return 0
    changes = Changes([])
    changes.add([Opened(row, images.open_picture(data, longest=encoder.picture_size))], encoder)
    if before:
        changes.rows, changes.replaced = [], changes.rows
    with connection.transaction(), connection.cursor() as cursor:
        write_rows(cursor, changes)
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
    _check_label(label)
    key = composed(name.strip())
    with connection.cursor() as cursor:
        stored = rows_of_images(cursor, [key]).get(folded(key))
        if stored is None:
            raise DataError(f"A photo must exist to get a label. Got {shown(name)}.")
        found = _label("", normal(label), names_of_fish(connection))
        if found == (stored.label or ""):
            return 0
        with connection.transaction():
            cursor.execute(UPDATE_LABEL, [found or None, stored.name])
    return 1


def _check_label(label: str) -> None:
    check_text("The label of a photo", label, LONGEST_LABEL)
    if label and not normal(label):
        raise DataError(f"A label must have a visible character, or be empty. Got {shown(label)}.")


def _check_other_photos(connection: Connection, model: str, replaced: StoredImage | None) -> None:
    """Check that all photos but one are of a model. Their counts suffice, because there may be millions of rows."""
    others = Counter(models_of(connection, "FishImage")) - Counter([replaced.model] if replaced else [])
    check_models("FishImage", model, others)


def check_imported(model: str, stored: Mapping[str, StoredImage], names: Iterable[str]) -> None:
    """Refuse to replace vectors of names, `folded`, that no picture made and that could not be made again."""
    imported = [stored[name].model for name in names if name in stored and not stored[name].hash]
    check_lost("FishImage", model, imported)


def check_covered(model: str, collection: Collection, files: Sequence[Photo]) -> None:
    """Check before a load that one model remains, and that no vector is replaced that could not be made again."""
    covered = collection.covered([each.row() for each in files])
    check_models("FishImage", model, models_left(collection.names, covered))
    check_imported(model, collection.names, covered)


def write_rows(cursor: Cursor, changes: Changes) -> None:
    """Write the rows of a load."""
    run_many(cursor, INSERT_IMAGE, changes.rows)
    run_many(cursor, UPDATE_IMAGE, [(*row[1:], row[0]) for row in changes.replaced])
    run_many(cursor, _UPDATE_WORDS, [(each.label, each.source, each.name) for each in changes.words])
    run_many(cursor, _DELETE_THUMBNAIL, [(row[0],) for row in changes.replaced])
    pictures = [(row[0], *changes.thumbnails[row[3]]) for row in changes.rows + changes.replaced]
    run_many(cursor, _INSERT_THUMBNAIL, pictures)


def forget_skipped(cursor: Cursor) -> None:
    """Empty the list of skipped files, for the list of a new load."""
    cursor.execute("DELETE FROM MeetUp2025.SkippedImage")


def write_skipped(cursor: Cursor, skipped: Sequence[Skipped]) -> None:
    """Add files to the list of skipped files."""
    run_many(cursor, _INSERT_SKIPPED, [(_text(each.name, 500), _text(each.reason, 1000)) for each in skipped])


def _text(text: str, longest: int) -> str:
    """Return a text that a column can hold: bytes of a file name that are not UTF-8 become escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")[:longest]


def checked_prefix(prefix: str) -> str:
    """
    Return the prefix of names as it is written, without slashes around it.

    Raises:
        DataError: A name cannot begin with it.
    """
    written = composed(prefix.strip().strip("/"))
    return check_text("A prefix", written, LONGEST_FILE_NAME // 2)


def find_photos(folder: Path, fish: Mapping[str, str], prefix: str = "") -> tuple[list[Photo], list[Skipped]]:
    """Find the photos by name. Their labels are names of the catalogue. *prefix* is that of their rows."""
    found, skipped = photo_files(folder, open_below)
    source = _text(str(folder), 500)
    start = f"{prefix}/" if prefix else ""
    return [Photo(each.path, start + each.name, _label(each.name, each.label, fish), source) for each in found], skipped


def open_photo(file: Photo, known: Mapping[str, StoredImage], encoder: Encoder) -> Opened | Skipped | StoredImage:
    """Open a photo. Return its row alone where a row that is *known* by its content has the vector."""
    try:
        check_text("The file name", file.name, LONGEST_FILE_NAME)
        data = images.read_picture(file.path)
        row = file.row(digest(data), encoder.model)
        before = known.get(row.hash)
        if before and before.model == row.model:
            return row
        return Opened(row, images.open_picture(data, longest=encoder.picture_size))
    except (Error, OSError) as error:
        return Skipped(file.name, str(error))


def digest(data: bytes) -> str:
    """Return the identity of a file's content: SHA-256 in hexadecimal."""
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
    words = stem.replace("_", " ")  # Scomber_japonicus_2.jpg
    bare = [each.strip("0123456789 _-().") for each in (stem, words)]
    first = re.split(r"[\s_(]", stem, maxsplit=1)[0]
    candidates = (stem, *bare, *map(normal, reversed(path.parent.parts)), first)
    return next((fish[folded(each)] for each in candidates if folded(each) in fish), "")
