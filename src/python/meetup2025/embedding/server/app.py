"""
The WSGI application of the encoder server (PEP 3333): paths, tokens, and answers in the form of OpenAI.
"""

from __future__ import annotations

import hmac
import json
import threading
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import numpy as np

from meetup2025 import images
from meetup2025.embedding.onnx import threads
from meetup2025.embedding.server.batcher import Batcher, ClosedError, QueueFullError
from meetup2025.embedding.server.form import RejectedError, read_request, write_answer, write_model, write_models
from meetup2025.embedding.server.log import PATH, Line
from meetup2025.errors import DataError, MeetUpError, UnreadableImageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray
    from PIL.Image import Image

    from meetup2025.embedding import Encoder
    from meetup2025.embedding.server.batcher import Job, Kind
    from meetup2025.embedding.server.form import Limits
    from meetup2025.embedding.server.log import Numbers

_EMBEDDINGS, _MODELS, _HEALTH = "/v1/embeddings", "/v1/models", "/healthz"

_METHODS = {_EMBEDDINGS: "POST", _MODELS: "GET", _HEALTH: "GET"}

_AGAIN = {"Retry-After": "1"}


@dataclass(frozen=True, slots=True)
class Reply:
    """The status, the headers and the body of an answer."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class EncoderApplication:
    """
    A WSGI callable that embeds.

    Args:
        encoder: The model.
        token: Token that a client must send. An empty one lets every client in.
        limits: Limits of requests.
        log: Called with a line for each request.
        metrics: Counts the requests, and answers /metrics.
    """

    def __init__(
        self,
        encoder: Encoder,
        token: str,
        limits: Limits,
        log: Callable[[str], None] | None,
        metrics: Numbers | None = None,
    ) -> None:
        self.limits = limits
        self._encoder = encoder
        self._token = token
        self._log = log
        self._metrics = metrics
        self._batcher = Batcher(encoder, most_waiting=limits.waiting)
        # Opening a large picture takes half a gigabyte of memory.
        self._decoders = threading.BoundedSemaphore(threads())
        if metrics:
            metrics.gauge("waiting", "Inputs that wait for the model.", lambda: self._batcher.waiting)
            metrics.gauge("model", "The model that is served.", lambda: 1, model=encoder.model)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        began = time.monotonic()
        notes: list[str] = []
        reply = self._answered(environ, notes)
        took = time.monotonic() - began
        if self._metrics:
            self._metrics.count(environ["PATH_INFO"], environ["REQUEST_METHOD"], reply.status, took)
        if self._log:
            self._log(Line.of_request(environ["REQUEST_METHOD"], environ["REQUEST_URI"], reply.status, took, notes))
        headers = {"Content-Type": "application/json", "Content-Length": str(len(reply.body)), **reply.headers}
        start_response(f"{reply.status} {HTTPStatus(reply.status).phrase}", [*headers.items()])
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else reply.body]

    def end(self) -> None:
        """Embed no more. A request that waits for its turn is told that the server ends."""
        self._batcher.close()

    def _answered(self, environ: dict[str, Any], notes: list[str]) -> Reply:
        """Answer a request, whatever happens: a fault of this program must not end the other requests."""
        try:
            return self._reply(environ, notes)
        except RejectedError as error:
            rejected = error
        except Exception as error:  # noqa: BLE001
            notes.append(f"{type(error).__name__}: {error}")
            rejected = RejectedError(500, "The server has a fault; its log says more.", "internal_error")
        notes.append(rejected.code)
        return Reply(rejected.body, rejected.status, rejected.headers)

    def _reply(self, environ: dict[str, Any], notes: list[str]) -> Reply:
        path = environ["PATH_INFO"]
        model = path.removeprefix(f"{_MODELS}/") if path.startswith(f"{_MODELS}/") else ""
        route = _MODELS if model else path
        if route == PATH and self._metrics:
            kind, page = self._metrics.page()
            return Reply(page, headers={"Content-Type": kind})
        if route not in _METHODS:
            known = ", ".join(_METHODS)
            raise RejectedError(404, f"The path must be one of {known}. Got {path[:100]!r}.", "unknown_path")
        if route != _HEALTH:
            self._check_token(environ.get("HTTP_AUTHORIZATION", ""))
        _check_method(environ["REQUEST_METHOD"], _METHODS[route])
        if route == _HEALTH:
            return self._health()
        if route == _EMBEDDINGS:
            return self._embeddings(environ["wsgi.input"].read(), notes)
        name = model.encode("latin-1").decode("utf-8", "replace")  # PEP 3333 has the bytes of a path as latin-1
        return Reply(write_model(self._encoder, name) if name else write_models(self._encoder))

    def _check_token(self, header: str) -> None:
        """Check the token of a request, in a time that does not depend on the token."""
        kind, _, given = header.partition(" ")
        is_right = hmac.compare_digest(given.strip().encode("utf-8", "replace"), self._token.encode())
        if self._token and not (is_right and kind.lower() == "bearer"):
            message = "The header Authorization must be Bearer and the token of this server. Got none or another."
            raise RejectedError(401, message, "invalid_api_key", headers={"WWW-Authenticate": "Bearer"})

    def _health(self) -> Reply:
        """Answer whether the model makes progress, and how many items wait for it."""
        is_stuck = self._batcher.running_for() > self.limits.seconds
        found = {"status": "stuck" if is_stuck else "ok", "waiting": self._batcher.waiting}
        return Reply(json.dumps(found).encode(), 503 if is_stuck else 200)

    def _embeddings(self, body: bytes, notes: list[str]) -> Reply:
        until = time.monotonic() + self.limits.seconds
        jobs: list[tuple[list[int], Job]] = []
        try:
            with self._batcher.coming():
                wanted = read_request(body, self._encoder, self.limits)
                notes.append(f"{len(wanted)} inputs")
                pictures = self._opened(wanted.pictures, until)
                if wanted.texts:
                    jobs.append(([*wanted.texts], self._submit("texts", [*wanted.texts.values()])))
                if pictures:
                    jobs.append(([*wanted.pictures], self._submit("images", pictures)))
            found = np.empty((len(wanted), self._encoder.dimension), np.float32)
            for indexes, job in jobs:
                found[indexes] = _vectors(job, until)
        finally:
            for _, job in jobs:
                self._batcher.drop(job)
        notes.append(f"batch {max(job.largest for _, job in jobs)}")
        return Reply(write_answer(found, wanted, self._encoder.model))

    def _opened(self, pictures: Mapping[int, str], until: float) -> list[Image]:
        """Open pictures. All requests together open a few at once."""
        return [self._picture(f"input[{index}]", source, until) for index, source in pictures.items()]

    def _picture(self, name: str, source: str, until: float) -> Image:
        left = until - time.monotonic()
        if left <= 0 or not self._decoders.acquire(timeout=left):
            raise _too_late(has_begun=False)
        try:
            return images.open_picture(source, longest=self._encoder.picture_size)
        except UnreadableImageError as exc:
            raise RejectedError(400, f"{name}: {exc}", "invalid_picture", parameter=name) from exc
        finally:
            self._decoders.release()

    def _submit(self, kind: Kind, items: Sequence[Any]) -> Job:
        try:
            return self._batcher.submit(kind, items)
        except QueueFullError as exc:
            message = f"At most {self.limits.waiting} inputs may wait. Got more; try again later."
            raise RejectedError(429, message, "queue_full", headers=_AGAIN) from exc
        except ClosedError as exc:
            raise _ending() from exc


def _check_method(given: str, wanted: str) -> None:
    if given != wanted and (given, wanted) != ("HEAD", "GET"):
        message = f"The method must be {wanted}. Got {given}."
        raise RejectedError(405, message, "unknown_method", headers={"Allow": wanted})


def _vectors(job: Job, until: float) -> NDArray[np.float32]:
    """Wait for the vectors of a job."""
    if not job.done.wait(max(0.0, until - time.monotonic())):
        raise _too_late(has_begun=job.taken > 0)
    try:
        return job.vectors()
    except ClosedError as exc:
        raise _ending() from exc
    except DataError as exc:
        raise RejectedError(400, str(exc), "invalid_input", parameter="input") from exc
    except MeetUpError as exc:
        raise RejectedError(500, str(exc), "model_failed") from exc


def _too_late(*, has_begun: bool) -> RejectedError:
    if has_begun:
        message = "The model must answer in time. Got no answer yet; send fewer inputs."
        return RejectedError(504, message, "timeout")
    return RejectedError(503, "The model must be free in time. Got no turn; try again.", "busy", headers=_AGAIN)


def _ending() -> RejectedError:
    message = "The server must be running. Got a request while it ends; try again."
    return RejectedError(503, message, "ending", headers=_AGAIN)
