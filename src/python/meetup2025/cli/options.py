"""
What the commands share: options, the database they open, and errors that become exit codes.
"""

from __future__ import annotations

import os
import re
import sys
import traceback
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

import meetup2025
from meetup2025 import client, settings
from meetup2025.cli.output import plain
from meetup2025.errors import Error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from meetup2025.engines import Connection

F = TypeVar("F", bound="Callable[..., Any]")

SOME_FAILED, FAILED, INTERRUPTED, NO_READER = 1, 3, 130, 141
"""Exit codes; click uses 2 for a command that is written wrongly. The last two are those of SIGINT and SIGPIPE."""

EXIT_CODES = """\b
Exit codes:
  0    done
  1    some pictures or files failed, the others are done; or there is nothing to search
  2    the command is written wrongly
  3    an error, told in one line
  130  stopped with Ctrl-C

"""


FORMATS = ("table", "json", "csv")

NAMES = "catalogue/fish.csv"
"""The bundled catalogue, as SQL calls it."""

COUNTS = {"Fish": "SELECT COUNT(*) FROM MeetUp2025.Fish", "FishImage": "SELECT COUNT(*) FROM MeetUp2025.FishImage"}
"""How the rows of each table are counted."""


@dataclass
class Options:
    """What the options that all commands have say."""

    url: str | None = None
    model: str | None = None
    format: str = "table"
    debug: bool = False

    @property
    def is_embedded(self) -> bool:
        """Whether the database runs in this process, with the rights of the user."""
        return (self.url or settings.url()).startswith("duckdb:")


class Commands(click.Group):
    """The group of all commands; what becomes of an error of any of them."""

    def invoke(self, ctx: click.Context) -> None:
        """Run a command; an error of this project becomes one line and an exit code."""
        has_output = _open_streams()
        _write_utf8()
        warnings.filterwarnings("ignore", module=r"PIL\.")  # what is wrong with a picture is told by its error
        if not has_output:
            complain("The output must be writable. Got a closed one.")
            ctx.exit(FAILED)
        try:
            try:
                super().invoke(ctx)
            finally:
                sys.stdout.flush()
        except Error as error:
            if options(ctx).debug:
                traceback.print_exc()
            complain(str(error))
            ctx.exit(FAILED)
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:
            # What is still buffered goes nowhere, quietly.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(NO_READER)
        except OSError as error:
            if error.filename:
                complain(f"{os.fspath(error.filename)!r} must be there for this user to read. Got: {error.strerror}.")
            else:
                complain(f"The output must be writable. Got: {error.strerror}.")
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(FAILED)


def options(context: click.Context | None = None) -> Options:
    """Give the options of the running command."""
    return (context or click.get_current_context()).find_root().ensure_object(Options)


def common(command: F) -> F:
    """Give a command the options that all have; they may stand before the command too."""
    option = partial(click.option, expose_value=False, callback=_remember)
    for add in (
        option("--debug", is_flag=True, help="Show where an error comes from."),
        option("--format", type=click.Choice(FORMATS), help="Form of the results [table]."),
        option("--model", metavar="ID", help="Model that makes the vectors [$MEETUP2025_MODEL, or sketch]."),
        option("--url", help="Database [$MEETUP2025_URL, or a file in your data folder]."),
    ):
        command = add(command)
    return command


rows_wanted = click.option("-k", type=click.IntRange(min=1), default=3, show_default=True, help="Most rows.")


def example(*commands: str) -> str:
    """Give the end of a help text: commands as they are typed."""
    return "\n".join(("\b", "Example:", *(f"  {command}" for command in commands)))


def complain(message: str) -> None:
    """Write a message to standard error, in one line."""
    click.echo(f"meetup2025: {plain(' '.join(message.split()))}", err=True)


@contextmanager
def database(
    folder: Path | None = None, *, default: str | None = None, autocommit: bool = False
) -> Iterator[Connection]:
    """
    Open the database of the options.

    Args:
        folder: A folder of the user that SQL may read while the database is open.
        default: URL for when the options have none; the setting MEETUP2025_URL when it is left out.
        autocommit: As for `meetup2025.connect`.
    """
    url = options().url or default or settings.url()
    if options().model and not url.startswith("duckdb:"):
        raise click.UsageError("A server has the model that its administrator set: leave out --model.")
    _warn_of_password(options().url)
    folders = [str(folder)] if folder and url.startswith("duckdb:") else []
    with meetup2025.connect(url, autocommit=autocommit, model=options().model or "", folders=folders) as connection:
        yield connection


def load_names_if_none(connection: Connection) -> None:
    """Load the bundled catalogue where the database has no names, and tell so."""
    if not client.value(connection, COUNTS["Fish"]):
        count = client.value(connection, "SELECT MeetUp2025.LoadNames(?)", [NAMES])
        connection.commit()
        complain(f"the catalogue was empty: loaded the {count} names of {NAMES}")


def _warn_of_password(url: str | None) -> None:
    """Tell who puts a password where the list of processes shows it."""
    if url and re.match(r"iris://[^/@]*:[^/@]*@", url):
        complain("a password in --url can be read by all users of this machine: set MEETUP2025_IRIS_PASSWORD instead")


def local(path: str | None) -> Path | None:
    """Find a file or folder of this machine that must be sent, since the database is on a server; None otherwise."""
    found = Path(path).expanduser() if path else None
    return found if found and not options().is_embedded and found.exists() else None


def readable(path: str, kind: Literal["file", "folder"] = "file") -> tuple[str, Path | None]:
    """
    Say what to call a file or folder in SQL, and which folder SQL must be allowed to read for it.

    An embedded database reads a file of the user with the rights of the user. Files of the package, and those of
    a server, go by the name that they have there.

    Raises:
        click.UsageError: There is no such file or folder, or its folder cannot be allowed.
    """
    found = Path(path).expanduser()
    if not options().is_embedded or (
        not found.exists() and (path == "samples" or path.startswith(("catalogue/", "samples/")))
    ):
        return path, None
    found = there(path, kind)
    return str(found), found if kind == "folder" else found.parent


def there(path: str, kind: Literal["file", "folder"]) -> Path:
    """
    Find a file or folder of this machine whose folder SQL can be allowed to read.

    Raises:
        click.UsageError: There is none, or its folder cannot be allowed.
    """
    found = Path(path).expanduser().resolve()
    if not (found.is_dir() if kind == "folder" else found.is_file()):
        raise click.UsageError(f"The {kind} must be there. Got {path}, which is no {kind}.")
    folder = found if kind == "folder" else found.parent
    if os.pathsep in str(folder):
        raise click.UsageError(f"The name of a folder must not have {os.pathsep!r}. Got {folder}; rename it.")
    return found


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value:
        setattr(options(context), str(parameter.name), value)


def _open_streams() -> bool:
    """
    Open the standard streams that the caller has closed, to nothing: a database file would get their numbers.

    Returns:
        Whether there is an output.
    """
    has_output = sys.stdout is not None
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115 - for the rest of the process
    return has_output


def _write_utf8() -> None:
    """Write UTF-8 whatever the locale is; a file name that is not UTF-8 is shown as it can be."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
