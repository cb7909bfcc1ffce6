"""
Vectors as text of IRIS and as arrays, and the one check of a vector.

A vector is a row of finite numbers that are not all zero. IRIS would turn words into numbers, pad, and leave a vector
of zeros out of a cosine index, all silently. Here this is an `InvalidVectorError` with the SQLCODE of IRIS for vectors
that cannot be compared: -257 for a wrong length, otherwise -258.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from meetup2025.errors import InvalidVectorError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

WRONG_LENGTH = -257
NOT_A_VECTOR = -258

_CANCELLED = 1e-6
"""Length of a mean of float32 vectors that is only their rounding."""

_SMALLEST, _LARGEST = 1e-30, 1e30
"""Range in which a float32 holds a number with seven digits."""

_NUMBER = re.compile(r"\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:E[-+]?\d+)?\s*", re.ASCII | re.IGNORECASE)


def to_text(vector: ArrayLike) -> str:
    """
    Write a vector as IRIS does: numbers separated by commas, without spaces or brackets.

    Args:
        vector: Vector, shape (d,). A number has the shortest text that keeps its value, as float32 where it is a
            float32.

    Raises:
        InvalidVectorError: As `check`, or there is more than one vector.
    """
    array = check(vector)
    if array.ndim != 1:
        raise _invalid(f"One vector must have one axis. Got the shape {array.shape}; write the rows one by one.")
    # str() of a numpy float32 is its shortest text. Python's own floats are faster than numpy's float64.
    return ",".join(map(str, array if array.dtype == np.float32 else array.tolist()))


def from_text(text: str, *, dimension: int | None = None) -> NDArray[np.float64]:
    """
    Parse a vector as IRIS writes it (`-.0408,1E-3`). Brackets and spaces are allowed.

    Args:
        text: Numbers separated by commas.
        dimension: Required number of items. None allows any.

    Returns:
        Array of shape (d,).

    Raises:
        InvalidVectorError: An item is missing or no finite number, all items are zero, or the length is wrong.
    """
    items = _without_brackets(text.strip()).split(",")
    if not text.isascii() or "_" in text:  # `float` reads digits of all scripts, and underscores between them
        raise _not_numbers(items)
    try:
        numbers = np.array([float(item) for item in items])
    except ValueError as exc:
        raise _not_numbers(items) from exc
    return check(numbers, dimension=dimension)


def of_database(value: Any) -> Any:
    """Return a vector of a row: a text is parsed by `from_text`, and an array or None stays as it is."""
    return from_text(value) if isinstance(value, str) else value


def check(vectors: ArrayLike, *, dimension: int | None = None) -> NDArray[Any]:
    """
    Check that an array holds vectors.

    Args:
        vectors: One vector or several, shape (d,) or (n, d). n may be 0.
        dimension: Required length d. None allows any but 0.

    Returns:
        The same numbers. float32 stays float32, other types become float64.

    Raises:
        InvalidVectorError: The shape is another, a number is not finite, or a vector is all zero.
    """
    array = _floats(vectors)
    if array.ndim not in {1, 2}:
        raise _invalid(f"Vectors must have the shape (d,) or (n, d). Got {array.shape}.")
    length = array.shape[-1]
    if length == 0 or (dimension is not None and length != dimension):
        rule = f"A vector must have {dimension or 'at least 1'} items. Got {length}"
        raise InvalidVectorError(f"{rule}; embed it with the model of the table.", sqlcode=WRONG_LENGTH)
    if not np.isfinite(array).all():
        place = np.argwhere(~np.isfinite(array))[0]
        got = f"{array[tuple(place)]} at {_place(place)}"
        raise _invalid(f"A vector must hold finite numbers. Got {got}; embed it again.")
    if not array.any(axis=-1).all():
        row = "" if array.ndim == 1 else f" in row {int(np.argmin(array.any(axis=-1))) + 1}"
        raise _invalid(f"A vector must have a direction. Got {length} zeros{row}; embed it again.")
    return array


def unit(vectors: ArrayLike) -> NDArray[np.float64]:
    """
    Divide vectors by their norms.

    Args:
        vectors: One vector or several, shape (d,) or (n, d), of any size: norms from 1e-300 to 1e300 neither vanish nor
            overflow.

    Returns:
        Array of the same shape. Its rows have length 1.

    Raises:
        InvalidVectorError: As `check`.
    """
    array = check(vectors).astype(np.float64)
    scaled = array / np.abs(array).max(axis=-1, keepdims=True)  # its squares stay in range
    unit_vectors: NDArray[np.float64] = scaled / np.linalg.norm(scaled, axis=-1, keepdims=True)
    return unit_vectors


def single(vectors: ArrayLike) -> NDArray[np.float32]:
    """
    Return vectors as float32, in the same directions.

    Args:
        vectors: One vector or several, shape (d,) or (n, d). A vector that float32 cannot hold (1e200, 1e-200) is
            divided by its largest item.

    Raises:
        InvalidVectorError: As `check`.
    """
    array = check(vectors)
    largest = np.abs(array).max(axis=-1, keepdims=True)
    fits = (largest > _SMALLEST) & (largest < _LARGEST)
    return np.where(fits, array, array / largest).astype(np.float32)


def mean(vectors: ArrayLike) -> NDArray[Any]:
    """
    Return the direction between vectors: the mean of the unit vectors, divided by its norm.

    Args:
        vectors: Vectors, shape (n, d), n at least 1. All count the same, whatever their norms.

    Returns:
        Array of shape (d,), of length 1. A single vector comes back as it is.

    Raises:
        InvalidVectorError: As `check`, or the vectors cancel out.
    """
    array = check(vectors)
    if len(array) == 1:
        only: NDArray[Any] = array[0]
        return only
    middle = unit(array).mean(axis=0)
    if np.linalg.norm(middle) < _CANCELLED:
        raise _invalid(f"Vectors must have a mean. Got {len(array)} that cancel out; leave some out.")
    return unit(middle)


def _without_brackets(text: str) -> str:
    if text.startswith("[") != text.endswith("]"):
        raise _invalid("The brackets of a vector must be a pair. Got one; remove it.")
    return text.removeprefix("[").removesuffix("]")


def _not_numbers(items: list[str]) -> InvalidVectorError:
    """Return the error for the first wrong item."""
    place, item = next((at, item) for at, item in enumerate(items, start=1) if not _NUMBER.fullmatch(item))
    got = f"{item.strip()[:40]!r} at item {place} of {len(items)}"
    return _invalid(f"A vector must be numbers separated by commas. Got {got}; pass the text of a vector.")


def _floats(vectors: ArrayLike) -> NDArray[Any]:
    try:
        array = np.asarray(vectors)
    except ValueError as exc:
        raise _invalid(f"Vectors must be rows of one length. Got rows of several: {exc}") from exc
    if array.dtype.kind not in "fiu":
        raise _invalid(f"Vectors must be rows of numbers. Got items of the type {array.dtype}.")
    return array if array.dtype == np.float32 else array.astype(np.float64, copy=False)


def _place(place: NDArray[np.intp]) -> str:
    *row, item = (int(number) + 1 for number in place)
    return f"item {item}" + (f" of row {row[0]}" if row else "")


def _invalid(message: str) -> InvalidVectorError:
    return InvalidVectorError(message, sqlcode=NOT_A_VECTOR)
