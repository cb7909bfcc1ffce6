"""
The published model, run by transformers as its authors do.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from meetup2025.embedding.installing import extra
from meetup2025.embedding.installing.places import FULL
from meetup2025.errors import BrokenModelError, MeetUpError, MissingExtraError, NotSupportedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL import Image

_WHOLE_ROWS = ("siglip", "siglip2")
"""Kinds that were trained on texts filled up to their length, without a mask."""

_RESERVED = 2
"""Positions that RoBERTa does not use for texts."""

_MANY = 100_000


class Original:
    """
    A published model.

    Args:
        folder: Folder of its files.
        remote_code: Whether code that it brings may run.

    Attributes:
        model: The module of torch.
        tokenizer: The tokenizer of transformers.
        kind: Class of the model.

    Raises:
        BrokenModelError: The model cannot be loaded, weights are missing, or buffers differ from a new model.
        NotSupportedError: The model does not have the two halves that are needed here.
        MissingExtraError: Its code needs a library that is not installed.
    """

    def __init__(self, folder: Path, *, remote_code: bool = False) -> None:
        trust = {"trust_remote_code": remote_code}
        with foreign(f"The model in {folder}"):
            from transformers import AutoImageProcessor, AutoTokenizer

            self.model, found = _loaded(folder, trust)
            self.tokenizer = AutoTokenizer.from_pretrained(folder, **trust)
            self._processor = AutoImageProcessor.from_pretrained(folder, use_fast=False, **trust)
            fresh = type(self.model)(self.model.config)
        self.kind = type(self.model).__name__
        self._is_own = remote_code and type(self.tokenizer).__module__.startswith("transformers_modules.")
        self._has_whole_rows = getattr(self.model.config, "model_type", "") in _WHOLE_ROWS
        _check_halves(self.model, self.kind)
        _check_weights(found, folder)
        _check_buffers(self.model, fresh)

    def text_inputs(self, text: str) -> dict[str, Any]:
        """Return the inputs of the text half for one text, as int64 tensors of one row."""
        import torch

        if self._is_own:  # its code may fail with errors of its own
            made = dict(self.tokenizer([text]))
        else:
            padding = "max_length" if self._has_whole_rows else False
            limit = {"truncation": True, "max_length": self.longest()}
            made = dict(self.tokenizer([text], padding=padding, **limit))
        if self._has_whole_rows:
            made.pop("attention_mask", None)
        return {name: torch.as_tensor(value, dtype=torch.int64) for name, value in made.items()}

    def longest(self) -> int:
        """Return the most tokens of a text: the limit of the tokenizer or of the positions."""
        config = getattr(self.model.config, "text_config", self.model.config)
        positions = getattr(config, "max_position_embeddings", _MANY)
        if any(word in getattr(config, "model_type", "") for word in ("roberta", "altclip")):
            positions -= _RESERVED
        return int(min(self.tokenizer.model_max_length, positions))

    def pixels(self, picture: Image.Image) -> NDArray[np.float32]:
        """Return the input of the picture half for one picture, of shape (1, 3, size, size)."""
        with extra.quiet():
            made = dict(self._processor([picture.convert("RGB")], return_tensors="pt"))
        shape = tuple(made.get("pixel_values", np.empty(0)).shape)
        if set(made) != {"pixel_values"} or len(shape) != 4 or shape[:2] != (1, 3) or shape[2] != shape[3]:
            given = ", ".join(f"{name} {tuple(value.shape)}" for name, value in made.items())
            problem = "it sees pictures in their own proportions, or in parts; take one of fixed size"
            raise NotSupportedError(f"{self.kind} must take square pictures. Its processor gives {given}: {problem}.")
        return np.asarray(made["pixel_values"], np.float32)

    def texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts one by one. Rows have any length, as the model returns them."""
        return np.vstack([_run(self.model.get_text_features, self.text_inputs(text)) for text in texts])

    def images(self, pictures: Sequence[Image.Image]) -> NDArray[np.float32]:
        """Embed pictures one by one. Rows have any length, as the model returns them."""
        import torch

        rows = [{"pixel_values": torch.from_numpy(self.pixels(picture))} for picture in pictures]
        return np.vstack([_run(self.model.get_image_features, row) for row in rows])


def _loaded(folder: Path, trust: dict[str, bool]) -> tuple[Any, dict[str, Any]]:
    import torch
    from transformers import AutoModel

    # Built whole, not on the meta device: then the code of the model makes everything that is not among the weights.
    how = {"low_cpu_mem_usage": False, "torch_dtype": torch.float32, "output_loading_info": True}
    model, found = AutoModel.from_pretrained(folder, **how, **trust)
    return model.eval(), found


def _run(half: Any, inputs: dict[str, Any]) -> NDArray[np.float32]:
    import torch

    with torch.no_grad(), extra.quiet():
        return np.asarray(half(**inputs), np.float32)


@contextmanager
def foreign(what: str) -> Iterator[None]:
    """Raise any error of other people's code as an error that says what to do."""
    with extra.quiet():
        try:
            yield
        except (MeetUpError, MemoryError):
            raise
        except ImportError as exc:
            raise MissingExtraError(f"{what} must have the libraries that it needs. Got {_line(exc)}") from exc
        except Exception as exc:  # code of a model raises errors of any type
            if isinstance(exc, OSError) and exc.errno in FULL:
                raise
            first = _first(exc)
            got = f"{type(exc).__name__}: {_line(exc)}" + (f" First: {_line(first)}" if first is not exc else "")
            hint = " If it needs another repository, the network must work, or the cache must have this repository."
            raise BrokenModelError(
                f"{what} must run in transformers. Got {got}.{hint if isinstance(exc, OSError) else ''}"
            ) from exc


def _line(exc: BaseException) -> str:
    return " ".join(str(exc).split())[:300]


def _first(exc: BaseException) -> BaseException:
    """Return the first error of a chain. The last one seldom names the cause."""
    while before := exc.__cause__ or exc.__context__:
        exc = before
    return exc


def _check_halves(model: Any, kind: str) -> None:
    missing = [name for name in ("get_text_features", "get_image_features") if not hasattr(model, name)]
    if missing:
        problem = f"Got {kind}, without {' and '.join(missing)}; take a model for texts and pictures"
        raise NotSupportedError(f"A model must embed texts and pictures, as CLIP does. {problem}.")


def _check_weights(found: dict[str, Any], folder: Path) -> None:
    """Refuse missing weights. Transformers fills them with random numbers, and only warns."""
    missing = sorted(map(str, [*found["missing_keys"], *found["mismatched_keys"]]))
    if missing:
        got = f"{len(missing)} missing or of another shape, as {missing[0]}"
        raise BrokenModelError(f"The model in {folder} must have all its weights. Got {got}; download it again.")


def _check_buffers(model: Any, fresh: Any) -> None:
    """
    Compare the buffers that are not among the weights with the buffers of a new model.

    They follow from the configuration alone. A loader that leaves them uninitialised gives vectors of noise without
    a word.
    """
    import torch

    stored, made = set(model.state_dict()), dict(fresh.named_buffers())
    for name, buffer in model.named_buffers():
        if name not in stored and not (name in made and torch.equal(buffer, made[name].to(buffer.dtype))):
            problem = f"Got other numbers in {name}; use the versions of the extra [clip]"
            raise BrokenModelError(f"Buffers without weights must be as a new model has them. {problem}.")
