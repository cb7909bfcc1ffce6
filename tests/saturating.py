"""Products of integers as a processor with AVX2 and without VNNI adds them, on any machine: a graph run by numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

from meetup2025 import vectors

if TYPE_CHECKING:
    from pathlib import Path

LEAST, MOST = -(1 << 15), (1 << 15) - 1


def product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """
    Multiply matrices as VPMADDUBSW and VPMADDWD do.

    Args:
        left: Numbers from 0 to 255, of shape (..., n, k).
        right: Numbers from -128 to 127, of shape (k, m).

    Returns:
        The product, whose sums of two neighbours along k are cut to 16 bits before they are added.
    """
    odd = left.shape[-1] % 2
    left = np.pad(left.astype(np.int32), [(0, 0)] * (left.ndim - 1) + [(0, odd)])
    right = np.pad(right.astype(np.int32), [(0, odd), (0, 0)])
    pairs = zip(range(0, len(right), 2), range(1, len(right), 2), strict=True)
    sums = [left[..., [i]] * right[i] + left[..., [j]] * right[j] for i, j in pairs]
    return np.sum([np.clip(each, LEAST, MOST) for each in sums], axis=0)


class MatMulInteger(OpRun):
    """The operator of ONNX. Numbers without a sign on both sides have instructions that cut nothing."""

    op_domain = ""

    def _run(self, a, b, a_zero_point=None, b_zero_point=None):
        first = np.int32(0) if a_zero_point is None else a_zero_point.astype(np.int32)
        second = np.int32(0) if b_zero_point is None else b_zero_point.astype(np.int32)
        assert a.dtype == np.uint8
        whole = product(a, b) if b.dtype == np.int8 else a.astype(np.int32) @ b.astype(np.int32)
        rows, columns = a.sum(axis=-1, dtype=np.int32, keepdims=True), b.sum(axis=0, dtype=np.int32)
        return (whole - first * columns - second * rows + a.shape[-1] * first * second,)


def embed(graph: Path, pixels: np.ndarray) -> np.ndarray:
    """Run a quantised picture tower. Rows have unit length."""
    model = onnx.load(graph)
    assert "MatMulInteger" in {node.op_type for node in model.graph.node}
    (rows,) = ReferenceEvaluator(model, new_ops=[MatMulInteger]).run(["vectors"], {"pixels": pixels})
    return vectors.unit(rows)
