"""The notebooks run, in Japanese and in English, and what they share does what it says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import nbformat
import pytest
from plotly.callbacks import Points
from tiny import change_json

import meetup2025
from meetup2025 import figures
from meetup2025.embedding.models import BUNDLED
from meetup2025.errors import InvalidFileError

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
sys.path.append(str(NOTEBOOKS))
run, workshop = import_module("run"), import_module("workshop")

PAIRS = [(book, book.with_suffix(".en.ipynb")) for book in run.books() if not book.stem.endswith(".en")]
DRAWN = {"application/vnd.plotly.v1+json", "application/vnd.jupyter.widget-view+json"}
COPIES = NOTEBOOKS.parent / "build" / "notebooks"
ALL = [book for pair in PAIRS for book in pair]


def read(book: Path) -> Any:
    """Read a notebook."""
    return nbformat.read(book, as_version=4)


def outputs(notebook: Any) -> list[Any]:
    """Give what the cells put out."""
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def printed(notebook: Any) -> str:
    """Give the tables and values of the cells, and what they print."""
    found = []
    for each in outputs(notebook):
        data = each.get("data", {})
        if DRAWN.isdisjoint(data):
            found.append(str(each.get("text") or data.get("text/html") or data.get("text/plain", "")))
    return "\n".join(each for each in found if "PlotlyConfig" not in each)  # what a page has of the library


def drawn(notebook: Any) -> int:
    """Count the figures."""
    return sum("application/vnd.plotly.v1+json" in each.get("data", {}) for each in outputs(notebook))


def has_kana(text: str) -> bool:
    """Tell whether a text has hiragana outside of its code."""
    return bool(re.search("[ぁ-ん]", re.sub("`[^`]*`", "", text)))


@pytest.fixture
def connection():
    """An empty database in memory."""
    with meetup2025.connect("duckdb://") as opened:
        yield opened


# --- the files ------------------------------------------------------------------------------------------------------


def test_each_has_its_twin():
    """There are notebooks, and each is there in both languages."""
    assert len(PAIRS) == 6
    assert sorted(NOTEBOOKS.glob("*.ipynb")) == sorted(ALL)


@pytest.mark.parametrize("book", ALL, ids=lambda book: book.stem)
def test_outputs_are_stripped(book):
    """A notebook has no outputs; `jupyter nbconvert --clear-output --inplace notebooks/*.ipynb` takes them away."""
    notebook = read(book)
    nbformat.validate(notebook)

    assert outputs(notebook) == []
    assert {cell.execution_count for cell in notebook.cells if cell.cell_type == "code"} == {None}


@pytest.mark.parametrize(("japanese", "english"), PAIRS, ids=lambda book: book.stem)
def test_twins_have_the_same_cells(japanese, english):
    """Twins have the same code, and text at the same places, each in its language."""
    ours, theirs = read(japanese).cells, read(english).cells

    assert [cell.cell_type for cell in ours] == [cell.cell_type for cell in theirs]
    assert [cell.source for cell in ours if cell.cell_type == "code"] == [
        cell.source for cell in theirs if cell.cell_type == "code"
    ]
    assert all(has_kana(cell.source) for cell in ours if cell.cell_type == "markdown")
    assert not any(has_kana(cell.source) for cell in theirs if cell.cell_type == "markdown")


@pytest.mark.parametrize("book", ALL, ids=lambda book: book.stem)
def test_links_lead_somewhere(book):
    """A link of a notebook leads to a file, of its own language where that is a notebook."""
    links = re.findall(r"\]\(([^):]+)\)", "\n".join(c.source for c in read(book).cells if c.cell_type == "markdown"))
    is_english = book.stem.endswith(".en")

    assert links or book in PAIRS[-1]
    assert all((NOTEBOOKS / link).is_file() for link in links)
    assert all(link.endswith(".en.ipynb") == is_english for link in links if link.endswith(".ipynb"))


# --- running them ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "count", "says"),
    [
        ("1-identify", 1, r"\{'n': 192, 'top 1': (1\.0|0\.9\d+), 'top 3': "),
        ("2-see", 4, r"gap_distance_without[\s\S]*inverse_transform"),
        ("4-odd", 3, r"'Neighbours': 1[56][\s\S]*ByExemplar"),
        ("6-learn", 2, r"\{'of': 24, 'right': \{0: [0-8], .*10: 2[234]\}"),
    ],
)
def test_notebook_runs(name, count, says):
    """A notebook runs from a fresh kernel, draws its figures, and finds what it is about."""
    done = run.run(NOTEBOOKS / f"{name}.ipynb")

    assert drawn(done) == count
    assert re.search(says, printed(done))


def test_one_line_is_another_database(tmp_path):
    """
    Another URL is another database, which keeps what was loaded and made; a second run finds it, and is the same.

    The command that runs notebooks tells the time of each, and where its copy is.
    """
    url = f"duckdb:///{tmp_path}/workshop.db"
    told = command("--url", url, "3-group")
    done = [read(COPIES / "3-group.ipynb"), run.run(NOTEBOOKS / "3-group.ipynb", URL=url)]
    first, second = map(printed, done)

    with meetup2025.connect(url) as opened:
        pictures = workshop.ask(opened, "SELECT COUNT(*) FROM MeetUp2025.FishImage WHERE Name LIKE 'ws/%'")
        asked = workshop.ask(opened, "SELECT Asked FROM MeetUp2025.Runs('Clusters') WHERE Source = 'Fish'")
    assert first == second
    assert re.search(r"'SSE, by hand': 3\d\.\d+, 'SSE, by the library': 3\d\.\d+", first)
    assert [drawn(each) for each in done] == [4, 4]
    assert pictures == [(15,)]
    assert asked == [(4,)]
    assert (told.returncode, "3-group" in told.stderr) == (0, False)
    assert re.search(r"^3-group +\d+\.\d s\nThe notebooks with their outputs are in .*notebooks\.\n$", told.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["3-group"])
def test_one_line_is_a_server(name, request):
    """
    With the URL of a server the cells run over its driver, here to a double of it.

    `make notebooks URL=iris://…` runs all of them.
    """
    url = request.getfixturevalue("_double_server")
    cells = [cell.source for cell in read(NOTEBOOKS / f"{name}.ipynb").cells if cell.cell_type == "code"]
    changed = [re.sub(r"(?m)^URL = .*$", f"URL = {url!r}", cell) for cell in cells]
    names: dict[str, Any] = {}
    for cell in changed:
        exec(compile(cell, name, "exec"), names)  # noqa: S102 - it is our own

    assert changed != cells
    assert type(names["connection"]).__module__.startswith("meetup2025.engines.iris.")


def test_another_model_and_own_photos(tmp_path, monkeypatch):
    """Two lines of the last notebook are another model and a folder of photos, with labels from their names."""
    monkeypatch.setenv("MEETUP2025_MODELS", str(tmp_path / "models"))
    other = tmp_path / "models" / "org--other@2"
    shutil.copytree(BUNDLED / "sketch", other)
    change_json(other, id="org/other", revision="2")
    samples = Path(meetup2025.__file__).parent / "samples"
    done = run.run(NOTEBOOKS / "5-real-model.en.ipynb", MODEL="org/other", PHOTOS=str(samples))

    assert "org/other@2" in printed(done)
    assert re.search(r"'bare': \{'n': \d+", printed(done))


def test_line_that_is_not_there():
    """A line that is to be changed and is not there is an error, so that no run is of another database than it says."""
    with pytest.raises(ValueError, match=r"one line that sets PLACE\. Got 0"):
        run.run(NOTEBOOKS / "1-identify.ipynb", PLACE="here")


def test_command_that_fails():
    """What fails is told, the code is 1, and there is no copy of it, also none of an earlier run."""
    for kind in ("html", "ipynb"):
        COPIES.mkdir(parents=True, exist_ok=True)
        (COPIES / f"6-learn.{kind}").touch()
    unknown, failed = command("9-none"), command("--url", "nodb://", "6-learn")

    assert (unknown.returncode, failed.returncode, failed.stdout) == (2, 1, "")
    assert list(COPIES.glob("6-learn.*")) == []
    assert "a name must be one of 1-identify, 1-identify.en" in unknown.stderr
    assert "6-learn: InterfaceError: " in failed.stderr


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command that runs notebooks."""
    program = [sys.executable, str(NOTEBOOKS / "run.py"), *arguments]
    return subprocess.run(program, capture_output=True, text=True, check=False)


# --- what they share ------------------------------------------------------------------------------------------------


def test_table_of_an_answer(connection):
    """An answer is its rows, and a table: markup is text, long values are cut, rows that are left out are counted."""
    answer = workshop.ask(connection, "SELECT '<b>' AS A, NULL AS B, 0.5 AS C")
    many = workshop.Answer([("x" * 99,)] * 21)

    assert answer == [("<b>", None, 0.5)]
    assert [name.lower() for name in answer.columns] == ["a", "b", "c"]
    assert "&lt;b&gt;</td>" in answer._repr_html_()
    assert f"{'x' * 60}…</td>" in many._repr_html_()
    assert many._repr_html_().endswith("<p>… 21 rows</p>")


def test_drawings_are_the_same_each_time():
    """A drawing of a name is always the same; strays have no label."""
    one, two = workshop.drawings(["マアジ", "タイヤキ"], each=1)

    assert [one, two] == workshop.drawings(["マアジ", "タイヤキ"], each=1)
    assert (one.file, one.label, two.label) == ("ws/マアジ-1", "マアジ", "")
    assert workshop.drawings([], each=1) == []


def test_photos_of_a_folder(tmp_path, capsys):
    """The photos of a folder are read with their labels, and what is none is told."""
    samples = Path(meetup2025.__file__).parent / "samples"
    (tmp_path / "マダコ-2.png").write_bytes((samples / "madako.png").read_bytes())
    (tmp_path / "labels.csv").write_text("File,Name\nマダコ-2.png,マダコ\n", "utf-8")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "half.png").write_bytes((samples / "madako.png").read_bytes()[:5000])
    photo, *others = workshop.photos(str(tmp_path))

    assert others == []
    assert [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()] == ["empty.jpg", "half.png"]
    assert (photo.file, photo.label) == ("マダコ-2.png", "マダコ")
    assert photo.url.startswith("data:image/png;base64,")


@pytest.mark.parametrize("files", [[], ["notes.txt"], ["empty.jpg"]])
def test_folder_without_photos(tmp_path, files):
    """A folder without a photo that can be read is an error that names it, before anything is loaded."""
    for name in files:
        (tmp_path / name).touch()

    with pytest.raises(InvalidFileError, match=r"must have one that can be read\. Got none in /.*\."):
        workshop.photos(str(tmp_path))


def test_prepare_twice_changes_nothing(connection):
    """Pictures that are loaded again stay as they are."""
    pictures = workshop.drawings(["マアジ"], each=2)
    for _ in range(2):
        workshop.prepare(connection, pictures)

    assert workshop.ask(connection, "SELECT COUNT(*) FROM MeetUp2025.FishImage") == [(2,)]
    assert workshop.ask(connection, "SELECT COUNT(*) FROM MeetUp2025.Fish") == [(100,)]


def test_gallery_has_captions():
    """A picture stands above its caption, or its label, as text."""
    [picture] = workshop.drawings(["マアジ"], each=1)

    assert "<figcaption>マアジ</figcaption>" in workshop.gallery([picture]).data
    assert "<figcaption>&lt;i&gt;</figcaption>" in workshop.gallery([picture], ["<i>"]).data


@pytest.mark.parametrize("dimensions", [2, 3])
def test_click_tells_what_is_near(connection, dimensions):
    """A click on a point of a map asks what is near it, and shows that below, the point itself first."""
    workshop.prepare(connection, [])
    [(made,)] = workshop.ask(connection, "SELECT MeetUp2025.FitMap('Fish', ?)", dimensions)
    rows = workshop.ask(connection, "SELECT * FROM MeetUp2025.ReadMap(?)", made)
    cloud, told = workshop.clickable(connection, figures.map(rows, colour="source"), made).children
    [trace] = cloud.data
    trace._dispatch_on_click(Points(point_inds=[4]), None)

    clicked = next(name for source, item, name, *_ in rows if [source, item] == list(trace.customdata[4]))
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", told.value)
    assert (cells[1], cells[3], len(cells)) == (clicked, "0.0000", 24)


def test_click_shows_photos(connection):
    """What is near is seen, where it is a photo."""
    workshop.prepare(connection, workshop.drawings(["マアジ", "マダコ"], each=2))
    [(made,)] = workshop.ask(connection, "SELECT MeetUp2025.FitMap('FishImage', 2)")
    rows = workshop.ask(connection, "SELECT * FROM MeetUp2025.ReadMap(?)", made)
    cloud, told = workshop.clickable(connection, figures.map(rows, colour="source"), made).children
    cloud.data[0]._dispatch_on_click(Points(point_inds=[0]), None)

    assert told.value.count('<img src="data:image/jpeg;base64,') == 4
