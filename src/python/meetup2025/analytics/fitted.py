"""
Fitted models as bytes. Reading them runs no code.

A fitted model is a frozen dataclass of arrays, numbers, texts, tuples of these, and None. The bytes are a digest and
an archive of numpy (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html) with a header in JSON.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import zipfile
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from meetup2025.errors import BrokenModelError, InternalError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

T = TypeVar("T")

_MAGIC = b"MeetUp2025 fitted 1\n"
_DIGEST = 32
_HEADER = "header"


def pack(fitted: Any) -> bytes:
    """
    Write a fitted model.

    Args:
        fitted: An instance of a frozen dataclass.

    Raises:
        InternalError: A field is neither an array, a number, a text, a tuple of these, nor None.
    """
    values = {field.name: getattr(fitted, field.name) for field in dataclasses.fields(fitted)}
    arrays: dict[str, Any] = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
    plain = {name: _plain(name, value) for name, value in values.items() if name not in arrays}
    for name, array in arrays.items():
        if array.dtype.hasobject:
            raise InternalError(f"A fitted model must hold numbers and texts. Got objects in {name}.")
    header = json.dumps({"kind": type(fitted).__name__, "values": plain}, ensure_ascii=False)
    buffer = io.BytesIO()
    arrays[_HEADER] = np.frombuffer(header.encode(), np.uint8)
    np.savez(buffer, **arrays)
    content = buffer.getvalue()
    return _MAGIC + hashlib.sha256(content).digest() + content


def unpack(blob: bytes, kind: type[T]) -> T:
    """
    Read a fitted model.

    Args:
        blob: Bytes that `pack` wrote.
        kind: Dataclass of the model. A field with a default may be missing, as in a model of an older version.

    Raises:
        BrokenModelError: The bytes have changed, or they are of another kind.
    """
    start = len(_MAGIC) + _DIGEST
    content = blob[start:]
    if not blob.startswith(_MAGIC) or blob[len(_MAGIC) : start] != hashlib.sha256(content).digest():
        raise BrokenModelError("A stored model must be as it was written. Got changed bytes; fit it again.")
    header, arrays = _read(content)
    fields = dataclasses.fields(kind)  # type: ignore[arg-type]
    names = {field.name for field in fields}
    needed = {field.name for field in fields if field.default is dataclasses.MISSING}
    values = {name: _value(value) for name, value in header["values"].items()}
    if header["kind"] != kind.__name__ or not needed <= {*values, *arrays} <= names:
        raise BrokenModelError(
            f"A stored model must be {kind.__name__} as this version knows it. Got {header['kind']}; fit it again."
        )
    return kind(**values, **arrays)


def _read(content: bytes) -> tuple[dict[str, Any], Mapping[str, NDArray[Any]]]:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        return json.loads(arrays.pop(_HEADER).tobytes()), arrays
    except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise BrokenModelError(f"A stored model must be an archive of arrays. Got another: {error}.") from error


def _plain(name: str, value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, tuple):
        return {"tuple": [_plain(name, each) for each in value]}
    raise InternalError(f"A fitted model must hold arrays, numbers, texts and tuples. Got {value!r} in {name}.")


def _value(value: Any) -> Any:
    return tuple(map(_value, value["tuple"])) if isinstance(value, dict) else value
