"""
IRIS SQL for DuckDB: a tree of `dialect.parse` in, DuckDB statements out.

What differs from IRIS:

| in IRIS | here |
| --- | --- |
| RowID of a table | a column `ID` filled from a sequence; TRUNCATE does not set it back to 1 |
| collation SQLUPPER | NOCASE of the column: it follows the value through functions, and blanks at the end count |
| `GROUP BY Name`, `DISTINCT Name`, `MAX(Name)` give capitals | the same; write `%EXACT(Name)` to keep the letters |
| `%INLIST` | follows the collation of its first operand; the IRIS reference says that, and EXACT elsewhere |
| a field that is neither grouped nor aggregated | refused; IRIS takes that of any row |
| HAVING without GROUP BY | keeps rows, as in IRIS; refused where an aggregate stands beside a field |
| `VARCHAR(n)` too long, SQLCODE -104 | a CHECK constraint `length("Name") <= n` |
| UNIQUE, PRIMARY KEY | a unique index on `upper(column)` |
| other indexes, HNSW among them | checked and left out, as the scan is exact; so `DROP INDEX` finds no mistake |
| FLOAT vectors | stored in 4 bytes, compared in 8 |
| vectors of DECIMAL and TIMESTAMP | refused |
| a vector as text: CAST, `||`, LENGTH, `=` | refused; selected, it is text as in IRIS |
| `CAST('abc' AS INTEGER)` and `'abc' + 1` count as 0 | an error |
| the text of a number: `.5` | `0.5` |
| INSERT OR UPDATE, ALTER TABLE, `{fn …}`, `->`, OVER, JSON_TABLE, what else `dialect` names | refused |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import ErrorLevel
from sqlglot.generators.duckdb import DuckDBGenerator

from meetup2025.engines.dialect import FunctionCall, SQLType, Test, ToVector, refuse, shallow, unsupported
from meetup2025.engines.functions import AGGREGATES, CASTS, DEFAULT_LENGTHS, TESTS, TYPES, render

DEFAULT_SCHEMA = "SQLUser"
# The connection must have these settings: without them 1/0 is an infinity, where IRIS raises <DIVIDE>.
SETTINGS: Mapping[str, str] = {"ieee_floating_point_ops": "false"}
_VECTOR = re.compile(r"(\w+)\[(\d*)\]$")
_NUMBERS = ("NUMBER", "DOUBLE", "TINYINT", "SMALLINT", "INTEGER", "BIGINT")
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT")
# Functions whose value has the type of an argument.
_SAME_TYPE = frozenset(["MAX", "MIN", "COALESCE", "NVL", "ISNULL", "NULLIF", "GREATEST", "LEAST", "%EXTERNAL"])
# Functions that take a vector, beside the two that compare them.
_OF_VECTORS = frozenset("COUNT COALESCE NVL ISNULL IFNULL NULLIF %EXTERNAL".split())  # noqa: SIM905 - as in `dialect`
Columns = Mapping[str, str]


class Schema(Protocol):
    """What must be known of the database to translate a statement; names are compared without regard to case."""

    def columns(self, schema: str, table: str) -> Columns | None:
        """Give the columns of a table or view as name -> DuckDB type, with the RowID ``ID``; None if there is none."""

    def hides_id(self, schema: str, table: str) -> bool:
        """Tell whether ``SELECT *`` leaves the column ``ID`` out: true of tables, not of views."""


def function_name(schema: str, name: str) -> str:
    """
    Name the DuckDB function that stands for ``schema.name``: with a dot, as no function of DuckDB itself is named.

    >>> function_name("MeetUp2025", "EmbedText")
    'MeetUp2025.EmbedText'
    """
    return f"{schema}.{name}"


def to_duckdb(statement: exp.Expr, schema: Schema) -> list[str]:
    """
    Write *statement* as DuckDB SQL.

    Args:
        statement: A tree of `parse`, with host variables bound and class queries in FROM replaced by subqueries. It is
            not changed. The value bound to the parameter of ``TO_VECTOR(?, …)`` must be a list of numbers (padded or
            cut to the length, if one is given) or None.
        schema: The tables that there are.

    Returns:
        Statements to execute in this order, the parameters as ``$1``, ``$2`` …; the last one gives the rows. No
        statement for an index that is not needed.

    Raises:
        SQLSyntaxError: An unknown table (SQLCODE -30) or field (-29), or vectors that cannot be compared (-257
            lengths, -258 not a vector, -259 element types).
        UnsupportedSQLError: A construct of IRIS that this engine does not have.
    """
    writer = _STATEMENTS.get(type(statement))
    if writer is None:
        refuse(f"{type(statement).__name__} cannot be run as a statement", statement)
    with shallow():
        return writer(statement.copy(), _Resolver(schema))


# Text


class _Writer(DuckDBGenerator):
    """DuckDB's own generator, for the nodes that IRIS SQL adds."""

    def name_call(self, node: FunctionCall) -> str:
        arguments = ", ".join(self.sql(argument) for argument in node.expressions)
        return f"{_quoted(function_name(node.schema, node.name))}({arguments})"

    def builtin(self, node: exp.Anonymous) -> str:
        arguments = [self.sql(argument) for argument in node.expressions]
        length = node.meta.get("length")
        if length is None:
            return render(str(node.this), arguments)
        wanted = f"DOUBLE[{length}]"
        arguments = [
            text if argument.meta.get("type") == wanted else f"CAST({text} AS {wanted})"
            for text, argument in zip(arguments, node.expressions, strict=True)
        ]
        text = render(str(node.this), arguments)
        return text if length else text.replace("array_", "list_", 1)

    def vector(self, node: ToVector) -> str:
        kind, length = node.args["kind"], node.args.get("length")
        if kind in ("DECIMAL", "TIMESTAMP"):
            unsupported(f"TO_VECTOR of {kind}", node)
        if isinstance(node.this, exp.Placeholder):
            return f"CAST({self.sql(node.this)} AS {node.meta['type']})"
        vector = f"TO_VECTOR_{kind}({self.sql(node.this)})"
        return f"CAST({vector} AS {kind}[{self.sql(length)}])" if length else vector

    def test(self, node: Test) -> str:
        return TESTS[str(node.this)].format(*(self.sql(operand) for operand in node.expressions))

    def conversion(self, node: exp.Cast) -> str:
        target, value = _duckdb_type(node.args["to"], casting=True), self.sql(node.this)
        if target == "VARCHAR":
            length = _string_length(node.args["to"], casting=True)
            return CASTS["VARCHAR" if length else "other"].format(value=value, length=length, type=target)
        cut = target in _INTEGERS and node.this.meta.get("type") not in _INTEGERS
        return CASTS["INTEGER" if cut else "other"].format(value=value, type=target)

    def concatenation(self, node: exp.DPipe) -> str:
        return f"({self.sql(node.this)} || {self.sql(node.expression)})"

    def whole_division(self, node: exp.IntDiv) -> str:
        return f"CAST(trunc(({self.sql(node.this)}) / ({self.sql(node.expression)})) AS BIGINT)"

    def modulo(self, node: exp.Mod) -> str:
        left, right = self.sql(node.this), self.sql(node.expression)
        return f"(({left}) - ({right}) * floor(({left}) / ({right})))"  # the sign of the divisor, unlike MOD

    def quotient(self, node: exp.Div) -> str:
        return f"{self.sql(node.this)} / {self.sql(node.expression)}"

    TRANSFORMS: ClassVar[dict[Any, Any]] = {
        **DuckDBGenerator.TRANSFORMS,
        exp.Anonymous: builtin,
        exp.Cast: conversion,
        exp.Div: quotient,
        exp.DPipe: concatenation,
        exp.IntDiv: whole_division,
        exp.Mod: modulo,
        FunctionCall: name_call,
        Test: test,
        ToVector: vector,
    }


_DUCKDB = DuckDB()


def _write(node: exp.Expr) -> str:
    """Write a resolved tree."""
    writer = _Writer(dialect=_DUCKDB, identify=True, comments=False, unsupported_level=ErrorLevel.RAISE)
    return writer.generate(node, copy=False)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _duckdb_type(kind: SQLType, *, casting: bool = False) -> str:
    """Give the DuckDB type of an IRIS type."""
    name, numbers = str(kind.this), kind.numbers
    if name == "VECTOR":
        element = kind.args.get("element")
        if element in (None, "DECIMAL", "TIMESTAMP") or not numbers or casting:
            unsupported("VECTOR without an element type of DOUBLE, FLOAT or INTEGER and a length", kind)
        return f"{element}[{numbers[0]}]"
    target = TYPES[name]
    if target != "DECIMAL(?)":
        return "VARCHAR" if target == "TEXT" and casting else target
    if casting:  # the precision does not matter in IRIS, and without a scale no digit is lost
        return f"DECIMAL(38, {numbers[1] if len(numbers) > 1 else 0})" if numbers else "DOUBLE"
    precision, scale = [*numbers, *(15, 0)[len(numbers) :]]
    return f"DECIMAL({precision}, {scale})"


def _string_length(kind: SQLType, *, casting: bool = False) -> int | None:
    """Give the length of a string type, as declared or as IRIS assumes; None for no limit."""
    if kind.numbers:
        return kind.numbers[0]
    defaults = DEFAULT_LENGTHS.get(str(kind.this))
    return defaults[casting] if defaults else None


# Meaning


@dataclass
class _Source:
    """A table in FROM: lower-case column -> (name, DuckDB type), and whether its ID is hidden."""

    columns: dict[str, tuple[str, str]]
    hides_id: bool = False

    @property
    def visible(self) -> dict[str, str]:
        return {name: kind for key, (name, kind) in self.columns.items() if not (self.hides_id and key == "id")}


@dataclass
class _Scope:
    """The tables that a name may belong to: those of one SELECT, then those around it."""

    outer: _Scope | None = None
    ctes: dict[str, _Source] = field(default_factory=dict)
    sources: dict[str, _Source] = field(default_factory=dict)
    labels: dict[str, exp.Expr] = field(default_factory=dict)

    def find(self, column: exp.Column) -> tuple[_Scope, str, str] | None:
        """Find (scope, source, type) of *column*; None if it is nowhere."""
        key = _key(column)
        named = {column.table.lower()} & set(self.sources) if column.table else set(self.sources)
        found = [source for source in self.sources if source in named and key in self.sources[source].columns]
        if len(found) > 1:
            refuse(f"Field {column.name} is ambiguous among the tables {', '.join(found)}", column, -27)
        if found:
            return self, found[0], self.sources[found[0]].columns[key][1]
        return self.outer.find(column) if self.outer and not named & {column.table.lower()} else None

    def knows(self, source: str) -> bool:
        return source in self.sources or bool(self.outer and self.outer.knows(source))


def _key(column: exp.Column) -> str:
    return "id" if column.name.upper() == "%ID" else column.name.lower()


class _Resolver:
    """Finds what each name means, works out types, and rewrites what DuckDB says in another way."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema

    def table(self, table: exp.Expr) -> _Source:
        """Look *table* up, and give it its schema."""
        if not table.args.get("db"):
            table.set("db", exp.Identifier(this=DEFAULT_SCHEMA, quoted=True))
        columns = self.schema.columns(table.text("db"), table.name)
        if columns is None:
            refuse(f"Table or view {table.text('db')}.{table.name} not found", table, -30)
        hides = self.schema.hides_id(table.text("db"), table.name)
        return _Source({name.lower(): (name, kind) for name, kind in columns.items()}, hides)

    def source(self, node: exp.Expr, scope: _Scope) -> None:
        """Add a table, subquery or CTE of FROM to *scope*."""
        if isinstance(node, exp.Subquery) and not node.alias:
            node.set("alias", exp.TableAlias(this=exp.Identifier(this=f"subquery_{len(scope.sources) + 1}")))
        name = node.alias_or_name
        if isinstance(node, exp.Subquery):
            source = _derived(self.query(node.this, _Scope(scope.outer, scope.ctes), labelled=True))
        elif isinstance(node.this, FunctionCall):
            refuse(f"Stored query {node.this.schema}.{node.this.name} not found", node.this, -428)
        elif not node.args.get("db") and _name_of(node) in scope.ctes:
            source = scope.ctes[_name_of(node)]
        else:
            source = self.table(node)
        if name.lower() in scope.sources:
            refuse(f"Name conflict in the FROM list over {name}", node, -20)
        scope.sources[name.lower()] = source

    def query(self, node: exp.Expr, scope: _Scope, *, labelled: bool = False) -> dict[str, str]:
        """Resolve a query in a fresh *scope*; returns its columns as name -> type."""
        if isinstance(node, exp.Subquery):
            return self.query(node.this, scope, labelled=labelled)
        with_ = node.args.get("with_")
        for cte in with_.expressions if with_ else ():
            columns = _derived(self.query(cte.this, _Scope(scope.outer, scope.ctes), labelled=True))
            scope.ctes = {**scope.ctes, cte.alias.lower(): columns}
        if isinstance(node, exp.SetOperation):
            inner = [_Scope(scope.outer, scope.ctes) for _ in range(2)]
            legs = [
                self.query(node.args[leg], own, labelled=labelled)
                for leg, own in zip(("this", "expression"), inner, strict=True)
            ]
            if len(legs[0]) != len(legs[1]):
                refuse(f"The SELECT lists of a UNION have {len(legs[0])} and {len(legs[1])} items", node, -9)
            self.union_order(node, legs[0])
            return legs[0]
        return self._select(node, scope, labelled=labelled)

    def union_order(self, node: exp.SetOperation, columns: Columns) -> None:
        names = {name.lower() for name in columns}
        for ordered in node.args["order"].expressions if node.args.get("order") else ():
            item = ordered.this
            if not isinstance(item, exp.Literal) and not (isinstance(item, exp.Column) and item.name.lower() in names):
                refuse("ORDER BY after UNION takes names or numbers of SELECT items", item, -6)

    def _select(self, node: exp.Expr, scope: _Scope, *, labelled: bool) -> dict[str, str]:
        if from_ := node.args.get("from_"):
            self.source(from_.this, scope)
        for join in node.args.get("joins") or ():
            self.source(join.this, scope)
            self.plain(join.args.get("on"), scope)
        node.set("expressions", [part for item in node.expressions for part in self.expand(item, scope)])
        for item in node.expressions:
            self.walk(item, scope)
        self.plain(node.args.get("where"), scope)
        scope.labels = {item.alias.lower(): item.this for item in node.expressions if isinstance(item, exp.Alias)}
        for clause in ("group", "having", "order"):
            if node.args.get(clause):
                self.walk(node.args[clause], scope)
        self.grouping(node, scope)
        self.ordering(node)
        columns = self.outputs(node)
        if labelled:
            node.set("expressions", [_labelled_item(item, i) for i, item in enumerate(node.expressions, 1)])
        return columns

    def plain(self, node: exp.Expr | None, scope: _Scope) -> None:
        """Resolve a condition of WHERE or ON, where no aggregate may be."""
        if node is None:
            return
        self.walk(node, scope)
        if aggregate := next(iter(_aggregates(node)), None):
            refuse(f"The aggregate function {aggregate.name} cannot be used in WHERE, ON or GROUP BY", aggregate, -19)

    def expand(self, item: exp.Expr, scope: _Scope) -> list[exp.Expr]:
        """Write ``*`` and ``t.*`` as one item per table, without hidden IDs."""
        if not isinstance(item, exp.Star) and not isinstance(item.this, exp.Star):
            return [item]
        if not scope.sources:
            refuse("SELECT * needs a FROM clause", item, -26)
        names = [item.table.lower()] if isinstance(item, exp.Column) else list(scope.sources)
        if names[0] not in scope.sources:
            refuse(f"Label {names[0]} is not among the tables of FROM", item, -23)
        return [self.star(name, scope.sources[name]) for name in names]

    def star(self, name: str, source: _Source) -> exp.Expr:
        hidden = [exp.Identifier(this="ID", quoted=True)] if source.hides_id and "id" in source.columns else None
        star = exp.Column(this=exp.Star(except_=hidden), table=exp.Identifier(this=name, quoted=True))
        star.meta["visible"] = source.visible
        return star

    def walk(self, node: exp.Expr, scope: _Scope) -> None:
        """Resolve an expression; the type of each part goes to ``meta["type"]``."""
        if isinstance(node, exp.Subquery):
            columns = self.query(node.this, _Scope(scope, scope.ctes))
            if len(columns) != 1:
                refuse(f"The SELECT list of a subquery must have exactly one item. Got {len(columns)}", node, -10)
            node.meta["type"] = next(iter(columns.values()))
        elif isinstance(node, exp.Exists):
            self.query(node.this, _Scope(scope, scope.ctes))
        elif isinstance(node, exp.Column):
            self.column(node, scope)
        else:
            for child in list(node.iter_expressions()):
                self.walk(child, scope)
            rule = next((_TYPE_RULES[kind] for kind in type(node).__mro__ if kind in _TYPE_RULES), None)
            node.meta["type"] = rule(self, node) if rule else ""

    def column(self, node: exp.Column, scope: _Scope) -> None:
        if isinstance(node.this, exp.Star):
            return
        found = scope.find(node)
        if found is None:
            self.label(node, scope)
            return
        owner, source, kind = found
        node.meta.update(type=kind, owner=(id(owner), source, _key(node)))
        node.set("db", None)
        if _key(node) == "id":
            node.set("this", exp.Identifier(this="ID", quoted=True))

    def label(self, node: exp.Column, scope: _Scope) -> None:
        """Take *node* as the alias of a select item, which only GROUP BY, HAVING and ORDER BY may use."""
        if node.table and not scope.knows(node.table.lower()):
            refuse(f"Label {node.table} is not among the tables of FROM", node, -23)
        item = None if node.table else scope.labels.get(node.name.lower())
        if item is None:
            refuse(f"Field {node.name} not found in the tables of FROM", node, -29)
        node.meta.update(type=item.meta.get("type", ""), label=item)

    # clauses

    def grouping(self, node: exp.Expr, scope: _Scope) -> None:
        """Honour GROUP BY, HAVING and DISTINCT as IRIS means them."""
        group, having = node.args.get("group"), node.args.get("having")
        if group:
            self.grouped(node, group, scope)
        parts = [*node.expressions, *([having] if having else [])]
        aggregate = next((found for part in parts for found in _aggregates(part)), None)
        if aggregate and not group and any(_fields(part, scope) for part in parts):
            unsupported(f"{aggregate.name} beside a field without GROUP BY", aggregate)
        if having and not group and not aggregate:
            where = node.args.get("where")
            condition = (
                exp.And(this=exp.Paren(this=where.this), expression=exp.Paren(this=having.this))
                if where
                else having.this
            )
            node.set("where", exp.Where(this=condition))
            node.set("having", None)
        if node.args.get("distinct"):
            self.upper_case(node, lambda _: True)

    def grouped(self, node: exp.Expr, group: exp.Expr, scope: _Scope) -> None:
        if aggregate := next(iter(_aggregates(group)), None):
            refuse(f"The aggregate function {aggregate.name} cannot be used in WHERE, ON or GROUP BY", aggregate, -19)
        keys = [key.meta.get("label", key) for key in group.expressions]
        if literal := next((key for key in keys if not key.find(exp.Column)), None):
            unsupported("GROUP BY of a constant", literal)
        owners = {key.meta["owner"] for key in keys if "owner" in key.meta}
        clauses = [node.args[clause] for clause in ("having", "order") if node.args.get(clause)]
        for part in [*node.expressions, *clauses]:
            for column in _fields(part, scope, keys):
                if column.meta.get("owner") not in owners:
                    unsupported(f"{column.name}, a field neither grouped nor aggregated,", column)
        self.upper_case(node, lambda column: column.meta.get("owner") in owners)

    def upper_case(self, node: exp.Expr, chosen: Callable[[exp.Expr], bool]) -> None:
        """Give string columns in capitals, as IRIS does where it groups by them."""
        for item in node.expressions:
            value = item.this if isinstance(item, exp.Alias) else item
            if isinstance(value, exp.Column) and value.meta.get("type") == "VARCHAR" and chosen(value):
                self.order_by_alias(node, value, item)
                upper = _call("UPPER", value.copy())
                value.replace(exp.Alias(this=upper, alias=value.this.copy()) if value is item else upper)

    def order_by_alias(self, node: exp.Expr, value: exp.Expr, item: exp.Expr) -> None:
        """Sort by the item in capitals where ORDER BY has its field, which DISTINCT puts out of reach."""
        order = node.args.get("order")
        for ordered in order.expressions if order else ():
            if ordered.this == value and ordered.this.meta.get("owner") == value.meta.get("owner"):
                ordered.set("this", exp.Column(this=exp.Identifier(this=item.alias_or_name, quoted=True)))

    def ordering(self, node: exp.Expr) -> None:
        order = node.args.get("order")
        chosen = [item.this if isinstance(item, exp.Alias) else item for item in node.expressions]
        for ordered in order.expressions if order else ():
            for aggregate in _aggregates(ordered.this):
                if aggregate not in chosen:
                    refuse(f"{aggregate.name} in ORDER BY must be an item of SELECT", aggregate, -73)

    def outputs(self, node: exp.Expr) -> dict[str, str]:
        columns: dict[str, str] = {}
        for number, item in enumerate(node.expressions, 1):
            if "visible" in item.meta:
                for name, kind in item.meta["visible"].items():
                    columns[name if name not in columns else f"{name}_{number}"] = kind
            else:
                columns[item.alias_or_name or f"({number})"] = item.meta.get("type", "")
        return columns

    # types

    def of_concatenation(self, node: exp.Expr) -> str:
        if any(_VECTOR.match(part.meta.get("type", "")) for part in node.iter_expressions()):
            unsupported("|| of a vector", node)
        return "TEXT"

    def of_first(self, node: exp.Expr) -> str:
        return str(node.this.meta.get("type", ""))

    def of_literal(self, node: exp.Expr) -> str:
        return "VARCHAR" if node.is_string else "NUMBER"

    def of_case(self, node: exp.Expr) -> str:
        return _same_type([branch.args["true"] for branch in node.args["ifs"]])

    def of_to_vector(self, node: exp.Expr) -> str:
        length = node.args.get("length")
        if length is not None and not (isinstance(length, exp.Literal) and length.is_int):
            unsupported("a length in TO_VECTOR that is not a constant", node)
        return f"{node.args['kind']}[{length.name if length else ''}]"

    def of_function(self, node: exp.Expr) -> str:
        name = str(node.this)
        if name.startswith("VECTOR_"):
            self.compare_vectors(node)
            return "DOUBLE"
        if name not in _OF_VECTORS and any(_VECTOR.match(part.meta.get("type", "")) for part in node.expressions):
            unsupported(f"{name} of a vector", node)
        if name in ("MAX", "MIN") and node.expressions[0].meta.get("type") == "VARCHAR":
            [value] = node.expressions
            node.set(
                "expressions", [_call("UPPER", value.expressions[0] if isinstance(value, exp.Distinct) else value)]
            )
            return "VARCHAR"
        return _same_type(node.expressions) if name in _SAME_TYPE else ""

    def of_cast(self, node: exp.Expr) -> str:
        if _VECTOR.match(node.this.meta.get("type", "")):
            unsupported("CAST of a vector", node)
        return _duckdb_type(node.args["to"], casting=True)

    def compare_vectors(self, node: exp.Expr) -> None:
        """Check the operands of a vector function, and note the length that they share."""
        kinds = []
        for operand in node.expressions:
            kind = operand.meta["type"]
            match = _VECTOR.match(kind)
            if match is None and kind != "NULL":
                refuse(f"{node.name} compares vectors; write TO_VECTOR(…, DOUBLE) around a string", operand, -258)
            kinds.append(match.groups() if match else None)
        known = [kind for kind in kinds if kind]
        if len({element for element, _ in known}) > 1:
            refuse(f"{node.name} of vectors of different element types: {known[0][0]} and {known[1][0]}", node, -259)
        lengths = sorted({length for _, length in known if length})
        if len(lengths) > 1:
            refuse(f"{node.name} of vectors of different lengths: {lengths[0]} and {lengths[1]}", node, -257)
        node.meta["length"] = lengths[0] if lengths else ""
        for operand in node.expressions:
            _fit(operand, f"DOUBLE[{node.meta['length']}]")

    def of_comparison(self, node: exp.Expr) -> str:
        """Compare a string column as a string, whatever is bound or written on the other side."""
        if not isinstance(node, exp.Is) and any(
            _VECTOR.match(part.meta.get("type", "")) for part in node.iter_expressions()
        ):
            unsupported("a comparison of vectors", node)
        operands = [part for part in node.iter_expressions() if not isinstance(part, exp.Subquery)]
        strings = any(part.meta.get("type") == "VARCHAR" and isinstance(part, exp.Column) for part in operands)
        if strings or isinstance(node, exp.Like):
            for part in operands:
                if isinstance(part, exp.Placeholder) or part.meta.get("type") in _NUMBERS:
                    part.replace(exp.Cast(this=part.copy(), to=SQLType(this="CHAR VARYING")))
        return "CONDITION"


_TYPE_RULES: Mapping[type[Any], Callable[[_Resolver, Any], str]] = {
    exp.Alias: _Resolver.of_first,
    exp.Paren: _Resolver.of_first,
    exp.Distinct: lambda _resolver, node: _same_type(node.expressions),
    exp.Literal: _Resolver.of_literal,
    exp.Null: lambda _resolver, _node: "NULL",
    exp.Placeholder: lambda _resolver, _node: "?",
    exp.Case: _Resolver.of_case,
    exp.DPipe: _Resolver.of_concatenation,
    exp.Cast: _Resolver.of_cast,
    exp.Anonymous: _Resolver.of_function,
    exp.Predicate: _Resolver.of_comparison,
    FunctionCall: lambda _resolver, _node: "TEXT",
    ToVector: _Resolver.of_to_vector,
}


def _call(name: str, *arguments: exp.Expr) -> exp.Anonymous:
    node = exp.Anonymous(this=name, expressions=list(arguments))
    node.meta["type"] = arguments[0].meta.get("type", "")
    return node


def _fit(node: exp.Expr, kind: str) -> None:
    """Let ``TO_VECTOR(?)`` without a length give a vector of *kind*."""
    if (
        isinstance(node, ToVector)
        and isinstance(node.this, exp.Placeholder)
        and node.args["kind"] not in ("DECIMAL", "TIMESTAMP")
    ):
        node.meta["type"] = kind


def _same_type(nodes: list[exp.Expr]) -> str:
    kinds = {str(node.meta.get("type", "")) for node in nodes} - {"NULL"}
    return kinds.pop() if len(kinds) == 1 else "" if kinds else "NULL"


def _name_of(table: exp.Expr) -> str:
    return table.name.lower()


def _derived(columns: Mapping[str, str]) -> _Source:
    return _Source({name.lower(): (name, kind) for name, kind in columns.items()})


def _fields(node: exp.Expr, scope: _Scope, keys: Sequence[exp.Expr] = ()) -> list[exp.Column]:
    """List the columns of *node* that belong to *scope* and stand in no aggregate, no subquery and none of *keys*."""
    if node in keys:
        return []
    if isinstance(node, exp.Column):
        if "label" in node.meta:
            return _fields(node.meta["label"], scope, keys)
        return [node] if node.meta.get("owner", (id(scope),))[0] == id(scope) else []
    if isinstance(node, (exp.Subquery, exp.Exists)) or (isinstance(node, exp.Anonymous) and node.this in AGGREGATES):
        return []
    return [column for child in node.iter_expressions() for column in _fields(child, scope, keys)]


def _aggregates(node: exp.Expr) -> list[exp.Anonymous]:
    """List the aggregates of *node*, not those of its subqueries."""
    if isinstance(node, exp.Anonymous) and node.this in AGGREGATES:
        return [node]
    if isinstance(node, (exp.Subquery, exp.Exists)):
        return []
    return [found for child in node.iter_expressions() for found in _aggregates(child)]


def _labelled_item(item: exp.Expr, number: int) -> exp.Expr:
    """Name an item as IRIS does: Expression_2, Aggregate_1, HostVar_3."""
    if isinstance(item, (exp.Alias, exp.Column)):
        return item
    kinds: dict[type[exp.Expr], str] = {
        exp.Literal: "HostVar",
        exp.Placeholder: "HostVar",
        exp.Null: "Literal",
        exp.Subquery: "Subquery",
    }
    kind = kinds.get(type(item), "Expression")
    kind = "Aggregate" if isinstance(item, exp.Anonymous) and item.this in AGGREGATES else kind
    return exp.Alias(this=item, alias=exp.Identifier(this=f"{kind}_{number}"))


# Statements


def _select(node: exp.Expr, resolver: _Resolver) -> list[str]:
    resolver.query(node, _Scope(), labelled=True)
    return [_write(node)]


def _insert(node: exp.Insert, resolver: _Resolver) -> list[str]:
    target = resolver.table(node.this.this)
    columns = [column.name for column in node.this.expressions] or list(target.visible)
    node.this.set("expressions", [_target_column(target, name, node, -111) for name in columns])
    values = node.expression
    if isinstance(values, exp.Values):
        row = values.expressions[0]
        resolver.walk(row, _Scope())
        count = len(row.expressions)
        for name, value in zip(columns, row.expressions, strict=False):
            _assigned(target, name, value)
    else:
        count = len(resolver.query(values, _Scope()))
    if count != len(columns):
        refuse(f"{len(columns)} columns and {count} values in INSERT", node, -62 if count < len(columns) else -116)
    return [_write(node)]


def _target_column(target: _Source, name: str, node: exp.Expr, sqlcode: int) -> exp.Identifier:
    """Check that *name* may be written."""
    if name.lower() == "id" and target.hides_id:
        refuse("The RowID cannot be written", node, sqlcode)
    if name.lower() not in target.columns:
        refuse(f"Field {name} not found in the table", node, -29)
    return exp.Identifier(this=target.columns[name.lower()][0], quoted=True)


def _assigned(target: _Source, name: str, value: exp.Expr) -> None:
    """Let ``TO_VECTOR(?)`` take the length of the column it goes to; another length is then an error, not padded."""
    kind = target.columns[name.lower()][1]
    if isinstance(value, ToVector) and not value.args.get("length") and _VECTOR.match(kind):
        _fit(value, kind)


def _update(node: exp.Update, resolver: _Resolver) -> list[str]:
    scope = _Scope()
    resolver.source(node.this, scope)
    target = next(iter(scope.sources.values()))
    for assignment in node.expressions:
        name = assignment.this.name
        assignment.set("this", _target_column(target, name, assignment.this, -107))
        resolver.walk(assignment.expression, scope)
        _assigned(target, name, assignment.expression)
    resolver.plain(node.args.get("where"), scope)
    return [_write(node)]


def _delete(node: exp.Delete, resolver: _Resolver) -> list[str]:
    scope = _Scope()
    resolver.source(node.this, scope)
    resolver.plain(node.args.get("where"), scope)
    return [_write(node)]


def _truncate(node: exp.TruncateTable, resolver: _Resolver) -> list[str]:
    table = node.expressions[0]
    resolver.table(table)
    return [f"TRUNCATE {_write(table)}"]


def _create(node: exp.Create, resolver: _Resolver) -> list[str]:
    writers = {"TABLE": _create_table, "VIEW": _create_view, "INDEX": _create_index}
    return writers[node.args["kind"]](node, resolver)


def _named(table: exp.Table) -> tuple[str, str]:
    """Give the schema and name of *table*, quoted."""
    return _quoted(table.db or DEFAULT_SCHEMA), _quoted(table.name)


def _create_table(node: exp.Create, resolver: _Resolver) -> list[str]:
    table, parts = node.this.this, node.this.expressions
    schema, name = _named(table)
    sequence = f"{schema}.{_quoted(table.name + '_RowID')}"
    exists = "IF NOT EXISTS " if node.args.get("exists") else ""
    columns = {part.name.lower(): part for part in parts if isinstance(part, exp.ColumnDef)}
    if "id" in columns:
        unsupported("a column named ID", columns["id"])
    for default in node.find_all(exp.DefaultColumnConstraint):
        resolver.walk(default.this, _Scope())
    literal = sequence.replace("'", "''")
    definitions = [
        f"\"ID\" BIGINT PRIMARY KEY DEFAULT nextval('{literal}')",
        *(_define(part) for part in columns.values()),
    ]
    statements = [
        f"CREATE SCHEMA IF NOT EXISTS {schema}",
        f"CREATE SEQUENCE IF NOT EXISTS {sequence}",
        f"CREATE TABLE {exists}{schema}.{name} ({', '.join(definitions)})",
    ]
    for keys in _unique_keys(parts):
        index = _quoted("_".join([table.name, *keys]))
        kinds = [
            columns[key.lower()] if key.lower() in columns else refuse(f"Field {key} not found", node, -31)
            for key in keys
        ]
        statements.append(
            _unique_index(index, f"{schema}.{name}", [(k.name, _duckdb_type(k.args["kind"])) for k in kinds], exists)
        )
    return statements


def _define(column: exp.ColumnDef) -> str:
    """Write one column of CREATE TABLE."""
    kind, name = column.args["kind"], _quoted(column.name)
    target, length = _duckdb_type(kind), _string_length(kind)
    words = [name, "VARCHAR COLLATE NOCASE" if target == "VARCHAR" else "VARCHAR" if target == "TEXT" else target]
    for constraint in column.args.get("constraints") or ():
        if isinstance(constraint, exp.PrimaryKeyColumnConstraint):
            words.append("NOT NULL")
        elif isinstance(constraint, exp.NotNullColumnConstraint):
            words.append("NULL" if constraint.args.get("allow_null") else "NOT NULL")
        elif isinstance(constraint, exp.DefaultColumnConstraint):
            words.append(f"DEFAULT {_write(constraint.this)}")
    if kind.this == "BIT":
        words.append(f"CHECK ({name} IN (0, 1))")
    if target == "VARCHAR":
        words.append(f"CHECK (length({name}) <= {length})")
    return " ".join(words)


def _unique_keys(parts: list[exp.Expr]) -> list[list[str]]:
    """List the sets of columns that CREATE TABLE declares unique."""
    keys = []
    for part in parts:
        if isinstance(part, exp.ColumnDef):
            unique = (exp.UniqueColumnConstraint, exp.PrimaryKeyColumnConstraint)
            keys += [[part.name]] * any(
                isinstance(constraint, unique) for constraint in part.args.get("constraints") or ()
            )
        else:
            columns = part.expressions if isinstance(part, exp.PrimaryKey) else part.this.expressions
            keys.append([column.name for column in columns])
    return keys


def _unique_index(index: str, table: str, columns: list[tuple[str, str]], exists: str = "") -> str:
    parts = [f"upper({_quoted(name)})" if kind == "VARCHAR" else _quoted(name) for name, kind in columns]
    return f"CREATE UNIQUE INDEX {exists}{index} ON {table} ({', '.join(parts)})"


def _create_view(node: exp.Create, resolver: _Resolver) -> list[str]:
    schema, name = _named(node.this.this)
    columns = ", ".join(_quoted(column.name) for column in node.this.expressions)
    outputs = resolver.query(node.expression, _Scope(), labelled=True)
    if columns and len(node.this.expressions) != len(outputs):
        refuse(f"The view has {len(node.this.expressions)} columns and its query {len(outputs)}", node, -142)
    replace = "OR REPLACE " if node.args.get("replace") else ""
    view = f"{schema}.{name} ({columns})" if columns else f"{schema}.{name}"
    return [f"CREATE SCHEMA IF NOT EXISTS {schema}", f"CREATE {replace}VIEW {view} AS {_write(node.expression)}"]


def _create_index(node: exp.Create, resolver: _Resolver) -> list[str]:
    """Create the index if it is a rule (UNIQUE); one for speed is checked and left out, as the scan is exact."""
    index, table = node.this, node.this.args["table"]
    target = resolver.table(table)
    columns = []
    for column in node.expression.expressions:
        if column.name.lower() not in target.columns:
            refuse(f"Field {column.name} not found in the table", column, -31)
        columns.append(target.columns[column.name.lower()])
    if index.args.get("params"):
        _check_hnsw(index.args["params"], columns)
    if not index.args.get("unique"):
        return []
    schema, name = _named(table)
    return [_unique_index(_quoted(f"{table.name}_{index.name}"), f"{schema}.{name}", columns)]


def _check_hnsw(options: exp.Expr, columns: list[tuple[str, str]]) -> None:
    """Hold an HNSW index to the rules of IRIS: one fixed-length DOUBLE column, Distance said, M from 2 to 100."""
    given = {option.this.name.upper(): option.expression for option in options.expressions}
    if unknown := set(given) - {"DISTANCE", "M", "EFCONSTRUCTION"}:
        refuse(f"HNSW has the parameters Distance, M and efConstruction. Got {', '.join(sorted(unknown))}", options)
    distance = given["DISTANCE"].name.upper() if "DISTANCE" in given else ""
    if distance not in ("COSINE", "DOTPRODUCT"):
        refuse("HNSW needs Distance = 'Cosine' or 'DotProduct'", options)
    m = _hnsw_number(given, "M", 16)
    if not 2 <= m <= 100:
        refuse(f"M of an HNSW index is from 2 to 100. Got {m}", options)
    ef = _hnsw_number(given, "EFCONSTRUCTION", max(64, m + 1))
    if ef <= m:
        refuse(f"efConstruction of an HNSW index is greater than M ({m}). Got {ef}", options)
    if len(columns) != 1 or not re.match(r"DOUBLE\[\d+\]$", columns[0][1]):
        refuse("An HNSW index is on one column of type VECTOR(DOUBLE, length)", options)


def _hnsw_number(given: Mapping[str, exp.Expr], name: str, default: int) -> int:
    value = given.get(name)
    if value is not None and not (isinstance(value, exp.Literal) and value.is_int):
        refuse(f"{name} of an HNSW index is an integer", value, -80)
    return int(value.name) if value is not None else default


def _drop(node: exp.Drop, resolver: _Resolver) -> list[str]:
    kind, table, exists = node.args["kind"], node.this, "IF EXISTS " if node.args.get("exists") else ""
    if kind == "INDEX":
        owner = node.args["cluster"]
        resolver.table(owner)
        return [f"DROP INDEX IF EXISTS {_named(owner)[0]}.{_quoted(f'{owner.name}_{table.name}')}"]
    if not exists:
        resolver.table(table)
    schema, name = _named(table)
    statements = [f"DROP {kind} {exists}{schema}.{name}"]
    if kind == "TABLE":
        statements.append(f"DROP SEQUENCE IF EXISTS {schema}.{_quoted(table.name + '_RowID')}")
    return statements


_STATEMENTS: Mapping[type[Any], Callable[[Any, _Resolver], list[str]]] = {
    exp.Select: _select,
    exp.Subquery: _select,
    exp.Union: _select,
    exp.Except: _select,
    exp.Intersect: _select,
    exp.Insert: _insert,
    exp.Update: _update,
    exp.Delete: _delete,
    exp.TruncateTable: _truncate,
    exp.Create: _create,
    exp.Drop: _drop,
    exp.Transaction: lambda _node, _resolver: ["BEGIN TRANSACTION"],
    exp.Commit: lambda _node, _resolver: ["COMMIT"],
    exp.Rollback: lambda _node, _resolver: ["ROLLBACK"],
}
