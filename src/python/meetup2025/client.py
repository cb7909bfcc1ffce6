"""The client of commands and pages: one statement, and its answer in the wanted form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meetup2025.engines.arguments import marked, selected
from meetup2025.errors import OperationalError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meetup2025.engines import Connection

ALL = 2**31 - 1
"""Most rows where all rows are wanted: more than any run has. TOP takes no word for all rows as a value."""

_THUMBNAILS = "SELECT Name, Picture FROM MeetUp2025.Thumbnail WHERE Name IN (?)"


def reading(query: str) -> str:
    """Return the statement that reads a result of a run. Its parameters are the run and the most rows."""
    return f"SELECT * FROM MeetUp2025.{query}(?, ?)"


def value(connection: Connection, sql: str, given: Sequence[Any] = ()) -> Any:
    """
    Return the first value of the first row.

    Raises:
        OperationalError: There is no row.
    """
    found = rows(connection, sql, given)
    if not found:
        raise OperationalError(f"The database must give a row. Got none for: {sql}")
    return found[0][0]


def rows(connection: Connection, sql: str, given: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Return all rows."""
    with connection.cursor() as cursor:
        return cursor.execute(sql, given).fetchall()


def records(connection: Connection, sql: str, given: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """Return all rows as mappings. The names of the columns are in lower case."""
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        columns = [str(column[0]).lower() for column in cursor.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def thumbnails(connection: Connection, items: Sequence[tuple[str, str]]) -> list[str]:
    """
    Return the thumbnails of items, by source and key, as data URLs. An item without a thumbnail has an empty text.
    """
    photos = [key for source, key in items if source == "FishImage"]
    with connection.cursor() as cursor:
        answer = selected(cursor, _THUMBNAILS, photos)
        found = {str(name).upper(): str(picture) for name, picture in answer}
    return [found.get(key.upper(), "") if source == "FishImage" else "" for source, key in items]


def thumbnails_sql(count: int) -> str:
    """Return the statement that asks for the thumbnails of some photos."""
    return marked(_THUMBNAILS, count)
