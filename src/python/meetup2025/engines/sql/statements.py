"""
Statements of IRIS SQL.

`Statements` parses the whole statement first. Then come queries, with SELECT, its clauses and the tables of FROM.
CREATE and DROP of tables, views and indexes, CALL, changes of rows, and transactions follow.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from sqlglot import exp

from meetup2025.engines.sql.expressions import Expressions
from meetup2025.engines.sql.functions import KNOWN
from meetup2025.engines.sql.nodes import Call, Explain, FunctionCall, JsonColumn, JsonTable, refuse, unsupported

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SET_OPERATIONS: Mapping[str, type[exp.Expr]] = {
    "UNION": exp.Union,
    "EXCEPT": exp.Except,
    "INTERSECT": exp.Intersect,
}
_KINDS = ("TABLE", "VIEW", "INDEX")

# Statements of IRIS that this engine does not have, by the first word.
_UNSUPPORTED = frozenset(
    """
    ALTER BUILD CLOSE DECLARE EXEC EXECUTE FETCH FREEZE GRANT LOAD LOCK OPEN PURGE REVOKE SAVEPOINT SET
    TRAIN TUNE UNFREEZE UNLOCK USE VALIDATE
    """.split()  # noqa: SIM905 - a list of words reads better as one
)


class Statements(Expressions):
    """Parser of one statement. A method of `STATEMENTS` begins after its word. `query` begins before it."""

    def whole(self) -> exp.Expr:
        """Parse the statement. Refuse any text after it but a semicolon."""
        node = self.statement()
        self.take(";")
        if self.token.kind != "end":
            if self.token.word.startswith("%"):
                unsupported(self.token.text, self.token)
            refuse(f"Input ({self.token.text}) encountered after the end of the statement", self.token, -25)
        return node

    def statement(self) -> exp.Expr:
        """Parse a statement."""
        token = self.token
        if token.word == "(":
            return self.query()
        parser = self.STATEMENTS.get(token.word)
        if parser is None:
            if token.word in _UNSUPPORTED:
                unsupported(token.word, token)
            refuse(f"An SQL statement expected, found {token.text}", token, -51)
        if token.word not in ("SELECT", "WITH"):
            self.index += 1
        return self.at(parser(self), token)

    def explain(self) -> Explain:
        """Parse ``EXPLAIN query``."""
        if self.token.word in ("ALTPLAN", "STAT"):
            unsupported(f"EXPLAIN {self.token.word}", self.token)
        return Explain(this=self.query())

    # --- queries

    def query(self, *, nested: bool = False) -> exp.Expr:
        """Parse ``[WITH …] SELECT … [UNION …] [ORDER BY …] [LIMIT …]``. ORDER BY of a *nested* query needs TOP."""
        ctes = self.separated(self.cte) if self.take("WITH") else []
        query = self.set_operations()
        self.order_by(query, nested=nested)
        self.limit(query)
        if ctes:
            query.set("with_", exp.With(expressions=ctes))
        return query

    def cte(self) -> exp.CTE:
        """Parse ``name AS (query)``."""
        name = self.identifier()
        if self.ahead("("):
            unsupported("a column list in WITH", self.token)
        self.expect("AS", "(")
        inner = self.query(nested=True)
        self.expect(")")
        return exp.CTE(this=inner, alias=exp.TableAlias(this=name))

    def set_operations(self) -> exp.Expr:
        """Parse ``leg [UNION [ALL] leg …]``."""
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
        """Parse ``(query)`` or ``SELECT …``."""
        return self.subquery() if self.ahead("(") else self.select()

    def order_by(self, query: exp.Expr, *, nested: bool) -> None:
        """Parse ``[ORDER BY …]``."""
        token = self.token
        if self.take("ORDER", "BY"):
            if nested and not _has_top(query):
                refuse("ORDER BY in a subquery or view needs TOP (TOP ALL for all rows)", token)
            query.set("order", exp.Order(expressions=self.separated(self.ordered)))

    def ordered(self) -> exp.Ordered:
        """Parse ``x [ASC | DESC]``. NULL is the lowest value in IRIS."""
        value = self.value()
        descending = self.take("DESC")
        if not descending:
            self.take("ASC")
        return exp.Ordered(this=value, desc=descending, nulls_first=not descending)

    def limit(self, query: exp.Expr) -> None:
        """Parse ``[LIMIT n] [OFFSET n [ROWS]]``."""
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
        """Parse the number of TOP or LIMIT: ``?``, ``:name`` or an integer. Cut a fraction or a numeric text."""
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

    # --- SELECT

    def select(self) -> exp.Select:
        """Parse ``SELECT [DISTINCT | ALL] [TOP n] items`` and its clauses."""
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
        """Parse ``[DISTINCT | ALL]``."""
        if not self.take("DISTINCT"):
            self.take("ALL")
            return
        if self.ahead("BY"):
            unsupported("DISTINCT BY", self.token)
        select.set("distinct", exp.Distinct())

    def top(self, select: exp.Select) -> None:
        """Parse ``[TOP n | TOP ALL]``."""
        if self.take("TOP", "ALL"):
            select.meta["top_all"] = True
        elif self.take("TOP"):
            select.set("limit", exp.Limit(expression=self.row_count()))

    def clauses(self, select: exp.Select) -> None:
        """Parse ``[FROM …] [WHERE …] [GROUP BY …] [HAVING …]``."""
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
        """Parse ``*``, ``table.*`` or ``x [[AS] name]``."""
        token = self.token
        if self.take("*"):
            return self.at(exp.Star(), token)
        if self.has_name() and [next_.word for next_ in self.tokens[self.index + 1 : self.index + 3]] == [".", "*"]:
            table = self.identifier()
            self.expect(".", "*")
            return self.at(exp.Column(this=exp.Star(), table=table), token)
        value, name = self.value(), self.alias()
        return self.at(exp.Alias(this=value, alias=name), token) if name else value

    # --- FROM

    def source(self) -> exp.Expr:
        """Parse a table, ``schema.query(…)`` or ``(query)``, with its alias."""
        if self.ahead("("):
            if self.following not in ("SELECT", "WITH"):
                unsupported("a join in parentheses", self.token)
            return self.aliased(self.subquery())
        if self.following == "(":
            if self.token.word == "JSON_TABLE":
                return self.aliased(self.json_table())
            if self.token.word in KNOWN:
                unsupported(f"{self.token.text} as a table", self.token)
            refuse(f"Stored query {self.token.text} not found; write schema.name(arguments)", self.token, -428)
        table = self.table_name()
        if self.ahead("("):
            table = exp.Table(this=self.routine([table.args["db"], table.this], FunctionCall))
        return self.aliased(table)

    def json_table(self) -> JsonTable:
        """Read ``JSON_TABLE(schema.function(…), '$[*]' COLUMNS (name type PATH '$.key', …))``."""
        token = self.token
        self.expect("JSON_TABLE", "(")
        if not self.has_name():
            unsupported("JSON_TABLE of what is no function of a schema", self.token)
        function = self.table_name()
        value = self.routine([part for part in (function.args.get("db"), function.this) if part], FunctionCall)
        self.expect(",")
        if self.json_path() != "$[*]":
            unsupported("a path in JSON_TABLE other than '$[*]'", self.last)
        self.expect("COLUMNS")
        columns = self.wrapped(self.json_column)
        self.expect(")")
        return self.at(JsonTable(this=value, expressions=columns), token)

    def json_column(self) -> JsonColumn:
        """Read ``name type PATH '$.key'``."""
        name, kind = self.identifier(), self.type_name()
        self.expect("PATH")
        path = self.json_path()
        if not re.fullmatch(r"\$\.\w+", path):
            unsupported("a path of a column other than '$.key'", self.last)
        return JsonColumn(this=name, kind=kind, key=path.removeprefix("$."))

    def json_path(self) -> str:
        """Read the text of a path."""
        path = self.literal()
        if not isinstance(path, exp.Literal) or not path.is_string:
            refuse(f"The path of JSON_TABLE expected, found {self.token.text}", self.token)
        return path.name

    def join(self) -> exp.Join | None:
        """
        Parse ``, table`` or ``[INNER | CROSS | LEFT | RIGHT | FULL] JOIN table [ON …]``. Return None without a table.
        """
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
        """Parse ``[LEFT | RIGHT | FULL] [OUTER]`` or ``[INNER | CROSS]``. Return the side and the kind of the join."""
        side = self.take_one(("LEFT", "RIGHT", "FULL"))
        if side:
            self.take("OUTER")
            return side, ""
        return "", self.take_one(("INNER", "CROSS"))

    # --- CREATE

    def create(self) -> exp.Expr:
        """Parse ``CREATE TABLE``, ``CREATE [OR REPLACE] VIEW`` or ``CREATE [UNIQUE] INDEX``."""
        token = self.token
        replace = self.take("OR", "REPLACE")
        unique = self.take("UNIQUE")
        kind = self.take_one(_KINDS)
        if not kind or (replace and kind != "VIEW") or (unique and kind != "INDEX"):
            unsupported(f"CREATE {token.text}", token)
        exists = self.take("IF", "NOT", "EXISTS")
        if kind == "INDEX":
            return self.create_index(unique=unique)
        name = self.table_name()
        if kind == "VIEW":
            return self.create_view(name, replace=replace)
        return self.create_table(name, exists=exists)

    # --- tables

    def create_table(self, table: exp.Table, *, exists: bool) -> exp.Expr:
        """Parse the columns of a table."""
        if self.ahead("AS"):
            unsupported("CREATE TABLE … AS", self.token)
        columns = self.wrapped(self.column_or_constraint)
        if self.token.word in ("WITH", "USING", "STORAGETYPE", "SHARD"):
            unsupported(f"CREATE TABLE … {self.token.word}", self.token)
        return exp.Create(this=exp.Schema(this=table, expressions=columns), kind="TABLE", exists=exists)

    def column_or_constraint(self) -> exp.Expr:
        """Parse a column, ``[CONSTRAINT name] UNIQUE (…)`` or ``[CONSTRAINT name] PRIMARY KEY (…)``."""
        named = self.take("CONSTRAINT")
        if named:
            self.identifier()
        if self.take("UNIQUE"):
            return exp.UniqueColumnConstraint(this=exp.Tuple(expressions=self.wrapped(self.identifier)))
        if self.take("PRIMARY", "KEY"):
            return exp.PrimaryKey(expressions=self.wrapped(self.identifier))
        word = self.token.word
        if named or word in ("FOREIGN", "CHECK") or word.startswith("%"):
            unsupported(f"{self.token.text} in CREATE TABLE", self.token)
        return self.column()

    def column(self) -> exp.ColumnDef:
        """Parse ``name type [constraint …]``."""
        name = self.identifier()
        column = exp.ColumnDef(this=name, kind=self.type_name())
        while constraint := self.constraint():
            column.append("constraints", constraint)
        return column

    def constraint(self) -> exp.Expr | None:
        """Parse ``[NOT] NULL``, ``UNIQUE``, ``PRIMARY KEY`` or ``DEFAULT x``. Return None after the last constraint."""
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

    # --- views

    def create_view(self, view: exp.Table, *, replace: bool) -> exp.Expr:
        """Parse ``[(columns)] AS query``."""
        columns = self.wrapped(self.identifier) if self.ahead("(") else []
        self.expect("AS")
        query = self.query(nested=True)
        if self.ahead("WITH"):
            unsupported("CREATE VIEW … WITH", self.token)
        if placeholder := query.find(exp.Placeholder):
            refuse("A view may not contain host variables or parameters", placeholder, -148)
        schema = exp.Schema(this=view, expressions=columns)
        return exp.Create(this=schema, kind="VIEW", replace=replace, expression=query)

    # --- indexes

    def create_index(self, *, unique: bool) -> exp.Expr:
        """Parse ``name ON [TABLE] table (columns) [AS HNSW…]``."""
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
        """Parse ``HNSW [(option = constant, …)]`` or ``%SQL.Index.HNSW …``."""
        token = self.token
        if not self.take("HNSW") and not self.take("%SQL", ".", "INDEX", ".", "HNSW"):
            unsupported(f"an index AS {token.text}", token)
        options = self.wrapped(self.index_option) if self.ahead("(") else []
        return self.at(exp.Tuple(expressions=options), token)

    def index_option(self) -> exp.Expr:
        """Parse ``name = constant``."""
        name = self.identifier()
        self.expect("=")
        constant = self.literal()
        if constant is None:
            refuse("A constant expected", self.token)
        return exp.EQ(this=name, expression=constant)

    # --- DROP

    def drop(self) -> exp.Expr:
        """Parse ``DROP TABLE name``, ``DROP VIEW name`` or ``DROP INDEX name ON [TABLE] table``."""
        token = self.token
        kind = self.take_one(_KINDS)
        if not kind:
            unsupported(f"DROP {token.text}", token)
        exists = self.take("IF", "EXISTS")
        name = self.table_name()
        owner = None
        if kind == "INDEX":
            if not self.take("ON"):
                unsupported("DROP INDEX without ON table", token)
            self.take("TABLE")
            owner = self.table_name()
        if self.token.word in ("CASCADE", "RESTRICT") or self.token.word.startswith("%"):
            unsupported(f"DROP … {self.token.text}", self.token)
        return exp.Drop(this=name, kind=kind, exists=exists, cluster=owner)

    # --- calls

    def call(self) -> exp.Expr:
        """Parse ``CALL schema.name(arguments)``."""
        token = self.token
        table = self.table_name()
        if not table.args.get("db") or not self.ahead("("):
            refuse("A call is written CALL schema.name(arguments), with the parentheses", token)
        return self.routine([table.args["db"], table.this], Call)

    # --- changes of rows

    def insert(self) -> exp.Expr:
        """Parse ``INSERT [INTO] table [(columns)]`` and its values."""
        if self.take("OR", "UPDATE"):
            unsupported("INSERT OR UPDATE", self.last)
        self.take("INTO")
        table = self.table_name()
        columns = self.wrapped(self.identifier) if self.ahead("(") else []
        return exp.Insert(this=exp.Schema(this=table, expressions=columns), expression=self.inserted())

    def inserted(self) -> exp.Expr:
        """Parse ``VALUES (x, …)`` or a query."""
        if self.token.word in ("SELECT", "WITH"):
            return self.query()
        if self.token.word in ("SET", "DEFAULT", "("):
            unsupported(f"INSERT … {self.token.word}", self.token)
        if not self.take("VALUES"):
            refuse(f"VALUES or SELECT expected, found {self.token.text}", self.token)
        values = exp.Values(expressions=[exp.Tuple(expressions=self.wrapped(self.new_value))])
        if self.ahead(","):
            refuse("INSERT … VALUES inserts one row", self.token)
        return values

    def new_value(self) -> exp.Expr:
        """Parse a value of a new row."""
        token = self.token
        if self.ahead("DEFAULT"):
            unsupported("DEFAULT as a value", token)
        value = self.value()
        if value.find(exp.Subquery):
            refuse("A subquery is not allowed among the values of INSERT or UPDATE", token, -144)
        return value

    def update(self) -> exp.Expr:
        """Parse ``UPDATE table [alias] SET column = x, … [WHERE …]``."""
        table = self.aliased(self.table_name())
        if self.ahead("FROM"):
            unsupported("UPDATE … FROM", self.token)
        self.expect("SET")
        return exp.Update(this=table, expressions=self.separated(self.assignment), where=self.where("UPDATE"))

    def assignment(self) -> exp.Expr:
        """Parse ``column = x``."""
        column = self.at(exp.Column(this=self.identifier()), self.last)
        self.expect("=")
        return exp.EQ(this=column, expression=self.value())

    def delete(self) -> exp.Expr:
        """Parse ``DELETE [FROM] table [alias] [WHERE …]``."""
        self.take("FROM")
        table = self.aliased(self.table_name())
        return exp.Delete(this=table, where=self.where("DELETE"))

    def where(self, statement: str) -> exp.Where | None:
        """Parse ``[WHERE …]``."""
        if self.ahead("FROM"):
            unsupported(f"{statement} … FROM", self.token)
        if self.ahead("WHERE", "CURRENT", "OF"):
            unsupported("WHERE CURRENT OF", self.token)
        return exp.Where(this=self.condition()) if self.take("WHERE") else None

    def truncate(self) -> exp.Expr:
        """Parse ``TRUNCATE TABLE table``."""
        self.expect("TABLE")
        return exp.TruncateTable(expressions=[self.table_name()])

    # --- transactions

    def start(self) -> exp.Expr:
        """Parse ``START TRANSACTION``."""
        self.expect("TRANSACTION")
        return exp.Transaction()

    def commit(self) -> exp.Expr:
        """Parse ``COMMIT [WORK]``."""
        self.take("WORK")
        return exp.Commit()

    def rollback(self) -> exp.Expr:
        """Parse ``ROLLBACK [WORK]``."""
        self.take("WORK")
        if self.ahead("TO"):
            unsupported("ROLLBACK TO SAVEPOINT", self.token)
        return exp.Rollback()

    STATEMENTS: ClassVar[Mapping[str, Callable[[Statements], exp.Expr]]] = {
        "SELECT": query, "WITH": query, "CALL": call, "EXPLAIN": explain,
        "INSERT": insert, "UPDATE": update, "DELETE": delete, "TRUNCATE": truncate,
        "START": start, "COMMIT": commit, "ROLLBACK": rollback,
        "CREATE": create, "DROP": drop,
    }  # fmt: skip


def _has_top(query: exp.Expr) -> bool:
    return bool(query.args.get("limit") or query.meta.get("top_all"))


def _enclosed(leg: exp.Expr) -> exp.Expr:
    """Put a leg of UNION that has TOP in parentheses: DuckDB would apply its LIMIT to the whole."""
    return exp.Subquery(this=leg) if leg.args.get("limit") else leg
