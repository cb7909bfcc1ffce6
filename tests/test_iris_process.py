"""Inside an IRIS process the functions of the classes find their tables; the process is a double."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import iris_doubles
import pytest
from iris_doubles import Server

import meetup2025
from meetup2025 import client, procedures
from meetup2025.engines import current
from meetup2025.engines.duckdb import DuckDBConnection
from meetup2025.errors import (
    DatabaseError,
    EngineUnavailableError,
    InvalidFileError,
    OperationalError,
    ProgrammingError,
    UnknownNameError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COUNT = "SELECT COUNT(*) FROM MeetUp2025.Fish"


@pytest.fixture
def server() -> Iterator[Server]:
    """Process of a server, in which this Python runs."""
    with DuckDBConnection(autocommit=True) as database:
        server = Server(database)
        with iris_doubles.installed(iris_doubles.process_module(server)):
            yield server


def count(server: Server) -> int:
    """Count the rows of Fish."""
    return int(server.database.cursor().execute(COUNT).fetchall()[0][0])


def run_block(statements: list[str]) -> None:
    """Run statements as one block of a transaction."""
    connection = current()
    with connection.transaction(), connection.cursor() as cursor:
        for sql in statements:
            cursor.execute(sql)


def test_no_process() -> None:
    """Elsewhere the URL of the process is refused, and says what to use."""
    with pytest.raises(EngineUnavailableError, match="iris://user@host"):
        meetup2025.connect("iris+emb:///")


def test_driver_is_no_process() -> None:
    """The driver, whose module has the same name, is not taken for Embedded Python."""
    script = "import iris; from meetup2025.engines.iris.process import current_process; print(current_process())"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "None"


def test_functions_read_and_write_tables(server: Server) -> None:
    """The functions of the classes, called as a class calls them, load, search and know names."""
    assert procedures.load_names("catalogue/fish.csv") == 100
    assert procedures.load_names("catalogue/fish.csv") == 0
    assert procedures.known_name("鯵") == "マアジ"
    assert procedures.search_vector("Fish", "T", "マアジ") == procedures.embed_text("マアジ")
    assert (procedures.load_images("samples"), procedures.load_images("samples")) == (12, 0)
    assert count(server) == 100
    assert server.level == 0


@pytest.mark.slow
def test_lists_are_short(server: Server, photos: Path) -> None:
    """However many rows a load compares, no statement has more arguments than IRIS takes."""
    lines = [json.dumps({"fishid": f"V{number}", "name": f"n{number}", "features": [1] * 512}) for number in range(300)]
    (photos / "vectors.jsonl").write_text("\n".join(lines), "utf-8")

    assert [procedures.load_vectors("vectors.jsonl", "Fish", "m") for _ in range(2)] == [300, 0]
    server.run("DELETE FROM MeetUp2025.Fish", [])
    assert [procedures.load_names("catalogue/fish.csv", "catalogue/prompts.csv") for _ in range(2)] == [100, 0]
    assert server.most > 100


def test_thumbnails_of_many_photos(server: Server) -> None:
    """Thumbnails of more photos than a statement has arguments come in as many statements as it takes."""
    server.run("INSERT INTO MeetUp2025.Thumbnail (Name, Picture) VALUES ('p256.png', 'data:,')", [])

    found = client.thumbnails(current(), [("FishImage", f"P{number}.png") for number in range(520)])

    assert [place for place, picture in enumerate(found) if picture] == [256]


@pytest.mark.parametrize("mode", ["IMPLICIT", "EXPLICIT"])
def test_load_follows_the_commit_mode(server: Server, mode: str) -> None:
    """With autocommit a load is committed; for a driver without, it waits for the commit of the client."""
    server.mode = mode
    server.database.autocommit = mode == "IMPLICIT"
    procedures.load_names("catalogue/fish.csv")

    assert server.level == (0 if mode == "IMPLICIT" else 1)
    server.run("ROLLBACK", [])
    assert count(server) == (100 if mode == "IMPLICIT" else 0)


def test_load_inside_a_transaction(server: Server) -> None:
    """Inside a transaction of the caller a load is a level of it, and neither commits nor ends it."""
    server.run("START TRANSACTION", [])
    procedures.load_names("catalogue/fish.csv")

    assert server.level == 1
    server.run("ROLLBACK", [])
    assert count(server) == 0


def test_load_that_fails(server: Server, photos: Path) -> None:
    """A load that fails leaves the table and the level of transactions as they were."""
    (photos / "broken.csv").write_text("FishID,Name\nF1,a\nF1,b\n", "utf-8")
    for outer in (0, 1):
        if outer:
            server.run("START TRANSACTION", [])
        with pytest.raises(InvalidFileError):
            procedures.load_names("broken.csv")
        assert (server.level, count(server)) == (outer, 0)


def test_block_that_fails_is_taken_back(server: Server) -> None:
    """An error in a block of a transaction takes back the block, and the connection goes on."""
    with pytest.raises(ProgrammingError):
        run_block(["INSERT INTO MeetUp2025.Fish (FishID, Name) VALUES ('F1', 'a')", "SELECT Nope FROM MeetUp2025.Fish"])

    assert (count(server), server.level) == (0, 0)


def test_nested_block_that_fails(server: Server) -> None:
    """Within a transaction of the caller, the level that a block opened is closed by its error, and no other."""
    server.run("START TRANSACTION", [])
    with pytest.raises(ProgrammingError):
        run_block(["SELECT Nope FROM MeetUp2025.Fish"])

    assert server.level == 1


def test_unknown_name(server: Server) -> None:
    """A name that is not there is the error that it is elsewhere."""
    assert server.mode == "IMPLICIT"
    with pytest.raises(UnknownNameError, match="nobody"):
        procedures.known_name("nobody")


def test_function_runs_when_it_is_executed(server: Server) -> None:
    """A function that nobody fetches the number of has run: IRIS would wait for the first row."""
    with meetup2025.connect("iris+emb:///") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT MeetUp2025.LoadNames('catalogue/fish.csv')")
        assert not server.unread
        with pytest.raises(UnknownNameError):
            cursor.execute("SELECT MeetUp2025.KnownName('nobody')")


@pytest.mark.usefixtures("server")
def test_empty_text_of_sql() -> None:
    """The empty text of SQL comes as the character 0, and is empty, as NULL is."""
    for text in ("\x00", ""):
        with pytest.raises(DatabaseError, match="text"):
            procedures.embed_text(text)


def test_commit_mode_is_given_back(server: Server) -> None:
    """A connection that sets the commit mode of the process gives it back, with all that was not committed."""
    with meetup2025.connect("iris+emb:///") as connection:
        connection.cursor().execute("INSERT INTO MeetUp2025.Fish (FishID, Name) VALUES ('F1', 'a')")
        assert (server.mode, server.level) == ("EXPLICIT", 1)

    assert (server.mode, server.level, count(server)) == ("IMPLICIT", 0, 0)


def test_bridge_that_fails(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Embedded Python raises of its own is an error of this package."""

    def broken(*_: object) -> None:
        raise RuntimeError("<OBJECT DISPATCH> *Method not found")

    monkeypatch.setattr(server, "run", broken)
    with pytest.raises(OperationalError, match="OBJECT DISPATCH"):
        current().cursor().execute("SELECT 1")
