"""
A file of vectors into a table, and out again, beside the same work by hand with numpy, DuckDB and scikit-learn.
"""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
from sklearn.cluster import KMeans

import meetup2025
from benchmarks.measure import OURS, Way, by_turns
from meetup2025.engines.exchange import write_parquet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from benchmarks.measure import Result

DIMENSION, GROUPS = 512, 12
BY_HAND = "by hand"
IN_AIM, OUT_AIM = {5000: 0.5, 100_000: 3.0}, {5000: 0.2, 100_000: 1.5}


def measure(folder: Path, photos: Path | None) -> Iterator[Result]:  # noqa: ARG001 - as the other subjects
    """Load from Parquet and JSON Lines, read as arrays, and group."""
    for count in (5000, 100_000):
        vectors, parquet = _planted(count), folder / f"{count}.parquet"
        keys = np.array([f"doc-{at}" for at in range(count)], dtype=object)
        write_parquet({"key": keys, "emb": vectors}, parquet)
        fresh = (folder / f"{count}-{place}.duckdb" for place in itertools.count())
        runs = 5 if count == 5000 else 3
        yield from by_turns(
            f"{count:,} vectors from Parquet",
            Way(OURS, lambda parquet=parquet, fresh=fresh: _load(next(fresh), parquet)),
            Way(BY_HAND, lambda parquet=parquet, fresh=fresh: _by_hand(next(fresh), parquet), note="no check, no key"),
            runs=runs,
            aim=IN_AIM[count],
        )
        loaded = next(fresh)
        _load(loaded, parquet)
        way = Way(OURS, lambda loaded=loaded: _out(loaded))
        yield from by_turns(f"{count:,} vectors out", way, runs=runs, aim=OUT_AIM[count])
    lines = folder / "lines.jsonl"
    with lines.open("w", encoding="utf-8") as file:
        for key, row in zip(keys, vectors, strict=True):
            file.write(json.dumps({"key": key, "emb": row.tolist()}) + "\n")
    way = Way(OURS, lambda: _load(next(fresh), lines))
    yield from by_turns(f"{count:,} vectors from JSON Lines", way, runs=3, warm_up=0, aim=12.0)
    few = next(fresh)
    _load(few, folder / "5000.parquet")
    seeds = itertools.count()  # a run with a seed that is known is not computed again
    yield from by_turns(
        "12 groups of 5,000",
        Way(OURS, lambda: _groups(few, next(seeds))),
        Way(BY_HAND, lambda: _kmeans(few, next(seeds)), note="scikit-learn alone"),
        runs=3,
    )


def _planted(count: int) -> NDArray[np.float32]:
    rng = np.random.default_rng(5)
    centres = rng.normal(size=(GROUPS, DIMENSION))
    return (centres[rng.integers(0, GROUPS, count)] + rng.normal(size=(count, DIMENSION))).astype(np.float32)


def _load(database: Path, file: Path) -> None:
    with meetup2025.connect(f"duckdb:///{database}") as connection:
        meetup2025.load_table(connection, file, "Docs")
        connection.commit()


def _by_hand(database: Path, file: Path) -> None:
    with duckdb.connect(str(database)) as connection:
        columns = f"key, CAST(emb AS DOUBLE[{DIMENSION}]) AS emb"
        connection.execute(f"CREATE TABLE Docs AS SELECT {columns} FROM read_parquet('{file}')")


def _out(database: Path) -> Any:
    with meetup2025.connect(f"duckdb:///{database}") as connection, connection.cursor() as cursor:
        return cursor.execute("SELECT key, emb FROM Docs").fetchnumpy()


def _groups(database: Path, seed: int) -> None:
    with meetup2025.connect(f"duckdb:///{database}") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT MeetUp2025.FitClusters('Docs', ?, ?)", [GROUPS, seed]).fetchall()


def _kmeans(database: Path, seed: int) -> None:
    columns = _out(database)
    rows = columns["emb"] / np.linalg.norm(columns["emb"], axis=1, keepdims=True)
    KMeans(GROUPS, n_init=1, random_state=seed).fit(rows)
