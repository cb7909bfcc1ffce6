"""SQL that is refused: with the construct or the rule, the line and column, and the SQLCODE of IRIS."""

from __future__ import annotations

import pytest
from iris_sql import empty_tables

from meetup2025.engines.duckdb.translate import to_duckdb
from meetup2025.engines.sql import parse
from meetup2025.errors import SQLSyntaxError, UnsupportedSQLError


@pytest.fixture(scope="module")
def texts():
    """Give the tables that the texts speak of, empty."""
    return empty_tables()


# IRIS SQL that this engine does not have: the words of the message that name it, line, column.
UNSUPPORTED = [
    ("(SELECT a FROM t) ORDER BY a", "around a query in parentheses", 1, 1),
    ("WITH q AS (SELECT a FROM t) (SELECT a FROM q)", "around a query in parentheses", 1, 1),
    ("EXPLAIN STAT SELECT 1", "EXPLAIN STAT", 1, 9),
    ("SAVEPOINT x", "SAVEPOINT", 1, 1),
    ("ROLLBACK TO SAVEPOINT x", "ROLLBACK TO SAVEPOINT", 1, 10),
    ("GRANT SELECT ON t TO x", "GRANT", 1, 1),
    ("ALTER TABLE t ADD COLUMN x INTEGER", "ALTER", 1, 1),
    ("CREATE FUNCTION f() RETURNS INTEGER", "CREATE FUNCTION", 1, 8),
    ("INSERT OR UPDATE t (a) VALUES (1)", "INSERT OR UPDATE", 1, 11),
    ("SELECT {ts '2025-01-02 03:04:05'}", "an ODBC escape other than {fn …}", 1, 8),
    ("SELECT {fn DAYNAME('2025-01-02')}", "DAYNAME", 1, 12),
    ("SELECT TRIM(TRAILING FROM s) FROM t", "TRIM(TRAILING …) without the characters", 1, 8),
    ("SELECT TRIM(LEADING s) FROM t", "TRIM(LEADING …) without the characters", 1, 8),
    ("SELECT TRIM(BOTH FROM s) FROM t", "as in TRIM(BOTH ' ' FROM x)", 1, 8),
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
    ("SELECT * FROM JSON_TABLE(?, '$')", "JSON_TABLE of what is no function", 1, 26),
    ("SELECT * FROM JSON_TABLE(S.F(), '$' COLUMNS (a INTEGER PATH '$.a'))", "other than '$[*]'", 1, 33),
    ("SELECT * FROM JSON_TABLE(S.F(), '$[*]' COLUMNS (a INTEGER PATH '$.a.b'))", "other than '$.key'", 1, 64),
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
    ("UPDATE t FROM u SET a = 1", "UPDATE … FROM", 1, 10),
    ("DELETE FROM t WHERE CURRENT OF c", "WHERE CURRENT OF", 1, 15),
    ("INSERT INTO t (a) VALUES (DEFAULT)", "DEFAULT as a value", 1, 27),
    ("INSERT INTO t SET a = 1", "INSERT … SET", 1, 15),
    ("CREATE TABLE x AS SELECT 1", "CREATE TABLE … AS", 1, 16),
    ("CREATE TABLE x (a INTEGER) WITH y", "CREATE TABLE … WITH", 1, 28),
    ("CREATE TABLE x (v VECTOR(TEXT, 3))", "VECTOR(TEXT)", 1, 19),
    ("CREATE VIEW v AS SELECT a FROM t WITH CHECK OPTION", "CREATE VIEW … WITH", 1, 34),
    ("CREATE INDEX i ON t (a) AS BITMAP", "an index AS BITMAP", 1, 28),
    ("DROP VIEW shown CASCADE", "DROP … CASCADE", 1, 17),
    ("WITH q (a) AS (SELECT 1) SELECT a FROM q", "a column list in WITH", 1, 8),
    ("SELECT a FROM t INTERSECT SELECT a FROM t UNION SELECT a FROM t", "INTERSECT beside UNION", 1, 49),
    ("SELECT COUNT(DISTINCT BY (a) b) FROM t", "DISTINCT BY", 1, 23),
    ("SELECT CONVERT(INTEGER, s, 1) FROM t", "CONVERT with a format", 1, 26),
    ("SELECT 1 FROM (t JOIN shown)", "a join in parentheses", 1, 15),
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
    ("SELECT 'abc", "must end with a quote (')", 1, 8, -1),
    ('SELECT "abc', 'must end with a quote (")', 1, 8, -3),
    ("SELECT a /* 終", "must end with */", 1, 10, -1),
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
    ("CREATE TABLE x (a INTEGER, A INTEGER)", "A is there twice", 1, 28, -1),
    ("DROP TABLE nope", "nope not found", 1, 12, -30),
    ("CREATE TABLE x (a INTEGER, UNIQUE (a, nope))", "nope not found", 1, 1, -31),
    ("CREATE TABLE x (a NUMERIC(5, 2, 1))", "precision and a scale", 1, 19, -1),
    ("CREATE VIEW v (n, m) AS SELECT a FROM t", "2 columns and its query 1", 1, 1, -142),
    ("CREATE UNIQUE INDEX h ON t (w) AS HNSW", "cannot be unique", 1, 26, -1),
    ("CREATE INDEX h ON t (w) AS HNSW(Distance='Cosine', M='x')", "M of an HNSW index is an integer", 1, 54, -80),
    ("CREATE INDEX h ON t (w) AS HNSW(Distance='Cosine', Size=1)", "Got SIZE", 1, 28, -1),
    ("SELECT a.b.c.d FROM t", "schema.table.column", 1, 8, -1),
    ("SELECT a.b.c(1)", "schema.name(arguments)", 1, 13, -359),
    ("SELECT 1 FROM a.b.c", "one schema", 1, 18, -1),
    ("SELECT 1 FROM t LEFT shown", "JOIN expected", 1, 22, -1),
    ("SELECT TRIM(FROM s) FROM t", "term expected", 1, 13, -12),
    ("SELECT CURRENT_DATE()", "without parentheses", 1, 8, -1),
    ("SELECT SYSDATE()", "without parentheses", 1, 8, -1),
    ("SELECT LTRIM(s, 'x') FROM t", "LTRIM takes 1", 1, 8, -381),
    ("SELECT LEFT(s, 2) FROM t", "{fn LEFT(…)}", 1, 8, -359),
    ("SELECT LOG(a) FROM t", "{fn LOG(…)}", 1, 8, -359),
    ("SELECT 1 AS Names", 'Names is a reserved word; write it as "Names"', 1, 13, -1),
    ("SELECT {fn INSTR(s, 'a')} FROM t", "INSTR is no ODBC function", 1, 12, -359),
    ("SELECT {fn NOPE(s)} FROM t", "NOPE not found", 1, 12, -359),
    ("SELECT {fn UCASE(s)", "} expected", 1, 20, -1),
    ("SELECT {fn UCASE}", "UCASE takes 1", 1, 12, -380),
    ("INSERT INTO t (w) SELECT v FROM t", "TO_VECTOR(…, DOUBLE)", 1, 19, -104),
    ("INSERT INTO t (w) SELECT s FROM t", "TO_VECTOR(…, DOUBLE)", 1, 19, -104),
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
    # of other drivers
    ("SELECT a FROM t WHERE s = %s", "A parameter must be written ?. Got %s", 1, 27, -1),
    ("SELECT a FROM t WHERE s = %(name)s", "A parameter must be written ?. Got %(name)s", 1, 27, -1),
    ("INSTALL httpfs", "statement expected", 1, 1, -51),
]


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
