"""
The commands that serve until they are stopped: `serve` is an encoder server, `web` is the web application.
"""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from meetup2025 import settings
from meetup2025.cli.metrics import Metrics
from meetup2025.cli.options import (
    COUNTS,
    catalogue,
    common,
    complain,
    database,
    example,
    load_names_if_none,
    options,
    seconds_to_wait,
)
from meetup2025.client import value
from meetup2025.embedding.server import Limits, serve_forever
from meetup2025.embedding.server.log import PATH, write
from meetup2025.errors import EncoderUnavailableError, InterfaceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from meetup2025.embedding import Encoder
    from meetup2025.engines import Connection


logged = click.option(
    "--log",
    is_flag=False,
    flag_value="plain",
    type=click.Choice(["plain", "json"]),
    help="Write a line for each request to standard error [plain].",
)


@click.command(
    epilog=example(
        "meetup2025 serve --listen unix:$HOME/.meetup2025/encoder.sock",
        "MEETUP2025_ENCODER=unix:$HOME/.meetup2025/encoder.sock meetup2025 identify mine.jpg",
        "meetup2025 serve --listen http://127.0.0.1:8025 --token-file /etc/meetup2025/token",
    )
)
@click.option("--listen", metavar="ADDRESS", help="unix:/path or http://HOST:PORT [$MEETUP2025_ENCODER].")
@click.option(
    "--token-file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with the token that clients must send [$MEETUP2025_ENCODER_TOKEN].",
)
@click.option("--timeout", metavar="SECONDS", type=click.FloatRange(min=0.1), default=30.0, show_default=True,
              help="Longest time for a request.")  # fmt: skip
@logged
@common
def serve(listen: str | None, token_file: Path | None, timeout: float, log: str | None) -> None:
    """
    Serve the vectors of a model to many processes over HTTP.

    POST /v1/embeddings takes texts and pictures in the form of OpenAI. GET /healthz and /metrics tell how the server
    is. The command writes its address to standard
    output when it takes requests. A port needs a token. A Unix socket needs none: only its user has access. SIGTERM
    and Ctrl-C end the command after its running requests.
    """
    address = listen or settings.encoder_url()
    if not address:
        raise click.UsageError("The address must be given: --listen ADDRESS, or MEETUP2025_ENCODER. Got neither.")
    with _life(log) as said:
        serve_forever(
            address,
            _model,
            token=token_file.read_text("utf-8").strip() if token_file else settings.encoder_token(),
            limits=Limits(seconds=timeout),
            stop=stopped_by_signals(),
            ready=said.ready,
            log=said.line if log else None,
            metrics=Metrics(["/v1/embeddings", "/v1/models", "/healthz", PATH]),
        )


def _model() -> Encoder:
    from meetup2025.embedding import local_encoder

    encoder = local_encoder(options().model)
    encoder.check()
    return encoder


def stopped_by_signals() -> Callable[[], bool]:
    """Return a function that is true after the first SIGTERM or SIGINT. The second one ends the process at once."""
    stopped = threading.Event()

    def stop(number: int, frame: Any) -> None:  # noqa: ARG001 - arguments of a signal handler
        stopped.set()
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    return stopped.is_set


class _Said:
    """What a server says: its address to standard output, and its log to standard error."""

    def __init__(self, form: str | None) -> None:
        self._form = form

    def ready(self, where: str) -> None:
        print(where, flush=True)
        self.line(f"started on {where}")

    def line(self, line: str) -> None:
        if self._form:
            write(line, self._form)


@contextmanager
def _life(form: str | None) -> Iterator[_Said]:
    """Let a server say its start and its end."""
    said = _Said(form)
    try:
        yield said
    finally:
        said.line("stopped")


@click.command(epilog=example("meetup2025 web", "meetup2025 web --listen http://127.0.0.1:8081 --allow-adding"))
@click.option(
    "--listen", metavar="ADDRESS", default="http://127.0.0.1:8080", show_default=True, help="Address: http://HOST:PORT."
)
@click.option("--allow-adding", is_flag=True, help="Let users add photos with their names.")
@click.option(
    "--allow-network", is_flag=True, help="Listen on an address that other machines can reach. There is no password."
)
@click.option("--host", "hosts", metavar="NAME", multiple=True, help="Another name of this server. May be repeated.")
@catalogue
@logged
@common
def web(listen: str, hosts: Sequence[str], log: str | None, *, allow_adding: bool, allow_network: bool) -> None:
    """
    Serve the web pages: name pictures, see maps, compare runs.

    The command writes its address to standard output when it takes requests. SIGTERM and Ctrl-C end it. If the database
    has no names, the bundled catalogue is loaded. A model other than that of the database is refused. GET /healthz and
    /metrics tell how the server is. Faults are in the log in any case.
    """
    from meetup2025.web import Application
    from meetup2025.web.answers import ANSWERS
    from meetup2025.web.application import HEALTH, PAGES
    from meetup2025.web.server import address_of, serve

    url = options().url or settings.url()
    if url == "duckdb://":
        raise InterfaceError(
            "The web pages must have a database that requests can share. Got a database in memory; use a file."
        )
    host, port = address_of(listen, network=allow_network)
    names = {"localhost", *(name.lower() for name in hosts)}
    with database() as connection:
        load_names_if_none(connection)
        _check_model(connection)
    with _life(log) as said:
        application = Application(
            url,
            adding=allow_adding,
            reading=not allow_network,
            hosts=names,
            wait=seconds_to_wait(),
            model=options().model or "",
            metrics=Metrics([*PAGES, *ANSWERS, HEALTH, PATH]),
            log=lambda line: write(line, log or "plain") if log or line.fields["status"] >= 500 else None,
        )
        # Each request opens the file and lets it go, so that other programs have their turn.
        serve(application, host, port, ready=said.ready)


def _check_model(connection: Connection) -> None:
    """Refuse a model other than that of the tables. A server of vectors that is down may come later."""
    for table, count in COUNTS.items():
        if value(connection, count):
            try:
                value(connection, "SELECT MeetUp2025.SearchVector(?, 'T', 'a')", [table])
            except EncoderUnavailableError as error:
                complain(str(error))
