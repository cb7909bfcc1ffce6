"""Models: folders of models and fitted models of which bytes have changed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
from blobs import blobs
from copied import MODEL, copied_model
from harness import Tally, folder, limited, part
from PIL import Image

from meetup2025 import embedding
from meetup2025.analytics import fitted
from meetup2025.analytics.clusters import Clusters, fit_clusters
from meetup2025.analytics.forest import IsolationForest
from meetup2025.errors import BrokenModelError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from random import Random

_CHANGES = 60
"""Changes of each file of a model folder."""

_FITTED = 400
_MEMORY = 3_000_000_000


@part
def models(random: Random) -> Iterator[Tally]:
    """Change bytes of a model folder, and of fitted models: each change is refused, or changes no vector."""
    with folder() as place:
        os.environ["MEETUP2025_MODELS"] = str(place)
        target = copied_model(place)
        right = limited(_vectors, seconds=30, memory=_MEMORY)
        tally = Tally("model folders with changed bytes")
        tally.add("the whole model", right)
        for file in sorted(target.iterdir()):
            _changed(random, tally, file, right.told)
        del os.environ["MEETUP2025_MODELS"]
        yield tally
    yield _fitted(random)


def _vectors() -> str:
    """Return the vectors of a text and of a picture, rounded."""
    model = embedding.encoder(MODEL)
    found = [*model.texts(["サバ"]), *model.images([Image.new("RGB", (64, 32), "navy")])]
    return str([np.round(row[:40].astype(float), 4).tolist() for row in found])


def _changed(random: Random, tally: Tally, file: Path, right: str) -> None:
    whole = file.read_bytes()
    for data in _changes(random, whole):
        file.write_bytes(data)
        outcome = limited(_vectors, seconds=20, memory=_MEMORY)
        tally.add(file.name, outcome)
        is_harmless = outcome.kind == "refused" or outcome.told == right
        tally.check(f"{file.name}: taken, with other vectors", outcome.is_fault or is_harmless)
        tally.tries -= 1
    file.write_bytes(whole)


def _changes(random: Random, data: bytes) -> Iterator[bytes]:
    """Yield a file with other bytes: empty, cut, doubled, foreign, and with one byte of each kind of place changed."""
    yield from (b"", data[: len(data) // 2], data * 2, b"\0" * len(data), b"[" * 200_000, random.randbytes(999))
    yield from (data[:-1], data + b"\n\0", data.replace(b"0", b"9", 1), data.replace(b'": "', b'": ["', 1))
    for place in range(_CHANGES - 10):
        at = place * len(data) // (_CHANGES - 10)
        yield data[:at] + bytes([data[at] ^ (1 << random.randrange(8))]) + data[at + 1 :]


def _fitted(random: Random) -> Tally:
    tally = Tally("fitted models with changed bytes")
    rows = blobs(200, 3).rows
    for model in (fit_clusters(rows, 3), IsolationForest.fit(rows)):
        content = fitted.pack(model)
        for _ in range(_FITTED // 2):
            at = random.randrange(len(content))
            changed = bytearray(content)
            changed[at] ^= random.randrange(1, 256)
            cut = random.choice((bytes(changed), content[:at], content + b"\0", content[:at] + content[at + 1 :]))
            try:
                fitted.unpack(cut, type(model))
                tally.check(f"{type(model).__name__}, byte {at} of {len(content)}", holds=False)
            except BrokenModelError:
                tally.check("", holds=True)
        other = IsolationForest if isinstance(model, Clusters) else Clusters
        tally.check("a model of another kind is taken", _is_refused(content, other))
    return tally


def _is_refused(content: bytes, kind: type) -> bool:
    try:
        fitted.unpack(content, kind)
    except BrokenModelError:
        return True
    return False
