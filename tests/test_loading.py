"""Names and vectors from files into tables: what is new or different is written, all of it or nothing."""

from __future__ import annotations

import json
import weakref
from io import BytesIO
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hashed import HashedEncoder
from pictures import encoded
from PIL import Image

from meetup2025.engines.exchange import write_parquet
from meetup2025.errors import DataError, IntegrityError, InvalidFileError, ModelMismatchError
from meetup2025.loading import names, photos, tables
from meetup2025.loading.tables import names_of_fish
from meetup2025.vectors import from_text

if TYPE_CHECKING:
    from meetup2025.engines import Connection

pytestmark = [pytest.mark.anywhere, pytest.mark.slow]

TWO = "FishID,Name,Kanji\nF001,マアジ,真鯵\nF002,ブリ,鰤\n"
WORDS = "Kanji, OtherNames, English, Scientific, Family"


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let files of a few lines have several batches."""
    monkeypatch.setattr(names, "_BATCH", 2)
    monkeypatch.setattr(tables, "_BATCH", 2)


def load_names(connection: Connection, text: str, encoder: HashedEncoder | None = None) -> int:
    """Load a catalogue."""
    return names.load_names(connection, BytesIO(text.encode()), "fish.csv", encoder or HashedEncoder())


def load_vectors(connection: Connection, items: Any, table: str = "Fish", model: str = "clip") -> int:
    """Load vectors from objects, or from the bytes of a file."""
    data = items if isinstance(items, bytes) else "".join(f"{json.dumps(item)}\n" for item in items).encode()
    return names.load_vectors(connection, BytesIO(data), "v.jsonl", table, model)


def rows(connection: Connection, sql: str = "SELECT FishID, Name FROM MeetUp2025.Fish ORDER BY FishID") -> list[Any]:
    """Give the rows of a SELECT."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def everything(connection: Connection) -> list[Any]:
    """Give all of all tables."""
    fish = f"SELECT FishID, Name, {WORDS}, Model, Features FROM MeetUp2025.Fish ORDER BY FishID"
    photos = "SELECT Name, Label, Source, Hash, Model, Features FROM MeetUp2025.FishImage ORDER BY Name"
    return [rows(connection, sql) for sql in (fish, photos)]


def execute(connection: Connection, sql: str, *parameters: Any) -> None:
    """Run a statement."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def vector_of(connection: Connection, name: str) -> np.ndarray:
    """Give the vector of a fish."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT Features FROM MeetUp2025.Fish WHERE Name = ?", [name])
        return from_text(cursor.fetchone()[0])


def axis(at: int, norm: float = 1.0) -> list[float]:
    """Give a vector along an axis."""
    return [norm if place == at else 0.0 for place in range(512)]


def fish(fish_id: str, name: str, at: int = 0, norm: float = 1.0) -> dict[str, Any]:
    """Give a line of a file of vectors."""
    return {"fishid": fish_id, "fishname": name, "embedding": axis(at, norm)}


def photo(name: str, at: int = 0) -> dict[str, Any]:
    """Give a line of a file of vectors of photos."""
    return {"filename": name, "features": axis(at)}


def photo_of(fish_id: str, name: str, at: int = 0) -> dict[str, Any]:
    """Give a line for a photo of a fish."""
    return photo(f"{fish_id}/{name}.jpg", at)


# --- LoadNames


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_names_are_added(connection, count):
    """Each name becomes a row with the unit vector of the name, and the number of rows is given."""
    text = "FishID,Name\n" + "".join(f"F{at:04},name {at}\n" for at in range(count))
    assert load_names(connection, text) == count
    assert rows(connection) == [(f"F{at:04}", f"name {at}") for at in range(count)]
    if count:
        expected = HashedEncoder().texts(["name 0"])[0]
        assert np.allclose(vector_of(connection, "name 0"), expected, rtol=0, atol=1e-12)


def test_all_columns_are_stored(connection):
    """Each column of the file is in its column of the table; a text that is not there is NULL."""
    load_names(connection, "FishID,Name,Family,OtherNames\nF001,ブリ,Carangidae,ワカシ;イナダ\n")
    found = rows(connection, f"SELECT FishID, Name, {WORDS}, Model FROM MeetUp2025.Fish")
    assert found == [("F001", "ブリ", None, "ワカシ;イナダ", None, None, "Carangidae", "hashed@1")]


def test_same_names_again(connection):
    """Loading the same file again changes nothing and embeds nothing."""
    load_names(connection, TWO)
    before, encoder = everything(connection), HashedEncoder()
    assert load_names(connection, TWO, encoder) == 0
    assert (everything(connection), encoder.made) == (before, [])


def test_other_spelling_again(connection):
    """Another case of a FishID and another width of a name are the same row."""
    load_names(connection, TWO)
    assert load_names(connection, "Name,FishID\nﾏｱｼﾞ,f001\n") == 0


def test_changed_words(connection):
    """A changed kanji is written without embedding the name again."""
    load_names(connection, TWO)
    before, encoder = vector_of(connection, "ブリ"), HashedEncoder()
    assert load_names(connection, TWO.replace(",鰤", ",鰤魚"), encoder) == 1
    assert rows(connection, "SELECT Kanji FROM MeetUp2025.Fish WHERE FishID = 'F002'") == [("鰤魚",)]
    assert (encoder.made, np.array_equal(before, vector_of(connection, "ブリ"))) == ([], True)


def test_words_are_taken_away(connection):
    """An empty value in the file empties the column."""
    load_names(connection, TWO)
    assert load_names(connection, "FishID,Name,Kanji\nF002,ブリ,\n") == 1
    assert rows(connection, "SELECT FishID, Kanji FROM MeetUp2025.Fish ORDER BY FishID") == [
        ("F001", "真鯵"),
        ("F002", None),
    ]


def test_columns_that_are_not_in_the_file(connection):
    """A column that the file does not have keeps its values, also when the name changes."""
    load_names(connection, TWO)
    assert load_names(connection, "FishID,Name\nF001,マアジ\nF002,ハマチ\n") == 1
    assert rows(connection, "SELECT Name, Kanji FROM MeetUp2025.Fish WHERE FishID = 'F002'") == [("ハマチ", "鰤")]


def test_changed_name(connection):
    """A new name for a FishID is embedded; the others are not."""
    load_names(connection, TWO)
    encoder = HashedEncoder()
    assert load_names(connection, TWO.replace("ブリ", "カンパチ"), encoder) == 1
    assert (rows(connection), encoder.made) == ([("F001", "マアジ"), ("F002", "カンパチ")], ["カンパチ"])
    assert np.allclose(vector_of(connection, "カンパチ"), HashedEncoder().texts(["カンパチ"])[0], rtol=0, atol=1e-12)


def test_rows_not_in_the_file_stay(connection):
    """A load takes no row away."""
    load_names(connection, TWO)
    assert load_names(connection, "FishID,Name\nF003,サンマ\n") == 1
    assert rows(connection) == [("F001", "マアジ"), ("F002", "ブリ"), ("F003", "サンマ")]


@pytest.mark.parametrize(
    "names",
    [
        {"F001": "B", "F002": "A", "F003": "C"},
        {"F001": "b", "F002": "A", "F003": "C"},
        {"F001": "B", "F002": "C", "F003": "A"},
        {"F001": "B", "F002": "D", "F003": "C"},
        {"F001": "D", "F002": "A", "F003": "B", "F004": "C"},
        {"F001": "D", "F004": "A"},
        {"F001": "a", "F002": "B"},
    ],
)
@pytest.mark.parametrize("kind", ["names", "vectors"])
def test_names_move_between_fish_ids(connection, names, kind):
    """Names may be exchanged, or handed on in a chain, whatever their order in the file."""

    def load(names: dict[str, str]) -> int:
        if kind == "vectors":
            return load_vectors(connection, [fish(key, name, ord(name[0])) for key, name in names.items()])
        return load_names(connection, "FishID,Name\n" + "".join(f"{key},{name}\n" for key, name in names.items()))

    before = {"F001": "A", "F002": "B", "F003": "C"}
    load(before)
    changed = [key for key, name in names.items() if before.get(key) != name]
    assert load(names) == len(changed)
    assert dict(rows(connection)) == {**before, **names}
    assert load(names) == 0


@pytest.mark.parametrize("kind", ["names", "vectors"])
def test_name_of_another_fish_id(connection, kind):
    """A name that another FishID keeps is refused with both, and nothing changes."""
    load_names(connection, TWO)
    before = everything(connection)
    lines = [fish("F008", "サンマ"), fish("F009", "ブリ")]
    with pytest.raises(IntegrityError, match=r"ブリ would have F002.* and F009"):
        _ = (
            load_names(connection, "FishID,Name\nF008,サンマ\nF009,ブリ\n")
            if kind == "names"
            else load_vectors(connection, lines, model="hashed@1")
        )
    assert everything(connection) == before


@pytest.mark.parametrize("name", ["'); DROP TABLE MeetUp2025.Fish; --", "'' OR 1=1", "%", "?", ":k", '"', "{fn NOW()}"])
def test_sql_in_a_name(connection, name):
    """SQL in a name is stored as text, by both loads."""
    quoted = name.replace('"', '""')
    assert load_names(connection, f'FishID,Name\nF001,"{quoted}"\n') == 1
    assert load_vectors(connection, [fish("F002", f"{name}!")], model="hashed@1") == 1
    assert rows(connection) == [("F001", name), ("F002", f"{name}!")]


@pytest.mark.parametrize("text", ["FishID\nF001\n", TWO + "F002,サバ,\n", TWO + f"F003,{'あ' * 51},\n", TWO + "F003\n"])
def test_refused_file_of_names(connection, text):
    """A file with a fault in its last line leaves the table as before."""
    load_names(connection, "FishID,Name\nF001,アジ\n")
    before, encoder = everything(connection), HashedEncoder()
    with pytest.raises(InvalidFileError):
        load_names(connection, text, encoder)
    assert (everything(connection), encoder.made) == (before, [])


def test_failing_model(connection):
    """A model that fails in the middle leaves the table as before, inside a transaction of the caller too."""
    load_names(connection, TWO)
    before = everything(connection)
    text = TWO.replace("ブリ", "カンパチ") + "F003,サンマ,\nF004,サバ,\n"
    with pytest.raises(RuntimeError, match="out of memory"):
        load_names(connection, text, HashedEncoder(fails_at=2))
    assert everything(connection) == before
    execute(connection, "DELETE FROM MeetUp2025.Fish WHERE FishID = 'F001'")
    with pytest.raises(RuntimeError, match="out of memory"):
        load_names(connection, text, HashedEncoder(fails_at=2))
    connection.commit()
    assert everything(connection)[0] == before[0][1:]


def test_rows_inserted_by_hand(connection):
    """A row of the workshop, without a model, is taken over: spelled, and embedded."""
    execute(connection, "INSERT INTO MeetUp2025.Fish (FishID, Name) VALUES ('f001', 'ﾏｱｼﾞ')")
    connection.commit()
    assert load_names(connection, TWO) == 2
    assert rows(connection)[1] == ("F002", "ブリ")
    assert rows(connection, "SELECT Name, Kanji, Model FROM MeetUp2025.Fish WHERE FishID = 'F001'") == [
        ("マアジ", "真鯵", "hashed@1")
    ]
    assert load_names(connection, TWO) == 0


def test_progress(connection, capsys):
    """Where there is no terminal, a load prints nothing."""
    load_names(connection, TWO)
    load_vectors(connection, [photo("a.jpg")], "FishImage")
    assert tuple(capsys.readouterr()) == ("", "")


# --- models


def test_names_of_another_model(connection):
    """Vectors of another model than those that stay are refused, naming both."""
    load_names(connection, TWO)
    before = everything(connection)
    with pytest.raises(ModelMismatchError, match=r"(?s)hashed@1; this is other@1.*MEETUP2025_MODEL") as caught:
        load_names(connection, "FishID,Name\nF001,マアジ\nF003,サンマ\n", HashedEncoder("other@1"))
    assert "MeetUp2025.Fish" in str(caught.value)
    assert everything(connection) == before


def test_whole_catalogue_with_another_model(connection, monkeypatch):
    """A file that replaces every row may bring another model, where the vectors before could be made again."""
    monkeypatch.setattr(tables, "installed", lambda: [SimpleNamespace(model="hashed@1", int8=None)])
    load_names(connection, TWO)
    assert load_names(connection, TWO + "F003,サンマ,\n", HashedEncoder("other@1")) == 3
    assert rows(connection, "SELECT DISTINCT %EXACT(Model) FROM MeetUp2025.Fish") == [("other@1",)]
    expected = HashedEncoder("other@1").texts(["ブリ"])[0]
    assert np.allclose(vector_of(connection, "ブリ"), expected, rtol=0, atol=1e-12)


def test_vectors_that_cannot_be_made_again(connection):
    """Vectors that were made elsewhere are not replaced by a catalogue for its words, nor by a photo of their name."""
    load_vectors(connection, [fish("F001", "マアジ"), fish("F002", "ブリ")], "Fish", "mine@1")
    load_vectors(connection, [photo("a.png")], "FishImage", "mine@1")
    before = everything(connection)
    message = r"must not be replaced .* Got some of mine@1, which is not installed here; .* would be of hashed@1"
    with pytest.raises(ModelMismatchError, match=message):
        load_names(connection, TWO)
    with pytest.raises(ModelMismatchError, match=message):
        photos.add_image(connection, "a.png", encoded(Image.new("RGB", (4, 4))), "", HashedEncoder())

    assert everything(connection) == before


@pytest.mark.parametrize("table", ["Fish", "FishImage"])
def test_vectors_of_another_model(connection, table):
    """A file of vectors of another model is refused unless it replaces every row."""
    line = fish if table == "Fish" else photo_of
    load_vectors(connection, [line("F001", "マアジ"), line("F002", "ブリ")], table, "one@1")
    before = everything(connection)
    with pytest.raises(ModelMismatchError, match=f"MeetUp2025.{table} must .* has one@1; this is two@1"):
        load_vectors(connection, [line("F001", "マアジ")], table, "two@1")
    assert everything(connection) == before
    assert load_vectors(connection, [line("F001", "マアジ"), line("F002", "ブリ", 1)], table, "two@1") == 2
    assert rows(connection, f"SELECT DISTINCT %EXACT(Model) FROM MeetUp2025.{table}") == [("two@1",)]


def test_model_without_revision(connection):
    """Vectors of a model whose revision is not told go with any revision of it, and with no other model."""
    load_vectors(connection, [fish("F001", "マアジ")], model="hashed")
    assert load_names(connection, "FishID,Name\nF002,ブリ\n", HashedEncoder("hashed@7")) == 1
    with pytest.raises(ModelMismatchError, match="hashed@7; this is hashed@8"):
        load_names(connection, "FishID,Name\nF003,サンマ\n", HashedEncoder("hashed@8"))
    with pytest.raises(ModelMismatchError, match="this is hash@7"):
        load_names(connection, "FishID,Name\nF003,サンマ\n", HashedEncoder("hash@7"))


# --- LoadVectors


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_vectors_are_added(connection, count):
    """Each line becomes a row with a vector of length 1, and the number of rows is given."""
    lines = [fish(f"F{at:04}", f"name {at}", at % 512, at + 1.0) for at in range(count)]
    assert load_vectors(connection, lines) == count
    assert rows(connection) == [(f"F{at:04}", f"name {at}") for at in range(count)]
    for at in range(min(count, 2)):
        assert vector_of(connection, f"name {at}").tolist() == axis(at)


def test_same_vectors_again(connection):
    """Loading the same file again changes nothing, in either form and for vectors of any norm."""
    generator = np.random.default_rng(5)
    lines = [
        {"fishid": f"F{at}", "fishname": f"n{at}", "embedding": (generator.standard_normal(512) * 10**at).tolist()}
        for at in range(3)
    ]
    assert load_vectors(connection, lines) == 3
    before = everything(connection)
    texts = [
        {
            "fishid": each["fishid"].lower(),
            "name": each["fishname"],
            "features": ",".join(str(3 * x) for x in each["embedding"]),
        }
        for each in lines
    ]
    assert [load_vectors(connection, lines), load_vectors(connection, texts)] == [0, 0]
    assert everything(connection) == before


def test_changed_vector(connection):
    """A changed vector, and it alone, is written; the words of the row stay."""
    load_names(connection, TWO)
    load_vectors(connection, [fish("F001", "マアジ"), fish("F002", "ブリ")])
    assert load_vectors(connection, [fish("F001", "マアジ"), fish("F002", "ブリ", 7)]) == 1
    assert vector_of(connection, "ブリ").tolist() == axis(7)
    assert rows(connection, "SELECT Kanji, Model FROM MeetUp2025.Fish WHERE FishID = 'F002'") == [("鰤", "clip")]


def test_vectors_of_photos(connection):
    """Vectors of photos have the file as their source, and loading them again changes nothing, in any case."""
    assert load_vectors(connection, [photo("a.jpg"), photo("b.jpg", 1)], "FishImage") == 2
    assert rows(connection, "SELECT Name, Source, Hash, Model FROM MeetUp2025.FishImage ORDER BY Name") == [
        ("a.jpg", "v.jsonl", None, "clip"),
        ("b.jpg", "v.jsonl", None, "clip"),
    ]
    assert load_vectors(connection, [photo("A.jpg"), photo("b.jpg", 1)], "FishImage") == 0
    assert load_vectors(connection, [photo("A.jpg"), photo("b.jpg", 2)], "FishImage") == 1


def test_labels_of_vectors(connection):
    """A line may have a label: any name of a fish becomes that of the catalogue, another one stays as it is."""
    load_names(connection, TWO)
    given = " ﾏｱｼﾞ ", "タコ", None
    lines = [photo(f"{name}.jpg", at) | {"label": given[at]} for at, name in enumerate("abc")]
    assert load_vectors(connection, lines, "FishImage") == 3
    sql = "SELECT Name, Label FROM MeetUp2025.FishImage ORDER BY Name"
    assert rows(connection, sql) == [("a.jpg", "マアジ"), ("b.jpg", "タコ"), ("c.jpg", None)]
    assert load_vectors(connection, lines, "FishImage") == 0

    changed = [photo("a.jpg"), photo("b.jpg", 1) | {"label": "マアジ"}, photo("c.jpg", 2) | {"Label": "タコ"}]
    assert load_vectors(connection, changed, "FishImage") == 2
    assert rows(connection, sql) == [("a.jpg", "マアジ"), ("b.jpg", "マアジ"), ("c.jpg", "タコ")]


def test_long_source(connection):
    """Of the path of a file, the column Source holds the first 500 characters."""
    line = f"{json.dumps(photo('a.jpg'))}\n".encode()
    assert names.load_vectors(connection, BytesIO(line), "x" * 600, "FishImage", "clip") == 1
    assert rows(connection, "SELECT Source FROM MeetUp2025.FishImage") == [("x" * 500,)]


@pytest.mark.parametrize("bad", [fish("F9", "x", norm=0.0), fish("F001", "x"), {"fishid": "F9"}, "junk"])
@pytest.mark.parametrize("in_transaction", [False, True])
def test_refused_file_of_vectors(connection, bad, in_transaction):
    """A fault in the last of six lines leaves the table as before, inside a transaction of the caller too."""
    load_names(connection, TWO)
    if in_transaction:
        execute(connection, "UPDATE MeetUp2025.Fish SET English = 'yellowtail' WHERE FishID = 'F002'")
    before = everything(connection)
    good = [fish("F001", "マアジ"), *(fish(f"G{at}", f"n{at}") for at in range(4))]
    with pytest.raises(InvalidFileError, match="line 6"):
        load_vectors(connection, [*good, bad], model="hashed@1")
    if in_transaction:
        connection.commit()
    assert everything(connection) == before


def test_many_vectors_in_little_memory(connection, monkeypatch):
    """A long file is stored in full, with no more than two batches of its vectors in memory at once."""
    alive, most = 0, 0

    def counted(*arguments: Any) -> Any:
        nonlocal alive, most
        for batch in batches(*arguments):
            for record in batch:
                alive, most = alive + 1, max(most, alive + 1)
                weakref.finalize(record, gone)
            yield batch

    def gone() -> None:
        nonlocal alive
        alive -= 1

    batches = names._Spool.batches
    monkeypatch.setattr(names._Spool, "batches", counted)
    monkeypatch.setattr(names, "_BATCH", 100)
    monkeypatch.setattr(tables, "_BATCH", 100)
    assert load_vectors(connection, (fish(f"F{at}", f"n{at}", at % 512) for at in range(1000))) == 1000
    assert rows(connection, "SELECT COUNT(*) FROM MeetUp2025.Fish") == [(1000,)]
    assert 100 <= most <= 201


def test_vectors_of_parquet(connection, tmp_path, monkeypatch):
    """A file of Parquet has the columns of a line, and its vectors never become text."""
    monkeypatch.setenv("MEETUP2025_PHOTOS", str(tmp_path))
    columns = {"FishID": ["F1", "F2"], "name": ["ブリ", "マアジ"], "embedding": np.eye(2, 512) * 3}
    write_parquet(columns, tmp_path / "a.parquet")
    sql = "SELECT MeetUp2025.LoadVectors('a.parquet', 'Fish', 'mine@1')"
    assert rows(connection, sql) == [(2,)]
    assert rows(connection, sql) == [(0,)]
    found = rows(connection, "SELECT FishID, Name, Features FROM MeetUp2025.Fish ORDER BY FishID")
    assert [row[:2] for row in found] == [("F1", "ブリ"), ("F2", "マアジ")]
    assert found[1][2].startswith("0.0,1.0,0.0")


# --- transactions


@pytest.mark.parametrize("autocommit", [False, True])
def test_load_is_committed_as_any_change(connection, autocommit):
    """A load lasts by itself with autocommit; otherwise the caller commits it, or rolls it back."""
    connection.autocommit = autocommit
    load_names(connection, TWO)
    load_vectors(connection, [photo("a.jpg")], "FishImage")
    connection.rollback()
    assert [len(table) for table in everything(connection)] == ([2, 1] if autocommit else [0, 0])


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_load_inside_a_transaction(connection, end):
    """A load inside a transaction of the caller is part of it: the caller ends both together."""
    execute(connection, "INSERT INTO MeetUp2025.Fish (FishID, Name) VALUES ('X001', 'モクギョ')")
    load_names(connection, TWO)
    load_vectors(connection, [fish("F003", "サンマ")], model="hashed@1")
    assert len(rows(connection)) == 4
    getattr(connection, end)()
    assert len(rows(connection)) == (4 if end == "commit" else 0)


def test_error_of_the_table(connection, monkeypatch):
    """An error while rows are written takes back the rows before it."""
    load_names(connection, TWO)
    before = everything(connection)
    monkeypatch.setattr(HashedEncoder, "dimension", 3)
    with pytest.raises(DataError):
        load_names(connection, TWO.replace("マアジ", "アジ") + "F003,サンマ,\n")
    assert everything(connection) == before


# --- names


def test_names_of_fish(connection):
    """Kana, kanji and other names lead to the kana name; a name of two fish to neither, a kana name to its own."""
    load_names(
        connection,
        "FishID,Name,Kanji,OtherNames,English\n"
        "F001,ブリ,鰤,ワカシ;イナダ;タイ,yellowtail\n"
        "F002,マダイ,真鯛,タイ; ﾁﾀﾞｲ ;;Tai,red seabream\n"
        "F003,イナダ,,タイ,\n",
    )
    assert names_of_fish(connection) == {
        "ブリ": "ブリ",
        "鰤": "ブリ",
        "ワカシ": "ブリ",
        "マダイ": "マダイ",
        "真鯛": "マダイ",
        "チダイ": "マダイ",
        "TAI": "マダイ",
        "イナダ": "イナダ",
        "YELLOWTAIL": "ブリ",
        "RED SEABREAM": "マダイ",
    }
