"""
The processors that a quantised picture tower was checked on, since processors multiply 8-bit integers differently.

A file in the model folder lists them. It is not a file of the model: an installation elsewhere does not copy it.
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
"""Name of the file. It has the SHA-256 of `model.json` for each processor."""

_CPUINFO = Path("/proc/cpuinfo")
_KEYS = ("model name", "flags", "Features", "CPU implementer", "CPU part")


@functools.cache
def identity() -> str:
    """Return the name of this processor, a hash of its features, and the version of ONNX Runtime."""
    described = _described() or {"model name": platform.processor() or platform.machine()}
    features = hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()[:12]
    name = described.get("model name", platform.machine())
    return f"{name}, {features}, onnxruntime {runtime.library().__version__}"


def _described() -> dict[str, str]:
    """Return the description of the first processor on Linux, or nothing on other systems."""
    try:
        lines = _CPUINFO.read_text("utf-8").split("\n\n")[0].splitlines()
    except OSError:
        return {}
    pairs = (line.partition(":")[::2] for line in lines)
    return {key.strip(): value.strip() for key, value in pairs if key.strip() in _KEYS}


def is_checked(folder: Path, half: str = "") -> bool:
    """Return whether the quantised tower, or a half of a model in int8, was checked on this processor."""
    return _read(folder).get(_key(half)) == file_hash(folder / "model.json")


def remember(folder: Path, half: str = "") -> None:
    """Write down that it passed its check here. If the folder is not writable, each process checks anew."""
    beside = folder / f"{FILE}.{os.getpid()}"
    checked = {**_read(folder), _key(half): file_hash(folder / "model.json")}
    with contextlib.suppress(OSError):
        try:
            beside.write_text(json.dumps(checked, indent=2), "utf-8")
            beside.replace(folder / FILE)
        finally:
            beside.unlink(missing_ok=True)


def _key(half: str) -> str:
    return f"{identity()}, {half}" if half else identity()


def is_arm() -> bool:
    """Return whether this processor is an ARM of 64 bits."""
    return platform.machine().lower() in {"arm64", "aarch64"}


def sums_without_cut() -> bool:
    """
    Return whether this processor adds products of 8-bit integers without cutting their sums at 16 bits.

    ARM and processors with VNNI do. Where the system does not say, the answer is no.
    """
    if is_arm():
        return True
    flags = _described().get("flags", "").split()
    return any(flag in flags for flag in ("avx512_vnni", "avx_vnni"))


def _read(folder: Path) -> dict[str, str]:
    try:
        found = json.loads((folder / FILE).read_text("utf-8"))
    except (OSError, RecursionError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
