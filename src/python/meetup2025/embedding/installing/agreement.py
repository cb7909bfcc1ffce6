"""How near two forms of one model are: the cosines of their vectors for the golden texts and pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from meetup2025.embedding.installing import probes
from meetup2025.embedding.installing.quantisation import LEAST, LEAST_MEDIAN
from meetup2025.embedding.onnx import OnnxEncoder
from meetup2025.embedding.texts import to_embed
from meetup2025.errors import BrokenModelError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from meetup2025.embedding import Encoder


@dataclass(frozen=True)
class Agreement:
    """Median and lowest cosine of pictures and of texts."""

    pictures: tuple[float, float]
    texts: tuple[float, float]


def between(folder: Path, other: Path) -> Agreement:
    """
    Compare a model folder with a folder of the same model in float32, on this processor.

    Raises:
        BrokenModelError: They are too far apart.
    """
    return checked(OnnxEncoder(folder, strict=False), OnnxEncoder(other, strict=False))


def checked(ours: Encoder, theirs: Encoder) -> Agreement:
    """Compare two forms of a model, as `between` does."""
    pictures, texts = probes.pictures(), to_embed(probes.TEXTS)
    found = Agreement(
        _cosines(ours.images(pictures), theirs.images(pictures)), _cosines(ours.texts(texts), theirs.texts(texts))
    )
    for what, (median, least) in (("pictures", found.pictures), ("texts", found.texts)):
        if not (median >= LEAST_MEDIAN and least >= LEAST):
            rule = f"{what.title()} must be near those of the full model (median cosine {LEAST_MEDIAN}, lowest {LEAST})"
            raise BrokenModelError(f"{rule}. Got {median:.4f} and {least:.4f}; take another --precision.")
    return found


def _cosines(one: NDArray[np.float32], other: NDArray[np.float32]) -> tuple[float, float]:
    found = (one * other).sum(axis=1)
    return float(np.median(found)), float(found.min())
