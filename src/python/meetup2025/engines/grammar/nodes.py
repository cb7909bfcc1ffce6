"""The nodes that IRIS SQL adds to those of sqlglot (listed in `dialect`), and where a node stands in the text."""

from __future__ import annotations

from typing import ClassVar

from sqlglot import exp


class FunctionCall(exp.Expression):
    """A call of a function or query of a schema: `db` and `this` are identifiers, `expressions` the arguments."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "db": True, "expressions": False}

    @property
    def schema(self) -> str:
        """The schema as written."""
        return str(self.args["db"].this)


class Call(FunctionCall):
    """The statement ``CALL schema.name(arguments)``."""


class ToVector(exp.Expression):
    """TO_VECTOR: `this` is the data, `kind` an element type (FLOAT if not said), `length` an expression or None."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "kind": True, "length": False}


class Test(exp.Expression):
    """A condition that only IRIS has: `this` is its operator, `expressions` the two operands."""

    __test__ = False  # not a test case
    arg_types: ClassVar[dict[str, bool]] = {"this": True, "expressions": True}


class SQLType(exp.Expression):
    """An IRIS type: `this` is its name, `element` that of a VECTOR, `expressions` its length or precision and scale."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "element": False, "expressions": False}

    @property
    def numbers(self) -> list[int]:
        """Length, or precision and scale."""
        return [int(number.name) for number in self.expressions]


def place(node: exp.Expr) -> tuple[int, int]:
    """Say where *node* stands in the text: (line, column), or (0, 0) for a node that was not read from one."""
    for part in node.walk():
        if "place" in part.meta:
            line, column = part.meta["place"]
            return int(line), int(column)
    return place(node.parent) if node.parent else (0, 0)
