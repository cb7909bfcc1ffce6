"""
ObjectScript class files (UDL), parsed to frozen records.

`parse_class` parses one file, `read_package` a folder. The records hold the members that SQL can see, and where tables
are stored. XData and Projection are left out. Any other member is refused: an engine would overlook it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meetup2025.engines.classes.bodies import Step, Variable, procedure_steps, python_call
from meetup2025.engines.classes.reader import Reader
from meetup2025.engines.classes.records import (
    Argument,
    Class,
    Column,
    Expression,
    Index,
    Literal,
    Method,
    Property,
    Query,
    Value,
    examples,
    summary,
)
from meetup2025.errors import ClassSyntaxError, OperationalError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "Argument",
    "Class",
    "Column",
    "Expression",
    "Index",
    "Literal",
    "Method",
    "Property",
    "Query",
    "Step",
    "Value",
    "Variable",
    "examples",
    "parse_class",
    "procedure_steps",
    "python_call",
    "read_package",
    "summary",
]


def read_package(folder: Path) -> tuple[Class, ...]:
    """
    Parse every class file under *folder*, in the order of their paths.

    Raises:
        ClassSyntaxError: A file cannot be read. The message names it.
        OperationalError: There is no class file.
    """
    paths = sorted(folder.rglob("*.cls"))
    if not paths:
        message = f"A package must have `.cls` files. Got none in {folder}; install meetup2025 again."
        raise OperationalError(message)
    return tuple(parse_class(_text(path), str(path)) for path in paths)


def parse_class(text: str, path: str = "<class>") -> Class:
    """
    Parse one class.

    Args:
        text: Class definition, with line ends of any kind, with or without a byte order mark.
        path: Path of the file, for the messages.

    Raises:
        ClassSyntaxError: The text is no class. The error has line, column and the member.
    """
    return Reader(text, path).read()


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        message = f"{path} must be UTF-8. Got a wrong byte at {error.start}; save it as UTF-8."
        raise ClassSyntaxError(message) from error
