"""The recall of searches, as a run: whole on an exact engine, and the missing rows are counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from meetup2025 import DataError
from meetup2025.runs import recall

if TYPE_CHECKING:
    from meetup2025.engines import Cursor


def metrics(cursor: Cursor, sql: str) -> dict[tuple[str, str], float]:
    """Return the metrics of a run by subject and name."""
    return {(subject or "", name): float(number) for subject, name, number, *_ in cursor.execute(sql).fetchall()}


def test_recall_of_an_exact_search(fish: Cursor) -> None:
    """A search that compares all rows finds all of the best, and as many as are wanted."""
    found = metrics(fish, "CALL MeetUp2025.SearchRecall('Fish', 3, 20)")

    assert found["", "recall"] == 1
    assert found["", "wanted"] == found["", "found"] == 60


def test_rows_that_a_search_misses(fish: Cursor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a search that drops its best row and returns one row fewer, the recall and the found rows are lower."""
    near = recall.near

    def worse(*given: Any) -> list[tuple[str, ...]]:
        return near(*given)[1:]

    monkeypatch.setattr(recall, "near", worse)
    found = metrics(fish, "CALL MeetUp2025.SearchRecall('Fish', 4, 10)")

    assert found["", "recall"] == 0.75
    assert (found["", "wanted"], found["", "found"]) == (40, 30)


@pytest.mark.parametrize(
    ("given", "message"), [("'Fish', 0", "from 1"), ("'Fish', 1, 0", "from 1"), ("'Both'", "one table")]
)
def test_recall_of_nothing(fish: Cursor, given: str, message: str) -> None:
    """A search for no rows, for no vectors, or of two tables is refused."""
    with pytest.raises(DataError, match=message):
        fish.execute(f"SELECT MeetUp2025.FitSearchRecall({given})").fetchall()
