"""
Requests to a server and their answers: one connection for each thread, every wait bounded, what is safe tried again.

All requests may be sent twice: embedding changes nothing.
"""

from __future__ import annotations

import http
import http.client
import io
import os
import random
import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from meetup2025 import settings
from meetup2025.embedding.addresses import TimedReader, set_time_left
from meetup2025.errors import EncoderUnavailableError, InterfaceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meetup2025.embedding.addresses import Address

CONNECT_SECONDS = 5.0
"""Time for a connection, in which a server that is being started again is waited for."""

MOST_BYTES = 64_000_000
"""Largest answer: that of 32 vectors of 8192 numbers as text is a tenth of it."""

_AFTER_LOSS = 0.1
"""Seconds before the second try, twice that before the third: a balancer may not know yet which server is lost."""

_TRIES = 3
"""Connections on which a request may get no answer: more would bring down one server after another."""


class NoAnswerError(Exception):
    """The server was lost before its answer was whole."""


class Exchange:
    """
    Sends requests to one server.

    Attributes:
        timeout: Seconds for a request, all its tries together.
    """

    def __init__(self, address: Address, timeout: float) -> None:
        self._address = address
        self.timeout = timeout
        self._kept = threading.local()

    def get(self, path: str) -> tuple[int, bytes]:
        """Send a GET; see `post`."""
        return self._send("GET", path, None)

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """
        Send a JSON body.

        Returns:
            Status and body of the answer, of any status but 429 and 503 with a Retry-After.

        Raises:
            EncoderUnavailableError: No answer in time.
        """
        return self._send("POST", path, body)

    def _send(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        until = time.monotonic() + self.timeout
        lost = 0
        while True:
            connection, is_new = self._connection(until)
            try:
                status, answer, retry_after = connection.exchange(method, path, body, until)
            except NoAnswerError as exc:
                self._forget()
                lost += is_new  # one that was kept may have been closed long ago
                if lost >= _TRIES:
                    raise self._unavailable(f"no answer, {lost} times") from exc
                self._pause(_AFTER_LOSS * lost, until, "no answer")
            except TimeoutError as exc:
                self._forget()
                raise self._unavailable(f"no answer within {self.timeout:g} seconds") from exc
            except (OSError, http.client.HTTPException, ValueError) as exc:
                self._forget()
                raise self._unavailable(f"an answer that broke off or is not HTTP: {_words(exc)}") from exc
            except BaseException:
                self._forget()  # else the next request would get the answer to this one
                raise
            else:
                if connection.is_closed:
                    self._forget()
                if retry_after is None:
                    return status, answer
                self._pause(retry_after, until, f"status {status}: it is busy")

    def _connection(self, until: float) -> tuple[_Connection, bool]:
        """Give the connection of this thread, and whether it is new. That of another process is not used."""
        kept: _Connection | None = getattr(self._kept, "connection", None)
        if kept is not None and kept.process == os.getpid():
            return kept, False
        started = time.monotonic()
        last = min(until, started + CONNECT_SECONDS)
        while True:
            connection = _Connection(self._address, last)
            try:
                connection.connect()
            except (ConnectionRefusedError, FileNotFoundError, ConnectionResetError, BlockingIOError) as exc:
                connection.close()
                if time.monotonic() + 0.1 > last:
                    raise self._unavailable(f"no connection: {_words(exc)}") from exc
                time.sleep(0.1)
            except (OSError, ValueError) as exc:  # the second for names that are no names of hosts
                connection.close()
                raise self._unavailable(f"no connection: {_words(exc)}") from exc
            else:
                self._kept.connection = connection
                return connection, True

    def _forget(self) -> None:
        connection: _Connection | None = self._kept.__dict__.pop("connection", None)
        if connection is not None:
            connection.drop()

    def _pause(self, seconds: float, until: float, got: str) -> None:
        """Wait as the server asks, and a little more or less, so that not all clients come back at once."""
        pause = seconds * random.uniform(1.0, 1.5)  # noqa: S311 - no secret
        if time.monotonic() + pause >= until:
            raise self._unavailable(f"{got}, for {self.timeout:g} seconds")
        time.sleep(pause)

    def _unavailable(self, got: str) -> EncoderUnavailableError:
        what = f"The encoder server {self._address} must answer. Got {got}"
        return EncoderUnavailableError(f"{what}; start it, or unset MEETUP2025_ENCODER or the setting Worker.")


class _Connection(http.client.HTTPConnection):
    """A connection over TCP, TLS or a Unix socket, whose waits all end at *until*."""

    def __init__(self, address: Address, until: float) -> None:
        super().__init__(address.host if address.scheme != "unix" else "localhost", address.port or None)
        self._address = address
        self.until = until
        self.process = os.getpid()
        self._timed: _TimedSocket | None = None

    @property
    def is_closed(self) -> bool:
        """Whether the server wanted it closed."""
        return self.sock is None

    def connect(self) -> None:
        """Connect, by the time."""
        self._timed = _TimedSocket(self._opened(), self.until)
        self.sock: Any = self._timed  # it has what the base class uses

    def drop(self) -> None:
        """Close it, and what reads from it: the base class leaves that open until an answer is read."""
        self.close()
        if self._timed is not None:
            self._timed.drop()

    __del__ = drop  # that of a thread which has ended

    def exchange(self, method: str, path: str, body: bytes | None, until: float) -> tuple[int, bytes, float | None]:
        """
        Send a request and read the answer.

        Returns:
            Status and body of the answer, and the seconds after which to try again, if it says so.

        Raises:
            NoAnswerError: The connection was closed before there was a whole answer, or the server behind a proxy.
        """
        self.sock.until = until
        try:
            self.request(method, self._address.prefix + path, body, _headers(body))
            response = self.getresponse()
            answer = response.read(MOST_BYTES + 1)
        except (ConnectionError, http.client.IncompleteRead) as exc:
            raise NoAnswerError from exc
        if len(answer) > MOST_BYTES:
            raise ValueError(f"more than {MOST_BYTES} bytes")
        if response.length or response.status == http.HTTPStatus.BAD_GATEWAY:  # the first is what is missing
            raise NoAnswerError
        if response.will_close:
            self.close()
        return response.status, answer, _retry_after(response)

    def _opened(self) -> socket.socket:
        address = self._address
        if address.scheme == "unix":
            connection = socket.socket(socket.AF_UNIX)
            with _closed_if_it_fails(connection):
                set_time_left(connection, self.until)
                connection.connect(address.host)
            return connection
        left = max(0.001, self.until - time.monotonic())
        connection = socket.create_connection((address.host, address.port), left)
        with _closed_if_it_fails(connection):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if address.scheme == "https":
                import ssl

                return ssl.create_default_context().wrap_socket(connection, server_hostname=address.host)
        return connection


class _TimedSocket:
    """What the connections of the standard library use of a socket, with an end of all waits."""

    def __init__(self, connection: socket.socket, until: float) -> None:
        self._connection = connection
        self._reader: io.BufferedReader | None = None
        self.until = until

    def sendall(self, data: bytes) -> None:
        set_time_left(self._connection, self.until)
        self._connection.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:  # noqa: ARG002 - it is always "rb"
        self._reader = io.BufferedReader(TimedReader(self._connection, self.until))
        return self._reader

    def close(self) -> None:
        self._connection.close()

    def drop(self) -> None:
        self.close()
        if self._reader is not None:
            self._reader.close()


@contextmanager
def _closed_if_it_fails(connection: socket.socket) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.close()
        raise


def _headers(body: bytes | None) -> dict[str, str]:
    headers = {"Accept": "application/json"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    if token := settings.encoder_token():
        if not (token.isascii() and token.isprintable()):
            raise InterfaceError("MEETUP2025_ENCODER_TOKEN must be printable ASCII. Got other characters.")
        headers["Authorization"] = f"Bearer {token}"
    return headers


def _retry_after(response: Any) -> float | None:
    """Give the seconds to wait before another try, where the server asks for one."""
    if response.status not in {429, 503}:
        return None
    text = response.headers.get("Retry-After", "")
    return max(0.05, float(text)) if text.isdecimal() and text.isascii() and len(text) < 6 else None


def _words(error: Exception) -> str:
    return f"{getattr(error, 'strerror', None) or str(error) or type(error).__name__}"
