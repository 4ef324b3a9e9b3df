"""Progress where there is no terminal: a line now and then, and none for what is over soon."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

from vistaql.rendering.plan_progress import status
from vistaql.rendering.style import printable
from vistaql.rendering.watching import PlanWatch

if TYPE_CHECKING:
    from collections.abc import Callable

    from vistaql.progress import Part

EVERY_SECONDS = 30.0
"""between lines, and before the first"""


@dataclass
class LineProgress:
    """Writes whole lines, so that a log can be read. Safe to call from several threads."""

    stream: TextIO
    clock: Callable[[], float] = time.monotonic
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _watch: PlanWatch | None = None
    _said: list[str] = field(default_factory=list)
    _written: float = 0.0

    def plan(self, parts: tuple[Part, ...], limit_bytes: int) -> None:
        """Begin to count."""
        with self._lock:
            self._watch = PlanWatch.of(parts, limit_bytes, self.clock)
            self._written = self.clock()

    def end(self) -> None:
        """Forget what was held back: it was over soon."""
        with self._lock:
            self._watch = None
            self._said.clear()

    def start(self, what: str, total: int, unit: str) -> None:  # noqa: ARG002, the plan knows them
        """Work on a part of the plan begins."""
        with self._lock:
            if self._watch is not None:
                self._watch.start(what)

    def advance(self, count: int) -> None:
        """Count, and write a line where the last one is old."""
        with self._lock:
            if self._watch is None or self._watch.current is None:
                return
            self._watch.advance(count)
            now = self.clock()
            if now - self._written >= EVERY_SECONDS:
                self._written = now
                item = self._watch.current
                self._write(f"{item.part.words}: {status(item, now, self._watch.correction)}")

    def finish(self) -> None:
        """The work is over."""
        with self._lock:
            if self._watch is not None:
                self._watch.finish()

    def say(self, line: str) -> None:
        """Hold the line back until it turns out that the statement takes long."""
        with self._lock:
            self._said.append(line)

    def _write(self, line: str) -> None:
        for text in (*self._said, line):
            self.stream.write(printable(text) + "\n")
        self._said.clear()
        self.stream.flush()
