"""Class files for the rules of `objectscript_rules`: their methods in ObjectScript, and the content of the methods."""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from meetup2025.engines.classes import Class, Method, parse_class
from meetup2025.engines.classes.program import class_folder
from meetup2025.engines.classes.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tree_sitter import Node

_ROOT = Path(__file__).parents[1]
FOLDERS = (class_folder().parent, _ROOT / "preload", _ROOT / "tests" / "iris")

LOOPS = ("command_dowhile", "command_for", "command_while")
# Beginnings of statements of SQL.
SQL = re.compile(
    r"\s*(?:ALTER|BUILD|CALL|CREATE|DELETE|DROP|EXPLAIN|GRANT|INSERT|REVOKE|SELECT|TRUNCATE|TUNE|UPDATE|WITH)\s"
)
# The host variables that embedded SQL sets.
INTO = re.compile(r"\bINTO\s+:\w+(?:\s*,\s*:\w+)*\s*", re.IGNORECASE)


class Source:
    """A class file: its text, its record, and the bodies of its methods in ObjectScript."""

    def __init__(self, text: str, path: str) -> None:
        self.text = text
        self.path = path

    @cached_property
    def record(self) -> Class:
        """The class, as SQL sees it."""
        return parse_class(self.text, self.path)

    @cached_property
    def bodies(self) -> list[Body]:
        """The methods in ObjectScript, in the order of the text."""
        nodes = find(Reader(self.text, self.path).root, "method_definition")
        pairs = zip(self.record.methods, nodes, strict=True)
        return [Body(self.record, method, node) for method, node in pairs if method.language == "objectscript"]


class Body(NamedTuple):
    """A method in ObjectScript: its class, its record and its node."""

    owner: Class
    method: Method
    node: Node

    def at(self, node: Node) -> str:
        """Return the place of a node."""
        line = node.start_point[0] + 1
        return f"{self.owner.name}.{self.method.name}, line {line}: `{word(node)[:60]}`"


class Call(NamedTuple):
    """A call: the named class ("" for the own class, None for an object), the method, and its arguments."""

    class_name: str | None
    method: str
    arguments: list[Node]
    node: Node

    @property
    def places(self) -> int | None:
        """Number of places for arguments, empty ones too, or None where `name...` passes any number on."""
        if any(True for each in self.arguments for _ in find(each, "variadic_arg")):
            return None
        commas = [each for each in self.node.children if each.type == ","]
        return len(commas) + 1 if commas or self.arguments else 0


def read_sources() -> list[Source]:
    """Read the class files of the package and of the unit tests."""
    paths = [path for folder in FOLDERS for path in sorted(folder.rglob("*.cls"))]
    return [Source(path.read_bytes().decode("utf-8"), path.as_posix()) for path in paths]


def bodies(sources: Iterable[Source]) -> Iterator[Body]:
    """Return the methods in ObjectScript of all files."""
    return (body for source in sources for body in source.bodies)


# --- nodes ----------------------------------------------------------------------------------------------------------


def find(node: Node, *types: str) -> Iterator[Node]:
    """Yield the nodes of these types, in the order of the text."""
    if node.type in types:
        yield node
    for each in node.children:
        yield from find(each, *types)


def word(node: Node | None) -> str:
    """Return the text of a node, "" for none."""
    return node.text.decode() if node and node.text else ""


def child(node: Node, *types: str) -> Node | None:
    """Return the first child of one of these types."""
    return next((each for each in node.children if each.type in types), None)


def around(node: Node, *types: str) -> Iterator[Node]:
    """Yield the nodes of these types around a node, the innermost first."""
    while node.parent:
        node = node.parent
        if node.type in types:
            yield node


def calls(body: Body) -> Iterator[Call]:
    """Yield the calls of methods: of a class, of the own class, and of objects."""
    for arguments in find(body.node, "method_args"):
        holder = arguments.parent
        if holder and (method := child(holder, "method_name")):
            given = [each for each in arguments.children if each.type == "method_arg"]
            yield Call(_class_name(holder), word(method), given, arguments)


def _class_name(holder: Node) -> str | None:
    if holder.type == "class_method_call":
        return word(next(find(holder, "class_name")))
    return "" if holder.parent and holder.parent.type == "relative_dot_method" else None


def constant(node: Node) -> str | None:
    """Return the text of an expression that is a string, or strings joined by `_`, or None for any other."""
    if node.type == "string_literal":
        return word(node)[1:-1].replace('""', '"')
    if node.type not in {"expression", "method_arg"}:
        return None
    parts = [constant(each) for each in node.children if word(each) != "_"]
    return None if None in parts else "".join(map(str, parts))


def expressions(body: Body) -> Iterator[Node]:
    """Yield the expressions that are no part of another."""
    found = find(body.node, "expression")
    return (each for each in found if each.parent and each.parent.type != "expression")


def sql_texts(source: Source) -> list[str]:
    """Yield the SQL of a class file: its strings that begin as a statement does, and the content of `&sql(…)`."""
    strings = [constant(each) or "" for body in source.bodies for each in expressions(body)]
    embedded = [word(each) for body in source.bodies for each in find(body.node, "paren_fenced_text")]
    return [text for text in strings if SQL.match(text)] + [INTO.sub("", text) for text in embedded]


# --- variables ------------------------------------------------------------------------------------------------------

# Nodes that set variables, by the types of the children that are set. The other children are read before.
_SETTERS = {
    "byref_arg": ("lvn",),
    "for_parameter": ("lvn",),
    "merge_argument": ("set_target",),
    "pound_dim": ("lvn",),
    "read_variable": ("lvn",),
    "set_argument": ("set_target", "set_target_list"),
}
# Functions whose first argument need not be set, and functions that set an argument, by its position.
_LENIENT = ("$data", "$get", "$order", "$query")
_SET_BY = {"$data": 1, "$increment": 0, "$listnext": 2, "$order": 2, "$query": 2}


def unset_variables(body: Body) -> list[Node]:
    """
    Find the local variables that no line above sets. None are found where names of variables are made at run time.
    """
    if any(True for _ in find(body.node, "indirection", "command_xecute", "command_goto")):
        return []
    scan = _Scan({argument.name for argument in body.method.arguments})
    for statement in (each for each in body.node.children if each.type == "statement"):
        scan.read(statement)
    return scan.unset


class _Scan:
    """A walk through the statements of a method in the order of the text. *known* are the variables that are set."""

    def __init__(self, known: set[str]) -> None:
        self.known = known
        self.unset: list[Node] = []

    def read(self, node: Node) -> None:
        """Record the variables that a node uses and sets."""
        if node.type in {"kill_target", "command_new_item"}:
            return
        if node.type == "system_defined_function":
            self.call(node)
        elif node.type == "paren_fenced_text":
            self.known |= {"SQLCODE", *re.findall(r":(\w+)", " ".join(INTO.findall(word(node))))}
        else:
            self.children(node)

    def children(self, node: Node) -> None:
        """Read the children of a node. The children that are set come last."""
        if node.type == "catch_block":
            self.set(child(node, "lvn"))
        name = word(child(node, "objectscript_identifier"))
        if node.type == "lvn" and name and name not in self.known:
            self.unset.append(node)
        targets = [each for each in node.children if each.type in _SETTERS.get(node.type, ())]
        for each in node.children:
            if each not in targets:
                self.read(each)
        for each in targets:
            self.set(each)

    def set(self, target: Node | None) -> None:
        """Record that a variable is set. Its subscripts are used."""
        if target is None:
            return
        if target.type in {"set_target", "set_target_list"}:
            for each in target.children:
                self.set(each)
        elif target.type == "system_defined_function":
            self.call(target, is_set=True)
        else:
            self.known.add(word(child(target, "objectscript_identifier")))
            self.read(target)

    def call(self, node: Node, *, is_set: bool = False) -> None:
        """
        Read the arguments of a function of the system.

        `set $list(a, 2) =` and `set $listbuild(a, b) =` set some of them.
        """
        name = word(node).partition("(")[0].lower()
        arguments = [each for each in node.children if word(each) not in {"(", ")", ","}]
        sets = range(len(arguments) if name == "$listbuild" else 1) if is_set else [_SET_BY.get(name)]
        for place, argument in enumerate(arguments):
            variable = child(child(argument, "expression") or argument, "lvn")
            if variable and place in sets:
                self.set(variable)
            elif variable and place == 0 and name in _LENIENT:
                for subscript in variable.children:
                    self.read(subscript)
            else:
                self.read(argument)
