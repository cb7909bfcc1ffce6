"""
The grammar of InterSystems IRIS SQL: text in, a sqlglot tree out.

`parse` reads one statement. sqlglot gives the tree and, in `translate`, the DuckDB generator; its parser is not used,
because it accepts the union of thirty dialects (a missing THEN, a trailing comma, ``x::INT``, ``FROM t``): here each
construct is written out once, so that what is not in this file is refused with its line and column.

What the tree holds beside the ordinary nodes of sqlglot:

========================================  ===========================================================================
``?`` and ``:name``                       `exp.Placeholder`, ``this`` is ``"1"``, ``"2"`` … or the name
``UPPER(x)``, ``COUNT(DISTINCT x)``       `exp.Anonymous`, ``this`` is the name in capitals
``MeetUp2025.EmbedText(?)``               `FunctionCall`
``FROM MeetUp2025.NearestFish(?, 3) q``   `exp.Table` whose ``this`` is a `FunctionCall`
``CALL MeetUp2025.Identify(?, 3)``        `Call`
``TO_VECTOR(x, DOUBLE, 512)``             `ToVector`
``x [ 'a'``, ``x %STARTSWITH 'a'``        `Test`
column and CAST types                     `SQLType`
========================================  ===========================================================================

Every node made here has its place in ``node.meta["place"]``: (line, column), both from 1.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar, NamedTuple, NoReturn, TypeVar

from sqlglot import exp

from meetup2025.engines.functions import (
    AGGREGATES,
    DATE_PARTS,
    ELEMENT_TYPES,
    FUNCTIONS,
    KNOWN,
    LONGER,
    TYPES,
    VARIADIC,
    arities,
)
from meetup2025.errors import SQLSyntaxError, UnsupportedSQLError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

N = TypeVar("N", bound=exp.Expr)


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


class Token(NamedTuple):
    """A word of the text; `word` is what keywords and operators are compared with ("" for the rest)."""

    kind: str
    text: str
    word: str
    line: int
    column: int


_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*|/\*.*?\*/)
    |(?P<string>'[^']*(?:''[^']*)*')
    |(?P<quoted>"(?:[^"]|"")+")
    |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w]))
    |(?P<name>[%$]?[^\W\d]\w*)
    |(?P<host>:%?[^\W\d]\w*)
    |(?P<param>\?)
    |(?P<op>->|<>|!=|<=|>=|\|\||[-+*/\\\#=<>(),.;\[\]{}!&])""",
    re.VERBOSE | re.DOTALL,
)
_OPENINGS = {"'": (-1, "closing quote (') missing"), '"': (-3, 'closing quote (") missing'), "/*": (-1, "*/ missing")}

# Words that cannot be a name without quotes.
RESERVED = frozenset(
    """
    ALL AND ANY AS ASC BETWEEN BY CASE CAST CHECK COMMIT CONVERT CREATE CROSS CURRENT_DATE CURRENT_TIME
    CURRENT_TIMESTAMP DEFAULT DELETE DESC DISTINCT DROP ELSE END ESCAPE EXCEPT EXISTS FETCH FOR FROM FULL GROUP
    HAVING IN INNER INSERT INTERSECT INTO IS JOIN LEFT LIKE LIMIT NATURAL NOT NULL OFFSET ON OR ORDER OUTER
    PRIMARY RIGHT ROLLBACK SELECT SET SOME SYSDATE TABLE THEN TOP UNION UNIQUE UPDATE USING VALUES WHEN WHERE WITH
    """.split()  # noqa: SIM905 - a list of words reads better as one
)
_CONDITIONS = (exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Like, exp.Escape)
CONDITIONS = (*_CONDITIONS, exp.In, exp.Between, exp.Is, exp.Exists, Test)

COMPARISONS: Mapping[str, type[exp.Expr]] = {
    "=": exp.EQ, "<>": exp.NEQ, "!=": exp.NEQ, "<": exp.LT, "<=": exp.LTE, ">": exp.GT, ">=": exp.GTE,
}  # fmt: skip
TERMS: Mapping[str, type[exp.Expr]] = {"+": exp.Add, "-": exp.Sub, "||": exp.DPipe}
FACTORS: Mapping[str, type[exp.Expr]] = {"*": exp.Mul, "/": exp.Div, "\\": exp.IntDiv, "#": exp.Mod}
# What IRIS has and this engine has not, by the word that shows it.
UNSUPPORTED_OPERATORS = ("{", "->", "]", "!", "&")
UNSUPPORTED_PREDICATES = ("%MATCHES", "%PATTERN", "%CONTAINS", "%CONTAINSTERM", "]", "!", "&", "->", "OVERLAPS")
UNSUPPORTED_STATEMENTS = frozenset(
    """
    ALTER BUILD CLOSE DECLARE EXEC EXECUTE EXPLAIN FETCH FREEZE GRANT LOAD LOCK OPEN PURGE REVOKE SAVEPOINT SET
    TRAIN TUNE UNFREEZE UNLOCK USE VALIDATE
    """.split()  # noqa: SIM905 - a list of words reads better as one
)


def place(node: exp.Expr) -> tuple[int, int]:
    """Say where *node* stands in the text: (line, column), or (0, 0) for a node that was not read from one."""
    for part in node.walk():
        if "place" in part.meta:
            line, column = part.meta["place"]
            return int(line), int(column)
    return place(node.parent) if node.parent else (0, 0)


def refuse(message: str, at: Token | exp.Expr, sqlcode: int = -1) -> NoReturn:
    """Raise the error of SQL that IRIS refuses too."""
    line, column = (at.line, at.column) if isinstance(at, Token) else place(at)
    raise SQLSyntaxError(message, line=line, column=column, sqlcode=sqlcode)


def unsupported(construct: str, at: Token | exp.Expr) -> NoReturn:
    """Raise the error of SQL that IRIS accepts and this engine does not."""
    line, column = (at.line, at.column) if isinstance(at, Token) else place(at)
    raise UnsupportedSQLError(
        f"{construct} is IRIS SQL that the embedded engine does not have", line=line, column=column
    )


@contextmanager
def shallow() -> Iterator[None]:
    """Refuse SQL that is nested deeper than Python can follow."""
    try:
        yield
    except RecursionError as exc:
        message = "SQL nested hundreds of levels deep is more than the embedded engine can read"
        raise UnsupportedSQLError(message, line=1, column=1) from exc


def tokenize(sql: str) -> list[Token]:
    """Cut *sql* into tokens; the last one has the kind "end"."""
    tokens: list[Token] = []
    position, line, start = 0, 1, 0
    while position < len(sql):
        match = _TOKEN.match(sql, position)
        here = Token("", "", "", line, position - start + 1)
        if match is None:
            code, message = next((v for k, v in _OPENINGS.items() if sql.startswith(k, position)), (-1, ""))
            refuse(message or f"{sql[position]!r} has no meaning here", here, code)
        kind, text = str(match.lastgroup), match.group()
        if kind == "op" and sql.startswith("/*", position):
            refuse(_OPENINGS["/*"][1], here)
        if kind != "space":
            word = text.upper() if kind in ("name", "op") else ""
            tokens.append(Token(kind, text, word, *here[3:]))
        if "\n" in text:
            line += text.count("\n")
            start = match.start() + text.rindex("\n") + 1
        position = match.end()
    return [*tokens, Token("end", "the end", "", line, position - start + 1)]


class _Grammar:
    """Recursive descent over the tokens of one statement: expressions and queries (`_Statements` has the rest)."""

    def __init__(self, sql: str) -> None:
        self.tokens = tokenize(sql)
        self.index = 0
        self.parameters = 0

    # words

    @property
    def token(self) -> Token:
        return self.tokens[self.index]

    @property
    def following(self) -> str:
        """The word after the next."""
        return self.tokens[min(self.index + 1, len(self.tokens) - 1)].word

    def ahead(self, *words: str) -> bool:
        """Tell whether the next words are these."""
        tokens = self.tokens[self.index : self.index + len(words)]
        return [token.word for token in tokens] == list(words)

    def take(self, *words: str) -> bool:
        """Step over *words* if they are next."""
        found = self.ahead(*words)
        self.index += len(words) * found
        return found

    def take_one(self, words: Mapping[str, object] | tuple[str, ...]) -> str:
        """Step over one of *words* if it is next, and return it; else ""."""
        word = self.token.word
        if not word or word not in words:
            return ""
        self.index += 1
        return word

    def expect(self, *words: str) -> None:
        for word in words:
            if not self.take(word):
                refuse(f"{word} expected, found {self.token.text}", self.token)

    def at(self, node: N, token: Token) -> N:
        node.meta["place"] = (token.line, token.column)
        return node

    def separated(self, item: Callable[[], N]) -> list[N]:
        """Read one or more items with commas between."""
        items = [item()]
        while self.take(","):
            items.append(item())
        return items

    def wrapped(self, item: Callable[[], N]) -> list[N]:
        self.expect("(")
        items = self.separated(item)
        self.expect(")")
        return items

    # names

    def has_name(self) -> bool:
        return self.token.kind == "quoted" or (self.token.kind == "name" and self.token.word not in RESERVED)

    def identifier(self) -> exp.Identifier:
        token = self.token
        if not self.has_name():
            refuse(f"A name expected, found {token.text}", token)
        if token.kind == "name" and token.text[0] in "%$" and token.word != "%ID":
            unsupported(token.text, token)
        self.index += 1
        text = token.text[1:-1].replace('""', '"') if token.kind == "quoted" else token.text
        return self.at(exp.Identifier(this=text, quoted=token.kind == "quoted"), token)

    def table_name(self) -> exp.Table:
        token, name, schema = self.token, self.identifier(), None
        if self.take("."):
            schema, name = name, self.identifier()
        if self.ahead("."):
            refuse("A table has one schema: schema.table", self.token)
        return self.at(exp.Table(this=name, db=schema), token)

    def alias(self) -> exp.Identifier | None:
        return self.identifier() if self.take("AS") or self.has_name() else None

    # expressions, from the loosest operator to the tightest

    def condition(self) -> exp.Expr:
        return self.as_condition(self.disjunction())

    def as_condition(self, node: exp.Expr) -> exp.Expr:
        if not isinstance(node.unnest(), CONDITIONS):
            refuse("A comparison operator is required here", self.token, -14)
        return node

    def value(self) -> exp.Expr:
        return self.as_value(self.disjunction())

    def as_value(self, node: exp.Expr) -> exp.Expr:
        if isinstance(node.unnest(), CONDITIONS):
            refuse("A scalar expression expected, not a condition", node, -11)
        return node

    def disjunction(self) -> exp.Expr:
        left = self.conjunction()
        while self.take("OR"):
            left = exp.Or(this=self.as_condition(left), expression=self.as_condition(self.conjunction()))
        return left

    def conjunction(self) -> exp.Expr:
        left = self.negation()
        while self.take("AND"):
            left = exp.And(this=self.as_condition(left), expression=self.as_condition(self.negation()))
        return left

    def negation(self) -> exp.Expr:
        return exp.Not(this=self.as_condition(self.negation())) if self.take("NOT") else self.predicate()

    def predicate(self) -> exp.Expr:
        left, token = self.term(), self.token
        if operator := self.take_one(COMPARISONS):
            if self.token.word in ("ANY", "ALL", "SOME"):
                unsupported(f"{operator} {self.token.word} (subquery)", self.token)
            return self.at(COMPARISONS[operator](this=self.as_value(left), expression=self.operand()), token)
        negated = self.take("NOT")
        if operator := self.take_one(self.PREDICATES):
            test = self.at(self.PREDICATES[operator](self, self.as_value(left)), token)
            return exp.Not(this=test) if negated else test
        if self.token.word in UNSUPPORTED_PREDICATES:
            unsupported(self.token.text, self.token)
        if negated:
            refuse("A condition expected after NOT", self.token, -15)
        return left

    def operand(self) -> exp.Expr:
        return self.as_value(self.term())

    def is_null(self, left: exp.Expr) -> exp.Expr:
        negated = self.take("NOT")
        self.expect("NULL")
        test = exp.Is(this=left, expression=exp.Null())
        return exp.Not(this=test) if negated else test

    def between(self, left: exp.Expr) -> exp.Expr:
        low = self.operand()
        self.expect("AND")
        return exp.Between(this=left, low=low, high=self.operand())

    def is_in(self, left: exp.Expr) -> exp.Expr:
        if self.token.word == "(" and self.following in ("SELECT", "WITH"):
            return exp.In(this=left, query=self.subquery())
        return exp.In(this=left, expressions=self.wrapped(self.operand))

    def like(self, left: exp.Expr) -> exp.Expr:
        test = exp.Like(this=left, expression=self.operand())
        return exp.Escape(this=test, expression=self.operand()) if self.take("ESCAPE") else test

    def test(self, left: exp.Expr) -> exp.Expr:
        token = self.tokens[self.index - 1]
        right = self.operand()
        if token.word == "%INLIST" and not (isinstance(right, exp.Anonymous) and right.this == "$LISTFROMSTRING"):
            unsupported("%INLIST of anything but $LISTFROMSTRING", token)
        return self.at(Test(this=token.word, expressions=[left, right]), token)

    PREDICATES: Mapping[str, Callable[[_Grammar, exp.Expr], exp.Expr]] = {
        "IS": is_null, "BETWEEN": between, "IN": is_in, "LIKE": like,
        "[": test, "%STARTSWITH": test, "%INLIST": test,
    }  # fmt: skip

    def term(self) -> exp.Expr:
        return self.binary(TERMS, self.factor)

    def factor(self) -> exp.Expr:
        return self.binary(FACTORS, self.unary)

    def binary(self, operators: Mapping[str, type[exp.Expr]], operand: Callable[[], exp.Expr]) -> exp.Expr:
        left = operand()
        while operator := self.take_one(operators):
            token = self.tokens[self.index - 1]
            left = self.at(operators[operator](this=self.as_value(left), expression=self.as_value(operand())), token)
        return left

    def unary(self) -> exp.Expr:
        if self.take("-"):
            return exp.Neg(this=self.as_value(self.unary()))
        return self.as_value(self.unary()) if self.take("+") else self.primary()

    def primary(self) -> exp.Expr:
        token = self.token
        if token.word in UNSUPPORTED_OPERATORS:
            unsupported("an ODBC escape {…}" if token.word == "{" else token.text, token)
        if token.word == "(":
            return self.at(self.parenthesis(), token)
        if token.word in self.SPECIAL and (token.word in ("CASE", "NULL") or self.following == "("):
            self.index += 1
            return self.at(self.SPECIAL[token.word](self), token)
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

    def literal(self) -> exp.Expr | None:
        token = self.token
        self.index += 1
        if token.kind == "string":
            return self.at(exp.Literal.string(token.text[1:-1].replace("''", "'")), token)
        if token.kind == "number":
            return self.at(exp.Literal.number("0" * token.text.startswith(".") + token.text), token)
        if token.kind == "host":
            return self.at(exp.Placeholder(this=token.text[1:]), token)
        if token.kind == "param":
            self.parameters += 1
            return self.at(exp.Placeholder(this=str(self.parameters)), token)
        self.index -= 1
        return None

    def parenthesis(self) -> exp.Expr:
        if self.following in ("SELECT", "WITH"):
            return self.subquery()
        self.expect("(")
        inner = exp.Paren(this=self.disjunction())
        self.expect(")")
        return inner

    def subquery(self) -> exp.Subquery:
        token = self.token
        self.expect("(")
        inner = self.query(nested=True)
        self.expect(")")
        return self.at(exp.Subquery(this=inner), token)

    def named(self) -> exp.Expr:
        """Read a column, or a function with or without a schema."""
        token, following = self.token, self.following
        if following == "(" and token.kind == "name":
            return self.function()
        if token.word in FUNCTIONS and 0 in arities(token.word) and following != "." and token.word in RESERVED:
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

    def routine(self, parts: list[exp.Identifier], kind: type[FunctionCall]) -> FunctionCall:
        if len(parts) != 2:
            refuse("A function of a schema is written schema.name(arguments)", self.token, -359)
        self.expect("(")
        arguments = [] if self.ahead(")") else self.separated(self.value)
        self.expect(")")
        node = kind(this=parts[1], db=parts[0], expressions=arguments)
        node.meta["place"] = parts[0].meta["place"]
        return node

    def function(self) -> exp.Expr:
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
        if len(arguments) not in arities(name):
            if len(arguments) in LONGER.get(name, ()):
                unsupported(f"{name} with {len(arguments)} arguments", token)
            few = len(arguments) < max(arities(name))
            wanted = " or ".join(str(count) for count in sorted(arities(name)))
            refuse(f"{name} takes {wanted} arguments. Got {len(arguments)}", token, -380 if few else -381)
        return self.at(exp.Anonymous(this=name, expressions=arguments), token)

    def arguments(self, name: str) -> list[exp.Expr]:
        if self.ahead(")"):
            return []
        if name not in ("DATEDIFF", "DATEADD"):
            return self.separated(self.value)
        token = self.token
        part = DATE_PARTS.get(token.text.strip("'").lower())
        if token.kind not in ("name", "string") or part is None:
            refuse(f"{token.text} is not a date part", token, -8)
        self.index += 1
        self.expect(",")
        return [self.at(exp.Literal.string(part), token), *self.separated(self.value)]

    def aggregate_arguments(self, name: str) -> list[exp.Expr]:
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

    # expressions with a grammar of their own; the word has been read

    def null(self) -> exp.Expr:
        return exp.Null()

    def case(self) -> exp.Expr:
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
        return exp.Exists(this=self.subquery().this)

    def cast(self) -> exp.Expr:
        self.expect("(")
        value = self.value()
        self.expect("AS")
        kind = self.type_name()
        self.expect(")")
        return exp.Cast(this=value, to=kind)

    def convert(self) -> exp.Expr:
        self.expect("(")
        kind = self.type_name()
        self.expect(",")
        value = self.value()
        if self.ahead(","):
            unsupported("CONVERT with a format", self.token)
        self.expect(")")
        return exp.Cast(this=value, to=kind)

    def substring(self) -> exp.Expr:
        self.expect("(")
        arguments = [self.value()]
        words = ("FROM", "FOR") if self.ahead("FROM") else (",", ",")
        self.expect(words[0])
        arguments.append(self.value())
        if self.take(words[1]):
            arguments.append(self.value())
        self.expect(")")
        return exp.Anonymous(this="SUBSTRING", expressions=arguments)

    def trim(self) -> exp.Expr:
        self.expect("(")
        side = self.take_one(("BOTH", "LEADING", "TRAILING"))
        arguments = [] if self.ahead("FROM") else [self.value()]
        if self.take("FROM"):
            arguments = [self.value(), *arguments]
        elif side:
            refuse("FROM expected in TRIM", self.token, -75)
        self.expect(")")
        name = {"LEADING": "TRIM LEADING", "TRAILING": "TRIM TRAILING"}.get(side, "TRIM")
        return exp.Anonymous(this=name, expressions=arguments)

    def position(self) -> exp.Expr:
        self.expect("(")
        needle = self.term()
        self.expect("IN")
        arguments = [needle, self.value()]
        self.expect(")")
        return exp.Anonymous(this="POSITION", expressions=arguments)

    def to_vector(self) -> exp.Expr:
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

    SPECIAL: Mapping[str, Callable[[_Grammar], exp.Expr]] = {
        "NULL": null, "CASE": case, "EXISTS": exists, "CAST": cast, "CONVERT": convert, "SUBSTRING": substring,
        "TRIM": trim, "POSITION": position, "TO_VECTOR": to_vector,
    }  # fmt: skip

    # types

    def type_name(self) -> SQLType:
        token = self.token
        name = token.word
        self.index += 1
        for first, second in (
            ("CHAR", "VARYING"),
            ("CHARACTER", "VARYING"),
            ("DOUBLE", "PRECISION"),
            ("LONG", "VARCHAR"),
        ):
            if name == first and self.take(second):
                name = f"{first} {second}"
        element = None
        if name == "VECTOR" and self.take("("):
            element = ELEMENT_TYPES.get(self.take_one(ELEMENT_TYPES)) or unsupported(
                f"VECTOR({self.token.text})", token
            )
            numbers = [self.integer()] if self.take(",") else []
            self.expect(")")
        elif name in TYPES:
            numbers = self.wrapped(self.integer) if self.ahead("(") else []
        else:
            refuse(f"{token.text} is not a data type this engine knows", token, -376)
        return self.at(SQLType(this=name, element=element, expressions=numbers), token)

    def integer(self) -> exp.Expr:
        token = self.token
        if token.kind != "number" or not token.text.isdigit():
            refuse(f"An integer expected, found {token.text}", token, -80)
        return self.literal() or exp.Null()

    # queries

    def query(self, *, nested: bool = False) -> exp.Expr:
        """Read [WITH …] SELECT … [UNION …] [ORDER BY …] [LIMIT …]; in a *nested* one ORDER BY needs TOP."""
        ctes = self.separated(self.cte) if self.take("WITH") else []
        left, operators = self.operand_query(), set()
        while operator := self.take_one(self.SET_OPERATIONS):
            operators.add(operator)
            if "INTERSECT" in operators and len(operators) > 1:
                unsupported("INTERSECT beside UNION or EXCEPT without parentheses", self.token)
            distinct = not self.take("ALL")
            kind = self.SET_OPERATIONS[operator]
            left = kind(this=self.as_leg(left), expression=self.as_leg(self.operand_query()), distinct=distinct)
        self.modifiers(left, nested=nested)
        if ctes:
            left.set("with_", exp.With(expressions=ctes))
        return left

    SET_OPERATIONS: Mapping[str, type[exp.Expr]] = {
        "UNION": exp.Union,
        "EXCEPT": exp.Except,
        "INTERSECT": exp.Intersect,
    }

    def as_leg(self, query: exp.Expr) -> exp.Expr:
        return exp.Subquery(this=query) if query.args.get("limit") else query

    def operand_query(self) -> exp.Expr:
        return self.subquery() if self.ahead("(") else self.select()

    def cte(self) -> exp.CTE:
        name = self.identifier()
        if self.ahead("("):
            unsupported("a column list in WITH", self.token)
        self.expect("AS", "(")
        inner = self.query(nested=True)
        self.expect(")")
        return exp.CTE(this=inner, alias=exp.TableAlias(this=name))

    def modifiers(self, query: exp.Expr, *, nested: bool) -> None:
        token = self.token
        if self.take("ORDER", "BY"):
            top = query.args.get("limit") or query.meta.get("top_all")
            if nested and not top:
                refuse("ORDER BY in a subquery or view needs TOP (TOP ALL for all rows)", token)
            query.set("order", exp.Order(expressions=self.separated(self.ordered)))
        token = self.token
        if token.word in ("LIMIT", "OFFSET", "FETCH") and (query.args.get("limit") or query.meta.get("top_all")):
            refuse("TOP cannot be used together with LIMIT, OFFSET or FETCH", token, -386)
        if self.take("LIMIT"):
            query.set("limit", exp.Limit(expression=self.row_count()))
        if self.take("OFFSET"):
            query.set("offset", exp.Offset(expression=self.row_count()))
            self.take_one(("ROW", "ROWS"))
        if self.token.word == "FETCH":
            unsupported("FETCH FIRST", self.token)

    def ordered(self) -> exp.Ordered:
        value = self.value()
        descending = self.take("DESC")
        if not descending:
            self.take("ASC")
        return exp.Ordered(this=value, desc=descending, nulls_first=not descending)  # NULL is the lowest value in IRIS

    def row_count(self) -> exp.Expr:
        """Read the number of TOP or LIMIT: an integer (a fraction or numeric string is cut to one), `?` or `:name`."""
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

    def select(self) -> exp.Select:
        token = self.token
        self.expect("SELECT")
        select = self.at(exp.Select(), token)
        if self.take("DISTINCT"):
            if self.ahead("BY"):
                unsupported("DISTINCT BY", self.token)
            select.set("distinct", exp.Distinct())
        else:
            self.take("ALL")
        if self.take("TOP"):
            if self.take("ALL"):
                select.meta["top_all"] = True
            else:
                select.set("limit", exp.Limit(expression=self.row_count()))
        select.set("expressions", self.separated(self.item))
        if self.ahead("INTO"):
            unsupported("SELECT … INTO", self.token)
        self.clauses(select)
        return select

    def clauses(self, select: exp.Select) -> None:
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
        token = self.token
        if self.take("*"):
            return self.at(exp.Star(), token)
        if self.has_name() and [t.word for t in self.tokens[self.index + 1 : self.index + 3]] == [".", "*"]:
            table = self.identifier()
            self.index += 2
            return self.at(exp.Column(this=exp.Star(), table=table), token)
        value, name = self.value(), self.alias()
        return self.at(exp.Alias(this=value, alias=name), token) if name else value

    def source(self) -> exp.Expr:
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

    def aliased(self, source: N) -> N:
        name = self.alias()
        source.set("alias", exp.TableAlias(this=name) if name else None)
        return source

    def join(self) -> exp.Join | None:
        token = self.token
        if self.take(","):
            return self.at(exp.Join(this=self.source()), token)
        if self.ahead("NATURAL"):
            unsupported("NATURAL JOIN", token)
        side = self.take_one(("LEFT", "RIGHT", "FULL"))
        kind = "" if side else self.take_one(("INNER", "CROSS"))
        if side:
            self.take("OUTER")
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


class _Statements(_Grammar):
    """Everything that is not a query."""

    def statement(self) -> exp.Expr:
        token = self.token
        if token.word == "(":
            return self.query()
        parser = self.STATEMENTS.get(token.word)
        if parser is None:
            if token.word in UNSUPPORTED_STATEMENTS:
                unsupported(token.word, token)
            refuse(f"An SQL statement expected, found {token.text}", token, -51)
        if token.word not in ("SELECT", "WITH"):
            self.index += 1
        return self.at(parser(self), token)

    def whole(self) -> exp.Expr:
        """Read the statement, and see that nothing follows it."""
        node = self.statement()
        self.take(";")
        if self.token.kind != "end":
            if self.token.word.startswith("%"):
                unsupported(self.token.text, self.token)
            refuse(f"Input ({self.token.text}) encountered after the end of the statement", self.token, -25)
        return node

    def call(self) -> exp.Expr:
        token = self.token
        table = self.table_name()
        if not table.args.get("db") or not self.ahead("("):
            refuse("A call is written CALL schema.name(arguments), with the parentheses", token)
        return self.routine([table.args["db"], table.this], Call)

    def insert(self) -> exp.Expr:
        if self.take("OR", "UPDATE"):
            unsupported("INSERT OR UPDATE", self.tokens[self.index - 1])
        self.take("INTO")
        table = self.table_name()
        columns = self.wrapped(self.identifier) if self.ahead("(") else []
        values: exp.Expr
        if self.take("VALUES"):
            values = exp.Values(expressions=[exp.Tuple(expressions=self.wrapped(self.new_value))])
            if self.ahead(","):
                refuse("INSERT … VALUES inserts one row", self.token)
        elif self.token.word in ("SELECT", "WITH"):
            values = self.query()
        else:
            if self.token.word in ("SET", "DEFAULT", "("):
                unsupported(f"INSERT … {self.token.word}", self.token)
            refuse(f"VALUES or SELECT expected, found {self.token.text}", self.token)
        return exp.Insert(this=exp.Schema(this=table, expressions=columns), expression=values)

    def new_value(self) -> exp.Expr:
        token = self.token
        if self.ahead("DEFAULT"):
            unsupported("DEFAULT as a value", token)
        value = self.value()
        if value.find(exp.Subquery):
            refuse("A subquery is not allowed among the values of INSERT or UPDATE", token, -144)
        return value

    def update(self) -> exp.Expr:
        table = self.aliased(self.table_name())
        if self.ahead("FROM"):
            unsupported("UPDATE … FROM", self.token)
        self.expect("SET")
        return exp.Update(this=table, expressions=self.separated(self.assignment), where=self.where("UPDATE"))

    def assignment(self) -> exp.Expr:
        column = self.at(exp.Column(this=self.identifier()), self.tokens[self.index - 1])
        self.expect("=")
        return exp.EQ(this=column, expression=self.value())

    def delete(self) -> exp.Expr:
        self.take("FROM")
        table = self.aliased(self.table_name())
        return exp.Delete(this=table, where=self.where("DELETE"))

    def where(self, statement: str) -> exp.Where | None:
        if self.ahead("FROM"):
            unsupported(f"{statement} … FROM", self.token)
        if self.ahead("WHERE", "CURRENT", "OF"):
            unsupported("WHERE CURRENT OF", self.token)
        return exp.Where(this=self.condition()) if self.take("WHERE") else None

    def truncate(self) -> exp.Expr:
        self.expect("TABLE")
        return exp.TruncateTable(expressions=[self.table_name()])

    def start(self) -> exp.Expr:
        self.expect("TRANSACTION")
        return exp.Transaction()

    def commit(self) -> exp.Expr:
        self.take("WORK")
        return exp.Commit()

    def rollback(self) -> exp.Expr:
        self.take("WORK")
        if self.ahead("TO"):
            unsupported("ROLLBACK TO SAVEPOINT", self.token)
        return exp.Rollback()

    # definitions: exp.Create and exp.Drop with `kind` TABLE, VIEW or INDEX

    def create(self) -> exp.Expr:
        token = self.token
        replace = self.take("OR", "REPLACE")
        unique = self.take("UNIQUE")
        word = self.take_one(("TABLE", "VIEW", "INDEX"))
        if not word or (replace and word != "VIEW") or (unique and word != "INDEX"):
            unsupported(f"CREATE {token.text}", token)
        exists = self.if_exists("NOT", "EXISTS")
        if word == "INDEX":
            return self.create_index(unique=unique)
        table = self.table_name()
        if word == "VIEW":
            return self.create_view(table, replace=replace)
        if self.ahead("AS"):
            unsupported("CREATE TABLE … AS", self.token)
        columns = self.wrapped(self.column_or_constraint)
        if self.token.word in ("WITH", "USING", "STORAGETYPE", "SHARD"):
            unsupported(f"CREATE TABLE … {self.token.word}", self.token)
        return exp.Create(this=exp.Schema(this=table, expressions=columns), kind="TABLE", exists=exists)

    def if_exists(self, *words: str) -> bool:
        return self.take("IF", *words)

    def create_view(self, view: exp.Table, *, replace: bool) -> exp.Expr:
        columns = self.wrapped(self.identifier) if self.ahead("(") else []
        self.expect("AS")
        query = self.query(nested=True)
        if self.ahead("WITH"):
            unsupported("CREATE VIEW … WITH", self.token)
        if placeholder := query.find(exp.Placeholder):
            refuse("A view may not contain host variables or parameters", placeholder, -148)
        return exp.Create(
            this=exp.Schema(this=view, expressions=columns), kind="VIEW", replace=replace, expression=query
        )

    def column_or_constraint(self) -> exp.Expr:
        named = self.take("CONSTRAINT") and bool(self.identifier())
        if self.take("UNIQUE") or self.take("PRIMARY", "KEY"):
            primary = self.tokens[self.index - 1].word == "KEY"
            columns = self.wrapped(self.identifier)
            kind: type[exp.Expr] = exp.PrimaryKey if primary else exp.UniqueColumnConstraint
            return kind(expressions=columns) if primary else kind(this=exp.Tuple(expressions=columns))
        if named or self.ahead("FOREIGN") or self.token.word.startswith("%") or self.ahead("CHECK"):
            unsupported(f"{self.token.text} in CREATE TABLE", self.token)
        name = self.identifier()
        column = exp.ColumnDef(this=name, kind=self.type_name())
        while constraint := self.constraint():
            column.append("constraints", constraint)
        return column

    def constraint(self) -> exp.Expr | None:
        if self.take("NOT", "NULL"):
            return exp.NotNullColumnConstraint()
        if self.take("NULL"):
            return exp.NotNullColumnConstraint(allow_null=True)
        if self.take("UNIQUE"):
            return exp.UniqueColumnConstraint()
        if self.take("PRIMARY", "KEY"):
            return exp.PrimaryKeyColumnConstraint()
        if self.take("DEFAULT"):
            return exp.DefaultColumnConstraint(this=self.unary())
        if self.token.word not in (",", ")"):
            unsupported(f"the column constraint {self.token.text}", self.token)
        return None

    def create_index(self, *, unique: bool) -> exp.Expr:
        name = self.identifier()
        self.expect("ON")
        self.take("TABLE")
        table = self.table_name()
        columns = self.wrapped(self.identifier)
        hnsw = self.hnsw() if self.take("AS") else None
        if unique and hnsw:
            refuse("An HNSW index cannot be unique", table)
        index = exp.Index(this=name, table=table, unique=unique, params=hnsw)
        return exp.Create(this=index, kind="INDEX", expression=exp.Tuple(expressions=columns))

    def hnsw(self) -> exp.Expr:
        token = self.token
        names = ["HNSW"] if self.take("HNSW") else []
        if not names and not self.take("%SQL", ".", "INDEX", ".", "HNSW"):
            unsupported(f"an index AS {token.text}", token)
        options = self.wrapped(self.index_option) if self.ahead("(") else []
        return self.at(exp.Tuple(expressions=options), token)

    def index_option(self) -> exp.Expr:
        name = self.identifier()
        self.expect("=")
        return exp.EQ(this=name, expression=self.literal() or refuse("A constant expected", self.token))

    def drop(self) -> exp.Expr:
        token = self.token
        word = self.take_one(("TABLE", "VIEW", "INDEX"))
        if not word:
            unsupported(f"DROP {token.text}", token)
        exists = self.if_exists("EXISTS")
        table = self.table_name()
        owner = None
        if word == "INDEX":
            if not self.take("ON"):
                unsupported("DROP INDEX without ON table", token)
            self.take("TABLE")
            owner = self.table_name()
        if self.token.word in ("CASCADE", "RESTRICT") or self.token.word.startswith("%"):
            unsupported(f"DROP … {self.token.text}", self.token)
        return exp.Drop(this=table, kind=word, exists=exists, cluster=owner)

    STATEMENTS: Mapping[str, Callable[[_Statements], exp.Expr]] = {
        "SELECT": _Grammar.query, "WITH": _Grammar.query, "CALL": call,
        "INSERT": insert, "UPDATE": update, "DELETE": delete, "TRUNCATE": truncate,
        "START": start, "COMMIT": commit, "ROLLBACK": rollback, "CREATE": create, "DROP": drop,
    }  # fmt: skip


def parse(sql: str) -> exp.Expr:
    """
    Read one statement of IRIS SQL; a semicolon may end it.

    Raises:
        SQLSyntaxError: IRIS would refuse it too; has line, column and the SQLCODE.
        UnsupportedSQLError: IRIS would accept it, this engine does not; names the construct, has line and column.
    """
    with shallow():
        return _Statements(sql).whole()


def bind(expression: N, values: Mapping[str, exp.Expr]) -> N:
    """
    Replace each host variable ``:name`` by a copy of ``values[name]``.

    Args:
        expression: A tree of `parse`; it is not changed.
        values: An expression for each name; names are compared as written.

    Raises:
        SQLSyntaxError: A host variable has no value (SQLCODE -28).
    """

    def replaced(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Placeholder) or node.name.isdigit():
            return node
        if node.name not in values:
            refuse(f"The host variable :{node.name} has no value", node, -28)
        return values[node.name].copy()

    return expression.transform(replaced)  # type: ignore[return-value]


def function_calls(expression: exp.Expr) -> list[FunctionCall]:
    """List the calls of functions of a schema, in order of appearance (not those in FROM, not `Call` itself)."""
    calls = expression.find_all(FunctionCall, bfs=False)
    return [call for call in calls if not isinstance(call, Call) and not isinstance(call.parent, exp.Table)]


def table_calls(expression: exp.Expr) -> list[exp.Table]:
    """List the queries called in FROM: tables whose `this` is a `FunctionCall`, whose `alias` may be ""."""
    return [table for table in expression.find_all(exp.Table, bfs=False) if isinstance(table.this, FunctionCall)]
