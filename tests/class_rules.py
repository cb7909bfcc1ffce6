"""
The rules of the class files: a small function for each.

A rule takes classes and returns one text for each fault, so that a test shows all of them at once.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import re
import textwrap
from collections import Counter
from typing import TYPE_CHECKING, Any

import query_rules
import storage_rules
from query_rules import CUT, queries, tables
from storage_rules import VECTORS

from meetup2025.engines.classes import Argument, Class, Method, Property, Query, examples, procedure_steps, python_call
from meetup2025.engines.sql import ToVector, parse
from meetup2025.engines.tokens import RESERVED
from meetup2025.errors import ClassSyntaxError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from query_rules import Rule

# Classes that hold methods in ObjectScript that SQL never sees.
LIFECYCLE = {
    "MeetUp2025.Embedder": "%Embedding.Interface gives its signatures",
    "MeetUp2025.Guard": "looks at what is there before classes are loaded",
    "MeetUp2025.Procedure": "holds what every procedure does last",
    "MeetUp2025.Setup": "installs, upgrades and uninstalls",
    "MeetUp2025.Task": "is what the Task Manager runs",
    "MeetUp2025.Worker": "is the resident process",
}
# Characters of the longest string of IRIS, and of the longest result of a function that is known to reach a driver.
LONGEST_STRING, LONGEST_RESULT = 3_641_144, 32_000
# Characters of a vector as text: 512 numbers of up to 23, and their commas.
VECTOR_TEXT = 512 * 24
# Types that SQL carries in and out.
SQL_TYPES = ("%String", "%Integer", "%Double")


def routines(classes: Iterable[Class]) -> Iterator[Method | Query]:
    """Return the methods and queries that SQL can call."""
    for each in classes:
        yield from (routine for routine in (*each.methods, *each.queries) if routine.is_procedure)


def python_methods(classes: Iterable[Class]) -> Iterator[Method]:
    """Return the methods in Python."""
    return (method for each in classes for method in each.methods if method.language == "python")


# --- names ----------------------------------------------------------------------------------------------------------


def one_level(classes: Sequence[Class]) -> Iterator[str]:
    """The package has one level: a second one would make another schema, with an underscore in its name."""
    names = (each.name for each in classes)
    return (f"{name} must be MeetUp2025.Name" for name in names if not re.fullmatch(r"MeetUp2025\.\w+", name))


def explicit_names(classes: Sequence[Class]) -> Iterator[str]:
    """Each SqlProc has an SqlName of letters and digits. Without one, IRIS makes `Class_Method`."""
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
    """No routine, table, column or argument is a reserved word, unless its query writes it in quotes."""
    names = [routine.sql_name for routine in routines(classes)]
    names += [each.name for query in queries(classes) for each in query.columns if f'"{each.name}"' not in query.sql]
    names += [argument.name for query in queries(classes) for argument in query.arguments]
    for table in tables(classes):
        names += [table.sql_name, *(column.sql_name for column in table.properties)]
    return (f"{name} is a reserved word" for name in names if name.upper() in RESERVED)


# --- tables ---------------------------------------------------------------------------------------------------------


def table_keywords(classes: Sequence[Class]) -> Iterator[str]:
    """A table allows DDL, such as CREATE INDEX, and hides its row id from SELECT *. It has no owner."""
    for table in tables(classes):
        missing = {"DdlAllowed", "SqlRowIdPrivate"} - set(table.keywords)
        yield from (f"{table.name} must be [ {name} ]" for name in sorted(missing))
        yield from (f"{table.name} must not be [ {name} ]" for name in {"Final", "Owner"} & set(table.keywords))


def system_ids(classes: Sequence[Class]) -> Iterator[str]:
    """The system gives the ids of rows: HNSW needs positive integers."""
    for table in tables(classes):
        yield from (f"{index.name} of {table.name} is an IdKey" for index in table.indexes if "IdKey" in index.keywords)


def vector_columns(classes: Sequence[Class]) -> Iterator[str]:
    """A vector declares DOUBLE and its length: the default type changed twice, and HNSW needs a length."""
    for table in tables(classes):
        for column in table.properties:
            declared = column.parameters.get("DATATYPE"), column.parameters.get("LEN", "").isdigit()
            if column.type in VECTORS and declared != ("DOUBLE", True):
                yield f"{column.name} of {table.name} must be DOUBLE with LEN"


def hnsw_indexes(classes: Sequence[Class]) -> Iterator[str]:
    """An HNSW index is on one vector, names its distance, and has parameters in their bounds."""
    for table in tables(classes):
        vectors = {column.name for column in table.properties if column.type in VECTORS}
        for index in (index for index in table.indexes if index.type == "%SQL.Index.HNSW"):
            parameters = {name.lower(): value.lower() for name, value in index.parameters.items()}
            m, construction = int(parameters.get("m", 16)), int(parameters.get("efconstruction", 64))
            if len(index.properties) != 1 or index.properties[0] not in vectors:
                yield f"{index.name} of {table.name} must be on one vector"
            if parameters.get("distance") not in {"cosine", "dotproduct"} or not 2 <= m <= 100 or construction <= m:
                yield f"{index.name} of {table.name} has {dict(index.parameters)}"


def linked_lengths(classes: Sequence[Class]) -> Iterator[str]:
    """A column whose documentation says that it holds a property of another class is as long as the property."""
    columns = {(each.name, column.name): column for each in classes for column in each.properties}
    for (owner, name), column in columns.items():
        for other, source in re.findall(r"<property>(\w+)</property> of <class>([\w.]+)</class>", column.doc):
            if _length(column) < _length(columns[source, other]):
                yield f"{name} of {owner} is shorter than {other} of {source}"


def _length(column: Property | Argument) -> int:
    return int(column.parameters.get("MAXLEN", CUT))


# --- routines -------------------------------------------------------------------------------------------------------


def lengths(classes: Sequence[Class]) -> Iterator[str]:
    """Each %String that enters or leaves a SqlProc has MAXLEN: drivers cut it at 50 otherwise."""
    for routine in routines(classes):
        typed = [(argument.name, argument.type, argument.parameters) for argument in routine.arguments]
        if isinstance(routine, Method):
            typed.append(("the result", *routine.returns))
        for name, kind, parameters in typed:
            if kind == "%String" and not 1 <= int(parameters.get("MAXLEN", 0)) <= LONGEST_STRING:
                yield f"{name} of {routine.name} needs a MAXLEN"


def result_lengths(classes: Sequence[Class]) -> Iterator[str]:
    """A function returns at most 32,000 characters: a result over 32 KB is reported not to reach SQL."""
    for routine in routines(classes):
        if isinstance(routine, Method) and int(routine.returns[1].get("MAXLEN", 0)) > LONGEST_RESULT:
            yield f"the result of {routine.name} is longer than {LONGEST_RESULT}"


def vector_lengths(classes: Sequence[Class]) -> Iterator[str]:
    """
    A text that is a vector holds 512 numbers: an argument of TO_VECTOR, an argument called vector, or an embedding.
    """
    for routine in routines(classes):
        named = {"vector"} if isinstance(routine, Method) else {"vector", *_to_vector(routine)}
        typed = [(each.name, each.type, _length(each)) for each in routine.arguments if each.name in named]
        if isinstance(routine, Method) and re.search(r"^Embed|Embedding$|Vector$", routine.name):
            typed.append(("the result", routine.returns[0], int(routine.returns[1].get("MAXLEN", CUT))))
        for name, kind, length in typed:
            if kind != "%String" or length < VECTOR_TEXT:
                yield f"{name} of {routine.name} must hold {VECTOR_TEXT} characters"


def _to_vector(query: Query) -> set[str]:
    return {node.this.name for node in parse(query.sql).find_all(ToVector)}


def argument_lengths(classes: Sequence[Class]) -> Iterator[str]:
    """
    An argument with the name of a text column is as long as the column of its own table, or the shortest of this name.
    """
    shortest: dict[str, int] = {}
    for column in (column for table in tables(classes) for column in table.properties if column.type == "%String"):
        shortest[column.name.lower()] = min(_length(column), shortest.get(column.name.lower(), LONGEST_STRING))
    for each in classes:
        own = {column.name.lower(): _length(column) for column in each.properties if column.type == "%String"}
        for routine in routines([each]):
            for argument in routine.arguments:
                needed = {**shortest, **own}.get(argument.name.lower(), 0)
                if argument.type == "%String" and _length(argument) < needed:
                    yield f"{argument.name} of {routine.name} must hold {needed} characters"


def known_types(classes: Sequence[Class]) -> Iterator[str]:
    """Arguments are texts and numbers, which SQL can carry."""
    for routine in routines(classes):
        for argument in routine.arguments:
            if argument.type not in SQL_TYPES:
                yield f"{argument.name} of {routine.name} is {argument.type or 'of no type'}"


def results(classes: Sequence[Class]) -> Iterator[str]:
    """A SqlProc is a class method. It returns a text, a number, or result sets."""
    for method in (routine for routine in routines(classes) if isinstance(routine, Method)):
        gives = method.returns[0] in SQL_TYPES, "ReturnResultsets" in method.keywords
        if not method.is_class_method or method.returns[0] not in {*SQL_TYPES, ""} or gives[0] == gives[1]:
            yield f"{method.name} must be a class method that gives {', '.join(SQL_TYPES)} or [ ReturnResultsets ]"


def by_value(classes: Sequence[Class]) -> Iterator[str]:
    """No argument is passed back: `ByRef` and `Output` do not reach SQL, and do not compile in Python."""
    for routine in (*routines(classes), *python_methods(classes)):
        yield from (f"{each.name} of {routine.name} is {each.passing}" for each in routine.arguments if each.passing)


def fixed_arguments(classes: Sequence[Class]) -> Iterator[str]:
    """A SqlProc has a fixed number of arguments: SQL knows no others."""
    for routine in routines(classes):
        yield from (f"{each.name} of {routine.name} is variadic" for each in routine.arguments if each.variadic)


def defaults_last(classes: Sequence[Class]) -> Iterator[str]:
    """After an argument with a default, each has one: SQL and Python pass arguments by position."""
    for routine in (*routines(classes), *python_methods(classes)):
        given = [argument.has_default for argument in routine.arguments]
        if given != sorted(given):
            yield f"{routine.name} has a default before the end"


def few_members(classes: Sequence[Class]) -> Iterator[str]:
    """A class has at most 200 queries and 2,000 methods."""
    for each in classes:
        if len(each.queries) > 200 or len(each.methods) > 2000:
            yield f"{each.name} has {len(each.queries)} queries and {len(each.methods)} methods"


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


# --- bodies ---------------------------------------------------------------------------------------------------------


def balanced(classes: Sequence[Class]) -> Iterator[str]:
    """Braces of a body are balanced outside of its strings: a stray one would end the member in IRIS."""
    for each in classes:
        for routine in (*each.methods, *each.queries):
            is_objectscript = isinstance(routine, Method) and routine.language != "python"  # where ' is NOT
            body = re.sub(r'"(?:[^"\n]|"")*"' + ("" if is_objectscript else r"|'[^'\n]*'"), "", routine.body)
            if body.count("{") != body.count("}"):
                yield f"the braces of {routine.name} are not pairs"


def compilable(classes: Sequence[Class]) -> Iterator[str]:
    """A Python body is Python: IRIS may find the error only at the call."""
    for method in python_methods(classes):
        arguments = ", ".join(argument.name for argument in method.arguments)
        try:
            compile(f"def method({arguments}):\n{textwrap.indent(method.body, '    ')}", method.path, "exec")
        except SyntaxError as error:
            yield f"{method.name}: {error}"


def importable(classes: Sequence[Class]) -> Iterator[str]:
    """The names that a Python body imports from the package exist: IRIS finds an error only at the call."""
    for method in python_methods(classes):
        tree = ast.parse(method.body)
        found: dict[str, Any] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("meetup2025"):
                for alias in node.names:
                    found[alias.name] = _imported(str(node.module), alias.name)
        attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
        missing = {name for name, value in found.items() if value is None}
        missing |= {
            ast.unparse(node)
            for node in attributes
            if (value := found.get(ast.unparse(node.value))) is not None and not hasattr(value, node.attr)
        }
        yield from (f"{method.name} takes {name}, which is not there" for name in sorted(missing))


def _imported(module: str, name: str) -> Any:
    """Return the object of `from module import name`, or None if there is none."""
    with contextlib.suppress(ImportError):
        return getattr(importlib.import_module(module), name, None) or importlib.import_module(f"{module}.{name}")
    return None


def silent(classes: Sequence[Class]) -> Iterator[str]:
    """Python prints nothing: in a SqlProc the output would go to the device of the driver."""
    return (f"{method.name} prints" for method in python_methods(classes) if re.search(r"\bprint\(", method.body))


def python_bodies(classes: Sequence[Class]) -> Iterator[str]:
    """A Python method is two lines: the import, and the call of the function of its name with the same arguments."""
    for each in classes:
        for method in (method for method in each.methods if method.language == "python"):
            name, names = python_twin(each, method), tuple(argument.name for argument in method.arguments)
            wanted = f"from meetup2025 import procedures\nreturn procedures.{name}({', '.join(names)})"
            if method.body.strip() != wanted or python_call(method) != (name, names):
                yield f"{method.name} must be `{wanted}`"


def python_twin(each: Class, method: Method) -> str:
    """Return the name of the function of `procedures` behind a Python method: its SQL name, or class and name."""
    return snake(method.sql_name if method.is_procedure else f"{each.short_name}{method.name}")


def objectscript_bodies(classes: Sequence[Class]) -> Iterator[str]:
    """
    Any other method is a procedure of two statements, a value and the rows.

    LIFECYCLE names the methods that SQL never sees.
    """
    for each in classes:
        for method in each.methods:
            if method.is_procedure and method.language == "python":
                continue
            if not method.is_procedure and (each.name in LIFECYCLE or each.name.startswith("MeetUp2025.UnitTests.")):
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


def embedders(classes: Sequence[Class]) -> Iterator[str]:
    """A class for %Embedding.Config has the methods of %Embedding.Interface, with its signatures, and no SqlProc."""
    wanted = {
        "Embedding": "input As %String, configuration As %String) As %Vector",
        "IsValidConfig": "config As %DynamicObject, ByRef errorMsg As %String) As %Boolean",
    }
    for each in (each for each in classes if "%Embedding.Interface" in each.extends):
        written = {method.name: _signature(method) for method in each.methods if not method.is_procedure}
        missing = (f"{name}({rest}" for name, rest in wanted.items() if written.get(name) != rest)
        yield from (f"{each.name} must have {signature}" for signature in missing)


def _signature(method: Method) -> str:
    arguments = (f"{each.passing} {each.name} As {each.type}".strip() for each in method.arguments)
    return f"{', '.join(arguments)}) As {method.returns[0]}"


def snake(name: str) -> str:
    """
    Return the name of the Python twin.

    >>> snake("EmbedText")
    'embed_text'
    """
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


# Rules that also hold for unit-test classes. The other rules are about the view of SQL.
RULES_OF_TESTS: tuple[Rule, ...] = (
    table_keywords,
    system_ids,
    vector_columns,
    hnsw_indexes,
    by_value,
    defaults_last,
    balanced,
    compilable,
    importable,
    silent,
    objectscript_bodies,
    *storage_rules.RULES,
)
RULES: tuple[Rule, ...] = (
    one_level,
    explicit_names,
    unique_names,
    unreserved_names,
    table_keywords,
    system_ids,
    vector_columns,
    hnsw_indexes,
    linked_lengths,
    lengths,
    result_lengths,
    vector_lengths,
    argument_lengths,
    known_types,
    results,
    by_value,
    fixed_arguments,
    defaults_last,
    few_members,
    documented,
    exemplified,
    balanced,
    compilable,
    importable,
    silent,
    python_bodies,
    objectscript_bodies,
    embedders,
    *query_rules.RULES,
    *storage_rules.RULES,
)
