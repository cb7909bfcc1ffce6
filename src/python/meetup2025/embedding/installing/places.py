"""
Folders of models that are whole or not there: written in another place, then renamed.

One program at a time installs or removes models. It holds a lock that ends with the program. So any work folder that is
there while the lock is free is left over from a stopped program, and is removed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from meetup2025 import settings
from meetup2025.errors import OperationalError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BESIDE = ".installing"

FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
"""Errors of a disk that has no room."""

_WAIT = 0.2


@contextmanager
def disk(model: str) -> Iterator[None]:
    """
    Raise failures of the disk as errors that say so.

    Raises:
        OperationalError: The disk is full, or the models folder cannot be written.
    """
    try:
        yield
    except OSError as exc:
        if exc.errno in FULL:
            got = f"Got {exc.strerror}; make room and try again"
            raise OperationalError(f"The model {model} must have room on the disk. {got}.") from exc
        got = f"Got, for {exc.filename}: {exc.strerror}; set MEETUP2025_MODELS to another"
        raise OperationalError(f"The models folder must be one that can be written. {got}.") from exc


@contextmanager
def locked(waiting: Callable[[], None] = lambda: None) -> Iterator[Path]:
    """
    Lock the models folder for this program, and remove leftovers of other programs.

    Args:
        waiting: Called once when another program holds the lock.

    Yields:
        A folder to work in.
    """
    beside = settings.models_folder() / BESIDE
    beside.mkdir(parents=True, exist_ok=True)
    with (beside / "lock").open("ab") as lock:
        if not _taken(lock.fileno()):
            waiting()
            while not _taken(lock.fileno()):
                time.sleep(_WAIT)
        _clear(beside)
        try:
            yield beside
        finally:
            _clear(beside)


def put(made: Path, target: Path) -> None:
    """Move a finished folder to its place in one step. It replaces the old folder."""
    for path in [*made.iterdir(), made]:
        _sync(path)
    if target.exists():
        target.rename(made.with_name("replaced"))
    made.rename(target)
    _sync(target.parent)


def take_out(folder: Path) -> None:
    """Remove the folder of a model in one step, then its files."""
    with locked() as beside:
        folder.rename(beside / "removed")


def _clear(beside: Path) -> None:
    for path in beside.iterdir():
        if path.is_dir():
            shutil.rmtree(path)


def _sync(path: Path) -> None:
    """Write a file or folder through to the disk. Windows cannot do this for a folder."""
    if path.is_dir() and sys.platform == "win32":
        return
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _taken(file: int) -> bool:
    """Try to take the lock."""
    with contextlib.suppress(BlockingIOError, PermissionError):
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False
