"""What is no picture, or one too large to open safely."""

from __future__ import annotations

import struct
import subprocess
import sys
import time
import warnings
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pytest
from pictures import (
    RED,
    UPRIGHT,
    compressed_bmp,
    corners,
    encoded,
    found_corners,
    jpeg_of_size,
    noise,
    png_chunk,
    png_header,
    tiff_of_tags,
    webp_of_size,
    with_parts,
)
from PIL import Image, ImageFile

from meetup2025 import images
from meetup2025.errors import UnreadableImageError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("size", [(25_000, 20_000), (14_000, 20_000), (10_000, 8_000), (2**31 - 1, 1)])
def test_header_of_too_many_pixels(size: tuple[int, int]) -> None:
    """A picture is refused by its header, so at once: 500, 280, 80 and 2,147 megapixels of PNG."""
    data = png_header(*size)
    started = time.process_time()

    with pytest.raises(UnreadableImageError, match=r"must have at most (200|64) megapixels"):
        images.open_picture(data)

    assert time.process_time() - started < 0.1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (webp_of_size(16_383, 3_906), "32 megapixels. Got 16383 x 3906"),
        (png_header(1, 65_501), "sides of at most 65500 pixels. Got 65501"),
        (png_header(8_000, 8_001), "64 megapixels. Got 8000 x 8001"),
        (png_header(8_000, 5_334, colours=6), "42 megapixels. Got 8000 x 5334"),
    ],
)
def test_memory_of_each_format(data: bytes, message: str) -> None:
    """A format that needs more memory for a pixel may have fewer pixels, so that each takes half a gigabyte."""
    with pytest.raises(UnreadableImageError, match=f"must have (at most )?{message}"):
        images.open_picture(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(with_parts("JPEG", 2, b"\xff" * 1_000), "1000 parts", id="fill bytes"),
        pytest.param(with_parts("JPEG", 2, b"\xff\0" * 500), "1000 parts", id="junk"),
        pytest.param(with_parts("JPEG", 2, b"\xff\xfe\0\2" * 1_000), "1000 parts", id="comments"),
        pytest.param(with_parts("PNG", 33, png_chunk(b"teSt", b"") * 20_000), "20000 parts", id="chunks"),
        pytest.param(with_parts("PNG", -12, png_chunk(b"teSt", b"") * 20_000), "20000 parts", id="chunks at the end"),
        pytest.param(with_parts("PNG", 33, png_chunk(b"iCCP", b"") * 2), "1 colour profile", id="profiles"),
        pytest.param(with_parts("GIF", 25, b"!\xfe\0" * 5_001), "5000 parts", id="extensions"),
        pytest.param(with_parts("GIF", 25, b"\0" * 5_001), "5000 parts", id="bytes of no block"),
        pytest.param(tiff_of_tags(1_001, 1), "1000 tags", id="tags"),
        pytest.param(tiff_of_tags(10, 100), "bytes in its tags", id="tags that share their values"),
        pytest.param(tiff_of_tags(1, 70_001, first=273), "70000 strips", id="strips"),
        pytest.param(
            encoded(corners(), "JPEG", exif=b"Exif\0\0" + tiff_of_tags(10, 100)), "bytes in its tags", id="EXIF"
        ),
        pytest.param(compressed_bmp(), None, id="runs of a BMP"),
    ],
)
def test_many_parts(data: bytes, message: str | None) -> None:
    """A file of many small parts, each of which Pillow would read in Python, is refused before that."""
    with pytest.raises(UnreadableImageError, match=f"at most .*{message}" if message else "not be a compressed BMP"):
        images.open_picture(data)


def test_parts_of_photographs_are_few() -> None:
    """As many parts as the largest photographs have are taken."""
    for kind, at, parts in (
        ("JPEG", 2, b"\xff" * 99 + b"\xff\xfe\0\2" * 800),
        ("PNG", 33, png_chunk(b"teSt", b"") * 19_000),
        ("GIF", 25, b"!\xfe" + b"\x01a" * 4_000 + b"\0"),
    ):
        assert found_corners(images.open_picture(with_parts(kind, at, parts))) == UPRIGHT


def test_pillow_warns_of_nothing() -> None:
    """A broken file gives an error and no warning, and the filters of the process stay as they were."""
    before = list(warnings.filters)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with pytest.raises(UnreadableImageError):
            images.open_picture(tiff_of_tags(3, 1_000_000)[:-9_999])

    assert seen == []
    assert warnings.filters == before


@pytest.mark.parametrize("action", ["ignore", "error"])
def test_one_pixel_too_many(action: Literal["ignore", "error"]) -> None:
    """The limit is ours: it holds whether Pillow's warning of a bomb is an error or not."""
    data = jpeg_of_size(20_000, 10_001)
    with warnings.catch_warnings():
        warnings.simplefilter(action)
        for open_it in (images.open_picture, partial(images.to_data_url, longest=64)):
            with pytest.raises(UnreadableImageError, match="must have at most 200 megapixels"):
                open_it(data)


def test_pillow_of_the_host_is_left_alone() -> None:
    """Importing the module and opening pictures changes no limit, no warning and no format of Pillow."""
    program = (
        "import numpy, warnings; from PIL import Image; Image.init()\n"
        "def state(): return Image.MAX_IMAGE_PIXELS, list(warnings.filters), sorted(Image.OPEN)\n"
        "before = state()\n"
        "from meetup2025 import images; images.open_picture('samples/saba.png')\n"
        "print(state() == before)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("True", "")


def test_limit_of_the_host_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit that another program set for its own pictures does not hold for ours."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1)
    assert found_corners(images.open_picture(encoded(corners(60, 40)))) == UPRIGHT


def test_many_pixels_of_jpeg() -> None:
    """A JPEG may have 200 megapixels where the decoder shrinks it, and 64 where it cannot (progressive)."""
    with pytest.raises(UnreadableImageError, match=r"must have at most 64 megapixels. Got 9000 x 9000"):
        images.open_picture(jpeg_of_size(9_000, 9_000, progressive=True))

    assert images.open_picture(jpeg_of_size(20_000, 10_000)).size == (625, 313)
    assert images.open_picture(jpeg_of_size(2_000, 3_000, progressive=True)).size == (500, 750)


def test_too_many_scans() -> None:
    """A progressive JPEG that would keep the decoder busy for minutes is refused at once."""
    data = encoded(Image.new("RGB", (8_000, 1_000), RED), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xc4")  # the tables of the last scan, and the scan
    many = data[:-2] + data[last:-2] * 1_000 + data[-2:]
    started = time.process_time()

    with pytest.raises(UnreadableImageError, match=r"must have at most 500 scans\. Got 1010"):
        images.open_picture(many)

    assert time.process_time() - started < 0.1
    assert images.open_picture(data).size == (1_000, 125)


def test_bomb() -> None:
    """A small file that would fill memory is refused before it does."""
    bomb = encoded(Image.new("1", (9_000, 9_000)))

    assert len(bomb) < 20_000
    with pytest.raises(UnreadableImageError, match=r"must have at most 64 megapixels. Got 9000 x 9000"):
        images.open_picture(bomb)


@pytest.mark.parametrize("size", [(0, 0), (0, 5), (5, 0)])
def test_no_pixels(size: tuple[int, int]) -> None:
    """A picture of no width or no height is refused."""
    bmp = bytearray(encoded(Image.new("RGB", (1, 1)), "BMP"))
    bmp[18:26] = struct.pack("<ii", *size)
    gif = bytearray(encoded(Image.new("L", (1, 1)), "GIF"))
    frame = gif.index(b",")
    gif[6:10] = gif[frame + 5 : frame + 9] = struct.pack("<HH", *size)

    for data in (png_header(*size), bytes(bmp), bytes(gif), jpeg_of_size(*size)):
        with pytest.raises(UnreadableImageError):
            images.open_picture(data)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\0", id="one byte"),
        pytest.param(b"not a picture " * 99, id="text"),
        pytest.param(b"<!DOCTYPE html><html><body>404</body></html>", id="HTML saved as .jpg"),
        pytest.param(b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', id="SVG"),
        pytest.param(b"%PDF-1.7\n", id="PDF"),
        pytest.param(encoded(corners(), "EPS"), id="EPS"),
        pytest.param(encoded(corners(), "ICO"), id="ICO"),
        pytest.param(encoded(corners(), "PPM"), id="PPM"),
        pytest.param(encoded(corners(), "TGA"), id="TGA"),
        pytest.param(b"8BPS\0\1" + bytes(99), id="PSD"),
        pytest.param(b"\xff\xd8\xff", id="start of a JPEG"),
        pytest.param(b"\x89PNG\r\n\x1a\n", id="start of a PNG"),
        pytest.param(b"GIF89a", id="start of a GIF"),
        pytest.param(b"RIFF\0\0\0\0WEBP", id="start of a WebP"),
        pytest.param(b"II*\0\x08\0\0\0", id="start of a TIFF"),
    ],
)
def test_not_a_picture(photos: Path, data: bytes) -> None:
    """What is not a photograph's format is refused by its bytes, whatever the file's name says."""
    (photos / "fish.jpg").write_bytes(data)

    with pytest.raises(UnreadableImageError, match=r"^The picture "):
        images.open_picture(data)
    with pytest.raises(UnreadableImageError, match=r"^'fish\.jpg' "):
        images.open_picture("fish.jpg")


def test_zero_bytes(photos: Path) -> None:
    """An empty file and an empty string are refused as such."""
    (photos / "fish.jpg").touch()

    for source in (b"", "", "data:image/png;base64,", "fish.jpg"):
        with pytest.raises(UnreadableImageError, match="Got zero bytes"):
            images.open_picture(source)


@pytest.mark.parametrize("kept", [0.3, 0.5, 0.9])
@pytest.mark.parametrize(
    ("kind", "options"),
    [("JPEG", {"progressive": True}), *((kind, {}) for kind in images.FORMATS)],
)
def test_truncated(kind: str, options: dict[str, Any], kept: float) -> None:
    """A file that ends too early is refused; the missing part is never filled with grey."""
    data = encoded(noise(200, 150), kind, **options)

    with pytest.raises(UnreadableImageError, match=r"^The picture (is broken|must be one of)"):
        images.open_picture(data[: int(len(data) * kept)])
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


@pytest.mark.parametrize("kind", images.FORMATS)
@pytest.mark.filterwarnings("ignore")
def test_damaged(kind: str) -> None:
    """Of a file with damaged bytes comes a picture or this project's error, nothing else."""
    data = encoded(noise(40, 30), kind)
    random = np.random.default_rng(5)
    refused = 0
    for _ in range(150):  # most of the damage is in the header, where the sizes are
        damaged = bytearray(data)
        for at in random.integers(0, len(data) if random.random() < 0.3 else 90, 3):
            damaged[at] = random.integers(0, 256)
        try:
            assert images.open_picture(bytes(damaged)).mode == "RGB"
        except UnreadableImageError:
            refused += 1

    assert refused > 0


def test_heic() -> None:
    """A HEIC picture of a telephone is opened where pillow-heif is installed."""
    pillow_heif = pytest.importorskip("pillow_heif")
    stream = BytesIO()
    pillow_heif.from_pillow(corners(64, 48)).save(stream, quality=95)
    data = stream.getvalue()

    assert data[4:8] == b"ftyp"
    assert found_corners(images.open_picture(data)) == UPRIGHT
    assert images.to_data_url(data, longest=64).startswith("data:image/jpeg;base64,")


def test_heic_without_pillow_heif(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pillow-heif is not installed, the error says what to do."""
    monkeypatch.setitem(sys.modules, "pillow_heif", None)

    with pytest.raises(UnreadableImageError, match=r"save it as JPEG, or .*pip install -e '.*\[heic\]' where"):
        images.open_picture(b"\0\0\0\x18ftypheic" + bytes(99))
