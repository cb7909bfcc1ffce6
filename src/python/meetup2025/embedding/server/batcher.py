"""
The one thread that runs the model, and the batches it makes of what many clients want.
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
Items that the model gets at once.
A small model takes 1.2 ms for a picture alone or among 8, a ViT-B/16 188 ms among 8 and 225 ms among 32 (two cores):
a larger batch gains nothing, and whoever comes next waits for all of it.
"""

LINGER = 0.003
"""Most seconds that a batch waits for requests that are being read: less than a small model takes for two pictures."""

MOST_WAITING = 512
"""Items that may wait. Decoded pictures are the largest of them: half a megabyte each."""


class QueueFullError(Exception):
    """More items wait than may."""


class ClosedError(Exception):
    """The server ends before the item had its turn."""


@dataclass(eq=False)
class Job:
    """
    Items of one request, all texts or all pictures.

    Attributes:
        taken: How many items the model has got.
        largest: Size of the largest batch that an item was in.
        error: Why there are no vectors.
        done: Set when there are vectors, or an error.
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
        """Give a row for each item, or raise what went wrong."""
        if self.error is not None:
            raise self.error
        return np.concatenate(self.found)

    def add(self, rows: NDArray[np.float32], batch: int) -> None:
        """Take the vectors of the next items."""
        self.found.append(rows)
        self.largest = max(self.largest, batch)
        if sum(map(len, self.found)) == len(self.items):
            self.done.set()

    def fail(self, error: Exception) -> None:
        """End with an error."""
        self.error = error
        self.done.set()


class Batcher:
    """
    Gathers what waits, up to `BATCH` items of one kind, and has the model embed it in one thread of its own.

    Jobs take turns, batch by batch: one of 2,000 texts does not keep one of a single text waiting for them all.
    A batch waits for more only while a request is being read, and then for `LINGER` seconds at most.
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
        """Tell that a request is being read, for which a batch may wait."""
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
        Let items wait for their turn.

        Raises:
            QueueFullError: Others wait, and too many with these.
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
        """Forget the items of a job that still wait."""
        with self._changed:
            if job in self._jobs:
                self._jobs.remove(job)

    def close(self) -> None:
        """End: what waits fails. What runs is not stopped, since nothing can stop it."""
        with self._changed:
            self._closed = True
            for job in self._jobs:
                job.fail(ClosedError())
            self._jobs.clear()
            self._changed.notify_all()

    def running_for(self) -> float:
        """Give the seconds that the model has been at the batch it runs; 0 when it runs none."""
        return time.monotonic() - began if (began := self._began) else 0.0

    def _run(self) -> None:
        while not self._closed:
            if pieces := self._next():
                self._began = time.monotonic()
                self._embed(pieces)
                self._began = 0.0

    def _next(self) -> list[tuple[Job, Sequence[Any]]]:
        """Wait for items and take a batch of them; nothing when they were dropped meanwhile, and at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._jobs or self._closed)
            self._changed.wait_for(self._is_ready, LINGER)
            return self._take()

    def _is_ready(self) -> bool:
        """Tell whether waiting longer would bring nothing."""
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
        """Embed a batch. One that fails is tried piece by piece, so that only the job with the fault fails."""
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
