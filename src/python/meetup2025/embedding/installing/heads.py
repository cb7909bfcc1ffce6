"""
The heads of published graphs: which output has the vectors, how tokens are pooled, and what they are multiplied with.

A graph of others stays as it is published, byte for byte, so that its SHA-256 proves it. What comes after it is a few
numbers in a file of their own (`embedding.onnx` applies them), not nodes: to add nodes would need the library onnx
(27 MB) and would rewrite a file of hundreds of MB into one that nobody else has.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from meetup2025.embedding.installing import hub
from meetup2025.embedding.models import HeadInfo
from meetup2025.errors import BrokenModelError, NotSupportedError, listed

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_OUTPUTS = {"image": ("image_embeds", "pooler_output"), "text": ("text_embeds", "pooler_output")}
_TOKENS = ("token_embeddings", "last_hidden_state")
_POOLINGS = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "first"}
_STEPS = ("Transformer", "Pooling", "Dense", "Normalize")


@dataclass(frozen=True)
class Head:
    """
    A head with its numbers.

    Attributes:
        output: Name of the output of the graph.
        pooling: As in `HeadInfo`.
        matrix: Array of shape (d, dimension), or None if the vectors stay as they are.
        bias: Array of shape (dimension), if there is a matrix.
    """

    output: str
    pooling: str = "none"
    matrix: NDArray[np.float32] | None = None
    bias: NDArray[np.float32] | None = None

    def projected(self, directions: NDArray[np.float32]) -> Head:
        """Return the head followed by a product with a matrix of shape (dimension, fewer)."""
        if self.matrix is None or self.bias is None:
            return replace(self, matrix=directions, bias=np.zeros(directions.shape[1], np.float32))
        return replace(self, matrix=self.matrix @ directions, bias=self.bias @ directions)

    def written(self, folder: Path, file: str) -> HeadInfo:
        """Write the numbers into a file of a folder, if there are any, and return what `model.json` says."""
        if self.matrix is None or self.bias is None:
            return HeadInfo(self.output, self.pooling)
        np.savez(folder / file, matrix=self.matrix, bias=self.bias)
        return HeadInfo(self.output, self.pooling, file)


def of_tower(kind: str, outputs: list[str], file: str) -> Head:
    """
    Return the head of a graph that gives vectors.

    Args:
        kind: `image` or `text`.
        outputs: Names of its outputs.
        file: Name of the graph, for messages.

    Raises:
        NotSupportedError: No output has a known name.
    """
    return Head(_output(_OUTPUTS[kind], outputs, file))


def of_sentences(folder: Path, outputs: list[str], file: str) -> Head:
    """
    Return the head of a repository of sentence-transformers.

    Args:
        folder: Folder of its files.
        outputs: Names of the outputs of the graph.
        file: Name of the graph, for messages.

    Raises:
        NotSupportedError: Its steps are others than tokens, their pooling, a linear map, and the unit length.
        BrokenModelError: A file is missing or broken.
    """
    steps = _steps(folder)
    pooling = _pooling(hub.read_json(folder, f"{steps.get('Pooling', '1_Pooling')}/config.json"))
    head = Head(_output(_TOKENS, outputs, file), pooling)
    return _dense(folder, steps["Dense"], head) if "Dense" in steps else head


def _output(wanted: tuple[str, ...], outputs: list[str], file: str) -> str:
    for name in wanted:
        if name in outputs:
            return name
    rule = f"The graph {file} must have an output {' or '.join(wanted)}"
    raise NotSupportedError(f"{rule}. Got {listed(outputs)}; take another file or model.")


def _steps(folder: Path) -> dict[str, str]:
    """Return the folder of each step of `modules.json`, by its kind."""
    import json

    try:
        steps = json.loads((folder / "modules.json").read_text("utf-8"))
        pairs = [(str(each["type"]).rpartition(".")[2], str(each["path"])) for each in steps]
    except (OSError, ValueError, TypeError, KeyError) as exc:
        raise BrokenModelError(f"modules.json of {folder} must list steps. Got {exc!r}; download it again.") from exc
    kinds = [kind for kind, _ in pairs]
    if kinds not in ([*_STEPS[:2]], [*_STEPS[:3]], [*_STEPS], ["Transformer", "Pooling", "Normalize"]):
        rule = "modules.json must have the steps Transformer, Pooling, and optionally Dense and Normalize"
        raise NotSupportedError(f"{rule}. Got {listed(kinds)}; take another model.")
    for _, path in pairs:
        if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
            raise BrokenModelError(f"modules.json of {folder} must name folders of its repository. Got {path!r}.")
    return dict(pairs)


def _pooling(config: dict[str, Any]) -> str:
    chosen = [name for name, value in config.items() if name.startswith("pooling_mode_") and value is True]
    if len(chosen) != 1 or chosen[0] not in _POOLINGS:
        rule = "The pooling of a text half must be of the mean or of the first token"
        raise NotSupportedError(f"{rule}. Got {listed(chosen) or 'none'}; take another model.")
    return _POOLINGS[chosen[0]]


def _dense(folder: Path, step: str, head: Head) -> Head:
    config, path = hub.read_json(folder, f"{step}/config.json"), folder / step / "model.safetensors"
    activation = str(config.get("activation_function", "")).rpartition(".")[2]
    if activation != "Identity":
        rule = "The step Dense of a text half must be a linear map"
        raise NotSupportedError(f"{rule}. Got the activation {activation or 'unknown'}; take another model.")
    if not path.is_file():
        raise BrokenModelError(f"The step Dense must have its numbers in {step}/model.safetensors. Got no such file.")
    from safetensors.numpy import load_file

    try:
        arrays = load_file(path)
        weight = arrays["linear.weight"].astype(np.float32)
    except Exception as exc:  # the library raises an error of its own kind
        raise BrokenModelError(f"{path} must hold linear.weight. Got {exc!r}; download it again.") from exc
    bias = arrays.get("linear.bias", np.zeros(len(weight))).astype(np.float32)
    return replace(head, matrix=np.ascontiguousarray(weight.T), bias=bias)
