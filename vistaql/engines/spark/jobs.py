"""Jobs of a run: named for Spark's pages, watched, cancelled by Ctrl-C, and told in words when they fail."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from py4j.protocol import Py4JError

from vistaql.engines.spark.counting import images_done
from vistaql.engines.spark.failures import in_words
from vistaql.progress import Silent, task

if TYPE_CHECKING:
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    from vistaql.progress import Progress

GROUP = "spark.jobGroup.id"
LABELS = (GROUP, "spark.job.description", "spark.job.interruptOnCancel")
EVERY_SECONDS = 0.5
CANCEL_TRIES = 20


@contextmanager
def jobs(spark: SparkSession, run: str, what: str) -> Iterator[None]:
    """Run the jobs of the block as the group `vistaql-RUN`, described as `what (run RUN)`.

    An interrupt cancels the group and nobody else's jobs; a failure of Spark becomes one line (SPARK_TASK, or the
    error that a worker raised). The labels of a session that somebody gave us are as before afterwards.
    """
    context = spark.sparkContext
    group = group_of(run)
    before = {name: context.getLocalProperty(name) for name in LABELS}
    context.setJobGroup(group, described(what, run), interruptOnCancel=True)
    try:
        with in_words():
            yield
    except KeyboardInterrupt:
        cancel(context, group)
        raise
    finally:
        for name, value in before.items():
            # Java takes None for "no such property", which PySpark's types do not tell.
            context.setLocalProperty(name, value)  # type: ignore[arg-type]


def cancel(context: SparkContext, group: str) -> None:
    """End the jobs of a group, and those it would begin: a fit is many jobs. Nothing where Java has ended."""
    for _ in range(CANCEL_TRIES):
        try:
            # PySpark has no such method yet.
            context._jsc.sc().cancelJobGroupAndFutureJobs(group)  # noqa: SLF001
        except Py4JError:
            # Py4J closes its connections when it is interrupted, and for a moment new ones as well.
            time.sleep(0.1)
        else:
            return


@contextmanager
def watched(
    spark: SparkSession, progress: Progress, run: str, what: str, total: int, unit: str = "images"
) -> Iterator[None]:
    """Run the jobs of the block, and report how many images have come out of the workers while it lasts."""
    name = f"{what}, {total:,} {unit}"
    with task(progress, what, total, unit) as advance, jobs(spark, run, name):
        if isinstance(progress, Silent):
            yield
            return
        over = threading.Event()
        counted = 0

        def count() -> None:
            nonlocal counted
            while not over.wait(EVERY_SECONDS):
                try:
                    done = min(images_done(spark, described(name, run)), total)
                except Py4JError:
                    # The session has ended below us; the block will say why.
                    return
                advance(max(0, done - counted))
                counted = max(done, counted)

        watcher = threading.Thread(target=count, name="watch-spark", daemon=True)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()
        advance(total - counted)


def group_of(run: str) -> str:
    """The job group of a run."""
    return f"vistaql-{run}"


def described(what: str, run: str) -> str:
    """What Spark's pages and logs show of a job.

    >>> described("strokes fc6, 896 images", "1f3c9a2e")
    'VistaQL: strokes fc6, 896 images (run 1f3c9a2e)'
    """
    return f"VistaQL: {what} (run {run})"


def active_jobs(context: SparkContext, run: str) -> tuple[int, ...]:
    """The jobs of a run that are not over."""
    tracker = context.statusTracker()
    running = set(tracker.getActiveJobsIds())
    return tuple(sorted(running.intersection(tracker.getJobIdsForGroup(group_of(run)))))
