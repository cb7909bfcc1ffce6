"""Conditions and values: the operators and predicates, from the loosest to the tightest."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from sqlglot import exp

from meetup2025.engines.grammar.nodes import Test
from meetup2025.engines.grammar.refusals import refuse, unsupported
from meetup2025.engines.grammar.words import Words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LOGIC = (exp.And, exp.Or, exp.Not)
_COMPARED = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)
_PREDICATES = (exp.Like, exp.Escape, exp.In, exp.Between, exp.Is, exp.Exists, Test)
_CONDITIONS = (*_LOGIC, *_COMPARED, *_PREDICATES)

_COMPARISONS: Mapping[str, type[exp.Expr]] = {
    "=": exp.EQ, "<>": exp.NEQ, "!=": exp.NEQ, "<": exp.LT, "<=": exp.LTE, ">": exp.GT, ">=": exp.GTE,
}  # fmt: skip
_TERMS: Mapping[str, type[exp.Expr]] = {"+": exp.Add, "-": exp.Sub, "||": exp.DPipe}
_FACTORS: Mapping[str, type[exp.Expr]] = {"*": exp.Mul, "/": exp.Div, "\\": exp.IntDiv, "#": exp.Mod}
# What IRIS has and this engine has not, by the word that shows it.
_UNSUPPORTED = ("%MATCHES", "%PATTERN", "%CONTAINS", "%CONTAINSTERM", "]", "!", "&", "->", "OVERLAPS")


class Expressions(Words, ABC):
    """Reads conditions and values; what stands between the operators is read by `terms`, a subquery by `queries`."""

    @abstractmethod
    def primary(self) -> exp.Expr:
        """Read a name, a constant, a call or parentheses."""

    @abstractmethod
    def query(self, *, nested: bool = False) -> exp.Expr:
        """Read a query."""

    def subquery(self) -> exp.Subquery:
        """Read ``(query)``."""
        token = self.token
        self.expect("(")
        inner = self.query(nested=True)
        self.expect(")")
        return self.at(exp.Subquery(this=inner), token)

    # IRIS keeps conditions and values apart: `WHERE a` and `SELECT a = 1` are errors

    def condition(self) -> exp.Expr:
        """Read a condition."""
        return self.as_condition(self.disjunction())

    def as_condition(self, node: exp.Expr) -> exp.Expr:
        """See that *node* is a condition."""
        if not isinstance(node.unnest(), _CONDITIONS):
            refuse("A comparison operator is required here", self.token, -14)
        return node

    def value(self) -> exp.Expr:
        """Read a value."""
        return self.as_value(self.disjunction())

    def as_value(self, node: exp.Expr) -> exp.Expr:
        """See that *node* is a value."""
        if isinstance(node.unnest(), _CONDITIONS):
            refuse("A scalar expression expected, not a condition", node, -11)
        return node

    # OR, AND, NOT

    def disjunction(self) -> exp.Expr:
        """Read ``x [OR y …]``."""
        left = self.conjunction()
        while self.take("OR"):
            left = exp.Or(this=self.as_condition(left), expression=self.as_condition(self.conjunction()))
        return left

    def conjunction(self) -> exp.Expr:
        """Read ``x [AND y …]``."""
        left = self.negation()
        while self.take("AND"):
            left = exp.And(this=self.as_condition(left), expression=self.as_condition(self.negation()))
        return left

    def negation(self) -> exp.Expr:
        """Read ``[NOT …] x``."""
        return exp.Not(this=self.as_condition(self.negation())) if self.take("NOT") else self.predicate()

    # predicates

    def predicate(self) -> exp.Expr:
        """Read ``x``, ``x = y`` or ``x [NOT] predicate``."""
        left, token = self.term(), self.token
        if operator := self.take_one(_COMPARISONS):
            return self.at(self.comparison(operator, left), token)
        negated = self.take("NOT")
        if word := self.take_one(self.PREDICATES):
            test = self.at(self.PREDICATES[word](self, self.as_value(left)), token)
            return exp.Not(this=test) if negated else test
        if self.token.word in _UNSUPPORTED:
            unsupported(self.token.text, self.token)
        if negated:
            refuse("A condition expected after NOT", self.token, -15)
        return left

    def comparison(self, operator: str, left: exp.Expr) -> exp.Expr:
        """Read the right side of a comparison."""
        if self.token.word in ("ANY", "ALL", "SOME"):
            unsupported(f"{operator} {self.token.word} (subquery)", self.token)
        return _COMPARISONS[operator](this=self.as_value(left), expression=self.operand())

    def operand(self) -> exp.Expr:
        """Read a value that ends before AND."""
        return self.as_value(self.term())

    def is_null(self, left: exp.Expr) -> exp.Expr:
        """Read ``IS [NOT] NULL``."""
        negated = self.take("NOT")
        self.expect("NULL")
        test = exp.Is(this=left, expression=exp.Null())
        return exp.Not(this=test) if negated else test

    def between(self, left: exp.Expr) -> exp.Expr:
        """Read ``BETWEEN low AND high``."""
        low = self.operand()
        self.expect("AND")
        return exp.Between(this=left, low=low, high=self.operand())

    def is_in(self, left: exp.Expr) -> exp.Expr:
        """Read ``IN (query)`` or ``IN (x, …)``."""
        if self.token.word == "(" and self.following in ("SELECT", "WITH"):
            return exp.In(this=left, query=self.subquery())
        return exp.In(this=left, expressions=self.wrapped(self.operand))

    def like(self, left: exp.Expr) -> exp.Expr:
        """Read ``LIKE pattern [ESCAPE character]``."""
        test = exp.Like(this=left, expression=self.operand())
        return exp.Escape(this=test, expression=self.operand()) if self.take("ESCAPE") else test

    def test(self, left: exp.Expr) -> exp.Expr:
        """Read ``[ x``, ``%STARTSWITH x`` or ``%INLIST x``."""
        token = self.last
        right = self.operand()
        is_list = isinstance(right, exp.Anonymous) and right.this == "$LISTFROMSTRING"
        if token.word == "%INLIST" and not is_list:
            unsupported("%INLIST of anything but $LISTFROMSTRING", token)
        return self.at(Test(this=token.word, expressions=[left, right]), token)

    PREDICATES: ClassVar[Mapping[str, Callable[[Expressions, exp.Expr], exp.Expr]]] = {
        "IS": is_null, "BETWEEN": between, "IN": is_in, "LIKE": like,
        "[": test, "%STARTSWITH": test, "%INLIST": test,
    }  # fmt: skip

    # arithmetic

    def term(self) -> exp.Expr:
        """Read ``x [+ y …]``; minus and ``||`` bind as tightly."""
        return self.binary(_TERMS, self.factor)

    def factor(self) -> exp.Expr:
        r"""Read ``x [* y …]``; ``/``, ``\`` and ``#`` bind as tightly."""
        return self.binary(_FACTORS, self.unary)

    def binary(self, operators: Mapping[str, type[exp.Expr]], operand: Callable[[], exp.Expr]) -> exp.Expr:
        """Read operands with *operators* between, from left to right."""
        left = operand()
        while operator := self.take_one(operators):
            token = self.last
            left = self.at(operators[operator](this=self.as_value(left), expression=self.as_value(operand())), token)
        return left

    def unary(self) -> exp.Expr:
        """Read ``[- | + …] x``."""
        if self.take("-"):
            return exp.Neg(this=self.as_value(self.unary()))
        return self.as_value(self.unary()) if self.take("+") else self.primary()
