"""How much memory this process, or all that it has started, holds while a piece of work runs."""

from __future__ import annotations

import contextlib
import os
import threading
from functools import cache
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar, Self

if TYPE_CHECKING:
    import psutil

EVERY_SECONDS = 0.01
TREE_SECONDS = 0.2
"""between two looks at all processes, of which each takes milliseconds"""


def resident_bytes(process: int | None = None) -> int:
    """Bytes of memory that a process (None: this one) holds now, its files in the page cache not counted."""
    import psutil

    return int((this_process(os.getpid()) if process is None else psutil.Process(process)).memory_info().rss)


@cache
def this_process(number: int) -> psutil.Process:
    """The process that runs this (another after a fork); made once, since it is asked before every batch and fit."""
    import psutil

    return psutil.Process(number)


def tree_bytes() -> int:
    """Bytes that this process and all that it has started hold now; what several share counts once.

    Spark's Java is one of them, and so are the Python workers of its executors on this machine: forks of one process,
    which share most of TensorFlow. Only Linux tells who shares what.
    """
    import psutil

    mine, found = this_process(os.getpid()), 0
    for process in (mine, *mine.children(recursive=True)):
        # A worker may end while it is looked at.
        with contextlib.suppress(psutil.Error):
            memory = process.memory_full_info()
            found += int(getattr(memory, "pss", memory.rss))
    return found


class ResidentPeak:
    """Reads the resident size a hundred times a second; `bytes` is the largest so far.

    >>> with ResidentPeak() as peak:
    ...     held = bytearray(50_000_000)
    >>> peak.bytes > 50_000_000
    True
    """

    every: ClassVar[float] = EVERY_SECONDS

    def __init__(self) -> None:
        self.bytes = 0
        self._over = threading.Event()
        self._reader = threading.Thread(target=self._read, name="resident-peak", daemon=True)

    def size(self) -> int:
        """Bytes now."""
        return resident_bytes()

    def look(self) -> None:
        """Read the size now."""
        self.bytes = max(self.bytes, self.size())

    def _read(self) -> None:
        while not self._over.wait(self.every):
            self.look()

    def __enter__(self) -> Self:
        self.look()
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._reader.join()
        self.look()


class TreePeak(ResidentPeak):
    """The same of this process and all that it has started."""

    every = TREE_SECONDS

    def size(self) -> int:
        """Bytes now."""
        return tree_bytes()
