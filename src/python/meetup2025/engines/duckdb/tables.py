"""
The tables of the classes on DuckDB.

The declarations become IRIS DDL and go through the same translation as any statement.

The file of an embedded database: made, opened and shut off from all other files.
"""

from __future__ import annotations

import contextlib
import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meetup2025 import errors
from meetup2025.engines.classes.records import sql_type
from meetup2025.engines.duckdb.errors import translated
from meetup2025.errors import ClassSyntaxError, EngineUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb
    from sqlglot import exp

    from meetup2025.engines.classes.program import Program
    from meetup2025.engines.classes.records import Class, Index, Property


class StoredTables:
    """
    The tables and views of a database, read once and kept: what a translation must know of them.

    `forget` is called when a statement of this connection may have changed them; a table that is not known is looked
    for again, since another connection may have made it.
    """

    def __init__(self, database: duckdb.DuckDBPyConnection) -> None:
        self._database = database
        self._columns: dict[tuple[str, str], dict[str, str]] = {}
        self._tables: set[tuple[str, str]] = set()

    def columns(self, schema: str, table: str) -> dict[str, str] | None:
        """Find the columns of a table or view and their DuckDB types; None when there is no such table."""
        key = (schema.lower(), table.lower())
        if key not in self._columns:
            self.read()
        return self._columns.get(key)

    def hides_id(self, schema: str, table: str) -> bool:
        """Tell whether `SELECT *` leaves the RowID out: it does for a table, not for a view."""
        return (schema.lower(), table.lower()) in self._tables

    def forget(self) -> None:
        """Read the tables again when they are next asked for."""
        self._columns, self._tables = {}, set()

    def read(self) -> dict[tuple[str, str], dict[str, str]]:
        """Read the tables again, and return the columns of each by its schema and name in lower case."""
        self.forget()
        for schema, table, column, kind in self._rows(
            "SELECT lower(schema_name), lower(table_name), column_name, data_type FROM duckdb_columns() "
            "WHERE NOT internal OR schema_name = 'information_schema' ORDER BY column_index"
        ):
            self._columns.setdefault((schema, table), {})[column] = kind
        self._tables.update(self._rows("SELECT lower(schema_name), lower(table_name) FROM duckdb_tables()"))
        return self._columns

    def _rows(self, sql: str) -> list[Any]:
        return self._database.execute(sql).fetchall()


def create_tables(database: duckdb.DuckDBPyConnection, program: Program, stored: StoredTables) -> None:
    """
    Create the tables of *program* that are not there yet, in one transaction.

    Raises:
        EngineUnavailableError: A table of such a name is there that is not of the class.
    """
    with translated():
        present = stored.read()
        missing = []
        for each in program.tables.values():
            columns = present.get((each.package.lower(), each.sql_name.lower()))
            _check_columns(each, columns)
            missing += [each] if columns is None else []
        if missing:
            database.begin()
            database.execute(";\n".join(sql for each in missing for sql in _in_duckdb(tuple(statements_of(each)))))
            database.commit()


@functools.cache
def _in_duckdb(statements: tuple[str, ...]) -> tuple[str, ...]:
    """Translate the statements that create a table and its indexes: once for all databases that a process opens."""
    from meetup2025.engines.duckdb.translate import to_duckdb
    from meetup2025.engines.sql import parse

    create, *indexes = map(parse, statements)
    schema = _NewTable(create)
    return tuple(sql for each in (create, *indexes) for sql in to_duckdb(each, schema))


class _NewTable:
    """The schema that the indexes of a table are translated with before the table is made."""

    def __init__(self, create: exp.Expr) -> None:
        from sqlglot.expressions import ColumnDef

        from meetup2025.engines.duckdb.types import duckdb_type

        self._columns = {each.name: duckdb_type(each.args["kind"]) for each in create.find_all(ColumnDef)}

    def columns(self, _schema: str, _table: str) -> dict[str, str]:
        """Return the columns of the table as name -> DuckDB type."""
        return self._columns

    def hides_id(self, _schema: str, _table: str) -> bool:
        """Return whether `SELECT *` leaves out the RowID, as it does for a table."""
        return True


def _check_columns(table: Class, columns: dict[str, str] | None) -> None:
    """Hold a table that is there to its class: a file may be of another program, or of another version of this one."""
    lacking = {each.sql_name for each in table.properties} - set(columns or ())
    if columns is not None and lacking:
        raise EngineUnavailableError(
            f"The database must be of this program and version. Its table {table.package}.{table.sql_name} has no "
            f"{', '.join(sorted(lacking))}: choose another file."
        )


def statements_of(table: Class) -> Iterator[str]:
    """Give the IRIS DDL that creates the table of a class."""
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

    from meetup2025.engines.duckdb.translate import SETTINGS

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
