"""How the parameters of a DuckDB statement are worked out from those of the caller."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import meetup2025
from meetup2025 import procedures, vectors
from meetup2025.engines.duckdb import prepared
from meetup2025.errors import DataError, InvalidVectorError, ProgrammingError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meetup2025.engines.duckdb import DuckDBCursor as Cursor


def given(value: Any) -> prepared.Value:
    """Make the recipe that always gives *value*."""
    return lambda _: value


@pytest.mark.parametrize(
    "value", [None, "a", "魚", b"a", 1, 1.5, True, Decimal("1.5"), date(2025, 1, 2), [1.0], (1.0,)]
)
def test_values_that_sql_carries(value: object) -> None:
    """What SQL can carry is passed on as it is."""
    assert prepared.given_values(1, [value]) == [value]


def test_numpy_numbers() -> None:
    """A number of numpy becomes one of Python."""
    [value] = prepared.given_values(1, [np.float32(0.5)])

    assert (value, type(value)) == (0.5, float)


@pytest.mark.parametrize("parameters", ["ab", {"a": 1}, {1}, None, 5])
def test_parameters_must_be_in_order(parameters: Any) -> None:
    """Parameters are a list or a tuple."""
    with pytest.raises(ProgrammingError, match="list or tuple"):
        prepared.given_values(2, parameters)


@pytest.mark.parametrize("value", [{"a": 1}, {1}, object()])
def test_values_that_sql_does_not_carry(value: object) -> None:
    """Any other type is refused by its name."""
    with pytest.raises(ProgrammingError, match=type(value).__name__):
        prepared.given_values(1, [value])


def test_broken_text() -> None:
    """Half of a surrogate pair is no text."""
    with pytest.raises(DataError, match="surrogate pair at 1"):
        prepared.given_values(1, ["a\ud800"])


@pytest.mark.parametrize("value", ["1,2", [1, 2], (1.0, 2.0), np.array([1, 2])])
def test_vector_of_text_or_array(value: Any) -> None:
    """Text and arrays become one array of doubles."""
    made = prepared.vector(given(value), "DOUBLE", 2)([])

    assert (made.dtype, made.tolist()) == (np.float64, [1.0, 2.0])


def test_vector_of_null() -> None:
    """NULL stays NULL."""
    assert prepared.vector(given(None), "DOUBLE", 2)([]) is None


@pytest.mark.parametrize(
    ("value", "sqlcode"),
    [("1", -257), ([1, 2, 3], -257), ("a,b", -258), (5, -258), (np.ones((2, 2)), -258), ("0,0", -258), ("1,nan", -258)],
)
def test_what_is_no_vector(value: Any, sqlcode: int) -> None:
    """A wrong length is SQLCODE -257, all else that is no vector -258."""
    with pytest.raises(InvalidVectorError) as caught:
        prepared.vector(given(value), "DOUBLE", 2)([])

    assert caught.value.sqlcode == sqlcode


@pytest.mark.parametrize(
    "value", ["1.7,-1.7,2.5", " [1.7, -1.7, 2.5] ", [1.7, -1.7, 2.5], np.array([1.7, -1.7, 2.5], np.float32)]
)
def test_integers_are_cut(value: Any) -> None:
    """An element of an INTEGER vector loses its decimal places, and is not rounded."""
    made = prepared.vector(given(value), "BIGINT", 3)([])

    assert (made.dtype, made.tolist()) == (np.int64, [1, -1, 2])


def test_large_integers_are_exact() -> None:
    """An element that a double does not hold is kept, up to 8 bytes."""
    assert prepared.vector(given("9007199254740993,-9223372036854775808.9"), "BIGINT", 2)([]).tolist() == [
        9007199254740993,
        -(2**63),
    ]


def test_floats_have_four_bytes() -> None:
    """An element of a FLOAT vector is the nearest number of 4 bytes."""
    made = prepared.vector(given("0.1,1"), "FLOAT", None)([])

    assert (made.dtype, made.tolist()) == (np.float32, [float(np.float32(0.1)), 1.0])


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("0.9,-0.9", "BIGINT", "2 zeros"),
        ("9223372036854775808,1", "BIGINT", r"2\*\*63"),
        ("1e300,1", "BIGINT", r"2\*\*63"),
        ("1e39,1", "FLOAT", "finite"),
        ("1e-60,0", "FLOAT", "2 zeros"),
    ],
)
def test_elements_that_do_not_fit(text: str, kind: str, words: str) -> None:
    """A vector that its element type cannot hold is refused before DuckDB sees it."""
    with pytest.raises(InvalidVectorError, match=words):
        prepared.vector(given(text), kind, None)([])


def test_length_that_the_statement_fixes() -> None:
    """A CAST to a vector of a length holds the value to it; other values are left alone."""
    recipes = [given("x"), given(np.array([1.0, 2.0]))]
    first, second = prepared.of_right_length(recipes, "SELECT $1, CAST($2 AS DOUBLE[3])")

    assert first([]) == "x"
    with pytest.raises(InvalidVectorError, match="3"):
        second([])


@pytest.mark.parametrize(("value", "expected"), [(3, 3), ("3", 3), ("2.7", 2), (0, 0), (1e30, 2**62)])
def test_row_count(value: Any, expected: int) -> None:
    """TOP reads text as its whole number; a huge one is cut to what DuckDB takes."""
    assert prepared.row_count(given(value))([]) == expected


@pytest.mark.parametrize("value", [-1, "x", None, float("inf"), float("nan")])
def test_no_row_count(value: Any) -> None:
    """What is no number of rows is refused."""
    with pytest.raises(DataError, match="TOP must be a whole number from 0"):
        prepared.row_count(given(value))([])


# --- functions that are called once for each row


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Any]]:
    """Note the texts that are embedded one by one, and together."""
    asked: dict[str, list[Any]] = {"one": [], "many": []}
    one, many = procedures.embed_text, procedures.MANY["embed_text"]

    def embed_text(text: str) -> str:
        asked["one"].append(text)
        return one(text)

    def embed_texts(texts: list[str | None]) -> list[str]:
        asked["many"].append(texts)
        return many(texts)

    monkeypatch.setattr(procedures, "embed_text", embed_text)
    monkeypatch.setitem(procedures.MANY, "embed_text", embed_texts)
    return asked


@pytest.fixture
def words() -> Iterator[Cursor]:
    """Give a table of texts, one of them twice."""
    with meetup2025.connect("duckdb://") as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE T.W (Word VARCHAR(20), V VECTOR(DOUBLE, 512))")
        cursor.executemany("INSERT INTO T.W (Word) VALUES (?)", [["red"], ["Red"], ["red"], ["blue"]])
        yield cursor


def test_texts_of_rows_are_embedded_together(words: Cursor, asked: dict[str, list[Any]]) -> None:
    """Each distinct text of the rows that WHERE lets through is embedded once, in one batch."""
    rows = words.execute("SELECT Word, MeetUp2025.EmbedText(Word) FROM T.W WHERE Word <> ?", ["blue"]).fetchall()
    words.execute("UPDATE T.W SET V = TO_VECTOR(MeetUp2025.EmbedText(Word), DOUBLE)")

    assert asked == {"one": [], "many": [["red", "Red"], ["red", "Red", "blue"]]}
    alone = vectors.from_text(words.execute("SELECT MeetUp2025.EmbedText('red')").fetchall()[0][0])
    red = [vectors.from_text(text) for word, text in rows if word == "red"]
    assert red == [pytest.approx(alone, abs=1e-6)] * 2
    assert words.execute("SELECT COUNT(V) FROM T.W").fetchall() == [(4,)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT TOP 3 MeetUp2025.EmbedText(Word) FROM T.W ORDER BY Word DESC",
        "SELECT Word FROM T.W WHERE MeetUp2025.EmbedText(Word) = 'no'",
        "SELECT (SELECT MeetUp2025.EmbedText(b.Word) FROM T.W b WHERE b.Word = a.Word AND b.Word = 'blue') FROM T.W a",
    ],
)
def test_rows_that_are_not_known_before(words: Cursor, asked: dict[str, list[Any]], sql: str) -> None:
    """Where the rows are not known before the statement, texts are embedded one by one, and each once."""
    words.execute(sql).fetchall()

    assert asked["many"] == []
    assert 0 < len(asked["one"]) == len(set(asked["one"]))


def test_text_that_cannot_be_embedded(words: Cursor) -> None:
    """An empty text among the rows is the error that it is alone."""
    words.connection.commit()
    words.execute("INSERT INTO T.W (Word) VALUES ('')")
    words.connection.commit()

    with pytest.raises(DataError, match="must not be empty"):
        words.execute("SELECT MeetUp2025.EmbedText(Word) FROM T.W").fetchall()
