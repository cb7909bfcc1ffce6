"""
One class file, parsed to records with tree-sitter-objectscript. `parse_class` of the package calls it.

`_MASKS` lists the syntax of InterSystems IRIS that this grammar does not know.
"""

from __future__ import annotations

import functools
import re
import textwrap
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from meetup2025.engines.classes.records import Argument, Class, Index, Method, Property, Query, Value, unquoted, value
from meetup2025.errors import ClassSyntaxError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tree_sitter import Node, Parser

# Syntax that IRIS accepts and the grammar does not, and the same syntax as the grammar accepts it, in as many bytes.
_MASKS = (
    (rb"(?m)^(Index\s+\w+\s+On) (\w+) As\b", lambda found: b"%s(%s)As" % found.groups()),
    (rb'\b(Sql\w*Name\s*=\s*)("[^"\n]*")', lambda found: found[1] + b"x" * len(found[2])),
    (rb"\bSqlSchemaName\b", b"SqlTableName "),
)
_MEMBER = re.compile(
    r"^(?:Parameter|Property|Relationship|Index|ForeignKey|Query|(?:Class|Client)?Method|Trigger|XData|Storage)"
    r"[ \t]+[\w%]+",
    re.MULTILINE,
)
_SWALLOWED = re.compile(rf"^\}}[\s\S]*{_MEMBER.pattern}", re.MULTILINE)
_SKIPPED = {"xdata", "projection"}
_COMMENTS = {"documatic_line", "line_comment_1", "block_comment"}
_AROUND_CLASS = {"class_definition", "include_code", "import_code"} | _COMMENTS
# Keywords may be written in any case. The records hold them in this case.
_KEYWORDS = {
    word.lower(): word
    for word in (
        *("Abstract", "CodeMode", "DdlAllowed", "Deprecated", "Extent", "Final", "Hidden", "IdKey"),
        *("InitialExpression", "Internal", "Language", "PrimaryKey", "Private", "ReadOnly", "Required"),
        *("ReturnResultsets", "SqlComputeCode", "SqlComputed", "SqlFieldName", "SqlName", "SqlProc"),
        *("SqlRowIdPrivate", "SqlSchemaName", "SqlTableName", "Transient", "Type", "Unique"),
    )
}


@functools.cache
def _parser() -> Parser:
    import tree_sitter_objectscript
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_objectscript.language_objectscript()))


class Reader:
    """Parser of one class: the tree belongs to the masked text, the words to the text itself."""

    def __init__(self, text: str, path: str) -> None:
        self.source = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").encode()
        self.path = path
        self.class_name = ""
        masked = self.source
        for pattern, mask in _MASKS:
            masked = re.sub(pattern, mask, masked)
        self.root = _parser().parse(masked).root_node

    def read(self) -> Class:
        """Return the class, or raise `ClassSyntaxError` if the text is no class."""
        self._check()
        definition = _child(self.root, "class_definition")
        self.class_name = self._text(_child(definition, "class_name"))
        members = list(self._members(_child(definition, "class_body")))
        extends = (child.named_children[1:] for child in definition.children if child.type == "class_extends")
        return Class(
            name=self.class_name,
            extends=tuple(self._text(name) for names in extends for name in names),
            keywords=self._keywords(child for child in definition.children if child.type == "class_keyword"),
            parameters=dict(member for member in members if isinstance(member, tuple)),
            doc=self._doc(child for child in self.root.children if child.type == "documatic_line"),
            properties=tuple(member for member in members if isinstance(member, Property)),
            indexes=tuple(member for member in members if isinstance(member, Index)),
            methods=tuple(member for member in members if isinstance(member, Method)),
            queries=tuple(member for member in members if isinstance(member, Query)),
            path=self.path,
            storage=next((member for member in members if isinstance(member, dict)), {}),
        )

    # -- faults

    def _check(self) -> None:
        """Raise `ClassSyntaxError` for the first fault of the text."""
        for at, problem in sorted(self._problems()):
            raise self._error(problem, at)

    def _problems(self) -> Iterator[tuple[int, str]]:
        """Yield the byte and the description of each fault."""
        if not re.search(rb"^Class\s", self.source, re.MULTILINE):
            yield 0, "A class file must hold a class"
        for node in self.root.children:
            if node.type not in _AROUND_CLASS and not node.is_error:
                yield node.start_byte, "The class has ended before this; check the braces and the first word"
        for node in _statements(self.root):
            if _SWALLOWED.search(self._text(node)):
                yield node.start_byte, "The braces of a member must balance; this one swallows the next"
        for node in _faults(self.root):
            unread = "This must be class syntax; check its keywords"
            yield node.start_byte, f"`{node.type}` is missing" if node.is_missing else unread

    def _error(self, problem: str, at: int) -> ClassSyntaxError:
        before = self.source[:at].decode(errors="replace")
        rest = self.source[at:].decode(errors="replace").partition("\n")[0]
        members = _MEMBER.findall(before + rest)
        where = f", in or after `{members[-1]}`" if members else ""
        line, column = before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1
        return ClassSyntaxError(f"{self.path}: {problem}. Got `{rest[:60]}`{where}", line=line, column=column)

    # -- members

    def _members(self, body: Node) -> Iterator[Any]:
        doc: list[Node] = []
        for node in body.children:
            if node.type == "documatic_line":
                doc.append(node)
            elif node.type == "class_statement":
                yield from self._member(node.children[0], self._doc(doc))
                doc = []

    def _member(self, node: Node, doc: str) -> Iterator[Any]:
        match node.type:
            case "parameter":
                yield self._text(_child(node, "parameter_name")), self._value(node)
            case "property":
                yield self._property(node, doc)
            case "index":
                yield self._index(node)
            case "query":
                yield Query(**self._routine(node, node, "query_name", doc))
            case "method" | "classmethod":
                definition = _child(node, "method_definition")
                fields = self._routine(node, definition, "method_name", doc)
                yield Method(**fields, is_class_method=node.type == "classmethod")
            case "storage":
                yield self._storage(node)
            case kind if kind not in _SKIPPED:
                known = "a parameter, property, index, query, method or storage"
                raise self._error(f"A member must be {known}, not a {kind}", node.start_byte)

    def _property(self, node: Node, doc: str) -> Property:
        kind, parameters = self._type(node)
        keywords = self._member_keywords(node)
        initial = keywords.pop("InitialExpression", None)
        name = self._text(_child(node, "property_name"))
        return Property(name, kind, parameters, keywords, doc, None if initial is None else value(initial))

    def _index(self, node: Node) -> Index:
        on = [child for child in node.children if child.type == "index_property_value"]
        properties = tuple(self._text(_child(child, "property_name")) for child in on)
        name = self._text(_child(node, "index_name"))
        return Index(name, properties, *self._type(node), self._member_keywords(node))

    def _routine(self, member: Node, node: Node, name: str, doc: str) -> dict[str, Any]:
        """Return the fields of a method or query."""
        kind, parameters = self._type(node)
        body, place = self._body(node)
        return {
            "class_name": self.class_name,
            "name": self._text(_child(node, name)),
            "arguments": tuple(self._argument(child) for child in _child(node, "arguments").named_children),
            "type": kind,
            "parameters": parameters,
            "keywords": self._member_keywords(node),
            "body": body,
            "doc": doc,
            "path": self.path,
            "line": member.start_point[0] + 1,
            "place": place,
        }

    def _storage(self, node: Node) -> dict[str, str]:
        body = self._text(_child(node, "external_method_body_content"))
        try:
            root = ET.fromstring(f"<Storage>{body}</Storage>")  # noqa: S314 - it stands in a class of ours
        except ET.ParseError as exc:
            raise self._error(f"A storage must be XML ({exc})", node.start_byte) from exc
        return dict(_texts(root))

    # -- parts of members

    def _argument(self, node: Node) -> Argument:
        kind, parameters = self._type(node)
        name = self._text(_child(node, "method_arg"))
        first = node.children[0]
        return Argument(
            name=name.removesuffix("..."),
            type=kind,
            parameters=parameters,
            default=self._value(node),
            has_default=any(child.type == "default_argument_value" for child in node.children),
            passing=self._text(first) if first.type in {"keyword_byref", "keyword_output"} else "",
            variadic=name.endswith("..."),
        )

    def _type(self, node: Node) -> tuple[str, Mapping[str, str]]:
        """Return the name and the parameters of `As Name(KEY = value)`. Both are empty if there is no type."""
        for child in node.children:
            if child.type in {"return_type", "parameter_type"}:
                words = _child(child, "typename").children
                name = self._text(child).removeprefix("As").partition("(")[0].strip()
                equals = [at for at, word in enumerate(words) if word.type == "="]
                return name, {self._text(words[at - 1]): unquoted(self._text(words[at + 1])) for at in equals}
        return "", {}

    def _value(self, node: Node) -> Value:
        """Return the value after `=`, or None if there is none."""
        for child in node.children:
            if child.type == "default_argument_value":
                return value(self._text(child).removeprefix("=").strip())
        return None

    def _member_keywords(self, node: Node) -> dict[str, str]:
        groups = (child.named_children for child in node.children if child.type.endswith("_keywords"))
        return self._keywords(keyword for group in groups for keyword in group)

    def _keywords(self, nodes: Iterable[Node]) -> dict[str, str]:
        """Return the keywords. A keyword without a value has an empty value, a keyword after `Not` is left out."""
        pairs = (self._text(node).partition("=")[::2] for node in nodes)
        named = ((_KEYWORDS.get(name.strip().lower(), name.strip()), value.strip()) for name, value in pairs)
        return {
            name: value if name == "InitialExpression" else unquoted(value)
            for name, value in named
            if not name.lower().startswith("not ")
        }

    def _body(self, node: Node) -> tuple[str, tuple[int, int]]:
        """Return the dedented text between the braces, and the line and column of its start."""
        start = next(child.end_byte for child in node.children if child.type == "{")
        end = next(child.start_byte for child in reversed(node.children) if child.type == "}")
        text = self.source[start:end].decode()
        body = textwrap.dedent(text if text.startswith("\n") else text.lstrip(" \t"))
        blank = text.partition(body.strip()[:1])[0] if body.strip() else ""
        before = self.source[:start].decode() + blank
        return body.strip("\n").rstrip(), (before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1)

    def _doc(self, nodes: Iterable[Node]) -> str:
        return "\n".join(self._text(node).strip().removeprefix("///").removeprefix(" ") for node in nodes)

    def _text(self, node: Node) -> str:
        return self.source[node.start_byte : node.end_byte].decode()


def _texts(element: ET.Element, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the texts below an element, by their places: tags and names, joined by `/`."""
    for each in element:
        place = "/".join(filter(None, (path, each.tag, each.get("name"))))
        if not len(each):
            yield place, (each.text or "").strip()
        yield from _texts(each, place)


def _child(node: Node, kind: str) -> Node:
    return next(child for child in node.children if child.type == kind)


def _statements(root: Node) -> Iterator[Node]:
    """Yield the members of the class."""
    for definition in root.children:
        for body in definition.children if definition.type == "class_definition" else ():
            yield from (node for node in body.children if node.type == "class_statement")


def _faults(node: Node) -> Iterator[Node]:
    """Yield the nodes that the grammar could not read, in the order of the text."""
    if node.is_error or node.is_missing:
        yield node
    elif node.has_error:
        for child in node.children:
            yield from _faults(child)
