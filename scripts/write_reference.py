"""
Write the pages of reference of SQL from the classes: `python scripts/write_reference.py`.

The English page has all that the classes say. The Japanese page has tables of the routines, with the texts of
docs/ja/reference.csv: a routine without a text there is an error. What stands before the first section of a page is
written by hand, and stays.
"""

from __future__ import annotations

import csv
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from meetup2025.engines.classes import examples, procedure_steps, summary
from meetup2025.engines.classes.catalog import column_type, signature
from meetup2025.engines.classes.program import program

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from meetup2025.engines.classes import Class, Method, Query

    Routines = Mapping[str, Method | Query]

DOCS = Path(__file__).parents[1] / "docs"
ENGLISH, JAPANESE = DOCS / "reference.md", DOCS / "ja" / "reference.md"
TEXTS = DOCS / "ja" / "reference.csv"

SECTIONS = (
    ("Procedures", "プロシージャ", "CALL MeetUp2025.Name(…)", "procedures"),
    ("Queries", "クエリ", "SELECT … FROM MeetUp2025.Name(…)", "queries"),
    ("Functions", "関数", "SELECT MeetUp2025.Name(…)", "functions"),
)
"""Titles in both languages, the form of a call, and the name in the program, of each kind of routine."""


def english() -> str:
    """Return the page in English."""
    parts = [head(ENGLISH)]
    for title, _, form, kind in SECTIONS:
        routines = sorted_routines(kind)
        parts += [f"## {title}\n\n`{form}`\n", table(routines, {each.sql_name: summary(each.doc) for each in routines})]
        parts += [described(each) for each in routines]
    tables = sorted(program().tables.values(), key=lambda each: each.sql_name)
    return "\n".join([*parts, "## Tables\n", *map(table_of_columns, tables)])


def japanese() -> str:
    """
    Return the page in Japanese.

    Raises:
        SystemExit: A routine has no text, or a text has no routine.
    """
    with TEXTS.open(encoding="utf-8", newline="") as file:
        texts = {row["name"]: row["text"] for row in csv.DictReader(file)}
    parts, known = [head(JAPANESE)], set()
    for _, title, form, kind in SECTIONS:
        routines = sorted_routines(kind)
        known |= {each.sql_name for each in routines}
        check(known - texts.keys(), "has no line")
        parts += [f"## {title}\n\n`{form}`\n", table(routines, texts, ("名前", "内容"), "../reference.md")]
    check(texts.keys() - known, "is no routine of the classes")
    return "\n".join(parts)


def head(page: Path) -> str:
    """Return what stands before the first section of a page."""
    return page.read_text("utf-8").partition("\n## ")[0].rstrip() + "\n"


def check(names: set[str], fault: str) -> None:
    """End the script if there are such names."""
    if names:
        sys.exit(f"{TEXTS.name} must have a line `name,text` for each routine. {', '.join(sorted(names))} {fault}.")


def sorted_routines(kind: str) -> list[Method | Query]:
    """Return the routines of a kind, in the order of their names."""
    routines: Routines = getattr(program(), kind)
    return [routines[name] for name in sorted(routines)]


def table(
    routines: list[Method | Query],
    texts: Mapping[str, str],
    titles: tuple[str, str] = ("name", "what it does"),
    page: str = "",
) -> str:
    """Return a table of routines with the names of their arguments. Each links to its heading on *page*."""
    rows = [f"| [`{called(each)}`]({page}#{each.sql_name.lower()}) | {texts[each.sql_name]} |" for each in routines]
    return "\n".join([f"| {' | '.join(titles)} |", "|---|---|", *rows, ""])


def called(routine: Method | Query) -> str:
    """Return the name of a routine with the names of its arguments."""
    return f"{routine.sql_name}({', '.join(each.name for each in routine.arguments)})"


def described(routine: Method | Query) -> str:
    """Return all that the class says of a routine: signature, text, rows and examples."""
    lines = [f"### {routine.sql_name}", "", "```text", signature(routine), "```", "", prose(routine.doc), ""]
    if "ReturnResultsets" in routine.keywords:
        query = str(procedure_steps(routine)[-1].arguments[0]).rpartition(".")[2]  # type: ignore[arg-type]
        lines += [f"Its rows are those of [{query}](#{query.lower()}).", ""]
    for example in examples(routine.doc):
        lines += ["```sql", example, "```", ""]
    return "\n".join(lines)


def prose(doc: str) -> str:
    """
    Return the text of a doc comment in Markdown, without its examples.

    >>> prose("<var>k</var> is a number. See <class>MeetUp2025.Mark</class>. <example>SELECT 1</example>")
    '`k` is a number. See [Mark](#mark).'
    """
    text = re.sub(r"<example>.*?</example>", "", doc, flags=re.DOTALL)
    text = re.sub(r"<class>(.*?)</class>", lambda found: linked(found[1]), text)
    text = re.sub(r"</?\w+>", "`", text)
    return " ".join(text.split())


def linked(name: str) -> str:
    """Return a class as a link if it is a table, otherwise as code."""
    found = [each.sql_name for each in program().tables.values() if each.name == name]
    return f"[{found[0]}](#{found[0].lower()})" if found else f"`{name}`"


def table_of_columns(each: Class) -> str:
    """Return the text of a table and its columns."""
    rows = [f"| `{column.sql_name}` | {column_type(column)} | {prose(column.doc)} |" for column in each.properties]
    return "\n".join([f"### {each.sql_name}\n", prose(each.doc), "", "| column | type | |", "|---|---|---|", *rows, ""])


def pages() -> Iterator[tuple[Path, str]]:
    """Yield each page: its file and its text."""
    yield ENGLISH, english()
    yield JAPANESE, japanese()


if __name__ == "__main__":
    for path, content in pages():
        path.write_text(content, "utf-8")
        print(path.relative_to(DOCS.parent))
