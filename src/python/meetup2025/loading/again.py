"""Vectors of another model for what the tables hold: the work of `meetup2025 model use NAME --embed`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from meetup2025 import images, settings
from meetup2025.errors import Error
from meetup2025.files import read_data_url
from meetup2025.loading.folders import photo_files
from meetup2025.loading.names import UPDATE_FISH, made_vectors, progress
from meetup2025.loading.photos import UPDATE_IMAGE, digest
from meetup2025.loading.prompts import check_prompts
from meetup2025.loading.rows import StoredFish, StoredImage
from meetup2025.loading.spelling import folded
from meetup2025.loading.tables import batches, check_lost, run_many, stored_fish, stored_images

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from PIL.Image import Image

    from meetup2025.embedding import Encoder
    from meetup2025.engines import Connection, Cursor

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
    check_prompts(fish)
    of_fish = made_vectors(connection, encoder, fish, keep=False)[0] if fish else []
    of_photos, small = _of_photos(connection, encoder, photos)
    with connection.transaction(), connection.cursor() as cursor:
        rows = [(replace(row, model=encoder.model), vector) for row, vector in zip(fish, of_fish, strict=True)]
        run_many(cursor, UPDATE_FISH, [_fish_values(row, vector) for row, vector in rows])
        run_many(cursor, UPDATE_IMAGE, of_photos)
    return Embedded(len(fish), len(photos), small)


def _fish_values(row: StoredFish, vector: Any) -> tuple[Any, ...]:
    words = (row.name, row.kanji, row.other_names, row.english, row.scientific, row.family)
    return (*words, row.model, row.prompts, vector, row.fish_id)


def _of_photos(
    connection: Connection, encoder: Encoder, photos: Sequence[StoredImage]
) -> tuple[list[tuple[Any, ...]], list[str]]:
    """Return the values of the changed rows, and the photos that are embedded by their thumbnails."""
    files = _files({row.source for row in photos if row.source})
    values: list[tuple[Any, ...]] = []
    small: list[str] = []
    with connection.cursor() as cursor:
        for batch in progress(batches(photos, _BATCH), "photos", len(photos)):
            opened = [_opened(cursor, row, _file_of(row, files), encoder) for row in batch]
            small += [row.name for row, _ in opened if row not in batch]
            made = encoder.images([picture for _, picture in opened])
            values += [
                (row.label, row.source, row.hash, encoder.model, vector, row.name)
                for (row, _), vector in zip(opened, made, strict=True)
            ]
    return values, small


def _files(sources: Iterable[str]) -> dict[tuple[str, str], Path]:
    """Find the files of photos, by folder and name."""
    found = {}
    for source in sources:
        if Path(source).is_dir():
            with settings.chosen(settings.model(), [source]):
                found |= {(source, folded(each.name)): each.path for each in photo_files(Path(source), Path.open)[0]}
    return found


def _file_of(row: StoredImage, files: Mapping[tuple[str, str], Path]) -> Path | None:
    """Find the file of a photo, whose name may begin with a prefix or with folders above its own."""
    parts = row.name.split("/")
    names = ((row.source, folded("/".join(parts[place:]))) for place in range(len(parts)))
    return next((files[each] for each in names if each in files), None)


def _opened(
    cursor: Cursor, row: StoredImage, file: Path | None, encoder: Encoder
) -> tuple[StoredImage, Image]:
    """Open the file of a photo. Without the file of then, open the thumbnail, which changes the hash of the row."""
    if file is not None:
        try:
            data = images.read_picture(file)
        except (Error, OSError):
            data = b""
        if digest(data) == row.hash:
            return row, images.open_picture(data, longest=encoder.picture_size)
    cursor.execute("SELECT Picture FROM MeetUp2025.Thumbnail WHERE Name = ?", [row.name])
    data = read_data_url(str(cursor.fetchall()[0][0]))[1]
    return replace(row, hash=digest(data)), images.open_picture(data, longest=encoder.picture_size)
