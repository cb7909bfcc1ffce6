"""Pictures that are named as they come: each content becomes one row of `MeetUp2025.Sighting`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meetup2025 import images, vectors
from meetup2025.errors import DataError, IntegrityError, UnreadableImageError
from meetup2025.loading.photos import INSERT_IMAGE, UPDATE_LABEL
from meetup2025.runs import recogniser
from meetup2025.runs.recognition import recognise

if TYPE_CHECKING:
    from meetup2025.embedding import Encoder
    from meetup2025.engines import Connection

_KNOWN = "SELECT %ID FROM MeetUp2025.Sighting WHERE Hash = ?"
_INSERT = """
INSERT INTO MeetUp2025.Sighting
(Hash, Seen, Source, FileName, Name, Chance, Sure, Score, Picture, Model, Features)
VALUES (?, CURRENT_TIMESTAMP, ?, ?, ?, ?, ?, ?, ?, ?, TO_VECTOR(?, DOUBLE))"""
_INSERT_FAULT = """
INSERT INTO MeetUp2025.Sighting (Hash, Seen, Source, FileName, Fault) VALUES (?, CURRENT_TIMESTAMP, ?, ?, ?)"""
_ONE = "SELECT Hash, Source, Label, Picture, Model, Features FROM MeetUp2025.Sighting WHERE %ID = ?"
_CORRECT = "UPDATE MeetUp2025.Sighting SET Label = ? WHERE %ID = ?"
_SHOW = "INSERT INTO MeetUp2025.Thumbnail (Name, Picture) VALUES (?, ?)"
_TAUGHT = "SELECT Name FROM MeetUp2025.FishImage WHERE Name = ?"


@dataclass(frozen=True)
class Arrival:
    """A file that came: its bytes, their hash, its name, where it came from, and why it cannot be read, if so."""

    data: bytes
    hash: str
    file: str
    source: str
    fault: str = ""


def _is_known(connection: Connection, content: str) -> bool:
    """Check whether the content of a file was seen before."""
    return bool(_rows(connection, _KNOWN, content))


def add(connection: Connection, arrival: Arrival, encoder: Encoder) -> int:
    """
    Name a picture and store the sighting, in one transaction: `MeetUp2025.AddSighting`.

    Args:
        connection: An open connection.
        arrival: The file.
        encoder: Makes the vector.

    Returns:
        1, or 0 where the content was seen before, also by another program meanwhile.

    Raises:
        DataError: There is no name to compare with.
    """
    if _is_known(connection, arrival.hash):
        return 0
    sql, values = _row(connection, arrival, encoder)
    try:
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute(sql, [arrival.hash, arrival.source[:500] or None, arrival.file[:500] or None, *values])
    except IntegrityError:
        return 0
    return 1


def _row(connection: Connection, arrival: Arrival, encoder: Encoder) -> tuple[str, list[Any]]:
    """Return the statement for a sighting, and its values after those of the file."""
    if arrival.fault:
        return _INSERT_FAULT, [arrival.fault[:1000]]
    try:
        picture = images.open_picture(arrival.data, longest=encoder.picture_size)
    except UnreadableImageError as error:
        return _INSERT_FAULT, [str(error)[:1000]]
    vector = vectors.to_text(encoder.images([picture])[0])
    first = json.loads(recognise(connection, vector, 1))[0]
    answer = [first.get(each) for each in ("name", "probability", "sure", "score")]
    return _INSERT, [*answer, images.thumbnail(picture), encoder.model, vector]


def correct(connection: Connection, sighting: int, label: str) -> int:
    """
    Set the right name of a sighting, and teach it: `MeetUp2025.CorrectSighting`.

    Args:
        connection: An open connection. The change is one transaction.
        sighting: Number of the sighting.
        label: The name, in the spelling of the catalogue.

    Returns:
        1, or 0 where it was right already.

    Raises:
        DataError: There is no such sighting, or it is no picture.
    """
    found = _rows(connection, _ONE, sighting)
    if not found or not found[0][5]:
        raise DataError(f"A sighting must be a number of MeetUp2025.Sightings, of a picture. Got {sighting}.")
    content, source, before, picture, model, features = found[0]
    if before == label:
        return 0
    name = f"sighting-{content[:16]}"
    with connection.transaction(), connection.cursor() as cursor:
        old = recogniser.photo_of(connection, name)
        cursor.execute(_CORRECT, [label, sighting])
        if _rows(connection, _TAUGHT, name):
            cursor.execute(UPDATE_LABEL, [label, name])
        else:
            cursor.execute(INSERT_IMAGE, [name, label, source, content, model, features])
            cursor.execute(_SHOW, [name, picture])
        recogniser.learn(connection, old, recogniser.photo_of(connection, name))
    return 1


def _rows(connection: Connection, sql: str, *given: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        return cursor.execute(sql, list(given)).fetchall()
