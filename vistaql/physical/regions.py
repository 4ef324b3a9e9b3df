"""How a plan on Spark divides memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MIB: Final = 2**20
RESERVED: Final = 300 * MIB
"""bytes that Spark takes off the heap before it divides it (RESERVED_SYSTEM_MEMORY_BYTES)"""
LEAST_OVERHEAD: Final = 384 * MIB
OVERHEAD: Final = 0.1
"""of the heap, for Java's code, threads and buffers (Spark's own default)"""
BATCH_BYTES: Final = 16 * MIB
"""bytes of an Arrow batch on its way to a worker, for tensors and for images that travel as bytes"""
BATCHES_IN_FLIGHT: Final = 4
"""batches of a task that lie outside the heap: written, read, and one of each being filled"""


def beside_heap(heap: int, tasks: int) -> int:
    """Bytes that a Java takes outside its heap: its own, and the batches of its tasks.

    >>> beside_heap(2**30, 2) // MIB, beside_heap(10 * 2**30, 0) // MIB
    (512, 1024)
    """
    return int(max(LEAST_OVERHEAD, OVERHEAD * heap)) + tasks * BATCHES_IN_FLIGHT * BATCH_BYTES


@dataclass(frozen=True)
class Regions:
    """Bytes of each part of an executor, and of the driver (Vista, section 4.1, with the driver added).

    Core, user and storage are what Spark divides of an executor's Java heap. Deep learning and overhead lie outside.
    """

    core: int
    """Spark's own objects, and joins and sorts while they run"""
    user: int
    """rows and vectors on their way through Java, and what is broadcast"""
    storage: int
    """tensors and features kept for later passes"""
    deep_learning: int
    """all Python workers of an executor: TensorFlow, graphs, batches"""
    driver: int
    """Java heap of the driver: plans, and what is collected"""
    python: int
    """this process: rows, collected features, fits"""
    overhead: int = beside_heap(0, 1)
    """what an executor's Java takes beside its heap, with the batches on their way to workers"""
    one_java: bool = False
    """whether driver and executor are one Java, as with a local master"""

    @property
    def divided(self) -> int:
        """What Spark divides of an executor's heap."""
        return self.core + self.user + self.storage

    @property
    def heap(self) -> int:
        """Java heap of an executor; where there is one Java, its heap."""
        return RESERVED + self.divided + (self.driver if self.one_java else 0)

    @property
    def driver_heap(self) -> int:
        """Heap of the driver's own Java."""
        return 0 if self.one_java else RESERVED + self.driver

    @property
    def outside(self) -> int:
        """What an executor takes beside its heap, with its workers."""
        return self.overhead + self.deep_learning

    @property
    def executor(self) -> int:
        """Bytes of an executor with its workers."""
        return self.heap + self.outside

    @property
    def here(self) -> int:
        """Bytes of this process, and of the driver's Java where it has one of its own."""
        return self.python + (0 if self.one_java else self.driver_heap + beside_heap(self.driver_heap, 0))

    def total(self, executors: int = 1) -> int:
        """Bytes on all machines together."""
        return executors * self.executor + self.here

    def covers(self, other: Regions, *, outside: bool) -> bool:
        """Whether Java has room for another plan in each part, and, with `outside`, its executors' workers as well.

        Core has no size of its own: in a heap that was given it is what other parts leave.
        """
        parts = ("heap", "user", "storage", "driver", *(("deep_learning",) if outside else ()))
        return all(getattr(self, part) >= getattr(other, part) for part in parts)


LEAST = Regions(core=900_000_000, user=256_000_000, storage=256_000_000, deep_learning=0, driver=256_000_000, python=0)
"""What every session on Spark is started with, at least: rows are joined before there is a plan, and a session that a
later plan does not fit into is started again, which takes seconds."""


@dataclass(frozen=True)
class Heaps:
    """Bytes of Java that are given, and bound a plan; None where it has what the plan asks for.

    `executor` is the heap of each, and that of the one Java where driver and executor are one; `overhead` is what an
    executor may take beside its heap, where a cluster manager counts that.
    """

    one_java: bool = False
    executor: int | None = None
    driver: int | None = None
    overhead: int | None = None


OPEN: Final = Heaps()
"""Heaps of a cluster of which nothing is given"""


@dataclass(frozen=True)
class Started:
    """What a session of Spark has that the caller started: tasks side by side, executors, and its heaps."""

    slots: int
    executors: int
    heaps: Heaps
