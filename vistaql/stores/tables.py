"""Tables in files: what they hold, and the SQL that reads them."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from vistaql.errors import Code, VistaQLError, did_you_mean
from vistaql.stores.files import escaped, is_pattern, not_found, refuse_url
from vistaql.stores.options import Options, check_options
from vistaql.stores.quoting import identifier, literal, struct

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


class ColumnType(Enum):
    """What the values of a column are, in the same words for every format."""

    NUMBER = "number"
    INTEGER = "integer"
    TEXT = "text"
    BOOLEAN = "boolean"
    TIME = "time"
    BYTES = "bytes"
    OTHER = "other"


@dataclass(frozen=True)
class ColumnInfo:
    """A column: `type` as it is read, `sql_type` as the file holds it, in DuckDB's words.

    They differ for keys, which are read as text whatever the file holds.
    """

    name: str
    type: ColumnType
    sql_type: str


class TableFormat(Enum):
    """How the rows are kept. ARROW: in the memory of a session."""

    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"
    ARROW = "arrow"


@dataclass(frozen=True)
class Table:
    """A table by its name. `source` is an absolute path, a pattern, or a folder; `rows` and `bytes` as last counted.

    `query` is the SELECT that made it, where one did.
    """

    name: str
    source: str
    format: TableFormat
    columns: tuple[ColumnInfo, ...]
    key: tuple[str, ...] = ()
    label: str | None = None
    rows: int = 0
    bytes: int = 0
    options: Options = ()
    query: str | None = None

    def __str__(self) -> str:
        return self.name

    def column(self, name: str) -> ColumnInfo | None:
        """The column of that name, case ignored."""
        return next((column for column in self.columns if column.name.casefold() == name.casefold()), None)


ENDINGS = {
    ".csv": TableFormat.CSV, ".tsv": TableFormat.CSV, ".txt": TableFormat.CSV,
    ".parquet": TableFormat.PARQUET, ".pq": TableFormat.PARQUET, ".parq": TableFormat.PARQUET,
    ".json": TableFormat.JSON, ".jsonl": TableFormat.JSON, ".ndjson": TableFormat.JSON,
}  # fmt: skip
COMPRESSED = frozenset({".gz", ".zst", ".zstd"})
CSV_OPTIONS: dict[str, tuple[str, type]] = {
    "delimiter": ("delim", str),
    "quote": ("quote", str),
    "escape": ("escape", str),
    "header": ("header", bool),
    "skip": ("skip", int),
    "encoding": ("encoding", str),
    "null_value": ("nullstr", str),
    "decimal": ("decimal_separator", str),
    "comment": ("comment", str),
}
# Up to this size the whole file decides the types of its columns; of larger ones the first rows do.
WHOLE_FILE_DECIDES = 64_000_000


def format_named(word: str | None, source: str) -> TableFormat:
    """The format by its word, or by the ending of the file."""
    formats = {item.value: item for item in TableFormat if item is not TableFormat.ARROW}
    if word is not None:
        found = formats.get(word.casefold())
        if found is None:
            raise VistaQLError(
                Code.UNREADABLE_FILE, f"There is no table format '{word}'.", hint=did_you_mean(word, formats, "formats")
            )
        return found
    by_ending = format_of(source)
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


def pattern_of(source: str, table_format: TableFormat) -> str:
    """The pattern DuckDB reads: a path matches itself alone, a folder all files of the format below it."""
    if os.path.isdir(source):
        return f"{escaped(source.rstrip('/'))}/**/*.{table_format.value}*"
    return source if is_pattern(source) else escaped(source)


def scan_sql(table: Table, text_columns: frozenset[str] = frozenset()) -> str:
    """What stands after FROM to read the table, with the types found when it was described.

    The key and `text_columns` are read as text: '007' stays '007', and a key kept as 7.0 is '7'.
    """
    wanted = {name.casefold() for name in (*table.key, *text_columns)}
    types = {
        column.name: "VARCHAR" if column.name.casefold() in wanted else column.sql_type for column in table.columns
    }
    if table.format is TableFormat.CSV:
        return _csv_scan(table, types)
    if table.format is TableFormat.JSON:
        return f"read_json({_pattern(table)}, columns = {struct(types)})"
    scan = identifier(table.source) if table.format is TableFormat.ARROW else _parquet_scan(table)
    casts = [
        f"{text_of(column)} AS {identifier(column.name)}"
        for column in table.columns
        if column.name.casefold() in wanted and column.sql_type != "VARCHAR"
    ]
    return f"(SELECT * REPLACE ({', '.join(casts)}) FROM {scan})" if casts else scan


def text_of(column: ColumnInfo) -> str:
    """A value as a key: text, without the '.0' that a column of whole numbers gets when one is missing."""
    name = identifier(column.name)
    text = f"CAST({name} AS VARCHAR)"
    if column.sql_type not in ("DOUBLE", "FLOAT"):
        return text
    whole = f"isfinite({name}) AND {name} = trunc({name})"
    return f"CASE WHEN {whole} THEN CAST(CAST({name} AS HUGEINT) AS VARCHAR) ELSE {text} END"


def _pattern(table: Table) -> str:
    return literal(pattern_of(table.source, table.format))


def _parquet_scan(table: Table) -> str:
    return f"read_parquet({_pattern(table)}, union_by_name = true)"


def _csv_scan(table: Table, types: dict[str, str]) -> str:
    arguments = {"header": "true", "skip": "0", "union_by_name": "true"}
    if table.bytes <= WHOLE_FILE_DECIDES:
        arguments["sample_size"] = "-1"
    if types:
        arguments["types"] = struct(types)
    arguments.update((CSV_OPTIONS[name][0], literal(value)) for name, value in table.options)
    return f"read_csv({_pattern(table)}, {', '.join(f'{name} = {value}' for name, value in arguments.items())})"


def describe_table(
    name: str,
    source: str,
    format_word: str | None = None,
    key: tuple[str, ...] = (),
    label: str | None = None,
    options: Options = (),
) -> Table:
    """Look at the files: columns with types, rows, bytes. Key and label get the spelling of the file.

    Raises FILE_NOT_FOUND, UNREADABLE_FILE, UNKNOWN_COLUMN, UNKNOWN_OPTION, BAD_OPTION_VALUE.
    """
    from vistaql.stores import duck

    refuse_url(source)
    checked = check_options(options, {name: kind for name, (_, kind) in CSV_OPTIONS.items()}, "tables")
    if not is_pattern(source) and not os.path.exists(source):
        raise not_found(source)
    draft = Table(name, source, format_named(format_word, source), (), options=checked)
    if draft.format is not TableFormat.CSV and checked:
        raise VistaQLError(
            Code.UNKNOWN_OPTION,
            f"The option '{checked[0][0]}' is for CSV, and '{source}' is read as {draft.format.value}.",
            hint="Leave it out.",
        )
    with duck.connected() as connection, duck.reading(source):
        files = [row[0] for row in connection.execute(f"SELECT file FROM glob({_pattern(draft)})").fetchall()]
        if not files:
            raise not_found(source)
        draft = replace(draft, bytes=sum(map(os.path.getsize, files)))
        if not draft.bytes:
            raise VistaQLError(Code.UNREADABLE_FILE, f"'{source}' is empty.")
        draft = with_key(replace(draft, columns=_columns(connection, draft)), key, label)
        counted = connection.execute(f"SELECT count(*) FROM {scan_sql(draft)}").fetchone()
    return replace(draft, rows=int(counted[0]) if counted else 0)


def with_key(table: Table, key: tuple[str, ...], label: str | None) -> Table:
    """The table with a declared key and label; key columns become text."""
    spelled = tuple(checked_column(table, name).name for name in key)
    columns = tuple(
        replace(column, type=ColumnType.TEXT) if column.name in spelled else column for column in table.columns
    )
    found_label = checked_column(table, label).name if label is not None else None
    return replace(table, key=spelled, label=found_label, columns=columns)


def checked_column(table: Table, name: str) -> ColumnInfo:
    """The column of that name, or the error that names the nearest."""
    column = table.column(name)
    if column is None:
        raise VistaQLError(
            Code.UNKNOWN_COLUMN,
            f"There is no column '{name}' in '{table.source}'.",
            hint=did_you_mean(name, [known.name for known in table.columns], "columns"),
        )
    return column


def describe_arrow(name: str, data: pa.Table, key: tuple[str, ...] = (), label: str | None = None) -> Table:
    """A table that a session holds in memory, and registers with a connection under the name `source`."""
    from vistaql.stores import duck

    with duck.connected() as connection, duck.reading(name):
        connection.register("data", data)
        rows = connection.execute("DESCRIBE SELECT * FROM data").fetchall()
    columns = tuple(column_of(row[0], row[1]) for row in rows)
    draft = Table(name, f"memory:{name}", TableFormat.ARROW, columns, rows=data.num_rows, bytes=data.nbytes)
    return with_key(draft, key, label)


DELIMITERS = (",", ";", "\t", "|")
NUMBERS = ("FLOAT", "DOUBLE", "DECIMAL", "REAL")
TIMES = ("DATE", "TIME", "INTERVAL")


def column_of(name: str, sql_type: str) -> ColumnInfo:
    """A column from DuckDB's description. JSON values of mixed types are text.

    >>> column_of("price", "DECIMAL(9,2)").type, column_of("tags", "VARCHAR[]").type
    (<ColumnType.NUMBER: 'number'>, <ColumnType.OTHER: 'other'>)
    """
    if sql_type == "JSON":
        return ColumnInfo(name, ColumnType.TEXT, "VARCHAR")
    if sql_type.endswith("]") or sql_type.startswith(("STRUCT", "MAP", "UNION")):
        return ColumnInfo(name, ColumnType.OTHER, sql_type)
    kinds = {
        ColumnType.BOOLEAN: sql_type == "BOOLEAN",
        ColumnType.BYTES: sql_type == "BLOB",
        ColumnType.TEXT: sql_type in ("VARCHAR", "UUID") or sql_type.startswith("ENUM"),
        ColumnType.TIME: sql_type.startswith(TIMES),
        ColumnType.INTEGER: sql_type.endswith(("INT", "INTEGER")),
        ColumnType.NUMBER: sql_type.startswith(NUMBERS),
    }
    return ColumnInfo(name, next((kind for kind, holds in kinds.items() if holds), ColumnType.OTHER), sql_type)


def _columns(connection: duckdb.DuckDBPyConnection, table: Table) -> tuple[ColumnInfo, ...]:
    import duckdb

    scan = f"read_json({_pattern(table)})" if table.format is TableFormat.JSON else scan_sql(table)
    try:
        rows = connection.execute(f"DESCRIBE SELECT * FROM {scan}").fetchall()
    except duckdb.InvalidInputException:
        if table.format is TableFormat.CSV:
            _check_lengths(connection, table)
        raise
    if table.format is TableFormat.CSV and len(rows) == 1:
        _check_lengths(connection, table)
    return tuple(column_of(row[0], row[1]) for row in rows)


def _check_lengths(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Where no delimiter gives all rows one length, fail at the first row that differs from the header."""
    if any(name in ("delimiter", "encoding") for name, _ in table.options):
        return
    line = "auto_detect = false, header = false, quote = '', delim = '\x1f', columns = {'line': 'VARCHAR'}"
    header = connection.execute(f"SELECT line FROM read_csv({_pattern(table)}, {line}) LIMIT 1").fetchone()
    mark = max(DELIMITERS, key=lambda mark: header[0].count(mark) if header and header[0] else 0)
    if header is None or mark not in (header[0] or ""):
        return
    names = {f"{place} {name}": "VARCHAR" for place, name in enumerate(header[0].split(mark))}
    strict = f"auto_detect = false, header = true, delim = {literal(mark)}, columns = {struct(names)}"
    connection.execute(f"SELECT * FROM read_csv({_pattern(table)}, {strict})").fetchall()
