"""
The command line: it names pictures, finds photos, loads files and runs SQL.

It sends SQL to a database, and does not depend on how the answers are made.
"""

from __future__ import annotations

import hashlib
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import meetup2025
from meetup2025 import __version__, files
from meetup2025.cli import output
from meetup2025.cli.analyses import clusters, compare_detectors, elbow, map_, outliers, recogniser, runs, tune
from meetup2025.cli.benchmark import benchmark
from meetup2025.cli.export import export
from meetup2025.cli.models import model
from meetup2025.cli.options import (
    COUNTS,
    EXIT_CODES,
    NAMES,
    SKIPPED,
    SOME_FAILED,
    Commands,
    catalogue,
    common,
    complain,
    database,
    example,
    knows_drawings_alone,
    load_names_if_none,
    local,
    options,
    readable,
    rows_wanted,
    there,
)
from meetup2025.cli.pictures import draw_answers, pictured
from meetup2025.cli.refresh import refresh
from meetup2025.cli.serve import serve, web
from meetup2025.cli.upkeep import backup, doctor
from meetup2025.cli.watch import watch
from meetup2025.client import records, rows, value
from meetup2025.embedding.confidence import LIKE_A_DRAWING
from meetup2025.errors import UnreadableImageError, listed
from meetup2025.loading.spelling import normal
from meetup2025.locale import translated

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from meetup2025.engines import Connection

_ALIKE = """
SELECT DISTINCT %EXACT(one.Name) AS Alike FROM MeetUp2025.Fish one, MeetUp2025.Fish other
WHERE one.FishID <> other.FishID AND VECTOR_COSINE(one.Features, other.Features) > 0.999999 ORDER BY Alike"""

_UNLABELLED = "SELECT Name FROM MeetUp2025.FishImage WHERE Label IS NULL ORDER BY Name"

_ENGLISH = "SELECT TOP 1 %EXACT(Prompts) FROM MeetUp2025.Fish WHERE Prompts LIKE 'English %'"

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


main.add_command(backup)
main.add_command(doctor)
main.add_command(benchmark)
main.add_command(export)
main.add_command(model)
main.add_command(refresh)
main.add_command(serve)
main.add_command(watch)
main.add_command(web)
for command in (map_, clusters, elbow, outliers, compare_detectors, recogniser, tune, runs):
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


def _label(_: click.Context, __: click.Parameter, label: str | None) -> str | None:
    """Refuse a label without a visible character."""
    if label is not None and not normal(label):
        raise click.BadParameter(f"A label must have a visible character. Got {label!r}.")
    return label


@main.command(
    epilog=example("meetup2025 identify mine.jpg", "meetup2025 identify ~/Pictures -k 1 --format csv > names.csv")
)
@click.argument("pictures", metavar="PICTURE|FOLDER…", nargs=-1, required=True)
@click.option(
    "--teach",
    metavar="LABEL",
    callback=_label,
    help="Add the pictures with this label first, to be known from now on.",
)
@rows_wanted
@pictured
@catalogue
@common
def identify(pictures: Sequence[str], teach: str | None, k: int, **files: str | None) -> None:
    """
    Name the fish in pictures, best first.

    If a recogniser is fitted to labelled photos (`meetup2025 recogniser`), the photos count beside the names, and the
    answer says whether it is sure. A label may be any name of the catalogue, or a word of your own.

    The picture - is standard input. Of a folder, all pictures in it and its subfolders are named. If the database has
    no names, the bundled catalogue is loaded. With --html or --png, the pictures are drawn beside their names too.
    """
    pictures = _pictures(pictures)
    with database() as connection:
        load_names_if_none(connection)
        sent = {picture: _sent(picture) for picture in pictures}
        if teach:
            _teach(connection, [image for image, _ in sent.values()], teach)
        answers = [_identified(connection, picture, *sent[picture], k) for picture in pictures]
        only_drawings = knows_drawings_alone(connection, "Fish")
        if any(answer.get("answer") for answer in answers):
            _warn_of_age(connection)
    _show_identified(answers)
    draw_answers(answers, [sent[picture][0] for picture in pictures], files, _DRAWINGS_ALONE if only_drawings else "")
    if only_drawings and any("names" in answer for answer in answers):
        complain(_of_drawings(answers))
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
        only_drawings = knows_drawings_alone(connection, "FishImage")
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
    again. For a model that knows English alone it makes them from the column English, as "a photo of a …".
    """
    from meetup2025.cli import upload
    from meetup2025.loading.records import other_columns

    sent = local(csv)
    path, folder = (upload.whole(sent), None) if sent else readable(csv or NAMES)
    of_names = _small_file(prompts) if prompts else ""
    with database(folder) as connection:
        changed = value(connection, "SELECT MeetUp2025.LoadNames(?, ?)", [path, of_names])
        connection.commit()
        total = value(connection, COUNTS["Fish"])
        english = [] if prompts or not changed else rows(connection, _ENGLISH)
        unknown = [row[0] for row in rows(connection, _ALIKE)] if changed and total <= _MOST_COMPARED else []
    sentence = f"{changed} name{'s' * (changed != 1)} added or changed, {total} in the catalogue"
    _show_counts(sentence, changed=changed, total=total)
    if english:
        complain(f"the model knows English alone: the vectors are of the column {english[0][0]}")
    _tell_unread(other_columns(_first_line(csv)) if csv else [])
    if unknown:
        complain(
            f"{len(unknown)} of {total} names have the vector of another name: the model does not know these words. "
            f"Use another model, or add known words by --prompts. The names are {', '.join(unknown)}"
        )


@load.command(
    epilog=example(
        "meetup2025 load photos ~/Pictures/fishing",
        "meetup2025 load photos /data/2026-12-01 --prefix 2026-12-01",
        "meetup2025 load photos /data/fish --ray 10.0.0.1:6379",
    )
)
@click.argument("folder")
@click.option("--prefix", default="", metavar="TEXT", help="First part of the names of new photos.")
@click.option("--ray", "address", metavar="ADDRESS", help="Make the vectors on a Ray cluster: HOST:PORT, or local.")
@catalogue
@common
def photos(folder: str, prefix: str, address: str | None) -> None:
    """
    Load the photos of a folder and its subfolders.

    A photo is known by its content: the folder above, a copy, and a file that was moved or renamed give no second row.
    The name of a new photo is its file name below the folder. Where another photo has this name, the names of the
    folders above come before it.

    The file labels.csv of the folder (columns File and Name) labels the photos. A photo that is not in this file gets
    its label from its file name or its subfolder, if this is a name of the catalogue. Files that are no readable
    pictures are left out and listed.

    Photos are committed every few photos, and they stay when the rest fails. After Ctrl-C, the same command goes on
    from there. With --ray, the machines of a cluster read the folder.
    """
    from meetup2025.cli import upload
    from meetup2025.loading import ray

    sent = local(folder)
    path, allowed = (folder, there(folder, "folder")) if address else readable(folder, "folder")
    with database(allowed, autocommit=not sent) as connection:
        load_names_if_none(connection)
        with _kept(connection):
            if address and allowed:
                changed, skipped = ray.load_photos(connection, allowed, address, prefix)
            elif sent:
                changed, skipped = upload.send_photos(connection, sent, prefix)
            else:
                changed = value(connection, "SELECT MeetUp2025.LoadImages(?, ?)", [path, prefix])
                skipped = rows(connection, SKIPPED)
        total = value(connection, COUNTS["FishImage"])
        unlabelled = [row[0] for row in rows(connection, _UNLABELLED)]
    known, many = total - len(unlabelled), "s" * (changed != 1)
    sentence = f"{changed} photo{many} added or changed, {total} in the database, {known} with a label"
    _show_counts(sentence, changed=changed, total=total, labelled=known, skipped=len(skipped))
    if unlabelled:
        complain(f"no label in the file name, the folder or labels.csv: {listed(unlabelled)}")
    for name, reason in skipped:
        complain(f"{name}: {reason}")
    if skipped:
        sys.exit(SOME_FAILED)


@contextmanager
def _kept(connection: Connection) -> Iterator[None]:
    """Say at Ctrl-C which photos of a load are kept."""
    before = value(connection, COUNTS["FishImage"])
    try:
        yield
    except KeyboardInterrupt:
        connection.rollback()
        total = value(connection, COUNTS["FishImage"])
        complain(f"stopped: {total - before} new photos are kept. The same command goes on from there")
        raise


@load.command(epilog=example("meetup2025 load vectors fish.jsonl --model-of sketch@1"))
@click.argument("jsonl")
@click.option("--table", type=click.Choice(list(COUNTS)), default="Fish", show_default=True, help="Table to fill.")
@click.option(
    "--model-of",
    metavar="MODEL",
    help="Model that made the vectors [the member model of the first line].",
)
@common
def vectors(jsonl: str, table: str, model_of: str | None) -> None:
    """
    Load the vectors of another program from a file of JSON Lines or Parquet.

    A line is {"fishid", "fishname", "embedding": [...]}, or {"filename", "features": "…"} for photos. A table holds
    vectors of one model, and searching it needs this model. For vectors of any other length, and for other columns, see
    `meetup2025 load table`.
    """
    from meetup2025.cli import upload
    from meetup2025.loading.records import members, other_members

    first = members(_first_line(jsonl))
    model_of = model_of or str(first.get("model") or "")
    if not model_of:
        raise click.UsageError("The model that made the vectors must be known. Got none: add --model-of MODEL.")
    sent = local(jsonl)
    path, folder = readable(jsonl)
    with database(folder) as connection:
        if sent:
            changed = upload.send_vectors(connection, sent, table, model_of)
        else:
            changed = value(connection, "SELECT MeetUp2025.LoadVectors(?, ?, ?)", [path, table, model_of])
        connection.commit()
        total = value(connection, COUNTS[table])
    sentence = f"{changed} vector{'s' * (changed != 1)} added or changed, {total} in {table}"
    _show_counts(sentence, changed=changed, total=total)
    _tell_unread(other_members(first, table))


@load.command(
    epilog=example(
        "meetup2025 load table docs.parquet --as Docs --label topic",
        "meetup2025 load table vectors.npy --as Docs --with names.csv --key id",
        "meetup2025 load table data.csv --as App.Docs --vectors 'x*'",
    )
)
@click.argument("file")
@click.option("--as", "name", metavar="NAME", required=True, help="Name of the table and of the source.")
@click.option("--with", "beside", metavar="FILE", help="File with further columns of the same rows, for an array.")
@click.option("--key", default="", help="Column with the key [id, key, or the number of the row].")
@click.option("--vector", default="", help="Column with the vectors [the only one of lists of numbers].")
@click.option("--vectors", default="", metavar="PATTERN", help="Columns with a number each, as x*.")
@click.option("--text", default="", metavar="COLUMN", help="Make vectors of the texts of a column.")
@click.option("--image", default="", metavar="COLUMN", help="Make vectors of the pictures of a column.")
@click.option("--label", default="", metavar="COLUMN", help="Column with the class of a row.")
@click.option("--title", default="", metavar="COLUMN", help="Column with the name of a row [the key].")
@common
def table(file: str, name: str, beside: str | None, **roles: str) -> None:
    """
    Load a table of your own, with vectors of any length.

    FILE is Parquet, CSV, JSON, JSON Lines, Arrow, NPY, NPZ, or a folder of Hugging Face datasets. The table is made
    with the columns of the file and their types, and becomes a source of analyses. Loading again changes only the rows
    that differ, and deletes none.
    """
    with database() as connection:
        loaded = meetup2025.load_table(connection, file, name, beside=beside, **roles)
        connection.commit()
    counts = {"added": loaded.added, "changed": loaded.changed, "total": loaded.total}
    told = f"{loaded.added} rows added, {loaded.changed} changed, {loaded.total} in {loaded.table}"
    _show_counts(f"{told}, vectors of {loaded.dimension} numbers", **counts, dimension=loaded.dimension)
    for column, renamed in loaded.renamed.items():
        complain(f"the column {column} is {renamed} in the table")
    complain(f"next: meetup2025 map {loaded.source} --html map.html, or clusters, outliers, elbow of {loaded.source}")


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
@click.option("--read-only", is_flag=True, help="Refuse changes. Many programs may read a file at once.")
@common
def sql(statement: str | None, *, catalog: bool, read_only: bool) -> None:
    """
    Run SQL statements, or ask for them on a terminal.

    With a pipe or -, the statements come from standard input, and each ends with a semicolon. On a terminal there is a
    prompt. Each statement is a transaction of its own. The first error ends the run, and the statements before it stay.
    A database of this machine reads your files by their paths, as in CALL MeetUp2025.Identify('/home/me/koi.jpg', 3).
    """
    from meetup2025.cli import shell
    from meetup2025.engines.classes.catalog import catalog_lines

    if catalog:
        click.echo("\n".join(catalog_lines()))
        return
    folders = (Path.cwd(), Path(Path.cwd().anchor))
    with database(*folders, autocommit=True, read_only=read_only) as connection:
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


def _first_line(path: str) -> bytes:
    """Return the first line of a file of this machine that is not empty, or nothing."""
    found = Path(path).expanduser()
    if not found.is_file():
        return b""
    with found.open("rb") as file:
        return next((line for line in iter(lambda: file.readline(files.LONGEST_LINE), b"") if line.strip()), b"")


def _tell_unread(names: Sequence[str]) -> None:
    if names:
        complain(f"not read: {', '.join(names)}. A table of your own keeps all columns: meetup2025 load table")


def _small_file(path: str) -> str:
    """
    Return a file as SQL takes it.

    A file of this machine becomes a data URL. Other files keep their name in the package or on the server.
    """
    from meetup2025.cli import upload

    found = Path(path).expanduser()
    return upload.whole(found) if found.is_file() else readable(path)[0]


def _sent(picture: str) -> tuple[str, str]:
    """Return a picture as SQL takes it, or an empty text and the fault of the picture."""
    try:
        return _data_url(picture), ""
    except UnreadableImageError as error:
        return "", str(error)


_NEAREST = "SELECT * FROM MeetUp2025.NearestNames(?, ?)"

_LEARNT = """
SELECT SUM(Photos) FROM MeetUp2025.Prototype
WHERE Run = (SELECT MAX(%ID) FROM MeetUp2025.Analysis WHERE Kind = 'Recogniser' AND Source = 'FishImage')"""
_LABELLED = """
SELECT COUNT(*) FROM MeetUp2025.FishImage WHERE Label IS NOT NULL AND Features IS NOT NULL AND Name NOT IN
(SELECT Item FROM MeetUp2025.Mark WHERE Labels = 'none' AND Source = 'FishImage' AND Odd = 1)"""

_LABEL_OF = "SELECT Label FROM MeetUp2025.FishImage WHERE Name = ?"


def _teach(connection: Connection, pictures: Sequence[str], label: str) -> None:
    """Add pictures with a label, under names made from their bytes."""
    for picture in filter(None, pictures):
        name = f"taught-{hashlib.sha256(picture.encode()).hexdigest()[:16]}"
        before = rows(connection, _LABEL_OF, [name])
        try:
            changed = value(connection, "SELECT MeetUp2025.AddImage(?, ?, ?)", [name, picture, label])
        except UnreadableImageError:
            continue  # naming the picture reports the fault
        now = value(connection, _LABEL_OF, [name])
        if not changed:
            complain(f"{name} is there already as {now}")
        elif before:
            complain(f"{name} changed from {before[0][0]} to {now}")
        else:
            complain(f"{name} added as {now}")
    connection.commit()


def _identified(connection: Connection, picture: str, sent: str, fault: str, k: int) -> dict[str, Any]:
    """Name the fish in a picture, as narrowly as is sure, or report the fault of the picture."""
    try:
        vector = "" if fault else value(connection, "SELECT MeetUp2025.SearchVector('Fish', 'I', ?)", [sent])
    except UnreadableImageError as error:
        fault = str(error)
    if fault:
        complain(fault if repr(picture) in fault else f"{picture}: {fault}")
        return {"picture": picture, "error": fault}
    names = records(connection, _NEAREST, [vector, k])
    is_fitted = any(name["sure"] is not None for name in names)
    answer = records(connection, "SELECT * FROM MeetUp2025.NearestGroups(?, 1)", [vector]) if is_fitted else []
    return {"picture": picture, "names": names, "answer": answer[0] if answer else None}


def _pictures(given: Sequence[str]) -> list[str]:
    """Return pictures, with the pictures of each folder in its place. A pattern that no shell has filled in is one."""
    return [picture for each in given for picture in _of_folder(each)]


def _of_folder(given: str) -> list[str]:
    from meetup2025.loading.folders import SUFFIXES

    path = Path(given).expanduser()
    if path.is_dir():
        found = [each for each in path.rglob("*") if each.suffix.lower() in SUFFIXES and each.is_file()]
        if not found:
            raise click.UsageError(f"The folder {given} must have pictures. Got none.")
        return [str(each) for each in sorted(found)]
    matched = [] if path.exists() or given == "-" else sorted(map(str, path.parent.glob(path.name)))
    return matched or [given]


def _of_drawings(answers: Sequence[dict[str, Any]]) -> str:
    """Return the note about a model of drawings. For what is plainly no drawing it names the way out."""
    from meetup2025.cli import shell

    by_names = [each for each in answers if each.get("names") and not each["answer"] and not _by_photos(each["names"])]
    scores = {each["picture"]: each["names"][0]["score"] for each in by_names}  # a score of photos has another scale
    photographs = [picture for picture, score in scores.items() if score < LIKE_A_DRAWING]
    return shell.photograph_note(photographs) if photographs else _DRAWINGS_ALONE


def _by_photos(names: Sequence[dict[str, Any]]) -> bool:
    return any(each["photos"] for each in names)


def _warn_of_age(connection: Connection) -> None:
    """Say that the recogniser has not learnt from all labelled photos."""
    learnt, labelled = value(connection, _LEARNT), value(connection, _LABELLED)
    if learnt is not None and int(learnt) != int(labelled):
        complain(
            f"the recogniser is older than the photos: it knows {learnt} labelled photos of {labelled}. "
            "Run meetup2025 recogniser"
        )


def _data_url(picture: str) -> str:
    from meetup2025 import images
    from meetup2025.cli import upload

    in_package = not options().is_embedded or (files.PACKAGE / picture).is_file()
    if picture.startswith("samples/") and in_package and not Path(picture).exists():
        return picture  # a file of the package, as in SQL
    source = sys.stdin.buffer.read(files.LARGEST_PICTURE + 1) if picture == "-" else picture
    if options().is_embedded:
        return images.to_data_url(source, longest=upload.LONGEST)
    return upload.picture(source)


def _typed_statements() -> str:
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.UsageError(f"SQL on standard input must be UTF-8. Got byte {error.start} wrong.") from error


_NAMED = ("fishid", "name", "kanji", "english", "score", "probability", "sure", "by", "photos", "nearest")
_SHOWN = ("name", "kanji", "english", "score", "probability", "by", "photos")
"""Columns of a name: of CSV, and of a table with a fitted recogniser. Without one, a table has the first four."""


def _show_identified(answers: Sequence[dict[str, Any]]) -> None:
    style = options().format
    named = [answer for answer in answers if "names" in answer]
    ranked = [(answer["picture"], rank, name) for answer in named for rank, name in enumerate(answer["names"], 1)]
    if style == "json":
        output.write_json(answers)
    elif style != "table":
        rows = [(picture, rank, *(name[each] for each in _NAMED)) for picture, rank, name in ranked]
        output.write_rows(("picture", "rank", *_NAMED), rows, style)
    elif ranked:
        _show_verdicts(named)
        is_fitted = any(name["sure"] is not None or name["photos"] for _, _, name in ranked)
        columns = _SHOWN if is_fitted else _SHOWN[:4]
        first = 0 if len(answers) > 1 else 1
        rows = [
            (picture, rank, *(_short(name[each], each) for each in columns))[first:] for picture, rank, name in ranked
        ]
        heads = ("picture", "rank", *(each.replace("english", "English") for each in columns))
        output.write_rows(heads[first:], rows, style)


def _short(found: Any, column: str) -> Any:
    return round(found, 3) if column == "probability" and found is not None else found


def _show_verdicts(answers: Sequence[dict[str, Any]]) -> None:
    """Write for each picture how sure the answer is, if a recogniser is fitted."""
    for answer in answers:
        if answer["answer"] and answer["answer"]["sure"] is not None:
            place = f"{answer['picture']}: " if len(answers) > 1 else ""
            click.echo(output.plain(place + translated(verdict(answer["answer"], answer["names"][0]))))


def verdict(answer: dict[str, Any], first: dict[str, Any]) -> str:
    """
    Return a sentence about the subject of a picture.

    Args:
        answer: The first row of `MeetUp2025.NearestGroups`, with the names of its columns in lower case.
        first: The first row of `MeetUp2025.NearestNames`.
    """
    chance = f"{answer['probability'] or 0:.2f}"
    if answer["kind"] == "none":
        return "None of these: the picture is like no label."
    if not answer["sure"]:
        return f"Not sure: {answer['name']} comes first, {chance}, {_basis(first)}."
    if answer["kind"] == "species":
        return f"Sure: {answer['name']}, {chance}, {_basis(first)}."
    word = answer["english"]
    group = f"{'an' if word[0] in 'aeiou' else 'a'} {word} of some kind ({answer['name']})" if word else answer["name"]
    return f"Sure of the {answer['kind']} alone: {group}, {chance}."


def _basis(first: dict[str, Any]) -> str:
    count, plural = first["photos"], "s" * (first["photos"] != 1)
    return {
        "name": "by its name",
        "photos": f"by {count} photo{plural}",
        "both": f"by its name and {count} photo{plural}",
    }[first["by"]]


def _show_counts(sentence: str, **counts: int) -> None:
    output.write_record(counts, sentence, options().format)
