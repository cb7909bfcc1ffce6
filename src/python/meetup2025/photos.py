"""
A folder of photos into the table `MeetUp2025.FishImage`: what `LoadImages` does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from meetup2025 import images
from meetup2025.errors import Error, UnreadableImageError
from meetup2025.loading import batches, progress
from meetup2025.readers import LONGEST_FILE_NAME, normal
from meetup2025.stored import StoredImage, check_models, insert_or_update, names_of_fish, stored_images

if TYPE_CHECKING:
    from PIL.Image import Image

    from meetup2025.embedding import Encoder
    from meetup2025.engines import Connection, Cursor

SUFFIXES = frozenset({".bmp", ".gif", ".heic", ".heif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
"""Files that are taken for photos."""

_BATCH = 32

_INSERT = """
INSERT INTO MeetUp2025.FishImage (Name, Label, Source, Hash, Model, Features)
VALUES (?, ?, ?, ?, ?, TO_VECTOR(?, DOUBLE))"""
_UPDATE = """
UPDATE MeetUp2025.FishImage SET Label = ?, Source = ?, Hash = ?, Model = ?, Features = TO_VECTOR(?, DOUBLE)
WHERE Name = ?"""
_INSERT_SKIPPED = "INSERT INTO MeetUp2025.SkippedImage (Name, Reason) VALUES (?, ?)"


@dataclass(frozen=True)
class _Photo:
    path: Path
    name: str
    label: str
    source: str


@dataclass(frozen=True)
class _Opened:
    photo: _Photo
    hash: str
    picture: Image


@dataclass(frozen=True)
class _Skipped:
    photo: _Photo
    reason: str


def load_images(connection: Connection, folder: Path, encoder: Encoder) -> int:
    """
    Load the photos of a folder; see `MeetUp2025.LoadImages`.

    Args:
        connection: An open connection; the load is one transaction of it.
        folder: The folder; subfolders are read too, hidden files are not.
        encoder: Makes the vectors of new and changed photos.

    Returns:
        Number of rows added or changed. The files left out, and why, are in `MeetUp2025.SkippedImage`.

    Raises:
        ModelMismatchError: Photos that the folder does not replace have vectors of another model.
    """
    stored = stored_images(connection)
    labels = names_of_fish(connection)
    found = [_photo(path, folder, labels) for path in _files(folder)]
    names = {photo.name.upper() for photo in found}
    check_models("FishImage", encoder.model, (row.model for key, row in stored.items() if key not in names))
    changed = 0
    with connection.transaction(), connection.cursor() as cursor, ThreadPoolExecutor() as threads:
        cursor.execute("DELETE FROM MeetUp2025.SkippedImage")
        for batch in progress(batches(found, _BATCH), "photos", len(found)):
            results = list(threads.map(lambda photo: _open(photo, stored, encoder), batch))
            skipped = [each for each in results if isinstance(each, _Skipped)]
            if skipped:
                rows = [(each.photo.name[:500], each.reason[:1000]) for each in skipped]
                cursor.executemany(_INSERT_SKIPPED, rows)
            changed += _write(cursor, [each for each in results if isinstance(each, _Opened)], stored, encoder)
    return changed


def _files(folder: Path) -> list[Path]:
    found = (path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts))


def _photo(path: Path, folder: Path, labels: Mapping[str, str]) -> _Photo:
    name = normal(path.relative_to(folder).as_posix())
    return _Photo(path, name, _label(name, labels), str(folder)[-500:])


def _label(name: str, labels: Mapping[str, str]) -> str:
    """Read the species from the subfolder (`マアジ/001.jpg`) or the file (`マアジ_2.jpg`)."""
    path = Path(name)
    candidates = (path.parent.name, path.stem, path.stem.rstrip("0123456789 _-()"))
    return next((labels[each.upper()] for each in candidates if each.upper() in labels), "")


def _open(photo: _Photo, stored: Mapping[str, StoredImage], encoder: Encoder) -> _Opened | _Skipped | None:
    """Open a photo; None when its row needs no change."""
    try:
        if len(photo.name) > LONGEST_FILE_NAME:
            raise UnreadableImageError(f"A file name must have at most {LONGEST_FILE_NAME} characters.")
        data = images.read_picture(photo.path)
        digest = hashlib.sha256(data).hexdigest()
        row = StoredImage(photo.name, photo.label, photo.source, digest, encoder.model)
        if stored.get(photo.name.upper()) == row:
            return None
        return _Opened(photo, digest, images.open_picture(data, longest=encoder.picture_size))
    except (Error, OSError) as error:
        return _Skipped(photo, str(error))


def _write(cursor: Cursor, opened: Sequence[_Opened], stored: Mapping[str, StoredImage], encoder: Encoder) -> int:
    if opened:
        made = encoder.images([each.picture for each in opened])
        rows = [
            (each.photo.name, each.photo.label, each.photo.source, each.hash, encoder.model, vector)
            for each, vector in zip(opened, made, strict=True)
        ]
        insert_or_update(cursor, _INSERT, _UPDATE, rows, stored)
    return len(opened)
