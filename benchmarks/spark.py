"""The Spark engine beside the in-process engine (kernel, steady state), and beside the same job by hand (whole job).

    VISTAQL_TEST_DATA=DIR python benchmarks/spark.py kernel [--cnn mobilenet_v2] [--photos 3000] [--rounds 2]
    VISTAQL_TEST_DATA=DIR python benchmarks/spark.py job    [--cnn mobilenet_v2] [--photos 1000] [--rounds 2]

`kernel`: images a second of one pass over the photos, decoding included, once Spark, its workers and their graphs are
there: local[CORES] with one TensorFlow thread a worker, and this process with as many threads in all, in turn.
`job`: seconds of a whole process, import, Java and training included: `vistaql` on Spark as its optimizer decides, and
`by_hand_spark.py` (binaryFile, mapInPandas, persist, MLlib under five folds). Each prints one JSON object.
On two cores that do nothing else: kernel about 4 minutes with mobilenet_v2 and 15 with resnet50, job about 12.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import perf_counter

from vistaql.models import roster
from vistaql.models.cnn import Cnn, Weights, WeightsKind
from vistaql.models.pool import GAP
from vistaql.physical.inference import Output, Pass

LAYERS = 3
SEED = 1


def cnn_named(name: str) -> Cnn:
    """A CNN with random weights, which change no figure."""
    found = roster.load(name)
    if found is None:
        sys.exit(f"there is no {name}")
    return replace(found, weights=Weights(WeightsKind.RANDOM, seed=SEED))


def layers_of(cnn: Cnn) -> list[str]:
    """The last few layers with height and width."""
    return [name for name in cnn.points if cnn.by_name[name].spatial][-LAYERS:]


def photo_folder() -> Path:
    """The folder of photos."""
    return Path(os.environ["VISTAQL_TEST_DATA"]) / "datasets" / "clothing-3k"


def in_process(pass_: Pass, paths: list[str], cores: int) -> float:
    """Images a second in this process."""
    import pyarrow as pa

    from vistaql.engines.tensorflow.kernel import run_pass

    batches = [pa.record_batch({"key": paths, "image": paths})]
    started = perf_counter()
    count = sum(batch.num_rows for batch in run_pass(pass_, batches, decoders=max(1, (cores + 1) // 2)))
    return count / (perf_counter() - started)


def on_spark(pass_: Pass, paths: list[str], cores: int) -> float:
    """Images a second in the workers of a session that runs already; what comes out is held as a plan holds it."""
    import pyarrow as pa

    from vistaql.engines.spark.frames import Held, configured, from_arrow
    from vistaql.engines.spark.launch import spark_session
    from vistaql.engines.spark.memory import running_conf
    from vistaql.engines.spark.worker import inference, pass_schema
    from vistaql.physical.choices import ClusterChoices
    from vistaql.settings import JoinMethod, Persistence, Placement, TrainingPlace
    from vistaql.spark_settings import SparkSettings

    spark = spark_session(SparkSettings((("spark.driver.memory", "3g"), ("spark.master", f"local[{cores}]"))))
    choices = ClusterChoices(
        cores,
        1,
        1,
        2 * cores,
        JoinMethod.BROADCAST,
        Placement.BEFORE_INFERENCE,
        Persistence.DESERIALIZED,
        TrainingPlace.DRIVER,
    )
    with configured(spark, running_conf(choices)):
        numbers = pa.array(range(len(paths)), pa.int64())
        frame = from_arrow(spark, pa.table({"key": paths, "number": numbers, "image": paths}))
        started = perf_counter()
        run = inference(pass_, choices.threads, choices.decoders, None)
        held = Held.of(frame.repartition(choices.partitions).mapInArrow(run, pass_schema(pass_)), choices.persistence)
        count = held.frame.count()
        return count / (perf_counter() - started)


def kernel(options: argparse.Namespace) -> None:
    """Compare the kernels, in turn."""
    from vistaql.engines.tensorflow.runtime import set_threads

    set_threads(options.cores)
    cnn = cnn_named(options.cnn)
    paths = sorted(map(str, (photo_folder() / "images").iterdir()))[: options.photos]
    pass_ = Pass(cnn, None, tuple(Output(name, GAP) for name in layers_of(cnn)))
    warm = paths[: 2 * options.cores * cnn.batch_rows]
    in_process(pass_, warm, options.cores)
    on_spark(pass_, warm, options.cores)
    here, there = [], []
    for _ in range(options.rounds):
        here.append(in_process(pass_, paths, options.cores))
        there.append(on_spark(pass_, paths, options.cores))
    print(json.dumps({
        "cnn": cnn.name, "photos": len(paths), "cores": options.cores,
        "images_per_second": {"in_process": round(median(here), 1), "spark": round(median(there), 1)},
        "ratio": round(median(there) / median(here), 2), "wanted": ">= 0.9",
    }))  # fmt: skip


def by_vistaql(options: argparse.Namespace, home: str) -> float:
    """Seconds of a process that asks one question on Spark."""
    names = ", ".join(layers_of(cnn_named(options.cnn)))
    statement = (
        f"CREATE IMAGES photos FROM '{photo_folder()}/images'; "
        f"CREATE TABLE items FROM '{photo_folder()}/items.csv' KEY item_id LABEL label; "
        f"REGISTER CNN net FROM {options.cnn} WEIGHTS RANDOM (SEED = {SEED}); "
        f"SET engine = spark; SET spark.master = 'local[{options.cores}]'; "
        f"EXPLORE LAYERS {names} OF net FROM photos JOIN items TRAIN lr"
        + (f" SAMPLE {options.photos}" if options.photos < 3000 else "")
    )
    return timed([sys.executable, "-m", "vistaql", "--home", home, "-c", statement])


def by_hand(options: argparse.Namespace) -> float:
    """Seconds of the same job by hand."""
    names = layers_of(cnn_named(options.cnn))
    program = str(Path(__file__).with_name("by_hand_spark.py"))
    return timed([sys.executable, program, str(photo_folder()), options.cnn, ",".join(names),
                  "--photos", str(options.photos), "--cores", str(options.cores)])  # fmt: skip


def timed(command: list[str]) -> float:
    """Seconds of a command; its output is shown where it fails."""
    started = perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return perf_counter() - started


def job(options: argparse.Namespace) -> None:
    """Compare whole jobs, in turn."""
    ours, theirs = [], []
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory() as home:
            ours.append(by_vistaql(options, home))
        theirs.append(by_hand(options))
    print(json.dumps({
        "cnn": options.cnn, "photos": options.photos, "cores": options.cores,
        "seconds": {"vistaql": round(median(ours), 1), "by_hand": round(median(theirs), 1)},
        "ratio": round(median(ours) / median(theirs), 2), "wanted": "<= 0.7",
    }))  # fmt: skip


def main() -> None:
    """Run one comparison."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=["kernel", "job"])
    parser.add_argument("--cnn", default="mobilenet_v2", choices=roster.names())
    parser.add_argument("--photos", type=int, help="3000 for kernel, 1000 for job, where left out")
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    options.photos = options.photos or {"kernel": 3000, "job": 1000}[options.what]
    {"kernel": kernel, "job": job}[options.what](options)


if __name__ == "__main__":
    main()
