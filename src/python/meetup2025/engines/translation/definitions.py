"""CREATE and DROP in DuckDB SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from meetup2025.engines.grammar.refusals import refuse, unsupported
from meetup2025.engines.translation.indexes import create_index, drop_index, unique_index
from meetup2025.engines.translation.scopes import Scope
from meetup2025.engines.translation.sql_types import duckdb_type, string_length
from meetup2025.engines.translation.writer import quoted, quoted_schema, quoted_table, write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meetup2025.engines.translation.resolver import Resolver


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
