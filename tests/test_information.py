"""INFORMATION_SCHEMA of the embedded engine: the columns and values that the class reference of IRIS documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import meetup2025
from meetup2025.engines.classes.program import program
from meetup2025.engines.duckdb import information
from meetup2025.errors import SQLSyntaxError, UnsupportedSQLError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meetup2025.engines import Cursor


@pytest.fixture(scope="module")
def docs() -> Iterator[Cursor]:
    """Open cursor; a table App.Docs with a key, a default, a vector and each kind of number, and a view of it."""
    with meetup2025.connect("duckdb://", autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE App.Docs (Number INTEGER DEFAULT 5, Kind VARCHAR(20) DEFAULT 'it''s', Text LONGVARCHAR, "
            "Fresh BIT, Price NUMERIC(7,2), Share DOUBLE, Amount BIGINT, Made TIMESTAMP DEFAULT CURRENT_TIMESTAMP, "
            "Features VECTOR(FLOAT, 3), PRIMARY KEY (Number), UNIQUE (Kind, Price))"
        )
        cursor.execute("CREATE UNIQUE INDEX TextIndex ON App.Docs (Text)")
        cursor.execute("CREATE INDEX PriceIndex ON App.Docs (Price)")
        cursor.execute("CREATE VIEW App.Kinds AS SELECT ID, UPPER(Kind) AS Loud FROM App.Docs")
        yield cursor


def rows(cursor: Cursor, sql: str) -> list[tuple[Any, ...]]:
    """Run a query and return its rows."""
    return cursor.execute(sql).fetchall()


def test_schemata(docs: Cursor) -> None:
    """SCHEMATA has a row for each schema; all but the name is NULL, as in IRIS."""
    found = rows(docs, "SELECT * FROM INFORMATION_SCHEMA.SCHEMATA ORDER BY SCHEMA_NAME")

    assert [column[0] for column in docs.description or ()] == [
        "CATALOG_NAME",
        "SCHEMA_NAME",
        "SCHEMA_OWNER",
        "DEFAULT_CHARACTER_SET_CATALOG",
        "DEFAULT_CHARACTER_SET_SCHEMA",
        "DEFAULT_CHARACTER_SET_NAME",
        "SQL_PATH",
    ]
    assert found == [(None, name, None, None, None, None, None) for name in ("App", "MeetUp2025")]


def test_tables(docs: Cursor) -> None:
    """TABLES tells tables and views apart, and names and describes the class of a table."""
    sql = (
        "SELECT TABLE_CATALOG, TABLE_NAME, TABLE_TYPE, IS_INSERTABLE_INTO, CLASSNAME, DESCRIPTION, OWNER "
        "FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = ? ORDER BY TABLE_NAME"
    )
    fish = docs.execute(sql, ["meetup2025"]).fetchall()

    assert docs.execute(sql, ["app"]).fetchall() == [
        (None, "Docs", "BASE TABLE", "YES", None, None, None),
        (None, "Kinds", "VIEW", "NO", None, None, None),
    ]
    assert len(fish) == len(program().tables)
    assert next(row for row in fish if row[1] == "Fish")[4] == "MeetUp2025.Fish"
    assert all(row[5] for row in fish)


@pytest.mark.parametrize("name", ["fish", "FISH", "Fish"])
def test_names_have_no_case(docs: Cursor, name: str) -> None:
    """A name is found in any case, by a constant and by a parameter, and the table of IRIS too."""
    by_constant = rows(docs, f"SELECT TABLE_NAME FROM information_schema.Tables WHERE TABLE_NAME = '{name}'")
    by_parameter = docs.execute("SELECT t.TABLE_NAME FROM INFORMATION_SCHEMA.TABLES t WHERE t.TABLE_NAME = ?", [name])

    assert by_constant == by_parameter.fetchall() == [("Fish",)]


def test_columns(docs: Cursor) -> None:
    """COLUMNS names the ODBC type of each column, which is varchar for a vector; the RowID is not there."""
    found = rows(
        docs,
        "SELECT COLUMN_NAME, ORDINAL_POSITION, DATA_TYPE, CHARACTER_MAXIMUM_LENGTH, NUMERIC_PRECISION, NUMERIC_SCALE, "
        "COLUMN_DEFAULT, IS_NULLABLE, UNIQUE_COLUMN, PRIMARY_KEY FROM INFORMATION_SCHEMA.COLUMNS "
        "WHERE TABLE_SCHEMA = 'App' AND TABLE_NAME = 'docs' ORDER BY ORDINAL_POSITION",
    )

    assert found == [
        ("Number", 1, "integer", None, 10, 0, "5", "NO", "YES", "YES"),
        ("Kind", 2, "varchar", 20, None, None, "it's", "YES", "NO", "NO"),
        ("Text", 3, "longvarchar", None, None, None, None, "YES", "YES", "NO"),
        ("Fresh", 4, "bit", None, None, None, None, "YES", "NO", "NO"),
        ("Price", 5, "numeric", None, 7, 2, None, "YES", "NO", "NO"),
        ("Share", 6, "double", None, None, None, None, "YES", "NO", "NO"),
        ("Amount", 7, "bigint", None, 19, 0, None, "YES", "NO", "NO"),
        ("Made", 8, "timestamp", None, None, None, None, "YES", "NO", "NO"),
        ("Features", 9, "varchar", None, None, None, None, "YES", "NO", "NO"),
    ]


def test_columns_of_a_view(docs: Cursor) -> None:
    """COLUMNS lists the columns of a view, an ID that the view names among them."""
    sql = "SELECT COLUMN_NAME, DATA_TYPE, IS_UPDATABLE FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME = 'Kinds'"

    assert rows(docs, sql + " ORDER BY ORDINAL_POSITION") == [("ID", "bigint", "NO"), ("Loud", "varchar", "NO")]


def test_columns_of_the_classes(docs: Cursor) -> None:
    """COLUMNS has each property of each class, with the first line of its documentation."""
    found = rows(
        docs,
        "SELECT TABLE_NAME, COLUMN_NAME, IS_NULLABLE FROM INFORMATION_SCHEMA.COLUMNS "
        "WHERE TABLE_SCHEMA = 'MeetUp2025' AND DESCRIPTION IS NOT NULL",
    )

    assert set(found) == {
        (table.sql_name, column.sql_name, "NO" if "Required" in column.keywords else "YES")
        for table in program().tables.values()
        for column in table.properties
    }


def test_indexes(docs: Cursor) -> None:
    """INDEXES has a row for each column of the unique indexes of a table, with the names that IRIS gives."""
    found = rows(
        docs,
        "SELECT INDEX_NAME, ORDINAL_POSITION, COLUMN_NAME, NON_UNIQUE, PRIMARY_KEY, ASC_OR_DESC "
        "FROM INFORMATION_SCHEMA.INDEXES WHERE TABLE_SCHEMA = 'App' ORDER BY INDEX_NAME, ORDINAL_POSITION",
    )

    assert found == [
        ("DOCS_PKEY11", 1, "Number", 0, 1, "A"),
        ("DOCS_UNIQUE12", 1, "Kind", 0, 0, "A"),
        ("DOCS_UNIQUE12", 2, "Price", 0, 0, "A"),
        ("TextIndex", 1, "Text", 0, 0, "A"),
    ]


def test_indexes_of_the_classes(docs: Cursor) -> None:
    """INDEXES has the indexes that a class declares, the index for vectors among them."""
    columns = "INDEX_NAME, COLUMN_NAME, NON_UNIQUE, MAP_STATUS, MAP_SELECTABLE"
    sql = f"SELECT {columns} FROM INFORMATION_SCHEMA.INDEXES WHERE TABLE_NAME = ?"
    found = docs.execute(sql, ["FISH"]).fetchall()

    assert ("HNSWIndex", "Features", 1, "Selectable", 1) in found
    assert ("FishIDIndex", "FishID", 0, "Selectable", 1) in found


def test_routines(docs: Cursor) -> None:
    """ROUTINES tells queries and methods apart, and has the SQL of a query and the type of a function."""
    sql = (
        "SELECT ROUTINE_NAME, ROUTINE_TYPE, ROUTINE_BODY, SQL_DATA_ACCESS, DATA_TYPE, CLASSNAME, METHOD_OR_QUERY_NAME "
        "FROM INFORMATION_SCHEMA.ROUTINES WHERE ROUTINE_SCHEMA = 'meetup2025' AND ROUTINE_NAME = ?"
    )

    assert docs.execute(sql, ["nearestfish"]).fetchall() == [
        ("NearestFish", "PROCEDURE", "SQL", "READS SQL DATA", None, "MeetUp2025.Fish", "NearestFish")
    ]
    assert docs.execute(sql, ["EmbedText"]).fetchall() == [
        ("EmbedText", "FUNCTION", "EXTERNAL", "CONTAINS SQL", "varchar", "MeetUp2025.Embedding", "EmbedText")
    ]
    [(definition,)] = rows(
        docs, "SELECT ROUTINE_DEFINITION FROM INFORMATION_SCHEMA.ROUTINES WHERE ROUTINE_NAME = 'NearestFish'"
    )
    assert definition == program().queries["MEETUP2025.NEARESTFISH"].sql


def test_tables_of_another_connection(tmp_path: Any) -> None:
    """A table that another connection made is listed by a statement that ran before."""
    url = f"duckdb:///{tmp_path / 'a.db'}"
    sql = "SELECT COUNT(*) FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = 'App'"
    with (
        meetup2025.connect(url, autocommit=True) as first,
        meetup2025.connect(url, autocommit=True) as second,
        first.cursor() as reading,
        second.cursor() as writing,
    ):
        before = rows(reading, sql)
        writing.execute("CREATE TABLE App.Docs (A INTEGER)")
        after = rows(reading, sql)

    assert (before, after) == ([(0,)], [(1,)])


@pytest.mark.parametrize("name", ["SCHEMATA", "TABLES", "COLUMNS", "INDEXES", "ROUTINES"])
def test_each_column_can_be_read(docs: Cursor, name: str) -> None:
    """Each column that the reference documents is there, in its order, and can be selected by its name."""
    columns, _ = information.relation(name) or ({}, "")

    assert columns
    docs.execute(f"SELECT * FROM INFORMATION_SCHEMA.{name}")
    assert [column[0] for column in docs.description or ()] == list(columns)
    assert docs.execute(f"SELECT {', '.join(columns)} FROM INFORMATION_SCHEMA.{name}").fetchall() != []


@pytest.mark.parametrize("name", ["VIEWS", "parameters", "KEY_COLUMN_USAGE", "ML_TRAINING_RUNS"])
def test_tables_that_only_iris_has(docs: Cursor, name: str) -> None:
    """A table of IRIS that this engine does not have is refused by its name."""
    with pytest.raises(UnsupportedSQLError, match=name.upper()):
        docs.execute(f"SELECT * FROM INFORMATION_SCHEMA.{name}")


@pytest.mark.parametrize(
    "name",
    [
        "INFORMATION_SCHEMA.character_sets",
        "INFORMATION_SCHEMA.nope",
        "pg_catalog.pg_tables",
        "main.duckdb_tables",
        "duckdb_tables",
        "main.sqlite_master",
        "system.duckdb_columns",
        "temp.x",
    ],
)
def test_catalog_of_duckdb(docs: Cursor, name: str) -> None:
    """The catalog of DuckDB itself is out of reach."""
    with pytest.raises(SQLSyntaxError) as caught:
        docs.execute(f"SELECT * FROM {name}")

    assert caught.value.sqlcode == -30


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM INFORMATION_SCHEMA.TABLES",
        "UPDATE INFORMATION_SCHEMA.TABLES SET OWNER = 'x'",
        "INSERT INTO INFORMATION_SCHEMA.TABLES (OWNER) VALUES ('x')",
        "TRUNCATE TABLE INFORMATION_SCHEMA.TABLES",
        "DROP VIEW INFORMATION_SCHEMA.TABLES",
        "DROP TABLE IF EXISTS information_schema.tables",
        "CREATE TABLE INFORMATION_SCHEMA.X (A INTEGER)",
        "CREATE VIEW INFORMATION_SCHEMA.X AS SELECT Number FROM App.Docs",
        "CREATE INDEX x ON INFORMATION_SCHEMA.TABLES (OWNER)",
    ],
)
def test_is_read_only(docs: Cursor, sql: str) -> None:
    """INFORMATION_SCHEMA can be read only."""
    with pytest.raises(SQLSyntaxError) as caught:
        docs.execute(sql)

    assert caught.value.sqlcode == -115


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE VIEW App.X AS SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES",
        "CREATE TABLE temp.X (A INTEGER)",
        "CREATE TABLE pg_catalog.X (A INTEGER)",
        'CREATE VIEW "system".X AS SELECT Number FROM App.Docs',
        "DROP TABLE IF EXISTS temp.X",
    ],
)
def test_definitions_that_duckdb_cannot_hold(docs: Cursor, sql: str) -> None:
    """A view of INFORMATION_SCHEMA and a schema that DuckDB takes for its own are refused by name."""
    with pytest.raises(UnsupportedSQLError):
        docs.execute(sql)


def test_joins(docs: Cursor) -> None:
    """The tables join to each other and to themselves, under an alias and under their own names."""
    sql = (
        "SELECT TABLES.TABLE_NAME, COUNT(*) FROM INFORMATION_SCHEMA.TABLES, INFORMATION_SCHEMA.COLUMNS c "
        "WHERE TABLES.TABLE_SCHEMA = 'App' AND c.TABLE_SCHEMA = TABLES.TABLE_SCHEMA "
        "AND c.TABLE_NAME = TABLES.TABLE_NAME GROUP BY TABLES.TABLE_NAME ORDER BY TABLES.TABLE_NAME"
    )

    assert rows(docs, sql) == [("DOCS", 9), ("KINDS", 2)]
