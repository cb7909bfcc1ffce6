"""
The common part of the connections and cursors of all engines: the parts of PEP 249 without a database.

The type objects and constructors that PEP 249 asks of a driver are here too.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

from meetup2025 import errors

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from typing_extensions import Self

    from meetup2025.engines import Connection


CURRENT: ContextVar[Connection | None] = ContextVar("current", default=None)
"""The connection whose statement is running."""


@contextmanager
def running(connection: Connection | None) -> Iterator[None]:
    """Make *connection* the current one for a block. None forbids the use of tables in it."""
    token = CURRENT.set(connection)
    try:
        yield
    finally:
        CURRENT.reset(token)


def distinct(names: Sequence[str]) -> list[str]:
    """Number the columns whose name occurred before: a column of a table has its name alone."""
    found: list[str] = []
    for column in names:
        name, count = column, 1
        while name in found:
            count += 1
            name = f"{column}_{count}"
        found.append(name)
    return found


class BaseConnection:
    """A connection that is a context manager and has the exceptions as attributes, an optional extension of PEP 249."""

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

    def close(self) -> None:
        """Roll back the changes since the last commit, and close the database."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class BaseCursor:
    """A cursor that takes its rows from `_reader`. `execute` runs its statements."""

    arraysize = 1
    wants_arrays = False
    description: list[tuple[Any, ...]] | None = None

    def execute(self, operation: str, parameters: Sequence[Any] = ()) -> Self:
        """Run one statement of IRIS SQL."""
        raise NotImplementedError

    def executemany(self, operation: str, seq_of_parameters: Sequence[Sequence[Any]]) -> Self:
        """Run one statement once for each row of parameters."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the cursor. It runs no further statement."""
        raise NotImplementedError

    def _reader(self) -> Iterator[tuple[Any, ...]]:
        """Return the remaining rows."""
        raise NotImplementedError

    def callproc(self, procname: str, parameters: Sequence[Any] = ()) -> Sequence[Any]:
        """Call a stored procedure. Its rows are then fetched from the cursor."""
        self.execute(f"CALL {procname}({', '.join('?' * len(parameters))})", parameters)
        return parameters

    def fetchone(self) -> tuple[Any, ...] | None:
        """Return the next row, or None."""
        return next(self._reader(), None)

    def fetchmany(self, size: int | None = None) -> list[tuple[Any, ...]]:
        """Return up to *size* rows, `arraysize` by default."""
        rows = self._reader()
        return [row for _, row in zip(range(self.arraysize if size is None else size), rows, strict=False)]

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return the remaining rows."""
        return list(self._reader())

    def insert_columns(self, operation: str, columns: Sequence[Any]) -> Self:
        """
        Run an INSERT of values once for each row of columns.

        Args:
            operation: The statement, with `?` for each column.
            columns: For each `?` a list, a column of Arrow, or vectors of shape (n, d).
        """
        lists = [each.to_pylist() if hasattr(each, "to_pylist") else list(each) for each in columns]
        return self.executemany(operation, list(zip(*lists, strict=True)))

    def fetchnumpy(self) -> dict[str, NDArray[Any]]:
        """
        Return the remaining rows as columns: name -> array.

        A column of vectors is one array of shape (n, d), with NaN where a row has none. Missing numbers and times are
        masked, other missing values are None. A server says only that a vector is a text: there, a column whose every
        text is 8 numbers or more counts as vectors.
        """
        from meetup2025.engines import arrays

        names = distinct([str(column[0]) for column in self.description or ()])
        before, self.wants_arrays = self.wants_arrays, True
        try:
            return arrays.of_rows(names, self.fetchall())
        finally:
            self.wants_arrays = before

    def df(self) -> Any:
        """Return the remaining rows as a data frame of pandas. A vector is an array of shape (d,)."""
        from meetup2025.engines.arrays import to_pandas

        return to_pandas(self.fetchnumpy())

    def pl(self) -> Any:
        """Return the remaining rows as a data frame of polars."""
        from meetup2025.engines.arrays import to_polars

        return to_polars(self.fetchnumpy())

    def arrow(self) -> Any:
        """Return the remaining rows as a table of pyarrow."""
        from meetup2025.engines.arrays import to_arrow

        return to_arrow(self.fetchnumpy())

    def setinputsizes(self, sizes: Sequence[Any]) -> None:
        """Do nothing, as PEP 249 allows."""

    def setoutputsize(self, size: int, column: int | None = None) -> None:
        """Do nothing, as PEP 249 allows."""

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return self._reader()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


Date, Time, Timestamp, Binary = date, time, datetime, bytes
DateFromTicks = date.fromtimestamp
TimestampFromTicks = datetime.fromtimestamp


def TimeFromTicks(ticks: float) -> time:  # noqa: N802 - the name that PEP 249 gives it
    """Return the time of day of a time in seconds since 1970."""
    return datetime.fromtimestamp(ticks).time()  # noqa: DTZ006 - local, as PEP 249 has it


class TypeObject:
    """Objects that are equal to the type codes of `description` for which they stand."""

    def __init__(self, *kinds: str) -> None:
        self.kinds = frozenset(kinds)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, TypeObject):
            return self.kinds == other.kinds
        # A vector, DOUBLE[512], comes as text.
        return "VARCHAR" in self.kinds if "[" in str(other) else str(other).partition("(")[0] in self.kinds

    def __hash__(self) -> int:
        return hash(self.kinds)


STRING = TypeObject("VARCHAR")
BINARY = TypeObject("BLOB")
NUMBER = TypeObject(
    "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "DECIMAL", "FLOAT", "DOUBLE", "BOOLEAN"
)  # fmt: skip
DATETIME = TypeObject("DATE", "TIME", "TIMESTAMP")
ROWID = TypeObject("BIGINT")
