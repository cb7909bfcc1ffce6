"""
IRIS SQL for DuckDB: a tree of `engines.sql.parse` becomes DuckDB statements.

The differences from IRIS:

| in IRIS | here |
| --- | --- |
| RowID of a table | a column `ID` filled from a sequence. TRUNCATE does not set it back to 1 |
| collation SQLUPPER | NOCASE of the column: it follows the value through functions, and blanks at the end count |
| `GROUP BY Name`, `DISTINCT Name`, `MAX(Name)` return capitals | the same. Write `%EXACT(Name)` to keep the letters |
| `%INLIST` | follows the collation of its first operand. The IRIS reference says this, and EXACT in another place |
| a field that is neither grouped nor aggregated | refused. IRIS takes the value of any row |
| HAVING without GROUP BY | filters rows, as in IRIS. It is refused where an aggregate stands beside a field |
| `VARCHAR(n)` too long, SQLCODE -104 | a CHECK constraint `length("Name") <= n` |
| UNIQUE, PRIMARY KEY | a unique index on `upper(lower(column))` |
| other indexes, HNSW among them | checked, not made, not listed: the answer is exact. `DROP INDEX` accepts them |
| the plan of `EXPLAIN` | one line for each SELECT with TOP: whether a matrix in memory narrows it |
| FLOAT vectors | stored in 4 bytes, compared in 8 |
| vectors of DECIMAL and TIMESTAMP | refused |
| a vector as text: CAST, `||`, LENGTH, `=` | refused. A selected vector is text, as in IRIS |
| `TO_VECTOR` with words, a missing element or another length | refused. IRIS converts, pads and cuts |
| `CAST('abc' AS INTEGER)` and `'abc' + 1` count as 0 | an error |
| the text of a number: `.5` | `0.5` |
| JSON_TABLE | of a function whose arguments are constants, an array of objects, and their members |
| `TRIM(TRAILING FROM x)`, `TRIM(TRAILING x)` | refused: write the characters, as in `TRIM(TRAILING ' ' FROM x)` |
| `LEFT`, `RIGHT`, `CONCAT`, `LOG` and others that IRIS documents as `{fn LEFT(…)}` | in this form alone |
| INFORMATION_SCHEMA | SCHEMATA, TABLES, COLUMNS, INDEXES and ROUTINES. OWNER and the length of a vector are NULL |
| INSERT OR UPDATE, ALTER TABLE, `->`, OVER, and others that `engines.sql` names | refused |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlglot import exp

from meetup2025.engines.duckdb.changes import delete, insert, truncate, update
from meetup2025.engines.duckdb.ddl import create, drop
from meetup2025.engines.duckdb.names import Resolver
from meetup2025.engines.duckdb.nearest import NOT_NARROWED, Narrowed, narrowed
from meetup2025.engines.duckdb.scopes import Schema, Scope
from meetup2025.engines.duckdb.writer import OWNER, function_name, owned
from meetup2025.engines.sql.nodes import refuse, shallow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["OWNER", "SETTINGS", "Schema", "Translated", "function_name", "owned", "to_duckdb", "translated"]

# Settings that the connection must have: without them 1/0 is an infinity, and IRIS raises <DIVIDE>.
SETTINGS: Mapping[str, str] = {"ieee_floating_point_ops": "false"}


class Translated(NamedTuple):
    """The statements of DuckDB for a statement of IRIS, in order, and its searches."""

    statements: list[str]
    narrowed: Narrowed = NOT_NARROWED


def to_duckdb(statement: exp.Expr, schema: Schema) -> list[str]:
    """Write *statement* as the statements of `translated`."""
    return translated(statement, schema).statements


def translated(statement: exp.Expr, schema: Schema) -> Translated:
    """
    Write *statement* as DuckDB SQL.

    Args:
        statement: A tree of `parse`, with host variables bound and class queries in FROM replaced by subqueries. It is
            not changed. The value bound to the parameter of ``TO_VECTOR(?, …)`` must be a list of numbers or None.
        schema: The tables of the database.

    Returns:
        Statements to execute in this order, with the parameters ``$1``, ``$2`` …. The last one returns the rows. An
        index that is not needed has no statement. Of a query, also its searches.

    Raises:
        SQLSyntaxError: An unknown table (SQLCODE -30) or field (-29), or vectors that cannot be compared: of different
            lengths (-257) or element types (-259), or no vectors (-258).
        UnsupportedSQLError: A construct of IRIS that this engine does not have.
    """
    if isinstance(statement, _QUERIES):
        with shallow():
            return _query(statement.copy(), Resolver(schema))
    writer = _STATEMENTS.get(type(statement))
    if writer is None:
        refuse(f"{type(statement).__name__} cannot be run as a statement", statement)
    with shallow():
        return Translated(writer(statement.copy(), Resolver(schema)))


def _query(node: exp.Expr, resolver: Resolver) -> Translated:
    resolver.query(node, Scope(), name_items=True)
    sql, found = narrowed(node, resolver.tops)
    return Translated([sql], found)


_QUERIES = (exp.Select, exp.Subquery, exp.SetOperation)

_STATEMENTS: Mapping[type[Any], Callable[[Any, Resolver], list[str]]] = {
    exp.Insert: insert,
    exp.Update: update,
    exp.Delete: delete,
    exp.TruncateTable: truncate,
    exp.Create: create,
    exp.Drop: drop,
}
