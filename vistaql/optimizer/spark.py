"""Plans on Spark: which there are, how long each takes, and how much memory a machine of it needs.

The same operators run as in process; what differs is how their inputs meet, how results are held, how many workers
share the cores, and where learners are fitted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from enum import Enum
from itertools import product
from typing import Final, TypeVar

from vistaql.optimizer.calibration import Calibration
from vistaql.optimizer.configuration import Configuration
from vistaql.optimizer.cost import seconds
from vistaql.optimizer.machine import Machine
from vistaql.physical.choices import ClusterChoices
from vistaql.physical.engine import Storage
from vistaql.physical.operators import Fit, FitAlone, Keep, Operator, PickFeatures, ReadImages, ReadRows, RunPass
from vistaql.physical.resources import Resources
from vistaql.physical.sizes import Sizes
from vistaql.settings import JoinMethod, JoinPlace, Persistence, Settings, TrainingPlace

Choice = TypeVar("Choice", bound=Enum)

LARGEST_PARTITION: Final = 100e6
"""Bytes of tensors or images in a partition; larger ones were found to end in crashes (Vista, table 1)."""

MOST_PARTITIONS: Final = 2000
"""More tasks than this cost more than they bring (Vista, section 5)."""

IMAGES_A_PARTITION: Final = 1024
"""No more images than this: a lost task repeats them all."""


def cluster_choices(sizes: Sizes, largest: int, machine: Machine, settings: Settings) -> Iterator[ClusterChoices]:
    """Every way to run on Spark that the settings leave open. `largest` is the most bytes an image has on its way."""
    for workers in worker_counts(machine, settings):
        threads = settings.threads or max(1, machine.cores // workers)
        partitions = settings.partitions or partition_count(sizes, largest, workers)
        for join, place, persistence, training in product(
            open_choices(settings.join, JoinMethod),
            open_choices(settings.placement, JoinPlace),
            open_choices(settings.persistence, Persistence),
            open_choices(settings.training, TrainingPlace),
        ):
            decoders = max(1, (threads + 1) // 2)
            yield ClusterChoices(workers, threads, decoders, partitions, join, place, persistence, training)


def open_choices(wanted: Choice | None, choices: type[Choice]) -> tuple[Choice, ...]:
    """All of them, or the one that a setting names.

    >>> open_choices(Persistence.DISK, Persistence), len(open_choices(None, Persistence))
    ((<Persistence.DISK: 'disk'>,), 3)
    """
    return tuple(choices) if wanted is None else (wanted,)


def worker_counts(machine: Machine, settings: Settings) -> tuple[int, ...]:
    """Tasks side by side: as set, as many as the cluster takes, or any number that divides the cores here."""
    slots = slots_of(settings.spark.master, dict(settings.spark.values))
    if settings.workers is not None:
        return (settings.workers,)
    if slots is not None:
        return (slots,)
    return tuple(count for count in range(machine.cores, 0, -1) if machine.cores % count == 0)


def slots_of(master: str, values: dict[str, str]) -> int | None:
    """How many tasks a cluster takes at a time, where that is said.

    >>> slots_of("local[3]", {}), slots_of("local-cluster[2,1,2048]", {}), slots_of("local[*]", {})
    (3, 2, None)
    >>> slots_of("yarn", {"spark.executor.instances": "4", "spark.executor.cores": "2"})
    8
    """
    if local := re.match(r"local\[(\d+)", master):
        return int(local[1])
    if cluster := re.match(r"local-cluster\[(\d+), *(\d+)", master):
        return int(cluster[1]) * int(cluster[2])
    if "spark.cores.max" in values:
        return int(values["spark.cores.max"])
    if "spark.executor.instances" in values:
        return int(values["spark.executor.instances"]) * int(values.get("spark.executor.cores", "1"))
    return 1 if master == "local" else None


def partition_count(sizes: Sizes, largest: int, workers: int) -> int:
    """A multiple of the workers, so that none waits; small enough parts, and none of less than a batch.

    Vista, equations 13 and 14, with an upper bound.
    """
    wanted = max(sizes.images * largest / LARGEST_PARTITION, sizes.images / IMAGES_A_PARTITION)
    rounds = max(1, -(-int(wanted) // workers))
    return min(rounds * workers, max(workers, MOST_PARTITIONS // workers * workers))


def largest_image(plan: Operator, sizes: Sizes) -> int:
    """The most bytes that one image has between passes: its file, or a kept tensor."""
    kept = [node.source.cnn.by_name[node.layer].bytes for node in plan.walk() if isinstance(node, Keep)]
    return max([int(sizes.image_bytes), *kept])


def spark_seconds(operator: Operator, sizes: Sizes, machine: Machine, configuration: Configuration) -> float:
    """Wall-clock seconds of an operator on Spark: its work over the workers' cores, and what Spark adds."""
    choices = configuration.cluster
    if choices is None:
        message = "a plan on Spark has its choices"
        raise ValueError(message)
    work, rates = operator.resources(sizes), machine.calibration
    match operator:
        case ReadRows():
            return seconds(work, machine, configuration) + rates.context_seconds + rates.job_seconds
        case ReadImages():
            meeting = joining(operator, sizes, choices, rates)
            return seconds(work, machine, configuration) + rates.worker_seconds + meeting
        case RunPass():
            spread = replace(configuration, threads=choices.workers * choices.threads)
            own = seconds(replace(work, traced=()), machine, spread)
            graphs = seconds(Resources(traced=work.traced), machine, configuration)
            return own * padding(operator, sizes, choices) + graphs + moving(operator, sizes, choices, rates)
        case Keep():
            rate = held_bytes(held_as(operator.source, choices), rates)
            return 2.0 * operator.bytes(sizes) / rate / choices.workers
        case PickFeatures():
            rate = held_bytes(held_as(operator.source, choices), rates)
            return operator.size(sizes) / rate / choices.workers
        case Fit() | FitAlone():
            return fitting(operator, sizes, machine, configuration)
    return seconds(work, machine, configuration)


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
        return rates.job_seconds + keys * choices.workers / rates.shuffled_bytes
    return 2 * rates.job_seconds + (keys + paths) / rates.shuffled_bytes / choices.workers


def padding(run: RunPass, sizes: Sizes, choices: ClusterChoices) -> float:
    """How much more is computed because the last batch of each partition is filled up."""
    images = max(1, run.reader.count(sizes))
    batches = -(-images // choices.partitions // run.cnn.batch_rows) * choices.partitions
    return max(1.0, batches * run.cnn.batch_rows / images)


def moving(run: RunPass, sizes: Sizes, choices: ClusterChoices, rates: Calibration) -> float:
    """Tensors and vectors between Spark and its workers, and the tasks that carry them."""
    images = run.reader.count(sizes)
    inference = run.inference
    layers = [*inference.keep, *([inference.source] if inference.source else [])]
    one = sum(run.cnn.by_name[layer].bytes for layer in layers)
    one += sum(4 * item.pool.feature_width(run.cnn.by_name[item.layer].shape) for item in inference.outputs)
    tasks = choices.partitions * rates.task_seconds / choices.workers
    return rates.job_seconds + tasks + images * one / rates.arrow_bytes / choices.workers


def fitting(fit: Fit | FitAlone, sizes: Sizes, machine: Machine, configuration: Configuration) -> float:
    """A training on the cluster, or here on features that are collected first."""
    choices, rates = configuration.cluster, machine.calibration
    judged = fit.best.fit if isinstance(fit, FitAlone) else fit
    here = seconds(fit.resources(sizes), machine, configuration)
    if choices is None or judged.features is None:
        return here
    collected = judged.features.size(sizes)
    meeting = 0.0
    if choices.place is JoinPlace.AFTER or choices.training is TrainingPlace.CLUSTER:
        moved = collected if choices.join is JoinMethod.SHUFFLE else sizes.rows * 40 * choices.workers
        meeting = rates.job_seconds + moved / rates.shuffled_bytes / choices.workers
    if choices.training is TrainingPlace.DRIVER:
        return meeting + rates.job_seconds + collected / rates.collected_bytes + here
    folds = max(1, judged.evaluation.folds)
    return (
        meeting
        + folds * rates.mllib_seconds
        + here * rates.mllib_slowdown * configuration.fit_workers / (choices.workers)
    )
