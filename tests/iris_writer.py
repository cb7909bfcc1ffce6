"""IRIS SQL from a tree of the dialect: sqlglot's own generator, with the other forms of IRIS."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.errors import ErrorLevel
from sqlglot.generator import Generator

from meetup2025.engines.sql.functions import BARE, ODBC_ONLY
from meetup2025.engines.sql.nodes import Call, Explain, FunctionCall, JsonColumn, JsonTable, SQLType, Test, ToVector


def write(tree: exp.Expr) -> str:
    """Write the statement of a tree."""
    return _Writer(unsupported_level=ErrorLevel.RAISE).generate(tree)


class _Writer(Generator):
    """A generator with the nodes that the dialect adds to the nodes of sqlglot, and with the other forms of IRIS."""

    LIMIT_IS_TOP = True

    def select_sql(self, node: exp.Select) -> str:
        self.LIMIT_IS_TOP = not node.args.get("offset")  # there is no OFFSET beside TOP
        if node.meta.get("top_all"):
            node.set("limit", exp.Limit(expression=exp.Literal.number("ALL")))
        return super().select_sql(node)

    def items(self, nodes: list[exp.Expr], separator: str = ", ") -> str:
        return separator.join(self.sql(node) for node in nodes)

    def routine(self, node: FunctionCall) -> str:
        return f"{self.sql(node, 'db')}.{self.sql(node, 'this')}({self.items(node.expressions)})"

    def function(self, node: exp.Anonymous) -> str:
        name, _, side = str(node.this).partition(" ")
        if name == "TRIM" and (side or node.expressions[1:]):
            text, *characters = node.expressions
            return f"TRIM({side or 'BOTH'} {self.items(characters)} FROM {self.sql(text)})"
        if name in BARE and not node.expressions:
            return name
        call = f"{name}({self.items(node.expressions, ' IN ' if name == 'POSITION' else ', ')})"
        return f"{{fn {call}}}" if name in ODBC_ONLY else call

    def vector(self, node: ToVector) -> str:
        length = f", {self.sql(node, 'length')}" if node.args.get("length") else ""
        return f"TO_VECTOR({self.sql(node, 'this')}, {_element(node.args['kind'])}{length})"

    def explain(self, node: Explain) -> str:
        return f"EXPLAIN {self.sql(node, 'this')}"

    def json_table(self, node: JsonTable) -> str:
        alias = f" AS {self.sql(node, 'alias')}" if node.args.get("alias") else ""
        return f"JSON_TABLE({self.sql(node, 'this')}, '$[*]' COLUMNS ({self.items(node.expressions)})){alias}"

    def json_column(self, node: JsonColumn) -> str:
        return f"{self.sql(node, 'this')} {self.sql(node, 'kind')} PATH '$.{node.args['key']}'"

    def type_name(self, node: SQLType) -> str:
        element = node.args.get("element")
        parts = [*([_element(element)] if element else []), *map(str, node.numbers)]
        return f"{node.this}({', '.join(parts)})" if parts else str(node.this)

    def create_sql(self, node: exp.Create) -> str:
        index = node.this
        if not isinstance(index, exp.Index):
            return super().create_sql(node)
        unique = "UNIQUE " if index.args.get("unique") else ""
        hnsw = index.args.get("params")
        options = f" AS HNSW{self.sql(hnsw) if hnsw.expressions else ''}" if hnsw else ""
        table = f"{self.sql(index, 'table')} {self.sql(node, 'expression')}"
        return f"CREATE {unique}INDEX {self.sql(index, 'this')} ON {table}{options}"

    def drop_sql(self, node: exp.Drop) -> str:
        exists = "IF EXISTS " if node.args.get("exists") else ""
        table = f" ON {self.sql(node, 'cluster')}" if node.args.get("cluster") else ""
        return f"DROP {node.args['kind']} {exists}{self.sql(node, 'this')}{table}"

    TRANSFORMS: ClassVar[dict[Any, Any]] = {
        **Generator.TRANSFORMS,
        Call: lambda self, node: f"CALL {self.routine(node)}",
        FunctionCall: routine,
        JsonColumn: json_column,
        Explain: explain,
        JsonTable: json_table,
        SQLType: type_name,
        Test: lambda self, node: self.items(node.expressions, f" {node.this} "),
        ToVector: vector,
        exp.Anonymous: function,
        exp.IntDiv: lambda self, node: self.binary(node, "\\"),
        exp.Mod: lambda self, node: self.binary(node, "#"),
        exp.Placeholder: lambda _, node: "?" if node.name.isdigit() else f":{node.name}",
        exp.Transaction: lambda *_: "START TRANSACTION",
    }


def _element(kind: str) -> str:
    """Return the word of SQL for an element type, which the tree names by its storage."""
    return kind.replace("BIGINT", "INTEGER")
