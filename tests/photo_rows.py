"""A folder of photos, and the rows of a load in a form that can be compared."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import meetup2025
from meetup2025.vectors import from_text

if TYPE_CHECKING:
    from meetup2025.engines import Connection

SAMPLES = Path(meetup2025.__file__).parent / "samples"


def fill(folder: Path) -> Path:
    """Fill a folder: the twelve samples, two of them once more below, a label, and a file that is no picture."""
    shutil.copytree(SAMPLES, folder)
    below = folder / "マダコ"
    below.mkdir()
    for name in ("saba.png", "madako.png"):
        (below / name).write_bytes((SAMPLES / name).read_bytes() + b"\0")  # the same picture, another content
    (folder / "broken.jpg").write_bytes(b"no picture")
    return folder


def photo_rows(connection: Connection) -> list[tuple[Any, ...]]:
    """Return the photos by name."""
    columns = "Name, Label, Source, Hash, Model, Features"
    with connection.cursor() as cursor:
        return cursor.execute(f"SELECT {columns} FROM MeetUp2025.FishImage ORDER BY Name").fetchall()


def assert_same_photos(connection: Connection, other: Connection) -> None:
    """Compare the photos of two databases. A vector that was made beside others may differ in its last digits."""
    rows, others = photo_rows(connection), photo_rows(other)
    assert [row[:-1] for row in rows] == [row[:-1] for row in others]
    for row, its in zip(rows, others, strict=True):
        assert np.allclose(from_text(row[-1]), from_text(its[-1]), rtol=0, atol=1e-6), row[0]


def skipped_rows(connection: Connection) -> list[tuple[Any, ...]]:
    """Return the files that the latest load left out, with the reasons."""
    with connection.cursor() as cursor:
        return cursor.execute("SELECT Name, Reason FROM MeetUp2025.SkippedImage ORDER BY Name").fetchall()
