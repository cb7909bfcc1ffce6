"""
Recipes: how each parameter of a DuckDB statement is worked out from the parameters that a caller gives.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from meetup2025 import vectors
from meetup2025.engines.program import query_arguments, shown
from meetup2025.errors import DataError, InvalidVectorError, ProgrammingError

if TYPE_CHECKING:
    from meetup2025.engines.records import Query

Value: TypeAlias = "Callable[[Sequence[Any]], Any]"
"""Works out one parameter of the DuckDB statement from the parameters that the caller gave."""

_CARRIED = (str, int, float, Decimal, date, time, list, tuple, np.ndarray)


def parameter(place: int) -> Value:
    """Take the parameter at *place*, from 0, as it is given."""
    return lambda own: own[place]


def query_argument(query: Query, given: Sequence[Value]) -> Callable[[str], Value]:
    """Check the arguments of a query as one, and give each by its name."""

    def named(name: str) -> Value:
        return lambda own: query_arguments(query, [each(own) for each in given])[name]

    return named


def numbers(text: str | None) -> list[Any] | None:
    """Read the text of a vector in a row."""
    return None if text is None else list(vectors.from_text(text).tolist())


def vector(recipe: Value, dimension: int | None) -> Value:
    """Read the data of TO_VECTOR: text or an array, of *dimension* numbers where that is said."""

    def read(own: Sequence[Any]) -> Any:
        value = recipe(own)
        if value is None:
            return None
        if isinstance(value, str):
            return vectors.from_text(value, dimension=dimension)
        if isinstance(value, (np.ndarray, Sequence)):
            return _one(value, dimension)
        raise InvalidVectorError(f"A vector must be comma-separated text or an array. Got {value!r}.", sqlcode=-258)

    return read


def _one(value: Any, dimension: int | None) -> np.ndarray[Any, Any]:
    """Read an array as one vector."""
    array = vectors.check(value, dimension=dimension)
    if array.ndim != 1:
        raise InvalidVectorError(f"One vector must have one axis. Got the shape {array.shape}.", sqlcode=-258)
    return array.astype(np.float64, copy=False)


def of_right_length(recipes: Sequence[Value], sql: str) -> tuple[Value, ...]:
    """Check the length of a vector where the statement fixes it: an error of DuckDB would end the transaction."""
    lengths = {int(place): int(length) for place, length in re.findall(r"CAST\(\$(\d+) AS \w+\[(\d+)\]\)", sql)}

    def checked(recipe: Value, length: int) -> Value:
        def value(own: Sequence[Any]) -> Any:
            found = recipe(own)
            return found if found is None else _one(found, length)

        return value

    return tuple(
        checked(recipe, lengths[place]) if place in lengths else recipe for place, recipe in enumerate(recipes, 1)
    )


def row_count(recipe: Value) -> Value:
    """Check a number of rows: IRIS reads text as its integer; what is no number of rows is refused here."""

    def count(own: Sequence[Any]) -> int:
        value = recipe(own)
        try:
            number = int(float(value))
        except (OverflowError, TypeError, ValueError):
            number = -1
        if number < 0:
            raise DataError(f"TOP must be a whole number from 0. Got {shown(value)}.")
        return min(number, 2**62)

    return count


def given_values(expected: int, parameters: Sequence[Any]) -> list[Any]:
    """Read the values of a caller: as many as the statement has ?, of types that SQL can carry."""
    if not isinstance(parameters, (list, tuple)):
        raise ProgrammingError(f"Parameters must be a list or tuple. Got {type(parameters).__name__}.")
    if len(parameters) != expected:
        raise ProgrammingError(f"The statement must get {expected} parameters, one for each ?. Got {len(parameters)}.")
    return [_plain(value) for value in parameters]


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if value is not None and not isinstance(value, _CARRIED):
        raise ProgrammingError(
            f"A parameter must be None, a text, a number, a date or time, or a vector. Got {type(value).__name__}."
        )
    if isinstance(value, str):
        check_characters(value)
    return value


def check_characters(text: str) -> None:
    """Refuse half of a surrogate pair, which no database stores."""
    if text.isascii():
        return
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise DataError(
            f"A text must be Unicode. Got half of a surrogate pair at {error.start}: {text[:40]!a}."
        ) from error
