"""Test items for a model: texts and pictures of every sort, made from seeds."""

from __future__ import annotations

import numpy as np
from PIL import Image

TEXTS = (
    "マアジ", "マサバ", "クロマグロ", "ボタンエビ", "ズワイガニ", "ヴェルサイユ", "ｻﾝﾏ",
    "まあじ", "さんまのひらき", "ぶり", "真鯵", "秋刀魚", "鮪", "烏賊", "真蛸の写真", "鱻龘", "赤い魚",
    "縦縞のある魚", "足が八本のタコ", "水の中を泳ぐ銀色の魚の写真",
    "Pacific saury", "scomber japonicus", "A PHOTO OF A FISH.", "Café naïve Straße",
    "マアジ Trachurus japonicus 30cm", "ＦＩＳＨ　１２３", "fish123と魚456", "「これは、魚です。」", "100%",
    "魚", "あ", "a", "7", "。", "!?", "🐟", "魚\n市場", "  鯛  ", "海 の  魚",
    "the quick brown fish jumps over the lazy dog " * 40, "とても長い説明" * 200, "x" * 1500,
)  # fmt: skip
"""Katakana (also of half width), hiragana, kanji, Latin, mixed, nearly empty and over-long."""

SIZES = (
    (640, 160), (500, 101), (384, 256), (333, 250), (224, 224), (300, 301), (256, 384), (90, 480), (161, 640),
    (64, 48), (31, 57), (13, 9), (5, 4), (640, 480), (400, 300),
)  # fmt: skip
"""Widths and heights of the golden pictures in colour: wide, tall, square, small."""

GREY = (320, 200)


def pictures() -> list[Image.Image]:
    """Make the golden pictures. The last is grey."""
    made = [natural(size, seed) for seed, size in enumerate(SIZES)]
    made[4] = _edges(SIZES[4])
    return [*made, natural(GREY, len(SIZES)).convert("L")]


def natural(size: tuple[int, int], seed: int) -> Image.Image:
    """Make a picture with the detail of photographs: the amplitude falls with the frequency."""
    width, height = size
    generator = np.random.default_rng(seed)
    down, across = np.fft.fftfreq(height)[:, None] * height, np.fft.rfftfreq(width)[None] * width
    fall = 1 / np.maximum(1.0, np.hypot(down, across)) ** 1.1
    noise = generator.standard_normal((3, *fall.shape)) + 1j * generator.standard_normal((3, *fall.shape))
    waves = np.fft.irfft2(noise * fall, s=(height, width))
    mixed = np.einsum("ij,jhw->hwi", np.eye(3) + generator.uniform(0.2, 0.8, (3, 3)), waves)
    scaled = mixed / (mixed.std() + 1e-9) * generator.uniform(35, 70) + generator.uniform(70, 180, 3)
    return Image.fromarray(np.clip(scaled, 0, 255).astype(np.uint8))


def _edges(size: tuple[int, int]) -> Image.Image:
    """Make sharp edges and pure colours."""
    width, height = size
    y, x = np.mgrid[:height, :width]
    board = np.stack([(x // 16 + y // 16) % 2, (x // 7) % 2, (y > height // 3)], axis=-1)
    return Image.fromarray((board * 255).astype(np.uint8))
