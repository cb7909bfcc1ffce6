"""
The web application on this machine: a server with threads (waitress), on the loopback address unless told otherwise.
"""

from __future__ import annotations

import ipaddress
import signal
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from meetup2025 import images
from meetup2025.errors import InterfaceError, MissingExtraError, OperationalError
from meetup2025.settings import install_command

if TYPE_CHECKING:
    from collections.abc import Callable

    from meetup2025.web.application import Application

_THREADS = 8
"""Requests that run at once; others wait."""


def address_of(listen: str, *, network: bool) -> tuple[str, int]:
    """
    Read where to listen.

    Args:
        listen: `http://HOST:PORT`; port 0 lets the system choose one.
        network: Whether other machines may come.

    Raises:
        InterfaceError: Not such an address, or one that other machines reach without *network*.
    """
    try:
        parts = urlsplit(listen)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if not host or port is None or parts.scheme != "http" or parts.path not in {"", "/"}:
        raise InterfaceError(f"--listen must be like http://127.0.0.1:8080. Got {listen!r}.")
    if not network and not _is_loopback(host):
        raise InterfaceError(
            f"--listen must be an address of this machine alone, such as 127.0.0.1. Got {host!r}; "
            "--allow-network lets other machines in, who then need no password."
        )
    return host, port


def serve(application: Application, host: str, port: int, ready: Callable[[str], None]) -> None:
    """
    Serve until SIGTERM or Ctrl-C.

    Args:
        application: What answers.
        host: Name or address of this machine.
        port: 0 lets the system choose one.
        ready: Told the address when requests are taken.

    Raises:
        MissingExtraError: waitress is not installed.
        OperationalError: The address is in use, or is none of this machine.
    """
    try:
        import waitress
    except ImportError as error:
        raise MissingExtraError(f"The web server needs waitress: {install_command('web')}.") from error
    with _listening(host, port) as listener:
        server = waitress.create_server(
            application,
            sockets=[listener],
            threads=_THREADS,
            ident=None,
            max_request_body_size=images.MAX_BYTES + 1,
            clear_untrusted_proxy_headers=True,
        )
        signal.signal(signal.SIGTERM, _end)
        shown = f"[{host}]" if ":" in host else host
        ready(f"http://{shown}:{listener.getsockname()[1]}/")
        server.run()


def _listening(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        message = f"The address must be free, and of this machine. Got, for {host}:{port}: {error.strerror}."
        raise OperationalError(message) from error


def _end(number: int, frame: object) -> None:  # noqa: ARG001 - what handlers are given
    raise SystemExit(0)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
