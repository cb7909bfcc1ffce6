"""
The commands that serve until they are stopped: `serve` is an encoder server, `web` is the web application.
"""

from __future__ import annotations

import signal
import sys
import threading
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from meetup2025 import settings
from meetup2025.cli.options import catalogue, common, database, example, load_names_if_none, options
from meetup2025.embedding.server import Limits, serve_forever
from meetup2025.errors import InterfaceError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from meetup2025.embedding import Encoder


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
@click.option("--log", is_flag=True, help="Write a line per request to standard error.")
@common
def serve(listen: str | None, token_file: Path | None, timeout: float, log: bool) -> None:  # noqa: FBT001 - by name
    """
    Serve the vectors of a model to many processes over HTTP.

    POST /v1/embeddings takes texts and pictures in the form of OpenAI. The command writes its address to standard
    output when it takes requests. A port needs a token. A Unix socket needs none: only its user has access. SIGTERM
    and Ctrl-C end the command after its running requests.
    """
    address = listen or settings.encoder_url()
    if not address:
        raise click.UsageError("The address must be given: --listen ADDRESS, or MEETUP2025_ENCODER. Got neither.")
    serve_forever(
        address,
        _model,
        token=token_file.read_text("utf-8").strip() if token_file else settings.encoder_token(),
        limits=Limits(seconds=timeout),
        stop=_stopped_by_signals(),
        ready=lambda where: print(where, flush=True),
        log=_log if log else None,
    )


def _model() -> Encoder:
    from meetup2025.embedding import local_encoder

    encoder = local_encoder(options().model)
    encoder.check()
    return encoder


def _stopped_by_signals() -> Callable[[], bool]:
    """Return a function that is true after the first SIGTERM or SIGINT. The second one ends the process at once."""
    stopped = threading.Event()

    def stop(number: int, frame: Any) -> None:  # noqa: ARG001 - arguments of a signal handler
        stopped.set()
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    return stopped.is_set


def _log(line: str) -> None:
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    sys.stderr.write(f"{now} {line}\n")


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
@common
def web(listen: str, hosts: Sequence[str], *, allow_adding: bool, allow_network: bool) -> None:
    """
    Serve the web pages: name pictures, see maps, compare runs.

    The command writes its address to standard output when it takes requests. SIGTERM and Ctrl-C end it. If the database
    has no names, the bundled catalogue is loaded.
    """
    from meetup2025.web import Application
    from meetup2025.web.server import address_of, serve

    url = options().url or settings.url()
    if url == "duckdb://":
        raise InterfaceError(
            "The web pages must have a database that requests can share. Got a database in memory; use a file."
        )
    host, port = address_of(listen, network=allow_network)
    application = Application(url, adding=allow_adding, hosts={"localhost", *(name.lower() for name in hosts)})
    # This connection keeps the file open, so that each request opens it in a few milliseconds.
    with database() as connection:
        load_names_if_none(connection)
        serve(application, host, port, ready=lambda where: print(where, flush=True))
