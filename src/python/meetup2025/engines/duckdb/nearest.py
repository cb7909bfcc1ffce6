"""
The searches of a statement that a matrix in memory can narrow: TOP rows in the order of VECTOR_COSINE.

A search is a SELECT with TOP or LIMIT whose first key of ORDER BY is VECTOR_COSINE or VECTOR_DOT_PRODUCT of a column of
a table and of a vector that is the same for all rows, or GREATEST of these. Its rows stay in the order of the database,
and rows of equal scores in the order of their RowIDs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlglot import exp

from meetup2025.engines.duckdb.grouping import aggregates
from meetup2025.engines.duckdb.types import type_of, vector_parts
from meetup2025.engines.duckdb.writer import OWNER, DuckDBQuery, write
from meetup2025.engines.sql.nodes import ToVector
from meetup2025.engines.tokens import identifier

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from meetup2025.engines.duckdb.scopes import Scope

Top: TypeAlias = "tuple[exp.Expr, Scope]"
"""A resolved SELECT with TOP or LIMIT, and its scope."""

_FUNCTIONS = ("VECTOR_COSINE", "VECTOR_DOT_PRODUCT")




@dataclass(frozen=True)
class Part:
    """A statement of DuckDB that a search asks first. *names* are the parameters of the whole statement in it."""

    sql: str
    names: tuple[str, ...] = ()

    def values(self, parameters: Sequence[Any]) -> list[Any]:
        """Choose the values of its parameters from those of the whole statement."""
        return [value_of(name, parameters) for name in self.names]

    def of(self, owner: str) -> Part:
        """Return the statement for one connection, as `Prepared.of`."""
        return replace(self, sql=self.sql.replace(OWNER, owner))


def value_of(name: str, parameters: Sequence[Any]) -> Any:
    """Return the value of a parameter of the whole statement. Its name is its number, from 1."""
    return parameters[int(name) - 1]


@dataclass(frozen=True)
class Search:
    """
    A search of a statement.

    Attributes:
        table: Schema and name of its table, as in the database.
        column: The column of vectors.
        dimension: Their length.
        cosine: Whether the score is a cosine. Otherwise it is an inner product.
        largest: Whether the largest scores are the best.
        queries: For each vector to compare with, the name of a parameter, or a statement that returns it.
        rows: Sum of the numbers of TOP, LIMIT and OFFSET that the statement writes.
        more_rows: Names of the parameters that add to *rows*.
        among: A statement that returns the RowIDs that WHERE and the joins let through, or None without these.
    """

    table: tuple[str, str]
    column: str
    dimension: int
    cosine: bool
    largest: bool
    queries: tuple[str | Part, ...]
    rows: int
    more_rows: tuple[str, ...]
    among: Part | None

    def of(self, owner: str) -> Search:
        """Return the search for one connection, as `Prepared.of`."""
        queries = tuple(each.of(owner) if isinstance(each, Part) else each for each in self.queries)
        return replace(self, queries=queries, among=self.among and self.among.of(owner))


class _NoSearch(Exception):  # noqa: N818 - it is an answer
    """Why a SELECT is no search."""


@dataclass(frozen=True)
class Narrowed:
    """
    A query whose searches can be narrowed.

    Attributes:
        sql: The query with one more parameter for each search: the list of the RowIDs that may be among the best.
        searches: The searches.
        reasons: Why each other SELECT with TOP or LIMIT is no search.
    """

    sql: str = ""
    searches: tuple[Search, ...] = ()
    reasons: tuple[str, ...] = ()

    def of(self, owner: str) -> Narrowed:
        """Return the query for one connection, as `Prepared.of`."""
        searches = tuple(each.of(owner) for each in self.searches)
        return replace(self, sql=self.sql.replace(OWNER, owner), searches=searches)


NOT_NARROWED = Narrowed()


def narrowed(query: exp.Expr, tops: Sequence[Top]) -> tuple[str, Narrowed]:
    """
    Write a resolved query: as it is, and narrowed.

    In both, the RowID decides between equal scores of a search, so that both return the same rows.
    """
    every = [(top, _search_or_reason(*top)) for top in tops]
    found = [(top, each) for top, each in every if isinstance(each, Search)]
    reasons = tuple(each for _, each in every if isinstance(each, str))
    sql = write(query.copy() if found else query)
    if not found:
        return sql, Narrowed(reasons=reasons)
    used = {each.name for each in query.find_all(exp.Placeholder)}
    for number, ((select, scope), _) in enumerate(found, len(used) + 1):
        _add_condition(select, _Key(select, scope).source, number)
    return sql, Narrowed(write(query), tuple(each for _, each in found), reasons)


def _add_condition(select: exp.Expr, source: str, number: int) -> None:
    """Let only rows pass whose RowID is in the parameter with a number."""
    chosen = DuckDBQuery(this=f'{identifier(source)}."ID" IN (SELECT unnest(CAST(${number} AS BIGINT[])))')
    where = select.args.get("where")
    both = exp.And(this=chosen, expression=exp.Paren(this=where.this)) if where else chosen
    select.set("where", exp.Where(this=both))


def _search_or_reason(select: exp.Expr, scope: Scope) -> Search | str:
    try:
        return _search(select, scope)
    except _NoSearch as reason:
        return str(reason)


def _search(select: exp.Expr, scope: Scope) -> Search:
    """Return the search of a SELECT, and let the RowID decide between equal scores."""
    key = _Key(select, scope)
    _check_rows(select, scope)
    if not key.largest and any(join.side for join in select.args.get("joins") or ()):
        raise _NoSearch("an outer join may give rows without a score, which come first")
    counts = [select.args[each].expression for each in ("limit", "offset") if select.args.get(each)]
    order = select.args["order"]
    for name, source in scope.sources.items():
        if source.hides_id:
            order.append("expressions", exp.Ordered(this=_row_id(name), nulls_first=False))
    return Search(
        table=(key.table.db, key.table.name),
        column=key.column.name,
        dimension=int(key.dimension),
        cosine=key.function == _FUNCTIONS[0],
        largest=key.largest,
        queries=tuple(_query(select, scope, key, each) for each in key.queries),
        rows=sum(int(each.name) for each in counts if isinstance(each, exp.Literal)),
        more_rows=tuple(each.name for each in counts if isinstance(each, exp.Placeholder)),
        among=_among(select, key),
    )


class _Key:
    """The first key of ORDER BY, which must be the function of a search."""

    def __init__(self, select: exp.Expr, scope: Scope) -> None:
        order = select.args.get("order")
        if not order:
            raise _NoSearch("there is no ORDER BY")
        first = order.expressions[0]
        self.largest = bool(first.args.get("desc"))
        self.node = _unlabelled(first.this)
        calls = self.node.expressions if _is_call(self.node, "GREATEST") else [self.node]
        functions = {str(call.this) if isinstance(call, exp.Anonymous) else "" for call in calls}
        if len(functions) > 1 or not functions <= set(_FUNCTIONS):
            raise _NoSearch("ORDER BY does not begin with VECTOR_COSINE or VECTOR_DOT_PRODUCT")
        [self.function] = functions
        found = [_operands(call, scope) for call in calls]
        self.column, self.queries = found[0][0], [query for _, query in found]
        if len({column.meta["owner"] for column, _ in found}) > 1:
            raise _NoSearch("GREATEST is of several columns")
        self.source = self.column.meta["owner"][1]
        self.table = _table(select, scope, self.source)
        self.dimension = (vector_parts(type_of(self.column)) or ("", ""))[1]


def _unlabelled(node: exp.Expr) -> exp.Expr:
    """Return the expression that a label of SELECT stands for."""
    while "label" in node.meta:
        node = node.meta["label"]
    return node.unalias().unnest()


def _is_call(node: exp.Expr, name: str) -> bool:
    return isinstance(node, exp.Anonymous) and node.this == name


def _operands(call: exp.Expr, scope: Scope) -> tuple[exp.Column, exp.Expr]:
    """Return the column of a function of two vectors, and the other vector."""
    first, second = call.expressions
    if _owner(first) == id(scope):
        return first, second
    if _owner(second) == id(scope):
        return second, first
    raise _NoSearch(f"{call.this} is of no column of FROM")


def _owner(node: exp.Expr) -> int | None:
    return node.meta["owner"][0] if isinstance(node, exp.Column) and "owner" in node.meta else None


def _table(select: exp.Expr, scope: Scope, name: str) -> exp.Table:
    """Return the table of the database that a name of FROM stands for."""
    for node in _from(select):
        if isinstance(node, exp.Table) and node.alias_or_name.lower() == name and scope.sources[name].hides_id:
            return node
    raise _NoSearch(f"{name} is no table of the database")


def _from(select: exp.Expr) -> list[exp.Expr]:
    return [select.args["from_"].this, *(join.this for join in select.args.get("joins") or ())]


def _check_rows(select: exp.Expr, scope: Scope) -> None:
    """Check that each row of the SELECT belongs to one row of its table, whatever the query around it."""
    for clause in ("distinct", "group", "having", "with_"):
        if select.args.get(clause):
            raise _NoSearch(f"the SELECT has {clause.strip('_').upper()}")
    if any(aggregates(item) for item in select.expressions):
        raise _NoSearch("the SELECT has an aggregate")
    if any(not table.db for table in select.find_all(exp.Table)):
        raise _NoSearch("the SELECT reads a query of WITH")
    outer = set()
    around = scope.outer
    while around is not None:
        outer.add(id(around))
        around = around.outer
    if any(_owner(column) in outer for column in select.find_all(exp.Column)):
        raise _NoSearch("the SELECT depends on the rows of the query around it")


def _row_id(source: str) -> exp.Column:
    table = exp.Identifier(this=source, quoted=True)
    return exp.Column(this=exp.Identifier(this="ID", quoted=True), table=table)


# --- the statements of a search


def _part(query: exp.Expr) -> Part:
    """Write a statement of its own, whose parameters are numbered from 1."""
    names: dict[str, int] = {}
    for each in query.find_all(exp.Placeholder, bfs=False):
        each.set("this", str(names.setdefault(each.name, len(names) + 1)))
    return Part(write(query), tuple(names))


def _query(select: exp.Expr, scope: Scope, key: _Key, vector: exp.Expr) -> str | Part:
    """Find the vector of a search: it is a parameter, a subquery, or a column of another table."""
    if isinstance(vector, ToVector) and isinstance(vector.this, exp.Placeholder):
        return vector.this.name
    if isinstance(vector, exp.Subquery):
        return _part(exp.Select(expressions=[vector.copy()]))
    if _owner(vector) != id(scope) or vector.meta["owner"][1] == key.source:
        raise _NoSearch("the vector to compare with is not the same for all rows")
    if any(join.side for join in select.args.get("joins") or ()):
        raise _NoSearch("the vector to compare with is of an outer join")
    tables = [table.copy() for table in _from(select) if table.alias_or_name.lower() != key.source]
    conditions = [each.copy() for each in _conditions(select) if not _reads(each, key)]
    query = exp.Select(expressions=[vector.copy()], from_=exp.From(this=tables[0]))
    query.set("joins", [exp.Join(this=table) for table in tables[1:]])
    if conditions:
        query.set("where", exp.Where(this=exp.and_(*conditions, copy=False)))
    return _part(query)


def _conditions(select: exp.Expr) -> Iterator[exp.Expr]:
    """Yield the conditions that each row of the SELECT fulfils."""
    for join in select.args.get("joins") or ():
        yield from _parts(join.args.get("on"))
    if where := select.args.get("where"):
        yield from _parts(where.this)


def _parts(condition: exp.Expr | None) -> list[exp.Expr]:
    """Return the conditions that AND joins."""
    if condition is None:
        return []
    return list(condition.flatten()) if isinstance(condition, exp.And) else [condition]


def _reads(node: exp.Expr, key: _Key) -> bool:
    owner = key.column.meta["owner"][:2]
    return any(column.meta.get("owner", (0, ""))[:2] == owner for column in node.find_all(exp.Column))


def _among(select: exp.Expr, key: _Key) -> Part | None:
    """Write the statement of the RowIDs. A limit of the score itself is left out: the best rows fulfil it first."""
    joins, where = select.args.get("joins"), select.args.get("where")
    others = [each for each in _parts(where.this if where else None) if not _limits(each, key)]
    if not joins and not others:
        return None
    query = exp.Select(expressions=[_row_id(key.source)], from_=select.args["from_"].copy())
    query.set("joins", [join.copy() for join in joins or ()])
    if others:
        query.set("where", exp.Where(this=exp.and_(*(each.copy() for each in others), copy=False)))
    for column in list(query.find_all(exp.Column)):
        if "label" in column.meta:
            column.replace(exp.Paren(this=_unlabelled(column).copy()))
    return _part(query)


def _limits(condition: exp.Expr, key: _Key) -> bool:
    """Return whether a condition cuts the worst scores off."""
    kinds = (exp.GT, exp.GTE) if key.largest else (exp.LT, exp.LTE)
    constant = isinstance(condition, kinds) and not condition.expression.find(exp.Column, exp.Subquery)
    return constant and _unlabelled(condition.this) == key.node
