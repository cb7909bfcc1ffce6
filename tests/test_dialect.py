"""IRIS SQL in, DuckDB SQL out: most tests are two strings; where the meaning matters DuckDB runs the result."""

# ruff: noqa: ISC004 - a case is one IRIS and one DuckDB text, on as many lines as they need

from __future__ import annotations

import subprocess
import sys

import duckdb
import pytest
from sqlglot import exp

from meetup2025.engines.dialect import Call, ToVector, bind, function_calls, parse, place, table_calls
from meetup2025.engines.functions import AGGREGATES, FUNCTIONS, KNOWN, VARIADIC, arities, render
from meetup2025.engines.translate import SETTINGS, function_name, to_duckdb
from meetup2025.errors import SQLSyntaxError, UnsupportedSQLError


class Database:
    """A DuckDB in memory that is spoken to in IRIS SQL."""

    def __init__(self):
        self.connection = duckdb.connect(config=dict(SETTINGS))

    def columns(self, schema, table):
        """Give the columns of a table, None if there is none."""
        rows = self.connection.execute(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE lower(schema_name) = lower(?) "
            "AND lower(table_name) = lower(?) ORDER BY column_index",
            [schema, table],
        ).fetchall()
        return dict(rows) or None

    def hides_id(self, schema, table):
        """Tell a table from a view."""
        query = (
            "SELECT count(*) FROM duckdb_tables() WHERE lower(schema_name) = lower(?) AND lower(table_name) = lower(?)"
        )
        return self.connection.execute(query, [schema, table]).fetchone() == (1,)

    def run(self, sql, *parameters):
        """Run one statement and give its rows."""
        result = self.connection
        *before, last = to_duckdb(parse(sql), self) or ["SELECT 0"]
        for statement in before:
            self.connection.execute(statement)
        result = self.connection.execute(last, list(parameters))
        return result.fetchall()

    def value(self, expression, *parameters):
        """Give the value of one expression."""
        [(value,)] = self.run(f"SELECT {expression}", *parameters)
        return value


@pytest.fixture(scope="module")
def texts():
    """Give the tables that the pairs of strings speak of, empty."""
    database = Database()
    database.run("CREATE TABLE MeetUp2025.Fish (FishID VARCHAR(10), Name VARCHAR(50), Features VECTOR(DOUBLE, 512))")
    database.run("CREATE TABLE MeetUp2025.FishImage (Name VARCHAR(100), Features VECTOR(DOUBLE, 512))")
    database.run("CREATE TABLE FishSearch.Fish (Name VARCHAR(100), Features VECTOR(DOUBLE, 512))")
    database.run("CREATE TABLE t (a INTEGER, b DOUBLE, s VARCHAR(20), v VECTOR(FLOAT, 3), w VECTOR(DOUBLE, 3))")
    database.run("CREATE VIEW shown AS SELECT ID, s FROM t")
    database.connection.execute("""CREATE MACRO "M.Embed"(a, b) AS a || b""")
    database.connection.execute("CREATE MACRO TO_VECTOR_FLOAT(text) AS CAST(string_split(text, ',') AS FLOAT[])")
    return database


@pytest.fixture
def fish():
    """Give three fish with vectors along the axes, one of them in lower case, and one without a vector."""
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


WORKSHOP = [
    (
        "SELECT TOP 3 Name,VECTOR_COSINE(Features,TO_VECTOR(?,double)) FROM MeetUp2025.Fish fish "
        "ORDER BY VECTOR_COSINE(Features,TO_VECTOR(?,double)) DESC",
        'SELECT "Name", array_cosine_similarity("Features", CAST($1 AS DOUBLE[512])) AS "Expression_2" '
        'FROM "MeetUp2025"."Fish" AS "fish" '
        'ORDER BY array_cosine_similarity("Features", CAST($2 AS DOUBLE[512])) DESC LIMIT 3',
    ),
    (
        "SELECT TOP 1 Name, Features FROM MeetUp2025.Fish fish",
        'SELECT "Name", "Features" FROM "MeetUp2025"."Fish" AS "fish" LIMIT 1',
    ),
    (
        "SELECT Name, Features FROM MeetUp2025.FishImage fish",
        'SELECT "Name", "Features" FROM "MeetUp2025"."FishImage" AS "fish"',
    ),
    (
        """SELECT TOP 5 id, name,
  GREATEST( VECTOR_COSINE(features, (SELECT features from MeetUp2025.Fish where name='マアジ')),
  VECTOR_COSINE(features, (SELECT features from MeetUp2025.Fish where name='マダコ'))) AS MOST_SIMILAR -- 似ているもの
  FROM MeetUp2025.Fish fish HAVING MOST_SIMILAR < 0.6 ORDER BY MOST_SIMILAR -- another
  ASC""",
        'SELECT "ID", "name", list_sort([array_cosine_similarity("features", '
        """(SELECT "features" FROM "MeetUp2025"."Fish" WHERE "name" = 'マアジ')), """
        """array_cosine_similarity("features", (SELECT "features" FROM "MeetUp2025"."Fish" WHERE "name" = 'マダコ'))"""
        """], 'DESC', 'NULLS FIRST')[1] AS "MOST_SIMILAR" FROM "MeetUp2025"."Fish" AS "fish" """
        'WHERE "MOST_SIMILAR" < 0.6 ORDER BY "MOST_SIMILAR" ASC NULLS FIRST LIMIT 5',
    ),
    (
        "INSERT INTO MeetUp2025.Fish (FishID,Name,Features) VALUES (?,?,TO_VECTOR(?,DOUBLE,512))",
        'INSERT INTO "MeetUp2025"."Fish" ("FishID", "Name", "Features") VALUES ($1, $2, CAST($3 AS DOUBLE[512]))',
    ),
    (
        "TRUNCATE TABLE FishSearch.Fish",
        'TRUNCATE "FishSearch"."Fish"',
    ),
    (
        "SELECT TOP :k FishID, Name, VECTOR_COSINE(Features, TO_VECTOR(:vector, DOUBLE)) AS Score "
        "FROM MeetUp2025.Fish ORDER BY Score DESC",
        'SELECT "FishID", "Name", array_cosine_similarity("Features", CAST($vector AS DOUBLE[512])) AS "Score" '
        'FROM "MeetUp2025"."Fish" ORDER BY "Score" DESC LIMIT $k',
    ),
    (
        "SELECT TOP :k FishID, Name, Score FROM (SELECT fish.FishID, fish.Name, "
        "MAX(VECTOR_COSINE(fish.Features, exemplar.Features)) AS Score "
        "FROM MeetUp2025.Fish fish, MeetUp2025.Fish exemplar "
        "WHERE exemplar.Name %INLIST $LISTFROMSTRING(:exemplars) GROUP BY fish.FishID, fish.Name) scored "
        "WHERE Score < :threshold ORDER BY Score",
        'SELECT "FishID", "Name", "Score" FROM '
        '(SELECT upper("fish"."FishID") AS "FishID", upper("fish"."Name") AS "Name", '
        'max(array_cosine_similarity("fish"."Features", "exemplar"."Features")) AS "Score" '
        'FROM "MeetUp2025"."Fish" AS "fish", "MeetUp2025"."Fish" AS "exemplar" '
        """WHERE list_contains(string_split($exemplars, ','), "exemplar"."Name") """
        'GROUP BY "fish"."FishID", "fish"."Name") AS "scored" '
        'WHERE "Score" < $threshold ORDER BY "Score" ASC NULLS FIRST LIMIT $k',
    ),
]

QUERIES = [
    ("SELECT * FROM t", 'SELECT "t".* EXCLUDE ("ID") FROM "SQLUser"."t"'),
    ("select T.*, ID from T", 'SELECT "t".* EXCLUDE ("ID"), "ID" FROM "SQLUser"."T"'),
    ("SELECT * FROM shown", 'SELECT "shown".* FROM "SQLUser"."shown"'),
    (
        "SELECT * FROM (SELECT ID, a FROM t)",
        'SELECT "subquery_1".* FROM (SELECT "ID", "a" FROM "SQLUser"."t") AS "subquery_1"',
    ),
    ("SELECT %ID, x.%ID FROM t x;", 'SELECT "ID", "x"."ID" FROM "SQLUser"."t" AS "x"'),
    ("SELECT t.a, SQLUser.t.b FROM SQLUser.t", 'SELECT "t"."a", "t"."b" FROM "SQLUser"."t"'),
    ("SELECT TOP ALL a FROM t ORDER BY a", 'SELECT "a" FROM "SQLUser"."t" ORDER BY "a" ASC NULLS FIRST'),
    ("SELECT DISTINCT TOP ? a FROM t", 'SELECT DISTINCT "a" FROM "SQLUser"."t" LIMIT $1'),
    ("SELECT TOP (2.7) a FROM t", 'SELECT "a" FROM "SQLUser"."t" LIMIT 2'),
    ("SELECT TOP '3' a FROM t", 'SELECT "a" FROM "SQLUser"."t" LIMIT 3'),
    ("SELECT a FROM t LIMIT 3 OFFSET ?", 'SELECT "a" FROM "SQLUser"."t" LIMIT 3 OFFSET $1'),
    (
        "SELECT a FROM t WHERE b = (SELECT TOP 1 b FROM t ORDER BY b DESC)",
        'SELECT "a" FROM "SQLUser"."t" WHERE "b" = (SELECT "b" FROM "SQLUser"."t" ORDER BY "b" DESC LIMIT 1)',
    ),
    (
        "SELECT a FROM t UNION ALL SELECT TOP 1 a FROM t ORDER BY 1",
        'SELECT "a" FROM "SQLUser"."t" UNION ALL (SELECT "a" FROM "SQLUser"."t" LIMIT 1) ORDER BY 1 ASC NULLS FIRST',
    ),
    (
        "SELECT a x FROM t UNION SELECT b FROM t ORDER BY x DESC",
        'SELECT "a" AS "x" FROM "SQLUser"."t" UNION SELECT "b" FROM "SQLUser"."t" ORDER BY "x" DESC',
    ),
    (
        "WITH q AS (SELECT TOP 2 a FROM t ORDER BY a) SELECT q.*, r.c FROM q "
        "LEFT OUTER JOIN (SELECT a, COUNT(*) c FROM t GROUP BY a) r ON r.a = q.a",
        'WITH "q" AS (SELECT "a" FROM "SQLUser"."t" ORDER BY "a" ASC NULLS FIRST LIMIT 2) '
        'SELECT "q".*, "r"."c" FROM "q" '
        'LEFT JOIN (SELECT "a", count(*) AS "c" FROM "SQLUser"."t" GROUP BY "a") AS "r" ON "r"."a" = "q"."a"',
    ),
    (
        "SELECT x.a FROM t x INNER JOIN t y ON x.a = y.a CROSS JOIN t z FULL JOIN t q ON q.a = x.a "
        "RIGHT JOIN t r ON r.a = x.a",
        'SELECT "x"."a" FROM "SQLUser"."t" AS "x" INNER JOIN "SQLUser"."t" AS "y" ON "x"."a" = "y"."a" '
        'CROSS JOIN "SQLUser"."t" AS "z" FULL JOIN "SQLUser"."t" AS "q" ON "q"."a" = "x"."a" '
        'RIGHT JOIN "SQLUser"."t" AS "r" ON "r"."a" = "x"."a"',
    ),
    (
        "SELECT a FROM t WHERE EXISTS (SELECT 1 FROM t u WHERE u.a = t.a) AND NOT a IN (SELECT a FROM t)",
        'SELECT "a" FROM "SQLUser"."t" WHERE EXISTS(SELECT 1 FROM "SQLUser"."t" AS "u" WHERE "u"."a" = "t"."a") '
        'AND NOT "a" IN (SELECT "a" FROM "SQLUser"."t")',
    ),
    (
        "SELECT a FROM t WHERE (a != 1 OR (b <> 2)) AND (a + 1) * 2 >= 4",
        'SELECT "a" FROM "SQLUser"."t" WHERE ("a" <> 1 OR ("b" <> 2)) AND ("a" + 1) * 2 >= 4',
    ),
    (
        "SELECT a FROM t WHERE s = ? AND s IN (1, 'x') AND a BETWEEN ? AND 3",
        'SELECT "a" FROM "SQLUser"."t" WHERE "s" = CAST($1 AS VARCHAR) AND "s" IN (CAST(1 AS VARCHAR), \'x\') '
        'AND "a" BETWEEN $2 AND 3',
    ),
    (
        "SELECT a FROM t WHERE s LIKE 'a!_%' ESCAPE '!' AND s NOT LIKE 'b' AND s IS NOT NULL "
        "AND s %STARTSWITH 'c' AND s [ 'd'",
        """SELECT "a" FROM "SQLUser"."t" WHERE "s" LIKE 'a!_%' ESCAPE '!' AND NOT "s" LIKE 'b' AND NOT "s" IS NULL """
        """AND starts_with(CAST("s" AS VARCHAR), CAST('c' AS VARCHAR)) """
        """AND contains(CAST("s" AS VARCHAR) COLLATE "binary", CAST('d' AS VARCHAR))""",
    ),
    (
        "SELECT CASE s WHEN 'x' THEN 1 ELSE 2 END, CASE WHEN a > 1 THEN 'y' END FROM t",
        """SELECT CASE "s" WHEN 'x' THEN 1 ELSE 2 END AS "Expression_1", """
        """CASE WHEN "a" > 1 THEN 'y' END AS "Expression_2" FROM "SQLUser"."t\"""",
    ),
    ("SELECT COUNT(*), SUM(a) n FROM t", 'SELECT count(*) AS "Aggregate_1", sum("a") AS "n" FROM "SQLUser"."t"'),
    ("SELECT 'it''s', NULL, ?", """SELECT 'it''s' AS "HostVar_1", NULL AS "Literal_2", $1 AS "HostVar_3\""""),
    (
        "SELECT UPPER(s) u, COUNT(*) n FROM t GROUP BY u HAVING COUNT(*) > 1",
        'SELECT upper("s") AS "u", count(*) AS "n" FROM "SQLUser"."t" GROUP BY "u" HAVING count(*) > 1',
    ),
    ("SELECT DISTINCT s FROM t", 'SELECT DISTINCT upper("s") AS "s" FROM "SQLUser"."t"'),
    (
        "SELECT DISTINCT x.s n FROM t x ORDER BY x.s",
        'SELECT DISTINCT upper("x"."s") AS "n" FROM "SQLUser"."t" AS "x" ORDER BY "n" ASC NULLS FIRST',
    ),
    (
        "SELECT LENGTH(LOWER(s)) n FROM t GROUP BY LOWER(s) HAVING LOWER(s) > 'a' AND n > 1 ORDER BY n",
        'SELECT length(rtrim(CAST(lower("s") AS VARCHAR))) AS "n" FROM "SQLUser"."t" GROUP BY lower("s") '
        """HAVING lower("s") > 'a' AND "n" > 1 ORDER BY "n" ASC NULLS FIRST""",
    ),
    ("SELECT MAX(DISTINCT s) m FROM t", 'SELECT max(upper("s")) AS "m" FROM "SQLUser"."t"'),
    ("SELECT - -1 AS one, a - -1 AS b FROM t", 'SELECT - -1 AS "one", "a" - -1 AS "b" FROM "SQLUser"."t"'),
    (
        "SELECT %EXACT(s) s FROM t GROUP BY %EXACT(s)",
        'SELECT CAST("s" AS VARCHAR) COLLATE "binary" AS "s" FROM "SQLUser"."t" '
        'GROUP BY CAST("s" AS VARCHAR) COLLATE "binary"',
    ),
    (
        "SELECT VECTOR_DOT_PRODUCT(v, TO_VECTOR(?)) d, VECTOR_COSINE(TO_VECTOR(?), TO_VECTOR(s)) c FROM t",
        'SELECT array_inner_product(CAST("v" AS DOUBLE[3]), CAST($1 AS DOUBLE[3])) AS "d", '
        'list_cosine_similarity(CAST($2 AS DOUBLE[]), CAST(TO_VECTOR_FLOAT("s") AS DOUBLE[])) AS "c" '
        'FROM "SQLUser"."t"',
    ),
    ("SELECT M.Embed('x', ?) e", """SELECT "M.Embed"('x', $1) AS "e\""""),
    ('SELECT a AS "日本 ""語""" /* 終 */ FROM "t" -- 終わり', 'SELECT "a" AS "日本 ""語""" FROM "SQLUser"."t"'),
]

STATEMENTS = [
    ("INSERT t VALUES (1, 2, 'x', NULL, TO_VECTOR(?, DOUBLE))",
     ['INSERT INTO "SQLUser"."t" ("a", "b", "s", "v", "w") VALUES (1, 2, \'x\', NULL, CAST($1 AS DOUBLE[3]))']),
    ("INSERT INTO t (S) SELECT TOP 2 s FROM t ORDER BY s DESC",
     ['INSERT INTO "SQLUser"."t" ("s") SELECT "s" FROM "SQLUser"."t" ORDER BY "s" DESC LIMIT 2']),
    ("UPDATE t SET s = 'x', W = TO_VECTOR(?, DOUBLE) WHERE %ID = 1",
     ['UPDATE "SQLUser"."t" SET "s" = \'x\', "w" = CAST($1 AS DOUBLE[3]) WHERE "ID" = 1']),
    ("DELETE FROM t WHERE a = 1", ['DELETE FROM "SQLUser"."t" WHERE "a" = 1']),
    ("START TRANSACTION", ["BEGIN TRANSACTION"]),
    ("COMMIT WORK", ["COMMIT"]),
    ("ROLLBACK;", ["ROLLBACK"]),
    ("CREATE INDEX HNSWIndex ON TABLE FishSearch.Fish (Features) AS HNSW(Distance='Cosine')", []),
    ("CREATE INDEX h ON t (w) AS %SQL.Index.HNSW(distance='dotproduct', M=24, efConstruction=100)", []),
    ("CREATE INDEX plain ON t (a)", []),
    ("CREATE UNIQUE INDEX u ON t (S, a)", ['CREATE UNIQUE INDEX "t_u" ON "SQLUser"."t" (upper("s"), "a")']),
    ("DROP INDEX u ON TABLE t", ['DROP INDEX IF EXISTS "SQLUser"."t_u"']),
    ("DROP TABLE IF EXISTS no.x", ['DROP TABLE IF EXISTS "no"."x"', 'DROP SEQUENCE IF EXISTS "no"."x_RowID"']),
    ("CREATE OR REPLACE VIEW v (n) AS SELECT TOP ALL a FROM t ORDER BY a",
     ['CREATE SCHEMA IF NOT EXISTS "SQLUser"',
      'CREATE OR REPLACE VIEW "SQLUser"."v" ("n") AS SELECT "a" FROM "SQLUser"."t" ORDER BY "a" ASC NULLS FIRST']),
    ("DROP VIEW IF EXISTS v", ['DROP VIEW IF EXISTS "SQLUser"."v"']),
    ("CREATE TABLE IF NOT EXISTS FishSearch.Fish (Name VARCHAR(100), Features VECTOR(DOUBLE, 512))",
     ['CREATE SCHEMA IF NOT EXISTS "FishSearch"',
      'CREATE SEQUENCE IF NOT EXISTS "FishSearch"."Fish_RowID"',
      'CREATE TABLE IF NOT EXISTS "FishSearch"."Fish" '
      '("ID" BIGINT PRIMARY KEY DEFAULT nextval(\'"FishSearch"."Fish_RowID"\'), '
      '"Name" VARCHAR COLLATE NOCASE CHECK (length("Name") <= 100), "Features" DOUBLE[512])']),
    ("CREATE TABLE x.y (n INT NOT NULL UNIQUE, c NUMERIC(5,2) DEFAULT -1, f CHAR, l CLOB, z BIT, "
     "CONSTRAINT k PRIMARY KEY (n, f))",
     ['CREATE SCHEMA IF NOT EXISTS "x"',
      'CREATE SEQUENCE IF NOT EXISTS "x"."y_RowID"',
      'CREATE TABLE "x"."y" ("ID" BIGINT PRIMARY KEY DEFAULT nextval(\'"x"."y_RowID"\'), "n" INTEGER NOT NULL, '
      '"c" DECIMAL(5, 2) DEFAULT -1, "f" VARCHAR COLLATE NOCASE CHECK (length("f") <= 1), "l" VARCHAR, '
      '"z" TINYINT CHECK ("z" IN (0, 1)))',
      'CREATE UNIQUE INDEX "y_n" ON "x"."y" ("n")',
      'CREATE UNIQUE INDEX "y_n_f" ON "x"."y" ("n", upper("f"))']),
]  # fmt: skip

# IRIS SQL that this engine does not have: the words of the message that name it, line, column.
UNSUPPORTED = [
    ("EXPLAIN SELECT 1", "EXPLAIN", 1, 1),
    ("SAVEPOINT x", "SAVEPOINT", 1, 1),
    ("ROLLBACK TO SAVEPOINT x", "ROLLBACK TO SAVEPOINT", 1, 10),
    ("GRANT SELECT ON t TO x", "GRANT", 1, 1),
    ("ALTER TABLE t ADD COLUMN x INTEGER", "ALTER", 1, 1),
    ("CREATE FUNCTION f() RETURNS INTEGER", "CREATE FUNCTION", 1, 8),
    ("INSERT OR UPDATE t (a) VALUES (1)", "INSERT OR UPDATE", 1, 11),
    ("SELECT {fn UCASE('a')}", "ODBC escape", 1, 8),
    ("SELECT a->b FROM t", "implicit join", 1, 9),
    ("SELECT a FROM t\n  NATURAL JOIN t u", "NATURAL JOIN", 2, 3),
    ("SELECT a FROM t u JOIN t w USING (a)", "JOIN … USING", 1, 28),
    ("SELECT a FROM t WHERE a > ANY (SELECT 1)", "> ANY (subquery)", 1, 27),
    ("SELECT a FROM t WHERE s %PATTERN '1U'", "%PATTERN", 1, 25),
    ("SELECT a FROM t WHERE s %INLIST w", "%INLIST of anything but", 1, 25),
    ("SELECT DECODE(a, 1, 2) FROM t", "DECODE", 1, 8),
    ("SELECT INSTR(s, 'a', 2) FROM t", "INSTR with 3 arguments", 1, 8),
    ("SELECT $HOROLOG", "$HOROLOG", 1, 8),
    ("SELECT COUNT(a %FOREACH(b)) FROM t", "%FOREACH", 1, 16),
    ("SELECT SUM(a) OVER (ORDER BY a) FROM t", "OVER", 1, 15),
    ("SELECT DISTINCT BY (s) a FROM t", "DISTINCT BY", 1, 17),
    ("SELECT TOP 1 a INTO :x FROM t", "INTO", 1, 16),
    ("SELECT a FROM t FETCH FIRST 2 ROWS ONLY", "FETCH FIRST", 1, 17),
    ("SELECT * FROM JSON_TABLE(?, '$')", "JSON_TABLE as a table", 1, 15),
    ("SELECT s, COUNT(*) FROM t", "COUNT beside a field without GROUP BY", 1, 11),
    ("SELECT AVG(a) FROM t HAVING a > 1", "AVG beside a field without GROUP BY", 1, 8),
    ("SELECT s, a FROM t GROUP BY s", "a, a field neither grouped nor aggregated", 1, 11),
    ("SELECT s FROM t GROUP BY s HAVING a > 1", "a, a field neither grouped nor aggregated", 1, 35),
    ("SELECT s FROM t GROUP BY s ORDER BY a", "a, a field neither grouped nor aggregated", 1, 37),
    ("SELECT COUNT(*) FROM t GROUP BY 1", "GROUP BY of a constant", 1, 33),
    ("SELECT TO_VECTOR(?, DECIMAL)", "TO_VECTOR of DECIMAL", 1, 8),
    ("SELECT LENGTH(w) FROM t", "LENGTH of a vector", 1, 8),
    ("SELECT MAX(w) FROM t", "MAX of a vector", 1, 8),
    ("SELECT w || 'x' FROM t", "|| of a vector", 1, 10),
    ("SELECT a FROM t WHERE w = v", "a comparison of vectors", 1, 25),
    ("SELECT " + "(" * 5000 + "1", "nested hundreds", 1, 1),
    ("SELECT 1" + " + 1" * 5000, "nested hundreds", 1, 1),
    ("SELECT TO_VECTOR(?, DOUBLE, ?)", "a length in TO_VECTOR", 1, 8),
    ("SELECT CAST(w AS VARCHAR) FROM t", "CAST of a vector", 1, 8),
    ("CREATE TABLE x (v VECTOR(DOUBLE))", "VECTOR without", 1, 19),
    ("CREATE TABLE x (ID INTEGER)", "a column named ID", 1, 17),
    ("CREATE TABLE x (a INTEGER REFERENCES t)", "column constraint REFERENCES", 1, 27),
    ("CREATE BITMAP INDEX i ON t (a)", "CREATE BITMAP", 1, 8),
    ("DROP INDEX i", "DROP INDEX without ON", 1, 6),
    ("UPDATE t SET a = 1 FROM t u", "UPDATE … FROM", 1, 20),
]

# SQL that IRIS refuses too: words of the message, line, column, SQLCODE.
REFUSED = [
    ("", "statement expected", 1, 1, -51),
    ("SELECT", "term expected", 1, 7, -12),
    ("SELECT a FROM", "name expected", 1, 14, -1),
    ("SELECT CAST(a AS", "not a data type", 1, 17, -376),
    ("SELECT a,\n FROM t", "term expected", 2, 2, -12),
    ("SELECT a b c FROM t", "after the end", 1, 12, -25),
    ("SELECT a FROM t; SELECT 1", "after the end", 1, 18, -25),
    ("SELECT 'abc", "closing quote", 1, 8, -1),
    ('SELECT "abc', "closing quote", 1, 8, -3),
    ("SELECT a /* 終", "*/ missing", 1, 10, -1),
    ("SELECT a FROM t WHERE a", "comparison operator", 1, 24, -14),
    ("SELECT a = 1 FROM t", "not a condition", 1, 10, -11),
    ("SELECT a FROM t WHERE a NOT 1", "after NOT", 1, 29, -15),
    ("SELECT a FROM t WHERE a IN 1", "( expected", 1, 28, -1),
    ("SELECT CASE WHEN a = 1 'x' END FROM t", "THEN expected", 1, 24, -1),
    ("SELECT a FROM (SELECT a FROM t ORDER BY a) q", "needs TOP", 1, 32, -1),
    ("SELECT TOP -1 a FROM t", "positive integer", 1, 12, -80),
    ("SELECT TOP a FROM t", "positive integer", 1, 12, -80),
    ("SELECT TOP 2 a FROM t LIMIT 3", "TOP cannot", 1, 23, -386),
    ("SELECT nope FROM t", "nope not found", 1, 8, -29),
    ("SELECT a AS z FROM t WHERE z = 1", "z not found", 1, 28, -29),
    ("SELECT a AS z, z + 1 FROM t", "z not found", 1, 16, -29),
    ("SELECT a FROM shown", "a not found", 1, 8, -29),
    ("SELECT x.a FROM t", "Label x", 1, 8, -23),
    ("SELECT t.a FROM t x", "Label t", 1, 8, -23),
    ("SELECT a FROM t, t u", "ambiguous", 1, 8, -27),
    ("SELECT 1 FROM t, t", "Name conflict", 1, 18, -20),
    ("SELECT a FROM nope", "SQLUser.nope not found", 1, 15, -30),
    ("SELECT *", "needs a FROM", 1, 8, -26),
    ("SELECT a FROM t WHERE COUNT(*) > 1", "COUNT cannot", 1, 23, -19),
    ("SELECT a FROM t ORDER BY COUNT(*)", "must be an item", 1, 26, -73),
    ("SELECT a FROM t UNION SELECT a, b FROM t", "1 and 2 items", 1, 1, -9),
    ("SELECT a FROM t UNION SELECT a FROM t ORDER BY b", "names or numbers", 1, 48, -6),
    ("SELECT a FROM t WHERE a = (SELECT a, b FROM t)", "exactly one item", 1, 27, -10),
    ("SELECT Nope(1)", "Nope not found", 1, 8, -359),
    ("SELECT UPPER(a, b) FROM t", "UPPER takes 1", 1, 8, -381),
    ("SELECT LOWER() FROM t", "LOWER takes 1", 1, 8, -380),
    ("SELECT DATEDIFF(fortnight, '2020-01-01', '2021-01-01')", "not a date part", 1, 17, -8),
    ("SELECT CAST(a AS STRUCT) FROM t", "not a data type", 1, 18, -376),
    ("SELECT TO_VECTOR(?, ?)", "type in TO_VECTOR", 1, 21, -1),
    ("SELECT VECTOR_COSINE(v, w) FROM t", "element types: FLOAT and DOUBLE", 1, 8, -259),
    ("SELECT VECTOR_COSINE(w, TO_VECTOR(?)) FROM t", "element types: DOUBLE and FLOAT", 1, 8, -259),
    ("SELECT VECTOR_COSINE(w, TO_VECTOR(?, decimal)) FROM t", "element types: DOUBLE and DECIMAL", 1, 8, -259),
    ("SELECT VECTOR_COSINE(w, (SELECT Features FROM FishSearch.Fish)) FROM t", "lengths: 3 and 512", 1, 8, -257),
    ("SELECT VECTOR_COSINE(w, s) FROM t", "compares vectors", 1, 25, -258),
    ("SELECT VECTOR_COSINE(w, ?) FROM t", "compares vectors", 1, 25, -258),
    ("SELECT VECTOR_COSINE(w, M.Embed('x')) FROM t", "compares vectors", 1, 25, -258),
    ("SELECT * FROM M.Query(?)", "M.Query not found", 1, 15, -428),
    ("CALL Identify(?)", "CALL schema.name", 1, 6, -1),
    ("CALL M.Identify", "with the parentheses", 1, 6, -1),
    ("INSERT INTO t (a, b) VALUES (1)", "2 columns and 1 values", 1, 1, -62),
    ("INSERT INTO t (a) VALUES (1, 2)", "1 columns and 2 values", 1, 1, -116),
    ("INSERT INTO t (nope) VALUES (1)", "nope not found", 1, 1, -29),
    ("INSERT INTO t (ID) VALUES (1)", "RowID", 1, 1, -111),
    ("INSERT INTO t (a) VALUES ((SELECT 1))", "subquery is not allowed", 1, 27, -144),
    ("UPDATE t SET ID = 1", "RowID", 1, 14, -107),
    ("CREATE VIEW v AS SELECT ? AS a FROM t", "host variables", 1, 25, -148),
    ("CREATE VIEW v AS SELECT a FROM t ORDER BY a", "needs TOP", 1, 34, -1),
    ("CREATE INDEX h ON t (s) AS HNSW(Distance='Cosine')", "VECTOR(DOUBLE, length)", 1, 28, -1),
    ("CREATE INDEX h ON t (w) AS HNSW(Distance='L2')", "Distance", 1, 28, -1),
    ("CREATE INDEX h ON t (w) AS HNSW(M=4)", "Distance", 1, 28, -1),
    ("CREATE INDEX h ON t (w) AS HNSW(Distance='Cosine', M=101)", "from 2 to 100", 1, 28, -1),
    ("CREATE INDEX h ON t (w) AS HNSW(Distance='Cosine', efConstruction=16)", "greater than M", 1, 28, -1),
    ("CREATE INDEX h ON t (nope)", "nope not found", 1, 22, -31),
    ("DROP TABLE nope", "nope not found", 1, 12, -30),
    # of DuckDB, not of IRIS
    ("SELECT a::INTEGER FROM t", "':'", 1, 9, -1),
    ("SELECT [1, 2]", "term expected", 1, 8, -12),
    ("SELECT * EXCLUDE (a) FROM t", "EXCLUDE", 1, 10, -25),
    ("SELECT a FROM t QUALIFY a = 1", "after the end", 1, 25, -25),
    ("SELECT a FROM t PIVOT (a)", "after the end", 1, 23, -25),
    ("SELECT list_filter(a, x -> x) FROM t", "list_filter", 1, 8, -359),
    ("FROM t", "statement expected", 1, 1, -51),
    ("DELETE FROM t RETURNING *", "after the end", 1, 25, -25),
    ("INSERT INTO t (a) VALUES (1) ON CONFLICT DO NOTHING", "after the end", 1, 30, -25),
    ("INSERT INTO t (a) VALUES (1), (2)", "one row", 1, 29, -1),
    ("SELECT * FROM read_csv('x.csv')", "read_csv", 1, 15, -428),
    ("SELECT * FROM 'x.csv'", "name expected", 1, 15, -1),
    ('SELECT * FROM "x.csv"', "SQLUser.x.csv not found", 1, 15, -30),
    ("SELECT read_text('x')", "read_text", 1, 8, -359),
    ("COPY t TO 'x'", "statement expected", 1, 1, -51),
    ("PRAGMA version", "statement expected", 1, 1, -51),
    ("ATTACH 'x'", "statement expected", 1, 1, -51),
    ("INSTALL httpfs", "statement expected", 1, 1, -51),
]


@pytest.mark.parametrize(("iris", "duck"), WORKSHOP + QUERIES)
def test_translates_queries(texts, iris, duck):
    """A query of IRIS SQL has one translation, and DuckDB can prepare it."""
    assert [duck] == to_duckdb(parse(iris), texts)
    texts.connection.execute(f"PREPARE it AS {duck}")


@pytest.mark.parametrize(("iris", "duck"), STATEMENTS)
def test_translates_statements(texts, iris, duck):
    """A statement that is not a query becomes as many as it takes, none where an index is for speed only."""
    assert duck == to_duckdb(parse(iris), texts)


@pytest.mark.parametrize(("iris", "construct", "line", "column"), UNSUPPORTED)
def test_names_what_is_unsupported(texts, iris, construct, line, column):
    """What IRIS has and this engine has not is refused by name and place."""
    with pytest.raises(UnsupportedSQLError) as caught:
        to_duckdb(parse(iris), texts)
    assert (True, line, column) == (construct in str(caught.value), caught.value.line, caught.value.column)


@pytest.mark.parametrize(("iris", "words", "line", "column", "sqlcode"), REFUSED)
def test_refuses_what_iris_refuses(texts, iris, words, line, column, sqlcode):
    """What is not IRIS SQL is refused with the place and the SQLCODE."""
    with pytest.raises(SQLSyntaxError) as caught:
        to_duckdb(parse(iris), texts)
    error = caught.value
    assert (True, line, column, sqlcode) == (words in str(error), error.line, error.column, error.sqlcode)


# The tree


def test_numbers_parameters_in_order():
    """Each ? becomes a placeholder numbered from 1, however deep it stands."""
    tree = parse("SELECT ?, (SELECT TOP ? a FROM t WHERE b = ?) FROM M.Query(?) q")
    assert [node.name for node in sorted(tree.find_all(exp.Placeholder), key=place)] == ["1", "2", "3", "4"]


def test_call_has_schema_name_and_arguments():
    """CALL gives a node of its own."""
    call = parse("CALL MeetUp2025.Identify(?, 3)")
    assert (Call, "MeetUp2025", "Identify", ["1", "3"]) == (
        type(call), call.schema, call.name, [argument.name for argument in call.expressions],
    )  # fmt: skip


def test_to_vector_keeps_type_and_length():
    """TO_VECTOR says its element type, FLOAT by default, and its length."""
    nodes = parse("SELECT TO_VECTOR(?), TO_VECTOR(?, double), TO_VECTOR(?, Integer, 3)").find_all(ToVector)
    found = [(node.args["kind"], node.args["length"] and node.args["length"].name) for node in nodes]
    assert found == [("FLOAT", None), ("DOUBLE", None), ("BIGINT", "3")]


def test_finds_calls():
    """Functions of a schema and queries in FROM are found apart from each other."""
    tree = parse("SELECT A.F(A.G(1)) FROM A.Q(?) q, A.Q(2) WHERE A.F(2) = 1")
    assert [call.name for call in function_calls(tree)] == ["F", "G", "F"]
    assert [(table.this.name, table.alias) for table in table_calls(tree)] == [("Q", "q"), ("Q", "")]
    assert function_calls(parse("CALL A.P(1)")) == []


def test_binds_host_variables():
    """A host variable takes an expression wherever it stands, and the tree that had it is not changed."""
    tree = parse("SELECT TOP :k a FROM t WHERE a = :x OR b = :x")
    bound = bind(tree, {"k": exp.Literal.number(2), "x": exp.Placeholder(this="1")})
    assert {"k", "x"} == {node.name for node in tree.find_all(exp.Placeholder)}
    assert [node.name for node in bound.find_all(exp.Placeholder)] == ["1", "1"]
    with pytest.raises(SQLSyntaxError, match=":k has no value") as caught:
        bind(tree, {"x": exp.Null()})
    assert (caught.value.line, caught.value.column, caught.value.sqlcode) == (1, 12, -28)


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


def test_translation_leaves_the_tree_alone(texts):
    """The same tree can be translated twice."""
    tree = parse("SELECT s FROM t HAVING s = 'x'")
    assert to_duckdb(tree, texts) == to_duckdb(tree, texts)


def test_names_functions_for_duckdb():
    """A function of a schema has a DuckDB name with a dot, so that read.text is not read_text."""
    assert function_name("MeetUp2025", "EmbedText") == "MeetUp2025.EmbedText"


def test_no_function_is_both_known_and_missing():
    """A name is translated or listed as missing, not both."""
    assert set() == KNOWN & {*FUNCTIONS, *AGGREGATES, *VARIADIC}


def test_importing_the_dialect_imports_no_database():
    """The grammar needs sqlglot alone, and of its dialects only that of DuckDB."""
    code = (
        "import sys, meetup2025.engines.translate\n"
        "names = [name for name in sys.modules if name.startswith('sqlglot.dialects.')]\n"
        "print(sorted(names), 'duckdb' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "['sqlglot.dialects.dialect', 'sqlglot.dialects.duckdb'] False\n"


# Meaning


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
        ("LEFT(NULL, 2)", None),
        ("LEFT('abc', -1)", ""),
        ("RIGHT('abc', 2)", "bc"),
        ("LENGTH('ab  ')", 2),
        ("CHAR_LENGTH('ab  ')", 4),
        ("$LENGTH(NULL)", 0),
        ("TRIM('  a ')", "a"),
        ("TRIM(LEADING 'x' FROM 'xax')", "ax"),
        ("TRIM(TRAILING FROM 'a ')", "a"),
        ("LPAD('7', 3, '0') || RPAD('a', 2) || '.'", "007a ."),
        ("INSTR('abcb', 'b')", 2),
        ("POSITION('c' IN 'abc')", 3),
        ("CHARINDEX('c', 'abc')", 3),
        ("$PIECE('a^b^c', '^', 2)", "b"),
        ("CONCAT('a', NULL)", None),
        ("REPLACE('PING PONG', 'P', 'K')", "KING KONG"),
        ("LOG(1)", 0),
        ("LOG10(100)", 2),
        ("ROUND(2.567, 1)", 2.6),
        ("ROUND(2.567, 1, 1)", 2.5),
        ("TRUNCATE(-2.567, 1)", -2.5),
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


@pytest.mark.parametrize("name", sorted({*FUNCTIONS, *AGGREGATES, *VARIADIC} - {"VECTOR_COSINE", "VECTOR_DOT_PRODUCT"}))
def test_every_function_is_one_of_duckdb(texts, name):
    """Each template is DuckDB SQL: preparing a call with NULLs finds no unknown function."""
    first = ["'day'"] if name in ("DATEDIFF", "DATEADD") else []
    for count in sorted(arities(name))[:3]:
        call = render(name, [*first, *["NULL"] * (count - len(first))])
        assert len(texts.connection.execute(f"SELECT {call}").fetchall()) == 1


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


def test_division_by_zero_is_an_error(fish):
    """A division by zero is not an infinity."""
    with pytest.raises(duckdb.InvalidInputException, match="Division by zero"):
        fish.value("1 / 0")


def test_ordinary_columns_may_have_odd_names(fish):
    """A name that is a word of DuckDB alone needs no quotes."""
    fish.run("CREATE TABLE odd (lambda INTEGER, qualify INTEGER, show INTEGER)")
    fish.run("INSERT INTO odd VALUES (1, 2, 3)")
    assert fish.run("SELECT lambda, qualify, show FROM odd pivot") == [(1, 2, 3)]
