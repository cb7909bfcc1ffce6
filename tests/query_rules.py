"""
The rules of the SQL in the class queries: a small function for each.

A rule takes classes and returns one text for each fault, so that a test shows all of them at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from meetup2025.engines.classes import Class, Method, Query, examples, procedure_steps
from meetup2025.engines.sql import Call, FunctionCall, ToVector, parse, table_calls
from meetup2025.engines.sql.nodes import Test
from meetup2025.errors import Error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    Rule = Callable[[Sequence[Class]], Iterable[str]]

# Characters that a driver passes of a text without a declared length.
CUT = 50
# Rows of a list of the best, at most; and all rows, for which TOP takes no word as a value.
BEST, ALL = 20, 2**31 - 1


def tables(classes: Iterable[Class]) -> Iterator[Class]:
    """Return the classes that are tables."""
    return (each for each in classes if "%Persistent" in each.extends)


def queries(classes: Iterable[Class]) -> Iterator[Query]:
    """Return the class queries."""
    return (query for each in classes for query in each.queries)


def legs(query: Query) -> list[exp.Expr]:
    """Return the SELECTs of a query: one, or the legs of its UNION."""
    trees, selects = [parse(query.sql)], list[exp.Expr]()
    while trees:
        tree = trees.pop(0).unnest()
        if isinstance(tree, exp.SetOperation):
            trees = [tree.this, tree.expression, *trees]
        else:
            selects.append(tree)
    return selects


def readable(classes: Sequence[Class]) -> Iterator[str]:
    """
    The grammar reads each query. It refuses INTO, a subquery with ORDER BY and no TOP, and GREATEST of 141 values.
    """
    for query in queries(classes):
        if fault := _fault(query.sql):
            yield f"{query.name}: {fault}"


def _fault(sql: str) -> str:
    try:
        parse(sql)
    except Error as error:
        return str(error)
    return ""


def callable_queries(classes: Sequence[Class]) -> Iterator[str]:
    """A query is an %SQLQuery that SQL can call, of no row's id (CONTAINID = 0), and no semicolon ends it."""
    for query in queries(classes):
        if query.type != "%SQLQuery" or not query.is_procedure or query.parameters.get("CONTAINID") != "0":
            yield f"{query.name} must be %SQLQuery(CONTAINID = 0, …) [ SqlProc ]"
        if query.sql.rstrip().endswith(";"):
            yield f"{query.name} ends with a semicolon"


def double_vectors(classes: Sequence[Class]) -> Iterator[str]:
    """TO_VECTOR declares DOUBLE and no length: a length pads and cuts silently."""
    for query in queries(classes):
        for node in parse(query.sql).find_all(ToVector):
            if node.args.get("kind") != "DOUBLE" or node.args.get("length"):
                yield f"{query.name} has another TO_VECTOR than TO_VECTOR(x, DOUBLE)"


def ordered_searches(classes: Sequence[Class]) -> Iterator[str]:
    """A query that compares vectors has TOP and ORDER BY, with the best first when the score is the cosine itself."""
    for query in queries(classes):
        select = parse(query.sql)
        if not _cosines(select):
            continue
        order = select.args.get("order")
        if not (select.args.get("limit") and order):
            yield f"{query.name} needs TOP and ORDER BY"
        elif any(_cosines(item.unalias()) for item in select.expressions) and not order.expressions[0].args.get("desc"):
            yield f"{query.name} needs DESC: the index serves no other order"


def _cosines(tree: exp.Expr) -> bool:
    return any(node.name == "VECTOR_COSINE" for node in tree.find_all(exp.Anonymous))


def sized_casts(classes: Sequence[Class]) -> Iterator[str]:
    """A CAST to VARCHAR declares its length, which is 30 otherwise."""
    for query in queries(classes):
        for cast in parse(query.sql).find_all(exp.Cast):
            if "CHAR" in cast.args["to"].name and not cast.args["to"].expressions:
                yield f"{query.name} has CAST(… AS {cast.args['to'].name}) without a length"


def grouped(classes: Sequence[Class]) -> Iterator[str]:
    """HAVING has a GROUP BY: without one it filters rows, by a rule on which the reference contradicts itself."""
    for query in queries(classes):
        if any(node.parent and not node.parent.args.get("group") for node in parse(query.sql).find_all(exp.Having)):
            yield f"{query.name} has HAVING without GROUP BY; filter a derived table"


def derived_groups(classes: Sequence[Class]) -> Iterator[str]:
    """GROUP BY has no WITH beside it: IRIS 2025 is reported to refuse that."""
    for query in queries(classes):
        tree = parse(query.sql)
        if tree.find(exp.With) and tree.find(exp.Group):
            yield f"{query.name} has WITH and GROUP BY; use a derived table"


def single_values(classes: Sequence[Class]) -> Iterator[str]:
    """A subquery that stands for a value has TOP 1: it must be one row."""
    for query in queries(classes):
        for inner in parse(query.sql).find_all(exp.Subquery):
            top = inner.this.args.get("limit")
            of_rows = isinstance(inner.parent, (exp.From, exp.Join, exp.In, exp.SetOperation))
            if not of_rows and not (top and top.expression.name == "1"):
                yield f"{query.name} has a subquery for a value without TOP 1"


def exact_groups(classes: Sequence[Class]) -> Iterator[str]:
    """A group of a text has %EXACT: it is in capitals otherwise."""
    lengths = column_lengths(classes)
    for query in queries(classes):
        for item in (item for group in parse(query.sql).find_all(exp.Group) for item in group.expressions):
            if isinstance(item, exp.Column) and longest(item, lengths):
                yield f"{query.name} groups by {item.name} without %EXACT"


def plain_arguments(classes: Sequence[Class]) -> Iterator[str]:
    """Queries and procedures are called with values: over a driver, their arguments may contain no function."""
    members = [member for each in classes for member in (*each.methods, *each.queries)]
    texts = [(member.name, sql) for member in members for sql in examples(member.doc)]
    for name, sql in texts + [(query.name, query.sql) for query in queries(classes)]:
        tree = parse(sql)
        called = [table.this for table in table_calls(tree)] + list(tree.find_all(Call))
        if any(argument.find(FunctionCall) for call in called for argument in call.expressions):
            yield f"{name} calls a query or procedure with the result of a function: {sql}"


def constant_calls(classes: Sequence[Class]) -> Iterator[str]:
    """A query calls functions of the project only with arguments: a call with a column may run for each row."""
    for query in queries(classes):
        for call in parse(query.sql).find_all(FunctionCall):
            if any(call.find_all(exp.Column)):
                yield f"{query.name} calls {call.name} with a column"


def no_empty_texts(classes: Sequence[Class]) -> Iterator[str]:
    """No query passes '' to a function of the project: it arrives as $char(0). An empty argument is left out."""
    for query in queries(classes):
        for call in parse(query.sql).find_all(FunctionCall):
            if any(literal.is_string and not literal.name for literal in call.find_all(exp.Literal)):
                yield f"{query.name} passes '' to {call.name}"


def row_specs(classes: Sequence[Class]) -> Iterator[str]:
    """ROWSPEC names the columns of the select list, in their order."""
    for query in queries(classes):
        selected = [item.alias_or_name for item in legs(query)[0].expressions]
        declared = [column.name for column in query.columns]
        if selected != declared:
            yield f"{query.name} selects {selected} and declares {declared}"


def host_variables(classes: Sequence[Class]) -> Iterator[str]:
    """The :names of a query are its arguments: all declared, all used."""
    for query in queries(classes):
        used = {node.name for node in parse(query.sql).find_all(exp.Placeholder)}
        declared = {argument.name for argument in query.arguments}
        yield from (f"{query.name} does not declare :{name}" for name in sorted(used - declared))
        yield from (f"{query.name} does not use {name}" for name in sorted(declared - used))


# --- lengths --------------------------------------------------------------------------------------------------------


def column_lengths(classes: Sequence[Class]) -> Mapping[tuple[str, str], int]:
    """Return the length of each text column, by table and name in capitals."""
    return {
        (table.sql_name.upper(), column.sql_name.upper()): int(column.parameters.get("MAXLEN", CUT))
        for table in tables(classes)
        for column in table.properties
        if column.type == "%String"
    }


def longest(node: exp.Expr, lengths: Mapping[tuple[str, str], int]) -> int:
    """Return the length of the longest text that *node* shows: a column of a table or subquery, or a constant."""
    texts = [len(literal.name) for literal in node.find_all(exp.Literal) if literal.is_string]
    return max(texts + [_length(column, lengths) for column in node.find_all(exp.Column)], default=0)


def _length(column: exp.Column, lengths: Mapping[tuple[str, str], int]) -> int:
    select = column.find_ancestor(exp.Select)
    read = [select.args["from_"], *select.args.get("joins", [])] if select and select.args.get("from_") else []
    for source in (each.this for each in read):
        if column.table and column.table.upper() != source.alias_or_name.upper():
            continue
        if isinstance(source, exp.Subquery):
            items = source.this.selects
            return max((longest(item, lengths) for item in items if item.alias_or_name == column.name), default=0)
        if found := lengths.get((source.name.upper(), column.name.upper())):
            return found
    return 0


def row_lengths(classes: Sequence[Class]) -> Iterator[str]:
    """A text of ROWSPEC is as long as its column: a driver cuts it at 50 without a declared length."""
    lengths = column_lengths(classes)
    for query in queries(classes):
        for select in legs(query):
            for column, item in zip(query.columns, select.expressions, strict=False):
                declared = int(column.parameters.get("MAXLEN", CUT))
                if column.type in {"", "%String"} and declared < longest(item, lengths):
                    yield f"{column.name} of {query.name} has {declared} of {longest(item, lengths)} characters"


def compared_lengths(classes: Sequence[Class]) -> Iterator[str]:
    """An argument that is compared with a column is as long as the column."""
    lengths = column_lengths(classes)
    for query in queries(classes):
        declared = {each.name: each.parameters.get("MAXLEN", CUT) for each in query.arguments if each.type == "%String"}
        for variable in parse(query.sql).find_all(exp.Placeholder):
            condition = variable.find_ancestor(exp.Predicate, Test)
            if condition and variable.name in declared and int(declared[variable.name]) < longest(condition, lengths):
                yield f"{variable.name} of {query.name} is shorter than a column that it is compared with"


def whole_results(classes: Sequence[Class]) -> Iterator[str]:
    """What is no list of the best has all rows, unless it is asked for fewer: a bound of ours would cut in silence."""
    for each in classes:
        for routine in (*each.queries, *each.methods):
            counts = [argument.default for argument in routine.arguments if argument.name == "k"]
            if isinstance(routine, Method) and "ReturnResultsets" in routine.keywords:
                counts += [step.arguments[-1] for step in procedure_steps(routine) if step.method == "Return"]
            for count in counts:
                if isinstance(count, int) and BEST < count < ALL:
                    yield f"{routine.name} stops at {count} rows"


RULES: tuple[Rule, ...] = (
    readable,
    callable_queries,
    double_vectors,
    ordered_searches,
    sized_casts,
    grouped,
    derived_groups,
    single_values,
    exact_groups,
    plain_arguments,
    constant_calls,
    no_empty_texts,
    row_specs,
    host_variables,
    row_lengths,
    compared_lengths,
    whole_results,
)
