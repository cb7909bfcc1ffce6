"""
A picture to its names from a cold start: a new process for each.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import meetup2025
from benchmarks import clip, pictures
from benchmarks.measure import OURS, WORKSHOP, Result, Way, by_turns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[1]
HEAVY = ("duckdb", "numpy", "onnxruntime", "PIL", "sqlglot", "tokenizers", "torch", "transformers", "tree_sitter")

_INSERT = "INSERT INTO MeetUp2025.Fish (FishID, Name, Model, Features) VALUES (?, ?, ?, TO_VECTOR(?, DOUBLE))"


def measure(folder: Path, photos: Path | None) -> Iterator[Result]:  # noqa: ARG001 - as the other subjects
    """
    Measure the import, the first answer ever and the first answer of a process, then with a model of 150 M parameters.
    """
    yield from _imports()
    picture = pictures.drawings(folder, 1)[0]
    ready = folder / "ready.duckdb"
    _identify(picture, ready)
    first, next_one = (
        Way(OURS, lambda: _identify(picture, _nothing(folder))),
        Way(OURS, lambda: _identify(picture, ready)),
    )
    yield from by_turns("identify, no database yet", first, runs=5)
    yield from by_turns("identify, database ready", next_one, aim=1.5)
    yield from _with_clip(folder, picture)


def _imports() -> Iterator[Result]:
    listing = f"import sys, meetup2025; print(*sorted({set(HEAVY)} & set(sys.modules)))"
    heavy = subprocess.run([sys.executable, "-c", listing], check=True, capture_output=True, text=True).stdout.strip()
    ours = Way(OURS, lambda: _python("import meetup2025"), note=f"heavy modules: {heavy or 'none'}")
    bare = Way("python alone", lambda: _python("pass"), note="contained in ours")
    yield from by_turns("import meetup2025", ours, bare, runs=15, aim=0.15)


def _with_clip(folder: Path, picture: Path) -> Iterator[Result]:
    what = "identify, model of 150 M parameters"
    if not clip.is_possible():
        yield Result(what, WORKSHOP, (), note="left out: needs torch, transformers and onnx")
        return
    published, own = folder / "published", folder / "clip"
    clip.write(published, own)
    database = folder / "clip.duckdb"
    url = _with_names(database)
    child = [sys.executable, "-m", "benchmarks.workshop", str(published), str(picture), url]
    ours = Way(OURS, lambda: _identify(picture, database, model=own), note="random weights, in ONNX Runtime")
    theirs = Way(WORKSHOP, lambda: _run(*child), note="random weights, in transformers")
    yield from by_turns(what, ours, theirs, runs=3, aim=1.5)


def _with_names(database: Path) -> str:
    """Make a database with 100 names of this model."""
    url = f"duckdb:///{database}"
    vectors = np.random.default_rng(0).normal(size=(100, clip.DIMENSION))
    rows = [(f"F{place}", f"name {place}", "clip@1", vector) for place, vector in enumerate(vectors)]
    with meetup2025.connect(url) as connection, connection.cursor() as cursor:
        cursor.executemany(_INSERT, rows)
        connection.commit()
    return url


def _nothing(folder: Path) -> Path:
    database = folder / "new.duckdb"
    database.unlink(missing_ok=True)
    return database


def _identify(picture: Path, database: Path, model: Path | None = None) -> None:
    command = shutil.which("meetup2025", path=str(Path(sys.executable).parent)) or "meetup2025"
    environment = {**os.environ, "MEETUP2025_URL": f"duckdb:///{database}"}
    if model:
        environment["MEETUP2025_MODEL"] = str(model)
    _run(command, "identify", str(picture), environment=environment)


def _python(code: str) -> None:
    _run(sys.executable, "-c", code)


def _run(*command: str, environment: Mapping[str, str] | None = None) -> None:
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
