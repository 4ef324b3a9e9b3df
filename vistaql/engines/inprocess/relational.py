"""Scans, joins, filters and samples, run by DuckDB: the part of a query that needs no pixel."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from vistaql.errors import Code, Span, VistaQLError
from vistaql.logical.nodes import Filter, Join, JoinKind, Predicate, Rows, Sample, ScanImages, ScanTable, images_of
from vistaql.plan.node import Node
from vistaql.stores.columns import ColumnInfo
from vistaql.stores.duck import Limits, connected, fault, interruptible, out_of_memory, raise_told
from vistaql.stores.quoting import identifier
from vistaql.stores.tables import TableFormat, scan_sql

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

KEY = "key"
LABEL = "label"
SPLIT = "split"
LISTING = "vistaql_listing"
SAMPLED = "vistaql_sampled"
BASE = "base"
"""the joined rows, before they are filtered"""
COPIES = "vistaql_copies"
"""how many images have the key"""


@dataclass(frozen=True)
class JoinCounts:
    """What joining left over: images that no row was found for, and rows of the first table without an image."""

    images: int
    rows: int
    images_without_row: int
    rows_without_image: int
    duplicates: int


@dataclass(frozen=True)
class JoinedRows:
    """One row for each key, sorted by key: `key`, the feature columns, `label` and `split` where there are such."""

    table: pa.Table
    counts: JoinCounts


@dataclass(frozen=True)
class Surroundings:
    """What DuckDB reads besides files: the list of images, and tables in the memory of the session.

    The keys of the listing are unique; it has the columns of the image set, and how many images have the key.
    """

    listing: pa.Table
    arrow: Mapping[str, pa.Table]
    limits: Limits
    draw: Callable[[list[str], Sample], list[str]]
    """the keys that a sample keeps"""


def join_rows(rows: Rows, around: Surroundings) -> JoinedRows:
    """Run the relational part of a query.

    Raises BAD_EXPRESSION with the place of the expression that DuckDB refuses, UNREADABLE_FILE, OUT_OF_SPACE.
    """
    reads = [scan.table.source for scan in scans(rows)]
    with connected(around.limits, reads=reads) as connection, pointing_at(rows):
        return interruptible(connection, partial(joined, connection, rows, around))


def joined(connection: duckdb.DuckDBPyConnection, rows: Rows, around: Surroundings) -> JoinedRows:
    """Join, filter, sample, and keep one row of each key."""
    connection.register(LISTING, around.listing)
    for scan in scans(rows):
        if scan.table.format is TableFormat.ARROW:
            connection.register(scan.table.source, around.arrow[scan.table.source])
    base = needed(rows, relation_sql(unfiltered(rows.rows)))
    connection.execute(f"CREATE TEMP TABLE {BASE} AS {base}")
    table, duplicates = picked(connection, rows, around.draw)
    return JoinedRows(table, count(connection, rows, duplicates))


def picked(
    connection: duckdb.DuckDBPyConnection, rows: Rows, draw: Callable[[list[str], Sample], list[str]]
) -> tuple[pa.Table, int]:
    """Filter and sample the joined rows in the table `base`; one row of each key, and how many more there were."""
    key = identifier(f"{images_of(rows).alias}.{KEY}")
    selected = f"SELECT * FROM {BASE}"
    for node in filters_and_sample(rows.rows):
        if isinstance(node, Filter):
            selected = f"SELECT * FROM ({selected}) WHERE {node.predicate.sql}"
        else:
            keys = [value for (value,) in connection.execute(f"SELECT DISTINCT {key} FROM ({selected})").fetchall()]
            register_keys(connection, draw(keys, node))
            selected = f"SELECT * FROM ({selected}) WHERE {key} IN (SELECT {KEY} FROM {SAMPLED})"
    connection.execute(f"CREATE TEMP TABLE picked AS SELECT {outputs(rows, key)} FROM ({selected})")
    # The smallest row of a key in the order of all its columns: whichever file order the table has.
    names = [row[0] for row in connection.execute("DESCRIBE picked").fetchall()]
    order = ", ".join(identifier(name) for name in names)
    table = connection.sql(f"SELECT DISTINCT ON ({KEY}) * FROM picked ORDER BY {order}").to_arrow_table()
    return table, one(connection, "SELECT count(*) FROM picked") - table.num_rows


def unfiltered(node: Node) -> Node:
    """The joins below filter and sample."""
    while isinstance(node, Filter | Sample):
        node = node.rows
    return node


def filters_and_sample(node: Node) -> list[Filter | Sample]:
    """Filter and sample above the joins, in the order in which they apply."""
    found: list[Filter | Sample] = []
    while isinstance(node, Filter | Sample):
        found.insert(0, node)
        node = node.rows
    return found


def scans(rows: Rows) -> Iterator[ScanTable]:
    """The tables of a query."""
    return (node for node in rows.walk() if isinstance(node, ScanTable))


def relation_sql(node: Node) -> str:
    """A relation as a SELECT whose columns are called alias.column."""
    match node:
        case ScanImages():
            return f"SELECT {renamed(node.alias, node.reads)} FROM {LISTING}"
        case ScanTable(table, alias, as_text):
            return f"SELECT {renamed(alias, node.reads)} FROM {scan_sql(table, frozenset(as_text))}"
        case Join(left, right, kind, condition):
            word = "LEFT JOIN" if kind is JoinKind.LEFT else "JOIN"
            return f"SELECT * FROM ({relation_sql(left)}) {word} ({relation_sql(right)}) ON {condition.sql}"
    message = f"no relation: {node.summary}"
    raise TypeError(message)


def renamed(alias: str, columns: tuple[ColumnInfo, ...]) -> str:
    """Columns under the alias of the query."""
    return ", ".join(f"{identifier(column.name)} AS {identifier(f'{alias}.{column.name}')}" for column in columns)


def needed(rows: Rows, relation: str) -> str:
    """The relation with only the columns that somebody reads."""
    return f"SELECT {', '.join(identifier(name) for name in names_needed(rows))} FROM ({relation})"


def names_needed(rows: Rows) -> tuple[str, ...]:
    """The columns of the joined rows that somebody reads, sorted."""
    names = {f"{images_of(rows).alias}.{KEY}", *rows.named}
    for node in filters_and_sample(rows.rows):
        names.update(node.predicate.columns if isinstance(node, Filter) else ())
    return tuple(sorted(names))


def outputs(rows: Rows, key: str) -> str:
    """The columns of the answer."""
    parts = [f"{key} AS {KEY}", *(f"{identifier(name)} AS {identifier(name)}" for name in rows.columns)]
    if rows.label:
        parts.append(f"{rows.label.sql} AS {LABEL}")
    if rows.split:
        parts.append(f"CAST({identifier(rows.split)} AS VARCHAR) AS {SPLIT}")
    return ", ".join(parts)


def register_keys(connection: duckdb.DuckDBPyConnection, keys: list[str]) -> None:
    """A table of sampled keys."""
    import pyarrow as pa

    connection.register(SAMPLED, pa.table({KEY: pa.array(keys, pa.string())}))


def one(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    """The one number that a query gives; 0 for NULL."""
    found = connection.execute(sql).fetchone()
    return int(found[0]) if found and found[0] is not None else 0


def count(connection: duckdb.DuckDBPyConnection, rows: Rows, duplicates: int) -> JoinCounts:
    """What the joins left over: images without a row, rows of the first table without an image, repeated keys."""
    key = identifier(f"{images_of(rows).alias}.{KEY}")
    images = one(connection, f"SELECT sum({COPIES}) FROM {LISTING}")
    first = next((node for node in rows.walk() if isinstance(node, Join)), None)
    if first is None:
        return JoinCounts(images, images, 0, 0, duplicates)
    left, right, met = relation_sql(first.left), relation_sql(first.right), first.condition.sql
    # A left join keeps the images that have no row; later joins may lose some that have one.
    with_row = f"SELECT {key} FROM ({left}) WHERE EXISTS (SELECT 1 FROM ({right}) WHERE {met})"
    kept = f"{KEY} IN (SELECT {key} FROM {BASE}) AND {KEY} IN ({with_row})"
    without_image = f"NOT EXISTS (SELECT 1 FROM ({left}) WHERE {met})"
    return JoinCounts(
        images,
        one(connection, f"SELECT count(*) FROM ({right})"),
        images - one(connection, f"SELECT sum({COPIES}) FROM {LISTING} WHERE {kept}"),
        one(connection, f"SELECT count(*) FROM ({right}) WHERE {without_image}"),
        duplicates,
    )


@contextmanager
def pointing_at(rows: Rows) -> Iterator[None]:
    """Errors of DuckDB inside the block point at the expression of the statement that caused them."""
    import duckdb

    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise out_of_memory(error) from error
    except duckdb.Error as error:
        raise_told(error)
        told = fault(error)
        guilty = suspects(rows)
        raise VistaQLError(
            Code.BAD_EXPRESSION if guilty else Code.UNREADABLE_FILE,
            f"{told.first_line}.",
            span=Span(*guilty[0].span) if len(guilty) == 1 else None,
            hint=advice(told.message)
            if len(guilty) == 1
            else "It lies in one of: " + "; ".join(item.words for item in guilty) + "."
            if guilty
            else None,
        ) from error


def suspects(rows: Rows) -> list[Predicate]:
    """Expressions of the user that are more than a column: what DuckDB may stumble over."""
    found = [node.predicate for node in rows.walk() if isinstance(node, Filter)]
    found += [
        node.condition
        for node in rows.walk()
        if isinstance(node, Join) and not node.condition.words.startswith("USING")
    ]
    if rows.label and rows.label.sql != identifier(rows.label.columns[0] if rows.label.columns else ""):
        found.append(rows.label)
    return found


def advice(message: str) -> str:
    """What to write instead of an expression that DuckDB refuses."""
    if "date" in message or "timestamp" in message:
        return "A date is written as '2024-01-31'."
    if "convert" in message.lower() or "cast" in message.lower():
        return "Compare texts with 'texts' in quotes, and numbers with numbers."
    return "Try it alone: SELECT * FROM table WHERE .. LIMIT 5;"
