"""The same job written by hand: Keras for the features, scikit-learn for the training. One run, seconds by stage.

    python benchmarks/by_hand_keras.py eager|lazy DATA [--photos 512] [--blas-threads 1]

`lazy` runs the whole network once a layer and decodes every photo again each time; `eager` runs one model with several
outputs. Both are what people write: ResNet50 with seeded random weights, Pillow, bilinear to 224 x 224, caffe
preprocessing, batches of 32, features in memory, StandardScaler and LogisticRegression(max_iter=100) under five folds.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

LAYERS = ("conv4_block6_out", "conv5_block1_out", "conv5_block2_out", "conv5_block3_out")
COLUMNS = ["kids", "photo_width", "photo_height", "photo_bytes"]
BATCH = 32


def photo_paths(data: Path, photos: int) -> list[Path]:
    """The first photos in the order of their names."""
    return sorted((data / "datasets" / "clothing-3k" / "images").glob("*.jpg"))[:photos]


def batches(paths: list[Path]) -> Iterator[Any]:
    """Decoded photos, resized and preprocessed, 32 at a time."""
    import keras
    import numpy as np
    from PIL import Image

    for start in range(0, len(paths), BATCH):
        opened = (Image.open(path).convert("RGB") for path in paths[start : start + BATCH])
        pixels = np.stack([np.asarray(image.resize((224, 224), Image.BILINEAR), np.float32) for image in opened])
        yield keras.applications.resnet50.preprocess_input(pixels)


def infer(paths: list[Path], *, lazy: bool) -> dict[str, Any]:
    """Pooled features of every layer."""
    import keras
    import numpy as np
    import tensorflow as tf

    keras.utils.set_random_seed(1)
    base = keras.applications.ResNet50(weights=None)
    pool = keras.layers.GlobalAveragePooling2D()
    outputs = {layer: pool(base.get_layer(layer).output) for layer in LAYERS}
    if lazy:
        found = {}
        for layer in LAYERS:
            run = tf.function(keras.Model(base.input, outputs[layer]))
            found[layer] = np.concatenate([np.asarray(run(batch, training=False)) for batch in batches(paths)])
        return found
    run = tf.function(keras.Model(base.input, list(outputs.values())))
    parts = [[np.asarray(part) for part in run(batch, training=False)] for batch in batches(paths)]
    return {layer: np.concatenate([part[place] for part in parts]) for place, layer in enumerate(LAYERS)}


def train(features: dict[str, Any], paths: list[Path], data: Path, blas_threads: int | None) -> dict[str, float]:
    """Mean accuracy of every layer joined with the table, five folds."""
    import numpy as np
    import pandas as pd
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    items = pd.read_csv(data / "datasets" / "clothing-3k" / "items.csv").set_index("item_id")
    items = items.loc[[path.stem for path in paths]]
    columns, label = items[COLUMNS].to_numpy(np.float64), items["label"].to_numpy(object)
    limit: Any = threadpool_limits(blas_threads) if blas_threads else contextlib.nullcontext()
    with limit:
        return {
            layer: float(
                cross_val_score(
                    make_pipeline(StandardScaler(), LogisticRegression(max_iter=100)),
                    np.hstack([columns, values]), label, cv=5,
                ).mean()
            )
            for layer, values in features.items()
        }  # fmt: skip


def main() -> None:
    """Run once and print seconds by stage as one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("how", choices=["eager", "lazy"])
    parser.add_argument("data", type=Path)
    parser.add_argument("--photos", type=int, default=512)
    parser.add_argument("--blas-threads", type=int)
    given = parser.parse_args()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    paths = photo_paths(given.data, given.photos)
    started = perf_counter()
    import tensorflow  # noqa: F401, ICN001 - its import is part of the job

    imported = perf_counter()
    features = infer(paths, lazy=given.how == "lazy")
    inferred = perf_counter()
    accuracy = train(features, paths, given.data, given.blas_threads)
    done = perf_counter()
    stages = {"import": imported - started, "infer": inferred - imported, "train": done - inferred}
    print(json.dumps({"seconds": {name: round(value, 2) for name, value in stages.items()}, "accuracy": accuracy}))


if __name__ == "__main__":
    main()
