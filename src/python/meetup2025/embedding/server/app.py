"""
What the server answers, and the connections that it serves.

One connection: reads requests, holds them to the limits, has them answered.

The HTTP of the standard library is enough: it was measured to be no slower than waitress and uvicorn, and takes
nothing to install.
"""

from __future__ import annotations

import hmac
import io
import json
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np

from meetup2025 import images
from meetup2025.embedding.addresses import TimedReader, set_time_left
from meetup2025.embedding.onnx import threads
from meetup2025.embedding.server.batcher import Batcher, ClosedError, QueueFullError
from meetup2025.embedding.server.form import RefusedError, read_request, write_answer, write_models
from meetup2025.embedding.server.listener import is_same_user
from meetup2025.errors import DataError, MeetUpError, UnreadableImageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from PIL.Image import Image

    from meetup2025.embedding import Encoder
    from meetup2025.embedding.server.batcher import Job, Kind
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


DRAINED_SECONDS = 2.0
"""Time for a client that sends what was refused: a connection closed at once would hide the answer from it."""


CLIENT_GONE = 499
"""What the log tells instead of a status when nobody is there to get one; as nginx does."""


@dataclass(frozen=True, slots=True)
class Request:
    """
    A request, as its handler sees it.

    Attributes:
        body: Reads the body.
        until: When the answer is due, in seconds of `time.monotonic`.
        hung_up: Tells whether the client has left.
        notes: What the log is to say.
    """

    body: Callable[[], bytes]
    until: float
    hung_up: Callable[[], bool]
    notes: list[str]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class GoneError(Exception):
    """The client hung up: nobody is there to answer."""


class Connection(BaseHTTPRequestHandler):
    """
    Serves one connection, request by request.

    Attributes:
        is_idle: Whether no request is being served; then a server that ends may cut it off.
    """

    protocol_version = "HTTP/1.1"
    is_idle = True

    def __init__(self, connection: socket.socket, service: Service) -> None:
        self.service = service
        service.register(connection, self)
        super().__init__(connection, ("", 0), None)  # type: ignore[arg-type]  # no server of the standard library

    def setup(self) -> None:
        """Prepare to read and write."""
        self.connection: socket.socket = self.request
        if self.connection.family in (socket.AF_INET, socket.AF_INET6):
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.trusted = is_same_user(self.connection)
        self.source = TimedReader(self.connection, 0.0)
        self.rfile: io.BufferedReader = io.BufferedReader(self.source)
        self.wfile: Any = io.BytesIO()  # for the "100 Continue" of the base class; answers are sent whole

    def finish(self) -> None:
        """Leave the connection to its owner."""
        self.rfile.close()

    def handle(self) -> None:
        """Serve requests until one side ends it."""
        self.close_connection = False
        with suppress(OSError, GoneError):
            while not (self.close_connection or self.service.is_ending):
                self.is_idle = True
                self.source.until = time.monotonic() + self.service.limits.idle
                if not self.rfile.peek(1):
                    return
                self.is_idle = False
                self.began = time.monotonic()
                self.source.until = self.began + self.service.limits.seconds
                self.notes: list[str] = []
                self.body_left = 0
                self.handle_one_request()

    def do_GET(self) -> None:
        """Serve a request, of any method that is known here."""
        try:
            reply = self.answer()
        except RefusedError as refused:
            self.refuse(refused)
        except TimeoutError:
            self.refuse(RefusedError(408, "The request must come in time. Got a part of it.", "request_timeout"))
        except (OSError, GoneError):
            self.log_line(CLIENT_GONE)
            raise
        except Exception as error:  # noqa: BLE001 - one request with a fault of ours must not end the others
            self.notes.append(f"{type(error).__name__}: {error}")
            self.refuse(RefusedError(500, "The server has a fault; its log tells more.", "internal_error"))
        else:
            self.close_connection |= self.body_left > 0  # else it would be taken for the next request
            self.reply(reply)

    def answer(self) -> Reply:
        """Have a request answered, if it may be."""
        handler = self.admit()
        return handler(self.service, Request(self.read_body, self.source.until, self.hung_up, self.notes))

    do_POST = do_HEAD = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_GET  # noqa: N815 - the base class looks for them

    def admit(self) -> Callable[[Service, Request], Reply]:
        """
        Decide by the head of a request whether it may go on.

        Raises:
            RefusedError: It may not.
        """
        self.body_left = self.length()
        path = urlsplit(self.path).path
        route = self.service.routes.get(path)
        if route is None:
            known = ", ".join(self.service.routes)
            raise RefusedError(404, f"The path must be one of {known}. Got {path[:100]!r}.", "unknown_path")
        if not (route.is_open or self.trusted or self.has_token()):
            wanted = {"WWW-Authenticate": "Bearer"}
            raise RefusedError(401, "The header Authorization must be Bearer and the token of this server. Got none "
                               "or another.", "invalid_api_key", headers=wanted)  # fmt: skip
        if self.command != route.method and not (self.command == "HEAD" and route.method == "GET"):
            allowed = {"Allow": route.method}
            message = f"The method must be {route.method}. Got {self.command}."
            raise RefusedError(405, message, "unknown_method", headers=allowed)
        if self.body_left > self.service.limits.body:
            most = f"{self.service.limits.body / 1e6:.0f} MB"
            got = f"{self.body_left / 1e6:.1f} MB; send it in parts"
            raise RefusedError(413, f"The body must have at most {most}. Got {got}.", "body_too_large")
        return route.handler

    def length(self) -> int:
        """
        Give the length of the body.

        What two servers could read in two ways is refused: a request could hide in the body of another.
        """
        given = self.headers.get_all("Content-Length", [])
        if self.headers.get("Transfer-Encoding") is not None:
            self.close_connection = True
            raise RefusedError(411, "A body must have a Content-Length. Got a Transfer-Encoding.", "length_required")
        if len(given) > 1 or not all(each.isascii() and each.isdecimal() and len(each) < 16 for each in given):
            self.close_connection = True
            raise RefusedError(400, "Content-Length must be one whole number. Got another thing.", "invalid_length")
        return int(given[0]) if given else 0

    def has_token(self) -> bool:
        """Tell whether the request has the token; how long that takes says nothing of the token."""
        kind, _, given = self.headers.get("Authorization", "").partition(" ")
        token = self.service.token
        is_right = hmac.compare_digest(given.strip().encode("utf-8", "replace"), token.encode())
        return is_right and bool(token) and kind.lower() == "bearer"

    def read_body(self) -> bytes:
        """Read the body, all of it."""
        body = self.rfile.read(self.body_left)
        if len(body) < self.body_left:
            raise GoneError
        self.body_left = 0
        return body

    def hung_up(self) -> bool:
        """Tell whether the client has closed the connection."""
        self.connection.settimeout(0)
        try:
            return not self.connection.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def handle_expect_100(self) -> bool:
        """Refuse a body before it is sent, or ask for it."""
        try:
            self.admit()
        except RefusedError as refused:
            self.refuse(refused, sent=False)
            return False
        self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        return True

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what the base class cannot read."""
        self.close_connection = True
        said = message or explain or HTTPStatus(code).phrase
        self.refuse(RefusedError(int(code), f"The request must be HTTP. Got: {said}.", "invalid_http"))

    def refuse(self, refused: RefusedError, *, sent: bool = True) -> None:
        """Answer with an error. A body that was not read ends the connection, after some of it is thrown away."""
        unread = self.body_left > 0 or self.close_connection
        self.close_connection |= unread
        self.notes.append(refused.code)
        self.reply(Reply(refused.body, refused.status, refused.headers))
        if unread and sent:
            self.drain()

    def drain(self) -> None:
        """Throw away what the client still sends, for a short time."""
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.source.until = time.monotonic() + DRAINED_SECONDS
            while self.rfile.read1(1 << 16):
                pass

    def reply(self, reply: Reply) -> None:
        """Send an answer."""
        self.close_connection |= self.service.is_ending
        phrase = HTTPStatus(reply.status).phrase
        headers = {"Content-Type": "application/json", "Content-Length": str(len(reply.body)), **reply.headers}
        headers["Connection"] = "close" if self.close_connection else "keep-alive"
        lines = [f"HTTP/1.1 {reply.status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
        head = "\r\n".join((*lines, "", "")).encode("latin-1")
        self.log_line(reply.status)
        self.send(head if getattr(self, "command", "") == "HEAD" else head + reply.body)

    def send(self, data: bytes) -> None:
        """Send, within the time of a request."""
        set_time_left(self.connection, time.monotonic() + self.service.limits.seconds)
        self.connection.sendall(data)

    def log_line(self, status: int) -> None:
        """Tell of a request, where somebody listens."""
        if self.service.log:
            took = f"{(time.monotonic() - self.began) * 1000:.1f} ms"
            what = f"{getattr(self, 'command', None) or '-'} {getattr(self, 'path', '-')}"
            line = " ".join((what, str(status), took, *self.notes))
            self.service.log("".join(each if each.isprintable() else "?" for each in line[:500]))

    def log_message(self, *_: Any) -> None:
        """Say nothing: the base class would write to standard error."""
