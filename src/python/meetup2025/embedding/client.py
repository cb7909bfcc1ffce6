"""
The client of an encoder server: `meetup2025 serve`, or any other that speaks the embeddings form of OpenAI.

A process that uses one loads no model. What a foreign server does not tell is said in its URL, after a question mark:

- `size`: pixels of the pictures that it gets, on their longest side. Default: 512, which goes up to 1023.
- `pictures`: `object` sends `{"image": "data:…"}` (Jina, SGLang), `modality` sends data URLs with `"modality": "image"`
  (infinity). Default: `object`.
- `timeout`: seconds for an answer. Default: 60. It may be said of every server.

Requests to a server and their answers: one connection for each thread, every wait bounded, what is safe tried again.

All requests may be sent twice: embedding changes nothing.
"""

from __future__ import annotations

import base64
import binascii
import http
import http.client
import io
import json
import os
import random
import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from meetup2025 import settings, vectors
from meetup2025.embedding.addresses import TimedReader, parse_address, set_time_left
from meetup2025.errors import (
    BrokenModelError,
    DataError,
    EncoderUnavailableError,
    InterfaceError,
    InvalidVectorError,
    MissingModelError,
    ModelMismatchError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray
    from PIL import Image

    from meetup2025.embedding.addresses import Address


BATCH = 32
"""Items of a request: a few batches of a server, which lets others have their turn between them."""

BATCH_CHARACTERS = 8_000_000
"""Characters of a request, unless one item alone has more: a quarter of what a server of ours takes."""

TIMEOUT = 60.0
"""Seconds for an answer."""

PICTURE_SIZE = 512
"""Pixels of the longest side of a picture for a server that does not tell what its model sees."""

_OPTIONS = {"size", "pictures", "timeout"}
_SHOWN = 300


class RemoteEncoder:
    """
    An `Encoder` of a server; threads may share it, and processes that fork.

    Attributes:
        is_outdated: Whether the server has another model by now; vectors of this one can no longer be made.
    """

    def __init__(self, url: str, name: str) -> None:
        self._address = parse_address(url)
        size = int(_number(self._address, "size", PICTURE_SIZE))
        self._exchange = Exchange(self._address, _number(self._address, "timeout", TIMEOUT))
        self.is_outdated = False
        told = self._told(name)
        self.is_ours = "picture_size" in told
        self.model = str(told.get("model", name)) if self.is_ours else name
        self._modality = self._address.options.get("pictures", "object") == "modality"
        self.picture_size = self._positive("picture_size", told["picture_size"] if self.is_ours else size)
        self._dimension = 0
        dimension = told["dimension"] if self.is_ours and "dimension" in told else self.texts(["fish"]).shape[1]
        self._dimension = self.dimension = self._positive("dimension", dimension)

    def texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """
        Embed texts; one longer than the model reads is cut.

        Returns:
            Array of shape (n, d), in the order given; rows of unit length.

        Raises:
            DataError: A text is empty, or the server refuses it.
            BrokenModelError: The server gives no vectors, or some of another dimension.
            ModelMismatchError: The server has another model by now.
            EncoderUnavailableError: The server gives no answer in time, or one that makes no sense.
        """
        for place, text in enumerate(texts, start=1):
            if not text.strip():
                raise DataError(f"A text to embed must not be empty. Got {text!r}, text {place} of {len(texts)}.")
        return self._embed(texts, lambda batch: {"input": batch})

    def images(self, pictures: Sequence[Image.Image]) -> NDArray[np.float32]:
        """
        Embed pictures of any size and mode; large ones are made smaller first.

        Returns:
            Array of shape (n, d), in the order given; rows of unit length.

        Raises:
            BrokenModelError: As `texts`.
            ModelMismatchError: As `texts`.
            EncoderUnavailableError: As `texts`.
        """
        urls = (data_url(each, self.picture_size, is_packed=not self.is_ours) for each in pictures)
        if self._modality:
            return self._embed(urls, lambda batch: {"input": batch, "modality": "image"})
        return self._embed(urls, lambda batch: {"input": [{"image": url} for url in batch]})

    def check(self) -> None:
        """
        Have a text and a picture embedded, before vectors are stored.

        Raises:
            BrokenModelError: As `texts`.
            ModelMismatchError: As `texts`.
            EncoderUnavailableError: As `texts`.
        """
        from PIL import Image

        self.texts(["fish"])
        self.images([Image.new("RGB", (self.picture_size, self.picture_size), "grey")])

    def _told(self, name: str) -> Mapping[str, Any]:
        """Find what the server tells of a model; nothing, where it has no list of models."""
        status, answer = self._exchange.get("/models")
        if status in {404, 405, 501}:
            return {}
        found = self._answered(status, answer).get("data")
        models = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
        for each in models:
            if name in (each.get("id"), each.get("model")):
                return each
        known = ", ".join(str(each.get("id"))[:_SHOWN] for each in models) or "none"
        raise MissingModelError(
            f"The encoder server {self._address} must have the model. Got {name!r}; it has: {known}. "
            "Set MEETUP2025_MODEL to one of these, or start it with another."
        )

    def _embed(self, items: Iterable[str], form: Callable[[list[str]], dict[str, Any]]) -> NDArray[np.float32]:
        found = [np.empty((0, self._dimension), np.float32)]
        for batch in _batches(items):
            body = {"model": self.model, "encoding_format": "base64", **form(batch)}
            answer = self._answered(*self._exchange.post("/embeddings", json.dumps(body).encode()))
            found.append(self._vectors(answer, len(batch)))
        return np.concatenate(found if len(found) == 1 else found[1:])

    def _answered(self, status: int, body: bytes) -> dict[str, Any]:
        """Read an answer that went well, or raise what did not."""
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError) as exc:
            raise self._senseless(f"status {status} and no JSON: {body[:60]!r}") from exc
        if status == 200 and isinstance(answer, dict):
            return answer
        said = _said(answer)
        if status == 404 and "model" in said:
            raise self._outdated(said)
        if status in {400, 413, 422}:
            raise DataError(f"What is embedded must be as the encoder server {self._address} takes it. Got: {said}")
        if status in {401, 403}:
            raise EncoderUnavailableError(
                f"The encoder server {self._address} must know the token. Got {status}; set MEETUP2025_ENCODER_TOKEN."
            )
        rule = f"The encoder server {self._address} must give vectors"
        raise EncoderUnavailableError(f"{rule}. Got status {status}: {said}")

    def _vectors(self, answer: Mapping[str, Any], count: int) -> NDArray[np.float32]:
        model = answer.get("model")
        if not isinstance(model, str):
            raise self._senseless("an answer that names no model")
        if model != self.model:
            raise self._outdated(f"vectors of {model!r}"[:_SHOWN])
        rows: dict[Any, Any] = {}
        try:
            rows = {each["index"]: _row(each["embedding"]) for each in answer["data"]}
            array = np.stack([rows[place] for place in range(count)])
        except (KeyError, TypeError, ValueError, binascii.Error) as exc:
            raise self._senseless(f"no list of {count} vectors: {type(exc).__name__}: {exc}"[:_SHOWN]) from exc
        try:
            return vectors.unit(vectors.check(array, dimension=self._dimension or None)).astype(np.float32)
        except InvalidVectorError as exc:
            rule = f"The encoder server {self._address} must give vectors of {self.model}"
            raise BrokenModelError(f"{rule}. Got others: {exc}") from exc

    def _positive(self, name: str, value: Any) -> int:
        if not isinstance(value, int) or not 1 <= value <= 8192:
            raise self._senseless(f"a {name} of {value!r}"[:_SHOWN])
        return value

    def _senseless(self, got: str) -> EncoderUnavailableError:
        rule = f"The encoder server {self._address} must answer in the embeddings form of OpenAI"
        return EncoderUnavailableError(f"{rule}. Got {got}.")

    def _outdated(self, got: str) -> ModelMismatchError:
        self.is_outdated = True
        rule = f"The encoder server {self._address} must have {self.model}, as it did before"
        return ModelMismatchError(f"{rule}. Got: {got}; load the vectors anew with the new model.")


_encoders: dict[tuple[str, str], RemoteEncoder] = {}
_lock = threading.Lock()


def remote_encoder(url: str, name: str) -> RemoteEncoder:
    """
    Return the model of that name of a server: one object in a process, until the server has another model.

    Args:
        url: Address of the server; see `addresses.parse_address` and the options of this module.
        name: Id of the model, with or without its revision.

    Raises:
        InterfaceError: The URL is of no use.
        MissingModelError: The server does not have it.
        EncoderUnavailableError: The server gives no answer in time, or one that makes no sense.
    """
    found = _encoders.get((url, name))
    if found is None or found.is_outdated:
        found = RemoteEncoder(url, name)
        with _lock:
            _encoders[url, name] = found
    return found


def data_url(picture: Image.Image, size: int, *, is_packed: bool) -> str:
    """
    Turn a picture into a data URL, without loss.

    Args:
        picture: Of any size and mode.
        size: What the model sees; the longest side becomes this to twice this, as `images.open_picture` does it.
        is_packed: PNG, which every server reads; else BMP, which takes a thirtieth of the time.
    """
    colours = picture.convert("RGB")
    small = colours.reduce(max(1, max(colours.size) // size))
    stream = io.BytesIO()
    if is_packed:
        small.save(stream, "PNG", compress_level=1)
    else:
        small.save(stream, "BMP")
    kind = "png" if is_packed else "bmp"
    return f"data:image/{kind};base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"


def _batches(items: Iterable[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    for item in items:
        if len(batch) == BATCH or sum(map(len, batch)) + len(item) > BATCH_CHARACTERS:
            if batch:
                yield batch
            batch = []
        batch.append(item)
    if batch:
        yield batch


def _row(value: Any) -> NDArray[Any]:
    """Read a vector, of base64 or of numbers."""
    if isinstance(value, str):
        return np.frombuffer(base64.b64decode(value, validate=True), "<f4")
    return np.array([float(number) for number in value])


def _said(answer: Any) -> str:
    """Find the message in an error, in the form of OpenAI or of FastAPI."""
    if isinstance(answer, dict):
        error = answer.get("error", answer)
        error = error.get("message", error) if isinstance(error, dict) else error
        answer = answer.get("detail", error) if "error" not in answer else error
    return str(answer)[:_SHOWN]


def _number(address: Address, name: str, default: float) -> float:
    """Read a number of the URL."""
    if unknown := set(address.options) - _OPTIONS:
        raise InterfaceError(f"The options of a URL must be {', '.join(sorted(_OPTIONS))}. Got {sorted(unknown)}.")
    text = address.options.get(name, "")
    try:
        number = float(text) if text else default
    except ValueError:
        number = -1.0
    if not 0 < number <= 86_400:
        raise InterfaceError(f"{name} in the URL of the encoder server must be a number above 0. Got {text!r}.")
    return number


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
