"""From the bytes of an image file to pixels: one decision for every oddity, so that every plan sees the same bits.

`docs/images.md` lists the decisions. Nothing here depends on where the bytes came from, on threads or on neighbours.
"""

from __future__ import annotations

import io
import logging
import stat
import warnings
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image, UnidentifiedImageError

if TYPE_CHECKING:
    from collections.abc import Callable

    Pixels = np.ndarray[Any, np.dtype[np.uint8]]

FORMATS: Final = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "AVIF")
"""What may be opened, whatever the file is called. Formats that start other programs (EPS) are not among them."""

MAX_PIXELS: Final = 50_000_000
"""Largest image, in pixels as its header has them: 200 MB when decoded. Larger ones are refused before decoding."""

MAX_FILE_BYTES: Final = 500_000_000
"""Largest file. Some formats are read whole before their first pixel."""

BACKGROUND: Final = (255, 255, 255)
"""What shows through transparent pixels: white."""

ORIENTATION: Final = 0x0112
TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SIDEWAYS: Final = frozenset({5, 6, 7, 8})

logging.getLogger("PIL").addHandler(logging.NullHandler())


class Undecodable(Exception):  # noqa: N818, it is a fact about a file, and a run goes on after it
    """The image gives no pixels; the text says why, to people."""


def decode(image: str | bytes, height: int, width: int) -> Pixels:
    """The pixels of an image, given as a path or as the bytes of a file: uint8 [height, width, 3], RGB.

    Raises Undecodable for every image that is broken, larger than `MAX_PIXELS`, or of a format not in `FORMATS`.
    """
    silence_pillow()
    try:
        with open_bytes(image) as file, Image.open(file, formats=FORMATS) as opened:
            return resized(opened, height, width)
    except Undecodable:
        raise
    except Exception as failure:  # struct.error, SyntaxError, MemoryError ..: any of them is a bad file
        raise Undecodable(reason(failure)) from failure


def fetched(url: str) -> bytes:
    """The bytes of an image behind a URL. Raises Undecodable where there is none; UNREACHABLE is no fact about it."""
    from vistaql.stores import remote

    try:
        check_bytes(remote.measured(url))
        return remote.read(url)
    except (FileNotFoundError, PermissionError) as failure:
        raise Undecodable(reason(failure)) from failure


def silence_pillow() -> None:
    """Ignore the warnings that Pillow gives about odd files, and no others, in whatever thread they come up.

    Without it a process that turns warnings into errors would refuse images that others decode.
    """
    if QUIET_FILTER not in warnings.filters:
        warnings.filterwarnings(*QUIET)


QUIET: Final = ("ignore", "", Warning, r"PIL\.")
warnings.filterwarnings(*QUIET)
QUIET_FILTER: Final = warnings.filters[0]


def open_bytes(image: str | bytes) -> IO[bytes]:
    """A file to read from. Pillow is never given a path: it would map some formats, and fail on them differently."""
    if isinstance(image, bytes):
        size = len(image)
    else:
        status = Path(image).stat()
        if not stat.S_ISREG(status.st_mode):
            message = "it is not a file"
            raise Undecodable(message)
        size = status.st_size
    if size == 0:
        message = "the file is empty"
        raise Undecodable(message)
    check_bytes(size)
    return io.BytesIO(image) if isinstance(image, bytes) else Path(image).open("rb")


def check_bytes(size: int) -> None:
    """Refuse a file that is too large."""
    if size > MAX_FILE_BYTES:
        message = f"the file has {size} bytes, more than the {MAX_FILE_BYTES} allowed"
        raise Undecodable(message)


def resized(image: Image.Image, height: int, width: int) -> Pixels:
    """Decode an opened image, turn it upright, make it RGB and scale it; its dimensions are checked first."""
    columns, rows = image.size
    if columns * rows > MAX_PIXELS:
        message = f"it has {columns} x {rows} pixels, more than the {MAX_PIXELS} allowed"
        raise Undecodable(message)
    if image.format in {"JPEG", "MPO"}:
        # Decodes at 1/2, 1/4 or 1/8 as long as both sides stay as long as the CNN wants them: cheap, and smooth.
        sideways = orientation(image) in SIDEWAYS
        image.draft(None, (height, width) if sideways else (width, height))
    image.load()
    upright = image.transpose(TURNS[turn]) if (turn := orientation(image)) in TURNS else image
    return np.asarray(to_rgb(upright).resize((width, height), Image.Resampling.BILINEAR))


def orientation(image: Image.Image) -> int:
    """The EXIF (or XMP) orientation, 1 to 8; 1 where there is none, or where it cannot be read."""
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except Exception:  # noqa: BLE001, a broken EXIF block does not make the pixels bad
        return 1


def to_rgb(image: Image.Image) -> Image.Image:
    """The image in RGB of 8 bits: deep gray is scaled, transparency shows `BACKGROUND`."""
    if image.mode == "F" or (image.mode == "I" and image.format == "TIFF"):
        message = "its pixels are 32-bit numbers, whose black and white are not agreed"
        raise Undecodable(message)
    if image.mode == "I" or image.mode.startswith("I;16"):
        high = np.clip(np.asarray(image, np.int64) >> 8, 0, 255).astype(np.uint8)
        return Image.fromarray(high).convert("RGB")
    if image.has_transparency_data:
        seen = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", seen.size, BACKGROUND), seen).convert("RGB")
    return image.convert("RGB")


def reason(failure: Exception) -> str:
    """Why an image was refused, in words for people, without the address of an object or a path."""
    text = str(failure).split("\n")[0].rstrip(".")
    words: tuple[tuple[Callable[[], bool], str], ...] = (
        (lambda: isinstance(failure, FileNotFoundError), "there is no such file"),
        (lambda: isinstance(failure, PermissionError), "the file may not be read"),
        (lambda: isinstance(failure, UnidentifiedImageError), f"it is not an image ({', '.join(FORMATS)})"),
        (lambda: isinstance(failure, Image.DecompressionBombError), f"it has more than {MAX_PIXELS} pixels"),
        (lambda: isinstance(failure, MemoryError), "there is not enough memory to decode it"),
        (lambda: "truncated" in text.lower(), "the file is cut off"),
    )
    known = (said for applies, said in words if applies())
    return next(known, f"its data is broken ({text or type(failure).__name__})")
