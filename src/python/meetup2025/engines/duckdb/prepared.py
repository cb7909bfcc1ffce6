"""
One statement, translated once and run as often as it is wanted.

Before DuckDB runs the statement, Python works out everything that does not depend on a row, once for each run: calls of
the functions of the project with constants or parameters, and the vectors of TO_VECTOR. So a picture is embedded once,
however many rows it is compared with. An error keeps its type and its traceback. The SQL of a class query replaces its
call in FROM, as in IRIS.

The parts are, in order, `Prepared`, the translated statement, `prepare`, which translates, and the recipes, which work
out the parameters of the DuckDB statement from the parameters of the caller.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field, replace
from datetime import date, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

import numpy as np
from sqlglot import exp

from meetup2025.engines.classes.program import query_arguments
from meetup2025.engines.duckdb import translate
from meetup2025.engines.duckdb.elements import check_length, elements, listed
from meetup2025.engines.duckdb.nearest import NOT_NARROWED, Narrowed
from meetup2025.engines.duckdb.scopes import DEFAULT_SCHEMA
from meetup2025.engines.sql import Call, FunctionCall, ToVector, bind, function_calls, parse, table_calls
from meetup2025.engines.sql.nodes import Explain, refuse, unsupported
from meetup2025.errors import DataError, ProgrammingError, SQLSyntaxError, UnsupportedSQLError, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from meetup2025.engines.classes.program import Program
    from meetup2025.engines.classes.records import Method, Query

Recipe: TypeAlias = "Callable[[Sequence[Any]], Any]"
"""A recipe: it works out one parameter of the DuckDB statement from the parameters of the caller."""

RowFunction: TypeAlias = "tuple[str, Callable[..., Any], tuple[str, ...], str]"
"""Name, function, DuckDB types of the arguments and of the result."""

Run: TypeAlias = "Callable[[str, Sequence[Any]], Any]"
"""Runs a query with its parameters."""

_CONTROL: dict[type[Any], str] = {exp.Transaction: "BEGIN", exp.Commit: "COMMIT", exp.Rollback: "ROLLBACK"}
_CHANGES = (exp.Insert, exp.Update, exp.Delete, exp.TruncateTable, exp.Create, exp.Drop)
_DEFINES = (exp.Create, exp.Drop)
_UPDATE_CODES = {-104: -105, -119: -120}
"""SQLCODEs of an INSERT -> SQLCODEs of an UPDATE for the same fault."""
_SQL_TYPES = {"%Integer": "BIGINT", "%Double": "DOUBLE"}
_CARRIED = (str, bytes, int, float, Decimal, date, time, list, tuple, np.ndarray)
"""Types of parameters besides None."""


@dataclass(frozen=True)
class Ahead:
    """
    Calls of a row function that can be made together, before the statement.

    Attributes:
        name: Name of the function in DuckDB.
        sql: The DuckDB statement that returns the arguments of the calls.
        recipes: One for each parameter of *sql*.
        many: Returns the results for a list of first arguments.
    """

    name: str
    sql: str
    recipes: tuple[Recipe, ...]
    many: Callable[[list[Any]], list[Any]]


@dataclass(frozen=True)
class Prepared:
    """
    A translated statement.

    Attributes:
        parameters: Number of `?`.
        sql: The DuckDB statement that returns the rows.
        before: The statements that run before it.
        batch_sql: For an INSERT of values, the statement that inserts the rows of the table `batch`.
        recipes: One for each parameter of *sql*.
        row_functions: Functions that *sql* calls once for each row.
        ahead: Calls of them that are made together, before *sql* runs.
        changes: Whether the statement changes the database.
        defines: Whether it defines tables, views or indexes.
        codes: SQLCODE of a fault -> SQLCODE that this statement has for it.
        control: The word of a statement that begins or ends a transaction.
        procedure: For a CALL, runs the procedure.
        narrowed: For a query, the searches that a matrix in memory can narrow.
        explains: For EXPLAIN, the query. The only parameter of *sql* is its plan.
        touched: For a change, schema and name of its table.
    """

    parameters: int
    sql: str = ""
    before: tuple[str, ...] = ()
    batch_sql: str = ""
    recipes: tuple[Recipe, ...] = ()
    row_functions: tuple[RowFunction, ...] = ()
    ahead: tuple[Ahead, ...] = ()
    changes: bool = False
    defines: bool = False
    codes: Mapping[int, int] = field(default_factory=dict)
    control: str = ""
    procedure: Callable[[Sequence[Any], Run], Any] | None = None
    narrowed: Narrowed = NOT_NARROWED
    explains: Prepared | None = None
    touched: tuple[str, str] = ("", "")

    def of(self, owner: str) -> Prepared:
        """Return the statement for one connection: its functions have names of their own."""
        if not self.row_functions:
            return self
        texts = (self.sql, self.batch_sql, *(each[0] for each in self.row_functions))
        sql, batch_sql, *names = (text.replace(translate.OWNER, owner) for text in texts)
        named = tuple((name, *each[1:]) for name, each in zip(names, self.row_functions, strict=True))
        narrowed = self.narrowed.of(owner)
        ahead = tuple(replace(each, name=each.name.replace(translate.OWNER, owner)) for each in self.ahead)
        return replace(self, sql=sql, batch_sql=batch_sql, row_functions=named, ahead=ahead, narrowed=narrowed)

    def values(self, parameters: Sequence[Any]) -> list[Any]:
        """
        Work out the parameters of the DuckDB statement.

        Raises:
            ProgrammingError: The statement has another number of parameters.
        """
        given = given_values(self.parameters, parameters)
        return [recipe(given) for recipe in self.recipes]

    def run_procedure(self, parameters: Sequence[Any], run_query: Run) -> Any:
        """Run the procedure that the statement calls."""
        assert self.procedure is not None  # noqa: S101 - the caller has looked
        return self.procedure(given_values(self.parameters, parameters), run_query)


def prepare(sql: str, program: Program, schema: translate.Schema) -> Prepared:
    """
    Translate a statement of IRIS SQL.

    Args:
        sql: One statement.
        program: The classes whose functions, queries and procedures the statement may call.
        schema: The tables and views of the database.

    Raises:
        SQLSyntaxError: IRIS would refuse the statement too.
        UnsupportedSQLError: IRIS would accept the statement and this engine does not.
        ProgrammingError: A call has a wrong number of arguments.
    """
    return _Preparation(sql, program, schema).prepare()


def is_rollback(sql: str) -> bool:
    """Return whether a statement is ROLLBACK, the way out of a transaction that an error has ended."""
    return isinstance(parse(sql), exp.Rollback)


@dataclass
class _Preparation:
    sql: str
    program: Program
    schema: translate.Schema
    recipes: list[Recipe] = field(default_factory=list)
    row_functions: dict[str, RowFunction] = field(default_factory=dict)
    ahead: list[Ahead] = field(default_factory=list)

    def prepare(self) -> Prepared:
        tree = bind(parse(self.sql), {})  # a :name has no value here, and is refused
        if isinstance(tree, Explain):
            return Prepared(0, sql='SELECT $1 AS "Plan"', explains=self.prepared(tree.this))
        return self.prepared(tree)

    def prepared(self, tree: exp.Expr) -> Prepared:
        parameters = len({node.name for node in tree.find_all(exp.Placeholder) if node.name.isdigit()})
        self.recipes = [parameter(index) for index in range(parameters)]
        if type(tree) in _CONTROL:
            return Prepared(parameters, control=_CONTROL[type(tree)])
        if isinstance(tree, Call):
            return self.called(tree, parameters)
        tree = self.with_queries(tree)
        self.fold(tree)
        used = self.renumber(tree)
        statements, narrowed = translate.translated(tree, self.schema)
        return Prepared(
            parameters,
            sql=statements[-1] if statements else "SELECT 0",
            before=tuple(statements[:-1]),
            batch_sql=_from_batch(statements[-1]) if _is_row(tree) else "",
            recipes=of_right_length(used, statements[-1]) if statements else used,
            row_functions=tuple(self.row_functions.values()),
            ahead=tuple(self.ahead),
            changes=isinstance(tree, _CHANGES),
            defines=isinstance(tree, _DEFINES),
            codes=_UPDATE_CODES if isinstance(tree, exp.Update) else {},
            narrowed=narrowed,
            touched=_changed_table(tree),
        )

    # --- CALL

    def called(self, call: Call, parameters: int) -> Prepared:
        """Prepare a CALL of a procedure, or of a class query, which returns the same rows as in FROM."""
        name = f"{call.schema}.{call.name}".upper()
        given = [self.argument(each, name) for each in call.expressions]
        if name in self.program.queries:
            sql = _select(name, len(given))
            return Prepared(parameters, procedure=lambda own, run: run(sql, [each(own) for each in given]))
        if name not in self.program.procedures:
            _refuse_unknown(call, self.program)
        method = self.program.procedures[name]

        def procedure(own: Sequence[Any], run: Run) -> Any:
            def run_query(query: Query, values: Sequence[Any]) -> Any:
                return run(_select(query.full_name, len(values)), values)

            return self.program.run_procedure(method, [each(own) for each in given], run_query)

        return Prepared(parameters, procedure=procedure)

    def argument(self, node: exp.Expr, name: str) -> Recipe:
        """Return the recipe of an argument of a query or procedure, which IRIS takes as a constant or a parameter."""
        recipe = None if isinstance(node, FunctionCall) else self.constant(node)
        if recipe is None:
            refuse(
                f"An argument of {name} must be a constant or ?. Got {type(node).__name__}; "
                "run a function first, and pass its result as ?",
                node,
            )
        return recipe

    # --- class queries in FROM

    def with_queries(self, tree: exp.Expr) -> exp.Expr:
        """Replace the calls of class queries by their SQL."""
        while calls := table_calls(tree):
            for table in calls:
                table.replace(self.inlined(table))
        return tree

    def inlined(self, table: exp.Table) -> exp.Subquery:
        call = table.this
        name = f"{call.schema}.{call.name}".upper()
        if name not in self.program.queries:
            refuse(f"{call.schema}.{call.name} is not a stored query", call, -428)
        query = self.program.queries[name]
        given = [self.argument(each, name) for each in call.expressions]
        argument = query_argument(query, given)
        values = {each.name: self.placeholder(argument(each.name)) for each in query.arguments}
        alias = table.args.get("alias") or exp.TableAlias(this=exp.to_identifier(query.sql_name))
        return exp.Subquery(this=bind(parse(query.sql), values), alias=alias)

    # --- constants

    def fold(self, tree: exp.Expr) -> None:
        """Replace all that does not depend on a row by parameters, from the inside to the outside."""
        for call in reversed(function_calls(tree)):
            recipe = self.constant(call)
            if recipe is not None:
                call.replace(self.placeholder(recipe))
            else:
                self.add_row_function(call)
        for call in function_calls(tree):
            self.call_ahead(call)
        for node in list(tree.find_all(ToVector)):
            recipe = self.constant(node.this)
            if recipe is not None:
                node.this.replace(self.placeholder(vector(recipe, node.args["kind"], _length(node))))
            else:
                self.add_vector_function(node)
        for limit in tree.find_all(exp.Limit, exp.Offset):
            if isinstance(limit.expression, exp.Placeholder):
                limit.expression.replace(self.placeholder(row_count(self.recipe_of(limit.expression))))

    def constant(self, node: exp.Expr) -> Recipe | None:
        """Return the recipe of an expression that is the same for all rows, or None for any other expression."""
        if isinstance(node, exp.Placeholder):
            return self.recipe_of(node)
        if isinstance(node, exp.Null):
            return lambda _: None
        if isinstance(node, exp.Literal):
            value = node.this if node.is_string else node.to_py()
            return lambda _: value
        if isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal) and not node.this.is_string:
            number = node.to_py()
            return lambda _: number
        if isinstance(node, FunctionCall):
            return self.constant_call(node)
        return None

    def constant_call(self, call: FunctionCall) -> Recipe | None:
        method = self.function(call)
        given = [self.constant(each) for each in call.expressions]
        known = [each for each in given if each is not None]
        if len(known) < len(given):
            return None
        return lambda own: self.program.run_function(method, [each(own) for each in known])

    def function(self, call: FunctionCall) -> Method:
        name = f"{call.schema}.{call.name}".upper()
        if name not in self.program.functions:
            _refuse_unknown(call, self.program)
        return self.program.functions[name]

    def add_row_function(self, call: FunctionCall) -> None:
        """Let DuckDB call a function once for each row."""
        method = self.function(call)
        types = tuple(_SQL_TYPES.get(each.type, "VARCHAR") for each in method.arguments[: len(call.expressions)])
        name = translate.owned(translate.function_name(call.schema, call.name))

        def function(*values: Any) -> Any:
            return self.program.run_function(method, values)

        self.row_functions[name] = (name, function, types, _SQL_TYPES.get(method.type, "VARCHAR"))

    def call_ahead(self, call: FunctionCall) -> None:
        """Let a function that takes many values at once be called before the statement, where the rows are known."""
        many, rows = self.program.many(self.function(call)), _rows_of(call)
        if many is None or rows is None or len(call.expressions) != 1 or function_calls(call.expressions[0]):
            return
        rows.set("expressions", [call.expressions[0].copy()])
        recipes = self.renumber(rows)
        with contextlib.suppress(SQLSyntaxError, UnsupportedSQLError):  # it depends on the query around it
            [sql] = translate.to_duckdb(rows, self.schema)
            name = translate.owned(translate.function_name(call.schema, call.name))
            self.ahead.append(Ahead(name, sql, recipes, many))

    def add_vector_function(self, node: ToVector) -> None:
        """Let DuckDB convert the text of a vector once for each row."""
        kind = str(node.args["kind"])
        name = translate.owned(f"TO_VECTOR_{kind}")
        self.row_functions[name] = (name, lambda text: listed(text, kind), ("VARCHAR",), f"{kind}[]")

    # --- parameters of the DuckDB statement

    def placeholder(self, recipe: Recipe) -> exp.Placeholder:
        self.recipes.append(recipe)
        return exp.Placeholder(this=str(len(self.recipes)))

    def recipe_of(self, node: exp.Placeholder) -> Recipe:
        return self.recipes[int(node.name) - 1]

    def renumber(self, tree: exp.Expr) -> tuple[Recipe, ...]:
        """Number the remaining parameters from 1: DuckDB takes no value that it does not use."""
        used: dict[str, int] = {}
        for node in tree.find_all(exp.Placeholder, bfs=False):
            node.set("this", str(used.setdefault(node.name, len(used) + 1)))
        return tuple(self.recipes[int(name) - 1] for name in used)


def _rows_of(call: FunctionCall) -> exp.Select | None:
    """Return a query of the rows for which an item of SELECT, or a value of UPDATE, calls a function."""
    owner = call.find_ancestor(exp.Select, exp.Update)
    if owner is None or any(owner.args.get(part) for part in ("limit", "offset", "distinct", "group", "having")):
        return None
    where = owner.args.get("where")
    from_ = exp.From(this=owner.this) if isinstance(owner, exp.Update) else owner.args.get("from_")
    if from_ is None or (where and function_calls(where)):
        return None
    joins = [join.copy() for join in owner.args.get("joins") or ()]
    return exp.Select(from_=from_.copy(), joins=joins, where=where.copy() if where else None)


def _changed_table(tree: exp.Expr) -> tuple[str, str]:
    """Return schema and name of the table that a statement changes, in lower case."""
    table = tree.find(exp.Table) if isinstance(tree, _CHANGES) else None
    return ((table.db or DEFAULT_SCHEMA).lower(), table.name.lower()) if table else ("", "")


def _is_row(tree: exp.Expr) -> bool:
    """Return whether a statement is an INSERT whose values are all parameters, or vectors of parameters."""
    if not (isinstance(tree, exp.Insert) and isinstance(tree.expression, exp.Values)):
        return False
    row = tree.expression.expressions[0].expressions
    bare = [each.this if isinstance(each, ToVector) else each for each in row]
    names = [each.name for each in bare if isinstance(each, exp.Placeholder)]
    return len(names) == len(row) == len(set(names))


def _from_batch(sql: str) -> str:
    """Change the INSERT of one row to an INSERT of the columns c1, c2 … of the table `batch`."""
    head, _, row = sql.rpartition(" VALUES (")
    values = re.sub(r"\$(\d+)", r"batch.c\1", row.removesuffix(")"))
    return f"{head} SELECT {values} FROM batch"


def _select(query: str, count: int) -> str:
    return f"SELECT * FROM {query}({', '.join('?' * count)})"


def _length(node: ToVector) -> int | None:
    """Return the length that TO_VECTOR declares, or None if it declares none."""
    length = node.args.get("length")
    if length is None:
        return None
    if not isinstance(length, exp.Literal):
        unsupported("a length in TO_VECTOR that is not a constant", node)
    return int(length.name)


def _refuse_unknown(call: FunctionCall, program: Program) -> NoReturn:
    name = f"{call.schema}.{call.name}"
    if isinstance(call, Call):
        hint = f"; it is a function: SELECT {name}(…)" if name.upper() in program.functions else ""
        refuse(f"{name} is not a stored procedure{hint}", call, -428)
    hint = f"; it is a procedure: CALL {name}(…)" if name.upper() in program.procedures else ""
    refuse(f"{name} is not a stored function{hint}", call, -359)


# --- recipes


def parameter(index: int) -> Recipe:
    """Take the parameter with *index*, from 0, unchanged."""
    return lambda own: own[index]


def query_argument(query: Query, given: Sequence[Recipe]) -> Callable[[str], Recipe]:
    """Check the arguments of a query together, and return the recipe of an argument by its name."""

    def named(name: str) -> Recipe:
        return lambda own: query_arguments(query, [each(own) for each in given])[name]

    return named


def vector(recipe: Recipe, kind: str, length: int | None) -> Recipe:
    """Convert the data of TO_VECTOR to elements of the DuckDB type *kind*. None allows any length."""
    return lambda own: elements(recipe(own), kind, length)


def of_right_length(recipes: Sequence[Recipe], sql: str) -> tuple[Recipe, ...]:
    """Check the length of a vector that the statement fixes: an error of DuckDB would end the transaction."""
    lengths = lengths_of(sql)

    def checked(recipe: Recipe, length: int) -> Recipe:
        return lambda own: check_length(recipe(own), length)

    return tuple(
        checked(recipe, lengths[number]) if number in lengths else recipe for number, recipe in enumerate(recipes, 1)
    )


def lengths_of(sql: str) -> dict[int, int]:
    """Return the length of each vector that a statement fixes, by the number of its parameter."""
    return {int(number): int(length) for number, length in re.findall(r"CAST\(\$(\d+) AS \w+\[(\d+)\]\)", sql)}


def row_count(recipe: Recipe) -> Recipe:
    """Check a number of rows. IRIS reads a text as the integer at its start."""

    def count(own: Sequence[Any]) -> int:
        value = recipe(own)
        try:
            number = int(float(value))
        except (OverflowError, TypeError, ValueError):
            number = -1
        if number < 0:
            raise DataError(f"TOP must be a whole number from 0. Got {shown(value)}.")
        return min(number, 2**62)

    return count


def given_values(expected: int, parameters: Sequence[Any]) -> list[Any]:
    """Check the parameters of a caller: *expected* of them, of types that SQL can carry."""
    if not isinstance(parameters, (list, tuple)):
        raise ProgrammingError(f"Parameters must be a list or tuple. Got {type(parameters).__name__}.")
    if len(parameters) != expected:
        raise ProgrammingError(f"The statement must get {expected} parameters, one for each ?. Got {len(parameters)}.")
    return [_plain(value) for value in parameters]


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if value is not None and not isinstance(value, _CARRIED):
        raise ProgrammingError(
            "A parameter must be None, a text, bytes, a number, a date or time, or a vector. Got "
            f"{type(value).__name__}."
        )
    if isinstance(value, str):
        check_characters(value)
    return value


def check_characters(text: str) -> None:
    """Refuse half of a surrogate pair, which no database stores."""
    if text.isascii():
        return
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise DataError(
            f"A text must be Unicode. Got half of a surrogate pair at {error.start}: {text[:40]!a}."
        ) from error
