"""The functions of SQL: embed, find names, load; what they refuse, and what they say then."""

from __future__ import annotations

import base64
import json
import re
import shutil
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hashed import HashedEncoder
from pictures import corners, encoded
from PIL import Image

import meetup2025
from meetup2025 import procedures
from meetup2025.embedding import encoder
from meetup2025.engines.pep249 import running
from meetup2025.errors import (
    BrokenModelError,
    DataError,
    EngineUnavailableError,
    Error,
    ForbiddenPathError,
    InvalidFileError,
    ModelMismatchError,
    UnknownNameError,
    UnreadableImageError,
)
from meetup2025.vectors import from_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from meetup2025.engines import Connection

pytestmark = [pytest.mark.anywhere, pytest.mark.slow]

CATALOGUE = (
    "FishID,Name,Kanji,OtherNames,English\n"
    "F001,マアジ,真鯵,アジ;ゼンゴ,Japanese jack mackerel\n"
    "F002,ブリ,鰤,ワカシ;イナダ;ハマチ,yellowtail\n"
    "F003,ハマチ,,,\n"
)


@pytest.fixture
def allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder that SQL may read, with a catalogue, a file of vectors and a photo."""
    folder = tmp_path / "allowed"
    (folder / "photos").mkdir(parents=True)
    (folder / "fish.csv").write_text(CATALOGUE, "utf-8")
    (folder / "vectors.jsonl").write_text(json.dumps({"fishid": "V1", "name": "ブイ", "features": [1] * 512}), "utf-8")
    (folder / "photos" / "ワカシ1.png").write_bytes(encoded(corners()))
    monkeypatch.setenv("MEETUP2025_PHOTOS", str(folder))
    return folder


@pytest.fixture
def loaded(connection: Connection, allowed: Path) -> Connection:
    """Open connection with the catalogue of three fish."""
    call(connection, "LoadNames(?)", str(allowed / "fish.csv"))
    return connection


def call(connection: Connection, function: str, *parameters: Any) -> Any:
    """Give what a function returns."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT MeetUp2025.{function}", parameters)
        return cursor.fetchone()[0]


def count(connection: Connection, table: str) -> int:
    """Count the rows of a table."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM MeetUp2025.{table}")
        return cursor.fetchone()[0]


# --- embedding


@pytest.mark.parametrize("function", ["EmbedText(?)", "GetEmbedding('T', ?)", "GetEmbedding('t', ?)"])
def test_vector_of_a_text(connection, function):
    """A text becomes the unit vector of the model, by either name."""
    vector = from_text(call(connection, function, "赤い魚"), dimension=512)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)
    assert np.allclose(vector, encoder().texts(["赤い魚"])[0], rtol=0, atol=1e-6)


@pytest.mark.parametrize("function", ["EmbedText(?)", "GetEmbedding('T', ?)"])
@pytest.mark.parametrize("asked", [" 赤い魚 ", "\u3000赤い魚\u3000", "\ufeff赤い魚\r\n"])
def test_text_with_blanks_around(connection, function, asked):
    """What is asked is spelled as what is stored: blanks and a byte order mark around a text change nothing."""
    found, clean = (from_text(call(connection, function, each), dimension=512) for each in (asked, "赤い魚"))
    assert found @ clean == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("function", ["EmbedImage(?)", "GetEmbedding('I', ?)", "GetEmbedding('i', ?)"])
@pytest.mark.parametrize("source", ["path", "base64", "url"])
def test_vector_of_a_picture(connection, allowed, function, source):
    """A picture becomes the unit vector of the model, as a path, as base64 and as a data URL."""
    data = base64.b64encode((allowed / "photos" / "ワカシ1.png").read_bytes()).decode()
    given = {"path": "photos/ワカシ1.png", "base64": data, "url": f"data:image/png;base64,{data}"}[source]
    vector = from_text(call(connection, function, given), dimension=512)
    assert np.allclose(vector, encoder().images([corners()])[0], rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", ["x", "", " ", "1"])
def test_embedding_of_another_type(connection, kind):
    """A type that is neither T nor I is refused."""
    with pytest.raises(DataError, match=rf"type must be T \(text\) or I \(image\). Got '{kind}'"):
        call(connection, "GetEmbedding(?, 'マアジ')", kind)


@pytest.mark.parametrize(
    ("function", "given", "error"),
    [
        ("EmbedText(?)", "", DataError),
        ("EmbedText(?)", "\u3000", DataError),
        ("EmbedText(?)", None, DataError),
        ("EmbedText(?)", "x" * 1001, DataError),
        ("EmbedImage(?)", "", UnreadableImageError),
        ("EmbedImage(?)", base64.b64encode(b"no picture").decode(), UnreadableImageError),
        ("EmbedImage(?)", "photos/none.png", ForbiddenPathError),
        ("EmbedImage(?)", "../secret.png", ForbiddenPathError),
        ("GetEmbedding('I', ?)", "/etc/passwd", ForbiddenPathError),
    ],
)
def test_refused_input(connection, allowed, function, given, error):
    """What is no text, no picture, or elsewhere is an error and never a vector."""
    (allowed.parent / "secret.png").write_bytes(encoded(corners()))
    with pytest.raises(error):
        call(connection, function, given)


# --- search


@pytest.mark.parametrize(
    ("table", "load"),
    [("Fish", r"LoadNames\('catalogue/fish.csv'\)"), ("FishImage", r"LoadImages\('samples'\)")],
)
def test_search_of_an_empty_table(connection, table, load):
    """A search of an empty table says how to fill it."""
    with pytest.raises(DataError, match=rf"MeetUp2025.{table} must have rows .* or SELECT MeetUp2025.{load}"):
        call(connection, "SearchVector(?, 'T', 'マアジ')", table)


@pytest.mark.parametrize("table", ["Fish", "fish", "FISH"])
def test_search_of_a_table(loaded, table):
    """The vector for a search is that of GetEmbedding."""
    assert call(loaded, "SearchVector(?, 'T', '鰤')", table) == call(loaded, "GetEmbedding('T', '鰤')")


@pytest.mark.parametrize("table", ["SkippedImage", "", "Fish; DROP TABLE MeetUp2025.Fish", "MeetUp2025.Fish"])
def test_another_table(loaded, table):
    """A table other than the two with vectors is refused, naming them."""
    with pytest.raises(DataError, match=r"table must be Fish or FishImage\. Got '"):
        call(loaded, "SearchVector(?, 'T', 'マアジ')", table[:20])
    with pytest.raises(DataError, match=r"table must be Fish or FishImage\. Got '"):
        call(loaded, "LoadVectors('vectors.jsonl', ?, 'm')", table[:20])


@pytest.mark.usefixtures("allowed")
def test_search_with_another_model(connection):
    """A search with another model than that of the vectors is refused, naming both."""
    call(connection, "LoadVectors('vectors.jsonl', 'Fish', 'other@9')")
    with pytest.raises(ModelMismatchError, match=r"has other@9; this is sketch@.*.*MEETUP2025_MODEL"):
        call(connection, "SearchVector('Fish', 'T', 'マアジ')")


def test_search_of_rows_inserted_by_hand(connection):
    """Rows without a model, as the workshop inserts them, are searched with any."""
    with connection.cursor() as cursor:
        sql = "INSERT INTO MeetUp2025.Fish (FishID, Name, Features) VALUES ('F1', 'a', TO_VECTOR(?, DOUBLE))"
        cursor.execute(sql, [",".join(["1"] * 512)])
    assert call(connection, "SearchVector('Fish', 'T', 'マアジ')") == call(connection, "EmbedText('マアジ')")


# --- names


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("マアジ", "マアジ"),
        ("ﾏｱｼﾞ", "マアジ"),
        ("真鯵", "マアジ"),
        ("ゼンゴ", "マアジ"),
        ("ワカシ", "ブリ"),
        ("\u3000ワカシ ", "ブリ"),
        ("鰤", "ブリ"),
        ("ハマチ", "ハマチ"),
    ],
)
def test_known_name(loaded, given, name):
    """Kana, kanji and other names lead to the name of the table, a name of the table to itself."""
    assert call(loaded, "KnownName(?)", given) == name


def test_unknown_name(loaded):
    """A name that no row has is an error that names it, and says where the names are."""
    for given in ("", " ", "タイ", "tail", "F001", "マアジ;ブリ", "%", "' OR 1=1 --"):
        with pytest.raises(UnknownNameError) as caught:
            call(loaded, "KnownName(?)", given)
        assert repr(given.strip()) in str(caught.value)
        assert "FishCatalogue()" in str(caught.value)


def test_known_names(loaded):
    """A list of names becomes the list of the names of the table, in the same order."""
    assert call(loaded, "KnownNames('イナダ, 真鯵 ,ブリ')") == "ブリ,マアジ,ブリ"


@pytest.mark.parametrize(
    ("given", "unknown"),
    [("タイ,マアジ,ヒラメ", "'タイ', 'ヒラメ'"), ("マアジ,", "''"), ("", "''"), ("マアジ、ブリ", "'マアジ、ブリ'")],
)
def test_unknown_names(loaded, given, unknown):
    """The error lists the names that are not known, and no others."""
    with pytest.raises(UnknownNameError, match=rf"one fish of MeetUp2025.Fish; .*\. Got {unknown}\."):
        call(loaded, "KnownNames(?)", given)


def test_name_of_two_fish(connection, allowed):
    """A market name of two fish is the name of neither, and the error does not say that it is not there."""
    (allowed / "fish.csv").write_text("FishID,Name,OtherNames\nF1,マダイ,タイ\nF2,チダイ,タイ\n", "utf-8")
    call(connection, "LoadNames('fish.csv')")
    with pytest.raises(UnknownNameError, match=r"must be that of one fish .* Got 'タイ'"):
        call(connection, "KnownName('タイ')")


# --- loading


def test_bundled_files(connection):
    """The catalogue and the samples of the package are loaded from SQL, once."""
    fish, photos = call(connection, "LoadNames('catalogue/fish.csv')"), call(connection, "LoadImages('samples')")
    assert (count(connection, "Fish"), count(connection, "FishImage"), count(connection, "SkippedImage")) == (
        fish,
        photos,
        0,
    )
    assert min(fish, photos) > 9
    again = call(connection, "LoadNames('catalogue/fish.csv')"), call(connection, "LoadImages('samples')")
    assert again == (0, 0)


def test_load_of_photos(loaded, allowed):
    """Photos are labelled by the catalogue, and what is no picture is listed."""
    (allowed / "photos" / "bad.png").write_bytes(b"")
    assert call(loaded, "LoadImages('photos')") == 1
    with loaded.cursor() as cursor:
        cursor.execute("SELECT Name, Label FROM MeetUp2025.FishImage")
        assert cursor.fetchall() == [("ワカシ1.png", "ブリ")]
    assert (call(loaded, "LoadImages('photos')"), count(loaded, "SkippedImage")) == (0, 1)


def test_load_of_photos_that_is_stopped(engine, allowed, monkeypatch):
    """A load that fails in the middle has committed what came before, and the next one embeds the rest alone."""
    (allowed / "photos" / "ワカシ1.png").unlink()
    for at in range(40):
        (allowed / "photos" / f"{at:02}.png").write_bytes(encoded(Image.new("RGB", (4, 4), (at, 0, 0))))
    model = HashedEncoder(fails_at=33)
    monkeypatch.setattr(HashedEncoder, "check", lambda _: None, raising=False)
    monkeypatch.setattr(procedures, "encoder", lambda: model)
    with meetup2025.connect(engine, autocommit=True) as connection:
        with pytest.raises(Exception, match="out of memory"):
            call(connection, "LoadImages('photos', 'night')")
        kept = count(connection, "FishImage"), count(connection, "Thumbnail")
        model.made.clear()
        model.fails_at = None
        assert (kept, call(connection, "LoadImages('photos')"), len(model.made)) == ((32, 32), 8, 8)


@pytest.mark.usefixtures("allowed")
def test_load_of_vectors(connection):
    """Vectors are stored with the model that is told; by default that of the workshop."""
    assert call(connection, "LoadVectors('vectors.jsonl', 'fish')") == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT Source, Model, Vectors FROM MeetUp2025.VectorModels()")
        assert cursor.fetchall() == [("Fish", "line-corporation/clip-japanese-base", 1)]
    assert call(connection, "LoadVectors('vectors.jsonl', 'Fish', ' line-corporation/clip-japanese-base ')") == 0


@pytest.mark.parametrize("model", ["", " ", None])
@pytest.mark.usefixtures("allowed")
def test_vectors_of_no_model(connection, model):
    """Vectors must have a model."""
    with pytest.raises(DataError, match="model must name the model"):
        call(connection, "LoadVectors('vectors.jsonl', 'Fish', ?)", model)


@pytest.mark.parametrize(
    "function",
    [
        "LoadNames('none.csv')",
        "LoadNames('../fish.csv')",
        "LoadNames('photos')",
        "LoadNames('')",
        "LoadVectors('/etc/passwd', 'Fish')",
        "LoadImages('..')",
        "LoadImages('fish.csv')",
        "LoadImages('')",
        "LoadImages('/')",
    ],
)
def test_files_elsewhere(connection, allowed, function):
    """Files and folders that are not below the allowed folder are refused alike, there or not."""
    (allowed.parent / "fish.csv").write_text(CATALOGUE, "utf-8")
    with pytest.raises(ForbiddenPathError, match="below MEETUP2025_PHOTOS"):
        call(connection, function)
    assert (count(connection, "Fish"), count(connection, "FishImage")) == (0, 0)


def test_fault_in_a_file(loaded, allowed):
    """The error of a load names the file as it was given, the line and the field, and nothing is stored."""
    (allowed / "fish.csv").write_text(CATALOGUE + "F004,ヒラメ,,,\nF001,カレイ,,,\n", "utf-8")
    with pytest.raises(InvalidFileError, match=r"Each FishID of fish.csv .* \(line 6, column 1\)"):
        call(loaded, "LoadNames('fish.csv')")
    assert count(loaded, "Fish") == 3


@pytest.mark.usefixtures("allowed")
@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_load_inside_a_transaction(connection, end):
    """A load from SQL is part of the caller's transaction where there is one."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO MeetUp2025.SkippedImage (Name, Reason) VALUES ('a', 'b')")
    call(connection, "LoadNames('fish.csv')")
    getattr(connection, end)()
    assert count(connection, "Fish") == (3 if end == "commit" else 0)


def test_refused_load_inside_a_transaction(connection, allowed):
    """A load that is refused leaves the caller's transaction as it was: it may go on."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO MeetUp2025.SkippedImage (Name, Reason) VALUES ('a', 'b')")
    (allowed / "fish.csv").write_text("FishID\nF001\n", "utf-8")
    with pytest.raises(InvalidFileError):
        call(connection, "LoadNames('fish.csv')")
    connection.commit()
    connection.rollback()
    assert (count(connection, "SkippedImage"), count(connection, "Fish")) == (1, 0)


# --- the rest


def test_installed_models(connection):
    """The installed models are JSON; the bundled one is there, as the catalogue calls it."""
    (sketch,) = [model for model in json.loads(call(connection, "InstalledModels()")) if model["id"] == "sketch"]
    described = ["bytes", "chosen_by", "description", "dimension", "fault", "id", "licence", "revision", "used"]
    assert sorted(sketch) == described
    assert (f"{sketch['id']}@{sketch['revision']}", sketch["dimension"]) == (encoder().model, 512)
    assert sketch["bytes"] > 1000


@pytest.mark.embedded
@pytest.mark.usefixtures("engine")
def test_the_installation_downloads_a_model_with_a_short_name(monkeypatch, tmp_path):
    """A model with a recipe is downloaded, which fails without a network; any other is left to its administrator."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    for name in ("sketch", "org/own"):
        monkeypatch.setenv("MEETUP2025_MODEL", name)
        procedures.setup_install_model()
    monkeypatch.setenv("MEETUP2025_MODEL", "clip-multilingual")
    with pytest.raises(Error, match=r"clip-vit-base-patch32|Hugging Face"):
        procedures.setup_install_model()


@pytest.mark.embedded
@pytest.mark.parametrize("function", [procedures.known_name, procedures.known_names])
@pytest.mark.usefixtures("engine")
def test_call_from_outside_of_sql(function):
    """A function that reads tables says that it must be called by SQL."""
    with pytest.raises(EngineUnavailableError, match="from outside of SQL"):
        function("マアジ")


def test_broken_model_stores_nothing(monkeypatch, tmp_path):
    """A model whose other tower is broken stores no vectors either: what cannot be searched must not be there."""
    bundled = files("meetup2025") / "embedding" / "sketch"
    shutil.copytree(str(bundled), tmp_path / "broken")
    (tmp_path / "broken" / "model.json").write_text(
        (tmp_path / "broken" / "model.json").read_text("utf-8").replace('"sketch"', '"broken"', 1), "utf-8"
    )
    graph = bytearray((tmp_path / "broken" / "image.onnx").read_bytes())
    graph[len(graph) // 2] ^= 1
    (tmp_path / "broken" / "image.onnx").write_bytes(graph)
    monkeypatch.setenv("MEETUP2025_MODELS", str(tmp_path))
    monkeypatch.setenv("MEETUP2025_MODEL", "broken")
    with meetup2025.connect("duckdb://") as connection, connection.cursor() as cursor:
        with pytest.raises(BrokenModelError, match=r"image\.onnx"):
            cursor.execute("SELECT MeetUp2025.LoadNames('catalogue/fish.csv')")

        assert cursor.execute("SELECT COUNT(*) FROM MeetUp2025.Fish").fetchall() == [(0,)]


LONG = "長" * 3000
PATH = "photos/" + "長" * 900 + ".png"
WRONG = [
    (procedures.embed_text, [" " * 3000]),
    (procedures.embed_image, [LONG]),
    (procedures.embed_image, [PATH]),
    (procedures.embed_image, [f"data:{LONG};hex,00"]),
    (procedures.get_embedding, [LONG, "a"]),
    (procedures.search_vector, [LONG, "T", "a"]),
    (procedures.known_name, [LONG]),
    (procedures.known_names, [",".join(f"長い名前{number}" for number in range(3000))]),
    (procedures.load_names, [LONG]),
    (procedures.load_names, [f"data:{LONG},a"]),
    (procedures.load_names, ["catalogue/fish.csv", PATH]),
    (procedures.load_images, [LONG]),
    (procedures.add_image, [LONG, "samples/saba.png", ""]),
    (procedures.add_image, ["a.png", "samples/saba.png", LONG]),
    (procedures.load_vectors, ["a", LONG, "m"]),
    (procedures.fit_clusters, [LONG]),
    (procedures.fit_clusters, ["Fish", LONG]),
    (procedures.fit_map, ["Fish", 2, 0, LONG]),
    (procedures.fit_outliers, ["Fish", LONG]),
    (procedures.fit_outliers, ["Fish", "ByExemplar", 0.1, "", LONG]),
    (procedures.fit_outliers, ["Fish", "ByExemplar", 0.1, "", ",".join(f"n{number}" for number in range(3000))]),
    (procedures.fit_comparison, ["Fish", LONG]),
    (procedures.register_source, [LONG] * 6),
    (procedures.register_source, ["a", "MeetUp2025.Fish", *[LONG] * 4]),
    (procedures.setup_save_setting, [LONG, "a"]),
]


@pytest.fixture(scope="module")
def catalogue() -> Iterator[Connection]:
    """Connection to the catalogue of the package."""
    with meetup2025.connect("duckdb://", autocommit=True) as connection:
        call(connection, "LoadNames('catalogue/fish.csv')")
        yield connection


@pytest.mark.parametrize(("function", "values"), WRONG)
def test_messages_are_short(catalogue, function, values):
    """However long a wrong value is, its message fits the error of IRIS, and the rule in it is whole."""
    with running(catalogue), pytest.raises(Error) as caught:
        function(*values)
    assert len(str(caught.value)) < 400
    assert re.search(r"must|is not a", str(caught.value)[:200])
