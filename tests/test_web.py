"""The web application, called as WSGI has it: pages, rows, rights, limits, headers, languages."""

from __future__ import annotations

import ast
import hashlib
import html
import importlib.util
import json
import re
import shutil
import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import iris_doubles
import numpy as np
import pytest
from click.testing import CliRunner
from iris_doubles import Server
from pictures import corners, encoded, noise
from PIL import Image
from web_calls import SAMPLES, Browser, analyse, web_server

import meetup2025
from meetup2025.cli import main
from meetup2025.cli.metrics import Metrics
from meetup2025.embedding import confidence
from meetup2025.engines.classes import parse_class
from meetup2025.engines.classes.program import class_folder
from meetup2025.engines.duckdb import DuckDBConnection
from meetup2025.errors import InterfaceError
from meetup2025.web import Application, answers, application, files, reading, statements, texts
from meetup2025.web.jobs import Jobs
from meetup2025.web.request import LANGUAGE, LANGUAGES, TOKEN, WebRequest
from meetup2025.web.server import address_of

if TYPE_CHECKING:
    from collections.abc import Iterator

WEB = Path(application.__file__).parent
SABA = (SAMPLES / "saba.png").read_bytes()
LOCAL = frozenset({"localhost"})


@pytest.fixture(scope="module")
def fitted(_bundled_file: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, int]]:
    """Database file with names, photos and analyses, and the numbers of the runs."""
    path = tmp_path_factory.mktemp("fitted") / "fitted.duckdb"
    shutil.copy(_bundled_file, path)
    return path, analyse(f"duckdb:///{path}")


@pytest.fixture
def runs(fitted: tuple[Path, dict[str, int]]) -> dict[str, int]:
    """Numbers of the runs."""
    return fitted[1]


@pytest.fixture
def url(fitted: tuple[Path, dict[str, int]], tmp_path: Path) -> Iterator[str]:
    """Database of the test alone; it stays open, as the command keeps it."""
    shutil.copy(fitted[0], tmp_path / "web.duckdb")
    address = f"duckdb:///{tmp_path / 'web.duckdb'}"
    with meetup2025.connect(address):
        yield address


@pytest.fixture
def browser(url: str) -> Browser:
    """Browser of an application that takes photos."""
    return Browser(Application(url, adding=True, hosts=LOCAL))


def asked(url: str, sql: str) -> list[tuple[Any, ...]]:
    """Run a statement in a connection of its own."""
    with meetup2025.connect(url) as connection, connection.cursor() as cursor:
        return cursor.execute(sql).fetchall()


# --- identify -------------------------------------------------------------------------------------------------------


def test_picture_is_named(browser):
    """A picture that is sent gets names in kana, kanji and English, the best first."""
    answer = browser.post("/api/identify", SABA).json()

    first = answer["names"][0]
    columns = ("fishid", "name", "kanji", "english")
    assert [first[each] for each in columns] == ["F002", "マサバ", "真鯖", "chub mackerel"]
    assert [each["score"] for each in answer["names"]] == sorted(
        (each["score"] for each in answer["names"]), reverse=True
    )
    assert answer["only_drawings"] is True


def test_shown_sql_gives_what_is_shown(browser, url):
    """The statement that is shown, run elsewhere, gives the names that are shown."""
    answer = browser.post("/api/identify", SABA).json()

    assert [row[1] for row in asked(url, answer["sql"])] == [each["name"] for each in answer["names"]]


def test_two_pictures_are_open_at_once(url, monkeypatch):
    """Eight small files of many pixels that come together are decoded two at once: each takes half a gigabyte."""
    from meetup2025 import images

    decode, open_now, most = images._decode, [], []
    waiting = threading.Barrier(2)

    def counted(*given: Any) -> Any:
        open_now.append(1)
        most.append(len(open_now))
        waiting.wait(30)  # two are open: a third would be counted
        try:
            return decode(*given)
        finally:
            open_now.pop()

    monkeypatch.setattr(images, "_decode", counted)
    application_ = Application(url, adding=True, hosts=LOCAL)
    with ThreadPoolExecutor(8) as threads:
        replies = list(threads.map(lambda _: Browser(application_).post("/api/identify", encoded(corners())), range(8)))

    assert [reply.status for reply in replies] == [200] * 8
    assert max(most) == 2


def test_sample_is_named_by_its_link(browser):
    """A sample picture is named without sending it, and its statement is short."""
    answer = browser.get("/api/sample?name=saba.png").json()

    assert answer["names"][0]["name"] == "マサバ"
    assert answer["sql"].startswith("CALL MeetUp2025.Identify('samples/saba.png', 5)")


@pytest.mark.parametrize("name", ["", "../settings.json", "labels.csv", "nothing.png"])
def test_other_files_are_no_samples(browser, name):
    """Only the sample pictures can be asked for by name."""
    assert browser.get(f"/api/sample?name={name}").status == 400
    assert browser.get(f"/samples/{name}").status == 404


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "zero bytes"),
        (b"not a picture", "must be one of JPEG"),
        (encoded(noise(200, 200), "JPEG")[:3000], "broken"),
        (SABA[:-2000], "broken"),
    ],
)
def test_bad_picture_is_a_message(browser, body, says):
    """What is no whole picture gives a message that says why, and no trace."""
    reply = browser.post("/api/identify", body)

    assert reply.status == 400
    assert reply.json()["error"] == "wrong_input"
    assert says in reply.json()["detail"]


def test_large_picture_is_refused_unread(browser):
    """A body above the limit of pictures is refused by its length."""
    reply = browser.post("/api/identify", b"few bytes", CONTENT_LENGTH="200000000")

    assert reply.status == 413
    assert reply.json()["error"] == "too_large"


def test_body_without_a_length_is_refused(browser):
    """A picture must say how long it is."""
    assert browser.post("/api/identify", b"", CONTENT_LENGTH="").status == 411


def test_large_photo_fits_a_statement(browser):
    """A photo of 12 megapixels is shrunk, so that its statement can be copied."""
    answer = browser.post("/api/identify", encoded(corners(4000, 3000), "JPEG")).json()

    assert 1000 < len(answer["sql"]) < 280_000


# --- how sure -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("group", "verdict"),
    [
        ({"kind": "species", "sure": 1, "english": "chub mackerel"}, "sure_species"),
        ({"kind": "species", "sure": 0, "english": "chub mackerel"}, "not_sure"),
        ({"kind": "family", "sure": 1, "english": "mackerel"}, "sure_group"),
        ({"kind": "genus", "sure": 1, "english": None}, "sure_taxon"),
        ({"kind": "none", "sure": 1, "english": None}, "none_of_these"),
        ({"kind": "species", "sure": None, "english": None}, ""),
    ],
)
def test_the_sentence_comes_from_sure(group, verdict):
    """How sure the first row of IdentifyGroup is, and of what, is the sentence of the page, in both languages."""
    assert answers._verdict([group]) == verdict
    assert all(not verdict or verdict in texts.texts(language) for language in ("en", "ja"))


@pytest.mark.parametrize("change", ["turned", "grey", "band"])
def test_changed_sample_is_not_sure(browser, change):
    """A sample that is turned or grey, and a black band, are not called sure, though their best cosine is high."""
    saba = Image.open(BytesIO(SABA)).convert("RGB")
    changed = {
        "turned": saba.transpose(Image.Transpose.ROTATE_90),
        "grey": saba.convert("L").convert("RGB"),
        "band": Image.new("RGB", (2000, 100)),
    }[change]

    assert browser.post("/api/identify", encoded(changed)).json()["verdict"] == "unsure"


def test_what_is_taught_is_in_the_next_answer(browser):
    """A photo with a name that a user gives is known from then on."""
    before = browser.post("/api/identify", SABA).json()["names"][0]
    browser.post("/api/add?label=アジ", SABA)
    after = browser.post("/api/identify", SABA).json()["names"]

    taught = next(each for each in after if each["name"] == "マアジ")
    assert (before["photos"], before["by"]) == (0, "name")
    assert (taught["photos"], taught["by"]) == (2, "both")
    assert taught["nearest"].startswith("web-")


# --- adding ---------------------------------------------------------------------------------------------------------


def test_right_name_adds_the_photo(browser, url):
    """A photo whose name a user confirms is in the table with that label, once."""
    first = browser.post("/api/add?label=マサバ", SABA).json()
    again = browser.post("/api/add?label=マサバ", SABA).json()

    name = f"web-{hashlib.sha256(SABA).hexdigest()[:16]}"
    assert (first["changed"], again["changed"]) == (1, 0)
    assert asked(url, f"SELECT Label FROM MeetUp2025.FishImage WHERE Name = '{name}'") == [("マサバ",)]


def test_a_word_of_ones_own_is_a_label(browser):
    """A word that is no name of the catalogue is a label like any other, and the next answer knows it."""
    added = browser.post("/api/add?label=うちの池の主", SABA).json()
    names = browser.post("/api/identify", SABA).json()["names"]

    assert (added["changed"], added["label"]) == (1, "うちの池の主")
    assert ("うちの池の主", "photos", 1) in [(each["name"], each["by"], each["photos"]) for each in names]


def test_a_photo_is_marked_as_none_of_these(browser, url):
    """A photo of none of the names has no label, and is marked once for the next fit of a recogniser."""
    first, again = (browser.post("/api/none", SABA).json() for _ in range(2))
    marked = "SELECT Name, Label FROM MeetUp2025.FishImage JOIN MeetUp2025.Mark ON Item = Name WHERE Labels = 'none'"

    assert (first["changed"], again["changed"]) == (1, 0)
    assert asked(url, marked) == [(first["name"], None)]


@pytest.mark.parametrize("label", ["", "　", "x" * 101])
def test_label_must_be_seen_and_fit(browser, url, label):
    """A label of blanks, or one that the table cannot hold, adds nothing."""
    before = asked(url, "SELECT COUNT(*) FROM MeetUp2025.FishImage")

    assert browser.post(f"/api/add?label={label}", SABA).status == 400
    assert asked(url, "SELECT COUNT(*) FROM MeetUp2025.FishImage") == before


def test_adding_is_off_unless_allowed(url):
    """Without leave nothing is added, and the page offers nothing."""
    browser = Browser(Application(url, hosts=LOCAL))

    assert browser.post("/api/add?label=マサバ", SABA).status == 403
    assert 'data-adding="no"' in browser.get("/").text
    assert asked(url, "SELECT COUNT(*) FROM MeetUp2025.FishImage WHERE Name LIKE 'web-%'") == [(0,)]


# --- maps and runs --------------------------------------------------------------------------------------------------


def map_of(browser: Browser, run: int) -> list[dict[str, Any]]:
    """Give the points of a map as rows."""
    columns = browser.get(f"/api/map?run={run}").json()["columns"]
    decoded = {
        name: [column["values"][place] for place in column["places"]] if isinstance(column, dict) else column
        for name, column in columns.items()
    }
    return [dict(zip(decoded, row, strict=True)) for row in zip(*decoded.values(), strict=True)]


def test_map_has_every_item(browser, runs):
    """A map has a place for each name, and says which statement gave them."""
    answer = browser.get(f"/api/map?run={runs['map']}").json()
    points = map_of(browser, runs["map"])

    assert len({point["item"] for point in points}) == answer["total"] == 100
    assert set(points[0]) == {"source", "item", "name", "label", "x", "y"}
    assert f"FROM MeetUp2025.SampleMap({runs['map']}, 50000)" in answer["sql"]


def test_nearest_are_those_by_vector(browser, url):
    """The neighbours of an item are those of its vector, not those of the picture of the map."""
    near = browser.get("/api/near?source=Fish&item=F002&within=Fish").json()

    like = asked(url, "SELECT Name FROM MeetUp2025.FishLike('マサバ', 5)")
    assert [(row["name"],) for row in near["near"]] == like
    assert len(like) == 5
    assert asked(url, near["sql"])[0][2] == near["near"][0]["name"]


def test_near_photos_are_seen(browser):
    """Photos that are near have their thumbnails, and so has the item itself; names have none."""
    answer = browser.get("/api/near?source=FishImage&item=saba.png&within=Both&k=30").json()

    assert answer["picture"].startswith("data:image/jpeg;base64,")
    kinds = {(row["source"], row["picture"][:16]) for row in answer["near"]}
    assert kinds == {("Fish", ""), ("FishImage", "data:image/jpeg;")}


def query_of(asks: Any) -> str:
    """Write a query of names and values; the browser quotes it."""
    return "&".join(f"{name}={value}" for name, value in (asks.items() if isinstance(asks, dict) else asks))


SHOWN = [
    ({}, lambda _: True),
    ({"find": "マ"}, lambda point: "マ" in point["name"]),
    ({"find": "scomb"}, lambda point: "scomb" in (point["label"] or "").lower()),
    ({"keep": '["label","Carangidae"]'}, lambda point: point["label"] == "Carangidae"),
    ({"region": "-100,-100;100,-100;0,5"}, lambda point: point["y"] < 5 - abs(point["x"]) * 1.05),
    ({"find": "%' OR 1=1 --"}, lambda _: False),
]


@pytest.mark.parametrize(("asks", "wanted"), SHOWN, ids=["all", "name", "label", "value", "region", "hostile"])
def test_what_is_shown_is_its_sql(browser, url, runs, asks, wanted):
    """Region, search and category are conditions of the statement that is shown; it has the same items and counts."""
    query = query_of({"run": runs["map"], "colour": "label", **asks})
    answer = browser.get(f"/api/items?{query}").json()

    expected = {point["item"] for point in map_of(browser, runs["map"]) if wanted(point)}
    assert {row["item"] for row in answer["items"]} == expected
    assert {row[1] for row in asked(url, answer["sql"])} == expected
    counts = {row["value"]: row["items"] for row in answer["counts"]["label"]}
    assert answer["total"] == len(expected)
    assert sum(counts.values()) == (100 if "keep" in asks else len(expected))


@pytest.mark.parametrize("kind", ["clusters", "outliers"])
def test_colour_of_a_run_is_counted(browser, runs, kind):
    """The items of each cluster, and the odd ones, are counted over the whole map."""
    colour = f"{kind.title()}:{runs[kind]}"
    answer = browser.get(f"/api/items?run={runs['map']}&colour={colour}").json()

    counts = answer["counts"][colour]
    assert sum(row["items"] for row in counts) == 100
    keep = json.dumps([colour, str(counts[0]["value"])])
    one = browser.get("/api/items?" + query_of({"run": runs["map"], "colour": colour, "keep": keep})).json()
    assert one["total"] == counts[0]["items"]


def test_column_of_the_source_is_a_colour(browser, url, runs):
    """Any column colours the map: each point has its value, and what a bar keeps is as many as the bar counts."""
    columns = {row["name"]: row["key"] for row in browser.get("/api/colours?source=fish").json()["columns"]}
    assert {"Kanji", "English", "Model"} <= {*columns}
    assert not {"FishID", "Name", "Family", "Features"} & {*columns}

    asks = {"run": runs["map"], "colour": columns["English"]}
    coloured = browser.get("/api/colour?" + query_of(asks)).json()
    values = [coloured["values"]["values"][place] for place in coloured["values"]["places"]]
    english = dict(asked(url, "SELECT FishID, English FROM MeetUp2025.Fish"))
    assert values == [english[point["item"]] for point in map_of(browser, runs["map"])]
    counts = browser.get("/api/items?" + query_of(asks)).json()["counts"][columns["English"]]
    keep = json.dumps([columns["English"], counts[0]["value"]], ensure_ascii=False)
    assert browser.get("/api/items?" + query_of({**asks, "keep": keep})).json()["total"] == counts[0]["items"]


def test_column_of_numbers_is_a_scale(browser, url):
    """Numbers are counted in ranges of a round width, and a range keeps as many items as it counts, edges too."""
    numbers = [place / 10 for place in range(12)]
    with meetup2025.connect(url) as connection, connection.cursor() as cursor:
        rows = np.random.default_rng(5).normal(size=(12, 8))
        columns = {"id": [f"i{place:02}" for place in range(12)], "emb": rows, "weight": numbers}
        meetup2025.load_table(connection, columns, "Weighed")
        cursor.execute("SELECT MeetUp2025.FitMap('Weighed', 2)")
        [(run,)] = cursor.fetchall()
        connection.commit()
    asks = {"run": run, "colour": "Weighed/weight"}

    coloured = browser.get("/api/colour?" + query_of(asks)).json()
    counts = browser.get("/api/items?" + query_of(asks)).json()["counts"]["Weighed/weight"]

    assert coloured["numbers"] == numbers
    assert coloured["values"] is None
    assert sum(row["items"] for row in counts) == 12
    for row in counts:
        kept = {**asks, "keep": json.dumps(["Weighed/weight", row["value"]])}
        assert browser.get("/api/items?" + query_of(kept)).json()["total"] == row["items"]


def test_bars_filter_each_other(browser, runs):
    """A kept value counts for the bars of the other colours, and not for its own."""
    asks = [("run", runs["map"]), ("colour", "label"), ("by", "Fish/Model"), ("keep", '["label","Carangidae"]')]
    counts = browser.get("/api/items?" + query_of(asks)).json()["counts"]

    of_label = {row["value"]: row["items"] for row in counts["label"]}["Carangidae"]
    assert [row["items"] for row in counts["Fish/Model"]] == [of_label]
    assert sum(row["items"] for row in counts["label"]) == 100


def test_selection_is_saved(browser, url, runs):
    """What is shown is saved under a name, read in SQL, listed with its link, and deleted again."""
    asks = {"run": runs["map"], "colour": "label", "find": "マ", "name": "<b>マ</b>", "link": "run=1"}
    expected = {point["item"] for point in map_of(browser, runs["map"]) if "マ" in point["name"]}

    made = browser.post("/api/save?" + query_of(asks), b"").json()
    assert {row[1] for row in asked(url, made["sql"])} == expected
    [saved] = browser.get("/api/saved").json()["saved"]
    assert (saved["run"], saved["name"], saved["items"]) == (made["run"], "<b>マ</b>", len(expected))
    assert saved["link"] == asks["link"]
    assert asked(url, f"SELECT Pinned FROM MeetUp2025.Runs() WHERE Run = {made['run']}") == [(1,)]
    refused = browser.post(f"/api/forget?run={runs['map']}", b"")
    assert refused.status == 400
    assert browser.post(f"/api/forget?run={made['run']}", b"").status == 200
    assert browser.get("/api/saved").json()["saved"] == []


@pytest.mark.parametrize(
    "asks",
    [{"name": " "}, {"name": "x" * 51}, {"name": "x", "find": "nothing has this"}, {"name": "x", "link": "x" * 3001}],
)
def test_selection_that_is_refused(browser, runs, asks):
    """A selection without a name or without items, or with too long words, is refused in a sentence."""
    reply = browser.post("/api/save?" + query_of({"run": runs["map"], "colour": "label", **asks}), b"")

    assert reply.status == 400
    assert "must" in reply.json()["detail"]


@pytest.mark.parametrize(
    "query",
    [
        *("colour=label:3", "colour=Clusters", "colour=x", "colour=Fish/Features", "colour=Birds/x"),
        *("colour=label&keep=x", 'colour=label&keep=["x","y"]', 'colour=label&keep=["Clusters:4","x"]'),
    ],
)
def test_colour_must_be_one_of_a_map(browser, runs, query):
    """Another colour is refused in a sentence."""
    reply = browser.get(f"/api/items?run={runs['map']}&{query}")

    assert reply.status == 400
    assert "must" in reply.json()["detail"]


def test_what_is_shown_is_a_file(browser, runs):
    """The items are a CSV file for spreadsheets, all of them."""
    reply = browser.get(f"/api/items.csv?run={runs['map']}&colour=label&find=マ")

    lines = reply.body.decode("utf-8-sig").splitlines()
    assert lines[0] == "source,item,name,label"
    assert all("マ" in line for line in lines[1:])
    assert len(lines) > 5
    assert reply.headers["Content-Type"] == "text/csv; charset=utf-8"


def test_what_is_shown_is_a_parquet_file(browser, runs, tmp_path):
    """The items are a Parquet file too."""
    reply = browser.get(f"/api/items.parquet?run={runs['map']}&colour=label&find=マ")

    (tmp_path / "items.parquet").write_bytes(reply.body)
    read = duckdb.read_parquet(str(tmp_path / "items.parquet"))
    assert read.columns == ["source", "item", "name", "label"]
    assert len(read) == len(browser.get(f"/api/items?run={runs['map']}&colour=label&find=マ").json()["items"])


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx"])
def test_no_cell_is_a_formula(text):
    """A text that a spreadsheet would compute is written as a text."""
    assert answers._plain_cell(text) == f"'{text}"
    assert answers._plain_cell(-1.5) == -1.5


def test_text_finds_photos(browser):
    """A text finds photos, with their thumbnails, by a statement that is shown."""
    answer = browser.get("/api/find?find=マダコ&k=3").json()

    assert len(answer["found"]) == 3
    assert answer["found"][0]["label"] == "マダコ"
    assert answer["found"][0]["picture"].startswith("data:image/jpeg")
    assert answer["sql"] == "CALL MeetUp2025.FindImages('マダコ', 3)"


def test_pictures_come_in_the_order_of_their_names(browser):
    """Thumbnails are asked for by name; one that is not there is empty."""
    shown = browser.get("/api/pictures?item=saba.png&item=no.png&item=maaji.jpg").json()["pictures"]

    assert [bool(each) for each in shown] == [True, False, True]


def test_large_map_is_a_random_part(browser, runs, monkeypatch):
    """Of a map that is too large to draw, a part of it comes, and its total."""
    monkeypatch.setattr(answers, "_POINTS", 30)

    assert len(map_of(browser, runs["map"])) == 30
    assert browser.get(f"/api/map?run={runs['map']}").json()["total"] == 100


def test_placed_picture_is_near_its_name(browser, runs):
    """A picture lands near the name that it shows; its nearest are those by vector, and the statements are shown."""
    answer = browser.post(f"/api/place?run={runs['map']}&within=Fish", SABA).json()

    point = next(each for each in map_of(browser, runs["map"]) if each["name"] == "マサバ")
    assert np.hypot(point["x"] - answer["place"][0], point["y"] - answer["place"][1]) < 1.5
    assert answer["near"][0]["name"] == "マサバ"
    assert len(answer["near"]) == 5
    assert "PlaceOf" in answer["sql"]
    assert "Identify" in answer["sql"]


# --- labels and marks -----------------------------------------------------------------------------------------------


def changed(browser: Browser, what: str, *items: tuple[str, str, Any]) -> Any:
    """Ask for a change."""
    return browser.post("/api/change", json.dumps({"what": what, "items": items}).encode())


def test_labels_are_changed_and_undone(browser, url):
    """Photos get a label at once, and what the answer says was there before brings it back."""
    query = "SELECT Name, Label FROM MeetUp2025.ImageCatalogue() WHERE Name IN ('saba.png', 'maaji.jpg') ORDER BY Name"
    before = asked(url, query)
    answer = changed(browser, "label", ("FishImage", "saba.png", "鰤"), ("FishImage", "maaji.jpg", "")).json()
    assert asked(url, query) == [("maaji.jpg", None), ("saba.png", "ブリ")]
    assert "LabelImage('saba.png', '鰤')" in answer["sql"]

    changed(browser, "label", *answer["before"])
    assert asked(url, query) == before


def test_marks_are_made_and_undone(browser, url):
    """Items are marked as odd for the tests of detectors, and the marks can be taken away."""
    query = "SELECT Source, Item, Odd FROM MeetUp2025.Mark WHERE Labels = 'web'"
    answer = changed(browser, "odd", ("Fish", "F001", 1), ("Fish", "F002", 1)).json()
    assert sorted(asked(url, query)) == [("Fish", "F001", 1), ("Fish", "F002", 1)]

    changed(browser, "odd", *answer["before"])
    assert asked(url, query) == []


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"x", b"[]", b'{"what": "label"}', b'{"what": "x", "items": [["FishImage", "saba.png", "a"]]}'),
        *(b'{"what": "label", "items": []}', b'{"what": "label", "items": [["Fish", "F001", "a"]]}'),
        b'{"what": "label", "items": [["FishImage", "saba.png", "b"], ["FishImage", "no.png", "b"]]}',
    ],
)
def test_change_that_cannot_be(browser, url, body):
    """A change that is not understood, or cannot be made for one item, is refused, and nothing is changed."""
    reply = browser.post("/api/change", body)

    assert reply.status == 400
    assert "must" in reply.json()["detail"]
    assert asked(url, "SELECT Label FROM MeetUp2025.ImageCatalogue() WHERE Name = 'saba.png'") == [("マサバ",)]


def test_changes_are_off_unless_allowed(url):
    """Without leave to add photos, nobody changes a label."""
    assert changed(Browser(Application(url, hosts=LOCAL)), "odd", ("Fish", "F001", 1)).status == 403


# --- SQL of the user ------------------------------------------------------------------------------------------------


@pytest.fixture
def reader(url: str) -> Browser:
    """Browser of an application that runs statements that only read."""
    return Browser(Application(url, reading=True, hosts=LOCAL))


def test_statements_are_run_on_the_page(reader, runs):
    """The statements of a page, changed or not, give their columns and their first rows."""
    sql = f"SELECT Name FROM MeetUp2025.ReadMap({runs['map']});\nSELECT TOP 1 Kind, Created FROM MeetUp2025.Runs()"
    first, second = reader.post("/api/sql", sql.encode()).json()["answers"]

    assert (first["columns"], len(first["rows"]), first["more"]) == (["Name"], 100, False)
    assert len(second["rows"]) == 1
    many = reader.post("/api/sql", b"SELECT a.Name FROM MeetUp2025.Fish a, MeetUp2025.Fish b").json()["answers"][0]
    assert (len(many["rows"]), many["more"]) == (200, True)


@pytest.mark.parametrize(
    "sql",
    [
        *("DELETE FROM MeetUp2025.Fish", "DROP TABLE MeetUp2025.Fish", "CALL MeetUp2025.Map('Fish', 2)", "COMMIT"),
        *("SELECT MeetUp2025.FitMap('Fish', 2)", "SELECT 1; SELECT MeetUp2025.addimage('a', 'samples/saba.png', '')"),
        "SELECT Name FROM MeetUp2025.Fish WHERE EXISTS (SELECT MeetUp2025.DeleteRun(1))",
    ],
)
def test_statements_that_write_are_refused(reader, url, sql):
    """Nothing that writes is run from a page."""
    before = asked(url, "SELECT COUNT(*), MAX(Run) FROM MeetUp2025.Runs()")
    reply = reader.post("/api/sql", sql.encode())

    assert reply.status == 400
    assert "must" in reply.json()["detail"]
    assert asked(url, "SELECT COUNT(*), MAX(Run) FROM MeetUp2025.Runs()") == before


def test_statements_are_for_this_machine(browser):
    """A server for others runs no statements of theirs."""
    assert browser.post("/api/sql", b"SELECT 1").status == 403


def test_what_writes_is_known():
    """Each function that the roles of the installation hold back from users begins as one that writes."""
    setup = parse_class((class_folder() / "MeetUp2025" / "Setup.cls").read_text("utf-8")).parameters

    names = [*str(setup["ADMINISTRATOR"]).split(","), *str(setup["WRITING"]).split(",")]
    assert [name for name in names if not reading.WRITES.match(name)] == []


# --- what is made here ----------------------------------------------------------------------------------------------


def test_sources_can_be_analysed(browser):
    """What has vectors is offered, and names and photos together."""
    assert browser.get("/api/sources").json()["sources"] == ["Both", "Fish", "FishImage"]


def test_groups_are_made_from_the_page(url):
    """What a page asks for is made, and has a run."""
    page = Browser(Application(url, at_once=True))
    made = page.post("/api/fit?kind=clusters&source=Fish").json()

    assert (made["state"], made["message"]) == ("done", "")
    assert asked(url, f"SELECT Kind FROM MeetUp2025.Runs() WHERE Run = {made['run']}") == [("Clusters",)]
    assert page.get("/api/jobs").json()["jobs"][0]["run"] == made["run"]


def test_what_cannot_be_made_is_a_message(url):
    """A source that does not exist fails in a sentence; another kind is refused."""
    page = Browser(Application(url, at_once=True))

    failed = page.post("/api/fit?kind=map&source=Nothing").json()
    assert failed["state"] == "failed"
    assert "A source must be" in failed["message"]
    assert page.post("/api/fit?kind=x&source=Fish").status == 400
    assert page.post("/api/cancel?job=99").status == 400


def test_jobs_wait_and_are_cancelled():
    """One job runs at a time: the second waits, and both can be cancelled; nothing of them is stored."""
    begun, ended = threading.Event(), threading.Event()

    class Connection:
        """A connection that works until it is interrupted."""

        def __enter__(self):
            return self

        def __exit__(self, *_: object) -> None:
            ended.set()

        def cursor(self) -> None:
            begun.set()
            while True:
                pass

    jobs = Jobs(Connection)
    first = jobs.start("map", "Fish")
    assert begun.wait(30)
    second = jobs.start("map", "Fish")
    assert (first.state, second.state) == ("running", "waiting")

    jobs.cancel(second.job)
    jobs.cancel(first.job)
    for job in (first, second):
        job.thread.join(30)
    assert (first.state, second.state) == ("cancelled", "cancelled")
    assert ended.is_set()
    assert [job.job for job in jobs.listed()] == [second.job, first.job]


def test_place_has_as_many_numbers_as_the_map(browser, runs):
    """On a map of three dimensions a picture has three coordinates."""
    assert len(browser.post(f"/api/place?run={runs['deep']}", SABA).json()["place"]) == 3


def test_colours_have_every_item(browser, runs):
    """Groups with their names, and outlier scores, are there for each point of the map."""
    groups = browser.get(f"/api/colour?run={runs['map']}&colour=Clusters:{runs['clusters']}").json()
    scores = browser.get(f"/api/colour?run={runs['map']}&colour=Outliers:{runs['outliers']}").json()

    assert len(groups["values"]["places"]) == len(scores["values"]["places"]) == len(scores["numbers"]) == 100
    assert {str(value) for value in groups["values"]["values"]} == {*groups["names"]}


def test_runs_are_listed(browser, runs):
    """Every stored run is listed, newest first, with parameters that are JSON."""
    listed = browser.get("/api/runs").json()["runs"]

    assert [each["run"] for each in listed] == sorted(runs.values(), reverse=True)
    assert json.loads(listed[-1]["parameters"])["dimensions"] == 2
    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d", listed[0]["created"])


def test_run_has_metrics(browser, runs):
    """A map says how faithful it is."""
    answer = browser.get(f"/api/run?run={runs['map']}").json()

    assert {each["name"] for each in answer["metrics"]} >= {"trustworthiness", "continuity"}
    assert answer["changed"] is False


def test_compared_runs_say_what_moved(browser, runs):
    """Two maps of one source are compared, and the run that says how they differ can be read by its link."""
    made = browser.post(f"/api/compare?run={runs['map']}&other={runs['narrow']}").json()
    answer = browser.get(f"/api/changes?run={made['run']}").json()

    moved = [each["moved"] for each in answer["moved"]]
    assert len(moved) == 30
    assert moved == sorted(moved, reverse=True)


@pytest.mark.parametrize(
    "path",
    [
        *("/api/map?run=99", "/api/map?run=x", "/api/map", "/api/map?run=0", "/api/map?run=１"),
        *("/api/near?run=1&x=nan", "/api/near?run=1&k=101"),
    ],
)
def test_wrong_question_is_a_message(browser, path):
    """A run that is not there, or no number, is told in a sentence."""
    reply = browser.get(path)

    assert reply.status == 400
    assert "must" in reply.json()["detail"]


def test_long_query_is_no_fault(browser):
    """A query of very many fields is read like any other."""
    assert browser.get("/api/runs?" + "&".join(f"a{n}=1" for n in range(2000))).status == 200


def test_run_of_another_kind_is_refused(browser, runs):
    """Groups are no map."""
    assert browser.get(f"/api/map?run={runs['clusters']}").status == 400


# --- many at once, and faults ---------------------------------------------------------------------------------------


def test_two_users_at_once(url, runs):
    """Users that name, add and read at the same time all get their answers."""
    application = Application(url, adding=True, hosts=LOCAL)
    pictures = [(SAMPLES / name).read_bytes() for name in ("saba.png", "madako.png", "maaji.jpg", "iseebi.png")]
    names = ["マサバ", "マダコ", "マアジ", "イセエビ"]
    together = threading.Barrier(8)

    def visit(place: int) -> tuple[str, int]:
        browser = Browser(application)
        picture = pictures[place % 4]
        together.wait()
        found = browser.post("/api/identify", picture).json()["names"][0]["name"]
        added = browser.post(f"/api/add?label={names[place % 4]}", picture).status
        browser.get(f"/api/map?run={runs['map']}")
        return found, added

    with ThreadPoolExecutor(8) as pool:
        visits = list(pool.map(visit, range(8)))

    assert visits == [(name, 200) for name in names * 2]
    assert asked(url, "SELECT COUNT(*) FROM MeetUp2025.FishImage WHERE Name LIKE 'web-%'") == [(4,)]


def test_empty_database_is_a_message(tmp_path):
    """Without names there is nothing to compare with, and that is said."""
    browser = Browser(Application(f"duckdb:///{tmp_path / 'empty.duckdb'}"))

    assert browser.post("/api/identify", SABA).status == 400
    assert browser.get("/api/runs").json()["runs"] == []


def test_lost_database_is_a_message(tmp_path):
    """A database that cannot be opened gives 503, and the page itself still comes."""
    (tmp_path / "no.duckdb").write_bytes(b"this is no database" * 100)
    browser = Browser(Application(f"duckdb:///{tmp_path / 'no.duckdb'}"))

    assert browser.get("/api/runs").status == 503
    assert browser.get("/").status == 200


def test_fault_is_no_trace(browser, monkeypatch, caplog):
    """A fault of the program goes to the log, and tells the user nothing of its insides."""
    monkeypatch.setitem(answers.ANSWERS, "/api/runs", ("GET", lambda *_: 1 / 0))

    reply = browser.get("/api/runs")

    assert (reply.status, reply.json()["detail"]) == (500, "The log of the server has more.")
    assert "ZeroDivisionError" in caplog.text


# --- operation ------------------------------------------------------------------------------------------------------


def test_health(url, tmp_path):
    """The health tells whether the database can be opened; a file of another program will be free again."""
    browser = Browser(Application(url))
    assert browser.get("/healthz").json() == {"status": "ok", "database": "free"}
    (tmp_path / "broken.duckdb").write_bytes(b"no database")
    assert Browser(Application(f"duckdb:///{tmp_path / 'broken.duckdb'}")).get("/healthz").status == 503


def test_metrics(url):
    """The numbers count the answers by path and status, and tell the rows; without them there is no such page."""
    browser = Browser(Application(url, metrics=Metrics(["/api/runs"])))
    browser.get("/api/runs")
    page = browser.get("/metrics").body.decode()

    assert 'meetup2025_requests_total{method="GET",path="/api/runs",status="200"} 1.0' in page
    assert 'meetup2025_rows{table="Fish"} 100.0' in page
    assert Browser(Application(url)).get("/metrics").status == 404


def test_another_model_is_unavailable(url):
    """A server of another model than that of the database is not the fault of its user, and is in the log."""
    with meetup2025.connect(url, autocommit=True) as connection:
        connection.cursor().execute("UPDATE MeetUp2025.Fish SET Model = 'other@1'")
    lines = []
    reply = Browser(Application(url, log=lines.append)).post("/api/identify", SABA)

    assert (reply.status, reply.json()["error"]) == (503, "unavailable")
    assert (lines[-1].fields["status"], "other@1" in lines[-1].fields["notes"]) == (503, True)


# --- security -------------------------------------------------------------------------------------------------------

POSTS = [path for path, (method, _) in answers.ANSWERS.items() if method == "POST"]


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "headers",
    [
        {"HTTP_X_CSRF_TOKEN": ""},
        {"HTTP_X_CSRF_TOKEN": "another"},
        {"HTTP_COOKIE": ""},
        {"HTTP_SEC_FETCH_SITE": "cross-site"},
        {"HTTP_SEC_FETCH_SITE": "same-site"},
    ],
)
def test_change_needs_the_token_of_a_page(browser, path, headers):
    """A request that another site's page sends is refused."""
    assert browser.post(f"{path}?run=1&other=2&label=マサバ", SABA, **headers).status == 403


@pytest.mark.parametrize("path", answers.ANSWERS)
def test_method_must_be_right(browser, path):
    """What changes something is no link, and what reads takes no POST."""
    method, _ = answers.ANSWERS[path]

    reply = browser.get(path) if method == "POST" else browser.post(path)

    assert reply.status == 405


def test_hostile_cookies():
    """A quarter of a megabyte of backslashes, for which http.cookies takes minutes, hides no cookie beside it."""
    hostile = 'a="' + "\\x" * 120_000 + '"'
    request = WebRequest({"REQUEST_METHOD": "GET", "HTTP_COOKIE": f"{hostile}; {LANGUAGE}=ja; {TOKEN}={'t' * 32}"})

    assert (request.language, request.token) == ("ja", "t" * 32)


@pytest.mark.parametrize("value", ['"a\\012Set-Cookie: x=1"', '"<script>"', "short", "x" * 33])
def test_planted_token_is_replaced(browser, value):
    """A cookie that this application cannot have set goes into no page and no header."""
    reply = browser.get("/", HTTP_COOKIE=f"meetup2025_csrf={value}")

    assert re.fullmatch(r"[\w-]{32}", reply.cookies["meetup2025_csrf"])
    assert '<script>"' not in reply.text


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "evil.example:8080", ""])
def test_foreign_name_is_refused(browser, host):
    """A name that somebody has pointed at this machine is refused (DNS rebinding)."""
    assert browser.get("/api/runs", HTTP_HOST=host).status == 421


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:8080", "[::1]:8080", "192.168.0.2"])
def test_own_names_and_addresses_are_served(browser, host):
    """The names that the server has are served, and addresses, which no name can stand for."""
    assert browser.get("/", HTTP_HOST=host).status == 200


@pytest.mark.parametrize(
    "path", ["/", "/map", "/runs", "/api/runs", "/static/web.css", "/nothing", "/samples/saba.png"]
)
def test_every_answer_is_shut_in(browser, path):
    """Every answer forbids frames, foreign content and guesses of types; no script is inline."""
    headers = browser.get(path).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))

    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert set(policy["script-src"].split()) <= (
        {"'self'", "'unsafe-eval'"} if path in {"/map", "/runs"} else {"'self'"}
    )
    assert not re.search(r"https?:|\*", headers["Content-Security-Policy"])
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_cookies_stay_with_the_site(browser):
    """Cookies are sent to this site alone, and over TLS only where the page came so; no script reads the token."""
    plain = browser.get("/?lang=ja").headers["Set-Cookie"]
    secure = browser.get("/", **{"wsgi.url_scheme": "https"}).headers["Set-Cookie"]

    assert "SameSite=Strict" in plain
    assert "Secure" not in plain
    assert "Secure; HttpOnly" in secure


@pytest.mark.parametrize("page", application.PAGES)
def test_pages_have_nothing_of_others(browser, page):
    """Pages, scripts and styles load nothing from elsewhere, have no inline script, and link relatively."""
    text = browser.get(page).text
    links = re.findall(r'(?:src|href)="([^"]*)"', text)

    assert [link for link in links if link.startswith(("/", "http"))] == []
    assert re.findall(r"<script(?![^>]*(?:src=|application/json))", text) == []
    assert re.findall(r"\son\w+=|style=", text) == []


@pytest.mark.parametrize("file", sorted((WEB / "static").iterdir()), ids=lambda file: file.name)
def test_files_have_no_addresses(file):
    """No script or style knows an address of another machine, or makes HTML of text."""
    text = file.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")

    assert re.findall(r"https?://|innerHTML|insertAdjacentHTML|\beval\(|document\.write", text) == []


@pytest.mark.parametrize(
    "path", ["/static/../answers.py", "/static/answers.py", "/static/", "/samples/labels.csv", "/pages/map.html"]
)
def test_no_other_file_is_served(browser, path):
    """Only scripts, styles and samples are files."""
    assert browser.get(path).status == 404


def test_sql_is_not_made_of_input():
    """Each statement that is run is a constant of `statements` or `live`."""
    tree = ast.parse((WEB / "answers.py").read_text("utf-8"))
    asking = {"rows", "value", "_of_picture"}
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) in asking]

    assert len(calls) > 10
    given = {ast.unparse(call.args[1]) for call in calls} - {"statement"}  # the parameter of _of_picture
    assert [each for each in given if not each.startswith(("statements.", "live."))] == []


@pytest.mark.parametrize(
    ("sql", "given", "text"),
    [
        ("SELECT F(?, ?)", (1, "it's"), "SELECT F(1, 'it''s')"),
        ("SELECT F(?)", ("a?b",), "SELECT F('a?b')"),
        ("SELECT F(?, ?)", (None, -0.5), "SELECT F(NULL, -0.5)"),
        ("SELECT 1", (), "SELECT 1"),
    ],
)
def test_shown_statement(sql, given, text):
    """A statement is shown with its values as SQL writes them."""
    assert statements.shown(sql, *given) == text


# --- live -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def sighted(url: str) -> str:
    """Database with a sighting of a mackerel, and one of a file that is no picture."""
    with meetup2025.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT MeetUp2025.AddSighting('samples/saba.png', 'a.png', 'quay')")
        cursor.execute("SELECT MeetUp2025.AddSighting('nothing', 'b.png', 'it''s')")
        connection.commit()
    return url


def test_sightings_are_listed_and_counted(browser, sighted):
    """What is listed and counted is what the shown statements find, for each choice; the pictures come by number."""
    choices = ["", "sure=fault", "find=サバ", "source=it's", "days=1", "find=%'x", "sure=fault&source=quay&days=7"]
    found = {choice: browser.get(f"/api/sightings?{choice}").json() for choice in choices}

    assert [[row["filename"] for row in each["sightings"]] for each in found.values()] == (
        [["b.png", "a.png"], ["b.png"], ["a.png"], ["b.png"], ["b.png", "a.png"], [], []]
    )
    for each in found.values():
        listing, counts = each["sql"].split(";\n")
        assert [row[0] for row in asked(sighted, listing)] == [row["sighting"] for row in each["sightings"]]
        assert [row[2] for row in asked(sighted, counts)] == [row["items"] for row in each["counts"]]
        assert each["sources"] == ["it's", "quay"]
        assert each["any"] is True
    number = found["find=サバ"]["sightings"][0]["sighting"]
    assert browser.get(f"/api/glimpses?sighting={number}").json()["pictures"][str(number)].startswith("data:image/")


@pytest.mark.parametrize("wrong", ["sightings?sure=x", "sightings?days=-1", "glimpses", "glimpses?sighting=1;x"])
def test_wrong_choice_of_sightings(browser, wrong):
    """A choice that is none is refused with a sentence."""
    assert browser.get(f"/api/{wrong}").status == 400


def test_correction_teaches_and_is_taken_back(browser, sighted):
    """A correction makes a labelled photo; taken back, the sighting and the photos are as before."""
    state = (
        "SELECT Label, (SELECT COUNT(*) FROM MeetUp2025.FishImage) FROM MeetUp2025.Sighting WHERE FileName = 'a.png'"
    )
    number = asked(sighted, "SELECT %ID FROM MeetUp2025.Sighting WHERE FileName = 'a.png'")[0][0]
    [before] = asked(sighted, state)
    told = [browser.post(f"/api/correct?sighting={number}&label={label}").json() for label in ("蛸", "ブリ", "マダコ")]
    assert [(each["before"], each["label"]) for each in told] == [
        ("", "マダコ"),
        ("マダコ", "ブリ"),
        ("ブリ", "マダコ"),
    ]
    assert asked(sighted, state) == [("マダコ", before[1] + 1)]

    again = browser.post(f"/api/correct?sighting={number}&label=").json()
    assert (again["before"], again["label"]) == ("マダコ", "")
    assert asked(sighted, state) == [before]
    assert browser.post(f"/api/correct?sighting={number}&label=").json()["sql"] == ""


def test_correction_is_refused(url, browser, sighted):
    """Where nothing may be added nothing is corrected, nor a sighting that is none or no picture."""
    number = asked(sighted, "SELECT %ID FROM MeetUp2025.Sighting WHERE FileName = 'b.png'")[0][0]

    assert Browser(Application(url, hosts=LOCAL)).post("/api/correct?sighting=1&label=ブリ").status == 403
    assert [browser.post(f"/api/correct?sighting={each}&label=ブリ").status for each in (999, number)] == [400, 400]


# --- pages and languages --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", application.PAGES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_are_filled(browser, page, language):
    """Each page is there in each language, with every text filled in."""
    text = browser.get(f"{page}?lang={language}").text

    assert f'<html lang="{language}">' in text
    assert "{{" not in re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    assert html.escape(texts.texts(language)[f"{application.PAGES[page]}_title"]) in text


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("ja", "ja"),
        ("ja-JP,en;q=0.5", "ja"),
        ("en,ja", "en"),
        ("fr,ja;q=0.2,en;q=0.9", "en"),
        ("de", "en"),
        ("ja;q=x,en;q=0.1", "en"),
    ],
)
def test_language_is_what_the_browser_asks_for(browser, accepted, language):
    """Without a choice the language is that of Accept-Language, by its weights."""
    assert f'<html lang="{language}">' in browser.get("/", HTTP_ACCEPT_LANGUAGE=accepted).text


def test_chosen_language_stays(browser):
    """A language that was chosen is kept on the next page."""
    browser.get("/?lang=ja", HTTP_ACCEPT_LANGUAGE="en")

    assert '<html lang="ja">' in browser.get("/map", HTTP_ACCEPT_LANGUAGE="en").text


def used_texts() -> set[str]:
    """Give the keys that pages, scripts and answers name."""
    pages = "".join(path.read_text("utf-8") for path in (WEB / "pages").iterdir())
    scripts = "".join(path.read_text("utf-8") for path in (WEB / "static").glob("*.js"))
    keys = set(re.findall(r"\{\{(\w+)\}\}", pages)) | set(re.findall(r'(?<!\w)text\(\s*"(\w+)"', scripts))
    keys |= {key for pair in re.findall(r'(?<!\w)text\([^"]*?\? "(\w+)" : "(\w+)"', scripts) for key in pair}
    return keys - {"language", "page", "token", "adding", "reading", "largest", "palette", "samples", "texts", "title"}


def test_no_text_is_missing():
    """Each text that a page or script names is in the table, and none is empty in either language."""
    assert used_texts() - set(texts.texts("en")) == set()
    assert [key for language in LANGUAGES for key, value in texts.texts(language).items() if not value] == []


def test_no_text_is_left_over():
    """Each text of the table is used: by a page, by a script, or as what an answer says."""
    modules = [*WEB.glob("*.py"), *WEB.glob("static/*.js"), Path(confidence.__file__)]
    said = "".join(path.read_text("utf-8") for path in modules if path.name != "texts.py")
    begun = tuple(re.findall(r"text\(`(\w+_)\$", said))
    said_keys = {key for key in texts.texts("en") if f'"{key}"' in said or key.startswith(begun)}
    titles = {f"{name}_title" for name in application.PAGES.values()}

    assert set(texts.texts("en")) - used_texts() - said_keys - titles - {"Clusters", "Outliers"} == set()


def test_languages_fill_in_the_same():
    """A text has the same blanks in both languages."""
    english, japanese = (
        {key: sorted(re.findall(r"\{(\w+)\}", text)) for key, text in texts.texts(language).items()}
        for language in LANGUAGES
    )

    assert english == japanese


def test_texts_cannot_end_their_script():
    """Texts stand in a script element, which no text can end."""
    assert files._script_json("</script>") == '"\\u003c/script>"'


def test_first_page_is_small(browser):
    """The first page with its scripts and styles has less than 300 kB."""
    text = browser.get("/").text
    links = [*re.findall(r'(?:src|href)="(static/[^"]*)"', text), "static/common.js"]

    assert len(text.encode()) + sum(len(browser.get(f"/{link}").body) for link in links) < 300_000


def test_known_file_is_not_sent_again(browser):
    """A file that the browser has is not sent again."""
    tag = browser.get("/static/web.css").headers["ETag"]

    assert browser.get("/static/web.css", HTTP_IF_NONE_MATCH=tag).status == 304


def test_head_has_no_body(browser):
    """HEAD has the headers of GET alone."""
    reply = browser.get("/", method="HEAD")

    assert (reply.status, reply.body) == (200, b"")


def test_answers_are_compressed_for_who_reads_it(browser, runs):
    """A long answer is compressed, and is the same."""
    path = f"/api/map?run={runs['map']}"
    plain, packed = browser.get(path), browser.get(path, HTTP_ACCEPT_ENCODING="gzip, br")

    assert packed.json() == plain.json()
    assert int(packed.headers["Content-Length"]) < int(plain.headers["Content-Length"]) / 2


def test_application_has_a_slash_at_its_end(browser):
    """The bare path of the application leads to its first page, so that relative links work behind IRIS."""
    reply = browser.get("", SCRIPT_NAME="/csp/meetup2025")

    assert (reply.status, reply.headers["Location"]) == (302, "meetup2025/")


# --- inside IRIS: a double of its process -----------------------------------------------------------------------------


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """Browser of what IRIS imports, in a process that is a double, with names and no photos."""
    monkeypatch.setattr(sys, "path", [*sys.path, str(WEB / "wsgi"), str(WEB)])
    with DuckDBConnection() as database, iris_doubles.installed(iris_doubles.process_module(Server(database))):
        with database.cursor() as cursor:
            cursor.execute("SELECT MeetUp2025.LoadNames('catalogue/fish.csv')")
        database.commit()
        module = importlib.import_module("meetup2025_wsgi")
        yield Browser(module.application, HTTP_HOST="iris.example:52773", SCRIPT_NAME="/csp/meetup2025")
    sys.modules.pop("meetup2025_wsgi")


def test_application_inside_iris_names_a_picture(inside):
    """Inside IRIS the process itself is the database, and the web server in front knows the names of the machine."""
    assert inside.get("/").status == 200
    assert inside.post("/api/identify", SABA).json()["names"][0]["name"] == "マサバ"
    assert inside.get("/api/runs").json()["runs"] == []


def test_application_inside_iris_adds_nothing(inside):
    """Inside IRIS photos are loaded by administrators alone."""
    assert inside.post("/api/add?label=マサバ", SABA).status == 403


def test_module_of_iris_is_nobody_elses():
    """IRIS imports the module by its name: no other module of the path may have it, and nothing in it is relative."""
    [path] = (WEB / "wsgi").glob("*.py")

    assert importlib.util.find_spec(path.stem) is None
    assert "from ." not in path.read_text("utf-8")


# --- the command ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "listen", ["http://127.0.0.1:8080", "http://localhost:0", "http://[::1]:80/", "http://127.8.8.8:1"]
)
def test_loopback_needs_no_leave(listen):
    """Addresses of this machine alone are taken."""
    assert address_of(listen, network=False)[1] in {0, 1, 80, 8080}


@pytest.mark.parametrize(
    "listen", ["http://0.0.0.0:8080", "http://192.168.0.2:80", "http://example.com:80", "http://[::]:80"]
)
def test_other_addresses_need_leave(listen):
    """An address that other machines reach must be allowed."""
    with pytest.raises(InterfaceError, match="--allow-network"):
        address_of(listen, network=False)

    assert address_of(listen, network=True)[1] in {80, 8080}


@pytest.mark.parametrize(
    "listen", ["", "8080", "https://127.0.0.1:1", "http://127.0.0.1", "http://127.0.0.1:99999", "http://127.0.0.1:1/x"]
)
def test_listen_must_be_an_address(listen):
    """Anything else says what it must be like."""
    with pytest.raises(InterfaceError, match="--listen must be like"):
        address_of(listen, network=True)


def test_database_in_memory_is_refused():
    """A database that each request would have anew is of no use."""
    done = CliRunner().invoke(main, ["web", "--url", "duckdb://"])

    assert (done.exit_code, "use a file" in done.output) == (3, True)


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\n"])
def test_silent_connections(fitted, tmp_path, sent):
    """A class of browsers that keep their connections, or send half a request, keeps no other browser waiting."""
    shutil.copy(fitted[0], tmp_path / "own.duckdb")
    with web_server(f"duckdb:///{tmp_path / 'own.duckdb'}") as (_, address):
        host, _, port = address.removeprefix("http://").strip("/").rpartition(":")
        silent = [socket.create_connection((host, int(port))) for _ in range(120)]
        for each in silent:
            each.sendall(sent)
        with closing(HTTPConnection(host, int(port))) as connection:
            connection.request("GET", "/")
            assert connection.getresponse().status == 200
        for each in silent:
            each.close()


def test_server_answers_and_ends(fitted, tmp_path):
    """The command tells its address, serves it with threads, refuses what is too large, and ends at SIGTERM."""
    shutil.copy(fitted[0], tmp_path / "own.duckdb")
    with web_server(f"duckdb:///{tmp_path / 'own.duckdb'}") as (server, address):
        with closing(HTTPConnection(address.removeprefix("http://").strip("/"))) as connection:
            connection.request("GET", "/api/runs")
            assert json.loads(connection.getresponse().read())["runs"]
            connection.putrequest("POST", "/api/identify")
            connection.putheader("Content-Length", "200000000")
            connection.endheaders()
            assert connection.getresponse().status == 413
        server.terminate()
        assert server.wait(60) == 0


def test_address_in_use_is_told(url):
    """An address that another server has is an error in one line."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        done = CliRunner().invoke(main, ["web", "--url", url, "--listen", address])

    assert (done.exit_code, "must be free" in done.output) == (3, True)


def test_limit_is_that_of_pictures(browser):
    """The browser refuses what the server would: pictures above the same size."""
    assert f'data-largest="{files.LARGEST_PICTURE}"' in browser.get("/").text
