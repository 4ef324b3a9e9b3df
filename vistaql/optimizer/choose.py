"""Enumerate plans, price them, reject those that do not fit, take the cheapest."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from vistaql.errors import Code, VistaQLError
from vistaql.logical.nodes import Query
from vistaql.optimizer.candidate import Candidate, Pricing
from vistaql.optimizer.candidates import enumerate_candidates
from vistaql.optimizer.configuration import configure
from vistaql.optimizer.machine import Machine
from vistaql.optimizer.room import Check, Constraint, Room, room_of
from vistaql.optimizer.spark import room_on_disk
from vistaql.physical.engine import Storage
from vistaql.physical.operators import Operator, PickFeatures
from vistaql.physical.run import run_order
from vistaql.physical.sizes import Sizes
from vistaql.settings import PlanChoice, Settings
from vistaql.units import format_size


@dataclass(frozen=True)
class Rejection:
    """A plan that does not fit: what it needs and what there is, in bytes."""

    candidate: Candidate
    constraint: Constraint
    needs: int
    has: int


@dataclass(frozen=True)
class Decision:
    """The plan to run for a query, what it was weighed against, and what did not fit."""

    query: Query
    chosen: Candidate
    losers: tuple[Candidate, ...]
    rejections: tuple[Rejection, ...]
    forced: PlanChoice | None
    machine: Machine
    limit_bytes: int
    sizes: Sizes
    together: bool = True
    """whether executors of Spark run on this machine, within the limit"""


def choose(query: Query, sizes: Sizes, machine: Machine, settings: Settings, *, thorough: bool = False) -> Decision:
    """The cheapest plan that fits; a forced strategy narrows the choice. A thorough look finds all plans that stand.

    Raises NO_FEASIBLE_PLAN, naming the nearest plan, if nothing fits.
    """
    room = room_of(settings, machine)
    limit = int(room.here)
    forced = None if settings.plan is PlanChoice.AUTO else settings.plan
    sizes = replace(sizes, fit_workers=configure(machine, settings, Storage.MEMORY).fit_workers)
    with uncollected():
        candidates = candidates_of(Pricing(query, sizes, machine, settings), limit, thorough=thorough)
    rejections = tuple(
        found for item in candidates if (found := rejection(item, room, room_for(item, machine, settings)))
    )
    rejected = {id(item.candidate) for item in rejections}
    allowed = {id(item) for item in candidates if forced is None or item.strategy.value == forced.value}
    fitting = [item for item in candidates if id(item) in allowed - rejected]
    if not fitting:
        nearest = [item for item in rejections if id(item.candidate) in allowed]
        raise no_plan(nearest, others_fit=len(rejections) < len(candidates))
    chosen = min(fitting, key=order)
    others = [item for item in candidates if item is not chosen and id(item) not in rejected]
    sizes = replace(sizes, spools=chosen.configuration.spools, fit_workers=chosen.configuration.fit_workers)
    return Decision(
        query, chosen, tuple(sorted(others, key=order)), rejections, forced, machine, limit, sizes, room.together
    )


def room_for(candidate: Candidate, machine: Machine, settings: Settings) -> float:
    """Bytes that a plan may have on disk."""
    return machine.disk_bytes if candidate.configuration.cluster is None else room_on_disk(machine, settings)


@contextmanager
def uncollected() -> Iterator[None]:
    """Planning makes tens of thousands of small values that all stay to its end: collecting would find nothing.

    It took a quarter of the time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def candidates_of(pricing: Pricing, limit: int, *, thorough: bool = False) -> list[Candidate]:
    """The plans with vectors in memory, and where not all of them fit and vectors are large, with those on disk."""
    candidates = enumerate_candidates(pricing, limit, thorough=thorough)
    tight = thorough or any(item.peak_bytes > limit for item in candidates)
    asked = candidates if thorough else candidates[:1]
    if tight and any(large_vectors(item.plan, pricing.sizes) for item in asked):
        spooled = replace(pricing, sizes=replace(pricing.sizes, spools=True, fit_workers=1))
        candidates += enumerate_candidates(spooled, limit, thorough=thorough)
    return candidates


def large_vectors(plan: Operator, sizes: Sizes) -> bool:
    """Whether the vectors of some layer are so large that they could lie on disk."""
    on_disk = replace(sizes, spools=True)
    return any(isinstance(item, PickFeatures) and item.spooled(on_disk) for item in run_order(plan))


def rejection(candidate: Candidate, room: Room, disk: float) -> Rejection | None:
    """The inequality about memory that a plan breaks most, else that about disk; None where it fits."""
    regions, executors = candidate.configuration.regions, candidate.configuration.executors
    if regions is None:
        checks = [Check(Constraint.MEMORY, candidate.peak_bytes, room.here)]
    else:
        checks = list(room.checks(regions, executors))
    broken = [check for check in checks if not check.holds]
    if not broken and candidate.disk_bytes > disk:
        broken = [Check(Constraint.DISK, candidate.disk_bytes, disk)]
    if not broken:
        return None
    worst = max(broken, key=lambda check: check.needs / max(1.0, check.has))
    return Rejection(candidate, worst.constraint, worst.needs, int(worst.has))


def order(candidate: Candidate) -> tuple[float, int]:
    """Cheaper plans first, of equally cheap ones the smaller."""
    return candidate.seconds, candidate.peak_bytes


WAYS = {
    Constraint.HEAP: ("a larger spark.executor.memory",),
    Constraint.DRIVER_HEAP: ("a larger spark.driver.memory",),
    Constraint.OVERHEAD: ("a larger spark.executor.memoryOverhead",),
    Constraint.DISK: ("free some space", "name another disk in the environment: TMPDIR=/big/disk vistaql .."),
}
"""What gives more of what there is too little of; for the other constraints that is memory_limit"""


def no_plan(rejections: list[Rejection], *, others_fit: bool) -> VistaQLError:
    """Nothing that is allowed fits: the nearest plan, what it needs, and what to change.

    One that lacks disk only is nearer than any that lacks memory: it is told what is free.
    """
    nearest = min(rejections, key=lambda item: (item.constraint is not Constraint.DISK, item.needs / max(1, item.has)))
    name, needs, has = nearest.candidate.name, format_size(nearest.needs), format_size(nearest.has)
    raised = f"SET memory_limit = {nearest.needs / 1e9 + 0.1:.1f}GB"
    ways = [*WAYS.get(nearest.constraint, (raised,)), "ask for fewer layers", "add SAMPLE n"]
    if others_fit:
        ways.insert(0, "SET plan = auto")
    of = "" if nearest.constraint is Constraint.MEMORY else f" as {nearest.constraint.value}"
    said = f"No plan fits into {has}{of}: the smallest, {name}, needs {needs}."
    if nearest.constraint is Constraint.DISK:
        said = f"No plan fits: {name} needs {needs} of disk, and {has} are free."
    hint = "; or ".join(ways)
    return VistaQLError(Code.NO_FEASIBLE_PLAN, said, hint=f"{hint[0].upper()}{hint[1:]}.")
