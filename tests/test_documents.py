"""The documents hold together: links lead somewhere, each page is listed, what they quote of the program is there."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

import pytest

import meetup2025
from meetup2025 import files, images, settings
from meetup2025.cli.output import table_lines
from meetup2025.embedding.models import COLUMN
from meetup2025.embedding.server import LEAST_TOKEN, Limits
from meetup2025.loading import records

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meetup2025.engines import Connection

ROOT = Path(__file__).parents[1]
PACKAGE = Path(meetup2025.__file__).parent
DOCS = ROOT / "docs"
INDEX = DOCS / "README.md"
WORKFLOWS = ROOT / ".github" / "workflows"
DOCUMENTS = [
    *sorted(ROOT.glob("*.md")),
    *sorted(DOCS.rglob("*.md")),
    ROOT / "benchmarks" / "README.md",
    ROOT / "scripts" / "sketch" / "README.md",
]

_CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_FAULT = re.compile(r"^\| (`.*?) \|", re.MULTILINE)


class Link(NamedTuple):
    """Where a link of a document leads."""

    document: Path
    target: str

    @property
    def file(self) -> Path:
        """The file; the document itself, where the link has an anchor alone."""
        name = unquote(self.target.partition("#")[0])
        return (self.document.parent / name).resolve() if name else self.document

    @property
    def anchor(self) -> str:
        """What stands after the #; empty without one."""
        return unquote(self.target.partition("#")[2])


def links(document: Path) -> list[Link]:
    """Find the relative links of a document, without those in code and those to the pages of the repository."""
    text = re.sub(r"`[^`\n]*`", "", _CODE.sub("", document.read_text("utf-8")))
    elsewhere = re.compile(r"[a-z]+:|\.\./\.\./actions/")
    return [Link(document, target) for target in _LINK.findall(text) if not elsewhere.match(target)]


def anchors(text: str) -> set[str]:
    r"""
    Give the anchors of the headings of a document, as GitHub makes them.

    >>> sorted(anchors("# `One`, two!\n## 3. 魚の名前\n```sh\n# none\n```\n## One two\n"))
    ['3-魚の名前', 'one-two', 'one-two-1']
    """
    found: list[str] = []
    for heading in re.findall(r"^#+ +(.+?) *$", _CODE.sub("", text), re.MULTILINE):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        found.append(re.sub(r"[^\w\- ]", "", words).replace(" ", "-"))
    return {f"{each}-{before}" if (before := found[:place].count(each)) else each for place, each in enumerate(found)}


def shown(link: Link) -> str:
    """Name a link in a message."""
    return f"{link.document.relative_to(ROOT)}: {link.target}"


# --- links ----------------------------------------------------------------------------------------------------------


def test_links_lead_to_files() -> None:
    """Each relative link leads to a file or folder of the project."""
    found = [link for document in DOCUMENTS for link in links(document)]

    assert [shown(link) for link in found if not link.file.exists()] == []


def test_links_lead_to_headings() -> None:
    """Each anchor of a link to a page is that of a heading there."""
    found = [link for document in DOCUMENTS for link in links(document)]
    to_headings = [link for link in found if link.anchor and link.file.suffix == ".md" and link.file.exists()]

    assert [shown(link) for link in to_headings if link.anchor not in anchors(link.file.read_text("utf-8"))] == []


def test_links_are_found() -> None:
    """Links are not looked for in vain."""
    assert len(links(INDEX)) >= 15
    assert any(link.anchor for document in DOCUMENTS for link in links(document))


def test_index_has_each_page() -> None:
    """The index lists each page of the folder once, and those of the first five minutes."""
    listed = [link.file for link in links(INDEX)]
    pages = sorted([*DOCS.glob("*.md"), *DOCS.glob("start/*.md")])

    assert [page.name for page in pages if page != INDEX and listed.count(page) != 1] == []


def test_index_is_found() -> None:
    """README leads to the index."""
    assert INDEX in [link.file for link in links(ROOT / "README.md")]


# --- what is quoted -------------------------------------------------------------------------------------------------


def texts() -> Iterator[str]:
    """Give what the program may say: its texts, with … for what it fills in, and those of the classes."""
    for module in PACKAGE.rglob("*.py"):
        tree = ast.parse(module.read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value
    for source in (ROOT / "src" / "cls", ROOT / "preload"):
        yield from (each.read_text("utf-8") for each in source.rglob("*.cls"))


def quoted(document: Path) -> list[str]:
    """Give the messages that the tables of faults of a page quote; … stands for what is filled in."""
    tables = re.split(r"^\| (?:message|what happens) \|.*\n", document.read_text("utf-8"), flags=re.MULTILINE)[1:]
    rows = [row for table in tables for row in _FAULT.findall(table.split("\n\n")[0])]
    return [each for row in rows for each in re.findall(r"`([^`]+)`", row)]


@functools.cache
def said() -> str:
    """Give all that the program may say, as one text."""
    return "\n".join(dict.fromkeys(texts())).replace("{{", "{").replace("}}", "}")


# What stands in a message where the program fills something in.
FILLED = ("file below", "folder below", "JPEG, PNG, GIF,", "MEETUP2025_IRIS_PASSWORD")


@pytest.mark.parametrize("page", ["identify", "catalogue", "models", "operate"])
def test_quoted_messages_are_those_of_the_program(page: str) -> None:
    """Each message in a table of faults stands in the program, piece by piece."""
    messages = quoted(DOCS / f"{page}.md")
    cut = "|".join(("…", *map(re.escape, FILLED)))
    pieces = [(message, part.strip()) for message in messages for part in re.split(cut, message)]

    assert len(messages) >= 8
    assert [(message, part) for message, part in pieces if part not in said()] == []


READMES = [ROOT / "README.md", ROOT / "README.ja.md"]


@pytest.mark.parametrize("readme", READMES, ids=lambda readme: readme.name)
def test_badges_are_true(readme: Path) -> None:
    """The badges have the licence and the versions of pyproject.toml and module.xml, and the workflow is there."""
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    python = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', project)
    (licence,) = re.findall(r'^license = "(\w+)"', project, re.MULTILINE)
    (iris,) = re.findall(r'Version=">=(\d+\.\d+)" Python', (ROOT / "module.xml").read_text("utf-8"))
    text = readme.read_text("utf-8")

    assert f"badge/licence-{licence}-" in text
    assert f"badge/Python-{python[0]}_to_{python[-1]}-" in text
    assert f"badge/IRIS-{iris}_or_later-" in text
    assert [name for name in re.findall(r"actions/workflows/([\w.]+)", text) if not (WORKFLOWS / name).is_file()] == []


def test_readme_is_short() -> None:
    """The README has at most 200 lines."""
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 200


@pytest.mark.parametrize("readme", READMES, ids=lambda readme: readme.name)
def test_answers_of_the_tour(readme: Path) -> None:
    """The answers that the README shows are those of its statements, one after the other, to the last digit but one."""
    shown = re.findall(r"```sql\n(.*?)```\n\n```text\n(.*?)```", readme.read_text("utf-8"), re.DOTALL)
    with meetup2025.connect("duckdb://") as connection:
        tables = [[table(connection, sql) for sql in re.split(r";\s*\n", block) if sql.strip()] for block, _ in shown]

    assert len(shown) >= 2
    for found, (_, text) in zip(tables, shown, strict=True):
        assert is_same_text("\n\n".join(found), text), text


def table(connection: Connection, sql: str) -> str:
    """Run a statement, and lay out its answer as the command line does."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return "\n".join(table_lines([column[0] for column in cursor.description or ()], cursor.fetchall()))


def is_same_text(ours: str, theirs: str) -> bool:
    """Tell whether two texts have the same words, scores but for rounding."""
    words, others = ours.split(), theirs.split()
    return len(words) == len(others) and all(map(is_same, words, others))


def is_same(one: str, other: str) -> bool:
    """Tell whether two words are the same, scores but for rounding."""
    if re.fullmatch(r"-?\d\.\d{3}", one) and re.fullmatch(r"-?\d\.\d{3}", other):
        return abs(float(one) - float(other)) < 0.003
    return one == other


OF_IRIS = "MEETUP2025_IRIS_PASSWORD"


@pytest.mark.parametrize("page", ["settings.md", "ja/install.md"])
def test_each_setting_is_told(page: str) -> None:
    """The table of settings has each variable that the program reads, and no other."""
    known = set(re.findall(r"^- `(MEETUP2025_\w+)`", settings.__doc__ or "", re.MULTILINE)) | {OF_IRIS}
    told = re.findall(r"^\| `(MEETUP2025_\w+)` \|", (DOCS / page).read_text("utf-8"), re.MULTILINE)

    assert len(known) >= 9
    assert sorted(told) == sorted(known)


def test_limits_of_pictures_are_those_of_the_program() -> None:
    """The limits on the page are those that the program holds pictures to."""
    text = (DOCS / "identify.md").read_text("utf-8")

    assert f"| formats | {', '.join(images.FORMATS)} |" in text
    assert f"| file | {files.LARGEST_PICTURE // 10**6} MB |" in text
    assert f"| size by its header | {images.MAX_PIXELS // 10**6} megapixels |" in text
    assert f"| a side | {images.MAX_SIDE:,} pixels |" in text
    most = [images.MAX_DECODED_BYTES // (each * 10**6) for each in (8, 12, 16, 20)]
    assert "| size in memory | {} megapixels; {} with transparency; WebP {}, and {} |".format(*most) in text
    parts = "JPEG {JPEG:,}, PNG {PNG:,}, GIF {GIF:,}, TIFF {TIFF:,} tags".format(**images.MAX_PARTS)
    assert f"| parts beside the pixels | {parts} and {images.MAX_STRIPS:,} strips |" in text
    assert f"| {images.MAX_SCANNED_PIXELS // 10**6:,} megapixels, all scans together |" in text
    assert f"| a picture for an encoder server | {Limits().picture // 10**6} MB |" in text
    assert f"has at most {images.MAX_PATH_CHARACTERS} characters, is a path" in text


def test_rules_of_files_are_those_of_the_program() -> None:
    """The lengths of columns and the sizes of files on the pages are those that the program holds files to."""
    text = (DOCS / "catalogue.md").read_text("utf-8")
    of_columns = {
        name.strip("` "): int(most)
        for names, most in re.findall(r"^\| (`.*?) \|.*\| (\d+)[ a-z,A-Z]* \|$", text, re.MULTILINE)
        for name in names.split(",")
    }

    assert of_columns == records._COLUMNS
    assert f"of at most {files.LARGEST_SENT / 1e6} MB" in text
    assert f"A file has at most {files.LARGEST_CSV // 10**6} MB" in text
    assert f"A vector has {records.DIMENSION} finite" in text
    assert f"of at most {records.LONGEST_FILE_NAME} characters" in text
    assert f"the tables hold vectors of {COLUMN} numbers" in (DOCS / "models.md").read_text("utf-8")
    assert f"a token of {LEAST_TOKEN} characters or more" in (DOCS / "security.md").read_text("utf-8")
