"""
Whether a model folder answers as the original: its golden items, and how near it comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from meetup2025 import vectors
from meetup2025.embedding.installing import probes
from meetup2025.embedding.onnx import LEAST_COSINE, OnnxEncoder
from meetup2025.errors import BrokenModelError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

FILE = "golden.npz"

_ALIKE = 1 - 1e-6


@dataclass(frozen=True)
class Agreement:
    """Cosines of golden items to the vectors of the original."""

    texts: NDArray[np.float64]
    images: NDArray[np.float64]

    @property
    def least(self) -> float:
        """The lowest of all."""
        return float(min(self.texts.min(), self.images.min()))


def write_golden(original: Any, folder: Path) -> int:
    """
    Write what the original answers.

    Returns:
        The dimension.

    Raises:
        BrokenModelError: Its vectors are not finite, of two lengths, or all alike.
    """
    shown = probes.pictures()
    texts, images = original.texts(probes.TEXTS), original.images(shown)
    for what, rows in (("texts", texts), ("pictures", images)):
        _check_rows(what, rows)
    if texts.shape[1] != images.shape[1]:
        got = f"{texts.shape[1]} and {images.shape[1]} numbers"
        raise BrokenModelError(f"Vectors of texts and pictures must have one length. Got {got}.")
    arrays: dict[str, NDArray[Any]] = {f"image_{place:02}": np.asarray(picture) for place, picture in enumerate(shown)}
    arrays |= {"texts": np.array(probes.TEXTS), "text_vectors": texts, "image_vectors": images}
    np.savez_compressed(folder / FILE, **arrays)  # type: ignore[arg-type]
    return int(texts.shape[1])


def _check_rows(what: str, rows: NDArray[np.float32]) -> None:
    if not np.isfinite(rows).all() or not rows.any(axis=1).all():
        raise BrokenModelError(f"The original must give finite vectors. Got others for {what}; download it again.")
    unit = vectors.unit(rows)
    if (unit @ unit[0]).min() > _ALIKE:
        raise BrokenModelError(f"The original must tell {what} apart. Got one vector for all; download it again.")


def measured(folder: Path, *, int8: bool = False) -> Agreement:
    """Compare every golden item, one by one and in a batch; the lower cosine counts."""
    encoder = OnnxEncoder(folder, int8=int8, strict=False)
    alone = np.array([cosine for _, cosine, _ in encoder.verify()])
    with np.load(folder / FILE, allow_pickle=False) as arrays:
        shown = [_picture(arrays[f"image_{place:02}"]) for place in range(len(arrays["image_vectors"]))]
        texts = _cosines(encoder.texts(arrays["texts"].tolist()), arrays["text_vectors"])
        images = _cosines(encoder.images(shown), arrays["image_vectors"])
    return Agreement(np.minimum(texts, alone[: len(texts)]), np.minimum(images, alone[len(texts) :]))


def check(found: Agreement) -> None:
    """
    Hold the whole model to the original.

    Raises:
        BrokenModelError: An item is further away than another processor could explain.
    """
    for what, cosines in (("text", found.texts), ("picture", found.images)):
        place = int(np.argmin(cosines))
        if not cosines[place] >= LEAST_COSINE:
            name = repr(probes.TEXTS[place][:40]) if what == "text" else str(place)
            got = f"{cosines[place]:.6f} for {what} {name}"
            raise BrokenModelError(
                f"The exported model must answer as the original (cosine {LEAST_COSINE}). Got {got}; it is refused."
            )


def _cosines(rows: NDArray[np.float32], published: NDArray[Any]) -> NDArray[np.float64]:
    cosines: NDArray[np.float64] = (rows.astype(np.float64) * vectors.unit(published)).sum(axis=1)
    return cosines


def _picture(array: NDArray[np.uint8]) -> Any:
    from PIL import Image

    return Image.fromarray(array)
