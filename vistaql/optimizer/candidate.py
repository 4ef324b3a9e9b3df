"""Plans with their prices."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from vistaql.logical.nodes import Query
from vistaql.optimizer.configuration import Configuration, configure
from vistaql.optimizer.cost import price
from vistaql.optimizer.grouping import Grouping, Strategy, plan_words, strategy_of
from vistaql.optimizer.lower import Placement, lower_groupings, placements
from vistaql.optimizer.machine import Machine
from vistaql.optimizer.memory import peak_bytes
from vistaql.physical.engine import Storage
from vistaql.physical.operators import Operator
from vistaql.physical.run import run_order
from vistaql.physical.sizes import Sizes
from vistaql.settings import Settings


@dataclass(frozen=True)
class Candidate:
    """A plan that could run: its price in seconds, operator by operator, and its peak of memory."""

    strategy: Strategy
    plan: Operator
    configuration: Configuration
    prices: tuple[tuple[str, float], ...]
    """seconds by digest of the operator"""
    peak_bytes: int
    groupings: tuple[Grouping, ...]
    """the passes, CNN by CNN"""
    placement: Placement
    joined_late: bool = False
    """whether images are decoded that have no row"""

    @cached_property
    def seconds(self) -> float:
        """Predicted seconds of the whole plan."""
        return sum(price for _, price in self.prices)

    @cached_property
    def name(self) -> str:
        """The strategy or the groups of a hybrid, where tensors and vectors lie, and whether all images are decoded."""
        words = plan_words(self.groupings, self.strategy)
        if self.configuration.cluster is not None:
            return f"{words}, {self.configuration.cluster}"
        spooled = ", vectors on disk" if self.configuration.spools else ""
        late = ", join after inference" if self.joined_late else ""
        return words + spooled + late


@dataclass(frozen=True)
class Pricing:
    """What the price of a plan depends on besides its shape."""

    query: Query
    sizes: Sizes
    machine: Machine
    settings: Settings

    def configuration(self, storage: Storage) -> Configuration:
        """Threads, and where kept tensors lie."""
        return configure(self.machine, self.settings, storage, spools=self.sizes.spools)

    def seconds(self, operator: Operator, configuration: Configuration) -> float:
        """Seconds of one operator."""
        return price(operator, self.sizes, self.machine, configuration)

    def peak_bytes(self, groupings: tuple[Grouping, ...], placement: Placement) -> int:
        """The most memory of a plan."""
        return peak_bytes(lower_groupings(self.query, groupings, placement), self.sizes, self.machine)

    def candidate(self, groupings: tuple[Grouping, ...], placement: Placement) -> Candidate:
        """A plan with its seconds and its peak of memory; a strategy that is asked for gives it its name."""
        on_disk = any(group.storage is Storage.DISK for item in groupings for group in item.kept)
        configuration = self.configuration(Storage.DISK if on_disk else Storage.MEMORY)
        plan = lower_groupings(self.query, groupings, placement)
        return Candidate(
            strategy=strategy_of(groupings, self.settings.plan.value),
            plan=plan,
            configuration=configuration,
            prices=tuple((item.digest, self.seconds(item, configuration)) for item in run_order(plan)),
            peak_bytes=peak_bytes(plan, self.sizes, self.machine),
            groupings=groupings,
            placement=placement,
            joined_late=placement is Placement.AFTER_INFERENCE and len(placements(self.query)) > 1,
        )
