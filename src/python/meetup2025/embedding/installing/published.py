"""
Published models: a repository of the Hugging Face Hub at one revision, or a folder.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meetup2025.embedding.installing import hub
from meetup2025.errors import BrokenModelError, DataError, MissingModelError

if TYPE_CHECKING:
    from collections.abc import Iterable

_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._]|-(?!-))*(?:/[A-Za-z0-9](?:[A-Za-z0-9._]|-(?!-))*)?")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SHORT = 12
_FILES = ("*.json", "*.txt", "*.model", "*.py", "README.md", "*.safetensors", "*.bin")
_PICKLES = ("*.bin",)
_NOT_THESE = ("onnx/*", "openvino/*", "*/*.onnx*", "tf_*", "flax_*", "training_args.bin", "optimizer.bin")


@dataclass(frozen=True)
class Published:
    """
    A published model on this machine.

    Attributes:
        id: Id of the model here.
        revision: Short revision, as in the catalogue.
        source: Repository or folder.
        commit: The whole revision, as in *source*.
        folder: Folder of its files.
        licence: Licence on its page, or `unknown`.
        code: Python files, or other repositories, that run when it is loaded.
    """

    id: str
    revision: str
    source: str
    commit: str
    folder: Path
    licence: str
    code: tuple[str, ...]


def published(
    name: str, *, revision: str | None = None, called: str | None = None, from_cache: bool = False
) -> Published:
    """
    Find a published model, and download what is not on this machine yet.

    Args:
        name: Repository of the Hub, as in `a/b`, or a folder.
        revision: Commit, branch or tag of the repository, `main` by default. For a folder, a word of your own, by
            default made from its content.
        called: Id of the model here. By default the name of the repository or folder.
        from_cache: Whether to use only the cache, and no network.

    Raises:
        MissingModelError: The repository or revision does not exist, needs an account, or is not in the cache.
        OperationalError: The network or the disk failed.
        BrokenModelError: The files are no model.
        DataError: The id is not allowed.
    """
    if name and Path(name).expanduser().is_dir():
        folder = Path(name).expanduser().resolve()
        source, commit = str(folder), revision or _digest(folder)
    else:
        source = name
        check_repository(name)
        found = hub.repository(name, revision, from_cache=from_cache)
        folder, commit = hub.downloaded(found, _wanted(found.files)), found.commit
    model_id = called or (folder.name if source == str(folder) else name)
    check_id(model_id)
    short = commit[:_SHORT] if re.fullmatch(r"[0-9a-f]{40,64}", commit) else commit
    _check_word("revision", short, _REVISION, "say another with --revision")
    code = _code(folder)
    return Published(model_id, short, source, commit, folder, licence(folder), code)


def check_repository(name: str) -> None:
    """
    Check the name of a repository.

    Raises:
        MissingModelError: No repository can have this name.
    """
    if not re.fullmatch(_ID, name):
        raise MissingModelError(f"A model must be a repository, as in a/b, or a folder. Got {name!r}.")


def check_id(model_id: str) -> None:
    """
    Check the id of a model.

    Raises:
        DataError: It is not allowed.
    """
    _check_word("id of a model", model_id, _ID, "say another with --as")


def _check_word(what: str, word: str, pattern: re.Pattern[str], remedy: str) -> None:
    if not pattern.fullmatch(word):
        rule = f"The {what} must be of letters, digits, '.', '_' and single '-'"
        raise DataError(f"{rule}. Got {word!r}; {remedy}.")


def _wanted(names: Iterable[str]) -> list[str]:
    """Choose the files of a model for transformers. Of weights in two formats, choose the safe one."""
    from fnmatch import fnmatch

    found = [name for name in names if any(fnmatch(name, each) for each in _FILES)]
    found = [name for name in found if not any(fnmatch(name, each) for each in _NOT_THESE)]
    if any(name.endswith(".safetensors") for name in found):
        found = [name for name in found if not any(fnmatch(name, each) for each in _PICKLES)]
    return found


def _digest(folder: Path) -> str:
    """Make a revision from the content of a folder."""
    digest = hashlib.sha256()
    paths = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    for name in sorted(_wanted(path.relative_to(folder).as_posix() for path in paths)):
        data = (folder / name).read_bytes()
        digest.update(f"{name}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()


def _code(folder: Path) -> tuple[str, ...]:
    """Find the code that the model brings: the names in the `auto_map` of its files."""
    found: set[str] = set()
    for name in ("config.json", "tokenizer_config.json", "preprocessor_config.json", "processor_config.json"):
        data = _json(folder / name)
        for target in _texts(data.get("auto_map", {})):
            repository, _, name_there = target.rpartition("--")
            found.add(repository or f"{name_there.partition('.')[0]}.py")
    return tuple(sorted(found))


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list, tuple)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        if path.name == "config.json":
            problem = f"Got {path.parent}, without one; name the folder or repository of a model"
            raise BrokenModelError(f"A published model must have a config.json. {problem}.")
        return {}
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as exc:
        raise BrokenModelError(f"{path} must be JSON in UTF-8. Got {exc}; download it again.") from exc
    return data if isinstance(data, dict) else {}


def licence(folder: Path) -> str:
    """Return the licence on the model's page."""
    return _said(folder, "license") or "unknown"


def original(folder: Path) -> str:
    """Return the repository of the model that this one was made from, as its page says, or an empty text."""
    return _said(folder, "base_model")


def _said(folder: Path, field: str) -> str:
    """Read a field in the head of the model's page, or the first value of a list."""
    page = folder / "README.md"
    text = page.read_text("utf-8", "replace") if page.is_file() else ""
    head = text.split("---")[1] if text.startswith("---") and text.count("---") > 1 else ""
    found = re.search(rf"^{field}:(?:\s*-)?\s*['\"]?([\w./+-]+)", head, re.MULTILINE)
    return found[1] if found else ""
