"""
Columns of a result as files of other programs: Parquet, JSON Lines, arrays of numpy.

A DuckDB of its own writes Parquet. It sees no database.
"""

from __future__ import annotations

import io
import tempfile
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from meetup2025.engines.arrow import as_arrow
from meetup2025.engines.duckdb.errors import duckdb_errors
from meetup2025.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray


def file_of(columns: Mapping[str, NDArray[Any]], style: str) -> bytes:
    """
    Return a file of columns, as `BaseCursor.fetchnumpy` has them.

    Args:
        columns: Arrays by the names of their columns, at least one column.
        style: `jsonl`, an object a line, `parquet`, or `npy`. In all of them a vector is a list of numbers. One column
            is an array of its own shape, several are an array of records. A missing number is NaN in it, a missing text
            is empty, and nothing is pickled.
    """
    if style == "parquet":
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "rows.parquet"
            write_parquet(columns, path)
            return path.read_bytes()
    return b"".join(_json_lines(columns)) if style == "jsonl" else _npy(columns)


def write_parquet(columns: Mapping[str, Any], path: Path) -> None:
    """
    Write a file of Parquet.

    Raises:
        MissingExtraError: DuckDB is not installed, as in an IRIS process.
    """
    try:
        import duckdb
    except ImportError as error:
        raise MissingExtraError("A Parquet file needs duckdb to write it: pip install duckdb; or take CSV.") from error

    quoted = str(path).replace("'", "''")
    with duckdb_errors(), duckdb.connect() as scratch:
        scratch.execute("SET enable_progress_bar = false")
        scratch.register("columns", as_arrow(columns))
        scratch.execute(f"COPY columns TO '{quoted}' (FORMAT parquet)")


def _json_lines(columns: Mapping[str, NDArray[Any]]) -> Iterator[bytes]:
    import orjson

    how = orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY
    values = [each if each.ndim > 1 else each.tolist() for each in columns.values()]
    for row in zip(*values, strict=True):
        yield orjson.dumps(dict(zip(columns, row, strict=True)), _json_value, how)


def _json_value(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else str(value)


def _npy(columns: Mapping[str, NDArray[Any]]) -> bytes:
    arrays = {name: _without_objects(each) for name, each in columns.items()}
    array = next(iter(arrays.values()))
    if len(arrays) > 1:
        array = np.empty(len(array), [(name, each.dtype, each.shape[1:]) for name, each in arrays.items()])
        for name, each in arrays.items():
            array[name] = each
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


def _without_objects(array: NDArray[Any]) -> NDArray[Any]:
    if np.ma.isMA(array):
        times = array.dtype.kind == "M"
        array = np.ma.filled(array if times else array.astype("f8"), np.datetime64("NaT") if times else np.nan)
    if array.dtype == object:
        texts = ["" if value is None else _text(value) for value in array.tolist()]
        array = np.array(texts, dtype=str)
    return array


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, (date, time)) else str(value)
