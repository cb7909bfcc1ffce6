"""
Doubles of the two modules that are called `iris`: the driver, and that of Embedded Python.

Each gives the values, codes and messages that IRIS is known to give, and runs the SQL on the embedded engine. So the
tests of SQL run through the connections of IRIS without a server; what only a server can prove they do not prove.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

from meetup2025 import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meetup2025.engines.duckdb import DuckDBConnection

ODBC_CODES = {
    "VARCHAR": 12,
    "INTEGER": 4,
    "BIGINT": -5,
    "HUGEINT": -5,
    "DOUBLE": 8,
    "DECIMAL": 2,
    "DATE": 9,
    "BOOLEAN": -7,
}
CLIENT_CODES = {
    "VARCHAR": 10,
    "INTEGER": 5,
    "BIGINT": 18,
    "HUGEINT": 18,
    "DOUBLE": 3,
    "DECIMAL": 14,
    "DATE": 2,
    "BOOLEAN": 16,
}
MODES = {"NONE": 0, "IMPLICIT": 1, "EXPLICIT": 2}


def message(error: errors.Error) -> str:
    """Write an error as IRIS does: that of a function in Python tells its class."""
    if type(error).__module__ == "meetup2025.errors" and error.sqlcode == -400:
        name = f"{type(error).__module__}.{type(error).__name__}"
        return f"ERROR #5002: ObjectScript error: <PYTHON EXCEPTION> *<class '{name}'>: {error}"
    return str(error)


def code_of(kind: str, codes: dict[str, int]) -> int:
    """Give the code of a type of DuckDB; a vector is text."""
    return codes["VARCHAR"] if "[" in kind else codes.get(kind.partition("(")[0], codes["VARCHAR"])


class Server:
    """What both doubles speak to: one database, its commit mode, and the level of transactions."""

    def __init__(self, database: DuckDBConnection) -> None:
        self.database = database
        self.mode = "IMPLICIT"
        self.inner = 0

    @property
    def level(self) -> int:
        """Level of transactions."""
        return int(self.database.in_transaction) + self.inner

    def run(self, sql: str, parameters: list[Any]) -> Any:
        """Run a statement; those of transactions that the embedded engine has no words for are understood here."""
        words = sql.upper().split()
        if words[:3] == ["SET", "TRANSACTION", "%COMMITMODE"]:
            self.mode = words[3]
            self.database.autocommit = self.mode == "IMPLICIT"
            return None
        if words == ["SELECT", "$TLEVEL"]:
            return self.database.cursor().execute("SELECT ? + 0", [self.level])
        if words in (["COMMIT"], ["ROLLBACK"]):
            self.inner = 0
        return self.database.cursor().execute(sql, parameters)


# --- the driver -----------------------------------------------------------------------------------------------------


class DriverCursor:
    """A cursor of the driver: it gives no rows of a CALL before `nextset`, and takes no rows of one value."""

    def __init__(self, driver: Any, server: Server) -> None:
        self.driver, self.server = driver, server
        self.description: Any = None
        self.rowcount = -1
        self._waiting: Any = None
        self._result: Any = None

    def execute(self, sql: str, parameters: Any = ()) -> int:
        """Run a statement."""
        assert all(value is None or isinstance(value, (str, int, float, bytes)) for value in parameters), parameters
        with self._raising():
            self._result = self.server.run(sql, list(parameters))
        self.rowcount = self._result.rowcount if self._result else -1
        if sql.lstrip().upper().startswith("CALL"):
            self._waiting, self.description = self._result.description, None
        else:
            self.description = self._described(self._result.description if self._result else None)
        return 0

    def executemany(self, sql: str, rows: Any) -> tuple[int, ...]:
        """Run a statement for each row."""
        if any(len(row) == 1 for row in rows):
            raise RuntimeError("Cannot use list/tuple for single value")
        with self._raising():
            self._result = self.server.database.cursor().executemany(sql, rows)
        self.rowcount = self._result.rowcount
        return (self.rowcount,)

    def nextset(self) -> bool | None:
        """Go to the rows of a procedure."""
        self.description, self._waiting = self._described(self._waiting), None
        return True if self.description else None

    def fetchmany(self, size: int) -> tuple[Any, ...]:
        """Give rows."""
        with self._raising():
            return tuple(map(list, self._result.fetchmany(size)))

    def _described(self, description: Any) -> Any:
        if description is None:
            return None
        return [(name, code_of(str(kind), ODBC_CODES), *rest) for name, kind, *rest in description]

    @contextmanager
    def _raising(self) -> Iterator[None]:
        """Write an error as the driver does."""
        try:
            yield
        except errors.Error as error:
            text = f"[SQLCODE: <{error.sqlcode}>:<An error>]\n[Location: <Prepare>]\n[%msg: <{message(error)}>]"
            raise self.driver.ProgrammingError(text) from None


class DriverConnection:
    """A connection of the driver."""

    def __init__(self, driver: Any, server: Server, *, autocommit: bool) -> None:
        self.driver, self.server = driver, server
        server.database.autocommit = autocommit
        server.mode = "IMPLICIT" if autocommit else "EXPLICIT"

    def cursor(self) -> DriverCursor:
        """Open a cursor."""
        return DriverCursor(self.driver, self.server)

    def commit(self) -> None:
        """Commit."""
        with DriverCursor(self.driver, self.server)._raising():
            self.server.database.commit()

    def rollback(self) -> None:
        """Roll back."""
        self.server.database.rollback()

    def close(self) -> None:
        """Hang up; the server stays."""


def driver_module(server: Server) -> ModuleType:
    """Make the module `iris` of the driver, with a server behind it."""
    iris, dbapi = ModuleType("iris"), ModuleType("iris.dbapi")
    dbapi.Error = type("Error", (Exception,), {})
    dbapi.ProgrammingError = type("ProgrammingError", (dbapi.Error,), {})
    dbapi.connected = []

    def connect(**options: Any) -> DriverConnection:
        dbapi.connected.append(options)
        return DriverConnection(dbapi, server, autocommit=options["autoCommit"])

    dbapi.connect, iris.dbapi = connect, dbapi
    return iris


# --- Embedded Python ------------------------------------------------------------------------------------------------


class StatementResult:
    """A `%SQL.StatementResult`; a name with % begins with _ in Python."""

    def __init__(self, result: Any, select_mode: int, error: errors.Error | None = None, *, is_call: bool = False):
        self._result, self._select_mode, self._row = result, select_mode, ()
        self._is_call = is_call
        self._SQLCODE, self._Message = (error.sqlcode, message(error)) if error else (0, "")
        self._ROWCOUNT = max(result.rowcount, 0) if result else 0
        columns = (result.description or []) if result and not is_call else []
        self._ResultColumnCount = len(columns)
        self._columns = [
            SimpleNamespace(colName=name[:12], label=name, clientType=code_of(str(kind), CLIENT_CODES))
            for name, kind, *_ in columns
        ]

    def _NextResult(self) -> Any:  # noqa: N802
        return StatementResult(self._result, self._select_mode) if self._is_call and self._result.description else ""

    def _GetMetadata(self) -> Any:  # noqa: N802
        return SimpleNamespace(columns=SimpleNamespace(GetAt=lambda place: self._columns[place - 1]))

    def _Next(self) -> int:  # noqa: N802
        row = self._result.fetchone()
        self._row = row or ()
        return int(row is not None)

    def _GetData(self, place: int) -> Any:  # noqa: N802
        value = self._row[place - 1]
        if value is None:
            return ""
        if isinstance(value, str):
            is_vector = value.count(",") > 100
            return object() if is_vector and self._select_mode != 1 else value or "\x00"
        return str(int(value) if isinstance(value, bool) else value)


class Statement:
    """A `%SQL.Statement`."""

    def __init__(self, server: Server) -> None:
        self._server, self._SelectMode, self._sql = server, 0, ""

    def _Prepare(self, sql: str) -> Any:  # noqa: N802
        self._sql = sql
        if sql.upper().startswith(("SET ", "SELECT $")):
            return 1
        try:
            self._server.database.prepare(sql)
        except errors.Error as error:
            return error  # a status; `%Exception.StatusException` reads it
        return 1

    def _Execute(self, *parameters: Any) -> StatementResult:  # noqa: N802
        values = [None if value == "" else "" if value == "\x00" else value for value in parameters]
        is_call = self._sql.lstrip().upper().startswith("CALL")
        try:
            return StatementResult(self._server.run(self._sql, values), self._SelectMode, is_call=is_call)
        except errors.Error as error:
            return StatementResult(None, self._SelectMode, error)


class StatusException:
    """A `%Exception.StatusException`."""

    def __init__(self, error: errors.Error) -> None:
        self._error = error

    def AsSQLCODE(self) -> int:  # noqa: N802
        """Give the SQLCODE."""
        return self._error.sqlcode

    def SQLMessageString(self) -> str:  # noqa: N802
        """Give the message."""
        return message(self._error)


def process_module(server: Server) -> ModuleType:
    """Make the module `iris` of Embedded Python, in a process of a server."""
    iris = ModuleType("iris")
    iris.logged = []
    classes = {
        "%SQL.Statement": SimpleNamespace(_New=lambda: Statement(server)),
        "%Exception.StatusException": SimpleNamespace(CreateFromStatus=StatusException),
        "%SYS.System": SimpleNamespace(WriteToConsoleLog=iris.logged.append),
        "%SYSTEM.SQL.Util": SimpleNamespace(GetOption=lambda _: MODES[server.mode]),
    }

    def step(change: int) -> None:
        server.inner += change

    iris.cls = classes.__getitem__
    iris.tlevel = lambda: server.level
    iris.tstart = lambda: step(1)
    iris.tcommit = iris.trollbackone = lambda: step(-1)
    return iris


@contextmanager
def installed(module: ModuleType) -> Iterator[None]:
    """Put a module in the place of `iris`."""
    names = [name for name in sys.modules if name == "iris" or name.startswith("iris.")]
    before = {name: sys.modules.pop(name) for name in names}
    sys.modules["iris"] = module
    if hasattr(module, "dbapi"):
        sys.modules["iris.dbapi"] = module.dbapi
    try:
        yield
    finally:
        for name in [name for name in sys.modules if name == "iris" or name.startswith("iris.")]:
            del sys.modules[name]
        sys.modules.update(before)
