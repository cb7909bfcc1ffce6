"""Figures as files: pages that need no network, pictures by a browser, and never half a file."""

from __future__ import annotations

import importlib.util
import os
import re
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from browser import needs_browser, opened
from PIL import Image

from meetup2025 import figures, images
from meetup2025.errors import DataError, MissingExtraError, OperationalError
from meetup2025.figures import files, maps

if TYPE_CHECKING:
    from pathlib import Path

ROWS = [("Fish", str(n), f"サカナ{n}", "アジ科", n % 5, n // 5, None) for n in range(20)]
DEEP = [(*row[:6], n % 3) for n, row in enumerate(ROWS)]
PIXEL = images.thumbnail(Image.new("RGB", (4, 3), "red"))
HOVER = """
for (const place of ["0", "1", "2", "3"]) {
    plot.emit("plotly_hover", {points: [{customdata: ["Fish", place]}]});
    document.body.append(document.createElement("hr"), document.getElementById("thumbnail").cloneNode());
}
"""
FETCHING = ("src", "href", "action", "data", "poster", "srcset")


class Tags(HTMLParser):
    """Collects the tags of a page with their attributes, and the text of its title."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.title = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a tag."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Keep the title."""
        if self.tags and self.tags[-1][0] == "title" and not self.title:
            self.title = data


def parsed(page: str) -> Tags:
    """Read a page."""
    tags = Tags()
    tags.feed(page)
    return tags


def fetched(page: str) -> list[str]:
    """Give the addresses that a browser would fetch for the tags and styles of a page."""
    found = [str(value) for _, each in parsed(page).tags for name, value in each.items() if name in FETCHING]
    styles = "".join(re.findall(r"<style>(.*?)</style>", page, re.DOTALL))
    found += re.findall(r"url\((.*?)\)", styles) + re.findall(r"@import.*", styles)
    return [each for each in found if not each.startswith("data:")]


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """Page of a flat map."""
    path = tmp_path / "map.html"
    figures.write_html(figures.map(ROWS, title="地図"), path, "地図 <1>", lang="ja")
    return path


def test_page_says_what_it_is(page: Path) -> None:
    """A page has a title, a language and an encoding."""
    tags = parsed(page.read_text("utf-8"))

    assert tags.title == "地図 <1>"
    assert ("html", {"lang": "ja"}) in tags.tags
    assert ("meta", {"charset": "utf-8"}) in tags.tags


def test_page_fetches_nothing(page: Path) -> None:
    """No tag of a page has an address, and a policy forbids its scripts to fetch any."""
    text = page.read_text("utf-8")
    [policy] = [each["content"] for _, each in parsed(text).tags if "http-equiv" in each]

    assert fetched(text) == []
    assert str(policy).startswith("default-src 'none'")
    assert "http" not in str(policy)
    assert "connect-src" not in str(policy)


@pytest.mark.parametrize("tag", ['<script src="https://cdn.example/x.js">', "<style>@import 'x.css';</style>"])
def test_rule_of_fetching_finds_its_breach(tag: str) -> None:
    """The rule sees a script and a style from elsewhere."""
    assert len(fetched(tag)) == 1


def test_page_is_light_and_dark(page: Path) -> None:
    """A page has a template for either, which differ in paper and ink."""
    text = page.read_text("utf-8")

    assert "prefers-color-scheme: dark" in text
    assert '"paper_bgcolor": "#ffffff"' in text
    assert '"paper_bgcolor": "#161616"' in text


def test_names_do_not_end_the_script(tmp_path: Path) -> None:
    """A name that closes a script element stays a name."""
    figure = figures.map([("Fish", "</script><b>", "</script><i>", "", 0, 0, None)])
    figures.write_html(figure, tmp_path / "a.html", "</title><s>")

    tags = {tag for tag, _ in parsed((tmp_path / "a.html").read_text("utf-8")).tags}
    assert not tags & {"b", "i", "s"}


def test_five_thousand_items_fit_a_page(tmp_path: Path) -> None:
    """A page of five thousand items has at most 10 MB."""
    rows = [("FishImage", f"{n}.jpg", f"写真{n}.jpg", f"魚{n % 30}", n % 71, n // 71, None) for n in range(5000)]
    figures.write_html(figures.map(rows), tmp_path / "big.html")

    assert (tmp_path / "big.html").stat().st_size < 10_000_000


def test_page_is_replaced(page: Path) -> None:
    """A file that is there is replaced, and nothing else is left in the folder."""
    figures.write_html(figures.map(ROWS[:1]), page, "other")

    assert parsed(page.read_text("utf-8")).title == "other"
    assert [*page.parent.glob("*.html"), *page.parent.glob(".*")] == [page]


def test_page_behind_a_link_is_replaced(page: Path) -> None:
    """Where a link is given, the file that it means is replaced, and the link stays."""
    link = page.parent / "link"
    link.symlink_to(page)
    figures.write_html(figures.map(ROWS[:1]), link, "other")

    assert link.is_symlink()
    assert parsed(page.read_text("utf-8")).title == "other"


def test_pipe_is_written_into(tmp_path: Path) -> None:
    """A pipe gets the page, and is a pipe afterwards: nothing that is no file is removed."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as thread:
        reader = thread.submit(pipe.read_text, "utf-8")
        figures.write_html(figures.map(ROWS[:1]), pipe, "into")

    assert parsed(reader.result()).title == "into"
    assert pipe.is_fifo()
    assert [*tmp_path.iterdir()] == [pipe]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="a device is made by root")
def test_device_stays_a_device(tmp_path: Path) -> None:
    """A device stays a device: as root, a rename would remove it."""
    device = tmp_path / "null"
    try:
        os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(1, 3))
        device.write_bytes(b"")
    except OSError:
        pytest.skip("this file system takes no devices")
    figures.write_html(figures.map(ROWS[:1]), device)

    assert device.is_char_device()


def test_no_half_file(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where writing fails the old file stays whole, and there is no other."""
    before = page.read_bytes()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        figures.write_html(figures.map(ROWS[:1]), page)

    assert page.read_bytes() == before
    assert [*page.parent.glob("*map.html*"), *page.parent.glob(".*")] == [page]


@pytest.mark.parametrize("write", [figures.write_html, figures.write_png])
@pytest.mark.parametrize(
    ("name", "message"), [("none/a.html", "folder of a picture must exist"), (".", "which is a folder")]
)
def test_where_no_file_can_be(write: Any, name: str, message: str, tmp_path: Path) -> None:
    """A file in a folder that does not exist, and a folder, are refused."""
    with pytest.raises(DataError, match=message):
        write(figures.map(ROWS), tmp_path / name)

    assert list(tmp_path.iterdir()) == []


def test_no_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a browser and kaleido the error says what to install."""
    monkeypatch.setattr(files, "_BROWSERS", ("no-such-browser",))
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

    with pytest.raises(MissingExtraError, match=r"install Chromium .* or pip install kaleido; or write HTML"):
        figures.write_png(figures.map(ROWS), tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands for the browser")
@pytest.mark.parametrize(("script", "said"), [("echo no display >&2; exit 5", "ended with 5.*no display"), ("", "0")])
def test_browser_that_fails(script: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser that fails, or draws nothing, is an error with what it said, and there is no file."""
    browser = tmp_path / "chromium"
    browser.write_text(f"#!/bin/sh\n{script}\n")
    browser.chmod(0o755)
    monkeypatch.setattr(files, "_BROWSERS", (str(browser),))

    with pytest.raises(OperationalError, match=said):
        figures.write_png(figures.map(ROWS), tmp_path / "a.png")
    assert [*tmp_path.iterdir()] == [browser]


def test_kaleido_where_there_is_no_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a browser kaleido draws, at the same size; where it cannot, the error has its reason."""
    asked: list[dict[str, Any]] = []
    figure = figures.map(ROWS)
    monkeypatch.setattr(files, "_BROWSERS", ("no-such-browser",))
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: object())
    monkeypatch.setattr(type(figure), "to_image", lambda _, **given: asked.append(given) or b"picture")
    figures.write_png(figure, tmp_path / "a.png")

    def failing(_: Any, **_given: Any) -> bytes:
        raise RuntimeError("it needs\nChrome")

    monkeypatch.setattr(type(figure), "to_image", failing)
    with pytest.raises(OperationalError, match="It could not: it needs Chrome"):
        figures.write_png(figure, tmp_path / "b.png")

    assert asked == [{"format": "png", "width": 1200, "height": 800, "scale": 2}]
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("a.png", b"picture")]


@needs_browser
def test_flat_page_opens_without_a_network(page: Path, tmp_path: Path) -> None:
    """A browser without a network draws each item and the labels, and has nothing to complain of."""
    document, said = opened(page, tmp_path / "profile")
    layers = re.findall(r'<g class="points">(.*?)</g>', document)

    assert sum(layer.count("<path") for layer in layers) == len(ROWS)
    assert "サカナ0" in document
    assert not re.search("Content Security Policy|Uncaught|ERR_", said)


@needs_browser
@pytest.mark.parametrize(("scheme", "paper"), [(0, "rgb(22, 22, 22)"), (1, "rgb(255, 255, 255)")])
def test_page_is_as_the_browser_is(scheme: int, paper: str, page: Path, tmp_path: Path) -> None:
    """The paper of a figure is dark where the browser prefers that, and light elsewhere."""
    document, _ = opened(page, tmp_path / "profile", f"--blink-settings=preferredColorScheme={scheme}")
    [drawn] = re.findall(r'<svg class="main-svg"[^>]*style="[^"]*background: ?([^;"]*)', document)

    assert drawn == paper


@needs_browser
def test_deep_page_opens_without_a_network(tmp_path: Path) -> None:
    """A browser without a network draws a map in space on a canvas."""
    figures.write_html(figures.map(DEEP), tmp_path / "deep.html")
    document, said = opened(tmp_path / "deep.html", tmp_path / "profile")
    drawn = re.sub(r"<script.*?</script>", "", document, flags=re.DOTALL)

    assert re.search(r"<canvas[^>]* width=", drawn)
    assert "WebGL" not in drawn
    assert not re.search("Content Security Policy|Uncaught|ERR_", said)


@needs_browser
@pytest.mark.parametrize("rows", [ROWS, DEEP], ids=["flat", "deep"])
def test_hover_shows_the_thumbnail(rows: list[Any], tmp_path: Path) -> None:
    """The mouse on a point shows the thumbnail that it has; never an address, which would be fetched."""
    given = dict(enumerate(["", "https://example.org/a.png", PIXEL, ""]))
    items = [{**dict(zip(maps.COLUMNS, row, strict=True)), "thumbnail": given.get(n)} for n, row in enumerate(rows)]
    figures.write_html(figures.map(items), tmp_path / "map.html")
    page = (tmp_path / "map.html").read_text("utf-8")
    (tmp_path / "map.html").write_text(page.replace("</body>", f"<script>{HOVER}</script></body>"), "utf-8")
    document, said = opened(tmp_path / "map.html", tmp_path / "profile")
    shown = [re.findall(r"<img [^>]*>", after)[0] for after in document.split("<hr>")[1:]]

    assert [" hidden" not in tag for tag in shown] == [False, False, True, False]
    assert PIXEL in shown[2]
    assert not any("https:" in tag for tag in shown)
    assert not re.search("Content Security Policy|Uncaught|ERR_", said)


@needs_browser
@pytest.mark.parametrize("rows", [ROWS, DEEP])
def test_png(rows: list[Any], tmp_path: Path) -> None:
    """A picture has two pixels per unit, white paper to its very edges, and something on it."""
    figures.write_png(figures.map(rows), tmp_path / "a.png", width=1000)

    with Image.open(BytesIO((tmp_path / "a.png").read_bytes())) as opened_picture:
        picture = opened_picture.convert("RGB")
    assert picture.size == (2000, 1600)
    assert picture.getpixel((3, 1597)) == (255, 255, 255)
    assert len(picture.getcolors(1_000_000)) > 20
