"""From measured times to rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vistaql.models.cnn import Cnn
from vistaql.models.work import Kernel, work_of
from vistaql.optimizer.calibration import Calibration
from vistaql.optimizer.cost import layer_seconds

# How much a rate is drawn towards the default's ratio to this machine, for kinds that the measured blocks hardly use.
PRIOR = 0.3


@dataclass(frozen=True)
class Timed:
    """Layers of a CNN, and the seconds they took for one image on one core."""

    cnn: Cnn
    layers: tuple[str, ...]
    seconds: float


def one_core(wall: float, threads: int, rates: Calibration) -> float:
    """Seconds on one core of what took some seconds on several threads (Amdahl's law, turned round)."""
    return wall / (rates.inference_serial + (1 - rates.inference_serial) / threads)


def kernel_rates(timed: Sequence[Timed], rates: Calibration) -> tuple[tuple[str, float], ...]:
    """The rates at which the timed layers are met best: least squares of relative errors, no rate negative."""
    import numpy as np
    from scipy.optimize import nnls

    names = {
        Kernel.CONVOLUTION: "convolution_flops",
        Kernel.POINTWISE: "pointwise_flops",
        Kernel.DEPTHWISE: "depthwise_flops",
    }
    columns = [*names.values(), "moved_bytes"]
    rows = []
    for item in timed:
        works = [work_of(item.cnn)[name] for name in item.layers]
        by_kernel = {name: sum(work.flops for work in works if work.kernel is kernel) for kernel, name in names.items()}
        by_kernel["moved_bytes"] = sum(work.moved_bytes for work in works)
        rows.append([by_kernel[name] / getattr(rates, name) / item.seconds for name in columns])
    overall = sum(item.seconds for item in timed) / sum(predicted(item, rates) for item in timed)
    prior = PRIOR * np.eye(len(columns))
    matrix = np.vstack([np.array(rows), prior])
    wanted = np.concatenate([np.ones(len(rows)), np.full(len(columns), PRIOR * overall)])
    factors, _ = nnls(matrix, wanted)
    slowest, fastest = overall * 4, overall / 4
    return tuple(
        (name, float(getattr(rates, name) / min(slowest, max(fastest, factor))))
        for name, factor in zip(columns, factors, strict=True)
    )


def predicted(item: Timed, rates: Calibration) -> float:
    """Seconds of the layers by the rates there are."""
    prices = layer_seconds(item.cnn, rates)
    return sum(prices[name] for name in item.layers)
