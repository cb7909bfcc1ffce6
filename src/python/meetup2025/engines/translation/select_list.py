"""The items of SELECT: what ``*`` stands for, the columns that come out, and how IRIS names them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from meetup2025.engines.functions import AGGREGATES
from meetup2025.engines.grammar.refusals import refuse
from meetup2025.engines.translation.sql_types import type_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meetup2025.engines.translation.scopes import Scope, Source

_LABELS: dict[type[exp.Expr], str] = {
    exp.Literal: "HostVar",
    exp.Placeholder: "HostVar",
    exp.Null: "Literal",
    exp.Subquery: "Subquery",
}


def expand(item: exp.Expr, scope: Scope) -> list[exp.Expr]:
    """Write ``*`` and ``t.*`` as one item per table, without hidden IDs."""
    if not isinstance(item, exp.Star) and not isinstance(item.this, exp.Star):
        return [item]
    if not scope.sources:
        refuse("SELECT * needs a FROM clause", item, -26)
    names = [item.table.lower()] if isinstance(item, exp.Column) else list(scope.sources)
    if names[0] not in scope.sources:
        refuse(f"Label {names[0]} is not among the tables of FROM", item, -23)
    return [_star(name, scope.sources[name]) for name in names]


def _star(name: str, source: Source) -> exp.Column:
    hidden = [exp.Identifier(this="ID", quoted=True)] if source.hides_id and "id" in source.columns else None
    star = exp.Column(this=exp.Star(except_=hidden), table=exp.Identifier(this=name, quoted=True))
    star.meta["visible"] = source.visible
    return star


def outputs(items: Iterable[exp.Expr]) -> dict[str, str]:
    """Give the columns of a SELECT as name -> type; those without a name, or with one used before, get a number."""
    columns: dict[str, str] = {}
    for number, item in enumerate(items, 1):
        if "visible" in item.meta:
            for name, kind in item.meta["visible"].items():
                columns[name if name not in columns else f"{name}_{number}"] = kind
        else:
            columns[item.alias_or_name or f"({number})"] = type_of(item)
    return columns


def labelled(item: exp.Expr, number: int) -> exp.Expr:
    """Name an item as IRIS does: Expression_2, Aggregate_1, HostVar_3."""
    if isinstance(item, (exp.Alias, exp.Column)):
        return item
    is_aggregate = isinstance(item, exp.Anonymous) and item.this in AGGREGATES
    label = "Aggregate" if is_aggregate else _LABELS.get(type(item), "Expression")
    return exp.Alias(this=item, alias=exp.Identifier(this=f"{label}_{number}"))
