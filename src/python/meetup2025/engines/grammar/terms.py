"""What stands between the operators: constants, columns, calls of functions, parentheses."""

from __future__ import annotations

from sqlglot import exp

from meetup2025.engines.functions import AGGREGATES, DATE_PARTS, FUNCTIONS, KNOWN, LONGER, VARIADIC, arities
from meetup2025.engines.grammar.forms import Forms
from meetup2025.engines.grammar.nodes import FunctionCall
from meetup2025.engines.grammar.refusals import refuse, unsupported
from meetup2025.engines.grammar.tokens import RESERVED, Token

# What IRIS has and this engine has not, by the word that shows it.
_UNSUPPORTED = ("{", "->", "]", "!", "&")


class Terms(Forms):
    """Reads a term."""

    def primary(self) -> exp.Expr:
        """Read a name, a constant, a call or parentheses."""
        token = self.token
        if token.word in _UNSUPPORTED:
            unsupported("an ODBC escape {…}" if token.word == "{" else token.text, token)
        if token.word == "(":
            return self.at(self.parenthesis(), token)
        if token.word in self.FORMS and (token.word in ("CASE", "NULL") or self.following == "("):
            self.index += 1
            return self.at(self.FORMS[token.word](self), token)
        if token.kind == "quoted" or self.is_name_of_term():
            return self.named()
        literal = self.literal()
        if literal is None:
            refuse(f"A term expected (a name, constant, function or parenthesis), found {token.text}", token, -12)
        return literal

    def is_name_of_term(self) -> bool:
        """Tell a name from a reserved word, some of which are functions too: LEFT(, CURRENT_DATE."""
        word = self.token.word
        return self.token.kind == "name" and (word not in RESERVED or word in FUNCTIONS)

    def parenthesis(self) -> exp.Expr:
        """Read ``(query)`` or ``(expression)``."""
        if self.following in ("SELECT", "WITH"):
            return self.subquery()
        self.expect("(")
        inner = exp.Paren(this=self.disjunction())
        self.expect(")")
        return inner

    # columns and calls

    def named(self) -> exp.Expr:
        """Read a column, or a function with or without a schema."""
        token = self.token
        if self.following == "(" and token.kind == "name":
            return self.function()
        if self.is_bare_function():
            self.index += 1
            return self.at(exp.Anonymous(this=token.word, expressions=[]), token)
        parts = [self.identifier()]
        while self.take("."):
            parts.append(self.identifier())
        if self.token.word in ("->", "{"):
            unsupported("an implicit join (->)" if self.ahead("->") else "{", self.token)
        if self.ahead("("):
            return self.routine(parts, FunctionCall)
        if len(parts) > 3:
            refuse("A column has at most a schema and a table: schema.table.column", token)
        name, table, schema = [*reversed(parts), None, None][:3]
        return self.at(exp.Column(this=name, table=table, db=schema), token)

    def is_bare_function(self) -> bool:
        """Tell a function without parentheses, as CURRENT_DATE and SYSDATE may be."""
        word = self.token.word
        return word in FUNCTIONS and 0 in arities(word) and self.following != "." and word in RESERVED

    def routine(self, parts: list[exp.Identifier], kind: type[FunctionCall]) -> FunctionCall:
        """Read the arguments of ``schema.name(…)``, whose name was read."""
        if len(parts) != 2:
            refuse("A function of a schema is written schema.name(arguments)", self.token, -359)
        self.expect("(")
        arguments = [] if self.ahead(")") else self.separated(self.value)
        self.expect(")")
        node = kind(this=parts[1], db=parts[0], expressions=arguments)
        node.meta["place"] = parts[0].meta["place"]
        return node

    def function(self) -> exp.Expr:
        """Read ``NAME(…)``."""
        token = self.token
        name = token.word
        if name not in FUNCTIONS and name not in AGGREGATES and name not in VARIADIC:
            if name in KNOWN:
                unsupported(name, token)
            refuse(f"SQL function {token.text} not found", token, -359)
        self.index += 1
        self.expect("(")
        arguments = self.aggregate_arguments(name) if name in AGGREGATES else self.arguments(name)
        self.expect(")")
        if self.token.word == "OVER":
            unsupported("a window function (OVER)", self.token)
        _check_count(token, len(arguments))
        return self.at(exp.Anonymous(this=name, expressions=arguments), token)

    def arguments(self, name: str) -> list[exp.Expr]:
        """Read ``[x, …]``; the first argument of DATEDIFF and DATEADD is a word."""
        if self.ahead(")"):
            return []
        if name not in ("DATEDIFF", "DATEADD"):
            return self.separated(self.value)
        part = self.date_part()
        self.expect(",")
        return [part, *self.separated(self.value)]

    def date_part(self) -> exp.Expr:
        """Read a part of a date: ``day``, ``dd``, ``'dd'`` …."""
        token = self.token
        part = DATE_PARTS.get(token.text.strip("'").lower())
        if token.kind not in ("name", "string") or part is None:
            refuse(f"{token.text} is not a date part", token, -8)
        self.index += 1
        return self.at(exp.Literal.string(part), token)

    def aggregate_arguments(self, name: str) -> list[exp.Expr]:
        """Read ``[DISTINCT | ALL] x``, or the ``*`` of COUNT."""
        if name == "COUNT" and self.take("*"):
            return [exp.Star()]
        distinct = self.take("DISTINCT")
        self.take("ALL")
        if self.token.word == "BY":
            unsupported("DISTINCT BY", self.token)
        argument = self.value()
        if self.token.word in ("%FOREACH", "%AFTERHAVING"):
            unsupported(self.token.text, self.token)
        return [exp.Distinct(expressions=[argument]) if distinct else argument]


def _check_count(function: Token, count: int) -> None:
    """See that the function takes *count* arguments."""
    name, taken = function.word, arities(function.word)
    if count in taken:
        return
    if count in LONGER.get(name, ()):
        unsupported(f"{name} with {count} arguments", function)
    wanted = " or ".join(str(number) for number in sorted(taken))
    refuse(f"{name} takes {wanted} arguments. Got {count}", function, -380 if count < max(taken) else -381)
