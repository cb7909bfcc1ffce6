"""
A simulated week of a camera and its watcher: `python tests/week.py --minutes 10`.

Pictures come in bursts, some of them copies and some of them broken. The watcher is killed and started again, the
folder goes away and comes back, and each night ends with a backup. In the end there is one sighting for each content.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

import meetup2025

COMMAND = "from meetup2025.cli import main; main()"
SAMPLES = Path(meetup2025.__file__).parent / "samples"


@dataclass
class Week:
    """A folder, its database, and what came into the folder so far."""

    root: Path
    random: random.Random
    contents: set[str] = field(default_factory=set)
    number: int = 0
    memory: list[int] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """Return the folder of the camera."""
        return self.root / "camera"

    @property
    def url(self) -> str:
        """Return the database."""
        return f"duckdb:///{self.root / 'fish.db'}"

    def put(self, data: bytes, *, slowly: bool = False) -> None:
        """Let a file come, as a camera writes it: also in two parts."""
        self.number += 1
        path = self.folder / f"{self.number % 7}" / f"IMG_{self.number:05}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        half = len(data) // 2 if slowly else 0
        with path.open("wb") as file:
            file.write(data[:half])
            file.flush()
            file.write(data[half:])
        self.contents.add(hashlib.sha256(data).hexdigest())

    def burst(self, count: int) -> None:
        """Let some files come: drawn pictures, samples again and again, a broken file."""
        for _ in range(count):
            chance = self.random.random()
            if chance < 0.2:
                self.put(self.random.choice(sorted(SAMPLES.glob("*.png"))).read_bytes(), slowly=True)
            elif chance < 0.25:
                self.put(b"broken" + bytes([self.random.randrange(3)]))
            else:
                self.put(self.drawn(), slowly=chance > 0.9)

    def drawn(self) -> bytes:
        """Draw a picture."""
        path = self.root / "drawn.png"
        noise = np.random.default_rng(self.random.randrange(2**32)).integers(0, 255, (8, 8, 3), np.uint8)
        Image.fromarray(noise).resize((64, 64)).save(path)
        return path.read_bytes()

    def watcher(self) -> subprocess.Popen[bytes]:
        """Start a watcher."""
        options = ["watch", str(self.folder), "--poll", "0.3", "--settle", "0.2", "--wait", "60", "--url", self.url]
        return subprocess.Popen(
            [sys.executable, "-c", COMMAND, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def run(self, *words: str) -> int:
        """Run a command beside the watcher."""
        command = [sys.executable, "-c", COMMAND, *words, "--wait", "60", "--url", self.url]
        return subprocess.run(command, check=False, capture_output=True).returncode

    def rows(self) -> list[tuple[str, ...]]:
        """Return the contents that were seen."""
        with meetup2025.connect(self.url, wait=60) as connection, connection.cursor() as cursor:
            return cursor.execute("SELECT Hash FROM MeetUp2025.Sighting").fetchall()

    def day(self, burst: int) -> None:
        """Live through a day: bursts, a kill amid them, a folder that goes away, two watchers, a backup."""
        first = self.watcher()
        self.burst(burst)
        time.sleep(self.random.uniform(0.5, 3))
        first.kill()
        first.wait()
        second, third = self.watcher(), self.watcher()
        self.burst(burst)
        self.folder.rename(self.root / "away")
        time.sleep(0.5)
        (self.root / "away").rename(self.folder)
        self.burst(burst // 2)
        self.settle()
        self.memory.append(_memory(second.pid))
        for each in (second, third):
            each.terminate()
            each.wait()
        assert self.run("backup", str(self.root / f"backup-{len(self.memory)}.db")) == 0

    def settle(self, longest: float = 120) -> None:
        """Wait until all that came was seen."""
        end = time.monotonic() + longest
        while len(self.rows()) < len(self.contents) and time.monotonic() < end:
            time.sleep(0.5)

    def check(self) -> None:
        """Check that nothing is lost and nothing is there twice."""
        seen = [row[0] for row in self.rows()]
        assert len(seen) == len(set(seen)), "a content was seen twice"
        assert set(seen) == self.contents, f"{len(self.contents - set(seen))} contents are lost"


def _memory(process: int) -> int:
    """Return the memory of a process in bytes, or 0 where the system does not tell."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text("utf-8").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def main() -> None:
    """Live through days for some minutes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        week = Week(Path(root), random.Random(given.seed))  # noqa: S311
        week.folder.mkdir()
        end, days = time.monotonic() + given.minutes * 60, 0
        while time.monotonic() < end:
            week.day(burst=40)
            week.check()
            days += 1
            print(f"day {days}: {week.number} files, {len(week.contents)} contents, {week.memory[-1] / 1e6:.0f} MB")
        shutil.rmtree(week.folder)


if __name__ == "__main__":
    main()
