"""Vectors into the table of photos, and searches for the nearest: at 5,000, at 50,000 and at 100,000 rows."""

from __future__ import annotations

import itertools
import json
import os
from typing import TYPE_CHECKING

import numpy as np

import meetup2025
from benchmarks import workshop
from benchmarks.measure import OURS, WORKSHOP, Result, Way, by_turns, peak_memory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from meetup2025.engines import Cursor

SIZES = (5_000, 50_000, 100_000)
DIMENSION, K, RUNS, BATCH, SAMPLE, LINES = 512, 10, 20, 5_000, 200, 10_000
LABELS = 100
NUMPY = "numpy"

_INSERT = "INSERT INTO MeetUp2025.FishImage (Name, Label, Model, Features) VALUES (?, ?, ?, TO_VECTOR(?, DOUBLE))"
_NEAREST = "SELECT Name, Score FROM MeetUp2025.NearestImages(?, ?)"
_OF_LABEL = """
SELECT TOP ? Name, VECTOR_COSINE(Features, TO_VECTOR(?, DOUBLE)) AS Score FROM MeetUp2025.FishImage
WHERE Label = ? ORDER BY Score DESC"""


def measure(folder: Path, photos: Path | None) -> Iterator[Result]:  # noqa: ARG001 - as the other subjects
    """Load and search each number of rows, then load from a file."""
    for size in SIZES:
        yield from _size(folder, vectors(size))
    yield from _from_file(folder)


def vectors(size: int, seed: int = 0) -> NDArray[np.float32]:
    """Draw unit vectors as a CLIP makes them: all in one cone, around 400 centres, shape (size, 512)."""
    space, rng = np.random.default_rng(2025), np.random.default_rng(seed)
    centres = space.normal(size=DIMENSION) + space.normal(size=(400, DIMENSION))
    found = np.empty((size, DIMENSION), np.float32)
    for start in range(0, size, BATCH):  # in parts: the memory of this function must not count
        count = min(BATCH, size - start)
        rows = centres[rng.integers(0, len(centres), count)] + rng.normal(size=(count, DIMENSION)) * 0.7
        found[start : start + count] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return found


def _size(folder: Path, rows: NDArray[np.float32]) -> Iterator[Result]:
    label, before = f"{len(rows):,} vectors", peak_memory()
    url = f"duckdb:///{folder / f'{len(rows)}.duckdb'}"
    with meetup2025.connect(url) as connection, connection.cursor() as cursor:
        note = f"one INSERT for each, text; {SAMPLE}, scaled"
        theirs = Way(WORKSHOP, lambda: _load_one_by_one(rows[:SAMPLE]), len(rows) / SAMPLE, note)
        yield from by_turns(f"load {label}", Way(OURS, lambda: _load(cursor, rows)), theirs, runs=1, warm_up=0)
        connection.commit()
        yield Result(f"load {label}: memory", OURS, (peak_memory() - before,), "MB", note="above that of the vectors")
        yield from _searches(cursor, rows, label)
        yield Result(f"search {label}: memory", OURS, (peak_memory(),), "MB", note="peak of the whole process")


def _load(cursor: Cursor, rows: NDArray[np.float32]) -> None:
    for start in range(0, len(rows), BATCH):
        batch = enumerate(rows[start : start + BATCH], start)
        cursor.executemany(_INSERT, [(str(place), f"label {place % LABELS}", "made@1", row) for place, row in batch])


def _load_one_by_one(rows: NDArray[np.float32]) -> None:
    with meetup2025.connect("duckdb://") as connection, connection.cursor() as cursor:
        for place, row in enumerate(rows):
            cursor.execute(workshop.INSERT, [str(place), workshop.text(row)])
            connection.commit()


def _searches(cursor: Cursor, rows: NDArray[np.float32], label: str) -> Iterator[Result]:
    queries = vectors(RUNS, seed=7)
    texts = itertools.cycle([workshop.text(query) for query in queries])
    arrays, floor, labelled = itertools.cycle(queries), itertools.cycle(queries), itertools.cycle(queries)
    yield from by_turns(f"search {label}, k = {K}", Way("scan", lambda: _scanned(cursor, next(arrays))), runs=RUNS)
    for what, note in (("first", "a scan"), ("second", "reads the vectors into memory"), ("third", "")):
        way = Way(OURS, lambda: cursor.execute(_NEAREST, [next(arrays), K]).fetchall(), note=note)
        yield from by_turns(f"search {label}, the {what}", way, runs=1, warm_up=0, aim=1.0)
    yield from by_turns(
        f"search {label}, k = {K}",
        Way(OURS, lambda: cursor.execute(_NEAREST, [next(arrays), K]).fetchall()),
        Way("ours, from text", lambda: cursor.execute(_NEAREST, [next(texts), K]).fetchall()),
        Way(WORKSHOP, lambda: workshop.nearest(cursor, "FishImage", next(texts), K)),
        Way("with a label", lambda: cursor.execute(_OF_LABEL, [K, next(labelled), "label 7"]).fetchall()),
        runs=RUNS,
    )
    # Not in turn with the others: the threads of its library still spin when the next way runs.
    note = "matvec and argpartition in float32: the floor"
    yield from by_turns(
        f"search {label}, k = {K}", Way(NUMPY, lambda: nearest(rows, next(floor)), note=note), runs=RUNS
    )
    same = sum(_names(cursor, query) == [str(place) for place in nearest(rows, query)] for query in queries[:20])
    yield Result(f"search {label}: same {K} as numpy", OURS, (float(same),), "of 20")


def nearest(rows: NDArray[np.float32], query: NDArray[np.float32]) -> NDArray[np.intp]:
    """Find the rows with the largest cosines, best first."""
    scores = rows @ query
    best = np.argpartition(-scores, K)[:K]
    return best[np.argsort(-scores[best])]


def _scanned(cursor: Cursor, query: NDArray[np.float32]) -> None:
    os.environ["MEETUP2025_SEARCH_MEMORY"] = "0"  # no matrix in memory
    try:
        cursor.execute(_NEAREST, [query, K]).fetchall()
    finally:
        del os.environ["MEETUP2025_SEARCH_MEMORY"]


def _names(cursor: Cursor, query: NDArray[np.float32]) -> list[str]:
    return [name for name, _ in cursor.execute(_NEAREST, [query, K]).fetchall()]


def _from_file(folder: Path) -> Iterator[Result]:
    os.environ["MEETUP2025_PHOTOS"] = str(folder)
    path = folder / "vectors.jsonl"
    with path.open("w", encoding="utf-8") as stream:
        for place, row in enumerate(vectors(LINES)):
            stream.write(json.dumps({"filename": str(place), "features": workshop.text(row)}) + "\n")
    fresh = (f"duckdb:///{folder / f'file{place}.duckdb'}" for place in itertools.count())
    way = Way(OURS, lambda: _load_file(next(fresh), path), SIZES[-1] / LINES, f"text; {LINES:,} lines, scaled")
    yield from by_turns(f"load {SIZES[-1]:,} vectors from JSON Lines", way, runs=1, warm_up=0)


def _load_file(url: str, path: Path) -> None:
    with meetup2025.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT MeetUp2025.LoadVectors(?, 'FishImage', 'made@1')", [str(path)])
        connection.commit()
