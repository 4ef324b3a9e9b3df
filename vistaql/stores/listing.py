"""Lists the images of a set without opening one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING

from vistaql.errors import Code, VistaQLError
from vistaql.stores import local_images, remote_images
from vistaql.stores.found import IMAGE_ENDINGS, NO_KEY, NO_MATCH, ODD_NAME, Found, is_image, is_text
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
from vistaql.stores.urls import is_url

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "Listing", "check_keys", "compiled", "is_image", "is_text", "key_function", "list_images", "listed", "path_sql",
    "stem",
]  # fmt: skip


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
            found = files_of(folder).in_folder(folder, listing.skipped)
        case GlobSource(pattern):
            found = files_of(pattern).matching(pattern, listing.skipped)
        case TableColumnSource(table, column, folder) as source:
            rows = _rows(table, identifier(column), images.key, frozenset([column]))
            found = files_of(folder).named_in(source, rows, listing.skipped)
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


def files_of(place: str) -> ModuleType:
    """What finds the images of a place: the files of this machine, or those behind URLs."""
    return remote_images if is_url(place) else local_images


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
    with duck.connected(reads=(table.source,)) as connection, duck.reading(table.source):
        return connection.execute(f"SELECT {path}, {key} FROM {scan_sql(table, texts)}").fetchall()
