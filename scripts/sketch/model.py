"""
The two towers of the sketch model, and its tokenizer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from tokenizers import Regex, Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import NFKC, Lowercase, Sequence
from tokenizers.pre_tokenizers import Split
from tokenizers.processors import TemplateProcessing
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Iterable

DIMENSION = 512
LENGTH = 48
LETTERS = "".join(chr(c) for c in range(0x3041, 0x3097)) + "".join(chr(c) for c in range(0x30A1, 0x30FD))
PLAIN = " abcdefghijklmnopqrstuvwxyz0123456789.,-'()・ー、。々"


class Block(nn.Module):
    """
    Two convolutions around which the picture can pass.
    """

    def __init__(self, wide: int) -> None:
        super().__init__()
        self.first = nn.Sequential(
            nn.Conv2d(wide, wide, 3, padding=1, bias=False), nn.BatchNorm2d(wide), nn.ReLU(inplace=True)
        )
        self.second = nn.Sequential(nn.Conv2d(wide, wide, 3, padding=1, bias=False), nn.BatchNorm2d(wide))

    def forward(self, x: Tensor) -> Tensor:
        """Add to the input (n, wide, h, w)."""
        return torch.relu(x + self.second(self.first(x)))


class ImageTower(nn.Module):
    """
    Pixels (n, 3, 96, 96) to vectors (n, 512).
    """

    def __init__(self, widths: tuple[int, ...] = (40, 80, 160), blocks: tuple[int, ...] = (1, 1, 2)) -> None:
        super().__init__()
        layers: list[nn.Module] = [
            nn.Conv2d(3, widths[0], 5, 4, padding=1, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(inplace=True),
        ]
        for i, (wide, n) in enumerate(zip(widths, blocks, strict=True)):
            if i:
                layers += [
                    nn.Conv2d(widths[i - 1], wide, 2, 2, bias=False),
                    nn.BatchNorm2d(wide),
                    nn.ReLU(inplace=True),
                ]
            layers += [Block(wide) for _ in range(n)]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(widths[-1] * 2, DIMENSION)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return vectors of any length. The runtime makes them unit vectors."""
        x = self.body(pixels).float()
        vectors: Tensor = self.head(torch.cat([x.mean(dim=(2, 3)), x.amax(dim=(2, 3))], dim=1))
        return vectors


class TextLayer(nn.Module):
    """
    One layer of attention and its network.
    """

    def __init__(self, wide: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before, self.between = nn.LayerNorm(wide), nn.LayerNorm(wide)
        self.mix, self.out = nn.Linear(wide, wide * 3), nn.Linear(wide, wide)
        self.net = nn.Sequential(nn.Linear(wide, wide * 2), nn.GELU(), nn.Linear(wide * 2, wide))

    def forward(self, x: Tensor, hidden: Tensor) -> Tensor:
        """Add to the input (n, length, wide). `hidden` (n, 1, 1, length) is very low where there is no token."""
        n, length, wide = x.shape
        q, k, v = self.mix(self.before(x)).reshape(n, length, 3, self.heads, wide // self.heads).permute(2, 0, 3, 1, 4)
        weights = (q @ k.transpose(-2, -1)) * (wide // self.heads) ** -0.5 + hidden
        x = x + self.out((weights.softmax(-1) @ v).transpose(1, 2).reshape(n, length, wide))
        added: Tensor = x + self.net(self.between(x))
        return added


class TextTower(nn.Module):
    """
    Tokens (n, length) and their mask to vectors (n, 512).
    """

    def __init__(self, vocabulary: int, wide: int = 128, layers: int = 2, heads: int = 4) -> None:
        super().__init__()
        self.token = nn.Embedding(vocabulary, wide)
        self.place = nn.Embedding(LENGTH, wide)
        self.layers = nn.ModuleList(TextLayer(wide, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(wide)
        self.head = nn.Linear(wide, DIMENSION)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """
        Return the mean over the tokens that the mask shows, as vectors of any length.
        """
        seen = attention_mask.float()
        x = self.token(input_ids) + self.place(torch.arange(input_ids.shape[1], device=input_ids.device))
        hidden = (1 - seen)[:, None, None, :] * -1e4
        for layer in self.layers:
            x = layer(x, hidden)
        x = self.norm(x) * seen[..., None]
        vectors: Tensor = self.head(x.sum(dim=1) / seen.sum(dim=1, keepdim=True).clamp(min=1))
        return vectors


def tokenizer(texts: Iterable[str]) -> Tokenizer:
    """
    Build a tokenizer whose tokens are the characters of the texts, kana and plain Latin.
    """
    normal = Sequence([NFKC(), Lowercase()])
    letters = sorted(set(LETTERS + PLAIN).union(*(normal.normalize_str(text) for text in texts)))
    numbers = {token: i for i, token in enumerate(["[PAD]", "[UNK]", "[CLS]", *letters])}
    made = Tokenizer(WordLevel(numbers, unk_token="[UNK]"))  # noqa: S106 - no password
    made.normalizer = normal
    made.pre_tokenizer = Split(Regex(r"[\s\S]"), "isolated")
    made.post_processor = TemplateProcessing(single="[CLS] $A", special_tokens=[("[CLS]", 2)])
    made.enable_truncation(LENGTH)
    made.enable_padding(pad_id=0, pad_token="[PAD]")  # noqa: S106
    return made


def encode(made: Tokenizer, texts: Iterable[str]) -> tuple[Tensor, Tensor]:
    """
    Return the tokens and the mask of texts, both (n, length).
    """
    rows = made.encode_batch(list(texts))
    return torch.tensor([row.ids for row in rows]), torch.tensor([row.attention_mask for row in rows])
