"""CREATE and DROP: `exp.Create` and `exp.Drop` with `kind` TABLE, VIEW or INDEX."""

from __future__ import annotations

from sqlglot import exp

from meetup2025.engines.grammar.queries import Queries
from meetup2025.engines.grammar.refusals import refuse, unsupported

_KINDS = ("TABLE", "VIEW", "INDEX")


class Definitions(Queries):
    """Reads the statements that define tables, views and indexes; the first word has been read."""

    def create(self) -> exp.Expr:
        """Read ``CREATE TABLE``, ``CREATE [OR REPLACE] VIEW`` or ``CREATE [UNIQUE] INDEX``."""
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

    # tables

    def create_table(self, table: exp.Table, *, exists: bool) -> exp.Expr:
        """Read the columns of a table."""
        if self.ahead("AS"):
            unsupported("CREATE TABLE … AS", self.token)
        columns = self.wrapped(self.column_or_constraint)
        if self.token.word in ("WITH", "USING", "STORAGETYPE", "SHARD"):
            unsupported(f"CREATE TABLE … {self.token.word}", self.token)
        return exp.Create(this=exp.Schema(this=table, expressions=columns), kind="TABLE", exists=exists)

    def column_or_constraint(self) -> exp.Expr:
        """Read a column, ``[CONSTRAINT name] UNIQUE (…)`` or ``[CONSTRAINT name] PRIMARY KEY (…)``."""
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
        """Read ``name type [constraint …]``."""
        name = self.identifier()
        column = exp.ColumnDef(this=name, kind=self.type_name())
        while constraint := self.constraint():
            column.append("constraints", constraint)
        return column

    def constraint(self) -> exp.Expr | None:
        """Read ``[NOT] NULL``, ``UNIQUE``, ``PRIMARY KEY`` or ``DEFAULT x``; None after the last one."""
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

    # views

    def create_view(self, view: exp.Table, *, replace: bool) -> exp.Expr:
        """Read ``[(columns)] AS query``."""
        columns = self.wrapped(self.identifier) if self.ahead("(") else []
        self.expect("AS")
        query = self.query(nested=True)
        if self.ahead("WITH"):
            unsupported("CREATE VIEW … WITH", self.token)
        if placeholder := query.find(exp.Placeholder):
            refuse("A view may not contain host variables or parameters", placeholder, -148)
        schema = exp.Schema(this=view, expressions=columns)
        return exp.Create(this=schema, kind="VIEW", replace=replace, expression=query)

    # indexes

    def create_index(self, *, unique: bool) -> exp.Expr:
        """Read ``name ON [TABLE] table (columns) [AS HNSW…]``."""
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
        """Read ``HNSW [(option = constant, …)]`` or ``%SQL.Index.HNSW …``."""
        token = self.token
        if not self.take("HNSW") and not self.take("%SQL", ".", "INDEX", ".", "HNSW"):
            unsupported(f"an index AS {token.text}", token)
        options = self.wrapped(self.index_option) if self.ahead("(") else []
        return self.at(exp.Tuple(expressions=options), token)

    def index_option(self) -> exp.Expr:
        """Read ``name = constant``."""
        name = self.identifier()
        self.expect("=")
        constant = self.literal()
        if constant is None:
            refuse("A constant expected", self.token)
        return exp.EQ(this=name, expression=constant)

    def drop(self) -> exp.Expr:
        """Read ``DROP TABLE name``, ``DROP VIEW name`` or ``DROP INDEX name ON [TABLE] table``."""
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
