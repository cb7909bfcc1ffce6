"""Results, and the one way to take them: several runs of all ways, turn by turn."""

from __future__ import annotations

import contextlib
import os
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OURS = "ours"
WORKSHOP = "workshop"


@dataclass(frozen=True)
class Result:
    """
    One work done in one way. Results with the same *what* are about the same work.

    Attributes:
        what: The work.
        way: `ours`, or the name of another way.
        values: Value of each run, in *unit*. There are none where the way was left out.
        unit: `s`, `MB` or the counted thing.
        processor: Seconds of processor of each run, of all threads and child processes.
        aim: The highest median that ours should have.
        note: Facts that a reader needs to read the numbers.
    """

    what: str
    way: str
    values: tuple[float, ...]
    unit: str = "s"
    processor: tuple[float, ...] = ()
    aim: float | None = None
    note: str = ""

    @property
    def median(self) -> float | None:
        """Middle value."""
        return statistics.median(self.values) if self.values else None

    @property
    def p95(self) -> float | None:
        """Value that 95 % of the runs reach or stay below, or None for fewer than 20 runs."""
        return statistics.quantiles(self.values, n=20, method="inclusive")[-1] if len(self.values) >= 20 else None


@dataclass(frozen=True)
class Way:
    """
    A way to do a work.

    Attributes:
        name: `ours`, or the name of another way.
        run: Does it once.
        scale: Factor of its times, where it runs on a sample only.
        note: As in `Result`.
    """

    name: str
    run: Callable[[], Any]
    scale: float = 1.0
    note: str = ""


def by_turns(what: str, *ways: Way, runs: int = 9, warm_up: int = 1, aim: float | None = None) -> Iterator[Result]:
    """
    Time several ways of one work.

    The ways take turns, so that other work of the machine affects all of them alike.

    Args:
        what: The work.
        ways: The ways to do it.
        runs: Number of runs of a way that count.
        warm_up: Number of earlier runs of a way that do not count.
        aim: Most seconds that ours should take.
    """
    taken: list[list[tuple[float, float]]] = [[] for _ in ways]
    for _ in range(warm_up + runs):
        for way, pairs in zip(ways, taken, strict=True):
            pairs.append(timed(way.run))
    for way, pairs in zip(ways, taken, strict=True):
        counted = [(wall * way.scale, own * way.scale) for wall, own in pairs[warm_up:]]
        values, processor = zip(*counted, strict=True)
        limit = aim if way.name == OURS else None
        yield Result(what, way.name, values, processor=processor, aim=limit, note=way.note)


def timed(run: Callable[[], Any]) -> tuple[float, float]:
    """Return the seconds of a run: by the clock, and of processor."""
    before, start = _processor(), time.perf_counter()
    run()
    wall = time.perf_counter() - start
    return wall, _processor() - before


def _processor() -> float:
    """Return the seconds of processor of this process and of its ended children (the latter in steps of 10 ms)."""
    children = os.times()
    return time.process_time() + children.children_user + children.children_system


def peak_memory() -> float:
    """Return the largest memory that this process has had so far, in MB."""
    import resource

    with contextlib.suppress(OSError, IndexError):  # elsewhere the parent may count
        status = Path("/proc/self/status").read_text("utf-8")
        return int(status.split("VmHWM:")[1].split()[0]) / (1e6 / 1024)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1e6 if sys.platform == "darwin" else 1e6 / 1024)
