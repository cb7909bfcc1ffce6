"""
The command `web`: the web application on this machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from meetup2025 import settings
from meetup2025.errors import InterfaceError
from meetup2025.options import common, database, example, load_names_if_none, options

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command(epilog=example("meetup2025 web", "meetup2025 web --listen http://127.0.0.1:8081 --allow-adding"))
@click.option(
    "--listen", metavar="ADDRESS", default="http://127.0.0.1:8080", show_default=True, help="http://HOST:PORT."
)
@click.option("--allow-adding", is_flag=True, help="Let users add photos with their names.")
@click.option(
    "--allow-network", is_flag=True, help="Listen on an address that other machines reach; there is no password."
)
@click.option(
    "--host", "hosts", metavar="NAME", multiple=True, help="Name that the server may be called by; may be repeated."
)
@common
def web(listen: str, hosts: Sequence[str], *, allow_adding: bool, allow_network: bool) -> None:
    """
    Serve the web pages: name pictures, see maps, compare runs.

    The address is written to standard output when requests are taken. SIGTERM and Ctrl-C end it. The bundled catalogue
    is loaded when the database has no names.
    """
    from meetup2025.web import Application
    from meetup2025.web.server import address_of, serve

    url = options().url or settings.url()
    if url == "duckdb://":
        raise InterfaceError("The web needs a database that several requests can share. Got one in memory; use a file.")
    host, port = address_of(listen, network=allow_network)
    application = Application(url, adding=allow_adding, hosts={"localhost", *(name.lower() for name in hosts)})
    # While this connection is open the file is, so that each request opens it in a few milliseconds.
    with database() as connection:
        load_names_if_none(connection)
        serve(application, host, port, ready=lambda where: print(where, flush=True))
