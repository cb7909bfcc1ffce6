"""
Measure the effect of prompts: `python -m scripts.sketch.prompts [--model ID] [--photos FOLDER]`.

Names are embedded bare, in templates, and with each kind of other name. Then these vectors name drawings that no
training saw, or photographs of yours.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from meetup2025 import vectors
from meetup2025.embedding import Encoder, encoder
from meetup2025.loading.prompts import BARE, Template, prompts, record
from meetup2025.loading.records import read_names, read_templates
from meetup2025.loading.rows import StoredFish

from .evaluate import Vectors, embed_drawings
from .kinds import KINDS
from .texts import CATALOGUE, hiragana

if TYPE_CHECKING:
    from collections.abc import Iterator

GROWTH = """
マメアジ ゼンゴ ジンタ ヒラゴ コバイワシ チュウバイワシ オオバイワシ モジャコ ワカシ イナダ ワラサ
ツバス ハマチ メジロ フクラギ ガンド ヤズ ワカナゴ ショッコ ショゴ シオ ネリゴ メジ メジマグロ
ヨコワ ヒッサゲ カキノタネ サゴシ サゴチ チャリコ チンチン カイズ ケイズ メイタ ババタレ サンバソウ
クチグロ クチジロ セイゴ フッコ ハネ アオボッケ ロウソクボッケ ハルボッケ ネボッケ ソゲ シラスウナギ
クロコ ノレソレ デンスケ コアユ ヒウオ オチアユ ケイジ 鮭児 ハク オボコ スバシリ イナ イナッコ
トド ピンギス ヒジタタキ デキハゼ ケタハゼ ヒネハゼ ウリンボウ ウリボウ カンヌキ エンピツ ムギイカ
バライカ シンイカ サイマキ サイマキエビ マキ
""".split()  # noqa: SIM905 - a list of seventy lines says no more
"""Other names of the catalogue that mean a size or an age."""

OTHER = ("respelt", "collective", "growth stage", "market and region")
"""Kinds of other names."""


@dataclass(frozen=True)
class Way:
    """Ways to make texts of names: templates, and the other names that take part."""

    label: str
    chosen: frozenset[Template]
    others: tuple[str, ...] = OTHER


def options() -> argparse.Namespace:
    """
    Read the command line.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--model", default="sketch", help="id of a model, or its folder")
    parser.add_argument("--per-kind", type=int, default=20, help="drawings of each kind")
    parser.add_argument("--seed", type=int, default=0, help="first test seed")
    parser.add_argument("--photos", type=Path, help="photographs whose file or folder is called as the kind")
    parser.add_argument("--prompts", type=Path, default=CATALOGUE / "prompts.csv", help="file of templates")
    return parser.parse_args()


def fish() -> dict[str, StoredFish]:
    """
    Read the rows of the catalogue, strays included, by name in the order of the kinds.
    """
    found = {}
    for file in ("fish.csv", "strays.csv"):
        with (CATALOGUE / file).open("rb") as stream:
            for each in read_names(stream, file):
                words = each.kanji or "", each.other_names or "", each.english or "", each.scientific or ""
                found[each.name] = StoredFish(each.fish_id, each.name, *words)
    return {name: found[name] for name in KINDS}


def what(other: str, row: StoredFish) -> str:
    """
    Return the kind of an other name: a spelling, the end of the name (アジ of マアジ), a growth stage, or the rest.
    """
    spelt, own = hiragana(other), hiragana(row.name)
    if spelt == own:
        return "respelt"
    if own.endswith(spelt) or row.kanji.endswith(other):
        return "collective"
    return "growth stage" if other in GROWTH else "market and region"


def texts_of(row: StoredFish, way: Way) -> list[str]:
    """Return the prompts of a row, or its bare name where the columns of the row are empty."""
    others = ";".join(each for each in row.other_names.split(";") if what(each, row) in way.others)
    return prompts(replace(row, other_names=others, prompts=record(way.chosen))) or [row.name]


def ways(file: Path) -> Iterator[Way]:
    """Yield the compared ways."""
    name, kanji, other = (Template(column, "{}") for column in ("Name", "Kanji", "OtherNames"))
    yield Way("bare name", BARE)
    for text in ("{}の写真", "{}の絵", "{}の画像", "釣れた{}", "市場に並ぶ{}"):
        yield Way(text, frozenset({Template("Name", text)}))
    yield Way("name, {} and {}の写真", frozenset({name, Template("Name", "{}の写真")}))
    yield Way("name, kanji", frozenset({name, kanji}))
    for kind in OTHER:
        yield Way(f"name, {kind} names", frozenset({name, other}), (kind,))
    yield Way("name, all other names", frozenset({name, other}))
    yield Way("name, kanji, all other names", frozenset({name, kanji, other}))
    yield Way("growth stages alone, else name", frozenset({other}), ("growth stage",))
    for column in ("English", "Scientific"):
        yield Way(f"name, {column}", frozenset({name, Template(column, "{}")}))
    with file.open("rb") as stream:
        yield Way(file.name, read_templates(stream, file.name))


def means(model: Encoder, rows: list[StoredFish], way: Way, known: dict[str, Vectors]) -> Vectors:
    """Return the vector of each row. *known* keeps the vectors of the texts."""
    new = sorted({text for row in rows for text in texts_of(row, way)} - set(known))
    if new:
        known.update(zip(new, model.texts(new), strict=True))
    return np.stack([vectors.mean(np.stack([known[text] for text in texts_of(row, way)])) for row in rows])


def pictures(model: Encoder, given: argparse.Namespace) -> tuple[Vectors, list[int]]:
    """Embed the pictures. Return the vectors, shape (n, d), and the index of the kind of each."""
    kinds = list(KINDS)
    if given.photos is None:
        drawn = embed_drawings(model, given.per_kind, given.seed)
        return drawn.reshape(-1, drawn.shape[-1]), [kind for kind in range(len(kinds)) for _ in range(given.per_kind)]
    made, right = [], []
    for file in sorted(given.photos.rglob("*")):
        kind = next((name for name in (file.stem, file.parent.name) if name in KINDS), None)
        if kind and file.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp"):
            with Image.open(file) as picture:
                made.append(model.images([picture.convert("RGB")])[0])
            right.append(kinds.index(kind))
    return np.stack(made), right


def main() -> None:
    """
    Measure and print.
    """
    given = options()
    model, rows, known = encoder(given.model), list(fish().values()), {}  # type: Encoder, list[StoredFish], dict[str, Vectors]
    seen, right = pictures(model, given)
    print(f"{model.model}: {len(seen)} pictures of {len(set(right))} kinds, {len(rows)} names")
    print(f"{'names as':<32} texts  top-1   top-3   margin  cosine to bare")
    bare = means(model, rows, Way("", BARE), known)
    for way in ways(given.prompts):
        names = means(model, rows, way, known)
        scores = seen @ names.T
        own = scores[np.arange(len(seen)), right]
        place = (scores > own[:, None]).sum(axis=1)
        scores[np.arange(len(seen)), right] = -np.inf
        told = np.mean([len(texts_of(row, way)) for row in rows]), (place == 0).mean(), (place < 3).mean()
        line = f"{told[0]:5.1f}  {told[1]:.4f}  {told[2]:.4f}  {(own - scores.max(axis=1)).mean():6.3f}"
        print(f"{way.label:<32} {line}  {(names * bare).sum(axis=1).mean():.3f}")


if __name__ == "__main__":
    main()
