"""Weights on their way to the workers: as a file, once to each machine, never inside a task.

Spark hands a file to an executor when its first task starts, and executors of one machine share it. Workers verify
the SHA-256 that the CNN was registered with before they read it.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from vistaql.engines.tensorflow.weights import known_file
from vistaql.models.cnn import WeightsKind

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from vistaql.models.cnn import Cnn


def sent_files(spark: SparkSession, cnn: Cnn) -> tuple[str | None, ...]:
    """Give Spark the weights of a CNN, or of all CNNs of a union; for each the name of the file there, or None."""
    return tuple(sent_file(spark, part.cnn) for part in cnn.parts) or (sent_file(spark, cnn),)


def sent_file(spark: SparkSession, cnn: Cnn) -> str | None:
    """Give Spark the file of a CNN's weights; its name there. None where workers find the weights themselves.

    They do in a local master, which shares our disk, and where weights are random, shipped with the package, or
    downloaded by Keras. Raises WEIGHTS_CHANGED.
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
    """The folder of names that say which weights a file holds; for the life of this process."""
    folder = Path(tempfile.mkdtemp(prefix="vistaql-weights-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
