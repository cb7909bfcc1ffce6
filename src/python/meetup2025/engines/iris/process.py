"""
A session in the IRIS process in which this Python runs: Embedded Python, by the class `%SQL.Statement`.

A transaction of the session begins with START TRANSACTION. Inside a transaction of the caller, a block is a level of
its own, as the documentation of START TRANSACTION advises.
"""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING, Any

from meetup2025 import iris_process
from meetup2025.engines.arguments import EMPTY
from meetup2025.engines.iris.connection import IrisConnection, StatementResult
from meetup2025.engines.iris.faults import from_bridge, from_statement, from_status, translated
from meetup2025.engines.iris.values import LOGICAL_TYPES, from_process
from meetup2025.errors import EngineUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ODBC = 1
"""Select mode in which a vector is text, and a date is 2025-01-31."""

_EXPLICIT = 2
"""Value of the option AutoCommit in which a transaction waits for COMMIT, as in drivers without autocommit."""


def current_process() -> IrisConnection | None:
    """Return a connection to the IRIS process in which this Python runs, or None outside of such a process."""
    if iris_process.module() is None:
        return None
    session = ProcessSession()
    return IrisConnection(session, autocommit=session.commit_mode != _EXPLICIT)


class ProcessSession:
    """
    A session in the process itself.

    Args:
        autocommit: Sets the commit mode of the process until `close`. None does not change it.

    Attributes:
        commit_mode: Previous option AutoCommit of the process: 0 NONE, 1 IMPLICIT, 2 EXPLICIT.

    Raises:
        EngineUnavailableError: This Python does not run in an IRIS process.
    """

    def __init__(self, *, autocommit: bool | None = None) -> None:
        self._iris = iris_process.module()
        if self._iris is None:
            raise EngineUnavailableError(
                "iris+emb:/// must be opened by the Python of an IRIS process, such as irispython. Got another "
                "Python; use iris://user@host:1972/NAMESPACE from here."
            )
        self.commit_mode = int(self._iris.cls("%SYSTEM.SQL.Util").GetOption("AutoCommit"))
        self._sets_mode = autocommit is not None
        if self._sets_mode:
            self.run(f"SET TRANSACTION %COMMITMODE {'IMPLICIT' if autocommit else 'EXPLICIT'}", [])

    def run(self, sql: str, parameters: Sequence[Any], seconds: float = math.inf) -> StatementResult:  # noqa: ARG002
        """Run one statement. `%SQL.Statement` has no limit of time."""
        with _translated():
            result = self._executed(self._prepared(sql), parameters)
            if sql.lstrip()[:4].upper() == "CALL" and not int(result._ResultColumnCount or 0):
                result = result._NextResult() or result  # the rows of a procedure are a result set of their own
            return _answer(result)

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> int:
        """Prepare a statement once, and run it for each row."""
        with _translated():
            statement = self._prepared(sql)
            return sum(int(self._executed(statement, row)._ROWCOUNT) for row in rows)

    def level(self) -> int:
        """Return the level of transactions."""
        return int(self._iris.tlevel())

    def begin(self) -> None:
        """Begin a transaction."""
        self.run("START TRANSACTION", [])

    def commit(self) -> None:
        """Commit the changes."""
        if self.level():
            self.run("COMMIT", [])

    def rollback(self) -> None:
        """Roll the changes back, on all levels."""
        if self.level():
            self.run("ROLLBACK", [])

    @contextlib.contextmanager
    def nested(self) -> Iterator[None]:
        """Roll back the changes of a block, and no others, when the block raises an error."""
        self._iris.tstart()
        try:
            yield
        except BaseException:
            self._iris.trollbackone()
            raise
        self._iris.tcommit()

    def close(self) -> None:
        """Roll back the changes since the last commit, and restore the commit mode of the process."""
        if self._sets_mode:
            self.rollback()
            mode = ("NONE", "IMPLICIT", "EXPLICIT")[self.commit_mode]
            self.run(f"SET TRANSACTION %COMMITMODE {mode}", [])

    def _prepared(self, sql: str) -> Any:
        statement = self._iris.cls("%SQL.Statement")._New()
        statement._SelectMode = _ODBC
        status = statement._Prepare(sql)
        if status != 1:
            error = self._iris.cls("%Exception.StatusException").CreateFromStatus(status)
            text = self._iris.cls("%SYSTEM.Status").GetErrorText(status)
            raise from_status(str(text), int(error.AsSQLCODE()))
        return statement

    def _executed(self, statement: Any, parameters: Sequence[Any]) -> Any:
        result = statement._Execute(*map(_parameter, parameters))
        _check(result)
        return result


def _parameter(value: Any) -> Any:
    if value is None:
        return ""
    return EMPTY if isinstance(value, str) and not value else value


def _described(column: Any) -> tuple[str, str]:
    return str(column.label or column.colName), LOGICAL_TYPES.get(int(column.clientType or 0), "VARCHAR")


def _answer(result: Any) -> StatementResult:
    count = int(result._ResultColumnCount or 0)
    if not count:
        return StatementResult(None, iter(()), int(result._ROWCOUNT or 0))
    columns = result._GetMetadata().columns
    described = [_described(columns.GetAt(place)) for place in range(1, count + 1)]
    return StatementResult(described, _rows(result, [kind for _, kind in described]))


def _rows(result: Any, kinds: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    # The methods are looked up at each call: a bound method of this bridge works for one name at a time.
    while True:
        with _translated():
            if not int(result._Next()):
                _check(result)
                return
            row = tuple(from_process(result._GetData(place), kind) for place, kind in enumerate(kinds, 1))
        yield row


def _check(result: Any) -> None:
    code = int(result._SQLCODE or 0)
    if code < 0:
        raise from_statement(code, str(result._Message or ""))


def _translated() -> contextlib.AbstractContextManager[None]:
    return translated(from_bridge, RuntimeError, AttributeError, ValueError)
