"""
The SQL behind the pages: the statements, how they are run, and how they are shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from meetup2025 import client

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meetup2025.engines import Connection

IDENTIFY = "CALL MeetUp2025.Identify(?, ?)"
IDENTIFY_GROUP = "CALL MeetUp2025.IdentifyGroup(?)"
VECTOR = "SELECT MeetUp2025.SearchVector('Fish', 'I', ?)"
NAMES = "SELECT * FROM MeetUp2025.NearestNames(?, ?)"
GROUPS_OF = "SELECT * FROM MeetUp2025.NearestGroups(?)"
ADD = "SELECT MeetUp2025.AddImage(?, ?, ?)"
LABEL_OF = "SELECT Label FROM MeetUp2025.FishImage WHERE Name = ?"
NONE_MARKED = "SELECT COUNT(*) FROM MeetUp2025.Mark WHERE Labels = 'none' AND Source = 'FishImage' AND Item = ?"
MARK_NONE = "INSERT INTO MeetUp2025.Mark (Labels, Source, Item, Odd) VALUES ('none', 'FishImage', ?, 1)"
LABEL = "SELECT MeetUp2025.LabelImage(?, ?)"
MARKED = "SELECT Odd FROM MeetUp2025.Mark WHERE Labels = 'web' AND Source = ? AND Item = ?"
UNMARK = "DELETE FROM MeetUp2025.Mark WHERE Labels = 'web' AND Source = ? AND Item = ?"
MARK = "INSERT INTO MeetUp2025.Mark (Labels, Source, Item, Odd) VALUES ('web', ?, ?, ?)"
MODELS = "SELECT Model FROM MeetUp2025.VectorModels() WHERE Source = 'Fish'"

RUNS = (
    "SELECT Run, Kind, Source, Parameters, Seed, Model, Items, Seconds, Created, Asked, Versions "
    "FROM MeetUp2025.Runs('%', ?)"
)
METRICS = "SELECT Subject, Name, Value, Low, High FROM MeetUp2025.ReadMetrics(?)"
CHANGED = "SELECT MeetUp2025.SourceChanged(?)"

MAP = (
    "SELECT p.Source, p.Item, p.Name, p.Label, p.X, p.Y, p.Z FROM MeetUp2025.SampleMap(?, ?) p "
    "ORDER BY %EXACT(p.Source), %EXACT(p.Item)"
)
IN_ORDER = MAP.partition(" ORDER BY ")[2]
"""Order of the points, in which their colours come too."""

GROUPS = "SELECT Cluster, Name, Items FROM MeetUp2025.ReadGroups(?)"
LIKE = "SELECT Source, Item, Name, Label, Score FROM MeetUp2025.ItemsLike(?, ?, ?, ?)"
PLACE = "SELECT MeetUp2025.PlaceOf(?, MeetUp2025.EmbedImage(?))"
NEAR = "SELECT Source, Item, Name, Label, Distance FROM MeetUp2025.NearestOnMap(?, ?, ?, ?, ?)"
NEAR_NAMES = "SELECT 'Fish' AS Source, FishID AS Item, Name, English AS Label, Score FROM MeetUp2025.NearestFish(?, ?)"
NEAR_PHOTOS = "SELECT 'FishImage' AS Source, Name AS Item, Name, Label, Score FROM MeetUp2025.NearestImages(?, ?)"
EMBED = "SELECT MeetUp2025.EmbedImage(?)"
FIND = "CALL MeetUp2025.FindImages(?, ?)"
SIMILAR = "CALL MeetUp2025.SimilarImages(?, ?)"

MADE = {
    "map": "SELECT MeetUp2025.FitMap(?, 2)",
    "space": "SELECT MeetUp2025.FitMap(?, 3)",
    "clusters": "SELECT MeetUp2025.FitClusters(?)",
    "outliers": "SELECT MeetUp2025.FitOutliers(?)",
}
"""What can be made from a page."""
SOURCES = "SELECT DISTINCT %EXACT(Source) AS Source FROM MeetUp2025.VectorModels()"
REGISTERED = "SELECT Name AS Source FROM MeetUp2025.SourceTable ORDER BY Name"

COLUMNS = "SELECT Source, TableName, ItemColumn, ColumnName, Kind FROM MeetUp2025.SourceColumns(?)"
SAVE = "SELECT MeetUp2025.FitSelection(?, ?, ?, ?)"
SELECTED = "SELECT Source, Item, Name FROM MeetUp2025.ReadSelection(?)"
DELETE = "SELECT MeetUp2025.DeleteRun(?)"
SAVED = "SELECT Run, Source, Parameters, Items, Created FROM MeetUp2025.Runs('Selection', ?)"

COMPARE = "SELECT MeetUp2025.FitChanges(?, ?)"
CHANGES = "SELECT Source, Item, Name, Moved, Cluster, OtherCluster FROM MeetUp2025.ReadChanges(?, ?)"


@dataclass(frozen=True)
class Statement:
    """A statement, and its values."""

    sql: str
    given: tuple[Any, ...]

    def rows(self, connection: Connection) -> list[dict[str, Any]]:
        """Run the statement, and return its rows as records with lower-case names."""
        return rows(connection, self.sql, *self.given)

    def __str__(self) -> str:
        """Return the statement with its values in it."""
        return shown(self.sql, *self.given)


def containing(columns: Sequence[str], words: str) -> tuple[str, list[Any]]:
    """Return the condition that some words, in any case, are part of one of the columns, and its values."""
    tests = " OR ".join(f"POSITION(UPPER(?) IN UPPER({column})) > 0" for column in columns)
    return f"({tests})", [words] * len(columns)


def rows(connection: Connection, sql: str, *given: Any) -> list[dict[str, Any]]:
    """Run a statement, and return its rows as records with lower-case names."""
    return [{name: plain(each) for name, each in row.items()} for row in client.records(connection, sql, given)]


def run(connection: Connection, sql: str, *given: Any) -> None:
    """Run a statement that has no rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql, given)


def value(connection: Connection, sql: str, *given: Any) -> Any:
    """Run a statement, and return its one value."""
    return client.value(connection, sql, given)


def shown(sql: str, *given: Any) -> str:
    """Return a statement with its values in it, so that a user can run it elsewhere."""
    first, *rest = sql.split("?")
    return first + "".join(map("".join, zip(map(literal, given), rest, strict=True)))


def literal(given: Any) -> str:
    """Return a value as a literal of SQL."""
    if given is None:
        return "NULL"
    return str(given) if isinstance(given, (int, float)) else "'" + str(given).replace("'", "''") + "'"


def script(statements: Sequence[str]) -> str:
    """Return statements as one text, one below the other."""
    return ";\n".join(statements)


def plain(given: Any) -> Any:
    """Return a value as JSON has it."""
    if isinstance(given, datetime):
        return given.isoformat(sep=" ")
    return given if given is None or isinstance(given, (bool, int, float, str)) else str(given)
