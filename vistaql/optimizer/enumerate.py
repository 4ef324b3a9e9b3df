"""The space of plans: which tensors may be kept, and every grouping of wanted layers into passes.

**Contiguous groups suffice.** Take any plan, its passes in the order of the deepest layer they compute. If a pass
resumes behind the end of another one, the pass that kept its tensor goes deeper than both and computes all that it
computes: its layers move there and it falls away. Otherwise give every wanted layer to the first pass that goes deep
enough: that one computes the layer anyway, or starts before it. No pass computes or keeps more than before, and the
groups are contiguous in network order. What is given up is memory in one case: two narrow layers in one pass, and a
wide one between them in another, hold less at once than contiguous groups of as many passes.

**One kept tensor at a time suffices.** Of two tensors that a pass could resume from, let the shallower be the cheaper
one. Then it was so for the pass before, which need not have had the deeper one kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vistaql.models.cnn import Cnn
from vistaql.models.pool import Pool
from vistaql.optimizer.grouping import Group, Grouping
from vistaql.physical.engine import Storage
from vistaql.physical.footprint import live_before
from vistaql.physical.inference import Output

STORAGES = (Storage.MEMORY, Storage.DISK)


@dataclass(frozen=True)
class Stored:
    """Something an earlier query left behind for all images: a layer's vectors, or (`pool` None) its whole tensor."""

    cnn_digest: str
    layer: str
    pool: Pool | None


def resume_points(cnn: Cnn, outputs: tuple[Output, ...]) -> tuple[str, ...]:
    """Cut points worth keeping, in network order: wanted or not, before the last wanted layer.

    Between two wanted layers, a point that comes later and is no larger saves as much and takes no more room; only
    those are left that no such one follows.

    >>> from vistaql.models import roster
    >>> from vistaql.models.pool import GAP
    >>> resume_points(roster.load("strokes"), (Output("conv2", GAP), Output("conv4", GAP)))
    ('pool1', 'pool3')
    """
    wanted = [cnn.position[output.layer] for output in outputs]
    points: list[str] = []
    smallest: dict[int, int] = {}
    for cut in reversed(cnn.cut_points[1:]):
        place, size = cnn.position[cut], cnn.by_name[cut].bytes
        gap = sum(other <= place for other in wanted)
        if cut not in cnn.fused and place < wanted[-1] and size < smallest.get(gap, size + 1):
            points.append(cut)
            smallest[gap] = size
    return tuple(reversed(points))


def every_grouping(cnn: Cnn, outputs: tuple[Output, ...]) -> Iterator[Grouping]:
    """All contiguous groupings, with all resume points and storages. Their number grows exponentially."""
    points = resume_points(cnn, outputs)
    for groups in extended(cnn, outputs, points, None):
        yield Grouping(cnn, groups)


def extended(
    cnn: Cnn, outputs: tuple[Output, ...], points: tuple[str, ...], carried: str | None
) -> Iterator[tuple[Group, ...]]:
    """Every way to compute the outputs, the first group starting from the carried tensor (None: pixels)."""
    yield (Group(outputs, carried),)
    for end in range(1, len(outputs)):
        rest = outputs[end:]
        for keep in next_keeps(cnn, points, carried, rest[0]):
            for storage in STORAGES if keep else (Storage.MEMORY,):
                first = Group(outputs[:end], carried, keep, storage)
                for others in extended(cnn, rest, points, keep):
                    yield (first, *others)
        # The tensor it started from serves the next group as well.
        if carried is not None:
            for others in extended(cnn, rest, points, carried):
                yield (Group(outputs[:end], carried), *others)


def next_keeps(cnn: Cnn, points: tuple[str, ...], source: str | None, wanted: Output) -> tuple[str | None, ...]:
    """What a pass from `source` may keep for one that starts with a wanted layer: nothing, or a point between them."""
    after = -1 if source is None else cnn.position[source]
    return (None, *(point for point in points if after < cnn.position[point] <= cnn.position[wanted.layer]))


def worth_keeping(
    cnn: Cnn, points: tuple[str, ...], source: str | None, given: Output, wanted: Output
) -> tuple[str, ...]:
    """Of the points that a pass from `source` up to `given` may keep for `wanted`, those that no other one beats.

    A point that the pass goes through anyway is beaten by one behind it that it goes through as well, and that is no
    larger: keeping and reading that one takes no more time and room, and whoever resumes from it computes less. What
    TensorFlow still has of the way there must be no more either.

    >>> from vistaql.models import roster
    >>> from vistaql.models.pool import GAP
    >>> resnet, names = roster.load("resnet50"), ("conv2_block3_out", "conv4_block6_out", "conv5_block3_out")
    >>> wanted = tuple(Output(name, GAP) for name in names)
    >>> points = resume_points(resnet, wanted)
    >>> points
    ('pool1_pool', 'conv2_block3_add', 'conv4_block6_add', 'conv5_block3_add')
    >>> next_keeps(resnet, points, None, wanted[2])[1:] == points
    True
    >>> worth_keeping(resnet, points, None, wanted[1], wanted[2])
    ('pool1_pool', 'conv4_block6_add', 'conv5_block3_add')
    """
    kept: list[str] = []
    behind: list[tuple[int, int]] = []
    for point in reversed(next_keeps(cnn, points, source, wanted)[1:]):
        layer = str(point)
        if cnn.position[layer] <= cnn.position[given.layer]:
            size, live = cnn.by_name[layer].bytes, live_before(cnn, layer)
            if any(other <= size and way <= live for other, way in behind):
                continue
            behind.append((size, live))
        kept.append(layer)
    return tuple(reversed(kept))
