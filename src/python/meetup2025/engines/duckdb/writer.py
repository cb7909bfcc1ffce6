"""
The DuckDB text of a resolved tree: the generator of sqlglot, extended by the nodes of IRIS SQL.

The parts are, in order, names as DuckDB writes them, `DuckDBQuery`, a part of a tree that is DuckDB SQL already, and
the generator.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import ErrorLevel
from sqlglot.generators.duckdb import DuckDBGenerator

from meetup2025.engines.duckdb.scopes import DEFAULT_SCHEMA
from meetup2025.engines.duckdb.types import INTEGERS, NOT_STORED, duckdb_type, string_length, type_of
from meetup2025.engines.sql.functions import CASTS, TESTS, render
from meetup2025.engines.sql.nodes import FunctionCall, JsonColumn, JsonTable, Test, ToVector, unsupported
from meetup2025.engines.tokens import identifier


def quoted_schema(table: exp.Table) -> str:
    """Write the schema of *table*, or the default schema."""
    return identifier(table.db or DEFAULT_SCHEMA)


def quoted_table(table: exp.Table) -> str:
    """Write the name of *table* with its schema."""
    return f"{quoted_schema(table)}.{identifier(table.name)}"


def function_name(schema: str, name: str) -> str:
    """
    Return the name of the DuckDB function that stands for ``schema.name``. No function of DuckDB has a dot in its name.

    >>> function_name("MeetUp2025", "EmbedText")
    'MeetUp2025.EmbedText'
    """
    return f"{schema}.{name}"


OWNER = "\x1f"
"""Stands for the connection that registers a function: DuckDB has one list for all connections of a file."""


def owned(name: str) -> str:
    """Return the name of a function that a connection registers for its own statements, with the mark of its owner."""
    return f"{name}{OWNER}"


class DuckDBQuery(exp.Expression):
    """A query whose text, `this`, is DuckDB SQL."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True}


def write(node: exp.Expr) -> str:
    """Write a resolved tree."""
    writer = _Writer(dialect=_DUCKDB, identify=True, comments=False, unsupported_level=ErrorLevel.RAISE)
    return writer.generate(node, copy=False)


class _Writer(DuckDBGenerator):
    """The generator of sqlglot for DuckDB, with the nodes that IRIS SQL adds."""

    def duckdb_query(self, node: DuckDBQuery) -> str:
        return str(node.args["this"])

    def name_call(self, node: FunctionCall) -> str:
        arguments = ", ".join(self.sql(argument) for argument in node.expressions)
        return f"{identifier(owned(function_name(node.schema, node.name)))}({arguments})"

    def builtin(self, node: exp.Anonymous) -> str:
        if "length" in node.meta:
            return self.vector_function(node, node.meta["length"])
        return render(str(node.this), [self.sql(argument) for argument in node.expressions])

    def vector_function(self, node: exp.Anonymous, length: str) -> str:
        """Compare in 8 bytes, whatever is stored. A vector of unknown length is a list in DuckDB."""
        wanted = f"DOUBLE[{length}]"
        arguments = []
        for argument in node.expressions:
            text = self.sql(argument)
            arguments.append(text if type_of(argument) == wanted else f"CAST({text} AS {wanted})")
        text = render(str(node.this), arguments)
        return text if length else text.replace("array_", "list_", 1)

    def vector(self, node: ToVector) -> str:
        kind, length = node.args["kind"], node.args.get("length")
        if kind in NOT_STORED:
            unsupported(f"TO_VECTOR of {kind}", node)
        if isinstance(node.this, exp.Placeholder):
            return f"CAST({self.sql(node.this)} AS {type_of(node)})"
        name = identifier(owned(f"TO_VECTOR_{kind}"))
        vector = f"{name}({self.sql(node.this)})"
        return f"CAST({vector} AS {kind}[{self.sql(length)}])" if length else vector

    def json_table(self, node: JsonTable) -> str:
        columns = ", ".join(self.sql(each) for each in node.expressions)
        items = f"(SELECT unnest(CAST({self.sql(node.this)} AS JSON[])) AS item)"
        return f"(SELECT {columns} FROM {items}) AS {identifier(node.alias)}"

    def json_column(self, node: JsonColumn) -> str:
        kind = duckdb_type(node.args["kind"], casting=True)
        return f"CAST(item ->> '$.{node.args['key']}' AS {kind}) AS {identifier(node.name)}"

    def test(self, node: Test) -> str:
        return TESTS[str(node.this)].format(*(self.sql(operand) for operand in node.expressions))

    def conversion(self, node: exp.Cast) -> str:
        target, value = duckdb_type(node.args["to"], casting=True), self.sql(node.this)
        if target == "VARCHAR":
            length = string_length(node.args["to"], casting=True)
            return CASTS["VARCHAR" if length else "other"].format(value=value, length=length, type=target)
        cut = target in INTEGERS and type_of(node.this) not in INTEGERS
        return CASTS["INTEGER" if cut else "other"].format(value=value, type=target)

    def concatenation(self, node: exp.DPipe) -> str:
        return f"({self.sql(node.this)} || {self.sql(node.expression)})"

    def whole_division(self, node: exp.IntDiv) -> str:
        return f"CAST(trunc(({self.sql(node.this)}) / ({self.sql(node.expression)})) AS BIGINT)"

    def modulo(self, node: exp.Mod) -> str:
        left, right = self.sql(node.this), self.sql(node.expression)
        return f"(({left}) - ({right}) * floor(({left}) / ({right})))"  # `#` has the sign of the divisor, MOD has not

    def quotient(self, node: exp.Div) -> str:
        return f"{self.sql(node.this)} / {self.sql(node.expression)}"

    TRANSFORMS: ClassVar[dict[Any, Any]] = {
        **DuckDBGenerator.TRANSFORMS,
        exp.Anonymous: builtin,
        exp.Cast: conversion,
        exp.Div: quotient,
        exp.DPipe: concatenation,
        exp.IntDiv: whole_division,
        exp.Mod: modulo,
        DuckDBQuery: duckdb_query,
        FunctionCall: name_call,
        JsonColumn: json_column,
        JsonTable: json_table,
        Test: test,
        ToVector: vector,
    }


_DUCKDB = DuckDB()
