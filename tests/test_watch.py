"""A folder is watched: what comes is named once, whatever happens to the watcher, the folder or the database."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from week import COMMAND, SAMPLES, Week

from meetup2025.cli.watch import Arrivals

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Clock:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def week(_bundled_file: Path, tmp_path: Path) -> Week:
    """Folder of a camera, and a database with the bundled names."""
    shutil.copy(_bundled_file, tmp_path / "fish.db")
    (tmp_path / "camera").mkdir()
    return Week(tmp_path, random.Random(7))  # noqa: S311 - the same for each run


def command(week: Week, *words: str) -> list[str]:
    """Return the command that watches the folder."""
    return [sys.executable, "-c", COMMAND, "watch", str(week.folder), "--settle", "0.1", "--url", week.url, *words]


def once(week: Week) -> subprocess.CompletedProcess[str]:
    """Name what is there now."""
    return subprocess.run(command(week, "--once"), check=False, capture_output=True, text=True)


@pytest.fixture
def watching(week: Week) -> Iterator[subprocess.Popen[str]]:
    """Watcher that runs."""
    with subprocess.Popen(command(week), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def read(stream: Any) -> str:
    """Read a line of a watcher."""
    return str(stream.readline()).strip()


# --- which files are ready


def test_files_that_are_written(tmp_path: Path) -> None:
    """A file is ready when it has not changed for a while, and again only after a change."""
    clock, path = Clock(), tmp_path / "a.png"
    arrivals = Arrivals(1.0, clock)
    path.write_bytes(b"1")
    arrivals.see([path])
    assert arrivals.ready() == []
    clock.now = 0.9
    path.write_bytes(b"12")
    arrivals.see([path])
    clock.now = 1.5
    assert arrivals.ready() == []
    clock.now = 2.0
    assert arrivals.ready() == [path]
    arrivals.done(path)
    arrivals.see([path])
    assert (arrivals.ready(), arrivals.is_waiting) == ([], False)


@pytest.mark.parametrize("seconds", [86400, -86400])
def test_file_of_a_clock_set_back(tmp_path: Path, seconds: int) -> None:
    """A file whose time is of tomorrow or of yesterday is ready like any other, and again when only its time is set."""
    clock, path = Clock(), tmp_path / "a.png"
    arrivals = Arrivals(1.0, clock)
    path.touch()
    os.utime(path, (time.time() + seconds,) * 2)
    arrivals.see([path])
    clock.now = 1.0
    assert arrivals.ready() == [path]
    arrivals.done(path)
    os.utime(path, (time.time() - seconds,) * 2)
    arrivals.see([path])
    clock.now = 2.0
    assert arrivals.ready() == [path]


def test_change_at_the_last_moment(tmp_path: Path) -> None:
    """A file that changes between its last look and its turn waits again; one that is gone is forgotten."""
    clock, paths = Clock(), [tmp_path / name for name in ("a.png", "b.png", "c.png")]
    arrivals = Arrivals(1.0, clock)
    for path in paths:
        path.write_bytes(b"1")
    arrivals.see(paths)
    clock.now = 1.0
    paths[0].write_bytes(b"12")
    paths[1].unlink()
    assert arrivals.ready() == [paths[2]]
    arrivals.later(paths[2])
    clock.now = 3.0
    assert arrivals.ready() == [paths[0], paths[2]]


def test_many_files_at_once(tmp_path: Path) -> None:
    """Ten thousand files at once are looked at once each, and come in their order, a batch at a time."""
    clock, paths = Clock(), [tmp_path / f"{at}.png" for at in range(10_000)]
    for path in paths:
        path.touch()
    arrivals, seen = Arrivals(1.0, clock), []
    arrivals.see(paths)
    clock.now = 1.0
    while batch := arrivals.ready():
        assert len(batch) <= 32
        seen += batch
        for path in batch:
            arrivals.done(path)
    assert seen == paths


# --- real processes and folders


def test_as_they_come(week: Week, watching: subprocess.Popen[str]) -> None:
    """A picture is named within moments of its coming, in a new subfolder too, and its copy is not."""
    shutil.copy(SAMPLES / "saba.png", week.folder / "a.png")
    assert read(watching.stdout).startswith("a.png  マサバ  ")
    (week.folder / "below").mkdir()
    shutil.copy(SAMPLES / "saba.png", week.folder / "below" / "copy.png")
    shutil.copy(SAMPLES / "madako.png", week.folder / "below" / "b.png")
    assert read(watching.stdout).startswith("below/b.png  マダコ  ")
    (week.folder / "broken.png").write_bytes(b"broken")
    assert "broken.png: The picture must be" in read(watching.stderr)
    watching.send_signal(signal.SIGTERM)
    assert watching.wait() == 0
    assert len(week.rows()) == 3


def test_killed_again_and_again(week: Week) -> None:
    """After a kill at the start, or amid the pictures, the next watcher finds the rest, and nothing is twice."""
    week.burst(12)
    for at in range(2):
        process = subprocess.Popen(command(week), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for _ in range(at * 3):
            read(process.stdout)
        process.kill()
        process.communicate()
    assert once(week).returncode == 0
    week.check()


def test_burst_of_copies(week: Week) -> None:
    """Files of two pictures that come at once, more than some batches, are two sightings, and all have their turn."""
    for _ in range(75):
        for name in ("saba.png", "madako.png"):
            week.put((SAMPLES / name).read_bytes())
    done = once(week)
    assert (done.returncode, done.stderr, len(done.stdout.splitlines())) == (0, "", 2)
    week.check()


def test_two_watchers(week: Week) -> None:
    """Two watchers of a folder take turns at the database, and name each picture once."""
    week.burst(8)
    watchers = [subprocess.Popen(command(week, "--once"), stdout=subprocess.PIPE, text=True) for _ in range(2)]
    lines = [line for each in watchers for line in each.communicate()[0].splitlines()]
    week.check()
    assert len(lines) == len(set(lines))


def test_folder_that_goes_away(week: Week) -> None:
    """A folder that is away, as a share without its mount, is told once, and is watched again when it is back."""
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command(week, "--poll", "0.1"), **pipes) as process:
        shutil.copy(SAMPLES / "saba.png", week.folder / "a.png")
        read(process.stdout)
        week.folder.rename(week.root / "away")
        assert "The folder must be there" in read(process.stderr)
        shutil.copy(SAMPLES / "madako.png", week.root / "away" / "b.png")
        (week.root / "away").rename(week.folder)
        assert read(process.stdout).startswith("b.png")
        process.terminate()
        assert process.communicate()[1] == ""


def test_encoder_that_is_down(week: Week, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the encoder is down pictures wait, it is told once, and a later watcher names them."""
    monkeypatch.setenv("MEETUP2025_ENCODER", f"unix:{week.root / 'none.sock'}")
    week.put(week.drawn())
    with subprocess.Popen(command(week), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert "must answer" in read(process.stderr)
        process.terminate()
        process.communicate()
    assert week.rows() == []
    monkeypatch.delenv("MEETUP2025_ENCODER")
    assert once(week).returncode == 0
    week.check()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of a file's size")
def test_full_disk(week: Week) -> None:
    """Where the database cannot grow, nothing is lost: one line, and the pictures are named when there is room."""
    week.burst(12)
    before = week.rows()
    script = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))\n{COMMAND}"
    words = command(week)
    words[2] = script
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert read(process.stderr) != ""
        process.kill()
    assert len(week.rows()) >= len(before)
    assert once(week).returncode == 0
    week.check()
