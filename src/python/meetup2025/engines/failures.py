"""
Errors of DuckDB as the errors of PEP 249, with the SQLCODE that IRIS gives for the same fault.
"""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, NoReturn

from meetup2025.errors import (
    DataError,
    EngineUnavailableError,
    Error,
    IntegrityError,
    InternalError,
    OperationalError,
    ProgrammingError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import duckdb

_LONGEST = 400

# Class of DuckDB, words of its message, what it is here, SQLCODE of IRIS, what must hold. The first that fits is taken.
_FAULTS: tuple[tuple[str, str, type[Error], int, str], ...] = (
    (
        "ConstraintException",
        r"(?i)duplicate key|unique constraint|primary key",
        IntegrityError,
        -119,
        "A key must be unique.",
    ),
    ("ConstraintException", r"NOT NULL", IntegrityError, -108, "A required field must have a value."),
    ("ConstraintException", r"CHECK", DataError, -104, "A text must fit the length of its field."),
    ("CatalogException", r"Table with name .* does not exist", ProgrammingError, -30, ""),
    ("CatalogException", r"View with name .* does not exist", ProgrammingError, -30, ""),
    ("CatalogException", r"Existing object .* is of type", ProgrammingError, -30, ""),
    ("CatalogException", r"(Table|View) with name .* already exists", ProgrammingError, -201, ""),
    ("CatalogException", r"Index with name .* already exists", ProgrammingError, -324, ""),
    ("CatalogException", r"Index with name .* does not exist", ProgrammingError, -333, ""),
    ("BinderException", r"Referenced (column|table) .* not found|does not have a column", ProgrammingError, -29, ""),
    ("BinderException", r"Ambiguous reference", ProgrammingError, -27, ""),
    ("BinderException", r"Array arguments must be of the same size", DataError, -257, ""),
    ("BinderException", r"Duplicate column", ProgrammingError, -400, ""),
    (
        "InvalidInputException",
        r"More than one row returned by a subquery",
        DataError,
        -400,
        "A subquery must give one row.",
    ),
    ("InvalidInputException", r"dimensions must be equal", DataError, -257, ""),
    ("InvalidInputException", r"[Vv]alues were not provided|[Pp]arameter", ProgrammingError, -400, ""),
    ("ConversionException", r"Cannot cast (list|array) with length", DataError, -257, ""),
    ("ConversionException", r"", DataError, -400, ""),
    ("OutOfRangeException", r"", DataError, -400, ""),
    ("InvalidInputException", r"", DataError, -400, ""),
    ("IOException", r"", OperationalError, -400, ""),
    ("TransactionException", r"", OperationalError, -400, ""),
    ("OutOfMemoryException", r"", OperationalError, -400, ""),
    ("ParserException", r"", InternalError, -400, ""),
)


@contextlib.contextmanager
def translated(taken: Callable[[], BaseException | None] = lambda: None) -> Iterator[None]:
    """
    Raise the errors of DuckDB in a block as errors of this package.

    Args:
        taken: Gives the error that a Python function raised inside DuckDB, which passes on no more than the text.

    Raises:
        Error: What went wrong, caused by the error of DuckDB.
    """
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        original = taken()
        if original is not None:
            raise original from None
        _raise(error)


def _raise(error: duckdb.Error) -> NoReturn:
    text = str(error)
    name = type(error).__name__
    message = re.sub(r"\n+LINE \d.*", "", text, flags=re.DOTALL).partition(": ")[2].strip() or text
    message = message if len(message) <= _LONGEST else f"{message[:_LONGEST]}…"  # it may hold a vector
    if re.search(r"Could not set lock|being used by another process|Conflicting lock", text):
        raise EngineUnavailableError(
            f"A database file must be used by one process at a time. Got: {message}. Close the other program first."
        ) from error
    if "not a valid DuckDB database file" in text or "Cannot open file" in text:
        raise EngineUnavailableError(
            f"The database must be a file of this program that can be opened. Got: {message}"
        ) from error
    for kind, words, as_error, sqlcode, rule in _FAULTS:
        if name == kind and re.search(words, text):
            raise as_error(f"{rule} Got: {message}" if rule else message, sqlcode=sqlcode) from error
    raise InternalError(message) from error
