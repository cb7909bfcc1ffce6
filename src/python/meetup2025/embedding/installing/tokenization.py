"""
The tokenizer of a model in the form of the library `tokenizers`: converted and proved, or as it is published.
"""

from __future__ import annotations

import itertools
import string
from typing import TYPE_CHECKING, Any

import numpy as np

from meetup2025.embedding.installing import hub, probes
from meetup2025.embedding.models import MOST
from meetup2025.errors import BrokenModelError, NotSupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tokenizers import Tokenizer

_MORE_TEXTS = (
    "サバ", "ゴマサバ", "イシダイ（縞鯛）", "寿司・刺身", "Ｔ−ＢＯＮＥ", "①②③", "㌔", "ﾊﾞﾋﾞﾌﾞ", "が", "か\u3099",
    "İstanbul ÉCOLE", "don't stop", "a,b;c:d", "3.14", "tab\there", "e-mail: fish@example.jp", "#tag", "🐟🐠", "ー",
)  # fmt: skip


def converted(original: Any) -> tuple[Tokenizer, int]:
    """
    Convert a tokenizer.

    Args:
        original: An `Original`.

    Returns:
        The tokenizer, which pads if the model needs all rows of one length, and the most tokens of a text.

    Raises:
        NotSupportedError: No conversion gives the same tokens.
    """
    texts = [*probes.TEXTS, *_MORE_TEXTS]
    rows = [_Row(original.text_inputs(text)) for text in texts]
    longest = max(len(row.ids) for row in rows)
    pad, furthest = original.tokenizer.pad_token_id or 0, -1
    for made in _candidates(original.tokenizer):
        for framed in _framed(made, texts, rows, pad):
            framed.enable_truncation(longest)
            side = original.tokenizer.padding_side
            _fill(framed, pad, side, None if rows[0].has_mask else longest)
            right = _right(framed, texts, rows)
            if right == len(texts):
                framed.no_truncation()
                return framed, longest
            furthest = max(furthest, right)
    name = type(original.tokenizer).__name__
    fault = "no form of it is known" if furthest < 0 else f"{texts[furthest][:40]!r} becomes other tokens"
    raise NotSupportedError(f"The tokenizer of a model must have a form in `tokenizers`. Got {name}: {fault}.")


class _Row:
    """The tokens of a text from the original, without masked ones."""

    def __init__(self, inputs: dict[str, Any]) -> None:
        ids = inputs["input_ids"][0].tolist()
        mask = inputs["attention_mask"][0].tolist() if "attention_mask" in inputs else [1] * len(ids)
        self.has_mask = "attention_mask" in inputs
        self.ids = [number for number, seen in zip(ids, mask, strict=True) if seen]


def _candidates(tokenizer: Any) -> Iterator[Tokenizer]:
    """Yield ways to write a tokenizer, or the one inside it, in this form, the likeliest first."""
    from tokenizers import Tokenizer
    from transformers.tokenization_utils_base import PreTrainedTokenizerBase

    inner = [each for each in vars(tokenizer).values() if isinstance(each, PreTrainedTokenizerBase)]
    for each in [tokenizer, *inner]:
        if each.is_fast:
            made = Tokenizer.from_str(each.backend_tokenizer.to_str())
            made.no_padding()
            made.no_truncation()
            yield made
        else:
            forms = filter(None, (_attempt(convert, each) for convert in _converters()))
            for form, first, last in itertools.product(list(forms), _first_steps(), _last_steps()):
                yield _normalized(form, first, last)


def _converters() -> list[Callable[[Any], Tokenizer]]:
    from transformers.convert_slow_tokenizer import SpmConverter, convert_slow_tokenizer

    return [convert_slow_tokenizer, lambda tokenizer: SpmConverter(tokenizer).converted()]


def _attempt(convert: Callable[[Any], Tokenizer], tokenizer: Any) -> Tokenizer | None:
    try:
        return convert(tokenizer)
    except Exception:  # noqa: BLE001 - one that is not for this kind of tokenizer raises anything
        return None


def _first_steps() -> list[list[Any]]:
    """Return steps that may precede the normalisation of a text: none, lower case, and the steps of SigLIP."""
    from tokenizers import Regex, normalizers

    punctuation = Regex("[" + "".join(f"\\{letter}" for letter in string.punctuation) + "]")
    bare = [normalizers.Replace(punctuation, ""), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()]
    return [[], [normalizers.Lowercase()], [normalizers.Lowercase(), *bare], bare]


def _last_steps() -> list[list[Any]]:
    """Return steps that may follow it: `tokenizers` leaves ﾊ and ﾞ apart, but sentencepiece joins them."""
    from tokenizers import normalizers

    return [[], [normalizers.NFC()]]


def _normalized(made: Tokenizer, first: list[Any], last: list[Any]) -> Tokenizer:
    from tokenizers import Tokenizer, normalizers

    copy = Tokenizer.from_str(made.to_str())
    if steps := [*first, *([copy.normalizer] if copy.normalizer else []), *last]:
        copy.normalizer = normalizers.Sequence(steps)
    return copy


def _framed(made: Tokenizer, texts: Sequence[str], rows: Sequence[_Row], pad: int) -> Iterator[Tokenizer]:
    """Yield the tokenizer with its own tokens around a text, then with the tokens of the original around it."""
    yield made
    for text, row in zip(texts, rows, strict=True):
        body = made.encode(text, add_special_tokens=False).ids
        start = _place(body, row.ids)
        if body and start is not None:
            before, after = row.ids[:start], row.ids[start + len(body) :]
            while not row.has_mask and after and after[-1] == pad:
                after.pop()
            for ending in (after, [*after, pad]):  # a token that fills rows may also end a text
                _frame(made, before, ending)
                yield made
            return


def _place(body: list[int], whole: list[int]) -> int | None:
    starts = range(len(whole) - len(body) + 1)
    return next((start for start in starts if whole[start : start + len(body)] == body), None)


def _frame(made: Tokenizer, before: list[int], after: list[int]) -> None:
    from tokenizers.processors import TemplateProcessing

    names = {number: made.id_to_token(number) for number in [*before, *after]}
    single = [*(f"{names[number]}:0" for number in before), "$A:0", *(f"{names[number]}:0" for number in after)]
    made.post_processor = TemplateProcessing(
        single=single, special_tokens=[(name, number) for number, name in names.items()]
    )


def _fill(made: Tokenizer, pad: int, side: str, length: int | None) -> None:
    """Set the padding of shorter texts. A length is for a model whose rows have no mask."""
    made.enable_padding(direction=side, pad_id=pad, pad_token=made.id_to_token(pad) or "[PAD]", length=length)


def _right(made: Tokenizer, texts: Sequence[str], rows: Sequence[_Row]) -> int:
    """Count the texts, from the first, whose tokens equal the tokens of the original."""
    pairs = enumerate(zip(texts, rows, strict=True))
    return next((place for place, (text, row) in pairs if made.encode(text).ids != row.ids), len(texts))


_WHOLE_ROWS = {"siglip": 64, "siglip2": 64}
"""Kinds of models that take rows of one length without a mask -> the length, if their files do not say it."""


def stated(folder: Path, target: Path) -> int:
    """
    Write a published `tokenizer.json` as a model folder has it: without limits of its own.

    Rows are filled up only for a model that takes rows of one length.

    Args:
        folder: Folder of the published files.
        target: File to write.

    Returns:
        The most tokens of a text.

    Raises:
        BrokenModelError: The file cannot be read.
        NotSupportedError: No file says how long a text may be.
    """
    from tokenizers import Tokenizer, normalizers

    try:
        made = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as exc:  # the library raises nothing narrower
        raise BrokenModelError(f"{folder / 'tokenizer.json'} must be one of `tokenizers`. Got {exc}.") from exc
    made.no_padding()
    made.no_truncation()
    words, config = hub.read_json(folder, "tokenizer_config.json"), hub.read_json(folder, "config.json")
    kind = str(config.get("model_type", ""))
    longest = _longest(words, config, hub.read_json(folder, "sentence_bert_config.json"), _WHOLE_ROWS.get(kind))
    if kind in _WHOLE_ROWS:
        if words.get("do_lower_case") and '"Lowercase"' not in made.to_str():
            made = _normalized(made, [normalizers.Lowercase()], [])
        pad = words.get("pad_token")
        pad = str(pad.get("content", "")) if isinstance(pad, dict) else str(pad or "")
        _fill(made, made.token_to_id(pad) or 0, "right", longest)
    made.save(str(target))
    return longest


def _longest(words: dict[str, Any], config: dict[str, Any], sentences: dict[str, Any], default: int | None) -> int:
    inner = config.get("text_config")
    inner = inner if isinstance(inner, dict) else config
    found = [words.get("model_max_length"), sentences.get("max_seq_length"), inner.get("max_position_embeddings")]
    limits = [int(each) for each in found if isinstance(each, (int, float)) and 1 < each <= MOST]
    if not limits and default is None:
        rule = "The files of a model must say how long a text may be (model_max_length of tokenizer_config.json)"
        raise NotSupportedError(f"{rule}. Got nothing; take another model.")
    return min(limits) if limits else int(default or 0)


def check_inputs(inputs: dict[str, Any]) -> frozenset[str]:
    """
    Return the names of the inputs of the text half besides the tokens.

    Raises:
        NotSupportedError: The half takes more than a mask, positions from 0 and one type of token.
    """
    length = inputs["input_ids"].shape[1]
    expected = {
        "attention_mask": np.ones(length, int),
        "position_ids": np.arange(length),
        "token_type_ids": np.zeros(length, int),
    }
    names = frozenset(inputs) - {"input_ids"}
    for name in names:
        numbers = inputs[name][0].numpy()
        mask = inputs.get("attention_mask", inputs["input_ids"] * 0 + 1)[0].numpy() > 0
        if name not in expected or not np.array_equal(numbers[mask], expected[name][mask]):
            raise NotSupportedError(f"A text must become tokens, counted from 0, with a mask. Got {name} {numbers}.")
    return names
