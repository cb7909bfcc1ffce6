"""
A picture half in 8-bit integers: a quarter of the size, faster, and a little off.

Activations have 8 bits without a sign, weights 7 bits with a sign. A processor with AVX2 or AVX-512 and without VNNI
adds two products at once, and cuts the sum at 32,767 (VPMADDUBSW): 2 x 255 x 64 stays below, 2 x 255 x 127 does not.
Integers without a sign on both sides are never cut, but have no fast instructions (measured in docs/models.md).
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from meetup2025.embedding import runtime
from meetup2025.embedding.installing import extra
from meetup2025.errors import BrokenModelError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LEAST_MEDIAN, LEAST = 0.98, 0.95
"""Median and lowest cosine to the original below which a quantised half is refused."""


def quantise(graph: Path, file: Path) -> None:
    """Write a graph that multiplies matrices of integers. Each picture has a scale of its own for its activations."""
    quantization = runtime.library("quantization")
    with silent():
        quantization.quantize_dynamic(
            graph, file, op_types_to_quantize=["MatMul", "Gemm"], per_channel=True, reduce_range=True,
            weight_type=quantization.QuantType.QInt8,
        )  # fmt: skip


def check(median: float, least: float) -> None:
    """
    Check the cosines of a quantised half to the original.

    Raises:
        BrokenModelError: The median or the lowest cosine is too low.
    """
    if not (median >= LEAST_MEDIAN and least >= LEAST):
        rule = f"A quantised half must be near the original (median cosine {LEAST_MEDIAN}, lowest {LEAST})"
        raise BrokenModelError(f"{rule}. Got {median:.4f} and {least:.4f}; install it without --int8.")


@contextmanager
def silent() -> Iterator[None]:
    """Silence the advice that the library logs."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with extra.quiet():
            yield
    finally:
        logging.disable(before)
