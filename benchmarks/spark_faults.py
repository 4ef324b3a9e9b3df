"""What killed workers and lost executors change in an answer: nothing. Kills, counts, and compares with a quiet run.

    python benchmarks/spark_faults.py [--workers 20] [--executors 5] [--scans 896] [--partitions 24] [--seed 1]

The demo's scans, two layers, staged, so that one pass resumes from a tensor that the cluster keeps. Each run on
Spark gets one SIGKILL at a random moment while tasks run: first of Python workers (`local[2]`, whose tasks are tried
again), then of executors (`local-cluster[2,1,2048]`, which starts others). A kill counts if a task failed with it.
Features, folds and scores must be those of the plan in this process, bit for bit. Exit code 1 where they are not.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter, sleep
from typing import TYPE_CHECKING

import psutil

from vistaql.demo import write
from vistaql.demo.folder import SETUP
from vistaql.engines.spark.counting import items
from vistaql.engines.spark.launch import spark_session
from vistaql.outcome import Exploration
from vistaql.session import Session, connect

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

QUESTION = "EXPLORE LAYERS conv3, fc5 OF strokes FROM scans JOIN measures SAMPLE {} TRAIN lr WITH (plan = staged)"
DAEMON = "vistaql.engines.spark.daemon"
SUBMIT = "SparkSubmit"
EXECUTOR = "CoarseGrainedExecutorBackend"
PATIENCE = 300.0
"""seconds for a victim to appear"""
MOMENT = 0.05
"""seconds in which a process that is at work is seen to be"""

Answer = tuple[tuple[str | None, tuple[float, ...]], ...]


@dataclass
class Kill:
    """A process that was killed, and whether it was at work: whether a task failed with it."""

    pid: int | None = None
    at_work: bool = False


def answer(session: Session, question: str) -> Answer:
    """Digests of features and scores of folds."""
    outcome = session.sql(question).outcome
    assert isinstance(outcome, Exploration)
    return tuple((row.digest, row.folds) for row in outcome.rows)


def workers() -> list[psutil.Process]:
    """The Python workers below this process: what the daemon has forked."""
    # Java's command line names the daemon as well, as a setting.
    python = [one for one in descendants() if DAEMON in command(one) and EXECUTOR not in command(one)]
    python = [one for one in python if SUBMIT not in command(one)]
    return [one for one in python if one.ppid() in {other.pid for other in python}]


def executors() -> list[psutil.Process]:
    """The executors below this process."""
    return [process for process in descendants() if EXECUTOR in command(process)]


def descendants() -> list[psutil.Process]:
    """Every process that this one started, and those that they started."""
    return psutil.Process().children(recursive=True)


def command(process: psutil.Process | None) -> str:
    """The command line of a process; empty where it has ended."""
    try:
        return " ".join(process.cmdline()) if process else ""
    except psutil.Error:
        return ""


@contextmanager
def one_kill(session: Session, victims: Callable[[], list[psutil.Process]], chance: random.Random) -> Iterator[Kill]:
    """Kill one victim at some moment of the block at which tasks run."""
    kill, over = Kill(), threading.Event()
    spark = session.spark or spark_session(session.settings.spark)
    tracker = spark.sparkContext.statusTracker()
    before = {job for job, _ in failed_tasks(spark)}

    def busy() -> bool:
        stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
        return any(stage is not None and stage.numActiveTasks > 0 for stage in stages)

    def wait_and_kill() -> None:
        sleep(chance.uniform(0, 1))
        end = perf_counter() + PATIENCE
        while not over.is_set() and perf_counter() < end:
            if busy() and (found := working(victims())):
                victim = chance.choice(sorted(found, key=lambda process: process.pid))
                kill.pid = victim.pid
                victim.kill()
                return
            sleep(0.02)

    thread = threading.Thread(target=wait_and_kill)
    thread.start()
    try:
        yield kill
    finally:
        over.set()
        thread.join()
    kill.at_work = any(failed for job, failed in failed_tasks(spark) if job not in before)


def working(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that compute at this moment, they or what they started."""
    before = [seconds_of(process) for process in processes]
    sleep(MOMENT)
    return [one for one, then in zip(processes, before, strict=True) if seconds_of(one) - then >= 0.4 * MOMENT]


def seconds_of(process: psutil.Process) -> float:
    """The time of processors that a process and its descendants have had; none where it has ended."""
    try:
        times = [one.cpu_times() for one in (process, *process.children(recursive=True))]
    except psutil.NoSuchProcess:
        return 0.0
    return sum(one.user + one.system for one in times)


def failed_tasks(spark: SparkSession) -> list[tuple[int, int]]:
    """The jobs that Spark remembers: number, and how many tasks failed in it, of those that were tried again too."""
    context = spark.sparkContext._jsc.sc()  # noqa: SLF001, Python's tracker knows jobs by their groups only
    context.listenerBus().waitUntilEmpty()
    return [(job.jobId(), job.numFailedTasks()) for job in items(context.statusStore().jobsList(None))]


def disturb(
    ask: Callable[[], Answer], session: Session, count: int, victims: Callable[[], list[psutil.Process]],
    quiet: Answer, chance: random.Random,
) -> tuple[int, int, bool]:  # fmt: skip
    """Ask as often as it takes to kill `count` victims at their work.

    Gives how many were killed, after how many of them the answer was the quiet one, and whether all answers were.
    """
    killed = equal = runs = 0
    # The first run starts what is to be killed.
    unequal = ask() != quiet
    while killed < count and runs < 4 * count:
        runs += 1
        with one_kill(session, victims, chance) as kill:
            found = ask()
        if kill.at_work:
            killed += 1
            equal += found == quiet
        unequal |= found != quiet
    return killed, equal, not unequal


def main() -> int:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=20)
    parser.add_argument("--executors", type=int, default=5)
    parser.add_argument("--scans", type=int, default=896)
    parser.add_argument("--partitions", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    good = True
    with tempfile.TemporaryDirectory() as folder:
        demo = write(Path(folder) / "demo")
        with connect(Path(folder) / "home") as session:
            for _ in session.run(SETUP, {}, demo.folder):
                pass
            ask = partial(answer, session, QUESTION.format(wanted.scans))
            quiet = ask()
            session.sql(f"SET engine = spark; SET partitions = {wanted.partitions}; SET training = driver")
            for what, count, master, victims in (
                ("Python workers", wanted.workers, "local[2]", workers),
                ("executors", wanted.executors, "local-cluster[2,1,2048]", executors),
            ):
                if count:
                    session.set("spark.master", master)
                    chance = random.Random(wanted.seed)  # noqa: S311, it guards nothing
                    killed, equal, same = disturb(ask, session, count, victims, quiet, chance)
                    print(f"{what}: {killed} killed while tasks ran, {equal} answers equal to the quiet one")
                    good &= killed == equal == count and same
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
