"""
A class file as frozen records, which `reader` makes.

The parts are, in order, values, members of a class, the class, and functions that read a type, a comment or a value.
"""

from __future__ import annotations

import html
import re
import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

STRING_PATTERN = r'"(?:[^"\n]|"")*"'
NUMBER_PATTERN = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[Ee][-+]?\d+)?"


@dataclass(frozen=True, slots=True)
class Expression:
    """A value that IRIS alone can compute, such as `{$zdatetime($ztimestamp)}` or `$$$OK`."""

    text: str


Literal: TypeAlias = "str | int | float"
Value: TypeAlias = "Literal | Expression | None"


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a method or query. *passing* is `ByRef`, `Output` or empty."""

    name: str
    type: str
    parameters: Mapping[str, str]
    default: Value
    has_default: bool
    passing: str
    variadic: bool


@dataclass(frozen=True, slots=True)
class Property:
    """A property. *initial* is None if no initial value is declared."""

    name: str
    type: str
    parameters: Mapping[str, str]
    keywords: Mapping[str, str]
    doc: str
    initial: Value

    @property
    def sql_name(self) -> str:
        """Name of the column."""
        return self.keywords.get("SqlFieldName", self.name)


@dataclass(frozen=True, slots=True)
class Index:
    """An index. *type* is its class (`%SQL.Index.HNSW`), and the keyword `Type` is its kind (`bitmap`)."""

    name: str
    properties: tuple[str, ...]
    type: str
    parameters: Mapping[str, str]
    keywords: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Routine:
    """
    A method or query.

    Attributes:
        class_name: The class of the routine, with its package.
        line: Line of its first word, from 1.
        place: Line and column of the dedented body, from 1.
    """

    class_name: str
    name: str
    arguments: tuple[Argument, ...]
    type: str
    parameters: Mapping[str, str]
    keywords: Mapping[str, str]
    body: str
    doc: str
    path: str
    line: int
    place: tuple[int, int]

    @property
    def sql_name(self) -> str:
        """Name in SQL."""
        return self.keywords.get("SqlName", self.name)

    @property
    def full_name(self) -> str:
        """Name in SQL, with its schema."""
        return f"{self.class_name.rpartition('.')[0]}.{self.sql_name}"

    @property
    def is_procedure(self) -> bool:
        """Whether SQL can call it."""
        return "SqlProc" in self.keywords


@dataclass(frozen=True, slots=True)
class Method(_Routine):
    """A method."""

    is_class_method: bool = True

    def __hash__(self) -> int:  # a mapping has no hash, and parsed bodies are cached by method
        return hash((self.path, self.line))

    @property
    def returns(self) -> tuple[str, Mapping[str, str]]:
        """Type of the result and its parameters. The type is empty if the method returns nothing."""
        return self.type, self.parameters

    @property
    def language(self) -> str:
        """`objectscript` or `python`."""
        return self.keywords.get("Language", "objectscript").lower()


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a class query, as its ROWSPEC declares it."""

    name: str
    type: str
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Query(_Routine):
    """A class query."""

    @property
    def sql(self) -> str:
        """Text of the query."""
        return self.body

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the ROWSPEC. Without a ROWSPEC there are none."""
        items = re.split(r",(?![^(]*\))", self.parameters.get("ROWSPEC", ""))
        return tuple(_column(item) for item in items if item.strip())


@dataclass(frozen=True, slots=True)
class Class:
    """
    One class file.

    *storage* holds the texts of the `Storage` block by their places there: `Index/NameIndex/Location`,
    `Data/FishDefaultData/Value/1/Value`. It is empty where there is no block.
    """

    name: str
    extends: tuple[str, ...]
    keywords: Mapping[str, str]
    parameters: Mapping[str, Value]
    doc: str
    properties: tuple[Property, ...]
    indexes: tuple[Index, ...]
    methods: tuple[Method, ...]
    queries: tuple[Query, ...]
    path: str
    storage: Mapping[str, str] = field(default_factory=dict)

    @property
    def package(self) -> str:
        """The package, which is the SQL schema."""
        return self.name.rpartition(".")[0]

    @property
    def short_name(self) -> str:
        """The name without the package."""
        return self.name.rpartition(".")[2]

    @property
    def sql_name(self) -> str:
        """Name of the table."""
        return self.keywords.get("SqlTableName", self.short_name)


_SQL_TYPES = {
    "%Boolean": "BIT",
    "%Double": "DOUBLE",
    "%Integer": "INTEGER",
    "%Library.Vector": "VECTOR({DATATYPE}, {LEN})",
    "%String": "VARCHAR({MAXLEN})",
    "%TimeStamp": "TIMESTAMP",
}


def sql_type(name: str, parameters: Mapping[str, str]) -> str | None:
    """
    Return the IRIS SQL type of a class type with its parameters, or None for a type that this engine does not know.
    """
    written = _SQL_TYPES.get(name)
    return written and written.format_map({"MAXLEN": "50", "DATATYPE": "?", "LEN": "?", **parameters})


def examples(doc: str) -> list[str]:
    """Return the text of each `<example>` of a doc comment."""
    texts = re.findall(r"<example>(.*?)</example>", doc, re.DOTALL)
    return [html.unescape(textwrap.dedent(text).strip()) for text in texts]


def summary(doc: str) -> str:
    """Return the first line of a doc comment as plain text."""
    return html.unescape(re.sub(r"</?\w[^>]*>", "", doc.strip().partition("\n")[0]))


def value(text: str) -> Literal | Expression:
    """Parse `"text"`, `12` or `-.5`. Return an `Expression` for any other text."""
    return number_or_string(text) if re.fullmatch(f"{STRING_PATTERN}|{NUMBER_PATTERN}", text) else Expression(text)


def number_or_string(text: str) -> Literal:
    """Parse `"text"`, `12` or `-.5`."""
    if text.startswith('"'):
        return unquoted(text)
    return int(text) if text.lstrip("+-").isdigit() else float(text)


def unquoted(text: str) -> str:
    """Return the value of a string literal. Return any other text unchanged."""
    return text[1:-1].replace('""', '"') if text.startswith('"') else text


def _column(item: str) -> Column:
    """Parse `Name:%String(MAXLEN=50):Caption`."""
    name, _, rest = item.strip().partition(":")
    type_name, _, parameters = rest.partition(":")[0].strip().rstrip(")").partition("(")
    pairs = (pair.partition("=") for pair in parameters.split(",") if pair)
    return Column(name, type_name, {key.strip(): unquoted(value.strip()) for key, _, value in pairs})
