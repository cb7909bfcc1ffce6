"""Names that mean more: the vector of a name is the mean of its prompts, and each prompt is embedded once."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hashed import HashedEncoder

from meetup2025.errors import (
    DataError,
    ForbiddenPathError,
    IntegrityError,
    InvalidFileError,
    InvalidVectorError,
    ModelMismatchError,
)
from meetup2025.loading import names as loading, prompts, tables
from meetup2025.loading.prompts import BARE, Template, prompts_of, record, recorded
from meetup2025.loading.records import read_templates
from meetup2025.loading.rows import StoredFish
from meetup2025.vectors import from_text, mean

if TYPE_CHECKING:
    from pathlib import Path

    from meetup2025.engines import Connection

pytestmark = [pytest.mark.anywhere, pytest.mark.slow]

TWO = "FishID,Name,Kanji,OtherNames\nF001,マアジ,真鯵,アジ;ゼンゴ\nF002,ブリ,鰤,\n"
HEADER = "Column,Template\n"
PHOTOS = HEADER + "Name,{}\nName,{}の写真\nKanji,{}\n"
FISH = "SELECT FishID, Name, Prompts, Features FROM MeetUp2025.Fish ORDER BY FishID"
KEPT = "SELECT Model, %EXACT(Text), Features FROM MeetUp2025.Prompt ORDER BY Hash"


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few prompts have several batches."""
    monkeypatch.setattr(loading, "_BATCH", 2)
    monkeypatch.setattr(tables, "_BATCH", 2)


def chosen(text: str) -> frozenset[Template]:
    """Read a file of templates."""
    return read_templates(BytesIO(text.encode()), "prompts.csv")


def load(connection: Connection, names: str, file: str | None, encoder: HashedEncoder | None = None) -> int:
    """Load a catalogue, with a file of templates or bare."""
    of_names = chosen(file) if file else BARE
    return loading.load_names(connection, BytesIO(names.encode()), "fish.csv", encoder or HashedEncoder(), of_names)


def rows(connection: Connection, sql: str) -> list[Any]:
    """Give the rows of a SELECT."""
    with connection.cursor() as cursor:
        return cursor.execute(sql).fetchall()


def everything(connection: Connection) -> list[Any]:
    """Give all of the names and of the prompts kept."""
    return [rows(connection, FISH), rows(connection, KEPT)]


def vector_of(connection: Connection, name: str) -> np.ndarray:
    """Give the vector of a fish."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT Features FROM MeetUp2025.Fish WHERE Name = ?", [name])
        return from_text(cursor.fetchone()[0])


def expected(*texts: str, model: str = "hashed@1") -> np.ndarray:
    """Give the unit mean of the vectors of texts."""
    total = HashedEncoder(model).texts(texts).astype(np.float64).sum(axis=0)
    return total / np.linalg.norm(total)


def is_mean(connection: Connection, name: str, *texts: str, model: str = "hashed@1") -> bool:
    """Tell whether the vector of a fish is that of the texts; those of the model have the precision of float32."""
    return np.allclose(vector_of(connection, name), expected(*texts, model=model), rtol=0, atol=1e-7)


# --- prompts of a row

ROW = StoredFish("F001", "マアジ", "真鯵", "アジ;ゼンゴ", "jack mackerel", "Trachurus japonicus", "Carangidae")


@pytest.mark.parametrize(
    ("file", "texts"),
    [
        ("Name,{}\n", {"マアジ"}),
        ("Name,{}の写真\n", {"マアジの写真"}),
        ("Kanji,{}\nOtherNames,{}\n", {"真鯵", "アジ", "ゼンゴ"}),
        ("OtherNames,釣れた{}の絵\n", {"釣れたアジの絵", "釣れたゼンゴの絵"}),
        ("English,a photo of {}\nScientific,{}\n", {"a photo of jack mackerel", "Trachurus japonicus"}),
        ("Name,{}\nName,{}\nname, {} \n", {"マアジ"}),
    ],
)
def test_prompts_of_a_row(file, texts):
    """Each template takes each name of its column; what is there twice counts once."""
    found = prompts_of(replace(ROW, prompts=record(chosen(HEADER + file))))

    assert (set(found), len(found)) == (texts, len(texts))


@pytest.mark.parametrize("others", ["", ";", " ; ;", "マアジ;マアジ"])
def test_empty_and_doubled_names(others):
    """An empty other name is no prompt, and one that is the name counts once."""
    row = StoredFish("F001", "マアジ", other_names=others, prompts="Kanji {};Name {};OtherNames {}")

    assert prompts_of(row) == ["マアジ"]


def test_name_with_braces():
    """A name is put in as it is, whatever it looks like."""
    assert prompts_of(StoredFish("F001", "{}{0}", prompts="Name {}の写真")) == ["{}{0}の写真"]


def test_record():
    """What a row remembers is the same for any order, reads back, and is empty for the bare name."""
    lines = ["Name,{}", "Kanji,{} の 写真", "English,a photo of {}"]
    one, other = (chosen(HEADER + "\n".join(order)) for order in (lines, [*reversed(lines), lines[0]]))

    assert record(one) == record(other) == "English a photo of {};Kanji {} の 写真;Name {}"
    assert recorded(record(one)) == one
    assert (record(BARE), recorded("")) == ("", BARE)


# --- the file


def test_file_of_templates():
    """A file is read as a catalogue is: any order of columns, any case, half width, with a BOM."""
    text = "\ufeffTEMPLATE,column\r\n{}ﾉ写真,ＮＡＭＥ\r\n\r\n"

    assert chosen(text) == {Template("Name", "{}ノ写真")}


@pytest.mark.parametrize(
    ("file", "words", "line", "column"),
    [
        (HEADER + "Name,{}\nName,写真\n", "must have {} once", 3, 2),
        (HEADER + "Name,{}と{}\n", "must have {} once", 2, 2),
        ("Template,Column\n{name},Name\n", "must have {} once", 2, 1),
        (HEADER + "Name,{};{}\n", "must have {} once", 2, 2),
        (HEADER + "Name,{};\n", "no semicolon", 2, 2),
        (HEADER + "Name,\n", "must not be empty", 2, 2),
        (HEADER + ",{}\n", "must not be empty", 2, 1),
        (HEADER + "Family,{}\n", "Column must be one of Name, Kanji", 2, 1),
        (HEADER + f"Name,{{}}{'あ' * prompts.LONGEST}\n", "at most 100 characters", 2, 2),
        (HEADER + "Name,{}\x07\n", "visible", 2, 2),
        (HEADER + "Name\n", "must have 2 fields", 2, 2),
        (HEADER, "must have a template", 1, 1),
        ("", "must have the column Column", 1, 1),
        ("Column\nName\n", "must have the column Template", 1, 1),
        ("Column,Template,Weight\n", "must have a template", 1, 1),
        (HEADER + "".join(f"Name,{{}}{at:090}\n" for at in range(50)), "all in 4000 characters", 1, 1),
    ],
)
def test_refused_file_of_templates(file, words, line, column):
    """What is no template is refused, with the line and the field."""
    with pytest.raises(InvalidFileError) as caught:
        chosen(file)
    assert words in str(caught.value)
    assert f"(line {line}, column {column})" in str(caught.value)


# --- the mean


def test_mean_of_directions():
    """The mean is of unit vectors, so that a long one counts as a short one; it has length 1."""
    assert np.allclose(mean([[3.0, 0.0], [0.0, 0.5]]), [0.5**0.5, 0.5**0.5], rtol=0, atol=1e-15)
    assert np.linalg.norm(mean(HashedEncoder().texts(["a", "b", "c"]))) == pytest.approx(1, abs=1e-15)


def test_mean_of_one():
    """One vector comes back to the last bit."""
    [vector] = HashedEncoder().texts(["マアジ"])

    assert np.array_equal(mean(vector[None]), vector)


def test_mean_of_opposites():
    """Vectors that cancel out have no mean: rounding must not make one up."""
    [vector] = HashedEncoder().texts(["マアジ"])
    with pytest.raises(InvalidVectorError, match="2 that cancel out"):
        mean(np.stack([vector, -vector * np.float32(3)]))


# --- LoadNames


def test_vector_is_the_mean(connection):
    """The vector of a name is the mean of its prompts, and the row remembers the templates."""
    assert load(connection, TWO, PHOTOS) == 2
    assert is_mean(connection, "マアジ", "マアジ", "マアジの写真", "真鯵")
    assert is_mean(connection, "ブリ", "ブリ", "ブリの写真", "鰤")
    assert [row[2] for row in rows(connection, FISH)] == ["Kanji {};Name {};Name {}の写真"] * 2
    assert {row[1] for row in rows(connection, KEPT)} == {"マアジ", "マアジの写真", "真鯵", "ブリ", "ブリの写真", "鰤"}


def test_bare_name(connection):
    """Without templates a vector is that of the name, to the last bit, and nothing is kept or remembered."""
    assert load(connection, TWO, None) == 2
    assert np.array_equal(vector_of(connection, "ブリ"), HashedEncoder().texts(["ブリ"])[0])
    assert [row[2] for row in rows(connection, FISH)] == [None, None]
    assert rows(connection, KEPT) == []
    assert load(connection, TWO, HEADER + "Name,{}\n") == 0


def test_same_templates_again(connection):
    """The same templates in another order change nothing, and embed nothing."""
    load(connection, TWO, PHOTOS)
    before, encoder = everything(connection), HashedEncoder()
    assert load(connection, TWO, HEADER + "kanji,{}\nName,{}の写真\nName,{}\nName,{}\n", encoder) == 0
    assert (everything(connection), encoder.made) == (before, [])


def test_other_templates(connection):
    """Other templates change the vectors, and only new texts are embedded; without any the names are bare again."""
    load(connection, TWO, PHOTOS)
    encoder = HashedEncoder()
    assert load(connection, TWO, HEADER + "Name,{}\nKanji,{}の絵\n", encoder) == 2
    assert encoder.made == ["真鯵の絵", "鰤の絵"]
    assert is_mean(connection, "マアジ", "マアジ", "真鯵の絵")
    assert load(connection, TWO, None) == 2
    assert np.array_equal(vector_of(connection, "マアジ"), HashedEncoder().texts(["マアジ"])[0])
    assert load(connection, TWO, PHOTOS, encoder := HashedEncoder()) == 2
    assert (encoder.made, is_mean(connection, "ブリ", "ブリ", "ブリの写真", "鰤")) == ([], True)


def test_new_other_name(connection):
    """An other name that is added is embedded, and it alone; the other rows stay."""
    file = HEADER + "Name,{}\nOtherNames,{}\n"
    load(connection, TWO, file)
    encoder = HashedEncoder()
    assert load(connection, TWO.replace("アジ;ゼンゴ", "ゼンゴ;マメアジ;;アジ"), file, encoder) == 1
    assert encoder.made == ["マメアジ"]
    assert is_mean(connection, "マアジ", "マアジ", "アジ", "ゼンゴ", "マメアジ")


def test_order_of_other_names(connection):
    """Names in another order are stored so, with the same vector to the last bit."""
    file = HEADER + "OtherNames,{}\nName,{}\n"
    load(connection, TWO, file)
    before, encoder = vector_of(connection, "マアジ"), HashedEncoder()
    assert load(connection, TWO.replace("アジ;ゼンゴ", "ゼンゴ;アジ"), file, encoder) == 1
    assert (encoder.made, np.array_equal(vector_of(connection, "マアジ"), before)) == ([], True)


def test_words_that_are_no_prompt(connection):
    """A changed word of a column without a template is written without a new vector."""
    load(connection, TWO, HEADER + "Kanji,{}\n")
    before, encoder = vector_of(connection, "ブリ"), HashedEncoder()
    assert load(connection, TWO.replace("F002,ブリ", "F002,ハマチ"), HEADER + "Kanji,{}\n", encoder) == 1
    assert (encoder.made, np.array_equal(vector_of(connection, "ハマチ"), before)) == ([], True)


def test_template_without_effect_on_a_row(connection):
    """A template that gives a row no text is remembered by the row, whose vector stays."""
    load(connection, TWO, HEADER + "Name,{}\n")
    encoder = HashedEncoder()
    assert load(connection, TWO, HEADER + "Name,{}\nOtherNames,{}\n", encoder) == 2
    assert rows(connection, "SELECT Prompts FROM MeetUp2025.Fish WHERE FishID = 'F002'") == [("Name {};OtherNames {}",)]
    assert is_mean(connection, "ブリ", "ブリ")
    assert "ブリ" not in encoder.made


def test_names_that_change_hands(connection):
    """Names may be exchanged where they are no prompts."""
    file = HEADER + "Kanji,{}\n"
    load(connection, TWO, file)
    exchanged = "FishID,Name\nF001,ブリ\nF002,マアジ\n"
    assert load(connection, exchanged, file) == 2
    assert [row[:2] for row in rows(connection, FISH)] == [("F001", "ブリ"), ("F002", "マアジ")]
    assert is_mean(connection, "ブリ", "真鯵")


def test_row_without_a_prompt(connection):
    """A row that has no name for any template is refused by name, before anything is embedded or stored."""
    load(connection, TWO, PHOTOS)
    before, encoder = everything(connection), HashedEncoder()
    with pytest.raises(DataError, match=r"ブリ \(F002\) has none of OtherNames \{\}"):
        load(connection, TWO, HEADER + "OtherNames,{}\n", encoder)
    assert (everything(connection), encoder.made) == (before, [])


def test_texts_that_differ_in_case(connection):
    """A text in another case is another text, and is kept as one."""
    names = "FishID,Name,English\nF001,a,SABA\nF002,b,saba\n"
    assert load(connection, names, HEADER + "English,{}\n") == 2
    assert sorted(row[1] for row in rows(connection, KEPT)) == ["SABA", "saba"]
    assert load(connection, names, HEADER + "English,{}\nName,{}\n", encoder := HashedEncoder()) == 2
    assert (encoder.made, is_mean(connection, "a", "a", "SABA")) == (["a", "b"], True)


def test_prompts_of_another_model(connection, monkeypatch):
    """What another model has made is not taken: it embeds all, and both are kept."""
    monkeypatch.setattr(tables, "installed", lambda: [SimpleNamespace(model="hashed@1", int8=None)])
    load(connection, TWO, PHOTOS)
    with pytest.raises(ModelMismatchError, match="hashed@1; this is other@1"):
        load(connection, "FishID,Name\nF001,マアジ\n", PHOTOS, HashedEncoder("other@1"))
    assert load(connection, TWO, PHOTOS, encoder := HashedEncoder("other@1")) == 2
    assert len(encoder.made) == 6
    assert is_mean(connection, "マアジ", "マアジ", "マアジの写真", "真鯵", model="other@1")
    assert sorted(row[0] for row in rows(connection, KEPT)) == ["hashed@1"] * 6 + ["other@1"] * 6


def test_bare_names_beside_means(connection):
    """Names with and without prompts may be in one table: they are of one model, and each row says what it is."""
    load(connection, TWO, PHOTOS)
    assert load(connection, "FishID,Name\nF003,サンマ\n", None) == 1
    assert [row[2] is None for row in rows(connection, FISH)] == [False, False, True]


def test_prompts_may_be_deleted(connection):
    """Without what was kept, a load makes the same vectors again."""
    load(connection, TWO, PHOTOS)
    before = everything(connection)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM MeetUp2025.Prompt")
        cursor.execute("DELETE FROM MeetUp2025.Fish")
    connection.commit()
    assert load(connection, TWO, PHOTOS) == 2
    assert everything(connection) == before


def test_kept_prompts_are_exact(connection):
    """A vector made of what was kept is, to the last bit, that made of what the model gives."""
    load(connection, TWO, PHOTOS)
    before = everything(connection)
    load(connection, TWO, None)
    load(connection, TWO, PHOTOS, encoder := HashedEncoder())
    assert (everything(connection), encoder.made) == (before, [])


@pytest.mark.parametrize("fails_at", [1, 3, 6])
def test_failing_model(connection, fails_at):
    """A model that fails leaves names and prompts as before, in a transaction of the caller too."""
    load(connection, "FishID,Name\nF001,マアジ\n", None)
    before = everything(connection)
    with pytest.raises(RuntimeError, match="out of memory"):
        load(connection, TWO, PHOTOS, HashedEncoder(fails_at=fails_at))
    connection.commit()
    assert everything(connection) == before


def test_failing_write(connection, monkeypatch):
    """A prompt that cannot be written takes the names back too."""
    load(connection, "FishID,Name\nF001,マアジ\n", None)
    before = everything(connection)
    connection.commit()
    monkeypatch.setattr(loading, "prompt_key", lambda *_: "one key for all")
    with pytest.raises(IntegrityError):
        load(connection, TWO, PHOTOS)
    assert everything(connection) == before


def test_vectors_made_elsewhere(connection):
    """A vector from elsewhere is of no prompts, and the next load with templates replaces it."""
    load(connection, TWO, PHOTOS)
    line = b'{"fishid": "F002", "name": "\xe3\x83\x96\xe3\x83\xaa", "embedding": [' + b"1," * 511 + b"1]}"
    assert loading.load_vectors(connection, BytesIO(line), "v.jsonl", "Fish", "hashed@1") == 1
    assert [row[2] is None for row in rows(connection, FISH)] == [False, True]
    assert load(connection, TWO, PHOTOS) == 1
    assert is_mean(connection, "ブリ", "ブリ", "ブリの写真", "鰤")


# --- from SQL


@pytest.fixture
def allowed(photos: Path) -> Path:
    """Folder that SQL may read, with a catalogue and two files of templates."""
    (photos / "fish.csv").write_text(TWO, "utf-8")
    (photos / "mine.csv").write_text(HEADER + "Name,{}の絵\n", "utf-8")
    (photos / "wrong.csv").write_text(HEADER + "Name,{}\nName,絵\n", "utf-8")
    return photos


def loaded(connection: Connection, arguments: str, *parameters: Any) -> int:
    """Call `LoadNames` from SQL."""
    with connection.cursor() as cursor:
        return cursor.execute(f"SELECT MeetUp2025.LoadNames({arguments})", parameters).fetchone()[0]


@pytest.mark.usefixtures("allowed")
def test_templates_from_sql(connection):
    """LoadNames takes a file of templates, of the user or the package; none, empty or NULL, is the bare name."""
    told = "SELECT DISTINCT %EXACT(Prompts) FROM MeetUp2025.FishCatalogue()"

    assert (loaded(connection, "'fish.csv', 'mine.csv'"), rows(connection, told)) == (2, [("Name {}の絵",)])
    assert loaded(connection, "?, ?", "fish.csv", "mine.csv") == 0
    assert (loaded(connection, "'fish.csv'"), rows(connection, told)) == (2, [(None,)])
    assert [loaded(connection, "'fish.csv', ?", none) for none in ("", None)] == [0, 0]
    assert loaded(connection, "'fish.csv', 'catalogue/prompts.csv'") == 2
    assert rows(connection, told) == [("Kanji {};Name {};Name {}の写真",)]


@pytest.mark.usefixtures("allowed")
def test_refused_templates_from_sql(connection):
    """A file of templates with a fault, or that may not be read, loads nothing."""
    with pytest.raises(InvalidFileError, match=r"wrong.csv: .* \(line 3, column 2\)"):
        loaded(connection, "'fish.csv', 'wrong.csv'")
    for path in ("none.csv", "../fish.csv", " "):
        with pytest.raises(ForbiddenPathError, match="below MEETUP2025_PHOTOS"):
            loaded(connection, "'fish.csv', ?", path)
    assert rows(connection, "SELECT COUNT(*) FROM MeetUp2025.Fish") == [(0,)]


def test_bundled_templates_still_name_the_samples(bundled):
    """With the bundled templates sketch names each sample, the one that is no fish included."""
    with bundled.cursor() as cursor:
        photos = cursor.execute("SELECT Name, Label FROM MeetUp2025.FishImage").fetchall()
        assert len(photos) == 12
        for file in ("fish", "strays"):
            cursor.execute("SELECT MeetUp2025.LoadNames(?, 'catalogue/prompts.csv')", [f"catalogue/{file}.csv"])
        for photo, label in photos:
            named = cursor.execute("CALL MeetUp2025.Identify(?, 1)", [f"samples/{photo}"]).fetchone()
            assert (photo, named[1]) == (photo, label)


@pytest.mark.parametrize(
    ("languages", "prompts"),
    [((), [""]), (("ja",), [""]), (("ja", "en"), [""]), (("en",), ["English a photo of a {}"])],
)
def test_templates_that_fit_the_model(connection, photos, monkeypatch, languages, prompts):
    """Without chosen templates a model that knows English alone gets English names, and any other the bare names."""
    encoder = HashedEncoder()
    encoder.languages = languages
    encoder.check = lambda: None
    monkeypatch.setattr("meetup2025.procedures.encoder", lambda: encoder)
    (photos / "fish.csv").write_text("FishID,Name,English\nF001,マアジ,jack mackerel\n", "utf-8")
    rows(connection, f"SELECT MeetUp2025.LoadNames('{photos / 'fish.csv'}')")

    assert [row[0] or "" for row in rows(connection, "SELECT Prompts FROM MeetUp2025.Fish")] == prompts
    assert encoder.made == (["a photo of a jack mackerel"] if prompts != [""] else ["マアジ"])


@pytest.mark.parametrize(
    ("text", "languages", "again"),
    [
        ("", ("en",), "English a photo of a {}"),
        ("English a photo of a {}", ("ja", "en"), ""),
        ("English a photo of a {}", ("en",), "English a photo of a {}"),
        ("Kanji {}の写真", ("en",), "Kanji {}の写真"),
        ("", (), ""),
    ],
)
def test_templates_for_another_model(text, languages, again):
    """For another model, templates that were chosen stay, and those that fitted the former one change."""
    assert prompts.refitted(text, languages) == again


def test_catalogue_without_english(connection, photos, monkeypatch):
    """A catalogue without English names is refused for a model that knows English alone."""
    encoder = HashedEncoder()
    encoder.languages = ("en",)
    encoder.check = lambda: None
    monkeypatch.setattr("meetup2025.procedures.encoder", lambda: encoder)
    (photos / "fish.csv").write_text("FishID,Name\nF001,マアジ\n", "utf-8")

    with pytest.raises(DataError, match="Each name must have a prompt"):
        rows(connection, f"SELECT MeetUp2025.LoadNames('{photos / 'fish.csv'}')")
