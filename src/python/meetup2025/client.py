"""
How commands and pages ask a database: one statement, and its answer in the form that is wanted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meetup2025.engines import Connection

MANY = 1_000_000
"""Rows where all are wanted."""

READ = {
    "ReadChanges": "SELECT * FROM MeetUp2025.ReadChanges(?, ?)",
    "ReadClusters": "SELECT * FROM MeetUp2025.ReadClusters(?, ?)",
    "ReadComparison": "SELECT * FROM MeetUp2025.ReadComparison(?, ?)",
    "ReadCurves": "SELECT * FROM MeetUp2025.ReadCurves(?, ?)",
    "ReadElbow": "SELECT * FROM MeetUp2025.ReadElbow(?, ?)",
    "ReadGroups": "SELECT * FROM MeetUp2025.ReadGroups(?, ?)",
    "ReadMap": "SELECT * FROM MeetUp2025.ReadMap(?, ?)",
    "ReadPrototypes": "SELECT * FROM MeetUp2025.ReadPrototypes(?, ?)",
    "ReadOutliers": "SELECT * FROM MeetUp2025.ReadOutliers(?, ?)",
}
"""How each result of a run is read: its number, and the most rows."""

_AT_ONCE = 500
"""Thumbnails asked for in a statement."""


def value(connection: Connection, sql: str, given: Sequence[Any] = ()) -> Any:
    """Give the first value of the first row."""
    return rows(connection, sql, given)[0][0]


def rows(connection: Connection, sql: str, given: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Give all rows."""
    with connection.cursor() as cursor:
        return cursor.execute(sql, given).fetchall()


def records(connection: Connection, sql: str, given: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """Give all rows with the names of their columns, in lower case."""
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        columns = [str(column[0]).lower() for column in cursor.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def thumbnails(connection: Connection, items: Sequence[tuple[str, str]]) -> list[str]:
    """Give the thumbnail of each item, of which source and key are given, as a data URL; empty where it has none."""
    photos = [key for source, key in items if source == "FishImage"]
    found = {}
    for start in range(0, len(photos), _AT_ONCE):
        names = photos[start : start + _AT_ONCE]
        answer = rows(connection, thumbnails_sql(len(names)), names)
        found.update({str(name).upper(): str(picture) for name, picture in answer})
    return [found.get(key.upper(), "") if source == "FishImage" else "" for source, key in items]


def thumbnails_sql(count: int) -> str:
    """Give the statement that asks for the thumbnails of some photos."""
    marks = ", ".join("?" * count)
    return f"SELECT Name, Picture FROM MeetUp2025.Thumbnail WHERE Name IN ({marks})"
