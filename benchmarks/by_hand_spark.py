"""The same job written by hand for Spark: a Keras model in mapInPandas, eager and persisted, MLlib under five folds.

    python benchmarks/by_hand_spark.py FOLDER CNN LAYER,LAYER,.. [--photos 1000] [--cores 2]

As people write it: binaryFile, one model with several outputs a worker, Pillow and batches of 32, one TensorFlow
thread a worker, features joined with a broadcast table, and for each layer CrossValidator over VectorAssembler,
StandardScaler and LogisticRegression(maxIter=100). Weights are random with a seed. Prints seconds by stage.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

COLUMNS = ["kids", "photo_width", "photo_height", "photo_bytes"]
BATCH = 32
MODELS: dict[str, Any] = {}


def model_of(name: str, layers: tuple[str, ...]) -> Any:
    """The model with pooled outputs, built once in each worker."""
    if name not in MODELS:
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
        import keras
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(1)
        keras.utils.set_random_seed(1)
        builder = {"mobilenet_v2": "MobileNetV2", "resnet50": "ResNet50"}[name]
        base = getattr(keras.applications, builder)(weights=None)
        pool = keras.layers.GlobalAveragePooling2D()
        outputs = [pool(base.get_layer(layer).output) for layer in layers]
        MODELS[name] = tf.function(keras.Model(base.input, outputs))
    return MODELS[name]


def featuriser(name: str, layers: tuple[str, ...]) -> Callable[[Iterator[Any]], Iterator[Any]]:
    """The function for mapInPandas."""

    def run(frames: Iterator[Any]) -> Iterator[Any]:
        import keras
        import numpy as np
        import pandas as pd
        from PIL import Image

        run_model = model_of(name, layers)
        preprocess = getattr(keras.applications, name if name == "mobilenet_v2" else "resnet50").preprocess_input
        for frame in frames:
            opened = (Image.open(io.BytesIO(content)).convert("RGB") for content in frame["content"])
            pixels = np.stack([np.asarray(image.resize((224, 224), Image.BILINEAR), np.float32) for image in opened])
            outputs = run_model(preprocess(pixels), training=False)
            columns = {f"f{place}": list(np.asarray(part)) for place, part in enumerate(outputs)}
            yield pd.DataFrame({"item_id": frame["item_id"], **columns})

    return run


def session(cores: int) -> Any:
    """A session as people start it."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master(f"local[{cores}]").config("spark.driver.memory", "4g")
    builder = builder.config("spark.sql.execution.arrow.maxRecordsPerBatch", str(BATCH))
    return builder.config("spark.ui.enabled", "false").config("spark.sql.shuffle.partitions", "4").getOrCreate()


def scores(frame: Any, place: int) -> float:
    """Five-fold accuracy of one layer beside the columns."""
    from pyspark.ml import Pipeline
    from pyspark.ml.classification import LogisticRegression
    from pyspark.ml.evaluation import MulticlassClassificationEvaluator
    from pyspark.ml.feature import StandardScaler, StringIndexer, VectorAssembler
    from pyspark.ml.functions import array_to_vector
    from pyspark.ml.tuning import CrossValidator, ParamGridBuilder

    ready = frame.withColumn("vector", array_to_vector(frame[f"f{place}"]))
    ready = StringIndexer(inputCol="label", outputCol="code").fit(ready).transform(ready)
    learner = LogisticRegression(labelCol="code", featuresCol="scaled", regParam=0.01, maxIter=100)
    pipeline = Pipeline(stages=[
        VectorAssembler(inputCols=[*COLUMNS, "vector"], outputCol="raw"),
        StandardScaler(inputCol="raw", outputCol="scaled"), learner,
    ])  # fmt: skip
    evaluator = MulticlassClassificationEvaluator(labelCol="code", metricName="accuracy")
    grid = ParamGridBuilder().build()
    validator = CrossValidator(estimator=pipeline, estimatorParamMaps=grid, evaluator=evaluator, numFolds=5)
    return float(validator.fit(ready).avgMetrics[0])


def main() -> None:
    """Run once and print seconds by stage as one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("cnn", choices=["mobilenet_v2", "resnet50"])
    parser.add_argument("layers")
    parser.add_argument("--photos", type=int, default=1000)
    parser.add_argument("--cores", type=int, default=2)
    given = parser.parse_args()
    layers = tuple(given.layers.split(","))
    started = perf_counter()
    spark = session(given.cores)
    from pyspark.sql import functions as sql

    up = perf_counter()
    items = spark.read.csv(str(given.folder / "items.csv"), header=True, inferSchema=True)
    items = items.orderBy("item_id").limit(given.photos).withColumn("kids", sql.col("kids").cast("int"))
    images = spark.read.format("binaryFile").load(str(given.folder / "images"))
    keyed = images.select(sql.regexp_extract("path", r"([^/]+)\.\w+$", 1).alias("item_id"), "content")
    wanted = keyed.join(sql.broadcast(items.select("item_id")), "item_id")
    schema = ", ".join(["item_id string", *(f"f{place} array<float>" for place in range(len(layers)))])
    features = wanted.mapInPandas(featuriser(given.cnn, layers), schema).persist()
    features.count()
    inferred = perf_counter()
    joined = features.join(sql.broadcast(items), "item_id").persist()
    accuracy = {layer: scores(joined, place) for place, layer in enumerate(layers)}
    done = perf_counter()
    stages = {"start": up - started, "infer": inferred - up, "train": done - inferred}
    print(json.dumps({"seconds": {name: round(value, 1) for name, value in stages.items()}, "accuracy": accuracy}))


if __name__ == "__main__":
    main()
