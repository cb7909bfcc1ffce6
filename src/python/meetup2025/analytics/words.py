"""The words that tell groups of texts apart, by c-TF-IDF: frequent in a group, and rare in the others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

_WORD = re.compile(r"[々〇一-鿿]{2,}|[ァ-ヴー]{2,}|[^\W\d_ぁ-ゖァ-ヴー々〇一-鿿]{2,}")
"""Words of two characters or more. Japanese has no blanks: a run of kanji or of katakana is a word."""


def telling_words(texts: Sequence[str], groups: Sequence[int], k: int = 5) -> dict[int, list[str]]:
    """
    Find the most telling words of each group.

    Args:
        texts: Texts of the items, shape (n,).
        groups: Group of each text, shape (n,).
        k: Most words of a group, from 1.

    Returns:
        The words of each group that has some, the most telling first, in lower case. Equal scores come by alphabet.

    References:
        M. Grootendorst, BERTopic: neural topic modeling with a class-based TF-IDF procedure, 2022, arXiv 2203.05794.
    """
    from sklearn.feature_extraction.text import CountVectorizer

    tokens: dict[int, list[str]] = {number: [] for number in sorted({*groups})}
    for text, number in zip(texts, groups, strict=True):
        tokens[number] += words_of(text)
    if not any(tokens.values()):
        return {}
    counter = CountVectorizer(analyzer=list)
    counts = counter.fit_transform(tokens.values()).toarray().astype(np.float64)
    words = counter.get_feature_names_out()
    lengths = counts.sum(axis=1, keepdims=True)
    scores = counts / np.maximum(lengths, 1) * np.log1p(lengths.mean() / counts.sum(axis=0))
    best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    found = {
        number: [str(words[place]) for place in row if score[place] > 0]
        for number, row, score in zip(tokens, best, scores, strict=True)
    }
    return {number: chosen for number, chosen in found.items() if chosen}


def words_of(text: str) -> list[str]:
    """Return the words of a text, in lower case. Hiragana, numbers and single characters are none."""
    return [word.lower() for word in _WORD.findall(text)]
