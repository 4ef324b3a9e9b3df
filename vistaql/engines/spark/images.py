"""The images of a set as a frame of key, number and image: paths that workers open, or bytes that Spark has read.

`number` is the place of an image in the order of its set, in which the images of a key are taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pyarrow as pa

from vistaql.engines.spark.frames import from_arrow
from vistaql.stores.image_set import ImageSet, ParquetBytesSource
from vistaql.stores.places import readable

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    Batches = Iterator[pa.RecordBatch]

BYTES = "key string, number bigint, image binary"


def image_frame(spark: SparkSession, images: ImageSet, listing: pa.Table) -> DataFrame:
    """Every image of the set. Those inside Parquet files are read by the workers, a row group at a time."""
    if isinstance(images.source, ParquetBytesSource):
        groups = row_groups(images.source)
        frame = from_arrow(spark, groups).repartition(max(1, groups.num_rows))
        return frame.mapInArrow(inside_parquet(images, images.source), BYTES)
    numbers = pa.array(range(listing.num_rows), pa.int64())
    return from_arrow(spark, pa.table({"key": listing["key"], "number": numbers, "image": listing["path"]}))


def row_groups(source: ParquetBytesSource) -> pa.Table:
    """The row groups of the files: file, place in the file, and the number of the first row."""
    import pyarrow.parquet as pq

    from vistaql.stores.streaming import parquet_files

    files, places, firsts = [], [], []
    first = 0
    for path in parquet_files(source):
        with pq.ParquetFile(readable(path)) as file:
            for place in range(file.num_row_groups):
                files.append(path)
                places.append(place)
                firsts.append(first)
                first += file.metadata.row_group(place).num_rows
    return pa.table({"file": files, "place": places, "first": firsts})


def inside_parquet(images: ImageSet, source: ParquetBytesSource) -> Callable[[Batches], Batches]:
    """Read the images of row groups, with the keys that they have in every engine."""

    def run(batches: Batches) -> Batches:
        from vistaql.stores.streaming import read_row_group

        for batch in batches:
            for group in batch.to_pylist():
                number = group["first"]
                for part in read_row_group(images, source, group["file"], group["place"]):
                    numbers = pa.array(range(number, number + part.num_rows), pa.int64())
                    number += part.num_rows
                    yield pa.record_batch({"key": part["key"], "number": numbers, "image": part["image"]})

    return run
