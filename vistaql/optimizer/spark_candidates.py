"""The plans that Spark could run: each named strategy in every way that the settings leave open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from vistaql.logical.nodes import Explore, Export, Together
from vistaql.optimizer.candidate import Candidate
from vistaql.optimizer.configuration import Configuration, configure
from vistaql.optimizer.grouping import NAMED, Grouping, named, strategy_of
from vistaql.optimizer.lower import Placement, lower_groupings, wanted_by_cnn
from vistaql.optimizer.machine import Machine
from vistaql.optimizer.regions import executors_of, spark_regions
from vistaql.optimizer.spark import cluster_choices, largest_image, spark_seconds
from vistaql.physical.choices import ClusterChoices
from vistaql.physical.engine import Storage
from vistaql.physical.operators import Operator
from vistaql.physical.run import run_order
from vistaql.physical.sizes import Sizes
from vistaql.settings import JoinPlace, Settings

PLACEMENTS = {JoinPlace.BEFORE: Placement.BEFORE_INFERENCE, JoinPlace.AFTER: Placement.AFTER_INFERENCE}


def spark_candidates(
    query: Explore | Export | Together, sizes: Sizes, machine: Machine, settings: Settings
) -> Iterator[Candidate]:
    """Every strategy in every way in which Spark can run it; equal plans once.

    Where kept tensors lie is a matter of persistence there, so that groupings keep them in memory.
    """
    wanted = wanted_by_cnn(query)
    configuration = configure(machine, settings, Storage.MEMORY)
    seen: set[tuple[Grouping, ...]] = set()
    for strategy in NAMED:
        groupings = tuple(named(strategy, cnn, outputs, Storage.MEMORY) for cnn, outputs in wanted.items())
        if groupings in seen:
            continue
        seen.add(groupings)
        plans = {place: lower_groupings(query, groupings, PLACEMENTS[place]) for place in JoinPlace}
        largest = largest_image(plans[JoinPlace.BEFORE], sizes)
        for choices in cluster_choices(sizes, largest, machine, settings):
            plan = plans[choices.place]
            chosen = on_cluster(configuration, choices, plan, sizes, machine, settings)
            if chosen.regions is None:
                continue
            yield Candidate(
                strategy=strategy_of(groupings, settings.plan.value),
                plan=plan,
                configuration=chosen,
                prices=tuple((node.digest, spark_seconds(node, sizes, machine, chosen)) for node in run_order(plan)),
                peak_bytes=chosen.regions.total(chosen.executors),
                groupings=groupings,
                placement=PLACEMENTS[choices.place],
                joined_late=choices.place is JoinPlace.AFTER,
            )


def on_cluster(
    configuration: Configuration,
    choices: ClusterChoices,
    plan: Operator,
    sizes: Sizes,
    machine: Machine,
    settings: Settings,
) -> Configuration:
    """The configuration with what was chosen about Spark, and how its memory is divided."""
    executors = executors_of(settings.spark, choices)
    return replace(
        configuration,
        threads=choices.threads,
        decoders=choices.decoders,
        cluster=choices,
        regions=spark_regions(plan, sizes, machine, choices, executors),
        executors=executors,
    )
