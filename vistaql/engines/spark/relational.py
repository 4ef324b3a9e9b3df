"""The relational part of a query on Spark: workers read the tables, Spark joins them, and filters where it can.

What is left of the rows comes to the driver, where it is filtered (again), sampled and reduced to one row a key by
the code that does so in process. So a predicate means the same on both engines: Spark may leave rows out early only
where its comparison is known to be DuckDB's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vistaql.engines.inprocess.relational import (
    BASE,
    COPIES,
    KEY,
    JoinCounts,
    JoinedRows,
    Surroundings,
    filters_and_sample,
    join_rows,
    names_needed,
    picked,
    pointing_at,
)  # fmt: skip
from vistaql.engines.spark.conditions import equality, quoted, spark_condition
from vistaql.engines.spark.frames import HINTS, Held, configured, from_arrow, workers_with
from vistaql.engines.spark.jobs import jobs
from vistaql.engines.spark.scans import as_before, table_frame, types_of
from vistaql.logical.nodes import Filter, Join, JoinKind, Rows, images_of
from vistaql.settings import JoinMethod, Persistence
from vistaql.spark_settings import SparkSettings
from vistaql.stores.duck import connected

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

# Rows of a table are narrow; batches made for images would be too many.
NARROW = {"spark.sql.execution.arrow.maxRecordsPerBatch": "10000", "spark.sql.adaptive.enabled": "false"}


@dataclass(frozen=True)
class SparkJoiner:
    """Joins the rows of queries in a session of Spark, by a method or, None, as Spark finds best."""

    spark: SparkSession
    method: JoinMethod | None
    run: str
    """the id of the run, which its jobs carry"""
    threads: int = 1
    """of the workers that will run the CNN, so that they are the ones that read the tables"""
    settings: SparkSettings = field(default_factory=SparkSettings)
    """the user's, which win"""

    def __call__(self, rows: Rows, around: Surroundings) -> JoinedRows:
        """The rows of a query; by DuckDB on the driver where there is no join, or one that compares more than columns.

        Raises what `join_rows` raises.
        """
        types = types_in(rows)
        joins = [(join, equality(join.condition, types)) for join in joins_of(rows)]
        known = [(join, condition) for join, condition in joins if condition is not None]
        if not joins or len(known) < len(joins):
            return join_rows(rows, around)
        what = f"rows of {', '.join(join.right.table.name for join, _ in known)}"
        with (
            configured(self.spark, self.settings.left_open(NARROW)),
            workers_with(self.spark, self.threads),
            jobs(self.spark, self.run, what),
        ):
            found, counts = self.joined(rows, around, known)
        with connected(around.limits) as connection, pointing_at(rows):
            as_before(connection, BASE, found, {name: types[name] for name in names_needed(rows)})
            table, duplicates = picked(connection, rows, around.draw)
        return JoinedRows(table, JoinCounts(*counts, duplicates))

    def joined(
        self, rows: Rows, around: Surroundings, joins: Sequence[tuple[Join, str]]
    ) -> tuple[pa.Table, tuple[int, int, int, int]]:
        """Read and join the tables: the rows that may be wanted, and what the first join left over."""
        tables = [
            Held.of(table_frame(self.spark, join.right, around.arrow), Persistence.DESERIALIZED) for join, _ in joins
        ]
        listing = self.listing(rows, around)
        base = listing
        for (join, condition), table in zip(joins, tables, strict=True):
            base = self.together(base, table.frame, condition, "left" if join.kind is JoinKind.LEFT else "inner")
        shown = early_filtered(base, rows).selectExpr(*(quoted(name) for name in names_needed(rows)))
        counts = self.left_over(rows, around, base, tables[0].frame, joins[0][1])
        return shown.toArrow(), counts

    def listing(self, rows: Rows, around: Surroundings) -> DataFrame:
        """The images, a row a key, with columns called `alias.column`, and how many images have the key."""
        images = images_of(rows)
        names = [column.name for column in images.reads]
        renamed = [*(f"{images.alias}.{name}" for name in names), COPIES]
        return from_arrow(self.spark, around.listing.select([*names, COPIES]).rename_columns(renamed))

    def together(self, left: DataFrame, right: DataFrame, condition: str, kind: str) -> DataFrame:
        """Two sides joined under a condition."""
        from pyspark.sql.functions import expr

        return left.join(right if self.method is None else right.hint(HINTS[self.method]), expr(condition), kind)

    def left_over(
        self, rows: Rows, around: Surroundings, base: DataFrame, first: DataFrame, condition: str
    ) -> tuple[int, int, int, int]:
        """Images, rows of the first table, images without a row in it, and rows without an image."""
        listing, key = self.listing(rows, around), quoted(f"{images_of(rows).alias}.{KEY}")
        # A left join keeps the images that have no row; later joins may lose some that have one.
        kept = self.together(listing, first, condition, "left_semi")
        kept = self.together(kept, base.selectExpr(f"{key} AS kept").distinct(), f"{key} = kept", "left_semi")
        alone = self.together(first, listing, condition, "left_anti")
        numbers = (
            kept.selectExpr("'kept' AS what", f"coalesce(sum({COPIES}), 0) AS number")
            .unionAll(first.selectExpr("'rows'", "count(*)"))
            .unionAll(alone.selectExpr("'alone'", "count(*)"))
        )
        found = {row.what: int(row.number) for row in numbers.collect()}
        total = sum(around.listing[COPIES].to_pylist())
        return total, found["rows"], total - found["kept"], found["alone"]


def joins_of(rows: Rows) -> list[Join]:
    """The joins of a query, the first one first."""
    return [node for node in rows.walk() if isinstance(node, Join)]


def types_in(rows: Rows) -> dict[str, str]:
    """Every column of a query and its type in DuckDB's words."""
    images = images_of(rows)
    types = {f"{images.alias}.{column.name}": column.sql_type for column in images.reads}
    for join in joins_of(rows):
        types |= types_of(join.right)
    return types


def early_filtered(base: DataFrame, rows: Rows) -> DataFrame:
    """The joined rows without some that the filters leave out later in any case."""
    for node in filters_and_sample(rows.rows):
        if not isinstance(node, Filter):
            # Who is sampled depends on all rows that were there before.
            return base
        condition = spark_condition(node.predicate, types_in(rows))
        base = base if condition is None else base.where(condition)
    return base
