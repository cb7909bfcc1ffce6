"""
What the server answers, and the connections that it serves.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from meetup2025 import images
from meetup2025.embedding.onnx import threads
from meetup2025.embedding.server.batches import Batcher, ClosedError, QueueFullError
from meetup2025.embedding.server.connection import Connection, GoneError, Reply
from meetup2025.embedding.server.form import RefusedError, read_request, write_answer, write_models
from meetup2025.errors import DataError, MeetUpError, UnreadableImageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from PIL.Image import Image

    from meetup2025.embedding import Encoder
    from meetup2025.embedding.server.batches import Job, Kind
    from meetup2025.embedding.server.connection import Request
    from meetup2025.embedding.server.form import Limits

_LOOKS = 0.1
"""Seconds between two looks at whether a waiting client is still there."""

_LAST_ANSWERS = 1.0
"""Seconds for the answers to requests that a server gives up when it ends."""

_AGAIN = {"Retry-After": "1"}


@dataclass(frozen=True, slots=True)
class Route:
    """
    What a path does.

    Attributes:
        is_open: Whether it is answered without a token.
    """

    method: str
    handler: Callable[[Service, Request], Reply]
    is_open: bool = False


class Service:
    """The model, the thread that runs it, and the connections."""

    def __init__(self, encoder: Encoder, token: str, limits: Limits, log: Callable[[str], None] | None) -> None:
        self.encoder = encoder
        self.token = token
        self.limits = limits
        self.log = log
        self.routes: Mapping[str, Route] = ROUTES
        self.is_ending = False
        self.batcher = Batcher(encoder, most_waiting=limits.waiting)
        # A large picture takes half a gigabyte while it is decoded.
        self._decoders = threading.BoundedSemaphore(threads())
        self._connections: dict[socket.socket, Connection | None] = {}
        self._lock = threading.Lock()

    def has_room(self) -> bool:
        """Tell whether one more connection can be served; where there are too many, close the one idle for longest."""
        if len(self._connections) < self.limits.connections:
            return True
        with self._lock:
            idle = [serving for serving in self._connections.values() if serving is not None and serving.is_idle]
        if idle:
            _cut(min(idle, key=lambda serving: serving.source.until).connection)
        return False

    def accept(self, connection: socket.socket) -> None:
        """Serve a connection, in a thread of its own."""
        with self._lock:
            self._connections[connection] = None
        threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def end(self, grace: float) -> None:
        """Finish the requests that run, within *grace* seconds, and serve no more."""
        self.is_ending = True
        self._wait_for_connections(grace)
        self.batcher.close()
        self._wait_for_connections(_LAST_ANSWERS)
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def decoded(self, pictures: Mapping[int, str], until: float) -> list[Image]:
        """
        Open pictures, a few at once in all requests.

        Raises:
            RefusedError: One is no picture, or the time is over.
        """
        return [self._decoded(f"input[{place}]", source, until) for place, source in pictures.items()]

    def submit(self, kind: Kind, items: Sequence[Any]) -> Job:
        """
        Let the model embed items when it is their turn.

        Raises:
            RefusedError: Too many wait.
        """
        try:
            return self.batcher.submit(kind, items)
        except QueueFullError as exc:
            message = f"At most {self.limits.waiting} inputs may wait. Got more; try again later."
            raise RefusedError(429, message, "queue_full", headers=_AGAIN) from exc
        except ClosedError as exc:
            raise _ending() from exc

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, suppress(OSError):
                Connection(connection, self)
        finally:
            with self._lock:
                del self._connections[connection]

    def register(self, connection: socket.socket, serving: Connection) -> None:
        """Remember who serves a connection."""
        with self._lock:
            self._connections[connection] = serving

    def _wait_for_connections(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while self._connections and time.monotonic() < until:
            with self._lock:
                idle = [each for each, serving in self._connections.items() if serving is None or serving.is_idle]
            for connection in idle:
                _cut(connection)
            time.sleep(0.01)

    def _decoded(self, name: str, source: str, until: float) -> Image:
        if not self._decoders.acquire(timeout=max(0.0, until - time.monotonic())):
            raise _too_late(504)
        try:
            return images.open_picture(source, longest=self.encoder.picture_size)
        except UnreadableImageError as exc:
            raise RefusedError(400, f"{name}: {exc}", "invalid_picture", parameter=name) from exc
        finally:
            self._decoders.release()


def _cut(connection: socket.socket) -> None:
    """Let no more requests come on a connection; its thread then ends."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RD)


def embeddings(service: Service, request: Request) -> Reply:
    """Answer `POST /v1/embeddings`."""
    jobs: list[tuple[list[int], Job]] = []
    try:
        with service.batcher.coming():
            wanted = read_request(request.body(), service.encoder, service.limits)
            request.notes.append(f"{len(wanted)} inputs")
            pictures = service.decoded(wanted.pictures, request.until)
            if wanted.texts:
                jobs.append(([*wanted.texts], service.submit("texts", [*wanted.texts.values()])))
            if pictures:
                jobs.append(([*wanted.pictures], service.submit("images", pictures)))
        found = np.empty((len(wanted), service.encoder.dimension), np.float32)
        for places, job in jobs:
            _wait(job, request)
            found[places] = _vectors(job)
        request.notes.append(f"batch {max(job.largest for _, job in jobs)}")
        return Reply(write_answer(found, wanted, service.encoder.model))
    finally:
        for _, job in jobs:
            service.batcher.drop(job)


def models(service: Service, request: Request) -> Reply:  # noqa: ARG001 - as all handlers
    """Answer `GET /v1/models`."""
    return Reply(write_models(service.encoder))


def health(service: Service, request: Request) -> Reply:  # noqa: ARG001
    """Answer `GET /healthz`: whether the model gets on, and how many items wait for it."""
    is_stuck = service.batcher.running_for() > service.limits.seconds
    told = {"status": "stuck" if is_stuck else "ok", "waiting": service.batcher.waiting}
    return Reply(json.dumps(told).encode(), 503 if is_stuck else 200)


ROUTES = {
    "/v1/embeddings": Route("POST", embeddings),
    "/v1/models": Route("GET", models),
    "/healthz": Route("GET", health, is_open=True),
}
"""What is answered, by path: another application that is to be served adds its own."""


def _wait(job: Job, request: Request) -> None:
    """Wait for a job while the client does, until the answer is due."""
    while not job.done.wait(max(0.0, min(_LOOKS, request.until - time.monotonic()))):
        if request.hung_up():
            raise GoneError
        if time.monotonic() >= request.until:
            raise _too_late(504 if job.taken else 503)


def _vectors(job: Job) -> Any:
    try:
        return job.vectors()
    except ClosedError as exc:
        raise _ending() from exc
    except DataError as exc:
        raise RefusedError(400, str(exc), "invalid_input", parameter="input") from exc
    except MeetUpError as exc:
        raise RefusedError(500, str(exc), "model_failed") from exc


def _too_late(status: int) -> RefusedError:
    if status == 503:
        return RefusedError(503, "The model must be free in time. Got no turn; try again.", "busy", headers=_AGAIN)
    return RefusedError(504, "The model must answer in time. Got nothing yet; send fewer inputs.", "timeout")


def _ending() -> RefusedError:
    return RefusedError(503, "The server must be up. Got a request while it ends; try again.", "ending", headers=_AGAIN)
