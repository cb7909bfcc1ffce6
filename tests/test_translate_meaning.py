"""What the translated SQL means: DuckDB runs it, and gives what the IRIS reference says."""

from __future__ import annotations

import duckdb
import pytest
from iris_sql import empty_tables, three_and_one
from sqlglot import exp

import meetup2025
from meetup2025.engines.duckdb.translate import to_duckdb
from meetup2025.engines.sql import bind, parse, table_calls
from meetup2025.engines.sql.functions import AGGREGATES, FUNCTIONS, VARIADIC, arities, render
from meetup2025.errors import DataError


@pytest.fixture(scope="module")
def texts():
    """Give the tables that the texts speak of, empty."""
    return empty_tables()


@pytest.fixture
def fish():
    """Give three fish with a vector and one without."""
    return three_and_one()


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("10 / 4", 2.5),
        ("17 \\ 7", 2),
        ("-17 \\ 7", -2),
        ("17 # 10", 7),
        ("-17 # 10", 3),
        ("MOD(-17, 10)", -7),
        ("2 + 3 * 4", 14),
        ("'a' || NULL", None),
        ("GREATEST(1, 3, 2)", 3),
        ("LEAST(2, 1, 3)", 1),
        ("GREATEST(1, NULL, 2)", None),
        ("LEAST(1, NULL)", None),
        ("CAST('123456789012345678901234567890abc' AS VARCHAR)", "123456789012345678901234567890"),
        ("CAST('True' AS CHAR)", "T"),
        ("CAST('Grabscheid' AS VARCHAR(4))", "Grab"),
        ("CAST('12345678901234567890123456789012345' AS CHAR VARYING)", "12345678901234567890123456789012345"),
        ("CAST(42.9 AS INTEGER)", 42),
        ("CAST(-42.9 AS INTEGER)", -42),
        ("CONVERT(INTEGER, '7')", 7),
        ("CAST('9007199254740993' AS BIGINT)", 9007199254740993),
        ("IFNULL(NULL, 1)", 1),
        ("IFNULL(2, 1)", None),
        ("IFNULL(2, 1, 3)", 3),
        ("NVL(NULL, 1)", 1),
        ("ISNULL(2, 1)", 2),
        ("COALESCE(NULL, NULL, 3)", 3),
        ("NULLIF(1, 1)", None),
        ("SUBSTRING('abcdef', 2, 3)", "bcd"),
        ("SUBSTRING('abcdef' FROM 2 FOR 3)", "bcd"),
        ("SUBSTRING('abcdef', 0, 3)", "ab"),
        ("SUBSTRING('abcdef', -1, 3)", "a"),
        ("SUBSTRING('abc', 9)", ""),
        ("SUBSTR('abcdefg', -5, 4)", "cdef"),
        ("SUBSTR('abc', 9)", None),
        ("{fn LEFT(NULL, 2)}", None),
        ("{fn LEFT('abc', -1)}", ""),
        ("{fn RIGHT('abc', 2)}", "bc"),
        ("LENGTH('ab  ')", 2),
        ("CHAR_LENGTH('ab  ')", 4),
        ("$LENGTH(NULL)", 0),
        ("TRIM('  a ')", "a"),
        ("TRIM(LEADING 'x' FROM 'xax')", "ax"),
        ("TRIM(TRAILING ' ' FROM 'a ')", "a"),
        ("TRIM('x' FROM 'xax')", "a"),
        ("{fn LEFT({fn UCASE('abc')}, 2)}", "AB"),
        ("{fn SUBSTRING('abc', 2)}", "bc"),
        ("CASE WHEN {fn CURDATE} = CURRENT_DATE THEN 1 END", 1),
        ("LPAD('7', 3, '0') || RPAD('a', 2) || '.'", "007a ."),
        ("INSTR('abcb', 'b')", 2),
        ("POSITION('c' IN 'abc')", 3),
        ("CHARINDEX('c', 'abc')", 3),
        ("$PIECE('a^b^c', '^', 2)", "b"),
        ("{fn CONCAT('a', NULL)}", None),
        ("REPLACE('PING PONG', 'P', 'K')", "KING KONG"),
        ("{fn LOG(1)}", 0),
        ("{fn LOG10(100)}", 2),
        ("ROUND(2.567, 1)", 2.6),
        ("ROUND(2.567, 1, 1)", 2.5),
        ("{fn TRUNCATE(-2.567, 1)}", -2.5),
        ("CEILING(1.2) + FLOOR(1.8) + ABS(-1) + SIGN(-3)", 3),
        ("POWER(2, 3) + SQRT(16)", 12),
        ("YEAR('2025-03-04') + MONTH('2025-03-04') + DAY('2025-03-04 05:06:07')", 2032),
        ("DATEDIFF(D, '2022-01-01 00:00:00', '2022-12-20 12:00:00')", 353),
        ("CASE WHEN 'A' = 'a' THEN 1 ELSE 0 END", 0),
        ("'日本''語\n'", "日本'語\n"),
    ],
)
def test_functions_mean_what_iris_means(texts, expression, value):
    """Each function gives the value that the IRIS reference gives."""
    assert (
        value == pytest.approx(float(texts.value(expression)))
        if isinstance(value, float)
        else value == texts.value(expression)
    )


def test_every_function_is_one_of_duckdb(texts):
    """Each template is DuckDB SQL: preparing a call with NULLs finds no unknown function."""
    for name in {*FUNCTIONS, *AGGREGATES, *VARIADIC} - {"VECTOR_COSINE", "VECTOR_DOT_PRODUCT"}:
        first = ["'day'"] if name in ("DATEDIFF", "DATEADD") else []
        for count in sorted(arities(name))[:3]:
            call = render(name, [*first, *["NULL"] * (count - len(first))])
            assert len(texts.connection.execute(f"SELECT {call}").fetchall()) == 1, name


def test_top_zero_gives_nothing(fish):
    """TOP 0 is valid and returns no row."""
    assert fish.run("SELECT TOP 0 Name FROM MeetUp2025.Fish") == []


def test_null_is_lowest(fish):
    """NULL sorts before everything, and after everything in DESC."""
    score = "VECTOR_COSINE(Features, TO_VECTOR('1,0,0', DOUBLE))".replace("'1,0,0'", "?")
    ascending = fish.run(f"SELECT Name, {score} AS Score FROM MeetUp2025.Fish ORDER BY Score", [1, 0, 0])
    descending = fish.run(f"SELECT TOP 3 Name, {score} AS Score FROM MeetUp2025.Fish ORDER BY Score DESC", [1, 0, 0])
    assert ascending[0] == ("Ika", None)
    assert [name for name, _ in descending] == ["Aji", "Tako", "aji"]


def test_having_without_group_filters_rows(fish):
    """HAVING without GROUP BY keeps rows, by the alias of a select item."""
    sql = (
        "SELECT TOP 5 Name, "
        "GREATEST(VECTOR_COSINE(Features, (SELECT Features FROM MeetUp2025.Fish WHERE FishID = 'f001')), "
        "VECTOR_COSINE(Features, (SELECT Features FROM MeetUp2025.Fish WHERE FishID = 'F003'))) AS Best "
        "FROM MeetUp2025.Fish WHERE FishID <> 'F001' HAVING Best < 0.9 ORDER BY Best"
    )
    assert [("aji", pytest.approx(0.5**0.5))] == fish.run(sql)


def test_a_missing_exemplar_empties_greatest(fish):
    """One NULL makes GREATEST NULL, so that a name that is not there selects nothing."""
    sql = (
        "SELECT Name, "
        "GREATEST(VECTOR_COSINE(Features, (SELECT Features FROM MeetUp2025.Fish WHERE Name = 'nobody')), 0) AS Best "
        "FROM MeetUp2025.Fish HAVING Best < 2"
    )
    assert fish.run(sql) == []


def test_strings_compare_without_case(fish):
    """Columns have SQLUPPER collation: =, IN, LIKE, %STARTSWITH, joins and %INLIST take no notice of case."""
    table = "MeetUp2025.Fish"
    for condition in ["Name = 'AJI'", "Name IN ('AJI', 'x')", "Name LIKE 'AJ%'", "Name %STARTSWITH 'AJ'", "Name = ?",
                      "Name %INLIST $LISTFROMSTRING('AJI,x')", "Name BETWEEN 'AJI' AND 'AJI'"]:  # fmt: skip
        parameters = ["AJI"] if "?" in condition else []
        assert fish.run(f"SELECT FishID FROM {table} WHERE {condition} ORDER BY ID", *parameters) == [
            ("F001",),
            ("f002",),
        ]
    assert fish.run(f"SELECT COUNT(*) FROM {table} a JOIN {table} b ON a.Name = b.Name AND a.ID <> b.ID") == [(2,)]


def test_exact_and_contains_see_case(fish):
    """%EXACT and [ compare letter by letter."""
    for condition in ["%EXACT(Name) = 'aji'", "Name [ 'aj'"]:
        assert fish.run(f"SELECT FishID FROM MeetUp2025.Fish WHERE {condition}") == [("f002",)]


def test_groups_come_in_capitals(fish):
    """GROUP BY, DISTINCT and MAX of a string give capitals, %EXACT the letters as stored."""
    counts = fish.run("SELECT Name, COUNT(*) FROM MeetUp2025.Fish GROUP BY Name ORDER BY Name")
    assert counts == [("AJI", 2), ("IKA", 1), ("TAKO", 1)]
    assert fish.run("SELECT DISTINCT Name FROM MeetUp2025.Fish ORDER BY Name") == [("AJI",), ("IKA",), ("TAKO",)]
    assert fish.run("SELECT MAX(Name) FROM MeetUp2025.Fish") == [("TAKO",)]
    first = fish.run("SELECT %EXACT(FishID) i FROM MeetUp2025.Fish GROUP BY FishID HAVING FishID < 'F003' ORDER BY i")
    assert first == [("F001",), ("f002",)]
    exact = fish.run("SELECT %EXACT(Name) n FROM MeetUp2025.Fish GROUP BY %EXACT(Name) ORDER BY n")
    assert exact == [("Aji",), ("Ika",), ("Tako",), ("aji",)]


def test_list_joins_with_commas(fish):
    """LIST gives one text, and NULL of no rows."""
    assert fish.run("SELECT LIST(FishID) FROM MeetUp2025.Fish WHERE ID > 2") == [("F003,F004",)]
    assert fish.run("SELECT LIST(FishID) FROM MeetUp2025.Fish WHERE ID > 9") == [(None,)]


def test_row_ids_count_from_one_and_hide(fish):
    """The RowID is there as ID and %ID, and not in SELECT *."""
    assert fish.run("SELECT ID, %ID, f.ID FROM MeetUp2025.Fish f WHERE %ID = 1") == [(1, 1, 1)]
    assert [len(fish.run(f"SELECT {star} FROM MeetUp2025.Fish f")[0]) for star in ("*", "f.*")] == [3, 3]
    fish.run("CREATE VIEW V AS SELECT ID, Name FROM MeetUp2025.Fish")
    assert fish.run("SELECT * FROM V ORDER BY ID")[0] == (1, "Aji")


def test_labels_are_those_of_iris(fish):
    """A column without a name is called by its kind and place."""
    fish.run("SELECT Name, 1, Name || 'x', (SELECT 1), Name AS N FROM MeetUp2025.Fish")
    assert [column[0] for column in fish.connection.description] == [
        "Name",
        "HostVar_2",
        "Expression_3",
        "Subquery_4",
        "N",
    ]


def test_long_strings_are_refused(fish):
    """VARCHAR(n) takes n characters and no more."""
    fish.run("INSERT INTO MeetUp2025.Fish (Name) VALUES (?)", "十文字十文字十文字十")
    with pytest.raises(duckdb.ConstraintException, match=r'CHECK\(\(length\("Name"\) <= 10\)\)'):
        fish.run("INSERT INTO MeetUp2025.Fish (Name) VALUES (?)", "十文字十文字十文字十一")


def test_unique_takes_no_notice_of_case(fish):
    """UNIQUE refuses a string that differs in case only, and accepts several NULLs."""
    with pytest.raises(duckdb.ConstraintException, match="Duplicate key"):
        fish.run("INSERT INTO MeetUp2025.Fish (FishID, Name) VALUES ('f001', 'x')")
    for _ in range(2):
        fish.run("INSERT INTO MeetUp2025.Fish (Name) VALUES ('x')")


@pytest.mark.parametrize("sql", [
    "SELECT VECTOR_COSINE(Features, TO_VECTOR(?, DOUBLE)) FROM MeetUp2025.Fish",
    "INSERT INTO MeetUp2025.Fish (Name, Features) VALUES ('x', TO_VECTOR(?, DOUBLE))",
    "UPDATE MeetUp2025.Fish SET Features = TO_VECTOR(?, DOUBLE)",
])  # fmt: skip
def test_a_vector_of_another_length_is_an_error(fish, sql):
    """A parameter is neither padded nor cut to the length of the column."""
    with pytest.raises(duckdb.ConversionException, match="Cannot cast list with length 2 to array with length 3"):
        fish.run(sql, [1, 0])


def test_vectors_of_no_declared_length(fish):
    """Two parameters are compared whatever their length, and a NULL one gives NULL."""
    sql = "SELECT VECTOR_DOT_PRODUCT(TO_VECTOR(?, DOUBLE), TO_VECTOR(?, DOUBLE))"
    assert fish.run(sql, [1, 2], [3, 4]) == [(11.0,)]
    assert fish.run(sql, [1, 2], None) == [(None,)]


def test_a_table_lives_and_dies(fish):
    """CREATE, index, insert, truncate, DROP and CREATE again work one after the other."""
    create = "CREATE TABLE FishSearch.Fish (Name VARCHAR(100), Features VECTOR(DOUBLE, 2))"
    fish.run(create)
    fish.run("CREATE INDEX HNSWIndex ON TABLE FishSearch.Fish (Features) AS HNSW(Distance='Cosine')")
    fish.run("INSERT INTO FishSearch.Fish VALUES (?, TO_VECTOR(?, DOUBLE, 2))", "サバ", [1, 2])
    assert fish.run("SELECT * FROM fishsearch.FISH") == [("サバ", (1.0, 2.0))]
    fish.run("TRUNCATE TABLE FishSearch.Fish")
    assert fish.run("SELECT COUNT(*) FROM FishSearch.Fish") == [(0,)]
    fish.run("DROP INDEX HNSWIndex ON FishSearch.Fish")
    fish.run("DROP TABLE FishSearch.Fish")
    fish.run(create)
    fish.run("INSERT INTO FishSearch.Fish (Name) VALUES ('a')")
    assert fish.run("SELECT ID FROM FishSearch.Fish") == [(1,)]


def test_changes_rows(fish):
    """UPDATE and DELETE touch the rows of their condition."""
    fish.run("UPDATE MeetUp2025.Fish SET Name = 'Saba' WHERE FishID %INLIST $LISTFROMSTRING(?)", "F001,F002")
    fish.run("DELETE FROM MeetUp2025.Fish WHERE ID > ?", 2)
    fish.run("INSERT INTO MeetUp2025.Fish (Name) SELECT Name || '!' FROM MeetUp2025.Fish WHERE %ID = 1")
    assert fish.run("SELECT Name FROM MeetUp2025.Fish ORDER BY ID") == [("Saba",), ("Saba",), ("Saba!",)]


@pytest.mark.skipif(duckdb.__version__.startswith("1."), reason="DuckDB 1 gives NULL")
def test_division_by_zero_is_an_error(fish):
    """A division by zero is not an infinity."""
    with pytest.raises(duckdb.InvalidInputException, match="Division by zero"):
        fish.value("1 / 0")


def test_ordinary_columns_may_have_odd_names(fish):
    """A name that is a word of DuckDB alone needs no quotes."""
    fish.run("CREATE TABLE odd (lambda INTEGER, qualify INTEGER, show INTEGER)")
    fish.run("INSERT INTO odd VALUES (1, 2, 3)")
    assert fish.run("SELECT lambda, qualify, show FROM odd pivot") == [(1, 2, 3)]


def test_a_query_may_replace_its_call(fish):
    """The text of a class query runs in the place of its call, with its parameters."""
    tree = parse("SELECT near.Name FROM M.Near(?) near WHERE near.Score > ?")
    [table] = table_calls(tree)
    inner = bind(
        parse(
            "SELECT TOP 2 Name, VECTOR_COSINE(Features, TO_VECTOR(:v, DOUBLE)) AS Score FROM MeetUp2025.Fish "
            "ORDER BY Score DESC"
        ),
        {"v": table.this.expressions[0]},
    )
    table.replace(exp.Subquery(this=inner, alias=table.args["alias"]))
    [sql] = to_duckdb(tree, fish)
    assert fish.connection.execute(sql, [[1, 0, 0], 0.9]).fetchall() == [("Aji",)]


@pytest.mark.parametrize(
    "text",
    [
        "REPEAT('a', 2000000000)", "SPACE(2000000000)", "LPAD('a', 2000000000)", "RPAD('a', 2000000000, 'b')",
        "REPEAT(REPEAT('a', 3000000), 2)", "REPLACE(REPEAT('a', 3000000), 'a', REPEAT('b', 3000000))",
    ],
)  # fmt: skip
def test_text_longer_than_iris_has_it(text: str) -> None:
    """A text that IRIS cannot hold is refused before it is made, not made for minutes."""
    with (
        meetup2025.connect("duckdb://") as connection,
        connection.cursor() as cursor,
        pytest.raises(DataError, match="A text must have at most 3641144 characters"),
    ):
        cursor.execute(f"SELECT LENGTH({text})").fetchall()


def test_longest_text_of_iris() -> None:
    """A text of the length that IRIS holds is made, and a column keeps its collation in these functions."""
    lengths = "LENGTH(REPEAT('ab', 1820572)), LENGTH(REPLACE(REPEAT('a', 3641144), 'a', 'b'))"
    sql = f"SELECT {lengths}, LPAD('a', 3), RPAD('a', 3)"
    with meetup2025.connect("duckdb://") as connection, connection.cursor() as cursor:
        assert cursor.execute(sql).fetchall() == [(3641144, 3641144, "  a", "a  ")]
        cursor.execute("CREATE TABLE Own.Word (Word VARCHAR(9))")
        cursor.execute("INSERT INTO Own.Word (Word) VALUES ('a')")
        found = cursor.execute("SELECT Word FROM Own.Word WHERE REPLACE(Word, 'x', 'y') = 'A' AND LPAD(Word, 2) = ' A'")
        assert found.fetchall() == [("a",)]
