"""
The embedded engine: IRIS SQL and the classes of this package on DuckDB, as a PEP 249 connection.

One `DuckDBConnection` is one session of one thread. A file belongs to one process at a time.

What PEP 249 leaves open: rows are tuples; a vector is comma-separated text, as IRIS gives it; `execute` returns the
cursor; a SELECT opens no transaction. Where DuckDB differs from IRIS and cannot be bent: after an error in a
transaction that has changes, the only way on is to roll it back.
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from inspect import Parameter, Signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typing_extensions import Self

from meetup2025 import errors
from meetup2025.engines import running
from meetup2025.engines.cursor import DuckDBCursor
from meetup2025.engines.failures import translated
from meetup2025.engines.program import program
from meetup2025.engines.tables import StoredTables, create_tables
from meetup2025.errors import EngineUnavailableError, InterfaceError, OperationalError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import duckdb

    from meetup2025.engines.prepared import Prepared

_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
}

# The functions are called for NULL too, as in IRIS.
_SPECIAL_NULLS: Any = "special"

_NAME = "%database"
"""DuckDB would name the database after its file, and mistake `meetup2025.duckdb` for the schema of that name."""

_SAME_CODES: Mapping[int, int] = {}

_OPENING = threading.Lock()

_STATEMENTS_KEPT = 200


class DuckDBConnection:
    """
    A session of a DuckDB database that holds the tables of the classes.

    Args:
        path: The file, made when it is not there; empty for a database in memory.
        autocommit: Whether each statement is its own transaction.

    Raises:
        EngineUnavailableError: The file cannot be opened, or another process has it.
    """

    # The optional extension of PEP 249: the exceptions as attributes.
    Warning = errors.Warning
    Error = errors.Error
    InterfaceError = errors.InterfaceError
    DatabaseError = errors.DatabaseError
    DataError = errors.DataError
    OperationalError = errors.OperationalError
    IntegrityError = errors.IntegrityError
    InternalError = errors.InternalError
    ProgrammingError = errors.ProgrammingError
    NotSupportedError = errors.NotSupportedError

    def __init__(self, path: str = "", *, autocommit: bool = False) -> None:
        self.autocommit = autocommit
        self._program = program()
        self._statements: dict[str, Prepared] = {}
        self._in_transaction = False
        self._failed = False
        self._reading: DuckDBCursor | None = None
        self._raised: BaseException | None = None
        self._row_functions: set[str] = set()
        self._database: duckdb.DuckDBPyConnection | None = _open(path)
        self._tables = StoredTables(self._database)
        # Also for a connection that nobody closes: a file is whole only when DuckDB lets it go before Python ends.
        self._finalizer = weakref.finalize(self, self._database.close)
        try:
            create_tables(self._database, self._program, self._tables)
        except BaseException:
            self.close()
            raise

    @property
    def in_transaction(self) -> bool:
        """Whether changes wait for `commit` or `rollback`."""
        return self._in_transaction

    def cursor(self) -> DuckDBCursor:
        """Open a cursor."""
        self._open_database()
        return DuckDBCursor(self)

    def commit(self) -> None:
        """
        Make the changes since the last commit last.

        Raises:
            OperationalError: An error has ended the transaction; nothing of it can be kept.
        """
        self._refuse_failed()
        self._end_transaction("COMMIT")

    def rollback(self) -> None:
        """Take back the changes since the last commit."""
        self._end_transaction("ROLLBACK")
        self._forget_tables()

    def close(self) -> None:
        """Take back what was not committed, and let the file go; closing twice is harmless."""
        self._finalizer()
        self._database = None

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """
        Do all of a block or nothing of it.

        Inside a transaction of the caller the block is part of that one, which the caller commits or rolls back.
        """
        if self._in_transaction:
            yield
            return
        self.begin()
        try:
            yield
        except BaseException:
            self.rollback()
            raise
        self.commit()

    def all_or_nothing(self) -> contextlib.AbstractContextManager[None]:
        """Make several statements one where each would commit by itself."""
        return self.transaction() if self.autocommit else contextlib.nullcontext()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # --- for the cursors ----------------------------------------------------------------------------------------------

    def prepare(self, sql: str) -> Prepared:
        """Translate a statement, or find it among those translated before."""
        from meetup2025.engines.prepared import is_rollback, prepare

        self._open_database()
        if not is_rollback(sql):
            self._refuse_failed()
        if sql not in self._statements:
            self._settle()  # the translation asks the database for its tables
            statement = prepare(sql, self._program, self._tables)
            if len(self._statements) >= _STATEMENTS_KEPT:
                self._statements.clear()
            self._statements[sql] = statement
        return self._statements[sql]

    def read(self, cursor: DuckDBCursor, statement: Prepared, parameters: Sequence[Any]) -> duckdb.DuckDBPyConnection:
        """Run a query; its result belongs to *cursor* until the next statement runs."""
        database, values = self._ready(statement, parameters)
        with self._guard(writes=False):
            result = database.execute(statement.sql, values)
        self._reading = cursor
        return result

    def change(self, statement: Prepared, parameters: Sequence[Any]) -> int:
        """Run a statement that changes the database, and give the number of rows; -1 for one that defines."""
        database, values = self._ready(statement, parameters)
        with self._guard(writes=True, codes=statement.codes):
            for sql in statement.before:
                database.execute(sql)
            rows = database.execute(statement.sql, values).fetchall()
        if statement.defines:
            self._forget_tables()
            return -1
        return int(rows[0][0]) if rows else -1

    def _ready(self, statement: Prepared, parameters: Sequence[Any]) -> tuple[duckdb.DuckDBPyConnection, list[Any]]:
        """Work out what the statement needs, and make way for it."""
        with running(self):
            values = statement.values(parameters)
        self._settle()
        self._add_row_functions(statement)
        return self._open_database(), values

    def run_batch(self, statement: Prepared, rows: Sequence[Sequence[Any]]) -> int:
        """Insert many rows at once, and give their number."""
        import duckdb

        from meetup2025.engines.batches import as_arrow

        with running(self):
            columns = as_arrow([statement.values(row) for row in rows])
        self._settle()
        database = self._open_database()
        with self._guard(writes=True):
            database.register("batch", columns)
            try:
                return int(database.execute(statement.batch_sql).fetchall()[0][0])
            finally:
                with contextlib.suppress(duckdb.Error):  # an error has ended the transaction
                    database.unregister("batch")

    def begin(self) -> None:
        """Begin a transaction, where none is open."""
        self._refuse_failed()
        if not self._in_transaction:
            self._settle()
            with translated():
                self._open_database().begin()
            self._in_transaction = True

    @contextlib.contextmanager
    def _guard(self, *, writes: bool, codes: Mapping[int, int] = _SAME_CODES) -> Iterator[None]:
        """
        Run a statement in the transaction that it needs, so that its error leaves nothing half done.

        DuckDB ends a transaction at the first error. One that this statement began is taken back here, and nothing is
        lost; one that has earlier changes is refused from now on, until the caller rolls it back.
        """
        begins = writes and not self._in_transaction
        if begins:
            self.begin()
        try:
            with translated(self._taken_error):
                yield
        except BaseException as error:
            if begins:
                self.rollback()
            self._failed = self._in_transaction
            if isinstance(error, errors.Error):
                error.sqlcode = codes.get(error.sqlcode, error.sqlcode)
                if self._failed:
                    error.args = (f"{error} The open transaction ends with this: roll it back.",)
            raise
        if begins and self.autocommit:
            self.commit()

    def _forget_tables(self) -> None:
        """Translate anew what was translated for tables that may have changed."""
        self._statements.clear()
        self._tables.forget()

    def _refuse_failed(self) -> None:
        if self._failed:
            raise OperationalError("An error has ended the transaction: run ROLLBACK, or call rollback(), first.")

    def _end_transaction(self, statement: str) -> None:
        database = self._open_database()
        if self._in_transaction:
            self._settle()
            self._in_transaction = self._failed = False
            with translated():
                database.execute(statement)

    def check_open(self) -> None:
        """Refuse a closed connection."""
        self._open_database()

    def stop_reading(self, cursor: DuckDBCursor) -> None:
        """Let go of the result of *cursor*, which wants no more of it."""
        if self._reading is cursor:
            self._reading = None

    def _settle(self) -> None:
        """Let the cursor that still reads take its rows: DuckDB keeps one result for a connection."""
        if self._reading is not None:
            self._reading.take_rows()
            self._reading = None

    def _open_database(self) -> duckdb.DuckDBPyConnection:
        if self._database is None:
            raise InterfaceError("The connection must be open. Got a closed one: connect again.")
        return self._database

    def _add_row_functions(self, statement: Prepared) -> None:
        """Teach DuckDB the functions that *statement* calls once for each row."""
        for name, function, arguments, returns in statement.row_functions:
            if name not in self._row_functions:
                self._row_functions.add(name)
                kinds: list[Any] = list(arguments)
                database = self._open_database()
                database.execute("SELECT 0").fetchall()  # it learns no function while a result is unread
                database.create_function(
                    name, self._guarded(function, len(kinds)), kinds, returns, null_handling=_SPECIAL_NULLS
                )

    def _guarded(self, function: Any, count: int) -> Any:
        """Keep the error of a function: DuckDB passes on no more than its text."""

        def call(*values: Any) -> Any:
            with running(None):
                try:
                    return function(*values)
                except BaseException as error:
                    self._raised = error
                    raise

        names = [f"value{place}" for place in range(count)]
        call.__signature__ = Signature([Parameter(name, Parameter.POSITIONAL_ONLY) for name in names])  # type: ignore[attr-defined]
        return call

    def _taken_error(self) -> BaseException | None:
        error, self._raised = self._raised, None
        return error


def _open(path: str) -> duckdb.DuckDBPyConnection:
    import duckdb

    from meetup2025.engines.translate import SETTINGS

    file = Path(path).expanduser()
    if path:
        _make_folder(file)
    location = str(file.resolve()) if path else ":memory:"
    # DuckDB shares a named database in memory, and so the file attached to it, between the connections of a process.
    host = f":memory:{location}" if path else ":memory:"
    with _OPENING, _opening(file), translated():
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
