"""The pictures of the documentation: made by one script, small, and each of them shown."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from browser import FOUND
from PIL import Image, ImageChops, ImageStat

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "scripts" / "render_pictures.py"
PICTURES = sorted((ROOT / "docs" / "pictures").iterdir())

LARGEST, LARGEST_OF_ALL = 70_000, 500_000
"""Bytes of a picture, and of all."""


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    """Names of the script; what it adds to the path for its own imports does not stay."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [*sys.path])
        return runpy.run_path(str(SCRIPT))


def test_script_makes_each_picture(script):
    """What is in the folder is what the script makes, all of it and nothing else."""
    made = [*script["COMMANDS"], *script["FIGURES"], *script["PAGES"]]

    assert [path.name for path in PICTURES] == sorted(f"{name}.png" for name in made)


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_picture_is_small(path):
    """Each is a PNG with a palette, as wide as a page shows it, and quickly fetched."""
    with Image.open(path) as picture:
        picture.load()

    assert (picture.format, picture.mode) == ("PNG", "P")
    assert picture.width <= 1000
    assert path.stat().st_size <= LARGEST


def test_all_pictures_are_small():
    """The repository does not grow by its pictures."""
    assert sum(path.stat().st_size for path in PICTURES) <= LARGEST_OF_ALL


def test_each_picture_is_shown():
    """Each picture stands in a page of the documentation, and each that a page shows is there."""
    pages = [*ROOT.glob("README*.md"), *(ROOT / "docs").rglob("*.md")]
    shown = re.findall(r"pictures/([\w-]+\.png)", "\n".join(page.read_text("utf-8") for page in pages))

    assert sorted(set(shown)) == [path.name for path in PICTURES]


def test_command_stands_beside_its_picture(script):
    """The README shows the picture of a command with that command below, before anything else."""
    text = (ROOT / "README.md").read_text("utf-8")

    for name, command in script["COMMANDS"].items():
        below = text.partition(f"pictures/{name}.png)")[2]
        assert below.startswith(f"\n\n```console\n$ meetup2025 {' '.join(command)} ")


def test_unknown_picture():
    """A name that is none is refused, with those that there are."""
    done = subprocess.run([sys.executable, SCRIPT, "whale"], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "A name must be one of identify, names," in done.stderr
    assert done.stderr.rstrip().endswith("Got whale.")


def test_machine_without_browser(tmp_path):
    """Where something is missing, the script says what, before any work."""
    command = [sys.executable, SCRIPT, "elbow", "--out", tmp_path]
    done = subprocess.run(
        command, env={**os.environ, "PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert "These pictures need Chromium (Debian: apt install chromium)." in done.stderr


@pytest.mark.browser
def test_picture_is_made(tmp_path):
    """The picture of a command comes out as it is shown, but for the letters of the machine."""
    if FOUND is None:
        if os.environ.get("MEETUP2025_REQUIRE_BROWSER") == "1":
            pytest.fail("MEETUP2025_REQUIRE_BROWSER=1 asks for chromium")
        pytest.skip("no Chromium on this machine")
    subprocess.run([sys.executable, SCRIPT, "identify", "--out", tmp_path], check=True, timeout=300)
    made, shown = (Image.open(folder / "identify.png").convert("RGB") for folder in (tmp_path, PICTURES[0].parent))

    assert made.size == shown.size
    assert ImageStat.Stat(ImageChops.difference(made, shown)).mean < [5, 5, 5]
