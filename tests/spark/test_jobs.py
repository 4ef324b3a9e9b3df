"""Jobs of a run: named, watched, cancelled, and told in one line when they fail."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from tests.spark.conftest import Both
from tests.spark.test_training import CHOICES, LEARNER, WIDTH, examples_of
from vistaql.engines.spark import training
from vistaql.engines.spark.counting import items
from vistaql.engines.spark.failures import blaming, culprit, told
from vistaql.engines.spark.jobs import LABELS, active_jobs, jobs, watched
from vistaql.engines.spark.relational import SparkJoiner
from vistaql.errors import Code, VistaQLError
from vistaql.learners.folds import deal
from vistaql.progress import Silent

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    Batches = Iterator[pa.RecordBatch]

QUESTION = (
    "EXPLORE LAYERS conv3 OF strokes FROM photos JOIN items ON photos.key = items.sku TRAIN lr "
    "EVALUATE accuracy USING HOLDOUT (0.3)"
)


@dataclass
class Watch(Silent):
    """A progress that remembers."""

    started: list[tuple[str, int, str]] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    finished: int = 0

    def start(self, what: str, total: int, unit: str) -> None:
        self.started.append((what, total, unit))

    def advance(self, count: int) -> None:
        self.counts.append(count)

    def finish(self) -> None:
        self.finished += 1

    def say(self, line: str) -> None:
        pass


@pytest.fixture
def spark(both: Both) -> SparkSession:
    assert both.spark.spark
    return both.spark.spark


def slowly(batches: Batches) -> Batches:
    """Rows at a tenth of a second each, of 40 KB: a worker sends what it has when 64 KiB are together."""
    for batch in batches:
        time.sleep(0.1 * batch.num_rows)
        yield pa.record_batch({"id": batch.column("id"), "vector": [b"v" * 40_000] * batch.num_rows})


def in_small_batches(spark: SparkSession, rows: int, parts: int) -> Iterator[object]:
    """Frames of numbers that reach Python two at a time."""
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "2")
    return spark.range(rows, numPartitions=parts).mapInArrow(slowly, "id long, vector binary")


@pytest.mark.parametrize("training", ["driver", pytest.param("cluster", marks=pytest.mark.volume)])
def test_every_job_of_a_run_says_what_it_does_and_carries_its_id(
    training: str, both: Both, spark: SparkSession
) -> None:
    before = {number for number, _, _ in known_jobs(spark)}
    both.on_spark(QUESTION, training=training, join="broadcast", placement="before")
    said = [job for job in known_jobs(spark) if job[0] not in before]
    (run,) = {group.removeprefix("vistaql-") for _, group, _ in said}
    assert re.fullmatch("[0-9a-f]{8}", run)
    assert {line for _, _, line in said} == {
        f"VistaQL: {what} (run {run})"
        for what in ("rows of items", "strokes conv3, 34 images", "logistic_regression on conv3")
    }


def known_jobs(spark: SparkSession) -> list[tuple[int, str, str]]:
    """Number, group and description of the jobs that Spark remembers."""
    listed = items(spark.sparkContext._jsc.sc().statusStore().jobsList(None))
    return [(job.jobId(), text_of(job.jobGroup()), text_of(job.description())) for job in listed]


def text_of(option: Any) -> str:
    """An optional text of Scala; empty where there is none."""
    return str(option.get()) if option.isDefined() else ""


@pytest.mark.volume
def test_progress_has_the_form_it_has_in_process(both: Both) -> None:
    """The same call, the same total; what is counted adds up to it."""
    here, there = Watch(), Watch()
    for session, watch in ((both.here, here), (both.spark, there)):
        before, session.progress = session.progress, watch
        try:
            session.sql(QUESTION)
        finally:
            session.progress = before
    assert there.started == here.started == [("strokes conv3", 34, "images")]
    assert sum(there.counts) == sum(here.counts) == 34
    assert (here.finished, there.finished) == (1, 1)


@pytest.mark.volume
def test_images_are_counted_while_tasks_run(spark: SparkSession) -> None:
    watch = Watch()
    with watched(spark, watch, "1f3c9a2e", "slow", 160):
        assert in_small_batches(spark, 160, 2).count() == 160
    assert sum(watch.counts) == 160
    # Two tasks, that end at two moments at most.
    assert len([count for count in watch.counts if count > 0]) > 2


@pytest.fixture
def _interruptible() -> Iterator[None]:
    """A shell lets its background jobs, and the tests in them, ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_interruptible")
def test_an_interrupt_cancels_the_run_and_nobody_elses_jobs(spark: SparkSession) -> None:
    context = spark.sparkContext
    labels = {name: context.getLocalProperty(name) for name in LABELS}
    other = threading.Thread(target=lambda: results.append(in_small_batches(spark, 30, 1).count()))
    results: list[int] = []
    other.start()
    timer = threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt), jobs(spark, "interrupt", "slow"):
        in_small_batches(spark, 4000, 1).count()
    end = time.monotonic() + 30
    while active_jobs(context, "interrupt"):
        assert time.monotonic() < end
        time.sleep(0.1)
    other.join()
    assert results == [30]
    assert {name: context.getLocalProperty(name) for name in LABELS} == labels
    assert spark.range(3).count() == 3


@pytest.mark.usefixtures("_interruptible")
def test_an_interrupt_cancels_the_jobs_that_join_rows(
    both: Both, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They run before a plan is chosen, as jobs of the same run."""
    monkeypatch.setattr(SparkJoiner, "joined", lambda *_: in_small_batches(spark, 4000, 1).count())
    with interrupted_at(spark, "VistaQL: rows of items (run ") as groups:
        both.on_spark(QUESTION)
    await_end(spark, groups)


@pytest.mark.usefixtures("_interruptible")
def test_an_interrupt_does_not_wait_for_fits(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both folds are being fitted, for minutes; what they would begin next is not begun."""
    examples, _ = examples_of(2)
    two_folds = replace(examples, tested=deal(examples.keys, examples.codes, 2))
    monkeypatch.setattr(training, "fit_fold", lambda *_: [in_small_batches(spark, 4000, 1).count() for _ in "123"])
    with interrupted_at(spark, "VistaQL: fits (run 0fa11e57)") as groups, jobs(spark, "0fa11e57", "fits"):
        training.fit_folds(spark.range(1), two_folds, WIDTH, LEARNER, CHOICES, with_columns=False)
    await_end(spark, groups)


@contextmanager
def interrupted_at(spark: SparkSession, what: str) -> Iterator[set[str]]:
    """Press Ctrl-C when a job runs that is described so; gives its group, once the block has ended by that."""
    groups: set[str] = set()

    def watch() -> None:
        tracker = spark.sparkContext.statusTracker()
        end = time.monotonic() + 60
        while not groups and time.monotonic() < end:
            time.sleep(0.1)
            active = set(tracker.getActiveJobsIds())
            groups.update(group for number, group, line in known_jobs(spark) if number in active and what in line)
        # A moment later every thread of the block waits for its job.
        time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=watch)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        yield groups
    thread.join()


def await_end(spark: SparkSession, groups: set[str]) -> None:
    """The jobs of a group are over soon, and no other begins."""
    (group,) = groups
    end = time.monotonic() + 10
    while active_jobs(spark.sparkContext, group.removeprefix("vistaql-")):
        assert time.monotonic() < end
        time.sleep(0.1)
    number = len(spark.sparkContext.statusTracker().getJobIdsForGroup(group))
    time.sleep(0.5)
    assert not active_jobs(spark.sparkContext, group.removeprefix("vistaql-"))
    assert len(spark.sparkContext.statusTracker().getJobIdsForGroup(group)) == number


def pictures(*keys: str) -> pa.RecordBatch:
    return pa.record_batch({"key": list(keys), "number": list(range(len(keys)))})


def fails_at_p7(batches: Batches) -> Batches:
    """A kernel that reads ahead, and fails at one image."""
    for batch in list(batches):
        if "p7" in batch.column("key").to_pylist():
            raise MemoryError("no room for 8 GB")
        yield batch


def test_a_failing_task_is_told_in_one_line_that_names_the_image(spark: SparkSession) -> None:
    frame = spark.createDataFrame(pa.table({"key": [f"p{n}" for n in range(20)], "number": list(range(20))}))
    failing = frame.mapInArrow(lambda batches: blaming(fails_at_p7, batches), "key string, number long")
    with pytest.raises(VistaQLError) as caught, jobs(spark, "fails", "pictures"):
        failing.count()
    assert caught.value.code is Code.SPARK_TASK
    assert caught.value.message == "A task failed at the image 'p7': MemoryError: no room for 8 GB"
    assert "Traceback" in str(caught.value.__cause__)


def test_an_error_of_ours_comes_back_as_it_was_raised(spark: SparkSession) -> None:
    def refuses(batches: Batches) -> Batches:
        raise VistaQLError(Code.WEIGHTS_CHANGED, "The weights of 'net' are no longer what they were.", hint="Go back.")
        yield from batches

    with pytest.raises(VistaQLError) as caught, jobs(spark, "refuses", "weights"):
        spark.range(3).mapInArrow(lambda batches: blaming(refuses, batches), "id long").count()
    found = caught.value
    assert (found.code, found.hint) == (Code.WEIGHTS_CHANGED, "Go back.")
    assert found.message == "The weights of 'net' are no longer what they were."


def test_the_one_to_blame_is_found_among_images_that_were_read_ahead() -> None:
    batches = [pictures("p1", "p2"), pictures("p3", "p7"), pictures("p8")]
    with pytest.raises(VistaQLError, match="the image 'p7'"):
        list(blaming(fails_at_p7, iter(batches)))


def test_few_passes_find_the_one_to_blame() -> None:
    """Eight batches of 64 and then halves, where one image at a time would take 512 passes with a large CNN."""
    batches = tuple(pictures(*(f"k{part}.{row}" for row in range(64))) for part in range(8))
    passes = 0

    def at(bad: str, batches: Batches) -> Batches:
        nonlocal passes
        passes += 1
        yield from (fails_at_p7(pictures("p7") for batch in batches if bad in batch.column("key").to_pylist()))

    assert culprit(partial(at, "k7.63"), batches) == "the image 'k7.63'"
    assert passes <= 8 + 2 * 6
    assert culprit(partial(at, "none"), batches) == "the images 'k0.0' to 'k7.63'"


@pytest.mark.parametrize(("text", "words"), [
    ("Job aborted: ... Python worker exited unexpectedly (crashed): java.io.EOFException", "Python worker died"),
    ("Job aborted: ExecutorLostFailure (executor 1 exited caused by one of the running tasks)", "executor was lost"),
    ("java.lang.OutOfMemoryError: Java heap space", "Java ran out of memory"),
    ("Answer from Java side is empty", "Java has ended"),
    ("java.io.IOException: No space left on device", "a disk is full"),
    ("ModuleNotFoundError: No module named 'vistaql'\n", "a worker lacks a package"),
    ("Traceback\n  File x\nValueError: cannot reshape\n", "ValueError: cannot reshape"),
    ("", "no reason"),
])  # fmt: skip
def test_what_spark_says_becomes_a_line_and_a_way_out(text: str, words: str) -> None:
    error = told(text)
    assert words in error.message
    assert "\n" not in error.message
    assert error.hint
