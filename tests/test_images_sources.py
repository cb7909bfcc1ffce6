"""Where a picture comes from, and how clients send it."""

from __future__ import annotations

import base64
import os
import time
from typing import TYPE_CHECKING

import pytest
from pictures import corners, encoded, noise, png_header
from PIL import ImageChops

from meetup2025 import files, images
from meetup2025.errors import ForbiddenPathError, UnreadableImageError

if TYPE_CHECKING:
    from pathlib import Path


def test_every_source_gives_the_same(photos: Path) -> None:
    """Bytes, base64 with or without line breaks, a data URL of any type, and a path give the same picture."""
    data = encoded(corners())
    (photos / "マアジ 1.png").write_bytes(data)
    text = base64.b64encode(data).decode()
    sources: list[str | bytes] = [
        data,
        text,
        f" {text}\n",
        base64.encodebytes(data).decode(),
        base64.encodebytes(data).decode().replace("\n", "\r\n"),
        f"data:image/png;base64,{text}",
        f"DATA:text/plain;charset=utf-8;BASE64,{text}",
        f"data:;base64,{text}",
        "マアジ 1.png",
        str(photos / "マアジ 1.png"),
    ]

    for source in sources:
        assert ImageChops.difference(images.open_picture(source), corners()).getbbox() is None


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("data:image/png", "must be a URL like data:image/png;base64,…"),
        ("data:image/png,%89PNG", "must be a URL like data:image/png;base64,…"),
        ("data:image/png;base64,####", "must be base64, a data URL or a path"),
        ("data:image/png;base64,AAAAA", "must be base64, a data URL or a path"),
        ("data:image/png;base64,マアジ", "must be base64, a data URL or a path"),
        ("http://localhost/fish.png", "a URL, which is never fetched"),
        ("HTTPS://example.org/fish.png", "a URL, which is never fetched"),
        ("?" * 1025, "must be base64, a data URL or a path"),
        ("AAAA" * 500, "must be one of JPEG, PNG"),
    ],
)
def test_bad_text(source: str, message: str) -> None:
    """Text that is no picture says which form is expected."""
    with pytest.raises(UnreadableImageError, match=message):
        images.open_picture(source)


@pytest.mark.parametrize(
    "source",
    [
        "missing.png",
        "../outside.png",
        "{photos}/../outside.png",
        "link.png",
        "fifo.png",
        "/dev/zero",
        "file:///fish.png",
        "?" * 1024,
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="Windows has no FIFO, and links need a privilege")
def test_forbidden_path(photos: Path, source: str) -> None:
    """A path that is not a file below the allowed folders is refused, and nothing hangs."""
    (photos.parent / "outside.png").write_bytes(encoded(corners()))
    (photos / "link.png").symlink_to(photos.parent / "outside.png")
    os.mkfifo(photos / "fifo.png")

    with pytest.raises(ForbiddenPathError, match="is not a file below MEETUP2025_PHOTOS"):
        images.open_picture(source.format(photos=photos))


def test_large_file(photos: Path) -> None:
    """A file of 2 GB is refused by its size, unread."""
    with (photos / "fish.jpg").open("wb") as stream:
        stream.truncate(2_000_000_000)
    started = time.process_time()

    for open_it in (images.open_picture, images.read_picture):
        with pytest.raises(UnreadableImageError, match=r"^'fish\.jpg' must have at most 50 MB\. Got 2000\.0"):
            open_it("fish.jpg")
    with pytest.raises(UnreadableImageError, match="must have at most 50 MB"):
        images.to_data_url(photos / "fish.jpg", longest=64)

    assert time.process_time() - started < 0.1


def test_limit_of_bytes(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit holds to the byte for a file and for bytes, and for base64 too."""
    data = encoded(corners())
    (photos / "fish.png").write_bytes(data)
    sources: list[str | bytes] = [data, "fish.png", base64.b64encode(data).decode()]
    monkeypatch.setattr(files, "LARGEST_PICTURE", len(data) + 2)  # base64 is counted with its padding
    assert [images.open_picture(source).size for source in sources] == [(60, 40)] * 3
    monkeypatch.setattr(files, "LARGEST_PICTURE", len(data) - 1)

    for source in sources[:2]:
        with pytest.raises(UnreadableImageError, match="must have at most"):
            images.open_picture(source)


def test_long_base64(monkeypatch: pytest.MonkeyPatch) -> None:
    """Base64 of more than the limit is refused before it is decoded."""
    monkeypatch.setattr(files, "LARGEST_PICTURE", 1_000_000)

    with pytest.raises(UnreadableImageError, match=r"must have at most 1 MB\. Got 1\.5"):
        images.open_picture("#" * 2_000_000)


def test_read_picture(photos: Path) -> None:
    """The bytes of a file below the folders are read as they are; a file elsewhere is not."""
    (photos / "fish.jpg").write_bytes(b"fish")
    (photos.parent / "secret.jpg").write_bytes(b"secret")

    assert images.read_picture(photos / "fish.jpg") == b"fish"
    with pytest.raises(ForbiddenPathError):
        images.read_picture(photos.parent / "secret.jpg")


def payload(url: str) -> bytes:
    """Decode the bytes of a data URL."""
    return base64.b64decode(url.partition(",")[2], validate=True)


@pytest.mark.parametrize(
    ("kind", "mime"),
    [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp"), ("GIF", "image/gif")],
)
def test_data_url_of_a_small_file(tmp_path: Path, kind: str, mime: str) -> None:
    """A small file of any folder goes as it is, under its own type."""
    data = encoded(corners(), kind)
    (tmp_path / "fish").write_bytes(data)

    for source in (data, tmp_path / "fish", str(tmp_path / "fish")):
        url = images.to_data_url(source, longest=64)
        assert url.startswith(f"data:{mime};base64,")
        assert payload(url) == data


def test_data_url_of_a_large_file() -> None:
    """A large file is shrunk until it fits, and the default limit fits a string of IRIS."""
    data = encoded(noise(1100, 1000), "PNG")
    url = images.to_data_url(data, longest=512)
    tight = images.to_data_url(data, longest=512, limit=20_000)

    assert len(data) > 2_500_000
    assert url.startswith("data:image/jpeg;base64,")
    assert images.open_picture(url).size == (550, 500)
    assert len(images.to_data_url(bytes(encoded(noise(900, 900), "PNG")), longest=900)) <= 3_641_144
    assert len(payload(tight)) <= 20_000
    assert min(images.open_picture(tight).size) > 50


def test_data_url_of_what_is_no_picture(tmp_path: Path) -> None:
    """What the server would refuse is refused before it is sent."""
    for source in (b"", b"not a picture", png_header(25_000, 20_000), tmp_path / "missing.jpg", tmp_path):
        with pytest.raises(UnreadableImageError):
            images.to_data_url(source, longest=64)


def test_data_url_that_cannot_fit() -> None:
    """A limit that no JPEG meets is an error, not an endless loop."""
    with pytest.raises(UnreadableImageError, match="must fit 10 bytes"):
        images.to_data_url(encoded(corners()), longest=64, limit=10)
