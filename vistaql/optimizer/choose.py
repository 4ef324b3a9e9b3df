"""Enumerate plans, price them, reject those that do not fit, take the cheapest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum

from vistaql.errors import Code, VistaQLError
from vistaql.logical.nodes import Explore, Export
from vistaql.optimizer.configuration import Configuration, configure
from vistaql.optimizer.cost import seconds
from vistaql.optimizer.lower import Strategy, lower
from vistaql.optimizer.machine import Machine
from vistaql.optimizer.memory import peak_bytes
from vistaql.optimizer.regions import executors_of, spark_regions
from vistaql.optimizer.spark import cluster_choices, largest_image, placed, spark_seconds
from vistaql.physical.choices import JoinPlace
from vistaql.physical.engine import Storage
from vistaql.physical.operators import Keep, Operator, RunPass
from vistaql.physical.run import run_order
from vistaql.physical.sizes import Sizes
from vistaql.settings import EngineChoice, PlanChoice, Settings
from vistaql.units import format_size


@dataclass(frozen=True)
class Candidate:
    """A plan that could run: its price in seconds, operator by operator, and its peak of memory."""

    strategy: Strategy
    plan: Operator
    configuration: Configuration
    prices: tuple[tuple[str, float], ...]
    """seconds by digest of the operator"""
    peak_bytes: int

    @property
    def seconds(self) -> float:
        """Predicted seconds of the whole plan."""
        return sum(price for _, price in self.prices)

    @property
    def name(self) -> str:
        """The strategy, and where kept tensors lie if that is not memory."""
        on_disk = (
            any(isinstance(node, Keep) for node in self.plan.walk()) and self.configuration.storage is Storage.DISK
        )
        name = self.strategy.value + (" on disk" if on_disk else "")
        cluster = self.configuration.cluster
        return name if cluster is None else f"{name}, {cluster}"


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

    query: Explore | Export
    chosen: Candidate
    losers: tuple[Candidate, ...]
    rejections: tuple[Rejection, ...]
    forced: PlanChoice | None
    machine: Machine
    limit_bytes: int
    sizes: Sizes


def enumerate_candidates(
    query: Explore | Export, sizes: Sizes, machine: Machine, settings: Settings
) -> list[Candidate]:
    """Every strategy with every storage that makes a difference; equal plans once."""
    found: dict[str, Candidate] = {}
    if settings.engine is not EngineChoice.INPROCESS:
        found |= {item.name: item for item in spark_candidates(query, sizes, machine, settings)}
    if settings.engine is EngineChoice.SPARK:
        return list(found.values())
    # Eager comes first: where one layer is wanted all strategies are one plan, and that is its plainest name.
    for strategy in (Strategy.EAGER, Strategy.STAGED, Strategy.LAZY):
        for storage in (Storage.MEMORY, Storage.DISK):
            candidate = price(
                lower(query, strategy, storage), strategy, configure(machine, settings, storage), sizes, machine
            )
            forced = settings.plan.value == strategy.value
            shape = f"{strategy if forced else ''}{shape_of(candidate.plan)}"
            found.setdefault(shape, candidate)
    return list(found.values())


def spark_candidates(
    query: Explore | Export, sizes: Sizes, machine: Machine, settings: Settings
) -> Iterator[Candidate]:
    """Every strategy in every way in which Spark can run it; equal plans once."""
    seen = set()
    for strategy in (Strategy.EAGER, Strategy.STAGED, Strategy.LAZY):
        plans = {place: lower(placed(query, place), strategy, Storage.MEMORY) for place in JoinPlace}
        largest = largest_image(plans[JoinPlace.BEFORE], sizes)
        configuration = configure(machine, settings, Storage.MEMORY)
        for choices in cluster_choices(sizes, largest, machine, settings):
            plan = plans[choices.place]
            executors = executors_of(settings.spark, choices)
            regions = spark_regions(plan, sizes, machine, choices, executors)
            chosen = replace(
                configuration, threads=choices.threads, decoders=choices.decoders, cluster=choices, regions=regions,
                executors=executors,
            )  # fmt: skip
            forced = settings.plan.value == strategy.value
            shape = f"{strategy if forced else ''}{choices}{shape_of(plan)}"
            if shape in seen:
                continue
            seen.add(shape)
            prices = tuple((node.digest, spark_seconds(node, sizes, machine, chosen)) for node in run_order(plan))
            yield Candidate(strategy, plan, chosen, prices, regions.total(executors))


def shape_of(plan: Operator) -> str:
    """A name of the plan that ignores a storage nobody uses."""
    kept = any(isinstance(node, Keep) for node in plan.walk())
    passes = sorted(f"{node.inference}" for node in plan.walk() if isinstance(node, RunPass))
    storage = next((node.storage.value for node in plan.walk() if isinstance(node, RunPass)), "") if kept else ""
    return storage + "|".join(passes)


def price(
    plan: Operator, strategy: Strategy, configuration: Configuration, sizes: Sizes, machine: Machine
) -> Candidate:
    """A plan with its seconds and its peak of memory."""
    prices = tuple(
        (operator.digest, seconds(operator.resources(sizes), machine, configuration)) for operator in run_order(plan)
    )
    return Candidate(strategy, plan, configuration, prices, peak_bytes(plan, sizes, machine))


def choose(query: Explore | Export, sizes: Sizes, machine: Machine, settings: Settings) -> Decision:
    """The cheapest plan that fits; a forced strategy narrows the choice.

    Raises NO_FEASIBLE_PLAN, naming the nearest plan, if nothing fits.
    """
    limit = settings.memory_limit or machine.memory_bytes
    forced = None if settings.plan is PlanChoice.AUTO else settings.plan
    candidates = enumerate_candidates(query, sizes, machine, settings)
    allowed = [item for item in candidates if forced is None or item.strategy.value == forced.value]
    fitting = [item for item in allowed if item.peak_bytes <= limit]
    rejections = tuple(
        Rejection(item, Constraint.MEMORY, item.peak_bytes, limit) for item in candidates if item.peak_bytes > limit
    )
    if not fitting:
        raise no_plan(allowed, limit, others_fit=len(rejections) < len(candidates))
    chosen = min(fitting, key=lambda item: (item.seconds, item.peak_bytes))
    others = [item for item in candidates if item is not chosen and item.peak_bytes <= limit]
    losers = tuple(sorted(others, key=lambda item: (item.seconds, item.peak_bytes)))
    return Decision(query, chosen, losers, rejections, forced, machine, limit, sizes)


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
