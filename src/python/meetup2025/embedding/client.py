"""
The client of an encoder server: of `meetup2025 serve`, or of another server with the embeddings form of OpenAI.

A process with a client loads no model. The URL has options for a server of another project, after a question mark:

- `size`: pixels on the longest side of the pictures that the server gets. Default: 512, which means 512 to 1023.
- `pictures`: `object` sends `{"image": "data:…"}` (Jina, SGLang), `modality` sends data URLs with `"modality": "image"`
  (infinity). Default: `object`.
- `timeout`: seconds for an answer, for every server. Default: 60.

HTTP comes from the standard library, with one deadline for all tries of a request. httpx was measured: it doubles the
time to import a client (75 ms of processor time), needs six more packages in IRIS, and its timeouts begin anew with
each received byte.
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

from meetup2025 import files, settings, vectors
from meetup2025.embedding.addresses import parse_address
from meetup2025.embedding.texts import to_embed
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

    from meetup2025.embedding.addresses import ServerAddress

BATCH = 32
"""Items of a request. A server embeds them in a few batches, and between two batches other clients have their turn."""

BATCH_CHARACTERS = 8_000_000
"""Most characters of a request with several items: a quarter of the limit of `meetup2025 serve`."""

TIMEOUT = 60.0
"""Seconds for an answer, with all tries."""

PICTURE_SIZE = 512
"""Pixels on the longest side of a picture, for a server that does not say the picture size of its model."""

CONNECT_SECONDS = 5.0
"""Seconds for a connection. A server that is just being started is waited for."""

MOST_BYTES = 64_000_000
"""Most bytes of an answer: ten times the size of 32 vectors of 8192 numbers as text."""

_AFTER_LOSS = 0.1
"""Seconds before the second try, and twice as many before the third: a balancer may not know the lost server yet."""

_TRIES = 3
"""Most tries of a request without an answer. A request that ends servers must not end one after another."""

_OPTIONS = {"size", "pictures", "timeout"}

_SHOWN = 300
"""Most characters of an answer in a message."""


def remote_encoder(url: str, name: str) -> RemoteEncoder:
    """
    Return a model of a server. The process has one object for a model, until the server has another model.

    Args:
        url: Address of the server, with the options of this module. See `addresses.parse_address`.
        name: Id of the model, with or without its revision.

    Raises:
        InterfaceError: The URL has the wrong form.
        MissingModelError: The server does not have the model.
        EncoderUnavailableError: The server gives no answer in time, or an answer of another form.
    """
    found = _encoders.get((url, name))
    if found is None or found.is_outdated:
        found = RemoteEncoder(url, name)
        with _lock:
            _encoders[url, name] = found
    return found


class RemoteEncoder:
    """
    An `Encoder` that is a model of a server. Threads and forked processes may share it.

    Attributes:
        is_outdated: Whether the server has another model by now, and makes no more vectors of this one.
    """

    def __init__(self, url: str, name: str) -> None:
        self._address = parse_address(url)
        size = int(_option(self._address, "size", PICTURE_SIZE))
        self._exchange = Exchange(self._address, _option(self._address, "timeout", TIMEOUT))
        self.is_outdated = False
        described = self._described(name)
        self.is_ours = "picture_size" in described
        self.model = str(described.get("model", name)) if self.is_ours else name
        self._modality = self._address.options.get("pictures", "object") == "modality"
        self.picture_size = self._size("picture_size", described["picture_size"] if self.is_ours else size)
        languages = described.get("languages", ())
        self.languages = tuple(map(str, languages)) if isinstance(languages, list) else ()
        self._dimension = 0
        is_known = self.is_ours and "dimension" in described
        dimension = described["dimension"] if is_known else self.texts(["fish"]).shape[1]
        self._dimension = self.dimension = self._size("dimension", dimension)

    def texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """
        Embed texts. The model cuts a text that is too long for it.

        Returns:
            Array of shape (n, d), in the order of the texts. Rows have unit length.

        Raises:
            DataError: A text is empty, or the server refuses a text.
            BrokenModelError: The server gives no vectors, or vectors of another dimension.
            ModelMismatchError: The server has another model by now.
            EncoderUnavailableError: The server gives no answer in time, or an answer of another form.
        """
        return self._embed(to_embed(texts), lambda batch: {"input": batch})

    def images(self, pictures: Sequence[Image.Image]) -> NDArray[np.float32]:
        """
        Embed pictures of any size and mode. Large pictures are made smaller before they are sent.

        Returns:
            Array of shape (n, d), in the order of the pictures. Rows have unit length.

        Raises:
            BrokenModelError: As in `texts`.
            ModelMismatchError: As in `texts`.
            EncoderUnavailableError: As in `texts`.
        """
        urls = (data_url(each, self.picture_size, is_packed=not self.is_ours) for each in pictures)
        if self._modality:
            return self._embed(urls, lambda batch: {"input": batch, "modality": "image"})
        return self._embed(urls, lambda batch: {"input": [{"image": url} for url in batch]})

    def check(self) -> None:
        """
        Embed a text and a picture, before vectors are stored.

        Raises:
            BrokenModelError: As in `texts`.
            ModelMismatchError: As in `texts`.
            EncoderUnavailableError: As in `texts`.
        """
        from PIL import Image

        self.texts(["fish"])
        self.images([Image.new("RGB", (self.picture_size, self.picture_size), "grey")])

    def _described(self, name: str) -> Mapping[str, Any]:
        """Return the description of a model by the server. It is empty if the server has no list of models."""
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
            "Set MEETUP2025_MODEL to one of these, or start the server with another model."
        )

    def _embed(self, items: Iterable[str], form: Callable[[list[str]], dict[str, Any]]) -> NDArray[np.float32]:
        found = [np.empty((0, self._dimension), np.float32)]
        for batch in _batches(items):
            body = {"model": self.model, "encoding_format": "base64", **form(batch)}
            answer = self._answered(*self._exchange.post("/embeddings", json.dumps(body).encode()))
            found.append(self._vectors(answer, len(batch)))
        return np.concatenate(found if len(found) == 1 else found[1:])

    def _answered(self, status: int, body: bytes) -> dict[str, Any]:
        """Parse an answer of status 200. Raise the error of another status."""
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError) as exc:
            raise self._wrong_form(f"status {status} and no JSON: {body[:60]!r}") from exc
        if status == 200 and isinstance(answer, dict):
            return answer
        message = _message(answer)
        if status == 404 and "model" in message:
            raise self._outdated(message)
        if status in {400, 413, 422}:
            raise DataError(f"An input must be as the encoder server {self._address} takes it. Got: {message}")
        if status in {401, 403}:
            raise EncoderUnavailableError(
                f"The encoder server {self._address} must know the token. Got {status}; set MEETUP2025_ENCODER_TOKEN."
            )
        rule = f"The encoder server {self._address} must give vectors"
        raise EncoderUnavailableError(f"{rule}. Got status {status}: {message}")

    def _vectors(self, answer: Mapping[str, Any], count: int) -> NDArray[np.float32]:
        model = answer.get("model")
        if not isinstance(model, str):
            raise self._wrong_form("an answer that names no model")
        if model != self.model:
            raise self._outdated(f"vectors of {model!r}"[:_SHOWN])
        try:
            array = _rows(answer["data"], count)
        except (KeyError, TypeError, ValueError, binascii.Error) as exc:
            raise self._wrong_form(f"no list of {count} vectors: {type(exc).__name__}: {exc}"[:_SHOWN]) from exc
        try:
            return vectors.unit(vectors.check(array, dimension=self._dimension or None)).astype(np.float32)
        except InvalidVectorError as exc:
            rule = f"The encoder server {self._address} must give vectors of {self.model}"
            raise BrokenModelError(f"{rule}. Got others: {exc}") from exc

    def _size(self, name: str, value: Any) -> int:
        if not isinstance(value, int) or not 1 <= value <= 8192:
            raise self._wrong_form(f"a {name} of {value!r}"[:_SHOWN])
        return value

    def _wrong_form(self, got: str) -> EncoderUnavailableError:
        rule = f"The encoder server {self._address} must answer in the embeddings form of OpenAI"
        return EncoderUnavailableError(f"{rule}. Got {got}.")

    def _outdated(self, got: str) -> ModelMismatchError:
        self.is_outdated = True
        rule = f"The encoder server {self._address} must have {self.model}, as it did before"
        return ModelMismatchError(f"{rule}. Got: {got}; load the vectors again with the new model.")


_encoders: dict[tuple[str, str], RemoteEncoder] = {}
_lock = threading.Lock()


def data_url(picture: Image.Image, size: int, *, is_packed: bool) -> str:
    """
    Return a picture as a data URL, without loss.

    Args:
        picture: A picture of any size and mode.
        size: Picture size of the model. The longest side gets `size` to twice `size` pixels, as in
            `images.open_picture`.
        is_packed: Whether the picture becomes PNG, which every server reads. Otherwise it becomes BMP, which takes a
            thirtieth of the time.
    """
    colours = picture.convert("RGB")
    small = colours.reduce(max(1, max(colours.size) // size))
    stream = io.BytesIO()
    if is_packed:
        small.save(stream, "PNG", compress_level=1)
    else:
        small.save(stream, "BMP")
    kind = "png" if is_packed else "bmp"
    return files.data_url(f"image/{kind}", stream.getvalue())


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


def _rows(data: Any, count: int) -> NDArray[Any]:
    """
    Parse vectors, in the order of their indexes.

    Raises:
        ValueError: There are more or fewer vectors. Another form raises KeyError, TypeError or binascii.Error too.
    """
    rows = {each["index"]: _row(each["embedding"]) for each in data}
    if len(data) != count:
        raise ValueError(f"{len(data)} vectors")
    return np.stack([rows[index] for index in range(count)])


def _row(value: Any) -> NDArray[Any]:
    """Parse a vector, which is base64 or a list of numbers."""
    if isinstance(value, str):
        return np.frombuffer(base64.b64decode(value, validate=True), "<f4")
    return np.array([float(number) for number in value])


def _message(answer: Any) -> str:
    """Return the message of an error in the form of OpenAI or of FastAPI."""
    if isinstance(answer, dict):
        error = answer.get("error", answer)
        error = error.get("message", error) if isinstance(error, dict) else error
        answer = answer.get("detail", error) if "error" not in answer else error
    return str(answer)[:_SHOWN]


def _option(address: ServerAddress, name: str, default: float) -> float:
    """Parse a number in the options of a URL."""
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


class Exchange:
    """
    Sends requests to one server. Each thread keeps a connection.

    A request may be sent more than once, since embedding changes nothing on the server.

    Attributes:
        timeout: Seconds for a request, with all its tries.
    """

    def __init__(self, address: ServerAddress, timeout: float) -> None:
        self._address = address
        self.timeout = timeout
        self._kept = threading.local()

    def get(self, path: str) -> tuple[int, bytes]:
        """Send a GET. See `post`."""
        return self._send("GET", path, None)

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """
        Send a JSON body. A server that answers 429 or 503 with a Retry-After is asked again.

        Returns:
            Status and body of the answer.

        Raises:
            EncoderUnavailableError: There is no answer in time.
        """
        return self._send("POST", path, body)

    def _send(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        until = time.monotonic() + self.timeout
        lost = 0
        while True:
            connection, is_new = self._connection(until)
            try:
                status, answer, retry_after = connection.exchange(method, path, body, until)
            except _NoAnswerError as exc:
                self._forget()
                lost += is_new  # the server may have closed a kept connection long ago
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
                self._forget()  # otherwise the next request would get the answer to this one
                raise
            else:
                if connection.is_closed:
                    self._forget()
                if retry_after is None:
                    return status, answer
                self._pause(retry_after, until, f"status {status}: it is busy")

    def _connection(self, until: float) -> tuple[_Connection, bool]:
        """Return the connection of this thread, and whether it is new. A forked process gets a new one."""
        kept: _Connection | None = getattr(self._kept, "connection", None)
        if kept is not None and kept.process == os.getpid():
            return kept, False
        last = min(until, time.monotonic() + CONNECT_SECONDS)
        while True:
            connection = _Connection(self._address, last)
            try:
                connection.connect()
            except (ConnectionRefusedError, FileNotFoundError, ConnectionResetError, BlockingIOError) as exc:
                if time.monotonic() + 0.1 > last:
                    raise self._unavailable(f"no connection: {_words(exc)}") from exc
                time.sleep(0.1)
            except (OSError, ValueError) as exc:  # ValueError: the name of the host has a wrong form
                raise self._unavailable(f"no connection: {_words(exc)}") from exc
            else:
                self._kept.connection = connection
                return connection, True

    def _forget(self) -> None:
        connection: _Connection | None = self._kept.__dict__.pop("connection", None)
        if connection is not None:
            connection.close()

    def _pause(self, seconds: float, until: float, got: str) -> None:
        """Wait before the next try, up to half as long again, so that the clients do not all come back at once."""
        pause = seconds * random.uniform(1.0, 1.5)  # noqa: S311 - no secret
        if time.monotonic() + pause >= until:
            raise self._unavailable(f"{got}, for {self.timeout:g} seconds")
        time.sleep(pause)

    def _unavailable(self, got: str) -> EncoderUnavailableError:
        rule = f"The encoder server {self._address} must answer. Got {got}"
        return EncoderUnavailableError(f"{rule}; start it, or unset MEETUP2025_ENCODER or the setting Worker.")


class _NoAnswerError(Exception):
    """The server was lost before its answer was complete."""


class _Connection(http.client.HTTPConnection):
    """
    A connection over TCP, TLS or a Unix socket, with one deadline for everything that is sent and received.

    Attributes:
        process: Id of the process that opened the connection.
    """

    def __init__(self, address: ServerAddress, until: float) -> None:
        super().__init__(address.host if address.scheme != "unix" else "localhost", address.port or None)
        self._address = address
        self._until = until
        self.process = os.getpid()
        self.sock: Any = None

    @property
    def is_closed(self) -> bool:
        """Whether the server asked to close the connection."""
        return self.sock is None

    def connect(self) -> None:
        """Connect before the deadline."""
        connection = self._unix() if self._address.scheme == "unix" else self._tcp()
        connection.until = self._until
        self.sock = connection

    __del__ = http.client.HTTPConnection.close  # a thread that ends closes its connection

    def exchange(self, method: str, path: str, body: bytes | None, until: float) -> tuple[int, bytes, float | None]:
        """
        Send a request and read the answer.

        Returns:
            Status and body of the answer, and the seconds after which the server asks for another try.

        Raises:
            _NoAnswerError: The server, or the server behind a proxy, was lost before the answer was complete.
        """
        self.sock.until = until
        try:
            self.request(method, self._address.prefix + path, body, _headers(body))
            with self.getresponse() as response:
                answer = response.read(MOST_BYTES + 1)
        except (ConnectionError, http.client.IncompleteRead) as exc:
            raise _NoAnswerError from exc
        if len(answer) > MOST_BYTES:
            raise ValueError(f"more than {MOST_BYTES} bytes")
        if response.length or response.status == http.HTTPStatus.BAD_GATEWAY:  # length: the bytes that are missing
            raise _NoAnswerError
        if response.will_close:
            self.close()
        return response.status, answer, _retry_after(response)

    def _unix(self) -> _DeadlineSocket:
        connection = _DeadlineSocket(socket.AF_UNIX)
        with _closed_on_error(connection):
            connection.settimeout(_left(self._until))
            connection.connect(self._address.host)
        return connection

    def _tcp(self) -> _DeadlineSocket:
        opened = socket.create_connection((self._address.host, self._address.port), _left(self._until))
        connection = _DeadlineSocket(fileno=opened.detach())
        with _closed_on_error(connection):
            connection.settimeout(_left(self._until))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return _with_tls(connection, self._address.host) if self._address.scheme == "https" else connection


class _DeadlineSocket(socket.socket):
    """
    A socket that sends and receives until a point in time.

    The timeout of a socket begins anew with each received byte. Here the whole answer must come in time.

    Attributes:
        until: The deadline, in seconds of `time.monotonic`.
    """

    until = 0.0

    def sendall(self, data: Any, flags: int = 0) -> None:
        self.settimeout(_left(self.until))
        super().sendall(data, flags)

    def recv_into(self, *given: Any) -> int:
        self.settimeout(_left(self.until))
        return super().recv_into(*given)


def _with_tls(connection: _DeadlineSocket, host: str) -> _DeadlineSocket:
    import ssl

    class DeadlineTLSSocket(_DeadlineSocket, ssl.SSLSocket):
        pass

    context = ssl.create_default_context()
    context.sslsocket_class = DeadlineTLSSocket
    wrapped: Any = context.wrap_socket(connection, server_hostname=host)
    return wrapped  # type: ignore[no-any-return]


def _left(until: float) -> float:
    """
    Return the seconds that are left until a point in time.

    Raises:
        TimeoutError: No time is left.
    """
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("the time is over")
    return left


@contextmanager
def _closed_on_error(connection: _DeadlineSocket) -> Iterator[None]:
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
    """Return the seconds after which the server asks for another try, or None."""
    if response.status not in {429, 503}:
        return None
    text = response.headers.get("Retry-After", "")
    return max(0.05, float(text)) if text.isdecimal() and text.isascii() and len(text) < 6 else None


def _words(error: Exception) -> str:
    return f"{getattr(error, 'strerror', None) or str(error) or type(error).__name__}"
