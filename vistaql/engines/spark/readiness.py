"""What a session that has just been started still waits for: executors, and TensorFlow in its first Python process."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from vistaql.engines.spark.frames import workers_with
from vistaql.engines.spark.jobs import jobs
from vistaql.errors import Code, VistaQLError

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

    Batches = Iterator[pa.RecordBatch]

PATIENCE = 60.0
"""seconds for the first executor of a cluster that is ours alone to wait for"""


def await_executor(session: SparkSession, master: str) -> None:
    """Wait for the first executor of a standalone master. Raises SPARK_START: Spark itself would wait for ever.

    YARN and Kubernetes queue requests, perhaps for long, and for good reasons.
    """
    if not master.startswith(("spark://", "local-cluster")):
        return
    context: Any = session.sparkContext._jsc.sc()  # noqa: SLF001, Python has no other way to ask
    end = time.monotonic() + PATIENCE
    # The driver is counted as well.
    while context.getExecutorMemoryStatus().size() < 2:
        if time.monotonic() > end:
            memory = session.sparkContext.getConf().get("spark.executor.memory", "1g")
            raise VistaQLError(
                Code.SPARK_START,
                f"No executor has started in {PATIENCE:.0f} s: no worker of {master} has {memory} and a core to spare.",
                hint="Ask for less: SET spark.executor.memory = '1g'; or end what else runs there.",
            )
        time.sleep(0.1)


def load_early(session: SparkSession, threads: int) -> None:
    """Let the process that Python workers are forked from load TensorFlow while rows are still being joined.

    Workers with so many TensorFlow threads have such a process of their own. It takes one of the tasks that run side
    by side, so there have to be two, and a daemon that loads anything.
    """
    context = session.sparkContext
    if not str(context.master).startswith("local[") or context.defaultParallelism < 2:
        return
    if context.getConf().get("spark.python.daemon.module", None) is None:
        return
    with workers_with(session, threads):
        frame = session.range(1, numPartitions=1).mapInArrow(same, "id long")
    threading.Thread(target=_count, args=(session, frame), name="load-tensorflow", daemon=True).start()


def _count(session: SparkSession, frame: DataFrame) -> None:
    # Whatever goes wrong here goes wrong again, and is told, in the first job that somebody waits for.
    with contextlib.suppress(Exception), jobs(session, "start", "start Python workers"):
        frame.count()


def same(batches: Batches) -> Batches:
    """What came."""
    yield from batches
