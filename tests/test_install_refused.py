"""What cannot be installed is one clear error, and leaves nothing that looks installed."""

from __future__ import annotations

import json
import os
import pty
import re
import resource
import runpy
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import hub
import numpy as np
import published
import pytest
from click.testing import CliRunner
from tiny import change_json

from meetup2025.cli import main
from meetup2025.embedding import encoder
from meetup2025.embedding.installing import extra, quantisation
from meetup2025.embedding.models import BUNDLED, find, installed
from meetup2025.embedding.onnx import OnnxEncoder
from meetup2025.errors import BrokenModelError, MissingModelError, NotSupportedError

pytestmark = pytest.mark.clip


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Let tiny models run on one thread."""
    with published.one_thread():
        yield


COMMAND = [sys.executable, "-c", "from meetup2025.cli import main; main(prog_name='meetup2025')"]
OWN = "planted/own"


@pytest.fixture(autouse=True)
def models(tmp_path, monkeypatch) -> Path:
    """Give the folder of the installed models of this test."""
    monkeypatch.setenv("MEETUP2025_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    """Publish a model without code of its own."""
    return published.clip(tmp_path_factory.mktemp("clip") / "clip")


@pytest.fixture(scope="module")
def installed_clip(clip, tmp_path_factory) -> Path:
    """Install it once, with a quantised half."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEETUP2025_MODELS", str(tmp_path_factory.mktemp("installed")))
        assert install(clip, "--int8").exit_code == 0
        return find("clip")


@pytest.fixture
def ready(installed_clip, models) -> Path:
    """Give the folder of that model, copied for this test."""
    return shutil.copytree(installed_clip, models / installed_clip.name)


@pytest.fixture(scope="module")
def words(tmp_path_factory) -> Path:
    """Publish the tokenizer that the model with code of its own wants."""
    return published.second(tmp_path_factory.mktemp("second") / "words")


@pytest.fixture
def cache(words, hub_cache) -> Path:
    """Have that tokenizer in the cache."""
    published.in_cache(hub_cache, published.SECOND, words)
    return hub_cache


def install(*arguments: object) -> Any:
    """Install in this process."""
    return CliRunner().invoke(main, ["model", "install", *map(str, arguments)])


def program(*arguments: object, **environment: object) -> subprocess.CompletedProcess[str]:
    """Install in a process of its own, with a cache of its own where one is said."""
    values = {**os.environ, "HF_HUB_OFFLINE": "0", **{name: str(value) for name, value in environment.items()}}
    command = [*COMMAND, "model", "install", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=values, timeout=120)


def is_nothing_there(models: Path) -> bool:
    """Tell whether nothing is installed, and nothing but the lock lies beside."""
    beside = models / ".installing"
    own = [info for info in installed() if info.folder.parent != BUNDLED]
    return not own and (not beside.exists() or [path.name for path in beside.iterdir()] == ["lock"])


def refusal(result: Any) -> str:
    """Give the one line of an error."""
    code = getattr(result, "exit_code", None) if hasattr(result, "exit_code") else result.returncode
    lines = [line for line in result.stderr.splitlines() if line]

    assert (code, result.stdout, len(lines)) == (3, "", 1), result.stderr
    assert lines[0].startswith("meetup2025: ")
    return lines[0]


# --- the network and the cache


def test_from_the_hub(tmp_path, words, models):
    """A model with code of its own is downloaded with the repository that it wants, and keeps its commit."""
    own = published.own_code(tmp_path / "own")
    with hub.serving({OWN: own, published.SECOND: words}) as address:
        result = program(OWN, "--trust-remote-code", HF_ENDPOINT=address, HF_HOME=tmp_path / "hf")

    assert (result.returncode, result.stderr) == (0, "")
    assert [path.name for path in models.iterdir() if path.name != ".installing"] == [f"planted--own@{hub.COMMIT[:12]}"]
    assert encoder(OWN).info.original.revision == hub.COMMIT


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["planted/nothing"], "The repository must exist. Got planted/nothing, revision main, which does not exist"),
        (["planted/gated"], "accepted its terms.*HF_TOKEN"),
        ([OWN, "--revision", "v9"], "The revision must exist. Got planted/own, revision v9"),
        (["planted/cut"], "The download of planted/cut, revision main must be whole"),
        (["no such name"], "must be a repository, as in a/b, or a folder. Got 'no such name'"),
    ],
)
def test_downloads_that_fail(tmp_path, clip, models, arguments, message):
    """A repository, or revision, that is not there, is closed or is cut off, is told as that."""
    folders = {OWN: clip, "planted/gated": clip, "planted/cut": clip}
    cut = re.compile(r"model\.safetensors") if "planted/cut" in arguments else hub._NEVER
    with hub.serving(folders, gated=frozenset(["planted/gated"]), cut=cut) as address:
        result = program(*arguments, HF_ENDPOINT=address, HF_HOME=tmp_path / "hf")

    assert re.search(message, refusal(result))
    assert is_nothing_there(models)


def test_full_disk_of_a_download(tmp_path, clip, models):
    """A disk that fills up with the download is told as that, with the place that must be another."""
    values = {**os.environ, "HF_HUB_OFFLINE": "0", "HF_HOME": str(tmp_path / "hf")}
    command = ["bash", "-c", 'ulimit -f 100; exec "$@"', "bash", *COMMAND, "model", "install", OWN]
    with hub.serving({OWN: clip}) as address:
        environment = {**values, "HF_ENDPOINT": address}
        result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=120)

    assert "The cache of Hugging Face must have room for planted/own, revision main. Got File too" in refusal(result)
    assert is_nothing_there(models)


def test_no_network(tmp_path, models):
    """Without a network the error says so, soon."""
    result = program(OWN, HF_ENDPOINT="http://127.0.0.1:9", HF_HOME=tmp_path / "hf")

    message = refusal(result)
    assert "The Hugging Face Hub must answer for planted/own, revision main. Got: Failed to establish a new" in message
    assert message.endswith("say --from-cache where it is in the cache.")
    assert is_nothing_there(models)


def test_from_cache(tmp_path, words, models):
    """With the cache alone, no network is asked: for the model, and for the repository that it wants."""
    commit = published.in_cache(tmp_path, OWN, published.own_code(tmp_path / "own"))
    published.in_cache(tmp_path, published.SECOND, words)
    nowhere = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": tmp_path}
    result = program(OWN, "--from-cache", "--trust-remote-code", **nowhere)

    assert (result.returncode, result.stderr) == (0, "")
    assert (models / f"planted--own@{commit[:12]}" / "model.json").is_file()


def test_not_in_the_cache(tmp_path, models):
    """A model that is not in the cache, or wants a repository that is not, is told."""
    published.in_cache(tmp_path, OWN, published.own_code(tmp_path / "own"))
    other = refusal(program("planted/other", "--from-cache", HF_HOME=tmp_path))
    wants = refusal(program(OWN, "--from-cache", "--trust-remote-code", HF_HOME=tmp_path))

    assert "must be in the cache of Hugging Face. Got planted/other" in other
    assert published.SECOND in wants
    assert "If it needs another repository" in wants
    assert is_nothing_there(models)


# --- code that a model brings


@pytest.fixture
def tell_tale(tmp_path, cache) -> Path:  # noqa: ARG001 - the cache is there
    """Publish a model whose code writes a file when it runs."""
    code = f"open({str(tmp_path / 'ran')!r}, 'w').close()\n{published.MODEL_CODE}"
    return published.own_code(tmp_path / "own", model_code=code)


def test_code_without_consent(tell_tale, tmp_path, models):
    """Without a word of consent, and nobody to ask, code of the model does not run."""
    (tmp_path / "ran").unlink()
    message = refusal(install(tell_tale))

    assert "modeling_own.py" in message
    assert "--trust-remote-code" in message
    assert not (tmp_path / "ran").exists()
    assert is_nothing_there(models)


@pytest.mark.parametrize(("answer", "code"), [("n", 3), ("y", 0)])
def test_consent_on_a_terminal(tell_tale, tmp_path, hub_cache, answer, code):
    """On a terminal consent is asked, and the answer counts."""
    (tmp_path / "ran").unlink()
    ours, theirs = pty.openpty()
    environment = {**os.environ, "HF_HOME": str(hub_cache)}
    command = [*COMMAND, "model", "install", str(tell_tale)]
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.DEVNULL, stderr=theirs, env=environment) as running:
        os.write(ours, f"{answer}\n".encode())
        running.wait(timeout=120)
    said = os.read(ours, 10_000).decode()

    assert "Let it run? [y/N]" in said
    assert running.returncode == code
    assert (tmp_path / "ran").exists() == (answer == "y")


# --- models that are broken


def broken(tmp_path: Path, change: Any) -> Any:
    """Install a model with other weights."""
    from safetensors.torch import load_file, save_file

    folder = published.own_code(tmp_path / "own")
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return install(folder, "--trust-remote-code")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda weights: weights.pop("vision_head.weight"), "must have all its weights. Got 1 missing.*vision_head"),
        (lambda weights: weights["vision_head.weight"].fill_(np.nan), "must give finite vectors"),
        (lambda weights: weights["text_head.weight"].zero_(), "must give finite vectors. Got others for texts"),
        (lambda weights: weights["vision_encoder.patches.weight"].zero_(), "must tell pictures apart"),
        (
            lambda weights: weights.update({"text_head.weight": weights["text_head.weight"][:9].clone()}),
            "must run in transformers. Got RuntimeError.*size mismatch|must have all its weights.*shape",
        ),
    ],
)
@pytest.mark.usefixtures("cache")
def test_broken_weights(tmp_path, models, change, message):
    """Weights that are missing, of another shape, no numbers, or all alike, are refused."""
    assert re.search(message, refusal(broken(tmp_path, change)))
    assert is_nothing_there(models)


@pytest.mark.parametrize("garbage", [0.125, np.nan, None])
@pytest.mark.usefixtures("cache")
def test_uninitialised_buffers(tmp_path, models, monkeypatch, garbage):
    """A loader that leaves buffers as the memory was is found out, also where its vectors look right."""
    from transformers import AutoModel

    load = AutoModel.from_pretrained

    def load_badly(*arguments: Any, **options: Any) -> Any:
        model, found = load(*arguments, **options)
        if garbage is not None:
            model.vision_encoder.waves.fill_(garbage)
        return model, found

    monkeypatch.setattr(AutoModel, "from_pretrained", load_badly)
    result = install(published.own_code(tmp_path / "own"), "--trust-remote-code")

    assert garbage is None or "Got other numbers in vision_encoder.waves" in refusal(result)
    assert is_nothing_there(models) == (garbage is not None)


@pytest.mark.usefixtures("cache")
def test_export_with_other_answers(tmp_path, models):
    """A model that goes one of two ways, of which an export keeps one, is refused."""
    same = "return 7 * self.vision_head(self.vision_encoder(pixel_values))"
    other = (
        "seen = self.vision_encoder(pixel_values)\n"
        "        return self.vision_head(seen if pixel_values.std() > 0.95 else seen.roll(1, -1))"
    )
    folder = published.own_code(tmp_path / "own", model_code=published.MODEL_CODE.replace(same, other))
    message = refusal(install(folder, "--trust-remote-code"))

    assert re.search(r"the vectors of its golden.npz \(cosine 0.9999\). Got -?0\.\d+ for image_\d+", message)
    assert is_nothing_there(models)


@pytest.mark.parametrize(
    ("factor", "message"),
    [("2.0", r"must keep the lengths of vectors"), ("float('nan')", r"must give finite vectors. image gives .*nan")],
)
@pytest.mark.usefixtures("cache")
def test_export_of_other_lengths(tmp_path, models, factor, message):
    """A model that gives longer vectors, or none, once it is exported, is refused."""
    code = published.MODEL_CODE.replace("return 7 *", f"return (7 if not torch.jit.is_tracing() else {factor}) *")
    folder = published.own_code(tmp_path / "own", model_code=code)

    assert re.search(message, refusal(install(folder, "--trust-remote-code")))
    assert is_nothing_there(models)


@pytest.mark.parametrize("name", ["LEAST_MEDIAN", "LEAST"])
def test_quantised_half_that_is_too_far(clip, models, monkeypatch, name):
    """A quantised half whose median or worst picture is below the agreement that it must have is refused."""
    monkeypatch.setattr(quantisation, name, 0.99999)

    message = refusal(install(clip, "--int8"))

    assert re.search(r"near the original .* 0.99999.*\. Got 0.99\d+ and 0.9\d+; install", message)
    assert is_nothing_there(models)


def test_quantised_half_of_an_earlier_version(clip, ready):
    """A half whose weights have 8 bits is made anew when it is wished again, and its vectors have another name."""
    change_json(ready, int8={**json.loads((ready / "model.json").read_text("utf-8"))["int8"], "way": "dynamic"})
    assert OnnxEncoder(ready, int8=True).model.endswith("+int8")

    assert "already" in install(clip).stdout
    assert "already" not in install(clip, "--int8").stdout
    assert OnnxEncoder(ready, int8=True).model.endswith("+int7")
    assert "already" in install(clip, "--int8").stdout


def test_pictures_in_their_own_proportions(tmp_path, models):
    """A SigLIP 2 that sees pictures in their own proportions is no model for squares."""
    message = refusal(install(published.siglip2_naflex(tmp_path / "naflex")))

    assert "Siglip2Model must take square pictures" in message
    assert is_nothing_there(models)


def test_texts_alone(tmp_path, models):
    """A model of texts alone is refused by name."""
    from transformers import BertConfig, BertModel, CLIPImageProcessor

    folder = published.clip(tmp_path / "texts")
    BertModel(BertConfig(**published._LAYERS, vocab_size=200)).save_pretrained(folder)
    CLIPImageProcessor().save_pretrained(folder)

    assert "Got BertModel, without get_text_features and get_image_features" in refusal(install(folder))
    assert is_nothing_there(models)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("config.json", None, "must have a model.json, or the config.json"),
        ("config.json", "{", "config.json must be JSON in UTF-8"),
        ("config.json", '{"model_type": "unheard-of"}', "unheard-of"),
        ("model.safetensors", "half", "must run in transformers"),
        ("tokenizer.json", "{}", "must run in transformers"),
        ("preprocessor_config.json", None, "preprocessor_config.json"),
    ],
)
def test_broken_folder(tmp_path, models, name, text, message):
    """A folder in which a file is missing or broken is no model."""
    folder = published.clip(tmp_path / "clip")
    (folder / name).unlink()
    if text is not None:
        (folder / name).write_text(text)

    assert message in refusal(install(folder))
    assert is_nothing_there(models)


# --- the machine


@pytest.mark.parametrize("limit", [200_000, 6_000_000])
def test_full_disk(tmp_path, models, limit):
    """A disk that fills up, at the golden items or at the export, is told as that."""
    folder = published.clip(tmp_path / "clip", width=40_000)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        result = install(folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert "The model clip must have room on the disk. Got File too large; make room" in refusal(result)
    assert is_nothing_there(models)


@pytest.mark.parametrize("command", ["install", "remove"])
@pytest.mark.usefixtures("ready")
def test_models_folder_that_cannot_be_written(clip, models, monkeypatch, command):
    """A models folder that cannot be written, or made, is told as that."""
    (models / ".installing" / "lock").mkdir(parents=True)
    if command == "install":
        models.with_name("file").touch()
        monkeypatch.setenv("MEETUP2025_MODELS", str(models.with_name("file")))
    what = [str(clip)] if command == "install" else ["clip", "--yes"]
    result = CliRunner().invoke(main, ["model", command, *what])

    assert re.search("models folder must be one that can be written. Got, for .*: .* directory; set", refusal(result))


def test_killed_in_the_middle(clip, models):
    """A program that is killed leaves nothing that looks installed, and the next one clears what it left."""
    command = [*COMMAND, "model", "install", str(clip)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        beside = models / ".installing" / "made"
        while not (beside / "text.onnx").exists():
            assert running.poll() is None
            time.sleep(0.005)
        running.send_signal(signal.SIGKILL)
    assert (beside / "image.onnx").exists()
    with pytest.raises(MissingModelError):
        encoder("clip")
    assert not [info for info in installed() if info.folder.parent != BUNDLED]

    assert install(clip).exit_code == 0
    assert not beside.exists()
    assert encoder("clip").texts(["魚"]).shape == (1, 512)


def test_two_at_once(clip, models):
    """Two programs that install the same both end well, with one folder."""
    command = [*COMMAND, "model", "install", str(clip)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in "12"]
    said = [each.communicate(timeout=120) for each in running]

    assert [each.returncode for each in running] == [0, 0], said
    assert sorted("installed already" in out for out, _ in said) == [False, True]
    assert len([path for path in models.iterdir() if path.name != ".installing"]) == 1


@pytest.mark.parametrize("version", ["4.48.3", "4.52.4", "5.23.0"])
def test_wrong_version_of_transformers(clip, models, monkeypatch, version):
    """A version of transformers that loads models wrongly is refused before anything else."""
    monkeypatch.setattr(extra.importlib.metadata, "version", lambda _: version)

    assert f"transformers must be 4.49 or later and before 4.52. Got {version}" in refusal(install(clip))
    assert is_nothing_there(models)


@pytest.mark.parametrize("name", ["image.weights", "text.weights", "image.onnx"])
def test_changed_byte(ready, name, monkeypatch):
    """A byte that changed after the installation is found when the half is loaded, in its weights too."""
    monkeypatch.setenv("MEETUP2025_RUNTIME", "onnx")  # beside it is a half in int8, which would run by itself
    data = bytearray((ready / name).read_bytes())
    data[len(data) // 2] ^= 1
    (ready / name).write_bytes(data)

    with pytest.raises(BrokenModelError, match=rf"{name} must be as it was published"):
        encoder("clip").check()


# --- the original, for comparison


@pytest.mark.usefixtures("ready")
def test_try_model(capsys, monkeypatch):
    """The script that tries a model compares it with the original, and asks for colours in three languages."""
    monkeypatch.setattr(sys, "argv", ["try_model.py", "clip"])
    runpy.run_path(str(Path(__file__).parents[1] / "scripts" / "try_model.py"), run_name="__main__")
    agreement, colours = capsys.readouterr().out.splitlines()

    assert float(agreement.removeprefix("agreement ")) > 0.9999
    assert re.fullmatch(r"colours ja \d of 4, en \d of 4, zh \d of 4", colours)


def test_original_that_is_gone(tmp_path, ready, monkeypatch):
    """The original of a model can be run only where it still is."""
    original = json.loads((ready / "model.json").read_text("utf-8"))["original"]
    change_json(ready, original={**original, "source": str(tmp_path / "moved")})
    monkeypatch.setenv("MEETUP2025_RUNTIME", "torch")

    with pytest.raises(MissingModelError, match=r"must be where it was\. Got no .*moved"):
        encoder("clip").texts(["魚"])


@pytest.mark.usefixtures("ready")
def test_original_inside_a_database(monkeypatch):
    """The original never runs in a process of IRIS, nor does a model that was not published."""
    monkeypatch.setenv("MEETUP2025_RUNTIME", "torch")
    with pytest.raises(MissingModelError, match="must be made of a published one"):
        encoder("sketch")
    iris = type(sys)("iris")
    iris.cls = iris.tlevel = lambda *_: None
    monkeypatch.setitem(sys.modules, "iris", iris)
    with pytest.raises(NotSupportedError, match="Got a process of IRIS"):
        encoder("clip")
