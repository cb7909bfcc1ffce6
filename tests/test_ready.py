"""A model that is published in ONNX becomes a folder, from a hub, and answers as its numbers say."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import hub
import numpy as np
import pytest
import ready_models
from click.testing import CliRunner
from PIL import Image

from meetup2025 import vectors
from meetup2025.cli import main
from meetup2025.embedding import processors
from meetup2025.embedding.installing import install, layouts, meaning, probes, recipes
from meetup2025.embedding.installing.meaning import DRAWN
from meetup2025.embedding.models import file_hash, find, read_model
from meetup2025.embedding.onnx import OnnxEncoder

if TYPE_CHECKING:
    from pathlib import Path

_ANSWERS: dict[str, dict[str, Any]] = {}
"""What the command said about each model of `installed`."""

CLIP, TEXTS, SIGLIP = "planted/clip", "planted/texts", "planted/siglip"


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Let tiny models run on one thread."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        yield


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> dict[str, Path]:
    """Publish a model in each layout."""
    root = tmp_path_factory.mktemp("published")
    return {
        CLIP: ready_models.transformers_js(root / "clip"),
        TEXTS: ready_models.sentences(root / "texts"),
        SIGLIP: ready_models.siglip(root / "siglip"),
    }


@pytest.fixture(scope="module")
def reached(published, tmp_path_factory):
    """Let this process reach a hub that has them."""
    with hub.serving(published) as address, hub.reached(address, tmp_path_factory.mktemp("cache")):
        yield


@pytest.fixture
def models(tmp_path, monkeypatch) -> Path:
    """Give the folder of the installed models of this test."""
    monkeypatch.setenv("MEETUP2025_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture(scope="module")
def installed(reached, tmp_path_factory) -> dict[str, OnnxEncoder]:  # noqa: ARG001 - the hub is there
    """Install a model of each layout by the command: in float32, and what the hub has first."""
    wanted = {
        "clip": [CLIP, "--precision", "float32", "--as", "clip"],
        "clip-int8": [CLIP, "--as", "clip-int8"],
        "clip-half": [CLIP, "--as", "clip-half", "--precision", "float16"],
        "both": [CLIP, "--texts", TEXTS, "--as", "both", "--precision", "float32"],
        "both-int8": [CLIP, "--texts", TEXTS, "--as", "both-int8"],
        "siglip": [SIGLIP, "--as", "siglip"],
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEETUP2025_MODELS", str(tmp_path_factory.mktemp("installed")))
        _ANSWERS.update({name: told(*arguments) for name, arguments in wanted.items()})
        return {name: OnnxEncoder(find(name)) for name in wanted}


def run(*arguments: object) -> Any:
    """Run a command in this process."""
    return CliRunner().invoke(main, [str(each) for each in arguments])


def told(*arguments: object) -> dict[str, Any]:
    """Install, and give what the command says to programs."""
    result = run("model", "install", *arguments, "--format", "json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def pictures() -> list[Image.Image]:
    """Make pictures that no model is tried with at its installation."""
    return [probes.natural(shape, 900 + place) for place, shape in enumerate([(200, 90), (70, 150), (48, 48)])]


def cosines(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Compare rows."""
    return (ours * vectors.unit(theirs)).sum(axis=1)


@pytest.mark.parametrize(("name", "least"), [("clip", 0.99999), ("clip-half", 0.99999), ("clip-int8", 0.999)])
def test_pictures_are_prepared_as_stated(installed, name, least):
    """Pictures are resized, cut and scaled as the configuration says, and get the vectors of the graph."""
    wanted = ready_models.means(pictures()) @ ready_models.matrix()

    assert cosines(installed[name].images(pictures()), wanted).min() > least


@pytest.mark.parametrize(("name", "least"), [("clip", 0.99999), ("both", 0.99999), ("both-int8", 0.99)])
def test_texts_are_pooled_and_multiplied(installed, name, least):
    """The tokens of a text are pooled, without those that fill a row up, and multiplied with the matrix of Dense."""
    shown = ready_models.means([each.picture() for each in DRAWN]) @ ready_models.matrix()
    found = [installed[name].texts([each.words[language] for each in DRAWN]) for language in (0, 1)]

    assert min(cosines(rows, shown).min() for rows in found) > least


def test_graphs_stay_as_they_are_published(installed, published):
    """A graph in a model folder has the bytes, and the hash, that its authors published; the origin is recorded."""
    info = installed["both"].info
    image, text = (info.sources[half] for half in ("image", "text"))

    assert (image["repository"], image["revision"], text["repository"]) == (CLIP, hub.COMMIT, TEXTS)
    assert info.sha256["vision_model.onnx"] == file_hash(published[CLIP] / "onnx" / "vision_model.onnx")
    assert image["files"]["onnx/vision_model.onnx"] == info.sha256["vision_model.onnx"]
    assert set(text["files"]) >= {"onnx/model.onnx", "tokenizer.json", "2_Dense/model.safetensors", "modules.json"}


def test_longer_vectors_are_projected(installed):
    """A model of 768 numbers gives 512, of unit length, between which the cosines are nearly what they were."""
    encoder = installed["siglip"]
    squashed = [picture.resize((ready_models.SIZE,) * 2, Image.Resampling.BICUBIC) for picture in pictures()]
    before = vectors.unit(ready_models.means(squashed) @ ready_models.matrix(768))
    after = encoder.images(pictures())
    with np.load(encoder.info.folder / "image.head.npz") as arrays:
        matrix = arrays["matrix"]

    assert (encoder.dimension, after.shape[1]) == (512, 512)
    assert np.abs(matrix.T @ matrix - np.eye(512)).max() < 1e-5
    assert np.abs(before @ before.T - after @ after.T).max() < 0.02


@pytest.mark.parametrize("name", ["clip", "clip-int8", "clip-half", "both", "both-int8", "siglip"])
def test_verified(installed, name):
    """Every golden item is right, alone and among others, and the model knows both languages and says so."""
    encoder = installed[name]
    found = encoder.verify()

    assert len(found) == len(probes.TEXTS) + len(probes.SIZES) + 1
    assert min(cosine for _, cosine, _ in found) > 0.9999
    assert encoder.languages == ("ja", "en")
    assert encoder.info.precision == ({"int8": "int8", "half": "float16"}.get(name.rpartition("-")[2]) or
                                      ("int8" if name == "siglip" else "float32"))  # fmt: skip


def test_integers_are_alone_in_a_run(installed):
    """A text or picture in int8 has the same vector, whatever it is embedded with."""
    encoder, words = installed["both-int8"], ["赤い丸", "a blue square and many dots", "点"]
    for embed, items in ((encoder.texts, words), (encoder.images, pictures())):
        assert np.array_equal(embed(items), np.vstack([embed([item]) for item in items]))


def test_what_is_told(reached, models):  # noqa: ARG001 - the hub is there
    """The command tells what was measured: the meaning, and how near int8 is to float32 where both are at hand."""
    full, small = told(CLIP, "--precision", "float32"), told(CLIP)

    assert list(full["measured"]) == ["meaning"]
    assert full["measured"]["meaning"].endswith(": ja 1.00 (colours 1.00), en 1.00 (colours 1.00)")
    assert small["measured"]["agreement with float32"].startswith("cosine to float32: pictures 0.99")
    assert told(CLIP)["least"] is None


def test_no_download_for_a_comparison(published, models, tmp_path):  # noqa: ARG001
    """The files in float32 are not downloaded to be compared with."""
    with hub.serving(published) as address, hub.reached(address, tmp_path / "cache"):
        assert set(told(CLIP)["measured"]) == {"meaning"}


@pytest.mark.usefixtures("installed")
def test_what_a_projection_costs_is_told():
    """The command tells what a projection costs, and says nothing of one where there is none."""
    said = {name: answer["measured"].get("projection", "") for name, answer in _ANSWERS.items()}

    assert said.pop("siglip").startswith("projected to 512 numbers: cosines correlate by 0.99")
    assert set(said.values()) == {""}


def test_folder(published, models):
    """A folder in a layout of the Hub is installed without a network, and its files are copied."""
    answer = told(published[CLIP])

    assert answer["model"].startswith("clip@int8-")
    assert (models / answer["model"] / "vision_model_quantized.onnx").stat().st_nlink == 1


def test_from_the_cache_alone(reached, models):  # noqa: ARG001 - the hub was there
    """What was downloaded once is installed again without a network."""
    run("model", "install", CLIP)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
        answer = told(CLIP, "--from-cache", "--as", "cached")

    assert answer["model"].startswith("cached@int8-")


def test_recipe(reached, published, models, monkeypatch):  # noqa: ARG001
    """A short name installs what its recipe pins: files of two repositories, with their hashes and languages."""
    graph = "onnx/vision_model_quantized.onnx"
    pinned = recipes.Pinned(None, file_hash(published[CLIP] / graph)[:20])
    recipe = replace(
        recipes.known()["clip-multilingual"], image=recipes.Source(CLIP, hub.COMMIT, {graph: pinned}),
        text=recipes.Source(TEXTS, None, {"onnx/model_qint8_avx512.onnx": recipes.Pinned(None, "")}),
    )  # fmt: skip
    monkeypatch.setattr(recipes, "known", lambda: {recipe.name: recipe})
    monkeypatch.setattr(processors, "sums_without_cut", lambda: True)
    monkeypatch.setattr(processors, "is_arm", lambda: False)
    run("model", "install")
    info = read_model(find("clip-multilingual"))

    assert (info.licence, info.languages, info.dimension) == (recipe.licence, ("ja", "en"), 512)
    assert (info.image.file, info.text.file) == ("vision_model_quantized.onnx", "model_qint8_avx512.onnx")


@pytest.mark.parametrize(
    ("cuts", "arm", "file"),
    [(True, False, "model_quint8_avx2"), (False, False, "model_qint8_avx512_vnni"), (False, True, "model_qint8_arm64")],
)
def test_the_processor_chooses_the_file(published, cuts, arm, file):
    """A processor that cuts sums gets weights without a sign; an ARM gets the file made for it."""
    found = install.hub.of_folder(published[TEXTS])
    half = layouts.text_half(found, "int8", [], layouts.endings(cuts=cuts, arm=arm))

    assert half.file == f"onnx/{file}.onnx"


def test_pinned_file_that_does_not_suit_the_processor(published):
    """A file that a recipe pins is taken only where the processor runs it rightly."""
    pinned = ["onnx/model_qint8_avx512.onnx"]
    found = install.hub.of_folder(published[TEXTS])
    endings = [layouts.endings(cuts=cuts, arm=False) for cuts in (False, True)]

    assert [layouts.text_half(found, "int8", pinned, each).file for each in endings] == [
        pinned[0], "onnx/model_quint8_avx2.onnx",
    ]  # fmt: skip


def test_recipes_of_the_package():
    """Each recipe says where it comes from; those in ONNX have two halves, and hashes that are hexadecimal."""
    known = recipes.known()
    pinned = [each for recipe in known.values() for half in (recipe.image, recipe.text) if half
              for each in half.files.values()]  # fmt: skip

    assert recipes.DEFAULT in known
    assert all(bool(each.published) != bool(each.image and each.text) for each in known.values())
    assert all(0 < len(each.sha256) <= 64 and int(each.sha256, 16) for each in pinned)


def test_available():
    """The list of short names has all recipes, for people and for programs."""
    table, data = run("model", "available").stdout, json.loads(run("model", "available", "--format", "json").stdout)

    assert [each["name"] for each in data] == list(recipes.known())
    assert "229 MB" in table


def test_names_in_the_language_of_the_model(reached, models, tmp_path, monkeypatch):  # noqa: ARG001
    """After a model that knows English alone, `load names` takes English names, and says so."""
    found = [meaning.Meaning("ja", 0.5, 0.5), meaning.Meaning("en", 1, 1)]
    monkeypatch.setattr(meaning, "understood", lambda _: found)
    run("model", "install", CLIP, "--as", "english")
    result = run("load", "names", "--url", f"duckdb:///{tmp_path / 'fish.db'}", "--model", "english")

    assert result.exit_code == 0, result.output
    assert "the model knows English alone: the vectors are of the column English a photo of a {}" in result.stderr
    assert "names have the vector of another name" in result.stderr
