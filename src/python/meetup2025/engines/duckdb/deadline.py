"""A deadline: the statement that runs after it is stopped, and later ones are refused."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from meetup2025.errors import DeadlineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_AGAIN = 0.1
"""Seconds between two interrupts: one that comes between two statements stops none."""


class Deadlines:
    """
    The deadlines of a connection, one at a time.

    Args:
        stop: Stops the statement that runs. It is called from another thread.
    """

    def __init__(self, stop: Callable[[DeadlineError], None]) -> None:
        self._stop = stop
        self._late: DeadlineError | None = None
        self._ending = threading.Lock()

    @contextlib.contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Stop what runs in a block after some seconds. 0 is no deadline."""
        ended = threading.Event()
        if seconds:
            threading.Thread(target=self._watch, args=(seconds, ended), daemon=True).start()
        try:
            yield
        finally:
            with self._ending:
                ended.set()
                self._late = None

    def check(self) -> None:
        """
        Refuse work after a deadline.

        Raises:
            DeadlineError: The deadline is over.
        """
        if self._late is not None:
            raise self._late

    def held(self) -> threading.Lock:
        """Return the lock under which nothing is stopped: the end of a transaction must not be."""
        return self._ending

    def _watch(self, seconds: float, ended: threading.Event) -> None:
        late = DeadlineError.after(seconds)
        wait = seconds
        while not ended.wait(wait):
            with self._ending:
                if not ended.is_set():
                    self._late, wait = late, _AGAIN
                    self._stop(late)
