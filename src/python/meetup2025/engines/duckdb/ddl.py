"""
CREATE and DROP in DuckDB SQL.

The parts are, in order, the two statements, tables with their keys, views, and indexes. A unique index is a rule and is
made. Any other index is checked and left out: it is for speed, and this engine has matrices in memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlglot import exp

from meetup2025.engines.duckdb import information
from meetup2025.engines.duckdb.scopes import Scope
from meetup2025.engines.duckdb.types import duckdb_type, string_length, vector_parts
from meetup2025.engines.duckdb.writer import DuckDBQuery, quoted_schema, quoted_table, write
from meetup2025.engines.sql.nodes import refuse, unsupported
from meetup2025.engines.tokens import identifier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from meetup2025.engines.duckdb.names import Resolver

_HNSW_OPTIONS = {"DISTANCE", "M", "EFCONSTRUCTION"}

# Names that DuckDB takes for a database or for its own catalog.
_TAKEN_SCHEMAS = ("temp", "system", "pg_catalog", "%database")


def create(node: exp.Create, resolver: Resolver) -> list[str]:
    """Write CREATE TABLE, VIEW or INDEX."""
    writers = {"TABLE": _create_table, "VIEW": _create_view, "INDEX": _create_index}
    return writers[node.args["kind"]](node, resolver)


def drop(node: exp.Drop, resolver: Resolver) -> list[str]:
    """Write DROP TABLE, VIEW or INDEX. The sequence of the RowIDs goes with its table."""
    kind, table, exists = node.args["kind"], node.this, "IF EXISTS " if node.args.get("exists") else ""
    if kind == "INDEX":
        return _drop_index(node, resolver)
    _check_schema(table)
    if not exists:
        resolver.table(table)
    statements = [f"DROP {kind} {exists}{quoted_table(table)}"]
    if kind == "TABLE":
        statements.append(f"DROP SEQUENCE IF EXISTS {_sequence(table)}")
    return statements


def _check_schema(table: exp.Table) -> None:
    """Refuse a schema in which no table can be made."""
    if table.db.upper() == information.SCHEMA:
        refuse(f"The schema {information.SCHEMA} is reserved", table, -115)
    if table.db.lower() in _TAKEN_SCHEMAS:
        unsupported(f"a schema named {table.db}", table)


# --- tables


def _create_table(node: exp.Create, resolver: Resolver) -> list[str]:
    """Write the schema, the sequence of the RowIDs, the table and its unique indexes."""
    table, parts, exists = node.this.this, node.this.expressions, _if_not_exists(node)
    _check_schema(table)
    columns: dict[str, exp.ColumnDef] = {}
    for part in parts:
        if isinstance(part, exp.ColumnDef) and columns.setdefault(part.name.lower(), part) is not part:
            refuse(f"Field {part.name} is there twice", part)
    if "id" in columns:
        unsupported("a column named ID", columns["id"])
    for default in node.find_all(exp.DefaultColumnConstraint):
        resolver.walk(default.this, Scope())
    keys = _unique_keys(parts)
    primary = {name.lower() for key in keys if key.name.startswith("PKEY") for name in key.columns}
    definitions = [_row_id(table), *(_define(column, primary) for column in columns.values())]
    return [
        f"CREATE SCHEMA IF NOT EXISTS {quoted_schema(table)}",
        f"CREATE SEQUENCE IF NOT EXISTS {_sequence(table)}",
        f"CREATE TABLE {exists}{quoted_table(table)} ({', '.join(definitions)})",
        *(_unique_key(node, key, columns) for key in keys),
    ]


def _if_not_exists(node: exp.Create) -> str:
    return "IF NOT EXISTS " if node.args.get("exists") else ""


def _sequence(table: exp.Table) -> str:
    """Write the name of the sequence of the RowIDs of *table*."""
    return f"{quoted_schema(table)}.{identifier(f'{table.name}_RowID')}"


def _row_id(table: exp.Table) -> str:
    sequence = _sequence(table).replace("'", "''")
    return f"\"ID\" BIGINT PRIMARY KEY DEFAULT nextval('{sequence}')"


def _define(column: exp.ColumnDef, primary: set[str]) -> str:
    """Write one column of CREATE TABLE. *primary* are the columns of the primary key, which have no NULL."""
    kind, name = column.args["kind"], identifier(column.name)
    target = duckdb_type(kind)
    stored = {"VARCHAR": "VARCHAR COLLATE NOCASE", "TEXT": "VARCHAR"}.get(target, target)
    constraints = [_constraint(each) for each in column.args.get("constraints") or ()]
    words = [name, stored, *constraints]
    if column.name.lower() in primary and "NOT NULL" not in constraints:
        words.append("NOT NULL")
    if kind.this == "BIT":
        words.append(f"CHECK ({name} IN (0, 1))")
    if target == "VARCHAR":
        words.append(f"CHECK (length({name}) <= {string_length(kind)})")
    return " ".join(word for word in words if word)


def _constraint(constraint: exp.Expr) -> str:
    """Write a constraint of a column. UNIQUE and PRIMARY KEY are indexes, so the result is ""."""
    if isinstance(constraint, exp.NotNullColumnConstraint):
        return "NULL" if constraint.args.get("allow_null") else "NOT NULL"
    if isinstance(constraint, exp.DefaultColumnConstraint):
        return f"DEFAULT {write(constraint.this)}"
    return ""


class _Key(NamedTuple):
    """A unique set of columns. *name* is the end of the name that IRIS gives it, with the number of its column."""

    name: str
    columns: list[str]


def _unique_keys(parts: list[exp.Expr]) -> list[_Key]:
    """Return the unique sets of columns that CREATE TABLE declares."""
    keys = []
    for number, part in enumerate(parts, 2):  # the RowID is column 1
        if isinstance(part, exp.ColumnDef):
            kinds = {type(constraint) for constraint in part.args.get("constraints") or ()}
            is_primary, columns = exp.PrimaryKeyColumnConstraint in kinds, [part.name]
            if not is_primary and exp.UniqueColumnConstraint not in kinds:
                continue
        else:
            is_primary = isinstance(part, exp.PrimaryKey)
            columns = [column.name for column in (part if is_primary else part.this).expressions]
        keys.append(_Key(f"{'PKEY' if is_primary else 'UNIQUE'}{number}", columns))
    return keys


def _unique_key(node: exp.Create, key: _Key, columns: Mapping[str, exp.ColumnDef]) -> str:
    """Write the index of a unique set of columns."""
    table, typed = node.this.this, []
    for name in key.columns:
        column = columns.get(name.lower())
        if column is None:
            refuse(f"Field {name} not found", node, -31)
        typed.append((column.name, duckdb_type(column.args["kind"])))
    return _unique_index(f"{table.name.upper()}_{key.name}", quoted_table(table), typed, _if_not_exists(node))


# --- views


def _create_view(node: exp.Create, resolver: Resolver) -> list[str]:
    """Write the schema and the view."""
    view, columns = node.this.this, node.this.expressions
    _check_schema(view)
    outputs = resolver.query(node.expression, Scope(), name_items=True)
    if node.expression.find(DuckDBQuery):
        unsupported(f"a view of {information.SCHEMA}", view)
    if columns and len(columns) != len(outputs):
        refuse(f"The view has {len(columns)} columns and its query {len(outputs)}", node, -142)
    replace = "OR REPLACE " if node.args.get("replace") else ""
    names = f" ({', '.join(identifier(column.name) for column in columns)})" if columns else ""
    return [
        f"CREATE SCHEMA IF NOT EXISTS {quoted_schema(view)}",
        f"CREATE {replace}VIEW {quoted_table(view)}{names} AS {write(node.expression)}",
    ]


# --- indexes


def _create_index(node: exp.Create, resolver: Resolver) -> list[str]:
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
    return [_unique_index(f"{table.name}_{index.name}", quoted_table(table), columns)]


def _unique_index(index: str, table: str, columns: Sequence[tuple[str, str]], exists: str = "") -> str:
    """
    Write a unique index of *columns*, as (name, DuckDB type).

    A string is there once in any case. `upper(lower())` holds for what comparisons take for one (NOCASE, small letters)
    and for what IRIS does (capitals).
    """
    parts = [f"upper(lower({identifier(name)}))" if kind == "VARCHAR" else identifier(name) for name, kind in columns]
    return f"CREATE UNIQUE INDEX {exists}{identifier(index)} ON {table} ({', '.join(parts)})"


def _drop_index(node: exp.Drop, resolver: Resolver) -> list[str]:
    """Write DROP INDEX. An index that was left out is not missed."""
    table = node.args["cluster"]
    resolver.table(table)
    index = identifier(f"{table.name}_{node.this.name}")
    return [f"DROP INDEX IF EXISTS {quoted_schema(table)}.{index}"]


def _check_hnsw(options: exp.Expr, types: Sequence[str]) -> None:
    """Apply the rules of IRIS to an HNSW index: one DOUBLE column of a fixed length, a Distance, M from 2 to 100."""
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
