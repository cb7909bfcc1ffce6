"""
The subjects, each run in a process of its own: none warms up another, or adds to its memory.
"""

from __future__ import annotations

import importlib
import multiprocessing
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.measure import Result

SUBJECTS = (
    *("cold", "warm", "jpeg", "load", "many", "search", "table", "serve"),
    *("groups", "maps", "recognition", "model", "ready", "web"),
)


def run(name: str, photos: Path | None) -> list[Result]:
    """
    Run a subject.

    Args:
        name: One of `SUBJECTS`: the module that measures it.
        photos: Folder of photos of the user, if there is one.
    """
    with (
        tempfile.TemporaryDirectory(prefix="meetup2025-") as folder,
        ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process,
    ):
        return process.submit(_measure, name, Path(folder), photos).result()


def _measure(name: str, folder: Path, photos: Path | None) -> list[Result]:
    # DuckDB takes a process whose main module has no file for a person at a prompt, and shows a progress bar.
    sys.modules["__main__"].__file__ = __file__
    return list(importlib.import_module(f"benchmarks.{name}").measure(folder, photos))
