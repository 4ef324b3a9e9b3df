"""The engine that a plan was made for, with what it needs around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from secrets import token_hex
from typing import TYPE_CHECKING, Protocol

from vistaql.engines.inprocess.engine import InProcess, Threads, bad_images_of
from vistaql.engines.inprocess.engine import engine_for as in_process
from vistaql.engines.inprocess.relational import JoinedRows, Surroundings, join_rows
from vistaql.physical.choices import ClusterChoices
from vistaql.settings import EngineChoice, Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from vistaql.engines.inprocess.prepare import Prepared
    from vistaql.engines.spark.engine import OnSpark
    from vistaql.logical.nodes import Explore, Export, Rows
    from vistaql.physical.regions import Regions
    from vistaql.progress import Progress

    AnyEngine = InProcess | OnSpark


class Decided(Threads, Protocol):
    """Threads, and what was decided about Spark where a plan runs there."""

    @property
    def cluster(self) -> ClusterChoices | None:
        """None: in this process."""

    @property
    def regions(self) -> Regions | None:
        """How Spark's memory is divided, where the plan runs there."""

    @property
    def executors(self) -> int:
        """Processes of Java that share the workers."""


def new_run() -> str:
    """The id of the run of a statement, which all its jobs on Spark carry."""
    return token_hex(4)


def joiner(
    settings: Settings, expected: Callable[[], Decided], run: str | None = None, given: SparkSession | None = None
) -> Callable[[Rows, Surroundings], JoinedRows]:
    """What joins the rows of a query, before its plan is chosen: Spark where the user has chosen it, else DuckDB.

    `expected` is what the plan is expected to need, so that Spark is started once, with memory for all of it.
    """
    if settings.engine is not EngineChoice.SPARK:
        return join_rows
    from vistaql.engines.spark.relational import SparkJoiner

    configuration = expected()
    spark = session_for(settings, configuration, given)
    return SparkJoiner(spark, settings.join, run or new_run(), configuration.threads, settings.spark)


def session_for(settings: Settings, configuration: Decided, given: SparkSession | None) -> SparkSession:
    """The session of Spark that a plan runs in."""
    from vistaql.engines.spark.conf import Needs, needs_of, with_workers
    from vistaql.engines.spark.launch import spark_session

    cluster = configuration.cluster
    if cluster is None:
        return spark_session(settings.spark, Needs(), given)
    needs = needs_of(cluster, configuration.regions, configuration.executors)
    wanted = settings.spark if given else with_workers(settings.spark, cluster.workers)
    return spark_session(wanted, needs, given)


@contextmanager
def running_engine(
    query: Explore | Export,
    settings: Settings,
    prepared: Prepared,
    configuration: Decided,
    folder: str,
    progress: Progress,
    run: str,
    given: SparkSession | None = None,
) -> Iterator[AnyEngine]:
    """The engine for one query, for the time of a block; on Spark in the session that was given, if one was."""
    if configuration.cluster is None:
        yield in_process(query, settings, prepared, configuration, folder, progress)
        return
    from vistaql.engines.spark.engine import OnSpark
    from vistaql.engines.spark.frames import configured, workers_with
    from vistaql.engines.spark.jobs import jobs
    from vistaql.engines.spark.memory import running_conf

    spark = session_for(settings, configuration, given)
    with (
        jobs(spark, run, "images and features"),
        configured(spark, settings.spark.left_open(running_conf(configuration.cluster))),
        workers_with(spark, configuration.cluster.threads),
    ):
        engine = OnSpark(
            spark,
            prepared.learnable,
            prepared.listing,
            configuration.cluster,
            configuration.fit_workers,
            bad_images_of(query, settings, prepared),
            progress,
            run,
        )
        try:
            yield engine
        finally:
            engine.close()
