"""Formats of table files, by their word or by their ending."""

from __future__ import annotations

import os
from enum import Enum

from vistaql.errors import Code, VistaQLError, did_you_mean


class TableFormat(Enum):
    """How the rows are kept. ARROW: in the memory of a session."""

    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"
    ARROW = "arrow"


ENDINGS = {
    ".csv": TableFormat.CSV, ".tsv": TableFormat.CSV, ".txt": TableFormat.CSV,
    ".parquet": TableFormat.PARQUET, ".pq": TableFormat.PARQUET, ".parq": TableFormat.PARQUET,
    ".json": TableFormat.JSON, ".jsonl": TableFormat.JSON, ".ndjson": TableFormat.JSON,
}  # fmt: skip
COMPRESSED = frozenset({".gz", ".zst"})
PACKED = frozenset({".zip", ".bz2", ".xz", ".7z", ".tar", ".xls", ".xlsx"})


def format_named(word: str | None, source: str) -> TableFormat:
    """The format by its word, or by the ending of the file."""
    formats = {item.value: item for item in TableFormat if item is not TableFormat.ARROW}
    if word is not None:
        found = formats.get(word.casefold())
        if found is None:
            raise VistaQLError(
                Code.UNKNOWN_OBJECT, f"There is no table format '{word}'.", hint=did_you_mean(word, formats, "formats")
            )
        return found
    by_ending = format_of(source)
    if os.path.splitext(source.casefold())[1] in PACKED:
        raise VistaQLError(
            Code.UNREADABLE_FILE,
            f"'{source}' is packed in a way that is not read here.",
            hint="Save it as CSV or Parquet; CSV and JSON may end in .gz or .zst.",
        )
    if by_ending is None:
        raise VistaQLError(
            Code.UNREADABLE_FILE,
            f"The ending of '{source}' does not tell its format.",
            hint="Add FORMAT csv, FORMAT parquet or FORMAT json after the path.",
        )
    return by_ending


def format_of(path: str) -> TableFormat | None:
    """The format that an ending stands for; for a folder, that of the first table file in it.

    >>> format_of("a/items.CSV.gz"), format_of("photos/")
    (<TableFormat.CSV: 'csv'>, None)
    """
    if os.path.isdir(path):
        names = sorted(name for _, _, files in os.walk(path) for name in files)
        return next((found for name in names if (found := format_of(name))), None)
    stem, ending = os.path.splitext(path.casefold())
    if ending in COMPRESSED:
        ending = os.path.splitext(stem)[1]
    return ENDINGS.get(ending)
