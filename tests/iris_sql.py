"""DuckDB databases that understand IRIS SQL, through the translation alone."""

from __future__ import annotations

import duckdb

from meetup2025.engines.duckdb.translate import OWNER, SETTINGS, to_duckdb
from meetup2025.engines.sql import parse


class Database:
    """A DuckDB in memory that understands IRIS SQL."""

    def __init__(self):
        self.connection = duckdb.connect(config=dict(SETTINGS))

    def columns(self, schema, table):
        """Return the columns of a table, or None if there is no such table."""
        rows = self.connection.execute(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE lower(schema_name) = lower(?) "
            "AND lower(table_name) = lower(?) ORDER BY column_index",
            [schema, table],
        ).fetchall()
        return dict(rows) or None

    def hides_id(self, schema, table):
        """Return whether `SELECT *` leaves out the RowID: true of a table, false of a view."""
        query = (
            "SELECT count(*) FROM duckdb_tables() WHERE lower(schema_name) = lower(?) AND lower(table_name) = lower(?)"
        )
        return self.connection.execute(query, [schema, table]).fetchone() == (1,)

    def run(self, sql, *parameters):
        """Run one statement and return its rows."""
        *before, last = to_duckdb(parse(sql), self) or ["SELECT 0"]
        for statement in before:
            self.connection.execute(statement)
        result = self.connection.execute(last.replace(OWNER, ""), list(parameters))
        return result.fetchall()

    def value(self, expression, *parameters):
        """Return the value of one expression."""
        [(value,)] = self.run(f"SELECT {expression}", *parameters)
        return value


def empty_tables():
    """Return the tables of the pairs of strings, empty."""
    database = Database()
    database.run("CREATE TABLE MeetUp2025.Fish (FishID VARCHAR(10), Name VARCHAR(50), Features VECTOR(DOUBLE, 512))")
    database.run("CREATE TABLE MeetUp2025.FishImage (Name VARCHAR(100), Features VECTOR(DOUBLE, 512))")
    database.run("CREATE TABLE FishSearch.Fish (Name VARCHAR(100), Features VECTOR(DOUBLE, 512))")
    database.run("CREATE TABLE t (a INTEGER, b DOUBLE, s VARCHAR(20), v VECTOR(FLOAT, 3), w VECTOR(DOUBLE, 3))")
    database.run("CREATE VIEW shown AS SELECT ID, s FROM t")
    database.connection.execute("""CREATE MACRO "M.Embed"(a, b) AS a || b""")
    database.connection.execute("CREATE MACRO TO_VECTOR_FLOAT(text) AS CAST(string_split(text, ',') AS FLOAT[])")
    return database


def three_and_one():
    """Return three fish with vectors along the axes, one of them in lower case, and one fish without a vector."""
    database = Database()
    database.run(
        "CREATE TABLE MeetUp2025.Fish "
        "(FishID VARCHAR(10) UNIQUE, Name VARCHAR(10) NOT NULL, Features VECTOR(DOUBLE, 3))"
    )
    for row in [
        ("F001", "Aji", [1, 0, 0]),
        ("f002", "aji", [0, 1, 0]),
        ("F003", "Tako", [1, 1, 0]),
        ("F004", "Ika", None),
    ]:
        database.run("INSERT INTO MeetUp2025.Fish (FishID, Name, Features) VALUES (?, ?, TO_VECTOR(?, DOUBLE))", *row)
    return database
