"""What the image downloads is pinned in the Dockerfile by a script."""

from __future__ import annotations

import hashlib
import importlib.util
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parents[1]
PINS = "b" * 64, "c" * 64


@pytest.fixture(scope="module")
def pins() -> ModuleType:
    """The script, as a module."""
    spec = importlib.util.spec_from_file_location("pins", ROOT / "scripts" / "pins.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pins_are_written(pins: ModuleType) -> None:
    """The digest and the checksum come into the Dockerfile, and new ones in the place of old ones."""
    before = (ROOT / "Dockerfile").read_text("utf-8")
    text = pins.pinned(pins.pinned(before, "2" * 64, "3" * 64), *PINS)

    assert re.findall(r"^FROM python:3\.12-slim@sha256:(\w+) AS model$", text, re.MULTILINE) == [PINS[0]]
    assert re.findall(r"^ADD --checksum=sha256:(\w+) --chmod=0444 https", text, re.MULTILINE) == [PINS[1]]
    assert len(text.splitlines()) == len(before.splitlines())


@pytest.mark.parametrize("place", range(2))
def test_what_is_no_pin_is_refused(pins: ModuleType, place: int) -> None:
    """A tag, an empty text and a cut digest are no pins."""
    for wrong in ("3.12-slim", "", "a" * 63):
        given = [*PINS]
        given[place] = wrong
        with pytest.raises(ValueError, match="A pin must have"):
            pins.pinned((ROOT / "Dockerfile").read_text("utf-8"), *given)


def test_dockerfile_without_a_place(pins: ModuleType) -> None:
    """A Dockerfile that changed its form is an error, not a pin less."""
    with pytest.raises(ValueError, match="must have one line"):
        pins.pinned("FROM scratch", *PINS)


def test_network_is_asked_for_what_the_dockerfile_names(pins: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """The image and the installer are those of the Dockerfile, and their answers become the pins."""
    asked: list[str] = []

    def read(address: str, **_: str) -> bytes:
        asked.append(address)
        return b'{"token": "t"}'

    written: list[str] = []
    monkeypatch.setattr(pins, "_read", read)
    monkeypatch.setattr(pins.Path, "write_text", lambda _, text, __: written.append(text))
    pins.main()

    assert any(each.endswith("library/python/manifests/3.12-slim") for each in asked)
    assert any("/zpm/" in each for each in asked)
    assert written[0].count(hashlib.sha256(b'{"token": "t"}').hexdigest()) == 2
