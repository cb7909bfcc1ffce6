"""
The way of the 2025 workshop, with the same encoder and the same database where it can have them.

A picture is decoded in full, its vector becomes text number by number, and the statement has the text twice.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

import meetup2025

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from meetup2025.embedding import Encoder
    from meetup2025.engines import Cursor

INSERT = "INSERT INTO MeetUp2025.FishImage (Name, Features) VALUES (?, TO_VECTOR(?, DOUBLE, 512))"
_NEAREST = {
    table: f"SELECT TOP ? Name, VECTOR_COSINE(Features, TO_VECTOR(?, DOUBLE)) FROM MeetUp2025.{table} "
    "ORDER BY VECTOR_COSINE(Features, TO_VECTOR(?, DOUBLE)) DESC"
    for table in ("Fish", "FishImage")
}


def text(vector: NDArray[Any]) -> str:
    """Write a vector."""
    return ",".join(map(str, vector.tolist()))


def picture(path: Path) -> Image.Image:
    """Decode a picture in full."""
    return Image.open(path).convert("RGB")


def nearest(cursor: Cursor, table: str, vector: str, k: int) -> list[tuple[Any, ...]]:
    """Find the rows nearest to a vector."""
    return cursor.execute(_NEAREST[table], [k, vector, vector]).fetchall()


def load(url: str, paths: list[Path], encoder: Encoder, *, connections: int) -> None:
    """Load pictures one by one, over as many connections."""
    each = len(paths) // connections
    for start in range(0, len(paths), each):
        with meetup2025.connect(url) as connection, connection.cursor() as cursor:
            for path in paths[start : start + each]:
                vector = encoder.images([picture(path)])[0]
                cursor.execute(INSERT, [path.name, text(vector)])
                connection.commit()


def identify_from_cold(model: str, path: str, url: str) -> None:
    """Name a picture in a new process: torch, transformers, the model, one vector, one statement."""
    import numpy as np
    import torch
    from transformers import CLIPModel

    clip = CLIPModel.from_pretrained(model)
    pixels = np.asarray(picture(Path(path)).resize((224, 224), Image.Resampling.BICUBIC), np.float32) / 127.5 - 1
    with torch.no_grad():
        seen = clip.vision_model(torch.from_numpy(pixels.transpose(2, 0, 1)[None])).pooler_output
        vector = clip.visual_projection(seen)[0].numpy()
    with meetup2025.connect(url) as connection, connection.cursor() as cursor:
        print(nearest(cursor, "Fish", text(vector), 3))


if __name__ == "__main__":
    identify_from_cold(*sys.argv[1:])
