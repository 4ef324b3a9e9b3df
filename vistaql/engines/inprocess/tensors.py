"""What passes leave behind: features in memory, kept tensors in memory or in an Arrow file."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vistaql.engines.inprocess.vectors import DiskVectors
from vistaql.learners.shapes import rows_at_a_time
from vistaql.logical.nodes import Reduction
from vistaql.physical.engine import Extent, Storage

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa


@dataclass
class Batches:
    """Record batches written once and read any number of times, in memory or on disk."""

    storage: Storage
    folder: str
    held: list[pa.RecordBatch] = field(default_factory=list)
    path: str | None = None
    rows: int = 0
    bytes: int = 0
    closed: bool = False
    _writer: pa.ipc.RecordBatchFileWriter | None = None

    def write(self, batch: pa.RecordBatch) -> None:
        """Add a batch."""
        import pyarrow as pa

        self.rows += batch.num_rows
        self.bytes += batch.nbytes
        if self.storage is Storage.MEMORY:
            self.held.append(batch)
            return
        if self._writer is None:
            handle, self.path = tempfile.mkstemp(suffix=".arrow", dir=self.folder)
            os.close(handle)
            self._writer = pa.ipc.new_file(self.path, batch.schema)
        self._writer.write_batch(batch)

    def spill(self, folder: str) -> int:  # noqa: ARG002 - it knows its own
        """Go on on disk; how many bytes of memory that frees. What was written last can still be read."""
        held, self.held = self.held, []
        finished, self.storage = self.closed, Storage.DISK
        rows, count = self.rows, self.bytes
        freed = int(sum(batch.nbytes for batch in held))
        for batch in held:
            self.write(batch)
        self.rows, self.bytes = rows, count
        if finished:
            self.close()
        return freed

    def close(self) -> None:
        """Nothing more is written."""
        self.closed = True
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        if self.path is None:
            yield from self.held
            return
        # Not memory-mapped: mapped pages would count as memory of this process.
        with pa.OSFile(self.path) as source, pa.ipc.open_file(source) as reader:
            for place in range(reader.num_record_batches):
                yield reader.get_batch(place)

    def drop(self) -> None:
        """Free the memory or the file."""
        self.close()
        self.held.clear()
        if self.path is not None:
            Path(self.path).unlink()
            self.path = None


@dataclass(eq=False)
class FeatureArray:
    """One float32 vector for each usable image or key: `keys` and the rows of `values` correspond."""

    keys: list[str]
    values: npt.NDArray[np.float32] | DiskVectors
    _named: tuple[list[str], str] | None = None
    """the digest that was asked for last, and the keys for which it was"""

    def digest(self, keys: list[str], ordered: Iterable[npt.NDArray[np.float32]]) -> str:
        """`digest_of` these vectors in the order of some keys; learners of one matrix ask for the same."""
        if self._named is None or self._named[0] is not keys:
            self._named = keys, digest_of(keys, ordered)
        return self._named[1]

    def spill(self, folder: str) -> int:
        """Move the vectors to disk; how many bytes of memory that frees."""
        if isinstance(self.values, DiskVectors):
            return 0
        held, spilled = self.values, DiskVectors(self.width, folder)
        spilled.append(held)
        self.values = spilled
        return held.nbytes

    @property
    def width(self) -> int:
        """Numbers a key."""
        return int(self.values.shape[1])

    @property
    def shape(self) -> tuple[int, ...]:
        """Keys, and numbers a key."""
        return self.values.shape

    def __getitem__(self, place: Any) -> Any:
        """As of the values, wherever they lie by now: whoever reads through this holds no array that has to go."""
        return self.values[place]

    def __iter__(self) -> Iterator[npt.NDArray[np.float32]]:
        step = rows_at_a_time(self.width)
        for start in range(0, len(self.keys), step):
            yield from self[start : start + step]

    @property
    def extent(self) -> Extent:
        """Keys, and the bytes of their vectors."""
        return Extent(len(self.keys), self.values.nbytes)

    def reduced(self, how: Reduction) -> FeatureArray:
        """One vector for each key: the mean, the largest of each number, or the first of its images.

        Images of a key are taken in the order in which they were read, which no plan changes; the mean is
        summed in float64, so that its rounding does not depend on the count.
        """
        import numpy as np

        places: dict[str, list[int]] = {}
        for place, key in enumerate(self.keys):
            places.setdefault(key, []).append(place)
        values = np.empty((len(places), self.width), np.float32)
        for row, own in enumerate(places.values()):
            match how:
                case Reduction.MEAN:
                    values[row] = self.values[own].astype(np.float64).mean(axis=0)
                case Reduction.MAX:
                    values[row] = self.values[own].max(axis=0)
                case Reduction.FIRST:
                    values[row] = self.values[own[0]]
        return FeatureArray(list(places), values)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The vectors as record batches of key and features."""
        import pyarrow as pa

        step = rows_at_a_time(self.width)
        for start in range(0, len(self.keys), step):
            part = self.values[start : start + step]
            lists = pa.FixedSizeListArray.from_arrays(pa.array(part.reshape(-1)), self.width)
            yield pa.record_batch({"key": pa.array(self.keys[start : start + step], pa.string()), "features": lists})


@dataclass(frozen=True)
class SpooledFeatures:
    """Vectors that went to disk batch by batch, for an export of any size."""

    spool: Batches

    @property
    def extent(self) -> Extent:
        """Images, and the bytes of their vectors."""
        return Extent(self.spool.rows, self.spool.bytes)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Columns key and features."""
        return iter(self.spool)


@dataclass
class ArrayCollector:
    """Collects the vectors of one output, in memory, or where there is a file of them, on disk."""

    column: str
    width: int
    keys: list[str] = field(default_factory=list)
    parts: list[pa.Array] = field(default_factory=list)
    file: DiskVectors | None = None

    def add(self, batch: pa.RecordBatch) -> None:
        """Take the column out of a batch."""
        self.keys += batch.column("key").to_pylist()
        self.parts.append(batch.column(self.column))
        if self.file is not None:
            self.write(self.file)

    def write(self, file: DiskVectors) -> None:
        """Move the parts that are in memory behind those of the file."""
        for part in self.parts:
            file.append(part.flatten().to_numpy().reshape(-1, self.width))
        self.parts.clear()

    def spill(self, folder: str) -> int:
        """Go on on disk; how many bytes of memory that frees."""
        freed = int(sum(part.nbytes for part in self.parts))
        self.file = self.file or DiskVectors(self.width, folder)
        self.write(self.file)
        return freed

    def collected(self) -> FeatureArray:
        """All vectors as one array; each part is forgotten as soon as it is copied."""
        import numpy as np

        if self.file is not None:
            return FeatureArray(self.keys, self.file)
        values = np.empty((len(self.keys), self.width), np.float32)
        place = 0
        self.parts.reverse()
        while self.parts:
            rows = self.parts.pop().flatten().to_numpy().reshape(-1, self.width)
            values[place : place + len(rows)] = rows
            place += len(rows)
        return FeatureArray(self.keys, values)

    def drop(self) -> None:
        """Forget everything."""
        self.parts.clear()
        self.file = None


@dataclass
class SpoolCollector:
    """Writes the vectors of one output to disk."""

    column: str
    spool: Batches

    def add(self, batch: pa.RecordBatch) -> None:
        """Write the column of a batch."""
        self.spool.write(batch.select(["key", self.column]).rename_columns(["key", "features"]))

    def collected(self) -> SpooledFeatures:
        """All vectors, on disk."""
        self.spool.close()
        return SpooledFeatures(self.spool)

    def spill(self, folder: str) -> int:  # noqa: ARG002 - it is on disk
        """Nothing is in memory."""
        return 0

    def drop(self) -> None:
        """Remove the file."""
        self.spool.drop()


def digest_of(keys: list[str], values: Iterable[npt.NDArray[np.float32]]) -> str:
    """A name for features that does not depend on the order of rows: the sum of the hashes of (key, bytes)."""
    total = 0
    for key, row in zip(keys, values, strict=True):
        name = key.encode()
        state = hashlib.blake2b(len(name).to_bytes(8, "little") + name, digest_size=16)
        state.update(row.tobytes())
        total += int.from_bytes(state.digest(), "little")
    return f"{total % 2**128:032x}"
