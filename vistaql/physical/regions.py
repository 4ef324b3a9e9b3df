"""How a plan on Spark divides memory."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Regions:
    """Bytes of each part of an executor, and of the driver (Vista, section 4.1, with the driver added).

    Core, user and storage are parts of an executor's Java heap. Deep learning lies outside of it.
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

    @property
    def heap(self) -> int:
        """Java heap of an executor."""
        return self.core + self.user + self.storage

    def total(self, executors: int = 1) -> int:
        """Bytes on all machines together."""
        return executors * (self.heap + self.deep_learning) + self.driver + self.python

    def covers(self, other: Regions, *, outside: bool) -> bool:
        """Whether Java has room for another plan in each part, and, with `outside`, its executors' workers as well."""
        parts = ("core", "user", "storage", "driver", *(("deep_learning",) if outside else ()))
        return all(getattr(self, part) >= getattr(other, part) for part in parts)


LEAST = Regions(core=900_000_000, user=256_000_000, storage=256_000_000, deep_learning=0, driver=256_000_000, python=0)
"""What every session on Spark is started with, at least: rows are joined before there is a plan, and a session that a
later plan does not fit into is started again, which takes seconds."""
