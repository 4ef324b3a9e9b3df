"""Functions over vectors that run in the workers: one vector a key, digests, rows to learn from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from vistaql.engines.inprocess.tensors import FeatureArray, digest_of
from vistaql.engines.spark.vectors import to_rows
from vistaql.logical.nodes import Reduction

if TYPE_CHECKING:
    Batches = Iterator[pa.RecordBatch]
    OverBatches = Callable[[Batches], Batches]

VECTORS = "key string, vector binary"
DIGESTS = "digest string, vectors bigint, unusable bigint"


def reduced(how: Reduction, width: int) -> OverBatches:
    """The vectors of a key as one. The rows of a partition come by key and number, and no key is in two partitions."""

    def run(batches: Batches) -> Batches:
        held: list[pa.RecordBatch] = []
        for batch in batches:
            held.append(batch)
            whole = pa.Table.from_batches(held)
            keys = whole["key"].to_pylist()
            # The last key of what has come may go on in the next batch.
            done = next((place for place in range(len(keys), 0, -1) if keys[place - 1] != keys[-1]), 0)
            if done:
                yield reduced_batch(whole.slice(0, done), how, width)
                held = whole.slice(done).to_batches()
        if held:
            yield reduced_batch(pa.Table.from_batches(held), how, width)

    return run


def reduced_batch(table: pa.Table, how: Reduction, width: int) -> pa.RecordBatch:
    """One vector for each key of a table that holds all of its images."""
    found = FeatureArray(table["key"].to_pylist(), to_rows(table["vector"], width)).reduced(how)
    return pa.record_batch({
        "key": pa.array(found.keys, pa.string()),
        "vector": pa.array([row.tobytes() for row in found.values], pa.binary()),
    })  # fmt: skip


def digests(width: int) -> OverBatches:
    """The digest of each batch, how many vectors it has, and how many of them are not finite.

    Digests of parts are summed, so it does not matter how the rows are cut.
    """

    def run(batches: Batches) -> Batches:
        for batch in batches:
            values = to_rows(batch.column("vector"), width)
            digest = digest_of(batch.column("key").to_pylist(), values)
            unusable = int((~np.isfinite(values).all(axis=1)).sum())
            yield pa.record_batch([[digest], [len(values)], [unusable]], names=["digest", "vectors", "unusable"])

    return run


def sum_of(parts: list[str]) -> str:
    """The digest of the whole from those of its parts.

    >>> sum_of(["f" * 32, "0" * 31 + "2"])
    '00000000000000000000000000000001'
    """
    return f"{sum(int(part, 16) for part in parts) % 2**128:032x}"


def lists(widths: tuple[int, ...]) -> OverBatches:
    """Vectors as lists of numbers, for files that others read. Columns f0, f1 .. stay in their places."""

    def run(batches: Batches) -> Batches:
        for batch in batches:
            columns = {"key": batch.column("key")}
            for place, width in enumerate(widths):
                rows = to_rows(batch.column(f"f{place}"), width)
                offsets = pa.array(np.arange(len(rows) + 1, dtype=np.int32) * width)
                columns[f"f{place}"] = pa.ListArray.from_arrays(offsets, pa.array(rows.reshape(-1)))
            yield pa.record_batch(columns)

    return run
