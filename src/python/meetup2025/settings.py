"""
The settings of a process, from its environment or from a file. A setting is read when needed.

The environment comes first. Then comes `settings.json` in the folder of the package: an administrator of an IRIS server
changes it by `do ##class(MeetUp2025.Setup).Set("Photos", "/data/photos")`. The last is `settings.json` in the user's
data folder, which `meetup2025 model use` writes.

- `MEETUP2025_URL`: database of the command line. Default: a file in the user's data folder.
- `MEETUP2025_MODEL`: model that makes the vectors. Default: `sketch`.
- `MEETUP2025_RUNTIME`: library that runs the model, `onnx`, `int8` (pictures quantised) or `torch` (the original).
  Default: `int8` for a model that was installed with it, otherwise `onnx`.
- `MEETUP2025_MODELS`: folders of the installed models, separated as in `PATH`. Models are installed into the first.
  Default: `models` in the data folder.
- `MEETUP2025_ENCODER`: server that makes the vectors, as `unix:/path` or `http://127.0.0.1:8025`. Default: none, this
  process makes them.
- `MEETUP2025_ENCODER_TOKEN`: token for this server. Default: none.
- `MEETUP2025_WORKER`: 1 lets the resident process of an IRIS instance make the vectors. Default: 0, this process does.
- `MEETUP2025_LANG`: language of the messages, `ja` or `en`. Default: the language of the locale.
- `MEETUP2025_PHOTOS`: folders that SQL may read files from, separated as in `PATH`. Default: none.
- `MEETUP2025_SEARCH_MEMORY`: megabytes that the embedded engine may take for vectors in memory. With 0 every search
  scans its table. Default: a quarter of the memory of the machine.
- `MEETUP2025_DEADLINE`: seconds that the statements of one answer of the web pages may take. 0 is no deadline.
  Default: 60.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import sys
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

from meetup2025.errors import DataError, InterfaceError, OperationalError, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CHOSEN = "meetup2025 model use"
"""What has chosen the model that the user's own file names."""

FILE = Path(__file__).with_name("settings.json")
"""File with the settings of an installation."""

NAMES = {name: f"MEETUP2025_{name}" for name in ("DEADLINE", "MODEL", "MODELS", "PHOTOS", "RUNTIME", "WORKER")}
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
    return expanded(root) / "meetup2025"


def expanded(path: str) -> Path:
    """
    Return a path with `~` as the folder of the user.

    Raises:
        OperationalError: The system does not know this folder.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise OperationalError(f"HOME must be the folder of the user. Got none, for {shown(path)}; set it.") from error


def make_private(folder: Path) -> None:
    """
    Make a folder that its user alone may read. The data folder becomes one, and another folder stays as it is.

    Raises:
        OSError: The folder cannot be made.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if is_data_folder(folder):
        folder.chmod(0o700)


def is_data_folder(folder: Path) -> bool:
    """Check for the data folder. Without a folder of the user there is none."""
    try:
        return folder == data_folder()
    except OperationalError:
        return False


def install_command(extra: str) -> str:
    """Return the command that adds an extra to this installation, by the program that has made it."""
    checkout, folder = FILE.parents[3], Path(sys.prefix)
    is_checkout = (checkout / "pyproject.toml").is_file()
    what = f"-e '{checkout}[{extra}]'" if is_checkout else f"'meetup2025[{extra}]{_origin()}'"
    if (folder / "uv-receipt.toml").is_file():
        return f"uv tool install {what}"
    if (folder / "pipx_metadata.json").is_file():
        return f"pipx install --force {what}"
    # In IRIS the program is IRIS itself.
    python = sys.executable if "python" in Path(sys.executable).name else "python3"
    if importlib.util.find_spec("pip") is None:
        return f"uv pip install --python {python} {what}"
    return f"{python} -m pip install {what}"


def _origin() -> str:
    """Return where the package was installed from, as pip writes it behind a name. Empty for a package index."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        text = distribution("meetup2025").read_text("direct_url.json")
    except PackageNotFoundError:
        return ""
    found = json.loads(text or "{}")
    version_control = found.get("vcs_info", {}).get("vcs", "")
    return f" @ {version_control}{'+' if version_control else ''}{found['url']}" if "url" in found else ""


def url() -> str:
    """Return the URL of the database that the command line uses."""
    return os.environ.get("MEETUP2025_URL") or f"duckdb:///{data_folder() / 'meetup2025.duckdb'}"


def model() -> str:
    """Return the id of the model that makes the vectors."""
    return _model()[0]


def model_origin() -> str:
    """Return what has chosen the model: a word for people."""
    return _model()[1]


def _model() -> tuple[str, str]:
    name = NAMES["MODEL"]
    found = (
        (_MODEL.get(), "the option --model"),
        (os.environ.get(name), name),
        (_read(FILE).get(name), str(FILE)),
        (_chosen().get(name), CHOSEN),
    )
    return next(((value, origin) for value, origin in found if value), ("sketch", "no other is chosen"))


def runtime() -> str:
    """
    Return the library that runs the model: `onnx`, `int8` or `torch`. Empty lets the model decide.

    Raises:
        InterfaceError: The setting is another word.
    """
    wanted = _value("MEETUP2025_RUNTIME")
    if wanted and wanted not in RUNTIMES:
        raise InterfaceError(f"MEETUP2025_RUNTIME must be {', '.join(RUNTIMES)}. Got {wanted!r}.")
    return wanted


def models_folders() -> list[Path]:
    """Return the folders of the installed models, the first first. Without a folder of the user there may be none."""
    folders = _folders("MEETUP2025_MODELS")
    with contextlib.suppress(OperationalError):
        folders = folders or [data_folder() / "models"]
    return folders


def models_folder() -> Path:
    """
    Return the folder into which models are installed.

    Raises:
        OperationalError: As `expanded`.
    """
    return next(iter(models_folders()), None) or data_folder() / "models"


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


def search_memory() -> int:
    """
    Return the bytes that the embedded engine may take for vectors in memory.

    Raises:
        InterfaceError: The setting is no whole number from 0.
    """
    value = _value("MEETUP2025_SEARCH_MEMORY").strip()
    if not value:
        return _machine_memory() // 4
    if not value.isdecimal():
        raise InterfaceError(f"MEETUP2025_SEARCH_MEMORY must be a whole number of megabytes. Got {value!r}.")
    return int(value) * 10**6


def deadline() -> float:
    """
    Return the seconds that the statements of one answer of the web pages may take. 0 is no deadline.

    Raises:
        InterfaceError: The setting is no whole number from 0.
    """
    value = _value("MEETUP2025_DEADLINE").strip() or "60"
    if not value.isdecimal():
        raise InterfaceError(f"MEETUP2025_DEADLINE must be a whole number of seconds. Got {value!r}.")
    return int(value)


def _machine_memory() -> int:
    """Return the bytes of memory of the machine, or of 4 GB where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 4 * 10**9


def photo_folders() -> list[Path]:
    """Return the folders that SQL may read files from."""
    return [*map(Path, _FOLDERS.get()), *_folders("MEETUP2025_PHOTOS")]


def save(name: str, value: str) -> None:
    """
    Write a setting to the file of the installation.

    Args:
        name: `Deadline`, `Model`, `Models`, `Photos`, `Runtime` or `Worker`, in any case.
        value: New value. An empty value removes the setting.

    Raises:
        DataError: There is no such setting.
        OperationalError: The file cannot be written. It stays as it was.
    """
    if name.upper() not in NAMES:
        raise DataError(f"A setting must be one of {', '.join(map(str.title, NAMES))}. Got {shown(name)}.")
    _write(FILE.resolve(), name, value)  # an administrator may keep it elsewhere, behind a link


def choose_model(name: str) -> Path:
    """
    Write the model that the user chooses, and return the file.

    Raises:
        OperationalError: The file cannot be written. It stays as it was.
    """
    file = _users_file()
    try:
        make_private(file.parent)
    except OSError as error:
        raise OperationalError(f"The folder {file.parent} must be writable. Got: {error.strerror}.") from error
    _write(file, "MODEL", name)
    return file


def _users_file() -> Path:
    return data_folder() / "settings.json"


def _write(file: Path, name: str, value: str) -> None:
    values = {**_read(file), NAMES[name.upper()]: value}
    beside = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        beside.write_text(json.dumps({key: each for key, each in values.items() if each}, indent=2), "utf-8")
        beside.replace(file)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise OperationalError(f"The file {file} must be writable. Got: {error.strerror}.") from error


def _folders(name: str) -> list[Path]:
    return [expanded(folder) for folder in _value(name).split(os.pathsep) if folder.strip()]


def _value(name: str) -> str:
    return os.environ.get(name) or _read(FILE).get(name) or _chosen().get(name, "")


def _chosen() -> dict[str, str]:
    """Return the settings of the user. Without a folder of the user there are none."""
    try:
        file = _users_file()
    except OperationalError:
        return {}
    return _read(file)


def _read(file: Path) -> dict[str, str]:
    try:
        values = json.loads(file.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        raise OperationalError(f"The file {file} must be a JSON object in UTF-8. Got: {error}.") from error
    if not isinstance(values, dict) or not all(isinstance(each, str) for each in values.values()):
        raise OperationalError(
            f"The file {file} must be a JSON object of texts. Got another form; set the settings again."
        )
    return values
