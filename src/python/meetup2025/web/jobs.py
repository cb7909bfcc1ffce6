"""
Analyses that are made from a page: one after the other, each in a thread of its own, so that the page goes on.
"""

from __future__ import annotations

import ctypes
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from meetup2025.errors import DataError, Error
from meetup2025.web import statements

if TYPE_CHECKING:
    from collections.abc import Callable

    from meetup2025.engines import Connection

_KEPT = 10
"""Jobs that are remembered after they have ended."""


class _Cancelled(KeyboardInterrupt):
    """The user has cancelled a job."""


@dataclass
class Job:
    """
    An analysis that is made from a page.

    Attributes:
        job: Number of the job.
        kind: What is made, a key of `statements.MADE`.
        source: Source of the analysis.
        state: `waiting`, `running`, `done`, `failed` or `cancelled`.
        run: Number of its run when it is done, otherwise 0.
        message: Message of the error, or empty.
        started: When it began to run, by the monotonic clock, or 0.
        ended: When it ended, or 0.
        thread: The thread that does it.
    """

    job: int
    kind: str
    source: str
    state: str = "waiting"
    run: int = 0
    message: str = ""
    started: float = 0
    ended: float = 0
    thread: threading.Thread | None = field(default=None, repr=False)

    def shown(self) -> dict[str, Any]:
        """Return the job for the page, with the seconds that it has run."""
        seconds = (self.ended or time.monotonic()) - self.started if self.started else 0.0
        names = ("job", "kind", "source", "state", "run", "message")
        return {name: getattr(self, name) for name in names} | {"seconds": round(seconds, 1)}


class Jobs:
    """
    The jobs of a server.

    Args:
        connect: Opens a connection to the database.
        at_once: Whether a job is done before its request is answered, as inside IRIS, where a thread has no database.
    """

    def __init__(self, connect: Callable[[], Connection], *, at_once: bool = False) -> None:
        self._connect = connect
        self._at_once = at_once
        self._turn = threading.Lock()
        self._change = threading.Lock()
        self._jobs: list[Job] = []
        self._last = 0

    def start(self, kind: str, source: str) -> Job:
        """Start a job, or let it wait for the others."""
        with self._change:
            self._last += 1
            job = Job(self._last, kind, source)
            self._jobs = [*self._jobs[-_KEPT:], job]
        if self._at_once:
            self._work(job)
        else:
            job.thread = threading.Thread(target=self._work, args=(job,), daemon=True)
            job.thread.start()
        return job

    def listed(self) -> list[Job]:
        """Return the jobs, newest first."""
        return self._jobs[::-1]

    def cancel(self, number: int) -> Job:
        """Cancel a job. One that runs stops at its next step; nothing of it is stored."""
        job = next((each for each in self._jobs if each.job == number), None)
        if job is None:
            raise DataError(f"job must be the number of a job. Got {number}.")
        with self._change:
            if job.state == "waiting":
                job.state = "cancelled"
            elif job.state == "running" and job.thread and job.thread.ident:
                ident = ctypes.c_ulong(job.thread.ident)
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(_Cancelled))
        return job

    def _work(self, job: Job) -> None:
        try:
            with self._turn:
                self._run(job)
        except _Cancelled:
            self._end(job, "cancelled")

    def _run(self, job: Job) -> None:
        with self._change:
            if job.state != "waiting":
                return
            job.state, job.started = "running", time.monotonic()
        try:
            with self._connect() as connection:
                run = int(statements.value(connection, statements.MADE[job.kind], job.source))
                connection.commit()
        except Error as error:
            self._end(job, "failed", message=str(error))
        else:
            self._end(job, "done", run=run)

    def _end(self, job: Job, state: str, *, run: int = 0, message: str = "") -> None:
        with self._change:
            if job.state in {"waiting", "running"}:
                job.state, job.run, job.message, job.ended = state, run, message, time.monotonic()
