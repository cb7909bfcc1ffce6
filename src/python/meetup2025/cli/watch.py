"""
The command `watch`: pictures of a folder are named as they arrive.

The table of the sightings knows by content what was seen. So the watcher keeps nothing, and can be killed at any time.
"""

from __future__ import annotations

import os
import queue
import sys
import time
from dataclasses import dataclass, field
from itertools import islice, takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from meetup2025.cli.options import (
    SOME_FAILED,
    common,
    complain,
    database,
    example,
    load_names_if_none,
    local,
    options,
    there,
)
from meetup2025.cli.serve import stopped_by_signals
from meetup2025.client import records, value
from meetup2025.errors import Error, MeetUpError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from watchdog.observers.api import BaseObserver

    from meetup2025.engines import Connection

_TURN = 0.25
"""Seconds that a turn waits for news of the folder."""

_AGAIN = 60.0
"""Seconds between two looks at the whole folder: the system may lose news, and a share has none."""

_BATCH, _HOLD = 32, 2.0
"""Most pictures, and seconds, for which the database is open at once: other programs wait meanwhile."""

_ADD = "SELECT MeetUp2025.AddSighting(?, ?, ?)"
_LATEST = """
SELECT TOP 1 FileName, Name, Chance, Sure, Score, Fault FROM MeetUp2025.Sightings()"""

State = tuple[int, int]
"""Size and time of a file."""


@dataclass
class Arrivals:
    """
    The files of a folder that arrive, and those of them that are written.

    Args:
        settle: Seconds without a change after which a file is taken for written.
        clock: Returns seconds, from a clock that nobody sets.
    """

    settle: float
    clock: Callable[[], float] = time.monotonic
    _done: dict[Path, State] = field(default_factory=dict)
    _waiting: dict[Path, tuple[State, float]] = field(default_factory=dict)

    def see(self, paths: Iterable[Path]) -> None:
        """Look at files. One that is new, or not as it was, waits until it is written."""
        now = self.clock()
        for path in paths:
            state = _state(path)
            before = self._waiting.get(path, (None, 0.0))[0]
            if state is None or state not in {before, self._done.get(path)}:
                self._waiting.pop(path, None)
                if state:
                    self._waiting[path] = (state, now)  # behind all that wait for longer

    def ready(self) -> list[Path]:
        """Return the files that have not changed for a while, the longest wait first, a batch at most."""
        end = self.clock() - self.settle
        settled = takewhile(lambda path: self._waiting[path][1] <= end, self._waiting)
        found = list(islice(settled, _BATCH))
        self.see(found)
        return [path for path in found if path in self._waiting and self._waiting[path][1] <= end]

    def done(self, path: Path) -> None:
        """Take a file as seen, in the state in which it was ready."""
        self._done[path] = self._waiting.pop(path)[0]

    def later(self, path: Path) -> None:
        """Let a file that failed wait behind the others."""
        self._waiting[path] = (self._waiting.pop(path)[0], self.clock())

    @property
    def is_waiting(self) -> bool:
        """Whether files wait."""
        return bool(self._waiting)


def _state(path: Path) -> State | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


@click.command(epilog=example("meetup2025 watch /data/camera", "meetup2025 watch /mnt/share --poll 10"))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--poll", metavar="SECONDS", type=click.FloatRange(min=0.1), help="Look at the folder each so many "
              "seconds, as for network shares. Without it, the system tells of new files.")  # fmt: skip
@click.option("--settle", metavar="SECONDS", type=click.FloatRange(min=0), default=1.0, show_default=True,
              help="Time without a change after which a file is taken for written.")  # fmt: skip
@click.option("--once", is_flag=True, help="End when all files that are there now are named.")
@common
def watch(folder: Path, poll: float | None, settle: float, *, once: bool) -> None:
    """
    Name the pictures of a folder as they arrive.

    Each picture becomes a sighting, once for its content, and a line on standard output. Files that are still being
    written wait. Broken ones are told once. SIGTERM and Ctrl-C end the command. Nothing is lost or named twice when it
    is killed: it finds what was not seen. The database is open for a few pictures at a time.
    """
    found = there(str(folder), "folder")
    with database(found) as connection:
        load_names_if_none(connection)
    if not Watching(found, Arrivals(settle), stopped_by_signals()).run(poll, once=once):
        sys.exit(SOME_FAILED)


class Watching:
    """
    A watch of a folder.

    Args:
        folder: The folder.
        arrivals: Its files.
        stop: Tells whether to end.
    """

    def __init__(self, folder: Path, arrivals: Arrivals, stop: Callable[[], bool]) -> None:
        self._folder, self._arrivals, self._stop = folder, arrivals, stop
        self._news: queue.Queue[Path] = queue.Queue()
        self._told = ""

    def run(self, poll: float | None, *, once: bool = False) -> bool:
        """Name pictures until the end. Return whether all is well then."""
        observer = _observer(self._folder, self._news.put) if not (poll or once) else None
        between = poll or _AGAIN
        looked = -between
        try:
            while not self._stop():
                if time.monotonic() - looked >= between:
                    looked = time.monotonic()
                    self._look()
                self._arrivals.see(self._new())
                self._name(self._arrivals.ready())
                if once and not self._arrivals.is_waiting:
                    break
        finally:
            if observer:
                observer.stop()
                observer.join()
        return not self._told

    def _look(self) -> None:
        """Look at the whole folder. One that is away, as a share that is not mounted, is told once."""
        if not self._folder.is_dir() or not os.access(self._folder, os.R_OK | os.X_OK):
            self._tell(f"The folder must be there. Got none at {self._folder}; waiting for it.")
            return
        from meetup2025.loading.folders import photo_paths

        self._arrivals.see(photo_paths(self._folder)[0])

    def _new(self) -> Iterator[Path]:
        """Yield the files of which the system tells, within a turn."""
        try:
            yield self._news.get(timeout=_TURN)
            while True:
                yield self._news.get_nowait()
        except queue.Empty:
            return

    def _name(self, paths: list[Path]) -> None:
        """
        Name pictures. If this fails, as with an encoder that is down or a full disk, they wait, and it is told once.
        """
        if not paths:
            return
        try:
            with database(self._folder, autocommit=True) as connection:
                end = time.monotonic() + _HOLD
                for path in paths:
                    self._name_one(connection, path)
                    if self._stop() or time.monotonic() > end:
                        break
        except MeetUpError as error:
            self._tell(str(error))
            time.sleep(_TURN)
        else:
            self._told = ""

    def _name_one(self, connection: Connection, path: Path) -> None:
        name = path.relative_to(self._folder).as_posix()
        try:
            is_new = value(connection, _ADD, [_sent(path), _shown(name), _shown(str(self._folder))])
        except MeetUpError:
            self._arrivals.later(path)
            raise
        self._arrivals.done(path)
        if is_new:
            _show(records(connection, _LATEST)[0])

    def _tell(self, message: str) -> None:
        if message != self._told:
            complain(message)
        self._told = message


def _sent(path: Path) -> str:
    """Return a picture as SQL takes it: its path, or its content for a server."""
    from meetup2025.cli import upload

    if options().is_embedded or local(str(path)) is None:
        return str(path)
    try:
        return upload.picture(path)
    except Error:  # the server tells what is wrong with it
        return upload.whole(path)


def _shown(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _show(row: dict[str, object]) -> None:
    if row["fault"]:
        complain(f"{row['filename']}: {row['fault']}")
        return
    chance = row["chance"] if row["chance"] is not None else row["score"]
    sure = {1: "sure", 0: "not sure"}.get(row["sure"], "by its name")  # type: ignore[call-overload]
    click.echo(f"{row['filename']}  {row['name']}  {chance:.2f}  {sure}")


def _observer(folder: Path, news: Callable[[Path], None]) -> BaseObserver:
    """Let the system tell of files that are new, changed or moved into a folder."""
    from watchdog.events import FileSystemEvent, FileSystemEventHandler
    from watchdog.observers import Observer

    from meetup2025.loading.folders import is_photo

    class Handler(FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            for name in (event.src_path, event.dest_path):
                path = Path(os.fsdecode(name))
                if name and not event.is_directory and is_photo(path.name):
                    news(path)

    observer = Observer()
    observer.schedule(Handler(), str(folder), recursive=True)
    observer.start()
    return observer
