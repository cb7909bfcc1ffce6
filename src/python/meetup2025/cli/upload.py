"""
Files of this machine for a server, whose database cannot read files of the user. The command line sends them by SQL.

Pictures are made smaller. A catalogue is sent whole, vectors in pieces.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, BinaryIO

from meetup2025 import files, images
from meetup2025.client import value
from meetup2025.errors import DataError, InvalidFileError, UnknownNameError, UnreadableImageError
from meetup2025.iris_process import is_watched
from meetup2025.loading import folders
from meetup2025.loading.collection import Collection
from meetup2025.loading.photos import checked_prefix, digest
from meetup2025.loading.rows import StoredImage
from meetup2025.loading.tables import stored_images

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from meetup2025.engines import Connection

LONGEST = 1024
"""Longest side in pixels of a picture that is sent: more than models see."""

_SMALL = 200_000
"""Most bytes of a picture that is sent as it is."""

_PHOTOS_AT_ONCE = 50
"""Photos of a transaction: the loss when the connection breaks."""


def picture(source: str | Path | bytes) -> str:
    """Return a picture as a data URL, made smaller if it is large. For the errors, see `images.to_data_url`."""
    return images.to_data_url(source, longest=LONGEST, limit=_SMALL)


def whole(path: Path) -> str:
    """Return a file as a data URL."""
    with _opened(path) as file:
        return files.to_data_url(file.read(files.LARGEST_SENT + 1), path.name)


def send_vectors(connection: Connection, path: Path, table: str, model: str) -> int:
    """Load a JSON Lines file of vectors in pieces, in the caller's transaction. Return the number added or changed."""
    sql = "SELECT MeetUp2025.LoadVectors(?, ?, ?)"
    return sum(int(value(connection, sql, [piece, table, model])) for piece in _pieces(path))


def send_photos(connection: Connection, folder: Path, prefix: str = "") -> tuple[int, list[tuple[str, str]]]:
    """
    Load the photos of a folder, and commit after every few. Photos that the server already has are not sent.

    Args:
        connection: An open connection.
        folder: The folder.
        prefix: First part of the names of new photos.

    Returns:
        The number of photos added or changed, and the names of the files that were left out, with the reasons.

    Raises:
        InvalidFileError: The file `labels.csv` of the folder breaks a rule.
    """
    from tqdm import tqdm

    files, left_out = folders.photo_files(folder, lambda path: path.open("rb"))
    sending = _Sending(connection, str(folder.resolve()), checked_prefix(prefix))
    skipped = [(each.name, each.reason) for each in left_out]
    changed = 0
    for place, file in enumerate(tqdm(files, unit=" photos", disable=not is_watched(), leave=False), 1):
        try:
            changed += sending.send(file)
        except (UnreadableImageError, InvalidFileError, DataError) as error:
            skipped.append((file.name, str(error)))
        if place % _PHOTOS_AT_ONCE == 0:
            connection.commit()
    changed += sum(sending.send(file, last=True) for file in sending.waiting)
    connection.commit()
    return changed, skipped


class _Sending:
    """The photos of a folder on their way to the rows of a server."""

    def __init__(self, connection: Connection, source: str, prefix: str) -> None:
        self._connection, self._source, self._prefix = connection, source, prefix
        self._collection = Collection(stored_images(connection), prefix)
        self.waiting: list[folders.PhotoFile] = []

    def send(self, file: folders.PhotoFile, *, last: bool = False) -> int:
        url = picture(file.path)
        content = digest(files.read_data_url(url)[1])
        name = f"{self._prefix}/{file.name}" if self._prefix else file.name
        placed = self._collection.place(StoredImage(name, file.label, self._source[:500], content, ""), last=last)
        if placed is None:
            self.waiting.append(file)
            return 0
        row, before = placed.row, placed.before
        if before and (before.hash, before.source) == (row.hash, row.source) and self._is_labelled(row, before):
            return 0
        parameters = [row.name, url, row.label or None, row.source]
        return int(value(self._connection, "SELECT MeetUp2025.AddImage(?, ?, ?, ?)", parameters))

    def _is_labelled(self, row: StoredImage, before: StoredImage) -> bool:
        """Check whether the server has the label, by its own name for the fish if it has one."""
        if row.label in ("", before.label):
            return True
        try:
            known = value(self._connection, "SELECT MeetUp2025.KnownName(?)", [row.label])
        except UnknownNameError:
            return False
        return bool(known == before.label)


def _pieces(path: Path) -> Iterator[str]:
    """
    Cut a file at the ends of lines into data URLs.

    Empty lines stand for the lines of earlier pieces, so that an error has the line number of the file.
    """
    piece = bytearray()
    with _opened(path) as file:
        for line in iter(lambda: file.readline(files.LONGEST_LINE + 1), b""):
            if piece and len(piece) + len(line) > files.LARGEST_SENT:
                yield files.to_data_url(piece, path.name)
                piece = bytearray(b"\n" * piece.count(b"\n"))
            piece += line
    yield files.to_data_url(piece, path.name)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise InvalidFileError(f"{path} must be a file that can be read. Got: {error.strerror}.") from error
