"""
Columns of values as one Arrow table, which DuckDB and the libraries of data frames read without a copy per number.

A vector stays an array: its numbers do not become Python objects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from meetup2025.errors import DataError, InterfaceError, InvalidVectorError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

_LARGEST = 2**63


def rows_as_arrow(rows: Sequence[Sequence[Any]]) -> Any:
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
    width = len(rows[0])
    if any(len(row) != width for row in rows):
        raise InterfaceError(f"Each row of parameters must have {width} values, as the first row has.")
    return as_arrow({f"c{place}": [row[place - 1] for row in rows] for place in range(1, width + 1)})


def as_arrow(columns: Mapping[str, Any]) -> Any:
    """
    Turn columns into an Arrow table.

    Args:
        columns: Values by the name of their column, at least one column. Values are a list as in `rows_as_arrow`, an
            array of shape (n,), masked where a value is missing, vectors of shape (n, d), or a column of Arrow.

    Returns:
        An object with the Arrow C data interface.
    """
    import nanoarrow

    made = {name: _column(values) for name, values in columns.items()}
    schema = nanoarrow.struct({name: column.schema for name, column in made.items()})
    length = len(next(iter(columns.values())))
    return nanoarrow.Array(nanoarrow.c_array_from_buffers(schema, length, [None], children=list(made.values())))


def as_column(array: NDArray[Any]) -> Any:
    """Turn an array into a column of Arrow."""
    import nanoarrow

    return nanoarrow.Array(_column(array))


def _column(values: Any) -> Any:
    import nanoarrow

    if hasattr(values, "__arrow_c_array__"):
        return nanoarrow.c_array(values)
    if not isinstance(values, np.ndarray):
        return _listed(values)
    if values.ndim == 2:
        flat = _plain(values.reshape(-1))
        kind = nanoarrow.fixed_size_list(flat.schema, values.shape[1])
        return nanoarrow.c_array_from_buffers(kind, len(values), [None], children=[flat])
    return _numbers(values) if values.dtype.kind in "iufM" else _listed(values.tolist())


def _numbers(values: NDArray[Any]) -> Any:
    """Return numbers, dates or times. Masked values are NULL."""
    import nanoarrow

    present = np.packbits(~np.ma.getmaskarray(values), bitorder="little") if np.ma.isMA(values) else None
    data, kind = np.ascontiguousarray(np.ma.getdata(values)), None
    if data.dtype == "M8[D]":
        data, kind = data.view(np.int64).astype(np.int32), nanoarrow.date32()
    elif data.dtype.kind == "M":
        data, kind = data.astype("M8[us]").view(np.int64), nanoarrow.timestamp("us")
    if not len(data):
        return nanoarrow.c_array([], kind) if kind else _plain(data)
    return nanoarrow.c_array_from_buffers(kind or nanoarrow.c_array(data).schema, len(data), [present, data])


def _plain(numbers: NDArray[Any]) -> Any:
    """Return numbers of which none is missing. The library cannot tell the type of no numbers."""
    import nanoarrow

    if len(numbers):
        return nanoarrow.c_array(np.ascontiguousarray(numbers))
    return nanoarrow.c_array([], nanoarrow.c_array(np.zeros(1, numbers.dtype)).schema)


def _listed(values: Sequence[Any]) -> Any:
    import nanoarrow

    known = [value for value in values if value is not None]
    if known and isinstance(known[0], np.ndarray):
        return _vectors(values, len(known[0]))
    if known and all(isinstance(value, bool) for value in known):
        return nanoarrow.c_array(values, nanoarrow.bool_())
    if known and all(isinstance(value, int) and abs(value) < _LARGEST for value in known):
        return nanoarrow.c_array(values, nanoarrow.int64())
    if known and all(isinstance(value, (int, float)) for value in known):
        return nanoarrow.c_array(values, nanoarrow.float64())
    if any(isinstance(value, (bytes, bytearray)) for value in known):
        if not all(isinstance(value, (bytes, bytearray)) for value in known):
            raise DataError("A column of bytes must get bytes in every row. Got other values too.")
        return nanoarrow.c_array([None if value is None else bytes(value) for value in values], nanoarrow.binary())
    # DuckDB converts a text to the type of the column.
    texts = [None if value is None else str(value) for value in values]
    try:
        return nanoarrow.c_array(texts, nanoarrow.string())
    except ValueError as error:
        message = "A text must be Unicode. Got half of a surrogate pair; remove it."
        raise DataError(message) from error


def _vectors(values: Sequence[Any], length: int) -> Any:
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
