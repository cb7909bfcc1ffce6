"""
How near a model that is published in ONNX is to another form of it: to its files in float32, or to its original.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from meetup2025 import vectors
from meetup2025.embedding.installing import extra, heads, probes, quantisation
from meetup2025.embedding.installing.published import published
from meetup2025.embedding.texts import to_embed
from meetup2025.errors import BrokenModelError, NotSupportedError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL import Image

    from meetup2025.embedding.installing.published import Published

LEAST = {
    "float32": (0.9999, 0.999),
    "float16": (0.999, 0.99),
    "int8": (quantisation.LEAST_MEDIAN, quantisation.LEAST),
}
"""Precision -> median and lowest cosine below which a model is refused."""


class Peer(Protocol):
    """Another form of a model. Rows have any length."""

    def texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts."""

    def images(self, pictures: Sequence[Image.Image]) -> NDArray[np.float32]:
        """Embed pictures."""


@dataclass(frozen=True)
class Agreement:
    """Median and lowest cosine of pictures and of texts."""

    pictures: tuple[float, float]
    texts: tuple[float, float]


def checked(ours: Peer, theirs: Peer, precision: str, what: str) -> Agreement:
    """
    Compare a model with another form of it on this processor, by the golden texts and pictures.

    Args:
        ours: The model.
        theirs: The other form.
        precision: Precision of the model, one of `LEAST`.
        what: Name of the other form, for messages.

    Raises:
        BrokenModelError: They are too far apart.
    """
    pictures, texts = probes.pictures(), to_embed(probes.TEXTS)
    found = Agreement(
        _cosines(ours.images(pictures), theirs.images(pictures)), _cosines(ours.texts(texts), theirs.texts(texts))
    )
    wanted = LEAST[precision]
    for kind, (median, least) in (("Pictures", found.pictures), ("Texts", found.texts)):
        if not (median >= wanted[0] and least >= wanted[1]):
            rule = f"{kind} in {precision} must be near {what} (median cosine {wanted[0]}, lowest {wanted[1]})"
            raise BrokenModelError(f"{rule}. Got {median:.4f} and {least:.4f}; take another --precision.")
    return found


def _cosines(one: NDArray[np.float32], other: NDArray[np.float32]) -> tuple[float, float]:
    if one.shape != other.shape:
        rule = "Two forms of a model must give vectors of one length"
        raise BrokenModelError(f"{rule}. Got {one.shape[1]} and {other.shape[1]}; the original is another model.")
    found = (vectors.unit(one) * vectors.unit(other)).sum(axis=1)
    return float(np.median(found)), float(found.min())


class Originals:
    """
    The published models that the halves of a model in ONNX were made from, run by transformers (extra `[clip]`).

    Args:
        image: Repository or folder of the original of the picture half.
        text: That of the text half. Another one is of sentence-transformers.
        longest: Most tokens of a text.
        from_cache: Whether to use only the cache, and no network.

    Raises:
        MissingExtraError: The extra is missing.
        NotSupportedError: An original brings code of its own.
    """

    def __init__(self, image: str, text: str, longest: int, *, from_cache: bool) -> None:
        from meetup2025.embedding.installing.original import Original

        extra.check()
        self._pictures = Original(_without_code(image, from_cache=from_cache).folder)
        self._words: Any = self._pictures
        if text != image:
            self._words = _Sentences(_without_code(text, from_cache=from_cache).folder, longest)

    def images(self, pictures: Sequence[Image.Image]) -> NDArray[np.float32]:
        """Embed pictures one by one."""
        return self._pictures.images(pictures)

    def texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts one by one."""
        rows: NDArray[np.float32] = self._words.texts(texts)
        return rows


def _without_code(name: str, *, from_cache: bool) -> Published:
    found = published(name, from_cache=from_cache)
    if found.code:
        raise NotSupportedError(f"An original to compare with must run without code of its own. Got {name}.")
    return found


class _Sentences:
    """A text half of sentence-transformers: the vectors of the tokens, their pooling and the step Dense."""

    def __init__(self, folder: Path, longest: int) -> None:
        from transformers import AutoModel, AutoTokenizer

        self._model = AutoModel.from_pretrained(folder).eval()
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        self._head = heads.of_sentences(folder, ["last_hidden_state"], "the original")
        self._longest = longest

    def texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts one by one."""
        return np.vstack([self._row(text) for text in texts])

    def _row(self, text: str) -> NDArray[np.float32]:
        import torch

        tokens = self._tokenizer([text], truncation=True, max_length=self._longest, return_tensors="pt")
        with torch.no_grad(), extra.quiet():
            rows = self._model(**tokens).last_hidden_state[0].numpy()
        row = rows[0] if self._head.pooling == "first" else rows.mean(axis=0)
        return np.asarray(row if self._head.matrix is None else row @ self._head.matrix + self._head.bias, np.float32)
