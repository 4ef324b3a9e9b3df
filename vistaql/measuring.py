"""What CALIBRATE measures, as rates."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from time import perf_counter, process_time
from typing import TYPE_CHECKING

from vistaql.models import roster
from vistaql.models.cnn import Cnn, Weights, WeightsKind
from vistaql.optimizer.calibration import Calibration, Profile
from vistaql.optimizer.rates import Timed, kernel_rates, one_core
from vistaql.progress import Progress
from vistaql.spark_settings import SparkSettings

if TYPE_CHECKING:
    from vistaql.engines.tensorflow.timing import NetworkTime

Rates = tuple[tuple[str, float], ...]
"""names and values of rates"""

# Networks that measure the rates of kernels: one of small kernels, one of large ones; blocks and rounds of each.
PROBES = (("mobilenet_v2", 10, 4), ("resnet50", 8, 3))
# Blocks of a network that is measured for itself, and rounds.
BLOCKS, ROUNDS = 16, 4
PHOTOS = 40
# What was too quick to be measured took a hundredth of a second.
TINY = 0.01
# MLlib does the arithmetic of our learners at most so much faster.
MOST_ALIKE = 0.1


@dataclass(frozen=True)
class Bench:
    """What measuring works with: threads of TensorFlow, and who is told how far it is."""

    threads: int
    progress: Progress


def machine_rates(bench: Bench) -> tuple[Rates, float]:
    """All that has nothing to do with Spark; and the share of a core that this process had for the fits."""
    data, share = data_rates(bench)
    return (*library_rates(bench), *decoding_rates(bench), *data, *inference_rates(bench)), share


def library_rates(bench: Bench) -> Rates:
    """Loading TensorFlow, in a process of its own."""
    from vistaql.engines.tensorflow.timing import time_library

    bench.progress.say("Loading TensorFlow in a process of its own ..")
    found = time_library()
    return (
        ("library_seconds", found.seconds),
        ("process_bytes", found.process_bytes),
        ("library_bytes", found.library_bytes),
    )


def decoding_rates(bench: Bench) -> Rates:
    """Pixels and bytes: a photo decoded at full size costs both, one decoded small the bytes alone."""
    from vistaql.engines.tensorflow.timing import time_decoding

    bench.progress.say("Decoding photos ..")
    found = time_decoding(PHOTOS)
    pixels = max(found.large_seconds - found.small_seconds, 0.2 * found.large_seconds)
    return (("decoded_pixels", found.pixels / pixels), ("decoded_bytes", found.bytes / found.small_seconds))


def data_rates(bench: Bench) -> tuple[Rates, float]:
    """Files, memory, digests and fits; and the share of a core that this process had for the fits."""
    from vistaql.engines.inprocess.timing import time_data, time_fits

    bench.progress.say("Reading, writing, fitting ..")
    with tempfile.TemporaryDirectory(prefix="vistaql-") as folder:
        found = time_data(folder)
    started, used = perf_counter(), process_time()
    fits = time_fits()
    share = (process_time() - used) / (perf_counter() - started)
    rates = (
        ("read_bytes", found.read),
        ("spilled_bytes", found.spilled),
        ("kept_bytes", found.kept),
        ("hashed_bytes", found.hashed),
        ("fit_flops", sum(fit.flops for fit in fits) / sum(fit.seconds for fit in fits)),
    )
    return rates, share


def inference_rates(bench: Bench) -> Rates:
    """Kernels, and graphs: blocks of two CNNs with random weights."""
    default = Profile().calibration()
    timed: list[Timed] = []
    taken = predicted = 0.0
    for name, blocks, rounds in PROBES:
        found = roster.load(name)
        if found is None:
            continue
        cnn = replace(found, weights=Weights(WeightsKind.RANDOM, seed=1))
        network = timed_network(cnn, blocks, rounds, bench)
        for block in network.blocks:
            seconds = one_core(block.image_seconds, bench.threads, default)
            timed.append(Timed(cnn, layers_between(cnn, block.start, block.end), seconds))
            parameters = sum(cnn.by_name[layer].parameters for layer in timed[-1].layers)
            taken += block.graph_seconds
            predicted += default.graph_seconds + default.graph_layer_seconds * len(timed[-1].layers)
            predicted += default.graph_parameter_seconds * parameters
    graphs = taken / predicted
    return (
        *kernel_rates(timed, default),
        ("graph_seconds", graphs * default.graph_seconds),
        ("graph_layer_seconds", graphs * default.graph_layer_seconds),
        ("graph_parameter_seconds", graphs * default.graph_parameter_seconds),
    )


def timed_network(cnn: Cnn, blocks: int, rounds: int, bench: Bench) -> NetworkTime:
    """A CNN, block by block."""
    from vistaql.engines.tensorflow.runtime import set_threads
    from vistaql.engines.tensorflow.timing import block_ends, time_network

    bench.progress.say(f"Running {cnn.name} block by block ..")
    set_threads(bench.threads, asked_for=False)
    return time_network(cnn, block_ends(cnn, blocks), rounds)


def layers_between(cnn: Cnn, start: str | None, end: str) -> tuple[str, ...]:
    """The layers behind one cut point up to another."""
    return tuple(name for name in cnn.ancestors(end, start) if name != start)


def spark_rates(settings: SparkSettings, rates: Calibration, bench: Bench) -> Rates:
    """What Spark takes here, with a worker on every core; `rates` are those of fits in this process."""
    from vistaql.engines.spark.timing import FOLDS, time_spark

    cores = bench.threads
    found = time_spark(settings, cores, bench.progress.say)
    moved = found.moved
    work = (found.large.flops - found.small.flops) / rates.fit_flops / cores
    slowdown = max(MOST_ALIKE, (found.large.seconds - found.small.seconds) / work)
    fixed = found.small.seconds - slowdown * found.small.flops / rates.fit_flops / cores
    held = {word: 2 * moved.bytes / max(seconds, TINY) / cores for word, seconds in moved.held}
    return (
        ("context_seconds", found.context),
        ("worker_seconds", found.workers),
        ("job_seconds", found.job),
        ("reading_seconds", found.reading),
        ("task_seconds", found.task),
        ("arrow_bytes", 2 * moved.bytes / max(moved.sent + moved.taken, TINY) / cores),
        ("shuffled_bytes", moved.vectors / max(moved.shuffled, TINY) / cores),
        ("objects_bytes", held["deserialized"]),
        ("serialized_bytes", held["serialized"]),
        ("spark_disk_bytes", held["disk"]),
        ("collected_bytes", moved.vectors / max(moved.collected, TINY)),
        ("mllib_start_seconds", max(0.0, found.cold.seconds - found.small.seconds)),
        ("mllib_seconds", max(TINY, fixed / FOLDS)),
        ("mllib_slowdown", slowdown),
        ("jvm_bytes", found.java),
        ("blow_up", max(1.0, moved.stored / moved.bytes)),
    )
