"""What was committed stays, whatever happens to the process or the file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING
from urllib.request import urlopen

import duckdb
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from planted import DIMENSION, INSERT_FISH

import meetup2025
from meetup2025.cli import main
from meetup2025.engines.duckdb.backup import back_up
from meetup2025.errors import (
    EngineUnavailableError,
    FileInUseError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOADER = """
import sys
import numpy as np
import meetup2025

connection = meetup2025.connect(sys.argv[1])
cursor = connection.cursor()
insert = "INSERT INTO MeetUp2025.Fish (FishID, Name, Features) VALUES (?, ?, TO_VECTOR(?, DOUBLE))"
vectors = np.random.default_rng(1).normal(size=(600, 512))
cursor.executemany(insert, [(f"F{at}", f"name {at}", row) for at, row in enumerate(vectors[:300])])
connection.commit()
cursor.executemany(insert, [(f"F{at}", f"name {at}", row) for at, row in enumerate(vectors[300:], 300)])
cursor.execute("UPDATE MeetUp2025.Fish SET Kanji = 'changed'")
cursor.execute("DELETE FROM MeetUp2025.Fish WHERE FishID = 'F0'")
print("loading", flush=True)
sys.stdin.readline()
"""

COMMAND = "from meetup2025.cli import main; main()"

PHOTOS = """
import sys
from meetup2025.cli import main
from meetup2025.loading import photos

written = photos._written

def told(connection, changes):
    count = written(connection, changes)
    if count:
        print("written", flush=True)
        sys.stdin.readline()
    return count

photos._written = told
main()
"""
"""The command line. A load of photos waits after each portion."""


@pytest.fixture
def loading(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Process that has committed 300 rows to fish.db and is amid a second load."""
    command = [sys.executable, "-c", LOADER, f"duckdb:///{tmp_path / 'fish.db'}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "loading\n"
        yield process
        process.kill()


def test_killed_amid_a_load(tmp_path: Path, loading: subprocess.Popen[str]) -> None:
    """After a kill the file has exactly what was committed, and takes new rows."""
    os.kill(loading.pid, signal.SIGKILL)
    loading.wait()
    vectors = np.random.default_rng(1).normal(size=(600, DIMENSION))

    with meetup2025.connect(f"duckdb:///{tmp_path / 'fish.db'}") as connection, connection.cursor() as cursor:
        rows = cursor.execute("SELECT FishID, Kanji, Features FROM MeetUp2025.Fish").fetchall()
        assert {key for key, _, _ in rows} == {f"F{at}" for at in range(300)}
        assert all(kanji is None for _, kanji, _ in rows)
        assert all((np.array(text.split(","), dtype=float) == vectors[int(key[1:])]).all() for key, _, text in rows)
        cursor.execute(INSERT_FISH, ["F300", "name 300", vectors[300]])
        connection.commit()
        best = cursor.execute("SELECT Name FROM MeetUp2025.NearestFish(?, 1)", [vectors[300]]).fetchall()
        assert best == [("name 300",)]


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_load_of_photos_that_is_stopped(tmp_path: Path, end: signal.Signals) -> None:
    """A load of photos that is stopped keeps whole portions, says so at Ctrl-C, and goes on from there."""
    (tmp_path / "photos").mkdir()
    for at in range(70):
        Image.new("RGB", (8, 8), (at, 0, 0)).save(tmp_path / "photos" / f"{at:02}.png")
    load = ["load", "photos", str(tmp_path / "photos"), "--url", f"duckdb:///{tmp_path / 'fish.db'}"]
    command = [sys.executable, "-c", PHOTOS, *load]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:  # type: ignore[call-overload]
        assert process.stdout.readline() == "written\n"
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "written\n"
        os.kill(process.pid, end)
        said = process.communicate()[1]

    assert process.returncode == (130 if end == signal.SIGINT else -signal.SIGKILL)
    assert ("stopped: 64 new photos are kept" in said) == (end == signal.SIGINT)
    command = [sys.executable, "-c", COMMAND, *load]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout.startswith("6 photos added or changed, 70 in the database")


def test_another_process_holds_the_file(tmp_path: Path, loading: subprocess.Popen[str]) -> None:
    """A file that another process uses cannot be opened; the message says so, and the other process loses nothing."""
    for error in (EngineUnavailableError, FileInUseError, ConnectionError):
        with pytest.raises(error, match="one process at a time"):
            meetup2025.connect(f"duckdb:///{tmp_path / 'fish.db'}", wait=0)

    assert loading.poll() is None


def test_wait_for_another_process(tmp_path: Path, loading: subprocess.Popen[str]) -> None:
    """A connection waits for a file that another process has, and opens it when that process ends."""
    with ThreadPoolExecutor(1) as thread:
        opening = thread.submit(meetup2025.connect, f"duckdb:///{tmp_path / 'fish.db'}", wait=60)
        assert loading.communicate("\n")[0] == ""
        with opening.result() as connection:
            found = connection.cursor().execute("SELECT COUNT(*) FROM MeetUp2025.Fish").fetchall()

    assert found == [(300,)]


def test_command_that_waits(tmp_path: Path, loading: subprocess.Popen[str]) -> None:
    """A command says that it waits for another program, and gives up after the seconds that it was told."""
    run = partial(CliRunner().invoke, main)
    url = f"duckdb:///{tmp_path / 'fish.db'}"
    short, none = (run(["sql", "SELECT 1", "--url", url, "--wait", each]) for each in ("0.1", "0"))
    with ThreadPoolExecutor(1) as thread:
        backed_up = thread.submit(run, ["backup", str(tmp_path / "copy.db"), "--url", url])
        loading.communicate("\n")

    assert (short.exit_code, none.exit_code, backed_up.result().exit_code) == (3, 3, 0)
    assert "waiting up to 0.1 seconds" in short.stderr
    assert "waiting" not in none.stderr
    with meetup2025.connect(f"duckdb:///{tmp_path / 'copy.db'}") as connection:
        assert connection.cursor().execute("SELECT COUNT(*) FROM MeetUp2025.Fish").fetchall() == [(300,)]


def test_web_lets_go(tmp_path: Path) -> None:
    """Web pages that are served have the file for the time of a request, and other programs have it meanwhile."""
    url = f"duckdb:///{tmp_path / 'fish.db'}"
    command = [sys.executable, "-c", COMMAND, "web", "--listen", "http://127.0.0.1:0", "--url", url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        for _ in range(2):
            with meetup2025.connect(url, wait=0) as connection:
                assert connection.cursor().execute("SELECT COUNT(*) FROM MeetUp2025.Fish").fetchall() == [(100,)]
            with urlopen(f"{address}api/runs") as answer:  # noqa: S310 - this machine
                assert answer.status == 200
        process.terminate()


READER = """
import sys
import meetup2025

connection = meetup2025.connect(sys.argv[1], read_only=True)
print(connection.cursor().execute("SELECT COUNT(*) FROM MeetUp2025.Fish").fetchall()[0][0], flush=True)
sys.stdin.readline()
"""


def test_many_programs_read(tmp_path: Path) -> None:
    """Two processes read a file at once; neither may change it, and nobody may write meanwhile."""
    url = f"duckdb:///{tmp_path / 'fish.db'}"
    meetup2025.connect(url).close()
    command = [sys.executable, "-c", READER, url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "0\n"
        with meetup2025.connect(url, read_only=True, wait=0) as connection, connection.cursor() as cursor:
            assert cursor.execute("SELECT COUNT(*) FROM MeetUp2025.Fish").fetchall() == [(0,)]
            with pytest.raises(ProgrammingError, match="open for writing"):
                cursor.execute("INSERT INTO MeetUp2025.Fish (FishID, Name) VALUES ('F1', 'a')")
        with pytest.raises(FileInUseError):
            meetup2025.connect(url, wait=0)
        process.communicate("\n")


def test_read_only_makes_nothing(tmp_path: Path) -> None:
    """A file that is only read is not made, and gets no tables."""
    with pytest.raises(EngineUnavailableError):
        meetup2025.connect(f"duckdb:///{tmp_path / 'below' / 'fish.db'}", read_only=True)
    duckdb.connect(str(tmp_path / "empty.db")).close()
    with pytest.raises(EngineUnavailableError, match="open it for writing once"):
        meetup2025.connect(f"duckdb:///{tmp_path / 'empty.db'}", read_only=True)

    assert [each.name for each in tmp_path.iterdir()] == ["empty.db"]


def test_backup(tmp_path: Path) -> None:
    """A backup is a database with all that was committed; it is never written over, and a broken one leaves nothing."""
    path, copy = tmp_path / "fish.db", tmp_path / "copy.db"
    with meetup2025.connect(f"duckdb:///{path}") as connection:
        connection.cursor().execute("INSERT INTO MeetUp2025.Fish (FishID, Name) VALUES ('F1', 'a')")
        connection.commit()
    size = back_up(str(path), copy, 0)
    with meetup2025.connect(f"duckdb:///{copy}", read_only=True) as connection:
        assert connection.cursor().execute("SELECT Name FROM MeetUp2025.Fish").fetchall() == [("a",)]
    assert copy.stat().st_size == size
    with pytest.raises(InterfaceError, match="must be a new file"):
        back_up(str(path), copy, 0)
    with pytest.raises(OperationalError, match="A backup must be written whole"):
        back_up(str(path), tmp_path / "nowhere" / "copy.db", 0)
    with pytest.raises(InterfaceError, match="must be a file"):
        back_up(str(tmp_path / "none.db"), tmp_path / "other.db", 0)

    assert sorted(each.name for each in tmp_path.iterdir()) == ["copy.db", "fish.db"]


def test_backup_waits(tmp_path: Path, loading: subprocess.Popen[str]) -> None:
    """A backup waits for the program that has the file, and no longer than told."""
    with pytest.raises(FileInUseError):
        back_up(str(tmp_path / "fish.db"), tmp_path / "copy.db", 0)

    assert loading.poll() is None


def test_two_connections_of_one_process(tmp_path: Path) -> None:
    """Two connections of one process to a file see what the other has committed, and only that."""
    url = f"duckdb:///{tmp_path / 'fish.db'}"
    with meetup2025.connect(url) as writer, meetup2025.connect(url) as reader:
        counts = []
        writer.cursor().execute("INSERT INTO MeetUp2025.Fish (FishID, Name) VALUES ('F1', 'a')")
        counts.append(reader.cursor().execute("SELECT COUNT(*) FROM MeetUp2025.Fish").fetchall()[0][0])
        writer.commit()
        counts.append(reader.cursor().execute("SELECT COUNT(*) FROM MeetUp2025.Fish").fetchall()[0][0])

    assert counts == [0, 1]


@pytest.mark.parametrize("content", [b"not a database " * 1000, b"SQLite format 3\0" + bytes(5000), b"x"])
def test_file_of_another_kind(tmp_path: Path, content: bytes) -> None:
    """A file that is no database is refused and left as it is."""
    path = tmp_path / "fish.db"
    path.write_bytes(content)
    with pytest.raises(EngineUnavailableError, match=r"fish\.db"):
        meetup2025.connect(f"duckdb:///{path}")

    assert path.read_bytes() == content
    assert [each.name for each in tmp_path.iterdir()] == ["fish.db"]


def test_broken_database(tmp_path: Path) -> None:
    """A database file that was cut short is an error of ours, and the file stays as it is."""
    path = tmp_path / "fish.db"
    meetup2025.connect(f"duckdb:///{path}").close()
    content = path.read_bytes()[:6000]
    path.write_bytes(content)
    with pytest.raises(EngineUnavailableError, match=r"fish\.db"):
        meetup2025.connect(f"duckdb:///{path}")

    assert path.read_bytes() == content


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """A path below a file is an error that names the folder."""
    (tmp_path / "file").write_text("here already")
    with pytest.raises(EngineUnavailableError, match="folder"):
        meetup2025.connect(f"duckdb:///{tmp_path / 'file' / 'fish.db'}")


def test_path_that_is_a_folder(tmp_path: Path) -> None:
    """A folder in the place of the file is an error that names it."""
    (tmp_path / "fish.db").mkdir()
    with pytest.raises(EngineUnavailableError, match=r"fish\.db"):
        meetup2025.connect(f"duckdb:///{tmp_path / 'fish.db'}")


def test_table_of_another_program(tmp_path: Path) -> None:
    """Opening a file keeps the tables that are there, and their rows."""
    url = f"duckdb:///{tmp_path / 'fish.db'}"
    with meetup2025.connect(url) as connection:
        connection.cursor().execute("CREATE TABLE Other.Catches (A INTEGER)")
        connection.cursor().execute("INSERT INTO Other.Catches (A) VALUES (7)")
        connection.commit()

    with meetup2025.connect(url) as connection:
        assert connection.cursor().execute("SELECT A FROM Other.Catches").fetchall() == [(7,)]


def test_file_of_another_program(tmp_path: Path) -> None:
    """A database with a table of the same name and other columns is refused, and left as it is."""
    path = tmp_path / "other.db"
    with duckdb.connect(str(path)) as other:
        other.execute('CREATE SCHEMA "MeetUp2025"; CREATE TABLE "MeetUp2025"."Fish" (a INTEGER)')
    with pytest.raises(EngineUnavailableError, match=r"MeetUp2025\.Fish has no .*FishID"):
        meetup2025.connect(f"duckdb:///{path}")

    with duckdb.connect(str(path)) as other:
        assert other.execute("SELECT table_name FROM duckdb_tables()").fetchall() == [("Fish",)]
