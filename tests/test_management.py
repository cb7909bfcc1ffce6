"""Runs have names and notes, are made again when their source has changed, and are deleted when they are old."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from planted import DIMENSION

import meetup2025
from meetup2025.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from meetup2025.engines import Connection

pytestmark = pytest.mark.anywhere


def ask(connection: Connection, sql: str, *given: Any) -> Any:
    """Return the first value of a statement."""
    with connection.cursor() as cursor:
        return cursor.execute(sql, given).fetchall()[0][0]


WORDS = "SELECT Name, Note, Tags, Pinned FROM MeetUp2025.Runs() WHERE Run = ?"
DESCRIBE = "SELECT MeetUp2025.DescribeRun(?, ?, ?, ?, ?)"


def test_words(fish: Any) -> None:
    """A run gets words; what is left out stays."""
    connection = fish.connection
    run = ask(connection, "SELECT MeetUp2025.FitClusters('Fish', 2)")
    assert ask(connection, DESCRIBE, run, "nightly", "a note", "", 1) == run
    assert fish.execute(WORDS, [run]).fetchall() == [("nightly", "a note", None, 1)]
    ask(connection, DESCRIBE, run, "", "", "poster", -1)
    assert fish.execute(WORDS, [run]).fetchall() == [("nightly", "a note", "poster", 1)]
    for number, name in ((10**6, "a"), (run, "x" * 51), (run, "a\u200b")):
        with pytest.raises(DataError):
            ask(connection, DESCRIBE, number, name, "", "", -1)


@pytest.mark.parametrize(
    "fit",
    [
        "FitClusters('Fish', 2, 7)",
        "FitElbow('Fish', 2, 5)",
        "FitOutliers('Fish', 'KMeansDistance', 0.1)",
        "FitOutliers('FishImage', 'Neighbours', 0.1, 'Fish')",
        "FitSuspects('FishImage', 0.1)",
        "FitDuplicates('Fish', 0.9)",
    ],
)
def test_again(fish: Any, fit: str) -> None:
    """An analysis is the same run while nothing has changed, and a new one of the same parameters and name then."""
    connection = fish.connection
    fish.execute("UPDATE MeetUp2025.FishImage SET Label = 'a'")
    run = ask(connection, f"SELECT MeetUp2025.{fit}")
    ask(connection, DESCRIBE, run, "nightly", "", "", -1)
    assert ask(connection, "SELECT MeetUp2025.FitAgain(?)", run) == run
    vector = ",".join(map(str, range(1, DIMENSION + 1)))
    for table, key in (("Fish", "FishID, Name"), ("FishImage", "Name, Label")):
        insert = f"INSERT INTO MeetUp2025.{table} ({key}, Features) VALUES ('new', 'new one', TO_VECTOR(?, DOUBLE))"
        fish.execute(insert, [vector])
    again = ask(connection, "SELECT MeetUp2025.FitAgain(?)", run)
    kept = "SELECT Kind, Source, Seed, Name FROM MeetUp2025.Runs() WHERE Run = ?"

    assert again != run
    assert fish.execute(kept, [again]).fetchall() == fish.execute(kept, [run]).fetchall()


def test_again_of_what_cannot_be(fish: Any) -> None:
    """A run that was made from another run is refused."""
    connection = fish.connection
    run = ask(connection, "SELECT MeetUp2025.FitClusters('Fish', 2)")
    other = ask(connection, "SELECT MeetUp2025.FitAssignment(?, 'FishImage')", run)
    with pytest.raises(DataError, match="A run to make again"):
        ask(connection, "SELECT MeetUp2025.FitAgain(?)", other)


def test_old_runs_are_deleted(fish: Any) -> None:
    """Runs from before a time go with their rows; pinned ones stay."""
    connection = fish.connection
    runs = [ask(connection, f"SELECT MeetUp2025.FitClusters('Fish', {count})") for count in (2, 3, 4)]
    fish.execute("UPDATE MeetUp2025.Analysis SET Created = CAST('2020-01-01' AS TIMESTAMP) WHERE %ID <> ?", [runs[2]])
    ask(connection, DESCRIBE, runs[0], "", "", "", 1)
    assert ask(connection, "SELECT MeetUp2025.DeleteRunsBefore('2025-01-01')") == 1
    assert [row[0] for row in fish.execute("SELECT Run FROM MeetUp2025.Runs() ORDER BY Run").fetchall()] == [
        runs[0],
        runs[2],
    ]
    assert ask(connection, "SELECT COUNT(*) FROM MeetUp2025.ClusterItem WHERE Run = ?", runs[1]) == 0


def test_file_of_an_older_version(tmp_path: Path) -> None:
    """A file whose runs have no names gets the columns, and keeps its rows."""
    path = tmp_path / "fish.db"
    with meetup2025.connect(f"duckdb:///{path}", autocommit=True) as connection:
        connection.cursor().execute(
            "INSERT INTO MeetUp2025.Analysis (Kind, Source, Parameters, Items, Seconds, Versions, Created, Asked, "
            "SourceHash, Fingerprint) VALUES ('Map', 'Fish', '{}', 1, 1, '', CURRENT_TIMESTAMP, 1, 'a', 'b')"
        )
    with duckdb.connect(str(path)) as older:
        indexes = "SELECT index_name FROM duckdb_indexes() WHERE table_name = 'Analysis'"
        for (index,) in older.execute(indexes).fetchall():
            older.execute(f'DROP INDEX "MeetUp2025"."{index}"')
        for column in ("Name", "Note", "Tags", "Pinned"):
            older.execute(f'ALTER TABLE "MeetUp2025"."Analysis" DROP COLUMN "{column}"')
    with meetup2025.connect(f"duckdb:///{path}") as connection:
        found = connection.cursor().execute("SELECT Kind, Name, Pinned FROM MeetUp2025.Runs()").fetchall()

    assert found == [("Map", None, None)]
