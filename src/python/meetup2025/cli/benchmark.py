"""
What a model is worth on photos of a user: names, few photos, and both, in one table.
"""

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

    from meetup2025.analytics.label_tests import Measured
    from meetup2025.engines import Connection

_KINDS = {
    "name": "Column,Template\nName,{}\n",
    "name and aliases": "Column,Template\nName,{}\nOtherNames,{}\nKanji,{}\n",
    "templates": "catalogue/prompts.csv",
    "English": "Column,Template\nEnglish,{}\n",
}
"""Kinds of names: what their vectors are made of, as LoadNames takes it."""

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
@click.option("--seed", type=int, default=5, show_default=True, help="Of the draws.")
@common
def benchmark(folder: str, names: str, draws: int, seed: int) -> None:
    """
    Measure a model on labelled photos: by names, by few photos, and by both.

    The photos of FOLDER are labelled as `load photos` does. The table is Markdown; --format json or csv is for
    programs. Nothing is stored: the database is one in memory.
    """
    from meetup2025.analytics.label_tests import measure

    path = there(folder, "folder")
    model = options().model or settings.model()
    with meetup2025.connect("duckdb://", model=model, folders=[str(path)]) as connection:
        kinds = {kind: _names(connection, names, templates) for kind, templates in _KINDS.items()}
        value(connection, "SELECT MeetUp2025.LoadImages(?)", [str(path)])
        photos = rows(
            connection, "SELECT Name, Label, Hash, Features FROM MeetUp2025.FishImage WHERE Label IS NOT NULL"
        )
        [(version,)] = rows(connection, "SELECT DISTINCT %EXACT(Model) FROM MeetUp2025.Fish")
    if not photos:
        raise DataError(
            f"The photos of {folder} must have labels. Got none; name files or folders by the fish they show."
        )
    found = measure([_numbers(row[3]) for row in photos], [row[1] for row in photos], kinds, draws=draws, seed=seed)
    about = {
        "meetup2025": meetup2025.__version__,
        "model": version,
        "photos": len(photos),
        "photos_sha256": _digest(f"{row[2]} {row[1]}" for row in photos),
        "names": len(kinds["name"]),
        "names_sha256": _digest(kinds["name"]),
        "draws": draws,
        "seed": seed,
    }
    _write(found, about)


def _names(connection: Connection, names: str, templates: str) -> dict[str, list[float]]:
    """Load the names with the vectors of a kind, and return them."""
    given = to_data_url(templates.encode(), "prompts.csv") if "\n" in templates else templates
    value(connection, "SELECT MeetUp2025.LoadNames(?, ?)", [names, given])
    found = rows(connection, "SELECT Name, Features FROM MeetUp2025.Fish")
    return {str(name): _numbers(text) for name, text in found}


def _numbers(text: str) -> list[float]:
    return [float(number) for number in text.split(",")]


def _digest(texts: Any) -> str:
    return hashlib.sha256("\n".join(sorted(texts)).encode()).hexdigest()


def _write(found: Sequence[Measured], about: dict[str, Any]) -> None:
    style = options().format
    if style == "json":
        output.write_json({**about, "results": [each._asdict() for each in found]})
    elif style == "csv":
        output.write_rows(found[0]._fields, [tuple(each) for each in found], style)
    else:
        click.echo("\n".join(markdown(found, about)))
    complain(f"measured {len(found)} ways on {about['photos']} photos with {about['model']}")


def markdown(found: Sequence[Measured], about: dict[str, Any]) -> list[str]:
    """Return the table as lines of Markdown, with what it was made of."""
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
        shares = ["–" if share is None else f"{share:.3f}" for share in (getattr(each, name) for name in _SHARES)]
        lines.append(f"| {' | '.join([each.way, str(each.photos), str(each.labels), str(each.asked), *shares])} |")
    return lines
