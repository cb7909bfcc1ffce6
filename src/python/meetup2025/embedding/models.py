"""
The folders of models: their places and their contents (docs/models.md).

A folder holds `model.json` and the files named there: a picture tower and a text tower in ONNX, a tokenizer, and
`golden.npz`. The last holds a few texts and pictures, with their vectors from the published model.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meetup2025 import settings
from meetup2025.errors import BrokenModelError, MissingModelError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MOST = 8192
"""Largest size, length and dimension of a model: far above all models in use, and harmless to the memory."""

FORMAT = 1
"""Version of the format of a model folder."""

SEVEN_BITS = "dynamic 7-bit"
"""
The way of a quantised tower whose weights have 7 bits. Towers with weights of 8 bits are right on some processors only
(`installing.quantisation`).
"""

COLUMN = 512
"""Length of the vector columns of the tables."""

BUNDLED = Path(__file__).parent
"""Folder of the models that come with the package."""

_CHUNK = 1 << 20

_NUMBERS = [float, float, float]
_SHAPE: dict[str, Any] = {
    "id": str,
    "revision": str,
    "dimension": int,
    "licence": str,
    "description": str,
    "image": {
        "file": str,
        "size": int,
        "fit": ("pad", "crop", "squash"),
        "background": [int, int, int],
        "interpolation": ("bicubic", "bilinear", "lanczos"),
        "mean": _NUMBERS,
        "std": _NUMBERS,
    },
    "text": {"file": str, "tokenizer": str, "max_length": int},
    "golden": str,
    "sha256": dict,
}
"""Required fields of `model.json` beside its format: a type, a choice of words, a list, or a record of these."""

_MAY_HOLD: dict[str, Any] = {
    "int8": {"file": str, "way": str, "median": float, "least": float},
    "weights": dict,
    "heads": dict,
    "precision": ("float32", "float16", "int8"),
    "languages": list,
    "sources": dict,
    "original": {"source": str, "revision": str, "kind": str, "remote_code": bool, "made_with": str},
}
"""Optional fields of `model.json`."""

_HEAD: dict[str, Any] = {"output": str, "pooling": ("none", "mean", "first"), "file": str}
"""Fields of a record of `heads`."""


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """The picture tower: how to fit a picture to *size* x *size* pixels, and how to make numbers of them."""

    file: str
    size: int
    fit: str
    background: tuple[int, int, int]
    interpolation: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    resize: int = 0
    """Side that *fit* makes, if the middle of *size* is cut out of it. 0 means *size*."""

    @property
    def seen(self) -> int:
        """Side in pixels of what is left of a picture before its middle is cut out."""
        return self.resize or self.size


@dataclass(frozen=True, slots=True)
class HeadInfo:
    """
    What becomes of the output of a graph that was published by others.

    Attributes:
        output: Name of the output.
        pooling: `none` for an output of shape (n, d). For one of shape (n, length, d): `mean` of the tokens, or the
            `first` token.
        file: File with a matrix of shape (d, dimension), and a bias, that the vectors are multiplied with. Or empty.
    """

    output: str = "vectors"
    pooling: str = "none"
    file: str = ""


@dataclass(frozen=True, slots=True)
class TextInfo:
    """The text tower: *max_length* is in tokens."""

    file: str
    tokenizer: str
    max_length: int


@dataclass(frozen=True, slots=True)
class QuantisedInfo:
    """A picture tower in 8-bit integers. *median* and *least* are the cosines of its golden pictures."""

    file: str
    way: str
    median: float
    least: float

    @property
    def suffix(self) -> str:
        """End of the revision of a model whose pictures this tower embeds."""
        return "+int7" if self.way == SEVEN_BITS else "+int8"


@dataclass(frozen=True, slots=True)
class OriginalInfo:
    """The published model: its repository or folder, its class there, and whether it brings code of its own."""

    source: str
    revision: str
    kind: str
    remote_code: bool
    made_with: str


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """
    Content of a `model.json`.

    Attributes:
        weights: Graph -> file with its weights, if it does not hold them itself.
        heads: Graph -> what becomes of its output. Other graphs give the vectors themselves.
        precision: Numbers that the graphs work with, as published.
        languages: Languages of the texts. Empty means unknown.
        sources: Half -> repository, commit, and SHA-256 of the files that it was made of.
    """

    id: str
    revision: str
    dimension: int
    licence: str
    description: str
    image: ImageInfo
    text: TextInfo
    golden: str
    sha256: Mapping[str, str]
    folder: Path
    weights: Mapping[str, str]
    int8: QuantisedInfo | None = None
    original: OriginalInfo | None = None
    heads: Mapping[str, HeadInfo] = dataclasses.field(default_factory=dict)
    precision: str = "float32"
    languages: tuple[str, ...] = ()
    sources: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def model(self) -> str:
        """Id and revision, as the catalogue remembers it."""
        return f"{self.id}@{self.revision}"

    @property
    def quantised(self) -> QuantisedInfo | None:
        """The quantised tower, where it embeds the pictures."""
        return self.int8 if self.int8 and self.int8.file == self.image.file else None

    @property
    def bytes(self) -> int:
        """Size of the files."""
        return sum((self.folder / name).stat().st_size for name in self.sha256)


def installed() -> list[ModelInfo]:
    """Return the models of this machine, bundled ones first. Models with `faults` are left out."""
    return [found for _, found in _tried() if isinstance(found, ModelInfo)]


def faults() -> dict[Path, str]:
    """Return the fault of each model folder that cannot be read or lacks a file."""
    return {folder: str(found) for folder, found in _tried() if not isinstance(found, ModelInfo)}


def _tried() -> Iterator[tuple[Path, ModelInfo | BrokenModelError]]:
    """Read each model of this machine."""
    for root in (BUNDLED, *settings.models_folders()):
        for path in sorted(root.glob("*/model.json")):
            yield path.parent, _whole(path.parent)


def _whole(folder: Path) -> ModelInfo | BrokenModelError:
    """Read a model, and check that its files exist."""
    try:
        info = read_model(folder)
        for name in info.sha256:
            _check_there(folder / name)
    except BrokenModelError as exc:
        return exc
    return info


def find(name: str) -> Path:
    """
    Return the folder of a model.

    Args:
        name: Id of an installed model, or id and revision as in `a/b@1` (its folder is `a--b`, or `a--b@1`), or the
            path of a model folder.

    Raises:
        MissingModelError: There is no such model, or there are several revisions. The message lists them.
        BrokenModelError: The folder belongs to another model.
    """
    for root in (BUNDLED, *settings.models_folders()):
        folders = _folders(root, *name.partition("@")[::2])
        if len(folders) > 1:
            revisions = ", ".join(read_model(folder).model for folder in folders)
            raise MissingModelError(f"One revision of the model must be chosen. Got {name!r}; installed: {revisions}.")
        if folders:
            return folders[0]
    if os.sep in name and (Path(name) / "model.json").is_file():
        return Path(name).resolve()
    known = ", ".join(info.id for info in installed()) or "none"
    raise MissingModelError(
        f"The model must be installed. Got {name!r}; installed: {known}. Take `meetup2025 model install`, put its "
        f"folder into {settings.models_folder()}, or choose one of `meetup2025 model list`."
    )


def folder_name(model_id: str, revision: str = "") -> str:
    """Return the name of a model's folder."""
    return model_id.replace("/", "--") + (f"@{revision}" if revision else "")


def _folders(root: Path, model_id: str, revision: str) -> list[Path]:
    """Find the folders of a model, of one revision or of all."""
    own = folder_name(model_id)
    names = [name for name in _names(root) if name.partition("@")[0] == own]
    if revision:
        names = [name for name in names if name in {own, folder_name(model_id, revision)}]
    folders = [root / name for name in names if (root / name / "model.json").is_file()]
    for folder in folders:
        found = read_model(folder).id
        if found != model_id:
            raise _broken(folder, "id", f"must be {model_id!r}. Got {found!r}")
    return [folder for folder in folders if revision in ("", read_model(folder).revision)]


def _names(folder: Path) -> list[str]:
    """Return the sorted names in a folder, or no names if there is no folder."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries)
    except OSError:
        return []


def read_model(folder: Path) -> ModelInfo:
    """
    Read the `model.json` of a folder. Its files are not opened.

    A process reads and checks a `model.json` again only after a change.

    Raises:
        BrokenModelError: `model.json` cannot be read, or a field is missing or wrong. The message names the field.
    """
    return _read_model(folder, state(folder))


def state(folder: Path) -> tuple[int, int, int]:
    """
    Return the state of a folder's `model.json`: time, size and inode.

    Each change of a model changes the state, because `model.json` has a hash of each file.

    Raises:
        BrokenModelError: There is no `model.json`.
    """
    try:
        found = (folder / "model.json").stat()
    except OSError as exc:
        raise _unreadable(folder, exc) from exc
    return found.st_mtime_ns, found.st_size, found.st_ino


@functools.lru_cache(maxsize=64)
def _read_model(folder: Path, _: tuple[int, int, int]) -> ModelInfo:
    data = _read_json(folder)
    if data.get("format") != FORMAT:
        got = f"{data.get('format')!r}; update meetup2025, or the model"
        raise _broken(folder, "format", f"must be {FORMAT}. Got {got}")
    may = {name: shape for name, shape in _MAY_HOLD.items() if name in data}
    _check_fields(folder, data, {**_SHAPE, **may})
    _check_ranges(folder, data)
    _check_names(folder, data)
    image, text = data["image"], data["text"]
    lists = {name: tuple(image[name]) for name in ("background", "mean", "std")}
    towers: dict[str, Any] = {
        "image": ImageInfo(**{name: image[name] for name in _SHAPE["image"]} | lists, resize=image.get("resize", 0)),
        "text": TextInfo(**{name: text[name] for name in _SHAPE["text"]}),
    }
    for name, kind in (("int8", QuantisedInfo), ("original", OriginalInfo)):
        if name in may:
            towers[name] = kind(**{key: data[name][key] for key in may[name]})
    towers["weights"] = data.get("weights", {})
    towers["heads"] = {graph: HeadInfo(**head) for graph, head in data.get("heads", {}).items()}
    towers["languages"] = tuple(data.get("languages", ()))
    towers |= {name: data[name] for name in ("precision", "sources") if name in may}
    return ModelInfo(**{name: data[name] for name in _SHAPE} | towers, folder=folder)


def check_hashes(folder: Path) -> None:
    """
    Check the hash of each file of a model.

    Raises:
        BrokenModelError: A file is missing or has another byte.
    """
    info = read_model(folder)
    check_files(info, info.sha256)


def check_files(info: ModelInfo, names: Iterable[str]) -> None:
    """Check the hashes of some files, as `check_hashes` does."""
    for name in names:
        path = info.folder / name
        _check_there(path)
        if file_hash(path) != info.sha256[name]:
            problem = "must be as it was published. Got another SHA-256; install the model again."
            raise BrokenModelError(f"The file {path} {problem}")


def _check_there(path: Path) -> None:
    if not path.is_file():
        raise BrokenModelError(f"The file {path} must exist. Got nothing; install the model again.")


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _read_json(folder: Path) -> dict[str, Any]:
    try:
        data = json.loads((folder / "model.json").read_text("utf-8"))
    except (OSError, RecursionError, ValueError) as exc:
        raise _unreadable(folder, exc) from exc
    if not isinstance(data, dict):
        raise _broken(folder, "the whole", f"must be an object. Got {type(data).__name__}")
    return data


def _unreadable(folder: Path, exc: Exception) -> BrokenModelError:
    return BrokenModelError(f"{folder} must hold a model.json in UTF-8. Got {exc}; install the model again.")


def _check_fields(folder: Path, data: Mapping[str, Any], shape: Mapping[str, Any], within: str = "") -> None:
    """Compare *data* with *shape*, field by field."""
    for name, expected in shape.items():
        field = within + name
        if name not in data:
            raise _broken(folder, field, "must be there. Got nothing")
        if not _fits(data[name], expected):
            raise _broken(folder, field, f"must be {_words(expected)}. Got {data[name]!r}")
        if isinstance(expected, dict):
            _check_fields(folder, data[name], expected, f"{field}.")


def _fits(value: Any, expected: Any) -> bool:
    if isinstance(expected, dict):
        return isinstance(value, dict)
    if isinstance(expected, list):
        return isinstance(value, list) and len(value) == len(expected) and all(map(_fits, value, expected))
    if isinstance(expected, tuple):
        return value in expected
    return type(value) in ({int, float} if expected is float else {expected})


def _words(expected: Any) -> str:
    if isinstance(expected, tuple):
        return " or ".join(map(repr, expected))
    if isinstance(expected, list):
        return f"{len(expected)} times {_words(expected[0])}"
    names = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}
    return "an object" if expected is dict or isinstance(expected, dict) else names[expected]


def _check_ranges(folder: Path, data: Mapping[str, Any]) -> None:
    image, text = data["image"], data["text"]
    sizes = {"image.size": image["size"], "text.max_length": text["max_length"]}
    positive = {"dimension": data["dimension"], **sizes}
    for field, value in positive.items():
        if not 1 <= value <= MOST:
            raise _broken(folder, field, f"must be from 1 to {MOST}. Got {value}")
    resize = image.get("resize", 0)
    if type(resize) is not int or (resize and not image["size"] <= resize <= MOST):
        raise _broken(folder, "image.resize", f"must be from {image['size']} to {MOST}, or 0. Got {resize!r}")
    if min(image["std"]) <= 0:
        raise _broken(folder, "image.std", f"must be above 0. Got {image['std']}")
    if not all(0 <= value <= 255 for value in image["background"]):
        raise _broken(folder, "image.background", f"must be from 0 to 255. Got {image['background']}")


def _check_names(folder: Path, data: Mapping[str, Any]) -> None:
    """Check that all files are in the folder, and that each has a hash."""
    image, text = data["image"], data["text"]
    files = {"image.file": image["file"], "text.file": text["file"], "text.tokenizer": text["tokenizer"]}
    if "int8" in data:
        files["int8.file"] = data["int8"]["file"]
    graphs = set(files.values())
    files |= _files_beside(folder, data, graphs)
    for field, name in {**files, "golden": data["golden"]}.items():
        if not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", name):
            raise _broken(folder, field, f"must be the name of a file in the folder. Got {name!r}")
        digest = data["sha256"].get(name)
        if not re.fullmatch(r"[0-9a-f]{64}", str(digest)):
            raise _broken(folder, f"sha256.{name}", f"must be 64 hexadecimal digits. Got {digest!r}")
    if extra := set(data["sha256"]) - {*files.values(), data["golden"]}:
        raise _broken(folder, "sha256", f"must be of the files named. Got {sorted(extra)} beside")


def _files_beside(folder: Path, data: Mapping[str, Any], graphs: set[str]) -> dict[str, str]:
    """Return the files of weights and of heads, by field."""
    files = {}
    for graph, weights in data.get("weights", {}).items():
        if graph not in graphs or not isinstance(weights, str):
            raise _broken(folder, f"weights.{graph}", f"must be a file for one of {sorted(graphs)}. Got {weights!r}")
        files[f"weights.{graph}"] = weights
    for graph, head in data.get("heads", {}).items():
        if graph not in graphs or not isinstance(head, dict):
            raise _broken(folder, f"heads.{graph}", f"must be an object for one of {sorted(graphs)}. Got {head!r}")
        _check_fields(folder, head, _HEAD, f"heads.{graph}.")
        if head["file"]:
            files[f"heads.{graph}.file"] = head["file"]
    return files


def _broken(folder: Path, field: str, problem: str) -> BrokenModelError:
    return BrokenModelError(f"{folder / 'model.json'}: {field} {problem}.")
