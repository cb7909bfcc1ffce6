"""
The addresses of encoder servers, and sockets whose waits end in time: for `server` and `remote` alike.
"""

from __future__ import annotations

import io
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from meetup2025.errors import InterfaceError

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_SOCKET_PATH = 100
"""Bytes of the path of a socket that every system takes (Linux 107, macOS 103)."""


@dataclass(frozen=True, slots=True)
class Address:
    """
    Where a server is.

    Attributes:
        scheme: `unix`, `http` or `https`.
        host: Host of the last two; of a socket, its path.
        port: Port of these.
        prefix: What stands before `/embeddings`.
        options: What the URL says after its question mark.
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


def parse_address(text: str) -> Address:
    """
    Read an address: `unix:/path`, `http://host:port` or `https://host:port`.

    A path before the question mark is the prefix of a foreign server; without one it is `/v1`.

    Raises:
        InterfaceError: It is none of these.
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
        raise _wrong(text, "a user, password or fragment; a token goes into MEETUP2025_ENCODER_TOKEN", show=False)
    prefix = parts.path.rstrip("/") if parts.path else "/v1"
    default = 443 if parts.scheme == "https" else 80
    return Address(parts.scheme, parts.hostname, default if port is None else port, prefix, options)


def _unix(text: str, host: str, path: str, options: Mapping[str, str]) -> Address:
    if host or not path.startswith("/"):
        raise _wrong(text, "a path that does not begin with one slash")
    if len(path.encode()) > LONGEST_SOCKET_PATH:
        raise _wrong(text, f"a path of {len(path.encode())} bytes; a socket may have {LONGEST_SOCKET_PATH}")
    if not hasattr(socket, "AF_UNIX"):
        raise _wrong(text, "a Unix socket, which this system does not have; use http://127.0.0.1:PORT")
    return Address("unix", path, 0, "/v1", options)


def _wrong(text: str, got: str, *, show: bool = True) -> InterfaceError:
    where = f" {text!r}:" if show else ""
    return InterfaceError(f"An encoder server must be like unix:/path or http://127.0.0.1:8025. Got{where} {got}.")


class TimedReader(io.RawIOBase):
    """
    What a socket receives, until a point in time.

    The timeout of a socket counts from each byte to the next; here the whole must come in time.

    Attributes:
        until: End of all reading, in seconds of `time.monotonic`.
    """

    def __init__(self, connection: socket.socket, until: float) -> None:
        super().__init__()
        self._connection = connection
        self._held = connection.makefile("rb", buffering=0)  # a socket that is closed stays open while this is
        self.until = until

    def close(self) -> None:
        """Let go of the socket."""
        self._held.close()
        super().close()

    def readable(self) -> bool:
        """Tell that this can be read, as `io` asks."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # bytes-like, by io itself
        """
        Receive what there is.

        Raises:
            TimeoutError: The time is over.
        """
        set_time_left(self._connection, self.until)
        return self._connection.recv_into(buffer)


def set_time_left(connection: socket.socket, until: float) -> None:
    """
    Give a socket the time that is left until *until*.

    Raises:
        TimeoutError: None is left.
    """
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("the time is over")
    connection.settimeout(left)
