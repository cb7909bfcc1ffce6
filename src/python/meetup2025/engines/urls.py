"""URLs of databases as messages may show them."""

from __future__ import annotations

import re

_NO_PORT = re.compile(r"(//[^/:?#\[]*):(?!\d*(?:[/?#]|$)).*")
"""What follows the name of a host or, where the @ is missing, of a user, and is no port."""


def masked(url: str) -> str:
    """
    Write a URL without a possible password: without the text before the last @ but the scheme, and after the next ?.

    Where the @ is missing, what stands in the place of a port is left out, unless it is a number.
    """
    before, at, rest = url.rpartition("@")
    scheme, slashes, _ = before.partition("//")
    address, mark, _ = _NO_PORT.sub(r"\1:…", rest).partition("?")
    return (scheme + slashes if slashes else "") + ("…@" if at else "") + address + ("?…" if mark else "")
