"""
The database of the embedded engine: its file, its tables, and the tables of the classes.

The parts are, in order, `open_database`, which opens a file and forbids access to all other files, `StoredTables`, the
facts about the tables for a translation, and `create_tables`, which makes the tables of the classes from IRIS DDL,
translated as any other statement.
"""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from meetup2025 import errors, settings
from meetup2025.engines.classes.records import sql_type
from meetup2025.engines.duckdb.errors import duckdb_errors
from meetup2025.engines.duckdb.matrices import Matrices
from meetup2025.engines.duckdb.translate import SETTINGS, to_duckdb
from meetup2025.engines.duckdb.types import duckdb_type
from meetup2025.engines.sql import parse
from meetup2025.errors import ClassSyntaxError, EngineUnavailableError
from meetup2025.iris_process import uninterrupted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import duckdb

    from meetup2025.engines.classes.program import Program
    from meetup2025.engines.classes.records import Class, Index, Property

_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
}

_MATRICES: dict[str, Matrices] = {}
"""The matrices of each open database, by the name that DuckDB shares it by."""

_NAME = "%database"
"""DuckDB would name the database after its file, and take `meetup2025.duckdb` for the schema of that name."""


def open_database(path: str, *, read_only: bool = False) -> tuple[duckdb.DuckDBPyConnection, Matrices]:
    """
    Open a database file, or make it. An empty *path* opens a database in memory.

    Returns:
        The connection, and the matrices that all connections of this process to the database share.

    Raises:
        FileInUseError: Another process has the file.
        EngineUnavailableError: The file cannot be opened.
    """
    with uninterrupted():
        import duckdb

    file = settings.expanded(path)
    if path and not read_only:
        _make_folder(file)
    is_private = bool(path) and (not file.exists() or settings.is_data_folder(file.parent))
    location = str(file.resolve()) if path else ":memory:"
    # DuckDB shares a named database in memory, and the file that is attached to it, between the connections of a
    # process.
    host = f":memory:{'reading ' * read_only}{location}" if path else ":memory:"
    with _opening(file), duckdb_errors():
        database = duckdb.connect(host, config={**_CONFIG, **SETTINGS})
        try:
            is_first = _attach(database, location, read_only=read_only)
        except BaseException:
            database.close()
            raise
    if is_private and not read_only:  # it holds small copies of photos
        with contextlib.suppress(OSError):  # a file system without modes
            file.chmod(0o600)
    if is_first:  # what an earlier connection knew of the file may be wrong
        _MATRICES[host] = Matrices()
    return database, _MATRICES[host]


def _attach(database: duckdb.DuckDBPyConnection, location: str, *, read_only: bool) -> bool:
    """Attach the file, unless another connection of this process has it, and return whether it was attached now."""
    attached = database.execute("SELECT 1 FROM duckdb_databases() WHERE database_name = $1", [_NAME]).fetchall()
    if not attached:
        quoted = location.replace("'", "''")
        mode = ", READ_ONLY" * read_only
        database.execute(f"ATTACH '{quoted}' AS \"{_NAME}\" (TYPE duckdb{mode})")
    database.execute(f'USE "{_NAME}"')
    database.execute("SET enable_progress_bar = false")  # it would write into the output of a notebook
    if not attached:
        # From here on DuckDB opens no other file: SQL reaches files through the functions of this package alone.
        database.execute("SET enable_external_access = false")
    return not attached


@contextlib.contextmanager
def _opening(file: Path) -> Iterator[None]:
    """Name the file that cannot be opened. DuckDB opens an SQLite file, and fails on it later."""
    try:
        yield
    except EngineUnavailableError:
        raise
    except errors.Error as error:
        message = f"The database must be a file of this program that can be opened. Got {file.name}: {error}"
        raise EngineUnavailableError(message) from error


def _make_folder(file: Path) -> None:
    try:
        settings.make_private(file.parent)
    except OSError as error:
        raise EngineUnavailableError(
            f"The folder of a database must be one that can be made. Got {file.parent}: {error.strerror}."
        ) from error


class StoredTables:
    """
    The tables and views of a database, read once and kept.

    `forget` is called after a statement of this connection that may have changed them. An unknown table is looked up
    again, because another connection may have made it.
    """

    def __init__(self, database: duckdb.DuckDBPyConnection) -> None:
        self._database = database
        self._columns: dict[tuple[str, str], dict[str, str]] = {}
        self._tables: set[tuple[str, str]] = set()

    def columns(self, schema: str, table: str) -> dict[str, str] | None:
        """Return the columns of a table or view as name -> DuckDB type, or None if there is no such table."""
        key = (schema.lower(), table.lower())
        if key not in self._columns:
            self.read()
        return self._columns.get(key)

    def hides_id(self, schema: str, table: str) -> bool:
        """Return whether `SELECT *` leaves out the RowID: true of a table, false of a view."""
        return (schema.lower(), table.lower()) in self._tables

    def forget(self) -> None:
        """Read the tables again when they are needed next."""
        self._columns, self._tables = {}, set()

    def read(self) -> dict[tuple[str, str], dict[str, str]]:
        """
        Read the tables of this database again, without the tables of DuckDB itself.

        Returns:
            The columns of each table by its schema and name in lower case.
        """
        self.forget()
        for schema, table, column, kind in self._rows(
            "SELECT lower(schema_name), lower(table_name), column_name, data_type FROM duckdb_columns() "
            f"WHERE NOT internal AND database_name = '{_NAME}' ORDER BY column_index"
        ):
            self._columns.setdefault((schema, table), {})[column] = kind
        tables = f"SELECT lower(schema_name), lower(table_name) FROM duckdb_tables() WHERE database_name = '{_NAME}'"
        self._tables.update(self._rows(tables))
        return self._columns

    def _rows(self, sql: str) -> list[Any]:
        return self._database.execute(sql).fetchall()


def create_tables(
    database: duckdb.DuckDBPyConnection, program: Program, stored: StoredTables, *, read_only: bool = False
) -> None:
    """
    Create the tables of *program* that are missing, in one transaction. A file that is only read must have them.

    Raises:
        EngineUnavailableError: There is a table of such a name that is not the table of the class, or a file that is
            only read lacks a table or a column.
    """
    with duckdb_errors():
        present = stored.read()
        missing, added = [], []
        for each in program.tables.values():
            columns = present.get((each.package.lower(), each.sql_name.lower()))
            _check_columns(each, columns)
            missing += [each] if columns is None else []
            added += _added(each, columns) if columns is not None else []
        if read_only and (missing or added):
            raise EngineUnavailableError(
                "A database that is only read must be of this version. Got an older file: open it for writing once."
            )
        if missing or added:
            created = [sql for each in missing for sql in _in_duckdb(tuple(statements_of(each)))]
            database.begin()
            database.execute(";\n".join([*added, *created]))
            database.commit()
            stored.forget()


def _added(table: Class, columns: dict[str, str]) -> list[str]:
    """Return the statements that add the columns of a newer version, which may be empty, to a table of an older one."""
    name = f'"{table.package}"."{table.sql_name}"'
    return [
        f'ALTER TABLE {name} ADD COLUMN "{each.sql_name}" {_IN_DUCKDB[_sql_type(table, each).partition("(")[0]]}'
        for each in table.properties
        if each.sql_name not in columns
    ]


_IN_DUCKDB = {"VARCHAR": "VARCHAR COLLATE NOCASE", "INTEGER": "INTEGER", "DOUBLE": "DOUBLE"}
"""Types of columns that a newer version may add."""


@functools.cache
def _in_duckdb(statements: tuple[str, ...]) -> tuple[str, ...]:
    """Translate the statements that create a table and its indexes: once for all databases that a process opens."""
    create, *indexes = map(parse, statements)
    schema = _NewTable(create)
    return tuple(sql for each in (create, *indexes) for sql in to_duckdb(each, schema))


class _NewTable:
    """The schema that the indexes of a table are translated with before the table is made."""

    def __init__(self, create: exp.Expr) -> None:
        self._columns = {each.name: duckdb_type(each.args["kind"]) for each in create.find_all(exp.ColumnDef)}

    def columns(self, _schema: str, _table: str) -> dict[str, str]:
        """Return the columns of the table as name -> DuckDB type."""
        return self._columns

    def hides_id(self, _schema: str, _table: str) -> bool:
        """Return whether `SELECT *` leaves out the RowID, as it does for a table."""
        return True


def _check_columns(table: Class, columns: dict[str, str] | None) -> None:
    """Compare a table with its class: a file may be of another program, or of another version of this one."""
    required = {each.sql_name for each in table.properties if "Required" in each.keywords}
    lacking = required - set(columns or ())
    if columns is not None and lacking:
        raise EngineUnavailableError(
            f"The database must be of this program and version. Its table {table.package}.{table.sql_name} has no "
            f"{', '.join(sorted(lacking))}: choose another file."
        )


def statements_of(table: Class) -> Iterator[str]:
    """Yield the IRIS DDL that creates the table of a class."""
    name = f"{table.package}.{table.sql_name}"
    columns = ", ".join(f"{each.sql_name} {_sql_type(table, each)}" for each in table.properties)
    yield f"CREATE TABLE {name} ({columns})"
    for index in table.indexes:
        if index.properties:
            yield _index(name, index)


def _sql_type(table: Class, column: Property) -> str:
    written = sql_type(column.type, column.parameters)
    if written is None:
        raise ClassSyntaxError(f"{table.path}: {column.name} has the type {column.type}, which no engine here knows")
    return f"{written} NOT NULL" if "Required" in column.keywords else written


def _index(table: str, index: Index) -> str:
    columns = ", ".join(index.properties)
    if index.type == "%SQL.Index.HNSW":
        return (
            f"CREATE INDEX {index.name} ON TABLE {table} ({columns}) AS HNSW(Distance='{index.parameters['Distance']}')"
        )
    unique = "UNIQUE " if "Unique" in index.keywords else ""
    return f"CREATE {unique}INDEX {index.name} ON TABLE {table} ({columns})"
