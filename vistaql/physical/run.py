"""Run a physical plan: inputs first, and results dropped as soon as their last reader has run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from time import perf_counter
from typing import Any

from vistaql.physical.engine import Engine, Extent, Measured
from vistaql.physical.operators import Fit, Keep, Operator, PickFeatures, RunPass
from vistaql.physical.resident import ResidentPeak, TreePeak


@dataclass(frozen=True)
class Actual:
    """What an operator took: wall-clock seconds, and the most memory this process held meanwhile, or its whole tree.

    `extent` is the size of its result, None where the engine's value does not tell it.
    """

    operator: Operator
    seconds: float
    extent: Extent | None
    peak_bytes: int


Observe = Callable[[Actual], None]


def run_order(root: Operator) -> tuple[Operator, ...]:
    """Operators in the order they run: what was computed is taken and learnt from before the next pass starts.

    So vectors and tensors are let go as early as can be, whoever else wants them. Passes over one CNN run one after
    the other, in network order, since a tensor kept between two of them is held until the second.
    """
    found = [node for node in root.walk() if isinstance(node, Operator)]
    urgency = urgencies(found)
    sources = {node.digest: {source.digest for source in node.inputs} for node in found}
    waits = {digest: len(read) for digest, read in sources.items()}
    readers: dict[str, list[Operator]] = {node.digest: [] for node in found}
    for node in found:
        for digest in sources[node.digest]:
            readers[digest].append(node)
    ready = [(urgency[node.digest], place, node) for place, node in enumerate(found) if not waits[node.digest]]
    places = {node.digest: place for place, node in enumerate(found)}
    heapify(ready)
    order = []
    while ready:
        *_, node = heappop(ready)
        order.append(node)
        for reader in readers[node.digest]:
            waits[reader.digest] -= 1
            if not waits[reader.digest]:
                heappush(ready, (urgency[reader.digest], places[reader.digest], reader))
    return tuple(order)


def urgencies(operators: list[Operator]) -> dict[str, tuple[int, ...]]:
    """What runs first of all that could: what takes results, what learns from them, then passes.

    Learning from the table alone waits for all passes, since they tell which images are bad and take their rows along.
    """
    cnns: dict[str, int] = {}
    found: dict[str, tuple[int, ...]] = {}
    for node in operators:
        match node:
            case PickFeatures() | Keep():
                found[node.digest] = (0,)
            case RunPass(_, inference):
                first = min((node.cnn.position[output.layer] for output in inference.outputs), default=0)
                found[node.digest] = (2, cnns.setdefault(node.cnn.digest, len(cnns)), first)
            case Fit(_, None):
                found[node.digest] = (3,)
            case _:
                found[node.digest] = (1,)
    return found


def last_readers(order: tuple[Operator, ...]) -> dict[str, int]:
    """For each operator the place of the one that reads it last; results are dropped there."""
    last: dict[str, int] = {}
    for place, operator in enumerate(order):
        for source in operator.inputs:
            last[source.digest] = place
    return last


def run(root: Operator, engine: Engine, observe: Observe | None = None, *, tree: bool = False) -> object:
    """The value of the root. `observe` is told what each operator took; memory is measured only if there is one.

    That of the processes that this one has started counts with `tree`.
    """
    order, peak = run_order(root), TreePeak if tree else ResidentPeak
    last = last_readers(order)
    values: dict[str, Any] = {}
    kept: dict[str, Any] = {}
    try:
        for place, operator in enumerate(order):
            inputs = tuple(values[source.digest] for source in operator.inputs)
            values[operator.digest] = (
                operator.run(engine, inputs) if observe is None else watched(operator, engine, inputs, observe, peak())
            )
            del inputs
            if isinstance(operator, Keep):
                kept[operator.digest] = values[operator.digest]
            for digest in [digest for digest in values if last.get(digest, len(order)) <= place]:
                del values[digest]
                if digest in kept:
                    kept.pop(digest).drop()
        return values[root.digest]
    finally:
        # After a failure or an interrupt, files of kept tensors are not left behind.
        for tensor in kept.values():
            tensor.drop()


def watched(
    operator: Operator, engine: Engine, inputs: tuple[Any, ...], observe: Observe, peak: ResidentPeak
) -> object:
    """Run one operator and tell what it took."""
    with peak:
        started = perf_counter()
        value = operator.run(engine, inputs)
        seconds = perf_counter() - started
    observe(Actual(operator, seconds, value.extent if isinstance(value, Measured) else None, peak.bytes))
    return value
