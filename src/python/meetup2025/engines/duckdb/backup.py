"""A copy of a database file, while other programs use the file in turns."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from meetup2025.engines.duckdb import DuckDBConnection
from meetup2025.errors import InterfaceError, OperationalError

_COPY = """
import os, shutil, sys
shutil.copyfile(*sys.argv[1:])
with open(sys.argv[2], "rb+") as copy:
    os.fsync(copy.fileno())
"""


def back_up(path: str, target: Path, wait: float) -> int:
    """
    Copy a database file, whole or not at all.

    The file is held meanwhile, so that nobody writes. Another process copies it: a process that closes a file loses its
    own lock on it.

    Args:
        path: The file of the database.
        target: The copy. It must not exist.
        wait: Seconds to wait for another program that has the file.

    Returns:
        Size of the copy in bytes.

    Raises:
        InterfaceError: There is no database, or the copy exists.
        FileInUseError: Another program has the file for longer.
        OperationalError: The copy cannot be written, as on a full disk.
    """
    source = Path(path).expanduser().resolve()
    if not path or not source.is_file():
        raise InterfaceError(f"A database to back up must be a file. Got {path or 'a database in memory'}.")
    if target.exists():
        raise InterfaceError(f"A backup must be a new file. Got {target}, which exists.")
    part = target.with_name(f"{target.name}.part")
    try:
        with DuckDBConnection(str(source), wait=wait) as connection:
            connection.checkpoint()
            _copy(source, part)
        DuckDBConnection(str(part), read_only=True).close()  # a copy that does not open is none
        part.replace(target)
    finally:
        with suppress(OSError):
            part.unlink()
    return target.stat().st_size


def _copy(source: Path, part: Path) -> None:
    done = subprocess.run(  # noqa: S603 - this Python
        [sys.executable, "-c", _COPY, str(source), str(part)], check=False, capture_output=True, text=True
    )
    if done.returncode:
        reason = done.stderr.strip().rpartition("\n")[2]
        raise OperationalError(f"A backup must be written whole. Got {part}: {reason}.")
