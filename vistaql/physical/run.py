"""Run a physical plan: inputs first, and results dropped as soon as their last reader has run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from vistaql.physical.engine import Engine
from vistaql.physical.operators import Keep, Operator


@dataclass(frozen=True)
class Actual:
    """What an operator took."""

    operator: Operator
    seconds: float


def run_order(root: Operator) -> tuple[Operator, ...]:
    """Operators in the order they run: depth first, so that a layer is learnt from before the next is computed."""
    return tuple(node for node in root.walk() if isinstance(node, Operator))


def last_readers(order: tuple[Operator, ...]) -> dict[str, int]:
    """For each operator the place of the one that reads it last; results are dropped there."""
    last: dict[str, int] = {}
    for place, operator in enumerate(order):
        for source in operator.inputs:
            last[source.digest] = place
    return last


def run(root: Operator, engine: Engine, observe: Callable[[Actual], None] = lambda _: None) -> object:
    """The value of the root. `observe` is told what each operator took."""
    order = run_order(root)
    last = last_readers(order)
    values: dict[str, Any] = {}
    kept: dict[str, Any] = {}
    try:
        for place, operator in enumerate(order):
            started = perf_counter()
            values[operator.digest] = operator.run(engine, tuple(values[source.digest] for source in operator.inputs))
            observe(Actual(operator, perf_counter() - started))
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
