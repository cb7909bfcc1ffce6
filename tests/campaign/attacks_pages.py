"""Pages and figures: names that are scripts stay names, in a real browser."""

from __future__ import annotations

import base64
import csv
import io
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from attacks_servers import served
from harness import Tally, command, folder, part
from pictures import corners, encoded

import meetup2025

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from random import Random

_MARK = "hacked"
_NAMES = (
    "<script>document.write('<hacked>')</script>", "<img src=x onerror=a()><hacked>", "<b onmouseover=x>'\"&amp;",
    "</script><hacked>",
    "</title></style><hacked>", "<svg onload=a()><hacked>", "]]><hacked>", "${alert(1)}<hacked>", "{{7*7}}<hacked>",
    "\u202e<hacked>", "'><hacked>", '"><hacked>', "javascript:alert(1)", "%3Chacked%3E", "&lt;hacked&gt;", "<hacked/x=",
    "<a href='javascript:a()'>x</a>", "=HYPERLINK(1)", "<hacked", "<!--<hacked>",
)  # fmt: skip
"""Names that would make an element `hacked`, each within the 50 characters of a name."""

_FITS = {
    "clusters": ["clusters", "Fish"],
    "elbow": ["elbow", "Fish"],
    "outliers": ["outliers", "Fish"],
    "map": ["map", "Fish"],
}
_PAGES = ("", "?sample=saba.png", "map?run=4", "map?run=4&colour=Clusters:1", "runs?run=1&other=4", "?lang=<hacked>")


@part
def pages(_: Random) -> Iterator[Tally]:
    """Draw figures and open the pages of a catalogue of hostile names."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    tally = Tally("figures and pages with hostile names, in a browser")
    if browser is None:
        yield tally
        return
    with folder() as place:
        url = f"duckdb:///{place / 'fish.duckdb'}"
        loaded = _loaded(url)
        tally.check(f"{loaded} names were taken", loaded >= len(_NAMES) - 1)
        tally.check("the mark must be seen where it is", _is_hacked(browser, place, _control(place)))
        for name, words in _FITS.items():
            file = place / f"{name}.html"
            done = command(*words, "--url", url, "--html", str(file), seconds=300)
            tally.check(f"{name}: {done.stderr}", done.returncode == 0)
            tally.check(f"{name} runs what a name says", not _is_hacked(browser, place, file.as_uri()))
        with served(place, "web", "--listen", "http://127.0.0.1:0", "--url", url) as (_, address):
            for page in _PAGES:
                where = f"http://{address[0]}:{address[1]}/{page}"
                tally.check(f"{page} runs what a name says", not _is_hacked(browser, place, where))
    yield tally


def _control(place: Path) -> str:
    (place / "control.html").write_text(f"<body>{_NAMES[3]}", "utf-8")
    return (place / "control.html").as_uri()


def _loaded(url: str) -> int:
    """Load a catalogue and photos of the names, and return the number of names that were taken."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["FishID", "Name", "Kanji", "English", "Family"])
    rows.writerows((f"H{at}", name, name[::-1], name, name) for at, name in enumerate(filter(str.isprintable, _NAMES)))
    data = base64.b64encode(text.getvalue().encode()).decode()
    photo = f"data:image/png;base64,{base64.b64encode(encoded(corners())).decode()}"
    with meetup2025.connect(url) as connection, connection.cursor() as cursor:
        found = cursor.execute("SELECT MeetUp2025.LoadNames(?)", [f"data:text/csv;base64,{data}"]).fetchall()[0][0]
        for name in filter(str.isprintable, _NAMES):
            cursor.execute("SELECT MeetUp2025.AddImage(?, ?, ?)", [f"{name}.png", photo, name]).fetchall()
        connection.commit()
    return int(found)


def _is_hacked(browser: str, place: Path, address: str) -> bool:
    """Open a page, and check whether a name became an element of it."""
    switches = ("--headless", "--no-first-run", "--virtual-time-budget=8000", "--enable-unsafe-swiftshader")
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    words = [browser, *as_root, *switches, f"--user-data-dir={place}/profile", "--dump-dom", address]
    done = subprocess.run(words, capture_output=True, timeout=180, check=False)
    document = done.stdout.decode("utf-8", "replace")
    if len(document) < 50:
        print(f"{address} was not opened: {done.stderr[-200:]!r}", file=sys.stderr)
        return True
    return f"<{_MARK}" in _without_scripts(document)


def _without_scripts(document: str) -> str:
    """Leave out the scripts, whose text holds the names as data."""
    parts = document.split("<script")
    return parts[0] + "".join(part.partition("</script>")[2] for part in parts[1:])
