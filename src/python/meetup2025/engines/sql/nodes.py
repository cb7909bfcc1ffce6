"""
The nodes that IRIS SQL adds to the nodes of sqlglot, and the refusal of SQL with its line and column.

The parts are, in order, the nodes, the position of a node in the text, and the refusals: `refuse` for SQL that IRIS
refuses too, `unsupported` for SQL that only this engine refuses, and `shallow` for SQL that is nested too deep.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar, NoReturn

from sqlglot import exp

from meetup2025.engines.tokens import Token
from meetup2025.errors import SQLSyntaxError, UnsupportedSQLError

if TYPE_CHECKING:
    from collections.abc import Iterator


class FunctionCall(exp.Expression):
    """A call of a function or query of a schema: `db` and `this` are identifiers, `expressions` the arguments."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "db": True, "expressions": False}

    @property
    def schema(self) -> str:
        """The schema as written."""
        return str(self.args["db"].this)


class Call(FunctionCall):
    """The statement ``CALL schema.name(arguments)``."""


class Explain(exp.Expression):
    """The statement ``EXPLAIN query``: `this` is the query."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True}


class ToVector(exp.Expression):
    """TO_VECTOR: `this` is the data, `kind` the DuckDB type of an element, `length` an expression or None."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "kind": True, "length": False}


class Test(exp.Expression):
    """A condition that only IRIS has: `this` is the operator, `expressions` are the two operands."""

    __test__ = False  # not a test case
    arg_types: ClassVar[dict[str, bool]] = {"this": True, "expressions": True}


class JsonTable(exp.Expression):
    """JSON_TABLE in FROM: `this` is an array of objects as JSON, `expressions` are its columns, with their paths."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "expressions": True, "alias": False}


class JsonColumn(exp.Expression):
    """A column of JSON_TABLE: `this` is its name, `kind` its `SQLType`, `key` the member of an object."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "kind": True, "key": True}


class SQLType(exp.Expression):
    """A type of IRIS: `this` is the name, `element` the type of the elements of a VECTOR, `expressions` the numbers."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "element": False, "expressions": False}

    @property
    def numbers(self) -> list[int]:
        """Length, or precision and scale."""
        return [int(number.name) for number in self.expressions]


def place(node: exp.Expr) -> tuple[int, int]:
    """Return line and column of *node* in the text, or (0, 0) for a node that was not parsed from a text."""
    for part in node.walk():
        if "place" in part.meta:
            line, column = part.meta["place"]
            return int(line), int(column)
    return place(node.parent) if node.parent else (0, 0)


def refuse(message: str, at: Token | exp.Expr, sqlcode: int = -1) -> NoReturn:
    """Raise the error of SQL that IRIS refuses too."""
    line, column = _place(at)
    raise SQLSyntaxError(message, line=line, column=column, sqlcode=sqlcode)


def unsupported(construct: str, at: Token | exp.Expr) -> NoReturn:
    """Raise the error of SQL that IRIS accepts and this engine does not."""
    line, column = _place(at)
    raise UnsupportedSQLError(
        f"{construct} is IRIS SQL that the embedded engine does not have", line=line, column=column
    )


@contextmanager
def shallow() -> Iterator[None]:
    """Refuse SQL that is nested deeper than Python can follow."""
    try:
        yield
    except RecursionError as error:
        message = "SQL nested hundreds of levels deep is more than the embedded engine can read"
        raise UnsupportedSQLError(message, line=1, column=1) from error


def _place(at: Token | exp.Expr) -> tuple[int, int]:
    return (at.line, at.column) if isinstance(at, Token) else place(at)
