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
from vistaql.physical.engine import Storage
from vistaql.physical.operators import Operator, PickFeatures
from vistaql.physical.run import run_order
from vistaql.physical.sizes import Sizes
from vistaql.settings import PlanChoice, Settings
from vistaql.units import format_size


class Constraint(Enum):
    """Why a plan cannot run."""

    MEMORY = "memory"


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


def choose(query: Query, sizes: Sizes, machine: Machine, settings: Settings) -> Decision:
    """The cheapest plan that fits; a forced strategy narrows the choice.

    Raises NO_FEASIBLE_PLAN, naming the nearest plan, if nothing fits.
    """
    limit = settings.memory_limit or machine.memory_bytes
    forced = None if settings.plan is PlanChoice.AUTO else settings.plan
    sizes = replace(sizes, fit_workers=configure(machine, settings, Storage.MEMORY).fit_workers)
    with uncollected():
        candidates = candidates_of(Pricing(query, sizes, machine, settings), limit)
    allowed = [item for item in candidates if forced is None or item.strategy.value == forced.value]
    fitting = [item for item in allowed if item.peak_bytes <= limit]
    rejections = tuple(
        Rejection(item, Constraint.MEMORY, item.peak_bytes, limit) for item in candidates if item.peak_bytes > limit
    )
    if not fitting:
        raise no_plan(allowed, limit, others_fit=len(rejections) < len(candidates))
    chosen = min(fitting, key=order)
    others = [item for item in candidates if item is not chosen and item.peak_bytes <= limit]
    sizes = replace(sizes, spools=chosen.configuration.spools, fit_workers=chosen.configuration.fit_workers)
    return Decision(query, chosen, tuple(sorted(others, key=order)), rejections, forced, machine, limit, sizes)


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


def candidates_of(pricing: Pricing, limit: int) -> list[Candidate]:
    """The plans with vectors in memory, and where not all of them fit and vectors are large, with those on disk."""
    candidates = enumerate_candidates(pricing, limit)
    if any(item.peak_bytes > limit for item in candidates) and large_vectors(candidates[0].plan, pricing.sizes):
        spooled = replace(pricing, sizes=replace(pricing.sizes, spools=True, fit_workers=1))
        candidates += enumerate_candidates(spooled, limit)
    return candidates


def large_vectors(plan: Operator, sizes: Sizes) -> bool:
    """Whether the vectors of some layer are so large that they could lie on disk."""
    on_disk = replace(sizes, spools=True)
    return any(isinstance(item, PickFeatures) and item.spooled(on_disk) for item in run_order(plan))


def order(candidate: Candidate) -> tuple[float, int]:
    """Cheaper plans first, of equally cheap ones the smaller."""
    return candidate.seconds, candidate.peak_bytes


def no_plan(candidates: list[Candidate], limit: int, *, others_fit: bool) -> VistaQLError:
    """Nothing that is allowed fits: the nearest plan, what it needs, and what to change."""
    nearest = min(candidates, key=lambda item: item.peak_bytes)
    needs = format_size(nearest.peak_bytes)
    ways = [f"SET memory_limit = {nearest.peak_bytes / 1e9 + 0.1:.1f}GB", "ask for fewer layers", "add SAMPLE n"]
    if others_fit:
        ways.insert(0, "SET plan = auto")
    return VistaQLError(
        Code.NO_FEASIBLE_PLAN,
        f"No plan fits into {format_size(limit)}: the smallest, {nearest.name}, needs {needs}.",
        hint="; or ".join(ways) + ".",
    )
