"""
A picture half in 8-bit integers: a quarter of the size, twice as fast, and a little off.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from meetup2025.embedding.installing import extra, probes
from meetup2025.embedding.onnx import pixels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from meetup2025.embedding.models import ImageInfo

LEAST_MEDIAN = 0.98
"""Median cosine to the original below which a quantised half is refused."""

_CALIBRATION = 32
_MATRICES = ["MatMul", "Gemm"]


def ways() -> dict[str, Callable[[Path, Path, ImageInfo], None]]:
    """Give the ways to quantise; each takes the graph, the file to write, and how pictures are prepared."""
    return {"static": _static, "dynamic": _dynamic}


def _dynamic(graph: Path, file: Path, info: ImageInfo) -> None:  # noqa: ARG001 - as the other
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with _silent():
        quantize_dynamic(graph, file, op_types_to_quantize=_MATRICES, per_channel=True, weight_type=QuantType.QInt8)


def _static(graph: Path, file: Path, info: ImageInfo) -> None:
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    with _silent():
        quantize_static(
            graph, file, _reader(info), quant_format=QuantFormat.QDQ, op_types_to_quantize=_MATRICES, per_channel=True,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
            extra_options={"ActivationSymmetric": False, "MatMulConstBOnly": True},
        )  # fmt: skip


@contextmanager
def _silent() -> Iterator[None]:
    """Leave out advice that is given by logging."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with extra.quiet():
            yield
    finally:
        logging.disable(before)


def _reader(info: ImageInfo) -> Any:
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        """Pictures that are none of the golden ones."""

        def __init__(self) -> None:
            self._rest = iter(range(_CALIBRATION))

        def get_next(self) -> dict[str, NDArray[np.float32]] | None:
            seed = next(self._rest, None)
            return None if seed is None else {"pixels": pixels([probes.natural((288, 216), 1000 + seed)], info)}

    return Reader()
