"""
Models as their authors publish them: configuration, weights, tokenizer and processor of each family, but tiny, and
with random weights.
"""

from __future__ import annotations

import io
import json
import textwrap
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DIMENSION = 512

_LAYERS = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
_VISION = {**_LAYERS, "image_size": 32, "patch_size": 8}

_TEXTS = [
    "マアジとマサバの写真", "まあじ さんま ぶり", "真鯵 秋刀魚 鮪 烏賊 真蛸",
    "赤い魚と青い海", "縦縞のある魚が水の中を泳ぐ",
    "pacific saury and other fish", "the quick brown fox", "a photo of a fish", "とても長い説明 100% です。",
    "水の中を泳ぐ銀色の魚の写真", "足が八本のタコ", "ボタンエビ ズワイガニ クロマグロ",
]  # fmt: skip


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch, and the programs that a test starts, on one thread: a tiny model waits for a second one."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        yield
    torch.set_num_threads(before)


def clip(folder: Path, *, width: int = 64) -> Path:
    """
    A CLIPModel: byte-level BPE in lower case, 77 tokens at most, pictures cropped. *width* is the width of its layers.
    """
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel

    words = _clip_tokenizer(folder)
    text = {**_LAYERS, "vocab_size": len(words), "max_position_embeddings": 77, **_ends(words)}
    vision = {**_VISION, "intermediate_size": width}
    config = CLIPConfig(text_config=text, vision_config=vision, projection_dim=DIMENSION)
    size = {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}}
    return _save(folder, CLIPModel(config), words, CLIPImageProcessor(**size))


def siglip(folder: Path) -> Path:
    """A SiglipModel: a slow tokenizer that leaves out punctuation, rows of one length, no mask, squashed pictures."""
    from transformers import SiglipConfig, SiglipImageProcessor, SiglipModel, SiglipTokenizer

    words = SiglipTokenizer(str(_sentencepiece(folder)), model_max_length=16, model_input_names=["input_ids"])
    text = {**_LAYERS, "vocab_size": len(words), "max_position_embeddings": 16}
    model = SiglipModel(SiglipConfig(text_config=text, vision_config=_VISION))
    return _save(folder, model, words, SiglipImageProcessor(size={"height": 32, "width": 32}))


def siglip2(folder: Path) -> Path:
    """A SigLIP 2 of fixed size: a SiglipModel with the tokenizer of Gemma."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import GemmaTokenizerFast, SiglipConfig, SiglipImageProcessor, SiglipModel

    letters = sorted(set("".join(_TEXTS)) - {" "})
    pieces = ["<pad>", "<eos>", "<bos>", "<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", *letters]
    vocab = {piece: place for place, piece in enumerate(pieces)}
    made = Tokenizer(models.BPE(vocab, [], fuse_unk=True, byte_fallback=True))
    made.normalizer = normalizers.Replace(" ", "▁")
    made.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    made.post_processor = processors.TemplateProcessing(single="$A:0 <eos>:0", special_tokens=[("<eos>", 1)])
    names = {"add_bos_token": False, "add_eos_token": True, "model_max_length": 16, "padding_side": "right"}
    words = GemmaTokenizerFast(tokenizer_object=made, **names)
    text = {**_LAYERS, "vocab_size": len(words), "max_position_embeddings": 16}
    model = SiglipModel(SiglipConfig(text_config=text, vision_config=_VISION))
    return _save(folder, model, words, SiglipImageProcessor(size={"height": 32, "width": 32}))


def siglip2_naflex(folder: Path) -> Path:
    """A Siglip2Model, which sees pictures in their own proportions."""
    from transformers import Siglip2Config, Siglip2ImageProcessor, Siglip2Model, SiglipTokenizer

    words = SiglipTokenizer(str(_sentencepiece(folder)), model_max_length=16, model_input_names=["input_ids"])
    text = {**_LAYERS, "vocab_size": len(words), "max_position_embeddings": 16}
    vision = {**_LAYERS, "patch_size": 8, "num_patches": 16}
    model = Siglip2Model(Siglip2Config(text_config=text, vision_config=vision))
    return _save(folder, model, words, Siglip2ImageProcessor(patch_size=8, max_num_patches=16))


def chinese_clip(folder: Path) -> Path:
    """A ChineseCLIPModel: WordPiece, one letter a token, squashed pictures."""
    from transformers import ChineseCLIPConfig, ChineseCLIPImageProcessor, ChineseCLIPModel

    words = _bert_tokenizer(folder)
    text = {**_LAYERS, "vocab_size": len(words), "max_position_embeddings": 52}
    config = ChineseCLIPConfig(text_config=text, vision_config=_VISION, projection_dim=DIMENSION)
    processor = ChineseCLIPImageProcessor(size={"height": 32, "width": 32}, do_center_crop=False)
    return _save(folder, ChineseCLIPModel(config), words, processor)


def altclip(folder: Path) -> Path:
    """An AltCLIPModel: the tokenizer and positions of XLM-RoBERTa, pictures cropped."""
    from transformers import AltCLIPConfig, AltCLIPModel, CLIPImageProcessor, XLMRobertaTokenizerFast

    words = XLMRobertaTokenizerFast(str(_sentencepiece(folder)), model_max_length=1000)
    text = {**_LAYERS, "vocab_size": len(words), "max_position_embeddings": 42, "project_dim": DIMENSION}
    config = AltCLIPConfig(text_config=text, vision_config=_VISION, projection_dim=DIMENSION)
    size = {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}}
    return _save(folder, AltCLIPModel(config), words, CLIPImageProcessor(**size))


def dual_encoder(folder: Path) -> Path:
    """A VisionTextDualEncoderModel of ViT and BERT: squashed pictures, mean and deviation of 0.5, bilinear."""
    from transformers import (
        BertConfig,
        VisionTextDualEncoderConfig,
        VisionTextDualEncoderModel,
        ViTConfig,
        ViTImageProcessor,
    )

    words = _bert_tokenizer(folder)
    text = BertConfig(**_LAYERS, vocab_size=len(words), max_position_embeddings=52)
    config = VisionTextDualEncoderConfig.from_vision_text_configs(ViTConfig(**_VISION), text, projection_dim=DIMENSION)
    processor = ViTImageProcessor(size={"height": 32, "width": 32})
    return _save(folder, VisionTextDualEncoderModel(config), words, processor)


FAMILIES: list[Callable[[Path], Path]] = [clip, siglip, siglip2, chinese_clip, altclip, dual_encoder]


# --- a model with code of its own, of the traits of clip-japanese-base

SECOND = "planted/words"
"""Repository that its tokenizer needs."""

MODEL_CODE = '''
import torch
from torch import nn
from transformers import BertConfig, BertModel, PretrainedConfig, PreTrainedModel


class OwnConfig(PretrainedConfig):
    model_type = "own_clip"

    def __init__(self, words=99, dimension=512, size=32, **rest):
        self.words, self.dimension, self.size = words, dimension, size
        super().__init__(**rest)


class Vision(nn.Module):
    """Patches, each shifted by waves that are no weights, then mixed."""

    def __init__(self, size, width=48):
        super().__init__()
        self.patches = nn.Conv2d(3, width, 8, 8)
        count = (size // 8) ** 2
        bands = torch.linspace(1.0, 3.0, width)
        waves = torch.sin(torch.arange(count)[:, None] * bands)
        self.register_buffer("bands", bands, persistent=False)
        self.register_buffer("waves", waves, persistent=False)
        self.mix = nn.TransformerEncoderLayer(width, 2, 64, batch_first=True, dropout=0.0)

    def forward(self, pixels):
        rows = self.patches(pixels).flatten(2).transpose(1, 2)
        return self.mix(rows * (1 + self.waves) + self.bands).mean(1)


class OwnModel(PreTrainedModel):
    config_class = OwnConfig

    def __init__(self, config):
        super().__init__(config)
        sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
        self.vision_encoder = Vision(config.size)
        self.text_encoder = BertModel(BertConfig(vocab_size=config.words, max_position_embeddings=40, **sizes))
        self.vision_head = nn.Linear(48, config.dimension, bias=False)
        self.text_head = nn.Linear(32, config.dimension, bias=False)

    def _init_weights(self, module):
        pass

    def get_image_features(self, pixel_values=None):
        return 7 * self.vision_head(self.vision_encoder(pixel_values))

    def get_text_features(self, input_ids=None, attention_mask=None, position_ids=None):
        seen = self.text_encoder(input_ids=input_ids, attention_mask=attention_mask, position_ids=position_ids)
        return 3 * self.text_head(seen.last_hidden_state[:, 0])
'''

WORDS_CODE = """
import torch
from transformers import BatchEncoding, PreTrainedTokenizer, T5Tokenizer


class OwnTokenizer(PreTrainedTokenizer):
    def __init__(self, max_length=20, **rest):
        self.words = T5Tokenizer.from_pretrained("planted/words")
        self.words.do_lower_case = True
        super().__init__(max_length=max_length, **rest)
        self.max_length = max_length

    @property
    def vocab_size(self):
        return self.words.vocab_size

    def get_vocab(self):
        return self.words.get_vocab()

    def _tokenize(self, text):
        return self.words._tokenize(text)

    def _convert_token_to_id(self, token):
        return self.words._convert_token_to_id(token)

    def save_vocabulary(self, folder, filename_prefix=None):
        return ()

    def __call__(self, text, **rest):
        how = {"max_length": self.max_length - 1, "padding": "max_length", "truncation": True}
        rows = self.words(text, add_special_tokens=False, **how, **rest)
        ids = [[self.words.cls_token_id] + row for row in rows["input_ids"]]
        mask = [[1] + row for row in rows["attention_mask"]]
        places = [list(range(len(ids[0])))] * len(ids)
        made = {"input_ids": ids, "attention_mask": mask, "position_ids": places}
        return BatchEncoding({name: torch.tensor(each) for name, each in made.items()})
"""

PICTURES_CODE = """
import numpy as np
from PIL import Image
from transformers.image_processing_utils import BaseImageProcessor, BatchFeature


class OwnImageProcessor(BaseImageProcessor):
    def __init__(self, image_size=32, **rest):
        super().__init__(**rest)
        self.image_size = image_size

    def preprocess(self, images, return_tensors=None, **rest):
        return BatchFeature({"pixel_values": [self.fitted(each) for each in images]}, tensor_type=return_tensors)

    def fitted(self, picture):
        size = self.image_size
        scale = size / max(picture.size)
        wide, high = (round(side * scale) for side in picture.size)
        square = Image.new("RGB", (size, size))
        square.paste(picture.resize((wide, high), Image.BICUBIC), ((size - wide) // 2, (size - high) // 2))
        mean, std = np.array([0.48, 0.45, 0.4]), np.array([0.26, 0.25, 0.27])
        return ((np.asarray(square) / 255 - mean) / std).transpose(2, 0, 1).astype(np.float32)
"""


def own_code(folder: Path, *, model_code: str = MODEL_CODE) -> Path:
    """A model with code of its own, which needs `SECOND` in addition. Write it with `second`."""
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    codes = {"modeling_own": model_code, "words_own": WORDS_CODE, "pictures_own": PICTURES_CODE}
    for name, code in codes.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(code).lstrip(), "utf-8")
    names: dict[str, Any] = {}
    exec(compile(model_code, "modeling_own", "exec"), names)  # noqa: S102 - the code above
    torch.manual_seed(0)
    model = _scattered(names["OwnModel"](names["OwnConfig"](words=_PIECES)))
    from safetensors.torch import save_model

    save_model(model, str(folder / "model.safetensors"), metadata={"format": "pt"})
    maps = {"AutoConfig": "modeling_own.OwnConfig", "AutoModel": "modeling_own.OwnModel"}
    _write(folder / "config.json", {**model.config.to_dict(), "auto_map": maps, "architectures": ["OwnModel"]})
    words = {"tokenizer_class": "OwnTokenizer", "auto_map": {"AutoTokenizer": ["words_own.OwnTokenizer", None]}}
    _write(folder / "tokenizer_config.json", {**words, "max_length": 20})
    maps = {"AutoImageProcessor": "pictures_own.OwnImageProcessor"}
    _write(folder / "preprocessor_config.json", {"image_processor_type": "OwnImageProcessor", "auto_map": maps})
    (folder / "README.md").write_text("---\nlanguage: ja\nlicense: apache-2.0\n---\n# Own\n", "utf-8")
    return folder


def second(folder: Path) -> Path:
    """The tokenizer that `own_code` needs: a sentencepiece model, with [CLS] among its pieces."""
    from transformers import T5Tokenizer

    path = _sentencepiece(folder, symbols=["[CLS]"])
    names = {"cls_token": "[CLS]", "pad_token": "<pad>"}
    T5Tokenizer(str(path), extra_ids=0, legacy=True, **names).save_pretrained(folder)
    return folder


def in_cache(cache: Path, repository: str, folder: Path, commit: str = "0123456789" * 4) -> str:
    """Put a folder into a cache of Hugging Face, as a repository at one commit. Return the commit."""
    import shutil

    place = cache / "hub" / f"models--{repository.replace('/', '--')}"
    shutil.copytree(folder, place / "snapshots" / commit, dirs_exist_ok=True)
    (place / "refs").mkdir(exist_ok=True)
    (place / "refs" / "main").write_text(commit)
    return commit


# --- parts

_PIECES = 180


def _sentencepiece(folder: Path, symbols: list[str] | None = None) -> Path:
    """Train a sentencepiece model, of the usual normalisation (NFKC)."""
    import sentencepiece

    folder.mkdir(parents=True, exist_ok=True)
    made = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(_TEXTS * 5), model_writer=made, vocab_size=_PIECES, character_coverage=1.0,
        pad_id=3, user_defined_symbols=symbols or [], minloglevel=2, hard_vocab_limit=False,
    )  # fmt: skip
    path = folder / "spiece.model"
    path.write_bytes(made.getvalue())
    return path


def _clip_tokenizer(folder: Path) -> Any:
    from transformers import CLIPTokenizer, CLIPTokenizerFast
    from transformers.models.clip.tokenization_clip import bytes_to_unicode

    folder.mkdir(parents=True, exist_ok=True)
    letters = list(bytes_to_unicode().values())
    merges = ["f i", "fi s", "fis h</w>", "t h", "th e</w>"]
    pieces = [*letters, *(f"{letter}</w>" for letter in letters), *(each.replace(" ", "") for each in merges)]
    pieces += ["<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({piece: place for place, piece in enumerate(pieces)}), "utf-8")
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]), "utf-8")
    CLIPTokenizer(folder / "vocab.json", folder / "merges.txt", model_max_length=77).save_pretrained(folder)
    return CLIPTokenizerFast.from_pretrained(folder)


def _ends(words: Any) -> dict[str, int]:
    return {"bos_token_id": words.bos_token_id, "eos_token_id": words.eos_token_id, "pad_token_id": words.pad_token_id}


def _bert_tokenizer(folder: Path) -> Any:
    from transformers import BertTokenizerFast

    folder.mkdir(parents=True, exist_ok=True)
    letters = sorted(set("".join(_TEXTS)) - {" "})
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters), "fish"]
    (folder / "vocab.txt").write_text("\n".join(pieces), "utf-8")
    return BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=512)


def _save(folder: Path, model: Any, words: Any, processor: Any) -> Path:
    _scattered(model).save_pretrained(folder)
    words.save_pretrained(folder)
    processor.save_pretrained(folder)
    (folder / "README.md").write_text("---\nlicense: mit\n---\n", "utf-8")
    return folder


def _scattered(model: Any) -> Any:
    """Draw the weights so wide that different inputs have different vectors."""
    import torch

    torch.manual_seed(1)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim > 1 and "embed" in name:
                weight.normal_(0, 0.5)
            elif weight.ndim > 1:
                weight.normal_(0, 1.2 / weight[0].numel() ** 0.5)
    return model.eval()


def _write(path: Path, data: dict[str, Any]) -> None:
    path.write_text(json.dumps(data, default=str, indent=1), "utf-8")
