"""The page on growing past one server: what can be pasted is marked, of the classes, and read where the engine can."""

from __future__ import annotations

import json
import re
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from planted import plant, text
from test_examples import blocks, statements

import meetup2025
from meetup2025.engines.classes import parse_class, read_package
from meetup2025.engines.classes.program import class_folder
from meetup2025.engines.sql import parse
from meetup2025.errors import UnsupportedSQLError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meetup2025.engines.classes import Class

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "scaling.md").read_text("utf-8")
BENCHMARKS = (ROOT / "benchmarks" / "README.md").read_text("utf-8")
CLASSES = read_package(class_folder())
TABLES = {one.short_name: one for one in CLASSES if "%Persistent" in one.extends}

# --- the marks ------------------------------------------------------------------------------------------------------

# Titles in the documentation of InterSystems IRIS 2025.3.
BOOKS = (
    "Automating Configuration of InterSystems IRIS with Configuration Merge",
    "Configure SQL Performance Options",
    "InterSystems SQL Reference",
    "Scalability Guide",
    "System Resource Planning and Management",
    "Using Embedded Python",
    "Using InterSystems SQL",
)
CITATION = re.compile(rf'(?:{"|".join(BOOKS)}), "[^"]+"')


def marks(page: str) -> Iterator[tuple[int, str]]:
    """Give the line of each code block, and the text directly above it, without the comment for the other test."""
    lines = page.splitlines()
    for fence in [number for number, line in enumerate(lines) if line.startswith("```")][::2]:
        above = [*takewhile(str.strip, reversed(lines[:fence]))][::-1]
        yield fence + 1, " ".join(line for line in above if not line.startswith("<!--"))


def unmarked(page: str) -> list[int]:
    """Give the lines of the code blocks without a mark, or with one that has no book, section or reason."""
    faults = []
    for line, above in marks(page):
        mark, _, said = above.partition("*: ")
        cited = mark == "*documented" and CITATION.match(said)
        if not cited and not (mark == "*to be verified" and said):
            faults.append(line)
    return faults


def test_blocks_are_marked() -> None:
    """Each code block is documented, by a book and its section, or to be verified, for a reason."""
    assert unmarked(PAGE) == []


def test_blocks_say_their_language() -> None:
    """No code block hides from the tests for want of a language."""
    assert len(list(marks(PAGE))) == len(blocks(PAGE))


@pytest.mark.parametrize(
    "above",
    [
        "",
        "Like this:",
        "*documented*: ",
        "*documented*: Scalability Guide",
        '*documented*: Guide to Everything, "Scaling"',
        "*to be verified*: ",
        "*to be verified*: why\n",
    ],
)
def test_rule_of_marks_finds_its_breach(above: str) -> None:
    """The rule finds a block with no mark, no known book, no section, no reason, or a mark further up."""
    assert unmarked(f"{above}\n<!-- not run: slow -->\n```sql\nSELECT 1\n```\n") != []


def test_every_book_is_cited() -> None:
    """The list of books holds no more than the blocks cite."""
    above = " ".join(said for _, said in marks(PAGE))

    assert [book for book in BOOKS if f'{book}, "' not in above] == []


# --- the SQL --------------------------------------------------------------------------------------------------------

SQL = [statement for block in blocks(PAGE) if block.language == "sql" for statement in statements(block.text)]

# What the dialect does not have: words whose removal leaves a statement that it has, and whole statements.
EXTRAS = {
    "%IGNOREINDEX MeetUp2025.FishImage.HNSWIndex ": "%IGNOREINDEX",
    "%NOINDEX ": "%NOINDEX",
    " SHARD KEY (Name)": "CREATE TABLE … SHARD",
}
WHOLE = {"ALTER TABLE": "ALTER", "BUILD INDEX": "BUILD", "LOAD DATA": "LOAD", "TUNE TABLE": "TUNE"}
UNREAD = EXTRAS | WHOLE


def refusal(sql: str) -> str:
    """Give the construct for which the dialect refuses a statement, as IRIS would not; nothing when it reads it."""
    try:
        parse(sql)
    except UnsupportedSQLError as exc:
        return str(exc).partition(" is IRIS SQL")[0]
    return ""


@pytest.mark.parametrize("sql", SQL)
def test_dialect_reads_all_but_the_list(sql: str) -> None:
    """A statement is read by the dialect, or refused for the construct that the list has for it."""
    assert refusal(sql) == "".join(construct for words, construct in UNREAD.items() if words in sql)


def test_list_is_not_longer_than_the_page() -> None:
    """Each entry of the list is in a statement of the page."""
    assert [words for words in UNREAD if not any(words in sql for sql in SQL)] == []


def plain(sql: str) -> str:
    """Give a statement without the words that the dialect does not have."""
    for words in EXTRAS:
        sql = sql.replace(words, "")
    return sql


def test_statements_run_without_the_extras() -> None:
    """In the order of the page, what the dialect has of its statements runs on the tables of the classes."""
    vector = text(plant().vectors[0])
    here = [sql for sql in SQL if not sql.startswith(tuple(WHOLE)) and "INFORMATION_SCHEMA" not in sql]

    with meetup2025.connect("duckdb://") as connection, connection.cursor() as cursor:
        for sql in here:
            explains = sql.startswith("EXPLAIN")  # a plan takes no parameters
            cursor.execute(plain(sql), [] if explains else [vector] * sql.count("?"))

    assert len(here) >= 9


def known_names(classes: tuple[Class, ...]) -> set[str]:
    """Give the names of tables, columns, indexes and routines."""
    members = {each.sql_name for one in classes for each in (*one.properties, *one.methods, *one.queries)}
    return members | {index.name for one in classes for index in one.indexes} | {one.short_name for one in classes}


def unknown_names(sql: str) -> set[str]:
    """Give the names in a statement that neither the classes nor the page have; words of SQL are in capitals."""
    made = set(re.findall(r"CREATE TABLE MeetUp2025\.(\w+)", PAGE)) | set(re.findall(r" AS (\w+)", sql))
    bare = re.sub(r"'[^']*'", "", sql)
    names = {word for word in re.findall(r"\w+", bare) if re.search("[a-z]", word)}
    return names - known_names(CLASSES) - made - {"MeetUp2025", "Distance", "efConstruction"}


@pytest.mark.parametrize("sql", SQL)
def test_names_are_of_the_classes(sql: str) -> None:
    """Tables, columns and indexes of a statement are those of src/cls, or made on the page."""
    assert unknown_names(sql) == set()


@pytest.mark.parametrize(
    ("sql", "unknown"),
    [
        ("TUNE TABLE MeetUp2025.FishPhoto", {"FishPhoto"}),
        ("BUILD INDEX FOR TABLE MeetUp2025.FishImage INDEX VectorIndex", {"VectorIndex"}),
        ("ALTER TABLE MeetUp2025.FishImage CONVERT TO SHARDED KEY (Title)", {"Title"}),
        ("LOAD DATA FROM FILE '/Some/file' INTO MeetUp2025.Incoming (Name)", set()),
    ],
)
def test_rule_of_names_finds_its_breach(sql: str, unknown: set[str]) -> None:
    """The rule finds a table, an index and a column that are not there, and leaves literals alone."""
    assert unknown_names(sql) == unknown


def test_classes_named_on_the_page_exist() -> None:
    """Each MeetUp2025.X of the page, in ObjectScript and prose too, is a class or made on the page."""
    named = set(re.findall(r"MeetUp2025[./](\w+)", PAGE))

    assert named - known_names(CLASSES) == {"Incoming", "Rehearsal"}


# --- the classes ----------------------------------------------------------------------------------------------------


def test_parameters_of_the_index_fit_the_class() -> None:
    """The index of the page stands in the class in place of its own, with the parameters of the SQL beside it."""
    (line,) = re.findall(r"^Index HNSWIndex .*;$", PAGE, re.MULTILINE)
    source = (class_folder() / "MeetUp2025" / "FishImage.cls").read_text("utf-8")
    changed, count = re.subn(r"^Index HNSWIndex .*;$", line, source, flags=re.MULTILINE)
    (index,) = [index for index in parse_class(changed).indexes if index.name == "HNSWIndex"]

    assert count == 1
    assert index.parameters == {"Distance": "Cosine", "M": "24", "efConstruction": "128"}
    assert "HNSW(Distance='Cosine', M=24, efConstruction=128)" in PAGE


def methods_in_python(table: Class) -> list[str]:
    """Give the methods that a sharded class may not have."""
    return [method.name for method in table.methods if method.language != "objectscript"]


def test_photos_keep_the_rules_of_sharding() -> None:
    """FishImage keeps what the table of section 10 says that it keeps; Fish breaks what it is said to break."""
    broken = ", ".join(f"`{name}`" for name in methods_in_python(TABLES["Fish"]))

    assert methods_in_python(TABLES["FishImage"]) == []
    assert f"| methods in ObjectScript alone | kept | broken: {broken} |" in PAGE


@pytest.mark.parametrize("name", ["Fish", "FishImage"])
def test_tables_are_as_sharding_and_hnsw_ask(name: str) -> None:
    """Queries are SQL, globals hashed; extent a bitmap, vectors DOUBLE of fixed length, storage and IDs the default."""
    table = TABLES[name]
    (extent,) = [index for index in table.indexes if "Extent" in index.keywords]
    (vector,) = [column for column in table.properties if column.name == "Features"]

    assert {query.type for query in table.queries} == {"%SQLQuery"}
    assert str(table.parameters["USEEXTENTSET"]) == "1"
    assert "DEFAULTCONCURRENCY" not in table.parameters
    assert extent.keywords["Type"] == "bitmap"
    assert vector.parameters == {"DATATYPE": "DOUBLE", "LEN": "512"}
    assert not any("IdKey" in index.keywords for index in table.indexes)
    assert "<Type>%Storage.Persistent</Type>" in Path(table.path).read_text("utf-8")


def test_shard_key_is_unique() -> None:
    """The shard key of the page is the column of the unique index, so that one node can check it."""
    unique = [index.properties for index in TABLES["FishImage"].indexes if "Unique" in index.keywords]

    assert unique == [("Name",)]
    assert set(re.findall(r"(?:SHARD|SHARDED) KEY \((\w+)\)", PAGE)) == {"Name"}


# --- the numbers ----------------------------------------------------------------------------------------------------

VECTOR, LINKS = 8500, 260


def size(count: float) -> str:
    """Write a number of bytes as the page does: 8.5 GB, 2.6 MB."""
    unit, factor = ("GB", 1e9) if count >= 1e9 else ("MB", 1e6)
    return f"{count / factor:.3g} {unit}"


def test_sizes_are_computed() -> None:
    """The sizes of the first table are the rows times the bytes of a vector, and of its links."""
    rows = re.findall(r"^\| ([\d,]+) \| ([^|]+) \| ([^|]+) \|", PAGE, re.MULTILINE)
    counts = [int(photos.replace(",", "")) for photos, _, _ in rows]

    assert counts == [10**power for power in range(4, 9)]
    assert [(vectors, links) for _, vectors, links in rows] == [(size(n * VECTOR), size(n * LINKS)) for n in counts]


def test_links_are_those_of_the_blocks() -> None:
    """The bytes of the index in a row follow from the blocks of 2 kB that were seen."""
    (seen,) = re.findall(r"(\d+) blocks for (\d+) rows, (\d+) for (\d+)", " ".join(PAGE.split()))
    few_blocks, few_rows, more_blocks, more_rows = map(int, seen)

    assert few_blocks * 2048 / few_rows == pytest.approx(LINKS, abs=5)
    assert more_blocks * 2048 / more_rows == pytest.approx(LINKS, abs=5)


@pytest.mark.parametrize(
    ("said", "computed"),
    [
        ("room for {:.0f} links of 8 bytes", LINKS / 8),
        ("{:.1f} GB for 1,000,000 photos", 1e6 * (VECTOR + LINKS) / 1e9),
        ("10,000 photos ({:.0f} MB, computed)", 1e4 * VECTOR / 1e6),
        ("{:,.0f} MB for this cache alone (computed)", 12_000 * 1.08),
        ("16 processes with the model of 345 MB of the benchmarks take {:.1f} GB (computed)", 16 * 345 / 1e3),
        ("100,000,000 photos on 8 nodes {:.0f} GB (computed)", 1e8 * (VECTOR + LINKS) * 1.5 / 8 / 1e9),
    ],
)
def test_computed_numbers(said: str, computed: float) -> None:
    """A number that is called computed is right."""
    assert said.format(computed) in " ".join(PAGE.split())


@pytest.mark.parametrize(
    ("said", "row"),
    [
        ("{} for 5,000 vectors", r"search 5,000 vectors, k = 10 +ours +([\d.]+ ms)"),
        ("{} for 100,000", r"search 100,000 vectors, k = 10 +ours +([\d.]+ ms)"),
        ("model of {} of the benchmarks", r"checking its (\d+ MB)"),
    ],
)
def test_measured_numbers_are_those_of_the_benchmarks(said: str, row: str) -> None:
    """A number that is called measured is the one in benchmarks/README.md: after measuring again, change both."""
    (measured,) = re.findall(row, BENCHMARKS)

    assert said.format(measured) in " ".join(PAGE.split())


# --- the rest -------------------------------------------------------------------------------------------------------

MERGE_LINE = re.compile(
    r"|# [a-z ]+|\[(?:config|Config|Actions|ECPServers)\]"
    r"|(?:globals|MaxServerConn|DATA)=[\w,-]+"
    r"|(?:ModifyService|CreateDatabase|CreateNamespace|ConfigMirror):Name=%?\w+(?:,\w+=[\w%/:-]+)*"
)


def test_merge_files_are_well_formed() -> None:
    """Each line of a merge file is a section, a parameter, or an action with its arguments."""
    lines = [line for block in blocks(PAGE) if block.language == "ini" for line in block.text.splitlines()]

    assert [line for line in lines if not MERGE_LINE.fullmatch(line)] == []
    assert "[Actions]" in lines


def test_vectors_that_moved_out_come_in_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the Python of the page writes LoadVectors reads, and each vector is the same to seven digits."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MEETUP2025_PHOTOS", str(tmp_path))
    (code,) = [block.text for block in blocks(PAGE) if block.language == "python"]
    exec(compile(code, "page", "exec"), {"__name__": "__main__"})  # noqa: S102 - it is our own
    written = [json.loads(line) for line in (tmp_path / "photos.jsonl").read_text("utf-8").splitlines()]

    with meetup2025.connect("duckdb://") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT MeetUp2025.LoadVectors('photos.jsonl', 'FishImage', 'sketch@1')")
        cursor.execute("SELECT Name, Features FROM MeetUp2025.FishImage")
        loaded = {name: numbers(features) for name, features in cursor.fetchall()}

    assert loaded == {photo["filename"]: pytest.approx(numbers(photo["features"]), rel=1e-7) for photo in written}
    assert len(loaded) == 12


def numbers(features: str) -> list[float]:
    """Give the numbers of a vector that is written as text."""
    return [float(number) for number in features.split(",")]
