"""
Measure the sketch model on fresh drawings: `python -m scripts.sketch.evaluate [--per-kind 20] [--photos FOLDER]`.

It needs the package, but no torch. The drawings come from seeds that no training uses.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from meetup2025.embedding import Encoder, encoder

from .draw import SEEDS, draw
from .kinds import KINDS
from .texts import likeness, phrases

Vectors = NDArray[np.float32]
WORKSHOP = ("マアジ", "ボタンエビ", "マダコ")  # the exemplars of the workshop's query for odd ones
UNREAD = ("ピアノ", "コーヒー", "自転車", "寿司", "富士山", "ラーメン", "piano", "hello world")


def options() -> argparse.Namespace:
    """
    Read the command line.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--model", default="sketch", help="id of a model, or its folder")
    parser.add_argument("--per-kind", type=int, default=20, help="drawings of each kind")
    parser.add_argument("--seed", type=int, default=0, help="first test seed")
    parser.add_argument("--photos", type=Path, help="folder of photographs whose file names are names of kinds")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args()


def embed_drawings(model: Encoder, per_kind: int, first: int, sizes: tuple[int, ...] = (256, 320, 384)) -> Vectors:
    """Draw and embed `per_kind` pictures of every kind, shape (kinds, per_kind, d)."""
    rows = []
    for name in KINDS:
        seeds = SEEDS["test"][first : first + per_kind]
        rows.append(model.images([draw(name, seed, sizes[seed % len(sizes)]) for seed in seeds]))
    return np.stack(rows)


def naming(pictures: Vectors, names: Vectors) -> dict[str, Any]:
    """
    Return how often the right name is first, or among the first three, and the worst confusions.
    """
    kinds = list(KINDS)
    order = np.argsort(-(pictures @ names.T), axis=2)
    right = np.arange(len(kinds))[:, None]
    wrong = Counter((kinds[i], kinds[j]) for i, row in enumerate(order[:, :, 0]) for j in row if i != j)
    per_kind = (order[:, :, 0] == right).mean(axis=1)
    low = np.argsort(per_kind)[:8]
    return {
        "top1": float((order[:, :, 0] == right).mean()),
        "top3": float((order[:, :, :3] == right[..., None]).any(axis=2).mean()),
        "worst kinds": {kinds[i]: float(per_kind[i]) for i in low},
        "confusions": [(a, b, n) for (a, b), n in wrong.most_common(12)],
    }


def finding(pictures: Vectors, names: Vectors, k: int = 5) -> float:
    """
    Return how often a name finds its picture among the first k, in galleries of one picture of each kind.
    """
    scores = np.einsum("nd,kgd->gnk", names, pictures)
    best = np.argsort(-scores, axis=2)[:, :, :k]
    return float((best == np.arange(len(names))[None, :, None]).any(axis=2).mean())


def describing(model: Encoder, pictures: Vectors, k: int = 5) -> dict[str, Any]:
    """
    Return the precision of the first k pictures for descriptions, and the base rate.

    A description counts if it is true of at least k and at most half of the kinds, so that 1 can be reached.
    """
    told = phrases()
    share = told.truth.sum(axis=1)
    used = np.flatnonzero((share >= k) & (share <= len(KINDS) / 2))
    scores = np.einsum("pd,kgd->gpk", model.texts([told.texts[i] for i in used]), pictures)
    best = np.argsort(-scores, axis=2)[:, :, :k]
    hits = np.take_along_axis(
        np.broadcast_to(told.truth[used], (len(pictures[0]), len(used), len(KINDS))), best, axis=2
    )
    each = hits.mean(axis=(0, 2))
    low = np.argsort(each)[:6]
    return {
        "phrases": len(used),
        "precision at 5": float(each.mean()),
        "base rate": float(told.truth[used].mean()),
        "weakest": {told.texts[used[i]]: float(each[i]) for i in low},
    }


def likenesses(names: Vectors) -> dict[str, Any]:
    """
    Return how the cosines between names spread, and the answer to the workshop's query for odd ones.
    """
    kinds = list(KINDS)
    cosines = names @ names.T
    groups = [(kind.group, kind.plan) for kind in KINDS.values()]
    pairs = {"same group and build": [], "same group": [], "other group": [], "no animal": []}  # type: dict[str, list[float]]
    for i in range(len(kinds)):
        for j in range(i):
            a, b = groups[i], groups[j]
            stray = "stray" in a[0] or "stray" in b[0]
            where = (
                "no animal"
                if stray
                else "same group and build"
                if a == b
                else "same group"
                if a[0] == b[0]
                else "other group"
            )
            pairs[where].append(float(cosines[i, j]))
    near = cosines[:, [kinds.index(name) for name in WORKSHOP]].max(axis=1)
    odd = " ".join(f"{kinds[i]} {near[i]:.2f}" for i in np.argsort(near) if near[i] < 0.6)
    error = float(np.abs(cosines - likeness()).mean())
    return {
        "cosines (5 %, median, 95 %)": {
            key: [round(float(v), 2) for v in np.percentile(rows, (5, 50, 95))] for key, rows in pairs.items()
        },
        "mean error to the wanted cosines": error,
        "below 0.6 to all three": odd,
    }


def unknown(model: Encoder, names: Vectors) -> dict[str, str]:
    """
    Return the nearest name, and its cosine, for words that the model has never read.
    """
    best = model.texts(UNREAD) @ names.T
    return {word: f"{list(KINDS)[int(row.argmax())]} {row.max():.2f}" for word, row in zip(UNREAD, best, strict=True)}


def photographs(model: Encoder, folder: Path, names: Vectors) -> list[tuple[str, int, list[str]]]:
    """
    Return for each photograph its name, the place of the right name, and the first three names.
    """
    kinds = list(KINDS)
    found = []
    for file in sorted(folder.iterdir()):
        if file.stem in KINDS and file.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp"):
            with Image.open(file) as picture:
                order = np.argsort(-(model.images([picture.convert("RGB")]) @ names.T)[0])
            found.append(
                (file.stem, int(np.flatnonzero(order == kinds.index(file.stem))[0]) + 1, [kinds[i] for i in order[:3]])
            )
    return found


def measure(given: argparse.Namespace) -> dict[str, Any]:
    """
    Return every number as one record.
    """
    model = encoder(given.model)
    names = model.texts(list(KINDS))
    pictures = embed_drawings(model, given.per_kind, given.seed)
    single = draw("マアジ", SEEDS["test"][0], 320)
    start = time.perf_counter()
    for _ in range(20):
        model.images([single])
    record = {
        "model": model.model,
        "kinds": len(KINDS),
        "drawings": len(KINDS) * given.per_kind,
        "ms a picture": (time.perf_counter() - start) / 20 * 1000,
        "naming": naming(pictures, names),
        "name finds picture, recall at 5": finding(pictures, names),
        "describing": describing(model, pictures),
        "names": likenesses(names),
        "words never read": unknown(model, names),
    }
    if given.photos:
        record["photographs"] = photographs(model, given.photos, names)
    return record


def show(record: dict[str, Any], indent: int = 0) -> None:
    """
    Print a record as a table.
    """
    for key, value in record.items():
        if isinstance(value, dict):
            print(" " * indent + key)
            show(value, indent + 2)
        elif isinstance(value, list) and value and isinstance(value[0], (list, tuple)):
            print(" " * indent + key)
            for row in value:
                print(
                    " " * (indent + 2)
                    + "  ".join(" ".join(map(str, cell)) if isinstance(cell, list) else str(cell) for cell in row)
                )
        else:
            print(" " * indent + f"{key:<36} {f'{value:.3f}' if isinstance(value, float) else value}")


def main() -> None:
    """
    Measure and print.
    """
    given = options()
    record = measure(given)
    if given.json:
        print(json.dumps(record, ensure_ascii=False, indent=2))
    else:
        show(record)


if __name__ == "__main__":
    main()
