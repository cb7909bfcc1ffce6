"""
The types that a translation speaks of: DuckDB types, and a few words more.

``TEXT`` is a string without collation, ``NUMBER`` a number as written, ``NULL`` and ``?`` what fits any type,
``CONDITION`` what is no value; "" is a type that is not known. A vector is ``DOUBLE[3]``, or ``DOUBLE[]`` where its
length is not known.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from meetup2025.engines.functions import DEFAULT_LENGTHS, TYPES
from meetup2025.engines.grammar.refusals import refuse, unsupported

if TYPE_CHECKING:
    from sqlglot import exp

    from meetup2025.engines.grammar.nodes import SQLType

INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT")
NUMBERS = ("NUMBER", "DOUBLE", *INTEGERS)
# Elements of vectors that IRIS stores and this engine does not.
NOT_STORED = ("DECIMAL", "TIMESTAMP")
_VECTOR = re.compile(r"(\w+)\[(\d*)\]$")


def type_of(node: exp.Expr) -> str:
    """Give the type that was worked out for *node*."""
    return str(node.meta.get("type", ""))


def vector_parts(kind: str) -> tuple[str, str] | None:
    """Give the element type and the length ("" if not known) of a vector type; None for another type."""
    match = _VECTOR.match(kind)
    return (match[1], match[2]) if match else None


def is_vector(node: exp.Expr) -> bool:
    """Tell whether *node* is a vector."""
    return vector_parts(type_of(node)) is not None


def duckdb_type(kind: SQLType, *, casting: bool = False) -> str:
    """Give the DuckDB type of an IRIS type: of a column, or of the target of CAST."""
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
    """Give precision and scale as declared, 15 and 0 if not said."""
    numbers = kind.numbers
    if len(numbers) > 2:
        refuse(f"{kind.this} has a precision and a scale. Got {len(numbers)} numbers", kind)
    precision = numbers[0] if numbers else 15
    scale = numbers[1] if len(numbers) == 2 else 0
    return f"DECIMAL({precision}, {scale})"


def _cast_decimal_type(kind: SQLType) -> str:
    """The precision does not matter in IRIS, and without a scale no digit is lost."""
    if not kind.numbers:
        return "DOUBLE"
    scale = kind.numbers[1] if len(kind.numbers) > 1 else 0
    return f"DECIMAL(38, {scale})"


def string_length(kind: SQLType, *, casting: bool = False) -> int | None:
    """Give the length of a string type, as declared or as IRIS assumes; None for no limit."""
    if kind.numbers:
        return kind.numbers[0]
    defaults = DEFAULT_LENGTHS.get(str(kind.this))
    return defaults[casting] if defaults else None
