"""
Files of this machine for a server, whose database cannot read files of the user. The command line sends them by SQL.

Pictures are made smaller. A catalogue is sent whole, vectors in pieces.
"""

from __future__ import annotations

import contextlib
import hashlib
from typing import TYPE_CHECKING, Any, BinaryIO

from meetup2025 import files, images
from meetup2025.client import rows, value
from meetup2025.errors import InvalidFileError, UnknownNameError, UnreadableImageError
from meetup2025.iris_process import is_watched
from meetup2025.loading import folders
from meetup2025.loading.spelling import folded

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


def send_photos(connection: Connection, folder: Path) -> tuple[int, list[tuple[str, str]]]:
    """
    Load the photos of a folder, and commit after every few. Photos that the server already has are not sent.

    Returns:
        The number of photos added or changed, and the names of the files that were left out, with the reasons.

    Raises:
        InvalidFileError: The file `labels.csv` of the folder breaks a rule.
    """
    from tqdm import tqdm

    files, left_out = folders.photo_files(folder, lambda path: path.open("rb"))
    known = {folded(name): rest for name, *rest in rows(connection, _KNOWN)}
    skipped = [(each.name, each.reason) for each in left_out]
    changed = 0
    for place, file in enumerate(tqdm(files, unit=" photos", disable=not is_watched(), leave=False), 1):
        try:
            changed += _send(connection, file, known.get(folded(file.name)))
        except (UnreadableImageError, InvalidFileError) as error:
            skipped.append((file.name, str(error)))
        if place % _PHOTOS_AT_ONCE == 0:
            connection.commit()
    connection.commit()
    return changed, skipped


_KNOWN = "SELECT Name, Label, Hash FROM MeetUp2025.ImageCatalogue()"


def _send(connection: Connection, file: folders.PhotoFile, known: Any) -> int:
    url = picture(file.path)
    digest = hashlib.sha256(files.read_data_url(url)[1]).hexdigest()
    if known and digest == known[1] and _is_labelled(connection, file.label, known[0]):
        return 0
    return int(value(connection, "SELECT MeetUp2025.AddImage(?, ?, ?)", [file.name, url, file.label or None]))


def _is_labelled(connection: Connection, label: str, known: str) -> bool:
    """Check whether the server has the label, by its own name for the fish if it has one."""
    if label in ("", known):
        return True
    try:
        return bool(value(connection, "SELECT MeetUp2025.KnownName(?)", [label]) == known)
    except UnknownNameError:
        return False


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
