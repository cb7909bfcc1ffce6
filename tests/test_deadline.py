"""A deadline ends long statements, wherever their time goes, and leaves the connection usable."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import iris_doubles
import pytest
from iris_doubles import Server
from planted import insert
from web_calls import Browser

import meetup2025
from meetup2025 import DataError, InterfaceError, settings
from meetup2025.engines.duckdb import DuckDBConnection
from meetup2025.engines.iris.faults import from_statement
from meetup2025.errors import DeadlineError
from meetup2025.web import Application

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from planted import Planted

    from meetup2025.engines import Connection

FOREVER = "FROM MeetUp2025.Fish a, MeetUp2025.Fish b, MeetUp2025.Fish c, MeetUp2025.Fish d, MeetUp2025.Fish e"
COUNTED = f"SELECT COUNT(*) {FOREVER} WHERE a.Name || b.Name = c.Name || d.Name || e.Name"
FETCHED = f"SELECT a.Name || b.Name {FOREVER}"
ALL = "a.Name || b.Name || c.Name || d.Name || e.Name"
CALLED = f"SELECT COUNT(*) {FOREVER} WHERE MeetUp2025.InRegion(LENGTH({ALL}), 1, '0,0;1,1;1,0') = 1"
CHANGED = f"UPDATE MeetUp2025.Fish SET Kanji = '' WHERE (SELECT COUNT(*) {FOREVER} WHERE {ALL} = '') = 0"


@pytest.fixture
def filled(planted: Planted) -> Iterator[Connection]:
    """Open connection of a database with names."""
    with meetup2025.connect("duckdb://") as connection:
        insert(connection, planted)
        connection.commit()
        yield connection


@pytest.mark.parametrize("sql", [COUNTED, FETCHED, CALLED, CHANGED])
def test_long_statement_ends(filled: Connection, sql: str) -> None:
    """Where a statement counts, fetches, calls a function for each row or writes, it ends, and nothing is changed."""
    began = time.monotonic()
    raises = pytest.raises(DeadlineError, match=r"at most 0\.2 s")
    with filled.deadline(0.2), filled.cursor() as cursor, raises as caught:
        cursor.execute(sql).fetchall()

    assert time.monotonic() - began < 20
    assert caught.value.sqlcode == -450
    assert isinstance(caught.value, TimeoutError)
    assert filled.cursor().execute("SELECT COUNT(*) FROM MeetUp2025.Fish WHERE Kanji = ''").fetchall() == [(0,)]


def test_later_statements_are_refused(filled: Connection) -> None:
    """Many short statements have one deadline together. Behind the block it is over."""
    with filled.deadline(0.05), filled.cursor() as cursor:
        time.sleep(0.3)
        with pytest.raises(DeadlineError):
            cursor.execute("SELECT 1")

    assert filled.cursor().execute("SELECT 1").fetchall() == [(1,)]


def test_open_transaction_is_rolled_back(filled: Connection) -> None:
    """What a transaction has changed before its deadline can be taken back after it."""
    with filled.cursor() as cursor, filled.deadline(0.2):
        cursor.execute("DELETE FROM MeetUp2025.Fish")
        time.sleep(0.5)
        with pytest.raises(DeadlineError):
            cursor.execute("SELECT 1")
        filled.rollback()

    assert filled.cursor().execute("SELECT COUNT(*) FROM MeetUp2025.Fish").fetchall() != [(0,)]


@pytest.mark.parametrize("seconds", [0, 60])
def test_short_statement_is_left_alone(filled: Connection, seconds: float) -> None:
    """A statement in time, or without a deadline, has its answer."""
    with filled.deadline(seconds):
        assert filled.cursor().execute("SELECT COUNT(*) FROM MeetUp2025.Fish").fetchone() != (0,)


def test_page_ends_a_long_statement(planted: Planted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A statement of the SQL box ends after the setting. The page says why, in its language, and serves the next."""
    monkeypatch.setenv("MEETUP2025_DEADLINE", "1")
    url = f"duckdb:///{tmp_path / 'fish.duckdb'}"
    with meetup2025.connect(url) as connection:
        insert(connection, planted)
        connection.commit()
    browser = Browser(Application(url, reading=True))

    reply = browser.post("/api/sql", COUNTED.encode(), HTTP_ACCEPT_LANGUAGE="ja")

    assert reply.status == 503
    assert json.loads(reply.body) == {
        "error": "too_slow",
        "detail": "SQL文の実行時間は合計で最大 1 秒です。"
        "これを超えたため中止しました。一度に処理する量を減らしてください。",
    }
    assert browser.get("/api/runs").status == 200


@pytest.mark.parametrize(("given", "seconds"), [("", 60), ("0", 0), ("5", 5)])
def test_setting(monkeypatch: pytest.MonkeyPatch, given: str, seconds: float) -> None:
    """The setting is whole seconds. 0 is no deadline."""
    monkeypatch.setenv("MEETUP2025_DEADLINE", given)

    assert settings.deadline() == seconds


@pytest.mark.parametrize("given", ["-1", "1.5", "soon"])
def test_setting_that_is_none(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    """Another value is an error that names the setting."""
    monkeypatch.setenv("MEETUP2025_DEADLINE", given)
    with pytest.raises(InterfaceError, match="MEETUP2025_DEADLINE must be"):
        settings.deadline()


# --- IRIS -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[Server]:
    """Server behind both modules of IRIS."""
    with DuckDBConnection() as database:
        yield Server(database)


def test_driver_ends_a_statement(server: Server) -> None:
    """The driver is told how many seconds are left. Later statements and rows are refused."""
    with (
        iris_doubles.installed(iris_doubles.driver_module(server)),
        meetup2025.connect("iris://fisher:pw@server") as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT 1")
        assert server.seconds == 0
        with connection.deadline(9.5):
            cursor.execute("SELECT 1")
        assert server.seconds == 10
        with connection.deadline(0.05):
            cursor.execute("SELECT 1 UNION SELECT 2")
            time.sleep(0.1)
            with pytest.raises(DeadlineError):
                cursor.fetchall()
            with pytest.raises(DeadlineError):
                cursor.execute("SELECT 1")


def test_code_of_the_server() -> None:
    """The code of a server for a statement that took too long is the same error."""
    assert isinstance(from_statement(-450, "Request timed out due to user timeout"), DeadlineError)
    assert not isinstance(from_statement(-451, "x"), (DeadlineError, DataError))
