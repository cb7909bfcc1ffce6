"""
Rows of Python values as one Arrow table: how many rows enter DuckDB at once.

A vector stays an array: no Python object is made for each of its numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from meetup2025.errors import InterfaceError, InvalidVectorError


def as_arrow(rows: Sequence[Sequence[Any]]) -> Any:
    """
    Turn rows into an Arrow table with the columns c1, c2, …

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
    return nanoarrow.Array(
        nanoarrow.c_array_from_buffers(schema, len(rows), [None], children=list(columns.values()))
    )


def _column(values: list[Any]) -> Any:
    import nanoarrow

    known = next((value for value in values if value is not None), None)
    if isinstance(known, np.ndarray):
        return _vectors(values, len(known))
    kind = nanoarrow.string()
    if isinstance(known, float):
        kind = nanoarrow.float64()
    elif isinstance(known, int):
        kind = nanoarrow.int64()
    return nanoarrow.c_array(values, kind)


def _vectors(values: list[Any], length: int) -> Any:
    import nanoarrow

    if any(value is None or len(value) != length for value in values):
        raise InvalidVectorError(f"Each vector must have {length} numbers, as the first.", sqlcode=-257)
    flat = nanoarrow.c_array(np.concatenate(values).astype(np.float64, copy=False))
    kind = nanoarrow.fixed_size_list(nanoarrow.float64(), length)
    return nanoarrow.c_array_from_buffers(kind, len(values), [None], children=[flat])
