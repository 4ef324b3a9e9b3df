"""A session that somebody else made: what it has is given, and only what it lets us change is changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vistaql.engines.spark.counting import items_of
from vistaql.errors import Code, VistaQLError
from vistaql.physical.regions import Heaps, Started, beside_heap
from vistaql.spark_settings import MASTER, PREFIX, SparkSettings, bytes_of

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SHAPE = frozenset({
    "spark.executor.instances", "spark.executor.cores", "spark.executor.memory", "spark.executor.memoryOverhead",
    "spark.cores.max", "spark.task.cpus",
})  # fmt: skip


@dataclass(frozen=True)
class Given:
    """What a given session has: cores of all executors, and what there is of each."""

    settings: SparkSettings
    cores: int
    started: Started


def given(session: SparkSession) -> Given:
    """What a session has. Raises GIVEN_SESSION for one of Spark Connect, which has no Python workers to look after."""
    context: Any = getattr(session, "_sc", None)
    if context is None:
        raise VistaQLError(
            Code.GIVEN_SESSION, "A session of Spark Connect cannot be used.",
            hint="Give one that was made with SparkSession.builder.master(..).",
        )  # fmt: skip
    conf = {name: value for name, value in context.getConf().getAll() if name in SHAPE}
    settings = SparkSettings(tuple(sorted((conf | {MASTER: context.master}).items())))
    there = executors_there(context)
    slots = sum(item.tasks for item in there) or context.defaultParallelism
    cores = sum(item.cores for item in there) or slots
    # The one Java's heap is what it was started with, whatever a setting says that came too late.
    java = int(context._jvm.java.lang.Runtime.getRuntime().maxMemory())  # noqa: SLF001, Python has no other way to ask
    return Given(settings, cores, Started(slots, max(1, len(there)), given_heaps(settings, java)))


@dataclass(frozen=True)
class Executor:
    """Cores of an executor, and tasks that it runs side by side."""

    cores: int
    tasks: int


def executors_there(context: Any) -> list[Executor]:
    """The executors that are there now, as Spark's own pages count them; of a local master the one Java."""
    found = items_of(context._jsc.sc().statusStore().executorList(True).iterator())  # noqa: SLF001, as above
    # A driver that is no executor has no cores.
    return [Executor(int(item.totalCores()), int(item.maxTasks())) for item in found if item.totalCores()]


def given_heaps(settings: SparkSettings, java: int) -> Heaps:
    """The heaps of a session that runs; `java` is that of the driver.

    A cluster manager that counts what an executor takes beside its heap gives it Spark's own share where none was set.
    """
    if settings.one_java:
        return Heaps(one_java=True, executor=java)
    conf = dict(settings.values)
    heap = bytes_of(conf.get("spark.executor.memory", "1g"), "b")
    overhead = bytes_of(conf["spark.executor.memoryOverhead"], "m") if "spark.executor.memoryOverhead" in conf else 0
    counted = settings.master.startswith(("yarn", "k8s"))
    return Heaps(executor=heap, driver=java, overhead=(overhead or beside_heap(heap, 0)) if counted else None)


def adopted(session: SparkSession, settings: SparkSettings) -> SparkSession:
    """A given session with the user's settings applied. Raises GIVEN_SESSION at one that is fixed when Spark starts."""
    for name, value in settings.values:
        has = session.conf.get(name, None)
        if has == value:
            continue
        if not (session.conf.isModifiable(name) or name.startswith(PREFIX + "sql.")):
            raise VistaQLError(
                Code.GIVEN_SESSION,
                f"{name} is {has or 'not set'} in the session that was given, and cannot be changed.",
                hint=f"Set it where the session is made, and type: RESET {name}",
            )
        session.conf.set(name, value)
    return session
