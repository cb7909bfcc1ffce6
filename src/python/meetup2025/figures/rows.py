"""Rows from SQL: mappings of columns to values, or tuples in the order of the query."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from meetup2025.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Row: TypeAlias = "Mapping[str, Any] | Sequence[Any]"
Record: TypeAlias = "dict[str, Any]"


def records(rows: Iterable[Row], columns: Sequence[str], query: str) -> list[Record]:
    """
    Return rows as mappings with lower-case names.

    Args:
        rows: Mappings with names in any case, or tuples that begin with *columns*. Both may have more columns.
        columns: Columns of the query, in lower case and in order.
        query: Name of the query, for the error.

    Raises:
        DataError: A column is missing, or a tuple is too short.
    """
    return [_record(row, columns, query) for row in rows]


def _record(row: Row, columns: Sequence[str], query: str) -> Record:
    if isinstance(row, Mapping):
        found = {str(name).lower(): value for name, value in row.items()}
        missing = [name for name in columns if name not in found]
        if missing:
            raise _unfit(columns, query, f"one without {', '.join(missing)}")
        return found
    if isinstance(row, str) or len(row) < len(columns):
        raise _unfit(columns, query, f"{row!r}" if isinstance(row, str) else f"one of {len(row)} values")
    return dict(zip(columns, row, strict=False))


def _unfit(columns: Sequence[str], query: str, got: str) -> DataError:
    return DataError(f"Rows must have the columns {', '.join(columns)}. Got {got}; pass the rows of {query}.")
