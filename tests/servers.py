"""Encoder servers for the tests: ours in a thread or a process, and servers with given answers."""

from __future__ import annotations

import http.client
import json
import os
import select
import socket
import ssl
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hashed import HashedEncoder

from meetup2025.embedding.server import Limits, serve_forever

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

TOKEN = "a-token-that-nobody-would-guess"  # noqa: S105 - of the tests
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}
FREE_PORT = "http://127.0.0.1:0"
LONG = 60.0
"""Seconds after which a test has failed, on a busy machine too. A test takes less than a tenth of it."""


class GatedEncoder(HashedEncoder):
    """An `Encoder` that runs a batch only while its gate is open, and remembers the batches."""

    dimension = 8

    def __init__(self) -> None:
        super().__init__("gated@1")
        self.gate = threading.Event()
        self.gate.set()
        self.batches: list[list[Any]] = []

    def check(self) -> None:
        """Check nothing."""

    def texts(self, texts: Sequence[str]) -> Any:
        """Embed texts. `fail` is a fault of the model."""
        self._pass(texts)
        if "fail" in texts:
            raise RuntimeError("a fault of the model")
        return super().texts(texts)

    def images(self, pictures: Sequence[Any]) -> Any:
        """Embed pictures."""
        self._pass([picture.size for picture in pictures])
        return super().images(pictures)

    def _pass(self, items: Sequence[Any]) -> None:
        self.batches.append(list(items))
        assert self.gate.wait(LONG)


@dataclass
class Served:
    """A running server."""

    url: str
    stop: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None
    log: list[str] = field(default_factory=list)

    @property
    def place(self) -> tuple[str, int]:
        """Host and port."""
        host, _, port = self.url.removeprefix("http://").rpartition(":")
        return host, int(port)

    def end(self) -> None:
        """Stop the server, and wait for its end."""
        self.stop.set()
        assert self.thread is not None
        self.thread.join(LONG)
        assert not self.thread.is_alive()


@contextmanager
def served(encoder: Any, address: str = FREE_PORT, *, limits: Limits | None = None, **options: Any) -> Iterator[Served]:
    """Serve an encoder in a thread, over a real socket."""
    found: list[str] = []
    is_ready = threading.Event()
    running = Served("")

    def ready(url: str) -> None:
        found.append(url)
        is_ready.set()

    settings = {"token": TOKEN, "grace": 1.0, "log": running.log.append, **options}
    running.thread = threading.Thread(
        target=serve_forever,
        args=(address, lambda: encoder),
        kwargs={"limits": limits, "stop": running.stop.is_set, "ready": ready, **settings},
    )
    running.thread.start()
    assert is_ready.wait(LONG)
    running.url = found[0]
    try:
        yield running
    finally:
        if hasattr(encoder, "gate"):
            encoder.gate.set()
        running.end()


def ask(
    running: Served, body: Any = None, path: str = "/v1/embeddings", *, headers: Any = None, method: str | None = None
) -> tuple[int, Any, http.client.HTTPMessage]:
    """Send one request on a connection of its own. Return status, answer and headers."""
    data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
    with closing(http.client.HTTPConnection(*running.place, timeout=LONG)) as connection:
        connection.request(method or ("GET" if data is None else "POST"), path, data, headers or AUTHORIZED)
        response = connection.getresponse()
        text = response.read()
        return response.status, json.loads(text) if text else None, response.headers


class Asking(threading.Thread):
    """A client that sends a request while the test goes on."""

    def __init__(self, running: Served, body: Any) -> None:
        super().__init__(daemon=True)
        self._running, self._body = running, body
        self.result: tuple[int, Any, Any] | None = None
        self.start()

    def run(self) -> None:
        """Send the request."""
        with suppress(OSError, http.client.HTTPException):
            self.result = ask(self._running, self._body)

    def answer(self) -> tuple[int, Any, Any]:
        """Wait for the answer."""
        self.join(LONG)
        assert self.result is not None
        return self.result


def until(condition: Any) -> None:
    """Wait for an expected event."""
    limit = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.002)


@contextmanager
def answering(*answers: bytes, pause: float = 0.0) -> Iterator[tuple[str, list[bytes]]]:
    """
    Answer requests with bytes: each connection gets the next of them, and is closed.

    Args:
        answers: Answers of the connections. The last is repeated. With an empty answer the connection is closed at
            once.
        pause: Seconds between two bytes of an answer, or 0.
    """
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        stop = threading.Event()

        def run() -> None:
            at = 0
            while not stop.is_set():
                with suppress(OSError):
                    connection, _ = listener.accept()
                    with connection:
                        heard.append(_read(connection))
                        _write(connection, answers[min(at, len(answers) - 1)], pause, stop)
                        at += 1

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", heard
        finally:
            stop.set()
            thread.join(LONG)


def _read(connection: socket.socket) -> bytes:
    connection.settimeout(LONG)
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [int(line.split(b":")[1]) for line in head.splitlines() if line.lower().startswith(b"content-length")]
    while lengths and len(body) < lengths[0]:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def _write(connection: socket.socket, answer: bytes, pause: float, stop: threading.Event) -> None:
    if not pause:
        connection.sendall(answer)
        return
    for place in range(len(answer)):
        if stop.wait(pause):
            return
        connection.sendall(answer[place : place + 1])


@contextmanager
def through_tls(running: Served, certificate: Path, key: Path) -> Iterator[str]:
    """Stand before a server, as a proxy with TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    stop = threading.Event()

    def serve(listener: socket.socket) -> None:
        while not stop.is_set():
            with suppress(OSError):
                connection, _ = listener.accept()
                with connection, context.wrap_socket(connection, server_side=True) as client:
                    _forward(client, running.place)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        try:
            yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            stop.set()
            thread.join(LONG)


def _forward(client: socket.socket, place: tuple[str, int]) -> None:
    """Pass requests on, one at a time, until the client closes or is silent."""
    client.settimeout(0.5)
    with socket.create_connection(place, timeout=LONG) as server:
        while data := client.recv(1 << 20):
            server.sendall(data)
            if select.select([server], [], [], 0.2)[0]:
                client.sendall(server.recv(1 << 20))


def http_answer(value: Any, status: str = "200 OK", **headers: str) -> bytes:
    """Write an answer of HTTP."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    lines = [
        f"{name.replace('_', '-')}: {text}" for name, text in {"Content_Length": str(len(body)), **headers}.items()
    ]
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "Connection: close", "", ""]).encode() + body


@contextmanager
def process(*arguments: str, environment: dict[str, str] | None = None) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start `meetup2025 serve` as a user does. Return the process and the address that it writes."""
    code = "from meetup2025.cli import main; main(prog_name='meetup2025')"
    with started([sys.executable, "-c", code, "serve", *arguments], environment) as running:
        yield running


@contextmanager
def started(
    command: list[str], environment: dict[str, str] | None = None
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start a server in a process of its own."""
    own = {**os.environ, **(environment or {})}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=own) as running:
        assert running.stdout is not None
        try:
            yield running, running.stdout.readline().strip()
        finally:
            running.kill()


def socket_in(folder: Path) -> str:
    """Return the address of a socket in a folder that does not exist yet."""
    return f"unix:{folder / 'own' / 'socket'}"
