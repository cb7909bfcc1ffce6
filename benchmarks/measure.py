"""
Results, and the one way they are taken: several runs of each way, turn by turn.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OURS = "ours"
WORKSHOP = "workshop"


@dataclass(frozen=True)
class Result:
    """
    One thing done in one way; results with the same *what* are of the same thing.

    Attributes:
        what: The thing.
        way: `ours`, or who else's.
        values: One for each run, in *unit*; none when it was left out.
        unit: `s`, `MB` or what is counted.
        processor: Seconds of processor for each run, of all threads and child processes.
        aim: The most that ours should have, as the median.
        note: What a reader must know to read the numbers.
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
        """Value that 95 % of the runs reach or stay below; None for fewer than 20 runs."""
        return statistics.quantiles(self.values, n=20, method="inclusive")[-1] if len(self.values) >= 20 else None


@dataclass(frozen=True)
class Way:
    """
    A way to do a thing.

    Attributes:
        name: `ours`, or who else's.
        run: Does it once.
        scale: What its times are multiplied by, where it runs on a sample only.
        note: As in `Result`.
    """

    name: str
    run: Callable[[], Any]
    scale: float = 1.0
    note: str = ""


def by_turns(what: str, *ways: Way, runs: int = 9, warm_up: int = 1, aim: float | None = None) -> Iterator[Result]:
    """
    Time several ways of one thing.

    The ways take turns, so that what else the machine does meets all of them alike.

    Args:
        what: The thing.
        ways: The ways to do it.
        runs: Number of runs of each that count.
        warm_up: Number of runs of each, before these, that do not count.
        aim: The most seconds that ours should take.
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
    """Give the seconds of a run: by the clock, and of processor."""
    before, start = _processor(), time.perf_counter()
    run()
    wall = time.perf_counter() - start
    return wall, _processor() - before


def _processor() -> float:
    """Give the seconds of processor of this process and of its children that ended (these in steps of 10 ms)."""
    children = os.times()
    return time.process_time() + children.children_user + children.children_system


def peak_memory() -> float:
    """Give the largest memory that this process has had so far, in MB."""
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1e6 if sys.platform == "darwin" else 1e6 / 1024)
