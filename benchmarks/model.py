"""
A model of the size of clip-japanese-base, installed by the command: from a cold start, warm, in batches, in memory.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks import original, pictures
from benchmarks.measure import OURS, WORKSHOP, Result, Way, by_turns
from meetup2025 import images
from meetup2025.embedding.models import BUNDLED
from meetup2025.embedding.onnx import OnnxEncoder

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
INT8 = "ours, int8"

LEAST_JPEG, LEAST_BULK, LEAST_MEMORY = 2.5, 2.0, 0.6
"""Times as fast as the workshop, for a large picture and in bulk, and share of its memory."""

_SAMPLE, _ALL = 40, 1000
_CHILD = (
    "import sys; from pathlib import Path; from benchmarks.measure import peak_memory; from meetup2025 import images; "
    "from meetup2025.embedding import encoder; model = encoder(sys.argv[2]); "
    "model.images([images.open_picture(Path(sys.argv[1]).read_bytes(), longest=model.picture_size)]); "
    "print(peak_memory())"
)


def measure(folder: Path, photos: Path | None) -> Iterator[Result]:  # noqa: ARG001 - as the other subjects
    """
    Measure the first vector, one picture, batches, twelve megapixels, a thousand pictures and memory, also of `sketch`.
    """
    large = str(folder / "large.jpg")
    # In processes of their own: the peak of a process also counts for the processes that it starts.
    _run(sys.executable, "-c", f"from benchmarks import pictures; open({large!r}, 'wb').write(pictures.photograph())")
    drawn = pictures.drawings(folder, _SAMPLE)
    yield from _sketch_cold(drawn[0])
    if not original.is_possible():
        yield from _sketch_warm(folder, drawn)
        yield Result("a model of 196 M parameters", WORKSHOP, (), note="left out: needs the extra [clip]")
        return
    os.environ["MEETUP2025_MODELS"] = str(folder / "models")
    _run(sys.executable, "-c", f"from benchmarks import original; original.publish({str(folder / 'bench')!r})")
    yield from _installed(folder)
    yield from _cold(folder, drawn[0])
    yield from _sketch_warm(folder, drawn)
    yield from _warm(folder, drawn)


def _sketch_cold(path: Path) -> Iterator[Result]:
    memory: list[float] = []
    command = (sys.executable, "-c", _CHILD, str(path), "sketch")
    first = Way(OURS, lambda: memory.append(float(_run(*command))))
    yield from by_turns("sketch: first vector of a new process", first, runs=5)
    yield Result("sketch: memory of that process", OURS, tuple(memory), unit="MB")


def _sketch_warm(folder: Path, drawn: list[Path]) -> Iterator[Result]:
    ours = OnnxEncoder(BUNDLED / "sketch")
    eight = _opened(ours, drawn[:8])
    for what, run, scale, runs in (
        ("one picture of 640 pixels", lambda: ours.images(_opened(ours, drawn[:1])), 1, 9),
        ("one picture of 12 megapixels", lambda: ours.images(_opened(ours, [folder / "large.jpg"])), 1, 9),
        ("1,000 pictures of 640 pixels", lambda: ours.images(_opened(ours, drawn)), _ALL / _SAMPLE, 5),
        ("batch of 8, decoded", lambda: ours.images(eight), 1, 9),
    ):
        yield from by_turns(f"sketch: {what}", Way(OURS, run, scale), runs=runs)


def _opened(encoder: OnnxEncoder, paths: list[Path]) -> list[images.Image.Image]:
    return [images.open_picture(path.read_bytes(), longest=encoder.picture_size) for path in paths]


def _installed(folder: Path) -> Iterator[Result]:
    command = "from meetup2025.cli import main; main()"
    install = [sys.executable, "-c", command, "model", "install", str(folder / "bench"), "--int8"]
    yield from by_turns("install, with --int8", Way(OURS, lambda: _run(*install)), runs=1, warm_up=0)


def _cold(folder: Path, path: Path) -> Iterator[Result]:
    """Time the first vector of a new process, and its memory."""
    memory: dict[str, list[float]] = {OURS: [], INT8: [], WORKSHOP: []}

    def run(way: str, *command: str, **environment: str) -> Way:
        return Way(way, lambda: memory[way].append(float(_run(sys.executable, *command, **environment))))

    ours = run(OURS, "-c", _CHILD, str(path), "bench")
    small = run(INT8, "-c", _CHILD, str(path), "bench", MEETUP2025_RUNTIME="int8")
    theirs = run(WORKSHOP, "-m", "benchmarks.original", str(folder / "bench"), str(path))
    what = "first vector of a new process"
    full = list(by_turns(what, ours, theirs, small, runs=5, aim=1.5))
    yield from full[:2]
    yield Result(f"{what}, int8", OURS, full[2].values, processor=full[2].processor, aim=0.8)
    kept = [Result("memory of that process", way, tuple(values), unit="MB") for way, values in memory.items()]
    yield from _aimed(kept, 1 / LEAST_MEMORY)


def _warm(folder: Path, drawn: list[Path]) -> Iterator[Result]:
    [home] = (folder / "models").glob("bench@*")
    ours, small, theirs = OnnxEncoder(home), OnnxEncoder(home, int8=True), original.Transformers(folder / "bench")

    def each(
        what: str, paths: list[Path], scale: float = 1.0, runs: int = 9, times: float | None = None
    ) -> Iterator[Result]:
        ways = [Way(name, lambda model=model: model.images(_opened(ours, paths)), scale)
                for name, model in ((OURS, ours), (INT8, small))]  # fmt: skip
        note = "one by one, decoded in full"
        one_by_one = Way(WORKSHOP, lambda: [theirs.picture(path) for path in paths], scale, note)
        yield from _aimed(list(by_turns(what, *ways, one_by_one, runs=runs)), times)

    yield from each("one picture of 640 pixels", drawn[:1])
    yield from each("one picture of 12 megapixels", [folder / "large.jpg"], times=LEAST_JPEG)
    yield from each("1,000 pictures of 640 pixels", drawn, _ALL / _SAMPLE, runs=2, times=LEAST_BULK)
    yield from _batches(ours, small, theirs, _opened(ours, drawn[:8]))
    yield from _texts(ours, theirs)


def _aimed(results: list[Result], times: float | None) -> Iterator[Result]:
    """Set the aim of ours, if there is one: this many times less than the workshop has."""
    [median] = [each.median or 0 for each in results if each.way == WORKSHOP]
    for each in results:
        yield replace(each, aim=median / times) if times and each.way == OURS else each


def _batches(
    ours: OnnxEncoder, small: OnnxEncoder, theirs: original.Transformers, eight: list[images.Image.Image]
) -> Iterator[Result]:
    import torch

    prepared = torch.from_numpy(np.zeros((8, 3, 224, 224), np.float32))
    ways = (
        Way(OURS, lambda: ours.images(eight)),
        Way(INT8, lambda: small.images(eight)),
        Way(WORKSHOP, lambda: theirs.pixels(prepared), note="in one batch, prepared before"),
    )
    yield from by_turns("batch of 8, decoded", *ways, runs=5)


def _texts(ours: OnnxEncoder, theirs: original.Transformers) -> Iterator[Result]:
    import torch

    names = [f"{name}の写真" for name in ("マアジ", "クロマグロ", "ボタンエビ", "鯛") * 25]

    def run() -> None:
        with torch.no_grad():
            for name in names:
                theirs.model.get_text_features(**theirs.tokenizer([name], return_tensors="pt"))

    theirs_alone = Way(WORKSHOP, run, note="one by one")
    yield from by_turns("100 names", Way(OURS, lambda: ours.texts(names)), theirs_alone, runs=3)


def _run(*command: str, **environment: str) -> str:
    values = {**os.environ, "HF_HUB_OFFLINE": "1", **environment}
    return subprocess.run(command, cwd=ROOT, env=values, check=True, capture_output=True, text=True).stdout
