"""A published model, of each family, becomes a folder that answers as it does."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import published
import pytest
import saturating
from click.testing import CliRunner
from PIL import Image

from meetup2025 import vectors
from meetup2025.cli import main
from meetup2025.embedding import encoder, runtime
from meetup2025.embedding.installing import probes
from meetup2025.embedding.models import read_model
from meetup2025.embedding.onnx import LESS_COSINE, OnnxEncoder, pixels
from meetup2025.embedding.texts import normal
from meetup2025.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.clip


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Let tiny models run on one thread."""
    with published.one_thread():
        yield


FAMILIES = [*published.FAMILIES, published.own_code]
TEXTS = ["サバの写真", "ｻﾞﾘｶﾞﾆとﾌﾞﾘ", "A Red Fish, swimming!", "海", "とても長い " * 90, "a.b"]
"""Texts that no model is tried with at its installation."""
SPELLED = [normal(text) for text in TEXTS]
"""These texts in the one spelling that every model is asked in."""


def pictures() -> list[Image.Image]:
    """Make pictures that no model is tried with at its installation."""
    shapes = [(200, 90), (70, 150), (48, 48), (321, 45)]
    return [probes.natural(shape, 900 + place) for place, shape in enumerate(shapes)]


def run(*arguments: object) -> Any:
    """Run a command in this process."""
    return CliRunner().invoke(main, [str(each) for each in arguments])


class Installed:
    """A model that was installed by the command, and where it was published."""

    def __init__(self, make: Any, folder: Path) -> None:
        self.make, self.source, self.models = make, make(folder / make.__name__), folder / "models"
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MEETUP2025_MODELS", str(self.models))
            self.result = run("model", "install", self.source, "--trust-remote-code", "--int8", "--format", "json")
        assert self.result.exit_code == 0, self.result.output
        self.answer = json.loads(self.result.stdout)

    def documented(self) -> tuple[np.ndarray, np.ndarray]:
        """Embed texts and pictures as the documentation of transformers has it, and the page of clip-japanese-base."""
        import torch
        from transformers import AutoImageProcessor, AutoModel, AutoTokenizer

        trust = {"trust_remote_code": self.make is published.own_code}
        model = AutoModel.from_pretrained(self.source, **trust).eval()
        words = AutoTokenizer.from_pretrained(self.source, **trust)
        processor = AutoImageProcessor.from_pretrained(self.source, use_fast=False, **trust)
        with torch.no_grad():
            shown = processor(pictures(), return_tensors="pt")
            return model.get_text_features(**self._tokens(words)), model.get_image_features(**shown)

    def _tokens(self, words: Any) -> dict[str, Any]:
        if self.make is published.own_code:
            return words(SPELLED)
        lengths = {published.clip: 77, published.altclip: 40}
        if self.make in {published.siglip, published.siglip2}:
            made = words(SPELLED, padding="max_length", max_length=16, truncation=True, return_tensors="pt")
            return {"input_ids": made["input_ids"]}
        return words(SPELLED, padding=True, max_length=lengths.get(self.make, 52), truncation=True, return_tensors="pt")


@pytest.fixture(scope="module", params=FAMILIES, ids=lambda make: make.__name__)
def model(request, tmp_path_factory, hub_cache):
    """Install a model of each family, once."""
    published.in_cache(hub_cache, published.SECOND, published.second(tmp_path_factory.mktemp("second") / "words"))
    return Installed(request.param, tmp_path_factory.mktemp(request.param.__name__))


@pytest.fixture
def own(model, monkeypatch) -> OnnxEncoder:
    """Give the encoder of what was installed."""
    monkeypatch.setenv("MEETUP2025_MODELS", str(model.models))
    monkeypatch.setenv("MEETUP2025_RUNTIME", "onnx")
    return encoder(model.source.name)


def cosines(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Compare rows."""
    return (ours * vectors.unit(np.asarray(theirs))).sum(axis=1)


def test_it_answers_as_documented(model, own):
    """Texts and pictures that are new to it get the vectors that the documented way gives."""
    texts, images = model.documented()

    assert cosines(own.texts(TEXTS), texts).min() > 0.99999
    assert cosines(own.images(pictures()), images).min() > 0.99999


def test_answers_differ(own):
    """The comparison would see a wrong answer: other texts and pictures have other vectors."""
    for rows in (own.texts(TEXTS), own.images(pictures())):
        others = rows @ rows.T - np.eye(len(rows))

        assert others.max() < 0.999


def test_what_is_told(model):
    """The command tells the name, the lowest cosine, and the agreement of the quantised half."""
    answer = model.answer

    assert answer["model"].startswith(f"{model.make.__name__}@")
    assert answer["least"] > 0.9999
    assert 0.98 < answer["int8_median"] < 1
    assert 0.95 < answer["int8_least"] <= answer["int8_median"]
    assert "quantised pictures" not in model.result.stderr


def test_another_dimension_is_told(model):
    """A model whose vectors do not fit the tables says so, and what can be done."""
    told = "the tables hold 512" in " ".join(model.result.stderr.split())

    assert told == (model.answer["dimension"] != 512) == (model.make in {published.siglip, published.siglip2})


def test_golden_items(model, own):
    """There are at least 32 golden texts and 16 pictures: wide, tall, small and grey."""
    with np.load(own.info.folder / "golden.npz", allow_pickle=False) as arrays:
        shapes = [arrays[f"image_{place:02}"].shape for place in range(len(arrays["image_vectors"]))]
        texts = arrays["texts"].tolist()

    assert (len(texts) >= 32, max(map(len, texts)) > 1000, min(map(len, texts))) == (True, True, 1)
    for letters in ("[ァ-ヶ]", "[ぁ-ん]", "[一-龠]", "[A-Za-z]"):
        alone = [text for text in texts if re.fullmatch(f"(?:{letters}|[^\\w])+", text)]
        mixed = [text for text in texts if re.search(letters, text) and text not in alone]
        assert (len(alone) >= 2, len(mixed) >= 2) == (True, True), letters
    assert len(shapes) >= 16
    assert {len(shape) for shape in shapes} == {2, 3}
    assert max(shape[1] / shape[0] for shape in shapes) >= 4
    assert max(shape[0] / shape[1] for shape in shapes) >= 4
    assert model.answer["bytes"] == sum((own.info.folder / name).stat().st_size for name in own.info.sha256)


def test_who_may_read_it(own, tmp_path):
    """Every file of a model may be read by those who may read any new file: a folder can be shared."""
    (tmp_path / "new").touch()
    modes = {(own.info.folder / name).stat().st_mode for name in [*own.info.sha256, "model.json"]}

    assert modes == {(tmp_path / "new").stat().st_mode}


def test_verify(model, monkeypatch):
    """Every golden item of an installed model is right, of the quantised half too."""
    monkeypatch.setenv("MEETUP2025_MODELS", str(model.models))
    rows = json.loads(run("model", "verify", model.source.name, "--format", "json").stdout)

    assert len(rows) == 2 * (len(probes.TEXTS) + len(probes.SIZES) + 1)
    assert all(row["right"] for row in rows)


def test_int8(model, own, monkeypatch):
    """The quantised half gives near vectors, under a name of their own."""
    monkeypatch.setenv("MEETUP2025_RUNTIME", "int8")
    quantised = encoder(model.source.name)

    assert quantised.model == f"{own.model}+int7"
    assert 0.98 < (quantised.images(pictures()) * own.images(pictures())).sum(axis=1).min() < 0.9999999
    assert np.array_equal(quantised.texts(TEXTS), own.texts(TEXTS))


def emulated(own: OnnxEncoder, graph: Path) -> np.ndarray:
    """Compare the golden pictures, run on a processor that cuts sums at 16 bits, with their published vectors."""
    with np.load(own.info.folder / "golden.npz", allow_pickle=False) as arrays:
        golden = arrays["image_vectors"]
        shown = [Image.fromarray(arrays[f"image_{place:02}"]) for place in range(len(golden))]
    return cosines(np.vstack([saturating.embed(graph, pixels([picture], own.info.image)) for picture in shown]), golden)


def test_int8_on_every_processor(own):
    """The quantised half is as near on a processor whose products overflow as on this one."""
    found = emulated(own, own.info.folder / own.info.int8.file)

    assert found.min() >= own.info.int8.least - LESS_COSINE
    assert np.median(found) >= own.info.int8.median - LESS_COSINE


def test_weights_of_8_bits_overflow(own, tmp_path):
    """The test above would see an overflow: weights of 8 bits, which are right here, are off there."""
    quantization = runtime.library("quantization")
    kinds = {"op_types_to_quantize": ["MatMul", "Gemm"], "weight_type": quantization.QuantType.QInt8}
    quantization.quantize_dynamic(own.info.folder / own.info.image.file, tmp_path / "8", per_channel=True, **kinds)
    found = emulated(own, tmp_path / "8")

    assert found.min() < own.info.int8.least - 10 * LESS_COSINE


def test_int8_alone_and_among_others(own):
    """A picture has the same vector through the quantised half, whatever it is embedded with."""
    quantised = OnnxEncoder(own.info.folder, int8=True)
    alone = np.vstack([quantised.images([picture]) for picture in pictures()])

    assert np.array_equal(quantised.images(pictures()), alone)


def test_torch(model, own, monkeypatch):
    """The original can be run for comparison, and agrees."""
    monkeypatch.setenv("MEETUP2025_RUNTIME", "torch")
    original = encoder(model.source.name)

    assert (original.model, original.dimension, original.picture_size) == (own.model, own.dimension, own.picture_size)
    assert cosines(own.texts(TEXTS), original.texts(TEXTS)).min() > 0.99999
    assert cosines(own.images(pictures()), original.images(pictures())).min() > 0.99999
    assert original.texts([]).shape == original.images([]).shape == (0, own.dimension)


def test_many_texts(own):
    """A thousand texts at once are embedded in parts, each as it would be alone."""
    many = [f"魚{place} " + "の絵" * (place % 7) for place in range(1_000)]
    found, places = own.texts(many), [0, 31, 32, 999]
    alone = np.vstack([own.texts([many[place]]) for place in places])

    assert found.shape == (1_000, own.dimension)
    assert np.abs(found[places] - alone).max() < 1e-5


def test_long_and_empty_texts(own):
    """A text of 10,000 characters is cut as the original cuts it; an empty one is refused."""
    assert np.array_equal(own.texts(["魚の絵 " * 2500]), own.texts(["魚の絵 " * 1000]))
    with pytest.raises(DataError, match="must not be empty"):
        own.texts(["", "魚"])


def test_a_copied_folder_is_installed(own, tmp_path, monkeypatch):
    """A model folder is installed by its path on another machine, or put into its place, with the same answers."""
    monkeypatch.setenv("MEETUP2025_MODELS", str(tmp_path / "other"))
    result = run("model", "install", own.info.folder)

    assert result.exit_code == 0, result.output
    assert read_model(tmp_path / "other" / own.info.folder.name).sha256 == own.info.sha256
    assert np.array_equal(encoder(own.model).texts(TEXTS), own.texts(TEXTS))

    shutil.copytree(own.info.folder, tmp_path / "shared" / own.info.folder.name)
    monkeypatch.setenv("MEETUP2025_MODELS", str(tmp_path / "shared"))
    assert np.array_equal(encoder(own.model).texts(TEXTS), own.texts(TEXTS))


def test_installing_again_changes_nothing(model, own):
    """What is installed already is not made again."""
    before = own.info.folder.stat().st_mtime_ns
    result = run("model", "install", model.source)

    assert "is installed already" in result.stdout
    assert own.info.folder.stat().st_mtime_ns == before


KINDS = {
    "clip": ("crop", "bicubic", 77),
    "siglip": ("squash", "bicubic", 16),
    "siglip2": ("squash", "bicubic", 16),
    "chinese_clip": ("squash", "bicubic", 52),
    "altclip": ("crop", "bicubic", 40),
    "dual_encoder": ("squash", "bilinear", 52),
    "own_code": ("pad", "bicubic", 20),
}


def test_what_was_measured(model, own):
    """The folder records how the original prepares pictures and texts, and what it is."""
    image, text, original = own.info.image, own.info.text, own.info.original
    means = {"clip": 0.48145466, "altclip": 0.48145466, "chinese_clip": 0.48145466, "own_code": 0.48}

    assert (image.fit, image.interpolation, text.max_length) == KINDS[model.make.__name__]
    assert (image.size, own.info.licence) == (32, "apache-2.0" if model.make is published.own_code else "mit")
    assert image.mean[0] == pytest.approx(means.get(model.make.__name__, 0.5), abs=1e-6)
    assert (original.source, original.remote_code) == (str(model.source), model.make is published.own_code)
