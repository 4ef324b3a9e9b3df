"""Lists the images of a set without opening one."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from vistaql.errors import Code, VistaQLError
from vistaql.stores.files import URL, fixed_part, not_found
from vistaql.stores.image_set import (
    FolderSource,
    GlobSource,
    ImageSet,
    KeyKind,
    KeyRule,
    ParquetBytesSource,
    TableColumnSource,
)
from vistaql.stores.quoting import identifier
from vistaql.stores.tables import Table, scan_sql

if TYPE_CHECKING:
    import pyarrow as pa

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


@dataclass
class Listing:
    """The images of a set as columns of equal length, and what was passed over."""

    keys: list[str] = field(default_factory=list)
    paths: list[str | None] = field(default_factory=list)
    relatives: list[str] = field(default_factory=list)
    sizes: list[int | None] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)

    def to_arrow(self, *, with_label: bool) -> pa.Table:
        """Columns key, path, folder, bytes and, if asked for, label, sorted by key, then path."""
        import pyarrow as pa

        folders = [relative.rpartition("/")[0] for relative in self.relatives]
        columns = {
            "key": pa.array(self.keys, pa.string()),
            "path": pa.array(self.paths, pa.string()),
            "folder": pa.array(folders, pa.string()),
            "bytes": pa.array(self.sizes, pa.int64()),
        }
        if with_label:
            columns["label"] = pa.array([folder.split("/")[0] or None for folder in folders], pa.string())
        return pa.table(columns).sort_by([("key", "ascending"), ("path", "ascending")])


def list_images(images: ImageSet) -> pa.Table:
    """Every image as a row of key, path, folder, bytes [, label], sorted by key; nothing is decoded.

    `path` is absolute, `folder` is below the root of the set, `label` is the first folder below the root.
    Images inside Parquet files have no `bytes` here, and only a path where a column gives it.
    Raises FILE_NOT_FOUND, UNREADABLE_FILE, EQUAL_KEYS, NO_IMAGES.
    """
    listing = listed(images)
    check_keys(images, listing)
    return listing.to_arrow(with_label=images.label_from_folder)


def listed(images: ImageSet) -> Listing:
    """The images in the order they were found, whatever their keys."""
    listing = Listing()
    match images.source:
        case FolderSource(folder):
            found = _in_folder(folder, listing.skipped)
        case GlobSource(pattern):
            found = _matching(pattern, listing.skipped)
        case TableColumnSource() as source:
            found = _named_by_table(source, images.key, listing.skipped)
        case ParquetBytesSource() as source:
            found = _inside_parquet(source, images.key)
    key_of = key_function(images.key)
    seen: set[tuple[str, str]] = set()
    by_column = images.key.kind is KeyKind.COLUMN
    # The rows of a Parquet file are images of their own; a file named twice is one image.
    by_row = isinstance(images.source, ParquetBytesSource)
    for item in found:
        key = item.key if by_column else key_of(item.relative)
        if key is None:
            listing.skipped[NO_KEY if by_column else NO_MATCH] += 1
        elif not is_text(item.relative):
            listing.skipped[ODD_NAME] += 1
        elif by_row or (key, item.path) not in seen:
            seen.add((key, item.path))
            listing.keys.append(key)
            listing.paths.append(item.path or None)
            listing.relatives.append(item.relative)
            listing.sizes.append(item.bytes)
    return listing


def key_function(rule: KeyRule) -> Callable[[str], str | None]:
    """The key of a path below the root; None where there is none."""
    if rule.kind is KeyKind.STEM:
        return stem
    if rule.kind is KeyKind.REGEX and rule.argument is not None:
        pattern = compiled(rule.argument)

        def search(relative: str) -> str | None:
            found = pattern.search(relative)
            return found and (found[1] if pattern.groups else found[0])

        return search
    return lambda relative: relative


def stem(relative: str) -> str:
    """The file name without its last ending.

    >>> stem("cats/a.b.jpg"), stem("cats/a")
    ('a.b', 'a')
    """
    name = relative.rpartition("/")[2]
    return name.rpartition(".")[0] or name


def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern of KEY FROM REGEX."""
    try:
        return re.compile(pattern)
    except re.error as error:
        raise VistaQLError(
            Code.BAD_LITERAL,
            f"'{pattern}' is not a regular expression: {error}.",
            hint=r"Write for instance KEY FROM REGEX '(\d+)\.jpg$'; the first group is the key.",
        ) from error


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


def check_keys(images: ImageSet, listing: Listing) -> None:
    """STEM and PATH keys are unique; other rules may give several images one key."""
    if not listing.keys:
        reasons = "; ".join(f"{count:,} {reason}" for reason, count in listing.skipped.most_common())
        by_pattern = images.key.kind is KeyKind.REGEX and listing.skipped
        raise VistaQLError(
            Code.NO_IMAGES,
            f"'{images.place}' holds no images{f' (skipped: {reasons})' if reasons else ''}.",
            hint="The first group of the pattern is the key: KEY FROM REGEX '(\\d+)\\.jpg$'. Without KEY it is STEM."
            if by_pattern
            else f"Name another folder. Images end in {', '.join(sorted(IMAGE_ENDINGS))}.",
        )
    if images.key.kind is not KeyKind.STEM:
        return
    repeated = {key for key, count in Counter(listing.keys).items() if count > 1}
    if repeated:
        example = min(repeated)
        two = sorted(relative for key, relative in zip(listing.keys, listing.relatives, strict=True) if key == example)[
            :2
        ]
        same = two[0] == two[-1]
        raise VistaQLError(
            Code.EQUAL_KEYS,
            f"Several files have one name without ending ({len(repeated):,} such names), "
            f"as '{example}': {' and '.join(two)}.",
            hint="Add KEY FROM COLUMN and the column that is unique."
            if same
            else f"Add KEY FROM PATH, which makes the key '{two[0]}'.",
        )


def _in_folder(folder: str, skipped: Counter[str]) -> Iterator[Found]:
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


def _matching(pattern: str, skipped: Counter[str]) -> Iterator[Found]:
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


def _named_by_table(source: TableColumnSource, rule: KeyRule, skipped: Counter[str]) -> Iterator[Found]:
    root = Root(source.folder)
    for name, key in _rows(source.table, identifier(source.column), rule, frozenset([source.column])):
        if not name:
            skipped[NO_FILE] += 1
            continue
        if URL.match(name):
            raise VistaQLError(
                Code.UNREADABLE_FILE,
                f"The column '{source.column}' of '{source.table.name}' names '{name}', and only local files are read.",
                hint="Download the images first, and name the local files.",
            )
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


def _inside_parquet(source: ParquetBytesSource, rule: KeyRule) -> Iterator[Found]:
    for name, key in _rows(source.table, path_sql(source) or "NULL", rule, frozenset()):
        yield Found(name or "", name or "", None, key)


def path_sql(source: ParquetBytesSource) -> str | None:
    """The file name of an image inside Parquet, as SQL."""
    if source.nested:
        return f"{identifier(source.column)}.path"
    return identifier(source.path_column) if source.path_column else None


def _rows(table: Table, path: str, rule: KeyRule, texts: frozenset[str]) -> list[tuple[str | None, str | None]]:
    """File names and keys, row by row, as text; the images themselves are not read."""
    from vistaql.stores import duck

    key = "NULL"
    if rule.kind is KeyKind.COLUMN and rule.argument is not None:
        key = identifier(rule.argument)
        texts |= {rule.argument}
    with duck.connected() as connection, duck.reading(table.source):
        return connection.execute(f"SELECT {path}, {key} FROM {scan_sql(table, texts)}").fetchall()
