"""What Spark is told about memory, so that it holds what the plan promised.

`spark.executor.pyspark.memory` is never set: it limits address space, of which TensorFlow reserves far more than it
touches. Arrow batches, which have 10,000 rows whatever they weigh by default, and adaptive execution, which merges
partitions into larger ones than the plan allowed, are taken care of while a plan runs (`running_conf`).
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from vistaql.physical.regions import BATCH_BYTES, MIB
from vistaql.spark_settings import cluster_shape

if TYPE_CHECKING:
    from vistaql.physical.choices import ClusterChoices
    from vistaql.physical.regions import Regions

Pairs = tuple[tuple[str, str], ...]

BATCH_ROWS = 64
"""rows of an Arrow batch on its way to a worker; without a limit it would be 10,000, whatever they weigh"""


def spark_conf(master: str, regions: Regions, choices: ClusterChoices | None, executors: int = 1) -> Pairs:
    """The settings of Spark that give a plan its memory and its cores, by name; sizes are whole MiB, rounded up.

    With a local master driver and executor are one Java: its heap holds the regions of both, and Python workers are
    processes beside it. Elsewhere a cluster manager kills an executor that takes more than heap and overhead together,
    so that the overhead holds the Python workers.
    """
    conf = {
        "spark.memory.fraction": share(regions.core + regions.storage, regions.divided),
        "spark.memory.storageFraction": share(regions.storage, regions.core + regions.storage),
        # A collect that is larger ends with Spark's words instead of a heap that is full.
        "spark.driver.maxResultSize": mebibytes(max(regions.driver, 64 * MIB)),
    }
    if master.startswith("local") and cluster_shape(master) is None:
        conf["spark.driver.memory"] = mebibytes(replace(regions, one_java=True).heap)
        return tuple(sorted(conf.items()))
    if choices is None:
        # Spark's own numbers of cores and executors, until a plan knows better.
        tasks, cores = 1, {}
    else:
        tasks = math.ceil(choices.workers / executors)
        cores = core_conf(master, tasks, choices.threads, executors)
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


def core_conf(master: str, tasks: int, threads: int, executors: int) -> dict[str, str]:
    """Executors, their cores, and a core for each TensorFlow thread of a task, as far as an executor has them."""
    if shape := cluster_shape(master):
        return {"spark.executor.cores": str(shape.cores), "spark.task.cpus": str(min(threads, shape.cores))}
    return {
        "spark.executor.instances": str(executors),
        "spark.executor.cores": str(tasks * threads),
        "spark.cores.max": str(executors * tasks * threads),
        "spark.task.cpus": str(threads),
    }


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
