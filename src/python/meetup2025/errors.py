"""
The errors of the package.

::

    MeetUpError(Exception)                     the `Error` of PEP 249
    ├── InterfaceError                         the connection was used wrongly (closed cursor)
    ├── DatabaseError
    │   ├── DataError                          a value that cannot be stored or compared
    │   │   ├── InvalidVectorError(ValueError)       not d finite numbers, or all zero
    │   │   ├── UnreadableImageError(ValueError)     not a picture, broken, or too large
    │   │   ├── InvalidFileError(ValueError)         a CSV or JSONL that breaks its rules; has line and column
    │   │   ├── UnknownNameError(LookupError)        a name that is not in the catalogue
    │   │   └── ModelMismatchError(ValueError)       vectors of two different models
    │   ├── OperationalError                   the engine, the disk or the network failed
    │   │   ├── EngineUnavailableError(ConnectionError)
    │   │   │   └── FileInUseError                   another program has the database file
    │   │   ├── EncoderUnavailableError(ConnectionError)   the server that makes the vectors
    │   │   └── DeadlineError(TimeoutError)          a statement took longer than its deadline
    │   ├── IntegrityError                     a key that must be unique is not
    │   ├── InternalError
    │   ├── ProgrammingError                   wrong SQL: syntax, unknown table, wrong number of parameters
    │   │   └── SQLSyntaxError(ValueError)           has line and column
    │   └── NotSupportedError
    │       └── UnsupportedSQLError(NotImplementedError)   IRIS accepts it, this engine does not; has line and column
    ├── ForbiddenPathError(PermissionError)    a file outside the allowed folders
    ├── MissingModelError(LookupError)         a model that is not installed
    ├── BrokenModelError(ValueError)           a model folder that fails its own checks
    ├── UntrustedCodeError(PermissionError)    code that a model brings, and that may not run
    ├── ClassSyntaxError(ValueError)           a `.cls` file that cannot be read; has file, line and column
    └── MissingExtraError(ImportError)         an optional dependency that is not installed

A message says which rule is broken, which value was given, and how to mend it. An error carries the SQLCODE of
InterSystems IRIS for it, or -400 ("fatal error occurred") where IRIS has none of its own. All errors are subclasses of
`Error`, so `except meetup2025.Error` catches all of them and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meetup2025.locale import PLACED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Self

_LONGEST = 80
"""Characters of a value in a message: IRIS cuts messages at 512, so the rule stands first and the value is short."""

_MOST = 5
"""Most values of a list in a message. A value has half the characters there."""


def shown(value: object, longest: int = _LONGEST) -> str:
    """Return a value for messages: NULL for None, a text in quotes. A long value is cut."""
    if value is None:
        return "NULL"
    text = repr(value[: longest + 1]) if isinstance(value, str) else str(value)
    return text if len(text) <= longest else f"{text[: longest - 2]}…{text[-1]}"


def listed(values: Sequence[object]) -> str:
    """Return values as messages list them: the first five, and how many more there are."""
    more = f" and {len(values) - _MOST} more" if len(values) > _MOST else ""
    return ", ".join(shown(value, _LONGEST // 2) for value in values[:_MOST]) + more


class MeetUpError(Exception):
    """The base of all errors of the project: the `Error` of PEP 249."""

    sqlcode: int = -400

    def __init__(self, message: str, *, sqlcode: int | None = None) -> None:
        super().__init__(message)
        if sqlcode is not None:
            self.sqlcode = sqlcode

    def reworded(self, message: str, *, sqlcode: int | None = None) -> Self:
        """Return an error of the same class and place with another message. Raise it `from` this one."""
        other = type(self).__new__(type(self), message)
        other.__dict__.update(self.__dict__)
        other.args = (message,)
        if sqlcode is not None:
            other.sqlcode = sqlcode
        return other


Error = MeetUpError


class Warning(Exception):  # noqa: A001, N818 - the name that PEP 249 gives it
    """A warning. The package raises none, but PEP 249 requires the class."""


class InterfaceError(MeetUpError):
    """A connection or a cursor was used in a way that it does not allow."""


class DatabaseError(MeetUpError):
    """Something is wrong with the data, the SQL or the engine."""


class DataError(DatabaseError):
    """A value that cannot be stored or compared."""


class OperationalError(DatabaseError):
    """The engine, the disk or the network failed. Another try may help."""


class IntegrityError(DatabaseError):
    """A key that must be unique is not."""

    sqlcode = -119


class InternalError(DatabaseError):
    """The engine reported an internal fault."""


class ProgrammingError(DatabaseError):
    """The SQL is wrong: its syntax, an unknown table, or a wrong number of parameters."""


class NotSupportedError(DatabaseError):
    """The engine does not support this."""


class InvalidVectorError(DataError, ValueError):
    """A vector that is not a row of finite numbers of the right length, or is all zero."""


class UnreadableImageError(DataError, ValueError):
    """A file that is not a picture, or is broken, or is too large to open safely."""


class _Located:
    """An error at a place in a text. *line* and *column*, both from 1, stand in the message too."""

    def __init__(self, message: str, *, line: int = 0, column: int = 0, sqlcode: int | None = None) -> None:
        placed = PLACED.format(message, line, column) if line else message
        super().__init__(placed, sqlcode=sqlcode)  # type: ignore[call-arg]
        self.line = line
        self.column = column


class InvalidFileError(_Located, DataError, ValueError):
    """A CSV or JSONL file that breaks its rules."""


class UnknownNameError(DataError, LookupError):
    """A name that is not in the catalogue."""


class ModelMismatchError(DataError, ValueError):
    """Vectors of two different models cannot be compared."""


class EngineUnavailableError(OperationalError, ConnectionError):
    """The database cannot be reached or opened."""


class FileInUseError(EngineUnavailableError):
    """Another program has the database file."""


class EncoderUnavailableError(OperationalError, ConnectionError):
    """The server that makes the vectors cannot be reached, is too slow, or its answer makes no sense."""


class DeadlineError(OperationalError, TimeoutError):
    """A statement took longer than its deadline. Nothing of it is done."""

    sqlcode = -450

    @classmethod
    def after(cls, seconds: float) -> Self:
        """Return the error of a deadline."""
        return cls(f"The statements must take at most {seconds:g} s together. Got more; ask for less at once.")


class SQLSyntaxError(_Located, ProgrammingError, ValueError):
    """SQL that IRIS does not accept either."""

    sqlcode = -1


class UnsupportedSQLError(_Located, NotSupportedError, NotImplementedError):
    """SQL that IRIS accepts and this engine does not."""


class ForbiddenPathError(MeetUpError, PermissionError):
    """A file outside the folders that may be read."""


class MissingModelError(MeetUpError, LookupError):
    """A model that is not installed."""


class BrokenModelError(MeetUpError, ValueError):
    """A model folder that fails its own checks: a changed byte, a wrong dimension, a failing golden test."""


class UntrustedCodeError(MeetUpError, PermissionError):
    """Code of a model that nobody allowed to run."""


class ClassSyntaxError(_Located, MeetUpError, ValueError):
    """A class file that cannot be read."""


class MissingExtraError(MeetUpError, ImportError):
    """An optional dependency that is not installed."""
