"""
Write the sample pictures of the package: `python -m scripts.sketch.samples [--out FOLDER]`.

A sample is a calm drawing from a seed that no training uses.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import Any

from .draw import SEEDS, draw

FOLDER = Path(__file__).parents[2] / "src" / "python" / "meetup2025" / "samples"
SAMPLES: dict[str, tuple[str, int, int]] = {
    # file: name, place among the sample seeds, long side
    "maaji.jpg": ("マアジ", 0, 480),
    "saba.png": ("マサバ", 0, 400),
    "maiwashi.webp": ("マイワシ", 0, 480),
    "madako.png": ("マダコ", 0, 400),
    "botanebi.jpg": ("ボタンエビ", 0, 480),
    "hirame.tiff": ("ヒラメ", 0, 400),
    "torafugu.bmp": ("トラフグ", 0, 320),
    "kinmedai.gif": ("キンメダイ", 0, 400),
    "iseebi.png": ("イセエビ", 0, 400),
    "mizukurage.jpg": ("ミズクラゲ", 0, 480),
    "mokugyo.png": ("モクギョ", 0, 400),
    "taiyaki.jpg": ("タイヤキ", 0, 480),
}
SAVE: dict[str, dict[str, Any]] = {
    ".jpg": {"quality": 90},
    ".webp": {"quality": 88},
    ".tiff": {"compression": "tiff_lzw"},
    ".png": {"optimize": True},
}


def main() -> None:
    """
    Draw and write the samples, and a table of their names.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--out", type=Path, default=FOLDER)
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    for file, (name, place, size) in SAMPLES.items():
        picture = draw(name, SEEDS["sample"][place], size, typical=True)
        if file.endswith(".gif"):
            picture = picture.quantize(256)
        picture.save(out / file, **SAVE.get(Path(file).suffix, {}))
    with (out / "labels.csv").open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream, lineterminator="\n")
        rows.writerow(["File", "Name"])
        rows.writerows((file, name) for file, (name, _, _) in SAMPLES.items())


if __name__ == "__main__":
    main()
