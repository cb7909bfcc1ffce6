"""
Rows of Python values as one Arrow table: how many rows enter DuckDB at once.

A vector stays an array: no Python object is made for each of its numbers.
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
        rows: At least one row; all of one length. A value is None, a text, a number, or an array of shape (d,).

    Returns:
        An object that speaks the Arrow C data interface.

    Raises:
        InterfaceError: Rows of different lengths.
        InvalidVectorError: Vectors of different lengths in one column.
    """
    import nanoarrow

    width = len(rows[0])
    if any(len(row) != width for row in rows):
        raise InterfaceError(f"Each row of parameters must have {width} values, as the first.")
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
    # The column of the table makes what it needs of a text.
    texts = [None if value is None else str(value) for value in values]
    try:
        return nanoarrow.c_array(texts, nanoarrow.string())
    except ValueError as exc:
        raise DataError("A text must be Unicode that UTF-8 can write. Got half of a surrogate pair.") from exc


def _vectors(values: list[Any], length: int) -> Any:
    import nanoarrow

    if any(value is not None and len(value) != length for value in values):
        raise InvalidVectorError(f"Each vector must have {length} numbers, as the first.", sqlcode=-257)
    rows = [np.zeros(length) if value is None else value for value in values]
    flat = nanoarrow.c_array(np.concatenate(rows).astype(np.float64, copy=False))
    present = np.packbits([value is not None for value in values], bitorder="little")
    kind = nanoarrow.fixed_size_list(nanoarrow.float64(), length)
    return nanoarrow.c_array_from_buffers(kind, len(values), [present], children=[flat])
