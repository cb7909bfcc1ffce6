"""
The two halves of a model as graphs of ONNX.
"""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from meetup2025.embedding import runtime
from meetup2025.embedding.installing import extra
from meetup2025.errors import BrokenModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

OPSET = 17

MOST_NORM = 0.01
"""Relative difference that a vector's length may have."""


def export_images(model: Any, size: int, file: Path) -> None:
    """
    Write the picture half.

    Args:
        model: The module of torch, in evaluation mode.
        size: Side of a picture.
        file: Path to write.

    Raises:
        BrokenModelError: The graph does not give the vectors of the model.
    """
    import torch
    from torch import nn

    class Tower(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, pixels: Any) -> Any:
            return self.model.get_image_features(pixel_values=pixels)

    # Two rows, because a single row would become a constant.
    example = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 3, size, size)).astype(np.float32))
    _export(Tower(), {"pixels": example}, {"pixels": {0: "n"}}, file)


def export_texts(model: Any, takes: frozenset[str], example: tuple[Any, Any], file: Path, *, whole_rows: bool) -> None:
    """
    Write the text half.

    Args:
        model: The module of torch, in evaluation mode.
        takes: Inputs besides the tokens. Positions and types are made inside the graph.
        example: Tokens and mask of two texts.
        file: Path to write.
        whole_rows: Whether all texts have the length of the example.

    Raises:
        BrokenModelError: The graph does not give the vectors of the model.
    """
    import torch
    from torch import nn

    class Tower(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            places = torch.arange(input_ids.shape[1]).expand_as(input_ids)
            may = {"attention_mask": attention_mask, "position_ids": places, "token_type_ids": input_ids * 0}
            return self.model.get_text_features(input_ids=input_ids, **{name: may[name] for name in sorted(takes)})

    free = {0: "n"} if whole_rows else {0: "n", 1: "length"}
    inputs = dict(zip(("input_ids", "attention_mask"), example, strict=True))
    _export(Tower(), inputs, dict.fromkeys(inputs, free), file)


def _export(tower: Any, inputs: dict[str, Any], free: dict[str, dict[int, str]], file: Path) -> None:
    import torch

    tower.eval()  # the exporter leaves a module as it found it, and a new one trains
    # In a folder of its own: a graph of more than 2 GB, the limit of an ONNX file, has a file for each weight.
    with TemporaryDirectory(dir=file.parent) as scratch:
        made = Path(scratch) / file.name
        with torch.no_grad(), extra.quiet(), contextlib.redirect_stdout(io.StringIO()), _plain_layers():
            expected = tower(*inputs.values()).numpy()
            torch.onnx.export(
                tower, tuple(inputs.values()), str(made), input_names=list(inputs), output_names=["vectors"],
                dynamic_axes={**free, "vectors": {0: "n"}}, opset_version=OPSET, dynamo=False,
            )  # fmt: skip
        put_weights_beside(made, file)
    _check(file, {name: value.numpy() for name, value in inputs.items()}, expected)


@contextlib.contextmanager
def _plain_layers() -> Iterator[None]:
    """Make torch use plain layers, because its fused ones have no form in ONNX."""
    import torch

    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


def weights_of(file: str) -> str:
    """Return the name of the file with the weights of a graph."""
    return file.removesuffix(".onnx") + ".weights"


def put_weights_beside(made: Path, file: Path) -> None:
    """Write a graph with its weights in a file of their own, which is mapped into the memory in half the time."""
    import onnx

    weights = weights_of(file.name)
    (file.parent / weights).unlink(missing_ok=True)  # otherwise they would be appended
    graph = onnx.load(made)
    made.unlink()
    onnx.save(graph, file, save_as_external_data=True, all_tensors_to_one_file=True, location=weights, size_threshold=0)
    (file.parent / weights).chmod(file.stat().st_mode)  # onnx makes files that only the owner can read


def _check(file: Path, inputs: dict[str, NDArray[Any]], expected: NDArray[np.float32]) -> None:
    """Check that the graph gives finite vectors of the right length. Later checks compare directions only."""
    session = runtime.library().InferenceSession(str(file), providers=["CPUExecutionProvider"])
    (found,) = session.run(["vectors"], {each.name: inputs[each.name] for each in session.get_inputs()})
    norms, wanted = (np.linalg.norm(rows.astype(np.float64), axis=-1) for rows in (found, expected))
    if found.shape != expected.shape or not np.isfinite(wanted).all() or not np.isfinite(norms).all():
        raise BrokenModelError(f"A model must give finite vectors. {file.stem} gives {wanted}, exported {norms}.")
    if wanted.min() == 0 or np.abs(norms / wanted - 1).max() > MOST_NORM:
        raise BrokenModelError(f"An exported model must keep the lengths of vectors, {wanted}. {file.stem}: {norms}.")
