"""Files of names and vectors become checked records, or an error that says where the fault is."""

from __future__ import annotations

import json
import unicodedata
from io import BytesIO
from typing import Any

import numpy as np
import pytest

from meetup2025 import files
from meetup2025.errors import InvalidFileError
from meetup2025.loading.records import FishRecord, VectorRecord, other_columns, read_names, read_vectors
from meetup2025.loading.spelling import composed, normal

HEADER = "FishID,Name,Kanji,OtherNames,English,Scientific,Family\n"
ONES = [1.0] * 512


def names(text: str | bytes) -> list[FishRecord]:
    """Read a catalogue."""
    return read_names(BytesIO(text.encode() if isinstance(text, str) else text), "fish.csv")


def pairs(text: str | bytes) -> list[tuple[str, str]]:
    """Read the FishIDs and Names of a catalogue."""
    return [(record.fish_id, record.name) for record in names(text)]


def refused_names(text: str | bytes) -> tuple[str, int, int]:
    """Give the message and the place of the error for a catalogue."""
    with pytest.raises(InvalidFileError) as caught:
        names(text)
    return str(caught.value), caught.value.line, caught.value.column


def test_other_columns_are_left_aside():
    """A column that the catalogue does not have is not read, and is told; `id` is the FishID."""
    text = "id,price,Name,\nF001,120,ブリ,\n"

    assert pairs(text) == [("F001", "ブリ")]
    assert other_columns(text.encode()) == ["price", ""]


def lines_of(*items: Any) -> bytes:
    """Write objects as JSON Lines."""
    return "".join(f"{json.dumps(item)}\n" for item in items).encode()


def vectors(data: bytes, table: str = "Fish") -> list[VectorRecord]:
    """Read a file of vectors."""
    return list(read_vectors(BytesIO(data), "v.jsonl", table))


def refused_vectors(data: bytes, table: str = "Fish") -> tuple[str, int]:
    """Give the message and the line of the error for a file of vectors."""
    with pytest.raises(InvalidFileError) as caught:
        vectors(data, table)
    return str(caught.value), caught.value.line


# --- spelling


@pytest.mark.parametrize(
    "written",
    [
        *("ブリ", "ﾌﾞﾘ", unicodedata.normalize("NFD", "ブリ")),
        *("\u3000ブリ ", "\tブリ\r\n", "\ufeffブリ", " \ufeff\u2028ブリ\x85"),
    ],
)
def test_one_spelling_of_a_name(written):
    """Half-width, decomposed and padded katakana are the one name."""
    assert normal(written) == "ブリ"


def test_blanks_inside_a_name():
    """Blanks of any kind and number between two words are one space."""
    assert normal("Ocean\u3000 \n Sunfish") == "Ocean Sunfish"


def test_spelling_of_a_file_name_keeps_the_file():
    """A file name is composed, and otherwise as the file has it."""
    assert composed(unicodedata.normalize("NFD", "ブリ") + " ﾌ①.jpg") == "ブリ ﾌ①.jpg"


# --- catalogues: what is read


@pytest.mark.parametrize(
    "text",
    [
        "FishID,Name\nF001,マアジ\nF002,ブリ\n",
        "FishID,Name\nF001,マアジ\nF002,ブリ",
        "\ufeffFishID,Name\nF001,マアジ\nF002,ブリ\n",
        "FishID,Name\r\nF001,マアジ\r\nF002,ブリ\r\n",
        "FishID,Name\rF001,マアジ\rF002,ブリ\r",
        "\n\nFishID,Name\n\nF001,マアジ\n,\n   \nF002,ブリ\n\n\n",
        '"FishID","Name"\n"F001","マアジ"\n"F002","ブリ"\n',
        "FishID,Name\n F001 ,\u3000マアジ\u3000\nF002,ブリ\n",
        "FishID,Name\nf001,ﾏｱｼﾞ\nf002,ブリ\n",
        "FishID,Name\nＦ００１,マアジ\nF002,ブリ\n",
        unicodedata.normalize("NFD", "FishID,Name\nF001,マアジ\nF002,ブリ\n"),
        "FISHID,name\nF001,マアジ\nF002,ブリ\n",
        "Name,FishID\nマアジ,F001\nブリ,F002\n",
        '\ufeff"fishid" , name\n'.replace(" ,", ",") + "F001,マアジ\nF002,ブリ\n",
    ],
)
def test_forms_of_a_catalogue(text):
    """BOM, line ends, empty lines, quotes, widths, cases and the order of the columns make no difference."""
    assert pairs(text) == [("F001", "マアジ"), ("F002", "ブリ")]


def test_all_columns():
    """Each column goes to its field, whatever the order of the columns."""
    text = "Family,Scientific,English,OtherNames,Kanji,Name,FishID\nfa,sc,en,ワカシ；イナダ,鰤,ブリ,F001\n"
    expected = FishRecord("F001", "ブリ", "鰤", "ワカシ;イナダ", "en", "sc", "fa")
    assert names(text) == [expected]


def test_columns_that_are_not_there():
    """A column that the file does not have is None, and one without a value is empty."""
    assert names("FishID,Name,Kanji\nF001,ブリ,\n") == [FishRecord("F001", "ブリ", "")]
    assert names("FishID,Name\nF001,ブリ\n")[0].kanji is None


def test_quoted_text():
    """Quotes keep commas and doubled quotes, and a line break inside them is a space."""
    record = names('FishID,Name,English\nF001,"ブ\nリ","a ""big"", silver fish"\nF002,サバ,b\n')
    assert [(each.name, each.english) for each in record] == [("ブ リ", 'a "big", silver fish'), ("サバ", "b")]


def test_sql_in_a_name():
    """SQL in a name is text."""
    assert pairs("FishID,Name\nF001,'); DROP TABLE MeetUp2025.Fish; --\n") == [
        ("F001", "'); DROP TABLE MeetUp2025.Fish; --")
    ]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_sizes_of_a_catalogue(count):
    """A header alone is a catalogue of no fish."""
    text = HEADER + "".join(f"F{at},name {at},,,,,\n" for at in range(count))
    assert [each.fish_id for each in names(text)] == [f"F{at}" for at in range(count)]


@pytest.mark.parametrize(("column", "longest"), [("FishID", 10), ("Name", 50), ("OtherNames", 200)])
def test_longest_text(column, longest):
    """A text that just fits is read, and one character more is refused where it stands."""
    columns = ["Kanji", "FishID", "Name", "OtherNames"]
    cells = {"Kanji": "鰤", "FishID": "F001", "Name": "ブリ", "OtherNames": "イナダ"}

    def text(length: int) -> str:
        return ",".join(columns) + "\n" + ",".join({**cells, column: "あ" * length}[each] for each in columns) + "\n"

    assert len(names(text(longest))) == 1
    message, *place = refused_names(text(longest + 1))
    assert f"{column} must have at most {longest} characters. Got {longest + 1}" in message
    assert place == [2, columns.index(column) + 1]


# --- catalogues: what is refused


@pytest.mark.parametrize(
    ("text", "reason", "line", "column"),
    [
        ("", "must have the column FishID. Got nothing", 1, 1),
        ("\n\n", "must have the column FishID. Got nothing", 1, 1),
        ("FishID,Kanji\nF001,鰤\n", "must have the column Name. Got FishID, Kanji", 1, 1),
        ("\nName\nブリ\n", "must have the column FishID", 2, 1),
        ("FishID,Name,NAME\n", "'NAME' is there twice", 1, 3),
        ("F001,ブリ\n", "must have the column FishID. Got F001, ブリ", 1, 1),
        ("FishID;Name\nF001;ブリ\n", "separated by commas. Got semicolons", 1, 1),
        ("FishID\tName\nF001\tブリ\n", "separated by commas. Got tabs", 1, 1),
        ("PK\x03\x04", "Got a file of Excel; save it as CSV", 1, 1),
        ("FishID,Name\nF001\n", "must have 2 fields, as its header. Got 1", 2, 2),
        ("FishID,Name\nF001,ブリ,鰤\n", "must have 2 fields, as its header. Got 3", 2, 3),
        ("FishID,Name\nF001,\n", "Name must not be empty", 2, 2),
        ("FishID,Name\n\u3000,ブリ\n", "FishID must not be empty", 2, 1),
        ("FishID,Name\nF001,ブリ\nF001,サバ\n", "F001 is also on line 2", 3, 1),
        ("FishID,Name\nF001,ブリ\n\nf001,サバ\n", "F001 is also on line 2", 4, 1),
        ("FishID,Name\nF001,ブリ\nF002,ﾌﾞﾘ\n", "ブリ is also on line 2", 3, 2),
        ("Name,FishID\nTai,F001\nTAI,F002\n", "TAI is also on line 2", 3, 1),
        ("FishID,Name\nF001,ブ\0リ\n", "", 2, None),
        ("FishID,Name\nF001,ブ\u200bリ\n", r"must hold visible characters only. Got '\u30d6\u200b\u30ea'", 2, 2),
        ("FishID,Name\nF001,\x1b[31mブリ\n", "must hold visible characters only", 2, 2),
        ('FishID,Name\nF001,"ブ\nリ"\nF002,"サバ\n', "must be a CSV file", 4, 1),
        ('FishID,Name\nF001,"ブリ"鰤\n', "must be a CSV file", 2, 1),
        ('FishID,Name\nF001,"a\nb"\nF001,c\n', "F001 is also on line 2", 4, 1),
    ],
)
def test_refused_catalogues(text, reason, line, column):
    """Whatever breaks a rule of a catalogue is refused with its line and field."""
    message, *place = refused_names(text)
    assert (reason in message, place) == (True, [line, column or place[1]])
    assert "fish.csv" in message


@pytest.mark.parametrize("name", ["ブリ", "鰤(ぶり)", "ﾌﾞﾘ"])
@pytest.mark.parametrize(
    ("codec", "told"), [("cp932", "Shift_JIS: iconv -f CP932"), ("euc-jp", "EUC-JP: iconv -f EUC-JP")]
)
def test_japanese_before_utf_8(codec, told, name):
    """Shift_JIS and EUC-JP are refused at the first byte that is not UTF-8, with the command that mends them."""
    name = "ブリ" if codec == "euc-jp" and name == "ﾌﾞﾘ" else name
    message, line, column = refused_names(f"FishID,Name\nF001,abc\nF002,{name}\n".encode(codec))
    assert (line, column) == (3, 2)
    assert f"it looks like {told} -t UTF-8 fish.csv" in message


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"FishID,Name\nF001,\x81\n", (2, 2)),
        ("FishID,Name\nF001,abc\n".encode("utf-16"), (1, 1)),
        ("FishID,Name\nF001,Hänfling\n".encode("latin-1"), (2, 2)),
        ("FishID,Name\nF001,Weißfisch\n".encode("latin-1"), (2, 2)),
        ("FishID,Name\nF001,poisson rêvé à l’ail\n".encode("cp1252"), (2, 2)),
        ("FishID,Name\nF001,刺身\n".encode("gb18030"), (2, 2)),
    ],
)
def test_another_encoding(data, place):
    """Bytes that make no Japanese by any encoding are given no other name."""
    message, *found = refused_names(data)
    assert ("must be UTF-8" in message, "looks like" in message, tuple(found)) == (True, False, place)


def test_catalogue_that_is_too_large(monkeypatch):
    """A file that would fill the memory is refused."""
    monkeypatch.setattr(files, "LARGEST_CSV", 1000)
    assert len(names("FishID,Name\n" + "\n" * 988)) == 0
    assert "must have at most" in refused_names("FishID,Name\n" + "\n" * 989)[0]


# --- vectors: what is read


@pytest.mark.parametrize(
    "item",
    [
        {"fishid": "F001", "fishname": "ブリ", "embedding": [2.0] * 512},
        {"fishid": "F001", "name": "ブリ", "features": ",".join(["0.5"] * 512)},
        {"fishid": "f001", "fishname": " ﾌﾞﾘ ", "features": [3] * 512},
        {"FishID": "F001", "Name": "ブリ", "Embedding": "[" + "1e-3, " * 511 + "1e-3]"},
        {"other": None, "fishname": "ブリ", "fishid": "F001", "embedding": [1e-200] * 512},
        {"fishid": "F001", "fishname": "ブリ", "embedding": [1e300] * 512},
    ],
)
def test_forms_of_a_vector(item):
    """Both forms of the workshop are read, with vectors of any norm; they come out with length 1."""
    (record,) = vectors(lines_of(item))
    assert (record.key, record.name) == ("F001", "ブリ")
    assert np.allclose(record.vector, 512**-0.5, rtol=0, atol=1e-15)


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        (7, "label must be a text, or null. Got 7"),
        (["鯛"], 'label must be a text, or null. Got ["鯛"]'),
        ("鯛" * 51, "label must have at most 50 characters"),
        ("鯛\u200b", "label must hold visible characters only"),
    ],
)
def test_labels_that_are_none(label, reason):
    """A label that the table cannot hold is refused."""
    message, number = refused_vectors(lines_of({"filename": "a.jpg", "features": ONES, "label": label}), "FishImage")
    assert (reason in message, number) == (True, 1), message


@pytest.mark.parametrize("member", ["filename", "name"])
def test_vectors_of_photos(member):
    """The key of a photo is its file name, composed."""
    (record,) = vectors(lines_of({member: unicodedata.normalize("NFD", "ブリ/1.jpg"), "features": ONES}), "FishImage")
    assert (record.key, record.name) == ("ブリ/1.jpg", "ブリ/1.jpg")


def test_vectors_of_photos_with_blanks():
    """A file name may have blanks of any width."""
    name = "IMG_0001\u3000(1)\u202f.png"
    (record,) = vectors(lines_of({"filename": name, "features": ONES}), "FishImage")
    assert record.key == name


def test_number_as_fish_id():
    """A FishID may be a number."""
    assert vectors(lines_of({"fishid": 7, "name": "ブリ", "features": ONES}))[0].key == "7"


@pytest.mark.parametrize("count", [0, 1, 2])
def test_sizes_of_a_file_of_vectors(count):
    """An empty file has no vectors; BOM, CRLF and empty lines make no difference."""
    rows = lines_of(*({"fishid": f"F{at}", "name": f"n{at}", "features": ONES} for at in range(count)))
    expected = [f"F{at}" for at in range(count)]
    assert [each.key for each in vectors(rows)] == expected
    if count:
        assert [each.key for each in vectors(b"\xef\xbb\xbf" + rows.replace(b"\n", b"\r\n\r\n  \n"))] == expected


def test_vectors_are_streamed(monkeypatch):
    """The records of a batch of lines are there before the next line is read."""
    monkeypatch.setattr("meetup2025.loading.records._LINES_AT_ONCE", 1)
    file = BytesIO(lines_of({"fishid": "F1", "name": "a", "features": ONES}) + b"junk\n")
    records = read_vectors(file, "v.jsonl", "Fish")
    assert next(records).key == "F1"
    with pytest.raises(InvalidFileError, match="line 2"):
        next(records)


# --- vectors: what is refused


def with_vector(value: str) -> bytes:
    """Write a good line, and one whose vector is the JSON text *value*."""
    return lines_of({"fishid": "F1", "name": "a", "features": ONES}) + (
        f'{{"fishid": "F2", "name": "b", "embedding": {value}}}\n'.encode()
    )


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (json.dumps(ONES[1:]), "must have 512 items. Got 511"),
        (json.dumps([*ONES, 1]), "must have 512 items. Got 513"),
        (json.dumps(",".join(["1"] * 511)), "must have 512 items. Got 511"),
        (json.dumps(",".join(["1"] * 513)), "must have 512 items. Got 513"),
        ("[]", "must have 512 items. Got 0"),
        (json.dumps([*ONES[1:], float("nan")]), "Got nan at item 512"),
        (json.dumps([float("inf"), *ONES[1:]]), "Got inf at item 1"),
        (json.dumps([-float("inf"), *ONES[1:]]), "Got -inf at item 1"),
        (f"[1e999{', 1' * 511}]", "Got inf at item 1"),
        (json.dumps("nan" + ",1" * 511), "Got nan at item 1"),
        (json.dumps([0.0] * 512), "Got 512 zeros"),
        (json.dumps(",".join(["0"] * 512)), "Got 512 zeros"),
        (json.dumps(["1"] * 512), "must hold numbers only"),
        (json.dumps([True, *ONES[1:]]), "must hold numbers only"),
        (json.dumps([None, *ONES[1:]]), "must hold numbers only"),
        (json.dumps([[1.0]] * 512), "must hold numbers only"),
        (json.dumps([ONES]), "must hold numbers only"),
        (f"[{'9' * 400}{', 1' * 511}]", "must be rows of numbers"),
        ('"error: out of memory"', "Got 'error: out of memory' at item 1"),
        ('""', "Got '' at item 1"),
        ("null", 'must have "embedding" or "features"'),
        ("true", 'must have "embedding" or "features"'),
        ("1", 'must have "embedding" or "features"'),
        ("{}", 'must have "embedding" or "features"'),
    ],
)
def test_refused_vectors(value, reason):
    """What is no vector of 512 finite numbers with a direction is refused with its line."""
    message, line = refused_vectors(with_vector(value))
    assert (reason in message, line) == (True, 2), message


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"junk", "must be a JSON object in UTF-8. Got junk: "),
        (b"\xff\xfe{\x00}\x00", r"must be a JSON object in UTF-8. Got \xff\xfe{"),
        ("魚".encode(), "must be a JSON object in UTF-8. Got 魚: "),
        (b'{"fishid": "F2", "name": "b", "features":', "must be a JSON object in UTF-8"),
        (b"[1, 2]", "must be a JSON object. Got [1, 2]."),
        (b"null", "must be a JSON object. Got null."),
        (b"[" * 100_000, "must be a JSON object in UTF-8"),
        (b'{"n": ' + b"9" * 5000 + b"}", "must be a JSON object in UTF-8"),
        (b"{}", "must have a text fishid or id. Got nothing"),
        (b'{"fishid": "F2"}', "must have a text fishname or name. Got fishid"),
        (b'{"fishid": true, "name": "b"}', "must have a text fishid"),
        (b'{"fishid": " ", "name": "b"}', "must have a text fishid"),
        (b'{"fishid": ["F2"], "name": "b"}', "must have a text fishid"),
        (b'{"fishid": "F2", "name": "b"}', 'must have "embedding" or "features"'),
        (b'{"fishid": "F1234567890", "name": "F1234567890"}', "FishID must have at most 10 characters. Got 11"),
        (b'{"fishid": "F2", "name": "' + b"b" * 51 + b'"}', "Name must have at most 50 characters. Got 51"),
        (b'{"fishid": "F2", "name": "\\u0000"}', "must hold visible characters only"),
        (b'{"fishid": "F2", "name": "\\ud83d"}', "must hold visible characters only"),
    ],
)
def test_refused_lines(line, reason):
    """A line that is not an object with a key, a name and a vector is refused with its number."""
    good = lines_of({"fishid": "F1", "name": "a", "features": ONES})
    message, number = refused_vectors(good + b"\n" + line + b"\n")
    assert (reason in message, number) == (True, 3), message
    assert message.startswith("v.jsonl: ")


def test_line_that_is_too_long():
    """A line that would fill the memory is refused when its first megabyte is read."""
    file = BytesIO(b'{"n": "' + b"x" * 2_000_000)
    with pytest.raises(InvalidFileError, match=r"A line must have at most 1 MB. \(line 1"):
        next(read_vectors(file, "v.jsonl", "Fish"))
    assert file.tell() == 1_000_001


def test_file_name_that_is_too_long():
    """A file name has at most 100 characters."""
    assert len(vectors(lines_of({"filename": "x" * 100, "features": ONES}), "FishImage")) == 1
    message, line = refused_vectors(lines_of({"filename": "x" * 101, "features": ONES}), "FishImage")
    assert ("at most 100 characters. Got 101" in message, line) == (True, 1)


@pytest.mark.parametrize(
    ("table", "first", "second", "reason"),
    [
        ("Fish", {"fishid": "F1", "name": "a"}, {"fishid": "f1", "name": "b"}, "Each fishid"),
        ("Fish", {"fishid": "F1", "name": "Tai"}, {"fishid": "F2", "name": "TAI"}, "Each name"),
        ("FishImage", {"filename": "a.jpg"}, {"filename": "A.JPG"}, "A.JPG is also on line 1"),
    ],
)
def test_doubled_keys(table, first, second, reason):
    """A key that appears twice is refused with both lines."""
    data = lines_of({**first, "features": ONES}) + b"\n" + lines_of({**second, "features": ONES})
    message, line = refused_vectors(data, table)
    assert (reason in message, "is also on line 1" in message, line) == (True, True, 3), message


def test_empty_lines_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of nothing but empty lines is refused at its limit, not read for minutes."""
    monkeypatch.setattr(files, "MOST_EMPTY_LINES", 3)
    assert list(read_vectors(BytesIO(b"\n" * 3), "a.jsonl", "Fish")) == []

    with pytest.raises(InvalidFileError, match=r"at most 3 empty lines\. Got more \(line 4"):
        list(read_vectors(BytesIO(b"\n" * 4), "a.jsonl", "Fish"))
