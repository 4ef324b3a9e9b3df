"""Ten workloads with unpooled convolution layers under limits of memory: whether they finish, and below the limit.

    VISTAQL_TEST_DATA=DIR python benchmarks/memory_limits.py [--only 0..3] [--limits 1.5GB,2GB,4GB] [--by-hand]
        [--results FILE]

Every run is a process of its own; its peak is that of its whole process tree (proportional shares of shared pages are
not taken off), read ten times a second. `--by-hand` runs, once a workload, what people write: Keras's `predict` over
all images at once, every layer in memory, scikit-learn's cross validation. Results are appended to FILE as lines of
JSON, so that workloads can be run one after another. About an hour on two quiet cores for everything, ten minutes
more by hand.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

import psutil

from vistaql.units import format_size, parse_size

SETUP = """
CREATE OR REPLACE TABLE items FROM '{data}/datasets/clothing-3k/items.csv' KEY item_id LABEL label;
CREATE OR REPLACE IMAGES photos FROM '{data}/datasets/clothing-3k/images';
REGISTER OR REPLACE CNN mobilenet FROM mobilenet_v2 WEIGHTS '{data}/weights/mobilenet_v2_1.0_224.weights.h5';
REGISTER OR REPLACE CNN squeezenet FROM file '{data}/weights/squeezenet_v1.0_227.keras' WITH (preprocessing = tf);
REGISTER OR REPLACE CNN resnet20 FROM file '{data}/weights/resnet20_cifar10_32.keras' WITH (preprocessing = torch);
REGISTER OR REPLACE CNN small FROM file '{data}/weights/mobilenet_v1_0.25_128.keras' WITH (preprocessing = tf);
"""


@dataclass(frozen=True)
class Workload:
    """Layers of a CNN, unpooled where it says so, over so many photos."""

    cnn: str
    layers: str
    photos: int

    @property
    def query(self) -> str:
        """The statement."""
        return (
            f"EXPLORE LAYERS {self.layers} OF {self.cnn} FROM photos JOIN items SAMPLE {self.photos} "
            "TRAIN logistic_regression (max_iter = 40)"
        )


WORKLOADS = (
    Workload("mobilenet", "block_13_expand_relu POOL none, out_relu POOL none", 600),
    Workload("mobilenet", "block_6_expand_relu POOL none, out_relu", 400),
    Workload("mobilenet", "block_13_expand_relu POOL none, block_16_project_BN POOL none, out_relu", 1200),
    Workload("mobilenet", "block_3_expand_relu POOL none, block_13_expand_relu", 200),
    Workload("squeezenet", "fire5_concat POOL none, fire9_concat POOL none", 600),
    Workload("squeezenet", "fire3_concat POOL none, fire5_concat POOL none, fire8_concat", 300),
    Workload("squeezenet", "fire8_concat POOL none, fire9_concat POOL none", 1200),
    Workload("resnet20", "stage1_block2_out POOL none, stage2_block1_out POOL none, avg_pool", 3000),
    Workload("resnet20", "stage2_block1_out POOL none, stage3_block3_out POOL none", 3000),
    Workload("small", "conv_pw_5_relu POOL none, conv_pw_9_relu POOL none, conv_pw_11_relu", 3000),
)
BY_HAND = """
import json, sys
from pathlib import Path
import numpy as np
import vistaql
from vistaql.engines.tensorflow.builders import build, tensors
from vistaql.engines.tensorflow.decode import decode
from vistaql.models.stored import from_json

home, name, layers, photos, folder = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
with vistaql.connect(home) as session:
    cnn = from_json(session.catalog.cnn(name))
import keras
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
paths = sorted(map(str, Path(folder).iterdir()))[:photos]
pixels = np.stack([decode(path, *cnn.input_size) for path in paths]).astype(np.float32) / 127.5 - 1
model = build(cnn)
symbolic = tensors(model)
outputs = [symbolic[layer] if whole else keras.layers.GlobalAveragePooling2D()(symbolic[layer])
           if len(symbolic[layer].shape) == 4 else symbolic[layer] for layer, whole in layers]
features = keras.Model(model.input, outputs).predict(pixels, verbose=0)
labels = np.arange(photos) % 10
for layer in features if isinstance(features, list) else [features]:
    rows = layer.reshape(photos, -1)
    cross_val_score(make_pipeline(StandardScaler(), LogisticRegression(max_iter=5)), rows, labels, cv=5)
"""


@dataclass(frozen=True)
class Outcome:
    """How a run ended: its peak in bytes, and the last line it wrote where it failed."""

    workload: int
    limit: str
    finished: bool
    peak: int
    seconds: float
    words: str


def watched(command: list[str], stop_over: int | None = None) -> tuple[bool, int, float, str]:
    """Run a process; whether it finished, the peak of its tree, its seconds, and the end of what it wrote.

    A run that takes more than `stop_over` bytes is ended, so that the machine stays usable.
    """
    started = perf_counter()
    with tempfile.TemporaryFile("w+") as written:
        process = subprocess.Popen(command, stdout=written, stderr=subprocess.STDOUT)
        peak, over = 0, threading.Event()

        def watch() -> None:
            nonlocal peak
            while not over.wait(0.1):
                peak = max(peak, tree_bytes(process.pid))
                if stop_over and peak > stop_over:
                    process.kill()

        watcher = threading.Thread(target=watch)
        watcher.start()
        code = process.wait()
        over.set()
        watcher.join()
        written.seek(0)
        lines = written.read().strip().splitlines()
    return code == 0, peak, perf_counter() - started, lines[-1] if lines else ""


def tree_bytes(pid: int) -> int:
    """Resident bytes of a process and all below it."""
    try:
        process = psutil.Process(pid)
        return sum(item.memory_info().rss for item in (process, *process.children(recursive=True)))
    except psutil.Error:
        return 0


def by_hand(home: Path, data: Path, work: Workload) -> list[str]:
    """The command that does the same by hand."""
    parts = [part.split() for part in work.layers.split(",")]
    layers = [(part[0], part[-1] == "none") for part in parts]
    folder = data / "datasets" / "clothing-3k" / "images"
    return [sys.executable, "-c", BY_HAND, str(home), work.cnn, json.dumps(layers), str(work.photos), str(folder)]


def vistaql(home: Path, limit: str, query: str) -> list[str]:
    """The command that runs a query under a limit."""
    return [sys.executable, "-m", "vistaql", "--home", str(home), "--set", f"memory_limit={limit}",
            "--set", "confirm_over=10h", "-c", query]  # fmt: skip


def numbers(text: str, most: int) -> range:
    """`3` or `2..5`, both ends included."""
    first, _, last = text.partition("..")
    return range(int(first), min(most, int(last or first) + 1))


def show(found: Outcome) -> str:
    """One line of the table."""
    limit = parse_size(found.limit)
    kept = "" if limit is None else "below" if found.peak < limit else "ABOVE"
    end = "" if found.finished else f"  did not finish: {found.words}"
    work = WORKLOADS[found.workload]
    return (
        f"{found.workload:>2} {work.cnn:<10} {work.photos:>5} photos  {found.limit:>8}  "
        f"peak {format_size(found.peak):>7} {kept:<5} {found.seconds:7.1f} s{end}"
    )


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default=f"0..{len(WORKLOADS)}")
    parser.add_argument("--limits", default="1.5GB,2GB,4GB")
    parser.add_argument("--by-hand", action="store_true")
    parser.add_argument("--results", type=Path)
    given = parser.parse_args()
    data = Path(os.environ["VISTAQL_TEST_DATA"]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        setup = [sys.executable, "-m", "vistaql", "--home", str(home), "-c", SETUP.format(data=data)]
        subprocess.run(setup, check=True, stdout=subprocess.DEVNULL)
        for number in numbers(given.only, len(WORKLOADS)):
            work = WORKLOADS[number]
            commands = {limit: vistaql(home, limit, work.query) for limit in given.limits.split(",")}
            if given.by_hand:
                commands["by hand"] = by_hand(home, data, work)
            for limit, command in commands.items():
                most = None if limit != "by hand" else int(0.8 * psutil.virtual_memory().total)
                found = Outcome(number, limit, *watched(command, most))
                print(show(found), flush=True)
                if given.results:
                    with given.results.open("a") as file:
                        file.write(json.dumps(asdict(found)) + "\n")


if __name__ == "__main__":
    main()
