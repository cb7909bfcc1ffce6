"""
Files that SQL may read: files below the folders of `MEETUP2025_PHOTOS`, and files of the package.

A path comes from a person who may run SQL, and the database process can read more files than this person. So a path
counts only after its links are followed. A missing file and a forbidden file have the same message, which does not
reveal the files of the machine.

A client of a server has its files on another machine. So SQL takes a path below the allowed folders, or the file itself
as a data URL: `data:text/csv;name=mine.csv;base64,…`.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import os
import stat
import unicodedata
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import quote, unquote

from meetup2025.errors import ForbiddenPathError, InvalidFileError, shown
from meetup2025.settings import photo_folders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


PACKAGE = Path(__file__).parent
OWN_FOLDERS = ("samples", "catalogue")

# Limits of size in bytes. The limits of pixels are in `images`, the limits of a request beside them in `server.form`.

LARGEST_PICTURE = 50_000_000
"""Largest file of a picture: above the JPEGs of telephones and cameras, and no burden in memory."""

LARGEST_SENT = 2_500_000
"""Largest file in a data URL: in base64 it fits a string of IRIS, which has at most 3,641,144 characters."""

LARGEST_CSV = 20_000_000
"""Largest CSV file. It is in memory as a whole, and the memory of the database is not the caller's to fill."""

LONGEST_LINE = 1_000_000
"""Longest line of a JSON Lines file of vectors."""

MOST_EMPTY_LINES = 1_000_000
"""Most empty lines of a JSON Lines file of vectors. Those of a file that is sent in pieces stand for earlier pieces."""

LARGEST_REQUEST = 32_000_000
"""Largest request to the encoder server."""

LARGEST_REQUEST_PICTURE = 20_000_000
"""Largest picture in a request to the encoder server, before base64."""

# A FIFO must not block the database. A link in the place of a file must not be followed. Not on Windows.
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
)


# A folder on the way to a file need not be readable where the system has O_PATH.
_FOLDER_FLAGS = _FLAGS | getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0)


def roots() -> list[Path]:
    """Return the folders whose files may be read: first the folders of `MEETUP2025_PHOTOS`, then the package's own."""
    return [*photo_folders(), *(PACKAGE / name for name in OWN_FOLDERS)]


def resolve(path: str | os.PathLike[str]) -> Path:
    """
    Find a regular file below the allowed folders.

    Args:
        path: Absolute path, or path relative to a folder of `MEETUP2025_PHOTOS` or to the package (`samples/saba.png`).
            The first that exists counts. A Japanese name may be composed (NFC) or decomposed (NFD, as macOS writes it).

    Returns:
        The real path, with all links followed.

    Raises:
        ForbiddenPathError: The file does not exist, is elsewhere, or is not a regular file.
    """
    return _find(os.fspath(path), Path.is_file, "file")


def resolve_folder(path: str | os.PathLike[str]) -> Path:
    """
    Find a folder: one of the allowed folders, or a folder below them. See `resolve`.

    Raises:
        ForbiddenPathError: The folder does not exist, or is elsewhere.
    """
    return _find(os.fspath(path), Path.is_dir, "folder")


def open_below(path: str | os.PathLike[str]) -> BinaryIO:
    """
    Open a file below the allowed folders for reading bytes. See `resolve`.

    Raises:
        ForbiddenPathError: The file does not exist, is elsewhere, is not a regular file, or may not be read.
    """
    found = resolve(path)
    try:
        descriptor = _open_without_links(found)
    except OSError as exc:
        if exc.errno not in (errno.ELOOP, errno.ENOTDIR):
            raise ForbiddenPathError(f"{shown(os.fspath(path))} cannot be opened: {exc.strerror}.") from exc
        raise ForbiddenPathError(_changed(path)) from exc
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ForbiddenPathError(_changed(path))
    return os.fdopen(descriptor, "rb")


def _open_without_links(found: Path) -> int:
    """
    Open a file part by part of its path, each below the opened folder before it and never a link.

    A folder may become a link at any moment after the path was checked. Windows opens the path as a whole; links need a
    privilege there.
    """
    if os.open not in os.supports_dir_fd:
        return os.open(found, _FLAGS)
    folder = os.open(found.anchor, _FOLDER_FLAGS)
    try:
        for part in found.parts[1:-1]:
            below = os.open(part, _FOLDER_FLAGS, dir_fd=folder)
            os.close(folder)
            folder = below
        return os.open(found.name, _FLAGS, dir_fd=folder)
    finally:
        os.close(folder)


def _changed(path: str | os.PathLike[str]) -> str:
    return f"{shown(os.fspath(path))} changed while it was opened. Try again."


def _find(path: str, is_kind: Callable[[Path], bool], kind: str) -> Path:
    allowed = [real for root in roots() if (real := _real(root))]
    for candidate in _candidates(path):
        found = _real(candidate)
        if found and any(found.is_relative_to(root) for root in allowed) and is_kind(found):
            return found
    if any(root == Path(root.anchor) for root in allowed):
        raise ForbiddenPathError(f"{shown(path)} must be a {kind} of this machine. Got none there.")
    folders = os.pathsep.join(map(str, photo_folders())) or "not set"
    raise ForbiddenPathError(
        f"{shown(os.fspath(path))} is not a {kind} below MEETUP2025_PHOTOS ({folders}). "
        "Give a path below it, or add the folder to that environment variable."
    )


def _candidates(path: str) -> Iterator[Path]:
    spellings = dict.fromkeys((path, *(unicodedata.normalize(form, path) for form in ("NFC", "NFD"))))
    for base in (*photo_folders(), PACKAGE):
        yield from (base / spelling for spelling in spellings if spelling)


def _real(path: Path) -> Path | None:
    """Follow all links. Return None for a path that does not exist or cannot be one (a NUL, a name too long)."""
    try:
        return Path(os.path.realpath(path, strict=True))
    except (OSError, ValueError):
        return None


# --- a file as a path or a data URL ----------------------------------------------------------------------------------


@contextlib.contextmanager
def open_source(source: str) -> Iterator[tuple[BinaryIO, str]]:
    """
    Open a file for reading bytes.

    Args:
        source: A path, as for `open_below`, or a data URL in base64.

    Yields:
        The file, and its name for messages.

    Raises:
        ForbiddenPathError: The path is not a file below the allowed folders.
        InvalidFileError: The data URL is not base64.
    """
    if source[:5].lower() == "data:":
        header, data = _decoded(source)
        yield BytesIO(data), _name(header)
        return
    with open_below(source) as file:
        yield file, source


def to_data_url(data: bytes | bytearray, name: str) -> str:
    """
    Write the bytes of a file, and its name, as a data URL.

    Raises:
        InvalidFileError: The file has more than `LARGEST_SENT`.
    """
    if len(data) > LARGEST_SENT:
        raise InvalidFileError(
            f"A file that is sent to a server must have at most {LARGEST_SENT / 1e6} MB. Got {name}, which has more; "
            "split it, or put it on the server and give its path there."
        )
    return data_url(f"text/plain;name={quote(name)}", data)


def data_url(kind: str, data: bytes | bytearray) -> str:
    """Write bytes as a data URL of a MIME type."""
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def read_data_url(url: str) -> tuple[str, bytes]:
    """
    Read a data URL.

    Returns:
        The part before the comma, and the bytes.

    Raises:
        ValueError: The URL is not of base64.
    """
    header, _, payload = url.partition(",")
    if not header.lower().endswith(";base64"):
        raise ValueError("it has no ;base64")
    return header, read_base64(payload)


def read_base64(text: str) -> bytes:
    """
    Read base64, with or without line breaks.

    Raises:
        ValueError: The text is not base64.
    """
    return base64.b64decode("".join(text.split()), validate=True)


def _decoded(url: str) -> tuple[str, bytes]:
    try:
        return read_data_url(url)
    except ValueError as error:
        header = url.partition(",")[0]
        raise InvalidFileError(
            f"A file in a data URL must be data:text/csv;base64,… Got {shown(header)}: {error}."
        ) from None


def _name(header: str) -> str:
    names = [part.partition("=")[2] for part in header.split(";") if part.startswith("name=")]
    return unquote(names[0]) if names else "the file"
