"""
The InterSystems IRIS process in which this Python runs, if it does: its module `iris`, and its log.

Only the main thread of the process uses the module `iris` of Embedded Python.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


def module() -> Any:
    """Return the module of Embedded Python, or None. It knows classes. The driver of the same name does not."""
    try:
        import iris
    except ImportError:
        return None
    return iris if hasattr(iris, "cls") and hasattr(iris, "tlevel") else None


def is_watched() -> bool:
    """Check whether a person sees the output of this process. A process of JOB or WSGI may have no stderr."""
    return sys.stderr is not None and sys.stderr.isatty()


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """
    Hold Ctrl-C back until the end of a block, in the main thread.

    In a library of C, Ctrl-C may end the process or leave an unknown state: in a callback of LLVM while Numba compiles,
    and in an import of Python while DuckDB is loaded.
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


def log(text: str) -> None:
    """
    Write a message to an administrator, as one line.

    Inside IRIS it goes to messages.log (documentation: API index, "messages.log"). Elsewhere it goes to the logger
    `meetup2025` of the standard library, which shows nothing unless the program asks for it.
    """
    line = " ".join(text.split())
    iris = module()
    if iris is None or threading.current_thread() is not threading.main_thread():
        logging.getLogger("meetup2025").info(line)
        return
    with contextlib.suppress(Exception):  # a log that cannot be written must not end the work that it reports on
        iris.cls("%SYS.System").WriteToConsoleLog(line)
