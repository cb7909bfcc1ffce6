"""
What the tables hold already: read before a load, so that it writes only what is new or different.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meetup2025.errors import DataError, IntegrityError, ModelMismatchError
from meetup2025.readers import normal

if TYPE_CHECKING:
    from meetup2025.engines import Connection, Cursor


@dataclass(frozen=True)
class StoredFish:
    """A row of `MeetUp2025.Fish` without its vector; empty strings for NULL."""

    fish_id: str
    name: str
    kanji: str
    other_names: str
    english: str
    scientific: str
    family: str
    model: str


@dataclass(frozen=True)
class StoredImage:
    """A row of `MeetUp2025.FishImage` without its vector; empty strings for NULL."""

    name: str
    label: str
    source: str
    hash: str
    model: str


def stored_fish(connection: Connection) -> dict[str, StoredFish]:
    """Read the rows of `MeetUp2025.Fish` by upper-case FishID."""
    columns = "FishID, Name, Kanji, OtherNames, English, Scientific, Family, Model"
    rows = _rows(connection, f"SELECT {columns} FROM MeetUp2025.FishCatalogue()")
    return {row[0].upper(): StoredFish(*row) for row in rows}


def stored_images(connection: Connection) -> dict[str, StoredImage]:
    """Read the rows of `MeetUp2025.FishImage` by upper-case Name."""
    rows = _rows(connection, "SELECT Name, Label, Source, Hash, Model FROM MeetUp2025.ImageCatalogue()")
    return {row[0].upper(): StoredImage(*row) for row in rows}


def names_of_fish(connection: Connection) -> dict[str, str]:
    """
    Find the catalogue name for any name: kana, kanji, market, regional or growth-stage, in upper case.

    A name that belongs to two rows leads to neither, unless it is the kana name of one of them.
    """
    names: dict[str, str | None] = {}
    rows = list(stored_fish(connection).values())
    for row in rows:
        for other in (row.kanji, *row.other_names.split(";")):
            key = normal(other).upper()
            names[key] = row.name if names.get(key, row.name) == row.name else None
    names.update((row.name.upper(), row.name) for row in rows)
    return {key: name for key, name in names.items() if key and name}


def check_names(stored: Mapping[str, Any], rows: Iterable[tuple[str, str]], source: str) -> None:
    """
    Hold a file to the FishIDs that its names already have.

    Raises:
        IntegrityError: A name is there under another FishID.
    """
    owners = {row.name.upper(): key for key, row in stored.items()}
    for fish_id, name in rows:
        owner = owners.get(name.upper(), fish_id)
        if owner != fish_id:
            raise IntegrityError(
                f"A name must have one FishID. {source} gives {name} the FishID {fish_id}; "
                f"in MeetUp2025.Fish it is {owner}."
            )


def check_models(table: str, model: str, models: Iterable[str | None]) -> None:
    """
    Hold a table to vectors of one model; rows without a model were inserted by hand and are taken as they are.

    Raises:
        ModelMismatchError: One of *models* is not *model*.
    """
    others = sorted({other for other in models if other and other != model})
    if others:
        raise ModelMismatchError(
            f"The vectors of MeetUp2025.{table} must all be of one model. The table has {', '.join(others)}; this is "
            f"{model}: set MEETUP2025_MODEL={others[0].partition('@')[0]}, or empty the table and load it again."
        )


def check_search(connection: Connection, table: str, model: str) -> None:
    """
    Hold a search of *table* to the model of its vectors.

    Raises:
        DataError: The table is empty.
        ModelMismatchError: The table has vectors of another model than *model*.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT Model FROM MeetUp2025.VectorModels() WHERE Source = ?", [table])
        models = [row[0] for row in cursor.fetchall()]
    if not models:
        load = "LoadNames('catalogue/fish.csv')" if table == "Fish" else "LoadImages('samples')"
        raise DataError(f"MeetUp2025.{table} must have rows to search. Got none: SELECT MeetUp2025.{load} first.")
    check_models(table, model, models)


def insert_or_update(
    cursor: Cursor, insert: str, update: str, rows: Sequence[tuple[Any, ...]], stored: Mapping[str, Any]
) -> None:
    """Write *rows*, whose first value is the key; the UPDATE takes the key last."""
    new = [row for row in rows if row[0].upper() not in stored]
    known = [(*row[1:], row[0]) for row in rows if row[0].upper() in stored]
    if new:
        cursor.executemany(insert, new)
    if known:
        cursor.executemany(update, known)


def _rows(connection: Connection, sql: str) -> list[tuple[str, ...]]:
    """Read text columns; IRIS makes NULL of an empty string, so both are one here."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return [tuple("" if value is None else str(value) for value in row) for row in cursor.fetchall()]
