"""How much memory this process holds while a piece of work runs."""

from __future__ import annotations

import os
import threading
from functools import cache
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import psutil

EVERY_SECONDS = 0.01


def resident_bytes(process: int | None = None) -> int:
    """Bytes of memory that a process (None: this one) holds now, its files in the page cache not counted."""
    import psutil

    return int((this_process(os.getpid()) if process is None else psutil.Process(process)).memory_info().rss)


@cache
def this_process(number: int) -> psutil.Process:
    """The process that runs this (another after a fork); made once, since it is asked before every batch and fit."""
    import psutil

    return psutil.Process(number)


class ResidentPeak:
    """Reads the resident size a hundred times a second; `bytes` is the largest so far.

    >>> with ResidentPeak() as peak:
    ...     held = bytearray(50_000_000)
    >>> peak.bytes > 50_000_000
    True
    """

    def __init__(self) -> None:
        self.bytes = 0
        self._over = threading.Event()
        self._reader = threading.Thread(target=self._read, name="resident-peak", daemon=True)

    def look(self) -> None:
        """Read the size now."""
        self.bytes = max(self.bytes, resident_bytes())

    def _read(self) -> None:
        while not self._over.wait(EVERY_SECONDS):
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
