"""
Pin what the image downloads, in the Dockerfile: the digests of Python's image and of IPM.

The files of the model have their pins in the recipes of the package.

    python scripts/pins.py        # asks the network, and writes the Dockerfile; git shows what changed
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

FILE = Path(__file__).parents[1] / "Dockerfile"

_LOGIN = "https://auth.docker.io/token?service=registry.docker.io&scope=repository:library/{}:pull"
_IMAGE = "https://registry-1.docker.io/v2/library/{}/manifests/{}"
_INDEX = "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json"
_SECONDS = 60


def pinned(text: str, digest: str, checksum: str) -> str:
    """
    Write the pins into the text of a Dockerfile.

    Args:
        text: The Dockerfile, with or without earlier pins.
        digest: SHA-256 of the index of the Python image, as 64 hexadecimal digits.
        checksum: SHA-256 of the installer of IPM, as 64 hexadecimal digits.

    Raises:
        ValueError: A pin has another form, or the Dockerfile has no place for it.
    """
    for pin in (digest, checksum):
        if not re.fullmatch(r"[0-9a-f]{64}", pin):
            raise ValueError(f"A pin must have 64 hexadecimal digits. Got {pin!r}.")
    for pattern, put in (
        (r"^(FROM python:[\w.-]+)(?:@\S+)?", rf"\1@sha256:{digest}"),
        (r"^ADD (?:--checksum=\S+ )?", f"ADD --checksum=sha256:{checksum} "),
    ):
        text, count = re.subn(pattern, put, text, flags=re.MULTILINE)
        if count != 1:
            raise ValueError(f"The Dockerfile must have one line {pattern}. Got {count}.")
    return text


def main() -> None:
    """Ask for the newest pins, and write them."""
    text = FILE.read_text("utf-8")
    image, address = _found(text, r"^FROM (python:[\w.-]+)"), _address(text)
    checksum = hashlib.sha256(_read(address)).hexdigest()
    FILE.write_text(pinned(text, _digest(*image.split(":")), checksum), "utf-8")


def _digest(name: str, tag: str) -> str:
    """Return the digest of an image for all processors."""
    token = json.loads(_read(_LOGIN.format(name)))["token"]
    return hashlib.sha256(_read(_IMAGE.format(name, tag), Authorization=f"Bearer {token}", Accept=_INDEX)).hexdigest()


def _address(text: str) -> str:
    return next(word for word in _found(text, r"^ADD (.+)$").split() if word.startswith("https://"))


def _found(text: str, pattern: str) -> str:
    found = re.search(pattern, text, re.MULTILINE)
    if found is None:
        sys.exit(f"The Dockerfile must have a line {pattern}. Got none.")
    return found[1]


def _read(address: str, **headers: Any) -> bytes:
    with urlopen(Request(address, headers=headers), timeout=_SECONDS) as answer:  # noqa: S310 - the addresses are above
        return bytes(answer.read())


if __name__ == "__main__":
    main()
