"""Tables as frames: every file is read by a worker, with the reader and the types that it has in process.

Spark's own readers have other ideas of quotes, nulls and dates; so DuckDB reads here too, a file a task. Types that
Spark lacks travel as text, and are what they were when they are back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from vistaql.engines.spark.frames import from_arrow
from vistaql.logical.nodes import ScanTable
from vistaql.stores.duck import Limits
from vistaql.stores.files import escaped
from vistaql.stores.quoting import identifier
from vistaql.stores.tables import Table, TableFormat, pattern_of, scan_sql

if TYPE_CHECKING:
    import duckdb
    from pyspark.sql import DataFrame, SparkSession

    Batches = Iterator[pa.RecordBatch]

SAME: Final = {
    "VARCHAR": "string", "BOOLEAN": "boolean", "TINYINT": "tinyint", "SMALLINT": "smallint", "INTEGER": "int",
    "BIGINT": "bigint", "FLOAT": "float", "DOUBLE": "double", "DATE": "date",
}  # fmt: skip
"""Types that Spark has as DuckDB has them, by DuckDB's words."""

READ_ROWS: Final = 10_000


def travelling(sql_type: str) -> str:
    """The type of DuckDB in which a value passes through Spark: its own, or text.

    >>> travelling("BIGINT"), travelling("DECIMAL(9,2)"), travelling("TIMESTAMP")
    ('BIGINT', 'VARCHAR', 'VARCHAR')
    """
    return sql_type if sql_type in SAME else "VARCHAR"


def types_of(scan: ScanTable) -> dict[str, str]:
    """The columns that a scan reads, called `alias.column`, and their types in DuckDB's words; keys are text."""
    as_text = {name.casefold() for name in (*scan.table.key, *scan.as_text)}
    return {
        f"{scan.alias}.{column.name}": "VARCHAR" if column.name.casefold() in as_text else column.sql_type
        for column in scan.reads
    }


def table_frame(spark: SparkSession, scan: ScanTable, memory: Mapping[str, pa.Table]) -> DataFrame:
    """The columns that are read of a table, called `alias.column`."""
    types = types_of(scan)
    if scan.table.format is TableFormat.ARROW:
        return from_arrow(spark, pa.Table.from_batches(list(read(scan, types, memory))))
    files = from_arrow(spark, pa.table({"file": files_of(scan.table)}))
    schema = ", ".join(f"`{name.replace('`', '``')}` {SAME[travelling(kind)]}" for name, kind in types.items())
    return files.repartition(max(1, len(files_of(scan.table)))).mapInArrow(reader(scan, types), schema)


def files_of(table: Table) -> list[str]:
    """The files of a table."""
    from vistaql.stores import duck

    with duck.connected(reads=(table.source,)) as connection, duck.reading(table.source):
        found = connection.execute(
            "SELECT file FROM glob(?) ORDER BY file", [pattern_of(table.source, table.format)]
        ).fetchall()
    return [str(row[0]) for row in found]


def reader(scan: ScanTable, types: dict[str, str]) -> Callable[[Batches], Batches]:
    """Read the files whose names come in; for `mapInArrow`."""

    def run(batches: Batches) -> Batches:
        for batch in batches:
            for file in batch.column("file").to_pylist():
                yield from read(replace(scan, table=replace(scan.table, source=escaped(file))), types, {})

    return run


def read(scan: ScanTable, types: dict[str, str], memory: Mapping[str, pa.Table]) -> Batches:
    """The columns of a table's one file (or of its memory), in the types in which they travel."""
    from vistaql.stores import duck

    source = scan.table.source
    with duck.connected(Limits(threads=1), reads=(source,)) as connection, duck.reading(source):
        if scan.table.format is TableFormat.ARROW:
            connection.register(source, memory[source])
        shown = ", ".join(
            f"CAST({identifier(name.removeprefix(f'{scan.alias}.'))} AS {travelling(kind)}) AS {identifier(name)}"
            for name, kind in types.items()
        )
        sql = f"SELECT {shown} FROM {scan_sql(scan.table, frozenset(scan.as_text))}"
        yield from connection.sql(sql).to_arrow_reader(READ_ROWS)


def as_before(connection: duckdb.DuckDBPyConnection, table: str, rows: pa.Table, types: Mapping[str, str]) -> None:
    """Make a table of rows that have travelled, in the types that they had."""
    connection.register("travelled", rows)
    shown = ", ".join(f"CAST({identifier(name)} AS {kind}) AS {identifier(name)}" for name, kind in types.items())
    connection.execute(f"CREATE TEMP TABLE {table} AS SELECT {shown} FROM travelled")
    connection.unregister("travelled")
