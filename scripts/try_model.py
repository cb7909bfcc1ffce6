"""
Try an installed model with new items: `python scripts/try_model.py NAME`.

It prints the lowest cosine to the original of an exported model in transformers (extra [clip]), over the names of the
catalogue and the bundled samples. It also prints the number of plain colours that the model names correctly. A model
that makes noise names none.
"""

from __future__ import annotations

import csv
import sys
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from meetup2025 import files, images
from meetup2025.embedding.installing.encoder import OriginalEncoder
from meetup2025.embedding.models import find
from meetup2025.embedding.onnx import OnnxEncoder

if TYPE_CHECKING:
    from meetup2025.embedding import Encoder

COLOURS = ((220, 20, 30), (20, 60, 220), (30, 160, 40), (250, 220, 20))
NAMES = {
    "ja": ("赤い色", "青い色", "緑色", "黄色"),
    "en": ("the colour red", "the colour blue", "the colour green", "the colour yellow"),
    "zh": ("红色", "蓝色", "绿色", "黄色"),
}


def agreement(ours: Encoder, original: Encoder) -> float:
    """
    Compare a model with its original.

    Returns:
        The lowest cosine.
    """
    with (files.PACKAGE / "catalogue" / "fish.csv").open(encoding="utf-8") as file:
        names = [row["Name"] + row["English"] for row in csv.DictReader(file)]
    samples = [path for path in sorted((files.PACKAGE / "samples").iterdir()) if path.suffix != ".csv"]
    pictures = [images.open_picture(path.read_bytes(), longest=2 * ours.picture_size) for path in samples]
    pairs = ((ours.texts(names), original.texts(names)), (ours.images(pictures), original.images(pictures)))
    return min(float((one * other).sum(axis=1).min()) for one, other in pairs)


def colours(model: Encoder, language: str) -> int:
    """
    Name plain pictures.

    Returns:
        Number of pictures that the model names correctly.
    """
    pictures = [Image.new("RGB", (224, 224), colour) for colour in COLOURS]
    nearest = (model.images(pictures) @ model.texts(NAMES[language]).T).argmax(axis=1)
    return int((nearest == np.arange(len(COLOURS))).sum())


def main(name: str) -> None:
    """Print the results."""
    folder = find(name)
    ours = OnnxEncoder(folder)
    if ours.info.original:
        print(f"agreement {agreement(ours, OriginalEncoder(folder)):.6f}")
    print("colours " + ", ".join(f"{language} {colours(ours, language)} of {len(COLOURS)}" for language in NAMES))


if __name__ == "__main__":
    main(sys.argv[1])
