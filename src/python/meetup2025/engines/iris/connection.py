"""
The PEP 249 connection and cursor of IRIS, over a session: `remote` or `process`.

IRIS itself reads the SQL, keeps the transaction and finds the errors; here is only what PEP 249 adds.
"""

from __future__ import annotations

import contextlib
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from meetup2025.engines.iris.values import checked, checked_rows
from meetup2025.engines.pep249 import BaseConnection, BaseCursor
from meetup2025.errors import InterfaceError, ProgrammingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from typing_extensions import Self


@dataclass
class Answer:
    """What a statement gave: *columns* are names and types, None where there are no rows; -1 for an unknown count."""

    columns: Sequence[tuple[str, str]] | None
    rows: Iterator[tuple[Any, ...]]
    changed: int = -1


class Session(Protocol):
    """What the two ways to IRIS have in common; every method raises errors of this package alone."""

    def run(self, sql: str, parameters: Sequence[Any]) -> Answer:
        """Run one statement."""

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> int:
        """Run one statement once for each row of parameters, and give the number of rows changed."""

    def level(self) -> int:
        """Give the level of transactions, 0 outside of one."""

    def begin(self) -> None:
        """Begin a transaction."""

    def commit(self) -> None:
        """Make the changes last."""

    def rollback(self) -> None:
        """Take the changes back."""

    def nested(self) -> AbstractContextManager[None]:
        """Take back what a block did, and no more, when it raises; where the session can."""

    def close(self) -> None:
        """Let the server go."""


class IrisConnection(BaseConnection):
    """
    A session of InterSystems IRIS.

    Args:
        session: The way to it.
        autocommit: Whether each statement is its own transaction.
    """

    def __init__(self, session: Session, *, autocommit: bool = False) -> None:
        self.autocommit = autocommit
        self._session: Session | None = session

    @property
    def in_transaction(self) -> bool:
        """Whether changes wait for `commit` or `rollback`."""
        return self.session().level() > 0

    def session(self) -> Session:
        """Give the session, while the connection is open."""
        if self._session is None:
            raise InterfaceError("The connection must be open. Got a closed one: connect again.")
        return self._session

    def cursor(self) -> IrisCursor:
        """Open a cursor."""
        self.session()
        return IrisCursor(self)

    def commit(self) -> None:
        """Make the changes since the last commit last."""
        self.session().commit()

    def rollback(self) -> None:
        """Take back the changes since the last commit."""
        self.session().rollback()

    def close(self) -> None:
        """Take back what was not committed, and let the server go; closing twice is harmless."""
        if self._session is not None:
            session, self._session = self._session, None
            session.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """
        Do all of a block or nothing of it.

        With autocommit the block is committed at its end; otherwise the caller commits it, as any change. Inside a
        transaction that has begun before, the block is part of that one, which the caller commits or rolls back.
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
    """A cursor of an `IrisConnection`; see PEP 249."""

    def __init__(self, connection: IrisConnection) -> None:
        self.connection = connection
        self.wants_arrays = False  # in vain: IRIS gives text
        self.description: list[tuple[Any, ...]] | None = None
        self.rowcount = -1
        self._rows: Iterator[tuple[Any, ...]] = iter(())
        self._closed = False

    def execute(self, operation: str, parameters: Sequence[Any] = ()) -> Self:
        """
        Run one statement.

        Args:
            operation: The statement, with `?` for each parameter.
            parameters: A value for each `?`; an array of shape (d,) is a vector.

        Returns:
            The cursor itself.

        Raises:
            Error: What IRIS says, with its SQLCODE.
        """
        session, sql = self._ready(operation)
        answer = session.run(sql, checked(sql, parameters))
        self.rowcount = answer.changed
        self._rows = _begun(answer.rows)
        if answer.columns is not None:
            self.description = [(name, kind, None, None, None, None, None) for name, kind in answer.columns]
        return self

    def executemany(self, operation: str, seq_of_parameters: Sequence[Sequence[Any]]) -> Self:
        """
        Run one statement once for each row of parameters: all of them or none.

        Returns:
            The cursor itself; `rowcount` is the sum.
        """
        session, sql = self._ready(operation)
        rows = checked_rows(sql, list(seq_of_parameters))
        with self.connection.transaction():
            self.rowcount = session.run_many(sql, rows)
        return self

    def close(self) -> None:
        """Let the result go; the cursor takes no further statement."""
        self._closed = True
        self._forget()

    def _forget(self) -> None:
        self._rows, self.description, self.rowcount = iter(()), None, -1

    def _ready(self, operation: str) -> tuple[Session, str]:
        """Let go of the result before: IRIS may not have two of one cursor."""
        session = self.connection.session()
        if self._closed:
            raise InterfaceError("A cursor must be open. Got a closed one: open another from the connection.")
        if not isinstance(operation, str):
            raise ProgrammingError(f"A statement must be a text. Got {type(operation).__name__}.")
        self._forget()
        return session, operation.strip().rstrip(";")

    def _reader(self) -> Iterator[tuple[Any, ...]]:
        self.connection.session()
        if self.description is None:
            raise InterfaceError("A cursor must have run a SELECT or a CALL before rows are fetched. Got none.")
        return self._rows


def _begun(rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Fetch the first row: not before that does IRIS call the functions of a SELECT, and report their errors."""
    return itertools.chain([*itertools.islice(rows, 1)], rows)
