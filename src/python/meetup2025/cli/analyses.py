"""
The commands of analyses: maps, groups, outliers, and the runs that store them.

A command has a statement that fits a model and a statement that reads its results. The run stays in the database.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import click

from meetup2025.cli import output
from meetup2025.cli.options import common, complain, database, example, options
from meetup2025.cli.pictures import draw_gap, draw_run, pictured
from meetup2025.client import ALL, reading, rows, value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from meetup2025.engines import Connection

F = TypeVar("F", bound="Callable[..., Any]")

_source = partial(click.argument, "source", metavar="SOURCE")
_EXPLAINED = ("decided", "clear")
"""Metrics of a whole run whose subject is an explanation."""

_seed = click.option(
    "--seed", metavar="N", type=int, default=5, show_default=True, help="Seed of the random generator."
)
_rows = click.option("-k", metavar="N", type=click.IntRange(min=1), help="Most rows [20 in a table, otherwise all].")
_IN_TABLE = 20


@click.command(
    "map",
    epilog=example(
        "meetup2025 map Fish",
        "meetup2025 map Both -d 2 --without-gap --format csv",
        "meetup2025 map Fish --clusters 3 --html fish.html",
    ),
)
@_source()
@click.option(
    "-d",
    "--dimensions",
    metavar="N",
    type=click.IntRange(2, 3),
    default=3,
    show_default=True,
    help="Dimensions of the map.",
)
@click.option("--neighbours", metavar="N", type=int, default=0, help="Size of a neighbourhood [15, or 30 for Both].")
@click.option("--min-dist", type=float, default=-1.0, help="Least distance of items [0.2, or 0.3 for Both].")
@click.option(
    "--metric",
    type=click.Choice(["cosine", "euclidean"]),
    default="cosine",
    show_default=True,
    help="Distance of the vectors.",
)
@click.option("--supervised", is_flag=True, help="Pull items with the same label together.")
@click.option("--without-gap", is_flag=True, help="Move names and photos of Both onto one middle.")
@click.option("--clusters", type=int, metavar="RUN", help="Colour the picture by the groups of a run.")
@click.option("--outliers", type=int, metavar="RUN", help="Colour the picture by the scores of a run.")
@_seed
@pictured
@common
def map_(source: str, seed: int, **given: Any) -> None:
    """
    Lay out a source on a map.

    Similar items lie near each other. SOURCE is Fish, FishImage, Both or a registered source, here and in all analyses.
    With --html or --png, a picture replaces the rows.
    """
    joined = {name: given[name] for name in ("clusters", "outliers")}
    if all(joined.values()):
        raise click.UsageError("A map has one colour: leave out --clusters or --outliers.")
    if any(joined.values()) and not (given["html"] or given["png"]):
        raise click.UsageError("A colour is for a picture: add --html FILE or --png FILE.")
    asked = [given[name] for name in ("dimensions", "neighbours", "min_dist")]
    asked += [seed, int(given["supervised"]), int(given["without_gap"]), given["metric"]]
    fit = "SELECT MeetUp2025.FitMap(?, ?, ?, ?, ?, ?, ?, ?)"
    _fit_and_show(fit, [source, *asked], "ReadMap", ALL, _files(given), **joined)


@click.command(epilog=example("meetup2025 clusters Fish", "meetup2025 clusters FishImage -n 8"))
@_source()
@click.option(
    "-n", "--number", metavar="N", type=int, default=0, help="Number of groups [chosen by elbow and silhouette]."
)
@click.option(
    "--method",
    type=click.Choice(["KMeans", "HDBSCAN"], case_sensitive=False),
    default="KMeans",
    show_default=True,
    help="HDBSCAN finds the number of groups, and leaves out what lies between them.",
)
@click.option("--least", metavar="N", type=int, default=5, show_default=True, help="Fewest members, for HDBSCAN.")
@click.option("--words", metavar="COLUMN", help="Show the words of a column that tell the groups apart.")
@click.option("--members", is_flag=True, help="Show the items of the groups, not the groups.")
@click.option("--distances", is_flag=True, help="Draw the distances to the centres, not the map.")
@_seed
@pictured
@common
def clusters(source: str, number: int, seed: int, **given: Any) -> None:
    """
    Group the items of a source. With --html or --png, a picture replaces the rows.

    The picture is the newest map of the source, in the colours of the groups. Without a map, one is fitted.
    """
    if given["members"] and given["words"]:
        raise click.UsageError("Words are of groups: leave out --members or --words.")
    read = "GroupWords" if given["words"] else "ReadClusters" if given["members"] else "ReadGroups"
    asked = [source, number, seed, given["method"], given["least"]]
    chosen = given["words"] or ALL
    drawn = {"distances": given["distances"]}
    _fit_and_show("SELECT MeetUp2025.FitClusters(?, ?, ?, ?, ?)", asked, read, chosen, _files(given), **drawn)


@click.command(epilog=example("meetup2025 elbow Fish --to 20"))
@_source()
@click.option("--from", "least", metavar="N", type=int, default=2, show_default=True, help="Fewest groups.")
@click.option("--to", "most", metavar="N", type=int, default=29, show_default=True, help="Most groups.")
@_seed
@pictured
@common
def elbow(source: str, least: int, most: int, seed: int, **given: Any) -> None:
    """
    Try several numbers of groups.

    The result has the choices of the elbow and of the silhouette. With --html or --png, a picture replaces the rows.
    """
    asked = [source, least, most, seed]
    _fit_and_show("SELECT MeetUp2025.FitElbow(?, ?, ?, ?)", asked, "ReadElbow", ALL, _files(given))


@click.command(
    epilog=example(
        "meetup2025 outliers FishImage",
        "meetup2025 outliers Fish --method ByExemplar --exemplars マアジ,ボタンエビ,マダコ",
        "meetup2025 outliers FishImage --normal Fish --labels mine",
    )
)
@_source()
@click.option("--method", default="Neighbours", show_default=True, help="Name of the detector.")
@click.option(
    "--contamination", type=float, default=0.03, show_default=True, help="Share of the items that counts as odd."
)
@click.option("--normal", default="", help="Source of normal items [SOURCE].")
@click.option("--exemplars", default="", help="Names of normal items for ByExemplar, separated by commas.")
@click.option("--labels", default="", help="Set of MeetUp2025.Mark that chooses the threshold.")
@_seed
@_rows
@pictured
@common
def outliers(source: str, labels: str, seed: int, k: int | None, **given: Any) -> None:
    """
    Find the outliers of a source, the oddest first.

    Detectors: Neighbours, KMeansDistance, IsolationForest, Reconstruction, ByExemplar. With --html or --png, a picture
    replaces the rows.
    """
    asked = [given[name] for name in ("method", "contamination", "normal", "exemplars")]
    with database() as connection:
        run = value(connection, "SELECT MeetUp2025.FitOutliers(?, ?, ?, ?, ?, ?)", [source, *asked, seed])
        if labels:
            run = value(connection, "SELECT MeetUp2025.ChooseThreshold(?, ?)", [run, labels])
        _show(connection, run, "ReadOutliers", _most(k), _files(given))


@click.command("compare-detectors", epilog=example("meetup2025 compare-detectors FishImage mine"))
@_source()
@click.argument("labels")
@_seed
@pictured
@common
def compare_detectors(source: str, labels: str, seed: int, **given: Any) -> None:
    """
    Compare all detectors on a source.

    Test items measure their quality. LABELS is a set of the table MeetUp2025.Mark, which says which items are odd. With
    --html or --png, a picture replaces the rows.
    """
    asked = [source, labels, seed]
    _fit_and_show("SELECT MeetUp2025.FitComparison(?, ?, ?)", asked, "ReadComparison", ALL, _files(given))


@click.command(epilog=example("meetup2025 recogniser", "meetup2025 recogniser --precision 0.99 --html known.html"))
@click.argument("source", metavar="[SOURCE]", default="FishImage")
@click.option("--precision", type=float, default=0.95, show_default=True, help="Right answers among the sure ones.")
@click.option("--labels", default="none", show_default=True, help="Set of MeetUp2025.Mark: photos of no label.")
@pictured
@common
def recogniser(source: str, precision: float, labels: str, **given: Any) -> None:
    """
    Fit a recogniser to labelled photos, and measure its quality.

    From then on, `identify` uses photos beside names, and says when it is sure. With --html or --png, a picture
    replaces the rows.
    """
    asked = [source, precision, labels]
    _fit_and_show("SELECT MeetUp2025.FitRecogniser(?, ?, ?)", asked, "ReadPrototypes", ALL, _files(given))


@click.command(
    epilog=example(
        "meetup2025 tune clusters Fish --trials 30",
        "meetup2025 tune map FishImage --measure overlap",
        "meetup2025 tune outliers FishImage --labels mine",
    )
)
@click.argument("kind", type=click.Choice(["Map", "Clusters", "Outliers"], case_sensitive=False))
@_source()
@click.option(
    "--trials", metavar="N", type=click.IntRange(min=1), default=20, show_default=True, help="Number of new runs."
)
@click.option(
    "--measure",
    type=click.Choice(["trustworthiness", "overlap", "continuity", "labels_ari", "silhouette", "pr_auc"]),
    help="What is best [the first that KIND and SOURCE have].",
)
@click.option("--labels", default="", help="Set of MeetUp2025.Mark that measures outliers.")
@_seed
@pictured
@common
def tune(kind: str, source: str, seed: int, **given: Any) -> None:
    """
    Try parameters of an analysis, and show the best value so far.

    Each trial is a run, and stays. Earlier runs of the source are known to the search, so the same command goes on
    where the last one ended. Ctrl-C ends the trials. With --html or --png, a picture replaces the rows.
    """
    asked = [kind, source, given["trials"], given["measure"] or "", given["labels"], seed]
    fit = "SELECT MeetUp2025.FitTuning(?, ?, ?, ?, ?, ?)"
    with database(autocommit=True) as connection:
        _show(connection, value(connection, fit, asked), "ReadTuning", ALL, _files(given))


@click.group(invoke_without_command=True, epilog=example("meetup2025 runs --kind Map", "meetup2025 runs show 3"))
@click.option("--kind", default="%", help="Kind of the runs [all].")
@click.option("-k", metavar="N", type=click.IntRange(min=1), default=1000, show_default=True, help="Most rows.")
@common
@click.pass_context
def runs(context: click.Context, kind: str, k: int) -> None:
    """List the stored runs, newest first."""
    if context.invoked_subcommand is None:
        columns = "Run, Kind, Source, Parameters, Seed, Items, Seconds, Created, Asked"
        with database() as connection:
            _write(connection, f"SELECT {columns} FROM MeetUp2025.Runs(?, ?)", [kind, k])


@runs.command(epilog=example("meetup2025 runs show 3", "meetup2025 runs show 3 --html evaluation.html"))
@click.argument("run", type=int)
@pictured
@common
def show(run: int, **given: Any) -> None:
    """Show the quality of a run in numbers, or draw its result."""
    with database() as connection:
        if value(connection, "SELECT MeetUp2025.SourceChanged(?)", [run]):
            complain(f"the source of run {run} has changed since the run")
        if not draw_run(connection, run, _files(given)):
            _write(connection, "SELECT * FROM MeetUp2025.ReadMetrics(?)", [run])


@runs.command(epilog=example("meetup2025 runs compare 3 4", "meetup2025 runs compare 3 4 --html gap.html"))
@click.argument("run", type=int)
@click.argument("other", type=int)
@_rows
@pictured
@common
def compare(run: int, other: int, k: int | None, **given: Any) -> None:
    """
    Compare two maps or two groupings, and show the largest changes. With --html or --png, draw two maps side by side.
    """
    if any(_files(given).values()):
        with database() as connection:
            draw_gap(connection, (run, other), _files(given))
        return
    _fit_and_show("SELECT MeetUp2025.FitChanges(?, ?)", [run, other], "ReadChanges", _most(k))


@runs.command(epilog=example("meetup2025 runs delete 3"))
@click.argument("run", type=int)
@common
def delete(run: int) -> None:
    """Delete a run and its results."""
    with database() as connection:
        value(connection, "SELECT MeetUp2025.DeleteRun(?)", [run])
        connection.commit()
    output.write_record({"deleted": run}, f"run {run} deleted", options().format)


def _most(k: int | None) -> int:
    """Return the most rows to write: those that people ask for or read, and all for programs."""
    return k or (_IN_TABLE if options().format == "table" else ALL)


def _files(given: dict[str, Any]) -> dict[str, str | None]:
    return {kind: given[kind] for kind in ("html", "png")}


def _fit_and_show(
    fit: str,
    given: Sequence[Any],
    read: str,
    chosen: int | str,
    files: dict[str, str | None] | None = None,
    **joined: int | bool | None,
) -> None:
    with database() as connection:
        _show(connection, value(connection, fit, given), read, chosen, files or {}, **joined)


def _show(
    connection: Connection,
    run: int,
    read: str,
    chosen: int | str,
    files: dict[str, str | None],
    **joined: int | bool | None,
) -> None:
    """
    Keep a run, show its quality, and draw it or write its rows.

    The query that reads takes the run and what is *chosen*: the most rows, or a column.
    """
    connection.commit()
    columns = "Kind, Source, Seconds, Asked"
    [(kind, source, seconds, asked)] = rows(
        connection, f"SELECT {columns} FROM MeetUp2025.Runs('%', ?) WHERE Run = ?", [ALL, run]
    )
    sentence = f"fitted in {seconds:.2f} seconds" if asked == 1 else "is there already"
    metrics = rows(connection, "SELECT Subject, Name, Value FROM MeetUp2025.ReadMetrics(?)", [run])
    numbers = ", ".join(
        f"{name} {number:.4g}{f' ({subject})' if subject else ''}"
        for subject, name, number in metrics
        if number is not None and (not subject or name in _EXPLAINED)
    )
    complain(f"run {run}, {kind} of {source}, {sentence}{': ' if numbers else ''}{numbers}")
    if not draw_run(connection, run, files, **joined):
        _write(connection, reading(read), [run, chosen])


def _write(connection: Connection, sql: str, given: Sequence[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        columns = [str(column[0]).lower() for column in cursor.description or ()]
        if options().format == "table":
            output.write_rows(columns, [tuple(map(_short, row)) for row in cursor.fetchall()], "table")
        else:
            output.write_result(cursor, columns, options().format)


def _short(given: Any) -> Any:
    """Round numbers to the digits that people read."""
    return float(f"{given:.4g}") if isinstance(given, float) else given
