"""Plans on Spark: which there are, how long each takes, and how much memory a machine of it needs.

The same operators run as in process; what differs is how their inputs meet, how results are held, how many workers
share the cores, and where learners are fitted.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from itertools import product
from typing import Final, TypeVar

from vistaql.logical.nodes import Join
from vistaql.models.cnn import Cnn
from vistaql.optimizer.calibration import Calibration, on_spark
from vistaql.optimizer.configuration import Configuration
from vistaql.optimizer.cost import seconds
from vistaql.optimizer.machine import Machine
from vistaql.physical.choices import ClusterChoices
from vistaql.physical.engine import Storage
from vistaql.physical.inference import Output
from vistaql.physical.operator import FLOAT32
from vistaql.physical.operators import (
    Answer,
    Fit,
    FitAlone,
    Keep,
    Operator,
    PickFeatures,
    ReadImages,
    ReadRows,
    RunPass,
)
from vistaql.physical.resources import Resources
from vistaql.physical.sizes import Sizes
from vistaql.physical.training import pieces
from vistaql.settings import JoinMethod, Persistence, Placement, Settings, TrainingPlace
from vistaql.spark_settings import TASK_CPUS, SparkSettings, cluster_shape, local_slots

Choice = TypeVar("Choice", bound=Enum)

LARGEST_PARTITION: Final = 100e6
"""Bytes of tensors or images in a partition; larger ones were found to end in crashes (Vista, table 1)."""

MOST_PARTITIONS: Final = 2000
"""More tasks than this cost more than they bring (Vista, section 5)."""

IMAGES_A_PARTITION: Final = 1024
"""No more images than this: a lost task repeats them all."""


def worker_choices(machine: Machine, settings: Settings) -> Iterator[ClusterChoices]:
    """Workers and threads, in every way that the settings leave open; the rest is to be decided yet."""
    for workers in worker_counts(machine, settings):
        threads = settings.threads or max(1, machine.cores // workers)
        yield ClusterChoices(
            workers, threads, max(1, (threads + 1) // 2), workers, JoinMethod.BROADCAST, Placement.BEFORE_INFERENCE,
            Persistence.DESERIALIZED, TrainingPlace.DRIVER,
        )  # fmt: skip


def other_choices(choices: ClusterChoices, settings: Settings) -> Iterator[ClusterChoices]:
    """The same workers and partitions with every way to join, hold and train that the settings leave open."""
    for join, persistence, training in product(
        open_choices(settings.join, JoinMethod),
        open_choices(settings.persistence, Persistence),
        open_choices(settings.training, TrainingPlace),
    ):
        yield replace(choices, join=join, persistence=persistence, training=training)


def open_choices(wanted: Choice | None, choices: type[Choice]) -> tuple[Choice, ...]:
    """All of them, or the one that a setting names.

    >>> open_choices(Persistence.DISK, Persistence), len(open_choices(None, Persistence))
    ((<Persistence.DISK: 'disk'>,), 3)
    """
    return tuple(choices) if wanted is None else (wanted,)


def worker_counts(machine: Machine, settings: Settings) -> tuple[int, ...]:
    """Tasks side by side: as set, as many as the cluster takes, or any number that divides the cores here."""
    if machine.started is not None:
        # Neither its cores nor its tasks can be changed.
        return (machine.started.slots,)
    slots = slots_of(settings.spark)
    if slots is not None:
        return (slots if settings.workers is None else side_by_side(settings.workers, slots, settings.spark),)
    if settings.workers is not None:
        return (settings.workers,)
    return tuple(count for count in range(machine.cores, 0, -1) if machine.cores % count == 0)


def slots_of(settings: SparkSettings) -> int | None:
    """How many tasks a cluster takes at a time, where that is said.

    >>> def slots(**values):
    ...     named = ((f"spark.{name.replace('_', '.')}", value) for name, value in values.items())
    ...     return slots_of(SparkSettings(tuple(named)))
    >>> slots(master="local[3]"), slots(master="local-cluster[2,1,2048]"), slots(master="local[*]")
    (3, 2, None)
    >>> slots(master="yarn", executor_instances="4", executor_cores="2"), slots(master="local[4]", task_cpus="2")
    (8, 2)
    """
    values = dict(settings.values)
    cpus = int(values.get(TASK_CPUS, "1"))
    if local := local_slots(settings.master):
        return max(1, local // cpus)
    if shape := cluster_shape(settings.master):
        return shape.executors * max(1, shape.cores // cpus)
    if "spark.cores.max" in values:
        return max(1, int(values["spark.cores.max"]) // cpus)
    if "spark.executor.instances" in values:
        return int(values["spark.executor.instances"]) * max(1, int(values.get("spark.executor.cores", "1")) // cpus)
    return None


def side_by_side(workers: int, slots: int, settings: SparkSettings) -> int:
    """How many tasks run where so many are asked for: a task takes whole cores, of one executor, and all share alike.

    >>> here = SparkSettings((("spark.master", "local[4]"),))
    >>> [side_by_side(workers, 4, here) for workers in (1, 2, 3, 4, 9)]
    [1, 2, 4, 4, 4]
    """
    values, shape = dict(settings.values), cluster_shape(settings.master)
    if TASK_CPUS in values or "spark.cores.max" in values:
        # Both are the user's, and nothing is left to decide.
        return slots
    executors = shape.executors if shape else int(values.get("spark.executor.instances", "1"))
    each = -(-workers // executors)
    if local_slots(settings.master) is None and shape is None and "spark.executor.cores" not in values:
        # An executor gets the cores that its tasks want.
        return executors * each
    cores = slots // executors
    return executors * (cores // (cores // min(each, cores)))


def with_workers(machine: Machine, settings: Settings) -> Machine:
    """The machine with the cores of its workers, which those of a cluster bring with them."""
    if settings.spark.master.startswith("local"):
        return machine
    workers = max(worker_counts(machine, settings))
    return replace(machine, cores=max(machine.cores, workers * (settings.threads or 1)))


def room_on_disk(machine: Machine, settings: Settings) -> float:
    """Bytes that Spark may put on disk: what is free here; how much the machines of a cluster have is not known."""
    return machine.disk_bytes if settings.spark.master.startswith("local") else math.inf


def partition_count(images: int, largest: int, workers: int) -> int:
    """A multiple of the workers, so that none waits; small enough parts, and none of less than a batch.

    `largest` is the most bytes that an image has on its way. Vista, equations 13 and 14, with an upper bound.
    """
    wanted = max(images * largest / LARGEST_PARTITION, images / IMAGES_A_PARTITION)
    rounds = max(1, -(-int(wanted) // workers))
    return min(rounds * workers, max(workers, MOST_PARTITIONS // workers * workers))


def spark_seconds(operator: Operator, sizes: Sizes, machine: Machine, configuration: Configuration) -> float:
    """Wall-clock seconds of an operator on Spark: its work over the workers' cores, and what Spark adds."""
    choices = configuration.cluster
    if choices is None:
        message = "a plan on Spark has its choices"
        raise ValueError(message)
    work, rates = operator.resources(sizes), machine.calibration
    match operator:
        case ReadRows():
            # Java and the workers, which load TensorFlow, start while rows are joined.
            start = 0.0 if machine.spark_started else rates.context_seconds + rates.worker_seconds
            return seconds(work, machine, configuration) + start + row_jobs(operator) * rates.job_seconds
        case ReadImages():
            listed = seconds(replace(work, libraries=0.0), machine, configuration)
            return listed + joining(operator, sizes, choices, rates)
        case RunPass():
            terms = terms_of(operator.reader.count(sizes), operator.cnn.batch_rows, choices, rates)
            return work_of(operator, sizes, machine, configuration).seconds(terms)
        case Keep():
            rate = held_bytes(held_as(operator.source, choices), rates)
            return kept_seconds(operator.bytes(sizes), rate, choices, rates)
        case PickFeatures():
            rate = held_bytes(held_as(operator.source, choices), rates)
            return operator.size(sizes) / rate / choices.workers
        case Fit() | FitAlone():
            correction = rates.correction(on_spark(type(operator).__name__))
            return correction * fitting(operator, sizes, machine, configuration)
        case Answer() if choices.training is TrainingPlace.CLUSTER:
            return rates.mllib_start_seconds
    return seconds(work, machine, configuration)


def matters(operator: Operator) -> tuple[str, ...]:
    """The choices on which the seconds of an operator depend, besides where images are left out."""
    match operator:
        case ReadImages():
            return ("workers", "join")
        case RunPass():
            return ("workers", "threads", "partitions")
        case Keep() | PickFeatures():
            return ("workers", "persistence")
        case Fit() | FitAlone():
            return ("workers", "join", "place", "training")
        case Answer():
            return ("training",)
    return ()


def row_jobs(reader: ReadRows) -> int:
    """Queries that join the rows on Spark: a table is read, and what each side has left over is counted."""
    joins = sum(isinstance(node, Join) for node in reader.rows.walk())
    return 2 + 6 * joins if joins else 0


def held_as(run: RunPass, choices: ClusterChoices) -> Persistence:
    """How the cluster holds what a pass gives."""
    return Persistence.DISK if run.storage is Storage.DISK else choices.persistence


def held_bytes(persistence: Persistence, rates: Calibration) -> float:
    """Bytes a second that one core writes once and reads once."""
    match persistence:
        case Persistence.DESERIALIZED:
            return rates.objects_bytes
        case Persistence.SERIALIZED:
            return rates.serialized_bytes
        case Persistence.DISK:
            return rates.spark_disk_bytes


def joining(reader: ReadImages, sizes: Sizes, choices: ClusterChoices, rates: Calibration) -> float:
    """Rows and images brought together before inference; nothing where they meet afterwards."""
    if reader.rows is None:
        return 0.0
    keys, paths = sizes.rows * 40, sizes.all_images * 200
    if choices.join is JoinMethod.BROADCAST:
        return rates.reading_seconds + keys * choices.workers / rates.shuffled_bytes
    return 2 * rates.reading_seconds + (keys + paths) / rates.shuffled_bytes / choices.workers


@dataclass(frozen=True)
class Terms:
    """What turns the work of a pass into seconds: how much more is computed, seconds, and seconds for a byte."""

    filled: float
    fixed: float
    moved: float


def terms_of(images: int, batch_rows: int, choices: ClusterChoices, rates: Calibration) -> Terms:
    """The last batch of each partition is filled up, each partition is a task, and workers move bytes side by side."""
    tasks = choices.partitions * rates.task_seconds / choices.workers
    filled = padding(images, batch_rows, choices.partitions)
    return Terms(filled, rates.job_seconds + tasks, images / rates.arrow_bytes / choices.workers)


@dataclass(frozen=True)
class Work:
    """The work of a pass on Spark, into however many parts its images are cut.

    `own` seconds are a worker's share of it, `graphs` every worker spends, `moved` bytes of each image go from Java to
    a worker or back. All of it takes longer by what runs have taught.
    """

    own: float
    graphs: float
    moved: int
    correction: float = 1.0

    def seconds(self, terms: Terms) -> float:
        """The work in so many parts."""
        return self.correction * (self.own * terms.filled + self.graphs + terms.fixed + self.moved * terms.moved)


def work_of(run: RunPass, sizes: Sizes, machine: Machine, configuration: Configuration) -> Work:
    """What a pass does; workers that have more threads than there are cores share them."""
    choices = configuration.cluster
    assert choices is not None
    whole, inference = run.resources(sizes), run.inference
    alone = replace(machine, cores=choices.threads)
    crowded = max(1.0, choices.workers * choices.threads / machine.cores)
    own = seconds(replace(whole, traced=()), alone, configuration) / choices.workers
    graphs = seconds(Resources(traced=whole.traced), alone, configuration)
    tensors = sum(run.cnn.by_name[layer].bytes for layer in (*inference.keep, inference.source) if layer)
    moved = tensors + sum(vector_bytes(run.cnn, item) for item in inference.outputs)
    return Work(own * crowded, graphs, moved, machine.calibration.correction(on_spark("RunPass")))


def vector_bytes(cnn: Cnn, output: Output) -> int:
    """Bytes of one image's vector."""
    return FLOAT32 * output.pool.feature_width(cnn.by_name[output.layer].shape)


def padding(images: int, batch_rows: int, partitions: int) -> float:
    """How much more is computed because the last batch of each partition is filled up.

    >>> padding(64, 32, 2), padding(66, 32, 2)
    (1.0, 1.9393939393939394)
    """
    batches = -(-images // partitions // batch_rows) * partitions
    return max(1.0, batches * batch_rows / max(1, images))


def kept_seconds(size: float, rate: float, choices: ClusterChoices, rates: Calibration) -> float:
    """A kept tensor is written and read, and the vectors beside it are held once more, in a job of their own."""
    return 2.0 * size / rate / choices.workers + rates.reading_seconds


def fitting(fit: Fit | FitAlone, sizes: Sizes, machine: Machine, configuration: Configuration) -> float:
    """A training on the cluster, or here on features that are collected first."""
    choices, rates = configuration.cluster, machine.calibration
    judged = fit.best.fit if isinstance(fit, FitAlone) else fit
    here = seconds(fit.resources(sizes), machine, configuration)
    if choices is None or judged.features is None:
        return here
    collected = judged.features.size(sizes)
    meeting = 0.0
    if choices.place is Placement.AFTER_INFERENCE or choices.training is TrainingPlace.CLUSTER:
        moved = collected if choices.join is JoinMethod.SHUFFLE else sizes.rows * 40 * choices.workers
        meeting = rates.reading_seconds + moved / rates.shuffled_bytes / choices.workers
    if choices.training is TrainingPlace.DRIVER:
        return meeting + rates.reading_seconds + collected / rates.collected_bytes + here
    flops = sum(item.flops for item in fit.resources(sizes).fitted)
    arithmetic = rates.mllib_slowdown * flops / rates.fit_flops / choices.workers
    return meeting + pieces(judged.evaluation) * rates.mllib_seconds + arithmetic
