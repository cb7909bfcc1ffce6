"""A file that SQL is given is a path below the allowed folders, or the file itself."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from meetup2025.errors import ForbiddenPathError, InvalidFileError
from meetup2025.files import LARGEST_SENT, open_source, to_data_url

if TYPE_CHECKING:
    from pathlib import Path


def read(source: str) -> tuple[bytes, str]:
    """Give the bytes of a source, and its name."""
    with open_source(source) as (file, name):
        return file.read(), name


@pytest.mark.parametrize("data", [b"", b"a", bytes(range(256)), "名前\n".encode()])
def test_there_and_back(data: bytes) -> None:
    """The bytes and the name of a file come out of its data URL."""
    assert read(to_data_url(data, "魚 a;b,c.csv")) == (data, "魚 a;b,c.csv")


def test_url_of_others() -> None:
    """A data URL needs neither a name nor a type, and its base64 may have line ends."""
    text = base64.encodebytes(b"x" * 100).decode()

    assert read(f"DATA:;base64,{text}") == (b"x" * 100, "the file")


@pytest.mark.parametrize("url", ["data:", "data:,abc", "data:text/csv,abc", "data:;base64,?", "data:;base64,abc"])
def test_url_that_is_no_base64(url: str) -> None:
    """Anything else is refused with the right form."""
    with pytest.raises(InvalidFileError, match="base64"):
        read(url)


def test_path(photos: Path) -> None:
    """A path is one below the allowed folders."""
    (photos / "a.csv").write_bytes(b"a")

    assert read("a.csv") == (b"a", "a.csv")
    with pytest.raises(ForbiddenPathError):
        read("/etc/passwd")


def test_largest_file() -> None:
    """What is sent fits a string of IRIS; a larger file is refused, and says what to do."""
    assert len(to_data_url(bytes(LARGEST_SENT), "x" * 100)) < 3_600_000
    with pytest.raises(InvalidFileError, match="split it"):
        to_data_url(bytes(LARGEST_SENT + 1), "x")
