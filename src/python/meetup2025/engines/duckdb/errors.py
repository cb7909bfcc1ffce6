"""Errors of DuckDB as the errors of PEP 249, with the SQLCODE that IRIS has for the same fault."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, NoReturn

from meetup2025.errors import (
    DataError,
    EngineUnavailableError,
    Error,
    FileInUseError,
    IntegrityError,
    InternalError,
    OperationalError,
    ProgrammingError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import duckdb

_LONGEST = 400
"""Characters of a message of DuckDB that are shown: a message may hold a vector."""

_NO_VECTOR = "A vector must be written as TO_VECTOR(…, DOUBLE). Got its text alone."
_CONFLICT = "Another connection changed the same rows: roll back, and try again. Got: {0}"
_TAKEN = "A key must be unique. Got {1}, which another connection wrote in the meantime: run the statement again."
_NO_SUCH_OPERATION = "An operation must have values of types that it knows. Got {1}: write CAST(… AS …) around a value."

# Class of DuckDB, pattern of its message, class of this package, SQLCODE of IRIS, message. `{0}` is the message of
# DuckDB, `{1}` and `{2}` are groups of the pattern. The first row that fits is taken.
_FAULTS: tuple[tuple[str, str, type[Error], int, str], ...] = (
    (
        "Constraint",
        r"(?i)duplicate key \"(?:upper\()?(?:lower\()?([^\"():]+)\)*: ([^\"]*)",
        IntegrityError,
        -119,
        "{1} must be unique. Got {2} again.",
    ),
    ("Constraint", r"duplicate key \"([^\"]*)\"", IntegrityError, -119, "A key must be unique. Got {1} again."),
    ("Constraint", r"(?i)duplicate key|unique|primary key", IntegrityError, -119, "A key must be unique. Got: {0}"),
    (
        "Constraint",
        r"NOT NULL constraint failed: \w+\.\"?(\w+)",
        IntegrityError,
        -108,
        "{1} must have a value. Got NULL.",
    ),
    (
        "Constraint",
        r"length\(\"?(\w+)\"?\) <= (\d+)",
        DataError,
        -104,
        "{1} must have at most {2} characters. Got more.",
    ),
    (
        "Catalog",
        r"(?:Table|View) with name .* does not exist|Existing object .* is of type",
        ProgrammingError,
        -30,
        "{0}",
    ),
    ("Catalog", r"(?:Table|View) with name .* already exists", ProgrammingError, -201, "{0}"),
    ("Catalog", r"Index with name .* already exists", ProgrammingError, -324, "{0}"),
    ("Catalog", r"Index with name .* does not exist", ProgrammingError, -333, "{0}"),
    ("Binder", r"Referenced (?:column|table) .* not found|does not have a column", ProgrammingError, -29, "{0}"),
    ("Binder", r"Ambiguous reference", ProgrammingError, -27, "{0}"),
    ("Binder", r"Array arguments must be of the same size", DataError, -257, "{0}"),
    ("Binder", r"No function matches the given name and argument types '(.*?)'", DataError, -400, _NO_SUCH_OPERATION),
    ("Binder", r"", ProgrammingError, -400, "{0}"),
    ("InvalidInput", r"dimensions must be equal", DataError, -257, "{0}"),
    (
        "InvalidInput",
        r"read-only mode",
        ProgrammingError,
        -400,
        "A database that is changed must be open for writing. Got one that is open to read.",
    ),
    (
        "InvalidInput",
        r"More than one row returned by a subquery",
        DataError,
        -400,
        "A subquery must give one row. Got more.",
    ),
    ("InvalidInput", r"[Vv]alues were not provided|[Pp]arameter", ProgrammingError, -400, "{0}"),
    (
        "Conversion",
        r"Type VARCHAR with value .* can't be cast to the destination type \w+\[",
        DataError,
        -400,
        _NO_VECTOR,
    ),
    ("Conversion", r"Cannot cast (?:list|array) with length", DataError, -257, "{0}"),
    ("Conversion", r"", DataError, -400, "{0}"),
    ("OutOfRange", r"", DataError, -400, "{0}"),
    ("InvalidInput", r"", DataError, -400, "{0}"),
    ("IO", r"", OperationalError, -400, "{0}"),
    ("Transaction", r"duplicate key \"([^\"]*)\"", IntegrityError, -119, _TAKEN),
    ("Transaction", r"(?i)conflict", OperationalError, -400, _CONFLICT),
    ("InvalidInput", r"Division by zero", DataError, -400, "A divisor must not be zero. Got 0."),
    ("Transaction", r"", OperationalError, -400, "{0}"),
    ("OutOfMemory", r"", OperationalError, -400, "{0}"),
)


@contextlib.contextmanager
def duckdb_errors(taken: Callable[[], BaseException | None] = lambda: None) -> Iterator[None]:
    """
    Raise the errors of DuckDB in a block as errors of this package.

    Args:
        taken: Returns the error that a Python function raised inside DuckDB, which keeps no more than the text of it.

    Raises:
        Error: The fault, caused by the error of DuckDB.
    """
    import duckdb

    try:
        yield
    except RuntimeError as error:
        if "interrupted" in str(error):
            raise KeyboardInterrupt from error
        raise
    except duckdb.Error as error:
        original = taken()
        if original is not None:
            raise original from None
        _raise(error)


def _raise(error: duckdb.Error) -> NoReturn:
    text = str(error)
    name = type(error).__name__
    message = re.sub(r"\n+LINE \d.*", "", text, flags=re.DOTALL).partition(": ")[2].strip() or text
    message = message if len(message) <= _LONGEST else f"{message[:_LONGEST]}…"
    if re.search(r"Could not set lock|being used by another process|Conflicting lock", text):
        raise FileInUseError(
            f"A database file must be used by one process at a time. Got: {message}. Close the other program first."
        ) from error
    if "not a valid DuckDB database file" in text or "Cannot open file" in text:
        raise EngineUnavailableError(
            f"The database must be a file of this program that can be opened. Got: {message}"
        ) from error
    for kind, pattern, as_error, sqlcode, say in _FAULTS:
        match = re.search(pattern, text) if name == f"{kind}Exception" else None
        if match:
            raise as_error(say.format(message, *match.groups()), sqlcode=sqlcode) from error
    raise InternalError(message) from error
