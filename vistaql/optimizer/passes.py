"""What each pass of a CNN would cost, asked of the operators that would run it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from vistaql.models.cnn import Cnn
from vistaql.optimizer.enumerate import resume_points
from vistaql.optimizer.grouping import Group
from vistaql.physical.engine import Storage
from vistaql.physical.inference import Output, Pass
from vistaql.physical.operators import Keep, Operator, ReadImages, RunPass
from vistaql.physical.sizes import Sizes

Carried = tuple[str, Storage] | None
"""the tensor that is kept between two passes, and where"""


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

    `price` gives the seconds of an operator. `base` are bytes held throughout.
    """

    cnn: Cnn
    outputs: tuple[Output, ...]
    readings: tuple[Reading, ...]
    reader: ReadImages
    sizes: Sizes
    price: Callable[[Operator], float]
    base: int
    _runs: dict[tuple[str | None, int], tuple[float, int]] = field(default_factory=dict)
    _keeps: dict[tuple[str, Storage], tuple[Keep, float, int]] = field(default_factory=dict)

    @cached_property
    def points(self) -> tuple[str, ...]:
        """Tensors that may be kept."""
        return resume_points(self.cnn, self.outputs)

    def group(self, start: int, end: int, carried: Carried, after: Carried) -> Group:
        """The outputs from `start` to `end` as one pass."""
        source = carried[0] if carried else None
        if after is None or after == carried:
            return Group(self.outputs[start:end], source)
        return Group(self.outputs[start:end], source, *after)

    def seconds_and_bytes(self, start: int, end: int, carried: Carried, after: Carried) -> tuple[float, int]:
        """What the pass takes with what it keeps, and what learning from its outputs holds meanwhile."""
        source = carried[0] if carried else None
        fresh = after if after != carried else None
        took, needs = self.run(start, end, source, fresh[0] if fresh else None)
        resumed = self.kept(*carried)[2] if carried else 0
        left = self.kept(*after)[2] if after else 0
        if fresh:
            took += self.kept(*fresh)[1]
        vectors = sum(item.vector for item in self.readings[start:end])
        both = resumed + (left if fresh else 0)
        files = 0 if carried else self.reader.size(self.sizes)
        most = self.readings[start].winners + vectors + both + files + needs
        for reading in self.readings[start:end]:
            # TensorFlow keeps what the pass took.
            most = max(most, reading.winners + vectors + left + reading.needs + needs)
            vectors -= reading.vector
        return took, self.base + most

    def run(self, start: int, end: int, source: str | None, keep: str | None) -> tuple[float, int]:
        """Seconds and memory of a pass alone: those of the layers it computes, so equal sets are asked about once.

        That a batch of the tensor to keep lives to the end of the pass is left out, unless the pass ends there.
        """
        masks = self.cnn.ancestor_masks
        mask = 0
        for output in self.outputs[start:end]:
            mask |= masks[output.layer]
        if keep and mask | masks[keep] == mask:
            keep = None
        mask |= masks[keep] if keep else 0
        if source:
            mask &= ~masks[source]
        found = self._runs.get((source, mask))
        if found is None:
            group = Group(self.outputs[start:end], source, keep)
            reads = self.kept(source, Storage.MEMORY)[0] if source else self.reader
            operator = RunPass(reads, group.inference(self.cnn), Storage.MEMORY)
            found = self._runs[source, mask] = self.price(operator), operator.memory(self.sizes)
        return found

    def kept(self, layer: str, storage: Storage) -> tuple[Keep, float, int]:
        """A kept tensor, the seconds it takes, and its bytes in memory."""
        found = self._keeps.get((layer, storage))
        if found is None:
            keep = Keep(RunPass(self.reader, Pass(self.cnn, None, (), (layer,)), storage), layer)
            found = self._keeps[layer, storage] = keep, self.price(keep), keep.size(self.sizes)
        return found
