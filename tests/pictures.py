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


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """Write a chunk of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_header(width: int, height: int, *, colours: int = 2) -> bytes:
    """Make a PNG whose header promises a size and which has next to no pixels. Of *colours*, 6 is with transparency."""
    header = struct.pack(">IIBBBBB", width, height, 8, colours, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0")), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*each) for each in chunks)


def with_parts(kind: str, at: int, parts: bytes) -> bytes:
    """Put bytes into the file of a picture."""
    data = encoded(corners(), kind)
    return data[:at] + parts + data[at:]


def webp_of_size(width: int, height: int) -> bytes:
    """Make a WebP of some 30 bytes whose header promises a size."""
    data = encoded(Image.new("RGB", (1, 1)), "WEBP", lossless=True)
    return data[:21] + struct.pack("<I", (width - 1) | (height - 1) << 14) + data[25:]


def tiff_of_tags(count: int, size: int, *, first: int = 1000) -> bytes:
    """Make a TIFF of tags, beginning with *first*. All have the same *size* values of a byte each."""
    tags = b"".join(struct.pack("<HHLL", first + place, 7, size, 8) for place in range(count))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", count) + tags + bytes(4 + size)


def compressed_bmp() -> bytes:
    """Make a BMP that says that its pixels are runs."""
    data = bytearray(encoded(Image.new("P", (4, 4)), "BMP"))
    data[30] = 1
    return bytes(data)


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
