"""Memory of plans on Spark: each machine by itself, broadcasts, what Spark is told, and heaps that were given."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from vistaql.engines.spark.memory import MIB, spark_conf
from vistaql.errors import VistaQLError
from vistaql.explain.account import ledger_of
from vistaql.frontend.binder import BoundQuery
from vistaql.logical.rules import RULES
from vistaql.optimizer.calibration import Calibration
from vistaql.optimizer.candidate import Candidate
from vistaql.optimizer.choose import Decision, choose
from vistaql.optimizer.machine import Machine
from vistaql.optimizer.memory import Region
from vistaql.optimizer.regions import Contents, executors_of, regions_of
from vistaql.optimizer.room import Constraint, room_of
from vistaql.physical.choices import ClusterChoices
from vistaql.physical.regions import RESERVED, Heaps, Regions, Started
from vistaql.physical.sizes import Sizes
from vistaql.plan.rewrite import rewrite
from vistaql.settings import EngineChoice, JoinMethod, Persistence, Placement, Settings, TrainingPlace
from vistaql.spark_settings import bytes_of

Bind = Callable[..., BoundQuery]
GB = 10**9
CHOICES = ClusterChoices(
    4, 1, 1, 8, JoinMethod.BROADCAST, Placement.BEFORE_INFERENCE, Persistence.SERIALIZED, TrainingPlace.DRIVER
)  # fmt: skip
CONTENTS = Contents(
    keys=10**6, broadcast=3 * GB, table=GB, vectors=10**6, tensors=10**6, running=10**8, widest=10**5, fits=10**6
)  # fmt: skip


def decide(bind: Bind, sizes: Sizes, machine: Machine, **values: object) -> Decision:
    settings = Settings(engine=EngineChoice.SPARK)
    for name, value in values.items():
        settings = settings.changed(name.replace("__", "."), value)
    query = rewrite(bind("EXPLORE LAYERS conv2, fc5 OF strokes FROM photos JOIN products TRAIN lr").plan, RULES)
    return choose(query, sizes, machine, settings)  # type: ignore[arg-type]


def regions(candidate: Candidate) -> Regions:
    assert candidate.configuration.regions is not None
    return candidate.configuration.regions


FOUR = {"spark__executor__instances": 4, "spark__executor__cores": 1}


def test_vista_2_executors_of_a_cluster_are_not_weighed_against_this_machine(bind: Bind, sizes: Sizes) -> None:
    """Four of them take more than this machine has, which is theirs to have; here is the driver."""
    machine = Machine(2, 3 * GB)
    chosen = decide(bind, sizes, machine, spark__master="yarn", **FOUR).chosen
    assert chosen.configuration.executors == 4
    assert chosen.peak_bytes == regions(chosen).here <= machine.memory_bytes < regions(chosen).total(4)
    # On this machine they are weighed together, whoever starts them.
    for master in ("local-cluster[4,1,2048]", "spark://localhost:7077"):
        with pytest.raises(VistaQLError, match=r"No plan fits into 3\.0 GB: the smallest, .*needs 1\d GB"):
            decide(bind, sizes, machine, spark__master=master, **FOUR)


def test_vista_2_each_executor_is_weighed_by_itself(bind: Bind, sizes: Sizes) -> None:
    """A limit is that of a machine: below what one executor takes nothing fits, however many there are."""
    chosen = decide(bind, sizes, Machine(2, 8 * GB), spark__master="yarn", **FOUR).chosen
    one = regions(chosen).executor
    assert one < 4 * GB < 4 * one
    fits = decide(bind, sizes, Machine(2, 8 * GB), spark__master="yarn", memory_limit="4GB", **FOUR)
    assert regions(fits.chosen).executor <= 4 * GB
    with pytest.raises(VistaQLError, match=r"No plan fits into 2\.0 GB as memory of an executor") as caught:
        decide(bind, sizes, Machine(2, 8 * GB), spark__master="yarn", memory_limit="2GB", **FOUR)
    assert "SET memory_limit" in (caught.value.hint or "")


def test_vista_2_the_driver_of_a_cluster_is_weighed_against_this_machine(bind: Bind, sizes: Sizes) -> None:
    many = replace(sizes, images=10**7, all_images=10**7, rows=10**7)
    with pytest.raises(VistaQLError, match=r"No plan fits into 3\.0 GB: "):
        decide(bind, many, Machine(2, 3 * GB), spark__master="yarn", **FOUR)


def test_the_ledger_of_a_cluster_holds_what_lies_here(bind: Bind, sizes: Sizes) -> None:
    decision = decide(bind, sizes, Machine(2, 8 * GB), spark__master="yarn", **FOUR)
    found = ledger_of(decision)
    assert found.needs == decision.chosen.peak_bytes
    assert {line.region for line in found.lines if not line.elsewhere} == {Region.SYSTEM, Region.DRIVER}
    assert sum(line.bytes for line in found.lines if line.elsewhere) == regions(decision.chosen).executor
    assert any("each of 4" in line.words for line in found.lines)


@pytest.mark.parametrize("master", ["local[2]", "local-cluster[2,1,2048]"])
def test_the_ledger_of_this_machine_adds_up_to_the_peak(bind: Bind, sizes: Sizes, master: str) -> None:
    decision = decide(bind, sizes, Machine(2, 16 * GB), spark__master=master)
    assert ledger_of(decision).needs == decision.chosen.peak_bytes


def test_vista_5_a_table_that_is_broadcast_lies_whole_in_every_executor_and_in_the_driver() -> None:
    def found(join: JoinMethod, training: TrainingPlace = TrainingPlace.DRIVER) -> Regions:
        return regions_of(CONTENTS, Calibration(), replace(CHOICES, join=join, training=training), executors=4)

    sent, shuffled = found(JoinMethod.BROADCAST), found(JoinMethod.SHUFFLE)
    assert sent.user - CONTENTS.broadcast > 0
    assert shuffled.user < CONTENTS.broadcast
    assert sent.driver >= CONTENTS.broadcast > shuffled.driver
    # A training on the cluster sends the columns of the table after them.
    assert found(JoinMethod.BROADCAST, TrainingPlace.CLUSTER).user - sent.user == CONTENTS.table


def test_vista_5_where_a_broadcast_does_not_fit_rows_are_shuffled(bind: Bind, sizes: Sizes) -> None:
    many = replace(sizes, images=5 * 10**6, all_images=5 * 10**6, rows=5 * 10**6)
    ample = decide(bind, many, Machine(2, 10**12))
    joins = {item.configuration.cluster.join: item for item in (ample.chosen, *reversed(ample.losers))
             if item.configuration.cluster}  # fmt: skip
    assert set(joins) == set(JoinMethod)
    least = {
        join: min(item.peak_bytes for item in (ample.chosen, *ample.losers)
                  if item.configuration.cluster and item.configuration.cluster.join is join)
        for join in JoinMethod
    }  # fmt: skip
    limit = (least[JoinMethod.BROADCAST] + least[JoinMethod.SHUFFLE]) // 2
    tight = decide(bind, many, Machine(2, limit))
    assert tight.chosen.configuration.cluster is not None
    assert tight.chosen.configuration.cluster.join is JoinMethod.SHUFFLE


@pytest.mark.parametrize(("master", "executors"), [("local[4]", 1), ("yarn", 4), ("spark://far:7077", 2)])
def test_what_is_promised_is_what_spark_is_told(master: str, executors: int) -> None:
    """Heaps and overhead of all executors, the driver's heap, and this process are the bytes of the plan."""
    heaps = Heaps(one_java=master.startswith("local"))
    found = regions_of(CONTENTS, Calibration(), CHOICES, executors, heaps)
    told = {name: bytes_of(value, "m") for name, value in spark_conf(master, found, CHOICES, executors)}
    if heaps.one_java:
        assert told["spark.driver.memory"] + found.outside + found.python - found.total() in range(MIB)
        return
    each = told["spark.executor.memory"] + told["spark.executor.memoryOverhead"]
    assert each - found.executor in range(2 * MIB)
    assert told["spark.driver.memory"] - found.driver_heap in range(MIB)
    assert found.total(executors) == executors * found.executor + found.here
    assert found.here > found.driver_heap + found.python
    assert found.heap >= RESERVED + found.core + found.user + found.storage
    assert found.overhead >= 384 * MIB + CHOICES.workers // executors * 64 * MIB


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"spark__master": "local[2]", "spark__driver__memory": "1500m"}, Constraint.DRIVER_HEAP),
        ({"spark__master": "local-cluster[2,1,1500]"}, Constraint.HEAP),
        ({"spark__master": "yarn", "spark__executor__memory": "1500m"}, Constraint.HEAP),
        ({"spark__master": "yarn", "spark__driver__memory": "1500m"}, Constraint.DRIVER_HEAP),
        ({"spark__master": "yarn", "spark__executor__memoryOverhead": "1500m"}, Constraint.OVERHEAD),
    ],
)
def test_a_heap_that_is_given_bounds_the_plan(
    bind: Bind, sizes: Sizes, values: dict[str, object], constraint: Constraint
) -> None:
    assert decide(bind, sizes, Machine(2, 100 * GB), **FOUR, **values).chosen
    many = replace(sizes, images=4 * 10**6, all_images=4 * 10**6, rows=4 * 10**6)
    if constraint is Constraint.OVERHEAD:
        values = values | {"spark__executor__memoryOverhead": "500m"}
    with pytest.raises(VistaQLError, match=constraint.value) as caught:
        decide(bind, many, Machine(2, 100 * GB), **FOUR, **values)
    assert "A larger spark." in (caught.value.hint or "")


def test_a_heap_that_is_given_is_what_the_plan_counts(bind: Bind, sizes: Sizes) -> None:
    """A Java fills the heap that it has; what a plan does not need of it is Spark's own."""
    for size in ("1g", "4g"):
        chosen = decide(bind, sizes, Machine(2, 100 * GB), spark__master="local[2]", spark__driver__memory=size).chosen
        assert regions(chosen).heap == bytes_of(size, "b")
        assert chosen.peak_bytes > bytes_of(size, "b")


@pytest.mark.parametrize("size", ["1g", "2g", "8g"])
def test_plans_share_a_session_whose_heap_is_given(bind: Bind, sizes: Sizes, size: str) -> None:
    """A little more of something does not start Spark again, which could have no other heap."""
    more = replace(sizes, images=1600, all_images=2000, rows=1600)
    few, many = (
        regions(decide(bind, item, Machine(2, 100 * GB), spark__master="local[2]", spark__driver__memory=size).chosen)
        for item in (sizes, more)
    )
    assert few.covers(many, outside=False)
    assert many.covers(few, outside=False)


def test_a_session_that_was_given_bounds_the_plan_by_its_own(bind: Bind, sizes: Sizes) -> None:
    many = replace(sizes, images=4 * 10**6, all_images=4 * 10**6, rows=4 * 10**6)
    given = Machine(2, 100 * GB, started=Started(2, 1, Heaps(one_java=True, executor=10**9)))
    assert decide(bind, sizes, given, spark__master="local[2]").chosen.peak_bytes < 4 * GB
    with pytest.raises(VistaQLError, match="the driver's heap"):
        decide(bind, many, given, spark__master="local[2]")
    cluster = replace(given, started=Started(6, 3, Heaps(executor=2 * GB, driver=2 * GB)))
    chosen = decide(bind, sizes, cluster, spark__master="spark://far:7077").chosen
    assert (chosen.configuration.executors, regions(chosen).heap) == (3, 2 * GB)


def test_nothing_bounds_executors_of_which_nothing_is_known() -> None:
    settings = Settings().changed("spark.master", "yarn")
    assert room_of(settings, Machine(2, 8 * GB)).executor == math.inf
    assert executors_of(settings.spark, CHOICES) == 4
