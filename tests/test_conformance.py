"""IRIS SQL means the same on every engine; what an engine cannot do is declared with the error that it raises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from planted import DIMENSION, INSERT_FISH, Planted, text

from meetup2025 import DataError, Error, IntegrityError, ProgrammingError
from meetup2025.engines.classes.program import program
from meetup2025.errors import SQLSyntaxError, UnsupportedSQLError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meetup2025.engines import Cursor

COSINE = "VECTOR_COSINE(Features,TO_VECTOR(?,double))"

# --- the statements of the workshop, unchanged ----------------------------------------------------------------------


def test_workshop_search(fish: Cursor, planted: Planted) -> None:
    """The three nearest names, with a parameter in the list and one in the order."""
    vector = planted.vector("サンマ")
    fish.execute(
        "SELECT TOP 3 Name,VECTOR_COSINE(Features,TO_VECTOR(?,double)) FROM MeetUp2025.Fish fish "
        "ORDER BY VECTOR_COSINE(Features,TO_VECTOR(?,double)) DESC",
        [text(vector), text(vector)],
    )
    found, expected = fish.fetchall(), planted.nearest(vector, 3)

    assert [name for name, _ in found] == [name for name, _ in expected]
    assert [score for _, score in found] == pytest.approx([score for _, score in expected], abs=1e-9)


def test_workshop_first_row(fish: Cursor, planted: Planted) -> None:
    """A vector comes back as comma-separated text, bit for bit."""
    name, features = fish.execute("SELECT TOP 1 Name, Features FROM MeetUp2025.Fish fish").fetchall()[0]

    assert features == text(planted.vector(name))


def test_workshop_photos(fish: Cursor, planted: Planted) -> None:
    """All photos with their vectors."""
    rows = fish.execute("SELECT Name, Features FROM MeetUp2025.FishImage fish").fetchall()

    assert dict(rows) == {
        f"{name}.jpg": text(vector) for name, vector in zip(planted.names, planted.vectors, strict=True)
    }


def test_workshop_insert(cursor: Cursor, planted: Planted) -> None:
    """One row with its vector, as text."""
    cursor.execute(
        "INSERT INTO MeetUp2025.Fish (FishID,Name,Features) VALUES (?,?,TO_VECTOR(?,DOUBLE,512))",
        ["F001", "マアジ", text(planted.vectors[0])],
    )

    assert cursor.rowcount == 1
    stored = cursor.execute("SELECT FishID, Name, Features FROM MeetUp2025.Fish").fetchall()
    assert stored == [("F001", "マアジ", text(planted.vectors[0]))]


def test_workshop_table(cursor: Cursor, planted: Planted) -> None:
    """A table with a vector and its index is made (twice is harmless), filled, searched, emptied and dropped."""
    create = "CREATE TABLE IF NOT EXISTS FishSearch.Fish (Name VARCHAR(100), Features VECTOR(DOUBLE, 512))"
    vector = text(planted.vectors[0])
    for statement in (
        create,
        create,
        "CREATE INDEX HNSWIndex ON TABLE FishSearch.Fish (Features) AS HNSW(Distance='Cosine')",
    ):
        cursor.execute(statement)
    cursor.execute("INSERT INTO FishSearch.Fish (Name, Features) VALUES (?, TO_VECTOR(?, DOUBLE))", ["マアジ", vector])

    assert cursor.execute(f"SELECT Name, {COSINE} FROM FishSearch.Fish", [vector]).fetchall() == [
        ("マアジ", pytest.approx(1))
    ]
    cursor.execute("TRUNCATE TABLE FishSearch.Fish")
    assert cursor.execute("SELECT * FROM FishSearch.Fish").fetchall() == []
    cursor.execute("DROP TABLE FishSearch.Fish")
    with pytest.raises(ProgrammingError) as caught:
        cursor.execute("SELECT * FROM FishSearch.Fish")
    assert caught.value.sqlcode == -30


# --- SELECT ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def shop(cursor: Cursor) -> Iterator[Cursor]:
    """Open cursor; a small table Shop.Item of a kind, a name, a price and a day."""
    cursor.execute(
        "CREATE TABLE Shop.Item (Kind VARCHAR(20), Name VARCHAR(20), Price NUMERIC(10,2), Sold DATE, Number INTEGER)"
    )
    cursor.executemany(
        "INSERT INTO Shop.Item (Kind, Name, Price, Sold, Number) VALUES (?, ?, ?, ?, ?)",
        [
            ("fish", "aji", 120, "2025-01-31", 3),
            ("Fish", "Saba", 250.5, "2025-02-01", 1),
            ("FISH", "tai", 980, None, None),
            ("crab", "gazami", 600, "2024-12-31", 2),
            ("crab", "Kegani", None, "2025-02-28", 5),
            (None, "namako", 300, "2025-02-01", 4),
        ],
    )
    yield cursor
    cursor.execute("DROP TABLE Shop.Item")


@pytest.mark.anywhere
@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        # TOP
        ("SELECT TOP 2 Name FROM Shop.Item ORDER BY Name", [("aji",), ("gazami",)]),
        ("SELECT TOP 0 Name FROM Shop.Item", []),
        ("SELECT TOP 99 COUNT(*) FROM Shop.Item", [(6,)]),
        ("SELECT TOP ALL Name FROM Shop.Item WHERE Number = 1", [("Saba",)]),
        ("SELECT DISTINCT TOP 1 %EXACT(Kind) FROM Shop.Item WHERE Kind = 'CRAB'", [("crab",)]),
        # letter case
        ("SELECT name FROM SHOP.ITEM WHERE NAME = 'SABA'", [("Saba",)]),
        ("SELECT Name FROM Shop.Item WHERE %EXACT(Name) = 'SABA'", []),
        ("SELECT Name FROM Shop.Item WHERE Name LIKE 'S%'", [("Saba",)]),
        ("SELECT Name FROM Shop.Item WHERE Name %STARTSWITH 'ke'", [("Kegani",)]),
        ("SELECT Name FROM Shop.Item WHERE Name IN ('TAI', 'AJI') ORDER BY Name", [("aji",), ("tai",)]),
        ("SELECT Name FROM Shop.Item WHERE Name [ 'ga' ORDER BY Name", [("gazami",), ("Kegani",)]),
        ("SELECT Name FROM Shop.Item WHERE Name [ 'GA'", []),
        # NULL
        ("SELECT Name FROM Shop.Item WHERE Price IS NULL", [("Kegani",)]),
        ("SELECT Name FROM Shop.Item WHERE Kind IS NOT NULL AND Sold IS NULL", [("tai",)]),
        ("SELECT COUNT(Price), COUNT(*), COUNT(DISTINCT Kind) FROM Shop.Item", [(5, 6, 2)]),
        ("SELECT Name FROM Shop.Item WHERE Number = NULL", []),
        (
            "SELECT COALESCE(NULL, Kind, Name), NVL(Kind, 'none') FROM Shop.Item WHERE Name = 'namako'",
            [("namako", "none")],
        ),
        ("SELECT Number + 1, NULLIF(Name, 'TAI') FROM Shop.Item WHERE Name = 'tai'", [(None, None)]),
        (
            "SELECT Name FROM Shop.Item ORDER BY Number, Name",
            [("tai",), ("Saba",), ("gazami",), ("aji",), ("namako",), ("Kegani",)],
        ),
        # groups
        (
            "SELECT Kind, COUNT(*), SUM(Number) FROM Shop.Item GROUP BY Kind ORDER BY Kind",
            [(None, 1, 4), ("CRAB", 2, 7), ("FISH", 3, 4)],
        ),
        ("SELECT Kind FROM Shop.Item GROUP BY Kind HAVING COUNT(*) > 2", [("FISH",)]),
        (
            "SELECT %EXACT(Kind), MAX(Number) FROM Shop.Item WHERE Kind = 'fish' AND Number > 1 GROUP BY %EXACT(Kind)",
            [("fish", 3)],
        ),
        ("SELECT MIN(Number), MAX(Number), AVG(Number) FROM Shop.Item", [(1, 5, 3)]),
        ("SELECT SUM(Number) FROM Shop.Item WHERE Name = 'nothing'", [(None,)]),
        # expressions
        ("SELECT Number * 2 + 1 FROM Shop.Item WHERE Name = 'aji'", [(7,)]),
        ("SELECT 2 + 3 * 4", [(14,)]),
        ("SELECT 7 / 2", [(3.5,)]),
        ("SELECT 7 # 4, MOD(7, 4)", [(3, 3)]),
        ("SELECT 'a' || 'b' || 1", [("ab1",)]),
        (
            (
                "SELECT CASE WHEN Number > 3 THEN 'many' WHEN Number IS NULL THEN 'none' ELSE 'few' END "
                "FROM Shop.Item ORDER BY Name"
            ),
            [("few",), ("few",), ("many",), ("many",), ("few",), ("none",)],
        ),
        ("SELECT Name FROM Shop.Item WHERE Number BETWEEN 2 AND 3 ORDER BY Number", [("gazami",), ("aji",)]),
        ("SELECT Name FROM Shop.Item WHERE NOT (Number < 5)", [("Kegani",)]),
        # strings
        ("SELECT UPPER('aé'), LOWER('AÉ'), LENGTH('魚 🐟'), CHAR_LENGTH('abc')", [("AÉ", "aé", 3, 3)]),
        (
            "SELECT SUBSTRING('マアジ', 2, 1), SUBSTR('abcdef', 3), {fn LEFT('abc', 2)}, {fn RIGHT('abc', 2)}",
            [("ア", "cdef", "ab", "bc")],
        ),
        ("SELECT TRIM('  a '), LTRIM('  a'), RTRIM('a  '), REPLACE('aXbX', 'X', '-')", [("a", "a", "a", "a-b-")]),
        ("SELECT POSITION('ア' IN 'マアジ'), INSTR('abcb', 'b'), CHARINDEX('c', 'abc')", [(2, 2, 3)]),
        ("SELECT $PIECE('a,b,c', ',', 2), $LENGTH('abc')", [("b", 3)]),
        ("SELECT {fn CONCAT('a', 'b')}, REVERSE('abc')", [("ab", "cba")]),
        # numbers
        (
            "SELECT ABS(-2), ROUND(2.46, 1), FLOOR(-1.5), CEILING(1.2), POWER(2, 10), SQRT(16)",
            [(2, 2.5, -2, 2, 1024, 4)],
        ),
        ("SELECT GREATEST(1, 3, 2), LEAST('b', 'a')", [(3, "a")]),
        ("SELECT CAST('12' AS INTEGER), CAST(12 AS VARCHAR(5)), CAST('1.5' AS DOUBLE)", [(12, "12", 1.5)]),
        # dates
        ("SELECT YEAR(Sold), MONTH(Sold), DAY(Sold) FROM Shop.Item WHERE Name = 'gazami'", [(2024, 12, 31)]),
        ("SELECT Name FROM Shop.Item WHERE Sold > '2025-02-01'", [("Kegani",)]),
        ("SELECT DATEDIFF('dd', '2025-01-31', '2025-02-28')", [(28,)]),
        # subqueries, joins, sets
        ("SELECT Name FROM Shop.Item WHERE Number = (SELECT MAX(Number) FROM Shop.Item)", [("Kegani",)]),
        (
            "SELECT a.Name FROM Shop.Item a WHERE EXISTS (SELECT * FROM Shop.Item b WHERE b.Number = a.Number + 4)",
            [("Saba",)],
        ),
        (
            (
                "SELECT a.Name, b.Name FROM Shop.Item a JOIN Shop.Item b "
                "ON b.Kind = a.Kind AND b.Number > a.Number ORDER BY a.Name"
            ),
            [("gazami", "Kegani"), ("Saba", "aji")],
        ),
        (
            (
                "SELECT a.Name, b.Name FROM Shop.Item a LEFT JOIN Shop.Item b "
                "ON b.Number = a.Number + 3 WHERE a.Number < 3 ORDER BY a.Number"
            ),
            [("Saba", "namako"), ("gazami", "Kegani")],
        ),
        ("SELECT COUNT(*) FROM Shop.Item a, Shop.Item b", [(36,)]),
        ("SELECT Cheap FROM (SELECT Name AS Cheap, Price FROM Shop.Item WHERE Price < 200) Low", [("aji",)]),
        ("SELECT 1 UNION SELECT 1", [(1,)]),
        ("SELECT 1 UNION ALL SELECT 1", [(1,), (1,)]),
        ("WITH low AS (SELECT Name FROM Shop.Item WHERE Number < 2) SELECT Name FROM low", [("Saba",)]),
        # comments and spelling
        ("select /* a ? */ Name -- b ' \n from Shop.Item where Number = 1 ;", [("Saba",)]),
        ('SELECT "Name" AS "the name" FROM Shop.Item WHERE Number = 1', [("Saba",)]),
        ("SELECT 'it''s', '--', '/*'", [("it's", "--", "/*")]),
        ("SELECT Name 'n' FROM Shop.Item WHERE Number = 1", ProgrammingError),
    ],
)
def test_select(shop: Cursor, sql: str, expected: Any) -> None:
    """A SELECT of IRIS gives what IRIS gives."""
    if isinstance(expected, type):
        with pytest.raises(expected):
            shop.execute(sql)
    else:
        assert shop.execute(sql).fetchall() == expected


@pytest.mark.anywhere
@pytest.mark.gap("duckdb", raises=Error, reason="not in the embedded engine yet")
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT DISTINCT BY (Kind) Name FROM Shop.Item",
        "SELECT Kind, Name FROM Shop.Item GROUP BY Kind",
        "SELECT Name, %VID FROM (SELECT Name FROM Shop.Item) x",
        "SELECT CAST('abc' AS INTEGER)",
        "SELECT $LENGTH('a,b,c', ',')",
    ],
)
def test_select_that_only_iris_knows(shop: Cursor, sql: str) -> None:
    """IRIS runs these statements."""
    assert shop.execute(sql).fetchall() != []


@pytest.mark.parametrize("top", [3, "3", 3.0])
def test_top_of_a_parameter(shop: Cursor, top: Any) -> None:
    """TOP ? takes its number from a parameter."""
    assert len(shop.execute("SELECT TOP ? Name FROM Shop.Item", [top]).fetchall()) == 3
    assert shop.execute("SELECT TOP ? Name FROM Shop.Item", [0]).fetchall() == []


def test_row_id(fish: Cursor) -> None:
    """%ID and ID are the number of a row: unique, kept when the row changes, and left out of SELECT *."""
    before = dict(fish.execute("SELECT Name, %ID FROM MeetUp2025.Fish").fetchall())
    fish.execute("UPDATE MeetUp2025.Fish SET Kanji = 'x'")
    after = dict(fish.execute("SELECT Name, ID FROM MeetUp2025.Fish").fetchall())
    fish.execute("SELECT * FROM MeetUp2025.Fish WHERE %ID = ?", [before["マダコ"]])

    assert after == before
    assert len(set(before.values())) == len(before)
    assert [column[0].upper() for column in fish.description or ()][:3] == ["FISHID", "NAME", "FEATURES"]
    assert fish.fetchall()[0][1] == "マダコ"


@pytest.mark.anywhere
def test_names_without_regard_to_case(fish: Cursor, planted: Planted) -> None:
    """Tables, fields, functions and queries are found in any letter case."""
    vector = text(planted.vector("サンマ"))
    for sql in (
        "select top 1 NAME from meetup2025.FISH order by vector_cosine(FEATURES, to_vector(?, double)) desc",
        "SELECT name FROM MEETUP2025.nearestfish(?, 1)",
    ):
        assert fish.execute(sql, [vector]).fetchall() == [("サンマ",)]
    assert fish.execute("select meetup2025.KNOWNNAME('サンマ')").fetchall() == [("サンマ",)]


def test_view(fish: Cursor, planted: Planted) -> None:
    """A view with vectors is searched as a table."""
    fish.execute("CREATE VIEW MeetUp2025.Shrimps AS SELECT Name, Features FROM MeetUp2025.Fish WHERE Name LIKE '%エビ'")
    vector = text(planted.vector("クルマエビ"))
    found = fish.execute(f"SELECT TOP 1 Name FROM MeetUp2025.Shrimps ORDER BY {COSINE} DESC", [vector]).fetchall()
    names = fish.execute("SELECT Name FROM MeetUp2025.Shrimps").fetchall()
    fish.execute("DROP VIEW MeetUp2025.Shrimps")

    assert found == [("クルマエビ",)]
    assert {name for (name,) in names} == {name for name in planted.names if name.endswith("エビ")}


def test_information_schema(cursor: Cursor) -> None:
    """INFORMATION_SCHEMA lists the tables, as IRIS has it."""
    cursor.execute(
        "SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = 'MeetUp2025' ORDER BY TABLE_NAME"
    )

    assert cursor.fetchall() == [(table.sql_name,) for _, table in sorted(program().tables.items())]


@pytest.mark.parametrize("name", ["fish", "FISH"])
def test_information_schema_has_no_case(cursor: Cursor, name: str) -> None:
    """A name in INFORMATION_SCHEMA is found in any case."""
    sql = "SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = 'meetup2025' AND TABLE_NAME = ?"

    assert cursor.execute(sql, [name]).fetchall() == [("Fish",)]


@pytest.mark.parametrize(
    "vector", ["TO_VECTOR('1.7,-1.7,2.5', INTEGER)", "TO_VECTOR('1.7,-1.7,2.5', INT, 3)", "TO_VECTOR(?, INTEGER)"]
)
def test_integer_elements_are_cut(cursor: Cursor, vector: str) -> None:
    """TO_VECTOR to INTEGER cuts the decimal places, selected and inside VECTOR_DOT_PRODUCT."""
    parameters = ["1.7,-1.7,2.5"] if "?" in vector else []
    product = f"VECTOR_DOT_PRODUCT({vector}, TO_VECTOR('1,1,1', INTEGER))"

    assert cursor.execute(f"SELECT {vector}", parameters).fetchall() == [("1,-1,2",)]
    assert cursor.execute(f"SELECT {product}", parameters).fetchall() == [(2,)]


def test_integer_vectors_are_stored_cut(cursor: Cursor) -> None:
    """An INTEGER column holds what TO_VECTOR cuts: of a constant, of one parameter and of many, and of a column."""
    cursor.execute("CREATE TABLE Shop.Counts (Text VARCHAR(50), Counts VECTOR(INTEGER, 3))")
    insert = "INSERT INTO Shop.Counts (Text, Counts) VALUES ('1.7,-1.7,2.5', {})"
    cursor.execute(insert.format("TO_VECTOR('1.7,-1.7,2.5', INTEGER)"))
    cursor.execute(insert.format("TO_VECTOR(?, INTEGER)"), ["1.7,-1.7,2.5"])
    cursor.executemany(
        "INSERT INTO Shop.Counts (Text, Counts) VALUES (?, TO_VECTOR(?, INTEGER))", [["1.7,-1.7,2.5"] * 2] * 2
    )
    query = "SELECT TOP 1 Text, TO_VECTOR(Text, INTEGER) FROM Shop.Counts"
    cursor.execute(f"INSERT INTO Shop.Counts (Text, Counts) {query}")
    rows = cursor.execute(
        "SELECT Counts, VECTOR_DOT_PRODUCT(Counts, TO_VECTOR(Text, INTEGER)) FROM Shop.Counts"
    ).fetchall()
    cursor.execute("DROP TABLE Shop.Counts")

    assert rows == [("1,-1,2", 6)] * 5


def test_dot_product(fish: Cursor, planted: Planted) -> None:
    """VECTOR_DOT_PRODUCT is the sum of the products."""
    vector = planted.vector("サンマ") * 3
    sql = "SELECT Name, VECTOR_DOT_PRODUCT(Features, TO_VECTOR(?, DOUBLE)) FROM MeetUp2025.Fish ORDER BY FishID"
    rows = fish.execute(sql, [text(vector)]).fetchall()

    assert [score for _, score in rows] == pytest.approx(list(planted.vectors @ vector), abs=1e-9)


# --- INSERT, UPDATE, DELETE -----------------------------------------------------------------------------------------


def test_update_of_a_vector(fish: Cursor, planted: Planted) -> None:
    """An UPDATE replaces a vector, from a parameter or from another row."""
    fish.execute(
        "UPDATE MeetUp2025.Fish SET Features = TO_VECTOR(?, DOUBLE) WHERE Name = 'ブリ'", [text(planted.vectors[-1])]
    )

    assert fish.execute("SELECT Features FROM MeetUp2025.Fish WHERE Name = 'ブリ'").fetchall() == [
        (text(planted.vectors[-1]),)
    ]


def test_delete(fish: Cursor, planted: Planted) -> None:
    """DELETE takes the rows of its condition, which may be a subquery."""
    fish.execute("DELETE FROM MeetUp2025.Fish WHERE Name IN (SELECT Label FROM MeetUp2025.FishImage)")
    none = fish.rowcount
    fish.execute(
        "DELETE FROM MeetUp2025.Fish WHERE Name || '.jpg' IN "
        "(SELECT Name FROM MeetUp2025.FishImage WHERE Name LIKE '%エビ.jpg')"
    )

    assert (none, fish.rowcount) == (0, sum(name.endswith("エビ") for name in planted.names))


@pytest.mark.anywhere
@pytest.mark.parametrize("name", ["マアジ", "ひらがな", "鯵", "🐟", "é", "ﾏｱｼﾞ", "a b", "x" * 50, "鯛" * 50])
def test_unicode(cursor: Cursor, name: str) -> None:
    """Names of any script, of up to the length of the field in characters, are stored and found."""
    cursor.execute("INSERT INTO MeetUp2025.Fish (FishID, Name) VALUES ('F1', ?)", [name])

    assert cursor.execute("SELECT Name FROM MeetUp2025.Fish WHERE Name = ?", [name]).fetchall() == [(name,)]
    assert cursor.execute(f"SELECT LENGTH(Name) FROM MeetUp2025.Fish WHERE Name = '{name}'").fetchall() == [
        (len(name),)
    ]


def test_unique_key_without_regard_to_case(cursor: Cursor) -> None:
    """Two keys that differ in letter case alone are the same."""
    cursor.execute("INSERT INTO MeetUp2025.Fish (FishID, Name) VALUES ('F1', 'abc')")
    for row in (["f1", "x"], ["F2", "ABC"]):
        with pytest.raises(IntegrityError):
            cursor.execute("INSERT INTO MeetUp2025.Fish (FishID, Name) VALUES (?, ?)", row)
        cursor.connection.rollback()
        cursor.execute("INSERT INTO MeetUp2025.Fish (FishID, Name) VALUES ('F1', 'abc')")


# --- errors ---------------------------------------------------------------------------------------------------------


@pytest.mark.anywhere
@pytest.mark.parametrize(
    ("sql", "kind", "sqlcode"),
    [
        ("SELEKT 1", ProgrammingError, None),
        ("", ProgrammingError, None),
        ("SELECT", ProgrammingError, None),
        ("SELECT Name FROM", ProgrammingError, None),
        ("SELECT 'a", ProgrammingError, None),
        ("SELECT (1", ProgrammingError, None),
        ("SELECT Name FROM MeetUp2025.Fish; SELECT 1", ProgrammingError, -25),
        ("SELECT Name FROM MeetUp2025.Fish WHERE Name = :name", ProgrammingError, -28),
        ("SELECT Nope FROM MeetUp2025.Fish", ProgrammingError, -29),
        ("SELECT Name FROM MeetUp2025.Fish WHERE Nope = 1", ProgrammingError, -29),
        ("UPDATE MeetUp2025.Fish SET Nope = 1", ProgrammingError, -29),
        ("INSERT INTO MeetUp2025.Fish (Nope) VALUES (1)", ProgrammingError, -29),
        ("SELECT other.Name FROM MeetUp2025.Fish fish", ProgrammingError, -23),
        ("SELECT Name FROM MeetUp2025.Fish, MeetUp2025.FishImage", ProgrammingError, -27),
        ("SELECT Name FROM MeetUp2025.Nope", ProgrammingError, -30),
        ("SELECT Name FROM Nope.Fish", ProgrammingError, -30),
        ("DELETE FROM Nope", ProgrammingError, -30),
        ("DROP TABLE Nope.Nope", ProgrammingError, -30),
        ("SELECT NOPE(Name) FROM MeetUp2025.Fish", ProgrammingError, -359),
        ("SELECT MeetUp2025.Nope(Name) FROM MeetUp2025.Fish", ProgrammingError, -359),
        ("SELECT * FROM MeetUp2025.Nope('a')", ProgrammingError, -428),
        ("CALL MeetUp2025.Nope('a')", ProgrammingError, -428),
        ("SELECT * FROM MeetUp2025.NearestFish('1', 2, 3)", ProgrammingError, -370),
        ("INSERT INTO MeetUp2025.Fish (FishID, Name) VALUES ('F900', 'マアジ')", IntegrityError, -119),
        ("INSERT INTO MeetUp2025.Fish (FishID, Name) VALUES ('F000', 'new')", IntegrityError, -119),
        ("INSERT INTO MeetUp2025.Fish (FishID) VALUES ('F900')", IntegrityError, -108),
        (f"INSERT INTO MeetUp2025.Fish (FishID, Name) VALUES ('F900', '{'x' * 51}')", DataError, -104),
        ("INSERT INTO MeetUp2025.Fish (FishID, Name) VALUES ('F900')", ProgrammingError, -62),
        ("SELECT VECTOR_COSINE(Features, TO_VECTOR('1,2', DOUBLE)) FROM MeetUp2025.Fish", Error, -257),
        ("SELECT VECTOR_COSINE(Features, Name) FROM MeetUp2025.Fish", Error, -258),
        ("SELECT VECTOR_COSINE(Features, TO_VECTOR('1', FLOAT)) FROM MeetUp2025.Fish", Error, -259),
        ("CREATE TABLE MeetUp2025.Fish (A INTEGER)", ProgrammingError, -201),
    ],
)
def test_errors(fish: Cursor, sql: str, kind: type[Error], sqlcode: int | None) -> None:
    """What is wrong is an error of its type, with the code that IRIS gives."""
    with pytest.raises(kind) as caught:
        fish.execute(sql)

    assert sqlcode in {None, caught.value.sqlcode}


@pytest.mark.embedded
@pytest.mark.anywhere
@pytest.mark.parametrize(
    ("sql", "place"),
    [
        ("SELECT Name,\n  Nope FROM MeetUp2025.Fish", (2, 3)),
        ("SELECT Name FROM Nope.Fish", (1, 18)),
        ("SELECT Name\nFROM MeetUp2025.Fish\nWHERE Name = = 1", (3, 14)),
        ("SELECT '魚', NOPE(1)", (1, 13)),
    ],
)
def test_errors_have_a_place(fish: Cursor, sql: str, place: tuple[int, int]) -> None:
    """An error of the text says its line and column, and its message does too."""
    with pytest.raises(SQLSyntaxError, match=f"line {place[0]}, column {place[1]}") as caught:
        fish.execute(sql)

    assert (caught.value.line, caught.value.column) == place


@pytest.mark.embedded
@pytest.mark.anywhere
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "COPY MeetUp2025.Fish TO 'fish.csv'",
        "ATTACH 'other.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "PRAGMA database_list",
        "SET enable_external_access = true",
        "SELECT read_text('/etc/passwd')",
        "SELECT getenv('HOME')",
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM main.duckdb_tables",
        "SELECT * FROM main.sqlite_master",
        "SELECT * FROM pg_catalog.pg_tables",
        "EXPORT DATABASE 'x'",
        "SELECT Name::TEXT FROM MeetUp2025.Fish",
        "SELECT [1, 2]",
        "SELECT {'a': 1}",
        "FROM MeetUp2025.Fish",
        "SELECT * EXCLUDE (Name) FROM MeetUp2025.Fish",
        "SELECT Name FROM MeetUp2025.Fish QUALIFY 1 = 1",
    ],
)
def test_sql_of_the_engine_beneath(fish: Cursor, sql: str) -> None:
    """SQL that is not IRIS SQL is refused: nothing falls through to the engine beneath, its files least of all."""
    with pytest.raises((SQLSyntaxError, UnsupportedSQLError)):
        fish.execute(sql)


def test_error_of_a_function_keeps_its_type(fish: Cursor) -> None:
    """A function that is called for each row raises its own error, with its message."""
    with pytest.raises(DataError, match="type must be T"):
        fish.execute("SELECT MeetUp2025.GetEmbedding('X', Name) FROM MeetUp2025.Fish").fetchall()

    assert fish.execute("SELECT COUNT(*) FROM MeetUp2025.Fish").fetchall() == [(31,)]


def test_dimension_is_that_of_the_classes(cursor: Cursor) -> None:
    """A vector of the declared length enters, whatever made it."""
    cursor.execute(INSERT_FISH, ["F1", "a", ",".join(["0.1"] * DIMENSION)])

    assert cursor.execute("SELECT Features FROM MeetUp2025.Fish").fetchall()[0][0].count(",") == DIMENSION - 1
