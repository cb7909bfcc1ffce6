# ruff: noqa: C408, E501 - a kind is a row of a table, its parts are named arguments
"""
All kinds that the sketch model knows: their drawings, their groups, and the words that are true of them.

The names are the names of the catalogue. `check` finds names without a drawing and drawings without a name.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from . import cephalopods, crabs, crustaceans, flat, oddfish, shells, soft, strays
from .body import Fish
from .fish import draw_fish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from PIL import Image

    from .sprite import Sprite


@dataclass(frozen=True)
class Kind:
    """
    One kind: `group` is the animal group, `plan` the build within it, `words` the true attributes (see texts.py).
    """

    name: str
    group: str
    plan: str
    words: frozenset[str]
    draw: Callable[[Sprite], Image.Image]
    flip: bool = True


KINDS: dict[str, Kind] = {}


def add(
    name: str, group: str, plan: str, words: str, draw: Callable[[Sprite], Image.Image], *, flip: bool = True
) -> None:
    """
    Enter a kind.
    """
    KINDS[name] = Kind(name, group, plan, frozenset(words.split()), draw, flip)


def fish(name: str, words: str, plan: str = "ordinary", **spec: Any) -> None:
    """
    Enter a fish that is drawn from the side.
    """
    add(name, "fish", plan, words, partial(draw_fish, spec=Fish(**spec)))


def check(names: Iterable[str]) -> None:
    """
    Compare the drawings with the catalogue.

    Raises:
        ValueError: A name has no drawing, or a drawing has no name.
    """
    names = set(names)
    if names != set(KINDS):
        raise ValueError(
            f"Every catalogue name must have a drawing, and the other way round. Without a drawing: "
            f"{sorted(names - set(KINDS))}; without a name: {sorted(set(KINDS) - names)}."
        )


# fmt: off
TWO = ((0.30, 0.44, 0.11, "spiny"), (0.48, 0.90, 0.075, "low"))  # a spiny and a soft fin on the back
SPINY = ((0.26, 0.86, 0.13, "spiny"),)
JACK_ANAL = ((0.56, 0.90, 0.07, "low"),)
TUNA = ((0.30, 0.50, 0.11, "sickle"), (0.56, 0.70, 0.13, "sickle"))
MID = ((0.42, 0.58, 0.11, "tri"),)
ADIPOSE_ANAL = ((0.66, 0.78, 0.09, "tri"),)

# Jacks, mackerels, tunas, herrings
fish("マアジ", "silver forked scutes yellowtail", deep=0.27, back="6f7f58", side="cfd0b8", belly="f6f4ea", fin="c9b870", tail_colour="d8b23c",
     dorsal=TWO, anal=JACK_ANAL, tail=("fork", 0.22, 0.34), eye=(0.10, -0.10, 0.034, "e8d8a0"),
     marks=(("keel", "f0d060"), ("keel", "8a7a40"), ("blotch", "2a2a22", 0.235, 0.34, 0.018)))
fish("マサバ", "blue silver waves forked finlets", deep=0.22, peak=0.4, stalk=0.12, back="2f6f86", side="c6d4d8", belly="f4f5f2", edge=(0.38, 0.66), fin="7c8c8c",
     dorsal=((0.30, 0.46, 0.10, "tri"), (0.58, 0.72, 0.07, "tri")), anal=((0.60, 0.74, 0.06, "tri"),), tail=("lunate", 0.17, 0.27), parts=("finlets",),
     marks=(("waves", "14323c", 0.44, 15),))
fish("マイワシ", "silver blue slender dotrow forked small", deep=0.185, back="24567e", side="cfdce4", belly="f8f8f6", edge=(0.30, 0.50), fin="9aa8ac", dorsal=MID, anal=((0.74, 0.88, 0.04, "low"),),
     pelvic=(0.52, 0.08), tail=("fork", 0.17, 0.23), stalk=0.28, marks=(("row", "1c2c3c", 8, 0.0135, 0.45, (0.26, 0.86)),), eye=(0.09, -0.05, 0.026, "dfe6e8"))
fish("サンマ", "silver blue slender finlets pointed forked", plan="slender", deep=0.115, peak=0.45, stalk=0.22, snout=0.12, long=0.76, back="1d3f6e", side="c4d2dc", belly="f8f8f8", edge=(0.34, 0.56), fin="7f8f90",
     dorsal=((0.70, 0.80, 0.05, "tri"),), anal=((0.68, 0.80, 0.05, "tri"),), pelvic=(0.55, 0.05), pectoral=(0.22, 0.07, "soft"), tail=("fork", 0.11, 0.16),
     eye=(0.085, -0.02, 0.017, "e8e8e0"), gill=0.18, parts=("finlets", "beak"))
fish("ブリ", "blue silver yellowline yellowtail forked", deep=0.255, peak=0.38, stalk=0.17, back="28586e", side="c2d0d2", belly="f6f6f2", fin="8a9a70", tail_colour="c8b03c",
     dorsal=((0.30, 0.38, 0.05, "spiny"), (0.42, 0.92, 0.085, "low")), anal=((0.62, 0.92, 0.065, "low"),), tail=("fork", 0.21, 0.32),
     marks=(("lines", "d8b838", (0.46,), 0.075, (0.02, 1.1)),))
fish("カンパチ", "brown purple forked eyeband", deep=0.31, peak=0.38, stalk=0.16, blunt=(0.62, 0.75), back="7a5060", side="cfb4ac", belly="f2ece8", fin="806048", tail_colour="6a4a44",
     dorsal=((0.30, 0.38, 0.05, "spiny"), (0.42, 0.92, 0.12, "sickle")), anal=((0.62, 0.92, 0.08, "low"),), tail=("fork", 0.21, 0.34),
     marks=(("lines", "d8a858", (0.46,), 0.05, (0.12, 1.1)), ("bars", "3c2018", (0.155,), 0.050, (-0.2, 0.55), 0.22)))
fish("ヒラマサ", "blue silver yellowline yellowfins slender forked", deep=0.20, peak=0.38, stalk=0.17, back="1e7890", side="b8d8dc", belly="f6f8f4", fin="e8c020", tail_colour="f0c818",
     dorsal=((0.32, 0.40, 0.04, "spiny"), (0.44, 0.92, 0.07, "low")), anal=((0.64, 0.92, 0.055, "low"),), tail=("fork", 0.22, 0.32), pelvic=(0.36, 0.13),
     marks=(("lines", "f8d010", (0.45,), 0.15, (0.02, 1.1)),))
fish("クロマグロ", "black blue silver forked finlets yellowfinlets big", deep=0.29, peak=0.40, stalk=0.07, back="141c34", side="8a98a8", belly="e6eaee", edge=(0.36, 0.70), fin="3a4250", tail_colour="20242c",
     dorsal=TUNA, anal=((0.62, 0.76, 0.12, "sickle"),), tail=("lunate", 0.16, 0.42), parts=("yellow finlets",), pectoral=(0.27, 0.15, "long"),
     marks=(("dots", "f4f6f8", 26, 0.007, (0.35, 0.9), (0.62, 0.92)), ("bars", "dde4ea", (0.45, 0.52, 0.59, 0.66, 0.73), 0.012, (0.6, 0.95), 0.06)))
fish("カツオ", "blue silver lines forked", deep=0.265, peak=0.40, stalk=0.07, back="1c2a58", side="b4c2cc", belly="f0f2f2", edge=(0.36, 0.56), fin="4a5468", tail_colour="303848",
     dorsal=((0.28, 0.48, 0.11, "tri"), (0.56, 0.66, 0.06, "tri")), anal=((0.62, 0.72, 0.06, "tri"),), tail=("lunate", 0.15, 0.36), parts=("finlets",), pectoral=(0.27, 0.11, "long"),
     marks=(("lines", "1c2238", (0.60, 0.70, 0.80, 0.89), 0.045, (0.26, 0.95)),))
fish("サワラ", "silver blue slender spotted forked finlets", deep=0.165, peak=0.40, stalk=0.14, long=0.70, back="4a7084", side="c4d0d4", belly="f4f6f4", fin="5a6a70", snout=0.08, blunt=(1.0, 1.0),
     dorsal=((0.24, 0.52, 0.06, "low"), (0.54, 0.68, 0.07, "tri")), anal=((0.57, 0.70, 0.06, "tri"),), tail=("lunate", 0.14, 0.28), parts=("finlets",), mouth=0.11,
     marks=(("dots", "3a5464", 60, 0.011, (0.22, 0.96), (0.22, 0.72)),))
fish("スズキ", "silver grey bigmouth", deep=0.235, peak=0.36, back="66746c", side="ccd2d0", belly="f6f6f4", fin="8f9a98", dorsal=((0.30, 0.52, 0.13, "spiny"), (0.55, 0.82, 0.09, "soft")),
     anal=((0.64, 0.82, 0.08, "soft"),), tail=("notch", 0.19, 0.27), mouth=0.13, snout=0.08, blunt=(0.95, 0.8), marks=(("dots", "3a443e", 14, 0.006, (0.3, 0.7), (0.06, 0.3)),))
fish("ニシン", "silver blue green", deep=0.235, back="2a6a66", side="d4dcd8", belly="faf8f4", edge=(0.24, 0.42), fin="90a09c", dorsal=MID, anal=((0.74, 0.90, 0.05, "low"),), pelvic=(0.54, 0.08),
     tail=("fork", 0.19, 0.27), stalk=0.24, parts=("upmouth",), marks=(("net", "8a9a98", 34, 0.55),), eye=(0.10, -0.07, 0.027, "e4e4d8"))

# Sea breams and their like
BREAM: dict[str, Any] = dict(peak=0.36, snout=0.12, stalk=0.17, long=0.62, dorsal=SPINY, anal=((0.60, 0.82, 0.09, "soft"),), gill=0.27, pectoral=(0.30, 0.26, "long"))
fish("マダイ", "red pink deep bluedots forked", deep=0.47, blunt=(0.55, 0.85), back="d8584c", side="f0a898", belly="fbeee6", fin="e88878", tail_colour="e07868", tail=("fork", 0.24, 0.40), eye=(0.13, -0.14, 0.036, "f0d8b0"),
     parts=("tailedge",), marks=(("dots", "3c9cf0", 34, 0.0085, (0.26, 0.9), (0.10, 0.62)),), **BREAM)
fish("クロダイ", "black grey silver deep", deep=0.43, blunt=(0.68, 0.9), back="30343a", side="989ca0", belly="dcdedc", fin="3a3e44", tail=("fork", 0.22, 0.36), eye=(0.13, -0.12, 0.032, "d8d0b0"),
     marks=(("bars", "5c6268", (0.30, 0.42, 0.54, 0.66, 0.78), 0.045, (-0.1, 0.7), 0, 25), ("net", "4c5056", 26, 0.30)), **BREAM)
fish("イシダイ", "black white bars deep striped", deep=0.50, blunt=(0.72, 0.8), back="c4ccd0", side="dde2e2", belly="f0f2f2", fin="50565c", tail=("notch", 0.19, 0.32), mouth=0.05,
     marks=(("bars", "181a20", (0.12, 0.26, 0.40, 0.54, 0.68, 0.82, 0.95), 0.070),), eye=(0.12, -0.12, 0.030, "b0a080"),
     **{**BREAM, "pectoral": (0.30, 0.13, "round")})
fish("イシガキダイ", "black white spotted deep", deep=0.51, blunt=(0.72, 0.8), back="cfc8b4", side="e2dccb", belly="eeeade", fin="5a564e", tail=("notch", 0.19, 0.32), mouth=0.05, sheen=0.1,
     marks=(("mail", "e8e2d0", 8), ("dots", "1c1a1a", 95, 0.021, (0.04, 0.98), (0.03, 0.97))), eye=(0.12, -0.12, 0.030, "b0a080"),
     **{**BREAM, "pectoral": (0.30, 0.13, "round")})
fish("イトヨリダイ", "pink red yellow lines forked", deep=0.265, back="e88a8c", side="f6c0bc", belly="fdf2ee", fin="f2b0b0", tail_colour="f09a98", tail=("fork", 0.24, 0.36), dorsal=((0.27, 0.86, 0.085, "low"),), parts=("tail thread",),
     anal=((0.62, 0.84, 0.06, "low"),), marks=(("lines", "f4c81c", (0.24, 0.36, 0.48, 0.60, 0.72, 0.84), 0.048, (0.20, 1.05)),), eye=(0.12, -0.10, 0.032, "e8e0d8"))
fish("イサキ", "brown lines", deep=0.33, back="6c6a44", side="b8b288", belly="ece8d4", fin="a8985c", tail=("notch", 0.20, 0.32), dorsal=SPINY, long=0.64, blunt=(0.7, 0.9),
     marks=(("lines", "4a3c20", (0.08, 0.27, 0.47), 0.085, (0.06, 1.0)),), eye=(0.12, -0.12, 0.032, "e8d8a0"))
fish("アカムツ", "red silver bigeye", deep=0.355, back="d0402c", side="eca898", belly="f6eeea", edge=(0.20, 0.52), fin="e07058", tail_colour="d85848", tail=("notch", 0.20, 0.34), long=0.63, blunt=(0.85, 0.75), snout=0.10,
     dorsal=((0.28, 0.54, 0.15, "spiny"), (0.56, 0.82, 0.10, "soft")), anal=((0.64, 0.80, 0.08, "soft"),), eye=(0.14, -0.12, 0.046, "f0e0a0"), mouth=0.13, parts=("tailedge",),
     marks=(("blotch", "281418", 0.05, 0.66, 0.030),))
fish("キンメダイ", "red bigeye goldeye forked", deep=0.36, back="c81420", side="e63a34", belly="f2705c", fin="d81c24", tail_colour="dc1420", tail=("fork", 0.30, 0.46), long=0.58, blunt=(0.65, 0.75),
     dorsal=((0.36, 0.62, 0.15, "tri"),), anal=((0.56, 0.90, 0.09, "tri"),), eye=(0.15, -0.12, 0.066, "ffc81c"), sheen=0.35, marks=(("net", "b01018", 26, 0.3),))
fish("アカアマダイ", "red pink yellow blunthead", deep=0.285, peak=0.20, blunt=(0.42, 0.7), snout=0.25, stalk=0.34, back="e06a58", side="f2b49c", belly="fbeee2", fin="f0a890", tail_colour="f0c840", tail=("notch", 0.20, 0.28),
     dorsal=((0.24, 0.93, 0.085, "low"),), anal=((0.52, 0.92, 0.065, "low"),), eye=(0.10, -0.24, 0.032, "f0e0c0"),
     marks=(("bars", "f4d860", (0.40, 0.55, 0.70, 0.84), 0.035, (0.2, 0.8), 0, 30), ("blotch", "f8f8fc", 0.165, 0.42, 0.034)))
fish("シイラ", "green yellow blue blunthead bluedots forked longfin", deep=0.27, peak=0.13, blunt=(0.30, 0.75), snout=0.18, stalk=0.14, long=0.72, back="1c8a68", side="9cc848", belly="f2e040", fin="2a70b0", tail_colour="e8d030",
     dorsal=((0.09, 0.93, 0.115, "low"),), anal=((0.50, 0.92, 0.06, "low"),), tail=("fork", 0.22, 0.36), eye=(0.085, -0.02, 0.025, "e8e0a0"),
     marks=(("dots", "1c60c8", 46, 0.009, (0.12, 0.9), (0.25, 0.9)),))
fish("マトウダイ", "silver brown deep bigspot threads round", plan="odd", deep=0.58, blunt=(0.95, 0.95), snout=0.16, stalk=0.10, long=0.58, back="7c7450", side="b6ae88", belly="dcd6bc", fin="8c8460", tail=("trunc", 0.20, 0.18),
     dorsal=((0.28, 0.55, 0.14, "spiny"), (0.58, 0.92, 0.07, "low")), anal=((0.58, 0.92, 0.07, "low"),), parts=("threads", "upmouth"), eye=(0.17, -0.18, 0.036, "e8d898"), mouth=0.12, pelvic=(0.36, 0.2),
     marks=(("marble", "8c8458", 6, 0.55, 0.4), ("blotch", "f0eac8", 0.50, 0.46, 0.085), ("blotch", "141416", 0.50, 0.46, 0.066)))

# Groupers, rockfish, greenlings
GROUPER: dict[str, Any] = dict(blunt=(0.75, 0.75), snout=0.12, stalk=0.30, tail=("round", 0.20, 0.27), mouth=0.14, dorsal=((0.28, 0.62, 0.11, "spiny"), (0.62, 0.88, 0.10, "soft")),
               anal=((0.66, 0.86, 0.09, "soft"),), pectoral=(0.28, 0.16, "round"), gill=0.28)
fish("マハタ", "brown grey bars striped big", deep=0.35, back="5c5048", side="a0948a", belly="c8c0b6", fin="5c524c", eye=(0.12, -0.15, 0.025, "d8c898"),
     marks=(("bars", "342a26", (0.16, 0.30, 0.44, 0.57, 0.70, 0.83, 0.95), 0.065, (-0.2, 1.0), 0.05, 40),), **GROUPER)
fish("キジハタ", "brown orange spotted", deep=0.33, back="8a5a3c", side="b88a64", belly="e4cfae", fin="a8703c", eye=(0.12, -0.15, 0.027, "e8c870"),
     marks=(("dots", "f0661c", 110, 0.0115, (0.04, 0.98), (0.04, 0.95)), ("blotch", "30201a", 0.56, 0.07, 0.036)), **GROUPER)
ROCK: dict[str, Any] = dict(snout=0.12, stalk=0.28, mouth=0.13, tail=("trunc", 0.18, 0.24), long=0.64, dorsal=((0.26, 0.62, 0.14, "spiny"), (0.64, 0.86, 0.11, "soft")), anal=((0.66, 0.82, 0.10, "soft"),),
            pectoral=(0.30, 0.20, "round"), gill=0.30)
fish("メバル", "brown black bigeye mottled", deep=0.365, blunt=(0.8, 0.8), back="3e3a30", side="8a8062", belly="c8bfa0", fin="4c463a", eye=(0.155, -0.15, 0.056, "d8b860"),
     marks=(("bars", "3a342a", (0.36, 0.52, 0.68, 0.84), 0.055, (-0.2, 0.65), 0.08, 25),), parts=("upmouth",), **ROCK)
fish("カサゴ", "red brown mottled spines bighead", deep=0.335, blunt=(0.7, 0.8), back="90301e", side="c06a48", belly="ecc8b4", fin="b04a30", eye=(0.14, -0.20, 0.036, "e8b860"), parts=("armour",),
     marks=(("marble", "6a2016", 7, 0.54, 0.75), ("marble", "f4d8c4", 12, 0.62, 0.8), ("dots", "f6dccc", 24, 0.011, (0.3, 0.95), (0.3, 0.85))), **ROCK)
fish("オニオコゼ", "brown spines bumpy ugly bigfin bighead mottled", plan="odd", deep=0.31, peak=0.30, blunt=(0.85, 0.55), snout=0.30, stalk=0.22, long=0.66, back="4a3a26", side="7a6040", belly="b09468", fin="5a4628", tail=("round", 0.17, 0.18), sheen=0.1,
     dorsal=((0.22, 0.88, 0.17, "spiny"),), anal=((0.55, 0.88, 0.08, "low"),), parts=("warts", "side fins", "upmouth"), pectoral=(0.28, 0.0, "fan"), eye=(0.09, -0.42, 0.022, "c8b070"), gill=0,
     marks=(("marble", "2c2216", 9, 0.5, 0.8), ("marble", "c4a878", 12, 0.66, 0.8)))
fish("アイナメ", "brown yellow slender mottled", deep=0.225, back="6a5428", side="a88c4c", belly="dcc890", fin="8c7038", tail=("trunc", 0.15, 0.18), dorsal=((0.22, 0.54, 0.085, "low"), (0.56, 0.92, 0.10, "low")), anal=((0.50, 0.90, 0.075, "low"),),
     stalk=0.26, long=0.70, pectoral=(0.27, 0.14, "round"), eye=(0.10, -0.15, 0.025, "e8c860"),
     marks=(("marble", "5a4018", 9, 0.54, 0.75), ("dots", "ecd890", 40, 0.008, (0.25, 0.95), (0.2, 0.9)), ("lines", "5c4826", (0.14, 0.36, 0.62), 0.02)))
fish("ホッケ", "grey green bars striped forked slender", deep=0.215, back="4a5c50", side="a8b49a", belly="e8e8d8", fin="64705e", tail=("fork", 0.18, 0.26), dorsal=((0.24, 0.94, 0.075, "low"),), anal=((0.52, 0.93, 0.055, "low"),),
     stalk=0.15, long=0.70, eye=(0.09, -0.10, 0.022, "e0d8b0"), marks=(("bars", "34443c", (0.26, 0.35, 0.44, 0.53, 0.62, 0.71, 0.80, 0.89), 0.032, (-0.2, 0.72), 0.16, 35),))
fish("マダラ", "brown grey mottled barbels threefins", deep=0.25, peak=0.30, blunt=(0.75, 0.65), stalk=0.13, snout=0.16, long=0.70, back="6a5a40", side="b4a684", belly="f0ece0", edge=(0.2, 0.55), fin="7c6c50", tail=("trunc", 0.13, 0.17),
     dorsal=((0.28, 0.44, 0.10, "tri"), (0.47, 0.66, 0.085, "tri"), (0.70, 0.88, 0.07, "tri")), anal=((0.52, 0.68, 0.07, "tri"), (0.71, 0.88, 0.06, "tri")), parts=("chin",), pelvic=(0.24, 0.09),
     eye=(0.11, -0.16, 0.027, "e0d8b0"), mouth=0.12, marks=(("marble", "58482e", 15, 0.55, 0.8, (-0.2, 0.62)), ("lines", "f0ead8", (0.40,), 0.025, (0.3, 1.0), 0.03)))
fish("ハタハタ", "silver brown white bigfin", deep=0.225, peak=0.26, blunt=(0.95, 0.55), snout=0.28, stalk=0.17, back="7a6644", side="d8d4c4", belly="fbfaf6", edge=(0.16, 0.38), fin="c8c0a8", tail=("notch", 0.16, 0.22),
     dorsal=((0.28, 0.44, 0.11, "tri"), (0.64, 0.82, 0.08, "tri")), anal=((0.34, 0.92, 0.065, "low"),), parts=("upmouth",), pectoral=(0.25, 0.24, "fan"), pelvic=(0.24, 0.08), eye=(0.10, -0.30, 0.025, "d8d0a8"),
     marks=(("marble", "4a3a24", 13, 0.5, 0.8, (-0.2, 0.34)),))
fish("シロギス", "white beige slender pointed", plan="slender", deep=0.165, snout=0.07, blunt=(1.15, 1.0), stalk=0.20, long=0.70, back="c8b48c", side="ece0cc", belly="fdfaf4", edge=(0.14, 0.44), fin="e4dcc8", tail=("notch", 0.14, 0.18),
     dorsal=((0.32, 0.48, 0.11, "tri"), (0.52, 0.90, 0.06, "low")), anal=((0.52, 0.90, 0.05, "low"),), eye=(0.125, -0.10, 0.021, "e8e4d8"), mouth=0.035, marks=(("lines", "f8f4ec", (0.44,), 0.07, (0.2, 1.0)),))
fish("マハゼ", "brown beige slender spotted", plan="slender", deep=0.165, peak=0.24, blunt=(0.6, 0.65), snout=0.35, stalk=0.34, long=0.70, back="8a7648", side="c8b888", belly="f0e8d0", fin="b8a878", tail=("round", 0.17, 0.17),
     dorsal=((0.28, 0.42, 0.10, "spiny"), (0.46, 0.88, 0.08, "low")), anal=((0.52, 0.86, 0.06, "low"),), pectoral=(0.25, 0.13, "round"), eye=(0.085, -0.36, 0.022, "e8e0c0"),
     marks=(("row", "5a4424", 7, 0.021, 0.48, (0.24, 0.92)), ("dots", "6a5430", 34, 0.008, (0.2, 0.98), (0.05, 0.36))))
fish("アカカマス", "brown yellow slender pointed teeth", plan="slender", deep=0.145, peak=0.42, snout=0.10, blunt=(1.25, 1.2), stalk=0.30, long=0.72, back="9a7438", side="dcc89a", belly="f8f4ea", edge=(0.2, 0.44), fin="c8a850", tail=("fork", 0.15, 0.23),
     dorsal=((0.40, 0.50, 0.09, "tri"), (0.66, 0.78, 0.075, "tri")), anal=((0.66, 0.78, 0.07, "tri"),), pelvic=(0.38, 0.07), pectoral=(0.30, 0.09, "soft"), gill=0.28, mouth=0.16, eye=(0.185, -0.15, 0.022, "f0e8c0"),
     marks=(("lines", "8a6a34", (0.42,), 0.06, (0.3, 1.0)),))
fish("ボラ", "grey silver lines blunthead", deep=0.215, peak=0.34, blunt=(0.8, 0.6), snout=0.30, stalk=0.26, long=0.68, back="4c5a60", side="b4bcc0", belly="f2f2f0", fin="7c8688", tail=("fork", 0.19, 0.28),
     dorsal=((0.42, 0.50, 0.09, "tri"), (0.68, 0.80, 0.08, "tri")), anal=((0.66, 0.80, 0.07, "tri"),), pelvic=(0.40, 0.09), pectoral=(0.26, 0.12, "soft"), mouth=0.035, eye=(0.09, -0.05, 0.026, "e0d890"),
     marks=(("lines", "5c686e", (0.22, 0.33, 0.44, 0.55, 0.66), 0.026, (0.24, 1.0)), ("blotch", "2c3a54", 0.26, 0.42, 0.017)))

# Flat, puffed and armoured
add("ヒラメ", "fish", "flat", "brown flat spotted bigmouth lefteye", partial(flat.flatfish, skin="7a6444", fin="8c7650", deep=0.38, corner=0.0, jaw=0.115, right=False, white=95, black=12), flip=False)
add("カレイ", "fish", "flat", "brown green flat diamond righteye", partial(flat.flatfish, skin="6e7040", fin="d8b848", deep=0.54, corner=1.0, jaw=0.035, right=True, white=0, black=0), flip=False)
add("シタビラメ", "fish", "flat", "brown red flat slender", flat.sole, flip=False)
PUFF: dict[str, Any] = dict(plan="puffer", peak=0.34, blunt=(0.5, 0.55), snout=0.22, stalk=0.20, long=0.62, dorsal=((0.70, 0.82, 0.12, "tri"),), anal=((0.72, 0.83, 0.10, "tri"),), pelvic=(0, 0), pectoral=(0.32, 0.13, "round"), gill=0, mouth=0.03, up=0.46)
fish("トラフグ", "black white round bigspot puffer", deep=0.36, back="22242a", side="7c7c78", belly="fbfbf8", edge=(0.30, 0.50), fin="26262a", tail=("trunc", 0.18, 0.23), eye=(0.15, -0.16, 0.028, "e8d8b8"),
     marks=(("dots", "14141a", 26, 0.017, (0.45, 0.95), (0.05, 0.48)), ("blotch", "fafaf6", 0.44, 0.42, 0.078), ("blotch", "0c0c10", 0.44, 0.42, 0.060)), **PUFF)
fish("クサフグ", "green white round spotted puffer yellowfins", deep=0.33, back="5e6a38", side="98a064", belly="fbfaf4", edge=(0.34, 0.54), fin="e8c04c", tail=("round", 0.18, 0.20), eye=(0.15, -0.16, 0.028, "e8b848"),
     marks=(("dots", "f4f4e0", 90, 0.0095, (0.06, 0.98), (0.02, 0.52)), ("blotch", "26281c", 0.42, 0.44, 0.032)), **PUFF)
fish("ハリセンボン", "brown white round spines spotted bigeye puffer", deep=0.56, back="a88450", side="d8bc88", belly="fbf6ea", edge=(0.3, 0.6), fin="d8c088", tail=("round", 0.16, 0.16), eye=(0.14, -0.12, 0.050, "f4e8c0"), parts=("spines",),
     marks=(("dots", "3a2818", 16, 0.026, (0.2, 0.95), (0.05, 0.6)),), **{**PUFF, "long": 0.56})
fish("カワハギ", "brown grey deep mottled diamond horn", plan="odd", deep=0.56, peak=0.40, blunt=(1.25, 1.15), snout=0.09, stalk=0.16, long=0.58, back="7c7458", side="aaa080", belly="cac2a4", fin="c4b070", tail=("round", 0.22, 0.24),
     dorsal=((0.52, 0.90, 0.12, "soft"),), anal=((0.54, 0.90, 0.12, "soft"),), pelvic=(0, 0), pectoral=(0.34, 0.09, "round"), parts=("horn",), gill=0, mouth=0.03, eye=(0.245, -0.24, 0.030, "e0c878"),
     marks=(("marble", "564c32", 8, 0.55, 0.7), ("marble", "4a4028", 15, 0.62, 0.6)))
add("マンボウ", "fish", "odd", "grey silver round notail bigfin big", oddfish.sunfish)
add("ハコフグ", "fish", "puffer", "yellow spotted box square", oddfish.boxfish)
add("タツノオトシゴ", "fish", "odd", "brown yellow seahorse upright", oddfish.seahorse)
add("アンコウ", "fish", "odd", "brown flat bigmouth bighead teeth lure ugly", flat.angler)
fish("ホウボウ", "red blue green bigfin legs", plan="odd", deep=0.225, peak=0.22, blunt=(0.85, 0.5), snout=0.32, stalk=0.15, long=0.68, back="b83a2c", side="dc8068", belly="f8ece4", fin="d05a48", tail=("notch", 0.16, 0.21),
     dorsal=((0.28, 0.44, 0.12, "tri"), (0.47, 0.92, 0.06, "low")), anal=((0.48, 0.90, 0.055, "low"),), parts=("fans",), pectoral=(0.26, 0.0, "fan"), pelvic=(0.26, 0.08), eye=(0.13, -0.36, 0.028, "e8d8b0"),
     marks=(("dots", "a02c20", 20, 0.009, (0.25, 0.95), (0.1, 0.5)),))
add("マゴチ", "fish", "flat", "brown flat slender bighead", flat.flathead)

# Eels and the very long
EEL: dict[str, Any] = dict(plan="eel", long=0.86, snout=0.45, peak=0.14, stalk=0.10, wave=0.075, tail=("none", 0, 0), pelvic=(0, 0), gill=0, blunt=(0.7, 0.7))
fish("ウナギ", "black green yellowbelly long eel", deep=0.088, back="30362a", side="5a6248", belly="f0dc88", edge=(0.34, 0.62), fin="3c4234", dorsal=((0.36, 0.995, 0.022, "low"),), anal=((0.46, 0.995, 0.020, "low"),), pectoral=(0.155, 0.055, "round"),
     eye=(0.05, -0.12, 0.0125, "c8b070"), **EEL)
fish("マアナゴ", "brown long eel dotrow whitedots", deep=0.088, back="6e5438", side="a48862", belly="f4ecdc", fin="d0bc98", dorsal=((0.26, 0.995, 0.030, "low"),), anal=((0.42, 0.995, 0.026, "low"),), pectoral=(0.155, 0.06, "round"),
     eye=(0.055, -0.12, 0.0165, "e8e0c8"), marks=(("row", "fdfdf4", 26, 0.0068, 0.46, (0.10, 0.97)), ("row", "fdfdf4", 12, 0.0058, 0.16, (0.10, 0.5))), **EEL)
fish("ハモ", "silver grey long eel teeth pointed", deep=0.092, back="848478", side="c4c2b4", belly="f6f4ee", fin="8a8a80", dorsal=((0.20, 0.995, 0.038, "low"),), anal=((0.40, 0.995, 0.030, "low"),), pectoral=(0.19, 0.075, "soft"), mouth=0.11,
     eye=(0.085, -0.16, 0.016, "f0ecd8"), parts=("teeth",), **{**EEL, "snout": 0.20, "blunt": (1.2, 1.1), "peak": 0.20})
fish("ウツボ", "brown yellow long eel mottled teeth", deep=0.125, back="6a4a1c", side="b88a30", belly="dcb858", fin="8a6428", dorsal=((0.12, 0.995, 0.045, "low"),), anal=((0.44, 0.995, 0.028, "low"),), pectoral=(0.15, 0.0, "round"), mouth=0.085,
     eye=(0.055, -0.22, 0.012, "f0e8d0"), parts=("teeth",), marks=(("bars", "3a240e", (0.17, 0.26, 0.35, 0.44, 0.53, 0.62, 0.71, 0.80, 0.89, 0.97), 0.045, (-0.2, 1.2), 0.04, 50), ("marble", "f0c850", 22, 0.62, 0.8)),
     **{**EEL, "snout": 0.5})
add("チンアナゴ", "fish", "eel", "white black slender spotted long sand upright", oddfish.garden_eel)
fish("タチウオ", "silver long ribbon slender teeth notailfin", plan="eel", deep=0.085, peak=0.22, long=0.94, snout=0.12, blunt=(1.3, 1.1), stalk=0.02, wave=0.022, back="aab6c2", side="e2e8ee", belly="f0f4f6", edge=(0.1, 0.9), fin="ccd4d8", tail=("none", 0, 0),
     dorsal=((0.10, 0.93, 0.030, "low"),), anal=(), pelvic=(0, 0), pectoral=(0.145, 0.05, "soft"), gill=0.125, parts=("teeth",), mouth=0.07, eye=(0.070, -0.18, 0.018, "f0ecd8"), sheen=0.5)
fish("リュウグウノツカイ", "silver red long ribbon crest", plan="eel", deep=0.088, peak=0.08, long=0.88, snout=0.5, blunt=(0.5, 0.6), stalk=0.12, wave=0.045, back="b8c4d0", side="dfe6ec", belly="eef2f4", edge=(0.1, 0.9), fin="e02c38", tail=("none", 0, 0),
     dorsal=((0.03, 0.99, 0.048, "low"),), anal=(), pelvic=(0, 0), pectoral=(0.11, 0.04, "round"), gill=0.09, parts=("crest",), mouth=0.015, eye=(0.045, -0.1, 0.015, "e8e8e0"), sheen=0.4,
     marks=(("bars", "52606e", (0.16, 0.24, 0.32, 0.40, 0.48, 0.56, 0.64, 0.72, 0.8), 0.010, (0.1, 0.75), 0.03, 90), ("dots", "52606e", 24, 0.005, (0.1, 0.95), (0.2, 0.8))))
fish("ドジョウ", "brown long eel barbels spotted", plan="eel", deep=0.125, peak=0.30, long=0.72, snout=0.40, blunt=(0.75, 0.75), stalk=0.52, wave=0.035, back="6a5830", side="b09a60", belly="e8dcb0", fin="a08c58", tail=("round", 0.13, 0.10),
     dorsal=((0.55, 0.66, 0.055, "soft"),), anal=((0.72, 0.81, 0.045, "soft"),), pelvic=(0.58, 0.05), pectoral=(0.19, 0.075, "soft"), gill=0.15, parts=("loach",), mouth=0.02, eye=(0.07, -0.18, 0.012, "e0d8b0"),
     marks=(("dots", "4a3a1c", 66, 0.007, (0.14, 1.0), (0.05, 0.7)),))

# Rivers and lakes
CARP: dict[str, Any] = dict(long=0.64, stalk=0.26, tail=("fork", 0.22, 0.32), anal=((0.72, 0.82, 0.08, "tri"),), pelvic=(0.46, 0.11), gill=0.25)
fish("コイ", "brown black barbels scales big", deep=0.30, back="4c4226", side="a0844c", belly="e4d4a4", fin="6a5836", dorsal=((0.36, 0.78, 0.10, "low"),), parts=("barbels",), marks=(("net", "362a14", 19, 0.85),), eye=(0.10, -0.10, 0.023, "e0c060"), **CARP)
fish("ギンブナ", "silver grey deep scales", deep=0.385, back="5e6654", side="bcc0b0", belly="efeee4", fin="7a8072", dorsal=((0.38, 0.80, 0.11, "low"),), marks=(("net", "6e7468", 23, 0.5),), blunt=(0.75, 0.8), eye=(0.11, -0.10, 0.028, "e0d8b0"), **CARP)
fish("キンギョ", "red orange round longfin bigfin gold", deep=0.44, back="e0401c", side="f47c34", belly="fbd4a4", fin="f69060", tail_colour="f89868", dorsal=((0.30, 0.74, 0.20, "sail"),), parts=("flow",), blunt=(0.55, 0.6), eye=(0.13, -0.10, 0.034, "f4e0c0"),
     marks=(("net", "d0401c", 20, 0.35),), **{**CARP, "long": 0.48, "tail": ("veil", 0.40, 0.62), "pelvic": (0.44, 0.18)})
fish("ナマズ", "black brown barbels bighead longfin", plan="odd", deep=0.19, peak=0.20, blunt=(0.55, 0.55), snout=0.42, stalk=0.14, long=0.72, back="34342c", side="626050", belly="dcd8c4", edge=(0.4, 0.72), fin="444438", tail=("round", 0.09, 0.11), sheen=0.15,
     dorsal=((0.33, 0.38, 0.07, "tri"),), anal=((0.42, 0.985, 0.062, "low"),), pectoral=(0.24, 0.11, "round"), pelvic=(0.38, 0.07), parts=("whiskers",), mouth=0.10, gill=0.22, eye=(0.085, -0.22, 0.010, "c8b880"), marks=(("marble", "26261e", 9, 0.58, 0.6),))
TROUT: dict[str, Any] = dict(long=0.66, snout=0.10, stalk=0.26, dorsal=((0.40, 0.55, 0.11, "tri"),), anal=ADIPOSE_ANAL, pelvic=(0.52, 0.09), mouth=0.12, gill=0.22)
fish("アユ", "green silver slender yellowspot adipose", plan="slender", deep=0.185, back="5a6a34", side="c0c494", belly="f6f2e0", fin="d8b858", tail=("fork", 0.17, 0.24), parts=("adipose",), eye=(0.10, -0.08, 0.023, "f0e0a0"), marks=(("blotch", "f4cc1c", 0.285, 0.42, 0.040, 0.8),),
     **{**TROUT, "dorsal": ((0.38, 0.54, 0.15, "sail"),), "anal": ((0.62, 0.84, 0.08, "low"),)})
fish("ヤマメ", "silver brown parr spotted adipose", deep=0.235, back="687048", side="d2ccaa", belly="f8f2e6", fin="c0a068", tail=("fork", 0.18, 0.27), parts=("adipose",), eye=(0.11, -0.08, 0.029, "f0e0b0"),
     marks=(("row", "4c5c78", 8, 0.027, 0.50, (0.20, 0.93), 1.7), ("dots", "20201c", 30, 0.0085, (0.15, 0.95), (0.04, 0.30)), ("lines", "e8a890", (0.56,), 0.03, (0.24, 1.0))), **TROUT)
fish("イワナ", "brown black whitedots orange adipose", deep=0.225, back="37382c", side="7a7050", belly="f0a040", edge=(0.3, 0.76), fin="d88438", tail=("notch", 0.18, 0.25), parts=("adipose",), eye=(0.11, -0.10, 0.025, "e0d0a0"),
     marks=(("dots", "f6f2dc", 75, 0.0115, (0.12, 0.98), (0.06, 0.72)),), **TROUT)
fish("ニジマス", "silver pink red spotted adipose", deep=0.25, back="56704c", side="ccd0bc", belly="f4f2ec", fin="98a080", tail=("notch", 0.19, 0.28), tail_colour="8c9a72", parts=("adipose",), eye=(0.10, -0.08, 0.025, "e8dcb0"),
     marks=(("lines", "ee6486", (0.47,), 0.20, (0.10, 1.1)), ("dots", "1c1e1a", 130, 0.0068, (0.08, 1.0), (0.02, 0.62))), **TROUT)
fish("サケ", "silver green purple big hooked adipose bars", deep=0.265, back="4a5a40", side="a8a880", belly="e4dec8", fin="6c6a50", tail=("notch", 0.18, 0.28), parts=("adipose", "kype"), eye=(0.12, -0.12, 0.020, "e0d8a8"),
     marks=(("bars", "8c3458", (0.30, 0.41, 0.53, 0.64, 0.76, 0.87), 0.055, (0.16, 0.95), 0.10, 18), ("bars", "38442c", (0.355, 0.47, 0.585, 0.70, 0.815), 0.030, (0.05, 0.8), -0.06, 22)), **TROUT)
fish("シシャモ", "silver brown slender small adipose bigmouth", plan="slender", deep=0.165, back="6c6440", side="d4d4c0", belly="fcfaf2", edge=(0.14, 0.34), fin="a8a488", tail=("fork", 0.15, 0.20), parts=("adipose", "upmouth"), eye=(0.095, -0.10, 0.026, "f0ece0"),
     **{**TROUT, "anal": ((0.60, 0.88, 0.10, "soft"),), "dorsal": ((0.46, 0.58, 0.085, "tri"),), "mouth": 0.14, "stalk": 0.34})

# Flying, sailing, hunting
fish("トビウオ", "blue silver wings bigfin slender", plan="slender", deep=0.16, blunt=(0.75, 0.7), snout=0.20, stalk=0.26, back="1c4880", side="b8cce0", belly="f8fafa", fin="80a0bc", tail=("fork", 0.20, 0.28), dorsal=((0.72, 0.86, 0.065, "tri"),), anal=((0.76, 0.86, 0.045, "tri"),),
     pectoral=(0.28, 0.0, "long"), pelvic=(0.60, 0.16), parts=("wings", "flying"), eye=(0.10, -0.08, 0.031, "e8ecf0"), mouth=0.03, long=0.68)
fish("バショウカジキ", "blue silver sail bill bigfin", plan="bill", deep=0.165, peak=0.34, snout=0.24, blunt=(0.9, 0.85), stalk=0.12, long=0.58, back="1c3060", side="9cacc4", belly="f0f2f4", fin="28448c", tail_colour="20283c", tail=("lunate", 0.15, 0.42),
     dorsal=((0.18, 0.76, 0.33, "sail"),), anal=((0.64, 0.74, 0.08, "sickle"),), pelvic=(0.28, 0.22), pectoral=(0.28, 0.16, "long"), parts=("bill",), eye=(0.10, -0.06, 0.022, "d8dce0"),
     marks=(("bars", "6c90c8", (0.3, 0.37, 0.44, 0.51, 0.58, 0.65, 0.72, 0.79), 0.010, (0.1, 0.8), 0, 60),))
fish("メカジキ", "grey purple black sword big", plan="bill", deep=0.235, peak=0.30, snout=0.20, blunt=(0.75, 0.8), stalk=0.10, long=0.56, back="3c3c48", side="84848c", belly="d4d4d4", fin="44444e", tail=("lunate", 0.16, 0.46), dorsal=((0.22, 0.44, 0.21, "sickle"), (0.90, 0.95, 0.03, "tri")),
     anal=((0.60, 0.76, 0.12, "sickle"),), pelvic=(0, 0), pectoral=(0.27, 0.18, "long"), parts=("sword",), eye=(0.115, -0.06, 0.036, "a8c0d8"))
fish("サヨリ", "silver green slender longjaw pointed", plan="slender", deep=0.095, peak=0.42, snout=0.25, stalk=0.30, long=0.64, back="5a9484", side="d4dedc", belly="fafcfa", edge=(0.2, 0.4), fin="b4c4bc", tail=("fork", 0.13, 0.17), dorsal=((0.72, 0.90, 0.05, "tri"),), anal=((0.74, 0.90, 0.045, "tri"),),
     pelvic=(0.60, 0.05), pectoral=(0.22, 0.08, "soft"), parts=("halfbeak",), mouth=0, gill=0.17, eye=(0.08, -0.08, 0.019, "e8ece8"), marks=(("lines", "8cb8d8", (0.36,), 0.09, (0.18, 1.0)),))
fish("カクレクマノミ", "orange white bars striped small clown", plan="reef", deep=0.43, peak=0.40, blunt=(0.55, 0.6), snout=0.14, stalk=0.34, long=0.60, back="f0701c", side="fa8420", belly="fa9c3c", fin="f47c20", tail=("round", 0.24, 0.28), sheen=0.12,
     dorsal=((0.26, 0.58, 0.11, "low"), (0.58, 0.88, 0.13, "soft")), anal=((0.60, 0.88, 0.12, "soft"),), pectoral=(0.36, 0.20, "round"), pelvic=(0.36, 0.15), gill=0, eye=(0.13, -0.12, 0.030, "f0a848"),
     marks=(("bars", "181412", (0.27, 0.57, 0.93), 0.128), ("bars", "fdfdfd", (0.27, 0.57, 0.93), 0.098)))
fish("ナンヨウハギ", "blue black yellowtail deep", plan="reef", deep=0.48, peak=0.42, blunt=(0.6, 0.7), snout=0.12, stalk=0.20, long=0.60, back="1c4ce0", side="2c64f0", belly="3c74f0", fin="1c38b0", tail=("trunc", 0.22, 0.30), tail_colour="f8d814", sheen=0.1,
     dorsal=((0.24, 0.94, 0.085, "low"),), anal=((0.44, 0.94, 0.08, "low"),), pectoral=(0.34, 0.15, "round"), gill=0, eye=(0.15, -0.20, 0.028, "c0d0f0"), mouth=0.03,
     marks=(("patch", "0c1024", (0.20, 0.95), (0.10, 0.60)), ("blotch", "2c64f0", 0.50, 0.36, 0.085, 0.7), ("bars", "0c1024", (0.17,), 0.05, (0.05, 0.36), 0.2), ("patch", "f8d814", (0.92, 1.2), (0.25, 0.75))))
fish("チョウチョウウオ", "yellow black eyeband deep round bars", plan="reef", deep=0.64, peak=0.44, blunt=(0.95, 0.95), snout=0.08, stalk=0.22, long=0.56, back="c89418", side="f0c430", belly="f8d860", fin="f0b828", tail=("trunc", 0.20, 0.25), sheen=0.12,
     dorsal=((0.30, 0.96, 0.11, "low"),), anal=((0.52, 0.96, 0.11, "low"),), pectoral=(0.36, 0.13, "round"), gill=0, eye=(0.195, -0.10, 0.028, "3c2c10"), mouth=0.02,
     marks=(("lines", "a06c14", (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8), 0.018, (0.3, 0.95)), ("bars", "fdfaf0", (0.25,), 0.035), ("bars", "14100c", (0.195,), 0.060)))
fish("ミノカサゴ", "red white striped bars bigfin spines longfin", plan="odd", deep=0.29, peak=0.32, blunt=(0.8, 0.8), snout=0.20, stalk=0.28, long=0.48, back="b04028", side="e8b49c", belly="f4dccc", fin="d88a70", tail=("round", 0.30, 0.32),
     dorsal=((0.62, 0.88, 0.16, "soft"),), anal=((0.66, 0.86, 0.16, "soft"),), pectoral=(0.3, 0.0, "fan"), pelvic=(0.36, 0.2), parts=("lion",), gill=0, eye=(0.14, -0.20, 0.026, "e8c898"),
     marks=(("bars", "8c2418", (0.06, 0.16, 0.25, 0.33, 0.41, 0.49, 0.57, 0.65, 0.73, 0.81, 0.89, 0.97), 0.036, (-0.2, 1.2), 0.04, 70),))

# Sharks and rays
SHARK: dict[str, Any] = dict(plan="shark", long=0.72, stalk=0.16, tail=("lunate", 0.15, 0.30), pelvic=(0.66, 0.07), gill=0, pectoral=(0.31, 0.21, "long"))
fish("ホホジロザメ", "grey white teeth big shark", deep=0.235, peak=0.36, snout=0.06, blunt=(1.05, 0.85), back="5c6a74", side="8e9aa2", belly="fcfcfa", edge=(0.52, 0.60), fin="586670", tail_colour="586670", parts=("shark", "slits", "teeth"), mouth=0.10,
     dorsal=((0.38, 0.54, 0.145, "tri"), (0.84, 0.88, 0.025, "tri")), anal=((0.84, 0.88, 0.022, "tri"),), eye=(0.105, -0.12, 0.014, "202024"), **SHARK)
add("シュモクザメ", "fish", "shark", "grey hammer big shark", flat.hammerhead)
fish("ジンベエザメ", "blue grey whitedots spotted big shark", deep=0.235, peak=0.28, snout=0.52, blunt=(0.55, 0.55), back="32506c", side="54748c", belly="eef0ee", edge=(0.45, 0.84), fin="345270", tail_colour="345270", parts=("shark", "slits"), mouth=0.045,
     dorsal=((0.54, 0.66, 0.095, "tri"), (0.76, 0.82, 0.04, "tri")), anal=((0.76, 0.82, 0.035, "tri"),), eye=(0.055, 0.05, 0.011, "202428"),
     marks=(("bars", "9cb4c4", (0.30, 0.38, 0.46, 0.54, 0.62, 0.70, 0.78, 0.86, 0.94), 0.008, (0.02, 0.62), 0, 90), ("dots", "f4f8fa", 120, 0.0085, (0.05, 0.98), (0.05, 0.66))), **SHARK)
add("アカエイ", "fish", "ray", "brown yellow flat diamond tailspine ray", flat.stingray)
add("オニイトマキエイ", "fish", "ray", "black white flat wings big ray", flat.manta)

# Octopuses and squids
add("マダコ", "cephalopod", "octopus", "red brown eightarms mottled round", cephalopods.octopus)
add("ミズダコ", "cephalopod", "octopus", "red brown eightarms big", cephalopods.giant_octopus)
add("アオリイカ", "cephalopod", "squid", "white brown tenarms bigfin", cephalopods.reef_squid)
add("スルメイカ", "cephalopod", "squid", "red brown tenarms slender arrow", cephalopods.flying_squid)
add("ホタルイカ", "cephalopod", "squid", "red purple tenarms bluedots glow small spotted", cephalopods.firefly_squid)
add("コウイカ", "cephalopod", "squid", "brown tenarms bars striped round", cephalopods.cuttlefish)

# Crustaceans
add("ボタンエビ", "crustacean", "prawn", "red orange pink whitedots spotted shrimp feelers shell", partial(crustaceans.prawn, colours=("e86040", "f08468"), bands="", spots="fbf0ea", fan="f08c70", stout=1.12))
add("クルマエビ", "crustacean", "prawn", "brown beige bars striped shrimp feelers shell", partial(crustaceans.prawn, colours=("d8c498", "c8b488"), bands="7a3a24", spots="", fan="4c80b8", stout=0.95))
add("イセエビ", "crustacean", "lobster", "red brown spines shrimp feelers longfeelers shell", crustaceans.lobster)
add("ズワイガニ", "crustacean", "crab", "orange brown claws crab longlegs shell", partial(crabs.crab, skin="c8784a", body="snow", reach=0.40, wide=0.034, claw=0.052))
add("ガザミ", "crustacean", "crab", "green blue claws crab spines wide shell whitedots", partial(crabs.crab, skin="5c6c50", body="swimmer", reach=0.24, wide=0.034, claw=0.062))
add("ケガニ", "crustacean", "crab", "brown orange claws crab hairy round shell", partial(crabs.crab, skin="c08a58", body="hair", reach=0.27, wide=0.052, claw=0.062))
add("シャコ", "crustacean", "mantis", "grey beige slender rings shell shrimp", crustaceans.mantis)

# Shells and the rest of the sea
add("ホタテガイ", "shell", "bivalve", "beige pink shell fan ribs", shells.scallop)
add("サザエ", "shell", "snail", "green brown shell spiral spines", shells.turban)
add("クロアワビ", "shell", "abalone", "black green shell holes flat", shells.abalone)
add("ムラサキウニ", "echinoderm", "urchin", "purple black spines round", soft.urchin)
add("マナマコ", "echinoderm", "cucumber", "brown green long bumpy", soft.sea_cucumber)
add("イトマキヒトデ", "echinoderm", "star", "blue orange star", soft.starfish)
add("ミズクラゲ", "jelly", "jelly", "white clear round rings", soft.jellyfish)

# No animals
add("モクギョ", "stray gong", "gong", "brown round wooden toolike", strays.wooden_gong)
add("タイヤキ", "stray cake", "cake", "brown food toolike", strays.taiyaki, flip=True)
add("コイノボリ", "stray streamer", "streamer", "scales cloth toolike", strays.streamer)
add("カマボコ", "stray paste", "paste", "pink white food toolike", strays.fish_cake)
