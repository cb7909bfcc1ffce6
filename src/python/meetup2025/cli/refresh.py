"""The command `refresh`: what a night needs, and a report of it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from meetup2025.cli import output
from meetup2025.cli.options import (
    SKIPPED,
    common,
    complain,
    database,
    example,
    load_names_if_none,
    options,
    readable,
)
from meetup2025.client import ALL, rows, value
from meetup2025.errors import Error, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from meetup2025.engines import Connection

_FINE, _LOOK, _FAILED = "fine", "look", "failed"

_CODES = {_FINE: 0, _LOOK: 1, _FAILED: 2}
"""State of a report -> exit code."""

_NAMED = "SELECT Run, Kind, Name FROM MeetUp2025.Runs() WHERE Name IS NOT NULL ORDER BY Run DESC"
_CHANGED = "SELECT MeetUp2025.SourceChanged(?)"
_METRIC = "SELECT Value FROM MeetUp2025.ReadMetrics(?) WHERE Name = ? AND Subject IS NULL"

Finding = tuple[str, str, str]
"""What a line of the report is about, its state, and what was found."""


@click.command(
    epilog=example(
        "meetup2025 refresh /data/photos",
        "meetup2025 refresh /data/2026-12-01 --prefix 2026-12-01 --format json",
        "meetup2025 refresh",
    )
)
@click.argument("folders", metavar="[FOLDER]…", nargs=-1)
@click.option("--prefix", default="", metavar="TEXT", help="First part of the names of new photos.")
@click.option(
    "--drift",
    type=click.FloatRange(0, 1),
    default=0.3,
    show_default=True,
    help="Change of a map or of groups from which to look: 0 is none, 1 is all.",
)
@common
def refresh(folders: Sequence[str], prefix: str, drift: float) -> None:
    """
    Load new photos, make the named analyses again whose source has changed, and report.

    An analysis has a name by `SELECT MeetUp2025.DescribeRun(run, 'name')`. Each is compared with the run before: how
    far the map or the groups moved, what is odd or doubtful now and was not before. The exit code is 0 where all is
    fine, 1 where somebody should look, and 2 where a part failed.
    """
    report: list[Finding] = []
    for folder in folders:
        report += _attempt(f"photos of {folder}", lambda folder=folder: _loaded(folder, prefix))  # type: ignore[misc]
    report += _attempt("analyses", lambda: _analyses(drift))
    output.write_findings(("about", "state", "found"), report, options().format)
    sys.exit(max((_CODES[state] for _, state, _ in report), default=0))


def _attempt(about: str, part: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """Yield the findings of a part. Its error is a finding, and the other parts go on."""
    try:
        yield from part()
    except (Error, click.UsageError) as error:
        yield about, _FAILED, error.message if isinstance(error, click.UsageError) else str(error)


def _loaded(folder: str, prefix: str) -> Iterator[Finding]:
    path, allowed = readable(folder, "folder")
    with database(allowed, autocommit=True) as connection:
        load_names_if_none(connection)
        changed = value(connection, "SELECT MeetUp2025.LoadImages(?, ?)", [path, prefix])
        skipped = rows(connection, SKIPPED)
    for name, reason in skipped:
        complain(f"{name}: {reason}")
    out = f", {len(skipped)} left out: {listed([name for name, _ in skipped])}" if skipped else ""
    yield f"photos of {folder}", _LOOK if skipped else _FINE, f"{changed} added or changed{out}"


def _analyses(drift: float) -> Iterator[Finding]:
    with database() as connection:
        newest = {name: (run, kind) for run, kind, name in reversed(rows(connection, _NAMED))}
        for name, (run, kind) in sorted(newest.items()):
            yield from _attempt(
                name, lambda name=name, run=run, kind=kind: _again(connection, name, run, kind, drift)  # type: ignore[misc]
            )
    if not newest:
        yield "analyses", _FINE, "none has a name: SELECT MeetUp2025.DescribeRun(run, 'name')"


def _again(connection: Connection, name: str, run: int, kind: str, drift: float) -> Iterator[Finding]:
    if not value(connection, _CHANGED, [run]):
        yield name, _FINE, f"{kind}, run {run}: the source has not changed"
        return
    again = value(connection, "SELECT MeetUp2025.FitAgain(?)", [run])
    connection.commit()
    compare = _COMPARED.get(kind, _recounted)
    state, found = compare(connection, kind, run, again, drift)
    connection.commit()
    yield name, state, f"{kind}, run {again} after {run}: {found}"


def _moved(connection: Connection, kind: str, run: int, again: int, drift: float) -> tuple[str, str]:
    """Compare two maps or two groupings."""
    changes = value(connection, "SELECT MeetUp2025.FitChanges(?, ?)", [run, again])
    measure = "disparity" if kind == "Map" else "adjusted_rand"
    found = float(value(connection, _METRIC, [changes, measure]))
    moved = found if kind == "Map" else 1 - found
    return _LOOK if moved > drift else _FINE, f"drift {moved:.2f}"


def _newly_odd(connection: Connection, _: str, run: int, again: int, __: float) -> tuple[str, str]:
    """Find the items that are odd now and were not before."""
    read = "SELECT Source, Item FROM MeetUp2025.ReadOutliers(?, ?) WHERE Odd = 1"
    before, now = (rows(connection, read, [each, ALL]) for each in (run, again))
    new = [item for source, item in now if (source, item) not in set(before)]
    return _LOOK if new else _FINE, f"{len(now)} odd, {len(new)} of them new{': ' * bool(new)}{listed(new)}"


def _newly_suspect(connection: Connection, _: str, run: int, again: int, __: float) -> tuple[str, str]:
    """Find the items whose labels are doubtful now and were not before."""
    read = "SELECT Source, Item, Label FROM MeetUp2025.ReadSuspects(?, ?)"
    before, now = (rows(connection, read, [each, ALL]) for each in (run, again))
    new = [item for source, item, label in now if (source, item, label) not in set(before)]
    return _LOOK if new else _FINE, f"{len(now)} doubtful labels, {len(new)} of them new{': ' * bool(new)}{listed(new)}"


def _recounted(_: Connection, __: str, ___: int, ____: int, _____: float) -> tuple[str, str]:
    return _FINE, "made again"


_COMPARED: dict[str, Callable[[Connection, str, int, int, float], tuple[str, str]]] = {
    "Map": _moved,
    "Clusters": _moved,
    "Outliers": _newly_odd,
    "Suspects": _newly_suspect,
}
"""Kind of an analysis -> what compares a run with the run before."""
