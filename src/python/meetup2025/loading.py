"""
Names and vectors from files into tables: what `LoadNames` and `LoadVectors` do.

A load reads what is there, works out what is new or different, and writes that alone, in one transaction.
Whatever fails, fails before the commit: the tables are as before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

from meetup2025 import vectors
from meetup2025.readers import FishRecord, VectorRecord, read_names, read_vectors
from meetup2025.stored import (
    StoredFish,
    check_models,
    check_names,
    insert_or_update,
    stored_fish,
    stored_images,
)

if TYPE_CHECKING:
    from meetup2025.embedding import Encoder
    from meetup2025.engines import Connection, Cursor

T = TypeVar("T")

_BATCH = 500
"""Rows written at once: large enough that the cost of a statement vanishes, small enough for the memory of a server."""

_INSERT_FISH = """
INSERT INTO MeetUp2025.Fish (FishID, Name, Kanji, OtherNames, English, Scientific, Family, Model, Features)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, TO_VECTOR(?, DOUBLE))"""
_UPDATE_FISH = """
UPDATE MeetUp2025.Fish SET Name = ?, Kanji = ?, OtherNames = ?, English = ?, Scientific = ?, Family = ?, Model = ?,
Features = TO_VECTOR(?, DOUBLE) WHERE FishID = ?"""
_UPDATE_WORDS = """
UPDATE MeetUp2025.Fish SET Kanji = ?, OtherNames = ?, English = ?, Scientific = ?, Family = ? WHERE FishID = ?"""
_INSERT_FISH_VECTOR = """
INSERT INTO MeetUp2025.Fish (FishID, Name, Model, Features) VALUES (?, ?, ?, TO_VECTOR(?, DOUBLE))"""
_UPDATE_FISH_VECTOR = """
UPDATE MeetUp2025.Fish SET Name = ?, Model = ?, Features = TO_VECTOR(?, DOUBLE) WHERE FishID = ?"""
_INSERT_IMAGE_VECTOR = """
INSERT INTO MeetUp2025.FishImage (Name, Source, Model, Features) VALUES (?, ?, ?, TO_VECTOR(?, DOUBLE))"""
_UPDATE_IMAGE_VECTOR = """
UPDATE MeetUp2025.FishImage SET Source = ?, Hash = NULL, Model = ?, Features = TO_VECTOR(?, DOUBLE) WHERE Name = ?"""


def load_names(connection: Connection, file: BinaryIO, source: str, encoder: Encoder) -> int:
    """
    Load a catalogue of names; see `MeetUp2025.LoadNames`.

    Args:
        connection: An open connection; the load is one transaction of it.
        file: A CSV file, as `readers.read_names` takes it.
        source: Name of the file, for messages.
        encoder: Makes the vectors of new and changed names.

    Returns:
        Number of rows added or changed.

    Raises:
        InvalidFileError: The file breaks a rule.
        IntegrityError: A name of the file is already there under another FishID.
        ModelMismatchError: Rows that the file does not replace have vectors of another model.
    """
    records = read_names(file, source)
    stored = stored_fish(connection)
    check_names(stored, ((record.fish_id, record.name) for record in records), source)
    embed = [record for record in records if _needs_vector(stored.get(record.fish_id), record, encoder.model)]
    words = [record for record in records if record not in embed and astuple(record) != _words(stored[record.fish_id])]
    check_models("Fish", encoder.model, _models_left(stored, {record.fish_id for record in embed}))
    with connection.transaction(), connection.cursor() as cursor:
        for batch in progress(batches(embed, _BATCH), "names", len(embed)):
            made = encoder.texts([record.name for record in batch])
            rows = [(*astuple(record), encoder.model, vector) for record, vector in zip(batch, made, strict=True)]
            insert_or_update(cursor, _INSERT_FISH, _UPDATE_FISH, rows, stored)
        if words:
            cursor.executemany(_UPDATE_WORDS, [(*astuple(record)[2:], record.fish_id) for record in words])
    return len(embed) + len(words)


def load_vectors(connection: Connection, file: BinaryIO, source: str, table: str, model: str) -> int:
    """
    Load vectors made elsewhere; see `MeetUp2025.LoadVectors`.

    Args:
        connection: An open connection; the load is one transaction of it.
        file: A JSON Lines file, as `readers.read_vectors` takes it.
        source: Name of the file, for messages and the column Source.
        table: `Fish` or `FishImage`.
        model: Model that made the vectors.

    Returns:
        Number of rows added or changed.

    Raises:
        InvalidFileError: The file breaks a rule.
        IntegrityError: A name of the file is already there under another FishID.
        ModelMismatchError: Rows that the file does not replace have vectors of another model.
    """
    stored: Mapping[str, Any] = stored_fish(connection) if table == "Fish" else stored_images(connection)
    changed = 0
    keys: set[str] = set()
    with connection.transaction(), connection.cursor() as cursor:
        for batch in progress(batches(read_vectors(file, source, table), _BATCH), "vectors"):
            if table == "Fish":
                check_names(stored, ((record.key, record.name) for record in batch), source)
            keys.update(record.key.upper() for record in batch)
            fresh = _without_unchanged(cursor, batch, stored, table, model)
            _write_vectors(cursor, fresh, stored, table, source, model)
            changed += len(fresh)
        check_models(table, model, _models_left(stored, keys))
    return changed


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Cut *items* into lists of *size*, the last one shorter."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def progress(items: Iterable[list[T]], unit: str, total: int | None = None) -> Iterator[list[T]]:
    """Show how far a load has come, on a terminal only."""
    from tqdm import tqdm

    with tqdm(total=total, unit=f" {unit}", disable=None, leave=False) as bar:
        for batch in items:
            yield batch
            bar.update(len(batch))


def _needs_vector(row: StoredFish | None, record: FishRecord, model: str) -> bool:
    return row is None or row.name != record.name or row.model != model


def _words(row: StoredFish) -> tuple[str, ...]:
    return astuple(row)[:-1]


def _models_left(stored: Mapping[str, Any], replaced: set[str]) -> list[str]:
    return [row.model for key, row in stored.items() if key not in replaced]


def _without_unchanged(
    cursor: Cursor, batch: list[VectorRecord], stored: Mapping[str, Any], table: str, model: str
) -> list[VectorRecord]:
    """Leave out the records that are in the table as they are in the file."""
    known = [record.key for record in batch if (row := stored.get(record.key.upper())) and row.model == model]
    if not known:
        return batch
    key = "FishID" if table == "Fish" else "Name"
    marks = ", ".join("?" * len(known))
    cursor.execute(f"SELECT {key}, Name, Features FROM MeetUp2025.{table} WHERE {key} IN ({marks})", known)
    same = {row[0].upper(): (row[1], vectors.from_text(row[2])) for row in cursor.fetchall() if row[2]}
    return [record for record in batch if not _is_same(record, same.get(record.key.upper()))]


def _is_same(record: VectorRecord, row: tuple[str, Any] | None) -> bool:
    return row is not None and row[0] == record.name and bool((row[1] == record.vector).all())


def _write_vectors(
    cursor: Cursor, records: list[VectorRecord], stored: Mapping[str, Any], table: str, source: str, model: str
) -> None:
    if table == "Fish":
        rows: list[tuple[Any, ...]] = [(each.key, each.name, model, each.vector) for each in records]
        insert_or_update(cursor, _INSERT_FISH_VECTOR, _UPDATE_FISH_VECTOR, rows, stored)
    else:
        rows = [(each.key, source, model, each.vector) for each in records]
        insert_or_update(cursor, _INSERT_IMAGE_VECTOR, _UPDATE_IMAGE_VECTOR, rows, stored)
