"""Rows leave as data frames and as files of other programs."""

from __future__ import annotations

import datetime as dt
import io
from typing import TYPE_CHECKING, Any

import click
import numpy as np
import orjson
import pytest

from meetup2025.cli import output
from meetup2025.engines.arrays import of_rows
from meetup2025.engines.duckdb import DuckDBConnection
from meetup2025.engines.exchange import file_of
from meetup2025.errors import InvalidVectorError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from meetup2025.engines import Cursor

DAY = dt.date(2025, 11, 30)
ROWS = [
    ("a", 1, 0.5, DAY, np.array([1.0, 2.0])),
    (None, None, None, None, None),
    ("鯖", 3, 1.5, DAY, np.array([3.0, 4.0])),
]


@pytest.fixture
def cursor() -> Iterator[Cursor]:
    """Cursor that has selected the rows."""
    with DuckDBConnection() as connection, connection.cursor() as cursor:
        columns = "Word VARCHAR(9), Whole INTEGER, Part DOUBLE, Day DATE, Place VECTOR(DOUBLE, 2)"
        cursor.execute(f"CREATE TABLE T ({columns})")
        cursor.executemany("INSERT INTO T VALUES (?, ?, ?, ?, TO_VECTOR(?, DOUBLE))", ROWS)
        cursor.execute("SELECT Word, Whole, Part, Day, Place FROM T")
        yield cursor


def read_parquet(data: bytes, folder: Path) -> list[tuple[Any, ...]]:
    """Read a file of Parquet by DuckDB alone."""
    import duckdb

    (folder / "rows.parquet").write_bytes(data)
    with duckdb.connect() as database:
        return database.execute(f"SELECT * FROM '{folder / 'rows.parquet'}'").fetchall()


def test_parquet_keeps_values_and_types(cursor: Cursor, tmp_path: Path) -> None:
    """Numbers, dates, texts, vectors and what is missing come back from Parquet as they were."""
    found = read_parquet(file_of(cursor.fetchnumpy(), "parquet"), tmp_path)

    assert [row[:4] for row in found] == [row[:4] for row in ROWS]
    assert [list(found[0][4]), list(found[2][4])] == [[1, 2], [3, 4]]


def test_json_lines(cursor: Cursor) -> None:
    """A line is an object, a vector a list, and what is missing null."""
    lines = [orjson.loads(line) for line in file_of(cursor.fetchnumpy(), "jsonl").splitlines()]

    assert lines[0] == {"Word": "a", "Whole": 1, "Part": 0.5, "Day": "2025-11-30", "Place": [1, 2]}
    assert lines[1] == {"Word": None, "Whole": None, "Part": None, "Day": None, "Place": [None, None]}


def test_array_of_records(cursor: Cursor) -> None:
    """Several columns are records of numpy, which need no pickle."""
    found = np.load(io.BytesIO(file_of(cursor.fetchnumpy(), "npy")), allow_pickle=False)

    assert found["Word"].tolist() == ["a", "", "鯖"]
    assert np.isnan(found["Whole"]).tolist() == [False, True, False]
    assert found["Place"][2].tolist() == [3, 4]


def test_array_of_vectors(cursor: Cursor) -> None:
    """One column of vectors is an array of shape (n, d)."""
    cursor.execute("SELECT Place FROM T WHERE Place IS NOT NULL")

    assert np.load(io.BytesIO(file_of(cursor.fetchnumpy(), "npy"))).tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("style", output.COLUMNAR)
def test_file_of_no_rows(cursor: Cursor, style: str, tmp_path: Path) -> None:
    """No rows make a file that can be read, without rows."""
    cursor.execute("SELECT Word, Place FROM T WHERE Whole = 99")
    data = file_of(cursor.fetchnumpy(), style)
    found = {
        "jsonl": data.splitlines,
        "npy": lambda: np.load(io.BytesIO(data)),
        "parquet": lambda: read_parquet(data, tmp_path),
    }

    assert len(found[style]()) == 0


def test_pandas(cursor: Cursor) -> None:
    """A data frame of pandas has the columns, and vectors as arrays."""
    pytest.importorskip("pandas")
    frame = cursor.df()

    assert list(frame.columns) == ["Word", "Whole", "Part", "Day", "Place"]
    assert frame["Place"][2].tolist() == [3, 4]


def test_polars_and_arrow(cursor: Cursor) -> None:
    """Polars and pyarrow get vectors as a type of one length, and what is missing as null."""
    pytest.importorskip("polars")
    pytest.importorskip("pyarrow")
    frame = cursor.pl()
    cursor.execute("SELECT Word, Whole, Part, Day, Place FROM T")
    table = cursor.arrow()

    assert frame["Whole"].to_list() == table["Whole"].to_pylist() == [1, None, 3]
    assert frame["Place"].to_list()[2] == table["Place"].to_pylist()[2] == [3, 4]


def test_frames_need_their_library(cursor: Cursor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the library of a data frame the message has the command that installs it."""
    monkeypatch.setitem(__import__("sys").modules, "polars", None)

    with pytest.raises(MissingExtraError, match=r"\[frames\]"):
        cursor.pl()


def test_text_of_numbers_is_a_vector() -> None:
    """A server gives a vector as text: texts of 8 numbers or more are vectors, shorter ones are texts."""
    found = of_rows(["long", "short"], [["1,2,3,4,5,6,7,8", "1,2"], ["-.1,2,3,4,5,6,7,1E-3", "3"]])

    assert found["long"][1].tolist() == [-0.1, 2, 3, 4, 5, 6, 7, 0.001]
    assert found["short"].tolist() == ["1,2", "3"]


def test_vectors_of_several_lengths() -> None:
    """A column of several lengths has no array."""
    with pytest.raises(InvalidVectorError, match="one length"):
        of_rows(["a"], [[np.ones(2)], [np.ones(3)]])


def test_second_file_is_refused(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """A file holds one result: a second one behind it would make neither readable."""
    with click.Context(click.Command("sql")):
        output.write_rows(["a"], [[1]], "npy")
        with pytest.raises(click.UsageError, match="one result"):
            output.write_rows(["a"], [[1]], "npy")

    assert np.load(io.BytesIO(capfdbinary.readouterr().out)).tolist() == [1]
