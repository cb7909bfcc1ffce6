"""IRIS SQL in, DuckDB SQL out: a test is two strings."""

# ruff: noqa: ISC004 - a case is one IRIS and one DuckDB text, on as many lines as they need

from __future__ import annotations

import subprocess
import sys

import pytest
from iris_sql import empty_tables

from meetup2025.engines.duckdb.translate import OWNER, function_name, to_duckdb
from meetup2025.engines.sql import parse


@pytest.fixture(scope="module")
def texts():
    """Give the tables that the texts speak of, empty."""
    return empty_tables()


WORKSHOP = [
    (
        "SELECT TOP 3 Name,VECTOR_COSINE(Features,TO_VECTOR(?,double)) FROM MeetUp2025.Fish fish "
        "ORDER BY VECTOR_COSINE(Features,TO_VECTOR(?,double)) DESC",
        'SELECT "Name", array_cosine_similarity("Features", CAST($1 AS DOUBLE[512])) AS "Expression_2" '
        'FROM "MeetUp2025"."Fish" AS "fish" '
        'ORDER BY array_cosine_similarity("Features", CAST($2 AS DOUBLE[512])) DESC, "fish"."ID" LIMIT 3',
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
        'WHERE "MOST_SIMILAR" < 0.6 ORDER BY "MOST_SIMILAR" ASC NULLS FIRST, "fish"."ID" LIMIT 5',
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
        'FROM "MeetUp2025"."Fish" ORDER BY "Score" DESC, "fish"."ID" LIMIT $k',
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
        """WHERE "exemplar"."Name" = ANY(string_split($exemplars, ',')) """
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
    ("SELECT TOP 12.7 a FROM t", 'SELECT "a" FROM "SQLUser"."t" LIMIT 12'),
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
    (
        "SELECT a FROM t WHERE a = 1 OR b = 2 HAVING b > 3",
        'SELECT "a" FROM "SQLUser"."t" WHERE ("a" = 1 OR "b" = 2) AND ("b" > 3)',
    ),
    (
        "SELECT CURRENT_DATE, COALESCE(NULL, NULL) n",
        'SELECT current_date AS "Expression_1", coalesce(NULL, NULL) AS "n"',
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
        'list_cosine_similarity(CAST($2 AS DOUBLE[]), CAST("TO_VECTOR_FLOAT"("s") AS DOUBLE[])) AS "c" '
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
    ("CREATE INDEX HNSWIndex ON TABLE FishSearch.Fish (Features) AS HNSW(Distance='Cosine')", []),
    ("CREATE INDEX h ON t (w) AS %SQL.Index.HNSW(distance='dotproduct', M=24, efConstruction=100)", []),
    ("CREATE INDEX plain ON t (a)", []),
    ("CREATE UNIQUE INDEX u ON t (S, a)", ['CREATE UNIQUE INDEX "t_u" ON "SQLUser"."t" (upper(lower("s")), "a")']),
    ("DROP INDEX u ON TABLE t", ['DROP INDEX IF EXISTS "SQLUser"."t_u"']),
    ("DROP TABLE IF EXISTS other.x", ['DROP TABLE IF EXISTS "other"."x"', 'DROP SEQUENCE IF EXISTS "other"."x_RowID"']),
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
      '"c" DECIMAL(5, 2) DEFAULT -1, "f" VARCHAR COLLATE NOCASE NOT NULL CHECK (length("f") <= 1), "l" VARCHAR, '
      '"z" TINYINT CHECK ("z" IN (0, 1)))',
      'CREATE UNIQUE INDEX "Y_UNIQUE2" ON "x"."y" ("n")',
      'CREATE UNIQUE INDEX "Y_PKEY7" ON "x"."y" ("n", upper(lower("f")))']),
]  # fmt: skip


@pytest.mark.parametrize(("iris", "duck"), WORKSHOP + QUERIES)
def test_translates_queries(texts, iris, duck):
    """A query of IRIS SQL has one translation, and DuckDB can prepare it."""
    assert [duck] == [each.replace(OWNER, "") for each in to_duckdb(parse(iris), texts)]
    texts.connection.execute(f"PREPARE it AS {duck}")


@pytest.mark.parametrize(("iris", "duck"), STATEMENTS)
def test_translates_statements(texts, iris, duck):
    """A statement that is not a query becomes as many as it takes, none where an index is for speed only."""
    assert duck == to_duckdb(parse(iris), texts)


def test_translation_leaves_the_tree_alone(texts):
    """The same tree can be translated twice."""
    tree = parse("SELECT s FROM t HAVING s = 'x'")
    assert to_duckdb(tree, texts) == to_duckdb(tree, texts)


def test_names_functions_for_duckdb():
    """A function of a schema has a DuckDB name with a dot, so that read.text is not read_text."""
    assert function_name("MeetUp2025", "EmbedText") == "MeetUp2025.EmbedText"


def test_importing_the_dialect_imports_no_database():
    """The grammar needs sqlglot alone, and of its dialects only that of DuckDB."""
    code = (
        "import sys, meetup2025.engines.duckdb.translate\n"
        "names = [name for name in sys.modules if name.startswith('sqlglot.dialects.')]\n"
        "print(sorted(names), 'duckdb' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "['sqlglot.dialects.dialect', 'sqlglot.dialects.duckdb'] False\n"
