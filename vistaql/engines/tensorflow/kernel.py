"""The CNN kernel: Arrow batches of images in, Arrow batches of features out.

Both engines run this one function. Rows keep their order; images are decoded in background threads while the CNN runs,
never more than a few batches ahead. A row whose image cannot be decoded has a reason in `error` and null features.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from vistaql.aside import aside
from vistaql.engines.tensorflow.decode import Undecodable, decode, fetched
from vistaql.engines.tensorflow.graph import KEPT, freeze
from vistaql.physical.footprint import batches_ahead
from vistaql.physical.inference import tensor_column
from vistaql.stores.urls import is_url

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from vistaql.models.cnn import Cnn
    from vistaql.physical.inference import Pass

    Encoded = str | bytes | None | Future[bytes]
    Batch = np.ndarray[Any, np.dtype[np.uint8]] | np.ndarray[Any, np.dtype[np.float32]]


FETCHERS: Final = 8
"""Threads that wait for images behind URLs, apart from those that decode: they take no core."""


@dataclass(frozen=True)
class Rows:
    """At most a batch of rows on their way to the CNN; `reasons` are futures that end when an image is in `values`."""

    keys: list[str]
    values: Batch
    reasons: list[Future[str | None]] | list[str | None]

    def errors(self) -> list[str | None]:
        """Why each row has no features; waits for the images."""
        return [reason.result() if isinstance(reason, Future) else reason for reason in self.reasons]


def run_pass(
    pass_: Pass,
    batches: Iterable[pa.RecordBatch],
    *,
    decoders: int,
    ahead: Callable[[], int] | None = None,
) -> Generator[pa.RecordBatch, None, None]:
    """Run a pass over batches of any sizes, with columns `key` (string) and `image` (path or bytes of a file).

    A pass with a source takes `key` and the source's `tensor|LAYER` instead, and `error` where there is one.
    Gives, in batches of at most `Cnn.batch_rows` rows: `key`, `error` (null: fine), then a fixed-size list of float32
    for each output, named `Output.column`, and for each kept layer, named `tensor|LAYER`.
    `decoders` is the number of threads that decode. Closing the iterator ends them. `ahead` tells how many batches may
    be decoded or wait, and is asked again for each; by default `batches_ahead`.
    """
    many = batches_ahead(pass_)
    pool = ThreadPoolExecutor(max(1, decoders), thread_name_prefix="decode")
    fetchers = ThreadPoolExecutor(FETCHERS, thread_name_prefix="fetch")
    try:
        waiting = read_ahead(prepare(pass_, batches, pool, fetchers), ahead or (lambda: many))
        # The first images are decoded while the graph is built.
        first = tuple(islice(waiting, 1))
        graph = freeze(pass_) if pass_.alone in KEPT else aside(lambda: freeze(pass_))
        for rows in chain(first, waiting):
            errors = rows.errors()
            yield features(pass_, rows.keys, errors, aside(partial(graph, rows.values)))
    finally:
        # Each fetches or decodes at most one image more.
        fetchers.shutdown(wait=True, cancel_futures=True)
        pool.shutdown(wait=True, cancel_futures=True)


def schema(pass_: Pass) -> pa.Schema:
    """The columns that `run_pass` gives."""
    widths = [(item.column, item.pool.feature_width(pass_.cnn.by_name[item.layer].shape)) for item in pass_.outputs]
    widths += [(tensor_column(layer), pass_.cnn.by_name[layer].bytes // 4) for layer in pass_.keep]
    lists = [pa.field(name, pa.list_(pa.float32(), width)) for name, width in widths]
    return pa.schema([pa.field("key", pa.string()), pa.field("error", pa.string()), *lists])


def read_ahead(prepared: Iterator[Rows], ahead: Callable[[], int]) -> Iterator[Rows]:
    """Let a few batches be decoded while an earlier one is used."""
    waiting: deque[Rows] = deque()
    for rows in prepared:
        waiting.append(rows)
        while len(waiting) >= ahead():
            yield waiting.popleft()
    while waiting:
        yield waiting.popleft()


def prepare(
    pass_: Pass, batches: Iterable[pa.RecordBatch], pool: ThreadPoolExecutor, fetchers: ThreadPoolExecutor
) -> Iterator[Rows]:
    """Rows in the fixed batch shape, being decoded by the pool, or taken from kept tensors."""
    names = ("key", "image") if pass_.source is None else ("key", "error", tensor_column(pass_.source))
    for table in rechunk(batches, names, pass_.cnn.batch_rows):
        keys = table.column("key").to_pylist()
        if pass_.source is None:
            images = [fetching(image, fetchers) for image in table.column("image").to_pylist()]
            yield start_decoding(pass_.cnn, keys, images, pool)
        else:
            yield resume(pass_.cnn, pass_.source, keys, table)


def rechunk(batches: Iterable[pa.RecordBatch], names: tuple[str, ...], size: int) -> Iterator[pa.Table]:
    """The named columns in tables of exactly `size` rows, but for the last."""
    held: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        rest = batch.select([name for name in names if name in batch.schema.names])
        while count + rest.num_rows >= size:
            yield pa.Table.from_batches([*held, rest.slice(0, size - count)])
            rest = rest.slice(size - count)
            held, count = [], 0
        if rest.num_rows:
            held.append(rest)
            count += rest.num_rows
    if held:
        yield pa.Table.from_batches(held)


def fetching(image: str | bytes | None, fetchers: ThreadPoolExecutor) -> Encoded:
    """An image, or the promise of one that lies behind a URL."""
    return fetchers.submit(fetched, image) if isinstance(image, str) and is_url(image) else image


def start_decoding(cnn: Cnn, keys: list[str], images: list[Encoded], pool: ThreadPoolExecutor) -> Rows:
    """Hand each image to the pool. Rows that are missing or undecodable stay black."""
    pixels = np.zeros((cnn.batch_rows, *cnn.input_size, 3), np.uint8)
    reasons = [pool.submit(decode_into, row, image) for row, image in zip(pixels, images, strict=False)]
    return Rows(keys, pixels, reasons)


def decode_into(row: np.ndarray[Any, np.dtype[np.uint8]], image: Encoded) -> str | None:
    """Decode an image into its row of the batch; the reason, where that cannot be done."""
    if image is None:
        return "there is no image"
    try:
        encoded = image.result() if isinstance(image, Future) else image
        row[...] = decode(encoded, *row.shape[:2])
    except Undecodable as failure:
        return str(failure)
    return None


def resume(cnn: Cnn, source: str, keys: list[str], table: pa.Table) -> Rows:
    """Take kept tensors; a row without one keeps the reason that came with it."""
    column = table.column(tensor_column(source))
    shape = cnn.by_name[source].shape
    missing = column.is_null().to_pylist()
    came = table.column("error").to_pylist() if "error" in table.column_names else [None] * len(keys)
    reasons = [error or ("there is no tensor" if none else None) for error, none in zip(came, missing, strict=True)]
    if column.num_chunks == 1 and len(column) == cnn.batch_rows and not column.null_count:
        # A whole batch, as the pass before wrote it, is used where it lies.
        return Rows(keys, column.chunk(0).flatten().to_numpy().reshape(len(keys), *shape), reasons)
    values = np.zeros((cnn.batch_rows, *shape), np.float32)
    start = 0
    for chunk in column.chunks:
        flat = chunk.fill_null([0.0] * chunk.type.list_size) if chunk.null_count else chunk
        values[start : start + len(chunk)] = flat.flatten().to_numpy().reshape(len(chunk), *shape)
        start += len(chunk)
    return Rows(keys, values, reasons)


def features(
    pass_: Pass, keys: list[str], errors: list[str | None], arrays: tuple[np.ndarray[Any, np.dtype[np.float32]], ...]
) -> pa.RecordBatch:
    """The rows as an Arrow batch: padding dropped, null where there is an error."""
    wanted = schema(pass_)
    bad = pa.array([error is not None for error in errors])
    lists = [
        pa.FixedSizeListArray.from_arrays(
            pa.array(array[: len(keys)].reshape(-1)), field.type.list_size, mask=bad if any(errors) else None
        )
        for field, array in zip(list(wanted)[2:], arrays, strict=True)
    ]
    return pa.record_batch([pa.array(keys, pa.string()), pa.array(errors, pa.string()), *lists], schema=wanted)
