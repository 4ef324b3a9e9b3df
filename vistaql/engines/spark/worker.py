"""What runs in Spark's Python workers: the kernel, and what is summed or assembled over its vectors.

A worker is a process that Spark uses for one task after the other. What it loads (TensorFlow, the frozen graphs of
the last passes) stays for later tasks and later statements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from vistaql.engines.spark.failures import blaming
from vistaql.engines.spark.vectors import to_bytes, to_lists
from vistaql.physical.inference import tensor_column

if TYPE_CHECKING:
    from vistaql.models.cnn import Cnn
    from vistaql.physical.inference import Pass

Batches = Iterator[pa.RecordBatch]
Names = tuple[str | None, ...]

MARK: Final = ":"
"""Stands between the number of an image and its key in the one name that the kernel hands through."""


def inference(pass_: Pass, threads: int, decoders: int, weights: Names) -> Callable[[Batches], Batches]:
    """A pass as a function of batches for `mapInArrow`.

    Takes `key`, `number` and `image` (path or bytes), or the bytes of the pass's source tensor in `tensor`.
    Gives `key`, `number`, `error`, and the bytes of each output (f0, f1 ..) and of each kept layer (t0, t1 ..).
    `weights` names the file that Spark has brought here for the CNN, or for each CNN of a union; None: its own path
    holds here as well.
    """

    def run(batches: Batches) -> Batches:
        return blaming(lambda part: run_here(pass_, threads, decoders, weights, part), batches)

    return run


def run_here(pass_: Pass, threads: int, decoders: int, weights: Names, batches: Batches) -> Batches:
    """Run a pass in this process, whose TensorFlow has its threads from the first call."""
    from vistaql.engines.tensorflow.kernel import run_pass
    from vistaql.engines.tensorflow.runtime import set_threads

    set_threads(threads, asked_for=False)
    local = replace(pass_, cnn=with_all_weights(pass_.cnn, weights)) if any(weights) else pass_
    for batch in run_pass(local, (named(batch, local) for batch in batches), decoders=decoders):
        yield packed(batch, local)


def with_all_weights(cnn: Cnn, names: Names) -> Cnn:
    """The CNN, or a union with each CNN of it, as it is built here."""
    if not cnn.parts:
        return with_weights(cnn, names[0])
    parts = (replace(part, cnn=with_weights(part.cnn, name)) for part, name in zip(cnn.parts, names, strict=True))
    return replace(cnn, parts=tuple(parts))


def with_weights(cnn: Cnn, name: str | None) -> Cnn:
    """The CNN with its weights read from the file that Spark has brought to this machine, if there is one."""
    if name is None:
        return cnn
    from pyspark import SparkFiles

    path = SparkFiles.get(name)
    builder = f"file:{path}" if cnn.builder == f"file:{cnn.weights.path}" else cnn.builder
    return replace(cnn, builder=builder, weights=replace(cnn.weights, path=path))


def named(batch: pa.RecordBatch, pass_: Pass) -> pa.RecordBatch:
    """The batch as the kernel takes it: number and key in one name, tensors as lists."""
    pairs = zip(batch.column("number").to_pylist(), batch.column("key").to_pylist(), strict=True)
    columns: dict[str, pa.Array] = {"key": pa.array([f"{number}{MARK}{key}" for number, key in pairs], pa.string())}
    if pass_.source is None:
        columns["image"] = batch.column("image")
    else:
        width = pass_.cnn.by_name[pass_.source].bytes // 4
        columns[tensor_column(pass_.source)] = to_lists(batch.column("tensor"), width)
    return pa.record_batch(columns)


def packed(batch: pa.RecordBatch, pass_: Pass) -> pa.RecordBatch:
    """The batch as Spark takes it: number and key apart again, vectors as bytes."""
    pairs = [name.split(MARK, 1) for name in batch.column("key").to_pylist()]
    columns = {
        "key": pa.array([key for _, key in pairs], pa.string()),
        "number": pa.array([int(number) for number, _ in pairs], pa.int64()),
        "error": batch.column("error"),
    }
    columns |= {f"f{place}": to_bytes(batch.column(item.column)) for place, item in enumerate(pass_.outputs)}
    columns |= {f"t{place}": to_bytes(batch.column(tensor_column(layer))) for place, layer in enumerate(pass_.keep)}
    return pa.record_batch(columns)


def pass_schema(pass_: Pass) -> str:
    """The columns of a pass as Spark names types."""
    vectors = [f"f{place} binary" for place in range(len(pass_.outputs))]
    tensors = [f"t{place} binary" for place in range(len(pass_.keep))]
    return ", ".join(["key string", "number bigint", "error string", *vectors, *tensors])
