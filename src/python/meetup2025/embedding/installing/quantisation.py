"""
A picture half in 8-bit integers: a quarter of the size, faster, and a little off.

Activations have 8 bits without a sign, weights 7 bits with one. A processor with AVX2 or AVX-512 and no VNNI adds two
products at once and cuts the sum at 32,767 (VPMADDUBSW): 2 x 255 x 64 stays below that, 2 x 255 x 127 does not. Pairs
of other types do not overflow either, but have no fast instructions: docs/models.md has what was measured.
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
    """Write a graph whose products of matrices are of integers; activations are scaled anew for each picture."""
    quantization = runtime.library("quantization")
    with _silent():
        quantization.quantize_dynamic(
            graph, file, op_types_to_quantize=["MatMul", "Gemm"], per_channel=True, reduce_range=True,
            weight_type=quantization.QuantType.QInt8,
        )  # fmt: skip


def check(median: float, least: float) -> None:
    """
    Hold a quantised half to the original, by the cosines of its golden pictures.

    Raises:
        BrokenModelError: It is further away than it may be.
    """
    if not (median >= LEAST_MEDIAN and least >= LEAST):
        rule = f"A quantised half must be near the original (median cosine {LEAST_MEDIAN}, lowest {LEAST})"
        raise BrokenModelError(f"{rule}. Got {median:.4f} and {least:.4f}; install it without --int8.")


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
