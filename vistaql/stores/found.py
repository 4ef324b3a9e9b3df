"""What is an image file, and why others are passed over."""

from __future__ import annotations

from typing import NamedTuple

from vistaql.errors import Code, VistaQLError
from vistaql.stores.image_set import TableColumnSource

IMAGE_ENDINGS = frozenset({
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".gif", ".bmp", ".dib", ".webp",
    ".tif", ".tiff", ".avif", ".ico", ".ppm", ".pgm", ".pbm", ".pnm",
})  # fmt: skip
HIDDEN = "hidden"
NO_IMAGE_ENDING = "without an image ending"
OUTSIDE = "leading out of the folder"
NO_MATCH = "not matching the pattern of KEY FROM REGEX"
ODD_NAME = "with a name that is not UTF-8"
NO_KEY = "without a key"
NO_FILE = "without a file name"


class Found(NamedTuple):
    """One image file: where it is, and its path below the root; `key` where a column gives it."""

    path: str
    relative: str
    bytes: int | None
    key: str | None = None


def outside(source: TableColumnSource, name: str) -> VistaQLError:
    """The error for a URL in a table: rows do not decide which servers are asked, statements do."""
    bucket = "/".join(name.split("/", 3)[:3])
    return VistaQLError(
        Code.BAD_URL,
        f"The column '{source.column}' of '{source.table.name}' names '{name}', and no folder allows it.",
        hint=f"Say below which folder the images lie: COLUMN {source.column} IN '{bucket}/'.",
    )


def is_text(name: str) -> bool:
    """Whether a file name can be written as UTF-8, which Arrow and every format here need."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_image(name: str) -> bool:
    """Whether the ending is one of an image.

    >>> is_image("a.JPG"), is_image("Thumbs.db")
    (True, False)
    """
    return name[name.rfind(".") :].lower() in IMAGE_ENDINGS
