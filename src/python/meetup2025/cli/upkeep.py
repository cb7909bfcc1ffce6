"""The commands of an administrator, for a database that is used day after day."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import click

from meetup2025 import __version__, settings
from meetup2025.cli import output
from meetup2025.cli.options import COUNTS, SOME_FAILED, common, database, example, options, seconds_to_wait
from meetup2025.client import rows, value
from meetup2025.errors import Error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from meetup2025.engines import Connection

_LEAST_FREE = 1_000_000_000
"""Bytes of a disk below which there is soon no room for a load."""

_VERSIONS = ("duckdb", "onnxruntime", "numpy")
"""Libraries whose versions decide what a database or a model can do."""


@click.command(epilog=example("meetup2025 backup /backups/2026-12-01.duckdb"))
@click.argument("file", type=click.Path(path_type=Path))
@common
def backup(file: Path) -> None:
    """
    Copy the database file, while other programs use it.

    The copy is a database: open it by --url. For a moment the others wait. A server is backed up by its administrator.
    """
    from meetup2025.engines.duckdb.backup import back_up

    url = options().url or settings.url()
    if not url.startswith("duckdb:"):
        raise click.UsageError("A server must be backed up by the means of IRIS. Got the address of one.")
    size = back_up(url.removeprefix("duckdb://").removeprefix("/"), file.expanduser().resolve(), seconds_to_wait())
    sentence = f"{file} is a copy of {size / 1e6:.1f} MB"
    output.write_record({"file": str(file), "bytes": size}, sentence, options().format)


@click.command(epilog=example("meetup2025 doctor", "meetup2025 doctor --format json"))
@common
def doctor() -> None:
    """
    Check model, database, encoder, folders, disk and versions.

    Each check is a row: what it is about, whether it is well, and what was found. The exit code is 1 if one is not.
    """
    found = [each for check in (_versions, _models, _databases, _folders, _disk) for each in _checked(check)]
    output.write_findings(("about", "well", "found"), found, options().format)
    if any(well == "no" for _, well, _ in found):
        sys.exit(SOME_FAILED)


Finding = tuple[str, str, str]


def _checked(check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """Yield the findings of a check. An error is a finding too."""
    try:
        yield from check()
    except Error as error:
        yield check.__name__.strip("_"), "no", str(error)


def _versions() -> Iterator[Finding]:
    found = [f"meetup2025 {__version__}", f"Python {platform.python_version()}"]
    yield "versions", "yes", ", ".join([*found, *(f"{each} {version(each)}" for each in _VERSIONS)])


def _models() -> Iterator[Finding]:
    from meetup2025.embedding import encoder

    where = settings.encoder_url() or "this process"
    used = encoder(options().model)
    used.texts(["a"])
    yield "model", "yes", f"{used.model}, made by {where}"


def _file() -> Path | None:
    """Return the file of the embedded database, or None for a server and for a database in memory."""
    scheme, separator, path = (options().url or settings.url()).partition("duckdb:///")
    return Path(path) if separator and not scheme else None


def _databases() -> Iterator[Finding]:
    url, path = options().url or settings.url(), _file()
    if path and not path.exists():
        yield "database", "no", f"There is no file {path}; the first load makes it."
        return
    with database() as connection:
        yield "database", "yes", f"{url.partition('@')[2] or url} can be opened"
        yield from _tables(connection)


def _tables(connection: Connection) -> Iterator[Finding]:
    for table, count in COUNTS.items():
        models = rows(connection, "SELECT Model, Vectors FROM MeetUp2025.VectorModels() WHERE Source = ?", [table])
        found = ", ".join(f"{vectors} of {model or 'no model'}" for model, vectors in models)
        if value(connection, count):
            try:
                value(connection, "SELECT MeetUp2025.SearchVector(?, 'T', 'a')", [table])
                yield table, "yes", found
            except Error as error:
                yield table, "no", str(error)
        else:
            yield table, "yes", "no rows"


def _folders() -> Iterator[Finding]:
    for folder in settings.photo_folders():
        well = os.access(folder, os.R_OK | os.X_OK)
        yield "photos", "yes" if well else "no", f"{folder} can be read" if well else f"{folder} cannot be read"
    data = settings.data_folder()
    existing = next(each for each in (data, *data.parents) if each.exists())
    well = os.access(existing, os.W_OK)
    yield "data folder", "yes" if well else "no", f"{data} can be written" if well else f"{data} cannot be written"


def _disk() -> Iterator[Finding]:
    file = _file()
    path = file.resolve() if file else settings.data_folder()
    folder = next(each for each in path.parents if each.exists())
    free = shutil.disk_usage(folder).free
    yield "disk", "yes" if free >= _LEAST_FREE else "no", f"{free / 1e9:.1f} GB are free in {folder}"
