"""A node of the paper's cluster as a calibration of this project: what is fitted, and what data sheets say."""

from __future__ import annotations

from dataclasses import dataclass

from replay_facts import FOODS, READ_MINUTES, Cluster

from vistaql.optimizer.calibration import Calibration

FREE = 1e30
"""a rate at which work takes no time: it is counted elsewhere, or the paper has none of it"""

DISK_BYTES = 100e6
"""a hard disk of that time, B/s: data sheet"""
GPU_FLOPS = 2e12
"""a third of the peak of a Titan X in float32 (data sheet); the third is a guess, so others are tried as well"""


@dataclass(frozen=True)
class Fitting:
    """What is fitted on Spark/Foods: rates of a core, and fixed costs in seconds."""

    flops: float
    serial: float
    """share of inference that more CPUs of a node do not help with"""
    query: float
    """a job: start, join, the first pass over the table"""
    training: float
    """a logistic regression of ten iterations"""
    task: float
    """a task of a pass, on its node"""
    parameter: float
    """a weight of the graph that each task imports"""
    decode: float
    """an image decoded and resized, on one core"""
    byte: float
    """a byte of a table written to or read from memory"""
    gpu_flops: float = GPU_FLOPS
    """not fitted"""


START = Fitting(15e9, 0.2, 60.0, 10.0, 0.05, 4e-9, 0.05, 5e-10)


def profile(fitting: Fitting, cluster: Cluster) -> Calibration:
    """The cluster's node as a calibration of this project."""
    flops = fitting.gpu_flops if cluster.gpu else fitting.flops
    return Calibration(
        convolution_flops=flops,
        pointwise_flops=flops,
        depthwise_flops=flops,
        dense_flops=flops,
        moved_bytes=FREE,
        weight_bytes=FREE,
        inference_serial=1.0 if cluster.gpu else fitting.serial,
        batch_seconds=0.0,
        decoded_pixels=1 / fitting.decode,
        decoded_bytes=FREE,
        opened_images=FREE,
        listed_images=FOODS.rows / 60 / READ_MINUTES[1],
        read_bytes=DISK_BYTES,
        kept_bytes=1 / fitting.byte,
        spilled_bytes=DISK_BYTES,
        fit_flops=fitting.flops,
        fit_seconds=fitting.training,
        model_layer_seconds=0.0,
        model_parameter_seconds=0.0,
        graph_layer_seconds=0.0,
        graph_parameter_seconds=fitting.parameter,
        graph_seconds=0.0,
        task_seconds=fitting.task,
        query_seconds=fitting.query,
    )
