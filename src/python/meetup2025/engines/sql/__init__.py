"""
The grammar of InterSystems IRIS SQL: a text is parsed to a sqlglot tree.

sqlglot provides the nodes of the tree and, in `engines.duckdb`, the generator of DuckDB SQL. The parser of sqlglot is
not used: it accepts all that thirty dialects accept (a missing THEN, a trailing comma, ``x::INT``). The grammar of this
package has one method for each construct of IRIS. It refuses any other text with its line and column.

Besides the ordinary nodes of sqlglot, a tree holds:

========================================  ===========================================================================
``?`` and ``:name``                       `exp.Placeholder`, ``this`` is ``"1"``, ``"2"`` … or the name
``UPPER(x)``, ``COUNT(DISTINCT x)``       `exp.Anonymous`, ``this`` is the name in capitals
``MeetUp2025.EmbedText(?)``               `FunctionCall`
``FROM MeetUp2025.NearestFish(?, 3) q``   `exp.Table` whose ``this`` is a `FunctionCall`
``CALL MeetUp2025.Identify(?, 3)``        `Call`
``FROM JSON_TABLE(…)``                     `JsonTable`, whose columns are `JsonColumn`
``TO_VECTOR(x, DOUBLE, 512)``             `ToVector`
``x [ 'a'``, ``x %STARTSWITH 'a'``        `Test`
column and CAST types                     `SQLType`
========================================  ===========================================================================

``node.meta["place"]`` is the position of a node in the text: (line, column), from 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from meetup2025.engines.sql.nodes import Call, FunctionCall, ToVector, place, refuse, shallow
from meetup2025.engines.sql.statements import Statements
from meetup2025.engines.tokens import split_statements

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meetup2025.engines.sql.expressions import N

__all__ = [
    "Call",
    "FunctionCall",
    "ToVector",
    "bind",
    "called_by_query",
    "function_calls",
    "parse",
    "place",
    "split_statements",
    "table_calls",
]


def parse(sql: str) -> exp.Expr:
    """
    Parse one statement of IRIS SQL, with or without a semicolon at its end.

    Raises:
        SQLSyntaxError: IRIS would refuse the statement too. The error has line, column and SQLCODE.
        UnsupportedSQLError: IRIS would accept the statement and this engine does not. The error names the construct.
    """
    with shallow():
        return Statements(sql).whole()


def called_by_query(sql: str) -> list[str] | None:
    """
    Return the names of the functions that a query calls, or None for a statement that is no query.

    Raises:
        SQLSyntaxError: IRIS would refuse the statement.
        UnsupportedSQLError: This engine does not know a construct.
    """
    tree = parse(sql)
    return [each.name for each in tree.find_all(FunctionCall)] if isinstance(tree, exp.Query) else None


def bind(expression: N, values: Mapping[str, exp.Expr]) -> N:
    """
    Replace each host variable ``:name`` by a copy of ``values[name]``.

    Args:
        expression: A tree of `parse`. It is not changed.
        values: An expression for each name. Names are compared as written.

    Raises:
        SQLSyntaxError: A host variable has no value (SQLCODE -28).
    """

    def replaced(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Placeholder) or node.name.isdigit():
            return node
        if node.name not in values:
            refuse(f"The host variable :{node.name} has no value", node, -28)
        return values[node.name].copy()

    return expression.transform(replaced)  # type: ignore[return-value]


def function_calls(expression: exp.Expr) -> list[FunctionCall]:
    """Return the calls of functions of a schema in order of appearance, without `Call` and the queries in FROM."""
    calls = expression.find_all(FunctionCall, bfs=False)
    return [call for call in calls if not isinstance(call, Call) and not isinstance(call.parent, exp.Table)]


def table_calls(expression: exp.Expr) -> list[exp.Table]:
    """Return the queries that are called in FROM: tables whose `this` is a `FunctionCall`."""
    return [table for table in expression.find_all(exp.Table, bfs=False) if isinstance(table.this, FunctionCall)]
