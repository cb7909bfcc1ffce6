"""GROUP BY, HAVING, DISTINCT and the aggregates, with the meaning that they have in IRIS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from meetup2025.engines.duckdb.types import type_of, upper
from meetup2025.engines.sql.functions import AGGREGATES
from meetup2025.engines.sql.nodes import refuse, unsupported

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from meetup2025.engines.duckdb.scopes import Scope


def apply_grouping(select: exp.Expr, scope: Scope) -> None:
    """Check GROUP BY, HAVING and DISTINCT of a resolved *select*, and rewrite them where DuckDB differs."""
    group, having = select.args.get("group"), select.args.get("having")
    if group:
        _apply_group(select, group, scope)
    else:
        parts = [*select.expressions, *([having] if having else [])]
        aggregate = next((found for part in parts for found in aggregates(part)), None)
        if aggregate and any(_fields(part, scope) for part in parts):
            unsupported(f"{aggregate.name} beside a field without GROUP BY", aggregate)
        if having and not aggregate:
            _filter_rows(select, having)
    if select.args.get("distinct"):
        _put_in_capitals(select, lambda _column: True)


def _apply_group(select: exp.Expr, group: exp.Expr, scope: Scope) -> None:
    """Refuse a field that is neither grouped nor aggregated, and put the grouped strings into capitals."""
    refuse_aggregates(group)
    keys = [key.meta.get("label", key) for key in group.expressions]
    for key in keys:
        if not key.find(exp.Column):
            unsupported("GROUP BY of a constant", key)
    owners = {key.meta["owner"] for key in keys if "owner" in key.meta}
    clauses = [select.args[clause] for clause in ("having", "order") if select.args.get(clause)]
    for part in [*select.expressions, *clauses]:
        for column in _fields(part, scope, keys):
            if column.meta.get("owner") not in owners:
                unsupported(f"{column.name}, a field neither grouped nor aggregated,", column)
    _put_in_capitals(select, lambda column: column.meta.get("owner") in owners)


def _filter_rows(select: exp.Expr, having: exp.Expr) -> None:
    """Move HAVING into WHERE: without groups and aggregates it filters rows."""
    where, condition = select.args.get("where"), having.this
    if where:
        condition = exp.And(this=exp.Paren(this=where.this), expression=exp.Paren(this=condition))
    select.set("where", exp.Where(this=condition))
    select.set("having", None)


def _put_in_capitals(select: exp.Expr, chosen: Callable[[exp.Column], bool]) -> None:
    """Put the *chosen* string columns into capitals, as IRIS does where it groups by them."""
    for item in select.expressions:
        value = item.unalias()
        if not isinstance(value, exp.Column) or type_of(value) != "VARCHAR" or not chosen(value):
            continue
        _order_by_item(select, value, item)
        capitals = upper(value.copy())
        value.replace(exp.Alias(this=capitals, alias=value.this.copy()) if value is item else capitals)


def _order_by_item(select: exp.Expr, value: exp.Column, item: exp.Expr) -> None:
    """Sort by *item* where ORDER BY names its field: after DISTINCT the field itself is out of reach."""
    for ordered in _ordered(select):
        if ordered.this == value and ordered.this.meta.get("owner") == value.meta.get("owner"):
            ordered.set("this", exp.Column(this=exp.Identifier(this=item.alias_or_name, quoted=True)))


def check_order(select: exp.Expr) -> None:
    """Refuse an aggregate in ORDER BY that is no item of SELECT."""
    items = [item.unalias() for item in select.expressions]
    for ordered in _ordered(select):
        for aggregate in aggregates(ordered.this):
            if aggregate not in items:
                refuse(f"{aggregate.name} in ORDER BY must be an item of SELECT", aggregate, -73)


def _ordered(select: exp.Expr) -> list[exp.Expr]:
    order = select.args.get("order")
    return order.expressions if order else []


def aggregates(node: exp.Expr) -> list[exp.Anonymous]:
    """Return the aggregates of *node*, without the aggregates of its subqueries."""
    if isinstance(node, exp.Anonymous) and node.this in AGGREGATES:
        return [node]
    if isinstance(node, (exp.Subquery, exp.Exists)):
        return []
    return [found for child in node.iter_expressions() for found in aggregates(child)]


def refuse_aggregates(node: exp.Expr) -> None:
    """Refuse an aggregate in *node*, a part of WHERE, ON or GROUP BY."""
    if found := aggregates(node):
        refuse(f"The aggregate function {found[0].name} cannot be used in WHERE, ON or GROUP BY", found[0], -19)


def _fields(node: exp.Expr, scope: Scope, keys: Sequence[exp.Expr] = ()) -> list[exp.Column]:
    """Return the columns of *node* that belong to *scope*, outside of aggregates, subqueries and *keys*."""
    if node in keys:
        return []
    if isinstance(node, exp.Column):
        if "label" in node.meta:
            return _fields(node.meta["label"], scope, keys)
        owner_scope = node.meta["owner"][0] if "owner" in node.meta else id(scope)
        return [node] if owner_scope == id(scope) else []
    if isinstance(node, (exp.Subquery, exp.Exists)) or (isinstance(node, exp.Anonymous) and node.this in AGGREGATES):
        return []
    return [column for child in node.iter_expressions() for column in _fields(child, scope, keys)]
