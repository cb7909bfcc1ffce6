"""
The compiled parts of UMAP: kept on the disk between processes, and used by one thread at a time.

Numba compiles the loops of umap-learn at their first call: ten seconds in a new process, twenty more where the package
folder cannot be written. Numba keeps a compiled function on the disk if the function asks for it
(https://numba.readthedocs.io/en/stable/user/jit.html#cache). Most functions of umap-learn do not ask. So this module
asks for them, before their first call. The folder is in `compiled` in the data folder of the user, or in
`NUMBA_CACHE_DIR`. Its name contains the versions and the place of the libraries, so another version uses another
folder.

Numba reads code and pickles from the folder. So the folder must be of this user or of the system's, writable by nobody
else, and each file must have the digest that it got when the folder was made. A damaged folder is made anew.

Two threads in parallel loops of Numba end the process where its threading layer is `workqueue`, the only layer that is
always present (https://numba.readthedocs.io/en/stable/user/threading-layer.html). Hence the lock.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import importlib.util
import json
import os
import shutil
import sys
import tempfile
import threading
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meetup2025 import settings
from meetup2025.errors import OperationalError
from meetup2025.iris_process import is_watched, uninterrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

_LIBRARIES = ("umap-learn", "pynndescent", "numba")

_DIGESTS = "sha256.json"
"""File of the folder with the digests of the others. Functions that are compiled later are not kept."""

_LOCK = threading.RLock()
_loaded: list[ModuleType] = []


@contextlib.contextmanager
def umap(use: Callable[[], object] | None = None) -> Iterator[ModuleType]:
    """
    Lend the module `umap.umap_` to this thread alone.

    Args:
        use: Calls the functions to compile. With it, the first use of an installation compiles for all processes.
            Without it, a process that finds nothing compiled compiles for itself alone.
    """
    with _LOCK:
        if not _loaded and use:
            compile_now(use)
        elif not _loaded:
            _load_kept(folder()) if _is_whole(folder()) else _load(_own_folder())
        with _one_thread():
            yield _loaded[0]


def compile_now(use: Callable[[], object]) -> Path:
    """
    Compile the functions that maps need and write them to `folder`, unless they are there: some twenty seconds.

    The files are written to a folder of this process first. One step then gives the folder its name. So two processes
    that compile at once do not mix their files, and no process reads half of them. Where the folder cannot be written,
    or is not of this user, there is one warning in a process, and every process compiles anew. A folder of the system's
    user is copied.

    Args:
        use: Calls the functions to compile, with the types that maps use.

    Returns:
        The folder.

    Raises:
        OperationalError: This process has already made maps, and the folder has gone since.
    """
    with _LOCK:
        target = folder()
        if _is_whole(target):
            _load_kept(target)
        elif _loaded:
            raise OperationalError(
                f"{target} must be made by a process that has made no map yet. Start another process."
            )
        else:
            _compile(target, use)
        return target


def folder() -> Path:
    """Return the folder of the compiled functions, for the installed libraries. It may not exist."""
    spec = importlib.util.find_spec("umap")
    source = Path(spec.origin if spec and spec.origin else "").with_name("umap_.py")
    stamp = repr((sys.version, str(source), source.stat().st_mtime_ns, [version(name) for name in _LIBRARIES]))
    name = f"umap-{version('umap-learn')}-numba-{version('numba')}-{hashlib.sha256(stamp.encode()).hexdigest()[:8]}"
    return Path(os.environ.get("NUMBA_CACHE_DIR") or settings.data_folder() / "compiled") / name


def _is_whole(target: Path) -> bool:
    """Check whether the folder can be used. A damaged one is removed, if this user may."""
    if not target.is_dir():
        return False
    if not _is_ours(target):
        _warn(target, "must be of this user, and writable by nobody else: its code runs. Got another folder")
        return False
    if _loaded or _digests(target) == _noted(target):
        return True
    with contextlib.suppress(OSError), tempfile.TemporaryDirectory(dir=target.parent) as beside:
        target.rename(Path(beside, "damaged"))
    return False


def _is_ours(target: Path) -> bool:
    if not hasattr(os, "geteuid"):
        return True
    found = [path.lstat() for path in (target, *target.rglob("*"))]
    return all(each.st_uid in (0, os.geteuid()) and not each.st_mode & 0o022 for each in found)


def _digests(target: Path) -> dict[str, str]:
    """Return the SHA-256 of the files of compiled functions."""
    files = [path for kind in ("nbc", "nbi") for path in target.rglob(f"*.{kind}")]
    return {path.relative_to(target).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _noted(target: Path) -> object:
    """Return the digests of when the folder was made."""
    try:
        return json.loads((target / _DIGESTS).read_text("utf-8"))
    except (OSError, ValueError):
        return None


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """
    Let Numba work in this thread alone. The parallel parts of maps are shorter than the time to wake other threads.
    """
    import numba

    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        yield
    finally:
        numba.set_num_threads(before)


def _compile(target: Path, use: Callable[[], object]) -> None:
    if is_watched():
        print(
            "meetup2025: compiling the functions of maps, once: some twenty seconds (Ctrl-C waits for the end)",
            file=sys.stderr,
        )
    own = _own_folder()
    with uninterrupted():
        _load(own)
        use()
    if own:
        _publish(own, target)


def _writable(target: Path) -> Path | None:
    """Return a copy of a folder that cannot be written. Numba skips such a folder, also for reading."""
    if _loaded or os.access(target, os.W_OK):
        return target
    own = _own_folder()
    if own:
        shutil.copytree(target, own, dirs_exist_ok=True)
        for place in (own, *own.rglob("*/")):
            place.chmod(0o700)
    return own


def _load_kept(target: Path) -> None:
    """Import UMAP with the functions of a folder, and let the folder stay as its digests have it."""
    _load(_writable(target))
    for name, module in [*sys.modules.items()]:
        if name.partition(".")[0] in ("umap", "pynndescent"):
            for function in _compiled_ones(module):
                function._cache.save_overload = lambda *_: None  # noqa: SLF001 - Numba has no other way


def _load(place: Path | None) -> None:
    """Import UMAP so that its functions are read from a folder and written to it."""
    if _loaded:
        return
    import numba

    config: Any = numba.config
    before = config.CACHE_DIR
    config.CACHE_DIR = str(place or "")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ImportWarning)  # it misses TensorFlow, which only maps of another kind need
            from umap import layouts, umap_, utils

            modules = [utils, layouts, umap_]  # the modules with the functions that maps call
        if place:
            _keep(modules)
    finally:
        config.CACHE_DIR = before
    _loaded.append(modules[-1])


def _keep(modules: list[ModuleType]) -> None:
    """Turn the cache of functions on, as `cache=True` in their decorators would."""
    for function in {each for module in modules for each in _compiled_ones(module)}:
        function.enable_caching()


def _compiled_ones(module: ModuleType) -> list[Any]:
    """Return the functions of a module that Numba compiles."""
    from numba.core.dispatcher import Dispatcher

    return [value for value in vars(module).values() if isinstance(value, Dispatcher)]


def _own_folder() -> Path | None:
    try:
        own = tempfile.mkdtemp(prefix="meetup2025-compiled-")
    except OSError as error:
        _warn_of_writing(error)
        return None
    atexit.register(shutil.rmtree, own, ignore_errors=True)
    return Path(own)


def _publish(own: Path, target: Path) -> None:
    beside = target.with_name(f"{target.name}.{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(own, beside)
        for path in (beside, *beside.rglob("*")):  # a temporary folder can be read by its owner alone
            path.chmod(0o755 if path.is_dir() else 0o644)
        (beside / _DIGESTS).write_text(json.dumps(_digests(beside)), "utf-8")
        beside.rename(target)
    except OSError as error:
        shutil.rmtree(beside, ignore_errors=True)
        if not target.is_dir():  # otherwise another process was first
            _warn_of_writing(error)


def _warn_of_writing(error: OSError) -> None:
    _warn(folder().parent, f"must be writable, so that maps are compiled once. Got: {error.strerror}")


def _warn(place: Path, rule: str) -> None:
    warnings.warn(f"{place} {rule}; each process compiles for some twenty seconds until it is.", stacklevel=2)
