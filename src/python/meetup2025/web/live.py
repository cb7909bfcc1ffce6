"""
The SQL behind the page of the sightings: what is listed, counted and corrected.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meetup2025.engines.arguments import marked
from meetup2025.web.statements import Statement, containing

if TYPE_CHECKING:
    from collections.abc import Sequence

SURE = {
    "sure": "Sure = 1",
    "unsure": "Sure = 0",
    "unknown": "Sure IS NULL AND Fault IS NULL",
    "fault": "Fault IS NOT NULL",
}
"""What is kept for each choice of how sure a name must be."""

ALWAYS = "1900-01-01"
"""Beginning of a time that has all sightings."""

ANY = "SELECT COUNT(*) FROM MeetUp2025.Sighting"
SOURCES = "SELECT DISTINCT %EXACT(Source) AS Source FROM MeetUp2025.Sighting WHERE Source IS NOT NULL"
BEFORE = "SELECT Label, Hash FROM MeetUp2025.Sighting WHERE %ID = ?"
CORRECT = "SELECT MeetUp2025.CorrectSighting(?, ?)"
FORGET = "UPDATE MeetUp2025.Sighting SET Label = NULL WHERE %ID = ?"
UNLEARN = "SELECT MeetUp2025.LabelImage(?, '')"
HIDE = "DELETE FROM MeetUp2025.Thumbnail WHERE Name = ?"
REMOVE = "DELETE FROM MeetUp2025.FishImage WHERE Name = ?"

_COLUMNS = "Sighting, Seen, Source, FileName, Name, Label, Chance, Sure, Score, Fault"
_DAY, _NAMED = "CAST(Seen AS DATE)", "%EXACT(COALESCE(Label, Name))"
_SEARCHED = ("Name", "Label", "FileName")
_PICTURES = "SELECT %ID AS Sighting, Picture FROM MeetUp2025.Sighting WHERE %ID IN (?)"


@dataclass(frozen=True)
class Sightings:
    """
    The sightings that a page shows.

    Attributes:
        since: First day, as 2026-12-01.
        words: Text that is part of a name, a label or the name of a file, or empty.
        sure: A key of `SURE`, or empty.
        source: Source, or empty.
    """

    since: str = ALWAYS
    words: str = ""
    sure: str = ""
    source: str = ""

    def listing(self, most: int) -> Statement:
        """Return the statement that lists the newest sightings."""
        found = self._selecting(f"TOP ? {_COLUMNS}")
        return Statement(f"{found.sql} ORDER BY Sighting DESC", (most, *found.given))

    def counts(self) -> Statement:
        """Return the statement that counts the sightings of each day and name. What is no picture has no name."""
        found = self._selecting(f"{_DAY} AS Morning, {_NAMED} AS Name, COUNT(*) AS Items")
        return Statement(f"{found.sql} GROUP BY {_DAY}, {_NAMED} ORDER BY Morning", found.given)

    def _selecting(self, columns: str) -> Statement:
        conditions: list[str] = []
        given: list[Any] = [self.since]
        if self.words:
            condition, values = containing(_SEARCHED, self.words)
            conditions.append(condition)
            given += values
        if self.sure:
            conditions.append(SURE[self.sure])
        if self.source:
            conditions.append("%EXACT(Source) = ?")
            given.append(self.source)
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return Statement(f"SELECT {columns} FROM MeetUp2025.Sightings(?){where}", tuple(given))


def pictures(numbers: Sequence[int]) -> Statement:
    """Return the statement that reads the small pictures of some sightings, at least one."""
    return Statement(marked(_PICTURES, len(numbers)), tuple(numbers))
