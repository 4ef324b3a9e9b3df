"""Enumerate plans, price them, reject those that do not fit, take the cheapest."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum

from vistaql.errors import Code, VistaQLError
from vistaql.logical.nodes import Query
from vistaql.optimizer.candidate import Candidate, Pricing
from vistaql.optimizer.candidates import enumerate_candidates
from vistaql.optimizer.configuration import configure
from vistaql.optimizer.machine import Machine
from vistaql.optimizer.spark import room_on_disk
from vistaql.physical.engine import Storage
from vistaql.physical.operators import Operator, PickFeatures
from vistaql.physical.run import run_order
from vistaql.physical.sizes import Sizes
from vistaql.settings import PlanChoice, Settings
from vistaql.units import format_size


class Constraint(Enum):
    """Why a plan cannot run."""

    MEMORY = "memory"
    DISK = "disk"


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


def choose(query: Query, sizes: Sizes, machine: Machine, settings: Settings, *, thorough: bool = False) -> Decision:
    """The cheapest plan that fits; a forced strategy narrows the choice. A thorough look finds all plans that stand.

    Raises NO_FEASIBLE_PLAN, naming the nearest plan, if nothing fits.
    """
    limit = settings.memory_limit or machine.memory_bytes
    forced = None if settings.plan is PlanChoice.AUTO else settings.plan
    sizes = replace(sizes, fit_workers=configure(machine, settings, Storage.MEMORY).fit_workers)
    with uncollected():
        candidates = candidates_of(Pricing(query, sizes, machine, settings), limit, thorough=thorough)
    verdicts = [(item, rejected(item, limit, room_for(item, machine, settings))) for item in candidates]
    rejections = tuple(verdict for _, verdict in verdicts if verdict)
    fitting = [item for item, verdict in verdicts if not verdict]
    allowed = [item for item in fitting if forced is None or item.strategy.value == forced.value]
    if not allowed:
        wanted = [item for item in rejections if forced is None or item.candidate.strategy.value == forced.value]
        raise no_plan(wanted, limit, others_fit=bool(fitting))
    chosen = min(allowed, key=order)
    others = [item for item in fitting if item is not chosen]
    sizes = replace(sizes, spools=chosen.configuration.spools, fit_workers=chosen.configuration.fit_workers)
    return Decision(query, chosen, tuple(sorted(others, key=order)), rejections, forced, machine, limit, sizes)


def room_for(candidate: Candidate, machine: Machine, settings: Settings) -> float:
    """Bytes that a plan may have on disk."""
    return machine.disk_bytes if candidate.configuration.cluster is None else room_on_disk(machine, settings)


def rejected(candidate: Candidate, limit: int, disk: float) -> Rejection | None:
    """The first inequality that a plan breaks; None where it fits."""
    if candidate.peak_bytes > limit:
        return Rejection(candidate, Constraint.MEMORY, candidate.peak_bytes, limit)
    if candidate.disk_bytes > disk:
        return Rejection(candidate, Constraint.DISK, candidate.disk_bytes, int(disk))
    return None


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


def order(candidate: Candidate) -> tuple[float, int]:
    """Cheaper plans first, of equally cheap ones the smaller."""
    return candidate.seconds, candidate.peak_bytes


def no_plan(rejections: list[Rejection], limit: int, *, others_fit: bool) -> VistaQLError:
    """Nothing that is allowed fits: the nearest plan, what it needs, and what to change.

    One that lacks disk only is nearer than any that lacks memory: it is told what is free.
    """
    nearest = min(rejections, key=lambda item: (item.constraint is not Constraint.DISK, item.needs))
    name, needs = nearest.candidate.name, format_size(nearest.needs)
    if nearest.constraint is Constraint.DISK:
        said = f"No plan fits: {name} needs {needs} of disk, and {format_size(nearest.has)} are free."
        ways = ["free some space", "name another disk in the environment: TMPDIR=/big/disk vistaql .."]
    else:
        said = f"No plan fits into {format_size(limit)}: the smallest, {name}, needs {needs}."
        ways = [f"SET memory_limit = {nearest.needs / 1e9 + 0.1:.1f}GB", "ask for fewer layers"]
    ways = ["SET plan = auto"] * others_fit + [*ways, "add SAMPLE n"]
    hint = "; or ".join(ways)
    return VistaQLError(Code.NO_FEASIBLE_PLAN, said, hint=f"{hint[0].upper()}{hint[1:]}.")
