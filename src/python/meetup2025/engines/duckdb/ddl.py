"""
CREATE and DROP in DuckDB SQL.

Indexes: a unique one is a rule and is made; one for speed is checked and left out, as the scan is exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from meetup2025.engines.duckdb.scopes import Scope
from meetup2025.engines.duckdb.types import duckdb_type, string_length, vector_parts
from meetup2025.engines.duckdb.writer import quoted, quoted_schema, quoted_table, write
from meetup2025.engines.sql.nodes import refuse, unsupported

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from meetup2025.engines.duckdb.names import Resolver


def create(node: exp.Create, resolver: Resolver) -> list[str]:
    """Write CREATE TABLE, VIEW or INDEX."""
    writers = {"TABLE": _create_table, "VIEW": _create_view, "INDEX": create_index}
    return writers[node.args["kind"]](node, resolver)


def drop(node: exp.Drop, resolver: Resolver) -> list[str]:
    """Write DROP TABLE, VIEW or INDEX; the sequence of the RowIDs goes with its table."""
    kind, table, exists = node.args["kind"], node.this, "IF EXISTS " if node.args.get("exists") else ""
    if kind == "INDEX":
        return drop_index(node, resolver)
    if not exists:
        resolver.table(table)
    statements = [f"DROP {kind} {exists}{quoted_table(table)}"]
    if kind == "TABLE":
        statements.append(f"DROP SEQUENCE IF EXISTS {_sequence(table)}")
    return statements


# Tables


def _create_table(node: exp.Create, resolver: Resolver) -> list[str]:
    """Write the schema, the sequence of the RowIDs, the table and its unique indexes."""
    table, parts, exists = node.this.this, node.this.expressions, _if_not_exists(node)
    columns: dict[str, exp.ColumnDef] = {}
    for part in parts:
        if isinstance(part, exp.ColumnDef) and columns.setdefault(part.name.lower(), part) is not part:
            refuse(f"Field {part.name} is there twice", part)
    if "id" in columns:
        unsupported("a column named ID", columns["id"])
    for default in node.find_all(exp.DefaultColumnConstraint):
        resolver.walk(default.this, Scope())
    definitions = [_row_id(table), *(_define(column) for column in columns.values())]
    return [
        f"CREATE SCHEMA IF NOT EXISTS {quoted_schema(table)}",
        f"CREATE SEQUENCE IF NOT EXISTS {_sequence(table)}",
        f"CREATE TABLE {exists}{quoted_table(table)} ({', '.join(definitions)})",
        *(_unique(node, keys, columns) for keys in _unique_keys(parts)),
    ]


def _if_not_exists(node: exp.Create) -> str:
    return "IF NOT EXISTS " if node.args.get("exists") else ""


def _sequence(table: exp.Table) -> str:
    """Write the name of the sequence that gives the RowIDs of *table*."""
    return f"{quoted_schema(table)}.{quoted(f'{table.name}_RowID')}"


def _row_id(table: exp.Table) -> str:
    sequence = _sequence(table).replace("'", "''")
    return f"\"ID\" BIGINT PRIMARY KEY DEFAULT nextval('{sequence}')"


def _define(column: exp.ColumnDef) -> str:
    """Write one column of CREATE TABLE."""
    kind, name = column.args["kind"], quoted(column.name)
    target = duckdb_type(kind)
    stored = {"VARCHAR": "VARCHAR COLLATE NOCASE", "TEXT": "VARCHAR"}.get(target, target)
    words = [name, stored, *(_constraint(each) for each in column.args.get("constraints") or ())]
    if kind.this == "BIT":
        words.append(f"CHECK ({name} IN (0, 1))")
    if target == "VARCHAR":
        words.append(f"CHECK (length({name}) <= {string_length(kind)})")
    return " ".join(word for word in words if word)


def _constraint(constraint: exp.Expr) -> str:
    """Write a constraint of a column; "" for UNIQUE, which is an index."""
    if isinstance(constraint, exp.PrimaryKeyColumnConstraint):
        return "NOT NULL"
    if isinstance(constraint, exp.NotNullColumnConstraint):
        return "NULL" if constraint.args.get("allow_null") else "NOT NULL"
    if isinstance(constraint, exp.DefaultColumnConstraint):
        return f"DEFAULT {write(constraint.this)}"
    return ""


def _unique_keys(parts: list[exp.Expr]) -> list[list[str]]:
    """List the sets of columns that CREATE TABLE declares unique."""
    keys = []
    for part in parts:
        if isinstance(part, exp.ColumnDef):
            if _is_unique(part):
                keys.append([part.name])
        else:
            columns = part.expressions if isinstance(part, exp.PrimaryKey) else part.this.expressions
            keys.append([column.name for column in columns])
    return keys


def _is_unique(column: exp.ColumnDef) -> bool:
    constraints = column.args.get("constraints") or ()
    unique = (exp.UniqueColumnConstraint, exp.PrimaryKeyColumnConstraint)
    return any(isinstance(constraint, unique) for constraint in constraints)


def _unique(node: exp.Create, keys: list[str], columns: Mapping[str, exp.ColumnDef]) -> str:
    """Write the index of a unique set of columns."""
    table, typed = node.this.this, []
    for key in keys:
        column = columns.get(key.lower())
        if column is None:
            refuse(f"Field {key} not found", node, -31)
        typed.append((column.name, duckdb_type(column.args["kind"])))
    return unique_index("_".join([table.name, *keys]), quoted_table(table), typed, _if_not_exists(node))


# Views


def _create_view(node: exp.Create, resolver: Resolver) -> list[str]:
    """Write the schema and the view."""
    view, columns = node.this.this, node.this.expressions
    outputs = resolver.query(node.expression, Scope(), name_items=True)
    if columns and len(columns) != len(outputs):
        refuse(f"The view has {len(columns)} columns and its query {len(outputs)}", node, -142)
    replace = "OR REPLACE " if node.args.get("replace") else ""
    names = f" ({', '.join(quoted(column.name) for column in columns)})" if columns else ""
    return [
        f"CREATE SCHEMA IF NOT EXISTS {quoted_schema(view)}",
        f"CREATE {replace}VIEW {quoted_table(view)}{names} AS {write(node.expression)}",
    ]


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
