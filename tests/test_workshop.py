"""The notebook of the 2025 workshop runs on every engine: its manner of asking, with the classes of this project."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from planted import CLUSTERS, DIMENSION, Planted, text

import meetup2025

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from meetup2025.engines import Connection, Cursor

SIMILAR = """
SELECT TOP 3 Name,VECTOR_COSINE(Features,TO_VECTOR(?,double))
FROM MeetUp2025.Fish fish
ORDER BY VECTOR_COSINE(Features,TO_VECTOR(?,double)) DESC
"""


def get_similar(conn: Connection, emb_str: str) -> str:
    """Ask for the three nearest names and write one line for each, as the notebook showed them."""
    with conn.cursor() as cursor:
        cursor.execute(SIMILAR, [emb_str, emb_str])
        rows = cursor.fetchall()
    return "".join(f"{name}: {score:.3f}\n" for name, score in rows)


def get_vectors(conn: Connection, modality: str) -> tuple[list[str], NDArray[np.float64]]:
    """Read all names and vectors of the texts or the images; the vectors are split at their commas."""
    table = {"text": "MeetUp2025.Fish", "image": "MeetUp2025.FishImage"}[modality]
    with conn.cursor() as cursor:
        cursor.execute(f"SELECT Name, Features FROM {table} fish")
        rows = cursor.fetchall()
    return [name for name, _ in rows], np.array([[float(number) for number in row.split(",")] for _, row in rows])


def test_get_similar(fish: Cursor, connection: Connection, planted: Planted) -> None:
    """The three lines name the nearest fish, best first."""
    lines = get_similar(connection, text(planted.vector("マダコ"))).splitlines()

    assert lines == [f"{name}: {score:.3f}" for name, score in planted.nearest(planted.vector("マダコ"), 3)]
    assert fish.connection is connection


@pytest.mark.parametrize("modality", ["text", "image"])
@pytest.mark.usefixtures("fish")
def test_get_vectors(connection: Connection, planted: Planted, modality: str) -> None:
    """The matrix of the vectors is that which was stored, row by row."""
    names, matrix = get_vectors(connection, modality)
    suffix = ".jpg" if modality == "image" else ""

    assert matrix.shape == (len(planted.names), DIMENSION)
    assert all((matrix[names.index(name + suffix)] == planted.vector(name)).all() for name in planted.names)


@pytest.mark.usefixtures("fish")
def test_names_of_all_photos(connection: Connection, planted: Planted) -> None:
    """Each photo finds the name that its vector was made for."""
    photos, matrix = get_vectors(connection, "image")

    assert [get_similar(connection, text(row)).partition(":")[0] for row in matrix] == [
        name.removesuffix(".jpg") for name in photos
    ]
    assert len(photos) == len(planted.names)


def test_one_connection_for_each_insert(tmp_path: Path, planted: Planted) -> None:
    """The loader of the workshop opened a connection for every row; all rows are there afterwards."""
    url = f"duckdb:///{tmp_path / 'fish.duckdb'}"
    for row in list(zip(planted.ids, planted.names, planted.vectors, strict=True))[:5]:
        conn = meetup2025.connect(url)
        cursor = conn.cursor()
        cursor.execute(
            "INSERT INTO MeetUp2025.Fish (FishID,Name,Features) VALUES (?,?,TO_VECTOR(?,DOUBLE,512))",
            [*row[:2], text(row[2])],
        )
        cursor.close()
        conn.commit()
        conn.close()

    with meetup2025.connect(url) as conn:
        names, matrix = get_vectors(conn, "text")
    assert names == planted.names[:5]
    assert (matrix == planted.vectors[:5]).all()


def test_rows_one_by_one(connection: Connection, planted: Planted) -> None:
    """Rows that are inserted one by one in one transaction are found before and after the commit."""
    with connection.cursor() as cursor:
        for row in zip(planted.ids, planted.names, map(text, planted.vectors), strict=True):
            cursor.execute(
                "INSERT INTO MeetUp2025.Fish (FishID,Name,Features) VALUES (?,?,TO_VECTOR(?,DOUBLE,512))", row
            )
    before = get_similar(connection, text(planted.vectors[0]))
    connection.commit()

    assert before == get_similar(connection, text(planted.vectors[0]))
    assert {line.partition(":")[0] for line in before.splitlines()} <= set(CLUSTERS[0])


@pytest.mark.usefixtures("fish")
def test_photo_and_its_neighbours(connection: Connection, planted: Planted) -> None:
    """A join of photos and names in SQL gives what the notebook computed in two steps."""
    sql = """
    SELECT TOP 3 fish.Name, VECTOR_COSINE(fish.Features, photo.Features) AS Score
    FROM MeetUp2025.Fish fish, MeetUp2025.FishImage photo WHERE photo.Name = ? ORDER BY Score DESC"""
    with connection.cursor() as cursor:
        cursor.execute(sql, ["ガザミ.jpg"])
        rows = cursor.fetchall()

    assert [f"{name}: {score:.3f}" for name, score in rows] == get_similar(
        connection, text(planted.vector("ガザミ"))
    ).splitlines()
