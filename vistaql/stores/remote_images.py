"""Image files behind URLs: below a folder, by a pattern, or by the names in a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

from vistaql.stores import remote
from vistaql.stores.found import HIDDEN, NO_FILE, NO_IMAGE_ENDING, OUTSIDE, Found, is_image, outside
from vistaql.stores.image_set import TableColumnSource
from vistaql.stores.urls import is_url, scheme_of


def in_folder(folder: str, skipped: Counter[str]) -> Iterator[Found]:
    """Files at any depth."""
    shown = []
    for entry in remote.entries(folder):
        if any(part.startswith(".") and part not in (".", "..") for part in entry.relative.split("/")):
            skipped[HIDDEN] += 1
        else:
            shown.append(entry)
    return images_among(shown, skipped)


def matching(pattern: str, skipped: Counter[str]) -> Iterator[Found]:
    """Files that match a pattern."""
    return images_among(remote.matching(pattern), skipped)


def images_among(entries: Iterable[remote.Entry], skipped: Counter[str]) -> Iterator[Found]:
    """The entries that are images and stay inside; others are counted. Sizes that were not told are asked for."""
    images = []
    for entry in entries:
        if not stays_inside(entry.relative):
            skipped[OUTSIDE] += 1
        elif not is_image(entry.relative):
            skipped[NO_IMAGE_ENDING] += 1
        else:
            images.append(entry)
    sizes: list[int | None] = [entry.bytes for entry in images]
    if None in sizes:
        sizes = remote.sizes(entry.url for entry in images)
    for entry, size in zip(images, sizes, strict=True):
        web = scheme_of(entry.url) in ("http", "https")
        yield Found(entry.url, unquote(entry.relative) if web else entry.relative, size)


def stays_inside(relative: str) -> bool:
    """Whether a name leads down only; object stores take any text for a name.

    >>> stays_inside("a/b.jpg"), stays_inside("../b.jpg"), stays_inside("/etc/b.jpg")
    (True, False, False)
    """
    return not {"", ".", ".."}.intersection(relative.split("/"))


def named_in(
    source: TableColumnSource, rows: Iterable[tuple[str | None, str | None]], skipped: Counter[str]
) -> Iterator[Found]:
    """The files that rows of name and key name, below the folder of the set, whether they exist or not."""
    named = []
    for name, key in rows:
        relative = (name or "").removeprefix(source.folder)
        if not name:
            skipped[NO_FILE] += 1
        elif is_url(relative) and not source.confined:
            raise outside(source, name)
        elif is_url(relative) or not stays_inside(relative):
            skipped[OUTSIDE] += 1
        else:
            named.append((relative, key))
    sizes = remote.sizes(source.folder + relative for relative, _ in named)
    for (relative, key), size in zip(named, sizes, strict=True):
        yield Found(source.folder + relative, relative, size, key)
