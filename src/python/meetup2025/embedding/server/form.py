"""
The embeddings form of OpenAI: requests, answers and errors.

A picture among the inputs is `{"image": "data:image/png;base64,…"}` or a data URL, as in other servers of embeddings.
No picture is fetched from an address.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meetup2025 import files

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from meetup2025.embedding import Encoder


@dataclass(frozen=True, slots=True)
class Limits:
    """
    Limits of a server.

    Attributes:
        body: Most bytes of a request.
        picture: Most bytes of a picture, before base64.
        inputs: Most texts and pictures of a request. OpenAI has the same limit.
        characters: Most characters of a text. No model reads so many: the model cuts a long text.
        seconds: Time for the vectors of a request, from the moment when a thread takes the request.
        waiting: Most items that wait for the model.
        requests: Requests that are answered at once, each by a thread. More requests wait.
        connections: Most open connections. More connections wait. Each may need two file descriptors, for the socket
            and for the file of a large body, and many systems give a process 1024.
        idle: Seconds, a whole number, after which a silent connection is closed.
    """

    body: int = files.LARGEST_REQUEST
    picture: int = files.LARGEST_REQUEST_PICTURE
    inputs: int = 2048
    characters: int = 32_768
    seconds: float = 30.0
    waiting: int = 512
    requests: int = 64
    connections: int = 480
    idle: int = 15


class RejectedError(Exception):
    """
    A request is answered with an error.

    Attributes:
        status: Status of HTTP.
        code: Name of the error, for programs.
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
    The inputs of a request.

    Attributes:
        texts: Texts, by their indexes among the inputs.
        pictures: Pictures as data URLs, by their indexes among the inputs.
        is_base64: Whether the answer has the vectors as base64 of float32. Otherwise it has numbers.
    """

    texts: Mapping[int, str]
    pictures: Mapping[int, str]
    is_base64: bool

    def __len__(self) -> int:
        return len(self.texts) + len(self.pictures)


def read_request(body: bytes, encoder: Encoder, limits: Limits) -> Wanted:
    """
    Parse the body of a request for vectors.

    Raises:
        RejectedError: The body is not of the form, names another model, or breaks a limit.
    """
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise RejectedError(400, f"The body must be JSON in UTF-8. Got none: {exc}.", "invalid_json") from exc
    if not isinstance(data, dict):
        raise RejectedError(400, f"The body must be a JSON object. Got a {type(data).__name__}.", "invalid_json")
    _check_model(data, encoder)
    form = data.get("encoding_format")
    if form not in (None, "float", "base64"):
        raise _wrong("encoding_format", f"must be float or base64. Got {_shown(form)}")
    items = _inputs(data, limits)
    is_all_pictures = data.get("modality") == "image"
    read = {index: _item(index, item, limits, is_all_pictures=is_all_pictures) for index, item in enumerate(items)}
    texts = {index: value for index, (kind, value) in read.items() if kind == "text"}
    pictures = {index: value for index, (kind, value) in read.items() if kind == "image"}
    return Wanted(texts, pictures, form == "base64")


def write_answer(vectors: NDArray[np.float32], wanted: Wanted, model: str) -> bytes:
    """Write the answer: a vector for each input, in the order of the inputs."""
    rows: list[Any] = [_base64(row) for row in vectors] if wanted.is_base64 else vectors.tolist()
    data = [{"object": "embedding", "index": index, "embedding": row} for index, row in enumerate(rows)]
    usage = {"prompt_tokens": 0, "total_tokens": 0}  # the form has these fields, but this server counts no tokens
    return _json({"object": "list", "data": data, "model": model, "usage": usage})


def write_models(encoder: Encoder) -> bytes:
    """Write the list of models: the one model of the server."""
    return _json({"object": "list", "data": [_described(encoder)]})


def write_model(encoder: Encoder, name: str) -> bytes:
    """
    Write the description of a model.

    Raises:
        RejectedError: The server has another model.
    """
    _check_name(name, encoder)
    return _json(_described(encoder))


def _described(encoder: Encoder) -> dict[str, Any]:
    """Describe the model by the fields of OpenAI, and by the fields that a client of this project needs."""
    name, _, revision = encoder.model.rpartition("@")
    known = {"id": name, "object": "model", "created": 0, "owned_by": "meetup2025"}
    ours = {"model": encoder.model, "revision": revision, "dimension": encoder.dimension}
    return {**known, **ours, "picture_size": encoder.picture_size, "languages": list(encoder.languages)}


def _check_name(name: Any, encoder: Encoder) -> None:
    known = (encoder.model, encoder.model.rpartition("@")[0])
    if name not in known:
        message = f"model must be {known[1]} or {known[0]}, which this server has. Got {_shown(name)}."
        raise RejectedError(404, message, "model_not_found", parameter="model")


def _check_model(data: Mapping[str, Any], encoder: Encoder) -> None:
    if data.get("model") is not None:
        _check_name(data["model"], encoder)
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


def _item(index: int, item: Any, limits: Limits, *, is_all_pictures: bool) -> tuple[str, str]:
    """Return the kind of an input, `text` or `image`, and the text or the data URL."""
    name = f"input[{index}]"
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
        raise _wrong(name, "must have whole characters. Got a surrogate, which is half of one")
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
        raise RejectedError(413, message, "picture_too_large", parameter=name)


def _wrong(name: str, problem: str) -> RejectedError:
    return RejectedError(400, f"{name} {problem}.", "invalid_input", parameter=name)


def _shown(value: Any) -> str:
    """Return the beginning of a value of a request, for a message."""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, (str, int, float, type(None))) else ""
    return text[:60] if text else f"a {type(value).__name__}"


def _base64(row: NDArray[np.float32]) -> str:
    return base64.b64encode(row.astype("<f4").tobytes()).decode("ascii")


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8", "replace")
