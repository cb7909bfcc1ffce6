"""
The settings of a process, all from its environment; each is read when it is needed.

- `MEETUP2025_URL`: database of the command line. Default: a file in the user's data folder.
- `MEETUP2025_MODEL`: model that makes the vectors. Default: `sketch`.
- `MEETUP2025_RUNTIME`: what runs it, `onnx`, `int8` (pictures quantised) or `torch` (the original). Default: `onnx`.
- `MEETUP2025_MODELS`: folder of the installed models. Default: `models` in the data folder.
- `MEETUP2025_PHOTOS`: folders that SQL may read files from, separated as in `PATH`. Default: none.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from meetup2025.errors import InterfaceError

RUNTIMES = ("onnx", "int8", "torch")


def data_folder() -> Path:
    """Give the user's folder for data of this program: as each system has it, not created."""
    if sys.platform == "win32":
        root = os.environ.get("LOCALAPPDATA", "~/AppData/Local")
    elif sys.platform == "darwin":
        root = "~/Library/Application Support"
    else:
        root = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(root).expanduser() / "meetup2025"


def url() -> str:
    """Give the URL of the database that the command line uses."""
    return os.environ.get("MEETUP2025_URL") or f"duckdb:///{data_folder() / 'meetup2025.duckdb'}"


def model() -> str:
    """Give the id of the model that makes the vectors."""
    return os.environ.get("MEETUP2025_MODEL") or "sketch"


def runtime() -> str:
    """
    Give what runs the model: `onnx`, `int8` or `torch`.

    Raises:
        InterfaceError: The setting is another word.
    """
    wanted = os.environ.get("MEETUP2025_RUNTIME") or "onnx"
    if wanted not in RUNTIMES:
        raise InterfaceError(f"MEETUP2025_RUNTIME must be {', '.join(RUNTIMES)}. Got {wanted!r}.")
    return wanted


def models_folder() -> Path:
    """Give the folder of the installed models."""
    return Path(os.environ.get("MEETUP2025_MODELS") or data_folder() / "models").expanduser()


def photo_folders() -> list[Path]:
    """Give the folders that SQL may read files from."""
    folders = os.environ.get("MEETUP2025_PHOTOS", "").split(os.pathsep)
    return [Path(folder).expanduser() for folder in folders if folder.strip()]
