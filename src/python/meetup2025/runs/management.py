"""
Runs and sources as SQL manages them.
"""

from __future__ import annotations

from meetup2025.engines import current
from meetup2025.runs import store
from meetup2025.runs.sources import Registered, has_changed, register
from meetup2025.runs.store import stored_run


def known_run(run: int, kind: str = "") -> int:
    """
    Give the number of a run that is there and of a kind; `MeetUp2025.KnownRun`.

    Args:
        run: Number of the run.
        kind: What it must be; empty allows any.

    Raises:
        DataError: It is not there, or of another kind.
    """
    return stored_run(current(), run, *([kind] if kind else [])).run


def source_changed(run: int) -> int:
    """
    Tell whether the source of a run has changed since, as 1 or 0; `MeetUp2025.SourceChanged`.

    Raises:
        DataError: The run is not there, or the source.
    """
    connection = current()
    return int(has_changed(connection, stored_run(connection, run)))


def delete_run(run: int) -> int:
    """
    Delete a run and its results; `MeetUp2025.DeleteRun`.

    Raises:
        DataError: The run is not there.
    """
    store.delete_run(current(), run)
    return run


def register_source(  # noqa: PLR0913, PLR0917 - one for each argument of SQL
    source: str, table: str, itemcolumn: str, namecolumn: str, vectorcolumn: str, labelcolumn: str = ""
) -> str:
    """
    Make a table a source of analyses; `MeetUp2025.RegisterSource`.

    Raises:
        DataError: The name is empty, or of a source that is always there.
        ProgrammingError: The table or a column is not there.
    """
    return register(current(), Registered(source, table, itemcolumn, namecolumn, vectorcolumn, labelcolumn))
