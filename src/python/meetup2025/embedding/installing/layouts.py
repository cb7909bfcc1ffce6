"""
The layouts of published models in ONNX: which file of a repository is which half, and in which precision.

Two layouts are in use. Repositories for transformers.js have `vision_model*.onnx` and `text_model*.onnx`. Repositories
of sentence-transformers have texts alone: `model*.onnx`, `modules.json`, and folders as `1_Pooling` and `2_Dense`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meetup2025.errors import MissingModelError, NotSupportedError, listed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from meetup2025.embedding.installing.hub import Repository

PRECISIONS = ("int8", "float32", "float16")
"""Precisions that a model may have, the first choice first."""

_WITHOUT_CUT = ("_qint8_avx512_vnni", "_qint8_avx512", "_quantized", "_int8", "_uint8", "_quint8_avx2")
_WITH_CUT = ("_quint8_avx2", "_uint8", "_quantized", "_int8")
_ARM = ("_qint8_arm64", "_quantized", "_int8", "_uint8")
_SUFFIXES = {"float32": ("",), "float16": ("_fp16",)}
"""
Endings of the names of the files. `_fp16`, `_int8`, `_uint8` and `_quantized` are those of transformers.js, the others
those of sentence-transformers. The latter are made for a kind of processor: products of numbers with a sign are cut on
processors without VNNI, and products of numbers without a sign (`quint8`) are not.
"""

_SENTENCES = ("modules.json", "sentence_bert_config.json")

_FOLDERS = ("onnx/", "")


@dataclass(frozen=True)
class Half:
    """
    A half of a model in a repository.

    Attributes:
        file: Path of the graph.
        weights: Path of the file with its weights, or empty.
        precision: One of `PRECISIONS`.
        full: Path of the graph in float32, or empty.
    """

    file: str
    weights: str
    precision: str
    full: str


def is_in_onnx(files: Collection[str]) -> bool:
    """Return whether a repository has a picture half in ONNX, or graphs in ONNX and no other weights."""
    others = any(name.endswith((".safetensors", ".bin")) for name in files)
    graphs = any(re.fullmatch(r"(onnx/)?[^/]+\.onnx", name) for name in files)
    return bool(_graphs(files, "vision_model")) or (graphs and not others)


def image_half(found: Repository, precision: str, pinned: Iterable[str], endings: Sequence[str]) -> Half:
    """
    Choose the picture half.

    Args:
        found: The repository.
        precision: One of `PRECISIONS`.
        pinned: Files that are preferred, if they suit the processor.
        endings: As of `endings`.

    Raises:
        NotSupportedError: The repository has another layout.
        MissingModelError: The repository has other precisions.
    """
    return _half(found, "vision_model", precision, pinned, endings)


def text_half(found: Repository, precision: str, pinned: Iterable[str], endings: Sequence[str]) -> Half:
    """Choose the text half, as `image_half` does."""
    base = "text_model" if _graphs(found.files, "text_model") or "modules.json" not in found.files else "model"
    return _half(found, base, precision, pinned, endings)


def endings(*, cuts: bool, arm: bool) -> Sequence[str]:
    """
    Return the endings of files in int8 that suit a processor, the best first.

    Args:
        cuts: Whether the processor cuts sums of products at 16 bits.
        arm: Whether the processor is an ARM.
    """
    if arm:
        return _ARM
    return _WITH_CUT if cuts else _WITHOUT_CUT


def is_of_sentences(half: Half) -> bool:
    """Return whether a text half has the layout of sentence-transformers."""
    return half.file.rpartition("/")[2].startswith("model")


def sentence_files(files: Collection[str]) -> list[str]:
    """Return the small files of a repository of sentence-transformers that say how its vectors are made."""
    inner = [name for name in files if re.fullmatch(r"\d+_\w+/(config\.json|model\.safetensors)", name)]
    return [*(name for name in _SENTENCES if name in files), *inner]


def _graphs(files: Iterable[str], base: str) -> list[str]:
    return sorted(name for name in files if re.fullmatch(rf"(onnx/)?{base}(_\w+)?\.onnx", name))


def _half(found: Repository, base: str, precision: str, pinned: Iterable[str], ends: Sequence[str]) -> Half:
    graphs = _graphs(found.files, base)
    if not graphs:
        raise _other_layout(found, base)
    suited = [f"{folder}{base}{end}.onnx" for end in _SUFFIXES.get(precision, ends) for folder in _FOLDERS]
    there = [each for each in suited if each in graphs]
    if not there:
        rule = f"The repository {found.name} must have a {base} in {precision}"
        raise MissingModelError(f"{rule}. Got {listed(graphs)}; take another --precision.")
    file = next((each for each in pinned if each in there), there[0])
    full = next((f"{folder}{base}.onnx" for folder in _FOLDERS if f"{folder}{base}.onnx" in graphs), "")
    weights = f"{file}_data"
    return Half(file, weights if weights in found.files else "", precision, full)


def _other_layout(repository: Repository, base: str) -> NotSupportedError:
    wanted = {"vision_model": "onnx/vision_model*.onnx"}.get(
        base, "onnx/text_model*.onnx, or modules.json with onnx/model*.onnx"
    )
    weights = [each for each in sorted(repository.files) if each.endswith((".onnx", ".safetensors", ".bin"))]
    got = listed(weights or sorted(repository.files)) or "no files"
    return NotSupportedError(f"The repository {repository.name} must have {wanted}. Got {got}.")
