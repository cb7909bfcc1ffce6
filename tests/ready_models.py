"""
Models as they are published in ONNX, in each layout, but tiny: random matrices, and words planted for drawn pictures.

A picture of 32 x 32 pixels becomes the means of its 64 tiles, times a random matrix. The words of the test of meaning
get the vectors of their pictures, so that the model knows them, and nothing else.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import numpy_helper, parser
from PIL import Image
from safetensors.numpy import save_file
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors

from meetup2025.embedding import runtime
from meetup2025.embedding.installing import quantisation
from meetup2025.embedding.installing.meaning import DRAWN

if TYPE_CHECKING:
    from pathlib import Path

SIZE, TILE, LONGEST = 32, 4, 16
TILES = 3 * (SIZE // TILE) ** 2
MEAN, STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]

PHRASES = [word for each in DRAWN for word in each.words]
_KINDS = r"[a-z]+|[赤青緑黄黒]色?い?|四角形|三角形|丸|一つ|二つ|たくさん|の|点"
_PIECES = "|".join(sorted(set(re.findall(_KINDS, " ".join(PHRASES))), key=len, reverse=True))
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", *sorted(set(re.findall(_PIECES, " ".join(PHRASES))))]


def means(pictures: list[Image.Image]) -> np.ndarray:
    """Return the means of the tiles of pictures, as CLIP prepares pictures, without the code of the package."""
    rows = []
    for picture in pictures:
        short = min(picture.size)
        wide, high = (int(SIZE * side / short) for side in picture.size)
        small = picture.convert("RGB").resize((wide, high), Image.Resampling.BICUBIC)
        left, top = (wide - SIZE) // 2, (high - SIZE) // 2
        cut = np.asarray(small.crop((left, top, left + SIZE, top + SIZE)), np.float64) / 255
        scaled = ((cut - MEAN) / STD).transpose(2, 0, 1)
        tiles = scaled.reshape(3, SIZE // TILE, TILE, SIZE // TILE, TILE).mean(axis=(2, 4))
        rows.append(tiles.ravel())
    return np.array(rows) - _ground()


def _ground() -> np.ndarray:
    """Return what is taken off the means, so that white is nearly nothing."""
    white = np.repeat((1 - np.array(MEAN)) / STD, TILES // 3)
    return white + np.random.default_rng(3).normal(size=TILES) * 0.02


def words() -> np.ndarray:
    """Return a row for each piece of the vocabulary: their means give the phrases the rows of their pictures."""
    shown = np.repeat(means([each.picture() for each in DRAWN]), 2, axis=0)
    counts = np.zeros((len(PHRASES), len(VOCABULARY)))
    for row, phrase in zip(counts, PHRASES, strict=True):
        for piece in ["[CLS]", *re.findall(_PIECES, phrase)]:
            row[VOCABULARY.index(piece)] += 1
    found = np.linalg.pinv(counts / counts.sum(axis=1, keepdims=True)) @ shown
    found[:2] = np.random.default_rng(4).normal(size=(2, TILES))
    return found


def matrix(width: int = 512, seed: int = 5) -> np.ndarray:
    """Return the random matrix of both halves."""
    return np.random.default_rng(seed).normal(size=(TILES, width)) / width**0.5


def transformers_js(folder: Path, *, width: int = 512, seed: int = 5, output: str = "embeds") -> Path:
    """Publish a CLIP as repositories for transformers.js do: two graphs in three precisions, tokens without a mask."""
    image, text = (f"{half}_{output}" if output == "embeds" else output for half in ("image", "text"))
    vision_graphs(folder, image, width, seed)
    nodes = f"rows = Gather(words, input_ids) {text} = ReduceSum<keepdims=0>(rows, one)"
    signature = f"(int64[n,length] input_ids) => (float[n,{width}] {text}, float[n,length,{width}] rows)"
    table = words() @ matrix(width, seed)
    table[0] = 0  # padding changes nothing, as after the end of a text in CLIP
    _graphs(folder / "onnx", "text_model", signature, nodes, {"words": table, "one": np.array([1])})
    _small_files(folder, {"model_type": "clip", "text_config": {"max_position_embeddings": LONGEST}})
    return folder


def siglip(folder: Path, *, width: int = 768) -> Path:
    """Publish a SigLIP: the outputs have another name, and pictures are squashed."""
    transformers_js(folder, width=width, output="pooler_output")
    config = {"do_resize": True, "size": {"height": SIZE, "width": SIZE}, "image_mean": MEAN, "image_std": STD}
    (folder / "preprocessor_config.json").write_text(json.dumps({**config, "resample": 3}))
    return folder


def vision_graphs(folder: Path, output: str = "image_embeds", width: int = 512, seed: int = 5) -> None:
    """Write the picture half."""
    nodes = (
        f"tiles = AveragePool<kernel_shape=[{TILE},{TILE}], strides=[{TILE},{TILE}]>(pixel_values) "
        f"flat = Flatten<axis=1>(tiles) seen = Sub(flat, ground) {output} = MatMul(seen, matrix)"
    )
    signature = f"(float[n,3,{SIZE},{SIZE}] pixel_values) => (float[n,{width}] {output}, float[n,{TILES}] seen)"
    _graphs(folder / "onnx", "vision_model", signature, nodes, {"ground": _ground(), "matrix": matrix(width, seed)})


def sentences(folder: Path, *, width: int = 512, pooling: str = "mean_tokens", activation: str = "Identity") -> Path:
    """Publish a text half as sentence-transformers does: vectors of tokens, their pooling, and a step Dense."""
    nodes = (
        "bare = Gather(words, input_ids) types = Cast<to=1>(token_type_ids) column = Unsqueeze(types, last) "
        "token_embeddings = Add(bare, column) sentence_embedding = ReduceMean<axes=[1], keepdims=0>(token_embeddings)"
    )
    inputs = ", ".join(f"int64[n,length] {name}" for name in ("input_ids", "attention_mask", "token_type_ids"))
    outputs = f"float[n,length,{TILES}] token_embeddings, float[n,{TILES}] sentence_embedding"
    constants = {"words": words(), "last": np.array([2])}
    _graphs(folder / "onnx", "model", f"({inputs}) => ({outputs})", nodes, constants)
    (folder / "onnx" / "model_quantized.onnx").unlink()
    for ending in ("qint8_avx512", "qint8_avx512_vnni", "quint8_avx2", "qint8_arm64"):
        file = folder / "onnx" / f"model_{ending}.onnx"
        _quantise(folder / "onnx" / "model.onnx", file, signed="quint8" not in ending)
    steps = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Dense", "Dense")]
    listed = [{"path": path, "type": f"sentence_transformers.models.{kind}"} for path, kind in steps]
    _write(folder / "modules.json", listed)
    _write(folder / "1_Pooling/config.json", {"pooling_mode_cls_token": False, f"pooling_mode_{pooling}": True})
    sizes = {"in_features": TILES, "out_features": width, "bias": False}
    _write(folder / "2_Dense/config.json", {**sizes, "activation_function": f"torch.nn.modules.linear.{activation}"})
    weight = np.ascontiguousarray(matrix(width).T.astype(np.float32))
    save_file({"linear.weight": weight}, folder / "2_Dense" / "model.safetensors")
    _small_files(folder, {"model_type": "distilbert", "max_position_embeddings": 512})
    _write(folder / "sentence_bert_config.json", {"max_seq_length": LONGEST})
    (folder / "preprocessor_config.json").unlink()
    return folder


def _small_files(folder: Path, config: dict[str, Any]) -> None:
    pieces = {piece: place for place, piece in enumerate(VOCABULARY)}
    made = Tokenizer(models.WordLevel(pieces, unk_token="[UNK]"))  # noqa: S106 - no password
    made.pre_tokenizer = pre_tokenizers.Split(Regex(rf"{_PIECES}|\s"), "removed", invert=True)
    made.pre_tokenizer = pre_tokenizers.Sequence([made.pre_tokenizer, pre_tokenizers.WhitespaceSplit()])
    made.post_processor = processors.TemplateProcessing(single="[CLS] $A", special_tokens=[("[CLS]", 2)])
    made.enable_padding(length=128, pad_id=0, pad_token="[PAD]")  # noqa: S106
    made.save(str(folder / "tokenizer.json"))
    _write(folder / "config.json", config)
    _write(folder / "tokenizer_config.json", {"model_max_length": 64, "pad_token": "[PAD]"})
    _write(folder / "preprocessor_config.json", {
        "do_resize": True, "size": {"shortest_edge": SIZE}, "do_center_crop": True, "resample": 3, "do_normalize": True,
        "crop_size": {"height": SIZE, "width": SIZE}, "image_mean": MEAN, "image_std": STD, "rescale_factor": 1 / 255,
    })  # fmt: skip
    (folder / "README.md").write_text("---\nlicense: mit\n---\n", "utf-8")


def _graphs(folder: Path, name: str, signature: str, nodes: str, constants: dict[str, np.ndarray]) -> None:
    """Write a graph in float32, float16 and int8."""
    folder.mkdir(parents=True, exist_ok=True)
    made = parser.parse_model(f'<ir_version: 8, opset_import: ["": 13]> half {signature} {{ {nodes} }}')
    for key, value in constants.items():
        kept = value if value.dtype == np.int64 else value.astype(np.float32)
        made.graph.initializer.append(numpy_helper.from_array(kept, key))
    onnx.save(made, folder / f"{name}.onnx")
    onnx.save(made, folder / f"{name}_fp16.onnx")
    _quantise(folder / f"{name}.onnx", folder / f"{name}_quantized.onnx", signed=True)


def _quantise(graph: Path, file: Path, *, signed: bool) -> None:
    quantization = runtime.library("quantization")
    kind = quantization.QuantType.QInt8 if signed else quantization.QuantType.QUInt8
    with quantisation.silent():
        quantization.quantize_dynamic(graph, file, op_types_to_quantize=["MatMul", "Gather"], weight_type=kind)


def _write(path: Path, data: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data), "utf-8")
