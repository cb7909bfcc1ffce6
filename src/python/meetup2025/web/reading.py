"""
Statements of a user that only read: queries without a function that writes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from meetup2025.errors import DataError, shown
from meetup2025.web import statements

if TYPE_CHECKING:
    from meetup2025.engines import Connection

_MOST = 200
"""Most rows of an answer."""

WRITES = re.compile("(?i)add|choose|correct|delete|describe|fit|label|load|register|setup")
"""How the names of the functions begin that write, or that take long."""


def check(sql: str) -> list[str]:
    """
    Split a text into its statements, and check that each only reads.

    Raises:
        DataError: A statement is no SELECT, or it calls a function that writes.
        SQLSyntaxError: A statement is not understood.
    """
    from meetup2025.engines.sql import called_by_query, split_statements

    ended, last = split_statements(sql)
    found = [*ended, last] if last.strip() else ended
    for each in found:
        called = called_by_query(each)
        if called is None:
            raise DataError(f"What is run here must be SELECT. Got {shown(each)}.")
        writing = [name for name in called if WRITES.match(name)]
        if writing:
            raise DataError(f"What is run here must only read. Got {writing[0]}; run it by meetup2025 sql.")
    return found


def answers(connection: Connection, sql: str) -> list[dict[str, Any]]:
    """Run statements that only read, and return the columns and the first rows of each. Nothing is committed."""
    return [_answer(connection, each) for each in check(sql)]


def _answer(connection: Connection, sql: str) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        names = [str(column[0]) for column in cursor.description or ()]
        rows = [[statements.plain(value) for value in row] for row in cursor.fetchmany(_MOST + 1)]
    return {"sql": sql, "columns": names, "rows": rows[:_MOST], "more": len(rows) > _MOST}
