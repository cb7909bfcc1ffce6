"""
The classes as a program for an engine without IRIS: their members by SQL name, and how a function or procedure runs.

IRIS compiles the classes and does not use this module.

The parts are, in order, `Program`, the function `program`, which reads the classes of this package, and the conversion
of arguments to the types that a class declares.
"""

from __future__ import annotations

import functools
import importlib
import importlib.resources
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from meetup2025 import vectors
from meetup2025.engines.arguments import as_double, as_integer, as_text
from meetup2025.engines.classes import (
    Argument,
    Class,
    Expression,
    Method,
    Query,
    Variable,
    procedure_steps,
    python_call,
    read_package,
)
from meetup2025.errors import ClassSyntaxError, DataError, ProgrammingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

RunQuery: TypeAlias = "Callable[[Query, Sequence[Any]], Any]"

_RETURN = ("MeetUp2025.Procedure", "Return")
"""Class and name of the ObjectScript method that ends all procedures. `run_procedure` does the same."""


DOOR = f"{__name__.partition('.')[0]}.procedures"
"""Module with a function for each Python method of the classes."""


@dataclass(frozen=True)
class Program:
    """
    All classes of a package, by the SQL names of their members.

    A key is an upper-case SQL name with the schema: `MEETUP2025.IDENTIFY`.
    """

    tables: Mapping[str, Class]
    functions: Mapping[str, Method]
    queries: Mapping[str, Query]
    procedures: Mapping[str, Method]
    methods: Mapping[tuple[str, str], Method]
    class_queries: Mapping[tuple[str, str], Query]

    def run_function(self, method: Method, values: Sequence[Any]) -> Any:
        """
        Run a function of a class in Python.

        Args:
            method: The function.
            values: One for each argument. The last ones may be left out if they have defaults.

        Returns:
            The result of the function.
        """
        name, passed = python_call(method)
        given = converted(method, values)
        function = getattr(importlib.import_module(DOOR), name)
        return function(*(given[argument] for argument in passed))

    def many(self, method: Method) -> Callable[[list[Any]], list[Any]] | None:
        """Return the function that runs a function of one argument for many values at once, or None."""
        door = importlib.import_module(DOOR)
        found: Callable[[list[Any]], list[Any]] | None = door.MANY.get(python_call(method)[0])
        return found

    def run_procedure(self, method: Method, values: Sequence[Any], run_query: RunQuery) -> Any:
        """
        Run a procedure: functions set variables, then one class query returns the rows.

        Args:
            method: The procedure.
            values: One for each argument. The last ones may be left out if they have defaults.
            run_query: Runs a class query with its arguments.

        Returns:
            The result of *run_query*.
        """
        variables: dict[str, Any] = converted(method, values)
        _check_counts(method, variables)
        for step in procedure_steps(method):
            given = [variables[each.name] if isinstance(each, Variable) else each for each in step.arguments]
            if (step.class_name, step.method) == _RETURN:
                query, *rest = given
                return run_query(self.queries[str(query).upper()], rest)
            if step.target is None:
                break
            class_name = step.class_name or method.class_name
            variables[step.target] = self.run_function(self.methods[class_name, step.method], given)
        raise ClassSyntaxError(f"{method.path}: {method.name} must end with {'.'.join(_RETURN)}", line=method.line)


@functools.cache
def program() -> Program:
    """Read the classes of this package."""
    return program_of(read_package(class_folder()))


def program_of(classes: Iterable[Class]) -> Program:
    """Arrange *classes* by their SQL names."""
    tables: dict[str, Class] = {}
    functions: dict[str, Method] = {}
    queries: dict[str, Query] = {}
    procedures: dict[str, Method] = {}
    methods: dict[tuple[str, str], Method] = {}
    class_queries: dict[tuple[str, str], Query] = {}
    for each in classes:
        if "%Persistent" in each.extends:
            tables[f"{each.package}.{each.sql_name}".upper()] = each
        for query in each.queries:
            class_queries[each.name, query.name] = query
            queries[query.full_name.upper()] = query
        for method in each.methods:
            methods[each.name, method.name] = method
            if method.is_procedure:
                kind = procedures if "ReturnResultsets" in method.keywords else functions
                kind[method.full_name.upper()] = method
    return Program(tables, functions, queries, procedures, methods, class_queries)


def class_folder() -> Path:
    """Return the folder of the class files: inside the installed package, or beside it in a checkout."""
    package = Path(str(importlib.resources.files("meetup2025")))
    installed = package / "cls"
    return installed if installed.is_dir() else package.parents[1] / "cls"


def converted(routine: Method | Query, values: Sequence[Any]) -> dict[str, Any]:
    """
    Return the value of each argument of *routine*, converted to the type that the class declares.

    Raises:
        ProgrammingError: There are too many values (SQLCODE -370), or too few.
        DataError: A value does not fit the declared type.
    """
    if len(values) > len(routine.arguments):
        raise ProgrammingError(
            f"{routine.sql_name} must have at most {len(routine.arguments)} arguments. Got {len(values)}.", sqlcode=-370
        )
    given = dict(zip((argument.name for argument in routine.arguments), values, strict=False))
    return {argument.name: _value(routine, argument, given) for argument in routine.arguments}


def query_arguments(query: Query, values: Sequence[Any]) -> dict[str, Any]:
    """
    Return the value of each argument of a class query.

    Raises:
        DataError: A number of rows is below 1.
    """
    given = converted(query, values)
    _check_counts(query, given)
    return given


def _check_counts(routine: Method | Query, given: Mapping[str, Any]) -> None:
    if "k" in given and given["k"] < 1:
        raise DataError(f"{routine.sql_name}: k must be a whole number from 1. Got {given['k']}.")


def _value(routine: Method | Query, argument: Argument, given: Mapping[str, Any]) -> Any:
    if argument.name not in given and not argument.has_default:
        raise ProgrammingError(
            f"{routine.sql_name} must have the argument {argument.name}. Got {len(given)} arguments."
        )
    value = given.get(argument.name, argument.default)
    if isinstance(value, Expression):
        raise ClassSyntaxError(f"{routine.path}: a default must be a literal. Got {value.text}", line=routine.line)
    if isinstance(routine, Query) and _is_array(value):
        return value  # a vector: TO_VECTOR converts it
    convert: Callable[[str, Argument, Any], Any] = _CONVERSIONS.get(argument.type, _text)
    return convert(routine.sql_name, argument, value)


def _text(routine: str, argument: Argument, value: Any) -> str:
    """Convert to %String. NULL is the empty string, as for a method of IRIS."""
    text = vectors.to_text(value) if _is_array(value) else as_text(value)
    longest = int(argument.parameters.get("MAXLEN", "50"))
    if len(text) > longest:
        raise DataError(f"{routine}: {argument.name} must have at most {longest} characters. Got {len(text)}.")
    return text


def _is_array(value: Any) -> bool:
    return hasattr(value, "__len__") and not isinstance(value, str)


def _integer(routine: str, argument: Argument, value: Any) -> int:
    return as_integer(f"{routine}: {argument.name}", value)


def _double(routine: str, argument: Argument, value: Any) -> float:
    return as_double(f"{routine}: {argument.name}", value)


_CONVERSIONS: Mapping[str, Callable[[str, Argument, Any], Any]] = {"%Double": _double, "%Integer": _integer}
