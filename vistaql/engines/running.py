"""The engine that a plan was made for, with what it needs around it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from secrets import token_hex
from typing import TYPE_CHECKING, Protocol

from vistaql.engines.inprocess.engine import InProcess, Threads, bad_images_of
from vistaql.engines.inprocess.engine import engine_for as in_process

from vistaql.spark_settings import DEFAULT_MASTER, MASTER, SparkSettings

if TYPE_CHECKING:
    from vistaql.engines.inprocess.prepare import Prepared
    from vistaql.engines.spark.engine import OnSpark
    from vistaql.logical.nodes import Explore, Export
    from vistaql.physical.choices import ClusterChoices
    from vistaql.progress import Progress
    from vistaql.settings import Settings

    AnyEngine = InProcess | OnSpark


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
) -> Iterator[AnyEngine]:
    """The engine for one query, for the time of a block."""
    if configuration.cluster is None:
        yield in_process(query, settings, prepared, configuration, folder, progress)
        return
    from vistaql.engines.spark.engine import OnSpark
    from vistaql.engines.spark.frames import configured, running_conf
    from vistaql.engines.spark.jobs import jobs
    from vistaql.engines.spark.launch import spark_session

    spark = spark_session(with_workers(settings.spark, configuration.cluster.workers))
    run = token_hex(4)
    with jobs(spark, run, "rows and features"), configured(spark, running_conf(configuration.cluster)):
        yield OnSpark(
            spark,
            prepared.learnable,
            prepared.listing,
            configuration.cluster,
            configuration.fit_workers,
            bad_images_of(query, settings, prepared),
            progress,
            run,
        )


def with_workers(settings: SparkSettings, workers: int) -> SparkSettings:
    """A local master with the decided number of workers, where the user left it open."""
    return settings.changed(MASTER, f"local[{workers}]") if settings.master == DEFAULT_MASTER else settings
