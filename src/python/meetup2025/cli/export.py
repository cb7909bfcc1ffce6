"""The command that writes a source with its results into a file of other programs: one row an item."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from meetup2025.cli import output
from meetup2025.cli.options import COUNTS, common, complain, database, example, options
from meetup2025.client import ALL, rows, value
from meetup2025.engines.pep249 import distinct
from meetup2025.engines.tokens import qualified

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from meetup2025.engines import Connection

_CLUSTERS = """
SELECT Item, item.Cluster, party.Name, Distance FROM MeetUp2025.ClusterItem item
LEFT JOIN MeetUp2025.ClusterGroup party ON party.Run = item.Run AND party.Cluster = item.Cluster
WHERE item.Run = ? AND ? > 0"""

_RESULTS = {
    "map": ("Map", "FitMap", "SELECT Item, X, Y, Z FROM MeetUp2025.ReadMap(?, ?)", ("map_x", "map_y", "map_z")),
    "clusters": ("Clusters", "FitClusters", _CLUSTERS, ("cluster", "cluster_name", "cluster_distance")),
    "outliers": (
        *("Outliers", "FitOutliers", "SELECT Item, Score, Odd FROM MeetUp2025.ReadOutliers(?, ?)"),
        ("outlier_score", "outlier"),
    ),
}
"""Word of the option -> kind of the run, function that fits, statement that reads, and columns of the file."""

_SUFFIXES = (".parquet", ".jsonl", ".csv", ".npy")


@click.command(epilog=example("meetup2025 export Docs docs.parquet --with map,clusters,outliers"))
@click.argument("source")
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
@click.option("--with", "wanted", default="", metavar="LIST", help="Results to add: map, clusters, outliers.")
@common
def export(source: str, file: Path, wanted: str) -> None:
    """
    Write a source with its results into a file, one row an item.

    FILE ends in .parquet, .jsonl, .csv or .npy. The results are those of the newest run of each kind. Where there is
    none, it is fitted first.
    """
    words = [word.strip() for word in wanted.split(",") if word.strip()]
    if unknown := [word for word in words if word not in _RESULTS]:
        raise click.UsageError(f"Results must be among {', '.join(_RESULTS)}. Got {', '.join(unknown)}.")
    if file.suffix.lower() not in _SUFFIXES:
        raise click.UsageError(f"A file must end in {', '.join(_SUFFIXES)}. Got {file.name}.")
    with database() as connection:
        key, columns = _items(connection, source)
        for word in words:
            found = _result(connection, source, word, columns[key].tolist())
            names = distinct([*columns, *found])
            columns = dict(zip(names, [*columns.values(), *found.values()], strict=True))
        connection.commit()
    _write(columns, file)
    count = len(columns[key])
    output.write_record({"rows": count, "file": str(file)}, f"{count} rows in {file}", options().format)


def _items(connection: Connection, source: str) -> tuple[str, dict[str, NDArray[Any]]]:
    """Return the column of the key, and all columns of the table of a source."""
    table, key = _table(connection, source)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table}")
        columns = cursor.fetchnumpy()
    return next(name for name in columns if name.upper() == key.upper()), columns


def _table(connection: Connection, source: str) -> tuple[str, str]:
    """Return the table of a source in SQL, and the column of its key."""
    for name in COUNTS:
        if source.upper() == name.upper():
            return f"MeetUp2025.{name}", "FishID" if name == "Fish" else "Name"
    sql = "SELECT TableName, ItemColumn FROM MeetUp2025.SourceTable WHERE UPPER(Name) = UPPER(?)"
    found = rows(connection, sql, [source])
    if not found:
        raise click.UsageError(f"A source to export must be Fish, FishImage or one that is registered. Got {source}.")
    [(table, key)] = found
    return qualified(str(table)), str(key)


def _result(connection: Connection, source: str, word: str, keys: Sequence[Any]) -> dict[str, NDArray[Any]]:
    """Return the columns of a result, in the order of the keys."""
    from meetup2025.engines.arrays import of_values

    kind, fit, read, names = _RESULTS[word]
    sql = "SELECT Run FROM MeetUp2025.Runs(?, ?) WHERE UPPER(Source) = UPPER(?) ORDER BY Run DESC"
    known = rows(connection, sql, [kind, ALL, source])
    run = known[0][0] if known else value(connection, f"SELECT MeetUp2025.{fit}(?)", [source])
    if value(connection, "SELECT MeetUp2025.SourceChanged(?)", [run]):
        complain(f"the source of run {run} has changed since the run")
    found = {str(item).upper(): values for item, *values in rows(connection, read, [run, ALL])}
    nothing = [None] * len(names)
    joined = [found.get(str(key).upper(), nothing) for key in keys]
    complain(f"{word}: run {run}")
    return {name: of_values([row[at] for row in joined]) for at, name in enumerate(names)}


def _write(columns: dict[str, NDArray[Any]], file: Path) -> None:
    from meetup2025.engines.exchange import file_of

    style = file.suffix.lower().removeprefix(".")
    if style != "csv":
        file.write_bytes(file_of(columns, style))
        return
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*(each.tolist() for each in columns.values()), strict=True))
