"""What tests of SQL ask: statements with values, and what came of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from meetup2025.engines import Cursor


def selected(cursor: Cursor, sql: str, *given: object) -> list[tuple[Any, ...]]:
    """Run a statement and give its rows."""
    cursor.execute(sql, given)
    return cursor.fetchall()


def number(cursor: Cursor, sql: str, *given: object) -> int:
    """Run a statement that gives one number."""
    [(found,)] = selected(cursor, sql, *given)
    return int(found)


def metrics(cursor: Cursor, run: int) -> dict[str, Any]:
    """Give the metrics of a run that are about all of it."""
    return dict(selected(cursor, "SELECT Name, Value FROM MeetUp2025.ReadMetrics(?) WHERE Subject IS NULL", run))
