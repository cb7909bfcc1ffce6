"""A folder of photos becomes rows: labelled, embedded once, and nothing is left out in silence."""

from __future__ import annotations

import hashlib
import os
import sys
import unicodedata
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hashed import HashedEncoder
from pictures import encoded
from PIL import Image

from meetup2025 import files, images
from meetup2025.errors import DataError, IntegrityError, InvalidFileError, ModelMismatchError, ProgrammingError
from meetup2025.loading import names, photos
from meetup2025.vectors import from_text

if TYPE_CHECKING:
    from pathlib import Path

    from meetup2025.engines import Connection

pytestmark = [pytest.mark.anywhere, pytest.mark.slow]

FISH = """FishID,Name,Kanji,OtherNames,English,Scientific
F001,マアジ,真鯵,アジ;ゼンゴ,horse mackerel,Trachurus japonicus
F002,ブリ,鰤,ワカシ;イナダ,yellowtail,Seriola quinqueradiata
"""
ALL = "SELECT Name, Label, Source, Hash, Model, Features FROM MeetUp2025.FishImage ORDER BY Name"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty folder below an allowed one."""
    folder = tmp_path / "allowed" / "photos"
    folder.mkdir(parents=True)
    monkeypatch.setenv("MEETUP2025_PHOTOS", str(tmp_path / "allowed"))
    return folder


def draw(shade: int) -> bytes:
    """Draw a picture of one colour."""
    return encoded(Image.new("RGB", (4, 4), (shade, shade // 2, 0)))


def put(folder: Path, *names: str) -> None:
    """Put a picture of its own under each name."""
    for shade, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(draw(shade))


def load(connection: Connection, folder: Path, encoder: HashedEncoder | None = None) -> int:
    """Load a folder."""
    return photos.load_images(connection, folder, encoder or HashedEncoder())


def rows(connection: Connection, sql: str = ALL) -> list[Any]:
    """Give the rows of a SELECT."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def stored_names(connection: Connection) -> list[str]:
    """Give the names in the order in which they were stored."""
    return [name for (name,) in rows(connection, "SELECT Name FROM MeetUp2025.FishImage ORDER BY %ID")]


def labels(connection: Connection) -> dict[str, str]:
    """Give the label of each photo."""
    return dict(rows(connection, "SELECT Name, Label FROM MeetUp2025.FishImage"))


def left_out(connection: Connection) -> dict[str, str]:
    """Give the photos that were left out, and why."""
    return dict(rows(connection, "SELECT Name, Reason FROM MeetUp2025.SkippedImage"))


def execute(connection: Connection, sql: str) -> None:
    """Run a statement, and commit."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
    connection.commit()


# --- what is read


@pytest.mark.parametrize("count", [0, 1, 2])
def test_photos_are_added(connection, folder, count):
    """Each photo becomes a row with its source, hash, model and vector; a folder of none adds none."""
    put(folder, *(f"{at}.png" for at in range(count)))
    assert load(connection, folder) == count
    found = rows(connection)
    assert [row[:5] for row in found] == [
        (f"{at}.png", None, str(folder), hashlib.sha256(draw(at)).hexdigest(), "hashed@1") for at in range(count)
    ]
    for at, row in enumerate(found):
        expected = HashedEncoder().images([images.open_picture(draw(at), longest=16)])[0]
        assert np.allclose(from_text(row[5]), expected, rtol=0, atol=1e-12)


def test_many_photos(connection, folder):
    """A folder of 200 photos is stored in the order of the names, each with the vector of its own picture."""
    names = [f"{at:03}.png" for at in range(200)]
    put(folder, *names)
    assert load(connection, folder) == 200
    assert stored_names(connection) == names
    for at in (0, 31, 32, 199):
        expected = HashedEncoder().images([images.open_picture(draw(at), longest=16)])[0]
        assert np.allclose(from_text(rows(connection)[at][5]), expected, rtol=0, atol=1e-12)


def test_order(connection, folder):
    """Photos are embedded in the order of their names below the folder, whatever the file system says."""
    put(folder, "b/2.png", "z.png", "a.png", "b/1.png", "c/d/e.png", "ア.png")
    load(connection, folder)
    assert stored_names(connection) == ["a.png", "b/1.png", "b/2.png", "c/d/e.png", "z.png", "ア.png"]


def test_what_is_no_photo(connection, folder):
    """Hidden files and folders, and files that are no photos by their names, are neither read nor listed."""
    no_photos = (".hidden.png", "._a.png", ".thumbnails/a.png", "sub/.b.png", "notes.txt", "png", "b.png.part")
    put(folder, "a.PNG", "folder.jpg/c.webp", *no_photos)
    load(connection, folder)
    assert stored_names(connection) == ["a.PNG", "folder.jpg/c.webp"]
    assert left_out(connection) == {}


def test_decomposed_file_name(connection, folder):
    """A file name as macOS writes it is stored composed, labelled, and not loaded twice."""
    names.load_names(connection, BytesIO(FISH.encode()), "fish.csv", HashedEncoder())
    put(folder, unicodedata.normalize("NFD", "ブリ/ブリ1.png"))
    assert load(connection, folder) == 1
    assert labels(connection) == {"ブリ/ブリ1.png": "ブリ"}
    assert load(connection, folder) == 0


@pytest.mark.parametrize(
    "name",
    [
        *("'); DROP TABLE MeetUp2025.FishImage; --.png", "a b .png", "%.png", "?.png", "①.png", "ﾌﾞﾘ.png"),
        *("IMG_0001\u3000(1).png", "Screenshot 9.41\u202fAM.png", "釣果\u3000２０２５年/a\xa0b.png", "\ue000.png"),
        *("👩\u200d🍳.png", "❤\ufe0f.png", "🏴\U000e0067\U000e0062\U000e007f.png", "葛\U000e0100.png"),
    ],
)
def test_odd_file_names(connection, folder, name):
    """A file name is stored as it is: with blanks of any width, emoji, and characters of one's own."""
    put(folder, name)
    assert load(connection, folder) == 1
    assert stored_names(connection) == [unicodedata.normalize("NFC", name)]


# --- labels


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("マアジ/001.png", "マアジ"),
        ("真鯵/001.png", "マアジ"),
        ("ゼンゴ/001.png", "マアジ"),
        ("2025/ワカシ/夏/001.png", "ブリ"),
        ("ワカシ/真鯵/001.png", "マアジ"),
        ("マアジ.png", "マアジ"),
        ("マアジ_2.png", "マアジ"),
        ("マアジ (12).png", "マアジ"),
        ("マアジ　一.png", "マアジ"),
        ("003-イナダ.png", "ブリ"),
        ("ｲﾅﾀﾞ２.png", "ブリ"),
        ("アジ/鰤1.png", "ブリ"),
        ("001.png", None),
        ("マアジの刺身.png", None),
        ("タイ/001.png", None),
        ("F001.png", None),
        ("Horse mackerel/001.png", "マアジ"),
        ("Seriola_quinqueradiata_2.png", "ブリ"),
        ("_.png", None),
    ],
)
def test_labels(connection, folder, name, label):
    """A photo is labelled by its file name, or else by the nearest subfolder, with any name of the fish."""
    names.load_names(connection, BytesIO(FISH.encode()), "fish.csv", HashedEncoder())
    put(folder, name)
    load(connection, folder)
    assert labels(connection) == {name: label}


def test_labels_follow_the_catalogue(connection, folder):
    """Once the catalogue knows the name, the photo gets its label, and is not embedded again."""
    put(folder, "ワカシ.png", "other.png")
    load(connection, folder)
    names.load_names(connection, BytesIO(FISH.encode()), "fish.csv", HashedEncoder())
    before, encoder = rows(connection), HashedEncoder()
    assert load(connection, folder, encoder) == 1
    assert (labels(connection), encoder.made) == ({"ワカシ.png": "ブリ", "other.png": None}, [])
    assert [row[5] for row in rows(connection)] == [row[5] for row in before]


def test_label_set_by_hand(connection, folder):
    """A label that was set by SQL stays where the file name says none, also when the file changes."""
    put(folder, "a.png")
    load(connection, folder)
    execute(connection, "UPDATE MeetUp2025.FishImage SET Label = 'ブリ'")
    assert load(connection, folder) == 0
    (folder / "a.png").write_bytes(draw(9))
    assert (load(connection, folder), labels(connection)) == (1, {"a.png": "ブリ"})


def test_labels_file(connection, folder):
    """The file labels.csv labels photos, by any name of the fish or another one, before their own names do."""
    names.load_names(connection, BytesIO(FISH.encode()), "fish.csv", HashedEncoder())
    put(folder, "IMG_1.png", "IMG_2.png", "ワカシ.png")
    lines = ["file,name", "img_1.png,ワカシ", "IMG_2.png,モクギョ", "ワカシ.png,カマボコ"]
    (folder / "labels.csv").write_text("\n".join(lines), "utf-8")
    load(connection, folder)
    assert labels(connection) == {"IMG_1.png": "ブリ", "IMG_2.png": "モクギョ", "ワカシ.png": "カマボコ"}


def test_labels_of_no_file(connection, folder):
    """A line of labels.csv that names no photo of the folder is listed, as it is written; the others count."""
    put(folder, "a.png")
    (folder / "labels.csv").write_text("File,Name\na.png,鯛\nNone.png,鯛\nsub/a.png,鯛\n", "utf-8")
    assert (load(connection, folder), labels(connection)) == (1, {"a.png": "鯛"})
    assert sorted(left_out(connection)) == ["None.png", "sub/a.png"]
    assert "labels.csv names it, but the folder has no such photo" in left_out(connection)["None.png"]


@pytest.mark.parametrize("name", ["IMG_0001\u3000(1).png", "9.41\u202fAM.png", "釣果\u3000２０２５年/1.png"])
def test_labels_file_with_blanks(connection, folder, name):
    """A labels.csv names a file with blanks of any width."""
    put(folder, name)
    (folder / "labels.csv").write_text(f"File,Name\n{name},鯛\n", "utf-8")
    load(connection, folder)
    assert (labels(connection), left_out(connection)) == ({name: "鯛"}, {})


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [("File\na.png\n", 1, 1), ("File,Name\na.png,\n", 2, 2), ("File,Name\na.png,x\nA.PNG,y\n", 3, 1)],
)
def test_broken_labels_file(connection, folder, text, line, column):
    """A labels.csv that breaks a rule is refused with its place, and nothing is loaded."""
    put(folder, "a.png")
    (folder / "labels.csv").write_text(text, "utf-8")
    with pytest.raises(InvalidFileError) as caught:
        load(connection, folder)
    assert (caught.value.line, caught.value.column, labels(connection)) == (line, column, {})


# --- which row a file belongs to


def test_same_name_in_another_folder(connection, folder):
    """Another photo of a name that is there gets the name of its folder before its own; the first one stays."""
    put(folder, "1/cam/IMG_1.png", "2/cam/IMG_1.png", "2/cam/IMG_2.png")
    load(connection, folder / "1")
    before = rows(connection)
    assert load(connection, folder / "2") == 2
    assert stored_names(connection) == ["cam/IMG_1.png", "2/cam/IMG_1.png", "cam/IMG_2.png"]
    assert [row for row in rows(connection) if row[0] == "cam/IMG_1.png"] == before
    assert load(connection, folder / "2") == load(connection, folder / "1") == 0


def test_prefix(connection, folder):
    """With a prefix, the names of new photos begin with it, and the files are found again with and without it."""
    put(folder, "1/IMG_1.png", "2/IMG_1.png")
    assert load(connection, folder / "1") == 1
    assert photos.load_images(connection, folder / "2", HashedEncoder(), "/night 2/") == 1
    assert stored_names(connection) == ["IMG_1.png", "night 2/IMG_1.png"]
    for prefix in ("night 2", "", "other"):
        assert photos.load_images(connection, folder / "2", HashedEncoder(), prefix) == 0
    (folder / "2" / "IMG_1.png").write_bytes(draw(9))
    assert photos.load_images(connection, folder / "2", HashedEncoder(), "night 2") == 1
    assert len(stored_names(connection)) == 2


@pytest.mark.parametrize("first", ["", "1", "1/cam"])
@pytest.mark.parametrize("second", ["", "1", "1/cam"])
def test_folder_and_its_parent(connection, folder, first, second):
    """A folder, its parent, or either of them again give one row for each photo, and embed each photo once."""
    put(folder, "1/cam/a.png", "1/cam/b.png", "2/cam/a.png")
    encoder = HashedEncoder()
    for each in (first, second, first, ""):
        load(connection, folder / each, encoder)
    assert (len(stored_names(connection)), len(encoder.made)) == (3, 3)
    assert load(connection, folder) == 0


def test_renamed_files(connection, folder):
    """Files that were renamed and moved keep their rows and labels; a new file under an old name gets another row."""
    put(folder, "a.png", "b.png", "c.png")
    load(connection, folder)
    execute(connection, "UPDATE MeetUp2025.FishImage SET Label = 'ブリ' WHERE Name = 'a.png'")
    before, encoder = rows(connection), HashedEncoder()
    (folder / "sub").mkdir()
    (folder / "a.png").rename(folder / "z.png")
    (folder / "b.png").rename(folder / "a.png")
    (folder / "c.png").rename(folder / "sub" / "c.png")
    (folder / "b.png").write_bytes(draw(9))
    assert load(connection, folder, encoder) == 1
    after = {row[0]: row for row in rows(connection)}
    assert [after[row[0]] for row in before] == before
    assert (len(encoder.made), sorted(after)) == (1, ["a.png", "b.png", "c.png", f"{folder.name}/b.png"])


def test_edited_file(connection, folder):
    """A file that was edited keeps its row, also where the folder above it is loaded."""
    put(folder, "1/a.png", "1/b.png")
    load(connection, folder / "1")
    (folder / "1" / "a.png").write_bytes(draw(9))
    assert load(connection, folder) == 1
    assert stored_names(connection) == ["a.png", "b.png"]
    assert rows(connection)[0][3] == hashlib.sha256(draw(9)).hexdigest()


@pytest.mark.parametrize("labels", [("", ""), ("ブリ", ""), ("", "ブリ"), ("ブリ", "マアジ")])
def test_copies(connection, folder, labels):
    """A copy has no row of its own. The first file with a label labels the photo, in each load anew."""
    names.load_names(connection, BytesIO(FISH.encode()), "fish.csv", HashedEncoder())
    for at, label in enumerate(labels):
        path = folder / str(at) / label / "a.png"
        path.parent.mkdir(parents=True)
        path.write_bytes(draw(1))
    load(connection, folder)
    [(name, label)] = rows(connection, "SELECT Name, Label FROM MeetUp2025.FishImage")
    assert (name.startswith("0/"), label) == (True, next(filter(None, labels), None))
    assert load(connection, folder) == 0


def test_rows_of_copies(connection, folder):
    """Two rows of one content, as an earlier version made them, stay two, each with the label of its file."""
    names.load_names(connection, BytesIO(FISH.encode()), "fish.csv", HashedEncoder())
    put(folder, "ブリ/a.png")
    load(connection, folder)
    (folder / "マアジ").mkdir()
    (folder / "マアジ" / "a.png").write_bytes(draw(0))
    copy = "SELECT 'マアジ/a.png', 'マアジ', Source, Hash, Model, Features FROM MeetUp2025.FishImage"
    execute(connection, f"INSERT INTO MeetUp2025.FishImage (Name, Label, Source, Hash, Model, Features) {copy}")
    assert load(connection, folder) == 0
    assert labels(connection) == {"ブリ/a.png": "ブリ", "マアジ/a.png": "マアジ"}


def test_free_name_that_is_too_long(connection, folder):
    """A photo whose free name is too long is listed."""
    long = f"{'x' * 90}.png"
    put(folder, "a.png", long)
    load(connection, folder)
    for name in ("a.png", long):
        (folder / name).rename(folder / name.replace(".png", "1.png"))
        (folder / name).write_bytes(draw(ord(name[0])))
    assert load(connection, folder) == 1
    assert (stored_names(connection)[-1], list(left_out(connection))) == (f"{folder.name}/a.png", [long])
    assert "must have at most 100 characters" in left_out(connection)[long]


def test_prefix_that_no_name_may_have(connection, folder):
    """A prefix that is too long or cannot be seen is refused."""
    put(folder, "a.png")
    for prefix in ("x" * 51, "a\u200b"):
        with pytest.raises(DataError, match="A prefix must"):
            photos.load_images(connection, folder, HashedEncoder(), prefix)
    assert stored_names(connection) == []


def test_empty_folder(connection, folder):
    """A folder without photos is listed: its drive may not be mounted."""
    assert load(connection, folder) == 0
    assert "must have photos. Got none" in left_out(connection)["photos"]


# --- loading again


def test_same_folder_again(connection, folder):
    """Loading the same folder again changes nothing and embeds nothing."""
    put(folder, "a.png", "b.png")
    load(connection, folder)
    before, encoder = rows(connection), HashedEncoder()
    assert load(connection, folder, encoder) == 0
    assert (rows(connection), encoder.made) == (before, [])


def test_thumbnails(connection, folder):
    """Each photo has one thumbnail, of the picture that it has now, and at most 96 pixels wide or high."""
    put(folder, "a.png", "b.png")
    (folder / "wide.png").write_bytes(encoded(Image.new("RGB", (400, 200), "blue")))
    encoder = HashedEncoder()
    encoder.picture_size = 128
    load(connection, folder, encoder)
    (folder / "a.png").write_bytes(encoded(Image.new("RGB", (300, 600), "red")))
    load(connection, folder, encoder)
    found = dict(rows(connection, "SELECT Name, Picture FROM MeetUp2025.Thumbnail"))
    shown = {name: images.open_picture(picture) for name, picture in found.items()}

    assert {name: each.size for name, each in shown.items()} == {
        "a.png": (48, 96),
        "b.png": (4, 4),
        "wide.png": (96, 48),
    }
    assert rows(connection, "SELECT COUNT(*) FROM MeetUp2025.Thumbnail") == [(3,)]
    assert np.allclose(shown["a.png"].getpixel((5, 5)), (254, 0, 0), atol=5)


def test_changed_photo(connection, folder):
    """A photo whose bytes changed is embedded again, and it alone; a new one is added; a missing one stays."""
    put(folder, "a.png", "b.png", "c.png")
    load(connection, folder)
    before, encoder = rows(connection), HashedEncoder()
    (folder / "b.png").write_bytes(draw(77))
    (folder / "d.png").write_bytes(draw(88))
    (folder / "c.png").unlink()
    assert load(connection, folder, encoder) == 2
    after = rows(connection)
    assert (len(encoder.made), len(after)) == (2, 4)
    assert [old == new for old, new in zip(before, after, strict=False)] == [True, False, True]


def test_moved_folder(connection, folder, tmp_path):
    """The same photos from another folder get its path, and are not embedded again."""
    put(folder, "a.png")
    load(connection, folder)
    moved, encoder = folder.rename(tmp_path / "allowed" / "moved"), HashedEncoder()
    assert load(connection, moved, encoder) == 1
    assert (rows(connection, "SELECT Source FROM MeetUp2025.FishImage"), encoder.made) == ([(str(moved),)], [])


@pytest.mark.skipif(sys.platform != "linux", reason="other file systems know no case")
def test_names_that_differ_by_case(connection, folder):
    """Of names that differ by case alone, or by their composition, the first is loaded and the others are listed."""
    put(folder, "A.png", "a.png", unicodedata.normalize("NFC", "ブ.png"), unicodedata.normalize("NFD", "ブ.png"))
    assert load(connection, folder) == 2
    assert stored_names(connection) == ["A.png", "ブ.png"]
    assert left_out(connection) == {
        "a.png": "A file name must occur once. A.png differs only in case.",
        "ブ.png": "A file name must occur once. ブ.png differs only in case.",
    }
    assert load(connection, folder) == 0
    assert load(connection, folder, HashedEncoder("other@1")) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="other file systems know no case")
@pytest.mark.parametrize(("one", "other"), [("İ", "i"), ("ϴ", "θ"), ("ẞ", "ß"), ("ı", "i"), ("ς", "σ")])
def test_names_that_are_equal_in_one_case_alone(connection, folder, one, other):
    """Of names equal as small letters or as capitals, one is loaded and one listed; another load changes nothing."""
    put(folder, f"{one}.png", f"{other}.png")

    assert load(connection, folder) == 1
    assert len(left_out(connection)) == 1
    before = rows(connection)
    put(folder, f"{one}.png", f"{other}.png", f"{one}.png")
    assert load(connection, folder) in (0, 1)
    assert load(connection, folder) == 0
    assert [row[0] for row in rows(connection)] == [row[0] for row in before]


@pytest.mark.embedded
@pytest.mark.parametrize(("one", "other"), [("İ", "i"), ("ϴ", "θ"), ("ẞ", "ß"), ("ı", "i")])
def test_index_knows_what_comparisons_take_for_one(connection, one, other):
    """A name that a comparison, or IRIS, would take for another one is refused by the index."""
    insert = "INSERT INTO MeetUp2025.FishImage (Name, Model, Features) VALUES (?, 'm', TO_VECTOR(?, DOUBLE))"
    with connection.cursor() as cursor:
        cursor.execute(insert, [one, np.ones(512)])
        with pytest.raises(IntegrityError, match="must be unique"):
            cursor.execute(insert, [other, np.ones(512)])


@pytest.mark.skipif(sys.platform != "linux", reason="other file systems know no case")
def test_renamed_by_case(connection, folder):
    """A photo whose name changed by case alone is the same row."""
    put(folder, "a.png")
    load(connection, folder)
    (folder / "a.png").rename(folder / "A.png")
    assert load(connection, folder) == 0


# --- models


def test_photos_of_another_model(connection, folder):
    """Vectors of another model than those that stay are refused, naming both, before anything is embedded."""
    put(folder, "a.png", "b.png")
    load(connection, folder)
    (folder / "b.png").unlink()
    before, encoder = rows(connection), HashedEncoder("other@1")
    with pytest.raises(ModelMismatchError, match=r"MeetUp2025.FishImage .* has hashed@1; this is other@1"):
        load(connection, folder, encoder)
    assert (rows(connection), encoder.made) == (before, [])


def test_whole_folder_with_another_model(connection, folder):
    """A folder that has all photos of the table may be loaded with another model."""
    put(folder, "a.png", "b.png")
    load(connection, folder)
    assert load(connection, folder, HashedEncoder("other@1")) == 2
    assert {row[4] for row in rows(connection)} == {"other@1"}


def test_broken_photo_of_another_model(connection, folder):
    """A photo that is broken by now keeps its old vector, so that another model is refused."""
    put(folder, "a.png", "b.png")
    load(connection, folder)
    (folder / "b.png").write_bytes(b"broken")
    before = rows(connection)
    with pytest.raises(ModelMismatchError, match="has hashed@1; this is other@1"):
        load(connection, folder, HashedEncoder("other@1"))
    assert (rows(connection), left_out(connection)) == (before, {})


# --- what is left out


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("empty.png", b"", "Got zero bytes"),
        ("text.jpg", b"not a picture", "must be one of JPEG, PNG"),
        ("cut.png", draw(1)[:-30], "is broken"),
        (f"{'x' * 97}.png", draw(1), "must have at most 100 characters. Got 101"),
        ("a\u200b.png", draw(1), r"must hold visible characters only. Got 'a\u200b.png'"),
        ("a\n.png", draw(1), "must hold visible characters only"),
        ("a\u2028.png", draw(1), "must hold visible characters only"),
        ("a\u202e.png", draw(1), "must hold visible characters only"),
    ],
)
def test_broken_photos(connection, folder, name, data, reason):
    """A broken photo, or one whose name no column holds, is listed with the reason; the others are loaded."""
    put(folder, "good.png")
    (folder / name).write_bytes(data)
    assert load(connection, folder) == 1
    assert stored_names(connection) == ["good.png"]
    assert reason in left_out(connection).pop(name)


def test_mended_photo(connection, folder):
    """The list is that of the latest load."""
    put(folder, "good.png")
    (folder / "bad.png").write_bytes(b"")
    load(connection, folder)
    assert list(left_out(connection)) == ["bad.png"]
    (folder / "bad.png").write_bytes(draw(5))
    assert (load(connection, folder), left_out(connection)) == (1, {})


def test_photo_that_is_too_large(connection, folder, monkeypatch):
    """A file of too many bytes is listed."""
    monkeypatch.setattr(files, "LARGEST_PICTURE", 100)
    put(folder, "small.png")
    (folder / "large.png").write_bytes(draw(1) + b"\0" * 100)
    assert load(connection, folder) == 1
    assert "must have at most" in left_out(connection)["large.png"]


def test_links(connection, folder, tmp_path):
    """A link that leads out of the allowed folder is listed and never read; one that stays inside is a photo."""
    outside = tmp_path / "outside"
    put(outside, "secret.png", "more/secret.png")
    put(folder, "good.png")
    (folder / "inside.png").symlink_to(folder / "good.png")
    (folder / "outside.png").symlink_to(outside / "secret.png")
    (folder / "nowhere.png").symlink_to(outside / "nothing.png")
    (folder / "more").symlink_to(outside / "more", target_is_directory=True)
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    assert load(connection, folder) == 1
    assert stored_names(connection) == ["good.png"]  # of which inside.png is a copy
    reasons = left_out(connection)
    assert sorted(reasons) == ["loop", "more", "nowhere.png", "outside.png"]
    assert all("not a file below MEETUP2025_PHOTOS" in reasons[name] for name in ("nowhere.png", "outside.png"))
    assert all("is not followed" in reasons[name] for name in ("loop", "more"))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no FIFO")
def test_pipe(connection, folder):
    """A pipe with the name of a photo is listed, and does not hang the load."""
    os.mkfifo(folder / "pipe.png")
    assert load(connection, folder) == 0
    assert "not a file" in left_out(connection)["pipe.png"]


@pytest.mark.skipif(sys.platform != "linux", reason="other file systems hold Unicode only")
def test_file_name_of_another_encoding(connection, folder):
    """A file name that is not UTF-8 is listed with its bytes as escapes."""
    (folder / os.fsdecode("ブリ.png".encode("cp932"))).write_bytes(draw(1))
    assert load(connection, folder) == 0
    (reason,) = left_out(connection).values()
    assert "must hold visible characters only" in reason


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read every folder")
def test_folder_that_may_not_be_read(connection, folder):
    """A subfolder without permission is listed."""
    put(folder, "a.png", "closed/b.png")
    (folder / "closed").chmod(0)
    try:
        assert load(connection, folder) == 1
        assert "cannot be read" in left_out(connection)["closed"]
    finally:
        (folder / "closed").chmod(0o700)


# --- what a load that ends early keeps


@pytest.mark.parametrize(("fails_at", "kept"), [(1, 0), (33, 32), (70, 64)])
def test_failing_model(connection, folder, fails_at, kept):
    """A model that fails in the middle leaves whole portions, and a second load embeds the rest alone."""
    connection.autocommit = True
    put(folder, *(f"{at:02}.png" for at in range(70)))
    with pytest.raises(RuntimeError, match="out of memory"):
        load(connection, folder, HashedEncoder(fails_at=fails_at))
    assert len(rows(connection)) == kept
    assert rows(connection, "SELECT COUNT(*) FROM MeetUp2025.Thumbnail") == [(kept,)]
    encoder = HashedEncoder()
    assert load(connection, folder, encoder) == len(encoder.made) == 70 - kept


def test_failing_model_of_other_vectors(connection, folder):
    """Vectors of another model are replaced all or none, because the table holds vectors of one model."""
    put(folder, *(f"{at:02}.png" for at in range(40)))
    (folder / "bad.png").write_bytes(b"")
    load(connection, folder)
    before = rows(connection), left_out(connection)
    with pytest.raises(RuntimeError, match="out of memory"):
        load(connection, folder, HashedEncoder("other@1", fails_at=35))
    assert (rows(connection), left_out(connection)) == before


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_load_inside_a_transaction(connection, folder, end):
    """A load inside a transaction of the caller is part of it."""
    put(folder, "a.png")
    load(connection, folder)
    connection.commit()
    put(folder, "a.png", "b.png")
    (folder / "bad.png").write_bytes(b"")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM MeetUp2025.FishImage WHERE Name = 'a.png'")
    assert load(connection, folder) == 2
    getattr(connection, end)()
    names = ["a.png", "b.png"] if end == "commit" else ["a.png"]
    assert sorted(stored_names(connection)) == names
    assert list(left_out(connection)) == (["bad.png"] if end == "commit" else [])


def test_error_of_the_table(connection, folder, monkeypatch):
    """An error while the rows of a portion are written takes back the rows of it before the error."""
    put(folder, "a.png")
    load(connection, folder)
    execute(connection, "UPDATE MeetUp2025.FishImage SET Source = 'elsewhere'")
    before = rows(connection)
    put(folder, "a.png", *(f"{at}.png" for at in range(20)))
    monkeypatch.setattr(photos, "_UPDATE_WORDS", "UPDATE MeetUp2025.Nothing SET Label = ?, Source = ? WHERE Name = ?")
    connection.autocommit = True
    with pytest.raises(ProgrammingError, match="Nothing"):
        load(connection, folder)
    assert rows(connection) == before
