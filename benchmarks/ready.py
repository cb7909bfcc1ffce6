"""
Models in ONNX as they are published: from the command to the first named photograph, on the disk, cold, in bulk.

A ViT-B/32 and a ViT-B/16 in int8, with a DistilBERT of 119,547 pieces for the texts: the sizes of `clip-multilingual`,
with random weights. A folder takes the place of the Hub, and the test of meaning, which random weights cannot pass, is
left out.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import original, pictures
from benchmarks.measure import OURS, WORKSHOP, Result, Way, by_turns
from meetup2025 import images
from meetup2025.embedding.onnx import OnnxEncoder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[1]
LARGE = "ours, ViT-B/16"
PIECES, SIDE, WIDTH = 119_547, 224, 512
MOST_DISK, MOST_COLD, MOST_JPEG, MOST_BULK = 500.0, 0.8, 0.06, 1000 / 20
"""Aims: MB on the disk in all, seconds of a cold start, of twelve megapixels, and of a thousand pictures."""

_SAMPLE, _ALL = 40, 1000
_INSTALL = (
    "from meetup2025.embedding.installing import meaning; meaning.check = lambda *_: []; "
    "from meetup2025.cli import main; main()"
)
_COMMAND = "from meetup2025.cli import main; main()"
_MEMORY = (
    "import sys; from pathlib import Path; from benchmarks.measure import peak_memory; from meetup2025 import images; "
    "from meetup2025.embedding import encoder; model = encoder(sys.argv[2]); "
    "model.images([images.open_picture(Path(sys.argv[1]).read_bytes(), longest=model.picture_size)]); "
    "print(peak_memory())"
)
_WORKSHOPS = ("torch", "torchvision", "transformers", "timm", "sentencepiece", "pillow", "pandas", "umap-learn")
"""What the workshop's notebook installs, where it is here."""


def measure(folder: Path, photos: Path | None) -> Iterator[Result]:  # noqa: ARG001 - as the other subjects
    """Measure the disk, the way to the first name, a cold start, twelve megapixels, a thousand pictures and memory."""
    if not original.is_possible():
        yield Result("a model of 222 M parameters", WORKSHOP, (), note="left out: needs torch, transformers and onnx")
        return
    large = folder / "large.jpg"
    _python(f"from benchmarks import pictures; open({str(large)!r}, 'wb').write(pictures.photograph())")
    drawn = pictures.drawings(folder, _SAMPLE)
    for patch in (32, 16):
        _python(f"from benchmarks import ready; ready.publish({str(folder)!r}, {patch})")
    os.environ["MEETUP2025_MODELS"] = str(folder / "models")
    yield from _to_the_first_name(folder, drawn[0])
    _python(_INSTALL, "model", "install", str(folder / "b16"), "--texts", str(folder / "texts"), "--precision", "int8")
    yield from _disk(folder)
    yield from _cold(folder, drawn[0])
    yield from _warm(folder, drawn, large)


def publish(path: str, patch: int) -> None:
    """Write the picture half of a ViT-B as a repository has it; of 32 the text half and the original too."""
    import torch
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, DistilBertConfig, DistilBertModel

    torch.manual_seed(0)
    sizes = {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12}
    vision = {**sizes, "patch_size": patch, "image_size": SIDE}
    clip = CLIPModel(CLIPConfig(vision_config=vision, projection_dim=WIDTH, attn_implementation="eager")).eval()
    folder = Path(path) / f"b{patch}"
    pixels = torch.zeros(1, 3, SIDE, SIDE)
    seen = _module(lambda pixels: clip.visual_projection(clip.vision_model(pixels).pooler_output), clip)
    _export(seen, (pixels,), ["pixel_values"], "image_embeds", folder / "onnx" / "vision_model.onnx")
    CLIPImageProcessor().save_pretrained(folder)
    (folder / "config.json").write_text('{"model_type": "clip"}')
    if patch != 32:
        return
    clip.save_pretrained(Path(path) / "published")
    words = DistilBertModel(DistilBertConfig(vocab_size=PIECES, attn_implementation="eager")).eval()
    ids = torch.ones(1, 6, dtype=torch.int64)
    tokens = _module(lambda ids, mask: words(input_ids=ids, attention_mask=mask).last_hidden_state, words)
    texts = Path(path) / "texts"
    _export(tokens, (ids, ids), ["input_ids", "attention_mask"], "token_embeddings", texts / "onnx" / "model.onnx")
    _write_texts(texts)


def _module(run: Any, of: Any) -> Any:
    from torch import nn

    class Half(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.of = of

        def forward(self, *inputs: Any) -> Any:
            return run(*inputs)

    return Half().eval()


def _export(half: Any, example: tuple[Any, ...], inputs: list[str], output: str, file: Path) -> None:
    """Write a graph whose matrices, and rows of words, are of integers."""
    import warnings

    import torch

    from meetup2025.embedding import runtime
    from meetup2025.embedding.installing import quantisation

    file.parent.mkdir(parents=True)
    axes = {name: {0: "n"} if example[0].ndim == 4 else {0: "n", 1: "length"} for name in [*inputs, output]}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # torch warns of the shapes that it fixes, and of this exporter
        torch.onnx.export(
            half, example, str(file), input_names=inputs, output_names=[output], dynamic_axes=axes, opset_version=17,
            dynamo=False,
        )  # fmt: skip
    with quantisation.silent():
        runtime.library("quantization").quantize_dynamic(
            file, file.with_name(f"{file.stem}_quantized.onnx"), op_types_to_quantize=["MatMul", "Gemm", "Gather"],
            per_channel=True, reduce_range=True, weight_type=runtime.library("quantization").QuantType.QInt8,
        )  # fmt: skip
    if file.stem == "model":  # as sentence-transformers names it, for all processors alike
        for ending in ("qint8_avx512", "quint8_avx2", "qint8_arm64"):
            shutil.copy(file.with_name("model_quantized.onnx"), file.with_name(f"model_{ending}.onnx"))
    file.unlink()


def _write_texts(folder: Path) -> None:
    import numpy as np
    from safetensors.numpy import save_file
    from transformers import BertTokenizerFast

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *map(chr, range(0x3040, 0x30FF)), *map(chr, range(33, 127))]
    words += [f"{chr(0x4E00 + place % 20_000)}{place // 20_000 or ''}" for place in range(PIECES)]
    (folder / "vocab.txt").write_text("\n".join(words[:PIECES]), "utf-8")
    BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=512).save_pretrained(folder)
    kinds = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Dense", "Dense")]
    steps = [{"path": path, "type": f"sentence_transformers.models.{kind}"} for path, kind in kinds]
    for file, data in {
        "modules.json": steps, "sentence_bert_config.json": {"max_seq_length": 128},
        "config.json": {"model_type": "distilbert", "max_position_embeddings": 512},
        "1_Pooling/config.json": {"pooling_mode_mean_tokens": True},
        "2_Dense/config.json": {"activation_function": "torch.nn.modules.linear.Identity"},
    }.items():  # fmt: skip
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_text(json.dumps(data))
    weight = np.random.default_rng(0).normal(size=(WIDTH, 768)).astype(np.float32)
    save_file({"linear.weight": weight}, folder / "2_Dense" / "model.safetensors")


def _to_the_first_name(folder: Path, picture: Path) -> Iterator[Result]:
    """Time the three commands of a newcomer, the download excluded, and the workshop's three loads and one vector."""
    url = f"duckdb:///{folder / 'first.duckdb'}"

    def ours() -> None:
        names = ("--texts", str(folder / "texts"), "--precision", "int8", "--as", "small")
        _python(_INSTALL, "model", "install", str(folder / "b32"), *names)
        _python(_COMMAND, "identify", str(picture), "--url", url, "--model", "small")

    theirs = [sys.executable, "-m", "benchmarks.workshop", str(folder / "published"), str(picture), "duckdb://"]
    what = "from the command to the first name, without the download"
    yield from by_turns(what, Way(OURS, ours, note="model install, 100 names, identify"), runs=1, warm_up=0)
    yield from by_turns(what, Way(WORKSHOP, lambda: _run(*theirs), note="no names: the load and one vector"), runs=1)


def _disk(folder: Path) -> Iterator[Result]:
    """Measure what is on the disk: the package with all that it needs and the extra [hub], and the model."""
    [home] = (folder / "models").glob("small@*")
    model = _size(home)
    libraries = sum(map(_bytes_of, _needs({"meetup2025": {"hub"}})))
    parts = f"libraries and package {libraries / 1e6:.0f} MB, model {model / 1e6:.0f} MB"
    yield Result("on the disk", OURS, ((libraries + model) / 1e6,), unit="MB", aim=MOST_DISK, note=parts)
    theirs = sum(map(_bytes_of, _needs({name: set() for name in _WORKSHOPS})))
    published = _size(folder / "published")
    note = f"libraries {theirs / 1e6:.0f} MB as they are here (torch with CUDA: 6 GB), model {published / 1e6:.0f} MB"
    yield Result("on the disk", WORKSHOP, ((theirs + published) / 1e6,), unit="MB", note=note)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _needs(wanted: Mapping[str, set[str]]) -> set[str]:
    """Return the installed distributions that some need, themselves included, with their extras."""
    found: set[str] = set()
    left = list(wanted.items())
    while left:
        name, extras = left.pop()
        try:
            lines = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        if name in found:
            continue
        found.add(name)
        for line in lines:
            extra = re.search(r"extra == ['\"]([\w-]+)['\"]", line)
            if extra is None or extra[1] in extras:
                left.append((re.split(r"[ ;<>=!~\[(]", line)[0].lower().replace("_", "-"), set()))
    return found


def _bytes_of(name: str) -> int:
    paths = {path.locate() for path in importlib.metadata.files(name) or []}
    own = {ROOT / "src"} if name == "meetup2025" else set()
    return sum(Path(path).stat().st_size for path in paths if Path(path).is_file()) + sum(map(_size, own))


def _cold(folder: Path, path: Path) -> Iterator[Result]:
    """Time `identify` of a new process, and measure the memory of one vector."""
    ways = []
    for way, name in ((OURS, "small"), (LARGE, "b16"), ("ours, sketch", "sketch")):
        url = f"duckdb:///{folder / name}.duckdb"
        command = (_COMMAND, "identify", str(path), "--url", url, "--model", name)
        _python(*command)
        ways.append(Way(way, lambda command=command: _python(*command)))  # type: ignore[misc]
    yield from by_turns("identify in a new process", *ways, runs=5, aim=MOST_COLD)
    for way, name in ((OURS, "small"), (LARGE, "b16")):
        memory = tuple(float(_python(_MEMORY, str(path), name)) for _ in range(3))
        yield Result("memory of a process with one vector", way, memory, unit="MB")


def _warm(folder: Path, drawn: list[Path], large: Path) -> Iterator[Result]:
    homes = [next((folder / "models").glob(f"{name}@*")) for name in ("small", "b16")]
    small, other = map(OnnxEncoder, homes)
    pairs = ((OURS, small), (LARGE, other))
    for what, paths, scale, runs, aim in (
        ("one picture of 640 pixels", drawn[:1], 1.0, 5, None),
        ("one picture of 12 megapixels", [large], 1.0, 5, MOST_JPEG),
        ("1,000 pictures of 640 pixels", drawn, _ALL / _SAMPLE, 2, MOST_BULK),
    ):
        ways = [Way(way, lambda of=of, paths=paths: of.images(_opened(of, paths)), scale) for way, of in pairs]  # type: ignore[misc]
        yield from by_turns(what, *ways, runs=runs, aim=aim)
    names = [f"{name}の写真" for name in ("マアジ", "クロマグロ", "ボタンエビ", "鯛") * 25]
    yield from by_turns("100 names", Way(OURS, lambda: small.texts(names)), runs=3)


def _opened(encoder: OnnxEncoder, paths: list[Path]) -> list[images.Image.Image]:
    return [images.open_picture(path.read_bytes(), longest=encoder.picture_size) for path in paths]


def _python(code: str, *arguments: str) -> str:
    return _run(sys.executable, "-c", code, *arguments)


def _run(*command: str) -> str:
    values = {**os.environ, "HF_HUB_OFFLINE": "1"}
    return subprocess.run(command, cwd=ROOT, env=values, check=True, capture_output=True, text=True).stdout
