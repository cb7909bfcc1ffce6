"""
The sources of analyses: rows with a key, names and a vector.

`Fish`, `FishImage` and `Both` always exist. An administrator can register any other table with a key, a name and a
vector in `MeetUp2025.SourceTable`.

SQL cannot take the name of a table as a parameter. So a registered table is looked up in INFORMATION_SCHEMA at each
use. The statement has the spelling of INFORMATION_SCHEMA, in quotes, never the spelling of a caller.
"""

from __future__ import annotations

import hashlib
from dataclasses import astuple, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from meetup2025 import vectors
from meetup2025.engines.tokens import identifier, qualified
from meetup2025.errors import DataError, InvalidVectorError, ModelMismatchError, ProgrammingError, listed, shown
from meetup2025.loading.spelling import known_word
from meetup2025.loading.tables import how_to_fill, run_many
from meetup2025.runs.json_rows import json_rows
from meetup2025.runs.store import Basis

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from meetup2025.engines import Connection, Cursor
    from meetup2025.runs.store import StoredRun


_BUILT_IN = {
    "Fish": "SELECT FishID, Name, Family, Model, Features FROM MeetUp2025.Fish WHERE Features IS NOT NULL",
    "FishImage": "SELECT Name, Name, Label, Model, Features FROM MeetUp2025.FishImage WHERE Features IS NOT NULL",
}
BOTH = "Both"
"""The source of names and photos together."""

RESERVED = (*_BUILT_IN, BOTH)
"""Sources that always exist."""

SHORT = 16
"""Digits of a hash that a person may have to read."""

_BATCH = 1000
"""Rows read at once."""


@dataclass(frozen=True)
class Items:
    """
    The rows of a source that have a vector, ordered by their keys.

    Attributes:
        source: Name of the source.
        tables: Table of each row: `Fish`, `FishImage` or the source.
        keys: Key of each row in its table.
        names: Name of each row.
        labels: Family of a name, label of a photo, or value of a registered column. Empty where there is none.
        model: Model of the vectors. Empty where it is not known.
        vectors: Vectors, shape (n, d), float32.
    """

    source: str
    tables: tuple[str, ...]
    keys: tuple[str, ...]
    names: tuple[str, ...]
    labels: tuple[str, ...]
    model: str
    vectors: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.keys)

    @cached_property
    def hash(self) -> str:
        """Return the first digits of the SHA-256 of all that an analysis may use, in hexadecimal."""
        words = zip(self.tables, self.keys, self.names, self.labels, strict=True)
        digest = hashlib.sha256("\n".join(map(repr, words)).encode())
        digest.update(np.ascontiguousarray(self.vectors).data)
        return digest.hexdigest()[:SHORT]

    @property
    def basis(self) -> Basis:
        """Return the part that a run remembers."""
        return Basis(self.source, self.hash, self.model, len(self))

    def rows(self, places: Iterable[int] | None = None) -> Iterator[tuple[str, str, str]]:
        """Return table, key and name of each row, or of the rows at *places*. Results begin with these columns."""
        for place in range(len(self)) if places is None else places:
            yield self.tables[place], self.keys[place], self.names[place]


def read_items(connection: Connection, source: str) -> Items:
    """
    Read a source.

    Args:
        connection: An open connection.
        source: `Fish`, `FishImage`, `Both` or a registered name, in any case.

    Raises:
        DataError: The source is not known, or has no vectors.
        InvalidVectorError: The vectors have several lengths.
        ModelMismatchError: The vectors are of several models.
    """
    name = known_word(source, RESERVED)
    parts = [name] if name in _BUILT_IN else list(_BUILT_IN) if name == BOTH else []
    if parts:
        items = _joined(name, [_read(connection, part, _BUILT_IN[part]) for part in parts])
    else:
        known = registered(connection, source)
        items = _read(connection, known.name, quoted(known))
    if not len(items):
        raise _empty(items.source)
    return items


class SourceVectors(NamedTuple):
    """
    The vectors of a source.

    Attributes:
        keys: Key of each row, ordered.
        vectors: Vectors, shape (n, d), float32.
        labels: Label of each row. Empty where there is none.
    """

    keys: list[str]
    vectors: NDArray[np.float32]
    labels: list[str]


def read_vectors(connection: Connection, source: str) -> SourceVectors:
    """
    Read the vectors of a source as an array: `meetup2025.read_vectors`.

    Args:
        connection: An open connection.
        source: `Fish`, `FishImage`, `Both` or a registered name, in any case.

    Raises:
        DataError: The source is not known, or has no vectors.
    """
    items = read_items(connection, source)
    return SourceVectors(list(items.keys), items.vectors, list(items.labels))


def has_changed(connection: Connection, run: StoredRun) -> bool:
    """
    Check whether the source of a run has changed since the run.

    Raises:
        DataError: The source does not exist any more, or has no vectors.
    """
    return read_items(connection, run.basis.source).hash != run.basis.hash


def check_same_model(items: Items, run: StoredRun) -> None:
    """
    Check that vectors can be compared with the vectors of a run. An empty model fits any.

    Raises:
        ModelMismatchError: The vectors are of two models.
    """
    _model(f"{items.source} and run {run.run}", [items.model, run.basis.model])


def check_compatible(items: Items, others: Items) -> None:
    """
    Check that the vectors of two sources can be compared.

    Raises:
        ModelMismatchError: The vectors are of two models.
        InvalidVectorError: The vectors have two lengths.
    """
    both = f"{items.source} and {others.source}"
    _model(both, [items.model, others.model])
    if items.vectors.shape[1] != others.vectors.shape[1]:
        raise _lengths(both)


def _read(connection: Connection, source: str, sql: str) -> Items:
    with connection.cursor() as cursor:
        cursor.wants_arrays = True
        cursor.execute(sql)
        rows, array = _fetched(cursor, source)
    order = sorted(range(len(rows)), key=lambda place: rows[place][0])
    keys, names, labels, models = (tuple(rows[place][column] for place in order) for column in range(4))
    return Items(source, (source,) * len(rows), keys, names, labels, _model(source, models), array[order])


def _fetched(cursor: Cursor, source: str) -> tuple[list[tuple[str, ...]], NDArray[np.float32]]:
    """Read the rows, and the vectors batch by batch: the text of vectors takes more memory than the vectors."""
    rows: list[tuple[str, ...]] = []
    arrays: list[NDArray[np.float32]] = []
    while batch := cursor.fetchmany(_BATCH):
        *columns, given = zip(*batch, strict=True)
        rows += zip(*(map(_text, column) for column in columns), strict=True)
        arrays.append(_vectors(given, source, columns[0]))
    if len({array.shape[1] for array in arrays}) > 1:
        raise _lengths(source)
    return rows, np.concatenate(arrays) if arrays else np.empty((0, 0), np.float32)


def _vectors(given: Sequence[Any], source: str, keys: Sequence[Any]) -> NDArray[np.float32]:
    """Return a batch of vectors. An error names the first wrong row."""
    try:
        return vectors.single(np.stack([vectors.of_database(value) for value in given]))
    except ValueError as error:
        for value, key in zip(given, keys, strict=True):
            _check(value, key, source)
        raise _lengths(source) from error


def _empty(*sources: str) -> DataError:
    ways = ", and ".join(map(how_to_fill, sources))
    return DataError(f"A source to analyse must have vectors. Got none in {', '.join(sources)}: {ways}.")


def _check(value: Any, key: Any, source: str) -> None:
    try:
        vectors.check(vectors.of_database(value))
    except InvalidVectorError as error:
        raise InvalidVectorError(f"{source}, {key}: {error}", sqlcode=error.sqlcode) from error


def _joined(source: str, parts: Sequence[Items]) -> Items:
    filled = [part for part in parts if len(part)]
    if len(filled) < len(parts):
        raise _empty(*(part.source for part in parts if not len(part)))
    tables, keys, names, labels = (
        tuple(value for part in parts for value in getattr(part, field))
        for field in ("tables", "keys", "names", "labels")
    )
    if len({part.vectors.shape[1] for part in parts}) > 1:
        raise _lengths(source)
    model = _model(source, [part.model for part in parts])
    return Items(source, tables, keys, names, labels, model, np.concatenate([part.vectors for part in parts]))


def _model(source: str, models: Iterable[str]) -> str:
    several = sorted({each for each in models if each})
    if len(several) > 1:
        raise ModelMismatchError(
            f"The vectors of {source} must be of one model to be compared. Got {', '.join(several)}; load those of "
            "one model again."
        )
    return several[0] if several else ""


def _lengths(source: str) -> InvalidVectorError:
    return InvalidVectorError(
        f"The vectors of {source} must have one length. Got several.", sqlcode=vectors.WRONG_LENGTH
    )


def _text(value: Any) -> str:
    return "" if value is None else str(value)


_COLUMNS = """
SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, DATA_TYPE FROM INFORMATION_SCHEMA.COLUMNS
WHERE UPPER(TABLE_SCHEMA) = UPPER(?) AND UPPER(TABLE_NAME) = UPPER(?)
ORDER BY ORDINAL_POSITION"""
_SELECT = """
SELECT Name, TableName, ItemColumn, NameColumn, VectorColumn, LabelColumn FROM MeetUp2025.SourceTable
WHERE UPPER(Name) = UPPER(?)"""
_INSERT = """
INSERT INTO MeetUp2025.SourceTable (TableName, ItemColumn, NameColumn, VectorColumn, LabelColumn, Name)
VALUES (?, ?, ?, ?, ?, ?)"""
_UPDATE = """
UPDATE MeetUp2025.SourceTable SET TableName = ?, ItemColumn = ?, NameColumn = ?, VectorColumn = ?, LabelColumn = ?
WHERE Name = ?"""


@dataclass(frozen=True)
class Registered:
    """A row of `MeetUp2025.SourceTable`. *table* is schema.table. *label* is empty or a column."""

    name: str
    table: str
    item: str
    title: str
    vector: str
    label: str = ""

    @property
    def place(self) -> str:
        """The table, as it is written in a statement."""
        return qualified(self.table)


_SEARCHED = (
    Registered("Fish", "MeetUp2025.Fish", "FishID", "Name", "Features", "Family"),
    Registered("FishImage", "MeetUp2025.FishImage", "Name", "Name", "Features", "Label"),
)
"""Sources that always exist, in the form of registered ones."""


def register(connection: Connection, source: Registered) -> str:
    """
    Register a source, or change one.

    Returns:
        Name of the source.

    Raises:
        DataError: The name is empty, or it is the name of a source that always exists.
        ProgrammingError: The table or a column does not exist, or the statement that reads them fails.
    """
    name = source.name.strip()
    if not name or name.upper() in {each.upper() for each in RESERVED}:
        raise DataError(f"The name of a source must not be empty or {', '.join(RESERVED)}. Got {shown(name)}.")
    with connection.cursor() as cursor:
        found = _looked_up(cursor, source)
        cursor.execute(quoted(found, top="TOP 1 "))
        for *_, vector in cursor.fetchall():
            _check_vector(found, vector)
        known = _row(cursor, name)
        with connection.transaction():
            run_many(cursor, _UPDATE if known else _INSERT, [(*astuple(found)[1:], known.name if known else name)])
    return known.name if known else name


def registered(connection: Connection, name: str) -> Registered:
    """
    Find a source, and return it as the database spells it.

    Raises:
        DataError: There is no source of this name.
        ProgrammingError: The table or a column does not exist any more.
    """
    with connection.cursor() as cursor:
        known = _row(cursor, name.strip())
        if known is None:
            raise DataError(
                f"A source must be Fish, FishImage, Both or one that is registered. Got {shown(name)}; "
                "SELECT Name FROM MeetUp2025.SourceTable lists them."
            )
        return _looked_up(cursor, known)


def searched(connection: Connection, source: str) -> list[Registered]:
    """
    Return the tables of a source: one, or names and photos for Both.

    Raises:
        DataError: There is no source of this name.
    """
    wanted = source.strip().upper()
    fixed = [each for each in _SEARCHED if wanted in {each.name.upper(), BOTH.upper()}]
    return fixed or [registered(connection, source)]


_NUMBERS = frozenset({"BIGINT", "DECIMAL", "DOUBLE", "FLOAT", "INTEGER", "NUMERIC", "REAL", "SMALLINT", "TINYINT"})
"""Types of columns whose values are a scale."""


def columns_of(connection: Connection, source: str) -> str:
    """
    Return the columns that can tell the items of a source apart: `MeetUp2025.ColumnsOf`.

    Args:
        connection: An open connection.
        source: `Fish`, `FishImage`, `Both` or a registered name, in any case.

    Returns:
        A JSON array of objects: place, source, table, item (the column of the key), column, and kind, number or text.
        The key, the name, the label and vectors are left out.

    Raises:
        DataError: There is no source of this name.
    """
    rows = [(part, *row) for part in searched(connection, source) for row in typed_columns(connection, part)]
    return json_rows(
        {"source": part.name, "table": part.table, "item": part.item, "column": column, "kind": kind}
        for part, column, kind in rows
    )


def typed_columns(connection: Connection, source: Registered) -> list[tuple[str, str]]:
    """Return the columns that tell items apart, each with its kind, number or text."""
    schema, _, table = source.table.rpartition(".")
    with connection.cursor() as cursor:
        types = {name: str(kind).upper() for _, _, name, kind in cursor.execute(_COLUMNS, [schema, table]).fetchall()}
    known = {source.item, source.title, source.label, source.vector}
    described = {name: kind.partition("(")[0] for name, kind in types.items() if name not in known}
    return [(name, "number" if kind in _NUMBERS else "text") for name, kind in described.items() if kind != "VECTOR"]


def texts_of(connection: Connection, source: str, column: str) -> dict[tuple[str, str], str]:
    """
    Read a column of a source as texts, by source and key. NULL is left out.

    Raises:
        DataError: No table of the source has such a column.
    """
    found: dict[tuple[str, str], str] = {}
    offered = {part: [name for name, _ in typed_columns(connection, part)] for part in searched(connection, source)}
    places = [(part, name) for part, names in offered.items() for name in names if name.upper() == column.upper()]
    if not places:
        names = listed(list(dict.fromkeys(name for each in offered.values() for name in each)))
        raise DataError(f"A column of {source} must be one of {names}. Got {shown(column)}.")
    with connection.cursor() as cursor:
        for part, name in places:
            value, key = identifier(name), identifier(part.item)
            cursor.execute(f"SELECT {key}, {value} FROM {part.place} WHERE {value} IS NOT NULL")
            found |= {(part.name, str(item)): str(text) for item, text in cursor.fetchall()}
    return found


def quoted(source: Registered, *, top: str = "") -> str:
    """Write the statement that reads a source of `registered`: key, name, label, model and vector."""
    item, title, vector = map(identifier, (source.item, source.title, source.vector))
    label = identifier(source.label) if source.label else "NULL"
    return f"SELECT {top}{item}, {title}, {label}, NULL, {vector} FROM {source.place} WHERE {vector} IS NOT NULL"


def _check_vector(source: Registered, value: object) -> None:
    try:
        vectors.from_text(str(value))
    except InvalidVectorError as error:
        raise DataError(
            f"{source.vector} of {source.table} must be a column of vectors. Got one with: {error}"
        ) from error


def _row(cursor: Cursor, name: str) -> Registered | None:
    cursor.execute(_SELECT, [name])
    rows = cursor.fetchall()
    return Registered(*("" if value is None else str(value) for value in rows[0])) if rows else None


def _looked_up(cursor: Cursor, source: Registered) -> Registered:
    """Find the table and its columns in the catalogue of the database, and return its spelling."""
    schema, _, table = source.table.strip().rpartition(".")
    cursor.execute(_COLUMNS, [schema, table])
    rows = cursor.fetchall()
    if not rows:
        got = f"{shown(source.table)}, which does not exist"
        raise ProgrammingError(f"The table of a source must exist, and be given as schema.table. Got {got}.")
    columns = {row[2].upper(): row[2] for row in rows}
    wanted = [each.strip() for each in (source.item, source.title, source.vector, source.label)]
    unknown = [each for each in wanted[:3] + [each for each in wanted[3:] if each] if each.upper() not in columns]
    if unknown:
        raise ProgrammingError(
            f"The columns of a source must be those of {source.table}. Got {listed(unknown)}; "
            f"it has {listed([*columns.values()])}."
        )
    found = [columns[each.upper()] if each else "" for each in wanted]
    return Registered(source.name, f"{rows[0][0]}.{rows[0][1]}", *found)
