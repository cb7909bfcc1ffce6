"""What cannot be installed of what is published in ONNX is one clear error, and leaves nothing that looks installed."""

from __future__ import annotations

import json
import re
import resource
import shutil
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import hub
import numpy as np
import onnx
import pytest
import ready_models
from click.testing import CliRunner

from meetup2025.cli import main
from meetup2025.embedding import processors
from meetup2025.embedding.installing import meaning, places, projection, recipes
from meetup2025.embedding.models import BUNDLED, installed
from meetup2025.embedding.onnx import OnnxEncoder
from meetup2025.errors import BrokenModelError

if TYPE_CHECKING:
    from pathlib import Path

CLIP, TEXTS = "planted/clip", "planted/texts"


@pytest.fixture(autouse=True)
def models(tmp_path, monkeypatch) -> Path:
    """Give the folder of the installed models of this test."""
    monkeypatch.setenv("MEETUP2025_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return tmp_path / "models"


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> dict[str, Path]:
    """Publish a model in each layout."""
    root = tmp_path_factory.mktemp("published")
    return {CLIP: ready_models.transformers_js(root / "clip"), TEXTS: ready_models.sentences(root / "texts")}


@pytest.fixture
def clip(published, tmp_path) -> Path:
    """Give a copy of the first, to be changed."""
    return shutil.copytree(published[CLIP], tmp_path / "clip")


@pytest.fixture
def texts(published, tmp_path) -> Path:
    """Give a copy of the second, to be changed."""
    return shutil.copytree(published[TEXTS], tmp_path / "texts")


def install(*arguments: object) -> Any:
    """Install in this process."""
    return CliRunner().invoke(main, ["model", "install", *map(str, arguments)])


def from_hub(published: Any, cache: Path, *arguments: object, **traits: Any) -> Any:
    """Install from a hub of some traits."""
    with hub.serving(published, **traits) as address, hub.reached(address, cache):
        return install(*arguments)


def refusal(result: Any, models: Path) -> str:
    """Give the one line of an error, after which nothing is installed, and only the lock lies beside."""
    lines = [line for line in result.stderr.splitlines() if line]
    own = [info for info in installed() if info.folder.parent != BUNDLED]
    beside = models / ".installing"

    assert (result.exit_code, result.stdout, len(lines)) == (3, "", 1), result.output
    assert not own
    assert not beside.exists() or [path.name for path in beside.iterdir()] == ["lock"]
    return lines[0]


# --- the network


@pytest.mark.parametrize(
    ("arguments", "traits", "message"),
    [
        (["planted/nothing"], {}, "The repository must exist. Got planted/nothing, revision main"),
        ([CLIP], {"gated": frozenset([CLIP])}, "must be open to you.*accepted its terms.*HF_TOKEN"),
        ([CLIP, "--revision", "v9"], {}, "The revision must exist. Got planted/clip, revision v9"),
        ([CLIP, "--texts", "planted/nothing"], {}, "The repository must exist. Got planted/nothing"),
        ([CLIP], {"is_html": True}, "Hub must answer for planted/clip, revision main. Got no JSON, as from a proxy"),
        ([CLIP], {"cut": re.compile(r"onnx/vision.*")}, "The download of planted/clip, revision .* must be whole"),
        ([CLIP], {"changed": re.compile(r".*vision.*")}, "quantized.onnx of planted/clip must have the SHA"),
    ],
)
def test_downloads_that_fail(published, models, tmp_path, arguments, traits, message):
    """What is not there, closed, cut, changed, or answered by a proxy, is told as that."""
    assert re.search(message, refusal(from_hub(published, tmp_path / "cache", *arguments, **traits), models))


def test_a_cut_download_goes_on(published, tmp_path, monkeypatch):
    """After a cut the rest alone is asked for: by the next installation, or, with versions from 1 on, by the same."""
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 4096)  # it keeps whole chunks
    starts: list[int] = []
    once = {"cut": re.compile(r"onnx/vision.*"), "cuts": 1}
    with hub.serving(published, **once, starts=starts) as address, hub.reached(address, tmp_path / "cache"):
        install(CLIP)
        result = install(CLIP)

    assert result.exit_code == 0, result.output
    assert max(starts) > 0


def test_no_network(models, tmp_path):
    """Without a network the error says so."""
    with hub.reached("http://127.0.0.1:9", tmp_path / "cache"):
        message = refusal(install(CLIP), models)

    assert re.search(r"Hub must answer for planted/clip, revision main. Got: (Failed to|Connection refused)", message)


def test_offline(models, tmp_path):
    """With HF_HUB_OFFLINE a model that is not in the cache is told as that."""
    with hub.reached("http://127.0.0.1:9", tmp_path / "cache"), pytest.MonkeyPatch.context() as patch:
        patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        assert "must be in the cache of Hugging Face. Got planted/clip" in refusal(install(CLIP), models)


def test_wrong_hash_of_a_recipe(published, models, tmp_path, monkeypatch):
    """A file that is not what its recipe pins is refused, whatever the hub says about it."""
    graph = {"onnx/vision_model_quantized.onnx": recipes.Pinned(None, "0" * 64)}
    recipe = recipes.Recipe("small", "", "mit", ("ja",), 512, None, recipes.Source(CLIP, None, graph),
                            recipes.Source(TEXTS))  # fmt: skip
    monkeypatch.setattr(recipes, "known", lambda: {"small": recipe})
    message = refusal(from_hub(published, tmp_path / "cache", "small"), models)

    assert "of planted/clip must have the SHA-256 0000" in message
    assert re.search(r"remove /\S+ and try again", message)


@contextmanager
def full_disk():
    """Let no file grow beyond 20 kB, as on a disk that fills up."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_full_disk_of_a_download(published, models, tmp_path):
    """A disk that fills up with the download is told as that, with the place that must be another."""
    with hub.serving(published) as address, hub.reached(address, tmp_path / "cache"), full_disk():
        result = install(CLIP)

    assert "The cache of Hugging Face must have room for planted/clip" in refusal(result, models)


def test_full_disk(clip, models):
    """A disk that fills up while the folder is made is told as that."""
    with full_disk():
        result = install(clip)

    assert "The model clip must have room on the disk. Got File too large" in refusal(result, models)


# --- the files


def changed(folder: Path, file: str, **values: Any) -> None:
    """Change fields of a JSON file. None removes one."""
    data = {**json.loads((folder / file).read_text("utf-8")), **values}
    (folder / file).write_text(json.dumps({key: value for key, value in data.items() if value is not None}), "utf-8")


def renamed_outputs(folder: Path) -> None:
    """Give the vectors of the picture half another name."""
    graph = onnx.load(folder / GRAPH)
    [maker] = [node for node in graph.graph.node if "image_embeds" in node.output]
    maker.output[0] = graph.graph.output[0].name = "logits"
    onnx.save(graph, folder / GRAPH)


def without_length(folder: Path) -> None:
    """Take away what says how long a text may be."""
    changed(folder, "tokenizer_config.json", model_max_length=None)
    changed(folder, "config.json", text_config={})


PREPARATION, GRAPH = "preprocessor_config.json", "onnx/vision_model_quantized.onnx"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda at: [path.rename(path.with_name(f"image_{path.name}")) for path in at.glob("onnx/vision*")],
         r"must have onnx/vision_model\*.onnx. Got .*image_vision_model.onnx"),
        (lambda at: [path.unlink() for path in at.glob("onnx/text*")],
         r"must have onnx/text_model\*.onnx, or modules.json with onnx/model\*.onnx. Got .*vision_model.onnx"),
        (lambda at: (at / "tokenizer.json").unlink(), "must have tokenizer.json. Got none"),
        (lambda at: (at / "tokenizer.json").write_text("{}"), "tokenizer.json must be one of `tokenizers`"),
        (lambda at: (at / PREPARATION).unlink(), "must have preprocessor_config.json. Got none"),
        (lambda at: (at / PREPARATION).write_text("{"), "preprocessor_config.json of .* must be JSON"),
        (lambda at: changed(at, PREPARATION, crop_pct=0.9), "crop or squash.*, and say how. Got crop_pct 0.9"),
        (lambda at: changed(at, PREPARATION, size={"shortest_edge": 32, "longest_edge": 64}), "Got size"),
        (lambda at: changed(at, PREPARATION, resample=0), "Got resample 0"),
        (lambda at: changed(at, PREPARATION, image_mean=None), "Got image_mean None"),
        (lambda at: changed(at, PREPARATION, rescale_factor=1), "Got rescale_factor 1"),
        (lambda at: (at / GRAPH).write_bytes(b"<html>"), "must be one that ONNX Runtime can open"),
        (renamed_outputs, "must have an output image_embeds or pooler_output. Got .*logits"),
        (without_length, "must say how long a text may be"),
    ],
)  # fmt: skip
def test_broken_files(clip, models, change, message):
    """A folder in which a file is missing, broken, or of another form, is told with what was found."""
    change(clip)

    assert re.search(message, refusal(install(clip), models))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda at: (at / "2_Dense/model.safetensors").unlink(), "in 2_Dense/model.safetensors. Got no such file"),
        (lambda at: (at / "2_Dense/model.safetensors").write_bytes(b"half"), "must hold linear.weight"),
        (lambda at: changed(at, "2_Dense/config.json", activation_function="torch.nn.Tanh"), "Got the activation Tanh"),
        (lambda at: changed(at, "1_Pooling/config.json", pooling_mode_mean_tokens=False, pooling_mode_max_tokens=True),
         "mean or of the first token. Got 'pooling_mode_max_tokens'"),
        (lambda at: (at / "modules.json").write_text('[{"path": "", "type": "models.CLIPModel"}]'), "Got 'CLIPModel'"),
        (lambda at: (at / "modules.json").write_text("[1]"), "modules.json of .* must list steps"),
        (lambda at: (at / "modules.json").write_text(
            (at / "modules.json").read_text().replace("2_Dense", "../2_Dense")), "must name folders of its repository"),
    ],
)  # fmt: skip
def test_broken_text_half(published, texts, models, change, message):
    """A repository of sentence-transformers whose vectors are made in another way is told with what was found."""
    change(texts)

    assert re.search(message, refusal(install(published[CLIP], "--texts", texts), models))


def test_halves_of_two_lengths(clip, tmp_path, models):
    """A text half with vectors of another length than those of the picture half is refused with both lengths."""
    other = ready_models.sentences(tmp_path / "wide", width=64)
    message = refusal(install(clip, "--texts", other), models)

    assert "must give vectors of one length. Got 512 numbers for pictures, 64 for texts" in message


@pytest.mark.parametrize(
    ("precision", "kept", "message"),
    [
        ("float16", "", "must have a vision_model in float16. Got .*vision_model.onnx'; take another --precision"),
        (None, "_quantized", "one precision. Got 'onnx/text_model.onnx', 'onnx/vision_model_quantized.onnx' in /"),
    ],
)
def test_precision_that_is_not_there(clip, models, precision, kept, message):
    """A precision that is not there is refused with what is there, also if only one half has it."""
    for path in clip.glob("onnx/*.onnx"):
        wanted = kept if path.name.startswith("vision") else ""
        if path.stem not in {f"vision_model{wanted}", "text_model"}:
            path.unlink()

    assert re.search(message, refusal(install(clip, *(["--precision", precision] if precision else [])), models))


# --- the proof


def test_vectors_that_are_too_long(clip, models):
    """Vectors that are out of all measure are refused: a scale is lost somewhere."""
    graph = onnx.load(clip / "onnx" / "vision_model.onnx")
    [kept] = [each for each in graph.graph.initializer if each.name == "matrix"]
    kept.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(kept) * 1e9, "matrix"))
    onnx.save(graph, clip / "onnx" / "vision_model.onnx")
    message = refusal(install(clip, "--precision", "float32"), models)

    assert re.search(r"must give vectors of a length from 0.0001 to 1000000.0. Got \d.*e\+\d\d to", message)


def test_a_model_without_meaning(tmp_path, models):
    """Halves that do not belong together are found out: they find the right one of two words by chance."""
    own, other = (ready_models.transformers_js(tmp_path / f"{seed}", seed=seed) for seed in (5, 6))
    for path in other.glob("onnx/text*"):
        shutil.copy(path, own / "onnx")
    message = refusal(install(own), models)

    assert re.search(r"must find the words for drawn pictures .* Got ja 0\.\d\d and 0\.\d\d, en .*", message)
    assert message.endswith("it is not installed.")


def test_a_language_that_a_recipe_promises(published, models, monkeypatch, tmp_path):
    """A model that does not know a language that its recipe names is refused."""
    image = recipes.Source(CLIP)
    recipe = recipes.Recipe("small", "", "mit", ("ja", "en"), 512, None, image, image)
    monkeypatch.setattr(recipes, "known", lambda: {"small": recipe})
    monkeypatch.setattr(meaning, "understood", lambda _: [meaning.Meaning("ja", 0.6, 0.6), meaning.Meaning("en", 1, 1)])

    assert "Got ja 0.60 and 0.60, en 1.00 and 1.00" in refusal(from_hub(published, tmp_path / "c", "small"), models)


def test_int8_that_is_far_from_float32(clip, models):
    """A file in int8 whose vectors are not those of the file in float32 is refused."""
    path = clip / "onnx" / "vision_model.onnx"
    graph = onnx.load(path)
    noise = np.random.default_rng(0).normal(size=(ready_models.TILES, 512)).astype(np.float32) / 20
    kept = next(each for each in graph.graph.initializer if each.name == "matrix")
    kept.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(kept) + noise, "matrix"))
    onnx.save(graph, path)

    message = refusal(install(clip), models)

    assert "Pictures in int8 must be near float32 (median cosine 0.98, lowest 0.95). Got 0." in message


def test_projection_that_costs_too_much(tmp_path, models, monkeypatch):
    """A projection that changes the cosines too much is refused."""
    monkeypatch.setattr(projection, "LEAST_CORRELATION", 0.99999)
    message = refusal(install(ready_models.siglip(tmp_path / "siglip")), models)

    assert re.search(r"must keep the cosines \(median correlation 0.99999\). Got 0.99\d\d; take", message)


def test_another_processor(clip, models, monkeypatch):
    """A folder in int8 that comes to another processor is checked whole before its first vector, once."""
    assert install(clip).exit_code == 0
    [folder] = models.glob("clip@*")
    monkeypatch.setattr(processors, "identity", lambda: "another processor")
    OnnxEncoder(folder).check()
    checked = json.loads((folder / processors.FILE).read_text("utf-8"))

    assert {"another processor, texts", "another processor, pictures"} <= set(checked)


def test_processor_that_cuts_sums(clip, models, monkeypatch):
    """A folder in int8 that gives other vectors on another processor is refused there."""
    assert install(clip).exit_code == 0
    [folder] = models.glob("clip@*")
    monkeypatch.setattr(processors, "identity", lambda: "another processor")
    found = OnnxEncoder(folder)
    monkeypatch.setattr("meetup2025.embedding.onnx._ImageTower.golden", lambda *_, **__: [("image_03", 0.997)])

    with pytest.raises(BrokenModelError, match=r"must give its published vectors .* Got a cosine of 0.9970"):
        found.check()


# --- the command


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["clip-multilingual", "--revision", "main"], "clip-multilingual has fixed files"),
        (["clip-multilingual", "--texts", "a/b"], "clip-multilingual has fixed files"),
        (["no such name"], "must be a repository, as in a/b, or a folder. Got 'no such name'"),
        (["./nowhere"], "must be a repository, as in a/b, or a folder that is there"),
    ],
)
def test_wishes_that_do_not_fit(models, arguments, message):
    """Wishes that have no meaning for a model are refused before any download."""
    assert message in refusal(install(*arguments), models)


def test_int8_is_of_exported_models(clip, models):
    """The option of an exported model is refused, with the one that is meant."""
    assert "say --precision int8" in refusal(install(clip, "--int8"), models)


def test_two_at_once(clip, models):
    """Of two installations at once the second waits, and finds the model installed."""
    command = [sys.executable, "-c", "from meetup2025.cli import main; main()", "model", "install", str(clip)]
    with places.locked():
        waiting = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(4)
    told, fault = waiting.communicate(timeout=60)

    assert (waiting.returncode, fault) == (0, "")
    assert "finds words" in told
    assert "installed already" in install(clip).stdout
    assert len(list(models.glob("clip@*"))) == 1
