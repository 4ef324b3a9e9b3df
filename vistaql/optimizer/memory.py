"""The most memory a plan holds at once."""

from __future__ import annotations

from vistaql.optimizer.machine import Machine
from vistaql.physical.operators import Operator, RunPass
from vistaql.physical.run import last_readers, run_order
from vistaql.physical.sizes import Sizes


def peak_bytes(root: Operator, sizes: Sizes, machine: Machine) -> int:
    """Peak of: the process, what earlier operators hold for later ones, and what the running one needs."""
    order = run_order(root)
    last = last_readers(order)
    base = machine.calibration.process_bytes
    if any(isinstance(operator, RunPass) for operator in order):
        base += machine.calibration.library_bytes
    held: dict[str, int] = {}
    peak = 0
    for place, operator in enumerate(order):
        held[operator.digest] = operator.size(sizes)
        peak = max(peak, sum(held.values()) + operator.memory(sizes))
        held = {digest: size for digest, size in held.items() if last.get(digest, -1) > place}
    return int(base + peak)
