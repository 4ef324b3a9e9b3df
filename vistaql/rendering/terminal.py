"""Progress on a terminal: one line on standard error that is written over again, and is gone at the end."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

from vistaql.rendering.style import Style, fit, printable
from vistaql.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from vistaql.progress import Part

EVERY_SECONDS = 0.1
BAR_WIDTH = 20
QUIET_SECONDS = 0.5
"""work that is over sooner is not shown"""


@dataclass
class TerminalProgress:
    """Draws how much is done, how fast, and the time left. Safe to call from several threads."""

    stream: TextIO
    style: Style
    clock: Callable[[], float] = time.monotonic
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _what: str = ""
    _unit: str = ""
    _total: int = 0
    _done: int = 0
    _started: float = 0.0
    _drawn: float = 0.0
    _shown: bool = False

    def plan(self, parts: tuple[Part, ...], limit_bytes: int) -> None:
        """Leave the plan out: a screen that can only write over one line shows the part at work."""

    def end(self) -> None:
        """There is nothing to take away."""

    def start(self, what: str, total: int, unit: str) -> None:
        """Work begins."""
        with self._lock:
            self._what, self._unit, self._total, self._done = printable(what), unit, total, 0
            self._started = self.clock()
            self._drawn = self._started + QUIET_SECONDS - EVERY_SECONDS

    def advance(self, count: int) -> None:
        """Count, and draw now and then."""
        with self._lock:
            self._done += count
            now = self.clock()
            if now - self._drawn >= EVERY_SECONDS:
                self._drawn = now
                self._draw(now)

    def finish(self) -> None:
        """Take the line away."""
        with self._lock:
            self._erase()

    def say(self, line: str) -> None:
        """Write a line that stays, above the one that is drawn."""
        with self._lock:
            self._erase()
            self.stream.write(printable(line) + "\n")
            self.stream.flush()

    def _draw(self, now: float) -> None:
        width = (self.style.width or self.style.text_width) - 1
        text = progress_line(self._what, self._done, self._total, self._unit, now - self._started, self.style.bar)
        self.stream.write(f"\r{fit(text, width, self.style.cut):<{width}}")
        self.stream.flush()
        self._shown = True

    def _erase(self) -> None:
        if self._shown:
            self.stream.write("\r" + " " * ((self.style.width or self.style.text_width) - 1) + "\r")
            self.stream.flush()
            self._shown = False


def progress_line(what: str, done: int, total: int, unit: str, seconds: float, bar: str) -> str:
    """What is done, as a bar and in numbers, and the time left at the rate so far.

    >>> progress_line("Infer strokes", 224, 896, "images", 2.0, "#")
    'Infer strokes [#####               ] 224/896 images, 112 images/s, 6.0 s left'
    """
    rate = done / seconds if seconds > 0 else 0.0
    share = min(done / total, 1.0) if total > 0 else 0.0
    filled = round(BAR_WIDTH * share)
    text = f"{what} [{bar * filled}{' ' * (BAR_WIDTH - filled)}] {done:,}/{total:,} {unit}"
    if rate <= 0:
        return text
    speed = f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"
    return f"{text}, {speed} {unit}/s, {format_duration(max(total - done, 0) / rate)} left"
