"""Whole statements: CALL, the changes of rows, transactions."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sqlglot import exp

from meetup2025.engines.grammar.definitions import Definitions
from meetup2025.engines.grammar.nodes import Call
from meetup2025.engines.grammar.queries import Queries
from meetup2025.engines.grammar.refusals import refuse, unsupported

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# What IRIS has and this engine has not, by its first word.
_UNSUPPORTED = frozenset(
    """
    ALTER BUILD CLOSE DECLARE EXEC EXECUTE EXPLAIN FETCH FREEZE GRANT LOAD LOCK OPEN PURGE REVOKE SAVEPOINT SET
    TRAIN TUNE UNFREEZE UNLOCK USE VALIDATE
    """.split()  # noqa: SIM905 - a list of words reads better as one
)


class Statements(Definitions):
    """Reads one statement; each method of `STATEMENTS` but `query` begins after its word."""

    def whole(self) -> exp.Expr:
        """Read the statement, and see that nothing but a semicolon follows it."""
        node = self.statement()
        self.take(";")
        if self.token.kind != "end":
            if self.token.word.startswith("%"):
                unsupported(self.token.text, self.token)
            refuse(f"Input ({self.token.text}) encountered after the end of the statement", self.token, -25)
        return node

    def statement(self) -> exp.Expr:
        """Read a statement."""
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

    def call(self) -> exp.Expr:
        """Read ``CALL schema.name(arguments)``."""
        token = self.token
        table = self.table_name()
        if not table.args.get("db") or not self.ahead("("):
            refuse("A call is written CALL schema.name(arguments), with the parentheses", token)
        return self.routine([table.args["db"], table.this], Call)

    # changes of rows

    def insert(self) -> exp.Expr:
        """Read ``INSERT [INTO] table [(columns)]`` and its values."""
        if self.take("OR", "UPDATE"):
            unsupported("INSERT OR UPDATE", self.last)
        self.take("INTO")
        table = self.table_name()
        columns = self.wrapped(self.identifier) if self.ahead("(") else []
        return exp.Insert(this=exp.Schema(this=table, expressions=columns), expression=self.inserted())

    def inserted(self) -> exp.Expr:
        """Read ``VALUES (x, …)`` or a query."""
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
        """Read a value of a new row."""
        token = self.token
        if self.ahead("DEFAULT"):
            unsupported("DEFAULT as a value", token)
        value = self.value()
        if value.find(exp.Subquery):
            refuse("A subquery is not allowed among the values of INSERT or UPDATE", token, -144)
        return value

    def update(self) -> exp.Expr:
        """Read ``UPDATE table [alias] SET column = x, … [WHERE …]``."""
        table = self.aliased(self.table_name())
        if self.ahead("FROM"):
            unsupported("UPDATE … FROM", self.token)
        self.expect("SET")
        return exp.Update(this=table, expressions=self.separated(self.assignment), where=self.where("UPDATE"))

    def assignment(self) -> exp.Expr:
        """Read ``column = x``."""
        column = self.at(exp.Column(this=self.identifier()), self.last)
        self.expect("=")
        return exp.EQ(this=column, expression=self.value())

    def delete(self) -> exp.Expr:
        """Read ``DELETE [FROM] table [alias] [WHERE …]``."""
        self.take("FROM")
        table = self.aliased(self.table_name())
        return exp.Delete(this=table, where=self.where("DELETE"))

    def where(self, statement: str) -> exp.Where | None:
        """Read ``[WHERE …]``."""
        if self.ahead("FROM"):
            unsupported(f"{statement} … FROM", self.token)
        if self.ahead("WHERE", "CURRENT", "OF"):
            unsupported("WHERE CURRENT OF", self.token)
        return exp.Where(this=self.condition()) if self.take("WHERE") else None

    def truncate(self) -> exp.Expr:
        """Read ``TRUNCATE TABLE table``."""
        self.expect("TABLE")
        return exp.TruncateTable(expressions=[self.table_name()])

    # transactions

    def start(self) -> exp.Expr:
        """Read ``START TRANSACTION``."""
        self.expect("TRANSACTION")
        return exp.Transaction()

    def commit(self) -> exp.Expr:
        """Read ``COMMIT [WORK]``."""
        self.take("WORK")
        return exp.Commit()

    def rollback(self) -> exp.Expr:
        """Read ``ROLLBACK [WORK]``."""
        self.take("WORK")
        if self.ahead("TO"):
            unsupported("ROLLBACK TO SAVEPOINT", self.token)
        return exp.Rollback()

    STATEMENTS: ClassVar[Mapping[str, Callable[[Statements], exp.Expr]]] = {
        "SELECT": Queries.query, "WITH": Queries.query, "CALL": call,
        "INSERT": insert, "UPDATE": update, "DELETE": delete, "TRUNCATE": truncate,
        "START": start, "COMMIT": commit, "ROLLBACK": rollback,
        "CREATE": Definitions.create, "DROP": Definitions.drop,
    }  # fmt: skip
