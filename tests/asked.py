"""SQL in tests: statements with values, and their results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from meetup2025.engines import Cursor


def selected(cursor: Cursor, sql: str, *given: object) -> list[tuple[Any, ...]]:
    """Run a statement and return its rows."""
    cursor.execute(sql, given)
    return cursor.fetchall()


def number(cursor: Cursor, sql: str, *given: object) -> int:
    """Run a statement that returns one number."""
    [(found,)] = selected(cursor, sql, *given)
    return int(found)


def metrics(cursor: Cursor, run: int) -> dict[str, Any]:
    """Return the metrics of a run that are about the whole run."""
    return dict(selected(cursor, "SELECT Name, Value FROM MeetUp2025.ReadMetrics(?) WHERE Subject IS NULL", run))
