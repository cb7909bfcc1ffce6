"""Indexes: a unique one is a rule and is made; one for speed is checked and left out, as the scan is exact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from meetup2025.engines.grammar.refusals import refuse
from meetup2025.engines.translation.sql_types import vector_parts
from meetup2025.engines.translation.writer import quoted, quoted_schema, quoted_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from meetup2025.engines.translation.resolver import Resolver

_HNSW_OPTIONS = {"DISTANCE", "M", "EFCONSTRUCTION"}


def unique_index(index: str, table: str, columns: Sequence[tuple[str, str]], exists: str = "") -> str:
    """Write a unique index of *columns*, each (name, DuckDB type), that takes no notice of case."""
    parts = [f"upper({quoted(name)})" if kind == "VARCHAR" else quoted(name) for name, kind in columns]
    return f"CREATE UNIQUE INDEX {exists}{quoted(index)} ON {table} ({', '.join(parts)})"


def create_index(node: exp.Create, resolver: Resolver) -> list[str]:
    """Check CREATE INDEX, and write it if it is unique."""
    index, table = node.this, node.this.args["table"]
    target = resolver.table(table)
    columns = []
    for column in node.expression.expressions:
        if column.name.lower() not in target.columns:
            refuse(f"Field {column.name} not found in the table", column, -31)
        columns.append(target.columns[column.name.lower()])
    if options := index.args.get("params"):
        _check_hnsw(options, [kind for _, kind in columns])
    if not index.args.get("unique"):
        return []
    return [unique_index(f"{table.name}_{index.name}", quoted_table(table), columns)]


def drop_index(node: exp.Drop, resolver: Resolver) -> list[str]:
    """Write DROP INDEX; one that was left out is not missed."""
    table = node.args["cluster"]
    resolver.table(table)
    index = quoted(f"{table.name}_{node.this.name}")
    return [f"DROP INDEX IF EXISTS {quoted_schema(table)}.{index}"]


def _check_hnsw(options: exp.Expr, types: Sequence[str]) -> None:
    """Hold an HNSW index to the rules of IRIS: one fixed-length DOUBLE column, Distance said, M from 2 to 100."""
    given = {option.this.name.upper(): option.expression for option in options.expressions}
    if unknown := set(given) - _HNSW_OPTIONS:
        refuse(f"HNSW has the parameters Distance, M and efConstruction. Got {', '.join(sorted(unknown))}", options)
    distance = given["DISTANCE"].name.upper() if "DISTANCE" in given else ""
    if distance not in ("COSINE", "DOTPRODUCT"):
        refuse("HNSW needs Distance = 'Cosine' or 'DotProduct'", options)
    m = _number(given, "M", 16)
    if not 2 <= m <= 100:
        refuse(f"M of an HNSW index is from 2 to 100. Got {m}", options)
    ef = _number(given, "EFCONSTRUCTION", max(64, m + 1))
    if ef <= m:
        refuse(f"efConstruction of an HNSW index is greater than M ({m}). Got {ef}", options)
    if len(types) != 1 or not _is_double_vector(types[0]):
        refuse("An HNSW index is on one column of type VECTOR(DOUBLE, length)", options)


def _number(given: Mapping[str, exp.Expr], name: str, default: int) -> int:
    value = given.get(name)
    if value is None:
        return default
    if not (isinstance(value, exp.Literal) and value.is_int):
        refuse(f"{name} of an HNSW index is an integer", value, -80)
    return int(value.name)


def _is_double_vector(kind: str) -> bool:
    element, length = vector_parts(kind) or ("", "")
    return element == "DOUBLE" and length != ""
