"""Width and height of images, read from their headers."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import TYPE_CHECKING

from vistaql.stores.urls import is_url

if TYPE_CHECKING:
    import pyarrow as pa

Size = tuple[int, int]
EXIF_ORIENTATION = 274
# Orientations from 5 on lay the image on its side.
LYING = 5
HEADER = 65_536
"""bytes in which most formats have told their size; a preview that a camera adds may be longer"""
THREADS = min(8, 2 * (os.cpu_count() or 1))
# Warnings are silenced for the whole process while headers are read, so only one call does so at a time.
QUIET = threading.Lock()


def image_headers(listing: pa.Table) -> pa.Table:
    """The listing with columns width and height, as the image is seen (EXIF orientation); null where unreadable.

    Takes the paths of `list_images`, so it does not serve images inside Parquet files.
    """
    import pyarrow as pa

    sizes = read_sizes(listing["path"].to_pylist())
    for place, name in enumerate(("width", "height")):
        values = [size and size[place] for size in sizes]
        listing = listing.append_column(name, pa.array(values, pa.int32()))
    return listing


def read_sizes(images: Sequence[str | bytes | None]) -> list[Size | None]:
    """Width and height of each image, by its path or its bytes, in parallel."""
    with QUIET, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if len(images) < THREADS:
            return [_size(image) for image in images]
        with ThreadPoolExecutor(THREADS) as pool:
            return list(pool.map(_size, images, chunksize=64))


def _size(image: str | bytes | None) -> Size | None:
    from PIL import Image

    if image is None:
        return None
    if isinstance(image, str) and is_url(image):
        return _size_behind(image)
    try:
        with Image.open(BytesIO(image) if isinstance(image, bytes) else image) as opened:
            width, height = opened.size
            if "exif" in opened.info and opened.getexif().get(EXIF_ORIENTATION, 1) >= LYING:
                return height, width
            return width, height
    # Decoders of forty formats raise what they like on broken files; a size that cannot be read is null.
    except Exception:  # noqa: BLE001
        return None


def _size_behind(url: str) -> Size | None:
    """That of an image behind a URL: from its first bytes, or from all where they do not do."""
    from vistaql.stores import remote

    try:
        return _size(remote.head(url, HEADER)) or _size(remote.read(url))
    except OSError:
        return None
