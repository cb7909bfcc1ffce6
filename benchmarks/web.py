"""
The web pages: the first answer to a photo, eight users at once, the size of a page, and maps under a real mouse.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

import numpy as np

import meetup2025
from benchmarks import pictures
from benchmarks.measure import OURS, Result
from meetup2025.web import files

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from meetup2025.engines import Cursor

USERS = 8
_SIZES = (5_000, 50_000, 500_000)
"""Points of the maps. The largest has no vectors, so nothing is near."""
_TOPICS, _DIMENSIONS = 12, 64
_SECONDS = 6
"""Seconds for which a hand drags a map."""


def measure(folder: Path, photos: Path | None) -> Iterator[Result]:  # noqa: ARG001 - as the other subjects
    """Measure a photo of twelve megapixels, with eight users over HTTP and in a browser, and maps of several sizes."""
    path = folder / "web.duckdb"
    runs = _database(f"duckdb:///{path}")
    photo = folder / "photo.jpg"
    photo.write_bytes(pictures.photograph())
    with _server(f"duckdb:///{path}") as address:
        yield _page_size()
        yield _users(address, photo.read_bytes())
        yield from _browser(address, photo, runs)


def _database(url: str) -> dict[tuple[int, int], int]:
    """Make a database with the bundled names and planted maps. Return size and dimensions -> number of the run."""
    with meetup2025.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT MeetUp2025.LoadNames('catalogue/fish.csv')")
        runs = {(size, 2): _planted(cursor, size, 2) for size in _SIZES}
        runs |= {(size, 3): _planted(cursor, size, 3) for size in _SIZES[:2]}
        connection.commit()
    return runs


def _planted(cursor: Cursor, size: int, dimensions: int) -> int:
    """Plant a source of topics, stored topic by topic, and a map of it. Return the number of the run."""
    rng = np.random.default_rng(5)
    topics = np.sort(rng.integers(0, _TOPICS, size))
    source = f"Docs{size}"
    if dimensions == 2 and size < _SIZES[-1]:
        centres = rng.normal(size=(_TOPICS, _DIMENSIONS))
        _fill(cursor, source, centres[topics] + 0.6 * rng.normal(size=(size, _DIMENSIONS)))
    run = _run(cursor, source, size, dimensions)
    places = 3 * rng.normal(size=(_TOPICS, 3))[topics] + rng.normal(size=(size, 3))
    places_of = (tuple(place[:dimensions]) + (None,) * (3 - dimensions) for place in places.tolist())
    rows = [
        (run, source, f"D{item}", f"report {item}", f"topic {topic}", *place)
        for item, (topic, place) in enumerate(zip(topics.tolist(), places_of, strict=True))
    ]
    columns = "Run, Source, Item, Name, Label, X, Y, Z"
    cursor.executemany(f"INSERT INTO MeetUp2025.MapPoint ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    return run


def _fill(cursor: Cursor, source: str, vectors: NDArray[np.float64]) -> None:
    """Make a table of vectors, and register it as a source."""
    cursor.execute(f"CREATE TABLE App.{source} (DocID VARCHAR(20), Title VARCHAR(50), Features VECTOR(DOUBLE, 64))")
    rows = [(f"D{item}", f"report {item}", vector) for item, vector in enumerate(vectors)]
    insert = f"INSERT INTO App.{source} (DocID, Title, Features) VALUES (?, ?, TO_VECTOR(?, DOUBLE, 64))"
    for start in range(0, len(rows), 10_000):
        cursor.executemany(insert, rows[start : start + 10_000])
    cursor.execute("SELECT MeetUp2025.RegisterSource(?, ?, 'DocID', 'Title', 'Features')", [source, f"App.{source}"])


def _run(cursor: Cursor, source: str, size: int, dimensions: int) -> int:
    cursor.execute(
        "INSERT INTO MeetUp2025.Analysis (Kind, Source, Parameters, Items, Seconds, Versions, Created, Asked, "
        "SourceHash, Fingerprint) VALUES ('Map', ?, ?, ?, 1, 'none', '2026-01-01 00:00:00', 1, 'none', ?)",
        [source, f'{{"dimensions": {dimensions}}}', size, f"{source} {dimensions}"],
    )
    return int(cursor.execute("SELECT MAX(%ID) FROM MeetUp2025.Analysis").fetchall()[0][0])


@contextmanager
def _server(url: str) -> Iterator[str]:
    code = "from meetup2025.cli import main; main(prog_name='meetup2025')"
    command = [sys.executable, "-c", code, "web", "--url", url, "--listen", "http://127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield server.stdout.readline().strip() if server.stdout else ""
        finally:
            server.terminate()


def _page_size() -> Result:
    """Add up the compressed bytes of the first page, its style and its scripts."""
    parts = [files.page("identify", language="ja", token="", adding=False)]
    parts += [each for name in ("web.css", "common.js", "identify.js", "icon.svg") if (each := files.static(name))]
    kilobytes = sum(len(each.body) for each in parts) / 1000
    return Result("first page", OURS, (kilobytes,), unit="kB", aim=300, note="not compressed")


def _users(address: str, photo: bytes, each: int = 10) -> Result:
    """Let users send a photo again and again, all at once. Return the seconds of each answer."""
    with ThreadPoolExecutor(USERS) as pool:
        taken = list(pool.map(lambda _: _visit(address, photo, each), range(USERS)))
    return Result(
        f"{USERS} users at once, 12 megapixels", OURS, tuple(second for seconds in taken for second in seconds)
    )


def _visit(address: str, photo: bytes, times: int) -> list[float]:
    connection = HTTPConnection(address.removeprefix("http://").strip("/"))
    connection.request("GET", "/")
    page = connection.getresponse()
    cookie = str(page.getheader("Set-Cookie")).partition(";")[0]
    page.read()
    headers = {"Cookie": cookie, "X-CSRF-Token": cookie.partition("=")[2]}
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        connection.request("POST", "/api/identify", photo, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"A photo must be named. Got status {answer.status}.")
        taken.append(time.perf_counter() - start)
    connection.close()
    return taken


def _browser(address: str, photo: Path, runs: Mapping[tuple[int, int], int]) -> Iterator[Result]:
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        yield Result("in a browser", OURS, (), note="left out: needs chromium, chromedriver and selenium")
        return
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1440,900"):
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(shutil.which("chromedriver"))))
    try:
        seconds = tuple(_answered(driver, address, photo) for _ in range(9))
        yield Result("photo to name in a browser, page included", OURS, seconds)
        for (size, dimensions), run in runs.items():
            name = f"{size:,} points, {dimensions}D"
            opened = tuple(_opened(driver, f"{address}map?run={run}") for _ in range(3))
            yield Result(f"opening a map of {name}", OURS, opened)
            yield Result(f"a frame of {name}", OURS, (_frame(driver),), note="a mouse that drags, no graphics card")
            if size < _SIZES[-1]:
                yield Result(f"a click on {name}", OURS, _clicks(driver), note="until its neighbours are listed")
    finally:
        driver.quit()


def _answered(driver: Any, address: str, photo: Path) -> float:
    """Open the first page and send a photo. Return the seconds until its name appears."""
    from selenium.webdriver.support.ui import WebDriverWait

    start = time.perf_counter()
    driver.get(address)
    driver.find_element("id", "file").send_keys(str(photo))
    WebDriverWait(driver, 60, poll_frequency=0.02).until(lambda _: driver.find_element("id", "verdict").text)
    return time.perf_counter() - start


def _opened(driver: Any, page: str) -> float:
    """Open a map. Return the seconds until it is drawn and its list is there."""
    from selenium.webdriver.support.ui import WebDriverWait

    driver.get("about:blank")
    start = time.perf_counter()
    driver.get(page)
    is_there = (
        "return document.getElementById('plot')?.cloud?.frames > 0 && document.querySelectorAll('#list td').length > 0"
    )
    WebDriverWait(driver, 120, poll_frequency=0.02).until(lambda _: driver.execute_script(is_there))
    return time.perf_counter() - start


def _frame(driver: Any) -> float:
    """Drag a map with the mouse. Return the seconds of a frame."""
    frames = "return document.getElementById('plot').cloud.frames"

    def mouse(kind: str, x: float, y: float, buttons: int = 1) -> None:
        event = {"type": kind, "x": x, "y": y, "button": "left", "buttons": buttons, "clickCount": 1}
        driver.execute_cdp_cmd("Input.dispatchMouseEvent", event)

    mouse("mouseMoved", 400, 400, 0)
    mouse("mousePressed", 400, 400)
    before, start, step = driver.execute_script(frames), time.perf_counter(), 0
    while time.perf_counter() - start < _SECONDS:
        step += 1
        mouse("mouseMoved", 400 + step * 7 % 100, 400 + step * 5 % 60)
    taken = time.perf_counter() - start
    drawn = driver.execute_script(frames) - before
    mouse("mouseReleased", 400, 400, 0)
    return float(taken / drawn)


def _clicks(driver: Any) -> tuple[float, ...]:
    """Choose points. Return the seconds until the neighbours of each are listed."""
    return tuple(
        float(
            driver.execute_async_script(
                """
                const [place, done] = arguments, { cloud } = document.getElementById("plot");
                const start = performance.now();
                cloud.on.chosen(place).then(() => done((performance.now() - start) / 1000));
                """,
                place,
            )
        )
        for place in range(100, 2600, 500)
    )
