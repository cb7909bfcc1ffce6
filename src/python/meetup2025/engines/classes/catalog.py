"""The tables, functions, queries and procedures of the classes, as text for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meetup2025.engines.classes import summary
from meetup2025.engines.classes.program import program
from meetup2025.engines.classes.records import sql_type

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from meetup2025.engines.classes import Argument, Class, Method, Property, Query


def catalog_lines() -> list[str]:
    """
    List the tables with their columns, then the functions, queries and procedures with their arguments.

    Returns:
        Lines of plain text, in the order of the names, with the first line of the documentation of each member.
    """
    known = program()
    parts = [
        ["Functions: SELECT MeetUp2025.F(…)", *_routines(known.functions)],
        ["Queries: SELECT … FROM MeetUp2025.Q(…)", *_routines(known.queries)],
        ["Procedures: CALL MeetUp2025.P(…)", *_routines(known.procedures)],
    ]
    return table_lines() + [line for part in parts for line in ["", *part]]


def table_lines() -> list[str]:
    """List the tables with their columns: the first part of `catalog_lines`."""
    tables = program().tables
    return ["Tables", *(line for name in sorted(tables) for line in _table(tables[name]))]


def _table(table: Class) -> Iterator[str]:
    yield f"  {table.package}.{table.sql_name}"
    yield f"      {summary(table.doc)}"
    declared = [f"{column.sql_name} {column_type(column)}" for column in table.properties]
    width = max(map(len, declared), default=0)
    for text, column in zip(declared, table.properties, strict=True):
        yield f"      - {text:{width}}  {summary(column.doc)}".rstrip()


def column_type(column: Property) -> str:
    """Return the SQL type of a column, with NOT NULL where a value is required."""
    required = " NOT NULL" if "Required" in column.keywords else ""
    return f"{_type(column.type, column.parameters)}{required}"


def _routines(routines: Mapping[str, Method | Query]) -> Iterator[str]:
    for key in sorted(routines):
        routine = routines[key]
        yield f"  {signature(routine)}"
        yield f"      {summary(routine.doc)}"


def signature(routine: Method | Query) -> str:
    """Return the SQL name of a function, query or procedure, its arguments, and its result."""
    return f"{routine.full_name}({_arguments(routine.arguments)}){_result(routine)}"


def _arguments(arguments: Sequence[Argument]) -> str:
    return ", ".join(f"{each.name} {_type(each.type, each.parameters)}{_default(each)}" for each in arguments)


def _default(argument: Argument) -> str:
    if not argument.has_default:
        return ""
    return f" = '{argument.default}'" if isinstance(argument.default, str) else f" = {argument.default}"


def _result(routine: Method | Query) -> str:
    columns = getattr(routine, "columns", None)
    if columns is not None:
        return f" -> {', '.join(column.name for column in columns)}"
    return f" -> {_type(routine.type, routine.parameters)}" if routine.type else ""


def _type(name: str, parameters: Mapping[str, str]) -> str:
    """Return the SQL type of a class type. A type that this engine does not know stays as it is written."""
    return sql_type(name, parameters) or name
