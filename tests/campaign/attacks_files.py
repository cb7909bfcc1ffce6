"""Files: paths that lead out of the allowed folder, and a folder that is exchanged with a link all the time."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import time
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

from harness import Tally, folder, limited, part
from pictures import corners, encoded

import meetup2025
from meetup2025 import files
from meetup2025.errors import ForbiddenPathError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from random import Random

_OPENS = 12_000
_SECONDS = 40
_SECRET = b"secret of another folder"
_CALLS = (
    "SELECT MeetUp2025.EmbedImage(?)", "SELECT MeetUp2025.AddImage('a', ?)", "SELECT MeetUp2025.LoadNames(?)",
    "SELECT MeetUp2025.LoadImages(?)", "SELECT MeetUp2025.LoadVectors(?, 'Fish', 'm')",
)  # fmt: skip


@part
def paths(random: Random) -> Iterator[Tally]:
    """Ask for files outside of the allowed folder by SQL, and race its folders with links."""
    with folder() as place:
        allowed = _laid_out(place)
        yield _escapes(random, allowed)
        yield _race(allowed)


def _laid_out(place: Path) -> Path:
    """Make an allowed folder with traps, beside a folder with secrets."""
    allowed, secret = place / "photos", place / "secret"
    (allowed / "deep").mkdir(parents=True)
    secret.mkdir()
    (allowed / "deep" / "eel.png").write_bytes(encoded(corners()))
    for name in ("eel.png", "fish.csv"):
        (secret / name).write_bytes(_SECRET)
    for name, target in {"link": secret, "file.png": secret / "eel.png", "loop": "loop", "proc": "/proc/self"}.items():
        (allowed / name).symlink_to(target)
    os.mkfifo(allowed / "fifo.png")
    before = os.getcwd()  # noqa: PTH109
    os.chdir(allowed)
    with closing(socket.socket(socket.AF_UNIX)) as server:
        server.bind("socket.png")
    os.chdir(before)
    return allowed


def _escapes(random: Random, allowed: Path) -> Tally:
    tally = Tally("paths out of the folder × functions of SQL")
    forbidden = sorted({*_forbidden(random, allowed)})
    for sql in _CALLS:
        for start in range(0, len(forbidden), 50):
            some = forbidden[start : start + 50]
            outcome = limited(partial(_asked, str(allowed), sql, some), seconds=20, memory=4_000_000_000)
            tally.add(sql, outcome)
            tally.check(f"{sql}: {outcome.told}", outcome.told == "[]")
            tally.tries += len(some) - 2
    return tally


def _forbidden(random: Random, allowed: Path) -> Iterator[str]:
    secret = allowed.parent / "secret"
    ways = ["..", "deep/..", "./..", "deep/../..", "link", "link/.", "proc/root", "proc/cwd", "deep//..//..", "..\0"]
    targets = ["", "secret", "secret/eel.png", "secret/fish.csv", "etc/passwd", "photos/../secret/eel.png", "eel\0.x"]
    yield from (f"{way}/{target}" for way in ways for target in targets)
    yield from (f"{allowed}/{way}/{target}" for way in ways for target in targets)
    yield from (str(secret / name) for name in ("", "eel.png", "fish.csv"))
    yield from ("file.png", "fifo.png", "socket.png", "loop", "loop/eel.png", "/dev/zero", "/dev/stdin")
    yield from ("/proc/self/mem", "/etc/passwd", "//etc/passwd", "file:///etc/passwd", "~root/.bashrc", "..\\secret")
    yield from ("x" * 300, "a/" * 3_000, "ＥＥＬ.png", "..／secret", "\ud800.png", "eel.png ", "deep/eel.png/", "")
    for _ in range(120):
        yield "/".join(random.choice(["..", ".", "deep", "link", "proc", "secret", "eel.png", ""]) for _ in range(6))


def _asked(allowed: str, sql: str, some: list[str]) -> list[str]:
    """Return what a function answered for forbidden paths, but the picture that is allowed."""
    answered = []
    with meetup2025.connect("duckdb://", folders=[allowed]) as connection, connection.cursor() as cursor:
        for path in some:
            try:
                found = cursor.execute(sql, [path]).fetchall()
            except meetup2025.Error as error:
                connection.rollback()
                if _SECRET.decode() in str(error):
                    answered.append(f"{path!r}: {error}")
                continue
            if not _is_allowed(allowed, path):
                answered.append(f"{path!r}: {str(found)[:60]}")
    return answered


def _is_allowed(allowed: str, path: str) -> bool:
    found = os.path.realpath(os.path.join(allowed, path))  # noqa: PTH118 - as strings: with `..`, as the program has it
    return found == allowed or found.startswith((f"{allowed}/", str(files.PACKAGE)))


def _race(allowed: Path) -> Tally:
    """Open a file while another process exchanges its folder with a link, as fast as it can, in several rhythms."""
    tally = Tally("opens while the folder and a link are exchanged")
    os.environ["MEETUP2025_PHOTOS"] = str(allowed)
    exchange = _exchanger()
    if exchange is None:
        return tally
    given, end = {"file": 0, "refused": 0}, time.monotonic() + _SECONDS
    for pause in (0, 200, 2_000, 20_000):
        child = os.fork()
        if child == 0:
            _exchange_for_ever(exchange, allowed, pause)
        try:
            for _ in range(_OPENS // 4):
                found = _opened("deep/eel.png")
                given["refused" if found is None else "file"] += 1
                tally.check(f"read {found!r}", found != _SECRET)
                if time.monotonic() > end:
                    break
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    tally.check(f"the race must have been one: {given}", all(given.values()))
    del os.environ["MEETUP2025_PHOTOS"]
    return tally


def _opened(path: str) -> bytes | None:
    try:
        with files.open_below(path) as file:
            return file.read(len(_SECRET))
    except ForbiddenPathError:
        return None


def _exchange_for_ever(exchange: Callable[[bytes, bytes], Any], allowed: Path, pause: int) -> None:
    one, other = bytes(allowed / "deep"), bytes(allowed / "link")
    while True:
        exchange(one, other)
        for _ in range(pause):
            pass


def _exchanger() -> Callable[[bytes, bytes], Any] | None:
    """Return what exchanges two names in one step (renameat2), which Linux has."""
    library = ctypes.CDLL(None)
    if not hasattr(library, "renameat2"):
        return None
    return lambda one, other: library.renameat2(-100, one, -100, other, 2)
