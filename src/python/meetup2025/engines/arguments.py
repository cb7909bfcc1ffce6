"""
Arguments of SQL as values of Python.

IRIS converts no argument of a class method. A number may come as `"8"`, `8`, `8.0` or `Decimal("8")`. A text that looks
like a number may come as a number. The empty text comes as the character 0, and NULL as an empty text or as None.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from meetup2025.errors import DataError, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from meetup2025.engines import Cursor

EMPTY = "\x00"
"""The empty text of SQL, as IRIS passes it."""

MOST = 200
"""Most arguments of a statement: IRIS takes 255 (documentation: Using SQL, "%Execute() with Input Parameters")."""

_LARGEST = 10**38
"""Above all whole numbers of SQL; to write one of any exponent out would take all memory."""


def is_missing(value: Any) -> bool:
    """Check whether an argument is NULL or the empty text."""
    return value is None or (isinstance(value, str) and value in {"", EMPTY})


def as_text(value: Any) -> str:
    """Return the text of an argument. NULL becomes the empty text."""
    if is_missing(value):
        return ""
    if isinstance(value, (float, Decimal)) and math.isfinite(value):
        return f"{Decimal(str(value)).normalize():f}"
    return str(value)


def as_integer(name: str, value: Any) -> int:
    """
    Return an argument as a whole number.

    Args:
        name: Name of the argument in the message.
        value: Value from SQL.

    Raises:
        DataError: The value is no whole number, or above those of SQL.
    """
    number = _number(value)
    if number is None or not -_LARGEST < number < _LARGEST or number != number.to_integral_value():
        raise DataError(f"{name} must be a whole number. Got {shown(value)}.")
    return int(number)


def as_double(name: str, value: Any) -> float:
    """
    Return an argument as a number.

    Raises:
        DataError: The value is no finite number.
    """
    number = _number(value)
    if number is None or math.isinf(float(number)):
        raise DataError(f"{name} must be a number. Got {shown(value)}.")
    return float(number)


def selected(cursor: Cursor, sql: str, values: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    """
    Run a SELECT once for each `MOST` values, and yield all its rows.

    Args:
        cursor: An open cursor.
        sql: The statement, with `IN (?)` for the values.
        values: The values, any number of them.
    """
    for start in range(0, len(values), MOST):
        some = values[start : start + MOST]
        cursor.execute(marked(sql, len(some)), some)
        yield from cursor.fetchall()


def marked(sql: str, count: int) -> str:
    """Return a statement whose `IN (?)` takes *count* values."""
    return sql.replace("IN (?)", f"IN ({', '.join('?' * count)})")


def _number(value: Any) -> Decimal | None:
    """
    Return a finite number, or None for any other value.

    Texts that only Python reads as numbers, such as 1_000, are none.
    """
    written = str(int(value) if isinstance(value, bool) else value)
    try:
        number = Decimal(written if written.isascii() and "_" not in written else "")
    except ArithmeticError:
        return None
    return number if number.is_finite() else None
