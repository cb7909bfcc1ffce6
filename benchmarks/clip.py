"""
A CLIP of the size of the workshop's, with random weights: the work of the real one, without its answers.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

SIDE, DIMENSION = 224, 512


def is_possible() -> bool:
    """Check whether the needed libraries are installed."""
    return all(importlib.util.find_spec(name) for name in ("torch", "transformers", "onnx"))


def write(published: Path, ours: Path) -> None:
    """
    Write the model twice: as transformers publishes it, and as a model folder of this project.

    The text half of the folder is empty: naming a picture never opens it.
    """
    import torch
    from transformers import CLIPConfig, CLIPModel, logging

    logging.disable_progress_bar()
    torch.manual_seed(0)
    sizes = {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12}
    config = CLIPConfig(vision_config={**sizes, "patch_size": 16, "image_size": SIDE}, projection_dim=DIMENSION)
    clip = CLIPModel(config).eval()
    clip.save_pretrained(published)
    ours.mkdir()
    _write_folder(_tower(clip), ours)


def _tower(clip: Any) -> nn.Module:
    from torch import nn

    class Tower(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.head = clip.vision_model, clip.visual_projection

        def forward(self, pixels: Any) -> Any:
            return self.head(self.body(pixels).pooler_output)

    return Tower().eval()


def _write_folder(tower: nn.Module, folder: Path) -> None:
    import torch

    grey = torch.zeros(1, 3, SIDE, SIDE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of the shapes that it fixes, and of this exporter
        torch.onnx.export(
            tower, (grey,), str(folder / "image.onnx"), input_names=["pixels"], output_names=["vectors"],
            dynamic_axes={"pixels": {0: "n"}, "vectors": {0: "n"}}, opset_version=17, dynamo=False,
        )  # fmt: skip
    with torch.no_grad():
        vectors = tower(grey).numpy()
    picture = np.zeros((SIDE, SIDE, 3), np.uint8)
    np.savez(folder / "golden.npz", image_00=picture, image_vectors=vectors)
    for name in ("text.onnx", "tokenizer.json"):
        (folder / name).touch()
    _write_manifest(folder)


def _write_manifest(folder: Path) -> None:
    files = ("image.onnx", "text.onnx", "tokenizer.json", "golden.npz")
    image = {"file": files[0], "size": SIDE, "fit": "pad", "background": [0, 0, 0], "interpolation": "bicubic"}
    manifest = {
        "format": 1, "id": folder.name, "revision": "1", "dimension": DIMENSION, "licence": "MIT", "description": "",
        # Black becomes 0, so that the golden picture equals the input of the tower.
        "image": {**image, "mean": [0.0] * 3, "std": [0.5] * 3},
        "text": {"file": files[1], "tokenizer": files[2], "max_length": 77},
        "golden": files[3],
        "sha256": {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in files},
    }  # fmt: skip
    (folder / "model.json").write_text(json.dumps(manifest), "utf-8")
