"""
The golden items of a model folder: texts and pictures with the vectors of the original, and their check.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from meetup2025 import vectors
from meetup2025.embedding.installing import probes
from meetup2025.embedding.onnx import OnnxEncoder
from meetup2025.embedding.texts import to_embed
from meetup2025.errors import BrokenModelError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

FILE = "golden.npz"

_ALIKE = 1 - 1e-6


def write_golden(original: Any, folder: Path, *, spelled: bool = False) -> int:
    """
    Write the golden items with the vectors of the original.

    Args:
        original: Makes the vectors.
        folder: The model folder.
        spelled: Whether the texts have the one spelling that an `Encoder` gives them anyway.

    Returns:
        Dimension of the vectors.

    Raises:
        BrokenModelError: The vectors are not finite, have two lengths, or are all alike.
    """
    shown = probes.pictures()
    wanted = to_embed(probes.TEXTS) if spelled else list(probes.TEXTS)
    texts, images = original.texts(wanted), original.images(shown)
    for what, rows in (("texts", texts), ("pictures", images)):
        _check_rows(what, rows)
    if texts.shape[1] != images.shape[1]:
        got = f"{texts.shape[1]} and {images.shape[1]} numbers"
        raise BrokenModelError(f"Vectors of texts and pictures must have one length. Got {got}.")
    arrays: dict[str, NDArray[Any]] = {f"image_{place:02}": np.asarray(picture) for place, picture in enumerate(shown)}
    arrays |= {"texts": np.array(wanted), "text_vectors": texts, "image_vectors": images}
    np.savez_compressed(folder / FILE, **arrays)  # type: ignore[arg-type]
    return int(texts.shape[1])


def _check_rows(what: str, rows: NDArray[np.float32]) -> None:
    if not np.isfinite(rows).all() or not rows.any(axis=1).all():
        raise BrokenModelError(f"The original must give finite vectors. Got others for {what}; download it again.")
    unit = vectors.unit(rows)
    if (unit @ unit[0]).min() > _ALIKE:
        raise BrokenModelError(f"The original must tell {what} apart. Got one vector for all; download it again.")


def check(folder: Path) -> float:
    """
    Check all golden items of a model folder.

    Returns:
        The lowest cosine.

    Raises:
        BrokenModelError: An item is further away than another processor could explain.
    """
    found = OnnxEncoder(folder, strict=False).verify()
    label, cosine, least = min(found, key=lambda item: item[1] - item[2])
    if not cosine >= least:
        raise BrokenModelError(
            f"A model folder must give the vectors of its golden.npz (cosine {least}). Got {cosine:.6f} for {label}; "
            "the folder is refused."
        )
    return min(cosine for _, cosine, _ in found)


def of_quantised(folder: Path) -> list[float]:
    """Return the cosines of the golden pictures through the quantised half."""
    return [cosine for _, cosine, _ in OnnxEncoder(folder, int8=True, strict=False).verify(texts=False)]


def fault_of_quantised(folder: Path) -> str:
    """Return why this processor cannot run the quantised half, or an empty text if it can."""
    try:
        OnnxEncoder(folder, int8=True).check()
    except BrokenModelError as exc:
        return str(exc)
    return ""
