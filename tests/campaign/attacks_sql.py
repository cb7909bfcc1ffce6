"""SQL: every argument of every routine with hostile values, and statements that nobody would write."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from harness import Tally, folder, limited, part

import meetup2025
from meetup2025.engines.classes.program import program

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from random import Random

    from meetup2025.engines.classes import Argument, Method, Query

_VALUES = (
    *("NULL", "''", "0", "-1", "1", "2147483648", "-9223372036854775808", "4294967296", "1e308", "-1e400", "'NaN'"),
    *("'inf'", "'1_000'", "'８'", "REPEAT('a', 100000)", "REPEAT('1,', 5000)", "CHAR(0)", "'%'", "''' OR 1=1 --'"),
    *("'../../etc/passwd'", "'/dev/zero'", "'data:,x'", "'data:image/png;base64,AAAA'", "'http://127.0.0.1/'"),
    *("'[[[[[[[['", "'{\"a\":1}'", "'0,0,0'", "'nan,1'", "'1e999,1'", "'F001'", "'Fish'", "'İ'", "'\U0001f41f'"),
)  # fmt: skip
_SLOW = ("MAP", "ROUNDTRIP", "COMPARISON", "BENCHMARK", "RECOGNISER", "QUALITY", "COMPAREDETECTORS")
"""Parts of the names of routines that take seconds with good values: fewer values."""

_STATEMENTS, _TOKENS = 3_000, 40
_SEEDS = (
    "SELECT TOP 3 Name, VECTOR_COSINE(Features, TO_VECTOR('1,2', DOUBLE)) AS s FROM MeetUp2025.Fish ORDER BY s DESC",
    "CALL MeetUp2025.SimilarFish('マアジ', 3)",
    "SELECT a.Name FROM MeetUp2025.Fish a JOIN MeetUp2025.FishImage b ON a.Name = b.Label WHERE a.FishID IN ('F1')",
    "UPDATE MeetUp2025.Fish SET Kanji = 'x' WHERE FishID = 'F001'",
    "INSERT INTO MeetUp2025.Prompt (Hash, Model, Text) VALUES ('h', 'm', 't')",
    "SELECT COUNT(*), MAX(Name) FROM MeetUp2025.FishCatalogue() GROUP BY Family HAVING COUNT(*) > 1",
    "CREATE TABLE Own.T (a INTEGER NOT NULL, b VARCHAR(9) UNIQUE, c VECTOR(DOUBLE, 3))",
    "SELECT * FROM JSON_TABLE('[{\"a\":1}]', '$' COLUMNS (a INTEGER PATH '$.a')) j",
)
_FOREIGN = (
    *("ATTACH 'x.db'", "COPY (SELECT 1) TO '/tmp/x'", "SELECT * FROM read_text('/etc/passwd')", "PRAGMA database_list"),
    *("SET enable_external_access = true", "INSTALL httpfs", "LOAD httpfs", "EXPORT DATABASE 'x'"),
    *("SELECT * FROM '/etc/passwd'", "SELECT * FROM duckdb_settings()", "IMPORT DATABASE 'x'", "DETACH memory"),
    *("SELECT getenv('HOME')", "(" * 20_000, "SELECT " + "(" * 5_000 + "1" + ")" * 5_000, "SELECT 1;" * 1_000),
    *("SELECT '" + "x" * 10**6, "/*" * 9_999),
)  # fmt: skip
_WORDS = ("(", ")", ",", "'", '"', ";", "--", "/*", "*/", "NULL", "SELECT", "?", "$1", "{", "}", "\0", "::", "%ID")


@part
def sql(random: Random) -> Iterator[Tally]:
    """Call each routine with hostile values, and run foreign, random and mutated statements."""
    with folder() as place:
        file = place / "fish.duckdb"
        with meetup2025.connect(f"duckdb:///{file}") as connection, connection.cursor() as cursor:
            cursor.execute("SELECT MeetUp2025.LoadNames('catalogue/fish.csv')").fetchall()
            connection.commit()
        before = _content(str(file))
        yield _arguments(random, str(file))
        yield _statements(random, str(file))
        tally = Tally("names of fish after all of it")
        tally.check("the names have changed", _content(str(file)) == before)
        yield tally


def _content(file: str) -> str:
    return limited(partial(_names, file), seconds=20, memory=4_000_000_000).told


def _names(file: str) -> int:
    with meetup2025.connect(f"duckdb:///{file}") as connection, connection.cursor() as cursor:
        return len(str(cursor.execute("SELECT FishID, Name FROM MeetUp2025.Fish ORDER BY FishID").fetchall()))


def _arguments(random: Random, file: str) -> Tally:
    tally = Tally("arguments of all routines with hostile values")
    found = program()
    functions = [f"SELECT {name}({{}})" for name in sorted(found.functions)]
    queries = [f"SELECT * FROM {name}({{}})" for name in sorted(found.queries)]
    procedures = [f"CALL {name}({{}})" for name in sorted(found.procedures)]
    every: Mapping[str, Method | Query] = {**found.functions, **found.queries, **found.procedures}
    for form in (*functions, *queries, *procedures):
        name = next(name for name in every if f" {name}(" in form)
        calls = [form.format(", ".join(each)) for each in _given(random, name, every[name].arguments)]
        _run(tally, file, calls, seconds=60)
    return tally


def _given(random: Random, name: str, arguments: tuple[Argument, ...]) -> Iterator[list[str]]:
    """Yield arguments: each hostile value in each place, with likely values in the others."""
    values = _VALUES if not any(word in name for word in _SLOW) else random.sample(_VALUES, 8)
    for place in range(len(arguments)):
        for value in values:
            yield [_likely(each) if at < place else value for at, each in enumerate(arguments[: place + 1])]
    yield []
    yield ["1"] * (len(arguments) + 1)


def _likely(argument: Argument) -> str:
    known = {"source": "'Fish'", "table": "'Fish'", "vector": "'1,0'", "run": "1", "image": "'samples/saba.png'"}
    return known.get(argument.name.lower(), "'マアジ'" if "String" in argument.type else "2")


def _statements(random: Random, file: str) -> Tally:
    tally = Tally("foreign, random and mutated statements")
    _run(tally, file, [*_FOREIGN], seconds=60)
    for _ in range(_STATEMENTS // 100):
        some = [_mutated(random) for _ in range(90)]
        some += [" ".join(random.choice(_WORDS) for _ in range(random.randrange(_TOKENS))) for _ in range(10)]
        _run(tally, file, some, seconds=60)
    return tally


def _mutated(random: Random) -> str:
    words = random.choice(_SEEDS).split(" ")
    for _ in range(random.randrange(1, 4)):
        at = random.randrange(len(words))
        words[at : at + random.randrange(2)] = [random.choice([*_WORDS, *words, random.choice(_VALUES)])]
    return " ".join(words)


def _run(tally: Tally, file: str, statements: list[str], *, seconds: float) -> None:
    """Run statements in one process. Where it ends with a fault, run each in one of its own, to find which."""
    outcome = limited(partial(_executed, file, statements), seconds=seconds, memory=4_000_000_000)
    if not outcome.is_fault:
        tally.add("", outcome)
        tally.tries += len(statements) - 1
        return
    for statement in statements:
        tally.add(statement[:120], limited(partial(_executed, file, [statement]), seconds=10, memory=4_000_000_000))


def _executed(file: str, statements: list[str]) -> int:
    """Return the number of statements that were refused. All is rolled back."""
    refused = 0
    with meetup2025.connect(f"duckdb:///{file}") as connection, connection.cursor() as cursor:
        for statement in statements:
            try:
                cursor.execute(statement)
                if cursor.description:
                    cursor.fetchmany(100)
            except meetup2025.Error:
                refused += 1
            connection.rollback()
    return refused
