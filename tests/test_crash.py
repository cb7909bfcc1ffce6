"""What was committed stays, whatever happens to the process or the file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pytest
from PIL import Image
from planted import DIMENSION, INSERT_FISH

import meetup2025
from meetup2025.errors import EngineUnavailableError

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
    command = [sys.executable, "-c", "from meetup2025.cli import main; main()", *load]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout == "6 photos added or changed, 70 in the database\n"


def test_another_process_holds_the_file(tmp_path: Path, loading: subprocess.Popen[str]) -> None:
    """A file that another process uses cannot be opened; the message says so, and the other process loses nothing."""
    with pytest.raises(EngineUnavailableError, match="one process at a time"):
        meetup2025.connect(f"duckdb:///{tmp_path / 'fish.db'}")
    with pytest.raises(ConnectionError):
        meetup2025.connect(f"duckdb:///{tmp_path / 'fish.db'}")

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
