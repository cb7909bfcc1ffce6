"""
The items of a source whose vectors are nearest to that of an item.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meetup2025 import vectors
from meetup2025.engines.tokens import identifier
from meetup2025.errors import DataError, shown
from meetup2025.runs.json_rows import json_rows
from meetup2025.runs.sources import searched

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meetup2025.engines import Connection
    from meetup2025.runs.sources import Registered

_MOST = 30
"""Most neighbours: their names fit the 32,000 characters of a function."""


def item_neighbours(connection: Connection, source: str, item: str, k: int = 5, within: str = "") -> str:
    """
    Return the items nearest to an item by the cosine of their vectors: `MeetUp2025.ItemNeighbours`.

    Args:
        connection: An open connection.
        source: Source of the item: `Fish`, `FishImage` or a registered name.
        item: Key of the item.
        k: Number of neighbours, from 1 to 30.
        within: Source to search. `Both` searches names and photos. Empty means that of the item.

    Returns:
        A JSON array of objects, the nearest first, without the item itself.

    Raises:
        DataError: A source or the item does not exist, the item has no vector, or *k* is out of range.
        InvalidVectorError: The vectors of the two sources have different lengths.
    """
    _check_count(k)
    [own] = searched(connection, source)[:1]
    vector = _vector(connection, own, item)
    tables = searched(connection, within or source)
    rows = [(part.name, *row) for part in tables for row in near(connection, part, vector, k + 1)]
    others = [row for row in rows if (row[0], row[1]) != (own.name, item)]
    return _as_json(others, k)


def vector_neighbours(connection: Connection, source: str, vector: str, k: int = 5) -> str:
    """
    Return the items nearest to a vector by the cosine: `MeetUp2025.VectorNeighbours`.

    Args:
        connection: An open connection.
        source: `Fish`, `FishImage`, `Both` or a registered name.
        vector: Text of a vector, of the length of those of the source.
        k: Number of neighbours, from 1 to 30.

    Returns:
        A JSON array of objects, the nearest first.

    Raises:
        DataError: The source does not exist, or *k* is out of range.
        InvalidVectorError: The text is no vector, or has another length.
    """
    _check_count(k)
    vectors.from_text(vector)
    tables = searched(connection, source)
    return _as_json([(part.name, *row) for part in tables for row in near(connection, part, vector, k)], k)


def _check_count(k: int) -> None:
    if not 1 <= k <= _MOST:
        raise DataError(f"k must be a whole number from 1 to {_MOST}. Got {k}.")


def _as_json(rows: Sequence[tuple[str, ...]], k: int) -> str:
    nearest = sorted(rows, key=lambda row: -float(row[4]))[:k]
    names = ("source", "item", "name", "label", "score")
    return json_rows(dict(zip(names, row, strict=True)) for row in nearest)


def _vector(connection: Connection, table: Registered, item: str) -> str:
    """Read the vector of an item, as text."""
    vector, key = identifier(table.vector), identifier(table.item)
    sql = f"SELECT {vector} FROM {table.place} WHERE {key} = ? AND {vector} IS NOT NULL"
    with connection.cursor() as cursor:
        found = cursor.execute(sql, [item]).fetchall()
    if not found:
        raise DataError(f"An item must be in {table.name} and have a vector. Got {shown(item)}.")
    return str(found[0][0])


def near(
    connection: Connection, table: Registered, vector: str, k: int, label: str | None = None
) -> list[tuple[str, ...]]:
    """Search one table, or its rows of one label: key, name, label and cosine, the nearest first."""
    item, title, features = map(identifier, (table.item, table.title, table.vector))
    kind = identifier(table.label) if table.label else "NULL"
    limited = "" if label is None else f" AND {kind} = ?"
    sql = (
        f"SELECT TOP ? {item}, {title}, {kind}, VECTOR_COSINE({features}, TO_VECTOR(?, DOUBLE)) AS Score "
        f"FROM {table.place} WHERE {features} IS NOT NULL{limited} ORDER BY Score DESC"
    )
    given = [k, vector] if label is None else [k, vector, label]
    with connection.cursor() as cursor:
        return [(str(key), *rest) for key, *rest in cursor.execute(sql, given).fetchall()]
