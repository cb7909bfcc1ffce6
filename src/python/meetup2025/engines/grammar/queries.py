"""Queries: SELECT with its clauses, UNION, WITH."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

from meetup2025.engines.functions import KNOWN
from meetup2025.engines.grammar.nodes import FunctionCall
from meetup2025.engines.grammar.refusals import refuse, unsupported
from meetup2025.engines.grammar.terms import Terms

if TYPE_CHECKING:
    from collections.abc import Mapping

_SET_OPERATIONS: Mapping[str, type[exp.Expr]] = {
    "UNION": exp.Union,
    "EXCEPT": exp.Except,
    "INTERSECT": exp.Intersect,
}


class Queries(Terms):
    """Reads a query."""

    def query(self, *, nested: bool = False) -> exp.Expr:
        """Read ``[WITH …] SELECT … [UNION …] [ORDER BY …] [LIMIT …]``; in a *nested* one ORDER BY needs TOP."""
        ctes = self.separated(self.cte) if self.take("WITH") else []
        query = self.set_operations()
        self.order_by(query, nested=nested)
        self.limit(query)
        if ctes:
            query.set("with_", exp.With(expressions=ctes))
        return query

    def cte(self) -> exp.CTE:
        """Read ``name AS (query)``."""
        name = self.identifier()
        if self.ahead("("):
            unsupported("a column list in WITH", self.token)
        self.expect("AS", "(")
        inner = self.query(nested=True)
        self.expect(")")
        return exp.CTE(this=inner, alias=exp.TableAlias(this=name))

    def set_operations(self) -> exp.Expr:
        """Read ``leg [UNION [ALL] leg …]``."""
        left, operators = self.leg(), set()
        while operator := self.take_one(_SET_OPERATIONS):
            operators.add(operator)
            if "INTERSECT" in operators and len(operators) > 1:
                unsupported("INTERSECT beside UNION or EXCEPT without parentheses", self.token)
            distinct = not self.take("ALL")
            kind = _SET_OPERATIONS[operator]
            left = kind(this=_enclosed(left), expression=_enclosed(self.leg()), distinct=distinct)
        return left

    def leg(self) -> exp.Expr:
        """Read ``(query)`` or ``SELECT …``."""
        return self.subquery() if self.ahead("(") else self.select()

    def order_by(self, query: exp.Expr, *, nested: bool) -> None:
        """Read ``[ORDER BY …]``."""
        token = self.token
        if self.take("ORDER", "BY"):
            if nested and not _has_top(query):
                refuse("ORDER BY in a subquery or view needs TOP (TOP ALL for all rows)", token)
            query.set("order", exp.Order(expressions=self.separated(self.ordered)))

    def ordered(self) -> exp.Ordered:
        """Read ``x [ASC | DESC]``; NULL is the lowest value in IRIS."""
        value = self.value()
        descending = self.take("DESC")
        if not descending:
            self.take("ASC")
        return exp.Ordered(this=value, desc=descending, nulls_first=not descending)

    def limit(self, query: exp.Expr) -> None:
        """Read ``[LIMIT n] [OFFSET n [ROWS]]``."""
        token = self.token
        if token.word in ("LIMIT", "OFFSET", "FETCH") and _has_top(query):
            refuse("TOP cannot be used together with LIMIT, OFFSET or FETCH", token, -386)
        if self.take("LIMIT"):
            query.set("limit", exp.Limit(expression=self.row_count()))
        if self.take("OFFSET"):
            query.set("offset", exp.Offset(expression=self.row_count()))
            self.take_one(("ROW", "ROWS"))
        if self.token.word == "FETCH":
            unsupported("FETCH FIRST", self.token)

    def row_count(self) -> exp.Expr:
        """Read the number of TOP or LIMIT: ``?``, ``:name`` or an integer (a fraction or numeric text is cut)."""
        token = self.token
        parenthesised = self.take("(")
        value = self.literal()
        if isinstance(value, exp.Literal):
            number = re.match(r"\s*\d+", value.name)
            value = self.at(exp.Literal.number(int(number.group())), token) if number else None
        if value is None:
            refuse(f"A number of rows is a positive integer, ? or :name. Got {token.text}", token, -80)
        if parenthesised:
            self.expect(")")
        return value

    # SELECT

    def select(self) -> exp.Select:
        """Read ``SELECT [DISTINCT | ALL] [TOP n] items`` and its clauses."""
        token = self.token
        self.expect("SELECT")
        select = self.at(exp.Select(), token)
        self.quantifier(select)
        self.top(select)
        select.set("expressions", self.separated(self.item))
        if self.ahead("INTO"):
            unsupported("SELECT … INTO", self.token)
        self.clauses(select)
        return select

    def quantifier(self, select: exp.Select) -> None:
        """Read ``[DISTINCT | ALL]``."""
        if not self.take("DISTINCT"):
            self.take("ALL")
            return
        if self.ahead("BY"):
            unsupported("DISTINCT BY", self.token)
        select.set("distinct", exp.Distinct())

    def top(self, select: exp.Select) -> None:
        """Read ``[TOP n | TOP ALL]``."""
        if self.take("TOP", "ALL"):
            select.meta["top_all"] = True
        elif self.take("TOP"):
            select.set("limit", exp.Limit(expression=self.row_count()))

    def clauses(self, select: exp.Select) -> None:
        """Read ``[FROM …] [WHERE …] [GROUP BY …] [HAVING …]``."""
        if self.take("FROM"):
            select.set("from_", exp.From(this=self.source()))
            while join := self.join():
                select.append("joins", join)
        if self.take("WHERE"):
            select.set("where", exp.Where(this=self.condition()))
        if self.take("GROUP", "BY"):
            select.set("group", exp.Group(expressions=self.separated(self.value)))
        if self.take("HAVING"):
            select.set("having", exp.Having(this=self.condition()))

    def item(self) -> exp.Expr:
        """Read ``*``, ``table.*`` or ``x [[AS] name]``."""
        token = self.token
        if self.take("*"):
            return self.at(exp.Star(), token)
        if self.has_name() and [next_.word for next_ in self.tokens[self.index + 1 : self.index + 3]] == [".", "*"]:
            table = self.identifier()
            self.expect(".", "*")
            return self.at(exp.Column(this=exp.Star(), table=table), token)
        value, name = self.value(), self.alias()
        return self.at(exp.Alias(this=value, alias=name), token) if name else value

    # FROM

    def source(self) -> exp.Expr:
        """Read a table, ``schema.query(…)`` or ``(query)``, with its alias."""
        if self.ahead("("):
            if self.following not in ("SELECT", "WITH"):
                unsupported("a join in parentheses", self.token)
            return self.aliased(self.subquery())
        if self.following == "(":
            if self.token.word in KNOWN:
                unsupported(f"{self.token.text} as a table", self.token)
            refuse(f"Stored query {self.token.text} not found; write schema.name(arguments)", self.token, -428)
        table = self.table_name()
        if self.ahead("("):
            table = exp.Table(this=self.routine([table.args["db"], table.this], FunctionCall))
        return self.aliased(table)

    def join(self) -> exp.Join | None:
        """Read ``, table`` or ``[INNER | CROSS | LEFT | RIGHT | FULL] JOIN table [ON …]``; None if none is next."""
        token = self.token
        if self.take(","):
            return self.at(exp.Join(this=self.source()), token)
        if self.ahead("NATURAL"):
            unsupported("NATURAL JOIN", token)
        side, kind = self.join_kind()
        if not self.take("JOIN"):
            if side or kind:
                refuse(f"JOIN expected, found {self.token.text}", self.token)
            return None
        node = self.at(exp.Join(this=self.source(), side=side or None, kind=kind or None), token)
        if self.ahead("USING"):
            unsupported("JOIN … USING", self.token)
        if kind != "CROSS":
            self.expect("ON")
            node.set("on", self.condition())
        return node

    def join_kind(self) -> tuple[str, str]:
        """Read ``[LEFT | RIGHT | FULL] [OUTER]`` or ``[INNER | CROSS]``: the side and the kind of a join."""
        side = self.take_one(("LEFT", "RIGHT", "FULL"))
        if side:
            self.take("OUTER")
            return side, ""
        return "", self.take_one(("INNER", "CROSS"))


def _has_top(query: exp.Expr) -> bool:
    return bool(query.args.get("limit") or query.meta.get("top_all"))


def _enclosed(leg: exp.Expr) -> exp.Expr:
    """Put a leg of UNION with TOP in parentheses, as its LIMIT would be that of the whole."""
    return exp.Subquery(this=leg) if leg.args.get("limit") else leg
