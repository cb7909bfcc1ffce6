"""
The client of an encoder server: `meetup2025 serve`, or any other that speaks the embeddings form of OpenAI.

A process that uses one loads no model. What a foreign server does not tell is said in its URL, after a question mark:

- `size`: pixels of the pictures that it gets, on their longest side. Default: 512, which goes up to 1023.
- `pictures`: `object` sends `{"image": "data:…"}` (Jina, SGLang), `modality` sends data URLs with `"modality": "image"`
  (infinity). Default: `object`.
- `timeout`: seconds for an answer. Default: 60. It may be said of every server.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from meetup2025 import vectors
from meetup2025.embedding.addresses import parse_address
from meetup2025.embedding.exchange import Exchange
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
