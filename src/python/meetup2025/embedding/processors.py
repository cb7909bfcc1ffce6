"""
The processors that a quantised picture half was checked on: not every processor multiplies 8-bit integers alike.

A file in the model folder remembers them. It is none of the model's files, so an installation elsewhere leaves it out.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import platform
from pathlib import Path

from meetup2025.embedding import runtime
from meetup2025.embedding.models import file_hash

FILE = "checked.json"
"""Name of the file: by processor, SHA-256 of the model.json, which has a hash of each file of the model."""

_CPUINFO = Path("/proc/cpuinfo")
_TOLD = ("model name", "flags", "Features", "CPU implementer", "CPU part")


@functools.cache
def identity() -> str:
    """Return the name of this processor, a hash of its features, and the version of ONNX Runtime."""
    told = _told() or {"model name": platform.processor() or platform.machine()}
    features = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:12]
    name = told.get("model name", platform.machine())
    return f"{name}, {features}, onnxruntime {runtime.library().__version__}"


def _told() -> dict[str, str]:
    """Return what Linux tells of the first processor; nothing on other systems."""
    try:
        lines = _CPUINFO.read_text("utf-8").split("\n\n")[0].splitlines()
    except OSError:
        return {}
    pairs = (line.partition(":")[::2] for line in lines)
    return {key.strip(): value.strip() for key, value in pairs if key.strip() in _TOLD}


def is_checked(folder: Path) -> bool:
    """Tell whether the quantised half of a model folder was checked on this processor."""
    return _read(folder).get(identity()) == file_hash(folder / "model.json")


def remember(folder: Path) -> None:
    """Remember that a half passed its check here. Where the folder cannot be written, each process checks anew."""
    beside = folder / f"{FILE}.{os.getpid()}"
    checked = {**_read(folder), identity(): file_hash(folder / "model.json")}
    with contextlib.suppress(OSError):
        try:
            beside.write_text(json.dumps(checked, indent=2), "utf-8")
            beside.replace(folder / FILE)
        finally:
            beside.unlink(missing_ok=True)


def _read(folder: Path) -> dict[str, str]:
    try:
        found = json.loads((folder / FILE).read_text("utf-8"))
    except (OSError, RecursionError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
