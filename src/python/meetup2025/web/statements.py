"""
The SQL behind the pages: the statements, how they are run, and how they are shown.
"""

from __future__ import annotations

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
MARKED = "SELECT COUNT(*) FROM MeetUp2025.Mark WHERE Labels = 'none' AND Source = 'FishImage' AND Item = ?"
MARK = "INSERT INTO MeetUp2025.Mark (Labels, Source, Item, Odd) VALUES ('none', 'FishImage', ?, 1)"
MODELS = "SELECT Model FROM MeetUp2025.VectorModels() WHERE Source = 'Fish'"

RUNS = (
    "SELECT Run, Kind, Source, Parameters, Seed, Model, Items, Seconds, Created, Asked, Versions "
    "FROM MeetUp2025.Runs('%', ?)"
)
METRICS = "SELECT Subject, Name, Value, Low, High FROM MeetUp2025.ReadMetrics(?)"
CHANGED = "SELECT MeetUp2025.SourceChanged(?)"

MAP = "SELECT Source, Item, Name, Label, X, Y, Z FROM MeetUp2025.ReadMap(?, ?)"
CLUSTERS = "SELECT Source, Item, Cluster FROM MeetUp2025.ReadClusters(?)"
GROUPS = "SELECT Cluster, Name, Items FROM MeetUp2025.ReadGroups(?)"
OUTLIERS = "SELECT Source, Item, Score, Odd FROM MeetUp2025.ReadOutliers(?, ?)"
NEAR = "SELECT Source, Item, Name, Label, Distance FROM MeetUp2025.NearestOnMap(?, ?, ?, ?, ?)"
PLACE = "SELECT MeetUp2025.PlaceOf(?, MeetUp2025.EmbedImage(?))"

COMPARE = "SELECT MeetUp2025.FitChanges(?, ?)"
CHANGES = "SELECT Source, Item, Name, Moved, Cluster, OtherCluster FROM MeetUp2025.ReadChanges(?, ?)"


def rows(connection: Connection, sql: str, *given: Any) -> list[dict[str, Any]]:
    """Run a statement, and return its rows as records with lower-case names."""
    return [{name: _plain(each) for name, each in row.items()} for row in client.records(connection, sql, given)]


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


def _plain(given: Any) -> Any:
    return given.isoformat(sep=" ") if isinstance(given, datetime) else given
