"""
The command line: it names pictures, finds photos, loads files and runs SQL.

It sends SQL to a database, and does not depend on how the answers are made.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from meetup2025 import __version__, files
from meetup2025.cli import output
from meetup2025.cli.analyses import clusters, compare_detectors, elbow, map_, outliers, runs
from meetup2025.cli.models import model
from meetup2025.cli.options import (
    COUNTS,
    EXIT_CODES,
    NAMES,
    SOME_FAILED,
    Commands,
    common,
    complain,
    database,
    example,
    load_names_if_none,
    local,
    options,
    readable,
    rows_wanted,
    there,
)
from meetup2025.cli.pictures import draw_answers, pictured
from meetup2025.cli.serve import serve, web
from meetup2025.client import rows, value
from meetup2025.embedding.confidence import knows_only_drawings
from meetup2025.errors import UnreadableImageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meetup2025.engines import Connection

_ALIKE = """
SELECT DISTINCT %EXACT(one.Name) AS Alike FROM MeetUp2025.Fish one, MeetUp2025.Fish other
WHERE one.FishID <> other.FishID AND VECTOR_COSINE(one.Features, other.Features) > 0.999999 ORDER BY Alike"""

_MOST_COMPARED = 2000
"""Most names that are compared with one another after a load: four million cosines take a second or two."""

_DRAWINGS_ALONE = "the model sketch knows drawings: do not trust it with photographs"


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EXIT_CODES + example("meetup2025 demo", "meetup2025 identify mine.jpg"),
)
@common
@click.version_option(__version__, prog_name="meetup2025")
def main() -> None:
    """Name the fish in a picture, and see what vectors mean, in SQL."""


main.add_command(model)
main.add_command(serve)
main.add_command(web)
for command in (map_, clusters, elbow, outliers, compare_detectors, runs):
    main.add_command(command)


@main.command(epilog=example("meetup2025 demo"))
@common
def demo() -> None:
    """
    Show what the program does, in a few seconds.

    The database is in memory. With --url, the names and samples stay in that database.
    """
    from meetup2025.cli import shell

    with database(default="duckdb://") as connection:
        shell.show_demo(connection, options().format)
        connection.commit()


@main.command(epilog=example("meetup2025 identify mine.jpg", "meetup2025 identify *.jpg -k 1 --format csv > names.csv"))
@click.argument("pictures", metavar="PICTURE…", nargs=-1, required=True)
@rows_wanted
@pictured
@common
def identify(pictures: Sequence[str], k: int, **files: str | None) -> None:
    """
    Name the fish in pictures, best first.

    - is a picture on standard input. The bundled catalogue is loaded when the database has no names. A page or picture
    shows them beside their names.
    """
    with database() as connection:
        load_names_if_none(connection)
        answers, shown = zip(*(_identified(connection, picture, k) for picture in pictures), strict=True)
        only_drawings = _knows_only_drawings(connection, "Fish")
    _show_identified(answers)
    draw_answers(answers, shown, files, _DRAWINGS_ALONE if only_drawings else "")
    if only_drawings and any("names" in answer for answer in answers):
        complain(_DRAWINGS_ALONE)
    if any("error" in answer for answer in answers):
        sys.exit(SOME_FAILED)


@main.command(epilog=example("meetup2025 find 赤い魚 -k 5"))
@click.argument("text")
@rows_wanted
@common
def find(text: str, k: int) -> None:
    """Find photos for a name or a description, best first."""
    with database() as connection:
        if not value(connection, COUNTS["FishImage"]):
            complain("there are no photos to search: load yours with `meetup2025 load photos FOLDER`")
            sys.exit(SOME_FAILED)
        found = rows(connection, "CALL MeetUp2025.FindImages(?, ?)", [text, k])
        only_drawings = _knows_only_drawings(connection, "FishImage")
    ranked = [(rank, *row) for rank, row in enumerate(found, 1)]
    output.write_rows(("rank", "name", "label", "score"), ranked, options().format)
    if only_drawings:
        complain(_DRAWINGS_ALONE)


@main.group(epilog=example("meetup2025 load names", "meetup2025 load photos ~/Pictures/fishing"))
@common
def load() -> None:
    """
    Load names, photos or vectors.

    Loading the same file again changes nothing.
    """


@load.command(epilog=example("meetup2025 load names", "meetup2025 load names mine.csv --prompts catalogue/prompts.csv"))
@click.argument("csv", required=False)
@click.option("--prompts", metavar="FILE", help="CSV file of templates for the texts of a name [the bare name].")
@common
def names(csv: str | None, prompts: str | None) -> None:
    """
    Load a catalogue of names from a CSV file.

    Without a file, the bundled names of 100 fish are loaded. The file is UTF-8 with a header: FishID and Name, and
    optionally Kanji, OtherNames, English, Scientific, Family.

    A file of --prompts has the columns Column and Template. The line OtherNames,{}の写真 puts every other name into
    this text. The bundled file is catalogue/prompts.csv. A load without --prompts makes the vectors from the bare names
    again.
    """
    from meetup2025.cli import upload

    sent = local(csv)
    path, folder = (upload.whole(sent), None) if sent else readable(csv or NAMES)
    of_names = _small_file(prompts) if prompts else ""
    with database(folder) as connection:
        changed = value(connection, "SELECT MeetUp2025.LoadNames(?, ?)", [path, of_names])
        connection.commit()
        total = value(connection, COUNTS["Fish"])
        unknown = [row[0] for row in rows(connection, _ALIKE)] if changed and total <= _MOST_COMPARED else []
    _show_counts(f"{changed} names added or changed, {total} in the catalogue", changed=changed, total=total)
    if unknown:
        complain(
            f"{len(unknown)} of {total} names have the vector of another name: the model does not know these words. "
            f"Use another model, or add known words by --prompts. The names are {', '.join(unknown)}"
        )


@load.command(
    epilog=example("meetup2025 load photos ~/Pictures/fishing", "meetup2025 load photos /data/fish --ray 10.0.0.1:6379")
)
@click.argument("folder")
@click.option("--ray", "address", metavar="ADDRESS", help="Make the vectors on a Ray cluster: HOST:PORT, or local.")
@common
def photos(folder: str, address: str | None) -> None:
    """
    Load the photos of a folder and its subfolders.

    The file labels.csv of the folder (columns File and Name) labels the photos. A photo that is not in this file gets
    its label from its file name or its subfolder, if this is a name of the catalogue. Files that are no readable
    pictures are left out and listed. With a server, photos of this machine are sent one by one and committed every few
    photos, so they stay when the rest fails. With --ray, the machines of a cluster read the folder, and a few hundred
    photos are committed at once.
    """
    from meetup2025.cli import upload
    from meetup2025.loading import ray

    sent = local(folder)
    path, allowed = (folder, there(folder, "folder")) if address else readable(folder, "folder")
    with database(allowed) as connection:
        load_names_if_none(connection)
        if address and allowed:
            changed, skipped = ray.load_photos(connection, allowed, address)
        elif sent:
            changed, skipped = upload.send_photos(connection, sent)
        else:
            changed = value(connection, "SELECT MeetUp2025.LoadImages(?)", [path])
            connection.commit()
            skipped = rows(connection, "SELECT Name, Reason FROM MeetUp2025.SkippedImage ORDER BY Name")
        total = value(connection, COUNTS["FishImage"])
    sentence = f"{changed} photos added or changed, {total} in the database"
    _show_counts(sentence, changed=changed, total=total, skipped=len(skipped))
    for name, reason in skipped:
        complain(f"{name}: {reason}")
    if skipped:
        sys.exit(SOME_FAILED)


@load.command(epilog=example("meetup2025 load vectors fish.jsonl --model-of sketch@1"))
@click.argument("jsonl")
@click.option("--table", type=click.Choice(list(COUNTS)), default="Fish", show_default=True, help="Table to fill.")
@click.option(
    "--model-of",
    metavar="MODEL",
    default="line-corporation/clip-japanese-base",
    show_default=True,
    help="Model that made the vectors.",
)
@common
def vectors(jsonl: str, table: str, model_of: str) -> None:
    """
    Load the vectors of another program from a JSON Lines file.

    A line is {"fishid", "fishname", "embedding": [...]}, or {"filename", "features": "…"} for photos. A table holds
    vectors of one model, and searching it needs this model.
    """
    from meetup2025.cli import upload

    sent = local(jsonl)
    path, folder = readable(jsonl)
    with database(folder) as connection:
        if sent:
            changed = upload.send_vectors(connection, sent, table, model_of)
        else:
            changed = value(connection, "SELECT MeetUp2025.LoadVectors(?, ?, ?)", [path, table, model_of])
        connection.commit()
        total = value(connection, COUNTS[table])
    _show_counts(f"{changed} vectors added or changed, {total} in {table}", changed=changed, total=total)


@main.command(
    epilog=example(
        'meetup2025 sql "SELECT Name, Kanji FROM MeetUp2025.FishCatalogue()" --format csv',
        "meetup2025 sql < statements.sql",
        "meetup2025 sql --catalog",
        "meetup2025 sql",
    )
)
@click.argument("statement", required=False)
@click.option("--catalog", is_flag=True, help="List the tables, functions, queries and procedures of SQL.")
@common
def sql(statement: str | None, catalog: bool) -> None:  # noqa: FBT001 - click gives it by name
    """
    Run SQL statements, or ask for them on a terminal.

    With a pipe or -, the statements come from standard input, and each ends with a semicolon. On a terminal there is a
    prompt. Each statement is a transaction of its own. The first error ends the run, and the statements before it stay.
    """
    from meetup2025.cli import shell
    from meetup2025.engines.classes.catalog import catalog_lines

    if catalog:
        click.echo("\n".join(catalog_lines()))
        return
    with database(autocommit=True) as connection:
        if statement is None and sys.stdin.isatty() and sys.stdout.isatty():
            shell.ask(connection, options().format)
            return
        if statement in (None, "-"):
            statement = _typed_statements()
        for each in shell.statements(str(statement)):
            shell.run(connection, each, options().format)
        if connection.in_transaction:
            complain("the transaction was not committed, so it is rolled back: end it with COMMIT")
            sys.exit(SOME_FAILED)


def _small_file(path: str) -> str:
    """
    Return a file as SQL takes it.

    A file of this machine becomes a data URL. Other files keep their name in the package or on the server.
    """
    from meetup2025.cli import upload

    found = Path(path).expanduser()
    return upload.whole(found) if found.is_file() else readable(path)[0]


def _identified(connection: Connection, picture: str, k: int) -> tuple[dict[str, Any], str]:
    """Name the fish in a picture, or tell what is wrong with it; and give the picture as SQL took it."""
    columns = ("fishid", "name", "kanji", "english", "score")
    try:
        sent = _data_url(picture)
        found = rows(connection, "CALL MeetUp2025.Identify(?, ?)", [sent, k])
    except UnreadableImageError as error:
        message = str(error)
        complain(message if repr(picture) in message else f"{picture}: {message}")
        return {"picture": picture, "error": message}, ""
    return {"picture": picture, "names": [dict(zip(columns, row, strict=True)) for row in found]}, sent


def _data_url(picture: str) -> str:
    from meetup2025 import images
    from meetup2025.cli import upload

    if picture.startswith("samples/") and not Path(picture).exists():
        return picture  # a file of the package, as in SQL
    source = sys.stdin.buffer.read(files.LARGEST_PICTURE + 1) if picture == "-" else picture
    if options().is_embedded:
        return images.to_data_url(source, longest=upload.LONGEST)
    return upload.picture(source)


def _knows_only_drawings(connection: Connection, table: str) -> bool:
    """Check whether the vectors of a table are of a model of drawings, whichever machine made them."""
    models = rows(connection, "SELECT Model FROM MeetUp2025.VectorModels() WHERE Source = ?", [table])
    return any(knows_only_drawings(row[0] or "") for row in models)


def _typed_statements() -> str:
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.UsageError(f"SQL on standard input must be UTF-8. Got byte {error.start} wrong.") from error


def _show_identified(answers: Sequence[dict[str, Any]]) -> None:
    style = options().format
    rows = [
        (answer["picture"], rank, *name.values())
        for answer in answers
        for rank, name in enumerate(answer.get("names", ()), 1)
    ]
    if style == "json":
        output.write_json(answers)
    elif style == "csv":
        output.write_rows(("picture", "rank", "fishid", "name", "kanji", "english", "score"), rows, style)
    elif rows:
        first = 0 if len(answers) > 1 else 1
        columns = ("picture", "rank", "name", "kanji", "English", "score")
        output.write_rows(columns[first:], [(*row[:2], *row[3:])[first:] for row in rows], style)


def _show_counts(sentence: str, **counts: int) -> None:
    output.write_record(counts, sentence, options().format)
