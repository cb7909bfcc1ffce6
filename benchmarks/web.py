"""
The web pages: the first answer to a photo, eight users at once, the size of the first page, the smoothness of clouds.
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
    from collections.abc import Iterator
    from pathlib import Path

USERS = 8
_POINTS = 5000


def measure(folder: Path, photos: Path | None) -> Iterator[Result]:  # noqa: ARG001 - as the other subjects
    """Measure a photo of twelve megapixels, with eight users over HTTP and in a browser, and 5,000 turning points."""
    path = folder / "web.duckdb"
    run = _database(f"duckdb:///{path}")
    photo = folder / "photo.jpg"
    photo.write_bytes(pictures.photograph())
    with _server(f"duckdb:///{path}") as address:
        yield _page_size()
        yield _users(address, photo.read_bytes())
        yield from _browser(address, photo, run)


def _database(url: str) -> int:
    """Make a database with the bundled names and a map of many points. Return the number of its run."""
    with meetup2025.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT MeetUp2025.LoadNames('catalogue/fish.csv')")
        run = int(cursor.execute("SELECT MeetUp2025.FitMap('Fish', 3)").fetchall()[0][0])
        places = np.random.default_rng(5).normal(size=(_POINTS, 3)).tolist()
        rows = [(run, "Fish", f"P{number}", f"point {number}", *place) for number, place in enumerate(places)]
        columns = "Run, Source, Item, Name, X, Y, Z"
        cursor.executemany(f"INSERT INTO MeetUp2025.MapPoint ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        connection.commit()
    return run


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


def _browser(address: str, photo: Path, run: int) -> Iterator[Result]:
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        yield Result("in a browser", OURS, (), note="left out: needs chromium, chromedriver and selenium")
        return
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--enable-unsafe-swiftshader"):
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(shutil.which("chromedriver"))))
    try:
        seconds = tuple(_answered(driver, address, photo) for _ in range(9))
        yield Result("photo to name in a browser, page included", OURS, seconds)
        yield Result(
            f"a turn of {_POINTS:,} points", OURS, _turns(driver, f"{address}map?run={run}"), note="no graphics card"
        )
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


def _turns(driver: Any, page: str) -> tuple[float, ...]:
    """Turn a cloud in small steps. Return the seconds of each step, until it is drawn."""
    from selenium.webdriver.support.ui import WebDriverWait

    driver.get(page)
    is_drawn = "return Boolean(document.querySelector('#plot canvas'))"
    WebDriverWait(driver, 60).until(lambda _: driver.execute_script(is_drawn))
    milliseconds = driver.execute_async_script(
        """
        const done = arguments[0], times = [];
        (async () => {
          for (let turn = 0; turn < 60; turn++) {
            const start = performance.now(), angle = turn / 10;
            const eye = { x: 2 * Math.cos(angle), y: 2 * Math.sin(angle), z: 1 };
            await Plotly.relayout("plot", { "scene.camera.eye": eye });
            await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
            times.push(performance.now() - start);
          }
          done(times);
        })();
        """
    )
    return tuple(each / 1000 for each in milliseconds)
