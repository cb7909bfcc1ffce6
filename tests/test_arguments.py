"""The door from SQL: whatever form IRIS gives an argument, a function gets the type that it declares."""

from __future__ import annotations

from decimal import Decimal
from random import Random

import numpy as np
import pytest
from iris_doubles import forms, passed_as_iris

from meetup2025 import DataError
from meetup2025.engines.arguments import EMPTY, MOST, as_double, as_integer, as_text, marked
from meetup2025.procedures import from_sql


@from_sql
def described(run: int, share: float = 0.5, name: str = "all", count: int = 3) -> str:
    """Write what arrived."""
    return f"{run!r} {share!r} {name!r} {count!r}"


@pytest.mark.parametrize(
    "value", [0, 8, -1, 120, 10**30, 0.03, 0.5, -2.25, 3.0, 1e-7, "", "8", "-7", "0.5", "007", "マアジ", " 5"]
)
def test_every_form_is_the_value(value: object) -> None:
    """Each form in which IRIS may pass a value is read as that value, by the type that is declared."""
    read = {int: as_integer, float: as_double}.get(type(value), lambda _, text: as_text(text))

    found = [read("k", form) for form in forms(value)]

    assert found == [value] * len(found)
    assert {type(each) for each in found} == {type(value)}


def test_forms_are_many() -> None:
    """The doubles pass a number as text and in three types, a text of digits as numbers, and nothing in three ways."""
    assert {type(each) for each in forms(8)} == {str, int, float, Decimal}
    assert {type(each) for each in forms("8")} == {str, int, Decimal}
    assert forms("") == [EMPTY, "", None]
    assert forms("08") == ["08"]


@pytest.mark.parametrize(
    "value",
    [
        "8.5",
        8.5,
        Decimal("8.5"),
        "eight",
        "1_000",
        "８",
        "1e400",
        "NaN",
        float("inf"),
        10**38,
        "1e999999999",
        " ",
        object,
    ],
)
def test_no_whole_number(value: object) -> None:
    """What is no whole number of SQL is refused, with the name of the argument and what came."""
    with pytest.raises(DataError, match=r"^k must be a whole number\. Got .+\.$"):
        as_integer("k", value)


@pytest.mark.parametrize("value", ["half", "1_0", "０.５", "1e400", "NaN", float("inf"), "0,5", "\x00"])
def test_no_number(value: object) -> None:
    """What is no finite number is refused."""
    with pytest.raises(DataError, match=r"^share must be a number\. Got .+\.$"):
        as_double("share", value)


@pytest.mark.parametrize("value", [np.int64(8), np.float64(8), np.float32(8), True])
def test_numbers_of_python(value: object) -> None:
    """Numbers of numpy and truth are numbers."""
    assert as_integer("k", value) == (1 if value is True else 8)


@pytest.mark.parametrize("nothing", [None, "", EMPTY])
def test_nothing(nothing: object) -> None:
    """NULL and the empty text are the empty text, and for a number the default."""
    assert described(7, nothing, nothing, nothing) == "7 0.5 '' 3"
    with pytest.raises(DataError, match=r"^run must be a whole number\. Got "):
        described(nothing)


def test_arguments_that_are_left_out() -> None:
    """A function keeps the defaults of what is not given, and may be called by name."""
    assert described("7") == "7 0.5 'all' 3"
    assert described(7.0, name=5, count=Decimal(4)) == "7 0.5 '5' 4"


def test_name_of_a_wrong_argument() -> None:
    """The message names the argument that is wrong, and no other."""
    with pytest.raises(DataError, match=r"^count must be a whole number\. Got '2\.5'\.$"):
        described("1", "0.5", "a", "2.5")


def test_every_form_arrives() -> None:
    """Chance passes every form, and a function hears of none of it."""
    random = Random(5)  # noqa: S311 - a test

    heard = [passed_as_iris(lambda *given: given, random)(8, "8", "") for _ in range(200)]

    assert [{repr(each) for each in given} for given in zip(*heard, strict=True)] == [
        {repr(form) for form in forms(value)} for value in (8, "8", "")
    ]
    assert {passed_as_iris(described, random)(8, 0.25, "8", 2) for _ in range(100)} == {"8 0.25 '8' 2"}


@pytest.mark.parametrize(("count", "marks"), [(1, "?"), (3, "?, ?, ?")])
def test_marks_of_a_list(count: int, marks: str) -> None:
    """A list of values has one mark for each."""
    assert (
        marked("SELECT a FROM t WHERE a IN (?) AND b = ?", count) == f"SELECT a FROM t WHERE a IN ({marks}) AND b = ?"
    )
    assert MOST < 255
