"""Every example of the classes, the README and the docstrings runs."""

from __future__ import annotations

import doctest
import importlib
import re
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from click.testing import CliRunner
from planted import DIMENSION, plant, text
from test_documents import is_same_text

import meetup2025
from meetup2025.engines.classes import examples, read_package
from meetup2025.engines.classes.program import class_folder

if TYPE_CHECKING:
    from meetup2025.engines import Connection

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PACKAGE = Path(meetup2025.__file__).parent
CATALOGUE = ROOT / "docs" / "catalogue.md"
DOCUMENTS = [ROOT / "README.md", ROOT / "README.ja.md", *sorted((ROOT / "docs").rglob("*.md"))]
DOCUMENTS.remove(ROOT / "docs" / "verify-on-iris.md")  # its claims may be errors: test_verify.py has them
DOCUMENTS.remove(ROOT / "docs" / "reference.md")  # its examples are those of the classes


class Block(NamedTuple):
    """A code block of a document: its language, text, line, and why it is not run."""

    language: str
    text: str
    line: int
    not_run: str


def blocks(document: str) -> list[Block]:
    r"""
    Find the code blocks of a document; a comment `<!-- not run: reason -->` before a block leaves it out.

    >>> blocks("a\n```sql\nSELECT 1\n```\n<!-- not run: slow -->\n```sql\nSELECT 2\n```\n")[1]
    Block(language='sql', text='SELECT 2\n', line=6, not_run='slow')
    """
    pattern = r"(?:<!-- not run: (?P<reason>.+?) -->\s*?\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$"
    return [
        Block(
            found["language"],
            found["text"],
            document.count("\n", 0, found.start("language")) + 1,
            found["reason"] or "",
        )
        for found in re.finditer(pattern, document, re.MULTILINE | re.DOTALL)
    ]


def statements(sql: str) -> list[str]:
    r"""
    Cut SQL at the semicolons that end a line.

    >>> statements("SELECT 1;\nSELECT 'a;b';\n")
    ['SELECT 1', "SELECT 'a;b'"]
    """
    return [part.strip() for part in re.split(r";\s*$", sql, flags=re.MULTILINE) if part.strip()]


def commands(console: str) -> list[list[str]]:
    r"""
    Find the commands of this program in a console block.

    >>> commands("$ make demo\n$ meetup2025 find 赤い魚 -k 5\n1 saba.png\n")
    [['find', '赤い魚', '-k', '5']]
    """
    lines = re.findall(r"^\$ (?:\.venv/bin/)?meetup2025\b(.*)$", console, re.MULTILINE)
    return [shlex.split(line, comments=True) for line in lines]


def outputs(console: str) -> list[str]:
    r"""
    Find what a console block shows below each command of this program; empty where it shows nothing.

    >>> outputs("$ make demo\n$ meetup2025 find 赤い魚\n1 saba.png\n$ meetup2025 runs\n")
    ['1 saba.png\n', '']
    """
    return re.findall(r"^\$ (?:\.venv/bin/)?meetup2025\b.*\n((?:(?!\$ ).*\n)*)", console, re.MULTILINE)


def documented(language: str) -> list[object]:
    """Give the blocks of a language in all documents, as parameters of a test; those that run the same once."""
    found = [
        (document, block)
        for document in DOCUMENTS
        if document.exists()
        for block in blocks(document.read_text("utf-8"))
        if block.language == language
    ]
    once = {(code(block), block.not_run): (document, block) for document, block in reversed(found)}
    return [
        pytest.param(
            block.text,
            id=f"{document.name}:{block.line}",
            marks=[pytest.mark.skip(block.not_run)] if block.not_run else [],
        )
        for document, block in reversed(once.values())
    ]


def code(block: Block) -> str:
    """Give what a block runs, without what it shows and without its comments."""
    if block.language == "console":
        return str(commands(block.text))
    return re.sub(r"(--|#) .*$", "", block.text, flags=re.MULTILINE)


CLASS_EXAMPLES = [
    pytest.param(each.short_name, example, id=f"{each.short_name}.{member.name}")
    for each in read_package(class_folder())
    for member in (*each.methods, *each.queries)
    for example in examples(member.doc)
]


FIRST_RUNS = {
    "Analysis": ["SELECT MeetUp2025.FitClusters('Fish', 8)"],
    "ClusterGroup": ["SELECT MeetUp2025.FitClusters('Fish', 8)"],
    "ClusterItem": ["SELECT MeetUp2025.FitClusters('Fish', 8)"],
    "CurvePoint": ["SELECT MeetUp2025.FitOutliers('Fish')", "SELECT MeetUp2025.FitEvaluation(1, 'mine')"],
    "ElbowPoint": ["SELECT MeetUp2025.FitElbow('Fish')"],
    "MapPoint": ["SELECT MeetUp2025.FitMap('Fish', 3)"],
    "Mark": ["SELECT MeetUp2025.FitOutliers('Fish')"],
    "Metric": ["SELECT MeetUp2025.FitComparison('Fish', 'mine')"],
    "MovedItem": ["SELECT MeetUp2025.FitClusters('Fish', 8)", "SELECT MeetUp2025.FitClusters('Fish', 9)"],
    "OutlierItem": ["SELECT MeetUp2025.FitOutliers('Fish')"],
    "SelectedItem": [
        "SELECT MeetUp2025.FitMap('Fish', 2)",
        """SELECT MeetUp2025.FitSelection(1, 'the tunas', '[["Fish", "F005"]]')""",
    ],
    "SimilarPair": ["SELECT MeetUp2025.FitDuplicates('Fish', 0.5)"],
    "Prototype": ["SELECT MeetUp2025.FitRecogniser('FishImage')"],
    "Sighting": ["SELECT MeetUp2025.AddSighting('samples/madako.png')"],
    "Suspect": ["SELECT MeetUp2025.FitSuspects('Fish')"],
    "Trial": ["SELECT MeetUp2025.FitTuning('Clusters', 'Fish', 1, 'silhouette')"],
}
"""The first runs of the examples, by the class: what a reader would have made before."""

MARKS = """
INSERT INTO MeetUp2025.Mark (Labels, Source, Item, Odd)
SELECT 'mine', Source, Item, CASE WHEN Item LIKE '%1' THEN 1 ELSE 0 END FROM (
    SELECT 'Fish' AS Source, FishID AS Item FROM MeetUp2025.Fish
    UNION ALL SELECT 'FishImage' AS Source, Name AS Item FROM MeetUp2025.FishImage
) items"""

DOCS = "CREATE TABLE App.Docs (DocID VARCHAR(9), Title VARCHAR(9), Features VECTOR(DOUBLE, 3), Topic VARCHAR(9))"

OFTEN_EMPTY = ("SuspectLabels(", "ReadSuspects(", "Duplicates(")
"""What may find nothing, in good data."""


def before(owner: str, example: str) -> list[str]:
    """Give the statements that a reader of an example has run before."""
    needs = re.search(r"\(\d", example) or owner in {"Analysis", "Prototype", "Sighting"}
    runs = FIRST_RUNS.get(owner, []) if needs else []
    changes = ["SELECT MeetUp2025.FitChanges(1, 2)"] if "ReadChanges" in example else []
    marks = [MARKS] if "'mine'" in " ".join([example, *runs]) else []
    again = ["SELECT MeetUp2025.AddImage('again', 'samples/saba.png', 'マサバ')"] if "FitBenchmark" in example else []
    return marks + runs + changes + again + ([DOCS] if "App.Docs" in example else [])


def run_sql(connection: Connection, sql: str) -> list[tuple[object, ...]]:
    """Run a statement with a vector for each parameter, and give its rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql, [text(plant().vectors[0])] * sql.count("?"))
        return cursor.fetchall() if cursor.description else [()]


# --- the classes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("owner", "example"), CLASS_EXAMPLES)
def test_class_example(
    bundled: Connection, owner: str, example: str, reader: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The example of a class member runs in a database with the bundled data and its first runs, and gives rows."""
    monkeypatch.setenv("MEETUP2025_PHOTOS", str(reader))
    for sql in before(owner, example):
        run_sql(bundled, sql)

    assert run_sql(bundled, example) != [] or any(name in example for name in OFTEN_EMPTY)


def test_identify_names_the_sample(bundled: Connection) -> None:
    """The first example of the project gives the right answer."""
    best = run_sql(bundled, "CALL MeetUp2025.Identify('samples/saba.png', 3)")

    assert (best[0][1], len(best)) == ("マサバ", 3)


def test_examples_leave_no_trace(bundled: Connection) -> None:
    """Loading the bundled data again changes nothing, as its documentation says."""
    assert run_sql(bundled, "SELECT MeetUp2025.LoadNames('catalogue/fish.csv')") == [(0,)]
    assert run_sql(bundled, "SELECT MeetUp2025.LoadImages('samples')") == [(0,)]


# --- the documents --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sql", documented("sql"))
def test_sql_of_a_document(bundled: Connection, sql: str) -> None:
    """The SQL of a document runs, statement by statement, and each SELECT or CALL gives rows."""
    assert [statement for statement in statements(sql) if run_sql(bundled, statement) == []] == []


@pytest.mark.parametrize("code", documented("python"))
def test_python_of_a_document(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python of a document runs in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    exec(compile(code, "document", "exec"), {"__name__": "__main__"})  # noqa: S102 - it is our own


@pytest.mark.parametrize("console", [each for each in documented("console") if commands(each.values[0])])
def test_commands_of_a_document(console: str, reader: Path) -> None:
    """The commands of a document end well, in the order in which they stand, and print what it shows."""
    from meetup2025.cli import main

    for command, shown in zip(commands(console), outputs(console), strict=True):
        result = CliRunner().invoke(main, command, input="")
        assert (command, result.exit_code, result.stderr) == (command, 0, result.stderr)
        assert not shown or is_same_text(result.stdout, shown), result.stdout
    assert reader.is_dir()


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Current folder of a reader: the checkout's samples, and the files that the documents speak of."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    shutil.copytree(PACKAGE / "samples", tmp_path / "src" / "python" / "meetup2025" / "samples")
    (tmp_path / "Pictures" / "fish").mkdir(parents=True)
    shutil.copy(PACKAGE / "samples" / "saba.png", tmp_path / "Pictures" / "fish" / "マサバ.png")
    (tmp_path / "mine.csv").write_text("FishID,Name\nF002,マサバ\n", "utf-8")
    (birds,) = re.findall(r"`birds.csv`:\n\n```csv\n(.*?)```", CATALOGUE.read_text("utf-8"), re.DOTALL)
    (tmp_path / "birds.csv").write_text(birds, "utf-8")
    vector = text(plant().vectors[0])
    (tmp_path / "fish.jsonl").write_text(f'{{"fishid": "F002", "name": "マサバ", "features": "{vector}"}}\n', "utf-8")
    return tmp_path


# --- the docstrings -------------------------------------------------------------------------------------------------

DOCTESTED = [
    ".".join(module.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
    for module in sorted(PACKAGE.rglob("*.py"))
    if ">>> " in module.read_text("utf-8")
]


@pytest.mark.parametrize("module", [*DOCTESTED, "class_rules", "test_documents", "test_examples"])
def test_docstrings(module: str) -> None:
    """The examples in docstrings give what they show."""
    results = doctest.testmod(importlib.import_module(module))

    assert results.attempted > 0
    assert results.failed == 0


def test_dimension_of_the_examples(bundled: Connection) -> None:
    """A vector of a function has the length that the tables hold."""
    (vector,) = run_sql(bundled, "SELECT MeetUp2025.EmbedText('赤い魚')")[0]

    assert str(vector).count(",") == DIMENSION - 1
