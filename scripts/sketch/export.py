"""
Write the trained model as a model folder: `python -m scripts.sketch.export --weights FOLDER [--out FOLDER]`.

Weights are stored as 16-bit floats (half the size) and used as 32-bit ones. They are rounded before the reference
vectors are made, so the folder answers exactly as the rounded model does.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from tokenizers import Tokenizer
from torch import nn
from torch.nn.utils import fuse_conv_bn_eval

from .data import BACKGROUND, SIZE, fit
from .draw import SEEDS, draw
from .model import DIMENSION, LENGTH, ImageTower, TextTower, encode
from .train import MEAN, STD, plain

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOLDER = Path(__file__).parents[2] / "src" / "python" / "meetup2025" / "embedding" / "sketch"
TEXTS = [
    "マアジ",
    "まあじ",
    "真鯵",
    "アジ",
    "マダコ",
    "真蛸",
    "ボタンエビ",
    "牡丹海老",
    "マアジの写真",
    "赤い魚",
    "Pacific saury",
    "scomber japonicus",
    "ｻﾝﾏ",
    "秋刀魚の絵 sanma",
    "足が八本のタコ",
    "鱻龘☃",
    "モクギョ",
    "a drawing of red seabream",
]
PICTURES = [
    ("マアジ", 320),
    ("マダコ", 256),
    ("ボタンエビ", 200),
    ("サンマ", 150),
    ("ヒラメ", 300),
    ("ケガニ", 97),
    ("モクギョ", 64),
    ("ミズクラゲ", 180),
]


def options() -> argparse.Namespace:
    """
    Read the command line.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--weights", type=Path, required=True, help="folder that train wrote")
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--revision", default="1")
    return parser.parse_args()


def load(weights: Path) -> tuple[ImageTower, TextTower, Tokenizer]:
    """
    Read the trained towers, with normalisation folded into the convolutions and weights rounded to 16 bits.
    """
    image, text = ImageTower(), torch.load(weights / "text.pt", weights_only=True)
    image.load_state_dict(torch.load(weights / "image.pt", weights_only=True)["tower"])
    made = Tokenizer.from_str(text["tokenizer"])
    words = TextTower(made.get_vocab_size())
    words.load_state_dict(text["tower"])
    image.eval()
    for module in [m for m in image.modules() if isinstance(m, nn.Sequential)]:
        fold(module)
    return image.half().float(), words.half().float().eval(), made


def fold(layers: nn.Sequential) -> None:
    """
    Fold every normalisation that follows a convolution into it.
    """
    for i in range(len(layers) - 1):
        a, b = layers[i], layers[i + 1]
        if isinstance(a, nn.Conv2d) and isinstance(b, nn.BatchNorm2d):
            layers[i], layers[i + 1] = fuse_conv_bn_eval(a, b), nn.Identity()


def export(tower: nn.Module, inputs: tuple[torch.Tensor, ...], names: dict[str, dict[int, str]], file: Path) -> None:
    """
    Write one tower with a free number of rows.
    """
    torch.onnx.export(
        tower,
        inputs,
        str(file),
        input_names=list(names),
        output_names=["vectors"],
        dynamic_axes={**names, "vectors": {0: "n"}},
        opset_version=17,
        dynamo=False,
    )
    graph = onnx.load(str(file))
    halve(graph)
    onnx.checker.check_model(graph)
    onnx.save(graph, str(file))


def halve(model: Any) -> None:
    """
    Store float weights in 16 bits, each with a cast back to 32.
    """
    casts = []
    for weight in [w for w in model.graph.initializer if w.data_type == TensorProto.FLOAT and np.prod(w.dims) > 16]:
        name = weight.name
        small = numpy_helper.from_array(numpy_helper.to_array(weight).astype(np.float16), f"{name}.half")
        weight.CopyFrom(small)
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    for cast in reversed(casts):
        model.graph.node.insert(0, cast)


def golden_pictures() -> list[NDArray[np.uint8]]:
    """
    Draw the reference pictures, of several sizes and proportions.
    """
    seeds = SEEDS["valid"][-len(PICTURES) :]
    return [np.asarray(draw(name, seed, size)) for (name, size), seed in zip(PICTURES, seeds, strict=True)]


def write_manifest(folder: Path, revision: str) -> None:
    """
    Write model.json, with a hash of every other file.
    """
    files = ["image.onnx", "text.onnx", "tokenizer.json", "golden.npz"]
    manifest = {
        "format": 1,
        "id": "sketch",
        "revision": revision,
        "dimension": DIMENSION,
        "licence": "MIT",
        "description": "A miniature CLIP for 100 animals of Japanese waters and four things that are no animals, "
        "trained on pictures that scripts/sketch draws. It knows drawings, not photographs.",
        "image": {
            "file": "image.onnx",
            "size": SIZE,
            "fit": "pad",
            "background": list(BACKGROUND),
            "interpolation": "bicubic",
            "mean": [MEAN] * 3,
            "std": [STD] * 3,
        },
        "text": {"file": "text.onnx", "tokenizer": "tokenizer.json", "max_length": LENGTH},
        "golden": "golden.npz",
        "sha256": {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in files},
    }
    (folder / "model.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """
    Return rows of unit length.
    """
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def reference(image: ImageTower, text: TextTower, made: Tokenizer) -> dict[str, NDArray[Any]]:
    """Return the texts and pictures of golden.npz with the vectors of torch."""
    shown = golden_pictures()
    with torch.no_grad():
        texts = np.vstack([text(*encode(made, [each])).numpy() for each in TEXTS])
        images = np.vstack([image(plain(np.asarray(fit(Image.fromarray(p)))[None])).numpy() for p in shown])
    arrays: dict[str, NDArray[Any]] = {f"image_{i:02}": picture for i, picture in enumerate(shown)}
    return {"texts": np.array(TEXTS), "text_vectors": unit(texts), "image_vectors": unit(images), **arrays}


def main() -> int:
    """
    Write the folder, then compare ONNX with torch.
    """
    from meetup2025.embedding import encoder

    given = options()
    image, text, made = load(given.weights)
    given.out.mkdir(parents=True, exist_ok=True)
    export(image, (torch.zeros(2, 3, SIZE, SIZE),), {"pixels": {0: "n"}}, given.out / "image.onnx")
    ids, mask = encode(made, ["マアジ", "真鯖の写真"])
    export(
        text, (ids, mask), {"input_ids": {0: "n", 1: "l"}, "attention_mask": {0: "n", 1: "l"}}, given.out / "text.onnx"
    )
    made.save(str(given.out / "tokenizer.json"))
    golden = reference(image, text, made)
    np.savez_compressed(given.out / "golden.npz", **golden)  # type: ignore[arg-type]
    write_manifest(given.out, given.revision)
    runs = encoder(str(given.out.resolve()))
    texts = runs.texts(TEXTS)
    images = runs.images([Image.fromarray(golden[f"image_{i:02}"]) for i in range(len(PICTURES))])
    errors = [
        float(np.max(1 - np.sum(a * b, axis=1)))
        for a, b in ((texts, golden["text_vectors"]), (images, golden["image_vectors"]))
    ]
    size = sum(file.stat().st_size for file in given.out.iterdir()) / 1e6
    print(f"{given.out}: {size:.2f} MB, largest cosine error of texts {errors[0]:.1e}, of pictures {errors[1]:.1e}")
    return 0 if max(errors) < 1e-5 else 1


if __name__ == "__main__":
    sys.exit(main())
