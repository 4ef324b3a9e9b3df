"""Time the training of EXPLORE beside what people write by hand.

    [VISTAQL_TEST_DATA=DIR] python benchmarks/training.py [NAME ..]

For each workload: the seconds that VistaQL takes for all its layers and folds, and those of scikit-learn's
`cross_val_score(make_pipeline(StandardScaler(), LogisticRegression(max_iter=100)), x, y, cv=5)`, with one BLAS thread
and without that limit. A hundred iterations are not always enough, so scikit-learn stops before its minimum, and
VistaQL does not; both accuracies are printed. `added` is the peak of memory beside the features.

Features are drawn so that they are as hard as those of a pooled layer: sums of hidden causes of falling weight, cut
at zero, with skewed scales. A fit at 3,000 x 1,280 takes about 120 passes over the rows; out_relu of mobilenet_v2 on
as many photos of clothes takes 130.
"""

from __future__ import annotations

import os
import resource
import sys
import time
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from vistaql.learners import LogisticRegression
from vistaql.learners.evaluation import Examples, evaluate
from vistaql.learners.folds import deal
from vistaql.learners.metrics import METRICS

CAUSES = 600
"""hidden causes of the features"""
PHOTOS_TIMED = 960
"""photos that mobilenet_v2 runs over, to tell what it would take for as many as there are rows"""


@dataclass(frozen=True)
class Workload:
    """A table of features: the widths of its layers."""

    rows: int
    widths: tuple[int, ...]
    classes: int
    by_hand_too: bool = True
    """whether scikit-learn is timed: on all layers, or, to save an hour, not at all"""


WORKLOADS = {
    "demo": Workload(896, (16, 32, 48, 64, 64, 5), 5),
    "resnet50": Workload(512, (2048, 1024, 2048, 2048), 10),
    "clothing": Workload(3000, (1280,), 10),
    "large": Workload(12_000, (1280, 1280, 1280, 1280), 12, by_hand_too=False),
}


def draw(rows: int, width: int, classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Features float32 [rows, width] and classes [rows], some commoner than others."""
    random = np.random.default_rng(seed)
    codes = (np.linspace(1, -1, classes) + random.gumbel(size=(rows, classes))).argmax(axis=1)
    causes = random.normal(size=(rows, CAUSES)).astype(np.float32)
    causes[np.arange(rows), codes] += 3
    causes *= np.exp(0.3 * random.normal(size=causes.shape)) / np.sqrt(np.arange(1, CAUSES + 1))
    features = causes @ random.normal(size=(CAUSES, width)).astype(np.float32)
    features /= features.std(axis=0)
    features += 0.3 * random.standard_normal((rows, width), dtype=np.float32)
    features = np.maximum(features - 0.5, 0, out=features)
    features *= np.exp(random.normal(size=width)).astype(np.float32)
    return features, codes


def peak() -> float:
    """The largest resident memory so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def train(work: Workload, workers: int) -> None:
    """Print what VistaQL takes for all layers."""
    seconds = cpu = added = 0.0
    accuracies = []
    for layer, width in enumerate(work.widths):
        features, codes = draw(work.rows, width, work.classes, layer)
        keys = tuple(map(str, range(work.rows)))
        examples = Examples(keys, codes, work.classes, deal(keys, codes, 5))
        before, started, used = peak(), time.perf_counter(), time.process_time()
        found = evaluate(examples, features, LogisticRegression(), METRICS[:1], workers)
        seconds += time.perf_counter() - started
        cpu += time.process_time() - used
        added = max(added, peak() - before)
        accuracies.append(found.scores[0].mean)
    beside = f"(processor {cpu:.1f} s)  added {added:.0f} MB"
    print(f"  {f'VistaQL, {workers} threads':30}{seconds:8.2f} s  {beside:36}{show(accuracies)}", flush=True)


def infer(data: Path, threads: int) -> float:
    """Seconds that mobilenet_v2 takes for photos of 400 x 533, decoding included and its first batch not."""
    import pyarrow as pa

    from vistaql.engines.tensorflow.kernel import run_pass
    from vistaql.engines.tensorflow.runtime import set_threads
    from vistaql.models import roster
    from vistaql.models.cnn import Weights, WeightsKind
    from vistaql.models.pool import GAP
    from vistaql.physical.inference import Output, Pass

    set_threads(threads)
    known = roster.load("mobilenet_v2")
    if known is None:
        sys.exit("The roster has no mobilenet_v2.")
    cnn = replace(known, weights=Weights(WeightsKind.RANDOM, seed=1))
    layers = ("block_6_expand_relu", "block_13_expand_relu", "block_16_project_BN", "out_relu")
    pass_ = Pass(cnn, None, tuple(Output(layer, GAP) for layer in layers))
    paths = sorted(map(str, (data / "datasets" / "clothing-3k" / "images").iterdir()))[:PHOTOS_TIMED]

    def run(some: list[str]) -> float:
        started = time.perf_counter()
        for _ in run_pass(pass_, [pa.record_batch({"key": some, "image": some})], decoders=1):
            pass
        return time.perf_counter() - started

    run(paths[: cnn.batch_rows])
    return run(paths)


def by_hand(work: Workload, threads: int | None) -> None:
    """Print what scikit-learn takes for all layers."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression as ByHand
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    warnings.simplefilter("ignore", ConvergenceWarning)
    seconds, accuracies = 0.0, []
    for layer, width in enumerate(work.widths):
        features, codes = draw(work.rows, width, work.classes, layer)
        started = time.perf_counter()
        with threadpool_limits(threads):
            scores = cross_val_score(make_pipeline(StandardScaler(), ByHand(max_iter=100)), features, codes, cv=5)
        seconds += time.perf_counter() - started
        accuracies.append(float(scores.mean()))
    limit = "one BLAS thread" if threads else "as it comes"
    print(f"  {f'scikit-learn, {limit}':30}{seconds:8.2f} s  {'':36}{show(accuracies)}", flush=True)


def show(accuracies: list[float]) -> str:
    """Mean accuracies of the layers."""
    return " ".join(f"{accuracy:.3f}" for accuracy in accuracies)


def main() -> None:
    """Run the workloads named, or all."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    draw(100, 100, 3, 0)
    for name in sys.argv[1:] or WORKLOADS:
        work = WORKLOADS[name]
        print(f"{name}: {work.rows} rows, widths {work.widths}, {work.classes} classes, 5 folds", flush=True)
        train(work, cores)
        if work.rows > 10 * PHOTOS_TIMED and (data := os.environ.get("VISTAQL_TEST_DATA")):
            taken = infer(Path(data), cores)
            print(
                f"  mobilenet_v2 over {PHOTOS_TIMED} photos, in the same minute {taken:5.2f} s; "
                f"over {work.rows}: {taken * work.rows / PHOTOS_TIMED:.0f} s"
            )
        if work.by_hand_too:
            by_hand(work, 1)
            by_hand(work, None)


if __name__ == "__main__":
    main()
