"""
The PEP 249 connection and cursor of IRIS, over a session: `remote` or `process`.

IRIS itself parses the SQL, keeps the transaction and finds the errors. This module only adds the rest of PEP 249.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from meetup2025.engines.iris.values import checked, checked_rows
from meetup2025.engines.pep249 import BaseConnection, BaseCursor
from meetup2025.errors import DeadlineError, InterfaceError, ProgrammingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from typing_extensions import Self


@dataclass
class StatementResult:
    """
    The result of a statement. *columns* are names and types, or None without rows. *count* is -1 where it is unknown.
    """

    columns: Sequence[tuple[str, str]] | None
    rows: Iterator[tuple[Any, ...]]
    changed: int = -1


class Session(Protocol):
    """The common interface of the two sessions. All methods raise only errors of this package."""

    def run(self, sql: str, parameters: Sequence[Any], seconds: float = math.inf) -> StatementResult:
        """Run one statement. It ends after so many seconds, if the session can end it."""

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> int:
        """Run a statement once for each row of parameters, and return the number of changed rows."""

    def level(self) -> int:
        """Return the level of transactions, 0 outside of a transaction."""

    def begin(self) -> None:
        """Begin a transaction."""

    def commit(self) -> None:
        """Commit the changes."""

    def rollback(self) -> None:
        """Roll the changes back."""

    def nested(self) -> AbstractContextManager[None]:
        """Roll back the changes of a block, and no others, when the block raises an error, if the session can."""

    def close(self) -> None:
        """Close the session."""


class IrisConnection(BaseConnection):
    """
    A session of InterSystems IRIS.

    Args:
        session: Session to use.
        autocommit: Whether each statement is its own transaction.
    """

    def __init__(self, session: Session, *, autocommit: bool = False) -> None:
        self.autocommit = autocommit
        self._session: Session | None = session
        self._seconds = self._end = math.inf

    @property
    def in_transaction(self) -> bool:
        """Whether changes wait for `commit` or `rollback`."""
        return self.session().level() > 0

    def session(self) -> Session:
        """Return the session, while the connection is open."""
        if self._session is None:
            raise InterfaceError("The connection must be open. Got a closed one: connect again.")
        return self._session

    def cursor(self) -> IrisCursor:
        """Open a cursor."""
        self.session()
        return IrisCursor(self)

    @contextlib.contextmanager
    def deadline(self, seconds: float) -> Iterator[None]:
        """
        Stop the statement of a block that runs after some seconds, and refuse later ones. 0 is no deadline.

        Only the driver can stop a statement. In an IRIS process it ends by itself, and the next one is refused.
        """
        before = self._seconds, self._end
        if seconds:
            self._seconds, self._end = seconds, time.monotonic() + seconds
        try:
            yield
        finally:
            self._seconds, self._end = before

    def seconds_left(self) -> float:
        """
        Return the seconds until the deadline.

        Raises:
            DeadlineError: There are none.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise DeadlineError.after(self._seconds)
        return left

    def commit(self) -> None:
        """Commit the changes since the last commit."""
        self.session().commit()

    def rollback(self) -> None:
        """Roll back the changes since the last commit."""
        self.session().rollback()

    def close(self) -> None:
        """Roll back the changes since the last commit, and close the session. Closing twice is harmless."""
        if self._session is not None:
            session, self._session = self._session, None
            session.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """
        Do all of a block or nothing.

        With autocommit, the block is committed at its end. Otherwise the caller commits it, as any change. Inside an
        open transaction, the block is part of the transaction.
        """
        session = self.session()
        if session.level() > 0:
            with session.nested():
                yield
            return
        session.begin()
        try:
            yield
        except BaseException:
            session.rollback()
            raise
        if self.autocommit:
            session.commit()


class IrisCursor(BaseCursor):
    """A cursor of an `IrisConnection`. See PEP 249."""

    def __init__(self, connection: IrisConnection) -> None:
        self.connection = connection
        self.wants_arrays = False  # no effect: IRIS returns text
        self.description: list[tuple[Any, ...]] | None = None
        self.rowcount = -1
        self._rows: Iterator[tuple[Any, ...]] = iter(())
        self._closed = False

    def execute(self, operation: str, parameters: Sequence[Any] = ()) -> Self:
        """
        Run one statement.

        Args:
            operation: The statement, with `?` for each parameter.
            parameters: A value for each `?`. An array of shape (d,) is a vector.

        Returns:
            The cursor itself.

        Raises:
            Error: The error of IRIS, with its SQLCODE.
        """
        session, sql = self._ready(operation)
        answer = session.run(sql, checked(sql, parameters), self.connection.seconds_left())
        self.rowcount = answer.changed
        self._rows = _begun(self._timely(answer.rows))
        if answer.columns is not None:
            self.description = [(name, kind, None, None, None, None, None) for name, kind in answer.columns]
        return self

    def executemany(self, operation: str, seq_of_parameters: Sequence[Sequence[Any]]) -> Self:
        """
        Run a statement once for each row of parameters: for all rows or for none.

        Returns:
            The cursor itself. `rowcount` is the sum.
        """
        session, sql = self._ready(operation)
        rows = checked_rows(sql, list(seq_of_parameters))
        with self.connection.transaction():
            self.rowcount = session.run_many(sql, rows)
        return self

    def close(self) -> None:
        """Close the cursor. It runs no further statement."""
        self._closed = True
        self._forget()

    def _forget(self) -> None:
        self._rows, self.description, self.rowcount = iter(()), None, -1

    def _ready(self, operation: str) -> tuple[Session, str]:
        """Close the previous result: IRIS may not allow two results of one cursor."""
        session = self.connection.session()
        if self._closed:
            raise InterfaceError("A cursor must be open. Got a closed one: open another from the connection.")
        if not isinstance(operation, str):
            raise ProgrammingError(f"A statement must be a text. Got {type(operation).__name__}.")
        self._forget()
        return session, operation.strip().rstrip(";")

    def _timely(self, rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        """Yield rows until the deadline."""
        for row in rows:
            self.connection.seconds_left()
            yield row

    def _reader(self) -> Iterator[tuple[Any, ...]]:
        self.connection.session()
        if self.description is None:
            raise InterfaceError("A cursor must have run a SELECT or a CALL before rows are fetched. Got none.")
        return self._rows


def _begun(rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Fetch the first row: not before that does IRIS call the functions of a SELECT, and report their errors."""
    return itertools.chain([*itertools.islice(rows, 1)], rows)
