"""
Rows of a result as columns: arrays of numpy, data frames of pandas and polars, and tables of Arrow.

A column of vectors is one array of shape (n, d). A row without a vector has NaN there.
"""

from __future__ import annotations

import importlib
import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from meetup2025 import vectors
from meetup2025.engines.arrow import as_arrow
from meetup2025.errors import InvalidVectorError, MissingExtraError
from meetup2025.settings import install_command

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_VECTOR = re.compile(rf"{_NUMBER}(?:,{_NUMBER}){{7,}}")
"""Text of a vector where the database says only that it is a text: 8 numbers or more."""

_KINDS = (((int, float), "n"), ((bool,), "?"), ((date,), "M8[D]"), ((datetime,), "M8[us]"))
"""Types of values, and the type of their array. Numbers have the type that numpy gives them."""


def of_rows(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, NDArray[Any]]:
    """
    Turn rows into arrays.

    Args:
        names: Names of the columns, each once.
        rows: A value for each column. Numbers and times that are missing are masked, other missing values are None.
    """
    columns = zip(*rows, strict=True) if rows else ((),) * len(names)
    return {name: of_values(values) for name, values in zip(names, columns, strict=True)}


def of_values(values: Sequence[Any]) -> NDArray[Any]:
    """Return the array of the values of a column: of shape (n, d) for vectors, otherwise of shape (n,)."""
    known = [value for value in values if value is not None]
    if known and isinstance(known[0], np.ndarray):
        return of_vectors(values)
    if known and all(isinstance(value, str) and _VECTOR.fullmatch(value) for value in known):
        return of_vectors([None if value is None else vectors.from_text(value) for value in values])
    kind = next((kind for types, kind in _KINDS if known and all(type(value) in types for value in known)), None)
    if kind:
        missing = [value is None for value in values]
        array = np.array([known[0] if value is None else value for value in values], None if kind == "n" else kind)
        return np.ma.masked_array(array, missing) if any(missing) else array
    array = np.empty(len(values), dtype=object)
    array[:] = list(values)
    return array


def of_vectors(values: Sequence[Any] | NDArray[Any], length: int = 0) -> NDArray[Any]:
    """
    Return vectors of one length as an array of shape (n, d).

    Args:
        values: Arrays of shape (d,). Any other value is a missing vector.
        length: Length d where all vectors are missing.

    Raises:
        InvalidVectorError: The vectors have several lengths.
    """
    known = [value for value in values if isinstance(value, np.ndarray)]
    if not known:
        return np.full((len(values), length), np.nan)
    if len({len(value) for value in known}) > 1:
        raise InvalidVectorError("The vectors of a column must have one length. Got several.", sqlcode=-257)
    if len(known) == len(values):
        return np.stack(known)
    nothing = np.full(len(known[0]), np.nan, np.result_type(known[0], np.float32))
    return np.stack([value if isinstance(value, np.ndarray) else nothing for value in values])


def to_pandas(columns: Mapping[str, NDArray[Any]]) -> Any:
    """Return a data frame of pandas. A vector is an array of shape (d,), a view of its row."""
    pandas = _library("pandas")
    return pandas.DataFrame(
        {name: pandas.Series(list(each) if each.ndim == 2 else each) for name, each in columns.items()}
    )


def to_polars(columns: Mapping[str, NDArray[Any]]) -> Any:
    """Return a data frame of polars."""
    return _library("polars").DataFrame(as_arrow(columns))


def to_arrow(columns: Mapping[str, NDArray[Any]]) -> Any:
    """Return a table of pyarrow."""
    return _library("pyarrow").table(as_arrow(columns))


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingExtraError(f"Data frames need {name}: {install_command('frames')}.") from error
