"""Pictures of runs and answers: the options --html and --png, and a figure for each kind of run."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import click

from meetup2025.cli.options import complain
from meetup2025.client import ALL, reading, records, thumbnails, value
from meetup2025.errors import DataError, NotSupportedError
from meetup2025.locale import language, translated

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from plotly.graph_objects import Figure

    from meetup2025.engines import Connection

F = TypeVar("F", bound="Callable[..., Any]")

_THUMBNAIL = 160
"""Least pixels of the longest side."""

_THUMBNAILS = 2000
"""Most photos of a map that are shown on hover. With more, a page would be larger than its library."""


def pictured(command: F) -> F:
    """
    Add the options --html and --png to a command, as `html` and `png`. A file that cannot be written ends it at once.
    """
    file = click.Path(dir_okay=False)
    for add in (
        click.option("--png", type=file, metavar="FILE", callback=_checked, help="Write a PNG for paper."),
        click.option(
            "--html", type=file, metavar="FILE", callback=_checked, help="Write a page that needs no network."
        ),
    ):
        command = add(command)
    return command


def draw_run(connection: Connection, run: int, files: dict[str, str | None], **joined: int | bool | None) -> bool:
    """
    Draw a run into files, if the options ask for files.

    Args:
        connection: An open connection.
        run: Number of the run.
        files: Values of the options `html` and `png`.
        joined: Runs of `clusters` or `outliers` that colour a map, and whether `distances` replace the map of groups.

    Returns:
        Whether a picture was drawn.

    Raises:
        DataError: The run does not exist, or has no items in common with the runs that colour it.
        NotSupportedError: Runs of its kind have no picture.
    """
    if not any(files.values()):
        return False
    kind, source = _of_run(connection, run)
    if kind not in _DRAWN:
        known = ", ".join(_DRAWN)
        raise NotSupportedError(f"A run to draw must be one of {known}. Got run {run}, of {kind}; read its rows.")
    about = {"title": translated(_TITLES[kind].format(source)), "subtitle": f"run {run}{_metrics(connection, run)}"}
    save(_DRAWN[kind](connection, run, about, joined), files, about["title"])
    return True


def draw_gap(connection: Connection, runs: Sequence[int], files: dict[str, str | None]) -> None:
    """
    Draw two maps side by side.

    Raises:
        DataError: The maps have different dimensions.
        NotSupportedError: The runs are no maps.
    """
    from meetup2025 import figures

    found = [_of_run(connection, run) for run in runs]
    if any(kind != "Map" for kind, _ in found):
        got = ", ".join(f"run {run} of {kind}" for run, (kind, _) in zip(runs, found, strict=True))
        raise NotSupportedError(f"Runs to draw side by side must be maps. Got {got}; leave out --html and --png.")
    rows = [_of_map(connection, run) for run in runs]
    titles = [f"run {run}{_metrics(connection, run, 'gap_distance')}" for run in runs]
    title = translated(f"Maps of {', '.join(dict.fromkeys(source for _, source in found))}")
    save(figures.gap(*rows, titles=titles, title=title), files, title)


def draw_answers(
    answers: Sequence[dict[str, Any]], pictures: Sequence[str], files: dict[str, str | None], note: str
) -> None:
    """Draw pictures beside their names. *pictures* are data URLs or names of samples. Empty ones are not shown."""
    from meetup2025 import figures

    if any(files.values()):
        sheet = [
            {**answer, "thumbnail": _thumbnail(picture) if picture and "names" in answer else ""}
            for answer, picture in zip(answers, pictures, strict=True)
        ]
        title = translated("What is in the picture")
        save(figures.identified(sheet, title=title, subtitle=note), files, title)


def save(figure: Figure, files: dict[str, str | None], title: str) -> None:
    """Write a figure into the files of the options, and report the files."""
    from meetup2025 import figures

    for kind, write in (("html", partial(figures.write_html, lang=language())), ("png", figures.write_png)):
        path = files.get(kind)
        if path:
            write(figure, path, title)
            complain(f"wrote {path}")


def _checked(_: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Refuse a file before the work for it begins."""
    from meetup2025 import figures

    if value:
        try:
            figures.check_file(value)
        except DataError as error:
            raise click.BadParameter(str(error)) from error
        if parameter.name == "png":
            figures.check_png()
    return value


def _map(connection: Connection, run: int, about: dict[str, str], joined: dict[str, Any]) -> Figure:
    from meetup2025 import figures

    rows, colour = _of_map(connection, run), ""
    for name, query, columns in (
        ("clusters", "ReadClusters", ("cluster", "central")),
        ("outliers", "ReadOutliers", ("score", "odd")),
    ):
        other = joined.get(name)
        if other:
            colour = columns[0]
            about["subtitle"] += f" · {name} of run {other}"
            _join(rows, _read(connection, query, other), columns, other)
    return figures.map(rows, colour=colour, **about)


def _clusters(connection: Connection, run: int, about: dict[str, str], joined: dict[str, Any]) -> Figure:
    """Draw the groups on a map of their source, or their items by the distance to the centre."""
    from meetup2025 import figures

    if not joined.get("distances"):
        on = _map_of(connection, _of_run(connection, run)[1])
        about["subtitle"] += f" · {translated(f'on the map of run {on}')}"
        rows = _of_map(connection, on)
        _join(rows, _read(connection, "ReadClusters", run), ("cluster", "central"), run)
        return figures.map(rows, colour="cluster", **about)
    return figures.clusters(_with_kanji(connection, _read(connection, "ReadClusters", run)), **about)


def _elbow(connection: Connection, run: int, about: dict[str, str], _: Any) -> Figure:
    from meetup2025 import figures

    return figures.elbow(_read(connection, "ReadElbow", run), **about)


def _tuning(connection: Connection, run: int, about: dict[str, str], _: Any) -> Figure:
    from meetup2025 import figures

    return figures.tuning(_read(connection, "ReadTuning", run), **about)


def _outliers(connection: Connection, run: int, about: dict[str, str], _: Any) -> Figure:
    from meetup2025 import figures

    sql = "SELECT Name, Value FROM MeetUp2025.ReadMetrics(?)"
    threshold = {row["name"]: row["value"] for row in records(connection, sql, [run])}["threshold"]
    return figures.outliers(_with_kanji(connection, _read(connection, "ReadOutliers", run)), threshold, **about)


def _curves(connection: Connection, run: int, about: dict[str, str], _: Any) -> Figure:
    from meetup2025 import figures

    return figures.curves(_read(connection, "ReadCurves", run), **about)


def _comparison(connection: Connection, run: int, about: dict[str, str], _: Any) -> Figure:
    from meetup2025 import figures

    return figures.comparison(_read(connection, "ReadComparison", run), **about)


def _recogniser(connection: Connection, run: int, about: dict[str, str], _: Any) -> Figure:
    from meetup2025 import figures

    sql = "SELECT Subject, Value FROM MeetUp2025.ReadMetrics(?) WHERE Name = 'confused'"
    confusions = [(row["subject"], row["value"]) for row in records(connection, sql, [run])]
    return figures.recogniser(_read(connection, "ReadCurves", run), confusions, **about)


_DRAWN = {
    "Map": _map,
    "Clusters": _clusters,
    "Elbow": _elbow,
    "Outliers": _outliers,
    "Evaluation": _curves,
    "Comparison": _comparison,
    "Recogniser": _recogniser,
    "Tuning": _tuning,
}
"""Kind of a run -> function that draws it."""

_TITLES = {
    "Map": "Map of {0}",
    "Clusters": "Groups of {0}",
    "Elbow": "Number of groups in {0}",
    "Outliers": "Outliers in {0}",
    "Evaluation": "Quality of the outliers in {0}",
    "Comparison": "Detectors on {0}",
    "Recogniser": "What is known of the labels of {0}",
    "Tuning": "Trials of parameters on {0}",
}


def _of_run(connection: Connection, run: int) -> tuple[str, str]:
    """Return the kind and the source of a run."""
    sql = "SELECT Kind, Source FROM MeetUp2025.Runs('%', ?) WHERE Run = ?"
    found = records(connection, sql, [ALL, run])
    if not found:
        raise DataError(f"A run must be one of MeetUp2025.Runs(). Got {run}.")
    return str(found[0]["kind"]), str(found[0]["source"])


def _map_of(connection: Connection, source: str) -> int:
    """Return the newest map of a source as it is now. Without one, fit it."""
    sql = "SELECT Run, Source FROM MeetUp2025.Runs('Map', ?)"
    for row in records(connection, sql, [ALL]):
        if row["source"] == source and not value(connection, "SELECT MeetUp2025.SourceChanged(?)", [row["run"]]):
            return int(row["run"])
    run = int(value(connection, "SELECT MeetUp2025.FitMap(?)", [source]))
    connection.commit()
    return run


def _metrics(connection: Connection, run: int, only: str = "") -> str:
    """Return the quality of a run in a few numbers."""
    sql = "SELECT Subject, Name, Value FROM MeetUp2025.ReadMetrics(?)"
    found = [
        f"{row['name'].replace('_', ' ')} {row['value']:.3g}"
        for row in records(connection, sql, [run])
        if not row["subject"] and row["value"] is not None and row["name"].startswith(only)
    ]
    return "".join(f" · {each}" for each in found[:6])


def _with_kanji(connection: Connection, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add the kanji of the catalogue to names and photos."""
    sql = "SELECT FishID, Name, Kanji FROM MeetUp2025.FishCatalogue()"
    known: dict[str, dict[Any, str]] = {"Fish": {}, "FishImage": {}}
    for fish in records(connection, sql, []):
        known["Fish"][fish["fishid"]] = known["FishImage"][fish["name"]] = fish["kanji"] or ""
    for row in rows:
        key = row["item"] if row["source"] == "Fish" else row.get("label")
        row["kanji"] = known.get(row["source"], {}).get(key, "")
    return rows


def _of_map(connection: Connection, run: int) -> list[dict[str, Any]]:
    """Read a map, with kanji and thumbnails."""
    rows = _with_kanji(connection, _read(connection, "ReadMap", run))
    if sum(row["source"] == "FishImage" for row in rows) <= _THUMBNAILS:
        pictures = thumbnails(connection, [(row["source"], row["item"]) for row in rows])
        for row, picture in zip(rows, pictures, strict=True):
            row["thumbnail"] = picture
    return rows


def _join(rows: list[dict[str, Any]], others: list[dict[str, Any]], columns: Sequence[str], run: int) -> None:
    """Add columns from the rows of another run about the same items."""
    known = {(other["source"], other["item"]): other for other in others}
    met = 0
    for row in rows:
        other = known.get((row["source"], row["item"]))
        met += other is not None
        row.update({column: other[column] if other else None for column in columns})
    if rows and not met:
        raise DataError(f"A run that colours a map must have items of the map. Got run {run}, which has none.")


def _thumbnail(picture: str) -> str:
    """Make a small JPEG of a picture, as a data URL."""
    from meetup2025 import images

    return images.thumbnail(images.open_picture(picture, longest=_THUMBNAIL), longest=2 * _THUMBNAIL)


def _read(connection: Connection, query: str, run: int) -> list[dict[str, Any]]:
    return records(connection, reading(query), [run, ALL])
