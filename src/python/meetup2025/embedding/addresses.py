"""
The address of an encoder server: a Unix socket or a URL.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from meetup2025.errors import InterfaceError

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_SOCKET_PATH = 100
"""Most bytes in the path of a socket. Linux takes 107, macOS 103."""


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """
    The address of an encoder server.

    Attributes:
        scheme: `unix`, `http` or `https`.
        host: Host of a URL, or path of a Unix socket.
        port: Port of a URL. 0 for a Unix socket.
        prefix: Path before `/embeddings`.
        options: Options of the URL, after its question mark.
    """

    scheme: str
    host: str
    port: int
    prefix: str
    options: Mapping[str, str]

    def __str__(self) -> str:
        if self.scheme == "unix":
            return f"unix:{self.host}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def parse_address(text: str) -> ServerAddress:
    """
    Parse an address: `unix:/path`, `http://host:port` or `https://host:port`.

    The path of a URL is the prefix of a server of another project. Without a path the prefix is `/v1`.

    Raises:
        InterfaceError: The text has another form.
    """
    try:
        parts = urlsplit(text.strip())
        port = parts.port
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError as exc:
        raise _wrong(text, str(exc)) from exc
    if parts.scheme == "unix":
        return _unix(text, parts.netloc, parts.path, options)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise _wrong(text, "another form")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise _wrong(text, "a user, password or fragment; set a token in MEETUP2025_ENCODER_TOKEN", show=False)
    prefix = parts.path.rstrip("/") if parts.path else "/v1"
    default = 443 if parts.scheme == "https" else 80
    return ServerAddress(parts.scheme, parts.hostname, default if port is None else port, prefix, options)


def _unix(text: str, host: str, path: str, options: Mapping[str, str]) -> ServerAddress:
    if host or not path.startswith("/"):
        raise _wrong(text, "a path that does not begin with one slash")
    if len(path.encode()) > LONGEST_SOCKET_PATH:
        raise _wrong(text, f"a path of {len(path.encode())} bytes; a socket may have {LONGEST_SOCKET_PATH}")
    if not hasattr(socket, "AF_UNIX"):
        raise _wrong(text, "a Unix socket, which this system does not have; use http://127.0.0.1:PORT")
    return ServerAddress("unix", path, 0, "/v1", options)


def _wrong(text: str, got: str, *, show: bool = True) -> InterfaceError:
    where = f" {text!r}:" if show else ""
    return InterfaceError(
        f"The address of an encoder server must be like unix:/path or http://127.0.0.1:8025. Got{where} {got}."
    )
