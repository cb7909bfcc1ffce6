"""
Make the pictures of the documentation, by the program itself: `python scripts/render_pictures.py [NAME…]`.

All pictures, or the named ones, go into docs/pictures. It needs Chromium, and for the pages of the web chromedriver and
the group dev of pyproject.toml.
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from PIL import Image
from scipy.spatial import KDTree

import meetup2025
from meetup2025 import client, figures
from meetup2025.analytics.lloyd import lloyd, nearest_centres

sys.path.insert(0, str(Path(__file__).parents[1] / "notebooks"))
import workshop

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray
    from plotly.graph_objects import Figure

    from meetup2025.engines import Connection

WIDTH = 1000
"""Width of a picture in pixels. A page of a phone has fewer."""

LARGEST = 50_000
"""Bytes of a picture."""

COLOURS = (128, 96, 64)
"""Most colours of the palette of a picture."""

EXACT = 6
"""Colours of the palette that occur in the picture. The other colours are means of several."""

MEETUP2025 = [sys.executable, "-c", "from meetup2025.cli import main; main(prog_name='meetup2025')"]
"""The command line of this Python."""

UNITS = 900
"""Width of a figure before it is shrunk: the least width that its page has."""

DRAWN, EACH = workshop.SPECIES[-20:], 5
"""
Kinds of the maps of drawings, and their pictures: as many kinds as a legend distinguishes, not more pictures than
names.
"""

GROUPS = 7
"""Number of groups of the names, as in the notebooks."""

SECONDS = 60
"""Seconds to wait for a page."""

EDGE = 16
"""Units below the last visible part of a page."""

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
"""Folder where the documentation looks for the pictures."""

# --- data -----------------------------------------------------------------------------------------------------------


@cache
def fish() -> Connection:
    """Connect to the names and some drawings."""
    return _prepared(workshop.drawings(DRAWN, EACH))


@cache
def mixed() -> Connection:
    """Connect to drawings with strays among them. Octopus and squid are marked as odd too."""
    connection = _prepared(workshop.drawings() + workshop.drawings(workshop.STRAYS, each=4))
    sql = """INSERT INTO MeetUp2025.Mark (Labels, Source, Item, Odd)
             SELECT 'soft', 'FishImage', Name, CASE WHEN Label IN ('マダコ', 'アオリイカ') THEN 1 ELSE 0 END
             FROM MeetUp2025.FishImage WHERE Label IS NOT NULL"""
    workshop.ask(connection, sql)
    return connection


def _prepared(pictures: Iterable[workshop.Picture]) -> Connection:
    """Load names and pictures without the folder before their names, for which there is no room."""
    connection = meetup2025.connect("duckdb://")
    workshop.prepare(connection, [each._replace(file=each.file.rpartition("/")[2]) for each in pictures])
    return connection


def _run(connection: Connection, fit: str) -> int:
    return int(client.value(connection, f"SELECT MeetUp2025.{fit}"))


def _read(connection: Connection, query: str, run: int) -> list[tuple[Any, ...]]:
    return client.rows(connection, client.reading(query), [run, client.ALL])


def _metrics(connection: Connection, run: int) -> dict[str, float]:
    return dict(client.rows(connection, "SELECT Name, Value FROM MeetUp2025.ReadMetrics(?)", [run]))


# --- figures --------------------------------------------------------------------------------------------------------


def names() -> Figure:
    """A map of the names in space, coloured by groups: two runs, joined."""
    sql = """SELECT place.*, member.Cluster, member.Central
             FROM MeetUp2025.ReadMap(?) place, MeetUp2025.ReadClusters(?) member
             WHERE member.Source = place.Source AND member.Item = place.Item"""
    fits = ("FitMap('Fish', 3, 30)", f"FitClusters('Fish', {GROUPS})")
    rows = client.records(fish(), sql, [_run(fish(), fit) for fit in fits])
    return figures.map(rows, title="100 names in space, coloured by groups", subtitle=" joined to ".join(fits))


def photos() -> Figure:
    """A map of the drawings, coloured by their labels, which the map does not know."""
    rows = _read(fish(), "ReadMap", _run(fish(), fit := "FitMap('FishImage', 2)"))
    return figures.map(rows, colour="label", title="Drawings, coloured by their labels", subtitle=fit)


def gap() -> Figure:
    """Names and drawings on one map, with the gap between them and without."""
    fits = ("FitMap('Both', 2)", "FitMap('Both', 2, 0, -1, 5, 0, 1)")
    apart, together = (_run(fish(), fit) for fit in fits)
    metrics = _metrics(fish(), together)
    said = [f"centroids {metrics[name]:.2f} apart" for name in ("gap_distance", "gap_distance_without")]
    maps = [_read(fish(), "ReadMap", run) for run in (apart, together)]
    return figures.gap(*maps, titles=said, title="Names and drawings on one map: with the gap, and without")


def steps() -> Figure:
    """K-means from a bad start: three of its steps, and the ways of the centres."""
    rows = _read(fish(), "ReadMap", _run(fish(), "FitMap('Fish', 2)"))
    features = dict(client.rows(fish(), "SELECT FishID, Features FROM MeetUp2025.Fish"))
    vectors = np.array([np.array(features[item].split(","), float) for _, item, *_ in rows])
    start = vectors[np.argsort(vectors @ vectors[0])[-GROUPS:]]
    about = "Large marks are the centres, lines their ways; in brackets, how many names changed their group"
    return _beside(figures.steps(rows, _grouped(vectors, start), title="K-means, step by step", subtitle=about))


def _grouped(vectors: NDArray[Any], start: NDArray[Any]) -> list[list[int]]:
    """Yield the groups of each step, until nothing changes."""
    found = [nearest_centres(vectors, start)[0].tolist()]
    while (following := lloyd(vectors, start, enough=len(found))[0].tolist()) != found[-1]:
        found.append(following)
    return found


def _beside(figure: Figure) -> Figure:
    """Draw the first, a middle and the last step side by side. There is no room for names."""
    from plotly.subplots import make_subplots

    last = len(figure.frames) - 1
    labels = [step.label for step in figure.layout.sliders[0].steps]
    chosen = (0, last // 2, last)
    titles = ["start", *(f"step {labels[place]}" for place in chosen[1:])]
    beside = make_subplots(1, 3, subplot_titles=titles, horizontal_spacing=0.05)
    for column, place in enumerate(chosen, 1):
        for trace, change in zip(figure.data, figure.frames[place].data, strict=True):
            shown = type(trace)(trace).update(change.to_plotly_json())
            beside.add_trace(shown.update(text=None), row=1, col=column)
    beside.update_xaxes(range=figure.layout.xaxis.range)
    beside.update_yaxes(range=figure.layout.yaxis.range)
    beside.update_layout(title=figure.layout.title, template=figure.layout.template, margin=figure.layout.margin)
    return beside.update_layout(margin={"t": 115, "b": 40})


def elbow() -> Figure:
    """The number of groups of the names, by two rules."""
    rows = _read(fish(), "ReadElbow", _run(fish(), fit := "FitElbow('Fish', 2, 29)"))
    return figures.elbow(rows, title="How many groups?", subtitle=fit).update_layout(height=660)


def groups() -> Figure:
    """Groups of the names, from their centres outwards."""
    rows = _read(fish(), "ReadClusters", _run(fish(), fit := f"FitClusters('Fish', {GROUPS})"))
    return figures.clusters(rows, title="Groups of the names", subtitle=fit)


def outliers() -> Figure:
    """Drawings with strays among them: the scores, and the oddest."""
    run = _run(mixed(), fit := "FitOutliers('FishImage', 'Neighbours', 0.08)")
    rows, threshold = _read(mixed(), "ReadOutliers", run), _metrics(mixed(), run)["threshold"]
    return figures.outliers(rows, threshold, title="Drawings of sea animals, and what is none", subtitle=fit)


def curves() -> Figure:
    """The quality of a detector of octopus and squid. It is not perfect, so that the curves have a shape."""
    run = _run(mixed(), fit := "FitOutliers('FishImage', 'IsolationForest', 0.08)")
    rows = _read(mixed(), "ReadCurves", _run(mixed(), f"FitEvaluation({run}, 'soft')"))
    return figures.curves(rows, title="Does it find octopus and squid among the drawings?", subtitle=fit)


def comparison() -> Figure:
    """Five detectors side by side."""
    rows = _read(mixed(), "ReadComparison", _run(mixed(), fit := "FitComparison('FishImage', 'soft')"))
    return figures.comparison(rows, title="Which detector finds octopus and squid?", subtitle=fit)


FIGURES = {
    each.__name__: each for each in (names, photos, gap, steps, elbow, groups, outliers, curves, comparison)
}
"""Name of a picture -> function that draws it."""


def drawn(name: str) -> Image.Image:
    """Draw a figure as a picture."""
    figure = FIGURES[name]()
    if not figure.layout.height:
        figure.update_layout(height=600)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "figure.png")
        figures.write_png(figure, path, width=UNITS)
        return Image.open(io.BytesIO(path.read_bytes()))


# --- commands -------------------------------------------------------------------------------------------------------

SAMPLES = ("saba.png", "madako.png", "kinmedai.gif", "taiyaki.jpg")

COMMANDS = {"identify": ["identify", *(f"samples/{name}" for name in SAMPLES)]}
"""Name of a picture -> command that makes it, with --png or --html."""


def ordered(name: str) -> Image.Image:
    """Run a command, and return the picture that it makes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "picture.png")
        command = [*MEETUP2025, *COMMANDS[name], "--url", "duckdb://", "--png", str(path)]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - it is ourselves
        return Image.open(io.BytesIO(path.read_bytes()))


# --- pages of the web -----------------------------------------------------------------------------------------------


class Page(NamedTuple):
    """A page: the element that has a text when the page is complete, the window in units, and the last part to show."""

    address: str
    ready: str
    last: str
    window: tuple[int, int] = (WIDTH, 1600)
    scale: float = 1.0
    language: str = "en"


PAGES = {
    "web-identify": Page("?sample=saba.png", "#names td", ".sql"),
    "web-map": Page("map?run=1&at=FishImage/saba.png", "#near td", ".sql", (1440, 900)),
    "web-phone": Page("?sample=madako.png", "#names td", "#drawings", (375, 1600), 1.6, "ja"),
}
"""Name of a picture -> its page."""


@contextmanager
def served() -> Iterator[str]:
    """Serve the names, a map and groups by `meetup2025 web`, and yield the address."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"duckdb:///{folder}/fish.duckdb"
        with meetup2025.connect(url) as connection:
            workshop.prepare(connection, [])
            for fit in ("LoadImages('samples')", "FitMap('Both', 2)", f"FitClusters('Fish', {GROUPS})"):
                _run(connection, fit)
            connection.commit()
        command = [*MEETUP2025, "web", "--url", url, "--listen", "http://127.0.0.1:0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603 - it is ourselves
            try:
                yield server.stdout.readline().strip() if server.stdout else ""
            finally:
                server.terminate()


@contextmanager
def browser(page: Page) -> Iterator[Any]:
    """Start Chromium for a page, without a screen and in light colours."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(_chromium())
    switches = ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--enable-unsafe-swiftshader")
    for switch in (*switches, "--hide-scrollbars", f"--accept-lang={page.language}"):
        options.add_argument(switch)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        width, height = page.window
        screen = {"width": width, "height": height, "deviceScaleFactor": page.scale, "mobile": width < 500}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        light = {"features": [{"name": "prefers-color-scheme", "value": "light"}]}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", light)
        yield driver
    finally:
        driver.quit()


def taken(page: Page, address: str) -> Image.Image:
    """Open a page, wait until it is complete, and take a picture of the window, to the end of the last part."""
    from selenium.webdriver.support.ui import WebDriverWait

    with browser(page) as driver:
        driver.get(address + page.address)
        text = f"return document.querySelector('{page.ready}')?.textContent"
        WebDriverWait(driver, SECONDS).until(lambda _: driver.execute_script(text))
        # Pictures and clouds are drawn after that, and there is no event at their end.
        driver.execute_async_script("setTimeout(arguments[0], 1500)")
        bottom = driver.execute_script(f"return document.querySelector('{page.last}').getBoundingClientRect().bottom")
        picture = Image.open(io.BytesIO(driver.get_screenshot_as_png()))
        return picture.crop((0, 0, picture.width, min(picture.height, round(page.scale * (bottom + EDGE)))))


def _chromium() -> str | None:
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


# --- files ----------------------------------------------------------------------------------------------------------


def write(picture: Image.Image, path: Path) -> None:
    """Write a picture, not too wide, with as many colours as its size allows."""
    whole = picture.convert("RGB")
    if whole.width > WIDTH:
        whole = whole.resize((WIDTH, round(whole.height * WIDTH / whole.width)), Image.Resampling.LANCZOS)
    for colours in COLOURS:
        fewer(whole, colours).save(path, optimize=True)
        if path.stat().st_size <= LARGEST:
            break
    print(f"{path.name}: {whole.width} × {whole.height}, {path.stat().st_size / 1000:.0f} kB")


def fewer(picture: Image.Image, colours: int) -> Image.Image:
    """Set the palette of a picture: its most frequent colours, such as white, and means of the other colours."""
    counted = sorted(picture.getcolors(picture.width * picture.height), reverse=True)
    # Only this method of Pillow keeps a colour of few pixels, such as the colour of a mark.
    means = picture.quantize(colours - EXACT, method=Image.Quantize.FASTOCTREE).getpalette() or []
    palette = np.array([part for _, colour in counted[:EXACT] for part in colour] + means, np.uint8).reshape(-1, 3)
    nearest = KDTree(palette).query(np.asarray(picture))[1]  # the method of Pillow takes white for a grey
    found = Image.fromarray(nearest.astype(np.uint8))
    found.putpalette(palette.tobytes())
    return found


def missing(names: Iterable[str]) -> list[str]:
    """Return the programs that these pictures need and the machine does not have."""
    needs = {"Chromium (Debian: apt install chromium)": bool(_chromium())}
    if not PAGES.keys().isdisjoint(names):
        needs["chromedriver (Debian: apt install chromium-driver)"] = bool(shutil.which("chromedriver"))
        for package in ("selenium", "waitress"):
            needs[f"{package} (pip install {package})"] = bool(importlib.util.find_spec(package))
    return [what for what, is_there in needs.items() if not is_there]


def main() -> None:
    """Make the chosen pictures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip())
    known = [*COMMANDS, *FIGURES, *PAGES]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one or more of {', '.join(known)}")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder to write to, instead of docs/pictures")
    given = parser.parse_args()
    names = given.names or known
    if unknown := sorted({*names}.difference(known)):
        parser.error(f"A name must be one of {', '.join(known)}. Got {', '.join(unknown)}.")
    if lacking := missing(names):
        parser.error(f"These pictures need {' and '.join(lacking)}. It is not there; install it.")
    make(names, given.out)


def make(names: Iterable[str], folder: Path) -> None:
    """Make pictures into a folder, whatever the user's settings are."""
    for setting in [each for each in os.environ if each.startswith("MEETUP2025_")]:
        del os.environ[setting]
    folder.mkdir(exist_ok=True)
    wanted = [*names]
    for name in filter(COMMANDS.__contains__, wanted):
        write(ordered(name), folder / f"{name}.png")
    for name in filter(FIGURES.__contains__, wanted):
        write(drawn(name), folder / f"{name}.png")
    if pages := [*filter(PAGES.__contains__, wanted)]:
        with served() as address:
            for name in pages:
                write(taken(PAGES[name], address), folder / f"{name}.png")


if __name__ == "__main__":
    main()
