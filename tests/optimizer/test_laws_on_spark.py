"""Laws of the search on Spark, without a run: it finds what trying everything finds, and more memory never hurts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import strategies as st

from tests.optimizer.test_laws import DISKS, FEW, SIZES, query_of, run_law
from tests.optimizer.workloads import layers
from vistaql.logical.nodes import Explore
from vistaql.optimizer.candidate import Candidate
from vistaql.optimizer.configuration import configure
from vistaql.optimizer.enumerate import every_grouping, resume_points
from vistaql.optimizer.lower import lower_groupings, wanted_by_cnn
from vistaql.optimizer.machine import Machine
from vistaql.optimizer.regions import contents_of, executors_of, regions_of, spilled_bytes
from vistaql.optimizer.room import Room, room_of
from vistaql.optimizer.spark import other_choices, partition_count, spark_seconds, worker_choices
from vistaql.optimizer.spark_candidates import OnCluster, largest_kept, spark_candidates
from vistaql.physical.choices import ClusterChoices
from vistaql.physical.engine import Storage
from vistaql.physical.operators import Operator, ReadImages
from vistaql.physical.run import run_order
from vistaql.physical.sizes import Sizes
from vistaql.settings import JoinMethod, Persistence, Placement, Settings, TrainingPlace

TWO_CORES = Machine(2, 8 * 10**9)


def every_plan(query: Explore, sizes: Sizes, settings: Settings, room: Room) -> Iterator[tuple[float, int, int]]:
    """Seconds, memory, disk of every grouping that memory allows, with all choices that are open, priced one by one."""
    ((cnn, outputs),) = wanted_by_cnn(query).items()
    named = OnCluster(query, sizes, TWO_CORES, settings).named
    every = [(item,) for item in every_grouping(cnn, outputs)]
    held = [item for item in every if all(group.storage is Storage.MEMORY for group in item[0].groups)]
    tensors = {0, *(cnn.by_name[point].bytes for point in resume_points(cnn, outputs))}

    @cache
    def seconds(node: Operator, choices: ClusterChoices) -> float:
        alone = configure(TWO_CORES, settings, Storage.MEMORY)
        here = replace(alone, threads=choices.threads, decoders=choices.decoders, cluster=choices)
        return spark_seconds(node, sizes, TWO_CORES, here)

    for groupings in dict.fromkeys([*named, *held]):
        for place in [settings.placement] if settings.placement else Placement:
            order = run_order(lower_groupings(query, groupings, place))
            images = next(node.count(sizes) for node in order if isinstance(node, ReadImages))
            contents = contents_of(order, sizes)
            for workers in worker_choices(TWO_CORES, settings):

                def parts(size: int, images: int = images, workers: int = workers.workers) -> int:
                    return partition_count(images, max(int(sizes.image_bytes), size), workers)

                least = parts(largest_kept(groupings))
                more = {count for count in map(parts, tensors) if count > least} if groupings in held else set()
                for count in (least, *more):
                    for choices in other_choices(replace(workers, place=place, partitions=count), settings):
                        executors = executors_of(settings.spark, choices)
                        regions = regions_of(contents, TWO_CORES.calibration, choices, executors, room.heaps)
                        if room.holds(regions, executors):
                            took, needs = (
                                sum(seconds(node, choices) for node in order),
                                room.taken_here(regions, executors),
                            )
                            yield took, needs, spilled_bytes(contents, choices)


def cheapest(plans: list[Candidate], limit: float, disk: float = math.inf) -> float:
    """Seconds of the cheapest plan that fits."""
    return min((plan.seconds for plan in plans if plan.fits(limit, disk)), default=math.inf)


CHOICES = st.builds(
    Settings,
    join=st.sampled_from([None, *JoinMethod]),
    placement=st.sampled_from([None, *Placement]),
    persistence=st.sampled_from([None, None, *Persistence]),
    training=st.sampled_from([None, *TrainingPlace]),
    workers=st.sampled_from([None, 1, 2]),
)
"""What a user may have set"""
COUNTS = st.one_of(st.integers(10, 10**4), st.integers(10**4, 10**7))
# Around what plans of the tiny CNN need.
LIMITS = st.one_of(st.integers(32 * 10**8, 52 * 10**8), st.integers(10**9, 10**11))


def sizes_of(count: int, share: float, image_bytes: int) -> Sizes:
    some = max(1, int(count * share))
    return replace(SIZES, images=some, all_images=count, rows=some, image_bytes=float(image_bytes))


SHARES = st.sampled_from([1.0, 0.9, 0.1])
BYTES = st.sampled_from([2_000, 90_000])


@FEW
def test_the_search_finds_what_brute_force_finds(examples: int) -> None:
    def law(names: list[str], count: int, share: float, size: int, chosen: Settings, limit: int, disk: int) -> None:
        query, sizes, machine = query_of(names), sizes_of(count, share, size), replace(TWO_CORES, disk_bytes=disk)
        found = cheapest(list(spark_candidates(query, sizes, machine, chosen, limit)), limit, disk)
        plans = every_plan(query, sizes, chosen, room_of(chosen, TWO_CORES, limit))
        best = min((took for took, _, lies in plans if lies <= disk), default=math.inf)
        assert found == pytest.approx(best)

    run_law(
        law, examples, names=layers(3), count=COUNTS, share=SHARES, size=BYTES, chosen=CHOICES, limit=LIMITS, disk=DISKS
    )  # fmt: skip


@FEW
def test_more_memory_never_raises_the_best_cost(examples: int) -> None:
    def law(names: list[str], count: int, less: int, more: int) -> None:
        query, sizes = query_of(names), sizes_of(count, 0.9, 90_000)
        tight, ample = (
            cheapest(list(spark_candidates(query, sizes, TWO_CORES, Settings(), limit)), limit)
            for limit in (less, less + more)
        )
        assert ample <= tight

    run_law(law, examples, names=layers(4), count=COUNTS, less=LIMITS, more=LIMITS)


def test_candidates_are_priced_and_measured_as_their_operators_say() -> None:
    """What is found once for many choices is what each of them would have found by itself."""
    query, sizes = query_of(["conv2", "conv4", "fc5"]), sizes_of(50_000, 0.5, 9_000)
    plans = list(spark_candidates(query, sizes, TWO_CORES, Settings()))
    assert len(plans) > 100
    assert len({(plan.groupings, plan.configuration.cluster) for plan in plans}) == len(plans)
    for plan in plans:
        order = run_order(plan.plan)
        assert dict(plan.prices) == {
            node.digest: spark_seconds(node, sizes, TWO_CORES, plan.configuration) for node in order
        }
        assert plan.configuration.cluster is not None
        heaps = room_of(Settings(), TWO_CORES).heaps
        regions = regions_of(contents_of(order, sizes), TWO_CORES.calibration, plan.configuration.cluster, heaps=heaps)
        assert plan.configuration.regions == regions
