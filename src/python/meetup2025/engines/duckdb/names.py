"""
The meaning of each name: the tables of FROM, the columns of the tables, and the names of the items of SELECT.

The parts are, in order, `Resolver`, which resolves a query and its parts, the labels that GROUP BY, HAVING and ORDER BY
may use, and the items of SELECT, with ``*`` and the names from IRIS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from meetup2025.engines.duckdb import information
from meetup2025.engines.duckdb.grouping import apply_grouping, check_order, refuse_aggregates
from meetup2025.engines.duckdb.scopes import DEFAULT_SCHEMA, Columns, Schema, Scope, Source, column_key
from meetup2025.engines.duckdb.types import duckdb_type, infer, type_of
from meetup2025.engines.duckdb.writer import DuckDBQuery
from meetup2025.engines.sql.functions import AGGREGATES
from meetup2025.engines.sql.nodes import FunctionCall, JsonTable, refuse, unsupported

if TYPE_CHECKING:
    from collections.abc import Iterable

# Name of an item of SELECT that has none, before its number. Any other class is an Expression.
_LABELS: dict[type[exp.Expr], str] = {
    exp.Literal: "HostVar",
    exp.Placeholder: "HostVar",
    exp.Null: "Literal",
    exp.Subquery: "Subquery",
}


class Resolver:
    """
    Resolver of names: it finds the meaning of each name, works out the types, and rewrites differences of DuckDB.
    """

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.tops: list[tuple[exp.Expr, Scope]] = []  # each resolved SELECT with TOP or LIMIT

    # --- tables

    def table(self, table: exp.Expr) -> Source:
        """Find a table of the database, and set its schema."""
        hint = ""
        if not table.args.get("db"):
            table.set("db", exp.Identifier(this=DEFAULT_SCHEMA, quoted=True))
            hint = "; name its schema, as in MeetUp2025.Fish"
        schema, name = table.text("db"), table.name
        if _is_information(table):
            refuse(f"{information.SCHEMA}.{name} can be read only", table, -115)
        columns = self.schema.columns(schema, name)
        if columns is None:
            refuse(f"Table or view {schema}.{name} not found{hint}", table, -30)
        return Source.of(columns, hides_id=self.schema.hides_id(schema, name))

    def target(self, table: exp.Expr, scope: Scope) -> Source:
        """Find the table that UPDATE or DELETE changes, the only table of *scope*."""
        source = self.table(table)
        scope.sources[table.alias_or_name.lower()] = source
        return source

    def add_source(self, node: exp.Expr, scope: Scope) -> None:
        """Add a table, subquery or CTE of FROM to *scope*."""
        if isinstance(node, (exp.Subquery, JsonTable)) and not node.alias:
            node.set("alias", exp.TableAlias(this=exp.Identifier(this=f"subquery_{len(scope.sources) + 1}")))
        name, source = node.alias_or_name, self.source(node, scope)
        if name.lower() in scope.sources:
            refuse(f"Name conflict in the FROM list over {name}", node, -20)
        scope.sources[name.lower()] = source

    def source(self, node: exp.Expr, scope: Scope) -> Source:
        """Return the columns of a table, subquery or CTE."""
        if isinstance(node, exp.Subquery):
            return Source.of(self.query(node.this, scope.beside(), name_items=True))
        if isinstance(node, JsonTable):
            return _of_json(node)
        if isinstance(node.this, FunctionCall):
            refuse(f"Stored query {node.this.schema}.{node.this.name} not found", node.this, -428)
        if not node.args.get("db") and node.name.lower() in scope.ctes:
            return scope.ctes[node.name.lower()]
        return _information_source(node) if _is_information(node) else self.table(node)

    # --- queries

    def query(self, node: exp.Expr, scope: Scope, *, name_items: bool = False) -> dict[str, str]:
        """
        Resolve a query.

        Args:
            node: The query, which is changed.
            scope: A new scope, without tables.
            name_items: Whether an item without a name gets its name of IRIS.

        Returns:
            The columns of the query as name -> type.
        """
        if isinstance(node, exp.Subquery):
            if any(node.args.get(part) for part in ("with_", "order", "limit", "offset")):
                unsupported("WITH, ORDER BY or LIMIT around a query in parentheses", node)
            return self.query(node.this, scope, name_items=name_items)
        with_ = node.args.get("with_")
        for cte in with_.expressions if with_ else ():
            columns = self.query(cte.this, scope.beside(), name_items=True)
            scope.ctes = {**scope.ctes, cte.alias.lower(): Source.of(columns)}
        resolve = self.set_operation if isinstance(node, exp.SetOperation) else self.select
        return resolve(node, scope, name_items=name_items)

    def set_operation(self, node: exp.Expr, scope: Scope, *, name_items: bool) -> dict[str, str]:
        """Resolve both legs of UNION, EXCEPT or INTERSECT, and return the columns of the first leg."""
        first = self.query(node.this, scope.beside(), name_items=name_items)
        second = self.query(node.expression, scope.beside(), name_items=name_items)
        if len(first) != len(second):
            refuse(f"The SELECT lists of a UNION have {len(first)} and {len(second)} items", node, -9)
        _check_union_order(node, first)
        return first

    def select(self, node: exp.Expr, scope: Scope, *, name_items: bool) -> dict[str, str]:
        """Resolve a SELECT, and return its columns."""
        self.sources(node, scope)
        node.set("expressions", [part for item in node.expressions for part in expand(item, scope)])
        self.walk_all(node.expressions, scope)
        self.condition(node.args.get("where"), scope)
        scope.labels = {item.alias.lower(): item.this for item in node.expressions if isinstance(item, exp.Alias)}
        clauses = [node.args.get(clause) for clause in ("group", "having", "order")]
        self.walk_all([clause for clause in clauses if clause], scope)
        apply_grouping(node, scope)
        check_order(node)
        if node.args.get("limit"):
            self.tops.append((node, scope))
        columns = outputs(node.expressions)
        if name_items:
            node.set("expressions", [labelled(item, number) for number, item in enumerate(node.expressions, 1)])
        return columns

    def sources(self, node: exp.Expr, scope: Scope) -> None:
        """Resolve FROM. The condition of a join sees the tables before it and its own."""
        if from_ := node.args.get("from_"):
            self.add_source(from_.this, scope)
        for join in node.args.get("joins") or ():
            self.add_source(join.this, scope)
            self.condition(join.args.get("on"), scope)

    def condition(self, node: exp.Expr | None, scope: Scope) -> None:
        """Resolve a condition of WHERE or ON, which may hold no aggregate."""
        if node is not None:
            self.walk(node, scope)
            refuse_aggregates(node)

    # --- expressions

    def walk_all(self, nodes: Iterable[exp.Expr], scope: Scope) -> None:
        """Resolve expressions."""
        for node in nodes:
            self.walk(node, scope)

    def walk(self, node: exp.Expr, scope: Scope) -> None:
        """Resolve an expression, and note the type of each part in ``meta["type"]``."""
        if isinstance(node, exp.Subquery):
            self.subquery(node, scope)
        elif isinstance(node, exp.Exists):
            self.query(node.this, scope.within())
        elif isinstance(node, exp.Column):
            self.column(node, scope)
        else:
            self.walk_all(list(node.iter_expressions()), scope)
            node.meta["type"] = infer(node)

    def subquery(self, node: exp.Subquery, scope: Scope) -> None:
        """Resolve a subquery that is a value."""
        columns = self.query(node.this, scope.within())
        if len(columns) != 1:
            refuse(f"The SELECT list of a subquery must have exactly one item. Got {len(columns)}", node, -10)
        [kind] = columns.values()
        node.meta["type"] = kind

    def column(self, node: exp.Column, scope: Scope) -> None:
        """Find the table of a column."""
        if isinstance(node.this, exp.Star):
            return
        found = scope.find(node)
        if found is None:
            _take_as_label(node, scope)
            return
        key = column_key(node)
        node.meta.update(type=found.type, owner=(id(found.scope), found.source, key))
        node.set("db", None)
        if key == "id":
            node.set("this", exp.Identifier(this="ID", quoted=True))


def _of_json(node: JsonTable) -> Source:
    """Return the columns of JSON_TABLE, whose JSON is the same for all rows."""
    if not isinstance(node.this, exp.Placeholder):
        unsupported("JSON_TABLE of a function of columns", node)
    return Source.of({each.name: duckdb_type(each.args["kind"], casting=True) for each in node.expressions})


def _is_information(table: exp.Expr) -> bool:
    return table.text("db").upper() == information.SCHEMA


def _information_source(table: exp.Expr) -> Source:
    """Put the query of a table of INFORMATION_SCHEMA into its place, and return its columns."""
    name = table.name
    relation = information.relation(name)
    if relation is None:
        if name.upper() in information.ONLY_IRIS:
            unsupported(f"{information.SCHEMA}.{name.upper()}", table)
        refuse(f"Table or view {information.SCHEMA}.{name} not found", table, -30)
    columns, sql = relation
    alias = exp.TableAlias(this=exp.Identifier(this=table.alias_or_name, quoted=True))
    table.replace(exp.Subquery(this=DuckDBQuery(this=sql), alias=alias))
    return Source.of(columns)


def _take_as_label(node: exp.Column, scope: Scope) -> None:
    """Resolve *node* as the name of an item of SELECT, which only GROUP BY, HAVING and ORDER BY may use."""
    if node.table and not scope.knows(node.table.lower()):
        refuse(f"Label {node.table} is not among the tables of FROM", node, -23)
    item = None if node.table else scope.labels.get(node.name.lower())
    if item is None:
        refuse(f"Field {node.name} not found in the tables of FROM", node, -29)
    node.meta.update(type=type_of(item), label=item)


def _check_union_order(node: exp.Expr, columns: Columns) -> None:
    """Refuse ORDER BY after UNION that has more than names and numbers of columns."""
    names = {name.lower() for name in columns}
    order = node.args.get("order")
    for ordered in order.expressions if order else ():
        item = ordered.this
        is_name = isinstance(item, exp.Column) and item.name.lower() in names
        if not is_name and not isinstance(item, exp.Literal):
            refuse("ORDER BY after UNION takes names or numbers of SELECT items", item, -6)


def expand(item: exp.Expr, scope: Scope) -> list[exp.Expr]:
    """Write ``*`` and ``t.*`` as one item for each table, without hidden IDs."""
    if not isinstance(item, exp.Star) and not isinstance(item.this, exp.Star):
        return [item]
    if not scope.sources:
        refuse("SELECT * needs a FROM clause", item, -26)
    names = [item.table.lower()] if isinstance(item, exp.Column) else list(scope.sources)
    if names[0] not in scope.sources:
        refuse(f"Label {names[0]} is not among the tables of FROM", item, -23)
    return [_star(name, scope.sources[name]) for name in names]


def _star(name: str, source: Source) -> exp.Column:
    hidden = [exp.Identifier(this="ID", quoted=True)] if source.hides_id and "id" in source.columns else None
    star = exp.Column(this=exp.Star(except_=hidden), table=exp.Identifier(this=name, quoted=True))
    star.meta["visible"] = source.visible
    return star


def outputs(items: Iterable[exp.Expr]) -> dict[str, str]:
    """Return the columns of a SELECT as name -> type. A column whose name is used before gets a number."""
    columns: dict[str, str] = {}
    for number, item in enumerate(items, 1):
        shown = item.meta.get("visible") or {item.alias_or_name or f"({number})": type_of(item)}
        for name, kind in shown.items():
            columns[name if name not in columns else f"{name}_{number}"] = kind
    return columns


def labelled(item: exp.Expr, number: int) -> exp.Expr:
    """Name an item as IRIS does: Expression_2, Aggregate_1, HostVar_3."""
    if isinstance(item, (exp.Alias, exp.Column)):
        return item
    is_aggregate = isinstance(item, exp.Anonymous) and item.this in AGGREGATES
    label = "Aggregate" if is_aggregate else _LABELS.get(type(item), "Expression")
    return exp.Alias(this=item, alias=exp.Identifier(this=f"{label}_{number}"))
