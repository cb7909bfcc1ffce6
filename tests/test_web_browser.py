"""The web application in a real browser: Chromium without a screen drives what `meetup2025 web` serves."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pictures import encoded, noise
from web_calls import SAMPLES, analyse, web_server

import meetup2025
from meetup2025.figures import palette
from meetup2025.web import Application

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.browser

LONG = 60
"""Seconds after which a test has failed; only the first placing on a map takes more than a few."""

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

AXE = Path(__file__).parents[1] / "node_modules" / "axe-core" / "axe.min.js"
PAGES = [
    "?sample=saba.png",
    "map?run=1&colour=Clusters:4&at=Fish/F002",
    "map?run=8&colour=label&find=ma",
    "runs?run=1&other=2",
    "live",
]

# --- the browser ----------------------------------------------------------------------------------------------------


@contextmanager
def chromium(width: int = 1280, height: int = 1200, language: str = "en", scheme: str = "light") -> Iterator[Any]:
    """Start Chromium; `.find` waits for what a selector finds, `.text_of` for a text in it."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for each in (
        *("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", f"--window-size={width},{height}"),
        *(f"--lang={language}", f"--accept-lang={language}", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
    ):
        options.add_argument(each)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(shutil.which("chromedriver"))))
    try:
        screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        seen = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", seen)
        yield driver
    finally:
        driver.quit()


def until(driver: Any, condition: Callable[[Any], Any]) -> Any:
    """Wait until something is so, and give it."""
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(driver, LONG, poll_frequency=0.05).until(condition)


def found(driver: Any, selector: str) -> Any:
    """Wait for an element, and give it."""
    from selenium.webdriver.common.by import By

    return until(driver, lambda _: next(iter(driver.find_elements(By.CSS_SELECTOR, selector)), None))


def reads(driver: Any, selector: str, text: str) -> str:
    """Wait until an element shows a text, and give all that it shows."""
    until(driver, lambda _: text in found(driver, selector).text)
    return str(found(driver, selector).text)


def script(driver: Any, code: str, *given: Any) -> Any:
    """Run a script in the page."""
    return driver.execute_script(f"return {code}", *given)


def drawn(driver: Any) -> None:
    """Wait until the cloud is there, and the list beside it."""
    until(driver, lambda _: script(driver, "document.querySelector('#plot')?.cloud?.frames > 0"))
    until(driver, lambda _: script(driver, "document.querySelectorAll('#list tbody tr').length > 0"))


def faults(driver: Any) -> list[str]:
    """Give what the browser complains about: errors of scripts, and what the policy of content forbids."""
    return [each["message"] for each in driver.get_log("browser") if each["level"] == "SEVERE"]


@pytest.fixture(scope="module")
def _browser_there() -> None:
    """Skip without a browser, or fail where one is required."""
    have = CHROMIUM and shutil.which("chromedriver")
    try:
        import selenium  # noqa: F401
    except ImportError:
        have = None
    if not have:
        if os.environ.get("MEETUP2025_REQUIRE_BROWSER") == "1":
            pytest.fail("MEETUP2025_REQUIRE_BROWSER=1 asks for chromium, chromedriver and selenium")
        pytest.skip("no chromium, chromedriver and selenium")


@pytest.fixture(scope="module")
def served(_browser_there: None, _bundled_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server: analyses in the runs 1 to 5, maps of 5,000 points in 6 and 7, a map of the photos in 8."""
    path = tmp_path_factory.mktemp("served") / "served.duckdb"
    shutil.copy(_bundled_file, path)
    url = f"duckdb:///{path}"
    runs = analyse(url)
    large = plant_map(url, 2), plant_map(url, 3)
    with meetup2025.connect(url) as connection, connection.cursor() as cursor:
        [(photos,)] = cursor.execute("SELECT MeetUp2025.FitMap('FishImage', 2)").fetchall()
        connection.commit()
    assert [*runs.values(), *large, photos] == [1, 2, 3, 4, 5, 6, 7, 8]
    with web_server(url, "--allow-adding") as (_, address):
        yield address


def plant_map(url: str, dimensions: int, items: int = 5000) -> int:
    """Store a map of many points as a run."""
    rng = np.random.default_rng(5)
    with meetup2025.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO MeetUp2025.Analysis (Kind, Source, Parameters, Items, Seconds, Versions, Created, Asked, "
            "SourceHash, Fingerprint) VALUES ('Map', 'Fish', ?, ?, 1, 'none', '2026-01-01 00:00:00', 1, 'none', ?)",
            [f'{{"dimensions": {dimensions}}}', items, f"planted {dimensions}"],
        )
        run = int(cursor.execute("SELECT MAX(%ID) FROM MeetUp2025.Analysis").fetchall()[0][0])
        places = rng.normal(size=(items, 3)).round(4).tolist()
        rows = [
            (run, "Fish", f"P{n}", f"point {n}", f"label {n % 9}", x, y, z if dimensions == 3 else None)
            for n, (x, y, z) in enumerate(places)
        ]
        columns = "Run, Source, Item, Name, Label, X, Y, Z"
        cursor.executemany(f"INSERT INTO MeetUp2025.MapPoint ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        connection.commit()
    return run


@pytest.fixture(scope="module")
def _driver(_browser_there: None) -> Iterator[Any]:
    with chromium() as driver:
        yield driver


@pytest.fixture
def driver(_driver: Any) -> Iterator[Any]:
    """Chromium with a wide window; nothing goes wrong in its pages but what a test expects."""
    _driver.get_log("browser")
    yield _driver
    _driver.delete_all_cookies()


# --- identify -------------------------------------------------------------------------------------------------------


def test_uploaded_picture_is_named(driver, served):
    """A picture that is chosen gets its name, a table of candidates, and its statement."""
    driver.get(served)
    found(driver, "#file").send_keys(str(SAMPLES / "saba.png"))

    assert reads(driver, "#verdict", "マサバ") == "This is マサバ."
    assert "真鯖" in found(driver, "#names").text
    assert "drawings only" in found(driver, "#drawings").text
    assert found(driver, "#sql").text.startswith("CALL MeetUp2025.Identify('data:image/png;base64,")
    assert len(found(driver, "#sql").text) < 200
    assert faults(driver) == []


def test_photograph_is_not_sure(driver, served, tmp_path):
    """A picture of something else is not called sure."""
    (tmp_path / "noise.jpg").write_bytes(encoded(noise(300, 200), "JPEG"))
    driver.get(served)
    found(driver, "#file").send_keys(str(tmp_path / "noise.jpg"))

    reads(driver, "#verdict", "Not sure.")


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_dropped_or_pasted_picture_is_named(driver, served, way):
    """A picture may be dropped or pasted too."""
    driver.get(served)
    driver.execute_async_script(
        """
        const [way, done] = arguments;
        fetch("samples/madako.png").then((reply) => reply.blob()).then((blob) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([blob], "a.png", { type: "image/png" }));
          const event = way === "drop" ? new DragEvent("drop", { dataTransfer: transfer, cancelable: true })
            : new ClipboardEvent("paste", { clipboardData: transfer });
          (way === "drop" ? document.getElementById("drop") : document).dispatchEvent(event);
          done();
        });
        """,
        way,
    )

    reads(driver, "#verdict", "マダコ")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"this is a text", "must be one of JPEG"),
        (b"", "zero bytes"),
        ((SAMPLES / "maaji.jpg").read_bytes()[:9000], "broken"),
        (200_000_000, "too large"),
    ],
    ids=["text", "nothing", "truncated", "200 MB"],
)
def test_bad_upload_is_a_message(driver, served, tmp_path, content, says):
    """A file that is no whole picture, or too large, gives a message, no statement, and the page goes on."""
    with (tmp_path / "bad.jpg").open("wb") as file:
        file.truncate(content) if isinstance(content, int) else file.write(content)
    driver.get(f"{served}?sample=saba.png")
    reads(driver, "#sql", "Identify")
    found(driver, "#file").send_keys(str(tmp_path / "bad.jpg"))
    reads(driver, "#error", says)
    assert found(driver, "#sql").text == ""

    found(driver, "#file").send_keys(str(SAMPLES / "maaji.jpg"))
    reads(driver, "#verdict", "マアジ")
    assert not found(driver, "#error").is_displayed()


def teach(driver: Any, served: str) -> None:
    """Name a picture, and say that the first name is right."""
    driver.get(served)
    found(driver, "#file").send_keys(str(SAMPLES / "iseebi.png"))
    reads(driver, "#verdict", "イセエビ")
    found(driver, "#names button").click()
    until(driver, lambda _: "イセエビ" in found(driver, "#status").text)


def test_right_name_adds_the_photo(driver, served):
    """The button beside a name adds the photo, and says so."""
    teach(driver, served)

    reads(driver, "#status", "added as イセエビ")


def test_two_users_at_once(served):
    """Two browsers that send pictures at the same time get each its own name."""

    def visit(name: str, wanted: str) -> str:
        with chromium() as driver:
            driver.get(served)
            found(driver, "#file").send_keys(str(SAMPLES / name))
            return reads(driver, "#verdict", wanted)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(visit, ["saba.png", "madako.png"], ["マサバ", "マダコ"])

    assert ("マダコ" in first, "マサバ" in second) == (False, False)


# --- map ------------------------------------------------------------------------------------------------------------


def place_of(driver: Any, name: str) -> tuple[float, float]:
    """Give where in the window the point of a name is drawn."""
    left, top, *_ = script(
        driver,
        """(() => {
          const { host, ...cloud } = document.getElementById("plot").cloud, box = host.getBoundingClientRect();
          const at = [...cloud.x.keys()].find((place) => cloud.titleOf(place) === arguments[0]);
          const [x, y] = host.cloud.screen(at);
          return [box.left + x, box.top + y];
        })()""",
        name,
    )
    return left, top


def drag(driver: Any, corners: list[tuple[float, float]]) -> None:
    """Press the mouse at the first place, go through the others, and let it go."""
    from selenium.webdriver.common.action_chains import ActionBuilder

    actions = ActionBuilder(driver, duration=60)
    pointer = actions.pointer_action
    pointer.move_to_location(*map(round, corners[0]))
    pointer.pointer_down()
    for corner in corners[1:]:
        pointer.move_to_location(*map(round, corner))
    pointer.pointer_up()
    actions.perform()


def test_clicked_point_has_neighbours(driver, served):
    """A click on a point shows what is nearest by vector, with lines on the map, and the link leads there."""
    driver.get(f"{served}map?run=1")
    drawn(driver)
    drag(driver, [place_of(driver, "マダコ")])

    reads(driver, "#chosen-text", "Near マダコ:")
    reads(driver, "#near", "ミズダコ")
    assert "at=Fish%2FF" in driver.current_url
    assert "ItemsLike('Fish', 'F" in found(driver, "#sql").text
    assert script(driver, "document.getElementById('plot').cloud.links.length") == 5
    assert faults(driver) == []


def test_nothing_jumps(driver, served):
    """A click on a point moves neither the map nor the page."""
    driver.get(f"{served}map?run=1")
    drawn(driver)
    before = script(driver, "[document.getElementById('plot').getBoundingClientRect().top, scrollY]")
    driver.execute_script(
        "window.tops = new Set(); (function look() { requestAnimationFrame(look);"
        "tops.add(document.getElementById('plot').getBoundingClientRect().top + scrollY); })()"
    )
    drag(driver, [place_of(driver, "マダコ")])
    reads(driver, "#near", "ミズダコ")

    assert script(driver, "[...tops]") == [before[0]]
    assert script(driver, "scrollY") == 0


def test_back_takes_back_a_step(driver, served):
    """The way back from a point leads to the map without it."""
    driver.get(f"{served}map?run=1")
    drawn(driver)
    drag(driver, [place_of(driver, "マダコ")])
    until(driver, lambda _: "at=" in driver.current_url)
    driver.back()

    until(driver, lambda _: "at=" not in driver.current_url)
    drawn(driver)
    assert "Choose a point" in found(driver, "#chosen-text").text


def test_map_moves_under_the_mouse(driver, served):
    """A drag moves the map by as much as the hand, and the wheel zooms around the pointer."""
    driver.get(f"{served}map?run=1")
    drawn(driver)
    x, y = place_of(driver, "マダコ")
    drag(driver, [(x + 60, y + 60), (x + 20, y + 60), (x + 10, y + 100)])
    assert place_of(driver, "マダコ") == pytest.approx((x - 50, y + 40), abs=2)

    x, y = place_of(driver, "マダコ")
    other = place_of(driver, "ミズダコ")
    wheel = {"type": "mouseWheel", "x": x, "y": y, "deltaX": 0, "deltaY": -400}
    driver.execute_cdp_cmd("Input.dispatchMouseEvent", wheel)
    until(driver, lambda _: abs(place_of(driver, "ミズダコ")[0] - x) > 2 * abs(other[0] - x))
    assert place_of(driver, "マダコ") == pytest.approx((x, y), abs=2)


def test_map_in_space_turns(driver, served):
    """A drag turns a map in space; all of its points lie in its window before."""
    driver.get(f"{served}map?run=3")
    drawn(driver)
    box = "[...cloud.sx.keys()].filter((at) => cloud.sx[at] < 0 || cloud.sy[at] < 0 || cloud.sx[at] > cloud.width)"
    assert script(driver, f"(({{cloud}}) => {box}.length)(document.getElementById('plot'))") == 0
    before = place_of(driver, "マダコ")
    box = script(driver, "document.getElementById('plot').getBoundingClientRect().toJSON()")
    middle = box["x"] + 300, box["y"] + 200
    drag(driver, [middle, (middle[0] + 200, middle[1])])

    assert place_of(driver, "マダコ") != pytest.approx(before, abs=5)


def test_a_finger_scrolls_past_the_map_and_two_zoom(served):
    """On a telephone a swipe over the map scrolls the page, and two fingers that part zoom the map."""
    with chromium(390, 844) as driver:
        driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 2})
        driver.get(f"{served}map?run=1")
        drawn(driver)

        def touch(kind: str, *points: tuple[int, int]) -> None:
            fingers = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
            driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

        touch("touchStart", (190, 700))
        for y in range(680, 380, -20):
            touch("touchMove", (190, y))
        touch("touchEnd")
        until(driver, lambda _: script(driver, "scrollY") > 150)
        assert "lasso" not in driver.current_url

        driver.execute_script("document.getElementById('plot').scrollIntoView({ block: 'center' })")
        before = script(driver, "document.getElementById('plot').cloud.k")
        for kind, apart in (("touchStart", 20), ("touchMove", 40), ("touchMove", 80)):
            touch(kind, (195 - apart, 420), (195 + apart, 420))
        touch("touchEnd")
        assert script(driver, "document.getElementById('plot').cloud.k") > 2 * before
        assert script(driver, "visualViewport.scale") == 1


def test_keyboard_chooses_a_point(driver, served):
    """The list gives the keyboard what a click gives, and the focus goes to the answer."""
    from selenium.webdriver.common.keys import Keys

    driver.get(f"{served}map?run=1")
    reads(driver, "#list", "マサバ")
    found(driver, "#find").send_keys("マサバ", Keys.TAB)
    until(driver, lambda _: script(driver, "document.querySelectorAll('#list tbody tr').length") == 1)
    found(driver, "#list button").send_keys(Keys.ENTER)

    reads(driver, "#chosen-text", "Near マサバ:")
    until(driver, lambda _: script(driver, "document.activeElement.id") == "chosen-title")


def test_colours_are_those_of_the_map(driver, served):
    """A map is coloured by runs that have its items, and by no others."""
    driver.get(f"{served}map?run=8")
    drawn(driver)
    of_photos = script(driver, "[...document.querySelectorAll('#colour option')].map((each) => each.textContent)")
    driver.get(f"{served}map?run=1")
    drawn(driver)
    of_names = script(driver, "[...document.querySelectorAll('#colour option')].map((each) => each.textContent)")

    assert of_photos == ["Label", "Source", "FishImage.Source", "Hash", "Model"]
    assert all(each.endswith("Fish") for each in of_names[2:4])
    assert of_names[4:6] == ["Kanji", "OtherNames"]


def test_map_that_is_not_there(driver, served):
    """A link to a map that is gone says so, and shows the newest."""
    driver.get(f"{served}map?run=999")

    assert "no map of run 999" in reads(driver, "#error", "999")
    drawn(driver)


def test_row_has_one_line(driver, served):
    """The name of a neighbour, a button, stands on the same line as what is beside it."""
    driver.get(f"{served}map?run=1&at=Fish/F002")
    reads(driver, "#chosen-text", "Near ")
    lines = script(
        driver,
        """["button", "td:last-child"].map((part) => {
          const mark = document.createElement("span");
          mark.style.display = "inline-block";  // without a text it stands on the line
          document.querySelector(`#near tbody ${part}`).append(mark);
          return mark.getBoundingClientRect().bottom;
        })""",
    )

    assert lines[0] == pytest.approx(lines[1], abs=0.5)


def test_photos_that_are_near_are_seen(driver, served):
    """Beside a photo that is near stands its thumbnail, which the browser can show."""
    driver.get(f"{served}map?run=8&at=FishImage/saba.png")
    reads(driver, "#near", "Picture")

    widths = "[...document.querySelectorAll('#near img')].map((each) => each.naturalWidth)"
    shown = until(driver, lambda _: min(found := script(driver, widths), default=0) and found)
    assert len(shown) == 5
    assert min(shown) > 20


def test_a_page_draws_a_map_as_the_figures_do(driver, served):
    """The clusters of a map have the colours, the symbols and the order that `--html` gives them."""
    driver.get(f"{served}map?run=1&colour=Clusters:4")
    drawn(driver)
    looks = script(driver, "document.getElementById('plot').cloud.looks.map((look) => [look.colour, look.symbol])")[1:]

    expected = [palette.marker(rank) for rank in range(len(looks))]
    assert len(looks) > 1
    wanted = [[each["color"].lower(), each["symbol"]] for each in expected]
    assert looks == wanted


def test_points_are_drawn_in_their_colours(driver, served):
    """At the place of a point lies a pixel of its colour."""
    driver.get(f"{served}map?run=1&colour=Clusters:4")
    drawn(driver)
    colours = script(
        driver,
        """(({ cloud }) => [...cloud.x.keys()].map((place) => {
          const [x, y] = [cloud.sx[place], cloud.sy[place]].map(Math.round);
          const { data } = cloud.painter.pen.getImageData(x, y, 1, 1);
          const drawn = "#" + [...data].slice(0, 3).map((part) => part.toString(16).padStart(2, "0")).join("");
          return [drawn, cloud.looks[cloud.look[place]].colour];
        }))(document.getElementById("plot"))""",
    )

    right = [drawn_as == wanted for drawn_as, wanted in colours]
    assert len(right) == 100
    assert sum(right) > 80  # others lie over some


def test_photos_are_on_the_map(driver, served):
    """A map of photos shows their pictures, asked for in one request."""
    driver.get(f"{served}map?run=8")
    drawn(driver)
    count = "[...document.getElementById('plot').cloud.pictures.values()].filter(Boolean).length"
    until(driver, lambda _: script(driver, count) > 4)

    sizes = script(driver, "[...plot.cloud.pictures.values()].map((each) => each?.naturalWidth ?? 0)")
    assert max(sizes) > 20
    assert found(driver, "#gallery").find_elements("tag name", "img")


def test_text_finds_photos_on_the_map(driver, served):
    """The one search box finds names as one writes, and photos for a text."""
    from selenium.webdriver.common.keys import Keys

    driver.get(f"{served}map?run=8")
    drawn(driver)
    found(driver, "#find").send_keys("マダコ", Keys.ENTER)

    reads(driver, "#chosen-text", "Photos for")
    assert "madako" in found(driver, "#near").text
    assert "FindImages('マダコ', 20)" in found(driver, "#sql").text


def test_category_is_a_filter(driver, served):
    """A bar of the legend shows its items alone, in the list, on the map and in the SQL."""
    driver.get(f"{served}map?run=1&colour=label")
    drawn(driver)
    name = found(driver, "#bars button span").text
    count = found(driver, "#bars button b").text
    found(driver, "#bars button").click()

    reads(driver, "#summary", f"{count} of 100 items.")
    assert f"%EXACT(p.Label) = '{name}'" in found(driver, "#sql").text
    assert script(driver, "document.getElementById('plot').cloud.back.filter((each) => !each).length") == int(count)


def test_selection_is_saved_and_deleted(driver, served):
    """A bar of a column chooses items, they are saved under a hostile name, its link shows them, and it is deleted."""
    from selenium.webdriver.common.keys import Keys

    name = "<img src=x onerror=alert(1)>"
    driver.get(f"{served}map?run=1&colour=Fish/Model&by=label")
    drawn(driver)
    assert "sketch@" in found(driver, "#bars").text
    found(driver, "#bars > li:nth-child(2) button.bar").click()
    summary = until(driver, lambda _: not (text := found(driver, "#summary").text).startswith("100") and text)

    found(driver, "#selection").send_keys(name, Keys.ENTER)
    reads(driver, "#changed", f"Saved as {name}.")
    driver.get(f"{served}map")
    drawn(driver)
    link = found(driver, "#selections a")
    assert link.text == name
    link.click()
    drawn(driver)
    reads(driver, "#summary", summary)
    found(driver, "#selections button").click()
    until(driver, lambda _: not found(driver, "#saved").is_displayed())


def test_lasso_lists_a_region(driver, served):
    """What is drawn around is listed with a summary, and the link gives the same list."""
    driver.get(f"{served}map?run=1&colour=Clusters:4")
    drawn(driver)
    x, y = place_of(driver, "マダコ")
    found(driver, ".tools button").click()
    drag(driver, [(x - 40, y - 40), (x + 40, y - 40), (x + 40, y + 40), (x - 40, y + 40), (x - 40, y - 38)])
    reads(driver, "#sql", "InRegion")

    summary = reads(driver, "#summary", " of 100 items.")
    listed = found(driver, "#list").text
    assert 1 <= int(summary.split(" ")[0]) < 60
    assert "マダコ" in listed

    driver.get(driver.current_url)
    reads(driver, "#summary", summary)
    assert found(driver, "#list").text == listed
    chosen = "document.getElementById('plot').cloud.back?.filter((each) => !each).length ?? 0"
    until(driver, lambda _: script(driver, chosen) == int(summary.split(" ")[0]))
    assert "MeetUp2025.InRegion(p.X, p.Y, '" in found(driver, "#sql").text

    found(driver, "#all").click()
    reads(driver, "#summary", "100 of 100 items.")
    assert script(driver, chosen) == 0
    assert "lasso=" not in driver.current_url


def test_new_picture_lands_on_the_map(driver, served):
    """A picture is placed near its name, and marked."""
    driver.get(f"{served}map?run=1")
    drawn(driver)
    found(driver, "#file").send_keys(str(SAMPLES / "saba.png"))

    reads(driver, "#chosen-text", "Near your picture:")
    assert "マサバ" in found(driver, "#near").text
    assert script(driver, "document.getElementById('plot').cloud.guest.picture.naturalWidth") > 20


def test_what_is_shown_is_labelled_and_undone(driver, served):
    """All photos that are shown get a label, beside the control stands what happened, and it is undone."""
    driver.get(f"{served}map?run=8&find=saba")
    reads(driver, "#list", "saba.png")
    found(driver, "#label").send_keys("ブリ")
    found(driver, "#naming button").click()
    reads(driver, "#changed", "labelled as ブリ")
    reads(driver, "#sql", "LabelImage('saba.png', 'ブリ')")
    found(driver, "#changed button").click()

    reads(driver, "#changed", "It is as before.")
    reads(driver, "#sql", "LabelImage('saba.png', 'マサバ')")


def test_sql_runs_on_the_page(driver, served):
    """What the SQL box says can be changed, and is run there."""
    driver.get(f"{served}map?run=1&find=マ")
    reads(driver, "#sql", "POSITION")
    found(driver, "#run-sql").click()
    reads(driver, "#answers", "マダコ")
    found(driver, "#answers button").click()

    changed = "SELECT COUNT(*) AS Fishes FROM MeetUp2025.Fish"
    driver.execute_script("document.getElementById('sql').textContent = arguments[0]", changed)
    found(driver, "#run-sql").click()
    assert reads(driver, "#answers", "100").split()[1:3] == ["Fishes", "100"]
    assert faults(driver) == []


@pytest.mark.parametrize("run", [6, 7])
def test_five_thousand_points(driver, served, run):
    """A map of 5,000 points is drawn; its list grows as one asks for more."""
    driver.get(f"{served}map?run={run}")
    drawn(driver)
    assert script(driver, "document.getElementById('plot').cloud.count") == 5000
    found(driver, "#more").click()

    until(driver, lambda _: script(driver, "document.querySelectorAll('#list tbody tr').length") == 200)
    assert faults(driver) == []


@pytest.mark.usefixtures("_browser_there")
def test_first_map_is_made_on_the_page(request, tmp_path):
    """A new database explains what a map is, makes one while the page shows its progress, and opens it."""
    shutil.copy(request.getfixturevalue("_bundled_file"), tmp_path / "new.duckdb")
    with web_server(f"duckdb:///{tmp_path / 'new.duckdb'}") as (_, address), chromium() as driver:
        driver.get(f"{address}map")
        reads(driver, "#make", "what is alike lies near")
        found(driver, "#making button").click()
        reads(driver, "#jobs", "Map, Both:")

        drawn(driver)
        assert "run=1" in driver.current_url
        assert script(driver, "document.getElementById('plot').cloud.count") == 112
        assert faults(driver) == []


# --- hostile names --------------------------------------------------------------------------------------------------

HOSTILE = "</script><img src=x onerror=document.title='owned'>"


@pytest.mark.usefixtures("_browser_there")
def test_hostile_names_are_texts(request, tmp_path):
    """Names and labels with markup and formulas are shown as they are, and nothing of them runs."""
    shutil.copy(request.getfixturevalue("_bundled_file"), tmp_path / "hostile.duckdb")
    url = f"duckdb:///{tmp_path / 'hostile.duckdb'}"
    run = plant_map(url, 2, items=20)
    with meetup2025.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE MeetUp2025.MapPoint SET Name = ?, Label = ? WHERE Run = ?", [HOSTILE, HOSTILE, run])
        connection.commit()
    with web_server(url) as (_, address), chromium() as driver:
        driver.get(f"{address}map?run={run}&find={HOSTILE}")
        drawn(driver)

        assert HOSTILE in found(driver, "#list").text
        assert HOSTILE in found(driver, "#bars").text
        assert "owned" not in driver.title
        assert faults(driver) == []


# --- live -----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_browser_there")
def test_sighting_comes_and_is_corrected(request, tmp_path):
    """An empty page tells the command; what comes is shown, is corrected by the mouse, and a hostile name is a text."""
    shutil.copy(request.getfixturevalue("_bundled_file"), tmp_path / "live.duckdb")
    url = f"duckdb:///{tmp_path / 'live.duckdb'}"
    with web_server(url, "--allow-adding") as (_, address), chromium(390, 844) as driver:
        driver.get(f"{address}live")
        reads(driver, "#empty", "meetup2025 watch FOLDER")
        with meetup2025.connect(url) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT MeetUp2025.AddSighting('samples/saba.png', ?, ?)", [HOSTILE, HOSTILE])
            connection.commit()
        reads(driver, "#list", HOSTILE)
        reads(driver, "#sql", "MeetUp2025.Sightings(")
        assert script(driver, "document.documentElement.scrollWidth") <= 390

        found(driver, "[data-key^=wrong]").click()
        found(driver, "#label").send_keys(HOSTILE[:49])
        found(driver, "#teach").click()
        reads(driver, "#list", HOSTILE[:49])
        reads(driver, "#changed", HOSTILE[:49])
        reads(driver, "#bars", HOSTILE[:9])
        found(driver, "#changed button").click()
        reads(driver, "#changed", "It is as before.")
        reads(driver, "#list", "マサバ")
        assert "owned" not in driver.title
        assert faults(driver) == []


# --- runs -----------------------------------------------------------------------------------------------------------


def test_two_runs_are_compared(driver, served):
    """Two maps stand side by side, and what moved most is listed; its link gives the same."""
    driver.get(f"{served}runs?run=1&other=2")
    reads(driver, "#second", "trustworthiness")
    until(driver, lambda _: found(driver, "#compare").is_enabled())
    found(driver, "#compare").click()
    moved = reads(driver, "#moved", "Items that moved most")

    assert "changes=" in driver.current_url
    driver.get(driver.current_url)
    reads(driver, "#moved", moved)
    assert "ReadChanges" in found(driver, "#sql").text
    assert faults(driver) == []


def test_compared_maps_move_together(driver, served):
    """A map that is moved takes the other with it."""
    driver.get(f"{served}runs?run=1&other=2")
    reads(driver, "#second", "trustworthiness")
    clouds = "[...document.querySelectorAll('.plot')].map((plot) => [plot.cloud?.ox, plot.cloud?.frames > 0])"
    until(driver, lambda _: all(drawn for _, drawn in script(driver, clouds)))
    before = [x for x, _ in script(driver, clouds)]
    box = script(driver, "document.querySelector('.plot').getBoundingClientRect().toJSON()")
    left, top = box["x"] + 100, box["y"] + 100
    drag(driver, [(left, top), (left + 50, top)])

    assert [x for x, _ in script(driver, clouds)] == pytest.approx([x + 50 for x in before], abs=2)


# --- below a path, as inside IRIS -----------------------------------------------------------------------------------


@pytest.fixture
def below(_browser_there: None, _bundled_file: Path, tmp_path: Path) -> Iterator[str]:
    """Address of an application that has a path of its own on a server, as IRIS gives it one."""
    import waitress

    shutil.copy(_bundled_file, tmp_path / "below.duckdb")
    with meetup2025.connect(f"duckdb:///{tmp_path / 'below.duckdb'}"), socket.create_server(("127.0.0.1", 0)) as own:
        application = Application(f"duckdb:///{tmp_path / 'below.duckdb'}")
        server = waitress.create_server(application, sockets=[own], url_prefix="/csp/meetup2025")
        threading.Thread(target=server.run, daemon=True).start()
        yield f"http://127.0.0.1:{own.getsockname()[1]}/csp/meetup2025"
        server.task_dispatcher.shutdown()


def test_application_works_below_a_path(driver, below):
    """Links, scripts, cookies and requests stay below the path of the application, which needs no slash at its end."""
    driver.get(below)
    found(driver, "#file").send_keys(str(SAMPLES / "saba.png"))
    reads(driver, "#verdict", "マサバ")
    found(driver, "nav a[href=map]").click()
    reads(driver, "#make", "what is alike lies near")

    assert driver.current_url == f"{below}/map"
    assert {cookie["path"] for cookie in driver.get_cookies()} == {"/csp/meetup2025/"}
    assert faults(driver) == []


# --- every page -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_language_switch_keeps_the_state(driver, served, page):
    """The other language shows the same, by a link."""
    driver.get(f"{served}{page}")
    until(driver, lambda _: len(found(driver, "#sql").text) > 10)
    before = found(driver, "#sql").text
    found(driver, "[data-language=ja]").click()

    until(driver, lambda _: script(driver, "document.documentElement.lang") == "ja")
    reads(driver, "#sql", before)
    assert found(driver, "#sql-title").text == "このページのSQL"


@pytest.mark.parametrize("page", ["", "map", "runs"])
def test_pages_come_from_here_alone(driver, served, page):
    """A page asks no other machine for anything."""
    driver.get(f"{served}{page}")
    until(driver, lambda _: script(driver, "document.readyState") == "complete")
    names = script(driver, "performance.getEntriesByType('resource').map((each) => each.name)")

    assert [name for name in names if not name.startswith((served, "blob:", "data:"))] == []
    assert faults(driver) == []


def test_first_page_is_there_in_a_second(driver, served):
    """The first page is complete within a second."""
    driver.get(served)
    until(driver, lambda _: script(driver, "performance.getEntriesByType('navigation')[0].loadEventEnd > 0"))

    assert script(driver, "performance.getEntriesByType('navigation')[0].loadEventEnd") < 1000


@pytest.mark.parametrize("page", PAGES)
def test_phone_needs_no_sideways_scrolling(served, page):
    """On a telephone of 375 pixels everything fits its width, also beside the columns that taught photos bring."""
    with chromium(375, 812, "ja", "dark") as driver:
        teach(driver, served)
        driver.get(f"{served}{page}")
        until(driver, lambda _: len(found(driver, "#sql").text) > 10)

        assert script(driver, "document.documentElement.scrollWidth") <= 375
        assert script(driver, "document.documentElement.lang") == "ja"
        assert faults(driver) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible(served, scheme):
    """axe-core finds nothing that matters on any page, in light and dark."""
    if not AXE.is_file():
        pytest.skip("no axe-core: npm install --no-save axe-core")
    with chromium(scheme=scheme) as driver:
        for page in PAGES:
            driver.get(f"{served}{page}")
            until(driver, lambda _: len(found(driver, "#sql").text) > 10)
            driver.execute_script(AXE.read_text("utf-8"))
            result = driver.execute_async_script("axe.run().then(arguments[0])")
            serious = [
                (page, each["id"], [node["target"] for node in each["nodes"]])
                for each in result["violations"]
                if each["impact"] != "minor"
            ]
            assert serious == []
