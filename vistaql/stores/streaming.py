"""Streams encoded images, a batch at a time; what is in memory does not depend on how many there are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from vistaql.errors import Code, VistaQLError
from vistaql.stores.image_set import ImageSet, KeyKind, ParquetBytesSource
from vistaql.stores.listing import key_function, list_images
from vistaql.stores.places import readable
from vistaql.stores.tables import checked_column, pattern_of, text_of

if TYPE_CHECKING:
    import pyarrow as pa


def stream_images(
    images: ImageSet, keys: pa.Array, rows: int, listing: pa.Table | None = None
) -> Iterator[pa.RecordBatch]:
    """Batches of at most `rows` images with columns key and image: a path, or the bytes of the file.

    Files come in the order of `keys`, and images with one key in the order of their paths; images inside
    Parquet files come in the order of the file. `listing` is what `list_images` gave, if it was called already.
    """
    if isinstance(images.source, ParquetBytesSource):
        return _from_parquet(images, images.source, keys, rows)
    return _from_files(list_images(images) if listing is None else listing, keys, rows)


def _from_files(listing: pa.Table, keys: pa.Array, rows: int) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    paths: dict[str, list[str]] = {}
    for key, path in zip(listing["key"].to_pylist(), listing["path"].to_pylist(), strict=True):
        paths.setdefault(key, []).append(path)
    wanted = [(key, path) for key in dict.fromkeys(keys.to_pylist()) for path in paths.get(key, ())]
    for start in range(0, len(wanted), rows):
        part = wanted[start : start + rows]
        yield pa.record_batch(
            {"key": pa.array([key for key, _ in part], pa.string()), "image": pa.array([path for _, path in part])}
        )


def _from_parquet(images: ImageSet, source: ParquetBytesSource, keys: pa.Array, rows: int) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa
    import pyarrow.compute as pc

    for batch in _batches(images, source, rows):
        chosen = batch.filter(pc.is_in(batch["key"], value_set=keys.cast(pa.string())))
        if chosen.num_rows:
            yield chosen


def _batches(images: ImageSet, source: ParquetBytesSource, rows: int) -> Iterator[pa.RecordBatch]:
    import pyarrow.parquet as pq

    for path in parquet_files(source):
        with _named(path), pq.ParquetFile(readable(path), pre_buffer=False) as file:
            batches = file.iter_batches(batch_size=rows, columns=_columns(images, source), use_threads=False)
            yield from (_encoded(images, source, batch) for batch in batches)


def read_row_group(
    images: ImageSet, source: ParquetBytesSource, path: str, place: int, rows: int = 64
) -> Iterator[pa.RecordBatch]:
    """The images of one row group of a file, in batches of key and image. Raises UNREADABLE_FILE."""
    import pyarrow.parquet as pq

    with _named(path), pq.ParquetFile(readable(path), pre_buffer=False) as file:
        columns = _columns(images, source)
        for batch in file.iter_batches(batch_size=rows, row_groups=[place], columns=columns, use_threads=False):
            yield _encoded(images, source, batch)


@contextmanager
def _named(path: str) -> Iterator[None]:
    """Name the file that cannot be read."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise VistaQLError(Code.UNREADABLE_FILE, f"'{path}' cannot be read: {error}.") from error


def _columns(images: ImageSet, source: ParquetBytesSource) -> list[str]:
    """The columns of a file that are read: the images, and what gives their keys."""
    if images.key.kind is KeyKind.COLUMN and images.key.argument:
        return [source.column, images.key.argument]
    return [source.column, source.path_column] if source.path_column else [source.column]


def _encoded(images: ImageSet, source: ParquetBytesSource, batch: pa.RecordBatch) -> pa.RecordBatch:
    """Keys and images of the rows of a file."""
    import pyarrow as pa

    encoded = batch[source.column]
    if source.nested:
        encoded = encoded.field("bytes")
    return pa.record_batch({"key": _keys(images, source, batch), "image": encoded.cast(pa.binary())})


def parquet_files(source: ParquetBytesSource) -> list[str]:
    """The files of the set, in the order of their names."""
    from vistaql.stores import duck

    pattern = pattern_of(source.table.source, source.table.format)
    with duck.connected(reads=(pattern,)) as connection, duck.reading(source.table.source):
        found = connection.execute("SELECT file FROM glob(?) ORDER BY file", [pattern]).fetchall()
    return [os.fspath(row[0]) for row in found]


def _keys(images: ImageSet, source: ParquetBytesSource, batch: pa.RecordBatch) -> pa.Array:
    import pyarrow as pa

    if images.key.kind is KeyKind.COLUMN and images.key.argument is not None:
        return _as_text(source, images.key.argument, batch[images.key.argument])
    paths = batch[source.column].field("path") if source.nested else batch[source.path_column]
    key_of = key_function(images.key)
    return pa.array([None if path is None else key_of(path) for path in paths.to_pylist()], pa.string())


def _as_text(source: ParquetBytesSource, name: str, values: pa.Array) -> pa.Array:
    """Keys as text by the same rule as in tables, so that both sides of a join agree."""
    import pyarrow as pa

    from vistaql.stores import duck

    if pa.types.is_string(values.type):
        return values
    with duck.connected() as connection:
        connection.register("keys", pa.table({name: values}))
        text = connection.sql(f"SELECT {text_of(checked_column(source.table, name))} AS key FROM keys").to_arrow_table()
    return text["key"].combine_chunks()
