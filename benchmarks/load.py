"""
A folder of 1,000 pictures into the table of photos.
"""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING

import meetup2025
from benchmarks import pictures, workshop
from benchmarks.measure import OURS, WORKSHOP, Result, Way, by_turns
from meetup2025.embedding import encoder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COUNT, SAMPLE = 1000, 50


def measure(folder: Path, photos: Path | None) -> Iterator[Result]:  # noqa: ARG001 - as the other subjects
    """Load into a new database, then load the same again."""
    os.environ["MEETUP2025_PHOTOS"] = str(folder)
    drawn = folder / "drawings"
    drawn.mkdir()
    paths = pictures.drawings(drawn, COUNT)
    model = encoder()
    model.images([workshop.picture(paths[0])])  # loads it
    fresh = (f"duckdb:///{folder / f'{place}.duckdb'}" for place in itertools.count())
    sample, scale, note = paths[:SAMPLE], COUNT / SAMPLE, f"one by one; {SAMPLE} pictures, scaled"
    yield from by_turns(
        f"load {COUNT:,} pictures",
        Way(OURS, lambda: _load(next(fresh), drawn)),
        Way(WORKSHOP, lambda: workshop.load(next(fresh), sample, model, connections=SAMPLE), scale, note),
        Way("one connection", lambda: workshop.load(next(fresh), sample, model, connections=1), scale, note),
        runs=3,
        warm_up=0,
    )
    loaded = next(fresh)
    _load(loaded, drawn)
    again = Way(OURS, lambda: _load(loaded, drawn), note="nothing changed")
    yield from by_turns(f"load the same {COUNT:,} again", again, runs=3)


def _load(url: str, folder: Path) -> None:
    with meetup2025.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT MeetUp2025.LoadImages(?)", [str(folder)])
        connection.commit()
