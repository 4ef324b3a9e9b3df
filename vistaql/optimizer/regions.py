"""How a plan on Spark divides memory between Java, its Python workers, and this process."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from vistaql.optimizer.calibration import Calibration
from vistaql.optimizer.machine import Machine
from vistaql.optimizer.memory import Ledger, Line, Region
from vistaql.physical.choices import ClusterChoices
from vistaql.physical.operators import Fit, Keep, Operator, PickFeatures, RunPass, WriteFeatures
from vistaql.physical.regions import LEAST, MIB, OPEN, RESERVED, Heaps, Regions, Started, beside_heap
from vistaql.physical.sizes import Sizes
from vistaql.settings import JoinMethod, Persistence, TrainingPlace
from vistaql.spark_settings import SparkSettings, cluster_shape

KEY_BYTES: Final = 200
"""Bytes of a row's key and path as objects of Java"""
IN_FLIGHT: Final = 2
"""Copies of a partition's vectors in Java: as Spark's rows, and as Arrow's (alpha of Vista, equation 10)"""
LEAST_CORE: Final = 150 * MIB
"""Spark does not start in a heap of less than half as much again as it reserves"""
NUMBER_BYTES: Final = 8
"""of an encoded column, in a training on the cluster"""


@dataclass(frozen=True)
class Contents:
    """What a plan has Spark hold, in bytes, whatever is decided about its memory."""

    keys: int
    """of rows and images"""
    broadcast: int
    """what joins send whole to every executor, where they broadcast"""
    table: int
    """encoded columns of all rows, which meet the vectors in a training on the cluster"""
    vectors: int
    """of all layers"""
    tensors: int
    """of the largest kept tensor"""
    running: int
    """what the largest pass takes in a worker, beside TensorFlow"""
    widest: int
    """the vectors of the widest layer"""
    fits: int
    """what the largest fit takes"""


def contents_of(order: tuple[Operator, ...], sizes: Sizes) -> Contents:
    """What the operators of a plan tell."""
    picked = [node.size(sizes) for node in order if isinstance(node, PickFeatures)]
    # An export puts layers beside each other, and each but the first is sent to where that one lies.
    beside = [item.size(sizes) for node in order if isinstance(node, WriteFeatures) for item in node.features[1:]]
    return Contents(
        keys=KEY_BYTES * (sizes.rows + sizes.all_images),
        broadcast=KEY_BYTES * sizes.rows + sum(beside),
        table=NUMBER_BYTES * sizes.columns * sizes.rows,
        vectors=sum(picked),
        tensors=max((node.bytes(sizes) for node in order if isinstance(node, Keep)), default=0),
        running=max((node.memory(sizes) for node in order if isinstance(node, RunPass)), default=0),
        widest=max(picked, default=0),
        fits=max((node.memory(sizes) for node in order if isinstance(node, Fit)), default=0),
    )


def regions_of(
    contents: Contents, rates: Calibration, choices: ClusterChoices, executors: int = 1, heaps: Heaps = OPEN
) -> Regions:
    """The regions of each of `executors` executors and of the driver, in bytes (Vista, equations 9 to 12).

    Mended: storage is an executor's share and not the whole cluster's; broadcasts and the driver are in it, and what
    Spark takes of a heap and beside it.
    """
    tasks, large = tasks_of(choices, executors), contents.vectors + contents.tensors
    held = 0.0 if choices.persistence is Persistence.DISK else rates.blow_up * large
    moving = IN_FLIGHT * tasks * large / max(1, choices.partitions)
    collected, python, sent = 0, rates.process_bytes, broadcast_bytes(contents, choices)
    if choices.training is TrainingPlace.DRIVER:
        collected = contents.widest
        python += 2 * collected + contents.fits
    needed = Regions(
        core=max(LEAST.core, int(rates.jvm_bytes)),
        user=int(contents.keys + sent + moving),
        storage=int(held / executors),
        deep_learning=tasks * (int(rates.library_bytes) + contents.running),
        driver=int(contents.keys + sent + IN_FLIGHT * collected),
        python=int(python),
        one_java=heaps.one_java,
    )
    divided = in_heaps(needed, heaps)
    return replace(divided, overhead=beside_heap(divided.heap, tasks))


def broadcast_bytes(contents: Contents, choices: ClusterChoices) -> int:
    """What joins put whole into every executor, after the driver has made it; nothing where both sides are shuffled."""
    if choices.join is JoinMethod.SHUFFLE:
        return 0
    return contents.broadcast + (contents.table if choices.training is TrainingPlace.CLUSTER else 0)


def in_heaps(needed: Regions, heaps: Heaps) -> Regions:
    """What a plan needs in the heaps it will have: each part at least as every session has it, so that plans share one.

    A heap that is given may be smaller than those we start. Its parts are at least a quarter of it then, where the plan
    leaves that much, and its core takes all that is left.
    """
    found = at_least(needed, LEAST)
    if heaps.driver is not None:
        found = replace(found, driver=max(needed.driver, heaps.driver - RESERVED))
    if heaps.executor is None:
        return found
    driver = found.driver
    quarter = max(0, heaps.executor - RESERVED - LEAST_CORE) // 4
    least = replace(LEAST, **{part: min(quarter, getattr(LEAST, part)) for part in ("user", "storage", "driver")})
    for part in (at_least(needed, least), needed):
        found = replace(part, core=LEAST_CORE, driver=part.driver if heaps.one_java else driver)
        if found.heap <= heaps.executor:
            return replace(found, core=LEAST_CORE + heaps.executor - found.heap)
    return found


def at_least(needed: Regions, least: Regions) -> Regions:
    """The same with no part that plans fill smaller than another's."""
    return replace(
        needed,
        user=max(least.user, needed.user),
        storage=max(least.storage, needed.storage),
        driver=max(least.driver, needed.driver),
    )


def spilled_bytes(contents: Contents, choices: ClusterChoices) -> int:
    """What Spark puts on disk: all that it holds for later passes, or nothing."""
    return contents.vectors + contents.tensors if choices.persistence is Persistence.DISK else 0


def tasks_of(choices: ClusterChoices, executors: int) -> int:
    """Workers of one executor."""
    return math.ceil(choices.workers / executors)


def spark_ledger(regions: Regions, executors: int, machine: Machine, limit: int, *, together: bool = True) -> Ledger:
    """The regions as the ledger of a plan: all of them where executors run here, else one executor's, outside of it."""
    times = executors if together else 1
    each = "" if together else f", in each of {executors}" if executors > 1 else ", elsewhere"
    parts = (
        (Region.CORE, regions.core, "Spark's own objects"),
        (Region.DEEP_LEARNING, regions.deep_learning, "Python workers: TensorFlow, graphs, batches"),
        (Region.STORAGE, regions.storage, "tensors and vectors kept for later passes"),
        (Region.USER, regions.user, "rows and vectors on their way, broadcasts"),
        (Region.JAVA, regions.overhead + RESERVED, "what Java reserves, and batches outside its heap"),
    )
    here = regions.driver + regions.python if regions.one_java else regions.here
    lines = (
        Line(Region.SYSTEM, machine.reserve_bytes, "left to others"),
        *(Line(region, times * size, words + each, elsewhere=not together) for region, size, words in parts),
        Line(Region.DRIVER, here, "the driver's heap, and this process"),
    )
    return Ledger(lines, "Spark", limit)


def executors_of(settings: SparkSettings, choices: ClusterChoices, started: Started | None = None) -> int:
    """Executors that share the workers: as given, as set, as the master's name says, else one for each task.

    >>> from vistaql.settings import JoinMethod, Placement
    >>> early, here = Placement.BEFORE_INFERENCE, TrainingPlace.DRIVER
    >>> two = ClusterChoices(2, 1, 1, 2, JoinMethod.SHUFFLE, early, Persistence.DISK, here)
    >>> executors_of(SparkSettings((("spark.master", "local-cluster[2,1,2048]"),)), two)
    2
    """
    if started is not None:
        return started.executors
    values = dict(settings.values)
    if shape := cluster_shape(settings.master):
        return shape.executors
    if settings.master.startswith("local"):
        return 1
    if "spark.executor.instances" in values:
        return max(1, int(values["spark.executor.instances"]))
    if "spark.executor.cores" in values:
        return max(1, math.ceil(choices.workers * choices.threads / int(values["spark.executor.cores"])))
    # What the machines of a cluster have is not known here; an executor of one task fits wherever there is a core.
    return choices.workers
