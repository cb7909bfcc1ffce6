"""
The cursor of the embedded engine: PEP 249, with the values that IRIS gives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from meetup2025 import vectors
from meetup2025.engines import running
from meetup2025.engines.failures import translated
from meetup2025.engines.pep249 import BaseCursor
from meetup2025.errors import InterfaceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import duckdb

    from meetup2025.engines.duckdb import DuckDBConnection
    from meetup2025.engines.prepared import Prepared


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
        with running(self.connection):
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
