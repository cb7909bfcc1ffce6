"""SQLAlchemy and pandas on the embedded engine: tables out, tables in, and what a database tells of itself."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pandas as pd
import pytest
import sqlalchemy
from pandas.testing import assert_frame_equal
from sqlalchemy import Boolean, Column, DateTime, Integer, MetaData, Numeric, String, Table, create_engine, inspect
from sqlalchemy.exc import ArgumentError, IntegrityError, NoSuchTableError

import meetup2025

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine

CATCH = pd.DataFrame(
    {
        "Key of": [1, 2, 3],
        "name": ["マアジ", None, 'O\'Brien "x"'],
        "kilo": [0.25, None, 1e-300],
        "fresh": [True, False, True],
        "at": pd.to_datetime(["2026-01-02 03:04:05", None, "1999-12-31 00:00:00"]),
    }
)


@pytest.fixture
def alchemy() -> Iterator[Engine]:
    """Database in memory."""
    made = create_engine("meetup2025+duckdb://")
    yield made
    made.dispose()


def test_frame_comes_back(alchemy: Engine) -> None:
    """What pandas writes, it reads: keys, texts of any characters, numbers, truth, times and missing values."""
    CATCH.to_sql("catch", alchemy, index=False)

    assert_frame_equal(pd.read_sql_table("catch", alchemy), CATCH, check_dtype=False)


def test_frame_is_replaced_or_appended(alchemy: Engine) -> None:
    """A table is refused, replaced or appended to, as pandas is told."""
    CATCH.to_sql("catch", alchemy, index=False)
    with pytest.raises(ValueError, match="already exists"):
        CATCH.to_sql("catch", alchemy, index=False)
    CATCH.to_sql("catch", alchemy, index=False, if_exists="append")
    CATCH.to_sql("catch", alchemy, index=False, if_exists="replace")
    CATCH[:0].to_sql("empty", alchemy, index=False)

    assert len(pd.read_sql("SELECT * FROM catch", alchemy)) == 3
    assert len(pd.read_sql("SELECT * FROM empty", alchemy)) == 0


def test_statement_with_parameters(alchemy: Engine) -> None:
    """Statements of IRIS run as they are, with functions of this module and values of their parameters."""
    CATCH.to_sql("catch", alchemy, index=False)
    asked = sqlalchemy.text(
        "SELECT TOP 2 name, MeetUp2025.InRegion(kilo, 0, '-1,-1;9,-1;9,9') AS inside FROM catch WHERE kilo > :least"
    )

    found = pd.read_sql(asked, alchemy, params={"least": 0})

    assert found["name"].tolist() == ["マアジ", CATCH["name"][2]]
    assert found["inside"].tolist() == [1, 1]


def test_tables_of_the_module_are_told(alchemy: Engine) -> None:
    """Schemas, tables, columns, keys and indices are those of the classes."""
    seen = inspect(alchemy)

    assert {"MeetUp2025"} <= set(seen.get_schema_names())
    assert {"Fish", "FishImage"} <= set(seen.get_table_names("MeetUp2025"))
    columns = {each["name"]: each for each in seen.get_columns("fish", "meetup2025")}
    assert [*columns][:3] == ["FishID", "Name", "Features"]
    assert not columns["Name"]["nullable"]
    assert str(columns["Name"]["type"]) == "VARCHAR(50)"
    assert {"name": "NameIndex", "column_names": ["Name"], "unique": True} in seen.get_indexes("Fish", "MeetUp2025")
    assert seen.get_foreign_keys("Fish", "MeetUp2025") == []
    with pytest.raises(NoSuchTableError):
        seen.get_columns("Birds")


def test_table_of_sqlalchemy(alchemy: Engine) -> None:
    """A table that SQLAlchemy defines is filled, asked with a limit, reflected, and dropped."""
    table = Table(
        "order",
        MetaData(),
        Column("select", Integer, primary_key=True, autoincrement=False),
        Column("name", String(20), nullable=False),
        Column("price", Numeric(10, 2)),
        Column("sold", Boolean),
        Column("at", DateTime),
    )
    at = dt.datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001 - a TIMESTAMP has no zone
    table.create(alchemy)
    with alchemy.begin() as connection:
        connection.execute(table.insert(), [{"select": n, "name": f"n{n}", "sold": n > 1, "at": at} for n in (1, 2, 3)])
        connection.execute(table.update().where(table.c.select == 2).values(price=1.5))
        connection.execute(table.delete().where(table.c.name.in_(["n1"])))
        found = connection.execute(table.select().order_by(table.c.select.desc()).limit(1).offset(1)).all()

    assert [(*row[:2], float(row[2]), *row[3:]) for row in found] == [(2, "n2", 1.5, True, at)]
    again = Table("order", MetaData(), autoload_with=alchemy)
    assert [str(column.type) for column in again.columns] == [
        *("INTEGER", "VARCHAR(20)", "NUMERIC(10, 2)", "BOOLEAN", "TIMESTAMP")
    ]
    assert [column.name for column in again.primary_key] == ["select"]
    table.drop(alchemy)
    assert not inspect(alchemy).has_table("order")


def test_failed_block_leaves_nothing(alchemy: Engine) -> None:
    """An error is of the type of SQLAlchemy, and its transaction is rolled back."""
    table = Table("t", MetaData(), Column("k", Integer, primary_key=True, autoincrement=False))
    table.create(alchemy)
    with alchemy.connect() as connection:
        connection.execute(table.insert(), [{"k": 1}])
        with pytest.raises(IntegrityError):
            connection.execute(table.insert(), [{"k": 1}])
        connection.rollback()

    assert pd.read_sql("SELECT COUNT(*) AS n FROM t", alchemy)["n"].tolist() == [0]


def test_file_is_let_go(tmp_path: Path) -> None:
    """A file is open only while it is used, so that another program can take its turn."""
    file = tmp_path / "my.duckdb"
    alchemy = create_engine(f"meetup2025+duckdb:///{file}")
    CATCH.to_sql("catch", alchemy, index=False)

    with meetup2025.connect(f"duckdb:///{file}") as connection, connection.cursor() as cursor:
        assert cursor.execute("SELECT COUNT(*) FROM catch").fetchall() == [(3,)]


@pytest.mark.parametrize("url", ["meetup2025+duckdb://host/file", "meetup2025+duckdb:///file?timeout=3"])
def test_refused(url: str) -> None:
    """A host, and options, are refused."""
    with pytest.raises(ArgumentError, match="must be meetup2025"):
        create_engine(url).connect()
