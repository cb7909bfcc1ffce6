"""The Japanese documents and pages use the words of the glossary, and lead to one another."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from meetup2025.web import texts

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "ja"
GLOSSARY = FOLDER / "glossary.md"
PAGES = [ROOT / "README.ja.md", *sorted(FOLDER.glob("*.md")), FOLDER / "reference.csv"]
PAGES.remove(GLOSSARY)

JAPANESE = "[ぁ-んァ-ヶー一-龠々]"


def glossary() -> list[tuple[str, list[str]]]:
    """Give each term of the glossary, and the words that stand nowhere for it."""
    rows = re.findall(r"^\| ([^|]+) \|.*\| ([^|]*) ?\|$", GLOSSARY.read_text("utf-8"), re.MULTILINE)[1:]
    return [(term.strip(), [word for word in words.strip().split("、") if word]) for term, words in rows]


def prose(page: Path) -> str:
    """Give the text of a page without code, addresses and links."""
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`|<[^>\n]*>|\]\([^)]*\)", "", text)


def test_glossary_has_the_terms():
    """The glossary is read: its terms, and what stands for none of them."""
    found = dict(glossary())

    assert len(found) >= 14
    assert found["外れ値"] == ["仲間外れ", "仲間はずれ"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_uses_the_terms(page):
    """A page uses no other word for a term."""
    text = prose(page)

    assert [word for _, words in glossary() for word in words if word in text] == []
    assert re.findall(r"コサイン(?!類似度|距離)..", text) == []


def test_web_pages_use_the_terms():
    """The texts of the web pages use no other word for a term."""
    said = "\n".join(texts.texts("ja").values())

    assert [word for _, words in glossary() for word in words if word in said] == []


def test_messages_use_the_terms():
    """The messages of the command line use no other word for a term."""
    said = (ROOT / "src/python/meetup2025/locale/ja/LC_MESSAGES/meetup2025.po").read_text("utf-8")

    assert [word for _, words in glossary() for word in words if word in said] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_latin_words_stand_apart(page):
    """There is a blank between Japanese and Latin letters, and digits."""
    text = prose(page)

    assert re.findall(rf".{{0,9}}(?:{JAPANESE}[A-Za-z0-9]|[A-Za-z0-9%]{JAPANESE}).{{0,9}}", text) == []


def test_messages_are_those_of_the_program():
    """Each message of the table of errors stands in the catalogue of messages, in both languages."""
    entries = (ROOT / "src/python/meetup2025/locale/ja/LC_MESSAGES/meetup2025.po").read_text("utf-8").split("\n\n")
    text = re.compile(r'"(.*)"$', re.MULTILINE)
    pairs = [["".join(text.findall(part)) for part in each.split("\nmsgstr ")] for each in entries]
    rows = re.findall(r"^\| `(.+?)` \| `(.+?)` \|", (FOLDER / "identify.md").read_text("utf-8"), re.MULTILINE)
    errors = [row[::-1] for row in rows if "…" in "".join(row) or " must " in row[1]]

    def is_there(row: tuple[str, str]) -> bool:
        patterns = [".*".join(map(re.escape, re.split("…", text))) for text in row]
        return any(all(map(re.search, patterns, pair)) for pair in pairs)

    assert len(errors) >= 6
    assert [row for row in errors if not is_there(row)] == []


def test_index_has_each_page():
    """The index leads to each Japanese page once, and the English index leads to it."""
    listed = re.findall(r"\]\(([\w.-]+)\)", (FOLDER / "README.md").read_text("utf-8"))
    pages = sorted(page.name for page in FOLDER.glob("*.md") if page.name != "README.md")

    assert sorted(listed) == pages
    assert "(ja/README.md)" in (ROOT / "docs" / "README.md").read_text("utf-8")
