"""What there is for a plan, machine by machine: a bound for each machine, and for each Java that was given."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from vistaql.optimizer.machine import Machine
from vistaql.physical.regions import OPEN, Heaps, Regions
from vistaql.settings import Settings
from vistaql.spark_settings import SparkSettings, bytes_of, cluster_shape


class Constraint(Enum):
    """Why a plan cannot run: what it needs too much of."""

    MEMORY = "memory"
    DISK = "disk"
    EXECUTOR = "memory of an executor"
    HEAP = "an executor's heap"
    DRIVER_HEAP = "the driver's heap"
    OVERHEAD = "memory beside an executor's heap"


@dataclass(frozen=True)
class Check:
    """One inequality: bytes that are needed, and those there are; `workers` of them run passes within."""

    constraint: Constraint
    needs: int
    has: float
    workers: int = 0

    @property
    def holds(self) -> bool:
        """Whether there is as much as is needed."""
        return self.needs <= self.has


@dataclass(frozen=True)
class Room:
    """Bytes for a plan: on this machine, for each executor elsewhere, and of heaps that were given.

    What a plan takes is compared with what there is on that machine, and never with that of all of them together:
    executors that run here (`together`) count here, and those of a cluster each by itself.
    """

    here: float = math.inf
    executor: float = math.inf
    together: bool = True
    heaps: Heaps = OPEN

    def taken_here(self, regions: Regions, executors: int) -> int:
        """Bytes of a plan on this machine."""
        return regions.total(executors) if self.together else regions.here

    def checks(self, regions: Regions, executors: int, tasks: int = 0) -> Iterator[Check]:
        """Every inequality that a plan has to keep; an executor runs so many tasks."""
        local = executors * tasks if self.together else 0
        yield Check(Constraint.MEMORY, self.taken_here(regions, executors), self.here, local)
        if not self.together:
            yield Check(Constraint.EXECUTOR, regions.executor, self.executor, tasks)
        heaps = self.heaps
        if heaps.executor is not None:
            constraint = Constraint.DRIVER_HEAP if heaps.one_java else Constraint.HEAP
            yield Check(constraint, regions.heap, heaps.executor)
        if heaps.driver is not None:
            yield Check(Constraint.DRIVER_HEAP, regions.driver_heap, heaps.driver)
        if heaps.overhead is not None:
            yield Check(Constraint.OVERHEAD, regions.outside, heaps.overhead, tasks)

    def holds(self, regions: Regions, executors: int) -> bool:
        """Whether a plan fits everywhere."""
        return all(check.holds for check in self.checks(regions, executors))


NO_BOUNDS: Final = Room()


def room_of(settings: Settings, machine: Machine, here: float | None = None) -> Room:
    """What there is under some settings; the limit of this machine unless another is given.

    `memory_limit` is what a plan may take on one machine. Without it nothing bounds an executor on another machine but
    what it was given: what those machines have is not known here.
    """
    limit = settings.memory_limit or machine.memory_bytes if here is None else here
    heaps = machine.started.heaps if machine.started else heaps_of(settings.spark)
    return Room(limit, settings.memory_limit or math.inf, settings.spark.here, heaps)


def heaps_of(settings: SparkSettings) -> Heaps:
    """The heaps that a user has set, or that the name of a local cluster says.

    >>> heaps_of(SparkSettings((("spark.driver.memory", "2g"), ("spark.master", "local[2]"))))
    Heaps(one_java=True, executor=2147483648, driver=None, overhead=None)
    >>> heaps_of(SparkSettings((("spark.master", "local-cluster[2,1,2048]"),))).executor
    2147483648
    """
    values = dict(settings.values)

    def given(name: str, unit: str = "b") -> int | None:
        # Spark itself says what is wrong with a size that it cannot read.
        return bytes_of(values[name], unit) or None if name in values else None

    driver = given("spark.driver.memory")
    if settings.one_java:
        return Heaps(one_java=True, executor=driver)
    named = cluster_shape(settings.master)
    executor = given("spark.executor.memory") or (named.heap if named else None)
    return Heaps(executor=executor, driver=driver, overhead=given("spark.executor.memoryOverhead", "m"))
