"""Plans with their prices."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from vistaql.logical.nodes import Query
from vistaql.optimizer.configuration import Configuration, configure
from vistaql.optimizer.cost import price
from vistaql.optimizer.disk import disk_bytes
from vistaql.optimizer.enumerate import Stored
from vistaql.optimizer.grouping import Grouping, Strategy, plan_words, strategy_of
from vistaql.optimizer.lower import lower_groupings, placements
from vistaql.optimizer.machine import Machine
from vistaql.optimizer.memory import peaks_in
from vistaql.optimizer.passes import PassPrices
from vistaql.physical.engine import Storage
from vistaql.physical.operators import Operator
from vistaql.physical.run import run_order
from vistaql.physical.sizes import Sizes
from vistaql.settings import Placement, Settings


@dataclass(frozen=True)
class Candidate:
    """A plan that could run: its price in seconds, operator by operator, and its peaks of memory and of disk."""

    strategy: Strategy
    plan: Operator
    configuration: Configuration
    prices: tuple[tuple[str, float], ...]
    """seconds by digest of the operator"""
    peak_bytes: int
    disk_bytes: int
    """what it has on disk at most at once: kept tensors, and vectors"""
    groupings: tuple[Grouping, ...]
    """the passes, CNN by CNN"""
    placement: Placement
    joined_late: bool = False
    """whether images are decoded that have no row"""

    @cached_property
    def seconds(self) -> float:
        """Predicted seconds of the whole plan."""
        return sum(price for _, price in self.prices)

    def fits(self, memory: float, disk: float) -> bool:
        """Whether so many bytes are enough."""
        return self.peak_bytes <= memory and self.disk_bytes <= disk

    @cached_property
    def name(self) -> str:
        """The strategy or the groups of a hybrid, where tensors and vectors lie, and whether all images are decoded."""
        words = plan_words(self.groupings, self.strategy)
        if self.configuration.cluster is not None:
            return f"{words}, {self.configuration.cluster}"
        spooled = ", vectors on disk" if self.configuration.spools else ""
        late = ", join after inference" if self.joined_late else ""
        return words + spooled + late


Lowered = tuple[Operator, tuple[Operator, ...]]
"""a plan, and its operators in the order in which they run"""


@dataclass(frozen=True, eq=False)
class Known:
    """What was found out while a choice is made, and holds wherever the vectors lie: plans, and prices of passes."""

    plans: dict[tuple[tuple[Grouping, ...], Placement], Lowered] = field(default_factory=dict)
    passes: dict[tuple[str, Placement, frozenset[Stored]], PassPrices] = field(default_factory=dict)
    """by digest of the CNN"""


@dataclass(frozen=True)
class Pricing:
    """What the price of a plan depends on besides its shape."""

    query: Query
    sizes: Sizes
    machine: Machine
    settings: Settings
    known: Known = field(default_factory=Known, compare=False)

    def configuration(self, storage: Storage) -> Configuration:
        """Threads, and where kept tensors lie."""
        return configure(self.machine, self.settings, storage, spools=self.sizes.spools)

    def seconds(self, operator: Operator, configuration: Configuration) -> float:
        """Seconds of one operator."""
        return price(operator, self.sizes, self.machine, configuration)

    def lowered(self, groupings: tuple[Grouping, ...], placement: Placement) -> Lowered:
        """The plan of the groupings; made once, since it is asked for its memory, its seconds, and with both sizes."""
        found = self.known.plans.get((groupings, placement))
        if found is None:
            plan = lower_groupings(self.query, groupings, placement)
            found = self.known.plans[groupings, placement] = plan, run_order(plan)
        return found

    def peak_bytes(self, groupings: tuple[Grouping, ...], placement: Placement) -> int:
        """The most memory of a plan."""
        return max(peaks_in(self.lowered(groupings, placement)[1], self.sizes, self.machine))

    def candidate(
        self, groupings: tuple[Grouping, ...], placement: Placement, peak_bytes: int | None = None
    ) -> Candidate:
        """A plan with its seconds and its peaks of memory and disk; a strategy that is asked for gives it its name."""
        on_disk = any(group.storage is Storage.DISK for item in groupings for group in item.kept)
        configuration = self.configuration(Storage.DISK if on_disk else Storage.MEMORY)
        plan, order = self.lowered(groupings, placement)
        return Candidate(
            strategy=strategy_of(groupings, self.settings.plan.value),
            plan=plan,
            configuration=configuration,
            prices=tuple((item.digest, self.seconds(item, configuration)) for item in order),
            peak_bytes=self.peak_bytes(groupings, placement) if peak_bytes is None else peak_bytes,
            disk_bytes=disk_bytes(order, self.sizes),
            groupings=groupings,
            placement=placement,
            joined_late=placement is Placement.AFTER_INFERENCE and len(placements(self.query)) > 1,
        )
