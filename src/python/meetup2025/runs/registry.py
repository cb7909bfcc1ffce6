"""
Sources that an administrator registers: any table with a key, a name and a vector.

SQL cannot take the name of a table as a parameter. So what is registered is looked up in INFORMATION_SCHEMA, each time
it is used, and the spelling that is found there is written, in quotes; never what a caller gave.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

from meetup2025 import vectors
from meetup2025.errors import DataError, InvalidVectorError, ProgrammingError

if TYPE_CHECKING:
    from meetup2025.engines import Connection, Cursor

_COLUMNS = """
SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME FROM INFORMATION_SCHEMA.COLUMNS
WHERE UPPER(TABLE_SCHEMA) = UPPER(?) AND UPPER(TABLE_NAME) = UPPER(?)"""
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
    """A row of `MeetUp2025.SourceTable`; *table* is schema.table, *label* is empty or a column."""

    name: str
    table: str
    item: str
    title: str
    vector: str
    label: str = ""


def register(connection: Connection, source: Registered) -> str:
    """
    Register a source, or change one.

    Returns:
        Its name.

    Raises:
        DataError: The name is empty or taken by one that is always there.
        ProgrammingError: The table or a column does not exist, or the statement that reads them fails.
    """
    from meetup2025.runs.items import RESERVED
    from meetup2025.stored import run_many

    name = source.name.strip()
    if not name or name.upper() in {each.upper() for each in RESERVED}:
        raise DataError(f"The name of a source must not be empty or {', '.join(RESERVED)}. Got {name!r}.")
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
    Find a source as the database spells it.

    Raises:
        DataError: There is none of this name.
        ProgrammingError: The table or a column is no longer there.
    """
    with connection.cursor() as cursor:
        known = _row(cursor, name.strip())
        if known is None:
            raise DataError(
                f"A source must be Fish, FishImage, Both or one that is registered. Got {name!r}; "
                "SELECT Name FROM MeetUp2025.SourceTable lists those."
            )
        return _looked_up(cursor, known)


def quoted(source: Registered, *, top: str = "") -> str:
    """Write the statement that reads a source of `registered`: key, name, label, model and vector."""
    schema, _, table = source.table.rpartition(".")
    item, title, vector = map(_identifier, (source.item, source.title, source.vector))
    label = _identifier(source.label) if source.label else "NULL"
    return (
        f"SELECT {top}{item}, {title}, {label}, NULL, {vector} FROM {_identifier(schema)}.{_identifier(table)} "
        f"WHERE {vector} IS NOT NULL"
    )


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
    """Find the table and its columns in the catalogue of the database, and take its spelling."""
    schema, _, table = source.table.strip().rpartition(".")
    cursor.execute(_COLUMNS, [schema, table])
    rows = cursor.fetchall()
    if not rows:
        got = f"{source.table!r}, which is not there"
        raise ProgrammingError(f"The table of a source must exist, and be given as schema.table. Got {got}.")
    columns = {row[2].upper(): row[2] for row in rows}
    wanted = [each.strip() for each in (source.item, source.title, source.vector, source.label)]
    unknown = [each for each in wanted[:3] + [each for each in wanted[3:] if each] if each.upper() not in columns]
    if unknown:
        raise ProgrammingError(
            f"The columns of a source must be those of {source.table}. Got {', '.join(map(repr, unknown))}; "
            f"it has {', '.join(columns.values())}."
        )
    found = [columns[each.upper()] if each else "" for each in wanted]
    return Registered(source.name, f"{rows[0][0]}.{rows[0][1]}", *found)


def _identifier(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'
