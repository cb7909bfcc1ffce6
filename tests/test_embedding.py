"""A model gives unit vectors of texts and pictures, or says what is wrong with its folder."""

from __future__ import annotations

import os
import subprocess
import sys
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from PIL import Image
from tiny import (
    DIMENSION,
    FILES,
    LETTERS,
    MAX_LENGTH,
    MEAN,
    SIZE,
    STD,
    Tiny,
    change_json,
    make_model,
    near,
    pictures,
    quantise,
    save_golden,
    save_hashes,
    texts,
)
from tokenizers import Tokenizer

from meetup2025.embedding import encoder, models, processors, runtime
from meetup2025.embedding.models import BUNDLED, SEVEN_BITS, ImageInfo, check_hashes, find, installed, read_model
from meetup2025.embedding.onnx import LEAST_COSINE, OnnxEncoder, _ImageTower, _TextTower, fitted, pixels, threads
from meetup2025.errors import BrokenModelError, DataError, InterfaceError, MissingModelError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path) -> Path:
    """Give the folder of a tiny model, installed as `tiny`."""
    return make_model(tmp_path / "models" / "tiny")


@pytest.fixture(autouse=True)
def _models(tmp_path, monkeypatch):
    """Let the installed models be those of this test."""
    monkeypatch.setenv("MEETUP2025_MODELS", str(tmp_path / "models"))
    monkeypatch.delenv("MEETUP2025_MODEL", raising=False)


# --- vectors


@pytest.mark.parametrize("count", [0, 1, 2, 70])
def test_images(folder, count):
    """Pictures give one float32 unit row each, in their order, as the weights say."""
    found = OnnxEncoder(folder).images(pictures(count))
    assert (found.shape, found.dtype) == ((count, DIMENSION), np.float32)
    assert np.allclose(np.linalg.norm(found, axis=1), 1, rtol=0, atol=1e-6)
    assert count == 0 or np.allclose(found, Tiny().images(pictures(count)), rtol=0, atol=1e-5)


@pytest.mark.parametrize("count", [0, 1, 2, 70])
def test_texts(folder, count):
    """Texts of many lengths give one float32 unit row each, in their order, as the weights say."""
    found = OnnxEncoder(folder).texts(texts(count))
    assert (found.shape, found.dtype) == ((count, DIMENSION), np.float32)
    assert np.allclose(np.linalg.norm(found, axis=1), 1, rtol=0, atol=1e-6)
    assert count == 0 or np.allclose(found, Tiny().texts(texts(count)), rtol=0, atol=1e-5)


def test_batches_change_nothing(folder):
    """An item has the same vector alone and among others."""
    tiny = OnnxEncoder(folder)
    assert np.allclose(tiny.texts(texts(70)), np.vstack([tiny.texts([text]) for text in texts(70)]), atol=1e-6)
    alone = np.vstack([tiny.images([picture]) for picture in pictures(70)])
    assert np.allclose(tiny.images(pictures(70)), alone, rtol=0, atol=1e-6)


def test_long_text(folder):
    """A text is read up to the length of the model."""
    tiny = OnnxEncoder(folder)
    assert np.array_equal(tiny.texts(["サバ" * 1000]), tiny.texts(["サバ" * (MAX_LENGTH // 2)]))


@pytest.mark.parametrize("fixed", [None, 10])
def test_padding(folder, fixed):
    """Shorter texts are filled with what the tokenizer says, no further than the longest, and the filling is masked."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_padding(pad_id=7, length=fixed)
    tokenizer.save(str(folder / "tokenizer.json"))
    save_hashes(folder)
    tiny = OnnxEncoder(folder)
    feeds = tiny._tower(_TextTower).feeds(["魚", "アイウ"])
    assert feeds["input_ids"].tolist() == [[LETTERS.index("魚") + 1, 7, 7], [1, 2, 3]]
    assert feeds["attention_mask"].sum(axis=1).tolist() == [1, 3]
    assert np.allclose(tiny.texts(texts(3)), Tiny().texts(texts(3)), rtol=0, atol=1e-5)


def test_padding_that_is_needed(folder):
    """A text is filled up to the length that the tokenizer says, where the graph takes texts of one length alone."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_padding(pad_id=7, length=MAX_LENGTH)
    tokenizer.save(str(folder / "tokenizer.json"))
    graph = onnx.load(folder / "text.onnx")
    for value in graph.graph.input:
        value.type.tensor_type.shape.dim[1].dim_value = MAX_LENGTH
    onnx.save(graph, folder / "text.onnx")
    save_hashes(folder)
    tiny = OnnxEncoder(folder)
    assert tiny._tower(_TextTower).feeds(["魚"])["input_ids"].shape == (1, MAX_LENGTH)
    assert np.allclose(tiny.texts(texts(3)), Tiny().texts(texts(3)), rtol=0, atol=1e-5)


@pytest.mark.parametrize("text", ["", " ", "\n\t\u3000", "\ufeff", "☃"])
def test_text_without_words(folder, text):
    """A text with nothing to embed is refused, whichever place it has."""
    with pytest.raises(DataError, match="A text to embed must"):
        OnnxEncoder(folder).texts(["サバ", text])


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "1", "CMYK"])
def test_picture_modes(folder, mode):
    """Pictures of every mode are taken as their colours."""
    picture = Image.new("RGB", (50, 30), "white")
    picture.paste("black", (5, 5, 18, 30))
    tiny = OnnxEncoder(folder)
    assert np.allclose(tiny.images([picture.convert(mode)]), tiny.images([picture]), rtol=0, atol=1e-6)


def test_what_it_says(folder):
    """An encoder has the name, dimension and picture size of its folder."""
    tiny = OnnxEncoder(folder)
    assert (tiny.model, tiny.dimension, tiny.picture_size) == ("tiny@2", DIMENSION, SIZE)


def test_threads(folder):
    """Threads share one encoder."""
    tiny = OnnxEncoder(folder)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(tiny.texts, [[text] for text in texts(40)]))
    assert np.allclose(np.vstack(found), Tiny().texts(texts(40)), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("setting", "processors", "count"),
    [("3", 2, 3), ("8", 2, 8), ("", 2, 2), ("", 64, 4), ("", None, 1), ("0", 2, 2), ("4,2", 2, 2)],
)
def test_number_of_threads(monkeypatch, setting, processors, count):
    """A model takes the threads that OMP_NUM_THREADS allows, else a few."""
    monkeypatch.setenv("OMP_NUM_THREADS", setting)
    monkeypatch.setattr("os.cpu_count", lambda: processors)
    assert threads() == count


# --- fitting a picture


def info(fit: str) -> ImageInfo:
    """Describe a picture tower with a red background."""
    return ImageInfo("image.onnx", 4, fit, (255, 0, 0), "bilinear", tuple(MEAN), tuple(STD))


def stripes(width: int, height: int) -> Image.Image:
    """Draw a picture whose column x has the grey 10 x, so that every pixel says where it was."""
    return Image.fromarray(np.tile(np.arange(width, dtype=np.uint8) * 10, (height, 1))).convert("RGB")


def test_pad():
    """`pad` keeps the whole picture, in the middle of the background."""
    wide = np.asarray(fitted(Image.new("RGB", (8, 4), (0, 0, 200)), info("pad")))
    red, blue = [255, 0, 0], [0, 0, 200]
    assert wide.tolist() == [[red] * 4, [blue] * 4, [blue] * 4, [red] * 4]
    high = np.asarray(fitted(Image.new("RGB", (1, 1000), (0, 0, 200)), info("pad")))
    assert high.tolist() == [[red, blue, red, red]] * 4


def test_crop():
    """`crop` keeps the middle of the longer side."""
    assert np.asarray(fitted(stripes(8, 4), info("crop")))[:, :, 0].tolist() == [[20, 30, 40, 50]] * 4
    assert np.asarray(fitted(stripes(7, 4), info("crop")))[:, :, 0].tolist() == [[10, 20, 30, 40]] * 4
    assert np.asarray(fitted(stripes(4, 9), info("crop")))[:, :, 0].tolist() == [[0, 10, 20, 30]] * 4


def test_squash():
    """`squash` keeps all of the picture, and not its shape."""
    for height in (2, 8):
        found = np.asarray(fitted(stripes(4, height), info("squash")))
        assert found[:, :, 0].tolist() == [[0, 10, 20, 30]] * 4


@pytest.mark.parametrize("name", ["bicubic", "bilinear", "lanczos"])
def test_interpolation(name):
    """A picture is resized with the filter that the model was trained with."""
    picture = pictures(1)[0]
    expected = picture.resize((4, 4), Image.Resampling[name.upper()])
    assert np.array_equal(fitted(picture, replace(info("squash"), interpolation=name)), expected)


@pytest.mark.parametrize("fit", ["pad", "crop", "squash"])
@pytest.mark.parametrize("size", [(1, 1), (2, 1), (1, 2), (4, 4), (97, 31)])
def test_every_size_is_fitted(fit, size):
    """A picture of any size becomes a square of the model's size."""
    assert fitted(Image.new("RGB", size), info(fit)).size == (4, 4)


def test_pixels():
    """Colours are divided by 255, less the mean, by the deviation; the channels come first."""
    found = pixels([Image.new("RGB", (4, 4), (255, 51, 0)), Image.new("RGB", (4, 4))], info("pad"))
    assert (found.shape, found.dtype) == ((2, 3, 4, 4), np.float32)
    assert np.allclose(found[0, :, 2, 3], [0.5 / 0.2, -0.2 / 0.25, -0.3 / 0.5], rtol=0, atol=1e-6)
    striped = pixels([stripes(4, 4)], info("pad"))
    assert np.allclose(striped[0, 2, 1], (np.array([0, 10, 20, 30]) / 255 - 0.3) / 0.5, rtol=0, atol=1e-6)
    assert np.allclose(found[1, :, 0, 0], [-0.5 / 0.2, -0.4 / 0.25, -0.3 / 0.5], rtol=0, atol=1e-6)


# --- faults of a folder


def embed_images(folder: Path) -> np.ndarray:
    """Embed a picture with the model of a folder."""
    return OnnxEncoder(folder).images(pictures(1))


def embed_texts(folder: Path) -> np.ndarray:
    """Embed a text with the model of a folder."""
    return OnnxEncoder(folder).texts(["サバ"])


USES = {
    "image.onnx": [embed_images, check_hashes],
    "text.onnx": [embed_texts, check_hashes],
    "tokenizer.json": [embed_texts, check_hashes],
    "golden.npz": [embed_images, embed_texts, check_hashes],
}


@pytest.mark.parametrize(("name", "use"), [(name, use) for name, uses in USES.items() for use in uses])
def test_changed_byte(folder, name, use):
    """One changed byte in a file is found before the file is used."""
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(BrokenModelError, match=rf"{name}.*Got another SHA-256"):
        use(folder)


@pytest.mark.parametrize(("name", "use"), [(name, use) for name, uses in USES.items() for use in uses])
def test_missing_file(folder, name, use):
    """A missing file is named."""
    (folder / name).unlink()
    with pytest.raises(BrokenModelError, match=f"{name} must exist"):
        use(folder)


def test_towers_are_apart(folder):
    """A broken text tower does not keep pictures from being embedded, since it is never opened for them."""
    (folder / "text.onnx").write_bytes(b"broken")
    (folder / "tokenizer.json").unlink()
    assert embed_images(folder).shape == (1, DIMENSION)
    with pytest.raises(BrokenModelError, match=r"text\.onnx"):
        embed_texts(folder)


def test_sound_folder(folder):
    """A sound folder passes its checks, and every golden item is met."""
    check_hashes(folder)
    cosines = [(item, cosine) for item, cosine, _ in OnnxEncoder(folder).verify()]
    assert [item for item, _ in cosines] == ["text 'サバ'", "text 'タコの写真'", "image_00", "image_01"]
    assert min(cosine for _, cosine in cosines) > 0.999999


@pytest.mark.parametrize("embed", [embed_images, embed_texts])
def test_golden_vectors_of_another_model(folder, embed):
    """A model that does not give its published vectors is not used."""
    save_golden(folder, Tiny(seed=6))
    save_hashes(folder)
    with pytest.raises(BrokenModelError, match=rf"published vectors \(cosine {LEAST_COSINE}\). Got a cosine of"):
        embed(folder)


def test_verify_finds_a_later_item(folder):
    """Verifying looks at every golden item, not only at the first."""
    tiny = Tiny()
    vectors = tiny.images(pictures(2))
    save_golden(folder, tiny, image_vectors=np.array([vectors[0], -vectors[1]]))
    save_hashes(folder)
    assert [round(cosine, 4) for _, cosine, _ in OnnxEncoder(folder).verify()] == [1, 1, 1, -1]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"image_vectors": None}, "image_vectors"),
        ({"image_00": None}, "image_00"),
        ({"image_vectors": np.empty((0, DIMENSION))}, "must have golden pictures in its golden.npz. Got none"),
        ({"image_vectors": np.ones((2, DIMENSION + 1))}, f"must have {DIMENSION} items. Got {DIMENSION + 1}"),
        ({"image_vectors": np.full((2, DIMENSION), np.nan)}, "finite"),
        ({"image_00": np.zeros((4, 4), dtype=object)}, "allow_pickle"),
    ],
)
def test_golden_items_that_are_none(folder, changes, words):
    """Golden items that are missing, or cannot be compared, are a fault of the model."""
    save_golden(folder, Tiny(), **changes)
    save_hashes(folder)
    with pytest.raises(BrokenModelError, match=words):
        embed_images(folder)


@pytest.mark.parametrize("embed", [embed_images, embed_texts])
@pytest.mark.parametrize(
    ("value", "words"),
    [(np.nan, "Got nan at item 1"), (np.inf, "finite|Got inf"), (0, "of a length.*Got 0")],
)
def test_weights_that_are_no_numbers(folder, embed, value, words):
    """A model that gives no vectors is refused."""
    tiny = Tiny()
    tiny.colours[:], tiny.letters[:] = value, value
    tiny.save(folder)
    save_hashes(folder)
    with pytest.raises(BrokenModelError, match=words):
        embed(folder)


@pytest.mark.parametrize("embed", [embed_images, embed_texts])
def test_graph_of_another_dimension(folder, embed):
    """A graph must give vectors of the length that model.json promises."""
    Tiny(dimension=DIMENSION + 1).save(folder)
    save_hashes(folder)
    with pytest.raises(BrokenModelError, match=r"shape \(1, 8\)\. Got \(1, 9\)"):
        embed(folder)


@pytest.mark.parametrize(
    ("embed", "name", "other"),
    [(embed_images, "image.onnx", "text.onnx"), (embed_texts, "text.onnx", "image.onnx")],
)
def test_graph_of_another_kind(folder, embed, name, other):
    """A graph must have the inputs of its tower, else they are told, with where the form of a folder stands."""
    (folder / name).write_bytes((folder / other).read_bytes())
    save_hashes(folder)
    rule = f"must have a {name} with the output vectors and no inputs but .*Got the inputs .*docs/models.md"
    with pytest.raises(BrokenModelError, match=rule):
        embed(folder)


@pytest.mark.parametrize(("old", "new"), [("pixels", "input"), ("vectors", "output")])
def test_graph_with_other_names(folder, old, new):
    """A graph whose input or output has another name is told by these names."""
    graph = onnx.load(folder / "image.onnx")
    for node in graph.graph.node:
        for names in (node.input, node.output):
            names[:] = [new if name == old else name for name in names]
    for value in (*graph.graph.input, *graph.graph.output):
        value.name = new if value.name == old else value.name
    onnx.save(graph, folder / "image.onnx")
    save_hashes(folder)
    with pytest.raises(BrokenModelError, match=rf"the output vectors and no inputs but pixels.*\. Got .*\['{new}'\]"):
        embed_images(folder)


@pytest.mark.parametrize(
    ("embed", "name"),
    [
        (embed_images, "image.onnx"),
        (embed_texts, "text.onnx"),
        (embed_texts, "tokenizer.json"),
        (embed_texts, "golden.npz"),
    ],
)
def test_file_of_another_kind(folder, embed, name):
    """A file that is not what its name says is refused, even if its hash is right."""
    (folder / name).write_bytes(b"not a file of that kind")
    save_hashes(folder)
    with pytest.raises(BrokenModelError, match=f"must have a {name} that can be used"):
        embed(folder)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": 2}, "format must be 1. Got 2"),
        ({"format": None}, "format must be 1. Got None"),
        ({"id": None}, "id must be there"),
        ({"id": 5}, "id must be a text. Got 5"),
        ({"dimension": "512"}, "dimension must be a whole number. Got '512'"),
        ({"dimension": True}, "dimension must be a whole number. Got True"),
        ({"dimension": 0}, "dimension must be from 1 to 8192. Got 0"),
        ({"golden": None}, "golden must be there"),
        ({"image": []}, r"image must be an object. Got \[\]"),
        ({"image__size": 0}, "image.size must be from 1 to"),
        ({"image__size": 10**9}, "image.size must be from 1 to 8192. Got 1000000000"),
        ({"image__size": 9.5}, "image.size must be a whole number"),
        ({"image__fit": "stretch"}, "image.fit must be 'pad' or 'crop' or 'squash'. Got 'stretch'"),
        ({"image__fit": []}, "image.fit must be"),
        ({"image__interpolation": None}, "image.interpolation must be there"),
        ({"image__mean": [0.5]}, "image.mean must be 3 times a number"),
        ({"image__std": [1, 1, 0]}, "image.std must be above 0"),
        ({"image__std": [1, 1, "1"]}, "image.std must be 3 times a number"),
        ({"image__background": [0, 0, 256]}, "image.background must be from 0 to 255"),
        ({"text__max_length": 0}, "text.max_length must be from 1 to"),
        ({"text__tokenizer": None}, "text.tokenizer must be there"),
        (
            {"image__file": "../image.onnx"},
            r"image.file must be the name of a file in the folder. Got '\.\./image",
        ),
        ({"text__file": "/etc/passwd"}, "text.file must be the name of a file"),
        ({"text__tokenizer": "a\\b"}, "text.tokenizer must be the name of a file"),
        ({"golden": ".."}, "golden must be the name of a file"),
        ({"golden": "other.npz"}, "sha256.other.npz must be 64 hexadecimal digits. Got None"),
        ({"sha256__image.onnx": "abc"}, "sha256.image.onnx must be 64 hexadecimal digits. Got 'abc'"),
        ({"int8": {"file": "image.int8.onnx", "way": "any", "median": 1.0}}, "int8.least must be there"),
        ({"int8": {"file": "../x", "way": "", "median": 1.0, "least": 1.0}}, "int8.file must be the name of a file"),
        ({"int8": {"file": "q.onnx", "way": "", "median": 1, "least": 1}}, "sha256.q.onnx must be 64 hexadecimal"),
        ({"weights": []}, "weights must be an object"),
        ({"weights": {"other.onnx": "a.weights"}}, "weights.other.onnx must be a file for one of"),
        ({"weights": {"image.onnx": 5}}, r"weights.image.onnx must be a file for one of .* Got 5"),
        ({"weights": {"image.onnx": "../a"}}, r"weights.image.onnx must be the name of a file in the folder"),
        ({"weights": {"image.onnx": "a.weights"}}, "sha256.a.weights must be 64 hexadecimal digits"),
        ({"original": {"source": "a/b"}}, "original.revision must be there"),
        (
            {"original": {"source": "a", "revision": "1", "kind": "C", "remote_code": 1, "made_with": "t"}},
            "original.remote_code must be true or false. Got 1",
        ),
        ({"sha256__more.bin": "0" * 64}, r"sha256 must be of the files named. Got \['more.bin'\]"),
    ],
)
def test_wrong_field(folder, changes, words):
    """A field of model.json that is missing or wrong is named, with what it must be."""
    change_json(folder, **changes)
    with pytest.raises(BrokenModelError, match=words):
        read_model(folder)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'"\xff"', b"[" * 200_000, None])
def test_no_model_json(folder, text):
    """A model.json that cannot be read is a fault of the folder, which is named."""
    (folder / "model.json").unlink()
    if text is not None:
        (folder / "model.json").write_bytes(text)
    with pytest.raises(BrokenModelError, match="tiny"):
        read_model(folder)


# --- finding a model


def test_installed(folder, tmp_path):
    """The installed models are the bundled ones and those of the models folder."""
    make_model(tmp_path / "models" / "org--big", "org/big")
    (tmp_path / "models" / "empty").mkdir()
    own = [model for model in installed() if model.folder.parent != BUNDLED]
    assert [(model.id, model.model, model.folder.name) for model in own] == [
        ("org/big", "org/big@2", "org--big"),
        ("tiny", "tiny@2", "tiny"),
    ]
    assert own[1].bytes == sum((folder / name).stat().st_size for name in FILES)


def test_several_folders(folder, tmp_path, monkeypatch):
    """Models may be in several folders, one of them shared; what the first has comes first."""
    other = make_model(tmp_path / "shared" / "tiny", "tiny")
    big = make_model(tmp_path / "shared" / "org--big", "org/big")
    monkeypatch.setenv("MEETUP2025_MODELS", os.pathsep.join([str(folder.parent), "", str(other.parent)]))
    assert (find("tiny"), find("org/big")) == (folder, big)
    assert [model.folder for model in installed()][1:] == [folder, big, other]


def test_find(folder, tmp_path):
    """A model is found by its id, also one with an organisation, and by the path of its folder."""
    big = make_model(tmp_path / "models" / "org--big", "org/big")
    assert find("tiny") == folder
    assert find("org/big") == big
    elsewhere = make_model(tmp_path / "elsewhere", "other")
    assert find(str(elsewhere)) == elsewhere


def test_find_a_revision(tmp_path):
    """A model may have several revisions, each in a folder of its own; then one must be said."""
    big = make_model(tmp_path / "models" / "org--big@2", "org/big")
    assert find("org/big") == find("org/big@2") == big
    with pytest.raises(MissingModelError, match="'org/big@3'; installed: sketch, org/big"):
        find("org/big@3")
    other = make_model(tmp_path / "models" / "org--big@3", "org/big")
    change_json(other, revision="3")
    assert (find("org/big@2"), find("org/big@3")) == (big, other)
    with pytest.raises(MissingModelError, match=r"One revision .*Got 'org/big'; installed: org/big@2, org/big@3"):
        find("org/big")


def test_find_is_not_fooled_by_names(tmp_path):
    """A revision is that of model.json, and an id that begins like another is another."""
    make_model(tmp_path / "models" / "big@3", "big")
    make_model(tmp_path / "models" / "big-more@2", "big-more")
    with pytest.raises(MissingModelError):
        find("big@3")
    assert find("big-more").name == "big-more@2"
    with pytest.raises(MissingModelError):
        find("big*")


def test_unfinished_folders_are_no_models(tmp_path):
    """What an installation has not finished yet is neither listed nor found."""
    make_model(tmp_path / "models" / ".installing" / "made", "made")
    assert [model.id for model in installed()] == ["sketch"]
    with pytest.raises(MissingModelError):
        find("made")


def test_find_from_within(tmp_path, monkeypatch):
    """A plain word is an id, never a folder that happens to be here."""
    elsewhere = make_model(tmp_path / "elsewhere", "other")
    monkeypatch.chdir(tmp_path)
    assert find(f".{os.sep}elsewhere") == elsewhere
    with pytest.raises(MissingModelError, match="'elsewhere'"):
        find("elsewhere")


def test_folder_of_another_model(folder):
    """A folder whose model has another id is not taken for the model that was asked for."""
    folder.rename(folder.with_name("small"))
    with pytest.raises(BrokenModelError, match=r"id must be 'small'\. Got 'tiny'"):
        find("small")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", ["line-corporation/clip-japanese-base", "tin", "..", "models/tiny"])
def test_missing_model(name):
    """An absent model is an error that names the installed ones; no other is taken."""
    with pytest.raises(MissingModelError, match=r"installed: (.*, )?tiny\..*meetup2025 model list"):
        encoder(name)


def test_encoder(folder, monkeypatch):
    """An encoder is one object in a process; without a name it is that of the setting."""
    assert encoder("tiny") is encoder("tiny")
    monkeypatch.setenv("MEETUP2025_MODEL", "tiny")
    assert encoder() is encoder("tiny")
    assert encoder(str(folder)) is encoder("tiny")


def test_model_json_is_read_once(folder, monkeypatch):
    """A process reads a model.json again only after a change, however often it asks for the model."""
    read = []
    monkeypatch.setattr(models, "_read_json", lambda folder, of=models._read_json: read.append(folder) or of(folder))
    for _ in range(3):
        encoder("tiny")
        find("tiny")
        assert read == [folder]
    change_json(folder, description="Another.")
    assert (read_model(folder).description, len(read)) == ("Another.", 2)


def test_changed_model_is_loaded_anew(folder):
    """A model that was installed again, with other weights, answers with these in a process that had the old ones."""
    before = encoder("tiny").images(pictures(1))
    Tiny(seed=6).save(folder)
    save_golden(folder, Tiny(seed=6))
    save_hashes(folder)
    assert np.allclose(encoder("tiny").images(pictures(1)), Tiny(seed=6).images(pictures(1)), rtol=0, atol=1e-5)
    assert not np.allclose(before, Tiny(seed=6).images(pictures(1)), rtol=0, atol=1e-2)


# --- what runs a model


def test_quantised_half(folder, monkeypatch):
    """MEETUP2025_RUNTIME=int8 takes the quantised half, and says so in the name of the model."""
    quantise(folder, near(0.02), least=0.999)
    monkeypatch.setenv("MEETUP2025_RUNTIME", "int8")
    model = encoder("tiny")
    assert model.model == "tiny@2+int8"
    assert np.allclose(model.images(pictures(3)), near(0.02).images(pictures(3)), rtol=0, atol=1e-5)
    assert not np.allclose(model.images(pictures(3)), Tiny().images(pictures(3)), rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("claims", "got"),
    [({"least": 0.9999}, r"lowest 0\.9\d+ for image_0\d"), ({"least": 0.0, "median": 0.9999}, r"median 0\.9\d+")],
)
def test_quantised_half_that_is_worse_than_it_was(folder, claims, got):
    """A quantised half that is further away than where it was made is refused, with what else can be done."""
    quantise(folder, near(0.3), **claims)
    with pytest.raises(BrokenModelError, match=f"on this processor, .*{got}.* or take MEETUP2025_RUNTIME=onnx"):
        OnnxEncoder(folder, int8=True).images(pictures(1))
    assert OnnxEncoder(folder).images(pictures(1)).shape == (1, DIMENSION)


@pytest.mark.parametrize(("way", "said"), [("dynamic", True), (SEVEN_BITS, False)])
def test_weights_of_8_bits_are_named(folder, way, said):
    """Where the weights of a half that is off have 8 bits, the message says that these overflow."""
    quantise(folder, near(0.3), least=0.9999, way=way)
    with pytest.raises(BrokenModelError) as caught:
        OnnxEncoder(folder, int8=True).check()
    assert ("8 bits, which overflow on some processors" in str(caught.value)) is said


def spoil(folder: Path) -> None:
    """Make the second of two golden pictures wrong, and the first right."""
    vectors = Tiny().images(pictures(2))
    save_golden(folder, Tiny(), image_vectors=np.array([vectors[0], -vectors[1]]))
    save_hashes(folder, *FILES, "image.int8.onnx")


def test_worst_golden_picture_counts(folder):
    """A quantised half is held to all its golden pictures, not to the first alone."""
    quantise(folder, Tiny(), least=0.999)
    spoil(folder)
    with pytest.raises(BrokenModelError, match=r"lowest -1\.0000 for image_01"):
        OnnxEncoder(folder, int8=True).images(pictures(1))


def test_checked_once_on_each_processor(folder, monkeypatch):
    """All golden pictures are run once on each processor, then the first alone; the folder remembers it."""
    quantise(folder, Tiny(), least=0.999)
    runs = []
    golden = _ImageTower.golden
    monkeypatch.setattr(_ImageTower, "golden", lambda tower, most=None: runs.append(most) or golden(tower, most))
    for name, expected in (("one", [None]), ("one", [1]), ("other", [None]), ("other", [1]), ("one", [1])):
        monkeypatch.setattr(processors, "identity", lambda name=name: name)
        OnnxEncoder(folder, int8=True).images(pictures(1))
        assert runs == expected
        runs.clear()
    change_json(folder, description="Another.")
    OnnxEncoder(folder, int8=True).images(pictures(1))
    assert runs == [None]


@pytest.mark.parametrize("text", ["[]", "{", "[" * 100_000, None])
def test_folder_that_cannot_remember(folder, text):
    """Where the folder cannot be written, or what it remembers not be read, the half is checked and runs."""
    quantise(folder, Tiny(), least=0.999)
    if text is None:
        (folder / processors.FILE).mkdir()
    else:
        (folder / processors.FILE).write_text(text)
    assert OnnxEncoder(folder, int8=True).images(pictures(1)).shape == (1, DIMENSION)
    assert processors.is_checked(folder) == (text is not None)
    assert not list(folder.glob(f"{processors.FILE}.*"))


def test_identity(tmp_path, monkeypatch):
    """A processor is told by its name and its features, and by the version that runs on it."""
    tell = "model name\t: Some CPU\nflags\t: avx2{}\n\nmodel name\t: Some CPU\n"
    found = []
    for more in ("", " avx512_vnni", ""):
        (tmp_path / "cpuinfo").write_text(tell.format(more))
        monkeypatch.setattr(processors, "_CPUINFO", tmp_path / "cpuinfo")
        found.append(processors.identity.__wrapped__())
    assert found[0] == found[2] != found[1]
    assert found[0].startswith("Some CPU, ")
    monkeypatch.setattr(processors, "_CPUINFO", tmp_path / "none")
    assert f"onnxruntime {runtime.library().__version__}" in processors.identity.__wrapped__()


def test_no_quantised_half(monkeypatch):
    """A model without a quantised half is no other model instead."""
    monkeypatch.setenv("MEETUP2025_RUNTIME", "int8")
    with pytest.raises(MissingModelError, match="install it again with --int8"):
        encoder("sketch")


def test_unknown_runtime(monkeypatch):
    """A runtime that there is not is refused, with those that there are."""
    monkeypatch.setenv("MEETUP2025_RUNTIME", "cuda")
    with pytest.raises(InterfaceError, match=r"must be onnx, int8, torch\. Got 'cuda'"):
        encoder("sketch")


def test_verify_tells_more_than_the_first(folder):
    """A model that is not held to its first item tells of each how near it is."""
    save_golden(folder, Tiny(seed=6))
    save_hashes(folder)
    with pytest.raises(BrokenModelError):
        OnnxEncoder(folder).verify()
    found = OnnxEncoder(folder, strict=False).verify()
    assert len(found) == 4
    assert all(cosine < least for _, cosine, least in found)


# --- the bundled model


@pytest.mark.parametrize(
    "asked",
    [
        *(" マアジ", "マアジ ", "\tマアジ\r\n", "\ufeffマアジ", "\u3000マアジ\u3000", "ﾏｱｼﾞ"),
        unicodedata.normalize("NFD", "マアジ"),
    ],
)
def test_asked_as_stored(asked):
    """Blanks, line ends and a byte order mark around a text change nothing of its vector."""
    assert np.array_equal(*encoder("sketch").texts([asked, "マアジ"]))


def test_doubled_blanks():
    """Blanks inside a text count as one, of whatever width."""
    found = encoder("sketch").texts(["red fish", "red  fish", "red\u3000\nfish"])
    assert np.array_equal(found, found[[0, 0, 0]])



def test_sketch():
    """The bundled model is the default, is whole, and gives its published vectors."""
    sketch = encoder()
    check_hashes(BUNDLED / "sketch")
    assert sketch is encoder("sketch")
    assert sketch.dimension == 512
    assert min(cosine for _, cosine, _ in OnnxEncoder(BUNDLED / "sketch").verify()) >= LEAST_COSINE


def test_pictures_load_nothing_of_texts():
    """Embedding a picture imports no tokenizer: every process of a database pays for what is imported."""
    program = (
        "import sys; from PIL import Image; from meetup2025.embedding import encoder; "
        "encoder('sketch').images([Image.new('RGB', (64, 32), 'navy')]); "
        "print([name for name in ('tokenizers', 'torch', 'duckdb', 'sqlglot') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
