"""Searches that a matrix in memory narrows return the rows and scores of the scan, to the last bit."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import meetup2025
from meetup2025.engines.duckdb import matrices, matrix as matrix_module
from meetup2025.engines.duckdb.matrix import Matrix

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from meetup2025.engines import Connection

DIMENSION = 8
CREATE = "CREATE TABLE T.A (Name VARCHAR(50), Label VARCHAR(20), V VECTOR(DOUBLE, 8), W VECTOR(FLOAT, 8))"
INSERT = "INSERT INTO T.A (Name, Label, V, W) VALUES (?, ?, TO_VECTOR(?, DOUBLE), TO_VECTOR(?, FLOAT))"
NEAREST = "SELECT TOP ? Name, VECTOR_COSINE(V, TO_VECTOR(?, DOUBLE)) AS Score FROM T.A ORDER BY Score DESC"
HELD = "T.A.V: matrix in memory"

SEARCHES = [
    NEAREST,
    NEAREST.replace(" DESC", ""),
    NEAREST.replace("COSINE", "DOT_PRODUCT"),
    "SELECT TOP ? Name, VECTOR_DOT_PRODUCT(W, TO_VECTOR(?, FLOAT)) AS Score FROM T.A ORDER BY Score DESC, Name",
    NEAREST.replace(" ORDER", " WHERE Label = 'l2' AND Name > 'n2' ORDER"),
    NEAREST.replace(" ORDER", " HAVING Score > 0.2 ORDER"),
    f"SELECT near.Name, near.Score, b.Label FROM ({NEAREST}) near JOIN T.A b ON b.Name = near.Name",
    """SELECT TOP ? b.Name, VECTOR_COSINE(a.V, TO_VECTOR(?, DOUBLE)) AS Score FROM T.A a RIGHT JOIN T.A b
    ON b.Label = a.Label AND b.Name < 'n12' AND a.Name > 'n2' ORDER BY Score DESC""",
    """SELECT TOP ? a.Name, b.Name, VECTOR_COSINE(a.V, TO_VECTOR(?, DOUBLE)) AS Score FROM T.A a LEFT JOIN T.A b
    ON b.Label = a.Label AND b.Name < 'n12' ORDER BY Score DESC""",
]
LIKE = [
    """SELECT TOP ? a.Name, VECTOR_COSINE(a.V, b.V) AS Score FROM T.A a, T.A b WHERE b.Name = 'n7' AND a.Name <> 'n7'
    AND b.V IS NOT NULL ORDER BY Score DESC""",
    """SELECT TOP ? Name, GREATEST(VECTOR_COSINE(V, (SELECT V FROM T.A WHERE Name = 'n3')),
    VECTOR_COSINE(V, (SELECT V FROM T.A WHERE Name = 'n9'))) AS Score FROM T.A HAVING Score < 0.6 ORDER BY Score""",
]


@pytest.fixture(autouse=True)
def small_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let tables of a few rows have a matrix."""
    monkeypatch.setattr(matrices, "SMALL", 2)
    monkeypatch.setattr(matrices, "_FEW", -2000)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Return the URL of a file with 300 rows: some alike, some turned, some without a vector."""
    url = f"duckdb:///{tmp_path / 'fish.db'}"
    with meetup2025.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(CREATE)
        cursor.executemany(INSERT, rows(random.Random(5), range(300)))  # noqa: S311
        connection.commit()
    return url


@pytest.fixture
def connection(url: str) -> Iterator[Connection]:
    """Open the file, and search it until there are matrices."""
    with meetup2025.connect(url) as connection:
        warm(connection)
        yield connection


def rows(chance: random.Random, numbers: Sequence[int]) -> list[list[Any]]:
    """Draw rows. Their vectors are one of a few, a multiple of it, or new."""
    return [[f"n{number}", f"l{chance.randrange(5)}", *[vector(chance)] * 2] for number in numbers]


def vector(chance: random.Random) -> Any:
    """Draw a vector, or None."""
    few = np.random.default_rng(chance.randrange(9)).normal(size=DIMENSION)
    new = np.random.default_rng(chance.randrange(10**9)).normal(size=DIMENSION)
    return chance.choice([few, few, few * 2, few * -1e-9, new, new, None])


def warm(connection: Connection) -> None:
    """Search twice: the second search makes the matrices."""
    for _ in range(2):
        for sql in SEARCHES[:4]:
            connection.cursor().execute(sql, [1, np.ones(DIMENSION)]).fetchall()


def plan(connection: Connection, sql: str = NEAREST) -> str:
    """Return the plan of a search."""
    return str(connection.cursor().execute(f"EXPLAIN {sql}").fetchall()[0][0])


def scanned(connection: Connection, sql: str, given: list[Any]) -> list[Any]:
    """Run a search without a matrix."""

    def refuse(*_: Any) -> None:
        raise matrices.NoMatrix

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(matrices.Matrices, "choose", refuse)
        return connection.cursor().execute(sql, given).fetchall()


def check(connection: Connection, chance: random.Random) -> None:
    """Compare one search with the scan."""
    sql, k = chance.choice(SEARCHES + LIKE), chance.choice([1, 2, 5, 20])
    given = [k] if sql in LIKE else [k, vector(chance)]
    assert connection.cursor().execute(sql, given).fetchall() == scanned(connection, sql, given)


@pytest.mark.parametrize("sql", SEARCHES + LIKE)
def test_same_rows_and_scores(connection: Connection, sql: str) -> None:
    """Every form of a search has the rows, the order and the scores of the scan, with ties and NULL."""
    chance = random.Random(7)  # noqa: S311
    for k in (0, 1, 2, 5, 20, 299, 300, 1000):
        given = [k] if sql in LIKE else [k, vector(chance)]
        assert connection.cursor().execute(sql, given).fetchall() == scanned(connection, sql, given)
    assert HELD.replace(".V", ".W" if "(W" in sql else ".V") in plan(connection, sql)
    assert "made by" not in plan(connection, sql)


@pytest.mark.parametrize(("seed", "in_doubt"), [(1, 256), (2, 4)])
def test_same_after_any_changes(url: str, monkeypatch: pytest.MonkeyPatch, seed: int, in_doubt: int) -> None:
    """Three connections insert, update, delete, truncate, commit and roll back, and each sees what it must."""
    monkeypatch.setattr(matrices, "_IN_DOUBT", in_doubt)
    chance, last = random.Random(seed), 300  # noqa: S311
    connections = [meetup2025.connect(url) for _ in range(3)]
    for _ in range(250):
        connection = chance.choice(connections)
        cursor, name, share = connection.cursor(), f"n{chance.randrange(last)}", chance.random()
        try:
            if share < 0.15:
                cursor.executemany(INSERT, rows(chance, range(last, last + chance.randrange(1, 30))))
                last += 30
            elif share < 0.25:
                cursor.execute("UPDATE T.A SET V = TO_VECTOR(?, DOUBLE) WHERE Name = ?", [vector(chance), name])
            elif share < 0.33:
                cursor.execute("DELETE FROM T.A WHERE Name = ?", [name])
            elif share < 0.335:
                cursor.execute("TRUNCATE TABLE T.A")
            elif share < 0.5:
                chance.choice([connection.commit, connection.commit, connection.rollback])()
            else:
                check(connection, chance)
        except meetup2025.OperationalError:  # another connection changed the same row
            connection.rollback()
    for connection in connections:
        connection.close()


def test_search_within_a_transaction(connection: Connection) -> None:
    """A transaction sees its own insert and delete; after a rollback the rows are as before."""
    query = np.arange(1.0, 9.0)
    before = connection.cursor().execute(NEAREST, [3, query]).fetchall()
    connection.cursor().execute(INSERT, ["new", "l1", query, query])
    connection.cursor().execute("DELETE FROM T.A WHERE Name = ?", [before[0][0]])

    names = [name for name, _ in connection.cursor().execute(NEAREST, [3, query]).fetchall()]
    assert names == ["new", *(name for name, _ in before[1:3])]

    connection.rollback()
    assert connection.cursor().execute(NEAREST, [3, query]).fetchall() == before
    assert HELD in plan(connection)


def test_changes_of_another_connection(url: str, connection: Connection) -> None:
    """A row of another connection is found once it is committed, and lost once it is deleted."""
    query = np.arange(1.0, 9.0)
    with meetup2025.connect(url) as other:
        other.cursor().execute(INSERT, ["new", "l1", query, query])
        assert connection.cursor().execute(NEAREST, [1, query]).fetchall()[0][0] != "new"
        other.commit()
        assert connection.cursor().execute(NEAREST, [1, query]).fetchall()[0][0] == "new"
        other.cursor().execute("DELETE FROM T.A WHERE Name = 'new'")
        other.commit()
    assert connection.cursor().execute(NEAREST, [1, query]).fetchall()[0][0] != "new"
    assert "made by" not in plan(connection)


def test_definitions(connection: Connection) -> None:
    """An index on a table with a matrix can be made, and a table that is dropped and made again has its own rows."""
    cursor = connection.cursor()
    cursor.execute("CREATE INDEX LabelIndex ON TABLE T.A (Label)")
    cursor.execute("CREATE UNIQUE INDEX NameIndex ON TABLE T.A (Name)")
    check(connection, random.Random(1))  # noqa: S311
    cursor.execute("DROP TABLE T.A")
    cursor.execute(CREATE)
    cursor.executemany(INSERT, rows(random.Random(6), range(50)))  # noqa: S311
    check(connection, random.Random(1))  # noqa: S311
    connection.commit()
    warm(connection)
    check(connection, random.Random(1))  # noqa: S311


def test_searches_beside_changes(url: str) -> None:
    """While another thread replaces rows, a search has as many rows as it wants, and each once."""
    stop, faults = threading.Event(), []

    def replace() -> None:
        with meetup2025.connect(url) as connection, connection.cursor() as cursor:
            chance = random.Random(3)  # noqa: S311
            while not stop.is_set():
                name = f"n{chance.randrange(300)}"
                cursor.execute("DELETE FROM T.A WHERE Name = ?", [name])
                cursor.execute(INSERT, [name, "l1", *[np.ones(DIMENSION) * chance.random()] * 2])
                connection.commit()

    thread = threading.Thread(target=replace)
    thread.start()
    with meetup2025.connect(url) as connection:
        for seed in range(40):
            query = np.random.default_rng(seed).normal(size=DIMENSION)
            names = [name for name, _ in connection.cursor().execute(NEAREST, [40, query]).fetchall()]
            faults += [] if len(set(names)) == 40 else [names]
    stop.set()
    thread.join()

    assert faults == []


def test_file_changed_by_another_process(url: str) -> None:
    """A process that is killed after its commit leaves the file, and the next search of this process sees its rows."""
    with meetup2025.connect(url) as connection:
        warm(connection)
    killed = f"""
import os, signal, meetup2025, numpy as np
connection = meetup2025.connect({url!r})
for _ in range(3):
    connection.cursor().execute({NEAREST!r}, [3, np.ones(8)]).fetchall()
connection.cursor().execute("DELETE FROM T.A WHERE Label <> 'l1'")
connection.commit()
connection.cursor().execute("DELETE FROM T.A WHERE Name > 'n1'")
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", killed], check=False)
    with meetup2025.connect(url) as connection:
        warm(connection)
        found = connection.cursor().execute(NEAREST, [20, np.ones(DIMENSION)]).fetchall()
        assert found == scanned(connection, NEAREST, [20, np.ones(DIMENSION)])
        assert len(found) == 20
        labels = connection.cursor().execute("SELECT DISTINCT Label FROM T.A").fetchall()
        assert labels == [("L1",)]


def test_memory_of_the_setting(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without memory every search scans, and the plan says why; a wrong setting is refused."""
    monkeypatch.setenv("MEETUP2025_SEARCH_MEMORY", "0")
    with meetup2025.connect(url) as connection:
        warm(connection)
        assert "scan, because" in plan(connection)
        assert "MEETUP2025_SEARCH_MEMORY is 0 MB" in plan(connection)
        monkeypatch.setenv("MEETUP2025_SEARCH_MEMORY", "much")
        with pytest.raises(meetup2025.InterfaceError, match="whole number of megabytes"):
            plan(connection)


def test_room_for_one_matrix(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where two matrices do not fit, the one that was used less lately goes."""
    monkeypatch.setattr(matrices.settings, "search_memory", lambda: 20_000)
    connection.cursor().execute("CREATE TABLE T.B (V VECTOR(DOUBLE, 8))")
    found = np.random.default_rng(1).normal(size=(300, DIMENSION))
    connection.cursor().executemany("INSERT INTO T.B (V) VALUES (TO_VECTOR(?, DOUBLE))", [[row] for row in found])
    connection.commit()
    other = NEAREST.replace("T.A", "T.B").replace("Name", "ID")
    for sql in (NEAREST, NEAREST, other, other):
        connection.cursor().execute(sql, [1, np.ones(DIMENSION)]).fetchall()

    assert "made by" in plan(connection)
    assert "made by" not in plan(connection, other)


def test_table_that_grows(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table is scanned while it is small. Rows of this or another connection make it large enough for a matrix."""
    monkeypatch.setattr(matrices, "SMALL", 320)
    cursor = connection.cursor()
    cursor.execute("DROP TABLE T.A")
    cursor.execute(CREATE)
    cursor.executemany(INSERT, rows(random.Random(7), range(150)))  # noqa: S311
    connection.commit()
    for _ in range(3):
        warm(connection)
    assert "fewer than 320" in plan(connection)

    cursor.executemany(INSERT, rows(random.Random(8), range(150, 900)))  # noqa: S311
    connection.commit()
    for _ in range(3):
        warm(connection)
    assert HELD in plan(connection)
    check(connection, random.Random(1))  # noqa: S311


def test_matrix_of_deleted_rows(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """A matrix of which most rows are deleted gives its memory back, and a new one takes its place."""
    monkeypatch.setattr(matrix_module, "SMALL", 10)
    monkeypatch.setattr(matrices, "_IN_DOUBT", 4)
    connection.cursor().execute("DELETE FROM T.A WHERE Label <> 'l1'")
    connection.commit()
    given = [3, np.ones(DIMENSION)]
    found = [connection.cursor().execute(NEAREST, given).fetchall() for _ in range(2)]

    assert found[0] == found[1] == scanned(connection, NEAREST, given)
    [(left,)] = connection.cursor().execute("SELECT COUNT(V) FROM T.A").fetchall()
    assert f"matrix in memory, {left} vectors" in plan(connection)


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT Name FROM T.A", "no TOP"),
        ("SELECT TOP 3 Name FROM T.A ORDER BY Name", "does not begin with VECTOR_COSINE"),
        ("SELECT TOP 3 a.Name FROM T.A a, T.A b ORDER BY VECTOR_COSINE(a.V, a.V) DESC", "the same for all rows"),
        (
            """SELECT TOP 3 b.Name FROM T.A a RIGHT JOIN T.A b ON b.Name = a.Label
            ORDER BY VECTOR_COSINE(a.V, TO_VECTOR(?, DOUBLE))""",
            "an outer join",
        ),
        ("SELECT DISTINCT TOP 3 Name FROM T.A ORDER BY VECTOR_COSINE(V, TO_VECTOR(?, DOUBLE)) DESC", "DISTINCT"),
        (
            """SELECT Name FROM T.A a WHERE 'n1' = (SELECT TOP 1 b.Name FROM T.A b WHERE b.Label = a.Label
            ORDER BY VECTOR_COSINE(b.V, TO_VECTOR(?, DOUBLE)) DESC)""",
            "the query around it",
        ),
    ],
)
def test_reason_against_a_matrix(connection: Connection, sql: str, reason: str) -> None:
    """The plan of a query without a search says what it lacks."""
    assert reason in plan(connection, sql)


@pytest.mark.parametrize("cosine", [True, False])
def test_chosen_rows_hold_the_best(cosine: bool) -> None:  # noqa: FBT001 - a case
    """The chosen rows hold the best k by float64, also where scores differ less than float32 can tell."""
    rng = np.random.default_rng(11)
    close = rng.normal(size=64) + rng.normal(size=(2000, 64)) * 1e-6
    found = np.concatenate([rng.normal(size=(3000, 64)), close]) * rng.uniform(0.1, 10, size=(5000, 1))
    matrix = Matrix(64, 10)
    for start in range(0, 5000, 1000):
        matrix.put(np.arange(start, start + 1000)[::-1], found[start : start + 1000][::-1])
    for query in found[::500]:
        scores = found @ query / (np.linalg.norm(found, axis=1) if cosine else 1.0)
        for k in (1, 7, 900):
            chosen = matrix.nearest([query], k, cosine=cosine, largest=True)
            assert chosen is None or set(np.argsort(-scores)[:k]) <= set(chosen)
        assert matrix.nearest([query], 1, cosine=cosine, largest=True, among=np.arange(900)) is not None


def test_rows_that_only_the_database_can_score() -> None:
    """A row of zeros, or too long for its square, is always chosen, and a deleted row never."""
    found = np.random.default_rng(2).normal(size=(100, 4))
    found[7], found[8] = 0.0, 1e200
    matrix = Matrix(4, 100)
    matrix.put(np.arange(100), found)
    matrix.forget(np.array([3]))

    chosen = matrix.nearest([found[3]], 1, cosine=True, largest=True)
    assert chosen is not None
    assert {7, 8} < set(chosen)
    assert 3 not in chosen
    assert matrix.nearest([np.zeros(4)], 1, cosine=True, largest=True) is None
