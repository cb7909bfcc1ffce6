"""A model that is published in ONNX is compared with the original that it was made from, where torch is."""

from __future__ import annotations

import json
import shutil
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import published
import pytest
import ready_models
from click.testing import CliRunner
from safetensors.numpy import load_file, save_file

from meetup2025.cli import main
from meetup2025.embedding.installing import meaning, preprocessing, probes
from meetup2025.embedding.onnx import pixels

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.clip, pytest.mark.slow]


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Let tiny models run on one thread."""
    with published.one_thread():
        yield


@pytest.fixture
def original(tmp_path) -> Path:
    """Publish a CLIP for transformers."""
    return published.clip(tmp_path / "original")


@pytest.fixture
def ready(original, tmp_path) -> Path:
    """Publish the same in ONNX, as repositories for transformers.js do, with the name of the original on its page."""
    folder = tmp_path / "ready"
    shutil.copytree(original, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    _export(original, folder / "onnx")
    (folder / "README.md").write_text(f"---\nlicense: mit\nbase_model: {original}\n---\n", "utf-8")
    return folder


def _export(source: Path, folder: Path) -> None:
    import torch
    from transformers import CLIPTextModelWithProjection, CLIPVisionModelWithProjection

    halves = {
        "vision_model": (CLIPVisionModelWithProjection, torch.zeros(2, 3, 32, 32), "pixel_values", "image_embeds"),
        "text_model": (CLIPTextModelWithProjection, torch.ones(2, 5, dtype=torch.int64), "input_ids", "text_embeds"),
    }
    folder.mkdir()
    for name, (kind, example, given, made) in halves.items():
        half = kind.from_pretrained(source, attn_implementation="eager").eval()
        half.config.return_dict = False
        axes = {given: {0: "n"} if example.ndim == 4 else {0: "n", 1: "length"}, made: {0: "n"}}
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # torch warns of the shapes that it fixes, and of this exporter
            torch.onnx.export(
                half, (example,), str(folder / f"{name}.onnx"), input_names=[given], output_names=[made],
                dynamic_axes=axes, opset_version=17, dynamo=False,
            )  # fmt: skip


def install(folder: Path, *arguments: str, models: Path) -> Any:
    """Install it, without the test of meaning, which random weights cannot pass."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEETUP2025_MODELS", str(models))
        patch.setattr(meaning, "check", lambda *_: [])
        return CliRunner().invoke(main, ["model", "install", str(folder), "--against-original", *arguments])


def test_original_of_both_halves(ready, tmp_path):
    """Files in float32 agree with their original, and it is told how well."""
    result = install(ready, "--format", "json", models=tmp_path / "models")

    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)["measured"]["agreement with the original"]
    assert told == "cosine to the original: pictures 1.0000 (lowest 1.0000), texts 1.0000 (lowest 1.0000)"


def test_another_original(ready, original, tmp_path):
    """Files that were made from other weights are refused."""
    weights = load_file(original / "model.safetensors")
    weights["visual_projection.weight"] = weights["visual_projection.weight"][::-1].copy()
    save_file(weights, original / "model.safetensors", metadata={"format": "pt"})
    result = install(ready, models=tmp_path / "models")

    assert result.exit_code == 3
    assert "Pictures in float32 must be near the original (median cosine 0.9999, lowest 0.999). Got" in result.stderr
    assert not list((tmp_path / "models").glob("*@*"))


def test_original_that_is_not_named(ready, tmp_path):
    """A model whose page does not name its original cannot be compared."""
    (ready / "README.md").unlink()

    assert "must say what it was made from" in install(ready, models=tmp_path / "models").stderr


def test_exported_models_are_compared_anyway(original, tmp_path):
    """The option is for models in ONNX alone."""
    assert "are for models that are published in ONNX" in install(original, models=tmp_path / "models").stderr


def test_text_half_of_sentences(tmp_path):
    """A text half of sentence-transformers is compared with its weights for transformers, pooled and multiplied."""
    import torch
    from transformers import AutoTokenizer, BertConfig, BertModel

    from meetup2025.embedding.installing.agreement import _Sentences

    folder = ready_models.sentences(tmp_path / "texts")
    source = published.dual_encoder(tmp_path / "source")
    words = AutoTokenizer.from_pretrained(source)
    words.save_pretrained(folder)
    torch.manual_seed(0)
    config = {**published._LAYERS, "hidden_size": ready_models.TILES, "vocab_size": len(words)}
    model = BertModel(BertConfig(**config, max_position_embeddings=52)).eval()
    model.save_pretrained(folder)
    with torch.no_grad():
        wanted = model(**words(["赤い魚"], return_tensors="pt")).last_hidden_state[0].mean(0).numpy()

    found = _Sentences(folder, 40).texts(["赤い魚", "a fish"])

    assert found.shape == (2, 512)
    assert found[0] == pytest.approx(wanted @ ready_models.matrix(), abs=1e-4)


def processors() -> dict[str, Any]:
    """Make processors of transformers in each way that a configuration may state."""
    from transformers import CLIPImageProcessor, SiglipImageProcessor, ViTImageProcessor

    square = {"height": 32, "width": 32}
    return {
        "crop": CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=square),
        "smaller crop": CLIPImageProcessor(size={"shortest_edge": 37}, crop_size=square, resample=2),
        "squash": ViTImageProcessor(size=square, image_mean=[0.4, 0.5, 0.6]),
        "squash, then crop": CLIPImageProcessor(size={"height": 40, "width": 40}, crop_size=square),
        "without mean": SiglipImageProcessor(size=square, do_normalize=False, resample=1),
    }


@pytest.mark.parametrize("name", ["crop", "smaller crop", "squash", "squash, then crop", "without mean"])
def test_preparation_as_stated(name):
    """What a configuration states about pictures is what the processor of that configuration does."""
    processor = processors()[name]
    info = preprocessing.stated(processor.to_dict(), "image.onnx")
    shown = [picture.convert("RGB") for picture in probes.pictures()]
    scale = 255 * np.array(info.std)[:, None, None]
    for picture in shown:
        wanted = processor([picture], return_tensors="np")["pixel_values"]

        assert float((np.abs(pixels([picture], info) - wanted) * scale).mean()) < 0.01


@pytest.mark.parametrize(("size", "cut"), [(224, 224), (256, 224)])
def test_the_older_form(size, cut):
    """Sizes that are one number mean the short side where the middle is cut out, and a square elsewhere."""
    old = {"size": size, "crop_size": cut, "do_center_crop": True, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    cropped, squashed = (preprocessing.stated(each, "image.onnx") for each in (old, {**old, "do_center_crop": False}))

    assert (cropped.fit, cropped.size, cropped.seen) == ("crop", cut, size)
    assert (squashed.fit, squashed.size, squashed.seen) == ("squash", size, size)
