"""Weights on their way to the workers: as a file, once to each machine, never inside a task.

Spark hands a file to an executor when its first task starts, and executors of one machine share it. Workers verify
the SHA-256 that the CNN was registered with, or that its published weights had here, before they read it.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from vistaql.aside import aside
from vistaql.engines.tensorflow.weights import file_digest, known_file, pretrained
from vistaql.models.cnn import Weights, WeightsKind

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from vistaql.models.cnn import Cnn


def for_workers(spark: SparkSession, cnn: Cnn, threads: int) -> tuple[Cnn, tuple[str | None, ...]]:
    """A CNN as workers build it, and the name of the file that Spark brings them for it, where it has to.

    A union has a name for each of its CNNs.

    `threads` are TensorFlow's here, where published weights make a model once. Raises WEIGHTS_CHANGED,
    DOWNLOAD_FAILED, NO_WEIGHTS.
    """
    if cnn.weights.kind is WeightsKind.IMAGENET:
        from vistaql.engines.tensorflow.runtime import import_tensorflow, set_threads

        aside(import_tensorflow, finish=True)
        set_threads(threads, asked_for=False)
        cnn = aside(lambda: fetched(cnn))
    return cnn, tuple(sent_file(spark, part.cnn) for part in cnn.parts) or (sent_file(spark, cnn),)


@lru_cache(maxsize=8)
def fetched(cnn: Cnn) -> Cnn:
    """A CNN with its published weights in a file, for the life of this process. Raises DOWNLOAD_FAILED, NO_WEIGHTS.

    Each worker would otherwise download them, and several first ones write one file at the same time.
    """
    from vistaql.engines.tensorflow.builders import build_unfilled

    model = pretrained(build_unfilled(cnn.builder, cnn.input_size), cnn)
    height, width = cnn.input_size
    path = str(links() / f"{cnn.builder.rpartition(':')[2]}-{height}x{width}.weights.h5")
    model.save_weights(path)
    return replace(cnn, weights=Weights(WeightsKind.FILE, path, digest=file_digest(path)))


def sent_file(spark: SparkSession, cnn: Cnn) -> str | None:
    """Give Spark the file of a CNN's weights; its name there. None where workers find the weights themselves.

    They do in a local master, which shares our disk, and where weights are random or shipped with the package.
    Raises WEIGHTS_CHANGED.
    """
    context = spark.sparkContext
    if cnn.weights.kind is not WeightsKind.FILE or str(context.master).partition("[")[0] == "local":
        return None
    path = Path(known_file(cnn))
    name = f"{(cnn.weights.digest or '')[:16]}-{path.name}"
    link = links() / name
    if not link.is_symlink():
        # Spark names files by the last part of their path, which two CNNs may share.
        link.symlink_to(path.absolute())
    # Of a path Spark would follow the link, and take the name behind it.
    context.addFile(link.as_uri())
    return name


@lru_cache(maxsize=1)
def links() -> Path:
    """A folder of published weights and of names that say which weights a file holds; for the life of this process."""
    folder = Path(tempfile.mkdtemp(prefix="vistaql-weights-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
