"""URLs of databases as messages may show them."""

from __future__ import annotations


def masked(url: str) -> str:
    """Write a URL without what may be a password: all before the last @ but the scheme, and all after the first ?."""
    address, mark, _ = url.partition("?") if "@" not in url.partition("?")[2] else (url, "", "")
    before, at, after = address.rpartition("@")
    if at:
        scheme, slashes, _ = before.partition("//")
        address = f"{scheme}//…@{after}" if slashes else f"…@{after}"
    return f"{address}?…" if mark else address
