"""
The folders of models: where they are, and what must be in them.

A folder holds `model.json` and the files that it names: a picture tower and a text tower in ONNX, a tokenizer
and `golden.npz`, a few texts and pictures with the vectors that the published model gives for them.
"""

from __future__ import annotations

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
    from collections.abc import Iterable, Mapping

MOST = 8192
"""Largest size, length and dimension of a model: far above any that is in use, and no threat to the memory."""

FORMAT = 1
"""Version of the format of a model folder."""

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
"""What `model.json` must hold, beside its format: a type, a choice of words, a list, or a record of these."""


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """The picture tower: how a picture is fitted to *size* x *size* pixels, and how these become numbers."""

    file: str
    size: int
    fit: str
    background: tuple[int, int, int]
    interpolation: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class TextInfo:
    """The text tower: *max_length* is in tokens."""

    file: str
    tokenizer: str
    max_length: int


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What a `model.json` says."""

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

    @property
    def model(self) -> str:
        """Id and revision, as the catalogue remembers it."""
        return f"{self.id}@{self.revision}"

    @property
    def bytes(self) -> int:
        """Size of the files."""
        return sum((self.folder / name).stat().st_size for name in self.sha256)


def installed() -> list[ModelInfo]:
    """
    Read the models of this machine, the bundled ones first.

    Raises:
        BrokenModelError: One of the folders has a `model.json` that cannot be read.
    """
    folders = [BUNDLED, settings.models_folder()]
    return [read_model(path.parent) for folder in folders for path in sorted(folder.glob("*/model.json"))]


def find(name: str) -> Path:
    """
    Return the folder of a model.

    Args:
        name: Id of an installed model (`a/b` lives in the folder `a--b`), or the path of a model folder.

    Raises:
        MissingModelError: There is none; the message says which there are.
        BrokenModelError: The folder is of another model.
    """
    for root in (BUNDLED, settings.models_folder()):
        folder = root / name.replace("/", "--")
        if (folder / "model.json").is_file():
            found = read_model(folder).id
            if found != name:
                raise _broken(folder, "id", f"must be {name!r}. Got {found!r}")
            return folder
    if os.sep in name and (Path(name) / "model.json").is_file():
        return Path(name).resolve()
    known = ", ".join(info.id for info in installed()) or "none"
    raise MissingModelError(
        f"The model must be installed. Got {name!r}; installed: {known}. Put its folder into "
        f"{settings.models_folder()}, or choose one of `meetup2025 model list`."
    )


def read_model(folder: Path) -> ModelInfo:
    """
    Read the `model.json` of a folder; the files that it names are not opened.

    Raises:
        BrokenModelError: It cannot be read, or a field is missing or wrong; the message names the field.
    """
    data = _read_json(folder)
    if data.get("format") != FORMAT:
        got = f"{data.get('format')!r}; update meetup2025, or the model"
        raise _broken(folder, "format", f"must be {FORMAT}. Got {got}")
    _check_fields(folder, data, _SHAPE)
    _check_ranges(folder, data)
    _check_names(folder, data)
    image, text = data["image"], data["text"]
    lists = {name: tuple(image[name]) for name in ("background", "mean", "std")}
    towers = {
        "image": ImageInfo(**{name: image[name] for name in _SHAPE["image"]} | lists),
        "text": TextInfo(**{name: text[name] for name in _SHAPE["text"]}),
    }
    return ModelInfo(**{name: data[name] for name in _SHAPE} | towers, folder=folder)


def check_hashes(folder: Path) -> None:
    """
    Make sure that every file of a model is the one that was published.

    Raises:
        BrokenModelError: A file is missing or has another byte.
    """
    info = read_model(folder)
    check_files(info, info.sha256)


def check_files(info: ModelInfo, names: Iterable[str]) -> None:
    """Make sure of some files, as `check_hashes`."""
    for name in names:
        path = info.folder / name
        if not path.is_file():
            raise BrokenModelError(f"The file {path} must exist. Got nothing; install the model again.")
        if _sha256(path) != info.sha256[name]:
            problem = "must be as it was published. Got another SHA-256; install the model again."
            raise BrokenModelError(f"The file {path} {problem}")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _read_json(folder: Path) -> dict[str, Any]:
    try:
        data = json.loads((folder / "model.json").read_text("utf-8"))
    except (OSError, ValueError) as exc:
        message = f"{folder} must hold a model.json in UTF-8. Got {exc}; install the model again."
        raise BrokenModelError(message) from exc
    if not isinstance(data, dict):
        raise _broken(folder, "the whole", f"must be an object. Got {type(data).__name__}")
    return data


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
    kinds = (int, float) if expected is float else expected
    return isinstance(value, kinds) and not isinstance(value, bool)


def _words(expected: Any) -> str:
    if isinstance(expected, tuple):
        return " or ".join(map(repr, expected))
    if isinstance(expected, list):
        return f"{len(expected)} times {_words(expected[0])}"
    names = {str: "a text", int: "a whole number", float: "a number"}
    return "an object" if expected is dict or isinstance(expected, dict) else names[expected]


def _check_ranges(folder: Path, data: Mapping[str, Any]) -> None:
    image, text = data["image"], data["text"]
    sizes = {"image.size": image["size"], "text.max_length": text["max_length"]}
    positive = {"dimension": data["dimension"], **sizes}
    for field, value in positive.items():
        if not 1 <= value <= MOST:
            raise _broken(folder, field, f"must be from 1 to {MOST}. Got {value}")
    if min(image["std"]) <= 0:
        raise _broken(folder, "image.std", f"must be above 0. Got {image['std']}")
    if not all(0 <= value <= 255 for value in image["background"]):
        raise _broken(folder, "image.background", f"must be from 0 to 255. Got {image['background']}")


def _check_names(folder: Path, data: Mapping[str, Any]) -> None:
    """Make sure that the files are in the folder, and that each has a hash."""
    image, text = data["image"], data["text"]
    files = {"image.file": image["file"], "text.file": text["file"], "text.tokenizer": text["tokenizer"]}
    for field, name in {**files, "golden": data["golden"]}.items():
        if not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", name):
            raise _broken(folder, field, f"must be the name of a file in the folder. Got {name!r}")
        digest = data["sha256"].get(name)
        if not re.fullmatch(r"[0-9a-f]{64}", str(digest)):
            raise _broken(folder, f"sha256.{name}", f"must be 64 hexadecimal digits. Got {digest!r}")
    if extra := set(data["sha256"]) - {*files.values(), data["golden"]}:
        raise _broken(folder, "sha256", f"must be of the files named. Got {sorted(extra)} beside")


def _broken(folder: Path, field: str, problem: str) -> BrokenModelError:
    return BrokenModelError(f"{folder / 'model.json'}: {field} {problem}.")
