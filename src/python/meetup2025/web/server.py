"""
The web application on this machine: a server with threads (waitress), for this machine alone unless the user says more.
"""

from __future__ import annotations

import ipaddress
import logging
import signal
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from meetup2025 import files
from meetup2025.errors import InterfaceError, OperationalError

if TYPE_CHECKING:
    from collections.abc import Callable

    from meetup2025.web.application import Application

_THREADS = 8
"""Requests that are answered at once. More requests wait."""

_CONNECTIONS, _IDLE, _CLEANUP = 480, 15, 5
"""
Most open connections, seconds after which a silent one is closed, and seconds between two searches for these.
A browser keeps six connections open, and a class has many browsers. Each connection may need two file descriptors, and
many systems give a process 1024.
"""


def address_of(listen: str, *, network: bool) -> tuple[str, int]:
    """
    Parse the address to listen on.

    Args:
        listen: `http://HOST:PORT`. With port 0 the system chooses a port.
        network: Whether other machines may reach the address.

    Returns:
        Host and port.

    Raises:
        InterfaceError: The address has another form, or other machines can reach it without *network*.
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
            "with --allow-network other machines can use it, without a password."
        )
    return host, port


def serve(application: Application, host: str, port: int, ready: Callable[[str], None]) -> None:
    """
    Serve until SIGTERM or Ctrl-C.

    Args:
        application: The application.
        host: Name or address of this machine.
        port: Port. With 0 the system chooses a port.
        ready: Called with the address when the server takes requests.

    Raises:
        OperationalError: The address is in use, or is not of this machine.
    """
    import waitress

    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a request that waits for a thread is no warning
    with _listening(host, port) as listener:
        server = waitress.create_server(
            application,
            sockets=[listener],
            threads=_THREADS,
            ident=None,
            connection_limit=_CONNECTIONS,
            channel_timeout=_IDLE,
            cleanup_interval=_CLEANUP,
            asyncore_use_poll=True,  # select allows no file descriptor above 1023
            max_request_body_size=files.LARGEST_PICTURE + 1,
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
        message = f"The address must be free, and of this machine. Got {host}:{port}: {error.strerror}."
        raise OperationalError(message) from error


def _end(number: int, frame: object) -> None:  # noqa: ARG001 - arguments of a signal handler
    raise SystemExit(0)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
