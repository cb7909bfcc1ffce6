"""
Files of this machine for a server: what the command line sends, by SQL, where the database reads no files of the user.

Pictures go shrunk; a catalogue goes whole; vectors go in pieces.
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

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from meetup2025.engines import Connection

LONGEST = 1024
"""Pixels of a picture that is sent: more than models look at."""

_SMALL = 200_000
"""Bytes of a picture that is sent as it is."""

_PHOTOS_AT_ONCE = 50
"""Photos of a transaction: what a broken connection costs."""


def picture(source: str | Path | bytes) -> str:
    """Give a picture as a data URL, shrunk where it is large; see `images.to_data_url` for the errors."""
    return images.to_data_url(source, longest=LONGEST, limit=_SMALL)


def whole(path: Path) -> str:
    """Give a file as a data URL."""
    with _opened(path) as file:
        return files.to_data_url(file.read(), path.name)


def send_vectors(connection: Connection, path: Path, table: str, model: str) -> int:
    """Load a JSON Lines file of vectors in pieces, all in the caller's transaction; the number added or changed."""
    sql = "SELECT MeetUp2025.LoadVectors(?, ?, ?)"
    return sum(int(value(connection, sql, [piece, table, model])) for piece in _pieces(path))


def send_photos(connection: Connection, folder: Path) -> tuple[int, list[tuple[str, str]]]:
    """
    Load the photos of a folder, and commit after each few; those that are there already are not sent.

    Returns:
        The number of photos added or changed, and the name of each file left out with the reason.

    Raises:
        InvalidFileError: The file `labels.csv` of the folder breaks a rule.
    """
    from tqdm import tqdm

    files, left_out = folders.photo_files(folder, lambda path: path.open("rb"))
    known = {name.upper(): rest for name, *rest in rows(connection, _KNOWN)}
    skipped = [(each.name, each.reason) for each in left_out]
    changed = 0
    for place, file in enumerate(tqdm(files, unit=" photos", disable=not is_watched(), leave=False), 1):
        try:
            changed += _send(connection, file, known.get(file.name.upper()))
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
    """Tell whether the server has the label: by its own name for the fish, where it has one."""
    if label in ("", known):
        return True
    try:
        return bool(value(connection, "SELECT MeetUp2025.KnownName(?)", [label]) == known)
    except UnknownNameError:
        return False


def _pieces(path: Path) -> Iterator[str]:
    """
    Cut a file at the ends of lines into data URLs.

    Empty lines stand for those of the pieces before, so that an error tells the line of the file.
    """
    piece = b""
    with _opened(path) as file:
        for line in file:
            if piece and len(piece) + len(line) > files.LARGEST_SENT:
                yield files.to_data_url(piece, path.name)
                piece = b"\n" * piece.count(b"\n")
            piece += line
    yield files.to_data_url(piece, path.name)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise InvalidFileError(f"{path} must be a file that can be read. Got: {error.strerror}.") from error
