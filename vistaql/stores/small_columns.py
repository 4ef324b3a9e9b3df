"""Columns of Arrow from a few values, without pandas.

`pyarrow.array` looks whether its values are pandas', and imports pandas to find out, which takes longer than all
of SHOW TABLES. Arrow's buffers need no such question.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa


def column(values: Sequence[object]) -> pa.Array:
    """Text, numbers or truths as Arrow: utf8, int64, float64 or bool; None is null, and only None is text.

    >>> column(["a", None, "bc"]).to_pylist(), str(column([1, 2.5]).type), column([True, None]).to_pylist()
    (['a', None, 'bc'], 'double', [True, None])
    """
    import pyarrow as pa

    known = [value for value in values if value is not None]
    buffers: list[pa.Buffer | None]
    if all(isinstance(value, bool) for value in known) and known:
        kind, buffers = pa.bool_(), [bits([bool(value) for value in values])]
    elif all(isinstance(value, int | float) for value in known) and known:
        whole = all(isinstance(value, int) for value in known)
        kind = pa.int64() if whole else pa.float64()
        numbers = np.array([0 if value is None else value for value in values], np.int64 if whole else np.float64)
        buffers = [pa.py_buffer(numbers.tobytes())]
    else:
        texts = [b"" if value is None else str(value).encode() for value in values]
        ends = np.cumsum([0, *map(len, texts)], dtype=np.int32)
        kind, buffers = pa.string(), [pa.py_buffer(ends.tobytes()), pa.py_buffer(b"".join(texts))]
    validity = bits([value is not None for value in values]) if len(known) < len(values) else None
    return pa.Array.from_buffers(kind, len(values), [validity, *buffers])


def bits(truths: Sequence[bool]) -> pa.Buffer:
    """One bit a value, the first one lowest."""
    import pyarrow as pa

    return pa.py_buffer(np.packbits(np.array(truths, dtype=bool), bitorder="little").tobytes())
