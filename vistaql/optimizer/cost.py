"""Resources to seconds: the only place where time is predicted."""

from __future__ import annotations

from vistaql.optimizer.configuration import Configuration
from vistaql.optimizer.machine import Machine
from vistaql.physical.resources import Resources


def seconds(work: Resources, machine: Machine, configuration: Configuration) -> float:
    """Wall-clock seconds for the work.

    Decoding overlaps inference but shares its cores, so their processor time adds up before it is divided.
    """
    rates = machine.calibration
    cores = min(configuration.threads, machine.cores)
    processor = (
        work.dense_flops / rates.dense_flops_per_second
        + work.depthwise_flops / rates.depthwise_flops_per_second
        + work.moved_bytes / rates.moved_bytes_per_second
        + work.decoded_pixels / rates.decoded_pixels_per_second
        + work.opened_images / rates.opened_images_per_second
    )
    alone = (
        work.read_bytes / rates.read_bytes_per_second
        + work.kept_bytes / rates.kept_bytes_per_second
        + work.spilled_bytes / rates.spilled_bytes_per_second
        + work.libraries * rates.library_seconds
        + (rates.graph_seconds + work.graphs * rates.graph_seconds_per_parameter if work.graphs else 0.0)
    )
    fitting = work.fit_flops / rates.fit_flops_per_second / configuration.fit_workers
    return processor / cores + alone + fitting
