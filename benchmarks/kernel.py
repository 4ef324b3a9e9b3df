"""Images a second: the kernel beside calls of the Keras model, on the same photos with the same threads.

    VISTAQL_TEST_DATA=DIR python benchmarks/kernel.py [--cnn mobilenet_v2] [--photos 480] [--threads 2] [--rounds 3]

Each round runs both over all photos, decoding included, after a first batch that is not counted. Weights are random:
they change no figure. Prints one JSON object: the medians, and the ratio.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

import numpy as np
import pyarrow as pa

from vistaql.engines.tensorflow.builders import build, tensors
from vistaql.engines.tensorflow.decode import decode
from vistaql.engines.tensorflow.kernel import run_pass
from vistaql.engines.tensorflow.runtime import set_threads
from vistaql.models import roster
from vistaql.models.cnn import Cnn, Weights, WeightsKind
from vistaql.models.pool import GAP
from vistaql.physical.inference import Output, Pass

BATCH = 32
KERAS_MODES = {"tf", "caffe", "torch"}


def run_kernel(pass_: Pass, paths: list[str], decoders: int) -> None:
    """One pass over the photos."""
    rows = pa.record_batch({"key": paths, "image": paths})
    for _ in run_pass(pass_, [rows], decoders=decoders):
        pass


def keras_loop(cnn: Cnn, layers: list[str], paths: list[str]) -> Callable[[int], None]:
    """The usual loop: decode a batch, preprocess it, call the model; over the first so many photos."""
    import keras

    model = build(cnn)
    symbolic = tensors(model)
    pool = keras.layers.GlobalAveragePooling2D()
    part = keras.Model(model.input, [pool(symbolic[name]) for name in layers])
    mode = cnn.preprocessing.value

    def run(photos: int) -> None:
        for start in range(0, photos, BATCH):
            pixels = np.stack([decode(path, *cnn.input_size) for path in paths[start : start + BATCH]])
            floats: Any = pixels.astype(np.float32)
            if mode in KERAS_MODES:
                floats = keras.applications.imagenet_utils.preprocess_input(floats, mode=mode)
            for features in part(floats, training=False):
                np.asarray(features)

    return run


def rate(run: Callable[[], None], photos: int) -> tuple[float, float]:
    """Photos a second, and milliseconds of processor a photo."""
    started, used = perf_counter(), process_time()
    run()
    return photos / (perf_counter() - started), 1000 * (process_time() - used) / photos


def main() -> None:
    """Measure both ways in turn."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cnn", default="mobilenet_v2", choices=roster.names())
    parser.add_argument("--photos", type=int, default=480)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--decoders", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    set_threads(options.threads)
    folder = Path(os.environ["VISTAQL_TEST_DATA"]) / "datasets" / "clothing-3k" / "images"
    paths = sorted(map(str, folder.iterdir()))[: options.photos]
    found = roster.load(options.cnn)
    if found is None:
        parser.error(f"there is no {options.cnn}")
    cnn = replace(found, weights=Weights(WeightsKind.RANDOM, seed=1))
    layers = [name for name in cnn.points if cnn.by_name[name].spatial][-4:]
    pass_ = Pass(cnn, None, tuple(Output(name, GAP) for name in layers))
    by_keras = keras_loop(cnn, layers, paths)
    run_kernel(pass_, paths[: cnn.batch_rows], options.decoders)
    by_keras(BATCH)
    kernel, keras_calls = [], []
    for _ in range(options.rounds):
        kernel.append(rate(lambda: run_kernel(pass_, paths, options.decoders), len(paths)))
        keras_calls.append(rate(lambda: by_keras(len(paths)), len(paths)))
    report = {
        name: {
            "images_per_second": round(median(speed for speed, _ in runs), 1),
            "processor_ms_per_image": round(median(used for _, used in runs), 1),
        }
        for name, runs in (("kernel", kernel), ("keras", keras_calls))
    }
    ratio = report["kernel"]["images_per_second"] / report["keras"]["images_per_second"]
    print(json.dumps({"cnn": cnn.name, "photos": len(paths), "layers": layers, **report, "ratio": round(ratio, 2)}))


if __name__ == "__main__":
    main()
