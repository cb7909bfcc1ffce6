"""
The embedded engine: IRIS SQL and the classes of this package on DuckDB, as a PEP 249 connection and its cursor.

A `DuckDBConnection` is one session, for one thread. A file belongs to one process at a time, or to processes that only
read it.

PEP 249 leaves some choices open. Here a row is a tuple, and a vector is comma-separated text, as in IRIS. `execute`
returns the cursor. A SELECT opens no transaction. One difference from IRIS remains: an error in a transaction that has
changes ends the transaction, and only a rollback is possible then.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
import weakref
from functools import partial
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Any

import numpy as np

from meetup2025 import errors, settings, vectors
from meetup2025.engines import arrays
from meetup2025.engines.arrow import as_arrow, rows_as_arrow
from meetup2025.engines.binary import with_pictures
from meetup2025.engines.classes.program import program
from meetup2025.engines.duckdb.deadline import Deadlines
from meetup2025.engines.duckdb.elements import written
from meetup2025.engines.duckdb.errors import duckdb_errors
from meetup2025.engines.duckdb.matrices import NoMatrix
from meetup2025.engines.duckdb.parsed import run
from meetup2025.engines.duckdb.prepared import check_characters, given_values, is_rollback, lengths_of, prepare
from meetup2025.engines.duckdb.tables import StoredTables, create_tables, open_database
from meetup2025.engines.duckdb.types import shown_type, vector_parts
from meetup2025.engines.pep249 import BaseConnection, BaseCursor, distinct, running
from meetup2025.errors import FileInUseError, InterfaceError, OperationalError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import duckdb
    from numpy.typing import NDArray

    from meetup2025.engines.duckdb.matrices import Matrices
    from meetup2025.engines.duckdb.nearest import Narrowed
    from meetup2025.engines.duckdb.prepared import Prepared

_OPENING = threading.Lock()

_BETWEEN_TRIES = 0.02
"""Seconds between two looks at a file that another process has."""

_STATEMENTS_KEPT = 200
"""Statements that a connection keeps translated."""

_RESULTS_KEPT = 4096
"""Results of functions that a statement keeps: the texts of as many vectors take 40 MB."""

_ROWS_AT_ONCE = 100
"""Rows that a cursor takes from DuckDB at once: few, because a row may hold a vector."""

_SESSIONS = itertools.count()
"""Numbers of the connections of this process."""

_TRIES = 3
"""Times that a search is narrowed while other connections change the database, before it scans."""

_SPECIAL_NULLS: Any = "special"
"""DuckDB calls a function for NULL too, as IRIS does."""

_NO_CODES: Mapping[int, int] = {}


class DuckDBConnection(BaseConnection):
    """
    A session of a DuckDB database that holds the tables of the classes.

    Args:
        path: The file, made if it is missing. Empty means a database in memory.
        autocommit: Whether each statement is its own transaction.
        model: As for `meetup2025.connect`.
        folders: As for `meetup2025.connect`.
        read_only: As for `meetup2025.connect`.
        wait: As for `meetup2025.connect`.

    Raises:
        FileInUseError: Another process has the file.
        EngineUnavailableError: The file cannot be opened.
    """

    def __init__(  # noqa: PLR0913 - the choices of a connection
        self,
        path: str = "",
        *,
        autocommit: bool = False,
        model: str = "",
        folders: Sequence[str] = (),
        read_only: bool = False,
        wait: float = 0,
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
        self._known: dict[tuple[Any, ...], Any] = {}  # results of the row functions of the statement that runs
        self._database: duckdb.DuckDBPyConnection | None = None
        self._session = next(_SESSIONS)
        self._owner = f" of connection {self._session}"
        self._deadlines = Deadlines(self._interrupt)
        self._connect_within(wait, path, read_only=read_only)

    @property
    def in_transaction(self) -> bool:
        """Whether changes wait for `commit` or `rollback`."""
        return self._in_transaction

    def cursor(self) -> DuckDBCursor:
        """Open a cursor."""
        self.check_open()
        return DuckDBCursor(self)

    def begin(self) -> None:
        """Begin a transaction, unless one is open."""
        self._refuse_failed()
        if not self._in_transaction:
            self._settle()
            with duckdb_errors():
                self._matrices.begin(self._session)
                self._open_database().begin()
            self._in_transaction = True

    def commit(self) -> None:
        """
        Make the changes since the last commit permanent.

        Raises:
            OperationalError: An error has ended the transaction. Its changes are lost.
        """
        self._refuse_failed()
        self._end_transaction("COMMIT")

    def rollback(self) -> None:
        """Undo the changes since the last commit."""
        self._end_transaction("ROLLBACK")
        self._forget_tables()

    def close(self) -> None:
        """Undo the changes that are not committed, and release the file. Closing twice is harmless."""
        if self._database is not None and self._row_functions:
            self._remove_row_functions(self._database)
        with duckdb_errors():
            self._finalizer()
        self._database = None

    def checkpoint(self) -> None:
        """Write all committed changes into the file itself."""
        with duckdb_errors():
            self._open_database().execute("CHECKPOINT")

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """
        Run a block whole or not at all.

        With autocommit the block is committed at its end. Otherwise the caller commits it. Inside an open transaction
        the block is a part of it, and the caller commits or rolls back both.
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

    def deadline(self, seconds: float) -> contextlib.AbstractContextManager[None]:
        """Stop the statement of a block that runs after some seconds, and refuse later ones. 0 is no deadline."""
        return self._deadlines.within(seconds)

    def _interrupt(self, error: errors.DeadlineError) -> None:
        """Stop the statement that runs, by an error. Another thread calls this."""
        self._raised = error
        if self._database is not None:
            self._database.interrupt()

    # --- for the cursors

    def check_open(self) -> None:
        """Refuse a closed connection."""
        self._open_database()

    def prepare(self, sql: str) -> Prepared:
        """Translate a statement, or return the kept translation."""
        self.check_open()
        self._deadlines.check()
        if not isinstance(sql, str):
            raise errors.ProgrammingError(f"A statement must be a text. Got {type(sql).__name__}.")
        if self._failed and not is_rollback(sql):
            self._refuse_failed()
        if sql not in self._statements:
            check_characters(sql)
            self._settle()  # the translation asks the database for its tables
            statement = prepare(sql, self._program, self._tables).of(self._owner)
            if len(self._statements) >= _STATEMENTS_KEPT:
                self._statements.clear()
            self._statements[sql] = statement
        return self._statements[sql]

    def read(self, cursor: DuckDBCursor, statement: Prepared, parameters: Sequence[Any]) -> duckdb.DuckDBPyConnection:
        """Run a query. Its result belongs to *cursor* until the next statement runs."""
        values = self._values(statement, parameters)
        database = self._ready(statement)
        with self._guard(writes=False):
            self._call_ahead(database, statement, parameters)
            if statement.explains:
                values = [self._plan(database, statement.explains.narrowed)]
            result = self._narrowed(database, statement, values) or run(database, statement.sql, values)
        self._reading = cursor
        return result

    def change(self, statement: Prepared, parameters: Sequence[Any]) -> int:
        """Run a statement that changes the database, and return the number of rows, or -1 for a definition."""
        values = self._values(statement, parameters)
        database = self._ready(statement)
        with self._guard(writes=True, codes=statement.codes):
            for sql in statement.before:
                database.execute(sql)
            self._call_ahead(database, statement, parameters)
            count = self._changed(statement, statement.sql, values)
        if statement.defines:
            self._forget_tables()
            return -1
        return count

    def change_many(self, statement: Prepared, rows: Sequence[Sequence[Any]]) -> int:
        """Run a statement once for each row of parameters, all or none, and return the sum of the rows changed."""
        every = self._values_of_rows(statement, rows)
        self._ready(statement)
        with self._guard(writes=True, codes=statement.codes):
            return sum(self._changed(statement, statement.sql, values) for values in every)

    def insert_many(self, statement: Prepared, rows: Sequence[Sequence[Any]]) -> int:
        """Insert many rows at once, and return their number."""
        return self.insert_batch(statement, rows_as_arrow(self._values_of_rows(statement, rows)))

    def insert_batch(self, statement: Prepared, columns: Any) -> int:
        """Insert the rows of a table of Arrow, whose columns are c1, c2 and so on, and return their number."""
        import duckdb

        database = self._ready(statement)
        with self._guard(writes=True):
            database.register("batch", columns)
            try:
                return self._changed(statement, statement.batch_sql)
            finally:
                with contextlib.suppress(duckdb.Error):  # an error has ended the transaction
                    database.unregister("batch")

    def stop_reading(self, cursor: DuckDBCursor) -> None:
        """Release the result of *cursor*, which needs no more rows of it."""
        if self._reading is cursor:
            self._reading = None

    # --- searches by matrices in memory

    def _narrowed(
        self, database: duckdb.DuckDBPyConnection, statement: Prepared, values: Sequence[Any]
    ) -> duckdb.DuckDBPyConnection | None:
        """Run the searches of a query on the rows that its matrices choose, or return None if they cannot."""
        narrowed, choose = statement.narrowed, self._matrices.choose
        for _ in range(_TRIES if narrowed.searches else 0):
            clock = self._matrices.clock
            try:
                chosen = [choose(self._session, database, each, values) for each in narrowed.searches]
            except NoMatrix:
                return None
            result = run(database, narrowed.sql, [*values, *chosen])
            if clock == self._matrices.clock:
                return result
            result.fetchall()
        return None

    def _plan(self, database: duckdb.DuckDBPyConnection, narrowed: Narrowed) -> str:
        """Say how the searches of a query run: each SELECT with TOP is one line."""
        lines = [self._matrices.plan(database, each) for each in narrowed.searches]
        return "\n".join([*lines, *(f"No search: {reason}." for reason in narrowed.reasons)]) or "No search: no TOP."

    def _changed(self, statement: Prepared, sql: str, values: Sequence[Any] = ()) -> int:
        """Run a statement that changes rows, tell the matrices which, and return the number of rows."""
        whole = statement.defines or sql.startswith("TRUNCATE")
        watched = not whole and self._matrices.watches(statement.touched)
        rows = run(self._open_database(), f'{sql} RETURNING "ID"' if watched else sql, values).fetchall()
        ids = np.array([row[0] for row in rows], np.int64) if watched else None
        self._matrices.touch(self._session, statement.touched, ids)
        return len(rows) if watched else int(rows[0][0]) if rows else -1

    # --- the database

    def _connect_within(self, wait: float, path: str, *, read_only: bool) -> None:
        end = time.monotonic() + wait
        while not self._is_opened(path, read_only=read_only, last=time.monotonic() >= end):
            time.sleep(_BETWEEN_TRIES)

    def _is_opened(self, path: str, *, read_only: bool, last: bool) -> bool:
        try:
            with _OPENING, duckdb_errors():  # two threads must not make the same tables
                self._connect(path, read_only=read_only)
        except FileInUseError:
            if last:
                raise
            return False
        return True

    def _connect(self, path: str, *, read_only: bool) -> None:
        self._database, self._matrices = open_database(path, read_only=read_only)
        self._matrices.enter(self._session)
        self._tables = StoredTables(self._database)
        # Also for a connection that nobody closes: a file is whole only if DuckDB releases it before Python ends.
        self._finalizer = weakref.finalize(self, _release, self._database, self._matrices, self._session)
        try:
            create_tables(self._database, self._program, self._tables, read_only=read_only)
        except BaseException:
            self.close()
            raise

    def _open_database(self) -> duckdb.DuckDBPyConnection:
        if self._database is None:
            raise InterfaceError("The connection must be open. Got a closed one: connect again.")
        return self._database

    def _ready(self, statement: Prepared) -> duckdb.DuckDBPyConnection:
        """Return the database, ready for *statement*: no result is unread, and DuckDB knows the functions."""
        self._settle()
        self._add_row_functions(statement)
        return self._open_database()

    def _settle(self) -> None:
        """Let the cursor that still reads take its rows: DuckDB keeps one result for a connection."""
        if self._reading is not None:
            self._reading.take_rows()
            self._reading = None

    def _forget_tables(self) -> None:
        """Forget the translations: the tables may have changed."""
        self._statements.clear()
        self._tables.forget()

    # --- parameters

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Let the functions of the classes find this connection and its settings, for a block."""
        with running(self), self._settings():
            yield

    def _values(self, statement: Prepared, parameters: Sequence[Any]) -> list[Any]:
        """Work out the parameters of the DuckDB statement."""
        with self.running():
            return statement.values(parameters)

    def _values_of_rows(self, statement: Prepared, rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
        """Work out the parameters of each run, before the first run."""
        every: list[list[Any]] = []
        try:
            with self.running():
                for row in rows:
                    every.append(statement.values(row))  # noqa: PERF401 - their number is that of a wrong row
        except errors.Error as error:
            raise error.reworded(f"Row {len(every) + 1} of the parameters: {error}") from error
        return every

    # --- transactions

    @contextlib.contextmanager
    def _guard(self, *, writes: bool, codes: Mapping[int, int] = _NO_CODES) -> Iterator[None]:
        """
        Run a statement in the transaction that it needs, so that its error leaves no part of it done.

        DuckDB ends a transaction at the first error. A transaction that this statement began is rolled back here, and
        nothing is lost. A transaction that has earlier changes is refused from now on, until the caller rolls it back.
        """
        begins = writes and not self._in_transaction
        if begins:
            self.begin()
        try:
            with duckdb_errors(self.taken_error):
                yield
        except BaseException as error:
            if begins:
                self.rollback()
            self._failed = self._in_transaction
            if isinstance(error, errors.Error) and (self._failed or error.sqlcode in codes):
                raise self._explained(error, codes) from error
            raise
        if begins and self.autocommit:
            self.commit()

    def _explained(self, error: errors.Error, codes: Mapping[int, int]) -> errors.Error:
        """Return an error of a statement with its SQLCODE, and with its consequence for an open transaction."""
        ended = " The open transaction ends with this: roll it back." if self._failed else ""
        return error.reworded(f"{error}{ended}", sqlcode=codes.get(error.sqlcode, error.sqlcode))

    def _refuse_failed(self) -> None:
        if self._failed:
            raise OperationalError("An error has ended the transaction: run ROLLBACK, or call rollback(), first.")

    def _end_transaction(self, statement: str) -> None:
        database = self._open_database()
        if self._in_transaction:
            self._settle()
            self._in_transaction = self._failed = False
            try:
                with self._deadlines.held(), duckdb_errors():
                    database.execute(statement)
            finally:
                self._matrices.end(self._session, committed=statement == "COMMIT")

    # --- functions of the classes that DuckDB calls once for each row

    def _add_row_functions(self, statement: Prepared) -> None:
        """Register the functions that *statement* calls once for each row, and once for the same arguments."""
        self._known.clear()
        for name, function, arguments, returns in statement.row_functions:
            if name not in self._row_functions:
                self._row_functions.add(name)
                kinds: list[Any] = list(arguments)
                database = self._open_database()
                database.execute("SELECT 0").fetchall()  # DuckDB registers no function while a result is unread
                database.create_function(
                    name, self._guarded(name, function, len(kinds)), kinds, returns, null_handling=_SPECIAL_NULLS
                )

    def _call_ahead(
        self, database: duckdb.DuckDBPyConnection, statement: Prepared, parameters: Sequence[Any]
    ) -> None:
        """Run row functions for many values at once. What fails here fails again, with its error, in its row."""
        for each in statement.ahead:
            given = [recipe(given_values(statement.parameters, parameters)) for recipe in each.recipes]
            rows = database.execute(each.sql, given).fetchmany(_RESULTS_KEPT)
            values = list(dict.fromkeys(row[0] for row in rows))
            with contextlib.suppress(errors.Error), running(None), self._settings():
                for value, result in zip(values, each.many(values), strict=True):
                    self._known[each.name, value] = result

    def _remove_row_functions(self, database: duckdb.DuckDBPyConnection) -> None:
        """Take the functions of this connection from the list that all connections of the file share."""
        import duckdb

        with contextlib.suppress(duckdb.Error):  # an error has ended the transaction
            database.execute("SELECT 0").fetchall()  # DuckDB removes no function while a result is unread
            for name in self._row_functions:
                database.remove_function(name)
        self._row_functions.clear()

    def _guarded(self, name: str, function: Any, count: int) -> Any:
        """Keep the error of a function of *count* arguments: DuckDB passes on only its text."""

        def call(*values: Any) -> Any:
            key = (name, *values)
            if key in self._known:
                return self._known[key]
            if len(self._known) >= _RESULTS_KEPT:
                self._known.clear()
            with running(None), self._settings():
                try:
                    self._deadlines.check()
                    return self._known.setdefault(key, function(*values))
                except BaseException as error:
                    self._raised = error
                    raise

        names = [f"value{number}" for number in range(count)]
        call.__signature__ = Signature([Parameter(name, Parameter.POSITIONAL_ONLY) for name in names])  # type: ignore[attr-defined]
        return call

    def taken_error(self) -> BaseException | None:
        """Return the error of this package that has ended a statement, once."""
        error, self._raised = self._raised, None
        return error


def _release(database: duckdb.DuckDBPyConnection, matrices: Matrices, session: int) -> None:
    """Close a connection. It is a function of no connection, so that it can run when the connection is gone."""
    database.close()
    matrices.leave(session)


class DuckDBCursor(BaseCursor):
    """A cursor of a `DuckDBConnection`. See PEP 249."""

    def __init__(self, connection: DuckDBConnection) -> None:
        self.connection = connection
        self.wants_arrays = False
        self.description: list[tuple[Any, ...]] | None = None
        self.rowcount = -1
        self._result: duckdb.DuckDBPyConnection | None = None
        self._types: list[str] = []
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
            UnsupportedSQLError: IRIS would run the statement, this engine does not.
            DataError: A value cannot be stored or compared.
            IntegrityError: A key that must be unique is not.
        """
        self._forget()
        statement = self.connection.prepare(operation)
        parameters = with_pictures(operation, parameters)
        if statement.control:
            self._control(statement.control)
        elif statement.procedure:
            self._call(statement, parameters)
        elif statement.changes:
            self.rowcount = self.connection.change(statement, parameters)
        else:
            self._read(statement, parameters)
        return self

    def executemany(self, operation: str, seq_of_parameters: Sequence[Sequence[Any]]) -> DuckDBCursor:
        """
        Run one statement once for each row of parameters. An INSERT of values inserts all rows at once.

        Args:
            operation: The statement.
            seq_of_parameters: A row of parameters for each run.

        Returns:
            The cursor itself. `rowcount` is the sum.
        """
        self._forget()
        statement = self.connection.prepare(operation)
        rows = [with_pictures(operation, row) for row in seq_of_parameters]
        if statement.batch_sql and rows:
            self.rowcount = self.connection.insert_many(statement, rows)
        elif statement.changes and not statement.defines:
            self.rowcount = self.connection.change_many(statement, rows)
        else:
            for row in rows:
                self.execute(operation, row)
        return self

    def insert_columns(self, operation: str, columns: Sequence[Any]) -> DuckDBCursor:
        """Insert the rows of columns at once, as `BaseCursor.insert_columns`."""
        self._forget()
        statement = self.connection.prepare(operation)
        lengths = lengths_of(statement.sql)
        for place, column in enumerate(columns, 1):
            if place in lengths:  # an error of DuckDB would end the transaction
                vectors.check(column, dimension=lengths[place])
        given = as_arrow({f"c{place}": each for place, each in enumerate(columns, 1)})
        self.rowcount = self.connection.insert_batch(statement, given)
        return self

    def take_rows(self) -> None:
        """Take the remaining rows into memory, so that another statement may run."""
        if self._result is not None:
            result, self._result = self._result, None
            with duckdb_errors(self.connection.taken_error):
                rest = result.fetchall()
            self._rows = iter([*(self._rows or ()), *self._as_iris(rest)])

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return the remaining rows."""
        rows = self._reader()
        if self._result is None or self._rows is not None or self._has_vectors():
            return list(rows)
        result, self._result, self._rows = self._result, None, iter(())
        with duckdb_errors(self.connection.taken_error):
            return result.fetchall()

    def fetchnumpy(self) -> dict[str, NDArray[Any]]:
        """Return the remaining rows as columns, as `BaseCursor.fetchnumpy`. DuckDB makes the arrays itself."""
        if self._result is None or self._rows is not None:
            return super().fetchnumpy()
        self.connection.check_open()
        result, self._result, self._rows = self._result, None, iter(())
        with duckdb_errors(self.connection.taken_error):
            found = result.fetchnumpy().values()
        names = distinct([str(column[0]) for column in self.description or ()])
        return {name: _array(each, kind) for name, each, kind in zip(names, found, self._types, strict=True)}

    def close(self) -> None:
        """Release the result. The cursor runs no further statement."""
        if not self._closed:
            self._forget()
            self._closed = True

    def _reader(self) -> Iterator[tuple[Any, ...]]:
        self.connection.check_open()
        if self.description is None:
            raise InterfaceError("A cursor must have run a SELECT or a CALL before rows are fetched. Got none.")
        return iter(self._next, None)

    def _next(self) -> tuple[Any, ...] | None:
        if self.wants_arrays and self._rows is None and self._result is not None:
            self._rows = zip(*map(_values, self.fetchnumpy().values()), strict=True)
        row = next(self._rows, None) if self._rows is not None else None
        if row is None and self._result is not None:
            with duckdb_errors(self.connection.taken_error):
                rows = self._result.fetchmany(_ROWS_AT_ONCE)
            self._rows = iter(self._as_iris(rows))
            row = next(self._rows, None)
        return row

    def _forget(self) -> None:
        if self._closed:
            raise InterfaceError("A cursor must be open. Got a closed one: open another from the connection.")
        self.connection.stop_reading(self)
        self._result, self._rows, self.description, self.rowcount = None, None, None, -1

    def _read(self, statement: Prepared, parameters: Sequence[Any]) -> None:
        self._result = self.connection.read(self, statement, parameters)
        columns = [(name, str(kind)) for name, kind, *_ in self._result.description]
        self._types = [kind for _, kind in columns]
        self.description = [(name, shown_type(kind), None, None, None, None, None) for name, kind in columns]

    def _call(self, statement: Prepared, parameters: Sequence[Any]) -> None:
        """Run a stored procedure: its last step is a class query, whose rows this cursor returns."""
        with self.connection.running():
            statement.run_procedure(parameters, self.execute)

    def _control(self, word: str) -> None:
        if word == "COMMIT":
            self.connection.commit()
        elif word == "ROLLBACK":
            self.connection.rollback()
        else:
            self.connection.begin()

    def _has_vectors(self) -> bool:
        return any(kind.endswith("]") for kind in self._types)

    def _as_iris(self, rows: list[tuple[Any, ...]]) -> Iterable[tuple[Any, ...]]:
        """Return rows as IRIS does: a vector is text."""
        if not self._has_vectors():
            return rows
        return (
            tuple(
                written(value, kind) if isinstance(value, (list, tuple)) else value
                for value, kind in zip(row, self._types, strict=True)
            )
            for row in rows
        )


def _array(values: NDArray[Any], kind: str) -> NDArray[Any]:
    """Return a column of DuckDB as `fetchnumpy` has it. *kind* is its DuckDB type."""
    parts = vector_parts(kind)
    if np.ma.isMA(values) and values.dtype == object:
        values.data[values.mask] = None
        values = values.data
    if parts:
        return arrays.of_vectors(values, int(parts[1] or 0))
    return values.astype("M8[D]") if kind == "DATE" else values


def _values(column: NDArray[Any]) -> list[Any]:
    """Return the values of a column of `fetchnumpy`. A vector is a view of its row, or None."""
    return column.tolist() if column.ndim == 1 else [None if np.isnan(row[0]) else row for row in column]
