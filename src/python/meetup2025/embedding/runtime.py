"""
ONNX Runtime, made silent: it reports its use to its maker unless a variable is set before its import.

No other module imports it.
"""

from __future__ import annotations

import importlib
import os
from typing import Any

SWITCH = "ORT_DISABLE_TELEMETRY"
"""Variable that ONNX Runtime reads at its import. With 1 it opens no socket and writes no file of its own."""


def library(part: str = "") -> Any:
    """
    Return ONNX Runtime, or a module of it.

    Args:
        part: Name of the module, for example `quantization`.
    """
    os.environ[SWITCH] = "1"
    import onnxruntime

    onnxruntime.disable_telemetry_events()  # other code of this process may have imported it before
    return importlib.import_module(f"onnxruntime.{part}") if part else onnxruntime
