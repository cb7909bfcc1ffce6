"""URLs of databases as messages may show them."""

from __future__ import annotations


def masked(url: str) -> str:
    """
    Write a URL without a possible password: without the text before the last @ but the scheme, and after the next ?.
    """
    before, at, rest = url.rpartition("@")
    scheme, slashes, _ = before.partition("//")
    address, mark, _ = rest.partition("?")
    return (scheme + slashes if slashes else "") + ("…@" if at else "") + address + ("?…" if mark else "")
