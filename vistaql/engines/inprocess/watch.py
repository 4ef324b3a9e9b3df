"""Keeping the process below its limit of memory: look at the resident size, and let go of what can lie on disk."""

from __future__ import annotations

import ctypes
import gc
import sys
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Protocol

from vistaql.physical.resident import resident_bytes

# Between the size at which something is done and the limit: a share of it, and never less than this.
MARGIN_SHARE = 0.04
LEAST_MARGIN = 48_000_000

# How often a fit is looked at: a gigabyte a second is 100 MB in this time.
EVERY_SECONDS = 0.1
# A fit for which no more than this is foreseen, two of the smallest side by side, is over before anybody would look.
SOON_OVER = 80_000_000
# Growth after which giving freed memory back is worth its tens of milliseconds.
WORTH_TRIMMING = 16_000_000


class Spillable(Protocol):
    """Something in memory that can go on on disk."""

    def spill(self, folder: str) -> int:
        """Move it to disk; how many bytes of memory that frees."""


@dataclass
class MemoryWatch:
    """What a run has in memory that could lie on disk, and when it has to.

    `folder` takes what is spilled. `notes` say what was done, for the answer.
    """

    limit: int
    folder: str
    spilled_bytes: int = 0
    footprint: int = 0
    """bytes of the largest pass so far, which TensorFlow has and uses again"""
    trimmed: int = 0
    """the size after freed memory was last given back"""
    shrunk: bool = False
    """whether it was ever tight"""
    _held: list[weakref.ref[Spillable]] = field(default_factory=list)

    def hold(self, item: Spillable) -> None:
        """Remember something that may be spilled as long as somebody has it."""
        self._held.append(weakref.ref(item))

    def held(self) -> Iterator[Spillable]:
        """What is still there, the oldest first."""
        for reference in self._held:
            item = reference()
            if item is not None:
                yield item

    def tight(self, coming: int = 0) -> bool:
        """Whether so many bytes more would come too near to the limit."""
        margin = max(LEAST_MARGIN, int(MARGIN_SHARE * self.limit))
        return resident_bytes() + coming > self.limit - margin

    def let_go(self) -> None:
        """Forget the graphs that are kept for later statements."""
        graph = sys.modules.get("vistaql.engines.tensorflow.graph")
        if graph is not None and graph.KEPT:
            graph.release_graphs()
            give_back()

    def before_pass(self, footprint: int) -> None:
        """Make room for a pass: the graph before it goes first, then vectors and tensors.

        TensorFlow does not give memory back to the system, so what the largest pass took is there already.
        """
        coming = max(0, footprint - self.footprint)
        if self.tight(coming):
            self.let_go()
        self.make_room(coming)
        self.footprint = max(self.footprint, footprint)

    def make_room(self, coming: int = 0) -> bool:
        """Spill until so many bytes fit; whether they do."""
        if not self.tight(coming):
            return True
        self.shrunk = True
        for item in list(self.held()):
            freed = item.spill(self.folder)
            if freed:
                self.spilled_bytes += freed
                give_back()
                if not self.tight(coming):
                    return True
        self.trim()
        return not self.tight(coming)

    def trim(self) -> None:
        """Return what was freed to the system, where the process has grown since that was last done.

        Blocks of fits are freed in an order that leaves the C library with more than it gives back by itself.
        """
        if resident_bytes() > self.trimmed + WORTH_TRIMMING:
            give_back()
            self.trimmed = resident_bytes()

    @contextmanager
    def looking(self, coming: int) -> Iterator[None]:
        """Make room whenever it gets tight while the block runs: a fit may take more than was foreseen."""
        if coming < SOON_OVER:
            yield
            return
        over = Event()

        def look() -> None:
            while not over.wait(EVERY_SECONDS):
                self.make_room()

        looker = Thread(target=look, name="memory-watch", daemon=True)
        looker.start()
        try:
            yield
        finally:
            # What is being written to disk is finished, since its folder may go next.
            over.set()
            looker.join()

    def batches_ahead(self, most: int) -> int:
        """Batches in flight: few once memory was tight."""
        return 1 if self.shrunk else most


def give_back() -> None:
    """Return freed memory to the system, where the C library has a way to say so."""
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
    if (arrow := sys.modules.get("pyarrow")) is not None:
        arrow.default_memory_pool().release_unused()
