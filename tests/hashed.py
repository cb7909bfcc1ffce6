"""
A model without sense but with the behaviour of one: equal inputs have equal vectors, different inputs have others.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from PIL import Image


class HashedEncoder:
    """
    An `Encoder` that draws a vector from the hash of its input.

    Args:
        model: Id and revision. The vectors of two models differ.
        fails_at: The item that it cannot embed, counted from 1. None embeds all.
    """

    dimension = 512
    picture_size = 16
    languages: tuple[str, ...] = ()

    def __init__(self, model: str = "hashed@1", fails_at: int | None = None) -> None:
        self.model = model
        self.fails_at = fails_at
        self.made: list[str | bytes] = []

    def texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts."""
        return np.stack([self._vector(text, text.encode()) for text in texts])

    def images(self, pictures: Sequence[Image.Image]) -> NDArray[np.float32]:
        """Embed pictures."""
        return np.stack([self._vector(picture.tobytes(), picture.tobytes()) for picture in pictures])

    def _vector(self, item: str | bytes, data: bytes) -> NDArray[np.float32]:
        self.made.append(item)
        if len(self.made) == self.fails_at:
            raise RuntimeError("out of memory")
        seed = hashlib.sha256(self.model.encode() + data).digest()
        vector = np.random.default_rng(list(seed)).standard_normal(self.dimension)
        return (vector / np.linalg.norm(vector)).astype(np.float32)
