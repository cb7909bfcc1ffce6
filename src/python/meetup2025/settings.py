"""
The settings of a process, from its environment or from the file of an installation. A setting is read when needed.

The environment comes first. The file is `settings.json` in the folder of the package. An administrator of an IRIS
server changes it by `do ##class(MeetUp2025.Setup).Set("Photos", "/data/photos")`. Elsewhere there is no file.

- `MEETUP2025_URL`: database of the command line. Default: a file in the user's data folder.
- `MEETUP2025_MODEL`: model that makes the vectors. Default: `sketch`.
- `MEETUP2025_RUNTIME`: library that runs the model, `onnx`, `int8` (pictures quantised) or `torch` (the original).
  Default: `onnx`.
- `MEETUP2025_MODELS`: folders of the installed models, separated as in `PATH`. Models are installed into the first.
  Default: `models` in the data folder.
- `MEETUP2025_ENCODER`: server that makes the vectors, as `unix:/path` or `http://127.0.0.1:8025`. Default: none, this
  process makes them.
- `MEETUP2025_ENCODER_TOKEN`: token for this server. Default: none.
- `MEETUP2025_WORKER`: 1 lets the resident process of an IRIS instance make the vectors. Default: 0, this process does.
- `MEETUP2025_LANG`: language of the messages, `ja` or `en`. Default: the language of the locale.
- `MEETUP2025_PHOTOS`: folders that SQL may read files from, separated as in `PATH`. Default: none.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

from meetup2025.errors import DataError, InterfaceError, OperationalError, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FILE = Path(__file__).with_name("settings.json")
"""File with the settings of an installation."""

NAMES = {name: f"MEETUP2025_{name}" for name in ("MODEL", "MODELS", "PHOTOS", "RUNTIME", "WORKER")}
"""Settings that the file may hold, by their name for an administrator."""

RUNTIMES = ("onnx", "int8", "torch")
"""Libraries that may run a model."""


_MODEL: ContextVar[str] = ContextVar("model", default="")
_FOLDERS: ContextVar[tuple[str, ...]] = ContextVar("folders", default=())


@contextlib.contextmanager
def chosen(model: str = "", folders: Sequence[str] = ()) -> Iterator[None]:
    """
    Let the settings of a connection come before the settings of the process, for a block.

    Args:
        model: Id of the model that makes the vectors. Empty takes the model of the process.
        folders: Folders that SQL may read, in addition to the folders of the process.
    """
    tokens = _MODEL.set(model), _FOLDERS.set(tuple(folders))
    try:
        yield
    finally:
        _MODEL.reset(tokens[0])
        _FOLDERS.reset(tokens[1])


def data_folder() -> Path:
    """Return the user's folder for the data of this program, by the rules of the system. It may not exist."""
    if sys.platform == "win32":
        root = os.environ.get("LOCALAPPDATA", "~/AppData/Local")
    elif sys.platform == "darwin":
        root = "~/Library/Application Support"
    else:
        root = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(root).expanduser() / "meetup2025"


def install_command(extra: str) -> str:
    """
    Return the command that adds an extra to this installation: to a checkout by its folder, otherwise by its name.
    """
    checkout = FILE.parents[3]
    if (checkout / "pyproject.toml").is_file():
        return f"pip install -e '.[{extra}]' in {checkout}"
    return f"pip install 'meetup2025[{extra}]'"


def url() -> str:
    """Return the URL of the database that the command line uses."""
    return os.environ.get("MEETUP2025_URL") or f"duckdb:///{data_folder() / 'meetup2025.duckdb'}"


def model() -> str:
    """Return the id of the model that makes the vectors."""
    return _MODEL.get() or _value("MEETUP2025_MODEL") or "sketch"


def runtime() -> str:
    """
    Return the library that runs the model: `onnx`, `int8` or `torch`.

    Raises:
        InterfaceError: The setting is another word.
    """
    wanted = _value("MEETUP2025_RUNTIME") or "onnx"
    if wanted not in RUNTIMES:
        raise InterfaceError(f"MEETUP2025_RUNTIME must be {', '.join(RUNTIMES)}. Got {wanted!r}.")
    return wanted


def models_folders() -> list[Path]:
    """Return the folders of the installed models. A model is installed into the first, and found there first."""
    return _folders("MEETUP2025_MODELS") or [data_folder() / "models"]


def encoder_url() -> str:
    """Return the address of the server that makes the vectors, or an empty text where this process makes them."""
    return os.environ.get("MEETUP2025_ENCODER", "").strip()


def encoder_token() -> str:
    """Return the token for the server that makes the vectors."""
    return os.environ.get("MEETUP2025_ENCODER_TOKEN", "").strip()


def uses_worker() -> bool:
    """
    Check whether the resident process of this IRIS instance makes the vectors.

    Raises:
        DataError: The setting is neither 1 nor 0.
    """
    value = _value("MEETUP2025_WORKER")
    if value not in {"", "0", "1"}:
        raise DataError(f"The setting Worker must be 1 or 0. Got {value!r}.")
    return value == "1"


def photo_folders() -> list[Path]:
    """Return the folders that SQL may read files from."""
    return [*map(Path, _FOLDERS.get()), *_folders("MEETUP2025_PHOTOS")]


def save(name: str, value: str) -> None:
    """
    Write a setting to the file of the installation.

    Args:
        name: `Model`, `Models`, `Photos`, `Runtime` or `Worker`, in any case.
        value: New value. An empty value removes the setting.

    Raises:
        DataError: There is no such setting.
        OperationalError: The file cannot be written. It stays as it was.
    """
    if name.upper() not in NAMES:
        raise DataError(f"A setting must be one of {', '.join(map(str.title, NAMES))}. Got {shown(name)}.")
    values = {**_installed(), NAMES[name.upper()]: value}
    beside = FILE.with_name(f"{FILE.name}.{os.getpid()}")
    try:
        beside.write_text(json.dumps({key: each for key, each in values.items() if each}, indent=2), "utf-8")
        beside.replace(FILE)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise OperationalError(f"The file {FILE} must be writable. Got: {error.strerror}.") from error


def _folders(name: str) -> list[Path]:
    return [Path(folder).expanduser() for folder in _value(name).split(os.pathsep) if folder.strip()]


def _value(name: str) -> str:
    return os.environ.get(name) or _installed().get(name, "")


def _installed() -> dict[str, str]:
    try:
        values = json.loads(FILE.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise OperationalError(f"The file {FILE} must be a JSON object in UTF-8. Got: {error}.") from error
    if not isinstance(values, dict) or not all(isinstance(each, str) for each in values.values()):
        raise OperationalError(
            f"The file {FILE} must be a JSON object of texts. Got another form; set the settings again."
        )
    return values
