"""The plan as a tree on a terminal while it runs: a bar for each node, the time left, memory against its limit."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

from vistaql.rendering.style import Style, fit, pad, printable
from vistaql.rendering.terminal import TerminalProgress
from vistaql.rendering.watching import PartWatch, PlanWatch
from vistaql.units import format_duration, format_size

if TYPE_CHECKING:
    from collections.abc import Callable

    from vistaql.progress import Part

EVERY_SECONDS = 0.2
QUIET_SECONDS = 0.5
"""a plan that is over sooner is not shown"""
WIDEST = 100
BAR, STATUS = 12, 42
MOST_PARTS = 9
"""parts that are drawn; of more those around the one at work"""


def memory_in_use() -> int:
    """Bytes of memory that this process holds now."""
    import psutil

    return int(psutil.Process().memory_info().rss)


@dataclass
class PlanProgress:
    """Draws the tree again and again, and takes it away at the end. Safe to call from several threads."""

    stream: TextIO
    style: Style
    clock: Callable[[], float] = time.monotonic
    memory: Callable[[], int] = memory_in_use
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    _watch: PlanWatch | None = None
    _begun: float = 0.0
    _lines: int = 0
    _over: threading.Event = field(default_factory=threading.Event, repr=False)
    _single: TerminalProgress = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._single = TerminalProgress(self.stream, self.style, self.clock)

    def plan(self, parts: tuple[Part, ...], limit_bytes: int) -> None:
        """Begin to draw, from a thread of its own, so that the bars move while a batch is computed."""
        with self._lock:
            self._watch = PlanWatch.of(parts, limit_bytes, self.clock)
            self._begun = self.clock()
            self._over = threading.Event()
        threading.Thread(target=self._tick, args=(self._over,), name="progress", daemon=True).start()

    def end(self) -> None:
        """Take the tree away."""
        with self._lock:
            self._over.set()
            self._erase()
            self._watch = None

    def start(self, what: str, total: int, unit: str) -> None:
        """Work begins, on a part of the plan or beside it."""
        with self._lock:
            if self._watch is None or not self._watch.start(what):
                self._single.start(what, total, unit)

    def advance(self, count: int) -> None:
        """Count."""
        with self._lock:
            if self._watch is not None and self._watch.current is not None:
                self._watch.advance(count)
            elif self._watch is None:
                self._single.advance(count)

    def finish(self) -> None:
        """The work is over."""
        with self._lock:
            if self._watch is None:
                self._single.finish()
            else:
                self._watch.finish()

    def say(self, line: str) -> None:
        """Write a line that stays, above the tree."""
        with self._lock:
            self._erase()
            self._single.say(line)

    def _tick(self, over: threading.Event) -> None:
        while not over.wait(EVERY_SECONDS):
            with self._lock:
                if not over.is_set():
                    self.draw()

    def draw(self) -> None:
        """Draw the tree in place of the one before."""
        if self._watch is None or self.clock() - self._begun < QUIET_SECONDS:
            return
        width = min(self.style.width or WIDEST, WIDEST) - 1
        lines = tree_lines(self._watch, width, self.style, self.memory())
        self._erase()
        self.stream.write("\n".join(lines))
        self.stream.flush()
        self._lines = len(lines)

    def _erase(self) -> None:
        if self._lines:
            up = f"\x1b[{self._lines - 1}A" if self._lines > 1 else ""
            self.stream.write(f"\r{up}\x1b[J")
            self.stream.flush()
            self._lines = 0


def tree_lines(watch: PlanWatch, width: int, style: Style, memory: int) -> list[str]:
    """The parts with their bars, and below them the time left and the memory."""
    lines = [part_line(item, watch, width, style) for item in shown(watch)]
    limit = f"{format_size(memory)} of {format_size(watch.limit_bytes)} memory"
    return [*lines, fit(f"{format_duration(watch.left())} left   {limit}", width, style.cut)]


def shown(watch: PlanWatch) -> list[PartWatch]:
    """The parts there is room for: those around the one at work."""
    if len(watch.parts) <= MOST_PARTS or watch.current is None:
        return watch.parts[:MOST_PARTS]
    place = watch.parts.index(watch.current)
    first = max(1, min(place - MOST_PARTS // 2, len(watch.parts) - MOST_PARTS + 1))
    return [watch.parts[0], *watch.parts[first : first + MOST_PARTS - 1]]


def part_line(item: PartWatch, watch: PlanWatch, width: int, style: Style) -> str:
    """One part: its words, its bar, its status."""
    now, correction = watch.clock(), watch.correction
    words = "   " * max(item.part.depth - 1, 0) + ("+- " if item.part.depth else "") + printable(item.part.words)
    room = max(width - BAR - STATUS - 2, 10)
    filled = round(BAR * item.share(now, correction))
    bar = pad(style.bar * filled, BAR)
    line = f"{pad(fit(words, room, style.cut), room)} {bar} {status(item, now, correction)}"
    return fit(line.rstrip(), width, style.cut)


def status(item: PartWatch, now: float, correction: float) -> str:
    """What is done, how fast, and the time left; before it begins the estimate, at the end what it took."""
    part, left = item.part, format_duration(item.left(now, correction))
    elapsed = item.elapsed(now)
    if item.over:
        return format_duration(elapsed) if part.total else "done"
    if not elapsed:
        return f"about {left}" if part.total else ""
    if not part.unit:
        return f"{left} left"
    rate = f", {speed(item.done / item.counted_at)} {part.unit}/s" if item.counted_at and item.done else ""
    return f"{item.done:,}/{part.total:,} {part.unit}{rate}, {left} left"


def speed(rate: float) -> str:
    """A rate with as many digits as mean something.

    >>> speed(512.3), speed(4.26)
    ('512', '4.3')
    """
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"
