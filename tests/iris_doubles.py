"""
Doubles of the two modules that are called `iris`: the driver, and the module of Embedded Python.

They return the known values, codes and messages of IRIS, and run the SQL on the embedded engine. So the tests of SQL
run through the connections of IRIS without a server. They do not prove facts that only a server can prove. Where IRIS
may do one thing or another, a double does the worse: `passed_as_iris` passes arguments in every form that they may
have, and a `Server` reports errors in the words of both locales.
"""

from __future__ import annotations

import functools
import inspect
import re
import sys
from contextlib import contextmanager
from decimal import Decimal
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from meetup2025 import errors, procedures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

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
    "BLOB": -3,
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
    "BLOB": 1,
}
MODES = {"NONE": 0, "IMPLICIT": 1, "EXPLICIT": 2}

MOST_ARGUMENTS = 255
"""Arguments of `%Execute`."""

LONGEST_ERROR = 512
"""Characters of $ZERROR."""

FUNCTION_FAILED, FATAL = -149, -400
"""SQLCODEs of a function that fails in a SELECT, and in a CALL."""

SYSTEM_ERROR = {"enu": "ERROR #5002: ObjectScript error: ", "jpn": "エラー #5002: ObjectScript エラー:"}
STATUS = {"enu": "ERROR #5540: SQLCODE: {} Message: ", "jpn": "エラー #5540: SQLCODE: {} メッセージ: "}
"""Text before the message of an error, by language."""


# --- what a function is given ---------------------------------------------------------------------------------------


def forms(value: Any) -> list[Any]:
    """Return the forms in which IRIS may pass a value to a method in Python, for any declared type."""
    if isinstance(value, str) and not value:
        return ["\x00", "", None]  # '' and NULL, which are one here
    if isinstance(value, str):
        is_number = len(value) < 15 and re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?", value)
        return [value, Decimal(value), int(value) if "." not in value else float(value)] if is_number else [value]
    texts = [str(value), *([str(value).replace("0.", ".")] if 0 < abs(value) < 1 else [])]
    numbers = [float(value), *([int(value)] if value == int(value) else [])]
    return [*texts, *numbers, Decimal(str(value))]


def passed_as_iris(function: Callable[..., Any], random: Random) -> Callable[..., Any]:
    """
    Call a function of the classes as a method of IRIS does.

    Each argument is in one of its `forms`, by chance, and there may be no stdin and no stderr. An error names its
    function.
    """

    @functools.wraps(function)
    def call(*values: Any) -> Any:
        given = [random.choice(forms(value)) for value in values]
        with pytest.MonkeyPatch.context() as patch:
            for stream in random.choice([(), ("stdin",), ("stderr",), ("stdin", "stderr")]):
                patch.setattr(sys, stream, None)
            try:
                return function(*given)
            except Exception as error:
                error.raised_by = function.__name__  # type: ignore[attr-defined]
                raise

    return call


def pass_as_iris(patch: pytest.MonkeyPatch, random: Random) -> None:
    """Call every function of the classes as a method of IRIS does."""
    for name, function in inspect.getmembers(procedures, inspect.isfunction):
        if not name.startswith("_") and function.__module__ == procedures.__name__:
            patch.setattr(procedures, name, passed_as_iris(function, random))


# --- errors ---------------------------------------------------------------------------------------------------------


def raised_by(error: BaseException) -> str:
    """Return the SQL name of the function that raised an error, or an empty text."""
    name = getattr(error, "raised_by", "")
    return f"MEETUP2025.{name.replace('_', '').upper()}" if name else ""


def of_python(error: Exception, language: str) -> str:
    """Write the error of a function in Python as ObjectScript does."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return SYSTEM_ERROR[language] + f"<PYTHON EXCEPTION> *<class '{name}'>: {error}"[:LONGEST_ERROR]


def told(error: Exception, language: str, *, is_call: bool) -> tuple[int, str]:
    """
    Return SQLCODE and message of an error as IRIS reports it.

    A refusal of the embedded engine for which IRIS has no code, such as a text above MAXLEN, counts as the error of a
    function.
    """
    code, function = getattr(error, "sqlcode", FATAL), raised_by(error)
    if code != FATAL and not function:
        return code, str(error)
    if is_call:
        return FATAL, of_python(error, language)
    nested = f"SQLCODE={FATAL},%msg={of_python(error, language)}"
    return FUNCTION_FAILED, f"SQL Function {function} failed with error:  {nested}"


def code_of(kind: str, codes: dict[str, int]) -> int:
    """Return the code of a type of DuckDB. A vector is text."""
    return codes["VARCHAR"] if "[" in kind else codes.get(kind.partition("(")[0], codes["VARCHAR"])


class Server:
    """
    The server behind both doubles: one database, its commit mode, and the level of transactions.

    Attributes:
        language: Language of the system: `enu`, or `jpn` as in the locale jpuw.
        unread: Statements with functions whose rows nobody has fetched: on a server the functions may not have run.
        most: Most arguments of a statement so far.
        seconds: Seconds that the driver lets the last statement run, 0 for no limit.
    """

    def __init__(self, database: DuckDBConnection, language: str = "enu") -> None:
        self.database = database
        self.language = language
        self.mode = "IMPLICIT"
        self.inner = 0
        self.unread: set[str] = set()
        self.most = 0
        self.seconds = 0

    @property
    def level(self) -> int:
        """Level of transactions."""
        return int(self.database.in_transaction) + self.inner

    def run(self, sql: str, parameters: list[Any]) -> Any:
        """Run a statement. Statements of transactions that the embedded engine does not know are handled here."""
        words = sql.upper().split()
        if words[:3] == ["SET", "TRANSACTION", "%COMMITMODE"]:
            self.mode = words[3]
            self.database.autocommit = self.mode == "IMPLICIT"
            return None
        if words == ["SELECT", "$TLEVEL"]:
            return self.database.cursor().execute("SELECT ? + 0", [self.level])
        if words in (["COMMIT"], ["ROLLBACK"]):
            self.inner = 0
        self.most = max(self.most, len(parameters))
        if len(parameters) > MOST_ARGUMENTS:
            raise errors.DataError(f"<MAXARGS> {len(parameters)} arguments of %Execute", sqlcode=FATAL)
        return Rows(self, sql, parameters)


class Rows:
    """
    Rows of a statement, and the error of a function in it, which comes with the rows.

    An error that shows at the preparation of the statement, or in a statement without rows, comes at once.
    """

    description: Any = (("Expression_1", "VARCHAR", None, None, None, None, None),)
    rowcount = -1

    def __init__(self, server: Server, sql: str, parameters: list[Any]) -> None:
        self.server, self._sql = server, sql
        self._cursor: Any = None
        self._error: Exception | None = None
        self.is_call = is_call(sql)
        try:
            self._cursor = server.database.cursor().execute(sql, parameters)
        except Exception as error:
            if self.is_call or not raised_by(error):
                raise
            self._error = error
        else:
            self.description, self.rowcount = self._cursor.description, self._cursor.rowcount
        if sql.upper().startswith("SELECT MEETUP2025."):
            server.unread.add(sql)

    def fetchmany(self, size: int) -> list[tuple[Any, ...]]:
        """Return rows."""
        self.server.unread.discard(self._sql)
        if self._error:
            raise self._error
        rows: list[tuple[Any, ...]] = self._cursor.fetchmany(size)
        return rows


def is_call(sql: str) -> bool:
    """Check whether a statement is a CALL."""
    return sql.lstrip().upper().startswith("CALL")


# --- the driver -----------------------------------------------------------------------------------------------------


class DriverCursor:
    """A cursor of the driver: it returns no rows of a CALL before `nextset`, and accepts no rows of one value."""

    def __init__(self, driver: Any, server: Server) -> None:
        self.driver, self.server = driver, server
        self.description: Any = None
        self.rowcount = -1
        self._waiting: Any = None
        self._result: Any = None
        self._is_call = False

    def execute(self, sql: str, parameters: Any = ()) -> int:
        """Run a statement."""
        assert all(value is None or isinstance(value, (str, int, float, bytes)) for value in parameters), parameters
        self._is_call = is_call(sql)
        with self._raising():
            self._result = self.server.run(sql, list(parameters))
        self.rowcount = self._result.rowcount if self._result else -1
        if is_call(sql):
            self._waiting, self.description = self._result.description, None
        else:
            self.description = self._described(self._result.description if self._result else None)
        return 0

    def setQueryTimeout(self, timeout: int) -> None:  # noqa: N802 - the name of the driver
        """Note the seconds that the next statement may take."""
        assert type(timeout) is int
        self.server.seconds = timeout

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
        """Return rows."""
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
        except Exception as error:
            if not (isinstance(error, errors.Error) or raised_by(error)):
                raise
            code, message = told(error, self.server.language, is_call=self._is_call)
            text = f"[SQLCODE: <{code}>:<An error>]\n[Location: <ServerLoop - Query Open()>]\n[%msg: <{message}>]"
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
        """Close the connection. The server stays."""


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


class ProcedureContext:
    """
    A `%Library.ProcedureContext`, the result of a CALL, whose rows are a result of their own.

    A name with % begins with _ in Python.
    """

    _ResultColumnCount, _ROWCOUNT = 0, 0

    def __init__(self, result: Any, select_mode: int, code: int = 0, message: str = "") -> None:
        self._result, self._select_mode = result, select_mode
        self._SQLCODE, self._Message = code, message

    def _NextResult(self) -> Any:  # noqa: N802
        result, self._result = self._result, None
        return StatementResult(result, self._select_mode) if result and result.description else ""


class StatementResult:
    """A `%SQL.StatementResult`."""

    def __init__(self, result: Any, select_mode: int, code: int = 0, message: str = "") -> None:
        self._result, self._select_mode, self._row = result, select_mode, ()
        self._SQLCODE, self._Message = code, message
        self._ROWCOUNT = max(result.rowcount, 0) if result else 0
        columns = (result.description or []) if result else []
        self._ResultColumnCount = len(columns)
        self._columns = [
            SimpleNamespace(colName=name[:12], label=name, clientType=code_of(str(kind), CLIENT_CODES))
            for name, kind, *_ in columns
        ]

    def _GetMetadata(self) -> Any:  # noqa: N802
        return SimpleNamespace(columns=SimpleNamespace(GetAt=lambda place: self._columns[place - 1]))

    def _Next(self) -> int:  # noqa: N802
        try:
            [self._row] = self._result.fetchmany(1) or [()]
        except Exception as error:
            if not (isinstance(error, errors.Error) or raised_by(error)):
                raise
            self._row = ()
            self._SQLCODE, self._Message = told(error, self._result.server.language, is_call=self._result.is_call)
        return int(bool(self._row))

    def _GetData(self, place: int) -> Any:  # noqa: N802
        value = self._row[place - 1]
        if value is None:
            return ""
        if isinstance(value, str):
            is_vector = value.count(",") > 100
            return object() if is_vector and self._select_mode != 1 else value or "\x00"
        if isinstance(value, bytes):
            return value.decode("latin-1")  # a character for each byte
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
            code, message = told(error, self._server.language, is_call=False)
            return STATUS[self._server.language].format(code) + message
        return 1

    def _Execute(self, *parameters: Any) -> StatementResult | ProcedureContext:  # noqa: N802
        values = [None if value == "" else "" if value == "\x00" else value for value in parameters]
        kind = ProcedureContext if is_call(self._sql) else StatementResult
        try:
            return kind(self._server.run(self._sql, values), self._SelectMode)
        except Exception as error:
            if not (isinstance(error, errors.Error) or raised_by(error)):
                raise
            known = told(error, self._server.language, is_call=is_call(self._sql))
            return kind(None, self._SelectMode, *known)


class StatusException:
    """A `%Exception.StatusException`. Only the text of its status has the SQLCODE of a statement."""

    def __init__(self, status: str) -> None:
        self._status = status

    def AsSQLCODE(self) -> int:  # noqa: N802
        """Return the SQLCODE of an error of ObjectScript."""
        return FATAL


def process_module(server: Server) -> ModuleType:
    """Make the module `iris` of Embedded Python, in a process of a server."""
    iris = ModuleType("iris")
    iris.logged = []
    classes = {
        "%SQL.Statement": SimpleNamespace(_New=lambda: Statement(server)),
        "%Exception.StatusException": SimpleNamespace(CreateFromStatus=StatusException),
        "%SYSTEM.Status": SimpleNamespace(GetErrorText=str),
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
