"""
The address of an IRIS server, from a URL: `iris://user@host:1972/NAMESPACE?tls=NAME&timeout=10`.

The password comes from MEETUP2025_IRIS_PASSWORD, or the terminal asks for it. It may also stand in the URL, where
everyone who sees the processes of the machine can read it. `tls` is the name of a configuration in the file of the
environment variable ISC_SSLconfigurations (on Windows, SSLDefs.ini). See "Connecting with TLS from a client" in the
documentation of IRIS.
"""

from __future__ import annotations

import getpass
import os
import sys
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from meetup2025.engines.urls import masked
from meetup2025.errors import InterfaceError
from meetup2025.iris_process import is_watched

PASSWORD = "MEETUP2025_IRIS_PASSWORD"  # noqa: S105 - the name of the variable
_FORM = "iris://user@host:1972/NAMESPACE, and ?tls=NAME or timeout=SECONDS if wanted"


@dataclass(frozen=True)
class Address:
    """A server, a namespace and a user. *timeout* is the seconds to wait for a connection."""

    host: str
    port: int
    namespace: str
    user: str
    password: str = field(repr=False)
    tls: str = ""
    timeout: int = 10

    @property
    def place(self) -> str:
        """Return host, port and namespace, for messages."""
        return f"{self.host}:{self.port}/{self.namespace}"


def read_address(url: str) -> Address:
    """
    Parse the URL of a server.

    Raises:
        InterfaceError: The URL is wrong, or there is no password. The message does not repeat a password.
    """
    try:
        parts = urlsplit(url)
        port = 1972 if parts.port is None else parts.port
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise _wrong(url, "a part cannot be read; in a password write / # ? @ as %2F %23 %3F %40") from None
    options = dict(pairs)
    if len(options) < len(pairs) or not options.get("tls", "-"):  # without a name there would be no TLS
        raise _wrong(url, "an option is there once, and tls names a configuration")
    namespace = unquote(parts.path.removeprefix("/")) or "USER"
    timeout = options.pop("timeout", "10")
    if not (parts.hostname and parts.username) or "/" in namespace or parts.fragment:
        raise _wrong(url, "a part is missing or too many")
    if not (timeout.isascii() and timeout.isdigit() and 0 < int(timeout) <= 3600) or options.keys() - {"tls"}:
        raise _wrong(url, "options are tls and timeout, in whole seconds from 1 to 3600")
    user = unquote(parts.username)
    password = unquote(parts.password) if parts.password is not None else _password(user, parts.hostname)
    tls = options.get("tls", "")
    return Address(parts.hostname, port, namespace, user, password, tls, int(timeout))


def _password(user: str, host: str) -> str:
    password = os.environ.get(PASSWORD)
    if password:
        return password
    if not (sys.stdin and sys.stdin.isatty() and is_watched()):
        raise InterfaceError(f"A password must be set in {PASSWORD}, where there is no terminal to ask. Got none.")
    try:
        return getpass.getpass(f"Password of {user} on {host}: ")
    except EOFError:
        raise InterfaceError("A password must be typed. Got none.") from None


def _wrong(url: str, reason: str) -> InterfaceError:
    return InterfaceError(f"The URL of a server must be {_FORM}. Got {masked(url)!r}: {reason}.")
