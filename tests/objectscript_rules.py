"""
The rules of the ObjectScript in the class files and the unit tests: a small function for each.

IRIS finds most of these faults when a method runs, not when its class is compiled. The syntax tree shows them before. A
rule takes class files and returns one text for each fault.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from objectscript_tree import (
    LOOPS,
    SQL,
    Call,
    Source,
    around,
    bodies,
    calls,
    child,
    constant,
    expressions,
    find,
    sql_texts,
    unset_variables,
    word,
)

from meetup2025.engines.classes import Class, Method, Query, parse_class
from meetup2025.errors import ClassSyntaxError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tree_sitter import Node

    Rule = Callable[[Sequence[Source]], Iterable[str]]

# Commands in full.
COMMANDS = frozenset(
    """
    break catch close continue do else elseif for goto halt hang if job kill lock merge new open quit read return set
    tcommit throw trollback try tstart use view while write xecute zwrite
    """.split()  # noqa: SIM905 - a list of words reads better as one
)
# Macros that all classes of objects have by %occStatus, and macros of %UnitTest.TestCase.
STATUS_MACROS = {"ADDSC", "ERROR", "GeneralError", "ISERR", "ISOK", "OK", "ThrowOnError", "ThrowStatus"}
TEST_MACROS = {
    "AssertEquals", "AssertFailure", "AssertNotEquals", "AssertNotTrue", "AssertSkipped", "AssertStatusNotOK",
    "AssertStatusOK", "AssertSuccess", "AssertTrue", "LogMessage",
}  # fmt: skip
# Superclasses whose methods all begin with %.
PLAIN = {"%Persistent", "%RegisteredObject"}
# Methods of the system that return a %Status.
STATUS_METHODS = {"%BuildIndices", "%DeleteExtent", "%KillExtent", "%Prepare", "%PrepareClassQuery", "%Save"}
# Methods whose SQL contains names from the dictionary, a constant of a procedure or the method itself.
NAMING = {"MeetUp2025.Procedure.Select", "MeetUp2025.Setup.Grant", "MeetUp2025.UnitTests.Rights.CreateTester"}
# Expressions that read the clock.
CLOCK = re.compile(r"\$(?:zhorolog|zh|horolog|h|ztimestamp|now)\b", re.IGNORECASE)
# A member, or the class itself, at the start of a line.
MEMBER = r"(?:Class|ClassMethod|Index|Method|Parameter|Property|Query|XData)\s"
COMMENT_OR_STRING = r'//.*|/\*[\s\S]*?\*/|"(?:[^"\n]|"")*"' + r"|'[^'\n]*'"

# --- files ----------------------------------------------------------------------------------------------------------


def readable(sources: Sequence[Source]) -> Iterator[str]:
    """The grammar of ObjectScript reads each file. Only the syntax that it refuses wrongly is masked before."""
    return (fault for source in sources if (fault := _fault(source)))


def _fault(source: Source) -> str:
    try:
        parse_class(source.text, source.path)
    except ClassSyntaxError as error:
        return str(error)
    return ""


def named_files(sources: Sequence[Source]) -> Iterator[str]:
    """A class stands in the file of its name, where IPM looks for it, without byte order mark and carriage returns."""
    for source in sources:
        if not source.path.endswith(f"/{source.record.name.replace('.', '/')}.cls"):
            yield f"{source.record.name} is in {source.path}"
        if source.text.startswith("\ufeff") or "\r" in source.text:
            yield f"{source.path} has a byte order mark or carriage returns"


def documented_members(sources: Sequence[Source]) -> Iterator[str]:
    """A comment of documentation stands right before its member. Elsewhere it describes nothing."""
    for source in sources:
        found = re.finditer(rf"^///.*\n(?!///|{MEMBER})", source.text, re.MULTILINE)
        yield from (f"{source.path}: `{each[0].strip()}` stands before no member" for each in found)


def last_storage(sources: Sequence[Source]) -> Iterator[str]:
    """A table has one block of storage, Default, as its last member. Other classes have none."""
    for source in sources:
        blocks = re.findall(r"^Storage[\s\S]*", source.text, re.MULTILINE)
        is_last = [bool(re.fullmatch(r"Storage Default\n\{\n(?:<.*>\n)+\}\n\n\}\n", block)) for block in blocks]
        if is_last != [True] * ("%Persistent" in source.record.extends):
            yield f"{source.path} must end with one Storage Default where it is a table, and have none elsewhere"


def parenthesised_indexes(sources: Sequence[Source]) -> Iterator[str]:
    """An index with a type has its property in parentheses, as in the documentation."""
    for source in sources:
        found = re.findall(r"^Index \w+ On \w+ As\b", source.text, re.MULTILINE)
        yield from (f"{source.path}: `{each}` needs parentheses" for each in found)


def plain_letters(sources: Sequence[Source]) -> Iterator[str]:
    """Letters of other scripts stand only in strings and comments."""
    for source in sources:
        code = re.sub(COMMENT_OR_STRING, "", source.text.removeprefix("\ufeff"))
        yield from (f"{source.path} has {each} in its code" for each in re.findall(r"[^\x00-\x7f]+", code))


def no_passwords(sources: Sequence[Source]) -> Iterator[str]:
    """No class holds a password."""
    for source in sources:
        code = re.sub(r"^\s*//.*", "", source.text, flags=re.MULTILINE)
        found = re.findall(r"\w*(?:password|secret|credential)\w*", code, re.IGNORECASE)
        yield from (f"{source.path} has a {each}" for each in found)


def argument_names(sources: Sequence[Source]) -> Iterator[str]:
    """No argument begins with the word ByRef or Output: the grammar takes it for that word."""
    for source in sources:
        found = re.findall(r"[(,]\s*((?:byref|output)\w+)", source.text, re.IGNORECASE)
        yield from (f"{source.path}: {each} needs another name" for each in found)


# --- words and names ------------------------------------------------------------------------------------------------


def full_commands(sources: Sequence[Source]) -> Iterator[str]:
    """Commands are written in full, in small letters."""
    for body in bodies(sources):
        for node in _below(body.node):
            is_command = node.type.startswith(("command_", "catch_", "else_", "elseif_"))
            for each in node.children if is_command else []:
                if each.type.startswith("keyword_") and word(each) not in COMMANDS:
                    yield body.at(node)


def _below(node: Node) -> Iterator[Node]:
    yield node
    for each in node.children:
        yield from _below(each)


def known_macros(sources: Sequence[Source]) -> Iterator[str]:
    """A macro comes from an Include or from %UnitTest.TestCase, or is a macro for %Status, which all objects have."""
    tests = unit_test_classes(sources)
    for source in (each for each in sources if not re.search(r"^Include\s", each.text, re.MULTILINE)):
        known = STATUS_MACROS if source.record.extends else set()
        known = known | TEST_MACROS if source.record.name in tests else known
        for body in source.bodies:
            for node in find(body.node, "macro_constant", "macro_function"):
                name = re.match(r"\$\$\$(\w+)", word(node))
                if name and name[1] not in known:
                    yield body.at(node)


def unit_test_classes(sources: Sequence[Source]) -> set[str]:
    """Return the names of the classes that extend %UnitTest.TestCase, or a class of the project that does."""
    classes = {source.record.name: source.record for source in sources}
    pairs = [(each.name, list(_lineage(each, classes))) for each in classes.values()]
    return {name for name, ancestors in pairs if any("%UnitTest.TestCase" in one.extends for one in ancestors)}


def known_calls(sources: Sequence[Source]) -> Iterator[str]:
    """A called method of the project exists, and takes the number of arguments."""
    classes = {source.record.name: source.record for source in sources}
    for body in bodies(sources):
        for call in calls(body):
            owner = body.owner if call.class_name == "" else classes.get(call.class_name or "")
            if owner is None and (call.class_name or "").startswith("MeetUp2025."):
                yield f"{body.at(call.node)}: there is no class {call.class_name}"
            elif owner and (fault := _call_fault(call, list(_lineage(owner, classes)))):
                yield f"{body.at(call.node)}: {fault}"


def _lineage(each: Class, classes: Mapping[str, Class]) -> Iterator[Class]:
    """Return a class and its superclasses of the project."""
    yield each
    for name in each.extends:
        if name in classes:
            yield from _lineage(classes[name], classes)


def _call_fault(call: Call, lineage: list[Class]) -> str:
    method = next((each for one in lineage for each in one.methods if each.name == call.method), None)
    if method:
        fits = call.places is None or _takes(method, call.places)
        return "" if fits else f"{call.method} does not take {call.places} arguments"
    may_inherit = {name for one in lineage for name in one.extends} - {one.name for one in lineage} - PLAIN
    return "" if may_inherit or call.method.startswith("%") else f"there is no method {call.method}"


def _takes(method: Method, count: int) -> bool:
    fixed = [each for each in method.arguments if not each.variadic]
    needed = sum(not each.has_default for each in fixed)
    return needed <= count and (count <= len(fixed) or len(fixed) < len(method.arguments))


def known_queries(sources: Sequence[Source]) -> Iterator[str]:
    """A class query that a procedure returns is named by a constant, exists, and takes the given values."""
    queries = {f"{each.record.package}.{query.sql_name}": query for each in sources for query in each.record.queries}
    for body in bodies(sources):
        for call in (call for call in calls(body) if call.method == "Return"):
            query = queries.get(str(constant(call.arguments[0])))
            if query is None:
                yield f"{body.at(call.node)}: there is no such query"
            elif call.places != 1 + len(query.arguments):
                yield f"{body.at(call.node)}: {query.name} takes {len(query.arguments)} values"


def known_sql_names(sources: Sequence[Source]) -> Iterator[str]:
    """The names of SQL in a schema of the project exist."""
    known = {name.upper() for source in sources for name in _sql_names(source.record)}
    for source in sources:
        for name in (name for sql in sql_texts(source) for name in re.findall(r"\bMeetUp2025\w*\.\w+\b(?!\.)", sql)):
            if name.upper() not in known:
                yield f"{source.path}: there is no {name}"


def _sql_names(each: Class) -> Iterator[str]:
    """Return the name of a class, and the names of SQL for it and its routines."""
    schema = each.package.replace(".", "_")
    members: list[Method | Query] = [*each.methods, *each.queries]
    routines = (member.sql_name for member in members if member.is_procedure)
    yield from (each.name, *(f"{schema}.{name}" for name in (each.sql_name, *routines)))


def variables(sources: Sequence[Source]) -> Iterator[str]:
    """A local variable is set on a line above its use."""
    for body in bodies(sources):
        yield from (f"{body.at(node)} is not set" for node in unset_variables(body))


# --- flow -----------------------------------------------------------------------------------------------------------


def caught(sources: Sequence[Source]) -> Iterator[str]:
    """A caught error is handled."""
    for body in bodies(sources):
        yield from (body.at(node) for node in find(body.node, "catch_block") if not child(node, "statement"))


def quits(sources: Sequence[Source]) -> Iterator[str]:
    """`quit value` stands outside of loops and of try: IRIS allows only `return value` there."""
    for body in bodies(sources):
        for node in find(body.node, "command_quit"):
            if child(node, "expression") and any(True for _ in around(node, "command_trycatch", *LOOPS)):
                yield body.at(node)


def returned(sources: Sequence[Source]) -> Iterator[str]:
    """A method returns a value where it declares one, and only there."""
    for body in bodies(sources):
        ends = find(body.node, "command_quit", "command_return")
        gives = any(child(node, "expression") for node in ends)
        if gives != bool(body.method.returns[0]):
            yield f"{body.owner.name}.{body.method.name} gives {'a value of no type' if gives else 'no value'}"


def checked_statuses(sources: Sequence[Source]) -> Iterator[str]:
    """A %Status is checked: `do` would lose it."""
    statuses = {each.name for source in sources for each in source.record.methods if each.returns[0] == "%Status"}
    for body in bodies(sources):
        for node in find(body.node, "do_parameter"):
            called = [each for each in calls(body._replace(node=node)) if not list(around(each.node, "method_arg"))]
            if called and called[-1].method in STATUS_METHODS | statuses:
                yield body.at(node)


def transactions(sources: Sequence[Source]) -> Iterator[str]:
    """
    A method that begins a transaction rolls it back after an error, and commits it.

    A unit test rolls it back afterwards.
    """
    for source in sources:
        after = [word(body.node) for body in source.bodies if body.method.name == "OnAfterOneTest"]
        for body in source.bodies:
            begins, commits, rolls_back = (
                list(find(body.node, f"command_{each}")) for each in ("tstart", "tcommit", "trollback")
            )
            is_test = body.method.name == "OnBeforeOneTest" and any("trollback" in text for text in after)
            if begins and not (rolls_back and (commits or is_test)):
                yield f"{body.at(begins[0])} needs tcommit and trollback"


def locks(sources: Sequence[Source]) -> Iterator[str]:
    """A lock has a timeout, and its class releases it by its name."""
    for source in sources:
        pairs = [(body, node) for body in source.bodies for node in find(body.node, "command_lock")]
        released = {_locked(part) for _, node in pairs for part in _parts(node) if word(part).startswith("-")}
        for body, node in pairs:
            if not _parts(node):
                yield f"{body.at(node)} lets go all locks of the process"
            for part in _parts(node):
                is_bounded = child(part, "timeout") and _locked(part) in released
                if not word(part).startswith("-") and not (word(part).startswith("+") and is_bounded):
                    yield body.at(node)


def _parts(lock: Node) -> list[Node]:
    return [each for each in lock.children if each.type == "command_lock_argument"]


def _locked(part: Node) -> tuple[str, bool]:
    """Return the name of a lock, and whether it is shared. The types "I" and "D" say when it is released."""
    name, _, types = ",".join(word(each) for each in find(part, "lock_arg")).partition(":")[0].partition("#")
    return name, "S" in types.upper()


def waits(sources: Sequence[Source]) -> Iterator[str]:
    """Nothing waits for ever: job and events have a timeout, hang stands only in loops that check the clock."""
    for body in bodies(sources):
        yield from (body.at(node) for node in find(body.node, "job_argument") if not child(node, "timeout"))
        for call in calls(body):
            if call.method in {"Wait", "WaitMsg"} and (call.places or 0) < 2:
                yield body.at(call.node)
        for node in find(body.node, "command_halt_or_hang"):
            loop = next(around(node, *LOOPS), None)
            if loop and not CLOCK.search(word(loop)) and not _is_counted(loop):
                yield body.at(node)


def _is_counted(loop: Node) -> bool:
    """Check for `for i = 1:1:10`."""
    return any(word(each).count(":") == 2 for each in find(loop, "for_parameter_arg"))


# --- safety ---------------------------------------------------------------------------------------------------------


def no_back_doors(sources: Sequence[Source]) -> Iterator[str]:
    """No text is run as code, no program of the system is called, no check of privileges is skipped."""
    for body in bodies(sources):
        yield from (body.at(node) for node in find(body.node, "command_xecute"))
        for node in find(body.node, "system_defined_function"):
            if word(node).lower().startswith(("$zf(", "$zu(", "$zutil(")):
                yield body.at(node)
        for call in calls(body):
            last = word(call.arguments[-1]) if call.arguments else ""
            if call.method.endswith("NoPriv") or (call.method in {"%Prepare", "%PrepareClassQuery"} and last == "0"):
                yield body.at(call.node)


def constant_sql(sources: Sequence[Source]) -> Iterator[str]:
    """SQL is a constant string, and values are its parameters. NAMING has the methods that join names."""
    for body in (each for each in bodies(sources) if f"{each.owner.name}.{each.method.name}" not in NAMING):
        for node in expressions(body):
            strings = [constant(each) or "" for each in find(node, "string_literal")]
            holder = next(around(node, "macro_func_args", "method_args"), None)
            is_message = holder is not None and holder.type == "macro_func_args"
            if _is_joined(node) and not is_message and any(SQL.match(text) for text in strings):
                yield body.at(node)
        for call in calls(body):
            place = {"%Prepare": 0, "%ExecDirect": 1}.get(call.method)
            if place is not None and any(_is_joined(each) for each in call.arguments[:2] for each in each.children):
                yield body.at(call.node)


def _is_joined(node: Node) -> bool:
    """Check whether `_` joins more than strings in an expression."""
    return constant(node) is None and any(word(each) == "_" for each in node.children)


def bound_values(sources: Sequence[Source]) -> Iterator[str]:
    """A statement that is run gets a value for each ?. A statement that is prepared or explained needs none."""
    for body in bodies(sources):
        for call in (call for call in calls(body) if call.method != "%Prepare" and call.places is not None):
            for place, argument in enumerate(call.arguments):
                sql = constant(argument) or ""
                marks = re.sub(r"'[^']*'", "", sql).count("?")
                if SQL.match(sql) and not sql.startswith("EXPLAIN") and marks != len(call.arguments) - place - 1:
                    yield f"{body.at(call.node)} needs {marks} values"


def checked_sql(sources: Sequence[Source]) -> Iterator[str]:
    """A method with embedded SQL checks SQLCODE."""
    for body in bodies(sources):
        if any(True for _ in find(body.node, "embedded_sql")) and "SQLCODE" not in word(body.node):
            yield f"{body.owner.name}.{body.method.name} does not look at SQLCODE"


def guarded_context(sources: Sequence[Source]) -> Iterator[str]:
    """A method that uses %sqlcontext checks that it exists: only a call from SQL has one."""
    for body in bodies(sources):
        text = word(body.node)
        if "%sqlcontext" in text and "$isobject($get(%sqlcontext))" not in text:
            yield f"{body.owner.name}.{body.method.name} takes %sqlcontext for granted"


def fetched(sources: Sequence[Source]) -> Iterator[str]:
    """The rows of a SELECT are fetched: its functions are called, and fail, with the rows."""
    for body in bodies(sources):
        for node in find(body.node, "do_parameter"):
            for call in calls(body._replace(node=node)):
                texts = [constant(each) or "" for each in call.arguments[:2]]
                if call.method in {"Done", "Run", "%ExecDirect"} and any(text.startswith("SELECT") for text in texts):
                    yield body.at(node)


def identified_users(sources: Sequence[Source]) -> Iterator[str]:
    """CREATE USER must have IDENTIFIED BY."""
    for source in sources:
        found = re.findall(r"CREATE USER \w+\b(?! IDENTIFY BY )", source.text)
        yield from (f"{source.path}: `{each}` needs IDENTIFY BY" for each in found)


# --- unit tests -----------------------------------------------------------------------------------------------------


def unit_tests(sources: Sequence[Source]) -> Iterator[str]:
    """
    A unit test asserts something, itself or by a method of its class. The methods before and after it return a status.
    """
    tests = unit_test_classes(sources)
    found = [body for body in bodies(sources) if body.owner.name in tests]
    asserting = {body.method.name for body in found if "$$$Assert" in word(body.node)}
    for body in found:
        name = body.method.name
        called = {call.method for call in calls(body) if call.class_name == ""}
        if name.startswith("Test") and not ({name, *called} & asserting):
            yield f"{body.owner.name}: {name} asserts nothing"
        if name.startswith(("OnBefore", "OnAfter")) and body.method.returns[0] != "%Status":
            yield f"{body.owner.name}: {name} must be As %Status"
        if name == "OnBeforeAllTests" and "$$$AssertSkipped" in word(body.node):
            yield f"{body.owner.name}: {name} cannot skip"


RULES: tuple[Rule, ...] = (
    readable,
    named_files,
    documented_members,
    last_storage,
    parenthesised_indexes,
    plain_letters,
    no_passwords,
    argument_names,
    full_commands,
    known_macros,
    known_calls,
    known_queries,
    known_sql_names,
    variables,
    caught,
    quits,
    returned,
    checked_statuses,
    transactions,
    locks,
    waits,
    no_back_doors,
    constant_sql,
    bound_values,
    checked_sql,
    guarded_context,
    fetched,
    identified_users,
    unit_tests,
)
