"""Pictures that the tests draw, and files that only pretend to be one."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

RED, GREEN, BLUE, YELLOW, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (255, 255, 255)
# The colours of the four corners, clockwise from top left: no turn and no flip leaves them in place.
UPRIGHT = [RED, GREEN, BLUE, YELLOW]


def corners(width: int = 60, height: int = 40) -> Image.Image:
    """Draw a picture whose quarters have four colours."""
    picture = Image.new("RGB", (width, height), RED)
    picture.paste(GREEN, (width // 2, 0, width, height // 2))
    picture.paste(BLUE, (width // 2, height // 2, width, height))
    picture.paste(YELLOW, (0, height // 2, width // 2, height))
    return picture


def noise(width: int, height: int) -> Image.Image:
    """Draw a picture that does not compress."""
    pixels = np.random.default_rng(5).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def encoded(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """Encode a picture as a file."""
    stream = BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def png_header(width: int, height: int) -> bytes:
    """Make a PNG whose header promises a size and which has next to no pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            chunk(b"IDAT", zlib.compress(b"\0")),
            chunk(b"IEND", b""),
        ]
    )


def jpeg_of_size(width: int, height: int, **options: Any) -> bytes:
    """Make a JPEG whose header promises another size than it has."""
    data = encoded(corners(), "JPEG", **options)
    frame = next(at for kind in (b"\xff\xc0", b"\xff\xc2") if (at := data.find(kind)) > 0)
    return data[: frame + 5] + struct.pack(">HH", height, width) + data[frame + 9 :]


def found_corners(picture: Image.Image) -> list[tuple[int, ...]]:
    """Read the colours of the corners, clockwise. A channel becomes 0 or 255, or stays as it is in between."""
    right, bottom = picture.width - 3, picture.height - 3
    pixels = np.asarray(picture).astype(int)
    found = [pixels[2, 2], pixels[2, right], pixels[bottom, right], pixels[bottom, 2]]
    return [tuple(255 if c > 235 else 0 if c < 20 else int(c) for c in colour) for colour in found]
