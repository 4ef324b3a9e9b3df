"""Vectors of a layer that lie on disk, read as an array is, in pieces that are small beside them."""

from __future__ import annotations

import os
import tempfile
import threading
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from vistaql.learners.shapes import rows_at_a_time
from vistaql.physical.sizes import STRIPE_BYTES

if TYPE_CHECKING:
    import numpy.typing as npt

    from vistaql.learners.matrix import Vectors

FLOAT32 = 4


@dataclass(eq=False)
class DiskVectors:
    """float32 [rows, width] in a file without a name, which is gone when nobody reads it any more.

    Threads may read at once. Slices of columns come out of a stripe of all rows, so that a walk over the columns reads
    the file once; each thread has its own.
    """

    width: int
    folder: str
    rows: int = 0
    _file: IO[bytes] = field(init=False)
    _stripes: threading.local = field(default_factory=threading.local)

    def __post_init__(self) -> None:
        self._file = tempfile.TemporaryFile(dir=self.folder)  # noqa: SIM115 - closed when nobody reads it any more
        weakref.finalize(self, self._file.close)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and numbers a row."""
        return self.rows, self.width

    @property
    def nbytes(self) -> int:
        """Bytes on disk."""
        return FLOAT32 * self.rows * self.width

    def append(self, values: npt.NDArray[np.float32]) -> None:
        """Write rows behind the others."""
        self._file.write(np.ascontiguousarray(values).data)
        self._file.flush()
        self.rows += len(values)

    def __iter__(self) -> Iterator[npt.NDArray[np.float32]]:
        step = rows_at_a_time(self.width)
        for start in range(0, self.rows, step):
            yield from self[start : start + step]

    def __getitem__(self, place: Any) -> npt.NDArray[np.float32]:
        """A row, rows by a slice or by their numbers, or with a tuple a slice of columns of some rows."""
        if isinstance(place, tuple):
            rows, columns = place
            first, end, _ = columns.indices(self.width)
            chosen: npt.NDArray[np.float32] = self._columns(first, end)[rows]
            return chosen
        if isinstance(place, slice):
            start, stop, _ = place.indices(self.rows)
            return self._read(start, max(0, stop - start))
        if isinstance(place, int):
            return self._read(place, 1).reshape(-1)
        values = np.empty((len(place), self.width), np.float32)
        for row, number in zip(values, place, strict=True):
            read_fully(self._file.fileno(), row, int(number) * self.width * FLOAT32)
        return values

    def _read(self, start: int, count: int) -> npt.NDArray[np.float32]:
        values = np.empty((count, self.width), np.float32)
        read_fully(self._file.fileno(), values.reshape(-1), start * self.width * FLOAT32)
        return values

    def _columns(self, first: int, end: int) -> npt.NDArray[np.float32]:
        """Some columns of all rows, as a part of the stripe that holds them."""
        begin, stripe = getattr(self._stripes, "now", (0, np.empty((0, 0), np.float32)))
        if not begin <= first <= end <= begin + stripe.shape[1]:
            wide = max(end - first, STRIPE_BYTES // (FLOAT32 * max(1, self.rows)))
            begin, stripe = first, np.empty((self.rows, min(wide, self.width - first)), np.float32)
            for row, values in enumerate(stripe):
                read_fully(self._file.fileno(), values, (row * self.width + first) * FLOAT32)
            self._stripes.now = begin, stripe
        part: npt.NDArray[np.float32] = stripe[:, first - begin : end - begin]
        return part


def read_fully(descriptor: int, into: npt.NDArray[np.float32], offset: int) -> None:
    """Fill an array from a file; a call reads less than 2 GiB at a time."""
    view = into.data.cast("B")
    while view:
        count = os.preadv(descriptor, [view], offset)
        if count == 0:
            message = "a file of vectors is shorter than it was"
            raise OSError(message)
        view, offset = view[count:], offset + count


@dataclass(frozen=True, eq=False)
class Selection:
    """Some rows of vectors in another order, read from where they lie."""

    source: Vectors
    places: npt.NDArray[np.int64]

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and numbers a row."""
        return len(self.places), self.source.shape[1]

    def __iter__(self) -> Iterator[npt.NDArray[np.float32]]:
        step = rows_at_a_time(self.shape[1])
        for start in range(0, len(self.places), step):
            yield from self[start : start + step]

    def __getitem__(self, place: Any) -> Any:
        """As of the vectors themselves."""
        if isinstance(place, tuple):
            rows, columns = place
            return self.source[self.places[rows], columns]
        return self.source[self.places[place]]
