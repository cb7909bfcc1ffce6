"""
Expressions of IRIS SQL: conditions and values.

`Expressions` parses names, constants and parameters first. Then come conditions, from OR down to the predicates, and
values, from + down to one term. Columns, calls of functions, expressions with a grammar of their own, such as CASE and
TRIM, and the names of types follow.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, TypeVar

from sqlglot import exp

from meetup2025.engines.sql.functions import (
    AGGREGATES,
    BARE,
    DATE_PARTS,
    ELEMENT_TYPES,
    FUNCTIONS,
    KNOWN,
    LONGER,
    ODBC,
    ODBC_ONLY,
    TYPES,
    VARIADIC,
    arities,
)
from meetup2025.engines.sql.nodes import FunctionCall, SQLType, Test, ToVector, refuse, unsupported
from meetup2025.engines.tokens import RESERVED, Token, Tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

N = TypeVar("N", bound=exp.Expr)

_COMPARISONS: Mapping[str, type[exp.Expr]] = {
    "=": exp.EQ, "<>": exp.NEQ, "!=": exp.NEQ, "<": exp.LT, "<=": exp.LTE, ">": exp.GT, ">=": exp.GTE,
}  # fmt: skip
_TERMS: Mapping[str, type[exp.Expr]] = {"+": exp.Add, "-": exp.Sub, "||": exp.DPipe}
_FACTORS: Mapping[str, type[exp.Expr]] = {"*": exp.Mul, "/": exp.Div, "\\": exp.IntDiv, "#": exp.Mod}
_CONDITIONS = (
    *(exp.And, exp.Or, exp.Not),
    *(exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE),
    *(exp.Like, exp.Escape, exp.In, exp.Between, exp.Is, exp.Exists, Test),
)

# Operators of IRIS that this engine does not have: after a value, and where a value begins.
_UNSUPPORTED_OPERATORS = ("%MATCHES", "%PATTERN", "%CONTAINS", "%CONTAINSTERM", "]", "!", "&", "->", "OVERLAPS")
_UNSUPPORTED_TERMS = ("->", "]", "!", "&")

# Types of two words, by the first word.
_SECOND_WORDS = {"CHAR": "VARYING", "CHARACTER": "VARYING", "DOUBLE": "PRECISION", "LONG": "VARCHAR"}
_TRIMS = {"": "TRIM", "BOTH": "TRIM", "LEADING": "TRIM LEADING", "TRAILING": "TRIM TRAILING"}


class Expressions(Tokens, ABC):
    """
    Parser of expressions. `Statements` adds the queries.

    Attributes:
        parameters: Number of ``?`` that were parsed.
    """

    def __init__(self, sql: str) -> None:
        super().__init__(sql)
        self.parameters = 0

    @abstractmethod
    def query(self, *, nested: bool = False) -> exp.Expr:
        """Parse a query."""

    def at(self, node: N, token: Token) -> N:
        """Return *node* with the position of *token*."""
        node.meta["place"] = (token.line, token.column)
        return node

    # --- names

    def has_name(self) -> bool:
        """Return whether a name is next."""
        return self.token.kind == "quoted" or (self.token.kind == "name" and self.token.word not in RESERVED)

    def identifier(self) -> exp.Identifier:
        """Parse a name, in quotes or not."""
        token = self.token
        if token.kind == "name" and token.word in RESERVED:
            refuse(f'{token.text} is a reserved word; write it as "{token.text}", or choose another name', token)
        if not self.has_name():
            refuse(f"A name expected, found {token.text}", token)
        if token.kind == "name" and token.text[0] in "%$" and token.word != "%ID":
            unsupported(token.text, token)
        self.index += 1
        quoted = token.kind == "quoted"
        text = token.text[1:-1].replace('""', '"') if quoted else token.text
        return self.at(exp.Identifier(this=text, quoted=quoted), token)

    def table_name(self) -> exp.Table:
        """Parse ``[schema.]table``."""
        token, name, schema = self.token, self.identifier(), None
        if self.take("."):
            schema, name = name, self.identifier()
        if self.ahead("."):
            refuse("A table has one schema: schema.table", self.token)
        return self.at(exp.Table(this=name, db=schema), token)

    def alias(self) -> exp.Identifier | None:
        """Parse ``[[AS] name]``."""
        return self.identifier() if self.take("AS") or self.has_name() else None

    def aliased(self, source: N) -> N:
        """Parse the alias that follows *source*, and return *source* with it."""
        name = self.alias()
        source.set("alias", exp.TableAlias(this=name) if name else None)
        return source

    # --- constants and parameters

    def literal(self) -> exp.Expr | None:
        """Parse a text, a number, ``:name`` or ``?``, or return None if none is next."""
        token = self.token
        node = self.constant(token) or self.parameter(token)
        if node is None:
            return None
        self.index += 1
        return self.at(node, token)

    def constant(self, token: Token) -> exp.Expr | None:
        """Return the text or number of *token*, or None if it is another kind of token."""
        if token.kind == "string":
            return exp.Literal.string(token.text[1:-1].replace("''", "'"))
        if token.kind == "number":
            return exp.Literal.number(f"0{token.text}" if token.text.startswith(".") else token.text)
        return None

    def parameter(self, token: Token) -> exp.Placeholder | None:
        """Return the parameter or host variable of *token*, or None if it is another kind of token."""
        if token.kind == "host":
            return exp.Placeholder(this=token.text[1:])
        if token.kind == "param":
            self.parameters += 1
            return exp.Placeholder(this=str(self.parameters))
        return None

    # --- conditions and values. IRIS keeps them apart: `WHERE a` and `SELECT a = 1` are errors

    def condition(self) -> exp.Expr:
        """Parse a condition."""
        return self.as_condition(self.disjunction())

    def as_condition(self, node: exp.Expr) -> exp.Expr:
        """Return *node*, which must be a condition."""
        if not isinstance(node.unnest(), _CONDITIONS):
            refuse("A comparison operator is required here", self.token, -14)
        return node

    def value(self) -> exp.Expr:
        """Parse a value."""
        return self.as_value(self.disjunction())

    def as_value(self, node: exp.Expr) -> exp.Expr:
        """Return *node*, which must be a value."""
        if isinstance(node.unnest(), _CONDITIONS):
            refuse("A scalar expression expected, not a condition", node, -11)
        return node

    def disjunction(self) -> exp.Expr:
        """Parse ``x [OR y …]``."""
        left = self.conjunction()
        while self.take("OR"):
            left = exp.Or(this=self.as_condition(left), expression=self.as_condition(self.conjunction()))
        return left

    def conjunction(self) -> exp.Expr:
        """Parse ``x [AND y …]``."""
        left = self.negation()
        while self.take("AND"):
            left = exp.And(this=self.as_condition(left), expression=self.as_condition(self.negation()))
        return left

    def negation(self) -> exp.Expr:
        """Parse ``[NOT …] x``."""
        return exp.Not(this=self.as_condition(self.negation())) if self.take("NOT") else self.predicate()

    # --- predicates

    def predicate(self) -> exp.Expr:
        """Parse ``x``, ``x = y`` or ``x [NOT] predicate``."""
        left, token = self.term(), self.token
        if operator := self.take_one(_COMPARISONS):
            return self.at(self.comparison(operator, left), token)
        negated = self.take("NOT")
        if word := self.take_one(self.PREDICATES):
            test = self.at(self.PREDICATES[word](self, self.as_value(left)), token)
            return exp.Not(this=test) if negated else test
        if self.token.word in _UNSUPPORTED_OPERATORS:
            unsupported(self.token.text, self.token)
        if negated:
            refuse("A condition expected after NOT", self.token, -15)
        return left

    def comparison(self, operator: str, left: exp.Expr) -> exp.Expr:
        """Parse the right side of a comparison."""
        if self.token.word in ("ANY", "ALL", "SOME"):
            unsupported(f"{operator} {self.token.word} (subquery)", self.token)
        return _COMPARISONS[operator](this=self.as_value(left), expression=self.operand())

    def operand(self) -> exp.Expr:
        """Parse a value that ends before AND."""
        return self.as_value(self.term())

    def is_null(self, left: exp.Expr) -> exp.Expr:
        """Parse ``IS [NOT] NULL``."""
        negated = self.take("NOT")
        self.expect("NULL")
        test = exp.Is(this=left, expression=exp.Null())
        return exp.Not(this=test) if negated else test

    def between(self, left: exp.Expr) -> exp.Expr:
        """Parse ``BETWEEN low AND high``."""
        low = self.operand()
        self.expect("AND")
        return exp.Between(this=left, low=low, high=self.operand())

    def is_in(self, left: exp.Expr) -> exp.Expr:
        """Parse ``IN (query)`` or ``IN (x, …)``."""
        if self.token.word == "(" and self.following in ("SELECT", "WITH"):
            return exp.In(this=left, query=self.subquery())
        return exp.In(this=left, expressions=self.wrapped(self.operand))

    def like(self, left: exp.Expr) -> exp.Expr:
        """Parse ``LIKE pattern [ESCAPE character]``."""
        test = exp.Like(this=left, expression=self.operand())
        return exp.Escape(this=test, expression=self.operand()) if self.take("ESCAPE") else test

    def test(self, left: exp.Expr) -> exp.Expr:
        """Parse ``[ x``, ``%STARTSWITH x`` or ``%INLIST x``."""
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

    # --- arithmetic

    def term(self) -> exp.Expr:
        """Parse ``x [+ y …]``. Minus and ``||`` bind as tightly."""
        return self.binary(_TERMS, self.factor)

    def factor(self) -> exp.Expr:
        r"""Parse ``x [* y …]``. ``/``, ``\`` and ``#`` bind as tightly."""
        return self.binary(_FACTORS, self.unary)

    def binary(self, operators: Mapping[str, type[exp.Expr]], operand: Callable[[], exp.Expr]) -> exp.Expr:
        """Parse operands with *operators* between them, from left to right."""
        left = operand()
        while operator := self.take_one(operators):
            token = self.last
            left = self.at(operators[operator](this=self.as_value(left), expression=self.as_value(operand())), token)
        return left

    def unary(self) -> exp.Expr:
        """Parse ``[- | + …] x``."""
        if self.take("-"):
            return exp.Neg(this=self.as_value(self.unary()))
        return self.as_value(self.unary()) if self.take("+") else self.primary()

    # --- one term

    def primary(self) -> exp.Expr:
        """Parse a column, a constant, a call, a form, a subquery or parentheses."""
        token = self.token
        if token.word in _UNSUPPORTED_TERMS:
            unsupported(token.text, token)
        if token.word == "{":
            return self.at(self.odbc_function(), token)
        if token.word == "(":
            return self.at(self.parenthesis(), token)
        if token.word in self.FORMS and (token.word in ("CASE", "NULL") or self.following == "("):
            return self.form()
        if token.kind == "quoted" or self.is_name_of_term():
            return self.named()
        literal = self.literal()
        if literal is None:
            refuse(f"A term expected (a name, constant, function or parenthesis), found {token.text}", token, -12)
        return literal

    def is_name_of_term(self) -> bool:
        """Return whether a name is next, or a reserved word that is a function too, as LEFT and CURRENT_DATE are."""
        word = self.token.word
        is_function = word in FUNCTIONS or word in AGGREGATES or word in VARIADIC
        return self.token.kind == "name" and (word not in RESERVED or is_function)

    def parenthesis(self) -> exp.Expr:
        """Parse ``(query)`` or ``(expression)``."""
        if self.following in ("SELECT", "WITH"):
            return self.subquery()
        self.expect("(")
        inner = exp.Paren(this=self.disjunction())
        self.expect(")")
        return inner

    def subquery(self) -> exp.Subquery:
        """Parse ``(query)``."""
        token = self.token
        self.expect("(")
        inner = self.query(nested=True)
        self.expect(")")
        return self.at(exp.Subquery(this=inner), token)

    def named(self) -> exp.Expr:
        """Parse a column, or a function with or without a schema."""
        token = self.token
        if self.following == "(" and token.kind == "name":
            return self.function()
        if token.word in BARE and self.following != ".":
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

    # --- calls

    def routine(self, parts: list[exp.Identifier], kind: type[FunctionCall]) -> FunctionCall:
        """Parse the arguments of ``schema.name(…)``. *parts* are schema and name."""
        if len(parts) != 2:
            refuse("A function of a schema is written schema.name(arguments)", self.token, -359)
        self.expect("(")
        arguments = [] if self.ahead(")") else self.separated(self.value)
        self.expect(")")
        node = kind(this=parts[1], db=parts[0], expressions=arguments)
        node.meta["place"] = parts[0].meta["place"]
        return node

    def function(self) -> exp.Expr:
        """Parse ``NAME(…)``."""
        name, token = self.token.word, self.token
        self.check_function(token)
        if name in ODBC_ONLY:
            refuse(f"{name} must be written {{fn {name}(…)}}: IRIS documents this form alone", token, -359)
        return self.called(token)

    def odbc_function(self) -> exp.Expr:
        """Parse ``{fn NAME(…)}`` or ``{fn NAME}``."""
        brace = self.token
        self.expect("{")
        if not self.take("FN"):
            unsupported("an ODBC escape other than {fn …}", brace)
        name, token = self.token.word, self.token
        if name in self.FORMS and name in ODBC:
            node = self.form()
        else:
            self.check_function(token)
            if name not in ODBC:
                refuse(f"{name} is no ODBC function: write it without {{fn …}}", token, -359)
            node = self.called(token)
        self.expect("}")
        return node

    def check_function(self, token: Token) -> None:
        """Refuse a name that is no function of this engine."""
        name = token.word
        if name in FUNCTIONS or name in AGGREGATES or name in VARIADIC:
            return
        if name in KNOWN:
            unsupported(name, token)
        refuse(f"SQL function {token.text} not found", token, -359)

    def called(self, token: Token) -> exp.Expr:
        """Parse the name and the arguments of a function. ODBC allows `{fn NOW}` without parentheses."""
        name = token.word
        self.index += 1
        if self.ahead("}"):
            _check_count(token, 0)
            return self.at(exp.Anonymous(this=name, expressions=[]), token)
        self.expect("(")
        arguments = self.aggregate_arguments(name) if name in AGGREGATES else self.arguments(name)
        self.expect(")")
        if self.token.word == "OVER":
            unsupported("a window function (OVER)", self.token)
        if name in BARE and not arguments:
            refuse(f"{name} is written without parentheses", token)
        _check_count(token, len(arguments))
        return self.at(exp.Anonymous(this=name, expressions=arguments), token)

    def arguments(self, name: str) -> list[exp.Expr]:
        """Parse ``[x, …]``. The first argument of DATEDIFF and DATEADD is a word."""
        if self.ahead(")"):
            return []
        if name not in ("DATEDIFF", "DATEADD"):
            return self.separated(self.value)
        part = self.date_part()
        self.expect(",")
        return [part, *self.separated(self.value)]

    def date_part(self) -> exp.Expr:
        """Parse a part of a date: ``day``, ``dd``, ``'dd'`` …."""
        token = self.token
        part = DATE_PARTS.get(token.text.strip("'").lower())
        if token.kind not in ("name", "string") or part is None:
            refuse(f"{token.text} is not a date part", token, -8)
        self.index += 1
        return self.at(exp.Literal.string(part), token)

    def aggregate_arguments(self, name: str) -> list[exp.Expr]:
        """Parse ``[DISTINCT | ALL] x``, or the ``*`` of COUNT."""
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

    # --- forms: expressions with a grammar of their own. A method of `FORMS` begins after its word

    def form(self) -> exp.Expr:
        """Parse the form that is next."""
        token = self.token
        self.index += 1
        return self.at(self.FORMS[token.word](self), token)

    def null(self) -> exp.Expr:
        """Parse NULL."""
        return exp.Null()

    def case(self) -> exp.Expr:
        """Parse ``CASE [x] WHEN y THEN z … [ELSE z] END``."""
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
        """Parse ``EXISTS (query)``."""
        return exp.Exists(this=self.subquery().this)

    def cast(self) -> exp.Expr:
        """Parse ``CAST(x AS type)``."""
        self.expect("(")
        value = self.value()
        self.expect("AS")
        kind = self.type_name()
        self.expect(")")
        return exp.Cast(this=value, to=kind)

    def convert(self) -> exp.Expr:
        """Parse ``CONVERT(type, x)``."""
        self.expect("(")
        kind = self.type_name()
        self.expect(",")
        value = self.value()
        if self.ahead(","):
            unsupported("CONVERT with a format", self.token)
        self.expect(")")
        return exp.Cast(this=value, to=kind)

    def substring(self) -> exp.Expr:
        """Parse ``SUBSTRING(x, start[, length])`` or ``SUBSTRING(x FROM start [FOR length])``."""
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
        """Parse ``TRIM(x)`` or ``TRIM([BOTH | LEADING | TRAILING] characters FROM x)``."""
        start = self.last
        self.expect("(")
        side = self.take_one(("BOTH", "LEADING", "TRAILING"))
        if side and self.ahead("FROM"):
            _refuse_trim(side, start)
        arguments = [self.value()]
        if self.take("FROM"):
            arguments = [self.value(), *arguments]
        elif side:
            _refuse_trim(side, start)
        self.expect(")")
        return exp.Anonymous(this=_TRIMS[side], expressions=arguments)

    def position(self) -> exp.Expr:
        """Parse ``POSITION(x IN y)``."""
        self.expect("(")
        needle = self.term()
        self.expect("IN")
        arguments = [needle, self.value()]
        self.expect(")")
        return exp.Anonymous(this="POSITION", expressions=arguments)

    def to_vector(self) -> exp.Expr:
        """Parse ``TO_VECTOR(x[, type[, length]])``."""
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

    FORMS: ClassVar[Mapping[str, Callable[[Expressions], exp.Expr]]] = {
        "NULL": null, "CASE": case, "EXISTS": exists, "CAST": cast, "CONVERT": convert, "SUBSTRING": substring,
        "TRIM": trim, "POSITION": position, "TO_VECTOR": to_vector,
    }  # fmt: skip

    # --- types

    def type_name(self) -> SQLType:
        """Parse ``type``, ``type(length)``, ``type(precision[, scale])`` or ``VECTOR(type[, length])``."""
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
        """Parse the parentheses of ``VECTOR(type[, length])``."""
        vector = self.last
        self.expect("(")
        element = ELEMENT_TYPES.get(self.take_one(ELEMENT_TYPES))
        if element is None:
            unsupported(f"VECTOR({self.token.text})", vector)
        numbers = [self.integer()] if self.take(",") else []
        self.expect(")")
        return SQLType(this="VECTOR", element=element, expressions=numbers)

    def integer(self) -> exp.Expr:
        """Parse an integer of digits alone."""
        token = self.token
        if token.kind != "number" or not token.text.isdigit():
            refuse(f"An integer expected, found {token.text}", token, -80)
        self.index += 1
        return self.at(exp.Literal.number(token.text), token)


def _check_count(function: Token, count: int) -> None:
    """Refuse a function that does not take *count* arguments."""
    name, taken = function.word, arities(function.word)
    if count in taken:
        return
    if count in LONGER.get(name, ()):
        unsupported(f"{name} with {count} arguments", function)
    wanted = " or ".join(str(number) for number in sorted(taken))
    refuse(f"{name} takes {wanted} arguments. Got {count}", function, -380 if count < max(taken) else -381)


def _refuse_trim(side: str, start: Token) -> None:
    """Refuse TRIM without the characters: the references of IRIS allow it, and the SQL reader of IRIS refuses it."""
    unsupported(f"TRIM({side} …) without the characters to trim, as in TRIM({side} ' ' FROM x),", start)
