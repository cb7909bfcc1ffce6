"""
A double of an IRIS instance for the resident encoder. Its processes, its lock, its global and its log are real.

They are processes of this machine, a lock of the system, and files of a folder. `Worker` follows the ObjectScript of
`MeetUp2025.Worker` line by line. Its methods in Python run from their source.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import iris_doubles

from meetup2025 import procedures
from meetup2025.embedding import worker

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = Path(__file__).parents[1] / "src" / "cls" / "MeetUp2025" / "Worker.cls"

LOCK_SECONDS = 2.0
"""As in `MeetUp2025.Worker.Run`."""


class Global:
    """A global: a file for each node."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: list[Any]) -> Any:
        """Read a node."""
        with suppress(FileNotFoundError):
            return json.loads(self._path(key).read_text("utf-8"))
        return None

    def set(self, key: list[Any], value: Any) -> None:
        """Write a node: whole, or not at all."""
        self._folder.mkdir(exist_ok=True)
        beside = self._folder / f".{os.getpid()}.{threading.get_ident()}"
        beside.write_text(json.dumps(value), "utf-8")
        beside.replace(self._path(key))

    def kill(self, key: list[Any]) -> None:
        """Delete the whole global."""
        assert key == [None]
        for path in self._folder.glob("[!.]*") if self._folder.exists() else ():
            path.unlink(missing_ok=True)

    def _path(self, key: list[Any]) -> Path:
        return self._folder / ",".join(map(str, key))


class Worker:
    """The methods in ObjectScript of `MeetUp2025.Worker`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.jobs: list[subprocess.Popen[bytes]] = []

    def IsRunning(self) -> int:  # noqa: N802
        """Ask for a shared lock, and release it at once."""
        with (self._folder / "lock").open("a") as file:
            return int(not _locked(file, fcntl.LOCK_SH))

    def Job(self) -> int:  # noqa: N802
        """Start a process."""
        if (self._folder / "full").exists():
            return 0
        code = "import sys, instance_double; instance_double.run(sys.argv[1])"
        path = os.pathsep.join([str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])])
        own = {**os.environ, "PYTHONPATH": path}
        self.jobs.append(subprocess.Popen([sys.executable, "-c", code, str(self._folder)], env=own))
        return 1


def run(folder: str) -> None:
    """Run as the process that `Job` starts: `MeetUp2025.Worker.Run`."""
    iris = module(Path(folder))
    sys.modules["iris"] = iris
    told = iris.gref(worker.GLOBAL)
    with (Path(folder) / "lock").open("a") as file:
        until = time.monotonic() + LOCK_SECONDS
        while not (has_lock := _locked(file, fcntl.LOCK_EX)) and time.monotonic() < until:
            time.sleep(0.01)
        if not has_lock:
            return
        told.kill([None])
        told.set(["pid"], os.getpid())
        if model := os.environ.get("DOUBLE_MODEL"):
            procedures.local_encoder = lambda _=None: Fake(model)  # type: ignore[assignment]
        call("Serve")


def call(method: str) -> Any:
    """Run the body in Python of a method of `MeetUp2025.Worker`, from its source."""
    [body] = re.findall(rf"ClassMethod {method}\(\)[^{{]*{{\n(.*?)\n}}", SOURCE.read_text("utf-8"), re.DOTALL)
    found: dict[str, Any] = {}
    exec(f"def run():\n{body}", found)  # noqa: S102 - a source of this project
    return found["run"]()


class Fake:
    """A model with faults: it takes long to load, dies while it loads, takes long to answer, or fails."""

    model, dimension, picture_size, languages = "fake@1", 2, 8, ()

    def __init__(self, what: str) -> None:
        self._what = what

    def check(self) -> None:
        """Load."""
        if self._what == "loads long":
            time.sleep(3)
        if self._what == "dies":
            os.kill(os.getpid(), 9)

    def texts(self, texts: list[str]) -> Any:
        """Embed texts."""
        import numpy as np

        if self._what == "answers late":
            Path(os.environ["DOUBLE_FOLDER"], "asked").touch()
            time.sleep(1 if texts == ["short"] else 30)
        if self._what == "fails":
            raise RuntimeError("a fault of the model")
        return np.ones((len(texts), 2), np.float32)


def _locked(file: Any, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def module(folder: Path) -> Any:
    """Make the module `iris` of Embedded Python, in a process of the instance."""
    iris = ModuleType("iris")
    classes = {
        "MeetUp2025.Worker": Worker(folder),
        "%Library.File": SimpleNamespace(ManagerDirectory=lambda: f"{folder}/"),
        "%SYS.System": SimpleNamespace(WriteToConsoleLog=lambda line: _log(folder, line)),
    }
    iris.cls = classes.__getitem__
    iris.gref = lambda name: Global(folder / name.removeprefix("^"))
    iris.tlevel = lambda: 0
    return iris


def _log(folder: Path, line: str) -> None:
    with (folder / "messages.log").open("a", encoding="utf-8") as file:
        print(line, file=file)


@contextmanager
def instance(folder: Path) -> Iterator[Any]:
    """Run this Python in a process of an instance. At the end no process of it is left."""
    iris = module(folder)
    with iris_doubles.installed(iris):
        try:
            yield iris
        finally:
            for job in iris.cls("MeetUp2025.Worker").jobs:
                job.kill()
                job.wait()
