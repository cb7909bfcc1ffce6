"""
What SQL gives for a file: a path below the allowed folders, or the file itself as a data URL.

A client of a server has its files on another machine: it sends `data:text/csv;name=mine.csv;base64,…`.
"""

from __future__ import annotations

import base64
import contextlib
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import quote, unquote

from meetup2025.errors import InvalidFileError
from meetup2025.paths import open_below

if TYPE_CHECKING:
    from collections.abc import Iterator

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
            f"A file in a data URL must be data:text/csv;base64,… Got {header[:60]!r}: {error}."
        ) from None


def _name(header: str) -> str:
    names = [part.partition("=")[2] for part in header.split(";") if part.startswith("name=")]
    return unquote(names[0]) if names else "the file"
