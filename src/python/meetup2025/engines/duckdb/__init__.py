"""
The embedded engine: IRIS SQL and the classes of this package on DuckDB, as a PEP 249 connection.

One `DuckDBConnection` is one session of one thread. A file belongs to one process at a time.

What PEP 249 leaves open: rows are tuples; a vector is comma-separated text, as IRIS gives it; `execute` returns the
cursor; a SELECT opens no transaction. Where DuckDB differs from IRIS and cannot be bent: after an error in a
transaction that has changes, the only way on is to roll it back.

The cursor of the embedded engine: PEP 249, with the values that IRIS gives.
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from contextlib import contextmanager
from functools import partial
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Any

import numpy as np

from meetup2025 import errors, settings, vectors
from meetup2025.engines.classes.program import program
from meetup2025.engines.duckdb.errors import translated
from meetup2025.engines.duckdb.tables import StoredTables, create_tables, open_database
from meetup2025.engines.pep249 import BaseConnection, BaseCursor, running
from meetup2025.errors import InterfaceError, OperationalError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import duckdb

    from meetup2025.engines.duckdb.prepared import Prepared


# The functions are called for NULL too, as in IRIS.
_SPECIAL_NULLS: Any = "special"

_SAME_CODES: Mapping[int, int] = {}

_OPENING = threading.Lock()

_STATEMENTS_KEPT = 200


class DuckDBConnection(BaseConnection):
    """
    A session of a DuckDB database that holds the tables of the classes.

    Args:
        path: The file, made when it is not there; empty for a database in memory.
        autocommit: Whether each statement is its own transaction.
        model: As for `meetup2025.connect`.
        folders: As for `meetup2025.connect`.

    Raises:
        EngineUnavailableError: The file cannot be opened, or another process has it.
    """

    def __init__(
        self, path: str = "", *, autocommit: bool = False, model: str = "", folders: Sequence[str] = ()
    ) -> None:
        self.autocommit = autocommit
        self._settings = partial(settings.chosen, model, folders)
        self._program = program()
        self._statements: dict[str, Prepared] = {}
        self._in_transaction = False
        self._failed = False
        self._reading: DuckDBCursor | None = None
        self._raised: BaseException | None = None
        self._row_functions: set[str] = set()
        self._database: duckdb.DuckDBPyConnection | None = None
        with _OPENING:  # two threads must not make the same tables
            self._connect(path)

    def _connect(self, path: str) -> None:
        self._database = open_database(path)
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

        With autocommit the block is committed at its end; otherwise the caller commits it, as any change. Inside a
        transaction that has begun before, the block is part of that one, which the caller commits or rolls back.
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
        if self.autocommit:
            self.commit()

    # --- for the cursors ----------------------------------------------------------------------------------------------

    def prepare(self, sql: str) -> Prepared:
        """Translate a statement, or find it among those translated before."""
        from meetup2025.engines.duckdb.prepared import check_characters, is_rollback, prepare

        self._open_database()
        if not isinstance(sql, str):
            raise errors.ProgrammingError(f"A statement must be a text. Got {type(sql).__name__}.")
        if self._failed and not is_rollback(sql):
            self._refuse_failed()
        if sql not in self._statements:
            check_characters(sql)
            self._settle()  # the translation asks the database for its tables
            statement = prepare(sql, self._program, self._tables)
            if len(self._statements) >= _STATEMENTS_KEPT:
                self._statements.clear()
            self._statements[sql] = statement
        return self._statements[sql]

    def read(self, cursor: DuckDBCursor, statement: Prepared, parameters: Sequence[Any]) -> duckdb.DuckDBPyConnection:
        """Run a query; its result belongs to *cursor* until the next statement runs."""
        [values] = self._values(statement, [parameters], numbered=False)
        database = self._ready(statement)
        with self._guard(writes=False):
            result = database.execute(statement.sql, values)
        self._reading = cursor
        return result

    def change(self, statement: Prepared, parameters: Sequence[Any]) -> int:
        """Run a statement that changes the database, and give the number of rows; -1 for one that defines."""
        [values] = self._values(statement, [parameters], numbered=False)
        database = self._ready(statement)
        with self._guard(writes=True, codes=statement.codes):
            for sql in statement.before:
                database.execute(sql)
            rows = database.execute(statement.sql, values).fetchall()
        if statement.defines:
            self._forget_tables()
            return -1
        return int(rows[0][0]) if rows else -1

    def change_many(self, statement: Prepared, rows: Sequence[Sequence[Any]]) -> int:
        """Run a statement that changes rows once for each row of parameters, all or none, and give the sum."""
        every = self._values(statement, rows)
        database = self._ready(statement)
        with self._guard(writes=True, codes=statement.codes):
            return sum(int(database.execute(statement.sql, values).fetchall()[0][0]) for values in every)

    def _values(self, statement: Prepared, rows: Sequence[Sequence[Any]], *, numbered: bool = True) -> list[list[Any]]:
        """Work out the parameters of each run, before the first one; an error is *numbered* by its row."""
        every: list[list[Any]] = []
        try:
            with self.running():
                for row in rows:
                    every.append(statement.values(row))  # noqa: PERF401 - their number tells the row of an error
        except errors.Error as error:
            if numbered:
                error.args = (f"Row {len(every) + 1} of the parameters: {error}",)
            raise
        return every

    def _ready(self, statement: Prepared) -> duckdb.DuckDBPyConnection:
        """Make way for a statement: what reads takes its rows, and DuckDB knows the functions."""
        self._settle()
        self._add_row_functions(statement)
        return self._open_database()

    def run_batch(self, statement: Prepared, rows: Sequence[Sequence[Any]]) -> int:
        """Insert many rows at once, and give their number."""
        import duckdb

        from meetup2025.engines.duckdb.arrow import as_arrow

        columns = as_arrow(self._values(statement, rows))
        database = self._ready(statement)
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

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let functions of the classes find this connection and its settings, for a block."""
        with running(self), self._settings():
            yield

    def _guarded(self, function: Any, count: int) -> Any:
        """Keep the error of a function: DuckDB passes on no more than its text."""

        def call(*values: Any) -> Any:
            with running(None), self._settings():
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


_ROWS_AT_ONCE = 100
"""Rows that are taken from DuckDB at once: few, since a row may hold a vector."""


class DuckDBCursor(BaseCursor):
    """A cursor of a `DuckDBConnection`; see PEP 249."""

    def __init__(self, connection: DuckDBConnection) -> None:
        self.connection = connection
        self.wants_arrays = False
        self.description: list[tuple[Any, ...]] | None = None
        self.rowcount = -1
        self._result: duckdb.DuckDBPyConnection | None = None
        self._rows: Iterator[tuple[Any, ...]] | None = None
        self._closed = False

    def execute(self, operation: str, parameters: Sequence[Any] = ()) -> DuckDBCursor:
        """
        Run one statement of IRIS SQL.

        Args:
            operation: The statement, with `?` for each parameter.
            parameters: A value for each `?`.

        Returns:
            The cursor itself.

        Raises:
            ProgrammingError: The statement is wrong, or the number of parameters is.
            UnsupportedSQLError: IRIS would run it, this engine does not.
            DataError: A value cannot be stored or compared.
            IntegrityError: A key that must be unique is not.
        """
        self._forget()
        statement = self.connection.prepare(operation)
        if statement.control:
            self._control(statement.control)
            return self
        if statement.procedure:
            return self._call(statement, parameters)
        if statement.changes:
            self.rowcount = self.connection.change(statement, parameters)
        else:
            self._result = self.connection.read(self, statement, parameters)
            columns = self._result.description
            self.description = [(name, str(kind), None, None, None, None, None) for name, kind, *_ in columns]
        return self

    def executemany(self, operation: str, seq_of_parameters: Sequence[Sequence[Any]]) -> DuckDBCursor:
        """
        Run one statement once for each row of parameters; an INSERT of values goes in as one.

        Args:
            operation: The statement.
            seq_of_parameters: A row of parameters for each run.

        Returns:
            The cursor itself; `rowcount` is the sum.
        """
        self._forget()
        statement = self.connection.prepare(operation)
        rows = list(seq_of_parameters)
        if statement.batch_sql and rows:
            self.rowcount = self.connection.run_batch(statement, rows)
            return self
        if statement.changes and not statement.defines:
            self.rowcount = self.connection.change_many(statement, rows)
            return self
        for row in rows:
            self.execute(operation, row)
        return self

    def take_rows(self) -> None:
        """Take the rows that are left into memory, so that another statement may run."""
        if self._result is not None:
            result, self._result = self._result, None
            with translated():
                rest = result.fetchall()
            self._rows = iter([*(self._rows or ()), *map(self._given, rest)])

    def close(self) -> None:
        """Let the result go; the cursor takes no further statement."""
        if not self._closed:
            self._forget()
            self._closed = True

    def _reader(self) -> Iterator[tuple[Any, ...]]:
        self.connection.check_open()
        if self.description is None:
            raise InterfaceError("A cursor must have run a SELECT or a CALL before rows are fetched. Got none.")
        return iter(self._next, None)

    def _next(self) -> tuple[Any, ...] | None:
        row = next(self._rows, None) if self._rows is not None else None
        if row is None and self._result is not None:
            with translated():
                rows = self._result.fetchmany(_ROWS_AT_ONCE)
            self._rows = map(self._given, rows)
            row = next(self._rows, None)
        return row

    def _forget(self) -> None:
        if self._closed:
            raise InterfaceError("A cursor must be open. Got a closed one: open another from the connection.")
        self.connection.stop_reading(self)
        self._result, self._rows, self.description, self.rowcount = None, None, None, -1

    def _call(self, statement: Prepared, parameters: Sequence[Any]) -> DuckDBCursor:
        """Run a stored procedure: its last step is a class query, whose rows are those of this cursor."""
        with self.connection.running():
            statement.run_procedure(parameters, self.execute)
        return self

    def _control(self, word: str) -> None:
        if word == "COMMIT":
            self.connection.commit()
        elif word == "ROLLBACK":
            self.connection.rollback()
        else:
            self.connection.begin()

    def _given(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        """Give the values as IRIS does: a vector is text, unless it is wanted as an array."""
        write = np.array if self.wants_arrays else vectors.to_text
        return tuple(write(value) if isinstance(value, (list, tuple)) else value for value in row)
