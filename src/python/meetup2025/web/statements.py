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

MAP = "SELECT Source, Item, Name, Label, X, Y, Z FROM MeetUp2025.SampleMap(?, ?) ORDER BY Source, Item"
CLUSTERS = "SELECT Source, Item, Cluster FROM MeetUp2025.ReadClusters(?)"
GROUPS = "SELECT Cluster, Name, Items FROM MeetUp2025.ReadGroups(?)"
OUTLIERS = "SELECT Source, Item, Score, Odd FROM MeetUp2025.ReadOutliers(?, ?)"
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

COLOURS = {"label": "%EXACT(p.Label)", "source": "%EXACT(p.Source)", "Clusters": "c.Cluster", "Outliers": "o.Odd"}
"""What is counted for each colour of a map."""

OF_RUNS = {
    "Clusters": " LEFT JOIN MeetUp2025.ReadClusters(?) c ON c.Source = p.Source AND c.Item = p.Item",
    "Outliers": f" LEFT JOIN MeetUp2025.ReadOutliers(?, {client.ALL}) o ON o.Source = p.Source AND o.Item = p.Item",
}
"""How the runs that give a colour are joined to the map."""

_SCORES = {"Clusters": ", c.Cluster", "Outliers": ", o.Score, o.Odd"}
"""What a run that gives a colour says of an item."""

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


@dataclass(frozen=True)
class View:
    """
    The part of a map that a page shows: it is drawn around, searched, or of one value of its colour.

    Attributes:
        run: Number of the map.
        colour: Colour: `label`, `source`, `Clusters` or `Outliers`.
        coloured: Number of the run that gives the colour, or 0.
        region: Corners of a polygon, or empty.
        words: Text that is part of a name, a key or a label, or empty.
        value: The one value of the colour to keep, or None for all values.
    """

    run: int
    colour: str = "label"
    coloured: int = 0
    region: str = ""
    words: str = ""
    value: str | None = None

    def listing(self, most: int = 0) -> Statement:
        """Return the statement that lists the items: all, or the first ones."""
        columns = f"{'TOP ? ' if most else ''}p.Source, p.Item, p.Name, p.Label{_SCORES.get(self.colour, '')}"
        order = " ORDER BY o.Score DESC" if self.colour == "Outliers" else " ORDER BY p.Source DESC, p.Item"
        found = self._selecting(columns)
        return Statement(found.sql + order, (*([most] if most else []), *found.given))

    def total(self) -> Statement:
        """Return the statement that counts the items."""
        return self._selecting("COUNT(*) AS Items")

    def counts(self) -> Statement:
        """Return the statement that counts the items of each value of the colour."""
        found = self._selecting(f"{COLOURS[self.colour]} AS Value, COUNT(*) AS Items")
        return Statement(f"{found.sql} GROUP BY {COLOURS[self.colour]} ORDER BY Items DESC", found.given)

    def _selecting(self, columns: str) -> Statement:
        conditions, given = self._conditions()
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        joined = [self.coloured] if self.colour in OF_RUNS else []
        sql = f"SELECT {columns} FROM MeetUp2025.ReadMap(?) p{OF_RUNS.get(self.colour, '')}{where}"
        return Statement(sql, (self.run, *joined, *given))

    def _conditions(self) -> tuple[list[str], list[Any]]:
        conditions: list[str] = []
        given: list[Any] = []
        if self.region:
            conditions.append("MeetUp2025.InRegion(p.X, p.Y, ?) = 1")
            given.append(self.region)
        if self.words:
            columns = ("p.Name", "p.Item", "p.Label")
            conditions.append(f"({' OR '.join(f'POSITION(UPPER(?) IN UPPER({each})) > 0' for each in columns)})")
            given += [self.words] * len(columns)
        if self.value is not None:
            column = COLOURS[self.colour]
            conditions.append(f"{column} = ?" if self.value else f"{column} IS NULL")
            given += [int(self.value) if self.colour in OF_RUNS else self.value] if self.value else []
        return conditions, given


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
