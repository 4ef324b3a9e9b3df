"""Frames of Spark: the rows and images of a query, and what the cluster holds for a while."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vistaql.settings import JoinMethod, Persistence

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

THREADS: Final = "VISTAQL_WORKER_THREADS"
"""Set for workers, and read by nobody"""

HINTS: Final = {JoinMethod.BROADCAST: "broadcast", JoinMethod.SHUFFLE: "shuffle_hash"}


@dataclass(frozen=True, eq=False)
class Held:
    """A frame that the cluster keeps until nobody refers to this value any more."""

    frame: DataFrame

    def __post_init__(self) -> None:
        # At the end of the process Spark forgets everything by itself, and may have ended before.
        weakref.finalize(self, release, self.frame).atexit = False

    @classmethod
    def of(cls, frame: DataFrame, persistence: Persistence) -> Held:
        """Have a frame kept from its first use on."""
        from pyspark import StorageLevel

        levels = {
            Persistence.DESERIALIZED: StorageLevel.MEMORY_AND_DISK_DESER,
            Persistence.SERIALIZED: StorageLevel.MEMORY_AND_DISK,
            Persistence.DISK: StorageLevel.DISK_ONLY,
        }
        return cls(frame.persist(levels[persistence]))


def release(frame: DataFrame) -> None:
    """Let the cluster forget a frame; nothing where its session has ended already."""
    if frame.sparkSession._jsc.sc().isStopped():  # noqa: SLF001 - Python has no other way to ask
        return
    frame.unpersist()


def from_arrow(spark: SparkSession, table: pa.Table) -> DataFrame:
    """A table of the driver as a frame of one partition."""
    # Spark makes a partition of every batch.
    with configured(spark, {"spark.sql.execution.arrow.maxRecordsPerBatch": str(max(1, table.num_rows))}):
        return spark.createDataFrame(table)


def matching(left: DataFrame, keys: DataFrame, method: JoinMethod) -> DataFrame:
    """The rows of the left side whose key the right side has."""
    return left.join(keys.hint(HINTS[method]), "key", "left_semi")


def beside(left: DataFrame, right: DataFrame, method: JoinMethod) -> DataFrame:
    """The columns of both sides where their keys are equal."""
    return left.join(right.hint(HINTS[method]), "key")


@contextmanager
def configured(spark: SparkSession, wanted: Mapping[str, str]) -> Iterator[None]:
    """Settings of Spark SQL for the time of a block; the session is as it was afterwards."""
    before = {name: spark.conf.get(name) for name in wanted}
    for name, value in wanted.items():
        spark.conf.set(name, value)
    try:
        yield
    finally:
        for name, old in before.items():
            spark.conf.set(name, str(old))


@contextmanager
def workers_with(spark: SparkSession, threads: int) -> Iterator[None]:
    """Python workers whose TensorFlow runs, or will run, with so many threads, for the time of a block.

    TensorFlow takes its threads once. Spark keeps workers apart by their environment, so that none is met again by a
    plan that was decided for other threads.
    """
    environment = spark.sparkContext.environment
    before = environment.get(THREADS)
    environment[THREADS] = str(threads)
    try:
        yield
    finally:
        del environment[THREADS]
        if before is not None:
            environment[THREADS] = before
