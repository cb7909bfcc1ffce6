"""
The elements of vectors: how TO_VECTOR converts them, and how a stored vector is read back.

IRIS converts each element to the type of the vector. INTEGER cuts the decimal places, and does not round.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from meetup2025 import vectors
from meetup2025.errors import InvalidVectorError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EXACT = 2**53
"""Size up to which a float64 holds every integer."""

_LARGEST = 2**63
"""Size from which an integer does not fit into 8 bytes."""


def elements(value: Any, kind: str, length: int | None = None) -> NDArray[Any] | None:
    """
    Convert the data of TO_VECTOR.

    Args:
        value: Text, an array or a sequence of numbers, or None for NULL.
        kind: DOUBLE, FLOAT or BIGINT, the DuckDB type of the elements.
        length: Number of elements that the vector must have. None allows any.

    Returns:
        Array of shape (d,) and of the type float64, float32 or int64, or None for NULL.

    Raises:
        InvalidVectorError: The value is no vector, or becomes none: an element is out of range, or all are cut to zero.
    """
    if value is None:
        return None
    array = _numbers(value, length)
    if kind == "BIGINT":
        return _integers(value, array)
    if kind == "FLOAT":
        with np.errstate(over="ignore"):  # `check` refuses the infinity
            return vectors.check(array.astype(np.float32))
    return array.astype(np.float64, copy=False)


def listed(text: str | None, kind: str) -> list[Any] | None:
    """Convert the text of a vector to a list of elements, or None for NULL."""
    array = elements(text, kind)
    return None if array is None else list(array.tolist())


def check_length(array: NDArray[Any] | None, length: int) -> NDArray[Any] | None:
    """Return a vector that has *length* elements, or None. Raise `InvalidVectorError` for another length."""
    if array is not None and len(array) != length:
        vectors.check(array, dimension=length)
    return array


def stored(values: Sequence[Any], column: str) -> NDArray[Any]:
    """Return the array of a stored vector. *column* is its DuckDB type, for example `FLOAT[3]`."""
    kinds = {"FLOAT": np.float32, "BIGINT": np.int64}
    return np.array(values, dtype=kinds.get(column.partition("[")[0], np.float64))


def written(values: Sequence[Any], column: str) -> str:
    """Return the text of a stored vector, as IRIS selects it. *column* is its DuckDB type."""
    if column.startswith("BIGINT"):
        return ",".join(map(str, values))
    return vectors.to_text(stored(values, column))


def _numbers(value: Any, length: int | None) -> NDArray[Any]:
    """Return the numbers of *value* as one vector, not yet converted."""
    if isinstance(value, str):
        return vectors.from_text(value, dimension=length)
    if not isinstance(value, (np.ndarray, Sequence)):
        raise InvalidVectorError(f"A vector must be comma-separated text or an array. Got {value!r}.", sqlcode=-258)
    array = vectors.check(value, dimension=length)
    if array.ndim != 1:
        raise InvalidVectorError(f"One vector must have one axis. Got the shape {array.shape}.", sqlcode=-258)
    return array


def _integers(value: Any, array: NDArray[Any]) -> NDArray[np.int64]:
    """Cut the decimal places of *array*, the numbers of *value*."""
    whole = np.trunc(array)
    if np.abs(whole).max() < _EXACT:
        return _directed(whole.astype(np.int64))
    items = value.strip().strip("[]").split(",") if isinstance(value, str) else value
    numbers = [int(Decimal(item.strip())) if isinstance(item, str) else int(item) for item in items]
    wrong = next((number for number in numbers if not -_LARGEST <= number < _LARGEST), None)
    if wrong is not None:
        raise InvalidVectorError(
            f"An element of an INTEGER vector must be from -2**63 to 2**63 - 1. Got {float(wrong):g}; use DOUBLE.",
            sqlcode=-258,
        )
    return np.array(numbers, dtype=np.int64)


def _directed(array: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return *array*, which must not be all zero."""
    vectors.check(array)
    return array
