"""Surroundings: threads, signals, a full disk, missing folders, little memory, and very much of everything."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from harness import PROGRAM, Tally, folder, limited, part

import meetup2025

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from random import Random

_THREADS, _WORKS = 16, 12
_SIGNALS = 30
_FILES, _NAMES = 100_000, 20_000
_MEMORY = 4_000_000_000
_NAMED = "SELECT COUNT(*), MIN(Name), MAX(Name) FROM MeetUp2025.Fish"
_COMMANDS = (
    ["load", "names"], ["sql", "SELECT COUNT(*) FROM MeetUp2025.Fish"], ["identify", "samples/saba.png"],
    ["clusters", "Fish"], ["demo"],
)  # fmt: skip


@part
def surroundings(random: Random) -> Iterator[Tally]:
    """Take away what the program stands on, piece by piece."""
    for attack in (_threads, _interrupts, _full, _missing, _memory, _many):
        with folder() as place:
            yield attack(random, place)


def _threads(_: Random, place: Path) -> Tally:
    tally = Tally("threads on one file")
    outcome = limited(partial(_threaded, f"duckdb:///{place / 'fish.duckdb'}"), seconds=120, memory=_MEMORY)
    tally.add("threads", outcome)
    tally.check(outcome.told, outcome.told == f"[({_THREADS * _WORKS},)]")
    tally.tries = _THREADS * _WORKS
    return tally


def _threaded(url: str) -> list[tuple[int]]:
    """Write from many threads, each over connections of its own, and return the number of rows."""
    insert = "INSERT INTO MeetUp2025.FishImage (Name, Model, Features) VALUES (?, 'm', TO_VECTOR(?, DOUBLE))"
    vector = ",".join("1" * 512)

    def write(number: int) -> None:
        for work in range(_WORKS):
            with meetup2025.connect(url, autocommit=True) as connection:
                connection.cursor().execute(insert, [f"{number} {work}", vector])

    with meetup2025.connect(url) as kept, ThreadPoolExecutor(_THREADS) as threads:
        list(threads.map(write, range(_THREADS)))
        return kept.cursor().execute("SELECT COUNT(*) FROM MeetUp2025.FishImage").fetchall()


def _interrupts(random: Random, place: Path) -> Tally:
    """Send Ctrl-C at any moment: no traceback, and the file is as before or as after."""
    tally = Tally("Ctrl-C at any moment")
    url = f"duckdb:///{place / 'fish.duckdb'}"
    began = time.monotonic()
    _told(["load", "names", "--url", url])
    seconds = time.monotonic() - began
    for number in range(_SIGNALS):
        words = [*_COMMANDS[number % 4], "--url", url]
        with _started(words) as process:
            time.sleep(random.uniform(0.05, 1) * seconds)
            process.send_signal(signal.SIGINT)
            told = process.communicate(timeout=120)[1]
        tally.check(f"{words} ended with {process.returncode}: {told[-600:]}", _is_clean(process.returncode, told))
    found = limited(partial(_named, url), seconds=20, memory=_MEMORY)
    tally.check(f"the file: {found}", found.told.startswith("[(100,"))
    return tally


def _full(random: Random, place: Path) -> Tally:
    """Let files grow no larger than some size: the load fails with a sentence, and the file opens."""
    tally = Tally("no room on the disk")
    for _ in range(10):
        url = f"duckdb:///{place / f'{random.random()}.duckdb'}"
        size = random.randrange(10_000, 1_500_000)
        limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (size, size))
        code, told = _told(["load", "names", "--url", url], limit)
        tally.check(f"{size} bytes: {code} {told[-200:]}", _is_clean(code, told))
        found = limited(partial(_named, url), seconds=20, memory=_MEMORY)
        tally.check(f"after {size} bytes: {found}", found.kind not in {"foreign", "crash"})
    return tally


def _missing(_: Random, place: Path) -> Tally:
    """Leave out folders and streams: each command works, or says in one line what is missing."""
    tally = Tally("no HOME, no TMPDIR, no streams, folders that cannot be written")
    none = str(place / "none")
    homes = {"HOME": none, "XDG_DATA_HOME": none, "TMPDIR": none}
    for words in _COMMANDS:
        for name, variables in {
            "a folder that is not there": homes, "a folder that is none": dict.fromkeys(homes, "/dev/null"),
            "a folder that takes no files": dict.fromkeys(homes, "/proc"), "nothing at all": dict.fromkeys(homes, ""),
        }.items():  # fmt: skip
            code, told = _told(words, variables=variables)
            tally.check(f"{words}, {name}: {code} {told[-200:]}", _is_clean(code, told))
        for stream in (0, 1, 2):
            code, told = _told([*words, "--url", "duckdb://"], partial(os.close, stream))
            tally.check(f"{words}, without stream {stream}: {code} {told[-200:]}", _is_clean(code, told))
    for file in ("/proc/x.html", "/dev/full", str(place / "none" / "x.html"), str(place)):
        code, told = _told(["identify", "samples/saba.png", "--url", "duckdb://", "--html", file])
        tally.check(f"--html {file}: {code} {told[-200:]}", _is_clean(code, told))
    return tally


def _memory(_: Random, __: Path) -> Tally:
    """Give little memory: each command works, or says so in one line."""
    tally = Tally("little memory")
    for size in (300, 500, 700, 1_000, 1_500, 2_500):
        for words in _COMMANDS:
            limit = partial(resource.setrlimit, resource.RLIMIT_AS, (size * 1_000_000, size * 1_000_000))
            code, told = _told([*words, "--url", "duckdb://"], limit)
            tally.check(f"{words} with {size} MB: {code} {told[-300:]}", _is_clean(code, told))
    return tally


def _many(_: Random, place: Path) -> Tally:
    """Load a folder of very many files, and a catalogue of very many names."""
    tally = Tally("100,000 files, 20,000 names")
    photos = place / "photos"
    photos.mkdir()
    for number in range(_FILES):
        (photos / f"{number}.jpg").touch()
    lines = "".join(f"F{number},名{number}\n" for number in range(_NAMES))
    (place / "names.csv").write_text(f"FishID,Name\n{lines}", "utf-8")
    for call in (f"LoadImages('{photos}')", f"LoadNames('{place / 'names.csv'}')"):
        statement = f"SELECT MeetUp2025.{call}"
        outcome = limited(partial(_loaded, str(place), statement), seconds=300, memory=_MEMORY)
        tally.add(statement, outcome)
        tally.check(f"{statement}: {outcome}", outcome.kind == "done")
    return tally


def _loaded(place: str, statement: str) -> str:
    with meetup2025.connect("duckdb://", folders=[place]) as connection:
        return str(connection.cursor().execute(statement).fetchall())


def _named(url: str) -> str:
    with meetup2025.connect(url) as connection:
        return str(connection.cursor().execute(_NAMED).fetchall())


def _started(
    words: list[str], before: Callable[[], object] | None = None, variables: dict[str, str] | None = None
) -> subprocess.Popen[str]:
    """Start a command, with its messages in a pipe."""
    return subprocess.Popen(
        [*PROGRAM, *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        preexec_fn=before, env={**os.environ, **(variables or {})}, errors="replace",  # noqa: PLW1509
    )  # fmt: skip


def _told(
    words: list[str], before: Callable[[], object] | None = None, variables: dict[str, str] | None = None
) -> tuple[int, str]:
    """Run a command, and return its exit code and its messages."""
    with _started(words, before, variables) as process:
        told = process.communicate(timeout=300)[1]
        return process.returncode, told


def _is_clean(code: int, told: str) -> bool:
    """
    Check for an exit code of the program, and no traceback.

    Ctrl-C may hit Python before `__main__` of the program runs. The loader of the system says by itself, and with 127,
    that it has no memory.
    """
    if "KeyboardInterrupt" in told:
        return "meetup2025/__main__.py" not in told
    return code in {0, 1, 2, 3, 127, 130, 141, -signal.SIGINT} and "Traceback" not in told

