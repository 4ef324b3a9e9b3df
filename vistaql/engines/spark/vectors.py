"""Float vectors as bytes, which is how they pass between Spark and its Python workers.

Spark copies a binary value as one block; a list of floats it would convert number by number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    Vectors = np.ndarray[Any, np.dtype[np.float32]]


def to_bytes(lists: pa.FixedSizeListArray) -> pa.BinaryArray:
    """Each list of float32 as its bytes, null where the list is; the numbers are not copied.

    >>> [value and value.hex() for value in to_bytes(pa.array([[1.0], None], pa.list_(pa.float32(), 1))).to_pylist()]
    ['0000803f', None]
    """
    width = lists.type.list_size * 4
    offsets = np.arange(len(lists) + 1, dtype=np.int32) * width + lists.offset * width
    numbers = lists.values.buffers()[1]
    valid = pa.py_buffer(np.packbits(lists.is_valid().to_numpy(zero_copy_only=False), bitorder="little"))
    return pa.Array.from_buffers(
        pa.binary(), len(lists), [valid if lists.null_count else None, pa.py_buffer(offsets), numbers]
    )


def to_rows(values: pa.Array | pa.ChunkedArray, width: int) -> Vectors:
    """Bytes of vectors as float32 [rows, width]; a copy. No value is null.

    >>> to_rows(pa.array([bytes.fromhex("0000803f" * 2)]), 2)
    array([[1., 1.]], dtype=float32)
    """
    rows = np.empty((len(values), width), np.float32)
    start = 0
    for chunk in values.chunks if isinstance(values, pa.ChunkedArray) else [values]:
        rows[start : start + len(chunk)] = chunk_rows(chunk, width)
        start += len(chunk)
    return rows


def chunk_rows(chunk: pa.Array, width: int) -> Vectors:
    """The vectors of one array, which lie one behind the other."""
    if not len(chunk):
        return np.empty((0, width), np.float32)
    _, offsets, numbers = chunk.buffers()
    wide = pa.types.is_large_binary(chunk.type)
    first = int(np.frombuffer(offsets, np.int64 if wide else np.int32)[chunk.offset])
    return np.frombuffer(numbers, np.float32, len(chunk) * width, offset=first).reshape(len(chunk), width)


def to_lists(chunk: pa.Array, width: int) -> pa.FixedSizeListArray:
    """Bytes of vectors as lists of float32. No value is null."""
    return pa.FixedSizeListArray.from_arrays(pa.array(chunk_rows(chunk, width).reshape(-1)), width)
