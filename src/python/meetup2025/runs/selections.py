"""
Selections: items of a map that a person has saved under a name, as rows that join to the tables of the items.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from meetup2025.errors import DataError, shown
from meetup2025.loading.spelling import check_text
from meetup2025.runs import management
from meetup2025.runs.maps import MAP
from meetup2025.runs.sources import SHORT
from meetup2025.runs.store import ITEM, Outcome, Request, Result, fitted_run, stored_run

if TYPE_CHECKING:
    from meetup2025.engines import Connection

SELECTION = "Selection"
"""Kind of the runs."""

_LONGEST_NAME, _LONGEST_LINK = 50, 3000
"""Most characters: name and link lie in the parameters of the run, which take 4,000."""


def fit_selection(connection: Connection, run: int, name: str, items: str, link: str = "") -> int:
    """
    Save items of a map under a name: `MeetUp2025.FitSelection`.

    Args:
        connection: An open connection.
        run: Number of the map.
        name: Name of the selection.
        items: JSON array with source and key of each item.
        link: Query of the page that shows the selection, or empty.

    Returns:
        Number of the run. It is pinned.

    Raises:
        DataError: There is no such map, the name is empty, or the items are none or not all of the map.
    """
    known = stored_run(connection, run, MAP)
    rows = _of_map(connection, run, _keys(items))
    parameters = {"name": _name(name), "of": run, "items": _digest(rows)}
    parameters["link"] = check_text("The link of a selection", link, _LONGEST_LINK)
    request = Request(SELECTION, replace(known.basis, items=len(rows)), parameters)
    made = fitted_run(connection, request, lambda: Outcome([Result("SelectedItem", ITEM, rows)]))
    return management.describe(connection, made, "", pinned=1)


def _name(name: str) -> str:
    if not name.strip():
        raise DataError("The name of a selection must have a visible character. Got none.")
    return check_text("The name of a selection", name.strip(), _LONGEST_NAME)


def _keys(items: str) -> set[tuple[str, str]]:
    try:
        return {(str(source), str(item)) for source, item in json.loads(items)}
    except (ValueError, TypeError) as error:
        raise DataError(f"items must be a JSON array of [source, key]. Got {shown(items)}.") from error


def _of_map(connection: Connection, run: int, keys: set[tuple[str, str]]) -> list[tuple[str, str, str]]:
    """Return the rows of items, in the order of the map."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT Source, Item, Name FROM MeetUp2025.MapPoint WHERE Run = ? ORDER BY %ID", [run])
        rows = [row for row in cursor.fetchall() if (row[0], row[1]) in keys]
    if not rows or len(rows) < len(keys):
        unknown = keys.difference((row[0], row[1]) for row in rows)
        got = f"{shown(min(unknown)[1])}, which is not there" if unknown else "none"
        raise DataError(f"The items of a selection must be on the map of run {run}. Got {got}.")
    return rows


def _digest(rows: list[tuple[str, str, str]]) -> str:
    words = json.dumps([row[:2] for row in rows], ensure_ascii=False)
    return hashlib.sha256(words.encode()).hexdigest()[:SHORT]
