"""What maps need is compiled once for all processes, and used by one thread at a time."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from blobs import blobs

from meetup2025 import settings
from meetup2025.analytics import maps, umap_library
from meetup2025.errors import OperationalError

if TYPE_CHECKING:
    from types import ModuleType

EAGER = {"tau_rand", "tau_rand_int"}
"""Functions that umap-learn has compiled when it is imported, before anything can be asked of them."""

MAKE_A_MAP = """
import hashlib, sys
sys.path.insert(0, {tests!r})
from blobs import blobs
from meetup2025.analytics import maps, placing
rows = blobs(120, 6).rows
fitted = maps.fit_map(rows, labels=["a", None] * 60)
placing.place(fitted, rows[:2])
print(hashlib.sha256(maps.fit_map(rows).embedding.tobytes()).hexdigest())
from numba.core.dispatcher import Dispatcher
from umap import layouts, umap_, utils
for module in (layouts, umap_, utils):
    for name, function in vars(module).items():
        if isinstance(function, Dispatcher) and function.stats.cache_misses:
            print(name)
"""

TWO_THREADS = """
import sys
sys.path.insert(0, {tests!r})
from concurrent.futures import ThreadPoolExecutor
from blobs import blobs
from meetup2025.analytics import maps
with ThreadPoolExecutor(2) as threads:
    done = list(threads.map(lambda seed: maps.fit_map(blobs(400, 6).rows, seed=seed).embedding, [5, 5, 6, 6]))
import numba
print(numba.threading_layer(), (done[0] == done[1]).all(), (done[2] == done[3]).all())
"""


def run(script: str) -> list[str]:
    """Run a script in a new process, in which warnings are errors, and give the lines it printed."""
    command = [sys.executable, "-W", "error", "-c", script.format(tests=str(Path(__file__).parent))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of compiled functions as a process has made it, for a process that has loaded none."""
    monkeypatch.setattr(umap_library, "_loaded", [])
    umap_library._publish(filled(tmp_path / "own"), tmp_path / "kept" / "umap")
    return tmp_path / "kept" / "umap"


@pytest.fixture
def unloaded(monkeypatch: pytest.MonkeyPatch) -> list[ModuleType]:
    """Pretend that this process made no map yet; what it compiled or read stays with it."""
    maps.fit_map(blobs(20, 2).rows)
    fresh: list[ModuleType] = []
    monkeypatch.setattr(umap_library, "_loaded", fresh)
    return fresh


def filled(folder: Path) -> Path:
    """Make a folder with a file in it."""
    folder.mkdir(parents=True)
    (folder / "compiled.nbc").write_text(folder.name, "utf-8")
    return folder


def test_new_process_compiles_nothing() -> None:
    """A map in a new process reads all that it calls from the disk, and is the same as here, bit for bit."""
    here = hashlib.sha256(maps.fit_map(blobs(120, 6).rows).embedding.tobytes()).hexdigest()

    there, *missed = run(MAKE_A_MAP)

    assert there == here
    assert set(missed) <= EAGER


def test_two_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two threads that make maps do not end the process where Numba can bear but one, and get what one gets."""
    monkeypatch.setenv("NUMBA_THREADING_LAYER", "workqueue")
    monkeypatch.setenv("NUMBA_NUM_THREADS", "2")

    assert run(TWO_THREADS) == ["workqueue True True"]


def test_threads_of_numba_are_given_back() -> None:
    """What else uses Numba in the process has its threads back after a map."""
    import numba

    before = numba.get_num_threads()
    with umap_library.umap():
        assert numba.get_num_threads() == 1

    assert numba.get_num_threads() == before


def test_folder_is_for_the_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version of a library has another folder."""
    before = umap_library.folder()
    monkeypatch.setattr(umap_library, "version", lambda name: "9.9" if name == "pynndescent" else "1")

    assert umap_library.folder().parent == before.parent
    assert umap_library.folder() != before


def test_folder_is_in_the_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is in the data folder, unless the administrator told Numba another."""
    assert umap_library.folder().parent != settings.data_folder() / "compiled"

    monkeypatch.delenv("NUMBA_CACHE_DIR")

    assert umap_library.folder().parent == settings.data_folder() / "compiled"


def test_compiled_already() -> None:
    """What is compiled is not compiled again."""
    maps.fit_map(blobs(20, 2).rows)
    before = [path.stat().st_mtime_ns for path in sorted(umap_library.folder().rglob("*"))]

    assert maps.compile_now() == umap_library.folder()

    assert [path.stat().st_mtime_ns for path in sorted(umap_library.folder().rglob("*"))] == before
    assert len(before) > 10


def test_compiling_uses_what_maps_use(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, unloaded: list) -> None:
    """Compiling loads UMAP for a folder of this process, uses it, and then gives the folder its name."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "new"))
    steps = []

    def load(place: Path) -> None:
        unloaded.append(sys)
        steps.append(filled(place / "functions"))

    monkeypatch.setattr(umap_library, "_load", load)

    folder = umap_library.compile_now(lambda: steps.append(umap_library.folder().exists()))

    assert steps[1:] == [False]
    assert [path.name for path in folder.rglob("*.nbc")] == ["compiled.nbc"]
    assert list(folder.parent.iterdir()) == [folder]


def test_too_late_to_compile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A process that made maps has nothing left to compile, and says so."""
    maps.fit_map(blobs(20, 2).rows)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))

    with pytest.raises(OperationalError, match="Start another"):
        maps.compile_now()


def test_two_processes_at_once(tmp_path: Path) -> None:
    """Of two processes that compile at once, the first to end gives its folder the name; nothing is mixed."""
    target = tmp_path / "data" / "umap"

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        umap_library._publish(filled(tmp_path / "first"), target)
        umap_library._publish(filled(tmp_path / "second"), target)

    assert (target / "compiled.nbc").read_text("utf-8") == "first"
    assert list(target.parent.iterdir()) == [target]


def test_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """Where the folder cannot be written, a warning tells which, and why."""
    (tmp_path / "file").touch()

    with pytest.warns(
        UserWarning, match="must be writable, so that maps are compiled once. Got: (File exists|Not a directory)"
    ):
        umap_library._publish(filled(tmp_path / "own"), tmp_path / "file" / "umap")


def test_folder_of_another_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder that may only be read is copied to one of this process, since Numba reads only what it can write."""
    filled(tmp_path / "umap" / "functions")
    (tmp_path / "umap" / "functions").chmod(0o555)
    monkeypatch.setattr(umap_library, "_loaded", [])
    monkeypatch.setattr(umap_library.os, "access", lambda path, _: path != tmp_path / "umap")

    own = umap_library._writable(tmp_path / "umap")

    assert own not in {None, tmp_path / "umap"}
    assert (own / "functions" / "compiled.nbc").read_text("utf-8") == "functions"
    assert (own / "functions").stat().st_mode & 0o777 == 0o700
    assert umap_library._writable(own) == own


@pytest.mark.parametrize("damage", [b"", b"ow", b"owm", None])
def test_damaged_folder_is_removed(published: Path, damage: bytes | None) -> None:
    """A folder with a file that is empty, cut, changed or gone is removed, so that it is made anew."""
    assert umap_library._is_whole(published)
    file = published / "compiled.nbc"
    file.unlink() if damage is None else file.write_bytes(damage)

    assert not umap_library._is_whole(published)
    assert not published.exists()
    assert list(published.parent.iterdir()) == []


def test_folder_without_digests_is_removed(published: Path) -> None:
    """A folder of an earlier version has no digests, so it is made anew."""
    (published / "sha256.json").unlink()

    assert not umap_library._is_whole(published)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="Windows has no such modes")
@pytest.mark.parametrize("place", [".", "compiled.nbc"])
def test_folder_that_others_may_write(published: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """A folder that others may write, or another user's, is neither used nor removed: code would run from it."""
    (published / place).chmod(0o777)
    with pytest.warns(UserWarning, match="must be of this user, and writable by nobody else"):
        assert not umap_library._is_whole(published)

    (published / place).chmod(0o700)
    monkeypatch.setattr(umap_library.os, "geteuid", lambda: 12345)
    if published.stat().st_uid:  # root may own it
        with pytest.warns(UserWarning, match="must be of this user"):
            assert not umap_library._is_whole(published)
    assert (published / "compiled.nbc").exists()


@pytest.mark.usefixtures("unloaded")
def test_kept_functions_are_not_added_to() -> None:
    """A function that is compiled for other types later is not written into the folder with the digests."""
    umap_library._load_kept(umap_library.folder())
    before = umap_library._digests(umap_library.folder())
    from umap import layouts

    layouts.clip(7)  # maps give it decimals

    assert umap_library._digests(umap_library.folder()) == before == umap_library._noted(umap_library.folder())


def test_no_folder_at_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where no temporary folder can be made either, a warning tells so, and maps are made all the same."""
    monkeypatch.setattr(umap_library.tempfile, "tempdir", str(tmp_path / "none"))

    with pytest.warns(UserWarning, match="must be writable"):
        assert umap_library._own_folder() is None


def test_settings_of_numba_are_given_back(unloaded: list, tmp_path: Path) -> None:
    """What else uses Numba in the process keeps its own folder."""
    import numba

    before = numba.config.CACHE_DIR
    umap_library._load(tmp_path)

    assert before == numba.config.CACHE_DIR
    assert len(unloaded) == 1


def test_compiling_is_told_to_a_person(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Who waits at a terminal is told why; a pipe stays silent."""
    for name in ("_load", "_publish"):
        monkeypatch.setattr(umap_library, name, lambda *_: None)
    umap_library._compile(Path("nowhere"), lambda: None)
    assert capsys.readouterr().err == ""

    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    umap_library._compile(Path("nowhere"), lambda: None)

    assert "compiling the functions of maps" in capsys.readouterr().err
