"""A picture to its names in a running process: the whole, and its parts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import meetup2025
from benchmarks import pictures, workshop
from benchmarks.measure import OURS, WORKSHOP, Result, Way, by_turns
from meetup2025 import images
from meetup2025.embedding import encoder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from meetup2025.engines import Cursor

RUNS = 30


def measure(folder: Path, photos: Path | None) -> Iterator[Result]:  # noqa: ARG001 - as the other subjects
    """Measure a drawing of 640 pixels, with its parts, and a photo of twelve megapixels."""
    os.environ["MEETUP2025_PHOTOS"] = str(folder)
    drawing = pictures.drawings(folder, 1)[0]
    large = folder / "large.jpg"
    large.write_bytes(pictures.photograph())
    with meetup2025.connect("duckdb://") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT MeetUp2025.LoadNames('catalogue/fish.csv')")
        yield from _whole("identify, 640 pixels", drawing, cursor)
        yield from _whole("identify, 12 megapixels", large, cursor)
        yield from _parts(drawing, cursor)


def _whole(what: str, path: Path, cursor: Cursor) -> Iterator[Result]:
    model = encoder()

    def theirs() -> None:
        vector = model.images([workshop.picture(path)])[0]
        workshop.nearest(cursor, "Fish", workshop.text(vector), 3)

    def ours() -> None:
        cursor.execute("CALL MeetUp2025.Identify(?, 3)", [str(path)]).fetchall()

    note = "full decode, same encoder, vector as text twice"
    yield from by_turns(what, Way(OURS, ours), Way(WORKSHOP, theirs, note=note), runs=RUNS)


def _parts(path: Path, cursor: Cursor) -> Iterator[Result]:
    model = encoder()
    small = images.open_picture(path.read_bytes(), longest=model.picture_size)
    full, vector = workshop.picture(path), model.images([small])[0]
    nearest = "SELECT * FROM MeetUp2025.NearestFish(?, 3)"
    yield from by_turns(
        "part: decode",
        Way(OURS, lambda: images.open_picture(path.read_bytes(), longest=model.picture_size)),
        Way(WORKSHOP, lambda: workshop.picture(path)),
        runs=RUNS,
    )
    yield from by_turns(
        "part: embed",
        Way(OURS, lambda: model.images([small])),
        Way(WORKSHOP, lambda: model.images([full])),
        runs=RUNS,
    )
    yield from by_turns(
        "part: SQL, 100 names",
        Way(OURS, lambda: cursor.execute(nearest, [vector]).fetchall()),
        Way(WORKSHOP, lambda: workshop.nearest(cursor, "Fish", workshop.text(vector), 3)),
        runs=RUNS,
    )
