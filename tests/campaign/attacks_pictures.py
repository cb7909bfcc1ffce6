"""Pictures: files with changed bytes, and files that are small and ask for much."""

from __future__ import annotations

import struct
import zlib
from functools import partial
from typing import TYPE_CHECKING, Any

from harness import Tally, limited, part
from pictures import encoded, noise, png_chunk, tiff_of_tags, webp_of_size, with_parts
from PIL import Image

from meetup2025 import images

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

_MUTATED = 2_400
_AT_ONCE = 20
"""Files that one process opens: enough to be quick, and few enough to find the one with the fault."""

_SEEDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("JPEG", {"quality": 90}), ("JPEG", {"progressive": True}), ("PNG", {}), ("GIF", {}), ("BMP", {}), ("TIFF", {}),
    ("TIFF", {"compression": "tiff_lzw"}), ("TIFF", {"compression": "jpeg"}), ("TIFF", {"compression": "tiff_deflate"}),
    ("WEBP", {}), ("WEBP", {"lossless": True}), ("PNG", {"exif": b"Exif\0\0" + tiff_of_tags(9, 3)}),
)  # fmt: skip


@part
def pictures(random: Random) -> Iterator[Tally]:
    """Open mutated pictures of all formats, bombs, and the largest picture of each format."""
    yield _mutated(random)
    yield _asked_for_much()
    yield _largest()


def _mutated(random: Random) -> Tally:
    tally = Tally("pictures with changed bytes")
    files = [_mutate(random, encoded(noise(50, 40), kind, **more)) for kind, more in _SEEDS * (_MUTATED // len(_SEEDS))]
    for place in range(0, len(files), _AT_ONCE):
        some = files[place : place + _AT_ONCE]
        outcome = limited(partial(_opened, some))
        if outcome.is_fault:  # once more, each alone
            for data in some:
                tally.add(data.hex()[:100], limited(partial(images.open_picture, data)))
            continue
        tally.add("", outcome)
        tally.tries += len(some) - 1
    return tally


def _opened(files: list[bytes]) -> int:
    """Return the number of files that are pictures. An error of another kind than ours goes through."""
    found = 0
    for data in files:
        try:
            images.open_picture(data)
            found += 1
        except images.UnreadableImageError:
            pass
    return found


def _mutate(random: Random, data: bytes) -> bytes:
    """Change, cut, double or drop some bytes. Most changes are in the first bytes, where sizes are."""
    made = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 4, 16))):
        at = random.randrange(min(len(made), random.choice((40, 200, len(made)))) or 1)
        kind = random.randrange(5)
        if kind == 0:
            made[at : at + 1] = bytes([random.randrange(256)])
        elif kind == 1:
            made[at : at + 4] = random.choice((b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff", random.randbytes(4)))
        elif kind == 2:
            del made[at : at + random.randrange(64)]
        elif kind == 3:
            made[at:at] = made[at : at + random.randrange(256)]
        else:
            del made[len(made) - random.randrange(len(made) // 2) :]
        made = made or bytearray(b"\0")
    return bytes(made)


def _asked_for_much() -> Tally:
    tally = Tally("pictures that ask for much: bombs, 40 MB of small parts")
    for name, data in _bombs():
        tally.add(name, limited(partial(images.open_picture, data)))
    return tally


def _bombs() -> Iterator[tuple[str, bytes]]:
    most = 40_000_000
    yield "WebP of 30 bytes", webp_of_size(16_383, 3_906)
    yield "WebP of 30 bytes, in the limit", webp_of_size(16_383, 1_900)
    for colour in (0, 2, 4, 6):
        yield f"PNG of 64,000,000 rows, colours {colour}", _png(1, 64_000_000, colour)
        yield f"PNG of 65,500 rows, colours {colour}", _png(640, 65_500, colour)
    yield "PNG, many profiles", with_parts("PNG", 33, png_chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(10**6))) * 999)
    yield "PNG, many texts", with_parts("PNG", 33, png_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(10**6))) * 999)
    yield "JPEG, fill bytes", with_parts("JPEG", 2, b"\xff" * most)
    yield "JPEG, junk", with_parts("JPEG", 2, b"\xff\0" * (most // 2))
    yield "JPEG, comments", with_parts("JPEG", 2, b"\xff\xfe\0\2" * (most // 4))
    block = b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0\0\0\0\0" * 5_400
    yield "JPEG, resources", with_parts("JPEG", 2, (b"\xff\xed" + struct.pack(">H", len(block) + 2) + block) * 600)
    yield "JPEG, comments after the scan", with_parts("JPEG", -2, b"\xff\xfe\0\2" * (most // 4))
    yield "PNG, chunks", with_parts("PNG", 33, png_chunk(b"teSt", b"") * (most // 12))
    yield "PNG, chunks at the end", with_parts("PNG", -12, png_chunk(b"teSt", b"") * (most // 12))
    yield "GIF, extensions", with_parts("GIF", 25, b"!\xfe\0" * (most // 3))
    yield "GIF, junk", with_parts("GIF", 25, bytes(most))
    yield "GIF, a long comment", with_parts("GIF", 25, b"!\xfe" + (b"\xff" + b"a" * 255) * (most // 256) + b"\0")
    yield "TIFF, tags", tiff_of_tags(60_000, 100)
    yield "TIFF, tags that share 40 MB", tiff_of_tags(900, most)
    head = struct.pack("<IIiiHHI", 54, 40, 8_000, 8_000, 1, 8, 1)
    yield "BMP, runs", b"BM" + bytes(8) + head + bytes(20) + b"\1\0" * (most // 2)
    yield "WebP, chunks", with_parts("WEBP", 10**9, b"junk\0\0\0\0" * (most // 8))


def _png(width: int, height: int, colours: int) -> bytes:
    """Write a PNG of one colour, with all its pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, colours, 0, 0, 0)
    row = 1 + width * {0: 1, 2: 3, 4: 2, 6: 4}[colours]
    pixels = zlib.compressobj(1)
    body = b"".join([pixels.compress(bytes(row * 10_000)) for _ in range(height // 10_000 + 1)]) + pixels.flush()
    chunks = [(b"IHDR", header), (b"IDAT", body), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*each) for each in chunks)


def _largest() -> Tally:
    """Open the largest picture of each format: the promise is half a gigabyte, and a tenth for what is around it."""
    tally = Tally("the largest picture of each format, in half a gigabyte")
    for kind, mode, pixels, more in (
        ("JPEG", "RGB", 200, {}), ("JPEG", "CMYK", 60, {"progressive": True}), ("PNG", "RGB", 63, {}),
        ("PNG", "LA", 41, {}), ("PNG", "RGBA", 41, {}), ("PNG", "I;16", 63, {}), ("GIF", "P", 63, {}),
        ("TIFF", "RGBA", 41, {"compression": "tiff_lzw"}), ("TIFF", "CMYK", 63, {"compression": "tiff_lzw"}),
        ("WEBP", "RGB", 31, {"lossless": True}), ("WEBP", "RGBA", 24, {"lossless": True}),
    ):  # fmt: skip
        size = (8_000, pixels * 125)
        data = encoded(Image.new(mode, size), kind, **more)
        outcome = limited(partial(lambda data: images.open_picture(data).size, data), memory=1_500_000_000)
        tally.add(f"{kind} {mode}", outcome)
        tally.check(f"{kind} {mode} takes {outcome.peak}", outcome.peak < 570_000_000 and outcome.kind == "done")
    return tally
