"""Fitted models as bytes: what is written comes back, and nothing else is read."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import pickle
from dataclasses import dataclass

import numpy as np
import pytest

from meetup2025.analytics import fitted
from meetup2025.errors import BrokenModelError, InternalError


@dataclass(frozen=True)
class Thing:
    """All that a fitted model may hold."""

    centres: np.ndarray
    names: np.ndarray
    k: int
    share: float
    word: str
    nested: tuple[tuple[int, str], ...]
    nothing: None = None


@dataclass(frozen=True)
class Other:
    """Another kind."""

    centres: np.ndarray


THING = Thing(np.eye(3, dtype=np.float32), np.array(["マアジ", ""]), 3, 0.1, "サバ", ((1, "a"), (2, "b")))


def sealed(content: bytes) -> bytes:
    """Write bytes as `pack` does, with their digest."""
    return fitted._MAGIC + hashlib.sha256(content).digest() + content


def test_what_is_written_comes_back() -> None:
    """Arrays keep their type and shape, values theirs."""
    found = fitted.unpack(fitted.pack(THING), Thing)

    assert (found.centres == THING.centres).all()
    assert found.centres.dtype == np.float32
    assert found.names.tolist() == ["マアジ", ""]
    assert dataclasses.replace(found, centres=0, names=0) == dataclasses.replace(THING, centres=0, names=0)


def test_empty_arrays_come_back() -> None:
    """An array without rows keeps its shape."""
    assert fitted.unpack(fitted.pack(Other(np.empty((0, 5)))), Other).centres.shape == (0, 5)


def test_numbers_of_numpy_become_plain() -> None:
    """A number of numpy comes back as one of Python."""
    found = fitted.unpack(fitted.pack(dataclasses.replace(THING, k=np.int64(7))), Thing)

    assert type(found.k) is int
    assert found.k == 7


@pytest.mark.parametrize("place", [0, 25, 60, -1])
def test_changed_byte(place: int) -> None:
    """One changed byte, anywhere, is refused."""
    blob = bytearray(fitted.pack(THING))
    blob[place] ^= 1

    with pytest.raises(BrokenModelError, match="as it was written"):
        fitted.unpack(bytes(blob), Thing)


@pytest.mark.parametrize("blob", [b"", b"abc", pickle.dumps(3), fitted.pack(THING)[:-5]])
def test_other_bytes(blob: bytes) -> None:
    """Bytes that are none of ours, or not all of them, are refused."""
    with pytest.raises(BrokenModelError):
        fitted.unpack(blob, Thing)


def test_other_kind() -> None:
    """A model of another kind is refused."""
    with pytest.raises(BrokenModelError, match=r"must be Other .* Got Thing"):
        fitted.unpack(fitted.pack(THING), Other)


def test_other_fields() -> None:
    """A model of an older version, with other fields, is refused."""
    older = dataclasses.make_dataclass("Other", ["middles"])(np.eye(2))

    with pytest.raises(BrokenModelError, match="as this version knows it"):
        fitted.unpack(fitted.pack(older), Other)


class Runs:
    """Code that would run when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        """Fail if anybody looks."""
        return pytest.fail, ("code ran",)


def test_no_code_runs() -> None:
    """An archive with a pickled object, though its digest is right, is refused before anything runs."""
    buffer = io.BytesIO()
    np.savez(buffer, header=np.array([Runs()], dtype=object))

    with pytest.raises(BrokenModelError, match="archive of arrays"):
        fitted.unpack(sealed(buffer.getvalue()), Thing)


def test_archive_without_header() -> None:
    """An archive that says nothing of itself is refused."""
    buffer = io.BytesIO()
    np.savez(buffer, centres=np.eye(2))

    with pytest.raises(BrokenModelError, match="archive of arrays"):
        fitted.unpack(sealed(buffer.getvalue()), Other)


@pytest.mark.parametrize("bad", [object(), [1, 2], {"a": 1}, (1, object())])
def test_what_cannot_be_written(bad: object) -> None:
    """A field of another type is refused when it is written."""
    with pytest.raises(InternalError, match="in word"):
        fitted.pack(dataclasses.replace(THING, word=bad))


def test_objects_in_an_array() -> None:
    """An array of objects is refused when it is written."""
    with pytest.raises(InternalError, match="objects in centres"):
        fitted.pack(Other(np.array([object()])))
