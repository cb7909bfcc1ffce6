"""How SQL is refused, with its line and column: as IRIS refuses it, or as what this engine does not have."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from meetup2025.engines.grammar.nodes import place
from meetup2025.engines.grammar.tokens import Token
from meetup2025.errors import SQLSyntaxError, UnsupportedSQLError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlglot import exp


def refuse(message: str, at: Token | exp.Expr, sqlcode: int = -1) -> NoReturn:
    """Raise the error of SQL that IRIS refuses too."""
    line, column = _place(at)
    raise SQLSyntaxError(message, line=line, column=column, sqlcode=sqlcode)


def unsupported(construct: str, at: Token | exp.Expr) -> NoReturn:
    """Raise the error of SQL that IRIS accepts and this engine does not."""
    line, column = _place(at)
    raise UnsupportedSQLError(
        f"{construct} is IRIS SQL that the embedded engine does not have", line=line, column=column
    )


def _place(at: Token | exp.Expr) -> tuple[int, int]:
    return (at.line, at.column) if isinstance(at, Token) else place(at)


@contextmanager
def shallow() -> Iterator[None]:
    """Refuse SQL that is nested deeper than Python can follow."""
    try:
        yield
    except RecursionError as exc:
        message = "SQL nested hundreds of levels deep is more than the embedded engine can read"
        raise UnsupportedSQLError(message, line=1, column=1) from exc
