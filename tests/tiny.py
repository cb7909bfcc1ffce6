"""A tiny model folder: a picture is its mean colour, a text the mean of its letters, each times a matrix."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers

if TYPE_CHECKING:
    from pathlib import Path

LETTERS = "アイウエオサバマグロタコ魚の写真abc "
DIMENSION, SIZE, MAX_LENGTH = 8, 6, 12
MEAN, STD = [0.5, 0.4, 0.3], [0.2, 0.25, 0.5]
FILES = ["image.onnx", "text.onnx", "tokenizer.json", "golden.npz"]


class Tiny:
    """The weights of a tiny model, and its expected answers."""

    def __init__(self, seed: int = 5, dimension: int = DIMENSION) -> None:
        generator = np.random.default_rng(seed)
        self.dimension = dimension
        self.colours = generator.standard_normal((3, dimension)).astype(np.float32)
        self.letters = generator.standard_normal((len(LETTERS) + 1, dimension)).astype(np.float32)

    def images(self, pictures: list[Image.Image]) -> np.ndarray:
        """Embed square pictures of the right size."""
        means = np.array([np.asarray(picture, np.float64).mean(axis=(0, 1)) for picture in pictures]) / 255
        return _unit((means - MEAN) / STD @ self.colours)

    def texts(self, texts: list[str]) -> np.ndarray:
        """Embed texts of known letters. 0 is the padding."""
        rows = [[LETTERS.index(letter) + 1 for letter in text[:MAX_LENGTH]] for text in texts]
        return _unit(np.array([self.letters[row].astype(np.float64).mean(axis=0) for row in rows]))

    def save(self, folder: Path) -> None:
        """Write the two graphs."""
        folder.mkdir(exist_ok=True)
        axes = numpy_helper.from_array(np.array([1]), "axes")
        image = [
            helper.make_node("ReduceMean", ["pixels"], ["means"], axes=[2, 3], keepdims=0),
            helper.make_node("MatMul", ["means", "weights"], ["vectors"]),
        ]
        text = [
            helper.make_node("Gather", ["weights", "input_ids"], ["all"]),
            helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
            helper.make_node("Mul", ["all", "column"], ["known"]),
            helper.make_node("ReduceSum", ["known", "axes"], ["vectors"], keepdims=0),
        ]
        last = numpy_helper.from_array(np.array([2]), "last")
        self._write(folder / "image.onnx", image, {"pixels": (TensorProto.FLOAT, ["n", 3, SIZE, SIZE])}, self.colours)
        ids = (TensorProto.INT64, ["n", "length"])
        self._write(folder / "text.onnx", text, {"input_ids": ids, "attention_mask": ids}, self.letters, axes, last)

    def _write(self, path, nodes, inputs, weights, *constants) -> None:
        graph = helper.make_graph(
            nodes,
            "tower",
            [helper.make_tensor_value_info(name, *kind) for name, kind in inputs.items()],
            [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["n", self.dimension])],
            [numpy_helper.from_array(weights, "weights"), *constants],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.save(model, path)


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def pictures(count: int, seed: int = 7) -> list[Image.Image]:
    """Draw noise of the size of the model."""
    noise = np.random.default_rng(seed).integers(0, 256, (count, SIZE, SIZE, 3), dtype=np.uint8)
    return [Image.fromarray(one) for one in noise]


def texts(count: int, seed: int = 7) -> list[str]:
    """Draw texts of 1 to 11 letters, none of them blank, with single blanks between words."""
    generator = np.random.default_rng(seed)
    drawn = ["魚" + "".join(generator.choice(list(LETTERS), generator.integers(0, 11))) for _ in range(count)]
    return [" ".join(each.split()) for each in drawn]


def save_golden(folder: Path, tiny: Tiny, **changes: object) -> None:
    """Write golden items with the answers of *tiny*."""
    items = {f"image_{place:02}": np.asarray(picture) for place, picture in enumerate(pictures(2))}
    arrays = {"texts": np.array(["サバ", "タコの写真"]), "text_vectors": tiny.texts(["サバ", "タコの写真"])}
    arrays |= {"image_vectors": tiny.images(pictures(2)), **items, **changes}
    np.savez(folder / "golden.npz", **{name: value for name, value in arrays.items() if value is not None})


def save_hashes(folder: Path, *names: str) -> None:
    """Write the present hashes of the files into model.json."""
    names = names or tuple(FILES)
    change_json(folder, sha256={name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names})


def change_json(folder: Path, **changes: object) -> None:
    """Change fields of model.json. `image__size` is the size in image, and None removes a field."""
    data = json.loads((folder / "model.json").read_text("utf-8"))
    for field, value in changes.items():
        *outer, name = field.split("__")
        record = data[outer[0]] if outer else data
        record[name] = value
        if value is None:
            del record[name]
    (folder / "model.json").write_text(json.dumps(data), "utf-8")


def quantise(folder: Path, tiny: Tiny, *, least: float = 1.0, median: float = 0.0, way: str = "dynamic") -> None:
    """Add a second picture half, called quantised, to a model. *least* and *median* are its recorded cosines."""
    tiny.save(folder / "other")
    (folder / "other" / "image.onnx").rename(folder / "image.int8.onnx")
    change_json(folder, int8={"file": "image.int8.onnx", "way": way, "median": median, "least": least})
    save_hashes(folder, *FILES, "image.int8.onnx")


def near(difference: float) -> Tiny:
    """Make a tiny model that is a little off."""
    tiny = Tiny()
    tiny.colours = tiny.colours + difference * np.random.default_rng(1).standard_normal(tiny.colours.shape)
    tiny.colours = tiny.colours.astype(np.float32)
    return tiny


def make_model(folder: Path, model_id: str = "tiny") -> Path:
    """Write a valid model folder."""
    folder.mkdir(parents=True)
    tiny = Tiny()
    tiny.save(folder)
    tokenizer = Tokenizer(models.BPE({letter: place for place, letter in enumerate("\0" + LETTERS)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.save(str(folder / "tokenizer.json"))
    save_golden(folder, tiny)
    image = {"file": "image.onnx", "size": SIZE, "fit": "pad", "background": [255, 255, 255]}
    image |= {"interpolation": "bicubic", "mean": MEAN, "std": STD}
    text = {"file": "text.onnx", "tokenizer": "tokenizer.json", "max_length": MAX_LENGTH}
    data = {"format": 1, "id": model_id, "revision": "2", "dimension": DIMENSION, "licence": "MIT"}
    data |= {"description": "Tiny.", "image": image, "text": text, "golden": "golden.npz", "sha256": {}}
    (folder / "model.json").write_text(json.dumps(data), "utf-8")
    save_hashes(folder)
    return folder
