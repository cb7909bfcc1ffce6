"""INSERT, UPDATE, DELETE and TRUNCATE in DuckDB SQL: each column that is written gets a value that it can hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from sqlglot import exp

from meetup2025.engines.duckdb.scopes import Scope, Source
from meetup2025.engines.duckdb.types import element_name, fit, type_of, vector_parts
from meetup2025.engines.duckdb.writer import write
from meetup2025.engines.sql.nodes import ToVector, refuse

if TYPE_CHECKING:
    from meetup2025.engines.duckdb.names import Resolver


def insert(node: exp.Insert, resolver: Resolver) -> list[str]:
    """Write INSERT of one row, or of the rows of a query."""
    target = resolver.table(node.this.this)
    names = [column.name for column in node.this.expressions] or list(target.visible)
    node.this.set("expressions", [_written_column(target, name, node, -111) for name in names])
    if isinstance(node.expression, exp.Values):
        count = _resolve_row(node.expression.expressions[0], target, names, resolver)
    else:
        kinds = list(resolver.query(node.expression, Scope()).values())
        _check_vectors(node.expression, target, names, kinds)
        count = len(kinds)
    if count != len(names):
        refuse(f"{len(names)} columns and {count} values in INSERT", node, -62 if count < len(names) else -116)
    return [write(node)]


def _resolve_row(row: exp.Expr, target: Source, names: list[str], resolver: Resolver) -> int:
    """Resolve the values of a new row, and return how many they are."""
    resolver.walk(row, Scope())
    for name, value in zip(names, row.expressions, strict=False):  # the caller compares the lengths
        _fit_column(target, name, value)
    return len(row.expressions)


def _check_vectors(query: exp.Expr, target: Source, names: list[str], kinds: list[str]) -> None:
    """Refuse a query whose items are not vectors of the types of the columns that they go into."""
    for name, kind in zip(names, kinds, strict=False):  # the caller compares the lengths
        column = vector_parts(target.columns[name.lower()][1])
        if column and kind != "NULL" and not _fits(vector_parts(kind), column):
            _refuse_element(name, column[0], query)


def _fits(parts: tuple[str, str] | None, column: tuple[str, str]) -> bool:
    """Return whether a vector fits into a column. DuckDB checks a length that is not known yet."""
    return parts is not None and parts[0] == column[0] and parts[1] in ("", column[1])


def update(node: exp.Update, resolver: Resolver) -> list[str]:
    """Write UPDATE."""
    scope = Scope()
    target = resolver.target(node.this, scope)
    for assignment in node.expressions:
        name = assignment.this.name
        assignment.set("this", _written_column(target, name, assignment.this, -107))
        resolver.walk(assignment.expression, scope)
        _fit_column(target, name, assignment.expression)
    resolver.condition(node.args.get("where"), scope)
    return [write(node)]


def delete(node: exp.Delete, resolver: Resolver) -> list[str]:
    """Write DELETE."""
    scope = Scope()
    resolver.target(node.this, scope)
    resolver.condition(node.args.get("where"), scope)
    return [write(node)]


def truncate(node: exp.TruncateTable, resolver: Resolver) -> list[str]:
    """Write TRUNCATE."""
    [table] = node.expressions
    resolver.table(table)
    return [f"TRUNCATE {write(table)}"]


def _written_column(target: Source, name: str, node: exp.Expr, sqlcode: int) -> exp.Identifier:
    """Return the column *name*, which must be one that can be written. *sqlcode* is the error for the RowID."""
    if name.lower() == "id" and target.hides_id:
        refuse("The RowID cannot be written", node, sqlcode)
    if name.lower() not in target.columns:
        refuse(f"Field {name} not found in the table", node, -29)
    return exp.Identifier(this=target.columns[name.lower()][0], quoted=True)


def _fit_column(target: Source, name: str, value: exp.Expr) -> None:
    """
    Set the length of ``TO_VECTOR(?)`` to the length of its column.

    A vector of another length is then refused, not padded.

    Any other value of a vector column must be a vector of the type of the column: only TO_VECTOR checks the numbers.
    """
    kind = target.columns[name.lower()][1]
    column = vector_parts(kind)
    if not column:
        return
    if isinstance(value, ToVector) and not value.args.get("length"):
        if value.args["kind"] != column[0]:
            _refuse_element(name, column[0], value)
        fit(value, kind)
    elif type_of(value) not in (kind, "NULL"):
        _refuse_element(name, column[0], value)


def _refuse_element(name: str, element: str, at: exp.Expr) -> NoReturn:
    word = element_name(element)
    refuse(f"{name} must get a vector of its type and length: write TO_VECTOR(…, {word})", at, -104)
