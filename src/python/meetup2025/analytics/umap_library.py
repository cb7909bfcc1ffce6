"""
The compiled parts of UMAP: kept on the disk between processes, and used by one thread at a time.

Numba compiles the loops of umap-learn at their first call: ten seconds in a new process, twenty more where the package
folder cannot be written. Numba keeps a compiled function on the disk if the function asks for it
(https://numba.readthedocs.io/en/stable/user/jit.html#cache). Most functions of umap-learn do not ask. So this module
asks for them, before their first call. The folder is in `compiled` in the data folder of the user, or in
`NUMBA_CACHE_DIR`. Its name contains the versions and the place of the libraries, so another version uses another
folder.

Two threads in parallel loops of Numba end the process where its threading layer is `workqueue`, the only layer that is
always present (https://numba.readthedocs.io/en/stable/user/threading-layer.html). Hence the lock.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import importlib.util
import os
import shutil
import signal
import sys
import tempfile
import threading
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meetup2025 import settings
from meetup2025.errors import OperationalError
from meetup2025.iris_process import is_watched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

_LIBRARIES = ("umap-learn", "pynndescent", "numba")

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
            _load(_writable(folder()) if folder().is_dir() else _own_folder())
        with _one_thread():
            yield _loaded[0]


def compile_now(use: Callable[[], object]) -> Path:
    """
    Compile the functions that maps need and write them to `folder`, unless they are there: some twenty seconds.

    The files are written to a folder of this process first. One step then gives the folder its name. So two processes
    that compile at once do not mix their files, and no process reads half of them. Where the folder cannot be written,
    there is one warning in a process, and every process compiles anew. A folder that another user has written is
    copied.

    Args:
        use: Calls the functions to compile, with the types that maps use.

    Returns:
        The folder.

    Raises:
        OperationalError: This process has already made maps, and the folder has gone since.
    """
    with _LOCK:
        target = folder()
        if target.is_dir():
            _load(_writable(target))
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
    with _uninterrupted():
        _load(own)
        use()
    if own:
        _publish(own, target)


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """
    Hold Ctrl-C back until the end of a block.

    While Numba compiles, Ctrl-C would raise an error in a callback of LLVM. LLVM prints the error and goes on in an
    unknown state.
    """
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGINT) is None:
        yield
        return
    held: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: held.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if held:
        raise KeyboardInterrupt


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
    from numba.core.dispatcher import Dispatcher

    functions: dict[int, Any] = {
        id(value): value for module in modules for value in vars(module).values() if isinstance(value, Dispatcher)
    }
    for function in functions.values():
        function.enable_caching()


def _own_folder() -> Path | None:
    try:
        own = tempfile.mkdtemp(prefix="meetup2025-compiled-")
    except OSError as error:
        _warn(error)
        return None
    atexit.register(shutil.rmtree, own, ignore_errors=True)
    return Path(own)


def _publish(own: Path, target: Path) -> None:
    beside = target.with_name(f"{target.name}.{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(own, beside)
        beside.chmod(0o755)  # a temporary folder can be read by its owner alone
        beside.rename(target)
    except OSError as error:
        shutil.rmtree(beside, ignore_errors=True)
        if not target.is_dir():  # otherwise another process was first
            _warn(error)


def _warn(error: OSError) -> None:
    told = f"{folder().parent} must be writable, so that maps are compiled once. Got: {error.strerror}; "
    warnings.warn(f"{told}each process compiles for some twenty seconds until it is.", stacklevel=2)
