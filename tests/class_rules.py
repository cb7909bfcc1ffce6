"""
The rules that the class files keep, one small function each.

A rule takes classes and gives one text for each fault, so that a test shows all of them at once.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from sqlglot import exp

from meetup2025.engines.dialect import FunctionCall, ToVector, parse
from meetup2025.engines.udl import Class, Method, Query, examples, procedure_steps, python_call
from meetup2025.errors import ClassSyntaxError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    Rule = Callable[[Sequence[Class]], Iterable[str]]

# Reserved words of InterSystems SQL, by the reference.
RESERVED = frozenset((Path(__file__).parent / "expected" / "reserved_words.txt").read_text("utf-8").split())


def routines(classes: Iterable[Class]) -> Iterator[Method | Query]:
    """Give the methods and queries that SQL can call."""
    for each in classes:
        yield from (routine for routine in (*each.methods, *each.queries) if routine.is_procedure)


def tables(classes: Iterable[Class]) -> Iterator[Class]:
    """Give the classes that are tables."""
    return (each for each in classes if "%Persistent" in each.extends)


def queries(classes: Iterable[Class]) -> Iterator[Query]:
    """Give the class queries."""
    return (query for each in classes for query in each.queries)


def explicit_names(classes: Sequence[Class]) -> Iterator[str]:
    """Each SqlProc has an SqlName of letters and digits; IRIS makes `Class_Method` without one."""
    for routine in routines(classes):
        name = routine.keywords.get("SqlName", "")
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", name):
            yield f"{routine.name} has the SqlName {name!r}"


def unique_names(classes: Sequence[Class]) -> Iterator[str]:
    """An SqlName is unique in its schema, and never the name of a table."""
    names = [routine.sql_name.upper() for routine in routines(classes)]
    names += [table.sql_name.upper() for table in tables(classes)]
    return (f"{name} is {count} things" for name, count in Counter(names).items() if count > 1)


def unreserved_names(classes: Sequence[Class]) -> Iterator[str]:
    """No routine, table, column or argument is a reserved word."""
    names = [routine.sql_name for routine in routines(classes)]
    names += [column.name for query in queries(classes) for column in query.columns]
    names += [argument.name for query in queries(classes) for argument in query.arguments]
    for table in tables(classes):
        names += [table.sql_name, *(column.sql_name for column in table.properties)]
    return (f"{name} is a reserved word" for name in names if name.upper() in RESERVED)


def lengths(classes: Sequence[Class]) -> Iterator[str]:
    """Each %String that enters or leaves a SqlProc has MAXLEN: drivers cut it at 50 otherwise."""
    for routine in routines(classes):
        typed = [(argument.name, argument.type, argument.parameters) for argument in routine.arguments]
        if isinstance(routine, Method):
            typed.append(("the result", *routine.returns))
        for name, kind, parameters in typed:
            if kind == "%String" and "MAXLEN" not in parameters:
                yield f"{name} of {routine.name} has no MAXLEN"


def known_types(classes: Sequence[Class]) -> Iterator[str]:
    """Arguments are texts and numbers: what SQL can carry."""
    for routine in routines(classes):
        for argument in routine.arguments:
            if argument.type not in {"%String", "%Integer", "%Double"}:
                yield f"{argument.name} of {routine.name} is {argument.type or 'of no type'}"


def by_value(classes: Sequence[Class]) -> Iterator[str]:
    """No argument is passed back: `ByRef` and `Output` do not reach SQL."""
    for routine in routines(classes):
        yield from (f"{each.name} of {routine.name} is {each.passing}" for each in routine.arguments if each.passing)


def defaults_last(classes: Sequence[Class]) -> Iterator[str]:
    """After an argument with a default, each has one: SQL gives arguments by place."""
    for routine in routines(classes):
        given = [argument.has_default for argument in routine.arguments]
        if given != sorted(given):
            yield f"{routine.name} has a default before the end"


def double_vectors(classes: Sequence[Class]) -> Iterator[str]:
    """TO_VECTOR says DOUBLE and gives no length: a length pads and cuts without a word."""
    for query in queries(classes):
        for node in parse(query.sql).find_all(ToVector):
            if node.args.get("kind") != "DOUBLE" or node.args.get("length"):
                yield f"{query.name} has another TO_VECTOR than TO_VECTOR(x, DOUBLE)"


def ordered_searches(classes: Sequence[Class]) -> Iterator[str]:
    """A query that compares vectors has TOP and ORDER BY; the best first when the score is the cosine itself."""
    for query in queries(classes):
        select = parse(query.sql)
        if not _cosines(select):
            continue
        order = select.args.get("order")
        if not (select.args.get("limit") and order):
            yield f"{query.name} needs TOP and ORDER BY"
        elif any(_cosines(item.unalias()) for item in _items(select)) and not order.expressions[0].args.get("desc"):
            yield f"{query.name} needs DESC: the index serves no other order"


def _items(select: exp.Expr) -> list[exp.Expr]:
    return list(select.expressions)


def _cosines(tree: exp.Expr) -> bool:
    return any(node.name == "VECTOR_COSINE" for node in tree.find_all(exp.Anonymous))


def row_specs(classes: Sequence[Class]) -> Iterator[str]:
    """ROWSPEC names the columns of the select list, in their order."""
    for query in queries(classes):
        tree = parse(query.sql)
        while isinstance(tree, exp.SetOperation):
            tree = tree.this
        selected = [item.alias_or_name for item in _items(tree)]
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


def constant_calls(classes: Sequence[Class]) -> Iterator[str]:
    """A query calls functions of the project with arguments alone: a call with a column may run for each row."""
    for query in queries(classes):
        for call in parse(query.sql).find_all(FunctionCall):
            if any(call.find_all(exp.Column)):
                yield f"{query.name} calls {call.name} with a column"


def documented(classes: Sequence[Class]) -> Iterator[str]:
    """What SQL can see has a doc whose first line is a sentence."""
    docs = [(each.name, each.doc) for each in classes]
    docs += [(routine.name, routine.doc) for routine in routines(classes)]
    docs += [(f"{table.name}.{column.name}", column.doc) for table in tables(classes) for column in table.properties]
    return (f"{name} needs a doc that ends in a stop" for name, doc in docs if not _first_line(doc).endswith("."))


def _first_line(doc: str) -> str:
    return doc.partition("\n")[0].rstrip()


def exemplified(classes: Sequence[Class]) -> Iterator[str]:
    """Each SqlProc has an `<example>` that calls it."""
    for routine in routines(classes):
        if not any(f".{routine.sql_name}(" in example for example in examples(routine.doc)):
            yield f"{routine.name} has no example that calls it"


def balanced(classes: Sequence[Class]) -> Iterator[str]:
    """Braces of a body are balanced outside of its strings: IRIS would end the member at a stray one."""
    for each in classes:
        for routine in (*each.methods, *each.queries):
            body = re.sub(r'"(?:[^"\n]|"")*"|\'[^\'\n]*\'', "", routine.body)
            if body.count("{") != body.count("}"):
                yield f"the braces of {routine.name} are not pairs"


def python_bodies(classes: Sequence[Class]) -> Iterator[str]:
    """A Python SqlProc is two lines: the import, and the call of its namesake with the same arguments."""
    for routine in routines(classes):
        if not (isinstance(routine, Method) and routine.language == "python"):
            continue
        names = tuple(argument.name for argument in routine.arguments)
        wanted = f"from meetup2025 import procedures\nreturn procedures.{snake(routine.sql_name)}({', '.join(names)})"
        if routine.body.strip() != wanted or python_call(routine) != (snake(routine.sql_name), names):
            yield f"{routine.name} must be `{wanted}`"


def objectscript_bodies(classes: Sequence[Class]) -> Iterator[str]:
    """Any other method is a procedure of two statements, a value and the rows; or the helper that gives the rows."""
    for each in classes:
        for method in each.methods:
            if method.language == "python" or (each.name, method.name) == ("MeetUp2025.Procedure", "Return"):
                continue
            if fault := _procedure_fault(method):
                yield f"{method.name}: {fault}"


def _procedure_fault(method: Method) -> str:
    try:
        steps = procedure_steps(method)
    except ClassSyntaxError as error:
        return str(error)
    if len(steps) != 2 or not steps[0].target:
        return "a procedure sets one variable, then gives the rows"
    if (steps[1].class_name, steps[1].method) != ("MeetUp2025.Procedure", "Return"):
        return "a procedure ends with MeetUp2025.Procedure.Return"
    if not (method.is_procedure and "ReturnResultsets" in method.keywords):
        return "a procedure is [ ReturnResultsets, SqlProc ]"
    return ""


def snake(name: str) -> str:
    """
    Give the name of the Python twin.

    >>> snake("EmbedText")
    'embed_text'
    """
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


RULES: tuple[Rule, ...] = (
    explicit_names,
    unique_names,
    unreserved_names,
    lengths,
    known_types,
    by_value,
    defaults_last,
    double_vectors,
    ordered_searches,
    row_specs,
    host_variables,
    constant_calls,
    documented,
    exemplified,
    balanced,
    python_bodies,
    objectscript_bodies,
)
