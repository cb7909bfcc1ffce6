"""Pictures on the command line: --html and --png, what they show, and what they refuse."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from browser import needs_browser
from click.testing import CliRunner, Result
from pictures import corners, encoded

import meetup2025
from meetup2025.cli import main
from meetup2025.figures import files

if TYPE_CHECKING:
    from collections.abc import Sequence

MARK = """
INSERT INTO MeetUp2025.Mark (Labels, Source, Item, Odd)
SELECT 'mine', 'Fish', FishID, CASE WHEN FishID > 'F090' THEN 1 ELSE 0 END FROM MeetUp2025.Fish"""
SAMPLES = Path(meetup2025.__file__).parent / "samples"


@pytest.fixture(autouse=True)
def _full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, _bundled_file: Path) -> None:
    """Give each test a database with the bundled names and samples, in the current folder."""
    shutil.copy(_bundled_file, tmp_path / "fish.duckdb")
    monkeypatch.setenv("MEETUP2025_URL", f"duckdb:///{tmp_path / 'fish.duckdb'}")
    monkeypatch.chdir(tmp_path)


def run(*arguments: object) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(main, [str(each) for each in arguments])


def sql(statement: str, given: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Run a statement on the database of the test."""
    with meetup2025.connect(autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(statement, given)
        return cursor.fetchall() if cursor.description else []


def drawn(*arguments: object) -> dict[str, Any]:
    """Run a command with --html, and give the data and the layout of its figure."""
    done = run(*arguments, "--html", "figure.html")
    assert done.exit_code == 0, done.stderr
    assert "wrote figure.html" in done.stderr
    return figure_of(Path("figure.html").read_text("utf-8"))


def figure_of(page: str) -> dict[str, Any]:
    """Read the figure that a page holds."""
    start = re.search(r'Plotly\.newPlot\(\s*"figure",\s*', page)
    assert start
    reader = json.JSONDecoder()
    data, end = reader.raw_decode(page, start.end())
    layout, _ = reader.raw_decode(page, re.compile(r",\s*").match(page, end).end())
    return {"data": data, "layout": layout}


def points(figure: dict[str, Any]) -> list[Any]:
    """Give the key of each point."""
    return [each[1] for trace in figure["data"] for each in trace["customdata"]]


def test_map() -> None:
    """A map is drawn in place of rows, each item once, with the kanji of names."""
    done = run("map", "Fish", "-d", 2, "--html", "map.html")
    figure = figure_of(Path("map.html").read_text("utf-8"))

    assert done.stdout == ""
    assert len(set(points(figure))) == 100
    assert "真鯖" in json.dumps(figure, ensure_ascii=False)
    assert figure["layout"]["title"]["text"] == "Map of Fish"
    assert "trustworthiness" in figure["layout"]["title"]["subtitle"]["text"]


def test_map_by_clusters_and_outliers() -> None:
    """A map is coloured by the groups of a run, or by its scores."""
    run("clusters", "Fish", "-n", 4)
    run("outliers", "Fish", "--contamination", 0.1)

    by_clusters = drawn("map", "Fish", "-d", 2, "--clusters", 1)
    by_scores = drawn("map", "Fish", "-d", 2, "--outliers", 2)

    assert [trace["name"][:2] for trace in by_clusters["data"]] == ["1 ", "2 ", "3 ", "4 "]
    assert sorted(points(by_scores)) == sorted(points(by_clusters))
    assert {trace["name"]: len(trace["x"]) for trace in by_scores["data"]} == {"odd": 10, "not odd": 90}


def test_clusters() -> None:
    """Groups are the colours of the newest map, or lines of their items."""
    run("map", "Fish", "-d", 2)
    on_map = drawn("clusters", "Fish", "-n", 5)
    by_distance = drawn("clusters", "Fish", "-n", 5, "--distances")

    assert [trace["name"][:2] for trace in on_map["data"]] == ["1 ", "2 ", "3 ", "4 ", "5 "]
    assert "on the map of run 1" in on_map["layout"]["title"]["subtitle"]["text"]
    assert len(by_distance["data"]) == 5
    assert sorted(points(by_distance)) == sorted(points(on_map))
    assert len(json.loads(run("runs", "--kind", "Map", "--format", "json").stdout)) == 1


@pytest.mark.usefixtures("_japanese")
def test_titles_in_the_language_of_the_user() -> None:
    """The title, an axis and the page are in Japanese where the user is."""
    run("clusters", "Fish", "-n", 3, "--distances", "--html", "a.html")
    page = Path("a.html").read_text("utf-8")
    figure = figure_of(page)

    assert '<html lang="ja">' in page
    assert figure["layout"]["title"]["text"] == "Fishのクラスター"
    assert figure["layout"]["xaxis"]["title"]["text"] == "中心からの距離"


def test_elbow() -> None:
    """The star is at the number that the run chose."""
    figure = drawn("elbow", "Fish", "--to", 12)
    chosen = sql("SELECT Clusters, Choice FROM MeetUp2025.ReadElbow(1) WHERE Choice IN ('elbow', 'both')")

    assert [trace["x"] for trace in figure["data"] if trace["name"] == "elbow"] == [[chosen[0][0]]]


def test_outliers() -> None:
    """All scores are drawn, however few rows are asked for, and the threshold of the run."""
    figure = drawn("outliers", "Fish", "-k", 3)
    [(threshold,)] = sql("SELECT Value FROM MeetUp2025.ReadMetrics(1) WHERE Name = 'threshold'")

    assert sum(len(trace["x"]) for trace in figure["data"] if trace["type"] == "histogram") == 100
    assert {shape["x0"] for shape in figure["layout"]["shapes"]} == {threshold}


def test_detectors_and_curves() -> None:
    """Detectors are compared, and the curves of an evaluation are those of its run."""
    sql(MARK)
    detectors = drawn("compare-detectors", "Fish", "mine")
    run("outliers", "Fish")
    [(number,)] = sql("SELECT MeetUp2025.FitEvaluation(2, 'mine')")
    curves = drawn("runs", "show", number)

    assert len(detectors["data"][0]["x"]) == 5
    found = [(t["name"], x, y) for t in curves["data"] for x, y in zip(t["x"], t["y"], strict=True)]
    assert found == sql(f"SELECT Curve, X, Y FROM MeetUp2025.ReadCurves({number})")


def test_gap() -> None:
    """Two maps of names and photos stand side by side."""
    run("map", "Both", "-d", 2)
    run("map", "Both", "-d", 2, "--without-gap")

    figure = drawn("runs", "compare", 1, 2)

    assert len(points(figure)) == 2 * 112
    assert "gap distance without" in json.dumps(figure["layout"]["annotations"])


def test_identify() -> None:
    """A sheet shows the pictures small, beside their names, which are written too."""
    Path("big.png").write_bytes(encoded(corners(2000, 1500)))
    done = run("identify", SAMPLES / "saba.png", "samples/maaji.jpg", "big.png", "--html", "sheet.html")
    figure = figure_of(Path("sheet.html").read_text("utf-8"))

    assert "マサバ" in done.stdout
    assert [trace["y"][0] for trace in figure["data"] if trace["type"] == "bar"][:2] == ["1 マサバ", "1 マアジ"]
    images = [image["source"] for image in figure["layout"]["images"]]
    assert len(images) == 3
    assert all(each.startswith("data:image/jpeg;base64,") and len(each) < 60_000 for each in images)
    assert "do not trust it with photographs" in figure["layout"]["title"]["subtitle"]["text"]


def test_map_of_photos_has_their_thumbnails() -> None:
    """A map of photos holds a small picture of each, by its key; that of names holds none."""
    photos, names = drawn("map", "FishImage", "-d", 2), drawn("map", "Fish", "-d", 2)
    found = photos["layout"]["meta"]["thumbnails"]

    assert len(found) == 12
    assert found["FishImage/saba.png"].startswith("data:image/jpeg;base64,")
    assert names["layout"]["meta"]["thumbnails"] == {}


def test_identify_with_a_broken_picture() -> None:
    """What is no picture is told on the sheet too, and in the exit code as before."""
    Path("notes.txt").write_text("fish")
    done = run("identify", "notes.txt", SAMPLES / "saba.png", "--html", "sheet.html")
    figure = figure_of(Path("sheet.html").read_text("utf-8"))

    assert done.exit_code == 1
    assert "must be one of JPEG" in json.dumps(figure["layout"]["annotations"])
    assert len(figure["layout"]["images"]) == 1


@needs_browser
def test_png() -> None:
    """A picture is drawn by the browser, beside a page where both are asked for."""
    done = run("clusters", "Fish", "-n", 3, "--png", "a.png", "--html", "a.html")

    assert done.exit_code == 0
    assert Path("a.png").read_bytes().startswith(b"\x89PNG")
    assert Path("a.html").exists()


def test_no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a browser one error says what to install, before anything is fitted."""
    monkeypatch.setattr(files, "_BROWSERS", ("no-such-browser",))
    monkeypatch.setattr(files.importlib.util, "find_spec", lambda _: None)
    done = run("clusters", "Fish", "-n", 3, "--png", "a.png")

    assert done.exit_code == 3
    assert len(done.stderr.splitlines()) == 1
    assert "install Chromium" in done.stderr
    assert not Path("a.png").exists()
    assert json.loads(run("runs", "--format", "json").stdout) == []


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("map", "Fish", "--html", "none/a.html"), 2, "The folder of a picture must exist"),
        (("map", "Fish", "--html", "."), 2, "is a directory"),
        (("identify", "samples/saba.png", "--png", "none/a.png"), 2, "The folder of a picture must exist"),
        (("map", "Fish", "--clusters", "1"), 2, "add --html FILE or --png FILE"),
        (("map", "Fish", "--clusters", "1", "--outliers", "2", "--html", "a.html"), 2, "A map has one colour"),
        (("map", "Birds", "--html", "a.html"), 3, "A source must be"),
        (("runs", "show", "9", "--html", "a.html"), 3, "Got 9"),
        (("runs", "compare", "8", "9", "--html", "a.html"), 3, "Got 8"),
    ],
)
def test_wrong_commands(arguments: tuple[str, ...], code: int, message: str) -> None:
    """What cannot be is an exit code and a message, and no file and no run."""
    done = run(*arguments)

    assert done.exit_code == code
    assert message in done.stderr
    assert [*Path().glob("*.html"), *Path().glob("*.png")] == []
    assert json.loads(run("runs", "--format", "json").stdout) == []


def test_runs_that_have_nothing_to_do_with_each_other() -> None:
    """Groups of photos do not colour a map of names, scores are no groups, and only maps stand side by side."""
    run("clusters", "FishImage", "-n", 3)
    run("clusters", "Fish", "-n", 3)
    run("outliers", "Fish")
    asked = ("map", "Fish", "-d", 2, "--html", "a.html")

    of_others = run(*asked, "--clusters", 1)
    of_kind = run(*asked, "--clusters", 3)
    beside = run("runs", "compare", 1, 2, "--html", "a.html")

    assert "Got run 1, which has none" in of_others.stderr
    assert "Run 3 must be of the kind Clusters" in of_kind.stderr
    assert "side by side must be maps. Got run 1 of Clusters" in beside.stderr
    assert {each.exit_code for each in (of_others, of_kind, beside)} == {3}
    assert not Path("a.html").exists()


def test_run_without_a_picture() -> None:
    """A kind of run that has no picture says which have one."""
    sql("SELECT MeetUp2025.FitDuplicates('FishImage', 0.98)")
    done = run("runs", "show", 1, "--html", "a.html")

    assert done.exit_code == 3
    known = "Map, Clusters, Elbow, Outliers, Evaluation, Comparison, Recogniser, Tuning"
    assert f"must be one of {known}. Got run 1, of Duplicates" in done.stderr
