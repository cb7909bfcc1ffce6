"""A folder of pictures with a Ray cluster of this machine alone: the cost of the detour."""

from __future__ import annotations

import importlib.util
import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import pictures
from benchmarks.measure import OURS, Result, Way, by_turns

if TYPE_CHECKING:
    from collections.abc import Iterator

COUNTS = (100, 1000)


def measure(folder: Path, photos: Path | None) -> Iterator[Result]:  # noqa: ARG001 - as the other subjects
    """Load into a new database by the command line, from its start to its end."""
    fresh = (f"duckdb:///{folder / f'{place}.duckdb'}" for place in itertools.count())
    for count in COUNTS:
        what = f"load photos, {count:,} pictures"
        if importlib.util.find_spec("ray") is None:
            yield Result(what, "--ray local", (), note="left out: needs the extra ray")
            continue
        drawn = folder / str(count)
        drawn.mkdir()
        pictures.drawings(drawn, count)
        yield from by_turns(
            what,
            Way(OURS, lambda drawn=drawn: _load(drawn, next(fresh))),  # type: ignore[misc]
            Way("--ray local", lambda drawn=drawn: _load(drawn, next(fresh), "--ray", "local"), note=_NOTE),  # type: ignore[misc]
            runs=3,
            warm_up=0,
        )


_NOTE = f"{os.cpu_count()} processors; its processor column lacks the workers"


def _load(folder: Path, url: str, *more: str) -> None:
    command = shutil.which("meetup2025", path=str(Path(sys.executable).parent)) or "meetup2025"
    subprocess.run([command, "load", "photos", str(folder), "--url", url, *more], check=True, capture_output=True)
