"""
The frame of the campaign: parts, attacks with limits of time and memory, kills, and the table at the end.

A part is a function with `@part`. It yields a `Tally` for each attack. `limited` runs a call in a process of its own.
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import meetup2025
from meetup2025 import Error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PARTS: dict[str, Callable[[Random], Iterator[Tally]]] = {}
"""Name of a part -> its function, in the order in which they run."""

MEGABYTE = 1_000_000
PROGRAM = (sys.executable, "-m", "meetup2025")


def part(function: Callable[[Random], Iterator[Tally]]) -> Callable[[Random], Iterator[Tally]]:
    """Add a part, under the name of its function."""
    PARTS[function.__name__] = function
    return function


@dataclass
class Outcome:
    """
    How a call ended.

    Attributes:
        kind: `done`, `refused` by an error of this project, or a fault: `foreign` error, `crash`, `slow`, `memory`.
        told: What the call returned, or the error.
        seconds: Seconds of the processor.
        peak: Bytes of memory that the call needed at most.
    """

    kind: str
    told: str
    seconds: float = 0.0
    peak: int = 0

    @property
    def is_fault(self) -> bool:
        """Whether it is neither done nor refused."""
        return self.kind not in {"done", "refused"}


@dataclass
class Tally:
    """The tries of an attack, its faults, and the worst time and memory of a try."""

    attack: str
    tries: int = 0
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0
    peak: int = 0

    def add(self, what: str, outcome: Outcome) -> None:
        """Count a call in a process of its own."""
        self.seconds, self.peak = max(self.seconds, outcome.seconds), max(self.peak, outcome.peak)
        self.check(f"{what}: {outcome.kind} {outcome.told}", not outcome.is_fault)

    def check(self, what: str, holds: Any, seconds: float = 0.0) -> None:
        """Count a try, which must hold."""
        self.tries += 1
        self.seconds = max(self.seconds, seconds)
        if not holds:
            self.faults.append(" ".join(what.split())[:600])

    @property
    def row(self) -> str:
        """The line of the table."""
        peak = f"{self.peak / MEGABYTE:.0f} MB" if self.peak else ""
        seconds = f"{self.seconds:.2f} s" if self.seconds else ""
        return f"| {self.attack} | {self.tries:,} | {len(self.faults)} | {seconds} | {peak} |"


def limited(call: Callable[[], object], *, seconds: float = 5, memory: int = 1000 * MEGABYTE) -> Outcome:
    """Run a call in a copy of this process, with a limit of processor seconds and of memory."""
    inlet, outlet = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(inlet)
        _limit(seconds, memory)
        os.write(outlet, _told(call)[:4000].encode("utf-8", "backslashreplace"))
        os._exit(0)
    os.close(outlet)
    told = _read(inlet, child, 10 * seconds + 20)
    _, status, usage = os.wait4(child, 0)
    kind, _, text = told.partition(" ")
    if not told or os.WIFSIGNALED(status):
        killed = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        kind, text = ("slow" if killed in {signal.SIGXCPU, signal.SIGKILL} else "crash"), f"signal {killed}"
    return Outcome(kind, text, usage.ru_utime + usage.ru_stime, max(0, usage.ru_maxrss * 1024 - _resident()))


def _limit(seconds: float, memory: int) -> None:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    size = pages * resource.getpagesize() + memory
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 1))


def _resident() -> int:
    """Return the bytes that a copy of this process has before its call."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * resource.getpagesize()


def _told(call: Callable[[], object]) -> str:
    try:
        return f"done {call()}"
    except Error as error:
        return f"refused {type(error).__name__}: {error}"
    except MemoryError:
        return "memory MemoryError"
    except BaseException as error:  # noqa: BLE001 - each other error is a fault
        place = traceback.extract_tb(error.__traceback__)[-1]
        return f"foreign {type(error).__name__}: {error} at {Path(place.filename).name}:{place.lineno}"


def _read(inlet: int, child: int, seconds: float) -> str:
    """Read what a copy tells. One that does not end is killed."""
    end, told = time.monotonic() + seconds, b""
    while True:
        if not select.select([inlet], [], [], max(0.0, end - time.monotonic()))[0]:
            os.kill(child, signal.SIGKILL)
        some = os.read(inlet, 65536)
        if not some:
            break
        told += some
    os.close(inlet)
    return told.decode("utf-8", "replace")


def killed(call: Callable[[], object], seconds: float) -> float | None:
    """
    Run a call in a copy of this process, and kill it after some seconds.

    Returns:
        Seconds of the call where it ended before the kill. None where the kill came first.
    """
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            call()
        os._exit(0)
    while time.monotonic() < began + seconds:
        if os.waitpid(child, os.WNOHANG)[0]:
            return time.monotonic() - began
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    return None if os.WIFSIGNALED(os.waitpid(child, 0)[1]) else time.monotonic() - began


def command(*words: str, seconds: float = 60, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the program."""
    given = {"text": True, "errors": "replace", "env": {**os.environ, **variables}, "timeout": seconds}
    return subprocess.run([*PROGRAM, *words], capture_output=True, check=False, **given)


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """Make a folder for a part, which goes with its end."""
    with tempfile.TemporaryDirectory(prefix="meetup2025-campaign-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def run(names: list[str], seed: int) -> int:
    """Run parts, print the table and the faults, and return the number of the faults."""
    print(f"seed {seed}", flush=True)
    meetup2025.connect("duckdb://").close()  # what this process has imported and translated, its copies have too
    tallies: list[Tally] = []
    for name in names:
        began = time.monotonic()
        tallies += _run_part(name, seed)
        print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)
    print("\n| attack | tries | faults | worst time | worst memory |\n|---|---:|---:|---:|---:|")
    print("\n".join(each.row for each in tallies))
    faults = [f"{each.attack}: {fault}" for each in tallies for fault in each.faults]
    if faults:
        print("\n" + "\n".join(faults))
    return len(faults)


def _run_part(name: str, seed: int) -> list[Tally]:
    """Run a part whole. A part that fails is a fault itself."""
    found: list[Tally] = []
    try:
        for tally in PARTS[name](Random(f"{seed} {name}")):
            found.append(tally)
            print(tally.row, flush=True)
    except Exception:  # noqa: BLE001 - the other parts run
        found.append(Tally(name, 1, [traceback.format_exc()]))
    return found
