"""Resources to seconds: the only place where time is predicted."""

from __future__ import annotations

from functools import lru_cache

from vistaql.models.cnn import Cnn
from vistaql.models.work import Kernel, LayerWork, work_of
from vistaql.optimizer.calibration import Calibration, NetworkSeconds
from vistaql.optimizer.configuration import Configuration
from vistaql.optimizer.machine import Machine
from vistaql.physical.operator import Operator
from vistaql.physical.resources import NOTHING, Fitted, Resources, Traced
from vistaql.physical.sizes import Sizes


def price(operator: Operator, sizes: Sizes, machine: Machine, configuration: Configuration) -> float:
    """Wall-clock seconds of an operator: those of its resources, corrected by what runs have taught about its kind."""
    correction = machine.calibration.correction(type(operator).__name__)
    return correction * seconds(operator.resources(sizes), machine, configuration)


def seconds(work: Resources, machine: Machine, configuration: Configuration) -> float:
    """Wall-clock seconds for the work, before corrections."""
    if work is NOTHING:
        return 0.0
    rates = machine.calibration
    fitting = sum(fit_seconds(item, rates, configuration.fit_workers) for item in work.fitted)
    building = sum(trace_seconds(item, rates) for item in work.traced)
    return streamed(work, machine, configuration) + moved(work, rates) + fitting + building + started(work, machine)


def streamed(work: Resources, machine: Machine, configuration: Configuration) -> float:
    """A pass: decoding beside inference.

    Each stage takes at least its own time on its own threads, and both together at least their processor time on
    all cores: with cores of their own the slower stage counts, on shared cores their sum.
    """
    rates = machine.calibration
    inference = sum(
        item.images * sum(map(layer_seconds(item.cnn, rates).__getitem__, item.layers)) for item in work.inferred
    )
    handing = work.batches * rates.batch_seconds
    decoding = (
        work.decoded_pixels / rates.decoded_pixels
        + work.decoded_bytes / rates.decoded_bytes
        + work.opened_images / rates.opened_images
    )
    threads = min(configuration.threads, machine.cores)
    serial = rates.inference_serial
    return max(
        inference * (serial + (1 - serial) / threads) + handing,
        decoding / min(configuration.decoders, machine.cores),
        (inference + handing + decoding) / machine.cores,
    )


@lru_cache(maxsize=256)
def layer_seconds(cnn: Cnn, rates: Calibration) -> dict[str, float]:
    """Seconds of every layer for one image on one core.

    By the rates of its kernel; where the CNN was measured, scaled so that each block takes what it took. A layer of a
    union takes what it takes in the first CNN that has it.
    """
    if cnn.parts:
        parts = reversed([(part, layer_seconds(part.cnn, rates)) for part in cnn.parts])
        return {inner: seconds[own] for part, seconds in parts for own, inner in part.names}
    general = {name: kernel_seconds(work, rates, cnn.batch_rows) for name, work in work_of(cnn).items()}
    measured = rates.network(cnn.graph_digest)
    return general if measured is None else scaled(cnn, general, measured)


def kernel_seconds(work: LayerWork, rates: Calibration, batch_rows: int) -> float:
    """Seconds of a layer for one image on one core, by the rates of its kernel (a roofline with both terms added)."""
    per_second = {
        Kernel.CONVOLUTION: rates.convolution_flops,
        Kernel.POINTWISE: rates.pointwise_flops,
        Kernel.DEPTHWISE: rates.depthwise_flops,
        Kernel.DENSE: rates.dense_flops,
        Kernel.ELEMENTWISE: rates.dense_flops,
    }
    return (
        work.flops / per_second[work.kernel]
        + work.moved_bytes / rates.moved_bytes
        + work.weight_bytes / rates.weight_bytes / batch_rows
    )


def scaled(cnn: Cnn, general: dict[str, float], measured: NetworkSeconds) -> dict[str, float]:
    """The general seconds, stretched block by block to those measured; layers behind the last block as the last."""
    found: dict[str, float] = {}
    first, factor = 0, 1.0
    for block in measured.blocks:
        end = cnn.position[block.end] + 1
        names = [layer.name for layer in cnn.layers[first:end]]
        predicted = sum(general[name] for name in names)
        factor = block.seconds / predicted if predicted else 1.0
        found.update((name, factor * general[name]) for name in names)
        first = end
    return found | {layer.name: factor * general[layer.name] for layer in cnn.layers[first:]}


def fit_seconds(fit: Fitted, rates: Calibration, workers: int) -> float:
    """Fitting in rounds of as many pieces as there are workers: five folds on two workers take three rounds.

    Matrices are larger than caches, so that workers side by side wait for the same memory.
    """
    at_once = min(workers, fit.pieces)
    rounds = -(-fit.pieces // at_once)
    waiting = 1 + (rates.fit_waiting if at_once > 1 else 0)
    return rates.fit_seconds + waiting * fit.flops / rates.fit_flops * rounds / fit.pieces


def trace_seconds(graph: Traced, rates: Calibration) -> float:
    """Building the CNN, tracing and freezing its graph, and what the first batch takes beyond the others."""
    return (
        rates.graph_seconds
        + graph.model_layers * rates.model_layer_seconds
        + graph.model_parameters * rates.model_parameter_seconds
        + graph.layers * rates.graph_layer_seconds
        + graph.parameters * rates.graph_parameter_seconds
    )


def moved(work: Resources, rates: Calibration) -> float:
    """Bytes read, kept, spilled, hashed, and sent between processes."""
    return (
        work.read_bytes / rates.read_bytes
        + work.kept_bytes / rates.kept_bytes
        + work.spilled_bytes / rates.spilled_bytes
        + work.hashed_bytes / rates.hashed_bytes
        + work.hashed_rows / rates.hashed_rows
        + work.listed_images / rates.listed_images
        + work.arrow_bytes / rates.arrow_bytes
        + work.shuffled_bytes / rates.shuffled_bytes
    )


def started(work: Resources, machine: Machine) -> float:
    """Libraries, contexts, workers and tasks; a library that is loaded already takes nothing."""
    rates = machine.calibration
    return (
        (0.0 if machine.library_loaded else work.libraries * rates.library_seconds)
        + work.queries * rates.query_seconds
        + work.contexts * rates.context_seconds
        + work.workers * rates.worker_seconds
        + work.tasks * rates.task_seconds
    )
