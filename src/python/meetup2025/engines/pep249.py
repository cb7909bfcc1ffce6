"""
What the connections and cursors of all engines share: the parts of PEP 249 that do not depend on the database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meetup2025 import errors

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from typing_extensions import Self


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
        """Take back what was not committed, and let the database go."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class BaseCursor:
    """A cursor whose rows come from `_reader`, and whose statements are run by `execute`."""

    arraysize = 1

    def execute(self, operation: str, parameters: Sequence[Any] = ()) -> Self:
        """Run one statement of IRIS SQL."""
        raise NotImplementedError

    def close(self) -> None:
        """Let the result go; the cursor takes no further statement."""
        raise NotImplementedError

    def _reader(self) -> Iterator[tuple[Any, ...]]:
        """Give the rows that are left."""
        raise NotImplementedError

    def callproc(self, procname: str, parameters: Sequence[Any] = ()) -> Sequence[Any]:
        """Call a stored procedure; its rows are then fetched from the cursor."""
        self.execute(f"CALL {procname}({', '.join('?' * len(parameters))})", parameters)
        return parameters

    def fetchone(self) -> tuple[Any, ...] | None:
        """Give the next row, or None."""
        return next(self._reader(), None)

    def fetchmany(self, size: int | None = None) -> list[tuple[Any, ...]]:
        """Give up to *size* rows, `arraysize` by default."""
        rows = self._reader()
        return [row for _, row in zip(range(self.arraysize if size is None else size), rows, strict=False)]

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Give all rows that are left."""
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
