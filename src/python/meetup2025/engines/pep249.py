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

    def execute(self, operation: str, parameters: Sequence[Any] = ()) -> Self:
        """Run one statement of IRIS SQL."""
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
