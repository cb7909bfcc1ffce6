"""The commands of an administrator, for a database that is used day after day."""

from __future__ import annotations

from pathlib import Path

import click

from meetup2025 import settings
from meetup2025.cli import output
from meetup2025.cli.options import common, example, options, seconds_to_wait


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
