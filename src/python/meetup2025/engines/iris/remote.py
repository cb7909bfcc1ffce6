"""
A session on an IRIS server, over the driver intersystems-irispython.
"""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING, Any

from meetup2025.engines.iris.address import read_address
from meetup2025.engines.iris.connection import StatementResult
from meetup2025.engines.iris.faults import from_driver, from_refusal, translated
from meetup2025.engines.iris.values import ODBC_TYPES
from meetup2025.errors import MissingExtraError
from meetup2025.settings import install_command

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ROWS_AT_ONCE = 100
"""Rows that the driver delivers at once: few, because a row may hold a vector."""


class RemoteSession:
    """
    A connection of the driver.

    With *autocommit*, START TRANSACTION begins a transaction. Without it, the first change begins it, as in the driver.

    Raises:
        InterfaceError: The URL is wrong, or there is no password.
        EngineUnavailableError: No server answers, or the server refuses.
        MissingExtraError: The driver is not installed.
    """

    def __init__(self, url: str, *, autocommit: bool) -> None:
        driver, address = _driver(), read_address(url)
        self._autocommit = autocommit
        options: dict[str, Any] = {"sslconfig": address.tls} if address.tls else {}
        try:
            self._connection = driver.connect(
                hostname=address.host,
                port=address.port,
                namespace=address.namespace,
                username=address.user,
                password=address.password,
                timeout=address.timeout,
                sharedmemory=False,  # it works only on the machine of the server
                autoCommit=autocommit,
                **options,
            )
        except Exception as error:  # the driver raises RuntimeError too
            raise from_refusal(error, address) from error

    def run(self, sql: str, parameters: Sequence[Any], seconds: float = math.inf) -> StatementResult:
        """Run one statement. The driver counts in whole seconds."""
        with _translated():
            cursor = self._connection.cursor()
            if seconds < math.inf:
                cursor.setQueryTimeout(math.ceil(seconds))
            cursor.execute(sql, list(parameters)) if parameters else cursor.execute(sql)
            if cursor.description is None and _word(sql) == "CALL":
                cursor.nextset()  # the rows of a procedure are a result set of their own
            columns = cursor.description
            if columns is None:
                return StatementResult(None, iter(()), cursor.rowcount)
        kinds = [(str(column[0]), ODBC_TYPES.get(column[1], "VARCHAR")) for column in columns]
        return StatementResult(kinds, _rows(cursor))

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> int:
        """Run a statement for each row. Rows of one value run one by one, because the driver does not accept them."""
        if not rows or len(rows[0]) == 1:
            return sum(self.run(sql, row).changed for row in rows)
        with _translated():
            cursor = self._connection.cursor()
            cursor.executemany(sql, [tuple(row) for row in rows])
            return cursor.rowcount if cursor.rowcount >= 0 else len(rows)

    def level(self) -> int:
        """Ask the server for the level of transactions, and return it."""
        return int(next(self.run("SELECT $TLEVEL", []).rows)[0])

    def begin(self) -> None:
        """Begin a transaction. Without autocommit, the first change begins it."""
        if self._autocommit:
            self.run("START TRANSACTION", [])

    def commit(self) -> None:
        """Commit the changes."""
        with _translated():
            self.run("COMMIT", []) if self._autocommit else self._connection.commit()

    def rollback(self) -> None:
        """Roll the changes back."""
        with _translated():
            self.run("ROLLBACK", []) if self._autocommit else self._connection.rollback()

    def nested(self) -> contextlib.AbstractContextManager[None]:
        """Do nothing: a block of a client belongs to its transaction."""
        return contextlib.nullcontext()

    def close(self) -> None:
        """Roll back the changes since the last commit, and close the connection."""
        with contextlib.suppress(Exception):  # a lost server rolls back by itself
            if not self._autocommit:
                self._connection.rollback()
        with contextlib.suppress(Exception):
            self._connection.close()


def _driver() -> Any:
    try:
        import iris.dbapi
    except ImportError as error:
        raise MissingExtraError(
            f"A server of IRIS needs its driver: {install_command('iris')}. Do not install it into the folder "
            "mgr/python of a server, where it hides the module of IRIS itself."
        ) from error
    return iris.dbapi


def _translated() -> contextlib.AbstractContextManager[None]:
    return translated(from_driver, Exception)


def _rows(cursor: Any) -> Iterator[tuple[Any, ...]]:
    while True:
        with _translated():
            rows = [tuple(row) for row in cursor.fetchmany(_ROWS_AT_ONCE)]
        if not rows:
            return
        yield from rows


def _word(sql: str) -> str:
    return sql.split(None, 1)[0].upper() if sql.strip() else ""
