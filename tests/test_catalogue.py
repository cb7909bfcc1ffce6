"""The rules that the fish catalogue and the strays keep."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

CATALOGUE = Path(__file__).parents[1] / "src" / "python" / "meetup2025" / "catalogue"
HEADER = ["FishID", "Name", "Kanji", "OtherNames", "English", "Scientific", "Family"]
# The widths of the columns of MeetUp2025.Fish.
WIDTHS = {
    "FishID": 10,
    "Name": 50,
    "Kanji": 50,
    "OtherNames": 200,
    "English": 100,
    "Scientific": 100,
    "Family": 50,
}
KATAKANA = re.compile(r"[ァ-ヴー]+")
BINOMIAL = re.compile(r"[A-Z][a-z]+ [a-z]+")
IDEOGRAPH = re.compile(r"[\u4e00-\u9fff\U00020000-\U0002ffff]")
FAMILY = re.compile(r"[A-Z][a-z]+idae")
TO_KATAKANA = {code: code + 0x60 for code in range(ord("ぁ"), ord("ゖ") + 1)}

# Names of growth stages and of the market, and the name of their species in the catalogue.
SPECIES = {
    **dict.fromkeys(("ワカシ", "イナダ", "ワラサ", "ハマチ", "メジロ"), "ブリ"),
    **dict.fromkeys(("セイゴ", "フッコ"), "スズキ"),
    **dict.fromkeys(("オボコ", "トド"), "ボラ"),
    "ヨコワ": "クロマグロ", "アジ": "マアジ", "鯖": "マサバ", "シャケ": "サケ", "ノドグロ": "アカムツ",
}

Row = dict[str, str]


def read(file: str) -> list[Row]:
    """Read the rows of a file."""
    with (CATALOGUE / file).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, strict=True))


def key(name: str) -> str:
    """Give what two spellings of one name have in common."""
    return unicodedata.normalize("NFKC", name).upper()


def ids_but(rows: Iterable[Row], keeps: Callable[[Row], object]) -> list[str]:
    """Return the ids of the rows that do not keep a rule."""
    return [row["FishID"] for row in rows if not keeps(row)]


def names_of(row: Row) -> list[str]:
    """Give every name of a row, but for the English and the scientific one."""
    return [name for name in (row["Name"], row["Kanji"], *row["OtherNames"].split(";")) if name]


FISH = read("fish.csv")
STRAYS = read("strays.csv")
EVERY_ROW = FISH + STRAYS
TEMPLATES = ["Name,{}", "Name,{}の写真", "Kanji,{}"]
EVERY_FILE = pytest.mark.parametrize("file", ["fish.csv", "strays.csv"])


@EVERY_FILE
def test_bytes_are_plain_utf_8(file: str) -> None:
    """A file is UTF-8 without BOM, with line feeds only and one at the end."""
    data = (CATALOGUE / file).read_bytes()

    assert not data.startswith(b"\xef\xbb\xbf")
    assert b"\r" not in data
    assert data.endswith(b"\n")
    assert not data.endswith(b"\n\n")
    assert data == data.decode("utf-8").encode("utf-8")


@EVERY_FILE
def test_header(file: str) -> None:
    """The header is the seven columns, and every line has seven fields."""
    with (CATALOGUE / file).open(encoding="utf-8", newline="") as stream:
        lines = list(csv.reader(stream, strict=True))

    assert lines[0] == HEADER
    assert {len(HEADER)} == {len(line) for line in lines}


def test_number_of_rows() -> None:
    """The catalogue holds about a hundred species and four strays."""
    assert 95 <= len(FISH) <= 110
    assert len(STRAYS) == 4


@pytest.mark.parametrize(("rows", "letter"), [(FISH, "F"), (STRAYS, "X")], ids=["fish", "strays"])
def test_ids_count_up(rows: list[Row], letter: str) -> None:
    """The ids are F001, F002, … for fish and X001, … for strays, so they are unique."""
    assert [f"{letter}{number:03d}" for number in range(1, len(rows) + 1)] == [row["FishID"] for row in rows]


@pytest.mark.parametrize("column", ["FishID", "Name", "Kanji", "English", "Scientific"])
def test_column_is_unique(column: str) -> None:
    """No two rows share an id or a name of any kind."""
    keys = [key(row[column]) for row in EVERY_ROW if row[column]]

    assert sorted(set(keys)) == sorted(keys)


def is_clean(text: str) -> bool:
    """Check that a text is NFC, printable, and has no space at either end."""
    return unicodedata.normalize("NFC", text).strip() == text and text.isprintable() and "\u3000" not in text


def test_text_is_clean() -> None:
    """Every field is NFC, printable, and has no space at either end."""
    assert ids_but(EVERY_ROW, lambda row: all(map(is_clean, row.values()))) == []


def test_text_fits_its_column() -> None:
    """Every field fits the column that stores it, counted in UTF-16 units as IRIS counts."""
    too_long = [
        (row["FishID"], name)
        for row in EVERY_ROW
        for name, width in WIDTHS.items()
        if len(row[name].encode("utf-16-le")) // 2 > width
    ]

    assert too_long == []


def test_name_is_katakana() -> None:
    """A name is katakana only."""
    assert ids_but(EVERY_ROW, lambda row: KATAKANA.fullmatch(row["Name"])) == []


def test_kanji_has_kanji() -> None:
    """The kanji field is empty or has at least one ideograph."""
    assert ids_but(EVERY_ROW, lambda row: not row["Kanji"] or IDEOGRAPH.search(row["Kanji"])) == []


def has_separate_names(row: Row) -> bool:
    """Check that the names of a row are neither empty nor padded, and that none repeats another."""
    names = [row["Name"], *filter(None, [row["Kanji"]]), *(row["OtherNames"].split(";") if row["OtherNames"] else [])]
    return sorted({name.strip() for name in names if name.strip()}) == sorted(names)


def test_other_names_are_separate_names() -> None:
    """Other names are neither empty nor padded, and none repeats another name of its row."""
    assert ids_but(EVERY_ROW, has_separate_names) == []


def test_every_name_leads_to_one_fish() -> None:
    """A name, other name or kanji belongs to one row only, hiragana and katakana being the same."""
    owners: dict[str, set[str]] = defaultdict(set)
    for row in EVERY_ROW:
        for name in names_of(row):
            owners[key(name).translate(TO_KATAKANA)].add(row["FishID"])

    assert {name: ids for name, ids in owners.items() if len(ids) > 1} == {}


def test_fish_is_classified() -> None:
    """A fish has a binomial, a family ending in -idae, and an English name in ASCII."""
    assert ids_but(FISH, lambda row: BINOMIAL.fullmatch(row["Scientific"])) == []
    assert ids_but(FISH, lambda row: FAMILY.fullmatch(row["Family"])) == []
    assert ids_but(FISH, lambda row: row["English"] and row["English"].isascii()) == []


def test_one_genus_has_one_family() -> None:
    """Species of one genus are in one family."""
    families: dict[str, set[str]] = defaultdict(set)
    for row in FISH:
        families[row["Scientific"].split()[0]].add(row["Family"])

    assert {genus: found for genus, found in families.items() if len(found) > 1} == {}


def test_growth_and_market_names() -> None:
    """The names of growth stages and of the market lead to their species."""
    found = {name: [row["Name"] for row in FISH if name in names_of(row)] for name in SPECIES}

    assert found == {name: [species] for name, species in SPECIES.items()}


def test_bundled_templates() -> None:
    """The bundled templates are those that the measurements and the descriptions name; each has a place for a name."""
    data = (CATALOGUE / "prompts.csv").read_bytes().decode("utf-8")

    assert data == "\n".join(["Column,Template", *TEMPLATES, ""])


def test_strays_are_no_fish() -> None:
    """A stray has neither species nor family, and no stray is in the catalogue."""
    assert {("", "")} == {(row["Scientific"], row["Family"]) for row in STRAYS}
    assert {"モクギョ", "タイヤキ", "コイノボリ", "カマボコ"} == {row["Name"] for row in STRAYS}
    assert set() == {row["Name"] for row in STRAYS} & {row["Name"] for row in FISH}
