"""
Rows of Python values as one Arrow table, which DuckDB inserts at once.

A vector stays an array: its numbers do not become Python objects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from meetup2025.errors import DataError, InterfaceError, InvalidVectorError

if TYPE_CHECKING:
    from collections.abc import Sequence

_LARGEST = 2**63


def as_arrow(rows: Sequence[Sequence[Any]]) -> Any:
    """
    Turn rows into an Arrow table whose columns are c1, c2 and so on.

    Args:
        rows: At least one row. All rows have one length. A value is None, a text, bytes, a number, or an array of shape
            (d,).

    Returns:
        An object with the Arrow C data interface.

    Raises:
        InterfaceError: The rows have different lengths.
        InvalidVectorError: The vectors of a column have different lengths.
    """
    import nanoarrow

    width = len(rows[0])
    if any(len(row) != width for row in rows):
        raise InterfaceError(f"Each row of parameters must have {width} values, as the first row has.")
    columns = {f"c{place}": _column([row[place - 1] for row in rows]) for place in range(1, width + 1)}
    schema = nanoarrow.struct({name: column.schema for name, column in columns.items()})
    return nanoarrow.Array(nanoarrow.c_array_from_buffers(schema, len(rows), [None], children=list(columns.values())))


def _column(values: list[Any]) -> Any:
    import nanoarrow

    known = [value for value in values if value is not None]
    if known and isinstance(known[0], np.ndarray):
        return _vectors(values, len(known[0]))
    if known and all(isinstance(value, int) and abs(value) < _LARGEST for value in known):
        return nanoarrow.c_array(values, nanoarrow.int64())
    if known and all(isinstance(value, (int, float)) for value in known):
        return nanoarrow.c_array(values, nanoarrow.float64())
    if any(isinstance(value, bytes) for value in known):
        if not all(isinstance(value, bytes) for value in known):
            raise DataError("A column of bytes must get bytes in every row. Got other values too.")
        return nanoarrow.c_array(values, nanoarrow.binary())
    # DuckDB converts a text to the type of the column.
    texts = [None if value is None else str(value) for value in values]
    try:
        return nanoarrow.c_array(texts, nanoarrow.string())
    except ValueError as error:
        message = "A text must be Unicode. Got half of a surrogate pair; remove it."
        raise DataError(message) from error


def _vectors(values: list[Any], length: int) -> Any:
    import nanoarrow

    if any(value is not None and len(value) != length for value in values):
        raise InvalidVectorError(f"Each vector must have {length} numbers, as the first vector has.", sqlcode=-257)
    kind = next(value.dtype for value in values if value is not None)
    rows = [np.zeros(length, kind) if value is None else value for value in values]
    flat = nanoarrow.c_array(np.concatenate(rows))
    present = np.packbits([value is not None for value in values], bitorder="little")
    return nanoarrow.c_array_from_buffers(
        nanoarrow.fixed_size_list(flat.schema, length), len(values), [present], children=[flat]
    )
