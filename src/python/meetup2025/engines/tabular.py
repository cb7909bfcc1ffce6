"""
Data of other programs, read as batches of columns: Parquet, CSV, JSON, Arrow, arrays of numpy, data frames.

A DuckDB of its own reads them. It sees no database, and no file but those that it is given. Nothing is ever unpickled.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from meetup2025.engines.arrow import as_arrow
from meetup2025.engines.tokens import identifier
from meetup2025.errors import DataError, InterfaceError, MissingExtraError, listed, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import duckdb
    from numpy.typing import NDArray

VECTORS = "Features"
"""Name of the column of an array without names."""

_BATCH_NUMBERS = 16_000_000
"""Numbers of vectors that are in memory at once."""

_FILE_OF_SHEETS = (".xlsx", ".xls", ".ods")


class Column(NamedTuple):
    """A column of data, with its DuckDB type."""

    name: str
    kind: str


@dataclass(frozen=True)
class Tabular:
    """
    Data that can be read in batches.

    Attributes:
        source: Name of the data, for messages.
        columns: The columns, in their order.
        rows: Number of rows.
    """

    source: str
    columns: tuple[Column, ...]
    rows: int
    _scratch: duckdb.DuckDBPyConnection
    _part: Callable[[int, int], Any]

    def batches(self, expressions: Mapping[str, str], width: int) -> Iterator[dict[str, Any]]:
        """
        Read the data in batches.

        Args:
            expressions: Name -> expression of DuckDB SQL over the columns.
            width: Numbers of a row, which decide how many rows are read at once.

        Yields:
            The columns of a batch by name, each an array of Arrow.

        Raises:
            DataError: A value cannot be converted.
        """
        import nanoarrow

        size = max(1, _BATCH_NUMBERS // max(width, 64))
        items = ", ".join(f"{expression} AS c{place}" for place, expression in enumerate(expressions.values()))
        for start in range(0, self.rows, size):
            with _readable(self.source):
                part = self._part(start, start + size)  # a name that DuckDB finds in this frame, or SQL
                if not isinstance(part, str):
                    self._scratch.register("part", part)
                relation = self._scratch.sql(f"SELECT {items} FROM {part if isinstance(part, str) else 'part'}")
                stream = list(nanoarrow.ArrayStream(relation))
            for batch in stream:
                yield {name: batch.child(place) for place, name in enumerate(expressions)}

    def longest(self, names: Sequence[str]) -> dict[str, int]:
        """Return the length of the longest text of columns."""
        found = dict.fromkeys(names, 0)
        items = {name: f"max(length(CAST({identifier(name)} AS VARCHAR)))" for name in names}
        for batch in self.batches(items, 1) if names else ():
            for name, longest in batch.items():
                found[name] = max(found[name], *(each or 0 for each in longest.to_pylist()))
        return found


@contextlib.contextmanager
def open_tabular(data: Any, beside: Any = None, texts: Sequence[str] = ()) -> Iterator[Tabular]:
    """
    Open data of another program.

    Args:
        data: Path of a file (.parquet, .csv, .tsv, .json, .jsonl, .arrow, .feather, .npy, .npz) or of a folder of
            Hugging Face datasets, a data frame of pandas or polars, a table of Arrow, an array of shape (n, d), or
            arrays by the names of their columns.
        beside: Data with further columns of the same rows, for an array.
        texts: Columns of a CSV file that are texts, also where all of them look like numbers: 007 stays 007.

    Raises:
        DataError: The file cannot be read, or holds no table.
        InterfaceError: The data is of another kind.
    """
    try:
        import duckdb
    except ImportError as error:
        raise MissingExtraError("Files and data frames are read by DuckDB: pip install duckdb nanoarrow.") from error
    with tempfile.TemporaryDirectory() as folder, duckdb.connect(str(Path(folder) / "scratch.db")) as scratch:
        scratch.execute("SET enable_progress_bar = false")
        source = str(data) if isinstance(data, (str, Path)) else type(data).__name__
        with _readable(source):
            opened = _opened(data, source, scratch, texts)
        if beside is not None:
            opened = _beside(opened, beside, scratch, texts)
        yield opened


def _opened(data: Any, source: str, scratch: duckdb.DuckDBPyConnection, texts: Sequence[str]) -> Tabular:
    if isinstance(data, (str, Path)):
        return _of_path(Path(data).expanduser(), source, scratch, texts)
    if isinstance(data, np.ndarray):
        data = {name: data[name] for name in data.dtype.names} if data.dtype.names else {VECTORS: data}
    if isinstance(data, dict):
        return _of_arrays(data, source, scratch)
    if hasattr(data, "__arrow_c_stream__") or type(data).__module__.partition(".")[0] == "pandas":
        return _kept(data, source, scratch)
    raise InterfaceError(
        "Data to load must be a path, a data frame, a table of Arrow, an array, or arrays by the names of their "
        f"columns. Got {type(data).__name__}."
    )


def _of_path(path: Path, source: str, scratch: duckdb.DuckDBPyConnection, texts: Sequence[str]) -> Tabular:
    suffix = path.suffix.lower()
    if path.is_dir():
        return _of_streams(sorted(path.glob("*.arrow")), source, scratch)
    if not path.is_file():
        raise DataError(f"A file to load must exist. Got {source}, which does not.")
    if suffix in (".arrow", ".feather"):
        return _of_streams([path], source, scratch)
    if suffix in (".npy", ".npz"):
        return _of_arrays(_arrays(path, source), source, scratch)
    if suffix in _FILE_OF_SHEETS:
        raise DataError(f"A file of sheets must be saved as CSV first. Got {source}; or load pandas.read_excel(…).")
    quoted = _literal(str(path))
    if suffix == ".parquet":
        return _of_parquet(quoted, source, scratch)
    if suffix in (".csv", ".tsv", ".txt"):
        return _of_csv(quoted, source, scratch, texts)
    if suffix in (".json", ".jsonl", ".ndjson"):
        return _kept(f"read_json({quoted}, maximum_object_size = 100000000)", source, scratch)
    raise DataError(
        f"A file to load must end in .parquet, .csv, .tsv, .json, .jsonl, .arrow, .feather, .npy or .npz. Got {source}."
    )


def _of_parquet(quoted: str, source: str, scratch: duckdb.DuckDBPyConnection) -> Tabular:
    """Read a file of Parquet where it is: of each batch, the rows that it has."""
    sql = f"read_parquet({quoted})"
    numbered = f"(SELECT * FROM read_parquet({quoted}, file_row_number = true) WHERE file_row_number"

    def part(start: int, end: int) -> str:
        return f"{numbered} >= {start} AND file_row_number < {end})"

    return Tabular(source, _columns(sql, scratch), _count(sql, scratch), scratch, part)


def _of_csv(quoted: str, source: str, scratch: duckdb.DuckDBPyConnection, texts: Sequence[str]) -> Tabular:
    options = f"{quoted}, header = true, sample_size = -1"
    wanted = {text.strip().upper() for text in texts}
    header = [each.name for each in _columns(f"read_csv({options})", scratch)]
    _check_header(header, source)
    names = [name for name in header if name.upper() in wanted]
    types = ", ".join(f"{_literal(name)}: 'VARCHAR'" for name in names)
    return _kept(f"read_csv({options}{f', types = {{{types}}}' if types else ''})", source, scratch)


def _check_header(header: Sequence[str], source: str) -> None:
    """Refuse a file whose first line is a row of numbers: it would be lost as names of columns."""
    fractions = [name for name in header if re.fullmatch(r"-?\d*\.\d+(e[-+]?\d+)?(_\d+)?", name, re.IGNORECASE)]
    if fractions:
        got = f"{shown(fractions[0])}; add a line of names, or save an NPY"
        raise DataError(f"The first line of {source} must be names of columns. Got {got}.")


def _literal(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


def _kept(data: Any, source: str, scratch: duckdb.DuckDBPyConnection) -> Tabular:
    """Read data once, into a table of the scratch database."""
    if not isinstance(data, str):
        scratch.register("given", data)
    scratch.execute(f"CREATE TABLE kept AS SELECT * FROM {data if isinstance(data, str) else 'given'}")
    return _of_kept(source, scratch)


def _of_kept(source: str, scratch: duckdb.DuckDBPyConnection) -> Tabular:
    def part(start: int, end: int) -> str:
        return f"(SELECT * FROM kept WHERE rowid >= {start} AND rowid < {end})"

    return Tabular(source, _columns("kept", scratch), _count("kept", scratch), scratch, part)


def _of_streams(paths: Sequence[Path], source: str, scratch: duckdb.DuckDBPyConnection) -> Tabular:
    """Read files of Arrow, as Hugging Face datasets and Feather write them."""
    import nanoarrow
    from nanoarrow.ipc import InputStream

    if not paths:
        raise DataError(f"A folder to load must hold files that end in .arrow. Got {source}, which holds none.")
    for place, path in enumerate(paths):
        with path.open("rb") as file:
            file.seek(8 if file.read(6) == b"ARROW1" else 0)  # a file of Arrow is a stream behind eight bytes
            scratch.register("given", nanoarrow.ArrayStream(InputStream.from_readable(file)))
            scratch.execute("INSERT INTO kept FROM given" if place else "CREATE TABLE kept AS FROM given")
            scratch.unregister("given")
    return _of_kept(source, scratch)


def _arrays(path: Path, source: str) -> dict[str, Any]:
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
        if isinstance(found, np.ndarray):
            return {name: found[name] for name in found.dtype.names} if found.dtype.names else {VECTORS: found}
        with found:
            return {name: found[name] for name in found.files}
    except (ValueError, OSError, EOFError) as error:
        raise DataError(
            f"{source} must hold arrays of numbers or texts. Got: {error}. Objects of Python are never unpickled, "
            "since that could run code: save lists of texts as numpy.array(texts, dtype=str)."
        ) from error


def _of_arrays(arrays: Mapping[str, Any], source: str, scratch: duckdb.DuckDBPyConnection) -> Tabular:
    arrays = {name: np.asarray(each) for name, each in arrays.items()}
    _check_arrays(arrays, source)

    def part(start: int, end: int) -> Any:
        return as_arrow({name: _carried(each[start:end]) for name, each in arrays.items()})

    scratch.register("few", part(0, 1))
    rows = len(next(iter(arrays.values())))
    return Tabular(source, _columns("few", scratch), rows, scratch, part)


def _check_arrays(arrays: Mapping[str, NDArray[Any]], source: str) -> None:
    if not arrays:
        raise DataError(f"{source} must hold an array. Got none.")
    for name, each in arrays.items():
        if each.ndim not in (1, 2) or (each.ndim == 2 and each.dtype.kind not in "fiu"):
            raise DataError(
                f"An array of {source} must have the shape (n,), or (n, d) with numbers. Got {name} with {each.shape} "
                f"of {each.dtype}."
            )
    if len({len(each) for each in arrays.values()}) > 1:
        lengths = listed([f"{name} with {len(each)}" for name, each in arrays.items()])
        raise DataError(f"The arrays of {source} must have a value for each row. Got {lengths}.")


def _carried(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array in a type that Arrow has here."""
    if array.dtype.kind == "f" and array.dtype.itemsize not in (4, 8):
        return array.astype(np.float32 if array.dtype.itemsize < 4 else np.float64)
    if array.dtype.kind == "O" and len(array) and isinstance(array[0], (list, tuple)):
        return np.array([*(np.asarray(each) for each in array), None], dtype=object)[:-1]
    return array


def _beside(opened: Tabular, beside: Any, scratch: duckdb.DuckDBPyConnection, texts: Sequence[str]) -> Tabular:
    """Join further columns, row by row."""
    with open_tabular(beside, texts=texts) as other:
        names = [column.name for column in other.columns]
        if other.rows != opened.rows:
            raise DataError(f"{other.source} must have {opened.rows} rows, as {opened.source}. Got {other.rows}.")
        if doubled := {each.name.upper() for each in opened.columns} & {name.upper() for name in names}:
            raise DataError(f"{other.source} must have other columns than {opened.source}. Got {listed([*doubled])}.")
        rows = [
            {name: batch[name].to_pylist() for name in names}
            for batch in other.batches({name: identifier(name) for name in names}, 64)
        ]
    whole = {name: [value for batch in rows for value in batch[name]] for name in names}
    first = opened._part  # noqa: SLF001 - of this module

    def part(start: int, end: int) -> Any:
        columns = {name: values[start:end] for name, values in whole.items()}
        given = first(start, end)
        return as_arrow({**{each.name: given.child(at) for at, each in enumerate(opened.columns)}, **columns})

    scratch.register("few", part(0, 1))
    return Tabular(opened.source, _columns("few", scratch), opened.rows, scratch, part)


def _columns(sql: str, scratch: duckdb.DuckDBPyConnection) -> tuple[Column, ...]:
    rows = scratch.execute(f"DESCRIBE SELECT * FROM {sql}").fetchall()
    return tuple(Column(str(row[0]), str(row[1])) for row in rows)


def _count(sql: str, scratch: duckdb.DuckDBPyConnection) -> int:
    return int(scratch.execute(f"SELECT count(*) FROM {sql}").fetchall()[0][0])


@contextlib.contextmanager
def _readable(source: str) -> Iterator[None]:
    import duckdb

    try:
        yield
    except (duckdb.Error, RuntimeError, NotImplementedError) as error:
        raise DataError(f"{source} must be data that can be read. Got: {str(error).splitlines()[0]}") from error


def matrix(column: Any, name: str, first: int) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """
    Return the vectors of a batch.

    Args:
        column: A column of lists, an array of Arrow.
        name: Name of the column, for messages.
        first: Number of the first row, for messages.

    Returns:
        The vectors, shape (m, d), a copy that outlives the batch, and which of the n rows have one, shape (n,).

    Raises:
        DataError: A vector has another length than the one before, or lacks a number.
    """
    import nanoarrow

    view = nanoarrow.c_array(column).view()
    present = np.array([True] * len(column)) if not view.null_count else _bits(view.buffer(0), len(column))
    items, values = view.child(0), np.asarray(view.child(0).buffer(1))
    is_fixed = view.storage_type == "fixed_size_list"
    length = items.length // max(len(column), 1)
    offsets = np.arange(len(column) + 1) * length if is_fixed else np.asarray(view.buffer(1))[: len(column) + 1]
    if items.null_count:
        places = np.flatnonzero(~_bits(items.buffer(0), items.length))
        rows = np.searchsorted(offsets, places, side="right") - 1
        rows = rows[present[rows]]  # the numbers of a missing vector are missing too
        if len(rows):
            got = f"a missing one in row {first + rows[0]}, column {name}"
            raise DataError(f"A vector must have all of its numbers. Got {got}.")
    if is_fixed:
        return np.array(values[: items.length].reshape(len(column), length)[present]), present
    lengths = np.diff(offsets)[present]
    if len(lengths) and (lengths != lengths[0]).any():
        wrong = int(np.argmax(lengths != lengths[0]))
        row = first + int(np.flatnonzero(present)[wrong])
        got = f"{lengths[0]}, and {lengths[wrong]} in row {row}"
        raise DataError(f"The vectors of {name} must have one length. Got {got}.")
    length = int(lengths[0]) if len(lengths) else 0
    found = values[offsets[0] : offsets[0] + length * len(lengths)].reshape(len(lengths), length)
    return found.copy(), present


def _bits(buffer: Any, length: int) -> NDArray[np.bool_]:
    return np.unpackbits(np.frombuffer(buffer, np.uint8), count=length, bitorder="little").astype(bool)
