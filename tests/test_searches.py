"""The searches of the classes give what numpy gives, on every engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from planted import DIMENSION, EXEMPLARS, INSERT_FISH, STRANGERS, Planted, text

from meetup2025 import DataError
from meetup2025.errors import InvalidVectorError, UnknownNameError

if TYPE_CHECKING:
    from meetup2025.engines import Connection, Cursor

pytestmark = pytest.mark.slow

NEAREST = "SELECT Name, Score FROM MeetUp2025.NearestFish(?, ?)"
GREATEST = """\
SELECT TOP 5 id, name, GREATEST( VECTOR_COSINE(features, (SELECT features from MeetUp2025.Fish where name='マアジ')),
  VECTOR_COSINE(features, (SELECT features from MeetUp2025.Fish where name='ボタンエビ')),
  VECTOR_COSINE(features, (SELECT features from MeetUp2025.Fish where name='マダコ'))) AS MOST_SIMILAR -- a comment
  FROM MeetUp2025.Fish fish HAVING MOST_SIMILAR < 0.6 ORDER BY MOST_SIMILAR -- another
  ASC"""


def same(found: list[tuple[Any, ...]], expected: list[tuple[str, float]]) -> None:
    """Compare names in order, and scores to 1e-9."""
    assert [row[0] for row in found] == [name for name, _ in expected]
    assert [row[1] for row in found] == pytest.approx([score for _, score in expected], abs=1e-9)


@pytest.mark.anywhere
def test_nearest_fish(fish: Cursor, planted: Planted) -> None:
    """NearestFish gives the k names of the largest cosines, in order."""
    for name in ("サンマ", "マダコ", "abc"):
        vector = planted.vector(name)
        for k in (1, 2, 8, 31):
            same(fish.execute(NEAREST, [text(vector), k]).fetchall(), planted.nearest(vector, k))


def test_nearest_fish_of_any_length(fish: Cursor, planted: Planted) -> None:
    """The length of a vector does not count, nor does its sign when both are turned."""
    vector = np.random.default_rng(3).normal(size=DIMENSION)
    expected = planted.nearest(vector, 5)

    for factor in (1e-6, 1.0, 1e6):
        same(fish.execute(NEAREST, [vector * factor, 5]).fetchall(), expected)


def test_nearest_images(fish: Cursor, planted: Planted) -> None:
    """NearestImages searches the photos in the same way."""
    vector = planted.vector("ガザミ")
    found = fish.execute("SELECT Name, Score FROM MeetUp2025.NearestImages(?, 4)", [text(vector)]).fetchall()

    same(found, [(f"{name}.jpg", score) for name, score in planted.nearest(vector, 4)])


def test_default_k(fish: Cursor, planted: Planted) -> None:
    """Without k the three best are given; CALL and FROM give the same rows."""
    vector = text(planted.vector("サンマ"))
    selected = fish.execute("SELECT * FROM MeetUp2025.NearestFish(?)", [vector]).fetchall()

    assert [row[1] for row in selected] == [name for name, _ in planted.nearest(planted.vector("サンマ"), 3)]
    assert fish.execute("CALL MeetUp2025.NearestFish(?)", [vector]).fetchall() == selected


def test_columns_of_a_query(fish: Cursor, planted: Planted) -> None:
    """The columns of a query are those that its class declares."""
    fish.execute("SELECT * FROM MeetUp2025.NearestFish(?, 1)", [text(planted.vector("サンマ"))])

    assert [column[0] for column in fish.description or ()] == ["FishID", "Name", "Kanji", "English", "Score"]


@pytest.mark.anywhere
def test_k_as_whole_number(fish: Cursor, planted: Planted) -> None:
    """A whole number is one in any spelling."""
    for k in (1, "1", 1.0, "1.0", True, " 1 "):
        same(fish.execute(NEAREST, [text(planted.vector("ブリ")), k]).fetchall(), [("ブリ", 1.0)])


def test_k_above_the_number_of_rows(fish: Cursor, planted: Planted) -> None:
    """A k beyond the table gives all its rows."""
    vector = planted.vector("ブリ")

    for k in (10**6, 10**9, 2**63 - 1):
        same(fish.execute(NEAREST, [text(vector), k]).fetchall(), planted.nearest(vector, 99))


@pytest.mark.anywhere
@pytest.mark.parametrize("sql", [NEAREST, "CALL MeetUp2025.NearestImages(?, ?)"])
def test_k_that_is_none(fish: Cursor, planted: Planted, sql: str) -> None:
    """A k that is not a whole number from 1 is refused, and the message says so."""
    for k in (0, -1, 2.5, "abc", "", None, float("nan"), float("inf"), "1 OR 1=1"):
        with pytest.raises(DataError, match="k must be a whole number"):
            fish.execute(sql, [text(planted.vector("ブリ")), k])


@pytest.mark.parametrize("sql", [NEAREST, "CALL MeetUp2025.SimilarFish('マアジ', ?)"])
def test_queries_of_nothing(cursor: Cursor, sql: str) -> None:
    """An empty table gives no rows; a name that it does not have is an error all the same."""
    if "Similar" in sql:
        with pytest.raises(UnknownNameError, match="マアジ"):
            cursor.execute(sql, [3])
    else:
        assert cursor.execute(sql, [text(np.ones(DIMENSION)), 3]).fetchall() == []


def test_rows_without_a_vector(fish: Cursor, planted: Planted) -> None:
    """A row whose vector is NULL never comes before one that has one."""
    fish.execute("INSERT INTO MeetUp2025.Fish (FishID, Name) VALUES ('F900', 'no vector')")
    vector = planted.vector("マダコ")

    same(fish.execute(NEAREST, [text(vector), 31]).fetchall(), planted.nearest(vector, 31))


def test_one_row(cursor: Cursor) -> None:
    """A table of one row answers with it, whatever the vector."""
    vector = np.ones(DIMENSION)
    cursor.execute(INSERT_FISH, ["F1", "alone", vector])

    same(cursor.execute(NEAREST, [-vector, 3]).fetchall(), [("alone", -1.0)])


def test_equal_scores(cursor: Cursor) -> None:
    """Rows of the same vector have the same score, and all of them are found."""
    cursor.executemany(INSERT_FISH, [(f"F{at}", f"twin {at}", np.ones(DIMENSION)) for at in range(4)])
    found = cursor.execute(NEAREST, [np.ones(DIMENSION), 4]).fetchall()

    assert {row[0] for row in found} == {f"twin {at}" for at in range(4)}
    assert len({row[1] for row in found}) == 1


@pytest.mark.anywhere
@pytest.mark.parametrize(
    ("vector", "sqlcode"),
    [
        (",".join(["1"] * 511), -257),
        (",".join(["1"] * 513), -257),
        (np.ones(511), -257),
        (np.ones((2, 512)), -258),
        (",".join(["0"] * 512), -258),
        (np.zeros(512), -258),
        (",".join(["nan"] + ["1"] * 511), -258),
        (np.full(512, np.nan), -258),
        (np.full(512, np.inf), -258),
        (",".join(["inf"] + ["1"] * 511), -258),
        (",".join(["マアジ"] * 512), -258),
        (",".join(["one"] * 512), -258),
        ("error: no such file", -258),
        ("", -258),
        (7, -258),
    ],
    ids=[
        "511",
        "513",
        "511 array",
        "two rows",
        "zeros",
        "zeros array",
        "nan",
        "nan array",
        "inf array",
        "inf",
        "kana",
        "words",
        "message",
        "empty",
        "int",
    ],
)
def test_what_is_no_vector(cursor: Cursor, vector: Any, sqlcode: int) -> None:
    """What is not 512 finite numbers with a direction is refused in searches and INSERTs, and nothing is stored."""
    good = np.ones(DIMENSION)
    for run in (
        lambda: cursor.execute(INSERT_FISH, ["F1", "a", vector]),
        lambda: cursor.executemany(INSERT_FISH, [("F1", "a", good), ("F2", "b", vector)]),
        lambda: cursor.execute(
            "INSERT INTO MeetUp2025.Fish (FishID, Name, Features) VALUES ('F1', 'a', TO_VECTOR(?, DOUBLE))", [vector]
        ),
    ):
        with pytest.raises(InvalidVectorError) as caught:
            run()
        assert caught.value.sqlcode == sqlcode

    assert cursor.execute("SELECT COUNT(*) FROM MeetUp2025.Fish").fetchall() == [(0,)]


@pytest.mark.anywhere
def test_search_with_what_is_no_vector(fish: Cursor) -> None:
    """A search with what is no vector of the table is an error, not an empty answer."""
    for vector in (np.ones(511), np.ones(513), ",".join(["0"] * 512), "1,2", "a"):
        with pytest.raises(DataError) as caught:
            fish.execute(NEAREST, [vector, 3])
        assert caught.value.sqlcode in {-257, -258}


# --- names ----------------------------------------------------------------------------------------------------------


def test_similar_fish(fish: Cursor, planted: Planted) -> None:
    """SimilarFish gives the nearest names without the name itself."""
    found = fish.execute("CALL MeetUp2025.SimilarFish('クルマエビ', 4)").fetchall()

    same([(row[1], row[4]) for row in found], planted.nearest(planted.vector("クルマエビ"), 5)[1:])


def test_any_name_is_known(fish: Cursor) -> None:
    """A fish is found by kana of any width, kanji, market name and any letter case."""
    fish.execute("UPDATE MeetUp2025.Fish SET Kanji = '真鯵', OtherNames = 'ジンタ;豆アジ' WHERE Name = 'マアジ'")
    known = [
        fish.execute("SELECT MeetUp2025.KnownName(?)", [name]).fetchall()[0][0]
        for name in ("マアジ", "ﾏｱｼﾞ", " マアジ ", "真鯵", "豆アジ", "ABC", "ocean sunfish")
    ]

    assert known == ["マアジ"] * 5 + ["abc", "Ocean Sunfish"]


@pytest.mark.anywhere
def test_sql_in_a_name(fish: Cursor) -> None:
    """SQL, wildcards and odd characters in a name are looked up as text, and not found."""
    hostile = ("', (SELECT 1)) --", "Robert'); DROP TABLE MeetUp2025.Fish;--", '"; --')
    for name in (*hostile, "%", "a\u0000b", "鯛" * 50, "🐟", "", " "):
        with pytest.raises(UnknownNameError):
            fish.execute("CALL MeetUp2025.SimilarFish(?, 3)", [name])

    assert fish.execute("SELECT COUNT(*) FROM MeetUp2025.Fish").fetchall()[0][0] == len(STRANGERS) + 24


def test_sql_stored_as_a_name(fish: Cursor, planted: Planted) -> None:
    """Such a name can be stored, and then every query finds it."""
    names = ["'; DROP TABLE MeetUp2025.Fish --", "O'Hara", '"quoted"', "%_", "100％", "🐟 鮫", "a;b"]
    for at, name in enumerate(names):
        vector = np.eye(DIMENSION)[at]
        fish.execute(INSERT_FISH, [f"F90{at}", name, vector])
        assert fish.execute("SELECT Name FROM MeetUp2025.NearestFish(?, 1)", [vector]).fetchall() == [(name,)]
        assert fish.execute("SELECT Name FROM MeetUp2025.Fish WHERE Name = ?", [name]).fetchall() == [(name,)]
        found = fish.execute("CALL MeetUp2025.SimilarFish(?, 99)", [name]).fetchall()
        assert len(found) == len(planted.names) + at


# --- anomalies ------------------------------------------------------------------------------------------------------


@pytest.mark.anywhere
def test_anomalies(fish: Cursor, planted: Planted) -> None:
    """AnomaliesByExemplar gives the names least like their most similar exemplar, below the threshold."""
    sql = "SELECT Name, Score FROM MeetUp2025.AnomaliesByExemplar(?, ?, ?)"
    for threshold, k in ((0.6, 5), (0.6, 1), (0.6, 99), (0.05, 99), (0.99, 99), (-1, 5), ("0.6", "3")):
        found = fish.execute(sql, [",".join(EXEMPLARS), threshold, k]).fetchall()
        same(found, planted.anomalies(float(threshold), int(k)))


def test_anomalies_are_those_of_the_workshop(fish: Cursor, planted: Planted) -> None:
    """The query, the statement of the workshop and numpy agree in names, their letter case, and scores."""
    by_hand = [(row[1], row[2]) for row in fish.execute(GREATEST).fetchall()]
    by_query = fish.execute(
        "SELECT Name, Score FROM MeetUp2025.AnomaliesByExemplar('マアジ,ボタンエビ,マダコ', 0.6, 5)"
    ).fetchall()

    same(by_hand, planted.anomalies(0.6, 5))
    assert by_query == by_hand
    assert fish.execute("SELECT Name, Score FROM MeetUp2025.AnomaliesByExemplar()").fetchall() == by_hand


def test_letter_case_of_anomalies(fish: Cursor) -> None:
    """Grouping does not change the letters of a name."""
    found = fish.execute("SELECT Name FROM MeetUp2025.AnomaliesByExemplar('マアジ', 0.6, 99)").fetchall()

    assert {("abc",), ("Ocean Sunfish",)} <= set(found)


def test_exemplars_are_separated_by_any_blank(fish: Cursor, planted: Planted) -> None:
    """Blanks around a name in the list do not count, and a name may be there twice."""
    found = fish.execute(
        "SELECT Name, Score FROM MeetUp2025.AnomaliesByExemplar(?, 0.6, 5)", ["マアジ , ボタンエビ,マダコ, ﾏｱｼﾞ"]
    )

    same(found.fetchall(), planted.anomalies(0.6, 5))


def test_one_exemplar(fish: Cursor, planted: Planted) -> None:
    """One exemplar alone is compared with all."""
    found = fish.execute("SELECT Name, Score FROM MeetUp2025.AnomaliesByExemplar('abc', 2, 99)").fetchall()

    same(found, planted.nearest(planted.vector("abc"), 99)[::-1])


@pytest.mark.anywhere
def test_unknown_exemplar(fish: Cursor) -> None:
    """An exemplar that is not there is an error: the answer would be of another question."""
    for exemplars in ("マアジ,nobody", "nobody", "", ",", "マアジ,,マダコ"):
        with pytest.raises(UnknownNameError, match=r"MeetUp2025\.Fish"):
            fish.execute("SELECT Name FROM MeetUp2025.AnomaliesByExemplar(?, 0.6, 5)", [exemplars]).fetchall()


@pytest.mark.anywhere
def test_threshold_that_is_none(fish: Cursor) -> None:
    """A threshold must be a number."""
    for threshold in ("much", "", None, float("nan")):
        with pytest.raises(DataError, match="threshold must be a number"):
            fish.execute("SELECT Name FROM MeetUp2025.AnomaliesByExemplar('マアジ', ?, 5)", [threshold])


# --- the queries as tables ------------------------------------------------------------------------------------------


def test_query_joins_to_a_table(fish: Cursor, planted: Planted) -> None:
    """The rows of a query join, are filtered, grouped and sorted as those of a table."""
    sql = """
    SELECT fish.FishID, near.Score FROM MeetUp2025.NearestFish(?, 8) near
    JOIN MeetUp2025.Fish fish ON fish.Name = near.Name
    WHERE near.Score < 0.999 AND fish.Name <> ? ORDER BY near.Score DESC"""
    vector = planted.vector("サンマ")
    expected = [(planted.ids[planted.names.index(name)], score) for name, score in planted.nearest(vector, 8)[1:]]

    same(fish.execute(sql, [text(vector), "サンマ"]).fetchall(), expected)


def test_query_in_a_subquery(fish: Cursor, planted: Planted) -> None:
    """A query can stand in a subquery, twice, with parameters in any place."""
    sql = """
    SELECT TOP ? Name FROM MeetUp2025.Fish WHERE Name IN (SELECT Name FROM MeetUp2025.NearestFish(?, 8))
    AND Name NOT IN (SELECT Name FROM MeetUp2025.NearestFish(?, ?)) ORDER BY FishID"""
    vector = text(planted.vector("マダコ"))
    near = [name for name, _ in planted.nearest(planted.vector("マダコ"), 8)]

    assert [row[0] for row in fish.execute(sql, [99, vector, vector, 2]).fetchall()] == [
        name for name in planted.names if name in near[2:]
    ]


def test_vector_models(fish: Cursor, planted: Planted) -> None:
    """VectorModels counts the vectors of each table and model; hand-made ones have none."""
    fish.execute("UPDATE MeetUp2025.Fish SET Model = 'sketch@1' WHERE Name IN ('マアジ', 'マダコ')")
    found = fish.execute("SELECT Source, Model, Vectors FROM MeetUp2025.VectorModels()").fetchall()
    number = len(planted.names)

    assert sorted(found, key=str) == sorted(
        [("Fish", "sketch@1", 2), ("Fish", None, number - 2), ("FishImage", None, number)], key=str
    )


def test_catalogues(fish: Cursor, planted: Planted) -> None:
    """The catalogues give each row without its vector."""
    names = {row[0] for row in fish.execute("SELECT Name FROM MeetUp2025.FishCatalogue()").fetchall()}
    photos = {row[0] for row in fish.execute("SELECT Name FROM MeetUp2025.ImageCatalogue()").fetchall()}

    assert names == set(planted.names)
    assert photos == {f"{name}.jpg" for name in planted.names}


def test_search_sees_the_latest_rows(fish: Cursor, connection: Connection, planted: Planted) -> None:
    """A row is found once it is inserted, before the commit as after, and no longer once it is taken back."""
    vector = np.ones(DIMENSION)
    before = fish.execute(NEAREST, [vector, 1]).fetchall()
    fish.execute(INSERT_FISH, ["F900", "new", vector])
    inside = fish.execute(NEAREST, [vector, 1]).fetchall()
    connection.rollback()

    assert [before, inside, fish.execute(NEAREST, [vector, 1]).fetchall()] == [before, [("new", 1.0)], before]
    same(before, planted.nearest(vector, 1))
