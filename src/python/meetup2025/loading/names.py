"""
Loading of names and vectors from files into tables: the work of `LoadNames` and `LoadVectors`.

A load reads the table, works out the new and different rows, and writes only these. Every fault of a file or a model
shows before the first row is written. So nothing is half done, even inside a transaction of the caller.
"""

from __future__ import annotations

import tempfile
from dataclasses import asdict, astuple, replace
from typing import IO, TYPE_CHECKING, Any, BinaryIO, TypeVar

import numpy as np

from meetup2025 import vectors
from meetup2025.engines.arguments import selected
from meetup2025.iris_process import is_watched
from meetup2025.loading import prompts
from meetup2025.loading.prompts import BARE, Template, prompts_of
from meetup2025.loading.records import DIMENSION, FishRecord, VectorRecord, read_names, read_vectors
from meetup2025.loading.rows import StoredFish, StoredImage
from meetup2025.loading.spelling import folded
from meetup2025.loading.tables import (
    batches,
    check_lost,
    check_models,
    insert_or_update,
    models_left,
    names_given_up,
    names_of_fish,
    prompt_key,
    run_many,
    set_names_free,
    stored_fish,
    stored_images,
    stored_prompts,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from meetup2025.embedding import Encoder
    from meetup2025.engines import Connection, Cursor

T = TypeVar("T")

_NOTHING = np.empty(0)

_BATCH = 500
"""Records that are in memory at once."""

_INSERT_FISH = """
INSERT INTO MeetUp2025.Fish (FishID, Name, Kanji, OtherNames, English, Scientific, Family, Model, Prompts, Features)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, TO_VECTOR(?, DOUBLE))"""
UPDATE_FISH = """
UPDATE MeetUp2025.Fish SET Name = ?, Kanji = ?, OtherNames = ?, English = ?, Scientific = ?, Family = ?, Model = ?,
Prompts = ?, Features = TO_VECTOR(?, DOUBLE) WHERE FishID = ?"""
_UPDATE_WORDS = """
UPDATE MeetUp2025.Fish SET Name = ?, Kanji = ?, OtherNames = ?, English = ?, Scientific = ?, Family = ?, Model = ?,
Prompts = ? WHERE FishID = ?"""
_INSERT_PROMPT = """
INSERT INTO MeetUp2025.Prompt (Hash, Model, Text, Features) VALUES (?, ?, ?, TO_VECTOR(?, DOUBLE))"""

_INSERT_VECTOR = {
    "Fish": """
INSERT INTO MeetUp2025.Fish (FishID, Name, Model, Features) VALUES (?, ?, ?, TO_VECTOR(?, DOUBLE))""",
    "FishImage": """
INSERT INTO MeetUp2025.FishImage (Name, Label, Source, Model, Features)
VALUES (?, ?, ?, ?, TO_VECTOR(?, DOUBLE))""",
}
_UPDATE_VECTOR = {
    "Fish": """
UPDATE MeetUp2025.Fish SET Name = ?, Prompts = NULL, Model = ?, Features = TO_VECTOR(?, DOUBLE) WHERE FishID = ?""",
    "FishImage": """
UPDATE MeetUp2025.FishImage SET Label = ?, Source = ?, Hash = NULL, Model = ?, Features = TO_VECTOR(?, DOUBLE)
WHERE Name = ?""",
}


def load_names(
    connection: Connection, file: BinaryIO, source: str, encoder: Encoder, chosen: frozenset[Template] = BARE
) -> int:
    """
    Load a catalogue of names: `MeetUp2025.LoadNames`.

    Args:
        connection: An open connection. The load is one transaction.
        file: A CSV file, as for `records.read_names`. Columns that the file does not have keep their values.
        source: Name of the file, for messages.
        encoder: Makes the vectors of new and changed names.
        chosen: Templates of the prompts of a name. A row with other templates is changed.

    Returns:
        Number of rows added or changed.

    Raises:
        InvalidFileError: The file breaks a rule.
        DataError: A row has no name for any of the templates.
        IntegrityError: A name of the file already has another FishID in the table.
        ModelMismatchError: Rows that the file does not replace have vectors of another model, or a row that it replaces
            has a vector that could not be made again.
    """
    stored = stored_fish(connection)
    records = read_names(file, source)
    wanted = [
        replace(_row(record, stored.get(record.fish_id)), model=encoder.model, prompts=prompts.record(chosen))
        for record in records
    ]
    prompts.check_prompts(wanted)
    given_up = names_given_up(stored, {row.fish_id: row.name for row in wanted})
    check_models("Fish", encoder.model, models_left(stored, {row.fish_id for row in wanted}))
    changed = [row for row in wanted if row != stored.get(row.fish_id)]
    embed = [row for row in changed if _needs_vector(row, stored.get(row.fish_id))]
    words = [row for row in changed if not _needs_vector(row, stored.get(row.fish_id))]
    check_lost("Fish", encoder.model, [stored[row.fish_id].model for row in embed if row.fish_id in stored])
    made, new = made_vectors(connection, encoder, embed, keep=chosen != BARE)
    with connection.transaction(), connection.cursor() as cursor:
        set_names_free(cursor, given_up)
        rows = [(*astuple(row), vector) for row, vector in zip(embed, made, strict=True)]
        insert_or_update(cursor, _INSERT_FISH, UPDATE_FISH, rows, stored)
        run_many(cursor, _UPDATE_WORDS, [(*astuple(row)[1:], row.fish_id) for row in words])
        run_many(cursor, _INSERT_PROMPT, new)
    return len(changed)


def load_vectors(connection: Connection, file: BinaryIO, source: str, table: str, model: str) -> int:
    """
    Load vectors of another program: `MeetUp2025.LoadVectors`.

    Args:
        connection: An open connection. The load is one transaction.
        file: A JSON Lines file, as for `records.read_vectors`. All of it is checked before the first row is written.
        source: Name of the file, for messages and the column Source.
        table: `Fish` or `FishImage`.
        model: Model that made the vectors.

    Returns:
        Number of rows added or changed.

    Raises:
        InvalidFileError: The file breaks a rule.
        IntegrityError: A name of the file already has another FishID in the table.
        ModelMismatchError: Rows that the file does not replace have vectors of another model.
    """
    fish = stored_fish(connection) if table == "Fish" else {}
    stored: Mapping[str, Any] = fish if table == "Fish" else stored_images(connection)
    with tempfile.TemporaryFile() as vectors_read:
        spool = _Spool(vectors_read, read_vectors(file, source, table))
        names = {folded(record.key): record.name for record in spool.records}
        given_up = names_given_up(fish, names) if table == "Fish" else []
        check_models(table, model, models_left(stored, names))
        labels = names_of_fish(connection) if table == "FishImage" else {}
        changed = 0
        with connection.transaction(), connection.cursor() as cursor:
            set_names_free(cursor, given_up)
            for batch in progress(spool.batches(_BATCH), "vectors", len(names)):
                records = batch
                if table == "FishImage":
                    records = [_labelled(each, stored.get(folded(each.key)), labels) for each in batch]
                same = _unchanged(cursor, [each for each in records if _is_known(each, stored, model)], table)
                rows = [
                    (each.key, *((each.name,) if table == "Fish" else (each.label, source[:500])), model, each.vector)
                    for each in records
                    if each.key not in same
                ]
                insert_or_update(cursor, _INSERT_VECTOR[table], _UPDATE_VECTOR[table], rows, stored)
                changed += len(rows)
    return changed


class _Spool:
    """
    The records of a file, read and checked to the end, with their vectors in another file: not all in memory.

    Args:
        file: File for the vectors.
        records: The records.

    Attributes:
        records: The records without their vectors.
    """

    def __init__(self, file: IO[bytes], records: Iterable[VectorRecord]) -> None:
        self._file = file
        self.records = [self._put(record) for record in records]

    def _put(self, record: VectorRecord) -> VectorRecord:
        self._file.write(record.vector.tobytes())
        return replace(record, vector=_NOTHING)

    def batches(self, size: int) -> Iterator[list[VectorRecord]]:
        """Yield the records with their vectors."""
        self._file.seek(0)
        for batch in batches(self.records, size):
            numbers = np.frombuffer(self._file.read(len(batch) * DIMENSION * 8)).reshape(len(batch), DIMENSION)
            yield [replace(record, vector=vector) for record, vector in zip(batch, numbers, strict=True)]


def progress(items: Iterable[list[T]], unit: str, total: int) -> Iterator[list[T]]:
    """Show the progress of a load, on a terminal only."""
    from tqdm import tqdm

    with tqdm(total=total, unit=f" {unit}", disable=not is_watched(), leave=False) as bar:
        for batch in items:
            yield batch
            bar.update(len(batch))


def _row(record: FishRecord, before: StoredFish | None) -> StoredFish:
    """Return the words that the row should have."""
    given = {column: value for column, value in asdict(record).items() if value is not None}
    return replace(before or StoredFish(record.fish_id, record.name), **given)


def _needs_vector(row: StoredFish, before: StoredFish | None) -> bool:
    return before is None or (prompts_of(row), row.model) != (prompts_of(before), before.model)


def made_vectors(
    connection: Connection, encoder: Encoder, rows: list[StoredFish], *, keep: bool
) -> tuple[list[NDArray[Any]], list[tuple[Any, ...]]]:
    """
    Return the vectors of rows, and the new rows of `MeetUp2025.Prompt`.

    Bare names are not kept there: their vectors are in `MeetUp2025.Fish`.
    """
    texts = list(dict.fromkeys(text for row in rows for text in prompts_of(row)))
    known: dict[str, NDArray[Any]] = dict(stored_prompts(connection, encoder.model, texts)) if keep else {}
    new = [text for text in texts if text not in known]
    for batch in progress(batches(new, _BATCH), "texts", len(new)):
        known.update(zip(batch, encoder.texts(batch), strict=True))
    made = [vectors.mean(np.stack([known[text] for text in prompts_of(row)])) for row in rows]
    return made, [(prompt_key(encoder.model, text), encoder.model, text, known[text]) for text in new if keep]


def _labelled(
    record: VectorRecord, before: StoredFish | StoredImage | None, labels: Mapping[str, str]
) -> VectorRecord:
    """Set the label of a photo to the name of the catalogue. A photo whose line has no label keeps its label."""
    label = labels.get(folded(record.label), record.label)
    return replace(record, label=label or (before.label if isinstance(before, StoredImage) else ""))


def _is_known(record: VectorRecord, stored: Mapping[str, Any], model: str) -> bool:
    """Check whether a row has the right model and label."""
    before = stored.get(folded(record.key))
    return before is not None and (before.model, getattr(before, "label", "")) == (model, record.label)


def _unchanged(cursor: Cursor, records: list[VectorRecord], table: str) -> set[str]:
    """Find the keys of records whose row in the table equals the file, apart from the rounding of numbers as text."""
    key = "FishID" if table == "Fish" else "Name"
    sql = f"SELECT {key}, Name, Features FROM MeetUp2025.{table} WHERE {key} IN (?)"
    cursor.wants_arrays = True
    found = selected(cursor, sql, [record.key for record in records])
    rows = {folded(row[0]): (row[1], vectors.of_database(row[2])) for row in found if row[2] is not None}
    return {record.key for record in records if _is_same(record, rows.get(folded(record.key)), table)}


def _is_same(record: VectorRecord, row: tuple[str, Any] | None, table: str) -> bool:
    if row is None or (table == "Fish" and row[0] != record.name):
        return False
    return bool(np.allclose(row[1], record.vector, rtol=0, atol=1e-12))
