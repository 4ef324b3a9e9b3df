"""What each pass of a CNN would cost, asked of the operators that would run it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from vistaql.models.cnn import Cnn
from vistaql.optimizer.enumerate import STORAGES, Stored, resume_points, worth_keeping
from vistaql.optimizer.grouping import pass_of
from vistaql.optimizer.memory import retained
from vistaql.physical.engine import Storage
from vistaql.physical.inference import Output, Pass
from vistaql.physical.operators import Keep, Operator, ReadImages, RunPass
from vistaql.physical.sizes import Sizes


@dataclass(frozen=True)
class Tensor:
    """A tensor that can be kept between two passes, and where.

    `written` are the seconds to write it, `read` those that reading takes beyond reading from memory, `bytes` lie in
    memory.
    """

    layer: str
    storage: Storage
    written: float
    read: float
    bytes: int


@dataclass(frozen=True)
class Reading:
    """What learning from one output holds, whatever the passes are.

    `vector` are the bytes of the output, `winners` those of the best layers before it, `needs` what fits on it take.
    """

    vector: int = 0
    winners: int = 0
    needs: int = 0


@dataclass(frozen=True, eq=False)
class PassCosts:
    """Seconds and memory of the passes over one CNN.

    `price` gives the seconds of an operator, `fetch` those of reading so many bytes from the store. `base` are bytes
    held throughout.
    """

    cnn: Cnn
    outputs: tuple[Output, ...]
    readings: tuple[Reading, ...]
    reader: ReadImages
    sizes: Sizes
    price: Callable[[Operator], float]
    fetch: Callable[[float], float]
    base: int
    stored: frozenset[Stored] = frozenset()
    _runs: dict[tuple[str | None, int], tuple[float, int]] = field(default_factory=dict)
    _fresh: dict[tuple[int, str | None], tuple[int, ...]] = field(default_factory=dict)
    _masks: dict[tuple[int, int], int] = field(default_factory=dict)
    _spans: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)

    @cached_property
    def points(self) -> tuple[str, ...]:
        """Tensors that may be kept."""
        return resume_points(self.cnn, self.outputs)

    @cached_property
    def starts(self) -> tuple[str, ...]:
        """Tensors of the store from which a pass could resume."""
        return tuple(
            cut
            for cut in self.cnn.cut_points[1:]
            if cut not in self.cnn.fused and Stored(self.cnn.digest, cut, None) in self.stored
        )

    def answered(self, start: int, end: int) -> bool:
        """Whether the store has the vectors of all outputs from `start` to `end`."""
        wanted = (Stored(self.cnn.digest, item.layer, item.pool) for item in self.outputs[start:end])
        return bool(self.stored) and all(item in self.stored for item in wanted)

    def from_pass(
        self, start: int, end: int, source: str | None, carried: Tensor | None, after: Tensor | None
    ) -> tuple[float, int]:
        """What the pass takes with what it keeps, and what learning from its outputs holds meanwhile.

        `carried` is the tensor that lies there before it, `after` that which is left behind.
        """
        fresh = after if after is not carried else None
        took, needs = self.run(start, end, source, fresh.layer if fresh else None)
        resumed = left = 0
        if carried:
            took += carried.read
            resumed = carried.bytes
            left = resumed if after else 0
        if fresh:
            took += fresh.written
            left = fresh.bytes
        vectors, learning = self.span(start, end)
        both = resumed + (left if fresh else 0)
        running = self.readings[start].winners + vectors + both
        # TensorFlow keeps what the pass took, or most of it.
        return took, self.base + max(needs + running, int(self.retained * needs) + learning + left)

    def from_store(self, start: int, end: int, carried: Tensor | None) -> tuple[float, int]:
        """What reading vectors takes that are stored."""
        vectors, learning = self.span(start, end)
        held = carried.bytes if carried else 0
        widths = sum(item.pool.feature_width(self.cnn.by_name[item.layer].shape) for item in self.outputs[start:end])
        read = self.fetch(4.0 * widths * self.reader.count(self.sizes))
        return read, self.base + held + max(self.readings[start].winners + vectors, learning)

    def resuming(self, layer: str) -> float:
        """Seconds to read a stored tensor."""
        return self.fetch(float(self.cnn.by_name[layer].bytes * self.reader.count(self.sizes)))

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Bytes of the outputs from `start` to `end`, and the most that learning from them one by one holds."""
        found = self._spans.get((start, end))
        if found is None:
            vectors = sum(item.vector for item in self.readings[start:end])
            left, most = vectors, 0
            for reading in self.readings[start:end]:
                most = max(most, reading.winners + left + reading.needs)
                left -= reading.vector
            found = self._spans[start, end] = vectors, most
        return found

    def run(self, start: int, end: int, source: str | None, keep: str | None) -> tuple[float, int]:
        """Seconds and memory of a pass alone: those of the layers it computes, so equal sets are asked about once.

        That a batch of the tensor to keep lives to the end of the pass is left out, unless the pass ends there.
        """
        masks = self.cnn.ancestor_masks
        mask = self.mask(start, end)
        if keep:
            deeper = mask | masks[keep]
            keep, mask = (None if deeper == mask else keep), deeper
        if source:
            mask &= ~masks[source]
        found = self._runs.get((source, mask))
        if found is None:
            inference = pass_of(self.cnn, source, self.outputs[start:end], (keep,) if keep else ())
            reads = self.keep(source, Storage.MEMORY) if source else self.reader
            operator = RunPass(reads, inference, Storage.MEMORY)
            found = self._runs[source, mask] = self.price(operator), operator.memory(self.sizes)
        return found

    def mask(self, start: int, end: int) -> int:
        """The layers needed for the outputs from `start` to `end`, as bits by their places."""
        found = self._masks.get((start, end))
        if found is None:
            found = 0
            for output in self.outputs[start:end]:
                found |= self.cnn.ancestor_masks[output.layer]
            self._masks[start, end] = found
        return found

    def keep(self, layer: str, storage: Storage) -> Keep:
        """A kept tensor."""
        return Keep(RunPass(self.reader, pass_of(self.cnn, None, (), (layer,)), storage), layer)

    @cached_property
    def tensors(self) -> tuple[Tensor, ...]:
        """Every point in every storage, storage by storage of the first point, then of the second."""
        return tuple(self.tensor(layer, storage) for layer in self.points for storage in STORAGES)

    def tensor(self, layer: str, storage: Storage) -> Tensor:
        """A kept tensor with what its operators say of it."""
        keep = self.keep(layer, storage)
        longer = 0.0
        if storage is not Storage.MEMORY:
            inference = Pass(self.cnn, layer, self.outputs[-1:])
            far, near = (RunPass(self.keep(layer, place), inference, Storage.MEMORY) for place in STORAGES[::-1])
            longer = self.price(far) - self.price(near)
        return Tensor(layer, storage, self.price(keep), longer, keep.size(self.sizes))

    @cached_property
    def retained(self) -> float:
        """The share of a pass's memory that TensorFlow has afterwards."""
        return retained(self.sizes)

    def keeps(self, end: int, source: str | None, number: int) -> tuple[int, ...]:
        """Numbers of what can be left for the outputs from `end` on: nothing (0), what lies there, a fresh tensor."""
        found = self._fresh.get((end, source))
        if found is None:
            points = worth_keeping(self.cnn, self.points, source, self.outputs[end - 1], self.outputs[end])
            places = [len(STORAGES) * self.points.index(point) for point in points]
            found = tuple(1 + place + storage for place in places for storage in range(len(STORAGES)))
            self._fresh[end, source] = found
        return (0, number, *found) if number else (0, *found)
