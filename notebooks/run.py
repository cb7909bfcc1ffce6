"""
Run the notebooks: `python notebooks/run.py [--url URL] [NAME…]`.

Each runs in a kernel of its own, with the database of the URL. The copy with its outputs is in `build/notebooks`, as a
notebook and as a page.
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter
from tqdm import tqdm

NOTEBOOKS = Path(__file__).parent
EMBEDDED = "duckdb://"

_BUILD = NOTEBOOKS.parent / "build" / "notebooks"
_SECONDS = 600
"""Of a cell: the first map of all compiles."""


def books() -> list[Path]:
    """List the notebooks, the Japanese one of each before its English twin."""
    return sorted(NOTEBOOKS.glob("*.ipynb"), key=lambda path: path.name.replace(".ipynb", ".").split("."))


def run(book: Path, **lines: str) -> nbformat.NotebookNode:
    """
    Run a notebook, and give it with its outputs.

    Args:
        book: The notebook, which stays as it is.
        lines: What stands on the lines that set these variables: `URL="iris://…"`.

    Raises:
        ValueError: A line that is to be changed is not there, or there are several.
        CellExecutionError: A cell fails.
    """
    notebook = nbformat.read(book, as_version=4)
    for name, value in lines.items():
        _change(notebook, name, value)
    quiet = ["--log-level=ERROR"]  # a kernel warns of what listens on this machine, each time
    environment = {**os.environ, "PLOTLY_RENDERER": "plotly_mimetype+notebook"}  # figures that a page has, too
    here = {"metadata": {"path": str(NOTEBOOKS)}}
    return NotebookClient(notebook, timeout=_SECONDS, resources=here, extra_arguments=quiet).execute(env=environment)


def _change(notebook: nbformat.NotebookNode, name: str, value: str) -> None:
    changed = 0
    for cell in notebook.cells:
        if cell.cell_type == "code":
            line = f"{name} = {value!r}"
            cell.source, count = re.subn(rf"(?m)^{name} = .*$", lambda _: line, cell.source)  # noqa: B023 - used at once
            changed += count
    if changed != 1:
        raise ValueError(f"A notebook must have one line that sets {name}. Got {changed}.")


def main() -> int:
    """Run the notebooks that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="for example 1-identify; all without")
    parser.add_argument(
        "--url", default=EMBEDDED, help="the database, as duckdb:///fish.db or iris://user@host:1972/USER"
    )
    given = parser.parse_args()
    chosen = [book for book in books() if not given.names or book.stem in given.names]
    if unknown := set(given.names) - {book.stem for book in chosen}:
        parser.error(
            f"a name must be one of {', '.join(book.stem for book in books())}; got {', '.join(sorted(unknown))}"
        )
    # A kernel that ends may close amid a message, of which tornado complains; what a cell did wrong is raised.
    logging.getLogger("tornado.general").setLevel(logging.CRITICAL)
    _BUILD.mkdir(parents=True, exist_ok=True)
    failed = [book for book in tqdm(chosen, "notebooks", disable=None, leave=False) if not _ran(book, given.url)]
    if len(failed) < len(chosen):
        print(f"The notebooks with their outputs are in {_BUILD}.")
    return 1 if failed else 0


def _ran(book: Path, url: str) -> bool:
    """Run a notebook, write its copy and tell how long it took; or what failed."""
    start = time.monotonic()
    page, copy = (_BUILD / book.name).with_suffix(".html"), _BUILD / book.name
    for old in (page, copy):
        old.unlink(missing_ok=True)
    try:
        done = run(book, URL=url)
        nbformat.write(done, copy)
        page.write_text(HTMLExporter().from_notebook_node(done)[0], "utf-8")
    except CellExecutionError as error:
        tqdm.write(f"{book.stem}: {error.ename}: {error.evalue}", file=sys.stderr)
        return False
    tqdm.write(f"{book.stem:20} {time.monotonic() - start:5.1f} s")
    return True


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("stopped")
