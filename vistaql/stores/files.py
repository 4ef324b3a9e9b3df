"""Local files: finding them, saying which are near when one is missing, and replacing one whole."""

from __future__ import annotations

import os
import re
from pathlib import Path

from vistaql.errors import Code, VistaQLError, nearest

MAGIC = re.compile(r"[*?\[]")


def not_found(path: str) -> VistaQLError:
    """The error for a path that leads nowhere: how far it leads, and what is there."""
    folder, name = os.path.split(path.rstrip("/"))
    while folder and not os.path.isdir(folder) and folder != os.path.dirname(folder):
        folder, name = os.path.split(folder)
    try:
        there = sorted(entry for entry in os.listdir(folder or ".") if not entry.startswith("."))
    except OSError:
        there = []
    close = nearest(name, there)
    listed = ", ".join(there[:8]) + (f" and {len(there) - 8} more" if len(there) > 8 else "")
    hint = (
        f"Did you mean {os.path.join(folder, close)}? " if close else ""
    ) + f"{folder or '.'} holds: {listed or 'nothing'}."
    # What has no ending is more likely a folder.
    what = "file" if os.path.splitext(path)[1] else "file or folder"
    return VistaQLError(Code.FILE_NOT_FOUND, f"There is no {what} '{path}'.", hint=hint)


def escaped(path: str) -> str:
    """A path as a pattern that matches it alone.

    >>> escaped("photos [1]/a*.csv")
    'photos [[]1]/a[*].csv'
    """
    return MAGIC.sub(lambda found: f"[{found[0]}]", path)


def is_pattern(path: str) -> bool:
    """Whether a path stands for several files. One that exists as it is written does not."""
    return bool(MAGIC.search(path)) and not os.path.exists(path)


def fixed_part(pattern: str) -> str:
    """The folder that all files of a pattern lie in.

    >>> fixed_part("/data/photos/*/front_?.jpg")
    '/data/photos'
    """
    parts = pattern.split("/")
    fixed = next(place for place, part in enumerate(parts) if MAGIC.search(part))
    return "/".join(parts[:fixed]) or "/"


def sync(path: Path) -> None:
    """Force a file, or the entries of a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def put_in_place(written: Path, final: Path) -> None:
    """Give a finished file its name at once, so that nobody ever sees half of it."""
    sync(written)
    written.replace(final)
    sync(final.parent)
