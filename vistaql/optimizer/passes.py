"""What each pass of a CNN would cost, asked of the operators that would run it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from vistaql.models.cnn import Cnn
from vistaql.optimizer.enumerate import STORAGES, Stored, resume_points, worth_keeping
from vistaql.optimizer.grouping import pass_of
from vistaql.physical.engine import Storage
from vistaql.physical.inference import Output, Pass
from vistaql.physical.operators import Keep, Operator, ReadImages, RunPass
from vistaql.physical.sizes import Sizes


@dataclass(frozen=True)
class Tensor:
    """A tensor that can be kept between two passes, and where.

    `written` are the seconds to write it, `read` those that reading takes beyond reading from memory, `bytes` lie in
    memory, `spilled` on disk.
    """

    layer: str
    storage: Storage
    written: float
    read: float
    bytes: int
    spilled: int


Way = tuple[int, float, int, int, int]
"""a pass by what it leaves: the number of the fresh tensor (0: none), seconds, bytes it needs, bytes left in memory and
on disk"""


@dataclass(frozen=True, eq=False)
class PassPrices:
    """Seconds and memory of the passes over one CNN, whatever lies in memory besides.

    `price` gives the seconds of an operator, `fetch` those of reading so many bytes from the store.
    """

    cnn: Cnn
    outputs: tuple[Output, ...]
    reader: ReadImages
    sizes: Sizes
    price: Callable[[Operator], float]
    fetch: Callable[[float], float]
    stored: frozenset[Stored] = frozenset()
    _ways: dict[tuple[int, int, str | None], tuple[Way, ...]] = field(default_factory=dict)
    _worth: dict[tuple[int, str | None], tuple[str, ...]] = field(default_factory=dict)
    _runs: dict[tuple[str | None, int], tuple[float, int]] = field(default_factory=dict)
    _masks: dict[tuple[int, int], int] = field(default_factory=dict)

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
        return all(item in self.stored for item in wanted)

    def ways(self, start: int, end: int, source: str | None) -> tuple[Way, ...]:
        """The pass for the outputs from `start` to `end`, with nothing left behind, then with each tensor worth it."""
        found = self._ways.get((start, end, source))
        if found is None:
            found = self._ways[start, end, source] = tuple(self.found_ways(start, end, source))
        return found

    def found_ways(self, start: int, end: int, source: str | None) -> Iterator[Way]:
        """The same, each asked of its operators."""
        yield (0, *self.run(start, end, source, None), 0, 0)
        if end == len(self.outputs):
            return
        if (end, source) not in self._worth:
            given, wanted = self.outputs[end - 1 : end + 1]
            self._worth[end, source] = worth_keeping(self.cnn, self.points, source, given, wanted)
        for point in self._worth[end, source]:
            took, needs = self.run(start, end, source, point)
            first = len(STORAGES) * self.points.index(point)
            for place in range(first, first + len(STORAGES)):
                tensor = self.tensors[place]
                yield place + 1, took + tensor.written, needs, tensor.bytes, tensor.spilled

    def from_store(self, start: int, end: int) -> float:
        """Seconds to read vectors that are stored."""
        widths = sum(item.pool.feature_width(self.cnn.by_name[item.layer].shape) for item in self.outputs[start:end])
        return self.fetch(4.0 * widths * self.reader.count(self.sizes))

    def resuming(self, layer: str) -> float:
        """Seconds to read a stored tensor."""
        return self.fetch(float(self.cnn.by_name[layer].bytes * self.reader.count(self.sizes)))

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
        held = keep.size(self.sizes)
        return Tensor(layer, storage, self.price(keep), longer, held, keep.bytes(self.sizes) - held)
