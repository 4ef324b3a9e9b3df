"""The engine that a plan was made for, with what it needs around it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from vistaql.engines.inprocess.engine import InProcess, Threads, bad_images_of
from vistaql.engines.inprocess.engine import engine_for as in_process

if TYPE_CHECKING:
    from vistaql.engines.inprocess.prepare import Prepared
    from vistaql.engines.spark.engine import OnSpark
    from vistaql.logical.nodes import Explore, Export
    from vistaql.physical.choices import ClusterChoices
    from vistaql.progress import Progress
    from vistaql.settings import Settings


class Decided(Threads, Protocol):
    """Threads, and what was decided about Spark where a plan runs there."""

    @property
    def cluster(self) -> ClusterChoices | None:
        """None: in this process."""


@contextmanager
def running_engine(
    query: Explore | Export,
    settings: Settings,
    prepared: Prepared,
    configuration: Decided,
    folder: str,
    progress: Progress,
) -> Iterator[InProcess | OnSpark]:
    """The engine for one query, for the time of a block."""
    if configuration.cluster is None:
        yield in_process(query, settings, prepared, configuration, folder, progress)
        return
    from vistaql.engines.spark.engine import OnSpark
    from vistaql.engines.spark.frames import batches_limited

    spark = session_for(settings, configuration.cluster)
    with batches_limited(spark):
        yield OnSpark(
            spark,
            prepared.learnable,
            prepared.listing,
            configuration.cluster,
            configuration.fit_workers,
            bad_images_of(query, settings, prepared),
            progress,
        )


def session_for(settings: Settings, cluster: ClusterChoices):
    import os, sys
    from pathlib import Path
    import vistaql
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    os.environ["SPARK_LOCAL_HOSTNAME"] = "localhost"
    from pyspark.sql import SparkSession
    b = SparkSession.builder.master(dict(settings.spark.values).get("spark.master", f"local[{cluster.workers}]"))
    b = b.config("spark.ui.enabled", "false").config("spark.driver.host", "localhost").config("spark.sql.shuffle.partitions", "4")
    s = b.getOrCreate()
    s.sparkContext.environment["PYTHONPATH"] = str(Path(vistaql.__file__).parents[1])
    return s
