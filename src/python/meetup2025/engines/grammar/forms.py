"""Expressions with a grammar of their own: CASE, CAST, TRIM, TO_VECTOR and others, and the names of types."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sqlglot import exp

from meetup2025.engines.functions import ELEMENT_TYPES, TYPES
from meetup2025.engines.grammar.expressions import Expressions
from meetup2025.engines.grammar.nodes import SQLType, ToVector
from meetup2025.engines.grammar.refusals import refuse, unsupported

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Types of two words, by the first.
_SECOND_WORDS = {"CHAR": "VARYING", "CHARACTER": "VARYING", "DOUBLE": "PRECISION", "LONG": "VARCHAR"}
_TRIMS = {"": "TRIM", "BOTH": "TRIM", "LEADING": "TRIM LEADING", "TRAILING": "TRIM TRAILING"}


class Forms(Expressions):
    """Reads the special forms: each method of `FORMS` begins after its word."""

    def null(self) -> exp.Expr:
        """Read NULL."""
        return exp.Null()

    def case(self) -> exp.Expr:
        """Read ``CASE [x] WHEN y THEN z … [ELSE z] END``."""
        subject = None if self.ahead("WHEN") else self.value()
        ifs = []
        while self.take("WHEN"):
            when = self.value() if subject else self.condition()
            self.expect("THEN")
            ifs.append(exp.If(this=when, true=self.value()))
        default = self.value() if ifs and self.take("ELSE") else None
        self.expect("END" if ifs else "WHEN")
        return exp.Case(this=subject, ifs=ifs, default=default)

    def exists(self) -> exp.Expr:
        """Read ``EXISTS (query)``."""
        return exp.Exists(this=self.subquery().this)

    def cast(self) -> exp.Expr:
        """Read ``CAST(x AS type)``."""
        self.expect("(")
        value = self.value()
        self.expect("AS")
        kind = self.type_name()
        self.expect(")")
        return exp.Cast(this=value, to=kind)

    def convert(self) -> exp.Expr:
        """Read ``CONVERT(type, x)``."""
        self.expect("(")
        kind = self.type_name()
        self.expect(",")
        value = self.value()
        if self.ahead(","):
            unsupported("CONVERT with a format", self.token)
        self.expect(")")
        return exp.Cast(this=value, to=kind)

    def substring(self) -> exp.Expr:
        """Read ``SUBSTRING(x, start[, length])`` or ``SUBSTRING(x FROM start [FOR length])``."""
        self.expect("(")
        arguments = [self.value()]
        before_start, before_length = ("FROM", "FOR") if self.ahead("FROM") else (",", ",")
        self.expect(before_start)
        arguments.append(self.value())
        if self.take(before_length):
            arguments.append(self.value())
        self.expect(")")
        return exp.Anonymous(this="SUBSTRING", expressions=arguments)

    def trim(self) -> exp.Expr:
        """Read ``TRIM(x)`` or ``TRIM([BOTH | LEADING | TRAILING] [characters] FROM x)``."""
        self.expect("(")
        side = self.take_one(("BOTH", "LEADING", "TRAILING"))
        arguments = [] if self.ahead("FROM") else [self.value()]
        if self.take("FROM"):
            arguments = [self.value(), *arguments]
        elif side:
            refuse("FROM expected in TRIM", self.token, -75)
        self.expect(")")
        return exp.Anonymous(this=_TRIMS[side], expressions=arguments)

    def position(self) -> exp.Expr:
        """Read ``POSITION(x IN y)``."""
        self.expect("(")
        needle = self.term()
        self.expect("IN")
        arguments = [needle, self.value()]
        self.expect(")")
        return exp.Anonymous(this="POSITION", expressions=arguments)

    def to_vector(self) -> exp.Expr:
        """Read ``TO_VECTOR(x[, type[, length]])``."""
        self.expect("(")
        value, kind, length = self.value(), "FLOAT", None
        if self.take(","):
            token = self.token
            kind = ELEMENT_TYPES.get(self.take_one(ELEMENT_TYPES), "")
            if not kind:
                refuse(f"The type in TO_VECTOR is a word: {', '.join(ELEMENT_TYPES)}. Got {token.text}", token)
            length = self.value() if self.take(",") else None
        self.expect(")")
        return ToVector(this=value, kind=kind, length=length)

    FORMS: ClassVar[Mapping[str, Callable[[Forms], exp.Expr]]] = {
        "NULL": null, "CASE": case, "EXISTS": exists, "CAST": cast, "CONVERT": convert, "SUBSTRING": substring,
        "TRIM": trim, "POSITION": position, "TO_VECTOR": to_vector,
    }  # fmt: skip

    # types

    def type_name(self) -> SQLType:
        """Read ``type``, ``type(length)``, ``type(precision[, scale])`` or ``VECTOR(type[, length])``."""
        token = self.token
        self.index += 1
        second = _SECOND_WORDS.get(token.word, "")
        name = f"{token.word} {second}" if second and self.take(second) else token.word
        if name == "VECTOR" and self.ahead("("):
            return self.at(self.vector_type(), token)
        if name not in TYPES:
            refuse(f"{token.text} is not a data type this engine knows", token, -376)
        numbers = self.wrapped(self.integer) if self.ahead("(") else []
        return self.at(SQLType(this=name, element=None, expressions=numbers), token)

    def vector_type(self) -> SQLType:
        """Read the parentheses of ``VECTOR(type[, length])``."""
        vector = self.last
        self.expect("(")
        element = ELEMENT_TYPES.get(self.take_one(ELEMENT_TYPES))
        if element is None:
            unsupported(f"VECTOR({self.token.text})", vector)
        numbers = [self.integer()] if self.take(",") else []
        self.expect(")")
        return SQLType(this="VECTOR", element=element, expressions=numbers)

    def integer(self) -> exp.Expr:
        """Read an integer of digits alone."""
        token = self.token
        if token.kind != "number" or not token.text.isdigit():
            refuse(f"An integer expected, found {token.text}", token, -80)
        self.index += 1
        return self.at(exp.Literal.number(token.text), token)
