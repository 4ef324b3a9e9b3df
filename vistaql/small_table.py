"""A few rows that need neither Arrow nor pandas to be shown: loading those takes longer than all of SHOW TABLES.

`pyarrow.array` looks whether its values are pandas', and imports pandas to find out. Arrow's buffers need no such
question.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class SmallTable:
    """Columns of plain values by name, equally long; it answers what a screen asks of a table of Arrow.

    >>> small = SmallTable({"name": ["a", "b"], "rows": [1, None]})
    >>> small.num_rows, small.column_names, small.numbers
    (2, ['name', 'rows'], [False, True])
    """

    by_name: Mapping[str, Sequence[object]]

    @property
    def num_rows(self) -> int:
        """How many rows there are."""
        return len(next(iter(self.by_name.values()), ()))

    @property
    def column_names(self) -> list[str]:
        """The names, in order."""
        return list(self.by_name)

    @property
    def numbers(self) -> list[bool]:
        """Whether each column holds numbers."""
        return [numeric([value for value in values if value is not None]) for values in self.by_name.values()]

    def lists(self, limit: int) -> list[list[object]]:
        """The first values of each column."""
        return [list(values[:limit]) for values in self.by_name.values()]

    def to_arrow(self) -> pa.Table:
        """The same as a table of Arrow."""
        import pyarrow as pa

        return pa.table({name: column(values) for name, values in self.by_name.items()})


def numeric(known: Sequence[object]) -> bool:
    """Whether there are values, and all are numbers."""
    return bool(known) and all(isinstance(value, int | float) and not isinstance(value, bool) for value in known)


def column(values: Sequence[object]) -> pa.Array:
    """Text, numbers or truths as Arrow: utf8, int64, float64 or bool; None is null, and only None is text.

    >>> column(["a", None, "bc"]).to_pylist(), str(column([1, 2.5]).type), column([True, None]).to_pylist()
    (['a', None, 'bc'], 'double', [True, None])
    """
    import numpy as np
    import pyarrow as pa

    known = [value for value in values if value is not None]
    buffers: list[pa.Buffer | None]
    if all(isinstance(value, bool) for value in known) and known:
        kind, buffers = pa.bool_(), [bits([bool(value) for value in values])]
    elif numeric(known):
        whole = all(isinstance(value, int) for value in known)
        kind = pa.int64() if whole else pa.float64()
        numbers = np.array([0 if value is None else value for value in values], dtype=np.int64 if whole else np.float64)
        buffers = [pa.py_buffer(numbers.tobytes())]
    else:
        texts = [b"" if value is None else str(value).encode() for value in values]
        ends = np.cumsum([0, *map(len, texts)], dtype=np.int32)
        kind, buffers = pa.string(), [pa.py_buffer(ends.tobytes()), pa.py_buffer(b"".join(texts))]
    validity = bits([value is not None for value in values]) if len(known) < len(values) else None
    return pa.Array.from_buffers(kind, len(values), [validity, *buffers])


def bits(truths: Sequence[bool]) -> pa.Buffer:
    """One bit a value, the first one lowest."""
    import numpy as np
    import pyarrow as pa

    return pa.py_buffer(np.packbits(np.array(truths, dtype=bool), bitorder="little").tobytes())
