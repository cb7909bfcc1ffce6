"""Quality of a model on the photos of a user, in one table: names, few photos, and both."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import click

import meetup2025
from meetup2025 import settings
from meetup2025.cli import output
from meetup2025.cli.options import NAMES, common, complain, example, options, there
from meetup2025.client import rows, value
from meetup2025.errors import DataError
from meetup2025.files import to_data_url

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meetup2025.engines import Connection

_KINDS = {
    "name": "Column,Template\nName,{}\n",
    "name and aliases": "Column,Template\nName,{}\nOtherNames,{}\nKanji,{}\n",
    "templates": "catalogue/prompts.csv",
    "English": "Column,Template\nEnglish,{}\n",
}
"""Kinds of names -> templates of their vectors, for LoadNames."""

_SHARES = ("top1", "spread", "top3", "macro", "ece", "coverage", "sure_right")


@click.command(
    epilog=example(
        "meetup2025 benchmark ~/Pictures/fish",
        "meetup2025 benchmark fish --model line-corporation/clip-japanese-base --format json > japanese.json",
    )
)
@click.argument("folder")
@click.option("--names", default=NAMES, show_default=True, help="Catalogue of names, a CSV file.")
@click.option("--draws", type=click.IntRange(min=1), default=5, show_default=True, help="Draws of the known photos.")
@click.option("--seed", type=int, default=5, show_default=True, help="Seed of the draws.")
@common
def benchmark(folder: str, names: str, draws: int, seed: int) -> None:
    """
    Measure a model on labelled photos: by names, by few photos, and by both.

    The photos of FOLDER get their labels as in `load photos`. The table is Markdown. --format json or csv is for
    programs. Nothing is stored: the database is in memory.
    """
    path = there(folder, "folder")
    model = options().model or settings.model()
    with meetup2025.connect("duckdb://", model=model, folders=[str(path)]) as connection:
        found = [each for kind in _KINDS for each in _measured(connection, names, str(path), kind, (draws, seed))]
        photos = rows(connection, "SELECT Hash, Label FROM MeetUp2025.FishImage WHERE Label IS NOT NULL")
        known = rows(connection, "SELECT Name FROM MeetUp2025.FishCatalogue()")
        [(version,)] = rows(connection, "SELECT DISTINCT %EXACT(Model) FROM MeetUp2025.Fish")
    about = {
        "meetup2025": meetup2025.__version__,
        "model": version,
        "photos": len(photos),
        "photos_sha256": _digest(f"{digest} {label}" for digest, label in photos),
        "names": len(known),
        "names_sha256": _digest(name for (name,) in known),
        "draws": draws,
        "seed": seed,
    }
    _write(sorted(found, key=lambda each: each["photos"] > 0), about)


def _measured(
    connection: Connection, names: str, folder: str, kind: str, drawn: tuple[int, int]
) -> list[dict[str, Any]]:
    """Load the names of a kind and, once, the photos. Return the quality of each way."""
    templates = _KINDS[kind]
    given = to_data_url(templates.encode(), "prompts.csv") if "\n" in templates else templates
    value(connection, "SELECT MeetUp2025.LoadNames(?, ?)", [names, given])
    value(connection, "SELECT MeetUp2025.LoadImages(?)", [folder])
    if not value(connection, "SELECT COUNT(Label) FROM MeetUp2025.FishImage"):
        raise DataError(f"The photos of {folder} must have labels. Got none; name files or folders by the fish.")
    run = value(connection, "SELECT MeetUp2025.FitBenchmark('FishImage', ?, ?)", list(drawn))
    ways: dict[str, dict[str, Any]] = {}
    for subject, name, number in rows(connection, "SELECT Subject, Name, Value FROM MeetUp2025.ReadMetrics(?)", [run]):
        way, _, photos = str(subject).rpartition(" ")
        ways.setdefault(subject, {"way": way.replace("names", kind), "photos": int(photos)})[name] = number
    is_first = kind == next(iter(_KINDS))
    return [each for each in ways.values() if is_first or not each["photos"]]


def _digest(texts: Any) -> str:
    return hashlib.sha256("\n".join(sorted(texts)).encode()).hexdigest()


def _write(found: Sequence[dict[str, Any]], about: dict[str, Any]) -> None:
    style = options().format
    if style == "json":
        output.write_json({**about, "results": list(found)})
    elif style != "table":
        output.write_rows(list(found[0]), [tuple(each.values()) for each in found], style)
    else:
        click.echo("\n".join(markdown(found, about)))
    complain(f"measured {len(found)} ways on {about['photos']} photos with {about['model']}")


def markdown(found: Sequence[dict[str, Any]], about: dict[str, Any]) -> list[str]:
    """Return the table as lines of Markdown, with its model and its data."""
    heads = (
        "way",
        "photos a label",
        "labels",
        "asked",
        "top 1",
        "±",
        "top 3",
        "macro",
        "ECE",
        "sure",
        "sure and right",
    )
    lines = [f"- {name}: {known}" for name, known in about.items()]
    lines += ["", f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for each in found:
        shares = ["–" if each[name] is None else f"{each[name]:.3f}" for name in _SHARES]
        counts = [f"{each[name]:.0f}" for name in ("photos", "labels", "asked")]
        lines.append(f"| {' | '.join([each['way'], *counts, *shares])} |")
    return lines
