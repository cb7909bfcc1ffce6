"""Write the pages of the manual into build/man: `make man`."""

from __future__ import annotations

from pathlib import Path

from click_man.core import write_man_pages

from meetup2025 import __version__
from meetup2025.cli import main

FOLDER = Path(__file__).parents[1] / "build" / "man"

if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    write_man_pages("meetup2025", main, version=__version__, target_dir=str(FOLDER))
