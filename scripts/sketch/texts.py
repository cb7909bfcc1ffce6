"""
Texts about a kind: its names in every form, and phrases that are true or false of it.

The names come from the package's catalogue, the truths from `kinds.Kind.words`.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .kinds import KINDS, Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

CATALOGUE = Path(__file__).parents[2] / "src" / "python" / "meetup2025" / "catalogue"
TEMPLATES = ("{}の写真", "{}の絵", "{}の図", "これは{}", "{}です", "{}のスケッチ")
ENGLISH_TEMPLATES = ("a photo of {}", "a drawing of {}", "{}, a picture")

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    # word of kinds.py: phrases before a noun. The last one is English
    "red": ("赤い", "赤色の", "red"),
    "blue": ("青い", "青色の", "blue"),
    "silver": ("銀色の", "銀色に光る", "silver"),
    "yellow": ("黄色い", "黄色の", "yellow"),
    "black": ("黒い", "黒色の", "black"),
    "white": ("白い", "白色の", "white"),
    "brown": ("茶色い", "茶色の", "褐色の", "brown"),
    "green": ("緑色の", "緑の", "green"),
    "orange": ("オレンジ色の", "橙色の", "orange"),
    "pink": ("ピンク色の", "桃色の", "pink"),
    "purple": ("紫色の", "紫の", "purple"),
    "grey": ("灰色の", "グレーの", "grey"),
    "slender": ("細長い", "ほっそりした", "slender"),
    "long": ("とても長い", "ヘビのように長い", "very long"),
    "flat": ("平たい", "平べったい", "flat"),
    "round": ("丸い", "まるい", "round"),
    "deep": ("体高の高い", "縦に広い", "deep-bodied"),
    "striped": ("縞模様の", "しま模様の", "縞のある", "striped"),
    "bars": ("横縞の", "横縞のある", "barred"),
    "lines": ("縦縞の", "縦縞のある", "lined"),
    "waves": ("波模様の", "背中に波模様のある", "wavy patterned"),
    "spotted": ("斑点のある", "水玉模様の", "spotted"),
    "whitedots": ("白い斑点のある", "白い点々の", "white-spotted"),
    "bluedots": ("青い点のある", "青い斑点のある", "blue-dotted"),
    "mottled": ("まだら模様の", "斑模様の", "mottled"),
    "scales": ("うろこの目立つ", "鱗の大きい", "scaly"),
    "bigspot": ("大きな黒い斑のある", "黒い的のような模様のある", "one-spotted"),
    "eyeband": ("目を通る帯のある", "目に黒い帯のある", "eye-banded"),
    "yellowtail": ("尾が黄色い", "黄色い尾の", "yellow-tailed"),
    "bigfin": ("大きなひれの", "ひれが大きい", "big-finned"),
    "finlets": ("小離鰭のある", "小さなひれが並ぶ", "with finlets"),
    "adipose": ("脂びれのある", "あぶらびれのある", "with an adipose fin"),
    "barbels": ("ひげがある", "ひげのある", "ヒゲの生えた", "with barbels"),
    "eightarms": ("足が八本の", "腕が八本の", "足が8本の", "eight-armed"),
    "tenarms": ("足が十本の", "腕が十本の", "足が10本の", "ten-armed"),
    "claws": ("はさみがある", "ハサミのある", "with claws"),
    "shell": ("殻がある", "殻のある", "with a shell"),
    "spines": ("とげがある", "トゲのある", "とげとげの", "spiny"),
    "bigeye": ("目の大きな", "目が大きい", "big-eyed"),
    "teeth": ("歯の鋭い", "牙のある", "with sharp teeth"),
    "pointed": ("口のとがった", "くちばしの尖った", "pointed"),
    "bill": ("長い吻の", "剣のような口の", "billed"),
    "wings": ("翼のある", "羽のあるような", "winged"),
    "glow": ("光る", "発光する", "glowing"),
    "clear": ("透明な", "透き通った", "transparent"),
    "feelers": ("触角の長い", "長い触角のある", "with feelers"),
    "longlegs": ("脚の長い", "足が長い", "long-legged"),
    "hairy": ("毛の生えた", "毛だらけの", "hairy"),
    "star": ("星形の", "星の形の", "star-shaped"),
    "spiral": ("渦巻きの", "巻いた", "spiral"),
    "food": ("おいしそうな", "食べ物の", "edible"),
    "puffer": ("ふくらむ", "丸くふくらむ", "puffed"),
    "eel": ("ウナギ形の", "にょろにょろした", "eel-like"),
    "big": ("巨大な", "大型の", "huge"),
    "small": ("小さな", "小型の", "small"),
    "forked": ("尾が二股の", "尾びれの切れ込んだ", "fork-tailed"),
    "longfin": ("ひれの長い", "長いひれの", "long-finned"),
    "blunthead": ("おでこの丸い", "額の出た", "blunt-headed"),
    "bighead": ("頭の大きな", "頭でっかちの", "big-headed"),
    "bigmouth": ("口の大きな", "大口の", "big-mouthed"),
    "diamond": ("ひし形の", "菱形の", "diamond-shaped"),
}
NOUNS: dict[str, tuple[str, ...]] = {
    # a group or a plan of kinds.py, or `animal`: nouns. The last one is English
    "animal": ("生き物", "動物", "animal"),
    "fish": ("魚", "さかな", "フィッシュ", "fish"),
    "squid": ("イカ", "いか", "烏賊", "squid"),
    "octopus": ("タコ", "たこ", "蛸", "octopus"),
    "shrimp": ("エビ", "えび", "海老", "shrimp"),
    "crab": ("カニ", "かに", "蟹", "crab"),
    "shell": ("貝", "かい", "貝殻", "shellfish"),
    "shark": ("サメ", "さめ", "鮫", "shark"),
    "ray": ("エイ", "えい", "ray"),
    "puffer": ("フグ", "ふぐ", "河豚", "pufferfish"),
    "cephalopod": ("頭足類", "軟体動物の仲間", "cephalopod"),
    "crustacean": ("甲殻類", "甲殻類の仲間", "crustacean"),
    "jelly": ("クラゲ", "くらげ", "海月", "jellyfish"),
    "urchin": ("ウニ", "うに", "海胆", "sea urchin"),
    "star": ("ヒトデ", "ひとで", "海星", "starfish"),
    "stray": ("置き物", "魚ではない物", "thing"),
}


@dataclass(frozen=True)
class Phrases:
    """
    Descriptions and their truth: `truth` is (phrases, kinds), 1 or 0, in the order of `kinds.KINDS`.
    """

    texts: tuple[str, ...]
    truth: NDArray[np.float32]


def read(folder: Path = CATALOGUE) -> dict[str, dict[str, str]]:
    """
    Read the rows of fish.csv and strays.csv by name.
    """
    rows: dict[str, dict[str, str]] = {}
    for file in ("fish.csv", "strays.csv"):
        with (folder / file).open(encoding="utf-8-sig", newline="") as stream:
            rows.update({row["Name"]: row for row in csv.DictReader(stream)})
    return rows


def hiragana(text: str) -> str:
    """
    Write katakana as hiragana.
    """
    return "".join(chr(ord(c) - 0x60) if "ァ" <= c <= "ヶ" else c for c in text)


def forms(row: dict[str, str]) -> list[str]:
    """
    Return every written form of one kind, its name first.
    """
    given = [
        row["Name"],
        hiragana(row["Name"]),
        row["Kanji"],
        *row["OtherNames"].split(";"),
        row["English"],
        row["Scientific"],
    ]
    return list(dict.fromkeys(form.strip() for form in given if form and form.strip()))


def names(folder: Path = CATALOGUE) -> dict[str, list[str]]:
    """Return the forms of every kind. A form of two kinds belongs to none, unless it is a kind's own name."""
    table = {name: forms(row) for name, row in read(folder).items()}
    owners: dict[str, set[str]] = {}
    for name, given in table.items():
        for form in given:
            owners.setdefault(form.lower(), set()).add(name)
    return {
        name: [f for f in table[name] if f == name or (len(owners[f.lower()]) == 1 and f not in table)]
        for name in KINDS
    }


def is_a(kind: Kind, noun: str) -> bool:
    """Check whether a noun of `NOUNS` is true of a kind."""
    if noun == "animal":
        return not kind.group.startswith("stray")
    if noun == "shell":
        return kind.group == "shell"
    if noun == "stray":
        return kind.group.startswith("stray")
    return noun in (kind.group, kind.plan) or (noun == "shrimp" and noun in kind.words)


def phrases() -> Phrases:
    """
    Return every description that is true of some kind, alone and before a noun.
    """
    kinds = list(KINDS.values())
    texts: list[str] = []
    truth: list[list[bool]] = []
    for noun, nouns in NOUNS.items():
        of_noun = [is_a(kind, noun) for kind in kinds]
        for text in nouns:
            texts.append(text)
            truth.append(of_noun)
        for word, before in ATTRIBUTES.items():
            both = [a and word in kind.words for a, kind in zip(of_noun, kinds, strict=True)]
            if not any(both) or (noun not in ("fish", "animal") and both == of_noun):
                continue
            texts += [b + n for b in before[:-1] for n in nouns[: 2 if noun == "fish" else 1]] + [
                f"{before[-1]} {nouns[-1]}"
            ]
            truth += [both] * (len(texts) - len(truth))
    for word, before in ATTRIBUTES.items():
        texts += before
        truth += [[word in kind.words for kind in kinds]] * len(before)
    return Phrases(tuple(texts), np.array(truth, dtype=np.float32))


def features() -> NDArray[np.float32]:
    """
    Return a unit vector (kinds, features) for every kind. The cosines follow the common properties of kinds.

    Animals share a little, animals of one group much, animals of one build more, and common words some. Other things
    share only words. The rest of each kind is its own.
    """
    kinds = list(KINDS.values())
    rows: list[dict[str, float]] = []
    for kind in kinds:
        animal = is_a(kind, "animal")
        plan = "finned" if kind.plan in ("ordinary", "slender", "reef", "bill") else kind.plan
        shares = {
            "animal": 0.12 * animal,
            kind.group: 0.40 if kind.group == "fish" else 0.50 * animal,
            kind.group + plan: 0.15 if kind.group == "fish" else 0.05 * animal,
        }
        shares |= {f"word {word}": 0.10 / len(kind.words) for word in kind.words}
        rows.append(shares | {f"name {kind.name}": 1 - sum(shares.values())})
    columns = sorted(set().union(*rows))
    return np.sqrt(np.array([[row.get(column, 0.0) for column in columns] for row in rows], dtype=np.float32))


def likeness() -> NDArray[np.float32]:
    """
    Return the cosines (kinds, kinds) that names should have.
    """
    table = features()
    return np.asarray(table @ table.T)
