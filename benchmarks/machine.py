"""The machine of the measurements."""

from __future__ import annotations

import os
import platform
import re
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = (
    "meetup2025",
    "duckdb",
    "onnxruntime",
    "numpy",
    "pillow",
    "scikit-learn",
    "sqlglot",
    "torch",
    "transformers",
)


def machine() -> dict[str, str | int | float]:
    """Describe this machine: processor, memory, system, and the versions that matter. Its names are left out."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{name: found for name in _PACKAGES if (found := _version(name))},
        "model": _model(),
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
    }


def load() -> float:
    """Return the number of processes that wanted the processor in the last minute, on average."""
    return round(os.getloadavg()[0], 1)


def _processor() -> str:
    try:
        found = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text("utf-8"))
    except OSError:
        found = None
    return found[1] if found else platform.processor() or "unknown"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _model() -> str:
    from meetup2025.embedding import encoder

    return encoder().model
