"""Values go into IRIS and come out of its process as what they are."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal

import numpy as np
import pytest

from meetup2025 import DataError, InterfaceError, ProgrammingError
from meetup2025.engines.iris.values import checked, checked_rows, from_process, to_iris
from meetup2025.errors import InvalidVectorError

HALF_PAST = datetime.fromisoformat("2025-01-31 12:30:00")


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (None, None), ("マアジ", "マアジ"), ("", ""), (b"\x00\xff", b"\x00\xff"), (3, 3), (2.5, 2.5), (True, 1),
        (False, 0), (Decimal("1.50"), "1.50"), (np.int64(3), 3), (np.float32(0.5), 0.5), (np.bool_(1), 1),
        (np.array([0.5, -1.0]), "0.5,-1.0"), ([0.5, -1], "0.5,-1.0"), (date(2025, 1, 31), "2025-01-31"),
        (HALF_PAST, "2025-01-31 12:30:00"), (time(12, 30), "12:30:00"),
    ],
)  # fmt: skip
def test_parameter(value: object, sent: object) -> None:
    """A parameter becomes a text, a number, bytes or None; an array is the text of a vector."""
    found = to_iris(value)

    assert (found, type(found)) == (sent, type(sent))


@pytest.mark.parametrize("value", [object(), 1j])
def test_parameter_of_another_type(value: object) -> None:
    """What SQL does not have is refused, with its type."""
    with pytest.raises(InterfaceError, match=type(value).__name__):
        to_iris(value)


@pytest.mark.parametrize("value", [np.zeros(3), [float("nan")], [], [None], np.ones((2, 2))])
def test_array_that_is_no_vector(value: object) -> None:
    """An array must be a vector: IRIS would take its text and make other numbers of it."""
    with pytest.raises(InvalidVectorError):
        to_iris(value)


@pytest.mark.parametrize("parameters", ["abc", 5, None])
def test_parameters_that_are_no_list(parameters: object) -> None:
    """Parameters are a list: a text would be taken apart."""
    with pytest.raises(InterfaceError, match="list"):
        checked("SELECT ?", parameters)  # type: ignore[arg-type]


def test_rows_of_different_lengths() -> None:
    """A row that has another number of values than the first is told by its number."""
    with pytest.raises(ProgrammingError, match="Row 2 of the parameters must have 2 values"):
        checked_rows("INSERT", [[1, 2], [1]])

    assert checked_rows("INSERT", []) == []


@pytest.mark.parametrize(
    ("value", "kind", "read"),
    [
        ("", "VARCHAR", None), (None, "VARCHAR", None), ("\x00", "VARCHAR", ""), ("a", "VARCHAR", "a"),
        (5, "VARCHAR", "5"), ("5", "INTEGER", 5), (5, "INTEGER", 5), ("-7", "BIGINT", -7), ("", "INTEGER", None),
        (".5", "DOUBLE", 0.5), ("1E-3", "DOUBLE", 0.001), (2, "DOUBLE", 2.0), ("1.50", "DECIMAL", Decimal("1.50")),
        ("1", "BOOLEAN", 1), ("2025-01-31", "DATE", date(2025, 1, 31)), ("12:30:00", "TIME", time(12, 30)),
        ("2025-01-31 12:30:00", "TIMESTAMP", HALF_PAST), ("é", "BLOB", b"\xe9"),
    ],
)  # fmt: skip
def test_value_of_a_result(value: object, kind: str, read: object) -> None:
    """Inside the process NULL is an empty string, an empty string is $CHAR(0), and numbers may be text."""
    found = from_process(value, kind)

    assert (found, type(found)) == (read, type(read))


@pytest.mark.parametrize(("value", "kind"), [("x", "INTEGER"), ("x", "DOUBLE"), ("x", "DECIMAL"), ("31.1.", "DATE")])
def test_value_of_a_result_that_is_wrong(value: str, kind: str) -> None:
    """A value that is not of the type of its column is an error, with the value."""
    with pytest.raises(DataError, match=f"{kind} must be one. Got '{value}'"):
        from_process(value, kind)
