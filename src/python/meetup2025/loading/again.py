"""Vectors of another model for what the tables hold: the work of `meetup2025 model use NAME --embed`."""

from __future__ import annotations

import contextlib
import unicodedata
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from meetup2025 import images
from meetup2025.files import read_data_url
from meetup2025.loading.names import UPDATE_FISH, made_vectors, progress
from meetup2025.loading.photos import UPDATE_IMAGE, digest
from meetup2025.loading.prompts import check_prompts, refitted
from meetup2025.loading.tables import batches, check_lost, run_many, stored_fish, stored_images

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from PIL.Image import Image

    from meetup2025.embedding import Encoder
    from meetup2025.engines import Connection, Cursor
    from meetup2025.loading.rows import StoredImage

_BATCH = 32


@dataclass(frozen=True)
class Embedded:
    """
    What has vectors of another model now.

    Attributes:
        names: Number of names.
        photos: Number of photos.
        small: Photos whose files are gone or have changed. Their vectors are of their thumbnails.
    """

    names: int
    photos: int
    small: Sequence[str]


def embed_again(connection: Connection, encoder: Encoder) -> Embedded:
    """
    Make the vectors of all names and photos that have a vector of another model.

    Args:
        connection: An open connection. The change is one transaction, which begins after all vectors are made.
        encoder: Makes the vectors.

    Raises:
        DataError: A name has no text for its templates.
        ModelMismatchError: A vector could not be made again, because its model is not installed here.
    """
    fish = [row for row in stored_fish(connection).values() if row.model != encoder.model]
    photos = [row for row in stored_images(connection).values() if row.model != encoder.model]
    check_lost("Fish", encoder.model, [row.model for row in fish])
    check_lost("FishImage", encoder.model, [row.model for row in photos])
    fish = [replace(row, prompts=refitted(row.prompts, encoder.languages)) for row in fish]
    check_prompts(fish)
    of_fish = made_vectors(connection, encoder, fish, keep=False)[0] if fish else []
    of_photos, small = _of_photos(connection, encoder, photos)
    with connection.transaction(), connection.cursor() as cursor:
        rows = [(replace(row, model=encoder.model), vector) for row, vector in zip(fish, of_fish, strict=True)]
        run_many(cursor, UPDATE_FISH, [(*astuple(row)[1:], vector, row.fish_id) for row, vector in rows])
        run_many(cursor, UPDATE_IMAGE, of_photos)
    return Embedded(len(fish), len(photos), small)


def _of_photos(
    connection: Connection, encoder: Encoder, photos: Sequence[StoredImage]
) -> tuple[list[tuple[Any, ...]], list[str]]:
    """Return the values of the changed rows, and the photos that are embedded by their thumbnails."""
    values: list[tuple[Any, ...]] = []
    small: list[str] = []
    with connection.cursor() as cursor:
        for batch in progress(batches(photos, _BATCH), "photos", len(photos)):
            opened = [_opened(cursor, row, encoder) for row in batch]
            small += [row.name for (row, _), before in zip(opened, batch, strict=True) if row != before]
            made = encoder.images([picture for _, picture in opened])
            values += [
                (row.label, row.source, row.hash, encoder.model, vector, row.name)
                for (row, _), vector in zip(opened, made, strict=True)
            ]
    return values, small


def _opened(cursor: Cursor, row: StoredImage, encoder: Encoder) -> tuple[StoredImage, Image]:
    """Open the file of a photo. Without the file of then, open the thumbnail, which changes the hash of the row."""
    data = _file(row)
    if data is None:
        cursor.execute("SELECT Picture FROM MeetUp2025.Thumbnail WHERE Name = ?", [row.name])
        data = read_data_url(str(cursor.fetchall()[0][0]))[1]
    return replace(row, hash=digest(data)), images.open_picture(data, longest=encoder.picture_size)


def _file(row: StoredImage) -> bytes | None:
    """
    Read the file of a photo, if it is there and has not changed.

    Its name may be decomposed on the disk, and may begin with a prefix or with folders above its own.
    """
    parts = row.name.split("/") if row.source else []
    names = ["/".join(parts[place:]) for place in range(len(parts))]
    spellings = [unicodedata.normalize(form, name) for name in names for form in ("NFC", "NFD")]
    for name in spellings:
        with contextlib.suppress(OSError):
            data = (Path(row.source) / name).read_bytes()
            if digest(data) == row.hash:
                return data
    return None
