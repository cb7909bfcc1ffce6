"""The rules that the fish catalogue and the strays keep."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import defaultdict
from pathlib import Path

import pytest

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
FAMILY = re.compile(r"[A-Z][a-z]+idae")
TO_KATAKANA = {code: code + 0x60 for code in range(ord("ぁ"), ord("ゖ") + 1)}

Row = dict[str, str]


def read(file: str) -> list[Row]:
    """Read the rows of a file."""
    with (CATALOGUE / file).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, strict=True))


def key(name: str) -> str:
    """Give what two spellings of one name have in common."""
    return unicodedata.normalize("NFKC", name).upper()


def names_of(row: Row) -> list[str]:
    """Give every name of a row, but for the English and the scientific one."""
    return [name for name in (row["Name"], row["Kanji"], *row["OtherNames"].split(";")) if name]


FISH = read("fish.csv")
STRAYS = read("strays.csv")
EVERY_ROW = [pytest.param(row, id=row["FishID"]) for row in FISH + STRAYS]
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
    keys = [key(row[column]) for row in FISH + STRAYS if row[column]]

    assert sorted(set(keys)) == sorted(keys)


@pytest.mark.parametrize("row", EVERY_ROW)
def test_text_is_clean(row: Row) -> None:
    """Every field is NFC, printable, and has no space at either end."""
    assert {column: unicodedata.normalize("NFC", text).strip() for column, text in row.items()} == row
    assert all(text.isprintable() for text in row.values())
    assert "\u3000" not in "".join(row.values())


@pytest.mark.parametrize("row", EVERY_ROW)
def test_text_fits_its_column(row: Row) -> None:
    """Every field fits the column that stores it, counted in UTF-16 units as IRIS counts."""
    too_long = [name for name, width in WIDTHS.items() if len(row[name].encode("utf-16-le")) // 2 > width]

    assert too_long == []


@pytest.mark.parametrize("row", EVERY_ROW)
def test_name_is_katakana(row: Row) -> None:
    """A name is katakana only."""
    assert KATAKANA.fullmatch(row["Name"])


@pytest.mark.parametrize("row", EVERY_ROW)
def test_kanji_has_kanji(row: Row) -> None:
    """The kanji field is empty or has at least one ideograph."""
    assert not row["Kanji"] or re.search(r"[\u4e00-\u9fff\U00020000-\U0002ffff]", row["Kanji"])


@pytest.mark.parametrize("row", EVERY_ROW)
def test_other_names_are_separate_names(row: Row) -> None:
    """Other names are neither empty nor padded, and none repeats another name of its row."""
    names = [row["Name"], row["Kanji"], *(row["OtherNames"].split(";") if row["OtherNames"] else [])]

    assert sorted({name.strip() for name in names if name.strip()}) == sorted(names)


def test_every_name_leads_to_one_fish() -> None:
    """A name, other name or kanji belongs to one row only, hiragana and katakana being the same."""
    owners: dict[str, set[str]] = defaultdict(set)
    for row in FISH + STRAYS:
        for name in names_of(row):
            owners[key(name).translate(TO_KATAKANA)].add(row["FishID"])

    assert {name: ids for name, ids in owners.items() if len(ids) > 1} == {}


@pytest.mark.parametrize("row", [pytest.param(row, id=row["FishID"]) for row in FISH])
def test_fish_is_classified(row: Row) -> None:
    """A fish has a binomial, a family ending in -idae, and an English name in ASCII."""
    assert BINOMIAL.fullmatch(row["Scientific"])
    assert FAMILY.fullmatch(row["Family"])
    assert row["English"].isascii()
    assert row["English"]


def test_one_genus_has_one_family() -> None:
    """Species of one genus are in one family."""
    families: dict[str, set[str]] = defaultdict(set)
    for row in FISH:
        families[row["Scientific"].split()[0]].add(row["Family"])

    assert {genus: found for genus, found in families.items() if len(found) > 1} == {}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ワカシ", "ブリ"),
        ("イナダ", "ブリ"),
        ("ワラサ", "ブリ"),
        ("ハマチ", "ブリ"),
        ("メジロ", "ブリ"),
        ("セイゴ", "スズキ"),
        ("フッコ", "スズキ"),
        ("オボコ", "ボラ"),
        ("トド", "ボラ"),
        ("ヨコワ", "クロマグロ"),
        ("アジ", "マアジ"),
        ("鯖", "マサバ"),
        ("シャケ", "サケ"),
        ("ノドグロ", "アカムツ"),
    ],
)
def test_growth_and_market_names(name: str, expected: str) -> None:
    """The names of growth stages and of the market lead to their species."""
    assert [expected] == [row["Name"] for row in FISH if name in names_of(row)]


def test_bundled_templates() -> None:
    """The bundled templates are those that the measurements and the descriptions name; each has a place for a name."""
    data = (CATALOGUE / "prompts.csv").read_bytes().decode("utf-8")

    assert data == "\n".join(["Column,Template", *TEMPLATES, ""])


def test_strays_are_no_fish() -> None:
    """A stray has neither species nor family, and no stray is in the catalogue."""
    assert {("", "")} == {(row["Scientific"], row["Family"]) for row in STRAYS}
    assert {"モクギョ", "タイヤキ", "コイノボリ", "カマボコ"} == {row["Name"] for row in STRAYS}
    assert set() == {row["Name"] for row in STRAYS} & {row["Name"] for row in FISH}
