"""
The one thread that runs the model, and the batches that it makes of the items of many clients.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from meetup2025.embedding import Encoder

    Kind = Literal["texts", "images"]

BATCH = 8
"""
Most items of a batch.
Time for a picture on two cores: a small model takes 1.2 ms alone or in a batch of 8, a ViT-B/16 takes 188 ms in a batch
of 8 and 225 ms in a batch of 32. A larger batch gains nothing, and the next client waits for all of it.
"""

LINGER = 0.003
"""Most seconds that a batch waits for requests that are being read. A small model takes longer for three pictures."""

MOST_WAITING = 512
"""Most items that wait. A decoded picture is the largest item: half a megabyte."""


class QueueFullError(Exception):
    """Too many items wait."""


class ClosedError(Exception):
    """The server ended before the item had its turn."""


@dataclass(eq=False)
class Job:
    """
    Items of one request: all are texts, or all are pictures.

    Attributes:
        taken: Number of items that the model has got.
        largest: Size of the largest batch of these items.
        found: Vectors of the first items.
        error: The reason why there are no vectors.
        done: Set when all vectors are there, or an error.
    """

    kind: Kind
    items: Sequence[Any]
    taken: int = 0
    largest: int = 0
    found: list[NDArray[np.float32]] = field(default_factory=list)
    error: Exception | None = None
    done: threading.Event = field(default_factory=threading.Event)

    @property
    def left(self) -> int:
        """Number of items that wait."""
        return len(self.items) - self.taken

    def vectors(self) -> NDArray[np.float32]:
        """Return a row for each item, or raise the error of the job."""
        if self.error is not None:
            raise self.error
        return np.concatenate(self.found)

    def add(self, rows: NDArray[np.float32], batch: int) -> None:
        """Add the vectors of the next items."""
        self.found.append(rows)
        self.largest = max(self.largest, batch)
        if sum(map(len, self.found)) == len(self.items):
            self.done.set()

    def fail(self, error: Exception) -> None:
        """End the job with an error."""
        self.error = error
        self.done.set()


class Batcher:
    """
    Embeds the items of many jobs in one thread, in batches of at most `BATCH` items of one kind.

    Jobs take turns, batch by batch: a job of one text does not wait for all texts of a job of 2,000.
    While a request is being read, a batch waits for its items, `LINGER` seconds at most.
    """

    def __init__(self, encoder: Encoder, *, batch: int = BATCH, most_waiting: int = MOST_WAITING) -> None:
        self._encoder = encoder
        self._batch = batch
        self._most_waiting = most_waiting
        self._jobs: list[Job] = []
        self._coming = 0
        self._began = 0.0
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="encoder", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Number of items that wait."""
        with self._changed:
            return sum(job.left for job in self._jobs)

    @contextmanager
    def coming(self) -> Iterator[None]:
        """Let a batch wait for the request that is being read in this block."""
        with self._changed:
            self._coming += 1
        try:
            yield
        finally:
            with self._changed:
                self._coming -= 1
                self._changed.notify_all()

    def submit(self, kind: Kind, items: Sequence[Any]) -> Job:
        """
        Add items to the waiting items.

        Raises:
            QueueFullError: Other items wait, and with these there would be too many.
            ClosedError: The server ends.
        """
        job = Job(kind, items)
        with self._changed:
            if self._closed:
                raise ClosedError
            waiting = self.waiting
            if waiting and waiting + job.left > self._most_waiting:
                raise QueueFullError
            self._jobs.append(job)
            self._changed.notify_all()
        return job

    def drop(self, job: Job) -> None:
        """Remove a job: its items that still wait are not embedded."""
        with self._changed:
            if job in self._jobs:
                self._jobs.remove(job)

    def close(self) -> None:
        """End: jobs that wait fail. The batch that runs goes on, since a model cannot be stopped."""
        with self._changed:
            self._closed = True
            for job in self._jobs:
                job.fail(ClosedError())
            self._jobs.clear()
            self._changed.notify_all()

    def running_for(self) -> float:
        """Return the seconds since the running batch began, or 0 if no batch runs."""
        return time.monotonic() - began if (began := self._began) else 0.0

    def _run(self) -> None:
        while not self._closed:
            if pieces := self._next():
                self._began = time.monotonic()
                self._embed(pieces)
                self._began = 0.0

    def _next(self) -> list[tuple[Job, Sequence[Any]]]:
        """Wait for items and return a batch of them. It is empty at the end, or if the items were dropped."""
        with self._changed:
            self._changed.wait_for(lambda: self._jobs or self._closed)
            self._changed.wait_for(self._is_ready, LINGER)
            return self._take()

    def _is_ready(self) -> bool:
        """Return whether the batch would gain nothing by waiting longer."""
        if self._closed or not self._jobs or not self._coming:
            return True
        return sum(job.left for job in self._jobs if job.kind == self._jobs[0].kind) >= self._batch

    def _take(self) -> list[tuple[Job, Sequence[Any]]]:
        pieces: list[tuple[Job, Sequence[Any]]] = []
        room = self._batch
        for job in [job for job in self._jobs if job.kind == self._jobs[0].kind]:
            if room:
                pieces.append((job, job.items[job.taken : job.taken + room]))
                job.taken += len(pieces[-1][1])
                room -= len(pieces[-1][1])
                self._jobs.remove(job)
                if job.left:
                    self._jobs.append(job)
        return pieces

    def _embed(self, pieces: Sequence[tuple[Job, Sequence[Any]]]) -> None:
        """Embed a batch. If it fails, embed each job of it alone, so that only the job with the fault fails."""
        items = [item for _, part in pieces for item in part]
        try:
            rows = getattr(self._encoder, pieces[0][0].kind)(items)
        except Exception as error:  # noqa: BLE001 - the thread goes on; the error is raised by `vectors`
            if len(pieces) == 1:
                self.drop(pieces[0][0])
                pieces[0][0].fail(error)
                return
            for piece in pieces:
                self._embed([piece])
            return
        ends = np.cumsum([len(part) for _, part in pieces])
        for (job, _), found in zip(pieces, np.split(rows, ends[:-1]), strict=True):
            job.add(found, len(items))
