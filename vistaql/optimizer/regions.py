"""How a plan on Spark divides memory between Java, its Python workers, and this process."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

from vistaql.optimizer.calibration import Calibration
from vistaql.optimizer.machine import Machine
from vistaql.optimizer.memory import Ledger, Line, Region
from vistaql.physical.choices import ClusterChoices
from vistaql.physical.operators import Fit, Keep, Operator, PickFeatures, RunPass
from vistaql.physical.regions import LEAST, Regions
from vistaql.physical.sizes import Sizes
from vistaql.settings import Persistence, TrainingPlace
from vistaql.spark_settings import SparkSettings

KEY_BYTES: Final = 200
"""Bytes of a row's key and path as objects of Java"""
IN_FLIGHT: Final = 2
"""Copies of a partition's vectors in Java: as Spark's rows, and as Arrow's (alpha of Vista, equation 10)"""


@dataclass(frozen=True)
class Contents:
    """What a plan has Spark hold, in bytes, whatever is decided about its memory."""

    keys: int
    """of rows and images"""
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
    return Contents(
        keys=KEY_BYTES * (sizes.rows + sizes.all_images),
        vectors=sum(picked),
        tensors=max((node.bytes(sizes) for node in order if isinstance(node, Keep)), default=0),
        running=max((node.memory(sizes) for node in order if isinstance(node, RunPass)), default=0),
        widest=max(picked, default=0),
        fits=max((node.memory(sizes) for node in order if isinstance(node, Fit)), default=0),
    )


def regions_of(contents: Contents, rates: Calibration, choices: ClusterChoices, executors: int = 1) -> Regions:
    """The regions of each of `executors` executors and of the driver, in bytes (Vista, equations 9 to 12).

    Mended: storage is an executor's share and not the whole cluster's; broadcasts and the driver are in it.
    """
    tasks, large = tasks_of(choices, executors), contents.vectors + contents.tensors
    held = 0.0 if choices.persistence is Persistence.DISK else rates.blow_up * large
    moving = IN_FLIGHT * tasks * large / max(1, choices.partitions)
    collected, python = 0, rates.process_bytes
    if choices.training is TrainingPlace.DRIVER:
        collected = contents.widest
        python += 2 * collected + contents.fits
    return Regions(
        core=max(LEAST.core, int(rates.jvm_bytes)),
        user=max(LEAST.user, int(contents.keys + moving)),
        storage=max(LEAST.storage, int(held / executors)),
        deep_learning=tasks * (int(rates.library_bytes) + contents.running),
        driver=max(LEAST.driver, int(contents.keys + IN_FLIGHT * collected)),
        python=int(python),
    )


def spilled_bytes(contents: Contents, choices: ClusterChoices) -> int:
    """What Spark puts on disk: all that it holds for later passes, or nothing."""
    return contents.vectors + contents.tensors if choices.persistence is Persistence.DISK else 0


def tasks_of(choices: ClusterChoices, executors: int) -> int:
    """Workers of one executor."""
    return math.ceil(choices.workers / executors)


def spark_ledger(regions: Regions, executors: int, machine: Machine, limit: int) -> Ledger:
    """The regions of all machines together, as the ledger of a plan."""
    bytes_of = {
        Region.SYSTEM: (machine.reserve_bytes, "left to others"),
        Region.CORE: (executors * regions.core, "Spark's own objects"),
        Region.DEEP_LEARNING: (executors * regions.deep_learning, "Python workers: TensorFlow, graphs, batches"),
        Region.STORAGE: (executors * regions.storage, "tensors and vectors kept for later passes"),
        Region.USER: (executors * regions.user, "rows and vectors on their way, broadcasts"),
        Region.DRIVER: (regions.driver + regions.python, "the driver's heap, and this process"),
    }
    lines = tuple(Line(region, int(size), told) for region, (size, told) in bytes_of.items())
    return Ledger(lines, "Spark", limit)


def executors_of(settings: SparkSettings, choices: ClusterChoices) -> int:
    """Executors that share the workers: as set, as the master's name says, else one for each task.

    >>> from vistaql.settings import JoinMethod, Placement
    >>> early, here = Placement.BEFORE_INFERENCE, TrainingPlace.DRIVER
    >>> two = ClusterChoices(2, 1, 1, 2, JoinMethod.SHUFFLE, early, Persistence.DISK, here)
    >>> executors_of(SparkSettings((("spark.master", "local-cluster[2,1,2048]"),)), two)
    2
    """
    values = dict(settings.values)
    if found := re.match(r"local-cluster\[(\d+)", settings.master):
        return int(found[1])
    if settings.master.startswith("local"):
        return 1
    if "spark.executor.instances" in values:
        return max(1, int(values["spark.executor.instances"]))
    if "spark.executor.cores" in values:
        return max(1, math.ceil(choices.workers * choices.threads / int(values["spark.executor.cores"])))
    # What the machines of a cluster have is not known here; an executor of one task fits wherever there is a core.
    return choices.workers
