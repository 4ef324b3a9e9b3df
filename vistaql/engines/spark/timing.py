"""Measuring Spark on this machine: starting it, a job, a task, bytes moved and held, fits of MLlib.

It runs in a process of its own, so that Java starts as it does for a first statement, and no session of the caller is
in the way. That process prints a line before each step, and what it has found in the last one.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from vistaql.catalog import codec
from vistaql.engines.inprocess.fitting import Learnable
from vistaql.engines.inprocess.timing import seconds_of
from vistaql.engines.spark.conf import Needs
from vistaql.engines.spark.counting import items, items_of
from vistaql.engines.spark.engine import FeatureFrame
from vistaql.engines.spark.frames import Held, configured, from_arrow, workers_with
from vistaql.engines.spark.java import find_java
from vistaql.engines.spark.launch import spark_session
from vistaql.engines.spark.memory import running_conf
from vistaql.engines.spark.readiness import same
from vistaql.engines.spark.training import fit_on_cluster
from vistaql.errors import Code, VistaQLError
from vistaql.learners import LogisticRegression
from vistaql.logical.evaluation import Evaluation, Splitting
from vistaql.physical.choices import ClusterChoices
from vistaql.physical.resident import resident_bytes
from vistaql.settings import JoinMethod, Persistence, Placement, TrainingPlace
from vistaql.spark_settings import MASTER, SparkSettings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    Batches = Iterator[pa.RecordBatch]

ROWS: Final = 512
WIDTH: Final = 50_000
"""Numbers of a row: 200 KB, as the tensor of a block of a CNN"""
NARROW: Final = 1_000
"""Numbers of a row that is shuffled and collected, as the vector of a layer"""
TIMES: Final = 3
MORE_TASKS: Final = 9
"""tasks a worker, where those are what is measured"""
SHAPES: Final = ((300, 32, 5), (1500, 512, 5))
"""Rows, features, classes of a small fit and of a large one"""
FOLDS: Final = 2


@dataclass(frozen=True)
class MllibTime:
    """Seconds of a training over FOLDS folds, and the operations that its learner told."""

    seconds: float
    flops: float


@dataclass(frozen=True)
class HeldTime:
    """Seconds to write and read what is held, seconds to hand it to Python, and bytes that it took in memory."""

    seconds: float
    taken: float
    stored: float


@dataclass(frozen=True)
class Moved:
    """Seconds for `bytes` of wide rows and `vectors` bytes of narrow ones, with a worker on every core."""

    bytes: float
    sent: float
    """from Python to Java"""
    taken: float
    """from Java to Python"""
    held: tuple[tuple[str, float], ...]
    """written and read, by the word for how they are held"""
    stored: float
    """bytes that Spark took to hold wide rows in memory"""
    vectors: float
    shuffled: float
    collected: float


@dataclass(frozen=True)
class SparkTime:
    """What Spark took here, in wall-clock seconds."""

    context: float
    """until the first job is done"""
    workers: float
    """the first job in Python workers that use TensorFlow, beyond a later one"""
    job: float
    reading: float
    """a query over a little that is held"""
    task: float
    """one worker's"""
    java: float
    """resident bytes of Java before it held anything"""
    moved: Moved
    cold: MllibTime
    """the first training, which loads MLlib"""
    small: MllibTime
    large: MllibTime


def time_spark(settings: SparkSettings, cores: int, say: Callable[[str], None]) -> SparkTime:
    """Measure in a process of its own. Raises what starting Spark raises."""
    find_java()
    wanted = json.dumps([dict(settings.changed(MASTER, f"local[{cores}]").values), cores])
    last = ""
    command = [sys.executable, "-m", "vistaql.engines.spark.timing", wanted]
    with (
        tempfile.TemporaryFile("w+") as trouble,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=trouble, text=True) as child,  # noqa: S603
    ):
        assert child.stdout is not None
        for line in child.stdout:
            last = line.strip()
            if not last.startswith("{"):
                say(last)
        child.wait()
        trouble.seek(0)
        told = trouble.read().strip().splitlines()
    if child.returncode:
        raise VistaQLError(
            Code.SPARK_START, f"Spark could not be measured: {told[-1] if told else last}",
            hint="Look at what differs from the defaults: SHOW SETTINGS",
        )  # fmt: skip
    return codec.from_json(SparkTime, last)


def measure(settings: SparkSettings, cores: int, say: Callable[[str], None]) -> SparkTime:
    """Start Spark and measure it, in this process."""
    choices = ClusterChoices(
        cores, 1, 1, cores, JoinMethod.BROADCAST, Placement.BEFORE_INFERENCE, Persistence.DESERIALIZED,
        TrainingPlace.CLUSTER,
    )  # fmt: skip
    say("Starting Spark ..")
    started = perf_counter()
    spark = spark_session(settings, Needs(choices=choices))
    spark.range(1000).join(spark.range(500), "id").toArrow()
    context = perf_counter() - started
    with configured(spark, settings.left_open(running_conf(choices))), workers_with(spark, choices.threads):
        say("Starting its Python workers ..")
        first = seconds_of(lambda: run_job(spark, cores, tensorflow))
        say("Running jobs and tasks ..")
        job = median(seconds_of(lambda: run_job(spark, cores, same)) for _ in range(TIMES))
        many = median(seconds_of(lambda: run_job(spark, MORE_TASKS * cores, same)) for _ in range(2))
        java = java_bytes(spark)
        say("Moving and holding bytes ..")
        little = Held.of(rows_of(spark, cores, 1, cores), Persistence.DESERIALIZED)
        little.frame.count()
        reading = median(seconds_of(partial(lengths, little.frame)) for _ in range(TIMES))
        moved = time_bytes(spark, 2 * cores, reading)
        say("Fitting with MLlib ..")
        cold, small, large = (time_fit(spark, shape, choices, reading) for shape in (SHAPES[0], *SHAPES))
    task = max(0.0, many - job) / (MORE_TASKS - 1)
    return SparkTime(context, max(0.0, first - job), job, reading, task, java, moved, cold, small, large)


def run_job(spark: SparkSession, partitions: int, work: Callable[[Batches], Batches]) -> None:
    """A pass without a CNN: a table of the driver is cut into parts, goes through workers, is held and counted."""
    frame = from_arrow(spark, pa.table({"key": pa.array([str(number) for number in range(4 * partitions)])}))
    held = Held.of(frame.repartition(partitions).mapInArrow(work, "key string"), Persistence.DESERIALIZED)
    held.frame.agg({"*": "count"}).first()


def tensorflow(batches: Batches) -> Batches:
    """What came, once TensorFlow has computed something."""
    from vistaql.engines.tensorflow.runtime import import_tensorflow, set_threads

    set_threads(1, asked_for=False)
    (import_tensorflow().constant([1.0]) + 1).numpy()
    yield from batches


def made(width: int, batches: Batches) -> Batches:
    """A row of numbers, half of them zero as behind a ReLU, for each that came."""
    payload = np.maximum(np.random.default_rng(1).normal(size=width), 0).astype(np.float32).tobytes()
    for batch in batches:
        for start in range(0, batch.num_rows, 16):
            part = batch.slice(start, 16)
            keys = pa.array([str(number) for number in part.column("id").to_pylist()])
            yield pa.record_batch([keys, pa.array([payload] * part.num_rows, pa.binary())], names=["key", "vector"])


def taken(batches: Batches) -> Batches:
    """How many rows came."""
    for batch in batches:
        yield pa.record_batch({"id": pa.array([batch.num_rows], pa.int64())})


def time_bytes(spark: SparkSession, partitions: int, reading: float) -> Moved:
    """Wide rows from Python to Java, held in each way, and back; narrow ones brought together, and to the driver."""
    wide = rows_of(spark, ROWS, WIDTH, partitions)
    # The first time Java compiles what it runs.
    wide.count()
    counted = seconds_of(wide.count)
    # The first of them once more, for the same reason.
    kept = [time_held(wide, how, counted, reading) for how in (Persistence.DESERIALIZED, *Persistence)][1:]
    held = tuple((how.value, one.seconds) for how, one in zip(Persistence, kept, strict=True))
    narrow = Held.of(rows_of(spark, 8 * ROWS, NARROW, partitions), Persistence.DESERIALIZED)
    narrow.frame.count()
    read = seconds_of(lambda: lengths(narrow.frame))
    shuffled = seconds_of(lambda: lengths(narrow.frame.repartition(partitions, "key"))) - read
    collected = seconds_of(narrow.frame.toArrow) - reading
    return Moved(
        4.0 * ROWS * WIDTH, max(counted - reading, 0.0), kept[0].taken, held, kept[0].stored,
        4.0 * 8 * ROWS * NARROW, max(shuffled, 0.0), max(collected, 0.0),
    )  # fmt: skip


def time_held(frame: DataFrame, persistence: Persistence, counted: float, reading: float) -> HeldTime:
    """Hold a frame, read it, and hand it back to Python; nothing of it is held when this is over."""
    spark = frame.sparkSession
    before, held = stored_bytes(spark), Held.of(frame, persistence)
    written = max(0.0, seconds_of(held.frame.count) - counted)
    read = max(0.0, seconds_of(partial(lengths, held.frame)) - reading)
    stored = stored_bytes(spark) - before
    into = seconds_of(held.frame.mapInArrow(taken, "id long").count) - read - reading
    return HeldTime(written + read, max(0.0, into), stored)


def rows_of(spark: SparkSession, count: int, width: int, partitions: int) -> DataFrame:
    """Rows of a key and numbers, which Python workers make."""
    frame = spark.range(count, numPartitions=partitions)
    return frame.mapInArrow(partial(made, width), "key string, vector binary")


def lengths(frame: DataFrame) -> None:
    """Read every vector."""
    frame.selectExpr("sum(length(vector))").first()


def stored_bytes(spark: SparkSession) -> float:
    """Bytes that executors hold in memory."""
    context: Any = spark.sparkContext._jsc.sc()  # noqa: SLF001, Python has no other way to ask
    # What each executor could hold, and how much of that is left.
    pairs = [tuple(items_of(pair.productIterator())) for pair in items(context.getExecutorMemoryStatus().values())]
    return float(sum(most - left for most, left in pairs))


def java_bytes(spark: SparkSession) -> float:
    """Resident bytes of Java."""
    gateway = spark.sparkContext._gateway  # noqa: SLF001, the process is to be found nowhere else
    return float(resident_bytes(gateway.proc.pid))  # type: ignore[union-attr]


def time_fit(spark: SparkSession, shape: tuple[int, int, int], choices: ClusterChoices, reading: float) -> MllibTime:
    """Logistic regression on the cluster, as a plan fits it, on numbers with some structure."""
    rows, width, classes = shape
    random = np.random.default_rng(rows)
    codes = random.integers(0, classes, rows)
    causes = random.normal(size=(rows, 60)) + 2 * np.eye(60)[codes]
    numbers = (causes @ random.normal(size=(60, width)) + random.normal(size=(rows, width))).astype(np.float32)
    keys = [str(number) for number in range(rows)]
    table = pa.table({
        "key": keys, "number": pa.array(range(rows), pa.int64()), "error": pa.nulls(rows, pa.string()),
        "f0": pa.array([row.tobytes() for row in numbers], pa.binary()),
    })  # fmt: skip
    held = Held.of(from_arrow(spark, table).repartition(choices.partitions), choices.persistence)
    held.frame.count()
    learner, folds = LogisticRegression(), Evaluation(("accuracy",), Splitting.FOLDS, FOLDS)
    learnable = Learnable(keys, pa.table({}), codes, tuple(map(str, range(classes))))
    features = FeatureFrame(held, "f0", "layer", width, None)
    took = seconds_of(
        lambda: fit_on_cluster(spark, learnable, features, learner, folds, choices, with_columns=False)
    )  # fmt: skip
    return MllibTime(max(0.0, took - reading), FOLDS * learner.flops(rows * (FOLDS - 1) // FOLDS, width, classes))


def tell(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Measure, and print what was found."""
    values, cores = json.loads(sys.argv[1])
    try:
        found = measure(SparkSettings(tuple(sorted(values.items()))), cores, tell)
    except VistaQLError as error:
        sys.exit(error.message)
    tell(codec.to_json(found))


if __name__ == "__main__":
    main()
