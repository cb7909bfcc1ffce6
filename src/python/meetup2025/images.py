"""
Opening an untrusted picture: a path below an allowed folder, a data URL, base64, or bytes.

The only module that opens pictures. Whatever comes in, what comes out is a small upright RGB picture, or an
`UnreadableImageError` that says why not. Colour profiles are not applied.
"""

from __future__ import annotations

import base64
import os
import warnings
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from meetup2025.errors import UnreadableImageError, shown
from meetup2025.files import open_below

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES = 50_000_000
"""Largest file: above what telephones and cameras save as JPEG, and no burden as bytes in memory."""

MAX_PIXELS = 200_000_000
"""Largest picture by its header: telephones of 200 megapixels exist, and JPEG decodes at a smaller scale."""

MAX_DECODED_PIXELS = 64_000_000
"""Most pixels held in memory, at four bytes each, and twice with transparency: half a gigabyte."""

MAX_SCANNED_PIXELS = 4_000_000_000
"""Most pixels times scans of a progressive JPEG: four seconds. Photographs have about ten scans."""

MAX_PATH_CHARACTERS = 1024
"""A longer string is never taken for a path."""

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP")
"""What photographs come in. No other decoder of Pillow sees the bytes, but for that of HEIC."""

_SCAN = b"\xff\xda"  # begins a scan of a JPEG
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1")

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Pillow's own limit is below the cameras of today. It warns above this one, and raises above twice this one.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # what is refused needs no warning besides


def open_picture(source: str | bytes, *, longest: int = 512) -> Image.Image:
    """
    Open a picture: upright, on white, and small.

    Args:
        source: Bytes of a picture file; or a data URL (`data:image/png;base64,…`: its bytes count, not its
            type), base64 (with or without line breaks), or a path below the allowed folders. A string that is
            not base64 and has at most 1024 characters is a path: no base64 has the dot of `.jpg`.
        longest: Pixels that the longest side should have, from 1.

    Returns:
        RGB picture; of an animation, its first frame. The longest side has *longest* to 2 x *longest* pixels,
        or what it has in the file when that is less.

    Raises:
        UnreadableImageError: Not a picture, a broken one, or one too large.
        ForbiddenPathError: A path that is not a file below the allowed folders.
    """
    data, what = _bytes_of(source)
    return _decode(data, what, longest)


def picture_bytes(source: str | bytes) -> bytes:
    """
    Give the bytes of a picture file, whatever *source* of `open_picture` it is.

    Raises:
        UnreadableImageError: Not base64, or more than `MAX_BYTES`.
        ForbiddenPathError: A path that is not a file below the allowed folders.
    """
    return _bytes_of(source)[0]


def read_picture(path: str | os.PathLike[str]) -> bytes:
    """
    Read a picture file below the allowed folders, as bytes for `open_picture`.

    Raises:
        UnreadableImageError: A file of more than `MAX_BYTES`.
        ForbiddenPathError: Not a file below the allowed folders.
    """
    with open_below(path) as stream:
        return _read(stream, _shown(path))


def to_data_url(source: str | bytes | os.PathLike[str], *, longest: int, limit: int = 2_500_000) -> str:
    """
    Turn a picture of the user's own machine into a data URL that fits an IRIS string (3,641,144 characters).

    Args:
        source: Path of any local file, or bytes of one.
        longest: As in `open_picture`: for a file larger than *limit*, and for HEIC, which few servers read.
        limit: Most bytes in the URL, before base64. A file of that size or less goes as it is.

    Raises:
        UnreadableImageError: No such file, not a picture, a broken one, or one too large.
    """
    data, what = _bytes_of(source) if isinstance(source, bytes) else _local(source)
    with _reading(what), _header(data, what) as picture:
        is_heic, mime = picture.format == "HEIF", picture.get_format_mimetype()
    if len(data) > limit or is_heic or not mime:
        mime, data = "image/jpeg", _jpeg(data, what, longest, limit)
    return f"data:{mime};base64,{base64.b64encode(data).decode('ascii')}"


def thumbnail(picture: Image.Image, *, longest: int = 96) -> str:
    """
    Make a small copy of a picture, for people to look at.

    Args:
        picture: As `open_picture` gives it.
        longest: Pixels of its longest side, at most.

    Returns:
        A JPEG as a data URL; of 96 pixels some 3,000 characters, and 20,000 at most.
    """
    small, stream = picture.copy(), BytesIO()
    small.thumbnail((longest, longest))
    small.save(stream, "JPEG", quality=75)
    return f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"


def look(picture: Image.Image) -> str:
    """
    Make the perceptual hash of a picture: what recompressing, resizing and brightening leave as it is.

    Args:
        picture: As `open_picture` gives it.

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
    """Give the bytes of *source*, and what to call it in an error."""
    what = "The picture"
    if isinstance(source, bytes):
        _check_bytes(len(source), what)
        return source, what
    if source[:5].lower() == "data:":
        return _payload(source, what), what
    if source[:8].lower().startswith(("http://", "https://")):
        raise UnreadableImageError(
            f"{what} must be base64, a data URL or a path. Got a URL, which is never fetched; send the picture itself."
        )
    try:
        return _from_base64(source, what), what
    except UnreadableImageError:
        if len(source) > MAX_PATH_CHARACTERS:
            raise
    return read_picture(source), _shown(source)


def _payload(url: str, what: str) -> bytes:
    header, _, payload = url.partition(",")
    if not header.lower().endswith(";base64"):
        raise UnreadableImageError(f"{what} must be a URL like data:image/png;base64,… Got {shown(header)}.")
    return _from_base64(payload, what)


def _from_base64(text: str, what: str) -> bytes:
    _check_bytes(len(text) * 3 // 4, what)
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except ValueError as exc:
        raise UnreadableImageError(f"{what} must be base64, a data URL or a path. Got none: {exc}.") from exc


def _local(path: str | os.PathLike[str]) -> tuple[bytes, str]:
    try:
        with Path(path).open("rb") as stream:
            return _read(stream, _shown(path)), _shown(path)
    except OSError as exc:
        raise UnreadableImageError(f"{_shown(path)} cannot be read: {exc.strerror}.") from exc


def _read(stream: BinaryIO, what: str) -> bytes:
    """Read a file. A large one is refused unread; a device, which has no size, after its first bytes."""
    _check_bytes(os.fstat(stream.fileno()).st_size, what)
    data = stream.read(MAX_BYTES + 1)
    _check_bytes(len(data), what)
    return data


def _check_bytes(size: int, what: str) -> None:
    if size > MAX_BYTES:
        limit = MAX_BYTES // 1_000_000
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
        _check_pixels(picture.size if one_scan else full, MAX_DECODED_PIXELS, what)
        _check_scans(1 if one_scan else data.count(_SCAN), full, what)
        picture.load()
        turn = _TURNS.get(_orientation(picture))
        small = _to_rgb(picture, what)
        small = small.reduce(max(1, max(small.size) // longest))
        return small.transpose(turn) if turn is not None else small


@contextmanager
def _reading(what: str) -> Iterator[None]:
    """Say in words of ours what a decoder of Pillow found wrong."""
    try:
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


def _header(data: bytes, what: str) -> Image.Image:
    """Read the header only: nothing is decoded yet."""
    if not data:
        raise UnreadableImageError(f"{what} must be a picture. Got zero bytes.")
    is_heif = data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS
    if is_heif:
        _register_heif(what)
    picture = Image.open(BytesIO(data), formats=("HEIF",) if is_heif else FORMATS)
    _check_pixels(picture.size, MAX_PIXELS, what)
    return picture


def _register_heif(what: str) -> None:
    try:
        import pillow_heif
    except ImportError as exc:
        raise UnreadableImageError(
            f"{what} is a HEIC picture: save it as JPEG, or pip install 'meetup2025[heic]' where it is read."
        ) from exc
    pillow_heif.register_heif_opener()


def _check_pixels(size: tuple[int, int], limit: int, what: str) -> None:
    width, height = size
    if width * height > limit:
        raise UnreadableImageError(_too_many(f"{width} x {height}", limit, what))


def _check_scans(scans: int, size: tuple[int, int], what: str) -> None:
    most = MAX_SCANNED_PIXELS // (size[0] * size[1])
    if scans > most:
        raise UnreadableImageError(f"{what} must have at most {most} scans. Got {scans}; save it anew.")


def _too_many(got: str, limit: int, what: str) -> str:
    return f"{what} must have at most {limit // 1_000_000} megapixels. Got {got}; save it smaller."


def _is_one_scan(data: bytes) -> bool:
    """
    Tell whether decoding a JPEG at a smaller scale saves memory; True for other formats.

    With several scans (a progressive JPEG has about ten) libjpeg holds the coefficients of all pixels:
    600 MB for 200 megapixels, where one scan takes 27 MB.
    """
    if not data.startswith(b"\xff\xd8"):
        return True
    components, at = 0, 2
    while data[at] == 0xFF and data[at : at + 2] != _SCAN:
        if data[at + 1] in (0xC0, 0xC1):  # the frame of a JPEG that is not progressive
            components = data[at + 9]
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return data[at] == 0xFF and data[at + 4] == components


def _to_rgb(picture: Image.Image, what: str) -> Image.Image:
    if picture.mode.startswith("I;16"):  # Pillow would clip these
        return Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8)).convert("RGB")
    if picture.mode in ("I", "F"):
        raise UnreadableImageError(f"{what} must have 8 or 16 bits per colour. Got 32; save it as PNG.")
    if not picture.has_transparency_data:
        return picture if picture.mode == "RGB" else picture.convert("RGB")
    layer = picture.convert("RGBA")
    white = Image.new("RGB", layer.size, "white")
    white.paste(layer, mask=layer)
    return white


def _orientation(picture: Image.Image) -> int:
    """Read how the camera was held; a photo with broken EXIF is taken as it is."""
    try:
        return int(picture.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # noqa: BLE001 - as above
        return 1


# --- from pixels to bytes -----------------------------------------------------------------------------------


def _jpeg(data: bytes, what: str, longest: int, limit: int) -> bytes:
    while longest >= 1:
        stream = BytesIO()
        _decode(data, what, longest).save(stream, "JPEG", quality=95)
        if stream.tell() <= limit:
            return stream.getvalue()
        longest //= 2
    raise UnreadableImageError(f"{what} must fit {limit} bytes, and no JPEG of it does; raise the limit.")
