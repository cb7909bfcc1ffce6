"""
How commands and pages ask a database: one statement, and its answer in the form that is wanted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meetup2025.engines.arguments import marked, selected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meetup2025.engines import Connection

ALL = 2**31 - 1
"""Most rows where all are wanted: more than any run has. TOP takes no word for all rows as a value."""

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

_THUMBNAILS = "SELECT Name, Picture FROM MeetUp2025.Thumbnail WHERE Name IN (?)"


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
    with connection.cursor() as cursor:
        answer = selected(cursor, _THUMBNAILS, photos)
        found = {str(name).upper(): str(picture) for name, picture in answer}
    return [found.get(key.upper(), "") if source == "FishImage" else "" for source, key in items]


def thumbnails_sql(count: int) -> str:
    """Give the statement that asks for the thumbnails of some photos."""
    return marked(_THUMBNAILS, count)
