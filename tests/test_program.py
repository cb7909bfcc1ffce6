"""The classes as an engine sees them: SQL names, arguments, functions and procedures."""

from __future__ import annotations

from textwrap import dedent

import numpy as np
import pytest

from meetup2025.engines.classes import parse_class
from meetup2025.engines.classes.program import class_folder, converted, program, program_of, query_arguments
from meetup2025.errors import ClassSyntaxError, DataError, ProgrammingError

THING = parse_class(
    dedent(
        """\
        Class Shop.Thing Extends %Persistent [ SqlTableName = Things ]
        {

        Property Name As %String(MAXLEN = 5);

        Query Cheapest(most As %Double, k As %Integer = 2) As %SQLQuery(ROWSPEC = "Name:%String")
            [ SqlName = Cheap, SqlProc ]
        {
        SELECT TOP :k Name FROM Shop.Things WHERE Name < :most
        }

        ClassMethod Known(name As %String(MAXLEN = 5)) As %String(MAXLEN = 5)
            [ Language = python, SqlName = Known, SqlProc ]
        {
            from meetup2025 import procedures
            return procedures.known_name(name)
        }

        ClassMethod Few(most As %Double, k As %Integer = 3) [ ReturnResultsets, SqlName = Few, SqlProc ]
        {
            do ##class(MeetUp2025.Procedure).Return("Shop.Cheap", most, k)
        }

        ClassMethod Endless(k As %Integer = 3) [ ReturnResultsets, SqlName = Endless, SqlProc ]
        {
            do ##class(Shop.Thing).Known("x")
        }

        }
        """
    ),
    "Thing.cls",
)
SHOP = program_of([THING])
CHEAP = SHOP.queries["SHOP.CHEAP"]


def test_names() -> None:
    """Each member is found by its schema and SQL name in capitals, and by what it is."""
    kinds = (SHOP.tables, SHOP.functions, SHOP.queries, SHOP.procedures)

    assert [{"SHOP.THINGS"}, {"SHOP.KNOWN"}, {"SHOP.CHEAP"}, {"SHOP.FEW", "SHOP.ENDLESS"}] == [
        set(each) for each in kinds
    ]
    assert CHEAP.full_name == "Shop.Cheap"


def test_own_classes() -> None:
    """The classes of the package are found, and read once."""
    assert (class_folder() / "MeetUp2025" / "Fish.cls").is_file()
    assert program() is program()
    assert "MEETUP2025.IDENTIFY" in program().procedures


def test_defaults() -> None:
    """An argument that is left out has its default."""
    assert converted(CHEAP, [1.5]) == {"most": 1.5, "k": 2}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1.5", "3"], {"most": 1.5, "k": 3}),
        ([2, 3.0], {"most": 2.0, "k": 3}),
        ([np.float64(1), np.int64(4)], {"most": 1.0, "k": 4}),
    ],
)
def test_types(values: list[object], expected: dict[str, object]) -> None:
    """Values become the declared types, as drivers of IRIS make them."""
    assert converted(CHEAP, values) == expected


@pytest.mark.parametrize(
    ("values", "words"),
    [([1, "two"], "k must be a whole number"), ([1, 2.5], "k must be a whole number"), (["x"], "most must be a number"),
     ([float("nan")], "most must be a number"), ([1, float("inf")], "k must be a whole number")],
)  # fmt: skip
def test_wrong_types(values: list[object], words: str) -> None:
    """A value that the declared type does not hold is refused by name."""
    with pytest.raises(DataError, match=words):
        converted(CHEAP, values)


def test_wrong_numbers_of_arguments() -> None:
    """Too many arguments are SQLCODE -370; a missing one without a default is named."""
    with pytest.raises(ProgrammingError) as caught:
        converted(CHEAP, [1, 2, 3])
    assert caught.value.sqlcode == -370
    with pytest.raises(ProgrammingError, match="most"):
        converted(CHEAP, [])


@pytest.mark.parametrize("k", [0, -1])
def test_no_rows_wanted(k: int) -> None:
    """A class query is asked for one row at least."""
    with pytest.raises(DataError, match=rf"k must be a whole number from 1\. Got {k}"):
        query_arguments(CHEAP, [1, k])


def test_long_text() -> None:
    """A text above MAXLEN is refused, not cut as drivers would."""
    with pytest.raises(DataError, match=r"at most 5 characters\. Got 6"):
        converted(SHOP.functions["SHOP.KNOWN"], ["123456"])


def test_null_is_the_empty_string() -> None:
    """A method of IRIS gets the empty string for NULL."""
    assert converted(SHOP.functions["SHOP.KNOWN"], [None]) == {"name": ""}


def test_procedure_runs_its_query() -> None:
    """A procedure hands its values to the class query that it names."""
    ran = []
    SHOP.run_procedure(SHOP.procedures["SHOP.FEW"], [9], lambda query, values: ran.append((query.name, values)))

    assert ran == [("Cheapest", [9.0, 3])]


def test_procedure_may_call_its_own_class() -> None:
    """`..Method(…)` is a method of the class of the procedure."""
    text = """\
Class Shop.Own
{
ClassMethod Twice(name As %String(MAXLEN = 9)) As %String(MAXLEN = 9) [ Language = python, SqlName = Twice, SqlProc ]
{
    from meetup2025 import procedures
    return procedures.get_embedding(name, name)
}
ClassMethod Show(name As %String(MAXLEN = 9)) [ ReturnResultsets, SqlName = Show, SqlProc ]
{
    set found = ..Twice(name)
    do ##class(MeetUp2025.Procedure).Return("Shop.Own", "Cheapest", found, 1)
}
}
"""
    own = program_of([parse_class(text)])
    with pytest.raises(DataError, match="type must be T"):
        own.run_procedure(own.procedures["SHOP.SHOW"], ["x"], lambda *_: None)


def test_procedure_without_a_query() -> None:
    """A procedure that ends in anything else is a fault of the class."""
    with pytest.raises(ClassSyntaxError, match=r"Endless must end with MeetUp2025\.Procedure\.Return"):
        SHOP.run_procedure(SHOP.procedures["SHOP.ENDLESS"], [1], lambda *_: None)
