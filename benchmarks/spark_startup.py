"""What a first statement on Spark costs before it computes anything, and what each cure takes off it.

    python benchmarks/spark_startup.py [--rounds 3] [--master 'local[2]'] [--without-graph]

A fresh process for each figure: Java (the launcher and the gateway), the context, a first query (two small frames
joined), the first job that reaches Python with TensorFlow in it, and the first graph (MobileNetV2, random weights) in
that worker. Beside `as it is` runs the same without one cure each, in turn, so that a slow minute slows all:

    no daemon      every worker loads TensorFlow itself, instead of being forked from a process that has it
    not early      the daemon loads TensorFlow when the first pass starts, not while rows are joined
    own launcher   the Java that puts Spark's command together starts with its own defaults
    none           none of the three

Printed are medians of seconds of wall clock, and, of a variant, how much more it takes than `as it is`, in all.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

CURES = ("daemon", "early", "launcher")
VARIANTS = {
    "as it is": CURES,
    "no daemon": ("launcher",),
    "not early": ("daemon", "launcher"),
    "own launcher": ("daemon", "early"),
    "none": (),
}
PHASES = ("java", "context", "query", "worker", "graph", "all")


def first_operation(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Use TensorFlow once."""
    from vistaql.engines.tensorflow.runtime import import_tensorflow, set_threads

    set_threads(1)
    import_tensorflow().constant(1.0).numpy()
    yield from batches


def first_graph(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Freeze the graph of a pass."""
    from dataclasses import replace

    from vistaql.engines.tensorflow.graph import freeze
    from vistaql.models import roster
    from vistaql.models.cnn import Weights, WeightsKind
    from vistaql.models.pool import GAP
    from vistaql.physical.inference import Output, Pass

    found = roster.load("mobilenet_v2")
    assert found
    cnn = replace(found, weights=Weights(WeightsKind.RANDOM, seed=1))
    freeze(Pass(cnn, None, (Output(cnn.points[-1], GAP),)))
    yield from batches


def measure(master: str, cures: tuple[str, ...], *, graph: bool) -> dict[str, float]:
    """Seconds of each phase, in this process."""
    started = perf_counter()
    if "launcher" not in cures:
        os.environ["SPARK_LAUNCHER_OPTS"] = ""
    import pyspark.java_gateway

    from vistaql.engines.spark import launch
    from vistaql.engines.spark.conf import Needs
    from vistaql.engines.spark.frames import THREADS
    from vistaql.physical.choices import ClusterChoices
    from vistaql.settings import JoinMethod, Persistence, Placement, TrainingPlace
    from vistaql.spark_settings import SparkSettings

    values = {"spark.master": master}
    if "daemon" not in cures:
        values["spark.python.daemon.module"] = "pyspark.daemon"
    if "early" not in cures:
        launch.load_early = lambda *_: None
    java = Clock(pyspark.java_gateway.launch_gateway)
    pyspark.java_gateway.launch_gateway = java
    choices = ClusterChoices(
        2, 1, 1, 2, JoinMethod.BROADCAST, Placement.BEFORE_INFERENCE, Persistence.SERIALIZED, TrainingPlace.DRIVER
    )  # fmt: skip
    session = launch.spark_session(SparkSettings(tuple(sorted(values.items()))), Needs(choices=choices))
    phases = {"java": java.seconds, "context": perf_counter() - started - java.seconds}
    left, right = session.range(1000), session.range(500)
    session.sparkContext.environment[THREADS] = str(choices.threads)
    jobs: dict[str, Callable[[], object]] = {
        "query": lambda: left.join(right, "id").toArrow(),
        "worker": lambda: session.range(2, numPartitions=2).mapInArrow(first_operation, "id long").count(),
        "graph": lambda: graph and session.range(1, numPartitions=1).mapInArrow(first_graph, "id long").count(),
    }
    for name, job in jobs.items():
        before = perf_counter()
        job()
        phases[name] = perf_counter() - before
    return phases | {"all": perf_counter() - started}


class Clock:
    """A function that remembers how long it took."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.seconds = 0.0

    def __call__(self, *arguments: Any) -> Any:
        """Call it."""
        before = perf_counter()
        result = self.function(*arguments)
        self.seconds += perf_counter() - before
        return result


def child(variant: str, arguments: argparse.Namespace) -> dict[str, float]:
    """One measurement in a process of its own."""
    command = [sys.executable, __file__, "--child", variant, "--master", arguments.master]
    command += ["--without-graph"] if arguments.without_graph else []
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--master", default="local[2]")
    parser.add_argument("--without-graph", action="store_true")
    parser.add_argument("--child", choices=list(VARIANTS))
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(measure(arguments.master, VARIANTS[arguments.child], graph=not arguments.without_graph)))
        return
    rounds = [{variant: child(variant, arguments) for variant in VARIANTS} for _ in range(arguments.rounds)]
    print(f"{'':14}" + "".join(f"{phase:>9}" for phase in PHASES) + f"{'more':>9}")
    for variant in VARIANTS:
        medians = [statistics.median(one[variant][phase] for one in rounds) for phase in PHASES]
        more = statistics.median(one[variant]["all"] - one["as it is"]["all"] for one in rounds)
        print(f"{variant:14}" + "".join(f"{seconds:9.2f}" for seconds in medians) + f"{more:+9.2f}")


if __name__ == "__main__":
    main()
