"""
Opening of untrusted pictures: a path below an allowed folder, a data URL, base64, or bytes.

This is the only module that opens pictures. The result is a small upright RGB picture, or an `UnreadableImageError`
with the reason. Colour profiles are not applied.
"""

from __future__ import annotations

import os
import re
import struct
import threading
import warnings
from contextlib import contextmanager, suppress
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

import numpy as np
from PIL import (  # the plugins add their formats to `Image.OPEN`
    BmpImagePlugin,  # noqa: F401
    ExifTags,
    GifImagePlugin,  # noqa: F401
    Image,
    ImageFile,
    JpegImagePlugin,  # noqa: F401
    PngImagePlugin,  # noqa: F401
    TiffImagePlugin,  # noqa: F401
    UnidentifiedImageError,
    WebPImagePlugin,  # noqa: F401
)

from meetup2025 import files
from meetup2025.errors import UnreadableImageError, shown
from meetup2025.files import open_below
from meetup2025.settings import install_command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Part: TypeAlias = "tuple[int | bytes, int, int]"
"""A part of a picture file: its kind, and where its bytes begin and end."""

MAX_PIXELS = 200_000_000
"""Most pixels by the header: telephones of 200 megapixels exist, and JPEG is decoded at a smaller scale."""

MAX_DECODED_BYTES = 512_000_000
"""Most memory for decoding: 64 megapixels, or 42 with transparency, 32 of WebP, 25 of WebP with transparency."""

MAX_SIDE = 65_500
"""Most pixels of a side, as libjpeg has it. Pillow needs eight bytes more for each row."""

MAX_PARTS = {"JPEG": 1_000, "PNG": 20_000, "GIF": 5_000, "TIFF": 1_000}
"""
Most segments before the scan, chunks, blocks before the first frame, and tags of a file. Photographs have a tenth.
Pillow reads each part in Python, so a file of nothing else would take a minute.
"""

MAX_STRIPS = 70_000
"""Most strips or tiles of a TIFF: one for each row."""

MAX_SCANNED_PIXELS = 4_000_000_000
"""Most pixels times scans of a progressive JPEG: four seconds. Photographs have about ten scans."""

MAX_PATH_CHARACTERS = 1024
"""Most characters of a path. A longer string is no path."""

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP")
"""Formats of photographs. No other decoder of Pillow sees the bytes, except the decoder of HEIC."""

_SCAN = b"\xff\xda"  # begins a scan of a JPEG
_MARKER = re.compile(b"\xff[\x01-\xfe]")
_ALONE = frozenset((0x01, 0xC8, *range(0xD0, 0xDA), *range(0xF0, 0xFE)))  # markers of JPEG without a length
_TAG_BYTES = dict(zip(range(1, 19), (1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 2, 4, 8, 8, 8), strict=True))
_STRIPS = (273, 324)  # the tags of TIFF that say where strips and tiles are
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1")

_SILENCE = ("ignore", None, Warning, re.compile(r"PIL\."), 0)
_QUIETING = threading.Lock()
_quieted = 0

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

def open_picture(source: str | bytes, *, longest: int = 512) -> Image.Image:
    """
    Open a picture: upright, on white, and small.

    Args:
        source: Bytes of a picture file, a data URL (`data:image/png;base64,…`, where the bytes count, not the type),
            base64 (with or without line breaks), or a path below the allowed folders. A string that is not base64 and
            has at most 1024 characters is a path: no base64 has the dot of `.jpg`.
        longest: Wanted pixels of the longest side, from 1.

    Returns:
        RGB picture, the first frame of an animation. The longest side has *longest* to 2 x *longest* pixels, or the
        pixels of the file where it has fewer.

    Raises:
        UnreadableImageError: The source is not a picture, is broken, or is too large.
        ForbiddenPathError: The path is not a file below the allowed folders.
    """
    data, what = _bytes_of(source)
    return _decode(data, what, longest)


def picture_bytes(source: str | bytes) -> bytes:
    """
    Return the bytes of a picture file, for any *source* of `open_picture`.

    Raises:
        UnreadableImageError: The source is not base64, or has more than `files.LARGEST_PICTURE`.
        ForbiddenPathError: The path is not a file below the allowed folders.
    """
    return _bytes_of(source)[0]


def read_picture(path: str | os.PathLike[str]) -> bytes:
    """
    Read a picture file below the allowed folders, as bytes for `open_picture`.

    Raises:
        UnreadableImageError: The file has more than `files.LARGEST_PICTURE`.
        ForbiddenPathError: The path is not a file below the allowed folders.
    """
    with open_below(path) as stream:
        return _read(stream, _shown(path))


def to_data_url(source: str | bytes | os.PathLike[str], *, longest: int, limit: int = files.LARGEST_SENT) -> str:
    """
    Convert a picture of the user's own machine to a data URL that fits an IRIS string (3,641,144 characters).

    Args:
        source: Path of any local file, or bytes of a file. A URL of the web is refused.
        longest: As in `open_picture`. It counts for a file larger than *limit*, and for HEIC, which few servers read.
        limit: Most bytes in the URL, before base64. A file of this size or less stays as it is.

    Raises:
        UnreadableImageError: The file does not exist, is not a picture, is broken, or is too large.
    """
    data, what = _bytes_of(source) if isinstance(source, bytes) else _local(source)
    with _reading(what), _header(data, what) as picture:
        is_heic, mime = picture.format == "HEIF", picture.get_format_mimetype()
    if len(data) > limit or is_heic or not mime:
        mime, data = "image/jpeg", _jpeg(data, what, longest, limit)
    return files.data_url(mime, data)


def thumbnail(picture: Image.Image, *, longest: int = 96) -> str:
    """
    Make a small copy of a picture, for people to look at.

    Args:
        picture: A picture from `open_picture`.
        longest: Most pixels of its longest side.

    Returns:
        A JPEG as a data URL. With 96 pixels it has some 3,000 characters, and 20,000 at most.
    """
    small, stream = picture.copy(), BytesIO()
    small.thumbnail((longest, longest))
    small.save(stream, "JPEG", quality=75)
    return files.data_url("image/jpeg", stream.getvalue())


def look(picture: Image.Image) -> str:
    """
    Compute the perceptual hash of a picture, which recompressing, resizing and brightening do not change.

    Args:
        picture: A picture from `open_picture`.

    Returns:
        64 bits as 16 hexadecimal digits: which of the 64 slowest waves of the grey picture are above their median.

    References:
        C. Zauner, Implementation and benchmarking of perceptual image hash functions, 2010.
    """
    grey = np.asarray(picture.convert("L").resize((32, 32), Image.Resampling.LANCZOS), float)
    waves = np.cos(np.pi / 32 * np.outer(np.arange(8), np.arange(32) + 0.5))
    slow = (waves @ grey @ waves.T).ravel()
    bits = np.packbits(slow > np.median(slow[1:]))
    return bits.tobytes().hex()


# --- from a source to bytes ---------------------------------------------------------------------------------


def _bytes_of(source: str | bytes) -> tuple[bytes, str]:
    """Return the bytes of *source*, and its name for errors."""
    what = "The picture"
    if isinstance(source, bytes):
        _check_bytes(len(source), what)
        return source, what
    if source[:5].lower() == "data:":
        return _payload(source, what), what
    _check_no_url(source, what)
    try:
        return _from_base64(source, what), what
    except UnreadableImageError:
        if len(source) > MAX_PATH_CHARACTERS:
            raise
    return read_picture(source), _shown(source)


def _check_no_url(source: str, what: str) -> None:
    if source[:8].lower().startswith(("http://", "https://")):
        raise UnreadableImageError(
            f"{what} must be the picture itself or a path. Got a URL, which is never fetched; download the picture."
        )


def _payload(url: str, what: str) -> bytes:
    header, _, payload = url.partition(",")
    if not header.lower().endswith(";base64"):
        raise UnreadableImageError(f"{what} must be a URL like data:image/png;base64,… Got {shown(header)}.")
    return _from_base64(payload, what)


def _from_base64(text: str, what: str) -> bytes:
    _check_bytes(len(text) * 3 // 4, what)
    try:
        return files.read_base64(text)
    except ValueError as exc:
        raise UnreadableImageError(f"{what} must be base64, a data URL or a path. Got none: {exc}.") from exc


def _local(path: str | os.PathLike[str]) -> tuple[bytes, str]:
    _check_no_url(os.fspath(path), _shown(path))
    try:
        with Path(path).open("rb") as stream:
            return _read(stream, _shown(path)), _shown(path)
    except OSError as exc:
        raise UnreadableImageError(f"{_shown(path)} cannot be read: {exc.strerror}.") from exc


def _read(stream: BinaryIO, what: str) -> bytes:
    """Read a file. A large file is refused unread. A device, which has no size, is refused after its first bytes."""
    _check_bytes(os.fstat(stream.fileno()).st_size, what)
    data = stream.read(files.LARGEST_PICTURE + 1)
    _check_bytes(len(data), what)
    return data


def _check_bytes(size: int, what: str) -> None:
    if size > files.LARGEST_PICTURE:
        limit = files.LARGEST_PICTURE // 1_000_000
        raise UnreadableImageError(f"{what} must have at most {limit} MB. Got {size / 1e6:.1f}; shrink it.")


def _shown(path: str | os.PathLike[str]) -> str:
    return shown(os.fspath(path))


# --- from bytes to pixels -----------------------------------------------------------------------------------


def _decode(data: bytes, what: str, longest: int) -> Image.Image:
    with _reading(what), _header(data, what) as picture:
        full = picture.size
        factor = max(1, max(full) // longest)
        picture.draft(None, (max(1, full[0] // factor), max(1, full[1] // factor)))
        one_scan = _is_one_scan(data)
        _check_pixels(picture.size if one_scan else full, MAX_DECODED_BYTES // _bytes_of_pixel(picture), what)
        _check_scans(1 if one_scan else data.count(_SCAN), full, what)
        picture.load()
        turn = _TURNS.get(_orientation(picture))
        small = _to_rgb(picture, what)
        small = small.reduce(max(1, max(small.size) // longest))
        return small.transpose(turn) if turn is not None else small


@contextmanager
def _reading(what: str) -> Iterator[None]:
    """Return the fault that a decoder of Pillow found, in plain words."""
    try:
        with _quiet():
            yield
    except UnreadableImageError:
        raise
    except UnidentifiedImageError as exc:
        raise UnreadableImageError(
            f"{what} must be one of {', '.join(FORMATS)}. Got something else, or a broken header."
        ) from exc
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as exc:
        raise UnreadableImageError(_too_many("more", MAX_PIXELS, what)) from exc
    except Exception as exc:  # decoders raise errors of nearly every type for broken bytes
        reason = str(exc) or type(exc).__name__
        raise UnreadableImageError(f"{what} is broken: {reason.rstrip('.')}. Get a whole copy.") from exc


@contextmanager
def _quiet() -> Iterator[None]:
    """
    Let Pillow warn of nothing in a block: the error says what is wrong, and a broken file would give 40,000 warnings.

    Filters belong to the process. So the first of several threads adds one, and the last removes it.
    """
    global _quieted  # noqa: PLW0603
    with _QUIETING:
        if not _quieted:
            warnings.filters.insert(0, _SILENCE)  # type: ignore[attr-defined]
        _quieted += 1
    try:
        yield
    finally:
        with _QUIETING:
            _quieted -= 1
            if not _quieted:
                with suppress(ValueError):  # a host that restored its own filters has removed it
                    warnings.filters.remove(_SILENCE)  # type: ignore[attr-defined]


def _header(data: bytes, what: str) -> Image.Image:
    """Read the header only: nothing is decoded yet."""
    if not data:
        raise UnreadableImageError(f"{what} must be a picture. Got zero bytes; the file is empty.")
    is_heif = data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS
    picture = _heif(data, what) if is_heif else _opened(data, what)
    _check_pixels(picture.size, MAX_PIXELS, what)
    if max(picture.size) > MAX_SIDE:
        raise UnreadableImageError(f"{what} must have sides of at most {MAX_SIDE} pixels. Got {max(picture.size)}.")
    return picture


def _opened(data: bytes, what: str) -> ImageFile.ImageFile:
    """
    Open a picture of one of `FORMATS`.

    `Image.open` would apply a limit of pixels that counts for the whole process, and is below the cameras of today.
    """
    for name in FORMATS:
        factory, is_of_format = Image.OPEN[name]
        if is_of_format is None or is_of_format(data[:16]) is True:
            with suppress(SyntaxError, IndexError, TypeError, struct.error):  # as `Image.open` does
                _check_parts(name, data, what)
                return factory(BytesIO(data), "")
    raise UnidentifiedImageError


def _heif(data: bytes, what: str) -> Image.Image:
    try:
        import pillow_heif
    except ImportError as exc:
        raise UnreadableImageError(
            f"{what} is a HEIC picture: save it as JPEG, or {install_command('heic')} where it is read."
        ) from exc
    picture: Image.Image = pillow_heif.HeifImageFile(BytesIO(data))
    return picture


def _check_pixels(size: tuple[int, int], limit: int, what: str) -> None:
    width, height = size
    if width * height > limit:
        raise UnreadableImageError(_too_many(f"{width} x {height}", limit, what))


def _check_scans(scans: int, size: tuple[int, int], what: str) -> None:
    most = MAX_SCANNED_PIXELS // (size[0] * size[1])
    if scans > most:
        raise UnreadableImageError(f"{what} must have at most {most} scans. Got {scans}; save it again.")


def _bytes_of_pixel(picture: Image.Image) -> int:
    """Return the bytes that a pixel needs at most, as measured: a copy for each step, and three of libwebp."""
    return 8 + 4 * picture.has_transparency_data + 8 * (picture.format == "WEBP")


def _too_many(got: str, limit: int, what: str) -> str:
    return f"{what} must have at most {limit // 1_000_000} megapixels. Got {got}; save it smaller."


def _is_one_scan(data: bytes) -> bool:
    """
    Check whether decoding a JPEG at a smaller scale saves memory. For other formats, return True.

    With several scans (a progressive JPEG has about ten) libjpeg holds the coefficients of all pixels: 600 MB for 200
    megapixels, where one scan takes 27 MB.
    """
    if not data.startswith(b"\xff\xd8"):
        return True
    components = 0
    for marker, at, _ in _segments(data):
        if marker in (0xC0, 0xC1):  # the frame of a JPEG that is not progressive
            components = data[at + 7]
        if marker == 0xDA:
            return data[at + 2] == components
    return False


def _to_rgb(picture: Image.Image, what: str) -> Image.Image:
    if picture.mode.startswith("I;16"):  # Pillow would clip these
        return Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8)).convert("RGB")
    if picture.mode in ("I", "F"):
        raise UnreadableImageError(f"{what} must have 8 or 16 bits per colour. Got 32; save it as PNG.")
    if not picture.has_transparency_data:
        return picture if picture.mode == "RGB" else picture.convert("RGB")
    layer = picture.convert("RGBA")
    if layer.getchannel("A").getextrema() == (0, 0):  # many programs leave the fourth byte of a pixel empty
        return layer.convert("RGB")
    white = Image.new("RGB", layer.size, "white")
    white.paste(layer, mask=layer)
    return white


def _orientation(picture: Image.Image) -> int:
    """Read the orientation of the camera. A photo with broken EXIF is not turned."""
    try:
        _check_tags(picture.info.get("exif", b""), "The EXIF")
        return int(picture.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # noqa: BLE001 - as above
        return 1


# --- the parts of a file: Pillow reads what passes these checks in a few seconds ------------------------------


def _check_parts(kind: str, data: bytes, what: str) -> None:
    """Refuse a file that would keep Pillow busy for long before its first pixel."""
    if kind == "BMP" and data[30:34] in (b"\1\0\0\0", b"\2\0\0\0"):  # Pillow decodes these in Python
        raise UnreadableImageError(f"{what} must not be a compressed BMP. Got one; save it as PNG.")
    if kind == "TIFF":
        _check_tags(data, what)
    if kind in _PARTS:
        found = list(islice(_PARTS[kind](data), MAX_PARTS[kind] + 1))
        _check_count(len(found), MAX_PARTS[kind], "parts beside its pixels", what)
        _check_count(sum(name == b"iCCP" for name, _, _ in found), 1, "colour profile", what)
        exif = (data[at + 8 : end] for name, at, end in found if name == 0xE1 and data[at + 2 : at + 6] == b"Exif")
        _check_tags(b"".join(exif), what)


def _check_tags(data: bytes, what: str) -> None:
    """Refuse a TIFF, or EXIF, of too many tags or strips, or whose tags share their values to be long."""
    tags = list(_tags(data))
    _check_count(len(tags), MAX_PARTS["TIFF"], "tags", what)
    _check_count(max((count for tag, count, _ in tags if tag in _STRIPS), default=0), MAX_STRIPS, "strips", what)
    _check_count(sum(size for _, _, size in tags), len(data), "bytes in its tags", what)


def _check_count(count: int, most: int, parts: str, what: str) -> None:
    if count > most:
        raise UnreadableImageError(f"{what} must have at most {most} {parts}. Got more; save it again.")


def _segments(data: bytes) -> Iterator[Part]:
    """Yield the segments of a JPEG up to its first scan. Pillow skips bytes between them one by one, so each counts."""
    at = 2
    while found := _MARKER.search(data, at):
        yield from ((0, skipped, skipped + 1) for skipped in range(at, found.start()))
        marker, at = data[found.end() - 1], found.end()
        start, at = at, at if marker in _ALONE else at + max(2, int.from_bytes(data[at : at + 2], "big"))
        yield marker, start, at
        if marker == 0xDA:
            return


def _chunks(data: bytes) -> Iterator[Part]:
    """Yield the chunks of a PNG."""
    at = 8
    while at < len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 8], at + 8, end
        at = end + 4


def _blocks(data: bytes) -> Iterator[Part]:
    """Yield the blocks of a GIF up to its first frame. A byte between them counts, as in a JPEG."""
    at = 13 + (6 << (data[10] & 7)) * (data[10] >> 7)
    while (first := data[at : at + 1]) not in (b"", b",", b";"):
        yield first, at, at + 1
        at += 1
        if first == b"!":  # an extension: its label, and blocks of some bytes up to an empty one
            at += 1
            while size := int.from_bytes(data[at : at + 1], "big"):
                yield b"", at, at + 1 + size
                at += 1 + size
            at += 1


def _tags(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the tags of the first directory of a TIFF or of EXIF: number, count and bytes of the values in the data."""
    data = data.removeprefix(b"Exif\0\0")
    order, is_big = "<" if data[:2] == b"II" else ">", 43 in data[2:4]
    wide, few = ("Q", "Q") if is_big else ("L", "H")
    entry = struct.Struct(f"{order}HH{wide}{wide}")
    with suppress(struct.error):  # the data ends before
        (at,) = struct.unpack_from(order + wide, data, 8 if is_big else 4)
        (count,) = struct.unpack_from(order + few, data, at)
        start = at + struct.calcsize(order + few)
        for at in range(start, start + min(count, MAX_PARTS["TIFF"] + 1) * entry.size, entry.size):
            tag, kind, count, place = entry.unpack_from(data, at)
            size = count * _TAG_BYTES.get(kind, 0)
            if size <= len(data) - place or size <= struct.calcsize(wide):
                yield tag, count, size


_PARTS: Mapping[str, Callable[[bytes], Iterator[Part]]] = {"JPEG": _segments, "PNG": _chunks, "GIF": _blocks}


# --- from pixels to bytes -----------------------------------------------------------------------------------


def _jpeg(data: bytes, what: str, longest: int, limit: int) -> bytes:
    while longest >= 1:
        stream = BytesIO()
        _decode(data, what, longest).save(stream, "JPEG", quality=95)
        if stream.tell() <= limit:
            return stream.getvalue()
        longest //= 2
    raise UnreadableImageError(f"{what} must fit {limit} bytes, and no JPEG of it does; raise the limit.")
