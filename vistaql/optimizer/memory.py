"""The most memory a plan holds at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from vistaql.optimizer.machine import Machine
from vistaql.physical.operators import Keep, Operator, PickFeatures, RunPass, WriteFeatures
from vistaql.physical.run import last_readers, run_order
from vistaql.physical.sizes import Sizes


@dataclass(frozen=True)
class Held:
    """Bytes that lie in memory from the operator at one place of the order to that at another, both included."""

    bytes: int
    born: int
    dies: int


def peak_bytes(root: Operator, sizes: Sizes, machine: Machine) -> int:
    """Peak of: the process, what earlier operators hold for later ones, and what the running one needs."""
    order = run_order(root)
    base = machine.calibration.process_bytes
    if any(isinstance(operator, RunPass) for operator in order):
        base += machine.calibration.library_bytes
    changes = [0] * (len(order) + 1)
    for item in held_by(order, sizes):
        changes[item.born] += item.bytes
        changes[item.dies + 1] -= item.bytes
    held = accumulate(changes)
    return int(base + max(operator.memory(sizes) + size for operator, size in zip(order, held, strict=False)))


def held_by(order: tuple[Operator, ...], sizes: Sizes) -> Iterator[Held]:
    """What each operator holds, and how long.

    A pass makes all its vectors and kept tensors at once, and its result keeps the vectors until the last of them
    is picked. An export writes them to disk instead.
    """
    last = last_readers(order)
    born = {operator.digest: place for place, operator in enumerate(order)}
    spooled = isinstance(order[-1], WriteFeatures)
    for place, operator in enumerate(order):
        dies = last.get(operator.digest, len(order) - 1)
        match operator:
            case PickFeatures(source, _, reduction):
                made, picked = born[source.digest], last[source.digest]
                if spooled:
                    continue
                if reduction is None:
                    yield Held(operator.size(sizes), made, max(picked, dies))
                else:
                    yield Held(operator.size(sizes), made, picked)
                    yield Held(operator.size(sizes), place, dies)
            case Keep(source):
                yield Held(operator.size(sizes), born[source.digest], dies)
            case _:
                yield Held(operator.size(sizes), place, dies)
