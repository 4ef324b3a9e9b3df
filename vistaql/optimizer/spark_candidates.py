"""The plans that Spark could run: the cheapest groupings and the named ones, each in all ways that are left open."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from typing import Final

from vistaql.logical.nodes import Query
from vistaql.optimizer.candidate import Candidate, Lowered
from vistaql.optimizer.configuration import Configuration, configure
from vistaql.optimizer.frontier import standing
from vistaql.optimizer.grouping import NAMED, Grouping, Strategy, named, strategy_of
from vistaql.optimizer.lower import lower_groupings, placements, reader, wanted_by_cnn
from vistaql.optimizer.machine import Machine
from vistaql.optimizer.regions import Contents, contents_of, executors_of, regions_of, spilled_bytes
from vistaql.optimizer.room import NO_BOUNDS, Room, room_of
from vistaql.optimizer.spark import (
    matters,
    open_choices,
    other_choices,
    room_on_disk,
    spark_seconds,
    with_workers,
    worker_choices,
)
from vistaql.optimizer.spark_search import Passes, SparkSpace
from vistaql.physical.choices import ClusterChoices
from vistaql.physical.engine import Storage
from vistaql.physical.operators import Operator
from vistaql.physical.run import run_order
from vistaql.physical.sizes import Sizes
from vistaql.settings import JoinMethod, Persistence, Placement, Settings, TrainingPlace

WEIGHED: Final = 3_000_000
"""Where all plans that stand are asked for: passes that are weighed before no further search is begun."""

Groupings = tuple[Grouping, ...]


def spark_candidates(
    query: Query,
    sizes: Sizes,
    machine: Machine,
    settings: Settings,
    limit: float | None = None,
    *,
    thorough: bool = False,
) -> Iterator[Candidate]:
    """The plans on Spark, the cheapest that fits among them, and what the named strategies do.

    A thorough look adds all plans that stand.
    """
    if sizes.spools:
        # Spark puts vectors on disk by itself; there are no other plans where this process does.
        return
    room, disk = room_of(settings, machine, limit), room_on_disk(machine, settings)
    cluster = OnCluster(query, sizes, with_workers(machine, settings), settings, room, disk)
    found = {(item.groupings, item.configuration.cluster): item for item in cluster.candidates()}
    if thorough:
        for item in [*standing(cluster.cheapest, room.here, disk), *standing(cluster.cheapest, math.inf, math.inf)]:
            found.setdefault((item.groupings, item.configuration.cluster), item)
    yield from found.values()


@dataclass(frozen=True, eq=False)
class OnCluster:
    """What the price of a plan on Spark depends on besides its shape and its choices.

    Where kept tensors lie is a matter of persistence there, so that groupings keep them in memory.
    """

    query: Query
    sizes: Sizes
    machine: Machine
    settings: Settings
    room: Room = NO_BOUNDS
    disk: float = math.inf
    _lowered: dict[tuple[Groupings, Placement], tuple[Lowered, Contents]] = field(default_factory=dict)
    _prices: dict[tuple[object, ...], float] = field(default_factory=dict)
    _spaces: dict[ClusterChoices, SparkSpace] = field(default_factory=dict)

    @cached_property
    def alone(self) -> Configuration:
        """What is decided in any case."""
        return configure(self.machine, self.settings, Storage.MEMORY)

    def candidates(self) -> Iterator[Candidate]:
        """Every plan that is worth a word, each once."""
        places = open_choices(self.settings.placement, Placement)
        for workers in worker_choices(self.machine, self.settings):
            spaces = {place: self.space(replace(workers, place=place)) for place in places}
            # Where no image lacks a row, both placements read the same ones, and one search serves both.
            distinct = {space.reader: space for space in spaces.values()}
            found = {images: self.best(space) for images, space in distinct.items()}
            shapes = dict.fromkeys([*self.named, *(item for several in found.values() for item, _ in several)])
            plans = [(item, place, spaces[place].partitions(largest_kept(item))) for item in shapes for place in places]
            plans += [(item, place, count) for place in places for item, count in found[spaces[place].reader]]
            for groupings, place, partitions in dict.fromkeys(plans):
                cut = replace(workers, place=place, partitions=partitions)
                for choices in other_choices(cut, self.settings):
                    yield self.candidate(groupings, choices)

    def cheapest(self, memory: float, disk: float) -> Candidate | None:
        """The cheapest plan that takes no more here; None where there is none, or where enough has been weighed."""
        room = replace(self.room, here=memory)
        if sum(space.weighed for space in self._spaces.values()) > WEIGHED:
            return None
        found: dict[tuple[Groupings, ClusterChoices], None] = {}
        for workers in worker_choices(self.machine, self.settings):
            for place in open_choices(self.settings.placement, Placement):
                space = replace(self.space(replace(workers, place=place)), room=room, disk=disk)
                for groupings, partitions in self.best(space):
                    cut = replace(workers, place=place, partitions=partitions)
                    found |= dict.fromkeys((groupings, choices) for choices in other_choices(cut, self.settings))
        several = (self.candidate(groupings, choices) for groupings, choices in found)
        fitting = (item for item in several if item.fits(memory, disk))
        return min(fitting, key=lambda item: (item.seconds, item.peak_bytes, item.disk_bytes), default=None)

    @cached_property
    def named(self) -> tuple[Groupings, ...]:
        """What eager, staged and lazy do."""
        return tuple(dict.fromkeys(self.of_strategy(strategy) for strategy in NAMED))

    def of_strategy(self, strategy: Strategy) -> Groupings:
        """What a strategy does."""
        wanted = wanted_by_cnn(self.query).items()
        return tuple(named(strategy, cnn, outputs, Storage.MEMORY) for cnn, outputs in wanted)

    def best(self, space: SparkSpace) -> list[tuple[Groupings, int]]:
        """The cheapest groupings with their partitions."""
        persistences = open_choices(self.settings.persistence, Persistence)
        # What is broadcast takes memory, so that a plan may fit only where both sides are shuffled.
        joins = open_choices(self.settings.join, JoinMethod)
        return space.best(persistences, tuple(product(joins, open_choices(self.settings.training, TrainingPlace))))

    def space(self, choices: ClusterChoices) -> SparkSpace:
        """All plans with some workers and a placement of the join; found once, since passes are asked for much."""
        if choices not in self._spaces:
            self._spaces[choices] = self.found_space(choices)
        return self._spaces[choices]

    def found_space(self, choices: ClusterChoices) -> SparkSpace:
        """The same, found now."""
        images, configuration = reader(self.query, choices.place), self.configuration(choices)
        passes = tuple(
            Passes(cnn, outputs, images, self.sizes, self.machine, configuration)
            for cnn, outputs in wanted_by_cnn(self.query).items()
        )
        _, contents = self.lowered(self.of_strategy(Strategy.EAGER), choices.place)
        executors = executors_of(self.settings.spark, choices, self.machine.started)
        return SparkSpace(passes, contents, choices, executors, self.settings, self.room, self.disk)

    def configuration(self, choices: ClusterChoices) -> Configuration:
        """The configuration with what was chosen about Spark."""
        return replace(self.alone, threads=choices.threads, decoders=choices.decoders, cluster=choices)

    def lowered(self, groupings: Groupings, place: Placement) -> tuple[Lowered, Contents]:
        """The plan of the groupings, and what it has Spark hold."""
        if (groupings, place) not in self._lowered:
            plan = lower_groupings(self.query, groupings, place)
            order = run_order(plan)
            self._lowered[groupings, place] = (plan, order), contents_of(order, self.sizes)
        return self._lowered[groupings, place]

    def candidate(self, groupings: Groupings, choices: ClusterChoices) -> Candidate:
        """A plan with its seconds, and how Spark's memory is divided for it."""
        (plan, order), contents = self.lowered(groupings, choices.place)
        executors = executors_of(self.settings.spark, choices, self.machine.started)
        regions = regions_of(contents, self.machine.calibration, choices, executors, self.room.heaps)
        configuration = replace(self.configuration(choices), regions=regions, executors=executors)
        return Candidate(
            strategy=strategy_of(groupings, self.settings.plan.value),
            plan=plan,
            configuration=configuration,
            prices=tuple((node.digest, self.price(node, choices, configuration)) for node in order),
            peak_bytes=self.room.taken_here(regions, executors),
            disk_bytes=spilled_bytes(contents, choices),
            groupings=groupings,
            placement=choices.place,
            joined_late=choices.place is Placement.AFTER_INFERENCE and len(placements(self.query)) > 1,
        )

    def price(self, node: Operator, choices: ClusterChoices, configuration: Configuration) -> float:
        """Seconds of an operator, found once for all choices that make no difference to it."""
        key = node.digest, *(getattr(choices, name) for name in matters(node))
        if key not in self._prices:
            self._prices[key] = spark_seconds(node, self.sizes, self.machine, configuration)
        return self._prices[key]


def largest_kept(groupings: Groupings) -> int:
    """Bytes of the largest kept tensor of an image."""
    return max(
        (item.cnn.by_name[group.keep].bytes for item in groupings for group in item.kept if group.keep), default=0
    )
