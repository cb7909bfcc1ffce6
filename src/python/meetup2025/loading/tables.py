"""The present rows of the tables, read before a load, so that it writes only new and different rows."""

from __future__ import annotations

import hashlib
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from meetup2025 import vectors
from meetup2025.embedding.models import installed
from meetup2025.engines.arguments import selected
from meetup2025.errors import DataError, IntegrityError, ModelMismatchError, UnknownNameError, listed
from meetup2025.loading.rows import StoredFish, StoredImage
from meetup2025.loading.spelling import folded, normal

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from meetup2025.engines import Connection, Cursor

T = TypeVar("T")

_BATCH = 500
"""Rows that are written at once: the cost of a statement vanishes, and the memory of a server suffices."""


def stored_fish(connection: Connection) -> dict[str, StoredFish]:
    """Read the rows of `MeetUp2025.Fish` by FishID, `folded`, because the case of a key does not count."""
    columns = "FishID, Name, Kanji, OtherNames, English, Scientific, Family, Model, Prompts"
    rows = _rows(connection, f"SELECT {columns} FROM MeetUp2025.FishCatalogue()")
    return {folded(fish_id): StoredFish(fish_id.upper(), *rest) for fish_id, *rest in rows}


def stored_images(connection: Connection) -> dict[str, StoredImage]:
    """Read the rows of `MeetUp2025.FishImage` by Name, `folded`."""
    rows = _rows(connection, "SELECT Name, Label, Source, Hash, Model FROM MeetUp2025.ImageCatalogue()")
    return {folded(row[0]): StoredImage(*row) for row in rows}


def prompt_key(model: str, text: str) -> str:
    """Return the key of a prompt: a hash, because an index of IRIS makes no difference between a and A."""
    return hashlib.sha256(f"{model}\n{text}".encode()).hexdigest()


def stored_prompts(connection: Connection, model: str, texts: Iterable[str]) -> dict[str, NDArray[np.float32]]:
    """Read the vectors that the model has already made of some of *texts*."""
    of_key = {prompt_key(model, text): text for text in texts}
    with connection.cursor() as cursor:
        rows = selected(cursor, "SELECT Hash, Features FROM MeetUp2025.Prompt WHERE Hash IN (?)", [*of_key])
        # As float32 they equal the numbers of the model, to the last bit.
        return {of_key[key]: vectors.from_text(text).astype(np.float32) for key, text in rows}


def rows_of_images(cursor: Cursor, names: Sequence[str]) -> dict[str, StoredImage]:
    """Read the rows of some photos, as `stored_images` does."""
    sql = "SELECT Name, Label, Source, Hash, Model FROM MeetUp2025.FishImage WHERE Name IN (?)"
    rows = selected(cursor, sql, names)
    return {folded(row[0]): StoredImage(*(value or "" for value in row)) for row in rows}


def names_of_fish(connection: Connection) -> dict[str, str]:
    """
    Map names of all kinds, `folded`, to names of the catalogue.

    The kinds are kana, kanji, market, regional, growth-stage, English and scientific names. A name that belongs to two
    rows is left out, unless it is the kana name of one of them.
    """
    names: dict[str, str | None] = {}
    rows = list(stored_fish(connection).values())
    for row in rows:
        for other in (row.kanji, *row.other_names.split(";"), row.english, row.scientific):
            key = folded(normal(other))
            names[key] = row.name if names.get(key, row.name) == row.name else None
    names.update((folded(normal(row.name)), row.name) for row in rows)
    return {key: name for key, name in names.items() if key and name}


def known_names(connection: Connection, names: Iterable[str]) -> list[str]:
    """
    Find the catalogue names for *names*, as `names_of_fish` does.

    Raises:
        UnknownNameError: No row has one of the names.
    """
    catalogue = names_of_fish(connection)
    found = {name.strip(): catalogue.get(folded(normal(name)), "") for name in names}
    if unknown := [name for name, known in found.items() if not known]:
        raise UnknownNameError(
            "A name must be that of one fish of MeetUp2025.Fish; SELECT * FROM MeetUp2025.FishCatalogue() lists the "
            f"names. Got {listed(unknown)}."
        )
    return [found[name.strip()] for name in names]


def names_given_up(stored: Mapping[str, StoredFish], names: Mapping[str, str]) -> list[str]:
    """
    Find the FishIDs whose name goes to another FishID, as in an exchange. `set_names_free` must run first.

    Args:
        stored: The rows of the table.
        names: FishID and name of each row to write.

    Raises:
        IntegrityError: Two FishIDs would have one name.
    """
    owners: dict[str, str] = {}
    for fish_id, name in {**{key: row.name for key, row in stored.items()}, **names}.items():
        owner = owners.setdefault(folded(name), fish_id)
        if owner != fish_id:
            raise IntegrityError(
                f"A name must have one FishID. {name} would have {owner}, which is in MeetUp2025.Fish, and {fish_id}: "
                "give it the FishID of the table, or delete that row first."
            )
    return [key for key, row in stored.items() if owners.get(folded(row.name), key) != key]


def set_names_free(cursor: Cursor, fish_ids: Iterable[str]) -> None:
    """Set the names of rows to names that no fish has, until the load sets their new names."""
    run_many(cursor, "UPDATE MeetUp2025.Fish SET Name = ? WHERE FishID = ?", [(f"#{each}", each) for each in fish_ids])


def check_models(table: str, model: str, models: Iterable[str]) -> None:
    """
    Check that a table has vectors of one model. Rows without a model were inserted by hand, and are accepted.

    A model without a revision, as in a file of another program, fits any revision of it.

    Raises:
        ModelMismatchError: One of *models* is not *model*.
    """
    others = sorted({other for other in models if other and not _is_same_model(other, model)})
    if others:
        raise ModelMismatchError(
            f"The vectors of MeetUp2025.{table} must all be of one model. The table has {', '.join(others)}; this is "
            f"{model}: take the model of the table (settings MEETUP2025_MODEL and MEETUP2025_RUNTIME), or empty the "
            "table and load it again."
        )


def check_lost(table: str, model: str, replaced: Iterable[str]) -> None:
    """
    Refuse to replace vectors that could not be made again, such as vectors from `LoadVectors`.

    Args:
        table: Name of the table.
        model: Model of the new vectors.
        replaced: Models of the vectors to replace. Empty stands for no model.

    Raises:
        ModelMismatchError: One of *replaced* is neither *model* nor installed here.
    """
    others = {other for other in replaced if other and not _is_same_model(other, model)}
    if not others:
        return
    known = [each.model + half for each in installed() for half in (("", each.int8.suffix) if each.int8 else ("",))]
    lost = sorted(other for other in others if not any(_is_same_model(other, each) for each in known))
    if lost:
        raise ModelMismatchError(
            f"Vectors of MeetUp2025.{table} must not be replaced where they could not be made again. Got some of "
            f"{', '.join(lost)}, which is not installed here; the new ones would be of {model}: change words by "
            "UPDATE, or delete the rows first."
        )


def models_left(stored: Mapping[str, StoredFish | StoredImage], replaced: Container[str]) -> list[str]:
    """Return the models of the rows that a load does not change. *replaced* are keys, `folded`."""
    return [row.model for key, row in stored.items() if key not in replaced]


def models_of(connection: Connection, table: str) -> dict[str, int]:
    """Count the rows of *table* by their models. Rows without a model count under an empty one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT Model, Vectors FROM MeetUp2025.VectorModels() WHERE Source = ?", [table])
        return {row[0] or "": int(row[1]) for row in cursor.fetchall()}


def how_to_fill(table: str) -> str:
    """Return what fills a table, on the command line and in SQL."""
    if table == "Fish":
        return "run `meetup2025 load names`, or SELECT MeetUp2025.LoadNames('catalogue/fish.csv')"
    if table == "FishImage":
        return "run `meetup2025 load photos FOLDER`, or SELECT MeetUp2025.LoadImages('samples')"
    return f"insert rows with vectors into the table of {table}"


def check_search(connection: Connection, table: str, model: str) -> None:
    """
    Check that a search of *table* uses the model of its vectors.

    Raises:
        DataError: The table is empty.
        ModelMismatchError: The table has vectors of another model than *model*.
    """
    models = models_of(connection, table)
    if not models:
        raise DataError(f"MeetUp2025.{table} must have rows to search. Got none: {how_to_fill(table)}.")
    check_models(table, model, models)


def insert_or_update(
    cursor: Cursor,
    insert: str,
    update: str,
    rows: Sequence[tuple[Any, ...]],
    stored: Mapping[str, StoredFish | StoredImage],
) -> None:
    """Write *rows*, whose first value is the key. The UPDATE takes last the key that the table has."""
    for batch in batches((row for row in rows if folded(row[0]) not in stored), _BATCH):
        *columns, made = zip(*batch, strict=True)
        given = [[value if value != "" else None for value in column] for column in columns]  # NULL, as IRIS stores it
        cursor.insert_columns(insert, [*given, np.stack(made)])
    run_many(cursor, update, [(*row[1:], stored[folded(row[0])].key) for row in rows if folded(row[0]) in stored])


def run_many(cursor: Cursor, sql: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """Run a statement for each of *rows*, which may be empty. An empty string becomes NULL, as IRIS stores it."""
    for batch in batches(rows, _BATCH):
        cursor.executemany(sql, [tuple(None if isinstance(v, str) and not v else v for v in row) for row in batch])


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Cut *items* into lists of *size*. The last list may be shorter."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def _is_same_model(one: str, other: str) -> bool:
    (one_id, _, one_revision), (other_id, _, other_revision) = one.partition("@"), other.partition("@")
    return one_id == other_id and (one_revision == other_revision or not (one_revision and other_revision))


def _rows(connection: Connection, sql: str) -> list[tuple[str, ...]]:
    """Read text columns. NULL becomes an empty string, because IRIS makes NULL of an empty string."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return [tuple("" if value is None else str(value) for value in row) for row in cursor.fetchall()]
