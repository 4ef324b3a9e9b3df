"""What Spark is told about memory, so that it holds what the plan promised.

`spark.executor.pyspark.memory` is never set: it limits address space, of which TensorFlow reserves far more than it
touches. Arrow batches, which have 10,000 rows whatever they weigh by default, and adaptive execution, which merges
partitions into larger ones than the plan allowed, are taken care of while a plan runs (`running_conf`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from vistaql.physical.regions import BATCH_BYTES, MIB
from vistaql.spark_settings import TASK_CPUS, cluster_shape, local_slots

if TYPE_CHECKING:
    from vistaql.physical.choices import ClusterChoices
    from vistaql.physical.regions import Regions

Pairs = tuple[tuple[str, str], ...]

NOTHING: Mapping[str, str] = MappingProxyType({})
CORES = frozenset({"spark.executor.instances", "spark.executor.cores", "spark.cores.max", TASK_CPUS})
"""what says how many tasks run side by side"""

BATCH_ROWS = 64
"""rows of an Arrow batch on its way to a worker; without a limit it would be 10,000, whatever they weigh"""


def spark_conf(
    master: str,
    regions: Regions,
    choices: ClusterChoices | None,
    executors: int = 1,
    fixed: Mapping[str, str] = NOTHING,
) -> Pairs:
    """The settings of Spark that give a plan its memory and its cores, by name; sizes are whole MiB, rounded up.

    With a local master driver and executor are one Java: its heap holds the regions of both, and Python workers are
    processes beside it. Elsewhere a cluster manager kills an executor that takes more than heap and overhead together,
    so that the overhead holds the Python workers. `fixed` are the user's own, to which cores are fitted.
    """
    # Without choices Spark's own numbers of cores and executors, until a plan knows better.
    cores = {} if choices is None else core_conf(master, choices, executors, fixed)
    conf = {
        "spark.memory.fraction": share(regions.core + regions.storage, regions.divided),
        "spark.memory.storageFraction": share(regions.storage, regions.core + regions.storage),
        # A collect that is larger ends with Spark's words instead of a heap that is full.
        "spark.driver.maxResultSize": mebibytes(max(regions.driver, 64 * MIB)),
    }
    if master.startswith("local") and cluster_shape(master) is None:
        conf["spark.driver.memory"] = mebibytes(replace(regions, one_java=True).heap)
        return tuple(sorted((conf | cores).items()))
    conf |= {
        "spark.driver.memory": mebibytes(regions.driver_heap),
        "spark.executor.memory": executor_memory(master, regions),
        "spark.executor.memoryOverhead": mebibytes(regions.outside),
    }
    return tuple(sorted((conf | cores).items()))


def running_conf(choices: ClusterChoices) -> dict[str, str]:
    """What Spark SQL is told while a plan runs."""
    return {
        "spark.sql.execution.arrow.maxRecordsPerBatch": str(BATCH_ROWS),
        "spark.sql.execution.arrow.maxBytesPerBatch": str(BATCH_BYTES),
        "spark.sql.shuffle.partitions": str(choices.partitions),
        # The plan is made already. Adaptive execution would merge parts into fewer than there are workers.
        "spark.sql.adaptive.enabled": "false",
    }


def core_conf(master: str, choices: ClusterChoices, executors: int, fixed: Mapping[str, str]) -> dict[str, str]:
    """Executors and their cores: one for each TensorFlow thread of a task, else shared out among the tasks there are.

    So as many tasks run side by side as the plan has workers, and no more.

    >>> from vistaql.settings import JoinMethod, Persistence, Placement, TrainingPlace
    >>> from vistaql.physical.choices import ClusterChoices
    >>> early, here = Placement.BEFORE_INFERENCE, TrainingPlace.DRIVER
    >>> two = ClusterChoices(2, 1, 1, 2, JoinMethod.SHUFFLE, early, Persistence.DISK, here)
    >>> core_conf("local[4]", two, 1, {}), core_conf("local[2]", two, 1, {})
    ({'spark.task.cpus': '2'}, {})
    """
    tasks, slots = math.ceil(choices.workers / executors), local_slots(master)
    if slots is not None or master.startswith("local["):
        cpus = (slots or tasks) // tasks
        return {TASK_CPUS: str(cpus)} if cpus > 1 else {}
    shape = cluster_shape(master)
    cores = shape.cores if shape else int(fixed.get("spark.executor.cores", tasks * choices.threads))
    conf = {"spark.executor.cores": str(cores), TASK_CPUS: str(max(1, cores // tasks))}
    if shape:
        return conf
    return conf | {"spark.executor.instances": str(executors), "spark.cores.max": str(executors * cores)}


def executor_memory(master: str, regions: Regions) -> str:
    """An executor's heap: what the plan needs, but what the master's name says where that is said."""
    shape = cluster_shape(master)
    return mebibytes(shape.heap if shape else regions.heap)


def share(part: int, whole: int) -> str:
    """A fraction as Spark takes it; never none and never all, which Spark refuses.

    >>> share(1, 3), share(0, 5), share(5, 5), share(0, 0)
    ('0.333', '0.05', '0.95', '0.5')
    """
    return f"{min(max(part / whole, 0.05), 0.95):.3f}".rstrip("0") if whole else "0.5"


def mebibytes(size: float) -> str:
    """Bytes as Spark takes them.

    >>> mebibytes(1.5 * 2**20)
    '2m'
    """
    return f"{math.ceil(size / MIB)}m"


def conf_lines(conf: Pairs) -> tuple[str, ...]:
    """The settings as they are given to spark-submit.

    >>> conf_lines((("spark.driver.memory", "900m"), ("spark.app.name", "my app")))
    ('--conf spark.driver.memory=900m', "--conf 'spark.app.name=my app'")
    """
    import shlex

    return tuple(f"--conf {shlex.quote(f'{name}={value}')}" for name, value in conf)
