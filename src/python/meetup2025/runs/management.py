"""Runs as a notebook: names, notes and tags of runs, runs that are kept, and the same analysis again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meetup2025.errors import DataError
from meetup2025.loading.spelling import check_text
from meetup2025.runs import clusters, maps, outliers, quality, recogniser
from meetup2025.runs.store import delete_run, newest_run, stored_run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from meetup2025.engines import Connection

_LONGEST = {"Name": 50, "Note": 1000, "Tags": 200}
"""Column of `MeetUp2025.Analysis` -> most characters."""

_BEFORE = """
SELECT %ID FROM MeetUp2025.Analysis WHERE Created < CAST(? AS TIMESTAMP) AND (Pinned IS NULL OR Pinned = 0)"""


def describe(  # noqa: PLR0913, PLR0917 - one for each argument of SQL
    connection: Connection, run: int, name: str, note: str = "", tags: str = "", pinned: int = -1
) -> int:
    """
    Set the words of a run: `MeetUp2025.DescribeRun`.

    Args:
        connection: An open connection. The change is one transaction.
        run: Number of the run.
        name: Name of the analysis. Runs of one name are the same analysis at different times. Empty keeps the present.
        note: Note. Empty keeps the present.
        tags: Tags, separated by commas. Empty keeps the present.
        pinned: 1 keeps the run when old runs are deleted, 0 does not. Below 0 keeps the present.

    Returns:
        Number of the run.

    Raises:
        DataError: There is no such run, or a text is too long.
    """
    stored_run(connection, run)
    given: dict[str, Any] = {"Name": name.strip(), "Note": note.strip(), "Tags": tags.strip()}
    given = {column: check_text(column, text, _LONGEST[column]) for column, text in given.items() if text}
    if pinned >= 0:
        given["Pinned"] = min(pinned, 1)
    with connection.transaction(), connection.cursor() as cursor:
        for column, value in given.items():
            cursor.execute(f"UPDATE MeetUp2025.Analysis SET {column} = ? WHERE %ID = ?", [value, run])
    return run


def delete_before(connection: Connection, time: str) -> int:
    """
    Delete the runs that are older than a time: `MeetUp2025.DeleteRunsBefore`.

    Pinned runs stay, and so does the newest recogniser of the photos, which names pictures.

    Args:
        connection: An open connection. All runs are deleted, or none.
        time: A time such as 2026-11-01.

    Returns:
        Number of deleted runs.
    """
    used = newest_run(connection, recogniser.RECOGNISER, recogniser.PHOTOS)
    with connection.cursor() as cursor:
        old = [int(row[0]) for row in cursor.execute(_BEFORE, [time]).fetchall()]
    deleted = [run for run in old if not used or run != used.run]
    with connection.transaction():
        for run in deleted:
            delete_run(connection, run)
    return len(deleted)


def fit_again(connection: Connection, run: int) -> int:
    """
    Make an analysis again, of the source as it is now: `MeetUp2025.FitAgain`.

    Args:
        connection: An open connection.
        run: Number of the run whose source, parameters and seed are taken. Its name goes to the new run too.

    Returns:
        Number of the run: *run* itself where nothing has changed.

    Raises:
        DataError: There is no such run, or it was made from another run.
    """
    known = stored_run(connection, run)
    if known.kind not in AGAIN or "of" in known.parameters:
        raise DataError(f"A run to make again must be one of {', '.join(AGAIN)}, of a source. Got run {run}.")
    made = AGAIN[known.kind](connection, known.basis.source, known.parameters, known.seed or 0)
    with connection.cursor() as cursor:
        name = cursor.execute("SELECT Name FROM MeetUp2025.Analysis WHERE %ID = ?", [run]).fetchall()[0][0]
    return describe(connection, made, name or "")


def _map(connection: Connection, source: str, given: Mapping[str, Any], seed: int) -> int:
    return maps.fit_map(
        connection,
        source,
        given["dimensions"],
        given["neighbours"],
        given["mindist"],
        seed,
        given["supervised"],
        given["withoutgap"],
        given.get("metric", "cosine"),
    )


def _clusters(connection: Connection, source: str, given: Mapping[str, Any], seed: int) -> int:
    if "method" in given:
        return clusters.fit_clusters(connection, source, 0, seed, given["method"], given["least"])
    return clusters.fit_clusters(connection, source, given["clusters"], seed)


def _elbow(connection: Connection, source: str, given: Mapping[str, Any], seed: int) -> int:
    return clusters.fit_elbow(connection, source, given["least"], given["most"], seed)


def _outliers(connection: Connection, source: str, given: Mapping[str, Any], seed: int) -> int:
    exemplars = ",".join(given.get("exemplars", ()))
    normal = "" if given["normal"] == source else given["normal"]
    return outliers.fit_outliers(
        connection, source, given["method"], given["contamination"], normal, exemplars, seed
    )


def _suspects(connection: Connection, source: str, given: Mapping[str, Any], _: int) -> int:
    return quality.fit_suspects(connection, source, given["threshold"])


def _duplicates(connection: Connection, source: str, given: Mapping[str, Any], _: int) -> int:
    return quality.fit_duplicates(connection, source, given["threshold"])


AGAIN: dict[str, Callable[[Connection, str, Mapping[str, Any], int], int]] = {
    maps.MAP: _map,
    clusters.CLUSTERS: _clusters,
    clusters.ELBOW: _elbow,
    outliers.OUTLIERS: _outliers,
    quality.SUSPECTS: _suspects,
    quality.DUPLICATES: _duplicates,
}
"""Kind of a run -> what makes it again."""
