"""Writes features to one Parquet file, a batch at a time, so that an export of any size takes little memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from vistaql.engines.inprocess.tensors import FeatureArray, SpooledFeatures
from vistaql.errors import Code, VistaQLError

if TYPE_CHECKING:
    import pyarrow as pa


def write_features(
    keys: frozenset[str], features: tuple[FeatureArray | SpooledFeatures, ...], names: tuple[str, ...], path: str
) -> int:
    """Write `key` and one list of float32 for each name; the number of rows.

    The file appears under its name when it is whole.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    unfinished = Path(f"{path}.{os.getpid()}.part")
    written = 0
    writer: pq.ParquetWriter | None = None
    try:
        for batch in side_by_side([wanted(item.batches(), keys) for item in features], names):
            writer = writer or pq.ParquetWriter(unfinished, batch.schema)
            writer.write_batch(batch)
            written += batch.num_rows
        if writer is None:
            raise VistaQLError(Code.NO_ROWS, "There is nothing to export: no usable image has a row.")
        writer.close()
        unfinished.replace(path)
    except (OSError, pa.ArrowException) as error:
        raise VistaQLError(
            Code.NOT_WRITABLE, f"'{path}' cannot be written: {error}.", hint="Name a file in another folder."
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)
    return written


def wanted(batches: Iterator[pa.RecordBatch], keys: frozenset[str]) -> Iterator[pa.RecordBatch]:
    """Only the rows whose key is wanted."""
    import pyarrow as pa
    import pyarrow.compute as pc

    allowed = pa.array(sorted(keys), pa.string())
    for batch in batches:
        chosen = batch.filter(pc.is_in(batch.column("key"), value_set=allowed))
        if chosen.num_rows:
            yield chosen


def side_by_side(streams: list[Iterator[pa.RecordBatch]], names: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
    """Batches of several streams with the same keys in the same order, cut to equal lengths and put together."""
    import pyarrow as pa

    heads: list[pa.RecordBatch | None] = [None] * len(streams)
    while True:
        heads = [
            head if head is not None and head.num_rows else next(rest, None)
            for head, rest in zip(heads, streams, strict=True)
        ]
        if any(head is None for head in heads):
            return
        found = [head for head in heads if head is not None]
        length = min(head.num_rows for head in found)
        parts = [head.slice(0, length) for head in found]
        columns = {"key": parts[0].column("key")}
        columns |= {name: part.column("features") for name, part in zip(names, parts, strict=True)}
        yield pa.record_batch(columns)
        heads = [head.slice(length) for head in found]
