"""The most bytes that a plan has on disk at once, where runs keep files."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

from vistaql.optimizer.memory import Held
from vistaql.physical.engine import Storage
from vistaql.physical.operators import BestSoFar, Keep, Operator, PickFeatures, WriteFeatures
from vistaql.physical.run import last_readers
from vistaql.physical.sizes import Sizes


def disk_bytes(order: tuple[Operator, ...], sizes: Sizes) -> int:
    """Kept tensors and vectors that lie on disk, at the moment at which they take most, of operators in their order."""
    if not (sizes.spools or exports(order) or any(map(kept_on_disk, order))):
        return 0
    changes = [0] * (len(order) + 1)
    for item in lying(order, sizes):
        changes[item.born] += item.bytes
        changes[item.dies + 1] -= item.bytes
    return max(accumulate(changes))


def lying(order: tuple[Operator, ...], sizes: Sizes) -> Iterator[Held]:
    """What lies on disk, and how long: as long as it would be held in memory.

    A file of vectors lives as long as anybody may still read it, so that of the best layer so far stays. An export has
    the vectors of all layers on disk before it writes its own file, which is not counted: it may be on another disk.
    """
    last, export = last_readers(order), exports(order)
    born = {operator.digest: place for place, operator in enumerate(order)}
    for place, operator in enumerate(order):
        dies = last.get(operator.digest, len(order) - 1)
        match operator:
            case PickFeatures(source):
                size = vectors_on_disk(operator, sizes, export=export)
                yield Held(size, born[source.digest], max(last[source.digest], dies))
            case Keep(source) if kept_on_disk(operator):
                yield Held(operator.bytes(sizes), born[source.digest], dies)
            case BestSoFar() if dies > place:
                yield Held(winner_on_disk(operator, sizes), place + 1, dies)


def kept_on_disk(operator: Operator) -> bool:
    """Whether it is a kept tensor that lies on disk."""
    return isinstance(operator, Keep) and operator.source.storage is Storage.DISK


def exports(order: tuple[Operator, ...]) -> bool:
    """Whether the plan writes vectors to a file."""
    return isinstance(order[-1], WriteFeatures)


def vectors_on_disk(pick: PickFeatures, sizes: Sizes, *, export: bool) -> int:
    """Bytes of the vectors of a layer that lie on disk; an export puts all there that are written as they are."""
    on_disk = pick.reduction is None if export else pick.spooled(sizes)
    return pick.bytes(sizes) if on_disk else 0


def winner_on_disk(best: BestSoFar | None, sizes: Sizes) -> int:
    """Bytes on disk of the widest of the layers that may be the best so far."""
    widest = 0
    while best is not None:
        pick = best.fit.features
        widest = max(widest, vectors_on_disk(pick, sizes, export=False) if pick else 0)
        best = best.before
    return widest
