"""
ONNX Runtime, which nothing else here imports: it reports its use to its maker, unless it is told not to beforehand.
"""

from __future__ import annotations

import importlib
import os
from typing import Any

SWITCH = "ORT_DISABLE_TELEMETRY"
"""Variable that ONNX Runtime reads once, when it is loaded: with 1 it opens no socket and writes no file of its own."""


def library(part: str = "") -> Any:
    """
    Return ONNX Runtime, silent.

    Args:
        part: A module inside, as in `quantization`.
    """
    os.environ[SWITCH] = "1"
    import onnxruntime

    onnxruntime.disable_telemetry_events()  # for a process whose other code loaded it before
    return importlib.import_module(f"onnxruntime.{part}") if part else onnxruntime
