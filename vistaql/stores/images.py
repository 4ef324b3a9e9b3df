"""Image sets in files: what is there, and how it is listed and streamed."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from vistaql.errors import Code, VistaQLError, did_you_mean
from vistaql.stores.files import is_pattern
from vistaql.stores.headers import image_headers, read_sizes
from vistaql.stores.image_set import (
    FolderSource,
    GlobSource,
    ImageSet,
    KeyKind,
    KeyRule,
    OnError,
    ParquetBytesSource,
    Source,
    Statistics,
    TableColumnSource,
)
from vistaql.stores.listing import Listing, check_keys, is_image, list_images, listed
from vistaql.stores.options import Options, check_options
from vistaql.stores.places import is_folder, located
from vistaql.stores.streaming import stream_images
from vistaql.stores.tables import (
    CSV_OPTIONS,
    ColumnType,
    Table,
    TableFormat,
    checked_column,
    describe_table,
    format_of,
)
from vistaql.stores.urls import is_url

__all__ = [
    "FolderSource", "GlobSource", "ImageSet", "KeyKind", "KeyRule", "NamedByTable", "OnError", "ParquetBytesSource",
    "Statistics", "TableColumnSource", "describe_images", "image_headers", "list_images", "stream_images",
]  # fmt: skip

IMAGE_OPTIONS = {"on_error": str, "max_bad": float, "path_column": str, "bytes_column": str}
PATH_COLUMNS = ("path", "image_path", "image", "file", "filename", "file_name")
# Headers read for the mean size; more do not make the estimate of decoding seconds better.
SAMPLE = 64


@dataclass(frozen=True)
class NamedByTable:
    """FROM table COLUMN column [IN folder]: each row names an image file."""

    table: Table
    column: str
    folder: str | None = None


def describe_images(
    name: str,
    source: str | NamedByTable,
    key: KeyRule | None = None,
    options: Options = (),
    *,
    label_from_folder: bool = False,
) -> ImageSet:
    """Look at the images: how many, how large, which were skipped and why, and whether keys are unique.

    `source` is an absolute path or a URL of a folder, a pattern, a manifest (CSV, JSON, Parquet with a column of paths)
    or Parquet with a column of bytes, or a table that names the files.
    Raises FILE_NOT_FOUND, UNREADABLE_FILE, EQUAL_KEYS, NO_IMAGES, UNKNOWN_COLUMN, UNKNOWN_OPTION,
    BAD_OPTION_VALUE, NO_LABEL, BAD_URL, UNREACHABLE.
    """
    known = IMAGE_OPTIONS | {name: kind for name, (_, kind) in CSV_OPTIONS.items()}
    given = dict(check_options(options, known, "image sets"))
    found = _of_table(source) if isinstance(source, NamedByTable) else _of_path(name, source, given, options)
    draft = ImageSet(
        name,
        found,
        _key_rule(key, found),
        label_from_folder,
        _on_error(str(given.get("on_error", "skip"))),
        _fraction(given.get("max_bad", 0.01)),
    )
    listing = listed(draft)
    check_keys(draft, listing)
    if label_from_folder and not any("/" in relative for relative in listing.relatives):
        raise VistaQLError(
            Code.NO_LABEL,
            f"All images lie in '{draft.place}' itself, so no folder tells a label.",
            hint="Leave LABEL FROM FOLDER out, or name the folder above.",
        )
    statistics = _statistics(draft, listing)
    _check_some_exist(statistics, listing)
    return replace(draft, statistics=statistics)


def _check_some_exist(statistics: Statistics, listing: Listing) -> None:
    if statistics.missing and statistics.missing == statistics.count:
        raise VistaQLError(
            Code.NO_IMAGES,
            f"None of the {statistics.count:,} files that are named exists, such as '{listing.paths[0]}'.",
            hint="Name a column that holds files with their ending, and their folder: COLUMN file IN 'photos/'.",
        )


def _of_table(source: NamedByTable) -> TableColumnSource:
    table = source.table
    if table.format is TableFormat.ARROW:
        raise VistaQLError(
            Code.UNREADABLE_FILE,
            f"The table '{table.name}' lives in this session only, and an image set outlives it.",
            hint=f"CREATE TABLE {table.name}_kept AS SELECT * FROM {table.name};",
        )
    column = checked_column(table, source.column)
    folder = folder_of(table.source) if source.folder is None else located(source.folder)
    if source.folder is not None and not is_folder(folder):
        raise VistaQLError(Code.FILE_NOT_FOUND, f"'{folder}' is no folder.", hint="Behind IN stands a folder.")
    return TableColumnSource(table, column.name, folder, confined=source.folder is not None)


def folder_of(source: str) -> str:
    """Where relative paths inside a file start."""
    if is_folder(source):
        return source
    return source.rpartition("/")[0] + "/" if is_url(source) else os.path.dirname(source)


def _of_path(name: str, source: str, given: Mapping[str, object], options: Options) -> Source:
    column = given.get("path_column")
    source = located(source)
    if is_folder(source):
        return FolderSource(source)
    if format_of(source) is None and is_pattern(source):
        return GlobSource(source)
    if is_image(source):
        raise VistaQLError(
            Code.UNREADABLE_FILE, f"'{source}' is one image.", hint="Name its folder, or a pattern such as '*.jpg'."
        )
    csv_options = tuple((key, value) for key, value in options if key.casefold() in CSV_OPTIONS)
    table = describe_table(name, source, options=csv_options)
    if table.format is TableFormat.PARQUET and column is None:
        inside = _bytes_source(table, given.get("bytes_column"))
        if inside is not None:
            return inside
    return TableColumnSource(table, _path_column(table, column), folder_of(source), manifest=True)


def _bytes_source(table: Table, wanted: object) -> ParquetBytesSource | None:
    """The column that holds encoded images: the one named, or the first of bytes, or of bytes and path."""
    columns = table.columns if wanted is None else (checked_column(table, str(wanted)),)
    names = [name for name in PATH_COLUMNS if (info := table.column(name)) and info.type is ColumnType.TEXT]
    for column in columns:
        if column.type is ColumnType.BYTES:
            return ParquetBytesSource(table, column.name, names[0] if names else None)
        if column.sql_type.replace('"', "") == "STRUCT(bytes BLOB, path VARCHAR)":
            return ParquetBytesSource(table, column.name, None, nested=True)
    if wanted is not None:
        raise VistaQLError(Code.BAD_OPTION_VALUE, f"The column '{wanted}' holds no bytes, but {columns[0].sql_type}.")
    return None


def _path_column(table: Table, wanted: object) -> str:
    """The column of file names: the one named, or the first of the usual names."""
    if wanted is not None:
        return checked_column(table, str(wanted)).name
    found = next((column for name in PATH_COLUMNS if (column := table.column(name))), None)
    if found is None:
        raise VistaQLError(
            Code.UNKNOWN_COLUMN,
            f"'{table.source}' has no column called {', '.join(PATH_COLUMNS[:-1])} or {PATH_COLUMNS[-1]}.",
            hint="Add WITH (path_column = 'name'). " + did_you_mean("", [c.name for c in table.columns], "columns"),
        )
    return found.name


def _key_rule(key: KeyRule | None, source: Source) -> KeyRule:
    """The rule asked for. Without one: the key of the table that names the files, else the stem."""
    table = None if isinstance(source, FolderSource | GlobSource) else source.table
    if key is not None and key.kind is KeyKind.COLUMN:
        if table is None:
            raise VistaQLError(
                Code.UNKNOWN_COLUMN,
                "A folder has no columns to take keys from.",
                hint="Write KEY FROM STEM, PATH or REGEX 'pattern'.",
            )
        return KeyRule(KeyKind.COLUMN, checked_column(table, key.argument or "").name)
    if isinstance(source, TableColumnSource) and key is None and len(source.table.key) == 1:
        return KeyRule(KeyKind.COLUMN, source.table.key[0])
    if isinstance(source, ParquetBytesSource) and not source.nested and source.path_column is None:
        raise VistaQLError(
            Code.UNKNOWN_COLUMN,
            f"'{source.table.source}' has no column of file names to take keys from.",
            hint=f"Add KEY FROM COLUMN and one of: {', '.join(c.name for c in source.table.columns)}.",
        )
    return key or KeyRule()


def _on_error(word: str) -> OnError:
    found = next((item for item in OnError if item.value == word.casefold()), None)
    if found is None:
        raise VistaQLError(
            Code.BAD_OPTION_VALUE, f"on_error is skip or fail, not '{word}'.", hint="Write WITH (on_error = skip)."
        )
    return found


def _fraction(value: object) -> float:
    if not isinstance(value, int | float) or not 0 <= value <= 1:
        raise VistaQLError(
            Code.BAD_OPTION_VALUE,
            f"max_bad is a fraction from 0 to 1, not {value}.",
            hint="Write max_bad = 0.01 for one in a hundred.",
        )
    return float(value)


def _statistics(images: ImageSet, listing: Listing) -> Statistics:
    endings = Counter(os.path.splitext(relative)[1].casefold().lstrip(".") for relative in listing.relatives)
    step = max(1, len(listing.paths) // SAMPLE)
    missing = 0
    sample: Sequence[str | bytes]
    if isinstance(images.source, ParquetBytesSource):
        sample, size = _sample_inside(images, listing)
    else:
        sample = sorted(filter(None, listing.paths))[::step]
        size = sum(filter(None, listing.sizes))
        missing = listing.sizes.count(None)
    pixels = [width * height for width, height in filter(None, read_sizes(sample))]
    return Statistics(
        count=len(listing.keys),
        bytes=size,
        mean_pixels=sum(pixels) / len(pixels) if pixels else 0.0,
        formats=tuple(endings.most_common()) if endings.keys() != {""} else (),
        reasons=tuple(listing.skipped.most_common()),
        missing=missing,
        unique_keys=len(set(listing.keys)) == len(listing.keys),
    )


def _sample_inside(images: ImageSet, listing: Listing) -> tuple[list[bytes], int]:
    """The first images of Parquet files, and the size of all columns as an estimate of their bytes."""
    import pyarrow as pa

    batch = next(stream_images(images, pa.array(listing.keys), SAMPLE), None)
    sample = [] if batch is None else batch["image"].to_pylist()
    mean = sum(map(len, sample)) / len(sample) if sample else 0
    return sample, round(mean * len(listing.keys))
