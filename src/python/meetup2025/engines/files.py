"""
The file of an embedded database: made, opened and shut off from all other files.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from meetup2025 import errors
from meetup2025.engines.failures import translated
from meetup2025.errors import EngineUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
}

_NAME = "%database"
"""DuckDB would name the database after its file, and mistake `meetup2025.duckdb` for the schema of that name."""


def open_database(path: str) -> duckdb.DuckDBPyConnection:
    """
    Open a file, made when it is not there, or a database in memory where *path* is empty.

    Raises:
        EngineUnavailableError: It cannot be opened, or another process has it.
    """
    import duckdb

    from meetup2025.engines.translate import SETTINGS

    file = Path(path).expanduser()
    if path:
        _make_folder(file)
    location = str(file.resolve()) if path else ":memory:"
    # DuckDB shares a named database in memory, and so the file attached to it, between the connections of a process.
    host = f":memory:{location}" if path else ":memory:"
    with _opening(file), translated():
        database = duckdb.connect(host, config={**_CONFIG, **SETTINGS})
        try:
            _attach(database, location)
        except BaseException:
            database.close()
            raise
    return database


def _attach(database: duckdb.DuckDBPyConnection, location: str) -> None:
    attached = database.execute("SELECT 1 FROM duckdb_databases() WHERE database_name = $1", [_NAME]).fetchall()
    if not attached:
        quoted = location.replace("'", "''")
        database.execute(f"ATTACH '{quoted}' AS \"{_NAME}\" (TYPE duckdb)")
    database.execute(f'USE "{_NAME}"')
    database.execute("SET enable_progress_bar = false")  # it would write into the output of a notebook
    if not attached:
        # From here on no file but its own: SQL reaches others only through the functions of this package.
        database.execute("SET enable_external_access = false")


@contextlib.contextmanager
def _opening(file: Path) -> Iterator[None]:
    """Say which file it is that cannot be opened, whatever DuckDB makes of it: it takes an SQLite file for its own."""
    try:
        yield
    except EngineUnavailableError:
        raise
    except errors.Error as error:
        message = f"The database must be a file of this program that can be opened. Got {file.name}: {error}"
        raise EngineUnavailableError(message) from error


def _make_folder(file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise EngineUnavailableError(
            f"The folder of a database must be one that can be made. Got {file.parent}: {exc.strerror}."
        ) from exc
