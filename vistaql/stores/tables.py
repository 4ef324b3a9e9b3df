"""Tables in files: what they hold, and the SQL that reads them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from vistaql.errors import Code, VistaQLError, did_you_mean
from vistaql.stores.columns import ColumnInfo, ColumnType, column_of
from vistaql.stores.files import escaped, is_pattern
from vistaql.stores.formats import TableFormat, format_named, format_of
from vistaql.stores.options import Options, check_options
from vistaql.stores.places import is_folder, located, missing, size_of
from vistaql.stores.quoting import identifier, literal, struct

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

__all__ = [
    "CSV_OPTIONS", "ColumnInfo", "ColumnType", "Table", "TableFormat", "checked_column", "describe_arrow",
    "describe_table", "format_of", "pattern_of", "scan_sql", "text_of", "with_key",
]  # fmt: skip


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
    dialect: Options = ()
    """how the CSV is written, as it was found; saves finding it at every scan"""

    def __str__(self) -> str:
        return self.name

    def column(self, name: str) -> ColumnInfo | None:
        """The column of that name, case ignored."""
        return next((column for column in self.columns if column.name.casefold() == name.casefold()), None)


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
# Up to this size the whole file decides the types of its columns; of larger ones the first rows do,
# and the whole file only where a later row does not fit them.
WHOLE_FILE_DECIDES = 16_000_000


def pattern_of(source: str, table_format: TableFormat) -> str:
    """The pattern DuckDB reads: a path matches itself alone, a folder all files of the format below it."""
    if is_folder(source):
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
    keys = [column for column in table.columns if column.name.casefold() in wanted]
    if table.format is TableFormat.CSV:
        return _replaced(_csv_scan(table, types), [(key, _without_point_zero(key)) for key in keys if is_float(key)])
    if table.format is TableFormat.JSON:
        scan = f"read_json({_pattern(table)}, columns = {struct(types)})"
        return _replaced(scan, [(key, _without_point_zero(key)) for key in keys if is_float(key)])
    scan = identifier(table.source) if table.format is TableFormat.ARROW else _parquet_scan(table)
    return _replaced(scan, [(key, text_of(key)) for key in keys if key.sql_type != "VARCHAR"])


def _replaced(scan: str, changes: list[tuple[ColumnInfo, str]]) -> str:
    """The scan with some columns computed anew."""
    shown = ", ".join(f"{sql} AS {identifier(column.name)}" for column, sql in changes)
    return f"(SELECT * REPLACE ({shown}) FROM {scan})" if shown else scan


def _without_point_zero(column: ColumnInfo) -> str:
    """A whole number that was written as text with '.0', without it."""
    return f"regexp_replace({identifier(column.name)}, '^(-?[0-9]+)[.]0+$', '\\1')"


def is_float(column: ColumnInfo) -> bool:
    """Whether the column is of binary fractions, which whole numbers become where one is missing."""
    return column.sql_type in ("DOUBLE", "FLOAT")


def text_of(column: ColumnInfo) -> str:
    """A value as a key: text, without the '.0' that a column of whole numbers gets when one is missing."""
    name = identifier(column.name)
    text = f"CAST({name} AS VARCHAR)"
    if is_float(column):
        whole = f"isfinite({name}) AND {name} = trunc({name})"
    elif column.sql_type.startswith("DECIMAL"):
        whole = f"{name} = trunc({name})"
    else:
        return text
    return f"CASE WHEN {whole} THEN CAST(CAST({name} AS HUGEINT) AS VARCHAR) ELSE {text} END"


def _pattern(table: Table) -> str:
    return literal(pattern_of(table.source, table.format))


def _parquet_scan(table: Table) -> str:
    return f"read_parquet({_pattern(table)}, union_by_name = true)"


def _csv_scan(table: Table, types: dict[str, str]) -> str:
    arguments = {"header": "true", "skip": "0", "union_by_name": "true"}
    if types:
        arguments["types"] = struct(types)
    arguments.update((name, literal(value)) for name, value in table.dialect)
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

    checked = check_options(options, {name: kind for name, (_, kind) in CSV_OPTIONS.items()}, "tables")
    source = located(source)
    draft = Table(name, source, format_named(format_word, source), (), options=checked)
    if draft.format is not TableFormat.CSV and checked:
        raise VistaQLError(
            Code.UNKNOWN_OPTION,
            f"The option '{checked[0][0]}' is for CSV, and '{source}' is read as {draft.format.value}.",
            hint="Leave it out.",
        )
    with duck.connected(reads=(source,)) as connection, duck.reading(source):
        files = [row[0] for row in connection.execute(f"SELECT file FROM glob({_pattern(draft)})").fetchall()]
        if not files:
            raise missing(source)
        draft = replace(draft, bytes=sum(map(size_of, files)))
        if not draft.bytes:
            raise VistaQLError(Code.UNREADABLE_FILE, f"'{source}' is empty.", hint="Name a file that has rows.")
        look = partial(_looked_at, connection, draft, files[0], key, label)
        return duck.interruptible(connection, look)


def _looked_at(
    connection: duckdb.DuckDBPyConnection, draft: Table, first: str, key: tuple[str, ...], label: str | None
) -> Table:
    """Columns and rows. Every value of the file is read once, so that none surprises a later statement."""
    import duckdb

    whole = draft.bytes <= WHOLE_FILE_DECIDES or draft.format is TableFormat.PARQUET
    for everything in (True,) if whole else (False, True):
        try:
            seen = _with_columns(connection, draft, first, everything=everything)
            table = with_key(seen, key, label)
            return replace(table, rows=_count(connection, table))
        except (duckdb.ConversionException, duckdb.InvalidInputException):
            if everything:
                raise
    message = "the last attempt returns or raises"
    raise AssertionError(message)


def _count(connection: duckdb.DuckDBPyConnection, table: Table) -> int:
    values = ", count(COLUMNS(*))" if table.format is not TableFormat.PARQUET and table.columns else ""
    row = connection.execute(f"SELECT count(*){values} FROM {scan_sql(table)}").fetchone()
    return int(row[0]) if row else 0


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


def _with_columns(connection: duckdb.DuckDBPyConnection, table: Table, first: str, *, everything: bool) -> Table:
    """The table with its columns and, for CSV, the dialect of its first file."""
    import duckdb

    size = "sample_size = -1" if everything else "sample_size = 20480"
    if table.format is TableFormat.CSV:
        try:
            table = replace(table, dialect=_dialect(connection, table, first, size))
            scan = scan_sql(table)[:-1] + f", {size})"
            rows = connection.execute(f"DESCRIBE SELECT * FROM {scan}").fetchall()
        except duckdb.InvalidInputException:
            _check_lengths(connection, table)
            raise
        if len(rows) == 1:
            _check_lengths(connection, table)
    else:
        scan = f"read_json({_pattern(table)}, {size})" if table.format is TableFormat.JSON else scan_sql(table)
        rows = connection.execute(f"DESCRIBE SELECT * FROM {scan}").fetchall()
    return replace(table, columns=tuple(column_of(row[0], row[1]) for row in rows))


def _dialect(connection: duckdb.DuckDBPyConnection, table: Table, first: str, size: str) -> Options:
    """How a CSV file is written, by DuckDB's guess and the options given."""
    one = scan_sql(replace(table, source=first, dialect=()))
    sniff = one.replace("read_csv(", "sniff_csv(", 1).replace(", union_by_name = true", "", 1)[:-1] + f", {size})"
    names = ("Delimiter", "Quote", "Escape", "Comment", "DateFormat", "TimestampFormat")
    found = connection.execute(f"SELECT {', '.join(names)} FROM {sniff}").fetchone() or ()
    arguments = ("delim", "quote", "escape", "comment", "dateformat", "timestampformat")
    return tuple(
        (name, "" if value == "(empty)" else value)
        for name, value in zip(arguments, found, strict=True)
        if value is not None
    )


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
