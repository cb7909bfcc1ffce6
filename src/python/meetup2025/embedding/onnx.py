"""
Model folders run by ONNX Runtime.

A tower, for pictures or for texts, is loaded at its first use: naming a fish never loads the text tower.
Its files must have their hashes, and its first golden item must get the published vector. A quantised tower must pass
all its golden items, once on each processor.

A graph that others published stays as it is. Its head, what becomes of its output, is a matter of numpy.
"""

from __future__ import annotations

import os
import statistics
import threading
import time
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from meetup2025 import iris_process, vectors
from meetup2025.embedding import processors, runtime
from meetup2025.embedding.models import SEVEN_BITS, HeadInfo, check_files, read_model
from meetup2025.embedding.texts import to_embed
from meetup2025.errors import BrokenModelError, DataError, InvalidVectorError, MeetUpError, MissingModelError, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from meetup2025.embedding.models import ImageInfo, ModelInfo

BATCH = 32
"""Items in one run: enough to fill the processor, few enough for the memory."""

LEAST_COSINE = 0.9999
"""
Similarity that a golden item must reach. Another processor or version moves it by some 1e-6.

A wrong preprocessing or file moves it by more than 1e-3.
"""

LESS_COSINE = 0.0005
"""
How much lower a golden cosine of a quantised tower may be on another processor.

Rounding makes a difference of 1e-5 at most, an overflow makes one of 2e-3 and more (docs/models.md).
"""

LEAST_LENGTH, MOST_LENGTH = 1e-4, 1e6
"""Lengths that the vectors of a model may have before they become unit vectors. Models in use give 0.5 to 100."""

INT8 = "int8"

_TYPES = {"tensor(float16)": np.float16, "tensor(int32)": np.int32}
"""Types of inputs that are not made as they are."""

MOST_THREADS = 4
"""Most threads of a tower: a database has other work too."""

_SHOWN = 40
"""Longest part of a golden text in a message."""

_FILTERS = {
    "bicubic": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,
    "lanczos": Image.Resampling.LANCZOS,
}


class OnnxEncoder:
    """
    An `Encoder` of a model folder. Threads may share it.

    Args:
        folder: The model folder.
        int8: Whether the quantised tower embeds the pictures. Its vectors count as vectors of another model.
        strict: Whether a tower that fails its golden items is refused. Otherwise only `verify` shows it.

    Raises:
        MissingModelError: The model has no quantised tower.
    """

    def __init__(self, folder: Path, *, int8: bool = False, strict: bool = True) -> None:
        self.info = _quantised(read_model(folder)) if int8 else read_model(folder)
        self.model = self.info.model
        self.dimension = self.info.dimension
        self.picture_size = self.info.image.seen
        self.languages = self.info.languages
        self._strict = strict
        self._towers: dict[type[_Tower], _Tower] = {}
        self._lock = threading.Lock()

    def texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """
        Embed texts. The model cuts a text that is too long for it.

        Returns:
            Array of shape (n, d), in the order of the texts. Rows have unit length.

        Raises:
            DataError: A text is empty, or the model knows none of its characters.
            BrokenModelError: The model fails its checks.
        """
        return self._embed(_TextTower, to_embed(texts))

    def images(self, pictures: Sequence[Image.Image]) -> NDArray[np.float32]:
        """
        Embed pictures of any size and mode.

        Returns:
            Array of shape (n, d), in the order of the pictures. Rows have unit length.

        Raises:
            BrokenModelError: The model fails its checks.
        """
        return self._embed(_ImageTower, pictures)

    def verify(self, *, texts: bool = True) -> list[tuple[str, float, float]]:
        """
        Embed every golden item, alone and among the others.

        Args:
            texts: Whether golden texts are embedded too.

        Returns:
            For each item, texts first: its label, the cosine of its vector to the published one (the lower of the
            two), and the lowest cosine allowed.

        Raises:
            BrokenModelError: The model cannot be loaded.
        """
        towers = [self._tower(kind) for kind in ((_TextTower, _ImageTower) if texts else (_ImageTower,))]
        return [(*pair, tower.least()) for tower in towers for pair in tower.golden()]

    def check(self) -> None:
        """
        Check the whole model before its vectors are stored, not only the tower that makes them.

        Raises:
            BrokenModelError: A file was changed, or a golden item fails.
        """
        for kind in (_TextTower, _ImageTower):
            self._tower(kind)

    def _embed(self, kind: type[_Tower], items: Sequence[Any]) -> NDArray[np.float32]:
        if not items:
            return np.empty((0, self.dimension), np.float32)
        return self._tower(kind).embed_all(items)

    def _tower(self, kind: type[_Tower]) -> _Tower:
        with self._lock:
            if kind not in self._towers:
                began = time.monotonic()
                tower = kind(self.info)
                if self._strict:
                    tower.check()
                self._towers[kind] = tower
                what = f"process {os.getpid()} loaded {self.model} for {kind.inputs}"
                iris_process.log(f"MeetUp2025: {what} in {time.monotonic() - began:.1f} seconds.")
            return self._towers[kind]


def _quantised(info: ModelInfo) -> ModelInfo:
    if info.int8 is None:
        problem = f"must have a picture tower in int8. Got none in {info.folder}; install it again with --int8"
        raise MissingModelError(f"The model {info.model} {problem}, or take another MEETUP2025_RUNTIME.")
    return replace(info, revision=info.revision + info.int8.suffix, image=replace(info.image, file=info.int8.file))


class _Tower(ABC):
    """
    One half of a model: a graph from prepared items to vectors.

    Attributes:
        inputs: Kind of the items.
        takes: Names of the inputs that the graph may have.
    """

    inputs: str
    takes: tuple[str, ...]

    def __init__(self, info: ModelInfo) -> None:
        self.info = info
        self.head = info.heads.get(self.files()[0], HeadInfo())
        beside = [info.weights[name] for name in self.files() if name in info.weights]
        beside += [self.head.file] if self.head.file else []
        with ThreadPoolExecutor(1) as pool:  # hashing 350 MB takes 0.2 s, as long as a picture
            checked = pool.submit(check_files, info, [*self.files(), *beside, info.golden])
            try:
                self.session = self.load()
                self.map = self.linear_map()
            finally:
                checked.result()  # a changed file is reported as changed, whatever else it causes

    def check(self) -> None:
        """Check the first golden item. Check all items of a half in int8 once on each processor."""
        is_done = self.info.precision != INT8 or processors.is_checked(self.info.folder, self.inputs)
        label, cosine = min(self.golden(most=1 if is_done else None), key=lambda pair: pair[1])
        if cosine < self.least():
            got = f"a cosine of {cosine:.4f} for {label}"
            raise self.broken(f"must give its published vectors (cosine {self.least():.6g}). Got {got}")
        if not is_done:
            processors.remember(self.info.folder, self.inputs)

    def least(self) -> float:
        """Return the lowest cosine that a golden item may have."""
        return LEAST_COSINE

    def batch(self) -> int:
        """Return the most items of one run: one in int8, where all items of a run share the scale of their integers."""
        return 1 if self.info.precision == INT8 else BATCH

    @abstractmethod
    def files(self) -> list[str]:
        """Return the files of this tower, the graph first. Weights are not among them."""

    @abstractmethod
    def feeds(self, items: Sequence[Any]) -> dict[str, NDArray[Any]]:
        """Return the inputs of the graph, by name."""

    @abstractmethod
    def golden_items(self, arrays: Any) -> Iterator[tuple[str, Any, NDArray[Any]]]:
        """Yield the label, the item and the published vector of each golden item of this tower."""

    def load(self) -> Any:
        """Open the graph, and check the names of its inputs and outputs."""
        onnxruntime = runtime.library()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads()
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Otherwise the threads spin for a while after a call: 40 ms of processor taken from the database.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        path = str(self.info.folder / self.files()[0])
        with self.reading(self.files()[0]):
            session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        inputs, outputs = ({each.name for each in some} for some in (session.get_inputs(), session.get_outputs()))
        if not inputs <= set(self.takes) or self.head.output not in outputs:
            takes = " and ".join(self.takes)
            rule = f"a {self.files()[0]} with the output {self.head.output} and no inputs but {takes}"
            raise self.malformed(f"have {rule}. Got the inputs {sorted(inputs)}, the outputs {sorted(outputs)}")
        return session

    def linear_map(self) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
        """Read the matrix and the bias that vectors are multiplied with. None means that they stay as they are."""
        if not self.head.file:
            return None
        with self.reading(self.head.file), np.load(self.info.folder / self.head.file, allow_pickle=False) as arrays:
            return arrays["matrix"].astype(np.float32), arrays["bias"].astype(np.float32)

    def embed_all(self, items: Sequence[Any]) -> NDArray[np.float32]:
        """Embed one item or more, in as many runs as they need."""
        step = self.batch()
        return np.concatenate([self.embed(items[start : start + step]) for start in range(0, len(items), step)])

    def embed(self, items: Sequence[Any]) -> NDArray[np.float32]:
        """Embed one item or more in one run."""
        feeds = self.feeds(items)
        with self.reading(self.files()[0]):
            types = {each.name: _TYPES.get(each.type) for each in self.session.get_inputs()}
            wanted = {name: feeds[name].astype(kind or feeds[name].dtype, copy=False) for name, kind in types.items()}
            (found,) = self.session.run([self.head.output], wanted)
            found = self.headed(found, feeds.get("attention_mask"))
        shape = (len(items), self.info.dimension)
        if found.shape != shape:
            raise self.broken(f"must give vectors of the shape {shape}. Got {found.shape}")
        lengths = np.linalg.norm(found.astype(np.float64), axis=1)
        if lengths.max(initial=LEAST_LENGTH) > MOST_LENGTH or lengths.min(initial=LEAST_LENGTH) < LEAST_LENGTH:
            got = f"{lengths.min():.3g} to {lengths.max():.3g}"
            raise self.broken(f"must give vectors of a length from {LEAST_LENGTH} to {MOST_LENGTH}. Got {got}")
        try:
            return vectors.unit(found).astype(np.float32)
        except InvalidVectorError as exc:
            raise self.broken(f"must give vectors that are finite and not zero. Got others: {exc}") from exc

    def headed(self, found: NDArray[Any], mask: NDArray[np.int64] | None) -> NDArray[Any]:
        """Pool the tokens of an output, then multiply it with the matrix of the head."""
        found = found.astype(np.float32, copy=False)
        if self.head.pooling == "first":
            found = found[:, 0]
        elif self.head.pooling == "mean":
            seen = np.ones(found.shape[:2], np.float32) if mask is None else mask.astype(np.float32)
            found = np.einsum("nld,nl->nd", found, seen) / seen.sum(axis=1, keepdims=True)
        return found if self.map is None else found @ self.map[0] + self.map[1]

    def golden(self, most: int | None = None) -> list[tuple[str, float]]:
        """
        Embed golden items, alone and among the others.

        Args:
            most: Number of items, from the first. None means all.

        Returns:
            For each item: its label, and the lower cosine to its published vector.
        """
        path = self.info.folder / self.info.golden
        with self.reading(self.info.golden), np.load(path, allow_pickle=False) as arrays:
            found = list(islice(self.golden_items(arrays), most))
            expected = [vectors.unit(vectors.check(vector, dimension=self.info.dimension)) for _, _, vector in found]
        if not found:
            raise self.malformed(f"have golden {self.inputs} in its {self.info.golden}. Got none")
        items = [item for _, item, _ in found]
        rows = np.concatenate([self.embed([item]) for item in items])
        cosines = (rows * expected).sum(axis=1)
        if len(items) > 1 and self.batch() > 1:
            cosines = np.minimum(cosines, (self.embed_all(items) * expected).sum(axis=1))
        return [(label, float(cosine)) for (label, _, _), cosine in zip(found, cosines, strict=True)]

    @contextmanager
    def reading(self, name: str) -> Iterator[None]:
        """Raise any error about a file as `BrokenModelError`."""
        try:
            yield
        except InvalidVectorError as exc:
            raise self.broken(f"must have a {name} that holds vectors. Got other things: {exc}") from exc
        except (MeetUpError, MemoryError):
            raise
        except Exception as exc:  # onnxruntime and tokenizers raise nothing narrower
            raise self.broken(f"must have a {name} that can be used. Got an error: {exc}") from exc

    def broken(self, problem: str) -> BrokenModelError:
        return BrokenModelError(f"The model {self.info.model} {problem}; install it again.")

    def malformed(self, problem: str) -> BrokenModelError:
        """Return the error for a folder of another form, which another installation would not mend."""
        return BrokenModelError(f"The model {self.info.model} must {problem}; docs/models.md has the form of a folder.")


class _ImageTower(_Tower):
    inputs = "pictures"
    takes = ("pixels", "pixel_values")

    def least(self) -> float:
        return self.info.quantised.least - LESS_COSINE if self.info.quantised else LEAST_COSINE

    def batch(self) -> int:
        """One if quantised: all pictures of a run share the scale of their integers, and a batch saves only a tenth."""
        return 1 if self.info.quantised else super().batch()

    def check(self) -> None:
        """Check all golden pictures of a quantised tower once on each processor, and otherwise the first."""
        if self.info.quantised is None or processors.is_checked(self.info.folder):
            super().check()
        else:
            _check_quantised(self.info, self.golden())
            processors.remember(self.info.folder)

    def files(self) -> list[str]:
        return [self.info.image.file]

    def feeds(self, items: Sequence[Image.Image]) -> dict[str, NDArray[Any]]:
        made = pixels(items, self.info.image)
        return dict.fromkeys(self.takes, made)

    def golden_items(self, arrays: Any) -> Iterator[tuple[str, Any, NDArray[Any]]]:
        for place, vector in enumerate(arrays["image_vectors"]):
            name = f"image_{place:02}"
            yield name, Image.fromarray(arrays[name]), vector


def _check_quantised(info: ModelInfo, found: Sequence[tuple[str, float]]) -> None:
    """
    Check that quantised pictures are as near to the original as where the tower was made.

    Args:
        info: The model.
        found: Label and cosine of each golden picture on this processor.

    Raises:
        BrokenModelError: The lowest cosine or the median is lower.
    """
    label, least = min(found, key=lambda pair: pair[1])
    median = statistics.median(cosine for _, cosine in found)
    int8 = info.int8
    if int8 and (least < int8.least - LESS_COSINE or median < int8.median - LESS_COSINE):
        why = "" if int8.way == SEVEN_BITS else " Its weights have 8 bits, which overflow on some processors."
        raise BrokenModelError(
            f"The quantised pictures of {info.model} must be as near to the original as where they were made (cosines: "
            f"median {int8.median:.4f}, lowest {int8.least:.4f}). Got, on this processor, median {median:.4f}, lowest "
            f"{least:.4f} for {label}.{why} Install it again with --int8, or take MEETUP2025_RUNTIME=onnx."
        )


class _TextTower(_Tower):
    inputs = "texts"
    takes = ("input_ids", "attention_mask", "token_type_ids", "position_ids")

    def files(self) -> list[str]:
        return [self.info.text.file, self.info.text.tokenizer]

    def load(self) -> Any:
        from tokenizers import Tokenizer

        with self.reading(self.info.text.tokenizer):
            self.tokenizer = Tokenizer.from_file(str(self.info.folder / self.info.text.tokenizer))
        self.tokenizer.enable_truncation(self.info.text.max_length)
        self.padding = (self.tokenizer.padding or {}).get("pad_id", 0)
        session = super().load()
        self._pad_no_further_than_needed(session)
        return session

    def _pad_no_further_than_needed(self, session: Any) -> None:
        """Switch off padding to a fixed length, which costs time, if a mask covers it and rows may be shorter."""
        lengths = {each.name: each.shape[-1] for each in session.get_inputs()}
        if "attention_mask" in lengths and not isinstance(lengths.get("input_ids"), int):
            self.tokenizer.no_padding()

    def feeds(self, items: Sequence[str]) -> dict[str, NDArray[Any]]:
        # One by one: `encode_batch` would start threads, which a process that forks later must not have.
        rows = [self.tokenizer.encode(text) for text in items]
        shape = (len(rows), max(len(row) for row in rows))
        ids = np.full(shape, self.padding, np.int64)
        mask = np.zeros(shape, np.int64)
        for place, row in enumerate(rows):
            ids[place, : len(row)] = row.ids
            mask[place, : len(row)] = row.attention_mask
        if not mask.any(axis=1).all():
            text = items[int(np.argmin(mask.any(axis=1)))]
            raise DataError(f"A text to embed must have words that {self.info.model} knows. Got {shown(text)}.")
        places = np.broadcast_to(np.arange(shape[1]), shape)
        return dict(zip(self.takes, (ids, mask, np.zeros_like(ids), places), strict=True))

    def golden_items(self, arrays: Any) -> Iterator[tuple[str, Any, NDArray[Any]]]:
        for text, vector in zip(arrays["texts"].tolist(), arrays["text_vectors"], strict=True):
            yield f"text {text[:_SHOWN]!r}", text, vector


def fitted(picture: Image.Image, info: ImageInfo) -> Image.Image:
    """
    Make a picture square, as in the training of the model.

    `pad` resizes the long side and fills the rest with the background, `crop` resizes the short side and cuts
    the middle out, `squash` resizes both.
    """
    size, (width, height) = info.seen, picture.size
    if info.fit == "squash":
        wide, high = size, size
    elif info.fit == "pad":
        wide, high = (max(1, round(side * size / max(width, height))) for side in (width, height))
    else:
        wide, high = (side * size // min(width, height) for side in (width, height))
    picture = picture.convert("RGB").resize((wide, high), _FILTERS[info.interpolation])
    square = Image.new("RGB", (info.size, info.size), info.background)
    square.paste(picture, (int((info.size - wide) / 2), int((info.size - high) / 2)))
    return square


def pixels(pictures: Sequence[Image.Image], info: ImageInfo) -> NDArray[np.float32]:
    """Return the pictures as an array of shape (n, 3, size, size), as the model takes them."""
    colours = np.stack([np.asarray(fitted(picture, info)) for picture in pictures])
    scale = np.array([1 / (255 * std) for std in info.std], np.float32)
    shift = np.array([mean / std for mean, std in zip(info.mean, info.std, strict=True)], np.float32)
    return np.ascontiguousarray((colours * scale - shift).transpose(0, 3, 1, 2))


def threads() -> int:
    """Return the number of threads for a tower: OMP_NUM_THREADS, otherwise at most `MOST_THREADS`."""
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    return int(wanted) if wanted.isdecimal() and int(wanted) else min(MOST_THREADS, os.cpu_count() or 1)
