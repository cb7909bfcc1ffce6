"""
A CLIP of the size of clip-japanese-base (ViT-B/16, BERT-base), with random weights, and the workshop's way to use it.

The workshop loads the published model in transformers, and embeds one picture after another, each decoded in full.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import workshop

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIMENSION, LETTERS = 512, 32_000


def is_possible() -> bool:
    """Check whether the extra [clip] is installed."""
    return all(importlib.util.find_spec(name) for name in ("torch", "transformers", "onnx"))


def publish(path: str) -> None:
    """Write the model as its authors would."""
    import torch
    from transformers import (
        BertConfig,
        BertTokenizerFast,
        CLIPImageProcessor,
        VisionTextDualEncoderConfig,
        VisionTextDualEncoderModel,
        ViTConfig,
    )

    folder = Path(path)
    folder.mkdir()
    torch.manual_seed(0)
    text = BertConfig(vocab_size=LETTERS, max_position_embeddings=77)
    config = VisionTextDualEncoderConfig.from_vision_text_configs(ViTConfig(), text, projection_dim=DIMENSION)
    VisionTextDualEncoderModel(config).save_pretrained(folder)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *map(chr, range(0x3040, 0x30FF)), *map(chr, range(33, 127))]
    words += [chr(0x4E00 + place) for place in range(LETTERS)]
    (folder / "vocab.txt").write_text("\n".join(words[:LETTERS]), "utf-8")
    BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=77).save_pretrained(folder)
    CLIPImageProcessor().save_pretrained(folder)


class Transformers:
    """The model in transformers."""

    def __init__(self, folder: Path) -> None:
        from transformers import AutoImageProcessor, AutoModel, AutoTokenizer, logging

        logging.set_verbosity_error()
        self.model = AutoModel.from_pretrained(folder).eval()
        self.processor = AutoImageProcessor.from_pretrained(folder)
        self.tokenizer = AutoTokenizer.from_pretrained(folder)

    def picture(self, path: Path) -> NDArray[Any]:
        """Embed a picture."""
        return self.pixels(self.processor(workshop.picture(path), return_tensors="pt")["pixel_values"])

    def pixels(self, pixels: Any) -> NDArray[Any]:
        """Embed prepared pictures."""
        import torch

        with torch.no_grad():
            return self.model.get_image_features(pixel_values=pixels).numpy()


def embed_from_cold(folder: str, path: str) -> None:
    """Embed a picture in a new process, and return its memory."""
    from benchmarks.measure import peak_memory

    Transformers(Path(folder)).picture(Path(path))
    print(peak_memory())


if __name__ == "__main__":
    embed_from_cold(*sys.argv[1:])
