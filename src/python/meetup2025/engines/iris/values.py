"""
Values between Python and IRIS, in both directions.

IRIS has NULL where ObjectScript has an empty string, and `$CHAR(0)` where SQL has an empty string. Inside the process,
numbers may come as text. A vector goes in as text. It comes out as text where the select mode is not Logical.
"""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from meetup2025 import vectors
from meetup2025.engines.arguments import EMPTY
from meetup2025.engines.binary import with_pictures
from meetup2025.errors import DataError, Error, InterfaceError, ProgrammingError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

LOGICAL_TYPES: Mapping[int, str] = {
    1: "BLOB",
    2: "DATE",
    3: "DOUBLE",
    5: "INTEGER",
    7: "VARCHAR",
    8: "TIME",
    9: "TIMESTAMP",
    10: "VARCHAR",
    14: "DECIMAL",
    15: "DECIMAL",
    16: "BOOLEAN",
    18: "BIGINT",
}
"""Types by the property clientType of `%SQL.StatementColumn`."""

ODBC_TYPES: Mapping[int, str] = {
    -12: "BIGINT",
    -7: "BOOLEAN",
    -6: "TINYINT",
    -5: "BIGINT",
    -4: "BLOB",
    -3: "BLOB",
    -2: "BLOB",
    2: "DECIMAL",
    3: "DECIMAL",
    4: "INTEGER",
    5: "SMALLINT",
    6: "DOUBLE",
    7: "FLOAT",
    8: "DOUBLE",
    9: "DATE",
    10: "TIME",
    11: "TIMESTAMP",
    91: "DATE",
    92: "TIME",
    93: "TIMESTAMP",
    1091: "DATE",
    1092: "TIME",
    1093: "TIMESTAMP",
}
"""Types by the codes of ODBC, as the driver reports them. All others are text."""


def to_iris(value: Any) -> Any:
    """
    Convert a parameter to a type of IRIS: None, a text, a number, or bytes.

    Raises:
        InterfaceError: The value has another type.
        InvalidVectorError: The array is no vector.
    """
    if value is None or isinstance(value, (str, bytes)):
        return value
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:  # a number of numpy
        value = value.item()
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, (datetime, date, time)):
        return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
    if hasattr(value, "__len__"):
        return vectors.to_text(value)
    raise InterfaceError(f"A parameter must be a text, a number, a date, a vector or None. Got {type(value).__name__}.")


def checked(sql: str, parameters: Sequence[Any]) -> list[Any]:
    """Convert the parameters of a statement."""
    if isinstance(parameters, (str, bytes)) or not hasattr(parameters, "__len__"):
        raise InterfaceError(f"Parameters must be a list or a tuple. Got {type(parameters).__name__} for {sql[:60]!r}.")
    return [to_iris(value) for value in with_pictures(sql, parameters)]


def checked_rows(sql: str, rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Convert the parameters of all runs of a statement, before the first run. An error names its row."""
    every: list[list[Any]] = []
    for number, row in enumerate(rows, 1):
        try:
            every.append(checked(sql, row))
        except Error as error:
            raise error.reworded(f"Row {number} of the parameters: {error}") from error
        if len(row) != len(every[0]):
            raise ProgrammingError(
                f"Row {number} of the parameters must have {len(every[0])} values, as the first. Got {len(row)}."
            )
    return every


def from_process(value: Any, kind: str) -> Any:
    """
    Read a value of a result inside the process.

    Args:
        value: Value from `%GetData`, in ODBC mode.
        kind: Type of the column, from `LOGICAL_TYPES`.

    Raises:
        DataError: The value is not of that type.
    """
    if value is None or (isinstance(value, str) and not value):
        return None
    if value == EMPTY:
        return ""
    try:
        return _READ[kind](value)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise DataError(f"A value of the type {kind} must be one. Got {value!r} from IRIS.") from error


def _integer(value: Any) -> int:
    return int(value) if not isinstance(value, str) else int(Decimal(value))


_READ: Mapping[str, Callable[[Any], Any]] = {
    "BIGINT": _integer,
    "BLOB": lambda value: value.encode("latin-1") if isinstance(value, str) else bytes(value),
    "BOOLEAN": _integer,
    "DATE": lambda value: date.fromisoformat(str(value)),
    "DECIMAL": lambda value: Decimal(str(value)),
    "DOUBLE": float,
    "INTEGER": _integer,
    "TIME": lambda value: time.fromisoformat(str(value)),
    "TIMESTAMP": lambda value: datetime.fromisoformat(str(value)),
    "VARCHAR": str,
}
