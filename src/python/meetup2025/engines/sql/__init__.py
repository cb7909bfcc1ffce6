"""
The grammar of InterSystems IRIS SQL: text in, a sqlglot tree out.

`parse` reads one statement. sqlglot gives the tree and, in `translate`, the DuckDB generator; its parser is not used,
because it accepts the union of thirty dialects (a missing THEN, a trailing comma, ``x::INT``, ``FROM t``): here each
construct is written out once in `grammar`, so that what is not there is refused with its line and column.

What the tree holds beside the ordinary nodes of sqlglot:

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

Every node made here has its place in ``node.meta["place"]``: (line, column), both from 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from meetup2025.engines.sql.nodes import Call, FunctionCall, ToVector, place, refuse, shallow
from meetup2025.engines.sql.statements import Statements

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meetup2025.engines.sql.expressions import N

__all__ = ["Call", "FunctionCall", "ToVector", "bind", "function_calls", "parse", "place", "table_calls"]


def parse(sql: str) -> exp.Expr:
    """
    Read one statement of IRIS SQL; a semicolon may end it.

    Raises:
        SQLSyntaxError: IRIS would refuse it too; has line, column and the SQLCODE.
        UnsupportedSQLError: IRIS would accept it, this engine does not; names the construct, has line and column.
    """
    with shallow():
        return Statements(sql).whole()


def bind(expression: N, values: Mapping[str, exp.Expr]) -> N:
    """
    Replace each host variable ``:name`` by a copy of ``values[name]``.

    Args:
        expression: A tree of `parse`; it is not changed.
        values: An expression for each name; names are compared as written.

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
    """List the calls of functions of a schema, in order of appearance (not those in FROM, not `Call` itself)."""
    calls = expression.find_all(FunctionCall, bfs=False)
    return [call for call in calls if not isinstance(call, Call) and not isinstance(call.parent, exp.Table)]


def table_calls(expression: exp.Expr) -> list[exp.Table]:
    """List the queries called in FROM: tables whose `this` is a `FunctionCall`, whose `alias` may be ""."""
    return [table for table in expression.find_all(exp.Table, bfs=False) if isinstance(table.this, FunctionCall)]
