"""
The two kinds of method body that an engine must run.

`procedure_steps` parses a procedure in ObjectScript, `python_call` a function in Python. They refuse any other body: an
engine would run it wrongly. A body is parsed once, because a function may run for each row of a table.
"""

from __future__ import annotations

import ast
import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meetup2025.engines.classes.records import NUMBER_PATTERN, STRING_PATTERN, Literal, Method, number_or_string
from meetup2025.errors import ClassSyntaxError

if TYPE_CHECKING:
    from collections.abc import Iterator

_STEP = re.compile(
    rf"""(?:set\s+(?P<target>[A-Za-z]\w*)\s*=\s*|do\s+)
    (?:\#\#class\((?P<class>%?\w[\w.]*)\)\.|\.\.)(?P<method>%?\w+)
    \((?P<arguments>(?:{STRING_PATTERN}|[^"()])*)\)[^\S\n]*(?:$|(?=//))""",
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)
_OPERAND = re.compile(rf"\s*(?:(?P<literal>{STRING_PATTERN}|{NUMBER_PATTERN})|(?P<name>[A-Za-z]\w*))\s*(?:,(?!\s*$)|$)")
_RULE = (
    "may only hold `set name = call` and `do call`, one on a line, where a call is `##class(C).Method(…)` "
    "or `..Method(…)` with strings, numbers and local variables."
)
_RETURN = re.compile(r"from meetup2025 import procedures\nreturn procedures\.(\w+)\((\w+(?:, \w+)*)?\)")
_PYTHON_RULE = "must be `from meetup2025 import procedures`, then `return procedures.name(arguments)`."


@dataclass(frozen=True, slots=True)
class Variable:
    """A local variable, or an argument of the method."""

    name: str


@dataclass(frozen=True, slots=True)
class Step:
    """`set target = ##class(C).M(…)`, or `do` without a target. *class_name* is None for `..M(…)`, the same class."""

    target: str | None
    class_name: str | None
    method: str
    arguments: tuple[Literal | Variable, ...]


@functools.cache
def procedure_steps(method: Method) -> tuple[Step, ...]:
    """
    Parse the body of a procedure: each line calls one class method, and may set a variable to its result.

    Raises:
        ClassSyntaxError: The body holds any other statement, or uses a variable before it is set.
    """
    known = {argument.name for argument in method.arguments}
    steps = []
    for match in _lines(method):
        arguments = tuple(_operands(method, match, known))
        steps.append(Step(match["target"], match["class"], match["method"], arguments))
        known.add(match["target"])
    return tuple(steps)


@functools.cache
def python_call(method: Method) -> tuple[str, tuple[str, ...]]:
    """
    Parse a body of two lines, `from meetup2025 import procedures` and `return procedures.f(a, b)`.

    Returns:
        The names of the function of `procedures`, and of the arguments that are passed.

    Raises:
        ClassSyntaxError: The body holds any other statement, or passes a name that is not an argument.
    """
    try:
        lines = [ast.unparse(statement) for statement in ast.parse(method.body).body]
    except SyntaxError as exc:
        rule = f"must be Python. Got an error: {exc.msg}."
        raise _body_error(method, rule, (exc.lineno or 1) - 1, (exc.offset or 1) - 1) from exc
    call = _RETURN.fullmatch("\n".join(lines))
    if call is None:
        raise _body_error(method, f"{_PYTHON_RULE} Got `{'; '.join(lines)}`.")
    names = tuple((call[2] or "").replace(",", "").split())
    for name in {*names} - {argument.name for argument in method.arguments}:
        raise _body_error(method, f"must pass on its own arguments. Got `{name}`.", 1)
    return call[1], names


def _lines(method: Method) -> Iterator[re.Match[str]]:
    """Yield each statement of the body, as a match of `_STEP`."""
    text, at = method.body, _skip(method.body, 0)
    if at == len(text):
        raise _body_error(method, f"{_RULE} Got nothing.")
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None:
            raise _body_error(method, f"{_RULE} Got `{text[at:].splitlines()[0]}`.", *_offset(text, at))
        yield match
        at = _skip(text, match.end())


def _skip(text: str, at: int) -> int:
    """Return the position of the next word, after spaces and comments."""
    return len(text) - len(re.sub(r"\A(?:\s|//.*)+", "", text[at:]))


def _operands(method: Method, step: re.Match[str], known: set[str]) -> Iterator[Literal | Variable]:
    """Yield the arguments of one call."""
    text, at = step["arguments"], 0
    while at < len(text.rstrip()):
        match = _OPERAND.match(text, at)
        place = _offset(method.body, step.start("arguments") + at)
        if match is None:
            raise _body_error(method, f"{_RULE} Got `{text[at:].strip()}`.", *place)
        if match["name"] and match["name"] not in known:
            rule = f"must use its arguments, or variables set before. Got `{match['name']}`."
            raise _body_error(method, rule, *place)
        yield Variable(match["name"]) if match["name"] else number_or_string(match["literal"])
        at = match.end()


def _offset(text: str, at: int) -> tuple[int, int]:
    """Return the distance of *at* from the start of *text*, in lines and columns."""
    return text.count("\n", 0, at), at - text.rfind("\n", 0, at) - 1


def _body_error(method: Method, rule: str, line: int = 0, column: int = 0) -> ClassSyntaxError:
    place = {"line": method.place[0] + line, "column": method.place[1] + column}
    return ClassSyntaxError(f"{method.path}: the body of `{method.name}` {rule}", **place)
