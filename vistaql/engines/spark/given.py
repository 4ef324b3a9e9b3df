"""A session that somebody else made: what it has is given, and only what it lets us change is changed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vistaql.engines.spark.memory import LEAST_OVERHEAD, LOCAL_CLUSTER, MIB, OVERHEAD
from vistaql.errors import Code, VistaQLError
from vistaql.spark_settings import MASTER, PREFIX, SparkSettings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

UNITS = {"b": 1, "k": 2**10, "m": MIB, "g": 2**30, "t": 2**40, "p": 2**50}
SIZE = re.compile(r"(\d+)\s*([bkmgtp])?b?", re.IGNORECASE)
SHAPE = frozenset({
    "spark.executor.instances", "spark.executor.cores", "spark.executor.memory", "spark.executor.memoryOverhead",
    "spark.cores.max", "spark.task.cpus",
})  # fmt: skip


@dataclass(frozen=True)
class Given:
    """What a given session has: tasks that run side by side, and the bytes of its executors (None: of this machine)."""

    settings: SparkSettings
    cores: int
    memory_bytes: int | None


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
    return Given(settings, context.defaultParallelism, executor_bytes(context.master, conf, context))


def executor_bytes(master: str, conf: dict[str, str], context: Any) -> int | None:
    """Bytes of all executors; None with a local master, whose workers share this machine with everything else."""
    if master.startswith("local") and not LOCAL_CLUSTER.fullmatch(master):
        return None
    heap = bytes_of(conf.get("spark.executor.memory", "1g"), "b")
    overhead = bytes_of(conf["spark.executor.memoryOverhead"], "m") if "spark.executor.memoryOverhead" in conf else 0
    # Spark counts the driver among those that hold blocks.
    executors = max(1, int(context._jsc.sc().getExecutorMemoryStatus().size()) - 1)  # noqa: SLF001
    return executors * (heap + max(overhead, LEAST_OVERHEAD, int(OVERHEAD * heap)))


def bytes_of(text: str, unit: str) -> int:
    """A size as Spark reads it; `unit` is what a number alone counts.

    >>> bytes_of("2g", "b"), bytes_of("512", "m"), bytes_of("1 GB", "b")
    (2147483648, 536870912, 1073741824)
    """
    found = SIZE.fullmatch(text.strip())
    return int(found[1]) * UNITS[(found[2] or unit).lower()] if found else 0


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
