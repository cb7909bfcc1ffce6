"""
The types of a translation: DuckDB types, and a few words more.

``TEXT`` is a string without collation and ``NUMBER`` a number as written. ``NULL`` and ``?`` fit any type.
``CONDITION`` is no value. "" is a type that is not known. A vector is ``DOUBLE[3]``, or ``DOUBLE[]`` where its length
is not known.

The parts are, in order, the types, the DuckDB type of an IRIS type, and the type of an expression, worked out from its
parts, with the casts that DuckDB needs where IRIS converts by itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from meetup2025.engines.sql.functions import DEFAULT_LENGTHS, TYPES
from meetup2025.engines.sql.nodes import FunctionCall, SQLType, ToVector, refuse, unsupported

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT")
NUMBERS = ("NUMBER", "DOUBLE", *INTEGERS)
# Elements of vectors that IRIS stores and this engine does not.
NOT_STORED = ("DECIMAL", "TIMESTAMP")
# Functions whose value has the type of an argument.
_SAME_TYPE = frozenset(["MAX", "MIN", "COALESCE", "NVL", "ISNULL", "NULLIF", "GREATEST", "LEAST", "%EXTERNAL"])
# Functions that take a vector, besides the two that compare vectors.
_OF_VECTORS = frozenset(["COUNT", "COALESCE", "NVL", "ISNULL", "IFNULL", "NULLIF", "%EXTERNAL"])
_VECTOR = re.compile(r"(\w+)\[(\d*)\]$")


def type_of(node: exp.Expr) -> str:
    """Return the type that was worked out for *node*."""
    return str(node.meta.get("type", ""))


def vector_parts(kind: str) -> tuple[str, str] | None:
    """Return element type and length ("" if not known) of a vector type, or None for another type."""
    match = _VECTOR.match(kind)
    return (match[1], match[2]) if match else None


def is_vector(node: exp.Expr) -> bool:
    """Return whether *node* is a vector."""
    return vector_parts(type_of(node)) is not None


def element_name(element: str) -> str:
    """Return the IRIS name of an element type of DuckDB."""
    return "INTEGER" if element == "BIGINT" else element


def shown_type(kind: str) -> str:
    """Return the type code of a result column of the DuckDB type *kind*. IRIS returns a vector as text."""
    if vector_parts(kind):
        return "VARCHAR"
    return "BIGINT" if kind == "HUGEINT" else kind


# --- types of IRIS


def duckdb_type(kind: SQLType, *, casting: bool = False) -> str:
    """Return the DuckDB type of an IRIS type: of a column, or of the target of CAST."""
    if kind.this == "VECTOR":
        return _vector_type(kind, casting=casting)
    target = TYPES[str(kind.this)]
    if target == "DECIMAL(?)":
        return _cast_decimal_type(kind) if casting else _decimal_type(kind)
    return "VARCHAR" if target == "TEXT" and casting else target


def _vector_type(kind: SQLType, *, casting: bool) -> str:
    element = kind.args.get("element")
    if element is None or element in NOT_STORED or not kind.numbers or casting:
        unsupported("VECTOR without an element type of DOUBLE, FLOAT or INTEGER and a length", kind)
    return f"{element}[{kind.numbers[0]}]"


def _decimal_type(kind: SQLType) -> str:
    """Return precision and scale as declared. The defaults are 15 and 0."""
    numbers = kind.numbers
    if len(numbers) > 2:
        refuse(f"{kind.this} has a precision and a scale. Got {len(numbers)} numbers", kind)
    precision = numbers[0] if numbers else 15
    scale = numbers[1] if len(numbers) == 2 else 0
    return f"DECIMAL({precision}, {scale})"


def _cast_decimal_type(kind: SQLType) -> str:
    """Return the target of CAST: IRIS ignores the precision, and keeps all digits where no scale is declared."""
    if not kind.numbers:
        return "DOUBLE"
    scale = kind.numbers[1] if len(kind.numbers) > 1 else 0
    return f"DECIMAL(38, {scale})"


def string_length(kind: SQLType, *, casting: bool = False) -> int | None:
    """Return the length of a string type, as declared or as IRIS assumes, or None for no limit."""
    if kind.numbers:
        return kind.numbers[0]
    defaults = DEFAULT_LENGTHS.get(str(kind.this))
    return defaults[casting] if defaults else None


# --- types of expressions


def infer(node: exp.Expr) -> str:
    """
    Work out the type of *node*, whose parts have their types.

    Returns:
        The type, or "" if it is not known.

    Raises:
        SQLSyntaxError: Vectors that cannot be compared (SQLCODE -257, -258, -259).
        UnsupportedSQLError: A vector where this engine takes none.
    """
    for kind in type(node).__mro__:
        if kind in _RULES:
            return _RULES[kind](node)
    return ""


def upper(value: exp.Expr) -> exp.Anonymous:
    """Put a string into capitals, of the same type."""
    node = exp.Anonymous(this="UPPER", expressions=[value])
    node.meta["type"] = type_of(value)
    return node


def fit(node: exp.Expr, kind: str) -> None:
    """Let ``TO_VECTOR(?)`` return a vector of *kind*."""
    takes_parameter = isinstance(node, ToVector) and isinstance(node.this, exp.Placeholder)
    if takes_parameter and node.args["kind"] not in NOT_STORED:
        node.meta["type"] = kind


def _common(nodes: list[exp.Expr]) -> str:
    """Return the type that *nodes* share, without NULLs, or "" if they differ."""
    kinds = {type_of(node) for node in nodes} - {"NULL"}
    if not kinds:
        return "NULL"
    return kinds.pop() if len(kinds) == 1 else ""


def _of_inner(node: exp.Expr) -> str:
    return type_of(node.this)


def _of_distinct(node: exp.Distinct) -> str:
    """Compare strings by their capitals, as IRIS does. DuckDB 1 would compare their letters."""
    kind = _common(node.expressions)
    if kind == "VARCHAR":
        node.set("expressions", [upper(value) for value in node.expressions])
    return kind


def _of_literal(node: exp.Literal) -> str:
    return "VARCHAR" if node.is_string else "NUMBER"


def _of_case(node: exp.Case) -> str:
    return _common([branch.args["true"] for branch in node.args["ifs"]])


def _of_concatenation(node: exp.DPipe) -> str:
    if any(is_vector(part) for part in node.iter_expressions()):
        unsupported("|| of a vector", node)
    return "TEXT"


def _of_cast(node: exp.Cast) -> str:
    if is_vector(node.this):
        unsupported("CAST of a vector", node)
    return duckdb_type(node.args["to"], casting=True)


def _of_to_vector(node: ToVector) -> str:
    length = node.args.get("length")
    if length is not None and not (isinstance(length, exp.Literal) and length.is_int):
        unsupported("a length in TO_VECTOR that is not a constant", node)
    return f"{node.args['kind']}[{length.name if length else ''}]"


def _of_function(node: exp.Anonymous) -> str:
    name = str(node.this)
    if name.startswith("VECTOR_"):
        _compare_vectors(node)
        return "DOUBLE"
    if name not in _OF_VECTORS and any(is_vector(part) for part in node.expressions):
        unsupported(f"{name} of a vector", node)
    if name in ("MAX", "MIN") and type_of(node.expressions[0]) == "VARCHAR":
        _compare_in_capitals(node)
        return "VARCHAR"
    return _common(node.expressions) if name in _SAME_TYPE else ""


def _compare_in_capitals(node: exp.Anonymous) -> None:
    """Let MAX or MIN of a string compare and return capitals. DISTINCT makes no difference to it."""
    [value] = node.expressions
    node.set("expressions", value.expressions if isinstance(value, exp.Distinct) else [upper(value)])


def _compare_vectors(node: exp.Anonymous) -> None:
    """Check the operands of a vector function, and note the length that they share."""
    known = [parts for operand in node.expressions if (parts := _operand_parts(node, operand))]
    elements = [element_name(element) for element, _ in known]
    if len(set(elements)) > 1:
        refuse(f"{node.name} of vectors of different element types: {elements[0]} and {elements[1]}", node, -259)
    lengths = sorted({length for _, length in known if length})
    if len(lengths) > 1:
        refuse(f"{node.name} of vectors of different lengths: {lengths[0]} and {lengths[1]}", node, -257)
    node.meta["length"] = lengths[0] if lengths else ""
    for operand in node.expressions:
        fit(operand, f"DOUBLE[{node.meta['length']}]")


def _operand_parts(node: exp.Anonymous, operand: exp.Expr) -> tuple[str, str] | None:
    """Return element type and length of an operand of a vector function, or None for NULL."""
    parts = vector_parts(type_of(operand))
    if parts is None and type_of(operand) != "NULL":
        refuse(f"{node.name} compares vectors; write TO_VECTOR(…, DOUBLE) around a string", operand, -258)
    return parts


def _of_comparison(node: exp.Expr) -> str:
    """Compare a string column as a string, whatever value is on the other side."""
    if not isinstance(node, exp.Is) and any(is_vector(part) for part in node.iter_expressions()):
        unsupported("a comparison of vectors", node)
    operands = [part for part in node.iter_expressions() if not isinstance(part, exp.Subquery)]
    if isinstance(node, exp.Like) or any(_is_string_column(part) for part in operands):
        for part in operands:
            if isinstance(part, exp.Placeholder) or type_of(part) in NUMBERS:
                part.replace(exp.Cast(this=part.copy(), to=SQLType(this="CHAR VARYING")))
    return "CONDITION"


def _is_string_column(node: exp.Expr) -> bool:
    return isinstance(node, exp.Column) and type_of(node) == "VARCHAR"


# Rules by class of node. A node without a rule has the rule of the nearest class above it.
_RULES: Mapping[type[Any], Callable[[Any], str]] = {
    exp.Alias: _of_inner,
    exp.Paren: _of_inner,
    exp.Distinct: _of_distinct,
    exp.Literal: _of_literal,
    exp.Null: lambda _node: "NULL",
    exp.Placeholder: lambda _node: "?",
    exp.Case: _of_case,
    exp.DPipe: _of_concatenation,
    exp.Cast: _of_cast,
    exp.Anonymous: _of_function,
    exp.Predicate: _of_comparison,
    FunctionCall: lambda _node: "TEXT",
    ToVector: _of_to_vector,
}
