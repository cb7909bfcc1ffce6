"""
The OpenAI form of embeddings: what a request may say, and what an answer or an error looks like.

Pictures come in the ways that servers of the field take them: `{"image": "data:image/png;base64,…"}` among the
inputs, or a data URL as an input. Nothing is fetched from other addresses.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from meetup2025.embedding import Encoder


@dataclass(frozen=True, slots=True)
class Limits:
    """
    What a server takes.

    Attributes:
        body: Bytes of a request.
        picture: Bytes of a picture, before base64.
        inputs: Texts and pictures of a request; that of OpenAI.
        characters: Characters of a text. No model reads so many; the text is cut.
        seconds: Time for a request, from its first byte to its answer.
        idle: Seconds that a connection may wait for its next request.
        connections: Connections that are open at once, each served by a thread. For one more an idle one is closed;
            when all are busy it waits to be accepted.
        waiting: Items that may wait for the model.
    """

    body: int = 32_000_000
    picture: int = 20_000_000
    inputs: int = 2048
    characters: int = 32_768
    seconds: float = 30.0
    idle: float = 60.0
    connections: int = 128
    waiting: int = 512


class RefusedError(Exception):
    """
    A request that gets an error for an answer.

    Attributes:
        status: Status of HTTP.
        code: Word for programs.
        parameter: Field of the request that is wrong.
        headers: Headers of the answer.
    """

    def __init__(
        self, status: int, message: str, code: str, *, parameter: str | None = None, headers: Mapping[str, str] = {}
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.parameter = parameter
        self.headers = headers

    @property
    def body(self) -> bytes:
        """The error in the form of OpenAI."""
        kinds = {429: "rate_limit_error"}
        kind = kinds.get(self.status, "invalid_request_error" if self.status < 500 else "server_error")
        error = {"message": str(self), "type": kind, "param": self.parameter, "code": self.code}
        return _json({"error": error})


@dataclass(frozen=True, slots=True)
class Wanted:
    """
    What a request asks for.

    Attributes:
        texts: Texts, by their places among the inputs.
        pictures: Pictures as data URLs or base64, by their places.
        is_base64: Whether vectors are to be base64 of float32, else they are numbers.
    """

    texts: Mapping[int, str]
    pictures: Mapping[int, str]
    is_base64: bool

    def __len__(self) -> int:
        return len(self.texts) + len(self.pictures)


def read_request(body: bytes, encoder: Encoder, limits: Limits) -> Wanted:
    """
    Read the body of a request for vectors.

    Raises:
        RefusedError: It is not of the form, asks for another model, or breaks a limit.
    """
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise RefusedError(400, f"The body must be JSON in UTF-8. Got none: {exc}.", "invalid_json") from exc
    if not isinstance(data, dict):
        raise RefusedError(400, f"The body must be a JSON object. Got a {type(data).__name__}.", "invalid_json")
    _check_model(data, encoder)
    form = data.get("encoding_format")
    if form not in (None, "float", "base64"):
        raise _wrong("encoding_format", f"must be float or base64. Got {_shown(form)}")
    items = _inputs(data, limits)
    is_all_pictures = data.get("modality") == "image"
    read = {place: _item(place, item, limits, is_all_pictures=is_all_pictures) for place, item in enumerate(items)}
    texts = {place: value for place, (kind, value) in read.items() if kind == "text"}
    pictures = {place: value for place, (kind, value) in read.items() if kind == "image"}
    return Wanted(texts, pictures, form == "base64")


def write_answer(vectors: NDArray[np.float32], wanted: Wanted, model: str) -> bytes:
    """Write the vectors, one for each input, in the order of the inputs."""
    rows: list[Any] = [_base64(row) for row in vectors] if wanted.is_base64 else vectors.tolist()
    data = [{"object": "embedding", "index": place, "embedding": row} for place, row in enumerate(rows)]
    usage = {"prompt_tokens": 0, "total_tokens": 0}  # the form wants them; nobody pays for tokens here
    return _json({"object": "list", "data": data, "model": model, "usage": usage})


def write_models(encoder: Encoder) -> bytes:
    """Write the list of the one model, with what a client of this project must know of it."""
    name, _, revision = encoder.model.rpartition("@")
    known = {"id": name, "object": "model", "created": 0, "owned_by": "meetup2025"}
    ours = {"model": encoder.model, "revision": revision, "dimension": encoder.dimension}
    return _json({"object": "list", "data": [{**known, **ours, "picture_size": encoder.picture_size}]})


def _check_model(data: Mapping[str, Any], encoder: Encoder) -> None:
    known = (encoder.model, encoder.model.rpartition("@")[0])
    if data.get("model") not in (None, *known):
        message = f"model must be {known[1]} or {known[0]}, which this server has. Got {_shown(data['model'])}."
        raise RefusedError(404, message, "model_not_found", parameter="model")
    if data.get("dimensions") not in (None, encoder.dimension):
        raise _wrong("dimensions", f"must be {encoder.dimension}, as the model has. Got {_shown(data['dimensions'])}")
    if data.get("modality") not in (None, "text", "image"):
        raise _wrong("modality", f"must be text or image. Got {_shown(data['modality'])}")


def _inputs(data: Mapping[str, Any], limits: Limits) -> list[Any]:
    items = data.get("input")
    items = [items] if isinstance(items, (str, dict)) else items
    if not isinstance(items, list) or not items:
        raise _wrong("input", f"must be a text, a picture or a list of them. Got {_shown(data.get('input'))}")
    if len(items) > limits.inputs:
        raise _wrong("input", f"must have at most {limits.inputs} items. Got {len(items)}; send them in parts")
    return items


def _item(place: int, item: Any, limits: Limits, *, is_all_pictures: bool) -> tuple[str, str]:
    """Tell what an input is, and what is in it."""
    name = f"input[{place}]"
    if isinstance(item, str):
        is_picture = is_all_pictures or item[:11].lower() == "data:image/"
        kind, value = ("image" if is_picture else "text"), item
    elif isinstance(item, dict) and len(item) == 1 and set(item) < {"text", "image"}:
        ((kind, value),) = item.items()
    else:
        raise _wrong(name, f'must be a text, {{"text": …}} or {{"image": "data:image/…"}}. Got {_shown(item)}')
    if not isinstance(value, str):
        raise _wrong(name, f"must have a {kind} that is a string. Got {_shown(value)}")
    (_check_text if kind == "text" else _check_picture)(name, value, limits)
    return kind, value


def _check_text(name: str, text: str, limits: Limits) -> None:
    if not text.strip():
        raise _wrong(name, f"must not be empty. Got {text[:40]!r}")
    if not _is_whole(text):
        raise _wrong(name, "must be of whole characters. Got half of one, a surrogate")
    if len(text) > limits.characters:
        raise _wrong(name, f"must have at most {limits.characters} characters. Got {len(text)}")


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_picture(name: str, url: str, limits: Limits) -> None:
    if url[:5].lower() != "data:":
        raise _wrong(name, f"must be a data URL, data:image/png;base64,… Got {url[:60]!r}")
    size = (len(url) - url.find(",") - 1) * 3 // 4
    if size > limits.picture:
        got = f"{size / 1e6:.1f}; shrink it"
        message = f"{name} must be a picture of at most {limits.picture / 1e6:.0f} MB. Got {got}."
        raise RefusedError(413, message, "picture_too_large", parameter=name)


def _wrong(name: str, problem: str) -> RefusedError:
    return RefusedError(400, f"{name} {problem}.", "invalid_input", parameter=name)


def _shown(value: Any) -> str:
    """Show the beginning of a value of a request."""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, (str, int, float, type(None))) else ""
    return text[:60] if text else f"a {type(value).__name__}"


def _base64(row: NDArray[np.float32]) -> str:
    return base64.b64encode(row.astype("<f4").tobytes()).decode("ascii")


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8", "replace")
