"""What comes out of a picture: colours, orientation, size."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
import pytest
from pictures import BLUE, RED, UPRIGHT, WHITE, corners, encoded, found_corners, noise
from PIL import Image, ImageChops
from PIL.JpegImagePlugin import JpegImageFile

from meetup2025 import images
from meetup2025.errors import UnreadableImageError

# How a camera that writes the orientation stores the upright picture.
STORED = {
    1: [],
    2: [Image.Transpose.FLIP_LEFT_RIGHT],
    3: [Image.Transpose.ROTATE_180],
    4: [Image.Transpose.FLIP_TOP_BOTTOM],
    5: [Image.Transpose.TRANSPOSE],
    6: [Image.Transpose.ROTATE_90],
    7: [Image.Transpose.TRANSVERSE],
    8: [Image.Transpose.ROTATE_270],
}


@pytest.mark.parametrize("kind", [*images.FORMATS, "MPO"])
def test_formats(kind: str) -> None:
    """Each format of photographs gives the same upright RGB picture."""
    picture = images.open_picture(encoded(corners(), kind))

    assert type(picture) is Image.Image
    assert picture.mode == "RGB"
    assert picture.size == (60, 40)
    assert found_corners(picture) == UPRIGHT


@pytest.mark.parametrize("size", [(1, 1), (2, 2000), (96, 96), (1200, 900)])
def test_thumbnail_is_small(size: tuple[int, int]) -> None:
    """A thumbnail fits its column even of noise, keeps the proportions, never grows; the picture stays as it is."""
    picture = noise(*size)
    made = images.thumbnail(picture)
    small = images.open_picture(made)

    assert len(made) <= 20_000
    assert max(small.size) == min(96, max(size))
    assert small.size[0] * size[1] == pytest.approx(size[0] * small.size[1], abs=max(size))
    assert picture.size == size


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "MPO"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(kind: str, orientation: int) -> None:
    """A photo taken with the camera in any of eight positions comes out upright."""
    stored = corners()
    for turn in STORED[orientation]:
        stored = stored.transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation

    picture = images.open_picture(encoded(stored, kind, exif=exif.tobytes()))

    assert picture.size == (60, 40)
    assert found_corners(picture) == UPRIGHT


@pytest.mark.parametrize("exif", [b"", b"junk", b"II*\0\xff\xff\xff\x7f", b"II*\0\x08\0\0\0\xff\xff", b"\xff" * 40])
@pytest.mark.filterwarnings("ignore:(Possibly c|C)orrupt EXIF data:UserWarning")
def test_broken_exif_is_no_reason_to_refuse(exif: bytes) -> None:
    """A photo with broken EXIF is taken as it is."""
    assert found_corners(images.open_picture(encoded(corners(), "JPEG", exif=b"Exif\0\0" + exif))) == UPRIGHT


def test_orientation_that_does_not_exist() -> None:
    """An orientation other than 1 to 8 is no orientation."""
    exif = Image.Exif()
    exif[0x0112] = 9

    assert found_corners(images.open_picture(encoded(corners(), "JPEG", exif=exif.tobytes()))) == UPRIGHT


def see_through(mode: str) -> Image.Image:
    """Draw a picture whose left half is opaque and whose right half is transparent."""
    layer = Image.new("RGBA", (60, 40), (0, 0, 0, 0))
    layer.paste((255, 0, 0, 255), (0, 0, 30, 40))
    return layer.convert(mode)


def palette_with_one_clear_colour() -> bytes:
    """Draw two colours with a palette and make the second transparent."""
    picture = Image.new("P", (60, 40), 0)
    picture.putpalette([255, 0, 0, 0, 0, 0])
    picture.paste(1, (30, 0, 60, 40))
    return encoded(picture, transparency=1)


def palette_with_alphas() -> bytes:
    """Draw two colours with a palette, each with an alpha of its own."""
    picture = Image.new("P", (60, 40), 0)
    picture.putpalette([255, 0, 0, 0, 0, 0])
    picture.paste(1, (30, 0, 60, 40))
    return encoded(picture, transparency=bytes([255, 0]))


def rgb_with_one_clear_colour() -> bytes:
    """Draw two colours and make black the transparent one."""
    return encoded(see_through("RGB"), transparency=(0, 0, 0))


def bmp_without_alpha() -> bytes:
    """Write a BMP of 32 bits that has a place for the alpha and leaves it empty, as many programs do."""
    rows = np.asarray(corners(60, 40))[::-1, :, ::-1]
    pixels = np.dstack([rows, np.zeros((40, 60, 1), np.uint8)]).tobytes()
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    header = struct.pack("<IiiHHIIiiII", 124, 60, 40, 1, 32, 3, len(pixels), 0, 0, 0, 0) + masks + b"sRGB" + bytes(64)
    return b"BM" + struct.pack("<IHHI", 14 + len(header) + len(pixels), 0, 0, 14 + len(header)) + header + pixels


def rgba_without_alpha(kind: str, **options: Any) -> bytes:
    """Draw the corners with an alpha of 0 everywhere."""
    picture = corners(60, 40)
    picture.putalpha(0)
    return encoded(picture, kind, **options)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(bmp_without_alpha(), id="BMP"),
        pytest.param(rgba_without_alpha("PNG"), id="PNG"),
        pytest.param(rgba_without_alpha("WEBP", lossless=True, exact=True), id="WebP"),
    ],
)
def test_empty_alpha_is_none(data: bytes) -> None:
    """A picture of which nothing could be seen is shown as if it had no alpha."""
    assert found_corners(images.open_picture(data)) == UPRIGHT


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(encoded(see_through("RGBA")), id="RGBA PNG"),
        pytest.param(encoded(see_through("RGBA"), "WEBP", lossless=True), id="RGBA WebP"),
        pytest.param(encoded(see_through("RGBA"), "TIFF"), id="RGBA TIFF"),
        pytest.param(encoded(see_through("RGBA"), "GIF"), id="GIF"),
        pytest.param(palette_with_one_clear_colour(), id="palette, one clear colour"),
        pytest.param(palette_with_alphas(), id="palette with alphas"),
        pytest.param(rgb_with_one_clear_colour(), id="RGB, one clear colour"),
    ],
)
def test_transparent_is_white(data: bytes) -> None:
    """What is transparent becomes white, not black."""
    assert found_corners(images.open_picture(data)) == [RED, WHITE, WHITE, RED]


def test_half_transparent_grey() -> None:
    """Half transparent black over white is grey."""
    picture = images.open_picture(encoded(Image.new("LA", (20, 20), (0, 128))))

    assert np.allclose(np.asarray(picture), 127, atol=1)


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        pytest.param(Image.new("L", (9, 9), 100), (100, 100, 100), id="grey"),
        pytest.param(Image.new("1", (9, 9), 1), WHITE, id="one bit"),
        pytest.param(corners(9, 9).crop((0, 0, 3, 3)).quantize(4), RED, id="palette"),
        pytest.param(Image.fromarray(np.full((9, 9), 0x4080, np.uint16)), (64, 64, 64), id="16-bit grey"),
        pytest.param(Image.fromarray(np.full((9, 9), 0xFFFF, np.uint16)), WHITE, id="16-bit white"),
        pytest.param(Image.fromarray(np.full((9, 9), 0x00FF, np.uint16)), (0, 0, 0), id="16-bit black"),
    ],
)
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_other_depths(picture: Image.Image, expected: tuple[int, ...], kind: str) -> None:
    """Grey, one-bit, palette and 16-bit pictures are scaled to 8 bits, not clipped."""
    opened = images.open_picture(encoded(picture, kind))

    assert np.asarray(opened)[1, 1].tolist() == list(expected)


def test_16_bit_colours() -> None:
    """A PNG with 16 bits per colour keeps its colours."""
    header = struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0)
    pixel = zlib.compress(b"\0" + struct.pack(">HHH", 0xC000, 0x8000, 0x0100))
    chunks = [(b"IHDR", header), (b"IDAT", pixel), (b"IEND", b"")]
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )

    assert np.asarray(images.open_picture(data)).tolist() == [[[192, 128, 1]]]


@pytest.mark.parametrize("mode", ["I", "F"])
def test_32_bit_numbers_are_no_colours(mode: str) -> None:
    """A TIFF of 32-bit numbers has no known white, so it is refused rather than guessed."""
    with pytest.raises(UnreadableImageError, match="must have 8 or 16 bits per colour"):
        images.open_picture(encoded(Image.new(mode, (9, 9), 3), "TIFF"))


def test_cmyk() -> None:
    """A CMYK JPEG of a print shop (inverted, as Adobe writes them) has its colours, not their negative."""
    picture = images.open_picture(encoded(corners().convert("CMYK"), "JPEG", quality=95))

    assert found_corners(picture) == UPRIGHT


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_first_frame(kind: str) -> None:
    """Of an animation or a document with several pages, the first is opened."""
    later = [Image.new("RGB", (60, 40), BLUE)]

    picture = images.open_picture(encoded(corners(), kind, save_all=True, append_images=later))

    assert found_corners(picture) == UPRIGHT


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("longest", [1, 2, 64, 224, 512])
@pytest.mark.parametrize("size", [(1, 1), (2, 1), (223, 1), (1000, 40), (40, 1000), (1023, 700), (1024, 1024)])
def test_longest_side(kind: str, longest: int, size: tuple[int, int]) -> None:
    """The longest side has one to two times what was asked, or what the file has if less; the shape stays."""
    picture = images.open_picture(encoded(Image.new("RGB", size, RED), kind), longest=longest)
    side = max(picture.size)

    assert min(max(size), longest) <= side <= max(2 * longest, 1)
    assert abs(picture.width / size[0] - side / max(size)) * size[0] < 2
    assert abs(picture.height / size[1] - side / max(size)) * size[1] < 2
    assert np.asarray(picture).reshape(-1, 3).mean(axis=0) == pytest.approx(RED, abs=6)


def test_small_picture_is_not_changed() -> None:
    """A picture that is small enough keeps its pixels."""
    picture = corners(500, 400)

    assert ImageChops.difference(images.open_picture(encoded(picture)), picture).getbbox() is None


def test_shrinking_averages() -> None:
    """A shrunk pixel is the mean of the pixels it stands for, so fine patterns become grey."""
    board = np.indices((800, 800)).sum(axis=0) % 2 * 255
    picture = images.open_picture(encoded(Image.fromarray(board.astype(np.uint8))), longest=200)

    assert picture.size == (200, 200)
    assert np.allclose(np.asarray(picture), 127.5, atol=1)


def test_decoder_shrinks_twelve_megapixels(monkeypatch: pytest.MonkeyPatch) -> None:
    """The decoder itself shrinks a 12-megapixel JPEG, so that most of its pixels are never made."""
    data = encoded(noise(500, 375).resize((4000, 3000)), "JPEG", quality=85)
    decoded: list[tuple[int, int]] = []
    load = JpegImageFile.load
    monkeypatch.setattr(JpegImageFile, "load", lambda self: decoded.append(self.size) or load(self))

    picture = images.open_picture(data)

    assert picture.size == (1000, 750)
    assert {*decoded} == {(1000, 750)}
