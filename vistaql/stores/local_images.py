"""Image files of this machine: below a folder, by a pattern, or by the names in a table."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from vistaql.errors import Code, VistaQLError
from vistaql.stores.files import fixed_part, not_found
from vistaql.stores.found import HIDDEN, NO_FILE, NO_IMAGE_ENDING, OUTSIDE, Found, is_image, outside
from vistaql.stores.image_set import TableColumnSource
from vistaql.stores.urls import is_url


def in_folder(folder: str, skipped: Counter[str]) -> Iterator[Found]:
    """Files at any depth. Links to folders are not followed, so that nothing is read twice or without end."""
    if not os.path.isdir(folder):
        raise not_found(folder)
    root = Root(folder)
    pending = [folder]
    while pending:
        for entry in _entries(pending.pop()):
            if entry.name.startswith("."):
                skipped[HIDDEN] += 1
            elif entry.is_dir(follow_symlinks=False):
                pending.append(entry.path)
            else:
                yield from root.found(entry, skipped)


def matching(pattern: str, skipped: Counter[str]) -> Iterator[Found]:
    """Files that match a pattern: * and ? within a name, ** any folders. Hidden ones match only by their dot."""
    folder = fixed_part(pattern)
    if not os.path.isdir(folder):
        raise not_found(folder)
    parts = pattern[len(folder.rstrip("/")) + 1 :].split("/")
    return _expanded(Root(folder), folder, [*parts, "*"] if parts[-1] == "**" else parts, skipped)


def _expanded(root: Root, folder: str, parts: list[str], skipped: Counter[str]) -> Iterator[Found]:
    first, *rest = parts
    if first == "**":
        yield from _expanded(root, folder, rest, skipped)
    for entry in _entries(folder):
        is_folder = entry.is_dir(follow_symlinks=False)
        if first == "**":
            if is_folder and not entry.name.startswith("."):
                yield from _expanded(root, entry.path, parts, skipped)
        elif not fnmatchcase(entry.name, first) or entry.name.startswith(".") > first.startswith("."):
            continue
        elif rest and is_folder:
            yield from _expanded(root, entry.path, rest, skipped)
        elif not rest and not is_folder:
            yield from root.found(entry, skipped)


class Root:
    """The folder that images must stay in."""

    def __init__(self, folder: str) -> None:
        """Links above the folder are the user's own way to it, and are fine."""
        self.real = os.path.realpath(folder)
        self.start = len(folder.rstrip("/")) + 1

    def holds(self, path: str) -> bool:
        """Whether a path stays inside, wherever its links lead."""
        real = os.path.realpath(path)
        return real == self.real or real.startswith(self.real.rstrip("/") + "/")

    def found(self, entry: os.DirEntry[str], skipped: Counter[str]) -> Iterator[Found]:
        """The entry, if it is an image inside; else it is counted."""
        if entry.is_symlink() and not self.holds(entry.path):
            skipped[OUTSIDE] += 1
        elif not is_image(entry.name) or not entry.is_file():
            skipped[NO_IMAGE_ENDING] += 1
        else:
            yield Found(entry.path, entry.path[self.start :], entry.stat().st_size)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        raise VistaQLError(
            Code.UNREADABLE_FILE, f"'{folder}' cannot be read: {error.strerror}.", hint="Check who may read it."
        ) from error


def named_in(
    source: TableColumnSource, rows: Iterable[tuple[str | None, str | None]], skipped: Counter[str]
) -> Iterator[Found]:
    """The files that rows of name and key name, whether they exist or not."""
    root = Root(source.folder)
    for name, key in rows:
        if not name:
            skipped[NO_FILE] += 1
            continue
        if is_url(name):
            raise outside(source, name)
        path = os.path.normpath(os.path.join(source.folder, name))
        if source.confined and not root.holds(path):
            skipped[OUTSIDE] += 1
        else:
            yield Found(path, _below(path, source.folder), _size(path), key)


def _below(path: str, folder: str) -> str:
    start = folder.rstrip("/") + "/"
    return path[len(start) :] if path.startswith(start) else path.lstrip("/")


def _size(path: str) -> int | None:
    try:
        return os.stat(path).st_size
    except OSError:
        return None
