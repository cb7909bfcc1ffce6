"""
Which files SQL may read: those below the folders of `MEETUP2025_PHOTOS`, and those that the package brings.

A path comes from whoever may run SQL, and the database process can read more than that person may.
So a path counts only after its links are followed, and one message answers for a file that is missing
and for one that is elsewhere: the answer does not tell which files the machine has.

What SQL gives for a file: a path below the allowed folders, or the file itself as a data URL.

A client of a server has its files on another machine: it sends `data:text/csv;name=mine.csv;base64,…`.
"""

from __future__ import annotations

import base64
import contextlib
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

# A FIFO must not hang the database; a link put in the place of a file must not be followed. Not on Windows.
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
)


def roots() -> list[Path]:
    """Give the folders whose files may be read: those of `MEETUP2025_PHOTOS`, then the package's own."""
    return [*photo_folders(), *(PACKAGE / name for name in OWN_FOLDERS)]


def resolve(path: str | os.PathLike[str]) -> Path:
    """
    Find a regular file below the allowed folders.

    Args:
        path: Absolute, or relative to a folder of `MEETUP2025_PHOTOS` or to the package (`samples/saba.png`);
            the first that exists is taken. A Japanese name may be composed (NFC) or decomposed (NFD, as macOS
            writes it).

    Returns:
        The real path, all links followed.

    Raises:
        ForbiddenPathError: No such file, a file elsewhere, or not a regular file.
    """
    return _find(os.fspath(path), Path.is_file, "file")


def resolve_folder(path: str | os.PathLike[str]) -> Path:
    """
    Find a folder: one of the allowed folders, or one below them; see `resolve`.

    Raises:
        ForbiddenPathError: No such folder, or one elsewhere.
    """
    return _find(os.fspath(path), Path.is_dir, "folder")


def open_below(path: str | os.PathLike[str]) -> BinaryIO:
    """
    Open a file below the allowed folders for reading bytes; see `resolve`.

    Raises:
        ForbiddenPathError: No such file, a file elsewhere, not a regular file, or one that may not be read.
    """
    found = resolve(path)
    try:
        descriptor = os.open(found, _FLAGS)
    except OSError as exc:
        raise ForbiddenPathError(f"{shown(os.fspath(path))} cannot be opened: {exc.strerror}.") from exc
    if not _is_still_at(found, descriptor):
        os.close(descriptor)
        raise ForbiddenPathError(f"{shown(os.fspath(path))} changed while it was opened. Try again.")
    return os.fdopen(descriptor, "rb")


def _is_still_at(found: Path, descriptor: int) -> bool:
    """Check what was opened, not what was there a moment before: a folder may have become a link."""
    opened = os.fstat(descriptor)
    if not stat.S_ISREG(opened.st_mode) or _real(found) != found:
        return False
    try:
        return os.path.samestat(opened, found.stat())
    except OSError:
        return False


def _find(path: str, is_kind: Callable[[Path], bool], kind: str) -> Path:
    allowed = [real for root in roots() if (real := _real(root))]
    for candidate in _candidates(path):
        found = _real(candidate)
        if found and any(found.is_relative_to(root) for root in allowed) and is_kind(found):
            return found
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
    """Follow all links; None for what does not exist or cannot be a path (a NUL, a name too long)."""
    try:
        return Path(os.path.realpath(path, strict=True))
    except (OSError, ValueError):
        return None


MAX_BYTES = 2_500_000
"""Largest file in a data URL: in base64 it fits a string of IRIS, which has at most 3,641,144 characters."""


@contextlib.contextmanager
def open_source(source: str) -> Iterator[tuple[BinaryIO, str]]:
    """
    Open a file for reading bytes.

    Args:
        source: A path, as `paths.open_below` takes it, or a data URL in base64.

    Yields:
        The file, and what to call it in messages.

    Raises:
        ForbiddenPathError: A path that is not a file below the allowed folders.
        InvalidFileError: A data URL that is not base64.
    """
    if source[:5].lower() == "data:":
        header, _, payload = source.partition(",")
        yield BytesIO(_decoded(header, payload)), _name(header)
        return
    with open_below(source) as file:
        yield file, source


def to_data_url(data: bytes, name: str) -> str:
    """
    Write the bytes of a file, and its name, as a data URL.

    Raises:
        InvalidFileError: More than `MAX_BYTES`.
    """
    if len(data) > MAX_BYTES:
        raise InvalidFileError(
            f"A file that is sent to a server must have at most {MAX_BYTES / 1e6} MB. Got {len(data) / 1e6:.1f} of "
            f"{name}; split it, or put it on the server and give its path there."
        )
    return f"data:text/plain;name={quote(name)};base64,{base64.b64encode(data).decode('ascii')}"


def _decoded(header: str, payload: str) -> bytes:
    try:
        if not header.lower().endswith(";base64"):
            raise ValueError("it has no ;base64")  # noqa: TRY301 - one message for both
        return base64.b64decode("".join(payload.split()), validate=True)
    except ValueError as error:
        raise InvalidFileError(
            f"A file in a data URL must be data:text/csv;base64,… Got {shown(header)}: {error}."
        ) from None


def _name(header: str) -> str:
    names = [part.partition("=")[2] for part in header.split(";") if part.startswith("name=")]
    return unquote(names[0]) if names else "the file"
