"""The common part of the commands: options, their database, and exit codes for errors."""

from __future__ import annotations

import contextlib
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
from meetup2025.cli import language
from meetup2025.cli.output import FORMATS, plain
from meetup2025.embedding.confidence import knows_only_drawings
from meetup2025.engines import WAIT
from meetup2025.errors import Error, FileInUseError
from meetup2025.iris_process import is_watched
from meetup2025.locale import translated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from meetup2025.engines import Connection

F = TypeVar("F", bound="Callable[..., Any]")

SOME_FAILED, FAILED, INTERRUPTED, NO_READER = 1, 3, 130, 141
"""Exit codes. click uses 2 for a wrong command line. The last two are the codes of SIGINT and SIGPIPE."""

EXIT_CODES = """\b
Exit codes:
  0    done
  1    some pictures or files failed and the others are done, or there is nothing to search
  2    the command line is wrong
  3    an error, with a message of one line
  130  stopped with Ctrl-C

"""


NAMES = "catalogue/fish.csv"
"""The bundled catalogue, as SQL names it."""

SKIPPED = "SELECT Name, Reason FROM MeetUp2025.SkippedImage ORDER BY Name"
"""Statement that returns the files that the last load of photos left out."""

COUNTS = {"Fish": "SELECT COUNT(*) FROM MeetUp2025.Fish", "FishImage": "SELECT COUNT(*) FROM MeetUp2025.FishImage"}
"""Table -> statement that counts its rows."""


@dataclass
class Options:
    """The values of the options that all commands have."""

    url: str | None = None
    model: str | None = None
    format: str = "table"
    debug: bool = False
    no_catalogue: bool = False
    wait: float | None = None

    @property
    def is_embedded(self) -> bool:
        """Whether the database runs in this process, with the rights of the user."""
        return (self.url or settings.url()).startswith("duckdb:")


class Commands(click.Group):
    """The group of all commands. It handles their errors."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the program in the language of the user."""
        language.speak(self)
        return super().main(*args, **extra)

    def invoke(self, ctx: click.Context) -> None:
        """Run a command. An error of this project becomes one line and an exit code."""
        has_output = _open_streams()
        _write_utf8()
        warnings.filterwarnings("ignore", module=r"PIL\.")  # the error of a picture says what is wrong
        if not has_output:
            complain("The output must be writable. Got a closed one.")
            ctx.exit(FAILED)
        try:
            try:
                super().invoke(ctx)
            finally:
                sys.stdout.flush()
        except click.ClickException as error:
            vars(error)["message"] = translated(error.message)
            raise
        except (Error, MemoryError, ImportError, RuntimeError) as error:
            sentence = _sentence(error)
            if options(ctx).debug:
                traceback.print_exc()
            complain(sentence)
            ctx.exit(FAILED)
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:
            # Buffered output is dropped silently.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(NO_READER)
        except OSError as error:
            if error.filename:
                complain(f"{os.fspath(error.filename)!r} must exist and be readable. Got: {error.strerror}.")
            else:
                complain(f"The output and the folder of temporary files must be writable. Got: {error.strerror}.")
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(FAILED)


def _sentence(error: Exception) -> str:
    """Return what to say of an error of this project, or of too little memory. Another error is raised again."""
    if isinstance(error, Error):
        return str(error)
    if isinstance(error, RuntimeError) and "new thread" not in str(error):
        raise error
    return f"The memory must suffice, and each library load. Got: {error!r}."


def options(context: click.Context | None = None) -> Options:
    """Return the options of the running command."""
    return (context or click.get_current_context()).find_root().ensure_object(Options)


def common(command: F) -> F:
    """Add the common options to a command. They may also stand before the command."""
    option = partial(click.option, expose_value=False, callback=_remember)
    for add in (
        option("--debug", is_flag=True, help="Show the traceback of an error."),
        option("--format", type=click.Choice(FORMATS), help="Format of the results [table]."),
        option("--model", metavar="ID", help="Model of the vectors [$MEETUP2025_MODEL, `model use`, or sketch]."),
        option(
            "--wait",
            metavar="SECONDS",
            type=click.FloatRange(min=0),
            help="Longest wait for a file that another program has [10].",
        ),
        option("--url", help="Database [$MEETUP2025_URL, or a file in your data folder]."),
    ):
        command = add(command)
    return command


rows_wanted = click.option(
    "-k", metavar="N", type=click.IntRange(min=1), default=3, show_default=True, help="Most rows."
)


def catalogue(command: F) -> F:
    """Add the option --no-catalogue to a command that loads the bundled catalogue where there is none."""
    text = "Do not load the bundled catalogue if the database has no names."
    return click.option("--no-catalogue", is_flag=True, expose_value=False, callback=_remember, help=text)(command)


def example(*commands: str) -> str:
    """Return the end of a help text: commands as they are typed."""
    return "\n".join(("\b", "Example:", *(f"  {command}" for command in commands)))


def complain(message: str) -> None:
    """Write a message to standard error, in one line and in the language of the user."""
    click.echo(f"meetup2025: {plain(translated(' '.join(message.split())))}", err=True)


@contextmanager
def database(
    *folders: Path | None,
    default: str | None = None,
    autocommit: bool = False,
    model: str = "",
    read_only: bool = False,
) -> Iterator[Connection]:
    """
    Open the database of the options.

    Args:
        folders: Folders of the user that SQL may read while the database is open.
        default: URL if the options have none. Without it, the setting MEETUP2025_URL counts.
        autocommit: As for `meetup2025.connect`.
        model: Model if the options have none. Empty takes the setting.
        read_only: As for `meetup2025.connect`.
    """
    url = options().url or default or settings.url()
    if options().model and not url.startswith("duckdb:"):
        raise click.UsageError("A server has the model that its administrator set: leave out --model.")
    _warn_of_password(options().url)
    readable = [str(each) for each in folders if each and url.startswith("duckdb:")]
    wanted = options().model or (model if url.startswith("duckdb:") else "")
    open_now = partial(
        meetup2025.connect, url, autocommit=autocommit, model=wanted, folders=readable, read_only=read_only
    )
    with _opened(open_now) as connection:
        yield connection


def _opened(open_now: Callable[..., Connection]) -> Connection:
    """Open the database. Say so when another program has the file, and wait for it."""
    wait = seconds_to_wait()
    if wait:
        with contextlib.suppress(FileInUseError):
            return open_now(wait=0)
        complain(f"another program has the database file: waiting up to {wait:g} seconds")
    return open_now(wait=wait)


def seconds_to_wait() -> float:
    """Return the longest wait for a file that another program has."""
    chosen = options().wait
    return WAIT if chosen is None else chosen


def knows_drawings_alone(connection: Connection, table: str) -> bool:
    """Check whether the vectors of a table are of a model of drawings, whichever machine made them."""
    models = client.rows(connection, "SELECT Model FROM MeetUp2025.VectorModels() WHERE Source = ?", [table])
    return any(knows_only_drawings(row[0] or "") for row in models)


def load_names_if_none(connection: Connection) -> None:
    """
    Load the bundled catalogue if the database has no names, and say so.

    A server is the database of somebody: it is asked for on a terminal, and otherwise stays as it is.
    """
    if options().no_catalogue or client.value(connection, COUNTS["Fish"]):
        return
    if options().is_embedded or _agreed():
        count = client.value(connection, "SELECT MeetUp2025.LoadNames(?)", [NAMES])
        connection.commit()
        complain(f"the catalogue was empty: loaded the {count} names of {NAMES}")
    else:
        complain("the catalogue of the server is empty: load names with `meetup2025 load names`")


def _agreed() -> bool:
    """Ask on a terminal whether the server gets the bundled names. Without a terminal the answer is no."""
    question = f"The server has no names. Load those of {NAMES}?"
    return has_terminal() and click.confirm(translated(question), err=True)


def has_terminal() -> bool:
    """Check whether there is a terminal to ask on."""
    return sys.stdin.isatty() and is_watched()


def _warn_of_password(url: str | None) -> None:
    """Warn about a password that everybody can see in the list of processes."""
    if url and re.match(r"iris://[^/@]*:[^/@]*@", url):
        complain("a password in --url can be read by all users of this machine: set MEETUP2025_IRIS_PASSWORD instead")


def local(path: str | None) -> Path | None:
    """Find a file or folder of this machine that must be sent to a server. Return None if there is nothing to send."""
    found = Path(path).expanduser() if path else None
    return found if found and not options().is_embedded and found.exists() else None


def readable(path: str, kind: Literal["file", "folder"] = "file") -> tuple[str, Path | None]:
    """
    Return the name of a file or folder in SQL, and the folder that SQL must be allowed to read for it.

    An embedded database reads a file of the user with the rights of the user. Files of the package and of a server keep
    their names.

    Raises:
        click.UsageError: The file or folder does not exist, or its folder cannot be allowed.
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
        click.UsageError: The file or folder does not exist, or its folder cannot be allowed.
    """
    found = Path(path).expanduser().resolve()
    if not (found.is_dir() if kind == "folder" else found.is_file()):
        raise click.UsageError(
            f"The folder must exist. Got {path}, which is no folder."
            if kind == "folder"
            else f"The file must exist. Got {path}, which is no file."
        )
    folder = found if kind == "folder" else found.parent
    if os.pathsep in str(folder):
        raise click.UsageError(f"The name of a folder must not have {os.pathsep!r}. Got {folder}; rename it.")
    return found


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value or isinstance(value, float):
        setattr(options(context), str(parameter.name), value)


def _open_streams() -> bool:
    """
    Open standard streams that the caller has closed, to nothing. Otherwise a database file would get their numbers.

    Returns:
        Whether there is an output.
    """
    has_output = sys.stdout is not None
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115 - for the rest of the process
    return has_output


def _write_utf8() -> None:
    """Write UTF-8 in any locale. A file name that is not UTF-8 is shown with escapes."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
