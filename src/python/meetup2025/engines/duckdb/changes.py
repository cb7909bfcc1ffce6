"""INSERT, UPDATE, DELETE and TRUNCATE in DuckDB SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from meetup2025.engines.duckdb.scopes import Scope, Source
from meetup2025.engines.duckdb.types import fit, type_of, vector_parts
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
        count = len(resolver.query(node.expression, Scope()))
    if count != len(names):
        refuse(f"{len(names)} columns and {count} values in INSERT", node, -62 if count < len(names) else -116)
    return [write(node)]


def _resolve_row(row: exp.Expr, target: Source, names: list[str], resolver: Resolver) -> int:
    """Resolve the values of a new row, and count them."""
    resolver.walk(row, Scope())
    for name, value in zip(names, row.expressions, strict=False):  # the caller compares the lengths
        _fit_column(target, name, value)
    return len(row.expressions)


def update(node: exp.Update, resolver: Resolver) -> list[str]:
    """Write UPDATE."""
    scope = Scope()
    resolver.add_source(node.this, scope)
    [target] = scope.sources.values()
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
    resolver.add_source(node.this, scope)
    resolver.condition(node.args.get("where"), scope)
    return [write(node)]


def truncate(node: exp.TruncateTable, resolver: Resolver) -> list[str]:
    """Write TRUNCATE."""
    [table] = node.expressions
    resolver.table(table)
    return [f"TRUNCATE {write(table)}"]


def _written_column(target: Source, name: str, node: exp.Expr, sqlcode: int) -> exp.Identifier:
    """Check that *name* may be written; *sqlcode* is that of writing the RowID."""
    if name.lower() == "id" and target.hides_id:
        refuse("The RowID cannot be written", node, sqlcode)
    if name.lower() not in target.columns:
        refuse(f"Field {name} not found in the table", node, -29)
    return exp.Identifier(this=target.columns[name.lower()][0], quoted=True)


def _fit_column(target: Source, name: str, value: exp.Expr) -> None:
    """
    Let ``TO_VECTOR(?)`` take the length of the column it goes to; another length is then an error, not padded.

    Anything else that goes into a vector column must be a vector of its type: only TO_VECTOR checks the numbers.
    """
    kind = target.columns[name.lower()][1]
    if not vector_parts(kind):
        return
    if isinstance(value, ToVector) and not value.args.get("length"):
        if value.args["kind"] != kind.partition("[")[0]:
            refuse(f"{name} holds numbers of another type: write TO_VECTOR(…, {kind.partition('[')[0]})", value, -104)
        fit(value, kind)
    elif type_of(value) not in (kind, "NULL"):
        refuse(f"{name} must get a vector of its type and length: write TO_VECTOR(…, DOUBLE)", value, -104)
